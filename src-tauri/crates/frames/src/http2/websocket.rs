//! WebSocket over HTTP/2 (RFC 8441): streams that an extended CONNECT turned into sockets, and the frames inside their DATA.
//!
//! The [`Dissector`](super::Dissector)s of the two directions tell header blocks and DATA; [`WebSockets`] is handed those of both and
//! tells which streams are sockets and what their bytes are. Spans of frames and messages count in the socket's own bytes, all DATA
//! payload of one direction of the stream; [`WebSockets::map`] leads from there to the connection.

use super::{Header, Side};
use crate::layers::Map;
use crate::ws::{self, Item};
use crate::{Limits, Span};

/// What a header block did to a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The client asks for a WebSocket.
    Asked {
        /// Rules that the request breaks, each with its section.
        faults: Vec<String>,
    },
    /// The server agrees: the stream is a socket now.
    Opened {
        /// The agreed value of `sec-websocket-extensions`, or "".
        extensions: String,
        /// The subprotocol the server chose, or "".
        subprotocol: String,
        /// Rules that the answer breaks, each with its section.
        faults: Vec<String>,
    },
    /// The server refuses: what follows on the stream is the body of an ordinary response.
    Refused {
        /// Status code; 0 where there is none that can be read.
        status: u16,
    },
}

/// The sockets of one connection.
#[derive(Debug)]
pub struct WebSockets {
    limits: Limits,
    sockets: Vec<Socket>,
}

#[derive(Debug)]
struct Socket {
    stream: u32,
    /// What the client sent before the answer came: it may not speak yet, but its bytes are frames if it is let in.
    early: Vec<u8>,
    /// Where that stood on the connection.
    place: Map,
    /// More of that came than is kept: the rest of the client's frames cannot be found.
    flooded: bool,
    /// Client's and server's direction, once it is open.
    lanes: Option<[Lane; 2]>,
}

#[derive(Debug)]
struct Lane {
    dissector: ws::Dissector,
    map: Map,
    ended: bool,
}

fn lane(side: Side) -> usize {
    match side {
        Side::Client => 0,
        Side::Server => 1,
    }
}

impl WebSockets {
    /// Those of a connection that has just begun.
    pub fn new(limits: Limits) -> Self {
        Self { limits, sockets: Vec::new() }
    }

    /// Whether the stream is a socket, or has asked to be one.
    pub fn has(&self, stream: u32) -> bool {
        self.sockets.iter().any(|socket| socket.stream == stream)
    }

    /// From the socket's bytes that `side` sent to the connection; `None` for a stream that is no open socket.
    pub fn map(&self, side: Side, stream: u32) -> Option<&Map> {
        let socket = self.sockets.iter().find(|socket| socket.stream == stream)?;
        Some(&socket.lanes.as_ref()?[lane(side)].map)
    }

    /// A header block that `side` sent. With the answer, what the client sent before it is told to the sink.
    pub fn headers(&mut self, side: Side, stream: u32, headers: &[Header], sink: &mut impl FnMut(Side, Item<'_>)) -> Option<Step> {
        let at = self.sockets.iter().position(|socket| socket.stream == stream);
        match (side, at) {
            (Side::Client, None) if is_request(headers) => {
                self.sockets.push(Socket { stream, early: Vec::new(), place: Map::default(), flooded: false, lanes: None });
                Some(Step::Asked { faults: request_faults(headers) })
            }
            (Side::Server, Some(at)) if self.sockets[at].lanes.is_none() => {
                let status = text(headers, b":status").parse::<u16>().unwrap_or_default();
                match status {
                    // The answer is still to come.
                    100..=199 => None,
                    200..=299 => {
                        let extensions = text(headers, b"sec-websocket-extensions");
                        let lanes = [Side::Client, Side::Server].map(|side| Lane {
                            dissector: ws::Dissector::new(side, &extensions, self.limits),
                            map: Map::default(),
                            ended: false,
                        });
                        let socket = &mut self.sockets[at];
                        socket.lanes = Some(lanes);
                        socket.catch_up(self.limits.unit, sink);
                        let subprotocol = text(headers, b"sec-websocket-protocol");
                        Some(Step::Opened { extensions, subprotocol, faults: answer_faults(headers) })
                    }
                    status => {
                        self.sockets.swap_remove(at);
                        Some(Step::Refused { status })
                    }
                }
            }
            _ => None,
        }
    }

    /// DATA payload that `side` sent, found at `span` on the connection. `false` where the stream is no socket, or the server sends before
    /// it answered: the bytes are another body's. Behind an end they are nobody's.
    pub fn data(&mut self, side: Side, stream: u32, span: Span, bytes: &[u8], sink: &mut impl FnMut(Side, Item<'_>)) -> bool {
        let Some(socket) = self.sockets.iter_mut().find(|socket| socket.stream == stream) else { return false };
        match (&socket.lanes, side) {
            (Some(_), _) => socket.data(side, span, bytes, sink),
            (None, Side::Client) => socket.wait(span, bytes, self.limits.unit),
            (None, Side::Server) => return false,
        }
        true
    }

    /// A socket's direction between two messages, as [`ws::Dissector::border`] tells it.
    pub fn border(&self, side: Side, stream: u32) -> Option<(u64, &[u8])> {
        let socket = self.sockets.iter().find(|socket| socket.stream == stream)?;
        socket.lanes.as_ref()?[lane(side)].dissector.border()
    }

    /// `side` ended its direction (END_STREAM stands for the FIN of TCP, RST_STREAM for its RST): what is unfinished is told.
    pub fn end(&mut self, side: Side, stream: u32, sink: &mut impl FnMut(Side, Item<'_>)) {
        let Some(at) = self.sockets.iter().position(|socket| socket.stream == stream) else { return };
        let Some(lanes) = &mut self.sockets[at].lanes else { return };
        lanes[lane(side)].finish(side, sink);
    }

    /// The connection is over.
    pub fn finish(&mut self, sink: &mut impl FnMut(Side, Item<'_>)) {
        for socket in &mut self.sockets {
            for (side, lane) in [Side::Client, Side::Server].into_iter().zip(socket.lanes.iter_mut().flatten()) {
                lane.finish(side, sink);
            }
        }
    }
}

impl Socket {
    fn data(&mut self, side: Side, span: Span, bytes: &[u8], sink: &mut impl FnMut(Side, Item<'_>)) {
        if let Some(lanes) = &mut self.lanes {
            let lane = &mut lanes[lane(side)];
            if !lane.ended {
                lane.map.push(span);
                lane.dissector.push(bytes, &mut |item| sink(side, item));
            }
        }
    }

    /// Keeps what the client sends before it is answered, up to `limit` bytes, however they are divided.
    fn wait(&mut self, span: Span, bytes: &[u8], limit: usize) {
        let fits = limit.saturating_sub(self.early.len()).min(bytes.len());
        self.early.extend_from_slice(&bytes[..fits]);
        self.place.push(Span::new(span.start, span.start + fits as u64));
        self.flooded |= fits < bytes.len();
    }

    /// Tells what the client sent before it was answered.
    fn catch_up(&mut self, limit: usize, sink: &mut impl FnMut(Side, Item<'_>)) {
        let Some([client, _]) = &mut self.lanes else { return };
        client.map = std::mem::take(&mut self.place);
        client.dissector.push(&std::mem::take(&mut self.early), &mut |item| sink(Side::Client, item));
        if self.flooded {
            let message = format!("before it was answered the client sent more than {limit} bytes, more than is kept here");
            sink(Side::Client, Item::Error { code: "early-flood", message, at: client.map.len() });
            client.finish(Side::Client, sink);
        }
    }
}

impl Lane {
    fn finish(&mut self, side: Side, sink: &mut impl FnMut(Side, Item<'_>)) {
        if !std::mem::replace(&mut self.ended, true) {
            self.dissector.finish(&mut |item| sink(side, item));
        }
    }
}

/// The request that RFC 8441 (§4) describes: `:method` CONNECT with `:protocol` websocket.
fn is_request(headers: &[Header]) -> bool {
    text(headers, b":method") == "CONNECT" && text(headers, b":protocol").eq_ignore_ascii_case("websocket")
}

fn request_faults(headers: &[Header]) -> Vec<String> {
    let mut faults = Vec::new();
    for name in [":scheme", ":path", ":authority"] {
        if text(headers, name.as_bytes()).is_empty() {
            faults.push(format!("an extended CONNECT has {name} (RFC 8441 §4)"));
        }
    }
    let version = text(headers, b"sec-websocket-version");
    if version != "13" {
        faults.push(format!("sec-websocket-version is «{version}», not 13 (RFC 6455 §4.1, RFC 8441 §5)"));
    }
    faults.extend(unused(headers, b"sec-websocket-key"));
    faults
}

fn answer_faults(headers: &[Header]) -> Vec<String> {
    unused(headers, b"sec-websocket-accept").into_iter().collect()
}

fn unused(headers: &[Header], name: &[u8]) -> Option<String> {
    let there = headers.iter().any(|header| header.name == name);
    there.then(|| format!("{} is not used over HTTP/2 (RFC 8441 §5)", String::from_utf8_lossy(name)))
}

/// The values of a field as one, "" where there is none.
fn text(headers: &[Header], name: &[u8]) -> String {
    let values = headers.iter().filter(|header| header.name == name).map(|header| String::from_utf8_lossy(&header.value));
    values.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ws::Encoder;
    use crate::ws::deflate::Agreement;

    fn block(fields: &[(&str, &str)]) -> Vec<Header> {
        fields.iter().map(|(name, value)| Header { name: name.as_bytes().to_vec(), value: value.as_bytes().to_vec() }).collect()
    }

    const REQUEST: [(&str, &str); 6] = [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "https"),
        (":path", "/chat"),
        (":authority", "server.example.com"),
        ("sec-websocket-version", "13"),
    ];

    #[test]
    fn frames_are_found_in_data_wherever_it_is_cut() {
        let answer = [(":status", "200"), ("sec-websocket-extensions", "permessage-deflate"), ("sec-websocket-protocol", "chat")];
        let agreed = Agreement::answer("permessage-deflate").map(|(_, agreed)| agreed);
        let mut sent = Vec::new();
        Encoder::new(Side::Client, agreed).message(1, "ein Satz, ein Satz, ein Satz".as_bytes(), false, [1, 2, 3, 4], &mut sent);
        let mut expected: Option<Vec<String>> = None;
        for at in 0..=sent.len() {
            // The client speaks before it is answered, or after.
            for early in [true, false] {
                let mut told = Vec::new();
                let mut sink = |side: Side, item: Item<'_>| told.push(format!("{side:?} {item:?}"));
                let mut sockets = WebSockets::new(Limits::default());
                assert_eq!(sockets.headers(Side::Client, 3, &block(&REQUEST), &mut sink), Some(Step::Asked { faults: Vec::new() }));
                let opened = Step::Opened { extensions: "permessage-deflate".into(), subprotocol: "chat".into(), faults: Vec::new() };
                let first = Span::new(100, 100 + at as u64);
                if early {
                    assert!(sockets.data(Side::Client, 3, first, &sent[..at], &mut sink));
                }
                assert_eq!(sockets.headers(Side::Server, 3, &block(&[(":status", "103")]), &mut sink), None);
                assert_eq!(sockets.headers(Side::Server, 3, &block(&answer), &mut sink), Some(opened));
                if !early {
                    assert!(sockets.data(Side::Client, 3, first, &sent[..at], &mut sink));
                }
                assert!(sockets.data(Side::Client, 3, Span::new(500, 500 + (sent.len() - at) as u64), &sent[at..], &mut sink));
                assert!(sockets.data(Side::Server, 3, Span::new(40, 42), b"\x89\x00", &mut sink));
                assert!(!sockets.data(Side::Client, 5, Span::new(0, 1), b"x", &mut sink), "another stream's");
                sockets.end(Side::Client, 3, &mut sink);
                sockets.finish(&mut sink);
                assert!(told[1].contains("Message") && told[1].contains("deflated: Some"), "{told:?}");
                let outer = sockets.map(Side::Client, 3).unwrap().outer(Span::new(0, sent.len() as u64));
                assert_eq!(outer.iter().map(|span| span.len()).sum::<u64>(), sent.len() as u64);
                assert_eq!(expected.get_or_insert_with(|| told.clone()), &told, "cut at {at}");
            }
        }
        assert_eq!(expected.unwrap().len(), 3);
    }

    #[test]
    fn what_is_no_socket_is_left_to_others() {
        let mut sockets = WebSockets::new(Limits::default());
        let mut sink = |_: Side, item: Item<'_>| panic!("{item:?}");
        assert_eq!(sockets.headers(Side::Client, 1, &block(&[(":method", "CONNECT"), (":authority", "a:1")]), &mut sink), None);
        assert_eq!(sockets.headers(Side::Client, 3, &block(&[(":method", "GET"), (":path", "/")]), &mut sink), None);
        assert_eq!(sockets.headers(Side::Server, 3, &block(&[(":status", "200")]), &mut sink), None);
        assert!(!sockets.has(3));
        assert!(sockets.headers(Side::Client, 5, &block(&REQUEST), &mut sink).is_some() && sockets.has(5));
        let refused = sockets.headers(Side::Server, 5, &block(&[(":status", "403")]), &mut sink);
        assert_eq!(refused, Some(Step::Refused { status: 403 }));
        assert!(!sockets.data(Side::Server, 5, Span::new(0, 2), b"no", &mut sink));
    }

    #[test]
    fn what_comes_before_the_answer_is_kept_up_to_the_limit_and_from_the_client_alone() {
        let flood = b"\x89\x80\0\0\0\0\x89\x80\0\0\0\0";
        for piece in [1, 5, flood.len()] {
            let mut told = Vec::new();
            let mut sink = |side: Side, item: Item<'_>| told.push(format!("{side:?} {item:?}"));
            let mut sockets = WebSockets::new(Limits { unit: 10, head: 10 });
            sockets.headers(Side::Client, 1, &block(&REQUEST), &mut sink);
            assert!(!sockets.data(Side::Server, 1, Span::new(0, 2), b"\x89\x00", &mut sink), "a server that does not answer opens nothing");
            let mut at = 0;
            for bytes in flood.chunks(piece) {
                assert!(sockets.data(Side::Client, 1, Span::new(at, at + bytes.len() as u64), bytes, &mut sink));
                at += bytes.len() as u64;
            }
            sockets.headers(Side::Server, 1, &block(&[(":status", "200")]), &mut sink);
            sockets.data(Side::Client, 1, Span::new(at, at + 1), b"\x89", &mut sink);
            sockets.finish(&mut sink);
            assert_eq!(told.len(), 3, "{told:?}");
            assert!(told[0].contains("Frame") && told[1].contains("early-flood") && told[1].contains("at: 10"), "{told:?}");
            assert_eq!(told[2], "Client Incomplete { span: Span { start: 6, end: 10 } }");
            assert_eq!(sockets.map(Side::Client, 1).unwrap().len(), 10);
        }
    }

    #[test]
    fn broken_rules_are_told() {
        let mut sockets = WebSockets::new(Limits::default());
        let mut sink = |_: Side, _: Item<'_>| {};
        let poor = block(&[(":method", "CONNECT"), (":protocol", "websocket"), ("sec-websocket-key", "x")]);
        let Some(Step::Asked { faults }) = sockets.headers(Side::Client, 1, &poor, &mut sink) else { panic!() };
        assert_eq!(faults.len(), 5, "{faults:?}");
        let answer = block(&[(":status", "200"), ("sec-websocket-accept", "x")]);
        let Some(Step::Opened { faults, .. }) = sockets.headers(Side::Server, 1, &answer, &mut sink) else { panic!() };
        assert_eq!(faults.len(), 1);
        let mut told = Vec::new();
        sockets.data(Side::Server, 1, Span::new(9, 12), b"\x81\x05H", &mut |_, item| told.push(format!("{item:?}")));
        sockets.end(Side::Server, 1, &mut |_, item| told.push(format!("{item:?}")));
        sockets.finish(&mut |_, item| told.push(format!("{item:?}")));
        assert_eq!(told, ["Incomplete { span: Span { start: 0, end: 3 } }"]);
    }
}
