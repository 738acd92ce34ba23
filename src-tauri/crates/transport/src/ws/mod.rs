//! WebSocket over tokio-tungstenite on a tapped stream.
//!
//! The handshake is Weir's own, in RFC 6455's terms (section 4.1), because a refusal is to be shown whole and a request's fields
//! are to be sent as they were written; frames are tungstenite's.

mod failure;
mod handshake;

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Frames;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};

pub use handshake::Accepted;

use crate::http::{conclude, conclude_failed};
use crate::progress::total;
use crate::redact::Patterns;
use crate::tap::{Count, Tap};
use crate::{Blame, Control, Error, Header, Journal, Limits, Target, Value, dial, request};

/// A message that is longer than this ends the connection.
const MAX_MESSAGE: usize = 1 << 30;

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
    socket: Mutex<Option<WebSocketStream<Tap<Io>>>>,
    /// How it ended.
    end: Mutex<Option<Result<(), Error>>>,
    over: Notify,
    /// A close frame was sent or has come.
    closing: Notify,
    /// One sender at a time.
    turn: tokio::sync::Mutex<()>,
    /// A close frame was sent: the peer may leave without a word.
    left: AtomicBool,
    reader: AtomicWaker,
    writer: AtomicWaker,
    /// For the last marks; it goes with them, so that the journal can end while a [`Sender`] is still around.
    journal: Mutex<Option<Journal>>,
    conn: u32,
    control: Control,
    count: Arc<Count>,
    patterns: Option<Arc<Patterns>>,
}

/// Dials `target` (`ws` or `wss`) as connection `conn` and upgrades. `headers` are sent as given, after what the handshake itself
/// needs; `subprotocols` are offered in this order. No extension is offered.
///
/// Time limits and `control` go on after this returns, until the socket is closed; they need the runtime this is called on.
///
/// # Errors
/// Those of [`dial::dial`], and by code: `bad-header`, `no-key`; `ws-refused` (an answer other than 101: status line, fields and
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
    let patterns = dial::patterns(target, request::basic(headers)).map(Arc::new);
    let (count, progress) = (Arc::<Count>::default(), control.progress());
    progress.set_live(true);
    let outcome = tokio::select! {
        biased;
        () = control.finishing() => Err(Error::cancelled()),
        error = total(target.limits.total) => Err(error),
        outcome = async {
            let opening = dial::open(target, &journal, conn)?;
            let handshake = handshake::compose(target, &opening.endpoint, headers, subprotocols)?;
            let established = dial::establish(opening, target, &journal, conn, true, &count).await?;
            let tap = established.tap(&journal, conn, patterns.as_ref(), true, Arc::clone(progress));
            upgrade(tap.map(|stream| Box::new(stream) as Io), handshake, &target.limits, control).await
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
    limits: &Limits,
    control: &Control,
) -> Result<(WebSocketStream<Tap<Io>>, Accepted), Error> {
    let (accepted, rest) = tokio::select! {
        biased;
        error = control.progress().overdue(limits) => return Err(error),
        outcome = handshake.run(&mut tap, control.progress()) => outcome?,
    };
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE))
        .read_buffer_size(128 << 10)
        .write_buffer_size(0);
    Ok((WebSocketStream::from_partially_read(tap, rest, Role::Client, Some(config)).await, accepted))
}

impl Shared {
    fn new(
        socket: WebSocketStream<Tap<Io>>,
        journal: Journal,
        conn: u32,
        control: Control,
        count: Arc<Count>,
        patterns: Option<Arc<Patterns>>,
    ) -> Self {
        Self {
            socket: Mutex::new(Some(socket)),
            end: Mutex::default(),
            over: Notify::new(),
            closing: Notify::new(),
            turn: tokio::sync::Mutex::default(),
            left: AtomicBool::new(false),
            reader: AtomicWaker::new(),
            writer: AtomicWaker::new(),
            journal: Mutex::new(Some(journal)),
            conn,
            control,
            count,
            patterns,
        }
    }

    fn socket(&self) -> MutexGuard<'_, Option<WebSocketStream<Tap<Io>>>> {
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
            if let Some(journal) = self.journal.lock().unwrap_or_else(PoisonError::into_inner).take() {
                *end = Some(conclude(outcome, &journal, self.conn, &self.count, self.control.progress(), self.patterns.as_deref()));
            }
        }
        self.over.notify_waiters();
        self.over.notify_one();
        self.reader.wake();
        self.writer.wake();
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

    fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, Error>>> {
        self.reader.register(cx.waker());
        loop {
            let mut socket = self.socket();
            let Some(open) = &mut *socket else {
                drop(socket);
                return Poll::Ready(self.ended().err().map(Err));
            };
            let outcome = match ready!(open.poll_next_unpin(cx)) {
                Some(Ok(message)) => {
                    let message = match message {
                        Frames::Text(text) => Message::Text(text.into()),
                        Frames::Binary(bytes) => Message::Binary(bytes),
                        Frames::Ping(bytes) => Message::Ping(bytes),
                        Frames::Pong(bytes) => Message::Pong(bytes),
                        Frames::Close(frame) => {
                            self.closing.notify_one();
                            let (code, reason) =
                                frame.map_or((None, String::new()), |frame| (Some(frame.code.into()), frame.reason.to_string()));
                            Message::Close { code, reason }
                        }
                        Frames::Frame(_) => continue,
                    };
                    return Poll::Ready(Some(Ok(message)));
                }
                Some(Err(error)) => {
                    if let Some(code) = failure::close_code(&error) {
                        // RFC 6455, section 7.1.7: say why, if that can be said at once.
                        let frame = CloseFrame { code: code.into(), reason: "".into() };
                        let _ = open.start_send_unpin(Frames::Close(Some(frame)));
                        let _ = open.poll_flush_unpin(&mut Context::from_waker(Waker::noop()));
                    }
                    failure::classify(&error, self.left.load(Relaxed))
                }
                None => Ok(()),
            };
            drop(socket);
            self.conclude(outcome);
        }
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
        let next = poll_fn(|cx| self.sender.0.poll_next(cx)).await;
        self.told = !matches!(next, Some(Ok(_)));
        next
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
            shared.writer.register(cx.waker());
            let mut socket = shared.socket();
            let Some(open) = &mut *socket else {
                drop(socket);
                return Poll::Ready(Err(shared.ended().err().unwrap_or_else(failure::closed)));
            };
            let mut step = || {
                if message.is_some() {
                    ready!(open.poll_ready_unpin(cx))?;
                    if let Some(message) = message.take() {
                        open.start_send_unpin(message)?;
                    }
                }
                open.poll_flush_unpin(cx)
            };
            step().map_err(|error| failure::classify(&error, false).err().unwrap_or_else(failure::closed).scrub(shared.patterns.as_deref()))
        })
        .await
    }
}

#[cfg(test)]
mod tests;
