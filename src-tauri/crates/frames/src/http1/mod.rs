//! HTTP/1.1 messages (RFC 9112): heads, chunks, lengths, trailers, one after another on a connection.
//!
//! Two kinds of fault: where the next border is still known, dissection goes on behind the [`Item::Error`]; where
//! it is not (a chunk size that is no number, two lengths that differ), that error is the last item, and
//! [`Dissector::lost`] tells which bytes nobody can frame any more.
//!
//! The module's parts: [`section`] reads start line and field lines, [`framing`] decides where a body ends,
//! [`chunk`] reads chunk lines, and [`dissector`] walks the connection.

mod chunk;
mod dissector;
mod framing;
mod section;
#[cfg(test)]
mod tests;

pub use self::dissector::Dissector;
use crate::Span;

/// Whose bytes are dissected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Requests, as a client sends them.
    Client,
    /// Responses, as a server sends them.
    Server,
}

/// A field line.
#[derive(Clone, Debug, PartialEq)]
pub struct Header<'a> {
    /// Field name as sent.
    pub name: &'a [u8],
    /// Field value without surrounding blanks. Line folding is replaced by spaces, as §5.2 asks; a warning tells of it.
    pub value: &'a [u8],
    /// The whole line without its line end.
    pub span: Span,
}

/// A start line and its fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Head<'a> {
    /// From the start line to the blank line, line ends included.
    pub span: Span,
    /// Status code of a response, 0 for a request.
    pub status: u16,
    /// Reason phrase of a response, method of a request.
    pub word: &'a [u8],
    /// Request target; empty for a response.
    pub target: &'a [u8],
    /// HTTP minor version: 0 or 1.
    pub minor: u8,
    /// Field lines in order.
    pub headers: &'a [Header<'a>],
}

/// One thing found on the connection.
#[derive(Clone, Debug, PartialEq)]
pub enum Item<'a> {
    /// A head is complete. 1xx heads are told too, each with its own [`Item::End`]; after 101 (or a 2xx answer to CONNECT)
    /// everything is [`Item::Upgraded`].
    Head(Head<'a>),
    /// Payload of the body as it arrives: never empty, never gathered.
    Data {
        /// Where it stands in the connection.
        span: Span,
        /// The payload.
        bytes: &'a [u8],
    },
    /// A chunk whose data and line end are complete.
    Chunk {
        /// Size line, data and closing line end.
        span: Span,
        /// The data alone.
        data: Span,
        /// What follows the size on its line, from the `;` on.
        extension: &'a [u8],
    },
    /// The zero-size chunk's line.
    LastChunk {
        /// The line.
        span: Span,
    },
    /// The trailer section, also when it is empty.
    Trailers {
        /// The section with its blank line.
        span: Span,
        /// Field lines in order.
        headers: &'a [Header<'a>],
    },
    /// A body delimited by Content-Length (also 0) or by the end of the connection is complete.
    Body {
        /// The body; equals its data.
        span: Span,
    },
    /// The message is complete; the next head may follow. An interim (1xx) response is a message, too.
    End {
        /// Offset behind the message.
        at: u64,
    },
    /// Bytes after a protocol switch: they belong to another dissector.
    Upgraded {
        /// Where they stand.
        span: Span,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// The framing is faulty by RFC 9112.
    Error {
        /// Short stable code, e.g. `bad-chunk-size`.
        code: &'static str,
        /// What rule was broken, with its section.
        message: String,
        /// Where.
        at: u64,
    },
    /// Legal, but suspicious.
    Warning {
        /// Short stable code, e.g. `te-and-cl`.
        code: &'static str,
        /// Why, with its section.
        message: String,
        /// Where.
        at: u64,
    },
    /// The input ended inside a message.
    Incomplete {
        /// From the start of the unfinished unit (head, chunk, body, trailers) to the end of input; empty where a chunked
        /// message ends between two units.
        span: Span,
    },
}
