//! Cohere's chat v2: a reply and, streamed, events that each name their `type` twice, ending in `message-end`.

use serde_json::{Map, Value, json};

use super::{Dialect, Event, Render, Request};
use crate::ask::{self, Ask, Tool, ToolChoice};
use crate::models::Model;
use crate::rejection::{Reason, Rejection};
use crate::script::{Finish, Script, Step, count_all};

pub(crate) struct Cohere;

impl Dialect for Cohere {
    fn read(&self, request: &Request<'_>) -> Result<(Ask, Box<dyn Render>), Rejection> {
        let body = ask::object(request.body)?;
        let (model, model_name) = ask::model(&body)?;
        let turns = match body.get("messages") {
            Some(Value::Array(turns)) if !turns.is_empty() => turns,
            _ => return Err(bad("invalid request: list of messages must not be empty")),
        };
        let mut texts = Vec::new();
        let mut prompt = String::new();
        let mut tool_result = None;
        for (at, turn) in turns.iter().enumerate() {
            let text = ask::content_text(&turn["content"]);
            tool_result = None;
            match turn["role"].as_str() {
                Some("user") => prompt.clone_from(&text),
                Some("tool") if turn["tool_call_id"].is_string() => tool_result = Some(text.clone()),
                Some("tool") => return Err(bad(&format!("invalid request: messages[{at}].tool_call_id is required"))),
                Some("assistant") => texts.push(turn["tool_plan"].as_str().unwrap_or_default().to_string()),
                Some("system") => {}
                _ => return Err(bad(&format!("invalid request: messages[{at}].role must be one of user, assistant, system, tool"))),
            }
            texts.push(text);
        }
        let documents: Vec<Value> = body["documents"].as_array().cloned().unwrap_or_default();
        let ask = Ask {
            model,
            model_name,
            prompt,
            prompt_tokens: count_all(texts.iter().map(String::as_str)),
            tools: tools(&body)?,
            choice: match body.get("tool_choice").map(Value::as_str) {
                None => ToolChoice::Auto,
                Some(Some("REQUIRED")) => ToolChoice::Required,
                Some(Some("NONE")) => ToolChoice::None,
                Some(_) => return Err(bad("invalid request: tool_choice must be one of REQUIRED, NONE")),
            },
            parallel: true,
            tool_result,
            limit: ask::limit(&body, "max_tokens")?,
            seed: ask::seed(&body)?,
            stream: ask::optional(&body, "stream", "a boolean", Value::as_bool)?.unwrap_or(false),
            previous: None,
            form: ask::form(&body),
        };
        Ok((ask, Box::new(Events { done: 0, open: None, documents })))
    }

    fn head(&self, script: &Script) -> Vec<(&'static str, String)> {
        vec![
            ("x-debug-trace-id", format!("lab{}", script.id())),
            ("x-endpoint-monthly-call-limit", "1000".to_string()),
            ("x-trial-endpoint-call-limit", "20".to_string()),
            ("x-trial-endpoint-call-remaining", "19".to_string()),
        ]
    }

    fn refuse(&self, rejection: &Rejection) -> Value {
        let message = match rejection.reason {
            Reason::WrongKey => "invalid api token".to_string(),
            Reason::TooLong { tokens, limit } => format!(
                "too many tokens: total number of tokens in the prompt cannot exceed {limit} - received {tokens}. Try using a shorter prompt, or enabling prompt truncating."
            ),
            _ => rejection.message.clone(),
        };
        json!({"id": "lab-refused", "message": message})
    }

    fn models(&self, models: &[Model]) -> Value {
        json!({"models": models.iter().map(|model| self.model(model)).collect::<Vec<_>>()})
    }

    fn model(&self, model: &Model) -> Value {
        json!({"name": model.id, "endpoints": ["chat"], "finetuned": false, "context_length": 8192, "features": ["tools"]})
    }
}

/// What is said of a reply that a filter stopped.
const FILTERED: &str = "The reply was stopped by a content filter.";

fn bad(message: &str) -> Rejection {
    Rejection::invalid(None, message)
}

fn tools(body: &Value) -> Result<Vec<Tool>, Rejection> {
    let list = ask::optional(body, "tools", "an array", Value::as_array)?.map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .enumerate()
        .map(|(at, tool)| {
            let name = tool["function"]["name"].as_str().filter(|name| !name.is_empty());
            let name = name.ok_or_else(|| bad(&format!("invalid request: tools[{at}].function.name is required")))?;
            Ok(Tool { name: name.into(), parameters: tool["function"]["parameters"].clone() })
        })
        .collect()
}

/// What is being said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Thinking,
    Text,
    Call(usize),
}

/// Renders a script as events.
struct Events {
    /// Content blocks that are done.
    done: usize,
    open: Option<Part>,
    /// What a reply may cite.
    documents: Vec<Value>,
}

impl Events {
    /// Ends what is being said and begins `part`, unless that is being said.
    fn turn_to(&mut self, script: &Script, part: Option<Part>) -> Vec<Event> {
        if self.open == part {
            return Vec::new();
        }
        let mut events = Vec::new();
        match self.open {
            Some(Part::Thinking | Part::Text) => {
                events.push(event("content-end", json!({"index": self.done})));
                if self.open == Some(Part::Text) {
                    events.extend(self.citation(script));
                }
                self.done += 1;
            }
            Some(Part::Call(at)) => events.push(event("tool-call-end", json!({"index": at}))),
            None => {}
        }
        events.extend(part.map(|part| match part {
            Part::Thinking => self.content("content-start", json!({"type": "thinking", "thinking": ""})),
            Part::Text => self.content("content-start", json!({"type": "text", "text": ""})),
            Part::Call(at) => message("tool-call-start", at, json!({"tool_calls": call(script, at, "")})),
        }));
        self.open = part;
        events
    }

    fn content(&self, name: &'static str, content: Value) -> Event {
        message(name, self.done, json!({ "content": content }))
    }

    /// The first word of the text, cited from the first document, if there is one.
    fn citation(&self, script: &Script) -> Vec<Event> {
        let (Some(document), Some(word)) = (self.documents.first(), script.text().split_whitespace().next()) else {
            return Vec::new();
        };
        let citation = citation(document, word, self.done);
        vec![message("citation-start", 0, json!({ "citations": citation })), event("citation-end", json!({"index": 0}))]
    }
}

impl Render for Events {
    fn opening(&mut self, script: &Script) -> Vec<Event> {
        let start = json!({"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []});
        vec![event("message-start", json!({"id": id(script), "delta": {"message": start}}))]
    }

    fn step(&mut self, script: &Script, step: Step<'_>) -> Vec<Event> {
        match step {
            // What is thought before calls is the plan that leads to them.
            Step::Reasoning(text) if !script.tool_calls().is_empty() => {
                vec![event("tool-plan-delta", json!({"delta": {"message": {"tool_plan": text}}}))]
            }
            Step::Reasoning(text) => {
                let mut events = self.turn_to(script, Some(Part::Thinking));
                events.push(self.content("content-delta", json!({"thinking": text})));
                events
            }
            // The API knows no refusal: it is text like any other.
            Step::Text(text) | Step::Refusal(text) => {
                let mut events = self.turn_to(script, Some(Part::Text));
                events.push(self.content("content-delta", json!({"text": text})));
                events
            }
            Step::Call(at) => self.turn_to(script, Some(Part::Call(at))),
            Step::Arguments(at, text) => {
                let mut events = self.turn_to(script, Some(Part::Call(at)));
                events.push(message("tool-call-delta", at, json!({"tool_calls": {"function": {"arguments": text}}})));
                events
            }
            Step::Fail => {
                let delta = json!({"finish_reason": "ERROR", "error": script.failure().message});
                vec![event("message-end", json!({"id": id(script), "delta": delta})).end()]
            }
        }
    }

    fn closing(&mut self, script: &Script) -> Vec<Event> {
        let mut events = self.turn_to(script, None);
        let mut delta = json!({"finish_reason": finish(script), "usage": usage(script)});
        if script.finish() == Finish::ContentFilter {
            delta["error"] = FILTERED.into();
        }
        events.push(event("message-end", json!({"id": id(script), "delta": delta})).end());
        events
    }

    fn whole(&mut self, script: &Script) -> Value {
        let mut content = Vec::new();
        let mut message = json!({"role": "assistant"});
        if script.tool_calls().is_empty() {
            if !script.reasoning().is_empty() {
                content.push(json!({"type": "thinking", "thinking": script.reasoning()}));
            }
        } else {
            message["tool_plan"] = script.reasoning().into();
            message["tool_calls"] =
                (0..script.tool_calls().len()).map(|at| call(script, at, script.tool_calls()[at].arguments.text())).collect();
        }
        let text = if script.refusal().is_empty() { script.text() } else { script.refusal() };
        if !text.is_empty() {
            if let (Some(document), Some(word)) = (self.documents.first(), text.split_whitespace().next()) {
                message["citations"] = json!([citation(document, word, content.len())]);
            }
            content.push(json!({"type": "text", "text": text}));
        }
        if !content.is_empty() {
            message["content"] = content.into();
        }
        json!({"id": id(script), "message": message, "finish_reason": finish(script), "usage": usage(script)})
    }

    fn padding(&mut self, _: &Script) -> (String, String) {
        ("{\"type\":\"debug\",\"prompt\":\"".into(), "\"}".into())
    }
}

/// An event, whose data begins with its name.
fn event(name: &'static str, fields: Value) -> Event {
    let mut data = Map::from_iter([("type".to_string(), Value::from(name))]);
    if let Value::Object(fields) = fields {
        data.extend(fields);
    }
    Event::named(name, &Value::Object(data))
}

/// An event that adds to the message.
fn message(name: &'static str, index: usize, message: Value) -> Event {
    event(name, json!({"index": index, "delta": {"message": message}}))
}

/// A call: one object, not a list, wherever it streams.
fn call(script: &Script, at: usize, arguments: &str) -> Value {
    let call = &script.tool_calls()[at];
    json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}})
}

fn citation(document: &Value, word: &str, content: usize) -> Value {
    let document = if document.is_object() { document["data"].clone() } else { json!({ "text": document }) };
    let document = if document.is_object() { document } else { json!({ "text": document }) };
    let source = json!({"type": "document", "id": "doc:0", "document": document});
    json!({"start": 0, "end": word.chars().count(), "text": word, "sources": [source], "content_index": content, "type": "TEXT_CONTENT"})
}

fn id(script: &Script) -> String {
    format!("lab-{}", script.id())
}

fn finish(script: &Script) -> &'static str {
    match script.finish() {
        Finish::Stop => "COMPLETE",
        Finish::Length => "MAX_TOKENS",
        Finish::ToolCalls => "TOOL_CALL",
        // No word of its own: a filter is an error like any other.
        Finish::ContentFilter | Finish::Error => "ERROR",
    }
}

/// What is billed may be less than what the model read, which counts the template around the messages.
fn usage(script: &Script) -> Value {
    let usage = script.usage();
    json!({
        "billed_units": {"input_tokens": usage.prompt - usage.prompt / 10, "output_tokens": usage.completion},
        "tokens": {"input_tokens": usage.prompt, "output_tokens": usage.completion},
        "cached_tokens": 0,
    })
}

#[cfg(test)]
mod tests;
