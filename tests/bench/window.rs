//! The real window under load: a million frames, and ten thousand events a second. On a desktop of its own, without a graphics card.

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;
use weir_dialects::Transport;
use weir_sessions::{Engine, KeyChoice};
use weir_tests::desk::draft;
use weir_tests::flood::{Chunks, Server, bursts, events};
use weir_tests::window::{Desktop, Keychain, Window, key};

use crate::Failure;
use crate::table::Table;

/// Frames of the large session, and of the one it is held against.
const FRAMES: usize = 1_000_000;
const FEW: usize = 20;
/// Bytes of an event.
const EVENT: usize = 330;
/// Events in a second of the flood, its seconds, and in how many bursts a second they come.
const RATE: usize = 10_000;
const SECONDS: usize = 60;
const BURSTS: usize = 100;

/// Measures scripts and display frames in the page: `meter.begin()`, then `meter.end()`.
const METER: &str = include_str!("meter.js");

/// Milliseconds of display frames while the meter ran.
#[derive(Debug, Deserialize)]
pub(crate) struct Metered {
    /// Script in each.
    pub(crate) script: Vec<f64>,
    /// From one to the next.
    pub(crate) gaps: Vec<f64>,
    /// Calls of the engine.
    pub(crate) calls: f64,
}

/// A million frames, reopened and scrolled through.
pub fn measure_million(table: &mut Table) -> Result<(), Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(million(table))
}

/// Ten thousand events a second.
pub fn measure_flood(table: &mut Table) -> Result<(), Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(flood(table))
}

/// A window with the meter in it.
pub(crate) async fn window(desktop: Desktop) -> Result<Window, Failure> {
    let window = Window::open(desktop).await?;
    window.ask::<()>(METER, vec![]).await?;
    Ok(window)
}

/// Ends the measurement.
pub(crate) async fn metered(window: &Window) -> Result<Metered, Failure> {
    window.ask("return meter.end()", vec![]).await
}

/// The value that this share of `times` stays below.
pub(crate) fn at(share: f64, times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

/// Whole milliseconds.
pub(crate) fn millis(time: f64) -> String {
    format!("{time:.0} ms")
}

/// Records a session in a desktop's library.
async fn record(desktop: &Desktop, frames: usize) -> Result<(), Failure> {
    let server = Server::start(events(frames, EVENT, Chunks::Event))?;
    let engine = Engine::open(&desktop.weir_home()).map_err(|error| error.to_string())?;
    let session = engine.send(&draft(&server.url(), "openai-chat", Transport::Sse), KeyChoice::None, None)?;
    session.ended().await;
    let rows = session.rows("", 0, 1).map_err(|error| error.message)?.matching as usize;
    if rows < frames { Err(format!("{rows} rows of {frames}").into()) } else { Ok(()) }
}

/// Opens the newest session of the library; gives the milliseconds from the click to the first rows, and to the last.
async fn reopen(window: &Window, frames: usize) -> Result<(f64, f64), Failure> {
    window.go("sessions").await?;
    window.click("session-row").await?;
    window.find("session-open").await?;
    window.ask::<()>("meter.open(arguments[0])", vec![json!(frames)]).await?;
    window.click("session-open").await?;
    window.within(Duration::from_secs(300), "every row is there", "return meter.opened.all > 0", vec![]).await?;
    window.ask("return [meter.opened.first, meter.opened.all]", vec![]).await
}

/// Megabytes of the page, resident once it is left alone: collections are provoked, and WebKit gives memory back in the seconds after.
async fn held(window: &Window) -> Result<f64, Failure> {
    const CHURN: &str = "let last; for (let i = 0; i < 300; i++) last = new Array(1 << 17).fill(i); return last.length";
    let mut least = u64::MAX;
    for _ in 0..4 {
        window.ask::<f64>(CHURN, vec![]).await?;
        for _ in 0..6 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            least = least.min(window.page_memory());
        }
    }
    Ok(least as f64 / 1e6)
}

async fn million(table: &mut Table) -> Result<(), Failure> {
    table.part(&format!("A million frames of {EVENT} B in the window, reopened"));
    let desktop = Desktop::start(Keychain::Missing)?.drawn_direct();
    record(&desktop, FEW).await?;
    let small = window(desktop).await?;
    reopen(&small, FEW).await?;
    scroll(&small).await?;
    let before = held(&small).await?;
    small.close().await?;

    let desktop = Desktop::start(Keychain::Missing)?.drawn_direct();
    record(&desktop, FRAMES).await?;
    let large = window(desktop).await?;
    let (first, all) = reopen(&large, FRAMES).await?;
    table.target("to the first rows", millis(first), "< 1000 ms", first < 1000.0);
    table.figure("to every row", millis(all));
    let opened = held(&large).await?;
    let metered = scroll(&large).await?;
    let script = at(0.95, &metered.script);
    table.target("scrolled end to end: script a display frame, p95", format!("{script:.1} ms"), "< 8 ms", script < 8.0);
    table
        .figure("display frames, and p95 of the gaps between them", format!("{}, {}", metered.gaps.len(), millis(at(0.95, &metered.gaps))));
    table.figure("calls of the engine", format!("{}", metered.calls));
    let after = held(&large).await?;
    table.figure("page memory of a session of 20 frames, scrolled", format!("{before:.1} MB"));
    table.figure("growth, reopened", format!("{:.1} MB", opened - before));
    table.target("growth, scrolled", format!("{:.1} MB", after - before), "< 30 MB", after - before < 30.0);
    large.close().await?;
    Ok(())
}

/// Scrolls the frame table from its first row to its last.
async fn scroll(window: &Window) -> Result<Metered, Failure> {
    window.ask::<()>("meter.begin(); meter.scroll(600)", vec![]).await?;
    window.within(Duration::from_secs(240), "it is scrolled through", "return meter.scrolled", vec![]).await?;
    metered(window).await
}

async fn flood(table: &mut Table) -> Result<(), Failure> {
    table.part(&format!("{RATE} events/s for {SECONDS} s into the open window"));
    let window = window(Desktop::start(Keychain::Missing)?.drawn_direct()).await?;
    let count = RATE * SECONDS;
    let server = Server::start(bursts(count, EVENT, RATE / BURSTS, Duration::from_secs(1) / BURSTS as u32))?;
    window.choose("provider", "own").await?;
    window.fill("base-url", &format!("http://{}/v1", server.address())).await?;
    window.fill("model", "flood").await?;
    window.press(&[key::ENTER]).await?;
    window.ask::<()>("meter.begin()", vec![]).await?;
    let began = Instant::now();
    window.click("send").await?;
    const OVER: &str = "return document.querySelector('[data-testid=outcome]') !== null";
    window.within(Duration::from_secs(4 * SECONDS as u64), "the flood is over", OVER, vec![]).await?;
    let took = began.elapsed().as_secs_f64();
    let metered = metered(&window).await?;
    const LISTED: &str =
        "return Number(document.querySelector('[data-testid=frame-count]').textContent.replace(/\\D/g, '')) >= arguments[0]";
    window.until_with("every event is listed", LISTED, vec![json!(count)]).await?;
    let listed: f64 =
        window.ask("return Number(document.querySelector('[data-testid=frame-count]').textContent.replace(/\\D/g, ''))", vec![]).await?;
    let outcome = window.attr("outcome", "data-outcome").await?;
    // Request and response head, the two events that end the reply.
    let whole = outcome == "complete" && listed as usize >= count + 4;
    table.target("frames listed", format!("{listed} ({outcome})"), "none lost", whole);
    table.figure("events a second that came", format!("{:.0}", count as f64 / took));
    let (script, gap, longest) = (at(0.95, &metered.script), at(0.95, &metered.gaps), at(1.0, &metered.gaps));
    table.target("script a display frame, p95", format!("{script:.1} ms"), "< 8 ms", script < 8.0);
    table.figure(
        "script a display frame, p50 and longest",
        format!("{:.1} ms, {:.0} ms", at(0.5, &metered.script), at(1.0, &metered.script)),
    );
    table.target("gap between display frames, p95", millis(gap), "< 80 ms", gap < 80.0);
    table.target("gap between display frames, longest", millis(longest), "<= 250 ms", longest <= 250.0);
    table.figure("display frames", format!("{}", metered.gaps.len()));

    // Stop, three times; what the machine did meanwhile is not the page's doing.
    let mut stopped = f64::MAX;
    for _ in 0..3 {
        window.ask::<()>("meter.stop()", vec![]).await?;
        window.click("send").await?;
        window.find("stop").await?;
        tokio::time::sleep(Duration::from_secs(4)).await;
        window.click("stop").await?;
        window.within(Duration::from_secs(20), "it has stopped", "return meter.stopped > 0", vec![]).await?;
        stopped = stopped.min(window.ask("return meter.stopped", vec![]).await?);
    }
    table.target("Stop answers", millis(stopped), "< 100 ms", stopped < 100.0);
    window.close().await?;
    Ok(())
}
