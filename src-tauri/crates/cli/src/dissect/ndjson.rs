//! JSON lines.

use weir_frames::ndjson::{Dissector, Item};
use weir_frames::{Limits, json};

use super::Dissect;
use super::line::{Line, incomplete, rule};

pub struct Ndjson {
    dissector: Dissector,
    all: bool,
}

impl Ndjson {
    pub fn new(all: bool) -> Self {
        Self { dissector: Dissector::new(Limits::default()), all }
    }
}

impl Dissect for Ndjson {
    fn push(&mut self, bytes: &[u8], rows: &mut Vec<u8>) {
        self.dissector.push(bytes, &mut |item| row(item, self.all, rows));
    }

    fn finish(&mut self, rows: &mut Vec<u8>) {
        self.dissector.finish(&mut |item| row(item, self.all, rows));
    }
}

fn row(item: Item<'_>, all: bool, rows: &mut Vec<u8>) {
    match item {
        Item::Line { span, data, bytes, terminated, oversized } => {
            if !oversized && !json::is_value(bytes) {
                let (values, error) = json::parse(bytes);
                let at = data.start + error.map(|error| error.at).into_iter().chain(json::second(&values)).min().unwrap_or_default();
                rule(rows, "ndjson", "error", "not-json", "each line must be one JSON value (RFC 8259)", at);
            }
            let line = Line::new(rows, "ndjson", "line", span).place("data", data).text("text", bytes).field("terminated", terminated);
            if oversized { line.field("oversized", true) } else { line }.end();
        }
        Item::Blank { span } if all => Line::new(rows, "ndjson", "blank", span).end(),
        Item::Blank { .. } => {}
        Item::Incomplete { span } => incomplete(rows, "ndjson", span),
    }
}
