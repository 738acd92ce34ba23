//! WebSocket frames and messages (RFC 6455), permessage-deflate (RFC 7692), and the opening handshake's accept key.

use std::borrow::Cow;

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
    /// The payload unmasked (still compressed, if it is); empty where it is over [`Limits::unit`].
    pub payload: &'a [u8],
    /// Close code, on a close frame that has one.
    pub close_code: Option<u16>,
    /// Close reason, ill-formed UTF-8 replaced.
    pub close_reason: Option<Cow<'a, str>>,
    /// Stands behind an error that would have failed the connection.
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
        /// The payload, unmasked and inflated; empty where `oversized`.
        data: &'a [u8],
        /// Bytes on the wire before inflating, where the message was compressed.
        deflated: Option<u64>,
        /// Longer than [`Limits::unit`]: not gathered.
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
    #[allow(dead_code)]
    limits: Limits,
}

impl Dissector {
    /// A dissector for the bytes that `side` sent. `extensions` is the agreed value of `Sec-WebSocket-Extensions`, or "".
    pub fn new(_side: Side, _extensions: &str, limits: Limits) -> Self {
        Self { limits }
    }

    /// Takes the next bytes and tells the sink every item they complete.
    pub fn push(&mut self, _bytes: &[u8], _sink: &mut impl FnMut(Item<'_>)) {}

    /// Tells what the end of input cut off.
    pub fn finish(&mut self, _sink: &mut impl FnMut(Item<'_>)) {}
}

/// `Sec-WebSocket-Accept` for a client's `Sec-WebSocket-Key` (RFC 6455 §4.2.2).
pub fn accept_key(_key: &[u8]) -> String {
    String::new()
}
