//! Clients that read a JSON value a line, each by the rules it reads by, on a stream that comes in pieces.

use super::Event;
use super::block::lossy;
use super::clients::{Sink, unfinished};
use super::lines::{Ends, Line, Lines};
use crate::ndjson::{Dissector, Item};
use crate::{Limits, Span, json};

/// Bytes behind its first line after which a read that holds more than one is told before its end.
const ENOUGH: usize = 4 << 10;

/// JSON's own white space (RFC 8259 §2): a parser takes it before and behind a value.
fn blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Hands on what a client gives its parser, without the blanks around it; nothing where there is nothing else. `span` is `bytes`' own.
fn hand_on(bytes: &[u8], span: Span, sink: Sink<'_>) {
    let Some(first) = bytes.iter().position(|&byte| !blank(byte)) else { return };
    let last = bytes.iter().rposition(|&byte| !blank(byte)).unwrap_or(first);
    let text = Span::new(span.start + first as u64, span.start + last as u64 + 1);
    sink(line(&bytes[first..=last], span, text));
}

fn line(text: &[u8], span: Span, place: Span) -> Event {
    Event { span, event: String::new(), data: lossy(text).into_owned(), id: None, lines: vec![place], oversized: false }
}

/// With a buffer for the unfinished line: by the standard, or without its last step.
#[derive(Debug)]
pub(super) struct Buffered {
    inner: Dissector,
    /// An unterminated last line is a line.
    last: bool,
}

impl Buffered {
    pub(super) fn new(limits: Limits, last: bool) -> Self {
        Self { inner: Dissector::new(limits), last }
    }

    pub(super) fn push(&mut self, bytes: &[u8], sink: Sink<'_>) {
        self.inner.push(bytes, &mut |item| owned(item, sink));
    }

    pub(super) fn finish(&mut self, sink: Sink<'_>) {
        if self.last {
            self.inner.finish(&mut |item| owned(item, sink));
        }
    }
}

fn owned(item: Item<'_>, sink: Sink<'_>) {
    if let Item::Line { span, data, bytes, oversized, .. } = item {
        sink(Event { oversized, ..line(bytes, span, data) });
    }
}

/// `split("\n")` of each read. It decodes as a stream, so that characters stay whole.
#[derive(Debug, Default)]
pub(super) struct SplitEachRead {
    /// What came of the read behind its last LF; between two reads, half a character.
    kept: Vec<u8>,
    /// Where that begins in the body.
    start: u64,
}

impl SplitEachRead {
    pub(super) fn push(&mut self, mut bytes: &[u8], border: bool, sink: Sink<'_>) {
        while let Some(length) = memchr::memchr(b'\n', bytes) {
            self.kept.extend_from_slice(&bytes[..length]);
            bytes = &bytes[length + 1..];
            let end = self.start + self.kept.len() as u64 + 1;
            hand_on(&self.kept, Span::new(self.start, end), sink);
            self.kept.clear();
            self.start = end;
        }
        self.kept.extend_from_slice(bytes);
        if border {
            self.end(self.kept.len() - unfinished(&self.kept), sink);
        }
    }

    pub(super) fn finish(&mut self, sink: Sink<'_>) {
        self.end(self.kept.len(), sink);
    }

    /// The read ends behind so many of the bytes that are kept.
    fn end(&mut self, length: usize, sink: Sink<'_>) {
        let span = Span::new(self.start, self.start + length as u64);
        hand_on(&self.kept[..length], span, sink);
        self.kept.drain(..length);
        self.start = span.end;
    }

    pub(super) fn held(&self) -> usize {
        self.kept.len()
    }
}

/// `JSON.parse` of each read. It decodes as a stream, so that characters stay whole.
#[derive(Debug, Default)]
pub(super) struct ParseEachRead {
    /// What came of the read, from its first byte that is no blank; between two reads, half a character.
    kept: Vec<u8>,
    start: u64,
    /// The first LF in it.
    first_end: Option<usize>,
    /// The read is told already: it holds more than one line, however it goes on.
    told: bool,
}

impl ParseEachRead {
    pub(super) fn push(&mut self, mut bytes: &[u8], border: bool, sink: Sink<'_>) {
        if self.told {
            self.start += bytes.len() as u64;
            self.told = !border;
            return;
        }
        if self.kept.is_empty() {
            let blanks = bytes.iter().position(|&byte| !blank(byte)).unwrap_or(bytes.len());
            self.start += blanks as u64;
            bytes = &bytes[blanks..];
        }
        self.first_end = self.first_end.or_else(|| memchr::memchr(b'\n', bytes).map(|at| self.kept.len() + at));
        self.kept.extend_from_slice(bytes);
        if border {
            self.end(self.kept.len() - unfinished(&self.kept), sink);
        } else if let Some(end) = self.first_end
            && self.kept.len() > end + ENOUGH
            && self.kept[end..].iter().any(|&byte| !blank(byte))
        {
            self.end(self.kept.len(), sink);
            self.told = true;
        }
    }

    pub(super) fn finish(&mut self, sink: Sink<'_>) {
        self.end(self.kept.len(), sink);
    }

    fn end(&mut self, length: usize, sink: Sink<'_>) {
        let span = Span::new(self.start, self.start + length as u64);
        hand_on(&self.kept[..length], span, sink);
        self.kept.drain(..length);
        self.start = span.end;
        self.first_end = None;
    }

    pub(super) fn held(&self) -> usize {
        self.kept.len()
    }
}

/// Lines as `str.splitlines` has them, with a buffer.
#[derive(Debug)]
pub(super) struct SplitLines(Lines);

impl SplitLines {
    pub(super) fn new() -> Self {
        Self(Lines::new(Ends::Python))
    }

    pub(super) fn push(&mut self, bytes: &[u8], sink: Sink<'_>) {
        self.0.push(bytes, &mut |line| told(line, sink));
    }

    pub(super) fn finish(&mut self, sink: Sink<'_>) {
        self.0.finish(&mut |line| told(line, sink));
        let rest = self.0.rest();
        // Half a line at the end is no line to the standard either: it is not what this client does otherwise.
        if json::is_value(rest.text) {
            told(rest, sink);
        }
    }

    pub(super) fn held(&self) -> usize {
        self.0.held()
    }
}

fn told(line: Line<'_>, sink: Sink<'_>) {
    hand_on(line.text, Span::new(line.span.start, line.next), sink);
}
