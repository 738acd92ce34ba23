//! The fields between two blank lines, as clients that go line by line gather them.

use std::borrow::Cow;

use super::Event;
use super::lines::Line;
use crate::Span;

/// Fields until a blank line.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) start: Option<u64>,
    pub(super) event: String,
    data: String,
    pub(super) id: Option<String>,
    pub(super) lines: Vec<Span>,
}

impl Block {
    /// Bytes that are kept.
    pub(super) fn held(&self) -> usize {
        self.data.len() + self.event.len() + self.lines.len() * size_of::<Span>()
    }

    pub(super) fn data(&mut self, value: &[u8], span: Span) {
        if !self.lines.is_empty() {
            self.data.push('\n');
        }
        self.data.push_str(&lossy(value));
        self.lines.push(span);
    }

    /// A field by the standard's rules; its value begins at `value` in the line.
    pub(super) fn field(&mut self, line: Line<'_>, name: &[u8], value: usize) {
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
    pub(super) fn span(&self, blank: Line<'_>) -> Span {
        Span::new(self.start.unwrap_or(blank.span.start), blank.next)
    }

    pub(super) fn event(self, span: Span, id: Option<String>) -> Event {
        let event = if self.event.is_empty() { "message".into() } else { self.event };
        Event { span, event, data: self.data, id, lines: self.lines, oversized: false }
    }
}

pub(super) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
