//! LM Studio's own API: `/api/v1/chat`, whole or in named events of which the last holds it all once more.

use serde_json::{Value, json};

use super::ai_sdk_ui::tools;
use super::{Dialect, Event, Render, Request};
use crate::ask::{self, Ask, ToolChoice};
use crate::models::Model;
use crate::rejection::{Reason, Rejection};
use crate::script::{Script, Step, count_all};

pub(crate) struct LmStudio;

impl Dialect for LmStudio {
    fn read(&self, request: &Request<'_>) -> Result<(Ask, Box<dyn Render>), Rejection> {
        let body = ask::object(request.body)?;
        let (model, model_name) = ask::model(&body)?;
        let prompt = match &body["input"] {
            Value::String(text) => text.clone(),
            Value::Array(items) => items.iter().filter_map(|item| item["content"].as_str()).collect::<Vec<_>>().join("\n"),
            _ => return Err(Rejection::invalid(Some("input"), "\"input\" is required")),
        };
        let system = body["system_prompt"].as_str().unwrap_or_default();
        let store = ask::optional(&body, "store", "a boolean", Value::as_bool)?.unwrap_or(true);
        // Tools are those of integrations; whichever are named, the Lab's are there.
        let integrated = body["integrations"].as_array().is_some_and(|integrations| !integrations.is_empty());
        let ask = Ask {
            model,
            model_name,
            prompt_tokens: count_all([system, &prompt]),
            prompt,
            tools: if integrated { tools() } else { Vec::new() },
            choice: ToolChoice::Auto,
            parallel: true,
            tool_result: None,
            limit: ask::limit(&body, "max_output_tokens")?,
            seed: None,
            stream: ask::optional(&body, "stream", "a boolean", Value::as_bool)?.unwrap_or(false),
            previous: body["previous_response_id"].as_str().map(str::to_string),
            form: None,
        };
        Ok((ask, Box::new(Events { open: None, arguments: 0, store, output: Vec::new() })))
    }

    fn head(&self, _: &Script) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn reply_id(&self, script: &Script) -> Option<String> {
        Some(response_id(script))
    }

    fn refuse(&self, rejection: &Rejection) -> Value {
        let kind = match rejection.reason {
            Reason::NoModel => "model_not_found",
            Reason::NoPrevious => "job_not_found",
            Reason::Server | Reason::Overloaded | Reason::Quota | Reason::RateLimit => "internal_error",
            _ => "invalid_request",
        };
        json!({"error": error(kind, rejection)})
    }

    fn models(&self, models: &[Model]) -> Value {
        json!({"models": models.iter().map(|model| self.model(model)).collect::<Vec<_>>()})
    }

    fn model(&self, model: &Model) -> Value {
        json!({
            "type": "llm", "publisher": "weir-lab", "key": model.id, "display_name": model.id, "architecture": "lab", "size_bytes": 0,
            "loaded_instances": [{"id": model.id, "config": {"context_length": 8192}}], "max_context_length": 8192,
            "capabilities": {"vision": true, "trained_for_tool_use": true}, "description": model.description,
        })
    }
}

fn error(kind: &str, rejection: &Rejection) -> Value {
    let mut error = json!({"type": kind, "message": rejection.message});
    for (name, value) in [("code", rejection.code.map(str::to_string)), ("param", rejection.param.clone())] {
        if let Some(value) = value {
            error[name] = value.into();
        }
    }
    error
}

fn response_id(script: &Script) -> String {
    format!("resp_lab{}", script.id())
}

/// What is being said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Reasoning,
    Message,
    Call(usize),
}

/// Renders a script as events.
struct Events {
    open: Option<Part>,
    /// Bytes of the running call's arguments that were said: they are told once they are whole.
    arguments: usize,
    store: bool,
    /// Items said so far: what the last event holds if the reply breaks off.
    output: Vec<Value>,
}

fn event(kind: &'static str, mut value: Value) -> Event {
    value["type"] = kind.into();
    Event::named(kind, &value)
}

fn provider() -> Value {
    json!({"type": "plugin", "plugin_id": "mcp/lab"})
}

/// The arguments, as JSON where a token limit has left them whole.
fn arguments(script: &Script, index: usize) -> Value {
    serde_json::from_str(script.tool_calls()[index].arguments.text()).unwrap_or_else(|_| json!({}))
}

impl Events {
    fn turn_to(&mut self, script: &Script, part: Option<Part>) -> Vec<Event> {
        if self.open == part {
            return Vec::new();
        }
        let mut events = Vec::new();
        match self.open {
            Some(Part::Reasoning) => events.push(event("reasoning.end", json!({}))),
            Some(Part::Message) => events.push(event("message.end", json!({}))),
            _ => {}
        }
        match part {
            Some(Part::Reasoning) => events.push(event("reasoning.start", json!({}))),
            Some(Part::Message) => events.push(event("message.start", json!({}))),
            Some(Part::Call(index)) => {
                self.arguments = 0;
                events.push(event("tool_call.start", json!({"tool": script.tool_calls()[index].name, "provider_info": provider()})));
            }
            None => {}
        }
        self.open = part;
        events
    }

    fn say(&mut self, script: &Script, part: Part, kind: &'static str, text: &str) -> Vec<Event> {
        let begins = self.open != Some(part);
        let mut events = self.turn_to(script, Some(part));
        if begins {
            self.output.push(json!({"type": if part == Part::Reasoning { "reasoning" } else { "message" }, "content": ""}));
        }
        if let Some(Value::String(said)) = self.output.last_mut().map(|item| &mut item["content"]) {
            said.push_str(text);
        }
        events.push(event(kind, json!({ "content": text })));
        events
    }
}

impl Render for Events {
    fn opening(&mut self, script: &Script) -> Vec<Event> {
        vec![
            event("chat.start", json!({"model_instance_id": script.model()})),
            event("prompt_processing.start", json!({})),
            event("prompt_processing.progress", json!({"progress": 0.5})),
            event("prompt_processing.end", json!({})),
        ]
    }

    fn step(&mut self, script: &Script, step: Step<'_>) -> Vec<Event> {
        match step {
            Step::Reasoning(text) => self.say(script, Part::Reasoning, "reasoning.delta", text),
            Step::Text(text) | Step::Refusal(text) => self.say(script, Part::Message, "message.delta", text),
            Step::Call(index) => self.turn_to(script, Some(Part::Call(index))),
            Step::Arguments(index, text) => {
                self.arguments += text.len();
                let call = &script.tool_calls()[index];
                if self.arguments < call.arguments.text().len() {
                    return Vec::new();
                }
                let told = json!({"tool": call.name, "arguments": arguments(script, index), "provider_info": provider()});
                let mut done = told.clone();
                done["output"] = OUTPUT.into();
                vec![event("tool_call.arguments", told), event("tool_call.success", done)]
            }
            // The whole, with what was said, follows all the same.
            Step::Fail => {
                let mut result = self.whole(script);
                result["output"] = std::mem::take(&mut self.output).into();
                let error = event("error", json!({"error": error("internal_error", &script.failure())}));
                vec![error, event("chat.end", json!({ "result": result }))]
            }
        }
    }

    fn closing(&mut self, script: &Script) -> Vec<Event> {
        let mut events = self.turn_to(script, None);
        let result = self.whole(script);
        events.push(event("chat.end", json!({ "result": result })).end());
        events
    }

    fn whole(&mut self, script: &Script) -> Value {
        let mut output = Vec::new();
        if !script.reasoning().is_empty() {
            output.push(json!({"type": "reasoning", "content": script.reasoning()}));
        }
        output.extend(script.tool_calls().iter().enumerate().map(|(index, call)| {
            json!({"type": "tool_call", "tool": call.name, "arguments": arguments(script, index), "output": OUTPUT, "provider_info": provider()})
        }));
        for text in [script.text(), script.refusal()].into_iter().filter(|text| !text.is_empty()) {
            output.push(json!({"type": "message", "content": text}));
        }
        let usage = script.usage();
        let mut whole = json!({
            "model_instance_id": script.model(),
            "output": output,
            "stats": {
                "input_tokens": usage.prompt, "total_output_tokens": usage.completion, "reasoning_output_tokens": usage.reasoning,
                "tokens_per_second": 50.0, "time_to_first_token_seconds": 0.02,
            },
        });
        if self.store {
            whole["response_id"] = response_id(script).into();
        }
        whole
    }

    fn padding(&mut self, _: &Script) -> (String, String) {
        ("{\"type\":\"prompt_processing.progress\",\"progress\":1,\"padding\":\"".into(), "\"}".into())
    }
}

/// What the Lab's tools give back: they do nothing.
const OUTPUT: &str = "[{\"type\":\"text\",\"text\":\"done\"}]";
