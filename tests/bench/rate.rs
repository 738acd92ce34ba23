//! Floods: how long each taker needs for the same bytes.

use std::time::Duration;

use weir_tests::flood::{Chunks, Server, events as rendered, messages as rendered_messages};

use crate::table::Table;
use crate::{Failure, folder, takers};

/// Runs of each taker that are cheap, and of the slow loop.
const RUNS: usize = 5;
const SLOW_RUNS: usize = 3;

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// Waits until the disk has what was written before, so that no taker pays for another.
fn settle() -> Result<(), Failure> {
    std::process::Command::new("sync").status()?;
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn shown(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

fn expect(who: &str, counted: usize, least: usize) -> Result<(), Failure> {
    if counted >= least { Ok(()) } else { Err(format!("{who} counted {counted} of {least}").into()) }
}

/// Event streams.
pub fn events(table: &mut Table) -> Result<(), Failure> {
    flood(table, 330, 300_000, Chunks::Event, true)?;
    flood(table, 330, 300_000, Chunks::Large, true)?;
    flood(table, 200, 500_000, Chunks::Event, false)?;
    flood(table, 1_000, 100_000, Chunks::Event, false)?;
    flood(table, 16_000, 6_250, Chunks::Event, false)
}

fn flood(table: &mut Table, size: usize, count: usize, chunks: Chunks, held: bool) -> Result<(), Failure> {
    let (runtime, folder) = (runtime()?, folder()?);
    let server = Server::start(rendered(count, size, chunks))?;
    let url = server.url();
    let [mut weir, mut curl, mut node, mut slow] = [const { Vec::new() }; 4];
    for run in 0..RUNS {
        settle()?;
        let (time, counted) = runtime.block_on(takers::weir(&url, &folder))?;
        expect("Weir", counted, count)?;
        weir.push(time);
        settle()?;
        curl.push(takers::curl(&url, &folder)?.0);
        settle()?;
        let (time, counted) = takers::node(&url)?;
        expect("Node", counted, count)?;
        node.push(time);
        if run < SLOW_RUNS {
            let (time, counted) = runtime.block_on(takers::reqwest(&url))?;
            expect("reqwest", counted, count)?;
            slow.push(time);
        }
    }
    let framing = if chunks == Chunks::Event { "a chunk an event" } else { "1 MiB chunks" };
    table.part(&format!("{count} SSE events of {size} B, {framing}"));
    let [weir, curl, node, slow] = [weir, curl, node, slow].map(median);
    table.figure("Weir, recording to disk", shown(weir));
    table.figure("curl -sN -o FILE", shown(curl));
    table.figure("Node, eventsource-parser", shown(node));
    table.figure("reqwest + eventsource-stream", shown(slow));
    let ratio = |other: Duration| other.as_secs_f64() / weir.as_secs_f64();
    let figures = [
        ("times as fast as reqwest + eventsource-stream", ratio(slow), ">= 8", ratio(slow) >= 8.0),
        ("times as fast as Node", ratio(node), ">= 1", ratio(node) >= 1.0),
        ("times curl's time", 1.0 / ratio(curl), "<= 4", ratio(curl) >= 0.25),
    ];
    for (what, value, target, reached) in figures {
        if held { table.target(what, format!("{value:.2}"), target, reached) } else { table.figure(what, format!("{value:.2}")) }
    }
    Ok(())
}

/// WebSocket messages.
pub fn messages(table: &mut Table) -> Result<(), Failure> {
    let (runtime, folder) = (runtime()?, folder()?);
    let count = 300_000;
    let server = Server::start(rendered_messages(count, 330))?;
    let (mut weir, mut plain) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        settle()?;
        let (time, counted) = runtime.block_on(takers::weir(&server.url(), &folder))?;
        expect("Weir", counted, count)?;
        weir.push(time);
        settle()?;
        let (time, counted) = runtime.block_on(takers::tungstenite(&server.url()))?;
        expect("tungstenite", counted, count)?;
        plain.push(time);
    }
    let (weir, plain) = (median(weir), median(plain));
    table.part(&format!("{count} WebSocket messages of 330 B"));
    table.figure("Weir, recording to disk", shown(weir));
    table.figure("plain tokio-tungstenite loop", shown(plain));
    let times = weir.as_secs_f64() / plain.as_secs_f64();
    table.target("times the plain loop's time", format!("{times:.2}"), "<= 4", times <= 4.0);
    Ok(())
}
