//! WebSockets: the handshake, one loop that owns the socket, and the outlet replies write through. Control frames and reading are
//! tungstenite's; data frames are written by the Lab itself, so that faults can shape each one.

mod deflate;
mod frame;
mod inflating;
mod lanes;
mod talk;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use ::http::header::{
    CONNECTION, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use ::http::{Request, Response, StatusCode, Version, request};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};

use super::body::{BLOCK, Reply};
use super::gateway::at;
use super::http::{Asked, BROKEN_BY_LAB, set};
use super::plain::Flood;
use super::replies::SETTLE;
use crate::connections::{Exchange, State, Transport};
use crate::dialects::{Event, Talk};
use crate::fault::Faults;
use crate::keys;
use crate::play::{Ending, Gone, Manner, Outlet};
use crate::rejection::Rejection;
use deflate::{Agreement, Deflater};
use inflating::Inflating;
use lanes::Lanes;
use talk::{Conversation, Turn};

/// The largest message a client may send.
const MESSAGE: usize = 64 << 20;
/// How long a close handshake may take.
const CLOSING: Duration = Duration::from_secs(1);

/// What speaks on a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Every message comes back.
    Echo,
    /// Equal messages as fast as the client reads.
    Flood,
    /// The Responses API's WebSocket mode.
    Lanes,
    /// What the path's dialect says.
    Talk,
}

/// The same with what it needs.
enum App {
    Echo,
    Flood,
    Lanes(Lanes),
    Talk(Box<Conversation>),
}

/// Something to be done to the socket.
pub(super) enum Packet {
    /// One message, compressed where that was agreed.
    Message { opcode: u8, payload: Bytes, shape: Shape },
    /// Raw frames in one write.
    Write(Bytes),
    /// One message with padding in it.
    Pad { opcode: u8, before: String, length: u64, after: String },
    /// A close frame, then the end.
    Close(u16, String),
    /// Nothing to send: a conversation's reply is over, and all of it is sent.
    Over(Box<Turn>),
    /// The socket's end with no close frame; by RST if set.
    Kill { reset: bool },
}

impl Packet {
    pub(super) fn text(payload: &[u8]) -> Packet {
        Packet::message(frame::TEXT, payload)
    }

    fn message(opcode: u8, payload: &[u8]) -> Packet {
        Packet::Message { opcode, payload: Bytes::copy_from_slice(payload), shape: Shape::default() }
    }

    /// A close frame with the reason the Lab has for this code.
    pub(super) fn close(code: u16) -> Packet {
        let reason = match code {
            1001 => "the Lab closes",
            1011 => "the Lab was asked to fail",
            1012 => "the Lab restarts",
            1013 => "the Lab has too much to do, try again later",
            _ => "",
        };
        Packet::Close(code, reason.into())
    }
}

/// How a message is laid out in frames.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shape {
    /// Mask frames, which a server must not.
    pub masked: bool,
    /// So many fragments with pings between them; one or none for a single frame.
    pub fragments: u32,
    /// Two fragments, the second from this byte of the payload.
    pub split: Option<usize>,
    /// Byte by byte with this pause after each.
    pub drip: Option<Duration>,
}

impl Shape {
    /// The writes that make up a message, and the pause between them.
    fn writes(self, opcode: u8, payload: &[u8]) -> (Vec<Bytes>, Duration) {
        let mask = self.masked.then_some([0x57, 0x65, 0x69, 0x72]);
        let mut writes = match self.split {
            _ if self.fragments > 1 => {
                let count = self.fragments as usize;
                let at = |nth: usize| payload.len() * nth / count;
                let fragment = |nth: usize| {
                    let opcode = if nth == 0 { opcode } else { frame::CONTINUATION };
                    frame::one(opcode, nth + 1 == count, &payload[at(nth)..at(nth + 1)], mask)
                };
                // Control frames may come between fragments (RFC 6455 §5.4).
                let ping = frame::one(frame::PING, true, b"between", mask);
                (0..count).flat_map(|nth| [fragment(nth), ping.clone()]).take(2 * count - 1).collect()
            }
            Some(at) => {
                let (first, second) = payload.split_at(at.min(payload.len()));
                vec![frame::one(opcode, false, first, mask), frame::one(frame::CONTINUATION, true, second, mask)]
            }
            None => vec![frame::whole(opcode, payload, mask)],
        };
        match self.drip {
            Some(drip) => {
                writes = writes.iter().flat_map(|w| (0..w.len()).map(|at| w.slice(at..at + 1))).collect();
                (writes, drip)
            }
            None if self.fragments > 1 => (vec![writes.concat().into()], Duration::ZERO),
            None => (writes, Duration::from_millis(2)),
        }
    }
}

/// Whether a request asks for a WebSocket (RFC 6455 §4.1). Over HTTP/2 that would be an extended CONNECT, which the Lab lacks.
pub(super) fn is_upgrade(head: &request::Parts) -> bool {
    let has = |name: HeaderName, word: &str| {
        head.headers
            .get_all(name)
            .iter()
            .filter_map(|v| v.to_str().ok())
            .any(|v| v.split(',').any(|token| token.trim().eq_ignore_ascii_case(word)))
    };
    head.version == Version::HTTP_11 && has(UPGRADE, "websocket") && has(CONNECTION, "upgrade")
}

/// Answers a handshake and lets a `kind` of app speak on the socket.
pub(super) fn open(asked: Asked, body: Incoming, kind: Kind) -> Response<Reply> {
    // A handshake has no body.
    drop(body);
    if !is_upgrade(&asked.head) {
        let mut response = asked.refused(&Rejection {
            status: 426,
            code: Some("upgrade_required"),
            ..Rejection::invalid(None, "This address speaks WebSocket over HTTP/1.1 only.")
        });
        set(&mut response, UPGRADE, "websocket");
        return response;
    }
    let header = |name: HeaderName| asked.head.headers.get(name).and_then(|v| v.to_str().ok());
    if header(SEC_WEBSOCKET_VERSION) != Some("13") {
        let version = Rejection::invalid(Some("Sec-WebSocket-Version"), "Only version 13 is spoken here.");
        let mut response = asked.refused(&Rejection { status: 426, ..version });
        set(&mut response, SEC_WEBSOCKET_VERSION, "13");
        return response;
    }
    let Some(key) = header(SEC_WEBSOCKET_KEY) else {
        let missing = Rejection::invalid(Some("Sec-WebSocket-Key"), "The handshake has no Sec-WebSocket-Key.");
        return asked.refused(&missing);
    };
    if kind == Kind::Flood
        && let Err(rejection) = Flood::of(&asked)
    {
        return asked.refused(&rejection);
    }
    let mut talk: Option<Box<dyn Talk>> = None;
    if kind == Kind::Talk {
        match asked.dialect().talk(&asked.read(&[])) {
            Some(Ok(spoken)) => talk = Some(spoken),
            Some(Err(rejection)) => return asked.refused(&rejection),
            None => return asked.refused(&Rejection::no_method(&asked.head.method, asked.head.uri.path())),
        }
    }
    let mut response = Response::new(Reply::Whole(None));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    set(&mut response, UPGRADE, "websocket");
    set(&mut response, CONNECTION, "Upgrade");
    set(&mut response, SEC_WEBSOCKET_ACCEPT, &derive_accept_key(key.as_bytes()));
    // A browser can only send a key as a subprotocol; that one is not for choosing.
    let offered = header(SEC_WEBSOCKET_PROTOCOL).unwrap_or_default();
    if let Some(chosen) = offered.split(',').map(str::trim).find(|p| !p.is_empty() && !p.contains("api-key")) {
        set(&mut response, SEC_WEBSOCKET_PROTOCOL, chosen);
    }
    let offers: Vec<&str> = asked.head.headers.get_all(SEC_WEBSOCKET_EXTENSIONS).iter().filter_map(|v| v.to_str().ok()).collect();
    let agreed = Agreement::of(&offers.join(","), &asked.terms.faults);
    if let Some(agreed) = &agreed {
        set(&mut response, SEC_WEBSOCKET_EXTENSIONS, &agreed.answer);
    }
    let upgraded = hyper::upgrade::on(Request::from_parts(asked.head.clone(), ()));
    tokio::spawn(async move {
        // Fails when the client left before the answer was out.
        if let Ok(upgraded) = upgraded.await {
            run(upgraded, asked, kind, talk, agreed).await;
        }
    });
    response
}

type Socket = WebSocketStream<Inflating<TokioIo<Upgraded>>>;

async fn run(upgraded: Upgraded, asked: Asked, kind: Kind, talk: Option<Box<dyn Talk>>, agreed: Option<Agreement>) {
    let faults = &asked.terms.faults;
    let mut deflater = match &agreed {
        Some(agreed) => Some(Deflater::new(agreed.bits, agreed.forget)),
        None => faults.compressed.then(|| Deflater::new(15, false)),
    };
    let config = WebSocketConfig::default().max_message_size(Some(MESSAGE)).max_frame_size(Some(MESSAGE));
    let mut socket = WebSocketStream::from_raw_socket(
        Inflating::new(TokioIo::new(upgraded), agreed.map(|a| a.client_forgets)),
        Role::Server,
        Some(config),
    )
    .await;
    let exchange = match kind {
        Kind::Lanes | Kind::Talk | Kind::Echo => asked.begin(Transport::Ws),
        Kind::Flood => asked.begin_sound(Transport::Ws),
    };
    let exchange = Arc::new(exchange);
    let (out, mut packets) = mpsc::channel::<Packet>(2);
    let control = asked.client.control.clone();
    // Dropped with this function: no reply outlives its socket.
    let mut tasks = JoinSet::new();
    let mut first = Vec::new();
    let mut app = match talk {
        Some(talk) => {
            let mut conversation = Conversation::new(&asked, talk, exchange.clone(), out.clone());
            let wrong = keys::is_wrong(&asked.head.headers, asked.query());
            first = conversation.open(wrong, &mut tasks);
            App::Talk(Box::new(conversation))
        }
        None if kind == Kind::Lanes => App::Lanes(Lanes::new(&asked, exchange.clone(), out.clone())),
        None if kind == Kind::Flood => {
            if let Ok(measure) = Flood::of(&asked) {
                tasks.spawn(flood(measure, out, exchange.clone()));
            }
            App::Flood
        }
        None => App::Echo,
    };
    // Until when nothing is read.
    let mut deaf = faults.slow_reader.map(|time| Instant::now() + time);
    // Since when nothing has passed in either direction.
    let mut last = Instant::now();
    loop {
        let mut todo = if !first.is_empty() {
            std::mem::take(&mut first)
        } else {
            // The client knows that a reply is over before the conversation does: what it says then waits for that.
            let heeds = !matches!(&app, App::Talk(conversation) if conversation.is_ending());
            tokio::select! {
                () = at(deaf) => {
                    deaf = None;
                    Vec::new()
                }
                () = at(faults.idle_timeout.map(|time| last + time)) => vec![Packet::Kill { reset: false }],
                message = socket.next(), if heeds && deaf.is_none() => match message {
                    Some(Ok(Message::Close(close))) => {
                        exchange.set(State::Closed { code: close.map_or(1005, |c| c.code.into()) });
                        finish(&mut socket).await;
                        return;
                    }
                    Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => match &mut app {
                        App::Echo => echo(message, &exchange),
                        App::Lanes(lanes) => lanes.message(message, &mut tasks),
                        App::Talk(conversation) => conversation.message(message, &mut tasks),
                        App::Flood => Vec::new(),
                    },
                    Some(Ok(_)) => Vec::new(),
                    Some(Err(error)) => {
                        fail(&mut socket, &error, &exchange).await;
                        return;
                    }
                    None => return,
                },
                Some(packet) = packets.recv() => vec![packet],
                () = control.killed() => vec![Packet::close(1001)],
            }
        };
        if let (App::Talk(conversation), [Packet::Over(_)]) = (&mut app, todo.as_slice())
            && let Some(Packet::Over(turn)) = todo.pop()
        {
            todo = conversation.over(*turn, &mut tasks);
        }
        for packet in todo {
            let done = tokio::select! {
                // First the packet: the close frame of a killed socket must still go out. Only a write that is stuck gives way.
                biased;
                done = perform(&mut socket, packet, &mut deflater, &exchange) => done,
                () = control.killed() => {
                    exchange.set(BROKEN_BY_LAB);
                    return;
                }
            };
            match done {
                Ok(Next::Go) => {}
                Ok(Next::Kill { reset }) => {
                    exchange.set(BROKEN_BY_LAB);
                    sleep(SETTLE).await;
                    // The socket is dropped right after; the control tells it how to close.
                    control.kill(reset);
                    return;
                }
                Ok(Next::Close(code, reason)) => {
                    close(&mut socket, code, &reason, &exchange).await;
                    return;
                }
                // The client is gone.
                Err(_) => return,
            }
        }
        last = Instant::now();
    }
}

enum Next {
    Go,
    Close(u16, String),
    Kill { reset: bool },
}

async fn perform(
    socket: &mut Socket,
    packet: Packet,
    deflater: &mut Option<Deflater>,
    exchange: &Exchange,
) -> Result<Next, tungstenite::Error> {
    match packet {
        Packet::Write(bytes) => {
            socket.flush().await?;
            let raw = socket.get_mut();
            raw.write_all(&bytes).await?;
            raw.flush().await?;
            exchange.sent(bytes.len());
            Ok(Next::Go)
        }
        Packet::Message { opcode, payload, shape } => {
            let (writes, pause) = match deflater.as_mut().and_then(|deflater| deflater.message(&payload)) {
                Some(deflated) => shape.writes(opcode | frame::RSV1, &deflated),
                None => shape.writes(opcode, &payload),
            };
            // A pong tungstenite still holds must not end up inside a frame of ours.
            socket.flush().await?;
            let raw = socket.get_mut();
            for (at, bytes) in writes.iter().enumerate() {
                if at > 0 && !pause.is_zero() {
                    sleep(pause).await;
                }
                raw.write_all(bytes).await?;
                raw.flush().await?;
                exchange.sent(bytes.len());
            }
            Ok(Next::Go)
        }
        Packet::Pad { opcode, before, length, after } => {
            socket.flush().await?;
            let raw = socket.get_mut();
            let mut head = frame::header(opcode, true, (before.len() + after.len()) as u64 + length, None);
            head.extend_from_slice(before.as_bytes());
            raw.write_all(&head).await?;
            exchange.sent(head.len());
            // Not in this future: every socket would hold it as long as it is open.
            static PADDING: [u8; BLOCK] = [b'x'; BLOCK];
            let mut left = length;
            while left > 0 {
                let take = left.min(BLOCK as u64) as usize;
                raw.write_all(&PADDING[..take]).await?;
                exchange.sent(take);
                left -= take as u64;
            }
            raw.write_all(after.as_bytes()).await?;
            raw.flush().await?;
            exchange.sent(after.len());
            Ok(Next::Go)
        }
        Packet::Close(code, reason) => Ok(Next::Close(code, reason)),
        // Taken before it comes here.
        Packet::Over(_) => Ok(Next::Go),
        Packet::Kill { reset } => Ok(Next::Kill { reset }),
    }
}

/// Sends a close frame and waits a moment for the client's.
async fn close(socket: &mut Socket, code: u16, reason: &str, exchange: &Exchange) {
    exchange.set(State::Closed { code });
    // A control frame holds 125 bytes, two of them the code (RFC 6455 §5.5).
    let mut most = reason.len().min(123);
    while !reason.is_char_boundary(most) {
        most -= 1;
    }
    let reason = &reason[..most];
    let frame = CloseFrame { code: code.into(), reason: reason.into() };
    let _ = timeout(CLOSING, async {
        // Failing here means that the client is gone, which is what was wanted.
        if socket.close(Some(frame)).await.is_ok() {
            while let Some(Ok(_)) = socket.next().await {}
        }
    })
    .await;
}

/// Lets tungstenite answer the client's close frame.
async fn finish(socket: &mut Socket) {
    let _ = timeout(CLOSING, async { while let Some(Ok(_)) = socket.next().await {} }).await;
}

/// Tells a client that broke the protocol what it broke (RFC 6455 §7.4.1).
async fn fail(socket: &mut Socket, error: &tungstenite::Error, exchange: &Exchange) {
    let code: u16 = match error {
        tungstenite::Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => return,
        tungstenite::Error::Protocol(_) => 1002,
        tungstenite::Error::Utf8(_) => 1007,
        tungstenite::Error::Capacity(_) => 1009,
        _ => return,
    };
    exchange.set(State::Closed { code });
    let close = frame::whole(frame::CLOSE, &code.to_be_bytes(), None);
    let raw = socket.get_mut();
    let _ = timeout(CLOSING, async {
        // The client may be gone already.
        if raw.write_all(&close).await.is_ok() {
            let _ = raw.shutdown().await;
        }
    })
    .await;
}

fn echo(message: Message, exchange: &Exchange) -> Vec<Packet> {
    exchange.set(State::Streaming);
    let opcode = if message.is_text() { frame::TEXT } else { frame::BINARY };
    exchange.set(State::Idle);
    vec![Packet::Message { opcode, payload: message.into_data(), shape: Shape::default() }]
}

async fn flood(measure: Flood, out: mpsc::Sender<Packet>, exchange: Arc<Exchange>) {
    let Flood { events, size } = measure;
    exchange.set(State::Streaming);
    exchange.expect(events as usize);
    let message = frame::whole(frame::TEXT, Flood::payload(frame::payload_of(size)).as_bytes(), None);
    let length = message.len();
    let at_once = (4 * BLOCK / length).max(1) as u64;
    let block = Bytes::from(message.repeat(at_once.min(events) as usize));
    let mut left = events;
    while left > 0 {
        let now = left.min(at_once);
        if out.send(Packet::Write(block.slice(..now as usize * length))).await.is_err() {
            return;
        }
        exchange.said(now as usize);
        left -= now;
    }
    let _ = out.send(Packet::close(1000)).await;
}

/// Writes events as messages.
pub(super) struct SocketOutlet {
    pub out: mpsc::Sender<Packet>,
    /// As [`Shape`] has it.
    masked: bool,
    fragments: u32,
    /// Text leaves in binary messages.
    binary: bool,
    /// Set once the event that ends a reply is on its way: what the client says to it comes after the reply.
    ending: Arc<AtomicBool>,
}

impl SocketOutlet {
    pub(super) fn new(out: mpsc::Sender<Packet>, faults: &Faults, binary: bool, ending: Arc<AtomicBool>) -> SocketOutlet {
        SocketOutlet { out, masked: faults.masked, fragments: faults.fragmented.unwrap_or(1), binary, ending }
    }

    fn opcode(&self) -> u8 {
        if self.binary { frame::BINARY } else { frame::TEXT }
    }

    async fn packet(&self, packet: Packet) -> Result<(), Gone> {
        self.out.send(packet).await.map_err(|_| Gone)
    }
}

impl Outlet for SocketOutlet {
    async fn send(&mut self, event: &Event, mut payload: Vec<u8>, mut manner: Manner) -> Result<(), Gone> {
        if event.is_comment() {
            return Ok(());
        }
        if event.is_end {
            self.ending.store(true, Relaxed);
        }
        let mut opcode = self.opcode();
        if let Some(bytes) = &event.binary {
            payload.clone_from(bytes);
            opcode = frame::BINARY;
            // It falls inside a character of the text that is not sent.
            manner.split = None;
        }
        let shape = Shape { masked: self.masked, fragments: self.fragments, split: manner.split, drip: manner.drip };
        self.packet(Packet::Message { opcode, payload: payload.into(), shape }).await
    }

    async fn ping(&mut self, count: u32) -> Result<(), Gone> {
        // As large as a control frame may be (RFC 6455 §5.5).
        let ping = frame::one(frame::PING, true, &[b'.'; 125], None);
        self.packet(Packet::Write(ping.repeat(count as usize).into())).await
    }

    fn drained(&self) -> Ending {
        Ending::Close(1012)
    }

    async fn pad(&mut self, before: &str, length: u64, after: &str) -> Result<(), Gone> {
        self.packet(Packet::Pad { opcode: self.opcode(), before: before.into(), length, after: after.into() }).await
    }

    async fn gone(&self) {
        self.out.closed().await;
    }
}
