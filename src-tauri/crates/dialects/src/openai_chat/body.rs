//! The request body of Chat Completions, there and back.

use serde_json::{Map, Value, json};

use super::wishes::Wishes;
use crate::aside::{self, Aside};
use crate::{Ask, Attachment, Message, Output, Role, Source, Tool, ToolCall, extra, media};

/// The name of a form that was given none; the API wants one.
const FORM: &str = "reply";

/// The body for `ask`; what is not set is not sent.
pub(super) fn build(ask: &Ask, stream: bool, wishes: Wishes) -> Map<String, Value> {
    let mut messages = Vec::with_capacity(ask.messages.len() + 1);
    if !ask.system.is_empty() {
        messages.push(Aside::restore(ask.system_aside.as_deref(), instruction(&ask.system)));
    }
    messages.extend(ask.messages.iter().map(|turn| Aside::restore(turn.aside.as_deref(), message(turn, wishes))));

    let mut body = Map::new();
    let mut put = |name: &str, value: Value| {
        body.insert(name.to_owned(), value);
    };
    if !ask.model.is_empty() {
        put("model", json!(ask.model));
    }
    put("messages", Value::Array(messages));
    let params = &ask.params;
    if let Some(temperature) = params.temperature {
        put("temperature", extra::number(temperature));
    }
    if let Some(top_p) = params.top_p {
        put("top_p", extra::number(top_p));
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
    if let Some(wish) = &params.reasoning {
        wishes.thinking.put(wish, &mut body);
    }
    let mut put = |name: &str, value: Value| {
        body.insert(name.to_owned(), value);
    };
    if !ask.tools.is_empty() {
        put("tools", tools(&ask.tools));
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
    if let Some(output) = &ask.output {
        put(
            "response_format",
            match &output.schema {
                Some(schema) => json!({"type": "json_schema", "json_schema": {"name": form(output), "strict": true, "schema": schema}}),
                None => json!({"type": "json_object"}),
            },
        );
    }
    if stream {
        put("stream", json!(true));
        if wishes.stream_options && params.usage != Some(false) {
            put("stream_options", json!({"include_usage": true}));
        }
    }
    extra::merge(&mut body, &params.extra);
    body
}

fn instruction(system: &str) -> Value {
    json!({"role": "system", "content": system})
}

fn tools(tools: &[Tool]) -> Value {
    let tool = |tool: &Tool| {
        let mut function = json!({"name": tool.name});
        if !tool.description.is_empty() {
            function["description"] = json!(tool.description);
        }
        function["parameters"] = tool.parameters.clone();
        json!({"type": "function", "function": function})
    };
    tools.iter().map(tool).collect()
}

/// The name of a form.
pub(crate) fn form(output: &Output) -> &str {
    if output.name.is_empty() { FORM } else { &output.name }
}

fn message(message: &Message, wishes: Wishes) -> Value {
    match message.role {
        Role::User if message.attachments.is_empty() => json!({"role": "user", "content": message.text}),
        Role::User => {
            let mut parts: Vec<Value> = message.attachments.iter().map(part).collect();
            if !message.text.is_empty() {
                parts.push(json!({"type": "text", "text": message.text}));
            }
            json!({"role": "user", "content": parts})
        }
        Role::Tool => {
            json!({"role": "tool", "tool_call_id": message.tool_call_id, "content": message.text})
        }
        Role::Assistant if message.tool_calls.is_empty() => {
            json!({"role": "assistant", "content": message.text})
        }
        Role::Assistant => {
            let calls: Vec<Value> = message.tool_calls.iter().map(tool_call).collect();
            let content = if message.text.is_empty() { Value::Null } else { json!(message.text) };
            match (wishes.echo, &message.reasoning) {
                (Some(name), Some(thought)) => json!({"role": "assistant", "content": content, name: thought, "tool_calls": calls}),
                _ => json!({"role": "assistant", "content": content, "tool_calls": calls}),
            }
        }
    }
}

fn tool_call(call: &ToolCall) -> Value {
    let function = json!({"name": call.name, "arguments": call.arguments});
    match &call.signature {
        // Gemini behind this dialect wants its seal back where it put it.
        Some(seal) => {
            json!({"id": call.id, "type": "function", "function": function, "extra_content": {"google": {"thought_signature": seal}}})
        }
        None => json!({"id": call.id, "type": "function", "function": function}),
    }
}

/// A part of a user's turn. What the API has no part for goes as a file, which [`super::OpenAiChat`]'s check has refused where that cannot be.
fn part(attachment: &Attachment) -> Value {
    if media::is_image(attachment) {
        return json!({"type": "image_url", "image_url": {"url": media::url(attachment)}});
    }
    match (media::audio_format(&attachment.media_type), &attachment.source) {
        (Some(format), Source::Data(data)) => json!({"type": "input_audio", "input_audio": {"data": data, "format": format}}),
        _ => json!({"type": "file", "file": {"filename": attachment.name, "file_data": media::url(attachment)}}),
    }
}

/// The question a body asks. The members of `fixed` must be built again exactly from it; all others may come from `extra`.
pub(super) fn read(body: &str, stream: bool, wishes: Wishes) -> Option<Ask> {
    let body: Map<String, Value> = serde_json::from_str(body).ok()?;
    let mut ask = Ask::default();
    let mut turns = body.get("messages")?.as_array()?.as_slice();
    if let [first, rest @ ..] = turns
        && (first["role"] == "system" || first["role"] == "developer")
        && let Some(system) = aside::text(&first["content"]).filter(|system| !system.is_empty())
    {
        ask.system_aside = Aside::of(instruction(&system), first);
        ask.system = system;
        turns = rest;
    }
    ask.messages = turns.iter().map(|turn| turn_of(turn, wishes)).collect::<Option<_>>()?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    ask.model = text("model").unwrap_or_default();
    let params = &mut ask.params;
    params.temperature = extra::exact(body.get("temperature"));
    params.top_p = extra::exact(body.get("top_p"));
    params.max_tokens = body.get(wishes.max_tokens).and_then(Value::as_u64);
    params.seed = body.get(wishes.seed).and_then(Value::as_i64);
    params.stop = body.get("stop").and_then(extra::texts).unwrap_or_default();
    params.reasoning = wishes.thinking.read(&body);
    params.tool_choice = body.get("tool_choice").and_then(|choice| match choice.as_str() {
        Some("auto" | "none" | "required") => choice.as_str().map(str::to_owned),
        _ => choice["function"]["name"].as_str().map(str::to_owned),
    });
    if let Some(list) = body.get("tools") {
        let read = list.as_array().and_then(|list| list.iter().map(|tool| extra::function(&tool["function"])).collect::<Option<Vec<_>>>());
        // A list that holds more than functions is kept as it is: half of it in fields would be overruled in silence.
        ask.tools = read.filter(|read| tools(read) == *list).unwrap_or_default();
    }
    if ask.tools.is_empty() {
        // The choice among tools that have no field stays with them.
        ask.params.tool_choice = None;
    }
    ask.output = body.get("response_format").and_then(|format| match format["type"].as_str() {
        Some("json_object") => Some(Output { name: String::new(), schema: None }),
        Some("json_schema") => {
            let form = format.get("json_schema")?;
            Some(Output { name: form["name"].as_str()?.to_owned(), schema: Some(form.get("schema")?.clone()) })
        }
        _ => None,
    });
    if stream && wishes.stream_options && body.get("stream_options").is_none_or(|options| options["include_usage"] != true) {
        ask.params.usage = Some(false);
    }
    ask.params.extra = extra::beyond(&body, &build(&ask, stream, wishes), &["messages"])?;
    (build(&ask, stream, wishes) == body).then_some(ask)
}

/// A turn: what a [`Message`] can hold of it, and the whole of it aside where that is not all.
fn turn_of(turn: &Value, wishes: Wishes) -> Option<Message> {
    let mut message = match turn["role"].as_str()? {
        "assistant" => Message::new(Role::Assistant, ""),
        "tool" => Message::new(Role::Tool, ""),
        // Instructions amid the conversation, and what else there may be, are said to the model too.
        _ => Message::new(Role::User, ""),
    };
    message.text = aside::text(&turn["content"]).unwrap_or_default();
    if let Value::Array(parts) = &turn["content"] {
        message.attachments = parts.iter().filter_map(attachment_of).collect();
    }
    message.tool_call_id = turn.get("tool_call_id").and_then(Value::as_str).map(str::to_owned);
    message.reasoning = wishes.echo.and_then(|name| turn.get(name)).and_then(Value::as_str).map(str::to_owned);
    message.tool_calls = turn["tool_calls"].as_array().into_iter().flatten().filter_map(call_of).collect();
    message.aside = Aside::of(self::message(&message, wishes), turn);
    Some(message)
}

/// The attachment that a part is; none where it is a text, or of a kind there is no name for.
fn attachment_of(part: &Value) -> Option<Attachment> {
    match part["type"].as_str()? {
        "image_url" => Some(media::attachment(part["image_url"]["url"].as_str()?, "", "image/*")),
        "input_audio" => {
            let media_type = media::audio_type(part["input_audio"]["format"].as_str()?)?.to_owned();
            let source = Source::Data(part["input_audio"]["data"].as_str()?.to_owned());
            Some(Attachment { media_type, name: String::new(), source })
        }
        "file" => {
            let (name, data) = (part["file"]["filename"].as_str()?, part["file"]["file_data"].as_str()?);
            Some(media::attachment(data, name, "application/octet-stream"))
        }
        _ => None,
    }
}

fn call_of(call: &Value) -> Option<ToolCall> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Some(ToolCall {
        id: text(&call["id"])?,
        name: text(&call["function"]["name"])?,
        arguments: text(&call["function"]["arguments"])?,
        signature: text(&call["extra_content"]["google"]["thought_signature"]),
    })
}
