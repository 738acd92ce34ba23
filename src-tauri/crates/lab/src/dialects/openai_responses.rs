//! OpenAI Responses: a `response` object and, streamed, `response.*` events with their sequence numbers; over SSE each event's
//! name equals its `type`, over WebSocket the same JSON travels bare. There is no `[DONE]`: a terminal event ends the reply.

use serde_json::{Map, Value, json};

use ::http::Method;

use super::{Dialect, Event, From, Recall, Render, Request, Resume, openai_head, xai_error};
use crate::ask::{self, Ask, Tool};
use crate::rejection::{Reason, Rejection};
use crate::script::{Finish, Script, Step, count_all};

pub(crate) struct OpenAiResponses;

impl Dialect for OpenAiResponses {
    fn read(&self, request: &Request<'_>) -> Result<(Ask, Box<dyn Render>), Rejection> {
        let body = ask::object(request.body)?;
        let (ask, events) = read(&body)?;
        Ok((ask, Box::new(events)))
    }

    fn head(&self, script: &Script) -> Vec<(&'static str, String)> {
        openai_head(script)
    }

    /// Only what is made in the background goes on without its client.
    fn keeps(&self, request: &Request<'_>, script: &Script) -> Option<String> {
        let body: Value = serde_json::from_slice(request.body).ok()?;
        (body["background"] == true).then(|| response_id(script))
    }

    /// `GET /v1/responses/{id}?stream=true&starting_after=N` goes on after the event with that sequence number.
    fn recalls(&self, request: &Request<'_>) -> Option<Result<Recall, Rejection>> {
        let id = request.name("id");
        if id.is_empty() {
            return None;
        }
        let cancels = request.path.ends_with("/cancel");
        if cancels != (request.method == Method::POST) {
            return Some(Err(Rejection::no_method(request.method, request.path)));
        }
        if cancels {
            return Some(Ok(Recall::Cancel(id.into())));
        }
        if request.query_value("stream").as_deref() != Some("true") {
            return Some(Ok(Recall::State(id.into())));
        }
        let from = match request.query_value("starting_after").map(|after| after.parse()) {
            None => From::Start,
            Some(Ok(after)) => From::Sequence(after),
            Some(Err(_)) => {
                return Some(Err(Rejection::invalid(Some("starting_after"), "Invalid 'starting_after': expected an integer.")));
            }
        };
        Some(Ok(Recall::Hear(Resume { tape: id.into(), from, only_active: false })))
    }

    fn error_with_200(&self) -> Value {
        xai_error()
    }

    fn reply_id(&self, script: &Script) -> Option<String> {
        Some(response_id(script))
    }
}

/// Reads a request's fields; a `response.create` message has the same.
pub(crate) fn read(body: &Value) -> Result<(Ask, Events), Rejection> {
    let (model, model_name) = ask::model(body)?;
    let mut texts = vec![body.get("instructions").and_then(Value::as_str).unwrap_or_default().to_string()];
    let mut prompt = String::new();
    let mut tool_result = None;
    match body.get("input") {
        Some(Value::String(text)) => {
            prompt.clone_from(text);
            texts.push(text.clone());
        }
        Some(Value::Array(items)) => {
            for (at, item) in items.iter().enumerate() {
                if !item.is_object() {
                    let param = format!("input[{at}]");
                    return Err(Rejection::invalid(Some(&param), format!("Invalid type for '{param}': expected an object.")));
                }
                tool_result = None;
                match item["type"].as_str() {
                    None | Some("message") => {
                        let text = ask::content_text(&item["content"]);
                        if item["role"] == "user" {
                            prompt.clone_from(&text);
                        }
                        texts.push(text);
                    }
                    Some("function_call_output") => {
                        let text = ask::content_text(&item["output"]);
                        texts.push(text.clone());
                        tool_result = Some(text);
                    }
                    Some("function_call") => texts.push(item["arguments"].as_str().unwrap_or_default().into()),
                    Some(_) => {}
                }
            }
        }
        // Only a chain of responses or a stored prompt may go without.
        None | Some(Value::Null) if body.get("previous_response_id").is_some() || body.get("prompt").is_some() => {}
        None | Some(Value::Null) => {
            return Err(Rejection::invalid(Some("input"), "Missing required parameter: 'input'."));
        }
        Some(_) => {
            return Err(Rejection::invalid(Some("input"), "Invalid type for 'input': expected a string or an array."));
        }
    }
    if body.get("background") == Some(&Value::Bool(true)) && body.get("store") == Some(&Value::Bool(false)) {
        return Err(Rejection::invalid(Some("background"), "Background mode requires store to be true."));
    }
    if let Some(effort) = body.get("reasoning").filter(|r| !r.is_null() && !r.is_object()) {
        return Err(Rejection::invalid(Some("reasoning"), format!("Invalid type for 'reasoning': {effort}.")));
    }
    let ask = Ask {
        model,
        model_name,
        prompt,
        prompt_tokens: count_all(texts.iter().map(String::as_str)),
        tools: tools(body)?,
        choice: ask::tool_choice(body)?,
        parallel: body.get("parallel_tool_calls") != Some(&Value::Bool(false)),
        tool_result,
        limit: ask::limit(body, "max_output_tokens")?,
        seed: ask::seed(body)?,
        stream: ask::optional(body, "stream", "a boolean", Value::as_bool)?.unwrap_or(false),
        previous: ask::optional(body, "previous_response_id", "a string", Value::as_str)?.map(str::to_string),
        form: ask::form(body),
    };
    Ok((ask, Events::new(body)))
}

fn tools(body: &Value) -> Result<Vec<Tool>, Rejection> {
    let Some(list) = ask::optional(body, "tools", "an array", Value::as_array)? else {
        return Ok(Vec::new());
    };
    let mut tools = Vec::new();
    for (at, tool) in list.iter().enumerate().filter(|(_, t)| t["type"] == "function") {
        let name = tool["name"].as_str().filter(|n| !n.is_empty()).ok_or_else(|| {
            let param = format!("tools[{at}].name");
            Rejection::invalid(Some(&param), format!("Missing required parameter: '{param}'."))
        })?;
        tools.push(Tool { name: name.into(), parameters: tool["parameters"].clone() });
    }
    Ok(tools)
}

/// Fields of the request a response says back, with what they are when the request has none.
fn said_back(body: &Value) -> Map<String, Value> {
    let defaults = json!({
        "instructions": null, "max_output_tokens": null, "metadata": {}, "parallel_tool_calls": true,
        "previous_response_id": null, "reasoning": {"effort": null, "summary": null}, "store": true,
        "temperature": 1.0, "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": [],
        "top_p": 1.0, "truncation": "disabled", "user": null,
    });
    let mut fields = Map::new();
    for (key, default) in defaults.as_object().into_iter().flatten() {
        let value = body.get(key).filter(|v| !v.is_null()).unwrap_or(default);
        fields.insert(key.clone(), value.clone());
    }
    fields
}

/// Which output item is being said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    Reasoning,
    Message,
    Call(usize),
}

/// Renders a script as `response.*` events.
pub(crate) struct Events {
    sequence: u64,
    said_back: Map<String, Value>,
    /// Items that are done.
    output: Vec<Value>,
    open: Option<Item>,
    /// What of the open item has been said.
    said: String,
    /// It is made in the background.
    background: bool,
    /// The WebSocket lane the events belong to.
    stream_id: Option<Value>,
}

impl Events {
    fn new(body: &Value) -> Events {
        Events {
            sequence: 0,
            said_back: said_back(body),
            output: Vec::new(),
            open: None,
            said: String::new(),
            background: body.get("background") == Some(&Value::Bool(true)),
            stream_id: body.get("stream_id").filter(|v| !v.is_null()).cloned(),
        }
    }

    fn event(&mut self, name: &'static str, fields: Value) -> Event {
        let mut object = Map::new();
        object.insert("type".into(), name.into());
        object.insert("sequence_number".into(), self.sequence.into());
        self.sequence += 1;
        if let Value::Object(fields) = fields {
            object.extend(fields);
        }
        if let Some(lane) = &self.stream_id {
            object.insert("stream_id".into(), lane.clone());
        }
        Event::named(name, &Value::Object(object))
    }

    fn response(&self, script: &Script, status: &str) -> Value {
        let ended = !matches!(status, "in_progress" | "queued");
        let reason = match script.finish() {
            Finish::Length => "max_output_tokens",
            _ => "content_filter",
        };
        let mut response = Map::new();
        let mut put = |key: &str, value: Value| drop(response.insert(key.into(), value));
        put("id", response_id(script).into());
        put("object", "response".into());
        put("created_at", script.created().into());
        put("status", status.into());
        put("background", self.background.into());
        put("error", if status == "failed" { failure(script) } else { Value::Null });
        put("incomplete_details", if status == "incomplete" { json!({"reason": reason}) } else { Value::Null });
        put("model", script.model().into());
        put("output", if ended { self.output.clone().into() } else { json!([]) });
        put("service_tier", "default".into());
        put("usage", if ended && status != "failed" { usage(script) } else { Value::Null });
        response.extend(self.said_back.clone());
        Value::Object(response)
    }

    fn lifecycle(&mut self, name: &'static str, script: &Script, status: &str) -> Event {
        let response = self.response(script, status);
        self.event(name, json!({"response": response}))
    }

    fn begin(&mut self, script: &Script, item: Item) -> Vec<Event> {
        self.open = Some(item);
        self.said.clear();
        let index = self.output.len();
        let id = item_id(script, item);
        let added = match item {
            Item::Reasoning => json!({"id": id, "type": "reasoning", "summary": []}),
            Item::Message => {
                json!({"id": id, "type": "message", "status": "in_progress", "role": "assistant", "content": []})
            }
            Item::Call(at) => call_item(script, at, "in_progress", ""),
        };
        let mut events = vec![self.event("response.output_item.added", json!({"output_index": index, "item": added}))];
        match item {
            Item::Reasoning => events.push(self.event(
                "response.reasoning_summary_part.added",
                json!({"item_id": id, "output_index": index, "summary_index": 0, "part": {"type": "summary_text", "text": ""}}),
            )),
            Item::Message => {
                let part = part(script, "");
                events.push(
                    self.event(
                        "response.content_part.added",
                        json!({"item_id": id, "output_index": index, "content_index": 0, "part": part}),
                    ),
                );
            }
            Item::Call(_) => {}
        }
        events
    }

    /// Says the open item's text again in full, as the standard order has it, and puts it into the output.
    fn end(&mut self, script: &Script) -> Vec<Event> {
        let Some(item) = self.open.take() else {
            return Vec::new();
        };
        let index = self.output.len();
        let id = item_id(script, item);
        let text = std::mem::take(&mut self.said);
        // Only the last item can be one that was cut.
        let cut = matches!(script.finish(), Finish::Length | Finish::ContentFilter) && is_last(script, item);
        let status = if cut { "incomplete" } else { "completed" };
        let mut events = Vec::new();
        let done = match item {
            Item::Reasoning => {
                let part = json!({"type": "summary_text", "text": text});
                events.push(self.event(
                    "response.reasoning_summary_text.done",
                    json!({"item_id": id, "output_index": index, "summary_index": 0, "text": text}),
                ));
                events.push(self.event(
                    "response.reasoning_summary_part.done",
                    json!({"item_id": id, "output_index": index, "summary_index": 0, "part": part}),
                ));
                json!({"id": id, "type": "reasoning", "summary": [part]})
            }
            Item::Message => {
                let place = json!({"item_id": id, "output_index": index, "content_index": 0});
                let mut said = place.clone();
                let mut ended = place;
                ended["part"] = part(script, &text);
                if script.refusal().is_empty() {
                    said["text"] = text.as_str().into();
                    said["logprobs"] = json!([]);
                    events.push(self.event("response.output_text.done", said));
                } else {
                    said["refusal"] = text.as_str().into();
                    events.push(self.event("response.refusal.done", said));
                }
                events.push(self.event("response.content_part.done", ended));
                json!({"id": id, "type": "message", "status": status, "role": "assistant", "content": [part(script, &text)]})
            }
            Item::Call(at) => {
                let name = &script.tool_calls()[at].name;
                events.push(self.event(
                    "response.function_call_arguments.done",
                    json!({"item_id": id, "output_index": index, "name": name, "arguments": text}),
                ));
                call_item(script, at, status, &text)
            }
        };
        events.push(self.event("response.output_item.done", json!({"output_index": index, "item": done})));
        self.output.push(done);
        events
    }

    fn delta(&mut self, script: &Script, item: Item, text: &str) -> Vec<Event> {
        let mut events = Vec::new();
        if self.open != Some(item) {
            events.extend(self.end(script));
            events.extend(self.begin(script, item));
        }
        if text.is_empty() {
            return events;
        }
        self.said.push_str(text);
        let id = item_id(script, item);
        let index = self.output.len();
        events.push(match item {
            Item::Reasoning => self.event(
                "response.reasoning_summary_text.delta",
                json!({"item_id": id, "output_index": index, "summary_index": 0, "delta": text}),
            ),
            Item::Message if script.refusal().is_empty() => self.event(
                "response.output_text.delta",
                json!({"item_id": id, "output_index": index, "content_index": 0, "delta": text, "logprobs": []}),
            ),
            Item::Message => {
                self.event("response.refusal.delta", json!({"item_id": id, "output_index": index, "content_index": 0, "delta": text}))
            }
            Item::Call(_) => {
                self.event("response.function_call_arguments.delta", json!({"item_id": id, "output_index": index, "delta": text}))
            }
        });
        events
    }

    /// The events of a response that only warms up: an id to chain from, and no output.
    pub(crate) fn warm_up(&mut self, script: &Script) -> Vec<Event> {
        let mut events = self.opening(script);
        let mut response = self.response(script, "completed");
        let prompt = script.usage().prompt;
        response["usage"] = usage_of(prompt, 0, 0);
        let mut end = self.event("response.completed", json!({"response": response}));
        end.is_end = true;
        events.push(end);
        events
    }
}

impl Render for Events {
    fn opening(&mut self, script: &Script) -> Vec<Event> {
        vec![self.lifecycle("response.created", script, "in_progress"), self.lifecycle("response.in_progress", script, "in_progress")]
    }

    fn step(&mut self, script: &Script, step: Step<'_>) -> Vec<Event> {
        match step {
            Step::Reasoning(text) => self.delta(script, Item::Reasoning, text),
            Step::Text(text) | Step::Refusal(text) => self.delta(script, Item::Message, text),
            Step::Call(index) => self.delta(script, Item::Call(index), ""),
            Step::Arguments(index, text) => self.delta(script, Item::Call(index), text),
            Step::Fail => {
                let mut error = failure(script);
                error["param"] = Value::Null;
                let mut failed_after = vec![self.event("error", error)];
                let mut failed = self.lifecycle("response.failed", script, "failed");
                failed.is_end = true;
                failed_after.push(failed);
                failed_after
            }
        }
    }

    fn closing(&mut self, script: &Script) -> Vec<Event> {
        let mut events = self.end(script);
        let mut end = match script.finish() {
            Finish::Length | Finish::ContentFilter => self.lifecycle("response.incomplete", script, "incomplete"),
            _ => self.lifecycle("response.completed", script, "completed"),
        };
        end.is_end = true;
        events.push(end);
        events
    }

    fn whole(&mut self, script: &Script) -> Value {
        // The streamed events are the one place that knows how items look; saying them all fills the output.
        for (step, _) in script.steps(usize::MAX) {
            self.step(script, step);
        }
        self.end(script);
        let status = match script.finish() {
            Finish::Length | Finish::ContentFilter => "incomplete",
            _ => "completed",
        };
        self.response(script, status)
    }

    fn padding(&mut self, _: &Script) -> (String, String) {
        // An event outside the documented union, seen in the wild: to be skipped, whatever its size.
        let event = self.event("keepalive", json!({"padding": ""})).data;
        match event.split_once("\"padding\":\"") {
            Some((before, after)) => (format!("{before}\"padding\":\""), after.into()),
            None => (event, String::new()),
        }
    }
}

/// Why a response failed, as its `error` member says it.
fn failure(script: &Script) -> Value {
    let failure = script.failure();
    let code = if failure.reason == Reason::Quota { "insufficient_quota" } else { "server_error" };
    json!({"code": code, "message": failure.message})
}

pub(crate) fn response_id(script: &Script) -> String {
    format!("resp_lab{}", script.id())
}

fn item_id(script: &Script, item: Item) -> String {
    let id = script.id();
    match item {
        Item::Reasoning => format!("rs_lab{id}"),
        Item::Message => format!("msg_lab{id}"),
        Item::Call(at) => format!("fc_lab{id}{at:02}"),
    }
}

/// Whether nothing is said after this item.
fn is_last(script: &Script, item: Item) -> bool {
    let calls = script.tool_calls().len();
    match item {
        Item::Reasoning => script.text().is_empty() && script.refusal().is_empty() && calls == 0,
        Item::Message => calls == 0,
        Item::Call(at) => at + 1 == calls,
    }
}

fn call_item(script: &Script, at: usize, status: &str, arguments: &str) -> Value {
    let call = &script.tool_calls()[at];
    json!({
        "id": item_id(script, Item::Call(at)), "type": "function_call", "status": status,
        "call_id": call.id, "name": call.name, "arguments": arguments,
    })
}

fn part(script: &Script, text: &str) -> Value {
    if script.refusal().is_empty() {
        json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
    } else {
        json!({"type": "refusal", "refusal": text})
    }
}

fn usage(script: &Script) -> Value {
    let usage = script.usage();
    usage_of(usage.prompt, usage.completion, usage.reasoning)
}

fn usage_of(input: usize, output: usize, reasoning: usize) -> Value {
    json!({
        "input_tokens": input,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": input + output,
    })
}
