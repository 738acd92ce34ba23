//! The Realtime APIs: a conversation on a WebSocket, in OpenAI's names of today, in those of its beta as Qwen speaks them, and in xAI's
//! accent, which leaves out what OpenAI always sends.

mod reply;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use self::reply::{Reply, Shape};
use super::{Act, Dialect, Heard, Render, Request, Talk, openai_error};
use crate::ask::{self, Ask, Tool};
use crate::rejection::{Reason, Rejection};
use crate::script::{Finish, count_all};

/// Whose Realtime API it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accent {
    OpenAi,
    Qwen,
    Xai,
}

pub(crate) struct Realtime(pub Accent);

impl Dialect for Realtime {
    /// Nothing is asked here but on a WebSocket.
    fn read(&self, request: &Request<'_>) -> Result<(Ask, Box<dyn Render>), Rejection> {
        Err(Rejection::no_path(request.method, request.path))
    }

    fn refuse(&self, rejection: &Rejection) -> Value {
        match self.0 {
            Accent::Qwen => super::dashscope::refusal(rejection),
            Accent::OpenAi | Accent::Xai => openai_error(rejection),
        }
    }

    fn talk(&self, request: &Request<'_>) -> Option<Result<Box<dyn Talk>, Rejection>> {
        let model = request.query_value("model").or_else(|| request.query_value("deployment")).unwrap_or_default();
        let session = ask::model(&json!({ "model": model })).map(|(_, name)| Session::new(self.0, name, closed_beta(self.0, request)));
        Some(session.map(|session| Box::new(session) as Box<dyn Talk>))
    }

    /// OpenAI takes any client in, and tells a wrong key to those it lets go again. DashScope refuses the handshake.
    fn key_after_upgrade(&self) -> bool {
        self.0 != Accent::Qwen
    }
}

/// Whether a client asks OpenAI for the beta, which is switched off.
fn closed_beta(accent: Accent, request: &Request<'_>) -> bool {
    let header = |name: &str, value: &str| request.header(name).is_some_and(|sent| sent.contains(value));
    accent == Accent::OpenAi && (header("openai-beta", "realtime=v1") || header("sec-websocket-protocol", "openai-beta.realtime-v1"))
}

/// A session: its settings and what was said in it.
struct Session {
    accent: Accent,
    model: String,
    /// The client asks for the beta: it is told so and let go.
    closed: bool,
    settings: Map<String, Value>,
    items: Vec<Value>,
    /// Server events sent by the session itself.
    events: u64,
    /// Items made here.
    made: u64,
    /// Base64 characters of sound that wait to be committed.
    buffered: usize,
    /// The reply under way: the client's id of the wish for it.
    wish: Option<Value>,
    /// It was cancelled.
    cancelled: bool,
    /// It stays out of the conversation.
    apart: bool,
}

impl Session {
    fn new(accent: Accent, model: String, closed: bool) -> Session {
        let settings = match accent {
            Accent::Qwen => json!({
                "object": "realtime.session", "model": model, "modalities": ["text", "audio"], "voice": "Cherry", "instructions": "",
                "input_audio_format": "pcm", "output_audio_format": "pcm", "input_audio_transcription": null,
                "turn_detection": {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 800},
                "tools": [], "temperature": 0.8, "id": "sess_lab",
            }),
            Accent::OpenAi | Accent::Xai => json!({
                "type": "realtime", "object": "realtime.session", "id": "sess_lab", "model": model, "output_modalities": ["audio"],
                "instructions": "", "tools": [], "tool_choice": "auto", "max_output_tokens": "inf", "tracing": null, "truncation": "auto",
                "prompt": null, "expires_at": crate::models::CREATED + 3600, "include": null,
                "audio": {
                    "input": {"format": {"type": "audio/pcm", "rate": 24000}, "transcription": null, "noise_reduction": null, "turn_detection": {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 200, "create_response": true, "interrupt_response": true, "idle_timeout_ms": null}},
                    "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "marin", "speed": 1.0},
                },
            }),
        };
        let settings = match settings {
            Value::Object(settings) => settings,
            _ => Map::new(),
        };
        Session {
            accent,
            model,
            closed,
            settings,
            items: Vec::new(),
            events: 0,
            made: 0,
            buffered: 0,
            wish: None,
            cancelled: false,
            apart: false,
        }
    }

    fn event(&mut self, kind: &str, fields: Value) -> Act {
        let mut event = Map::new();
        event.insert("type".into(), kind.into());
        event.insert("event_id".into(), format!("event_lab{:04}", self.events).into());
        self.events += 1;
        if let Value::Object(fields) = fields {
            event.extend(fields);
        }
        Act::Send(Value::Object(event).to_string())
    }

    fn error(&mut self, code: Option<&str>, param: Option<&str>, message: &str, of: &Value) -> Vec<Act> {
        let error = json!({"type": "invalid_request_error", "code": code, "message": message, "param": param, "event_id": of});
        vec![self.event("error", json!({ "error": error }))]
    }

    fn message(&mut self, text: &str) -> Vec<Act> {
        let Ok(Value::Object(event)) = serde_json::from_str::<Value>(text) else {
            return self.error(Some("invalid_json"), None, "The message is not a JSON object.", &Value::Null);
        };
        let id = event.get("event_id").cloned().unwrap_or(Value::Null);
        let word = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
        match word("type") {
            "session.update" => self.update(event.get("session"), &id),
            "conversation.item.create" => self.add(&event, &id),
            "conversation.item.retrieve" => match self.find(word("item_id")) {
                Some(at) => {
                    let item = self.items[at].clone();
                    vec![self.event("conversation.item.retrieved", json!({ "item": item }))]
                }
                None => self.unknown_item("item_retrieve_invalid_item_id", word("item_id"), &id),
            },
            "conversation.item.delete" => match self.find(word("item_id")) {
                Some(at) => {
                    self.items.remove(at);
                    vec![self.event("conversation.item.deleted", json!({"item_id": word("item_id")}))]
                }
                None => self.unknown_item("item_delete_invalid_item_id", word("item_id"), &id),
            },
            "conversation.item.truncate" => match self.find(word("item_id")) {
                Some(_) => {
                    let cut = json!({"item_id": event.get("item_id"), "content_index": event.get("content_index"), "audio_end_ms": event.get("audio_end_ms")});
                    vec![self.event("conversation.item.truncated", cut)]
                }
                None => self.unknown_item("item_truncate_invalid_item_id", word("item_id"), &id),
            },
            "input_audio_buffer.append" => {
                self.buffered += word("audio").len();
                Vec::new()
            }
            "input_image_buffer.append" if self.accent == Accent::Qwen => Vec::new(),
            "input_audio_buffer.clear" => {
                self.buffered = 0;
                vec![self.event("input_audio_buffer.cleared", json!({}))]
            }
            "input_audio_buffer.commit" => self.commit(&id),
            "response.create" => self.create(event.get("response").unwrap_or(&Value::Null), id),
            "response.cancel" => {
                if self.wish.is_none() || self.cancelled {
                    let words = "Cancellation failed: no active response found";
                    return self.error(Some("response_cancel_not_active"), None, words, &id);
                }
                self.cancelled = true;
                vec![Act::Cancel]
            }
            "session.finish" if self.accent == Accent::Qwen => {
                vec![self.event("session.finished", json!({})), Act::Close(1000, String::new())]
            }
            "output_audio_buffer.clear" => {
                self.error(Some("invalid_value"), Some("type"), "output_audio_buffer.clear is for WebRTC and SIP only.", &id)
            }
            "" => self.error(Some("missing_required_parameter"), Some("type"), "Missing required parameter: 'type'.", &id),
            other => {
                let words = format!("Invalid value: '{other}'. It is no client event of this API.");
                self.error(Some("invalid_value"), Some("type"), &words, &id)
            }
        }
    }

    fn update(&mut self, session: Option<&Value>, id: &Value) -> Vec<Act> {
        let Some(session) = session.and_then(Value::as_object) else {
            return self.error(Some("missing_required_parameter"), Some("session"), "Missing required parameter: 'session'.", id);
        };
        if self.accent == Accent::OpenAi && session.get("type").and_then(Value::as_str) != Some("realtime") {
            return self.error(Some("missing_required_parameter"), Some("session.type"), "Missing required parameter: 'session.type'.", id);
        }
        if let Some((param, words)) = self.odd_modalities(session) {
            return self.error(Some("invalid_value"), Some(&param), &words, id);
        }
        // What the beta had at the top stands under `audio` now, or nowhere.
        let gone = ["temperature", "modalities", "input_audio_format", "output_audio_format", "voice", "turn_detection"];
        if self.accent == Accent::OpenAi
            && let Some(unknown) = gone.iter().find(|name| session.contains_key(**name))
        {
            let param = format!("session.{unknown}");
            return self.error(Some("unknown_parameter"), Some(&param), &format!("Unknown parameter: '{param}'."), id);
        }
        merge(&mut self.settings, session);
        let settings = Value::Object(self.settings.clone());
        vec![self.event("session.updated", json!({ "session": settings }))]
    }

    /// OpenAI gives text or sound, Qwen text or both.
    fn odd_modalities(&self, asked: &Map<String, Value>) -> Option<(String, String)> {
        let name = self.modalities();
        let list: Vec<&str> = asked.get(name)?.as_array()?.iter().filter_map(Value::as_str).collect();
        let fine = match self.accent {
            Accent::Qwen => list == ["text"] || (list.len() == 2 && list.contains(&"text") && list.contains(&"audio")),
            Accent::OpenAi => list == ["text"] || list == ["audio"],
            Accent::Xai => true,
        };
        let known = if self.accent == Accent::Qwen { "['text'] and ['audio', 'text']" } else { "['text'] and ['audio']" };
        (!fine).then(|| (format!("session.{name}"), format!("Invalid modalities: {list:?}. Supported combinations are: {known}.")))
    }

    fn modalities(&self) -> &'static str {
        if self.accent == Accent::Qwen { "modalities" } else { "output_modalities" }
    }

    fn add(&mut self, event: &Map<String, Value>, id: &Value) -> Vec<Act> {
        let Some(item) = event.get("item").and_then(Value::as_object) else {
            return self.error(Some("missing_required_parameter"), Some("item"), "Missing required parameter: 'item'.", id);
        };
        let mut item = item.clone();
        let kind = item.get("type").and_then(Value::as_str).unwrap_or_default();
        let wants = match kind {
            "message" => &["role", "content"][..],
            "function_call" => &["name", "arguments"],
            "function_call_output" => &["call_id", "output"],
            _ => {
                let words =
                    format!("Invalid value: '{kind}'. Supported values are: 'message', 'function_call', and 'function_call_output'.");
                return self.error(Some("invalid_value"), Some("item.type"), &words, id);
            }
        };
        if let Some(missing) = wants.iter().find(|name| item.get(**name).is_none_or(Value::is_null)) {
            let param = format!("item.{missing}");
            return self.error(Some("missing_required_parameter"), Some(&param), &format!("Missing required parameter: '{param}'."), id);
        }
        if let Some(part) = self.odd_part(&item) {
            let words = format!("Invalid value: '{part}'.");
            return self.error(Some("invalid_value"), Some("item.content[0].type"), &words, id);
        }
        item.entry("id").or_insert_with(|| Value::Null);
        if item["id"].is_null() {
            item["id"] = self.item_id();
        }
        item.insert("object".into(), "realtime.item".into());
        item.insert("status".into(), "completed".into());
        self.keep(Value::Object(item))
    }

    /// A part of content that a speaker of that role does not have.
    fn odd_part(&self, item: &Map<String, Value>) -> Option<String> {
        let role = item.get("role").and_then(Value::as_str).unwrap_or_default();
        let beta = self.accent == Accent::Qwen;
        let known: &[&str] = match role {
            "assistant" if beta => &["text", "audio"],
            "assistant" => &["output_text", "output_audio"],
            _ => &["input_text", "input_audio", "input_image"],
        };
        let parts = item.get("content")?.as_array()?;
        let kinds = parts.iter().map(|part| part["type"].as_str().unwrap_or_default());
        kinds.into_iter().find(|kind| self.accent != Accent::Xai && !known.contains(kind)).map(str::to_string)
    }

    fn item_id(&mut self) -> Value {
        self.made += 1;
        format!("item_lab{:04}", self.made).into()
    }

    /// Puts an item into the conversation, and says so.
    fn keep(&mut self, item: Value) -> Vec<Act> {
        let fields = json!({"previous_item_id": self.items.last().map(|last| &last["id"]), "item": item});
        self.items.push(item);
        if self.accent == Accent::Qwen {
            return vec![self.event("conversation.item.created", fields)];
        }
        vec![self.event("conversation.item.added", fields.clone()), self.event("conversation.item.done", fields)]
    }

    fn find(&self, id: &str) -> Option<usize> {
        self.items.iter().position(|item| item["id"] == id)
    }

    fn unknown_item(&mut self, code: &str, item: &str, id: &Value) -> Vec<Act> {
        self.error(Some(code), Some("item_id"), &format!("Error: the item with id '{item}' does not exist."), id)
    }

    /// The Lab hears sound, but no words.
    fn commit(&mut self, id: &Value) -> Vec<Act> {
        if self.buffered == 0 {
            let words = "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer only has 0.00ms of audio.";
            return self.error(Some("input_audio_buffer_commit_empty"), None, words, id);
        }
        self.buffered = 0;
        let item = self.item_id();
        let committed = json!({"previous_item_id": self.items.last().map(|last| &last["id"]), "item_id": item});
        let mut acts = vec![self.event("input_audio_buffer.committed", committed)];
        acts.extend(self.keep(json!({
            "id": item, "object": "realtime.item", "type": "message", "status": "completed", "role": "user",
            "content": [{"type": "input_audio", "transcript": ALOUD}],
        })));
        acts
    }

    fn create(&mut self, response: &Value, id: Value) -> Vec<Act> {
        if self.wish.is_some() {
            let words =
                "Conversation already has an active response in progress. Wait until the response is finished before creating a new one.";
            return self.error(Some("conversation_already_has_active_response"), None, words, &id);
        }
        let asked = response.as_object().cloned().unwrap_or_default();
        if let Some((param, words)) = self.odd_modalities(&asked) {
            return self.error(Some("invalid_value"), Some(&param.replace("session", "response")), &words, &id);
        }
        let mut settings = self.settings.clone();
        let given: Map<String, Value> =
            asked.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), value.clone())).collect();
        merge(&mut settings, &given);
        match self.ask(&settings, asked.get("input")) {
            Ok(ask) => {
                self.wish = Some(id);
                self.cancelled = false;
                self.apart = settings.get("conversation").and_then(Value::as_str) == Some("none");
                let shape = Shape {
                    accent: self.accent,
                    spoken: settings
                        .get(self.modalities())
                        .and_then(Value::as_array)
                        .is_some_and(|list| list.iter().any(|one| one == "audio")),
                    conversation: (!self.apart).then(|| "conv_lab".into()),
                    metadata: asked.get("metadata").cloned().unwrap_or(Value::Null),
                    previous: self.items.last().map_or(Value::Null, |last| last["id"].clone()),
                };
                vec![Act::Say(Box::new((ask, Box::new(Reply::new(shape)))))]
            }
            Err(rejection) => self.error(rejection.code, rejection.param.as_deref(), &rejection.message, &id),
        }
    }

    /// What a reply with these settings is asked.
    fn ask(&self, settings: &Map<String, Value>, input: Option<&Value>) -> Result<Ask, Rejection> {
        let settings = Value::Object(settings.clone());
        let (model, model_name) = ask::model(&json!({ "model": self.model }))?;
        let items = input.and_then(Value::as_array).unwrap_or(&self.items);
        // An item may be named instead of being sent again.
        let named = |item: &'_ Value| {
            if item["type"] == "item_reference" {
                self.find(item["id"].as_str().unwrap_or_default()).map(|at| self.items[at].clone())
            } else {
                None
            }
        };
        let items: Vec<Value> = items.iter().map(|item| named(item).unwrap_or_else(|| item.clone())).collect();
        let mut texts = vec![settings["instructions"].as_str().unwrap_or_default().to_string()];
        texts.extend(items.iter().map(said));
        let result = items.last().filter(|item| item["type"] == "function_call_output");
        Ok(Ask {
            model,
            model_name,
            prompt: items.iter().rev().find(|item| item["role"] == "user").map(said).unwrap_or_default(),
            prompt_tokens: count_all(texts.iter().map(String::as_str)),
            tools: tools(&settings)?,
            choice: ask::tool_choice(&settings)?,
            parallel: settings.get("parallel_tool_calls") != Some(&Value::Bool(false)),
            tool_result: result.map(said),
            limit: match settings.get("max_output_tokens").or_else(|| settings.get("max_tokens")) {
                Some(Value::String(all)) if all == "inf" => None,
                _ => ask::limit(&settings, "max_output_tokens")?.or(ask::limit(&settings, "max_tokens")?),
            },
            seed: ask::seed(&settings)?,
            stream: true,
            previous: None,
            form: None,
        })
    }
}

/// What stands for sound that was heard.
const ALOUD: &str = "(something said aloud)";

/// The text of an item.
fn said(item: &Value) -> String {
    match item["type"].as_str() {
        Some("function_call_output") => item["output"].as_str().map_or_else(|| item["output"].to_string(), str::to_string),
        Some("function_call") => item["arguments"].as_str().unwrap_or_default().to_string(),
        _ => {
            let parts = item["content"].as_array().map(Vec::as_slice).unwrap_or_default();
            let words = parts.iter().filter_map(|part| match part["type"].as_str() {
                Some("input_audio") => Some(part["transcript"].as_str().unwrap_or(ALOUD)),
                _ => part["text"].as_str().or_else(|| part["transcript"].as_str()),
            });
            words.collect::<Vec<_>>().join("\n")
        }
    }
}

/// Functions, as OpenAI describes them or one level deeper as Qwen does.
fn tools(settings: &Value) -> Result<Vec<Tool>, Rejection> {
    let list = ask::optional(settings, "tools", "an array", Value::as_array)?.map(Vec::as_slice).unwrap_or_default();
    let functions = list.iter().enumerate().filter(|(_, tool)| tool["type"] == "function");
    functions
        .map(|(at, tool)| {
            let function = if tool["function"].is_object() { &tool["function"] } else { tool };
            let name = function["name"].as_str().filter(|name| !name.is_empty()).ok_or_else(|| {
                let param = format!("session.tools[{at}].name");
                Rejection::invalid(Some(&param), format!("Missing required parameter: '{param}'."))
            })?;
            Ok(Tool { name: name.into(), parameters: function["parameters"].clone() })
        })
        .collect()
}

/// Members that are sent replace; objects are merged; null clears.
fn merge(into: &mut Map<String, Value>, sent: &Map<String, Value>) {
    for (name, value) in sent {
        match (into.get_mut(name), value) {
            (Some(Value::Object(inner)), Value::Object(more)) => merge(inner, more),
            _ => {
                into.insert(name.clone(), value.clone());
            }
        }
    }
}

impl Talk for Session {
    fn open(&mut self) -> Vec<Act> {
        if self.closed {
            let words = "The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API.";
            let mut acts = self.error(Some("beta_api_shape_disabled"), None, words, &Value::Null);
            acts.push(Act::Close(4000, "invalid_request_error.beta_api_shape_disabled".into()));
            return acts;
        }
        let settings = Value::Object(self.settings.clone());
        let mut acts = vec![self.event("session.created", json!({ "session": settings }))];
        if self.accent == Accent::Xai {
            acts.push(Act::Send(
                json!({"type": "conversation.created", "conversation": {"id": "conv_lab", "object": "realtime.conversation"}}).to_string(),
            ));
            acts.push(Act::Send(json!({"type": "ping", "timestamp": crate::models::CREATED}).to_string()));
        }
        acts
    }

    fn hear(&mut self, heard: Heard<'_>) -> Vec<Act> {
        if self.closed {
            return Vec::new();
        }
        match heard {
            Heard::Text(text) => self.message(text),
            Heard::Binary(_) => self.error(
                Some("invalid_json"),
                None,
                "Sound goes in base64 in input_audio_buffer.append, never in binary messages.",
                &Value::Null,
            ),
            Heard::Said(script) => {
                self.wish = None;
                if !std::mem::take(&mut self.cancelled) && !self.apart && script.finish() != Finish::Error {
                    self.items.extend(reply::items(self.accent, script));
                }
                Vec::new()
            }
        }
    }

    fn refuse(&mut self, rejection: &Rejection) -> Vec<Act> {
        let wish = self.wish.take().unwrap_or(Value::Null);
        let mut acts = self.error(rejection.code, rejection.param.as_deref(), &rejection.message, &wish);
        if rejection.reason == Reason::WrongKey {
            acts.push(Act::Close(3000, "invalid_request_error.invalid_api_key".into()));
        }
        acts
    }
}
