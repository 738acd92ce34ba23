//! A response body: an event stream, JSON lines, or one whole value.

use std::borrow::Cow;

use weir_dialects::{Payload, Status, Transport, stray};
use weir_frames::coding::{self, Coding, Decoder};
use weir_frames::{Limits, Span, array, eventstream, ndjson, sse};

use super::fold::{Carried, Fold, OPENING, Told, named};
use super::ledger::Owner;
use super::row::{Kind, Layer};

/// Body of one response.
pub struct Body {
    stream: u16,
    format: Format,
    /// Bytes so far, content codings undone.
    len: u64,
    /// It has content codings.
    coded: bool,
}

enum Format {
    Sse(Box<sse::Dissector>, Stray),
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
        fold.opening.clear();
        let media = status.media_type.as_str();
        let limits = Limits::default();
        let codings = content_codings(&fold.response).unwrap_or_default();
        let coded = !codings.is_empty();
        fold.streams[stream as usize].codings = codings.into_iter().rev().map(|coding| (coding, Decoder::new(coding))).collect();
        fold.streams[stream as usize].coded = coded;
        if let Some(coding) = coding(&fold.response).filter(|_| !coded) {
            // Weir cannot undo it, and what is inside cannot be told by its bytes: they are kept, not read.
            let word = fold.word(&format!("{coding}: the body is kept as it came, not decoded"));
            fold.row(t, stream, Span::new(0, 0), Layer::Body, Kind::Warning, word);
            fold.coded = Some(coding);
            return Self { stream, format: Format::Opaque, len: 0, coded: false };
        }
        let format = match media {
            "text/event-stream" => Format::Sse(Box::new(sse::Dissector::new(limits, "")), Stray::default()),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" | "application/x-jsonlines" | "application/json-lines" => {
                Format::Ndjson(Box::new(ndjson::Dissector::new(limits)))
            }
            "application/vnd.amazon.eventstream" => Format::Eventstream(Box::new(eventstream::Dissector::new(limits))),
            "" | "text/plain" | "application/octet-stream" if status.code < 300 && fold.transport == Transport::Eventstream => {
                Format::Eventstream(Box::new(eventstream::Dissector::new(limits)))
            }
            "" | "text/plain" | "application/octet-stream" if status.code < 300 && fold.transport == Transport::Sse => {
                Format::Sse(Box::new(sse::Dissector::new(limits, "")), Stray::default())
            }
            "" | "text/plain" | "application/octet-stream" if status.code < 300 && fold.transport == Transport::Ndjson => {
                Format::Ndjson(Box::new(ndjson::Dissector::new(limits)))
            }
            _ if !fold.decodes && status.code < 300 => Format::Opaque,
            _ => {
                let sniff = status.code < 300
                    && media != "text/html"
                    && (fold.transport == Transport::Sse || fold.dialect.elements(fold.transport));
                Format::Whole { bytes: Vec::new(), oversized: false, sniff }
            }
        };
        fold.streams[stream as usize].owner = match &format {
            Format::Sse(..) => Owner::Sse,
            Format::Ndjson(_) => Owner::Ndjson,
            Format::Eventstream(_) => Owner::Eventstream,
            Format::Array(_) | Format::Whole { .. } | Format::Opaque => Owner::Body,
        };
        Self { stream, format, len: 0, coded }
    }

    /// The body of a response that nothing asked for, such as the 408 of a server that gives up waiting for another request.
    pub fn unasked(fold: &mut Fold, conn: u32, carrier: Layer) -> Self {
        Self { stream: fold.stream(conn, false, Some(carrier)), format: Format::Opaque, len: 0, coded: false }
    }

    /// The next bytes of the body, found at `outer` on the connection.
    pub fn push(&mut self, fold: &mut Fold, t: u64, bytes: &[u8], outer: Span, told: &mut dyn FnMut(Told<'_>)) {
        fold.streams[self.stream as usize].map.push(outer);
        if !self.coded {
            return self.decoded(fold, t, bytes, told);
        }
        let mut decoders = std::mem::take(&mut fold.streams[self.stream as usize].codings);
        undo(&mut decoders, bytes, &mut |found| match found {
            Undone::Bytes(bytes) => self.decoded(fold, t, bytes, told),
            Undone::Rule { code, message, warning } => {
                fold.rule(t, self.stream, self.len, Layer::Body, code, &message, warning);
            }
        });
        fold.streams[self.stream as usize].codings = decoders;
    }

    /// The next bytes, codings undone.
    fn decoded(&mut self, fold: &mut Fold, t: u64, bytes: &[u8], told: &mut dyn FnMut(Told<'_>)) {
        self.len += bytes.len() as u64;
        let room = OPENING.saturating_sub(fold.opening.len()).min(bytes.len());
        fold.opening.extend_from_slice(&bytes[..room]);
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
                fold.streams[stream as usize].owner = Owner::Sse;
                dissector.push(&blanks, &mut |item| sse_item(fold, t, stream, item, None, told));
                self.format = Format::Sse(dissector, Stray::default());
            } else if *first == b'[' && fold.dialect.elements(fold.transport) {
                let mut dissector = Box::new(array::Dissector::new(Limits::default()));
                dissector.push(gathered, &mut |_| {});
                self.format = Format::Array(dissector);
            }
        }
        match &mut self.format {
            Format::Eventstream(dissector) => {
                dissector.push(bytes, &mut |item| record_item(fold, t, stream, item, told));
            }
            Format::Array(dissector) => {
                dissector.push(bytes, &mut |item| element_item(fold, t, stream, item, told));
            }
            Format::Sse(dissector, stray) => {
                let base = self.len - bytes.len() as u64;
                let mut behind = None;
                dissector.push(bytes, &mut |item| {
                    behind = Some(sse_end(&item));
                    let block = stray.block(&item, base, bytes);
                    sse_item(fold, t, stream, item, block, told);
                });
                stray.keep(base, behind, bytes);
            }
            Format::Ndjson(dissector) => {
                dissector.push(bytes, &mut |item| ndjson_item(fold, t, stream, item, told));
            }
            Format::Whole { bytes: gathered, oversized, .. } => {
                if *oversized || gathered.len() + bytes.len() > Limits::default().unit {
                    *oversized = true;
                    *gathered = Vec::new();
                } else {
                    gathered.extend_from_slice(bytes);
                }
            }
            Format::Opaque => {}
        }
    }

    /// The body ended, well framed or not.
    pub fn finish(&mut self, fold: &mut Fold, t: u64, whole: bool, told: &mut dyn FnMut(Told<'_>)) {
        if !self.coded {
            return self.finish_decoded(fold, t, whole, told);
        }
        let mut short = false;
        for (_, decoder) in &mut fold.streams[self.stream as usize].codings {
            decoder.finish(&mut |item| short |= matches!(item, coding::Item::Incomplete { .. }));
        }
        if short {
            let message = "the body ends inside its content coding (RFC 9110 §8.4)";
            fold.rule(t, self.stream, self.len, Layer::Body, "coding-cut", message, false);
        }
        self.finish_decoded(fold, t, whole && !short, told);
    }

    fn finish_decoded(&mut self, fold: &mut Fold, t: u64, whole: bool, told: &mut dyn FnMut(Told<'_>)) {
        let stream = self.stream;
        match &mut self.format {
            Format::Sse(dissector, stray) => {
                let end = self.len;
                dissector.finish(&mut |item| {
                    let block = stray.block(&item, end, &[]);
                    sse_item(fold, t, stream, item, block, told);
                });
            }
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

/// What undoing codings gives.
enum Undone<'a> {
    Bytes(&'a [u8]),
    Rule { code: &'static str, message: String, warning: bool },
}

/// Undoes codings one after another.
fn undo(decoders: &mut [(Coding, Decoder)], bytes: &[u8], sink: &mut dyn FnMut(Undone<'_>)) {
    let Some(((_, first), rest)) = decoders.split_first_mut() else { return sink(Undone::Bytes(bytes)) };
    first.push(bytes, &mut |item| match item {
        coding::Item::Data { bytes, .. } => undo(rest, bytes, sink),
        coding::Item::Error { code, message, .. } => sink(Undone::Rule { code, message, warning: false }),
        coding::Item::Warning { code, message, .. } => sink(Undone::Rule { code, message, warning: true }),
        coding::Item::End { .. } | coding::Item::Incomplete { .. } => {}
    });
}

/// Codings of the content that can be undone, in the order they were applied; none where there is another among them, or a transfer coding
/// that is no framing.
fn content_codings(fields: &[(String, String)]) -> Result<Vec<Coding>, String> {
    let transfer = named(fields, "Transfer-Encoding").flat_map(|value| value.split(','));
    if let Some(other) = transfer.map(str::trim).find(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("chunked")) {
        return Err(other.to_owned());
    }
    Coding::list(&named(fields, "Content-Encoding").collect::<Vec<_>>().join(","))
}

/// The coding of a body that is not sent as it is, with the field that names it.
fn coding(fields: &[(String, String)]) -> Option<String> {
    ["Content-Encoding", "Transfer-Encoding"].into_iter().find_map(|field| {
        let codings: Vec<&str> = named(fields, field).flat_map(|value| value.split(',')).map(str::trim).collect();
        let plain = |coding: &&str| coding.is_empty() || coding.eq_ignore_ascii_case("identity") || coding.eq_ignore_ascii_case("chunked");
        (!codings.iter().all(plain)).then(|| format!("{field}: {}", codings.join(", ")))
    })
}

/// The bytes of a block that looks as if JSON stood bare in the event stream, where only fields may stand.
#[derive(Default)]
struct Stray {
    start: u64,
    bytes: Vec<u8>,
}

impl Stray {
    /// Bytes of such a block that are kept: errors are short.
    const MOST: usize = 1 << 20;

    /// The block that `item` says is none, where its bytes are at hand: those kept, then `bytes`, which begin at `base`.
    fn block<'a>(&'a self, item: &sse::Item<'_>, base: u64, bytes: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        let (sse::Item::Silent { span, .. } | sse::Item::Incomplete { span }) = *item else { return None };
        let end = usize::try_from(span.end.checked_sub(base)?).ok()?;
        match span.start.checked_sub(base) {
            Some(start) if (start as usize) < end => bytes.get(start as usize..end).map(Cow::Borrowed),
            _ if !self.bytes.is_empty() && self.start == span.start => Some(Cow::Owned([&self.bytes[..], bytes.get(..end)?].concat())),
            _ => None,
        }
    }

    /// Keeps what lies behind the last item of `bytes`, which begin at `base`; `behind` is that item's end, if there was one.
    fn keep(&mut self, base: u64, behind: Option<u64>, bytes: &[u8]) {
        if behind.is_none() && !self.bytes.is_empty() {
            self.bytes.extend_from_slice(bytes);
        } else {
            self.bytes.clear();
            let rest = bytes.get((behind.unwrap_or(base).max(base) - base) as usize..).unwrap_or_default();
            // Blank lines between blocks are no items.
            let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            let rest = &rest[blank..];
            self.start = base + (bytes.len() - rest.len()) as u64;
            if rest.starts_with(b"{") || rest.starts_with(b"[") {
                self.bytes.extend_from_slice(rest);
            }
        }
        if self.bytes.len() > Self::MOST {
            self.bytes = Vec::new();
        }
    }
}

/// Where an item ends in its stream.
fn sse_end(item: &sse::Item<'_>) -> u64 {
    match item {
        sse::Item::Event(event) => event.span.end,
        sse::Item::Comment { span, .. }
        | sse::Item::Retry { span, .. }
        | sse::Item::Silent { span, .. }
        | sse::Item::Incomplete { span } => span.end,
    }
}

/// The word of rows that are JSON where only fields of events may stand.
pub const BARE: &str = "bare JSON";

fn sse_item(fold: &mut Fold, t: u64, stream: u16, item: sse::Item<'_>, block: Option<Cow<'_, [u8]>>, told: &mut dyn FnMut(Told<'_>)) {
    if let (sse::Item::Silent { span, .. } | sse::Item::Incomplete { span }, Some(block)) = (&item, &block)
        && let Some(at) = stray::json(block)
    {
        let word = fold.word(BARE);
        let json = Span::new(span.start + at.start as u64, span.start + at.end as u64);
        fold.payload(t, stream, json, Layer::Body, word, Carried::Event, Payload::Body(&block[at]), json.len(), told);
        return;
    }
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
        array::Item::Stray { span } => {
            fold.rule(t, stream, span.start, Layer::Body, "json", "bytes outside the array (RFC 8259 §2)", false)
        }
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
