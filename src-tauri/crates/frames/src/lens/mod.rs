//! Client lenses: the same bytes of an event stream as other clients would have seen them.
//!
//! "My client drops events, why?" has its answer in how that client reads. Each lens is one such reading, rebuilt from the behaviour of
//! the client it names (the tests hold two of them against the clients themselves); [`Lens::Standard`] is Weir's own dissector.
//! [`first_difference`] tells where a lens leaves the standard, and which bytes made it.
//!
//! Some clients see the borders of the reads a body came in, so those belong to what is read. [`Lens::read`] reads a body that is there as
//! a whole; a [`Comparison`] takes it as it comes, however long it is.

mod block;
mod clients;
mod compare;
mod difference;
mod lines;
#[cfg(test)]
mod tests;

pub use compare::{Body, Comparison, Found, Verdict};
pub use difference::{Difference, Kind, common, first_difference};

use crate::{Limits, Span};

/// A way to read an event stream.
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
}

/// An event as a client hands it on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its bytes in the body: from the first of its block to the end of what ended it.
    pub span: Span,
    /// Its type; `message` where the client names none.
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
    /// All of them, the standard first.
    pub const ALL: [Self; 8] = [
        Self::Standard,
        Self::EventsourceStream,
        Self::SplitBlankLine,
        Self::ChunkUtf8,
        Self::SplitLines,
        Self::FetchEventSource,
        Self::OpenaiPython,
        Self::Unterminated,
    ];

    /// Its name, as it is chosen by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::EventsourceStream => "eventsource-stream",
            Self::SplitBlankLine => "split-blank-line",
            Self::ChunkUtf8 => "chunk-utf8",
            Self::SplitLines => "splitlines",
            Self::FetchEventSource => "fetch-event-source",
            Self::OpenaiPython => "openai-python",
            Self::Unterminated => "unterminated",
        }
    }

    /// The lens of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lens| lens.name() == name)
    }

    /// What it reads otherwise than the standard.
    pub fn about(self) -> &'static str {
        match self {
            Self::Standard => "WHATWG HTML §9.2, to the letter.",
            Self::EventsourceStream => {
                "Stops at the first ill-formed UTF-8 for good, panics at a BOM, and waits for one more byte behind a CR."
            }
            Self::SplitBlankLine => "Events end at LF LF alone, so CRLF streams have none; no BOM is removed.",
            Self::ChunkUtf8 => "Each read is decoded by itself: a character that two reads share becomes U+FFFD on both sides.",
            Self::SplitLines => "Lines also end at VT, FF, FS, GS, RS, NEL, U+2028 and U+2029, which JSON may hold as they are.",
            Self::FetchEventSource => {
                "Every blank line is an event, also without data; lines without a colon are ignored; ids are not carried on; empty first data lines are lost."
            }
            Self::OpenaiPython => {
                "A blank line is an event where there is an event, id or retry without data, and after any id ever; no BOM is removed."
            }
            Self::Unterminated => "A last event that the end of the stream cut off is dispatched all the same.",
        }
    }

    /// Which rule of the standard it does not keep, with its section; for [`Lens::Standard`] where the standard is.
    pub fn rule(self) -> &'static str {
        match self {
            Self::Standard => "WHATWG HTML §9.2.5 and §9.2.6.",
            Self::EventsourceStream => {
                "The stream is decoded with replacement, and one leading BOM is ignored (WHATWG HTML §9.2.5, Encoding §6: “UTF-8 decode”)."
            }
            Self::SplitBlankLine => "A line ends at CR LF, LF or CR, so a blank line is not always LF LF (WHATWG HTML §9.2.5).",
            Self::ChunkUtf8 => {
                "Chunk borders mean nothing to what the chunks carry (RFC 9112 §7.1): a character may lie across one, and the stream is decoded as one (WHATWG HTML §9.2.5)."
            }
            Self::SplitLines => {
                "Only CR LF, LF and CR end a line (WHATWG HTML §9.2.5); U+2028 may stand in a JSON string as it is (RFC 8259 §7)."
            }
            Self::FetchEventSource => {
                "A block whose data is empty is not dispatched, a line without a colon is a field without a value, and the last event id stays (WHATWG HTML §9.2.6)."
            }
            Self::OpenaiPython => {
                "A block whose data is empty is not dispatched (WHATWG HTML §9.2.6), and one leading BOM is ignored (§9.2.5)."
            }
            Self::Unterminated => "An event that the end of the stream cuts off is discarded (WHATWG HTML §9.2.6).",
        }
    }

    /// Who reads like that.
    pub fn clients(self) -> &'static str {
        match self {
            Self::Standard => "EventSource of browsers, eventsource-parser",
            Self::EventsourceStream => "eventsource-stream 0.2 (Rust), and reqwest-eventsource on top of it",
            Self::SplitBlankLine => "parsers written by hand",
            Self::ChunkUtf8 => "fetch readers with a new TextDecoder (or `toString()`) for each chunk",
            Self::SplitLines => "httpx `iter_lines`, httpx-sse before 0.4.2, `requests.iter_lines` on text",
            Self::FetchEventSource => "@microsoft/fetch-event-source 2.0.1",
            Self::OpenaiPython => "openai-python, anthropic-python, cohere, httpx-sse",
            Self::Unterminated => "openai-node 7, mistral, google-genai",
        }
    }

    /// The events of `body`, which came in reads that end at `reads` (ascending; the last one may be left out).
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
