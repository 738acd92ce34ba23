//! A chunk's first line: `chunk-size [ chunk-ext ]` (RFC 9112 §7.1).

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
