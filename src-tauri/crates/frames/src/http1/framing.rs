//! Where a message body ends: RFC 9112 §6.3, rule by rule.

use super::{Header, Side};

/// How the body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// There is none.
    None,
    /// Everything behind the head belongs to another protocol.
    Tunnel,
    Chunked,
    Length(u64),
    /// It reaches to the end of the connection.
    UntilClose,
    /// Nobody can say: the error told why.
    Unknown,
}

/// What a response answers, as far as it matters to its framing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answers {
    Head,
    Connect,
    Other,
}

/// Something to tell about the framing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) error: bool,
    pub(super) code: &'static str,
    pub(super) message: &'static str,
    pub(super) at: u64,
}

/// The message a head opens.
pub(super) struct Message<'a> {
    pub(super) side: Side,
    /// Status of a response.
    pub(super) status: u16,
    /// Method of a request.
    pub(super) method: &'a [u8],
    pub(super) minor: u8,
    pub(super) headers: &'a [Header<'a>],
    /// What a response answers.
    pub(super) answers: Answers,
}

/// How the message's body is delimited, and what there is to say about it.
pub(super) fn body(message: &Message<'_>, tell: &mut impl FnMut(Finding)) -> Body {
    let response = message.side == Side::Server;
    let encoding = find(message.headers, b"transfer-encoding");
    let length = find(message.headers, b"content-length");

    if response {
        let interim = (100..200).contains(&message.status);
        if (interim || message.status == 204)
            && let Some(at) = encoding.or(length)
        {
            warn(
                tell,
                "length-without-body",
                "1xx and 204 must not carry Transfer-Encoding or Content-Length (RFC 9112 §6.1, RFC 9110 §8.6)",
                at,
            );
        }
        match message.status {
            101 => return Body::Tunnel,
            _ if interim => return Body::None,
            200..300 if message.answers == Answers::Connect => {
                if let Some(at) = encoding.or(length) {
                    warn(
                        tell,
                        "length-without-body",
                        "a 2xx answer to CONNECT must not carry Transfer-Encoding or Content-Length; both are ignored (§6.3 rule 2)",
                        at,
                    );
                }
                return Body::Tunnel;
            }
            204 | 304 => return Body::None,
            _ if message.answers == Answers::Head => return Body::None,
            _ => {}
        }
    }

    if let Some(at) = encoding {
        if length.is_some() {
            warn(
                tell,
                "te-and-cl",
                "Transfer-Encoding overrides Content-Length; both together may be an attempt at smuggling (§6.3 rule 3)",
                at,
            );
        }
        if message.minor == 0 {
            error(tell, "te-in-http10", "Transfer-Encoding in an HTTP/1.0 message: its framing counts as faulty (§6.1)", at);
        }
        return encoded(message, at, tell);
    }
    if !response && message.method == b"CONNECT" {
        return Body::Tunnel;
    }
    match length {
        Some(at) => lengths(message.headers, at, tell),
        None if response => Body::UntilClose,
        None => Body::None,
    }
}

/// Transfer-Encoding decides (§6.3 rule 4).
fn encoded(message: &Message<'_>, at: u64, tell: &mut impl FnMut(Finding)) -> Body {
    let mut chunked = 0;
    let mut last_chunked = false;
    let mut parameters = false;
    for value in values(message.headers, b"transfer-encoding") {
        for coding in elements(value) {
            let name = coding.split(|&byte| byte == b';').next().unwrap_or(coding).trim_ascii_end();
            last_chunked = name.eq_ignore_ascii_case(b"chunked");
            if last_chunked {
                chunked += 1;
                parameters |= name.len() != coding.len();
            }
        }
    }
    if chunked > 1 {
        error(tell, "chunked-twice", "chunked must not be applied more than once (§6.1)", at);
    }
    if parameters {
        warn(tell, "chunked-parameters", "chunked defines no parameters; some recipients will not take this for chunked (§7.1)", at);
    }
    if last_chunked {
        return Body::Chunked;
    }
    if message.side == Side::Client {
        error(tell, "te-not-chunked", "a request's last transfer coding must be chunked, or its length cannot be known (§6.3 rule 4)", at);
        return Body::Unknown;
    }
    warn(
        tell,
        "te-not-chunked",
        "the last transfer coding is not chunked, so the body reaches to the end of the connection (§6.3 rule 4)",
        at,
    );
    Body::UntilClose
}

/// Content-Length decides (§6.3 rules 5 and 6).
fn lengths(headers: &[Header<'_>], at: u64, tell: &mut impl FnMut(Finding)) -> Body {
    let mut found: Option<u64> = None;
    let mut several = false;
    for value in values(headers, b"content-length") {
        let mut any = false;
        for element in elements(value) {
            any = true;
            let Some(length) = decimal(element) else {
                error(
                    tell,
                    "bad-content-length",
                    "Content-Length must be a decimal number that fits 64 bits; without it the framing is lost (§6.3 rule 5)",
                    at,
                );
                return Body::Unknown;
            };
            match found {
                Some(before) if before != length => {
                    error(
                        tell,
                        "conflicting-content-length",
                        "two values of Content-Length that differ: the framing is lost (§6.3 rule 5)",
                        at,
                    );
                    return Body::Unknown;
                }
                Some(_) => several = true,
                None => found = Some(length),
            }
        }
        if !any {
            error(tell, "bad-content-length", "Content-Length is empty; without it the framing is lost (§6.3 rule 5)", at);
            return Body::Unknown;
        }
    }
    if several {
        warn(tell, "duplicate-content-length", "Content-Length is given more than once, each time the same (§6.3 rule 5)", at);
    }
    found.map_or(Body::Unknown, Body::Length)
}

/// Where the first field of that name stands.
fn find(headers: &[Header<'_>], name: &[u8]) -> Option<u64> {
    headers.iter().find(|header| is(header, name)).map(|header| header.span.start)
}

/// Whether the field has that name, in whatever case and with whatever blanks a sender put before the colon.
pub(super) fn is(header: &Header<'_>, name: &[u8]) -> bool {
    header.name.trim_ascii_end().eq_ignore_ascii_case(name)
}

/// The values of all fields of that name.
pub(super) fn values<'a>(headers: &'a [Header<'a>], name: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    headers.iter().filter(move |header| is(header, name)).map(|header| header.value)
}

/// The elements of a comma-separated list (RFC 9110 §5.6.1), empty ones left out; commas in quoted strings do not count.
pub(super) fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    let mut escaped = false;
    value
        .split(move |&byte| {
            if escaped {
                escaped = false;
            } else if quoted && byte == b'\\' {
                escaped = true;
            } else if byte == b'"' {
                quoted = !quoted;
            }
            byte == b',' && !quoted
        })
        .map(blanks_off)
        .filter(|element| !element.is_empty())
}

/// Without the spaces and tabs around it (OWS, RFC 9110 §5.6.3).
pub(super) fn blanks_off(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

fn decimal(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |value, byte| {
        if !byte.is_ascii_digit() {
            return None;
        }
        value.checked_mul(10)?.checked_add(u64::from(byte - b'0'))
    })
}

fn warn(tell: &mut impl FnMut(Finding), code: &'static str, message: &'static str, at: u64) {
    tell(Finding { error: false, code, message, at });
}

fn error(tell: &mut impl FnMut(Finding), code: &'static str, message: &'static str, at: u64) {
    tell(Finding { error: true, code, message, at });
}
