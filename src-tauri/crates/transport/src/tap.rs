//! The stream under the protocol library, which writes every byte that passes into the journal.

use std::collections::VecDeque;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::{AsyncBufRead, AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use crate::progress::Progress;
use crate::redact::{Patterns, Protocol, Redactor};
use crate::{Dir, Journal, Mark};

/// A read takes at most this much, unless it is one of a flood: larger ones make what they hold wait longer.
const READ: usize = 32 << 10;
/// In a flood, where reads are filled to the brim, they double up to this: each is handed to another thread, and the fewer the cheaper.
const FLOOD: usize = 96 << 10;
/// A read buffer with less room than this share of what is wanted is replaced.
const ROOM: usize = 4;

/// An [`AsyncRead`] and [`AsyncWrite`] whose traffic is in the journal before anybody else sees it: each read with the time right
/// after it returned, each write with what the stream below accepted. It reads into a large buffer of its own, of which journal
/// and reader share the bytes; the one copy is into the reader's buffer.
///
/// It does not read while the journal is full. It marks [`Mark::Sent`] and [`Mark::Eof`].
pub struct Tap<S> {
    inner: S,
    log: Log,
    progress: Arc<Progress>,
    room: BytesMut,
    /// How much the next read may take.
    wanted: usize,
    /// Read and logged, not yet handed on.
    ready: Bytes,
    ended: bool,
    /// A read begins the response (not so under HTTP/2, where settings come first).
    reads_begin: bool,
    end: End,
    /// How the end of a second request on the connection is known.
    again: Option<Again>,
}

/// Where a tap's bytes go.
struct Log {
    journal: Journal,
    conn: u32,
    received: Option<Redactor>,
    sent: Option<Redactor>,
}

/// How the end of a second request is known, once the first one's has been seen.
pub(crate) enum Again {
    /// As [`End::FlushAfter`].
    FlushAfter(Arc<AtomicBool>),
    /// The next HTTP/2 frame with END_STREAM.
    Stream,
}

/// How the end of the request is known.
pub(crate) enum End {
    /// It has been seen, or nobody asks.
    Seen,
    /// The first flush after the flag was set: the last piece of the body was handed over.
    FlushAfter(Arc<AtomicBool>),
    /// The HTTP/2 frame with END_STREAM.
    Stream(Frames),
    /// This many more bytes.
    After(usize),
}

impl<S> Tap<S> {
    /// Taps `inner` as connection `conn`. Occurrences of what `patterns` holds are replaced in the journal.
    pub fn new(inner: S, journal: Journal, conn: u32, patterns: Option<&Arc<Patterns>>, protocol: Protocol) -> Self {
        Self::with_progress(inner, journal, conn, patterns, protocol, Arc::default())
    }

    pub(crate) fn with_progress(
        inner: S,
        journal: Journal,
        conn: u32,
        patterns: Option<&Arc<Patterns>>,
        protocol: Protocol,
        progress: Arc<Progress>,
    ) -> Self {
        let redactor = |dir| patterns.map(|patterns| Redactor::new(Arc::clone(patterns), protocol, dir));
        Self {
            inner,
            log: Log { journal, conn, received: redactor(Dir::In), sent: redactor(Dir::Out) },
            progress,
            room: BytesMut::new(),
            wanted: READ,
            ready: Bytes::new(),
            ended: false,
            reads_begin: protocol != Protocol::Http2,
            end: End::Seen,
            again: None,
        }
    }

    /// How to know that a second request is complete.
    pub(crate) fn watch_again(&mut self, again: Again) {
        self.again = Some(again);
    }

    /// How to know that the request is complete.
    pub(crate) fn watch(&mut self, end: End) {
        self.end = end;
    }

    /// The same tap on another type of stream.
    pub(crate) fn map<T>(self, change: impl FnOnce(S) -> T) -> Tap<T> {
        Tap {
            inner: change(self.inner),
            log: self.log,
            progress: self.progress,
            room: self.room,
            wanted: self.wanted,
            ready: self.ready,
            ended: self.ended,
            reads_begin: self.reads_begin,
            end: self.end,
            again: self.again,
        }
    }

    fn request_ended(&mut self) {
        let seen = std::mem::replace(&mut self.end, End::Seen);
        match (self.again.take(), seen) {
            (Some(Again::FlushAfter(handed_over)), _) => self.end = End::FlushAfter(handed_over),
            (Some(Again::Stream), frames @ End::Stream(_)) => self.end = frames,
            _ => {}
        }
        self.log.flush(Dir::Out);
        self.progress.sent();
        self.log.journal.mark(self.log.conn, Mark::Sent);
    }

    fn wrote(&mut self, bytes: Bytes) {
        let t = self.log.journal.now();
        self.progress.written.fetch_add(bytes.len() as u64, Relaxed);
        self.progress.touch();
        let ends = match &mut self.end {
            End::Stream(frames) => frames.end_stream(&bytes),
            End::After(left) => {
                *left = left.saturating_sub(bytes.len());
                *left == 0
            }
            End::Seen | End::FlushAfter(_) => false,
        };
        self.log.segment(Dir::Out, t, bytes);
        if ends {
            self.request_ended();
        }
    }

    fn read_ended(&mut self) {
        if !self.ended {
            self.ended = true;
            self.log.flush(Dir::In);
            self.log.journal.mark(self.log.conn, Mark::Eof);
        }
    }
}

impl Log {
    fn segment(&mut self, dir: Dir, t: u64, bytes: Bytes) {
        let Self { journal, conn, received, sent } = self;
        let mut log = |t, bytes| journal.segment(*conn, dir, t, bytes);
        match if dir == Dir::In { received } else { sent } {
            Some(redactor) => redactor.push(t, bytes, &mut log),
            None => log(t, bytes),
        }
    }

    fn flush(&mut self, dir: Dir) {
        let Self { journal, conn, received, sent } = self;
        if let Some(redactor) = if dir == Dir::In { received } else { sent } {
            redactor.flush(&mut |t, bytes| journal.segment(*conn, dir, t, bytes));
        }
    }
}

impl Drop for Log {
    /// What was held back as a possible secret turned out to be none.
    fn drop(&mut self) {
        self.flush(Dir::In);
        self.flush(Dir::Out);
    }
}

impl<S: AsyncRead + Unpin> AsyncBufRead for Tap<S> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.ready.is_empty() && !this.ended {
            if this.log.journal.poll_ready(cx).is_pending() {
                this.progress.stalled.store(true, Relaxed);
                return Poll::Pending;
            }
            this.progress.stalled.store(false, Relaxed);
            if this.room.capacity() < this.wanted / ROOM {
                this.room.reserve(this.wanted);
            }
            let offered = this.room.capacity().min(this.wanted);
            let mut room = (&mut this.room).limit(offered);
            match ready!(pin!(this.inner.read_buf(&mut room)).poll(cx)) {
                Err(error) => {
                    if error.kind() == io::ErrorKind::UnexpectedEof {
                        this.read_ended();
                    }
                    return Poll::Ready(Err(error));
                }
                Ok(0) => this.read_ended(),
                Ok(length) => {
                    let t = this.log.journal.now();
                    this.wanted = if length == offered { FLOOD.min(this.wanted * 2) } else { READ };
                    this.ready = this.room.split().freeze();
                    this.progress.received(&this.ready);
                    this.progress.touch();
                    if this.reads_begin {
                        this.progress.begin();
                    }
                    this.log.segment(Dir::In, t, this.ready.clone());
                }
            }
        }
        Poll::Ready(Ok(&this.ready))
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        self.ready.advance(amount);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let bytes = ready!(self.as_mut().poll_fill_buf(cx))?;
        let length = bytes.len().min(buf.remaining());
        buf.put_slice(&bytes[..length]);
        self.consume(length);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let length = ready!(Pin::new(&mut self.inner).poll_write(cx, buf))?;
        self.wrote(Bytes::copy_from_slice(&buf[..length]));
        Poll::Ready(Ok(length))
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bufs: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let length = ready!(Pin::new(&mut self.inner).poll_write_vectored(cx, bufs))?;
        let mut bytes = BytesMut::with_capacity(length);
        for buf in bufs {
            bytes.extend_from_slice(&buf[..buf.len().min(length - bytes.len())]);
        }
        self.wrote(bytes.freeze());
        Poll::Ready(Ok(length))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
        if let End::FlushAfter(handed_over) = &self.end
            && handed_over.load(Relaxed)
            && self.progress.written.load(Relaxed) > 0
        {
            self.request_ended();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// Finds the ends of streams, one at a time, in what an HTTP/2 client writes (RFC 9113, section 4.1).
#[derive(Default)]
pub(crate) struct Frames {
    header: VecDeque<u8>,
    skip: usize,
    ends: bool,
}

impl Frames {
    /// Length of the connection preface.
    const PREFACE: usize = 24;

    pub(crate) fn new() -> Self {
        Self { skip: Self::PREFACE, ..Self::default() }
    }

    /// Whether the frame with END_STREAM has been written to its last byte.
    fn end_stream(&mut self, mut bytes: &[u8]) -> bool {
        const DATA: u8 = 0;
        const HEADERS: u8 = 1;
        // What stands behind the frame is read too: another request may follow.
        let mut ended = false;
        loop {
            let skipped = self.skip.min(bytes.len());
            bytes.advance(skipped);
            self.skip -= skipped;
            if self.skip > 0 {
                return ended;
            }
            ended |= std::mem::take(&mut self.ends);
            if bytes.is_empty() {
                return ended;
            }
            self.header.push_back(bytes.get_u8());
            if self.header.len() == 9 {
                self.skip = self.header.iter().take(3).fold(0, |length, &byte| length << 8 | usize::from(byte));
                // A block that goes on in CONTINUATION frames (headers beyond 16 KiB) ends a little later than told here.
                self.ends = matches!(self.header[3], DATA | HEADERS) && self.header[4] & 1 != 0;
                self.header.clear();
            }
        }
    }
}

/// Counts what passes below TLS.
pub(crate) struct Counted<S> {
    pub(crate) inner: S,
    pub(crate) count: Arc<Count>,
}

/// Bytes below TLS, and what the handshake alone took.
#[derive(Default)]
pub(crate) struct Count {
    pub(crate) down: AtomicU64,
    pub(crate) up: AtomicU64,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        self.count.down.fetch_add((buf.filled().len() - before) as u64, Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let length = ready!(Pin::new(&mut self.inner).poll_write(cx, buf))?;
        self.count.up.fetch_add(length as u64, Relaxed);
        Poll::Ready(Ok(length))
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bufs: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let length = ready!(Pin::new(&mut self.inner).poll_write_vectored(cx, bufs))?;
        self.count.up.fetch_add(length as u64, Relaxed);
        Poll::Ready(Ok(length))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
