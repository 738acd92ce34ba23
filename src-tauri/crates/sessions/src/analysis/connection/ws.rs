//! What WebSocket frames tell, on a connection of their own or in the DATA of an HTTP/2 stream.

use weir_dialects::Payload;
use weir_frames::http2::websocket::Step;
use weir_frames::http2::{self, Side};
use weir_frames::{Span, ws};

use super::super::deflated::Deflated;
use super::super::fold::{Carried, Fold, Told};
use super::super::ledger::Owner;
use super::super::row::{Kind, Layer};
use super::http2::{fields_of, side, status_of};
use super::{Connection, Protocol, respond};

impl Connection {
    /// A header block of an HTTP/2 stream: whether it opened a socket there.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn socket_headers(
        &mut self,
        fold: &mut Fold,
        t: u64,
        stream: u16,
        frame: &http2::Frame<'_>,
        headers: &[http2::Header],
        out: bool,
        told: &mut dyn FnMut(Told<'_>),
    ) -> bool {
        // Its streams are there before anything in them is told.
        let opens = !out && self.sockets.has(frame.stream) && (200..300).contains(&status_of(headers));
        let fresh = opens && !self.lanes.iter().any(|(of, _)| *of == frame.stream);
        let lanes = fresh.then(|| [false, true].map(|out| fold.stream(self.number, out, Some(Layer::H2))));
        let sent = lanes.map_or(0, |[_, sent]| sent);
        let mut sink = |_, item: ws::Item<'_>| ws_item(fold, t, sent, 0, item, true, told);
        match self.sockets.headers(side(out), frame.stream, headers, &mut sink) {
            Some(Step::Asked { faults }) => {
                socket_faults(fold, t, stream, frame.span.start, faults);
                false
            }
            Some(Step::Opened { faults, extensions, .. }) => {
                socket_faults(fold, t, stream, frame.span.start, faults);
                respond(fold, status_of(headers), fields_of(headers));
                if let Some(lanes) = lanes {
                    fold.streams[lanes[0] as usize].owner = Owner::Ws;
                    for lane in lanes {
                        fold.streams[lane as usize].deflated = deflated(&extensions, 0);
                    }
                    // What the client sent before it was answered.
                    if let Some(map) = self.sockets.map(Side::Client, frame.stream) {
                        fold.streams[lanes[1] as usize].map = map.clone();
                        self.spoke |= !map.is_empty();
                    }
                    self.lanes.push((frame.stream, lanes));
                }
                self.opened = true;
                true
            }
            // What follows is an ordinary response.
            Some(Step::Refused { .. }) | None => false,
        }
    }

    /// DATA of a stream that is a socket, found at `span` on the connection.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn socket_data(
        &mut self,
        fold: &mut Fold,
        t: u64,
        id: u32,
        span: Span,
        bytes: &[u8],
        out: bool,
        told: &mut dyn FnMut(Told<'_>),
    ) {
        let lane = self.lanes.iter().find(|(of, _)| *of == id).map(|(_, lanes)| lanes[usize::from(out)]);
        if let Some(stream) = lane {
            fold.streams[stream as usize].map.push(span);
            if !out {
                fold.pass(self.input.stream, bytes.len());
            }
            *(if out { &mut self.spoke } else { &mut self.heard }) = true;
        }
        let stream = lane.unwrap_or_default();
        // Without a lane the socket is not open yet: its bytes are kept, and nothing is told.
        self.sockets.data(side(out), id, span, bytes, &mut |_, item| ws_item(fold, t, stream, 0, item, out, told));
        let deflated = lane.and_then(|lane| fold.streams[lane as usize].deflated.as_mut());
        if let (Some((at, window)), Some(deflated)) = (self.sockets.border(side(out), id), deflated) {
            deflated.border(at, window);
        }
    }

    /// One side ended its direction of a stream, or with `reset` the whole of it.
    pub(super) fn socket_end(&mut self, fold: &mut Fold, t: u64, id: u32, out: bool, reset: bool, told: &mut dyn FnMut(Told<'_>)) {
        let Some(&(_, lanes)) = self.lanes.iter().find(|(of, _)| *of == id) else { return };
        for by in [false, true] {
            if reset || by == out {
                self.sockets.end(side(by), id, &mut |_, item| ws_item(fold, t, lanes[usize::from(by)], 0, item, by, told));
            }
        }
    }

    /// The connection is over.
    pub(super) fn finish_sockets(&mut self, fold: &mut Fold, t: u64, told: &mut dyn FnMut(Told<'_>)) {
        for (id, _) in self.lanes.clone() {
            self.socket_end(fold, t, id, false, true, told);
        }
    }

    pub(super) fn websocket(&mut self, fold: &mut Fold, t: u64, bytes: &[u8], out: bool, told: &mut dyn FnMut(Told<'_>)) {
        let direction = if out { &mut self.output } else { &mut self.input };
        let stream = direction.stream;
        if let Protocol::Ws(dissector, base) = &mut direction.protocol {
            fold.streams[stream as usize].owner = Owner::Ws;
            let base = *base;
            dissector.push(bytes, &mut |item| ws_item(fold, t, stream, base, item, out, told));
            if let (Some((at, window)), Some(deflated)) = (dissector.border(), &mut fold.streams[stream as usize].deflated) {
                deflated.border(base + at, window);
            }
        }
    }
}

/// What is kept to read messages of a socket again, where they may be compressed.
pub(super) fn deflated(extensions: &str, base: u64) -> Option<Box<Deflated>> {
    let agreed = extensions.to_ascii_lowercase().contains("permessage-deflate");
    agreed.then(|| Box::new(Deflated::new(extensions, base)))
}

fn socket_faults(fold: &mut Fold, t: u64, stream: u16, at: u64, faults: Vec<String>) {
    for message in faults {
        fold.rule(t, stream, at, Layer::H2, "websocket", &message, false);
    }
}

/// One item of a WebSocket whose bytes are those of `stream` from `base` on.
#[allow(clippy::too_many_arguments)]
pub(super) fn ws_item(fold: &mut Fold, t: u64, stream: u16, base: u64, item: ws::Item<'_>, out: bool, told: &mut dyn FnMut(Told<'_>)) {
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
        ws::Item::Message { span, opcode, data, oversized, deflated, .. } => {
            let word = fold.word(opcode_name(opcode));
            if out && oversized {
                fold.row(t, stream, absolute(span), Layer::Ws, Kind::Request, word);
            } else if out {
                fold.sent(t, stream, absolute(span), word, data, told);
            } else if oversized {
                let word = fold.word("message longer than what is decoded whole (128 MiB): kept, not decoded");
                fold.row(t, stream, absolute(span), Layer::Ws, Kind::Warning, word);
            } else {
                let carried = deflated.map_or(Carried::Message, Carried::Deflated);
                fold.payload(t, stream, absolute(span), Layer::Ws, word, carried, Payload::Message(data), data.len() as u64, told);
            }
        }
        ws::Item::Error { code, message, at } => fold.rule(t, stream, base + at, Layer::Ws, code, &message, false),
        ws::Item::Warning { code, message, at } => fold.rule(t, stream, base + at, Layer::Ws, code, &message, true),
        ws::Item::Incomplete { span } => {
            fold.row(t, stream, absolute(span), Layer::Ws, Kind::Incomplete, 0);
        }
    }
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
