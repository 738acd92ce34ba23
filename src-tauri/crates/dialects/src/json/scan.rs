//! Finds where JSON values begin and end, by the grammar of RFC 8259, building nothing.
//!
//! A payload's outer object is walked once; of what it holds only the values a dialect asks for are walked again. That
//! is several times faster than a general parser, which must keep or convert what nobody reads.

use std::borrow::Cow;

use super::{Members, Raw};

/// Values nested deeper than this are refused: the walk is recursive. Real payloads stay below ten.
const DEPTH: u32 = 256;

/// An object's key, as sent.
#[derive(Clone, Copy)]
pub(crate) struct Key<'a> {
    text: &'a str,
    escaped: bool,
}

impl<'a> Key<'a> {
    /// The key itself.
    pub(crate) fn name(self) -> Cow<'a, str> {
        if self.escaped { super::unescaped(self.text) } else { Cow::Borrowed(self.text) }
    }
}

/// A walk through JSON text.
pub(crate) struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    /// A walk from the start of `text`.
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The one value that is all of the text, white space around it aside.
    pub(super) fn only(mut self) -> Option<Raw<'a>> {
        self.space();
        let value = self.value(0)?;
        self.end(value)
    }

    /// Calls `member` with every key and value of the object that is all of the text. `None` if the text is
    /// not one JSON object; what came before the fault was called by then.
    pub(super) fn members(self, mut member: impl FnMut(Key<'a>, Raw<'a>)) -> Option<()> {
        self.read(|key, scan| {
            member(key, scan.value(1)?);
            Some(())
        })
    }

    /// As [`Scan::members`], with values that `member` itself walks over.
    pub(super) fn read(mut self, mut member: impl FnMut(Key<'a>, &mut Self) -> Option<()>) -> Option<()> {
        self.space();
        self.object(&mut member)?;
        self.end(())
    }

    /// The object that begins here, its members handed to `member`.
    fn object(&mut self, member: &mut impl FnMut(Key<'a>, &mut Self) -> Option<()>) -> Option<()> {
        self.byte(b'{')?;
        self.list(b'}', |scan| {
            let key = scan.key()?;
            member(key, scan)
        })
    }

    /// The value that begins here, a member of the outermost object.
    pub(crate) fn member_value(&mut self) -> Option<Raw<'a>> {
        self.value(1)
    }

    /// As [`Scan::member_value`]; if it is an array of nothing but one object, `T` of that object too, for no second walk.
    pub(super) fn only_element<T: Members<'a>>(&mut self) -> Option<(Raw<'a>, Option<T>)> {
        if self.peek() != Some(b'[') {
            return Some((self.value(1)?, None));
        }
        let start = self.at;
        let (mut count, mut only) = (0, None);
        self.at += 1;
        self.list(b']', |scan| {
            count += 1;
            if count > 1 || scan.peek() != Some(b'{') {
                only = None;
                return scan.value(2).map(drop);
            }
            let mut known = T::default();
            scan.object(&mut |key, scan: &mut Self| {
                known.take(key, scan.value(3)?);
                Some(())
            })?;
            only = Some(known);
            Some(())
        })?;
        Some((self.text.get(start..self.at).map(Raw)?, only))
    }

    /// Calls `element` with every element of the array that is all of the text.
    pub(super) fn elements(mut self, mut element: impl FnMut(Raw<'a>)) -> Option<()> {
        self.space();
        self.byte(b'[')?;
        self.list(b']', |scan| {
            element(scan.value(1)?);
            Some(())
        })?;
        self.end(())
    }

    fn end<T>(mut self, value: T) -> Option<T> {
        self.space();
        (self.at == self.text.len()).then_some(value)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn byte(&mut self, byte: u8) -> Option<()> {
        (self.peek() == Some(byte)).then(|| self.at += 1)
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// Items separated by commas up to `close`; the opening bracket is behind, white space before an item is skipped.
    fn list(&mut self, close: u8, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.space();
        if self.byte(close).is_some() {
            return Some(());
        }
        loop {
            self.space();
            item(self)?;
            self.space();
            if self.byte(b',').is_none() {
                return self.byte(close);
            }
        }
    }

    /// A key with its colon and the white space around it.
    fn key(&mut self) -> Option<Key<'a>> {
        let start = self.at + 1;
        let escaped = self.string()?;
        let key = Key { text: self.text.get(start..self.at - 1)?, escaped };
        self.space();
        self.byte(b':')?;
        self.space();
        Some(key)
    }

    /// As [`Scan::key`], for a key that nobody asks for.
    fn skip_key(&mut self) -> Option<()> {
        self.string()?;
        self.space();
        self.byte(b':')?;
        self.space();
        Some(())
    }

    fn value(&mut self, depth: u32) -> Option<Raw<'a>> {
        let start = self.at;
        match self.peek()? {
            b'"' => {
                self.string()?;
            }
            b'{' if depth < DEPTH => {
                self.at += 1;
                self.list(b'}', |scan| {
                    scan.skip_key()?;
                    scan.value(depth + 1).map(drop)
                })?;
            }
            b'[' if depth < DEPTH => {
                self.at += 1;
                self.list(b']', |scan| scan.value(depth + 1).map(drop))?;
            }
            b't' => self.literal("true")?,
            b'f' => self.literal("false")?,
            b'n' => self.literal("null")?,
            _ => self.number()?,
        }
        self.text.get(start..self.at).map(Raw)
    }

    fn literal(&mut self, word: &str) -> Option<()> {
        self.text.as_bytes()[self.at..].starts_with(word.as_bytes()).then(|| self.at += word.len())
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.byte(b'-');
        if self.byte(b'0').is_none() {
            self.digits()?;
        }
        if self.byte(b'.').is_some() {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    /// A string with its quotes; whether it has escapes. Escapes are checked for form only: half a surrogate pair passes.
    fn string(&mut self) -> Option<bool> {
        self.byte(b'"')?;
        let bytes = self.text.as_bytes();
        let mut escaped = false;
        loop {
            self.at += unremarkable(&bytes[self.at..]);
            match *bytes.get(self.at)? {
                b'"' => {
                    self.at += 1;
                    return Some(escaped);
                }
                b'\\' => {
                    escaped = true;
                    match bytes.get(self.at + 1)? {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                        b'u' => {
                            let digits = bytes.get(self.at + 2..self.at + 6)?;
                            if !digits.iter().all(u8::is_ascii_hexdigit) {
                                return None;
                            }
                            self.at += 4;
                        }
                        _ => return None,
                    }
                    self.at += 2;
                }
                0..=0x1f => return None,
                _ => self.at += 1,
            }
        }
    }
}

/// How many bytes from the start surely come before the first quote, backslash or control character: all but fewer than eight.
fn unremarkable(bytes: &[u8]) -> usize {
    let mut at = 0;
    // Most strings are short: a few words first.
    while let Some(eight) = bytes[at..].first_chunk() {
        let step = plain(u64::from_le_bytes(*eight));
        at += step;
        if step < 8 {
            return at;
        }
        if at == 32 {
            // A long one goes by blocks, which compile to vector instructions.
            while bytes[at..].first_chunk().is_some_and(plain_block) {
                at += 32;
            }
        }
    }
    at
}

/// Whether none of the bytes is a quote, backslash or control character.
fn plain_block(block: &[u8; 32]) -> bool {
    let found = block.iter().fold(false, |found, &byte| found | (byte < 0x20) | (byte == b'"') | (byte == b'\\'));
    !found
}

/// How many of eight bytes (the first lowest) come before the first quote, backslash or control character. The borrow of each subtraction
/// can mark bytes above a real find, never below one, so the lowest mark is true.
fn plain(eight: u64) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word & HIGHS;
    let equals = |byte: u8| below(eight ^ (ONES * u64::from(byte)), 1);
    ((below(eight, 0x20) | equals(b'"') | equals(b'\\')).trailing_zeros() / 8) as usize
}
