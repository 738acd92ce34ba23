//! OpenAI Chat Completions: `chat.completion` and, streamed, data-only events of `chat.completion.chunk` ending in `[DONE]`.

use serde_json::{Value, json};

use super::{Dialect, Event, Render, Request, openai_error, openai_head, xai_error};
use crate::ask::{self, Ask, Tool};
use crate::rejection::Rejection;
use crate::script::{Finish, Script, Step, count_all};

pub(crate) struct OpenAiChat;

impl Dialect for OpenAiChat {
    fn read(&self, request: &Request<'_>) -> Result<(Ask, Box<dyn Render>), Rejection> {
        let body = ask::object(request.body)?;
        let (model, model_name) = ask::model(&body)?;
        let messages = match body.get("messages") {
            Some(Value::Array(messages)) if !messages.is_empty() => messages,
            Some(Value::Array(_)) => {
                return Err(Rejection::invalid(Some("messages"), "Invalid 'messages': empty array."));
            }
            _ => {
                return Err(Rejection::invalid(Some("messages"), "Missing required parameter: 'messages'."));
            }
        };
        let mut texts = Vec::new();
        for (at, message) in messages.iter().enumerate() {
            let param = format!("messages[{at}].role");
            let known = ["system", "developer", "user", "assistant", "tool", "function"];
            match message.get("role").and_then(Value::as_str) {
                Some(role) if known.contains(&role) => {}
                _ => {
                    return Err(Rejection::invalid(Some(&param), format!("Invalid '{param}'.")));
                }
            }
            texts.push(ask::content_text(&message["content"]));
        }
        let role = |message: &Value, role: &str| message["role"].as_str() == Some(role);
        let prompt = messages.iter().rev().find(|m| role(m, "user")).map(|m| ask::content_text(&m["content"]));
        let tool_result = messages.last().filter(|m| role(m, "tool") || role(m, "function")).map(|m| ask::content_text(&m["content"]));
        let stream = ask::optional(&body, "stream", "a boolean", Value::as_bool)?.unwrap_or(false);
        let options = body.get("stream_options").filter(|o| !o.is_null());
        if options.is_some() && !stream {
            return Err(Rejection::invalid(
                Some("stream_options"),
                "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            ));
        }
        let ask = Ask {
            model,
            model_name,
            prompt: prompt.unwrap_or_default(),
            prompt_tokens: count_all(texts.iter().map(String::as_str)),
            tools: tools(&body)?,
            choice: ask::tool_choice(&body)?,
            parallel: body.get("parallel_tool_calls") != Some(&Value::Bool(false)),
            tool_result,
            limit: ask::limit(&body, "max_completion_tokens")?.or(ask::limit(&body, "max_tokens")?),
            seed: ask::seed(&body)?,
            stream,
            previous: None,
            form: ask::form(&body),
        };
        let with_usage = options.and_then(|o| o.get("include_usage")) == Some(&Value::Bool(true));
        Ok((ask, Box::new(Chunks { with_usage })))
    }

    fn head(&self, script: &Script) -> Vec<(&'static str, String)> {
        openai_head(script)
    }

    fn error_with_200(&self) -> Value {
        xai_error()
    }
}

fn tools(body: &Value) -> Result<Vec<Tool>, Rejection> {
    let Some(list) = ask::optional(body, "tools", "an array", Value::as_array)? else {
        return Ok(Vec::new());
    };
    let mut tools = Vec::new();
    for (at, tool) in list.iter().enumerate().filter(|(_, t)| t["type"] == "function") {
        let name = tool["function"]["name"].as_str().filter(|n| !n.is_empty()).ok_or_else(|| {
            let param = format!("tools[{at}].function.name");
            Rejection::invalid(Some(&param), format!("Missing required parameter: '{param}'."))
        })?;
        tools.push(Tool { name: name.into(), parameters: tool["function"]["parameters"].clone() });
    }
    Ok(tools)
}

struct Chunks {
    with_usage: bool,
}

impl Chunks {
    fn chunk(&self, script: &Script, choices: Value, usage: Value) -> Event {
        let mut chunk = json!({
            "id": id(script),
            "object": "chat.completion.chunk",
            "created": script.created(),
            "model": script.model(),
            "service_tier": "default",
            "system_fingerprint": FINGERPRINT,
            "choices": choices,
        });
        if self.with_usage {
            chunk["usage"] = usage;
        }
        Event::data(&chunk)
    }

    fn delta(&self, script: &Script, delta: Value, finish: Value) -> Event {
        let choice = json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]);
        self.chunk(script, choice, Value::Null)
    }
}

impl Render for Chunks {
    fn opening(&mut self, script: &Script) -> Vec<Event> {
        let delta = json!({"role": "assistant", "content": "", "refusal": null});
        vec![self.delta(script, delta, Value::Null)]
    }

    fn step(&mut self, script: &Script, step: Step<'_>) -> Vec<Event> {
        let delta = match step {
            Step::Reasoning(text) => json!({"reasoning_content": text}),
            Step::Text(text) => json!({"content": text}),
            Step::Refusal(text) => json!({"refusal": text}),
            Step::Call(index) => {
                let call = &script.tool_calls()[index];
                let function = json!({"name": call.name, "arguments": ""});
                json!({"tool_calls": [{"index": index, "id": call.id, "type": "function", "function": function}]})
            }
            Step::Arguments(index, text) => {
                json!({"tool_calls": [{"index": index, "function": {"arguments": text}}]})
            }
            Step::Fail => {
                return vec![Event::data(&openai_error(&script.failure()))];
            }
        };
        vec![self.delta(script, delta, Value::Null)]
    }

    fn closing(&mut self, script: &Script) -> Vec<Event> {
        let mut events = vec![self.delta(script, json!({}), finish(script).into())];
        if self.with_usage {
            events.push(self.chunk(script, json!([]), usage(script)));
        }
        events.push(Event::text("[DONE]").end());
        events
    }

    fn whole(&mut self, script: &Script) -> Value {
        let some = |text: &str| {
            if text.is_empty() { Value::Null } else { text.into() }
        };
        let mut message = json!({
            "role": "assistant",
            "content": some(script.text()),
            "refusal": some(script.refusal()),
            "annotations": [],
        });
        if !script.reasoning().is_empty() {
            message["reasoning_content"] = script.reasoning().into();
        }
        if !script.tool_calls().is_empty() {
            let calls = script.tool_calls().iter().map(|call| {
                let function = json!({"name": call.name, "arguments": call.arguments.text()});
                json!({"id": call.id, "type": "function", "function": function})
            });
            message["tool_calls"] = calls.collect();
        }
        json!({
            "id": id(script),
            "object": "chat.completion",
            "created": script.created(),
            "model": script.model(),
            "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": finish(script)}],
            "usage": usage(script),
            "service_tier": "default",
            "system_fingerprint": FINGERPRINT,
        })
    }

    fn padding(&mut self, script: &Script) -> (String, String) {
        let chunk = self.chunk(script, json!([]), Value::Null).data;
        (format!("{},\"padding\":\"", &chunk[..chunk.len() - 1]), "\"}".into())
    }
}

const FINGERPRINT: &str = "fp_lab";

fn id(script: &Script) -> String {
    format!("chatcmpl-lab{}", script.id())
}

pub(super) fn finish(script: &Script) -> &'static str {
    match script.finish() {
        Finish::Stop | Finish::Error => "stop",
        Finish::Length => "length",
        Finish::ToolCalls => "tool_calls",
        Finish::ContentFilter => "content_filter",
    }
}

fn usage(script: &Script) -> Value {
    let usage = script.usage();
    json!({
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.total(),
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    })
}
