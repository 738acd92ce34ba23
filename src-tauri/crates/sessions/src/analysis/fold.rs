//! What all connections of a session write into: rows, streams, the reply, the counts.

use std::collections::HashMap;

use weir_dialects::delta::Part;
use weir_dialects::{Decoder as DialectDecoder, Delta, DeltaKind, Dialect, Payload, Status, Transport, kin};
use weir_frames::coding::{Coding, Decoder};
use weir_frames::{Span, layers::Map};

use super::chunked::Chunked;
use super::deflated::Deflated;
use super::gaps::Gaps;
use super::ledger::{Book, Ledger, Owner, Shares};
use super::reply::Folded;
use super::row::{KINDS, Kind, Layer, Row};
use super::windows::Windows;
use crate::view::BlockKind;

/// A byte stream of some layer.
pub struct Stream {
    /// Connection number.
    pub conn: u32,
    /// Sent by Weir.
    pub out: bool,
    /// What carries it: `None` for the connection's own bytes, else chunks, DATA frames or a plain body.
    pub inside: Option<Layer>,
    /// Map to the connection's bytes; unused where `inside` is `None`. Of a coded body it maps the coded bytes.
    pub map: Map,
    /// Content codings, the outermost (the last that was applied) first. The stream's own bytes are what is left once all are undone.
    pub codings: Vec<(Coding, Decoder)>,
    /// It has codings.
    pub coded: bool,
    /// It consists of WebSocket messages that may be compressed.
    pub deflated: Option<Box<Deflated>>,
    /// Bytes of a connection so far; unused where `inside` is some.
    pub received: u64,
    /// Whose the bytes are that are no row's.
    pub owner: Owner,
    /// Up to here its bytes are owned, less those that went to streams inside or to rows in between since.
    pub settled: u64,
    /// How many of the bytes behind `settled` these are.
    pub passed: u64,
}

impl Stream {
    /// Bytes that have come and are nobody's yet.
    pub fn pending(&self) -> u64 {
        let came = if self.inside.is_some() { self.map.len() } else { self.received };
        if self.out { 0 } else { came.saturating_sub(self.settled + self.passed) }
    }

    /// Ranges of the connection's bytes that `span` of this stream came from.
    pub fn wire(&self, span: Span) -> Vec<Span> {
        if self.inside.is_none() {
            return vec![span];
        }
        self.coded(span).into_iter().flat_map(|coded| self.map.outer(coded)).collect()
    }

    /// Ranges of the coded body that `span` was decoded from: whole blocks, since compression has no finer border.
    pub fn coded(&self, span: Span) -> Vec<Span> {
        let undo = |spans: Vec<Span>, decoder: &Decoder| spans.into_iter().flat_map(|span| decoder.map().outer(span)).collect();
        self.codings.iter().rev().fold(vec![span], |spans, (_, decoder)| undo(spans, decoder))
    }
}

/// A delta, as it is told to whoever watches the fold.
#[derive(Clone, Debug)]
pub struct Told<'a> {
    /// The row that carried it.
    pub row: u32,
    /// When, nanoseconds since the session began.
    pub t: u64,
    /// The delta.
    pub delta: &'a Delta<'a>,
}

/// Payloads that are looked at for which dialect they are of: the first ones may be keep-alives.
const LOOKED: u8 = 16;

/// Bytes of a body's beginning that are kept.
pub const OPENING: usize = 400;

/// HTTP/2 header blocks kept decoded.
pub const HEADS: usize = 256;

/// What carries a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// An SSE event.
    Event,
    /// A JSON line.
    Line,
    /// A WebSocket message.
    Message,
    /// A WebSocket message whose so many bytes on the wire are compressed.
    Deflated(u64),
    /// A whole body, or an element of one.
    Body,
    /// A message of an event stream of AWS.
    Record,
}

/// The shared state.
pub struct Fold {
    /// The frame table.
    pub rows: Chunked<Row>,
    /// Chunks, DATA frames, fragments.
    pub carriers: Chunked<Row>,
    /// Flow control of HTTP/2.
    pub windows: Windows,
    /// Byte streams, outermost before what they carry.
    pub streams: Vec<Stream>,
    /// Interned words; 0 is "".
    pub words: Vec<String>,
    /// The reply.
    pub folded: Folded,
    /// Gaps between content deltas.
    pub gaps: Gaps,
    /// Content deltas.
    pub deltas: u64,
    /// First content, first text, last content, nanoseconds.
    pub content: (Option<u64>, Option<u64>, Option<u64>),
    /// First content of the present turn, and its content deltas: usage is a turn's, and so is the rate.
    pub turn: (Option<u64>, u64),
    /// First reasoning, nanoseconds.
    pub first_reasoning: Option<u64>,
    /// The turn that counts has yet to be asked for on the open socket.
    pub awaits_turn: bool,
    /// UTF-8 bytes of text and reasoning.
    pub text_bytes: u64,
    /// Bytes received.
    pub wire: u64,
    /// Who owns them.
    pub ledger: Ledger,
    /// Rows by kind, indexed by [`Kind`].
    pub kinds: [u32; KINDS.len()],
    /// Status and media type of the last response.
    pub status: Option<Status>,
    /// Fields of the last response, for problems and rate limits: name, value.
    pub response: Vec<(String, String)>,
    /// A response's end was well framed.
    pub framed_end: bool,
    /// The coding of a response body that therefore was not read, as its field names it.
    pub coded: Option<String>,
    /// Why a whole body could not be decoded, as the dialect tells it.
    pub unread: Option<String>,
    /// The dialect that the peer's payloads are of, once one of them gave itself away.
    pub spoken: Option<&'static str>,
    /// Payloads that were looked at for that.
    looked: u8,
    /// How the last response's body begins, content codings undone: what is shown where nothing can be decoded.
    pub opening: Vec<u8>,
    /// Close code and reason the peer sent.
    pub close: Option<(Option<u16>, String)>,
    /// Close code and reason that Weir sent before the peer sent its own.
    pub farewell: Option<(Option<u16>, String)>,
    /// First rule the peer broke: code, message.
    pub violation: Option<(String, String)>,
    /// The dialect that decodes.
    pub dialect: &'static dyn Dialect,
    /// Decoded HTTP/2 header blocks by row: they cannot be decoded again from their own bytes alone. At most [`HEADS`].
    pub heads: Vec<(u32, Vec<(String, String)>)>,
    /// How the reply is expected to travel.
    pub transport: Transport,
    /// Decodes the current response.
    pub decoder: Box<dyn DialectDecoder>,
    /// Payloads are decoded; false for `raw`, whose bodies are then not gathered.
    pub decodes: bool,
    interned: HashMap<String, u16>,
    last_word: u16,
}

impl Fold {
    /// An empty fold for a session in `dialect` over `transport`.
    pub fn new(dialect: &'static dyn Dialect, transport: Transport) -> Self {
        Self {
            rows: Chunked::default(),
            carriers: Chunked::default(),
            windows: Windows::default(),
            streams: Vec::new(),
            words: vec![String::new()],
            folded: Folded::default(),
            gaps: Gaps::default(),
            deltas: 0,
            content: (None, None, None),
            turn: (None, 0),
            first_reasoning: None,
            awaits_turn: false,
            text_bytes: 0,
            wire: 0,
            ledger: Ledger::default(),
            kinds: [0; KINDS.len()],
            status: None,
            response: Vec::new(),
            framed_end: false,
            coded: None,
            unread: None,
            spoken: None,
            looked: 0,
            opening: Vec::new(),
            close: None,
            farewell: None,
            violation: None,
            dialect,
            heads: Vec::new(),
            transport,
            decoder: dialect.decoder(transport),
            decodes: dialect.id() != "raw",
            interned: HashMap::new(),
            last_word: 0,
        }
    }

    /// A new stream; tells its index.
    pub fn stream(&mut self, conn: u32, out: bool, inside: Option<Layer>) -> u16 {
        let owner = match inside {
            None => Owner::Chunk,
            Some(_) => Owner::Body,
        };
        self.streams.push(Stream {
            conn,
            out,
            inside,
            map: Map::default(),
            codings: Vec::new(),
            coded: false,
            deflated: None,
            received: 0,
            owner,
            settled: 0,
            passed: 0,
        });
        (self.streams.len() - 1) as u16
    }

    /// Index of `word`. The table is bounded: a peer that invents event types without end shares the last entry.
    pub fn word(&mut self, word: &str) -> u16 {
        if word.is_empty() {
            return 0;
        }
        // Streams say the same word over and over.
        if self.words[self.last_word as usize] == word {
            return self.last_word;
        }
        let at = self.intern(word);
        self.last_word = at;
        at
    }

    fn intern(&mut self, word: &str) -> u16 {
        const MOST: usize = 4096;
        const LONGEST: usize = 120;
        let word = word.char_indices().nth(LONGEST).map_or(word, |(end, _)| &word[..end]);
        if let Some(&at) = self.interned.get(word) {
            return at;
        }
        if self.words.len() >= MOST {
            return (self.words.len() - 1) as u16;
        }
        self.words.push(word.to_owned());
        let at = (self.words.len() - 1) as u16;
        self.interned.insert(word.to_owned(), at);
        at
    }

    /// Appends a row; tells its index.
    pub fn row(&mut self, t: u64, stream: u16, span: Span, layer: Layer, kind: Kind, word: u16) -> u32 {
        self.kinds[kind as usize] += 1;
        let len = u32::try_from(span.len()).unwrap_or(u32::MAX);
        let own = self.settle(stream, span, layer, kind);
        self.ledger.rows.push(own);
        self.rows.push(Row { t, start: span.start, len, block: 0, stream, word, layer, kind }) as u32
    }

    /// Appends a carrier.
    pub fn carrier(&mut self, t: u64, stream: u16, span: Span, layer: Layer, kind: Kind, word: u16) {
        self.kinds[kind as usize] += 1;
        let len = u32::try_from(span.len()).unwrap_or(u32::MAX);
        let own = self.settle(stream, span, layer, kind);
        self.ledger.carriers.push(own);
        self.carriers.push(Row { t, start: span.start, len, block: 0, stream, word, layer, kind });
    }

    /// What a unit owns of its stream.
    fn settle(&mut self, stream: u16, span: Span, layer: Layer, kind: Kind) -> Shares {
        let Some(s) = self.streams.get_mut(stream as usize).filter(|s| !s.out && !span.is_empty()) else { return Shares::default() };
        if s.coded {
            // Where one byte ends and the next begins cannot be told: what came since the last unit goes to this one.
            let came = s.map.len();
            return Shares::of(Owner::Coding, came - std::mem::replace(&mut s.settled, came));
        }
        let owner = match layer {
            Layer::Http => Owner::Head,
            Layer::Chunk => Owner::Chunk,
            Layer::H2 => Owner::H2,
            Layer::Sse => Owner::Sse,
            Layer::Ndjson => Owner::Ndjson,
            Layer::Eventstream => Owner::Eventstream,
            Layer::Ws => Owner::Ws,
            Layer::Body => Owner::Body,
        };
        match (layer, kind) {
            // Its message has it.
            (Layer::Ws, Kind::Frame) => return Shares::default(),
            // It stands between the frames of a message that is not whole.
            (Layer::Ws, Kind::Control) if span.start > s.settled => {
                s.passed += span.len();
                return Shares::of(owner, span.len());
            }
            _ => {}
        }
        let Some(came) = span.end.checked_sub(s.settled) else { return Shares::default() };
        s.settled = span.end;
        Shares::of(owner, came.saturating_sub(std::mem::take(&mut s.passed)))
    }

    /// Bytes of a connection go to a stream inside it.
    pub fn pass(&mut self, stream: u16, bytes: usize) {
        if let Some(stream) = self.streams.get_mut(stream as usize) {
            stream.passed += bytes as u64;
        }
    }

    /// The connection is over: what is left in its streams belongs to what they are.
    pub fn leave(&mut self, t: u64, conn: u32) {
        for stream in self.streams.iter_mut().filter(|stream| stream.conn == conn) {
            let owner = if stream.coded { Owner::Coding } else { stream.owner };
            self.ledger.leave(t, owner, stream.pending());
            stream.settled += stream.pending() + stream.passed;
            stream.passed = 0;
        }
    }

    /// Every received byte by the innermost layer that owns it; what has come of unfinished units counts for what carries it.
    pub fn layers(&self) -> Shares {
        let mut layers = self.ledger.total();
        for stream in &self.streams {
            let owner = if stream.coded { Owner::Coding } else { stream.owner };
            layers.add(&Shares::of(owner, stream.pending()));
        }
        layers
    }

    /// What came of `from..to` (nanoseconds; without the end), by owner: of the units that were complete then.
    pub fn layers_between(&self, from: u64, to: u64) -> Shares {
        let part = |rows: &Chunked<Row>, book: &Book| {
            let before = |t: u64| rows.partition_point(|row| row.t < t);
            book.first(before(to)).less(&book.first(before(from)))
        };
        let mut layers = part(&self.rows, &self.ledger.rows);
        layers.add(&part(&self.carriers, &self.ledger.carriers));
        layers.add(&self.ledger.rest(|t| (from..to).contains(&t)));
        layers
    }

    /// A broken or bent rule as a row at `at`.
    #[allow(clippy::too_many_arguments)]
    pub fn rule(&mut self, t: u64, stream: u16, at: u64, layer: Layer, code: &str, message: &str, warning: bool) {
        if !warning && self.violation.is_none() {
            self.violation = Some((code.to_owned(), message.to_owned()));
        }
        let word = self.word(&format!("{code}: {message}"));
        self.row(t, stream, Span::new(at, at), layer, if warning { Kind::Warning } else { Kind::Error }, word);
    }

    /// Decodes a payload and appends the row that carried it. `size` is what the payload took on the wire: ill-formed UTF-8 is longer
    /// once it is replaced.
    #[allow(clippy::too_many_arguments)]
    pub fn payload(
        &mut self,
        t: u64,
        stream: u16,
        span: Span,
        layer: Layer,
        word: u16,
        carried: Carried,
        payload: Payload<'_>,
        size: u64,
        told: &mut dyn FnMut(Told<'_>),
    ) {
        let row = self.row(t, stream, span, layer, Kind::Unknown, word);
        let is_json = looks_like_json(payload.bytes());
        if self.decodes && self.spoken.is_none() && self.looked < LOOKED && self.folded.blocks.is_empty() {
            self.looked += 1;
            self.spoken = kin::recognise(&payload);
        }
        let mut own = self.ledger.rows.last_mut().copied().unwrap_or_default();
        if let Carried::Deflated(bytes) = carried {
            own.pass(Owner::Ws, Owner::Coding, bytes);
        } else if is_json {
            // Under a coding the row has nothing that could be told apart.
            for owner in [Owner::Sse, Owner::Ndjson, Owner::Eventstream, Owner::Ws, Owner::Body] {
                own.pass(owner, Owner::Json, size);
            }
        }
        let (mut best, mut kind, mut block) = (0, Kind::Unknown, 0);
        let Self { decoder, folded, gaps, deltas, content, turn, first_reasoning, text_bytes, unread, .. } = self;
        decoder.payload(payload, &mut |delta| {
            let (of, rank) = Kind::of(delta.kind);
            // Usage and finish arrive beside empty text; an error names its row whatever else is there.
            if rank > best {
                (best, kind) = (rank, of);
            }
            let is_content = matches!(delta.kind, DeltaKind::Text | DeltaKind::Reasoning) && !delta.text.is_empty();
            if is_content {
                *deltas += 1;
                *text_bytes += delta.text.len() as u64;
                gaps.arrived(t);
                content.0.get_or_insert(t);
                turn.0.get_or_insert(t);
                turn.1 += 1;
                if delta.kind == DeltaKind::Text {
                    content.1.get_or_insert(t);
                } else {
                    first_reasoning.get_or_insert(t);
                }
                content.2 = Some(t);
            }
            let raw = delta.at.len() as u64;
            if carried == Carried::Body && delta.kind == DeltaKind::Unknown && !delta.text.is_empty() {
                *unread = Some(delta.text.chars().take(200).collect());
            }
            let says = match delta.kind {
                DeltaKind::Text | DeltaKind::Refusal => Some(Owner::Text),
                DeltaKind::Reasoning => Some(Owner::Reasoning),
                DeltaKind::ToolCall if !matches!(delta.part, Part::Tool { whole: true, .. }) => Some(Owner::Tool),
                _ => None,
            };
            // Text is counted out of JSON; a payload that is text but no JSON keeps it.
            if let Some(says) = says {
                own.pass(Owner::Json, says, raw);
            }
            if let Some(at) = folded.push(&delta, row, t) {
                block = at + 1;
            }
            told(Told { row, t, delta: &delta });
        });
        if !self.decodes && carried != Carried::Body {
            // Nobody reads more into it than that it came.
            kind = Kind::Message;
        }
        if let Some(booked) = self.ledger.rows.last_mut() {
            *booked = own;
        }
        self.kinds[Kind::Unknown as usize] -= 1;
        self.kinds[kind as usize] += 1;
        if let Some(last) = self.rows.last_mut() {
            last.kind = kind;
            last.block = block;
        }
    }

    /// A WebSocket message that Weir sent: one that begins another turn opens it in the reply too.
    pub fn sent(&mut self, t: u64, stream: u16, span: Span, word: u16, message: &[u8], told: &mut dyn FnMut(Told<'_>)) {
        let row = self.row(t, stream, span, Layer::Ws, Kind::Request, word);
        let was_over = self.decoder.ended();
        let Self { decoder, folded, .. } = self;
        let mut said = Vec::new();
        decoder.sent(message, &mut |delta| said.push((delta.kind, delta.text.into_owned(), delta.at)));
        if was_over && !decoder.ended() {
            folded.turn();
            self.turn = (None, 0);
            self.gaps.pause();
            self.awaits_turn = false;
        }
        // The first turn is what the composer shows already.
        if folded.turns == 0 {
            return;
        }
        for (kind, text, at) in said {
            let delta = Delta::new(kind, text, at);
            let block = folded.push(&delta, row, t);
            told(Told { row, t, delta: &delta });
            if let (Some(at), Some(last)) = (block, self.rows.last_mut()) {
                last.block = at + 1;
            }
        }
    }

    /// What came so far was to warm the connection up: the figures begin anew. Over HTTP the next response is another reply, decoded by
    /// itself; on an open socket the next turn is.
    pub fn again(&mut self) {
        self.gaps = Gaps::default();
        (self.deltas, self.text_bytes, self.turn) = (0, 0, (None, 0));
        (self.content, self.first_reasoning) = ((None, None, None), None);
        if self.transport == Transport::Websocket {
            self.awaits_turn = true;
        } else {
            self.decoder = self.dialect.decoder(self.transport);
            self.folded.turn();
            self.framed_end = false;
        }
        self.folded.facts.usage = None;
    }

    /// Bytes the index holds on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.rows.heap_bytes()
            + self.carriers.heap_bytes()
            + self.windows.heap_bytes()
            + self.ledger.heap_bytes()
            + self
                .streams
                .iter()
                .map(|s| {
                    s.map.heap_bytes()
                        + s.codings.iter().map(|(_, d)| d.map().heap_bytes()).sum::<usize>()
                        + s.deflated.as_ref().map_or(0, |d| d.heap_bytes())
                })
                .sum::<usize>()
            + self.folded.blocks.iter().map(super::reply::ReplyBlock::heap_bytes).sum::<usize>()
    }

    /// Text of a kind, for summaries.
    pub fn reply_text(&self, kind: BlockKind) -> String {
        self.folded.text(kind)
    }
}

/// Values of the fields called `name`, in order.
pub fn named<'a>(fields: &'a [(String, String)], name: &'a str) -> impl Iterator<Item = &'a str> {
    fields.iter().filter(move |(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// Whether a payload begins as a JSON object or array does. `[DONE]` does not.
pub fn looks_like_json(bytes: &[u8]) -> bool {
    let mut rest = bytes.trim_ascii_start().iter();
    match rest.next() {
        Some(b'{') => true,
        Some(b'[') => !bytes.trim_ascii().eq(b"[DONE]"),
        _ => false,
    }
}
