//! Comparisons on the Lab: every run is a kept session, and what is said of them is true.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use weir_dialects::{Ask, Message, Role, Transport};
use weir_lab::{Lab, LabConfig, Pace, Settings};
use weir_recordings::Query;
use weir_sessions::compare::{self, Clock, Comparison, Connection, Lane, Order, Reading, State, Statistic};
use weir_sessions::view::{Draft, HeaderLine};
use weir_sessions::{Engine, KeyChoice};
use weir_tests::desk::Desk;

async fn lab() -> Lab {
    let pace = Pace { ttft_ms: 20, tokens_per_second: 1000.0, reply_tokens: 20, ..Pace::default() };
    Lab::start(LabConfig { port: 0, settings: Settings { pace, ..Settings::default() } }).await.expect("the Lab starts")
}

fn lane(name: &str, transport: Transport, http: &str) -> Lane {
    Lane {
        name: name.into(),
        draft: Draft {
            provider: "lab".into(),
            dialect: "openai-responses".into(),
            transport,
            http: http.into(),
            base_url: None,
            url: None,
            ask: Ask { model: "lab/steady".into(), messages: vec![Message::new(Role::User, "Why?")], ..Ask::default() },
            headers: Vec::new(),
            insecure: false,
            title: None,
            keep_open: false,
            deflate: false,
            reused: false,
        },
        connection: Connection::Cold,
        coding: String::new(),
        deflate: false,
    }
}

fn comparison(lanes: Vec<Lane>, runs: u32, warmups: u32, order: Order) -> Comparison {
    Comparison { id: String::new(), title: "T".into(), lanes, runs, warmups, order, seed: 9, pause_ms: 0 }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_sessions_and_reopening_gives_the_same_table() {
    let (lab, desk) = (lab().await, Desk::new());
    desk.engine().set_lab(Some(lab.url()));
    let lanes =
        vec![lane("HTTP", Transport::Http, "auto"), lane("SSE", Transport::Sse, "2"), lane("WebSocket", Transport::Websocket, "auto")];
    for order in [Order::Interleaved, Order::Parallel] {
        let running = compare::run(desk.engine(), comparison(lanes.clone(), 3, 1, order), KeyChoice::Stored).expect("it starts");
        let mut watcher = running.watch();
        let (mut told, mut ticks, mut table) = (Vec::new(), 0, None);
        while let Some(update) = watcher.next().await {
            told.extend(update.runs);
            ticks += update.lanes.iter().map(|lane| lane.ticks.len()).sum::<usize>();
            table = update.table.or(table);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let view = running.view();
        assert_eq!(view.progress.state, State::Done, "{:?}", running.problem());
        assert_eq!(view.runs.len(), 12);
        assert_eq!(told, view.runs, "a watcher is told every run once, in order");
        assert_eq!(table.as_ref(), Some(&view.table));
        assert!(ticks > 0);
        assert!(view.runs.iter().all(|run| run.failure.is_none()), "{:?}", view.runs);
        let head: Vec<_> = view.table.lanes.iter().map(|lane| (lane.n, lane.failed, lane.warmups)).collect();
        assert_eq!(head, [(3, 0, 1); 3]);
        let gap = view.table.row("gap_p50", Statistic::Mean).expect("two lanes stream");
        assert_eq!(gap.cells[0].why, "one delivery");
        for run in &view.runs {
            let session = desk.engine().session(&run.session).expect("it is kept");
            assert_eq!(compare::RunFigures::of(&session), run.figures, "the bytes give the figures again");
            let row = desk.engine().library().session(&run.session).expect("it is listed");
            assert_eq!(row.tags, [format!("compare:{}", running.id())]);
            let layers: u64 = run.figures.layers.iter().map(|(_, bytes)| bytes).sum();
            assert_eq!(layers, run.figures.bytes_down);
        }
        let replay = compare::replay(desk.engine(), &view.runs[11].session).expect("it is kept");
        assert_eq!(replay.ticks.last().map(|(_, end)| *end as usize), Some(replay.text.encode_utf16().count()));
        let reopened = compare::open(desk.engine(), running.id()).expect("it is kept");
        assert_eq!(reopened.table, view.table);
        assert_eq!(reopened.comparison, view.comparison);
        assert_eq!(reopened.progress.state, State::Done);
    }
    assert_eq!(compare::list(desk.engine()).expect("the library answers").len(), 2);
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reused_connection_counts_the_second_request_alone() {
    let (lab, desk) = (lab().await, Desk::new());
    desk.engine().set_lab(Some(lab.url()));
    for (what, transport, http) in
        [("1.1", Transport::Sse, "1.1"), ("2", Transport::Sse, "2"), ("whole", Transport::Http, "1.1"), ("ws", Transport::Websocket, "1.1")]
    {
        let cold = lane("Cold", transport, http);
        let reused = Lane { name: "Reused".into(), connection: Connection::Reused, ..cold.clone() };
        let asked = comparison(vec![cold, reused], 2, 0, Order::Interleaved);
        let running = compare::run(desk.engine(), asked, KeyChoice::Stored).expect("it starts");
        running.ended().await;
        let view = running.view();
        assert!(view.runs.len() == 4 && view.runs.iter().all(|run| run.failure.is_none()), "{what}: {:?}", view.runs);
        for run in &view.runs {
            let figures = &run.figures;
            let session = desk.engine().session(&run.session).expect("it is kept");
            assert_eq!(compare::RunFigures::of(&session), *figures, "{what}");
            let analysis = session.analysis();
            assert_eq!(analysis.again_at().is_some(), run.lane == 1, "{what}");
            assert_eq!(figures.output_tokens, Some(20), "{what}");
            let layers: u64 = figures.layers.iter().map(|(_, bytes)| bytes).sum();
            assert_eq!(layers, figures.bytes_down, "{what}");
            let (ttft, total) = (figures.ttft.expect("it spoke"), figures.total.expect("it ended"));
            assert!(ttft >= 19.0 && ttft <= total, "{what}: {figures:?}");
            if run.lane == 1 {
                assert_eq!((figures.dns, figures.tcp, figures.tls), (None, None, None), "{what}");
                // The whole session took both requests; the figures are of one.
                let zero = analysis.again_at().expect("it was warmed up").t as f64 / 1e6;
                assert!(zero >= 19.0 && total < analysis.elapsed() as f64 / 1e6 - zero + 1.0, "{what}");
                assert!(analysis.fold.wire > figures.bytes_down, "{what}");
            }
        }
        let deltas: Vec<u32> = view.runs.iter().map(|run| run.figures.deltas).collect();
        assert!(deltas.iter().all(|n| *n == deltas[0]), "{what}: {deltas:?}");
    }
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_fails_is_told_by_cause() {
    let (lab, desk) = (lab().await, Desk::new());
    desk.engine().set_lab(Some(lab.url()));
    let mut refused = lane("Refused", Transport::Sse, "auto");
    refused.draft.url = Some(format!("{}/no/such/path", lab.url()));
    refused.draft.headers.push(HeaderLine { name: "x-note".into(), value: "nobody serves this".into() });
    let running = compare::run(
        desk.engine(),
        comparison(vec![lane("SSE", Transport::Sse, "auto"), refused], 2, 0, Order::Interleaved),
        KeyChoice::Stored,
    )
    .expect("it starts");
    running.ended().await;
    let view = running.view();
    assert_eq!((view.table.lanes[0].n, view.table.lanes[1].failed), (2, 2));
    assert!(
        view.runs.iter().filter(|run| run.lane == 1).all(|run| run.failure.as_ref().is_some_and(|failure| failure.status == Some(404))),
        "{:?}",
        view.runs
    );
    assert!(view.table.notes.iter().any(|note| note.contains("Lane B") && note.contains("2 of 2 runs failed")), "{:?}", view.table.notes);
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_keeps_what_is_there() {
    let (lab, desk) = (lab().await, Desk::new());
    desk.engine().set_lab(Some(lab.url()));
    let lanes = vec![lane("SSE", Transport::Sse, "auto"), lane("HTTP", Transport::Http, "auto")];
    let running = compare::run(desk.engine(), comparison(lanes, 500, 0, Order::Interleaved), KeyChoice::Stored).expect("it starts");
    let mut watcher = running.watch();
    while running.progress().done < 3 {
        watcher.next().await.expect("it runs");
    }
    assert!(running.progress().left_ms.is_some_and(|left| left > 0.0));
    running.stop();
    tokio::time::timeout(Duration::from_secs(10), running.ended()).await.expect("it stops at once");
    let kept = compare::open(desk.engine(), running.id()).expect("it is kept");
    assert_eq!(kept.progress.state, State::Stopped);
    assert!(kept.runs.len() >= 3 && kept.runs.len() < 100, "{}", kept.runs.len());
    assert!(kept.runs.iter().all(|run| run.failure.is_none()), "a run that was stopped is none: {:?}", kept.runs);
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_preset_works_on_the_lab_at_first_start() {
    let (lab, desk) = (lab().await, Desk::new());
    desk.engine().set_lab(Some(lab.url()));
    let presets = compare::presets(desk.engine(), "", "", "", "");
    let ids: Vec<&str> = presets.iter().map(|preset| preset.id.as_str()).collect();
    assert_eq!(ids, ["protocols", "providers", "versions", "gzip", "deflate", "reuse"]);
    for preset in presets {
        let Some(comparison) = preset.comparison else { panic!("{}: {}", preset.id, preset.why) };
        let lanes = comparison.lanes.len();
        let running = compare::run(desk.engine(), Comparison { runs: 1, warmups: 0, ..comparison }, KeyChoice::Stored).expect("it starts");
        running.ended().await;
        let view = running.view();
        assert!(view.runs.len() == lanes && view.runs.iter().all(|run| run.counts()), "{}: {:?}", preset.id, view.runs);
        let same = view.runs.iter().all(|run| run.figures.output_tokens == view.runs[0].figures.output_tokens);
        assert!(same, "{}: the lanes say the same", preset.id);
    }
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_byte_over_http2_is_the_responses_not_the_settings() {
    let (lab, desk) = (lab().await, Desk::new());
    desk.engine().set_lab(Some(lab.url()));
    let lanes = ["1.1", "2"].map(|http| {
        let mut lane = lane(http, Transport::Sse, http);
        // The Lab takes its time over the request; its settings are there at once.
        lane.draft.headers.push(HeaderLine { name: "x-lab-fault".into(), value: "slow-reader=1;ms=150".into() });
        lane
    });
    let running = compare::run(desk.engine(), comparison(lanes.to_vec(), 2, 0, Order::Interleaved), KeyChoice::Stored).expect("it starts");
    running.ended().await;
    for run in running.runs() {
        let first = run.figures.ttfb.expect("it answered");
        assert!(run.counts() && first >= 149.0, "{run:?}");
    }
    lab.stop().await;
}

/// Clocks that step where the test says so: once so many sessions were begun, which is within a run, or once so many runs were over,
/// which is between two.
struct Stepping {
    engine: Engine,
    begun: Option<usize>,
    over: Option<u32>,
    /// Seconds by which the time of day, the monotonic clock and the clock since boot then jump.
    by: (i64, u64, u64),
}

impl Stepping {
    fn stepped(&self) -> bool {
        let begun = self.begun.is_none_or(|least| {
            let query = Query { limit: 100, ..Query::default() };
            self.engine.library().list(&query).expect("the library answers").rows.len() >= least
        });
        let over = self.over.is_none_or(|least| {
            compare::list(&self.engine).expect("the library answers").first().is_some_and(|comparison| comparison.done >= least)
        });
        begun && over
    }
}

impl Clock for Stepping {
    fn read(&self) -> Reading {
        let now = compare::SystemClock.read();
        if !self.stepped() {
            return Reading { boot: Some(now.boot.unwrap_or_default()), ..now };
        }
        let (wall, monotonic, boot) = self.by;
        let far = Duration::from_secs(wall.unsigned_abs());
        let wall: SystemTime = if wall < 0 { now.wall - far } else { now.wall + far };
        let monotonic: Instant = now.monotonic + Duration::from_secs(monotonic);
        Reading { wall, monotonic, boot: Some(now.boot.unwrap_or_default() + Duration::from_secs(boot)) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_step_and_a_machine_that_sleeps_are_told_and_touch_no_figure() {
    let lab = lab().await;
    /// What happens; when: as a run begins, or once one is over; by how many seconds each clock steps; what is said; runs left out.
    type Case = (&'static str, Option<usize>, Option<u32>, (i64, u64, u64), &'static [&'static str], usize);
    // The fourth run begins; the third is over.
    let cases: [Case; 4] = [
        ("asleep", Some(4), None, (600, 0, 600), &["during run 2", "slept for 600 s", "does not count"], 1),
        ("set within", Some(4), None, (-7200, 0, 0), &["during run 2", "went back by 2.0 h", "Figures stand"], 0),
        ("set between", None, Some(3), (86_400, 0, 0), &["before run 2", "24.0 h ahead", "Figures stand"], 0),
        ("stopped", Some(4), None, (60, 60, 60), &["during run 2", "Weir stood still for 60 s", "does not count"], 1),
    ];
    for (what, begun, over, by, words, lost) in cases {
        let desk = Desk::new();
        desk.engine().set_lab(Some(lab.url()));
        let clock = Arc::new(Stepping { engine: desk.engine().clone(), begun, over, by });
        let lanes = vec![lane("SSE", Transport::Sse, "auto"), lane("HTTP", Transport::Http, "auto")];
        let running =
            compare::run_on(desk.engine(), comparison(lanes, 3, 0, Order::Interleaved), KeyChoice::Stored, clock).expect("it starts");
        running.ended().await;
        let view = running.view();
        let notes = &view.table.notes;
        assert!(notes.iter().any(|note| words.iter().all(|word| note.contains(word))), "{what}: {notes:?}");
        let disturbed: Vec<u32> = view.runs.iter().filter(|run| run.disturbed).map(|run| run.order).collect();
        assert_eq!(disturbed.len(), lost, "{what}: {:?}", view.runs);
        assert!(disturbed.iter().all(|order| *order == 3), "{what}: {disturbed:?}");
        assert!(view.runs.iter().all(|run| run.figures.total.is_some_and(|total| total < 20_000.0)), "{what}: {:?}", view.runs);
        let markdown = compare::report::render(&view, compare::ReportFormat::Markdown);
        assert!(words.iter().all(|word| markdown.contains(word)), "{what}: the report says it too");
    }
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_is_told_by_the_servers() {
    let (lab, desk) = (lab().await, Desk::new());
    desk.engine().set_lab(Some(lab.url()));
    let clock = Arc::new(Stepping { engine: desk.engine().clone(), begun: None, over: None, by: (-86_400 * 3, 0, 0) });
    let lanes = vec![lane("SSE", Transport::Sse, "auto"), lane("HTTP/2", Transport::Sse, "2")];
    let running = compare::run_on(desk.engine(), comparison(lanes, 2, 0, Order::Interleaved), KeyChoice::Stored, clock).expect("it starts");
    running.ended().await;
    let notes = running.table().notes;
    for lane in ["Lane A", "Lane B"] {
        assert!(notes.iter().any(|note| note.contains(lane) && note.contains("3 days behind")), "{notes:?}");
    }
    assert!(running.runs().iter().all(|run| run.counts()));
    lab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_begins_to_limit_the_rate_is_told_with_the_run_it_began_at() {
    let (lab, desk) = (lab().await, Desk::new());
    desk.engine().set_lab(Some(lab.url()));
    let lanes = vec![lane("SSE", Transport::Sse, "auto"), lane("HTTP", Transport::Http, "auto")];
    let running = compare::run(desk.engine(), comparison(lanes, 6, 0, Order::Interleaved), KeyChoice::Stored).expect("it starts");
    let mut watcher = running.watch();
    while running.progress().done < 4 {
        watcher.next().await.expect("it runs");
    }
    let mut settings = lab.settings();
    let limit = settings.faults.iter_mut().find(|switch| switch.id == "status-429").expect("the Lab can limit");
    limit.on = true;
    lab.set_settings(settings);
    running.ended().await;
    let view = running.view();
    let (went, refused): (Vec<_>, Vec<_>) = view.runs.iter().partition(|run| run.failure.is_none());
    assert!(went.len() >= 4 && refused.len() >= 4, "{:?}", view.runs);
    assert!(refused.iter().all(|run| run.failure.as_ref().is_some_and(|failure| failure.status == Some(429))), "{refused:?}");
    for lane in ["Lane A", "Lane B"] {
        let told = |note: &String| note.contains(lane) && note.contains("began to limit the rate at run");
        assert!(view.table.notes.iter().any(told), "{:?}", view.table.notes);
    }
    assert!(view.table.lanes.iter().all(|head| head.n + head.failed == 6 && head.causes.len() == 1), "{:?}", view.table.lanes);
    lab.stop().await;
}
