//! A plan's request as the programs write it.

use serde_json::Value;
use weir_dialects::{Outgoing, Transport};

use crate::Plan;

/// Fields whose value is a secret, whoever wrote it there.
const SECRET: &[&str] = &["authorization", "api-key", "x-api-key", "x-goog-api-key", "xi-api-key", "proxy-authorization", "cookie"];

/// What is sent.
pub(super) struct Request {
    pub(super) method: String,
    /// May hold `{key}`.
    pub(super) url: String,
    /// Name and value, which may hold `{key}`.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Body,
    /// WebSocket messages, in order.
    pub(super) messages: Vec<Outgoing>,
    pub(super) transport: Transport,
    /// The environment variable that holds the key, where the request wants one.
    pub(super) key: Option<&'static str>,
    /// The request is signed with the key.
    pub(super) signed: bool,
    /// Any certificate is taken.
    pub(super) insecure: bool,
    /// Where the text of the reply stands.
    pub(super) reply: Option<Reply>,
}

/// What the body is.
pub(super) enum Body {
    None,
    Json(Value),
    Text(String),
}

/// Where a streamed payload holds text of the reply.
#[derive(Clone, Copy)]
pub(super) struct Reply {
    /// `type` of the payloads that do, where not all may.
    pub(super) only: Option<&'static str>,
    /// Members and indices on the way to it.
    pub(super) path: &'static [&'static str],
}

impl Request {
    pub(super) fn of(plan: &Plan) -> Self {
        let call = &plan.call;
        let mut headers: Vec<(String, String)> = call.headers.iter().map(|h| (h.name.clone(), hidden(&h.name, &h.value))).collect();
        if !call.subprotocols.is_empty() {
            headers.push(("Sec-WebSocket-Protocol".into(), call.subprotocols.join(", ")));
        }
        let keyed = call.url.contains("{key}") || headers.iter().any(|(_, value)| value.contains("{key}"));
        let body = match serde_json::from_str(&call.body) {
            _ if call.body.is_empty() => Body::None,
            Ok(value) => Body::Json(value),
            Err(_) => Body::Text(call.body.clone()),
        };
        Self {
            method: call.method.clone(),
            url: call.url.clone(),
            headers,
            body,
            messages: call.messages.clone(),
            transport: if call.url.starts_with("ws") { Transport::Websocket } else { plan.draft.transport },
            key: keyed.then(|| variable(&plan.draft.provider, &plan.dialect)),
            signed: call.sign.is_some(),
            insecure: plan.draft.insecure,
            reply: reply(&plan.dialect),
        }
    }

    /// The body as an object.
    pub(super) fn object(&self) -> Option<&serde_json::Map<String, Value>> {
        match &self.body {
            Body::Json(Value::Object(body)) => Some(body),
            _ => None,
        }
    }

    /// Fields that a program must set itself: not those that every client sets, nor the key's.
    pub(super) fn own_headers(&self) -> Vec<(String, String)> {
        let usual = |name: &str| ["content-type", "accept"].contains(&name) || SECRET.contains(&name);
        self.headers.iter().filter(|(name, _)| !usual(&name.to_ascii_lowercase())).cloned().collect()
    }

    /// The URL as far as before `path`, which is where an SDK's base URL ends; `None` if the URL does not end so.
    pub(super) fn base(&self, path: &str) -> Option<String> {
        let (address, query) = self.url.split_once('?').unwrap_or((&self.url, ""));
        address.strip_suffix(path).filter(|_| query.is_empty()).map(str::to_owned)
    }
}

/// A field's value, a key that stands there by value replaced by its place.
fn hidden(name: &str, value: &str) -> String {
    if value.contains("{key}") || !SECRET.contains(&name.to_ascii_lowercase().as_str()) {
        return value.to_owned();
    }
    match value.split_once(' ') {
        Some((scheme, _)) => format!("{scheme} {{key}}"),
        None => "{key}".to_owned(),
    }
}

/// The environment variable in which people keep the key of a provider: the name its SDK reads, where it reads one.
pub(super) fn variable(provider: &str, dialect: &str) -> &'static str {
    match provider {
        "openai" => "OPENAI_API_KEY",
        "anthropic" => "ANTHROPIC_API_KEY",
        "gemini" => "GEMINI_API_KEY",
        "vertex" => "GOOGLE_API_KEY",
        "deepseek" => "DEEPSEEK_API_KEY",
        "qwen" | "dashscope" => "DASHSCOPE_API_KEY",
        "openrouter" => "OPENROUTER_API_KEY",
        "groq" => "GROQ_API_KEY",
        "mistral" => "MISTRAL_API_KEY",
        "xai" => "XAI_API_KEY",
        "moonshot" => "MOONSHOT_API_KEY",
        "zhipu" => "ZAI_API_KEY",
        "cohere" => "CO_API_KEY",
        "azure" | "azure-classic" => "AZURE_OPENAI_API_KEY",
        "bedrock" => "AWS_BEARER_TOKEN_BEDROCK",
        "ollama" => "OLLAMA_API_KEY",
        "together" => "TOGETHER_API_KEY",
        "fireworks" => "FIREWORKS_API_KEY",
        "cerebras" => "CEREBRAS_API_KEY",
        "sambanova" => "SAMBANOVA_API_KEY",
        "perplexity" => "PERPLEXITY_API_KEY",
        "nvidia" => "NVIDIA_API_KEY",
        "deepinfra" => "DEEPINFRA_API_KEY",
        "huggingface" => "HF_TOKEN",
        "github" => "GITHUB_TOKEN",
        "vercel" => "AI_GATEWAY_API_KEY",
        "siliconflow" => "SILICONFLOW_API_KEY",
        "ark" => "ARK_API_KEY",
        "minimax" => "MINIMAX_API_KEY",
        "hunyuan" => "HUNYUAN_API_KEY",
        _ if dialect == "bedrock-converse" => "AWS_BEARER_TOKEN_BEDROCK",
        _ => "API_KEY",
    }
}

fn reply(dialect: &str) -> Option<Reply> {
    let at = |only, path| Some(Reply { only, path });
    match dialect {
        "openai-chat" => at(None, &["choices", "0", "delta", "content"]),
        "openai-responses" | "openai-realtime" => at(Some("response.output_text.delta"), &["delta"]),
        "qwen-realtime" => at(Some("response.text.delta"), &["delta"]),
        "anthropic-messages" => at(Some("content_block_delta"), &["delta", "text"]),
        "gemini" => at(None, &["candidates", "0", "content", "parts", "0", "text"]),
        "gemini-live" => at(None, &["serverContent", "modelTurn", "parts", "0", "text"]),
        "dashscope" => at(None, &["output", "choices", "0", "message", "content"]),
        "ollama" => at(None, &["message", "content"]),
        "cohere" => at(Some("content-delta"), &["delta", "message", "content", "text"]),
        "bedrock-converse" => at(None, &["delta", "text"]),
        "lmstudio" => at(Some("message.delta"), &["content"]),
        "ai-sdk-ui" => at(Some("text-delta"), &["delta"]),
        _ => None,
    }
}
