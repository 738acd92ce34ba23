use proptest::prelude::*;
use serde_json::{Value, json};

use super::OpenAiResponses;
use crate::openai_chat::tests::{question, sent, text};
use crate::tests::{Run, ask, body, capture, stream};
use crate::{DeltaKind, Dialect, Message, Outgoing, Payload, Role, Tool, ToolCall, Transport, Usage};

const ID: &str = "openai-responses";

fn responses(events: &[Value]) -> Run {
    let events: Vec<String> = events.iter().map(Value::to_string).collect();
    stream(ID, &events.iter().map(String::as_str).collect::<Vec<_>>())
}

fn completed() -> Value {
    json!({"type": "response.completed", "response": {"id": "r", "status": "completed", "output": [], "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}}})
}

#[test]
fn llama_cpp_says_the_same_in_a_stream_as_in_chat() {
    let run = capture(ID, include_str!("../../fixtures/llama-responses.sse"));
    assert_eq!(run.reply.text, "Je m'aime, c'est le jeu");
    assert_eq!(run.kinds().iter().filter(|kind| **kind == DeltaKind::Text).count(), 12);
    assert_eq!(run.reply.finish.as_ref().unwrap().reason, "completed");
    assert_eq!(run.reply.usage.as_ref().unwrap().total_tokens, Some(52));
    assert!(run.reply.ended && run.decoder.whole() && run.decoder.ended());
    let whole = body(ID, 200, include_str!("../../fixtures/llama-responses.json"));
    assert_eq!(whole.reply.text, "Hello there! How can I assist you today?");
    assert!(whole.decoder.whole() && whole.decoder.ended());
}

#[test]
fn a_whole_run_with_indices() {
    let run = responses(&[
        json!({"type": "response.created", "response": {"status": "in_progress"}, "sequence_number": 0}),
        json!({"type": "response.in_progress", "response": {}, "sequence_number": 1}),
        json!({"type": "keepalive", "sequence_number": 2}),
        json!({"type": "response.output_item.added", "output_index": 0, "item": {"type": "reasoning", "id": "rs", "summary": []}}),
        json!({"type": "response.reasoning_summary_part.added", "item_id": "rs", "output_index": 0, "summary_index": 0, "part": {"type": "summary_text", "text": ""}}),
        json!({"type": "response.reasoning_summary_text.delta", "item_id": "rs", "output_index": 0, "summary_index": 0, "delta": "hm"}),
        json!({"type": "response.reasoning_summary_text.done", "item_id": "rs", "output_index": 0, "summary_index": 0, "text": "hm"}),
        json!({"type": "response.reasoning_summary_part.done", "item_id": "rs", "output_index": 0, "summary_index": 0, "part": {"type": "summary_text", "text": "hm"}}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "hm"}], "content": [{"type": "reasoning_text", "text": "hm"}]}}),
        json!({"type": "response.output_item.added", "output_index": 1, "item": {"type": "message", "id": "m", "content": []}}),
        json!({"type": "response.content_part.added", "item_id": "m", "output_index": 1, "content_index": 0, "part": {"type": "output_text", "text": ""}}),
        json!({"type": "response.output_text.delta", "item_id": "m", "output_index": 1, "content_index": 0, "delta": "a"}),
        json!({"type": "response.output_text.delta", "item_id": "m", "output_index": 1, "content_index": 0, "delta": "b"}),
        json!({"type": "response.output_text.annotation.added", "annotation": {}}),
        json!({"type": "response.output_text.done", "item_id": "m", "output_index": 1, "content_index": 0, "text": "ab"}),
        json!({"type": "response.content_part.done", "item_id": "m", "output_index": 1, "content_index": 0, "part": {"type": "output_text", "text": "ab"}}),
        json!({"type": "response.refusal.delta", "item_id": "m", "output_index": 1, "content_index": 1, "delta": "no"}),
        json!({"type": "response.refusal.done", "item_id": "m", "output_index": 1, "content_index": 1, "refusal": "no"}),
        json!({"type": "response.output_item.done", "output_index": 1, "item": {"type": "message", "id": "m", "content": [{"type": "output_text", "text": "ab"}, {"type": "refusal", "refusal": "no"}]}}),
        json!({"type": "response.output_item.added", "output_index": 2, "item": {"type": "function_call", "id": "fc", "call_id": "call", "name": "f", "arguments": ""}}),
        json!({"type": "response.function_call_arguments.delta", "item_id": "fc", "output_index": 2, "delta": "{\"q\":"}),
        json!({"type": "response.function_call_arguments.delta", "item_id": "fc", "output_index": 2, "delta": "1}"}),
        json!({"type": "response.function_call_arguments.done", "item_id": "fc", "output_index": 2, "arguments": "{\"q\":1}"}),
        json!({"type": "response.output_item.done", "output_index": 2, "item": {"type": "function_call", "id": "fc", "call_id": "call", "name": "f", "arguments": "{\"q\":1}"}}),
        json!({"type": "response.completed", "response": {"status": "completed", "output": [
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}, {"type": "message", "content": [{"type": "output_text", "text": "ab"}]}, {"type": "function_call", "id": "fc", "call_id": "call", "name": "f", "arguments": "{\"q\":1}"}],
            "usage": {"input_tokens": 10, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": 6, "output_tokens_details": {"reasoning_tokens": 3}, "total_tokens": 16}}}),
    ]);
    assert_eq!((run.reply.text.as_str(), run.reply.reasoning.as_str(), run.reply.refusal.as_str()), ("ab", "hm", "no"));
    assert_eq!(run.calls(), [("call", "f", "{\"q\":1}")]);
    let fragments: Vec<_> = run.deltas.iter().filter(|delta| delta.kind == DeltaKind::ToolCall).map(|delta| delta.text.as_str()).collect();
    assert_eq!(fragments, ["", "{\"q\":", "1}"]);
    let usage = Usage {
        input_tokens: Some(10),
        output_tokens: Some(6),
        total_tokens: Some(16),
        reasoning_tokens: Some(3),
        cached_tokens: Some(4),
        cache_write_tokens: None,
        output_includes_reasoning: Some(true),
        input_includes_cached: Some(true),
    };
    assert_eq!(run.reply.usage, Some(usage));
    assert!(run.words().contains(&"keepalive") && run.words().contains(&"response.output_text.annotation.added"));
    assert!(run.decoder.whole());
}

#[test]
fn whole_forms_are_taken_where_deltas_did_not_come() {
    let text = json!([{"type": "output_text", "text": "a"}, {"type": "output_text", "text": "b"}]);
    let message = json!({"type": "message", "content": text});
    let call = json!({"type": "function_call", "id": "fc", "call_id": "c", "name": "f", "arguments": "{}"});
    let reasoning = json!({"type": "reasoning", "content": [{"type": "reasoning_text", "text": "hm"}]});
    for events in [
        vec![
            json!({"type": "response.output_text.done", "output_index": 0, "content_index": 0, "text": "a"}),
            json!({"type": "response.output_text.done", "output_index": 0, "content_index": 1, "text": "b"}),
            json!({"type": "response.output_item.done", "output_index": 0, "item": message}),
            completed(),
        ],
        vec![
            json!({"type": "response.content_part.added"}),
            json!({"type": "response.output_text.done", "text": "a"}),
            json!({"type": "response.content_part.added"}),
            json!({"type": "response.content_part.done", "part": {"type": "output_text", "text": "b"}}),
            json!({"type": "response.output_item.done", "item": message}),
            completed(),
        ],
        vec![json!({"type": "response.output_item.done", "item": message}), completed()],
        vec![json!({"type": "response.completed", "response": {"status": "completed", "output": [message]}})],
        // Deltas without indices, whole forms with them.
        vec![
            json!({"type": "response.output_text.delta", "delta": "ab"}),
            json!({"type": "response.output_item.done", "output_index": 0, "item": message}),
            completed(),
        ],
        vec![
            json!({"type": "response.output_text.delta", "output_index": 0, "delta": "ab"}),
            json!({"type": "response.output_text.done", "text": "ab"}),
            completed(),
        ],
        // Parts announced together and told crosswise.
        vec![
            json!({"type": "response.content_part.added", "output_index": 0, "content_index": 0}),
            json!({"type": "response.content_part.added", "output_index": 0, "content_index": 1}),
            json!({"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "a"}),
            json!({"type": "response.output_text.delta", "output_index": 0, "content_index": 1, "delta": "b"}),
            json!({"type": "response.output_text.done", "output_index": 0, "content_index": 0, "text": "a"}),
            json!({"type": "response.output_text.done", "output_index": 0, "content_index": 1, "text": "b"}),
            completed(),
        ],
    ] {
        let run = responses(&events);
        assert_eq!(run.reply.text, "ab", "{events:?}");
        assert!(run.decoder.whole());
    }
    for events in [
        vec![json!({"type": "response.function_call_arguments.done", "item_id": "fc", "call_id": "c", "name": "f", "arguments": "{}"})],
        vec![json!({"type": "response.output_item.done", "item": call})],
        vec![json!({"type": "response.completed", "response": {"status": "completed", "output": [reasoning, call]}})],
        // Name and id only at the end; the final arguments are not the fragments.
        vec![
            json!({"type": "response.function_call_arguments.delta", "item_id": "fc", "delta": "{"}),
            json!({"type": "response.output_item.done", "item": call}),
        ],
    ] {
        assert_eq!(responses(&events).calls(), [("c", "f", "{}")], "{events:?}");
    }
    assert_eq!(
        responses(&[
            json!({"type": "response.output_item.done", "item": reasoning}),
            json!({"type": "response.completed", "response": {"output": [reasoning]}})
        ])
        .reply
        .reasoning,
        "hm"
    );
}

#[test]
fn ids_may_change_between_events() {
    let added = |output: Option<u64>, id: &str, call: &str| json!({"type": "response.output_item.added", "output_index": output, "item": {"type": "function_call", "id": id, "call_id": call, "name": "f", "arguments": ""}});
    let delta = |output: Option<u64>, id: &str, text: &str| json!({"type": "response.function_call_arguments.delta", "output_index": output, "item_id": id, "delta": text});
    let done = |output: Option<u64>, id: &str, call: &str, text: &str| json!({"type": "response.output_item.done", "output_index": output, "item": {"type": "function_call", "id": id, "call_id": call, "name": "f", "arguments": text}});
    let expected = [("x", "f", "12"), ("y", "f", "34")];
    let indexed = responses(&[
        added(Some(0), "a", "x"),
        added(Some(1), "b", "y"),
        delta(Some(0), "c", "1"),
        delta(Some(1), "d", "3"),
        delta(Some(0), "e", "2"),
        delta(Some(1), "f", "4"),
        done(Some(0), "g", "x", "12"),
        done(Some(1), "h", "y", "34"),
        completed(),
    ]);
    assert_eq!(indexed.calls(), expected);
    let one_by_one = responses(&[
        added(None, "a", "x"),
        delta(None, "c", "1"),
        delta(None, "d", "2"),
        done(None, "e", "x", "12"),
        added(None, "f", "y"),
        delta(None, "g", "3"),
        delta(None, "h", "4"),
        done(None, "i", "y", "34"),
        completed(),
    ]);
    assert_eq!(one_by_one.calls(), expected);
    let by_id = responses(&[
        added(None, "a", "x"),
        added(None, "b", "y"),
        delta(None, "a", "1"),
        delta(None, "b", "3"),
        delta(None, "a", "2"),
        delta(None, "b", "4"),
        completed(),
    ]);
    assert_eq!(by_id.calls(), expected);
    let text = responses(&[
        json!({"type": "response.output_text.delta", "item_id": "a", "delta": "a"}),
        json!({"type": "response.output_text.delta", "item_id": "b", "delta": "b"}),
        json!({"type": "response.output_text.done", "item_id": "c", "text": "ab"}),
        completed(),
    ]);
    assert_eq!(text.reply.text, "ab");
}

#[test]
fn custom_tools() {
    let run = responses(&[
        json!({"type": "response.output_item.added", "output_index": 0, "item": {"type": "custom_tool_call", "id": "i", "call_id": "c", "name": "f", "input": ""}}),
        json!({"type": "response.custom_tool_call_input.delta", "output_index": 0, "delta": "SELECT \"1\""}),
        json!({"type": "response.custom_tool_call_input.done", "output_index": 0, "input": "SELECT \"1\""}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": {"type": "custom_tool_call", "id": "i", "call_id": "c", "name": "f", "input": "SELECT \"1\""}}),
    ]);
    assert_eq!(run.calls(), [("c", "f", "SELECT \"1\"")]);
}

#[test]
fn how_it_ends() {
    let over = |kind: &str, response: Value| {
        responses(&[json!({"type": "response.created", "response": {}}), json!({"type": kind, "response": response})])
    };
    let cut = over(
        "response.incomplete",
        json!({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}, "usage": {"input_tokens": 1}}),
    );
    assert_eq!(cut.reply.finish.as_ref().unwrap().reason, "max_output_tokens");
    assert!(cut.decoder.whole() && cut.decoder.ended() && cut.reply.usage.is_some());
    let failed = over("response.failed", json!({"status": "failed", "error": {"code": "server_error", "message": "oops"}}));
    assert_eq!(failed.reply.error, Some(("server_error".to_owned(), "oops".to_owned())));
    assert!(!failed.decoder.whole() && failed.decoder.ended());
    let silent = responses(&[json!({"type": "response.failed"})]);
    assert!(silent.reply.error.is_some() && !silent.decoder.whole());
    let steered = over("response.incomplete", json!({"status": "incomplete", "incomplete_details": {"reason": "steered"}}));
    assert!(!steered.decoder.ended());
    let eof = responses(&[json!({"type": "response.created"}), json!({"type": "response.output_text.delta", "delta": "a"})]);
    assert!(!eof.decoder.whole() && !eof.decoder.ended());
    let taken_on = body(ID, 200, r#"{"object":"response","status":"queued","output":[]}"#);
    assert!(!taken_on.decoder.whole() && taken_on.words() == ["queued"]);
}

#[test]
fn errors_flat_and_nested() {
    for (event, code, message) in [
        (
            json!({"type": "error", "code": "rate_limit", "message": "slow down", "param": null, "sequence_number": 3}),
            "rate_limit",
            "slow down",
        ),
        (json!({"type": "error", "code": null, "message": "hm"}), "", "hm"),
        (
            json!({"type": "error", "sequence_number": 3, "error": {"type": "insufficient_quota", "code": "insufficient_quota", "message": "no money"}}),
            "insufficient_quota",
            "no money",
        ),
        (
            json!({"type": "error", "status": 400, "error": {"type": "invalid_request_error", "code": "previous_response_not_found", "message": "gone"}}),
            "previous_response_not_found",
            "gone",
        ),
        (
            json!({"type": "error", "status": 400, "error": {"type": "invalid_request_error", "message": "bad"}}),
            "invalid_request_error",
            "bad",
        ),
        (json!({"error": {"message": "bare", "code": 500}}), "500", "bare"),
        (json!({"code": "c", "error": "words"}), "c", "words"),
    ] {
        let run = responses(&[
            event.clone(),
            json!({"type": "response.failed", "response": {"status": "failed", "error": {"code": "later", "message": "later"}}}),
        ]);
        assert_eq!(run.reply.error, Some((code.to_owned(), message.to_owned())), "{event}");
        assert!(!run.decoder.whole() && run.decoder.ended());
    }
}

#[test]
fn names_without_types_types_without_names_and_done() {
    let mut run = Run::new(ID, 200);
    run.feed(Payload::Event { event: "response.output_text.delta", data: r#"{"delta":"a"}"# });
    run.feed(Payload::Event { event: "message", data: r#"{"type":"response.output_text.delta","delta":"b"}"# });
    run.feed(Payload::Event { event: "message", data: &completed().to_string() });
    run.feed(Payload::Event { event: "message", data: "[DONE]" });
    assert_eq!(run.reply.text, "ab");
    assert!(run.decoder.whole());
    let alone = stream(ID, &["[DONE]"]);
    assert!(!alone.decoder.whole() && !alone.reply.ended);
    assert_eq!(stream(ID, &["[DONE"]).kinds(), [DeltaKind::Unknown]);
    assert_eq!(stream(ID, &[r#"{"choices":[]}"#]).kinds(), [DeltaKind::Unknown]);
    assert_eq!(stream(ID, &[r#"{"type":"response.new_thing","x":1}"#]).words(), ["response.new_thing"]);
}

#[test]
fn one_socket_many_responses() {
    let mut run = Run::new(ID, 101);
    let mut feed = |event: Value| {
        run.feed(Payload::Message(event.to_string().as_bytes()));
        (run.decoder.ended(), run.decoder.whole())
    };
    let call = |id: &str| json!({"type": "response.output_item.added", "output_index": 0, "item": {"type": "function_call", "id": id, "call_id": id, "name": "f", "arguments": "1"}});
    assert_eq!(feed(json!({"type": "error", "status": 400, "error": {"code": "x", "message": "y"}})), (true, false));
    assert_eq!(feed(json!({"type": "response.created", "response": {}})), (false, false));
    assert_eq!(feed(call("a")), (false, false));
    assert_eq!(feed(completed()), (true, true));
    assert_eq!(feed(json!({"type": "response.created", "response": {}})), (false, false));
    assert_eq!(feed(call("b")), (false, false));
    assert_eq!(feed(completed()), (true, true));
    // Lanes run beside each other: all must end.
    assert_eq!(feed(json!({"type": "response.created", "stream_id": "s1"})), (false, false));
    assert_eq!(feed(json!({"type": "response.created", "stream_id": "s2"})), (false, false));
    assert_eq!(feed(json!({"type": "response.completed", "stream_id": "s1", "response": {"status": "completed"}})), (false, false));
    assert_eq!(feed(json!({"type": "response.completed", "stream_id": "s2", "response": {"status": "completed"}})), (true, true));
    assert_eq!(run.calls(), [("a", "f", "1"), ("b", "f", "1")]);
}

#[test]
fn what_is_sent() {
    let mut question = ask("hi");
    question.system = "be brief".to_owned();
    question.messages.push(Message {
        role: Role::Assistant,
        text: "ok".to_owned(),
        tool_calls: vec![ToolCall { id: "c".to_owned(), name: "f".to_owned(), arguments: "{}".to_owned(), signature: None }],
        ..Message::new(Role::Assistant, "")
    });
    question.messages.push(Message { tool_call_id: Some("c".to_owned()), ..Message::new(Role::Tool, "42") });
    question.tools.push(Tool { name: "f".to_owned(), description: "d".to_owned(), parameters: json!({"type": "object"}) });
    question.params.max_tokens = Some(7);
    question.params.temperature = Some(0.0);
    question.params.reasoning = Some("low".to_owned());
    question.params.tool_choice = Some("required".to_owned());
    let call = |transport| OpenAiResponses.call(&question, transport, "https://h/v1", false, "Authorization: Bearer {key}").unwrap();
    let fields = concat!(
        r#""model":"m","instructions":"be brief","input":[{"type":"message","role":"user","content":"hi"},{"type":"message","role":"assistant","content":"ok"},"#,
        r#"{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"42"}],"#,
        r#""temperature":0,"max_output_tokens":7,"reasoning":{"effort":"low"},"tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object"},"strict":false}],"tool_choice":"required""#,
    );
    assert_eq!(call(Transport::Http).body, format!("{{{fields}}}"));
    assert_eq!(call(Transport::Sse).body, format!("{{{fields},\"stream\":true}}"));
    let socket = call(Transport::Websocket);
    assert_eq!((socket.method.as_str(), socket.url.as_str(), socket.body.as_str()), ("GET", "wss://h/v1/responses", ""));
    assert_eq!(socket.messages, [Outgoing::text(format!("{{\"type\":\"response.create\",{fields}}}"))]);
    assert!(socket.headers.iter().any(|header| header.name == "Authorization"));
    question.raw_body = Some(r#"{"type":"response.create","generate":false}"#.to_owned());
    let raw = OpenAiResponses.call(&question, Transport::Websocket, "ws://h/ws", true, "").unwrap();
    assert_eq!((raw.url.as_str(), raw.messages.as_slice()), ("ws://h/ws", [Outgoing::text(question.raw_body.clone().unwrap())].as_slice()));
}

#[test]
fn a_final_form_that_says_more_replaces_the_deltas() {
    let run = responses(&[
        json!({"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "a"}),
        json!({"type": "response.output_text.done", "output_index": 0, "content_index": 0, "text": "abc"}),
        json!({"type": "response.content_part.done", "output_index": 0, "content_index": 0, "part": {"type": "output_text", "text": "abc"}}),
        json!({"type": "response.output_text.delta", "output_index": 1, "content_index": 0, "delta": "d"}),
        json!({"type": "response.output_text.done", "output_index": 1, "content_index": 0, "text": "de"}),
        completed(),
    ]);
    assert_eq!(run.reply.text, "abcde");
    assert_eq!(run.deltas.iter().filter(|delta| delta.part == "Whole").count(), 2);
    let unplaced = responses(&[
        json!({"type": "response.output_text.delta", "delta": "a"}),
        json!({"type": "response.output_text.done", "text": "ab"}),
        json!({"type": "response.output_text.done", "text": "c"}),
        completed(),
    ]);
    assert_eq!(unplaced.reply.text, "ab");
}

#[test]
fn ids_and_seals_are_told_once() {
    let run = responses(&[
        json!({"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}}),
        json!({"type": "response.in_progress", "response": {"id": "resp_1"}}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "seal"}}),
        json!({"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "output": [{"type": "reasoning", "summary": [], "encrypted_content": "seal"}]}}),
    ]);
    assert_eq!((run.reply.id.as_deref(), run.reply.signature.as_deref()), (Some("resp_1"), Some("seal")));
    assert_eq!(run.words(), ["response.created", "resp_1", "response.in_progress", "seal", "completed", "response.completed"]);
    let mut question = ask("hi");
    question.messages.push(Message {
        reasoning: Some("hm".to_owned()),
        signature: Some("seal".to_owned()),
        ..Message::new(Role::Assistant, "ok")
    });
    let body: Value = serde_json::from_str(&OpenAiResponses.call(&question, Transport::Http, "http://h", false, "").unwrap().body).unwrap();
    assert_eq!(
        body["input"][1],
        json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "seal"})
    );
}

#[test]
fn turns_on_an_open_socket() {
    assert!(OpenAiResponses.persistent(Transport::Websocket) && !OpenAiResponses.persistent(Transport::Sse));
    assert!(OpenAiResponses.client_events(Transport::Sse).is_empty());
    for event in OpenAiResponses.client_events(Transport::Websocket) {
        let template: Value = serde_json::from_str(event.template).unwrap();
        assert!(event.name.starts_with(template["type"].as_str().unwrap()));
    }
    let mut question = ask("hi");
    question.messages.extend([Message::new(Role::Assistant, "ok"), Message::new(Role::User, "and?")]);
    let turn = |previous| {
        let sent = OpenAiResponses.turn(&question, Transport::Websocket, previous).unwrap();
        serde_json::from_str::<Value>(&sent[0].text).unwrap()
    };
    assert_eq!(turn(Some("resp_1")), json!({"type": "response.create", "model": "m", "previous_response_id": "resp_1", "input": "and?"}));
    assert_eq!(turn(None)["input"].as_array().unwrap().len(), 3);
    assert!(OpenAiResponses.turn(&question, Transport::Sse, None).unwrap().is_empty());

    let mut run = Run::new(ID, 101);
    let mut said = Vec::new();
    let mut send = |run: &mut Run, message: Value| {
        run.decoder.sent(message.to_string().as_bytes(), &mut |delta| said.push((delta.kind, delta.text.into_owned())));
        run.decoder.ended()
    };
    let feed = |run: &mut Run, event: Value| {
        run.feed(Payload::Message(event.to_string().as_bytes()));
        (run.decoder.ended(), run.decoder.whole())
    };
    assert!(!send(&mut run, json!({"type": "response.create", "input": "one"})));
    assert_eq!(feed(&mut run, json!({"type": "response.created", "response": {"id": "r1"}})), (false, false));
    assert_eq!(feed(&mut run, completed()), (true, true));
    // Two asked at once on a lane: over when the second is.
    assert!(!send(&mut run, turn(Some("r1"))));
    assert!(!send(
        &mut run,
        json!({"type": "response.create", "input": [{"type": "function_call_output", "call_id": "c", "output": "42"}, {"role": "user", "content": [{"type": "input_text", "text": "three"}]}]})
    ));
    feed(&mut run, json!({"type": "response.created"}));
    assert_eq!(feed(&mut run, completed()), (false, true));
    // The last is refused; a failed response after the error is the same refusal.
    assert_eq!(
        feed(&mut run, json!({"type": "error", "status": 400, "error": {"code": "previous_response_not_found", "message": "gone"}})),
        (true, false)
    );
    assert_eq!(feed(&mut run, json!({"type": "response.failed", "response": {"status": "failed"}})), (true, false));
    // Steering asks for nothing: the successor comes by itself.
    assert!(!send(&mut run, json!({"type": "response.create", "input": "four"})));
    feed(&mut run, json!({"type": "response.created"}));
    assert!(!send(&mut run, json!({"type": "response.steer", "previous_response_id": "r", "input": "shorter"})));
    assert_eq!(
        feed(
            &mut run,
            json!({"type": "response.incomplete", "response": {"status": "incomplete", "incomplete_details": {"reason": "steered"}}})
        ),
        (false, true)
    );
    feed(&mut run, json!({"type": "response.created"}));
    assert_eq!(feed(&mut run, completed()), (true, true));
    // Lanes; the error of a lane that none names is of the one that waits.
    let mut lanes = Run::new(ID, 101);
    send(&mut lanes, json!({"type": "response.create", "stream_id": "a", "input": ""}));
    assert!(!send(&mut lanes, json!({"type": "response.create", "stream_id": "b", "input": ""})));
    assert_eq!(feed(&mut lanes, json!({"type": "error", "error": {"code": "x", "message": "y"}})), (false, false));
    feed(&mut lanes, json!({"type": "response.created", "stream_id": "b"}));
    assert_eq!(
        feed(&mut lanes, json!({"type": "response.completed", "stream_id": "b", "response": {"status": "completed"}})),
        (true, false)
    );
    send(&mut run, json!({"type": "session.update"}));
    run.decoder.sent(b"\xff not json", &mut |_| panic!("nothing is said"));
    assert!(said.iter().all(|(kind, _)| *kind == DeltaKind::Said));
    assert_eq!(said.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), ["one", "and?", "42", "three", "four", "shorter"]);
}

#[test]
fn attachments_and_forms() {
    let mut question = ask("what is it?");
    let attach = |media_type: &str, source| crate::Attachment { media_type: media_type.to_owned(), name: "n".to_owned(), source };
    let data = || crate::Source::Data("QUJD".to_owned());
    question.messages[0].attachments = vec![
        attach("image/png", data()),
        attach("application/pdf", data()),
        attach("application/pdf", crate::Source::Url("https://h/a.pdf".to_owned())),
        attach("audio/wav", data()),
    ];
    question.output = Some(crate::Output { name: "form".to_owned(), schema: Some(json!({"type": "object"})) });
    question.params.extra = json!({"text": {"verbosity": "low"}, "reasoning": {"summary": "auto"}}).as_object().unwrap().clone();
    question.params.reasoning = Some("low".to_owned());
    let body: Value = serde_json::from_str(&OpenAiResponses.call(&question, Transport::Http, "http://h", false, "").unwrap().body).unwrap();
    assert_eq!(
        body["input"][0]["content"],
        json!([
            {"type": "input_image", "image_url": "data:image/png;base64,QUJD"},
            {"type": "input_file", "filename": "n", "file_data": "data:application/pdf;base64,QUJD"},
            {"type": "input_file", "file_url": "https://h/a.pdf"},
            {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}},
            {"type": "input_text", "text": "what is it?"},
        ])
    );
    assert_eq!(
        body["text"],
        json!({"format": {"type": "json_schema", "name": "form", "strict": true, "schema": {"type": "object"}}, "verbosity": "low"})
    );
    assert_eq!(body["reasoning"], json!({"effort": "low", "summary": "auto"}));
}

proptest! {
    #[test]
    fn what_is_built_is_read(question in question(), transport in proptest::sample::select(vec![Transport::Http, Transport::Sse, Transport::Websocket])) {
        let built = super::body::build(&question, transport);
        match super::body::read(&Value::Object(built.clone()).to_string(), transport) {
            Some(read) => prop_assert_eq!(super::body::build(&read, transport), built),
            None => prop_assert!(!question.params.extra.is_empty(), "{}", Value::Object(built)),
        }
    }
}

#[test]
fn what_cannot_be_asked_is_said_before() {
    let mut question = ask("hi");
    question.params.seed = Some(1);
    question.params.stop = vec!["x".to_owned()];
    let told: Vec<String> = OpenAiResponses.check(&question, Transport::Ndjson).iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "OpenAI Responses has no ndjson transport; it has sse, http, websocket",
            "OpenAI Responses cannot express seed: the API has none; Chat Completions does",
            "OpenAI Responses cannot express stop sequences: the API has none; Chat Completions does",
        ]
    );
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(parts in proptest::collection::vec((0_u8..4, proptest::collection::vec(text(), 1..4)), 1..5), indexed in any::<bool>(), named in any::<bool>(), whole in any::<bool>(), ascii in any::<bool>()) {
        let mut run = Run::new(ID, 200);
        let mut feed = |kind: &str, fields: &str, output: usize| {
            let index = if indexed { format!(r#","output_index":{output},"content_index":0"#) } else { String::new() };
            let comma = if fields.is_empty() { "" } else { "," };
            let data = format!(r#"{{"type":"{kind}"{comma}{fields}{index}}}"#);
            run.feed(Payload::Event { event: if named { kind } else { "message" }, data: &data });
        };
        let mut expected = [String::new(), String::new(), String::new()];
        let mut calls = Vec::new();
        feed("response.created", "", 0);
        for (output, (kind, pieces)) in parts.iter().enumerate() {
            let all: String = pieces.concat();
            let (name, field, item) = match kind {
                0 => ("output_text", "text", json!({"type": "message", "content": [{"type": "output_text", "text": all}]})),
                1 => ("reasoning_text", "text", json!({"type": "reasoning", "content": [{"type": "reasoning_text", "text": all}]})),
                2 => ("refusal", "refusal", json!({"type": "message", "content": [{"type": "refusal", "refusal": all}]})),
                _ => ("function_call_arguments", "arguments", json!({"type": "function_call", "id": format!("i{output}"), "call_id": format!("c{output}"), "name": "f", "arguments": all})),
            };
            match expected.get_mut(usize::from(*kind)) {
                Some(text) => text.push_str(&all),
                None => calls.push((format!("c{output}"), all.clone())),
            }
            let mut blank = item.clone();
            blank["content"] = json!([]);
            if blank.get("arguments").is_some() { blank["arguments"] = json!("") }
            feed("response.output_item.added", &format!(r#""item":{blank}"#), output);
            for piece in pieces {
                feed(&format!("response.{name}.delta"), &format!(r#""item_id":"i{output}","delta":{}"#, sent(piece, ascii)), output);
            }
            if whole {
                feed(&format!("response.{name}.done"), &format!(r#""item_id":"i{output}","{field}":{}"#, sent(&all, !ascii)), output);
                feed("response.output_item.done", &format!(r#""item":{item}"#), output);
            }
        }
        feed("response.completed", r#""response":{"status":"completed","usage":{"input_tokens":1,"output_tokens":2}}"#, 0);
        prop_assert_eq!([&run.reply.text, &run.reply.reasoning, &run.reply.refusal], [&expected[0], &expected[1], &expected[2]]);
        let told: Vec<_> = run.reply.tool_calls.iter().map(|(_, call)| (call.id.clone(), call.arguments.clone())).collect();
        prop_assert_eq!(told, calls);
        prop_assert!(run.decoder.whole());
    }
}
