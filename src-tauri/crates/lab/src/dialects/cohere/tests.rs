use ::http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::*;
use crate::connections::Transport;
use crate::settings::Settings;

fn read(body: &Value) -> Result<(Ask, Box<dyn Render>), Rejection> {
    let body = body.to_string();
    let headers = HeaderMap::new();
    Cohere.read(&Request {
        method: &Method::POST,
        path: "/v2/chat",
        target: "/v2/chat",
        query: "",
        headers: &headers,
        body: body.as_bytes(),
        names: &[],
    })
}

fn ask(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "weather?"}]})
}

/// The script, the events of its stream, and the reply as a whole.
fn said(body: &Value) -> (Script, Vec<Value>, Value) {
    let (ask, mut render) = read(body).unwrap_or_else(|rejection| panic!("{rejection}"));
    let script = Script::compose(&ask, Transport::Sse, &Settings::default(), false);
    let mut events = render.opening(&script);
    for (step, _) in script.steps(3) {
        events.extend(render.step(&script, step));
    }
    if script.finish() != Finish::Error {
        events.extend(render.closing(&script));
    }
    assert!(events.last().is_some_and(|event| event.is_end));
    let events = events.iter().map(|event| {
        let data: Value = serde_json::from_str(&event.data).unwrap();
        assert_eq!(event.name.as_deref(), data["type"].as_str(), "the name and the type are one");
        data
    });
    let events = events.collect();
    let whole = read(body).map(|(_, mut render)| render.whole(&script)).unwrap_or_else(|rejection| panic!("{rejection}"));
    (script, events, whole)
}

fn kinds(events: &[Value]) -> Vec<&str> {
    let mut kinds: Vec<&str> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    kinds.dedup();
    kinds
}

/// All that stands at `path` below the deltas' message.
fn joined(events: &[Value], path: &str) -> String {
    events.iter().filter_map(|event| event.pointer(&format!("/delta/message{path}"))?.as_str()).collect()
}

#[test]
fn a_reply_that_thinks_first_and_cites() {
    let mut body = ask("lab/reasoner");
    body["documents"] = json!(["It rains.", {"id": "d", "data": {"text": "b"}}]);
    let (script, events, whole) = said(&body);
    assert_eq!(
        kinds(&events),
        [
            "message-start",
            "content-start",
            "content-delta",
            "content-end",
            "content-start",
            "content-delta",
            "content-end",
            "citation-start",
            "citation-end",
            "message-end"
        ]
    );
    assert_eq!(joined(&events, "/content/thinking"), script.reasoning());
    assert_eq!(joined(&events, "/content/text"), script.text());
    let (delta, usage) = (&events.last().unwrap()["delta"], script.usage());
    assert_eq!(delta["finish_reason"], "COMPLETE");
    assert_eq!(delta["usage"]["tokens"], json!({"input_tokens": usage.prompt, "output_tokens": usage.completion}));
    assert_eq!(whole["usage"], delta["usage"]);
    assert_eq!(whole["message"]["content"][1], json!({"type": "text", "text": script.text()}));
    assert_eq!(whole["message"]["citations"][0]["sources"][0]["document"]["text"], "It rains.");
}

#[test]
fn calls_stream_as_single_objects() {
    let mut body = ask("lab/reasoner");
    body["tools"] = json!([{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}]);
    let (script, events, whole) = said(&body);
    assert_eq!(kinds(&events), ["message-start", "tool-plan-delta", "tool-call-start", "tool-call-delta", "tool-call-end", "message-end"]);
    assert_eq!(joined(&events, "/tool_plan"), script.reasoning());
    assert_eq!(joined(&events, "/tool_calls/function/arguments"), script.tool_calls()[0].arguments.text());
    assert_eq!(joined(&events, "/tool_calls/id"), script.tool_calls()[0].id);
    assert_eq!(whole["message"]["tool_calls"][0]["function"]["arguments"], script.tool_calls()[0].arguments.text());
    assert_eq!(whole["finish_reason"], "TOOL_CALL");
    body["tool_choice"] = json!("NONE");
    assert!(said(&body).0.tool_calls().is_empty());
}

#[test]
fn an_error_is_a_reason_to_finish() {
    let (script, events, _) = said(&ask("lab/error-mid-stream"));
    assert_eq!(events.last().unwrap()["delta"], json!({"finish_reason": "ERROR", "error": script.failure().message}));
    let mut short = ask("lab/steady");
    short["max_tokens"] = json!(3);
    assert_eq!(said(&short).2["finish_reason"], "MAX_TOKENS");
    let (script, events, whole) = said(&ask("lab/refuser"));
    assert_eq!(joined(&events, "/content/text"), script.refusal());
    assert_eq!(whole["message"]["content"][0]["text"], script.refusal());
}

#[test]
fn bad_requests_are_told_flat() {
    for body in [
        json!({"model": "lab/steady", "messages": []}),
        json!({"model": "lab/steady", "messages": [{"role": "tool", "content": "a"}]}),
        json!({"model": "lab/steady", "messages": [{"role": "user", "content": "a"}], "tool_choice": "AUTO"}),
    ] {
        let rejection = read(&body).err().unwrap_or_else(|| panic!("{body} is taken"));
        assert!(Cohere.refuse(&rejection)["message"].as_str().is_some_and(|message| message.starts_with("invalid request")));
    }
    assert_eq!(Cohere.refuse(&Rejection::wrong_key())["message"], "invalid api token");
}
