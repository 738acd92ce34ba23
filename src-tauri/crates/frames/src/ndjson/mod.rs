//! Newline-delimited JSON: one value a line (<https://github.com/ndjson/ndjson-spec>, JSON Lines).

#[cfg(test)]
mod tests;

use memchr::memchr;

use crate::{Limits, Span, json};

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
        /// The line (`span`) was longer than [`Limits::unit`].
        oversized: bool,
    },
    /// A line of nothing but blanks (space, tab, CR). An unterminated last line of blanks is one too: nothing is lost with it.
    Blank {
        /// The line with its line end.
        span: Span,
    },
    /// An unterminated last line that is not a whole JSON value, or is too long to tell.
    Incomplete {
        /// What is there of it.
        span: Span,
    },
}

/// Bytes that the carry buffer keeps for the next line; what a longer line needed is given back.
const KEPT: usize = 64 << 10;

/// The NDJSON dissector.
#[derive(Debug, Default)]
pub struct Dissector {
    limits: Limits,
    /// Stream offset of the next byte to come.
    offset: u64,
    /// Stream offset of the unfinished line.
    line_start: u64,
    /// Where the unfinished line has something other than blanks: first byte, and behind the last.
    solid: Option<(u64, u64)>,
    /// The unfinished line as far as earlier pushes brought it; empty once it is too long.
    carry: Vec<u8>,
}

impl Dissector {
    /// A dissector at the start of a stream.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Takes the next bytes of the stream and tells the sink every item they complete.
    pub fn push(&mut self, mut bytes: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        while let Some(length) = memchr(b'\n', bytes) {
            let (line, rest) = bytes.split_at(length + 1);
            let whole = self.line_start == self.offset;
            self.measure(&line[..length]);
            if !whole {
                self.keep(line);
            }
            self.offset += line.len() as u64;
            let carry = std::mem::take(&mut self.carry);
            self.tell(if whole { line } else { &carry }, true, sink);
            self.begin(carry);
            bytes = rest;
        }
        self.measure(bytes);
        self.keep(bytes);
        self.offset += bytes.len() as u64;
    }

    /// Tells the unterminated last line, if any.
    pub fn finish(&mut self, sink: &mut impl FnMut(Item<'_>)) {
        let span = Span::new(self.line_start, self.offset);
        if span.is_empty() {
            return;
        }
        let carry = std::mem::take(&mut self.carry);
        let whole = match self.solid {
            None => true,
            Some(_) => !self.oversized(span) && json::is_value(&carry),
        };
        if whole {
            self.tell(&carry, false, sink);
        } else {
            sink(Item::Incomplete { span });
        }
        self.begin(Vec::new());
    }

    /// Tells the line that ends at `self.offset` and whose bytes are `line`, unless it is oversized.
    fn tell(&self, line: &[u8], terminated: bool, sink: &mut impl FnMut(Item<'_>)) {
        let span = Span::new(self.line_start, self.offset);
        let Some((start, end)) = self.solid else {
            return sink(Item::Blank { span });
        };
        let oversized = self.oversized(span);
        let bytes = if oversized { &[] } else { &line[(start - span.start) as usize..(end - span.start) as usize] };
        sink(Item::Line { span, data: Span::new(start, end), bytes, terminated, oversized });
    }

    fn oversized(&self, span: Span) -> bool {
        span.len() > self.limits.unit as u64
    }

    /// The next line begins here; `carry` is used again for it.
    fn begin(&mut self, mut carry: Vec<u8>) {
        carry.clear();
        carry.shrink_to(KEPT);
        self.carry = carry;
        self.line_start = self.offset;
        self.solid = None;
    }

    /// Notes where the next piece of the line, at `self.offset`, has something other than blanks.
    fn measure(&mut self, piece: &[u8]) {
        let Some(last) = piece.iter().rposition(solid) else { return };
        let end = self.offset + last as u64 + 1;
        let start = match self.solid {
            Some((start, _)) => start,
            None => self.offset + piece.iter().position(solid).unwrap_or(last) as u64,
        };
        self.solid = Some((start, end));
    }

    /// Keeps the next piece of the line, at `self.offset`, while the line is within the limit.
    fn keep(&mut self, piece: &[u8]) {
        if self.offset - self.line_start + piece.len() as u64 > self.limits.unit as u64 {
            self.carry = Vec::new();
        } else {
            self.carry.extend_from_slice(piece);
        }
    }
}

fn solid(byte: &u8) -> bool {
    !matches!(byte, b' ' | b'\t' | b'\r')
}
