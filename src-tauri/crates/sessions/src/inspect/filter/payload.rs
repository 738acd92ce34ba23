//! A row's bytes for the tests that need them. Nothing here holds a session's lock: what a row is was copied out before.

use std::borrow::Cow;
use std::sync::Arc;

use weir_dialects::{Dialect, Transport};
use weir_frames::Span;
use weir_frames::coding::{Coding, Decoder};

use crate::analysis::{Layer, Row};
use crate::inspect::Bytes;
use crate::inspect::unit::{Inflating, Unit, deltas_of, undo};

/// Bytes read at once: what stands near is asked for next.
const WINDOW: usize = 1 << 20;
/// A longer row is searched piece by piece.
const PIECE: u64 = 8 << 20;
/// By how much pieces overlap: a match that is longer and crosses their border is missed.
const OVERLAP: u64 = 64 << 10;
/// A longer row has no JSON that was ever decoded.
const LONGEST_JSON: u64 = 128 << 20;
/// Directions of connections whose bytes are kept at once.
const KEPT: usize = 4;

/// Where a row's bytes are.
#[derive(Clone)]
pub struct Source {
    /// Connection.
    pub conn: u32,
    /// Sent by Weir.
    pub out: bool,
    /// Its ranges in the connection's bytes.
    pub spans: Vec<Span>,
    /// Under a content coding those ranges are blocks that hold more than the row: this is where it is in what they decode to.
    pub coded: Option<Coded>,
    /// Under permessage-deflate: how to inflate it.
    pub deflated: Option<Inflated>,
    /// Who decodes it.
    pub dialect: &'static dyn Dialect,
    /// How the reply travels.
    pub transport: Transport,
}

/// A row of a body under content codings. These can only be undone in order: the rows of a stream are to be asked about in order, too.
#[derive(Clone)]
pub struct Coded {
    /// The stream.
    pub stream: u16,
    /// Its codings, the outermost first.
    pub codings: Vec<Coding>,
    /// The row's range in the decoded stream.
    pub span: Span,
    /// What is to be decoded for it beyond what was for the rows before: ranges of the connection's bytes.
    pub more: Vec<Span>,
}

/// A WebSocket message on a socket with permessage-deflate. The messages of a stream are to be asked about in order, too.
#[derive(Clone)]
pub struct Inflated {
    /// The stream.
    pub stream: u16,
    /// What was agreed.
    pub extensions: String,
    /// Set where reading begins anew: at this offset of the stream, with this window.
    pub from: Option<(u64, Arc<[u8]>)>,
    /// Where the message begins in the stream.
    pub start: u64,
    /// What is to be read for it beyond what was for the messages before: ranges of the connection's bytes.
    pub more: Vec<Span>,
}

/// A coded stream as far as it was decoded; what rows need no longer is let go.
struct Decoded {
    stream: u16,
    decoders: Vec<Decoder>,
    /// Where `data` begins in the decoded stream.
    start: u64,
    data: Vec<u8>,
}

/// Pieces of each direction's bytes, so that a search through all rows reads each byte once.
#[derive(Default)]
pub struct Windows {
    held: Vec<Window>,
    decoded: Vec<Decoded>,
    inflating: Vec<(u16, Inflating)>,
}

struct Window {
    conn: u32,
    out: bool,
    start: u64,
    data: Vec<u8>,
}

impl Windows {
    /// Lets go of the bytes. Decoders stay where they are: they cannot go back.
    pub fn clear(&mut self) {
        self.held = Vec::new();
    }

    /// Decodes as far as a row needs. Must be called for every row that `more` was told for, whether it is asked about or not.
    fn decode(&mut self, bytes: &dyn Bytes, conn: u32, out: bool, coded: &Coded) -> &[u8] {
        let at = self.decoded.iter().position(|one| one.stream == coded.stream).unwrap_or_else(|| {
            let decoders = coded.codings.iter().map(|coding| Decoder::unmapped(*coding)).collect();
            self.decoded.push(Decoded { stream: coded.stream, decoders, start: 0, data: Vec::new() });
            self.decoded.len() - 1
        });
        let mut raw = Vec::new();
        for span in &coded.more {
            self.take(bytes, conn, out, *span, &mut raw);
        }
        let one = &mut self.decoded[at];
        undo(&mut one.decoders, &raw, &mut |plain| one.data.extend_from_slice(plain));
        let past = (coded.span.start.saturating_sub(one.start) as usize).min(one.data.len());
        if past > WINDOW {
            one.data.drain(..past);
            one.start += past as u64;
        }
        let from = (coded.span.start.saturating_sub(one.start) as usize).min(one.data.len());
        let to = (coded.span.end.saturating_sub(one.start) as usize).clamp(from, one.data.len());
        &one.data[from..to]
    }

    /// What a message inflates to; `None` where it is not compressed. Must be called for every message that `more` was told for.
    fn inflate(&mut self, bytes: &dyn Bytes, conn: u32, out: bool, message: &Inflated) -> Option<Vec<u8>> {
        if let Some((from, window)) = &message.from {
            self.inflating.retain(|(stream, _)| *stream != message.stream);
            self.inflating.push((message.stream, Inflating::new(out, &message.extensions, *from, window)));
        }
        let at = self.inflating.iter().position(|(stream, _)| *stream == message.stream)?;
        for span in &message.more {
            let mut start = span.start;
            while start < span.end {
                let mut piece = Vec::new();
                self.take(bytes, conn, out, Span::new(start, span.end.min(start + WINDOW as u64)), &mut piece);
                if piece.is_empty() {
                    return None;
                }
                start += piece.len() as u64;
                self.inflating[at].1.push(&piece, message.start);
            }
        }
        self.inflating[at].1.found.take()
    }

    /// Appends a range; less of it where the stream ends, or cannot be read.
    fn take(&mut self, bytes: &dyn Bytes, conn: u32, out: bool, span: Span, into: &mut Vec<u8>) {
        if span.len() > WINDOW as u64 {
            into.extend(bytes.read(conn, out, span.start, span.len() as usize).unwrap_or_default());
            return;
        }
        let at = self.held.iter().position(|w| w.conn == conn && w.out == out);
        let mut window = at.map_or(Window { conn, out, start: 0, data: Vec::new() }, |at| self.held.remove(at));
        if span.start < window.start || span.end > window.start + window.data.len() as u64 {
            window.start = span.start;
            window.data = bytes.read(conn, out, span.start, WINDOW).unwrap_or_default();
        }
        let from = (span.start - window.start) as usize;
        let to = ((span.end - window.start) as usize).min(window.data.len());
        into.extend_from_slice(window.data.get(from..to).unwrap_or_default());
        if self.held.len() == KEPT {
            self.held.remove(0);
        }
        self.held.push(window);
    }
}

/// A row's bytes, read when a test asks for them.
pub struct Payload<'a> {
    bytes: &'a dyn Bytes,
    windows: &'a mut Windows,
    source: &'a Source,
    inner: Option<Vec<u8>>,
    content: Option<Option<Vec<u8>>>,
}

impl<'a> Payload<'a> {
    /// The bytes that `source` names.
    pub fn new(bytes: &'a dyn Bytes, windows: &'a mut Windows, source: &'a Source) -> Self {
        // The rows behind it count on its part being decoded.
        let inner = source.coded.as_ref().map(|coded| windows.decode(bytes, source.conn, source.out, coded).to_vec());
        let inflated = source.deflated.as_ref().and_then(|message| windows.inflate(bytes, source.conn, source.out, message));
        Self { bytes, windows, source, inner, content: inflated.map(Some) }
    }

    fn len(&self) -> u64 {
        if let Some(coded) = &self.source.coded {
            return coded.span.len();
        }
        self.source.spans.iter().map(|span| span.len()).sum()
    }

    /// `[from, to)` of the row's bytes in its own layer.
    fn part(&mut self, from: u64, to: u64) -> Vec<u8> {
        if let (Some(_), Some(inner)) = (&self.source.coded, &self.inner) {
            let to = (to as usize).min(inner.len());
            return inner.get(from as usize..to).unwrap_or_default().to_vec();
        }
        let mut part = Vec::new();
        let mut at = 0;
        for span in &self.source.spans {
            let (start, end) = (from.max(at), to.min(at + span.len()));
            if start < end {
                let outer = Span::new(span.start + start - at, span.start + end - at);
                self.windows.take(self.bytes, self.source.conn, self.source.out, outer, &mut part);
            }
            at += span.len();
        }
        part
    }

    /// Whether `f` holds for the row's bytes as they stand in its own layer, or for them as they read with the escapes of JSON
    /// resolved; for what was sent over a WebSocket also unmasked, for records whose payload is wrapped also for the text inside.
    pub fn any(&mut self, row: &Row, f: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        let len = self.len();
        if len > PIECE {
            let mut from = 0;
            while from < len {
                let piece = self.part(from, (from + PIECE).min(len));
                if either(&piece, f) {
                    return true;
                }
                from += PIECE - OVERLAP;
            }
            return false;
        }
        if self.inner.is_none() {
            self.inner = Some(self.part(0, len));
        }
        if self.inner.as_deref().is_some_and(|inner| either(inner, f)) {
            return true;
        }
        match row.layer {
            Layer::Ws if self.source.out || self.source.deflated.is_some() => self.content(row).is_some_and(|content| either(content, f)),
            Layer::Eventstream => self.told(row).is_some_and(|text| f(text.as_bytes())),
            _ => false,
        }
    }

    /// The payload that the row carries: what a dialect decodes. `None` where it carries none.
    pub fn content(&mut self, row: &Row) -> Option<&[u8]> {
        if self.content.is_none() {
            self.content = Some(self.unit().and_then(|unit| unit.content(row)).map(|content| content.data));
        }
        self.content.as_ref()?.as_deref()
    }

    fn unit(&mut self) -> Option<Unit> {
        let len = self.len();
        if len > LONGEST_JSON {
            return None;
        }
        let inner = match &self.inner {
            Some(inner) => inner.clone(),
            None => self.part(0, len),
        };
        Some(Unit::of(self.source.conn, self.source.out, inner))
    }

    /// What the dialect reads in it.
    fn told(&mut self, row: &Row) -> Option<String> {
        let content = self.unit()?.content(row)?;
        let mut text = String::new();
        deltas_of(self.source.dialect, self.source.transport, row, "", &content, &mut |delta| text.push_str(&delta.text));
        Some(text)
    }
}

fn either(bytes: &[u8], f: &mut dyn FnMut(&[u8]) -> bool) -> bool {
    f(bytes) || matches!(unescaped(bytes), Cow::Owned(plain) if f(&plain))
}

/// Bytes with the escapes of JSON strings (RFC 8259 §7) resolved wherever they stand; a surrogate without its other half stays as
/// it is.
pub fn unescaped(bytes: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'\\', bytes) else { return Cow::Borrowed(bytes) };
    let mut plain = bytes[..first].to_vec();
    let mut rest = &bytes[first..];
    while let [b'\\', behind @ ..] = rest {
        let used = match behind.first() {
            Some(b'n') => push(&mut plain, '\n', 2),
            Some(b't') => push(&mut plain, '\t', 2),
            Some(b'r') => push(&mut plain, '\r', 2),
            Some(b'b') => push(&mut plain, '\u{8}', 2),
            Some(b'f') => push(&mut plain, '\u{c}', 2),
            Some(&c @ (b'"' | b'\\' | b'/')) => push(&mut plain, char::from(c), 2),
            Some(b'u') => code_point(rest).map_or(0, |(c, used)| push(&mut plain, c, used)),
            _ => 0,
        };
        if used == 0 {
            plain.push(b'\\');
        }
        rest = &rest[used.max(1)..];
        let next = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
        plain.extend_from_slice(&rest[..next]);
        rest = &rest[next..];
    }
    Cow::Owned(plain)
}

fn push(plain: &mut Vec<u8>, c: char, used: usize) -> usize {
    plain.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    used
}

/// The character of `\uXXXX`, or of two of them that are a pair, and the bytes it took.
fn code_point(bytes: &[u8]) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = std::str::from_utf8(bytes.get(at + 2..at + 6)?).ok()?;
        let right = bytes.get(at..at + 2)? == b"\\u" && digits.bytes().all(|b| b.is_ascii_hexdigit());
        if right { u16::from_str_radix(digits, 16).ok() } else { None }
    };
    let high = unit(0)?;
    match char::from_u32(u32::from(high)) {
        Some(c) => Some((c, 6)),
        None => char::decode_utf16([high, unit(6)?]).next()?.ok().map(|c| (c, 12)),
    }
}
