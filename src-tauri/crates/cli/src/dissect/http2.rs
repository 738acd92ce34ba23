//! HTTP/2 frames of one direction.

use weir_frames::http1::Side;
use weir_frames::http2::{Dissector, Frame, Item, error_name, frame_name, settings};
use weir_frames::{Limits, Span};

use super::Dissect;
use super::line::{Line, fields, incomplete, rule};

pub struct Http2 {
    dissector: Dissector,
    /// Where the open DATA frame's payload stands, padding left out.
    data: Option<Span>,
}

impl Http2 {
    pub fn new(side: Side) -> Self {
        Self { dissector: Dissector::new(side, Limits::default()), data: None }
    }
}

impl Dissect for Http2 {
    fn push(&mut self, bytes: &[u8], rows: &mut Vec<u8>) {
        let Self { dissector, data } = self;
        dissector.push(bytes, &mut |item| row(item, data, rows));
    }

    fn finish(&mut self, rows: &mut Vec<u8>) {
        let Self { dissector, data } = self;
        dissector.finish(&mut |item| row(item, data, rows));
    }
}

fn row(item: Item<'_>, data: &mut Option<Span>, rows: &mut Vec<u8>) {
    const LAYER: &str = "http2";
    match item {
        Item::Preface { span } => Line::new(rows, LAYER, "preface", span).end(),
        Item::Data { span, .. } => data.get_or_insert(span).end = span.end,
        Item::Frame(found) => frame(&found, data.take(), rows),
        Item::Error { code, message, at } => rule(rows, LAYER, "error", code, &message, at),
        Item::Incomplete { span } => incomplete(rows, LAYER, span),
    }
}

fn frame(frame: &Frame<'_>, data: Option<Span>, rows: &mut Vec<u8>) {
    const RST_STREAM: u8 = 3;
    const SETTINGS: u8 = 4;
    const GOAWAY: u8 = 7;
    const WINDOW_UPDATE: u8 = 8;
    const ACK: u8 = 1;
    let name = frame_name(frame.kind);
    let length = frame.span.len().saturating_sub(9);
    let mut line = Line::new(rows, "http2", "frame", frame.span)
        .field("type", name)
        .field("flags", frame.flags)
        .field("stream", frame.stream)
        .field("length", length);
    if name == "UNKNOWN" {
        line = line.field("type_id", frame.kind);
    }
    if let Some(headers) = frame.headers {
        line = line.field("headers", fields(headers.iter().map(|h| (h.name.as_slice(), h.value.as_slice()))));
    }
    if let Some(data) = data {
        line = line.place("data", data);
    }
    let number = |at: usize| frame.payload.get(at..at + 4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]));
    line = match frame.kind {
        SETTINGS if frame.flags & ACK == 0 => {
            let all: Vec<_> = settings(frame.payload)
                .map(|(id, name, value)| (if name == "UNKNOWN" { id.to_string() } else { name.to_owned() }, value))
                .collect();
            line.field("settings", all)
        }
        RST_STREAM if length == 4 => line.field("error", number(0).map(error_name)),
        GOAWAY if length >= 8 => line.field("last_stream", number(0).map(|id| id & 0x7fff_ffff)).field("error", number(4).map(error_name)),
        WINDOW_UPDATE if length == 4 => line.field("increment", number(0).map(|by| by & 0x7fff_ffff)),
        _ => line,
    };
    line.end();
}
