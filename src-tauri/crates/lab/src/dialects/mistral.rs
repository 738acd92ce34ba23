//! Mistral's accent of Chat Completions: reasoning as typed pieces of the content, each tool call whole in one chunk, usage with the last
//! chunk unasked, and rate limits under names of their own.

use serde_json::{Value, json};

use super::openai_chat::{OpenAiChat, finish};
use super::{Dialect, Event, Render, Request, openai_error};
use crate::ask::Ask;
use crate::rejection::Rejection;
use crate::script::{Script, Step};

pub(crate) struct Mistral;

impl Dialect for Mistral {
    fn read(&self, request: &Request<'_>) -> Result<(Ask, Box<dyn Render>), Rejection> {
        let (ask, _) = OpenAiChat.read(request)?;
        Ok((ask, Box::new(Chunks)))
    }

    fn head(&self, script: &Script) -> Vec<(&'static str, String)> {
        vec![
            ("mistral-correlation-id", script.id()),
            ("x-ratelimit-limit-req-minute", "60".into()),
            ("x-ratelimit-remaining-req-minute", "59".into()),
            ("x-ratelimit-limit-tokens-minute", "500000".into()),
            ("x-ratelimit-remaining-tokens-minute", 500_000usize.saturating_sub(script.usage().total()).to_string()),
            ("x-ratelimit-tokens-query-cost", script.usage().total().to_string()),
        ]
    }
}

struct Chunks;

fn chunk(script: &Script, delta: &Value, finish: Option<&str>, usage: Option<Value>) -> Event {
    let mut chunk = json!({
        "id": script.id(),
        "object": "chat.completion.chunk",
        "created": script.created(),
        "model": script.model(),
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    });
    if let Some(usage) = usage {
        chunk["usage"] = usage;
    }
    Event::data(&chunk)
}

fn usage(script: &Script) -> Value {
    let usage = script.usage();
    json!({"prompt_tokens": usage.prompt, "completion_tokens": usage.completion, "total_tokens": usage.total()})
}

fn thinking(text: &str) -> Value {
    json!({"type": "thinking", "thinking": [{"type": "text", "text": text}]})
}

fn call(script: &Script, index: usize) -> Value {
    let call = &script.tool_calls()[index];
    json!({"id": call.id, "index": index, "function": {"name": call.name, "arguments": call.arguments.text()}})
}

impl Render for Chunks {
    fn opening(&mut self, script: &Script) -> Vec<Event> {
        vec![chunk(script, &json!({"role": "assistant", "content": ""}), None, None)]
    }

    fn step(&mut self, script: &Script, step: Step<'_>) -> Vec<Event> {
        let delta = match step {
            Step::Reasoning(text) => json!({"content": [thinking(text)]}),
            // There is no refusal apart from the text here.
            Step::Text(text) | Step::Refusal(text) => json!({"content": text}),
            Step::Call(index) => json!({"content": "", "tool_calls": [call(script, index)]}),
            // They were said with the call.
            Step::Arguments(..) => return Vec::new(),
            Step::Fail => return vec![Event::data(&openai_error(&script.failure()))],
        };
        vec![chunk(script, &delta, None, None)]
    }

    fn closing(&mut self, script: &Script) -> Vec<Event> {
        vec![chunk(script, &json!({"content": ""}), Some(finish(script)), Some(usage(script))), Event::text("[DONE]").end()]
    }

    fn whole(&mut self, script: &Script) -> Value {
        let said = if script.text().is_empty() { script.refusal() } else { script.text() };
        let content = match script.reasoning() {
            "" => said.into(),
            reasoning => json!([thinking(reasoning), {"type": "text", "text": said}]),
        };
        let mut message = json!({"role": "assistant", "content": content, "tool_calls": null});
        if !script.tool_calls().is_empty() {
            message["tool_calls"] = (0..script.tool_calls().len()).map(|index| call(script, index)).collect();
        }
        json!({
            "id": script.id(),
            "object": "chat.completion",
            "created": script.created(),
            "model": script.model(),
            "choices": [{"index": 0, "message": message, "finish_reason": finish(script)}],
            "usage": usage(script),
        })
    }

    fn padding(&mut self, script: &Script) -> (String, String) {
        let chunk = chunk(script, &json!({"content": ""}), None, None).data;
        (format!("{},\"padding\":\"", &chunk[..chunk.len() - 1]), "\"}".into())
    }
}
