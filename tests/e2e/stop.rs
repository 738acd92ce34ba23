//! Stop.

use crate::stage::{picture, stage};
use crate::steps::over;

#[test]
fn stop_ends_the_stream_and_frees_the_server() {
    stage("stop", async |window| {
        window.go("lab").await?;
        window.fill("lab-reply-tokens", "5000").await?;
        window.press(&[weir_tests::window::key::ENTER]).await?;
        window.go("playground").await?;
        window.click("send").await?;
        window.until("the reply begins", "return (document.querySelector('[data-testid=reply]')?.innerText.length ?? 0) > 20").await?;
        window.click("stop").await?;
        assert_eq!(over(window).await?, "cancelled");
        let kept = window.text("reply").await?;
        assert!(kept.len() > 20, "what came is kept: {kept}");

        window.go("lab").await?;
        window.reads("lab-connection", "client left").await?;
        picture(window, "lab-after-stop").await
    });
}
