//! What HTTP/2 tells of a connection: header blocks, bodies by stream, and the sockets that extended CONNECTs open (RFC 8441).

use weir_frames::http2::flow::Effect;
use weir_frames::http2::{self, Side};

use super::super::body::Body;
use super::super::fold::{Fold, HEADS, Told};
use super::super::row::{Kind, Layer, RowId};
use super::super::windows::Left;
use super::{Connection, Protocol, lossy, respond};

/// Who sent what.
pub(super) const fn side(out: bool) -> Side {
    if out { Side::Client } else { Side::Server }
}

impl Connection {
    pub(super) fn h2_item(
        &mut self,
        fold: &mut Fold,
        t: u64,
        stream: u16,
        item: http2::Item<'_>,
        out: bool,
        told: &mut dyn FnMut(Told<'_>),
    ) {
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
            http2::Item::Data { stream: id, span, bytes } if self.sockets.has(id) => {
                self.socket_data(fold, t, id, span, bytes, out, told);
            }
            // What Weir sends is one request: its body is shown whole.
            http2::Item::Data { .. } if out => {}
            http2::Item::Data { stream: id, span, bytes } => {
                if let Some((_, body)) = self.h2_bodies.iter_mut().find(|(of, _)| *of == id) {
                    fold.pass(stream, bytes.len());
                    body.push(fold, t, bytes, span, told);
                }
            }
            http2::Item::Frame(frame) => {
                let word = match frame.headers {
                    Some(headers) => fold.word(&h2_head_line(frame.kind, headers)),
                    None => fold.word(http2::frame_name(frame.kind)),
                };
                let moved = self.flow.frame(side(out), &frame);
                if let Some(message) = &moved.fault {
                    fold.rule(t, stream, frame.span.start, Layer::H2, "FLOW_CONTROL_ERROR", message, false);
                }
                if moved.lost {
                    let message = "more streams are open than are followed: the flow control of the rest is not told (4096)";
                    fold.rule(t, stream, frame.span.start, Layer::H2, "streams", message, true);
                }
                let rows = fold.rows.len();
                match frame.kind {
                    DATA if out && !self.sockets.has(frame.stream) => {
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
                self.h2_windows(fold, t, &frame, moved, rows, out);
                if let Some(headers) = frame.headers {
                    self.h2_responses += u32::from(!out && status_of(headers) >= 200);
                    let opened = self.socket_headers(fold, t, stream, &frame, headers, out, told);
                    if !out && !opened {
                        self.h2_head(fold, t, &frame, headers);
                    }
                }
                if frame.kind == SETTINGS && frame.flags & 1 == 0 {
                    self.h2_settings(frame.payload, out);
                }
                let ends = frame.kind <= HEADERS && frame.flags & END_STREAM != 0;
                if ends || frame.kind == RST_STREAM {
                    self.socket_end(fold, t, frame.stream, out, frame.kind == RST_STREAM, told);
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

    /// What `frame`, told by the row behind `rows` or else by the last carrier, left of the windows.
    fn h2_windows(&mut self, fold: &mut Fold, t: u64, frame: &http2::Frame<'_>, moved: Effect, rows: usize, out: bool) {
        let id =
            if fold.rows.len() > rows { RowId(rows as u32) } else { RowId(fold.carriers.len().saturating_sub(1) as u32 | RowId::CARRIER) };
        fold.windows.any = true;
        if let (Some(of), true) = (moved.of, moved.stream.is_some() || moved.connection.is_some()) {
            let (connection, stream) = self.flow.windows(of, frame.stream);
            let narrow = |window: i64| i32::try_from(window).unwrap_or(i32::MAX);
            // The frame that ends a stream leaves no window behind, but it found one.
            let stream = moved.stream.map(|moved| moved.after).or(stream).map_or(i32::MIN, narrow);
            fold.windows.moved(id, Left { stream, connection: narrow(connection) });
        }
        for sender in [out, !out] {
            fold.windows.set(t, self.number, sender, self.flow.exhausted(side(sender)), id);
        }
    }

    /// The connection is over: nobody waits any more.
    pub(super) fn finish_windows(&mut self, fold: &mut Fold, t: u64) {
        for out in [false, true] {
            fold.windows.set(t, self.number, out, None, RowId(0));
        }
    }

    fn h2_head(&mut self, fold: &mut Fold, t: u64, frame: &http2::Frame<'_>, headers: &[http2::Header]) {
        // A header block without :status is a trailer section; 1xx answers precede the real one.
        let code = status_of(headers);
        if code < 200 {
            return;
        }
        let status = respond(fold, code, fields_of(headers));
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

/// `HEADERS 200` or `HEADERS POST /v1/chat/completions`.
fn h2_head_line(kind: u8, headers: &[http2::Header]) -> String {
    let pseudo = |name: &[u8]| headers.iter().find(|h| h.name == name).map(|h| lossy(&h.value));
    let words = [Some(http2::frame_name(kind).to_owned()), pseudo(b":status"), pseudo(b":method"), pseudo(b":path")];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The status code of an answer; 0 where there is none that can be read.
pub(super) fn status_of(headers: &[http2::Header]) -> u16 {
    let status = headers.iter().find(|h| h.name == b":status").and_then(|h| std::str::from_utf8(&h.value).ok()?.parse().ok());
    status.unwrap_or_default()
}

/// Names and values of the fields that are no pseudo-headers.
pub(super) fn fields_of(headers: &[http2::Header]) -> Vec<(String, String)> {
    headers.iter().filter(|h| !h.name.starts_with(b":")).map(|h| (lossy(&h.name), lossy(&h.value))).collect()
}
