use proptest::prelude::*;
use serde_json::{Value, json};

use crate::tests::{Run, ask, body, capture, stream};
use crate::{
    Ask, AskError, Attachment, DeltaKind, Dialect, Message, Output, Payload, Role, Source, Tool, ToolCall, Transport, Usage,
    json as reading,
};

use super::OpenAiChat;

const CHAT: &str = "openai-chat";

fn delta(delta: Value) -> String {
    json!({"id": "c1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": null}], "usage": null})
        .to_string()
}

fn finish(reason: &str) -> String {
    json!({"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}).to_string()
}

fn chat(events: &[String]) -> Run {
    let mut events: Vec<&str> = events.iter().map(String::as_str).collect();
    events.push("[DONE]");
    stream(CHAT, &events)
}

#[test]
fn a_plain_stream() {
    let run = stream(
        CHAT,
        &[
            r#"{"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}"#,
            r#"{"choices":[{"index":0,"delta":{"content":"Hi \"you\"\n"},"finish_reason":null}],"obfuscation":"x9a"}"#,
            r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":2}}}"#,
            "[DONE]",
        ],
    );
    assert_eq!(run.reply.id.as_deref(), Some("c1"));
    assert_eq!(
        run.kinds(),
        [DeltaKind::Control, DeltaKind::Control, DeltaKind::Text, DeltaKind::Finish, DeltaKind::Usage, DeltaKind::Control]
    );
    assert_eq!(run.words()[0], "role");
    assert_eq!(run.reply.text, "Hi \"you\"\n");
    assert_eq!(run.reply.finish.as_ref().unwrap().reason, "stop");
    let usage = Usage {
        input_tokens: Some(9),
        output_tokens: Some(5),
        total_tokens: Some(14),
        reasoning_tokens: Some(2),
        cached_tokens: Some(4),
        cache_write_tokens: None,
        output_includes_reasoning: Some(true),
        input_includes_cached: Some(true),
    };
    assert_eq!(run.reply.usage, Some(usage));
    assert!(run.reply.ended && run.decoder.whole() && run.decoder.ended());
}

#[test]
fn llama_cpp_says_the_same_in_a_stream_and_whole() {
    let streamed = capture(CHAT, include_str!("../../fixtures/llama-chat.sse"));
    let whole = body(CHAT, 200, include_str!("../../fixtures/llama-chat.json"));
    assert_eq!(streamed.reply.text, "Je m'aime, c'est le jeu");
    assert_eq!(whole.reply.text, streamed.reply.text);
    assert_eq!(streamed.words()[0], "role");
    assert_eq!(streamed.reply.finish, whole.reply.finish);
    assert_eq!(streamed.reply.usage.as_ref().unwrap().output_tokens, Some(12));
    assert!(streamed.decoder.whole() && whole.decoder.whole() && whole.decoder.ended());
    let refused = body(CHAT, 400, include_str!("../../fixtures/llama-too-long.json"));
    let (code, message) = refused.reply.error.unwrap();
    assert_eq!(code, "400");
    assert!(message.starts_with("request (9031 tokens) exceeds"));
}

#[test]
fn without_done_a_stream_is_not_whole() {
    let run = stream(CHAT, &[&delta(json!({"content": "a"})), &finish("stop")]);
    assert!(!run.decoder.whole() && !run.decoder.ended());
}

#[test]
fn reasoning_under_both_names_is_told_once() {
    let run = chat(&[
        delta(json!({"role": "assistant", "reasoning_content": "a", "reasoning": "a", "content": null})),
        delta(json!({"reasoning": "b", "reasoning_content": ""})),
        delta(json!({"reasoning_content": "c"})),
        delta(json!({"reasoning": "d", "reasoning_details": [{"type": "reasoning.text", "text": "d"}]})),
        delta(json!({"reasoning_details": [{"type": "reasoning.summary", "summary": "e"}, {"type": "reasoning.encrypted", "data": "x"}]})),
    ]);
    assert_eq!((run.reply.reasoning.as_str(), run.reply.text.as_str()), ("abcde", ""));
}

#[test]
fn mistral_sends_lists_and_objects() {
    let run = chat(&[
        delta(json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}], "closed": true}]})),
        delta(
            json!({"content": [{"type": "text", "text": "a"}, {"type": "reference", "reference_ids": [1]}, {"type": "text", "text": "b"}]}),
        ),
        delta(
            json!({"tool_calls": [{"id": "null", "function": {"name": "f", "arguments": {"x": 1}}}, {"id": "null", "function": {"name": "g", "arguments": "{}"}}]}),
        ),
    ]);
    assert_eq!((run.reply.reasoning.as_str(), run.reply.text.as_str()), ("hm", "ab"));
    assert_eq!(run.calls(), [("", "f", r#"{"x":1}"#), ("", "g", "{}")]);
    assert!(run.words().contains(&"reference"));
}

#[test]
fn tool_calls_interleave_by_index() {
    let call = |calls: Value| delta(json!({ "tool_calls": calls }));
    let run = chat(&[
        call(json!([{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}])),
        call(json!([{"index": 1, "id": "b", "type": "function", "function": {"name": "g", "arguments": "{"}}])),
        call(json!([{"index": 0, "function": {"arguments": "{\"q\""}}])),
        call(json!([{"index": 1, "id": "", "function": {"name": "", "arguments": "}"}}, {"index": 0, "function": {"arguments": ":1}"}}])),
        finish("tool_calls"),
    ]);
    assert_eq!(run.calls(), [("a", "f", r#"{"q":1}"#), ("b", "g", "{}")]);
}

#[test]
fn parallel_calls_all_numbered_zero_stay_apart() {
    let run = chat(&[
        delta(json!({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "1"}}]})),
        delta(json!({"tool_calls": [{"index": 0, "id": "b", "function": {"name": "f", "arguments": "2"}}]})),
        delta(json!({"tool_calls": [{"index": 0, "function": {"arguments": "3"}}]})),
    ]);
    assert_eq!(run.calls(), [("a", "f", "1"), ("b", "f", "23")]);
    // An id made anew for every fragment, and no name: one call.
    let run = chat(&[
        delta(json!({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "1"}}]})),
        delta(json!({"tool_calls": [{"index": 0, "id": "b", "function": {"arguments": "2"}}]})),
    ]);
    assert_eq!(run.calls(), [("b", "f", "12")]);
    // No index: by id, or the last.
    let run = chat(&[
        delta(
            json!({"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "1"}}, {"id": "b", "function": {"name": "g", "arguments": "2"}}]}),
        ),
        delta(json!({"tool_calls": [{"id": "a", "function": {"arguments": "3"}}, {"function": {"arguments": "4"}}]})),
    ]);
    assert_eq!(run.calls(), [("a", "f", "13"), ("b", "g", "24")]);
}

#[test]
fn the_deprecated_function_call() {
    let run =
        chat(&[delta(json!({"function_call": {"name": "f", "arguments": "{"}})), delta(json!({"function_call": {"arguments": "}"}}))]);
    assert_eq!(run.calls(), [("", "f", "{}")]);
}

#[test]
fn other_choices_are_shown_but_not_mixed_in() {
    let run = stream(
        CHAT,
        &[
            r#"{"choices":[{"index":0,"delta":{"content":"a"}},{"index":1,"delta":{"content":"X"}}]}"#,
            r#"{"choices":[{"index":1,"delta":{"content":"Y"},"finish_reason":"length"}]}"#,
            r#"{"choices":[{"index":0,"delta":{"content":"b"},"finish_reason":"stop"}]}"#,
        ],
    );
    assert_eq!(run.reply.text, "ab");
    assert_eq!(run.reply.finish.as_ref().unwrap().reason, "stop");
    assert_eq!(run.words(), ["a", "choice 1", "choice 1", "b", "stop"]);
}

#[test]
fn calls_of_another_choice_are_not_joined_to_those_of_the_first() {
    let call = |choice: u64, id: &str, arguments: &str| {
        let function = if id.is_empty() { json!({"arguments": arguments}) } else { json!({"name": "f", "arguments": arguments}) };
        let mut fragment = json!({"index": 0, "type": "function", "function": function});
        if !id.is_empty() {
            fragment["id"] = json!(id);
        }
        json!({"choices": [{"index": choice, "delta": {"tool_calls": [fragment]}}]}).to_string()
    };
    let run =
        chat(&[call(0, "a", ""), call(1, "b", ""), call(0, "", "{\"q\""), call(1, "", "{\"z\""), call(0, "", ":1}"), call(1, "", ":2}")]);
    assert_eq!(run.calls(), [("a", "f", "{\"q\":1}")]);
}

#[test]
fn usage_comes_in_many_places_and_replaces() {
    let usage = |run: &Run| run.reply.usage.clone().map(|usage| (usage.input_tokens, usage.output_tokens));
    let groq = chat(&[r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"r","usage":{"prompt_tokens":1,"completion_tokens":2}}}"#.to_owned()]);
    assert_eq!(usage(&groq), Some((Some(1), Some(2))));
    let moonshot = chat(&[
        r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":3,"completion_tokens":4}}]}"#.to_owned(),
    ]);
    assert_eq!(usage(&moonshot), Some((Some(3), Some(4))));
    let continuous = chat(&[
        r#"{"choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"prompt_tokens":3,"completion_tokens":1}}"#.to_owned(),
        r#"{"choices":[{"index":0,"delta":{"content":"b"}}],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#.to_owned(),
        r#"{"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}"#.to_owned(),
    ]);
    assert_eq!(usage(&continuous), Some((Some(3), Some(2))));
    assert_eq!(continuous.reply.text, "ab");
    let deepseek = chat(&[r#"{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12,"prompt_cache_hit_tokens":4,"prompt_cache_miss_tokens":6}}"#.to_owned()]);
    assert_eq!(deepseek.reply.usage.as_ref().unwrap().cached_tokens, Some(4));
    let written = chat(&[r#"{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":5}}}"#.to_owned()]);
    let kept = written.reply.usage.as_ref().unwrap();
    assert_eq!((kept.cached_tokens, kept.cache_write_tokens, kept.input_includes_cached), (Some(4), Some(5), Some(true)));
    let xai = chat(&[r#"{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":20,"completion_tokens_details":{"reasoning_tokens":8}}}"#.to_owned()]);
    assert_eq!(xai.reply.usage.as_ref().unwrap().output_includes_reasoning, Some(false));
}

#[test]
fn errors_inside_a_success() {
    for (events, code, message) in [
        // OpenRouter
        (
            vec![
                r#"{"choices":[{"index":0,"delta":{"content":"","role":"assistant"},"finish_reason":"error","native_finish_reason":null}],"error":{"code":502,"message":"Provider disconnected","metadata":{}}}"#,
            ],
            "502",
            "Provider disconnected",
        ),
        // vLLM, then [DONE]
        (vec![r#"{"error":{"message":"boom","type":"InternalServerError","param":null,"code":500}}"#, "[DONE]"], "500", "boom"),
        (vec![r#"{"error":"out of memory"}"#, "[DONE]"], "", "out of memory"),
        // Groq
        (vec![r#"{"choices":[{"index":0,"delta":{}}],"x_groq":{"error":"over capacity"}}"#, "[DONE]"], "", "over capacity"),
        (
            vec![r#"{"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}"#, "[DONE]"],
            "error",
            "the reply ended with finish_reason error",
        ),
        (vec![r#"{"object":"error","message":"no model","type":"NotFoundError","code":404}"#], "404", "no model"),
        (vec![r#"{"code":"InvalidParameter","message":"bad","request_id":"r"}"#], "InvalidParameter", "bad"),
    ] {
        let run = stream(CHAT, &events);
        assert_eq!(run.reply.error, Some((code.to_owned(), message.to_owned())), "{events:?}");
        assert!(!run.decoder.whole(), "{events:?}");
        assert_eq!(run.kinds().iter().filter(|kind| **kind == DeltaKind::Error).count(), 1, "{events:?}");
    }
    // xAI: a JSON body to a stream request.
    let run = body(CHAT, 200, r#"{"code":"Client specified an invalid argument","error":"Model not found: grok-0"}"#);
    assert_eq!(run.reply.error, Some(("Client specified an invalid argument".to_owned(), "Model not found: grok-0".to_owned())));
    // `event: error`, with and without JSON.
    for data in ["broken pipe", r#"{"message":"broken pipe"}"#] {
        let mut run = Run::new(CHAT, 200);
        run.feed(Payload::Event { event: "error", data });
        assert_eq!(run.reply.error.unwrap().1, "broken pipe");
    }
    // Not errors.
    let run = chat(&[
        r#"{"error":null,"choices":[{"index":0,"delta":{"content":"a"}}]}"#.to_owned(),
        r#"{"error":{},"choices":[{"index":0,"delta":{"content":"b"}}]}"#.to_owned(),
    ]);
    assert!(run.decoder.whole() && run.reply.text == "ab");
}

#[test]
fn error_bodies() {
    for (text, code, message) in [
        (
            r#"{"error":{"message":"Incorrect API key","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#,
            "invalid_api_key",
            "Incorrect API key",
        ),
        (r#"{"error":{"message":"m","type":"t","code":null}}"#, "t", "m"),
        (r#"{"error":"invalid_client","error_description":"who?"}"#, "invalid_client", "who?"),
        (r#"{"message":"no Route matched"}"#, "", "no Route matched"),
        (r#"{"detail":"Not Found"}"#, "", "Not Found"),
        (r#"{"detail":[{"loc":["body","messages"],"msg":"Field required","type":"missing"}]}"#, "", "body.messages: Field required"),
        (r#"[{"error":{"code":400,"message":"API key not valid","status":"INVALID_ARGUMENT"}}]"#, "400", "API key not valid"),
        (r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#, "overloaded_error", "Overloaded"),
        (r#"{"strange":true}"#, "", r#"{"strange":true}"#),
        (r#""just words""#, "", "just words"),
        ("<!DOCTYPE html>\n<html><head><TITLE>\n502 Bad &amp; Gateway</title></head>", "", "502 Bad & Gateway"),
        ("<html>", "", "an HTML page without a title"),
        ("  upstream connect error\n", "", "upstream connect error"),
        ("", "", "HTTP 502 with an empty body"),
        ("{\"error\": {\"mess", "", "{\"error\": {\"mess"),
    ] {
        for id in [CHAT, "openai-responses"] {
            let run = body(id, 502, text);
            assert_eq!(run.reply.error, Some((code.to_owned(), message.to_owned())), "{id} {text}");
            assert!(!run.decoder.whole());
        }
    }
    let deep = format!("{}1{}", r#"{"error":"#.repeat(100_000), "}".repeat(100_000));
    assert!(body(CHAT, 500, &deep).reply.error.is_some());
    let deep = format!("{}1{}", r#"{"error":"#.repeat(200), "}".repeat(200));
    assert!(body(CHAT, 500, &deep).reply.error.is_some());
    // A gateway's page under status 200.
    assert_eq!(body(CHAT, 200, "<html><title>Sign in</title>").reply.error.unwrap().1, "Sign in");
}

#[test]
fn whatever_comes_is_shown() {
    for (data, kind, word) in [
        ("", DeltaKind::Unknown, "empty"),
        ("{\"choices\":[", DeltaKind::Unknown, "not JSON: EOF"),
        ("nonsense", DeltaKind::Unknown, "not JSON: expected"),
        ("[1,2]", DeltaKind::Unknown, "a JSON array of 2, not"),
        ("3", DeltaKind::Unknown, "a JSON number, not"),
        (r#"{"foo":1,"bar":2}"#, DeltaKind::Unknown, "a JSON object with foo, bar, not"),
        (r#"{"choices":[],"prompt_filter_results":[{"prompt_index":0}]}"#, DeltaKind::Control, "prompt_filter_results"),
        (r#"{"choices":[]}"#, DeltaKind::Control, "no choices"),
        (
            r#"{"choices":[{"index":0,"finish_reason":null,"content_filter_results":{"hate":{}}}]}"#,
            DeltaKind::Control,
            "content_filter_results",
        ),
        (r#"{"choices":[{"index":0,"delta":null}]}"#, DeltaKind::Control, "empty"),
        (r#"{"choices":[{"index":0,"delta":{"content":null}}],"prompt_progress":{"total":9}}"#, DeltaKind::Control, "prompt_progress"),
        (r#"{"choices":{},"object":"chat.completion.chunk"}"#, DeltaKind::Control, "empty"),
        (r#"{"choices":[{"index":0,"delta":{"content":"a","content":"b"}}],"choices":[{"delta":{"content":"c"}}]}"#, DeltaKind::Text, "c"),
        (r#"{"choices":[{"delta":{"content":"a\ud800b"}}]}"#, DeltaKind::Text, "a\u{fffd}b"),
        (" [DONE] ", DeltaKind::Control, "[DONE]"),
    ] {
        let run = stream(CHAT, &[data]);
        assert_eq!(run.kinds(), [kind], "{data}");
        assert!(run.words()[0].starts_with(word), "{data}: {:?}", run.words());
    }
    assert!(body(CHAT, 200, "data: {}\n\n").words()[0].contains("server-sent events"));
}

#[test]
fn a_body_is_read_as_a_body_whatever_was_asked() {
    let text = "\n\n  {\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"hi\",\"reasoning_content\":\"hm\",\"tool_calls\":[{\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},\"finish_reason\":\"tool_calls\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}";
    let run = body(CHAT, 200, text);
    assert_eq!((run.reply.text.as_str(), run.reply.reasoning.as_str()), ("hi", "hm"));
    assert_eq!(run.calls(), [("a", "f", "{}")]);
    assert!(run.decoder.whole());
    assert!(!body(CHAT, 200, "{\"choices\":[]}").decoder.whole());
    assert!(!body(CHAT, 200, "{}").decoder.whole());
}

#[test]
fn a_closing_message_is_not_told_twice() {
    let run = stream(
        CHAT,
        &[
            &delta(json!({"content": "ab"})),
            r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"ab"},"finish_reason":"stop"}]}"#,
        ],
    );
    assert_eq!(run.reply.text, "ab");
    let run = stream(CHAT, &[r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"ab"},"finish_reason":"stop"}]}"#]);
    assert_eq!(run.reply.text, "ab");
}

#[test]
fn what_is_sent() {
    let mut question = ask("hi");
    question.system = "be brief".to_owned();
    question.messages.push(Message {
        role: Role::Assistant,
        text: String::new(),
        tool_calls: vec![ToolCall { id: "a".to_owned(), name: "f".to_owned(), arguments: "{}".to_owned(), signature: None }],
        ..Message::new(Role::Assistant, "")
    });
    question.messages.push(Message { tool_call_id: Some("a".to_owned()), ..Message::new(Role::Tool, "42") });
    question.tools.push(Tool { name: "f".to_owned(), description: "d".to_owned(), parameters: json!({"type": "object"}) });
    question.params.temperature = Some(0.5);
    question.params.top_p = Some(0.9);
    question.params.max_tokens = Some(7);
    question.params.seed = Some(-1);
    question.params.stop = vec!["x".to_owned()];
    question.params.reasoning = Some("low".to_owned());
    question.params.tool_choice = Some("f".to_owned());
    let call = OpenAiChat.call(&question, Transport::Sse, "http://127.0.0.1:8080/v1/", false, "Authorization: Bearer {key}").unwrap();
    assert_eq!((call.method.as_str(), call.url.as_str()), ("POST", "http://127.0.0.1:8080/v1/chat/completions"));
    assert!(call.headers.iter().any(|header| header.name == "Authorization" && header.value == "Bearer {key}"));
    assert_eq!(
        call.body,
        concat!(
            r#"{"model":"m","messages":[{"role":"system","content":"be brief"},{"role":"user","content":"hi"},"#,
            r#"{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":"42"}],"#,
            r#""temperature":0.5,"top_p":0.9,"max_tokens":7,"seed":-1,"stop":["x"],"reasoning_effort":"low","#,
            r#""tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}],"tool_choice":{"type":"function","function":{"name":"f"}},"stream":true,"stream_options":{"include_usage":true}}"#,
        )
    );
    let body = |base: &str, transport| OpenAiChat.call(&question, transport, base, false, "").unwrap().body;
    assert!(body("https://api.openai.com/v1", Transport::Http).contains(r#""max_completion_tokens":7"#));
    assert!(body("https://eu.api.openai.com/v1", Transport::Http).contains(r#""max_completion_tokens":7"#));
    assert!(body("https://notapi.openai.com.evil/v1", Transport::Http).contains(r#""max_tokens":7"#));
    assert!(!body("https://api.openai.com/v1", Transport::Http).contains("stream"));
    let mistral = body("https://api.mistral.ai/v1", Transport::Sse);
    assert!(mistral.contains("random_seed") && !mistral.contains("stream_options"));
}

#[test]
fn urls() {
    let url = |base: &str, whole| OpenAiChat.call(&ask("hi"), Transport::Sse, base, whole, "").map(|call| call.url);
    assert_eq!(url("https://h/v1", false).unwrap(), "https://h/v1/chat/completions");
    assert_eq!(url("https://h", false).unwrap(), "https://h/chat/completions");
    assert_eq!(url("https://h/v1/chat/completions", false).unwrap(), "https://h/v1/chat/completions");
    assert_eq!(url("https://h/d?api-version=1#f", false).unwrap(), "https://h/d/chat/completions?api-version=1");
    assert_eq!(url("wss://h/any/where/", true).unwrap(), "https://h/any/where/");
    for (base, why) in [
        ("ftp://h", "its scheme is ftp"),
        ("h/v1", "relative URL"),
        ("", "relative URL"),
        ("https://{resource}.openai.azure.com/v1", "{resource} is to be filled in"),
        ("http://", "empty host"),
    ] {
        assert!(matches!(url(base, false), Err(AskError::Url { why: told, .. }) if told.contains(why)), "{base}: {:?}", url(base, false));
    }
}

#[test]
fn what_cannot_be_asked_is_said_before() {
    let refused = |question: &Ask, transport| OpenAiChat.check(question, transport).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(refused(&ask("hi"), Transport::Sse), Vec::<String>::new());
    assert_eq!(refused(&ask("hi"), Transport::Websocket), ["OpenAI Chat Completions has no websocket transport; it has sse, http"]);
    let mut question = ask("hi");
    question.params.tool_choice = Some("f".to_owned());
    question.params.temperature = Some(f64::NAN);
    question.messages.push(Message::new(Role::Tool, ""));
    assert_eq!(refused(&question, Transport::Sse).len(), 3);
    question.raw_body = Some("{\"model\":1}".to_owned());
    assert_eq!(refused(&question, Transport::Sse), Vec::<String>::new());
    for raw in ["", "[]", "{", "{} {}"] {
        question.raw_body = Some(raw.to_owned());
        assert!(matches!(OpenAiChat.call(&question, Transport::Sse, "http://h", false, ""), Err(AskError::Body(_))), "{raw}");
    }
}

/// Any text, as often as not of the characters that JSON, SSE and UTF-16 trip over.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        ".{0,12}",
        Just("\"\\\n\r\t\u{8}\u{c}\u{0}".to_owned()),
        Just("\u{2028}\u{2029}\u{85}\u{feff}".to_owned()),
        Just("😀👩‍👩‍👧漢字".to_owned()),
        Just("\\ud800".to_owned()),
        Just("data: [DONE]\n\n".to_owned())
    ];
    proptest::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

/// A JSON string, its non-ASCII characters escaped or not.
pub(crate) fn sent(text: &str, ascii: bool) -> String {
    let plain = serde_json::to_string(text).unwrap();
    if !ascii {
        return plain;
    }
    let mut units = [0_u16; 2];
    plain
        .chars()
        .map(
            |c| {
                if c.is_ascii() { c.to_string() } else { c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect() }
            },
        )
        .collect()
}

#[test]
fn a_character_may_come_in_two_halves() {
    let delta = |name: &str, escaped: &str| format!(r#"{{"choices":[{{"index":0,"delta":{{"{name}":"{escaped}"}}}}]}}"#);
    let text = |escaped: &str| delta("content", escaped);
    let run = stream(CHAT, &[&text(r"a\\ud83d"), &text(r"\ude00b"), "[DONE]"]);
    assert_eq!(run.reply.text, "a\\ud83d\u{fffd}b", "an escaped backslash is no half");
    let run = stream(CHAT, &[&text(r"a\ud83d"), &text(r"\uDE00b"), &text(r"\uD83D"), &text(r"\ude01"), &text(r"\ud83d"), "[DONE]"]);
    assert_eq!(run.reply.text, "a😀b😁\u{fffd}");
    assert!(run.words().contains(&"half a character"));
    let run =
        stream(CHAT, &[&text(r"\ud83d"), &delta("reasoning", r"\ud83d"), &text("x"), &delta("reasoning", r"\ude00"), &finish("stop")]);
    assert_eq!((run.reply.text.as_str(), run.reply.reasoning.as_str()), ("\u{fffd}x", "😀"));
}

#[test]
fn structured_output_and_members_without_a_field() {
    let mut question = ask("hi");
    question.output = Some(Output { name: String::new(), schema: Some(json!({"type": "object"})) });
    question.params.extra = json!({"top_k": 4, "stream_options": {"include_obfuscation": false}, "response_format": {"json_schema": {"strict": false}}, "stop": "x"}).as_object().unwrap().clone();
    let body: Value = serde_json::from_str(&OpenAiChat.call(&question, Transport::Sse, "http://h", false, "").unwrap().body).unwrap();
    assert_eq!(
        body["response_format"],
        json!({"type": "json_schema", "json_schema": {"name": "reply", "strict": false, "schema": {"type": "object"}}})
    );
    assert_eq!(body["stream_options"], json!({"include_usage": true, "include_obfuscation": false}));
    assert_eq!((&body["top_k"], &body["stop"]), (&json!(4), &json!("x")));
    question.output = Some(Output { name: "a b".to_owned(), schema: Some(json!([])) });
    assert_eq!(OpenAiChat.check(&question, Transport::Sse).len(), 2);
    question.output = Some(Output { name: String::new(), schema: None });
    assert!(
        OpenAiChat.call(&question, Transport::Sse, "http://h", false, "").unwrap().body.contains(r#"{"type":"json_object"}"#)
            || question.params.extra.contains_key("response_format")
    );
}

#[test]
fn bodies_are_read_as_what_they_are_built_from() {
    let read = |body: Value| OpenAiChat.read(&body.to_string(), "https://api.openai.com/v1/chat/completions", Transport::Sse);
    let messages = json!([{"role": "system", "content": "s"}, {"role": "user", "content": "hi"}]);
    let ask = read(json!({"model": "m", "messages": messages, "temperature": 1, "max_completion_tokens": 5, "max_tokens": 6, "logit_bias": {"1": 2}, "stop": "x", "stream": true})).unwrap();
    assert_eq!(
        (ask.system.as_str(), ask.messages.len(), ask.params.temperature, ask.params.max_tokens, ask.params.usage),
        ("s", 1, Some(1.0), Some(5), Some(false))
    );
    assert_eq!(Value::Object(ask.params.extra), json!({"max_tokens": 6, "logit_bias": {"1": 2}, "stop": "x"}));
    let tools = json!([{"type": "web_search"}, {"type": "function", "function": {"name": "f", "parameters": {}}}]);
    let ask = read(json!({"model": "m", "messages": messages, "tools": tools, "stream": true})).unwrap();
    assert!(ask.tools.is_empty() && ask.params.extra["tools"] == tools);
    for refused in [json!({"model": "m", "stream": true}), json!({"messages": messages}), json!([])] {
        assert_eq!(read(refused.clone()), None, "{refused}");
    }
}

/// Members as a peer's documentation would have them, and as it would not.
fn member() -> impl Strategy<Value = (String, Value)> {
    let name = proptest::sample::select(vec![
        "model",
        "temperature",
        "top_p",
        "max_tokens",
        "max_completion_tokens",
        "seed",
        "random_seed",
        "stop",
        "tools",
        "tool_choice",
        "response_format",
        "reasoning_effort",
        "thinking",
        "enable_thinking",
        "thinking_budget",
        "reasoning",
        "stream",
        "stream_options",
        "top_k",
        "metadata",
    ]);
    let value = proptest::sample::select(vec![
        json!("m"),
        json!(""),
        json!(null),
        json!(true),
        json!(false),
        json!(1),
        json!(1.0),
        json!(0.5),
        json!(-3),
        json!([]),
        json!(["x"]),
        json!({}),
        json!("auto"),
        json!({"type": "enabled"}),
        json!({"type": "json_object"}),
        json!({"effort": "low", "exclude": true}),
        json!({"include_usage": true}),
        json!({"include_usage": false, "x": 1}),
        json!({"type": "function", "function": {"name": "f"}}),
        json!({"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}),
        json!([{"type": "function", "function": {"name": "f", "parameters": {}}}]),
        json!({"max_tokens": 3}),
    ]);
    (name.prop_map(str::to_owned), value)
}

/// A turn, as any dialect's message may be.
pub(crate) fn turn() -> impl Strategy<Value = Message> {
    let call = (text(), text()).prop_map(|(name, arguments)| ToolCall { id: "c".to_owned(), name, arguments, signature: None });
    let attachment = proptest::sample::select(vec!["image/png", "application/pdf", "audio/wav"]).prop_map(|media_type| Attachment {
        media_type: media_type.to_owned(),
        name: "a".to_owned(),
        source: Source::Data("QUJD".to_owned()),
    });
    prop_oneof![
        (text(), proptest::collection::vec(attachment, 0..3))
            .prop_map(|(text, attachments)| Message { attachments, ..Message::new(Role::User, text) }),
        (text(), proptest::collection::vec(call, 0..3), proptest::option::of(text())).prop_map(|(text, tool_calls, reasoning)| Message {
            tool_calls,
            reasoning,
            ..Message::new(Role::Assistant, text)
        }),
        text().prop_map(|text| Message { tool_call_id: Some("c".to_owned()), ..Message::new(Role::Tool, text) }),
    ]
}

/// A question, with whatever may stand in `extra`.
pub(crate) fn question() -> impl Strategy<Value = Ask> {
    let params = (
        proptest::option::of((-200..200_i32).prop_map(|n| f64::from(n) / 100.0)),
        proptest::option::of(0_u64..9),
        proptest::option::of(any::<i64>()),
        proptest::collection::vec(text(), 0..3),
        proptest::option::of(prop_oneof![Just("low".to_owned()), Just("enabled".to_owned()), Just("500".to_owned())]),
        proptest::option::of(any::<bool>()),
    );
    let tool = (text(), text()).prop_map(|(name, description)| Tool { name, description, parameters: json!({"type": "object"}) });
    let output = proptest::option::of((any::<bool>()).prop_map(|schema| Output {
        name: if schema { "n".to_owned() } else { String::new() },
        schema: schema.then(|| json!({"type": "object"})),
    }));
    (
        text(),
        text(),
        proptest::collection::vec(turn(), 0..5),
        params,
        proptest::collection::vec(tool, 0..3),
        output,
        proptest::collection::vec(member(), 0..3),
    )
        .prop_map(|(model, system, messages, params, tools, output, extra)| {
            let (temperature, max_tokens, seed, stop, reasoning, usage) = params;
            let tool_choice = (!tools.is_empty()).then(|| "auto".to_owned());
            let extra = extra.into_iter().collect();
            Ask {
                model,
                system,
                messages,
                tools,
                output,
                params: crate::Params {
                    temperature,
                    max_tokens,
                    seed,
                    stop,
                    reasoning,
                    usage,
                    tool_choice,
                    extra,
                    ..crate::Params::default()
                },
                raw_body: None,
                system_aside: None,
            }
        })
}

proptest! {
    #[test]
    fn what_is_built_is_read(question in question(), stream in any::<bool>(), host in proptest::sample::select(vec!["api.openai.com", "api.deepseek.com", "openrouter.ai", "dashscope.aliyuncs.com", "api.mistral.ai", "h"])) {
        let wishes = super::wishes::Wishes::at(&format!("https://{host}/v1"));
        let built = super::body::build(&question, stream, wishes);
        let read = super::body::read(&Value::Object(built.clone()).to_string(), stream, wishes);
        // What `extra` takes from under the fields cannot be told from a body that never had it.
        match read {
            Some(read) => prop_assert_eq!(super::body::build(&read, stream, wishes), built),
            None => prop_assert!(!question.params.extra.is_empty(), "{}", Value::Object(built)),
        }
    }

    #[test]
    fn any_body_is_read_or_refused(members in proptest::collection::vec(member(), 0..6), stream in any::<bool>()) {
        let mut body: serde_json::Map<String, Value> = members.into_iter().collect();
        body.insert("messages".to_owned(), json!([{"role": "user", "content": "hi"}]));
        let wishes = super::wishes::Wishes::at("https://api.deepseek.com");
        if let Some(read) = super::body::read(&Value::Object(body.clone()).to_string(), stream, wishes) {
            prop_assert_eq!(super::body::build(&read, stream, wishes), body);
        }
    }

    #[test]
    fn what_is_encoded_is_decoded(texts in proptest::collection::vec((text(), any::<bool>(), any::<bool>()), 0..8), arguments in proptest::collection::vec((0_u64..3, text()), 0..6), counts in (1_u64..1 << 60, 0_u64..1 << 60), spaced in any::<bool>()) {
        let mut run = Run::new(CHAT, 200);
        let (mut reply, mut reasoning) = (String::new(), String::new());
        let space = if spaced { " \n" } else { "" };
        for (text, thought, ascii) in &texts {
            let name = if *thought { "reasoning_content" } else { "content" };
            if *thought { reasoning.push_str(text) } else { reply.push_str(text) }
            let data = format!(r#"{{{space}"choices":{space}[{{"index":0,"delta":{{"{name}"{space}:{space}{}}}}}]}}"#, sent(text, *ascii));
            run.feed(Payload::Event { event: "message", data: &data });
        }
        let mut calls: Vec<(u64, String)> = Vec::new();
        for (index, text) in &arguments {
            let data = format!(r#"{{"choices":[{{"index":0,"delta":{{"tool_calls":[{{"index":{index},"function":{{"arguments":{}}}}}]}}}}]}}"#, sent(text, true));
            run.feed(Payload::Message(data.as_bytes()));
            match calls.iter_mut().find(|(known, _)| known == index) {
                Some((_, known)) => known.push_str(text),
                None => calls.push((*index, text.clone())),
            }
        }
        run.feed(Payload::Event { event: "message", data: &json!({"choices": [], "usage": {"prompt_tokens": counts.0, "completion_tokens": counts.1}}).to_string() });
        run.feed(Payload::Event { event: "message", data: "[DONE]" });
        prop_assert_eq!(&run.reply.text, &reply);
        prop_assert_eq!(&run.reply.reasoning, &reasoning);
        let told: Vec<&str> = run.calls().into_iter().map(|(_, _, arguments)| arguments).collect();
        prop_assert_eq!(told, calls.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>());
        let usage = run.reply.usage.clone().unwrap();
        prop_assert_eq!((usage.input_tokens, usage.output_tokens), (Some(counts.0), Some(counts.1)));
        prop_assert!(run.decoder.whole());
    }

    #[test]
    fn half_pairs_cost_one_character(before in text(), after in text(), half in 0xd800_u32..0xe000) {
        let escape = format!("\\u{half:04X}");
        let quoted = |text: &str| reading::content(reading::value(&sent(text, false)).unwrap()).unwrap().to_owned();
        let data = format!(r#"{{"choices":[{{"delta":{{"content":"{}{escape}{}"}}}}]}}"#, quoted(&before), quoted(&after));
        let run = stream(CHAT, &[&data, "[DONE]"]);
        prop_assert_eq!(run.reply.text, format!("{before}\u{fffd}{after}"));
    }

    #[test]
    fn nothing_panics_and_everything_is_told(bytes in proptest::collection::vec(any::<u8>(), 0..200), code in prop_oneof![Just(200_u16), Just(500)]) {
        for id in [CHAT, "openai-responses", "raw"] {
            let mut run = Run::new(id, code);
            for payload in [Payload::Line(&bytes), Payload::Message(&bytes), Payload::Body(&bytes)] {
                let mut told = 0;
                run.decoder.payload(payload, &mut |_| told += 1);
                prop_assert!(told > 0);
            }
        }
    }
}
