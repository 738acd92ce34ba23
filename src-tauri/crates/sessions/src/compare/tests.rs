use std::collections::HashSet;

use weir_dialects::{Ask, Message, Role, Transport};

use super::*;
use crate::Engine;
use crate::view::Draft;

fn lane(name: &str, transport: Transport) -> Lane {
    Lane {
        name: name.into(),
        draft: Draft {
            provider: "lab".into(),
            dialect: "openai-responses".into(),
            transport,
            http: "auto".into(),
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

fn comparison(runs: u32) -> Comparison {
    let lanes = vec![lane("SSE", Transport::Sse), lane("WebSocket", Transport::Websocket)];
    Comparison {
        id: "c1".into(),
        title: "<b>SSE & WebSocket</b> | *".into(),
        lanes,
        runs,
        warmups: 1,
        order: Order::Interleaved,
        seed: 3,
        pause_ms: 0,
    }
}

/// A run with such a time to first token.
fn made(lane: u32, n: u32, order: u32, ttft: f64) -> Run {
    let figures = RunFigures { ttft: Some(ttft), total: Some(ttft * 3.0), bytes_down: 1000, deltas: 20, ..RunFigures::default() };
    let session = format!("s{lane}x{n}");
    Run {
        lane,
        n,
        session,
        warmup: false,
        order,
        started_at_ms: 0.0,
        figures,
        failure: None,
        clock_jump_ms: None,
        slept_ms: None,
        stood_ms: None,
        within: false,
        disturbed: false,
        date_ahead_ms: None,
    }
}

/// Both lanes share the weather of a round; the second is `slower`.
fn series(runs: u32, slower: f64) -> Vec<Run> {
    let mut rng = fastrand::Rng::with_seed(1);
    let rounds = (1..=runs).map(|n| {
        let weather = 300.0 + 80.0 * rng.f64();
        [made(0, n, n * 2, weather + 4.0 * rng.f64()), made(1, n, n * 2 + 1, weather + slower + 4.0 * rng.f64())]
    });
    rounds.flatten().collect()
}

fn has(notes: &[String], words: &[&str]) -> bool {
    notes.iter().any(|note| words.iter().all(|word| note.contains(word)))
}

#[test]
fn rounds_hold_every_lane_once_and_repeat_with_the_seed() {
    let comparison = comparison(40);
    let rounds = runner::rounds(&comparison);
    assert_eq!(rounds.len(), 41);
    assert!(rounds[0].iter().all(|slot| slot.warmup && slot.n == 1));
    assert_eq!(rounds[1][0].n, 1);
    for round in &rounds {
        let lanes: HashSet<u32> = round.iter().map(|slot| slot.lane).collect();
        assert_eq!(lanes.len(), 2);
    }
    let orders: Vec<u32> = rounds.iter().flatten().map(|slot| slot.order).collect();
    assert_eq!(orders, (0..82).collect::<Vec<_>>());
    assert_eq!(runner::rounds(&comparison), rounds);
    assert_ne!(runner::rounds(&Comparison { seed: 4, ..comparison }), rounds);
    // Neither lane is always the first.
    let firsts = rounds.iter().filter(|round| round[0].lane == 0).count();
    assert!((8..34).contains(&firsts), "{firsts}");
}

#[test]
fn a_small_steady_difference_is_found_in_pairs_and_marked() {
    let table = Table::of(&comparison(40), &series(40, 5.0));
    let row = table.row("ttft", Statistic::Mean).unwrap();
    let marks: Vec<bool> = row.cells.iter().map(|cell| cell.best).collect();
    assert_eq!(marks, [true, false]);
    let pair = &row.paired[0];
    assert!(pair.apart && pair.n == 40 && pair.difference.value < 0.0);
    // Unpaired, the weather hides it: the intervals of the two lanes overlap.
    let intervals: Vec<_> = row.cells.iter().map(|cell| cell.estimate.unwrap().interval.unwrap()).collect();
    assert!(intervals[0].high > intervals[1].low);
    // Bytes are the same in all runs, so no lane is best in them.
    let bytes = table.row("bytes_down", Statistic::Mean).unwrap();
    assert!(bytes.cells.iter().all(|cell| cell.exact && !cell.best));
    assert!(table.row("first_reasoning", Statistic::Mean).is_none());
}

#[test]
fn too_few_runs_are_said_and_mark_nothing() {
    let table = Table::of(&comparison(10), &series(10, 50.0));
    assert!(table.rows.iter().all(|row| row.cells.iter().all(|cell| !cell.best) && row.paired.iter().all(|pair| !pair.apart)));
    assert!(has(&table.notes, &["Too few runs", "fewer than 30", "A 10, B 10"]), "{:?}", table.notes);
    let table = Table::of(&comparison(3), &series(3, 50.0));
    assert!(has(&table.notes, &["Too few runs for any interval"]), "{:?}", table.notes);
    assert!(table.row("ttft", Statistic::Mean).unwrap().cells.iter().all(|cell| cell.estimate.unwrap().interval.is_none()));
}

#[test]
fn failed_runs_are_counted_by_cause_and_never_averaged() {
    let mut runs = series(40, 0.0);
    for run in runs.iter_mut().filter(|run| run.lane == 1 && run.n >= 20) {
        run.figures.ttft = Some(9e9);
        run.failure =
            Some(Failure { code: "http-429".into(), message: "Too many requests.".into(), blame: "peer".into(), status: Some(429) });
    }
    let table = Table::of(&comparison(40), &runs);
    assert_eq!((table.lanes[1].n, table.lanes[1].failed), (19, 21));
    assert!(table.row("ttft", Statistic::Mean).unwrap().cells[1].estimate.unwrap().value < 1000.0);
    assert!(has(&table.notes, &["Lane B", "21 of 40 runs failed", "21 × http-429"]), "{:?}", table.notes);
    assert!(has(&table.notes, &["limit the rate at run 20", "after 19"]), "{:?}", table.notes);
    assert_eq!(table.lanes[1].causes, [("http-429".to_owned(), 21)]);
    let none: Vec<Run> = runs
        .into_iter()
        .map(|run| {
            let failure = Some(Failure { code: "cut".into(), message: "m".into(), blame: "peer".into(), status: None });
            if run.lane == 1 { Run { failure, ..run } } else { run }
        })
        .collect();
    let table = Table::of(&comparison(40), &none);
    assert_eq!(table.row("ttft", Statistic::Mean).unwrap().cells[1].why, "all runs failed");
    assert!(has(&table.notes, &["Lane B", "It has no figures"]));
}

#[test]
fn what_the_clocks_tell_is_said_and_runs_it_touches_are_left_out() {
    let mut runs = series(31, 0.0);
    (runs[10].slept_ms, runs[10].within, runs[10].disturbed) = (Some(320_000.0), true, true);
    (runs[14].clock_jump_ms, runs[14].within, runs[14].disturbed) = (Some(320_000.0), true, true);
    runs[20].clock_jump_ms = Some(-7_200_000.0);
    (runs[22].clock_jump_ms, runs[22].within) = (Some(90_000.0), true);
    (runs[25].stood_ms, runs[25].within, runs[25].disturbed) = (Some(4_200.0), true, true);
    let table = Table::of(&comparison(31), &runs);
    assert_eq!((table.lanes[0].n, table.lanes[0].disturbed, table.lanes[1].disturbed), (29, 2, 1));
    let notes = &table.notes;
    assert!(has(notes, &["Lane A", "during run 6", "slept for 320 s", "does not count"]), "{notes:?}");
    assert!(has(notes, &["during run 8", "320 s ahead", "slept, or the clock was set", "does not count"]), "{notes:?}");
    assert!(has(notes, &["before run 11", "went back by 2.0 h", "Figures stand"]), "{notes:?}");
    assert!(has(notes, &["during run 12", "90 s ahead: it was set", "Figures stand"]), "{notes:?}");
    assert!(has(notes, &["Lane B", "during run 13", "stood still for 4.2 s", "does not count"]), "{notes:?}");
    for run in &mut runs {
        run.clock_jump_ms = Some(5_000.0);
    }
    let notes = Table::of(&comparison(31), &runs).notes;
    assert_eq!(notes.iter().filter(|note| note.contains("wall clock")).count(), 6, "{notes:?}");
    assert!(has(&notes, &["56 further runs met the like."]) && notes[0].contains("does not count"), "{notes:?}");
}

#[test]
fn a_machine_whose_clock_is_wrong_is_told_by_the_servers_date() {
    let mut runs = series(30, 0.0);
    for run in &mut runs {
        run.date_ahead_ms = Some(if run.lane == 0 { 800.0 } else { -7_300_000.0 });
    }
    let notes = Table::of(&comparison(30), &runs).notes;
    assert!(has(&notes, &["Lane B", "clock is 2.0 h behind", "Date", "Figures stand"]), "{notes:?}");
    assert!(!has(&notes, &["Lane A", "Date"]), "{notes:?}");
}

#[test]
fn the_question_is_answered_as_far_as_the_intervals_bear_it() {
    let answers = |runs: u32, slower: f64| Table::of(&comparison(runs), &series(runs, slower)).answers;
    let clear = answers(40, 5.0);
    assert_eq!(clear.len(), 2, "{clear:?}");
    assert!(clear[0].starts_with("TTFT: A (SSE) is faster than B (WebSocket) by 4.90 [4.54, 5.41] ms"), "{clear:?}");
    assert!(clear[0].contains(" ms. Medians of 40 runs in pairs"), "{clear:?}");
    // The other way round the same lane leads by the same.
    let turned = answers(40, -5.0);
    assert!(turned[0].starts_with("TTFT: B (WebSocket) is faster than A (SSE) by "), "{turned:?}");
    let equal = answers(40, 0.0);
    assert!(equal[0].contains("cannot be told apart: "), "{equal:?}");
    let few = answers(12, 500.0);
    assert_eq!(few[0], "TTFT: too few runs to say which lane is faster: 12 pairs of the 30 it takes.");
    let mut other = comparison(40);
    other.lanes[1].draft.ask.messages = vec![Message::new(Role::User, "Why not?")];
    assert!(Table::of(&other, &series(40, 500.0)).answers.is_empty(), "what asks otherwise is held against nothing");
    let mut three = comparison(40);
    three.lanes.push(lane("HTTP", Transport::Http));
    let mut runs = series(40, 0.0);
    runs.extend((1..=40).map(|n| made(2, n, 200 + n, 900.0 + f64::from(n % 5))));
    let mixed = Table::of(&three, &runs).answers;
    assert!(mixed[0].contains("cannot be told apart") && mixed[0].contains("is faster than C (HTTP) by 5"), "{mixed:?}");
}

#[test]
fn tails_are_approximate_and_say_of_how_many_runs() {
    let mut runs = series(40, 0.0);
    for (at, run) in runs.iter_mut().enumerate() {
        run.figures.gap_p50 = Some(16.0 + (at % 7) as f64);
        run.figures.gap_p99 = Some(40.0 + (at % 11) as f64);
    }
    let comparison = comparison(40);
    let table = Table::of(&comparison, &runs);
    let approximate = |figure| table.row(figure, Statistic::Mean).unwrap().cells[0].estimate.unwrap().interval.unwrap().approximate;
    assert!(!approximate("gap_p50") && approximate("gap_p99"));
    let progress = Progress { state: State::Done, done: 80, of: 80, failed: 0, elapsed_ms: 1.0, left_ms: Some(0.0) };
    let view = ComparisonView { table, comparison, started_at_ms: 1.7e12, progress, runs };
    assert!(report::render(&view, ReportFormat::Html).contains("(N = 40)"));
}

#[test]
fn lanes_that_ask_different_things_are_named() {
    let mut asked = comparison(30);
    asked.lanes[1].draft.ask.messages = vec![Message::new(Role::User, "Why not?")];
    asked.lanes[1].draft.ask.model = "lab/reasoner".into();
    let notes = Table::of(&asked, &series(30, 0.0)).notes;
    assert!(has(&notes, &["Lane B asks something else", "prompt"]), "{notes:?}");
    assert!(has(&notes, &["differ in model"]), "{notes:?}");
    let (table, runs) = (Table::of(&asked, &series(30, 0.0)), series(30, 0.0));
    assert_eq!((table.lanes[0].otherwise.len(), &table.lanes[1].otherwise[..]), (0, &["prompt or conversation".to_owned()][..]));
    let progress = Progress { state: State::Done, done: 60, of: 60, failed: 0, elapsed_ms: 1.0, left_ms: Some(0.0) };
    let view = ComparisonView { table, comparison: asked, started_at_ms: 1.7e12, progress, runs };
    for format in [ReportFormat::Html, ReportFormat::Markdown] {
        assert!(report::render(&view, format).contains("asks otherwise than lane A: another prompt"));
    }
    let notes = Table::of(&comparison(30), &series(30, 0.0)).notes;
    assert!(!has(&notes, &["something else"]) && !has(&notes, &["differ"]), "{notes:?}");
}

#[test]
fn a_drift_is_seen_and_noise_is_not() {
    let rising: Vec<f64> = (0..30).map(|n| 300.0 + f64::from(n) + if n % 2 == 0 { 9.0 } else { 0.0 }).collect();
    assert!(notes::drifts(&rising).is_some_and(|rho| rho > 0.8));
    assert_eq!(notes::drifts(&[1.0; 30]), None);
    assert_eq!(notes::drifts(&rising[..5]), None);
    let mut rng = fastrand::Rng::with_seed(5);
    let seen = (0..2000).filter(|_| notes::drifts(&(0..30).map(|_| rng.f64()).collect::<Vec<_>>()).is_some()).count();
    // One in a hundred is the level asked for.
    assert!((5..=40).contains(&seen), "{seen}");
}

#[test]
fn a_run_far_out_is_said() {
    let mut runs = series(30, 0.0);
    runs[11].figures.ttft = Some(5000.0);
    let notes = Table::of(&comparison(30), &runs).notes;
    assert!(has(&notes, &["Lane B", "TTFT of 1 of 30 runs", "5000 ms at most"]), "{notes:?}");
    assert!(!has(&notes, &["Lane A", "twice"]) && !has(&notes, &["Total of"]), "{notes:?}");
}

#[test]
fn one_delivery_has_no_gaps_and_says_so() {
    let mut runs = series(30, 0.0);
    for run in &mut runs {
        if run.lane == 0 {
            run.figures.deltas = 1;
        } else {
            run.figures.gap_p50 = Some(16.0);
        }
    }
    let table = Table::of(&comparison(30), &runs);
    let row = table.row("gap_p50", Statistic::Mean).unwrap();
    assert_eq!((row.cells[0].why.as_str(), row.cells[0].estimate), ("one delivery", None));
    assert!(has(&table.notes, &["Lane A", "one delivery"]), "{:?}", table.notes);
    // A lane alone with a figure is not best in it.
    assert!(row.cells.iter().all(|cell| !cell.best));
}

#[test]
fn thresholds_read_units_lanes_and_statistics() {
    let (comparison, runs) = (comparison(40), series(40, 100.0));
    let hits = |text: &str| text.parse::<Threshold>().unwrap().hits(&comparison, &runs).iter().map(|hit| hit.lane).collect::<Vec<_>>();
    assert!(hits("ttft_p95>2s").is_empty());
    assert_eq!(hits("ttft_mean > 400ms"), [1]);
    assert_eq!(hits("ttft_mean>=0.4s"), [1]);
    assert_eq!(hits("ttft_max>300"), [0, 1]);
    assert_eq!(hits("A.ttft_median<1s"), [0]);
    assert_eq!(hits("bytes_down_mean<=1kB"), [0, 1]);
    assert!(hits("failed>0").is_empty());
    assert_eq!(hits("failed_share<1%"), [0, 1]);
    // Lanes without the figure meet no threshold on it.
    assert!(hits("tokens_per_s_mean<1000").is_empty());
    for bad in ["ttft>2s", "ttft_p95=2s", "speed_mean>1", "ttft_p95>fast", "ttft_p95>2kB", "G.ttft_p95>2s", "ttft_p101>2"] {
        assert!(bad.parse::<Threshold>().is_err(), "{bad}");
    }
}

#[test]
fn reports_are_whole_and_escape_what_others_wrote() {
    let comparison = comparison(30);
    let runs = series(30, 20.0);
    let progress = Progress { state: State::Stopped, done: 60, of: 62, failed: 0, elapsed_ms: 1.0, left_ms: Some(0.0) };
    let view = ComparisonView { table: Table::of(&comparison, &runs), comparison, started_at_ms: 1.7e12, progress, runs };
    let html = report::render(&view, ReportFormat::Html);
    assert!(html.contains("&lt;b&gt;SSE &amp; WebSocket&lt;/b&gt;") && !html.contains("<b>SSE"));
    assert_eq!((html.matches("<svg").count(), html.matches("</svg>").count()), (6, 6));
    assert!(!html.contains("NaN") && !html.contains("<script") && !html.contains("http://") && !html.contains("https://"));
    assert!(html.contains("session s1x7"), "points name their sessions");
    let markdown = report::render(&view, ReportFormat::Markdown);
    assert!(markdown.starts_with("# \\<b\\>SSE & WebSocket\\</b\\> \\| \\*\n"), "{markdown}");
    assert!(markdown.contains("stopped after 60 of 62 runs") && markdown.contains("✓"));
    let csv = report::render(&view, ReportFormat::Csv);
    let columns = csv.lines().next().unwrap().split(',').count();
    assert_eq!(csv.lines().count(), 61);
    assert!(csv.lines().all(|line| line.split(',').count() == columns));
    let json: serde_json::Value = serde_json::from_str(&report::render(&view, ReportFormat::Json)).unwrap();
    assert_eq!(json["runs"].as_array().unwrap().len(), 60);
}

#[test]
fn six_lanes_of_fifty_runs_are_kept_and_open_fast() {
    let home = tempfile::tempdir().unwrap();
    let engine = Engine::open(home.path()).unwrap();
    let mut comparison = comparison(50);
    comparison.lanes = (0..6).map(|n| lane(&format!("L{n}"), Transport::Sse)).collect();
    let mut rng = fastrand::Rng::with_seed(2);
    let mut runs = Vec::new();
    for n in 1..=50 {
        for lane in 0..6 {
            let mut run = made(lane, n, n * 6 + lane, 300.0 + rng.f64());
            let x = || Some(1.0);
            run.figures = RunFigures {
                ttfb: Some(rng.f64()),
                gap_p50: Some(rng.f64()),
                gap_p95: Some(rng.f64()),
                gap_p99: Some(rng.f64()),
                gap_max: Some(rng.f64()),
                tpot: Some(rng.f64()),
                tokens_per_s: Some(rng.f64()),
                tcp: Some(rng.f64()),
                first_text: Some(rng.f64()),
                text_share: x(),
                ..run.figures
            };
            store::put_run(engine.library(), "c1", &run).unwrap();
            runs.push(run);
        }
    }
    let head = store::Head {
        comparison,
        started_at_ms: 1.0,
        state: State::Done,
        elapsed_ms: 5.0,
        done: 300,
        failed: 0,
        process: 0,
        kept_at_ms: 0.0,
    };
    store::put_head(engine.library(), &head).unwrap();
    // What was cut off before its end has its figures reckoned anew; what ended is there at once.
    let reckoned = open(&engine, "c1").unwrap();
    store::put_table(engine.library(), "c1", runs.len(), reckoned.table.clone()).unwrap();
    let began = std::time::Instant::now();
    let view = open(&engine, "c1").unwrap();
    let took = began.elapsed();
    assert_eq!(view.runs, runs);
    assert_eq!(view.table, reckoned.table);
    assert!(took.as_secs_f64() < 1.0, "{took:?}");
    eprintln!("reopened in {took:?}");
    assert_eq!(list(&engine).unwrap().len(), 1);
    delete(&engine, "c1").unwrap();
    assert!(list(&engine).unwrap().is_empty());
    assert_eq!(open(&engine, "c1").unwrap_err().0.code, "missing");
}

#[test]
fn what_cannot_be_run_is_said_by_lane() {
    let home = tempfile::tempdir().unwrap();
    let engine = Engine::open(home.path()).unwrap();
    engine.set_lab(Some("http://127.0.0.1:9".into()));
    let code = |change: &dyn Fn(&mut Comparison)| {
        let mut comparison = comparison(5);
        change(&mut comparison);
        comparison.check(&engine).map_err(|error| error.0.code).err()
    };
    assert_eq!(code(&|_| {}), None);
    assert_eq!(code(&|c| c.lanes.truncate(1)).as_deref(), Some("lanes"));
    assert_eq!(code(&|c| c.runs = 0).as_deref(), Some("runs"));
    assert_eq!(code(&|c| c.lanes[0].coding = "lzma".into()).as_deref(), Some("coding"));
    assert_eq!(code(&|c| c.lanes[1].coding = "gzip".into()).as_deref(), Some("coding"));
    assert_eq!(code(&|c| c.lanes[0].deflate = true).as_deref(), Some("deflate"));
    for preset in presets(&engine, "", "", "", "") {
        let comparison = preset.comparison.unwrap_or_else(|| panic!("{}: {}", preset.id, preset.why));
        assert_eq!(comparison.check(&engine), Ok(()), "{}", preset.id);
    }
    let cost = cost(
        &engine,
        &Comparison {
            lanes: vec![lane("a", Transport::Sse), Lane { connection: Connection::Reused, ..lane("b", Transport::Sse) }],
            ..comparison(5)
        },
    );
    assert_eq!((cost.requests, cost.dropped), (6 + 12, 18 - 10));
}
