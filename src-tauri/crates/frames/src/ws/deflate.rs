//! Agreeing on permessage-deflate (RFC 7692 §5, §7.1): the client's offer, the server's answer, and what both mean.

use std::fmt;
use std::str::FromStr;

/// The extension's token.
const NAME: &str = "permessage-deflate";

/// What a client offers. The default asks for nothing and lets the server limit the client's window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The server must forget its window after each message.
    pub server_no_context_takeover: bool,
    /// A hint: the client will forget its own.
    pub client_no_context_takeover: bool,
    /// The server's window must not be larger than 2^N bytes.
    pub server_max_window_bits: Option<u8>,
    /// The server may limit the client's window; with a number, the client will use no larger one anyway.
    pub client_max_window_bits: Option<Option<u8>>,
}

impl Default for Offer {
    fn default() -> Self {
        Self {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: None,
            client_max_window_bits: Some(None),
        }
    }
}

/// What was agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// The server forgets its window after each message.
    pub server_no_context_takeover: bool,
    /// The client does.
    pub client_no_context_takeover: bool,
    /// The server's window is at most 2^N bytes.
    pub server_max_window_bits: u8,
    /// The client's is.
    pub client_max_window_bits: u8,
}

/// Largest window there is (RFC 1951 §2).
const LARGEST: u8 = 15;

/// The parameters of one element of the field, each at most once and with a value it may have.
#[derive(Default)]
struct Parameters {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    client_max_window_bits: Option<Option<u8>>,
}

impl Parameters {
    fn parse(element: &str) -> Result<Self, String> {
        let mut parts = element.split(';').map(str::trim);
        match parts.next() {
            Some(name) if name.eq_ignore_ascii_case(NAME) => {}
            name => return Err(format!("`{}` is another extension", name.unwrap_or_default())),
        }
        let mut parameters = Self::default();
        for part in parts {
            let (name, value) = match part.split_once('=') {
                Some((name, value)) => (name.trim(), Some(value.trim().trim_matches('"'))),
                None => (part, None),
            };
            let wrong = || format!("`{part}` is no parameter of permessage-deflate, or has a value it cannot have (RFC 7692 §7.1)");
            let bits = || value.map(|text| window_bits(text).ok_or_else(wrong)).transpose();
            let again = match name.to_ascii_lowercase().as_str() {
                "server_no_context_takeover" if value.is_none() => std::mem::replace(&mut parameters.server_no_context_takeover, true),
                "client_no_context_takeover" if value.is_none() => std::mem::replace(&mut parameters.client_no_context_takeover, true),
                "server_max_window_bits" => parameters.server_max_window_bits.replace(bits()?.ok_or_else(wrong)?).is_some(),
                "client_max_window_bits" => parameters.client_max_window_bits.replace(bits()?).is_some(),
                _ => return Err(wrong()),
            };
            if again {
                return Err(format!("`{name}` is there twice (RFC 7692 §7.1)"));
            }
        }
        Ok(parameters)
    }
}

/// 8 to 15, no leading zero (RFC 7692 §7.1.2.1).
fn window_bits(text: &str) -> Option<u8> {
    if text.starts_with('0') { None } else { text.parse().ok().filter(|bits| (8..=LARGEST).contains(bits)) }
}

fn elements(field: &str) -> impl Iterator<Item = &str> {
    field.split(',').map(str::trim).filter(|element| !element.is_empty())
}

impl Offer {
    /// Reads the server's answer, the whole value of `Sec-WebSocket-Extensions` in its response ("" where there is none); `None`
    /// where it declined.
    ///
    /// # Errors
    /// Why a client must fail the connection (RFC 7692 §5.1, §7.1): an answer to what was not offered, or one that the offer rules
    /// out.
    pub fn read(&self, answer: &str) -> Result<Option<Agreement>, String> {
        let mut agreed = None;
        for element in elements(answer) {
            let given = Parameters::parse(element)?;
            if agreed.is_some() {
                return Err("permessage-deflate is agreed twice (RFC 7692 §5)".into());
            }
            if self.server_no_context_takeover && !given.server_no_context_takeover {
                return Err("server_no_context_takeover was asked for and is not granted (RFC 7692 §7.1.1.1)".into());
            }
            if self.server_max_window_bits.is_some_and(|most| given.server_max_window_bits.is_none_or(|bits| bits > most)) {
                return Err("the server's window is larger than what was asked for (RFC 7692 §7.1.2.1)".into());
            }
            let client = match (self.client_max_window_bits, given.client_max_window_bits) {
                (own, None) => own.flatten().unwrap_or(LARGEST),
                (_, Some(None)) => return Err("client_max_window_bits has no value (RFC 7692 §7.1.2.2)".into()),
                (None, Some(_)) => return Err("client_max_window_bits was not offered (RFC 7692 §7.1.2.2)".into()),
                (Some(Some(most)), Some(Some(bits))) if bits > most => {
                    return Err("client_max_window_bits is larger than what was offered (RFC 7692 §7.1.2.2)".into());
                }
                (Some(_), Some(Some(bits))) => bits,
            };
            agreed = Some(Agreement {
                server_no_context_takeover: given.server_no_context_takeover,
                // What was only a hint is kept all the same.
                client_no_context_takeover: given.client_no_context_takeover || self.client_no_context_takeover,
                server_max_window_bits: given.server_max_window_bits.unwrap_or(LARGEST),
                client_max_window_bits: client,
            });
        }
        Ok(agreed)
    }
}

/// As the field's value.
impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)?;
        if self.server_no_context_takeover {
            f.write_str("; server_no_context_takeover")?;
        }
        if self.client_no_context_takeover {
            f.write_str("; client_no_context_takeover")?;
        }
        if let Some(bits) = self.server_max_window_bits {
            write!(f, "; server_max_window_bits={bits}")?;
        }
        match self.client_max_window_bits {
            None => Ok(()),
            Some(None) => f.write_str("; client_max_window_bits"),
            Some(Some(bits)) => write!(f, "; client_max_window_bits={bits}"),
        }
    }
}

/// Reads one offer as the field has it. What it does not name is not offered.
impl FromStr for Offer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let given = Parameters::parse(text)?;
        Ok(Self {
            server_no_context_takeover: given.server_no_context_takeover,
            client_no_context_takeover: given.client_no_context_takeover,
            server_max_window_bits: given.server_max_window_bits,
            client_max_window_bits: given.client_max_window_bits,
        })
    }
}

impl Agreement {
    /// A server's choice among what a client offers, the whole value of `Sec-WebSocket-Extensions` in its request: the first offer
    /// it can keep to, as the answer's value and what it means. `None` declines.
    pub fn answer(offers: &str) -> Option<(String, Self)> {
        let offer = elements(offers).find_map(|element| {
            // zlib has no raw window of 2^8 bytes.
            Parameters::parse(element).ok().filter(|given| given.server_max_window_bits != Some(8))
        })?;
        let agreed = Self {
            server_no_context_takeover: offer.server_no_context_takeover,
            client_no_context_takeover: offer.client_no_context_takeover,
            server_max_window_bits: offer.server_max_window_bits.unwrap_or(LARGEST),
            client_max_window_bits: LARGEST,
        };
        let answer = Offer {
            server_no_context_takeover: agreed.server_no_context_takeover,
            client_no_context_takeover: agreed.client_no_context_takeover,
            server_max_window_bits: offer.server_max_window_bits,
            client_max_window_bits: None,
        };
        Some((answer.to_string(), agreed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(text: &str) -> Offer {
        text.parse().unwrap()
    }

    #[test]
    fn offers_are_written_as_they_are_read() {
        assert_eq!(Offer::default().to_string(), "permessage-deflate; client_max_window_bits");
        for text in [
            "permessage-deflate",
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9; client_max_window_bits=15",
        ] {
            assert_eq!(offer(text).to_string(), text);
        }
        for text in [
            "",
            "deflate",
            "permessage-deflate; x",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=16",
        ] {
            assert!(text.parse::<Offer>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_answer_within_the_offer_is_agreed() {
        let plain = Agreement {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: 15,
            client_max_window_bits: 15,
        };
        let default = Offer::default();
        assert_eq!(default.read(""), Ok(None));
        assert_eq!(default.read("permessage-deflate"), Ok(Some(plain)));
        assert_eq!(
            default.read("Permessage-Deflate;CLIENT_MAX_WINDOW_BITS=\"10\""),
            Ok(Some(Agreement { client_max_window_bits: 10, ..plain }))
        );
        // A server may bind itself and the client without being asked.
        let bound = Agreement { server_no_context_takeover: true, client_no_context_takeover: true, server_max_window_bits: 8, ..plain };
        let answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=8";
        assert_eq!(default.read(answer), Ok(Some(bound)));
        assert_eq!(
            offer("permessage-deflate; client_max_window_bits=9").read("permessage-deflate").unwrap().unwrap().client_max_window_bits,
            9
        );
        assert!(
            offer("permessage-deflate; client_no_context_takeover").read("permessage-deflate").unwrap().unwrap().client_no_context_takeover
        );
    }

    #[test]
    fn an_answer_outside_the_offer_fails_the_connection() {
        for (asked, answer) in [
            ("permessage-deflate", "permessage-deflate; client_max_window_bits=10"),
            ("permessage-deflate; client_max_window_bits", "permessage-deflate; client_max_window_bits"),
            ("permessage-deflate; client_max_window_bits=10", "permessage-deflate; client_max_window_bits=11"),
            ("permessage-deflate; server_max_window_bits=10", "permessage-deflate"),
            ("permessage-deflate; server_max_window_bits=10", "permessage-deflate; server_max_window_bits=11"),
            ("permessage-deflate; server_no_context_takeover", "permessage-deflate"),
            ("permessage-deflate", "permessage-deflate, permessage-deflate"),
            ("permessage-deflate", "permessage-deflate, x-other"),
            ("permessage-deflate", "x-webkit-deflate-frame"),
            ("permessage-deflate", "permessage-deflate; server_max_window_bits=08"),
            ("permessage-deflate", "permessage-deflate; server_no_context_takeover; server_no_context_takeover"),
        ] {
            assert!(offer(asked).read(answer).is_err(), "{asked} / {answer}");
        }
    }

    #[test]
    fn a_servers_answer_fits_the_offer_it_takes() {
        for offers in [
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=10",
            "permessage-deflate; server_max_window_bits=8, permessage-deflate; client_no_context_takeover",
        ] {
            let (answer, agreed) = Agreement::answer(offers).unwrap();
            let taken = offer(offers.split(',').next_back().unwrap().trim());
            assert_eq!(taken.read(&answer), Ok(Some(agreed)), "{offers}");
        }
        assert_eq!(Agreement::answer("permessage-deflate; server_max_window_bits=8, permessage-bzip2"), None);
        assert_eq!(Agreement::answer(""), None);
    }
}
