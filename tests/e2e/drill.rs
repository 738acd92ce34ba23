//! The drills: a fault on every lane, from a first start to a lane's bytes; and the memory drill, whose processes end with it.

use std::time::Duration;

use serde_json::Value;
use weir_tests::window::{Failure, Window, key};

use crate::stage::{picture, stage};

/// What a lane's row says in one column.
async fn figure(window: &Window, lane: &str, name: &str) -> Result<String, Failure> {
    let script = "return document.querySelector(`[data-testid=drill-row][data-lane='${arguments[0]}'] [data-figure=${arguments[1]}]`).innerText.trim()";
    window.ask(script, vec![Value::from(lane), Value::from(name)]).await
}

async fn mode(window: &Window, name: &str) -> Result<(), Failure> {
    window.press(&[key::CONTROL, '2']).await?;
    window.segment("compare-mode", name).await
}

#[test]
fn a_fault_from_first_start_to_a_lane_s_bytes() {
    stage("drill", async |window| {
        mode(window, "drill").await?;
        window.find("drill-start").await?;
        window
            .until("the fault is explained", "return /Stands for: /.test(document.querySelector('[data-testid=drill-incident]').innerText)")
            .await?;
        window.press(&[key::CONTROL, key::ENTER]).await?;
        window.until("eight lanes run", "return document.querySelectorAll('[data-testid=drill-lane]').length === 8").await?;
        let over = "return /Done/.test(document.querySelector('[data-testid=drill-progress]')?.innerText ?? '')";
        window.within(Duration::from_secs(60), "the drill is over", over, vec![]).await?;
        picture(window, "drill").await?;
        // A reset after 20 of 60 words: who can resume loses none, who cannot loses 40, and no POST was sent again.
        for lane in ["events", "responses", "mcp"] {
            assert_eq!(figure(window, lane, "lost").await?, "0 of 60", "{lane}");
            assert_eq!(figure(window, lane, "repeated").await?, "0", "{lane}");
            assert_eq!(figure(window, lane, "ended").await?, "whole", "{lane}");
        }
        for lane in ["reply", "responses-ws"] {
            assert_eq!(figure(window, lane, "lost").await?, "40 of 60", "{lane}");
            assert_eq!(figure(window, lane, "reconnects").await?, "0", "{lane}");
        }
        assert_eq!(figure(window, "live", "repeated").await?, "20");
        assert_eq!(figure(window, "ai-sdk", "repeated").await?, "20");
        window.click("drill-report").await?;
        window.click("drill-report-markdown").await?;
        window.until("it is saved", "return /Saved drill.*\\.md/.test(document.body.innerText)").await?;
        // Another view and back: it is still there. And a lane leads to its session's bytes.
        window.press(&[key::CONTROL, '3']).await?;
        window.find("session-row").await?;
        window.press(&[key::CONTROL, '2']).await?;
        window.until("the drill is still there", "return document.querySelectorAll('[data-testid=drill-row]').length === 8").await?;
        window.click("[data-testid=drill-row][data-lane=responses] [data-testid=drill-open]").await?;
        window.find("frame-row").await?;
        // It is among the past ones: deleted it leaves the list and the screen, undone it can be opened again.
        window.press(&[key::CONTROL, '2']).await?;
        window.click("drill-history").await?;
        window.reads("drill-past-row", "of 8 whole").await?;
        window.click("drill-past-delete").await?;
        window
            .until("it leaves the screen", "return !document.querySelector('[data-testid=drill-row], [data-testid=drill-past-row]')")
            .await?;
        window.press(&[key::ESCAPE]).await?;
        window.click("[data-testid=toast] button:not(:last-child)").await?;
        window.click("drill-history").await?;
        window.click("[data-testid=drill-past-row] button").await?;
        window.until("it is shown again", "return document.querySelectorAll('[data-testid=drill-row]').length === 8").await?;
        assert_eq!(figure(window, "reply", "lost").await?, "40 of 60");
        window.reads("drill-what", "drop-after=20").await
    });
}

#[test]
fn a_drill_is_stopped_in_the_middle() {
    stage("drill-stop", async |window| {
        mode(window, "drill").await?;
        window.find("drill-start").await?;
        window.click("drill-options").await?;
        window.fill("drill-tokens", "2000").await?;
        window.press(&[key::ENTER]).await?;
        window.press(&[key::ESCAPE]).await?;
        window.click("drill-start").await?;
        window
            .until(
                "words come",
                "return document.querySelector('[data-testid=drill-row][data-lane=mcp] [data-figure=lost]')?.innerText.startsWith('19')",
            )
            .await?;
        window.click("drill-stop").await?;
        window.until("it is stopped", "return /Stopped/.test(document.querySelector('[data-testid=drill-progress]').innerText)").await?;
        assert_eq!(figure(window, "mcp", "ended").await?, "cancelled");
        Ok(())
    });
}

#[test]
fn what_connections_cost_both_ends() {
    stage("drill-memory", async |window| {
        mode(window, "memory").await?;
        window.find("memory-start").await?;
        window.fill("memory-series", "1, 5, 20").await?;
        window.fill("memory-rounds", "1").await?;
        window.press(&[key::CONTROL, key::ENTER]).await?;
        window.find("memory-stop").await?;
        let over = "return !!document.querySelector('[data-testid=memory-start]') && [...document.querySelectorAll('[data-testid=memory-row]')].every((row) => row.dataset.points === '4')";
        window.within(Duration::from_secs(240), "every kind is measured both ways", over, vec![]).await?;
        picture(window, "drill-memory").await?;
        let rows: usize = window.ask("return document.querySelectorAll('[data-testid=memory-row]').length", vec![]).await?;
        assert_eq!(rows, 12);
        assert!(!window.text("memory-table").await?.contains("NaN"));
        // Stopped in the middle, it ends its processes: another can be started at once.
        window.click("memory-start").await?;
        window
            .until("a measurement is made", "return !/^0\\//.test(document.querySelector('[data-testid=memory-progress]').innerText)")
            .await?;
        window.click("memory-stop").await?;
        window.find("memory-start").await.map(drop)
    });
}
