//! Answers of peers that other clients meet, folded from their bytes.

use bytes::Bytes;
use weir_dialects::{Transport, dialect};
use weir_transport::{Dir, Entry, Mark};

use super::{Analysis, Kind};
use crate::view::OutcomeKind;

const EVENTS: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\ndata: [DONE]\n\n";

/// Folds an answer that comes `step` bytes at a time and ends with the connection.
fn answered(dialect: &str, answer: &[u8], step: usize) -> Analysis {
    let mut analysis = Analysis::new(dialect::find(dialect).unwrap(), Transport::Sse);
    let segment = |dir, bytes: &[u8]| Entry::Segment { conn: 0, dir, t: 1, bytes: Bytes::copy_from_slice(bytes) };
    analysis.push(&segment(Dir::Out, b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"), &mut |_| {});
    for bytes in answer.chunks(step) {
        analysis.push(&segment(Dir::In, bytes), &mut |_| {});
    }
    analysis.push(&Entry::Mark { conn: 0, t: 2, mark: Mark::Eof }, &mut |_| {});
    analysis.end(&mut |_| {});
    let metrics = analysis.metrics();
    assert_eq!(metrics.layers.iter().map(|(_, bytes)| bytes).sum::<u64>(), answer.len() as u64, "{:?}", metrics.layers);
    analysis
}

/// Outcome, code and message, at whatever size the reads are.
fn ends(dialect: &str, answer: impl AsRef<[u8]>) -> (OutcomeKind, String, String) {
    let mut seen: Option<(OutcomeKind, String, String)> = None;
    for step in [1, 2, 7, usize::MAX] {
        let outcome = answered(dialect, answer.as_ref(), step).outcome().unwrap();
        let (code, message) = outcome.problem.map(|p| (p.code, p.message)).unwrap_or_default();
        let now = (outcome.kind, code, message);
        assert_eq!(*seen.get_or_insert_with(|| now.clone()), now);
    }
    seen.unwrap()
}

fn response(fields: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn warnings(analysis: &Analysis) -> Vec<String> {
    let rows = (0..analysis.fold.rows.len()).filter_map(|n| analysis.fold.rows.get(n));
    rows.filter(|row| row.kind == Kind::Warning).map(|row| analysis.fold.words[row.word as usize].clone()).collect()
}

#[test]
fn an_answer_in_a_coding_that_cannot_be_undone_is_named_not_called_empty() {
    for (fields, named) in [
        ("Content-Type: text/event-stream\r\nContent-Encoding: compress\r\n", "Content-Encoding: compress"),
        ("Content-Type: application/json\r\nContent-Encoding: gzip, exi\r\n", "Content-Encoding: gzip, exi"),
    ] {
        let answer = response(fields, "\u{1f}not read");
        let (kind, code, message) = ends("openai-chat", &answer);
        assert_eq!((kind, code.as_str()), (OutcomeKind::Failed, "content-encoding"));
        assert!(message.contains(named), "{message}");
        assert!(warnings(&answered("openai-chat", answer.as_bytes(), 9))[0].contains(named));
        // raw decodes nothing anyway.
        assert_eq!(ends("raw", &answer).0, OutcomeKind::Complete);
    }
    let (kind, code, _) = ends("openai-chat", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    assert_eq!((kind, code.as_str()), (OutcomeKind::Failed, "content-encoding"));
    assert_eq!(
        ends("openai-chat", response("Content-Type: text/event-stream\r\nContent-Encoding: identity\r\n", EVENTS)).0,
        OutcomeKind::Complete
    );
    // What says gzip and is none breaks a rule, and nothing of it is taken for a message.
    let (kind, code, _) = ends("openai-chat", response("Content-Type: text/event-stream\r\nContent-Encoding: gzip\r\n", EVENTS));
    assert_eq!((kind, code.as_str()), (OutcomeKind::Cut, "gzip-header"));
    let (_, code, message) = ends("openai-chat", "HTTP/1.1 400 No\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\u{1f}?");
    assert_eq!((code.as_str(), message.contains('\u{1f}')), ("http-400", false));
}

#[test]
fn an_event_stream_is_read_whatever_it_calls_itself() {
    for media in ["application/json", "text/event-stream, text/event-stream", "application/octet-stream", "x"] {
        for before in ["", " \r\n\n", ": hello\n\n"] {
            let answer = response(&format!("Content-Type: {media}\r\n"), &format!("{before}{EVENTS}"));
            assert_eq!(ends("openai-chat", &answer).0, OutcomeKind::Complete, "{media} {before:?}");
            assert_eq!(
                warnings(&answered("openai-chat", answer.as_bytes(), 1)).len(),
                usize::from(matches!(media, "application/json" | "x"))
            );
        }
    }
}

#[test]
fn what_is_no_reply_is_told_as_what_it_is() {
    let html = response("Content-Type: text/html\r\n", "<html><title>Log in</title></html>");
    let (kind, code, message) = ends("openai-chat", &html);
    assert_eq!((kind, code.as_str()), (OutcomeKind::Failed, "unexpected-body"));
    assert!(message.contains("Log in"), "{message}");
    assert_eq!(ends("raw", &html).0, OutcomeKind::Complete);
    let (kind, code, message) = ends("openai-chat", response("Content-Type: application/json\r\n", "{\"choices\":[{\"mess"));
    assert_eq!((kind, code.as_str()), (OutcomeKind::Failed, "unexpected-body"));
    assert!(message.contains("not JSON"), "{message}");
    let (kind, code, _) = ends("openai-chat", "HTTP/1.1 304 Not Modified\r\n\r\n");
    assert_eq!((kind, code.as_str()), (OutcomeKind::Failed, "http-304"));
    // Well framed, but without the end marker.
    let (kind, _, message) = ends("openai-chat", response("Content-Type: text/event-stream\r\n", EVENTS.split("data: [").next().unwrap()));
    assert_eq!((kind, message.as_str()), (OutcomeKind::Cut, "The response ended before the dialect's end marker."));
}

#[test]
fn a_response_nobody_asked_for_changes_nothing() {
    let answer = response("Content-Type: text/event-stream\r\n", EVENTS) + "HTTP/1.1 408 Request Timeout\r\nContent-Length: 4\r\n\r\nslow";
    assert_eq!(ends("openai-chat", &answer).0, OutcomeKind::Complete);
    let analysis = answered("openai-chat", answer.as_bytes(), 3);
    assert_eq!(analysis.fold.status.as_ref().unwrap().code, 200);
    assert!(warnings(&analysis)[0].starts_with("unasked-response"));
}

#[test]
fn frames_behind_a_handshake_that_was_not_accepted_are_no_reply() {
    let frame = |json: &str| [&[0x81, 126, 0, json.len() as u8], json.as_bytes()].concat();
    let answer = [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n\r\n".to_vec(),
        frame(r#"{"type":"response.output_text.delta","delta":"This text makes the message long enough for sixteen bits of length, or so we hope, truly."}"#),
        frame(r#"{"type":"response.completed","response":{"status":"completed","id":"resp_of_a_length_that_asks_for_sixteen_bits_of_length_and_not_seven"}}"#),
    ]
    .concat();
    for accepted in [false, true] {
        let mut analysis = Analysis::new(dialect::find("openai-responses").unwrap(), Transport::Websocket);
        let mut push = |entry| analysis.push(&entry, &mut |_| {});
        let segment = |dir, bytes: &[u8]| Entry::Segment { conn: 0, dir, t: 1, bytes: Bytes::copy_from_slice(bytes) };
        push(segment(
            Dir::Out,
            b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        ));
        push(segment(Dir::In, &answer));
        if accepted {
            push(segment(Dir::Out, &[0x81, 0x80, 0, 0, 0, 0]));
        }
        let broken = weir_transport::Error {
            code: "ws-protocol".into(),
            blame: weir_transport::Blame::Peer,
            message: "The accept key is wrong.".into(),
            consequence: String::new(),
            evidence: String::new(),
            next: String::new(),
        };
        push(Entry::Mark { conn: 0, t: 2, mark: Mark::Failed(broken) });
        analysis.end(&mut |_| {});
        let outcome = analysis.outcome().unwrap();
        assert_eq!(outcome.kind, if accepted { OutcomeKind::Complete } else { OutcomeKind::Failed }, "{:?}", outcome.problem);
    }
}
