use serde_json::{Value, json};

use crate::delta::Part;
use crate::tests::{Run, ask};
use crate::{Ask, AskError, Delta, DeltaKind, Dialect, Message, Payload, Role, Transport};

use super::DashScopeTask;

const ID: &str = "dashscope-task";

fn event(name: &str, payload: Value) -> Vec<u8> {
    json!({"header": {"event": name, "task_id": "t1", "attributes": {}}, "payload": payload}).to_string().into_bytes()
}

fn feed(run: &mut Run, message: &[u8]) {
    run.feed(Payload::Message(message));
}

fn ends(run: &Run) -> (bool, bool) {
    (run.decoder.ended(), run.decoder.whole())
}

/// What a payload's piece of sound is.
fn sound(run: &mut Run, bytes: &[u8]) -> (String, u64, Option<f64>) {
    let mut found = Vec::new();
    run.decoder.payload(Payload::Message(bytes), &mut |delta| {
        let Part::Media { media_type, bytes: size, ms, base64 } = &delta.part else {
            panic!("{delta:?}");
        };
        assert_eq!((delta.kind, *base64, delta.at.clone()), (DeltaKind::Audio, false, 0..bytes.len()));
        found.push((media_type.to_string(), *size, *ms));
    });
    assert_eq!(found.len(), 1);
    found.remove(0)
}

fn said(run: &mut Run, message: &Value) -> Vec<String> {
    let mut said = Vec::new();
    let text = message.to_string();
    run.decoder.sent(text.as_bytes(), &mut |delta: Delta<'_>| {
        assert_eq!((delta.kind, &text[delta.at.clone()]), (DeltaKind::Said, &*delta.text));
        said.push(delta.text.to_string());
    });
    said
}

fn run_task(parameters: Value, input: Value) -> Value {
    json!({"header": {"action": "run-task", "task_id": "t1", "streaming": "duplex"}, "payload": {"task_group": "audio", "parameters": parameters, "input": input}})
}

#[test]
fn text_and_sound_mix_on_one_socket() {
    let mut run = Run::new(ID, 101);
    assert!(said(&mut run, &run_task(json!({"format": "pcm", "sample_rate": 16000}), json!({}))).is_empty());
    feed(&mut run, &event("task-started", json!({})));
    assert_eq!((run.words(), run.reply.id.as_deref()), (vec!["task-started", "t1"], Some("t1")));
    assert_eq!(sound(&mut run, &[0; 3200]), ("audio/pcm;rate=16000".to_owned(), 3200, Some(100.0)));
    feed(&mut run, &event("result-generated", json!({"output": {"sentence": {"words": []}}, "usage": {"characters": 4}})));
    assert_eq!(sound(&mut run, b"\xff\x00").1, 2);
    // A sound that begins like JSON is none.
    assert_eq!(sound(&mut run, b"{\x01\x02").1, 3);
    assert_eq!(ends(&run), (false, false));
    feed(&mut run, &event("task-finished", json!({"output": {}, "usage": {"characters": 8}})));
    assert_eq!((ends(&run), run.reply.ended), ((true, true), true));
    // The next task.
    assert!(said(&mut run, &run_task(json!({"format": "wav"}), json!({}))).is_empty());
    assert_eq!(ends(&run), (false, false));
    let more = json!({"header": {"action": "continue-task"}, "payload": {"input": {"text": "and more"}}});
    assert_eq!(said(&mut run, &more), ["and more"]);
    assert_eq!(sound(&mut run, b"RIFF\0\0\0\0WAVE").0, "audio/wav");
    feed(&mut run, &event("task-finished", json!({})));
    assert_eq!(ends(&run), (true, true));
}

#[test]
fn sound_is_known_by_its_head() {
    for (bytes, media_type) in [
        (&b"ID3\x04\0"[..], "audio/mpeg"),
        (b"\xff\xfb\x90\x00", "audio/mpeg"),
        (b"RIFF\x01\0", "audio/wav"),
        (b"OggS\0", "audio/ogg"),
        (b"\0\0", "application/octet-stream"),
    ] {
        assert_eq!(sound(&mut Run::new(ID, 101), bytes).0, media_type);
    }
}

#[test]
fn a_model_of_text_answers_as_over_http() {
    let mut run = Run::new(ID, 101);
    let result = |content: &str, finish: &str| {
        event(
            "result-generated",
            json!({"output": {"choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": finish}]}, "usage": {"input_tokens": 3, "output_tokens": 2}}),
        )
    };
    feed(&mut run, &event("task-started", json!({})));
    feed(&mut run, &result("Hi", "null"));
    feed(&mut run, &result(" you", "null"));
    feed(&mut run, &result("", "stop"));
    feed(&mut run, &event("task-finished", json!({})));
    assert_eq!((run.reply.text.as_str(), run.reply.finish.as_ref().unwrap().reason.as_str()), ("Hi you", "stop"));
    assert_eq!((run.reply.usage.as_ref().unwrap().output_tokens, ends(&run)), (Some(2), (true, true)));
    let next = json!({"header": {"action": "run-task"}, "payload": {"input": {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]}}});
    assert_eq!(said(&mut run, &next), ["c"]);
    feed(&mut run, &result("Again", "stop"));
    assert_eq!(run.reply.text, "Hi youAgain");
}

#[test]
fn sentences_grow_and_change_until_they_end() {
    let mut run = Run::new(ID, 101);
    let heard = |text: &str, end: bool| {
        event("result-generated", json!({"output": {"sentence": {"text": text, "sentence_end": end, "begin_time": 1}}}))
    };
    for message in [
        heard("he", false),
        heard("hello", false),
        heard("Hello \"you\".", false),
        heard("Hello \"you\".", true),
        heard(" Bye", false),
        heard(" Buy", true),
    ] {
        feed(&mut run, &message);
    }
    assert_eq!(run.reply.text, "Hello \"you\". Buy");
    feed(&mut run, &event("result-generated", json!({"output": {"sentence": {"heartbeat": true, "text": "", "sentence_end": false}}})));
    feed(&mut run, &event("result-generated", json!({"output": {"transcription": {"text": "!", "sentence_end": true}}})));
    assert_eq!(run.reply.text, "Hello \"you\". Buy!");
}

#[test]
fn failures_and_strangers() {
    let mut run = Run::new(ID, 101);
    feed(&mut run, br#"{"header":{"event":"task-failed","task_id":"t","error_code":"InvalidParameter","error_message":"[tts:]Engine return error code: 418","attributes":{}},"payload":{}}"#);
    assert_eq!(run.reply.error, Some(("InvalidParameter".to_owned(), "[tts:]Engine return error code: 418".to_owned())));
    assert_eq!(ends(&run), (true, false));
    let mut odd = Run::new(ID, 101);
    for (message, kind) in [
        ("", DeltaKind::Unknown),
        ("hello", DeltaKind::Unknown),
        ("{}", DeltaKind::Unknown),
        (r#"{"type":"session.created"}"#, DeltaKind::Unknown),
        (r#"{"header":{"event":"new-thing"}}"#, DeltaKind::Control),
        (r#"{"header":[],"payload":7}"#, DeltaKind::Unknown),
    ] {
        feed(&mut odd, message.as_bytes());
        assert_eq!(odd.kinds().last(), Some(&kind), "{message}");
    }
    let mut refused = Run::new(ID, 401);
    refused.feed(Payload::Body(br#"{"code":"InvalidApiKey","message":"Invalid API-key provided.","request_id":"r"}"#));
    assert_eq!(refused.reply.error.as_ref().unwrap().0, "InvalidApiKey");
}

fn messages(ask: &Ask) -> Vec<Value> {
    let call = DashScopeTask.call(ask, Transport::Websocket, "https://dashscope.aliyuncs.com/api-ws/v1", false, "").unwrap();
    assert_eq!(call.url, "wss://dashscope.aliyuncs.com/api-ws/v1/inference");
    assert!(call.messages[0].after.is_none() && call.messages[1..].iter().all(|message| message.after.as_deref() == Some("task-started")));
    call.messages.iter().map(|message| serde_json::from_str(&message.text).unwrap()).collect()
}

#[test]
fn what_is_sent() {
    let mut asked = ask("Speak!");
    asked.model = "cosyvoice-v2".to_owned();
    asked.params.extra = json!({"parameters": {"rate": 1.5}}).as_object().unwrap().clone();
    let said = messages(&asked);
    let id = said[0]["header"]["task_id"].as_str().unwrap();
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(
        said,
        [
            json!({"header": {"action": "run-task", "task_id": id, "streaming": "duplex"}, "payload": {"task_group": "audio", "task": "tts", "function": "SpeechSynthesizer", "model": "cosyvoice-v2", "parameters": {"text_type": "PlainText", "voice": "longxiaochun_v2", "format": "pcm", "sample_rate": 24000, "rate": 1.5}, "input": {}}}),
            json!({"header": {"action": "continue-task", "task_id": id, "streaming": "duplex"}, "payload": {"input": {"text": "Speak!"}}}),
            json!({"header": {"action": "finish-task", "task_id": id, "streaming": "duplex"}, "payload": {"input": {}}}),
        ]
    );
    asked.messages.push(Message::new(Role::User, "More."));
    let turn = DashScopeTask.turn(&asked, Transport::Websocket, None).unwrap();
    assert!(turn[1].text.contains("More.") && !turn[0].text.contains(id));
    let text = messages(&ask("hi"));
    assert_eq!(text.len(), 1);
    assert_eq!(text[0]["header"]["streaming"], "out");
    assert_eq!(text[0]["payload"]["input"], json!({"messages": [{"role": "user", "content": "hi"}]}));
    assert_eq!(text[0]["payload"]["task"], "text-generation");
}

#[test]
fn what_cannot_be_asked_is_said_before() {
    let problems = |ask: &Ask| DashScopeTask.check(ask, Transport::Websocket);
    let mut asked = ask("x");
    asked.model = "cosyvoice-v2".to_owned();
    asked.system = "be brief".to_owned();
    asked.params.temperature = Some(1.0);
    assert_eq!(problems(&asked).len(), 2);
    asked = Ask { model: "sambert-zhichu-v1".to_owned(), ..Ask::default() };
    assert!(matches!(problems(&asked)[..], [AskError::Inexpressible { .. }]));
    asked = Ask { model: "paraformer-realtime-v2".to_owned(), ..ask("x") };
    assert!(matches!(problems(&asked)[..], [AskError::Inexpressible { .. }]));
    asked = Ask { raw_body: Some("[1]".to_owned()), ..ask("x") };
    assert!(matches!(problems(&asked)[..], [AskError::Body(_)]));
    for event in DashScopeTask.client_events(Transport::Websocket) {
        let template: Value = serde_json::from_str(event.template).unwrap();
        assert!(event.name.starts_with(template["header"]["action"].as_str().unwrap()));
        assert!(template["payload"]["input"].is_object(), "the input must be there");
    }
}

#[test]
fn messages_are_read_back() {
    let mut spoken = ask("Speak!");
    spoken.model = "cosyvoice-v3-flash".to_owned();
    spoken.params.seed = Some(4);
    let mut text = ask("hi");
    text.system = "be brief".to_owned();
    text.params.extra = json!({"parameters": {"top_k": 3}}).as_object().unwrap().clone();
    let mut other = ask("hi");
    other.params.extra = json!({"task": "tts", "task_id": "00000000000000000000000000000007"}).as_object().unwrap().clone();
    for asked in [spoken, text, other] {
        let said = messages(&asked);
        let body = said.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
        let read = DashScopeTask.read(&body, "", Transport::Websocket).unwrap();
        assert_eq!(messages(&read), said);
    }
    for odd in ["", "{}", "[1]", r#"{"header":{"action":"run-task"},"payload":{"model":"m"}}"#] {
        assert!(DashScopeTask.read(odd, "", Transport::Websocket).is_none());
    }
}
