//! Every address the Lab answers at: one table for the router and for the Lab view.

use serde::Serialize;
use ts_rs::TS;

use crate::connections::Transport;
use crate::dialects::Dialect;
use crate::dialects::openai_chat::OpenAiChat;
use crate::dialects::openai_responses::OpenAiResponses;

/// An address as the Lab view lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(export, rename = "LabEndpoint")]
pub struct Endpoint {
    /// Name of the API.
    pub name: &'static str,
    /// How its streamed replies travel.
    pub transport: Transport,
    /// Path to ask at.
    pub path: &'static str,
    /// What an SDK wants as its base URL, without the Lab's address; none where no SDK is meant.
    pub base: Option<&'static str>,
}

/// What answers at a path.
#[derive(Clone, Copy)]
pub(crate) enum Route {
    /// A dialect: POST, and a WebSocket upgrade where it has that mode.
    Dialect {
        dialect: &'static dyn Dialect,
        websocket: bool,
    },
    Models,
    Model(&'static str),
    Echo,
    EchoSocket,
    Sse,
    Flood,
    FloodSocket,
    Index,
}

const fn endpoint(name: &'static str, transport: Transport, path: &'static str, base: Option<&'static str>) -> Endpoint {
    Endpoint { name, transport, path, base }
}

const OPENAI: Option<&str> = Some("/openai/v1");

static ENDPOINTS: &[Endpoint] = &[
    endpoint("OpenAI Chat", Transport::Sse, "/openai/v1/chat/completions", OPENAI),
    endpoint("OpenAI Responses", Transport::Sse, "/openai/v1/responses", OPENAI),
    endpoint("OpenAI Responses", Transport::Ws, "/openai/v1/responses", OPENAI),
    endpoint("OpenAI models", Transport::Http, "/openai/v1/models", OPENAI),
    endpoint("Plain echo", Transport::Http, "/echo", None),
    endpoint("WebSocket echo", Transport::Ws, "/echo/ws", None),
    endpoint("Plain events", Transport::Sse, "/sse", None),
    endpoint("Flood of events", Transport::Sse, "/flood", None),
    endpoint("Flood of messages", Transport::Ws, "/flood/ws", None),
];

/// All addresses, in the order the Lab view shows them.
pub fn endpoints() -> &'static [Endpoint] {
    ENDPOINTS
}

/// What answers at `path`. Doubled slashes count as one: some SDKs join their base URL that way. The OpenAI paths also answer
/// without their `/openai` prefix.
pub(crate) fn route(path: &str) -> Option<Route> {
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    let parts = match parts.as_slice() {
        ["openai", rest @ ..] => rest,
        all => all,
    };
    Some(match parts {
        [] => Route::Index,
        ["v1", "chat", "completions"] => Route::Dialect { dialect: &OpenAiChat, websocket: false },
        ["v1", "responses"] => Route::Dialect { dialect: &OpenAiResponses, websocket: true },
        ["v1", "models"] => Route::Models,
        ["v1", "models", model @ ..] => {
            // SDKs escape the slash in a model's name.
            let name = model.join("/").replace("%2F", "/").replace("%2f", "/");
            Route::Model(crate::models::find(&name)?.id)
        }
        ["echo"] => Route::Echo,
        ["echo", "ws"] => Route::EchoSocket,
        ["sse"] => Route::Sse,
        ["flood"] => Route::Flood,
        ["flood", "ws"] => Route::FloodSocket,
        _ => return None,
    })
}
