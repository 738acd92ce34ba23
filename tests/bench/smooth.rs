//! Six lanes of fifty runs in the Compare view, watched while they run: what the page's scripts take of a display frame.

use std::time::Duration;

use serde_json::json;
use weir_tests::window::{Desktop, Keychain, Window, key};

use crate::Failure;
use crate::table::Table;
use crate::window::{Metered, at, metered, millis, window};

/// Runs a lane, beside the warm-ups.
const RUNS: u32 = 50;
const LANES: u32 = 6;

/// All lanes at once, and one after another: both are how a user would watch them.
pub fn measure(table: &mut Table) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        for order in ["parallel", "interleaved"] {
            let window = window(Desktop::start(Keychain::Missing)?.drawn_direct()).await?;
            set_up(&window, order).await?;
            let metered = run(&window).await?;
            tell(table, order, &metered);
            window.close().await?;
        }
        Ok(())
    })
}

/// The three protocols that are offered first, twice.
async fn set_up(window: &Window, order: &str) -> Result<(), Failure> {
    window.go("compare").await?;
    window.find("lane").await?;
    for n in 4..=LANES {
        window.click("lane-add").await?;
        window.click("lane-save").await?;
        const ADDED: &str = "return document.querySelectorAll('[data-testid=lane]').length === arguments[0]";
        window.until_with("another lane", ADDED, vec![json!(n)]).await?;
    }
    window.segment("compare-order", order).await?;
    window.fill("compare-runs", &RUNS.to_string()).await
}

/// From the first run to the last, with the table and the charts that grow meanwhile.
async fn run(window: &Window) -> Result<Metered, Failure> {
    window.ask::<()>("meter.begin()", vec![]).await?;
    window.press(&[key::CONTROL, key::ENTER]).await?;
    window.find("compare-stop").await?;
    const OVER: &str = "return !!document.querySelector('[data-testid=compare-run]') && document.querySelectorAll('[data-testid=compare-table] [data-figure]').length > 8";
    window.within(Duration::from_secs(600), "all runs are over", OVER, vec![]).await?;
    metered(window).await
}

fn tell(table: &mut Table, order: &str, metered: &Metered) {
    table.part(&format!("{LANES} lanes of {RUNS} runs in the open window, {order}"));
    let script = at(0.95, &metered.script);
    table.target("script a display frame, p95", format!("{script:.1} ms"), "< 8 ms", script < 8.0);
    table.figure(
        "script a display frame, p50, p99 and longest",
        format!("{:.1} ms, {:.1} ms, {:.0} ms", at(0.5, &metered.script), at(0.99, &metered.script), at(1.0, &metered.script)),
    );
    table.figure(
        "display frames, and the gaps between them p95 and longest",
        format!("{}, {}, {}", metered.gaps.len(), millis(at(0.95, &metered.gaps)), millis(at(1.0, &metered.gaps))),
    );
    table.figure("calls of the engine", format!("{}", metered.calls));
}
