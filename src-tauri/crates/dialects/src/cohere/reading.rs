//! The question that a body asks. What is read is built again and compared: only what comes out equal counts as read.

use serde_json::{Map, Value};

use super::body;
use crate::{Ask, Attachment, Message, Output, Params, Role, Source, Tool, ToolCall, Transport, extra};

/// Reads a body. What has no field goes to `extra`; turns that a [`Message`] cannot hold make it `None`.
pub(super) fn read(body: &str, transport: Transport) -> Option<Ask> {
    let Value::Object(body) = serde_json::from_str(body).ok()? else {
        return None;
    };
    let turns = body.get("messages")?.as_array()?;
    let (system, turns) = match turns.as_slice() {
        [first, rest @ ..] if first["role"] == "system" => (first["content"].as_str()?, rest),
        all => ("", all),
    };
    let mut ask = Ask {
        model: body.get("model")?.as_str()?.to_owned(),
        system: system.to_owned(),
        messages: turns.iter().map(message).collect::<Option<_>>()?,
        params: params(&body),
        tools: body.get("tools").and_then(Value::as_array).and_then(|tools| tools.iter().map(tool).collect()).unwrap_or_default(),
        output: output(&body),
        raw_body: None,
    };
    if ask.tools.is_empty() {
        ask.params.tool_choice = None;
    }
    ask.params.extra = extra::beyond(&body, &body::build(&ask, transport), &["model", "messages"])?;
    Some(ask)
}

fn params(body: &Map<String, Value>) -> Params {
    let number = |name: &str| extra::exact(body.get(name));
    let thinking = || {
        let thinking = body.get("thinking")?;
        Some(match (thinking["type"].as_str()?, thinking["token_budget"].as_u64()) {
            ("enabled", Some(budget)) => budget.to_string(),
            ("enabled", None) => "enabled".to_owned(),
            ("disabled", _) => "none".to_owned(),
            _ => return None,
        })
    };
    Params {
        temperature: number("temperature"),
        top_p: number("p"),
        max_tokens: body.get("max_tokens").and_then(Value::as_u64),
        seed: body.get("seed").and_then(Value::as_i64),
        stop: body.get("stop_sequences").and_then(extra::texts).unwrap_or_default(),
        reasoning: thinking(),
        tool_choice: body.get("tool_choice").and_then(|choice| match choice.as_str()? {
            "REQUIRED" => Some("required".to_owned()),
            "NONE" => Some("none".to_owned()),
            _ => None,
        }),
        ..Params::default()
    }
}

fn output(body: &Map<String, Value>) -> Option<Output> {
    let format = body.get("response_format")?;
    (format["type"] == "json_object").then(|| Output { name: String::new(), schema: format.get("json_schema").cloned() })
}

fn tool(tool: &Value) -> Option<Tool> {
    let function = tool["function"].as_object()?;
    let plain = function.keys().all(|key| matches!(key.as_str(), "name" | "description" | "parameters"));
    let description = match function.get("description") {
        None => "",
        Some(said) => said.as_str().filter(|said| !said.is_empty())?,
    };
    (plain && tool["type"] == "function" && tool.as_object()?.len() == 2).then_some(())?;
    Some(Tool {
        name: function.get("name")?.as_str()?.to_owned(),
        description: description.to_owned(),
        parameters: function.get("parameters")?.clone(),
    })
}

fn message(turn: &Value) -> Option<Message> {
    let content = &turn["content"];
    let mut message = match turn["role"].as_str()? {
        "user" => match content {
            Value::Array(parts) => user(parts)?,
            text => Message::new(Role::User, text.as_str()?),
        },
        "tool" => Message { tool_call_id: Some(turn["tool_call_id"].as_str()?.to_owned()), ..Message::new(Role::Tool, content.as_str()?) },
        "assistant" => match content {
            Value::Array(parts) => match parts.as_slice() {
                [thought, text] => Message {
                    reasoning: Some(thought["thinking"].as_str()?.to_owned()),
                    ..Message::new(Role::Assistant, text["text"].as_str()?)
                },
                _ => return None,
            },
            Value::Null => Message::new(Role::Assistant, ""),
            text => Message::new(Role::Assistant, text.as_str()?),
        },
        _ => return None,
    };
    if let Some(plan) = turn["tool_plan"].as_str() {
        message.reasoning = Some(plan.to_owned());
    }
    if let Some(calls) = turn["tool_calls"].as_array() {
        message.tool_calls = calls.iter().map(call).collect::<Option<_>>()?;
    }
    Some(message)
}

fn call(call: &Value) -> Option<ToolCall> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let function = &call["function"];
    Some(ToolCall { id: text(&call["id"])?, name: text(&function["name"])?, arguments: text(&function["arguments"])?, signature: None })
}

/// Images, then a text.
fn user(parts: &[Value]) -> Option<Message> {
    let (images, text) = match parts {
        [images @ .., last] if last["type"] == "text" => (images, last["text"].as_str()?),
        all => (all, ""),
    };
    let image = |part: &Value| {
        let url = part["image_url"]["url"].as_str()?;
        let inline = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")).filter(|(kind, _)| kind.starts_with("image/"));
        Some(match inline {
            Some((kind, data)) => Attachment { media_type: kind.to_owned(), name: String::new(), source: Source::Data(data.to_owned()) },
            None => Attachment { media_type: "image/*".to_owned(), name: String::new(), source: Source::Url(url.to_owned()) },
        })
    };
    Some(Message { attachments: images.iter().map(image).collect::<Option<_>>()?, ..Message::new(Role::User, text) })
}
