//! The Sessions view.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(export)]
pub struct SessionsQuery {
    /// Words to be found in title, prompt, reply or reasoning.
    pub text: String,
    /// Provider id, or "".
    pub provider: String,
    /// Transport, or "".
    pub transport: String,
    /// Outcome, or "".
    pub outcome: String,
    /// Tag, or "".
    pub tag: String,
    /// Unix time in ms; 0 for all.
    #[ts(type = "number")]
    pub since_ms: i64,
    /// Rows to skip.
    pub offset: u32,
    /// Rows at most.
    pub limit: u32,
}

/// A session in the list.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SessionSummary {
    /// Session id.
    pub id: String,
    /// Title.
    pub title: String,
    /// Provider id.
    pub provider: String,
    /// Model.
    pub model: String,
    /// Dialect id.
    pub dialect: String,
    /// Transport.
    pub transport: String,
    /// Unix time of the start, ms.
    pub started_at_ms: f64,
    /// Duration, ms.
    pub total_ms: f64,
    /// Rows of the frame table.
    pub frames: u32,
    /// Bytes received.
    #[ts(type = "number")]
    pub bytes_down: u64,
    /// Time to first text or reasoning, ms.
    pub ttft_ms: Option<f64>,
    /// `complete`, `cut`, `cancelled`, `failed`, or `recording` while it runs.
    pub outcome: String,
    /// Code of the problem, where it did not complete.
    pub problem: String,
    /// HTTP status.
    pub status: Option<u16>,
    /// Tags.
    pub tags: Vec<String>,
    /// The prompt, first 2,000 characters.
    pub prompt: String,
    /// The reply, first 2,000 characters.
    pub reply: String,
    /// Figures as they were when it ended.
    pub metrics: Option<super::Metrics>,
}

/// A page of the list.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SessionPage {
    /// Sessions that match.
    pub total: u32,
    /// Bytes of the whole library.
    #[ts(type = "number")]
    pub bytes: u64,
    /// The page.
    pub sessions: Vec<SessionSummary>,
}

/// A format to export to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export)]
pub enum ExportFormat {
    /// Weir's own file: opens again exactly.
    Weir,
    /// HTTP Archive 1.2, WebSocket messages included.
    Har,
    /// One frame a line.
    Jsonl,
    /// The bytes as received.
    Raw,
    /// Prompt and reply.
    Markdown,
    /// The request, key as a variable.
    Curl,
    /// The frame table for spreadsheets.
    Csv,
    /// Packets for Wireshark.
    Pcapng,
    /// A trace for OpenTelemetry.
    Otlp,
}
