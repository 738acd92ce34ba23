//! The index: small, and true. From any character of the reply to the bytes that carried it, and back.

use weir_dialects::Transport;
use weir_sessions::Session;
use weir_sessions::analysis::utf16_len;
use weir_tests::desk::{Desk, draft};
use weir_tests::flood::{Chunks, Server, events};

use super::captures::all;

#[tokio::test(flavor = "multi_thread")]
async fn a_row_costs_less_than_100_bytes() {
    let server = Server::start(events(300_000, 330, Chunks::Event)).expect("a server");
    let desk = Desk::new();
    let session = desk.run(&draft(&server.url(), "openai-chat", Transport::Sse)).await;
    let analysis = session.analysis();
    assert_eq!(analysis.fold.deltas, 300_000);
    let (rows, heap) = (analysis.fold.rows.len(), analysis.fold.heap_bytes());
    // Carriers, map and the reply's own text are in it.
    assert!(heap / rows < 100, "{} bytes a row of the table: {heap} for {rows}", heap / rows);
}

/// Everything the reply shows, delta by delta: text range → row → bytes of the connection → the same text.
#[tokio::test(flavor = "multi_thread")]
async fn every_delta_leads_to_the_bytes_that_say_it() {
    let desk = Desk::new();
    let mut checked = 0;
    for capture in all() {
        // Ill-formed UTF-8 is replaced, so its text has no place of its own in the payload.
        if capture.name.ends_with("utf-8") {
            continue;
        }
        let session = capture.run(&desk).await;
        let blocks: Vec<(usize, String, bool)> = session
            .analysis()
            .fold
            .folded
            .blocks
            .iter()
            .map(|block| (block.deltas() as usize, block.text.clone(), block.tool.is_some()))
            .collect();
        for (index, (deltas, text, _)) in (0..).zip(&blocks) {
            let (mut at, mut seen) = (0, 0);
            let units: Vec<u16> = text.encode_utf16().collect();
            while at < utf16_len(text) {
                let place = session.locate(index, at).unwrap_or_else(|| panic!("{}: no place for {at} of block {index}", capture.name));
                assert_eq!((place.block, place.start), (index, at), "{}: deltas follow each other", capture.name);
                assert!(place.end > place.start);
                assert_eq!(session.locate(index, place.end - 1), Some(place.clone()), "{}: to the last character", capture.name);
                assert_eq!(session.place(place.row), Some(place.clone()), "{}: and from the row", capture.name);
                let own = String::from_utf16(&units[place.start as usize..place.end as usize]).expect("whole characters");
                // Under a content coding the bytes are a block's, and codings.rs looks at them.
                if !capture.is_coded() {
                    assert_eq!(said(&session, place.row), own, "{}: row {}", capture.name, place.row);
                }
                at = place.end;
                seen += 1;
            }
            assert!(seen <= *deltas, "{}", capture.name);
            checked += seen;
        }
        for (row, _) in session.analysis().fold.rows.iter_from(0).zip(0..).map(|(row, at)| (*row, at as u32)).collect::<Vec<_>>() {
            assert!(row.block as usize <= blocks.len());
        }
    }
    assert!(checked > 200, "only {checked} deltas were checked");
}

/// The text of the delta nodes of a row, read from the recording at the ranges they name.
fn said(session: &Session, row: u32) -> String {
    let detail = session.frame(row).expect("the row opens");
    let window = session.bytes().read(detail.conn, detail.out, detail.start, (detail.end - detail.start) as usize).expect("its bytes");
    let focus = &detail.nodes[detail.focus as usize];
    let layer = focus.layer.clone();
    assert!(["text-delta", "reasoning", "tool-call"].contains(&layer.as_str()), "the focus of a delta's row is the delta: {focus:?}");
    // One event may say several things of one kind.
    detail.nodes.iter().filter(|node| node.layer == layer).map(|node| unescaped(&node.spans, &window)).collect()
}

fn unescaped(spans: &[(u64, u64)], window: &[u8]) -> String {
    let bytes: Vec<u8> = spans.iter().flat_map(|&(start, end)| window[start as usize..end as usize].to_vec()).collect();
    let text = String::from_utf8(bytes).expect("text");
    serde_json::from_str(&format!("\"{text}\"")).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The owners of a window cover it without holes, whatever the row.
#[tokio::test(flavor = "multi_thread")]
async fn every_byte_of_a_window_has_an_owner() {
    let desk = Desk::new();
    for capture in all() {
        let session = capture.run(&desk).await;
        let rows = session.analysis().fold.rows.len() as u32;
        for row in 0..rows {
            let detail = session.frame(row).expect("it opens");
            let mut at = 0;
            for owner in &detail.owners {
                assert_eq!(owner.start, at, "{}: row {row}", capture.name);
                at = owner.end;
            }
            assert_eq!(at, detail.end - detail.start, "{}: row {row}", capture.name);
            assert!((detail.focus as usize) < detail.nodes.len() || detail.nodes.is_empty(), "{}: row {row}", capture.name);
            for node in &detail.nodes {
                assert!(node.spans.iter().all(|(start, end)| start <= end && *end <= at), "{}: row {row}: {node:?} of {at}", capture.name);
            }
        }
    }
}
