use std::collections::HashSet;

use ::http::{HeaderMap, HeaderValue, Method};
use base64::Engine;

use super::*;
use crate::dialects::Event;
use crate::endpoints::place;
use crate::models;
use crate::pace::Pace;
use crate::script::{Script, Step};
use crate::settings::Settings;

/// A session at an address, and the events it said so far.
struct Client {
    talk: Box<dyn Talk>,
    heard: Vec<Value>,
    closed: Option<(u16, String)>,
    /// Replies that were begun: the script and what renders it.
    begun: Vec<(Script, Box<dyn Render>)>,
}

fn opened(path: &str, header: Option<(&'static str, &'static str)>) -> Result<Client, Rejection> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut headers = HeaderMap::new();
    if let Some((name, value)) = header {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let place = place(path, &headers).ok().expect("an address");
    let request =
        Request { method: &Method::GET, path: &place.path, target: path, query, headers: &headers, body: &[], names: &place.names };
    let talk = place.dialect.talk(&request).expect("a socket")?;
    let mut client = Client { talk, heard: Vec::new(), closed: None, begun: Vec::new() };
    let acts = client.talk.open();
    client.take(acts);
    Ok(client)
}

fn client(path: &str) -> Client {
    opened(path, None).expect("it opens")
}

impl Client {
    fn take(&mut self, acts: Vec<Act>) {
        for act in acts {
            match act {
                Act::Send(text) => self.heard.push(serde_json::from_str(&text).unwrap()),
                Act::Say(asked) => {
                    let (ask, render) = *asked;
                    let settings = Settings { pace: Pace { reply_tokens: 12, ..Pace::default() }, ..Settings::default() };
                    self.begun.push((Script::compose(&ask, crate::connections::Transport::Ws, &settings, false), render));
                }
                Act::Cancel => self.cancel(),
                Act::Close(code, reason) => self.closed = Some((code, reason)),
            }
        }
    }

    fn say(&mut self, event: Value) -> &mut Self {
        let acts = self.talk.hear(Heard::Text(&event.to_string()));
        self.take(acts);
        self
    }

    fn events(&mut self, events: Vec<Event>) {
        self.heard.extend(events.iter().map(|event| serde_json::from_str::<Value>(&event.data).unwrap()));
    }

    /// Plays the reply that was begun.
    fn play(&mut self) -> Script {
        let (script, mut render) = self.begun.remove(0);
        let mut events = render.opening(&script);
        for (step, _) in script.steps(3) {
            events.extend(render.step(&script, step));
        }
        if script.finish() != Finish::Error {
            events.extend(render.closing(&script));
        }
        assert_eq!(events.iter().filter(|event| event.is_end).count(), 1);
        self.events(events);
        let acts = self.talk.hear(Heard::Said(&script));
        self.take(acts);
        script
    }

    fn cancel(&mut self) {
        let (script, mut render) = self.begun.remove(0);
        let mut events = render.opening(&script);
        if let Some((step, _)) = script.steps(3).next() {
            events.extend(render.step(&script, step));
        }
        events.extend(render.cancelled(&script));
        self.events(events);
        let acts = self.talk.hear(Heard::Said(&script));
        self.take(acts);
    }

    fn kinds(&self) -> Vec<&str> {
        self.heard.iter().map(|event| event["type"].as_str().unwrap()).collect()
    }

    fn all<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.heard.iter().filter(move |event| event["type"] == kind)
    }

    fn joined(&self, kind: &str) -> String {
        self.all(kind).map(|event| event["delta"].as_str().unwrap()).collect()
    }

    fn last(&self) -> &Value {
        self.heard.last().unwrap()
    }
}

fn user(text: &str) -> Value {
    json!({"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}})
}

fn create() -> Value {
    json!({"type": "response.create", "event_id": "wish"})
}

const TEXT: &str = r#"{"type":"session.update","session":{"type":"realtime","output_modalities":["text"]}}"#;

fn text() -> Value {
    serde_json::from_str(TEXT).unwrap()
}

#[test]
fn a_turn_in_the_order_of_the_api() {
    let mut client = client("/v1/realtime?model=lab/steady");
    client.say(text()).say(user("hi")).say(create());
    assert_eq!(client.kinds(), ["session.created", "session.updated", "conversation.item.added", "conversation.item.done"]);
    let script = client.play();
    assert_eq!(client.joined("response.output_text.delta"), script.text());
    let mut order = client.kinds()[4..].to_vec();
    order.dedup();
    assert_eq!(
        order,
        [
            "response.created",
            "rate_limits.updated",
            "response.output_item.added",
            "conversation.item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "conversation.item.done",
            "response.output_item.done",
            "response.done"
        ]
    );
    let response = &client.last()["response"];
    assert_eq!((response["status"].as_str(), &response["output"][0]["content"][0]["text"]), (Some("completed"), &json!(script.text())));
    assert_eq!(response["usage"]["total_tokens"], script.usage().total());
    let ids: HashSet<_> = client.heard.iter().map(|event| event["event_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), client.heard.len(), "every event has an id of its own");
    // Another turn on the same socket knows the first.
    client.say(user("and?")).say(create());
    let again = client.play();
    assert!(again.usage().prompt > script.usage().prompt + script.usage().completion);
}

#[test]
fn three_accents() {
    let mut qwen = client("/api-ws/v1/realtime?model=lab/steady");
    qwen.say(json!({"type": "session.update", "session": {"modalities": ["text"]}})).say(user("hi")).say(create());
    let script = qwen.play();
    assert_eq!(qwen.joined("response.text.delta"), script.text());
    assert!(qwen.kinds().contains(&"conversation.item.created") && !qwen.kinds().contains(&"conversation.item.added"));
    qwen.say(json!({"type": "session.finish"}));
    assert_eq!((qwen.last()["type"].as_str(), qwen.closed.as_ref().map(|(code, _)| *code)), (Some("session.finished"), Some(1000)));
    let mut xai = client("/xai/v1/realtime?model=lab/steady");
    assert!(xai.kinds().contains(&"ping"));
    xai.say(text()).say(user("hi")).say(create());
    let script = xai.play();
    assert_eq!(xai.joined("response.output_text.delta"), script.text());
    assert!(xai.heard.iter().all(|event| event.get("output_index").is_none() && event.get("part").is_none()));
    assert_eq!(xai.last()["response"]["usage"], json!({}));
}

#[test]
fn sound_and_its_transcript() {
    for (path, beta) in [("/v1/realtime?model=lab/steady", false), ("/api-ws/v1/realtime?model=lab/steady", true)] {
        // It is the default.
        let mut client = client(path);
        client
            .say(json!({"type": "input_audio_buffer.append", "audio": "AAAA"}))
            .say(json!({"type": "input_audio_buffer.commit"}))
            .say(create());
        let script = client.play();
        let (words, sound) = if beta {
            ("response.audio_transcript.delta", "response.audio.delta")
        } else {
            ("response.output_audio_transcript.delta", "response.output_audio.delta")
        };
        assert_eq!(client.joined(words), script.text());
        let bytes: usize = client
            .all(sound)
            .map(|event| base64::engine::general_purpose::STANDARD.decode(event["delta"].as_str().unwrap()).unwrap().len())
            .sum();
        assert_eq!(bytes, script.text().chars().count() * 960, "20 ms a character at 24 kHz");
        assert!(client.kinds().contains(&"input_audio_buffer.committed"));
        client.say(json!({"type": "input_audio_buffer.commit"}));
        assert_eq!(client.last()["error"]["code"], "input_audio_buffer_commit_empty");
    }
}

#[test]
fn tools_are_called_and_answered() {
    for (path, function) in [
        (
            "/v1/realtime?model=lab/tools",
            json!({"type": "function", "name": "f", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}),
        ),
        ("/api-ws/v1/realtime?model=lab/tools", json!({"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}})),
    ] {
        let mut client = client(path);
        client.say(json!({"type": "session.update", "session": {"type": "realtime", "tools": [function]}})).say(user("go")).say(create());
        let script = client.play();
        assert_eq!(client.joined("response.function_call_arguments.delta"), script.tool_calls()[0].arguments.text());
        let call = client.last()["response"]["output"][0].clone();
        assert_eq!((call["type"].as_str(), call["name"].as_str()), (Some("function_call"), Some("f")));
        client.say(json!({"type": "conversation.item.create", "item": {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}})).say(create());
        assert!(client.play().text().contains("sunny"));
    }
}

#[test]
fn what_goes_wrong_is_said_in_the_apis_words() {
    let mut failing = client("/v1/realtime?model=lab/error-mid-stream");
    failing.say(text()).say(create());
    failing.play();
    let response = &failing.last()["response"];
    assert_eq!((response["status"].as_str(), response["status_details"]["error"]["code"].as_str()), (Some("failed"), Some("lab_error")));
    let mut filtered = client("/v1/realtime?model=lab/filtered");
    filtered.say(text()).say(create());
    filtered.play();
    assert_eq!(filtered.last()["response"]["status_details"]["reason"], "content_filter");
    // A wrong key, and the beta: after the handshake, with a code of their own.
    let mut refused = client("/v1/realtime?model=lab/steady");
    let acts = refused.talk.refuse(&Rejection::wrong_key());
    refused.take(acts);
    assert_eq!(refused.last()["error"]["code"], "invalid_api_key");
    assert_eq!(refused.closed, Some((3000, "invalid_request_error.invalid_api_key".into())));
    let beta = opened("/v1/realtime?model=lab/steady", Some(("openai-beta", "realtime=v1"))).ok().unwrap();
    assert_eq!(
        (beta.last()["error"]["code"].as_str(), beta.closed.as_ref().map(|(code, _)| *code)),
        (Some("beta_api_shape_disabled"), Some(4000))
    );
    assert!(
        opened("/api-ws/v1/realtime?model=lab/steady", Some(("openai-beta", "realtime=v1"))).is_ok_and(|client| client.closed.is_none())
    );
    assert_eq!(opened("/v1/realtime?model=none", None).err().map(|refused| refused.status), Some(404));
    assert!(opened("/v1/realtime", None).is_err());
    // A prompt too long ends the wish, by its id.
    let mut small = client("/v1/realtime?model=lab/small-context");
    small.say(create());
    let acts = small.talk.refuse(&Rejection::too_long("m", 60, 50));
    small.take(acts);
    assert_eq!(
        (small.last()["error"]["event_id"].as_str(), small.last()["error"]["code"].as_str()),
        (Some("wish"), Some("context_length_exceeded"))
    );
}

#[test]
fn odd_messages_leave_the_session_open() {
    let mut client = client("/v1/realtime?model=lab/steady");
    for (event, code) in [
        (json!([]), "invalid_json"),
        (json!({}), "missing_required_parameter"),
        (json!({"type": "nonsense"}), "invalid_value"),
        (json!({"type": "session.update"}), "missing_required_parameter"),
        (json!({"type": "session.update", "session": {"output_modalities": ["text"]}}), "missing_required_parameter"),
        (json!({"type": "session.update", "session": {"type": "realtime", "output_modalities": ["text", "audio"]}}), "invalid_value"),
        (json!({"type": "session.update", "session": {"type": "realtime", "temperature": 1}}), "unknown_parameter"),
        (json!({"type": "conversation.item.create", "item": {"type": "thing"}}), "invalid_value"),
        (json!({"type": "conversation.item.create", "item": {"type": "message", "role": "user"}}), "missing_required_parameter"),
        (
            json!({"type": "conversation.item.create", "item": {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "a"}]}}),
            "invalid_value",
        ),
        (json!({"type": "conversation.item.delete", "item_id": "x"}), "item_delete_invalid_item_id"),
        (json!({"type": "response.cancel"}), "response_cancel_not_active"),
        (json!({"type": "session.finish"}), "invalid_value"),
    ] {
        client.say(event.clone());
        assert_eq!(client.last()["error"]["code"], code, "{event}");
    }
    client.say(text()).say(user("hi"));
    let id = client.last()["item"]["id"].clone();
    client.say(json!({"type": "conversation.item.retrieve", "item_id": id}));
    assert_eq!(client.last()["item"]["content"][0]["text"], "hi");
    client.say(create()).say(create());
    assert_eq!(client.last()["error"]["code"], "conversation_already_has_active_response");
    client.say(json!({"type": "response.cancel"}));
    assert_eq!((client.last()["type"].as_str(), client.last()["response"]["status"].as_str()), (Some("response.done"), Some("cancelled")));
    client.say(json!({"type": "conversation.item.delete", "item_id": id})).say(create());
    assert_eq!(client.play().finish(), Finish::Stop);
    assert!(client.closed.is_none());
    // Thoughts are counted and never told.
    let mut thinking = self::client("/v1/realtime?model=lab/reasoner");
    thinking.say(text()).say(create());
    let script = thinking.play();
    assert!(script.steps(1).any(|(step, _)| matches!(step, Step::Reasoning(_))) && models::find("lab/reasoner").is_some());
    assert_eq!(thinking.last()["response"]["usage"]["output_token_details"]["reasoning_tokens"], script.usage().reasoning);
}
