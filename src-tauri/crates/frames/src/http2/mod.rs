//! HTTP/2 frames (RFC 9113) of one direction, header blocks decoded by HPACK (RFC 7541).

pub mod flow;
mod hpack;
mod huffman;
mod message;
mod names;
#[cfg(test)]
mod tests;
pub mod websocket;

pub use self::names::{error_name, flag_names, frame_name, setting_name, settings};

use self::hpack::{Fault, Hpack};
use crate::{Limits, Span};

/// A decoded field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Field name, pseudo-headers with their colon.
    pub name: Vec<u8>,
    /// Field value.
    pub value: Vec<u8>,
}

/// One frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame<'a> {
    /// The 9-byte header and the payload.
    pub span: Span,
    /// Type octet: 0 DATA, 1 HEADERS, 2 PRIORITY, 3 RST_STREAM, 4 SETTINGS, 5 PUSH_PROMISE, 6 PING, 7 GOAWAY, 8 WINDOW_UPDATE, 9 CONTINUATION, others unknown.
    pub kind: u8,
    /// Flags octet.
    pub flags: u8,
    /// Stream identifier, 31 bits.
    pub stream: u32,
    /// The payload, or for DATA and for payloads over [`Limits::head`] nothing (DATA is told piecewise by [`Item::Data`]).
    pub payload: &'a [u8],
    /// The fields, on the frame that ends a header block (END_HEADERS). Missing where the block could not be
    /// decoded, or is longer than [`Limits::head`] by the measure of RFC 9113 §6.5.2; an error tells of it.
    pub headers: Option<&'a [Header]>,
}

/// One thing found on the connection.
#[derive(Clone, Debug, PartialEq)]
pub enum Item<'a> {
    /// The client connection preface (RFC 9113 §3.4), 24 bytes.
    Preface {
        /// Where it stands.
        span: Span,
    },
    /// A frame is complete.
    Frame(Frame<'a>),
    /// Payload of a DATA frame as it arrives, padding left out: never empty, never gathered. Told before its frame.
    Data {
        /// Stream identifier.
        stream: u32,
        /// Where the bytes stand in the connection.
        span: Span,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// A rule of RFC 9113 (or 7541) was broken. What concerns a frame is told before the frame.
    Error {
        /// The error code's name by RFC 9113 §7, e.g. `PROTOCOL_ERROR`.
        code: &'static str,
        /// Which rule, with its section.
        message: String,
        /// Where.
        at: u64,
    },
    /// The input ended inside a frame, or inside a header block that wants CONTINUATION frames.
    Incomplete {
        /// What is there of it.
        span: Span,
    },
}

/// Whose bytes are dissected.
pub use crate::http1::Side;

/// The HTTP/2 dissector of one direction of a connection.
#[derive(Debug)]
pub struct Dissector {
    side: Side,
    limits: Limits,
    /// Offset of the next byte.
    at: u64,
    /// How much of the client's preface came; all of it on the server's side.
    preface: usize,
    /// Largest payload the receiver takes.
    max_frame_size: u32,
    /// The first frame was seen.
    begun: bool,
    header: [u8; HEADER],
    header_have: usize,
    /// The frame whose payload is being read.
    open: Option<Open>,
    /// Payload of the open frame, where it did not come in one piece.
    payload: Vec<u8>,
    hpack: Hpack,
    /// The header block that wants CONTINUATION frames.
    block: Option<Block>,
    /// Fields of the frame being told.
    fields: Vec<Header>,
}

/// A frame whose header is complete.
#[derive(Debug)]
struct Open {
    start: u64,
    len: u32,
    kind: u8,
    flags: u8,
    stream: u32,
    /// Bytes of the payload so far.
    have: u32,
    /// Of a DATA frame: where in the payload the padding starts.
    data_end: u32,
    /// The length breaks the rule for its type: the payload means nothing.
    misfit: bool,
}

/// A header block that has begun.
#[derive(Debug)]
struct Block {
    start: u64,
    stream: u32,
    bytes: Vec<u8>,
    /// Some of it is not in `bytes`.
    partial: bool,
}

/// The client connection preface (RFC 9113 §3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Bytes of a frame header (RFC 9113 §4.1).
const HEADER: usize = 9;

/// Payload that every endpoint takes (RFC 9113 §4.2).
const DEFAULT_FRAME_SIZE: u32 = 1 << 14;

/// Largest number a frame's length can be.
const MAX_FRAME_SIZE: u32 = (1 << 24) - 1;

/// Keeps a large buffer from being held for the rest of the connection.
const KEPT_BUFFER: usize = 64 << 10;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

/// ACK of SETTINGS and PING.
const FLAG_ACK: u8 = 0x1;
const FLAG_END_HEADERS: u8 = 0x4;
const FLAG_PADDED: u8 = 0x8;
const FLAG_PRIORITY: u8 = 0x20;

impl Dissector {
    /// A dissector at the first byte of a connection's direction.
    pub fn new(side: Side, limits: Limits) -> Self {
        Self {
            side,
            limits,
            at: 0,
            preface: if side == Side::Client { 0 } else { PREFACE.len() },
            max_frame_size: DEFAULT_FRAME_SIZE,
            begun: false,
            header: [0; HEADER],
            header_have: 0,
            open: None,
            payload: Vec::new(),
            hpack: Hpack::new(limits.head),
            block: None,
            fields: Vec::new(),
        }
    }

    /// Tells the SETTINGS_MAX_FRAME_SIZE of the other side (RFC 9113 §6.5.2), for frames from here on. Values
    /// outside 2^14..2^24 are brought inside.
    pub fn set_max_frame_size(&mut self, size: u32) {
        self.max_frame_size = size.clamp(DEFAULT_FRAME_SIZE, MAX_FRAME_SIZE);
    }

    /// Tells the SETTINGS_HEADER_TABLE_SIZE of the other side (RFC 9113 §6.5.2). A lower value than before does not
    /// bind, since one direction does not show when its sender has seen it; no table grows past [`Limits::head`].
    pub fn set_header_table_size(&mut self, size: u32) {
        self.hpack.allow_table_size(size);
    }

    /// Takes the next bytes and tells the sink every item they complete.
    pub fn push(&mut self, mut bytes: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        if self.preface < PREFACE.len() {
            bytes = self.read_preface(bytes, sink);
        }
        while !bytes.is_empty() {
            bytes = match self.open.take() {
                None => self.read_header(bytes, sink),
                Some(open) if open.kind == DATA => self.read_data(open, bytes, sink),
                Some(open) => self.read_payload(open, bytes, sink),
            };
        }
    }

    /// Tells what the end of the connection cut off.
    pub fn finish(&mut self, sink: &mut impl FnMut(Item<'_>)) {
        let preface = (1..PREFACE.len()).contains(&self.preface) && self.at > 0;
        let header = (self.header_have > 0).then(|| self.at - self.header_have as u64);
        let frame = self.open.take().map(|open| open.start);
        let block = self.block.take().map(|block| block.start);
        let start = [preface.then_some(0), header, frame, block].into_iter().flatten().min();
        self.header_have = 0;
        self.preface = PREFACE.len();
        self.payload = Vec::new();
        if let Some(start) = start {
            sink(Item::Incomplete { span: Span::new(start, self.at) });
        }
    }

    /// Reads the preface, or what is there of it, and returns what follows. Where there is none, an error is told
    /// and frames are read from the first byte on.
    fn read_preface<'a>(&mut self, bytes: &'a [u8], sink: &mut impl FnMut(Item<'_>)) -> &'a [u8] {
        let expected = &PREFACE[self.preface..];
        let same = bytes.iter().zip(expected).take_while(|(a, b)| a == b).count();
        if same == expected.len() {
            self.preface = PREFACE.len();
            self.at += same as u64;
            sink(Item::Preface { span: Span::new(0, self.at) });
            return &bytes[same..];
        }
        if same == bytes.len() {
            self.preface += same;
            self.at += same as u64;
            return &[];
        }
        let matched = std::mem::replace(&mut self.preface, PREFACE.len());
        error(sink, "PROTOCOL_ERROR", "a client's bytes must begin with the connection preface (RFC 9113 §3.4)", (matched + same) as u64);
        self.at = 0;
        self.push(&PREFACE[..matched], sink);
        bytes
    }

    /// Reads a frame header, or what is there of it, and returns what follows.
    fn read_header<'a>(&mut self, bytes: &'a [u8], sink: &mut impl FnMut(Item<'_>)) -> &'a [u8] {
        let (piece, rest) = bytes.split_at(bytes.len().min(HEADER - self.header_have));
        self.header[self.header_have..self.header_have + piece.len()].copy_from_slice(piece);
        self.header_have += piece.len();
        self.at += piece.len() as u64;
        if self.header_have < HEADER {
            return rest;
        }
        self.header_have = 0;
        let [l0, l1, l2, kind, flags, s0, s1, s2, s3] = self.header;
        let len = u32::from_be_bytes([0, l0, l1, l2]);
        let stream = u32::from_be_bytes([s0, s1, s2, s3]) & 0x7fff_ffff;
        let mut open = Open { start: self.at - HEADER as u64, len, kind, flags, stream, have: 0, data_end: len, misfit: false };
        self.check_header(&mut open, sink);
        if open.len == 0 {
            self.complete(open, &[], sink);
        } else {
            self.open = Some(open);
        }
        rest
    }

    /// Reads payload of a DATA frame and returns what follows.
    fn read_data<'a>(&mut self, mut open: Open, bytes: &'a [u8], sink: &mut impl FnMut(Item<'_>)) -> &'a [u8] {
        let mut rest = bytes;
        if open.have == 0
            && open.flags & FLAG_PADDED != 0
            && let Some((&padding, after)) = bytes.split_first()
        {
            open.have = 1;
            self.at += 1;
            rest = after;
            match (open.len - 1).checked_sub(u32::from(padding)) {
                Some(data) => open.data_end = 1 + data,
                None => {
                    open.data_end = 1;
                    error(sink, "PROTOCOL_ERROR", "padding is as long as the payload or longer (RFC 9113 §6.1)", open.start);
                }
            }
        }
        let (data, after) = rest.split_at(rest.len().min(open.data_end.saturating_sub(open.have) as usize));
        if !data.is_empty() {
            let span = Span::new(self.at, self.at + data.len() as u64);
            open.have += data.len() as u32;
            self.at = span.end;
            sink(Item::Data { stream: open.stream, span, bytes: data });
        }
        let mut rest = after;
        if open.have >= open.data_end {
            let padding = rest.len().min((open.len - open.have) as usize);
            open.have += padding as u32;
            self.at += padding as u64;
            rest = &rest[padding..];
        }
        if open.have == open.len {
            self.complete(open, &[], sink);
        } else {
            self.open = Some(open);
        }
        rest
    }

    /// Reads payload of any other frame and returns what follows.
    fn read_payload<'a>(&mut self, mut open: Open, bytes: &'a [u8], sink: &mut impl FnMut(Item<'_>)) -> &'a [u8] {
        let (piece, rest) = bytes.split_at(bytes.len().min((open.len - open.have) as usize));
        let gather = open.len as usize <= self.limits.head;
        let whole = open.have == 0 && piece.len() == open.len as usize;
        open.have += piece.len() as u32;
        self.at += piece.len() as u64;
        if gather && !whole {
            self.payload.extend_from_slice(piece);
        }
        if open.have < open.len {
            self.open = Some(open);
        } else if whole {
            self.complete(open, if gather { piece } else { &[] }, sink);
        } else {
            let mut payload = std::mem::take(&mut self.payload);
            self.complete(open, &payload, sink);
            payload.clear();
            if payload.capacity() <= KEPT_BUFFER {
                self.payload = payload;
            }
        }
        rest
    }

    /// Rules that a frame header alone can break.
    fn check_header(&mut self, open: &mut Open, sink: &mut impl FnMut(Item<'_>)) {
        let &mut Open { start, len, kind, flags, stream, .. } = open;
        let first = !std::mem::replace(&mut self.begun, true);
        if first && (kind != SETTINGS || flags & FLAG_ACK != 0) {
            error(sink, "PROTOCOL_ERROR", "the first frame must be SETTINGS (RFC 9113 §3.4)", start);
        }
        if len > self.max_frame_size {
            let message =
                format!("{len} bytes of payload are more than the {} that the receiver takes (RFC 9113 §4.2)", self.max_frame_size);
            sink(Item::Error { code: "FRAME_SIZE_ERROR", message, at: start });
        }
        if let Some(block) = &self.block
            && (kind != CONTINUATION || stream != block.stream)
        {
            let message = format!(
                "the header block at {} on stream {} is unfinished: only its CONTINUATION may follow (RFC 9113 §6.10)",
                block.start, block.stream
            );
            sink(Item::Error { code: "PROTOCOL_ERROR", message, at: start });
            // Another frame between its parts leaves a block readable; another block does not.
            if matches!(kind, HEADERS | PUSH_PROMISE | CONTINUATION) {
                self.block = None;
                self.hpack.lose();
            }
        } else if self.block.is_none() && kind == CONTINUATION {
            error(
                sink,
                "PROTOCOL_ERROR",
                "CONTINUATION must follow a HEADERS, PUSH_PROMISE or CONTINUATION frame without END_HEADERS (RFC 9113 §6.10)",
                start,
            );
            self.hpack.lose();
        }
        let name = frame_name(kind);
        match kind {
            DATA | HEADERS | PRIORITY | RST_STREAM | PUSH_PROMISE | CONTINUATION if stream == 0 => {
                let message = format!("{name} belongs to a stream: its identifier must not be 0 (RFC 9113 §6)");
                sink(Item::Error { code: "PROTOCOL_ERROR", message, at: start });
            }
            SETTINGS | PING | GOAWAY if stream != 0 => {
                let message = format!("{name} belongs to the connection: its stream identifier must be 0, not {stream} (RFC 9113 §6)");
                sink(Item::Error { code: "PROTOCOL_ERROR", message, at: start });
            }
            _ => {}
        }
        if kind == PUSH_PROMISE && self.side == Side::Client {
            error(sink, "PROTOCOL_ERROR", "a client cannot push (RFC 9113 §8.4)", start);
        }
        let padded = u32::from(flags & FLAG_PADDED != 0);
        let expected = match kind {
            DATA if len < padded => "at least its pad length (§6.1)",
            HEADERS if len < padded + if flags & FLAG_PRIORITY != 0 { 5 } else { 0 } => "at least its pad length and priority (§6.2)",
            PRIORITY if len != 5 => "exactly 5 bytes (§6.3)",
            RST_STREAM if len != 4 => "exactly 4 bytes (§6.4)",
            SETTINGS if flags & FLAG_ACK != 0 && len != 0 => "nothing, being an acknowledgment (§6.5)",
            SETTINGS if !len.is_multiple_of(6) => "6 bytes for each setting (§6.5)",
            PUSH_PROMISE if len < padded + 4 => "at least its pad length and promised stream (§6.6)",
            PING if len != 8 => "exactly 8 bytes (§6.7)",
            GOAWAY if len < 8 => "at least 8 bytes (§6.8)",
            WINDOW_UPDATE if len != 4 => "exactly 4 bytes (§6.9)",
            _ => return,
        };
        open.misfit = true;
        let message = format!("{name} must carry {expected}, not {len} bytes (RFC 9113 §4.2)");
        sink(Item::Error { code: "FRAME_SIZE_ERROR", message, at: start });
    }

    /// Tells a frame whose payload is complete. `payload` is empty for DATA and for what is not gathered.
    fn complete(&mut self, open: Open, payload: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        let Open { start, len, kind, flags, stream, misfit, .. } = open;
        let gathered = payload.len() == len as usize;
        let fields = match kind {
            HEADERS | PUSH_PROMISE => {
                let part = if misfit { None } else { self.fragment(&open, payload, gathered, sink) };
                // An unfinished block has been given up by now.
                self.block = Some(Block { start, stream, bytes: Vec::new(), partial: false });
                self.take_fragment(part, flags, sink)
            }
            CONTINUATION if self.block.is_some() => self.take_fragment(gathered.then_some(payload), flags, sink),
            _ => false,
        };
        if gathered && !misfit {
            self.check_payload(&open, payload, sink);
        }
        sink(Item::Frame(Frame { span: Span::new(start, self.at), kind, flags, stream, payload, headers: fields.then_some(&self.fields) }));
    }

    /// The part of a header block in a HEADERS or PUSH_PROMISE payload (RFC 9113 §6.2, §6.6), where it can be told.
    fn fragment<'a>(&self, open: &Open, payload: &'a [u8], gathered: bool, sink: &mut impl FnMut(Item<'_>)) -> Option<&'a [u8]> {
        if !gathered {
            return None;
        }
        let padded = open.flags & FLAG_PADDED != 0;
        let (padding, rest) = if padded { payload.split_first().map(|(len, rest)| (usize::from(*len), rest))? } else { (0, payload) };
        let fixed = match open.kind {
            PUSH_PROMISE => 4,
            _ if open.flags & FLAG_PRIORITY != 0 => 5,
            _ => 0,
        };
        let rest = rest.get(fixed..)?;
        let part = rest.len().checked_sub(padding).map(|len| &rest[..len]);
        if part.is_none() {
            let message = "padding is longer than what it could pad (RFC 9113 §6.2, §6.6)";
            error(sink, "PROTOCOL_ERROR", message, open.start);
        }
        part
    }

    /// Adds to the open block, and decodes it where this ends it. Whether there are fields to tell.
    fn take_fragment(&mut self, part: Option<&[u8]>, flags: u8, sink: &mut impl FnMut(Item<'_>)) -> bool {
        let Some(mut block) = self.block.take() else { return false };
        let end = flags & FLAG_END_HEADERS != 0;
        let part = part.filter(|part| block.bytes.len() + part.len() <= self.limits.head);
        let Some(part) = part.filter(|_| !block.partial) else {
            block.partial = true;
            block.bytes = Vec::new();
            if end {
                self.hpack.lose();
                error(
                    sink,
                    "COMPRESSION_ERROR",
                    "not all of the header block could be read or kept: neither it nor later blocks can be decoded (RFC 9113 §4.3)",
                    block.start,
                );
            } else {
                self.block = Some(block);
            }
            return false;
        };
        if !end {
            block.bytes.extend_from_slice(part);
            self.block = Some(block);
            return false;
        }
        let read = if block.bytes.is_empty() {
            self.hpack.decode(part, &mut self.fields)
        } else {
            block.bytes.extend_from_slice(part);
            self.hpack.decode(&block.bytes, &mut self.fields)
        };
        let (code, message) = match read {
            Ok(()) => {
                if let Some(message) = message::fault(&self.fields) {
                    sink(Item::Error { code: "PROTOCOL_ERROR", message, at: block.start });
                }
                return true;
            }
            Err(Fault::Malformed(why)) => ("COMPRESSION_ERROR", why),
            Err(Fault::Lost) => (
                "COMPRESSION_ERROR",
                "the header block cannot be decoded: an earlier one was not, and they share a table (RFC 9113 §4.3)".into(),
            ),
            Err(Fault::TooLong) => (
                "ENHANCE_YOUR_CALM",
                format!("the decoded fields are more than the {} bytes that are kept (RFC 9113 §10.5.1)", self.limits.head),
            ),
        };
        sink(Item::Error { code, message, at: block.start });
        false
    }

    /// Rules for the contents of small payloads.
    fn check_payload(&self, open: &Open, payload: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        let number = |at: usize| payload.get(at..).and_then(|rest| rest.first_chunk()).map(|&four| u32::from_be_bytes(four) & 0x7fff_ffff);
        match open.kind {
            WINDOW_UPDATE if number(0) == Some(0) => {
                error(sink, "PROTOCOL_ERROR", "the window must grow by 1 at least (RFC 9113 §6.9)", open.start);
            }
            PUSH_PROMISE => {
                let promised = number(usize::from(open.flags & FLAG_PADDED != 0)).unwrap_or(0);
                if promised == 0 || promised % 2 == 1 {
                    let message = format!("a promised stream has an even identifier, not {promised} (RFC 9113 §5.1.1, §6.6)");
                    sink(Item::Error { code: "PROTOCOL_ERROR", message, at: open.start });
                }
            }
            SETTINGS => {
                for (n, (id, name, value)) in settings(payload).enumerate() {
                    let (code, rule) = match id {
                        2 if value > 1 => ("PROTOCOL_ERROR", "must be 0 or 1 (RFC 9113 §6.5.2)"),
                        2 if value == 1 && self.side == Side::Server => ("PROTOCOL_ERROR", "must not be 1 from a server (RFC 9113 §6.5.2)"),
                        4 if value > 0x7fff_ffff => ("FLOW_CONTROL_ERROR", "must be below 2^31 (RFC 9113 §6.5.2)"),
                        5 if !(DEFAULT_FRAME_SIZE..=MAX_FRAME_SIZE).contains(&value) => {
                            ("PROTOCOL_ERROR", "must lie in 2^14..2^24 (RFC 9113 §6.5.2)")
                        }
                        8 if value > 1 => ("PROTOCOL_ERROR", "must be 0 or 1 (RFC 8441 §3)"),
                        _ => continue,
                    };
                    let at = open.start + (HEADER + 6 * n) as u64;
                    sink(Item::Error { code, message: format!("{name} is {value}, but {rule}"), at });
                }
            }
            _ => {}
        }
    }
}

fn error(sink: &mut impl FnMut(Item<'_>), code: &'static str, message: &str, at: u64) {
    sink(Item::Error { code, message: message.into(), at });
}
