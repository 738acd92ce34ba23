//! A display frame of a 200,000-event session costs what one of a 2,000-event session costs. Work is counted, not timed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use weir_dialects::Transport;
use weir_sessions::Error;
use weir_sessions::Session;
use weir_sessions::inspect::{Bytes, Selection, parse};
use weir_tests::desk::{Desk, draft};
use weir_tests::flood::{Chunks, Server, events};
use weir_tests::peer::{Peer, chunked};

/// Counts what is read of a recording.
struct Counted<'a> {
    inner: &'a dyn Bytes,
    reads: AtomicUsize,
    bytes: AtomicUsize,
}

impl Bytes for Counted<'_> {
    fn read(&self, conn: u32, out: bool, start: u64, len: usize) -> Result<Vec<u8>, Error> {
        let bytes = self.inner.read(conn, out, start, len)?;
        self.reads.fetch_add(1, Relaxed);
        self.bytes.fetch_add(bytes.len(), Relaxed);
        Ok(bytes)
    }
}

async fn session(count: usize) -> (Desk, Arc<Session>) {
    let server = Server::start(events(count, 330, Chunks::Event)).expect("a server");
    let desk = Desk::new();
    let session = desk.run(&draft(&server.url(), "openai-chat", Transport::Sse)).await;
    assert_eq!(session.analysis().fold.deltas as usize, count);
    (desk, session)
}

/// Reads and bytes of one page of 60 rows near the end.
fn page(session: &Session, filter: &str) -> (usize, usize) {
    let counted = Counted { inner: session.bytes(), reads: AtomicUsize::new(0), bytes: AtomicUsize::new(0) };
    let analysis = session.analysis();
    let mut selection = Selection::new(parse(filter).expect("a filter"));
    selection.update(&analysis.fold, &counted);
    let (reads, bytes) = (counted.reads.load(Relaxed), counted.bytes.load(Relaxed));
    let rows = selection.page(&analysis.fold, &counted, selection.len(&analysis.fold) - 60, 60).rows;
    assert_eq!(rows.len(), 60);
    // What is new since the last frame is all that a second look looks at.
    let before = counted.reads.load(Relaxed);
    selection.update(&analysis.fold, &counted);
    assert_eq!(counted.reads.load(Relaxed), before, "a filter reads nothing again");
    (counted.reads.load(Relaxed) - reads, counted.bytes.load(Relaxed) - bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_rows_costs_the_same_in_a_long_session() {
    let (_short_desk, short) = session(2_000).await;
    let (_long_desk, long) = session(200_000).await;
    for filter in ["", "kind:text", "layer:chunk"] {
        let (small, large) = (page(&short, filter), page(&long, filter));
        assert!(large.0 <= small.0 && large.1 <= small.1 + 4096, "«{filter}»: {small:?} reads and bytes, then {large:?}");
    }
    // An update after those that told the reply holds what is new: nothing, however long the reply is by then.
    for session in [&short, &long] {
        let mut watcher = session.watch();
        let mut text = String::new();
        let whole = session.analysis().fold.folded.blocks[0].text.clone();
        while text.len() < whole.len() {
            let update = watcher.next().await.expect("the rest of the reply");
            assert!(update.outcome.is_some(), "each of them tells the end");
            assert_eq!((update.blocks.len(), update.blocks[0].offset as usize), (1, text.len()));
            assert!(update.blocks[0].text.len() <= 128 << 10, "a page takes it in at once");
            text.push_str(&update.blocks[0].text);
        }
        assert_eq!(text, whole);
        assert!(watcher.next().await.is_none());
    }
}

/// A watcher of a running session is told each part of the reply once.
#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_is_told_the_reply_once() {
    let server = Server::start(events(50_000, 330, Chunks::Event)).expect("a server");
    let desk = Desk::new();
    let session =
        desk.engine().send(&draft(&server.url(), "openai-chat", Transport::Sse), weir_sessions::KeyChoice::None, None).expect("it is sent");
    let mut watcher = session.watch();
    let (mut text, mut copied, mut updates) = (String::new(), 0, 0);
    while let Some(update) = watcher.next().await {
        for block in update.blocks {
            assert_eq!(block.offset as usize, text.len());
            copied += block.text.len();
            text.push_str(&block.text);
        }
        updates += 1;
    }
    assert!(updates > 1);
    let whole = session.analysis().fold.folded.blocks[0].text.clone();
    assert_eq!((text.len(), copied), (whole.len(), whole.len()));
    assert_eq!(text, whole);
}

/// A long reply reaches a page in slices that never cut a character, block after block.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_reply_is_told_in_slices_of_whole_characters() {
    let say = |field: &str, text: &str| format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"{field}\":\"{text}\"}}}}]}}\n\n");
    let (thought, reply) = (format!("a{}", "\u{6f22}\u{1f642}".repeat(30_000)), "\u{1f642}\u{e9}".repeat(70_000));
    let events = [say("reasoning_content", &thought), say("content", &reply), "data: [DONE]\n\n".into()];
    let events: Vec<&[u8]> = events.iter().map(String::as_bytes).collect();
    let peer = Peer::play(chunked("200 OK", "text/event-stream", &events, false)).await;
    let desk = Desk::new();
    let session = desk.run(&draft(&peer.url("http", "/v1"), "openai-chat", Transport::Sse)).await;
    let mut watcher = session.watch();
    let (mut told, mut updates) = (vec![(0, String::new()); 2], 0);
    while let Some(update) = watcher.next().await {
        assert!(update.blocks.iter().map(|block| block.text.len()).sum::<usize>() <= 128 << 10);
        for block in update.blocks {
            let (units, text) = &mut told[block.index as usize];
            assert_eq!(block.offset, *units, "offsets are in UTF-16 units");
            *units += block.text.encode_utf16().count() as u32;
            text.push_str(&block.text);
        }
        updates += 1;
    }
    assert_eq!(updates, (thought.len() + reply.len()).div_ceil(128 << 10));
    assert_eq!([&told[0].1, &told[1].1], [&thought, &reply]);
    // Who asks for all of it at once gets it.
    let all = session.watch().now().expect("an update").blocks;
    assert_eq!(all.iter().map(|block| block.text.clone()).collect::<Vec<_>>(), [thought, reply]);
}
