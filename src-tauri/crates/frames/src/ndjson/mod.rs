//! Newline-delimited JSON: one value a line (https://github.com/ndjson/ndjson-spec, JSON Lines).

use crate::{Limits, Span};

/// One thing found in an NDJSON stream.
#[derive(Clone, Debug, PartialEq)]
pub enum Item<'a> {
    /// A line with something on it. The last line may lack its line end (`terminated` false): NDJSON streams end so.
    Line {
        /// The line with its line end (LF or CRLF).
        span: Span,
        /// The line without its line end and without the surrounding blanks.
        data: Span,
        /// The bytes of `data`; empty where the line was longer than [`Limits::unit`].
        bytes: &'a [u8],
        /// A line end was seen.
        terminated: bool,
        /// The line was longer than [`Limits::unit`].
        oversized: bool,
    },
    /// A line of nothing but blanks.
    Blank {
        /// The line with its line end.
        span: Span,
    },
    /// An unterminated last line that is not a whole JSON value.
    Incomplete {
        /// What is there of it.
        span: Span,
    },
}

/// The NDJSON dissector.
#[derive(Debug, Default)]
pub struct Dissector {
    #[allow(dead_code)]
    limits: Limits,
}

impl Dissector {
    /// A dissector at the start of a stream.
    pub fn new(limits: Limits) -> Self {
        Self { limits }
    }

    /// Takes the next bytes of the stream and tells the sink every item they complete.
    pub fn push(&mut self, _bytes: &[u8], _sink: &mut impl FnMut(Item<'_>)) {}

    /// Tells the unterminated last line, if any.
    pub fn finish(&mut self, _sink: &mut impl FnMut(Item<'_>)) {}
}
