//! The question that a body asks. What is read is built again and compared: only what comes out equal counts as read.

use serde_json::{Map, Value};

use super::blocks;
use super::body::{self, EFFORTS};
use crate::aside::{self, Aside};
use crate::{Ask, Message, Output, Params, Role, Tool, ToolCall, Transport, extra};

/// Reads a body. What has no field goes to `extra`; turns that a [`Message`] cannot hold make it `None`.
pub(super) fn read(body: &str, transport: Transport) -> Option<Ask> {
    let Value::Object(body) = serde_json::from_str(body).ok()? else {
        return None;
    };
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let mut ask = Ask {
        model: text("model")?.to_owned(),
        system: body.get("system").and_then(aside::text).unwrap_or_default(),
        params: params(&body),
        tools: body.get("tools").and_then(Value::as_array).and_then(|tools| tools.iter().map(tool).collect()).unwrap_or_default(),
        output: output(&body),
        ..Ask::default()
    };
    if !ask.system.is_empty() {
        ask.system_aside = body.get("system").and_then(|system| Aside::of(ask.system.clone().into(), system));
    }
    let turns = body.get("messages")?.as_array()?;
    for (turn, next) in turns.iter().zip(turns.iter().skip(1).map(Some).chain([None])) {
        messages(turn, &mut ask.messages)?;
        // Results and what the user says behind them are one turn; where they are two, an empty message keeps them apart.
        let ends_in_results = ask.messages.last().is_some_and(|message| message.role == Role::Tool);
        if ends_in_results && next.is_some_and(|next| next["role"] == "user") {
            ask.messages.push(Message::new(Role::User, ""));
        }
    }
    if ask.tools.is_empty() {
        // The tools, if any, are of kinds that have no field: so the choice among them must stay with them.
        ask.params.tool_choice = None;
    }
    ask.params.extra = extra::beyond(&body, &body::build(&ask, transport), &["model", "max_tokens", "messages"])?;
    Some(ask)
}

fn params(body: &Map<String, Value>) -> Params {
    let number = |name: &str| extra::exact(body.get(name));
    Params {
        temperature: number("temperature"),
        top_p: number("top_p"),
        max_tokens: body.get("max_tokens").and_then(Value::as_u64),
        stop: body.get("stop_sequences").and_then(extra::texts).unwrap_or_default(),
        reasoning: reasoning(body),
        tool_choice: body.get("tool_choice").and_then(|choice| match choice["type"].as_str()? {
            "any" => Some("required".to_owned()),
            "tool" => choice["name"].as_str().map(str::to_owned),
            word @ ("auto" | "none") => Some(word.to_owned()),
            _ => None,
        }),
        ..Params::default()
    }
}

fn reasoning(body: &Map<String, Value>) -> Option<String> {
    let thinking = body.get("thinking")?;
    let effort = body.get("output_config").and_then(|output| output["effort"].as_str()).filter(|effort| EFFORTS.contains(effort));
    Some(match thinking["type"].as_str()? {
        "adaptive" => effort.unwrap_or("adaptive").to_owned(),
        "enabled" => thinking["budget_tokens"].as_u64()?.to_string(),
        "disabled" => "none".to_owned(),
        _ => return None,
    })
}

fn output(body: &Map<String, Value>) -> Option<Output> {
    let format = &body.get("output_config")?["format"];
    let schema = format.get("schema").filter(|_| format["type"] == "json_schema")?;
    Some(Output { name: String::new(), schema: Some(schema.clone()) })
}

fn tool(tool: &Value) -> Option<Tool> {
    let fields = tool.as_object()?;
    let plain = fields.keys().all(|key| matches!(key.as_str(), "name" | "description" | "input_schema"));
    let description = match fields.get("description") {
        None => "",
        Some(said) => said.as_str().filter(|said| !said.is_empty())?,
    };
    plain.then_some(())?;
    Some(Tool {
        name: fields.get("name")?.as_str()?.to_owned(),
        description: description.to_owned(),
        parameters: fields.get("input_schema")?.clone(),
    })
}

/// Adds the messages of one turn: a turn of the user may hold results of tools, and then what the user says. What they cannot show of it
/// is kept aside with the first of them.
fn messages(turn: &Value, to: &mut Vec<Message>) -> Option<()> {
    let mut found = match (turn["role"].as_str()?, &turn["content"]) {
        ("assistant", Value::Array(blocks)) => vec![assistant(blocks)],
        ("assistant", content) => vec![Message::new(Role::Assistant, content.as_str()?)],
        (_, Value::Array(blocks)) => user(blocks),
        (_, content) => vec![Message::new(Role::User, content.as_str()?)],
    };
    if let [built] = body::turns(&found).as_slice() {
        found[0].aside = Aside::of(built.clone(), turn);
    }
    to.append(&mut found);
    Some(())
}

fn user(blocks: &[Value]) -> Vec<Message> {
    let (results, rest): (Vec<&Value>, Vec<&Value>) = blocks.iter().partition(|block| block["type"] == "tool_result");
    let mut found: Vec<Message> = results
        .into_iter()
        .map(|block| Message {
            tool_call_id: Some(block["tool_use_id"].as_str().unwrap_or_default().to_owned()),
            ..match &block["content"] {
                Value::Array(inner) => said(Role::Tool, inner.iter()),
                content => Message::new(Role::Tool, content.as_str().unwrap_or_default()),
            }
        })
        .collect();
    if !rest.is_empty() || found.is_empty() {
        found.push(said(Role::User, rest.into_iter()));
    }
    found
}

/// Attachments and texts.
fn said<'a>(role: Role, blocks: impl Iterator<Item = &'a Value> + Clone) -> Message {
    let text = aside::lines(blocks.clone().filter(|block| block["type"] == "text").filter_map(|block| block["text"].as_str()));
    Message { attachments: blocks.filter_map(blocks::attachment).collect(), ..Message::new(role, text) }
}

/// Thinking, texts, and calls.
fn assistant(blocks: &[Value]) -> Message {
    let of = |kind: &'static str| blocks.iter().filter(move |block| block["type"] == kind);
    let mut message = Message::new(Role::Assistant, aside::lines(of("text").filter_map(|block| block["text"].as_str())));
    let thoughts: Vec<&Value> =
        blocks.iter().filter(|block| matches!(block["type"].as_str(), Some("thinking" | "redacted_thinking"))).collect();
    match thoughts.as_slice() {
        [] => {}
        [one] if one["signature"].is_string() && one["thinking"].is_string() => {
            message.signature = one["signature"].as_str().map(str::to_owned);
            message.reasoning = one["thinking"].as_str().map(str::to_owned);
        }
        many => {
            message.reasoning = Some(many.iter().filter_map(|block| block["thinking"].as_str()).collect());
            message.signature = serde_json::to_string(many).ok();
        }
    }
    message.tool_calls = of("tool_use")
        .map(|call| ToolCall {
            id: call["id"].as_str().unwrap_or_default().to_owned(),
            name: call["name"].as_str().unwrap_or_default().to_owned(),
            arguments: call["input"].to_string(),
            signature: None,
        })
        .collect();
    message
}
