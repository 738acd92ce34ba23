//! The payload of a close frame (RFC 6455 §5.5.1, §7.4).

use std::borrow::Cow;

/// The close code, where there is one.
pub(super) fn code(payload: &[u8]) -> Option<u16> {
    payload.first_chunk().map(|&code| u16::from_be_bytes(code))
}

/// The close reason; set, if maybe empty, where there is a code.
pub(super) fn reason(payload: &[u8]) -> Option<Cow<'_, str>> {
    payload.get(2..).map(String::from_utf8_lossy)
}

/// What is wrong with the payload: short code, rule, offset in the payload.
pub(super) fn faults(payload: &[u8]) -> impl Iterator<Item = (&'static str, String, u64)> {
    let length = (payload.len() == 1)
        .then(|| ("close-length", "a close frame's payload is empty or starts with a two-byte code (RFC 6455 §5.5.1)".to_owned(), 0));
    let code = code(payload)
        .and_then(|code| forbidden(code).map(|why| ("close-code", format!("close code {code} must not be on the wire: {why}"), 0)));
    let reason = payload
        .get(2..)
        .and_then(|reason| simdutf8::compat::from_utf8(reason).err())
        .map(|error| ("utf-8", "the close reason is not well-formed UTF-8 (RFC 6455 §5.5.1)".to_owned(), 2 + error.valid_up_to() as u64));
    [length, code, reason].into_iter().flatten()
}

/// Why a code must not be sent. 1012, 1013 and 1014 were registered after the RFC.
fn forbidden(code: u16) -> Option<&'static str> {
    match code {
        0..=999 => Some("codes below 1000 are not used (RFC 6455 §7.4.2)"),
        1004 => Some("it is reserved (RFC 6455 §7.4.1)"),
        1005 => Some("it stands for a missing code (RFC 6455 §7.4.1)"),
        1006 => Some("it stands for a missing close frame (RFC 6455 §7.4.1)"),
        1015 => Some("it stands for a failed TLS handshake (RFC 6455 §7.4.1)"),
        1016..=2999 => Some("it is reserved for the protocol and not registered (RFC 6455 §7.4.2)"),
        5000.. => Some("codes end at 4999 (RFC 6455 §7.4.2)"),
        _ => None,
    }
}
