use ::http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::*;
use crate::dialects::gemini_live::GeminiLive;
use crate::dialects::{Act, Heard};
use crate::endpoints::place;
use crate::script::ToolCall;
use crate::settings::Settings;

const ASKED: &str = r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#;

fn script(path: &str, body: &str) -> Script {
    Script::for_request(path, &HeaderMap::new(), false, body.as_bytes(), &Settings::default()).unwrap()
}

/// Everything the Lab sends for a request, and the script behind it.
fn sent(path: &str, body: &str) -> (Script, Vec<Event>) {
    let (bare_path, query) = path.split_once('?').unwrap_or((path, ""));
    let headers = HeaderMap::new();
    let place = place(bare_path, &headers).ok().unwrap();
    let request = Request {
        method: &Method::POST,
        path: &place.path,
        target: bare_path,
        query,
        headers: &headers,
        body: body.as_bytes(),
        names: &place.names,
    };
    let (_, mut render) = place.dialect.read(&request).unwrap();
    let script = script(path, body);
    let mut events = render.opening(&script);
    let mut failed = false;
    for (step, _) in script.steps(3) {
        failed |= step == Step::Fail;
        events.extend(render.step(&script, step));
    }
    if !failed {
        events.extend(render.closing(&script));
    }
    (script, events)
}

fn values(events: &[Event]) -> Vec<Value> {
    events.iter().map(|event| serde_json::from_str(&event.data).unwrap()).collect()
}

#[test]
fn a_stream_is_its_script() {
    let (script, events) = sent("/v1beta/models/lab/reasoner:streamGenerateContent?alt=sse", ASKED);
    let frames = values(&events);
    let said = |thought: bool| -> String {
        let parts = frames.iter().flat_map(|frame| frame["candidates"][0]["content"]["parts"].as_array().unwrap());
        parts.filter(|part| part["thought"].as_bool().unwrap_or_default() == thought).map(|part| part["text"].as_str().unwrap()).collect()
    };
    assert_eq!((said(true).as_str(), said(false).as_str()), (script.reasoning(), script.text()));
    let last = frames.last().unwrap();
    assert_eq!(last["candidates"][0]["finishReason"], "STOP");
    assert_eq!(last["candidates"][0]["content"]["parts"][0]["text"], "", "the seal comes on a part of no text");
    assert!(last["candidates"][0]["content"]["parts"][0]["thoughtSignature"].is_string());
    let usage = script.usage();
    assert_eq!(last["usageMetadata"]["candidatesTokenCount"], usage.completion - usage.reasoning, "thoughts apart");
    assert_eq!(last["usageMetadata"]["thoughtsTokenCount"], usage.reasoning);
    assert_eq!(last["usageMetadata"]["totalTokenCount"], usage.total());
    assert_eq!(events.iter().filter(|event| event.is_end).count(), 1);
}

const TOOLED: &str = r#"{"contents":[{"parts":[{"text":"weather"}]}],"tools":[{"function_declarations":[{"name":"weather","parameters":{"type":"OBJECT","properties":{"city":{"type":"STRING"},"days":{"type":"ARRAY","items":{"type":"NUMBER"}},"near":{"type":"OBJECT","properties":{"it's":{"type":"BOOLEAN"}}}},"required":["city","days","near"]}}]}],"toolConfig":{"functionCallingConfig":{"streamFunctionCallArguments":true}}}"#;

#[test]
fn calls_are_whole_and_on_vertex_patches() {
    let (script, events) = sent("/v1beta/models/lab/tools:streamGenerateContent?alt=sse", TOOLED);
    let [ToolCall { id, name, arguments }] = script.tool_calls() else { panic!("{script:?}") };
    let call = values(&events)[0]["candidates"][0]["content"]["parts"][0]["functionCall"].clone();
    assert_eq!((call["id"].as_str(), call["name"].as_str()), (Some(id.as_str()), Some(name.as_str())));
    assert!(events[0].data.contains(arguments.text()), "arguments stand as the script has them");
    assert!(call["args"]["days"].as_array().is_some_and(|days| days.iter().all(Value::is_number)), "types in capitals are read");

    let (script, events) = sent("/v1/publishers/google/models/lab/tools:streamGenerateContent?alt=sse", TOOLED);
    let expected: Value = serde_json::from_str(script.tool_calls()[0].arguments.text()).unwrap();
    let mut city = String::new();
    let mut paths = Vec::new();
    for frame in values(&events) {
        for patch in frame["candidates"][0]["content"]["parts"][0]["functionCall"]["partialArgs"].as_array().into_iter().flatten() {
            paths.push(patch["jsonPath"].as_str().unwrap().to_string());
            if patch["jsonPath"] == "$.city" {
                city += patch["stringValue"].as_str().unwrap();
            }
        }
    }
    assert_eq!(expected["city"], city);
    assert_eq!(paths, ["$.city", "$.city", "$.days[0]", "$.days[1]", "$.near['it\\'s']"]);
}

#[test]
fn refusals_and_failures_have_googles_shape() {
    let (script, events) = sent("/v1beta/models/lab/refuser:streamGenerateContent?alt=sse", ASKED);
    let frames = values(&events);
    assert_eq!(frames.len(), 1);
    assert_eq!(frames[0]["promptFeedback"]["blockReasonMessage"], script.refusal());
    assert!(frames[0].get("candidates").is_none());

    let (_, events) = sent("/v1beta/models/lab/error-mid-stream:streamGenerateContent?alt=sse", ASKED);
    let last = events.last().unwrap();
    assert!(last.bare && last.data.contains("\n  \"error\""), "bare and over several lines");
    let framed = Framing::Sse { end: "\r\n", space: true }.around(last, 9).unwrap();
    assert_eq!(framed, (String::new(), "\r\n\r\n".to_string()));
    for path in ["/v1beta/models/lab/quota:streamGenerateContent?alt=sse", "/v1beta/models/lab/quota:streamGenerateContent"] {
        let (_, events) = sent(path, ASKED);
        let last = events.last().unwrap();
        assert!(!last.bare);
        let error: Value = serde_json::from_str(&last.data).unwrap();
        assert_eq!(error["error"]["status"], "RESOURCE_EXHAUSTED");
        assert_eq!(error["error"]["details"][1]["retryDelay"], "17s");
    }
    for (body, words) in [
        (r#"{}"#, "contents is not specified"),
        (r#"{"contents":[{"parts":[]}]}"#, "must not be empty"),
        (r#"{"contents":[{"role":"assistant","parts":[{"text":"x"}]}]}"#, "valid role"),
        (r#"{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"maxOutputTokens":0}}"#, "positive"),
    ] {
        let refused =
            Script::for_request("/v1beta/models/lab:generateContent", &HeaderMap::new(), false, body.as_bytes(), &Settings::default());
        assert!(refused.unwrap_err().message.contains(words), "{body}");
    }
    let missing =
        Script::for_request("/v1beta/models/nope:generateContent", &HeaderMap::new(), false, ASKED.as_bytes(), &Settings::default());
    assert_eq!(refusal(&missing.unwrap_err())["error"]["status"], "NOT_FOUND");
}

#[test]
fn claude_is_asked_without_a_model_in_the_body() {
    let path = "/v1/projects/p/locations/l/publishers/anthropic/models/lab/steady:streamRawPredict";
    let body = json!({"anthropic_version": "vertex-2023-10-16", "max_tokens": 64, "messages": [{"role": "user", "content": "hi"}]});
    let script = script(path, &body.to_string());
    assert_eq!(script.model(), "lab/steady");
    for wrong in [
        json!({"max_tokens": 64, "messages": []}),
        json!({"anthropic_version": "vertex-2023-10-16", "model": "lab", "max_tokens": 1, "messages": []}),
    ] {
        assert!(Script::for_request(path, &HeaderMap::new(), false, wrong.to_string().as_bytes(), &Settings::default()).is_err());
    }
}

/// What a session does about each of these, one line an act.
fn session(messages: &[Value]) -> Vec<String> {
    let headers = HeaderMap::new();
    let request = Request { method: &Method::GET, path: "", target: "", query: "", headers: &headers, body: &[], names: &[] };
    let mut talk = GeminiLive.talk(&request).unwrap().unwrap();
    assert!(talk.binary(), "every message of the server's is binary");
    let mut acts = Vec::new();
    for message in messages {
        for act in talk.hear(Heard::Text(&message.to_string())) {
            acts.push(match act {
                Act::Send(text) => text,
                Act::Say(asked) => format!("say {} {:?}", asked.0.prompt, asked.0.tool_result),
                Act::Cancel => "cancel".into(),
                Act::Close(code, reason) => format!("close {code} {reason}"),
            });
        }
    }
    acts
}

#[test]
fn a_session_is_set_up_first() {
    let setup = json!({"setup": {"model": "models/lab/steady"}});
    let turn = |text: &str, complete: bool| json!({"clientContent": {"turns": [{"role": "user", "parts": [{"text": text}]}], "turnComplete": complete}});
    assert_eq!(session(&[setup.clone(), turn("a", false), turn("b", true)]), [r#"{"setupComplete":{}}"#, "say b None"]);
    let result = json!({"tool_response": {"function_responses": [{"id": "1", "name": "f", "response": {"output": "3"}}]}});
    assert_eq!(session(&[setup.clone(), turn("a", true), result])[1..], ["say a None", "cancel", "say a Some(\"3\")"]);
    assert!(session(&[turn("a", true)])[0].starts_with("close 1007 "));
    assert!(session(&[setup.clone(), setup])[1].starts_with("close 1007 "));
    assert!(session(&[json!({"setup": {"model": "models/nope"}})])[0].starts_with("close 1008 models/nope is not found"));
    assert!(
        session(&[json!({"setup": {"model": "projects/p/locations/l/publishers/google/models/lab/steady"}}), json!({"what": 1})])[1]
            .contains("what")
    );
}
