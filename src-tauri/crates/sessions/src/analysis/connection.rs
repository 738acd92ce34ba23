//! One connection: which protocol runs on it, and its two directions.

mod http1;
mod http2;
#[cfg(test)]
mod tests;
mod ws;

use weir_dialects::Status;
use weir_frames::http2::flow::Flow;
use weir_frames::http2::websocket::WebSockets;
use weir_frames::{Limits, http1 as h1, http2 as h2, ws as frames};

use super::body::Body;
use super::fold::{Fold, Told};
use super::ledger::Owner;
pub use ws::opcode_name;

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
    /// Final responses that began, over HTTP/2.
    h2_responses: u32,
    /// Windows of HTTP/2.
    flow: Flow,
    /// HTTP/2 streams that are WebSockets, or asked to be.
    sockets: WebSockets,
    /// Of each open one its two streams of the fold, received and sent.
    lanes: Vec<(u32, [u16; 2])>,
    /// One was opened. Bytes of one were received, and sent.
    opened: bool,
    heard: bool,
    spoke: bool,
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
    Http1(Box<h1::Dissector>),
    Http2(Box<h2::Dissector>),
    /// WebSocket from this offset on.
    Ws(Box<frames::Dissector>, u64),
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
            h2_responses: 0,
            flow: Flow::default(),
            sockets: WebSockets::new(Limits::default()),
            lanes: Vec::new(),
            opened: false,
            heard: false,
            spoke: false,
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

    /// Final responses that began over HTTP/2; 0 elsewhere.
    pub fn h2_responses(&self) -> u32 {
        self.h2_responses
    }

    /// It carries WebSocket frames.
    pub fn upgraded(&self) -> bool {
        self.switched.is_some() || self.opened
    }

    /// Bytes behind the opening handshake came.
    pub fn heard(&self) -> bool {
        self.heard || matches!(self.input.protocol, Protocol::Ws(..))
    }

    /// A frame was sent over it: the upgrade was accepted here too, not only announced by the server.
    pub fn spoke(&self) -> bool {
        self.spoke || matches!(self.output.protocol, Protocol::Ws(..))
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
                self.input.protocol = Protocol::Http2(Box::new(h2::Dissector::new(h2::Side::Server, Limits::default())));
                Protocol::Http2(Box::new(h2::Dissector::new(h2::Side::Client, Limits::default())))
            } else {
                Protocol::Http1(Box::new(h1::Dissector::new(h1::Side::Client, Limits::default())))
            };
        }
        let stream = self.output.stream;
        self.output.offset += bytes.len() as u64;
        match std::mem::replace(&mut self.output.protocol, Protocol::Unknown) {
            Protocol::Http1(mut dissector) => {
                let mut behind: Option<(u64, Vec<u8>)> = None;
                dissector.push(bytes, &mut |item| {
                    if let h1::Item::Upgraded { span, bytes } = item {
                        behind.get_or_insert((span.start, Vec::new())).1.extend_from_slice(bytes);
                    } else {
                        self.request_item(fold, t, stream, item);
                    }
                });
                self.output.protocol = Protocol::Http1(dissector);
                if let (Some((start, bytes)), Some(extensions)) = (behind, self.switched.clone()) {
                    self.output.protocol =
                        Protocol::Ws(Box::new(frames::Dissector::new(frames::Side::Client, &extensions, Limits::default())), start);
                    fold.streams[stream as usize].deflated = ws::deflated(&extensions, start);
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
        fold.wire += bytes.len() as u64;
        fold.streams[self.input.stream as usize].received += bytes.len() as u64;
        if matches!(self.input.protocol, Protocol::Unknown) {
            let mut dissector = h1::Dissector::new(h1::Side::Server, Limits::default());
            dissector.expect(b"GET");
            self.input.protocol = Protocol::Http1(Box::new(dissector));
        }
        let stream = self.input.stream;
        self.input.offset += bytes.len() as u64;
        match std::mem::replace(&mut self.input.protocol, Protocol::Unknown) {
            Protocol::Http1(mut dissector) => {
                let mut behind: Option<(u64, Vec<u8>)> = None;
                dissector.push(bytes, &mut |item| {
                    if let h1::Item::Upgraded { span, bytes } = item {
                        behind.get_or_insert((span.start, Vec::new())).1.extend_from_slice(bytes);
                    } else {
                        self.response_item(fold, t, stream, item, told);
                    }
                });
                self.input.protocol = Protocol::Http1(dissector);
                if let (Some((start, bytes)), Some(extensions)) = (behind, self.switched.clone()) {
                    self.input.protocol =
                        Protocol::Ws(Box::new(frames::Dissector::new(frames::Side::Server, &extensions, Limits::default())), start);
                    fold.streams[stream as usize].deflated = ws::deflated(&extensions, start);
                    self.websocket(fold, t, &bytes, false, told);
                }
            }
            Protocol::Http2(mut dissector) => {
                fold.streams[stream as usize].owner = Owner::H2;
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
                self.finish_sockets(fold, t, told);
                self.finish_windows(fold, t);
                self.input.protocol = Protocol::Http2(dissector);
            }
            Protocol::Ws(mut dissector, base) => {
                dissector.finish(&mut |item| ws::ws_item(fold, t, stream, base, item, false, told));
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
        fold.leave(t, self.number);
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

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
