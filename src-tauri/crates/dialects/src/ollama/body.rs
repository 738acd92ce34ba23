//! Ollama's request body: `/api/chat`, and `/api/generate` for a single turn.

use serde_json::{Map, Value, json};
use url::Url;

use super::NAME;
use crate::aside::{self, Aside};
use crate::{Ask, AskError, Attachment, Message, Output, Role, Source, Tool, ToolCall, Transport, extra};

/// Which of the two endpoints is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `/api/chat`: turns in `messages`.
    Chat,
    /// `/api/generate`: one `prompt`.
    Generate,
}

impl Form {
    /// By the path's end.
    pub(super) fn of(url: &Url) -> Self {
        if url.path().trim_end_matches('/').ends_with("/api/generate") { Form::Generate } else { Form::Chat }
    }
}

/// Whether a call id is one of ours: Ollama may send none, and a result needs one to say which call it answers. Such an id is never sent.
pub(super) fn is_stand_in(id: &str) -> bool {
    id.strip_prefix("call_").is_some_and(|n| (1..=3).contains(&n.len()) && n.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The id that stands in for that of the reply's `n`th call.
pub(super) fn stand_in(n: usize) -> String {
    format!("call_{n}")
}

fn inexpressible(what: impl Into<String>, why: &str) -> AskError {
    AskError::Inexpressible { dialect: NAME, what: what.into(), why: why.to_owned() }
}

/// What Ollama has no way to say, beyond what no dialect has.
pub(super) fn problems(ask: &Ask) -> Vec<AskError> {
    let mut found = Vec::new();
    if let Some(effort) = ask.params.reasoning.as_deref().filter(|effort| think(effort).is_none()) {
        found.push(inexpressible(format!("reasoning {effort}"), "think is true, false, low, medium, high or max"));
    }
    if let Some(choice) = ask.params.tool_choice.as_deref().filter(|choice| *choice != "auto") {
        found.push(inexpressible(format!("tool choice {choice}"), "the model always decides by itself"));
    }
    for message in &ask.messages {
        for attachment in &message.attachments {
            if !attachment.media_type.starts_with("image/") {
                found.push(inexpressible(format!("an attachment of type {}", attachment.media_type), "it takes images only"));
            } else if matches!(attachment.source, Source::Url(_)) {
                found.push(inexpressible("an image by URL", "images travel in the request, as base64"));
            }
        }
        for call in &message.tool_calls {
            if arguments(&call.arguments).is_none() {
                found.push(inexpressible(format!("the arguments of {}", call.name), "they are to be a JSON object"));
            }
        }
    }
    found
}

/// `think` for an effort; `None` where it has no word for it.
fn think(effort: &str) -> Option<Value> {
    match effort {
        "true" | "on" => Some(Value::Bool(true)),
        "false" | "off" | "none" => Some(Value::Bool(false)),
        "low" | "medium" | "high" | "max" => Some(effort.into()),
        _ => None,
    }
}

fn arguments(text: &str) -> Option<Value> {
    if text.trim().is_empty() {
        return Some(json!({}));
    }
    serde_json::from_str::<Value>(text).ok().filter(Value::is_object)
}

/// The body for `ask`, as compact JSON; what is not set is not sent. A question that is more than one user turn has no [`Form::Generate`].
pub(super) fn build(ask: &Ask, transport: Transport, form: Form) -> Result<String, AskError> {
    let mut body = members(ask, transport, form)?;
    extra::merge(&mut body, &ask.params.extra);
    Ok(Value::Object(body).to_string())
}

fn members(ask: &Ask, transport: Transport, form: Form) -> Result<Map<String, Value>, AskError> {
    let mut body = Map::new();
    body.insert("model".into(), json!(ask.model));
    match form {
        Form::Chat => {
            let system = (!ask.system.is_empty()).then(|| Aside::restore(ask.system_aside.as_deref(), instruction(&ask.system)));
            let turns = ask.messages.iter().enumerate();
            let turns = turns.map(|(at, turn)| Aside::restore(turn.aside.as_deref(), message(turn, &ask.messages[..at])));
            body.insert("messages".into(), system.into_iter().chain(turns).collect());
            if !ask.tools.is_empty() {
                body.insert("tools".into(), ask.tools.iter().map(tool).collect());
            }
        }
        Form::Generate => {
            let [only @ Message { role: Role::User, .. }] = ask.messages.as_slice() else {
                return Err(inexpressible("more than one user turn", "/api/generate takes one prompt; /api/chat takes a conversation"));
            };
            if !ask.tools.is_empty() {
                return Err(inexpressible("tools", "/api/generate has none; /api/chat has"));
            }
            body.insert("prompt".into(), json!(only.text));
            if !ask.system.is_empty() {
                body.insert("system".into(), json!(ask.system));
            }
            if let Some(images) = images(only) {
                body.insert("images".into(), images);
            }
        }
    }
    if let Some(think) = ask.params.reasoning.as_deref().and_then(think) {
        body.insert("think".into(), think);
    }
    if let Some(output) = &ask.output {
        body.insert("format".into(), output.schema.clone().unwrap_or_else(|| "json".into()));
    }
    let options = options(ask);
    if !options.is_empty() {
        body.insert("options".into(), Value::Object(options));
    }
    // The default is to stream, so only the other wish is worth words.
    if transport == Transport::Http {
        body.insert("stream".into(), Value::Bool(false));
    }
    Ok(body)
}

fn instruction(system: &str) -> Value {
    json!({"role": "system", "content": system})
}

fn options(ask: &Ask) -> Map<String, Value> {
    let params = &ask.params;
    let stop = (!params.stop.is_empty()).then(|| json!(params.stop));
    [
        ("temperature", params.temperature.map(extra::number)),
        ("top_p", params.top_p.map(extra::number)),
        ("num_predict", params.max_tokens.map(Value::from)),
        ("seed", params.seed.map(Value::from)),
        ("stop", stop),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect()
}

fn tool(tool: &Tool) -> Value {
    json!({"type": "function", "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters}})
}

fn images(message: &Message) -> Option<Value> {
    let data = |attachment: &Attachment| match &attachment.source {
        Source::Data(base64) => Some(json!(base64)),
        Source::Url(_) => None,
    };
    (!message.attachments.is_empty()).then(|| message.attachments.iter().filter_map(data).collect())
}

/// One turn; `before` are those that came earlier.
fn message(turn: &Message, before: &[Message]) -> Value {
    let mut out = Map::new();
    let role = match turn.role {
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    };
    out.insert("role".into(), json!(role));
    out.insert("content".into(), json!(turn.text));
    if let Some(thinking) = turn.reasoning.as_deref().filter(|text| !text.is_empty() && turn.role == Role::Assistant) {
        out.insert("thinking".into(), json!(thinking));
    }
    if let Some(images) = images(turn) {
        out.insert("images".into(), images);
    }
    if !turn.tool_calls.is_empty() {
        out.insert("tool_calls".into(), turn.tool_calls.iter().map(call).collect());
    }
    if turn.role == Role::Tool {
        let id = turn.tool_call_id.as_deref().unwrap_or_default();
        if let Some(name) = called(id, before) {
            out.insert("tool_name".into(), json!(name));
        }
        if !id.is_empty() && !is_stand_in(id) {
            out.insert("tool_call_id".into(), json!(id));
        }
    }
    Value::Object(out)
}

fn call(call: &ToolCall) -> Value {
    let function = json!({"name": call.name, "arguments": arguments(&call.arguments).unwrap_or_else(|| json!({}))});
    if call.id.is_empty() || is_stand_in(&call.id) { json!({"function": function}) } else { json!({"id": call.id, "function": function}) }
}

/// The function that the call with this id named: of the latest such call, for stand-ins begin anew in each reply.
fn called<'a>(id: &str, before: &'a [Message]) -> Option<&'a str> {
    let calls = before.iter().rev().flat_map(|turn| turn.tool_calls.iter().rev());
    calls.into_iter().find(|call| call.id == id).map(|call| call.name.as_str()).filter(|name| !name.is_empty())
}

/// The question a body asks; the inverse of [`build`].
pub(super) fn read(text: &str, transport: Transport, form: Form) -> Option<Ask> {
    let Ok(Value::Object(body)) = serde_json::from_str::<Value>(text) else { return None };
    let mut ask = Ask { model: body.get("model")?.as_str()?.to_owned(), ..Ask::default() };
    match form {
        Form::Chat => {
            let mut turns = body.get("messages")?.as_array()?.as_slice();
            if let Some((first, rest)) = turns.split_first()
                && first["role"] == "system"
                && let Some(system) = first["content"].as_str().filter(|system| !system.is_empty())
            {
                system.clone_into(&mut ask.system);
                ask.system_aside = Aside::of(instruction(system), first);
                turns = rest;
            }
            for turn in turns {
                let turn = read_message(turn, &ask.messages)?;
                ask.messages.push(turn);
            }
            let tools = body.get("tools").and_then(Value::as_array);
            ask.tools = tools.and_then(|tools| tools.iter().map(read_tool).collect()).unwrap_or_default();
        }
        Form::Generate => {
            let mut turn = Message::new(Role::User, body.get("prompt")?.as_str()?);
            turn.attachments = read_images(body.get("images"))?;
            ask.messages.push(turn);
            ask.system = body.get("system").and_then(Value::as_str).unwrap_or_default().to_owned();
        }
    }
    ask.params.reasoning = match body.get("think") {
        Some(Value::Bool(on)) => Some(on.to_string()),
        Some(Value::String(level)) => Some(level.clone()).filter(|level| think(level) == Some(json!(level))),
        _ => None,
    };
    ask.output = match body.get("format") {
        Some(Value::String(format)) if format == "json" => Some(Output { name: String::new(), schema: None }),
        Some(schema @ Value::Object(_)) => Some(Output { name: String::new(), schema: Some(schema.clone()) }),
        _ => None,
    };
    if let Some(Value::Object(options)) = body.get("options") {
        ask.params.temperature = extra::exact(options.get("temperature"));
        ask.params.top_p = extra::exact(options.get("top_p"));
        ask.params.max_tokens = options.get("num_predict").and_then(Value::as_u64);
        ask.params.seed = options.get("seed").and_then(Value::as_i64);
        ask.params.stop = options.get("stop").and_then(extra::texts).unwrap_or_default();
    }
    let built = members(&ask, transport, form).ok()?;
    // A body that streams is no question for the transport that does not.
    let fixed: &[&str] =
        if transport == Transport::Http { &["model", "messages", "prompt", "stream"] } else { &["model", "messages", "prompt"] };
    ask.params.extra = extra::beyond(&body, &built, fixed)?;
    Some(ask)
}

fn read_message(value: &Value, before: &[Message]) -> Option<Message> {
    let role = match value["role"].as_str()? {
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        // Instructions amid the conversation are said to the model too.
        _ => Role::User,
    };
    let mut turn = Message::new(role, aside::text(&value["content"]).unwrap_or_default());
    turn.reasoning = value["thinking"].as_str().map(str::to_owned);
    turn.attachments = read_images(value.get("images")).unwrap_or_default();
    for call in value["tool_calls"].as_array().into_iter().flatten() {
        let id = match &call["id"] {
            Value::String(id) => id.clone(),
            _ => stand_in(turn.tool_calls.len()),
        };
        let name = call["function"]["name"].as_str().unwrap_or_default().to_owned();
        turn.tool_calls.push(ToolCall { id, name, arguments: call["function"]["arguments"].to_string(), signature: None });
    }
    if role == Role::Tool {
        turn.tool_call_id = match &value["tool_call_id"] {
            Value::String(id) => Some(id.clone()),
            _ => unanswered(value["tool_name"].as_str(), before),
        };
    }
    turn.aside = Aside::of(message(&turn, before), value);
    Some(turn)
}

/// The id of the first call of the latest reply that has no result yet and, where it is told, this name.
fn unanswered(name: Option<&str>, before: &[Message]) -> Option<String> {
    let at = before.iter().rposition(|turn| !turn.tool_calls.is_empty())?;
    let answered = |id: &str| before[at..].iter().any(|turn| turn.tool_call_id.as_deref() == Some(id));
    let call = before[at].tool_calls.iter().find(|call| name.is_none_or(|name| call.name == name) && !answered(&call.id))?;
    Some(call.id.clone())
}

fn read_tool(value: &Value) -> Option<Tool> {
    let function = &value["function"];
    let read = Tool {
        name: function["name"].as_str()?.to_owned(),
        description: function["description"].as_str()?.to_owned(),
        parameters: function.get("parameters")?.clone(),
    };
    (tool(&read) == *value).then_some(read)
}

/// Images as attachments; none of a member that is absent, `None` of one that is no list of strings.
fn read_images(value: Option<&Value>) -> Option<Vec<Attachment>> {
    let Some(value) = value else { return Some(Vec::new()) };
    let image = |value: &Value| {
        let base64 = value.as_str()?;
        Some(Attachment { media_type: media_type(base64).to_owned(), name: String::new(), source: Source::Data(base64.to_owned()) })
    };
    value.as_array()?.iter().map(image).collect()
}

/// What an image in base64 is, by its first bytes: Ollama does not say.
fn media_type(base64: &str) -> &'static str {
    match base64 {
        data if data.starts_with("/9j/") => "image/jpeg",
        data if data.starts_with("UklGR") => "image/webp",
        data if data.starts_with("R0lGOD") => "image/gif",
        _ => "image/png",
    }
}
