//! Anthropic Messages: a `message` and, streamed, events that each name their `type` twice, ending in `message_stop`. Requests are held
//! to what the API holds them to: a version, a token limit, a result for every call of a tool.

mod request;

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::{Aside, Dialect, Event, Render, Request};
use crate::ask::Ask;
use crate::models::Model;
use crate::rejection::{Reason, Rejection};
use crate::script::{Finish, Script, Step};

pub(crate) struct AnthropicMessages;

impl Dialect for AnthropicMessages {
    fn read(&self, request: &Request<'_>) -> Result<(Ask, Box<dyn Render>), Rejection> {
        Ok((request::read(request)?, Box::<Blocks>::default()))
    }

    /// Counts a prompt's tokens.
    fn aside(&self, request: &Request<'_>) -> Option<Aside> {
        let counted = || {
            let mut body = crate::ask::object(request.body)?;
            // The one field that is not wanted here.
            body["max_tokens"] = json!(1);
            request::read_body(request, &body)
        };
        request.path.ends_with("/count_tokens").then(|| match counted() {
            Ok(ask) => Aside { status: 200, head: Vec::new(), body: Some(json!({"input_tokens": ask.prompt_tokens})) },
            Err(rejection) => Aside { status: rejection.status, head: self.refusal_head(&rejection), body: Some(self.refuse(&rejection)) },
        })
    }

    fn head(&self, script: &Script) -> Vec<(&'static str, String)> {
        let reset = rfc3339(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs()) + 30);
        let usage = script.usage();
        let mut head = vec![("request-id", format!("req_lab{}", script.id())), ("anthropic-organization-id", "org-lab".to_string())];
        for (limit, remaining, until, most, used) in [
            (
                "anthropic-ratelimit-requests-limit",
                "anthropic-ratelimit-requests-remaining",
                "anthropic-ratelimit-requests-reset",
                50_usize,
                1,
            ),
            (
                "anthropic-ratelimit-tokens-limit",
                "anthropic-ratelimit-tokens-remaining",
                "anthropic-ratelimit-tokens-reset",
                100_000,
                usage.total(),
            ),
            (
                "anthropic-ratelimit-input-tokens-limit",
                "anthropic-ratelimit-input-tokens-remaining",
                "anthropic-ratelimit-input-tokens-reset",
                80_000,
                usage.prompt,
            ),
            (
                "anthropic-ratelimit-output-tokens-limit",
                "anthropic-ratelimit-output-tokens-remaining",
                "anthropic-ratelimit-output-tokens-reset",
                20_000,
                usage.completion,
            ),
        ] {
            head.push((limit, most.to_string()));
            head.push((remaining, most.saturating_sub(used).to_string()));
            head.push((until, reset.clone()));
        }
        head
    }

    fn refusal_head(&self, _: &Rejection) -> Vec<(&'static str, String)> {
        vec![("request-id", "req_lab_refused".to_string())]
    }

    fn refuse(&self, rejection: &Rejection) -> Value {
        let mut error = error(rejection);
        error["request_id"] = "req_lab_refused".into();
        error
    }

    fn models(&self, models: &[Model]) -> Value {
        let data: Vec<Value> = models.iter().map(|model| self.model(model)).collect();
        let id = |model: Option<&Model>| model.map(|model| model.id);
        json!({"data": data, "has_more": false, "first_id": id(models.first()), "last_id": id(models.last())})
    }

    fn model(&self, model: &Model) -> Value {
        json!({
            "type": "model", "id": model.id, "display_name": model.description, "created_at": rfc3339(crate::models::CREATED),
            "lifecycle": "active",
        })
    }
}

/// An error in the API's words.
fn error(rejection: &Rejection) -> Value {
    let (kind, message) = match rejection.reason {
        Reason::WrongKey => ("authentication_error", "invalid x-api-key".to_string()),
        Reason::NoModel => ("not_found_error", format!("model: {}", rejection.message)),
        Reason::NoPath => ("not_found_error", "Not found".to_string()),
        Reason::TooLarge => ("request_too_large", "Request exceeds the maximum size".to_string()),
        Reason::TooLong { tokens, limit } => ("invalid_request_error", format!("prompt is too long: {tokens} tokens > {limit} maximum")),
        Reason::RateLimit => ("rate_limit_error", rejection.message.clone()),
        Reason::Quota => ("billing_error", rejection.message.clone()),
        Reason::Server => ("api_error", rejection.message.clone()),
        Reason::Overloaded => ("overloaded_error", "Overloaded".to_string()),
        _ => ("invalid_request_error", rejection.message.clone()),
    };
    json!({"type": "error", "error": {"type": kind, "message": message}})
}

/// Seconds since 1970 as RFC 3339 in UTC. The calendar repeats every 400 years, and months are counted from March, so that the leap
/// day comes last.
fn rfc3339(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// Which block is being said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Thinking,
    Text,
    Call(usize),
}

/// Renders a script as events, block by block.
#[derive(Default)]
struct Blocks {
    /// Blocks that are done.
    done: usize,
    open: Option<Block>,
}

impl Blocks {
    fn start(&mut self, script: &Script, block: Block) -> Vec<Event> {
        self.open = Some(block);
        let (content, first) = match block {
            Block::Thinking => (json!({"type": "thinking", "thinking": "", "signature": ""}), None),
            Block::Text => (json!({"type": "text", "text": ""}), None),
            // The input is a placeholder, and the first fragment of it says nothing.
            Block::Call(at) => (call(script, at, json!({})), Some(json!({"type": "input_json_delta", "partial_json": ""}))),
        };
        let mut events = vec![event("content_block_start", json!({"index": self.done, "content_block": content}))];
        events.extend(first.map(|delta| self.delta(delta)));
        events
    }

    fn delta(&self, delta: Value) -> Event {
        event("content_block_delta", json!({"index": self.done, "delta": delta}))
    }

    fn stop(&mut self, script: &Script) -> Vec<Event> {
        let Some(block) = self.open.take() else {
            return Vec::new();
        };
        let mut events = Vec::new();
        if block == Block::Thinking {
            events.push(self.delta(json!({"type": "signature_delta", "signature": signature(script)})));
        }
        events.push(event("content_block_stop", json!({"index": self.done})));
        self.done += 1;
        events
    }

    fn say(&mut self, script: &Script, block: Block, delta: Option<Value>) -> Vec<Event> {
        let mut events = Vec::new();
        if self.open != Some(block) {
            events.extend(self.stop(script));
            events.extend(self.start(script, block));
        }
        events.extend(delta.map(|delta| self.delta(delta)));
        events
    }
}

impl Render for Blocks {
    fn opening(&mut self, script: &Script) -> Vec<Event> {
        let mut message = message(script, json!([]));
        message["stop_reason"] = Value::Null;
        message["stop_details"] = Value::Null;
        message["usage"] = usage(script, 1);
        vec![event("message_start", json!({ "message": message })), event("ping", json!({}))]
    }

    fn step(&mut self, script: &Script, step: Step<'_>) -> Vec<Event> {
        match step {
            Step::Reasoning(text) => self.say(script, Block::Thinking, Some(json!({"type": "thinking_delta", "thinking": text}))),
            Step::Text(text) => self.say(script, Block::Text, Some(json!({"type": "text_delta", "text": text}))),
            // There are no deltas of a refusal: its explanation comes with the end.
            Step::Refusal(_) => Vec::new(),
            Step::Call(index) => self.say(script, Block::Call(index), None),
            Step::Arguments(index, text) => {
                self.say(script, Block::Call(index), Some(json!({"type": "input_json_delta", "partial_json": text})))
            }
            Step::Fail => {
                let mut error = error(&script.failure());
                error["request_id"] = format!("req_lab{}", script.id()).into();
                vec![Event::named("error", &error)]
            }
        }
    }

    fn closing(&mut self, script: &Script) -> Vec<Event> {
        let mut events = self.stop(script);
        let delta = json!({"stop_reason": stop_reason(script), "stop_sequence": null, "stop_details": stop_details(script)});
        events.push(event("message_delta", json!({"delta": delta, "usage": usage(script, script.usage().completion)})));
        events.push(event("message_stop", json!({})).end());
        events
    }

    fn whole(&mut self, script: &Script) -> Value {
        let mut content = Vec::new();
        if !script.reasoning().is_empty() {
            content.push(json!({"type": "thinking", "thinking": script.reasoning(), "signature": signature(script)}));
        }
        if !script.text().is_empty() {
            content.push(json!({"type": "text", "text": script.text()}));
        }
        for (at, said) in script.tool_calls().iter().enumerate() {
            // Arguments that the limit cut short are no JSON any more; the API then gives what could be read, here nothing.
            let input = serde_json::from_str(said.arguments.text()).unwrap_or_else(|_| json!({}));
            content.push(call(script, at, input));
        }
        message(script, content.into())
    }

    fn padding(&mut self, _: &Script) -> (String, String) {
        ("{\"type\":\"ping\",\"padding\":\"".into(), "\"}".into())
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

fn message(script: &Script, content: Value) -> Value {
    json!({
        "id": format!("msg_lab{}", script.id()),
        "type": "message",
        "role": "assistant",
        "model": script.model(),
        "content": content,
        "stop_reason": stop_reason(script),
        "stop_sequence": null,
        "stop_details": stop_details(script),
        "usage": usage(script, script.usage().completion),
    })
}

fn call(script: &Script, at: usize, input: Value) -> Value {
    let call = &script.tool_calls()[at];
    json!({"type": "tool_use", "id": call.id, "name": call.name, "input": input})
}

/// What the API would want back with the thinking: base64, as its signatures are.
fn signature(script: &Script) -> String {
    format!("EqoBLab{}==", script.id())
}

fn stop_reason(script: &Script) -> &'static str {
    match script.finish() {
        _ if !script.refusal().is_empty() => "refusal",
        Finish::Stop | Finish::Error => "end_turn",
        Finish::Length => "max_tokens",
        Finish::ToolCalls => "tool_use",
        Finish::ContentFilter => "refusal",
    }
}

fn stop_details(script: &Script) -> Value {
    if stop_reason(script) != "refusal" {
        return Value::Null;
    }
    let explanation = Some(script.refusal()).filter(|text| !text.is_empty());
    json!({"type": "refusal", "category": null, "explanation": explanation})
}

/// Usage when so much of the output is said: cumulative, wherever it stands.
fn usage(script: &Script, output: usize) -> Value {
    let said = script.usage();
    let mut usage = json!({
        "input_tokens": said.prompt,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": output,
        "service_tier": "standard",
    });
    if said.reasoning > 0 && output >= said.reasoning {
        usage["output_tokens_details"] = json!({"thinking_tokens": said.reasoning});
    }
    usage
}

#[cfg(test)]
mod tests;
