use proptest::prelude::*;
use serde_json::{Value, json};

use crate::openai_chat::tests::{sent, text};
use crate::tests::{Run, ask, body, stream};
use crate::{Attachment, DeltaKind, Dialect, Message, Payload, Role, Source, Transport};

use super::AiSdkUi;

const ID: &str = "ai-sdk-ui";

#[test]
fn a_stream_of_several_parts() {
    let run = stream(
        ID,
        &[
            r#"{"type":"start","messageId":"msg_1"}"#,
            r#"{"type":"start-step"}"#,
            r#"{"type":"reasoning-start","id":"r1"}"#,
            r#"{"type":"reasoning-delta","id":"r1","delta":"hm"}"#,
            r#"{"type":"text-start","id":"t1"}"#,
            r#"{"type":"text-delta","id":"t1","delta":"Hi \"you\""}"#,
            r#"{"type":"reasoning-end","id":"r1"}"#,
            r#"{"type":"tool-input-start","toolCallId":"a","toolName":"f"}"#,
            r#"{"type":"tool-input-start","toolCallId":"b","toolName":"g"}"#,
            r#"{"type":"tool-input-delta","toolCallId":"b","inputTextDelta":"{"}"#,
            r#"{"type":"tool-input-delta","toolCallId":"a","inputTextDelta":"{\"q\":"}"#,
            r#"{"type":"tool-input-delta","toolCallId":"b","inputTextDelta":"}"}"#,
            r#"{"type":"tool-input-delta","toolCallId":"a","inputTextDelta":"1}"}"#,
            r#"{"type":"tool-input-available","toolCallId":"a","toolName":"f","input":{"q":1}}"#,
            r#"{"type":"tool-input-available","toolCallId":"c","toolName":"h","input":{"x": [2]}}"#,
            r#"{"type":"tool-output-available","toolCallId":"a","output":{"ok":true}}"#,
            r#"{"type":"tool-output-error","toolCallId":"c","errorText":"no"}"#,
            r#"{"type":"data-weather","id":"d","data":{},"transient":true}"#,
            r#"{"type":"text-end","id":"t1"}"#,
            r#"{"type":"finish-step"}"#,
            r#"{"type":"finish","finishReason":"tool-calls","messageMetadata":{"totalUsage":{"inputTokens":9,"outputTokens":3,"totalTokens":12,"reasoningTokens":1,"cachedInputTokens":0}}}"#,
            "[DONE]",
        ],
    );
    assert_eq!((run.reply.reasoning.as_str(), run.reply.text.as_str(), run.reply.id.as_deref()), ("hm", "Hi \"you\"", Some("msg_1")));
    assert_eq!(run.calls(), [("a", "f", r#"{"q":1}"#), ("b", "g", "{}"), ("c", "h", r#"{"x": [2]}"#)]);
    assert_eq!(run.reply.finish.as_ref().unwrap().reason, "tool-calls");
    let usage = run.reply.usage.clone().unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.reasoning_tokens), (Some(9), Some(3), Some(1)));
    assert!(run.words().contains(&"tool-output-error: no") && run.words().contains(&"data-weather"));
    assert!(run.reply.ended && run.decoder.whole() && run.decoder.ended());
}

#[test]
fn errors_and_aborts_in_the_middle() {
    for (part, code, message) in [
        (r#"{"type":"error","errorText":"An error occurred."}"#, "", "An error occurred."),
        (r#"{"type":"abort","reason":"user"}"#, "abort", "user"),
        (r#"{"type":"abort"}"#, "abort", "the reply was aborted"),
    ] {
        let run = stream(ID, &[r#"{"type":"text-delta","id":"t","delta":"a"}"#, part, "[DONE]"]);
        assert_eq!(run.reply.error, Some((code.to_owned(), message.to_owned())), "{part}");
        assert!(!run.decoder.whole() && run.decoder.ended());
    }
    assert_eq!(body(ID, 500, "Internal Server Error").reply.error.unwrap().1, "Internal Server Error");
}

#[test]
fn without_done_a_stream_is_not_whole() {
    assert!(!stream(ID, &[r#"{"type":"finish"}"#]).decoder.whole());
}

#[test]
fn whatever_comes_is_shown() {
    for (data, kind, word) in [
        ("", DeltaKind::Unknown, "empty"),
        // The data stream of version 4.
        (r#"0:"text""#, DeltaKind::Unknown, "not JSON"),
        (r#"{"type":"text-delta","id":"t","delta":""}"#, DeltaKind::Control, "text-delta"),
        (r#"{"type":"source-url","sourceId":"s","url":"https://h"}"#, DeltaKind::Control, "source-url"),
        (r#"{"type":"message_start","message":{}}"#, DeltaKind::Unknown, "message_start, a part"),
        (r#"{"choices":[]}"#, DeltaKind::Unknown, "a JSON object with choices, not a part"),
        (r#"{"error":{"message":"gone"}}"#, DeltaKind::Error, "gone"),
    ] {
        let run = stream(ID, &[data]);
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
        name: "a.png".into(),
        source: Source::Data("AA==".into()),
    });
    question.messages.push(Message { reasoning: Some("hm".into()), ..Message::new(Role::Assistant, "so") });
    question.messages.push(Message::new(Role::User, "and?"));
    question.params.extra = json!({"id": "chat-7", "webSearch": true}).as_object().unwrap().clone();
    let call = AiSdkUi.call(&question, Transport::Sse, "http://h/app", false, "").unwrap();
    assert_eq!(call.url, "http://h/app/api/chat");
    let body: Value = serde_json::from_str(&call.body).unwrap();
    assert_eq!(
        body,
        json!({"id": "chat-7", "trigger": "submit-message", "model": "m", "webSearch": true, "messages": [
            {"id": "system", "role": "system", "parts": [{"type": "text", "text": "be brief"}]},
            {"id": "weir-0", "role": "user", "parts": [{"type": "file", "mediaType": "image/png", "url": "data:image/png;base64,AA==", "filename": "a.png"}, {"type": "text", "text": "hi"}]},
            {"id": "weir-1", "role": "assistant", "parts": [{"type": "reasoning", "text": "hm"}, {"type": "text", "text": "so"}]},
            {"id": "weir-2", "role": "user", "parts": [{"type": "text", "text": "and?"}]},
        ]})
    );
    assert_eq!(AiSdkUi.read(&call.body, "", Transport::Sse), Some(question.clone()));
    for other in [
        "{}",
        "[]",
        r#"{"messages":[{"role":"user","content":"hi"}]}"#,
        r#"{"id":"c","trigger":"t","messages":[{"id":"own","role":"user","parts":[{"type":"text","text":"hi"}]}]}"#,
    ] {
        assert!(AiSdkUi.read(other, "", Transport::Sse).is_none(), "{other}");
    }
    question.params.temperature = Some(1.0);
    question.messages.push(Message { tool_call_id: Some("a".into()), ..Message::new(Role::Tool, "") });
    assert_eq!(AiSdkUi.check(&question, Transport::Sse).len(), 2);
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(texts in proptest::collection::vec((text(), any::<bool>(), any::<bool>()), 0..8), arguments in proptest::collection::vec((0_u64..3, text()), 0..6)) {
        let mut run = Run::new(ID, 200);
        let (mut reply, mut reasoning) = (String::new(), String::new());
        for (text, thought, ascii) in &texts {
            let kind = if *thought { reasoning.push_str(text); "reasoning" } else { reply.push_str(text); "text" };
            run.feed(Payload::Event { event: "message", data: &format!(r#"{{"type":"{kind}-delta","id":"1","delta":{}}}"#, sent(text, *ascii)) });
        }
        let mut calls: Vec<(u64, String)> = Vec::new();
        for (index, text) in &arguments {
            run.feed(Payload::Event { event: "message", data: &format!(r#"{{"type":"tool-input-delta","toolCallId":"{index}","inputTextDelta":{}}}"#, sent(text, true)) });
            match calls.iter_mut().find(|(known, _)| known == index) {
                Some((_, known)) => known.push_str(text),
                None => calls.push((*index, text.clone())),
            }
        }
        run.feed(Payload::Event { event: "message", data: "[DONE]" });
        prop_assert_eq!(&run.reply.text, &reply);
        prop_assert_eq!(&run.reply.reasoning, &reasoning);
        let told: Vec<&str> = run.calls().into_iter().map(|(_, _, arguments)| arguments).collect();
        prop_assert_eq!(told, calls.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>());
        prop_assert!(run.decoder.whole());
    }

    #[test]
    fn nothing_panics_and_everything_is_told(bytes in proptest::collection::vec(any::<u8>(), 0..200), code in prop_oneof![Just(200_u16), Just(500)]) {
        let mut run = Run::new(ID, code);
        let mut told = 0;
        run.decoder.payload(Payload::Message(&bytes), &mut |_| told += 1);
        prop_assert!(told > 0);
    }
}
