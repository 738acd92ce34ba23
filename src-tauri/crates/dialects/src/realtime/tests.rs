use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::delta::Part;
use crate::tests::{Run, ask};
use crate::{
    Ask, AskError, Attachment, Delta, DeltaKind, Dialect, Message, Output, Payload, Role, Source, Tool, ToolCall, Transport, dialect,
};

const GA: &str = "openai-realtime";
const QWEN: &str = "qwen-realtime";

fn of(id: &str) -> &'static dyn Dialect {
    dialect::find(id).unwrap()
}

/// A conversation on one socket: what the server says, and (with `sent`) what the client does.
struct Talk {
    run: Run,
    said: Vec<String>,
}

impl Talk {
    fn new() -> Self {
        Self { run: Run::new(GA, 101), said: Vec::new() }
    }

    fn hear(&mut self, event: Value) -> &mut Self {
        self.run.feed(Payload::Message(event.to_string().as_bytes()));
        self
    }

    fn say(&mut self, event: Value) -> &mut Self {
        let said = &mut self.said;
        self.run.decoder.sent(event.to_string().as_bytes(), &mut |delta: Delta<'_>| {
            assert_eq!(delta.kind, DeltaKind::Said);
            said.push(delta.text.to_string());
        });
        self
    }

    fn ends(&self) -> (bool, bool) {
        (self.run.decoder.ended(), self.run.decoder.whole())
    }
}

fn created(id: &str) -> Value {
    json!({"type": "response.created", "event_id": "e", "response": {"id": id, "status": "in_progress"}})
}

fn done(id: &str, status: &str, more: Value) -> Value {
    let mut response = json!({"id": id, "status": status, "output": []});
    response.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"type": "response.done", "event_id": "e", "response": response})
}

fn create(id: &str) -> Value {
    json!({"type": "response.create", "event_id": id})
}

fn user(id: &str, text: &str) -> Value {
    json!({"type": "conversation.item.create", "event_id": id, "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}})
}

fn error(code: &str, event_id: Option<&str>) -> Value {
    json!({"type": "error", "event_id": "server", "error": {"type": "invalid_request_error", "code": code, "message": "no", "param": null, "event_id": event_id}})
}

/// A whole reply under the names of one of the versions.
fn reply(beta: bool) -> Vec<Value> {
    let text = if beta { "response.text" } else { "response.output_text" };
    let part = if beta { "text" } else { "output_text" };
    let place = json!({"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0});
    let with = |kind: String, more: Value| {
        let mut event = place.clone();
        event["type"] = json!(kind);
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event
    };
    let item = |content: Value| json!({"id": "i", "type": "message", "role": "assistant", "content": content});
    vec![
        created("r"),
        json!({"type": "rate_limits.updated", "rate_limits": [{"name": "requests", "limit": 10, "remaining": 9, "reset_seconds": 1.5}]}),
        with("response.output_item.added".to_owned(), json!({"item": item(json!([]))})),
        json!({"type": if beta { "conversation.item.created" } else { "conversation.item.added" }, "item": item(json!([]))}),
        with("response.content_part.added".to_owned(), json!({"part": {"type": part, "text": ""}})),
        with(format!("{text}.delta"), json!({"delta": "He"})),
        with(format!("{text}.delta"), json!({"delta": "llo \"you\""})),
        with(format!("{text}.done"), json!({"text": "Hello \"you\""})),
        with("response.content_part.done".to_owned(), json!({"part": {"type": part, "text": "Hello \"you\""}})),
        with("response.output_item.done".to_owned(), json!({"item": item(json!([{"type": part, "text": "Hello \"you\""}]))})),
        done(
            "r",
            "completed",
            json!({
                "output": [item(json!([{"type": part, "text": "Hello \"you\""}]))],
                "usage": {"total_tokens": 12, "input_tokens": 9, "output_tokens": 3, "input_token_details": {"text_tokens": 9, "cached_tokens": 4}, "output_token_details": {"text_tokens": 3}},
            }),
        ),
    ]
}

#[test]
fn both_versions_say_the_same() {
    for beta in [false, true] {
        let mut talk = Talk::new();
        talk.hear(json!({"type": "session.created", "session": {"id": "s"}})).say(json!({"type": "session.update", "session": {}}));
        talk.hear(json!({"type": "session.updated", "session": {}})).say(user("u", "hi")).say(create("c"));
        for event in reply(beta) {
            assert_eq!(talk.ends(), (false, false));
            talk.hear(event);
        }
        assert_eq!(talk.ends(), (true, true));
        let reply = &talk.run.reply;
        assert_eq!(
            (reply.text.as_str(), reply.finish.as_ref().unwrap().reason.as_str(), reply.id.as_deref()),
            ("Hello \"you\"", "completed", Some("r"))
        );
        let usage = reply.usage.as_ref().unwrap();
        assert_eq!(
            (usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.input_includes_cached),
            (Some(9), Some(3), Some(4), Some(true))
        );
        // What a message held back waits for is told by its name.
        for word in ["session.created", "session.updated", "response.created", "rate_limits.updated", "response.done"] {
            assert!(talk.run.deltas.iter().any(|delta| delta.kind == DeltaKind::Control && delta.text == word), "{word}");
        }
        // The first turn is the composer's own.
        assert!(talk.said.is_empty());
    }
}

#[test]
fn xai_leaves_out_indexes_ids_and_usage() {
    let mut talk = Talk::new();
    talk.hear(json!({"type": "ping", "timestamp": 1})).say(create("c"));
    assert_eq!(talk.run.words(), ["ping"]);
    talk.hear(json!({"type": "response.created", "response": {}}));
    for event in [
        json!({"type": "response.output_item.added", "item": {"type": "message"}}),
        json!({"type": "response.output_audio_transcript.delta", "delta": "He"}),
        json!({"type": "ping"}),
        json!({"type": "response.output_audio_transcript.delta", "delta": "llo"}),
        json!({"type": "response.output_audio_transcript.done", "transcript": "Hello"}),
        json!({"type": "response.content_part.done"}),
        json!({"type": "response.output_item.done", "item": {"type": "message", "content": [{"type": "audio", "transcript": "Hello"}]}}),
        json!({"type": "response.done", "response": {"status": "completed", "usage": {}}}),
    ] {
        talk.hear(event);
    }
    assert_eq!(talk.run.reply.text, "Hello");
    assert!(talk.run.reply.usage.is_none());
    assert_eq!(talk.ends(), (true, true));
}

#[test]
fn text_that_only_the_end_holds_is_told() {
    let item = json!({"type": "message", "role": "assistant", "content": [{"type": "output_audio", "transcript": "a"}, {"type": "output_text", "text": "b"}]});
    let mut talk = Talk::new();
    talk.hear(created("r")).hear(done(
        "r",
        "completed",
        json!({"output": [item, {"type": "function_call", "id": "i", "call_id": "c", "name": "f", "arguments": "{}"}]}),
    ));
    assert_eq!(talk.run.reply.text, "ab");
    assert_eq!(talk.run.calls(), [("c", "f", "{}")]);
    // What the user said is in the conversation too, and none of the reply.
    let mut talk = Talk::new();
    talk.hear(created("r")).hear(json!({"type": "conversation.item.done", "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}}));
    assert_eq!(talk.run.reply.text, "");
}

#[test]
fn calls_are_told_once() {
    let mut talk = Talk::new();
    talk.hear(created("r"));
    for (at, id) in ["a", "b"].iter().enumerate() {
        let place = json!({"response_id": "r", "output_index": at, "item_id": id});
        let with = |kind: &str, name: &str, value: Value| {
            let mut event = place.clone();
            event["type"] = json!(kind);
            event[name] = value;
            event
        };
        let item = |arguments: &str| json!({"id": id, "type": "function_call", "call_id": format!("call_{id}"), "name": "f", "arguments": arguments});
        talk.hear(with("response.output_item.added", "item", item("")));
        talk.hear(with("response.function_call_arguments.delta", "delta", json!("{\"x\":")));
        talk.hear(with("response.function_call_arguments.delta", "delta", json!("\"\\n\"}")));
        talk.hear(with("response.function_call_arguments.done", "arguments", json!("{\"x\":\"\\n\"}")));
        talk.hear(with("response.output_item.done", "item", item("{\"x\":\"\\n\"}")));
    }
    talk.hear(done("r", "completed", json!({})));
    assert_eq!(talk.run.calls(), [("call_a", "f", "{\"x\":\"\\n\"}"), ("call_b", "f", "{\"x\":\"\\n\"}")]);
    // The next reply numbers its items from 0 again.
    talk.say(create("c")).hear(created("r2"));
    talk.hear(json!({"type": "response.output_item.done", "output_index": 0, "item": {"id": "a", "type": "function_call", "call_id": "z", "name": "g", "arguments": "1"}}));
    assert_eq!(talk.run.calls()[2], ("z", "g", "1"));
}

#[test]
fn sound_is_told_by_size_and_length() {
    let media = |session: Value, delta: &str| {
        let mut decoder = of(GA).decoder(Transport::Websocket);
        let mut found = None;
        for event in
            [json!({"type": "session.updated", "session": session}), json!({"type": "response.output_audio.delta", "delta": delta})]
        {
            let text = event.to_string();
            decoder.payload(Payload::Message(text.as_bytes()), &mut |delta| {
                if let Part::Media { media_type, bytes, ms, base64 } = &delta.part {
                    assert_eq!((delta.kind, *base64), (DeltaKind::Audio, true));
                    found = Some((media_type.to_string(), *bytes, *ms, text[delta.at.clone()].to_owned()));
                }
            });
        }
        found.unwrap()
    };
    let b64 = "A".repeat(6400);
    assert_eq!(media(json!({}), &b64), ("audio/pcm;rate=24000".to_owned(), 4800, Some(100.0), b64.clone()));
    let ga = |format: Value| json!({"audio": {"output": {"format": format}}});
    assert_eq!(media(ga(json!({"type": "audio/pcm", "rate": 24000})), "AAA=").1, 2);
    assert_eq!(media(ga(json!({"type": "audio/pcmu"})), &b64).2, Some(600.0));
    assert_eq!(media(ga(json!({"type": "pcm", "sample_rate": 48000})), &b64).2, Some(50.0));
    assert_eq!(media(json!({"output_audio_format": "pcm24"}), &b64).2, Some(100.0));
    assert_eq!(media(json!({"output_audio_format": "g711_alaw"}), &b64).0, "audio/pcma");
    assert_eq!(media(ga(json!({"type": "mp3"})), &b64), ("audio/mp3".to_owned(), 4800, None, b64.clone()));
    // Under the beta's name, beside its transcript.
    let mut talk = Talk::new();
    talk.hear(created("r"))
        .hear(json!({"type": "response.audio_transcript.delta", "delta": "Hi"}))
        .hear(json!({"type": "response.audio.delta", "delta": "AAAA"}));
    assert_eq!(talk.run.reply.text, "Hi");
    assert_eq!(talk.run.kinds()[2..], [DeltaKind::Text, DeltaKind::Audio]);
}

#[test]
fn how_a_reply_ends() {
    let over = |status: &str, details: Value| {
        let mut talk = Talk::new();
        talk.say(create("c")).hear(created("r")).hear(done("r", status, json!({"status_details": details})));
        let reply = &talk.run.reply;
        (talk.ends(), reply.finish.as_ref().map(|finish| finish.reason.clone()).unwrap(), reply.error.clone())
    };
    assert_eq!(over("completed", Value::Null), ((true, true), "completed".to_owned(), None));
    assert_eq!(
        over("incomplete", json!({"type": "incomplete", "reason": "max_output_tokens"})),
        ((true, true), "max_output_tokens".to_owned(), None)
    );
    assert_eq!(over("incomplete", json!({"reason": "content_filter"})).1, "content_filter");
    assert_eq!(over("cancelled", json!({"reason": "client_cancelled"})), ((true, true), "client_cancelled".to_owned(), None));
    // A failed response is no error event.
    let failed =
        over("failed", json!({"type": "failed", "error": {"type": "server_error", "code": "insufficient_quota", "message": "no money"}}));
    assert_eq!(failed, ((true, false), "failed".to_owned(), Some(("insufficient_quota".to_owned(), "no money".to_owned()))));
    assert!(over("failed", Value::Null).2.is_some());
    // The socket's end without response.done.
    let mut talk = Talk::new();
    talk.say(create("c")).hear(created("r")).hear(json!({"type": "response.output_text.delta", "response_id": "r", "delta": "a"}));
    assert_eq!(talk.ends(), (false, false));
}

#[test]
fn errors_end_the_reply_only_where_none_will_come() {
    let waiting = || {
        let mut talk = Talk::new();
        talk.hear(json!({"type": "session.created"}))
            .say(json!({"type": "session.update", "event_id": "s"}))
            .say(user("u", "hi"))
            .say(create("c"));
        talk
    };
    // Of the wish for a reply, of the session, and of nothing that is named: no reply will come.
    for id in [Some("c"), Some("s"), None] {
        let mut talk = waiting();
        talk.hear(error("bad", id));
        assert_eq!((talk.ends(), talk.run.reply.error.clone()), ((true, false), Some(("bad".to_owned(), "no".to_owned()))), "{id:?}");
        // Should one come all the same, it counts.
        talk.hear(created("r"));
        assert_eq!(talk.ends(), (false, false));
    }
    // An item was refused: the reply comes without it.
    let mut talk = waiting();
    talk.hear(error("bad_item", Some("u")));
    assert_eq!((talk.ends(), talk.run.reply.error.is_none()), ((false, false), true));
    assert_eq!(talk.run.kinds().last(), Some(&DeltaKind::Error));
    talk.hear(created("r")).hear(error("later", None)).hear(done("r", "completed", json!({})));
    assert_eq!((talk.ends(), talk.run.reply.error.is_none()), ((true, true), true));
    // Cancelling what does not run changes nothing.
    talk.say(json!({"type": "response.cancel", "event_id": "x"})).hear(error("response_cancel_not_active", Some("x")));
    assert_eq!((talk.ends(), talk.run.reply.error.is_none()), ((true, true), true));
    // A second wish is refused while the first is under way.
    let mut talk = waiting();
    talk.hear(created("r")).say(create("c2")).hear(error("conversation_already_has_active_response", Some("c2")));
    assert_eq!(talk.ends(), (false, false));
    talk.hear(done("r", "completed", json!({})));
    assert_eq!(talk.ends(), (true, true));
}

#[test]
fn a_wrong_key_and_the_closed_beta_come_after_101() {
    for code in ["invalid_api_key", "beta_api_shape_disabled"] {
        let mut talk = Talk::new();
        talk.hear(error(code, None));
        // The close frame with its code (3000, 4000) is still to come.
        assert_eq!(talk.ends(), (false, false));
        assert_eq!(talk.run.reply.error.as_ref().unwrap().0, code);
    }
    let mut talk = Talk::new();
    talk.say(create("c")).hear(created("r")).hear(error("session_expired", None));
    assert_eq!((talk.ends(), talk.run.reply.error.is_some()), ((false, false), true));
    // After the reply it ends nothing that is not over.
    let mut talk = Talk::new();
    talk.say(create("c")).hear(created("r")).hear(done("r", "completed", json!({}))).hear(error("session_expired", None));
    assert_eq!((talk.ends(), talk.run.reply.error.is_none()), ((true, true), true));
    let mut refused = Run::new(GA, 403);
    refused.feed(Payload::Body(br#"{"error":{"code":"model_not_found","message":"no access"}}"#));
    assert_eq!(refused.reply.error.as_ref().unwrap().0, "model_not_found");
    assert!(!refused.decoder.whole());
    let mut page = Run::new(GA, 101);
    page.feed(Payload::Body(b"<html><title>502 Bad Gateway</title></html>"));
    assert_eq!(page.reply.error.as_ref().unwrap().1, "502 Bad Gateway");
}

#[test]
fn many_turns_on_one_socket() {
    let mut talk = Talk::new();
    talk.say(user("1", "one")).say(create("c1")).hear(created("r1")).hear(done("r1", "completed", json!({})));
    assert_eq!(talk.ends(), (true, true));
    // An item alone asks for nothing.
    talk.say(user("2", "two"));
    assert_eq!((talk.ends(), talk.said.is_empty()), ((true, true), true));
    talk.say(create("c2"));
    assert_eq!((talk.ends(), talk.said.as_slice()), ((false, false), ["two".to_owned()].as_slice()));
    talk.hear(created("r2")).hear(done("r2", "failed", json!({})));
    assert_eq!(talk.ends(), (true, false));
    talk.say(json!({"type": "conversation.item.create", "item": {"type": "function_call_output", "call_id": "c", "output": "42"}}))
        .say(create("c3"));
    assert_eq!((talk.ends(), talk.said.last().unwrap().as_str()), ((false, false), "42"));
    talk.hear(created("r3")).hear(done("r3", "completed", json!({})));
    assert_eq!(talk.ends(), (true, true));
    // A turn that the server begins, by voice.
    talk.hear(created("r4"));
    assert_eq!(talk.ends(), (false, false));
    // Two replies side by side: both must end.
    talk.hear(created("r5"));
    talk.hear(json!({"type": "response.output_text.delta", "response_id": "r4", "output_index": 0, "delta": "4"}));
    talk.hear(json!({"type": "response.output_text.done", "response_id": "r5", "output_index": 0, "text": "5"}));
    talk.hear(done("r4", "completed", json!({})));
    assert_eq!(talk.ends(), (false, false));
    talk.hear(done("r5", "completed", json!({})));
    assert_eq!((talk.ends(), talk.run.reply.text.as_str()), ((true, true), "45"));
}

#[test]
fn what_is_not_of_the_dialect_is_shown() {
    let mut run = Run::new(GA, 101);
    for (payload, kind) in [
        ("", DeltaKind::Unknown),
        ("hello", DeltaKind::Unknown),
        ("[1]", DeltaKind::Unknown),
        ("{}", DeltaKind::Unknown),
        (r#"{"type":"response.new_thing","x":1}"#, DeltaKind::Control),
        (r#"{"type":7}"#, DeltaKind::Unknown),
        (r#"{"choices":[{"delta":{"content":"a"}}]}"#, DeltaKind::Unknown),
        (r#"{"type":"response.output_text.delta"}"#, DeltaKind::Control),
        (r#"{"type":"response.output_text.delta","delta":{"x":1},"response_id":[],"output_index":"?"}"#, DeltaKind::Control),
        (r#"{"error":{"message":"bare"}}"#, DeltaKind::Error),
    ] {
        run.feed(Payload::Message(payload.as_bytes()));
        assert_eq!(run.kinds().last(), Some(&kind), "{payload}");
    }
    run.feed(Payload::Message(b"\xff\x00"));
    let mut silent = of(GA).decoder(Transport::Websocket);
    for odd in [&b""[..], b"[]", b"\xff", br#"{"type":1}"#, br#"{"type":"conversation.item.create","item":7}"#] {
        silent.sent(odd, &mut |_| panic!("nothing was said"));
    }
}

fn question() -> Ask {
    let mut question = ask("hi");
    question.model = "gpt-realtime".to_owned();
    question.system = "be brief".to_owned();
    let call = ToolCall { id: "c".to_owned(), name: "f".to_owned(), arguments: "{}".to_owned(), signature: None };
    question.messages.push(Message { tool_calls: vec![call], ..Message::new(Role::Assistant, "ok") });
    question.messages.push(Message { tool_call_id: Some("c".to_owned()), ..Message::new(Role::Tool, "42") });
    question.messages.push(Message::new(Role::User, "so?"));
    question.tools.push(Tool { name: "f".to_owned(), description: "d".to_owned(), parameters: json!({"type": "object"}) });
    question.params.max_tokens = Some(7);
    question
}

#[test]
fn what_is_sent() {
    let mut asked = question();
    asked.params.tool_choice = Some("f".to_owned());
    asked.params.reasoning = Some("low".to_owned());
    asked.params.extra =
        json!({"audio": {"output": {"voice": "marin"}}, "response": {"metadata": {"a": "b"}}}).as_object().unwrap().clone();
    let call = of(GA).call(&asked, Transport::Websocket, "https://api.openai.com/v1", false, "Authorization: Bearer {key}").unwrap();
    assert_eq!((call.method.as_str(), call.url.as_str()), ("GET", "wss://api.openai.com/v1/realtime?model=gpt-realtime"));
    assert_eq!(call.headers[0].value, "Bearer {key}");
    // The beta is switched off: whoever asks for it is refused.
    assert!(!call.headers.iter().any(|header| header.name.eq_ignore_ascii_case("OpenAI-Beta")), "{:?}", call.headers);
    assert!(!call.subprotocols.iter().any(|name| name.contains("beta")), "{:?}", call.subprotocols);
    let said: Vec<(Option<&str>, &str)> = call.messages.iter().map(|message| (message.after.as_deref(), message.text.as_str())).collect();
    let updated = Some("session.updated");
    assert_eq!(
        said,
        [
            (
                Some("session.created"),
                r#"{"type":"session.update","event_id":"weir-session","session":{"type":"realtime","output_modalities":["text"],"instructions":"be brief","tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object"}}],"tool_choice":{"type":"function","name":"f"},"max_output_tokens":7,"reasoning":{"effort":"low"},"audio":{"output":{"voice":"marin"}}}}"#
            ),
            (
                updated,
                r#"{"type":"conversation.item.create","event_id":"weir-item-1","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]}}"#
            ),
            (
                updated,
                r#"{"type":"conversation.item.create","event_id":"weir-item-2","item":{"type":"message","role":"assistant","content":[{"type":"output_text","text":"ok"}]}}"#
            ),
            (
                updated,
                r#"{"type":"conversation.item.create","event_id":"weir-item-3","item":{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}}"#
            ),
            (
                updated,
                r#"{"type":"conversation.item.create","event_id":"weir-item-4","item":{"type":"function_call_output","call_id":"c","output":"42"}}"#
            ),
            (
                updated,
                r#"{"type":"conversation.item.create","event_id":"weir-item-5","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"so?"}]}}"#
            ),
            (updated, r#"{"type":"response.create","event_id":"weir-response-5","response":{"metadata":{"a":"b"}}}"#),
        ]
    );
    let turn = of(GA).turn(&asked, Transport::Websocket, Some("resp_1")).unwrap();
    let turn: Vec<&str> = turn.iter().map(|message| message.text.as_str()).collect();
    assert_eq!(turn, [said[4].1, said[5].1, said[6].1]);
    assert!(of(GA).persistent(Transport::Websocket));
}

#[test]
fn who_answers_is_named_once() {
    let url = |base: &str, whole: bool| of(GA).call(&ask("hi"), Transport::Websocket, base, whole, "?api-key={key}").unwrap().url;
    assert_eq!(url("https://r.openai.azure.com/openai/v1", false), "wss://r.openai.azure.com/openai/v1/realtime?model=m&api-key={key}");
    assert_eq!(url("wss://h/v1/realtime?call_id=x", true), "wss://h/v1/realtime?call_id=x&api-key={key}");
    assert_eq!(
        url("wss://h/openai/realtime?api-version=1&deployment=d", true),
        "wss://h/openai/realtime?api-version=1&deployment=d&api-key={key}"
    );
    let lab = of(QWEN)
        .call(&Ask { model: "lab/steady".to_owned(), ..ask("hi") }, Transport::Websocket, "http://127.0.0.1:1/api-ws/v1", false, "")
        .unwrap();
    assert_eq!(lab.url, "ws://127.0.0.1:1/api-ws/v1/realtime?model=lab%2Fsteady");
}

#[test]
fn qwen_is_asked_in_the_betas_names() {
    let mut asked = question();
    asked.params.temperature = Some(1.0);
    asked.params.seed = Some(-3);
    let call = of(QWEN).call(&asked, Transport::Websocket, "https://dashscope.aliyuncs.com/api-ws/v1", false, "").unwrap();
    let update: Value = serde_json::from_str(&call.messages[0].text).unwrap();
    assert_eq!(
        update["session"],
        json!({"modalities": ["text"], "instructions": "be brief", "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}], "max_tokens": 7, "temperature": 1, "seed": -3, "turn_detection": null})
    );
    assert!(call.messages[2].text.contains(r#"[{"type":"text","text":"ok"}]"#));
    let names = |id: &str| of(id).client_events(Transport::Websocket).iter().map(|event| event.name).collect::<Vec<_>>();
    assert!(names(QWEN).contains(&"session.finish") && names(GA).contains(&"conversation.item.truncate"));
    for event in of(GA).client_events(Transport::Websocket).iter().chain(of(QWEN).client_events(Transport::Websocket)) {
        let template: Value = serde_json::from_str(event.template).unwrap();
        assert!(event.name.starts_with(template["type"].as_str().unwrap()), "{}", event.name);
    }
}

#[test]
fn what_cannot_be_asked_is_said_before() {
    let mut asked = question();
    asked.params.temperature = Some(0.5);
    asked.params.seed = Some(1);
    asked.params.stop = vec!["x".to_owned()];
    asked.params.reasoning = Some("low".to_owned());
    asked.params.tool_choice = Some("required".to_owned());
    asked.output = Some(Output { name: String::new(), schema: None });
    let picture = |source| Attachment { media_type: "image/png".to_owned(), name: String::new(), source };
    asked.messages[0].attachments = vec![
        picture(Source::Url("https://h/x.png".to_owned())),
        picture(Source::Data("AAAA".to_owned())),
        Attachment { media_type: "application/pdf".to_owned(), name: String::new(), source: Source::Data("AAAA".to_owned()) },
    ];
    let what = |id: &str| -> Vec<String> {
        of(id)
            .check(&asked, Transport::Websocket)
            .into_iter()
            .map(|problem| match problem {
                AskError::Inexpressible { what, .. } => what,
                other => other.to_string(),
            })
            .collect()
    };
    let (png, pdf) = ("an attachment of type image/png", "an attachment of type application/pdf");
    assert_eq!(what(GA), ["stop sequences", "structured output", "temperature", "seed", png, pdf]);
    assert_eq!(what(QWEN), ["stop sequences", "structured output", "reasoning effort", "tool choice", png, png, pdf]);
    assert!(of(GA).turn(&asked, Transport::Websocket, None).is_err());
    assert!(matches!(of(GA).check(&question(), Transport::Sse)[..], [AskError::Transport { .. }]));
}

#[test]
fn a_raw_body_is_the_messages() {
    let mut asked = ask("hi");
    asked.raw_body = Some("{\"type\":\"response.create\"}\n{\"type\":\"session.update\"}\n[]".to_owned());
    assert!(of(GA).call(&asked, Transport::Websocket, "wss://h/v1", false, "").is_err());
    asked.raw_body = Some(r#"[{"type":"input_audio_buffer.clear"},{"type":"session.update"},{"type":"response.create"}]"#.to_owned());
    let call = of(GA).call(&asked, Transport::Websocket, "wss://h/v1", false, "").unwrap();
    let said: Vec<_> = call.messages.iter().map(|message| (message.after.as_deref().unwrap(), message.text.as_str())).collect();
    assert_eq!(
        said,
        [
            ("session.created", r#"{"type":"input_audio_buffer.clear"}"#),
            ("session.created", r#"{"type":"session.update"}"#),
            ("session.updated", r#"{"type":"response.create"}"#),
        ]
    );
}

/// The messages of `ask`, as the composer shows them.
fn sent(id: &str, ask: &Ask) -> (String, String) {
    let call = of(id).call(ask, Transport::Websocket, "wss://h/v1", false, "").unwrap();
    (call.messages.iter().map(|message| message.text.as_str()).collect::<Vec<_>>().join("\n"), call.url)
}

#[test]
fn messages_are_read_back() {
    for id in [GA, QWEN] {
        let mut asked = question();
        asked.params.extra = json!({"tracing": "auto", "turn_detection": {"type": "server_vad"}, "response": {"conversation": "none"}})
            .as_object()
            .unwrap()
            .clone();
        let (body, url) = sent(id, &asked);
        let read = of(id).read(&body, &url, Transport::Websocket).unwrap();
        assert_eq!(read, asked, "{id}");
    }
    for odd in ["", "{}", r#"{"type":"session.update"}{"type":"response.create"}"#, r#"{"model":"m","input":"hi"}"#, "nonsense"] {
        assert!(of(GA).read(odd, "wss://h", Transport::Websocket).is_none(), "{odd}");
    }
}

proptest! {
    #[test]
    fn what_is_built_is_read(
        texts in proptest::collection::vec((0_u8..3, ".{0,12}"), 0..6), system in ".{0,8}", max in proptest::option::of(1_u64..99),
        tool in any::<bool>(), beta in any::<bool>(), extra in any::<bool>(),
    ) {
        let id = if beta { QWEN } else { GA };
        let mut asked = Ask { model: "m".to_owned(), system, ..Ask::default() };
        for (role, text) in texts {
            asked.messages.push(match role {
                0 => Message::new(Role::User, text),
                1 => Message { tool_call_id: Some("c".to_owned()), ..Message::new(Role::Tool, text) },
                _ => Message { tool_calls: vec![ToolCall { id: text.clone(), name: text.clone(), arguments: text.clone(), signature: None }], ..Message::new(Role::Assistant, text) },
            });
        }
        asked.params.max_tokens = max;
        if tool {
            asked.tools.push(Tool { name: "f".to_owned(), description: String::new(), parameters: json!({}) });
            asked.params.tool_choice = Some("auto".to_owned());
        }
        if extra {
            asked.params.extra = Map::from_iter([("audio".to_owned(), json!({"x": 1})), ("tools".to_owned(), json!([{"type": "mcp"}]))]);
        }
        let (body, url) = sent(id, &asked);
        if let Some(read) = of(id).read(&body, &url, Transport::Websocket) {
            // Equal as JSON: members without a field come last.
            let json = |body: &str| crate::messages::read(body).unwrap();
            prop_assert_eq!(json(&sent(id, &read).0), json(&body));
        } else {
            // Only tools that another dialect would not know are in the way of a choice among them.
            prop_assert!(extra && tool, "{}", body);
        }
    }

    #[test]
    fn what_is_encoded_is_decoded(pieces in proptest::collection::vec("[a-z\"\\\\\n\u{e9}\u{1f600}]{0,5}", 0..8), beta in any::<bool>(), spoken in any::<bool>(), indexed in any::<bool>(), named in any::<bool>()) {
        let kind = match (beta, spoken) {
            (false, false) => "response.output_text",
            (false, true) => "response.output_audio_transcript",
            (true, false) => "response.text",
            (true, true) => "response.audio_transcript",
        };
        let mut talk = Talk::new();
        let place = |mut event: Value| {
            if indexed {
                event["output_index"] = json!(0);
                event["content_index"] = json!(0);
                event["item_id"] = json!("i");
            }
            if named {
                event["response_id"] = json!("r");
            }
            event
        };
        talk.say(create("c")).hear(created("r"));
        for piece in &pieces {
            talk.hear(place(json!({"type": format!("{kind}.delta"), "delta": piece})));
        }
        let whole = pieces.concat();
        talk.hear(place(json!({"type": format!("{kind}.done"), "text": whole, "transcript": whole})));
        talk.hear(place(json!({"type": "response.output_item.done", "item": {"type": "message", "role": "assistant", "content": [{"type": "text", "text": whole}]}})));
        talk.hear(done("r", "completed", json!({"output": [{"type": "message", "role": "assistant", "content": [{"type": "text", "text": whole}]}]})));
        prop_assert_eq!(&talk.run.reply.text, &whole);
        prop_assert_eq!(talk.ends(), (true, true));
    }
}
