use proptest::prelude::*;
use serde_json::{Value, json};

use crate::tests::{Run, ask, body, stream};
use crate::{
    Ask, AskError, Attachment, DeltaKind, Dialect, Message, Output, Payload, Role, Source, Tool, ToolCall, Transport, Usage, stray,
};

use super::Gemini;

const GEMINI: &str = "gemini";
const BASE: &str = "https://generativelanguage.googleapis.com";
const KEY: &str = "x-goog-api-key: {key}";

/// A frame of one candidate with these parts.
fn frame(parts: Value) -> String {
    json!({"candidates": [{"content": {"parts": parts, "role": "model"}, "index": 0}], "modelVersion": "m", "responseId": "r1"}).to_string()
}

fn gemini(frames: &[Value]) -> Run {
    let frames: Vec<String> = frames.iter().map(|parts| frame(parts.clone())).collect();
    stream(GEMINI, &frames.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_plain_stream() {
    let run = stream(
        GEMINI,
        &[
            r#"{"candidates":[{"content":{"parts":[{"text":"Hi \"you\"\n"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":9,"totalTokenCount":9},"modelVersion":"gemini-3-flash","responseId":"x1"}"#,
            r#"{"candidates":[{"content":{"parts":[{"text":"there"}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":5,"thoughtsTokenCount":2,"totalTokenCount":16,"cachedContentTokenCount":4},"modelVersion":"gemini-3-flash","responseId":"x1"}"#,
        ],
    );
    use DeltaKind::{Control, Finish, Text};
    assert_eq!(run.kinds(), [Control, Text, DeltaKind::Usage, Text, Finish, DeltaKind::Usage]);
    assert_eq!(run.reply.id.as_deref(), Some("x1"));
    assert_eq!(run.reply.text, "Hi \"you\"\nthere");
    assert_eq!(run.reply.finish.as_ref().unwrap().reason, "STOP");
    let usage = Usage {
        input_tokens: Some(9),
        output_tokens: Some(5),
        total_tokens: Some(16),
        reasoning_tokens: Some(2),
        cached_tokens: Some(4),
        output_includes_reasoning: Some(false),
        input_includes_cached: Some(true),
        ..Usage::default()
    };
    assert_eq!(run.reply.usage, Some(usage), "the last count, thoughts beside the output");
    assert!(run.decoder.whole(), "the end of the stream is the end of the reply");
    assert!(!run.decoder.ended(), "more may come until then");
}

#[test]
fn a_total_that_has_the_thoughts_in_the_output_is_believed() {
    let count =
        json!({"usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 5, "thoughtsTokenCount": 2, "totalTokenCount": 14}});
    assert_eq!(stream(GEMINI, &[&count.to_string()]).reply.usage.unwrap().output_includes_reasoning, Some(true));
}

#[test]
fn without_a_reason_to_finish_a_stream_is_not_whole() {
    let run = gemini(&[json!([{"text": "a"}])]);
    assert!(!run.decoder.whole() && !run.decoder.ended());
    let unspecified = stream(GEMINI, &[r#"{"candidates":[{"finishReason":"FINISH_REASON_UNSPECIFIED"}]}"#]);
    assert!(!unspecified.decoder.whole() && unspecified.reply.finish.is_none());
}

#[test]
fn thoughts_and_seals() {
    let run = gemini(&[
        json!([{"text": "**Plan**", "thought": true}]),
        json!([{"text": "Hello"}]),
        json!([{"text": "", "thoughtSignature": "c2VhbA=="}]),
    ]);
    assert_eq!((run.reply.reasoning.as_str(), run.reply.text.as_str()), ("**Plan**", "Hello"));
    assert_eq!(run.reply.signature.as_deref(), Some("c2VhbA=="), "a seal may come on a part of no text");
}

#[test]
fn calls_end_with_stop_and_get_ids() {
    let run = stream(
        GEMINI,
        &[
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"weather","args":{"city":"Z\u00fcrich", "days":2}},"thoughtSignature":"YQ=="},{"functionCall":{"name":"now"}}],"role":"model"},"finishReason":"STOP","index":0}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"id":"f9","name":"weather","args":{}}}],"role":"model"},"index":0}]}"#,
        ],
    );
    assert_eq!(
        run.calls(),
        [("weir-call-1", "weather", r#"{"city":"Z\u00fcrich", "days":2}"#), ("weir-call-2", "now", "{}"), ("f9", "weather", "{}")]
    );
    assert_eq!(run.reply.tool_calls[0].1.signature.as_deref(), Some("YQ=="));
    assert_eq!(run.reply.tool_calls[1].1.signature, None);
    assert_eq!(run.reply.signature, None, "the seal is the call's");
    assert_eq!(run.reply.finish.as_ref().unwrap().reason, "STOP");
    assert!(run.decoder.whole());
}

#[test]
fn arguments_that_come_as_patches() {
    let run = gemini(&[
        json!([{"functionCall": {"name": "light", "willContinue": true}, "thoughtSignature": "YQ=="}]),
        json!([{"functionCall": {"partialArgs": [{"jsonPath": "$.brightness", "numberValue": 50}], "willContinue": true}}]),
        json!([{"functionCall": {"partialArgs": [{"jsonPath": "$.tone", "stringValue": "wa", "willContinue": true}], "willContinue": true}}]),
        json!([{"functionCall": {"partialArgs": [{"jsonPath": "$.tone", "stringValue": "rm \"é\"", "willContinue": true}], "willContinue": true}}]),
        json!([{"functionCall": {"partialArgs": [{"jsonPath": "$.tone", "willContinue": false}, {"jsonPath": "$.rooms[0].on", "boolValue": true}, {"jsonPath": "$.rooms[1].on", "nullValue": null}], "willContinue": true}}]),
        json!([{"functionCall": {}}]),
        json!([{"functionCall": {"name": "next", "args": {"a": 1}}}]),
    ]);
    assert_eq!(
        run.calls(),
        [
            ("weir-call-1", "light", r#"{"brightness":50,"tone":"warm \"é\"","rooms":[{"on":true},{"on":null}]}"#),
            ("weir-call-2", "next", r#"{"a":1}"#)
        ]
    );
    assert_eq!(run.reply.tool_calls[0].1.signature.as_deref(), Some("YQ=="));
    // A peer that never closes the call: the reason to finish does.
    let cut = stream(
        GEMINI,
        &[
            &frame(json!([{"functionCall": {"name": "f", "willContinue": true}}])),
            &frame(
                json!([{"functionCall": {"partialArgs": [{"jsonPath": "$.a", "stringValue": "x", "willContinue": true}], "willContinue": true}}]),
            ),
            &frame(json!([{"functionCall": {"partialArgs": [{"jsonPath": "nonsense", "numberValue": 1}], "willContinue": true}}])),
            r#"{"candidates":[{"finishReason":"STOP"}]}"#,
        ],
    );
    assert_eq!(cut.calls(), [("weir-call-1", "f", r#"{"a":"x"}"#)]);
    assert!(cut.kinds().contains(&DeltaKind::Unknown));
}

#[test]
fn frames_without_content_or_parts() {
    for data in [
        r#"{"candidates":[{"content":{"role":"model"},"index":0}]}"#,
        r#"{"candidates":[{"index":0}]}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"index":0}]}"#,
        r#"{"candidates":[]}"#,
        r#"{"promptFeedback":{}}"#,
        r#"{"modelVersion":"m"}"#,
    ] {
        let run = stream(GEMINI, &[data]);
        assert_eq!(run.kinds(), [DeltaKind::Control], "{data}");
    }
}

#[test]
fn a_blocked_prompt_is_a_refusal_with_status_200() {
    let run = stream(
        GEMINI,
        &[r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":4,"totalTokenCount":4}}"#],
    );
    assert_eq!(run.reply.refusal, "The prompt was blocked: PROHIBITED_CONTENT.");
    assert_eq!(run.reply.finish.as_ref().unwrap().reason, "PROHIBITED_CONTENT");
    assert!(run.decoder.whole() && run.reply.error.is_none());
    let words = body(GEMINI, 200, r#"{"promptFeedback":{"blockReason":"SAFETY","blockReasonMessage":"Not this."}}"#);
    assert_eq!(words.reply.refusal, "Not this.");
    assert!(words.decoder.whole() && words.decoder.ended());
}

#[test]
fn a_filter_in_the_middle_says_why() {
    let run = stream(
        GEMINI,
        &[
            &frame(json!([{"text": "so far"}])),
            r#"{"candidates":[{"finishReason":"SAFETY","finishMessage":"Stopped.","safetyRatings":[{"category":"HARM_CATEGORY_HARASSMENT","probability":"HIGH","blocked":true}],"index":0}]}"#,
        ],
    );
    assert_eq!((run.reply.text.as_str(), run.reply.refusal.as_str()), ("so far", "Stopped."));
    assert_eq!(run.reply.finish.as_ref().unwrap().reason, "SAFETY");
    let malformed =
        stream(GEMINI, &[r#"{"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL","finishMessage":"Malformed function call: f("}]}"#]);
    assert_eq!(malformed.kinds(), [DeltaKind::Control, DeltaKind::Finish]);
    assert_eq!(malformed.words()[0], "Malformed function call: f(");
}

#[test]
fn media_code_and_what_is_not_known() {
    // 4800 bytes are 100 ms.
    let sound = "AAAA".repeat(1600);
    let run = gemini(&[
        json!([{"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": sound}}]),
        json!([{"inlineData": {"mimeType": "image/png", "data": "iVBORw0K"}}]),
        json!([{"executableCode": {"language": "PYTHON", "code": "1+1"}}, {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "2"}}]),
        json!([{"fileData": {"fileUri": "gs://x"}}, {"somethingNew": 1}]),
    ]);
    let words: Vec<_> = run.words()[1..].to_vec();
    assert_eq!(words, ["", "inlineData image/png", "executableCode", "codeExecutionResult", "fileData", "somethingNew"]);
    assert_eq!(run.deltas[1].kind, DeltaKind::Audio);
    assert_eq!(run.deltas[1].part, r#"Media { media_type: "audio/pcm;rate=24000", bytes: 4800, ms: Some(100.0), base64: true }"#);
    assert_eq!(run.deltas[1].at.len(), 6400);
}

#[test]
fn other_candidates_are_shown_but_not_mixed_in() {
    let run = stream(
        GEMINI,
        &[r#"{"candidates":[{"content":{"parts":[{"text":"a"}]},"index":0},{"content":{"parts":[{"text":"b"}]},"index":1}]}"#],
    );
    assert_eq!(run.reply.text, "a");
    assert_eq!(run.words(), ["a", "candidate 1"]);
}

#[test]
fn the_array_says_the_same_by_elements_and_whole() {
    let frames = [
        frame(json!([{"text": "Hi "}])),
        json!({"candidates": [{"content": {"parts": [{"text": "you"}]}, "finishReason": "STOP"}], "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 2}}).to_string(),
    ];
    let mut elements = Run::new(GEMINI, 200);
    for frame in &frames {
        elements.feed(Payload::Element(frame.as_bytes()));
    }
    assert!(elements.decoder.whole());
    let whole = body(GEMINI, 200, &format!("[{}\n,\r\n{}]", frames[0], frames[1]));
    assert_eq!(whole.reply, elements.reply);
    assert_eq!((whole.reply.text.as_str(), whole.decoder.whole()), ("Hi you", true));
    assert!(Gemini.elements(Transport::Http) && Gemini.elements(Transport::Sse));
}

const QUOTA: &str = r#"{
  "error": {
    "code": 429,
    "message": "You exceeded your current quota.",
    "status": "RESOURCE_EXHAUSTED",
    "details": [
      {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": "x"}]},
      {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "17s"}
    ]
  }
}"#;

#[test]
fn errors_in_every_form() {
    let told = |run: Run| {
        assert!(!run.decoder.whole());
        assert!(run.words().contains(&"retryDelay 17s"), "{:?}", run.words());
        assert_eq!(run.reply.retry.as_deref(), Some("17s"), "Google has no header for it");
        run.reply.error.unwrap()
    };
    let expected = ("RESOURCE_EXHAUSTED".to_owned(), "You exceeded your current quota.".to_owned());
    assert_eq!(told(body(GEMINI, 429, QUOTA)), expected);
    assert_eq!(told(body(GEMINI, 429, &format!("[{QUOTA}\n]"))), expected, "the stream method wraps it in an array");
    assert_eq!(told(body(GEMINI, 200, &format!("[{QUOTA}]"))), expected);
    assert_eq!(told(stream(GEMINI, &[QUOTA])), expected, "as an event, with status 200");
    let mut element = Run::new(GEMINI, 429);
    element.feed(Payload::Element(QUOTA.as_bytes()));
    assert_eq!(told(element), expected);

    // In the middle of a stream it comes bare: no `data:`, so to an SSE parser a block without data.
    let mut middle = stream(GEMINI, &[&frame(json!([{"text": "so far"}]))]);
    let block = format!("{QUOTA}\n\n");
    middle.feed(Payload::Body(&block.as_bytes()[stray::json(block.as_bytes()).unwrap()]));
    assert_eq!(middle.reply.text, "so far");
    assert_eq!(told(middle), expected);

    let key = body(
        GEMINI,
        400,
        r#"{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]}}"#,
    );
    assert_eq!(key.reply.error.as_ref().unwrap().0, "INVALID_ARGUMENT");
    assert!(key.words().contains(&"reason API_KEY_INVALID"));
    let page = body(GEMINI, 502, "<html><title>502 Bad Gateway</title></html>");
    assert_eq!(page.reply.error.unwrap().1, "502 Bad Gateway");
    let fine_page = body(GEMINI, 200, "<!doctype html><title>Sign in</title>");
    assert!(fine_page.reply.error.is_some() && !fine_page.decoder.whole());
    assert_eq!(body(GEMINI, 404, "").reply.error.unwrap().1, "HTTP 404 with an empty body");
}

#[test]
fn what_is_none_of_ours_is_told_and_stops_nothing() {
    let mut run = stream(
        GEMINI,
        &[
            "[DONE]",
            r#"{"id":"c","object":"chat.completion.chunk","choices":[{"delta":{"content":"x"}}]}"#,
            "7",
            "",
            "{",
            "[]",
            "{}",
            "null",
        ],
    );
    assert_eq!(run.kinds()[0], DeltaKind::Control);
    assert!(run.kinds()[1..].iter().all(|kind| *kind == DeltaKind::Unknown), "{:?}", run.kinds());
    assert!(run.words()[1].ends_with("not a Gemini response"));
    run.feed(Payload::Event { event: "message", data: &frame(json!([{"text": "on"}])) });
    assert_eq!(run.reply.text, "on");
}

fn built(ask: &Ask) -> Value {
    let call = Gemini.call(ask, Transport::Sse, BASE, false, KEY).unwrap();
    serde_json::from_str(&call.body).unwrap()
}

#[test]
fn the_address_says_how_the_reply_travels() {
    let mut question = Ask { model: "models/gemini-3-flash".into(), ..ask("hi") };
    let call = Gemini.call(&question, Transport::Sse, BASE, false, KEY).unwrap();
    assert_eq!(call.url, format!("{BASE}/v1beta/models/gemini-3-flash:streamGenerateContent?alt=sse"));
    assert_eq!(serde_json::from_str::<Value>(&call.body).unwrap(), json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}));
    let fields: Vec<_> = call.headers.iter().map(|field| (field.name.as_str(), field.value.as_str())).collect();
    assert_eq!(fields, [("Content-Type", "application/json"), ("Accept", "text/event-stream"), ("x-goog-api-key", "{key}")]);

    let call = Gemini.call(&question, Transport::Http, BASE, false, "?key={key}").unwrap();
    assert_eq!(call.url, format!("{BASE}/v1beta/models/gemini-3-flash:generateContent?key={{key}}"));

    question.params.extra = serde_json::from_value(json!({"stream": true, "generationConfig": {"topK": 3}})).unwrap();
    let call = Gemini.call(&question, Transport::Http, BASE, false, KEY).unwrap();
    assert!(call.url.ends_with(":streamGenerateContent"), "{}", call.url);
    assert_eq!(serde_json::from_str::<Value>(&call.body).unwrap()["generationConfig"], json!({"topK": 3}));
    assert!(!call.body.contains("stream"));
    let read = Gemini.read(&call.body, &call.url, Transport::Http).unwrap();
    assert_eq!((read.model.as_str(), &read.params.extra), ("gemini-3-flash", &question.params.extra));

    let whole = Gemini.call(&question, Transport::Http, "https://h/p/x:streamGenerateContent?a=b", true, "").unwrap();
    assert_eq!(whole.url, "https://h/p/x:streamGenerateContent?a=b");
    let vertex = Gemini
        .call(&question, Transport::Sse, "https://l-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google", false, "")
        .unwrap();
    assert_eq!(
        vertex.url,
        "https://l-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google/models/gemini-3-flash:streamGenerateContent?alt=sse"
    );
}

fn call(id: &str, name: &str, arguments: &str, signature: Option<&str>) -> ToolCall {
    ToolCall { id: id.into(), name: name.into(), arguments: arguments.into(), signature: signature.map(str::to_owned) }
}

fn answer(id: &str, text: &str) -> Message {
    Message { tool_call_id: Some(id.into()), ..Message::new(Role::Tool, text) }
}

/// A question with everything in it.
fn everything() -> Ask {
    let image = Attachment { media_type: "image/png".into(), name: "a.png".into(), source: Source::Data("iVBORw0K".into()) };
    let film = Attachment { media_type: "video/mp4".into(), name: String::new(), source: Source::Url("https://h/f.mp4".into()) };
    let mut question = ask("look");
    question.messages[0].attachments = vec![image, film];
    question.messages.push(Message {
        reasoning: Some("hm".into()),
        signature: Some("c2VhbA==".into()),
        tool_calls: vec![call("f1", "weather", r#"{"city":"Bern"}"#, Some("YQ==")), call("weir-call-2", "now", "", None)],
        ..Message::new(Role::Assistant, "I look.")
    });
    question.messages.extend([answer("f1", r#"{"degrees":3}"#), answer("weir-call-2", "noon"), Message::new(Role::User, "and?")]);
    question.system = "Be brief.".into();
    question.params.temperature = Some(1.0);
    question.params.top_p = Some(0.5);
    question.params.max_tokens = Some(64);
    question.params.seed = Some(-7);
    question.params.stop = vec!["END".into()];
    question.params.reasoning = Some("low".into());
    question.params.tool_choice = Some("weather".into());
    question.tools = vec![
        Tool { name: "weather".into(), description: "Tells it.".into(), parameters: json!({"type": "object"}) },
        Tool { name: "now".into(), description: String::new(), parameters: json!({"type": "object", "properties": {}}) },
    ];
    question.output = Some(Output { name: "form".into(), schema: Some(json!({"type": "object"})) });
    question.params.extra =
        serde_json::from_value(json!({"generationConfig": {"topK": 3, "thinkingConfig": {"x": 1}}, "cachedContent": "c/1"})).unwrap();
    question
}

#[test]
fn everything_has_its_place() {
    assert_eq!(
        built(&everything()),
        json!({
            "contents": [
                {"role": "user", "parts": [
                    {"inlineData": {"mimeType": "image/png", "data": "iVBORw0K"}},
                    {"fileData": {"mimeType": "video/mp4", "fileUri": "https://h/f.mp4"}},
                    {"text": "look"},
                ]},
                {"role": "model", "parts": [
                    {"text": "hm", "thought": true},
                    {"text": "I look.", "thoughtSignature": "c2VhbA=="},
                    {"functionCall": {"id": "f1", "name": "weather", "args": {"city": "Bern"}}, "thoughtSignature": "YQ=="},
                    {"functionCall": {"name": "now"}},
                ]},
                {"role": "user", "parts": [
                    {"functionResponse": {"id": "f1", "name": "weather", "response": {"degrees": 3}}},
                    {"functionResponse": {"name": "now", "response": {"output": "noon"}}},
                ]},
                {"role": "user", "parts": [{"text": "and?"}]},
            ],
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "tools": [{"functionDeclarations": [
                {"name": "weather", "description": "Tells it.", "parametersJsonSchema": {"type": "object"}},
                {"name": "now", "parametersJsonSchema": {"type": "object", "properties": {}}},
            ]}],
            "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}},
            "generationConfig": {
                "temperature": 1, "topP": 0.5, "maxOutputTokens": 64, "seed": -7, "stopSequences": ["END"],
                "thinkingConfig": {"includeThoughts": true, "thinkingLevel": "low", "x": 1},
                "responseMimeType": "application/json", "responseJsonSchema": {"type": "object"}, "topK": 3,
            },
            "cachedContent": "c/1",
        })
    );
}

#[test]
fn a_decoded_turn_goes_back_as_it_came() {
    let parts = json!([
        {"text": "Hm.", "thought": true},
        {"text": "Looking", "thoughtSignature": "c2VhbA=="},
        {"functionCall": {"name": "f", "args": {"a": 1.50}}, "thoughtSignature": "YQ=="},
        {"functionCall": {"id": "k", "name": "g", "args": {}}},
    ]);
    let run = gemini(std::slice::from_ref(&parts));
    let mut question = ask("hi");
    let reply = run.reply;
    question.messages.push(Message {
        reasoning: Some(reply.reasoning),
        signature: reply.signature,
        tool_calls: reply.tool_calls.into_iter().map(|(_, call)| call).collect(),
        ..Message::new(Role::Assistant, reply.text)
    });
    assert_eq!(built(&question)["contents"][1], json!({"role": "model", "parts": parts}));
}

#[test]
fn what_it_cannot_be_asked_is_said_before() {
    let whats = |ask: &Ask| -> Vec<String> {
        Gemini
            .check(ask, Transport::Sse)
            .into_iter()
            .map(|error| match error {
                AskError::Inexpressible { what, .. } => what,
                other => other.to_string(),
            })
            .collect()
    };
    assert!(whats(&everything()).is_empty());
    let mut bad = ask("hi");
    bad.messages.push(Message { tool_calls: vec![call("a", "f", "[1]", None)], ..Message::new(Role::Assistant, "") });
    bad.messages.push(answer("b", "x"));
    bad.params.seed = Some(1 << 40);
    bad.params.stop = vec![String::new(); 6];
    bad.params.extra.insert("stream".into(), json!("yes"));
    assert_eq!(
        whats(&bad),
        ["a seed of more than 32 bits", "more than 5 stop sequences", "the arguments of f", "the result of b", "stream"]
    );
    assert!(matches!(Gemini.call(&ask("hi"), Transport::Websocket, BASE, false, ""), Err(AskError::Transport { .. })));
    let nameless = Ask { model: String::new(), ..ask("hi") };
    assert!(matches!(Gemini.call(&nameless, Transport::Sse, BASE, false, ""), Err(AskError::Inexpressible { .. })));
    assert!(Gemini.call(&nameless, Transport::Sse, "https://h/models/m:streamGenerateContent", true, "").is_ok());
    assert!(matches!(Gemini.check(&Ask { raw_body: Some("[]".into()), ..ask("") }, Transport::Sse)[..], [AskError::Body(_)]));
}

#[test]
fn reading_is_the_inverse_of_building() {
    let body = built(&everything());
    let read =
        Gemini.read(&body.to_string(), "https://h/v1beta/models/lab%2Fsteady:streamGenerateContent?alt=sse", Transport::Sse).unwrap();
    assert_eq!(built(&read), body);
    assert_eq!(read.model, "lab/steady");
    assert_eq!((read.messages.len(), read.tools.len(), read.system.as_str()), (5, 2, "Be brief."));
    assert_eq!(read.messages[3].tool_call_id, Some("weir-call-1".into()), "a call without an id gets one, and its result the same");
    assert_eq!(read.params.extra, everything().params.extra);
    assert_eq!((read.params.temperature, read.params.reasoning.as_deref()), (Some(1.0), Some("low")));
    for body in [
        json!({}),
        json!({"contents": [{"role": "user", "parts": [{"text": "a"}]}], "system_instruction": {"parts": [{"text": "b"}]}}),
        json!({"tools": [{"googleSearch": {}}], "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}}, "generationConfig": {}}),
        json!({"generationConfig": {"temperature": 1.0, "maxOutputTokens": 5.0, "thinkingConfig": {"thinkingBudget": 0}, "stopSequences": [1]}}),
        json!({"generationConfig": {"thinkingConfig": {"includeThoughts": true, "thinkingBudget": -1}, "responseMimeType": "application/json"}}),
        json!({"tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT"}}]}]}),
        json!({"systemInstruction": {"role": "system", "parts": [{"text": "a"}]}}),
    ] {
        let read = Gemini.read(&body.to_string(), "", Transport::Sse).unwrap_or_else(|| panic!("{body}"));
        assert_eq!(Value::Object(super::build(&read)), body);
    }
    for body in [
        "[]",
        "x",
        r#"{"contents":"hi"}"#,
        r#"{"contents":[]}"#,
        r#"{"contents":[{"parts":[{"text":"a"}]}]}"#,
        r#"{"contents":[{"role":"user","parts":[{"text":"a"},{"text":"b"}]}]}"#,
        r#"{"contents":[{"role":"model","parts":[{"executableCode":{}}]}]}"#,
        r#"{"contents":[{"role":"user","parts":[{"functionResponse":{"name":"f","response":{}}}]}]}"#,
        r#"{"stream":true}"#,
    ] {
        let read = Gemini.read(body, "", Transport::Sse);
        let again = read.as_ref().map(|ask| Value::Object(super::build(ask)));
        assert!(again.is_none() || again == serde_json::from_str(body).ok(), "{body}: {read:?}");
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (-99..99_i32).prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        "[a-zé\"{]{0,5}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((keys(), inner), 0..4).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn keys() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,3}".prop_map(String::from),
        prop::sample::select(vec![
            "contents",
            "role",
            "parts",
            "text",
            "thought",
            "thoughtSignature",
            "functionCall",
            "functionResponse",
            "name",
            "args",
            "id",
            "response",
            "inlineData",
            "generationConfig",
            "thinkingConfig",
            "thinkingLevel",
            "thinkingBudget",
            "includeThoughts",
            "tools",
            "toolConfig",
            "functionCallingConfig",
            "mode",
            "stopSequences",
            "responseMimeType",
            "candidates",
            "content",
            "finishReason",
            "usageMetadata",
            "error",
            "details",
            "partialArgs",
            "jsonPath",
            "stringValue",
            "willContinue",
            "promptFeedback",
            "stream",
        ])
        .prop_map(str::to_owned),
    ]
}

fn any_message() -> impl Strategy<Value = Vec<Message>> {
    let attachment = prop_oneof![
        Just(Attachment { media_type: "image/png".into(), name: "n".into(), source: Source::Data("AA==".into()) }),
        Just(Attachment { media_type: "text/plain".into(), name: String::new(), source: Source::Url("https://h/x".into()) }),
    ];
    let files = prop::collection::vec(attachment, 0..2);
    let user = (".{0,6}", files).prop_map(|(text, attachments)| vec![Message { attachments, ..Message::new(Role::User, text) }]);
    let calls = prop::collection::vec(
        ("[ab]", prop::option::of("[a-z]{1,4}"), prop_oneof![Just(""), Just("{}"), Just(r#"{"x":[1.5]}"#)], prop::option::of("[A-Z]{4}")),
        0..3,
    );
    let model = (".{0,6}", prop::option::of(".{0,4}"), prop::option::of("[A-Z]{4}"), calls, any::<bool>()).prop_map(
        |(text, reasoning, signature, calls, answered)| {
            let tool_calls: Vec<ToolCall> = calls
                .iter()
                .enumerate()
                .map(|(at, (name, id, arguments, seal))| {
                    call(&id.clone().map_or(format!("weir-call-{at}"), |id| format!("{id}{at}")), name, arguments, seal.as_deref())
                })
                .collect();
            let answers: Vec<Message> = tool_calls
                .iter()
                .filter(|_| answered)
                .map(|call| answer(&call.id, if call.name == "a" { "plain" } else { "{\"r\": 1}" }))
                .collect();
            let turn = Message { reasoning, signature, tool_calls, ..Message::new(Role::Assistant, text) };
            std::iter::once(turn).chain(answers).collect()
        },
    );
    prop_oneof![user, model]
}

proptest! {
    #[test]
    fn whatever_is_built_is_read_and_built_again(
        turns in prop::collection::vec(any_message(), 0..4), system in ".{0,4}", temperature in prop::option::of(0..16_i32),
        reasoning in prop::option::of(prop_oneof![Just("low"), Just("none"), Just("512"), Just("-1")]), tooled in any::<bool>(),
        choice in prop::option::of(prop_oneof![Just("auto"), Just("none"), Just("required"), Just("t")]), output in prop::option::of(any::<bool>()),
        extra in prop::collection::vec((keys(), any_value()), 0..3),
    ) {
        let mut question = Ask { model: "m".into(), system, messages: turns.concat(), ..Ask::default() };
        question.params.temperature = temperature.map(|eighths| f64::from(eighths) / 8.0);
        question.params.reasoning = reasoning.map(str::to_owned);
        if tooled {
            question.tools = vec![Tool { name: "t".into(), description: String::new(), parameters: json!({"type": "object"}) }];
            question.params.tool_choice = choice.map(str::to_owned);
        }
        question.output = output.map(|schema| Output { name: String::new(), schema: schema.then(|| json!({"type": "object"})) });
        let body = super::build(&question);
        let read = Gemini.read(&Value::Object(body.clone()).to_string(), "", Transport::Sse);
        prop_assert_eq!(super::build(&read.expect("what is built can be read")), body);

        // With members of one's own in it, it is read as the same body or not at all.
        question.params.extra = extra.into_iter().collect();
        let body = super::build(&question);
        if let Some(read) = Gemini.read(&Value::Object(body.clone()).to_string(), "", Transport::Sse) {
            prop_assert_eq!(super::build(&read), body);
        }
    }

    #[test]
    fn any_object_is_read_as_itself_or_not_at_all(members in prop::collection::vec((keys(), any_value()), 0..5)) {
        let body = Value::Object(members.into_iter().collect());
        if let Some(read) = Gemini.read(&body.to_string(), "", Transport::Sse) {
            prop_assert_eq!(Value::Object(super::build(&read)), body);
        }
    }

    #[test]
    fn no_payload_breaks_the_decoder(values in prop::collection::vec(any_value(), 1..6), status in prop_oneof![Just(200_u16), Just(400)]) {
        for id in [GEMINI, "gemini-live", "vertex"] {
            let mut run = Run::new(id, status);
            for (at, value) in values.iter().enumerate() {
                let text = value.to_string();
                match at % 3 {
                    0 => run.feed(Payload::Event { event: "message", data: &text }),
                    1 => run.feed(Payload::Element(text.as_bytes())),
                    _ => run.feed(Payload::Body(text.as_bytes())),
                }
            }
        }
    }
}
