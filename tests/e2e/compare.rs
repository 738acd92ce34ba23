//! Compare, on the Lab: from a first start to a table that answers, the playhead, a reopened comparison, and the way to the bytes.

use std::time::{Duration, Instant};

use serde_json::Value;
use weir_tests::window::{Failure, Window, key};

use crate::stage::{picture, stage};

const OVER: &str = "return !!document.querySelector('[data-testid=compare-run]') && /of/.test(document.querySelector('[data-testid=compare-progress]')?.innerText ?? '')";

/// Sets the number of runs and makes them all.
async fn run_all(window: &Window, runs: u32) -> Result<(), Failure> {
    window.fill("compare-runs", &runs.to_string()).await?;
    window.press(&[key::CONTROL, key::ENTER]).await?;
    window.find("compare-stop").await?;
    window.within(Duration::from_secs(120), "all runs are over", OVER, vec![]).await
}

/// Texts of all lanes.
async fn replies(window: &Window) -> Result<Vec<String>, Failure> {
    window.ask("return [...document.querySelectorAll('[data-testid=lane-reply] p')].map((p) => p.textContent)", vec![]).await
}

#[test]
fn three_protocols_from_first_start_to_the_bytes() {
    stage("compare", async |window| {
        window.press(&[key::CONTROL, '2']).await?;
        window.until("three lanes are offered", "return document.querySelectorAll('[data-testid=lane]').length === 3").await?;
        window.until("the cost is told", "return /requests/.test(document.querySelector('[data-testid=compare-cost]').innerText)").await?;
        run_all(window, 6).await?;
        window
            .until("the table stands", "return document.querySelectorAll('[data-testid=compare-table] [data-figure]').length > 8")
            .await?;
        picture(window, "compare").await?;
        let progress = window.text("compare-progress").await?;
        assert!(!progress.contains("failed"), "{progress}");
        let table = window.text("compare-table").await?;
        assert!(table.contains("one delivery"), "HTTP has no gaps, and the table says why: {table}");
        assert!(window.text("compare-notes").await?.contains("run"), "six runs are few, and the notes say so");

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

        // Reopened from the list: in under a second, with the same figures.
        let figures = window.text("compare-table").await?;
        window.click("compare-history").await?;
        window.find("compare-past-row").await?;
        let began = Instant::now();
        window.click("[data-testid=compare-past-row] button").await?;
        window.until_with("the same table", "return document.querySelector('[data-testid=compare-table]')?.innerText.replace(/\\s+/g, ' ') === arguments[0].replace(/\\s+/g, ' ')", vec![Value::from(figures)]).await?;
        let took = began.elapsed();
        eprintln!("reopened in {took:?}");
        assert!(took < Duration::from_secs(2), "{took:?}, the driver's way included");

        // A point leads to its session, and that to its bytes.
        window.click("[aria-label='Show the data as a table']").await?;
        window.click("[data-testid=compare-point] button").await?;
        window.find("frame-row").await.map(drop)
    });
}

#[test]
fn six_lanes_at_once_and_a_stop_in_between() {
    stage("compare-six", async |window| {
        window.press(&[key::CONTROL, '2']).await?;
        window.find("lane").await?;
        for n in 4..=6 {
            window.click("lane-add").await?;
            window.click("lane-save").await?;
            window
                .until_with(
                    "another lane",
                    "return document.querySelectorAll('[data-testid=lane]').length === arguments[0]",
                    vec![Value::from(n)],
                )
                .await?;
        }
        window.segment("compare-order", "parallel").await?;
        window.fill("compare-runs", "20").await?;
        window.press(&[key::CONTROL, key::ENTER]).await?;
        window
            .within(
                Duration::from_secs(40),
                "some runs are over",
                "return /^([7-9]|[1-9][0-9]+) of 132/.test(document.querySelector('[data-testid=compare-progress]')?.innerText ?? '')",
                vec![],
            )
            .await?;
        picture(window, "compare-six").await?;
        window.click("compare-stop").await?;
        window.within(Duration::from_secs(20), "it stopped", OVER, vec![]).await?;
        assert!(window.text("compare-progress").await?.contains("stopped"));
        window.resize(1000, 700).await?;
        window.until("the small layout", "return innerWidth <= 1000").await?;
        picture(window, "compare-small").await
    });
}
