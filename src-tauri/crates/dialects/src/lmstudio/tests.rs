use proptest::prelude::*;
use serde_json::{Value, json};

use crate::openai_chat::tests::{sent, text};
use crate::tests::{Run, ask, body};
use crate::{Attachment, DeltaKind, Dialect, Message, Output, Payload, Role, Source, Transport};

use super::LmStudio;

const ID: &str = "lmstudio";

/// Events named in both places, as the server does.
fn events(events: &[Value]) -> Run {
    let mut run = Run::new(ID, 200);
    for event in events {
        run.feed(Payload::Event { event: event["type"].as_str().unwrap(), data: &event.to_string() });
    }
    run
}

fn end() -> Value {
    json!({"type": "chat.end", "result": {"model_instance_id": "m", "output": [{"type": "message", "content": "not told twice"}], "response_id": "resp_1",
        "stats": {"input_tokens": 9, "total_output_tokens": 3, "reasoning_output_tokens": 1, "tokens_per_second": 41.5}}})
}

#[test]
fn a_stream_with_a_tool() {
    let run = events(&[
        json!({"type": "chat.start", "model_instance_id": "m"}),
        json!({"type": "model_load.start", "model_instance_id": "m"}),
        json!({"type": "model_load.progress", "progress": 0.65}),
        json!({"type": "prompt_processing.progress", "progress": 0.5}),
        json!({"type": "reasoning.start"}),
        json!({"type": "reasoning.delta", "content": "hm"}),
        json!({"type": "reasoning.end"}),
        json!({"type": "tool_call.start", "tool": "f", "provider_info": {}}),
        json!({"type": "tool_call.arguments", "tool": "f", "arguments": {"q": 1}}),
        json!({"type": "tool_call.success", "tool": "f", "arguments": {"q": 1}, "output": "x"}),
        json!({"type": "tool_call.start", "tool": "g"}),
        json!({"type": "tool_call.arguments", "tool": "g", "arguments": {}}),
        json!({"type": "tool_call.failure", "reason": "no such tool", "metadata": {}}),
        json!({"type": "message.start"}),
        json!({"type": "message.delta", "content": "Hi \"you\""}),
        json!({"type": "message.end"}),
        end(),
    ]);
    assert_eq!((run.reply.reasoning.as_str(), run.reply.text.as_str(), run.reply.id.as_deref()), ("hm", "Hi \"you\"", Some("resp_1")));
    assert_eq!(run.calls(), [("", "f", r#"{"q":1}"#), ("", "g", "{}")]);
    let usage = run.reply.usage.clone().unwrap();
    assert_eq!(
        (usage.input_tokens, usage.output_tokens, usage.reasoning_tokens, usage.output_includes_reasoning),
        (Some(9), Some(3), Some(1), Some(true))
    );
    for word in ["model_load.progress 0.65", "tool_call.failure: no such tool", "41.5 tokens/s, says the server"] {
        assert!(run.words().contains(&word), "{word}");
    }
    assert!(run.reply.ended && run.decoder.whole() && run.decoder.ended());
}

#[test]
fn the_end_still_follows_an_error() {
    let error = json!({"type": "error", "error": {"type": "invalid_request", "message": "\"model\" is required", "code": "missing_required_parameter", "param": "model"}});
    let run = events(&[json!({"type": "message.delta", "content": "a"}), error, end()]);
    assert_eq!(run.reply.error, Some(("missing_required_parameter".to_owned(), "\"model\" is required".to_owned())));
    assert!(run.decoder.ended() && !run.decoder.whole());
    let run = body(ID, 404, r#"{"error":{"type":"model_not_found","message":"no such model"}}"#);
    assert_eq!(run.reply.error, Some(("model_not_found".to_owned(), "no such model".to_owned())));
}

#[test]
fn without_the_end_a_stream_is_not_whole() {
    assert!(!events(&[json!({"type": "message.delta", "content": "a"}), json!({"type": "message.end"})]).decoder.whole());
}

#[test]
fn a_whole_reply() {
    let run = body(
        ID,
        200,
        r#"{"model_instance_id":"m","output":[{"type":"reasoning","content":"hm"},{"type":"tool_call","tool":"f","arguments":{"q":1},"output":"x"},{"type":"message","content":"a"},{"type":"new"}],"stats":{"input_tokens":1,"total_output_tokens":2},"response_id":"resp_1"}"#,
    );
    assert_eq!((run.reply.reasoning.as_str(), run.reply.text.as_str()), ("hm", "a"));
    assert_eq!(run.calls(), [("", "f", r#"{"q":1}"#)]);
    assert!(run.decoder.whole() && run.words().contains(&"new"));
}

#[test]
fn whatever_comes_is_shown() {
    for (data, kind, word) in [
        ("", DeltaKind::Unknown, "empty"),
        ("nonsense", DeltaKind::Unknown, "not JSON"),
        (r#"{"type":"message.delta","content":""}"#, DeltaKind::Control, "message.delta"),
        (r#"{"type":"content_block_delta","delta":{}}"#, DeltaKind::Unknown, "a JSON object with type, delta, not an LM Studio event"),
        (r#"{"choices":[]}"#, DeltaKind::Unknown, "a JSON object with choices"),
        (r#"{"error":"gone"}"#, DeltaKind::Error, "gone"),
        (r#"{"type":"error"}"#, DeltaKind::Error, ""),
    ] {
        let run = crate::tests::stream(ID, &[data]);
        assert_eq!(run.kinds(), [kind], "{data}");
        assert!(run.deltas[0].text.starts_with(word), "{data}: {}", run.deltas[0].text);
    }
}

#[test]
fn what_is_sent_and_read_back() {
    let mut question = ask("hi");
    question.system = "be brief".into();
    question.messages[0].attachments.push(Attachment {
        media_type: "image/png".into(),
        name: String::new(),
        source: Source::Data("AA==".into()),
    });
    (question.params.temperature, question.params.max_tokens, question.params.reasoning) = (Some(0.0), Some(7), Some("low".into()));
    question.params.extra = json!({"context_length": 8000}).as_object().unwrap().clone();
    for transport in [Transport::Sse, Transport::Http] {
        let call = LmStudio.call(&question, transport, "http://localhost:1234", false, "").unwrap();
        assert_eq!(call.url, "http://localhost:1234/api/v1/chat");
        let mut expected = json!({"model": "m", "input": [{"type": "message", "content": "hi"}, {"type": "image", "data_url": "data:image/png;base64,AA=="}],
            "system_prompt": "be brief", "temperature": 0, "max_output_tokens": 7, "reasoning": "low", "context_length": 8000});
        if transport == Transport::Sse {
            expected["stream"] = json!(true);
        }
        assert_eq!(serde_json::from_str::<Value>(&call.body).unwrap(), expected);
        assert_eq!(LmStudio.read(&call.body, "", transport), Some(question.clone()));
    }
    assert!(LmStudio.call(&ask("hi"), Transport::Http, "http://h", false, "").unwrap().body.contains(r#""input":"hi""#));
    for other in ["{}", "[]", r#"{"model":"m","input":[{"type":"sound"}],"stream":true}"#, r#"{"model":"m","input":"hi"}"#] {
        assert!(LmStudio.read(other, "", Transport::Sse).is_none(), "{other}");
    }
    question.messages.push(Message::new(Role::Assistant, "a"));
    question.output = Some(Output { name: String::new(), schema: None });
    question.params.seed = Some(1);
    question.params.reasoning = Some("max".into());
    assert_eq!(LmStudio.check(&question, Transport::Sse).len(), 4);
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(texts in proptest::collection::vec((text(), any::<bool>(), any::<bool>()), 0..8)) {
        let mut run = Run::new(ID, 200);
        let (mut reply, mut reasoning) = (String::new(), String::new());
        for (text, thought, ascii) in &texts {
            let kind = if *thought { reasoning.push_str(text); "reasoning.delta" } else { reply.push_str(text); "message.delta" };
            run.feed(Payload::Event { event: kind, data: &format!(r#"{{"type":"{kind}","content":{}}}"#, sent(text, *ascii)) });
        }
        run.feed(Payload::Event { event: "chat.end", data: &end().to_string() });
        prop_assert_eq!(&run.reply.text, &reply);
        prop_assert_eq!(&run.reply.reasoning, &reasoning);
        prop_assert!(run.decoder.whole());
    }

    #[test]
    fn nothing_panics_and_everything_is_told(bytes in proptest::collection::vec(any::<u8>(), 0..200), code in prop_oneof![Just(200_u16), Just(500)]) {
        let mut run = Run::new(ID, code);
        let mut told = 0;
        run.decoder.payload(Payload::Body(&bytes), &mut |_| told += 1);
        prop_assert!(told > 0);
    }
}
