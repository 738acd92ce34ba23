//! Which SDK sends a request, and how the request's body becomes the arguments of its call.

mod javascript;
mod python;

pub(super) use javascript::program as javascript;
pub(super) use python::program as python;

use serde_json::{Map, Value, json};
use weir_dialects::Transport;

use super::request::Request;
use crate::Plan;

/// An SDK's call that sends the request as it is.
enum Sdk {
    /// `client.chat.completions.create`.
    OpenAiChat { base: String },
    /// `client.responses.create`.
    OpenAiResponses { base: String },
    /// `client.chat.stream` of mistralai.
    Mistral { base: String },
    /// `client.messages.create`.
    Anthropic { base: String },
    /// `client.models.generate_content`.
    Gemini { base: String, model: String, contents: Value, config: Map<String, Value> },
    /// `client.chat`.
    Ollama { host: String },
    /// `client.chat_stream`.
    Cohere { base: String },
    /// `client.converse_stream`.
    Bedrock { region: String, model: String },
    /// `Generation.call`.
    DashScope { base: String, multimodal: bool, arguments: Map<String, Value> },
}

impl Sdk {
    /// The SDK for a plan, or why there is none that sends this request unchanged.
    fn of(plan: &Plan, request: &Request) -> Result<Self, String> {
        let none = |why: &str| Err(format!("{why}: this is the request in plain form."));
        if request.transport == Transport::Websocket {
            return none("The official SDKs have no call that sends just these messages over a WebSocket");
        }
        let Some(body) = request.object() else {
            return none("The body is no JSON object, which an SDK would not send");
        };
        if request.insecure {
            return none("Any certificate is taken, for which the SDKs want a client of your own");
        }
        let elsewhere = "The URL is not one that the official SDK would make of a base URL";
        let name = plan.dialect().name();
        let sdk = match plan.dialect.as_str() {
            "openai-chat" if plan.draft.provider == "mistral" => request.base("/v1/chat/completions").map(|base| Sdk::Mistral { base }),
            "openai-chat" => request.base("/chat/completions").map(|base| Sdk::OpenAiChat { base }),
            "openai-responses" => request.base("/responses").map(|base| Sdk::OpenAiResponses { base }),
            "anthropic-messages" => request.base("/v1/messages").map(|base| Sdk::Anthropic { base }),
            "cohere" => request.base("/v2/chat").map(|base| Sdk::Cohere { base }),
            "ollama" => request.base("/api/chat").map(|host| Sdk::Ollama { host }),
            "gemini" => gemini(request, body),
            "bedrock-converse" => bedrock(request),
            "dashscope" => dashscope(request, body),
            _ => return none(&format!("There is no official SDK for {name}")),
        };
        sdk.ok_or_else(|| format!("{elsewhere}: this is the request in plain form."))
    }
}

/// `{base}/v1beta/models/{model}:streamGenerateContent`; members of `generationConfig` and those beside it are one config in the SDK.
fn gemini(request: &Request, body: &Map<String, Value>) -> Option<Sdk> {
    let path = request.url.split('?').next()?;
    let (base, rest) = path.split_once("/v1beta/models/")?;
    let (model, _) = rest.split_once(':')?;
    let mut config = Map::new();
    for (name, value) in body {
        match (name.as_str(), value) {
            ("contents", _) => {}
            ("generationConfig", Value::Object(inner)) => config.extend(inner.clone()),
            ("systemInstruction" | "tools" | "toolConfig" | "safetySettings" | "cachedContent", _) => {
                config.insert(name.clone(), value.clone());
            }
            _ => return None,
        }
    }
    // The SDK has the JSON Schema of a function under its own name; so does the API, beside its older form.
    Some(Sdk::Gemini { base: base.into(), model: model.into(), contents: body.get("contents")?.clone(), config })
}

fn bedrock(request: &Request) -> Option<Sdk> {
    let rest = request.url.strip_prefix("https://bedrock-runtime.")?;
    let (region, rest) = rest.split_once(".amazonaws.com/model/")?;
    let model = rest.strip_suffix("/converse-stream").or_else(|| rest.strip_suffix("/converse"))?;
    Some(Sdk::Bedrock { region: region.into(), model: decoded(model) })
}

/// A path segment with its percent signs undone.
fn decoded(segment: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = segment.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape =
            (*first == b'%').then(|| std::str::from_utf8(tail.get(..2)?).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok())).flatten();
        bytes.push(escape.unwrap_or(*first));
        rest = if escape.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `{model, input: {messages}, parameters}` is flat in the SDK.
fn dashscope(request: &Request, body: &Map<String, Value>) -> Option<Sdk> {
    let (base, path) = request.url.split_once("/services/aigc/")?;
    let mut arguments = Map::new();
    for (name, value) in body {
        match (name.as_str(), value) {
            ("model", _) => {
                arguments.insert(name.clone(), value.clone());
            }
            ("input" | "parameters", Value::Object(inner)) => arguments.extend(inner.clone()),
            _ => return None,
        }
    }
    if request.transport == Transport::Sse {
        arguments.insert("stream".into(), json!(true));
    }
    Some(Sdk::DashScope { base: base.into(), multimodal: path.starts_with("multimodal"), arguments })
}

/// Members that the OpenAI SDK's chat call names; any other goes as an extra.
const CHAT: &[&str] = &[
    "model",
    "messages",
    "audio",
    "frequency_penalty",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "metadata",
    "modalities",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
    "web_search_options",
];

/// Members that its Responses call names.
const RESPONSES: &[&str] = &[
    "model",
    "input",
    "background",
    "conversation",
    "include",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];

/// Members that Anthropic's call names. Sampling parameters left it with the API version that refuses them, so they go as extras.
const MESSAGES: &[&str] = &[
    "model",
    "messages",
    "max_tokens",
    "metadata",
    "service_tier",
    "stop_sequences",
    "stream",
    "system",
    "thinking",
    "tool_choice",
    "tools",
    "output_config",
];

/// Members that Ollama's call names.
const OLLAMA: &[&str] = &["model", "messages", "tools", "stream", "think", "format", "options", "keep_alive"];

/// Members that Cohere's call names.
const COHERE: &[&str] = &[
    "model",
    "messages",
    "tools",
    "documents",
    "citation_options",
    "response_format",
    "safety_mode",
    "max_tokens",
    "stop_sequences",
    "temperature",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "k",
    "p",
    "logprobs",
    "tool_choice",
    "thinking",
    "strict_tools",
    "priority",
];

/// Members that Mistral's call names.
const MISTRAL: &[&str] = &[
    "model",
    "messages",
    "temperature",
    "top_p",
    "max_tokens",
    "stop",
    "random_seed",
    "response_format",
    "tools",
    "tool_choice",
    "presence_penalty",
    "frequency_penalty",
    "n",
    "prediction",
    "parallel_tool_calls",
    "prompt_mode",
    "safe_prompt",
    "metadata",
    "reasoning_effort",
];
