//! Start lines and field lines (RFC 9112 §2–§5), read from a section that is complete.

use super::framing::{Finding, blanks_off};
use super::{Header, Side};
use crate::Span;

/// What a start line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Start<'a> {
    pub(super) status: u16,
    pub(super) word: &'a [u8],
    pub(super) target: &'a [u8],
    pub(super) minor: u8,
    /// What the line does against the grammar without hiding its meaning: code, rule, and whether it is an error.
    pub(super) fault: Option<(&'static str, &'static str, bool)>,
}

/// Reads a start line without its line end. An error is code and rule: then nobody can tell what follows.
pub(super) fn start(side: Side, line: &[u8]) -> Result<Start<'_>, (&'static str, &'static str)> {
    match side {
        Side::Server => status_line(line),
        Side::Client => request_line(line),
    }
}

/// `HTTP-version SP status-code SP [ reason-phrase ]` (§4).
fn status_line(line: &[u8]) -> Result<Start<'_>, (&'static str, &'static str)> {
    const BAD: (&str, &str) = ("bad-status-line", "a response must begin with HTTP-version SP status-code SP [reason-phrase] (§4)");
    let minor = version(line.get(..8).ok_or(BAD)?, BAD)?;
    let rest = &line[8..];
    let code = rest.trim_ascii_start();
    let mut fault = None;
    if code.len() + 1 != rest.len() || rest[0] != b' ' {
        if code.len() == rest.len() {
            return Err(BAD);
        }
        fault = Some(("odd-blanks", "the parts of a start line must be separated by one space each (§3, §4)", false));
    }
    let digits = code.get(..3).filter(|digits| digits.iter().all(u8::is_ascii_digit)).ok_or(BAD)?;
    let status = digits.iter().fold(0, |status, digit| status * 10 + u16::from(digit - b'0'));
    let word = match &code[3..] {
        [b' ', reason @ ..] => reason,
        [] => {
            fault =
                Some(("no-space-after-status", "a space must follow the status code, also where there is no reason phrase (§4)", false));
            &[]
        }
        [b'\t', reason @ ..] => {
            fault = Some(("odd-blanks", "the parts of a start line must be separated by one space each (§3, §4)", false));
            reason
        }
        _ => return Err(BAD),
    };
    if !(100..600).contains(&status) {
        fault = Some(("odd-status", "a status code must be between 100 and 599 (RFC 9110 §15)", false));
    }
    Ok(Start { status, word, target: &[], minor, fault })
}

/// `method SP request-target SP HTTP-version` (§3).
fn request_line(line: &[u8]) -> Result<Start<'_>, (&'static str, &'static str)> {
    const BAD: (&str, &str) = ("bad-request-line", "a request must begin with method SP request-target SP HTTP-version (§3)");
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let first = line.iter().position(blank).ok_or(BAD)?;
    let end = blanks_off(line).len();
    let last = line[..end].iter().rposition(blank).ok_or(BAD)?;
    let word = &line[..first];
    let minor = version(&line[last + 1..end], BAD)?;
    if first == 0 || last <= first || !word.iter().all(is_token) {
        return Err(BAD);
    }
    let between = &line[first..=last];
    let target = blanks_off(between);
    if target.is_empty() {
        return Err(BAD);
    }
    let fault = if target.iter().any(blank) {
        Some(("bad-request-target", "no whitespace is allowed in the request target (§3.2)", true))
    } else if between.len() != target.len() + 2 || between[0] != b' ' || line[last] != b' ' || end != line.len() {
        Some(("odd-blanks", "the parts of a start line must be separated by one space each (§3, §4)", false))
    } else {
        None
    };
    Ok(Start { status: 0, word, target, minor, fault })
}

/// The minor version of `HTTP/1.x`: a later one counts as 1 (RFC 9110 §2.5).
fn version(word: &[u8], bad: (&'static str, &'static str)) -> Result<u8, (&'static str, &'static str)> {
    match word {
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', minor @ b'0'..=b'9'] => Ok((minor - b'0').min(1)),
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => {
            Err(("bad-version", "only HTTP/1.x is framed by these rules (§2.3)"))
        }
        _ => Err(bad),
    }
}

/// Makes folded field lines one line each: every fold's line end becomes spaces, in place (§5.2).
/// `text` is the section, `base` its place in the stream, `first` where its field lines begin.
pub(super) fn unfold(text: &mut [u8], base: u64, first: usize, tell: &mut impl FnMut(Finding)) {
    let mut at = first;
    let mut told = false;
    // Only a value can be folded: what follows a line that is no field is no continuation.
    let mut in_value = false;
    while let Some(length) = memchr::memchr(b'\n', &text[at..]) {
        let end = at + length;
        if !matches!(text[at], b' ' | b'\t') {
            in_value = memchr::memchr(b':', &text[at..end]).is_some();
        } else if in_value {
            let from = if text[..at].ends_with(b"\r\n") { at - 2 } else { at - 1 };
            text[from..at].fill(b' ');
            if !told {
                told = true;
                let message = "folded field lines are obsolete; each fold is read as spaces (§5.2)";
                tell(Finding { error: false, code: "obs-fold", message, at: base + at as u64 });
            }
        }
        at = end + 1;
    }
}

/// The field lines of the unfolded section `text` from `first` on, up to its blank line.
pub(super) fn fields<'a>(text: &'a [u8], base: u64, first: usize, tell: &mut impl FnMut(Finding)) -> Vec<Header<'a>> {
    let mut headers = Vec::new();
    let mut at = first;
    let mut after_start = first > 0;
    while let Some(length) = memchr::memchr(b'\n', &text[at..]) {
        let line = content(&text[at..at + length]);
        let place = base + at as u64;
        at += length + 1;
        if line.is_empty() {
            break;
        }
        let mut error = |code, message, at| tell(Finding { error: true, code, message, at });
        if memchr::memchr(b'\r', line).is_some() {
            error("bare-cr", "a CR without its LF must not stand in a field line (§2.2)", place);
        }
        if matches!(line[0], b' ' | b'\t') {
            let message = if after_start {
                "whitespace between the start line and the first field: the line is skipped (§2.2)"
            } else {
                "a field line must not begin with whitespace, and there is no field to continue: the line is skipped (§5.2)"
            };
            error("space-before-field", message, place);
            continue;
        }
        after_start = false;
        let Some(colon) = memchr::memchr(b':', line) else {
            error("bad-field-line", "a field line must have a colon: the line is skipped (§5)", place);
            continue;
        };
        let (name, value) = (&line[..colon], blanks_off(&line[colon + 1..]));
        let bare = blanks_off(name);
        if bare.len() != name.len() {
            error("space-before-colon", "no whitespace is allowed between a field's name and its colon (§5.1)", place);
        }
        if bare.is_empty() || !bare.iter().all(is_token) {
            error("bad-field-name", "a field name must be a token (RFC 9110 §5.1)", place);
        }
        if memchr::memchr(0, value).is_some() {
            error("nul-in-field", "a NUL must not stand in a field value (RFC 9110 §5.5)", place);
        }
        if value.iter().any(|&byte| matches!(byte, 1..=8 | 0x0b | 0x0c | 0x0e..=0x1f | 0x7f)) {
            let message = "a control character must not stand in a field value; a recipient may keep it (RFC 9110 §5.5)";
            tell(Finding { error: false, code: "control-in-field", message, at: place });
        }
        headers.push(Header { name, value, span: Span::new(place, place + line.len() as u64) });
    }
    headers
}

/// Where the section's first line ends on a bare LF (§2.2 lets a recipient take it).
pub(super) fn bare_lf(text: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'\n', text).find(|&at| at == 0 || text[at - 1] != b'\r')
}

/// A line without the CR of its line end.
pub(super) fn content(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// `tchar` (RFC 9110 §5.6.2).
pub(super) fn is_token(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte)
}
