//! What is shown of a drill while it runs, and after.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use weir_dialects::Transport;

use super::Drill;
use crate::view::Problem;

/// Where a drill or a lane stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export)]
pub enum DrillState {
    /// It runs.
    #[default]
    Running,
    /// It ran to its end.
    Done,
    /// The user stopped it.
    Stopped,
}

/// Where a lane stands.
pub type LaneState = DrillState;

/// Something that happened on a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export)]
pub enum MomentKind {
    /// A request went out.
    Asked,
    /// The server said that it is about to go.
    Announced,
    /// The last byte before a break: since then nothing came.
    Fault,
    /// The break is known.
    Noticed,
    /// The first word after a break that is new.
    Recovered,
    /// All has come, or nothing more will.
    Ended,
}

/// A moment of a lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export, rename = "DrillMoment")]
pub struct Moment {
    /// Milliseconds since the drill began.
    pub t_ms: f64,
    /// What happened.
    pub kind: MomentKind,
    /// The same in words.
    pub words: String,
}

/// A word that came.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export, rename = "DrillTick")]
pub struct Tick {
    /// Milliseconds since the drill began.
    pub t_ms: f64,
    /// It had come before.
    pub again: bool,
}

/// What one lane went through. Times in milliseconds; none where it did not come to that.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[ts(export, rename = "DrillLane")]
pub struct LaneReport {
    /// Its id.
    pub lane: String,
    /// A few words.
    pub name: String,
    /// Dialect that reads what comes.
    pub dialect: String,
    /// How the reply travels.
    pub transport: Transport,
    /// How it meets a break, in words.
    pub resumes: String,
    /// From the last byte to knowing of the first break.
    pub notice_ms: Option<f64>,
    /// From knowing of it to the first word that was new.
    pub recover_ms: Option<f64>,
    /// The longest time without a new word once the first had come.
    pub silence_ms: Option<f64>,
    /// Words that never came.
    pub lost: u32,
    /// Words that came again.
    pub repeated: u32,
    /// Words that were meant.
    pub meant: u32,
    /// Requests after the first.
    pub reconnects: u32,
    /// Of those, requests for a reply that is made, and charged for, anew.
    pub asked_again: u32,
    /// Bytes that crossed twice: events that had come before, and requests said again.
    #[ts(type = "number")]
    pub bytes_twice: u64,
    /// Bytes of them that Weir sent.
    #[ts(type = "number")]
    pub bytes_twice_up: u64,
    /// All words came.
    pub whole: bool,
    /// How it ended, where that was no good end: a stable code.
    pub error: Option<String>,
    /// Its session in the library; "" where none could be begun.
    pub session: String,
}

/// A lane as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[ts(export, rename = "DrillLaneView")]
pub struct LaneView {
    /// Where it stands.
    pub state: DrillState,
    /// Its figures so far.
    pub report: LaneReport,
    /// What happened, in order.
    pub moments: Vec<Moment>,
    /// Words that came, in order.
    pub ticks: Vec<Tick>,
}

/// What is new on a lane.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export, rename = "DrillLaneUpdate")]
pub struct LaneUpdate {
    /// Where it stands.
    pub state: DrillState,
    /// Its figures so far.
    pub report: LaneReport,
    /// All that happened: a few.
    pub moments: Vec<Moment>,
    /// Words that came since the last update.
    pub ticks: Vec<Tick>,
}

/// A drill as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct DrillView {
    /// What is drilled.
    pub drill: Drill,
    /// When it began, Unix time in milliseconds.
    pub started_at_ms: f64,
    /// Where it stands.
    pub state: DrillState,
    /// For how long it has run.
    pub elapsed_ms: f64,
    /// Its lanes.
    pub lanes: Vec<LaneView>,
    /// Why it could not go on.
    pub problem: Option<Problem>,
}

/// What is new in a drill.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct DrillUpdate {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub state: DrillState,
    /// For how long it has run.
    pub elapsed_ms: f64,
    /// Its lanes, in order.
    pub lanes: Vec<LaneUpdate>,
    /// Why it could not go on.
    pub problem: Option<Problem>,
}
