//! Google Gemini: `GenerateContentResponse` objects, one, in a JSON array or as events whose lines end in CRLF. The method in the path says
//! whether the reply streams, the query how. There is no end marker.

mod request;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

pub(crate) use self::request::read;
use super::{Aside, Dialect, Event, Render, Request};
use crate::ask::{self, Ask};
use crate::connections::Transport;
use crate::framing::Framing;
use crate::models::Model;
use crate::pieces;
use crate::rejection::{Reason, Rejection};
use crate::script::{Finish, Script, Step};

pub(crate) struct Gemini;

impl Dialect for Gemini {
    fn read(&self, request: &Request<'_>) -> Result<(Ask, Box<dyn Render>), Rejection> {
        let body = ask::object(request.body)?;
        let ask = Ask { stream: streams(request), ..read(request.name("model"), &body)? };
        let vertex = request.path.contains("/publishers/");
        let patches = ["toolConfig", "tool_config"].iter().find_map(|config| {
            let config = &body[*config];
            let config = config.get("functionCallingConfig").or_else(|| config.get("function_calling_config"))?;
            config.get("streamFunctionCallArguments").or_else(|| config.get("stream_function_call_arguments"))?.as_bool()
        });
        Ok((ask, Box::new(Frames { patches: vertex && patches == Some(true), vertex, bare: sse(request), ..Frames::default() })))
    }

    /// Counts a prompt's tokens.
    fn aside(&self, request: &Request<'_>) -> Option<Aside> {
        let counted = || {
            let body = ask::object(request.body)?;
            let inner = body.get("generateContentRequest").unwrap_or(&body);
            read(request.name("model"), inner)
        };
        request.path.ends_with(":countTokens").then(|| match counted() {
            Ok(ask) => {
                let details = json!([{"modality": "TEXT", "tokenCount": ask.prompt_tokens}]);
                Aside {
                    status: 200,
                    head: Vec::new(),
                    body: Some(json!({"totalTokens": ask.prompt_tokens, "promptTokensDetails": details})),
                }
            }
            Err(rejection) => Aside { status: rejection.status, head: Vec::new(), body: Some(self.refuse(&rejection)) },
        })
    }

    /// Without `alt=sse` the stream is one JSON array.
    fn streams_as(&self, request: &Request<'_>) -> Transport {
        if sse(request) { Transport::Sse } else { Transport::Array }
    }

    fn framing(&self, request: &Request<'_>) -> Framing {
        if sse(request) { Framing::Sse { end: "\r\n", space: true } } else { Framing::Array }
    }

    /// Neither rate limits nor a request's id: the API sends none.
    fn head(&self, _: &Script) -> Vec<(&'static str, String)> {
        vec![("server-timing", "gfet4t7; dur=42".to_string()), ("x-gemini-service-tier", "standard".to_string())]
    }

    fn refuse(&self, rejection: &Rejection) -> Value {
        refusal(rejection)
    }

    fn models(&self, models: &[Model]) -> Value {
        json!({"models": models.iter().map(|model| self.model(model)).collect::<Vec<_>>()})
    }

    fn model(&self, model: &Model) -> Value {
        json!({
            "name": format!("models/{}", model.id), "version": "001", "displayName": model.id, "description": model.description,
            "inputTokenLimit": 1_048_576, "outputTokenLimit": 65_536,
            "supportedGenerationMethods": ["generateContent", "countTokens", "bidiGenerateContent"],
            "temperature": 1, "topP": 0.95, "topK": 64, "maxTemperature": 2, "thinking": model.id == "lab/reasoner",
        })
    }
}

fn streams(request: &Request<'_>) -> bool {
    request.path.ends_with(":streamGenerateContent")
}

fn sse(request: &Request<'_>) -> bool {
    request.query_value("alt").as_deref() == Some("sse")
}

/// An error in Google's shape.
pub(super) fn refusal(rejection: &Rejection) -> Value {
    let (status, message) = canonical(rejection);
    let kind = |name: &str| format!("type.googleapis.com/google.rpc.{name}");
    let details = match rejection.reason {
        Reason::WrongKey => json!([{"@type": kind("ErrorInfo"), "reason": "API_KEY_INVALID", "domain": "googleapis.com"}]),
        Reason::Quota | Reason::RateLimit => json!([
            {"@type": kind("QuotaFailure"), "violations": [{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel", "quotaValue": "10"}]},
            {"@type": kind("RetryInfo"), "retryDelay": "17s"},
        ]),
        Reason::Invalid if rejection.param.is_some() => {
            json!([{"@type": kind("BadRequest"), "fieldViolations": [{"field": rejection.param, "description": rejection.message}]}])
        }
        _ => Value::Null,
    };
    let mut error = json!({"code": rejection.status, "message": message, "status": status});
    if !details.is_null() {
        error["details"] = details;
    }
    json!({ "error": error })
}

/// The name Google has for such an error, and its words.
pub(super) fn canonical(rejection: &Rejection) -> (&'static str, String) {
    let own = || rejection.message.clone();
    match rejection.reason {
        Reason::WrongKey => ("UNAUTHENTICATED", "API key not valid. Please pass a valid API key.".into()),
        Reason::TooLong { tokens, limit } => {
            ("INVALID_ARGUMENT", format!("The input token count ({tokens}) exceeds the maximum number of tokens allowed ({limit})."))
        }
        Reason::RateLimit => ("RESOURCE_EXHAUSTED", own()),
        Reason::Quota => ("RESOURCE_EXHAUSTED", format!("{} Please retry in 17s.", own())),
        Reason::NoModel | Reason::NoPath | Reason::NoPrevious => ("NOT_FOUND", own()),
        Reason::Server => ("INTERNAL", own()),
        Reason::Overloaded => ("UNAVAILABLE", "The model is overloaded. Please try again later.".into()),
        _ => ("INVALID_ARGUMENT", own()),
    }
}

/// Renders a script as frames.
#[derive(Default)]
struct Frames {
    /// Arguments of calls travel as patches.
    patches: bool,
    vertex: bool,
    /// An error in the middle may stand bare among the events.
    bare: bool,
    /// The call whose arguments are being written: it is said when they are whole.
    call: Option<usize>,
    /// A call was said.
    called: bool,
    /// Tokens said so far: reasoning, and all else.
    said: (usize, usize),
}

/// Stands in a frame where arguments are to stand as the script has them.
const ARGUMENTS: &str = "\u{1}arguments";

impl Frames {
    fn frame(&self, script: &Script, mut candidate: Value, finish: Option<&str>, usage: Value) -> Value {
        if let Some(finish) = finish {
            candidate["finishReason"] = finish.into();
        }
        candidate["index"] = 0.into();
        self.around(script, json!({"candidates": [candidate], "usageMetadata": usage}))
    }

    /// A frame with what every frame ends in.
    fn around(&self, script: &Script, mut frame: Value) -> Value {
        frame["modelVersion"] = script.model().into();
        if self.vertex {
            frame["createTime"] = "2026-11-23T08:30:00.123456Z".into();
            frame["usageMetadata"]["trafficType"] = "ON_DEMAND".into();
        }
        frame["responseId"] = format!("lab{}", script.id()).into();
        frame
    }

    fn parts(&self, script: &Script, parts: Value) -> Event {
        let usage = usage_of(script.usage().prompt, self.said.1, self.said.0);
        Event::data(&self.frame(script, json!({"content": {"parts": parts, "role": "model"}}), None, usage))
    }

    /// Says the call that is whole now.
    fn flush(&mut self, script: &Script) -> Vec<Event> {
        let Some(at) = self.call.take() else { return Vec::new() };
        let call = &script.tool_calls()[at];
        let arguments = call.arguments.text();
        let Ok(Value::Object(parsed)) = serde_json::from_str(arguments) else {
            // The limit fell into the arguments: a call that was not finished is none.
            return Vec::new();
        };
        // Only the first call of a turn is sealed.
        let seal = |mut part: Value| {
            if !self.called {
                part["thoughtSignature"] = signature(script).into();
            }
            json!([part])
        };
        let events = if self.patches {
            let begin = seal(json!({"functionCall": {"id": call.id, "name": call.name, "willContinue": true}}));
            let patches =
                patches(&parsed).into_iter().map(|patch| json!([{"functionCall": {"partialArgs": [patch], "willContinue": true}}]));
            std::iter::once(begin).chain(patches).chain([json!([{"functionCall": {}}])]).map(|parts| self.parts(script, parts)).collect()
        } else {
            let parts = seal(json!({"functionCall": {"id": call.id, "name": call.name, "args": ARGUMENTS}}));
            let mut event = self.parts(script, parts);
            event.data = with_arguments(&event.data, arguments);
            vec![event]
        };
        self.called = true;
        events
    }
}

/// Puts arguments in their place, as they are written: reading them into numbers and back might change those.
pub(super) fn with_arguments(data: &str, arguments: &str) -> String {
    data.replacen(&Value::from(ARGUMENTS).to_string(), arguments, 1)
}

/// A call with a place for its arguments.
pub(super) fn call_without_arguments(script: &Script, at: usize) -> Value {
    let call = &script.tool_calls()[at];
    json!({"id": call.id, "name": call.name, "args": ARGUMENTS})
}

impl Render for Frames {
    /// Nothing: the first frame has the first words.
    fn opening(&mut self, _: &Script) -> Vec<Event> {
        Vec::new()
    }

    fn step(&mut self, script: &Script, step: Step<'_>) -> Vec<Event> {
        match step {
            Step::Reasoning(text) => {
                self.said.0 += pieces::count(text);
                vec![self.parts(script, json!([{"text": text, "thought": true}]))]
            }
            Step::Text(text) => {
                self.said.1 += pieces::count(text);
                vec![self.parts(script, json!([{"text": text}]))]
            }
            // A refusal is no text of the model's: the prompt is blocked, and that is told in one frame at the end.
            Step::Refusal(_) => Vec::new(),
            Step::Call(at) => {
                let events = self.flush(script);
                self.call = Some(at);
                events
            }
            Step::Arguments(_, text) => {
                self.said.1 += pieces::count(text);
                Vec::new()
            }
            Step::Fail => {
                let failure = script.failure();
                let error = refusal(&failure);
                // Google's servers write it bare, over several lines; or as an event like any other. The Lab does one for each model.
                vec![if self.bare && failure.reason != Reason::Quota {
                    Event { bare: true, ..Event::text(serde_json::to_string_pretty(&error).unwrap_or_else(|_| error.to_string())) }
                } else {
                    Event::data(&error)
                }]
            }
        }
    }

    fn closing(&mut self, script: &Script) -> Vec<Event> {
        if !script.refusal().is_empty() {
            return vec![Event::data(&self.blocked(script)).end()];
        }
        let mut events = self.flush(script);
        let mut part = json!({"text": ""});
        if !script.reasoning().is_empty() && !self.called {
            part["thoughtSignature"] = signature(script).into();
        }
        let candidate = json!({"content": {"parts": [part], "role": "model"}});
        events.push(Event::data(&self.frame(script, candidate, Some(finish(script)), usage(script))).end());
        events
    }

    fn whole(&mut self, script: &Script) -> Value {
        if !script.refusal().is_empty() {
            return self.blocked(script);
        }
        let mut parts = Vec::new();
        if !script.reasoning().is_empty() {
            parts.push(json!({"text": script.reasoning(), "thought": true}));
        }
        if !script.text().is_empty() {
            parts.push(json!({"text": script.text()}));
        }
        for call in script.tool_calls() {
            if let Ok(arguments @ Value::Object(_)) = serde_json::from_str(call.arguments.text()) {
                parts.push(json!({"functionCall": {"id": call.id, "name": call.name, "args": arguments}}));
            }
        }
        let sealed = parts.iter_mut().find(|part| part.get("functionCall").is_some() || part.get("thought").is_none());
        if let Some(part) = sealed.filter(|part| !script.reasoning().is_empty() || part.get("functionCall").is_some()) {
            part["thoughtSignature"] = signature(script).into();
        }
        let candidate = json!({"content": {"parts": parts, "role": "model"}});
        self.frame(script, candidate, Some(finish(script)), usage(script))
    }

    fn padding(&mut self, _: &Script) -> (String, String) {
        ("{\"modelVersion\":\"".into(), "\"}".into())
    }
}

impl Frames {
    fn blocked(&self, script: &Script) -> Value {
        let feedback = json!({"blockReason": "PROHIBITED_CONTENT", "blockReasonMessage": script.refusal()});
        let prompt = script.usage().prompt;
        self.around(script, json!({"promptFeedback": feedback, "usageMetadata": {"promptTokenCount": prompt, "totalTokenCount": prompt}}))
    }
}

/// Base64, as every field of bytes is.
pub(super) fn signature(script: &Script) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(format!("lab-seal-{}", script.id()))
}

fn finish(script: &Script) -> &'static str {
    match script.finish() {
        // There is no reason of its own for calls.
        Finish::Stop | Finish::ToolCalls | Finish::Error => "STOP",
        Finish::Length => "MAX_TOKENS",
        Finish::ContentFilter => "SAFETY",
    }
}

/// Output is counted without thoughts.
fn usage(script: &Script) -> Value {
    let usage = script.usage();
    usage_of(usage.prompt, usage.completion - usage.reasoning, usage.reasoning)
}

fn usage_of(prompt: usize, candidates: usize, thoughts: usize) -> Value {
    let mut usage = Map::from_iter([("promptTokenCount".to_string(), Value::from(prompt))]);
    for (name, count) in [("candidatesTokenCount", candidates), ("thoughtsTokenCount", thoughts)] {
        if count > 0 {
            usage.insert(name.into(), count.into());
        }
    }
    usage.insert("totalTokenCount".into(), (prompt + candidates + thoughts).into());
    usage.insert("promptTokensDetails".into(), json!([{"modality": "TEXT", "tokenCount": prompt}]));
    Value::Object(usage)
}

/// Arguments as patches: one for each value, two for strings.
fn patches(arguments: &Map<String, Value>) -> Vec<Value> {
    fn walk(path: &str, value: &Value, patches: &mut Vec<Value>) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                for (key, value) in map {
                    let plain =
                        key.starts_with(|c: char| c.is_alphabetic() || c == '_') && key.chars().all(|c| c.is_alphanumeric() || c == '_');
                    let quoted = || format!("{path}['{}']", key.replace('\\', "\\\\").replace('\'', "\\'"));
                    walk(&if plain { format!("{path}.{key}") } else { quoted() }, value, patches);
                }
            }
            Value::Array(list) => {
                for (at, value) in list.iter().enumerate() {
                    walk(&format!("{path}[{at}]"), value, patches);
                }
            }
            Value::String(text) => {
                let half = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
                patches.push(json!({"jsonPath": path, "stringValue": text[..half], "willContinue": true}));
                patches.push(json!({"jsonPath": path, "stringValue": text[half..]}));
            }
            Value::Number(number) => patches.push(json!({"jsonPath": path, "numberValue": number})),
            Value::Bool(value) => patches.push(json!({"jsonPath": path, "boolValue": value})),
            Value::Null => patches.push(json!({"jsonPath": path, "nullValue": "NULL_VALUE"})),
            // An empty object has no value to be told.
            Value::Object(_) => {}
        }
    }
    let mut patches = Vec::new();
    for (key, value) in arguments {
        let one = Value::Object(Map::from_iter([(key.clone(), value.clone())]));
        walk("$", &one, &mut patches);
    }
    patches
}
