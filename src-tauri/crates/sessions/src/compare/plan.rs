//! What is compared: lanes, how often, in which order.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use weir_dialects::Transport;

use crate::view::{Draft, HeaderLine};
use crate::{Engine, Error};

/// Lanes of a comparison: fewer compare nothing, more cannot be read.
pub const LANES: std::ops::RangeInclusive<usize> = 2..=6;

/// Runs a lane may have.
pub const RUNS: std::ops::RangeInclusive<u32> = 1..=1000;

/// Warm-up runs a lane may have.
pub const WARMUPS: u32 = 100;

/// Order of the runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export, rename = "CompareOrder")]
pub enum Order {
    /// One run at a time; in each round every lane has one, in an order drawn anew.
    #[default]
    Interleaved,
    /// All lanes of a round at once: they share the weather, and the bandwidth.
    Parallel,
}

/// The connection that a lane's runs go over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export, rename = "LaneConnection")]
pub enum Connection {
    /// A new one for each run: DNS, TCP and TLS are part of every figure that counts from the dial.
    #[default]
    Cold,
    /// One that has carried the same request once: only the second time counts, from when it was sent.
    Reused,
}

/// A lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Lane {
    /// Its name; the letter A to F is by its position.
    pub name: String,
    /// The request.
    pub draft: Draft,
    /// The connection.
    #[serde(default)]
    pub connection: Connection,
    /// Content coding to ask for: `gzip`, `br`, `deflate`, `zstd`, or "" for none.
    #[serde(default)]
    pub coding: String,
    /// permessage-deflate is offered over WebSocket.
    #[serde(default)]
    pub deflate: bool,
}

/// A comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Comparison {
    /// Its id; "" for one that has yet to start, which then gets one.
    #[serde(default)]
    pub id: String,
    /// Its title.
    pub title: String,
    /// Two to six lanes.
    pub lanes: Vec<Lane>,
    /// Runs of each lane that count.
    pub runs: u32,
    /// Runs of each lane before those, whose figures are dropped.
    #[serde(default)]
    pub warmups: u32,
    /// Order of the runs.
    #[serde(default)]
    pub order: Order,
    /// Fixes the order and the bootstrap's draws; at most 2^53.
    #[ts(type = "number")]
    #[serde(default)]
    pub seed: u64,
    /// Milliseconds between two runs (parallel: rounds).
    #[serde(default)]
    pub pause_ms: u32,
}

/// The letter of a lane.
pub fn letter(lane: usize) -> char {
    char::from(b'A' + u8::try_from(lane).unwrap_or(25).min(25))
}

impl Lane {
    /// The request as its runs send it.
    pub fn request(&self, title: String) -> Draft {
        let mut draft = self.draft.clone();
        draft.title = Some(title);
        draft.keep_open = false;
        draft.deflate |= self.deflate;
        draft.reused |= self.connection == Connection::Reused;
        if !self.coding.is_empty() {
            draft.headers.retain(|header| !header.name.eq_ignore_ascii_case("accept-encoding"));
            draft.headers.push(HeaderLine { name: "Accept-Encoding".into(), value: self.coding.clone() });
        }
        draft
    }
}

impl Comparison {
    /// Runs in all, warm-ups included.
    pub fn total(&self) -> u32 {
        (self.runs + self.warmups) * self.lanes.len() as u32
    }

    /// What stands in the way of running it.
    ///
    /// # Errors
    /// `lanes`, `runs`, `coding`, `deflate`, `reuse`, and those of planning a request, named by lane.
    pub fn check(&self, engine: &Engine) -> Result<(), Error> {
        if !LANES.contains(&self.lanes.len()) {
            return Err(wrong(
                "lanes",
                format!("A comparison has two to six lanes; this one has {}.", self.lanes.len()),
                "Add or remove lanes.",
            ));
        }
        if !RUNS.contains(&self.runs) || self.warmups > WARMUPS {
            let message = format!(
                "A lane has 1 to {} runs and at most {WARMUPS} warm-ups; asked for were {} and {}.",
                RUNS.end(),
                self.runs,
                self.warmups
            );
            return Err(wrong("runs", message, "Choose another number of runs."));
        }
        for (at, lane) in self.lanes.iter().enumerate() {
            lane.check(engine).map_err(|mut error| {
                error.0.message = format!("Lane {} ({}): {}", letter(at), lane.name, error.0.message);
                error
            })?;
        }
        Ok(())
    }
}

impl Lane {
    fn check(&self, engine: &Engine) -> Result<(), Error> {
        let socket = self.draft.transport == Transport::Websocket;
        if !matches!(self.coding.as_str(), "" | "identity" | "gzip" | "br" | "deflate" | "zstd") {
            return Err(wrong("coding", format!("There is no content coding «{}».", self.coding), "Choose gzip, br, deflate or zstd."));
        }
        if !self.coding.is_empty() && socket {
            return Err(wrong("coding", "WebSocket messages have no content coding.".into(), "Offer permessage-deflate instead."));
        }
        if self.deflate && !socket {
            return Err(wrong("deflate", "permessage-deflate is an extension of WebSocket.".into(), "Choose a content coding instead."));
        }
        let draft = self.request(String::new());
        if let Some(error) = engine.missing_key(&draft) {
            return Err(error);
        }
        let plan = engine.plan(&draft, &crate::KeyChoice::Stored)?;
        if self.connection == Connection::Reused && socket && !plan.dialect().persistent(Transport::Websocket) {
            let message = format!("{} takes one turn on a WebSocket, so its connection cannot be reused.", plan.dialect().name());
            return Err(wrong("reuse", message, "Choose cold connections for this lane."));
        }
        Ok(())
    }
}

fn wrong(code: &str, message: String, next: &str) -> Error {
    Error::new("user", code, message, "Nothing was sent.", "", next)
}
