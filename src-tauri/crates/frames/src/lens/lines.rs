//! Lines, as the standard ends them and as Python does.

use crate::Span;

/// A line that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Its content, without the line end.
    pub(super) text: &'a [u8],
    /// Where that stands.
    pub(super) span: Span,
    /// Behind the line end.
    pub(super) next: u64,
}

/// Lines that end in CRLF, LF or CR. What the end of `body` cuts off is no line.
pub(super) fn standard(body: &[u8]) -> impl Iterator<Item = Line<'_>> {
    split(body, |rest| match rest {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => 0,
    })
}

/// Lines as `str.splitlines` ends them.
pub(super) fn python(body: &[u8]) -> impl Iterator<Item = Line<'_>> {
    split(body, |rest| match rest {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n' | 0x0b | 0x0c | 0x1c..=0x1e, ..] => 1,
        [0xc2, 0x85, ..] => 2,
        [0xe2, 0x80, 0xa8 | 0xa9, ..] => 3,
        _ => 0,
    })
}

/// `end` tells how many bytes the line end takes that stands at the beginning of what it is given, 0 for none.
fn split<'a>(body: &'a [u8], end: impl Fn(&[u8]) -> usize) -> impl Iterator<Item = Line<'a>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let (at, length) = (start..body.len()).find_map(|at| Some((at, end(&body[at..]))).filter(|&(_, length)| length > 0))?;
        let line = Line { text: &body[start..at], span: Span::new(start as u64, at as u64), next: (at + length) as u64 };
        start = at + length;
        Some(line)
    })
}

/// A line's field and where its value begins in it: behind the first colon and one space; `None` where there is no colon.
pub(super) fn field(line: &[u8]) -> (&[u8], Option<usize>) {
    match memchr::memchr(b':', line) {
        None => (line, None),
        Some(colon) => (&line[..colon], Some(colon + 1 + usize::from(line.get(colon + 1) == Some(&b' ')))),
    }
}
