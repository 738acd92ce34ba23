//! The grammar of RFC 8259 as a loop over an explicit stack.

use super::{Error, Kind, Node};
use crate::Span;

/// An object or array that is open.
struct Level {
    /// Its node; meaningless where no nodes are kept.
    node: u32,
    /// Children so far.
    children: u32,
    object: bool,
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The first byte that is not UTF-8, and whether the input merely ends inside a character there.
    bad_utf8: Option<(usize, bool)>,
    open: Vec<Level>,
    /// Documents so far.
    documents: u32,
    nodes: Option<&'a mut Vec<Node>>,
}

/// What may come next.
enum Expect {
    /// A value; in an array that was just opened also its end.
    Value { or_end: bool },
    /// A member's key; in an object that was just opened also its end.
    Key { or_end: bool },
    /// A comma or the end of the innermost level.
    Separator,
}

/// Parses all of `bytes` and returns how many documents there were.
pub(super) fn parse(bytes: &[u8], nodes: Option<&mut Vec<Node>>) -> Result<u32, Error> {
    let bad_utf8 = simdutf8::compat::from_utf8(bytes).err().map(|error| (error.valid_up_to(), error.error_len().is_none()));
    let mut parser = Parser { bytes, at: 0, bad_utf8, open: Vec::new(), documents: 0, nodes };
    let result = parser.documents();
    if let (Err(error), Some(nodes)) = (&result, &mut parser.nodes) {
        for level in &parser.open {
            nodes[level.node as usize].span.end = error.at;
        }
    }
    result
}

impl Parser<'_> {
    fn documents(&mut self) -> Result<u32, Error> {
        if self.bytes.starts_with(b"\xEF\xBB\xBF") {
            return Err(self.error("a byte order mark must not stand before a JSON text (§8.1)"));
        }
        loop {
            self.skip_blanks();
            if self.at == self.bytes.len() {
                return match self.documents {
                    0 => Err(self.error("a JSON text is one value, and there is none (§2)")),
                    documents => Ok(documents),
                };
            }
            self.document()?;
        }
    }

    fn document(&mut self) -> Result<(), Error> {
        let mut key = None;
        let mut expect = Expect::Value { or_end: false };
        loop {
            self.skip_blanks();
            expect = match expect {
                Expect::Value { or_end } => match self.peek() {
                    Some(b'{') => {
                        self.enter(Kind::Object, key.take())?;
                        Expect::Key { or_end: true }
                    }
                    Some(b'[') => {
                        self.enter(Kind::Array, key.take())?;
                        Expect::Value { or_end: true }
                    }
                    Some(b']') if or_end => {
                        self.leave();
                        Expect::Separator
                    }
                    _ => {
                        self.scalar(key.take())?;
                        Expect::Separator
                    }
                },
                Expect::Key { or_end } => match self.peek() {
                    Some(b'"') => {
                        let start = self.at as u64;
                        self.string()?;
                        key = Some(Span::new(start, self.at as u64));
                        self.skip_blanks();
                        if self.peek() != Some(b':') {
                            return Err(self.error("a colon must follow a member's name (§4)"));
                        }
                        self.at += 1;
                        Expect::Value { or_end: false }
                    }
                    Some(b'}') if or_end => {
                        self.leave();
                        Expect::Separator
                    }
                    _ => return Err(self.error("a member's name must be a string (§4)")),
                },
                Expect::Separator => match (self.peek(), self.open.last().map(|level| level.object)) {
                    (_, None) => return Ok(()),
                    (Some(b','), Some(object)) => {
                        self.at += 1;
                        if object { Expect::Key { or_end: false } } else { Expect::Value { or_end: false } }
                    }
                    (Some(b'}'), Some(true)) | (Some(b']'), Some(false)) => {
                        self.leave();
                        Expect::Separator
                    }
                    (_, Some(true)) => return Err(self.error("a comma or } must follow a member (§4)")),
                    (_, Some(false)) => return Err(self.error("a comma or ] must follow an element (§5)")),
                },
            };
            // A whole document ends here, before the blanks behind it are looked at.
            if matches!(expect, Expect::Separator) && self.open.is_empty() {
                return Ok(());
            }
        }
    }

    /// The opening bracket of an object or array.
    fn enter(&mut self, kind: Kind, key: Option<Span>) -> Result<(), Error> {
        let start = self.at as u64;
        let node = self.node(kind, key, Span::new(start, start + 1))?;
        self.at += 1;
        self.open.push(Level { node, children: 0, object: kind == Kind::Object });
        Ok(())
    }

    /// The closing bracket of the innermost level.
    fn leave(&mut self) {
        self.at += 1;
        if let (Some(level), Some(nodes)) = (self.open.pop(), &mut self.nodes) {
            nodes[level.node as usize].span.end = self.at as u64;
        }
    }

    fn scalar(&mut self, key: Option<Span>) -> Result<(), Error> {
        let start = self.at as u64;
        let kind = match self.peek() {
            Some(b'"') => {
                self.string()?;
                Kind::String
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                self.border()?;
                Kind::Number
            }
            Some(b't') => self.literal(b"true", Kind::Bool)?,
            Some(b'f') => self.literal(b"false", Kind::Bool)?,
            Some(b'n') => self.literal(b"null", Kind::Null)?,
            _ => return Err(self.error("no value starts like this (§3)")),
        };
        self.node(kind, key, Span::new(start, self.at as u64))?;
        Ok(())
    }

    /// Notes a value as the next child of the innermost level.
    fn node(&mut self, kind: Kind, key: Option<Span>, span: Span) -> Result<u32, Error> {
        let (parent, count) = match self.open.last_mut() {
            Some(level) => (Some(level.node), &mut level.children),
            None => (None, &mut self.documents),
        };
        let index = *count;
        *count = count.wrapping_add(1);
        let Some(nodes) = &mut self.nodes else { return Ok(0) };
        let Ok(node) = u32::try_from(nodes.len()) else {
            return Err(self.error("more values than can be told apart here (2^32)"));
        };
        nodes.push(Node { parent, key, index, span, kind });
        Ok(node)
    }

    fn literal(&mut self, word: &[u8], kind: Kind) -> Result<Kind, Error> {
        for &letter in word {
            if self.peek() != Some(letter) {
                return Err(self.error("the only literal names are true, false and null (§3)"));
            }
            self.at += 1;
        }
        self.border()?;
        Ok(kind)
    }

    /// A number or literal must not run on into something else.
    fn border(&mut self) -> Result<(), Error> {
        match self.peek() {
            None | Some(b' ' | b'\t' | b'\r' | b'\n' | b',' | b'}' | b']' | b'"' | b'{' | b'[') => Ok(()),
            Some(_) => Err(self.error("this cannot stand directly behind a number or literal name (§2)")),
        }
    }

    fn number(&mut self) -> Result<(), Error> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => {
                self.at += 1;
                if matches!(self.peek(), Some(b'0'..=b'9')) {
                    return Err(self.error("a number must not have leading zeros (§6)"));
                }
            }
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Error> {
        let count = self.bytes[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return Err(self.error("a digit must stand here in a number (§6)"));
        }
        self.at += count;
        Ok(())
    }

    /// A string from quote to quote. Surrogate escapes need not pair up: §8.2 leaves that open.
    fn string(&mut self) -> Result<(), Error> {
        let start = self.at;
        self.at += 1;
        loop {
            let rest = &self.bytes[self.at..];
            let run = rest.iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20);
            self.at += run.unwrap_or(rest.len());
            if let Some((bad, cut)) = self.bad_utf8.filter(|&(bad, _)| bad >= start && bad < self.at) {
                self.at = bad;
                let mut error = self.error("a JSON text must be UTF-8 (§8.1)");
                error.incomplete = cut;
                return Err(error);
            }
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(_) => return Err(self.error("a control character must be escaped in a string (§7)")),
                None => return Err(self.error("a string must end with a quotation mark (§7)")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Error> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                        return Err(self.error("\\u wants four hexadecimal digits (§7)"));
                    }
                    self.at += 1;
                }
            }
            _ => return Err(self.error("no such escape (§7)")),
        }
        Ok(())
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// An error at the byte that is next; at the end of input it is one of incompleteness.
    fn error(&self, rule: &str) -> Error {
        Error { at: self.at as u64, message: rule.to_owned(), incomplete: self.at == self.bytes.len() }
    }
}
