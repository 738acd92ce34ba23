//! Every address the Lab answers at: one table for the Lab view, one for the router.

mod pattern;

use ::http::HeaderMap;
use serde::Serialize;
use ts_rs::TS;

use crate::connections::Transport;
use crate::dialects::Dialect;
use crate::dialects::ai_sdk_ui::AiSdkUi;
use crate::dialects::anthropic_messages::AnthropicMessages;
use crate::dialects::bedrock_converse::BedrockConverse;
use crate::dialects::cohere::Cohere;
use crate::dialects::dashscope::DashScope;
use crate::dialects::dashscope_task::DashScopeTask;
use crate::dialects::gemini::Gemini;
use crate::dialects::gemini_live::GeminiLive;
use crate::dialects::lmstudio::LmStudio;
use crate::dialects::mcp::Mcp;
use crate::dialects::mistral::Mistral;
use crate::dialects::ollama::{Ollama, OllamaAsides};
use crate::dialects::openai_chat::OpenAiChat;
use crate::dialects::openai_responses::OpenAiResponses;
use crate::dialects::realtime::{Accent, Realtime};
use crate::dialects::vertex::VertexClaude;

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
    endpoint("OpenAI Realtime", Transport::Ws, "/openai/v1/realtime", OPENAI),
    endpoint("xAI Voice", Transport::Ws, "/xai/v1/realtime", Some("/xai/v1")),
    endpoint("OpenAI models", Transport::Http, "/openai/v1/models", OPENAI),
    endpoint("Mistral Chat", Transport::Sse, "/mistral/v1/chat/completions", Some("/mistral")),
    endpoint("Anthropic Messages", Transport::Sse, "/anthropic/v1/messages", Some("/anthropic")),
    endpoint("Anthropic models", Transport::Http, "/anthropic/v1/models", Some("/anthropic")),
    endpoint("Cohere Chat", Transport::Sse, "/cohere/v2/chat", Some("/cohere")),
    endpoint("DashScope", Transport::Sse, "/dashscope/api/v1/services/aigc/text-generation/generation", Some("/dashscope/api/v1")),
    endpoint("DashScope", Transport::Http, "/dashscope/api/v1/services/aigc/multimodal-generation/generation", Some("/dashscope/api/v1")),
    endpoint("DashScope tasks", Transport::Ws, "/dashscope/api-ws/v1/inference", Some("/dashscope/api-ws/v1/inference")),
    endpoint("Qwen Realtime", Transport::Ws, "/dashscope/api-ws/v1/realtime", Some("/dashscope/api-ws/v1/realtime")),
    endpoint("Ollama chat", Transport::Ndjson, "/ollama/api/chat", Some("/ollama")),
    endpoint("Ollama generate", Transport::Ndjson, "/ollama/api/generate", Some("/ollama")),
    endpoint("Ollama models", Transport::Http, "/ollama/api/tags", Some("/ollama")),
    endpoint("Bedrock ConverseStream", Transport::Eventstream, "/bedrock/model/{model}/converse-stream", Some("/bedrock")),
    endpoint("Bedrock Converse", Transport::Http, "/bedrock/model/{model}/converse", Some("/bedrock")),
    endpoint("LM Studio chat", Transport::Sse, "/lmstudio/api/v1/chat", None),
    endpoint("LM Studio models", Transport::Http, "/lmstudio/api/v1/models", None),
    endpoint("MCP server", Transport::Sse, "/mcp", Some("/mcp")),
    endpoint("AI SDK UI stream, resumed", Transport::Sse, "/ai-sdk-ui/api/chat/{id}/stream", None),
    endpoint("AI SDK UI stream", Transport::Sse, "/ai-sdk-ui/api/chat", Some("/ai-sdk-ui/api/chat")),
    endpoint("Gemini", Transport::Sse, "/gemini/v1beta/models/{model}:streamGenerateContent?alt=sse", Some("/gemini")),
    endpoint("Gemini", Transport::Array, "/gemini/v1beta/models/{model}:streamGenerateContent", Some("/gemini")),
    endpoint("Gemini", Transport::Http, "/gemini/v1beta/models/{model}:generateContent", Some("/gemini")),
    endpoint("Gemini models", Transport::Http, "/gemini/v1beta/models", Some("/gemini")),
    endpoint(
        "Gemini Live",
        Transport::Ws,
        "/gemini/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent",
        Some("/gemini"),
    ),
    endpoint(
        "Gemini on Vertex AI",
        Transport::Sse,
        "/vertex/v1/projects/lab/locations/global/publishers/google/models/{model}:streamGenerateContent?alt=sse",
        Some("/vertex"),
    ),
    endpoint(
        "Claude on Vertex AI",
        Transport::Sse,
        "/vertex/v1/projects/lab/locations/global/publishers/anthropic/models/{model}:streamRawPredict",
        Some("/vertex"),
    ),
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
    /// A reply that was kept: heard again, asked after or cancelled.
    Kept,
    /// A conversation on a WebSocket, by [`Dialect::talk`]. GET with an upgrade only.
    Talk,
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
    // Cohere's SDKs are told by their generator's header
    Line { only_with: Some("x-fern-sdk-name"), ..line("cohere", "/v1/models", Route::Models, &Cohere) },
    Line { only_with: Some("x-fern-sdk-name"), ..line("cohere", "/v1/models/{model}", Route::Models, &Cohere) },
    // Google, before OpenAI, whose models of one name would take the method for a part of it
    line("gemini", "/v1beta/models/{model}:generateContent", Route::Reply, &Gemini),
    line("gemini", "/v1beta/models/{model}:streamGenerateContent", Route::Reply, &Gemini),
    line("gemini", "/v1beta/models/{model}:countTokens", Route::Reply, &Gemini),
    line("gemini", "/v1alpha/models/{model}:generateContent", Route::Reply, &Gemini),
    line("gemini", "/v1alpha/models/{model}:streamGenerateContent", Route::Reply, &Gemini),
    line("gemini", "/v1alpha/models/{model}:countTokens", Route::Reply, &Gemini),
    line("gemini", "/v1/models/{model}:generateContent", Route::Reply, &Gemini),
    line("gemini", "/v1/models/{model}:streamGenerateContent", Route::Reply, &Gemini),
    line("gemini", "/v1/models/{model}:countTokens", Route::Reply, &Gemini),
    line("gemini", "/v1beta/models", Route::Models, &Gemini),
    line("gemini", "/v1beta/models/{model}", Route::Models, &Gemini),
    line("gemini", "/v1alpha/models", Route::Models, &Gemini),
    line("gemini", "/v1alpha/models/{model}", Route::Models, &Gemini),
    Line { only_with: Some("x-goog-api-key"), ..line("gemini", "/v1/models", Route::Models, &Gemini) },
    Line { only_with: Some("x-goog-api-key"), ..line("gemini", "/v1/models/{model}", Route::Models, &Gemini) },
    line("gemini", "/ws/google.ai.generativelanguage.{version}.GenerativeService.BidiGenerateContent", Route::Talk, &GeminiLive),
    line("gemini", "/ws/google.ai.generativelanguage.{version}.GenerativeService.BidiGenerateContentConstrained", Route::Talk, &GeminiLive),
    // Vertex AI: a dot became a slash before the method
    line("vertex", "/ws/google.cloud.aiplatform.{version}.LlmBidiService/BidiGenerateContent", Route::Talk, &GeminiLive),
    line("vertex", "/v1/projects/{project}/locations/{location}/publishers/google/models/{model}:generateContent", Route::Reply, &Gemini),
    line("vertex", "/v1/publishers/google/models/{model}:generateContent", Route::Reply, &Gemini),
    line(
        "vertex",
        "/v1/projects/{project}/locations/{location}/publishers/google/models/{model}:streamGenerateContent",
        Route::Reply,
        &Gemini,
    ),
    line("vertex", "/v1/publishers/google/models/{model}:streamGenerateContent", Route::Reply, &Gemini),
    line("vertex", "/v1/projects/{project}/locations/{location}/publishers/google/models/{model}:countTokens", Route::Reply, &Gemini),
    line("vertex", "/v1/publishers/google/models/{model}:countTokens", Route::Reply, &Gemini),
    line(
        "vertex",
        "/v1/projects/{project}/locations/{location}/publishers/anthropic/models/{model}:rawPredict",
        Route::Reply,
        &VertexClaude,
    ),
    line(
        "vertex",
        "/v1/projects/{project}/locations/{location}/publishers/anthropic/models/{model}:streamRawPredict",
        Route::Reply,
        &VertexClaude,
    ),
    line(
        "vertex",
        "/v1beta1/projects/{project}/locations/{location}/publishers/google/models/{model}:generateContent",
        Route::Reply,
        &Gemini,
    ),
    line("vertex", "/v1beta1/publishers/google/models/{model}:generateContent", Route::Reply, &Gemini),
    line(
        "vertex",
        "/v1beta1/projects/{project}/locations/{location}/publishers/google/models/{model}:streamGenerateContent",
        Route::Reply,
        &Gemini,
    ),
    line("vertex", "/v1beta1/publishers/google/models/{model}:streamGenerateContent", Route::Reply, &Gemini),
    line("vertex", "/v1beta1/projects/{project}/locations/{location}/publishers/google/models/{model}:countTokens", Route::Reply, &Gemini),
    line("vertex", "/v1beta1/publishers/google/models/{model}:countTokens", Route::Reply, &Gemini),
    line(
        "vertex",
        "/v1beta1/projects/{project}/locations/{location}/publishers/anthropic/models/{model}:rawPredict",
        Route::Reply,
        &VertexClaude,
    ),
    line(
        "vertex",
        "/v1beta1/projects/{project}/locations/{location}/publishers/anthropic/models/{model}:streamRawPredict",
        Route::Reply,
        &VertexClaude,
    ),
    // OpenAI
    line("openai", "/v1/chat/completions", Route::Reply, &OpenAiChat),
    line("openai", "/v1/responses", Route::Lanes, &OpenAiResponses),
    line("openai", "/v1/responses/{id}/cancel", Route::Kept, &OpenAiResponses),
    line("openai", "/v1/responses/{id}", Route::Kept, &OpenAiResponses),
    line("openai", "/v1/realtime", Route::Talk, &Realtime(Accent::OpenAi)),
    // Azure's, before it had OpenAI's path
    line("openai", "/realtime", Route::Talk, &Realtime(Accent::OpenAi)),
    line("xai", "/v1/realtime", Route::Talk, &Realtime(Accent::Xai)),
    line("openai", "/v1/models", Route::Models, &OpenAiChat),
    line("openai", "/v1/models/{model}", Route::Models, &OpenAiChat),
    #[cfg(test)]
    line("probe", "/reply/{model}", Route::Reply, &crate::dialects::probe::Probe),
    #[cfg(test)]
    line("probe", "/talk/{model}", Route::Talk, &crate::dialects::probe::Probe),
    line("mistral", "/v1/chat/completions", Route::Reply, &Mistral),
    line("mistral", "/v1/models", Route::Models, &Mistral),
    line("mistral", "/v1/models/{model}", Route::Models, &Mistral),
    // Cohere, and lists of models that are asked for by name
    line("cohere", "/v2/chat", Route::Reply, &Cohere),
    line("cohere", "/v1/models", Route::Models, &Cohere),
    line("cohere", "/v1/models/{model}", Route::Models, &Cohere),
    line("gemini", "/v1/models", Route::Models, &Gemini),
    line("gemini", "/v1/models/{model}", Route::Models, &Gemini),
    line("anthropic", "/v1/models", Route::Models, &AnthropicMessages),
    line("anthropic", "/v1/models/{model}", Route::Models, &AnthropicMessages),
    // DashScope
    line("dashscope", "/api/v1/services/aigc/text-generation/generation", Route::Reply, &DashScope),
    line("dashscope", "/api/v1/services/aigc/multimodal-generation/generation", Route::Reply, &DashScope),
    line("dashscope", "/api-ws/v1/inference", Route::Talk, &DashScopeTask),
    line("dashscope", "/api-ws/v1/realtime", Route::Talk, &Realtime(Accent::Qwen)),
    // Ollama
    line("ollama", "/api/chat", Route::Reply, &Ollama),
    line("ollama", "/api/generate", Route::Reply, &Ollama),
    line("ollama", "/api/tags", Route::Models, &Ollama),
    line("ollama", "/api/version", Route::Reply, &OllamaAsides),
    line("ollama", "/api/show", Route::Reply, &OllamaAsides),
    line("ollama", "/api/ps", Route::Reply, &OllamaAsides),
    // Bedrock, and the list that its control plane gives
    line("bedrock", "/model/{model}/converse-stream", Route::Reply, &BedrockConverse),
    line("bedrock", "/model/{model}/converse", Route::Reply, &BedrockConverse),
    line("bedrock", "/foundation-models", Route::Models, &BedrockConverse),
    // LM Studio
    line("lmstudio", "/api/v1/chat", Route::Reply, &LmStudio),
    line("lmstudio", "/api/v1/models", Route::Models, &LmStudio),
    // MCP, and an application that uses the AI SDK; its path is Ollama's too, so it needs its name
    line("mcp", "/mcp", Route::Reply, &Mcp),
    line("ai-sdk-ui", "/api/chat", Route::Reply, &AiSdkUi),
    line("ai-sdk-ui", "/api/chat/{id}/stream", Route::Kept, &AiSdkUi),
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
            let path = path.split('?').next().unwrap_or_default();
            let place = place(path, &HeaderMap::new()).ok().unwrap_or_else(|| panic!("{path}"));
            let socket = matches!(place.route, Route::Talk | Route::Lanes | Route::EchoSocket | Route::FloodSocket);
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
