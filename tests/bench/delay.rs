//! What Weir adds between the socket's read and the delta in the caller's hand.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use weir_dialects::Transport;
use weir_sessions::KeyChoice;
use weir_tests::desk::{Desk, draft};
use weir_tests::flood::{Chunks, Rendered, Server, events, paced};

use crate::table::Table;
use crate::{Failure, folder};

/// A steady stream, which is what models send, and a flood, where queues fill.
pub fn measure(table: &mut Table) -> Result<(), Failure> {
    table.part("Added delay from socket read to delta");
    let (p50, p99) = delays(paced(1000, 330, Duration::from_millis(5)))?;
    table.figure("200 events/s, p50", shown(p50));
    table.target("200 events/s, p99", shown(p99), "< 2 ms", p99 < Duration::from_millis(2));
    let (p50, p99) = delays(events(300_000, 330, Chunks::Event))?;
    table.figure("flood, p50", shown(p50));
    table.target("flood, p99", shown(p99), "< 2 ms", p99 < Duration::from_millis(2));
    Ok(())
}

fn shown(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1e3)
}

fn delays(reply: Rendered) -> Result<(Duration, Duration), Failure> {
    let server = Server::start(reply)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let desk = Desk::at(&folder()?);
    let told = Arc::new(Mutex::new(Vec::with_capacity(400_000)));
    let into = told.clone();
    let session = runtime.block_on(async {
        let tell = Box::new(move |delta: weir_sessions::analysis::Told<'_>| {
            if let Ok(mut into) = into.lock() {
                into.push((delta.t, Instant::now()));
            }
        });
        let session = desk.engine().send(&draft(&server.url(), "openai-chat", Transport::Sse), KeyChoice::None, Some(tell))?;
        session.ended().await;
        Ok::<_, Failure>(session)
    })?;
    let origin = session.clock().origin();
    let told = std::mem::take(&mut *told.lock().map_err(|_| "a panic while deltas were told")?);
    let mut delays: Vec<Duration> = told.into_iter().map(|(t, now)| now.duration_since(origin + Duration::from_nanos(t))).collect();
    delays.sort();
    let at = |share: f64| delays.get((delays.len() as f64 * share) as usize).copied().ok_or("no delta came");
    Ok((at(0.5)?, at(0.99)?))
}
