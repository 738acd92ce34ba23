//! The lanes there are: an API, how its reply travels, and how its documents let a client come back.

use serde::Serialize;
use ts_rs::TS;
use weir_dialects::Transport;

use super::protocol::{self, Protocol};

/// A lane, as the views and the command line name it.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[ts(export, rename = "DrillLaneInfo")]
pub struct LaneInfo {
    /// Its id, e.g. `responses`.
    pub id: &'static str,
    /// A few words.
    pub name: &'static str,
    /// Dialect that reads what comes.
    pub dialect: &'static str,
    /// How the reply travels.
    pub transport: Transport,
    /// Whether anything of a reply that broke off can be had.
    pub comes_back: bool,
    /// What it does after a break, in words.
    pub resumes: &'static str,
}

const fn lane(
    id: &'static str,
    name: &'static str,
    dialect: &'static str,
    transport: Transport,
    comes_back: bool,
    resumes: &'static str,
) -> LaneInfo {
    LaneInfo { id, name, dialect, transport, comes_back, resumes }
}

/// Every lane, in the order they are shown.
pub static LANES: &[LaneInfo] = &[
    lane(
        "events",
        "Event stream",
        "raw",
        Transport::Sse,
        true,
        "comes back with Last-Event-ID, after the time the server's retry sets, as an EventSource does",
    ),
    lane(
        "reply",
        "Chat Completions · SSE",
        "openai-chat",
        Transport::Sse,
        false,
        "is not sent again: a POST may have been answered, and paid for, already; the API has no way to resume",
    ),
    lane(
        "responses",
        "Responses · SSE, background",
        "openai-responses",
        Transport::Sse,
        true,
        "goes on in the background; GET …?starting_after=N asks for what came after the last sequence number",
    ),
    lane(
        "responses-ws",
        "Responses · WebSocket",
        "openai-responses",
        Transport::Websocket,
        false,
        "is not asked again: a response belongs to its socket, and response.create would make, and charge for, another one",
    ),
    lane(
        "live",
        "Gemini Live",
        "gemini-live",
        Transport::Websocket,
        true,
        "opens the session again with its sessionResumption handle; the handle is from before the turn, so the turn is asked again and said from its start",
    ),
    lane(
        "ai-sdk",
        "AI SDK UI stream",
        "ai-sdk-ui",
        Transport::Sse,
        true,
        "GET …/{id}/stream replays the reply under way from its first part",
    ),
    lane(
        "mcp",
        "MCP Streamable HTTP",
        "mcp",
        Transport::Sse,
        true,
        "a GET with Last-Event-ID goes on with the stream that a POST began (revision 2025-11-25)",
    ),
    lane(
        "http",
        "Chat Completions · HTTP",
        "openai-chat",
        Transport::Http,
        false,
        "is one delivery: all of it or nothing, and a POST is not sent again",
    ),
];

/// Every lane.
pub fn lanes() -> Vec<LaneInfo> {
    LANES.to_vec()
}

/// The lane of this id.
pub(super) fn find(id: &str) -> Option<&'static LaneInfo> {
    LANES.iter().find(|lane| lane.id == id)
}

/// What a lane says and hears; `seed` keeps the ids of two drills apart.
pub(super) fn protocol(lane: &LaneInfo, prompt: String, tokens: u32, seed: u64) -> Box<dyn Protocol> {
    match lane.id {
        "events" => Box::new(protocol::Events::new(tokens)),
        "responses" => Box::new(protocol::Responses::new(prompt)),
        "responses-ws" => Box::new(protocol::ResponsesSocket::new(prompt)),
        "live" => Box::new(protocol::Live::new(prompt)),
        "ai-sdk" => Box::new(protocol::AiSdk::new(prompt, seed)),
        "mcp" => Box::new(protocol::Mcp::new(prompt)),
        "http" => Box::new(protocol::Chat::new(prompt, false)),
        _ => Box::new(protocol::Chat::new(prompt, true)),
    }
}
