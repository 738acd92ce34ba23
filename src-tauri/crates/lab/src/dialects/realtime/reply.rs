//! One reply as the events of a response.

use base64::Engine;
use serde_json::{Map, Value, json};

use super::super::{Event, Render};
use super::Accent;
use crate::rejection::Rejection;
use crate::script::{Finish, Script, Step};
use crate::tone;

/// How a reply is told.
pub(super) struct Shape {
    pub accent: Accent,
    /// Sound and its transcript instead of text.
    pub spoken: bool,
    /// The conversation it belongs to; none for one that stays apart.
    pub conversation: Option<Value>,
    pub metadata: Value,
    /// The item before the reply's first.
    pub previous: Value,
}

/// Which output item is being said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    Message,
    Call(usize),
}

/// Renders a script as the events of one response.
pub(super) struct Reply {
    shape: Shape,
    sequence: u64,
    /// Items that are done.
    output: Vec<Value>,
    open: Option<Item>,
    /// What of the open item has been said.
    said: String,
}

impl Reply {
    pub(super) fn new(shape: Shape) -> Reply {
        Reply { shape, sequence: 0, output: Vec::new(), open: None, said: String::new() }
    }

    fn beta(&self) -> bool {
        self.shape.accent == Accent::Qwen
    }

    fn event(&mut self, script: &Script, kind: &str, fields: Value) -> Event {
        let mut event = Map::new();
        event.insert("type".into(), kind.into());
        event.insert("event_id".into(), format!("event_lab{}{:05}", script.id(), self.sequence).into());
        self.sequence += 1;
        if let Value::Object(fields) = fields {
            event.extend(fields);
        }
        Event::data(&Value::Object(event))
    }

    /// An event about the open item. xAI says only which reply and item it is about.
    fn about(&mut self, script: &Script, kind: &str, item: Item, content: bool, fields: Value) -> Event {
        let mut all = json!({"response_id": response_id(script), "item_id": item_id(script, item)});
        if self.shape.accent != Accent::Xai {
            all["output_index"] = self.output.len().into();
            if content {
                all["content_index"] = 0.into();
            }
        }
        if let (Some(all), Value::Object(fields)) = (all.as_object_mut(), fields) {
            all.extend(fields);
        }
        self.event(script, kind, all)
    }

    fn text_event(&self) -> &'static str {
        match (self.beta(), self.shape.spoken) {
            (false, false) => "response.output_text",
            (false, true) => "response.output_audio_transcript",
            (true, false) => "response.text",
            (true, true) => "response.audio_transcript",
        }
    }

    fn response(&self, script: &Script, status: &str, details: Value) -> Value {
        let over = status != "in_progress";
        let mut response = json!({
            "object": "realtime.response", "id": response_id(script), "status": status, "status_details": details,
            "output": if over { Value::Array(self.output.clone()) } else { json!([]) },
            "usage": if over { usage(script, self.shape.accent) } else { Value::Null },
            "metadata": self.shape.metadata,
        });
        let modalities = if self.shape.spoken { "audio" } else { "text" };
        if let Some(conversation) = &self.shape.conversation {
            response["conversation_id"] = conversation.clone();
        }
        if self.beta() {
            response["modalities"] = if self.shape.spoken { json!(["text", "audio"]) } else { json!(["text"]) };
            response["output_audio_format"] = "pcm".into();
        } else {
            response["output_modalities"] = json!([modalities]);
            response["max_output_tokens"] = "inf".into();
            if self.shape.spoken {
                response["audio"] = json!({"output": {"format": {"type": "audio/pcm", "rate": RATE}, "voice": "marin"}});
            }
        }
        response
    }

    fn part(&self, text: &str) -> Value {
        part(self.shape.accent, self.shape.spoken, text)
    }

    fn begin(&mut self, script: &Script, item: Item) -> Vec<Event> {
        self.open = Some(item);
        self.said.clear();
        let added = self.item(script, item, "in_progress", "", true);
        let mut events = vec![self.about(script, "response.output_item.added", item, false, json!({ "item": added }))];
        if self.shape.conversation.is_some() {
            let previous = self.output.last().map_or(self.shape.previous.clone(), |last| last["id"].clone());
            let name = if self.beta() { "conversation.item.created" } else { "conversation.item.added" };
            events.push(self.event(script, name, json!({"previous_item_id": previous, "item": added})));
        }
        if item == Item::Message && self.shape.accent != Accent::Xai {
            let part = self.part("");
            events.push(self.about(script, "response.content_part.added", item, true, json!({ "part": part })));
        }
        events
    }

    /// Says the open item's text again in full, as the standard order has it, and puts it into the output.
    fn end(&mut self, script: &Script, status: &str) -> Vec<Event> {
        let Some(item) = self.open.take() else {
            return Vec::new();
        };
        let text = std::mem::take(&mut self.said);
        let mut events = Vec::new();
        match item {
            Item::Message => {
                if self.shape.spoken {
                    let name = if self.beta() { "response.audio.done" } else { "response.output_audio.done" };
                    events.push(self.about(script, name, item, true, json!({})));
                }
                let name = format!("{}.done", self.text_event());
                let field = if self.shape.spoken { "transcript" } else { "text" };
                events.push(self.about(script, &name, item, true, json!({ field: text })));
                if self.shape.accent != Accent::Xai {
                    let part = self.part(&text);
                    events.push(self.about(script, "response.content_part.done", item, true, json!({ "part": part })));
                }
            }
            Item::Call(at) => {
                let call = &script.tool_calls()[at];
                let fields = json!({"call_id": call.id, "name": call.name, "arguments": text});
                events.push(self.about(script, "response.function_call_arguments.done", item, false, fields));
            }
        }
        let done = self.item(script, item, status, &text, false);
        if self.shape.conversation.is_some() && !self.beta() {
            let previous = self.output.last().map_or(self.shape.previous.clone(), |last| last["id"].clone());
            events.push(self.event(script, "conversation.item.done", json!({"previous_item_id": previous, "item": done})));
        }
        events.push(self.about(script, "response.output_item.done", item, false, json!({ "item": done })));
        self.output.push(done);
        events
    }

    fn item(&self, script: &Script, item: Item, status: &str, text: &str, begun: bool) -> Value {
        let mut value = item_of(self.shape.accent, self.shape.spoken, script, item, text);
        value["status"] = status.into();
        if begun && item == Item::Message {
            value["content"] = json!([]);
        }
        value
    }

    fn delta(&mut self, script: &Script, item: Item, text: &str) -> Vec<Event> {
        let mut events = Vec::new();
        if self.open != Some(item) {
            events.extend(self.end(script, "completed"));
            events.extend(self.begin(script, item));
        }
        if text.is_empty() {
            return events;
        }
        self.said.push_str(text);
        match item {
            Item::Message => {
                let name = format!("{}.delta", self.text_event());
                events.push(self.about(script, &name, item, true, json!({ "delta": text })));
                if self.shape.spoken {
                    let sound = base64::engine::general_purpose::STANDARD.encode(tone::hum(text, RATE));
                    let name = if self.beta() { "response.audio.delta" } else { "response.output_audio.delta" };
                    events.push(self.about(script, name, item, true, json!({ "delta": sound })));
                }
            }
            Item::Call(at) => {
                let fields = json!({"call_id": script.tool_calls()[at].id, "delta": text});
                events.push(self.about(script, "response.function_call_arguments.delta", item, false, fields));
            }
        }
        events
    }

    fn done(&mut self, script: &Script, status: &str, details: Value) -> Event {
        let response = self.response(script, status, details);
        self.event(script, "response.done", json!({ "response": response })).end()
    }
}

/// Samples of sound a second.
const RATE: u32 = 24_000;

impl Render for Reply {
    fn opening(&mut self, script: &Script) -> Vec<Event> {
        let response = self.response(script, "in_progress", Value::Null);
        let mut events = vec![self.event(script, "response.created", json!({ "response": response }))];
        if self.shape.accent == Accent::OpenAi {
            let used = script.usage().total();
            let limits = json!([
                {"name": "requests", "limit": 10_000, "remaining": 9_999, "reset_seconds": 8.64},
                {"name": "tokens", "limit": 2_000_000, "remaining": 2_000_000_usize.saturating_sub(used), "reset_seconds": used as f64 * 60.0 / 2_000_000.0},
            ]);
            events.push(self.event(script, "rate_limits.updated", json!({ "rate_limits": limits })));
        }
        events
    }

    fn step(&mut self, script: &Script, step: Step<'_>) -> Vec<Event> {
        match step {
            // The API counts what is thought, and never shows it.
            Step::Reasoning(_) => Vec::new(),
            Step::Text(text) | Step::Refusal(text) => self.delta(script, Item::Message, text),
            Step::Call(index) => self.delta(script, Item::Call(index), ""),
            Step::Arguments(index, text) => self.delta(script, Item::Call(index), text),
            Step::Fail => {
                let Rejection { kind, code, message, .. } = script.failure();
                let mut events = self.end(script, "incomplete");
                let details = json!({"type": "failed", "error": {"type": kind, "code": code, "message": message}});
                events.push(self.done(script, "failed", details));
                events
            }
        }
    }

    fn closing(&mut self, script: &Script) -> Vec<Event> {
        let reason = match script.finish() {
            Finish::Length => Some("max_output_tokens"),
            Finish::ContentFilter => Some("content_filter"),
            _ => None,
        };
        let mut events = self.end(script, if reason.is_some() { "incomplete" } else { "completed" });
        events.push(match reason {
            Some(reason) => self.done(script, "incomplete", json!({"type": "incomplete", "reason": reason})),
            None => self.done(script, "completed", Value::Null),
        });
        events
    }

    fn whole(&mut self, _: &Script) -> Value {
        Value::Null
    }

    fn padding(&mut self, script: &Script) -> (String, String) {
        // An event of none of the known names, to be skipped whatever its size.
        let event = self.event(script, "lab.padding", json!({"padding": ""})).data;
        match event.split_once("\"padding\":\"") {
            Some((before, after)) => (format!("{before}\"padding\":\""), after.into()),
            None => (event, String::new()),
        }
    }

    fn cancelled(&mut self, script: &Script) -> Vec<Event> {
        let mut events = self.end(script, "incomplete");
        events.push(self.done(script, "cancelled", json!({"type": "cancelled", "reason": "client_cancelled"})));
        events
    }
}

/// The items a reply leaves in the conversation.
pub(super) fn items(accent: Accent, script: &Script) -> Vec<Value> {
    let said = if script.refusal().is_empty() { script.text() } else { script.refusal() };
    let message = (!said.is_empty()).then(|| item_of(accent, false, script, Item::Message, said));
    let calls =
        script.tool_calls().iter().enumerate().map(|(at, call)| item_of(accent, false, script, Item::Call(at), call.arguments.text()));
    message.into_iter().chain(calls).collect()
}

fn item_of(accent: Accent, spoken: bool, script: &Script, item: Item, text: &str) -> Value {
    let id = item_id(script, item);
    match item {
        Item::Message => json!({
            "id": id, "object": "realtime.item", "type": "message", "status": "completed", "role": "assistant",
            "content": [part(accent, spoken, text)],
        }),
        Item::Call(at) => {
            let call = &script.tool_calls()[at];
            json!({
                "id": id, "object": "realtime.item", "type": "function_call", "status": "completed",
                "call_id": call.id, "name": call.name, "arguments": text,
            })
        }
    }
}

fn part(accent: Accent, spoken: bool, text: &str) -> Value {
    match (accent == Accent::Qwen, spoken) {
        (false, false) => json!({"type": "output_text", "text": text}),
        (false, true) => json!({"type": "output_audio", "transcript": text}),
        (true, false) => json!({"type": "text", "text": text}),
        (true, true) => json!({"type": "audio", "transcript": text}),
    }
}

fn usage(script: &Script, accent: Accent) -> Value {
    if accent == Accent::Xai {
        return json!({});
    }
    let usage = script.usage();
    let mut value = json!({
        "total_tokens": usage.total(), "input_tokens": usage.prompt, "output_tokens": usage.completion,
        "input_token_details": {"text_tokens": usage.prompt, "audio_tokens": 0, "image_tokens": 0, "cached_tokens": 0},
        "output_token_details": {"text_tokens": usage.completion, "audio_tokens": 0},
    });
    if usage.reasoning > 0 {
        value["output_token_details"]["reasoning_tokens"] = usage.reasoning.into();
    }
    value
}

fn response_id(script: &Script) -> String {
    format!("resp_lab{}", script.id())
}

fn item_id(script: &Script, item: Item) -> String {
    match item {
        Item::Message => format!("item_lab{}m", script.id()),
        Item::Call(at) => format!("item_lab{}c{at:02}", script.id()),
    }
}
