use ::http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::*;
use crate::connections::Transport;
use crate::settings::Settings;

fn headers(version: &'static str) -> HeaderMap {
    HeaderMap::from_iter([("anthropic-version".parse().unwrap(), version.parse().unwrap())])
}

fn with<R>(headers: &HeaderMap, path: &str, body: &Value, read: impl FnOnce(&Request<'_>) -> R) -> R {
    let body = body.to_string();
    read(&Request { method: &Method::POST, path, target: path, query: "", headers, body: body.as_bytes(), names: &[] })
}

fn refused(version: &'static str, body: &Value) -> String {
    with(&headers(version), "/v1/messages", body, |request| {
        AnthropicMessages.read(request).err().map_or_else(String::new, |rejection| rejection.message)
    })
}

fn ask(model: &str) -> Value {
    json!({"model": model, "max_tokens": 4096, "messages": [{"role": "user", "content": "weather?"}]})
}

/// The script, the events of its stream, and the reply as a whole.
fn said(body: &Value) -> (Script, Vec<Value>, Value) {
    let reply = |request: &Request<'_>| AnthropicMessages.read(request).unwrap_or_else(|rejection| panic!("{rejection}"));
    let (ask, mut render) = with(&headers("2026-10-21"), "/v1/messages", body, reply);
    let script = Script::compose(&ask, Transport::Sse, &Settings::default(), false);
    let mut events = render.opening(&script);
    for (step, _) in script.steps(3) {
        events.extend(render.step(&script, step));
    }
    if script.finish() != Finish::Error {
        events.extend(render.closing(&script));
    }
    let ends = events.iter().filter(|event| event.is_end).count();
    assert_eq!(ends, usize::from(script.finish() != Finish::Error));
    let events = events.iter().map(|event| {
        let data: Value = serde_json::from_str(&event.data).unwrap();
        assert_eq!(event.name.as_deref(), data["type"].as_str(), "the name and the type are one");
        data
    });
    let events = events.collect();
    let (_, mut render) = with(&headers("2026-10-21"), "/v1/messages", body, reply);
    (script.clone(), events, render.whole(&script))
}

fn kinds(events: &[Value]) -> Vec<&str> {
    let mut kinds: Vec<&str> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    kinds.dedup();
    kinds
}

fn joined(events: &[Value], kind: &str, field: &str) -> String {
    events.iter().filter(|event| event["delta"]["type"] == kind).filter_map(|event| event["delta"][field].as_str()).collect()
}

#[test]
fn a_reply_that_thinks_first() {
    let (script, events, whole) = said(&ask("lab/reasoner"));
    assert_eq!(
        kinds(&events),
        [
            "message_start",
            "ping",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop"
        ]
    );
    assert_eq!(joined(&events, "thinking_delta", "thinking"), script.reasoning());
    assert_eq!(joined(&events, "text_delta", "text"), script.text());
    // The seal comes once, last in its block.
    let seals: Vec<usize> =
        events.iter().enumerate().filter(|(_, event)| event["delta"]["type"] == "signature_delta").map(|(at, _)| at).collect();
    assert_eq!(seals.len(), 1);
    assert_eq!(events[seals[0] + 1], json!({"type": "content_block_stop", "index": 0}));
    assert_eq!(whole["content"][0]["signature"], events[seals[0]]["delta"]["signature"]);
    let usage = &events[events.len() - 2]["usage"];
    assert_eq!(usage["output_tokens"], script.usage().completion);
    assert_eq!(usage["output_tokens_details"]["thinking_tokens"], script.usage().reasoning);
    assert_eq!((&whole["usage"], &whole["stop_reason"], &whole["content"][1]["text"]), (usage, &json!("end_turn"), &json!(script.text())));
}

#[test]
fn calls_begin_with_nothing() {
    let mut body = ask("lab/tools");
    body["tools"] = json!([
        {"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}},
        {"name": "time", "input_schema": {"type": "object"}},
        {"type": "web_search_20250305", "name": "web_search"},
    ]);
    let (script, events, whole) = said(&body);
    assert_eq!(script.tool_calls().len(), 1, "the prompt names one");
    let start = events.iter().find(|event| event["type"] == "content_block_start").unwrap();
    assert_eq!(start["content_block"]["input"], json!({}));
    let first = events.iter().find(|event| event["type"] == "content_block_delta").unwrap();
    assert_eq!(first["delta"], json!({"type": "input_json_delta", "partial_json": ""}));
    let arguments: Value = serde_json::from_str(&joined(&events, "input_json_delta", "partial_json")).unwrap();
    assert_eq!(arguments, whole["content"][0]["input"]);
    assert_eq!(whole["stop_reason"], "tool_use");
    body["tool_choice"] = json!({"type": "tool", "name": "time", "disable_parallel_tool_use": true});
    assert_eq!(said(&body).0.tool_calls()[0].name, "time");
    body["tool_choice"] = json!({"type": "none"});
    assert!(said(&body).0.tool_calls().is_empty());
}

#[test]
fn refusals_limits_and_failures() {
    let (script, events, whole) = said(&ask("lab/refuser"));
    let delta = &events[events.len() - 2]["delta"];
    assert_eq!(delta["stop_details"], json!({"type": "refusal", "category": null, "explanation": script.refusal()}));
    assert_eq!((&delta["stop_reason"], &whole["stop_details"]), (&json!("refusal"), &delta["stop_details"]));
    assert_eq!(said(&ask("lab/filtered")).2["stop_details"]["explanation"], Value::Null);
    let mut short = ask("lab/steady");
    short["max_tokens"] = json!(3);
    assert_eq!(said(&short).2["stop_reason"], "max_tokens");
    for (model, kind) in [("lab/error-mid-stream", "api_error"), ("lab/quota", "billing_error")] {
        let (_, events, _) = said(&ask(model));
        assert_eq!(events.last().unwrap()["error"]["type"], kind);
        assert!(!events.iter().any(|event| event["type"] == "message_stop"));
    }
}

#[test]
fn requests_are_held_to_the_version() {
    let mut sampled = ask("lab/steady");
    sampled["temperature"] = json!(1);
    assert_eq!(refused("2026-10-21", &sampled), "temperature: Extra inputs are not permitted");
    assert_eq!(refused("2023-06-01", &sampled), "");
    assert!(refused("2024-01-01", &sampled).contains("not a valid version"));
    let none = with(&HeaderMap::new(), "/v1/messages", &sampled, |request| AnthropicMessages.read(request).err());
    assert_eq!(none.unwrap().message, "anthropic-version: header is required");
}

#[test]
fn requests_are_held_to_the_rules() {
    let call = json!({"type": "tool_use", "id": "t", "name": "f", "input": {}});
    let result = json!({"type": "tool_result", "tool_use_id": "t", "content": "18"});
    let turns = |turns: Value| json!({"model": "lab/steady", "max_tokens": 5, "messages": turns});
    for (body, message) in [
        (json!({"model": "lab/steady", "messages": [{"role": "user", "content": "a"}]}), "max_tokens: Field required"),
        (json!({"model": "lab/steady", "max_tokens": 5, "messages": []}), "messages: at least one message is required"),
        (turns(json!([{"role": "system", "content": "a"}])), "messages.0.role: Input should be"),
        (turns(json!([{"role": "user", "content": [{"type": "text", "text": ""}]}])), "messages: text content blocks must be non-empty"),
        (turns(json!([{"role": "user", "content": [{"type": "audio"}]}])), "messages.0.content.0: Input tag 'audio'"),
        (
            turns(json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": [call]}])),
            "messages.1: `tool_use` ids were found without",
        ),
        (turns(json!([{"role": "user", "content": [result]}])), "messages.0: unexpected `tool_use_id`"),
        (
            turns(json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm"}]}])),
            "messages.1.content.0.signature: Field required",
        ),
        (
            json!({"model": "lab/steady", "max_tokens": 2000, "thinking": {"type": "enabled", "budget_tokens": 2000}, "messages": [{"role": "user", "content": "a"}]}),
            "`max_tokens` must be greater",
        ),
    ] {
        let told = refused("2026-10-21", &body);
        assert!(told.starts_with(message), "{told}");
    }
    let answered = turns(json!([
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": "S"}, call]},
        {"role": "user", "content": [result, {"type": "text", "text": "and?"}]},
    ]));
    assert_eq!(refused("2026-10-21", &answered), "");
}

#[test]
fn prompts_can_be_counted_and_models_listed() {
    let body = json!({"model": "lab/steady", "messages": [{"role": "user", "content": "one two three"}]});
    let counted = with(&headers("2026-10-21"), "/v1/messages/count_tokens", &body, |request| AnthropicMessages.aside(request)).unwrap();
    assert_eq!((counted.status, counted.body), (200, Some(json!({"input_tokens": 3}))));
    let bad = with(&HeaderMap::new(), "/v1/messages/count_tokens", &body, |request| AnthropicMessages.aside(request)).unwrap();
    assert_eq!(bad.status, 400);
    assert!(with(&headers("2026-10-21"), "/v1/messages", &body, |request| AnthropicMessages.aside(request)).is_none());
    let list = AnthropicMessages.models(crate::models::MODELS);
    assert_eq!((&list["has_more"], &list["first_id"]), (&json!(false), &json!("lab/steady")));
    assert_eq!(list["data"][0]["created_at"], "2026-05-28T20:26:40Z");
}

#[test]
fn dates() {
    assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
    assert_eq!(rfc3339(951_782_399), "2000-02-28T23:59:59Z");
    assert_eq!(rfc3339(951_782_400), "2000-02-29T00:00:00Z");
    assert_eq!(rfc3339(4_107_542_399), "2100-02-28T23:59:59Z");
    assert_eq!(rfc3339(4_107_542_400), "2100-03-01T00:00:00Z");
}
