//! Live = reopened: a session folded anew from its log shows what the live run showed, however the log was cut into reads.

use bytes::{Bytes, BytesMut};
use weir_sessions::analysis::{Analysis, Row, RowId};
use weir_sessions::view::{Block, FrameDetail, Metrics, Outcome};
use weir_sessions::{Engine, Session};
use weir_tests::desk::Desk;
use weir_transport::{Dir, Entry};

use super::captures::{all, fold, log};

#[derive(Debug, PartialEq)]
pub struct Shown {
    rows: Vec<Row>,
    carriers: Vec<Row>,
    words: Vec<String>,
    listed: Vec<weir_sessions::view::FrameRow>,
    details: Vec<FrameDetail>,
    blocks: Vec<Block>,
    metrics: Metrics,
    outcome: Option<Outcome>,
    usage: Option<weir_dialects::Usage>,
    state: weir_sessions::view::State,
    http: Option<&'static str>,
}

pub async fn shown(session: &std::sync::Arc<Session>) -> Shown {
    let (rows, carriers, words, metrics, usage, state, http) = {
        let analysis = session.analysis();
        let fold = &analysis.fold;
        let rows: Vec<Row> = fold.rows.iter_from(0).copied().collect();
        let carriers: Vec<Row> = fold.carriers.iter_from(0).copied().collect();
        (rows, carriers, fold.words.clone(), analysis.metrics(), fold.folded.facts.usage.clone(), analysis.state(), analysis.http())
    };
    let ids = (0..rows.len() as u32).chain((0..carriers.len() as u32).map(|at| at | RowId::CARRIER));
    let details = ids.map(|id| session.frame(id).expect("every row opens")).collect();
    let mut watcher = session.watch();
    let update = watcher.next().await.expect("a first update");
    assert!(watcher.next().await.is_none(), "nothing follows the end");
    let listed = ["", "layer:chunk,h2"].iter().flat_map(|filter| session.rows(filter, 0, 1000).expect("a filter").rows).collect();
    Shown { rows, carriers, words, listed, details, blocks: update.blocks, metrics, outcome: session.outcome(), usage, state, http }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_opened_again_shows_what_the_live_run_showed() {
    for capture in all() {
        let desk = Desk::new();
        let session = capture.run(&desk).await;
        let (id, live) = (session.id().to_owned(), shown(&session).await);
        drop(session);
        let again = Engine::open(desk.home()).expect("a second engine on the same home");
        let reopened = again.session(&id).expect("the session opens");
        let reopened = shown(&reopened).await;
        assert!(!live.rows.is_empty() || capture.name == "never", "{}: no rows", capture.name);
        assert_eq!(live.listed, reopened.listed, "{}", capture.name);
        assert_eq!(live, reopened, "{}", capture.name);
        let kept = again.library().session(&id).expect("its summary");
        let outcome = format!("{:?}", live.outcome.expect("it is over").kind).to_lowercase();
        assert_eq!(
            (kept.outcome, kept.bytes_down, kept.frames),
            (outcome, live.metrics.bytes_down, u64::from(live.metrics.frames)),
            "{}",
            capture.name
        );
    }
}

/// Everything but times.
fn timeless(analysis: &Analysis) -> impl PartialEq + std::fmt::Debug + use<> {
    let strip = |row: &Row| Row { t: 0, ..*row };
    let fold = &analysis.fold;
    let blocks: Vec<_> = fold
        .folded
        .blocks
        .iter()
        .map(|block| (block.kind, block.text.clone(), block.rows(), block.deltas(), block.tool.clone(), block.rewrites))
        .collect();
    let rows: Vec<Row> = fold.rows.iter_from(0).map(strip).collect();
    let carriers: Vec<Row> = fold.carriers.iter_from(0).map(strip).collect();
    let metrics = analysis.metrics();
    let outcome = analysis.outcome().map(|outcome| (outcome.kind, outcome.problem.map(|problem| (problem.code, problem.blame))));
    (rows, carriers, fold.words.clone(), blocks, fold.layers(), fold.kinds, outcome, (metrics.layers, metrics.deltas, metrics.bytes_text))
}

pub fn split(log: &[Entry], entry: usize, at: usize) -> Vec<Entry> {
    let mut cut = log.to_vec();
    if let Entry::Segment { conn, dir, t, bytes } = log[entry].clone() {
        cut[entry] = Entry::Segment { conn, dir, t, bytes: bytes.slice(..at) };
        cut.insert(entry + 1, Entry::Segment { conn, dir, t, bytes: bytes.slice(at..) });
    }
    cut
}

/// Reads that follow each other as one.
pub fn merged(log: &[Entry]) -> Vec<Entry> {
    let mut merged: Vec<Entry> = Vec::new();
    for entry in log {
        if let (Some(Entry::Segment { conn, dir, bytes, .. }), Entry::Segment { conn: next, dir: way, bytes: more, .. }) =
            (merged.last_mut(), entry)
            && (&*conn, &*dir) == (next, way)
        {
            let mut joined = BytesMut::from(&bytes[..]);
            joined.extend_from_slice(more);
            *bytes = joined.freeze();
            continue;
        }
        merged.push(entry.clone());
    }
    merged
}

/// A byte a read.
pub fn shredded(log: &[Entry]) -> Vec<Entry> {
    log.iter()
        .flat_map(|entry| match entry {
            Entry::Segment { conn, dir, t, bytes } => (0..bytes.len())
                .map(|at| Entry::Segment { conn: *conn, dir: *dir, t: *t, bytes: Bytes::copy_from_slice(&bytes[at..=at]) })
                .collect(),
            mark => vec![mark.clone()],
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_do_not_depend_on_how_the_socket_was_read() {
    let desk = Desk::new();
    for capture in all() {
        let session = capture.run(&desk).await;
        let log = merged(&log(&desk, &session));
        let whole = timeless(&fold(&session, &log));
        let live = timeless(&session.analysis());
        assert_eq!(format!("{live:?}"), format!("{whole:?}"), "{}: as it was read", capture.name);
        let shreds = timeless(&fold(&session, &shredded(&log)));
        assert_eq!(format!("{shreds:?}"), format!("{whole:?}"), "{}: byte by byte", capture.name);
        for (at, entry) in log.iter().enumerate() {
            let Entry::Segment { dir, bytes, .. } = entry else { continue };
            // Every place of what is short; of the Lab's long replies every seventh.
            let step = if bytes.len() > 6000 {
                97
            } else if bytes.len() > 2500 || *dir == Dir::Out {
                7
            } else {
                1
            };
            for cut in (1..bytes.len()).step_by(step) {
                let pieces = timeless(&fold(&session, &split(&log, at, cut)));
                assert!(pieces == whole, "{}: cut at {cut} of entry {at}\n{pieces:?}\n{whole:?}", capture.name);
            }
        }
    }
}
