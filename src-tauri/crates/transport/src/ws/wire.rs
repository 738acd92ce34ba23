//! What drives an open socket: tungstenite, or Weir's own frames where permessage-deflate was agreed.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::Message as Frames;

use super::deflating::Deflating;
use super::plain::Plain;
use super::{Io, Message, failure};
use crate::Error;
use crate::tap::Tap;

/// An open socket.
pub(super) enum Wire {
    Plain(Box<Plain<Tap<Io>>>),
    Deflating(Box<Deflating<Tap<Io>>>),
}

/// How reading ended.
#[derive(Debug)]
pub(super) struct End {
    pub(super) outcome: Result<(), Error>,
    /// What to tell the peer that it did wrong (RFC 6455, section 7.4.1).
    pub(super) close_code: Option<u16>,
}

impl End {
    pub(super) fn of(outcome: Result<(), Error>) -> Self {
        Self { outcome, close_code: None }
    }
}

impl Wire {
    /// The next message. `left`: a close frame was sent, so the peer may leave without a word. `pass`: nobody looks at text and binary
    /// messages, they need not come out.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>, left: bool, pass: bool) -> Poll<Result<Message, End>> {
        let stream = match self {
            Self::Deflating(own) => return own.poll_next(cx, left),
            Self::Plain(stream) => stream,
        };
        loop {
            let message = match ready!(stream.poll_next(cx, pass)) {
                Some(Ok(message)) => message,
                Some(Err(error)) => {
                    let close_code = failure::close_code(&error);
                    return Poll::Ready(Err(End { outcome: failure::classify(&error, left), close_code }));
                }
                None => return Poll::Ready(Err(End::of(Ok(())))),
            };
            return Poll::Ready(Ok(match message {
                Frames::Text(text) => Message::Text(text.into()),
                Frames::Binary(bytes) => Message::Binary(bytes),
                Frames::Ping(bytes) => Message::Ping(bytes),
                Frames::Pong(bytes) => Message::Pong(bytes),
                Frames::Close(frame) => {
                    let (code, reason) = frame.map_or((None, String::new()), |frame| (Some(frame.code.into()), frame.reason.to_string()));
                    Message::Close { code, reason }
                }
                Frames::Frame(_) => continue,
            }));
        }
    }

    /// Ready to take a message.
    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match self {
            Self::Plain(stream) => stream.poll_ready(cx).map_err(|error| sending(&error)),
            Self::Deflating(own) => own.poll_ready(cx),
        }
    }

    /// Takes a message to be sent.
    pub(super) fn start_send(&mut self, cx: &mut Context<'_>, message: Frames) -> Result<(), Error> {
        match self {
            Self::Plain(stream) => stream.start_send(cx, message).map_err(|error| sending(&error)),
            Self::Deflating(own) => own.start_send(message),
        }
    }

    /// Writes what was taken.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match self {
            Self::Plain(stream) => stream.poll_flush(cx).map_err(|error| sending(&error)),
            Self::Deflating(own) => own.poll_flush(cx),
        }
    }

    /// Writes what was taken, ends this direction, and reads to the peer's end. The tap keeps what still comes; nobody else looks at it.
    pub(super) fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if ready!(self.poll_flush(cx)).is_err() {
            return Poll::Ready(());
        }
        let tap = match self {
            Self::Plain(stream) => stream.io(),
            Self::Deflating(own) => own.io(),
        };
        // The goodbye of a stream that is over: what comes of it does not matter.
        let _ = Pin::new(&mut *tap).poll_shutdown(cx);
        let mut room = [0; 8 << 10];
        loop {
            let mut room = ReadBuf::new(&mut room);
            match ready!(Pin::new(&mut *tap).poll_read(cx, &mut room)) {
                Ok(()) if !room.filled().is_empty() => {}
                _ => return Poll::Ready(()),
            }
        }
    }
}

fn sending(error: &tokio_tungstenite::tungstenite::Error) -> Error {
    failure::classify(error, false).err().unwrap_or_else(failure::closed)
}
