//! The question that a body asks. What is read is built again and compared: only what comes out equal counts as read.

use serde_json::{Map, Value};

use super::blocks;
use super::body::{self, EFFORTS};
use crate::{Ask, Message, Output, Params, Role, Tool, ToolCall, Transport, extra};

/// Reads a body. What has no field goes to `extra`; turns that a [`Message`] cannot hold make it `None`.
pub(super) fn read(body: &str, transport: Transport) -> Option<Ask> {
    let Value::Object(body) = serde_json::from_str(body).ok()? else {
        return None;
    };
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let mut ask = Ask {
        model: text("model")?.to_owned(),
        system: text("system").unwrap_or_default().to_owned(),
        params: params(&body),
        tools: body.get("tools").and_then(Value::as_array).and_then(|tools| tools.iter().map(tool).collect()).unwrap_or_default(),
        output: output(&body),
        ..Ask::default()
    };
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

/// Adds the messages of one turn: a turn of the user may hold results of tools, and then what the user says.
fn messages(turn: &Value, to: &mut Vec<Message>) -> Option<()> {
    let role = match turn["role"].as_str()? {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        _ => return None,
    };
    match &turn["content"] {
        Value::String(text) => to.push(Message::new(role, text)),
        Value::Array(blocks) if role == Role::User => user(blocks, to)?,
        Value::Array(blocks) => to.push(assistant(blocks)?),
        _ => return None,
    }
    Some(())
}

fn user(blocks: &[Value], to: &mut Vec<Message>) -> Option<()> {
    let results = blocks.iter().take_while(|block| block["type"] == "tool_result").count();
    for block in &blocks[..results] {
        let mut message = match &block["content"] {
            Value::String(text) => Message::new(Role::Tool, text),
            Value::Array(inner) => said(Role::Tool, inner)?,
            _ => return None,
        };
        message.tool_call_id = Some(block["tool_use_id"].as_str()?.to_owned());
        to.push(message);
    }
    if results < blocks.len() || blocks.is_empty() {
        to.push(said(Role::User, &blocks[results..])?);
    }
    Some(())
}

/// Attachments, then a text.
fn said(role: Role, blocks: &[Value]) -> Option<Message> {
    let (attachments, text) = match blocks {
        [attachments @ .., last] if last["type"] == "text" => (attachments, last["text"].as_str()?),
        all => (all, ""),
    };
    let attachments = attachments.iter().map(blocks::attachment).collect::<Option<_>>()?;
    Some(Message { attachments, ..Message::new(role, text) })
}

/// Thinking, then a text, then calls.
fn assistant(blocks: &[Value]) -> Option<Message> {
    let is_thought = |block: &&Value| matches!(block["type"].as_str(), Some("thinking" | "redacted_thinking"));
    let thoughts = blocks.iter().take_while(is_thought).count();
    let (thoughts, rest) = blocks.split_at(thoughts);
    let (text, calls) = match rest {
        [first, calls @ ..] if first["type"] == "text" => (first["text"].as_str()?, calls),
        calls => ("", calls),
    };
    let mut message = Message::new(Role::Assistant, text);
    match thoughts {
        [] => {}
        [one] if one["type"] == "thinking" => {
            message.signature = Some(one["signature"].as_str()?.to_owned());
            message.reasoning = Some(one["thinking"].as_str()?.to_owned());
        }
        many => {
            message.reasoning = Some(many.iter().filter_map(|block| block["thinking"].as_str()).collect());
            message.signature = Some(Value::Array(many.to_vec()).to_string());
        }
    }
    for call in calls {
        (call["type"] == "tool_use").then_some(())?;
        message.tool_calls.push(ToolCall {
            id: call["id"].as_str()?.to_owned(),
            name: call["name"].as_str()?.to_owned(),
            arguments: call["input"].to_string(),
            signature: None,
        });
    }
    Some(message)
}
