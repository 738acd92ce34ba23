use proptest::prelude::*;
use serde_json::{Value, json};

use crate::tests::{Run, ask};
use crate::{Ask, AskError, DeltaKind, Dialect, Message, Outgoing, Output, Payload, Role, Status, Tool, ToolCall, Transport};

use super::GeminiLive;

const WS: Transport = Transport::Websocket;

/// A socket on which the server has said these.
fn live(messages: &[Value]) -> Run {
    let mut run = Run::new("gemini-live", 101);
    run.decoder.status(&Status { code: 101, media_type: String::new() });
    for message in messages {
        run.feed(Payload::Message(message.to_string().as_bytes()));
    }
    run
}

/// What the client says, told to the decoder.
fn say(run: &mut Run, message: &Value) -> Vec<(DeltaKind, String)> {
    let mut told = Vec::new();
    run.decoder.sent(message.to_string().as_bytes(), &mut |delta| told.push((delta.kind, delta.text.into_owned())));
    told
}

fn content(content: Value) -> Value {
    json!({"serverContent": content})
}

fn text(text: &str) -> Value {
    content(json!({"modelTurn": {"parts": [{"text": text}]}}))
}

#[test]
fn a_turn_in_binary_messages_and_another() {
    let mut run = live(&[json!({"setupComplete": {}})]);
    assert_eq!(run.words(), ["setupComplete"], "the word that held back messages wait for");
    assert!(say(&mut run, &json!({"setup": {"model": "m"}})).is_empty());
    say(&mut run, &json!({"clientContent": {"turns": [{"role": "user", "parts": [{"text": "hi"}]}], "turnComplete": true}}));
    for message in [
        content(json!({"modelTurn": {"parts": [{"text": "hm", "thought": true}]}})),
        text("He"),
        text("llo"),
        content(json!({"generationComplete": true})),
    ] {
        run.feed(Payload::Message(message.to_string().as_bytes()));
    }
    assert!(!run.decoder.ended());
    let last = json!({"serverContent": {"turnComplete": true}, "usageMetadata": {"promptTokenCount": 3, "responseTokenCount": 2, "thoughtsTokenCount": 1, "totalTokenCount": 6}});
    run.feed(Payload::Message(last.to_string().as_bytes()));
    assert_eq!((run.reply.text.as_str(), run.reply.reasoning.as_str()), ("Hello", "hm"));
    let usage = run.reply.usage.as_ref().unwrap();
    assert_eq!(
        (usage.input_tokens, usage.output_tokens, usage.reasoning_tokens),
        (Some(3), Some(2), Some(1)),
        "it is responseTokenCount here"
    );
    assert_eq!(usage.output_includes_reasoning, Some(false));
    assert!(run.decoder.ended() && run.decoder.whole() && run.reply.ended);
    assert_eq!(run.reply.finish.as_ref().unwrap().reason, "turnComplete");

    let said = say(&mut run, &json!({"clientContent": {"turns": [{"role": "user", "parts": [{"text": "and?"}]}], "turnComplete": true}}));
    assert_eq!(said, [(DeltaKind::Said, "and?".to_owned())]);
    assert!(!run.decoder.ended() && !run.decoder.whole());
    run.feed(Payload::Message(text("!").to_string().as_bytes()));
    run.feed(Payload::Message(content(json!({"turnComplete": true, "turnCompleteReason": "NEED_MORE_INPUT"})).to_string().as_bytes()));
    assert!(run.decoder.whole());
    assert_eq!(run.reply.finish.as_ref().unwrap().reason, "NEED_MORE_INPUT");
    let said = say(&mut run, &json!({"realtimeInput": {"text": "wait"}}));
    assert_eq!(said, [(DeltaKind::Said, "wait".to_owned())]);
    assert!(!run.decoder.ended());
}

#[test]
fn only_what_wants_a_reply_begins_a_turn() {
    let mut run = live(&[content(json!({"turnComplete": true}))]);
    for quiet in [
        json!({"clientContent": {"turns": [{"role": "user", "parts": [{"text": "hi"}]}]}}),
        json!({"realtimeInput": {"audio": {"data": "AAAA", "mimeType": "audio/pcm"}}}),
        json!({"setup": {}}),
        json!([1]),
    ] {
        assert!(say(&mut run, &quiet).is_empty());
        assert!(run.decoder.ended(), "{quiet}");
    }
    assert!(say(&mut run, &json!({"realtimeInput": {"activityEnd": {}}})).is_empty());
    assert!(!run.decoder.ended());
}

#[test]
fn where_the_status_is_told_a_turn_ends_when_idle() {
    let mut run = live(&[
        content(json!({"interactionStatus": "IN_PROGRESS", "modelTurn": {"parts": [{"text": "a"}]}})),
        content(json!({"turnComplete": true})),
    ]);
    assert!(!run.decoder.ended(), "more follows although the turn is complete");
    run.feed(Payload::Message(text("b").to_string().as_bytes()));
    run.feed(Payload::Message(content(json!({"turnComplete": true, "interactionStatus": "IDLE"})).to_string().as_bytes()));
    assert!(run.decoder.ended() && run.decoder.whole());
    assert_eq!(run.reply.text, "ab");
}

#[test]
fn calls_hand_the_turn_over_and_results_take_it_back() {
    let mut run = live(&[json!({
        "toolCall": {"functionCalls": [{"id": "f1", "name": "weather", "args": {"city": "Bern"}}, {"name": "now"}]},
        "usageMetadata": {"promptTokenCount": 1, "responseTokenCount": 1},
    })]);
    assert_eq!(run.calls(), [("f1", "weather", r#"{"city":"Bern"}"#), ("weir-call-2", "now", "{}")]);
    assert!(run.reply.usage.is_some() && run.decoder.ended() && run.decoder.whole());
    let said =
        say(&mut run, &json!({"toolResponse": {"functionResponses": [{"id": "f1", "name": "weather", "response": {"output": "3"}}]}}));
    assert_eq!(said.len(), 1);
    assert!(!run.decoder.ended());
    run.feed(Payload::Message(json!({"toolCall": {"functionCalls": [{"name": "now"}]}}).to_string().as_bytes()));
    assert_eq!(run.calls().len(), 3, "keys and ids go on from turn to turn");
    assert_eq!(run.calls()[2].0, "weir-call-3");
}

#[test]
fn speech_is_sound_and_its_transcript_text() {
    let run = live(&[
        content(json!({"modelTurn": {"parts": [{"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": "AAAAAAAA"}}]}})),
        content(json!({"outputTranscription": {"text": "Hi"}})),
        content(json!({"inputTranscription": {"text": "hello"}, "interrupted": true})),
    ]);
    assert_eq!(run.kinds(), [DeltaKind::Audio, DeltaKind::Text, DeltaKind::Control, DeltaKind::Control]);
    assert_eq!(run.deltas[0].part, r#"Media { media_type: "audio/pcm;rate=24000", bytes: 6, ms: Some(0.125), base64: true }"#);
    assert_eq!(run.words()[2..], ["inputTranscription hello", "interrupted"]);
}

#[test]
fn the_sessions_own_events_are_named() {
    let run = live(&[
        json!({"setupComplete": {"sessionId": "s"}}),
        json!({"sessionResumptionUpdate": {"newHandle": "h1", "resumable": true}}),
        json!({"sessionResumptionUpdate": {}}),
        json!({"goAway": {"timeLeft": "10s"}}),
        json!({"toolCallCancellation": {"ids": ["f1", "f2"]}}),
        json!({"serverContent": {}}),
        json!({"somethingNew": {}}),
    ]);
    assert_eq!(
        run.words(),
        [
            "setupComplete",
            "sessionResumptionUpdate h1",
            "sessionResumptionUpdate, not resumable now",
            "goAway in 10s",
            "toolCallCancellation f1 f2",
            "serverContent",
            "somethingNew"
        ]
    );
    assert!(run.kinds().iter().all(|kind| *kind == DeltaKind::Control));
    assert!(!run.decoder.ended());
}

#[test]
fn errors_are_close_frames() {
    assert_eq!(GeminiLive.closed(1000, ""), None);
    let (code, words) = GeminiLive.closed(1007, "API key not valid. Please pass a valid API key.").unwrap();
    assert_eq!(code, "1007 INVALID_ARGUMENT");
    assert!(words.starts_with("API key not valid. Please pass a valid API key. ("));
    assert!(GeminiLive.closed(1011, "").unwrap().1.contains("quota"));
    assert!(GeminiLive.closed(1008, "x").is_some() && GeminiLive.closed(4000, "x").is_none());
    // A refused handshake, and an error where none is to be expected.
    let mut refused = Run::new("gemini-live", 403);
    refused.feed(Payload::Body(br#"{"error":{"code":403,"message":"No.","status":"PERMISSION_DENIED"}}"#));
    assert_eq!(refused.reply.error.unwrap(), ("PERMISSION_DENIED".into(), "No.".into()));
    let odd = live(&[json!({"error": {"code": 500, "message": "Oh.", "status": "INTERNAL"}})]);
    assert!(odd.reply.error.is_some() && odd.decoder.ended() && !odd.decoder.whole());
    let other = live(&[json!({"type": "response.created", "response": {}}), json!([]), json!("x")]);
    assert!(other.kinds().iter().all(|kind| *kind == DeltaKind::Unknown));
}

#[test]
fn the_set_up_goes_first_and_the_rest_waits() {
    let mut question = Ask { model: "gemini-live-2.5-flash".into(), system: "Be brief.".into(), ..ask("hi") };
    question.params.extra =
        serde_json::from_value(json!({"setup": {"generationConfig": {"responseModalities": ["AUDIO"]}, "outputAudioTranscription": {}}}))
            .unwrap();
    let call = GeminiLive.call(&question, WS, "https://generativelanguage.googleapis.com", false, "x-goog-api-key: {key}").unwrap();
    assert_eq!(
        call.url,
        "wss://generativelanguage.googleapis.com/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
    );
    assert_eq!(call.headers[0].name, "x-goog-api-key");
    let values: Vec<Value> = call.messages.iter().map(|message| serde_json::from_str(&message.text).unwrap()).collect();
    assert_eq!(
        values,
        [
            json!({"setup": {
                "model": "models/gemini-live-2.5-flash", "generationConfig": {"responseModalities": ["AUDIO"]},
                "systemInstruction": {"parts": [{"text": "Be brief."}]}, "outputAudioTranscription": {},
            }}),
            json!({"clientContent": {"turns": [{"role": "user", "parts": [{"text": "hi"}]}], "turnComplete": true}}),
        ]
    );
    assert_eq!((call.messages[0].after.as_deref(), call.messages[1].after.as_deref()), (None, Some("setupComplete")));
    let vertex = "projects/p/locations/l/publishers/google/models/m";
    let call = GeminiLive
        .call(&Ask { model: vertex.into(), ..ask("hi") }, WS, "wss://h/ws/x.LlmBidiService/BidiGenerateContent", true, "")
        .unwrap();
    assert_eq!(call.url, "wss://h/ws/x.LlmBidiService/BidiGenerateContent");
    assert!(call.messages[0].text.contains(vertex));

    let raw = Ask { raw_body: Some("{\"setup\":{\"model\":\"m\"}}\n{\"realtimeInput\":{\"text\":\"x\"}}".into()), ..question };
    let call = GeminiLive.call(&raw, WS, "https://h", false, "").unwrap();
    assert_eq!(
        call.messages,
        [Outgoing::text(r#"{"setup":{"model":"m"}}"#), Outgoing::after("setupComplete", r#"{"realtimeInput":{"text":"x"}}"#)]
    );
}

#[test]
fn a_later_turn_is_what_is_new() {
    assert!(GeminiLive.persistent(WS));
    let mut question = ask("hi");
    question.messages.extend([Message::new(Role::Assistant, "Hello"), Message::new(Role::User, "and?")]);
    let sent = |ask: &Ask| -> Vec<Value> {
        let outgoing = GeminiLive.turn(ask, WS, None).unwrap();
        outgoing.iter().map(|message| serde_json::from_str(&message.text).unwrap()).collect()
    };
    assert_eq!(
        sent(&question),
        [json!({"clientContent": {"turns": [{"role": "user", "parts": [{"text": "and?"}]}], "turnComplete": true}})]
    );
    let called = ToolCall { id: "f1".into(), name: "weather".into(), arguments: "{}".into(), signature: None };
    question.messages.push(Message { tool_calls: vec![called], ..Message::new(Role::Assistant, "") });
    question.messages.push(Message { tool_call_id: Some("f1".into()), ..Message::new(Role::Tool, "3") });
    assert_eq!(
        sent(&question),
        [json!({"toolResponse": {"functionResponses": [{"id": "f1", "name": "weather", "response": {"output": "3"}}]}})]
    );
    for event in GeminiLive.client_events(WS) {
        let value: Value = serde_json::from_str(event.template).unwrap();
        assert_eq!(value.as_object().unwrap().len(), 1, "{}", event.name);
        assert!(event.name.starts_with(value.as_object().unwrap().keys().next().unwrap().as_str()));
    }
}

#[test]
fn what_a_live_session_has_not_is_said_before() {
    let mut question = Ask { output: Some(Output { name: String::new(), schema: None }), ..ask("hi") };
    question.params.stop = vec!["x".into()];
    question.tools = vec![Tool { name: "t".into(), description: String::new(), parameters: json!({}) }];
    question.params.tool_choice = Some("required".into());
    let found = GeminiLive.check(&question, WS);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(matches!(GeminiLive.call(&ask("hi"), Transport::Sse, "https://h", false, ""), Err(AskError::Transport { .. })));
    assert!(matches!(GeminiLive.check(&Ask { raw_body: Some("1".into()), ..ask("") }, WS)[..], [AskError::Body(_)]));
}

fn written(ask: &Ask) -> Vec<Value> {
    super::body::build(ask).into_iter().map(Value::Object).collect()
}

fn lines(messages: &[Value]) -> String {
    messages.iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
}

proptest! {
    #[test]
    fn whatever_is_built_is_read_and_built_again(
        texts in prop::collection::vec(".{0,6}", 0..4), system in ".{0,3}", temperature in prop::option::of(0..16_i32), audio in any::<bool>(),
    ) {
        let messages = texts.into_iter().enumerate().map(|(at, text)| Message::new(if at % 2 == 0 { Role::User } else { Role::Assistant }, text)).collect();
        let mut question = Ask { model: "a/b".into(), system, messages, ..Ask::default() };
        question.params.temperature = temperature.map(|eighths| f64::from(eighths) / 8.0);
        if audio {
            question.params.extra = serde_json::from_value(json!({"setup": {"generationConfig": {"responseModalities": ["AUDIO"]}, "x": 1}})).unwrap();
        }
        let built = written(&question);
        let read = GeminiLive.read(&lines(&built), "", WS).unwrap();
        prop_assert_eq!(&written(&read), &built);
        prop_assert_eq!(read.model, "a/b");
        prop_assert_eq!(read.params.extra, question.params.extra);
    }
}

#[test]
fn other_messages_are_not_read() {
    for body in [
        r#"{"setup":{"model":"models/m"}}"#,
        r#"{"setup":{"model":"models/m","generationConfig":{"stopSequences":["x"],"responseMimeType":"application/json","responseModalities":["TEXT"]},"toolConfig":{}}}"#,
        r#"{"clientContent":{}}"#,
        r#"{"setup":{"model":"models/m","generationConfig":{"responseModalities":["TEXT"]}}} {"realtimeInput":{"text":"x"}}"#,
        r#"{"setup":{"model":"models/m","generationConfig":{"responseModalities":["TEXT"]}}} {"clientContent":{"turns":[]}}"#,
    ] {
        if let Some(read) = GeminiLive.read(body, "", WS) {
            let again = crate::messages::read(&lines(&written(&read))).unwrap();
            assert_eq!(again, crate::messages::read(body).unwrap(), "{body}");
        }
    }
}
