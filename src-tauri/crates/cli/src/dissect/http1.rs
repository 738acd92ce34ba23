//! HTTP/1.1 messages.

use weir_frames::http1::{Dissector, Item, Side};
use weir_frames::{Limits, Span};

use super::Dissect;
use super::line::{Line, fields, incomplete, rule};

pub struct Http1 {
    dissector: Dissector,
    side: Side,
    all: bool,
    /// Bytes behind a protocol switch, so far.
    upgraded: Option<Span>,
}

impl Http1 {
    pub fn new(side: Side, all: bool) -> Self {
        Self { dissector: Dissector::new(side, Limits::default()), side, all, upgraded: None }
    }
}

impl Dissect for Http1 {
    fn push(&mut self, bytes: &[u8], rows: &mut Vec<u8>) {
        let Self { dissector, side, all, upgraded } = self;
        dissector.push(bytes, &mut |item| row(item, *side, *all, upgraded, rows));
    }

    fn finish(&mut self, rows: &mut Vec<u8>) {
        let Self { dissector, side, all, upgraded } = self;
        let lost = dissector.lost().filter(|_| *all);
        dissector.finish(&mut |item| row(item, *side, *all, upgraded, rows));
        if let Some(span) = lost {
            Line::new(rows, "http1", "unframed", span).end();
        }
        if let Some(span) = upgraded.take() {
            // Told once, at the end: how many there are is known only then.
            Line::new(rows, "http1", "upgraded", span).place("data", span).end();
        }
    }
}

fn row(item: Item<'_>, side: Side, all: bool, upgraded: &mut Option<Span>, rows: &mut Vec<u8>) {
    const LAYER: &str = "http1";
    match item {
        Item::Head(head) => {
            let line = Line::new(rows, LAYER, "head", head.span);
            let line = if side == Side::Client {
                line.text("method", head.word).text("target", head.target)
            } else {
                line.field("status", head.status).text("reason", head.word)
            };
            let line = line.field("version", if head.minor == 0 { "1.0" } else { "1.1" });
            line.field("headers", fields(head.headers.iter().map(|h| (h.name, h.value)))).end();
        }
        Item::Chunk { span, data, extension } => {
            Line::new(rows, LAYER, "chunk", span).field("size", data.len()).place("data", data).text("ext", extension).end();
        }
        Item::LastChunk { span } => Line::new(rows, LAYER, "last-chunk", span).end(),
        Item::Trailers { span, headers } => {
            Line::new(rows, LAYER, "trailers", span).field("headers", fields(headers.iter().map(|h| (h.name, h.value)))).end();
        }
        Item::Body { span } => Line::new(rows, LAYER, "body", span).place("data", span).end(),
        Item::Upgraded { span, .. } => upgraded.get_or_insert(span).end = span.end,
        Item::Error { code, message, at } => rule(rows, LAYER, "error", code, &message, at),
        Item::Warning { code, message, at } => rule(rows, LAYER, "warning", code, &message, at),
        Item::Incomplete { span } => incomplete(rows, LAYER, span),
        Item::End { at } if all => Line::new(rows, LAYER, "end", Span::new(at, at)).end(),
        Item::End { .. } | Item::Data { .. } => {}
    }
}
