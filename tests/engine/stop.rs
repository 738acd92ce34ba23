//! Stop frees the socket.

use std::time::{Duration, Instant};

use weir_dialects::Transport;
use weir_sessions::KeyChoice;
use weir_sessions::view::OutcomeKind;
use weir_tests::desk::{Desk, draft};
use weir_tests::peer::{Peer, Step};

use super::captures::{CHAT, RESPONSES, delta, says};

#[tokio::test(flavor = "multi_thread")]
async fn the_server_sees_the_end_within_100_ms() {
    let part = says("half a");
    let chunk =
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{part}\r\n", part.len());
    let cases = [
        ("openai-chat", Transport::Sse, vec![Step::Read, Step::text(&chunk), Step::Hold], true),
        ("openai-chat", Transport::Sse, vec![Step::Read, Step::Hold], false),
        (
            "openai-responses",
            Transport::Websocket,
            vec![Step::Upgrade, Step::ReadSome, Step::message(&delta(1, "half a")), Step::Hold],
            true,
        ),
    ];
    for (dialect, transport, script, says) in cases {
        let mut peer = Peer::play(script).await;
        let url = if transport == Transport::Websocket { peer.url("ws", RESPONSES) } else { peer.url("http", CHAT) };
        let desk = Desk::new();
        let session = desk.engine().send(&draft(&url, dialect, transport), KeyChoice::None, None).expect("it is sent");
        let mut watcher = session.watch();
        loop {
            let update = watcher.next().await.expect("it runs");
            let there = if says {
                !session.analysis().fold.folded.blocks.is_empty()
            } else {
                update.state != weir_sessions::view::State::Connecting
            };
            if there {
                break;
            }
        }
        let stopped = Instant::now();
        session.stop();
        let over = tokio::time::timeout(Duration::from_secs(5), peer.over()).await.expect("the server sees it").expect("a time");
        assert!(over.duration_since(stopped) < Duration::from_millis(100), "{:?}", over.duration_since(stopped));
        session.ended().await;
        let outcome = session.outcome().expect("it is over");
        assert_eq!(outcome.kind, OutcomeKind::Cancelled, "{outcome:?}");
        let text: String = session.analysis().fold.folded.blocks.iter().map(|block| block.text.clone()).collect();
        assert_eq!(text, if says { "half a" } else { "" });
        assert_eq!(desk.engine().library().session(session.id()).expect("kept").outcome, "cancelled");
    }
}

/// A caller that panics while it is told a delta (a closed pipe under `println!`) must not leave others waiting.
#[tokio::test(flavor = "multi_thread")]
async fn a_panic_of_who_is_told_ends_the_session() {
    let part = says("one");
    let chunk =
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{part}\r\n", part.len());
    let mut peer = Peer::play(vec![Step::Read, Step::text(&chunk), Step::Hold]).await;
    let desk = Desk::new();
    let tell = Box::new(|_: weir_sessions::analysis::Told<'_>| panic!("on purpose"));
    let session = desk
        .engine()
        .send(&draft(&peer.url("http", CHAT), "openai-chat", Transport::Sse), KeyChoice::None, Some(tell))
        .expect("it is sent");
    tokio::time::timeout(Duration::from_secs(10), session.ended()).await.expect("it ends");
    let outcome = session.outcome().expect("it is over");
    assert_eq!((outcome.kind, outcome.problem.map(|problem| problem.code)), (OutcomeKind::Failed, Some("panic".into())));
    tokio::time::timeout(Duration::from_secs(10), peer.over()).await.expect("the socket is free");
    assert!(session.analysis().metrics().bytes_down > 0);
}
