use proptest::prelude::*;
use serde_json::{Value, json};

use crate::tests::{Run, ask, body, stream};
use crate::{Ask, AskError, Attachment, Call, DeltaKind, Dialect, Message, Output, Payload, Role, Source, Tool, ToolCall, Transport};

use super::DashScope;

const ID: &str = "dashscope";

fn frame(message: Value, finish: &str, tokens: u64) -> String {
    json!({
        "output": {"choices": [{"message": message, "finish_reason": finish}]},
        "usage": {"input_tokens": 9, "output_tokens": tokens, "total_tokens": 9 + tokens},
        "request_id": "req-1",
    })
    .to_string()
}

fn text(content: &str, finish: &str, tokens: u64) -> String {
    frame(json!({"role": "assistant", "content": content, "reasoning_content": ""}), finish, tokens)
}

fn run(frames: &[String]) -> Run {
    let mut run = Run::new(ID, 200);
    for data in frames {
        run.feed(Payload::Event { event: "result", data });
    }
    run
}

#[test]
fn pieces_and_whole_texts_come_to_the_same() {
    let apart = run(&[text("Hi", "null", 1), text(" \"you\"\n", "null", 3), text("!", "null", 4), text("", "stop", 5)]);
    let grown =
        run(&[text("Hi", "null", 1), text("Hi \"you\"\n", "null", 3), text("Hi \"you\"\n!", "null", 4), text("Hi \"you\"\n!", "stop", 5)]);
    for run in [apart, grown] {
        assert_eq!(run.reply.text, "Hi \"you\"\n!");
        assert_eq!(run.reply.finish.as_ref().unwrap().reason, "stop");
        // The last count, never the sum.
        let usage = run.reply.usage.as_ref().unwrap();
        assert_eq!((usage.input_tokens, usage.output_tokens), (Some(9), Some(5)));
        assert_eq!(run.reply.id.as_deref(), Some("req-1"));
        assert!(run.decoder.whole() && !run.decoder.ended());
        assert!(run.deltas.iter().filter(|delta| delta.kind == DeltaKind::Finish).count() == 1);
        // Only the new is told, at its place in the payload.
        let texts: Vec<_> = run.deltas.iter().filter(|delta| delta.kind == DeltaKind::Text).map(|delta| delta.text.as_str()).collect();
        assert_eq!(texts, ["Hi", " \"you\"\n", "!"]);
    }
}

#[test]
fn a_text_that_is_written_anew_replaces() {
    let long = "a".repeat(100);
    let run = run(&[text(&long, "null", 1), text(&format!("{long}b"), "null", 2), text("c", "null", 3), text("cd", "stop", 4)]);
    assert_eq!(run.reply.text, "cd");
    assert!(run.deltas.iter().any(|delta| delta.part == "Whole" && delta.text == "c"));
}

#[test]
fn the_word_null_is_no_end() {
    let cut = run(&[text("Hi", "null", 1)]);
    assert!(cut.reply.finish.is_none() && !cut.decoder.whole());
    let unset = run(&[json!({"output": {"choices": [{"message": {"content": "Hi"}, "finish_reason": null}]}}).to_string()]);
    assert!(unset.reply.finish.is_none() && !unset.decoder.whole());
}

#[test]
fn reasoning_comes_before_the_text_both_ways() {
    let think =
        |reasoning: &str, content: &str, finish: &str| frame(json!({"content": content, "reasoning_content": reasoning}), finish, 1);
    let apart =
        run(&[think("I ", "", "null"), think("see", "", "null"), think("", "So", "null"), think("", ".", "null"), think("", "", "stop")]);
    let grown = run(&[
        think("I ", "", "null"),
        think("I see", "", "null"),
        think("I see", "So", "null"),
        think("I see", "So.", "null"),
        think("I see", "So.", "stop"),
    ]);
    let dropped = run(&[think("I ", "", "null"), think("I see", "", "null"), think("", "So", "null"), think("", "So.", "stop")]);
    for run in [apart, grown, dropped] {
        assert_eq!((run.reply.reasoning.as_str(), run.reply.text.as_str()), ("I see", "So."));
    }
}

#[test]
fn calls_in_fragments_and_whole() {
    let call = |content: &str, arguments: &str, first: bool, finish: &str| {
        let id = if first { json!("c") } else { json!("") };
        let name = if first { json!("f") } else { json!("") };
        frame(
            json!({"content": content, "tool_calls": [{"index": 0, "id": id, "type": "function", "function": {"name": name, "arguments": arguments}}]}),
            finish,
            1,
        )
    };
    let apart = run(&[
        call("", "", true, "null"),
        call("", "{\"x\":", false, "null"),
        call("", "\"\\n\"}", false, "null"),
        text("", "tool_calls", 3),
    ]);
    let grown = run(&[
        call("I call", "", true, "null"),
        call("I call", "{\"x\":", true, "null"),
        call("I call", "{\"x\":\"\\n\"}", true, "null"),
        call("I call", "{\"x\":\"\\n\"}", true, "tool_calls"),
    ]);
    assert_eq!(grown.reply.text, "I call");
    for run in [apart, grown] {
        assert_eq!(run.calls(), [("c", "f", "{\"x\":\"\\n\"}")]);
        assert_eq!(run.reply.finish.as_ref().unwrap().reason, "tool_calls");
        assert!(run.decoder.whole());
    }
    let object = run(&[frame(
        json!({"content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"x": 1}}}, {"function": {"name": "g", "arguments": "{}"}}]}),
        "tool_calls",
        1,
    )]);
    assert_eq!(object.calls(), [("", "f", r#"{"x":1}"#), ("", "g", "{}")]);
}

#[test]
fn the_older_form_and_lists_of_parts() {
    let old = |text: &str, finish: &str| {
        json!({"output": {"text": text, "finish_reason": finish}, "usage": {"output_tokens": 1}, "request_id": "r"}).to_string()
    };
    let plain = run(&[old("Hi", "null"), old("Hi you", "stop")]);
    assert_eq!((plain.reply.text.as_str(), plain.decoder.whole()), ("Hi you", true));
    let list = |content: Value, finish: &str| frame(json!({"content": content}), finish, 1);
    let parts = run(&[list(json!([{"text": "Hi"}]), "null"), list(json!([{"text": " you"}]), "null"), list(json!([]), "stop")]);
    assert_eq!((parts.reply.text.as_str(), parts.decoder.whole()), ("Hi you", true));
    let several = run(&[json!({"output": {"choices": [{"index": 0, "message": {"content": "a"}, "finish_reason": "stop"}, {"index": 1, "message": {"content": "b"}, "finish_reason": "stop"}]}}).to_string()]);
    assert_eq!(several.reply.text, "a");
    assert!(several.words().contains(&"another choice"));
}

#[test]
fn errors_under_status_200_and_others() {
    let mut run = Run::new(ID, 200);
    run.feed(Payload::Event { event: "result", data: &text("Hi", "null", 1) });
    run.feed(Payload::Event { event: "error", data: r#"{"code":"Throttling.AllocationQuota","message":"quota","request_id":"r"}"# });
    assert_eq!(run.reply.error, Some(("Throttling.AllocationQuota".to_owned(), "quota".to_owned())));
    assert!(!run.decoder.whole());
    // After a finish too, and without the event's name.
    let after = stream(
        ID,
        &[
            &text("Hi", "stop", 1),
            r#"{"code":"DataInspectionFailed","message":"Output data may contain inappropriate content.","request_id":"r"}"#,
        ],
    );
    assert!(after.reply.error.is_some() && !after.decoder.whole());
    for (status, sent, code) in [
        (401, r#"{"code":"InvalidApiKey","message":"Invalid API-key provided.","request_id":"r"}"#, "InvalidApiKey"),
        (400, r#"{"code":"InvalidParameter","message":"url error, please check url!","request_id":"r"}"#, "InvalidParameter"),
        (200, r#"{"error":{"code":"x","message":"y"}}"#, "x"),
        (502, "<html><title>Bad Gateway</title></html>", ""),
        (200, "<html><title>Bad Gateway</title></html>", ""),
    ] {
        let run = body(ID, status, sent);
        assert_eq!(run.reply.error.as_ref().map(|(code, _)| code.as_str()), Some(code), "{sent}");
        assert!(!run.decoder.whole());
    }
    let odd = stream(ID, &["", "[DONE]", "{}", "[1]", r#"{"choices":[{"delta":{"content":"a"}}]}"#, "{\"a\":1}\nx"]);
    assert!(odd.kinds().iter().all(|kind| *kind == DeltaKind::Unknown), "{:?}", odd.kinds());
    // Empty codes are no errors; a done event and a task that is only taken on are told by their words.
    let fine = body(
        ID,
        200,
        r#"{"status_code":200,"code":"","message":"","request_id":"r","output":{"text":null,"choices":[{"finish_reason":"stop","message":{"content":"Hi"}}]},"usage":{"input_tokens":1,"output_tokens":1}}"#,
    );
    assert_eq!((fine.reply.text.as_str(), fine.decoder.whole(), fine.reply.error.is_none()), ("Hi", true, true));
    let task = body(ID, 200, r#"{"output":{"task_id":"t","task_status":"PENDING"},"request_id":"r"}"#);
    assert!(task.words().contains(&"PENDING") && !task.decoder.whole());
}

#[test]
fn events_without_blank_lines_between_them() {
    let frames = [text("Hi", "null", 1), text("Hi you", "null", 2), text("Hi you", "stop", 3)];
    // What the standard makes of it: one event, its data lines joined by LF.
    let run = stream(ID, &[&frames.join("\n")]);
    assert_eq!((run.reply.text.as_str(), run.decoder.whole()), ("Hi you", true));
    assert_eq!(run.words()[0], "3 results in one event: no blank line stands between them");
    let mut broken = Run::new(ID, 200);
    let data = [frames[0].as_str(), r#"{"code":"c","message":"m","request_id":"r"}"#].join("\n");
    broken.feed(Payload::Event { event: "error", data: &data });
    assert_eq!((broken.reply.text.as_str(), broken.reply.error.as_ref().unwrap().0.as_str()), ("Hi", "c"));
}

#[test]
fn what_is_sent() {
    let call = |ask: &Ask, transport, base: &str| DashScope.call(ask, transport, base, false, "Authorization: Bearer {key}").unwrap();
    let header = |call: &Call, name: &str| call.headers.iter().find(|header| header.name == name).map(|header| header.value.clone());
    let mut asked = question();
    let streamed = call(&asked, Transport::Sse, "https://dashscope.aliyuncs.com/api/v1");
    assert_eq!(streamed.url, "https://dashscope.aliyuncs.com/api/v1/services/aigc/text-generation/generation");
    assert_eq!(header(&streamed, "X-DashScope-SSE").as_deref(), Some("enable"));
    assert_eq!(
        streamed.body,
        concat!(
            r#"{"model":"qwen-plus","input":{"messages":[{"role":"system","content":"be brief"},{"role":"user","content":"hi"},"#,
            r#"{"role":"assistant","content":"","tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"42"}]},"#,
            r#""parameters":{"result_format":"message","incremental_output":true,"temperature":0.5,"max_tokens":7,"seed":3,"stop":["x"],"enable_thinking":true,"thinking_budget":512,"#,
            r#""tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}],"tool_choice":{"type":"function","function":{"name":"f"}},"#,
            r#""response_format":{"type":"json_object"},"top_k":5}}"#,
        )
    );
    let whole = call(&asked, Transport::Http, "https://dashscope.aliyuncs.com");
    assert_eq!(whole.url, streamed.url);
    assert!(header(&whole, "X-DashScope-SSE").is_none() && !whole.body.contains("incremental_output"));
    // Models that see, and questions that show something, have another address and another form.
    asked.model = "qwen3-vl-plus".to_owned();
    let seeing = call(&asked, Transport::Sse, "https://dashscope-intl.aliyuncs.com/api/v1/");
    assert_eq!(seeing.url, "https://dashscope-intl.aliyuncs.com/api/v1/services/aigc/multimodal-generation/generation");
    assert!(seeing.body.contains(r#"{"role":"user","content":[{"text":"hi"}]}"#));
    asked.model = "m".to_owned();
    asked.messages[0].attachments =
        vec![attachment("image/png", Source::Data("AAAA".to_owned())), attachment("video/mp4", Source::Url("https://h/v".to_owned()))];
    let shown = call(&asked, Transport::Sse, "https://dashscope.aliyuncs.com/api/v1");
    assert!(shown.body.contains(r#"[{"image":"data:image/png;base64,AAAA"},{"video":"https://h/v"},{"text":"hi"}]"#));
    let base = "http://h/api/v1/services/aigc/text-generation/generation";
    assert_eq!(call(&ask("hi"), Transport::Sse, base).url, base);
    assert_eq!(crate::dialect::guess(base).unwrap().id(), ID);
}

#[test]
fn what_cannot_be_asked_is_said_before() {
    let mut asked = question();
    asked.params.reasoning = Some("low".to_owned());
    asked.params.tool_choice = Some("required".to_owned());
    asked.messages[0].attachments = vec![attachment("application/pdf", Source::Data("AAAA".to_owned()))];
    let what: Vec<String> = DashScope
        .check(&asked, Transport::Sse)
        .into_iter()
        .map(|problem| match problem {
            AskError::Inexpressible { what, .. } => what,
            other => other.to_string(),
        })
        .collect();
    assert_eq!(what, ["reasoning effort low", "tool choice required", "an attachment of type application/pdf"]);
}

fn attachment(media_type: &str, source: Source) -> Attachment {
    Attachment { media_type: media_type.to_owned(), name: String::new(), source }
}

fn question() -> Ask {
    let mut asked = ask("hi");
    asked.model = "qwen-plus".to_owned();
    asked.system = "be brief".to_owned();
    let call = ToolCall { id: "c".to_owned(), name: "f".to_owned(), arguments: "{}".to_owned(), signature: None };
    asked.messages.push(Message { tool_calls: vec![call], ..Message::new(Role::Assistant, "") });
    asked.messages.push(Message { tool_call_id: Some("c".to_owned()), ..Message::new(Role::Tool, "42") });
    asked.tools.push(Tool { name: "f".to_owned(), description: "d".to_owned(), parameters: json!({"type": "object"}) });
    asked.params.temperature = Some(0.5);
    asked.params.max_tokens = Some(7);
    asked.params.seed = Some(3);
    asked.params.stop = vec!["x".to_owned()];
    asked.params.reasoning = Some("512".to_owned());
    asked.params.tool_choice = Some("f".to_owned());
    asked.output = Some(Output { name: String::new(), schema: None });
    asked.params.extra = json!({"parameters": {"top_k": 5}}).as_object().unwrap().clone();
    asked
}

#[test]
fn bodies_are_read_back() {
    let mut asked = question();
    for transport in [Transport::Sse, Transport::Http] {
        let sent = DashScope.call(&asked, transport, "https://h", false, "").unwrap();
        assert_eq!(DashScope.read(&sent.body, &sent.url, transport), Some(asked.clone()));
    }
    asked.model = "qwen-vl-max".to_owned();
    asked.messages[0].attachments = vec![attachment("image/png", Source::Data("AAAA".to_owned()))];
    let sent = DashScope.call(&asked, Transport::Sse, "https://h", false, "").unwrap();
    assert_eq!(DashScope.read(&sent.body, &sent.url, Transport::Sse), Some(asked));
    // A body as people write it: what has no field is kept, what would be lost is not read.
    let by_hand = r#"{"model":"m","input":{"messages":[{"role":"user","content":"hi"}]},"parameters":{"result_format":"message","incremental_output":false,"top_k":1},"x":{"y":null}}"#;
    let read = DashScope.read(by_hand, "", Transport::Sse).unwrap();
    let again = DashScope.call(&read, Transport::Sse, "https://h", false, "").unwrap();
    assert_eq!(serde_json::from_str::<Value>(&again.body).unwrap(), serde_json::from_str::<Value>(by_hand).unwrap());
    for odd in ["", "[]", "{}", r#"{"model":"m","input":{"prompt":"hi"}}"#, r#"{"model":"m","messages":[]}"#] {
        assert!(DashScope.read(odd, "", Transport::Sse).is_none(), "{odd}");
    }
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(pieces in proptest::collection::vec("[a-z\"\\\\\n\u{e9}\u{1f600}]{3,9}", 1..12), thought in proptest::collection::vec("[a-z \u{4f60}]{3,9}", 0..6), grown in any::<bool>()) {
        let mut frames = Vec::new();
        let (mut so_far, mut thought_so_far) = (String::new(), String::new());
        for piece in &thought {
            thought_so_far.push_str(piece);
            frames.push(frame(json!({"content": "", "reasoning_content": if grown { &thought_so_far } else { piece }}), "null", 1));
        }
        for piece in &pieces {
            so_far.push_str(piece);
            frames.push(frame(json!({"content": if grown { &so_far } else { piece }, "reasoning_content": if grown { thought_so_far.as_str() } else { "" }}), "null", 1));
        }
        frames.push(frame(json!({"content": if grown { so_far.as_str() } else { "" }, "reasoning_content": if grown { thought_so_far.as_str() } else { "" }}), "stop", 2));
        let run = run(&frames);
        prop_assert_eq!((&run.reply.text, &run.reply.reasoning), (&so_far, &thought_so_far));
        prop_assert!(run.decoder.whole());
    }
}
