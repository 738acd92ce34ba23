//! The values that go in and come out.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordKind {
    /// Bytes received.
    In,
    /// Bytes sent.
    Out,
    /// An event of the connection, as JSON.
    Mark,
}

impl RecordKind {
    /// The number that stands for it in the file. Never changed.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::In => 0,
            Self::Out => 1,
            Self::Mark => 2,
        }
    }

    /// The kind of a number from a file.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        [Self::In, Self::Out, Self::Mark].into_iter().find(|kind| kind.number() == number)
    }
}

/// One entry of a session's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Connection number, from 0.
    pub conn: u32,
    /// Direction, or a mark.
    pub kind: RecordKind,
    /// Nanoseconds since the session began.
    pub t: u64,
    /// The bytes; for a mark, JSON.
    pub bytes: Bytes,
}

/// What is known when a session begins.
#[derive(Clone, Debug, Default)]
pub struct NewSession {
    /// Shown in the list.
    pub title: String,
    /// Provider id.
    pub provider: String,
    /// Model name.
    pub model: String,
    /// Dialect id.
    pub dialect: String,
    /// `http`, `sse`, `ndjson`, `websocket`, `eventstream`.
    pub transport: String,
    /// The prompt as text, for search and for the list.
    pub prompt: String,
    /// The plan as JSON, without secrets.
    pub plan: String,
    /// Unix time in milliseconds.
    pub started_at_ms: i64,
}

/// What is known when a session has ended.
#[derive(Clone, Debug, Default)]
pub struct Finished {
    /// `complete`, `cut`, `cancelled`, `failed`.
    pub outcome: String,
    /// The whole reply text.
    pub reply: String,
    /// The whole reasoning text.
    pub reasoning: String,
    /// The summary as JSON.
    pub summary: String,
    /// Rows of the frame table.
    pub frames: u64,
    /// Bytes received.
    pub bytes_down: u64,
    /// Bytes sent.
    pub bytes_up: u64,
    /// Milliseconds from the start of dialling to the first text or reasoning.
    pub ttft_ms: Option<f64>,
    /// Milliseconds from the start of dialling to the end.
    pub total_ms: f64,
    /// HTTP status of the last response.
    pub status: Option<u16>,
}

/// Where a session is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Records are still coming.
    Recording,
    /// Nothing more comes.
    Done,
}

/// One session, as the list shows it and as opening it needs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionRow {
    /// Id: 16 lower-case letters and digits.
    pub id: String,
    /// Recording or done.
    pub state: State,
    /// Title.
    pub title: String,
    /// Provider id.
    pub provider: String,
    /// Model name.
    pub model: String,
    /// Dialect id.
    pub dialect: String,
    /// Transport.
    pub transport: String,
    /// `complete`, `cut`, `cancelled`, `failed`; empty while recording.
    pub outcome: String,
    /// HTTP status of the last response.
    pub status: Option<u16>,
    /// Unix time in milliseconds.
    pub started_at_ms: i64,
    /// Milliseconds to the first text or reasoning.
    pub ttft_ms: Option<f64>,
    /// Milliseconds to the end; 0 while recording.
    pub total_ms: f64,
    /// Rows of the frame table; 0 while recording.
    pub frames: u64,
    /// Bytes received; 0 while recording.
    pub bytes_down: u64,
    /// Bytes sent; 0 while recording.
    pub bytes_up: u64,
    /// Tags, sorted.
    pub tags: Vec<String>,
    /// Unix time in milliseconds at which it was deleted, if it was and can still be restored.
    pub deleted_at_ms: Option<i64>,
    /// The summary as JSON; empty while recording.
    pub summary: String,
    /// The prompt; in a list its first 240 characters.
    pub prompt: String,
    /// The reply; in a list its first 240 characters.
    pub reply: String,
    /// The reasoning; empty in a list.
    pub reasoning: String,
    /// The plan as JSON; empty in a list.
    pub plan: String,
    /// Prompt, reply, reasoning and plan are whole: true from `Library::session`, false in a list.
    pub whole: bool,
}

/// Which sessions to list. Filters that are `None` or empty let everything through; all others must hold together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Query {
    /// Words, all of which must occur in title, prompt, reply or reasoning; the last one may be unfinished. Nothing in it is an operator.
    pub text: String,
    /// Provider id.
    pub provider: Option<String>,
    /// Transport.
    pub transport: Option<String>,
    /// Outcome.
    pub outcome: Option<String>,
    /// A tag.
    pub tag: Option<String>,
    /// Started at this Unix time (milliseconds) or later.
    pub since_ms: Option<i64>,
    /// List the deleted sessions that can be restored, instead of the others.
    pub deleted: bool,
    /// How many to leave out at the front.
    pub offset: u64,
    /// How many rows at most.
    pub limit: u64,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            text: String::new(),
            provider: None,
            transport: None,
            outcome: None,
            tag: None,
            since_ms: None,
            deleted: false,
            offset: 0,
            limit: 100,
        }
    }
}

/// A stretch of the list, newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// The rows, as many as [`Query::limit`] lets through.
    pub rows: Vec<SessionRow>,
    /// How many sessions fit the query in all.
    pub total: u64,
    /// Bytes sent and received by all of them.
    pub bytes: u64,
}
