//! An event stream, or NDJSON, as other clients would have seen it: one line for each lens, with its first difference from the standard.

use serde_json::{Value, json};
use weir_frames::Span;
use weir_frames::lens::{Event, Format, Lens, first_difference};

use super::Dissect;

/// Gathers the body with the borders of the reads, because a lens may depend on either.
pub struct Lenses {
    format: Format,
    lenses: Vec<Lens>,
    body: Vec<u8>,
    reads: Vec<u64>,
}

impl Lenses {
    /// `name` is a lens's, or `all`.
    pub fn find(format: Format, name: &str) -> Result<Self, String> {
        if name == "all" {
            return Ok(Self::new(format, format.lenses().to_vec()));
        }
        let names = || format.lenses().iter().map(|lens| lens.name()).collect::<Vec<_>>().join(", ");
        let lens = format.find(name).ok_or_else(|| format!("there is no lens {name}; there are all, {}", names()))?;
        Ok(Self::new(format, vec![lens]))
    }

    fn new(format: Format, lenses: Vec<Lens>) -> Self {
        Self { format, lenses, body: Vec::new(), reads: Vec::new() }
    }
}

impl Dissect for Lenses {
    fn push(&mut self, bytes: &[u8], _: &mut Vec<u8>) {
        self.body.extend_from_slice(bytes);
        self.reads.push(self.body.len() as u64);
    }

    fn finish(&mut self, rows: &mut Vec<u8>) {
        let standard = self.format.standard().read(&self.body, &self.reads);
        let unit = if self.format == Format::Sse { "event" } else { "line" };
        for lens in &self.lenses {
            let events = lens.read(&self.body, &self.reads);
            let difference = first_difference(&self.body, &standard, &events).map(|found| {
                json!({ "kind": found.kind.name(), unit: found.index, "span": range(found.span), "message": found.message, "about": lens.about() })
            });
            let events: Vec<Value> = events.iter().map(if self.format == Format::Sse { event } else { line }).collect();
            let of = if self.format == Format::Sse { "events" } else { "lines" };
            let line = json!({ "lens": lens.name(), of: events, "first_difference": difference });
            rows.extend_from_slice(line.to_string().as_bytes());
            rows.push(b'\n');
        }
    }
}

fn event(event: &Event) -> Value {
    json!({ "span": range(event.span), "event": event.event, "data": event.data, "id": event.id })
}

/// A line has neither type nor id; what its parser makes of it is told instead.
fn line(line: &Event) -> Value {
    json!({ "span": range(line.span), "data": line.data, "json": weir_frames::json::is_value(line.data.as_bytes()) })
}

fn range(span: Span) -> [u64; 2] {
    [span.start, span.end]
}
