//! `application/vnd.amazon.eventstream`.

use serde_json::{Value as Json, json};
use weir_frames::Limits;
use weir_frames::eventstream::{Dissector, Header, Item, Value};

use super::Dissect;
use super::line::{Line, incomplete, rule};

pub struct Eventstream(Dissector);

impl Eventstream {
    pub fn new() -> Self {
        Self(Dissector::new(Limits::default()))
    }
}

impl Dissect for Eventstream {
    fn push(&mut self, bytes: &[u8], rows: &mut Vec<u8>) {
        self.0.push(bytes, &mut |item| row(item, rows));
    }

    fn finish(&mut self, rows: &mut Vec<u8>) {
        self.0.finish(&mut |item| row(item, rows));
    }
}

fn row(item: Item<'_>, rows: &mut Vec<u8>) {
    match item {
        Item::Message(message) => {
            let headers: Vec<Json> = message.headers.iter().map(header).collect();
            let line =
                Line::new(rows, "eventstream", "message", message.span).field("headers", headers).place("payload", message.payload_span);
            let line = match std::str::from_utf8(message.payload) {
                Ok(text) => line.field("text", text),
                Err(_) => line.hex("hex", message.payload),
            };
            let line = line.field("intact", message.intact);
            if message.oversized { line.field("oversized", true) } else { line }.end();
        }
        Item::Error { code, message, at } => rule(rows, "eventstream", "error", code, &message, at),
        Item::Incomplete { span } => incomplete(rows, "eventstream", span),
    }
}

/// `[name, value, type]`; what is no JSON number or text is written in hexadecimal digits.
fn header(header: &Header<'_>) -> Json {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (value, kind) = match &header.value {
        Value::Bool(value) => (json!(value), "bool"),
        Value::Byte(value) => (json!(value), "byte"),
        Value::Short(value) => (json!(value), "short"),
        Value::Int(value) => (json!(value), "int"),
        Value::Long(value) => (json!(value), "long"),
        Value::Bytes(bytes) => (json!(hex(bytes)), "bytes"),
        Value::String(text) => (json!(text), "string"),
        Value::Timestamp(ms) => (json!(ms), "timestamp"),
        Value::Uuid(bytes) => (json!(hex(bytes)), "uuid"),
    };
    json!([header.name, value, kind])
}
