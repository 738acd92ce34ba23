//! The clients, each by the rules it reads by.

use std::borrow::Cow;

use memchr::memmem;

use super::Event;
use super::lines::{self, Line, field};
use crate::sse::{Dissector, Item};
use crate::{Limits, Span};

const BOM: &[u8] = b"\xef\xbb\xbf";

pub(super) fn standard(body: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    let mut dissector = Dissector::new(Limits::default(), "");
    let mut sink = |item: Item<'_>| {
        if let Item::Event(event) = item {
            events.push(Event {
                span: event.span,
                event: event.event.to_owned(),
                data: event.data.into_owned(),
                id: Some(event.id.to_owned()),
                lines: event.lines.to_vec(),
            });
        }
    };
    dissector.push(body, &mut sink);
    dissector.finish(&mut sink);
    events
}

/// It keeps what is not yet UTF-8 back and tries again with the next read: behind the first ill-formed byte nothing is ever read. A CR at
/// the very end may be half a CRLF to it. Of a BOM it takes the first byte off, where a string cannot be cut, and panics.
pub(super) fn eventsource_stream(body: &[u8]) -> Vec<Event> {
    if body.starts_with(BOM) {
        return Vec::new();
    }
    let readable = std::str::from_utf8(body).map_or_else(|error| error.valid_up_to(), str::len);
    let readable = &body[..readable];
    standard(readable.strip_suffix(b"\r").unwrap_or(readable))
}

pub(super) fn unterminated(body: &[u8]) -> Vec<Event> {
    // Whatever is missing at the end, a line end and a blank line complete it; where nothing is, they add nothing.
    let ends: &[u8] = if body.ends_with(b"\r") { b"\r\r" } else { b"\n\n" };
    let mut events = standard(&[body, ends].concat());
    let end = body.len() as u64;
    for event in &mut events {
        event.span.end = event.span.end.min(end);
    }
    events
}

/// `for block in text.split("\n\n")`, then the lines of the block that start with `data:`.
pub(super) fn split_blank_line(body: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    let mut start = 0;
    for end in memmem::find_iter(body, b"\n\n") {
        let mut block = Block::default();
        let mut at = start;
        for line in body[start..end].split(|&byte| byte == b'\n') {
            let (name, value) = field(line);
            if let Some(value) = value {
                let span = Span::new((at + value) as u64, (at + line.len()) as u64);
                match name {
                    b"data" => block.data(&line[value..], span),
                    b"event" => block.event = lossy(&line[value..]).into_owned(),
                    _ => {}
                }
            }
            at += line.len() + 1;
        }
        if !block.lines.is_empty() {
            events.push(block.event(Span::new(start as u64, end as u64 + 2), None));
        }
        start = end + 2;
    }
    events
}

/// Decodes each read by itself, then reads by the standard.
pub(super) fn chunk_utf8(body: &[u8], reads: &[u64]) -> Vec<Event> {
    // Where each stretch of the decoded text stands in the body: text offset, body offset, and whether they run alike.
    let mut text = Vec::new();
    let mut places: Vec<(u64, Span)> = Vec::new();
    let mut start = 0;
    let ends = reads.iter().map(|&end| usize::try_from(end).unwrap_or(usize::MAX).min(body.len())).chain([body.len()]);
    for end in ends {
        let mut at = start as u64;
        for chunk in body[start..end.max(start)].utf8_chunks() {
            for part in [chunk.valid().as_bytes(), chunk.invalid()] {
                if part.is_empty() {
                    continue;
                }
                places.push((text.len() as u64, Span::new(at, at + part.len() as u64)));
                at += part.len() as u64;
                if std::str::from_utf8(part).is_ok() { text.extend_from_slice(part) } else { text.extend_from_slice("\u{fffd}".as_bytes()) }
            }
        }
        start = end.max(start);
    }
    let back = |offset: u64| {
        let at = places.partition_point(|&(text, _)| text <= offset).checked_sub(1);
        at.map_or(0, |at| (places[at].1.start + (offset - places[at].0)).min(places[at].1.end))
    };
    let mut events = standard(&text);
    for event in &mut events {
        for span in event.lines.iter_mut().chain([&mut event.span]) {
            *span = Span::new(back(span.start), if span.end == text.len() as u64 { body.len() as u64 } else { back(span.end) });
        }
    }
    events
}

/// The standard's rules for fields on other lines.
pub(super) fn splitlines(body: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    let (mut block, mut last_id) = (Block::default(), String::new());
    for line in lines::python(body) {
        let line = if line.span.start == 0 { without_bom(line) } else { line };
        if line.text.is_empty() {
            let span = block.span(line);
            if let Some(id) = block.id.take() {
                last_id = id;
            }
            let done = std::mem::take(&mut block);
            if !done.lines.is_empty() {
                events.push(done.event(span, Some(last_id.clone())));
            }
            continue;
        }
        let (name, value) = field(line.text);
        if !name.is_empty() || value.is_none() {
            block.field(line, name, value.unwrap_or(line.text.len()));
        }
    }
    events
}

/// Every blank line is a message; a field needs its colon behind at least one byte; `data` is joined only where there is some already;
/// each value is decoded by itself, and loses a BOM.
pub(super) fn fetch_event_source(body: &[u8]) -> Vec<Event> {
    let decode = |bytes: &[u8]| lossy(bytes.strip_prefix(BOM).unwrap_or(bytes)).into_owned();
    let mut events = Vec::new();
    let (mut start, mut kind, mut data, mut id, mut lines) = (None, String::new(), String::new(), String::new(), Vec::new());
    for line in lines::standard(body) {
        if line.text.is_empty() {
            let span = Span::new(start.take().unwrap_or(line.span.start), line.next);
            let event = if kind.is_empty() { "message".to_owned() } else { std::mem::take(&mut kind) };
            events.push(Event {
                span,
                event,
                data: std::mem::take(&mut data),
                id: Some(std::mem::take(&mut id)),
                lines: std::mem::take(&mut lines),
            });
            continue;
        }
        let (name, value) = field(line.text);
        start.get_or_insert(line.span.start);
        let Some(value) = value.filter(|_| !name.is_empty()) else { continue };
        let text = decode(&line.text[value..]);
        match name.strip_prefix(BOM).unwrap_or(name) {
            b"data" => {
                data = if data.is_empty() { text } else { format!("{data}\n{text}") };
                lines.push(Span::new(line.span.start + value as u64, line.span.end));
            }
            b"event" => kind = text,
            b"id" => id = text,
            _ => {}
        }
    }
    events
}

/// A blank line dispatches unless there was neither event, data nor retry, nor any id ever.
pub(super) fn openai_python(body: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    let (mut block, mut last_id, mut retry) = (Block::default(), String::new(), false);
    for line in lines::standard(body) {
        if line.text.is_empty() {
            let span = block.span(line);
            if let Some(id) = block.id.take() {
                last_id = id;
            }
            let done = std::mem::take(&mut block);
            if !done.event.is_empty() || !done.lines.is_empty() || !last_id.is_empty() || retry {
                events.push(done.event(span, Some(last_id.clone())));
            }
            retry = false;
            continue;
        }
        if line.text.starts_with(b":") {
            continue;
        }
        let (name, value) = field(line.text);
        let value = value.unwrap_or(line.text.len());
        retry |= name == b"retry" && python_int(&lossy(&line.text[value..]));
        block.field(line, name, value);
    }
    events
}

/// What `int()` takes, of ASCII digits: a sign, and underscores between digits.
fn python_int(text: &str) -> bool {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.split('_').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Fields until a blank line.
#[derive(Default)]
struct Block {
    start: Option<u64>,
    event: String,
    data: String,
    id: Option<String>,
    lines: Vec<Span>,
}

impl Block {
    fn data(&mut self, value: &[u8], span: Span) {
        if !self.lines.is_empty() {
            self.data.push('\n');
        }
        self.data.push_str(&lossy(value));
        self.lines.push(span);
    }

    fn field(&mut self, line: Line<'_>, name: &[u8], value: usize) {
        self.start.get_or_insert(line.span.start);
        let text = &line.text[value..];
        match name {
            b"data" => self.data(text, Span::new(line.span.start + value as u64, line.span.end)),
            b"event" => self.event = lossy(text).into_owned(),
            b"id" if !text.contains(&0) => self.id = Some(lossy(text).into_owned()),
            _ => {}
        }
    }

    /// From its first field to the end of the blank line.
    fn span(&self, blank: Line<'_>) -> Span {
        Span::new(self.start.unwrap_or(blank.span.start), blank.next)
    }

    fn event(self, span: Span, id: Option<String>) -> Event {
        let event = if self.event.is_empty() { "message".into() } else { self.event };
        Event { span, event, data: self.data, id, lines: self.lines }
    }
}

fn without_bom(line: Line<'_>) -> Line<'_> {
    match line.text.strip_prefix(BOM) {
        Some(text) => Line { text, span: Span::new(3, line.span.end), ..line },
        None => line,
    }
}

fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
