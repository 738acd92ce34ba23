//! A comparison as it crosses to the page and to scripts.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Comparison, Run, Table};
use crate::view::{RibbonPhase, Update};

/// Where a comparison stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export, rename = "CompareState")]
pub enum State {
    /// Runs are made.
    #[default]
    Running,
    /// All runs were made.
    Done,
    /// It was stopped before; what is there is kept.
    Stopped,
}

/// How far it has got.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export, rename = "CompareProgress")]
pub struct Progress {
    /// Where it stands.
    pub state: State,
    /// Runs that are over, warm-ups included.
    pub done: u32,
    /// Runs there are to be, warm-ups included.
    pub of: u32,
    /// Runs that failed, warm-ups included.
    pub failed: u32,
    /// Milliseconds since it began; until its end once it is over.
    pub elapsed_ms: f64,
    /// Milliseconds that the rest will take at the pace so far; absent before the first run is over.
    pub left_ms: Option<f64>,
}

/// A comparison in the list.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ComparisonSummary {
    /// Id.
    pub id: String,
    /// Title.
    pub title: String,
    /// Names of the lanes.
    pub lanes: Vec<String>,
    /// Unix time of the start, ms.
    pub started_at_ms: f64,
    /// Runs of each lane that were asked for.
    pub runs: u32,
    /// Runs that are over, warm-ups included.
    pub done: u32,
    /// Runs that failed.
    pub failed: u32,
    /// Where it stands.
    pub state: State,
}

/// A comparison, running or reopened.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ComparisonView {
    /// What was asked for.
    pub comparison: Comparison,
    /// Unix time of the start, ms.
    pub started_at_ms: f64,
    /// How far it has got.
    pub progress: Progress,
    /// The runs that are over, in the order they ended.
    pub runs: Vec<Run>,
    /// The figures.
    pub table: Table,
}

/// What is new since the last update of this watcher. The first one holds everything.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ComparisonUpdate {
    /// Id.
    pub id: String,
    /// How far it has got.
    pub progress: Progress,
    /// Runs that ended.
    pub runs: Vec<Run>,
    /// The figures, where they changed; at most four times a second.
    pub table: Option<Table>,
    /// Lanes with news.
    pub lanes: Vec<LaneUpdate>,
}

/// News of a lane's present run.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct LaneUpdate {
    /// The lane, from 0.
    pub lane: u32,
    /// The run's number in the lane, from 1.
    pub n: u32,
    /// It is a warm-up.
    pub warmup: bool,
    /// When the measured request began, ms since the dial: 0 on a new connection.
    pub zero_ms: f64,
    /// What is new of its session; a run that was not seen before begins with everything.
    pub update: Update,
    /// When deltas with content came, ms since the dial: those since the last update.
    pub ticks: Vec<f64>,
}

/// A run that is over, for the playhead: what was to be seen when.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct LaneReplay {
    /// Session id.
    pub session: String,
    /// When the measured request began, ms since the dial: 0 on a new connection.
    pub zero_ms: f64,
    /// When it ended.
    pub end_ms: f64,
    /// Connect and wait, ms since the dial.
    pub phases: Vec<RibbonPhase>,
    /// The reply's text; reasoning and text in the order they came.
    pub text: String,
    /// For each delta with content: when it came (ms since the dial), and how much of `text` was there then, in UTF-16 code units.
    pub ticks: Vec<(f64, u32)>,
}

/// What a comparison will cost.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ComparisonCost {
    /// Requests in all; a run over a reused connection makes two.
    pub requests: u32,
    /// Of them warm-ups, and first requests on connections that are then reused.
    pub dropped: u32,
    /// Each lane's share.
    pub lanes: Vec<LaneCost>,
    /// What keeps it from starting.
    pub problem: Option<crate::view::Problem>,
}

/// A lane's share of the cost.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct LaneCost {
    /// Requests.
    pub requests: u32,
    /// It costs nothing: the built-in Lab answers.
    pub free: bool,
    /// Input tokens of all requests, by what the same question took before; absent where that is not known.
    #[ts(type = "number | null")]
    pub input_tokens: Option<u64>,
    /// Output tokens likewise.
    #[ts(type = "number | null")]
    pub output_tokens: Option<u64>,
    /// Output tokens at most, where the request has a limit.
    #[ts(type = "number | null")]
    pub most_output_tokens: Option<u64>,
}

/// A comparison to start from.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export)]
pub struct Preset {
    /// Stable id, e.g. `protocols`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it answers, in one sentence.
    pub about: String,
    /// The comparison; absent where the provider cannot do it.
    pub comparison: Option<Comparison>,
    /// Why it cannot.
    pub why: String,
}

/// A format for reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export)]
pub enum ReportFormat {
    /// One page with charts and method, no other file needed.
    Html,
    /// Markdown.
    Markdown,
    /// One run a line.
    Csv,
    /// Everything, for programs.
    Json,
}
