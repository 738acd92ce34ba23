//! A body that is one JSON array, told element by element as each becomes whole (RFC 8259 §5). Only strings and nesting are followed:
//! what an element holds is for [`crate::json`] to judge.

use crate::{Limits, Span};

/// One thing found in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// An element is whole.
    Element {
        /// First to last byte, white space around it left out.
        span: Span,
        /// Its bytes; empty where it is over [`Limits::unit`].
        bytes: &'a [u8],
        /// Longer than [`Limits::unit`]: counted, not gathered.
        oversized: bool,
    },
    /// The array's closing bracket.
    End {
        /// Where it stands.
        span: Span,
    },
    /// Bytes that belong to no array: before it, between its elements, or behind it.
    Stray {
        /// Where they stand.
        span: Span,
    },
    /// The input ended inside an element, or before the closing bracket.
    Incomplete {
        /// What is there of it.
        span: Span,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the opening bracket.
    Before,
    /// Between elements.
    Between,
    /// Inside an element: open brackets, in a string, behind a backslash.
    Inside { depth: u32, string: bool, escaped: bool },
    /// Behind the closing bracket.
    Behind,
}

/// The array dissector.
#[derive(Debug)]
pub struct Dissector {
    limits: Limits,
    at: u64,
    state: State,
    start: u64,
    carry: Vec<u8>,
    oversized: bool,
}

impl Dissector {
    /// A dissector at the first byte of a body.
    pub fn new(limits: Limits) -> Self {
        Self { limits, at: 0, state: State::Before, start: 0, carry: Vec::new(), oversized: false }
    }

    /// Takes the next bytes and tells the sink every item they complete.
    pub fn push(&mut self, bytes: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        let base = self.at;
        // Where in `bytes` the open element goes on.
        let mut from = 0;
        for (n, &byte) in bytes.iter().enumerate() {
            let at = base + n as u64;
            match self.state {
                State::Before | State::Between | State::Behind if byte.is_ascii_whitespace() => {}
                State::Before if byte == b'[' => self.state = State::Between,
                State::Between if byte == b',' => {}
                State::Between if byte == b']' => {
                    self.state = State::Behind;
                    sink(Item::End { span: Span::new(at, at + 1) });
                }
                State::Before | State::Behind => sink(Item::Stray { span: Span::new(at, at + 1) }),
                State::Between => {
                    (self.start, from) = (at, n);
                    self.state = State::Inside { depth: u32::from(matches!(byte, b'{' | b'[')), string: byte == b'"', escaped: false };
                }
                State::Inside { depth, string: true, escaped } => {
                    let closes = byte == b'"' && !escaped;
                    self.state = State::Inside { depth, string: !closes, escaped: byte == b'\\' && !escaped };
                    if closes && depth == 0 {
                        self.element(&bytes[from..=n], at + 1, sink);
                    }
                }
                State::Inside { depth, .. } => match byte {
                    b'{' | b'[' => self.state = State::Inside { depth: depth.saturating_add(1), string: false, escaped: false },
                    // A scalar has no bracket of its own: what closes the array, or parts it, ends the scalar.
                    b']' | b',' if depth == 0 => {
                        self.element(&bytes[from..n], at, sink);
                        if byte == b']' {
                            self.state = State::Behind;
                            sink(Item::End { span: Span::new(at, at + 1) });
                        }
                    }
                    b'}' | b']' if depth <= 1 => self.element(&bytes[from..=n], at + 1, sink),
                    b'}' | b']' => self.state = State::Inside { depth: depth - 1, string: false, escaped: false },
                    b'"' => self.state = State::Inside { depth, string: true, escaped: false },
                    b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => self.element(&bytes[from..n], at, sink),
                    _ => {}
                },
            }
            if self.state == State::Between {
                from = n + 1;
            }
        }
        self.at = base + bytes.len() as u64;
        if matches!(self.state, State::Inside { .. }) {
            self.keep(&bytes[from.min(bytes.len())..]);
        }
    }

    /// Tells what the end of input cut off.
    pub fn finish(&mut self, sink: &mut impl FnMut(Item<'_>)) {
        match self.state {
            State::Inside { .. } => sink(Item::Incomplete { span: Span::new(self.start, self.at) }),
            State::Between => sink(Item::Incomplete { span: Span::new(self.at, self.at) }),
            State::Before | State::Behind => {}
        }
        self.carry = Vec::new();
        self.state = State::Behind;
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.oversized || self.carry.len() + bytes.len() > self.limits.unit {
            self.oversized = true;
            self.carry = Vec::new();
        } else {
            self.carry.extend_from_slice(bytes);
        }
    }

    fn element(&mut self, rest: &[u8], end: u64, sink: &mut impl FnMut(Item<'_>)) {
        let span = Span::new(self.start, end);
        self.state = State::Between;
        let oversized = self.oversized || self.carry.len() + rest.len() > self.limits.unit;
        if oversized {
            sink(Item::Element { span, bytes: &[], oversized });
        } else if self.carry.is_empty() {
            sink(Item::Element { span, bytes: rest, oversized });
        } else {
            self.carry.extend_from_slice(rest);
            sink(Item::Element { span, bytes: &self.carry, oversized });
        }
        self.oversized = false;
        self.carry.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(input: &[u8], size: usize) -> Vec<String> {
        let mut told = Vec::new();
        let mut dissector = Dissector::new(Limits::default());
        let mut sink = |item: Item<'_>| {
            told.push(match item {
                Item::Element { span, bytes, .. } => {
                    assert_eq!(bytes, &input[span.start as usize..span.end as usize]);
                    String::from_utf8_lossy(bytes).into_owned()
                }
                Item::End { .. } => "end".into(),
                Item::Stray { span } => format!("stray {}", span.start),
                Item::Incomplete { span } => format!("incomplete {}..{}", span.start, span.end),
            });
        };
        for part in input.chunks(size) {
            dissector.push(part, &mut sink);
        }
        dissector.finish(&mut sink);
        told
    }

    #[test]
    fn elements_come_out_the_same_however_the_input_is_split() {
        let input = br#" [ {"a":"]}\"\\","b":[1,{"c":[]}]},"x,\"]",12 ,true,null,[[]],{}] "#;
        let whole = run(input, input.len());
        assert_eq!(whole, [r#"{"a":"]}\"\\","b":[1,{"c":[]}]}"#, r#""x,\"]""#, "12", "true", "null", "[[]]", "{}", "end"]);
        for size in 1..input.len() {
            assert_eq!(run(input, size), whole, "{size} bytes at a time");
        }
    }

    #[test]
    fn what_is_cut_or_stray_is_told() {
        assert_eq!(run(br#"[{"a":1},{"b"#, 3), [r#"{"a":1}"#, "incomplete 9..12"]);
        assert_eq!(run(b"[1,", 1), ["1", "incomplete 3..3"]);
        assert_eq!(run(b"[]x", 1), ["end", "stray 2"]);
        assert_eq!(run(b"x[1]", 2), ["stray 0", "1", "end"]);
        assert!(run(b"", 1).is_empty());
    }
}
