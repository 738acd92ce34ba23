//! A socket without extensions: tungstenite's protocol, driven where it stands.
//!
//! tokio-tungstenite's stream registers two wakers at each message, and in a flood, where hundreds lie in one read, that is a sixth of the
//! reader's time. The protocol itself knows no wakers: it is given a stream that says "would block" where ours is pending, and the
//! waker of the moment is registered by the one read or write that met it.

use std::io::{self, ErrorKind, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncBufRead, AsyncWrite};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::PASSING;
use super::skim::Skim;

/// A message that is longer than this ends the connection.
const MAX_MESSAGE: usize = 1 << 30;

/// Bytes tungstenite makes room for before it asks for some. It clears that room each time and keeps what is in it: little enough to stay in
/// the nearest cache. The tap has the rest of what it read.
const ROOM: usize = 16 << 10;

/// A client's end of a socket over `S` whose handshake is done.
pub(super) struct Plain<S> {
    io: S,
    skim: Skim,
    protocol: WebSocketContext,
    /// Reading has ended.
    ended: bool,
    /// What was taken is written: another message may be.
    ready: bool,
}

impl<S: AsyncBufRead + AsyncWrite + Unpin> Plain<S> {
    /// `rest` came behind the handshake.
    pub(super) fn new(io: S, rest: Vec<u8>) -> Self {
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_MESSAGE))
            .max_frame_size(Some(MAX_MESSAGE))
            .read_buffer_size(ROOM)
            .write_buffer_size(0);
        let (mut skim, mut at) = (Skim::default(), 0);
        while at < rest.len() {
            at += skim.follow(&rest[at..]);
        }
        let protocol = WebSocketContext::from_partially_read(rest, Role::Client, Some(config));
        Self { io, skim, protocol, ended: false, ready: true }
    }

    pub(super) fn io(&mut self) -> &mut S {
        &mut self.io
    }

    /// The next message; `None` where the connection has ended as it should. After an error too, nothing more comes. Of the messages that
    /// may `pass`, most never come out.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>, pass: bool) -> Poll<Option<Result<Message, Error>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let Self { io, skim, protocol, .. } = self;
        match protocol.read(&mut Now { io, cx, skim, passing: if pass { PASSING.1 } else { 0 } }) {
            Ok(message) => Poll::Ready(Some(Ok(message))),
            Err(error) if would_block(&error) => Poll::Pending,
            Err(error) => {
                self.ended = true;
                Poll::Ready(if matches!(error, Error::AlreadyClosed | Error::ConnectionClosed) { None } else { Some(Err(error)) })
            }
        }
    }

    /// Ready to take a message.
    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.ready { Poll::Ready(Ok(())) } else { self.poll_flush(cx) }
    }

    /// Takes a message to be sent; it is written by [`Plain::poll_flush`], in part perhaps here.
    pub(super) fn start_send(&mut self, cx: &mut Context<'_>, message: Message) -> Result<(), Error> {
        let Self { io, skim, protocol, .. } = self;
        match protocol.write(&mut Now { io, cx, skim, passing: 0 }, message) {
            // It was taken all the same.
            Err(error) if would_block(&error) => self.ready = false,
            other => {
                self.ready = true;
                return other;
            }
        }
        Ok(())
    }

    /// Writes what was taken.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let Self { io, skim, protocol, .. } = self;
        match protocol.flush(&mut Now { io, cx, skim, passing: 0 }) {
            Err(error) if would_block(&error) => return Poll::Pending,
            // The close has just been answered: flushed.
            Ok(()) | Err(Error::ConnectionClosed) => {}
            Err(error) => {
                self.ready = true;
                return Poll::Ready(Err(error));
            }
        }
        self.ready = true;
        Poll::Ready(Ok(()))
    }
}

fn would_block(error: &Error) -> bool {
    matches!(error, Error::Io(error) if error.kind() == ErrorKind::WouldBlock)
}

/// A stream as one who does not wait sees it; whoever must wait is woken through `cx`.
struct Now<'a, 'b, S> {
    io: &'a mut S,
    cx: &'a mut Context<'b>,
    skim: &'a mut Skim,
    /// So many bytes of messages that nobody looks at may go by.
    passing: usize,
}

fn now<T>(poll: Poll<io::Result<T>>) -> io::Result<T> {
    match poll {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => Err(ErrorKind::WouldBlock.into()),
    }
}

impl<S: AsyncBufRead + Unpin> Read for Now<'_, '_, S> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let may_pass = self.passing > 0;
        loop {
            let mut io = Pin::new(&mut *self.io);
            let bytes = now(io.as_mut().poll_fill_buf(self.cx))?;
            let skipped = if may_pass { self.skim.skip(bytes) } else { 0 };
            let rest = &bytes[skipped..];
            let rest = &rest[..rest.len().min(room.len())];
            let mut length = self.skim.follow(rest);
            // Behind this frame there may be more that can go by.
            while !may_pass && length < rest.len() {
                length += self.skim.follow(&rest[length..]);
            }
            room[..length].copy_from_slice(&rest[..length]);
            io.consume(skipped + length);
            // Nothing at all is the stream's end.
            if length > 0 || skipped == 0 {
                return Ok(length);
            }
            self.passing = self.passing.saturating_sub(skipped);
            if self.passing == 0 {
                self.cx.waker().wake_by_ref();
                return Err(ErrorKind::WouldBlock.into());
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> Write for Now<'_, '_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        now(Pin::new(&mut *self.io).poll_write(self.cx, bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        now(Pin::new(&mut *self.io).poll_flush(self.cx))
    }
}
