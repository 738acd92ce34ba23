//! The first minute: nothing is set up, Send on the Lab, the reply streams.

use crate::stage::{picture, stage};

const REPLY: &str = "return document.querySelector('[data-testid=reply]')?.innerText.length ?? 0";

#[test]
fn the_lab_answers_the_first_send() {
    stage("first-run", async |window| {
        assert!(window.has("first-run").await?, "what to do first is said");
        picture(window, "first-run").await?;
        window.click("send").await?;
        window.until("the reply begins", "return (document.querySelector('[data-testid=reply]')?.innerText.length ?? 0) > 20").await?;
        let early: usize = window.ask(REPLY, vec![]).await?;
        assert!(window.has("stop").await?, "Send became Stop");
        picture(window, "playground-streaming").await?;
        window.until("the reply is over", "return document.querySelector('[data-testid=outcome]') !== null").await?;
        let whole: usize = window.ask(REPLY, vec![]).await?;
        assert!(whole > early * 2, "it grew while it was watched: {early}, {whole}");
        assert_eq!(window.attr("outcome", "data-outcome").await?, "complete");
        assert!(window.text("metric-ttft").await?.ends_with(" ms"));
        assert!(window.has("send").await?, "Stop became Send");
        picture(window, "playground").await
    });
}
