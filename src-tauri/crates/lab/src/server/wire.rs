//! The socket under hyper. hyper owns the connection, but a fault needs to end it from outside and with a reset: the wire
//! carries a shared control that says how.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

use super::stamps::Stamp;

/// Ends one connection from wherever a fault is played.
#[derive(Debug)]
pub(crate) struct Control {
    killed: watch::Sender<bool>,
    leaving: watch::Sender<bool>,
    reset: AtomicBool,
    /// Dropped with the connection: the Lab waits for all of them when it stops.
    _alive: mpsc::Sender<()>,
}

impl Control {
    pub(crate) fn new(alive: mpsc::Sender<()>) -> Arc<Control> {
        Arc::new(Control {
            killed: watch::Sender::new(false),
            leaving: watch::Sender::new(false),
            reset: AtomicBool::new(false),
            _alive: alive,
        })
    }

    /// Ends the connection now: with `reset` by RST, otherwise by FIN.
    pub(crate) fn kill(&self, reset: bool) {
        if reset {
            self.reset.store(true, Relaxed);
        }
        self.killed.send_replace(true);
    }

    /// Takes no further requests on the connection and lets those under way end: GOAWAY on HTTP/2 (RFC 9113 §6.8), a close after the
    /// response on HTTP/1.1.
    pub(crate) fn leave(&self) {
        self.leaving.send_replace(true);
    }

    /// Ready once no further requests are to be taken.
    pub(crate) async fn left(&self) {
        // The sender lives in `self`, so this cannot fail.
        let _ = self.leaving.subscribe().wait_for(|leaving| *leaving).await;
    }

    /// Ready once the connection is to end.
    pub(crate) async fn killed(&self) {
        // The sender lives in `self`, so this cannot fail.
        let _ = self.killed.subscribe().wait_for(|killed| *killed).await;
    }
}

/// A TCP stream that closes the way its control says.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    control: Arc<Control>,
    /// Stamps what is written, where somebody asked for that.
    stamp: Option<Stamp>,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, control: Arc<Control>, stamp: Option<Stamp>) -> Wire {
        Wire { stream, control, stamp }
    }

    /// Asks the system to take bytes, and keeps the moment where it takes some.
    fn write(&mut self, ask: impl FnOnce(Pin<&mut TcpStream>) -> Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        let before = self.stamp.is_some().then(Instant::now);
        let taken = ask(Pin::new(&mut self.stream));
        if let (Poll::Ready(Ok(bytes)), Some(at), Some(stamp)) = (&taken, before, &self.stamp) {
            stamp.wrote(at, *bytes);
        }
        taken
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.control.reset.load(Relaxed) {
            // A linger time of zero makes close(2) send RST and throw away what is unsent. Should it fail, the peer sees FIN.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.write(|stream| stream.poll_write(cx, buf))
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bufs: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.write(|stream| stream.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
