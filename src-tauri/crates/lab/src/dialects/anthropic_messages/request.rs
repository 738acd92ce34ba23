//! What a request must hold, and what it asks.

use serde_json::Value;

use super::super::Request;
use crate::ask::{self, Ask, Tool, ToolChoice};
use crate::rejection::Rejection;
use crate::script::count_all;

/// The versions there are. The newer has no sampling parameters.
const VERSIONS: [&str; 2] = ["2023-06-01", WITHOUT_SAMPLING];
const WITHOUT_SAMPLING: &str = "2026-10-21";

pub(super) fn read(request: &Request<'_>) -> Result<Ask, Rejection> {
    read_body(request, &ask::object(request.body)?)
}

pub(super) fn read_body(request: &Request<'_>, body: &Value) -> Result<Ask, Rejection> {
    let version = request.header("anthropic-version").ok_or_else(|| bad("anthropic-version: header is required"))?;
    if !VERSIONS.contains(&version) {
        return Err(bad(&format!("anthropic-version: \"{version}\" is not a valid version")));
    }
    for name in ["temperature", "top_p", "top_k"] {
        if version == WITHOUT_SAMPLING && body.get(name).is_some() {
            return Err(bad(&format!("{name}: Extra inputs are not permitted")));
        }
    }
    let (model, model_name) = ask::model(body)?;
    let limit = ask::limit(body, "max_tokens")?.ok_or_else(|| bad("max_tokens: Field required"))?;
    let thinking = &body["thinking"];
    if thinking["type"] == "enabled" {
        match thinking["budget_tokens"].as_u64() {
            None => return Err(bad("thinking.enabled.budget_tokens: Field required")),
            Some(budget) if budget < 1024 => {
                return Err(bad("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"));
            }
            Some(budget) if budget >= limit as u64 => return Err(bad("`max_tokens` must be greater than `thinking.budget_tokens`")),
            Some(_) => {}
        }
    }
    let turns = match body.get("messages") {
        Some(Value::Array(turns)) if !turns.is_empty() => turns,
        Some(Value::Array(_)) => return Err(bad("messages: at least one message is required")),
        _ => return Err(bad("messages: Field required")),
    };
    let mut texts = vec![ask::content_text(&body["system"])];
    let mut prompt = String::new();
    let mut tool_result = None;
    for (at, turn) in turns.iter().enumerate() {
        let user = match turn["role"].as_str() {
            Some("user") => true,
            Some("assistant") => false,
            _ => return Err(bad(&format!("messages.{at}.role: Input should be 'user' or 'assistant'"))),
        };
        tool_result = None;
        match &turn["content"] {
            Value::String(text) => {
                if user {
                    prompt.clone_from(text);
                }
                texts.push(text.clone());
            }
            Value::Array(blocks) => {
                for (index, block) in blocks.iter().enumerate() {
                    let place = format!("messages.{at}.content.{index}");
                    let text = block_text(block, &place)?;
                    match block["type"].as_str() {
                        Some("tool_result") if user => tool_result = Some(text.clone()),
                        Some("text") if user => {
                            prompt.clone_from(&text);
                            tool_result = None;
                        }
                        _ => {}
                    }
                    texts.push(text);
                }
            }
            _ => return Err(bad(&format!("messages.{at}.content: Field required"))),
        }
        answered(turns, at)?;
    }
    let (choice, parallel) = choice(body)?;
    Ok(Ask {
        model,
        model_name,
        prompt,
        prompt_tokens: count_all(texts.iter().map(String::as_str)),
        tools: tools(body)?,
        choice,
        parallel,
        tool_result,
        limit: Some(limit),
        seed: None,
        stream: ask::optional(body, "stream", "a boolean", Value::as_bool)?.unwrap_or(false),
        previous: None,
        form: ask::form(body),
    })
}

fn bad(message: &str) -> Rejection {
    Rejection::invalid(None, message)
}

/// The text of a block, which must have what its kind must have.
fn block_text(block: &Value, place: &str) -> Result<String, Rejection> {
    let field = |name: &str| block[name].as_str().ok_or_else(|| bad(&format!("{place}.{name}: Field required")));
    let kind = field("type")?;
    Ok(match kind {
        "text" => match field("text")? {
            "" => return Err(bad("messages: text content blocks must be non-empty")),
            text => text.to_string(),
        },
        "thinking" => {
            field("signature")?;
            field("thinking")?.to_string()
        }
        "redacted_thinking" => {
            field("data")?;
            String::new()
        }
        "tool_use" => {
            field("id")?;
            field("name")?;
            match &block["input"] {
                Value::Object(input) => Value::Object(input.clone()).to_string(),
                _ => return Err(bad(&format!("{place}.tool_use.input: Input should be a valid dictionary"))),
            }
        }
        "tool_result" => {
            field("tool_use_id")?;
            ask::content_text(&block["content"])
        }
        "image" | "document" => match block["source"]["type"].as_str() {
            Some("base64" | "url" | "text" | "file" | "content") => {
                block["source"]["data"].as_str().filter(|_| block["source"]["type"] == "text").unwrap_or_default().to_string()
            }
            _ => return Err(bad(&format!("{place}.source: Field required"))),
        },
        "search_result" | "server_tool_use" | "container_upload" => String::new(),
        result if result.ends_with("_tool_result") => String::new(),
        other => return Err(bad(&format!("{place}: Input tag '{other}' found using 'type' does not match any of the expected tags"))),
    })
}

/// Every call must be answered in the next turn.
fn answered(turns: &[Value], at: usize) -> Result<(), Rejection> {
    let blocks = |turn: Option<&Value>, kind: &str, id: &str| -> Vec<String> {
        let blocks = turn.and_then(|turn| turn["content"].as_array()).map(Vec::as_slice).unwrap_or_default();
        blocks.iter().filter(|block| block["type"] == kind).filter_map(|block| block[id].as_str().map(str::to_string)).collect()
    };
    let calls = blocks(turns.get(at), "tool_use", "id");
    let results = blocks(turns.get(at + 1), "tool_result", "tool_use_id");
    let open: Vec<String> = calls.into_iter().filter(|id| !results.contains(id)).collect();
    if !open.is_empty() {
        return Err(bad(&format!(
            "messages.{at}: `tool_use` ids were found without `tool_result` blocks immediately after: {}. Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
            open.join(", ")
        )));
    }
    let calls = at.checked_sub(1).map(|before| blocks(turns.get(before), "tool_use", "id")).unwrap_or_default();
    if let Some(stray) = blocks(turns.get(at), "tool_result", "tool_use_id").into_iter().find(|id| !calls.contains(id)) {
        return Err(bad(&format!(
            "messages.{at}: unexpected `tool_use_id` found in `tool_result` blocks: {stray}. Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
        )));
    }
    Ok(())
}

/// Tools that run at the client; those of other types run at the provider, and the Lab has none.
fn tools(body: &Value) -> Result<Vec<Tool>, Rejection> {
    let list = ask::optional(body, "tools", "an array", Value::as_array)?.map(Vec::as_slice).unwrap_or_default();
    let mut tools = Vec::new();
    for (at, tool) in list.iter().enumerate().filter(|(_, tool)| matches!(tool["type"].as_str(), None | Some("custom"))) {
        let name =
            tool["name"].as_str().filter(|name| !name.is_empty()).ok_or_else(|| bad(&format!("tools.{at}.custom.name: Field required")))?;
        if !tool["input_schema"].is_object() {
            return Err(bad(&format!("tools.{at}.custom.input_schema: Field required")));
        }
        tools.push(Tool { name: name.into(), parameters: tool["input_schema"].clone() });
    }
    Ok(tools)
}

/// The choice of tools, and whether several may be called at once.
fn choice(body: &Value) -> Result<(ToolChoice, bool), Rejection> {
    let Some(choice) = body.get("tool_choice").filter(|choice| !choice.is_null()) else {
        return Ok((ToolChoice::Auto, true));
    };
    let wanted = match (choice["type"].as_str(), choice["name"].as_str()) {
        (Some("auto"), _) => ToolChoice::Auto,
        (Some("any"), _) => ToolChoice::Required,
        (Some("none"), _) => ToolChoice::None,
        (Some("tool"), Some(name)) => ToolChoice::Named(name.into()),
        (Some("tool"), None) => return Err(bad("tool_choice.tool.name: Field required")),
        _ => return Err(bad("tool_choice: Input tag does not match any of the expected tags: 'auto', 'any', 'tool', 'none'")),
    };
    Ok((wanted, choice["disable_parallel_tool_use"] != true))
}
