//! Client lenses: the same bytes of an event stream, or of NDJSON, as other clients would have seen them.
//!
//! "My client drops events, why?" has its answer in how that client reads. Each lens is one such reading, rebuilt from the behaviour of
//! the client it names (the tests hold two of them against the clients themselves); [`Format::standard`] is Weir's own dissector.
//! [`first_difference`] tells where a lens leaves the standard, and which bytes made it.
//!
//! Some clients see the borders of the reads a body came in, so those belong to what is read. [`Lens::read`] reads a body that is there as
//! a whole; a [`Comparison`] takes it as it comes, however long it is.

mod block;
mod clients;
mod compare;
mod difference;
mod lines;
mod ndjson;
#[cfg(test)]
mod tests;
mod words;

pub use compare::{Body, Comparison, Found, Verdict};
pub use difference::{Difference, Kind, common, first_difference};

use crate::{Limits, Span};

/// What a body is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// An event stream.
    Sse,
    /// A JSON value a line.
    Ndjson,
}

impl Format {
    /// The ways to read it, the standard first.
    pub fn lenses(self) -> &'static [Lens] {
        match self {
            Self::Sse => &[
                Lens::Standard,
                Lens::EventsourceStream,
                Lens::SplitBlankLine,
                Lens::ChunkUtf8,
                Lens::SplitLines,
                Lens::FetchEventSource,
                Lens::OpenaiPython,
                Lens::Unterminated,
            ],
            Self::Ndjson => {
                &[Lens::Lines, Lens::SplitEachRead, Lens::ParseEachRead, Lens::LinesChunkUtf8, Lens::LinesSplitLines, Lens::LastLineLost]
            }
        }
    }

    /// The reading that the others are held against.
    pub fn standard(self) -> Lens {
        match self {
            Self::Sse => Lens::Standard,
            Self::Ndjson => Lens::Lines,
        }
    }

    /// The lens of this name.
    pub fn find(self, name: &str) -> Option<Lens> {
        self.lenses().iter().copied().find(|lens| lens.name() == name)
    }
}

/// A way to read a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lens {
    /// WHATWG HTML §9.2, to the letter.
    Standard,
    /// The Rust crate eventsource-stream 0.2.
    EventsourceStream,
    /// What many write by hand: `text.split("\n\n")`, and lines that start with `data:`.
    SplitBlankLine,
    /// A client that decodes each read as UTF-8 by itself.
    ChunkUtf8,
    /// A client that splits lines as Python's `str.splitlines` does: also at VT, FF, FS, GS, RS, NEL, U+2028 and U+2029
    /// (httpx `iter_lines`, on which httpx-sse stood before 0.4.2).
    SplitLines,
    /// @microsoft/fetch-event-source 2.0.1.
    FetchEventSource,
    /// openai-python, anthropic-python, cohere and httpx-sse.
    OpenaiPython,
    /// Clients that dispatch a last event without its blank line: openai-node 7, mistral, google-genai.
    Unterminated,
    /// NDJSON: lines end at LF, whatever reads they came in; the last one may lack it.
    Lines,
    /// NDJSON: `chunk.split("\n")` for each read, with nothing kept for the next.
    SplitEachRead,
    /// NDJSON: `JSON.parse(chunk)` for each read.
    ParseEachRead,
    /// NDJSON: each read is decoded as UTF-8 by itself.
    LinesChunkUtf8,
    /// NDJSON: lines split as Python's `str.splitlines` does (httpx `iter_lines`, on which ollama-python stands).
    LinesSplitLines,
    /// NDJSON: what stands behind the last LF is never looked at.
    LastLineLost,
}

/// An event, or a line, as a client hands it on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its bytes in the body: from the first of its block to the end of what ended it.
    pub span: Span,
    /// Its type; `message` where the client names none; "" for a line, which has none.
    pub event: String,
    /// Its data.
    pub data: String,
    /// The id that the client hands on with it; `None` where it hands on none.
    pub id: Option<String>,
    /// Where the values that make up the data stand.
    pub lines: Vec<Span>,
    /// It was longer than what is gathered: there is no data.
    pub oversized: bool,
}

impl Lens {
    /// The events (or lines) of `body`, which came in reads that end at `reads` (ascending; the last one may be left out).
    pub fn read(self, body: &[u8], reads: &[u64]) -> Vec<Event> {
        let mut client = clients::Client::new(self, Limits::default());
        let mut events = Vec::new();
        let mut start = 0;
        for end in reads.iter().map(|&end| usize::try_from(end).unwrap_or(usize::MAX).min(body.len())).chain([body.len()]) {
            client.push(&body[start..end.max(start)], true, &mut |event| events.push(event));
            start = end.max(start);
        }
        client.finish(&mut |event| events.push(event));
        events
    }
}
