//! Every received byte belongs to exactly one layer, however early one looks.

use weir_sessions::analysis::Analysis;
use weir_tests::desk::Desk;
use weir_transport::{Dir, Entry};

use super::captures::{all, log};

#[tokio::test(flavor = "multi_thread")]
async fn layers_add_up_to_the_bytes_received_at_every_prefix() {
    let desk = Desk::new();
    for capture in all() {
        let session = capture.run(&desk).await;
        let log = log(&desk, &session);
        let mut analysis = Analysis::new(session.plan().dialect(), session.plan().draft.transport);
        let mut seen = 0;
        for entry in &log {
            if let Entry::Segment { conn, dir: Dir::In, t, bytes } = entry {
                for at in 0..bytes.len() {
                    analysis.push(&Entry::Segment { conn: *conn, dir: Dir::In, t: *t, bytes: bytes.slice(at..=at) }, &mut |_| {});
                    seen += 1;
                    check(&analysis, seen, capture.name);
                }
            } else {
                analysis.push(entry, &mut |_| {});
                check(&analysis, seen, capture.name);
            }
        }
        analysis.end(&mut |_| {});
        check(&analysis, seen, capture.name);
        check(&session.analysis(), seen, capture.name);
    }
}

fn check(analysis: &Analysis, seen: u64, name: &str) {
    let metrics = analysis.metrics();
    assert_eq!(metrics.bytes_down, seen, "{name}");
    let sum: u64 = metrics.layers.iter().map(|(_, bytes)| bytes).sum();
    assert_eq!(sum, seen, "{name} after {seen} bytes: {:?}\n{:?}", metrics.layers, analysis.fold.owned);
}
