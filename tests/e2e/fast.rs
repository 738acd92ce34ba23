//! A session that is over before a reader could blink: the page's work follows display frames, not events.
//!
//! Times are the bench's (`weir-bench window`); what is counted here does not depend on what else the machine does.

use serde::Deserialize;
use weir_tests::flood::{Chunks, Server, events};
use weir_tests::window::{Failure, Window, key};

use crate::stage::{picture, stage};
use crate::steps::{aim, choose_row, over};

/// Counts what the page does from the click on Send on: changes of the document, calls of the engine, news of the engine, display frames.
const COUNT: &str = r#"
  const work = (window.work = { changes: 0, calls: 0, news: 0, frames: 0 });
  new MutationObserver((records) => (work.changes += records.length)).observe(document.body, {
    subtree: true, childList: true, attributes: true, characterData: true,
  });
  const fetched = window.fetch;
  window.fetch = (...args) => {
    if (String(args[0]).startsWith('ipc:')) work.calls++;
    return fetched(...args);
  };
  const { callbacks } = window.__TAURI_INTERNALS__;
  const get = callbacks.get.bind(callbacks);
  callbacks.get = (id) => {
    work.news++;
    return get(id);
  };
  const tick = () => { work.frames++; requestAnimationFrame(tick); };
  tick();
"#;

#[derive(Clone, Copy, Debug, Deserialize)]
struct Work {
    changes: f64,
    calls: f64,
    news: f64,
    frames: f64,
}

impl Work {
    fn since(self, before: Self) -> Self {
        Self {
            changes: self.changes - before.changes,
            calls: self.calls - before.calls,
            news: self.news - before.news,
            frames: self.frames - before.frames,
        }
    }
}

async fn work(window: &Window) -> Result<Work, Failure> {
    window.ask("return window.work", vec![]).await
}

/// Sends to a server of so many events; gives the work until all of them are listed and the reply is over.
async fn run(window: &Window, count: usize) -> Result<Work, Failure> {
    let server = Server::start(events(count, 330, Chunks::Event))?;
    aim(window, &format!("http://{}/v1", server.address())).await?;
    window.fill("model", "flood").await?;
    window.press(&[key::ENTER]).await?;
    let before = work(window).await?;
    window.click("send").await?;
    assert_eq!(over(window).await?, "complete");
    let listed = "return Number(document.querySelector('[data-testid=frame-count]').textContent.replace(/\\D/g, '')) >= arguments[0]";
    window.until_with("all rows are listed", listed, vec![count.into()]).await?;
    let done = work(window).await?.since(before);
    eprintln!("{count} events: {done:?}");
    Ok(done)
}

#[test]
fn ten_thousand_events_cost_display_frames_and_not_events() {
    stage("fast", async |window| {
        window.ask::<()>(COUNT, vec![]).await?;
        run(window, 100).await?;
        let done = run(window, 10_000).await?;
        // Rows, figures, ribbon and reply: a handful of calls for each batch of news, and no batch an event.
        assert!(done.news < 1_000.0, "news come in batches: {done:?}");
        assert!(done.calls < 20.0 + 4.0 * done.frames, "the engine is asked by the display frame: {done:?}");
        assert!(done.changes < 10_000.0, "less than one change of the document an event: {done:?}");
        assert!(done.changes < 1_000.0 + 200.0 * done.frames, "and those that are seen at most: {done:?}");

        // The last row can be looked at.
        choose_row(window, 0).await?;
        window.press(&[key::END]).await?;
        let last = "const row = document.querySelector('[data-testid=frame-row][data-frame][aria-selected=true]');
            return row !== null && Number(row.dataset.frame) >= 10000 && row.getAttribute('aria-busy') === null";
        window.until("the last row is selected", last).await?;

        picture(window, "fast").await
    });
}
