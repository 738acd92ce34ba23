//! Replies in a content coding read as they would without it, and every row of them opens.

use weir_sessions::view::{BlockKind, OutcomeKind};
use weir_tests::desk::Desk;

use super::captures::all;

#[tokio::test(flavor = "multi_thread")]
async fn a_coded_reply_reads_as_a_plain_one() {
    let desk = Desk::new();
    let mut plain = None;
    let mut coded = Vec::new();
    for capture in all() {
        if capture.name == "chat sse, a chunk an event" {
            plain = Some(capture.run(&desk).await);
        } else if ["gzip", "deflate", "br", "zstd"].iter().any(|coding| capture.name == format!("chat sse, {coding}")) {
            coded.push((capture.name, capture.run(&desk).await));
        }
    }
    let plain = plain.expect("it is among the captures");
    let texts = |session: &weir_sessions::Session| {
        let analysis = session.analysis();
        [BlockKind::Text, BlockKind::Reasoning].map(|kind| analysis.fold.folded.text(kind))
    };
    assert_eq!(coded.len(), 4);
    for (name, session) in coded {
        assert_eq!(session.outcome().expect("it is over").kind, OutcomeKind::Complete, "{name}: {:?}", session.outcome());
        assert_eq!(texts(&session), texts(&plain), "{name}");
        let metrics = session.analysis().metrics();
        let of = |layer: &str| metrics.layers.iter().find(|(name, _)| name == layer).map_or(0, |(_, bytes)| *bytes);
        assert!(of("content-coding") > 0 && of("sse") == 0 && of("json") == 0, "{name}: {:?}", metrics.layers);
        let rows = session.rows("layer:sse", 0, 1000).expect("the filter is right").rows;
        assert!(rows.len() > 5, "{name}");
        for row in rows {
            let frame = session.frame(row.id).unwrap_or_else(|error| panic!("{name}, row {}: {error:?}", row.id));
            assert!(frame.end > frame.start, "{name}, row {}", row.id);
            if row.kind == "text" {
                let found = frame.nodes.iter().any(|node| node.layer == "text-delta" && !node.spans.is_empty());
                assert!(found, "{name}, row {}: {:?}", row.id, frame.nodes);
            }
        }
    }
}
