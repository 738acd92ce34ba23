//! The consoles: an event stream or a WebSocket with no model's API on top.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{HeaderLine, Problem};

/// Which console.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export)]
pub enum ConsoleMode {
    /// An SSE client that asks again as WHATWG HTML §9.2 says.
    #[default]
    Sse,
    /// A WebSocket client (RFC 6455).
    Websocket,
}

/// What a console is to ask. Every field has a default, so that an older one reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(export)]
pub struct ConsoleDraft {
    /// Which console.
    pub mode: ConsoleMode,
    /// Where to; `{lab}` stands for the Lab's address, `{key}` for the key. A WebSocket may be written with `http` and `https` too.
    pub url: String,
    /// Method of the request; "" for POST where there is a body, else GET.
    pub method: String,
    /// Fields of the request; `{key}` in one stands for the key.
    pub headers: Vec<HeaderLine>,
    /// Body of the request, "" for none.
    pub body: String,
    /// Provider whose stored key is sent, as `Authorization: Bearer` unless `{key}` stands elsewhere; "" for none.
    pub key: String,
    /// `1.1`, `2` or `auto`.
    pub http: String,
    /// Accept any certificate.
    pub insecure: bool,
    /// Id to send as `Last-Event-ID` with the first request, "" for none.
    pub last_event_id: String,
    /// Ask again when the stream ends, as the standard says.
    pub reconnect: bool,
    /// Milliseconds to wait before asking again, until the server sets another time.
    pub delay_ms: u32,
    /// Ask again at most this often.
    pub max_reconnects: Option<u32>,
    /// Beyond the standard: ask again after these statuses too, like `503, 5xx`; "" for none.
    pub retry_on: String,
    /// Beyond the standard: double the wait with every attempt that fails after another, up to this many seconds; 0 for never.
    pub backoff_seconds: f64,
    /// Beyond the standard: seconds without a byte after which a connection is given up for lost; 0 for never.
    pub silence_seconds: f64,
    /// Subprotocols to offer, the preferred one first.
    pub subprotocols: Vec<String>,
    /// Offer permessage-deflate (RFC 7692).
    pub deflate: bool,
    /// Send every message back.
    pub echo: bool,
    /// What to answer by itself.
    pub rules: Vec<ConsoleRule>,
}

impl Default for ConsoleDraft {
    fn default() -> Self {
        Self {
            mode: ConsoleMode::Sse,
            url: String::new(),
            method: String::new(),
            headers: Vec::new(),
            body: String::new(),
            key: String::new(),
            http: "auto".into(),
            insecure: false,
            last_event_id: String::new(),
            reconnect: true,
            delay_ms: 3000,
            max_reconnects: None,
            retry_on: String::new(),
            backoff_seconds: 0.0,
            silence_seconds: 0.0,
            subprotocols: Vec::new(),
            deflate: false,
            echo: false,
            rules: Vec::new(),
        }
    }
}

/// When a text message is received that fits, another is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ConsoleRule {
    /// It is in force.
    pub on: bool,
    /// How `when` is held against a message.
    pub how: RuleHow,
    /// What a message must hold, be, or match.
    pub when: String,
    /// What is sent; of a pattern, `$1` and `${name}` stand for what its groups matched.
    pub reply: String,
}

/// How a rule is held against a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export)]
pub enum RuleHow {
    /// The words stand in it.
    Contains,
    /// It is these words.
    Equals,
    /// The regular expression matches somewhere in it.
    Matches,
}

/// What a console sends on an open socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export)]
pub enum MessageForm {
    /// A text message.
    Text,
    /// A binary message, written as hexadecimal digits.
    Hex,
    /// A binary message, written in Base64.
    Base64,
    /// A ping of at most 125 bytes of text.
    Ping,
}

/// Where a console's connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export)]
pub enum ConsolePhase {
    /// It is being made, or its answer is awaited.
    Connecting,
    /// It is open.
    Open,
    /// It has ended and is made again in a while.
    Waiting,
    /// It is over for good.
    Over,
}

/// How a console stands.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ConsoleStanding {
    /// Where its connection stands.
    pub phase: ConsolePhase,
    /// Connections so far, redirects among them.
    pub connections: u32,
    /// While it waits: when the next attempt begins, ms since the session began.
    pub next_at_ms: Option<f64>,
    /// What the last request carried as `Last-Event-ID`, or while it waits, what the next one will; "" for none.
    pub last_event_id: String,
    /// Why the last attempt failed, while it waits.
    pub problem: Option<Problem>,
    /// Subprotocol that the server chose.
    pub subprotocol: Option<String>,
    /// Extensions that the server agreed to.
    pub extensions: Option<String>,
    /// The first close frame.
    pub close: Option<ConsoleClose>,
    /// Events or messages received.
    pub received: u32,
    /// Messages sent.
    pub sent: u32,
    /// Echo and rules rest: they sent too much by themselves, with nothing of the user's in between.
    pub resting: bool,
}

/// A close frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ConsoleClose {
    /// Its code; `None` where it has none.
    pub code: Option<u16>,
    /// Its reason.
    pub reason: String,
    /// What the code means.
    pub meaning: String,
    /// Weir sent it first.
    pub ours: bool,
}

/// A line of a console's log.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ConsoleRow {
    /// Row of the frame table.
    pub id: u32,
    /// When, ms since the session began.
    pub t_ms: f64,
    /// Milliseconds since the line above.
    pub gap_ms: f64,
    /// Sent by Weir.
    pub out: bool,
    /// Connection, from 1.
    pub conn: u32,
    /// Kind of the row.
    pub kind: String,
    /// Type of the event, or what the WebSocket's frame is.
    pub name: String,
    /// The event's own id, where it sets one.
    pub event_id: Option<String>,
    /// Bytes in its own layer.
    #[ts(type = "number")]
    pub size: u64,
    /// The beginning of what it carries, or what happened.
    pub text: String,
    /// Of a connection's first line: its request and answer.
    pub head: Option<ConsoleHead>,
}

/// The request of a connection, and how it was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ConsoleHead {
    /// Request line, or method and path over HTTP/2.
    pub request: String,
    /// Status line, or the status over HTTP/2; "" before it came.
    pub answer: String,
    /// Its `Last-Event-ID`, if it carried one.
    pub last_event_id: Option<String>,
}

/// A page of a console's log.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ConsolePage {
    /// Lines that match, so far.
    pub matching: u32,
    /// Position of the first of `rows` among them.
    pub start: u32,
    /// The lines.
    pub rows: Vec<ConsoleRow>,
    /// The share (0–1) that was searched so far; absent once all was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub searched: Option<f64>,
}

/// One message of a console, to be read whole.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ConsoleMessage {
    /// Its text; of what is no text, hexadecimal digits.
    pub text: String,
    /// It is no text.
    pub binary: bool,
    /// Bytes of all of it.
    #[ts(type = "number")]
    pub size: u64,
    /// `text` is only its beginning.
    pub cut: bool,
}
