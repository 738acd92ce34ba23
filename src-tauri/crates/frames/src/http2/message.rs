//! What makes a header block a malformed message (RFC 9113 §8.1.1), as far as the block alone tells.

use super::Header;

/// Pseudo-header fields that are defined (§8.3.1, §8.3.2, RFC 8441 §4).
const PSEUDO: [&[u8]; 6] = [b":status", b":method", b":scheme", b":authority", b":path", b":protocol"];

/// Fields that speak of an HTTP/1.1 connection (§8.2.2).
const CONNECTION: [&[u8]; 5] = [b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade"];

/// The first rule that `fields`, the fields of one block in their order, break.
pub(super) fn fault(fields: &[Header]) -> Option<String> {
    let mut regular = false;
    for (at, field) in fields.iter().enumerate() {
        let name = field.name.as_slice();
        let rule = if name.first() == Some(&b':') {
            if regular {
                "a pseudo-header field must not follow a regular one (RFC 9113 §8.3)"
            } else if !PSEUDO.contains(&name) {
                "there is no such pseudo-header field (RFC 9113 §8.3)"
            } else if fields[..at].iter().any(|earlier| earlier.name == field.name) {
                "a pseudo-header field must not be repeated (RFC 9113 §8.3)"
            } else {
                match value(&field.value) {
                    Some(rule) => rule,
                    None => continue,
                }
            }
        } else {
            regular = true;
            if name.is_empty() || name.iter().any(|b| matches!(b, 0..=0x20 | b'A'..=b'Z' | b':' | 0x7f..)) {
                "a field name must be lower case, without spaces, control or non-ASCII characters (RFC 9113 §8.2.1)"
            } else if CONNECTION.contains(&name) || (name == b"te" && field.value != b"trailers") {
                "a connection-specific field has no place in HTTP/2 (RFC 9113 §8.2.2)"
            } else {
                match value(&field.value) {
                    Some(rule) => rule,
                    None => continue,
                }
            }
        };
        return Some(format!("{}: {rule}", String::from_utf8_lossy(name).escape_debug()));
    }
    None
}

fn value(value: &[u8]) -> Option<&'static str> {
    if value.iter().any(|b| matches!(b, 0 | b'\r' | b'\n')) {
        return Some("a field value must not hold NUL, CR or LF (RFC 9113 §8.2.1)");
    }
    let blank = |b: Option<&u8>| matches!(b, Some(b' ' | b'\t'));
    (blank(value.first()) || blank(value.last())).then_some("a field value must not begin or end with a blank (RFC 9113 §8.2.1)")
}
