//! What a long session keeps in memory: the index by its own count, and the process as the system sees it.

use std::process::Command;
use std::time::Duration;

use weir_dialects::Transport;
use weir_sessions::KeyChoice;
use weir_tests::desk::{Desk, draft};
use weir_tests::flood::{Chunks, Rendered, Server, events, messages};

use crate::table::Table;
use crate::{Failure, folder};

/// Units of the short and of the long session: the difference, a million, costs what a million costs, without what any session costs.
const SHORT: usize = 500_000;
const LONG: usize = 1_500_000;

/// Each session is taken by a process of its own.
pub fn measure(table: &mut Table) -> Result<(), Failure> {
    table.part("Memory per million units of 330 B");
    type Render = fn(usize) -> Rendered;
    let kinds: [(&str, Render); 3] = [
        ("SSE, a chunk an event", |count| events(count, 330, Chunks::Event)),
        ("SSE, 1 MiB chunks", |count| events(count, 330, Chunks::Large)),
        ("WebSocket", |count| messages(count, 330)),
    ];
    for (what, render) in kinds {
        let (short, long) = (held(render(SHORT))?, held(render(LONG))?);
        let (heap, grown) = (long[0] - short[0], long[1] - short[1]);
        table.target(&format!("{what}: index on the heap"), format!("{heap:.1} MB"), "< 100 MB", heap < 100.0);
        table.target(&format!("{what}: process growth (RSS)"), format!("{grown:.1} MB"), "< 100 MB", grown < 100.0);
        table.figure(&format!("{what}: rows, carriers included"), format!("{}", long[3] - short[3]));
        table.figure(&format!("{what}: RSS with {LONG} units, beyond the idle engine's"), format!("{:.1} MB", long[1]));
        table.figure(&format!("{what}: peak of that process"), format!("{:.1} MB", long[2]));
    }
    Ok(())
}

/// The figures of a process that took and holds this reply.
fn held(reply: Rendered) -> Result<[f64; 4], Failure> {
    let server = Server::start(reply)?;
    let output = Command::new(std::env::current_exe()?).args(["hold", &server.url()]).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let figures: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    figures.try_into().map_err(|_| format!("no figures: {text} {}", String::from_utf8_lossy(&output.stderr)).into())
}

/// Takes the flood at `url`, holds the session, prints megabytes: index, growth of the process, its peak; then rows and carriers.
pub fn hold(url: &str) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let desk = Desk::at(&folder()?);
    let before = status("VmRSS")?;
    let draft = if url.starts_with("ws") {
        draft(url, "openai-responses", Transport::Websocket)
    } else {
        draft(url, "openai-chat", Transport::Sse)
    };
    let session = runtime.block_on(async {
        let session = desk.engine().send(&draft, KeyChoice::None, None)?;
        session.ended().await;
        // The flood's buffers are given back by threads that end after the session.
        tokio::time::sleep(Duration::from_millis(500)).await;
        Ok::<_, Failure>(session)
    })?;
    let analysis = session.analysis();
    let rows = analysis.fold.rows.len() + analysis.fold.carriers.len();
    println!("{} {} {} {rows}", analysis.fold.heap_bytes() as f64 / 1e6, status("VmRSS")? - before, status("VmHWM")?);
    Ok(())
}

/// A field of this process's status, MB.
fn status(field: &str) -> Result<f64, Failure> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix(field)).ok_or("the system tells no memory use")?;
    let kilobytes: f64 = line.trim_start_matches(':').trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes * 1024.0 / 1e6)
}
