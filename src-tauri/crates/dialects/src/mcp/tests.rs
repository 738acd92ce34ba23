use proptest::prelude::*;
use serde_json::{Value, json};

use crate::openai_chat::tests::{sent, text};
use crate::tests::{Run, ask, body, stream};
use crate::{DeltaKind, Dialect, Message, Payload, Role, Status, Transport};

use super::Mcp;

const ID: &str = "mcp";

#[test]
fn a_tool_call_streams_notifications_before_its_response() {
    let run = stream(
        ID,
        &[
            // With an id and no data: a place to resume from, and no JSON.
            "",
            r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1,"message":"half way"}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}"#,
            r#"{"jsonrpc":"2.0","id":7,"method":"elicitation/create","params":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"Hi \"you\""},{"type":"image","data":"AA==","mimeType":"image/png"},{"type":"text","text":"!"}],"isError":false}}"#,
        ],
    );
    assert_eq!(run.words()[..4], ["cursor", "notifications/progress: half way", "notifications/message: x", "elicitation/create"]);
    assert_eq!(run.reply.text, "Hi \"you\"!");
    assert!(run.words().contains(&"image") && run.reply.ended && run.decoder.whole() && run.decoder.ended());
}

#[test]
fn an_answer_may_be_plain_json_or_nothing() {
    let run = body(ID, 200, r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"a"}]}}"#);
    assert_eq!((run.reply.text.as_str(), run.decoder.whole()), ("a", true));
    let run = body(ID, 200, r#"[{"jsonrpc":"2.0","method":"notifications/progress"},{"jsonrpc":"2.0","id":1,"result":{}}]"#);
    assert_eq!(run.words(), ["notifications/progress", "response"]);
    let run = body(
        ID,
        200,
        r#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"s","version":"1"}}}"#,
    );
    assert_eq!((run.words()[0], run.decoder.whole()), ("initialize", true));
    // A notification is only accepted; there is no body.
    let mut run = Run::new(ID, 202);
    assert!(run.decoder.whole());
    run.decoder.status(&Status { code: 200, media_type: "text/event-stream".into() });
    assert!(!run.decoder.whole());
}

#[test]
fn a_stream_without_the_response_is_not_whole() {
    assert!(!stream(ID, &[r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}}"#]).decoder.whole());
}

#[test]
fn errors_of_the_protocol_and_of_the_tool() {
    let run = stream(ID, &[r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"Unknown tool: x"}}"#]);
    assert_eq!(run.reply.error, Some(("-32602".to_owned(), "Unknown tool: x".to_owned())));
    assert!(!run.decoder.whole() && run.decoder.ended());
    let run = body(ID, 404, r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}"#);
    assert_eq!(run.reply.error, Some(("-32601".to_owned(), "Method not found".to_owned())));
    let run = stream(ID, &[r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"no such city"}],"isError":true}}"#]);
    assert_eq!(run.reply.error, Some(("isError".to_owned(), "no such city".to_owned())));
    assert_eq!((run.reply.text.as_str(), run.decoder.whole()), ("", false));
}

#[test]
fn whatever_comes_is_shown() {
    for (data, kind, word) in [
        ("/messages?session=1", DeltaKind::Control, "endpoint"),
        ("nonsense", DeltaKind::Unknown, "not JSON"),
        ("[]", DeltaKind::Unknown, "a JSON array of 0"),
        (r#"{"choices":[]}"#, DeltaKind::Unknown, "a JSON object with choices, not a JSON-RPC message"),
        (r#"{"jsonrpc":"2.0"}"#, DeltaKind::Unknown, "a JSON object with jsonrpc"),
        (r#"{"error":{"message":"gone"}}"#, DeltaKind::Error, "gone"),
    ] {
        let run = stream(ID, &[data]);
        assert_eq!(run.kinds(), [kind], "{data}");
        assert!(run.deltas[0].text.starts_with(word), "{data}: {}", run.deltas[0].text);
    }
}

#[test]
fn what_is_sent() {
    let mut question = ask("Berlin");
    question.model = "weather".into();
    let call = Mcp.call(&question, Transport::Sse, "http://h/mcp", false, "").unwrap();
    assert_eq!(call.url, "http://h/mcp");
    let field = |name: &str| call.headers.iter().find(|header| header.name == name).map(|header| header.value.as_str());
    assert_eq!(field("Accept"), Some("application/json, text/event-stream"));
    assert_eq!(
        (field("MCP-Protocol-Version"), field("Mcp-Method"), field("Mcp-Name")),
        (Some("2026-07-28"), Some("tools/call"), Some("weather"))
    );
    let sent: Value = serde_json::from_str(&call.body).unwrap();
    assert_eq!(sent["params"]["arguments"], json!({"prompt": "Berlin"}));
    question.messages = vec![Message::new(Role::User, r#"{"city":"Berlin"}"#)];
    let sent: Value = serde_json::from_str(&Mcp.call(&question, Transport::Sse, "http://h/mcp", false, "").unwrap().body).unwrap();
    assert_eq!(sent["params"]["arguments"], json!({"city": "Berlin"}));
    // A message of an older revision goes without the headers of the new one.
    question.raw_body = Some(r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#.into());
    let call = Mcp.call(&question, Transport::Http, "http://h/mcp", false, "").unwrap();
    assert!(!call.headers.iter().any(|header| header.name.starts_with("M")) && call.body.contains("initialize"));
    question.raw_body = Some("{".into());
    assert!(Mcp.call(&question, Transport::Http, "http://h/mcp", false, "").is_err());
}

#[test]
fn what_cannot_be_asked_is_said_before() {
    let mut question = ask("hi");
    assert!(Mcp.check(&question, Transport::Sse).is_empty());
    question.model = String::new();
    question.system = "s".into();
    question.params.seed = Some(1);
    question.messages.push(Message::new(Role::Assistant, "a"));
    assert_eq!(Mcp.check(&question, Transport::Sse).len(), 4);
    question.raw_body = Some("{}".into());
    assert!(Mcp.check(&question, Transport::Sse).is_empty());
}

#[test]
fn a_body_is_read_back() {
    for (prompt, extra) in
        [("hi", json!({})), (r#"{"a":1}"#, json!({"id": 9, "params": {"_meta": {"own": 1}}})), (r#"{"prompt":"hi"}"#, json!({}))]
    {
        let mut question = ask(prompt);
        question.params.extra = extra.as_object().unwrap().clone();
        let body = super::build(&question);
        let read = Mcp.read(&Value::Object(body.clone()).to_string(), "", Transport::Sse).unwrap();
        assert_eq!(super::build(&read), body);
    }
    for other in [
        "{}",
        "[]",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"f","arguments":{}}}"#,
    ] {
        assert!(Mcp.read(other, "", Transport::Sse).is_none(), "{other}");
    }
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(texts in proptest::collection::vec((text(), any::<bool>()), 0..8)) {
        let blocks: Vec<String> = texts.iter().map(|(text, ascii)| format!(r#"{{"type":"text","text":{}}}"#, sent(text, *ascii))).collect();
        let run = stream(ID, &[&format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"content":[{}]}}}}"#, blocks.join(","))]);
        prop_assert_eq!(run.reply.text, texts.iter().map(|(text, _)| text.as_str()).collect::<String>());
        prop_assert!(run.decoder.whole());
    }

    #[test]
    fn nothing_panics_and_everything_is_told(bytes in proptest::collection::vec(any::<u8>(), 0..200), code in prop_oneof![Just(200_u16), Just(500)]) {
        let mut run = Run::new(ID, code);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        for payload in [Payload::Event { event: "message", data: &text }, Payload::Body(&bytes)] {
            let mut told = 0;
            run.decoder.payload(payload, &mut |_| told += 1);
            prop_assert!(told > 0);
        }
    }
}
