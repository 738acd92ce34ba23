//! What the user wants to say, before any dialect shapes it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{Aside, ToolCall};

/// How the reply travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export)]
pub enum Transport {
    /// One HTTP response.
    Http,
    /// Server-sent events.
    #[default]
    Sse,
    /// One JSON value a line.
    Ndjson,
    /// WebSocket messages.
    Websocket,
    /// `application/vnd.amazon.eventstream`.
    Eventstream,
}

impl Transport {
    /// The name as in the CLI.
    pub const fn name(self) -> &'static str {
        match self {
            Transport::Http => "http",
            Transport::Sse => "sse",
            Transport::Ndjson => "ndjson",
            Transport::Websocket => "websocket",
            Transport::Eventstream => "eventstream",
        }
    }
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export)]
pub enum Role {
    /// The person.
    User,
    /// The model.
    Assistant,
    /// The result of a tool call.
    Tool,
}

/// One turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said; for [`Role::Tool`] the result.
    pub text: String,
    /// Calls the assistant made in this turn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<ToolCall>>", optional)]
    pub tool_calls: Vec<ToolCall>,
    /// Which call a [`Role::Tool`] turn answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub tool_call_id: Option<String>,
    /// Images and files that belong to the turn, in order, before its text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<Attachment>>", optional)]
    pub attachments: Vec<Attachment>,
    /// What the assistant thought in this turn: some APIs want it back when a tool result follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reasoning: Option<String>,
    /// The provider's seal on the reasoning, or on the text, to be sent back as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub signature: Option<String>,
    /// The turn as a pasted body had it, where it has more than these fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub aside: Option<Box<Aside>>,
}

impl Message {
    /// A turn of nothing but text.
    pub fn new(role: Role, text: impl Into<String>) -> Self {
        Self {
            role,
            text: text.into(),
            tool_calls: Vec::new(),
            tool_call_id: None,
            attachments: Vec::new(),
            reasoning: None,
            signature: None,
            aside: None,
        }
    }
}

/// An image or file in a turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Attachment {
    /// Media type, e.g. `image/png`.
    pub media_type: String,
    /// File name, or "".
    #[serde(default)]
    pub name: String,
    /// Where the content is.
    pub source: Source,
}

/// Where an attachment's content is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export, rename = "AttachmentSource")]
pub enum Source {
    /// Here, in base64 (RFC 4648 §4, padded, no `data:` prefix).
    Data(String),
    /// At a URL the provider fetches.
    Url(String),
}

/// A function the model may call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Tool {
    /// Function name.
    pub name: String,
    /// What it does.
    #[serde(default)]
    pub description: String,
    /// JSON Schema of its arguments.
    #[ts(type = "unknown")]
    pub parameters: serde_json::Value,
}

/// Sampling and output parameters; what is `None` is not sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(export)]
pub struct Params {
    /// 0..=2
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// 0..=1
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// Tokens at most.
    #[ts(optional, type = "number")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// For reproducible sampling, where the API has it.
    #[ts(optional, type = "number")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// Sequences that end the reply.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<String>>", optional)]
    pub stop: Vec<String>,
    /// `low`, `medium`, `high`, or what the API takes.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// `auto`, `none`, `required`, or a tool's name.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<String>,
    /// Ask for usage in the stream (default true).
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<bool>,
    /// Members of the request body that Weir has no name for. They go in as they are; objects are merged with those of the same name.
    #[ts(optional, type = "Record<string, unknown>")]
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub extra: serde_json::Map<String, serde_json::Value>,
}

/// The form the reply is to have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Output {
    /// A name for the form; some APIs want one.
    #[serde(default)]
    pub name: String,
    /// JSON Schema of the reply; `None` asks for any JSON.
    #[ts(type = "unknown | null")]
    #[serde(default)]
    pub schema: Option<serde_json::Value>,
}

/// The whole question.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(export)]
pub struct Ask {
    /// Model name as the provider writes it.
    pub model: String,
    /// System prompt; empty for none.
    pub system: String,
    /// The system prompt as a pasted body had it, where it is more than one text.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_aside: Option<Box<Aside>>,
    /// The conversation, oldest turn first.
    pub messages: Vec<Message>,
    /// Parameters.
    pub params: Params,
    /// Tools on offer.
    pub tools: Vec<Tool>,
    /// Structured output; `None` for free text.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Output>,
    /// The JSON body as the user edited it; sent instead of the built one.
    #[ts(optional)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_body: Option<String>,
}
