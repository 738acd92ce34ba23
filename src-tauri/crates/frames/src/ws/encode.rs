//! Writing frames (RFC 6455 §5.2), compressed where that was agreed (RFC 7692 §7.2.1).
//!
//! The counterpart of the dissector for those who drive a socket themselves: permessage-deflate needs RSV1, which the protocol
//! library that drives plain sockets refuses.

use flate2::{Compress, Compression, FlushCompress};

use super::deflate::Agreement;
use super::{Side, header, mask};

/// What a sync flush ends with, and a sender takes off.
const TAIL: &[u8] = &[0x00, 0x00, 0xff, 0xff];

/// Below this many bytes compression only costs.
const WORTHWHILE: usize = 16;

/// Writes the frames of one direction.
pub struct Encoder {
    side: Side,
    deflate: Option<Deflate>,
}

struct Deflate {
    stream: Compress,
    takeover: bool,
    scratch: Vec<u8>,
}

impl Encoder {
    /// An encoder for what `side` sends; messages are compressed where `agreed` allows it. Agreed on a window of 2^8 bytes, which zlib
    /// does not have, it sends everything uncompressed, as any sender may (RFC 7692 §7.2.1 compresses by message).
    pub fn new(side: Side, agreed: Option<Agreement>) -> Self {
        let deflate = agreed.and_then(|agreed| {
            let (bits, forget) = match side {
                Side::Client => (agreed.client_max_window_bits, agreed.client_no_context_takeover),
                Side::Server => (agreed.server_max_window_bits, agreed.server_no_context_takeover),
            };
            (9..=15).contains(&bits).then(|| Deflate {
                stream: Compress::new_with_window_bits(Compression::default(), false, bits),
                takeover: !forget,
                scratch: Vec::new(),
            })
        });
        Self { side, deflate }
    }

    /// Appends a message as one frame: `opcode` 1 for text, 2 for binary. `plain` keeps it uncompressed whatever was agreed, and out of
    /// the window. `key` masks it, if the side masks.
    pub fn message(&mut self, opcode: u8, data: &[u8], plain: bool, key: [u8; 4], out: &mut Vec<u8>) {
        let side = self.side;
        if !plain
            && data.len() >= WORTHWHILE
            && let Some(deflate) = &mut self.deflate
            && deflate.compress(data).is_some()
        {
            return frame(side, 0x80 | header::RSV1 << 4 | opcode, &deflate.scratch, key, out);
        }
        frame(side, 0x80 | opcode, data, key, out);
    }

    /// Appends a control frame: `opcode` 8 for close, 9 for ping, 10 for pong. Its payload is cut at 125 bytes (RFC 6455 §5.5).
    pub fn control(&mut self, opcode: u8, payload: &[u8], key: [u8; 4], out: &mut Vec<u8>) {
        frame(self.side, 0x80 | opcode, &payload[..payload.len().min(125)], key, out);
    }
}

impl Deflate {
    /// Compresses a message into `scratch`. `None` where that is impossible, which zlib knows no reason for; the stream starts anew then.
    fn compress(&mut self, data: &[u8]) -> Option<()> {
        if !self.takeover {
            self.stream.reset();
        }
        self.scratch.clear();
        let start = self.stream.total_in();
        loop {
            let read = (self.stream.total_in() - start) as usize;
            self.scratch.reserve((data.len() - read).max(256) / 2 + 64);
            if self.stream.compress_vec(&data[read..], &mut self.scratch, FlushCompress::Sync).is_err() {
                self.stream.reset();
                return None;
            }
            let read = (self.stream.total_in() - start) as usize;
            // With room to spare, everything is out.
            if read == data.len() && self.scratch.len() < self.scratch.capacity() {
                break;
            }
        }
        if self.scratch.ends_with(TAIL) {
            self.scratch.truncate(self.scratch.len() - TAIL.len());
        }
        Some(())
    }
}

fn frame(side: Side, first: u8, payload: &[u8], key: [u8; 4], out: &mut Vec<u8>) {
    let masked = if side == Side::Client { 0x80 } else { 0 };
    out.reserve(header::MAX + payload.len());
    out.push(first);
    match payload.len() {
        length @ 0..=125 => out.push(masked | length as u8),
        length @ 126..=0xffff => {
            out.push(masked | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            out.push(masked | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    if side == Side::Client {
        out.extend_from_slice(&key);
        mask::append(out, payload, key, 0);
    } else {
        out.extend_from_slice(payload);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Dissector, Item};
    use super::*;
    use crate::Limits;
    use crate::ws::deflate::Offer;

    fn agreed(answer: &str) -> Agreement {
        Offer::default().read(answer).unwrap().unwrap()
    }

    type Read = (u8, Vec<u8>, bool);

    /// What the dissector reads of `bytes`: messages as (opcode, data, compressed), and errors.
    fn read(side: Side, answer: &str, bytes: &[u8]) -> (Vec<Read>, Vec<String>) {
        let (mut messages, mut wrong) = (Vec::new(), Vec::new());
        let mut dissector = Dissector::new(side, answer, Limits::default());
        dissector.push(bytes, &mut |item| match item {
            Item::Message { opcode, data, deflated, .. } => messages.push((opcode, data.to_vec(), deflated.is_some())),
            Item::Error { .. } | Item::Warning { .. } => wrong.push(format!("{item:?}")),
            _ => {}
        });
        dissector.finish(&mut |item| wrong.push(format!("{item:?}")));
        (messages, wrong)
    }

    fn samples() -> Vec<(u8, Vec<u8>)> {
        let noise = |length: usize| (0..length as u64).map(|i| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect::<Vec<u8>>();
        let mut samples = vec![(1, Vec::new()), (2, vec![7]), (1, "κόσμε ".repeat(40).into_bytes()), (1, "κόσμε ".repeat(40).into_bytes())];
        samples.extend([125, 126, 127, 65_535, 65_536, 300_000].map(|length| (2, noise(length))));
        samples.extend([16, 17, 100, 70_000].map(|length| (2, vec![b'a'; length])));
        samples
    }

    #[test]
    fn what_is_written_is_read_again_whatever_was_agreed() {
        for side in [Side::Client, Side::Server] {
            for answer in [
                "permessage-deflate",
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
                "permessage-deflate; server_max_window_bits=9; client_max_window_bits=9",
                "permessage-deflate; server_max_window_bits=8; client_max_window_bits=8",
            ] {
                let mut encoder = Encoder::new(side, Some(agreed(answer)));
                let mut bytes = Vec::new();
                for (n, (opcode, data)) in samples().iter().enumerate() {
                    encoder.message(*opcode, data, n % 5 == 4, [n as u8, 2, 3, 4], &mut bytes);
                    encoder.control(9, b"still there?", [9; 4], &mut bytes);
                }
                let (messages, wrong) = read(side, answer, &bytes);
                assert_eq!(wrong, Vec::<String>::new(), "{answer}");
                let plain: Vec<(u8, Vec<u8>)> = messages.iter().map(|(opcode, data, _)| (*opcode, data.clone())).collect();
                assert_eq!(plain, samples(), "{side:?} {answer}");
                assert_eq!(messages.iter().any(|message| message.2), !answer.contains("=8"));
            }
        }
    }

    #[test]
    fn the_window_is_carried_over_or_not() {
        let text = "a sentence that comes twice, word for word".as_bytes();
        let lengths = |answer: &str| {
            let mut encoder = Encoder::new(Side::Client, Some(agreed(answer)));
            [0; 2].map(|_| {
                let mut bytes = Vec::new();
                encoder.message(1, text, false, [0; 4], &mut bytes);
                bytes.len()
            })
        };
        let [first, second] = lengths("permessage-deflate");
        assert!(second < first / 2, "{first} {second}");
        let [first, second] = lengths("permessage-deflate; client_no_context_takeover");
        assert_eq!(first, second);
    }

    #[test]
    fn a_plain_message_leaves_nothing_in_the_window() {
        let mut encoder = Encoder::new(Side::Server, Some(agreed("permessage-deflate")));
        let mut bytes = Vec::new();
        let secret = b"a secret that is as long as it has to be";
        encoder.message(1, secret, true, [0; 4], &mut bytes);
        assert_eq!(bytes[0], 0x81);
        assert!(bytes.ends_with(secret));
        bytes.clear();
        encoder.message(1, secret, false, [0; 4], &mut bytes);
        assert_eq!(bytes[0], 0xc1);
        // Nothing to refer to: it comes out at about its own length.
        assert!(bytes.len() > 30, "{}", bytes.len());
    }

    #[test]
    fn without_an_agreement_frames_are_those_of_the_rfc() {
        let mut encoder = Encoder::new(Side::Client, None);
        let mut bytes = Vec::new();
        encoder.message(1, b"Hello", false, [0x37, 0xfa, 0x21, 0x3d], &mut bytes);
        assert_eq!(bytes, [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
        let mut encoder = Encoder::new(Side::Server, None);
        bytes.clear();
        encoder.control(9, &[b'x'; 200], [0; 4], &mut bytes);
        assert_eq!((bytes[0], bytes[1], bytes.len()), (0x89, 125, 127));
    }
}
