//! An application's own chat endpoint, as Vercel's AI SDK answers its page: the UI message stream, version 1.
//!
//! Which model answers and which tools it has is the application's business; this one reads `model` from the body, and has two tools.

use serde_json::{Value, json};

use ::http::Method;

use super::{Dialect, Event, From, Recall, Render, Request, Resume};
use crate::ask::{self, Ask, Tool, ToolChoice};
use crate::models;
use crate::rejection::Rejection;
use crate::script::{Finish, Script, Step, count_all};

pub(crate) struct AiSdkUi;

impl Dialect for AiSdkUi {
    fn read(&self, request: &Request<'_>) -> Result<(Ask, Box<dyn Render>), Rejection> {
        let body = ask::object(request.body)?;
        let model_name = body["model"].as_str().unwrap_or("lab/steady").to_string();
        let model = models::find(&model_name).ok_or_else(|| Rejection::no_model(&model_name))?;
        let Some(messages) = body["messages"].as_array().filter(|messages| !messages.is_empty()) else {
            return Err(Rejection::invalid(Some("messages"), "messages are missing"));
        };
        let (mut texts, mut prompt, mut tool_result) = (Vec::new(), String::new(), None);
        for message in messages {
            let Some(parts) = message["parts"].as_array() else {
                return Err(Rejection::invalid(Some("messages"), "a message has no parts"));
            };
            let text: Vec<&str> = parts.iter().filter(|part| part["type"] == "text").filter_map(|part| part["text"].as_str()).collect();
            let text = text.join("\n");
            if message["role"] == "user" {
                prompt.clone_from(&text);
            }
            // The page sends what its tools gave in the parts of the calls.
            let output = parts.iter().rev().find(|part| part["state"] == "output-available");
            tool_result = output.map(|part| part["output"].as_str().map_or_else(|| part["output"].to_string(), str::to_string));
            texts.push(text);
        }
        let ask = Ask {
            model,
            model_name,
            prompt,
            prompt_tokens: count_all(texts.iter().map(String::as_str)),
            tools: tools(),
            choice: ToolChoice::Auto,
            parallel: true,
            tool_result,
            limit: None,
            seed: ask::seed(&body)?,
            stream: true,
            previous: None,
            form: None,
        };
        Ok((ask, Box::new(Parts { blocks: 0, open: None })))
    }

    /// An application that resumes streams keeps them under the chat's id; a request without one has no place to come back to.
    fn keeps(&self, request: &Request<'_>, _: &Script) -> Option<String> {
        let body: Value = serde_json::from_slice(request.body).ok()?;
        body["id"].as_str().filter(|id| !id.is_empty()).map(|id| format!("chat {id}"))
    }

    /// `GET …/{id}/stream` replays the reply under way from its start; once it is over there is none.
    fn recalls(&self, request: &Request<'_>) -> Option<Result<Recall, Rejection>> {
        let id = request.name("id");
        if id.is_empty() {
            return None;
        }
        if request.method != Method::GET {
            return Some(Err(Rejection::no_method(request.method, request.path)));
        }
        Some(Ok(Recall::Hear(Resume { tape: format!("chat {id}"), from: From::Start, only_active: true })))
    }

    fn resumed_head(&self) -> Vec<(&'static str, String)> {
        vec![("x-vercel-ai-ui-message-stream", "v1".into()), ("x-accel-buffering", "no".into())]
    }

    fn head(&self, _: &Script) -> Vec<(&'static str, String)> {
        vec![("x-vercel-ai-ui-message-stream", "v1".into()), ("x-accel-buffering", "no".into())]
    }

    fn refuse(&self, rejection: &Rejection) -> Value {
        json!({"error": rejection.message})
    }
}

/// The tools of applications whose requests name none.
pub(super) fn tools() -> Vec<Tool> {
    let tool = |name: &str, property: &str| Tool {
        name: name.into(),
        parameters: json!({"type": "object", "properties": {property: {"type": "string"}}, "required": [property]}),
    };
    vec![tool("weather", "city"), tool("clock", "zone")]
}

/// What is being said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Reasoning,
    Text,
    Call(usize),
}

/// Renders a script as parts.
struct Parts {
    /// Blocks that are done; they are named by number.
    blocks: usize,
    open: Option<Part>,
}

impl Parts {
    /// Ends what is being said and begins `part`, unless that is being said.
    fn turn_to(&mut self, script: &Script, part: Option<Part>) -> Vec<Event> {
        if self.open == part {
            return Vec::new();
        }
        let mut events = Vec::new();
        match self.open {
            Some(Part::Reasoning) => events.push(self.block("reasoning-end")),
            Some(Part::Text) => events.push(self.block("text-end")),
            Some(Part::Call(index)) => {
                let call = &script.tool_calls()[index];
                // A call whose arguments a token limit has cut off is never available.
                if let Ok(input) = serde_json::from_str::<Value>(call.arguments.text()) {
                    let part = json!({"type": "tool-input-available", "toolCallId": call.id, "toolName": call.name, "input": input});
                    events.push(Event::data(&part));
                }
            }
            None => {}
        }
        self.blocks += usize::from(self.open.is_some());
        match part {
            Some(Part::Reasoning) => events.push(self.block("reasoning-start")),
            Some(Part::Text) => events.push(self.block("text-start")),
            Some(Part::Call(index)) => {
                let call = &script.tool_calls()[index];
                events.push(Event::data(&json!({"type": "tool-input-start", "toolCallId": call.id, "toolName": call.name})));
            }
            None => {}
        }
        self.open = part;
        events
    }

    fn block(&self, kind: &str) -> Event {
        Event::data(&json!({"type": kind, "id": self.blocks.to_string()}))
    }

    fn say(&mut self, script: &Script, part: Part, kind: &str, text: &str) -> Vec<Event> {
        let mut events = self.turn_to(script, Some(part));
        events.push(Event::data(&json!({"type": kind, "id": self.blocks.to_string(), "delta": text})));
        events
    }
}

impl Render for Parts {
    fn opening(&mut self, script: &Script) -> Vec<Event> {
        let start = json!({"type": "start", "messageId": format!("msg-lab{}", script.id())});
        vec![Event::data(&start), Event::data(&json!({"type": "start-step"}))]
    }

    fn step(&mut self, script: &Script, step: Step<'_>) -> Vec<Event> {
        match step {
            Step::Reasoning(text) => self.say(script, Part::Reasoning, "reasoning-delta", text),
            Step::Text(text) | Step::Refusal(text) => self.say(script, Part::Text, "text-delta", text),
            Step::Call(index) => self.turn_to(script, Some(Part::Call(index))),
            Step::Arguments(index, text) => {
                let id = &script.tool_calls()[index].id;
                vec![Event::data(&json!({"type": "tool-input-delta", "toolCallId": id, "inputTextDelta": text}))]
            }
            // The stream is ended by its server all the same.
            Step::Fail => vec![Event::data(&json!({"type": "error", "errorText": script.failure().message})), Event::text("[DONE]")],
        }
    }

    fn closing(&mut self, script: &Script) -> Vec<Event> {
        let mut events = self.turn_to(script, None);
        let reason = match script.finish() {
            Finish::Stop => "stop",
            Finish::Length => "length",
            Finish::ToolCalls => "tool-calls",
            Finish::ContentFilter => "content-filter",
            Finish::Error => "error",
        };
        let usage = script.usage();
        let usage = json!({"inputTokens": usage.prompt, "outputTokens": usage.completion, "totalTokens": usage.total(), "reasoningTokens": usage.reasoning});
        events.push(Event::data(&json!({"type": "finish-step"})));
        events.push(Event::data(&json!({"type": "finish", "finishReason": reason, "messageMetadata": {"usage": usage}})));
        events.push(Event::text("[DONE]").end());
        events
    }

    /// There is no such form: an endpoint of the AI SDK always streams. Given to a client that was told to get JSON all the same.
    fn whole(&mut self, script: &Script) -> Value {
        json!({"id": script.id(), "role": "assistant", "parts": [{"type": "text", "text": script.text()}]})
    }

    fn padding(&mut self, _: &Script) -> (String, String) {
        ("{\"type\":\"data-padding\",\"transient\":true,\"data\":\"".into(), "\"}".into())
    }
}
