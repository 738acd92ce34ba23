//! The other ways a reply can travel.

use weir_tests::window::{Failure, Window};

use crate::stage::{picture, stage};
use crate::steps::{frames, send};

async fn dialect(window: &Window, name: &str) -> Result<(), Failure> {
    window.click("dialect").await?;
    let choose = "const item = [...document.querySelectorAll('[role^=menuitem]')].find((e) => e.innerText.includes(arguments[0])); item?.click(); return item !== undefined";
    window.until_with("the dialect is in the menu", choose, vec![name.into()]).await
}

async fn filtered(window: &Window, filter: &str) -> Result<usize, Failure> {
    window.fill("frame-filter", filter).await?;
    window.reads("frame-count", " of ").await?;
    let text = window.text("frame-count").await?;
    let digits: String = text.split(" of ").next().unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
    Ok(digits.parse()?)
}

#[test]
fn websocket_shows_its_handshake_and_frames() {
    stage("websocket", async |window| {
        dialect(window, "Responses").await?;
        window.segment("transport", "websocket").await?;
        assert_eq!(send(window).await?, "complete");
        assert!(window.text("reply").await?.len() > 100);
        assert!(frames(window).await? > 50);
        assert!(filtered(window, "layer:ws").await? > 50);
        picture(window, "websocket").await
    });
}

#[test]
fn http_2_shows_its_frames() {
    stage("http-2", async |window| {
        window.segment("http-version", "2").await?;
        assert_eq!(send(window).await?, "complete");
        assert!(window.text("footer.status").await?.contains("HTTP/2"));
        assert!(filtered(window, "layer:h2").await? > 2);
        picture(window, "http-2").await
    });
}

#[test]
fn one_response_without_a_stream() {
    stage("http", async |window| {
        window.segment("transport", "http").await?;
        assert_eq!(send(window).await?, "complete");
        assert!(window.text("reply").await?.len() > 100);
        Ok(())
    });
}
