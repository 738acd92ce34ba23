//! The question that a body asks. What is read is built again and compared: only what comes out equal counts as read.

use serde_json::{Map, Value};

use super::body;
use crate::aside::{self, Aside};
use crate::{Ask, Attachment, Message, Output, Params, Role, Source, Tool, ToolCall, Transport, extra};

/// Reads a body. What has no field goes to `extra`; turns that a [`Message`] cannot hold make it `None`.
pub(super) fn read(body: &str, transport: Transport) -> Option<Ask> {
    let Value::Object(body) = serde_json::from_str(body).ok()? else {
        return None;
    };
    let turns = body.get("messages")?.as_array()?;
    let (system, turns) = match turns.as_slice() {
        [first, rest @ ..] if first["role"] == "system" => (Some(first), rest),
        all => (None, all),
    };
    let said = system.and_then(|first| aside::text(&first["content"])).unwrap_or_default();
    if system.is_some() && said.is_empty() {
        return None;
    }
    let mut ask = Ask {
        model: body.get("model")?.as_str()?.to_owned(),
        system_aside: system.and_then(|first| Aside::of(body::instruction(&said), first)),
        system: said,
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

/// What a [`Message`] can show of a turn, and all of it aside where that is not everything.
fn message(turn: &Value) -> Option<Message> {
    let content = &turn["content"];
    let parts = || content.as_array().into_iter().flatten();
    let text = aside::text(content).unwrap_or_default();
    let mut message = match turn["role"].as_str()? {
        "tool" => Message { tool_call_id: turn["tool_call_id"].as_str().map(str::to_owned), ..Message::new(Role::Tool, text) },
        "assistant" => {
            let thought = aside::lines(parts().filter_map(|part| part["thinking"].as_str()));
            Message { reasoning: Some(thought).filter(|thought| !thought.is_empty()), ..Message::new(Role::Assistant, text) }
        }
        // Instructions amid the conversation are said to the model too.
        _ => Message { attachments: parts().filter_map(image).collect(), ..Message::new(Role::User, text) },
    };
    if let Some(plan) = turn["tool_plan"].as_str() {
        message.reasoning = Some(plan.to_owned());
    }
    message.tool_calls = turn["tool_calls"].as_array().into_iter().flatten().filter_map(call).collect();
    message.aside = Aside::of(body::message(&message), turn);
    Some(message)
}

fn call(call: &Value) -> Option<ToolCall> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let function = &call["function"];
    Some(ToolCall { id: text(&call["id"])?, name: text(&function["name"])?, arguments: text(&function["arguments"])?, signature: None })
}

/// The image that a part is.
fn image(part: &Value) -> Option<Attachment> {
    let url = part["image_url"]["url"].as_str()?;
    let inline = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")).filter(|(kind, _)| kind.starts_with("image/"));
    Some(match inline {
        Some((kind, data)) => Attachment { media_type: kind.to_owned(), name: String::new(), source: Source::Data(data.to_owned()) },
        None => Attachment { media_type: "image/*".to_owned(), name: String::new(), source: Source::Url(url.to_owned()) },
    })
}
