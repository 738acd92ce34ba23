use proptest::prelude::*;
use serde_json::{Value, json};

use crate::openai_chat::tests::{sent, text};
use crate::tests::{Run, ask, body};
use crate::{Ask, AskError, Attachment, DeltaKind, Dialect, Message, Output, Payload, Role, Source, Tool, ToolCall, Transport, Usage};

use super::BedrockConverse;

const ID: &str = "bedrock-converse";
const AWS: &str = "https://bedrock-runtime.eu-west-1.amazonaws.com";

fn event<'a>(name: &'a str, data: &'a str) -> Payload<'a> {
    Payload::Record { kind: "event", name, data: data.as_bytes() }
}

fn events(events: &[(&str, &str)]) -> Run {
    let mut run = Run::new(ID, 200);
    for (name, data) in events {
        run.feed(event(name, data));
    }
    run
}

#[test]
fn a_stream_of_reasoning_text_and_a_call() {
    let run = events(&[
        ("messageStart", r#"{"role":"assistant","p":"abc"}"#),
        // Reasoning and text begin with their first piece; only some peers send an empty start.
        ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"hm"}}}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"c2lnbg=="}}}"#),
        ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
        ("contentBlockStart", r#"{"contentBlockIndex":1,"start":{}}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":1,"delta":{"text":"Hi \"you\""},"p":"abcdef"}"#),
        ("contentBlockStop", r#"{"contentBlockIndex":1}"#),
        ("contentBlockStart", r#"{"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"tooluse_1","name":"f"}}}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":2,"delta":{"toolUse":{"input":""}}}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":2,"delta":{"toolUse":{"input":"{\"q\":"}}}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":2,"delta":{"toolUse":{"input":"1}"}}}"#),
        ("contentBlockStop", r#"{"contentBlockIndex":2}"#),
        ("messageStop", r#"{"stopReason":"tool_use"}"#),
    ]);
    assert_eq!((run.reply.reasoning.as_str(), run.reply.text.as_str()), ("hm", "Hi \"you\""));
    assert_eq!(run.reply.signature.as_deref(), Some("c2lnbg=="));
    assert_eq!(run.calls(), [("tooluse_1", "f", r#"{"q":1}"#)]);
    assert_eq!(run.reply.finish.as_ref().unwrap().reason, "tool_use");
    // The numbers come after the end: it is whole without them, but there is more to wait for.
    assert!(run.decoder.whole() && !run.decoder.ended() && run.reply.usage.is_none());
    let mut run = run;
    run.feed(event("metadata", r#"{"usage":{"inputTokens":9,"outputTokens":3,"totalTokens":16,"cacheReadInputTokens":4,"cacheWriteInputTokens":0},"metrics":{"latencyMs":1234}}"#));
    let usage = Usage {
        input_tokens: Some(9),
        output_tokens: Some(3),
        total_tokens: Some(16),
        cached_tokens: Some(4),
        cache_write_tokens: Some(0),
        input_includes_cached: Some(false),
        ..Usage::default()
    };
    assert_eq!(run.reply.usage, Some(usage));
    assert!(run.words().contains(&"latency 1234 ms") && run.reply.ended && run.decoder.whole() && run.decoder.ended());
}

#[test]
fn blocks_may_interleave() {
    let run = events(&[
        ("contentBlockStart", r#"{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"a","name":"f"}}}"#),
        ("contentBlockStart", r#"{"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"b","name":"g"}}}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":1,"delta":{"toolUse":{"input":"2"}}}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"toolUse":{"input":"1"}}}"#),
        ("contentBlockDelta", r#"{"contentBlockIndex":1,"delta":{"toolUse":{"input":"3"}}}"#),
    ]);
    assert_eq!(run.calls(), [("a", "f", "1"), ("b", "g", "23")]);
    assert!(!run.decoder.whole());
}

#[test]
fn exceptions_and_errors_end_it() {
    let mut run = events(&[("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":"a"}}"#)]);
    run.feed(Payload::Record { kind: "exception", name: "throttlingException", data: br#"{"message":"Too many tokens, please wait"}"# });
    assert_eq!(run.reply.error, Some(("throttlingException".to_owned(), "Too many tokens, please wait".to_owned())));
    assert!(!run.decoder.whole());
    let mut run = Run::new(ID, 200);
    run.feed(Payload::Record { kind: "exception", name: "modelStreamErrorException", data: b"" });
    assert_eq!(run.reply.error.unwrap().0, "modelStreamErrorException");
    let mut run = Run::new(ID, 200);
    run.feed(Payload::Record { kind: "error", name: "InternalError", data: "An internal server error occurred".as_bytes() });
    assert_eq!(run.reply.error, Some(("InternalError".to_owned(), "An internal server error occurred".to_owned())));
    // An exception after the end still makes it no whole reply.
    let mut run = events(&[("messageStop", r#"{"stopReason":"end_turn"}"#)]);
    run.feed(Payload::Record { kind: "exception", name: "internalServerException", data: b"{}" });
    assert!(!run.decoder.whole());
}

#[test]
fn error_bodies() {
    for (text, code, message) in [
        (
            r#"{"message":"The security token included in the request is invalid."}"#,
            "",
            "The security token included in the request is invalid.",
        ),
        (
            r#"{"Message":"Authentication failed: Please make sure your API Key is valid."}"#,
            "",
            "Authentication failed: Please make sure your API Key is valid.",
        ),
        (r#"{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"no"}"#, "AccessDeniedException", "no"),
        ("<html><head><title>403 Forbidden</title>", "", "403 Forbidden"),
        ("", "", "HTTP 403 with an empty body"),
    ] {
        let run = body(ID, 403, text);
        assert_eq!(run.reply.error, Some((code.to_owned(), message.to_owned())), "{text}");
        assert!(!run.decoder.whole());
    }
    assert_eq!(body(ID, 200, "<html><title>Sign in</title>").reply.error.unwrap().1, "Sign in");
}

#[test]
fn a_whole_reply() {
    let run = body(
        ID,
        200,
        r#"{"output":{"message":{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm","signature":"s"}}},{"text":"a"},{"toolUse":{"toolUseId":"t","name":"f","input":{"q": 1}}},{"text":"b"}]}},"stopReason":"tool_use","usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3},"metrics":{"latencyMs":7}}"#,
    );
    assert_eq!((run.reply.reasoning.as_str(), run.reply.text.as_str(), run.reply.signature.as_deref()), ("hm", "ab", Some("s")));
    assert_eq!(run.calls(), [("t", "f", r#"{"q": 1}"#)]);
    assert_eq!(run.reply.usage.as_ref().unwrap().output_tokens, Some(2));
    assert!(run.decoder.whole() && run.decoder.ended());
}

#[test]
fn whatever_comes_is_shown() {
    for (name, data, kind, word) in [
        ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":""}}"#, DeltaKind::Control, "contentBlockDelta"),
        ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"citation":{"title":"x"}}}"#, DeltaKind::Control, "citation"),
        (
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"redactedContent":"AA=="}}}"#,
            DeltaKind::Control,
            "redactedContent",
        ),
        ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"sixthSense":1}}"#, DeltaKind::Control, "contentBlockDelta"),
        ("chunk", r#"{"bytes":"e30=","p":"x"}"#, DeltaKind::Control, "chunk"),
        ("surprise", "{}", DeltaKind::Unknown, "surprise, an event"),
        ("messageStart", "[1]", DeltaKind::Unknown, "a JSON array of 1, not a Converse reply"),
        ("messageStart", "", DeltaKind::Unknown, "empty"),
    ] {
        let run = events(&[(name, data)]);
        assert_eq!(run.kinds(), [kind], "{data}");
        assert!(run.deltas[0].text.starts_with(word), "{data}: {}", run.deltas[0].text);
    }
    let run = body(ID, 200, r#"{"choices":[]}"#);
    assert_eq!(run.words(), ["a JSON object with choices, not a Converse reply"]);
}

fn full() -> Ask {
    let mut question = ask("look");
    question.model = "arn:aws:bedrock:us-east-1::inference-profile/eu.anthropic.claude-v1:0".to_owned();
    question.system = "be brief".to_owned();
    let file = |media_type: &str, name: &str, source| Attachment { media_type: media_type.into(), name: name.into(), source };
    question.messages[0].attachments = vec![
        file("image/png", "", Source::Data("iVBORw0=".into())),
        file("application/pdf", "a_b.pdf", Source::Url("s3://bucket/a.pdf".into())),
    ];
    let call = |id: &str| ToolCall { id: id.into(), name: "f".into(), arguments: r#"{"q":1}"#.into(), signature: None };
    question.messages.push(Message {
        tool_calls: vec![call("t1"), call("t2")],
        reasoning: Some("hm".into()),
        signature: Some("s".into()),
        ..Message::new(Role::Assistant, "so")
    });
    question.messages.push(Message { tool_call_id: Some("t1".into()), ..Message::new(Role::Tool, "42") });
    question.messages.push(Message { tool_call_id: Some("t2".into()), ..Message::new(Role::Tool, "") });
    question.messages.push(Message::new(Role::User, "and?"));
    question.tools.push(Tool { name: "f".into(), description: "d".into(), parameters: json!({"type": "object"}) });
    let params = &mut question.params;
    (params.temperature, params.top_p, params.max_tokens) = (Some(0.5), Some(1.0), Some(7));
    params.stop = vec!["x".into()];
    params.reasoning = Some("high".into());
    params.tool_choice = Some("required".into());
    params.extra = json!({"additionalModelRequestFields": {"top_k": 3}, "toolConfig": {"own": true}}).as_object().unwrap().clone();
    question.output = Some(Output { name: "form".into(), schema: Some(json!({"type": "object"})) });
    question
}

#[test]
fn what_is_sent() {
    let call = BedrockConverse.call(&full(), Transport::Eventstream, AWS, false, "Authorization: Bearer {key}").unwrap();
    assert_eq!(
        call.url,
        "https://bedrock-runtime.eu-west-1.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A%3Ainference-profile%2Feu.anthropic.claude-v1%3A0/converse-stream"
    );
    let sign = call.sign.unwrap();
    assert_eq!((sign.service.as_str(), sign.region.as_str()), ("bedrock", "eu-west-1"));
    assert_eq!(
        serde_json::from_str::<Value>(&call.body).unwrap(),
        json!({
            "messages": [
                {"role": "user", "content": [
                    {"image": {"format": "png", "source": {"bytes": "iVBORw0="}}},
                    {"document": {"format": "pdf", "name": "a b pdf", "source": {"s3Location": {"uri": "s3://bucket/a.pdf"}}}},
                    {"text": "look"},
                ]},
                {"role": "assistant", "content": [
                    {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
                    {"text": "so"},
                    {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"q": 1}}},
                    {"toolUse": {"toolUseId": "t2", "name": "f", "input": {"q": 1}}},
                ]},
                {"role": "user", "content": [
                    {"toolResult": {"toolUseId": "t1", "content": [{"text": "42"}]}},
                    {"toolResult": {"toolUseId": "t2", "content": [{"text": ""}]}},
                    {"text": "and?"},
                ]},
            ],
            "system": [{"text": "be brief"}],
            "inferenceConfig": {"maxTokens": 7, "temperature": 0.5, "topP": 1, "stopSequences": ["x"]},
            "toolConfig": {
                "tools": [{"toolSpec": {"name": "f", "description": "d", "inputSchema": {"json": {"type": "object"}}}}],
                "toolChoice": {"any": {}},
                "own": true,
            },
            "outputConfig": {
                "textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"name": "form", "schema": "{\"type\":\"object\"}"}}},
                "effort": "high",
            },
            "additionalModelRequestFields": {"top_k": 3},
        })
    );
    let http = BedrockConverse.call(&ask("hi"), Transport::Http, "http://127.0.0.1:4780", false, "").unwrap();
    assert_eq!((http.url.as_str(), http.sign), ("http://127.0.0.1:4780/model/m/converse", None));
    assert_eq!(http.body, r#"{"messages":[{"role":"user","content":[{"text":"hi"}]}]}"#);
}

#[test]
fn regions_are_named_by_the_host() {
    let region = |base: &str| {
        BedrockConverse.call(&ask("hi"), Transport::Http, base, false, "Authorization: Bearer {key}").unwrap().sign.unwrap().region
    };
    for (base, named) in [
        (AWS, "eu-west-1"),
        ("https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("https://bedrock-runtime.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("https://vpce-1.bedrock-runtime.ap-south-1.vpce.amazonaws.com", "ap-south-1"),
        ("http://127.0.0.1:4780", "us-east-1"),
        ("https://gateway.example.com", "us-east-1"),
    ] {
        assert_eq!(region(base), named, "{base}");
    }
    let template = BedrockConverse.call(&ask("hi"), Transport::Http, "https://bedrock-runtime.{region}.amazonaws.com", false, "");
    assert!(matches!(template, Err(AskError::Url { why, .. }) if why == "{region} is to be filled in"));
}

#[test]
fn what_cannot_be_asked_is_said_before() {
    let refused = |question: &Ask| BedrockConverse.check(question, Transport::Http).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(refused(&full()), Vec::<String>::new());
    let mut question = full();
    question.params.seed = Some(1);
    question.params.tool_choice = Some("none".into());
    question.output = Some(Output { name: String::new(), schema: None });
    question.messages[0].attachments[0].media_type = "image/tiff".into();
    question.messages[0].attachments[1].source = Source::Url("https://h/a.pdf".into());
    question.messages[1].tool_calls[0].arguments = "nonsense".into();
    let found = refused(&question);
    assert_eq!(found.len(), 6, "{found:?}");
    question.raw_body = Some("{}".into());
    assert_eq!(refused(&question), Vec::<String>::new());
    question.model = String::new();
    assert!(BedrockConverse.call(&question, Transport::Http, AWS, false, "").is_err());
}

/// Reading a body and building it again must give an equal one.
fn round(value: &Value, url: &str) -> Option<Ask> {
    let read = BedrockConverse.read(&value.to_string(), url, Transport::Eventstream)?;
    assert_eq!(serde_json::from_str::<Value>(&super::body::build(&read)).unwrap(), *value);
    Some(read)
}

#[test]
fn a_body_is_read_back() {
    let call = BedrockConverse.call(&full(), Transport::Eventstream, AWS, false, "").unwrap();
    let mut asked = full();
    // Names of documents are kept as the API takes them.
    asked.messages[0].attachments[1].name = "a b pdf".into();
    let read = round(&serde_json::from_str(&call.body).unwrap(), &call.url).unwrap();
    assert_eq!(read, asked);
    for body in [
        json!({"messages": []}),
        json!({"messages": [{"role": "user", "content": [{"text": "a"}, {"image": {"format": "png", "source": {"bytes": "AA=="}}}, {"text": "b"}, {"text": "c"}]}]}),
        json!({"messages": [{"role": "assistant", "content": [{"toolUse": {"toolUseId": "a", "name": "f", "input": {}}}, {"text": "a"}, {"reasoningContent": {"reasoningText": {"text": "r"}}}]}]}),
        json!({"messages": [{"role": "user", "content": [{"toolResult": {"toolUseId": "a", "content": [{"image": {"format": "png", "source": {"bytes": "AA=="}}}]}}, {"text": ""}]}]}),
        json!({"messages": [{"role": "user", "content": [{"cachePoint": {"type": "default"}}]}]}),
        json!({"messages": [{"role": "user", "content": [{"text": "a"}]}, {"role": "user", "content": [{"text": "b"}]}]}),
        json!({"messages": [{"role": "user", "content": [{"toolResult": {"toolUseId": "a", "content": [{"json": {}}]}}]}]}),
        json!({"messages": [], "system": [{"text": "a"}], "inferenceConfig": {"topP": 0.25, "temperature": 1.0}}),
        json!({"messages": [], "toolConfig": {"tools": [{"cachePoint": {"type": "default"}}], "toolChoice": {"auto": {}}}}),
        json!({"messages": [], "outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": "{ }"}}}}}),
    ] {
        assert!(round(&body, "").is_some(), "{body}");
    }
    for other in [json!({}), json!({"messages": [{"role": "user", "content": "hi"}]})] {
        assert!(round(&other, "").is_none(), "{other}");
    }
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(texts in proptest::collection::vec((text(), any::<bool>(), any::<bool>()), 0..8), arguments in proptest::collection::vec((0_u64..3, text()), 0..6), counts in (1_u64..1 << 60, 0_u64..1 << 60)) {
        let mut run = Run::new(ID, 200);
        let (mut reply, mut reasoning) = (String::new(), String::new());
        for (text, thought, ascii) in &texts {
            let quoted = sent(text, *ascii);
            let delta = if *thought { reasoning.push_str(text); format!(r#"{{"reasoningContent":{{"text":{quoted}}}}}"#) } else { reply.push_str(text); format!(r#"{{"text":{quoted}}}"#) };
            run.feed(event("contentBlockDelta", &format!(r#"{{"contentBlockIndex":0,"delta":{delta}}}"#)));
        }
        let mut calls: Vec<(u64, String)> = Vec::new();
        for (index, text) in &arguments {
            run.feed(event("contentBlockDelta", &format!(r#"{{"contentBlockIndex":{index},"delta":{{"toolUse":{{"input":{}}}}}}}"#, sent(text, true))));
            match calls.iter_mut().find(|(known, _)| known == index) {
                Some((_, known)) => known.push_str(text),
                None => calls.push((*index, text.clone())),
            }
        }
        run.feed(event("messageStop", r#"{"stopReason":"end_turn"}"#));
        run.feed(event("metadata", &json!({"usage": {"inputTokens": counts.0, "outputTokens": counts.1}}).to_string()));
        prop_assert_eq!(&run.reply.text, &reply);
        prop_assert_eq!(&run.reply.reasoning, &reasoning);
        let told: Vec<&str> = run.calls().into_iter().map(|(_, _, arguments)| arguments).collect();
        prop_assert_eq!(told, calls.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>());
        let usage = run.reply.usage.clone().unwrap();
        prop_assert_eq!((usage.input_tokens, usage.output_tokens), (Some(counts.0), Some(counts.1)));
        prop_assert!(run.decoder.whole());
    }

    #[test]
    fn nothing_panics_and_everything_is_told(bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in prop_oneof![Just("event"), Just("exception"), Just("error"), Just("own")], name in prop_oneof![Just("contentBlockDelta"), Just("metadata"), Just("")]) {
        let mut run = Run::new(ID, 200);
        for payload in [Payload::Record { kind, name, data: &bytes }, Payload::Body(&bytes)] {
            let mut told = 0;
            run.decoder.payload(payload, &mut |_| told += 1);
            prop_assert!(told > 0);
        }
    }
}
