//! The request body of Cohere's chat.

use serde_json::{Map, Value, json};

use crate::aside::Aside;
use crate::{Ask, Attachment, Message, Role, Source, Transport, extra};

/// What the parameter `reasoning` means here: there are no levels, but a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Thinking {
    /// `none`
    Off,
    /// `enabled`
    On,
    /// A number: so many tokens at most.
    Budget(u64),
}

fn thinking(word: &str) -> Option<Thinking> {
    match word {
        "none" => Some(Thinking::Off),
        "enabled" => Some(Thinking::On),
        number => number.parse().ok().filter(|budget| *budget > 0).map(Thinking::Budget),
    }
}

/// The choice of tools in the API's words, which has none for one tool among several. `None` where it is left to the model.
fn choice(ask: &Ask) -> Result<Option<&'static str>, ()> {
    match ask.params.tool_choice.as_deref() {
        None | Some("auto") => Ok(None),
        Some("none") => Ok(Some("NONE")),
        Some("required") => Ok(Some("REQUIRED")),
        Some(_) if ask.tools.len() == 1 => Ok(Some("REQUIRED")),
        Some(_) => Err(()),
    }
}

/// Tells what the API cannot express of `ask`, beyond what no dialect can: what, and why.
pub(super) fn check(ask: &Ask, problem: &mut dyn FnMut(&str, &str)) {
    if let Some(word) = ask.params.reasoning.as_deref().filter(|word| thinking(word).is_none()) {
        problem(&format!("reasoning {word}"), "none, enabled, or how many tokens may be thought; there are no levels");
    }
    if choice(ask).is_err() {
        problem("the choice of one tool among several", "the API can require some tool, or none");
    }
    if ask.output.is_some() && !ask.tools.is_empty() {
        problem("a form of the reply together with tools", "the API takes one or the other");
    }
    for message in &ask.messages {
        for attachment in &message.attachments {
            let what = if attachment.name.is_empty() { &attachment.media_type } else { &attachment.name };
            if message.role != Role::User {
                problem(&format!("{what} outside a user's turn"), "only what the user says has attachments");
            } else if !attachment.media_type.starts_with("image/") {
                problem(what, "the API takes images; other texts go to documents");
            }
        }
    }
}

/// The body for `ask`; what is not set is not sent.
pub(super) fn build(ask: &Ask, transport: Transport) -> Map<String, Value> {
    let mut messages = Vec::with_capacity(ask.messages.len() + 1);
    if !ask.system.is_empty() {
        messages.push(Aside::restore(ask.system_aside.as_deref(), instruction(&ask.system)));
    }
    messages.extend(ask.messages.iter().map(|turn| Aside::restore(turn.aside.as_deref(), message(turn))));

    let mut body = Map::new();
    let mut put = |name: &str, value: Value| {
        body.insert(name.to_owned(), value);
    };
    let params = &ask.params;
    put("model", json!(ask.model));
    put("messages", Value::Array(messages));
    for (name, value) in [("temperature", params.temperature), ("p", params.top_p)] {
        if let Some(value) = value {
            put(name, extra::number(value));
        }
    }
    if let Some(max_tokens) = params.max_tokens {
        put("max_tokens", json!(max_tokens));
    }
    if let Some(seed) = params.seed {
        put("seed", json!(seed));
    }
    if !params.stop.is_empty() {
        put("stop_sequences", json!(params.stop));
    }
    match params.reasoning.as_deref().and_then(thinking) {
        Some(Thinking::Off) => put("thinking", json!({"type": "disabled"})),
        Some(Thinking::On) => put("thinking", json!({"type": "enabled"})),
        Some(Thinking::Budget(budget)) => put("thinking", json!({"type": "enabled", "token_budget": budget})),
        None => {}
    }
    if let Some(output) = &ask.output {
        put(
            "response_format",
            match &output.schema {
                Some(schema) => json!({"type": "json_object", "json_schema": schema}),
                None => json!({"type": "json_object"}),
            },
        );
    }
    if !ask.tools.is_empty() {
        put("tools", ask.tools.iter().map(tool).collect());
    }
    if let Ok(Some(choice)) = choice(ask) {
        put("tool_choice", json!(choice));
    }
    if transport == Transport::Sse {
        put("stream", json!(true));
    }
    extra::merge(&mut body, &params.extra);
    body
}

fn tool(tool: &crate::Tool) -> Value {
    let mut function = json!({"name": tool.name, "parameters": tool.parameters});
    if !tool.description.is_empty() {
        function["description"] = json!(tool.description);
    }
    json!({"type": "function", "function": function})
}

/// The turn that instructs.
pub(super) fn instruction(system: &str) -> Value {
    json!({"role": "system", "content": system})
}

/// A turn, of its fields alone.
pub(super) fn message(message: &Message) -> Value {
    match message.role {
        Role::User if message.attachments.is_empty() => json!({"role": "user", "content": message.text}),
        Role::User => {
            let mut content: Vec<Value> = message.attachments.iter().map(image).collect();
            if !message.text.is_empty() {
                content.push(json!({"type": "text", "text": message.text}));
            }
            json!({"role": "user", "content": content})
        }
        Role::Tool => json!({"role": "tool", "tool_call_id": message.tool_call_id, "content": message.text}),
        Role::Assistant => assistant(message),
    }
}

fn image(attachment: &Attachment) -> Value {
    let url = match &attachment.source {
        Source::Url(url) => url.clone(),
        Source::Data(data) => format!("data:{};base64,{data}", attachment.media_type),
    };
    json!({"type": "image_url", "image_url": {"url": url}})
}

/// What was thought goes back before calls as the plan that led to them, else as a block of its own.
fn assistant(message: &Message) -> Value {
    let mut turn = Map::from_iter([("role".to_owned(), json!("assistant"))]);
    let thought = message.reasoning.as_deref().filter(|thought| !thought.is_empty());
    if message.tool_calls.is_empty() {
        let content = match thought {
            Some(thought) => json!([{"type": "thinking", "thinking": thought}, {"type": "text", "text": message.text}]),
            None => json!(message.text),
        };
        turn.insert("content".to_owned(), content);
        return Value::Object(turn);
    }
    if let Some(thought) = thought {
        turn.insert("tool_plan".to_owned(), json!(thought));
    }
    if !message.text.is_empty() {
        turn.insert("content".to_owned(), json!(message.text));
    }
    let call =
        |call: &crate::ToolCall| json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}});
    turn.insert("tool_calls".to_owned(), message.tool_calls.iter().map(call).collect());
    Value::Object(turn)
}
