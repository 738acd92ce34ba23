//! JSON values with their ranges, kept as sent. A document's values are told when it has all come: which of them are whole is known only then.

use weir_frames::Span;
use weir_frames::json::{self, Kind, Node};

use super::Dissect;
use super::line::{Line, incomplete, rule};

/// A path longer than this is given by its end: a document may be nested without bound, and its rows must not grow with the depth.
const LONGEST: usize = 512;

#[derive(Default)]
pub struct Json(Vec<u8>);

impl Dissect for Json {
    fn push(&mut self, bytes: &[u8], _: &mut Vec<u8>) {
        self.0.extend_from_slice(bytes);
    }

    fn finish(&mut self, rows: &mut Vec<u8>) {
        let bytes = std::mem::take(&mut self.0);
        let (values, error) = json::parse(&bytes);
        let second = json::second(&values);
        // Only containers are anyone's parent.
        let mut paths: Vec<Option<(String, u32)>> = Vec::with_capacity(values.len());
        for (number, value) in values.iter().enumerate() {
            if second == Some(value.span.start) && value.parent.is_none() {
                rule(
                    rows,
                    "json",
                    "error",
                    "several-values",
                    "a JSON text is one value, and here begins another (RFC 8259 §2)",
                    value.span.start,
                );
            }
            let (path, depth) = match value.parent.and_then(|parent| paths.get(parent as usize)?.as_ref()) {
                Some((parent, depth)) => (cut(parent, &step(&bytes, value)), depth + 1),
                None => ("$".to_owned(), 0),
            };
            row(&bytes, number, value, &path, depth, rows);
            paths.push(matches!(value.kind, Kind::Object | Kind::Array).then_some((path, depth)));
        }
        match error {
            Some(error) if error.incomplete => {
                incomplete(rows, "json", Span::new(open(&bytes, &values, error.at), bytes.len() as u64));
            }
            Some(error) => rule(rows, "json", "error", "syntax", &error.message, error.at),
            None => {}
        }
    }
}

fn row(bytes: &[u8], number: usize, value: &Node, path: &str, depth: u32, rows: &mut Vec<u8>) {
    let kind = match value.kind {
        Kind::Object => "object",
        Kind::Array => "array",
        Kind::String => "string",
        Kind::Number => "number",
        Kind::Bool => "bool",
        Kind::Null => "null",
    };
    let mut line = Line::new(rows, "json", kind, value.span).field("path", path);
    if let Some(key) = value.key {
        line = line.range("key_span", key);
    }
    if !matches!(value.kind, Kind::Object | Kind::Array) {
        line = line.text("value", slice(bytes, value.span));
    }
    line.field("number", number).field("parent", value.parent).field("index", value.index).field("depth", depth).end();
}

/// Where the document begins that the input's end, at `at`, cut.
fn open(bytes: &[u8], values: &[Node], at: u64) -> u64 {
    let from = match values.iter().rev().find(|value| value.parent.is_none()) {
        // An object or array that was left open reaches to the error.
        Some(last) if last.span.end >= at => return last.span.start,
        Some(last) => last.span.end,
        None => 0,
    };
    let rest = bytes.get(from as usize..).unwrap_or_default();
    from + rest.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(rest.len()) as u64
}

/// `.name`, `["odd name"]` or `[3]`.
fn step(bytes: &[u8], value: &Node) -> String {
    let Some(key) = value.key else { return format!("[{}]", value.index) };
    let quoted = slice(bytes, key);
    let name = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    let plain = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    if !name.is_empty() && name.iter().all(plain) && !name[0].is_ascii_digit() {
        format!(".{}", String::from_utf8_lossy(name))
    } else {
        format!("[{}]", String::from_utf8_lossy(quoted))
    }
}

fn cut(parent: &str, step: &str) -> String {
    let whole = format!("{parent}{step}");
    if whole.len() <= LONGEST {
        return whole;
    }
    let from = (whole.len() - LONGEST..=whole.len()).find(|&at| whole.is_char_boundary(at)).unwrap_or(whole.len());
    format!("…{}", &whole[from..])
}

fn slice(bytes: &[u8], span: Span) -> &[u8] {
    bytes.get(span.start as usize..span.end as usize).unwrap_or_default()
}
