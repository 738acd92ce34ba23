//! The request body of Chat Completions.

use serde_json::{Map, Value, json};
use url::Url;

use crate::endpoint::on;
use crate::{Ask, Message, Role};

/// Where servers want a parameter under another name. Known by host, since these are all hosted services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wishes {
    /// The name of the token limit. OpenAI's newer models refuse `max_tokens`; most others know nothing else.
    max_tokens: &'static str,
    /// The name of the seed.
    seed: &'static str,
    /// Takes `stream_options`; Mistral does not, and reports usage anyway.
    stream_options: bool,
}

impl Wishes {
    /// What the server at `url` wants.
    pub(super) fn of(url: &Url) -> Self {
        let openai =
            ["api.openai.com", "openai.azure.com", "services.ai.azure.com", "cognitiveservices.azure.com"].iter().any(|host| on(url, host));
        let mistral = on(url, "mistral.ai");
        Self {
            max_tokens: if openai { "max_completion_tokens" } else { "max_tokens" },
            seed: if mistral { "random_seed" } else { "seed" },
            stream_options: !mistral,
        }
    }
}

/// The body for `ask`, as compact JSON; what is not set is not sent.
pub(super) fn build(ask: &Ask, stream: bool, wishes: Wishes) -> String {
    let mut messages = Vec::with_capacity(ask.messages.len() + 1);
    if !ask.system.is_empty() {
        messages.push(json!({"role": "system", "content": ask.system}));
    }
    messages.extend(ask.messages.iter().map(message));

    let mut body = Map::new();
    let mut put = |name: &str, value: Value| {
        body.insert(name.to_owned(), value);
    };
    put("model", json!(ask.model));
    put("messages", Value::Array(messages));
    let params = &ask.params;
    if let Some(temperature) = params.temperature {
        put("temperature", json!(temperature));
    }
    if let Some(top_p) = params.top_p {
        put("top_p", json!(top_p));
    }
    if let Some(max_tokens) = params.max_tokens {
        put(wishes.max_tokens, json!(max_tokens));
    }
    if let Some(seed) = params.seed {
        put(wishes.seed, json!(seed));
    }
    if !params.stop.is_empty() {
        put("stop", json!(params.stop));
    }
    if let Some(effort) = &params.reasoning {
        put("reasoning_effort", json!(effort));
    }
    if !ask.tools.is_empty() {
        let tool = |tool: &crate::Tool| json!({"type": "function", "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters}});
        put("tools", ask.tools.iter().map(tool).collect());
    }
    if let Some(choice) = params.tool_choice.as_deref() {
        put(
            "tool_choice",
            match choice {
                "auto" | "none" | "required" => json!(choice),
                name => json!({"type": "function", "function": {"name": name}}),
            },
        );
    }
    if stream {
        put("stream", json!(true));
        if wishes.stream_options && params.usage != Some(false) {
            put("stream_options", json!({"include_usage": true}));
        }
    }
    Value::Object(body).to_string()
}

fn message(message: &Message) -> Value {
    match message.role {
        Role::User => json!({"role": "user", "content": message.text}),
        Role::Tool => {
            json!({"role": "tool", "tool_call_id": message.tool_call_id, "content": message.text})
        }
        Role::Assistant if message.tool_calls.is_empty() => {
            json!({"role": "assistant", "content": message.text})
        }
        Role::Assistant => {
            let call = |call: &crate::ToolCall| json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}});
            let calls: Vec<Value> = message.tool_calls.iter().map(call).collect();
            let content = if message.text.is_empty() { Value::Null } else { json!(message.text) };
            json!({"role": "assistant", "content": content, "tool_calls": calls})
        }
    }
}
