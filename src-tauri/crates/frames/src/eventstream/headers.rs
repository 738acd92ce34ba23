//! The headers of an event stream message.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::Span;

/// One header.
#[derive(Clone, Debug, PartialEq)]
pub struct Header<'a> {
    /// Name, ill-formed UTF-8 replaced.
    pub name: Cow<'a, str>,
    /// Typed value.
    pub value: Value<'a>,
    /// From the name's length to the value's last byte.
    pub span: Span,
}

/// A header's value; the type octet is given with each.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// 0 true, 1 false: no bytes of value.
    Bool(bool),
    /// 2: one byte.
    Byte(i8),
    /// 3: two bytes.
    Short(i16),
    /// 4: four bytes.
    Int(i32),
    /// 5: eight bytes.
    Long(i64),
    /// 6: as many bytes as a u16 before them says.
    Bytes(&'a [u8]),
    /// 7: text, as many bytes as a u16 before it says; ill-formed UTF-8 replaced.
    String(Cow<'a, str>),
    /// 8: milliseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
    /// 9: sixteen bytes.
    Uuid([u8; 16]),
}

/// Why a header block cannot be read to its end, and where.
pub(super) struct Fault {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) at: u64,
}

/// Reads a header block that stands at `at`: the headers up to the first that has no known end, and what is wrong.
pub(super) fn parse(block: &[u8], at: u64) -> (Vec<Header<'_>>, Vec<Fault>) {
    let mut cursor = Cursor { rest: block, at };
    let mut headers = Vec::new();
    let mut faults = Vec::new();
    let mut names = HashSet::new();
    while !cursor.rest.is_empty() {
        let start = cursor.at;
        let (&length, rest) = cursor.rest.split_first().unwrap_or((&0, &[]));
        match cursor.header(&mut faults) {
            Ok((name, value)) => {
                if !names.insert(&rest[..usize::from(length)]) {
                    faults.push(Fault { code: "duplicate-header", message: format!("the header `{name}` is there twice"), at: start });
                }
                headers.push(Header { name, value, span: Span::new(start, cursor.at) });
            }
            Err(message) => {
                faults.push(Fault { code: "bad-header", message, at: start });
                break;
            }
        }
    }
    (headers, faults)
}

struct Cursor<'a> {
    rest: &'a [u8],
    at: u64,
}

impl<'a> Cursor<'a> {
    fn header(&mut self, faults: &mut Vec<Fault>) -> Result<(Cow<'a, str>, Value<'a>), String> {
        let start = self.at;
        let [len] = self.array()?;
        let name = self.text(usize::from(len), faults)?;
        if len == 0 {
            faults.push(Fault { code: "bad-header", message: "a header's name must not be empty".into(), at: start });
        }
        let [kind] = self.array()?;
        let value = match kind {
            0 => Value::Bool(true),
            1 => Value::Bool(false),
            2 => Value::Byte(i8::from_be_bytes(self.array()?)),
            3 => Value::Short(i16::from_be_bytes(self.array()?)),
            4 => Value::Int(i32::from_be_bytes(self.array()?)),
            5 => Value::Long(i64::from_be_bytes(self.array()?)),
            6 => {
                let len = u16::from_be_bytes(self.array()?);
                Value::Bytes(self.take(usize::from(len))?)
            }
            7 => {
                let len = u16::from_be_bytes(self.array()?);
                Value::String(self.text(usize::from(len), faults)?)
            }
            8 => Value::Timestamp(i64::from_be_bytes(self.array()?)),
            9 => Value::Uuid(self.array()?),
            _ => return Err(format!("the header `{name}` has the unknown type {kind}, so its end is unknown")),
        };
        Ok((name, value))
    }

    fn text(&mut self, len: usize, faults: &mut Vec<Fault>) -> Result<Cow<'a, str>, String> {
        let at = self.at;
        let bytes = self.take(len)?;
        if let Err(error) = simdutf8::compat::from_utf8(bytes) {
            let at = at + error.valid_up_to() as u64;
            faults.push(Fault { code: "utf-8", message: "a header's name or text is not well-formed UTF-8".into(), at });
        }
        Ok(String::from_utf8_lossy(bytes))
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or("a header reaches beyond the header block")?;
        self.rest = rest;
        self.at += len as u64;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }
}
