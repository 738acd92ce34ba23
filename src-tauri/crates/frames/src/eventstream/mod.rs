//! `application/vnd.amazon.eventstream`: length-prefixed binary messages with two checksums.
//!
//! A message, numbers big-endian: `u32 total length | u32 header length | u32 CRC-32 of these eight bytes | headers |
//! payload | u32 CRC-32 of everything before`.

mod headers;
#[cfg(test)]
mod tests;

use crc32fast::Hasher;

pub use self::headers::{Header, Value};
use crate::{Limits, Span};

/// One thing found in the stream.
#[derive(Clone, Debug, PartialEq)]
pub enum Item<'a> {
    /// A message is complete.
    Message(Message<'a>),
    /// The message is faulty. Told before the message it concerns, if that has known borders.
    Error {
        /// Short stable code: `prelude-crc`, `message-crc`, `length`, `headers-oversized`, `bad-header`, `utf-8`.
        code: &'static str,
        /// What is wrong.
        message: String,
        /// Where.
        at: u64,
    },
    /// The input ended inside a message, or behind one whose end cannot be known.
    Incomplete {
        /// What is there of it.
        span: Span,
    },
}

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message<'a> {
    /// Prelude to closing checksum.
    pub span: Span,
    /// The header block.
    pub headers_span: Span,
    /// The headers in order; none where the block is over [`Limits::head`].
    pub headers: &'a [Header<'a>],
    /// The payload.
    pub payload_span: Span,
    /// The payload's bytes; empty where the message is over [`Limits::unit`].
    pub payload: &'a [u8],
    /// Both checksums are right.
    pub intact: bool,
    /// Longer than [`Limits::unit`]: the payload was checked, but not gathered.
    pub oversized: bool,
}

impl Message<'_> {
    /// The first header of this name that is text, such as `:event-type`.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.name == name).and_then(|header| match &header.value {
            Value::String(text) => Some(text.as_ref()),
            _ => None,
        })
    }
}

/// Bytes of a prelude with its checksum.
const PRELUDE: usize = 12;

/// Bytes of a closing checksum.
const CHECKSUM: usize = 4;

/// Keeps a large buffer from being held for the rest of the stream.
const KEPT_BUFFER: usize = 1 << 20;

/// The event stream dissector.
#[derive(Debug)]
pub struct Dissector {
    limits: Limits,
    /// Offset of the next byte.
    at: u64,
    /// The open message's bytes, as far as they are kept.
    carry: Vec<u8>,
    open: Option<Open>,
    /// Where a message starts whose end cannot be known.
    lost: Option<u64>,
}

/// A message whose prelude is complete.
#[derive(Debug)]
struct Open {
    start: u64,
    total: u32,
    headers: u32,
    /// Bytes so far, prelude included.
    have: u32,
    /// How many of its first bytes are kept.
    keep: u32,
    /// CRC-32 of what came, closing checksum left out.
    crc: Hasher,
    /// The closing checksum as far as it came.
    closing: [u8; CHECKSUM],
}

impl Dissector {
    /// A dissector at the first byte of a body.
    pub fn new(limits: Limits) -> Self {
        Self { limits, at: 0, carry: Vec::new(), open: None, lost: None }
    }

    /// Takes the next bytes and tells the sink every item they complete.
    pub fn push(&mut self, mut bytes: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        while !bytes.is_empty() {
            if self.lost.is_some() {
                self.at += bytes.len() as u64;
                return;
            }
            bytes = match self.open.take() {
                None => self.read_prelude(bytes, sink),
                Some(open) => self.read_rest(open, bytes, sink),
            };
        }
    }

    /// Tells what the end of input cut off.
    pub fn finish(&mut self, sink: &mut impl FnMut(Item<'_>)) {
        let message = self.open.take().map(|open| open.start);
        let prelude = (!self.carry.is_empty()).then(|| self.at - self.carry.len() as u64);
        if let Some(start) = self.lost.take().or(message).or(prelude) {
            sink(Item::Incomplete { span: Span::new(start, self.at) });
        }
        self.carry = Vec::new();
    }

    /// Reads a prelude, or what is there of it, and returns what follows. A message that is whole in `bytes` is told
    /// without being copied.
    fn read_prelude<'a>(&mut self, bytes: &'a [u8], sink: &mut impl FnMut(Item<'_>)) -> &'a [u8] {
        let start = self.at - self.carry.len() as u64;
        let (piece, rest) = bytes.split_at(bytes.len().min(PRELUDE - self.carry.len()));
        let direct = self.carry.is_empty();
        self.carry.extend_from_slice(piece);
        self.at += piece.len() as u64;
        let Some(&prelude) = self.carry.first_chunk::<PRELUDE>() else { return rest };
        let Some(mut open) = self.open_message(prelude, start, sink) else {
            self.carry.clear();
            return rest;
        };
        let whole = open.total as usize;
        if direct && bytes.len() >= whole && open.keep == open.total {
            let (message, rest) = bytes.split_at(whole);
            let (checked, closing) = message.split_at(whole - CHECKSUM);
            open.crc.update(&checked[PRELUDE..]);
            open.closing.copy_from_slice(closing);
            self.at = start + u64::from(open.total);
            self.carry.clear();
            tell(open, message, sink);
            return rest;
        }
        self.carry.truncate(open.keep as usize);
        self.open = Some(open);
        rest
    }

    /// Checks a prelude. Nothing is returned where the message's end cannot be known from it.
    fn open_message(&mut self, prelude: [u8; PRELUDE], start: u64, sink: &mut impl FnMut(Item<'_>)) -> Option<Open> {
        let [t0, t1, t2, t3, h0, h1, h2, h3, c0, c1, c2, c3] = prelude;
        let total = u32::from_be_bytes([t0, t1, t2, t3]);
        let headers = u32::from_be_bytes([h0, h1, h2, h3]);
        let told = u32::from_be_bytes([c0, c1, c2, c3]);
        let found = crc32fast::hash(&prelude[..8]);
        let fault = if told != found {
            Some((
                "prelude-crc",
                format!("the prelude's CRC-32 is {found:08x}, not {told:08x} as told: its lengths cannot be trusted"),
                start + 8,
            ))
        } else if (total as usize) < PRELUDE + CHECKSUM {
            Some(("length", format!("a message has at least 16 bytes, not {total}"), start))
        } else {
            None
        };
        if let Some((code, message, at)) = fault {
            sink(Item::Error { code, message, at });
            self.lost = Some(start);
            return None;
        }
        let room = total - (PRELUDE + CHECKSUM) as u32;
        let headers = if headers > room {
            let message = format!("{headers} bytes of headers do not fit a message of {total} bytes");
            sink(Item::Error { code: "length", message, at: start + 4 });
            0
        } else {
            headers
        };
        let keep = if total as usize <= self.limits.unit {
            total
        } else if headers as usize <= self.limits.head {
            PRELUDE as u32 + headers
        } else {
            0
        };
        let mut crc = Hasher::new();
        crc.update(&prelude);
        Some(Open { start, total, headers, have: PRELUDE as u32, keep, crc, closing: [0; CHECKSUM] })
    }

    /// Reads on in the open message and returns what follows.
    fn read_rest<'a>(&mut self, mut open: Open, bytes: &'a [u8], sink: &mut impl FnMut(Item<'_>)) -> &'a [u8] {
        let (piece, rest) = bytes.split_at(bytes.len().min((open.total - open.have) as usize));
        let checked = (open.total - CHECKSUM as u32).saturating_sub(open.have) as usize;
        let (body, closing) = piece.split_at(piece.len().min(checked));
        open.crc.update(body);
        let behind = (open.have as usize + body.len()).saturating_sub(open.total as usize - CHECKSUM);
        open.closing[behind..behind + closing.len()].copy_from_slice(closing);
        let keep = (open.keep.saturating_sub(open.have) as usize).min(piece.len());
        self.carry.extend_from_slice(&piece[..keep]);
        open.have += piece.len() as u32;
        self.at += piece.len() as u64;
        if open.have < open.total {
            self.open = Some(open);
            return rest;
        }
        let mut carry = std::mem::take(&mut self.carry);
        tell(open, &carry, sink);
        carry.clear();
        if carry.capacity() <= KEPT_BUFFER {
            self.carry = carry;
        }
        rest
    }
}

/// Tells a complete message. `kept` are its first bytes, as many as were to be kept.
fn tell(open: Open, kept: &[u8], sink: &mut impl FnMut(Item<'_>)) {
    let Open { start, total, headers, keep, crc, closing, .. } = open;
    let end = start + u64::from(total);
    let headers_span = Span::new(start + PRELUDE as u64, start + PRELUDE as u64 + u64::from(headers));
    let payload_span = Span::new(headers_span.end, end - CHECKSUM as u64);
    let (told, found) = (u32::from_be_bytes(closing), crc.finalize());
    let intact = told == found;
    if !intact {
        let message = format!("the message's CRC-32 is {found:08x}, not {told:08x} as told");
        sink(Item::Error { code: "message-crc", message, at: payload_span.end });
    }
    let block_end = PRELUDE + headers as usize;
    let (headers, faults) = match kept.get(PRELUDE..block_end) {
        Some(block) => headers::parse(block, headers_span.start),
        None => (
            Vec::new(),
            vec![headers::Fault {
                code: "headers-oversized",
                message: "the header block is longer than what is kept".into(),
                at: headers_span.start,
            }],
        ),
    };
    for fault in faults {
        sink(Item::Error { code: fault.code, message: fault.message, at: fault.at });
    }
    let oversized = keep < total;
    let payload = if oversized { &[][..] } else { kept.get(block_end..total as usize - CHECKSUM).unwrap_or_default() };
    sink(Item::Message(Message { span: Span::new(start, end), headers_span, headers: &headers, payload_span, payload, intact, oversized }));
}
