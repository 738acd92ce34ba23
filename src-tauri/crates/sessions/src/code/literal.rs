//! Values as each language writes them.

use serde_json::{Map, Value};

/// A language's words for JSON's.
#[derive(Clone, Copy)]
pub(super) enum Style {
    Python,
    JavaScript,
}

/// Short lists stay on their line up to this many columns.
const WIDTH: usize = 100;

/// The value over as many lines as it needs, all but the first indented by `indent` spaces.
pub(super) fn value(value: &Value, style: Style, indent: usize) -> String {
    let flat = flat(value, style);
    if flat.len() + indent <= WIDTH {
        return flat;
    }
    let step = match style {
        Style::Python => 4,
        Style::JavaScript => 2,
    };
    let inner = indent + step;
    let lines = |items: Vec<String>, open: char, close: char| {
        let items: String = items.iter().map(|item| format!("{:inner$}{item},\n", "")).collect();
        format!("{open}\n{items}{:indent$}{close}", "")
    };
    match value {
        Value::Array(list) if !list.is_empty() => lines(list.iter().map(|item| self::value(item, style, inner)).collect(), '[', ']'),
        Value::Object(map) if !map.is_empty() => lines(
            map.iter().map(|(name, item)| format!("{}: {}", member(name, style), self::value(item, style, inner))).collect(),
            '{',
            '}',
        ),
        _ => flat,
    }
}

fn flat(value: &Value, style: Style) -> String {
    match value {
        Value::Null => match style {
            Style::Python => "None".into(),
            Style::JavaScript => "null".into(),
        },
        Value::Bool(value) => match style {
            Style::Python if *value => "True".into(),
            Style::Python => "False".into(),
            Style::JavaScript => value.to_string(),
        },
        Value::Array(list) => format!("[{}]", list.iter().map(|item| flat(item, style)).collect::<Vec<_>>().join(", ")),
        Value::Object(map) if map.is_empty() => "{}".into(),
        Value::Object(map) => {
            let members: Vec<String> = map.iter().map(|(name, item)| format!("{}: {}", member(name, style), flat(item, style))).collect();
            match style {
                Style::Python => format!("{{{}}}", members.join(", ")),
                Style::JavaScript => format!("{{ {} }}", members.join(", ")),
            }
        }
        Value::String(value) => text(value),
        Value::Number(number) => number.to_string(),
    }
}

/// A string, as both languages and JSON write it. Line separators are escaped, which older JavaScript could not have in a string.
pub(super) fn text(text: &str) -> String {
    Value::from(text).to_string().replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029").replace('\u{7f}', "\\u007f")
}

fn member(name: &str, style: Style) -> String {
    let plain =
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    match style {
        // `__proto__` unquoted would set the prototype; quoted too, but no API has it.
        Style::JavaScript if plain => name.into(),
        _ => text(name),
    }
}

/// A string with the key in it: its pieces as literals, the variable between them.
pub(super) fn keyed(value: &str, variable: &str) -> String {
    let mut pieces = Vec::new();
    for (at, piece) in value.split("{key}").enumerate() {
        if at > 0 {
            pieces.push(variable.to_owned());
        }
        if !piece.is_empty() {
            pieces.push(text(piece));
        }
    }
    if pieces.is_empty() { "\"\"".into() } else { pieces.join(" + ") }
}

/// Fields as an object's lines.
pub(super) fn headers(headers: &[(String, String)], variable: &str, indent: usize) -> String {
    headers.iter().map(|(name, value)| format!("{:indent$}{}: {},\n", "", text(name), keyed(value, variable))).collect()
}

/// Members of a call's arguments, those of `known` first as they are, the others apart.
pub(super) fn split(body: &Map<String, Value>, known: &[&str]) -> (Map<String, Value>, Map<String, Value>) {
    body.clone().into_iter().partition(|(name, _)| known.contains(&name.as_str()))
}

/// A raw string of Rust.
pub(super) fn raw(text: &str) -> String {
    let mut hashes = String::new();
    while text.contains(&format!("\"{hashes}")) {
        hashes.push('#');
    }
    format!("r{hashes}\"{text}\"{hashes}")
}
