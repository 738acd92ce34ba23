//! What is measured: kinds, ways, numbers.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::kinds::{self, KINDS, RATE, Way};
use super::limit;
use crate::Error;

/// Connections at most.
pub const MOST_CONNECTIONS: u32 = 1_000;

/// A memory drill.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct MemoryDrill {
    /// Its id; "" for one that has yet to start, which then gets one.
    #[serde(default)]
    pub id: String,
    /// Ids of the kinds.
    pub kinds: Vec<String>,
    /// Idle, streaming, or both.
    pub ways: Vec<Way>,
    /// Numbers of connections, rising. None at all is measured before the first.
    pub series: Vec<u32>,
    /// How often the series is gone through, each time with new processes.
    pub rounds: u32,
    /// Milliseconds for which CPU time is counted at each number.
    pub window_ms: u32,
}

impl Default for MemoryDrill {
    fn default() -> Self {
        Self {
            id: String::new(),
            kinds: KINDS.iter().map(|kind| kind.id.to_owned()).collect(),
            ways: vec![Way::Idle, Way::Streaming],
            series: vec![1, 10, 100, 1000],
            rounds: 2,
            window_ms: 1_000,
        }
    }
}

impl MemoryDrill {
    /// What stands in the way of it.
    ///
    /// # Errors
    /// `kinds`, `series`, `rounds`, `window`; `file-limit` where the system lets a process open fewer files.
    pub fn check(&self) -> Result<(), Error> {
        let wrong = |code: &str, message: String, next: &str| Err(Error::new("user", code, message, "Nothing was started.", "", next));
        if let Some(id) = self.kinds.iter().find(|id| kinds::find(id).is_none()) {
            let known: Vec<&str> = KINDS.iter().map(|kind| kind.id).collect();
            return wrong("kinds", format!("There is no kind «{id}»."), &format!("Choose among {}.", known.join(", ")));
        }
        if self.kinds.is_empty() || self.ways.is_empty() || self.kinds.len() > KINDS.len() || self.ways.len() > 2 {
            return wrong("kinds", "A memory drill has one kind and one way or more.".into(), "Choose kinds.");
        }
        let rises = self.series.windows(2).all(|pair| pair[0] < pair[1]);
        if self.series.is_empty() || !rises || self.series.iter().any(|n| !(1..=MOST_CONNECTIONS).contains(n)) {
            let message = format!("A series is one number or more from 1 to {MOST_CONNECTIONS}, each larger than the one before.");
            return wrong("series", message, "Write one like 1,10,100,1000.");
        }
        if !(1..=20).contains(&self.rounds) {
            return wrong("rounds", format!("There are 1 to 20 rounds; asked for were {}.", self.rounds), "Choose another number.");
        }
        if !(100..=60_000).contains(&self.window_ms) {
            return wrong("window", "CPU time is counted for 0.1 to 60 s.".into(), "Choose another time.");
        }
        limit::check(&self.series)
    }

    /// Measurements in all.
    pub fn total(&self) -> u32 {
        self.rounds * self.kinds.len() as u32 * self.ways.len() as u32 * (self.series.len() as u32 + 1)
    }

    /// Words of a reply that streams for as long as it is looked at: every window, and the time to open so many.
    pub(super) fn words(&self) -> u32 {
        let opening = 30 + self.series.iter().sum::<u32>() / 50;
        RATE * (opening + (self.window_ms * (self.series.len() as u32 + 1)).div_ceil(1000))
    }
}
