use ::http::{HeaderMap, HeaderValue, Method};

use super::*;
use crate::endpoints::place;
use crate::settings::Settings;

const TEXT: &str = "/api/v1/services/aigc/text-generation/generation";
const MULTIMODAL: &str = "/dashscope/api/v1/services/aigc/multimodal-generation/generation";

/// What is sent for a body: the script, and the events or the whole.
fn sent(path: &str, body: &Value, stream: bool) -> (Script, Vec<Event>, Value) {
    let mut headers = HeaderMap::new();
    if stream {
        headers.insert("x-dashscope-sse", HeaderValue::from_static("enable"));
    }
    let place = place(path, &headers).ok().unwrap();
    let body = body.to_string().into_bytes();
    let request =
        Request { method: &Method::POST, path: &place.path, target: path, query: "", headers: &headers, body: &body, names: &place.names };
    let (ask, mut render) = place.dialect.read(&request).unwrap();
    assert_eq!(ask.stream, stream);
    let script = Script::for_request(path, &headers, false, &body, &Settings::default()).unwrap();
    let mut events = render.opening(&script);
    for (step, _) in script.steps(3) {
        events.extend(render.step(&script, step));
    }
    if script.finish() != Finish::Error {
        events.extend(render.closing(&script));
    }
    assert_eq!(events.iter().filter(|event| event.is_end).count(), 1);
    let (_, mut render) = place.dialect.read(&request).unwrap();
    let whole = render.whole(&script);
    (script, events, whole)
}

fn asked(model: &str, parameters: Value) -> Value {
    json!({"model": model, "input": {"messages": [{"role": "user", "content": "hi"}]}, "parameters": parameters})
}

fn data(event: &Event) -> Value {
    serde_json::from_str(&event.data).unwrap()
}

fn message(event: &Event) -> Value {
    data(event)["output"]["choices"][0]["message"].clone()
}

#[test]
fn pieces_and_all_so_far() {
    let (script, pieces, _) = sent(TEXT, &asked("lab/reasoner", json!({"result_format": "message", "incremental_output": true})), true);
    let joined = |name: &str| -> String { pieces.iter().map(|event| message(event)[name].as_str().unwrap().to_string()).collect() };
    assert_eq!((joined("reasoning_content").as_str(), joined("content").as_str()), (script.reasoning(), script.text()));
    let (script, grown, whole) = sent(TEXT, &asked("lab/reasoner", json!({"result_format": "message"})), true);
    let last = grown.last().unwrap();
    assert_eq!(message(last)["content"], script.text());
    assert_eq!(message(last)["reasoning_content"], script.reasoning());
    for pair in grown.windows(2) {
        assert!(message(&pair[1])["content"].as_str().unwrap().starts_with(message(&pair[0])["content"].as_str().unwrap()));
        assert_eq!(data(&pair[0])["output"]["choices"][0]["finish_reason"], "null");
        assert!(data(&pair[1])["usage"]["output_tokens"].as_u64() >= data(&pair[0])["usage"]["output_tokens"].as_u64());
    }
    assert_eq!(data(last)["output"]["choices"][0]["finish_reason"], "stop");
    assert_eq!(data(last)["usage"]["output_tokens"], script.usage().completion);
    assert_eq!(
        (last.name.as_deref(), last.comment.as_deref(), last.id.as_deref()),
        (Some("result"), Some("HTTP_STATUS/200"), Some(grown.len().to_string().as_str()))
    );
    assert_eq!(whole["output"]["choices"][0]["message"]["content"], script.text());
    assert_eq!(whole["request_id"].as_str().map(str::len), Some(36));
}

#[test]
fn forms_of_the_reply() {
    let (script, events, whole) = sent(TEXT, &json!({"model": "lab/steady", "input": {"prompt": "hi"}, "parameters": {}}), false);
    assert_eq!(whole["output"], json!({"text": script.text(), "finish_reason": "stop"}));
    assert_eq!(data(events.last().unwrap())["output"]["text"], script.text());
    let body = json!({"model": "lab/steady", "input": {"messages": [{"role": "user", "content": [{"image": "x"}, {"text": "hi"}]}]}});
    let (script, _, whole) = sent(MULTIMODAL, &body, false);
    assert_eq!(whole["output"]["choices"][0]["message"]["content"], json!([{"text": script.text()}]));
    let tools = json!([{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}}}]);
    let (script, events, whole) = sent(TEXT, &asked("lab/tools", json!({"tools": tools, "incremental_output": true})), true);
    let fragments: String =
        events.iter().filter_map(|event| message(event)["tool_calls"][0]["function"]["arguments"].as_str().map(str::to_string)).collect();
    assert_eq!(fragments, script.tool_calls()[0].arguments.text());
    assert_eq!(data(events.last().unwrap())["output"]["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(whole["output"]["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"], script.tool_calls()[0].arguments.text());
}

#[test]
fn errors_come_as_events() {
    for (model, code, status) in [
        ("lab/error-mid-stream", "InternalError", "500"),
        ("lab/quota", "Throttling.AllocationQuota", "429"),
        ("lab/filtered", "DataInspectionFailed", "400"),
    ] {
        let (_, events, _) = sent(TEXT, &asked(model, json!({"incremental_output": true})), true);
        let last = events.last().unwrap();
        assert_eq!((last.name.as_deref(), data(last)["code"].as_str()), (Some("error"), Some(code)));
        assert!(last.comment.as_deref().is_some_and(|comment| comment.ends_with(status)));
    }
    let read =
        |body: Value| Script::for_request(TEXT, &HeaderMap::new(), false, body.to_string().as_bytes(), &Settings::default()).unwrap_err();
    assert_eq!(refusal(&read(asked("none", json!({}))))["code"], "ModelNotFound");
    assert_eq!(refusal(&read(json!({"model": "lab/steady"})))["code"], "InvalidParameter");
    assert_eq!(read(json!({"model": "lab/steady", "input": {"messages": []}})).status, 400);
    assert_eq!(refusal(&Rejection::wrong_key())["code"], "InvalidApiKey");
    assert_eq!(refusal(&Rejection::no_path(&Method::POST, "/x"))["message"], "url error, please check url！");
}
