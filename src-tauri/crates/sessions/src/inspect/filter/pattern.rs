//! Texts and regular expressions.

use regex::bytes::{Regex, RegexBuilder};

/// Bytes that a compiled expression, and its lazy automaton, may take.
const LARGEST: usize = 1 << 20;

/// A regular expression, `/…/` or `/…/i`. Its matching takes time linear in the text, whatever it is.
#[derive(Clone, Debug)]
pub struct Pattern {
    source: String,
    regex: Regex,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Pattern {
    /// Reads `/expression/` with its flags: `i` for letters in either case.
    pub fn parse(source: &str) -> Result<Self, String> {
        let inner = source.strip_prefix('/').ok_or("a regular expression stands between slashes")?;
        let (expression, flags) = split(inner).ok_or("the closing / is missing; quote the term to search for it as text")?;
        if expression.is_empty() {
            return Err("there is nothing between the slashes".into());
        }
        if !matches!(flags, "" | "i") {
            return Err("behind the closing / only i may stand; quote the term to search for it as text".into());
        }
        let regex = RegexBuilder::new(expression)
            .case_insensitive(flags == "i")
            .size_limit(LARGEST)
            .dfa_size_limit(LARGEST)
            .build()
            .map_err(|error| said(&error))?;
        Ok(Self { source: source.to_owned(), regex })
    }

    /// Whether it matches somewhere.
    pub fn is_match(&self, bytes: &[u8]) -> bool {
        self.regex.is_match(bytes)
    }
}

/// The expression and the flags behind its last slash.
fn split(inner: &str) -> Option<(&str, &str)> {
    let mut class = false;
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '[' => class = true,
            ']' => class = false,
            '/' if !class => return Some((&inner[..at], &inner[at + 1..])),
            _ => {}
        }
    }
    None
}

/// The reason alone: the crate draws the expression above it, over several lines.
fn said(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "this regular expression is too large once it is compiled".into(),
        other => {
            let text = other.to_string();
            let reason = text.lines().rev().find_map(|line| line.trim().strip_prefix("error: ")).unwrap_or(&text);
            format!("no regular expression: {reason}")
        }
    }
}

/// Whether `text` holds `words`, letters of ASCII in either case.
pub fn contains(text: &[u8], words: &[u8]) -> bool {
    let Some((&first, rest)) = words.split_first() else { return true };
    memchr::memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), text)
        .any(|at| text.get(at + 1..at + 1 + rest.len()).is_some_and(|behind| behind.eq_ignore_ascii_case(rest)))
}
