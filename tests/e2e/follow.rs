//! Following the newest frame, and capture that needs no onlooker.

use std::time::Duration;

use weir_tests::flood::{Server, paced};
use weir_tests::window::{Failure, Window, key};

use crate::stage::stage;
use crate::steps::{aim, frames, over};

/// Events of a stream that lasts some seconds, and of one that nobody waits for.
const EVENTS: usize = 1_600;
const MANY: usize = 60_000;

async fn begin(window: &Window, count: usize) -> Result<Server, Failure> {
    let server = Server::start(paced(count, 330, Duration::from_millis(5)))?;
    aim(window, &format!("http://{}/v1", server.address())).await?;
    window.fill("model", "slow").await?;
    window.press(&[key::ENTER]).await?;
    window.click("send").await?;
    let some = "return Number((document.querySelector('[data-testid=frame-count]')?.textContent ?? '').replace(/\\D/g, '')) > 150";
    window.until("there is more than a screen of frames", some).await?;
    Ok(server)
}

/// Numbers of the frames that are in view, first and last.
const VIEW: &str = "const list = document.querySelector('[role=grid][aria-label=Frames]').getBoundingClientRect();
    const ids = [...document.querySelectorAll('[data-testid=frame-row][data-frame]')].filter((e) => {
      const box = e.getBoundingClientRect();
      return box.height > 0 && box.top >= list.top && box.bottom <= list.bottom;
    }).map((e) => Number(e.dataset.frame));
    return [Math.min(...ids), Math.max(...ids)]";

async fn view(window: &Window) -> Result<(i64, i64), Failure> {
    window.ask(VIEW, vec![]).await
}

#[test]
fn following_lets_go_when_the_user_scrolls_and_takes_up_again() {
    stage("follow", async |window| {
        let _server = begin(window, MANY).await?;
        let (_, one) = view(window).await?;
        window
            .until_with(
                "the newest frame stays in view",
                &VIEW.replace("return [Math.min(...ids), Math.max(...ids)]", "return Math.max(...ids) > arguments[0] + 40"),
                vec![one.into()],
            )
            .await?;

        // A notch of the wheel upwards.
        let scroll = "let box = document.querySelector('[data-testid=frame-row]');
            while (!(box.scrollHeight > box.clientHeight + 1 && /auto|scroll/.test(getComputedStyle(box).overflowY))) box = box.parentElement;
            box.scrollTop -= 400";
        window.ask::<()>(scroll, vec![]).await?;
        window
            .until(
                "a pill tells of new frames",
                "return [...document.querySelectorAll('.dock button')].some((e) => /new/.test(e.innerText))",
            )
            .await?;
        let grown = "return Number(document.querySelector('[data-testid=frame-count]').textContent.replace(/\\D/g, '')) > arguments[0]";
        // The pill may be there before the rows are drawn at their new place.
        window.until_with("the session goes on", grown, vec![(frames(window).await? + 60).into()]).await?;
        let before = view(window).await?;
        let more = frames(window).await? + 60;
        window.until_with("the session goes on", grown, vec![more.into()]).await?;
        assert_eq!(view(window).await?, before, "the view stands where the user left it");

        let pill = "[...document.querySelectorAll('.dock button')].find((e) => /new/.test(e.innerText)).click()";
        window.ask::<()>(pill, vec![]).await?;
        let newest = VIEW.replace("return [Math.min(...ids), Math.max(...ids)]", "return Math.max(...ids) >= arguments[0]");
        window.until_with("the newest frame is in view again", &newest, vec![more.into()]).await?;
        window.click("stop").await?;
        assert_eq!(over(window).await?, "cancelled");
        Ok(())
    });
}

#[test]
fn capture_goes_on_while_its_view_is_closed() {
    stage("unwatched", async |window| {
        let _server = begin(window, EVENTS).await?;
        // The Playground is gone while another view is shown; its list of sessions is read anew each time it is opened.
        let mut seen = String::new();
        for _ in 0..120 {
            window.go("settings").await?;
            tokio::time::sleep(Duration::from_millis(250)).await;
            window.go("sessions").await?;
            seen = window.text("session-row").await?;
            if seen.contains("complete") {
                break;
            }
        }
        assert!(seen.contains("complete"), "it came to its end: {seen}");
        window.click("session-row").await?;
        window.click("session-open").await?;
        assert_eq!(window.attr("outcome", "data-outcome").await?, "complete");
        let whole = "return Number(document.querySelector('[data-testid=frame-count]').textContent.replace(/\\D/g, '')) >= arguments[0]";
        window.until_with("no frame is missing", whole, vec![(EVENTS + 4).into()]).await
    });
}
