//! Which bytes of a connection belong together.
//!
//! Just enough of each protocol to tell payload from what frames it, byte by byte and in any cut. It judges nothing: where the
//! bytes make no sense, everything that follows is taken as one text.

use std::ops::Range;

use crate::Dir;

/// What a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1: heads, and a body that may be chunked (RFC 9112).
    Http1,
    /// HTTP/2 (RFC 9113).
    Http2,
    /// HTTP/1.1 upgrading to WebSocket (RFC 6455).
    WebSocket,
}

/// Which text a byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// The body, or the message.
    Payload,
    /// Heads, chunk lines, trailers, control frames.
    Line,
    /// Messages under permessage-deflate.
    Deflated,
    /// HPACK blocks.
    Block,
    /// Frame headers: no text.
    Skip,
}

/// What [`Layout::runs`] tells.
pub(super) enum Run {
    /// Bytes of one lane: their range in the input, and with what they are masked (the key and where in it they begin).
    Bytes { lane: Lane, range: Range<usize>, mask: Option<([u8; 4], usize)> },
    /// What the server agreed to: the value of `Sec-WebSocket-Extensions`.
    Agreed(String),
    /// What came on the lane of compressed messages is no whole one.
    Broken,
    /// What follows on that lane does not continue what came before.
    End(Lane),
}

pub(super) enum Layout {
    Http1(Http1),
    Http2(Http2),
    Frames(Frames),
    /// One text to the end.
    Opaque,
}

impl Layout {
    pub(super) fn new(protocol: Protocol, dir: Dir) -> Self {
        match protocol {
            Protocol::Http1 => Self::Http1(Http1 { upgrades: false, dir, ..Http1::default() }),
            Protocol::WebSocket => Self::Http1(Http1 { upgrades: true, dir, ..Http1::default() }),
            Protocol::Http2 => Self::Http2(Http2 { preface: if dir == Dir::Out { PREFACE } else { 0 }, ..Http2::default() }),
        }
    }

    /// Tells what `input` consists of, in order; the runs together are the whole input.
    pub(super) fn runs(&mut self, input: &[u8], mut tell: impl FnMut(Run)) {
        let mut at = 0;
        while at < input.len() {
            let next = match self {
                Self::Http1(http1) => http1.step(input, &mut at, &mut tell),
                Self::Http2(http2) => http2.step(input, &mut at, &mut tell),
                Self::Frames(frames) => frames.step(input, &mut at, &mut tell),
                Self::Opaque => {
                    tell(Run::Bytes { lane: Lane::Payload, range: at..input.len(), mask: None });
                    at = input.len();
                    None
                }
            };
            if let Some(next) = next {
                *self = next;
            }
        }
    }
}

/// Tells the next up to `wanted` bytes and how many these are.
fn tell_up_to(wanted: u64, lane: Lane, input: &[u8], at: &mut usize, tell: &mut impl FnMut(Run)) -> u64 {
    let length = usize::try_from(wanted).unwrap_or(usize::MAX).min(input.len() - *at);
    tell(Run::Bytes { lane, range: *at..*at + length, mask: None });
    *at += length;
    length as u64
}

/// A line that is longer than this is no line of HTTP/1.1.
const MAX_LINE: usize = 1 << 20;

pub(super) struct Http1 {
    dir: Dir,
    upgrades: bool,
    part: Part,
    /// The unfinished line.
    line: Vec<u8>,
    chunked: bool,
    switched: bool,
    interim: bool,
    first: bool,
    /// The extensions that the head names.
    extensions: String,
}

enum Part {
    Head,
    ChunkSize,
    Chunk(u64),
    ChunkEnd,
    Trailers,
}

impl Default for Http1 {
    fn default() -> Self {
        Self {
            dir: Dir::In,
            upgrades: false,
            part: Part::Head,
            line: Vec::new(),
            chunked: false,
            switched: false,
            interim: false,
            first: true,
            extensions: String::new(),
        }
    }
}

impl Http1 {
    fn step(&mut self, input: &[u8], at: &mut usize, tell: &mut impl FnMut(Run)) -> Option<Layout> {
        if let Part::Chunk(left) = &mut self.part {
            *left -= tell_up_to(*left, Lane::Payload, input, at, tell);
            if *left == 0 {
                self.part = Part::ChunkEnd;
            }
            return None;
        }
        let rest = &input[*at..];
        let end = memchr::memchr(b'\n', rest).map(|i| i + 1);
        let length = end.unwrap_or(rest.len());
        tell(Run::Bytes { lane: Lane::Line, range: *at..*at + length, mask: None });
        self.line.extend_from_slice(&rest[..length]);
        *at += length;
        if self.line.len() > MAX_LINE {
            return Some(Layout::Opaque);
        }
        end?;
        let line = std::mem::take(&mut self.line);
        self.end_of_line(line.trim_ascii(), tell)
    }

    fn end_of_line(&mut self, line: &[u8], tell: &mut impl FnMut(Run)) -> Option<Layout> {
        match self.part {
            Part::Head if line.is_empty() && !self.first => {
                tell(Run::End(Lane::Line));
                self.first = true;
                if self.upgrades && (self.switched || self.dir == Dir::Out) {
                    let extensions = std::mem::take(&mut self.extensions);
                    let deflated = self.dir == Dir::In && !extensions.is_empty();
                    if deflated {
                        tell(Run::Agreed(extensions));
                    }
                    return Some(Layout::Frames(Frames { deflated, ..Frames::default() }));
                }
                if self.interim {
                    return None;
                }
                if !self.chunked {
                    return Some(Layout::Opaque);
                }
                self.part = Part::ChunkSize;
            }
            Part::Head => self.head_line(line),
            Part::ChunkSize => {
                let digits = line.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
                let Some(size) = std::str::from_utf8(digits).ok().and_then(|text| u64::from_str_radix(text, 16).ok()) else {
                    return Some(Layout::Opaque);
                };
                self.part = if size == 0 { Part::Trailers } else { Part::Chunk(size) };
            }
            Part::ChunkEnd if line.is_empty() => self.part = Part::ChunkSize,
            Part::ChunkEnd => return Some(Layout::Opaque),
            Part::Trailers if line.is_empty() => {
                tell(Run::End(Lane::Payload));
                tell(Run::End(Lane::Line));
                return Some(Layout::Opaque);
            }
            Part::Trailers | Part::Chunk(_) => {}
        }
        None
    }

    fn head_line(&mut self, line: &[u8]) {
        if self.first {
            self.first = false;
            self.chunked = false;
            // `HTTP/1.1 101 Switching Protocols`; a request line has no status there.
            let status = line.split(|&byte| byte == b' ').nth(1).unwrap_or_default();
            self.switched = status == b"101";
            self.interim = self.dir == Dir::In && status.len() == 3 && status[0] == b'1' && !self.switched;
            return;
        }
        let line = line.to_ascii_lowercase();
        if let Some(value) = line.strip_prefix(b"sec-websocket-extensions:") {
            let value = String::from_utf8_lossy(value.trim_ascii()).into_owned();
            self.extensions = if self.extensions.is_empty() { value } else { format!("{}, {value}", self.extensions) };
        }
        if let Some(value) = line.strip_prefix(b"transfer-encoding:") {
            self.chunked |= value.trim_ascii().ends_with(b"chunked");
        }
    }
}

/// Length of the client's connection preface (RFC 9113, section 3.4).
const PREFACE: usize = 24;

#[derive(Default)]
pub(super) struct Http2 {
    /// Bytes of the preface still to come.
    preface: usize,
    header: Vec<u8>,
    frame: Option<Frame>,
}

struct Frame {
    lane: Lane,
    left: u64,
    /// The next byte is the padding's length.
    padded: bool,
    padding: u64,
    /// The lane ends with the frame.
    last: bool,
}

impl Http2 {
    fn step(&mut self, input: &[u8], at: &mut usize, tell: &mut impl FnMut(Run)) -> Option<Layout> {
        if self.preface > 0 {
            self.preface -= tell_up_to(self.preface as u64, Lane::Skip, input, at, tell) as usize;
            return None;
        }
        let Some(frame) = &mut self.frame else {
            self.header.push(input[*at]);
            tell_up_to(1, Lane::Skip, input, at, tell);
            if self.header.len() == 9 {
                self.frame = Some(Frame::read(&self.header));
                self.header.clear();
                self.end_frame(tell);
            }
            return None;
        };
        if frame.padded {
            frame.padded = false;
            frame.left -= 1;
            frame.padding = u64::from(input[*at]).min(frame.left);
            tell_up_to(1, Lane::Skip, input, at, tell);
        } else if frame.left > frame.padding {
            frame.left -= tell_up_to(frame.left - frame.padding, frame.lane, input, at, tell);
        } else {
            let skipped = tell_up_to(frame.left, Lane::Skip, input, at, tell);
            frame.left -= skipped;
            frame.padding = frame.left;
        }
        self.end_frame(tell);
        None
    }

    fn end_frame(&mut self, tell: &mut impl FnMut(Run)) {
        if let Some(frame) = self.frame.take_if(|frame| frame.left == 0)
            && frame.last
        {
            tell(Run::End(frame.lane));
        }
    }
}

impl Frame {
    /// Reads a frame header (RFC 9113, section 4.1).
    fn read(header: &[u8]) -> Self {
        const DATA: u8 = 0;
        const HEADERS: u8 = 1;
        const PUSH_PROMISE: u8 = 5;
        const CONTINUATION: u8 = 9;
        const END_STREAM: u8 = 1;
        const END_HEADERS: u8 = 4;
        const PADDED: u8 = 8;
        let left = u64::from(header[0]) << 16 | u64::from(header[1]) << 8 | u64::from(header[2]);
        let flags = header[4];
        let (lane, last) = match header[3] {
            DATA => (Lane::Payload, flags & END_STREAM != 0),
            HEADERS | PUSH_PROMISE | CONTINUATION => (Lane::Block, flags & END_HEADERS != 0),
            _ => (Lane::Line, true),
        };
        // A header block's padding and priority may stay in: they are no obstacle to a search in the whole block.
        Self { lane, left, padded: lane == Lane::Payload && flags & PADDED != 0 && left > 0, padding: 0, last }
    }
}

/// WebSocket frames after the handshake (RFC 6455, section 5.2).
#[derive(Default)]
pub(super) struct Frames {
    /// Extensions were agreed: the first reserved bit may say that a message is compressed.
    deflated: bool,
    /// The latest message is.
    compressed: bool,
    /// Its last frame is still to come.
    open: bool,
    header: Vec<u8>,
    payload: Option<FramePayload>,
}

struct FramePayload {
    lane: Lane,
    left: u64,
    key: Option<[u8; 4]>,
    done: usize,
    last: bool,
}

impl Frames {
    fn step(&mut self, input: &[u8], at: &mut usize, tell: &mut impl FnMut(Run)) -> Option<Layout> {
        if let Some(payload) = &mut self.payload {
            let length = usize::try_from(payload.left).unwrap_or(usize::MAX).min(input.len() - *at);
            tell(Run::Bytes { lane: payload.lane, range: *at..*at + length, mask: payload.key.map(|key| (key, payload.done % 4)) });
            *at += length;
            payload.left -= length as u64;
            payload.done += length;
        } else {
            self.header.push(input[*at]);
            tell_up_to(1, Lane::Skip, input, at, tell);
            self.payload = FramePayload::read(&self.header);
            if let Some(payload) = self.payload.as_mut().filter(|payload| payload.lane == Lane::Payload) {
                // The bit stands on a message's first frame (RFC 7692 §6).
                if self.header[0] & 0x0f != 0 {
                    if self.compressed && self.open {
                        tell(Run::Broken);
                    }
                    self.compressed = self.deflated && self.header[0] & 0x40 != 0;
                }
                self.open = !payload.last;
                if self.compressed {
                    payload.lane = Lane::Deflated;
                }
            }
        }
        if let Some(payload) = &self.payload
            && payload.left == 0
        {
            if payload.last {
                tell(Run::End(payload.lane));
            }
            self.payload = None;
            self.header.clear();
        } else if self.payload.is_some() {
            self.header.clear();
        }
        None
    }
}

impl FramePayload {
    /// Reads a frame header; `None` while it is incomplete.
    fn read(header: &[u8]) -> Option<Self> {
        let &[first, second, ref rest @ ..] = header else { return None };
        let (left, rest) = match second & 0x7f {
            126 => (u64::from(u16::from_be_bytes(*rest.first_chunk()?)), &rest[2..]),
            127 => (u64::from_be_bytes(*rest.first_chunk()?), &rest[8..]),
            length => (u64::from(length), rest),
        };
        let key = if second & 0x80 != 0 { Some(*rest.first_chunk()?) } else { None };
        let control = first & 0x08 != 0;
        Some(Self { lane: if control { Lane::Line } else { Lane::Payload }, left, key, done: 0, last: control || first & 0x80 != 0 })
    }
}
