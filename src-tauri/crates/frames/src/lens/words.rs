//! What a lens is called, how it reads, which rule that breaks, and who reads so.

use super::Lens;

impl Lens {
    /// Its name, as it is chosen by among those of its format.
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
            Self::Lines => "standard",
            Self::SplitEachRead => "split-each-read",
            Self::ParseEachRead => "parse-each-read",
            Self::LinesChunkUtf8 => "chunk-utf8",
            Self::LinesSplitLines => "splitlines",
            Self::LastLineLost => "last-line-lost",
        }
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
            Self::Lines => "A JSON value a line; lines end at LF, and the last one may lack it.",
            Self::SplitEachRead => {
                "Each read is split at LF by itself, and nothing is kept for the next: a line that two reads share is two halves."
            }
            Self::ParseEachRead => "Each read is given to JSON.parse as it is: right only where a read is one line, whole.",
            Self::LinesChunkUtf8 => "Each read is decoded by itself: a character that two reads share becomes U+FFFD on both sides.",
            Self::LinesSplitLines => "Lines also end at CR, VT, FF, FS, GS, RS, NEL, U+2028 and U+2029, which JSON may hold as they are.",
            Self::LastLineLost => "Lines are taken off at each LF, and what stands behind the last one is never looked at.",
        }
    }

    /// Which rule of the standard it does not keep, with its section; for a standard, where that is.
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
            Self::Lines => "NDJSON specification §3.1 and §3.2; JSON Lines.",
            Self::SplitEachRead | Self::ParseEachRead => {
                "Chunk and read borders mean nothing to what they carry (RFC 9112 §7.1): a line ends at LF alone (NDJSON §3.1)."
            }
            Self::LinesChunkUtf8 => {
                "Chunk borders mean nothing to what the chunks carry (RFC 9112 §7.1): a character may lie across one, and the text is UTF-8 as a whole (NDJSON §3.1)."
            }
            Self::LinesSplitLines => "A line ends at LF (NDJSON §3.1); U+2028 may stand in a JSON string as it is (RFC 8259 §7).",
            Self::LastLineLost => "The last line may lack its line end: JSON Lines recommends one there, and does not require it.",
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
            Self::Lines => "ollama-js, ndjson and split2 (Node), clients with a line buffer",
            Self::SplitEachRead => "fetch readers written by hand: `decoder.decode(chunk, {stream: true}).split(\"\\n\")` without a buffer",
            Self::ParseEachRead => "readers written by hand that take a read for a message",
            Self::LinesChunkUtf8 => "fetch readers with a new TextDecoder (or `toString()`) for each chunk",
            Self::LinesSplitLines => "ollama-python and whatever else reads with httpx `iter_lines`; `requests.iter_lines` on text",
            Self::LastLineLost => "readers written by hand that keep `lines.pop()` for a next read that never comes",
        }
    }
}
