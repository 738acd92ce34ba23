//! A row's bytes: as they stood on the wire, in its own layer, and as the payload a dialect decodes.

use std::sync::PoisonError;

use weir_dialects::{Decoder as DialectDecoder, Delta, Dialect, Payload, Transport};
use weir_frames::coding::Decoder;
use weir_frames::layers::Map;
use weir_frames::{Limits, Span, eventstream, http1, sse, ws};

use super::Bytes;
use super::reread::LONGEST;
use crate::analysis::{ELEMENT, Fold, Kind, Layer, Row, record_of};

/// Bytes of one unit that are read to be explained. A longer unit is explained as far as this; the hex view shows all of it.
pub const MOST: u64 = 1 << 20;

/// An opened row.
pub struct Unit {
    /// Connection.
    pub conn: u32,
    /// Sent by Weir.
    pub out: bool,
    /// Range of the connection's bytes that shows the row, its carriers included.
    pub window: Span,
    /// The window's bytes, at most [`MOST`].
    pub bytes: Vec<u8>,
    /// The row's bytes in its own layer.
    pub inner: Vec<u8>,
    /// From `inner` to the connection's bytes; empty under a content coding.
    pub map: Map,
    /// Under a content coding: the connection's ranges that hold the blocks the row was decoded from.
    pub blocks: Vec<Span>,
    /// Carriers in the window, as connection ranges.
    pub carriers: Vec<(Layer, u16, Span)>,
    /// The row is longer than what was read.
    pub short: bool,
    /// A WebSocket message under permessage-deflate: what it inflates to.
    pub inflated: Option<Vec<u8>>,
}

/// What a dialect decodes of a unit, and where it came from.
pub struct Content {
    /// SSE event type, or the event, exception or error an AWS message names; "" elsewhere.
    pub event: String,
    /// `:message-type` of an AWS message, "" elsewhere.
    pub kind: String,
    /// The payload.
    pub data: Vec<u8>,
    /// From the payload to the connection's bytes; empty where there is no such map (compressed messages).
    pub map: Map,
}

/// The part of a row, in its own layer, that is read to be explained.
pub fn shown(row: &Row) -> Span {
    let span = row.span();
    Span::new(span.start, span.end.min(span.start + MOST))
}

impl Unit {
    /// Reads what `row` stands for, as far as it is explained.
    pub fn read(fold: &Fold, bytes: &dyn Bytes, row: &Row) -> Result<Self, crate::Error> {
        Self::read_up_to(fold, bytes, row, MOST)
    }

    /// Reads what `row` stands for, however long it is (a unit that was decoded is 128 MiB at most).
    pub fn read_whole(fold: &Fold, bytes: &dyn Bytes, row: &Row) -> Result<Self, crate::Error> {
        Self::read_up_to(fold, bytes, row, u64::from(row.len).max(MOST))
    }

    /// A row's bytes alone, from wherever they were read: enough for [`Unit::content`].
    pub fn of(conn: u32, out: bool, inner: Vec<u8>) -> Self {
        let window = Span::new(0, 0);
        Self {
            conn,
            out,
            window,
            bytes: Vec::new(),
            inner,
            map: Map::default(),
            blocks: Vec::new(),
            carriers: Vec::new(),
            short: false,
            inflated: None,
        }
    }

    /// Reads what carries a row of a compressed body, without undoing the coding.
    pub fn read_coded(fold: &Fold, bytes: &dyn Bytes, row: &Row) -> Result<Self, crate::Error> {
        Self::read_with(fold, bytes, row, MOST, false)
    }

    fn read_up_to(fold: &Fold, bytes: &dyn Bytes, row: &Row, most: u64) -> Result<Self, crate::Error> {
        Self::read_with(fold, bytes, row, most, true)
    }

    fn read_with(fold: &Fold, bytes: &dyn Bytes, row: &Row, most: u64, decode: bool) -> Result<Self, crate::Error> {
        let stream = fold.streams.get(row.stream as usize).ok_or_else(|| crate::Error::missing("stream"))?;
        let span = row.span();
        let short = span.len() > most;
        let shown = Span::new(span.start, span.end.min(span.start + most));
        let own = stream.wire(shown);
        let mut window = Span::new(own.first().map_or(span.start, |s| s.start), own.last().map_or(span.start, |s| s.end));
        let mut carriers = Vec::new();
        if let Some(layer) = stream.inside {
            carriers = carried_by(fold, row, layer, window);
            for (_, _, span) in &carriers {
                window = Span::new(window.start.min(span.start), window.end.max(span.end));
            }
        }
        window.end = window.end.min(window.start + 2 * most);
        let source = bytes;
        let bytes = bytes.read(stream.conn, stream.out, window.start, window.len() as usize)?;
        let (mut inner, mut map) = (Vec::new(), Map::default());
        if !stream.codings.is_empty() {
            let inner = if decode { uncoded(row.stream, stream, source, shown)? } else { Vec::new() };
            return Ok(Self {
                conn: stream.conn,
                out: stream.out,
                window,
                bytes,
                inner,
                map,
                blocks: own,
                carriers,
                short,
                inflated: None,
            });
        }
        let inflated = if short { None } else { inflated(stream, source, row)? };
        let blocks = if inflated.is_some() { own.clone() } else { Vec::new() };
        for part in own {
            let from = (part.start - window.start) as usize;
            let to = ((part.end - window.start) as usize).min(bytes.len());
            if let Some(part_bytes) = bytes.get(from..to) {
                inner.extend_from_slice(part_bytes);
                map.push(Span::new(part.start, part.start + part_bytes.len() as u64));
            }
        }
        Ok(Self { conn: stream.conn, out: stream.out, window, bytes, inner, map, blocks, carriers, short, inflated })
    }

    /// The payload that `row` carries, where it carries one.
    pub fn content(&self, row: &Row) -> Option<Content> {
        match row.layer {
            Layer::Sse => self.event(),
            Layer::Ndjson | Layer::Body => Some(Content::plain(self.inner.clone(), self.map.clone())),
            Layer::Eventstream => self.record(),
            Layer::Ws => self.message(),
            Layer::H2 if row.kind == Kind::Request => {
                let data = self.inner.get(9..)?.to_vec();
                Some(Content::plain(data, self.sub_map(Span::new(9, self.inner.len() as u64))))
            }
            Layer::Http | Layer::Chunk | Layer::H2 => None,
        }
    }

    /// A map of a part of `inner` only.
    pub fn sub_map(&self, part: Span) -> Map {
        let mut map = Map::default();
        for span in self.map.outer(part) {
            map.push(span);
        }
        map
    }

    fn event(&self) -> Option<Content> {
        let mut found = None;
        let mut dissector = sse::Dissector::new(Limits::default(), "");
        let mut take = |item: sse::Item<'_>| {
            if let sse::Item::Event(event) = item {
                let mut map = Map::default();
                for (n, line) in event.lines.iter().enumerate() {
                    if n > 0 {
                        // The LF that joins two lines stands for the line end between them.
                        let end = event.lines[n - 1].end;
                        for span in self.map.outer(Span::new(end, end + 1)) {
                            map.push(span);
                        }
                    }
                    for span in self.map.outer(*line) {
                        map.push(span);
                    }
                }
                found.get_or_insert(Content { event: event.event.to_owned(), ..Content::plain(event.data.as_bytes().to_vec(), map) });
            }
        };
        dissector.push(&self.inner, &mut take);
        dissector.finish(&mut take);
        found
    }

    fn record(&self) -> Option<Content> {
        let mut found = None;
        let mut dissector = eventstream::Dissector::new(Limits::default());
        dissector.push(&self.inner, &mut |item| {
            if let eventstream::Item::Message(message) = item {
                let (kind, name, data) = record_of(&message);
                // The text of an error stands in a header: it has no range of its own.
                let map = if kind == "error" { Map::default() } else { self.sub_map(message.payload_span) };
                let content = Content { event: name.to_owned(), kind: kind.to_owned(), ..Content::plain(data.to_vec(), map) };
                found.get_or_insert(content);
            }
        });
        found
    }

    fn message(&self) -> Option<Content> {
        if let Some(data) = &self.inflated {
            return Some(Content::plain(data.clone(), Map::default()));
        }
        let (mut found, mut map) = (None, Map::default());
        let side = if self.out { http1::Side::Client } else { http1::Side::Server };
        let mut dissector = ws::Dissector::new(side, "", Limits::default());
        dissector.push(&self.inner, &mut |item| match item {
            ws::Item::Frame(frame) if frame.opcode < 8 => {
                let payload = Span::new(frame.span.start + u64::from(frame.header_len), frame.span.end);
                for span in self.map.outer(payload) {
                    map.push(span);
                }
            }
            ws::Item::Message { data, .. } if found.is_none() => found = Some(data.to_vec()),
            _ => {}
        });
        Some(Content::plain(found?, map))
    }
}

impl Content {
    fn plain(data: Vec<u8>, map: Map) -> Self {
        Self { event: String::new(), kind: String::new(), data, map }
    }
}

/// Bytes of a stream, content codings undone; fewer where there are no more.
///
/// # Errors
/// The disk failed, or the range lies far into a compressed body that is still being decoded up to it.
pub fn read_span(fold: &Fold, bytes: &dyn Bytes, id: u16, span: Span) -> Result<Vec<u8>, crate::Error> {
    let stream = fold.streams.get(id as usize).ok_or_else(|| crate::Error::missing("stream"))?;
    if !stream.codings.is_empty() {
        return uncoded(id, stream, bytes, span);
    }
    let mut found = Vec::new();
    for part in stream.wire(span) {
        found.extend_from_slice(&bytes.read(stream.conn, stream.out, part.start, part.len() as usize)?);
    }
    Ok(found)
}

/// Coded bytes on the way to a row that are decoded at once, while others wait for the index.
const AT_ONCE: u64 = 8 << 20;

/// The range `shown` of a coded stream, decoded anew.
fn uncoded(id: u16, stream: &crate::analysis::Stream, bytes: &dyn Bytes, shown: Span) -> Result<Vec<u8>, crate::Error> {
    let end = stream.coded(shown).last().map_or(0, |coded| coded.end);
    if let Some(kept) = bytes.reread().filter(|_| shown.len() <= LONGEST) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(mut step) = kept.step(id, stream, shown) {
            let far = step.left() > AT_ONCE;
            if !far {
                step.run(bytes)?;
            }
            if !kept.keep(step) {
                break;
            }
            if far {
                return Err(crate::Error::new(
                    "local",
                    "decoding",
                    "The body is being decoded up to this frame.",
                    "Its inside shows once that is done; nothing is lost.",
                    format!("{end} B of compressed bytes come before its end"),
                    "Wait, or open the frame.",
                ));
            }
        }
        return Ok(kept.part(id, shown));
    }
    let mut decoders: Vec<Decoder> = stream.codings.iter().map(|(coding, _)| Decoder::unmapped(*coding)).collect();
    let (mut at, mut found) = (0u64, Vec::with_capacity(shown.len() as usize));
    for part in stream.map.outer(Span::new(0, end)) {
        let mut start = part.start;
        while start < part.end {
            let piece = bytes.read(stream.conn, stream.out, start, (part.end - start).min(MOST) as usize)?;
            if piece.is_empty() {
                break;
            }
            start += piece.len() as u64;
            undo(&mut decoders, &piece, &mut |bytes| {
                let here = Span::new(at, at + bytes.len() as u64);
                at = here.end;
                if here.overlaps(shown) {
                    let from = shown.start.saturating_sub(here.start).min(here.len()) as usize;
                    let to = (shown.end.min(here.end) - here.start) as usize;
                    found.extend_from_slice(bytes.get(from..to).unwrap_or_default());
                }
            });
        }
    }
    Ok(found)
}

/// What the message that `row` is inflates to, read from the last place where that can begin; `None` where it is not compressed.
fn inflated(stream: &crate::analysis::Stream, bytes: &dyn Bytes, row: &Row) -> Result<Option<Vec<u8>>, crate::Error> {
    let Some(deflated) = stream.deflated.as_ref().filter(|_| row.layer == Layer::Ws && row.kind != Kind::Frame && row.len > 0) else {
        return Ok(None);
    };
    let (from, window) = deflated.before(row.start);
    let mut reader = Inflating::new(stream.out, &deflated.extensions, from, &window);
    for part in stream.wire(Span::new(from, row.span().end)) {
        let mut start = part.start;
        while start < part.end {
            let piece = bytes.read(stream.conn, stream.out, start, (part.end - start).min(MOST) as usize)?;
            if piece.is_empty() {
                return Ok(None);
            }
            start += piece.len() as u64;
            reader.push(&piece, row.start);
        }
    }
    Ok(reader.found)
}

/// Reads messages under permessage-deflate one after another, for the sake of one of them.
pub struct Inflating {
    dissector: ws::Dissector,
    /// Where the dissector began.
    from: u64,
    /// What the message inflates to that was looked for, once it came and if it is compressed.
    pub found: Option<Vec<u8>>,
}

impl Inflating {
    /// From the offset `from` of the stream, where this window was left.
    pub fn new(out: bool, extensions: &str, from: u64, window: &[u8]) -> Self {
        let side = if out { http1::Side::Client } else { http1::Side::Server };
        Self { dissector: ws::Dissector::resumed(side, extensions, Limits::default(), window), from, found: None }
    }

    /// The next bytes of the stream; the message that begins at `wanted` is kept.
    pub fn push(&mut self, bytes: &[u8], wanted: u64) {
        let Self { dissector, from, found } = self;
        dissector.push(bytes, &mut |item| {
            if let ws::Item::Message { span, data, deflated: Some(_), oversized: false, .. } = item
                && *from + span.start == wanted
            {
                *found = Some(data.to_vec());
            }
        });
    }
}

/// Undoes codings, the outermost first, as far as `bytes` lead.
pub fn undo(decoders: &mut [Decoder], bytes: &[u8], sink: &mut dyn FnMut(&[u8])) {
    let Some((first, rest)) = decoders.split_first_mut() else { return sink(bytes) };
    first.push(bytes, &mut |item| {
        if let weir_frames::coding::Item::Data { bytes, .. } = item {
            undo(rest, bytes, sink);
        }
    });
}

/// Carriers of the same connection and direction that share bytes with `window`.
fn carried_by(fold: &Fold, row: &Row, layer: Layer, window: Span) -> Vec<(Layer, u16, Span)> {
    let Some(stream) = fold.streams.get(row.stream as usize) else { return Vec::new() };
    let same = |carrier: &Row| {
        carrier.layer == layer && fold.streams.get(carrier.stream as usize).is_some_and(|s| s.conn == stream.conn && s.out == stream.out)
    };
    // Carriers stand in order of time, and those of one direction in order of bytes, too.
    let near = fold.carriers.partition_point(|carrier| carrier.t < row.t);
    let mut found = Vec::new();
    let mut at = near;
    while let Some(carrier) = at.checked_sub(1).and_then(|before| fold.carriers.get(before)) {
        at -= 1;
        if same(carrier) {
            if carrier.span().end <= window.start {
                break;
            }
            found.push((carrier.layer, carrier.word, carrier.span()));
        }
    }
    found.reverse();
    for carrier in fold.carriers.iter_from(near).filter(|carrier| same(carrier)) {
        if carrier.start >= window.end {
            break;
        }
        found.push((carrier.layer, carrier.word, carrier.span()));
    }
    found.retain(|(_, _, span)| span.overlaps(window));
    found
}

/// The deltas of a payload, by a decoder that has seen nothing before it.
pub fn deltas(fold: &Fold, row: &Row, content: &Content, sink: &mut dyn FnMut(Delta<'_>)) {
    let mut decoder = fold.dialect.decoder(fold.transport);
    if let Some(status) = &fold.status {
        decoder.status(status);
    }
    let word = fold.words.get(row.word as usize).map_or("", String::as_str);
    feed(&mut *decoder, row, word, content, sink);
}

/// The same by a decoder that knows nothing of the response either: what it tells does not depend on when it is asked.
pub fn deltas_of(dialect: &dyn Dialect, transport: Transport, row: &Row, word: &str, content: &Content, sink: &mut dyn FnMut(Delta<'_>)) {
    feed(&mut *dialect.decoder(transport), row, word, content, sink);
}

fn feed(decoder: &mut dyn DialectDecoder, row: &Row, word: &str, content: &Content, sink: &mut dyn FnMut(Delta<'_>)) {
    let text;
    let payload = match row.layer {
        Layer::Sse => {
            text = String::from_utf8_lossy(&content.data);
            Payload::Event { event: &content.event, data: &text }
        }
        Layer::Ndjson => Payload::Line(&content.data),
        Layer::Ws => Payload::Message(&content.data),
        Layer::Eventstream => Payload::Record { kind: &content.kind, name: &content.event, data: &content.data },
        Layer::Body if word == ELEMENT => Payload::Element(&content.data),
        _ => Payload::Body(&content.data),
    };
    decoder.payload(payload, sink);
}
