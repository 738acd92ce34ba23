use proptest::prelude::*;
use serde_json::{Value, json};

use crate::openai_chat::tests::{sent, text};
use crate::tests::{Run, ask, body, stream};
use crate::{Ask, Attachment, DeltaKind, Dialect, Message, Output, Params, Payload, Role, Source, Tool, ToolCall, Transport, Usage};

use super::Cohere;

const COHERE: &str = "cohere";

fn event(kind: &str, index: u64, message: Value) -> String {
    json!({"type": kind, "index": index, "delta": {"message": message}}).to_string()
}

fn content(text: &str) -> String {
    event("content-delta", 0, json!({"content": {"text": text}}))
}

fn end(delta: Value) -> String {
    json!({"type": "message-end", "delta": delta}).to_string()
}

fn run(events: &[String]) -> Run {
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    stream(COHERE, &events)
}

const BEGIN: &str = r#"{"id":"c1","type":"message-start","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}"#;

#[test]
fn a_plain_stream() {
    let usage = json!({"billed_units": {"input_tokens": 3, "output_tokens": 2}, "tokens": {"input_tokens": 70.0, "output_tokens": 5}, "cached_tokens": 16});
    let run = run(&[
        BEGIN.into(),
        event("content-start", 0, json!({"content": {"type": "text", "text": ""}})),
        content("Hi \"you\"\n"),
        json!({"type": "content-end", "index": 0}).to_string(),
        end(json!({"finish_reason": "COMPLETE", "usage": usage})),
    ]);
    assert_eq!(run.words()[..4], ["c1", "content-start", "Hi \"you\"\n", "content-end"]);
    assert_eq!((run.reply.text.as_str(), run.reply.id.as_deref()), ("Hi \"you\"\n", Some("c1")));
    assert_eq!(run.reply.finish.as_ref().unwrap().reason, "COMPLETE");
    // Tokens, not what was billed.
    let usage = Usage { input_tokens: Some(70), output_tokens: Some(5), cached_tokens: Some(16), ..Usage::default() };
    assert_eq!(run.reply.usage, Some(usage));
    assert!(run.reply.ended && run.decoder.whole() && run.decoder.ended());
}

#[test]
fn what_is_billed_is_not_told_as_tokens() {
    let run = run(&[end(json!({"finish_reason": "COMPLETE", "usage": {"billed_units": {"input_tokens": 3, "output_tokens": 2}}}))]);
    assert_eq!(run.reply.usage, None);
    assert!(run.kinds().contains(&DeltaKind::Usage));
}

#[test]
fn without_message_end_a_stream_is_not_whole() {
    let run = run(&[BEGIN.into(), content("a"), "[DONE]".into()]);
    assert!(!run.decoder.whole() && !run.decoder.ended());
    assert_eq!(run.kinds().last(), Some(&DeltaKind::Control));
}

#[test]
fn thinking_and_plans_are_reasoning() {
    let run = run(&[
        event("content-start", 0, json!({"content": {"type": "thinking", "thinking": ""}})),
        event("content-delta", 0, json!({"content": {"thinking": "hm"}})),
        json!({"type": "content-end", "index": 0}).to_string(),
        event("content-delta", 1, json!({"content": {"text": "a"}})),
    ]);
    assert_eq!((run.reply.reasoning.as_str(), run.reply.text.as_str()), ("hm", "a"));
    let planned = super::tests::run(&[
        event("tool-plan-delta", 0, json!({"tool_plan": "I will"})),
        event("tool-plan-delta", 0, json!({"tool_plan": " look"})),
    ]);
    assert_eq!(planned.reply.reasoning, "I will look");
}

#[test]
fn tool_calls_are_single_objects_numbered_by_the_event() {
    let call = |id: &str, name: &str| json!({"tool_calls": {"id": id, "type": "function", "function": {"name": name, "arguments": ""}}});
    let fragment = |text: &str| json!({"tool_calls": {"function": {"arguments": text}}});
    let run = run(&[
        event("tool-call-start", 0, call("f_1", "f")),
        event("tool-call-delta", 0, fragment("{\n    \"q\"")),
        event("tool-call-delta", 0, fragment(":1}")),
        json!({"type": "tool-call-end", "index": 0}).to_string(),
        event("tool-call-start", 1, call("g_2", "g")),
        event("tool-call-delta", 1, fragment("{}")),
        end(json!({"finish_reason": "TOOL_CALL"})),
    ]);
    assert_eq!(run.calls(), [("f_1", "f", "{\n    \"q\":1}"), ("g_2", "g", "{}")]);
    assert_eq!(run.reply.finish.unwrap().reason, "TOOL_CALL");
    // A list, should one ever come.
    let listed = super::tests::run(&[event(
        "tool-call-start",
        0,
        json!({"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "1"}}]}),
    )]);
    assert_eq!(listed.calls(), [("a", "f", "1")]);
}

#[test]
fn an_error_is_a_reason_to_finish() {
    for (delta, code, message) in [
        (json!({"finish_reason": "ERROR", "error": "model overloaded"}), "ERROR", "model overloaded"),
        (json!({"finish_reason": "ERROR"}), "ERROR", "the reply ended with finish_reason ERROR"),
        (json!({"finish_reason": "TIMEOUT"}), "TIMEOUT", "the reply ended with finish_reason TIMEOUT"),
        (json!({"finish_reason": "ERROR_LIMIT"}), "ERROR_LIMIT", "the reply ended with finish_reason ERROR_LIMIT"),
    ] {
        let run = run(&[content("a"), end(delta.clone())]);
        assert_eq!(run.reply.error, Some((code.to_owned(), message.to_owned())), "{delta}");
        assert_eq!(run.reply.finish.as_ref().unwrap().reason, code);
        assert!(!run.decoder.whole() && run.decoder.ended());
    }
    for reason in ["COMPLETE", "STOP_SEQUENCE", "MAX_TOKENS", "TOOL_CALL"] {
        assert!(run(&[end(json!({"finish_reason": reason}))]).decoder.whole(), "{reason}");
    }
}

#[test]
fn a_whole_reply() {
    let run = body(
        COHERE,
        200,
        r#"{"id":"c2","message":{"role":"assistant","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"a"},{"type":"novel"}],"tool_plan":" so","tool_calls":[{"id":"x","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},{"id":"y","type":"function","function":{"name":"g","arguments":"{}"}}]},"finish_reason":"TOOL_CALL","usage":{"tokens":{"input_tokens":1,"output_tokens":2}}}"#,
    );
    assert_eq!((run.reply.reasoning.as_str(), run.reply.text.as_str()), (" sohm", "a"));
    assert_eq!(run.calls(), [("x", "f", "{\"a\":1}"), ("y", "g", "{}")]);
    assert!(run.words().contains(&"novel") && run.decoder.whole());
    assert_eq!(run.reply.id.as_deref(), Some("c2"));
}

#[test]
fn error_bodies() {
    for status in [401, 200] {
        let run = body(COHERE, status, r#"{"id":"x","message":"invalid api token"}"#);
        assert_eq!(run.reply.error, Some((String::new(), "invalid api token".to_owned())), "{status}");
        assert!(!run.decoder.whole());
    }
    assert_eq!(body(COHERE, 502, "<html><title>Bad Gateway</title>").reply.error.unwrap().1, "Bad Gateway");
    let mut run = Run::new(COHERE, 200);
    run.feed(Payload::Event { event: "error", data: "broken pipe" });
    assert_eq!(run.reply.error.unwrap().1, "broken pipe");
}

#[test]
fn whatever_comes_is_shown() {
    for (data, kind, word) in [
        ("", DeltaKind::Unknown, "empty"),
        ("nonsense", DeltaKind::Unknown, "not JSON"),
        (r#"{"choices":[]}"#, DeltaKind::Unknown, "a JSON object with choices, not a chat event"),
        (r#"{"type":"message_start"}"#, DeltaKind::Unknown, "message_start: no event of Cohere Chat"),
        (r#"{"type":"citation-start","index":0,"delta":{"message":{"citations":{"start":1}}}}"#, DeltaKind::Control, "citation-start"),
        (r#"{"type":"debug","prompt":"x"}"#, DeltaKind::Control, "debug"),
        (r#"{"type":"content-delta"}"#, DeltaKind::Control, "content-delta"),
        (r#"{"type":"message-start"}"#, DeltaKind::Control, "message-start"),
        (r#"{"type":"content-delta","delta":{"message":{"content":"bare"}}}"#, DeltaKind::Text, "bare"),
    ] {
        let run = stream(COHERE, &[data]);
        assert_eq!(run.kinds(), [kind], "{data}");
        assert!(run.words()[0].starts_with(word), "{data}: {:?}", run.words());
    }
}

fn full() -> Ask {
    let mut question = ask("hi");
    question.system = "be brief".to_owned();
    question.messages[0].attachments = vec![
        Attachment { media_type: "image/png".into(), name: String::new(), source: Source::Data("aGk=".into()) },
        Attachment { media_type: "image/*".into(), name: String::new(), source: Source::Url("https://h/a.webp".into()) },
    ];
    let call = ToolCall { id: "f_1".into(), name: "f".into(), arguments: "{}".into(), signature: None };
    question.messages.push(Message { reasoning: Some("plan".into()), tool_calls: vec![call], ..Message::new(Role::Assistant, "") });
    question.messages.push(Message { tool_call_id: Some("f_1".into()), ..Message::new(Role::Tool, "42") });
    question.messages.push(Message { reasoning: Some("hm".into()), ..Message::new(Role::Assistant, "so") });
    question.messages.push(Message::new(Role::User, "and?"));
    question.tools.push(Tool { name: "f".into(), description: "d".into(), parameters: json!({"type": "object"}) });
    question.params = Params {
        temperature: Some(0.0),
        top_p: Some(0.9),
        max_tokens: Some(7),
        seed: Some(4),
        stop: vec!["x".into()],
        reasoning: Some("500".into()),
        tool_choice: Some("f".into()),
        extra: json!({"k": 3, "citation_options": {"mode": "OFF"}}).as_object().cloned().unwrap(),
        ..Params::default()
    };
    question
}

#[test]
fn what_is_sent() {
    let call = Cohere.call(&full(), Transport::Sse, "https://api.cohere.com", false, "Authorization: Bearer {key}").unwrap();
    assert_eq!((call.method.as_str(), call.url.as_str()), ("POST", "https://api.cohere.com/v2/chat"));
    assert_eq!(
        serde_json::from_str::<Value>(&call.body).unwrap(),
        json!({
            "model": "m",
            "messages": [
                {"role": "system", "content": "be brief"},
                {"role": "user", "content": [
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
                    {"type": "image_url", "image_url": {"url": "https://h/a.webp"}},
                    {"type": "text", "text": "hi"},
                ]},
                {"role": "assistant", "tool_plan": "plan", "tool_calls": [{"id": "f_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": "f_1", "content": "42"},
                {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "so"}]},
                {"role": "user", "content": "and?"},
            ],
            "temperature": 0,
            "p": 0.9,
            "max_tokens": 7,
            "seed": 4,
            "stop_sequences": ["x"],
            "thinking": {"type": "enabled", "token_budget": 500},
            "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}],
            "tool_choice": "REQUIRED",
            "stream": true,
            "k": 3,
            "citation_options": {"mode": "OFF"},
        })
    );
    let url = |base: &str| Cohere.call(&ask("hi"), Transport::Http, base, false, "").unwrap().url;
    assert_eq!(url("http://127.0.0.1:1/v2/"), "http://127.0.0.1:1/v2/chat");
    assert_eq!(url("http://127.0.0.1:1/cohere"), "http://127.0.0.1:1/cohere/v2/chat");
    let mut formed = ask("hi");
    formed.output = Some(Output { name: String::new(), schema: Some(json!({"type": "object"})) });
    formed.params.reasoning = Some("none".into());
    let body = super::body::build(&formed, Transport::Http);
    assert_eq!(body["response_format"], json!({"type": "json_object", "json_schema": {"type": "object"}}));
    assert_eq!(body["thinking"], json!({"type": "disabled"}));
    assert!(!body.contains_key("stream"));
}

#[test]
fn what_cannot_be_asked_is_said_before() {
    let refused = |question: &Ask| Cohere.check(question, Transport::Sse).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(refused(&full()), Vec::<String>::new());
    let one = |change: &dyn Fn(&mut Ask)| {
        let mut question = full();
        change(&mut question);
        let found = refused(&question);
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    };
    assert!(one(&|ask| ask.params.reasoning = Some("high".into())).contains("reasoning high"));
    assert!(one(&|ask| ask.tools.push(Tool { name: "g".into(), ..ask.tools[0].clone() })).contains("one tool among several"));
    assert!(one(&|ask| ask.output = Some(Output { name: String::new(), schema: None })).contains("together with tools"));
    let pdf = Attachment { media_type: "application/pdf".into(), name: "a.pdf".into(), source: Source::Data("aGk=".into()) };
    assert!(one(&|ask| ask.messages[0].attachments.push(pdf.clone())).contains("a.pdf"));
    assert!(one(&|ask| ask.messages[2].attachments.push(pdf.clone())).contains("outside a user's turn"));
    assert_eq!(Cohere.check(&ask("hi"), Transport::Websocket).len(), 1);
}

#[test]
fn bodies_are_read_back() {
    let read = |body: &Value| Cohere.read(&body.to_string(), "", Transport::Http);
    let user = json!([{"role": "user", "content": "hi"}]);
    for body in [
        json!({"model": "m", "messages": user}),
        json!({"model": "m", "messages": user, "temperature": 0.3, "safety_mode": "STRICT", "documents": ["a"], "stream": false}),
        json!({"model": "m", "messages": user, "tools": [{"type": "function", "function": {"name": "f", "parameters": {}, "strict": true}}], "tool_choice": "NONE"}),
        json!({"model": "m", "messages": user, "response_format": {"type": "text"}, "thinking": {"type": "enabled"}}),
    ] {
        let question = read(&body).unwrap_or_else(|| panic!("{body} is not read"));
        assert_eq!(Value::Object(super::body::build(&question, Transport::Http)), body);
    }
    let held_by_no_ask = json!({"messages": user});
    assert_eq!(read(&held_by_no_ask), None, "{held_by_no_ask}");
}

fn message() -> impl Strategy<Value = Message> {
    let image = prop_oneof![
        Just(Attachment { media_type: "image/gif".into(), name: String::new(), source: Source::Data("aGk=".into()) }),
        Just(Attachment { media_type: "image/*".into(), name: String::new(), source: Source::Url("https://h/i".into()) }),
    ];
    let calls = proptest::collection::vec((text(), text()), 0..3).prop_map(|calls| {
        let call = |(name, arguments)| ToolCall { id: "t".into(), name, arguments, signature: None };
        calls.into_iter().map(call).collect::<Vec<_>>()
    });
    prop_oneof![
        (text(), proptest::collection::vec(image, 0..3))
            .prop_map(|(text, attachments)| Message { attachments, ..Message::new(Role::User, text) }),
        text().prop_map(|text| Message { tool_call_id: Some("t".into()), ..Message::new(Role::Tool, text) }),
        (text(), calls, proptest::option::of(text())).prop_map(|(text, tool_calls, reasoning)| Message {
            tool_calls,
            reasoning,
            ..Message::new(Role::Assistant, text)
        }),
    ]
}

/// What a member of a body may hold, or `None` for no such member.
fn value() -> impl Strategy<Value = Option<Value>> {
    let some = [
        json!(null),
        json!(1.0),
        json!("REQUIRED"),
        json!("NONE"),
        json!([]),
        json!({}),
        json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "u", "detail": "low"}}]}]),
        json!([{"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "thinking", "thinking": "b"}]}]),
        json!([{"role": "system", "content": "a"}, {"role": "system", "content": "b"}]),
        json!([{"type": "function", "function": {"name": "f", "parameters": {}, "description": ""}}]),
        json!({"type": "enabled", "token_budget": 0}),
        json!({"type": "json_object", "json_schema": null}),
        json!({"type": "disabled", "token_budget": 5}),
    ];
    proptest::option::of(proptest::sample::select(some.to_vec()))
}

proptest! {
    #[test]
    fn what_is_built_is_read_and_built_again(system in text(), messages in proptest::collection::vec(message(), 0..6), hundredths in proptest::option::of(0_u32..200), seed in proptest::option::of(any::<i64>()), reasoning in proptest::option::of(prop_oneof![Just("none"), Just("enabled"), Just("64")]), form in 0_u8..4, sse in any::<bool>()) {
        let transport = if sse { Transport::Sse } else { Transport::Http };
        let schema = json!({"type": "object"});
        let tool = Tool { name: "f".into(), description: system.clone(), parameters: schema.clone() };
        let question = Ask {
            model: "m".into(),
            messages,
            tools: (form == 1).then_some(tool).into_iter().collect(),
            output: (form > 1).then(|| Output { name: String::new(), schema: (form == 2).then_some(schema) }),
            params: Params {
                temperature: hundredths.map(|n| f64::from(n) / 100.0),
                seed,
                reasoning: reasoning.map(str::to_owned),
                tool_choice: (form == 1).then(|| "required".into()),
                extra: json!({"k": 1, "thinking": {"x": null}}).as_object().cloned().unwrap(),
                ..Params::default()
            },
            system,
            raw_body: None,
 system_aside: None,
        };
        prop_assert_eq!(Cohere.check(&question, transport), vec![]);
        let built = Value::Object(super::body::build(&question, transport));
        let read = Cohere.read(&built.to_string(), "", transport);
        prop_assert!(read.is_some(), "not read: {}", built);
        prop_assert_eq!(Value::Object(super::body::build(&read.unwrap(), transport)), built);
    }

    #[test]
    fn what_is_read_is_all_of_the_body(name in "model|messages|temperature|p|seed|stop_sequences|thinking|response_format|tools|tool_choice|stream|novel", value in value()) {
        let mut body = super::body::build(&full(), Transport::Sse);
        match value {
            Some(value) => drop(body.insert(name, value)),
            None => drop(body.remove(&name)),
        }
        let body = Value::Object(body);
        if let Some(read) = Cohere.read(&body.to_string(), "", Transport::Sse) {
            prop_assert_eq!(Value::Object(super::body::build(&read, Transport::Sse)), body);
        }
    }

    #[test]
    fn what_is_encoded_is_decoded(texts in proptest::collection::vec((text(), 0_u8..3, any::<bool>()), 0..8), counts in (1_u64..1 << 53, 0_u64..1 << 53), spaced in any::<bool>()) {
        let mut run = Run::new(COHERE, 200);
        let (mut reply, mut reasoning, mut arguments) = (String::new(), String::new(), String::new());
        let space = if spaced { " \n" } else { "" };
        for (text, kind, ascii) in &texts {
            let quoted = sent(text, *ascii);
            let (event, message, to) = match kind {
                0 => ("content-delta", format!(r#"{{"content":{space}{{"text":{space}{quoted}}}}}"#), &mut reply),
                1 => ("content-delta", format!(r#"{{"content":{{"thinking":{quoted}{space}}}}}"#), &mut reasoning),
                _ => ("tool-call-delta", format!(r#"{{"tool_calls":{{"function":{{"arguments":{quoted}}}{space}}}}}"#), &mut arguments),
            };
            to.push_str(text);
            run.feed(Payload::Event { event, data: &format!(r#"{{"type":"{event}","index":0,"delta":{{"message":{message}}}}}"#) });
        }
        run.feed(Payload::Event { event: "message-end", data: &end(json!({"finish_reason": "COMPLETE", "usage": {"tokens": {"input_tokens": counts.0, "output_tokens": counts.1}}})) });
        prop_assert_eq!(&run.reply.text, &reply);
        prop_assert_eq!(&run.reply.reasoning, &reasoning);
        prop_assert_eq!(run.reply.tool_calls.first().map_or("", |(_, call)| call.arguments.as_str()), &arguments);
        let usage = run.reply.usage.clone().unwrap();
        prop_assert_eq!((usage.input_tokens, usage.output_tokens), (Some(counts.0), Some(counts.1)));
        prop_assert!(run.decoder.whole());
    }
}
