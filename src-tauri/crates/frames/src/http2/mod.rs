//! HTTP/2 frames (RFC 9113) of one direction, header blocks decoded by HPACK (RFC 7541).

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
    /// The fields, on the frame that ends a header block (END_HEADERS).
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
    /// A rule of RFC 9113 (or 7541) was broken.
    Error {
        /// The error code's name by RFC 9113 §7, e.g. `PROTOCOL_ERROR`.
        code: &'static str,
        /// Which rule, with its section.
        message: String,
        /// Where.
        at: u64,
    },
    /// The input ended inside a frame.
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
    #[allow(dead_code)]
    limits: Limits,
}

impl Dissector {
    /// A dissector at the first byte of a connection's direction.
    pub fn new(_side: Side, limits: Limits) -> Self {
        Self { limits }
    }

    /// Takes the next bytes and tells the sink every item they complete.
    pub fn push(&mut self, _bytes: &[u8], _sink: &mut impl FnMut(Item<'_>)) {}

    /// Tells what the end of the connection cut off.
    pub fn finish(&mut self, _sink: &mut impl FnMut(Item<'_>)) {}
}
