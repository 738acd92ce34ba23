//! API dialects: how each provider wants to be asked, and what its payloads mean. No I/O.
//!
//! A dialect is one file and one line in [`dialect::ALL`]; a provider is one entry in [`provider::ALL`].

pub mod ask;
pub mod delta;
pub mod dialect;
pub mod provider;

pub mod anthropic_messages;
pub mod bedrock_converse;
pub mod cohere;
pub mod gemini;
pub mod gemini_live;
pub mod ollama;
pub mod openai_chat;
pub mod openai_responses;
pub mod raw;
pub mod stray;
pub mod vertex;

mod check;
mod endpoint;
mod extra;
mod json;
mod media;
mod messages;
mod report;
mod strange;
mod teller;
mod usage;

#[cfg(test)]
mod tests;

pub use ask::{Ask, Attachment, Message, Output, Params, Role, Source, Tool, Transport};
pub use delta::{Delta, DeltaKind, Finish, Reply, ToolCall, Usage};
pub use dialect::{AskError, Call, ClientEvent, Decoder, Dialect, Extra, Header, Outgoing, Payload, Sign, Status};
