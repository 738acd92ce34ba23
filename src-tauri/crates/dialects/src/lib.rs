//! API dialects: how each provider wants to be asked, and what its payloads mean. No I/O.
//!
//! A dialect is one file and one line in [`dialect::ALL`]; a provider is one entry in [`provider::ALL`].

pub mod advice;
pub mod ask;
pub mod delta;
pub mod dialect;
pub mod limits;
pub mod provider;

pub mod ai_sdk_ui;
pub mod anthropic_messages;
pub mod bedrock_converse;
pub mod cohere;
pub mod dashscope;
pub mod dashscope_task;
pub mod gemini;
pub mod gemini_live;
pub mod kin;
pub mod lmstudio;
pub mod mcp;
pub mod ollama;
pub mod openai_chat;
pub mod openai_realtime;
pub mod openai_responses;
pub mod qwen_realtime;
pub mod raw;
pub mod stray;
pub mod vertex;

mod aside;
mod check;
mod endpoint;
mod extra;
mod json;
mod media;
mod messages;
mod realtime;
mod report;
mod sound;
mod strange;
mod teller;
mod usage;

#[cfg(test)]
mod bodies;
#[cfg(test)]
mod parrot;
#[cfg(test)]
mod tests;

pub use aside::Aside;
pub use ask::{Ask, Attachment, Message, Output, Params, Role, Source, Tool, Transport};
pub use delta::{Delta, DeltaKind, Finish, Reply, ToolCall, Usage};
pub use dialect::{AskError, Call, ClientEvent, Decoder, Dialect, Extra, Header, Outgoing, Payload, Sign, Status};
