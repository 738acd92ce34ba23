//! Nothing costs more as a session grows: a hundred times the frames, the same page and the same work.

use std::time::Duration;

use serde::Deserialize;
use weir_tests::flood::{Chunks, Server, events};
use weir_tests::window::{Desktop, Failure, Keychain, Window, key};

use crate::stage::{alone, play};
use crate::steps::{aim, choose_row, frames};

/// Bytes of an event: 200,000 of them are 300 MB, so that a page that held any part of the session's payload would show it.
const EVENT: usize = 1_500;
/// What the large session may add to a page that has it open, its reply of a million characters laid out (30 to 35 MB seen): a fifth of the payload.
const ADDED: u64 = 64 << 20;

/// Counts what the page does: changes to the document, calls of the engine and display frames.
const COUNT: &str = r#"
  const work = (window.work = { changes: 0, calls: 0, frames: 0 });
  new MutationObserver((records) => (work.changes += records.length)).observe(document.body, {
    subtree: true, childList: true, attributes: true, characterData: true,
  });
  const fetched = window.fetch;
  window.fetch = (...args) => {
    if (String(args[0]).startsWith('ipc:')) work.calls++;
    return fetched(...args);
  };
  const tick = () => { work.frames++; requestAnimationFrame(tick); };
  tick();
"#;

const LISTED: &str = "return Number(document.querySelector('[data-testid=frame-count]')?.textContent.replace(/\\D/g, '')) >= arguments[0]";

#[derive(Clone, Copy, Debug, Deserialize)]
struct Work {
    changes: f64,
    calls: f64,
    frames: f64,
}

#[derive(Debug)]
struct Cost {
    rows: usize,
    /// Elements of the inspector, and of the whole page.
    inspector: usize,
    page: usize,
    /// Per step through the table.
    step: Work,
}

async fn work(window: &Window) -> Result<Work, Failure> {
    window.ask("return window.work", vec![]).await
}

async fn cost(window: &Window, count: usize) -> Result<Cost, Failure> {
    let server = Server::start(events(count, EVENT, Chunks::Event))?;
    aim(window, &format!("http://{}/v1", server.address())).await?;
    window.fill("model", "flood").await?;
    window.press(&[key::ENTER]).await?;
    window.ask::<()>(COUNT, vec![]).await?;
    window.click("send").await?;
    window
        .within(Duration::from_secs(120), "it is over", "return document.querySelector('[data-testid=outcome]') !== null", vec![])
        .await?;
    window.until_with("all rows are listed", LISTED, vec![count.into()]).await?;
    settle(window).await?;
    choose_row(window, 0).await?;
    window.press(&[key::HOME]).await?;
    window.until("the first row is selected", "return document.querySelector('[data-testid=frame-row][data-frame][aria-selected=true]')?.getAttribute('aria-rowindex') === '2'").await?;
    settle(window).await?;

    const STEPS: u32 = 40;
    let before = work(window).await?;
    for _ in 0..STEPS {
        window.press(&['j']).await?;
    }
    settle(window).await?;
    let after = work(window).await?;
    window.until("the reply shows what the row carried, however far from its end that is", MARKED).await?;
    let per_step = |now: f64, then: f64| (now - then) / f64::from(STEPS);
    Ok(Cost {
        rows: frames(window).await?,
        inspector: window.ask("return document.querySelectorAll('.dock *').length", vec![]).await?,
        page: window.ask("return document.querySelectorAll('*').length", vec![]).await?,
        step: Work {
            changes: per_step(after.changes, before.changes),
            calls: per_step(after.calls, before.calls),
            frames: after.frames - before.frames,
        },
    })
}

/// The selected row's text is marked in the part of the reply that is in view.
const MARKED: &str = "const view = document.querySelector('.reply').getBoundingClientRect(); \
    return [...document.querySelectorAll('.marks i')].some((box) => { const { top, bottom } = box.getBoundingClientRect(); \
    return top >= view.top && bottom <= view.bottom; })";

/// Resident bytes of a page that has just opened the session from the library: what the page holds of it. After the flood itself it
/// would be told together with what WebKit's allocator keeps of the updates, which differs by 40 MB from run to run.
async fn held(window: &Window, count: usize) -> Result<u64, Failure> {
    window.go("sessions").await?;
    window.click("session-row").await?;
    window.click("session-open").await?;
    window.ask::<()>(COUNT, vec![]).await?;
    window.until_with("all rows are listed", LISTED, vec![count.into()]).await?;
    settle(window).await?;
    choose_row(window, 0).await?;
    window.press(&[key::END]).await?;
    settle(window).await?;
    let mut least = u64::MAX;
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        least = least.min(window.page_memory());
    }
    Ok(least)
}

/// Waits until the page has been still for a while.
async fn settle(window: &Window) -> Result<(), Failure> {
    let mut last = -1.0;
    loop {
        tokio::time::sleep(Duration::from_millis(400)).await;
        let now = work(window).await?.calls;
        if now == last {
            return Ok(());
        }
        last = now;
    }
}

#[test]
fn two_hundred_thousand_frames_cost_what_two_thousand_do() {
    alone(async || {
        let (mut costs, mut memory) = (Vec::new(), Vec::new());
        for count in [2_000, 200_000] {
            let window = Window::open(Desktop::start(Keychain::Missing)?.drawn_direct()).await?;
            play("scale", &window, async {
                costs.push(cost(&window, count).await?);
                Ok(())
            })
            .await;
            let window = Window::open(window.close().await?).await?;
            play("scale", &window, async {
                memory.push(held(&window, count).await?);
                Ok(())
            })
            .await;
            window.close().await?;
        }
        let ([small, large], [little, much]) = (&costs[..], &memory[..]) else {
            return Err("two sessions were measured".into());
        };
        eprintln!("{small:?}\n{large:?}\nopened again: {little} and {much} bytes");
        assert!(small.rows >= 2_000 && large.rows >= 200_000);
        assert!(large.inspector.abs_diff(small.inspector) <= 40, "the inspector holds as many elements");
        assert!(large.page.abs_diff(small.page) <= 100, "the page holds as many, but for one per 60,000 characters of the reply");
        assert!(*much < little + ADDED, "the page holds no session");
        assert!(large.step.changes <= small.step.changes * 1.25 + 2.0, "a step changes as much");
        assert!(large.step.calls <= small.step.calls * 1.25 + 0.5, "a step asks as often");
        Ok(())
    });
}
