//! The filter language: `layer:sse kind:text,tool event:delta dir:in size>400 gap>50ms time:1.7..2.9s "error" -kind:usage`.
//!
//! Terms join with AND, commas with OR, `-` negates. Positions in errors count UTF-16 code units, as the page does.

use crate::analysis::{Fold, KINDS, Kind, Layer, Row, utf16_len};
use crate::view::FilterError;

/// A parsed filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq)]
struct Term {
    negated: bool,
    test: Test,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Layer(Vec<Layer>),
    Kind(Vec<Kind>),
    Event(Vec<String>),
    Out(bool),
    /// Bytes: minimum and maximum, both inclusive.
    Size(u64, u64),
    /// Nanoseconds since the row before.
    Gap(u64, u64),
    /// Nanoseconds since the session began.
    Time(u64, u64),
    Id(u64, u64),
    Text(String),
}

/// What a test may need besides the row itself.
pub struct Context<'a> {
    /// The fold that holds it.
    pub fold: &'a Fold,
    /// Time of the row before it, nanoseconds.
    pub before: u64,
    /// Its id.
    pub id: u64,
    /// Whether its text or payload holds the words; asked only where a filter has text.
    pub holds: &'a mut dyn FnMut(&Row, &str) -> bool,
}

impl Filter {
    /// Whether everything passes.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether carriers (chunks, DATA frames, fragments) are asked for: by a term that names a layer or kind of theirs.
    pub fn wants_carriers(&self) -> bool {
        self.terms.iter().any(|term| {
            !term.negated
                && match &term.test {
                    Test::Layer(layers) => layers.iter().any(|l| matches!(l, Layer::Chunk | Layer::H2)),
                    Test::Kind(kinds) => kinds.iter().any(|k| matches!(k, Kind::Chunk | Kind::Frame)),
                    _ => false,
                }
        })
    }

    /// Whether a row passes.
    pub fn passes(&self, row: &Row, context: &mut Context<'_>) -> bool {
        self.terms.iter().all(|term| term.negated != term.test.holds(row, context))
    }
}

impl Test {
    fn holds(&self, row: &Row, context: &mut Context<'_>) -> bool {
        let within = |value: u64, &(low, high): &(u64, u64)| low <= value && value <= high;
        match self {
            Self::Layer(layers) => layers.contains(&row.layer),
            Self::Kind(kinds) => kinds.contains(&row.kind),
            Self::Event(words) => {
                let word = context.fold.words.get(row.word as usize).map_or("", String::as_str);
                words.iter().any(|w| contains(word, w))
            }
            Self::Out(out) => context.fold.streams.get(row.stream as usize).is_some_and(|s| s.out == *out),
            Self::Size(low, high) => within(u64::from(row.len), &(*low, *high)),
            Self::Gap(low, high) => within(row.t.saturating_sub(context.before), &(*low, *high)),
            Self::Time(low, high) => within(row.t, &(*low, *high)),
            Self::Id(low, high) => within(context.id, &(*low, *high)),
            Self::Text(text) => (context.holds)(row, text),
        }
    }
}

/// Whether `text` holds `words`, letters of ASCII in either case.
pub fn contains(text: &str, words: &str) -> bool {
    contains_bytes(text.as_bytes(), words.as_bytes())
}

/// The same for bytes.
pub fn contains_bytes(text: &[u8], words: &[u8]) -> bool {
    let Some((&first, rest)) = words.split_first() else { return true };
    let (low, high) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
    let mut from = 0;
    while let Some(at) = text[from..].iter().position(|&b| b == low || b == high) {
        let behind = &text[from + at + 1..];
        if behind.len() < rest.len() {
            return false;
        }
        if behind[..rest.len()].eq_ignore_ascii_case(rest) {
            return true;
        }
        from += at + 1;
    }
    false
}

/// Parses a filter.
pub fn parse(source: &str) -> Result<Filter, FilterError> {
    let mut terms = Vec::new();
    for (start, word) in words(source) {
        let fail =
            |message: String| FilterError { start: utf16_len(&source[..start]), end: utf16_len(&source[..start + word.len()]), message };
        let (negated, body) = match word.strip_prefix('-') {
            Some(body) if !body.is_empty() => (true, body),
            _ => (false, word),
        };
        terms.push(Term { negated, test: test(body).map_err(fail)? });
    }
    Ok(Filter { terms })
}

/// Terms with their byte offsets: split at blanks outside quotes.
fn words(source: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let (mut start, mut quoted) = (None, false);
    for (at, c) in source.char_indices() {
        if c == '"' {
            quoted = !quoted;
        }
        if c.is_whitespace() && !quoted {
            if let Some(start) = start.take() {
                found.push((start, &source[start..at]));
            }
        } else {
            start.get_or_insert(at);
        }
    }
    found.extend(start.map(|start| (start, &source[start..])));
    found
}

fn test(body: &str) -> Result<Test, String> {
    if let Some(quoted) = body.strip_prefix('"') {
        let text = quoted.strip_suffix('"').ok_or("the closing quote is missing")?;
        return if text.is_empty() { Err("there is nothing between the quotes".into()) } else { Ok(Test::Text(text.into())) };
    }
    let Some(at) = body.find([':', '>', '<', '=']) else { return Ok(Test::Text(body.into())) };
    let (key, rest) = body.split_at(at);
    let operator = if rest[1..].starts_with('=') && !rest.starts_with(':') { &rest[..2] } else { &rest[..1] };
    let value = rest[operator.len()..].trim_matches('"');
    if value.is_empty() {
        return Err(format!("{key}{operator} needs a value"));
    }
    match key {
        "layer" => list(value, operator, |v| layer(v).map(|l| vec![l])).map(Test::Layer),
        "kind" => list(value, operator, kinds).map(Test::Kind),
        "event" => list(value, operator, |v| Some(vec![v.to_owned()])).map(Test::Event),
        "dir" => match value {
            "in" => Ok(Test::Out(false)),
            "out" => Ok(Test::Out(true)),
            _ => Err("dir is in or out".into()),
        },
        "size" => range(value, operator, size).map(|(low, high)| Test::Size(low, high)),
        "gap" => range(value, operator, |v| duration(v, 1e6)).map(|(low, high)| Test::Gap(low, high)),
        "time" => range(value, operator, |v| duration(v, 1e9)).map(|(low, high)| Test::Time(low, high)),
        "id" => range(value, operator, |v| v.trim_start_matches('#').parse().ok()).map(|(low, high)| Test::Id(low, high)),
        _ if operator == ":" => Err(format!(
            "there is no {key}: — there are layer, kind, event, dir, size, gap, time, id; quote the term to search for it as text"
        )),
        _ => Err(format!("{key} cannot be compared; size, gap, time and id can")),
    }
}

fn list<T>(value: &str, operator: &str, one: impl Fn(&str) -> Option<Vec<T>>) -> Result<Vec<T>, String> {
    if operator != ":" && operator != "=" {
        return Err("names take a colon".into());
    }
    let mut all = Vec::new();
    for part in value.split(',').filter(|part| !part.is_empty()) {
        all.extend(one(part).ok_or_else(|| format!("there is no «{part}»"))?);
    }
    if all.is_empty() { Err("a name is missing".into()) } else { Ok(all) }
}

fn layer(name: &str) -> Option<Layer> {
    [Layer::Http, Layer::Chunk, Layer::H2, Layer::Sse, Layer::Ndjson, Layer::Eventstream, Layer::Ws, Layer::Body].into_iter().find(|l| l.name() == name)
}

fn kinds(name: &str) -> Option<Vec<Kind>> {
    match name {
        "tool" | "tool-call" => Some(vec![Kind::ToolCall]),
        _ => KINDS.iter().copied().find(|k| k.name() == name).map(|k| vec![k]),
    }
}

/// `>x`, `>=x`, `<x`, `<=x`, `:x`, `:a..b` with open ends, all as an inclusive range.
fn range(value: &str, operator: &str, one: impl Fn(&str) -> Option<u64>) -> Result<(u64, u64), String> {
    let number = |v: &str| one(v).ok_or_else(|| format!("«{v}» is no number with a unit this takes"));
    match operator {
        ">" => Ok((number(value)?.saturating_add(1), u64::MAX)),
        ">=" => Ok((number(value)?, u64::MAX)),
        "<" => Ok((0, number(value)?.checked_sub(1).ok_or("nothing is below 0")?)),
        "<=" => Ok((0, number(value)?)),
        _ => match value.split_once("..") {
            Some((low, high)) => {
                // `1.7..2.9s`: the unit at the end holds for both.
                let unit: String = high.chars().skip_while(|c| c.is_ascii_digit() || *c == '.').collect();
                let bare = !low.is_empty() && low.chars().all(|c| c.is_ascii_digit() || c == '.');
                let low = if low.is_empty() { 0 } else { number(&if bare { format!("{low}{unit}") } else { low.to_owned() })? };
                let high = if high.is_empty() { u64::MAX } else { number(high)? };
                if low <= high { Ok((low, high)) } else { Err("the range ends before it begins".into()) }
            }
            None => number(value).map(|n| (n, n)),
        },
    }
}

/// Bytes, with `k`, `kB`, `M`, `MB` (powers of 1000) or `KiB`, `MiB`.
fn size(value: &str) -> Option<u64> {
    let digits = value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let scale = match &value[digits.len()..] {
        "" | "B" => 1.0,
        "k" | "kB" => 1e3,
        "M" | "MB" => 1e6,
        "KiB" => 1024.0,
        "MiB" => 1_048_576.0,
        _ => return None,
    };
    let number: f64 = digits.parse().ok()?;
    (number >= 0.0).then_some((number * scale) as u64)
}

/// Nanoseconds from `s`, `ms`, `us` or `µs`; `scale` is what a bare number counts in.
fn duration(value: &str, scale: f64) -> Option<u64> {
    let digits = value.trim_end_matches(|c: char| !c.is_ascii_digit() && c != '.');
    let scale = match &value[digits.len()..] {
        "" => scale,
        "s" => 1e9,
        "ms" => 1e6,
        "us" | "µs" => 1e3,
        "ns" => 1.0,
        _ => return None,
    };
    let number: f64 = digits.parse().ok()?;
    (number >= 0.0).then_some((number * scale).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_design_example_parses() {
        let filter = parse(r#"layer:sse kind:text,tool event:delta dir:in size>400 gap>50ms time:1.7..2.9s "error" -kind:usage"#).unwrap();
        assert_eq!(filter.terms.len(), 9);
        assert_eq!(filter.terms[1].test, Test::Kind(vec![Kind::Text, Kind::ToolCall]));
        assert_eq!(filter.terms[4].test, Test::Size(401, u64::MAX));
        assert_eq!(filter.terms[5].test, Test::Gap(50_000_001, u64::MAX));
        assert_eq!(filter.terms[6].test, Test::Time(1_700_000_000, 2_900_000_000));
        assert!(filter.terms[8].negated);
        assert!(!filter.wants_carriers());
        assert!(parse("layer:chunk").unwrap().wants_carriers());
    }

    #[test]
    fn errors_name_the_term_in_utf16() {
        let error = parse("😀 kind:txt").unwrap_err();
        assert_eq!((error.start, error.end), (3, 11));
        assert!(error.message.contains("txt"), "{}", error.message);
        for bad in ["size>x", "dir:up", "gap<0", "foo:bar", "time:3..2s", "\"", "kind:", "kind>text"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn text_is_found_in_either_case() {
        assert!(contains("Hello World", "WORLD"));
        assert!(contains("aab", "ab"));
        assert!(!contains("aa", "aab"));
    }
}
