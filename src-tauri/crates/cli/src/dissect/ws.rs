//! WebSocket frames and messages.

use weir_frames::http1::Side;
use weir_frames::ws::{Dissector, Item};
use weir_frames::{Limits, Span};

use super::Dissect;
use super::line::Line;

pub struct Ws(Dissector);

impl Ws {
    pub fn new(side: Side, extensions: &str) -> Self {
        Self(Dissector::new(side, extensions, Limits::default()))
    }
}

impl Dissect for Ws {
    fn push(&mut self, bytes: &[u8], rows: &mut Vec<u8>) {
        self.0.push(bytes, &mut |item| row(item, None, rows));
    }

    fn finish(&mut self, rows: &mut Vec<u8>) {
        self.0.finish(&mut |item| row(item, None, rows));
    }
}

/// An item as a line. `dir` tells who sent it where both directions are printed: `in` or `out`.
pub fn row(item: Item<'_>, dir: Option<&str>, rows: &mut Vec<u8>) {
    let begin = |rows, kind, span| match (Line::new(rows, "ws", kind, span), dir) {
        (line, Some(dir)) => line.field("dir", dir),
        (line, None) => line,
    };
    let rule = |rows, kind, code, message: &str, at| {
        begin(rows, kind, Span::new(at, at)).field("code", code).field("message", message).field("at", at).end();
    };
    const TEXT: u8 = 1;
    const CLOSE: u8 = 8;
    match item {
        Item::Frame(frame) => {
            let line = begin(rows, "frame", frame.span)
                .field("fin", frame.fin)
                .field("rsv", frame.rsv)
                .field("opcode", frame.opcode)
                .field("masked", frame.mask.is_some());
            let line = match frame.mask {
                Some(key) => line.hex("mask_key", &key),
                None => line.field("mask_key", ()),
            };
            let mut line =
                line.field("header_len", frame.header_len).field("payload_len", frame.payload_len).hex("payload_hex", frame.payload);
            if frame.payload.len() as u64 != frame.payload_len {
                line = line.field("oversized", true);
            }
            if frame.opcode == CLOSE {
                line = line.field("close_code", frame.close_code).field("close_reason", frame.close_reason.as_deref().unwrap_or_default());
            }
            marked(line, frame.after_error).end();
        }
        Item::Message { span, opcode, frames, data, deflated, oversized, after_error } => {
            let line = begin(rows, "message", span).field("opcode", opcode).field("frames", frames);
            let line = if opcode == TEXT { line.text("text", data) } else { line.hex("hex", data) };
            let line = line.field("deflated", deflated);
            marked(if oversized { line.field("oversized", true) } else { line }, after_error).end();
        }
        Item::Error { code, message, at } => rule(rows, "error", code, &message, at),
        Item::Warning { code, message, at } => rule(rows, "warning", code, &message, at),
        Item::Incomplete { span } => begin(rows, "incomplete", span).end(),
    }
}

fn marked(line: Line<'_>, after_error: bool) -> Line<'_> {
    if after_error { line.field("after_error", true) } else { line }
}
