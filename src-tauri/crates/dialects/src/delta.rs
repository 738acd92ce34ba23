//! What a payload says, in words that all dialects share, and the reply those deltas add up to.

use std::borrow::Cow;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Kind of a delta, and of the frame that carried it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
#[repr(u8)]
pub enum DeltaKind {
    /// Text of the reply.
    Text,
    /// Reasoning shown by the model.
    Reasoning,
    /// Refusal text.
    Refusal,
    /// A tool call began (`text` empty or first arguments) or went on (`text` = fragment of its arguments).
    ToolCall,
    /// Token usage.
    Usage,
    /// The reply's end and why.
    Finish,
    /// The peer reported an error inside the stream.
    Error,
    /// Anything else the dialect knows: role, lifecycle events, keep-alives, progress.
    Control,
    /// The payload is not of this dialect, or not JSON: shown raw.
    Unknown,
    /// A piece of sound or another medium; [`Part::Media`] tells what, `at` where its base64 (or its bytes) stands.
    Audio,
    /// What the user said in a later turn on a socket that stays open. Told by [`crate::Decoder::sent`].
    Said,
}

/// One thing a payload says.
#[derive(Clone, Debug, PartialEq)]
pub struct Delta<'a> {
    /// What it is.
    pub kind: DeltaKind,
    /// Text, reasoning, refusal, argument fragment, finish word, error message, or a word for control (`role`, `response.created`).
    pub text: Cow<'a, str>,
    /// Where `text` stands in the payload, quotes excluded, escapes as sent; empty where it has no single place.
    pub at: Range<usize>,
    /// What else is to be folded into the reply.
    pub part: Part<'a>,
}

/// Structured part of a delta.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Part<'a> {
    /// Nothing but the text.
    #[default]
    None,
    /// Which tool call, in the dialect's own numbering (choice and item folded in), and what this fragment tells of it.
    Tool {
        /// Key that is equal for all fragments of one call.
        index: u64,
        /// Call id, where told here.
        id: Option<Cow<'a, str>>,
        /// Function name, where told here.
        name: Option<Cow<'a, str>>,
        /// `text` replaces what came before (a final, whole form) instead of being appended.
        whole: bool,
    },
    /// Replaces the usage known so far.
    Usage(Usage),
    /// Why the reply ended.
    Finish(Finish),
    /// An error's code.
    Error {
        /// The provider's own code or type, or "".
        code: Cow<'a, str>,
    },
    /// How long the peer asks to wait before another try, in its own form (`17s`), where it says so beside an error and in no header.
    Retry(Cow<'a, str>),
    /// The dialect's end marker: nothing follows.
    End,
    /// Text, reasoning or refusal that replaces all that was said of its kind in this turn: a final form that differs from its pieces.
    Whole,
    /// The provider's id of the reply or response; `text` is the id. Kind [`DeltaKind::Control`].
    Id,
    /// The provider's seal on what was thought or called, to be sent back with the turn; `text` is the seal. Kind [`DeltaKind::Control`].
    Signature {
        /// Key of the tool call it belongs to (as in [`Part::Tool`]); `None` for the reasoning or the text.
        call: Option<u64>,
    },
    /// Facts of a piece of [`DeltaKind::Audio`].
    Media {
        /// Media type, e.g. `audio/pcm;rate=24000` (little-endian signed 16 bit, one channel), `audio/mpeg`.
        media_type: Cow<'a, str>,
        /// Bytes after base64 is undone.
        bytes: u64,
        /// How long it plays, where that can be known.
        ms: Option<f64>,
        /// `at` is base64 text; else the bytes themselves (a binary message).
        base64: bool,
    },
}

impl<'a> Delta<'a> {
    /// A delta of nothing but text.
    pub fn new(kind: DeltaKind, text: impl Into<Cow<'a, str>>, at: Range<usize>) -> Self {
        Self { kind, text: text.into(), at, part: Part::None }
    }
}

/// Why the reply ended, as the provider says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Finish {
    /// The provider's word: `stop`, `length`, `tool_calls`, `end_turn`, …
    pub reason: String,
}

/// Token usage as reported. Absent numbers were not reported; nothing is summed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
#[ts(export)]
pub struct Usage {
    /// Input tokens as the provider counts them.
    #[ts(type = "number | null")]
    pub input_tokens: Option<u64>,
    /// Output tokens as the provider counts them.
    #[ts(type = "number | null")]
    pub output_tokens: Option<u64>,
    /// Total as reported.
    #[ts(type = "number | null")]
    pub total_tokens: Option<u64>,
    /// Reasoning tokens.
    #[ts(type = "number | null")]
    pub reasoning_tokens: Option<u64>,
    /// Input tokens read from a cache.
    #[ts(type = "number | null")]
    pub cached_tokens: Option<u64>,
    /// Input tokens written to a cache; `input_includes_cached` speaks of them too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub cache_write_tokens: Option<u64>,
    /// Whether `output_tokens` includes the reasoning tokens; `None` where unknown.
    pub output_includes_reasoning: Option<bool>,
    /// Whether `input_tokens` includes the cached ones; `None` where unknown.
    pub input_includes_cached: Option<bool>,
}

/// A tool call, folded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ToolCall {
    /// Call id, or "" where the dialect has none.
    pub id: String,
    /// Function name.
    pub name: String,
    /// Arguments as JSON text, exactly as sent.
    pub arguments: String,
    /// The provider's seal on the call, to be sent back with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub signature: Option<String>,
}

/// The reply that the deltas add up to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// Text so far.
    pub text: String,
    /// Reasoning so far.
    pub reasoning: String,
    /// Refusal so far.
    pub refusal: String,
    /// Tool calls in order of appearance, with the dialect's numbering.
    pub tool_calls: Vec<(u64, ToolCall)>,
    /// Usage as last reported.
    pub usage: Option<Usage>,
    /// Finish as last reported.
    pub finish: Option<Finish>,
    /// First error the peer reported inside the stream: code and message.
    pub error: Option<(String, String)>,
    /// How long the peer asks to wait, as last said in the body.
    pub retry: Option<String>,
    /// The dialect's end marker was seen.
    pub ended: bool,
    /// The provider's id of the reply.
    pub id: Option<String>,
    /// The seal on the reasoning or the text.
    pub signature: Option<String>,
}

impl Reply {
    /// Folds one delta in.
    pub fn push(&mut self, delta: &Delta<'_>) {
        if matches!(delta.part, Part::Whole) {
            match delta.kind {
                DeltaKind::Text => self.text.clear(),
                DeltaKind::Reasoning => self.reasoning.clear(),
                DeltaKind::Refusal => self.refusal.clear(),
                _ => {}
            }
        }
        match delta.kind {
            DeltaKind::Text => self.text.push_str(&delta.text),
            DeltaKind::Reasoning => self.reasoning.push_str(&delta.text),
            DeltaKind::Refusal => self.refusal.push_str(&delta.text),
            _ => {}
        }
        match &delta.part {
            Part::None | Part::Whole | Part::Media { .. } => {}
            Part::Id => self.id = Some(delta.text.to_string()),
            Part::Signature { call: None } => self.signature = Some(delta.text.to_string()),
            Part::Signature { call: Some(index) } => {
                if let Some((_, call)) = self.tool_calls.iter_mut().rfind(|(key, _)| key == index) {
                    call.signature = Some(delta.text.to_string());
                }
            }
            Part::Tool { index, id, name, whole } => {
                let at = self.tool_calls.iter().rposition(|(key, _)| key == index).unwrap_or_else(|| {
                    self.tool_calls.push((*index, ToolCall::default()));
                    self.tool_calls.len() - 1
                });
                let call = &mut self.tool_calls[at].1;
                if let Some(id) = id {
                    call.id = id.to_string();
                }
                if let Some(name) = name {
                    call.name = name.to_string();
                }
                if *whole {
                    call.arguments.clear();
                }
                call.arguments.push_str(&delta.text);
            }
            Part::Usage(usage) => self.usage = Some(usage.clone()),
            Part::Finish(finish) => self.finish = Some(finish.clone()),
            Part::Error { code } => {
                if self.error.is_none() {
                    self.error = Some((code.to_string(), delta.text.to_string()));
                }
            }
            Part::Retry(after) => self.retry = Some(after.to_string()),
            Part::End => self.ended = true,
        }
    }
}
