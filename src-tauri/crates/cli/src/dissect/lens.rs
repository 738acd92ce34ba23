//! An event stream as other clients would have seen it: one line for each lens, with its first difference from the standard.

use serde_json::{Value, json};
use weir_frames::Span;
use weir_frames::lens::{Event, Lens, first_difference};

use super::Dissect;

/// Gathers the body with the borders of the reads, because a lens may depend on either.
pub struct Lenses {
    lenses: Vec<Lens>,
    body: Vec<u8>,
    reads: Vec<u64>,
}

impl Lenses {
    /// `name` is a lens's, or `all`.
    pub fn find(name: &str) -> Result<Vec<Lens>, String> {
        if name == "all" {
            return Ok(Lens::ALL.to_vec());
        }
        let names = || Lens::ALL.map(Lens::name).join(", ");
        Lens::find(name).map(|lens| vec![lens]).ok_or_else(|| format!("there is no lens {name}; there are all, {}", names()))
    }

    pub fn new(lenses: Vec<Lens>) -> Self {
        Self { lenses, body: Vec::new(), reads: Vec::new() }
    }
}

impl Dissect for Lenses {
    fn push(&mut self, bytes: &[u8], _: &mut Vec<u8>) {
        self.body.extend_from_slice(bytes);
        self.reads.push(self.body.len() as u64);
    }

    fn finish(&mut self, rows: &mut Vec<u8>) {
        let standard = Lens::Standard.read(&self.body, &self.reads);
        for lens in &self.lenses {
            let events = lens.read(&self.body, &self.reads);
            let difference = first_difference(&self.body, &standard, &events).map(|found| {
                json!({ "kind": found.kind.name(), "event": found.index, "span": range(found.span), "message": found.message, "about": lens.about() })
            });
            let events: Vec<Value> = events.iter().map(event).collect();
            let line = json!({ "lens": lens.name(), "events": events, "first_difference": difference });
            rows.extend_from_slice(line.to_string().as_bytes());
            rows.push(b'\n');
        }
    }
}

fn event(event: &Event) -> Value {
    json!({ "span": range(event.span), "event": event.event, "data": event.data, "id": event.id })
}

fn range(span: Span) -> [u64; 2] {
    [span.start, span.end]
}
