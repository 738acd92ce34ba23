//! A row as a line of JSON, its fields in the order they are given.

use std::io::Write;

use serde::Serialize;
use weir_frames::Span;

/// A line under way; [`Line::end`] must follow.
pub struct Line<'a> {
    rows: &'a mut Vec<u8>,
}

impl<'a> Line<'a> {
    /// A line that begins with layer, kind and span.
    pub fn new(rows: &'a mut Vec<u8>, layer: &str, kind: &str, span: Span) -> Self {
        rows.extend_from_slice(b"{\"layer\":\"");
        rows.extend_from_slice(layer.as_bytes());
        rows.extend_from_slice(b"\",\"kind\":\"");
        rows.extend_from_slice(kind.as_bytes());
        rows.extend_from_slice(b"\"");
        Self { rows }.range("span", span)
    }

    /// Whatever serialises.
    pub fn field(self, name: &str, value: impl Serialize) -> Self {
        let before = self.rows.len();
        self.rows.extend_from_slice(b",\"");
        self.rows.extend_from_slice(name.as_bytes());
        self.rows.extend_from_slice(b"\":");
        if serde_json::to_writer(&mut *self.rows, &value).is_err() {
            // Text, numbers and lists of them always serialise; a field that did not would leave no half line behind.
            self.rows.truncate(before);
        }
        self
    }

    /// Bytes as text, ill-formed UTF-8 replaced.
    pub fn text(self, name: &str, bytes: &[u8]) -> Self {
        self.field(name, String::from_utf8_lossy(bytes))
    }

    /// Bytes in lower-case hexadecimal digits.
    pub fn hex(self, name: &str, bytes: &[u8]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.rows.extend_from_slice(b",\"");
        self.rows.extend_from_slice(name.as_bytes());
        self.rows.extend_from_slice(b"\":\"");
        self.rows.reserve(2 * bytes.len());
        for byte in bytes {
            self.rows.push(DIGITS[usize::from(byte >> 4)]);
            self.rows.push(DIGITS[usize::from(byte & 15)]);
        }
        self.rows.push(b'"');
        self
    }

    /// A range as `[start,end]`.
    pub fn range(self, name: &str, span: Span) -> Self {
        // Writing to memory does not fail.
        let _ = write!(self.rows, ",\"{name}\":[{},{}]", span.start, span.end);
        self
    }

    /// A range as `[offset,length]`.
    pub fn place(self, name: &str, span: Span) -> Self {
        let _ = write!(self.rows, ",\"{name}\":[{},{}]", span.start, span.len());
        self
    }

    /// The end of the line.
    pub fn end(self) {
        self.rows.extend_from_slice(b"}\n");
    }
}

/// A broken or bent rule.
pub fn rule(rows: &mut Vec<u8>, layer: &str, kind: &str, code: &str, message: &str, at: u64) {
    Line::new(rows, layer, kind, Span::new(at, at)).field("code", code).field("message", message).field("at", at).end();
}

/// What the end of input cut.
pub fn incomplete(rows: &mut Vec<u8>, layer: &str, span: Span) {
    Line::new(rows, layer, "incomplete", span).end();
}

/// Header fields as `[[name, value]]`.
pub fn fields<'a>(headers: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Vec<[String; 2]> {
    headers.map(|(name, value)| [String::from_utf8_lossy(name).into_owned(), String::from_utf8_lossy(value).into_owned()]).collect()
}
