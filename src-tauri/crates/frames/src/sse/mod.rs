//! Server-sent events, to the letter of WHATWG HTML §9.2.

use std::borrow::Cow;

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
        /// Text after the colon, ill-formed UTF-8 replaced.
        text: Cow<'a, str>,
    },
    /// A valid `retry` field; takes effect at once.
    Retry {
        /// The line with its line end.
        span: Span,
        /// Reconnection time in milliseconds, saturated at `u64::MAX`.
        ms: u64,
    },
    /// A block with fields that ended in a blank line but dispatches nothing (no data): id-only, event-only.
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
    /// The values of the `data` fields, in order: the lines that `data` joins with LF.
    pub lines: &'a [Span],
    /// The last event id when this event was dispatched.
    pub id: &'a str,
    /// The block was longer than [`Limits::unit`], so `data` was not gathered.
    pub oversized: bool,
}

/// The SSE dissector.
#[derive(Debug, Default)]
pub struct Dissector {
    #[allow(dead_code)]
    limits: Limits,
}

impl Dissector {
    /// A dissector at the start of a stream, with the last event id that an earlier connection left (or "").
    pub fn new(limits: Limits, _last_event_id: &str) -> Self {
        Self { limits }
    }

    /// Takes the next bytes of the stream and tells the sink every item they complete.
    pub fn push(&mut self, _bytes: &[u8], _sink: &mut impl FnMut(Item<'_>)) {}

    /// Tells what the end of input cut off.
    pub fn finish(&mut self, _sink: &mut impl FnMut(Item<'_>)) {}
}
