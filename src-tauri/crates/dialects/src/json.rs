//! JSON read in place: which member holds what, and where it stands in the payload.
//!
//! Payloads come by the hundred thousand and only a few bytes of each are text of the reply, so nothing is built
//! from what is not looked at: an object is read as the raw values of the members a dialect knows ([`object_of!`]), and a
//! raw value borrows from the payload, which gives its byte range for free.
//! Peers are not trusted to be tidy: a member that comes twice counts as it last came (as in JavaScript),
//! `null` counts as absent, and an escape of half a surrogate pair becomes U+FFFD instead of an error.

mod scan;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

pub(crate) use self::scan::{Key, Scan};

/// One JSON value as it was sent: well-formed, without white space around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Raw<'a>(&'a str);

impl<'a> Raw<'a> {
    /// The value's text.
    pub(crate) fn get(self) -> &'a str {
        self.0
    }
}

/// An object of which some members are known; made by [`object_of!`].
pub(crate) trait Members<'a>: Default {
    /// Takes the value of a member, `None` for `null`. Members that are not known are ignored.
    fn set(&mut self, key: &str, value: Option<Raw<'a>>);

    /// Takes a member as it was found.
    fn take(&mut self, key: Key<'a>, value: Raw<'a>) {
        self.set(&key.name(), (value.0 != "null").then_some(value));
    }

    /// Walks over the value that begins at `scan` and takes it.
    fn read(&mut self, key: Key<'a>, scan: &mut Scan<'a>) -> Option<()> {
        self.take(key, scan.member_value()?);
        Some(())
    }
}

/// An object with a member that mostly is an array of one object, which is read in the same walk; made by [`object_of!`].
pub(crate) fn read_only<'a, T: Members<'a>, E: Members<'a>>(object: &mut T, key: Key<'a>, scan: &mut Scan<'a>) -> Option<Option<E>> {
    let (value, only) = scan.only_element()?;
    object.take(key, value);
    Some(only)
}

/// Reads text that is one JSON value. The error is in words, with line and column.
pub(crate) fn value(text: &str) -> Result<Raw<'_>, String> {
    Scan::new(text).only().ok_or_else(|| fault(text))
}

/// Reads text that is one JSON object; `None` if it is anything else, or no JSON.
pub(crate) fn object<'a, T: Members<'a>>(text: &'a str) -> Option<T> {
    let mut object = T::default();
    Scan::new(text).read(|key, scan| object.read(key, scan))?;
    Some(object)
}

/// What is wrong with text that is not JSON.
fn fault(text: &str) -> String {
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => "it is nested too deep".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// The text of a payload, with the way back from a value to its place in the payload as it was sent.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    /// What is parsed.
    pub(crate) text: &'a str,
    /// Bytes of the payload before `text` (a byte order mark).
    skipped: usize,
    /// Offsets in `text` are offsets in the payload. Not so where ill-formed UTF-8 had to be replaced.
    exact: bool,
}

impl<'a> Source<'a> {
    /// A payload that is known to be UTF-8.
    pub(crate) fn new(text: &'a str) -> Self {
        match text.strip_prefix('\u{feff}') {
            Some(rest) => Self { text: rest, skipped: text.len() - rest.len(), exact: true },
            None => Self { text, skipped: 0, exact: true },
        }
    }

    /// Hands the source of `bytes` to `read`; ill-formed UTF-8 is replaced, at the cost of places.
    pub(crate) fn with<R>(bytes: &[u8], read: impl FnOnce(Source<'_>) -> R) -> R {
        match simdutf8::basic::from_utf8(bytes) {
            Ok(text) => read(Source::new(text)),
            Err(_) => {
                let text = String::from_utf8_lossy(bytes);
                read(Source { exact: false, ..Source::new(&text) })
            }
        }
    }

    /// Where `part`, a slice of this source's text, stands in the payload; empty where it is unknown.
    pub(crate) fn at(&self, part: &str) -> Range<usize> {
        let start = (part.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        if !self.exact || start > self.text.len() || start + part.len() > self.text.len() {
            return 0..0;
        }
        self.skipped + start..self.skipped + start + part.len()
    }

    /// Where a value stands: a string's content without its quotes, any other value whole.
    pub(crate) fn place(&self, raw: Raw<'_>) -> Range<usize> {
        self.at(content(raw).unwrap_or(raw.get()))
    }
}

/// A string value's content as it was sent, escapes and all; `None` if the value is not a string.
pub(crate) fn content(raw: Raw<'_>) -> Option<&str> {
    raw.get().strip_prefix('"')?.strip_suffix('"')
}

/// A string value; borrowed unless it has escapes. `None` if the value is not a string.
pub(crate) fn string(raw: Raw<'_>) -> Option<Cow<'_, str>> {
    content(raw).map(unescaped)
}

/// A string value that says something: not empty.
pub(crate) fn word(raw: Option<Raw<'_>>) -> Option<Cow<'_, str>> {
    raw.and_then(string).filter(|text| !text.is_empty())
}

/// A string as it is, any other value as JSON text.
pub(crate) fn shown(raw: Raw<'_>) -> Cow<'_, str> {
    string(raw).unwrap_or(Cow::Borrowed(raw.get()))
}

/// A count: also read from `3.0` and `"3"`, which some peers send.
pub(crate) fn count(raw: Option<Raw<'_>>) -> Option<u64> {
    let raw = raw?;
    let text = content(raw).unwrap_or(raw.get());
    text.parse().ok().or_else(|| {
        let number: f64 = text.parse().ok()?;
        (number.is_finite() && number >= 0.0).then_some(number as u64)
    })
}

/// Whether the value says anything: not `false`, `0`, `""`, `{}` or `[]` (`null` is never kept).
pub(crate) fn truthy(raw: Option<Raw<'_>>) -> Option<Raw<'_>> {
    raw.filter(|raw| {
        let text = raw.get();
        match text.as_bytes().first() {
            Some(b'{' | b'[') => {
                text.bytes().skip(1).find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| !matches!(byte, b'}' | b']'))
            }
            _ => !matches!(text, "false" | "0" | "\"\""),
        }
    })
}

/// Reads an object's members; `None` if the value is not an object.
pub(crate) fn members<'a, T: Members<'a>>(raw: Raw<'a>) -> Option<T> {
    object(raw.0)
}

/// The elements of an array; none if the value is not an array.
pub(crate) fn elements(raw: Raw<'_>) -> Vec<Raw<'_>> {
    let mut elements = Vec::new();
    each(raw, |element| elements.push(element));
    elements
}

/// Calls `f` with every element of an array, without building a list of them. Whether it was an array.
pub(crate) fn each<'a>(raw: Raw<'a>, f: impl FnMut(Raw<'a>)) -> bool {
    Scan::new(raw.0).elements(f).is_some()
}

/// Calls `f` with every key of an object, in order. Whether it was an object.
pub(crate) fn keys<'a>(raw: Raw<'a>, mut f: impl FnMut(Cow<'a, str>)) -> bool {
    Scan::new(raw.0).members(|key, _| f(key.name())).is_some()
}

/// What kind of JSON this is, in words, for payloads of no known shape.
pub(crate) fn shape(raw: Raw<'_>) -> String {
    match raw.get().as_bytes().first() {
        Some(b'{') => {
            let mut keys = Vec::new();
            Scan::new(raw.0).members(|key, _| keys.push(key.name()));
            if keys.is_empty() { "an empty JSON object".to_owned() } else { format!("a JSON object with {}", keys.join(", ")) }
        }
        Some(b'[') => format!("a JSON array of {}", elements(raw).len()),
        Some(b'"') => "a JSON string".to_owned(),
        Some(b't' | b'f') => "a JSON boolean".to_owned(),
        Some(b'n') => "JSON null".to_owned(),
        _ => "a JSON number".to_owned(),
    }
}

/// Undoes JSON's escapes; borrowed where there are none. Half a surrogate pair becomes U+FFFD.
pub(crate) fn unescaped(content: &str) -> Cow<'_, str> {
    if !content.as_bytes().contains(&b'\\') {
        return Cow::Borrowed(content);
    }
    let mut out = String::with_capacity(content.len());
    let mut rest = content;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(escape) = rest.chars().next() else {
            break;
        };
        rest = &rest[escape.len_utf8()..];
        match escape {
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'u' => {
                let (unit, after) = code_unit(rest);
                rest = after;
                let low = (0xd800..0xdc00).contains(&unit).then(|| rest.strip_prefix("\\u").map(code_unit)).flatten();
                match low {
                    Some((low, after)) if (0xdc00..0xe000).contains(&low) => {
                        rest = after;
                        let point = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                        out.push(char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    _ => out.push(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)),
                }
            }
            other => out.push(other),
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The four hex digits at the front, and what follows them.
fn code_unit(text: &str) -> (u32, &str) {
    match text.split_at_checked(4) {
        Some((digits, rest)) => (u32::from_str_radix(digits, 16).unwrap_or(0xfffd), rest),
        None => (0xfffd, ""),
    }
}

/// Declares a struct that holds the raw value of each named member of a JSON object, `None` where it is absent or `null`.
/// Other members are skipped; of a member that comes twice the last counts.
///
/// `only NAME: TYPE = KEY` after them: where that member is an array of nothing but one object, `NAME` holds it, read.
macro_rules! object_of {
    ($(#[$meta:meta])* $name:ident { $($field:ident: $key:literal,)* } $(only $only:ident: $element:ident = $list:literal)?) => {
        $(#[$meta])*
        #[derive(Default)]
        pub(crate) struct $name<'a> {
            $(pub(crate) $field: Option<$crate::json::Raw<'a>>,)*
            $(pub(crate) $only: Option<$element<'a>>,)?
        }

        impl<'a> $crate::json::Members<'a> for $name<'a> {
            fn set(&mut self, key: &str, value: Option<$crate::json::Raw<'a>>) {
                match key {
                    $($key => self.$field = value,)*
                    _ => {}
                }
            }
            $(
            fn read(&mut self, key: $crate::json::Key<'a>, scan: &mut $crate::json::Scan<'a>) -> Option<()> {
                if key.name() == $list {
                    self.$only = $crate::json::read_only(self, key, scan)?;
                } else {
                    self.take(key, scan.member_value()?);
                }
                Some(())
            }
            )?
        }
    };
}
pub(crate) use object_of;
