//! One connection: which protocol runs on it, and its two directions.

use weir_dialects::{Payload, Status};
use weir_frames::{Limits, Span, http1, http2, ws};

use super::body::Body;
use super::fold::{Carried, Fold, HEADS, Told};
use super::row::{Kind, Layer};

/// Both directions of a connection.
pub struct Connection {
    number: u32,
    input: Direction,
    output: Direction,
    /// `Sec-WebSocket-Key` of an upgrade request, to check the answer against.
    key: Option<Vec<u8>>,
    /// Extensions the server agreed to, once it switched protocols.
    switched: Option<String>,
    body: Option<Body>,
    /// Requests sent and final responses received, over HTTP/1.1.
    asked: u32,
    answered: u32,
    /// Body of each HTTP/2 stream that has a response.
    h2_bodies: Vec<(u32, Body)>,
    /// First bytes sent, while they do not tell yet which protocol they begin.
    opening: Vec<u8>,
}

struct Direction {
    stream: u16,
    offset: u64,
    protocol: Protocol,
    ended: bool,
}

enum Protocol {
    /// No byte came yet.
    Unknown,
    Http1(Box<http1::Dissector>),
    Http2(Box<http2::Dissector>),
    /// WebSocket from this offset on.
    Ws(Box<ws::Dissector>, u64),
}

impl Connection {
    /// A connection without bytes.
    pub fn new(fold: &mut Fold, number: u32) -> Self {
        let direction = |fold: &mut Fold, out| Direction {
            stream: fold.stream(number, out, None),
            offset: 0,
            protocol: Protocol::Unknown,
            ended: false,
        };
        let input = direction(fold, false);
        let output = direction(fold, true);
        Self {
            number,
            input,
            output,
            key: None,
            switched: None,
            body: None,
            asked: 0,
            answered: 0,
            h2_bodies: Vec::new(),
            opening: Vec::new(),
        }
    }

    /// Streams of the bytes received and sent.
    pub fn streams(&self) -> (u16, u16) {
        (self.input.stream, self.output.stream)
    }

    /// `2` where HTTP/2 runs on it, `1.1` where HTTP/1.1 does, `None` before the first byte.
    pub fn http(&self) -> Option<&'static str> {
        match self.output.protocol {
            Protocol::Unknown => None,
            Protocol::Http2(_) => Some("2"),
            Protocol::Http1(_) | Protocol::Ws(..) => Some("1.1"),
        }
    }

    /// It carries WebSocket frames.
    pub fn upgraded(&self) -> bool {
        self.switched.is_some()
    }

    /// A frame was sent over it: the upgrade was accepted here too, not only announced by the server.
    pub fn spoke(&self) -> bool {
        matches!(self.output.protocol, Protocol::Ws(..))
    }

    /// Bytes that were sent.
    pub fn sent(&mut self, fold: &mut Fold, t: u64, bytes: &[u8], told: &mut dyn FnMut(Told<'_>)) {
        let opening;
        let mut bytes = bytes;
        if matches!(self.output.protocol, Protocol::Unknown) {
            // The client speaks first in all three protocols, and its first bytes tell which it is (RFC 9113 §3.4).
            const PREFACE: &[u8] = b"PRI ";
            if !self.opening.is_empty() || PREFACE.starts_with(bytes) {
                self.opening.extend_from_slice(bytes);
                if self.opening.len() < PREFACE.len() && PREFACE.starts_with(&self.opening) {
                    return;
                }
                opening = std::mem::take(&mut self.opening);
                bytes = &opening;
            }
            self.output.protocol = if bytes.starts_with(PREFACE) {
                self.input.protocol = Protocol::Http2(Box::new(http2::Dissector::new(http2::Side::Server, Limits::default())));
                Protocol::Http2(Box::new(http2::Dissector::new(http2::Side::Client, Limits::default())))
            } else {
                Protocol::Http1(Box::new(http1::Dissector::new(http1::Side::Client, Limits::default())))
            };
        }
        let stream = self.output.stream;
        self.output.offset += bytes.len() as u64;
        match std::mem::replace(&mut self.output.protocol, Protocol::Unknown) {
            Protocol::Http1(mut dissector) => {
                let mut behind: Option<(u64, Vec<u8>)> = None;
                dissector.push(bytes, &mut |item| {
                    if let http1::Item::Upgraded { span, bytes } = item {
                        behind.get_or_insert((span.start, Vec::new())).1.extend_from_slice(bytes);
                    } else {
                        self.request_item(fold, t, stream, item);
                    }
                });
                self.output.protocol = Protocol::Http1(dissector);
                if let (Some((start, bytes)), Some(extensions)) = (behind, self.switched.clone()) {
                    fold.sockets.push((stream, start, extensions.clone()));
                    self.output.protocol =
                        Protocol::Ws(Box::new(ws::Dissector::new(ws::Side::Client, &extensions, Limits::default())), start);
                    self.websocket(fold, t, &bytes, true, told);
                }
            }
            Protocol::Http2(mut dissector) => {
                dissector.push(bytes, &mut |item| self.h2_item(fold, t, stream, item, true, told));
                self.output.protocol = Protocol::Http2(dissector);
            }
            protocol @ Protocol::Ws(..) => {
                self.output.protocol = protocol;
                self.websocket(fold, t, bytes, true, told);
            }
            Protocol::Unknown => {}
        }
    }

    /// Bytes that were received.
    pub fn received(&mut self, fold: &mut Fold, t: u64, bytes: &[u8], told: &mut dyn FnMut(Told<'_>)) {
        fold.owned.wire += bytes.len() as u64;
        if matches!(self.input.protocol, Protocol::Unknown) {
            let mut dissector = http1::Dissector::new(http1::Side::Server, Limits::default());
            dissector.expect(b"GET");
            self.input.protocol = Protocol::Http1(Box::new(dissector));
        }
        let stream = self.input.stream;
        self.input.offset += bytes.len() as u64;
        match std::mem::replace(&mut self.input.protocol, Protocol::Unknown) {
            Protocol::Http1(mut dissector) => {
                let mut behind: Option<(u64, Vec<u8>)> = None;
                dissector.push(bytes, &mut |item| {
                    if let http1::Item::Upgraded { span, bytes } = item {
                        behind.get_or_insert((span.start, Vec::new())).1.extend_from_slice(bytes);
                    } else {
                        self.response_item(fold, t, stream, item, told);
                    }
                });
                self.input.protocol = Protocol::Http1(dissector);
                if let (Some((start, bytes)), Some(extensions)) = (behind, self.switched.clone()) {
                    fold.sockets.push((stream, start, extensions.clone()));
                    self.input.protocol =
                        Protocol::Ws(Box::new(ws::Dissector::new(ws::Side::Server, &extensions, Limits::default())), start);
                    self.websocket(fold, t, &bytes, false, told);
                }
            }
            Protocol::Http2(mut dissector) => {
                fold.owned.h2 += bytes.len() as u64;
                dissector.push(bytes, &mut |item| self.h2_item(fold, t, stream, item, false, told));
                self.input.protocol = Protocol::Http2(dissector);
            }
            protocol @ Protocol::Ws(..) => {
                self.input.protocol = protocol;
                self.websocket(fold, t, bytes, false, told);
            }
            Protocol::Unknown => {}
        }
    }

    /// The connection is over: what stands unfinished is told.
    pub fn finish(&mut self, fold: &mut Fold, t: u64, told: &mut dyn FnMut(Told<'_>)) {
        if std::mem::replace(&mut self.input.ended, true) {
            return;
        }
        let stream = self.input.stream;
        match std::mem::replace(&mut self.input.protocol, Protocol::Unknown) {
            Protocol::Http1(mut dissector) => {
                dissector.finish(&mut |item| self.response_item(fold, t, stream, item, told));
                self.input.protocol = Protocol::Http1(dissector);
            }
            Protocol::Http2(mut dissector) => {
                dissector.finish(&mut |item| self.h2_item(fold, t, stream, item, false, told));
                self.input.protocol = Protocol::Http2(dissector);
            }
            Protocol::Ws(mut dissector, base) => {
                dissector.finish(&mut |item| ws_item(fold, t, stream, base, item, false, told));
                self.input.protocol = Protocol::Ws(dissector, base);
            }
            Protocol::Unknown => {}
        }
        if let Some(mut body) = self.body.take() {
            body.finish(fold, t, false, told);
        }
        for (_, mut body) in std::mem::take(&mut self.h2_bodies) {
            body.finish(fold, t, false, told);
        }
    }

    fn request_item(&mut self, fold: &mut Fold, t: u64, stream: u16, item: http1::Item<'_>) {
        match item {
            http1::Item::Head(head) => {
                if let Protocol::Http1(answers) = &mut self.input.protocol {
                    answers.expect(head.word);
                } else if matches!(self.input.protocol, Protocol::Unknown) {
                    let mut answers = http1::Dissector::new(http1::Side::Server, Limits::default());
                    answers.expect(head.word);
                    self.input.protocol = Protocol::Http1(Box::new(answers));
                }
                self.asked += 1;
                self.key = field(head.headers, b"sec-websocket-key").map(<[u8]>::to_vec);
                fold.row(t, stream, head.span, Layer::Http, Kind::Head, 0);
            }
            http1::Item::Body { span } if !span.is_empty() => {
                fold.row(t, stream, span, Layer::Body, Kind::Request, 0);
            }
            http1::Item::Chunk { span, .. } => fold.carrier(t, stream, span, Layer::Chunk, Kind::Chunk, 0),
            http1::Item::Error { code, message, at } => fold.rule(t, stream, at, Layer::Http, code, &message, false),
            http1::Item::Warning { code, message, at } => fold.rule(t, stream, at, Layer::Http, code, &message, true),
            _ => {}
        }
    }

    fn response_item(&mut self, fold: &mut Fold, t: u64, stream: u16, item: http1::Item<'_>, told: &mut dyn FnMut(Told<'_>)) {
        match item {
            http1::Item::Head(head) => {
                fold.owned.head += head.span.len();
                fold.row(t, stream, head.span, Layer::Http, Kind::Head, 0);
                if head.status == 101 {
                    self.switch(fold, t, stream, &head);
                } else if head.status >= 200 && self.asked > 0 && self.answered >= self.asked {
                    // Servers say 408 like this before they close an idle connection. It says nothing about the answer that came before.
                    fold.rule(
                        t,
                        stream,
                        head.span.start,
                        Layer::Http,
                        "unasked-response",
                        "a response that no request asked for (RFC 9112 §9.2)",
                        true,
                    );
                    self.body = Some(Body::unasked(fold, self.number, Layer::Chunk));
                } else if head.status >= 200 {
                    self.answered += 1;
                    let fields = head.headers.iter().map(|h| (lossy(h.name), lossy(h.value))).collect();
                    let status = respond(fold, head.status, fields);
                    self.body = Some(Body::new(fold, t, self.number, Layer::Chunk, &status));
                }
            }
            http1::Item::Data { span, bytes } => {
                fold.owned.h1_body += bytes.len() as u64;
                if let Some(body) = &mut self.body {
                    body.push(fold, t, bytes, span, told);
                }
            }
            http1::Item::Chunk { span, .. } => fold.carrier(t, stream, span, Layer::Chunk, Kind::Chunk, 0),
            http1::Item::LastChunk { span } => fold.carrier(t, stream, span, Layer::Chunk, Kind::Chunk, 0),
            http1::Item::Trailers { span, headers } => {
                fold.owned.head += span.len();
                if !headers.is_empty() {
                    let word = fold.word("trailers");
                    fold.row(t, stream, span, Layer::Http, Kind::Head, word);
                }
            }
            http1::Item::End { .. } => {
                if let Some(mut body) = self.body.take() {
                    body.finish(fold, t, true, told);
                }
            }
            http1::Item::Incomplete { .. } => {
                if let Some(mut body) = self.body.take() {
                    body.finish(fold, t, false, told);
                }
            }
            http1::Item::Error { code, message, at } => fold.rule(t, stream, at, Layer::Http, code, &message, false),
            http1::Item::Warning { code, message, at } => fold.rule(t, stream, at, Layer::Http, code, &message, true),
            http1::Item::Body { .. } | http1::Item::Upgraded { .. } => {}
        }
    }

    fn switch(&mut self, fold: &mut Fold, t: u64, stream: u16, head: &http1::Head<'_>) {
        respond(fold, 101, head.headers.iter().map(|h| (lossy(h.name), lossy(h.value))).collect());
        let extensions = field(head.headers, b"sec-websocket-extensions").map(lossy).unwrap_or_default();
        self.switched = Some(extensions);
        if let Protocol::Http1(requests) = &mut self.output.protocol {
            requests.switch();
        }
        if let Some(key) = &self.key {
            let right = ws::accept_key(key);
            let sent = field(head.headers, b"sec-websocket-accept").map(lossy).unwrap_or_default();
            if sent != right {
                let message = format!("Sec-WebSocket-Accept is «{sent}», but the key asks for «{right}» (RFC 6455 §4.2.2)");
                fold.rule(t, stream, head.span.start, Layer::Http, "accept-key", &message, false);
            }
        }
    }

    fn websocket(&mut self, fold: &mut Fold, t: u64, bytes: &[u8], out: bool, told: &mut dyn FnMut(Told<'_>)) {
        let direction = if out { &mut self.output } else { &mut self.input };
        let stream = direction.stream;
        if let Protocol::Ws(dissector, base) = &mut direction.protocol {
            if !out {
                fold.owned.ws += bytes.len() as u64;
            }
            let base = *base;
            dissector.push(bytes, &mut |item| ws_item(fold, t, stream, base, item, out, told));
        }
    }

    fn h2_item(&mut self, fold: &mut Fold, t: u64, stream: u16, item: http2::Item<'_>, out: bool, told: &mut dyn FnMut(Told<'_>)) {
        const DATA: u8 = 0;
        const HEADERS: u8 = 1;
        const RST_STREAM: u8 = 3;
        const SETTINGS: u8 = 4;
        const WINDOW_UPDATE: u8 = 8;
        const END_STREAM: u8 = 1;
        match item {
            http2::Item::Preface { span } => {
                let word = fold.word("preface");
                fold.row(t, stream, span, Layer::H2, Kind::Control, word);
            }
            http2::Item::Data { stream: id, span, bytes } if out => {
                // What Weir sends is one request: its body is shown whole.
                let _ = (id, span, bytes);
            }
            http2::Item::Data { stream: id, span, bytes } => {
                fold.owned.h2_body += bytes.len() as u64;
                if let Some((_, body)) = self.h2_bodies.iter_mut().find(|(of, _)| *of == id) {
                    body.push(fold, t, bytes, span, told);
                }
            }
            http2::Item::Frame(frame) => {
                let word = match frame.headers {
                    Some(headers) => fold.word(&h2_head_line(frame.kind, headers)),
                    None => fold.word(http2::frame_name(frame.kind)),
                };
                match frame.kind {
                    DATA if out => {
                        if frame.span.len() > 9 {
                            fold.row(t, stream, frame.span, Layer::H2, Kind::Request, word);
                        }
                    }
                    DATA | WINDOW_UPDATE => fold.carrier(t, stream, frame.span, Layer::H2, Kind::Frame, word),
                    _ => {
                        let kind = if frame.headers.is_some() { Kind::Head } else { Kind::Control };
                        let row = fold.row(t, stream, frame.span, Layer::H2, kind, word);
                        if let Some(headers) = frame.headers.filter(|_| fold.heads.len() < HEADS) {
                            fold.heads.push((row, headers.iter().map(|h| (lossy(&h.name), lossy(&h.value))).collect()));
                        }
                    }
                }
                if let (Some(headers), false) = (frame.headers, out) {
                    self.h2_head(fold, t, &frame, headers);
                }
                if frame.kind == SETTINGS && frame.flags & 1 == 0 {
                    self.h2_settings(frame.payload, out);
                }
                if !out && frame.kind <= HEADERS && frame.flags & END_STREAM != 0 {
                    self.h2_end(fold, t, frame.stream, true, told);
                }
                if !out && frame.kind == RST_STREAM {
                    let code = frame.payload.first_chunk().map_or(0, |b: &[u8; 4]| u32::from_be_bytes(*b));
                    // NO_ERROR after a whole response only says that the request's rest is not wanted (RFC 9113 §8.1).
                    self.h2_end(fold, t, frame.stream, code == 0, told);
                }
            }
            http2::Item::Error { code, message, at } => fold.rule(t, stream, at, Layer::H2, code, &message, false),
            http2::Item::Incomplete { span } => {
                fold.row(t, stream, span, Layer::H2, Kind::Incomplete, 0);
            }
        }
    }

    fn h2_head(&mut self, fold: &mut Fold, t: u64, frame: &http2::Frame<'_>, headers: &[http2::Header]) {
        let status = headers.iter().find(|h| h.name == b":status").and_then(|h| std::str::from_utf8(&h.value).ok()?.parse::<u16>().ok());
        // A header block without :status is a trailer section; 1xx answers precede the real one.
        let Some(code) = status.filter(|&code| code >= 200) else { return };
        let fields = headers.iter().filter(|h| !h.name.starts_with(b":")).map(|h| (lossy(&h.name), lossy(&h.value))).collect();
        let status = respond(fold, code, fields);
        let body = Body::new(fold, t, self.number, Layer::H2, &status);
        self.h2_bodies.push((frame.stream, body));
    }

    fn h2_settings(&mut self, payload: &[u8], out: bool) {
        let other = if out { &mut self.input } else { &mut self.output };
        if let Protocol::Http2(dissector) = &mut other.protocol {
            for (id, _, value) in http2::settings(payload) {
                match id {
                    1 => dissector.set_header_table_size(value),
                    5 => dissector.set_max_frame_size(value),
                    _ => {}
                }
            }
        }
    }

    fn h2_end(&mut self, fold: &mut Fold, t: u64, id: u32, whole: bool, told: &mut dyn FnMut(Told<'_>)) {
        if let Some(at) = self.h2_bodies.iter().position(|(of, _)| *of == id) {
            let (_, mut body) = self.h2_bodies.swap_remove(at);
            body.finish(fold, t, whole, told);
        }
    }
}

fn ws_item(fold: &mut Fold, t: u64, stream: u16, base: u64, item: ws::Item<'_>, out: bool, told: &mut dyn FnMut(Told<'_>)) {
    let absolute = |span: Span| Span::new(base + span.start, base + span.end);
    match item {
        ws::Item::Frame(frame) => {
            let control = frame.opcode >= 8;
            let word = fold.word(opcode_name(frame.opcode));
            if frame.opcode == 8 && out && fold.close.is_none() {
                fold.farewell = Some((frame.close_code, frame.close_reason.as_deref().unwrap_or_default().to_owned()));
            }
            if frame.opcode == 8 && !out {
                fold.close = Some((frame.close_code, frame.close_reason.as_deref().unwrap_or_default().to_owned()));
            }
            if control {
                fold.row(t, stream, absolute(frame.span), Layer::Ws, Kind::Control, word);
            } else {
                // A message's frames are its carriers; its row follows with the message.
                fold.carrier(t, stream, absolute(frame.span), Layer::Ws, Kind::Frame, word);
            }
        }
        ws::Item::Message { span, opcode, data, oversized, .. } => {
            let word = fold.word(opcode_name(opcode));
            if out && oversized {
                fold.row(t, stream, absolute(span), Layer::Ws, Kind::Request, word);
            } else if out {
                fold.sent(t, stream, absolute(span), word, data, told);
            } else if oversized {
                let word = fold.word("message longer than what is decoded whole (128 MiB): kept, not decoded");
                fold.row(t, stream, absolute(span), Layer::Ws, Kind::Warning, word);
            } else {
                fold.payload(t, stream, absolute(span), Layer::Ws, word, Carried::Message, Payload::Message(data), data.len() as u64, told);
            }
        }
        ws::Item::Error { code, message, at } => fold.rule(t, stream, base + at, Layer::Ws, code, &message, false),
        ws::Item::Warning { code, message, at } => fold.rule(t, stream, base + at, Layer::Ws, code, &message, true),
        ws::Item::Incomplete { span } => {
            fold.row(t, stream, absolute(span), Layer::Ws, Kind::Incomplete, 0);
        }
    }
}

fn respond(fold: &mut Fold, code: u16, fields: Vec<(String, String)>) -> Status {
    let media_type = fields
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        // A proxy that adds the field again makes it a list: its first member counts.
        .map(|(_, value)| value.split([';', ',']).next().unwrap_or_default().trim().to_ascii_lowercase())
        .unwrap_or_default();
    let status = Status { code, media_type };
    fold.decoder.status(&status);
    fold.response = fields;
    fold.status = Some(status.clone());
    status
}

/// `HEADERS 200` or `HEADERS POST /v1/chat/completions`.
fn h2_head_line(kind: u8, headers: &[http2::Header]) -> String {
    let pseudo = |name: &[u8]| headers.iter().find(|h| h.name == name).map(|h| lossy(&h.value));
    let words = [Some(http2::frame_name(kind).to_owned()), pseudo(b":status"), pseudo(b":method"), pseudo(b":path")];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn field<'a>(headers: &[http1::Header<'a>], name: &[u8]) -> Option<&'a [u8]> {
    headers.iter().find(|h| h.name.eq_ignore_ascii_case(name)).map(|h| h.value)
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Name of a WebSocket opcode (RFC 6455 §11.8).
pub fn opcode_name(opcode: u8) -> &'static str {
    match opcode {
        0 => "continuation",
        1 => "text",
        2 => "binary",
        8 => "close",
        9 => "ping",
        10 => "pong",
        _ => "reserved",
    }
}
