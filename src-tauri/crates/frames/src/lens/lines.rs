//! Lines of a stream, as the standard ends them and as Python does.

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

/// Which bytes end a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// CRLF, LF and CR.
    Standard,
    /// What `str.splitlines` ends lines at.
    Python,
}

/// What stands at a byte.
enum At {
    /// No line end.
    Text,
    /// A line end of so many bytes.
    End(usize),
    /// The bytes to come decide.
    Open,
}

/// Finds the lines of a stream that comes in pieces. What its end cuts off is no line.
#[derive(Debug)]
pub(super) struct Lines {
    ends: Ends,
    /// The unfinished line.
    kept: Vec<u8>,
    /// Bytes of it that hold no line end.
    searched: usize,
    /// Stream offset of the unfinished line.
    start: u64,
}

impl Lines {
    pub(super) fn new(ends: Ends) -> Self {
        Self { ends, kept: Vec::new(), searched: 0, start: 0 }
    }

    /// Bytes that are kept.
    pub(super) fn held(&self) -> usize {
        self.kept.len()
    }

    /// Takes the next bytes; tells every line they end.
    pub(super) fn push(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Line<'_>)) {
        self.kept.extend_from_slice(bytes);
        self.search(false, sink);
    }

    /// The stream is over: a line end that waited for another byte stands.
    pub(super) fn finish(&mut self, sink: &mut dyn FnMut(Line<'_>)) {
        self.search(true, sink);
    }

    /// What the end of the stream cuts off.
    pub(super) fn rest(&self) -> Line<'_> {
        let end = self.start + self.kept.len() as u64;
        Line { text: &self.kept, span: Span::new(self.start, end), next: end }
    }

    fn search(&mut self, over: bool, sink: &mut dyn FnMut(Line<'_>)) {
        let (mut from, mut at) = (0, self.searched);
        loop {
            at += self.next(at);
            match self.end_at(at, over) {
                At::End(length) => {
                    let start = self.start + from as u64;
                    let line = Line {
                        text: &self.kept[from..at],
                        span: Span::new(start, self.start + at as u64),
                        next: self.start + (at + length) as u64,
                    };
                    sink(line);
                    at += length;
                    from = at;
                }
                At::Text if at < self.kept.len() => at += 1,
                At::Text | At::Open => break,
            }
        }
        self.kept.drain(..from);
        self.start += from as u64;
        self.searched = at - from;
    }

    /// Bytes from `at` to the next that may begin a line end, or to the end.
    fn next(&self, at: usize) -> usize {
        let rest = &self.kept[at..];
        let found = match self.ends {
            Ends::Standard => memchr::memchr2(b'\r', b'\n', rest),
            Ends::Python => rest.iter().position(|byte| matches!(byte, b'\n'..=b'\r' | 0x1c..=0x1e | 0xc2 | 0xe2)),
        };
        found.unwrap_or(rest.len())
    }

    fn end_at(&self, at: usize, over: bool) -> At {
        let python = self.ends == Ends::Python;
        match &self.kept[at..] {
            [b'\r', b'\n', ..] => At::End(2),
            [b'\r'] if !over => At::Open,
            [b'\r' | b'\n', ..] => At::End(1),
            _ if !python => At::Text,
            [0x0b | 0x0c | 0x1c..=0x1e, ..] => At::End(1),
            [0xc2, 0x85, ..] => At::End(2),
            [0xe2, 0x80, 0xa8 | 0xa9, ..] => At::End(3),
            [0xc2] | [0xe2] | [0xe2, 0x80] if !over => At::Open,
            _ => At::Text,
        }
    }
}

/// A line's field and where its value begins in it: behind the first colon and one space; `None` where there is no colon.
pub(super) fn field(line: &[u8]) -> (&[u8], Option<usize>) {
    match memchr::memchr(b':', line) {
        None => (line, None),
        Some(colon) => (&line[..colon], Some(colon + 1 + usize::from(line.get(colon + 1) == Some(&b' ')))),
    }
}
