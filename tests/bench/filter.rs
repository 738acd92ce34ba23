//! How long filters take over a million frames: those of the index whole, those of payloads until they have looked at every byte.

use std::time::{Duration, Instant};

use weir_dialects::Transport;
use weir_sessions::KeyChoice;
use weir_tests::desk::{Desk, draft};
use weir_tests::flood::{Chunks, Server, events};

use crate::table::Table;
use crate::{Failure, folder};

const FRAMES: usize = 1_000_000;

/// Answered by the index alone.
const INDEX: [&str; 6] = [
    "kind:text",
    "event:message",
    "size>300 gap>1ms",
    "layer:chunk,sse dir:in",
    "(kind:error OR gap>10ms) -dir:out",
    "layer:sse kind:text,tool dir:in size>100 time:0..60s -kind:usage OR id:7..9",
];

/// Those that read the payload of every row.
const PAYLOAD: [&str; 3] = ["\"no such words\"", "/qu[aeiou]ck!/", "json:$.choices[0].delta.content~/^ fox$/"];

/// Fills a session with a million events and filters it.
pub fn measure(table: &mut Table) -> Result<(), Failure> {
    table.part("Filter a million frames of 330 B");
    let server = Server::start(events(FRAMES, 330, Chunks::Large))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let desk = Desk::at(&folder()?);
    let session = runtime.block_on(async {
        let session = desk.engine().send(&draft(&server.url(), "openai-chat", Transport::Sse), KeyChoice::None, None)?;
        session.ended().await;
        Ok::<_, Failure>(session)
    })?;
    for filter in INDEX {
        let began = Instant::now();
        let page = session.rows(filter, 0, 64).map_err(|error| error.message)?;
        let took = began.elapsed();
        let reached = page.searched.is_none() && took < Duration::from_millis(300);
        table.target(&format!("{filter}: {} rows", page.matching), format!("{:.0} ms", took.as_secs_f64() * 1e3), "< 300 ms", reached);
    }
    for filter in PAYLOAD {
        let (began, mut longest) = (Instant::now(), Duration::ZERO);
        loop {
            let asked = Instant::now();
            let page = session.rows(filter, 0, 64).map_err(|error| error.message)?;
            longest = longest.max(asked.elapsed());
            if page.searched.is_none() {
                break;
            }
        }
        let whole = format!("{:.1} s", began.elapsed().as_secs_f64());
        table.figure(&format!("{filter}: every byte looked at"), whole);
        let answered = longest < Duration::from_millis(300);
        table.target(
            &format!("{filter}: longest answer on the way"),
            format!("{:.0} ms", longest.as_secs_f64() * 1e3),
            "< 300 ms",
            answered,
        );
    }
    Ok(())
}
