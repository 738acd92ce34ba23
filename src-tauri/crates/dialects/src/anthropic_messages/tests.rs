use proptest::prelude::*;
use serde_json::{Value, json};

use crate::openai_chat::tests::{sent, text};
use crate::tests::{Run, ask, body, capture, stream};
use crate::{
    Ask, AskError, Attachment, DeltaKind, Dialect, Message, Output, Params, Payload, Role, Source, Tool, ToolCall, Transport, Usage,
};

use super::AnthropicMessages;

const MESSAGES: &str = "anthropic-messages";

fn start(index: u64, block: Value) -> String {
    json!({"type": "content_block_start", "index": index, "content_block": block}).to_string()
}

fn change(index: u64, delta: Value) -> String {
    json!({"type": "content_block_delta", "index": index, "delta": delta}).to_string()
}

fn said(index: u64, text: &str) -> String {
    change(index, json!({"type": "text_delta", "text": text}))
}

fn stop(index: u64) -> String {
    json!({"type": "content_block_stop", "index": index}).to_string()
}

fn run(events: &[String]) -> Run {
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    stream(MESSAGES, &events)
}

const BEGIN: &str = r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"usage":{"input_tokens":25,"cache_creation_input_tokens":7,"cache_read_input_tokens":100,"output_tokens":1}}}"#;
const END: &str = r#"{"type":"message_stop"}"#;

#[test]
fn a_plain_stream_whose_usage_is_replaced_not_added() {
    let delta = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":15}}"#;
    let run = run(&[
        BEGIN.into(),
        start(0, json!({"type": "text", "text": ""})),
        r#"{"type": "ping"}"#.into(),
        said(0, "Hi \"you\"\n"),
        said(0, ""),
        stop(0),
        r#"{"type":"message_delta","delta":{"stop_reason":null},"usage":{"output_tokens":9}}"#.into(),
        delta.into(),
        END.into(),
    ]);
    assert_eq!(
        run.words()[..7],
        [
            "msg_1",
            r#"{"input_tokens":25,"cache_creation_input_tokens":7,"cache_read_input_tokens":100,"output_tokens":1}"#,
            "content_block_start",
            "ping",
            "Hi \"you\"\n",
            "content_block_delta",
            "content_block_stop"
        ]
    );
    assert_eq!(run.reply.text, "Hi \"you\"\n");
    assert_eq!(run.reply.id.as_deref(), Some("msg_1"));
    assert_eq!(run.reply.finish.as_ref().unwrap().reason, "end_turn");
    let usage = Usage {
        input_tokens: Some(25),
        output_tokens: Some(15),
        cached_tokens: Some(100),
        cache_write_tokens: Some(7),
        input_includes_cached: Some(false),
        ..Usage::default()
    };
    assert_eq!(run.reply.usage, Some(usage));
    assert!(run.reply.ended && run.decoder.whole() && run.decoder.ended());
}

#[test]
fn without_message_stop_a_stream_is_not_whole() {
    let run = run(&[
        BEGIN.into(),
        said(0, "a"),
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}}"#.into(),
        // No marker of this dialect, though a gateway may add it.
        "[DONE]".into(),
    ]);
    assert!(!run.decoder.whole() && !run.decoder.ended() && !run.reply.ended);
    assert_eq!(run.words().last(), Some(&"[DONE]"));
}

#[test]
fn thinking_counts_as_output() {
    let run = run(&[r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":15,"output_tokens_details":{"thinking_tokens":4}}}"#.into()]);
    let usage = run.reply.usage.unwrap();
    assert_eq!((usage.reasoning_tokens, usage.output_includes_reasoning, usage.input_includes_cached), (Some(4), Some(true), None));
}

#[test]
fn thinking_keeps_its_signature() {
    let run = run(&[
        start(0, json!({"type": "thinking", "thinking": "", "signature": ""})),
        change(0, json!({"type": "thinking_delta", "thinking": "hm"})),
        change(0, json!({"type": "thinking_delta", "thinking": "…"})),
        change(0, json!({"type": "signature_delta", "signature": "EqoB+/="})),
        stop(0),
        start(1, json!({"type": "text", "text": ""})),
        said(1, "a"),
    ]);
    assert_eq!((run.reply.reasoning.as_str(), run.reply.text.as_str()), ("hm…", "a"));
    assert_eq!(run.reply.signature.as_deref(), Some("EqoB+/="));
    // Display omitted: nothing but the signature.
    let omitted = super::tests::run(&[
        start(0, json!({"type": "thinking", "thinking": "", "signature": ""})),
        change(0, json!({"type": "signature_delta", "signature": "S"})),
    ]);
    assert_eq!((omitted.reply.reasoning.as_str(), omitted.reply.signature.as_deref()), ("", Some("S")));
}

#[test]
fn several_blocks_of_thinking_are_all_sent_back() {
    let run = run(&[
        start(0, json!({"type": "thinking", "thinking": "", "signature": ""})),
        change(0, json!({"type": "thinking_delta", "thinking": "a"})),
        change(0, json!({"type": "signature_delta", "signature": "A"})),
        stop(0),
        start(1, json!({"type": "redacted_thinking", "data": "R"})),
        stop(1),
        start(2, json!({"type": "thinking", "thinking": "", "signature": ""})),
        change(2, json!({"type": "thinking_delta", "thinking": "b"})),
        change(2, json!({"type": "signature_delta", "signature": "B"})),
        stop(2),
        said(3, "so"),
    ]);
    assert_eq!((run.reply.reasoning.as_str(), run.reply.text.as_str()), ("ab", "so"));
    let mut question = ask("hi");
    let reply =
        Message { reasoning: Some(run.reply.reasoning), signature: run.reply.signature, ..Message::new(Role::Assistant, run.reply.text) };
    question.messages.push(reply);
    let built = Value::Object(super::body::build(&question, Transport::Http));
    assert_eq!(
        built["messages"][1]["content"],
        json!([
            {"type": "thinking", "thinking": "a", "signature": "A"},
            {"type": "redacted_thinking", "data": "R"},
            {"type": "thinking", "thinking": "b", "signature": "B"},
            {"type": "text", "text": "so"},
        ])
    );
    assert_eq!(AnthropicMessages.read(&built.to_string(), "", Transport::Http), Some(with_limit(question)));
}

fn with_limit(mut question: Ask) -> Ask {
    question.params.max_tokens = Some(4096);
    question
}

#[test]
fn arguments_are_joined_and_nothing_means_an_empty_object() {
    let fragment = |index, json: &str| change(index, json!({"type": "input_json_delta", "partial_json": json}));
    let run = run(&[
        start(1, json!({"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}})),
        fragment(1, ""),
        fragment(1, "{\"q\": \"a\\\""),
        fragment(1, "b\"}"),
        stop(1),
        start(2, json!({"type": "tool_use", "id": "toolu_2", "name": "g", "input": {}})),
        fragment(2, ""),
        stop(2),
        start(3, json!({"type": "tool_use", "id": "toolu_3", "name": "h", "input": {}})),
        stop(3),
        // Servers that give the input at once, and those that then say it again.
        start(4, json!({"type": "tool_use", "id": "toolu_4", "name": "i", "input": {"x": 1}})),
        stop(4),
        start(5, json!({"type": "tool_use", "id": "toolu_5", "name": "j", "input": {"x": 1}})),
        fragment(5, "{\"x\""),
        fragment(5, ":1}"),
        stop(5),
    ]);
    assert_eq!(
        run.calls(),
        [
            ("toolu_1", "f", "{\"q\": \"a\\\"b\"}"),
            ("toolu_2", "g", "{}"),
            ("toolu_3", "h", "{}"),
            ("toolu_4", "i", "{\"x\":1}"),
            ("toolu_5", "j", "{\"x\":1}")
        ]
    );
}

#[test]
fn llama_cpp_begins_a_call_without_input_and_seals_late() {
    let run = run(&[
        start(0, json!({"type": "thinking", "thinking": ""})),
        change(0, json!({"type": "thinking_delta", "thinking": "hm"})),
        start(1, json!({"type": "tool_use", "id": "c", "name": "f"})),
        change(1, json!({"type": "input_json_delta", "partial_json": "{\"x\":1}"})),
        change(0, json!({"type": "signature_delta", "signature": ""})),
        stop(0),
        stop(1),
    ]);
    assert_eq!(run.calls(), [("c", "f", "{\"x\":1}")]);
    assert_eq!((run.reply.reasoning.as_str(), run.reply.signature.as_deref()), ("hm", Some("")));
}

#[test]
fn tools_that_run_at_the_provider_are_not_ours_to_call() {
    let run = run(&[
        start(0, json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}})),
        change(0, json!({"type": "input_json_delta", "partial_json": "{\"query\":\"x\"}"})),
        stop(0),
        start(1, json!({"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []})),
        stop(1),
        start(2, json!({"type": "text", "text": ""})),
        change(2, json!({"type": "citations_delta", "citation": {"type": "web_search_result_location"}})),
        change(2, json!({"type": "compaction_delta", "content": "…"})),
    ]);
    assert!(run.reply.tool_calls.is_empty());
    assert!(run.kinds().iter().all(|kind| *kind == DeltaKind::Control));
    for word in ["server_tool_use", "input_json_delta", "web_search_tool_result", "citations_delta", "compaction_delta"] {
        assert!(run.words().contains(&word), "{word}");
    }
}

#[test]
fn a_refusal_gives_its_explanation() {
    let run = run(&[
        r#"{"type":"message_delta","delta":{"stop_reason":"refusal","stop_sequence":null,"stop_details":{"type":"refusal","category":"bio","explanation":"Not this."}},"usage":{"output_tokens":1}}"#.into(),
        END.into(),
    ]);
    assert_eq!((run.reply.refusal.as_str(), run.reply.text.as_str()), ("Not this.", ""));
    assert_eq!(run.reply.finish.unwrap().reason, "refusal");
    assert!(run.decoder.whole());
    let silent = super::tests::run(&[
        r#"{"type":"message_delta","delta":{"stop_reason":"refusal","stop_details":{"type":"refusal","category":null,"explanation":null}}}"#.into(),
    ]);
    assert_eq!((silent.reply.refusal.as_str(), silent.reply.finish.unwrap().reason.as_str()), ("", "refusal"));
}

#[test]
fn llama_cpp_says_the_same_in_a_stream_and_whole() {
    let streamed = capture(MESSAGES, include_str!("../../fixtures/llama-messages.sse"));
    let whole = body(MESSAGES, 200, include_str!("../../fixtures/llama-messages.json"));
    assert_eq!(streamed.reply.text, "Hello there! How can I assist you today?");
    assert_eq!(whole.reply.text, streamed.reply.text);
    assert_eq!(streamed.reply.finish, whole.reply.finish);
    assert!(streamed.reply.id.is_some() && whole.reply.id.is_some());
    let usage = whole.reply.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.cached_tokens, usage.output_tokens), (Some(1), Some(30), Some(11)));
    assert_eq!(usage.input_includes_cached, Some(false));
    assert!(streamed.decoder.whole() && whole.decoder.whole() && whole.decoder.ended());
    let refused = body(MESSAGES, 400, include_str!("../../fixtures/llama-too-long.json"));
    assert_eq!(refused.reply.error.unwrap().0, "400");
}

#[test]
fn a_whole_message() {
    let run = body(
        MESSAGES,
        200,
        r#"{"id":"msg_2","type":"message","role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"S"},{"type":"text","text":"a"},{"type":"text","text":"b"},{"type":"tool_use","id":"t","name":"f","input":{"x": [1, 2]}},{"type":"tool_use","id":"u","name":"g","input":{}},{"type":"new_block"}],"stop_reason":"tool_use","stop_details":null,"usage":{"input_tokens":3,"output_tokens":4}}"#,
    );
    assert_eq!((run.reply.reasoning.as_str(), run.reply.text.as_str(), run.reply.signature.as_deref()), ("hm", "ab", Some("S")));
    assert_eq!(run.calls(), [("t", "f", r#"{"x": [1, 2]}"#), ("u", "g", "{}")]);
    assert!(run.words().contains(&"new_block"));
    assert_eq!(run.reply.finish.as_ref().unwrap().reason, "tool_use");
    assert!(run.decoder.whole());
    // Servers without seals send an empty one, which is sent back too.
    let bare = body(MESSAGES, 200, r#"{"type":"message","content":[{"type":"thinking","thinking":"hm","signature":""}]}"#);
    assert_eq!(bare.reply.signature.as_deref(), Some(""));
    let streamed = super::tests::run(&[
        start(0, json!({"type": "thinking", "thinking": ""})),
        change(0, json!({"type": "signature_delta", "signature": ""})),
    ]);
    assert_eq!(streamed.reply.signature.as_deref(), Some(""));
}

#[test]
fn errors_inside_a_success() {
    for (events, code, message) in [
        (
            vec![BEGIN, r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}"#],
            "overloaded_error",
            "Overloaded",
        ),
        (
            vec![r#"{"type":"error","error":{"details":null,"type":"rate_limit_error","message":"slow down"}}"#, END],
            "rate_limit_error",
            "slow down",
        ),
        (vec![r#"{"type":"error"}"#], "", r#"{"type":"error"}"#),
        (vec![r#"{"error":{"message":"boom","type":"server_error"}}"#], "server_error", "boom"),
    ] {
        let run = stream(MESSAGES, &events);
        assert_eq!(run.reply.error, Some((code.to_owned(), message.to_owned())), "{events:?}");
        assert!(!run.decoder.whole(), "{events:?}");
    }
    // llama.cpp names the event and sends its own object; a gateway may send words.
    for (data, code, message) in
        [(r#"{"code":500,"message":"Compute error","type":"server_error"}"#, "500", "Compute error"), ("broken pipe", "", "broken pipe")]
    {
        let mut run = Run::new(MESSAGES, 200);
        run.feed(Payload::Event { event: "error", data });
        assert_eq!(run.reply.error, Some((code.to_owned(), message.to_owned())));
        assert!(!run.decoder.whole());
    }
    // A JSON error, or a page, under status 200.
    let run = body(MESSAGES, 200, r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#);
    assert_eq!(run.reply.error, Some(("authentication_error".to_owned(), "invalid x-api-key".to_owned())));
    assert_eq!(body(MESSAGES, 200, "<html><title>Sign in</title>").reply.error.unwrap().1, "Sign in");
    let run = body(MESSAGES, 529, r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#);
    assert_eq!(run.reply.error, Some(("overloaded_error".to_owned(), "Overloaded".to_owned())));
}

#[test]
fn whatever_comes_is_shown() {
    for (data, kind, word) in [
        ("", DeltaKind::Unknown, "empty"),
        ("{\"type\":", DeltaKind::Unknown, "not JSON: EOF"),
        ("[1,2]", DeltaKind::Unknown, "a JSON array of 2, not a message event"),
        (r#"{"choices":[{"delta":{"content":"a"}}]}"#, DeltaKind::Unknown, "a JSON object with choices, not a message event"),
        (r#"{"type":"response.created","response":{}}"#, DeltaKind::Unknown, "response.created: no event of Anthropic Messages"),
        (r#"{"type":"content_block_delta"}"#, DeltaKind::Control, "content_block_delta"),
        (r#"{"type":"content_block_delta","index":0,"delta":{"type":"novel_delta","x":1}}"#, DeltaKind::Control, "novel_delta"),
        (r#"{"type":"message_start"}"#, DeltaKind::Control, "message_start"),
        (r#"{"type":"message_delta","delta":{}}"#, DeltaKind::Control, "message_delta"),
        (r#"{"type":"ping"}"#, DeltaKind::Control, "ping"),
        (r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":"a\ud800b"}}"#, DeltaKind::Text, "a\u{fffd}b"),
    ] {
        let run = stream(MESSAGES, &[data]);
        assert_eq!(run.kinds(), [kind], "{data}");
        assert!(run.words()[0].starts_with(word), "{data}: {:?}", run.words());
    }
    assert!(body(MESSAGES, 200, "event: ping\ndata: {}\n\n").words()[0].contains("server-sent events"));
}

fn full() -> Ask {
    let mut question = ask("hi");
    question.system = "be brief".to_owned();
    question.messages[0].attachments = vec![
        Attachment { media_type: "image/png".into(), name: String::new(), source: Source::Data("aGk=".into()) },
        Attachment { media_type: "image/*".into(), name: String::new(), source: Source::Url("https://h/a.webp".into()) },
        Attachment { media_type: "application/pdf".into(), name: "a.pdf".into(), source: Source::Data("aGk=".into()) },
        Attachment { media_type: "text/plain".into(), name: "a.txt".into(), source: Source::Data("aMO8".into()) },
    ];
    let call = |id: &str, arguments: &str| ToolCall { id: id.into(), name: "f".into(), arguments: arguments.into(), signature: None };
    question.messages.push(Message {
        reasoning: Some("hm".into()),
        signature: Some("S".into()),
        tool_calls: vec![call("a", ""), call("b", r#"{"x":1}"#)],
        ..Message::new(Role::Assistant, "")
    });
    question.messages.push(Message { tool_call_id: Some("a".into()), ..Message::new(Role::Tool, "42") });
    question.messages.push(Message { tool_call_id: Some("b".into()), ..Message::new(Role::Tool, "43") });
    question.messages.push(Message::new(Role::User, "and?"));
    question.messages.push(Message { reasoning: Some("not sealed".into()), ..Message::new(Role::Assistant, "so") });
    question.messages.push(Message::new(Role::User, "thanks"));
    question.tools.push(Tool { name: "f".into(), description: "d".into(), parameters: json!({"type": "object"}) });
    question.output = Some(Output { name: "n".into(), schema: Some(json!({"type": "object"})) });
    question.params = Params {
        temperature: Some(0.5),
        top_p: Some(1.0),
        max_tokens: Some(700),
        stop: vec!["x".into()],
        reasoning: Some("low".into()),
        tool_choice: Some("f".into()),
        extra: json!({"top_k": 3, "thinking": {"display": "summarized"}, "tool_choice": {"disable_parallel_tool_use": true}, "metadata": {"user_id": "u"}})
            .as_object()
            .cloned()
            .unwrap(),
        ..Params::default()
    };
    question
}

#[test]
fn what_is_sent() {
    let call = AnthropicMessages.call(&full(), Transport::Sse, "https://api.anthropic.com", false, "x-api-key: {key}").unwrap();
    assert_eq!((call.method.as_str(), call.url.as_str()), ("POST", "https://api.anthropic.com/v1/messages"));
    let header = |name: &str| call.headers.iter().find(|header| header.name == name).map(|header| header.value.as_str());
    assert_eq!(header("x-api-key"), Some("{key}"));
    assert_eq!(header("anthropic-version"), Some("2023-06-01"));
    assert_eq!(
        serde_json::from_str::<Value>(&call.body).unwrap(),
        json!({
            "model": "m",
            "max_tokens": 700,
            "system": "be brief",
            "messages": [
                {"role": "user", "content": [
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
                    {"type": "image", "source": {"type": "url", "url": "https://h/a.webp"}},
                    {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "aGk="}, "title": "a.pdf"},
                    {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "hü"}, "title": "a.txt"},
                    {"type": "text", "text": "hi"},
                ]},
                {"role": "assistant", "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "S"},
                    {"type": "tool_use", "id": "a", "name": "f", "input": {}},
                    {"type": "tool_use", "id": "b", "name": "f", "input": {"x": 1}},
                ]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "a", "content": "42"},
                    {"type": "tool_result", "tool_use_id": "b", "content": "43"},
                    {"type": "text", "text": "and?"},
                ]},
                {"role": "assistant", "content": "so"},
                {"role": "user", "content": "thanks"},
            ],
            "temperature": 0.5,
            "top_p": 1,
            "stop_sequences": ["x"],
            "thinking": {"type": "adaptive", "display": "summarized"},
            "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}},
            "tools": [{"name": "f", "description": "d", "input_schema": {"type": "object"}}],
            "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": true},
            "stream": true,
            "top_k": 3,
            "metadata": {"user_id": "u"},
        })
    );
}

#[test]
fn a_limit_is_always_sent_and_leaves_room_beyond_the_budget() {
    let limit = |reasoning: Option<&str>| {
        let mut question = ask("hi");
        question.params.reasoning = reasoning.map(str::to_owned);
        let body = super::body::build(&question, Transport::Http);
        (body["max_tokens"].as_u64().unwrap(), body.get("thinking").cloned())
    };
    assert_eq!(limit(None), (4096, None));
    assert_eq!(limit(Some("none")), (4096, Some(json!({"type": "disabled"}))));
    assert_eq!(limit(Some("adaptive")), (4096, Some(json!({"type": "adaptive"}))));
    assert_eq!(limit(Some("8000")), (12096, Some(json!({"type": "enabled", "budget_tokens": 8000}))));
}

#[test]
fn the_version_is_the_newer_one_where_that_takes_the_request() {
    let version = |base: &str, change: &dyn Fn(&mut Ask)| {
        let mut question = ask("hi");
        change(&mut question);
        let call = AnthropicMessages.call(&question, Transport::Sse, base, false, "").unwrap();
        call.headers.iter().find(|header| header.name == "anthropic-version").unwrap().value.clone()
    };
    let anthropic = "https://api.anthropic.com";
    assert_eq!(version(anthropic, &|_| {}), "2026-10-21");
    assert_eq!(version("http://127.0.0.1:8080", &|_| {}), "2023-06-01");
    assert_eq!(version("https://api.anthropic.com.evil", &|_| {}), "2023-06-01");
    assert_eq!(version(anthropic, &|ask| ask.params.temperature = Some(1.0)), "2023-06-01");
    assert_eq!(version(anthropic, &|ask| ask.params.top_p = Some(1.0)), "2023-06-01");
    assert_eq!(
        version(anthropic, &|ask| {
            ask.params.extra.insert("top_k".into(), json!(1));
        }),
        "2023-06-01"
    );
    for (raw, expected) in [
        (r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a","citations":[]}]}]}"#, "2026-10-21"),
        (r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a","citations":[{}]}]}]}"#, "2023-06-01"),
        (r#"{"messages":[{"role":"assistant","content":[{"type":"document"}]}]}"#, "2023-06-01"),
        (r#"{"messages":[{"role":"user","content":[{"type":"document"}]}]}"#, "2026-10-21"),
        (r#"{"temperature":null}"#, "2023-06-01"),
    ] {
        assert_eq!(version(anthropic, &|ask| ask.raw_body = Some(raw.to_owned())), expected, "{raw}");
    }
}

#[test]
fn urls() {
    let url = |base: &str, whole| AnthropicMessages.call(&ask("hi"), Transport::Sse, base, whole, "").map(|call| call.url);
    assert_eq!(url("http://h:8080", false).unwrap(), "http://h:8080/v1/messages");
    assert_eq!(url("http://h:8080/v1/", false).unwrap(), "http://h:8080/v1/messages");
    assert_eq!(url("https://h/apps/anthropic", false).unwrap(), "https://h/apps/anthropic/v1/messages");
    assert_eq!(url("https://h/v1/messages", false).unwrap(), "https://h/v1/messages");
    assert_eq!(url("https://h/any?beta=true", true).unwrap(), "https://h/any?beta=true");
    assert!(matches!(url("ftp://h", false), Err(AskError::Url { .. })));
    assert_eq!(crate::dialect::guess("https://api.deepseek.com/anthropic/v1/messages?beta=true").map(|one| one.id()), Some(MESSAGES));
}

#[test]
fn what_cannot_be_asked_is_said_before() {
    let refused =
        |question: &Ask, transport| AnthropicMessages.check(question, transport).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(refused(&full(), Transport::Sse), Vec::<String>::new());
    assert_eq!(refused(&ask("hi"), Transport::Ndjson), ["Anthropic Messages has no ndjson transport; it has sse, http"]);
    let one = |change: &dyn Fn(&mut Ask)| {
        let mut question = full();
        change(&mut question);
        let found = refused(&question, Transport::Sse);
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    };
    assert!(one(&|ask| ask.params.seed = Some(1)).contains("cannot express seed"));
    assert!(one(&|ask| ask.params.reasoning = Some("minimal".into())).contains("reasoning minimal"));
    assert!(one(&|ask| ask.params.reasoning = Some("1000".into())).contains("1024 tokens at least"));
    assert!(one(&|ask| ask.params.reasoning = Some("1024".into())).contains("which must be greater"));
    assert!(one(&|ask| ask.output = Some(Output { name: String::new(), schema: None })).contains("JSON Schema"));
    assert!(one(&|ask| ask.messages[1].tool_calls[0].arguments = "[1]".into()).contains("the arguments of f"));
    assert!(one(&|ask| ask.messages[1].tool_calls[0].arguments = "{".into()).contains("JSON object"));
    let attach = |media_type: &str, source| Attachment { media_type: media_type.into(), name: String::new(), source };
    assert!(one(&|ask| ask.messages[4].attachments.push(attach("audio/wav", Source::Data("aGk=".into())))).contains("audio/wav"));
    assert!(one(&|ask| ask.messages[4].attachments.push(attach("text/plain", Source::Data("/w==".into())))).contains("UTF-8"));
    assert!(one(&|ask| ask.messages[4].attachments.push(attach("text/plain", Source::Url("https://h".into())))).contains("URL"));
    assert!(one(&|ask| ask.messages[5].attachments.push(attach("image/png", Source::Data("aGk=".into())))).contains("assistant's turn"));
    let mut raw = full();
    raw.params.seed = Some(1);
    raw.raw_body = Some("{}".into());
    assert_eq!(refused(&raw, Transport::Sse), Vec::<String>::new());
}

#[test]
fn bodies_are_read_back() {
    let read = |body: &Value| AnthropicMessages.read(&body.to_string(), "", Transport::Http);
    let user = json!([{"role": "user", "content": "hi"}]);
    let cases = [
        json!({"model": "m", "max_tokens": 5, "messages": user}),
        json!({"model": "m", "max_tokens": 5, "messages": user, "temperature": 1, "top_p": 0.25, "top_k": 4, "metadata": {}}),
        json!({"model": "m", "max_tokens": 5, "messages": user, "temperature": 1.0, "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}]}),
        json!({"model": "m", "max_tokens": 5, "messages": user, "tools": [{"type": "web_search_20250305", "name": "web_search"}], "tool_choice": {"type": "any"}}),
        json!({"model": "m", "max_tokens": 5, "messages": user, "thinking": {"type": "between_tools"}, "output_config": {"effort": "low"}, "stream": false}),
        json!({"model": "m", "max_tokens": 5, "messages": user, "thinking": {"type": "enabled", "budget_tokens": 2000, "display": "omitted"}, "stop_sequences": []}),
        json!({"model": "m", "max_tokens": 5, "messages": user, "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}, "x": 1}}}),
        json!({"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "image", "source": {"type": "url", "url": "u"}}, {"type": "text", "text": "a"}]}]}]}),
    ];
    for body in &cases {
        let question = read(body).unwrap_or_else(|| panic!("{body} is not read"));
        assert_eq!(Value::Object(super::body::build(&question, Transport::Http)), *body);
    }
    let question = read(&cases[1]).unwrap();
    assert_eq!((question.params.temperature, question.params.top_p), (Some(1.0), Some(0.25)));
    assert_eq!(Value::Object(question.params.extra), json!({"top_k": 4, "metadata": {}}));
    let question = read(&cases[3]).unwrap();
    assert!(question.tools.is_empty() && question.params.tool_choice.is_none());
    assert_eq!(read(&cases[5]).unwrap().params.reasoning.as_deref(), Some("2000"));
    for held_by_no_ask in [
        json!([]),
        json!({"model": "m", "messages": user}),
        json!({"max_tokens": 5, "messages": user}),
        json!({"model": "m", "max_tokens": 5, "messages": "hi"}),
    ] {
        assert_eq!(read(&held_by_no_ask), None, "{held_by_no_ask}");
    }
    assert_eq!(AnthropicMessages.read("not JSON", "", Transport::Http), None);
}

fn source() -> impl Strategy<Value = Attachment> {
    prop_oneof![
        Just(("image/gif", Source::Data("aGk=".into()))),
        Just(("image/*", Source::Url("https://h/i".into()))),
        Just(("application/pdf", Source::Url("https://h/p".into()))),
        Just(("text/plain", Source::Data("aGk=".into()))),
    ]
    .prop_map(|(kind, source)| Attachment { media_type: kind.into(), name: String::new(), source })
}

fn message() -> impl Strategy<Value = Message> {
    let attachments = || proptest::collection::vec(source(), 0..3);
    let calls = proptest::collection::vec((text(), text()), 0..3).prop_map(|calls| {
        let call = |(name, argument): (String, String)| ToolCall {
            id: format!("t{}", argument.len()),
            name,
            arguments: json!({ "x": argument }).to_string(),
            signature: None,
        };
        calls.into_iter().map(call).collect::<Vec<_>>()
    });
    prop_oneof![
        (text(), attachments()).prop_map(|(text, attachments)| Message { attachments, ..Message::new(Role::User, text) }),
        (text(), attachments()).prop_map(|(text, attachments)| Message {
            attachments,
            tool_call_id: Some("t".into()),
            ..Message::new(Role::Tool, text)
        }),
        (text(), calls, proptest::option::of(text()), proptest::option::of("[A-Za-z0-9+/]{0,9}={0,2}")).prop_map(
            |(text, tool_calls, reasoning, signature)| Message { tool_calls, reasoning, signature, ..Message::new(Role::Assistant, text) }
        ),
    ]
}

fn question() -> impl Strategy<Value = Ask> {
    let params = (
        proptest::option::of((0_u32..200).prop_map(|hundredths| f64::from(hundredths) / 100.0)),
        proptest::option::of(Just(1.0)),
        proptest::option::of(5000_u64..9000),
        proptest::collection::vec(text(), 0..3),
        proptest::option::of(prop_oneof![Just("none"), Just("high"), Just("adaptive"), Just("2048")]),
        proptest::option::of(prop_oneof![Just("auto"), Just("none"), Just("required"), Just("f")]),
        any::<bool>(),
    );
    (text(), proptest::collection::vec(message(), 0..6), params, any::<bool>(), any::<bool>()).prop_map(
        |(system, messages, (temperature, top_p, max_tokens, stop, reasoning, choice, extra), tools, output)| {
            let tool = || Tool { name: "f".into(), description: system.clone(), parameters: json!({"type": "object"}) };
            let extra = if extra { json!({"top_k": 2, "thinking": {"display": "omitted"}, "x": null}) } else { json!({}) };
            Ask {
                model: "m".into(),
                messages,
                tools: tools.then(tool).into_iter().collect(),
                output: output.then(|| Output { name: String::new(), schema: Some(json!({"type": "object"})) }),
                params: Params {
                    temperature,
                    top_p,
                    max_tokens,
                    stop,
                    reasoning: reasoning.map(str::to_owned),
                    tool_choice: choice.filter(|_| tools).map(str::to_owned),
                    extra: extra.as_object().cloned().unwrap_or_default(),
                    ..Params::default()
                },
                system,
                raw_body: None,
                system_aside: None,
            }
        },
    )
}

#[test]
fn results_and_a_turn_of_the_user_that_stand_apart_are_read_apart() {
    for body in [
        r#"{"model":"m","max_tokens":4096,"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":""}]},{"role":"user","content":""}]}"#,
        r#"{"model":"m","max_tokens":4096,"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"1"}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"u","content":"2"}]}]}"#,
    ] {
        let read = AnthropicMessages.read(body, "", Transport::Http).unwrap();
        assert_eq!(Value::Object(super::body::build(&read, Transport::Http)).to_string(), body);
    }
}

/// What a member of a body may hold, or `None` for no such member.
fn value() -> impl Strategy<Value = Option<Value>> {
    let some = [
        json!(null),
        json!(1),
        json!(1.0),
        json!(false),
        json!("low"),
        json!([]),
        json!({}),
        json!(["a"]),
        json!([{"type": "text", "text": "a"}]),
        json!([{"role": "user", "content": [{"type": "text", "text": "a"}]}]),
        json!([{"role": "user", "content": "a", "x": 1}]),
        json!([{"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}, "x": 1}]}]),
        json!([{"name": "f", "input_schema": {}}]),
        json!([{"name": "f", "input_schema": {}, "description": ""}]),
        json!({"type": "auto", "name": "f"}),
        json!({"type": "any", "disable_parallel_tool_use": true}),
        json!({"type": "enabled", "budget_tokens": 7, "display": "omitted"}),
        json!({"type": "adaptive"}),
        json!({"effort": "max"}),
        json!({"effort": 3, "format": {"type": "json_schema", "schema": {}, "x": 1}}),
    ];
    proptest::option::of(proptest::sample::select(some.to_vec()))
}

proptest! {
    #[test]
    fn what_is_built_is_read_and_built_again(question in question(), sse in any::<bool>()) {
        let transport = if sse { Transport::Sse } else { Transport::Http };
        prop_assert_eq!(AnthropicMessages.check(&question, transport), vec![]);
        let built = Value::Object(super::body::build(&question, transport));
        let read = AnthropicMessages.read(&built.to_string(), "", transport);
        prop_assert!(read.is_some(), "not read: {}", built);
        prop_assert_eq!(Value::Object(super::body::build(&read.unwrap(), transport)), built);
    }

    #[test]
    fn what_is_read_is_all_of_the_body(question in question(), name in "model|max_tokens|system|messages|temperature|top_p|stop_sequences|thinking|output_config|tools|tool_choice|stream|novel", value in value()) {
        let mut body = super::body::build(&question, Transport::Sse);
        match value {
            Some(value) => drop(body.insert(name, value)),
            None => drop(body.remove(&name)),
        }
        let body = Value::Object(body);
        if let Some(read) = AnthropicMessages.read(&body.to_string(), "", Transport::Sse) {
            prop_assert_eq!(Value::Object(super::body::build(&read, Transport::Sse)), body);
        }
    }

    #[test]
    fn what_is_encoded_is_decoded(texts in proptest::collection::vec((text(), 0_u8..3, any::<bool>()), 0..8), counts in (1_u64..1 << 60, 0_u64..1 << 60), spaced in any::<bool>()) {
        let mut run = Run::new(MESSAGES, 200);
        let (mut reply, mut reasoning, mut arguments) = (String::new(), String::new(), String::new());
        let space = if spaced { " \n" } else { "" };
        run.feed(Payload::Event { event: "content_block_start", data: &start(9, json!({"type": "tool_use", "id": "t", "name": "f", "input": {}})) });
        for (text, kind, ascii) in &texts {
            let (delta, name, to) = match kind {
                0 => ("text_delta", "text", &mut reply),
                1 => ("thinking_delta", "thinking", &mut reasoning),
                _ => ("input_json_delta", "partial_json", &mut arguments),
            };
            to.push_str(text);
            let data = format!(r#"{{"type":"content_block_delta","index":9,{space}"delta":{{"type":"{delta}",{space}"{name}"{space}:{space}{}}}}}"#, sent(text, *ascii));
            run.feed(Payload::Event { event: "content_block_delta", data: &data });
        }
        run.feed(Payload::Event { event: "content_block_stop", data: &stop(9) });
        run.feed(Payload::Event { event: "message_delta", data: &json!({"type": "message_delta", "delta": {}, "usage": {"input_tokens": counts.0, "output_tokens": counts.1}}).to_string() });
        run.feed(Payload::Event { event: "message_stop", data: END });
        prop_assert_eq!(&run.reply.text, &reply);
        prop_assert_eq!(&run.reply.reasoning, &reasoning);
        let told = run.calls()[0].2;
        prop_assert_eq!(told, if arguments.is_empty() { "{}" } else { &arguments });
        let usage = run.reply.usage.clone().unwrap();
        prop_assert_eq!((usage.input_tokens, usage.output_tokens), (Some(counts.0), Some(counts.1)));
        prop_assert!(run.decoder.whole());
    }

    #[test]
    fn nothing_panics_and_everything_is_told(kind in "(message|content)_(start|stop|delta|block_start|block_delta|block_stop)|error|message", members in proptest::collection::vec(("type|index|delta|content_block|message|usage|error|content|stop_reason", "null|1|\"x\"|\\{\\}|\\[\\]|\\[\\{\\}\\]|\\{\"type\":\"tool_use\"\\}|\\{\"type\":\"thinking\",\"signature\":1\\}"), 0..5), bytes in proptest::collection::vec(any::<u8>(), 0..60), code in prop_oneof![Just(200_u16), Just(500)]) {
        let members: String = members.iter().map(|(name, value)| format!(r#","{name}":{value}"#)).collect();
        let event = format!(r#"{{"type":"{kind}"{members}}}"#);
        for id in [MESSAGES, "cohere"] {
            let mut run = Run::new(id, code);
            for payload in [Payload::Event { event: "message", data: &event }, Payload::Body(event.as_bytes()), Payload::Line(&bytes), Payload::Body(&bytes)] {
                let mut told = 0;
                run.decoder.payload(payload, &mut |_| told += 1);
                prop_assert!(told > 0, "{}", event);
            }
        }
    }
}
