//! Conditions on a payload's JSON: `$.choices[0].delta.content` asks whether the path leads somewhere, `$.usage.total_tokens>100`
//! and `$.type=ping` compare what it leads to, `$..finish_reason~/stop/` matches it.
//!
//! Paths are those of RFC 9535 without slices, filter selectors and lists of selectors: `$`, `.name`, `['name']`, `[0]`, `[-1]`,
//! `.*`, `[*]` and each of them behind `..`. They are walked over the document as it was sent, so of keys that stand twice both
//! count, and numbers compare with all their digits. A condition holds if it holds for one of the values a path leads to.

use std::borrow::Cow;
use std::cmp::Ordering;

use weir_frames::json::{self, Kind, Node};

use super::pattern::Pattern;
use super::payload::unescaped;

/// A path and what must be true of what it leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    segments: Vec<Segment>,
    check: Check,
}

#[derive(Clone, Debug, PartialEq)]
struct Segment {
    /// Behind `..`: children of what was reached, and of all that is in it (RFC 9535 §2.5.2).
    deep: bool,
    selector: Selector,
}

#[derive(Clone, Debug, PartialEq)]
enum Selector {
    Name(String),
    Index(i64),
    Any,
}

#[derive(Clone, Debug, PartialEq)]
enum Check {
    Exists,
    /// Equal to one of these; or, negated, to none.
    Equals(Vec<Value>, bool),
    /// A number that compares so.
    Compares(&'static [Ordering], Number),
    Matches(Pattern),
}

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Number(Number),
    /// A string, or a word that is read as `true`, `false` or `null` too unless it is quoted.
    Text(String, bool),
}

/// A number with all its digits where it is whole.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Number {
    Whole(i128),
    Real(f64),
}

impl Number {
    fn read(text: &str) -> Option<Self> {
        if !text.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            return None;
        }
        text.parse().ok().map(Self::Whole).or_else(|| text.parse().ok().map(Self::Real))
    }

    fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => Some(a.cmp(&b)),
            (a, b) => a.real().partial_cmp(&b.real()),
        }
    }

    fn real(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Real(real) => real,
        }
    }
}

impl Condition {
    /// Reads what stands behind `json:`.
    pub fn parse(source: &str) -> Result<Self, String> {
        let Some(mut rest) = source.strip_prefix('$') else { return Err("a JSON path begins with $, as in json:$.usage".into()) };
        let mut segments = Vec::new();
        while let Some((segment, behind)) = segment(rest)? {
            segments.push(segment);
            rest = behind;
        }
        Ok(Self { segments, check: check(rest)? })
    }

    /// Whether it holds for a payload; one that is no JSON fails it.
    pub fn holds(&self, data: &[u8]) -> bool {
        if !self.may_hold(data) {
            return false;
        }
        let (nodes, _) = json::parse(data);
        self.reached(data, &nodes).into_iter().any(|at| self.check.holds(data, &nodes[at]))
    }

    /// A quick look: a name the path needs stands in the payload, unless the payload may have it escaped.
    fn may_hold(&self, data: &[u8]) -> bool {
        let plain = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        self.segments.iter().all(|segment| match &segment.selector {
            Selector::Name(name) if plain(name) => {
                memchr::memmem::find(data, name.as_bytes()).is_some() || memchr::memmem::find(data, b"\\u").is_some()
            }
            _ => true,
        })
    }

    /// Indices of the values that the path leads to. One pass over the document a segment.
    fn reached(&self, data: &[u8], nodes: &[Node]) -> Vec<usize> {
        let mut here: Vec<bool> = nodes.iter().map(|node| node.parent.is_none()).collect();
        for Segment { deep, selector } in &self.segments {
            if *deep {
                // A parent stands before its children.
                for at in 0..nodes.len() {
                    here[at] |= nodes[at].parent.is_some_and(|parent| here[parent as usize]);
                }
            }
            let lengths = if matches!(selector, Selector::Index(..0)) { lengths(nodes) } else { Vec::new() };
            let chosen = |node: &Node| {
                let Some(parent) = node.parent.map(|parent| parent as usize).filter(|&parent| here[parent]) else { return false };
                match selector {
                    Selector::Any => true,
                    Selector::Name(name) => node.key.is_some_and(|key| inside(data, key).as_ref() == name.as_bytes()),
                    Selector::Index(index) => {
                        let wanted = if *index < 0 { index + i64::from(lengths[parent]) } else { *index };
                        node.key.is_none() && i64::from(node.index) == wanted
                    }
                }
            };
            here = nodes.iter().map(chosen).collect();
        }
        here.iter().enumerate().filter(|(_, reached)| **reached).map(|(at, _)| at).collect()
    }
}

/// Children of every node.
fn lengths(nodes: &[Node]) -> Vec<u32> {
    let mut lengths = vec![0; nodes.len()];
    for parent in nodes.iter().filter_map(|node| node.parent) {
        lengths[parent as usize] += 1;
    }
    lengths
}

impl Check {
    fn holds(&self, data: &[u8], node: &Node) -> bool {
        let raw = || data.get(node.span.start as usize..node.span.end as usize).unwrap_or_default();
        let scalar = !matches!(node.kind, Kind::Object | Kind::Array);
        let text = || if node.kind == Kind::String { inside(data, node.span) } else { Cow::Borrowed(raw()) };
        let number = || if node.kind == Kind::Number { std::str::from_utf8(raw()).ok().and_then(Number::read) } else { None };
        match self {
            Self::Exists => true,
            Self::Equals(values, negated) => {
                let one = values.iter().any(|value| match value {
                    Value::Number(wanted) => number().and_then(|n| n.compare(*wanted)) == Some(Ordering::Equal),
                    Value::Text(wanted, quoted) => (!quoted || node.kind == Kind::String) && text().as_ref() == wanted.as_bytes(),
                });
                scalar && one != *negated
            }
            Self::Compares(wanted, than) => number().and_then(|n| n.compare(*than)).is_some_and(|order| wanted.contains(&order)),
            Self::Matches(pattern) => scalar && pattern.is_match(&text()),
        }
    }
}

/// A string without its quotes and escapes.
fn inside(data: &[u8], span: weir_frames::Span) -> Cow<'_, [u8]> {
    let raw = data.get(span.start as usize..span.end as usize).unwrap_or_default();
    let raw = raw.strip_prefix(b"\"").unwrap_or(raw);
    unescaped(raw.strip_suffix(b"\"").unwrap_or(raw))
}

type Read<'a, T> = Result<Option<(T, &'a str)>, String>;

/// The next segment and what stands behind it; `None` where the path ends.
fn segment(source: &str) -> Read<'_, Segment> {
    let (deep, rest) = match source.strip_prefix("..") {
        Some(rest) => (true, rest),
        None => (false, source),
    };
    let made = |selector| Segment { deep, selector };
    if let Some(inner) = rest.strip_prefix('[') {
        let (selector, behind) = bracketed(inner)?;
        return Ok(Some((made(selector), behind)));
    }
    let rest = match (deep, rest.strip_prefix('.')) {
        (false, Some(rest)) => rest,
        (false, None) => return Ok(None),
        (true, _) => rest,
    };
    if let Some(behind) = rest.strip_prefix('*') {
        return Ok(Some((made(Selector::Any), behind)));
    }
    // RFC 9535 §2.5.1.1: member-name-shorthand.
    let end = rest.find(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    if end == 0 {
        return Err("a name is missing behind the dot; in brackets any will do: ['a-b']".into());
    }
    if rest.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("a name behind a dot begins with no digit; an element is [0], a name in brackets any: ['0']".into());
    }
    Ok(Some((made(Selector::Name(rest[..end].to_owned())), &rest[end..])))
}

fn bracketed(inner: &str) -> Result<(Selector, &str), String> {
    let closed = |rest: &'_ str| rest.starts_with(']');
    if let Some(behind) = inner.strip_prefix("*]") {
        return Ok((Selector::Any, behind));
    }
    if let Some(quote) = inner.chars().next().filter(|c| matches!(c, '\'' | '"')) {
        let mut chars = inner[1..].char_indices();
        let mut name = String::new();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => name.extend(['\\'].into_iter().chain(chars.next().map(|(_, c)| c))),
                _ if c == quote => {
                    let behind = &inner[1 + at + 1..];
                    let name = name.replace("\\'", "'");
                    let name = String::from_utf8_lossy(&unescaped(name.as_bytes())).into_owned();
                    return if closed(behind) { Ok((Selector::Name(name), &behind[1..])) } else { Err("a ] is missing".into()) };
                }
                _ => name.push(c),
            }
        }
        return Err("the closing quote of a name is missing".into());
    }
    let end = inner.find(']').ok_or("a ] is missing")?;
    let index = inner[..end].parse().map_err(|_| {
        format!("[{}] is no selector here: [0], [-1], [*] and ['name'] are; slices, lists and ?-filters are not", &inner[..end])
    })?;
    Ok((Selector::Index(index), &inner[end + 1..]))
}

fn check(source: &str) -> Result<Check, String> {
    use Ordering::{Equal, Greater, Less};
    if source.is_empty() {
        return Ok(Check::Exists);
    }
    const OPERATORS: [&str; 8] = ["!=", "==", ">=", "<=", "=", ">", "<", "~"];
    let operator = OPERATORS.into_iter().find(|operator| source.starts_with(operator));
    let Some(operator) = operator else {
        return Err(format!("«{source}» cannot stand behind a path; =, !=, >, >=, <, <= and ~/…/ can"));
    };
    let value = &source[operator.len()..];
    if value.is_empty() {
        return Err(format!("{operator} needs a value"));
    }
    let number = || Number::read(value).ok_or_else(|| format!("«{value}» is no number; only numbers are compared with {operator}"));
    match operator {
        "~" => Pattern::parse(value).map(Check::Matches),
        "=" | "==" => Ok(Check::Equals(values(value)?, false)),
        "!=" => Ok(Check::Equals(values(value)?, true)),
        ">" => Ok(Check::Compares(&[Greater], number()?)),
        ">=" => Ok(Check::Compares(&[Greater, Equal], number()?)),
        "<" => Ok(Check::Compares(&[Less], number()?)),
        _ => Ok(Check::Compares(&[Less, Equal], number()?)),
    }
}

/// `ping,"a, b",3`: commas outside quotes part them.
fn values(source: &str) -> Result<Vec<Value>, String> {
    let mut all = Vec::new();
    let mut rest = source;
    loop {
        let end;
        if let Some(quoted) = rest.strip_prefix('"') {
            let close = quoted_end(quoted).ok_or("the closing quote is missing")?;
            all.push(Value::Text(String::from_utf8_lossy(&unescaped(&quoted.as_bytes()[..close])).into_owned(), true));
            end = close + 2;
        } else {
            end = rest.find(',').unwrap_or(rest.len());
            let word = &rest[..end];
            if word.is_empty() {
                return Err("a value is missing".into());
            }
            all.push(Number::read(word).map_or_else(|| Value::Text(word.to_owned(), false), Value::Number));
        }
        rest = &rest[end..];
        match rest.strip_prefix(',') {
            Some(behind) => rest = behind,
            None if rest.is_empty() => return Ok(all),
            None => return Err(format!("«{rest}» cannot stand behind a quoted value")),
        }
    }
}

fn quoted_end(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'"' => return Some(at),
            _ => {}
        }
    }
    None
}
