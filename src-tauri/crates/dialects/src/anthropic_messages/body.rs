//! The request body of Messages.

use serde_json::{Map, Value, json};

use super::blocks;
use crate::aside::Aside;
use crate::{Ask, Message, Role, ToolCall, Transport, extra};

/// What is sent where no limit is set: the API wants one.
const MAX_TOKENS: u64 = 4096;

/// The least that may be thought.
const MIN_BUDGET: u64 = 1024;

/// How hard the model may think, in the API's words.
pub(super) const EFFORTS: [&str; 5] = ["low", "medium", "high", "xhigh", "max"];

/// What the parameter `reasoning` means here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thinking<'a> {
    /// `none`: thinking is off.
    Off,
    /// `adaptive`: the model decides.
    Adaptive,
    /// A word of [`EFFORTS`]: the model decides, within this effort. Models since Claude 4.6.
    Effort(&'a str),
    /// A number: so many tokens at most. Models up to Claude 4.6, and the twins at other providers.
    Budget(u64),
}

impl<'a> Thinking<'a> {
    /// Reads the parameter; `None` if it means nothing here.
    pub(super) fn of(word: &'a str) -> Option<Self> {
        match word {
            "none" => Some(Thinking::Off),
            "adaptive" => Some(Thinking::Adaptive),
            effort if EFFORTS.contains(&effort) => Some(Thinking::Effort(effort)),
            number => number.parse().ok().map(Thinking::Budget),
        }
    }
}

fn thinking(ask: &Ask) -> Option<Thinking<'_>> {
    ask.params.reasoning.as_deref().and_then(Thinking::of)
}

/// The limit that is sent: thinking counts towards it.
fn limit(ask: &Ask) -> u64 {
    ask.params.max_tokens.unwrap_or(match thinking(ask) {
        Some(Thinking::Budget(budget)) => budget.saturating_add(MAX_TOKENS),
        _ => MAX_TOKENS,
    })
}

/// Tells what Messages cannot express of `ask`, beyond what no dialect can: what, and why.
pub(super) fn check(ask: &Ask, problem: &mut dyn FnMut(&str, &str)) {
    if ask.params.seed.is_some() {
        problem("seed", "the API has none");
    }
    match ask.params.reasoning.as_deref().map(|word| (word, Thinking::of(word))) {
        Some((word, None)) => {
            problem(&format!("reasoning {word}"), "none, adaptive, low, medium, high, xhigh, max, or how many tokens may be thought");
        }
        Some((_, Some(Thinking::Budget(budget)))) if budget < MIN_BUDGET => problem(&format!("reasoning {budget}"), "1024 tokens at least"),
        Some((_, Some(Thinking::Budget(budget)))) if budget >= limit(ask) => {
            problem(&format!("reasoning {budget}"), "thinking counts towards the token limit, which must be greater");
        }
        _ => {}
    }
    if ask.output.as_ref().is_some_and(|output| output.schema.is_none()) {
        problem("any JSON as the form of the reply", "the API takes a JSON Schema");
    }
    for message in &ask.messages {
        for attachment in &message.attachments {
            let what = || if attachment.name.is_empty() { attachment.media_type.clone() } else { attachment.name.clone() };
            if message.role == Role::Assistant {
                problem(&format!("{} in an assistant's turn", what()), "only what is said to the model has attachments");
            } else if let Err(why) = blocks::of(attachment) {
                problem(&what(), why);
            }
        }
        for call in &message.tool_calls {
            if input(call).is_none() {
                problem(&format!("the arguments of {}", call.name), "the API takes a JSON object");
            }
        }
    }
}

/// The body for `ask`; what is not set is not sent, but for the token limit.
pub(super) fn build(ask: &Ask, transport: Transport) -> Map<String, Value> {
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| {
        body.insert(name.to_owned(), value);
    };
    let params = &ask.params;
    put("model", json!(ask.model));
    put("max_tokens", json!(limit(ask)));
    if !ask.system.is_empty() {
        put("system", Aside::restore(ask.system_aside.as_deref(), json!(ask.system)));
    }
    put("messages", Value::Array(turns(&ask.messages)));
    for (name, value) in [("temperature", params.temperature), ("top_p", params.top_p)] {
        if let Some(value) = value {
            put(name, extra::number(value));
        }
    }
    if !params.stop.is_empty() {
        put("stop_sequences", json!(params.stop));
    }
    let mut output = Map::new();
    match thinking(ask) {
        Some(Thinking::Off) => put("thinking", json!({"type": "disabled"})),
        Some(Thinking::Budget(budget)) => put("thinking", json!({"type": "enabled", "budget_tokens": budget})),
        Some(Thinking::Adaptive) => put("thinking", json!({"type": "adaptive"})),
        Some(Thinking::Effort(effort)) => {
            put("thinking", json!({"type": "adaptive"}));
            output.insert("effort".to_owned(), json!(effort));
        }
        None => {}
    }
    if let Some(schema) = ask.output.as_ref().and_then(|output| output.schema.as_ref()) {
        output.insert("format".to_owned(), json!({"type": "json_schema", "schema": schema}));
    }
    if !output.is_empty() {
        put("output_config", Value::Object(output));
    }
    if !ask.tools.is_empty() {
        put("tools", ask.tools.iter().map(tool).collect());
    }
    if let Some(choice) = params.tool_choice.as_deref() {
        put(
            "tool_choice",
            match choice {
                "auto" | "none" => json!({"type": choice}),
                "required" => json!({"type": "any"}),
                name => json!({"type": "tool", "name": name}),
            },
        );
    }
    if transport == Transport::Sse {
        put("stream", json!(true));
    }
    extra::merge(&mut body, &params.extra);
    body
}

fn tool(tool: &crate::Tool) -> Value {
    if tool.description.is_empty() {
        json!({"name": tool.name, "input_schema": tool.parameters})
    } else {
        json!({"name": tool.name, "description": tool.description, "input_schema": tool.parameters})
    }
}

/// The turns. Results of tools, and what the user says after them, make up one turn of the user: the API wants all results of an
/// assistant's turn in the next one.
pub(super) fn turns(messages: &[Message]) -> Vec<Value> {
    let mut turns = Vec::with_capacity(messages.len());
    let mut results: Vec<Value> = Vec::new();
    // What is kept aside of a turn is kept with its first message.
    let mut first: Option<&Aside> = None;
    let said_to = |content: Vec<Value>, first: Option<&Aside>| Aside::restore(first, json!({"role": "user", "content": content}));
    for message in messages {
        let own = message.aside.as_deref();
        match message.role {
            Role::Tool => {
                if results.is_empty() {
                    first = own;
                }
                results.push(result(message));
            }
            Role::User if !results.is_empty() => {
                results.extend(said(message));
                turns.push(said_to(std::mem::take(&mut results), first));
            }
            role => {
                if !results.is_empty() {
                    turns.push(said_to(std::mem::take(&mut results), first));
                }
                let turn = match role {
                    Role::Assistant => assistant(message),
                    _ if message.attachments.is_empty() => json!({"role": "user", "content": message.text}),
                    _ => json!({"role": "user", "content": said(message)}),
                };
                turns.push(Aside::restore(own, turn));
            }
        }
    }
    if !results.is_empty() {
        turns.push(said_to(results, first));
    }
    turns
}

/// Attachments, then the text; an empty text block is refused, so there is none.
fn said(message: &Message) -> Vec<Value> {
    let mut content: Vec<Value> = message.attachments.iter().filter_map(|attachment| blocks::of(attachment).ok()).collect();
    if !message.text.is_empty() {
        content.push(json!({"type": "text", "text": message.text}));
    }
    content
}

fn result(message: &Message) -> Value {
    let content = if message.attachments.is_empty() { json!(message.text) } else { json!(said(message)) };
    json!({"type": "tool_result", "tool_use_id": message.tool_call_id, "content": content})
}

fn assistant(message: &Message) -> Value {
    let mut content = thoughts(message);
    if content.is_empty() && message.tool_calls.is_empty() {
        return json!({"role": "assistant", "content": message.text});
    }
    if !message.text.is_empty() {
        content.push(json!({"type": "text", "text": message.text}));
    }
    content.extend(
        message
            .tool_calls
            .iter()
            .map(|call| json!({"type": "tool_use", "id": call.id, "name": call.name, "input": input(call).unwrap_or_else(|| json!({}))})),
    );
    json!({"role": "assistant", "content": content})
}

/// The blocks of thinking to be sent back. Without their seal they would be refused, so then there are none. A seal that is a JSON array
/// is the blocks themselves (see the decoder).
fn thoughts(message: &Message) -> Vec<Value> {
    let Some(seal) = message.signature.as_deref() else {
        return Vec::new();
    };
    match serde_json::from_str(seal) {
        Ok(Value::Array(blocks)) => blocks,
        _ => vec![json!({"type": "thinking", "thinking": message.reasoning.as_deref().unwrap_or_default(), "signature": seal})],
    }
}

/// The arguments of a call as an object; none at all are an empty one.
fn input(call: &ToolCall) -> Option<Value> {
    if call.arguments.trim().is_empty() {
        return Some(json!({}));
    }
    serde_json::from_str(&call.arguments).ok().filter(Value::is_object)
}
