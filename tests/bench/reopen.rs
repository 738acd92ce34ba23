//! What six lanes of fifty runs cost to reckon, and to open again.

use std::time::{Duration, Instant};

use weir_dialects::Transport;
use weir_lab::{Lab, LabConfig, Pace, Settings};
use weir_sessions::compare::{self, Comparison, Connection, Lane, Order, Table as Figures};
use weir_sessions::{Engine, KeyChoice};
use weir_tests::desk::{Desk, draft};

use crate::table::Table;
use crate::{Failure, folder};

const LANES: usize = 6;
const RUNS: u32 = 50;

/// A comparison of short replies, made, closed and opened by an engine that has not seen it.
pub fn measure(table: &mut Table) -> Result<(), Failure> {
    table.part(&format!("A comparison of {LANES} lanes × {RUNS} runs"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let pace = Pace { ttft_ms: 5, tokens_per_second: 2_000.0, reply_tokens: 100, ..Pace::default() };
    let lab = runtime.block_on(Lab::start(LabConfig { port: 0, settings: Settings { pace, ..Settings::default() } }))?;
    let desk = Desk::at(&folder()?);
    let url = format!("{}/v1/chat/completions", lab.url());
    let lanes = (0..LANES).map(|at| Lane {
        name: format!("Lane {at}"),
        draft: draft(&url, "openai-chat", Transport::Sse),
        connection: Connection::Cold,
        coding: String::new(),
        deflate: false,
    });
    let comparison = Comparison {
        id: String::new(),
        title: "Bench".into(),
        lanes: lanes.collect(),
        runs: RUNS,
        warmups: 0,
        order: Order::Parallel,
        seed: 1,
        pause_ms: 0,
    };
    let view = runtime.block_on(async {
        let running = compare::run(desk.engine(), comparison, KeyChoice::None)?;
        running.ended().await;
        Ok::<_, Failure>(running.view())
    })?;
    if view.runs.iter().filter(|run| run.counts()).count() != LANES * RUNS as usize {
        return Err(format!("{:?}", view.table.notes).into());
    }
    let began = Instant::now();
    let reckoned = Figures::of(&view.comparison, &view.runs);
    table.figure("all figures with their intervals, reckoned", shown(began.elapsed()));
    let engine = Engine::open(desk.home())?;
    let began = Instant::now();
    let opened = compare::open(&engine, &view.comparison.id)?;
    let newest = opened.runs.iter().rev().take(LANES);
    let replies = newest.map(|run| compare::replay(&engine, &run.session)).collect::<Result<Vec<_>, _>>()?;
    let took = began.elapsed();
    if opened.table != reckoned || replies.len() != LANES {
        return Err("the comparison opened as another".into());
    }
    table.target("reopened, with the replies of its newest round", shown(took), "< 1 s", took < Duration::from_secs(1));
    runtime.block_on(lab.stop());
    Ok(())
}

fn shown(time: Duration) -> String {
    format!("{:.0} ms", time.as_secs_f64() * 1e3)
}
