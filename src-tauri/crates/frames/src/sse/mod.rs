//! Server-sent events, to the letter of WHATWG HTML §9.2.
//!
//! Where a CR stands, nobody can know yet whether its LF follows. The dissector settles it by what the stream
//! did before, so that neither spans nor items depend on how the input was cut:
//!
//! - The line end before this one was CRLF, or this is the first: the line waits for one more byte. An LF is
//!   part of the line's span; anything else (or [`Dissector::finish`]) ends the line on its CR.
//! - The line end before this one was a lone LF or CR: the line ends on its CR at once, so an event of a CR-only
//!   stream is told without waiting for the next one. Should an LF follow after all, it is swallowed and
//!   belongs to no item.
//!
//! The module's parts: [`line`] takes one line apart, [`block`] gathers fields until a blank line, and the
//! dissector here finds the lines.

mod block;
mod line;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use memchr::memchr2;

use self::block::{Block, Line};
use crate::{Limits, Span};

/// One thing found in an event stream. Spans are offsets in the pushed stream (a leading BOM counts).
#[derive(Clone, Debug, PartialEq)]
pub enum Item<'a> {
    /// A dispatched event.
    Event(Event<'a>),
    /// A line that starts with a colon; `text` is what follows the colon, minus one leading space.
    Comment {
        /// The line with its line end.
        span: Span,
        /// Text after the colon, ill-formed UTF-8 replaced; its first [`Limits::unit`] bytes if it is longer.
        text: Cow<'a, str>,
    },
    /// A valid `retry` field; takes effect at once.
    Retry {
        /// The line with its line end.
        span: Span,
        /// Reconnection time in milliseconds, saturated at `u64::MAX`.
        ms: u64,
    },
    /// A block with fields that ended in a blank line but dispatches nothing (no data): id-only, event-only, unknown
    /// fields. A block of nothing but valid `retry` fields is told by its [`Item::Retry`] alone.
    Silent {
        /// The block with its blank line.
        span: Span,
        /// The last event id after it.
        id: &'a str,
    },
    /// What the end of input cut off: never dispatched.
    Incomplete {
        /// From the first byte of the unfinished block or line to the end of input.
        span: Span,
    },
}

/// A dispatched event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event<'a> {
    /// From the first byte of the block's first field line to the end of the blank line.
    pub span: Span,
    /// The event type; `message` where the block names none.
    pub event: &'a str,
    /// The data buffer without its last LF, ill-formed UTF-8 replaced. Empty with `oversized` where the block was longer than
    /// [`Limits::unit`].
    pub data: Cow<'a, str>,
    /// The values of the `data` fields, in order: the lines that `data` joins with LF. Of an oversized block those
    /// that begin within its first [`Limits::unit`] bytes.
    pub lines: &'a [Span],
    /// The last event id when this event was dispatched.
    pub id: &'a str,
    /// The block was longer than [`Limits::unit`], so `data` was not gathered.
    pub oversized: bool,
}

/// How the last finished line ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LineEnd {
    /// No line has ended yet.
    None,
    Lf,
    Cr,
    CrLf,
}

/// What the first byte of the next push decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pending {
    Nothing,
    /// The last line was ended on its CR; an LF now is the rest of that line end.
    Swallow,
    /// A whole line with its CR waits to learn whether an LF belongs to it.
    Held,
}

/// The SSE dissector.
#[derive(Debug)]
pub struct Dissector {
    /// Bytes of a line that are kept: what a value may have, and room for the name before it.
    cap: usize,
    /// Stream offset of the next byte to come.
    offset: u64,
    /// Stream offset of the unfinished line.
    line_start: u64,
    /// The first `cap` bytes of the unfinished line, as far as earlier pushes brought them.
    carry: Vec<u8>,
    line_end: LineEnd,
    pending: Pending,
    block: Block,
}

impl Default for Dissector {
    fn default() -> Self {
        Self::new(Limits::default(), "")
    }
}

impl Dissector {
    /// A dissector at the start of a stream, with the last event id that an earlier connection left (or "").
    pub fn new(limits: Limits, last_event_id: &str) -> Self {
        Self {
            cap: limits.unit.saturating_add(line::NAME_ROOM),
            offset: 0,
            line_start: 0,
            carry: Vec::new(),
            line_end: LineEnd::None,
            pending: Pending::Nothing,
            block: Block::new(limits.unit, last_event_id),
        }
    }

    /// The last event id: what a reconnect sends as `Last-Event-ID`, if it is not empty.
    pub fn last_event_id(&self) -> &str {
        self.block.last_event_id()
    }

    /// Takes the next bytes of the stream and tells the sink every item they complete.
    pub fn push(&mut self, bytes: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        let Some(&first) = bytes.first() else { return };
        let base = self.offset;
        self.offset += bytes.len() as u64;
        let mut at = 0;

        match std::mem::replace(&mut self.pending, Pending::Nothing) {
            Pending::Nothing => {}
            Pending::Swallow => {
                if first == b'\n' {
                    self.line_end = LineEnd::CrLf;
                    at = 1;
                    self.line_start = base + 1;
                }
            }
            Pending::Held => {
                if first == b'\n' {
                    self.line_end = LineEnd::CrLf;
                    at = 1;
                } else {
                    self.line_end = LineEnd::Cr;
                }
                self.end_carried(base - 1, base + at as u64, sink);
            }
        }

        if self.line_start < base {
            let Some(length) = memchr2(b'\r', b'\n', bytes) else {
                return self.keep(bytes);
            };
            self.keep(&bytes[..length]);
            let Some(next) = self.settle(bytes, length) else { return };
            self.end_carried(base + length as u64, base + next.span as u64, sink);
            at = next.start;
            self.line_start = base + at as u64;
        }

        while let Some(length) = line_length(&bytes[at..]) {
            let end = at + length;
            let Some(next) = self.settle(bytes, end) else {
                self.keep(&bytes[at..end]);
                self.block.keep(bytes);
                return;
            };
            let shown = &bytes[at..at + length.min(self.cap)];
            let line = Line {
                start: self.line_start,
                content_end: base + end as u64,
                end: base + next.span as u64,
                bytes: shown,
                place: Some(at),
            };
            self.block.line(line, bytes, sink);
            at = next.start;
            self.line_start = base + at as u64;
        }
        self.keep(&bytes[at..]);
        self.block.keep(bytes);
    }

    /// Tells what the end of input cut off.
    pub fn finish(&mut self, sink: &mut impl FnMut(Item<'_>)) {
        if self.pending == Pending::Held {
            self.line_end = LineEnd::Cr;
            self.end_carried(self.offset - 1, self.offset, sink);
        }
        self.pending = Pending::Nothing;
        // A BOM is no line yet.
        let mut line_start = self.line_start;
        if line_start == 0 && self.carry.starts_with(line::BOM) {
            line_start = 3;
        }
        let start = self.block.cut().or((line_start < self.offset).then_some(line_start));
        if let Some(start) = start {
            sink(Item::Incomplete { span: Span::new(start, self.offset) });
        }
        self.block.abandon();
        self.carry = Vec::new();
        self.line_start = self.offset;
    }

    /// Settles the line end at `bytes[at]`: where the line's span ends and where the next line starts, or `None` where the
    /// line must wait for the next push.
    fn settle(&mut self, bytes: &[u8], at: usize) -> Option<Next> {
        if bytes[at] == b'\n' {
            self.line_end = LineEnd::Lf;
            return Some(Next { span: at + 1, start: at + 1 });
        }
        let waits = matches!(self.line_end, LineEnd::None | LineEnd::CrLf);
        match bytes.get(at + 1) {
            Some(b'\n') => {
                self.line_end = LineEnd::CrLf;
                Some(Next { span: at + 1 + usize::from(waits), start: at + 2 })
            }
            Some(_) => {
                self.line_end = LineEnd::Cr;
                Some(Next { span: at + 1, start: at + 1 })
            }
            None if waits => {
                self.pending = Pending::Held;
                None
            }
            None => {
                self.line_end = LineEnd::Cr;
                self.pending = Pending::Swallow;
                Some(Next { span: at + 1, start: at + 1 })
            }
        }
    }

    /// Keeps the next piece of the unfinished line.
    fn keep(&mut self, piece: &[u8]) {
        let room = self.cap.saturating_sub(self.carry.len());
        self.carry.extend_from_slice(&piece[..piece.len().min(room)]);
    }

    /// The kept line is whole: without its line end it reaches to `content_end`, with it to `end`.
    fn end_carried(&mut self, content_end: u64, end: u64, sink: &mut impl FnMut(Item<'_>)) {
        let line = Line { start: self.line_start, content_end, end, bytes: &self.carry, place: None };
        self.block.line(line, &[], sink);
        self.line_start = end;
        self.carry.clear();
        self.carry.shrink_to(block::KEPT);
    }
}

/// Offsets in the pushed slice behind a line end.
struct Next {
    span: usize,
    start: usize,
}

/// Bytes before the next line end; a blank line is seen without a search.
#[inline]
fn line_length(bytes: &[u8]) -> Option<usize> {
    match bytes.first() {
        Some(b'\n' | b'\r') => Some(0),
        Some(_) => memchr2(b'\r', b'\n', bytes),
        None => None,
    }
}
