//! The walk along one direction of a connection: which unit is open, and what ends it.

use std::collections::VecDeque;

use memchr::memchr;

use super::framing::{self, Answers, Body, Finding, Message};
use super::{Head, Item, Side, chunk, section};
use crate::{Limits, Span};

/// Bytes that the buffers keep for the next unit; what a longer one needed is given back.
const KEPT: usize = 64 << 10;

/// Which unit is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A head, or the place before one.
    Head,
    ChunkLine,
    ChunkData {
        left: u64,
    },
    /// The line end behind a chunk's data; `cr` once its CR was there.
    ChunkEnd {
        cr: bool,
    },
    Trailers,
    Length {
        left: u64,
    },
    UntilClose,
    Upgraded,
    /// The next border is unknown.
    Lost,
}

/// Whether another protocol takes over where the next message would begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Switch {
    No,
    /// The client asked for it: it did if what follows cannot begin a request.
    Asked,
    Yes,
}

/// What the next piece did to an unfinished section.
enum Got {
    More,
    Line { start: usize },
    Blank { start: usize },
    TooLong,
}

/// The HTTP/1.1 dissector of one direction of a connection.
#[derive(Debug)]
pub struct Dissector {
    side: Side,
    limits: Limits,
    state: State,
    /// Stream offset of the next byte.
    offset: u64,
    /// Stream offset of the open unit.
    unit: u64,
    /// The open head, trailer section or chunk line as far as it came.
    buffer: Vec<u8>,
    /// Where the unfinished line begins in `buffer`.
    line: usize,
    /// Where the open chunk's data begins, and once it is whole, ends.
    data: Span,
    /// The open chunk's extension.
    extension: Vec<u8>,
    /// What the next responses answer.
    answers: VecDeque<Answers>,
    /// Empty lines before this message were told.
    blank_told: bool,
    /// The last message closes the connection (§9.3).
    closing: bool,
    switch: Switch,
    /// Where the bytes begin that nobody can frame.
    lost: u64,
}

impl Dissector {
    /// A dissector at the first byte of a connection's direction.
    pub fn new(side: Side, limits: Limits) -> Self {
        Self {
            side,
            limits,
            state: State::Head,
            offset: 0,
            unit: 0,
            buffer: Vec::new(),
            line: 0,
            data: Span::default(),
            extension: Vec::new(),
            answers: VecDeque::new(),
            blank_told: false,
            closing: false,
            switch: Switch::No,
            lost: 0,
        }
    }

    /// Tells a response dissector the method of the next request, so that answers to HEAD and CONNECT are framed right.
    /// Without a call every request counts as GET.
    pub fn expect(&mut self, method: &[u8]) {
        self.answers.push_back(match method {
            b"HEAD" => Answers::Head,
            b"CONNECT" => Answers::Connect,
            _ => Answers::Other,
        });
    }

    /// Tells a request dissector that the server switched protocols: behind the current message everything is
    /// [`Item::Upgraded`]. Without a call the switch is taken from CONNECT, or from an `Upgrade` field where what
    /// follows cannot begin a request.
    pub fn switch(&mut self) {
        self.switch = Switch::Yes;
    }

    /// The bytes so far that could not be framed: from where the last [`Item::Error`] lost the borders.
    pub fn lost(&self) -> Option<Span> {
        (self.state == State::Lost).then(|| Span::new(self.lost, self.offset))
    }

    /// Takes the next bytes and tells the sink every item they complete.
    pub fn push(&mut self, bytes: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let used = match self.state {
                State::Head => self.head(rest, sink),
                State::ChunkLine => self.chunk_line(rest, sink),
                State::ChunkData { left } => {
                    let (used, left) = self.payload(rest, left, sink);
                    self.state = State::ChunkData { left };
                    if left == 0 {
                        self.data.end = self.offset;
                        self.state = State::ChunkEnd { cr: false };
                    }
                    used
                }
                State::ChunkEnd { cr } => self.chunk_end(rest[0], cr, sink),
                State::Trailers => self.trailers(rest, sink),
                State::Length { left } => {
                    let (used, left) = self.payload(rest, left, sink);
                    self.state = State::Length { left };
                    if left == 0 {
                        self.end_body(sink);
                    }
                    used
                }
                State::UntilClose => self.payload(rest, u64::MAX, sink).0,
                State::Upgraded => {
                    let span = self.advance(rest.len());
                    sink(Item::Upgraded { span, bytes: rest });
                    rest.len()
                }
                State::Lost => self.advance(rest.len()).len() as usize,
            };
            rest = &rest[used..];
        }
    }

    /// Tells what the end of the connection completes or cuts off.
    pub fn finish(&mut self, sink: &mut impl FnMut(Item<'_>)) {
        let start = match self.state {
            State::Head if self.buffer.is_empty() => return,
            State::Upgraded | State::Lost => return,
            State::UntilClose => return self.end_body(sink),
            State::ChunkLine if self.buffer.is_empty() => self.offset,
            _ => self.unit,
        };
        sink(Item::Incomplete { span: Span::new(start, self.offset) });
        self.buffer = Vec::new();
        self.line = 0;
        self.state = State::Head;
    }

    fn head(&mut self, rest: &[u8], sink: &mut impl FnMut(Item<'_>)) -> usize {
        if self.buffer.is_empty() {
            self.unit = self.offset;
            let begins = section::is_token(&rest[0]) || matches!(rest[0], b'\r' | b'\n');
            if self.switch == Switch::Yes || self.switch == Switch::Asked && !begins {
                self.state = State::Upgraded;
                return 0;
            }
            if std::mem::take(&mut self.closing) {
                let message = "there is more after a message that closes the connection: Connection: close, or HTTP/1.0 without keep-alive (§9.3, §9.6)".to_owned();
                sink(Item::Warning { code: "data-after-close", message, at: self.offset });
            }
        }
        let (used, got) = self.gather(rest);
        match got {
            Got::More => {}
            Got::TooLong => self.too_long("head-too-long", "head", sink),
            Got::Blank { start: 0 } => {
                self.begin_section();
                if !std::mem::replace(&mut self.blank_told, true) {
                    let message = "empty lines before a start line are to be ignored (§2.2)".to_owned();
                    sink(Item::Warning { code: "leading-empty-line", message, at: self.unit });
                }
            }
            Got::Line { start: 0 } => {
                let line = section::content(&self.buffer[..self.buffer.len() - 1]);
                if let Err((code, message)) = section::start(self.side, line) {
                    self.lose(code, message, self.unit, self.unit, sink);
                }
            }
            Got::Line { .. } => {}
            Got::Blank { .. } => {
                let mut text = std::mem::take(&mut self.buffer);
                self.end_head(&mut text, sink);
                self.buffer = text;
                self.begin_section();
            }
        }
        used
    }

    /// `text` is a whole head.
    fn end_head(&mut self, text: &mut [u8], sink: &mut impl FnMut(Item<'_>)) {
        let base = self.unit;
        let first = memchr(b'\n', text).map_or(text.len(), |at| at + 1);
        let tell = &mut |finding| sink(item(finding));
        tell_bare_lf(text, base, tell);
        section::unfold(text, base, first, tell);
        let text = &*text;

        let line = section::content(&text[..first.saturating_sub(1)]);
        // The line was read once when it came; what it is then it still is.
        let Ok(start) = section::start(self.side, line) else { return };
        if memchr(b'\r', line).is_some() {
            tell(fault(true, "bare-cr", "a CR without its LF must not stand in a start line (§2.2)", base));
        }
        if let Some((code, message, error)) = start.fault {
            tell(fault(error, code, message, base));
        }
        let headers = section::fields(text, base, first, tell);
        let span = Span::new(base, self.offset);
        let (status, word, minor) = (start.status, start.word, start.minor);
        sink(Item::Head(Head { span, status, word, target: start.target, minor, headers: &headers }));

        let interim = (100..200).contains(&status) && status != 101;
        let answers = match self.side {
            Side::Server if !interim => self.answers.pop_front(),
            _ => self.answers.front().copied(),
        };
        let answers = answers.unwrap_or(Answers::Other);
        let message = Message { side: self.side, status, method: word, minor, headers: &headers, answers };
        let body = framing::body(&message, &mut |finding| sink(item(finding)));

        let option = |name: &[u8]| {
            framing::values(&headers, b"connection").flat_map(framing::elements).any(|option| option.eq_ignore_ascii_case(name))
        };
        self.closing = !interim && (option(b"close") || minor == 0 && !option(b"keep-alive"));
        if self.side == Side::Client && self.switch != Switch::Yes {
            let asked = headers.iter().any(|header| framing::is(header, b"upgrade"));
            self.switch = if asked { Switch::Asked } else { Switch::No };
        }
        self.unit = self.offset;
        match body {
            Body::None => self.end_message(sink),
            Body::Tunnel => {
                self.end_message(sink);
                self.state = State::Upgraded;
            }
            Body::Chunked => self.state = State::ChunkLine,
            Body::Length(0) => self.end_body(sink),
            Body::Length(left) => self.state = State::Length { left },
            Body::UntilClose => self.state = State::UntilClose,
            Body::Unknown => {
                self.state = State::Lost;
                self.lost = self.offset;
            }
        }
    }

    fn chunk_line(&mut self, rest: &[u8], sink: &mut impl FnMut(Item<'_>)) -> usize {
        if self.buffer.is_empty() {
            self.unit = self.offset;
        }
        let length = memchr(b'\n', rest);
        let used = length.map_or(rest.len(), |length| length + 1);
        self.advance(used);
        if self.offset - self.unit > self.limits.head as u64 {
            self.too_long("chunk-line-too-long", "chunk line", sink);
        } else if length.is_none() {
            self.buffer.extend_from_slice(rest);
        } else if self.buffer.is_empty() {
            self.end_chunk_line(&rest[..used - 1], sink);
        } else {
            let mut line = std::mem::take(&mut self.buffer);
            line.extend_from_slice(&rest[..used - 1]);
            self.end_chunk_line(&line, sink);
            self.buffer = line;
            self.begin_section();
        }
        used
    }

    /// `line` is a whole chunk line without its LF.
    fn end_chunk_line(&mut self, line: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        let content = section::content(line);
        let size = match chunk::size(content) {
            Ok(size) => size,
            Err(message) => return self.lose("bad-chunk-size", message, self.unit, self.unit, sink),
        };
        if content.len() == line.len() {
            sink(item(fault(true, "bare-lf", "a chunk line must end with CRLF (§7.1)", self.offset - 1)));
        }
        if memchr(b'\r', size.extension).is_some() {
            sink(item(fault(true, "bare-cr", "a CR without its LF must not stand in a chunk line (§2.2)", self.unit)));
        } else if !chunk::is_extension(size.extension) {
            let message = "what follows the chunk size is no chunk extension; who reads it otherwise may see another border (§7.1.1)";
            sink(item(fault(false, "bad-chunk-extension", message, self.unit)));
        }
        if size.padded {
            sink(item(fault(false, "odd-blanks", "blanks behind a chunk size that no extension follows (§7.1)", self.unit)));
        }
        if size.size == 0 {
            sink(Item::LastChunk { span: Span::new(self.unit, self.offset) });
            self.unit = self.offset;
            self.state = State::Trailers;
            return;
        }
        self.extension.clear();
        self.extension.extend_from_slice(size.extension);
        self.data = Span::new(self.offset, self.offset);
        self.state = State::ChunkData { left: size.size };
    }

    /// The next byte behind a chunk's data.
    fn chunk_end(&mut self, byte: u8, cr: bool, sink: &mut impl FnMut(Item<'_>)) -> usize {
        const RULE: &str = "a chunk's data must be followed by CRLF (§7.1)";
        match (byte, cr) {
            (b'\r', false) => {
                self.state = State::ChunkEnd { cr: true };
                self.advance(1);
            }
            (b'\n', _) => {
                if !cr {
                    sink(item(fault(true, "bare-lf", RULE, self.offset)));
                }
                self.advance(1);
                let span = Span::new(self.unit, self.offset);
                sink(Item::Chunk { span, data: self.data, extension: &self.extension });
                self.extension.shrink_to(KEPT);
                self.state = State::ChunkLine;
            }
            _ => {
                let at = self.data.end;
                self.advance(1);
                self.lose("missing-chunk-crlf", RULE, at, at, sink);
            }
        }
        1
    }

    fn trailers(&mut self, rest: &[u8], sink: &mut impl FnMut(Item<'_>)) -> usize {
        let (used, got) = self.gather(rest);
        match got {
            Got::More | Got::Line { .. } => {}
            Got::TooLong => self.too_long("trailers-too-long", "trailer section", sink),
            Got::Blank { .. } => {
                let mut text = std::mem::take(&mut self.buffer);
                let base = self.unit;
                let tell = &mut |finding| sink(item(finding));
                tell_bare_lf(&text, base, tell);
                section::unfold(&mut text, base, 0, tell);
                let headers = section::fields(&text, base, 0, tell);
                for header in &headers {
                    let framing: [&[u8]; 4] = [b"transfer-encoding", b"content-length", b"host", b"trailer"];
                    if framing.iter().any(|name| framing::is(header, name)) {
                        let message = "framing and routing fields must not stand in trailers and are ignored (RFC 9110 §6.5.1)";
                        tell(fault(false, "framing-in-trailers", message, header.span.start));
                    }
                }
                sink(Item::Trailers { span: Span::new(base, self.offset), headers: &headers });
                drop(headers);
                self.buffer = text;
                self.begin_section();
                self.end_message(sink);
            }
        }
        used
    }

    /// Adds the next piece of a section to the buffer, at most up to the end of its line.
    fn gather(&mut self, rest: &[u8]) -> (usize, Got) {
        let length = memchr(b'\n', rest);
        let used = length.map_or(rest.len(), |length| length + 1);
        self.advance(used);
        if self.buffer.len() + used > self.limits.head {
            return (used, Got::TooLong);
        }
        self.buffer.extend_from_slice(&rest[..used]);
        if length.is_none() {
            return (used, Got::More);
        }
        let start = std::mem::replace(&mut self.line, self.buffer.len());
        let line = &self.buffer[start..self.buffer.len() - 1];
        let got = if section::content(line).is_empty() { Got::Blank { start } } else { Got::Line { start } };
        (used, got)
    }

    fn begin_section(&mut self) {
        self.buffer.clear();
        self.buffer.shrink_to(KEPT);
        self.line = 0;
    }

    /// Tells up to `left` bytes of payload; returns how many, and how many are left.
    fn payload(&mut self, rest: &[u8], left: u64, sink: &mut impl FnMut(Item<'_>)) -> (usize, u64) {
        let used = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
        let span = self.advance(used);
        sink(Item::Data { span, bytes: &rest[..used] });
        (used, left - used as u64)
    }

    fn end_body(&mut self, sink: &mut impl FnMut(Item<'_>)) {
        sink(Item::Body { span: Span::new(self.unit, self.offset) });
        self.end_message(sink);
    }

    fn end_message(&mut self, sink: &mut impl FnMut(Item<'_>)) {
        sink(Item::End { at: self.offset });
        self.state = State::Head;
        self.blank_told = false;
    }

    /// Moves over the next bytes and returns where they stand.
    fn advance(&mut self, bytes: usize) -> Span {
        let start = self.offset;
        self.offset += bytes as u64;
        Span::new(start, self.offset)
    }

    fn too_long(&mut self, code: &'static str, unit: &str, sink: &mut impl FnMut(Item<'_>)) {
        let limit = self.limits.head;
        let message = format!("the {unit} is longer than {limit} bytes, more than is kept here");
        self.lose(code, &message, self.unit.saturating_add(limit as u64), self.unit, sink);
    }

    /// The borders are unknown from `lost` on.
    fn lose(&mut self, code: &'static str, message: &str, at: u64, lost: u64, sink: &mut impl FnMut(Item<'_>)) {
        sink(Item::Error { code, message: message.to_owned(), at });
        self.state = State::Lost;
        self.lost = lost;
        self.buffer = Vec::new();
    }
}

fn tell_bare_lf(text: &[u8], base: u64, tell: &mut impl FnMut(Finding)) {
    if let Some(at) = section::bare_lf(text) {
        let message = "a line ends with LF alone; a recipient may take it, others will not (§2.2)";
        tell(fault(false, "bare-lf", message, base + at as u64));
    }
}

fn fault(error: bool, code: &'static str, message: &'static str, at: u64) -> Finding {
    Finding { error, code, message, at }
}

fn item(finding: Finding) -> Item<'static> {
    let Finding { error, code, message, at } = finding;
    let message = message.to_owned();
    if error { Item::Error { code, message, at } } else { Item::Warning { code, message, at } }
}
