//! What is drilled: a fault, lanes, and the rhythm.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::lanes::{self, LANES};
use crate::Error;

/// Words of a reply at most: more are no clearer to look at.
pub const MOST_TOKENS: u32 = 2_000;

/// Which connections of a lane the fault meets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export, rename = "DrillRepeat")]
pub enum Repeat {
    /// The first one; what is a gateway's way of being (an idle timeout, buffering) meets all all the same.
    #[default]
    Once,
    /// Every one.
    Always,
}

/// A drill.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Drill {
    /// Its id; "" for one that has yet to start, which then gets one.
    #[serde(default)]
    pub id: String,
    /// The fault, as `x-lab-fault` takes it: `drop-after=40`, or several by commas.
    pub fault: String,
    /// Ids of the lanes.
    pub lanes: Vec<String>,
    /// Milliseconds without a byte after which a lane gives a connection up.
    pub patience_ms: u32,
    /// Words of the reply.
    pub tokens: u32,
    /// Words a second.
    pub rate: u32,
    /// HTTP version of the lanes over HTTP: `1.1` or `2`.
    pub http: String,
    /// Which connections the fault meets.
    #[serde(default)]
    pub repeat: Repeat,
}

impl Default for Drill {
    fn default() -> Self {
        Self {
            id: String::new(),
            fault: "drop-after=20".into(),
            lanes: LANES.iter().map(|lane| lane.id.to_owned()).collect(),
            patience_ms: 2_000,
            tokens: 60,
            rate: 30,
            http: "1.1".into(),
            repeat: Repeat::Once,
        }
    }
}

/// Recipes that are something that happens, not the way a peer is.
const INCIDENTS: &[&str] = &[
    "drop-after",
    "cut-after",
    "stall",
    "stall-after",
    "goaway",
    "malformed-json",
    "invalid-utf8",
    "bad-crc",
    "status",
    "status-429",
    "status-500",
    "html-error",
    "json-instead-of-stream",
    "redirect",
    "empty",
    "no-end-marker",
    "close",
    "close-1001",
    "close-1012",
    "close-1013",
    "ws-refuse",
    "oversized",
    "huge-line",
];

impl Drill {
    /// What stands in the way of it.
    ///
    /// # Errors
    /// `lanes`, `tokens`, `rate`, `patience`, `http`. Whether there is such a fault, the Lab knows.
    pub fn check(&self) -> Result<(), Error> {
        let wrong = |code: &str, message: String, next: &str| Err(Error::new("user", code, message, "Nothing was sent.", "", next));
        if self.lanes.is_empty() || self.lanes.len() > LANES.len() {
            return wrong("lanes", "A drill has one lane or more, each of them once.".into(), "Choose lanes.");
        }
        for (at, id) in self.lanes.iter().enumerate() {
            let known: Vec<&str> = LANES.iter().map(|lane| lane.id).collect();
            if lanes::find(id).is_none() {
                return wrong("lanes", format!("There is no lane «{id}»."), &format!("Choose among {}.", known.join(", ")));
            }
            if self.lanes[..at].contains(id) {
                return wrong("lanes", format!("The lane «{id}» is named twice."), "Name each once.");
            }
        }
        if !(1..=MOST_TOKENS).contains(&self.tokens) {
            return wrong(
                "tokens",
                format!("A reply has 1 to {MOST_TOKENS} words; asked for were {}.", self.tokens),
                "Choose another length.",
            );
        }
        if !(1..=1_000).contains(&self.rate) {
            return wrong("rate", format!("The pace is 1 to 1000 words a second; asked for were {}.", self.rate), "Choose another pace.");
        }
        if !(50..=3_600_000).contains(&self.patience_ms) {
            let message = format!("A lane waits 50 ms to an hour for a byte; asked for were {} ms.", self.patience_ms);
            return wrong("patience", message, "Choose another time.");
        }
        if !matches!(self.http.as_str(), "1.1" | "2") {
            return wrong("http", format!("There is no HTTP version «{}».", self.http), "Choose 1.1 or 2.");
        }
        Ok(())
    }

    /// The fault of a lane's `n`th request, from 1, as the Lab is told of it.
    pub(super) fn fault_of(&self, n: u32) -> String {
        if n <= 1 || self.repeat == Repeat::Always {
            return if self.fault.trim().is_empty() { "none".into() } else { self.fault.clone() };
        }
        let name = |spec: &str| spec.split([';', '=']).next().unwrap_or_default().trim().to_owned();
        let left: Vec<&str> = self.fault.split(',').map(str::trim).filter(|spec| !INCIDENTS.contains(&name(spec).as_str())).collect();
        let left = left.join(",");
        // Without a word the Lab's own switches would be in force.
        if left.is_empty() { "none".into() } else { left }
    }

    /// The time between two words.
    pub(super) fn beat(&self) -> Duration {
        Duration::from_secs(1) / self.rate.max(1)
    }

    /// How long the reply takes where nothing goes wrong.
    pub(super) fn length(&self) -> Duration {
        TTFT + self.beat() * self.tokens
    }

    /// How long a lane waits for a byte.
    pub(super) fn patience(&self) -> Duration {
        Duration::from_millis(self.patience_ms.into())
    }

    /// The prompt that is said back: every word a number of its own.
    pub(super) fn prompt(&self) -> String {
        (0..self.tokens).map(|n| format!("t{n:04}")).collect::<Vec<_>>().join(" ")
    }
}

/// The time to the first word.
pub(super) const TTFT: Duration = Duration::from_millis(100);

/// The numbers of the words in `text`.
pub(super) fn numbers(text: &str) -> impl Iterator<Item = u32> + '_ {
    text.split_whitespace().filter_map(|word| word.strip_prefix('t')?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_meets_the_first_connection_and_a_gateway_all_of_them() {
        let drill = Drill { fault: "stall=30;after=5, idle-timeout=1".into(), ..Drill::default() };
        assert_eq!((drill.fault_of(1).as_str(), drill.fault_of(2).as_str()), ("stall=30;after=5, idle-timeout=1", "idle-timeout=1"));
        let always = Drill { repeat: Repeat::Always, ..drill };
        assert_eq!(always.fault_of(7), always.fault);
        assert_eq!(Drill { fault: "drop-after=3".into(), ..always.clone() }.fault_of(2), "drop-after=3");
        assert_eq!(Drill::default().fault_of(2), "none");
    }

    #[test]
    fn words_are_numbers() {
        let drill = Drill { tokens: 3, ..Drill::default() };
        assert_eq!(drill.prompt(), "t0000 t0001 t0002");
        assert_eq!(numbers(" t0002 the t0001").collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    fn what_cannot_be_drilled_is_named() {
        let code = |drill: Drill| drill.check().unwrap_err().0.code;
        assert_eq!(code(Drill { lanes: vec![], ..Drill::default() }), "lanes");
        assert_eq!(code(Drill { lanes: vec!["reply".into(), "reply".into()], ..Drill::default() }), "lanes");
        assert_eq!(code(Drill { lanes: vec!["smoke".into()], ..Drill::default() }), "lanes");
        assert_eq!(code(Drill { tokens: 0, ..Drill::default() }), "tokens");
        assert_eq!(code(Drill { rate: 0, ..Drill::default() }), "rate");
        assert_eq!(code(Drill { patience_ms: 1, ..Drill::default() }), "patience");
        assert_eq!(code(Drill { http: "3".into(), ..Drill::default() }), "http");
        assert!(Drill::default().check().is_ok());
    }
}
