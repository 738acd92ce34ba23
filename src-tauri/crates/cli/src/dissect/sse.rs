//! Server-sent events.

use weir_frames::Limits;
use weir_frames::sse::{Dissector, Item};

use super::Dissect;
use super::line::{Line, incomplete};

pub struct Sse {
    dissector: Dissector,
    all: bool,
}

impl Sse {
    pub fn new(last_event_id: &str, all: bool) -> Self {
        Self { dissector: Dissector::new(Limits::default(), last_event_id), all }
    }
}

impl Dissect for Sse {
    fn push(&mut self, bytes: &[u8], rows: &mut Vec<u8>) {
        self.dissector.push(bytes, &mut |item| row(item, self.all, rows));
    }

    fn finish(&mut self, rows: &mut Vec<u8>) {
        self.dissector.finish(&mut |item| row(item, self.all, rows));
    }
}

/// An item as a line. `all`: blocks without data too.
pub fn row(item: Item<'_>, all: bool, rows: &mut Vec<u8>) {
    match item {
        Item::Event(event) => {
            let line =
                Line::new(rows, "sse", "event", event.span).field("event", event.event).field("data", &event.data).field("id", event.id);
            if event.oversized { line.field("oversized", true) } else { line }.end();
        }
        Item::Comment { span, text } => Line::new(rows, "sse", "comment", span).field("text", text).end(),
        Item::Retry { span, ms } => Line::new(rows, "sse", "retry", span).field("ms", ms).end(),
        Item::Silent { span, id } if all => Line::new(rows, "sse", "silent", span).field("id", id).end(),
        Item::Silent { .. } => {}
        Item::Incomplete { span } => incomplete(rows, "sse", span),
    }
}
