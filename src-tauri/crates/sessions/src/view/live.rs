//! What is shown while a session runs, and after.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use weir_dialects::limits::RateLimit;
use weir_dialects::{Ask, ToolCall, Transport, Usage};

/// A request as the composer holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Draft {
    /// Provider id; "" for a base URL of one's own.
    pub provider: String,
    /// Dialect id.
    pub dialect: String,
    /// How the reply travels.
    pub transport: Transport,
    /// `1.1`, `2` or `auto`.
    pub http: String,
    /// Base URL instead of the provider's.
    #[ts(optional)]
    #[serde(default)]
    pub base_url: Option<String>,
    /// Whole endpoint instead of a base URL.
    #[ts(optional)]
    #[serde(default)]
    pub url: Option<String>,
    /// The question.
    pub ask: Ask,
    /// Fields of the user's own; they win over the dialect's.
    #[serde(default)]
    pub headers: Vec<HeaderLine>,
    /// Accept any certificate.
    #[serde(default)]
    pub insecure: bool,
    /// Title; made from the prompt where absent.
    #[ts(optional)]
    #[serde(default)]
    pub title: Option<String>,
    /// The socket stays open for further turns, where the dialect has that.
    #[serde(default)]
    pub keep_open: bool,
    /// permessage-deflate is offered, where the reply travels over WebSocket.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(as = "Option<bool>", optional)]
    pub deflate: bool,
    /// The request goes over a connection that has carried it once already; figures are those of the second time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(as = "Option<bool>", optional)]
    pub reused: bool,
}

/// A field line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct HeaderLine {
    /// Field name.
    pub name: String,
    /// Field value; `{key}` stands for the key.
    pub value: String,
}

/// The question that a body asks, and how its reply is to travel.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ReadBody {
    /// The question.
    pub ask: Ask,
    /// The draft's transport where the body fits it; else the one it asks for, as by a `stream` that is missing.
    pub transport: Transport,
}

/// What a draft would send: shown before sending, so keys stand as `{key}`.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Preview {
    /// Method.
    pub method: String,
    /// Whole URL.
    pub url: String,
    /// Fields in order.
    pub headers: Vec<HeaderLine>,
    /// Body, or the WebSocket messages one after another.
    pub body: String,
    /// The same as a cURL command, key as a variable.
    pub curl: String,
    /// What the dialect cannot express; sending is refused while it stands.
    #[ts(optional)]
    pub problem: Option<Problem>,
    /// All the dialect cannot express, where that is what stands in the way.
    pub problems: Vec<Problem>,
}

/// Something that went wrong, in the four parts every error has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Problem {
    /// Stable code.
    pub code: String,
    /// `peer`, `network`, `local`, `configuration` or `user`.
    pub blame: String,
    /// Cause in one sentence.
    pub message: String,
    /// What it means for the request.
    pub consequence: String,
    /// What was seen, verbatim, several lines.
    pub evidence: String,
    /// What to do next.
    pub next: String,
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export)]
pub enum State {
    /// DNS, TCP, TLS.
    Connecting,
    /// Sent; nothing came yet.
    Waiting,
    /// Bytes come.
    Streaming,
    /// The turn is over; the connection stays open for another.
    Open,
    /// Over.
    Done,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export)]
pub enum OutcomeKind {
    /// The dialect's end marker was seen.
    Complete,
    /// It ended without the marker.
    Cut,
    /// The user stopped it.
    Cancelled,
    /// It failed.
    Failed,
}

/// How it ended, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Outcome {
    /// How.
    pub kind: OutcomeKind,
    /// Why, unless complete.
    pub problem: Option<Problem>,
}

/// Kind of a block of the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum BlockKind {
    /// Text in Markdown.
    Text,
    /// Reasoning.
    Reasoning,
    /// Refusal.
    Refusal,
    /// A tool call; its text is the arguments.
    ToolCall,
    /// Sound; it has no text.
    Audio,
    /// What the user said in a later turn on an open socket.
    Said,
}

/// A run of deltas of one kind, as the reply pane shows it.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Block {
    /// Position among the blocks, from 0.
    pub index: u32,
    /// Kind.
    pub kind: BlockKind,
    /// First frame row that added to it.
    pub first_row: u32,
    /// Last frame row that added to it.
    pub last_row: u32,
    /// When its first delta came, ms since the dial began.
    pub start_ms: f64,
    /// When its last delta came.
    pub end_ms: f64,
    /// Deltas in it.
    pub deltas: u32,
    /// Where `text` belongs in the block's text, in UTF-16 code units: its length so far (0 = `text` is all of it).
    pub offset: u32,
    /// Text to append at `offset`.
    pub text: String,
    /// The call's id and name, for a tool call.
    #[ts(optional)]
    pub tool: Option<ToolCall>,
    /// What an audio block holds.
    #[ts(optional)]
    pub media: Option<Media>,
}

/// Sound in a block.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Media {
    /// Media type, e.g. `audio/pcm;rate=24000`.
    pub media_type: String,
    /// Bytes of sound so far.
    #[ts(type = "number")]
    pub bytes: u64,
    /// How long it plays, ms, where that is known.
    pub ms: Option<f64>,
}

/// Output rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Rate {
    /// Tokens per second, or deltas per second where `estimate`.
    pub value: f64,
    /// No usage was reported: deltas were counted instead.
    pub estimate: bool,
}

/// Figures of a session. Times are milliseconds since the dial began unless they are durations of a phase; absent = does not exist (yet).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(export)]
pub struct Metrics {
    /// Duration of name resolution.
    pub dns_ms: Option<f64>,
    /// Duration of the TCP handshake.
    pub tcp_ms: Option<f64>,
    /// Duration of the TLS handshake.
    pub tls_ms: Option<f64>,
    /// First byte of the response (after a proxy's and a handshake's own).
    pub ttfb_ms: Option<f64>,
    /// First non-empty text or reasoning.
    pub ttft_ms: Option<f64>,
    /// First non-empty text.
    pub first_text_ms: Option<f64>,
    /// The end.
    pub total_ms: Option<f64>,
    /// Output rate between first and last content.
    pub rate: Option<Rate>,
    /// Median gap between content deltas.
    pub gap_p50_ms: Option<f64>,
    /// 99th percentile gap.
    pub gap_p99_ms: Option<f64>,
    /// Rows of the frame table.
    pub frames: u32,
    /// Content deltas.
    pub deltas: u32,
    /// Bytes received above TLS.
    #[ts(type = "number")]
    pub bytes_down: u64,
    /// Bytes sent above TLS.
    #[ts(type = "number")]
    pub bytes_up: u64,
    /// UTF-8 bytes of text and reasoning.
    #[ts(type = "number")]
    pub bytes_text: u64,
    /// TLS overhead received.
    #[ts(type = "number")]
    pub bytes_tls: u64,
    /// Every received byte once, by the innermost layer that owns it; sums up to `bytesDown`. `(layer, bytes)`.
    #[ts(type = "[string, number][]")]
    pub layers: Vec<(String, u64)>,
    /// How flow control kept either side waiting; absent where nothing speaks HTTP/2.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub flow: Option<FlowTotals>,
}

/// Times in which no window of HTTP/2 was left (RFC 9113 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct FlowTotals {
    /// How often what Weir receives had no window left.
    pub stalls_down: u32,
    /// How long, milliseconds.
    pub down_ms: f64,
    /// How often what Weir sends had none.
    pub stalls_up: u32,
    /// How long, milliseconds.
    pub up_ms: f64,
}

/// What does not change while a session runs.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SessionInfo {
    /// Session id.
    pub id: String,
    /// Title.
    pub title: String,
    /// The draft it was sent from, for editing and sending again.
    pub draft: Draft,
    /// URL without secrets.
    pub url: String,
    /// Unix time of the start, ms.
    pub started_at_ms: f64,
    /// It is still running.
    pub live: bool,
    /// What a console asked, where it is one's.
    #[ts(optional)]
    pub console: Option<super::ConsoleDraft>,
}

/// What changed since the last update of this watcher. The first one holds everything, but for the rest of a reply that is longer than 128 KiB,
/// which the next ones bring.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Update {
    /// Session id.
    pub session: String,
    /// Where it stands.
    pub state: State,
    /// Milliseconds since the dial began (end of the session once done).
    pub elapsed_ms: f64,
    /// Rows so far, unfiltered, carriers included.
    pub rows: u32,
    /// Blocks that are new or grew; their `text` is what is to be appended.
    pub blocks: Vec<Block>,
    /// Figures; sent at most 4 times a second and at the end.
    pub metrics: Option<Metrics>,
    /// Rows by kind; sent with `metrics`.
    pub kinds: Option<Vec<super::KindCount>>,
    /// Reported usage; sent with `metrics`.
    pub usage: Option<Usage>,
    /// Why the model stopped.
    pub finish: Option<String>,
    /// The provider's id of the reply.
    pub reply_id: Option<String>,
    /// The provider's seal on the reasoning or the text, to be sent back with the turn.
    pub signature: Option<String>,
    /// The provider's id of the request, from the response's fields.
    pub request_id: Option<String>,
    /// Rate limits as the response's fields tell them; sent with `metrics`.
    pub limits: Option<Vec<RateLimit>>,
    /// HTTP status.
    pub status: Option<u16>,
    /// `1.1` or `2`, once known.
    pub http: Option<String>,
    /// `TLSv1.3` and peer address, e.g. `["TLSv1.3", "203.0.113.24:443"]`.
    pub connection: Option<(String, String)>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// How a console stands, where it is one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub console: Option<super::ConsoleStanding>,
}
