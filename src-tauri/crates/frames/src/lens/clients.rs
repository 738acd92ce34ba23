//! The clients, each by the rules it reads by, on a stream that comes in pieces.

use super::block::{Block, lossy};
use super::lines::{Ends, Line, Lines, field};
use super::{Event, Lens, ndjson};
use crate::sse::{Dissector, Item};
use crate::{Limits, Span};

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Told every event a client hands on.
pub(super) type Sink<'a> = &'a mut dyn FnMut(Event);

/// One client at work.
#[derive(Debug)]
pub(super) enum Client {
    Standard(Standard),
    EventsourceStream(EventsourceStream),
    SplitBlankLine(SplitBlankLine),
    ChunkUtf8(ChunkUtf8),
    SplitLines(SplitLines),
    FetchEventSource(FetchEventSource),
    OpenaiPython(OpenaiPython),
    Unterminated(Unterminated),
    Buffered(ndjson::Buffered),
    SplitEachRead(ndjson::SplitEachRead),
    ParseEachRead(ndjson::ParseEachRead),
    LinesSplitLines(ndjson::SplitLines),
}

impl Client {
    pub(super) fn new(lens: Lens, limits: Limits) -> Self {
        let standard = || Standard(Dissector::new(limits, ""));
        match lens {
            Lens::Standard => Self::Standard(standard()),
            Lens::EventsourceStream => {
                Self::EventsourceStream(EventsourceStream { inner: standard(), kept: Vec::new(), begun: false, over: false })
            }
            Lens::SplitBlankLine => Self::SplitBlankLine(SplitBlankLine::default()),
            Lens::ChunkUtf8 => Self::chunk_utf8(Self::Standard(standard())),
            Lens::SplitLines => {
                Self::SplitLines(SplitLines { lines: Lines::new(Ends::Python), block: Block::default(), last_id: String::new() })
            }
            Lens::FetchEventSource => Self::FetchEventSource(FetchEventSource::new()),
            Lens::OpenaiPython => Self::OpenaiPython(OpenaiPython {
                lines: Lines::new(Ends::Standard),
                block: Block::default(),
                last_id: String::new(),
                retry: false,
            }),
            Lens::Unterminated => Self::Unterminated(Unterminated { inner: standard(), at: 0, last: 0 }),
            Lens::Lines => Self::Buffered(ndjson::Buffered::new(limits, true)),
            Lens::SplitEachRead => Self::SplitEachRead(ndjson::SplitEachRead::default()),
            Lens::ParseEachRead => Self::ParseEachRead(ndjson::ParseEachRead::default()),
            Lens::LinesChunkUtf8 => Self::chunk_utf8(Self::Buffered(ndjson::Buffered::new(limits, true))),
            Lens::LinesSplitLines => Self::LinesSplitLines(ndjson::SplitLines::new()),
            Lens::LastLineLost => Self::Buffered(ndjson::Buffered::new(limits, false)),
        }
    }

    fn chunk_utf8(inner: Self) -> Self {
        Self::ChunkUtf8(ChunkUtf8 { inner: Box::new(inner), kept: Vec::new(), at: 0, text: 0, places: Vec::new() })
    }

    /// Takes the next bytes. `border` says that a read ends behind them.
    pub(super) fn push(&mut self, bytes: &[u8], border: bool, sink: Sink<'_>) {
        match self {
            Self::Standard(client) => client.push(bytes, sink),
            Self::EventsourceStream(client) => client.push(bytes, sink),
            Self::SplitBlankLine(client) => client.push(bytes, sink),
            Self::ChunkUtf8(client) => client.push(bytes, border, sink),
            Self::SplitLines(client) => client.push(bytes, sink),
            Self::FetchEventSource(client) => client.push(bytes, sink),
            Self::OpenaiPython(client) => client.push(bytes, sink),
            Self::Unterminated(client) => client.push(bytes, sink),
            Self::Buffered(client) => client.push(bytes, sink),
            Self::SplitEachRead(client) => client.push(bytes, border, sink),
            Self::ParseEachRead(client) => client.push(bytes, border, sink),
            Self::LinesSplitLines(client) => client.push(bytes, sink),
        }
    }

    /// The stream is over.
    pub(super) fn finish(&mut self, sink: Sink<'_>) {
        match self {
            Self::Standard(client) => client.finish(sink),
            Self::EventsourceStream(client) => client.finish(sink),
            Self::SplitBlankLine(_) => {}
            Self::ChunkUtf8(client) => client.finish(sink),
            Self::SplitLines(client) => client.finish(sink),
            Self::FetchEventSource(client) => client.finish(sink),
            Self::OpenaiPython(client) => client.finish(sink),
            Self::Unterminated(client) => client.finish(sink),
            Self::Buffered(client) => client.finish(sink),
            Self::SplitEachRead(client) => client.finish(sink),
            Self::ParseEachRead(client) => client.finish(sink),
            Self::LinesSplitLines(client) => client.finish(sink),
        }
    }

    /// Bytes of an unfinished event that it keeps beside what its dissector bounds by itself.
    pub(super) fn held(&self) -> usize {
        match self {
            Self::Standard(_) | Self::EventsourceStream(_) | Self::Unterminated(_) | Self::Buffered(_) => 0,
            Self::ChunkUtf8(client) => client.places.len() * size_of::<(u64, Span)>(),
            Self::SplitBlankLine(client) => client.line.len() + client.block.held(),
            Self::SplitLines(client) => client.lines.held() + client.block.held(),
            Self::FetchEventSource(client) => client.held(),
            Self::OpenaiPython(client) => client.lines.held() + client.block.held(),
            Self::SplitEachRead(client) => client.held(),
            Self::ParseEachRead(client) => client.held(),
            Self::LinesSplitLines(client) => client.held(),
        }
    }
}

/// By the letter of the standard.
#[derive(Debug)]
pub(super) struct Standard(Dissector);

impl Standard {
    fn push(&mut self, bytes: &[u8], sink: Sink<'_>) {
        self.0.push(bytes, &mut |item| owned(item, sink));
    }

    fn finish(&mut self, sink: Sink<'_>) {
        self.0.finish(&mut |item| owned(item, sink));
    }
}

fn owned(item: Item<'_>, sink: Sink<'_>) {
    if let Item::Event(event) = item {
        sink(Event {
            span: event.span,
            event: event.event.to_owned(),
            data: event.data.into_owned(),
            id: Some(event.id.to_owned()),
            lines: event.lines.to_vec(),
            oversized: event.oversized,
        });
    }
}

/// It keeps what is not yet UTF-8 back and tries again with the next read: behind the first ill-formed byte nothing is ever read. A CR at
/// the very end may be half a CRLF to it. Of a BOM it takes the first byte off, where a string cannot be cut, and panics.
#[derive(Debug)]
pub(super) struct EventsourceStream {
    inner: Standard,
    /// Half a character, half a CRLF, or half a BOM.
    kept: Vec<u8>,
    /// The stream does not begin with a BOM.
    begun: bool,
    over: bool,
}

impl EventsourceStream {
    fn push(&mut self, bytes: &[u8], sink: Sink<'_>) {
        if self.over {
            return;
        }
        self.kept.extend_from_slice(bytes);
        if !self.begun {
            if self.kept.len() < BOM.len() && BOM.starts_with(&self.kept) {
                return;
            }
            self.begun = true;
            if self.kept.starts_with(BOM) {
                self.over = true;
                return;
            }
        }
        let end = match std::str::from_utf8(&self.kept) {
            Ok(text) => text.len(),
            Err(error) => {
                self.over = error.error_len().is_some();
                error.valid_up_to()
            }
        };
        let end = end - usize::from(self.kept[..end].ends_with(b"\r"));
        self.inner.push(&self.kept[..end], sink);
        self.kept.drain(..end);
    }

    fn finish(&mut self, sink: Sink<'_>) {
        self.inner.finish(sink);
    }
}

/// `for block in text.split("\n\n")`, then the lines of the block that start with `data:`.
#[derive(Debug, Default)]
pub(super) struct SplitBlankLine {
    block: Block,
    /// The unfinished line.
    line: Vec<u8>,
    /// Lines of the block that have ended.
    ended: u64,
    /// Offsets of block, line and next byte.
    start: u64,
    line_start: u64,
    at: u64,
}

impl SplitBlankLine {
    fn push(&mut self, mut bytes: &[u8], sink: Sink<'_>) {
        while let Some(length) = memchr::memchr(b'\n', bytes) {
            self.line.extend_from_slice(&bytes[..length]);
            bytes = &bytes[length + 1..];
            self.at += length as u64 + 1;
            self.end_line(sink);
        }
        self.line.extend_from_slice(bytes);
        self.at += bytes.len() as u64;
    }

    fn end_line(&mut self, sink: Sink<'_>) {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() && self.ended > 0 {
            let block = std::mem::take(&mut self.block);
            if !block.lines.is_empty() {
                sink(block.event(Span::new(self.start, self.at), None));
            }
            (self.start, self.ended) = (self.at, 0);
        } else {
            self.ended += 1;
            if let (name, Some(value)) = field(&line) {
                match name {
                    b"data" => self.block.data(&line[value..], Span::new(self.line_start + value as u64, self.at - 1)),
                    b"event" => self.block.event = lossy(&line[value..]).into_owned(),
                    _ => {}
                }
            }
        }
        self.line_start = self.at;
        self.line = line;
        self.line.clear();
    }
}

/// Decodes each read by itself, then reads by the standard.
#[derive(Debug)]
pub(super) struct ChunkUtf8 {
    inner: Box<Client>,
    /// Half a character at the end of what came of the present read.
    kept: Vec<u8>,
    /// Bytes of the body and of the decoded text so far.
    at: u64,
    text: u64,
    /// Where each stretch of the decoded text stands in the body, as far as an unfinished event may need it.
    places: Vec<(u64, Span)>,
}

impl ChunkUtf8 {
    fn push(&mut self, bytes: &[u8], border: bool, sink: Sink<'_>) {
        self.kept.extend_from_slice(bytes);
        let kept = std::mem::take(&mut self.kept);
        let end = match std::str::from_utf8(&kept) {
            Err(error) if error.error_len().is_none() && !border => error.valid_up_to(),
            // Only the last three bytes may be half a character.
            Err(_) if !border => kept.len() - unfinished(&kept),
            _ => kept.len(),
        };
        for chunk in kept[..end].utf8_chunks() {
            self.part(chunk.valid().as_bytes(), false, sink);
            self.part(chunk.invalid(), true, sink);
        }
        self.kept = kept;
        self.kept.drain(..end);
    }

    /// A stretch of the body, well-formed or to be replaced.
    fn part(&mut self, part: &[u8], ill: bool, sink: Sink<'_>) {
        if part.is_empty() {
            return;
        }
        let here = Span::new(self.at, self.at + part.len() as u64);
        match self.places.last_mut() {
            // Stretches that run on alike are one.
            Some((text, place)) if !ill && self.text - *text == place.len() => place.end = here.end,
            _ => self.places.push((self.text, here)),
        }
        self.at = here.end;
        let decoded = if ill { "\u{fffd}".as_bytes() } else { part };
        self.text += decoded.len() as u64;
        let Self { inner, places, .. } = self;
        inner.push(decoded, false, &mut |event| told(places, event, sink));
    }

    fn finish(&mut self, sink: Sink<'_>) {
        self.push(&[], true, sink);
        let Self { inner, places, .. } = self;
        inner.finish(&mut |event| told(places, event, sink));
    }
}

/// Hands an event on with its places in the body; what stands before it is needed no more.
fn told(places: &mut Vec<(u64, Span)>, mut event: Event, sink: Sink<'_>) {
    let end = event.span.end;
    for span in event.lines.iter_mut().chain([&mut event.span]) {
        *span = Span::new(back(places, span.start), back(places, span.end));
    }
    let done = places.partition_point(|&(text, _)| text <= end).saturating_sub(1);
    places.drain(..done);
    sink(event);
}

fn back(places: &[(u64, Span)], offset: u64) -> u64 {
    let at = places.partition_point(|&(text, _)| text <= offset).saturating_sub(1);
    places.get(at).map_or(0, |&(text, place)| (place.start + offset.saturating_sub(text)).min(place.end))
}

/// How many of the last bytes are the beginning of a character that may still become whole.
pub(super) fn unfinished(bytes: &[u8]) -> usize {
    (1..=bytes.len().min(3))
        .rev()
        .find(|&length| {
            let tail = &bytes[bytes.len() - length..];
            matches!(std::str::from_utf8(tail), Err(error) if error.valid_up_to() == 0 && error.error_len().is_none())
        })
        .unwrap_or(0)
}

/// The standard's rules for fields on other lines.
#[derive(Debug)]
pub(super) struct SplitLines {
    lines: Lines,
    block: Block,
    last_id: String,
}

impl SplitLines {
    fn push(&mut self, bytes: &[u8], sink: Sink<'_>) {
        let Self { lines, block, last_id } = self;
        lines.push(bytes, &mut |line| Self::line(block, last_id, line, sink));
    }

    fn finish(&mut self, sink: Sink<'_>) {
        let Self { lines, block, last_id } = self;
        lines.finish(&mut |line| Self::line(block, last_id, line, sink));
    }

    fn line(block: &mut Block, last_id: &mut String, line: Line<'_>, sink: Sink<'_>) {
        let line = if line.span.start == 0 { without_bom(line) } else { line };
        if line.text.is_empty() {
            let span = block.span(line);
            if let Some(id) = block.id.take() {
                *last_id = id;
            }
            let done = std::mem::take(block);
            if !done.lines.is_empty() {
                sink(done.event(span, Some(last_id.clone())));
            }
            return;
        }
        let (name, value) = field(line.text);
        if !name.is_empty() || value.is_none() {
            block.field(line, name, value.unwrap_or(line.text.len()));
        }
    }
}

/// Every blank line is a message; a field needs its colon behind at least one byte; `data` is joined only where there is some already;
/// each value is decoded by itself, and loses a BOM.
#[derive(Debug)]
pub(super) struct FetchEventSource {
    split: Lines,
    start: Option<u64>,
    kind: String,
    data: String,
    id: String,
    lines: Vec<Span>,
}

impl FetchEventSource {
    fn new() -> Self {
        Self {
            split: Lines::new(Ends::Standard),
            start: None,
            kind: String::new(),
            data: String::new(),
            id: String::new(),
            lines: Vec::new(),
        }
    }

    fn held(&self) -> usize {
        self.split.held() + self.data.len() + self.lines.len() * size_of::<Span>()
    }

    fn push(&mut self, bytes: &[u8], sink: Sink<'_>) {
        self.each(|lines, told| lines.push(bytes, told), sink);
    }

    fn finish(&mut self, sink: Sink<'_>) {
        self.each(Lines::finish, sink);
    }

    fn each(&mut self, split: impl FnOnce(&mut Lines, &mut dyn FnMut(Line<'_>)), sink: Sink<'_>) {
        let mut lines = std::mem::replace(&mut self.split, Lines::new(Ends::Standard));
        split(&mut lines, &mut |line| self.line(line, sink));
        self.split = lines;
    }

    fn line(&mut self, line: Line<'_>, sink: Sink<'_>) {
        if line.text.is_empty() {
            let span = Span::new(self.start.take().unwrap_or(line.span.start), line.next);
            let event = if self.kind.is_empty() { "message".to_owned() } else { std::mem::take(&mut self.kind) };
            sink(Event {
                span,
                event,
                data: std::mem::take(&mut self.data),
                id: Some(std::mem::take(&mut self.id)),
                lines: std::mem::take(&mut self.lines),
                oversized: false,
            });
            return;
        }
        let (name, value) = field(line.text);
        self.start.get_or_insert(line.span.start);
        let Some(value) = value.filter(|_| !name.is_empty()) else { return };
        let bytes = &line.text[value..];
        let text = lossy(bytes.strip_prefix(BOM).unwrap_or(bytes));
        match name.strip_prefix(BOM).unwrap_or(name) {
            b"data" => {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(&text);
                self.lines.push(Span::new(line.span.start + value as u64, line.span.end));
            }
            b"event" => self.kind = text.into_owned(),
            b"id" => self.id = text.into_owned(),
            _ => {}
        }
    }
}

/// A blank line dispatches unless there was neither event, data nor retry, nor any id ever.
#[derive(Debug)]
pub(super) struct OpenaiPython {
    lines: Lines,
    block: Block,
    last_id: String,
    retry: bool,
}

impl OpenaiPython {
    fn push(&mut self, bytes: &[u8], sink: Sink<'_>) {
        let Self { lines, block, last_id, retry } = self;
        lines.push(bytes, &mut |line| Self::line(block, last_id, retry, line, sink));
    }

    fn finish(&mut self, sink: Sink<'_>) {
        let Self { lines, block, last_id, retry } = self;
        lines.finish(&mut |line| Self::line(block, last_id, retry, line, sink));
    }

    fn line(block: &mut Block, last_id: &mut String, retry: &mut bool, line: Line<'_>, sink: Sink<'_>) {
        if line.text.is_empty() {
            let span = block.span(line);
            if let Some(id) = block.id.take() {
                *last_id = id;
            }
            let done = std::mem::take(block);
            let retried = std::mem::take(retry);
            if !done.event.is_empty() || !done.lines.is_empty() || !last_id.is_empty() || retried {
                sink(done.event(span, Some(last_id.clone())));
            }
            return;
        }
        if line.text.starts_with(b":") {
            return;
        }
        let (name, value) = field(line.text);
        let value = value.unwrap_or(line.text.len());
        *retry |= name == b"retry" && python_int(&lossy(&line.text[value..]));
        block.field(line, name, value);
    }
}

/// What `int()` takes, of ASCII digits: a sign, and underscores between digits.
fn python_int(text: &str) -> bool {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.split('_').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// By the standard, but whatever is missing at the end, a line end and a blank line complete it; where nothing is, they add nothing.
#[derive(Debug)]
pub(super) struct Unterminated {
    inner: Standard,
    at: u64,
    last: u8,
}

impl Unterminated {
    fn push(&mut self, bytes: &[u8], sink: Sink<'_>) {
        self.at += bytes.len() as u64;
        self.last = bytes.last().copied().unwrap_or(self.last);
        self.inner.push(bytes, sink);
    }

    fn finish(&mut self, sink: Sink<'_>) {
        let (end, ends) = (self.at, if self.last == b'\r' { b"\r\r" } else { b"\n\n" });
        let mut within = |mut event: Event| {
            event.span.end = event.span.end.min(end);
            sink(event);
        };
        self.inner.push(ends, &mut within);
        self.inner.finish(&mut within);
    }
}

fn without_bom(line: Line<'_>) -> Line<'_> {
    match line.text.strip_prefix(BOM) {
        Some(text) => Line { text, span: Span::new(3, line.span.end), ..line },
        None => line,
    }
}
