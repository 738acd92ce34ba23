//! A socket on which permessage-deflate was agreed (RFC 7692).
//!
//! tungstenite knows no extension: it fails a connection at the first RSV1. Weir reads such a socket with the dissector that also
//! explains it (so what it answers to and what it shows cannot differ) and writes with that dissector's counterpart. A second WebSocket
//! library for these sockets alone would bring a third reading of the same bytes, its own idea of a handshake, and no sizes before and
//! after; plain sockets stay with tungstenite, which the tests hold this against.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::Message as Frames;
use weir_frames::Limits;
use weir_frames::ws::deflate::Agreement;
use weir_frames::ws::{Dissector, Encoder, Item, Side};

use super::wire::End;
use super::{Message, failure};
use crate::redact::Patterns;
use crate::{Blame, Error};

/// Bytes read at once: so much can a flood of tiny messages take before the first of them is handed on.
const READ: usize = 32 << 10;

/// Bytes waiting to be written beyond which no message is taken.
const BACKLOG: usize = 64 << 10;

const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// The frames of one socket over `S`.
pub(super) struct Deflating<S> {
    io: S,
    dissector: Dissector,
    encoder: Encoder,
    /// Messages that hold one of these go out uncompressed.
    patterns: Option<Arc<Patterns>>,
    /// What was read behind the handshake's end.
    rest: Vec<u8>,
    inbox: Inbox,
    outbox: Vec<u8>,
    /// Of it, this much is written.
    written: usize,
    /// A close frame was sent.
    left: bool,
}

/// What the dissector told and nobody took yet.
#[derive(Default)]
struct Inbox {
    messages: VecDeque<Message>,
    /// The latest ping's payload: only that one needs its pong (RFC 6455, section 5.5.3).
    ping: Option<Bytes>,
    /// The peer closes, with this payload to echo.
    close: Option<Bytes>,
    closed: bool,
    fault: Option<Fault>,
}

enum Fault {
    Rule { code: &'static str, message: String },
    TooBig,
}

impl Inbox {
    fn take(&mut self, item: Item<'_>) {
        // What follows a breach or a close is the journal's alone.
        if self.fault.is_some() || self.closed {
            return;
        }
        match item {
            Item::Message { oversized: true, .. } => self.fault = Some(Fault::TooBig),
            Item::Message { opcode, data, .. } => {
                let data = Bytes::copy_from_slice(data);
                self.messages.push_back(if opcode == 1 { Message::Text(data) } else { Message::Binary(data) });
            }
            Item::Frame(frame) => match frame.opcode {
                CLOSE => {
                    self.closed = true;
                    self.close = Some(Bytes::copy_from_slice(frame.payload));
                    let reason = frame.close_reason.map(|reason| reason.into_owned()).unwrap_or_default();
                    self.messages.push_back(Message::Close { code: frame.close_code, reason });
                }
                PING => {
                    let payload = Bytes::copy_from_slice(frame.payload);
                    self.ping = Some(payload.clone());
                    self.messages.push_back(Message::Ping(payload));
                }
                PONG => self.messages.push_back(Message::Pong(Bytes::copy_from_slice(frame.payload))),
                _ => {}
            },
            Item::Error { code, message, .. } => self.fault = Some(Fault::Rule { code, message }),
            Item::Warning { .. } | Item::Incomplete { .. } => {}
        }
    }
}

impl Fault {
    fn end(self) -> End {
        let (error, close_code) = match self {
            Self::Rule { code, message } => (
                Error::new(Blame::Peer, "ws-protocol", "The server breaks the rules of WebSocket.")
                    .evidence(message)
                    .next("Look at the bytes; the server or a proxy before it is at fault."),
                if matches!(code, "utf-8" | "inflate") { 1007 } else { 1002 },
            ),
            Self::TooBig => (
                Error::new(Blame::Peer, "too-big", "The server sends a message beyond all bounds.")
                    .evidence("A message on a compressed connection is longer than 128 MiB.")
                    .next("Ask for less at a time, or do without permessage-deflate: Weir then takes messages of up to 1 GiB."),
                1009,
            ),
        };
        End { outcome: Err(error), close_code: Some(close_code) }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Deflating<S> {
    /// A client's end of a socket whose handshake is done. `rest` came behind it; `extensions` is the agreed value.
    pub(super) fn new(io: S, rest: Vec<u8>, agreed: Agreement, extensions: &str, patterns: Option<Arc<Patterns>>) -> Self {
        Self {
            io,
            dissector: Dissector::new(Side::Server, extensions, Limits::default()),
            encoder: Encoder::new(Side::Client, Some(agreed)),
            patterns,
            rest,
            inbox: Inbox::default(),
            outbox: Vec::new(),
            written: 0,
            left: false,
        }
    }

    pub(super) fn io(&mut self) -> &mut S {
        &mut self.io
    }

    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>, left: bool) -> Poll<Result<Message, End>> {
        loop {
            // A write that fails shows in the read as well, with the better reason.
            if self.answer().is_ok() {
                let _ = self.poll_flush(cx);
            }
            if let Some(message) = self.inbox.messages.pop_front() {
                return Poll::Ready(Ok(message));
            }
            if let Some(fault) = self.inbox.fault.take() {
                return Poll::Ready(Err(fault.end()));
            }
            if !self.rest.is_empty() {
                let rest = std::mem::take(&mut self.rest);
                self.dissector.push(&rest, &mut |item| self.inbox.take(item));
                continue;
            }
            let mut room = [0; READ];
            let mut room = ReadBuf::new(&mut room);
            match ready!(Pin::new(&mut self.io).poll_read(cx, &mut room)) {
                Ok(()) if room.filled().is_empty() => {
                    return Poll::Ready(Err(End::of(if self.inbox.closed || left {
                        Ok(())
                    } else {
                        Err(failure::cut("the stream's end"))
                    })));
                }
                Ok(()) => self.dissector.push(room.filled(), &mut |item| self.inbox.take(item)),
                // Once both have said goodbye, how the socket goes down is of no matter.
                Err(_) if self.inbox.closed => return Poll::Ready(Err(End::of(Ok(())))),
                Err(error) => return Poll::Ready(Err(End::of(Err(Error::io(&error, "messages were exchanged"))))),
            }
        }
    }

    /// Queues the pong and the close that the peer waits for.
    fn answer(&mut self) -> Result<(), Error> {
        if self.left {
            return Ok(());
        }
        // A peer that pings without reading gets its latest pong once it reads.
        if self.outbox.len() < BACKLOG
            && let Some(payload) = self.inbox.ping.take()
        {
            self.control(PONG, &payload)?;
        }
        if let Some(code) = self.inbox.close.take() {
            self.left = true;
            self.control(CLOSE, &code)?;
        }
        Ok(())
    }

    fn control(&mut self, opcode: u8, payload: &[u8]) -> Result<(), Error> {
        let key = mask()?;
        self.encoder.control(opcode, payload, key, &mut self.outbox);
        Ok(())
    }

    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.outbox.len() - self.written < BACKLOG { Poll::Ready(Ok(())) } else { self.poll_flush(cx) }
    }

    pub(super) fn start_send(&mut self, message: Frames) -> Result<(), Error> {
        if self.left {
            return Err(failure::closed());
        }
        let plain = |data: &[u8]| self.patterns.as_ref().is_some_and(|patterns| patterns.occurs(data));
        match message {
            Frames::Text(text) => {
                let plain = plain(text.as_bytes());
                self.encoder.message(1, text.as_bytes(), plain, mask()?, &mut self.outbox);
            }
            Frames::Binary(data) => {
                let plain = plain(&data);
                self.encoder.message(2, &data, plain, mask()?, &mut self.outbox);
            }
            Frames::Ping(payload) => self.control(PING, &payload)?,
            Frames::Pong(payload) => self.control(PONG, &payload)?,
            Frames::Close(frame) => {
                self.left = true;
                let payload =
                    frame.map_or(Vec::new(), |frame| [&u16::from(frame.code).to_be_bytes()[..], frame.reason.as_bytes()].concat());
                self.control(CLOSE, &payload)?;
            }
            Frames::Frame(_) => {}
        }
        Ok(())
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        while self.written < self.outbox.len() {
            let failed = |error: std::io::Error| Error::io(&error, "messages were exchanged");
            let length = ready!(Pin::new(&mut self.io).poll_write(cx, &self.outbox[self.written..])).map_err(failed)?;
            if length == 0 {
                return Poll::Ready(Err(failed(std::io::ErrorKind::WriteZero.into())));
            }
            self.written += length;
        }
        self.outbox.clear();
        self.outbox.shrink_to(1 << 20);
        self.written = 0;
        Pin::new(&mut self.io).poll_flush(cx).map_err(|error| Error::io(&error, "messages were exchanged"))
    }
}

/// A fresh masking key (RFC 6455, section 5.3).
fn mask() -> Result<[u8; 4], Error> {
    let mut key = [0; 4];
    getrandom::fill(&mut key).map_err(|error| {
        Error::new(Blame::Local, "random", "The system gives no random numbers.")
            .evidence(error.to_string())
            .next("A WebSocket client must mask what it sends with numbers that nobody can guess.")
    })?;
    Ok(key)
}

#[cfg(test)]
mod tests;
