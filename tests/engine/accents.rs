//! What single providers do on the wire that a client written for another would trip over, from the socket to the outcome.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use weir_dialects::Transport;
use weir_sessions::Session;
use weir_sessions::view::{BlockKind, OutcomeKind};
use weir_tests::desk::{Desk, draft};
use weir_tests::flood;
use weir_tests::peer::{Peer, Step, chunked, sized};

use super::bad_input::Bench;
use super::captures::{CHAT, COMPLETION, says};
use Transport::{Http, Sse, Websocket};

/// Asks a peer that plays `script` in `dialect`.
async fn asked(desk: &Desk, script: Vec<Step>, path: &str, dialect: &str, transport: Transport) -> Arc<Session> {
    let peer = Peer::play(script).await;
    let scheme = if transport == Websocket { "ws" } else { "http" };
    desk.run(&draft(&peer.url(scheme, path), dialect, transport)).await
}

fn text(session: &Session) -> String {
    session.analysis().fold.folded.text(BlockKind::Text)
}

fn kind(session: &Session) -> OutcomeKind {
    session.outcome().expect("it is over").kind
}

fn binary(text: &str) -> Step {
    let mut bytes = Vec::new();
    flood::frame(&mut bytes, 0x82, text.as_bytes());
    Step::Write(bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn deepseek_keeps_a_queue_alive_with_comments_or_with_blank_lines_before_the_json() {
    let desk = Desk::new();
    let blanks: [&[u8]; 4] = [b"\n", b"\n\n", b"\n", COMPLETION.as_bytes()];
    for transport in [Http, Sse] {
        let session = asked(&desk, chunked("200 OK", "application/json", &blanks, true), CHAT, "openai-chat", transport).await;
        assert_eq!((kind(&session), text(&session).as_str()), (OutcomeKind::Complete, "All at once \u{2713}"), "{transport:?}");
    }
    let queued = ": keep-alive\n\n".repeat(3);
    let pieces = [queued.as_bytes(), says("at last").as_bytes(), b"data: [DONE]\n\n"].map(<[u8]>::to_vec);
    let script = chunked("200 OK", "text/event-stream", &pieces.each_ref().map(Vec::as_slice), true);
    let session = asked(&desk, script, CHAT, "openai-chat", Sse).await;
    assert_eq!((kind(&session), text(&session).as_str()), (OutcomeKind::Complete, "at last"));
    let metrics = session.analysis().metrics();
    assert!(metrics.ttft_ms > metrics.ttfb_ms, "a comment is the first byte, and no token: {metrics:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn xai_refuses_a_stream_with_json_under_status_200() {
    let desk = Desk::new();
    let body = br#"{"code":"Client specified an invalid argument","error":"Model not found: grok-0"}"#;
    let session = asked(&desk, sized("200 OK", "application/json", body), CHAT, "openai-chat", Sse).await;
    let problem = session.outcome().and_then(|outcome| outcome.problem).expect("it is no reply");
    assert_eq!(kind(&session), OutcomeKind::Failed);
    assert!(problem.message.contains("Model not found: grok-0") && problem.message.contains("status 200"), "{problem:?}");
}

/// Total output at xAI is what is completed and what was thought: the rate counts both, as it does where they are told as one.
#[tokio::test(flavor = "multi_thread")]
async fn thoughts_beside_the_output_count_into_the_rate() {
    let desk = Desk::new();
    let mut rates = Vec::new();
    for usage in [
        r#"{"prompt_tokens":10,"completion_tokens":2,"total_tokens":20,"completion_tokens_details":{"reasoning_tokens":8}}"#,
        r#"{"prompt_tokens":10,"completion_tokens":10,"total_tokens":20,"completion_tokens_details":{"reasoning_tokens":8}}"#,
    ] {
        let last = format!("data: {{\"choices\":[],\"usage\":{usage}}}\n\ndata: [DONE]\n\n");
        let pieces = [says("a"), says("b"), last];
        let pieces: Vec<&[u8]> = pieces.iter().map(String::as_bytes).collect();
        let session = asked(&desk, chunked("200 OK", "text/event-stream", &pieces, true), CHAT, "openai-chat", Sse).await;
        let metrics = session.analysis().metrics();
        let (rate, fold) = (metrics.rate.expect("two deltas and usage"), session.analysis().fold.content);
        let seconds = (fold.2.expect("content came") - session.analysis().fold.turn.0.expect("content came")) as f64 / 1e9;
        assert!(!rate.estimate);
        rates.push((rate.value * seconds).round());
    }
    assert_eq!(rates, [9.0, 9.0], "ten tokens, of which nine came behind the first");
}

#[tokio::test(flavor = "multi_thread")]
async fn ollama_ends_a_failed_chat_without_a_word() {
    let desk = Desk::new();
    let pieces = [says("So far"), says("")];
    let pieces: Vec<&[u8]> = pieces.iter().map(String::as_bytes).collect();
    let session = asked(&desk, chunked("200 OK", "text/event-stream", &pieces, false), CHAT, "openai-chat", Sse).await;
    let problem = session.outcome().and_then(|outcome| outcome.problem).expect("a framed end is no end marker");
    assert_eq!((kind(&session), problem.code.as_str(), text(&session).as_str()), (OutcomeKind::Cut, "cut", "So far"));
}

#[tokio::test(flavor = "multi_thread")]
async fn gemini_ends_lines_with_crlf_and_fails_without_a_field_name() {
    let desk = Desk::new();
    let path = "/v1beta/models/m:streamGenerateContent?alt=sse";
    let frame = |text: &str| format!("data: {{\"candidates\":[{{\"content\":{{\"parts\":[{{\"text\":\"{text}\"}}]}}}}]}}\r\n\r\n");
    let error = "{\r\n  \"error\": {\r\n    \"code\": 503,\r\n    \"message\": \"The model is overloaded.\",\r\n    \"status\": \"UNAVAILABLE\"\r\n  }\r\n}\r\n";
    // Every CRLF may be cut by a chunk's border.
    let stream = [frame("So "), frame("far"), error.to_owned()].concat();
    for size in [1, 7, stream.len()] {
        let pieces: Vec<&[u8]> = stream.as_bytes().chunks(size).collect();
        let session = asked(&desk, chunked("200 OK", "text/event-stream", &pieces, false), path, "gemini", Sse).await;
        let problem = session.outcome().and_then(|outcome| outcome.problem).expect("it failed");
        assert_eq!((kind(&session), text(&session).as_str()), (OutcomeKind::Failed, "So far"), "{size}: {problem:?}");
        assert!(problem.message.contains("UNAVAILABLE") && problem.message.contains("The model is overloaded."), "{problem:?}");
    }
    // While it streams, events are told as they come and not at its end.
    let rows =
        asked(&desk, chunked("200 OK", "text/event-stream", &[frame("a").as_bytes(), frame("b").as_bytes()], true), path, "gemini", Sse)
            .await
            .rows("kind:text", 0, 9)
            .expect("rows")
            .rows;
    assert!(rows.len() == 2 && rows[0].t_ms < rows[1].t_ms, "{rows:?}");
}

/// Google tells the time to wait among an error's details, and in no header.
#[tokio::test(flavor = "multi_thread")]
async fn gemini_says_how_long_to_wait_in_the_details_of_an_error() {
    let desk = Desk::new();
    let body = br#"[{"error":{"code":429,"message":"You exceeded your current rate.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"17s"}]}}]"#;
    let script = sized("429 Too Many Requests", "application/json", body);
    let session = asked(&desk, script, "/v1beta/models/m:streamGenerateContent?alt=sse", "gemini", Sse).await;
    let problem = session.outcome().and_then(|outcome| outcome.problem).expect("it failed");
    assert!(problem.message.contains("RESOURCE_EXHAUSTED") && problem.next.contains("17s"), "{problem:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn gemini_live_says_its_json_in_binary_messages() {
    let desk = Desk::new();
    let path = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";
    let script = vec![
        Step::Upgrade,
        Step::ReadSome,
        binary("{\n  \"setupComplete\": {}\n}\n"),
        // What waited for it.
        Step::ReadSome,
        binary("{\"serverContent\":{\"modelTurn\":{\"parts\":[{\"text\":\"Hi \u{1f600}\"}]}}}"),
        binary("{\"serverContent\":{\"turnComplete\":true},\"usageMetadata\":{\"promptTokenCount\":3,\"responseTokenCount\":2}}"),
        Step::Hold,
    ];
    let session = asked(&desk, script, path, "gemini-live", Websocket).await;
    assert_eq!((kind(&session), text(&session).as_str()), (OutcomeKind::Complete, "Hi \u{1f600}"), "{:?}", session.outcome());
    let usage = session.analysis().fold.folded.facts.usage.clone().expect("usage");
    assert_eq!((usage.input_tokens, usage.output_tokens), (Some(3), Some(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn dashscope_puts_a_comment_into_every_event_and_says_errors_under_status_200() {
    let desk = Desk::new();
    let path = "/api/v1/services/aigc/text-generation/generation";
    let frame = |id: u32, text: &str, finish: &str| {
        format!(
            "id:{id}\nevent:result\n:HTTP_STATUS/200\ndata:{{\"output\":{{\"choices\":[{{\"message\":{{\"role\":\"assistant\",\"content\":\"{text}\"}},\"finish_reason\":\"{finish}\"}}]}},\"usage\":{{\"input_tokens\":9,\"output_tokens\":{id}}},\"request_id\":\"r-1\"}}\n\n"
        )
    };
    // Each frame repeats the text so far, and the word null is no reason to finish.
    let whole = [frame(1, "He", "null"), frame(2, "Hello", "null"), frame(3, "Hello", "stop")].concat();
    let session = asked(&desk, chunked("200 OK", "text/event-stream", &[whole.as_bytes()], false), path, "dashscope", Sse).await;
    assert_eq!((kind(&session), text(&session).as_str()), (OutcomeKind::Complete, "Hello"), "{:?}", session.outcome());
    assert_eq!(session.rows("kind:comment", 0, 9).expect("rows").rows.len(), 3, "comments are shown");
    let failed = [
        frame(1, "He", "null").as_str(),
        "id:2\nevent:error\n:HTTP_STATUS/400\ndata:{\"code\":\"DataInspectionFailed\",\"message\":\"Output data may contain inappropriate content.\",\"request_id\":\"r-1\"}\n\n",
    ]
    .concat();
    let session = asked(&desk, chunked("200 OK", "text/event-stream", &[failed.as_bytes()], false), path, "dashscope", Sse).await;
    let problem = session.outcome().and_then(|outcome| outcome.problem).expect("it failed");
    assert_eq!((kind(&session), text(&session).as_str()), (OutcomeKind::Failed, "He"));
    assert!(problem.message.contains("DataInspectionFailed"), "{problem:?}");
}

/// The official SDKs drop frames without a name; what they hold is there all the same.
#[tokio::test(flavor = "multi_thread")]
async fn anthropics_events_are_read_with_a_name_and_without() {
    let desk = Desk::new();
    for named in [true, false] {
        let events: Vec<String> = [
            r#"{"type":"message_start","message":{"id":"msg_1","usage":{"input_tokens":1,"output_tokens":1}}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}"#,
            r#"{"type":"message_stop"}"#,
        ]
        .iter()
        .map(|data| {
            let kind = data.split('"').nth(3).expect("its type");
            if named { format!("event: {kind}\ndata: {data}\n\n") } else { format!("data: {data}\n\n") }
        })
        .collect();
        let pieces: Vec<&[u8]> = events.iter().map(String::as_bytes).collect();
        let script = chunked("200 OK", "text/event-stream", &pieces, false);
        let session = asked(&desk, script, "/v1/messages", "anthropic-messages", Sse).await;
        assert_eq!((kind(&session), text(&session).as_str()), (OutcomeKind::Complete, "Hi"), "named: {named}");
        let usage = session.analysis().fold.folded.facts.usage.clone().expect("usage");
        assert_eq!(usage.output_tokens, Some(2), "replaced, not added");
    }
}

/// A browser's EventSource would ask again: the reply ended, and the model would be asked, and paid, a second time.
#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_stream_is_no_reason_to_ask_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let server = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let mut request = vec![0; 16 << 10];
            let _ = stream.read(&mut request).await;
            let body = format!("retry: 1\nid: 7\n\n{}", says("half"));
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n{body}");
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    let desk = Desk::new();
    let session = desk.run(&draft(&format!("http://{address}{CHAT}"), "openai-chat", Sse)).await;
    assert_eq!((kind(&session), text(&session).as_str()), (OutcomeKind::Cut, "half"));
    // A second request after this one shows that whatever was to come would have come before it.
    let again = desk.run(&draft(&format!("http://{address}{CHAT}"), "openai-chat", Sse)).await;
    assert_eq!(kind(&again), OutcomeKind::Cut);
    assert_eq!(asked.load(Ordering::SeqCst), 2, "once for each time somebody pressed Send");
    server.abort();
}

/// 1001 is a clean end to many libraries; at a session's cap it is what the reply was cut with.
#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_1001_cuts_is_not_whole_and_says_why() {
    let bench = Bench::new().await;
    let begun = [
        Step::Upgrade,
        Step::message(r#"{"type":"session.created","session":{}}"#),
        // What waited for it.
        Step::ReadSome,
        Step::message(r#"{"type":"session.updated","session":{}}"#),
        Step::message(r#"{"type":"response.created","response":{"id":"r"}}"#),
        Step::message(r#"{"type":"response.output_text.delta","response_id":"r","delta":"So far"}"#),
    ];
    let mut close = Vec::new();
    let reason = "Your session hit the maximum duration of 60 minutes.";
    flood::frame(&mut close, 0x88, &[&1001_u16.to_be_bytes()[..], reason.as_bytes()].concat());
    let expired = format!(
        r#"{{"type":"error","event_id":"e","error":{{"type":"invalid_request_error","code":"session_expired","message":"{reason}"}}}}"#
    );
    let path = "/v1/realtime?model=m";
    for (more, outcome, code) in [
        (vec![Step::Write(close.clone()), Step::End], OutcomeKind::Cut, "cut"),
        (vec![Step::message(&expired), Step::Write(close.clone()), Step::End], OutcomeKind::Failed, "session_expired"),
    ] {
        let script = begun.iter().cloned().chain(more).collect();
        let session = asked(&bench.desk, script, path, "openai-realtime", Websocket).await;
        let problem = session.outcome().and_then(|outcome| outcome.problem).expect("it is not whole");
        assert_eq!((kind(&session), problem.code.as_str(), text(&session).as_str()), (outcome, code, "So far"), "{problem:?}");
        assert!(problem.message.contains(reason), "{problem:?}");
    }
    bench.still_works().await;
}
