//! Replies made to exhaust who takes them: the session ends as it must, what came is kept, the broken rule is a row, and the engine
//! goes on. That memory stays within the limits is held in the dissectors' own tests.

use weir_dialects::Transport;
use weir_sessions::Session;
use weir_sessions::view::{Draft, OutcomeKind};
use weir_tests::desk::{Desk, draft};
use weir_tests::flood;
use weir_tests::peer::{Peer, Step, chunked};

use super::captures::{CHAT, COMPLETED, RESPONSES, delta, says};

const SSE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";

fn chat(peer: &Peer) -> Draft {
    draft(&peer.url("http", CHAT), "openai-chat", Transport::Sse)
}

/// How many rows this filter finds.
fn rows(session: &Session, filter: &str) -> usize {
    session.rows(filter, 0, 1).expect("a filter").matching as usize
}

#[track_caller]
fn ends(session: &Session, kind: OutcomeKind, text: &str) {
    assert_eq!(session.outcome().map(|outcome| outcome.kind), Some(kind), "{:?}", session.outcome());
    assert_eq!(session.analysis().fold.folded.blocks[0].text, text);
}

async fn still_works(desk: &Desk) {
    let peer = Peer::play(chunked("200 OK", "text/event-stream", &[says("fine").as_bytes(), b"data: [DONE]\n\n"], false)).await;
    let session = desk.run(&chat(&peer)).await;
    ends(&session, OutcomeKind::Complete, "fine");
}

#[tokio::test(flavor = "multi_thread")]
async fn lengths_that_nobody_could_send() {
    let desk = Desk::new();
    // What is announced never comes: the connection ends first.
    let chunk = format!("{SSE}Transfer-Encoding: chunked\r\n\r\n8000000000000000\r\n{}", says("kept"));
    let length = format!("{SSE}Content-Length: 9223372036854775808\r\n\r\n{}", says("kept"));
    for reply in [chunk, length] {
        let peer = Peer::play(vec![Step::Read, Step::text(&reply), Step::End]).await;
        let session = desk.run(&chat(&peer)).await;
        ends(&session, OutcomeKind::Cut, "kept");
        assert_eq!(rows(&session, "kind:warning layer:http"), 1, "what did not come is a row");
    }
    // More than a number of 64 bits holds: nobody knows where it ends.
    let peer =
        Peer::play(vec![Step::Read, Step::text(&format!("{SSE}Content-Length: 99999999999999999999\r\n\r\n{}", says("x"))), Step::End])
            .await;
    let session = desk.run(&chat(&peer)).await;
    assert_ne!(session.outcome().map(|outcome| outcome.kind), Some(OutcomeKind::Complete));
    assert!(rows(&session, "kind:error") > 0);
    still_works(&desk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_of_nothing() {
    let desk = Desk::new();
    let mut pieces: Vec<Vec<u8>> = vec![says("before").into_bytes()];
    pieces.extend(std::iter::repeat_n(b"\n".repeat(10_000), 100));
    pieces.push(says(", between").into_bytes());
    pieces.extend(std::iter::repeat_n(b": keep-alive\n".repeat(1000), 100));
    pieces.push(b"\0".repeat(100_000));
    pieces.push(b"\r\n\r".to_vec());
    pieces.push(says(", after").replace("\n\n", "\r\n\r").into_bytes());
    pieces.push(b"data: [DONE]\r\n\n".to_vec());
    let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
    let peer = Peer::play(chunked("200 OK", "text/event-stream", &pieces, false)).await;
    let session = desk.run(&chat(&peer)).await;
    ends(&session, OutcomeKind::Complete, "before, between, after");
    assert_eq!(rows(&session, "kind:comment"), 100_000);
    still_works(&desk).await;
}

/// 96 MiB of spaces in a few kilobytes: the body ends where it grew too much, and a row says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_bomb_in_a_coded_body() {
    let desk = Desk::new();
    let text = [says("kept").into_bytes(), vec![b' '; 96 << 20]].concat();
    let body = zstd::bulk::compress(&text, 1).expect("memory takes it");
    assert!(body.len() < 32 << 10, "{} bytes", body.len());
    let head = format!("{SSE}Content-Encoding: zstd\r\nContent-Length: {}\r\n\r\n", body.len());
    let peer = Peer::play(vec![Step::Read, Step::text(&head), Step::Write(body), Step::End]).await;
    let session = desk.run(&chat(&peer)).await;
    assert_eq!(session.analysis().fold.folded.blocks[0].text, "kept");
    assert!(rows(&session, "kind:error") > 0, "the bomb is a row");
    still_works(&desk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_websocket_pings() {
    let desk = Desk::new();
    let begin = [Step::Upgrade, Step::ReadSome, Step::message(&delta(1, "before"))];
    let mut pings = Vec::new();
    (0..1000).for_each(|_| flood::frame(&mut pings, 0x89, b"are you there"));
    let rest = [Step::Repeat(pings, 20), Step::message(&delta(2, ", after")), Step::message(COMPLETED), Step::close(1000), Step::End];
    let peer = Peer::play(begin.into_iter().chain(rest).collect()).await;
    let session = desk.run(&draft(&peer.url("ws", RESPONSES), "openai-responses", Transport::Websocket)).await;
    ends(&session, OutcomeKind::Complete, "before, after");
    still_works(&desk).await;
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// `:status: 200` and `content-type: text/event-stream`, from HPACK's static table (RFC 7541, Appendix A).
fn reply_fields() -> Vec<u8> {
    [&b"\x88\x0f\x10\x11"[..], b"text/event-stream"].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_over_http2() {
    let desk = Desk::new();
    let begin =
        [frame(4, 0, 0, &[]), frame(4, 1, 0, &[]), frame(1, 4, 1, &reply_fields()), frame(0, 0, 1, says("before").as_bytes())].concat();
    let pings = frame(6, 0, 0, &[7; 8]).repeat(1000);
    let end = [frame(0, 0, 1, says(", after").as_bytes()), frame(0, 1, 1, b"data: [DONE]\n\n")].concat();
    let script = vec![Step::ReadHttp2, Step::Write(begin), Step::Repeat(pings, 20), Step::Write(end), Step::Hold];
    let peer = Peer::play(script).await;
    let over2 = |peer: &Peer| Draft { http: "2".into(), ..chat(peer) };
    let session = desk.run(&over2(&peer)).await;
    ends(&session, OutcomeKind::Complete, "before, after");
    assert!(rows(&session, "layer:h2 dir:in") > 20_000, "every ping is a row");

    // A field of 4000 bytes, put into the table and named by one byte each 16,000 times.
    let mut bomb = [&reply_fields()[..], b"\x40\x01a\x7f\xa1\x1e"].concat();
    bomb.extend([b'x'; 4000]);
    bomb.extend([0xbe; 12_000]);
    let bomb = [frame(4, 0, 0, &[]), frame(4, 1, 0, &[]), frame(1, 4, 1, &bomb)].concat();
    let peer = Peer::play(vec![Step::ReadHttp2, Step::Write(bomb), Step::Hold]).await;
    let session = desk.run(&over2(&peer)).await;
    assert_eq!(session.outcome().map(|outcome| outcome.kind), Some(OutcomeKind::Failed), "{:?}", session.outcome());
    assert!(rows(&session, "kind:error") > 0, "the bomb is a row");
    still_works(&desk).await;
}
