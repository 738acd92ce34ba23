//! Compare, on the Lab: from a first start to an answer, the playhead and the zoom, what a reopened comparison costs, and the way to the
//! bytes.

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;
use weir_tests::window::{Failure, Window, key};

use crate::stage::{picture, stage};

const OVER: &str = "return !!document.querySelector('[data-testid=compare-run]') && /of/.test(document.querySelector('[data-testid=compare-progress]')?.innerText ?? '')";
const TABLE: &str = "return document.querySelectorAll('[data-testid=compare-table] [data-figure]').length > 8";

/// Counts what the page does: display frames, calls of the engine and the bytes of its answers, changes to the document, and the script's
/// time within display frames.
const COUNT: &str = r#"
  const work = (window.work = { frames: 0, calls: 0, bytes: 0, changes: 0 });
  new MutationObserver((records) => (work.changes += records.length)).observe(document.body, {
    subtree: true, childList: true, attributes: true, characterData: true,
  });
  const fetched = window.fetch;
  window.fetch = async (...args) => {
    const answer = await fetched(...args);
    if (String(args[0]).startsWith('ipc:')) {
      work.calls++;
      answer.clone().arrayBuffer().then((bytes) => (work.bytes += bytes.byteLength));
    }
    return answer;
  };
  const tick = () => { work.frames++; requestAnimationFrame(tick); };
  tick();
"#;

#[derive(Clone, Copy, Debug, Deserialize)]
struct Work {
    frames: f64,
    calls: f64,
    bytes: f64,
    changes: f64,
}

async fn work(window: &Window) -> Result<Work, Failure> {
    window.ask("return window.work", vec![]).await
}

/// Sets the number of runs and makes them all.
async fn run_all(window: &Window, runs: u32) -> Result<(), Failure> {
    window.fill("compare-runs", &runs.to_string()).await?;
    window.press(&[key::CONTROL, key::ENTER]).await?;
    window.find("compare-stop").await?;
    window.within(Duration::from_secs(240), "all runs are over", OVER, vec![]).await
}

/// Texts of all lanes.
async fn replies(window: &Window) -> Result<Vec<String>, Failure> {
    window.ask("return [...document.querySelectorAll('[data-testid=lane-reply] p')].map((p) => p.textContent)", vec![]).await
}

/// The stretch of time that is on screen, ms.
async fn stretch(window: &Window) -> Result<f64, Failure> {
    window.ask("const { from, to } = document.querySelector('[data-testid=compare-playhead]').dataset; return to - from", vec![]).await
}

async fn six_lanes(window: &Window) -> Result<(), Failure> {
    window.press(&[key::CONTROL, '2']).await?;
    window.find("lane").await?;
    for n in 4..=6 {
        window.click("lane-add").await?;
        window.click("lane-save").await?;
        window
            .until_with("another lane", "return document.querySelectorAll('[data-testid=lane]').length === arguments[0]", vec![n.into()])
            .await?;
    }
    window.segment("compare-order", "parallel").await
}

/// Reopens the newest comparison, and tells what the page asked for until its table and its lanes stood.
async fn reopen(window: &Window) -> Result<Work, Failure> {
    let figures = window.text("compare-table").await?;
    window.click("compare-history").await?;
    window.find("compare-past-row").await?;
    let before = work(window).await?;
    let began = Instant::now();
    window.click("[data-testid=compare-past-row] button").await?;
    window
        .until_with(
            "the same table and all replies",
            "return document.querySelector('[data-testid=compare-table]')?.innerText.replace(/\\s+/g, ' ') === arguments[0].replace(/\\s+/g, ' ') && [...document.querySelectorAll('[data-testid=lane-reply] p')].every((p) => p.textContent !== '')",
            vec![Value::from(figures)],
        )
        .await?;
    eprintln!("reopened in {:?}, the driver's way included", began.elapsed());
    // What is asked for a moment later, such as the cost of another round, is part of it.
    tokio::time::sleep(Duration::from_millis(600)).await;
    let after = work(window).await?;
    Ok(Work {
        frames: after.frames - before.frames,
        calls: after.calls - before.calls,
        bytes: after.bytes - before.bytes,
        changes: after.changes - before.changes,
    })
}

#[test]
fn two_clicks_from_first_start_to_an_answer() {
    stage("compare-answer", async |window| {
        let began = Instant::now();
        window.click("nav-compare").await?;
        window.until("three lanes are offered", "return document.querySelectorAll('[data-testid=lane]').length === 3").await?;
        picture(window, "compare-first").await?;
        window.click("compare-run").await?;
        window.find("compare-stop").await?;
        window.within(Duration::from_secs(180), "all runs are over", OVER, vec![]).await?;
        window
            .until(
                "the question is answered",
                "return /Medians of 30 runs/.test(document.querySelector('[data-testid=compare-answers]')?.innerText ?? '')",
            )
            .await?;
        eprintln!("two clicks and {:?}: {}", began.elapsed(), window.text("compare-answers").await?);
        let answers = window.text("compare-answers").await?;
        assert!(answers.contains("TTFT: ") && answers.contains("Total: ") && answers.contains("95 % intervals"), "{answers}");
        // One response cannot speak before it is whole: whatever the weather, the streams are sooner.
        let ttft = answers.lines().find(|line| line.contains("TTFT")).unwrap_or_default();
        assert!(ttft.contains("faster than") && ttft.contains("A (HTTP) by"), "{answers}");
        picture(window, "compare-answer").await
    });
}

#[test]
fn three_protocols_from_first_start_to_the_bytes() {
    stage("compare", async |window| {
        window.press(&[key::CONTROL, '2']).await?;
        window.until("three lanes are offered", "return document.querySelectorAll('[data-testid=lane]').length === 3").await?;
        window.until("the cost is told", "return /requests/.test(document.querySelector('[data-testid=compare-cost]').innerText)").await?;
        run_all(window, 6).await?;
        window.until("the table stands", TABLE).await?;
        picture(window, "compare").await?;
        let progress = window.text("compare-progress").await?;
        assert!(!progress.contains("failed"), "{progress}");
        let table = window.text("compare-table").await?;
        assert!(table.contains("one delivery"), "HTTP has no gaps, and the table says why: {table}");
        assert!(window.text("compare-notes").await?.contains("run"), "six runs are few, and the notes say so");
        assert!(window.text("compare-answers").await?.contains("too few runs to say"));

        let whole = replies(window).await?;
        assert!(whole.iter().all(|text| text.len() > 50), "{whole:?}");
        window.ask::<()>("document.querySelector('[data-testid=compare-playhead]').focus()", vec![]).await?;
        window.press(&[key::HOME]).await?;
        window
            .until(
                "nobody had seen anything at the start",
                "return [...document.querySelectorAll('[data-testid=lane-reply] p')].every((p) => p.textContent === '')",
            )
            .await?;
        let middle = "const plot = document.querySelector('[data-testid=compare-playhead]').getBoundingClientRect(); return [plot.left + plot.width * 0.6, plot.top + 40]";
        let place: Vec<f64> = window.ask(middle, vec![]).await?;
        window.click_at(place[0], place[1]).await?;
        window
            .until(
                "SSE shows a part",
                "const p = document.querySelectorAll('[data-testid=lane-reply] p')[1]; return p.textContent.length > 0",
            )
            .await?;
        let part = replies(window).await?;
        assert_eq!(part[0], "", "the one response is not there yet");
        assert!(whole[1].starts_with(&part[1]) && part[1].len() < whole[1].len(), "{part:?}");
        picture(window, "compare-playhead").await?;

        // Down to milliseconds by keys and wheel; the playhead and what it shows stay.
        let all = stretch(window).await?;
        window.ask::<()>("document.querySelector('[data-testid=compare-playhead]').focus()", vec![]).await?;
        for _ in 0..5 {
            window.press(&['+']).await?;
        }
        window.until("it zoomed", "return document.querySelector('[data-testid=compare-zoom-reset]') !== null").await?;
        assert!((stretch(window).await? - all / 32.0).abs() < all / 320.0);
        window.ask::<()>("const plot = document.querySelector('[data-testid=compare-playhead]'); const box = plot.getBoundingClientRect(); plot.dispatchEvent(new WheelEvent('wheel', { deltaY: -240, clientX: box.left + box.width / 2, clientY: box.top + 40, bubbles: true, cancelable: true }))", vec![]).await?;
        let near = stretch(window).await?;
        assert!(near < all / 40.0, "the wheel zooms on: {near} of {all}");
        assert_eq!(replies(window).await?, part, "zoom moves no playhead");
        picture(window, "compare-zoom").await?;
        window.press(&['0']).await?;
        window.until("all of it again", "return document.querySelector('[data-testid=compare-zoom-reset]') === null").await?;

        window.click("compare-times").await?;
        let times = window.text("compare-times-table").await?;
        assert!(times.contains("First token") && times.contains("C WebSocket"), "{times}");
        window.press(&[key::ESCAPE]).await?;

        // A point leads to its session, and that to its bytes.
        window.click("[aria-label='Show the data as a table']").await?;
        window.click("[data-testid=compare-point] button").await?;
        window.find("frame-row").await.map(drop)
    });
}

#[test]
fn six_lanes_of_fifty_runs_cost_the_page_what_two_do() {
    stage("compare-fifty", async |window| {
        six_lanes(window).await?;
        window.ask::<()>(COUNT, vec![]).await?;
        let mut costs = Vec::new();
        for runs in [2, 50] {
            window.fill("compare-runs", &runs.to_string()).await?;
            let before = work(window).await?;
            let began = Instant::now();
            window.press(&[key::CONTROL, key::ENTER]).await?;
            window.find("compare-stop").await?;
            if runs == 50 {
                window.within(Duration::from_secs(120), "a third is over", "return /^(1[0-9][0-9]|2[0-9][0-9]|3[0-9][0-9]) of 312/.test(document.querySelector('[data-testid=compare-progress]')?.innerText ?? '') || !!document.querySelector('[data-testid=compare-run]')", vec![]).await?;
                picture(window, "compare-fifty").await?;
            }
            window.within(Duration::from_secs(240), "all runs are over", OVER, vec![]).await?;
            window.until("the table stands", TABLE).await?;
            let after = work(window).await?;
            // Updates are pushed, and each is acknowledged once it was shown. One that is large, with a table in it, is fetched: four
            // times a second at most.
            let calls = after.calls - before.calls;
            let frames = after.frames - before.frames;
            assert!(calls <= frames + began.elapsed().as_secs_f64() * 5.0 + 40.0, "{calls} calls, {frames} frames, {runs} runs a lane");
            let reopened = reopen(window).await?;
            eprintln!("{runs} runs a lane: {calls} calls and {frames} display frames while they ran; reopening: {reopened:?}");
            costs.push(reopened);
        }
        let [few, many] = costs[..] else { return Err("two comparisons were made".into()) };
        // The comparison, the newest reply of each lane where it is not there still, and what another round would cost.
        assert!(few.calls.max(many.calls) <= 1.0 + 6.0 + 1.0, "reopening asks as often: {few:?}, {many:?}");
        // Its runs are what it is made of: 288 more of them, of a kilobyte or two each.
        assert!(many.bytes - few.bytes < 288.0 * 2_500.0, "{few:?}, {many:?}");
        assert!(many.changes <= few.changes * 1.5 + 200.0, "no element a run: {few:?}, {many:?}");
        Ok(())
    });
}

#[test]
fn six_lanes_at_once_and_a_stop_in_between() {
    stage("compare-six", async |window| {
        six_lanes(window).await?;
        window.fill("compare-runs", "300").await?;
        window.press(&[key::CONTROL, key::ENTER]).await?;
        window
            .within(
                Duration::from_secs(40),
                "some runs are over",
                "return /^([7-9]|[1-9][0-9]+) of 1812/.test(document.querySelector('[data-testid=compare-progress]')?.innerText ?? '')",
                vec![],
            )
            .await?;
        picture(window, "compare-six").await?;
        window.click("compare-stop").await?;
        window.within(Duration::from_secs(20), "it stopped", OVER, vec![]).await?;
        assert!(window.text("compare-progress").await?.contains("stopped"));
        window.resize(1000, 700).await?;
        window.until("the small layout", "return innerWidth <= 1000").await?;
        let clipped: Vec<String> = window
            .ask(
                "return [...document.querySelectorAll('[data-testid=lane] .called')].filter((name) => name.scrollWidth > name.clientWidth + 1 || name.scrollHeight > name.clientHeight + 1).map((name) => name.textContent)",
                vec![],
            )
            .await?;
        assert!(clipped.is_empty(), "lanes whose names are cut: {clipped:?}");
        picture(window, "compare-small").await
    });
}

#[test]
fn a_stop_within_the_warm_ups_is_called_that() {
    stage("compare-warm-ups", async |window| {
        window.press(&[key::CONTROL, '2']).await?;
        window.find("lane").await?;
        window.click("compare-options").await?;
        window.fill("compare-warmups", "90").await?;
        window.press(&[key::ENTER]).await?;
        window.press(&[key::ESCAPE]).await?;
        window.press(&[key::CONTROL, key::ENTER]).await?;
        window
            .within(
                Duration::from_secs(60),
                "a warm-up is over",
                "return /^[1-9][0-9]* of 360/.test(document.querySelector('[data-testid=compare-progress]')?.innerText ?? '')",
                vec![],
            )
            .await?;
        window.click("compare-stop").await?;
        window.within(Duration::from_secs(20), "it stopped", OVER, vec![]).await?;
        let said = "return document.querySelector('.none')?.innerText ?? ''";
        let text: String = window.ask(said, vec![]).await?;
        picture(window, "compare-warm-ups").await?;
        assert!(text.contains("Stopped within the warm-ups") && text.contains("none that counts"), "{text}");
        Ok(())
    });
}
