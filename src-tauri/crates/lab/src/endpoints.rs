//! Every address the Lab answers at: one table for the Lab view, one for the router.

mod pattern;

use ::http::HeaderMap;
use serde::Serialize;
use ts_rs::TS;

use crate::connections::Transport;
use crate::dialects::Dialect;
use crate::dialects::anthropic_messages::AnthropicMessages;
use crate::dialects::cohere::Cohere;
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

const fn endpoint(name: &'static str, transport: Transport, path: &'static str, base: Option<&'static str>) -> Endpoint {
    Endpoint { name, transport, path, base }
}

const OPENAI: Option<&str> = Some("/openai/v1");

static ENDPOINTS: &[Endpoint] = &[
    endpoint("OpenAI Chat", Transport::Sse, "/openai/v1/chat/completions", OPENAI),
    endpoint("OpenAI Responses", Transport::Sse, "/openai/v1/responses", OPENAI),
    endpoint("OpenAI Responses", Transport::Ws, "/openai/v1/responses", OPENAI),
    endpoint("OpenAI models", Transport::Http, "/openai/v1/models", OPENAI),
    endpoint("Anthropic Messages", Transport::Sse, "/anthropic/v1/messages", Some("/anthropic")),
    endpoint("Anthropic models", Transport::Http, "/anthropic/v1/models", Some("/anthropic")),
    endpoint("Cohere Chat", Transport::Sse, "/cohere/v2/chat", Some("/cohere")),
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

/// What answers at a path.
#[derive(Clone, Copy)]
pub(crate) enum Route {
    /// A model's reply to a request.
    Reply,
    /// A conversation on a WebSocket, by [`Dialect::talk`]. GET with an upgrade only.
    Talk,
    /// Both of these at one path.
    ReplyOrTalk,
    /// A reply to a POST, or the lanes of the Responses API's WebSocket mode.
    Lanes,
    /// The list of models; where the pattern has a `{model}`, that one.
    Models,
    Echo,
    EchoSocket,
    Sse,
    Flood,
    FloodSocket,
    Index,
}

/// A line of the router's table.
struct Line {
    /// What may stand before the path: the API's name. The empty one may not be left out, having nothing to leave.
    prefix: &'static str,
    /// The path; a name in braces stands for one character or more, slashes too.
    pattern: &'static str,
    /// A header without which this line does not count.
    only_with: Option<&'static str>,
    route: Route,
    /// What reads requests here, and says why one is refused.
    dialect: &'static dyn Dialect,
}

const fn line(prefix: &'static str, pattern: &'static str, route: Route, dialect: &'static dyn Dialect) -> Line {
    Line { prefix, pattern, only_with: None, route, dialect }
}

/// In the order of preference: where two lines fit, the first one answers. A path without a prefix may fit several APIs; lines that
/// want a header stand before those that do not.
static LINES: &[Line] = &[
    // Anthropic, whose list of models has OpenAI's path: its clients always send a version
    line("anthropic", "/v1/messages", Route::Reply, &AnthropicMessages),
    line("anthropic", "/v1/messages/count_tokens", Route::Reply, &AnthropicMessages),
    Line { only_with: Some("anthropic-version"), ..line("anthropic", "/v1/models", Route::Models, &AnthropicMessages) },
    Line { only_with: Some("anthropic-version"), ..line("anthropic", "/v1/models/{model}", Route::Models, &AnthropicMessages) },
    // OpenAI
    line("openai", "/v1/chat/completions", Route::Reply, &OpenAiChat),
    line("openai", "/v1/responses", Route::Lanes, &OpenAiResponses),
    line("openai", "/v1/models", Route::Models, &OpenAiChat),
    line("openai", "/v1/models/{model}", Route::Models, &OpenAiChat),
    #[cfg(test)]
    line("probe", "/talk/{model}", Route::ReplyOrTalk, &crate::dialects::probe::Probe),
    // Cohere, and lists of models that are asked for by name
    line("cohere", "/v2/chat", Route::Reply, &Cohere),
    line("cohere", "/v1/models", Route::Models, &Cohere),
    line("cohere", "/v1/models/{model}", Route::Models, &Cohere),
    line("anthropic", "/v1/models", Route::Models, &AnthropicMessages),
    line("anthropic", "/v1/models/{model}", Route::Models, &AnthropicMessages),
    // No model's API
    line("", "/", Route::Index, &OpenAiChat),
    line("", "/echo", Route::Echo, &OpenAiChat),
    line("", "/echo/ws", Route::EchoSocket, &OpenAiChat),
    line("", "/sse", Route::Sse, &OpenAiChat),
    line("", "/flood", Route::Flood, &OpenAiChat),
    line("", "/flood/ws", Route::FloodSocket, &OpenAiChat),
];

/// Where a request goes.
pub(crate) struct Place {
    pub route: Route,
    pub dialect: &'static dyn Dialect,
    /// The path the dialect sees.
    pub path: String,
    /// What stands in place of the pattern's names.
    pub names: Vec<(&'static str, String)>,
}

/// What answers at `path`, which is as it came: percent-encoded, perhaps with doubled slashes, for some SDKs join their base URL that
/// way. The error is the dialect in whose words the path is to be refused.
pub(crate) fn place(path: &str, headers: &HeaderMap) -> Result<Place, &'static dyn Dialect> {
    let path = pattern::plain(path);
    for line in LINES.iter().filter(|line| line.only_with.is_none_or(|header| headers.contains_key(header))) {
        for rest in [Some(path.as_str()), pattern::without(&path, line.prefix)].into_iter().flatten() {
            if let Some(names) = pattern::fit(line.pattern, rest) {
                return Ok(Place { route: line.route, dialect: line.dialect, path: rest.into(), names });
            }
        }
    }
    Err(speaker(&path))
}

/// The dialect that refuses a path where nothing is: the one whose name begins the path, or whose own paths begin alike.
fn speaker(path: &str) -> &'static dyn Dialect {
    let named = LINES.iter().find(|line| pattern::without(path, line.prefix).is_some());
    named.map_or(&OpenAiChat, |line| line.dialect)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_of_the_view_leads_somewhere() {
        for endpoint in endpoints() {
            let path = endpoint.path.replace("{model}", "lab/steady");
            let place = place(&path, &HeaderMap::new()).ok().unwrap_or_else(|| panic!("{path}"));
            let socket = matches!(place.route, Route::Talk | Route::ReplyOrTalk | Route::Lanes | Route::EchoSocket | Route::FloodSocket);
            assert!(socket || endpoint.transport != Transport::Ws, "{path}");
        }
    }

    #[test]
    fn prefixes_and_slashes_are_the_clients_choice() {
        for path in ["/v1/models/lab/steady", "/openai//v1/models/lab%2fsteady", "/openai/v1/models/lab/steady/"] {
            let place = place(path, &HeaderMap::new()).ok().unwrap_or_else(|| panic!("{path}"));
            assert!(matches!(place.route, Route::Models));
            assert_eq!(place.names, [("model", "lab/steady".to_string())]);
            assert_eq!(place.path, "/v1/models/lab/steady");
        }
        assert!(place("/openai/v1/nothing", &HeaderMap::new()).is_err());
    }
}
