//! The kinds of connections, and what keeps each of them open.

use serde::{Deserialize, Serialize};
use serde_json::json;
use ts_rs::TS;
use weir_transport::{Header, HttpVersion, Limits, Proxy, Request, Target, Value};

/// A kind of connection.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export, rename = "MemoryKindInfo")]
pub struct KindInfo {
    /// Its id, e.g. `ws-deflate`.
    pub id: &'static str,
    /// A few words.
    pub name: &'static str,
    /// What stands behind one connection of it.
    pub what: &'static str,
}

/// Every kind, in the order they are shown.
pub(super) static KINDS: &[KindInfo] = &[
    KindInfo { id: "sse", name: "SSE · HTTP/1.1", what: "a socket and a response for each stream" },
    KindInfo { id: "sse-h2", name: "SSE · HTTP/2", what: "200 streams share a socket" },
    KindInfo { id: "ndjson", name: "NDJSON", what: "a socket and a response for each stream, a JSON value a line" },
    KindInfo { id: "poll", name: "Plain HTTP", what: "a request that waits for its answer, as a long poll does" },
    KindInfo {
        id: "ws",
        name: "WebSocket",
        what: "a socket each, with no compression; of its memory 128 KiB on each end are the read buffer that tungstenite takes by default",
    },
    KindInfo {
        id: "ws-deflate",
        name: "WebSocket · deflate",
        what: "the same with permessage-deflate: a window for each direction on each end",
    },
];

/// Every kind.
pub fn kinds() -> Vec<KindInfo> {
    KINDS.to_vec()
}

/// The kind of this id.
pub(super) fn find(id: &str) -> Option<&'static KindInfo> {
    KINDS.iter().find(|kind| kind.id == id)
}

/// What happens on the connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export, rename = "MemoryWay")]
pub enum Way {
    /// One word came; then nothing does.
    Idle,
    /// Ten words a second.
    Streaming,
}

impl Way {
    /// Its name in the protocol between the processes.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Streaming => "streaming",
        }
    }
}

/// Words a second of a connection that streams.
pub(super) const RATE: u32 = 10;

/// Streams that share an HTTP/2 connection. Servers allow 100 to 256 at once (RFC 9113 §6.5.2 recommends no fewer than 100).
pub(super) const SHARED: usize = 200;

/// Whether it is a WebSocket, and with compression.
pub(super) fn socket(kind: &str) -> Option<bool> {
    match kind {
        "ws" => Some(false),
        "ws-deflate" => Some(true),
        _ => None,
    }
}

/// Where a connection of `kind` goes at the Lab at `lab`.
pub(super) fn target(kind: &str, lab: &str) -> Target {
    let path = match kind {
        "ndjson" => "/ollama/api/chat",
        _ => "/v1/responses",
    };
    let base = if socket(kind).is_some() { lab.replacen("http", "ws", 1) } else { lab.to_owned() };
    Target {
        url: format!("{base}{path}"),
        http: if kind == "sse-h2" { HttpVersion::Http2 } else { HttpVersion::Http11 },
        proxy: Proxy::Direct,
        limits: Limits { connect: None, first_byte: None, idle: None, total: None },
        ..Target::default()
    }
}

/// What is asked for on it; of a WebSocket the fields of its handshake. `words` is the length of a reply that streams.
pub(super) fn request(kind: &str, way: Way, words: u32) -> Request {
    let field = |name: &str, value: String| Header { name: name.into(), value: Value::Plain(value) };
    let poll = kind == "poll";
    let (tokens, wait, fault) = match way {
        // It has an hour to be looked at.
        Way::Idle if poll => (2, 3_600_000, "none"),
        Way::Idle => (2, 0, "stall-after=1;ms=3600000"),
        Way::Streaming => (words, 0, "none"),
    };
    let mut headers = vec![
        field("x-lab-tokens", tokens.to_string()),
        field("x-lab-ttft-ms", wait.to_string()),
        field("x-lab-fault", fault.into()),
        field("x-lab-rate", RATE.to_string()),
        field("x-lab-reply", "lesson".into()),
        field("x-lab-tokens-per-event", "1".into()),
    ];
    let body = match kind {
        "ws" | "ws-deflate" => String::new(),
        "ndjson" => json!({"model": "lab/steady", "stream": true, "messages": [{"role": "user", "content": "Stay."}]}).to_string(),
        _ => json!({"model": "lab/steady", "stream": !poll, "input": "Stay."}).to_string(),
    };
    if !body.is_empty() {
        headers.push(field("content-type", "application/json".into()));
    }
    let method = if body.is_empty() { "GET" } else { "POST" };
    Request { method: method.into(), headers, body: body.into() }
}

/// What is said on a WebSocket once it is open.
pub(super) fn message() -> String {
    json!({"type": "response.create", "model": "lab/steady", "input": "Stay."}).to_string()
}
