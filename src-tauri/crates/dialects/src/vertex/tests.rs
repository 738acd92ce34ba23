use serde_json::json;

use crate::tests::{Run, ask, body, stream};
use crate::{Ask, AskError, Dialect, Payload, Transport, dialect};

use super::Vertex;

const VERTEX: &str = "vertex";

#[test]
fn geminis_frames_and_patches() {
    let frame = |parts: serde_json::Value| {
        json!({"candidates": [{"content": {"role": "model", "parts": parts}}], "createTime": "2026-11-23T08:00:00Z"}).to_string()
    };
    let run = stream(
        VERTEX,
        &[
            &frame(json!([{"functionCall": {"name": "f", "willContinue": true}}])),
            &frame(
                json!([{"functionCall": {"partialArgs": [{"jsonPath": "$.city", "stringValue": "Be", "willContinue": true}], "willContinue": true}}]),
            ),
            &frame(json!([{"functionCall": {"partialArgs": [{"jsonPath": "$.city", "stringValue": "rn"}], "willContinue": true}}])),
            &frame(json!([{"functionCall": {}}])),
            r#"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2,"totalTokenCount":5,"trafficType":"ON_DEMAND"}}"#,
        ],
    );
    assert_eq!(run.calls(), [("weir-call-1", "f", r#"{"city":"Bern"}"#)]);
    assert_eq!(run.reply.usage.as_ref().unwrap().output_tokens, Some(2));
    assert!(run.decoder.whole());
}

#[test]
fn claudes_events_are_known_by_their_shape() {
    assert!(dialect::find("anthropic-messages").is_some());
    let mut run = Run::new(VERTEX, 200);
    for data in [
        json!({"type": "vertex_event", "usage": {}}),
        json!({"type": "message_start", "message": {"id": "msg_vrtx_1", "type": "message", "role": "assistant", "content": [], "model": "claude", "usage": {"input_tokens": 3, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}),
        json!({"type": "message_stop"}),
    ] {
        let name = data["type"].as_str().unwrap().to_owned();
        run.feed(Payload::Event { event: &name, data: &data.to_string() });
    }
    assert_eq!(run.reply.text, "Hi");
    assert_eq!(run.reply.finish.as_ref().unwrap().reason, "end_turn");
    assert!(run.decoder.whole());
    let refused = body(VERTEX, 404, r#"[{"error":{"code":404,"message":"No such model.","status":"NOT_FOUND"}}]"#);
    assert_eq!(refused.reply.error.unwrap().0, "NOT_FOUND");
}

#[test]
fn it_sends_a_raw_body_at_most() {
    assert!(Vertex.decode_only());
    assert!(matches!(Vertex.check(&ask("hi"), Transport::Sse)[..], [AskError::Inexpressible { .. }]));
    let url = "https://aiplatform.googleapis.com/v1/p/models/claude:streamRawPredict";
    let call = Vertex.call(&Ask { raw_body: Some("{}".into()), ..ask("") }, Transport::Sse, url, true, "").unwrap();
    assert_eq!((call.url.as_str(), call.body.as_str()), (url, "{}"));
    assert_eq!(dialect::guess(url).unwrap().id(), VERTEX);
    assert_eq!(dialect::guess("https://h/v1/publishers/google/models/m:streamGenerateContent?alt=sse").unwrap().id(), "gemini");
    assert_eq!(dialect::guess("wss://h/ws/google.cloud.aiplatform.v1.LlmBidiService/BidiGenerateContent").unwrap().id(), "gemini-live");
}
