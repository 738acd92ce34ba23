//! The exchanges and messages in a log: heads, bodies without their framing, WebSocket messages, in the order they crossed the wire.
//!
//! The analysis keeps an index for showing; an export wants the bytes once, in order, and holds none of them. So it dissects anew.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use weir_frames::http2::websocket::WebSockets;
use weir_frames::{Limits, http1, http2, ws};
use weir_recordings::{Reader, RecordKind};

use crate::Error;

/// Names an exchange: connection, and the request's ordinal on it or its HTTP/2 stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Exchange(pub u32, pub u32);

/// A request's or a final response's head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Method of a request.
    pub method: String,
    /// Target of a request.
    pub target: String,
    /// Status of a response.
    pub status: u16,
    /// Reason phrase of a response.
    pub reason: String,
    /// `1.0`, `1.1` or `2`.
    pub version: &'static str,
    /// Fields in order; under HTTP/2 without the pseudo-fields.
    pub fields: Vec<(String, String)>,
    /// Bytes on the wire; under HTTP/2 of the frame that ends the header block.
    pub size: u64,
    /// What an extended CONNECT asks for (RFC 8441 §4), "" otherwise.
    pub protocol: String,
}

impl Head {
    /// The first value of a field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(of, _)| of.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Something that crossed the wire. Times are nanoseconds since the session began.
#[derive(Debug)]
pub enum Part<'a> {
    /// A head is complete. Interim answers (1xx but 101) are left out.
    Head {
        /// Whose.
        of: Exchange,
        /// Out: a request's. In: a response's.
        dir: RecordKind,
        /// When.
        t: u64,
        /// The head.
        head: &'a Head,
    },
    /// Bytes of a body, without chunk or frame headers.
    Body {
        /// Whose.
        of: Exchange,
        /// Direction.
        dir: RecordKind,
        /// When.
        t: u64,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// A WebSocket message, unmasked and inflated.
    Message {
        /// The exchange that opened the socket.
        of: Exchange,
        /// Direction.
        dir: RecordKind,
        /// When its last byte crossed.
        t: u64,
        /// 1 text, 2 binary.
        opcode: u8,
        /// The payload; empty where the message is longer than 128 MiB.
        data: &'a [u8],
    },
}

/// What is told each part.
pub type Tell<'a> = dyn FnMut(Part<'_>) -> ControlFlow<()> + 'a;

/// Tells every part of the log until `tell` breaks.
///
/// # Errors
/// The library's.
pub fn walk(log: &Reader, tell: &mut Tell<'_>) -> Result<(), Error> {
    let mut wires: BTreeMap<u32, Wire> = BTreeMap::new();
    log.records(&mut |record| {
        if record.kind == RecordKind::Mark {
            return ControlFlow::Continue(());
        }
        let wire = wires.entry(record.conn).or_insert_with(|| Wire::new(record.conn));
        let mut flow = ControlFlow::Continue(());
        let mut once = |part: Part<'_>| {
            if flow.is_continue() {
                flow = tell(part);
            }
        };
        wire.push(record.kind, record.t, &record.bytes, &mut once);
        flow
    })?;
    Ok(())
}

/// Both directions of a connection.
struct Wire {
    conn: u32,
    output: Protocol,
    input: Protocol,
    /// Requests begun.
    requests: u32,
    /// Final responses begun.
    responses: u32,
    /// The current response is an interim one.
    interim: bool,
    /// Agreed extensions, once the server switched to WebSocket.
    switched: Option<String>,
    /// Streams of HTTP/2 that are WebSockets.
    sockets: WebSockets,
    /// The client's first bytes, while they are too few to tell the protocol.
    begun: Vec<u8>,
}

/// What HTTP/2's connection preface begins with, and no other request.
const PREFACE: &[u8] = b"PRI ";

enum Protocol {
    Unknown,
    Http1(Box<http1::Dissector>),
    Http2(Box<http2::Dissector>),
    Ws(Box<ws::Dissector>),
}

/// What a push leaves to be done on the other direction, or behind a switch.
#[derive(Default)]
struct Left {
    /// Methods of requests, to frame their answers.
    methods: Vec<Vec<u8>>,
    /// SETTINGS payloads.
    settings: Vec<Vec<u8>>,
    /// Bytes behind a protocol switch.
    behind: Vec<u8>,
}

type Once<'a> = dyn FnMut(Part<'_>) + 'a;

impl Wire {
    fn new(conn: u32) -> Self {
        Self {
            conn,
            output: Protocol::Unknown,
            input: Protocol::Unknown,
            requests: 0,
            responses: 0,
            interim: false,
            switched: None,
            sockets: WebSockets::new(Limits::default()),
            begun: Vec::new(),
        }
    }

    fn push(&mut self, dir: RecordKind, t: u64, bytes: &[u8], tell: &mut Once<'_>) {
        let out = dir == RecordKind::Out;
        let begun;
        let mut bytes = bytes;
        if matches!(self.output, Protocol::Unknown) && out {
            self.begun.extend_from_slice(bytes);
            // The client's first bytes tell what is spoken (RFC 9113 §3.4), as soon as there are enough of them.
            if self.begun.len() < PREFACE.len() && PREFACE.starts_with(&self.begun) {
                return;
            }
            begun = std::mem::take(&mut self.begun);
            bytes = &begun;
            if bytes.starts_with(PREFACE) {
                self.output = Protocol::Http2(Box::new(http2::Dissector::new(http2::Side::Client, Limits::default())));
                self.input = Protocol::Http2(Box::new(http2::Dissector::new(http2::Side::Server, Limits::default())));
            } else {
                self.output = Protocol::Http1(Box::new(http1::Dissector::new(http1::Side::Client, Limits::default())));
            }
        }
        if matches!(self.input, Protocol::Unknown) {
            self.input = Protocol::Http1(Box::new(http1::Dissector::new(http1::Side::Server, Limits::default())));
        }
        let mut left = Left::default();
        let mut protocol = std::mem::replace(if out { &mut self.output } else { &mut self.input }, Protocol::Unknown);
        match &mut protocol {
            Protocol::Http1(dissector) => dissector.push(bytes, &mut |item| self.http1(dir, t, item, &mut left, tell)),
            Protocol::Http2(dissector) => dissector.push(bytes, &mut |item| self.http2(dir, t, item, &mut left, tell)),
            Protocol::Ws(dissector) => dissector.push(bytes, &mut |item| message(Exchange(self.conn, self.requests), dir, t, item, tell)),
            Protocol::Unknown => {}
        }
        if let (false, Some(extensions)) = (left.behind.is_empty(), &self.switched) {
            let side = if out { ws::Side::Client } else { ws::Side::Server };
            let mut dissector = Box::new(ws::Dissector::new(side, extensions, Limits::default()));
            dissector.push(&left.behind, &mut |item| message(Exchange(self.conn, self.requests), dir, t, item, tell));
            protocol = Protocol::Ws(dissector);
        }
        *(if out { &mut self.output } else { &mut self.input }) = protocol;
        self.settle(out, left);
    }

    fn settle(&mut self, out: bool, left: Left) {
        if let Protocol::Http1(answers) = &mut self.input {
            left.methods.iter().for_each(|method| answers.expect(method));
        }
        if let (Protocol::Http1(requests), true) = (&mut self.output, self.switched.is_some()) {
            requests.switch();
        }
        if let Protocol::Http2(other) = if out { &mut self.input } else { &mut self.output } {
            for (id, _, value) in left.settings.iter().flat_map(|payload| http2::settings(payload)) {
                match id {
                    1 => other.set_header_table_size(value),
                    5 => other.set_max_frame_size(value),
                    _ => {}
                }
            }
        }
    }

    fn http1(&mut self, dir: RecordKind, t: u64, item: http1::Item<'_>, left: &mut Left, tell: &mut Once<'_>) {
        let out = dir == RecordKind::Out;
        let number = if out { self.requests } else { self.responses };
        match item {
            http1::Item::Head(found) => {
                self.interim = !out && found.status < 200 && found.status != 101;
                if self.interim {
                    return;
                }
                if out {
                    self.requests += 1;
                    left.methods.push(found.word.to_vec());
                } else {
                    self.responses += 1;
                }
                let fields = found.headers.iter().map(|h| (lossy(h.name), lossy(h.value))).collect();
                let word = lossy(found.word);
                let version = if found.minor == 0 { "1.0" } else { "1.1" };
                let (method, reason) = if out { (word, String::new()) } else { (String::new(), word) };
                let (target, size, protocol) = (lossy(found.target), found.span.len(), String::new());
                let head = Head { method, target, status: found.status, reason, version, fields, size, protocol };
                if head.status == 101 && head.field("upgrade").is_some_and(|to| to.to_ascii_lowercase().contains("websocket")) {
                    self.switched = Some(head.field("sec-websocket-extensions").unwrap_or_default().to_owned());
                }
                tell(Part::Head { of: Exchange(self.conn, number + 1), dir, t, head: &head });
            }
            http1::Item::Data { bytes, .. } if !self.interim => tell(Part::Body { of: Exchange(self.conn, number), dir, t, bytes }),
            http1::Item::Upgraded { bytes, .. } if self.switched.is_some() => left.behind.extend_from_slice(bytes),
            http1::Item::Upgraded { bytes, .. } => tell(Part::Body { of: Exchange(self.conn, number), dir, t, bytes }),
            _ => {}
        }
    }

    fn http2(&mut self, dir: RecordKind, t: u64, item: http2::Item<'_>, left: &mut Left, tell: &mut Once<'_>) {
        const SETTINGS: u8 = 4;
        const ACK: u8 = 1;
        let (conn, side) = (self.conn, if dir == RecordKind::Out { http2::Side::Client } else { http2::Side::Server });
        match item {
            http2::Item::Data { stream, span, bytes } => {
                let of = Exchange(conn, stream);
                if !self.sockets.data(side, stream, span, bytes, &mut |_, item| message(of, dir, t, item, tell)) {
                    tell(Part::Body { of, dir, t, bytes });
                }
            }
            http2::Item::Frame(frame) if frame.kind == SETTINGS && frame.flags & ACK == 0 => left.settings.push(frame.payload.to_vec()),
            http2::Item::Frame(frame) => {
                let Some(headers) = frame.headers else { return };
                let pseudo = |name: &[u8]| headers.iter().find(|h| h.name == name).map(|h| lossy(&h.value)).unwrap_or_default();
                let status: u16 = pseudo(b":status").parse().unwrap_or(0);
                let method = pseudo(b":method");
                // A block with neither is a trailer section.
                if method.is_empty() && status < 200 {
                    return;
                }
                let fields = headers.iter().filter(|h| !h.name.starts_with(b":")).map(|h| (lossy(&h.name), lossy(&h.value))).collect();
                let (target, reason, size, protocol) = (pseudo(b":path"), String::new(), frame.span.len(), pseudo(b":protocol"));
                let of = Exchange(conn, frame.stream);
                tell(Part::Head { of, dir, t, head: &Head { method, target, status, reason, version: "2", fields, size, protocol } });
                // With the answer comes what the client sent before it.
                self.sockets.headers(side, frame.stream, headers, &mut |_, item| message(of, RecordKind::Out, t, item, tell));
            }
            _ => {}
        }
    }
}

fn message(of: Exchange, dir: RecordKind, t: u64, item: ws::Item<'_>, tell: &mut Once<'_>) {
    if let ws::Item::Message { opcode, data, .. } = item {
        tell(Part::Message { of, dir, t, opcode, data });
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests;
