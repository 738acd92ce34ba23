use proptest::prelude::*;
use serde_json::{Value, json};

use crate::openai_chat::tests::{sent, text};
use crate::tests::{Run, ask, body};
use crate::{Ask, Attachment, DeltaKind, Dialect, Message, Output, Payload, Role, Source, Tool, ToolCall, Transport, Usage};

use super::Ollama;

const ID: &str = "ollama";

fn lines(lines: &[&str]) -> Run {
    let mut run = Run::new(ID, 200);
    for line in lines {
        run.feed(Payload::Line(line.as_bytes()));
    }
    run
}

#[test]
fn a_plain_stream() {
    let run = lines(&[
        r#"{"model":"m","created_at":"2026-11-01T00:00:00Z","message":{"role":"assistant","content":"","thinking":"hm"},"done":false}"#,
        r#"{"model":"m","created_at":"…","message":{"role":"assistant","content":"Hi \"you\""},"done":false}"#,
        r#"{"model":"m","created_at":"…","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":2500000,"load_duration":1000000,"prompt_eval_count":9,"prompt_eval_duration":500000,"eval_count":3,"eval_duration":1000000}"#,
    ]);
    assert_eq!((run.reply.reasoning.as_str(), run.reply.text.as_str()), ("hm", "Hi \"you\""));
    assert_eq!(run.reply.finish.as_ref().unwrap().reason, "stop");
    let usage = Usage { input_tokens: Some(9), output_tokens: Some(3), output_includes_reasoning: Some(true), ..Usage::default() };
    assert_eq!(run.reply.usage, Some(usage));
    assert!(run.words().contains(&"load 1.000 ms, prompt 0.500 ms, reply 1.000 ms, total 2.500 ms"), "{:?}", run.words());
    assert!(run.reply.ended && run.decoder.whole() && run.decoder.ended());
}

#[test]
fn counts_of_zero_are_left_out() {
    let run = lines(&[r#"{"message":{"content":"a"},"done":true,"done_reason":"stop","eval_count":1}"#]);
    let usage = run.reply.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens), (None, Some(1)));
    // A model that was only loaded or unloaded.
    let run = lines(&[r#"{"model":"m","created_at":"…","message":{"role":"assistant","content":""},"done":true,"done_reason":"unload"}"#]);
    assert_eq!((run.reply.usage.clone(), run.reply.finish.as_ref().unwrap().reason.as_str()), (None, "unload"));
    assert!(run.decoder.whole());
}

#[test]
fn tool_calls_come_whole_long_before_the_end_and_mostly_without_ids() {
    let run = lines(&[
        r#"{"message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"x": [1, 2]}}},{"id":"call_abc","function":{"index":1,"name":"g","arguments":{}}}]},"done":false}"#,
        r#"{"message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"x":3}}}]},"done":false}"#,
        r#"{"message":{"role":"assistant","content":""},"done":false}"#,
        r#"{"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}"#,
    ]);
    assert_eq!(run.calls(), [("call_0", "f", r#"{"x": [1, 2]}"#), ("call_abc", "g", "{}"), ("call_2", "f", r#"{"x":3}"#)]);
    assert!(run.words().contains(&"empty"));
}

#[test]
fn an_error_in_the_middle_ends_it_without_done() {
    let run = lines(&[r#"{"message":{"content":"a"},"done":false}"#, r#"{"error":"model runner has unexpectedly stopped"}"#]);
    assert_eq!(run.reply.error, Some((String::new(), "model runner has unexpectedly stopped".to_owned())));
    assert!(!run.decoder.whole() && !run.decoder.ended());
    let run = body(ID, 401, r#"{"error":"unauthorized","signin_url":"https://ollama.com/connect"}"#);
    assert_eq!(run.reply.error.as_ref().unwrap().1, "unauthorized");
    assert_eq!(run.words(), ["unauthorized", "sign in at https://ollama.com/connect"]);
    assert_eq!(
        body(ID, 404, r#"{"error":"model \"m\" not found, try pulling it first"}"#).reply.error.unwrap().1,
        "model \"m\" not found, try pulling it first"
    );
    assert_eq!(body(ID, 200, "<html><title>Sign in</title>").reply.error.unwrap().1, "Sign in");
}

#[test]
fn without_done_a_stream_is_not_whole() {
    assert!(!lines(&[r#"{"message":{"content":"a"},"done":false}"#]).decoder.whole());
}

#[test]
fn a_generated_reply_and_a_whole_one() {
    let run = lines(&[
        r#"{"model":"m","created_at":"…","response":"","thinking":"hm","done":false}"#,
        r#"{"model":"m","created_at":"…","response":"a","done":false}"#,
        r#"{"model":"m","created_at":"…","response":"","done":true,"done_reason":"length","context":[1,2],"eval_count":2}"#,
    ]);
    assert_eq!((run.reply.reasoning.as_str(), run.reply.text.as_str(), run.decoder.whole()), ("hm", "a", true));
    let run = body(
        ID,
        200,
        r#"{"message":{"role":"assistant","content":"hi","tool_calls":[{"function":{"name":"f","arguments":{}}}]},"done":true,"done_reason":"stop","prompt_eval_count":1,"eval_count":2}"#,
    );
    assert_eq!((run.reply.text.as_str(), run.calls().len(), run.decoder.whole()), ("hi", 1, true));
}

#[test]
fn whatever_comes_is_shown() {
    for (data, kind, word) in [
        ("", DeltaKind::Unknown, "empty"),
        ("nonsense", DeltaKind::Unknown, "not JSON"),
        (r#"{"choices":[{"delta":{"content":"a"}}]}"#, DeltaKind::Unknown, "a JSON object with choices, not an Ollama reply"),
        ("data: {}", DeltaKind::Unknown, "not JSON: it looks like server-sent events"),
        ("[1]", DeltaKind::Unknown, "a JSON array of 1"),
        (r#"{"status":"pulling manifest","total":3}"#, DeltaKind::Control, "pulling manifest"),
        (r#"{"message":null,"done":false,"created_at":"x"}"#, DeltaKind::Control, "empty"),
        (r#"{"message":{"content":null,"tool_calls":[3]},"done":false}"#, DeltaKind::Control, "tool_calls"),
    ] {
        let run = lines(&[data]);
        assert_eq!(run.kinds(), [kind], "{data}");
        assert!(run.deltas[0].text.starts_with(word), "{data}: {}", run.deltas[0].text);
        assert!(!run.decoder.whole());
    }
}

fn full() -> Ask {
    let mut question = ask("look");
    question.system = "be brief".to_owned();
    question.messages[0].attachments.push(Attachment {
        media_type: "image/png".into(),
        name: String::new(),
        source: Source::Data("iVBORw0=".into()),
    });
    let call = |id: &str, name: &str| ToolCall { id: id.into(), name: name.into(), arguments: r#"{"q":1}"#.into(), signature: None };
    question.messages.push(Message {
        tool_calls: vec![call("call_0", "f"), call("call_abc", "g")],
        reasoning: Some("hm".into()),
        ..Message::new(Role::Assistant, "")
    });
    question.messages.push(Message { tool_call_id: Some("call_0".into()), ..Message::new(Role::Tool, "42") });
    question.messages.push(Message { tool_call_id: Some("call_abc".into()), ..Message::new(Role::Tool, "43") });
    question.tools.push(Tool { name: "f".into(), description: "d".into(), parameters: json!({"type": "object"}) });
    let params = &mut question.params;
    (params.temperature, params.top_p, params.max_tokens, params.seed) = (Some(0.5), Some(1.0), Some(7), Some(-1));
    params.stop = vec!["x".into()];
    params.reasoning = Some("high".into());
    params.extra = json!({"keep_alive": "5m", "options": {"num_ctx": 4096}}).as_object().unwrap().clone();
    question.output = Some(Output { name: String::new(), schema: Some(json!({"type": "object"})) });
    question
}

#[test]
fn what_is_sent() {
    let call = Ollama.call(&full(), Transport::Ndjson, "http://localhost:11434/", false, "Authorization: Bearer {key}").unwrap();
    assert_eq!(call.url, "http://localhost:11434/api/chat");
    assert_eq!(
        serde_json::from_str::<Value>(&call.body).unwrap(),
        json!({
            "model": "m",
            "messages": [
                {"role": "system", "content": "be brief"},
                {"role": "user", "content": "look", "images": ["iVBORw0="]},
                {"role": "assistant", "content": "", "thinking": "hm", "tool_calls": [
                    {"function": {"name": "f", "arguments": {"q": 1}}},
                    {"id": "call_abc", "function": {"name": "g", "arguments": {"q": 1}}},
                ]},
                {"role": "tool", "content": "42", "tool_name": "f"},
                {"role": "tool", "content": "43", "tool_name": "g", "tool_call_id": "call_abc"},
            ],
            "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}],
            "think": "high",
            "format": {"type": "object"},
            "options": {"temperature": 0.5, "top_p": 1, "num_predict": 7, "seed": -1, "stop": ["x"], "num_ctx": 4096},
            "keep_alive": "5m",
        })
    );
    // The default on the wire is to stream, so it is HTTP that must say so.
    let whole = Ollama.call(&ask("hi"), Transport::Http, "https://ollama.com/api", false, "").unwrap();
    assert_eq!(
        (whole.url.as_str(), whole.body.as_str()),
        ("https://ollama.com/api/chat", r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":false}"#)
    );
    let generate = Ollama.call(&ask("hi"), Transport::Ndjson, "http://h/api/generate", true, "").unwrap();
    assert_eq!((generate.url.as_str(), generate.body.as_str()), ("http://h/api/generate", r#"{"model":"m","prompt":"hi"}"#));
    assert!(Ollama.call(&full(), Transport::Ndjson, "http://h/api/generate", true, "").is_err());
}

#[test]
fn what_cannot_be_asked_is_said_before() {
    let refused = |question: &Ask| Ollama.check(question, Transport::Ndjson).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(refused(&full()), Vec::<String>::new());
    let mut question = full();
    question.params.reasoning = Some("minimal".into());
    question.params.tool_choice = Some("f".into());
    question.messages[0].attachments.push(Attachment {
        media_type: "image/png".into(),
        name: String::new(),
        source: Source::Url("https://h/x.png".into()),
    });
    question.messages[0].attachments.push(Attachment {
        media_type: "application/pdf".into(),
        name: String::new(),
        source: Source::Data("AA==".into()),
    });
    question.messages[1].tool_calls[0].arguments = "[1]".into();
    let found = refused(&question);
    assert_eq!(found.len(), 5, "{found:?}");
    question.raw_body = Some("{}".into());
    assert_eq!(refused(&question), Vec::<String>::new());
}

/// Reading a body and building it again must give an equal one.
fn round(value: &Value, transport: Transport) -> Option<Ask> {
    let read = Ollama.read(&value.to_string(), "http://h/api/chat", transport)?;
    let built = Ollama.call(&read, transport, "http://h", false, "").unwrap().body;
    assert_eq!(serde_json::from_str::<Value>(&built).unwrap(), *value);
    Some(read)
}

#[test]
fn a_body_is_read_back() {
    for transport in [Transport::Ndjson, Transport::Http] {
        let body = Ollama.call(&full(), transport, "http://h", false, "").unwrap().body;
        let read = round(&serde_json::from_str(&body).unwrap(), transport).unwrap();
        assert_eq!(read, full());
    }
    let read = round(
        &json!({"model": "m", "stream": true, "think": true, "format": "json", "options": {"temperature": 0.0, "top_k": 3}, "messages": [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {}}}, {"function": {"name": "f", "arguments": {}}}]},
            {"role": "tool", "content": "1", "tool_name": "f"},
            {"role": "tool", "content": "2", "tool_name": "f"},
        ]}),
        Transport::Ndjson,
    )
    .unwrap();
    assert_eq!(read.messages[3].tool_call_id.as_deref(), Some("call_1"));
    assert_eq!(read.params.reasoning.as_deref(), Some("true"));
    assert_eq!(read.params.extra["options"], json!({"temperature": 0.0, "top_k": 3}));
    let read = Ollama.read(r#"{"model":"m","prompt":"hi","system":"s","suffix":"x"}"#, "http://h/api/generate", Transport::Ndjson).unwrap();
    assert_eq!((read.system.as_str(), read.messages[0].text.as_str(), &read.params.extra["suffix"]), ("s", "hi", &json!("x")));
    for other in [json!({"model": "m"}), json!({"messages": []})] {
        assert!(round(&other, Transport::Ndjson).is_none(), "{other}");
    }
    assert!(Ollama.read("[]", "", Transport::Ndjson).is_none());
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(texts in proptest::collection::vec((text(), any::<bool>(), any::<bool>()), 0..8), calls in proptest::collection::vec(text(), 0..4), counts in (1_u64..1 << 60, 1_u64..1 << 60)) {
        let mut run = Run::new(ID, 200);
        let (mut reply, mut reasoning) = (String::new(), String::new());
        for (text, thought, ascii) in &texts {
            let name = if *thought { reasoning.push_str(text); "thinking" } else { reply.push_str(text); "content" };
            run.feed(Payload::Line(format!(r#"{{"message":{{"role":"assistant","{name}":{}}},"done":false}}"#, sent(text, *ascii)).as_bytes()));
        }
        let arguments: Vec<String> = calls.iter().map(|text| json!({ "q": text }).to_string()).collect();
        for arguments in &arguments {
            run.feed(Payload::Line(format!(r#"{{"message":{{"tool_calls":[{{"function":{{"name":"f","arguments":{arguments}}}}}]}},"done":false}}"#).as_bytes()));
        }
        run.feed(Payload::Line(json!({"done": true, "done_reason": "stop", "prompt_eval_count": counts.0, "eval_count": counts.1}).to_string().as_bytes()));
        prop_assert_eq!(&run.reply.text, &reply);
        prop_assert_eq!(&run.reply.reasoning, &reasoning);
        prop_assert_eq!(run.calls().into_iter().map(|(_, _, arguments)| arguments.to_owned()).collect::<Vec<_>>(), arguments);
        let usage = run.reply.usage.clone().unwrap();
        prop_assert_eq!((usage.input_tokens, usage.output_tokens), (Some(counts.0), Some(counts.1)));
        prop_assert!(run.decoder.whole());
    }

    #[test]
    fn nothing_panics_and_everything_is_told(bytes in proptest::collection::vec(any::<u8>(), 0..200), code in prop_oneof![Just(200_u16), Just(500)]) {
        let mut run = Run::new(ID, code);
        let mut told = 0;
        run.decoder.payload(Payload::Line(&bytes), &mut |_| told += 1);
        prop_assert!(told > 0);
    }
}
