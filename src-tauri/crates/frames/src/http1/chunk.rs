//! A chunk's first line: `chunk-size [ chunk-ext ]` (RFC 9112 §7.1).

use super::framing::blanks_off;
use super::section::is_token;

/// What a chunk line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Size<'a> {
    pub(super) size: u64,
    /// From the first semicolon on.
    pub(super) extension: &'a [u8],
    /// Blanks behind the size without an extension to separate: in no grammar, but harmless.
    pub(super) padded: bool,
}

/// Reads a chunk line without its line end; an error is the rule it breaks.
pub(super) fn size(line: &[u8]) -> Result<Size<'_>, &'static str> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    if digits == 0 {
        return Err("a chunk must begin with its size in hexadecimal digits (§7.1)");
    }
    let mut size: u64 = 0;
    for &digit in &line[..digits] {
        if size >> 60 != 0 {
            return Err("the chunk size does not fit 64 bits (§7.1: recipients must see to overflow)");
        }
        size = size << 4 | u64::from((digit as char).to_digit(16).unwrap_or(0));
    }
    let rest = &line[digits..];
    let blanks = rest.iter().take_while(|&&byte| byte == b' ' || byte == b'\t').count();
    match rest.get(blanks) {
        None => Ok(Size { size, extension: &[], padded: blanks > 0 }),
        Some(b';') => Ok(Size { size, extension: &rest[blanks..], padded: false }),
        Some(_) => Err("only an extension may follow the chunk size on its line (§7.1.1)"),
    }
}

/// Whether `extension`, from its first semicolon on, is what RFC 9112 (§7.1.1) lets follow a size:
/// `*( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )`.
pub(super) fn is_extension(extension: &[u8]) -> bool {
    let mut rest = blanks_off(extension);
    while let Some(behind) = rest.strip_prefix(b";") {
        let Some(behind) = token(blanks_off(behind)) else { return false };
        rest = blanks_off(behind);
        if let Some(value) = rest.strip_prefix(b"=") {
            let value = blanks_off(value);
            let Some(behind) = quoted(value).or_else(|| token(value)) else { return false };
            rest = blanks_off(behind);
        }
    }
    rest.is_empty()
}

/// What follows a token.
fn token(text: &[u8]) -> Option<&[u8]> {
    let length = text.iter().take_while(|byte| is_token(byte)).count();
    (length > 0).then(|| &text[length..])
}

/// What follows a quoted string (RFC 9110 §5.6.4).
fn quoted(text: &[u8]) -> Option<&[u8]> {
    let mut at = 1;
    if text.first() != Some(&b'"') {
        return None;
    }
    loop {
        match text.get(at)? {
            b'"' => return Some(&text[at + 1..]),
            b'\\' => at += 2,
            b'\t' | b' '..=0x7e | 0x80.. => at += 1,
            _ => return None,
        }
    }
}
