//! The agreed `Sec-WebSocket-Extensions` value (RFC 6455 §9.1, RFC 7692 §7.1).

use super::Side;
use super::inflate::Inflate;

/// What the extensions mean for one direction.
#[derive(Debug)]
pub(super) struct Agreed {
    /// Set where permessage-deflate was agreed.
    pub(super) inflate: Option<Inflate>,
    /// The window is at most 2^`bits` bytes.
    pub(super) bits: u8,
    /// Another extension was agreed too: the reserved bits may be its.
    pub(super) foreign: bool,
    /// Why an endpoint had to refuse the value.
    pub(super) fault: Option<String>,
}

impl Agreed {
    /// Reads the value for the bytes that `side` sends.
    pub(super) fn parse(value: &str, side: Side) -> Self {
        let mut agreed = Self { inflate: None, bits: 15, foreign: false, fault: None };
        for extension in split(value, ',') {
            let mut parts = split(extension, ';');
            match parts.next() {
                Some(name) if name.eq_ignore_ascii_case("permessage-deflate") => {
                    if agreed.inflate.is_some() {
                        agreed.refuse("permessage-deflate is agreed twice (RFC 7692 §5)".into());
                        continue;
                    }
                    let takeover = agreed.parameters(parts, side);
                    agreed.inflate = Some(Inflate::new(takeover));
                }
                Some(_) => agreed.foreign = true,
                None => {}
            }
        }
        agreed
    }

    /// Whether `side` keeps its window from message to message. Reading, the window's size needs no
    /// care: the largest one reads what every smaller one wrote.
    fn parameters<'a>(&mut self, parts: impl Iterator<Item = &'a str>, side: Side) -> bool {
        let mut takeover = true;
        let mut seen = Vec::new();
        for part in parts {
            let (name, value) = match part.split_once('=') {
                Some((name, value)) => (name.trim(), Some(value.trim().trim_matches('"'))),
                None => (part, None),
            };
            let name = name.to_ascii_lowercase();
            if name == (if side == Side::Server { "server_max_window_bits" } else { "client_max_window_bits" })
                && let Some(bits) = value.filter(|value| window_bits(value)).and_then(|value| value.parse().ok())
            {
                self.bits = bits;
            }
            let good = match name.as_str() {
                "server_no_context_takeover" | "client_no_context_takeover" => {
                    takeover &= (name == "server_no_context_takeover") != (side == Side::Server);
                    value.is_none()
                }
                // Without a value it is an offer's, which callers may hand on in place of the answer's.
                "client_max_window_bits" => value.is_none_or(window_bits),
                "server_max_window_bits" => value.is_some_and(window_bits),
                _ => false,
            };
            if !good {
                self.refuse(format!("permessage-deflate cannot be agreed with `{part}` (RFC 7692 §7.1)"));
            } else if seen.contains(&name) {
                self.refuse(format!("permessage-deflate has `{name}` twice (RFC 7692 §7.1)"));
            }
            seen.push(name);
        }
        takeover
    }

    fn refuse(&mut self, why: String) {
        self.fault.get_or_insert(why);
    }
}

/// 8 to 15, no leading zero (RFC 7692 §7.1.2.1).
fn window_bits(value: &str) -> bool {
    matches!(value, "8" | "9" | "10" | "11" | "12" | "13" | "14" | "15")
}

fn split(value: &str, at: char) -> impl Iterator<Item = &str> {
    value.split(at).map(str::trim).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_parameters_for_the_side_they_bind() {
        let takeover = |value: &str, side| Agreed::parse(value, side).inflate.map(|inflate| inflate.takeover());
        let value = "permessage-deflate; Server_No_Context_Takeover; client_max_window_bits=\"10\"";
        assert_eq!(takeover(value, Side::Server), Some(false));
        assert_eq!(takeover(value, Side::Client), Some(true));
        assert_eq!(takeover("permessage-deflate;client_no_context_takeover", Side::Client), Some(false));
        assert_eq!(takeover("", Side::Client), None);
        assert!(Agreed::parse(value, Side::Server).fault.is_none());
        assert!(Agreed::parse("x-other, permessage-deflate", Side::Server).foreign);
    }

    #[test]
    fn refuses_what_an_endpoint_must_refuse() {
        for value in [
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; client_max_window_bits=08",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; what",
            "permessage-deflate; client_max_window_bits=9; client_max_window_bits=9",
            "permessage-deflate, permessage-deflate",
        ] {
            assert!(Agreed::parse(value, Side::Server).fault.is_some(), "{value}");
        }
    }
}
