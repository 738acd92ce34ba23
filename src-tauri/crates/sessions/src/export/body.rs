//! Bytes as a JSON string, piece by piece: as text where all of them are UTF-8, in Base64 where they are not.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Finds out whether bytes that come in pieces are UTF-8.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// Bytes so far.
    pub len: u64,
    /// The beginning of a character that the next piece must end.
    open: Vec<u8>,
    broken: bool,
}

impl Survey {
    /// The next piece.
    pub fn push(&mut self, bytes: &[u8]) {
        self.len += bytes.len() as u64;
        if !self.broken {
            self.broken = split(&mut self.open, bytes, &mut |_| Ok(())).is_err();
        }
    }

    /// Whether all of it is text.
    pub fn is_text(&self) -> bool {
        !self.broken && self.open.is_empty()
    }
}

/// Writes the inside of a JSON string. [`Text::finish`] must follow the last piece.
pub struct Text {
    base64: bool,
    /// What the next piece completes: up to 3 bytes of a character, or up to 2 of a Base64 group.
    open: Vec<u8>,
}

impl Text {
    /// For bytes that `survey` saw all of.
    pub fn new(survey: &Survey) -> Self {
        Self { base64: !survey.is_text(), open: Vec::new() }
    }

    /// Whether it writes Base64.
    pub fn is_base64(&self) -> bool {
        self.base64
    }

    /// The next piece.
    pub fn push(&mut self, bytes: &[u8], out: &mut dyn Write) -> io::Result<()> {
        if !self.base64 {
            return split(&mut self.open, bytes, &mut |text| escape(text, out));
        }
        self.open.extend_from_slice(bytes);
        let whole = self.open.len() - self.open.len() % 3;
        let rest = self.open.split_off(whole);
        out.write_all(STANDARD.encode(&self.open).as_bytes())?;
        self.open = rest;
        Ok(())
    }

    /// What is left.
    pub fn finish(self, out: &mut dyn Write) -> io::Result<()> {
        if self.base64 { out.write_all(STANDARD.encode(&self.open).as_bytes()) } else { Ok(()) }
    }
}

/// Hands on the whole characters of `open` and `bytes`, and keeps one that is not complete.
fn split(open: &mut Vec<u8>, bytes: &[u8], on: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<()> {
    let mut rest = bytes;
    while !open.is_empty() && !rest.is_empty() {
        open.push(rest[0]);
        rest = &rest[1..];
        match std::str::from_utf8(open) {
            Ok(text) => {
                on(text)?;
                open.clear();
            }
            Err(error) if error.error_len().is_none() => {}
            Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        }
    }
    match std::str::from_utf8(rest) {
        Ok(text) => on(text),
        Err(error) if error.error_len().is_none() => {
            let (whole, part) = rest.split_at(error.valid_up_to());
            open.extend_from_slice(part);
            std::str::from_utf8(whole).map_or(Ok(()), on)
        }
        Err(error) => Err(io::Error::new(io::ErrorKind::InvalidData, error)),
    }
}

fn escape(text: &str, out: &mut dyn Write) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let quoted = serde_json::to_string(text)?;
    // The caller writes the quotes, once, around all pieces.
    out.write_all(&quoted.as_bytes()[1..quoted.len() - 1])
}
