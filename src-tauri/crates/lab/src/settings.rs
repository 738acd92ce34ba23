//! What can be set about the Lab. Settings hold for connections accepted after they were set; a request may override
//! parts of them for itself with `x-lab-*` headers (see [`crate::overrides`]).

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::fault::Switch;
use crate::pace::Pace;

/// The port the Lab listens on unless told otherwise.
pub const DEFAULT_PORT: u16 = 4780;

/// The longest reply the Lab agrees to make, in tokens. Longer requests are refused, not cut in silence.
pub const MAX_REPLY_TOKENS: u32 = 1_000_000;

/// How to start a [`crate::Lab`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct LabConfig {
    /// Port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// What the first connections get.
    pub settings: Settings,
}

impl Default for LabConfig {
    fn default() -> Self {
        LabConfig { port: DEFAULT_PORT, settings: Settings::default() }
    }
}

/// Everything the Lab view can turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
#[ts(export, rename = "LabSettings")]
pub struct Settings {
    /// Rhythm and length of replies.
    pub pace: Pace,
    /// What replies are about.
    pub reply: Reply,
    /// Recipes and whether they are on, in the catalogue's order. Recipes not listed are off.
    pub faults: Vec<Switch>,
    /// Whether a connection that opens with the HTTP/2 preface is served (RFC 9113 §3.3, prior knowledge).
    pub http2: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { pace: Pace::default(), reply: Reply::default(), faults: crate::fault::switches(), http2: true }
    }
}

/// What a reply is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export, rename = "LabReply")]
pub enum Reply {
    /// Markdown that explains the very protocol the reply travels on.
    #[default]
    Lesson,
    /// The prompt, said back over and over: a reply whose text the caller knows beforehand.
    Echo,
    /// Text that is hard to decode: many scripts, combining marks, emoji sequences, unusual line separators.
    Unicode,
}
