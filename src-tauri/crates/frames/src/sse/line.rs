//! One line of an event stream: WHATWG HTML §9.2.6, "process the field".

/// The byte order mark that may stand once, at the start of the stream.
pub(super) const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Room in a kept line for BOM, field name, colon and space, so that a value of the full limit fits behind them;
/// and enough for any `retry` that means something.
pub(super) const NAME_ROOM: usize = 64;

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Comment,
    Data,
    Event,
    Id,
    Retry,
    Unknown,
}

/// The field of a line that is not blank, and where its value begins: behind the first colon and one space, or
/// at the line's end where it has no colon.
#[inline]
pub(super) fn field(line: &[u8]) -> (Field, usize) {
    let colon = memchr::memchr(b':', line).unwrap_or(line.len());
    let field = match &line[..colon] {
        b"data" => Field::Data,
        b"" => Field::Comment,
        b"event" => Field::Event,
        b"id" => Field::Id,
        b"retry" => Field::Retry,
        _ => Field::Unknown,
    };
    let value = match line.get(colon..) {
        Some([b':', b' ', ..]) => colon + 2,
        Some([b':', ..]) => colon + 1,
        _ => line.len(),
    };
    (field, value)
}

/// The value of a `retry` field: ASCII digits only, at least one; saturated.
pub(super) fn retry(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    value.iter().try_fold(0_u64, |ms, byte| byte.is_ascii_digit().then(|| ms.saturating_mul(10).saturating_add(u64::from(byte - b'0'))))
}

/// The first `limit` bytes of `value`, fewer where that would cut a character in two.
pub(super) fn cut(value: &[u8], limit: usize) -> &[u8] {
    if value.len() <= limit {
        return value;
    }
    let value = &value[..limit];
    for back in 1..=value.len().min(3) {
        let byte = value[value.len() - back];
        let needed = match byte {
            0xC2..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF4 => 4,
            0x80..=0xBF => continue,
            _ => return value,
        };
        return if needed > back { &value[..value.len() - back] } else { value };
    }
    value
}

/// `bytes` as text: borrowed if it is UTF-8, else written to `buffer` with U+FFFD for every maximal subpart.
#[inline]
pub(super) fn decode<'a>(bytes: &'a [u8], buffer: &'a mut String) -> &'a str {
    match simdutf8::basic::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => {
            replace(bytes, buffer);
            buffer
        }
    }
}

/// Writes `bytes` to the emptied `buffer`, ill-formed parts replaced.
pub(super) fn replace(bytes: &[u8], buffer: &mut String) {
    buffer.clear();
    for chunk in bytes.utf8_chunks() {
        buffer.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            buffer.push(char::REPLACEMENT_CHARACTER);
        }
    }
}
