//! Every received byte belongs to exactly one layer, however early one looks.

use weir_sessions::analysis::{Analysis, Shares};
use weir_sessions::inspect::{Selection, parse};
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
    assert_eq!(sum, seen, "{name} after {seen} bytes: {:?}", metrics.layers);
}

/// A time of its own for every read, so that a session can be parted anywhere.
#[tokio::test(flavor = "multi_thread")]
async fn any_partition_of_the_time_adds_up_to_the_whole_layer_by_layer() {
    let desk = Desk::new();
    // A generator of its own: the same partitions every time.
    let mut seed = 7_u64;
    let mut random = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for capture in all() {
        let session = capture.run(&desk).await;
        let mut analysis = Analysis::new(session.plan().dialect(), session.plan().draft.transport);
        let mut now = 0;
        for entry in &log(&desk, &session) {
            match entry {
                Entry::Segment { conn, dir, bytes, .. } => {
                    let mut rest = bytes.clone();
                    while !rest.is_empty() {
                        let piece = rest.split_to(rest.len().min(1 + random(400) as usize));
                        now += random(3);
                        analysis.push(&Entry::Segment { conn: *conn, dir: *dir, t: now, bytes: piece }, &mut |_| {});
                    }
                }
                Entry::Mark { conn, mark, .. } => {
                    now += 1;
                    analysis.push(&Entry::Mark { conn: *conn, t: now, mark: mark.clone() }, &mut |_| {});
                }
            }
        }
        analysis.end(&mut |_| {});
        let fold = &analysis.fold;
        assert_eq!(fold.layers().total(), fold.wire, "{}", capture.name);
        for _ in 0..50 {
            let mut cuts: Vec<u64> = (0..random(9)).map(|_| random(now + 2)).collect();
            cuts.extend([0, u64::MAX]);
            cuts.sort_unstable();
            let mut sum = Shares::default();
            for part in cuts.windows(2) {
                sum.add(&fold.layers_between(part[0], part[1]));
            }
            assert_eq!(sum, fold.layers(), "{} cut at {cuts:?}", capture.name);
        }
        // Rows and carriers one by one come to the same.
        let mut each = Selection::new(parse("id>=0").expect("a filter"));
        each.update(fold, session.bytes());
        let rows = each.shares(fold);
        let mut whole = rows;
        whole.add(&fold.ledger.carriers.total());
        whole.add(&fold.ledger.rest(|_| true));
        assert_eq!(whole, fold.layers(), "{}", capture.name);
    }
}
