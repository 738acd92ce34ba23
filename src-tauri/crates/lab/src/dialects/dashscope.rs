//! DashScope's own form: results whole or as events, which carry an id, a comment in their middle and no space after the colon. Unless a
//! client asks for pieces, every event holds all of the text so far.

#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use super::{Dialect, Event, Render, Request};
use crate::ask::{self, Ask, Tool, ToolChoice};
use crate::connections::Transport;
use crate::framing::Framing;
use crate::pieces;
use crate::rejection::{Reason, Rejection};
use crate::script::{Finish, Script, Step, count_all};

pub(crate) struct DashScope;

impl Dialect for DashScope {
    fn read(&self, request: &Request<'_>) -> Result<(Ask, Box<dyn Render>), Rejection> {
        let body = ask::object(request.body)?;
        let (model, model_name) = ask::model(&body)?;
        let mut ask = question(&body, model, model_name)?;
        // A field asks for the stream; the body has no word for it.
        ask.stream = request.header("x-dashscope-sse").is_some_and(|value| value.eq_ignore_ascii_case("enable"));
        let results = Results::of(&body, request.path.contains("/multimodal-generation/"), ask.stream);
        Ok((ask, Box::new(results)))
    }

    fn streams_as(&self, _: &Request<'_>) -> Transport {
        Transport::Sse
    }

    fn framing(&self, _: &Request<'_>) -> Framing {
        Framing::Sse { end: "\n", space: false }
    }

    fn head(&self, script: &Script) -> Vec<(&'static str, String)> {
        vec![("x-request-id", request_id(script)), ("x-dashscope-call-gateway", "true".into())]
    }

    fn refuse(&self, rejection: &Rejection) -> Value {
        refusal(rejection)
    }

    fn withheld(&self, script: &Script) -> Option<Rejection> {
        match script.finish() {
            Finish::Error => Some(script.failure()),
            // Nothing of a filtered reply is given.
            Finish::ContentFilter => Some(Rejection { code: Some(FILTERED.0), ..Rejection::invalid(None, FILTERED.1) }),
            _ => None,
        }
    }
}

/// The body of an error response.
pub(super) fn refusal(rejection: &Rejection) -> Value {
    let (code, message) = words(rejection);
    json!({"code": code, "message": message, "request_id": "00000000-0000-4000-8000-000000001ab0"})
}

/// DashScope's code and message.
pub(super) fn words(rejection: &Rejection) -> (&'static str, String) {
    let own = || rejection.message.clone();
    match rejection.reason {
        _ if rejection.code == Some(FILTERED.0) => (FILTERED.0, own()),
        Reason::WrongKey => ("InvalidApiKey", "Invalid API-key provided.".into()),
        Reason::NoModel => ("ModelNotFound", own()),
        Reason::NoPath | Reason::Method => ("InvalidParameter", "url error, please check url！".into()),
        Reason::TooLong { limit, .. } => ("InvalidParameter", format!("Range of input length should be [1, {limit}]")),
        Reason::RateLimit => ("Throttling.RateQuota", "Requests rate limit exceeded, please try again later.".into()),
        Reason::Quota => ("Throttling.AllocationQuota", own()),
        Reason::Overloaded => ("ModelServingError", own()),
        Reason::Server => ("InternalError", own()),
        Reason::Invalid | Reason::NoPrevious | Reason::TooLarge => ("InvalidParameter", own()),
    }
}

/// The error that a filter makes of a reply.
pub(super) const FILTERED: (&str, &str) = ("DataInspectionFailed", "Output data may contain inappropriate content.");

/// Reads the input and the parameters.
pub(super) fn question(body: &Value, model: &'static crate::models::Model, model_name: String) -> Result<Ask, Rejection> {
    let empty = json!({});
    let parameters = body.get("parameters").filter(|parameters| !parameters.is_null()).unwrap_or(&empty);
    let input = body.get("input").filter(|input| input.is_object());
    let input = input.ok_or_else(|| Rejection::invalid(Some("input"), "Required parameter \"input\" missing or invalid."))?;
    let messages = match (input.get("messages").and_then(Value::as_array), input.get("prompt").and_then(Value::as_str)) {
        (Some(messages), _) if !messages.is_empty() => messages.clone(),
        (_, Some(prompt)) => vec![json!({"role": "user", "content": prompt})],
        _ => return Err(Rejection::invalid(Some("input"), "Either \"prompt\" or \"messages\" must exist and cannot both be none")),
    };
    let mut texts = Vec::new();
    for message in &messages {
        let role = message["role"].as_str().unwrap_or_default();
        if !["system", "user", "assistant", "tool"].contains(&role) {
            return Err(Rejection::invalid(Some("role"), format!("Role must be in [user, assistant, system, tool], not {role:?}.")));
        }
        texts.push(ask::content_text(&message["content"]));
    }
    let text = |message: &Value| ask::content_text(&message["content"]);
    Ok(Ask {
        model,
        model_name,
        prompt: messages.iter().rev().find(|message| message["role"] == "user").map(text).unwrap_or_default(),
        prompt_tokens: count_all(texts.iter().map(String::as_str)),
        tools: tools(parameters)?,
        choice: match parameters.get("tool_choice") {
            Some(Value::String(other)) if other != "auto" && other != "none" => {
                return Err(Rejection::invalid(Some("tool_choice"), "tool_choice must be auto, none, or a function."));
            }
            _ => ask::tool_choice(parameters)?,
        },
        // Several at once only when asked for.
        parallel: parameters.get("parallel_tool_calls") == Some(&Value::Bool(true)),
        tool_result: messages.last().filter(|message| message["role"] == "tool").map(text),
        limit: ask::limit(parameters, "max_tokens")?,
        seed: ask::seed(parameters)?,
        stream: true,
        previous: None,
        form: ask::form(&body["parameters"]),
    })
    .map(|ask| if ask.tools.is_empty() { Ask { choice: ToolChoice::Auto, ..ask } } else { ask })
}

fn tools(parameters: &Value) -> Result<Vec<Tool>, Rejection> {
    let list = ask::optional(parameters, "tools", "an array", Value::as_array)?.map(Vec::as_slice).unwrap_or_default();
    let functions = list.iter().map(|tool| {
        let name = tool["function"]["name"].as_str().filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Rejection::invalid(Some("tools"), "A tool has no function with a name."))?;
        Ok(Tool { name: name.into(), parameters: tool["function"]["parameters"].clone() })
    });
    functions.collect()
}

/// Renders a script as results.
pub(super) struct Results {
    /// Pieces; else all of the text so far.
    incremental: bool,
    /// Messages; else the older form of plain text.
    messages: bool,
    /// Content is a list of parts.
    parts: bool,
    /// Events sent.
    events: u64,
    text: String,
    reasoning: String,
    /// Calls begun, with their arguments so far.
    calls: Vec<String>,
    /// Tokens said: reasoning, and all.
    said: (usize, usize),
}

/// What one step adds.
#[derive(Default)]
struct Piece<'a> {
    text: &'a str,
    reasoning: &'a str,
    /// A call, with whether it begins here and what its arguments go on with.
    call: Option<(usize, bool, &'a str)>,
}

impl Results {
    pub(super) fn of(body: &Value, multimodal: bool, stream: bool) -> Results {
        let parameters = &body["parameters"];
        let asked_for_messages = parameters["result_format"].as_str().map(|format| format == "message");
        // With tools there is no other form than messages, nor for models that see.
        let messages = multimodal || parameters["tools"].is_array() || asked_for_messages.unwrap_or(false);
        Results {
            incremental: stream && parameters["incremental_output"] == true,
            messages,
            parts: multimodal,
            events: 0,
            text: String::new(),
            reasoning: String::new(),
            calls: Vec::new(),
            said: (0, 0),
        }
    }

    /// The output after `piece`.
    fn output(&mut self, script: &Script, piece: &Piece<'_>, finish: &str) -> Value {
        if !self.messages {
            let text = if self.incremental { piece.text } else { &self.text };
            return json!({"text": text, "finish_reason": finish});
        }
        let (text, reasoning) =
            if self.incremental { (piece.text, piece.reasoning) } else { (self.text.as_str(), self.reasoning.as_str()) };
        let content = match self.parts {
            true if text.is_empty() => json!([]),
            true => json!([{ "text": text }]),
            false => json!(text),
        };
        let mut message = json!({"role": "assistant", "content": content});
        if !script.reasoning().is_empty() {
            message["reasoning_content"] = reasoning.into();
        }
        let call = |at: usize, name: bool, arguments: &str| {
            let call = &script.tool_calls()[at];
            let (id, name) = if name { (call.id.as_str(), call.name.as_str()) } else { ("", "") };
            json!({"index": at, "id": id, "type": "function", "function": {"name": name, "arguments": arguments}})
        };
        let calls: Vec<Value> = match (self.incremental, piece.call) {
            (true, Some((at, begins, arguments))) => vec![call(at, begins, arguments)],
            (true, None) => Vec::new(),
            (false, _) => self.calls.iter().enumerate().map(|(at, arguments)| call(at, true, arguments)).collect(),
        };
        if !calls.is_empty() {
            message["tool_calls"] = calls.into();
        }
        json!({"choices": [{"message": message, "finish_reason": finish}]})
    }

    /// Usage so far.
    fn usage(&self, script: &Script) -> Value {
        let (reasoning, output) = self.said;
        let input = script.usage().prompt;
        let mut usage = json!({"input_tokens": input, "output_tokens": output, "total_tokens": input + output});
        if reasoning > 0 {
            usage["output_tokens_details"] = json!({ "reasoning_tokens": reasoning });
        }
        usage
    }

    /// Takes a step in; what it adds. None for a failure.
    fn take<'a>(&mut self, step: Step<'a>) -> Option<Piece<'a>> {
        let mut piece = Piece::default();
        let text = match step {
            Step::Reasoning(text) => {
                self.reasoning.push_str(text);
                self.said.0 += pieces::count(text);
                piece.reasoning = text;
                text
            }
            Step::Text(text) | Step::Refusal(text) => {
                self.text.push_str(text);
                piece.text = text;
                text
            }
            Step::Call(at) => {
                self.calls.push(String::new());
                piece.call = Some((at, true, ""));
                ""
            }
            Step::Arguments(at, text) => {
                if let Some(arguments) = self.calls.get_mut(at) {
                    arguments.push_str(text);
                }
                piece.call = Some((at, false, text));
                text
            }
            Step::Fail => return None,
        };
        self.said.1 += pieces::count(text);
        Some(piece)
    }

    /// The result after a step, without what carries it; none for a failure.
    pub(super) fn after(&mut self, script: &Script, step: Step<'_>) -> Option<Value> {
        let piece = self.take(step)?;
        let output = self.output(script, &piece, "null");
        Some(json!({"output": output, "usage": self.usage(script)}))
    }

    /// The last result. What was said by then is known exactly.
    pub(super) fn last(&mut self, script: &Script) -> Value {
        self.said = (script.usage().reasoning, script.usage().completion);
        let output = self.output(script, &Piece::default(), finish(script));
        json!({"output": output, "usage": self.usage(script)})
    }

    fn event(&mut self, script: &Script, name: &'static str, status: u16, mut data: Value) -> Event {
        self.events += 1;
        data["request_id"] = request_id(script).into();
        let (id, comment) = (Some(self.events.to_string()), Some(format!("HTTP_STATUS/{status}")));
        Event { id, comment, ..Event::named(name, &data) }
    }
}

fn finish(script: &Script) -> &'static str {
    match script.finish() {
        Finish::Length => "length",
        Finish::ToolCalls => "tool_calls",
        Finish::Stop | Finish::ContentFilter | Finish::Error => "stop",
    }
}

/// In the form of a UUID.
fn request_id(script: &Script) -> String {
    let id = script.id();
    format!("{}-{}-4{}-8{}-{:0>12}", &id[..8], &id[8..12], &id[12..15], &id[13..16], &id[..8])
}

impl Render for Results {
    fn opening(&mut self, _: &Script) -> Vec<Event> {
        Vec::new()
    }

    fn step(&mut self, script: &Script, step: Step<'_>) -> Vec<Event> {
        match self.after(script, step) {
            Some(result) => vec![self.event(script, "result", 200, result)],
            None => {
                let failure = script.failure();
                let (code, message) = words(&failure);
                vec![self.event(script, "error", failure.status, json!({"code": code, "message": message})).end()]
            }
        }
    }

    fn closing(&mut self, script: &Script) -> Vec<Event> {
        if script.finish() == Finish::ContentFilter {
            let (code, message) = FILTERED;
            return vec![self.event(script, "error", 400, json!({"code": code, "message": message})).end()];
        }
        let last = self.last(script);
        vec![self.event(script, "result", 200, last).end()]
    }

    fn whole(&mut self, script: &Script) -> Value {
        self.incremental = false;
        for (step, _) in script.steps(usize::MAX) {
            self.take(step);
        }
        let mut result = self.last(script);
        result["request_id"] = request_id(script).into();
        result
    }

    fn padding(&mut self, script: &Script) -> (String, String) {
        let padded = json!({"output": {"lab_padding": ""}, "request_id": request_id(script)}).to_string();
        match padded.split_once("\"lab_padding\":\"") {
            Some((before, after)) => (format!("{before}\"lab_padding\":\""), after.into()),
            None => (padded, String::new()),
        }
    }
}
