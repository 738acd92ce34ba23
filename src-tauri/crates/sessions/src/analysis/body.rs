//! A response body: an event stream, JSON lines, or one whole value.

use weir_dialects::{Payload, Status, Transport};
use weir_frames::{Limits, Span, array, eventstream, ndjson, sse};

use super::fold::{Carried, Fold, Told, named};
use super::row::{Kind, Layer};

/// Body of one response.
pub struct Body {
    stream: u16,
    format: Format,
    /// Ordinal on its connection; h2 stream id for HTTP/2.
    len: u64,
}

enum Format {
    Sse(Box<sse::Dissector>),
    Ndjson(Box<ndjson::Dissector>),
    Eventstream(Box<eventstream::Dissector>),
    /// A JSON array whose elements are decoded as they come.
    Array(Box<array::Dissector>),
    /// Gathered to be decoded whole, unless it grew over the limit. With `sniff` it may still turn out to be an event stream.
    Whole {
        bytes: Vec<u8>,
        oversized: bool,
        sniff: bool,
    },
    /// Neither gathered nor decoded.
    Opaque,
}

impl Body {
    /// A body that begins now. The response's own media type decides how it is read; the plan decides only where that says nothing.
    pub fn new(fold: &mut Fold, t: u64, conn: u32, carrier: Layer, status: &Status) -> Self {
        let stream = fold.stream(conn, false, Some(carrier));
        let media = status.media_type.as_str();
        let limits = Limits::default();
        if let Some(coding) = coding(&fold.response) {
            // None was asked for, and what is inside cannot be told by its bytes: they are kept, not read.
            let word = fold.word(&format!("{coding}: the body is kept as it came, not decoded"));
            fold.row(t, stream, Span::new(0, 0), Layer::Body, Kind::Warning, word);
            fold.coded = Some(coding);
            return Self { stream, format: Format::Opaque, len: 0 };
        }
        let format = match media {
            "text/event-stream" => Format::Sse(Box::new(sse::Dissector::new(limits, ""))),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" | "application/x-jsonlines" | "application/json-lines" => {
                Format::Ndjson(Box::new(ndjson::Dissector::new(limits)))
            }
            "application/vnd.amazon.eventstream" => Format::Eventstream(Box::new(eventstream::Dissector::new(limits))),
            "" | "text/plain" | "application/octet-stream" if status.code < 300 && fold.transport == Transport::Eventstream => {
                Format::Eventstream(Box::new(eventstream::Dissector::new(limits)))
            }
            "" | "text/plain" | "application/octet-stream" if status.code < 300 && fold.transport == Transport::Sse => {
                Format::Sse(Box::new(sse::Dissector::new(limits, "")))
            }
            "" | "text/plain" | "application/octet-stream" if status.code < 300 && fold.transport == Transport::Ndjson => {
                Format::Ndjson(Box::new(ndjson::Dissector::new(limits)))
            }
            _ if !fold.decodes && status.code < 300 => Format::Opaque,
            _ => {
                let sniff = status.code < 300 && media != "text/html" && (fold.transport == Transport::Sse || fold.dialect.elements(fold.transport));
                Format::Whole { bytes: Vec::new(), oversized: false, sniff }
            }
        };
        Self { stream, format, len: 0 }
    }

    /// The body of a response that nothing asked for, such as the 408 of a server that gives up waiting for another request.
    pub fn unasked(fold: &mut Fold, conn: u32, carrier: Layer) -> Self {
        Self { stream: fold.stream(conn, false, Some(carrier)), format: Format::Opaque, len: 0 }
    }

    /// The next bytes of the body, found at `outer` on the connection.
    pub fn push(&mut self, fold: &mut Fold, t: u64, bytes: &[u8], outer: Span, told: &mut dyn FnMut(Told<'_>)) {
        fold.streams[self.stream as usize].map.push(outer);
        self.len += bytes.len() as u64;
        let stream = self.stream;
        if let Format::Whole { bytes: gathered, sniff, .. } = &mut self.format
            && *sniff
            && let Some(first) = bytes.iter().find(|b| !b.is_ascii_whitespace())
        {
            *sniff = false;
            // No JSON value begins with the letters of SSE's field names, nor with a comment's colon.
            if fold.transport == Transport::Sse && b":deir".contains(first) {
                let media = fold.status.as_ref().map_or("", |status| status.media_type.as_str());
                let word = fold.word(&format!("an event stream that calls itself {media}"));
                fold.row(t, stream, Span::new(0, 0), Layer::Body, Kind::Warning, word);
                let mut dissector = Box::new(sse::Dissector::new(Limits::default(), ""));
                let blanks = std::mem::take(gathered);
                fold.owned.plain -= blanks.len() as u64;
                fold.owned.sse += blanks.len() as u64;
                dissector.push(&blanks, &mut |item| sse_item(fold, t, stream, item, told));
                self.format = Format::Sse(dissector);
            } else if *first == b'[' && fold.dialect.elements(fold.transport) {
                let mut dissector = Box::new(array::Dissector::new(Limits::default()));
                dissector.push(gathered, &mut |_| {});
                self.format = Format::Array(dissector);
            }
        }
        match &mut self.format {
            Format::Eventstream(dissector) => {
                fold.owned.eventstream += bytes.len() as u64;
                dissector.push(bytes, &mut |item| record_item(fold, t, stream, item, told));
            }
            Format::Array(dissector) => {
                fold.owned.plain += bytes.len() as u64;
                dissector.push(bytes, &mut |item| element_item(fold, t, stream, item, told));
            }
            Format::Sse(dissector) => {
                fold.owned.sse += bytes.len() as u64;
                dissector.push(bytes, &mut |item| sse_item(fold, t, stream, item, told));
            }
            Format::Ndjson(dissector) => {
                fold.owned.ndjson += bytes.len() as u64;
                dissector.push(bytes, &mut |item| ndjson_item(fold, t, stream, item, told));
            }
            Format::Whole { bytes: gathered, oversized, .. } => {
                fold.owned.plain += bytes.len() as u64;
                if *oversized || gathered.len() + bytes.len() > Limits::default().unit {
                    *oversized = true;
                    *gathered = Vec::new();
                } else {
                    gathered.extend_from_slice(bytes);
                }
            }
            Format::Opaque => fold.owned.plain += bytes.len() as u64,
        }
    }

    /// The body ended, well framed or not.
    pub fn finish(&mut self, fold: &mut Fold, t: u64, whole: bool, told: &mut dyn FnMut(Told<'_>)) {
        let stream = self.stream;
        match &mut self.format {
            Format::Sse(dissector) => dissector.finish(&mut |item| sse_item(fold, t, stream, item, told)),
            Format::Ndjson(dissector) => dissector.finish(&mut |item| ndjson_item(fold, t, stream, item, told)),
            Format::Eventstream(dissector) => dissector.finish(&mut |item| record_item(fold, t, stream, item, told)),
            Format::Array(dissector) => dissector.finish(&mut |item| element_item(fold, t, stream, item, told)),
            Format::Whole { bytes, oversized, .. } => {
                let span = Span::new(0, self.len);
                if *oversized {
                    let word = fold.word("longer than what is decoded whole (128 MiB): kept, not decoded");
                    fold.row(t, stream, span, Layer::Body, Kind::Warning, word);
                } else if whole && self.len > 0 {
                    let bytes = std::mem::take(bytes);
                    fold.payload(t, stream, span, Layer::Body, 0, Carried::Body, Payload::Body(&bytes), self.len, told);
                } else if self.len > 0 {
                    fold.row(t, stream, span, Layer::Body, Kind::Incomplete, 0);
                }
            }
            Format::Opaque if self.len > 0 => {
                fold.row(t, stream, Span::new(0, self.len), Layer::Body, if whole { Kind::Control } else { Kind::Incomplete }, 0);
            }
            Format::Opaque => {}
        }
        fold.framed_end |= whole;
    }
}

/// The coding of a body that is not sent as it is, with the field that names it.
fn coding(fields: &[(String, String)]) -> Option<String> {
    ["Content-Encoding", "Transfer-Encoding"].into_iter().find_map(|field| {
        let codings: Vec<&str> = named(fields, field).flat_map(|value| value.split(',')).map(str::trim).collect();
        let plain = |coding: &&str| coding.is_empty() || coding.eq_ignore_ascii_case("identity") || coding.eq_ignore_ascii_case("chunked");
        (!codings.iter().all(plain)).then(|| format!("{field}: {}", codings.join(", ")))
    })
}

fn sse_item(fold: &mut Fold, t: u64, stream: u16, item: sse::Item<'_>, told: &mut dyn FnMut(Told<'_>)) {
    match item {
        sse::Item::Event(event) => {
            let word = fold.word(event.event);
            if event.oversized {
                let word = fold.word("event longer than what is decoded whole (128 MiB): kept, not decoded");
                fold.row(t, stream, event.span, Layer::Sse, Kind::Warning, word);
            } else {
                let payload = Payload::Event { event: event.event, data: &event.data };
                let size = event.lines.iter().map(|line| line.len()).sum();
                fold.payload(t, stream, event.span, Layer::Sse, word, Carried::Event, payload, size, told);
            }
        }
        sse::Item::Comment { span, .. } => {
            fold.row(t, stream, span, Layer::Sse, Kind::Comment, 0);
        }
        sse::Item::Retry { span, .. } => {
            fold.row(t, stream, span, Layer::Sse, Kind::Retry, 0);
        }
        sse::Item::Silent { span, .. } => {
            let word = fold.word("no data");
            fold.row(t, stream, span, Layer::Sse, Kind::Control, word);
        }
        sse::Item::Incomplete { span } => {
            fold.row(t, stream, span, Layer::Sse, Kind::Incomplete, 0);
        }
    }
}

fn ndjson_item(fold: &mut Fold, t: u64, stream: u16, item: ndjson::Item<'_>, told: &mut dyn FnMut(Told<'_>)) {
    match item {
        ndjson::Item::Line { span, oversized: true, .. } => {
            let word = fold.word("line longer than what is decoded whole (128 MiB): kept, not decoded");
            fold.row(t, stream, span, Layer::Ndjson, Kind::Warning, word);
        }
        ndjson::Item::Line { span, bytes, .. } => {
            fold.payload(t, stream, span, Layer::Ndjson, 0, Carried::Line, Payload::Line(bytes), bytes.len() as u64, told);
        }
        ndjson::Item::Blank { span } => {
            let word = fold.word("blank line");
            fold.row(t, stream, span, Layer::Ndjson, Kind::Comment, word);
        }
        ndjson::Item::Incomplete { span } => {
            fold.row(t, stream, span, Layer::Ndjson, Kind::Incomplete, 0);
        }
    }
}

/// The word of rows that are elements of an array.
pub const ELEMENT: &str = "element";

fn element_item(fold: &mut Fold, t: u64, stream: u16, item: array::Item<'_>, told: &mut dyn FnMut(Told<'_>)) {
    match item {
        array::Item::Element { span, oversized: true, .. } => {
            let word = fold.word("element longer than what is decoded whole (128 MiB): kept, not decoded");
            fold.row(t, stream, span, Layer::Body, Kind::Warning, word);
        }
        array::Item::Element { span, bytes, .. } => {
            let word = fold.word(ELEMENT);
            fold.payload(t, stream, span, Layer::Body, word, Carried::Body, Payload::Element(bytes), bytes.len() as u64, told);
        }
        array::Item::End { span } => {
            let word = fold.word("end of the array");
            fold.row(t, stream, span, Layer::Body, Kind::Control, word);
        }
        array::Item::Stray { span } => fold.rule(t, stream, span.start, Layer::Body, "json", "bytes outside the array (RFC 8259 §2)", false),
        array::Item::Incomplete { span } => {
            fold.row(t, stream, span, Layer::Body, Kind::Incomplete, 0);
        }
    }
}

/// `:message-type`, the name of the event, exception or error, and the payload; for an error the text of its header.
pub fn record_of<'a>(message: &'a eventstream::Message<'_>) -> (&'a str, &'a str, &'a [u8]) {
    let kind = message.text(":message-type").unwrap_or("event");
    let name = match kind {
        "exception" => message.text(":exception-type"),
        "error" => message.text(":error-code"),
        _ => message.text(":event-type"),
    };
    let data = if kind == "error" { message.text(":error-message").map_or(message.payload, str::as_bytes) } else { message.payload };
    (kind, name.unwrap_or_default(), data)
}

fn record_item(fold: &mut Fold, t: u64, stream: u16, item: eventstream::Item<'_>, told: &mut dyn FnMut(Told<'_>)) {
    match item {
        eventstream::Item::Message(message) if message.oversized => {
            let word = fold.word("message longer than what is decoded whole (128 MiB): kept, not decoded");
            fold.row(t, stream, message.span, Layer::Eventstream, Kind::Warning, word);
        }
        eventstream::Item::Message(message) => {
            let (kind, name, data) = record_of(&message);
            let word = fold.word(name);
            let payload = Payload::Record { kind, name, data };
            fold.payload(t, stream, message.span, Layer::Eventstream, word, Carried::Record, payload, message.payload.len() as u64, told);
        }
        eventstream::Item::Error { code, message, at } => fold.rule(t, stream, at, Layer::Eventstream, code, &message, false),
        eventstream::Item::Incomplete { span } => {
            fold.row(t, stream, span, Layer::Eventstream, Kind::Incomplete, 0);
        }
    }
}
