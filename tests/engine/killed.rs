//! A process that is killed while it records: the session opens as `cut`, with all but the last 50 ms.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use weir_dialects::Transport;
use weir_sessions::view::OutcomeKind;
use weir_sessions::{Engine, KeyChoice};
use weir_tests::desk::draft;
use weir_tests::flood::{Server, paced};

const HOME: &str = "WEIR_TEST_KILLED_HOME";
const URL: &str = "WEIR_TEST_KILLED_URL";

/// Not a test of its own: the process that is to be killed. Without its variables it has nothing to do.
#[tokio::test(flavor = "multi_thread")]
async fn child_that_records() {
    let (Ok(home), Ok(url)) = (std::env::var(HOME), std::env::var(URL)) else { return };
    let engine = Engine::open(home.as_ref()).expect("an engine");
    let session = engine.send(&draft(&url, "openai-chat", Transport::Sse), KeyChoice::None, None).expect("it is sent");
    session.ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_recording_opens_as_cut_with_all_but_its_last_moment() {
    let gap = Duration::from_millis(5);
    let server = Server::start(paced(2_000, 330, gap)).expect("a server");
    let home = tempfile::tempdir().expect("a folder");
    let mut child = Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "engine::killed::child_that_records", "--nocapture"])
        .env(HOME, home.path())
        .env(URL, server.url())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a child");
    // When the first byte is in the library, the stream runs.
    let begun = Instant::now();
    let looking = Engine::open(home.path()).expect("a second process may look");
    let id = loop {
        let page = looking.library().list(&weir_recordings::Query::default()).expect("the list");
        if let Some(row) = page.rows.first()
            && looking.library().reader(&row.id).is_ok_and(|reader| reader.len(0, weir_recordings::RecordKind::In) > 0)
        {
            break row.id.clone();
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing was recorded");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let reader = looking.library().reader(&id).expect("the log");
    let events_by = |reader: &weir_recordings::Reader| reader.len(0, weir_recordings::RecordKind::In) / 337;
    // Whatever is committed at the moment of the kill stays; what was committed 50 ms before it is at least what the server had sent by then.
    let before = events_by(&reader);
    child.kill().expect("it dies");
    child.wait().expect("it is gone");
    let after = events_by(&reader);
    assert!(after >= before && before > 100, "{before} events, then {after}");
    drop((reader, looking));
    let engine = Engine::open(home.path()).expect("the next start");
    let row = engine.library().session(&id).expect("the session");
    assert_eq!(row.outcome, "cut");
    let session = engine.session(&id).expect("it opens");
    let outcome = session.outcome().expect("it is over");
    assert_eq!(outcome.kind, OutcomeKind::Cut, "{outcome:?}");
    let analysis = session.analysis();
    let deltas = analysis.fold.deltas;
    assert!(deltas + 1 >= after, "{deltas} deltas of {after} events");
    // The stream had run for `last` when the log ends: at a delta every 5 ms none is missing inside it, whatever the machine's load.
    let times: Vec<u64> = analysis.fold.rows.iter_from(0).filter(|row| row.block > 0).map(|row| row.t).collect();
    let ran = Duration::from_nanos(times.last().copied().unwrap_or_default() - times.first().copied().unwrap_or_default());
    assert!(deltas as f64 >= ran.as_secs_f64() / gap.as_secs_f64() * 0.8, "{deltas} deltas in {ran:?}");
    assert!(ran > Duration::from_millis(1300), "at least 1.5 s had been sent, {ran:?} are there");
}
