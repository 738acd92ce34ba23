//! The servers that speak Chat Completions with an accent, one test each; the bodies are in the form their documentation, source or
//! captures show.

use serde_json::{Value, json};

use super::OpenAiChat;
use crate::tests::{Run, ask, body, stream};
use crate::{DeltaKind, Dialect, Message, Payload, Role, Source, ToolCall, Transport, provider};

const CHAT: &str = "openai-chat";

fn sent(base: &str, ask: &crate::Ask) -> Value {
    serde_json::from_str(&OpenAiChat.call(ask, Transport::Sse, base, false, "").unwrap().body).unwrap()
}

/// The base URL of a known provider for this dialect.
fn base(id: &str) -> String {
    let provider = provider::find(id).unwrap_or_else(|| panic!("no provider {id}"));
    provider.dialects.iter().find(|(dialect, _)| dialect == CHAT).unwrap().1.clone()
}

/// A conversation in which a tool was called and answered.
fn tool_turn() -> crate::Ask {
    let mut question = ask("hi");
    let call = ToolCall { id: "a".to_owned(), name: "f".to_owned(), arguments: "{}".to_owned(), signature: None };
    question.messages.push(Message { tool_calls: vec![call], reasoning: Some("hm".to_owned()), ..Message::new(Role::Assistant, "") });
    question.messages.push(Message { tool_call_id: Some("a".to_owned()), ..Message::new(Role::Tool, "42") });
    question
}

#[test]
fn deepseek() {
    // Blank lines keep an unstreamed answer's connection alive.
    let waited = body(
        CHAT,
        200,
        "\n\n\n{\"id\":\"d\",\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"hi\"},\"finish_reason\":\"stop\"}]}",
    );
    assert_eq!((waited.reply.text.as_str(), waited.decoder.whole()), ("hi", true));
    let run = stream(
        CHAT,
        &[
            r#"{"id":"d","choices":[{"index":0,"delta":{"role":"assistant","content":null,"reasoning_content":"hm"},"finish_reason":null}],"usage":null}"#,
            r#"{"id":"d","choices":[{"index":0,"delta":{"content":"hi","reasoning_content":null},"finish_reason":null}],"usage":null}"#,
            r#"{"id":"d","choices":[{"index":0,"delta":{"content":""},"finish_reason":"insufficient_system_resource"}],"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12,"prompt_cache_hit_tokens":4,"prompt_cache_miss_tokens":6,"completion_tokens_details":{"reasoning_tokens":1}}}"#,
            "[DONE]",
        ],
    );
    assert_eq!((run.reply.reasoning.as_str(), run.reply.text.as_str()), ("hm", "hi"));
    assert_eq!(run.reply.finish.unwrap().reason, "insufficient_system_resource");
    let usage = run.reply.usage.unwrap();
    assert_eq!((usage.cached_tokens, usage.input_includes_cached, usage.output_includes_reasoning), (Some(4), Some(true), Some(true)));
    // In thinking mode with tools the reasoning goes back with the call; elsewhere it must not.
    let mut question = tool_turn();
    question.params.reasoning = Some("enabled".to_owned());
    let deepseek = sent(&base("deepseek"), &question);
    assert_eq!(deepseek["thinking"], json!({"type": "enabled"}));
    assert_eq!(deepseek["messages"][1]["reasoning_content"], "hm");
    let elsewhere = sent("http://127.0.0.1:8000/v1", &question);
    assert_eq!((&elsewhere["reasoning_effort"], elsewhere["messages"][1].get("reasoning_content")), (&json!("enabled"), None));
}

#[test]
fn qwen_compatible_mode() {
    let mut question = ask("hi");
    question.params.reasoning = Some("500".to_owned());
    let body = sent(&base("qwen"), &question);
    assert_eq!((&body["enable_thinking"], &body["thinking_budget"]), (&json!(true), &json!(500)));
    assert_eq!(body["stream_options"], json!({"include_usage": true}));
    question.params.reasoning = Some("disabled".to_owned());
    assert_eq!(sent("https://ws.ap-southeast-1.maas.aliyuncs.com/compatible-mode/v1", &question)["enable_thinking"], false);
    let run = stream(
        CHAT,
        &[
            r#"{"choices":[{"delta":{"content":null,"role":"assistant","reasoning_content":""},"index":0,"logprobs":null,"finish_reason":null}],"object":"chat.completion.chunk","usage":null,"created":1,"system_fingerprint":null,"model":"qwq-plus","id":"q"}"#,
            r#"{"choices":[{"delta":{"content":null,"reasoning_content":"hm"},"index":0,"finish_reason":null}],"object":"chat.completion.chunk","id":"q"}"#,
            r#"{"choices":[{"delta":{"content":"hi"},"index":0,"finish_reason":"stop"}],"id":"q"}"#,
            r#"{"choices":[],"object":"chat.completion.chunk","usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12},"id":"q"}"#,
            "[DONE]",
        ],
    );
    assert_eq!((run.reply.reasoning.as_str(), run.reply.text.as_str(), run.reply.id.as_deref()), ("hm", "hi", Some("q")));
    assert!(run.decoder.whole());
}

#[test]
fn openrouter() {
    let run = stream(
        CHAT,
        &[
            r#"{"id":"gen-1","provider":"X","choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm"}]},"finish_reason":null,"native_finish_reason":null}]}"#,
            r#"{"id":"gen-1","provider":"X","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}"#,
            r#"{"id":"gen-1","provider":"X","error":{"code":502,"message":"Provider disconnected","metadata":{"provider_name":"X"}},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error","native_finish_reason":null}]}"#,
        ],
    );
    assert_eq!((run.reply.reasoning.as_str(), run.reply.text.as_str()), ("hm", "hi"));
    assert_eq!(run.reply.error, Some(("502".to_owned(), "Provider disconnected".to_owned())));
    assert!(!run.decoder.whole());
    let mut question = tool_turn();
    question.params.reasoning = Some("high".to_owned());
    let body = sent(&base("openrouter"), &question);
    assert_eq!((&body["reasoning"], &body["messages"][1]["reasoning"]), (&json!({"effort": "high"}), &json!("hm")));
    question.params.reasoning = Some("2000".to_owned());
    assert_eq!(sent(&base("openrouter"), &question)["reasoning"], json!({"max_tokens": 2000}));
}

#[test]
fn groq() {
    let run = stream(
        CHAT,
        &[
            r#"{"id":"c","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"x_groq":{"id":"req_1","seed":1}}"#,
            r#"{"id":"c","choices":[{"index":0,"delta":{"reasoning":"hm","channel":"analysis"},"finish_reason":null}]}"#,
            r#"{"id":"c","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}"#,
            r#"{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"req_1","usage":{"queue_time":0.1,"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}}}"#,
            "[DONE]",
        ],
    );
    assert_eq!((run.reply.reasoning.as_str(), run.reply.text.as_str()), ("hm", "hi"));
    assert_eq!(run.reply.usage.unwrap().total_tokens, Some(8));
    let stopped = stream(CHAT, &[r#"{"id":"c","choices":[{"index":0,"delta":{}}],"x_groq":{"id":"r","error":"over capacity"}}"#, "[DONE]"]);
    assert_eq!(stopped.reply.error, Some((String::new(), "over capacity".to_owned())));
    assert!(!stopped.decoder.whole());
}

#[test]
fn mistral() {
    let run = stream(
        CHAT,
        &[
            r#"{"id":"m","choices":[{"index":0,"delta":{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}],"closed":false}]},"finish_reason":null}]}"#,
            r#"{"id":"m","choices":[{"index":0,"delta":{"content":[{"type":"text","text":"h"},{"type":"reference","reference_ids":[0]}]},"finish_reason":null}]}"#,
            r#"{"id":"m","choices":[{"index":0,"delta":{"content":"i"},"finish_reason":null}]}"#,
            r#"{"id":"m","choices":[{"index":0,"delta":{"tool_calls":[{"id":"null","function":{"name":"f","arguments":{"x":1}},"index":0}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#,
            "[DONE]",
        ],
    );
    assert_eq!((run.reply.reasoning.as_str(), run.reply.text.as_str()), ("hm", "hi"));
    assert_eq!(run.calls(), [("", "f", r#"{"x":1}"#)]);
    let mut question = ask("hi");
    question.params.seed = Some(7);
    let body = sent(&base("mistral"), &question);
    assert_eq!((&body["random_seed"], body.get("stream_options")), (&json!(7), None));
}

#[test]
fn xai() {
    // 200 and JSON to a streaming request.
    let run = body(CHAT, 200, r#"{"code":"The caller does not have permission","error":"Your team has no credits."}"#);
    assert_eq!(run.reply.error, Some(("The caller does not have permission".to_owned(), "Your team has no credits.".to_owned())));
    assert!(!run.decoder.whole());
    let run = stream(
        CHAT,
        &[
            r#"{"id":"x","choices":[{"index":0,"delta":{"role":"assistant","reasoning_content":"hm"}}]}"#,
            r#"{"id":"x","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":20,"completion_tokens_details":{"reasoning_tokens":8}},"citations":["https://h"]}"#,
            "[DONE]",
        ],
    );
    let usage = run.reply.usage.unwrap();
    assert_eq!((usage.output_tokens, usage.reasoning_tokens, usage.output_includes_reasoning), (Some(2), Some(8), Some(false)));
}

#[test]
fn moonshot() {
    let run = stream(
        CHAT,
        &[
            r#"{"id":"k","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
            r#"{"id":"k","choices":[{"index":0,"delta":{"reasoning_content":"hm"},"finish_reason":null}]}"#,
            r#"{"id":"k","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}"#,
            r#"{"id":"k","choices":[{"index":0,"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,"cached_tokens":2}}]}"#,
            "[DONE]",
        ],
    );
    assert_eq!((run.reply.reasoning.as_str(), run.reply.text.as_str()), ("hm", "hi"));
    assert_eq!(run.reply.usage.unwrap().cached_tokens, Some(2));
    assert_eq!(sent(&base("moonshot"), &tool_turn())["messages"][1]["reasoning_content"], "hm");
}

#[test]
fn zhipu() {
    let call = OpenAiChat.call(&ask("hi"), Transport::Sse, &base("zhipu"), false, "Authorization: Bearer {key}").unwrap();
    assert_eq!(call.url, "https://open.bigmodel.cn/api/paas/v4/chat/completions");
    // The key `id.secret` goes as it is: no token has to be signed from it, whose times a clock could break.
    assert_eq!(provider::find("zhipu").unwrap().auth, "Authorization: Bearer {key}");
    assert!(call.headers.iter().any(|header| header.value == "Bearer {key}") && call.sign.is_none());
    let run = stream(
        CHAT,
        &[
            r#"{"id":"z","created":1,"model":"glm","choices":[{"index":0,"delta":{"role":"assistant","reasoning_content":"hm"}}]}"#,
            r#"{"id":"z","choices":[{"index":0,"delta":{"role":"assistant","content":"hi"}}]}"#,
            r#"{"id":"z","choices":[{"index":0,"finish_reason":"stop","delta":{"role":"assistant","content":""}}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#,
            "[DONE]",
        ],
    );
    assert_eq!((run.reply.reasoning.as_str(), run.reply.text.as_str(), run.decoder.whole()), ("hm", "hi", true));
    let refused = body(CHAT, 401, r#"{"error":{"code":"1002","message":"Authorization Token非法"}}"#);
    assert_eq!(refused.reply.error.unwrap().0, "1002");
}

#[test]
fn vllm() {
    let run = stream(
        CHAT,
        &[
            r#"{"id":"v","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"usage":{"prompt_tokens":5,"total_tokens":5,"completion_tokens":0}}"#,
            r#"{"id":"v","choices":[{"index":0,"delta":{"reasoning":"h"},"finish_reason":null}],"usage":{"prompt_tokens":5,"total_tokens":6,"completion_tokens":1}}"#,
            r#"{"id":"v","choices":[{"index":0,"delta":{"reasoning_content":"m"},"finish_reason":null}],"usage":{"prompt_tokens":5,"total_tokens":7,"completion_tokens":2}}"#,
            r#"{"id":"v","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop","stop_reason":null}],"usage":{"prompt_tokens":5,"total_tokens":8,"completion_tokens":3}}"#,
            "[DONE]",
        ],
    );
    assert_eq!((run.reply.reasoning.as_str(), run.reply.text.as_str()), ("hm", "hi"));
    // Replaced on every chunk, never summed.
    assert_eq!(run.reply.usage.unwrap().output_tokens, Some(3));
    let failed = stream(CHAT, &[r#"{"error":{"message":"boom","type":"InternalServerError","param":null,"code":500}}"#, "[DONE]"]);
    assert_eq!(failed.reply.error, Some(("500".to_owned(), "boom".to_owned())));
    assert!(failed.decoder.ended() && !failed.decoder.whole());
}

#[test]
fn tensorrt_llm_says_its_reasoning_under_both_names() {
    let run =
        stream(CHAT, &[r#"{"choices":[{"index":0,"delta":{"role":"assistant","reasoning":"hm","reasoning_content":"hm"}}]}"#, "[DONE]"]);
    assert_eq!(run.reply.reasoning, "hm");
}

#[test]
fn llama_cpp() {
    let run = stream(
        CHAT,
        &[
            r#"{"choices":[],"prompt_progress":{"total":100,"cache":0,"processed":50,"time_ms":9}}"#,
            r#"{"choices":[{"finish_reason":null,"index":0,"delta":{"role":"assistant","content":null}}],"id":"l","object":"chat.completion.chunk","prompt_progress":{"total":100,"cache":0,"processed":100,"time_ms":19}}"#,
            r#"{"choices":[{"finish_reason":null,"index":0,"delta":{"reasoning_content":"hm"}}],"id":"l"}"#,
            r#"{"choices":[{"finish_reason":null,"index":0,"delta":{"content":"hi"}}],"id":"l"}"#,
            r#"{"choices":[{"finish_reason":"stop","index":0,"delta":{}}],"id":"l","timings":{"prompt_n":1,"predicted_n":2}}"#,
            "[DONE]",
        ],
    );
    assert_eq!((run.reply.reasoning.as_str(), run.reply.text.as_str(), run.decoder.whole()), ("hm", "hi", true));
    assert_eq!(run.words()[0], "prompt_progress");
    let loading = body(CHAT, 503, r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#);
    assert_eq!(loading.reply.error, Some(("503".to_owned(), "Loading model".to_owned())));
}

#[test]
fn lm_studio() {
    for name in ["reasoning", "reasoning_content"] {
        let thought = json!({"id": "s", "choices": [{"index": 0, "delta": {"role": "assistant", name: "hm"}}]}).to_string();
        let run = stream(CHAT, &[&thought, r#"{"id":"s","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#, "[DONE]"]);
        assert_eq!(run.reply.reasoning, "hm");
    }
    let mut run = Run::new(CHAT, 200);
    run.feed(Payload::Event { event: "error", data: r#"{"error":{"message":"The model has crashed"}}"# });
    assert_eq!(run.reply.error.unwrap().1, "The model has crashed");
}

#[test]
fn azure_classic() {
    let run = stream(
        CHAT,
        &[
            r#"{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false}}}]}"#,
            r#"{"choices":[{"content_filter_results":{},"delta":{"content":"","role":"assistant"},"finish_reason":null,"index":0,"logprobs":null}],"id":"a","object":"chat.completion.chunk"}"#,
            r#"{"choices":[{"content_filter_results":{"hate":{"filtered":false}},"delta":{"content":"hi"},"finish_reason":null,"index":0}],"id":"a"}"#,
            // The asynchronous filter: what it thinks of text that came before.
            r#"{"id":"","object":"","choices":[{"index":0,"finish_reason":null,"content_filter_results":{"hate":{"filtered":false}},"content_filter_offsets":{"check_offset":0,"start_offset":0,"end_offset":2}}]}"#,
            r#"{"choices":[{"content_filter_results":{},"delta":{},"finish_reason":"content_filter","index":0}],"id":"a"}"#,
            "[DONE]",
        ],
    );
    assert_eq!(run.words()[0], "prompt_filter_results");
    assert!(run.words().contains(&"content_filter_results"));
    assert_eq!(
        (run.reply.text.as_str(), run.reply.finish.unwrap().reason.as_str(), run.reply.id.as_deref()),
        ("hi", "content_filter", Some("a"))
    );
    let mut question = ask("hi");
    question.model = "my gpt/4".to_owned();
    question.params.max_tokens = Some(5);
    let base = base("azure-classic").replace("{resource}", "mine");
    let call = OpenAiChat.call(&question, Transport::Sse, &base, false, "api-key: {key}").unwrap();
    assert!(
        call.url.starts_with("https://mine.openai.azure.com/openai/deployments/my%20gpt%2F4/chat/completions?api-version="),
        "{}",
        call.url
    );
    assert!(call.headers.iter().any(|header| header.name == "api-key" && header.value == "{key}"));
    assert!(call.body.contains(r#""max_completion_tokens":5"#));
    let unnamed = crate::Ask { model: String::new(), ..question };
    assert!(OpenAiChat.call(&unnamed, Transport::Sse, &base, false, "").unwrap_err().to_string().contains("{model} is to be filled in"));
}

#[test]
fn azure_v1() {
    let base = base("azure").replace("{resource}", "mine");
    let call = OpenAiChat.call(&ask("hi"), Transport::Sse, &base, false, "api-key: {key}").unwrap();
    assert_eq!(call.url, "https://mine.openai.azure.com/openai/v1/chat/completions");
    assert!(call.body.starts_with(r#"{"model":"m""#));
}

#[test]
fn ollama_v1_ends_an_error_in_silence() {
    let run = stream(
        CHAT,
        &[
            r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning":"hm"},"finish_reason":null}]}"#,
            r#"{"id":"chatcmpl-1","choices":[{"index":0,"delta":{"role":"assistant","content":"h"},"finish_reason":null}]}"#,
            r#"{"id":"chatcmpl-1","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
        ],
    );
    assert_eq!((run.reply.reasoning.as_str(), run.reply.text.as_str()), ("hm", "h"));
    assert!(!run.decoder.whole() && !run.decoder.ended() && run.reply.finish.is_none());
}

#[test]
fn gemini_behind_this_dialect_seals_its_calls() {
    let run = stream(
        CHAT,
        &[
            r#"{"choices":[{"delta":{"role":"assistant","tool_calls":[{"extra_content":{"google":{"thought_signature":"seal"}},"function":{"arguments":"{}","name":"f"},"id":"a","type":"function"}]},"index":0}],"id":"g"}"#,
            "[DONE]",
        ],
    );
    let call = run.reply.tool_calls[0].1.clone();
    assert_eq!(call.signature.as_deref(), Some("seal"));
    let mut question = ask("hi");
    question.messages.push(Message { tool_calls: vec![call], ..Message::new(Role::Assistant, "") });
    let body = sent("https://generativelanguage.googleapis.com/v1beta/openai", &question);
    assert_eq!(body["messages"][1]["tool_calls"][0]["extra_content"]["google"]["thought_signature"], "seal");
}

#[test]
fn spoken_replies() {
    let data = "AAAA".repeat(12);
    let piece = json!({"choices": [{"index": 0, "delta": {"audio": {"id": "a", "data": data, "transcript": "hi"}}}]}).to_string();
    let run = stream(CHAT, &[&piece, r#"{"choices":[{"index":0,"delta":{"audio":{"expires_at":1}}}]}"#, "[DONE]"]);
    assert_eq!(run.reply.text, "hi");
    let heard = run.deltas.iter().find(|delta| delta.kind == DeltaKind::Audio).unwrap();
    assert_eq!(&piece[heard.at.clone()], data);
    assert!(
        heard.part.contains("audio/pcm;rate=24000") && heard.part.contains("bytes: 36") && heard.part.contains("ms: Some(0.75)"),
        "{}",
        heard.part
    );
    assert!(run.words().contains(&"audio"));
}

#[test]
fn every_attachment_has_its_part() {
    let mut question = ask("what is it?");
    let attach =
        |media_type: &str, name: &str, source| crate::Attachment { media_type: media_type.to_owned(), name: name.to_owned(), source };
    question.messages[0].attachments = vec![
        attach("image/png", "", Source::Data("QUJD".to_owned())),
        attach("image/jpeg", "", Source::Url("https://h/a.jpg".to_owned())),
        attach("audio/mpeg", "", Source::Data("QUJD".to_owned())),
        attach("application/pdf", "a.pdf", Source::Data("QUJD".to_owned())),
    ];
    assert_eq!(
        sent("https://h/v1", &question)["messages"][0]["content"],
        json!([
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
            {"type": "image_url", "image_url": {"url": "https://h/a.jpg"}},
            {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "mp3"}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"}},
            {"type": "text", "text": "what is it?"},
        ])
    );
    question.messages[0].attachments = vec![
        attach("application/pdf", "", Source::Url("https://h/a.pdf".to_owned())),
        attach("video/mp4", "", Source::Data(String::new())),
    ];
    let told: Vec<String> = OpenAiChat.check(&question, Transport::Sse).iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "{told:?}");
}
