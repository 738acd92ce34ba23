//! Answers that say no, and answers that are no reply: what the problem names, whose turn it is, and what to do.

use weir_dialects::Transport;
use weir_sessions::view::OutcomeKind::{Cut, Failed};
use weir_tests::desk::draft;
use weir_tests::flood;
use weir_tests::peer::{Peer, Step, sized};

use super::bad_input::Bench;
use super::captures::{CHAT, log, received};
use Transport::{Http, Sse, Websocket};

/// Bodies of one dialect each: its id, media type, and a reply as short as can be.
const REPLIES: [(&str, &str, &str); 10] = [
    (
        "openai-chat",
        "text/event-stream",
        "data: {\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\ndata: [DONE]\n\n",
    ),
    (
        "openai-chat",
        "application/json",
        "{\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Hi\"},\"finish_reason\":\"stop\"}]}",
    ),
    (
        "openai-responses",
        "text/event-stream",
        "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":0,\"output_index\":0,\"delta\":\"Hi\"}\n\n",
    ),
    (
        "anthropic-messages",
        "text/event-stream",
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":1}}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    ),
    (
        "gemini",
        "text/event-stream",
        "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hi\"}]},\"finishReason\":\"STOP\"}]}\r\n\r\n",
    ),
    ("gemini", "application/json", "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hi\"}]},\"finishReason\":\"STOP\"}]}]"),
    ("ollama", "application/x-ndjson", "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"Hi\"},\"done\":false}\n"),
    (
        "dashscope",
        "text/event-stream",
        "id:1\nevent:result\ndata:{\"output\":{\"text\":\"Hi\",\"finish_reason\":\"stop\"},\"request_id\":\"r\"}\n\n",
    ),
    (
        "cohere",
        "text/event-stream",
        "event: message-start\ndata: {\"type\":\"message-start\",\"delta\":{\"message\":{\"role\":\"assistant\"}}}\n\n",
    ),
    (
        "ai-sdk-ui",
        "text/event-stream",
        "data: {\"type\":\"start\"}\n\ndata: {\"type\":\"text-delta\",\"id\":\"1\",\"delta\":\"Hi\"}\n\ndata: [DONE]\n\n",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_in_another_dialect_is_called_by_its_name() {
    let bench = Bench::new().await;
    let paths = [
        ("openai-chat", "/v1/chat/completions", Sse),
        ("openai-responses", "/v1/responses", Sse),
        ("anthropic-messages", "/v1/messages", Sse),
        ("gemini", "/v1beta/models/m:streamGenerateContent?alt=sse", Sse),
        ("ollama", "/api/chat", Transport::Ndjson),
        ("cohere", "/v2/chat", Http),
        ("bedrock-converse", "/model/m/converse-stream", Transport::Eventstream),
    ];
    let mut wrong = Vec::new();
    for (asked, path, transport) in paths {
        for (spoken, media, body) in REPLIES.iter().filter(|(spoken, ..)| *spoken != asked) {
            let peer = Peer::play(sized("200 OK", media, body.as_bytes())).await;
            let session = bench.desk.run(&draft(&peer.url("http", path), asked, transport)).await;
            let Some(problem) = session.outcome().and_then(|outcome| outcome.problem) else {
                wrong.push(format!("{asked} got {spoken} as {media}: no problem"));
                continue;
            };
            let said = [spoken, &asked].iter().all(|id| problem.message.contains(*id)) && problem.next.contains(spoken);
            if problem.code != "other-dialect" || problem.blame != "configuration" || !said {
                wrong.push(format!("{asked} got {spoken} as {media}: {problem:?}"));
            }
            if !received(&log(&bench.desk, &session)).ends_with(body.as_bytes()) {
                wrong.push(format!("{asked} got {spoken}: the bytes are not all there"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // JSON lines that call themselves text, where events were asked for.
    let lines = format!("{0}{0}", REPLIES[6].2);
    let (_, problem) = bench.answered(sized("200 OK", "text/plain", lines.as_bytes()), Sse, Failed, "other-dialect", "configuration").await;
    assert!(problem.next.contains("ollama"), "{problem:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_reply_at_all_is_shown_by_its_beginning() {
    let bench = Bench::new().await;
    let (_, problem) =
        bench.answered(sized("200 OK", "text/plain", b"It works!\nMore of it."), Sse, Failed, "unexpected-body", "configuration").await;
    assert!(problem.message.contains("\u{ab}It works!\u{bb}") && problem.evidence.contains("More of it."), "{problem:?}");
    let list = br#"{"object":"list","data":[]}"#;
    let (_, problem) = bench.answered(sized("200 OK", "application/json", list), Sse, Failed, "unexpected-body", "configuration").await;
    assert!(problem.message.contains("object, data") && problem.next.contains("URL"), "{problem:?}");
    let (_, problem) = bench.answered(sized("200 OK", "application/json", b""), Sse, Cut, "empty", "peer").await;
    assert!(problem.message.contains("200 with an empty body"), "{problem:?}");
    // Keep-alives are no reply, and no text either.
    let (_, problem) = bench.answered(sized("200 OK", "text/event-stream", b": ping\n\n: ping\n\n"), Sse, Cut, "empty", "peer").await;
    assert!(problem.evidence.contains(": ping"), "{problem:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_code_meaning_and_words_and_whether_a_key_went_along() {
    let bench = Bench::new().await;
    let wrong_key = br#"{"error":{"message":"Incorrect API key provided: sk-1.","type":"invalid_request_error","code":"invalid_api_key"}}"#;
    let (_, problem) =
        bench.answered(sized("401 Unauthorized", "application/json", wrong_key), Sse, Failed, "http-401", "configuration").await;
    for part in ["invalid_api_key", "none was sent", "Incorrect API key provided"] {
        assert!(problem.message.contains(part), "{part}: {problem:?}");
    }
    let peer = Peer::play(sized("401 Unauthorized", "application/json", wrong_key)).await;
    let mut keyed = draft(&peer.url("http", CHAT), "openai-chat", Sse);
    keyed.headers.push(weir_sessions::view::HeaderLine { name: "Authorization".into(), value: "Bearer x".into() });
    let (_, problem) = bench.fails(&keyed, Failed, "http-401", "configuration").await;
    assert!(problem.message.contains("does not know this key") && problem.next.contains("Keys"), "{problem:?}");
    // The provider's cause decides whose turn it is, not the status.
    let quota = br#"{"error":{"message":"You exceeded your current quota.","code":"insufficient_quota"}}"#;
    let (_, problem) =
        bench.answered(sized("429 Too Many Requests", "application/json", quota), Sse, Failed, "http-429", "configuration").await;
    assert!(problem.message.contains("insufficient_quota") && problem.next.contains("Top up"), "{problem:?}");
    let soon = br#"{"error":{"message":"Rate limit reached. Please try again in 2.5s.","code":"rate_limit_exceeded"}}"#;
    let (_, problem) = bench.answered(sized("429 Too Many Requests", "application/json", soon), Sse, Failed, "http-429", "peer").await;
    assert!(problem.next.contains("2.5s"), "{problem:?}");
    // A firewall's page speaks for no provider.
    let page = b"<html><head><title>Attention Required!</title></head></html>";
    let (_, problem) = bench.answered(sized("403 Forbidden", "text/html", page), Sse, Failed, "http-403", "network").await;
    assert!(problem.message.contains("gateway") && problem.message.contains("Attention Required!"), "{problem:?}");
    // Amazon names its errors in a field.
    let mut named = sized("400 Bad Request", "application/json", b"");
    let body = r#"{"message":"Invocation of model ID x with on-demand throughput isn\u2019t supported."}"#;
    named[1] = Step::text(&format!(
        "HTTP/1.1 400 Bad Request\r\nx-amzn-ErrorType: ValidationException:http://internal.amazon.com/\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    let peer = Peer::play(named).await;
    let (_, problem) = bench
        .fails(
            &draft(&peer.url("http", "/model/m/converse-stream"), "bedrock-converse", Transport::Eventstream),
            Failed,
            "http-400",
            "user",
        )
        .await;
    assert!(problem.message.contains("ValidationException:") && problem.next.contains("profile"), "{problem:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_reason_stands_in_the_message() {
    let bench = Bench::new().await;
    let mut close = Vec::new();
    flood::frame(&mut close, 0x88, &[&3000_u16.to_be_bytes()[..], b"invalid_request_error.invalid_api_key"].concat());
    let (_, problem) = bench
        .answered(vec![Step::Upgrade, Step::ReadSome, Step::Write(close), Step::End], Websocket, Failed, "close-3000", "configuration")
        .await;
    assert!(problem.message.contains("\u{ab}invalid_request_error.invalid_api_key\u{bb}"), "{problem:?}");
}
