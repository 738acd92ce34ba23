//! WebSocket frames and messages (RFC 6455), permessage-deflate (RFC 7692), and the opening handshake's accept key.

mod close;
pub mod deflate;
mod encode;
mod extension;
mod header;
mod inflate;
mod mask;
pub mod rewrite;
#[cfg(test)]
mod tests;
mod utf8;

use std::borrow::Cow;

use base64::Engine;
use sha1::{Digest, Sha1};

pub use self::encode::Encoder;
use self::extension::Agreed;
use self::header::Header;
use self::utf8::Utf8;
use crate::{Limits, Span};

/// Whose bytes are dissected.
pub use crate::http1::Side;

/// One frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame<'a> {
    /// Header and payload.
    pub span: Span,
    /// FIN bit.
    pub fin: bool,
    /// RSV1..3 as a number, RSV1 = 4.
    pub rsv: u8,
    /// Opcode, 0..=15.
    pub opcode: u8,
    /// The masking key, where the MASK bit is set.
    pub mask: Option<[u8; 4]>,
    /// Bytes of the header: 2..=14.
    pub header_len: u8,
    /// Payload length as announced and arrived.
    pub payload_len: u64,
    /// The payload unmasked (still compressed, if it is); empty where it is over [`Limits::unit`] (control
    /// frames of legal length are always whole).
    pub payload: &'a [u8],
    /// Close code, on a close frame that has one.
    pub close_code: Option<u16>,
    /// Close reason, ill-formed UTF-8 replaced.
    pub close_reason: Option<Cow<'a, str>>,
    /// Stands behind an error that would have failed the connection. A frame's own errors are told before it, so
    /// they count.
    pub after_error: bool,
}

/// One thing found on the connection.
#[derive(Clone, Debug, PartialEq)]
pub enum Item<'a> {
    /// A frame is complete.
    Frame(Frame<'a>),
    /// A text or binary message is complete. Told after its last frame.
    Message {
        /// From its first frame's header to its last frame's end (interleaved control frames lie inside).
        span: Span,
        /// 1 text, 2 binary.
        opcode: u8,
        /// Number of data frames.
        frames: u32,
        /// The payload, unmasked and inflated; empty where `oversized`. Where it could not be inflated, what could.
        data: &'a [u8],
        /// Bytes on the wire before inflating, where the message was compressed.
        deflated: Option<u64>,
        /// Longer than [`Limits::unit`], inflated or as one frame on the wire: not gathered.
        oversized: bool,
        /// Stands behind an error that would have failed the connection.
        after_error: bool,
    },
    /// A conforming endpoint must fail the connection here.
    Error {
        /// Short stable code, e.g. `masked-server-frame`.
        code: &'static str,
        /// Which rule, with its section.
        message: String,
        /// Where.
        at: u64,
    },
    /// A conforming endpoint may go on.
    Warning {
        /// Short stable code, e.g. `non-minimal-length`.
        code: &'static str,
        /// Which rule, with its section.
        message: String,
        /// Where.
        at: u64,
    },
    /// The input ended inside a frame or a fragmented message.
    Incomplete {
        /// What is there of it.
        span: Span,
    },
}

/// The WebSocket dissector of one direction, from the first byte after the handshake.
#[derive(Debug)]
pub struct Dissector {
    side: Side,
    limits: Limits,
    agreed: Agreed,
    /// Offset of the next byte.
    at: u64,
    /// The first `header_have` bytes of a header that is not complete.
    header: [u8; header::MAX],
    header_have: usize,
    /// The frame whose payload is being read.
    open: Option<Open>,
    /// Payload of the open frame, where it did not come in one piece or is masked.
    payload: Vec<u8>,
    /// The message whose last frame did not come yet.
    message: Option<Message>,
    /// Payload of the open message, where it is not simply its only frame's.
    data: Vec<u8>,
    /// An error was told.
    failed: bool,
    /// A close frame came.
    closed: bool,
    /// Bytes behind the close frame were told.
    trailing: bool,
    /// Where a frame starts whose end cannot be known.
    lost: Option<u64>,
}

/// A frame whose header is complete.
#[derive(Debug)]
struct Open {
    start: u64,
    header: Header,
    /// Bytes of the payload so far.
    have: u64,
    /// Is part of the open message.
    of_message: bool,
    /// The payload is kept until the frame ends.
    gather: bool,
    /// What was wrong in the payload of a frame that is not gathered.
    fault: Option<Fault>,
}

/// A message that has begun.
#[derive(Debug)]
struct Message {
    start: u64,
    opcode: u8,
    frames: u32,
    /// Payload bytes on the wire.
    wire: u64,
    compressed: bool,
    /// Its compressed data turned out unreadable.
    unreadable: bool,
    oversized: bool,
    /// The payload is nothing but what stands for one that was not kept.
    blank: bool,
    /// It inflates to nothing but stars, and to some.
    stars: Option<bool>,
    /// Set while a text is well-formed so far.
    utf8: Option<Utf8>,
}

/// What can be wrong in the payload of a data frame.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Ill-formed UTF-8, starting here.
    Utf8(u64),
    /// The compressed data cannot be inflated.
    Inflate,
}

/// Keeps a large buffer from being held for the rest of the connection.
const KEPT_BUFFER: usize = 1 << 20;

/// Longest payload of a control frame (RFC 6455 §5.5).
const MAX_CONTROL: u64 = 125;

impl Dissector {
    /// A dissector for the bytes that `side` sent. `extensions` is the agreed value of `Sec-WebSocket-Extensions`, or "".
    pub fn new(side: Side, extensions: &str, limits: Limits) -> Self {
        Self {
            side,
            limits,
            agreed: Agreed::parse(extensions, side),
            at: 0,
            header: [0; header::MAX],
            header_have: 0,
            open: None,
            payload: Vec::new(),
            message: None,
            data: Vec::new(),
            failed: false,
            closed: false,
            trailing: false,
            lost: None,
        }
    }

    /// Where no message is open and permessage-deflate was agreed: the next byte's offset, and what the next compressed message may
    /// refer to. [`Dissector::resumed`] goes on from there.
    pub fn border(&self) -> Option<(u64, &[u8])> {
        let between = self.open.is_none() && self.header_have == 0 && self.message.is_none() && self.lost.is_none();
        let inflate = self.agreed.inflate.as_ref().filter(|_| between)?;
        Some((self.at, inflate.window()?))
    }

    /// As [`Dissector::new`], behind a [`Dissector::border`] with this window: offsets count from there.
    pub fn resumed(side: Side, extensions: &str, limits: Limits, window: &[u8]) -> Self {
        let mut dissector = Self::new(side, extensions, limits);
        if let Some(inflate) = &mut dissector.agreed.inflate {
            inflate.resume(window);
        }
        dissector
    }

    /// Takes the next bytes and tells the sink every item they complete.
    pub fn push(&mut self, mut bytes: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        while !bytes.is_empty() {
            if self.lost.is_some() {
                self.at += bytes.len() as u64;
                return;
            }
            bytes = match self.open.take() {
                None => self.read_header(bytes, sink),
                Some(open) => self.read_payload(open, bytes, sink),
            };
        }
    }

    /// Tells what the end of input cut off.
    pub fn finish(&mut self, sink: &mut impl FnMut(Item<'_>)) {
        let frame = self.open.take().map(|open| open.start);
        let header = (self.header_have > 0).then(|| self.at - self.header_have as u64);
        self.header_have = 0;
        let message = self.message.take().map(|message| message.start);
        let start = [message, frame, header, self.lost.take()].into_iter().flatten().min();
        if let Some(start) = start {
            sink(Item::Incomplete { span: Span::new(start, self.at) });
        }
        self.payload = Vec::new();
        self.data = Vec::new();
    }

    /// Reads a header, or what is there of it, and returns what follows.
    fn read_header<'a>(&mut self, mut bytes: &'a [u8], sink: &mut impl FnMut(Item<'_>)) -> &'a [u8] {
        if self.header_have == 0 {
            self.before_frame(sink);
        }
        let header = if self.header_have == 0 && bytes.len() >= header::MAX {
            let header = Header::parse(bytes);
            bytes = &bytes[header.header_len as usize..];
            self.at += u64::from(header.header_len);
            header
        } else {
            loop {
                let need = header::needed(&self.header[..self.header_have]);
                if need == self.header_have {
                    break;
                }
                let take = bytes.len().min(need - self.header_have);
                if take == 0 {
                    return bytes;
                }
                self.header[self.header_have..self.header_have + take].copy_from_slice(&bytes[..take]);
                self.header_have += take;
                self.at += take as u64;
                bytes = &bytes[take..];
            }
            self.header_have = 0;
            Header::parse(&self.header)
        };
        self.begin_frame(header, sink);
        match self.open.take() {
            Some(open) if open.header.len == 0 => self.complete(open, &[], sink),
            open => self.open = open,
        }
        bytes
    }

    /// Reads payload of the open frame and returns what follows.
    fn read_payload<'a>(&mut self, mut open: Open, bytes: &'a [u8], sink: &mut impl FnMut(Item<'_>)) -> &'a [u8] {
        let take = (open.header.len - open.have).min(bytes.len() as u64) as usize;
        let (piece, rest) = bytes.split_at(take);
        let phase = open.have;
        open.have += take as u64;
        self.at += take as u64;
        let whole = take as u64 == open.header.len;
        match open.header.mask {
            None if whole && open.gather => {
                self.complete(open, piece, sink);
                return rest;
            }
            None if open.gather => self.payload.extend_from_slice(piece),
            Some(key) if open.gather => mask::append(&mut self.payload, piece, key, phase),
            _ => self.skim(&mut open, piece, phase),
        }
        if open.have == open.header.len {
            let mut payload = std::mem::take(&mut self.payload);
            self.complete(open, &payload, sink);
            payload.clear();
            if payload.capacity() <= KEPT_BUFFER {
                self.payload = payload;
            }
        } else {
            self.open = Some(open);
        }
        rest
    }

    /// Reads payload of a frame that is too long to be gathered, for the sake of the checks and the window.
    fn skim(&mut self, open: &mut Open, piece: &[u8], phase: u64) {
        if !open.of_message {
            return;
        }
        let mut at = open.start + u64::from(open.header.header_len) + phase;
        let mut unmasked = Vec::new();
        for piece in piece.chunks(64 << 10) {
            let piece = match open.header.mask {
                None => piece,
                Some(key) => {
                    unmasked.clear();
                    mask::append(&mut unmasked, piece, key, at - open.start - u64::from(open.header.header_len));
                    &unmasked
                }
            };
            let fault = self.absorb(piece, at, false);
            open.fault = worse(open.fault, fault);
            at += piece.len() as u64;
        }
    }

    /// What is wrong before the frame whose first byte has come.
    fn before_frame(&mut self, sink: &mut impl FnMut(Item<'_>)) {
        if self.at == 0
            && let Some(why) = self.agreed.fault.take()
        {
            self.fail(sink, "extensions", why, 0);
        }
        if self.closed && !self.trailing {
            self.trailing = true;
            self.fail(sink, "data-after-close", "nothing may follow a close frame (RFC 6455 §5.5.1)".into(), self.at);
        }
    }

    /// Checks a header and opens its frame.
    fn begin_frame(&mut self, header: Header, sink: &mut impl FnMut(Item<'_>)) {
        let start = self.at - u64::from(header.header_len);
        if header.len > i64::MAX as u64 {
            let why = format!(
                "the top bit of a 64-bit length must be 0 (RFC 6455 §5.2), the length is {:#x}: the frame's end is unknown",
                header.len
            );
            self.fail(sink, "length", why, start + 2);
            self.lost = Some(start);
            return;
        }
        self.check_header(&header, start, sink);
        let of_message = self.place_in_message(&header, start, sink);
        let bound = if header.is_control() { MAX_CONTROL.max(self.limits.unit as u64) } else { self.limits.unit as u64 };
        self.open = Some(Open { start, header, have: 0, of_message, gather: header.len <= bound, fault: None });
    }

    /// Rules that concern the header alone.
    fn check_header(&mut self, header: &Header, start: u64, sink: &mut impl FnMut(Item<'_>)) {
        let explained = if self.agreed.inflate.is_some() && matches!(header.opcode, 1 | 2) { header::RSV1 } else { 0 };
        if header.rsv & !explained != 0 {
            if self.agreed.foreign {
                let message = format!("reserved bits {:#05b} may belong to an extension that is not read here (RFC 6455 §5.2)", header.rsv);
                sink(Item::Warning { code: "rsv", message, at: start });
            } else if header.rsv & !explained == header::RSV1 && self.agreed.inflate.is_some() {
                let why = "RSV1 marks only the first frame of a compressed message (RFC 7692 §6, §7.2.3)".into();
                self.fail(sink, "rsv", why, start);
            } else {
                let why = format!("reserved bits {:#05b} without an extension that gives them a meaning (RFC 6455 §5.2)", header.rsv);
                self.fail(sink, "rsv", why, start);
            }
        }
        if header.is_reserved() {
            self.fail(sink, "reserved-opcode", format!("opcode {:#x} is reserved (RFC 6455 §5.2)", header.opcode), start);
        }
        match (self.side, header.mask) {
            (Side::Server, Some(_)) => self.fail(sink, "masked-server-frame", "a server must not mask (RFC 6455 §5.1)".into(), start + 1),
            (Side::Client, None) => self.fail(sink, "unmasked-client-frame", "a client must mask (RFC 6455 §5.1)".into(), start + 1),
            _ => {}
        }
        if !header.is_minimal() {
            let message = format!("length {} is not written in its shortest form (RFC 6455 §5.2)", header.len);
            sink(Item::Warning { code: "non-minimal-length", message, at: start + 1 });
        }
        if header.is_control() {
            if !header.fin {
                self.fail(sink, "fragmented-control", "control frames must not be fragmented (RFC 6455 §5.5)".into(), start);
            }
            if header.len > MAX_CONTROL {
                let why = format!("a control frame's payload must not exceed 125 bytes (RFC 6455 §5.5), this one has {}", header.len);
                self.fail(sink, "control-too-long", why, start + 1);
            }
        }
    }

    /// Opens or continues the message the frame belongs to, if it belongs to one.
    fn place_in_message(&mut self, header: &Header, start: u64, sink: &mut impl FnMut(Item<'_>)) -> bool {
        match header.opcode {
            0 if self.message.is_none() => {
                let why = "a continuation frame needs a message to continue (RFC 6455 §5.4)".into();
                self.fail(sink, "unexpected-continuation", why, start);
                return false;
            }
            0 => {}
            1 | 2 => {
                if let Some(unfinished) = self.message.take() {
                    let why = format!("a new message must not begin while the one at {} is unfinished (RFC 6455 §5.4)", unfinished.start);
                    self.fail(sink, "unfinished-message", why, start);
                    self.data.clear();
                }
                let mut message = Message {
                    start,
                    opcode: header.opcode,
                    frames: 0,
                    wire: 0,
                    compressed: false,
                    unreadable: false,
                    oversized: false,
                    blank: true,
                    stars: None,
                    // Bits that nothing explains may mean that this is not yet text.
                    utf8: (header.opcode == 1 && header.rsv & !header::RSV1 == 0).then(Utf8::default),
                };
                if header.rsv & header::RSV1 != 0 {
                    match &mut self.agreed.inflate {
                        None => message.utf8 = None,
                        Some(inflate) => {
                            message.compressed = true;
                            message.unreadable = inflate.begin().is_err();
                        }
                    }
                }
                let unreadable = message.unreadable;
                self.message = Some(message);
                if unreadable {
                    let why = "this message needs the window of an earlier one that could not be inflated (RFC 7692 §7.2.2)".into();
                    self.fail(sink, "inflate", why, start);
                }
            }
            _ => return false,
        }
        if let Some(message) = &mut self.message {
            message.frames = message.frames.saturating_add(1);
            message.wire = message.wire.saturating_add(header.len);
            // Of a frame that is not gathered nothing is kept, even if it should inflate to less.
            let gathered = if message.compressed { header.len } else { message.wire };
            if gathered > self.limits.unit as u64 {
                message.oversized = true;
                self.data = Vec::new();
            }
        }
        true
    }

    /// Takes payload into the open message. `at` is where it stands; `keep` says whether it may be needed when
    /// the message ends.
    fn absorb(&mut self, piece: &[u8], at: u64, keep: bool) -> Option<Fault> {
        let message = self.message.as_mut()?;
        if !message.compressed {
            if keep && !message.oversized {
                self.data.extend_from_slice(piece);
            }
            return message.check_text(piece, at).err();
        }
        message.blank &= piece.iter().all(|byte| *byte == rewrite::BLANK);
        if message.unreadable {
            return None;
        }
        let inflate = self.agreed.inflate.as_mut()?;
        let (data, limit, mut fault) = (&mut self.data, self.limits.unit, None);
        let read = inflate.feed(piece, &mut |out| fault = worse(fault, message.take_inflated(out, data, limit)));
        if read.is_err() {
            message.unreadable = true;
            message.utf8 = None;
            fault = Some(Fault::Inflate);
        }
        fault
    }

    /// Takes the end of the open message.
    fn end_message(&mut self) -> Option<Fault> {
        let message = self.message.as_mut()?;
        let mut fault = None;
        if message.compressed && !message.unreadable {
            let inflate = self.agreed.inflate.as_mut()?;
            let (data, limit) = (&mut self.data, self.limits.unit);
            let read = inflate.end(&mut |out| fault = worse(fault, message.take_inflated(out, data, limit)));
            if read.is_err() {
                message.unreadable = true;
                message.utf8 = None;
                return Some(Fault::Inflate);
            }
        }
        let broken_off = message.utf8.take().and_then(|utf8| utf8.finish().err()).map(Fault::Utf8);
        worse(fault, broken_off)
    }

    /// Tells a frame whose payload is complete, and the message it ends.
    fn complete(&mut self, open: Open, payload: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        let Open { start, header, of_message, gather, mut fault, .. } = open;
        let span = Span::new(start, self.at);
        let payload_at = start + u64::from(header.header_len);
        if of_message {
            if gather {
                // A message of one plain frame is handed on where it stands.
                let only = header.fin && self.message.as_ref().is_some_and(|message| message.frames == 1);
                fault = worse(fault, self.absorb(payload, payload_at, !only));
            }
            if header.fin {
                fault = worse(fault, self.end_message());
            }
            match fault {
                Some(Fault::Utf8(at)) => {
                    // Positions in inflated text have no place on the wire.
                    let compressed = self.message.as_ref().is_some_and(|message| message.compressed);
                    let at = if compressed { start } else { at };
                    self.fail(sink, "utf-8", "the text is not well-formed UTF-8 (RFC 6455 §8.1)".into(), at);
                }
                Some(Fault::Inflate) if self.message.as_ref().is_some_and(|message| message.blank) => {
                    // Its own warning says why.
                    self.failed = true;
                }
                Some(Fault::Inflate) => {
                    self.fail(sink, "inflate", "the compressed data is not valid DEFLATE (RFC 7692 §7.2.2)".into(), start);
                }
                None => {}
            }
        }
        let mut close_code = None;
        let mut close_reason = None;
        if header.opcode == header::CLOSE {
            self.closed = true;
            close_code = close::code(payload);
            close_reason = close::reason(payload);
            if header.rsv == 0 {
                for (code, why, offset) in close::faults(payload) {
                    self.fail(sink, code, why, payload_at + offset);
                }
            }
        }
        sink(Item::Frame(Frame {
            span,
            fin: header.fin,
            rsv: header.rsv,
            opcode: header.opcode,
            mask: header.mask,
            header_len: header.header_len,
            payload_len: header.len,
            payload,
            close_code,
            close_reason,
            after_error: self.failed,
        }));
        if of_message && header.fin {
            self.tell_message(payload, sink);
        }
    }

    fn tell_message(&mut self, last_payload: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        let Some(message) = self.message.take() else { return };
        if message.compressed && message.wire > 0 {
            let why = match (message.unreadable && message.blank, !message.unreadable && message.stars == Some(true)) {
                (true, _) => Some(
                    "dots stand for this message: it could not be inflated (it is no DEFLATE, too long, or needs the window of such a \
                     message), so nobody could tell whether it holds a key, or it holds one that its length leaves no room to hide \
                     (RFC 7692 §7.2.2)",
                ),
                (_, true) => Some(
                    "stars stand for all of this message: it holds a key, and did not fit its length with stars for the key alone \
                     (RFC 7692 §7.2.1)",
                ),
                _ => None,
            };
            if let Some(why) = why {
                sink(Item::Warning { code: "redacted", message: why.into(), at: message.start });
            }
        }
        let data: &[u8] = if message.oversized {
            &[]
        } else if message.frames == 1 && !message.compressed {
            last_payload
        } else {
            &self.data
        };
        sink(Item::Message {
            span: Span::new(message.start, self.at),
            opcode: message.opcode,
            frames: message.frames,
            data,
            deflated: message.compressed.then_some(message.wire),
            oversized: message.oversized,
            after_error: self.failed,
        });
        self.data.clear();
        if self.data.capacity() > KEPT_BUFFER {
            self.data = Vec::new();
        }
    }

    fn fail(&mut self, sink: &mut impl FnMut(Item<'_>), code: &'static str, message: String, at: u64) {
        self.failed = true;
        sink(Item::Error { code, message, at });
    }
}

impl Message {
    /// Checks the next bytes of a text; tells of its first fault only.
    fn check_text(&mut self, piece: &[u8], at: u64) -> Result<(), Fault> {
        let Some(utf8) = &mut self.utf8 else { return Ok(()) };
        utf8.feed(piece, at).map_err(|at| {
            self.utf8 = None;
            Fault::Utf8(at)
        })
    }

    /// Keeps inflated bytes while they fit, and checks them.
    fn take_inflated(&mut self, out: &[u8], data: &mut Vec<u8>, limit: usize) -> Option<Fault> {
        self.stars = Some(self.stars.unwrap_or(true) && out.iter().all(|byte| *byte == rewrite::STAR));
        if !self.oversized {
            if limit - data.len() < out.len() {
                self.oversized = true;
                *data = Vec::new();
            } else {
                data.extend_from_slice(out);
            }
        }
        self.check_text(out, 0).err()
    }
}

/// The fault to tell of a frame. Unreadable data hides what its text looked like: how much of it comes out before
/// the decompressor gives up depends on how the input was cut.
fn worse(one: Option<Fault>, other: Option<Fault>) -> Option<Fault> {
    match (one, other) {
        (_, Some(Fault::Inflate)) | (None, _) => other,
        _ => one,
    }
}

/// `Sec-WebSocket-Accept` for a client's `Sec-WebSocket-Key` (RFC 6455 §4.2.2).
pub fn accept_key(key: &[u8]) -> String {
    let digest = Sha1::new().chain_update(key).chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11").finalize();
    base64::engine::general_purpose::STANDARD.encode(digest)
}
