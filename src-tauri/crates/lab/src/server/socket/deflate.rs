//! permessage-deflate on the Lab's side (RFC 7692): agreeing on it, and compressing what is sent.

use flate2::{Compress, Compression, FlushCompress};

use crate::fault::Faults;

/// What was agreed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Agreement {
    /// The answer's `Sec-WebSocket-Extensions`.
    pub answer: String,
    pub bits: u8,
    /// The Lab's window is dropped after each message.
    pub forget: bool,
    /// So is the client's.
    pub client_forgets: bool,
}

impl Agreement {
    /// The first of the offers that the Lab can keep (RFC 7692 §5): `offers` is the request's `Sec-WebSocket-Extensions`.
    pub(super) fn of(offers: &str, faults: &Faults) -> Option<Agreement> {
        if faults.no_deflate || faults.compressed {
            return None;
        }
        offers.split(',').find_map(|offer| Agreement::on(offer, faults.no_context_takeover))
    }

    fn on(offer: &str, forget: bool) -> Option<Agreement> {
        let mut parts = offer.split(';').map(str::trim);
        if !parts.next()?.eq_ignore_ascii_case("permessage-deflate") {
            return None;
        }
        let (mut bits, mut client_bits) = (None, None);
        let (mut server, mut client) = (None, None);
        for part in parts {
            let (name, value) =
                part.split_once('=').map_or((part, None), |(name, value)| (name.trim(), Some(value.trim().trim_matches('"'))));
            // An offer with a parameter twice, or one nobody knows, or a value out of range is to be declined (§7.1).
            let window = |value: &str| value.parse::<u8>().ok().filter(|bits| (8..=15).contains(bits) && !value.starts_with('0'));
            let twice = match (name.to_ascii_lowercase().as_str(), value) {
                ("server_no_context_takeover", None) => server.replace(()).is_some(),
                ("client_no_context_takeover", None) => client.replace(()).is_some(),
                ("server_max_window_bits", Some(value)) => bits.replace(window(value)?).is_some(),
                ("client_max_window_bits", value) => client_bits.replace(value.map_or(Some(15), window)?).is_some(),
                _ => return None,
            };
            if twice {
                return None;
            }
        }
        // zlib has no window of 2^8 bytes for raw DEFLATE.
        if bits == Some(8) {
            return None;
        }
        let (forget, client_forgets) = (forget || server.is_some(), forget || client.is_some());
        let mut answer = String::from("permessage-deflate");
        if forget {
            answer += "; server_no_context_takeover";
        }
        if client_forgets {
            answer += "; client_no_context_takeover";
        }
        if let Some(bits) = bits {
            answer += &format!("; server_max_window_bits={bits}");
        }
        Some(Agreement { answer, bits: bits.unwrap_or(15), forget, client_forgets })
    }
}

/// What a sync flush ends with: a sender takes it off a message (RFC 7692 §7.2.1).
pub(super) const TAIL: [u8; 4] = [0, 0, 0xFF, 0xFF];

/// Compresses the messages of one connection, in their order.
pub(super) struct Deflater {
    stream: Compress,
    forget: bool,
}

impl Deflater {
    pub(super) fn new(bits: u8, forget: bool) -> Deflater {
        Deflater { stream: Compress::new_with_window_bits(Compression::default(), false, bits), forget }
    }

    /// A message's payload, compressed; none where there is nothing to compress.
    pub(super) fn message(&mut self, payload: &[u8]) -> Option<Vec<u8>> {
        if payload.is_empty() {
            return None;
        }
        if self.forget {
            self.stream.reset();
        }
        let start = self.stream.total_in();
        let mut out = Vec::with_capacity(payload.len() / 2 + 64);
        loop {
            let read = (self.stream.total_in() - start) as usize;
            self.stream.compress_vec(&payload[read..], &mut out, FlushCompress::Sync).ok()?;
            // With room to spare, everything is out.
            if self.stream.total_in() - start == payload.len() as u64 && out.len() < out.capacity() {
                break;
            }
            out.reserve(out.capacity());
        }
        if out.ends_with(&TAIL) {
            out.truncate(out.len() - TAIL.len());
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_are_taken_in_their_order() {
        let none = Faults::default();
        let answer = |offers: &str| Agreement::of(offers, &none).map(|a| a.answer);
        let plain = Some("permessage-deflate".to_string());
        assert_eq!(answer("permessage-deflate; client_max_window_bits"), plain);
        assert_eq!(answer("x-webkit-deflate-frame, permessage-deflate"), plain);
        assert_eq!(answer("permessage-deflate; server_max_window_bits=8, permessage-deflate"), plain);
        assert_eq!(
            answer("permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=\"10\"").unwrap(),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10"
        );
        for declined in [
            "",
            "permessage-deflate; bogus",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=09",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "permessage-deflate; server_no_context_takeover=1",
        ] {
            assert_eq!(answer(declined), None, "{declined}");
        }
        let with = |fault: &str| Agreement::of("permessage-deflate", &Faults::parse(fault).unwrap());
        assert_eq!((with("no-deflate"), with("compressed")), (None, None));
        assert!(with("no-context-takeover").is_some_and(|a| a.forget && a.client_forgets));
    }
}
