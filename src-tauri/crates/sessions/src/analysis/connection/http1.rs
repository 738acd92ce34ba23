//! What HTTP/1.1 tells of a connection: heads, bodies, the switch to WebSocket.

use weir_frames::{Limits, http1, ws};

use super::super::body::Body;
use super::super::fold::{Fold, Told};
use super::super::row::{Kind, Layer};
use super::{Connection, Protocol, lossy, respond};

impl Connection {
    pub(super) fn request_item(&mut self, fold: &mut Fold, t: u64, stream: u16, item: http1::Item<'_>) {
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

    pub(super) fn response_item(&mut self, fold: &mut Fold, t: u64, stream: u16, item: http1::Item<'_>, told: &mut dyn FnMut(Told<'_>)) {
        match item {
            http1::Item::Head(head) => {
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
                if let Some(body) = &mut self.body {
                    fold.pass(stream, bytes.len());
                    body.push(fold, t, bytes, span, told);
                }
            }
            http1::Item::Chunk { span, .. } => fold.carrier(t, stream, span, Layer::Chunk, Kind::Chunk, 0),
            http1::Item::LastChunk { span } => fold.carrier(t, stream, span, Layer::Chunk, Kind::Chunk, 0),
            http1::Item::Trailers { span, headers } => {
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
            http1::Item::Incomplete { span } => {
                if let Some(mut body) = self.body.take() {
                    body.finish(fold, t, false, told);
                }
                let message = "the connection ended inside a message: not all came that its head or a chunk announced (RFC 9112 §8)";
                fold.rule(t, stream, span.end, Layer::Http, "incomplete-message", message, true);
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
}

fn field<'a>(headers: &[http1::Header<'a>], name: &[u8]) -> Option<&'a [u8]> {
    headers.iter().find(|h| h.name.eq_ignore_ascii_case(name)).map(|h| h.value)
}
