//! WebSocket over tungstenite on a tapped stream.
//!
//! The handshake is Weir's own, in RFC 6455's terms (section 4.1), because a refusal is to be shown whole and a request's fields
//! are to be sent as they were written; frames are tungstenite's, or Weir's own where permessage-deflate was agreed ([`deflating`]).

mod deflating;
mod failure;
mod handshake;
mod plain;
mod skim;
mod wire;

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message as Frames;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use weir_frames::ws::deflate::Offer;
use weir_secrets::Secret;

pub use handshake::Accepted;
use wire::{End, Wire};

use crate::http::{conclude, conclude_failed};
use crate::progress::total;
use crate::redact::Patterns;
use crate::tap::{Count, Tap};
use crate::{Blame, Control, Error, Header, Journal, Limits, Target, Value, dial, request};

/// Messages, and bytes of them, that go by under one hold of the socket: who wants to send waits for no more than these. Each end of a
/// hold makes the runtime wake a thread that has nothing to do, so it should not come after every few.
const PASSING: (usize, usize) = (4096, 1 << 20);

/// How long a close may take, from the first close frame to the end of the connection.
const CLOSING: Duration = Duration::from_secs(1);

/// Something that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A text message: valid UTF-8.
    Text(Bytes),
    /// A binary message.
    Binary(Bytes),
    /// A ping; its pong is sent by itself.
    Ping(Bytes),
    /// A pong.
    Pong(Bytes),
    /// The peer closes.
    Close {
        /// Its code, if it gave one.
        code: Option<u16>,
        /// Its reason, often empty.
        reason: String,
    },
}

impl Message {
    /// Bytes of its payload.
    fn len(&self) -> usize {
        match self {
            Self::Text(bytes) | Self::Binary(bytes) | Self::Ping(bytes) | Self::Pong(bytes) => bytes.len(),
            Self::Close { reason, .. } => 2 + reason.len(),
        }
    }
}

/// An open WebSocket. Dropping it closes the socket at once.
pub struct WebSocket {
    sender: Sender,
    accepted: Accepted,
    /// [`WebSocket::next`] has told how it ended.
    told: bool,
}

/// Sends on a [`WebSocket`]; clones send on the same one.
#[derive(Clone)]
pub struct Sender(Arc<Shared>);

type Io = Box<dyn Duplex>;

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

struct Shared {
    /// `None` once it is over: the socket is closed then.
    socket: Mutex<Option<Wire>>,
    /// The peer broke a rule: it was told so, and how it ended once it has hung up.
    failing: Mutex<Option<Error>>,
    /// How it ended.
    end: Mutex<Option<Result<(), Error>>>,
    over: Notify,
    /// A close frame was sent or has come.
    closing: Notify,
    /// One sender at a time.
    turn: tokio::sync::Mutex<()>,
    /// A close frame was sent: the peer may leave without a word.
    left: AtomicBool,
    wakers: Arc<Wakers>,
    waker: Waker,
    /// For the last marks; it goes with them, so that the journal can end while a [`Sender`] is still around.
    journal: Mutex<Option<Journal>>,
    conn: u32,
    control: Control,
    count: Arc<Count>,
    patterns: Option<Arc<Patterns>>,
}

/// Whoever waits to read and whoever waits to write: progress of either may be what the other waits for.
#[derive(Default)]
struct Wakers {
    reader: AtomicWaker,
    writer: AtomicWaker,
}

impl Wake for Wakers {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.reader.wake();
        self.writer.wake();
    }
}

/// Dials `target` (`ws` or `wss`) as connection `conn` and upgrades. `headers` are sent as given, after what the handshake itself
/// needs; `subprotocols` are offered in this order. No extension is offered.
///
/// Time limits and `control` go on after this returns, until the socket is closed; they need the runtime this is called on.
///
/// # Errors
/// Those of [`dial::dial`], and by code: `bad-header`, `bad-subprotocol`, `no-key`; `ws-refused` (an answer other than 101: status line, fields and
/// the beginning of the body as evidence), `ws-protocol` (a 101 that breaks RFC 6455), `empty-reply`, `cut`, `reset`;
/// `timeout-first-byte`, `timeout-idle`, `timeout-total`; `cancelled`.
pub async fn open(
    target: &Target,
    headers: &[Header],
    subprotocols: &[Value],
    journal: Journal,
    conn: u32,
    control: &Control,
) -> Result<WebSocket, Error> {
    open_offering(target, headers, subprotocols, None, journal, conn, control).await
}

/// As [`open`], with permessage-deflate on offer if `deflate` is some. [`Accepted::deflate`] tells whether the server took it; if so,
/// messages that hold the target's key are sent uncompressed all the same, because the log could not be kept clean of them otherwise,
/// and a message that inflates to more than 128 MiB ends the connection.
///
/// # Errors
/// As [`open`]; `ws-protocol` also where the server's answer does not fit the offer.
pub async fn open_offering(
    target: &Target,
    headers: &[Header],
    subprotocols: &[Value],
    deflate: Option<&Offer>,
    journal: Journal,
    conn: u32,
    control: &Control,
) -> Result<WebSocket, Error> {
    let patterns = dial::patterns(target, request::basic(headers)).map(Arc::new);
    let (count, progress) = (Arc::<Count>::default(), control.progress());
    progress.set_live(true);
    let outcome = tokio::select! {
        biased;
        () = control.finishing() => Err(Error::cancelled()),
        error = total(target.limits.total) => Err(error),
        outcome = async {
            let opening = dial::open(target, &journal, conn)?;
            let handshake = handshake::compose(target, &opening.endpoint, headers, subprotocols, deflate)?;
            let established = dial::establish(opening, target, &journal, conn, true, &count).await?;
            let tap = established.tap(&journal, conn, patterns.as_ref(), true, Arc::clone(progress));
            upgrade(tap.map(|stream| Box::new(stream) as Io), handshake, patterns.as_ref(), &target.limits, control).await
        } => outcome,
    };
    match outcome {
        Ok((socket, accepted)) => {
            let shared = Shared::new(socket, journal, conn, control.clone(), count, patterns);
            Ok(WebSocket::start(shared, accepted, target.limits))
        }
        Err(error) => Err(conclude_failed(error, &journal, conn, &count, progress, patterns.as_deref())),
    }
}

async fn upgrade(
    mut tap: Tap<Io>,
    handshake: handshake::Handshake,
    patterns: Option<&Arc<Patterns>>,
    limits: &Limits,
    control: &Control,
) -> Result<(Wire, Accepted), Error> {
    let (accepted, rest) = tokio::select! {
        biased;
        error = control.progress().overdue(limits) => return Err(error),
        outcome = handshake.run(&mut tap, control.progress()) => outcome?,
    };
    if let Some(agreed) = accepted.deflate {
        let extensions = accepted.extensions();
        let wire = deflating::Deflating::new(tap, rest, agreed, &extensions, patterns.cloned());
        return Ok((Wire::Deflating(Box::new(wire)), accepted));
    }
    Ok((Wire::Plain(Box::new(plain::Plain::new(tap, rest))), accepted))
}

impl Shared {
    fn new(socket: Wire, journal: Journal, conn: u32, control: Control, count: Arc<Count>, patterns: Option<Arc<Patterns>>) -> Self {
        let wakers = Arc::<Wakers>::default();
        Self {
            socket: Mutex::new(Some(socket)),
            failing: Mutex::default(),
            end: Mutex::default(),
            over: Notify::new(),
            closing: Notify::new(),
            turn: tokio::sync::Mutex::default(),
            left: AtomicBool::new(false),
            waker: Waker::from(Arc::clone(&wakers)),
            wakers,
            journal: Mutex::new(Some(journal)),
            conn,
            control,
            count,
            patterns,
        }
    }

    fn socket(&self) -> MutexGuard<'_, Option<Wire>> {
        self.socket.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How it ended; while it has not, that it is closed for sending.
    fn ended(&self) -> Result<(), Error> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or(Ok(()))
    }

    /// Ends it, unless it has ended: closes the socket, writes the last marks, wakes who waits.
    fn conclude(&self, outcome: Result<(), Error>) {
        {
            let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
            if end.is_some() {
                return;
            }
            drop(self.socket().take());
            let outcome = self.failing.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(outcome, Err);
            if let Some(journal) = self.journal.lock().unwrap_or_else(PoisonError::into_inner).take() {
                *end = Some(conclude(outcome, &journal, self.conn, &self.count, self.control.progress(), self.patterns.as_deref()));
            }
        }
        self.over.notify_waiters();
        self.over.notify_one();
        self.wakers.wake_by_ref();
    }

    /// Watches over an open socket: the user's wishes, the limits, and the time a close may take.
    async fn watch(self: Arc<Self>, limits: Limits) {
        let outcome = tokio::select! {
            biased;
            () = self.over.notified() => return,
            () = self.control.cancelled() => Err(Error::cancelled()),
            () = async { self.closing.notified().await; sleep(CLOSING).await } => Ok(()),
            () = self.finish() => Ok(()),
            error = total(limits.total) => Err(error),
            error = self.control.progress().overdue(&limits) => Err(error),
        };
        self.conclude(outcome);
    }

    /// Closes when the user has seen enough.
    async fn finish(self: &Arc<Self>) {
        self.control.finishing().await;
        let close = async {
            let _ = Sender(Arc::clone(self)).close(1000, "").await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = close => {}
            () = sleep(CLOSING) => {}
        }
    }

    /// The next message; where they may `pass`, only a close is one. Other tasks get at the socket after [`PASSING`].
    fn poll_next(&self, cx: &mut Context<'_>, pass: bool) -> Poll<Option<Result<Message, Error>>> {
        self.wakers.reader.register(cx.waker());
        let cx = &mut Context::from_waker(&self.waker);
        let mut passed = (0, 0);
        let mut socket = self.socket();
        let Some(open) = &mut *socket else {
            drop(socket);
            return Poll::Ready(self.ended().err().map(Err));
        };
        let end = if self.is_failing() {
            End::of(Ok(()))
        } else {
            let left = self.left.load(Relaxed);
            loop {
                match ready!(open.poll_next(cx, left, pass)) {
                    Ok(message) if pass && !matches!(message, Message::Close { .. }) => {
                        passed = (passed.0 + 1, passed.1 + message.len());
                        if passed.0 >= PASSING.0 || passed.1 >= PASSING.1 {
                            self.waker.wake_by_ref();
                            return Poll::Pending;
                        }
                    }
                    Ok(message) => {
                        if matches!(message, Message::Close { .. }) {
                            self.closing.notify_one();
                        }
                        return Poll::Ready(Some(Ok(message)));
                    }
                    Err(end) => break end,
                }
            }
        };
        if let (Err(error), Some(code)) = (&end.outcome, end.close_code) {
            // RFC 6455, section 7.1.7: say why. A socket that is closed while bytes of the peer wait in it is reset, and what was said
            // may be lost with it: so it is closed once the peer has hung up, or had the time to.
            *self.failing.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
            self.closing.notify_one();
            let frame = CloseFrame { code: code.into(), reason: "".into() };
            let _ = open.start_send(cx, Frames::Close(Some(frame)));
        }
        if self.is_failing() {
            ready!(open.poll_linger(cx));
        }
        drop(socket);
        self.conclude(end.outcome);
        Poll::Ready(self.ended().err().map(Err))
    }

    fn is_failing(&self) -> bool {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

impl WebSocket {
    fn start(shared: Shared, accepted: Accepted, limits: Limits) -> Self {
        let shared = Arc::new(shared);
        tokio::spawn(Arc::clone(&shared).watch(limits));
        Self { sender: Sender(shared), accepted, told: false }
    }

    /// What the server agreed to.
    pub fn accepted(&self) -> &Accepted {
        &self.accepted
    }

    /// A handle that sends while somebody waits in [`WebSocket::next`].
    pub fn sender(&self) -> Sender {
        self.sender.clone()
    }

    /// The next message; `None` when the connection has ended as it should, after a close. It must be called until then: it also
    /// answers pings and closes.
    ///
    /// # Errors
    /// By code, once, as the last item: `ws-protocol` (the peer breaks RFC 6455), `too-big`, `cut` (it ended without a close
    /// frame), `reset`, a time limit's, `cancelled`.
    pub async fn next(&mut self) -> Option<Result<Message, Error>> {
        if self.told {
            return None;
        }
        let next = poll_fn(|cx| self.sender.0.poll_next(cx, false)).await;
        self.told = !matches!(next, Some(Ok(_)));
        next
    }

    /// Reads to the end, as calling [`WebSocket::next`] until `None` would. For who has the bytes from the journal: in a flood, messages
    /// that nobody looks at are not handed out one by one.
    ///
    /// # Errors
    /// As [`WebSocket::next`].
    pub async fn run(&mut self) -> Result<(), Error> {
        while !self.told {
            let next = poll_fn(|cx| self.sender.0.poll_next(cx, true)).await;
            self.told = !matches!(next, Some(Ok(_)));
            if let Some(Err(error)) = next {
                return Err(error);
            }
        }
        Ok(())
    }

    /// See [`Sender::send_text`].
    ///
    /// # Errors
    /// As there.
    pub async fn send_text(&self, text: impl Into<String>) -> Result<(), Error> {
        self.sender.send_text(text).await
    }

    /// See [`Sender::send_binary`].
    ///
    /// # Errors
    /// As there.
    pub async fn send_binary(&self, bytes: impl Into<Bytes>) -> Result<(), Error> {
        self.sender.send_binary(bytes).await
    }

    /// See [`Sender::ping`].
    ///
    /// # Errors
    /// As there.
    pub async fn ping(&self, payload: impl Into<Bytes>) -> Result<(), Error> {
        self.sender.ping(payload).await
    }

    /// See [`Sender::close`].
    ///
    /// # Errors
    /// As there.
    pub async fn close(&self, code: u16, reason: &str) -> Result<(), Error> {
        self.sender.close(code, reason).await
    }
}

impl Drop for WebSocket {
    fn drop(&mut self) {
        self.sender.0.conclude(Ok(()));
    }
}

impl Sender {
    /// Sends a text message.
    ///
    /// # Errors
    /// How the connection ended, or `closed` when it has ended well.
    pub async fn send_text(&self, text: impl Into<String>) -> Result<(), Error> {
        self.send(Frames::Text(text.into().into())).await
    }

    /// Redacts `secret` from everything that is logged from here on, of either direction, on a socket whose [`Target`] has a key or says
    /// [`Target::hides_later`]. Call it before the message is sent that holds it.
    pub fn hide(&self, secret: &Secret) {
        if let Some(patterns) = &self.0.patterns {
            patterns.add(secret.expose());
        }
    }

    /// Sends a binary message.
    ///
    /// # Errors
    /// As [`Sender::send_text`].
    pub async fn send_binary(&self, bytes: impl Into<Bytes>) -> Result<(), Error> {
        self.send(Frames::Binary(bytes.into())).await
    }

    /// Sends a ping of at most 125 bytes.
    ///
    /// # Errors
    /// As [`Sender::send_text`]; `bad-ping` when it is longer.
    pub async fn ping(&self, payload: impl Into<Bytes>) -> Result<(), Error> {
        let payload = payload.into();
        if payload.len() > 125 {
            return Err(Error::new(Blame::User, "bad-ping", "A ping carries at most 125 bytes.")
                .evidence(format!("{} bytes", payload.len()))
                .next("Send less."));
        }
        self.send(Frames::Ping(payload)).await
    }

    /// Begins the closing handshake; [`WebSocket::next`] gives what still comes. The connection ends a second later at the latest.
    ///
    /// # Errors
    /// As [`Sender::send_text`]; `bad-close` for a code that may not be sent (RFC 6455, section 7.4) or a reason beyond 123 bytes.
    pub async fn close(&self, code: u16, reason: &str) -> Result<(), Error> {
        if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) || reason.len() > 123 {
            return Err(Error::new(Blame::User, "bad-close", "A connection cannot be closed with this.")
                .evidence(format!("code {code}, a reason of {} bytes", reason.len()))
                .next("Use 1000, or a code from 3000 to 4999, and a reason of at most 123 bytes."));
        }
        self.0.left.store(true, Relaxed);
        self.send(Frames::Close(Some(CloseFrame { code: code.into(), reason: reason.into() }))).await?;
        self.0.closing.notify_one();
        Ok(())
    }

    async fn send(&self, message: Frames) -> Result<(), Error> {
        let shared = &self.0;
        let _turn = shared.turn.lock().await;
        let mut message = Some(message);
        poll_fn(|cx| {
            shared.wakers.writer.register(cx.waker());
            let cx = &mut Context::from_waker(&shared.waker);
            let mut socket = shared.socket();
            let Some(open) = socket.as_mut().filter(|_| !shared.is_failing()) else {
                drop(socket);
                return Poll::Ready(Err(shared.ended().err().unwrap_or_else(failure::closed)));
            };
            let mut step = || {
                if message.is_some() {
                    ready!(open.poll_ready(cx))?;
                    if let Some(message) = message.take() {
                        open.start_send(cx, message)?;
                    }
                }
                open.poll_flush(cx)
            };
            step().map_err(|error| error.scrub(shared.patterns.as_deref()))
        })
        .await
    }
}

#[cfg(test)]
mod tests;
