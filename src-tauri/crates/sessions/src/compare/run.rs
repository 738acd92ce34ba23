//! One run of a lane, as it is kept.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::RunFigures;

/// Why a run does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, rename = "RunFailure")]
pub struct Failure {
    /// Stable code, e.g. `timeout-idle`, `http-429`, `cut`.
    pub code: String,
    /// The cause in one sentence.
    pub message: String,
    /// `peer`, `network`, `local`, `configuration` or `user`.
    pub blame: String,
    /// HTTP status, where one came.
    pub status: Option<u16>,
}

/// A run that is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export, rename = "CompareRun")]
pub struct Run {
    /// Its lane, from 0.
    pub lane: u32,
    /// Its number in the lane, from 1; warm-ups are numbered apart. Runs with the same number make a pair.
    pub n: u32,
    /// The session it is kept as; "" where nothing could be sent.
    pub session: String,
    /// Its figures are dropped.
    pub warmup: bool,
    /// Its place in the order of all runs, from 0.
    pub order: u32,
    /// Unix time of its start, ms.
    pub started_at_ms: f64,
    /// Its figures; what it got to where it failed.
    pub figures: RunFigures,
    /// Why it does not count.
    pub failure: Option<Failure>,
    /// How far the time of day ran ahead of what had passed since the run before began, ms, where that is more than a second: the clock
    /// was set, or where the system does not tell sleep, the machine slept.
    #[serde(default)]
    pub clock_jump_ms: Option<f64>,
    /// How long the machine slept since the run before began, ms, where the system tells that and it was more than a second.
    #[serde(default)]
    pub slept_ms: Option<f64>,
    /// How long Weir itself stood still within the run, ms, where it was more than three seconds: suspended, or without a processor.
    #[serde(default)]
    pub stood_ms: Option<f64>,
    /// One of the three fell into this run.
    #[serde(default)]
    pub within: bool,
    /// One of the three fell into this run and touches its figures: it does not count.
    #[serde(default)]
    pub disturbed: bool,
    /// How far this machine's time of day lay ahead of the server's (`Date`, RFC 9110, section 6.6.1) when the response came, ms; the
    /// server tells whole seconds. Absent where it told none.
    #[serde(default)]
    pub date_ahead_ms: Option<f64>,
}

impl Run {
    /// Whether its figures count.
    pub fn counts(&self) -> bool {
        !self.warmup && self.failure.is_none() && !self.disturbed
    }
}
