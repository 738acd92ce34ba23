//! From a garbled character to what garbled it, and the same bytes as other clients would have read them.

use weir_tests::peer::{Peer, Step};
use weir_tests::window::{Failure, Window, key};

use crate::stage::{picture, stage};
use crate::steps::{aim, send, word};

/// Sends to the Lab with characters that chunks share.
async fn split(window: &Window) -> Result<(), Failure> {
    window.go("lab").await?;
    window.click("[data-fault='split-utf8']").await?;
    window.go("playground").await?;
    assert_eq!(send(window).await?, "complete");
    Ok(())
}

/// JavaScript: the chosen bytes are the end of one chunk and the size of the next.
const BORDER: &str = "return /^0d0a([0-9a-f]{2})+0d0a$/.test(document.querySelector('[data-testid=hex]')?.dataset.bytes ?? '')";

/// A server that says `a你b` in an event of its own, cut behind the first byte of the character.
fn cut() -> Vec<Step> {
    let delta = |text: &str| format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n");
    let chunk = |bytes: &[u8]| Step::Write([format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat());
    let event = delta("a你b");
    let (one, other) = event.as_bytes().split_at(event.find('你').expect("it is there") + 1);
    vec![
        Step::Read,
        Step::text("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"),
        chunk(delta("Before it, ").as_bytes()),
        chunk(one),
        Step::Pause(20),
        chunk(other),
        chunk(delta(" and after.").as_bytes()),
        chunk(b"data: [DONE]\n\n"),
        Step::text("0\r\n\r\n"),
        Step::End,
    ]
}

#[test]
fn two_clicks_from_a_garbled_character_to_the_border_that_cut_it() {
    stage("split-character", async |window| {
        let peer = Peer::play(cut()).await;
        aim(window, &peer.url("http", "/v1")).await?;
        window.fill("model", "cut").await?;
        window.press(&[key::ENTER]).await?;
        assert_eq!(send(window).await?, "complete");

        // One: the character in the reply.
        let (_, x, y) = word(window, "你").await?;
        window.click_at(x, y).await?;
        window.reads("split", "你").await?;
        picture(window, "lenses-character").await?;

        // Two: the border that the frame says cuts it.
        window.click("split").await?;
        window.until("the border's bytes are chosen", BORDER).await?;
        picture(window, "lenses-border").await
    });
}

#[test]
fn lenses_mark_the_first_difference_and_its_bytes() {
    stage("lenses", async |window| {
        split(window).await?;
        window.click("tab-lenses").await?;
        window.until("all is read", "return document.querySelector('[data-testid=lenses]')?.dataset.done === 'true'").await?;
        let verdicts: Vec<(String, String)> = window
            .ask("return [...document.querySelectorAll('[data-testid=lens]')].map((e) => [e.dataset.lens, e.dataset.verdict])", vec![])
            .await?;
        assert_eq!(verdicts.len(), 7);
        for (lens, verdict) in &verdicts {
            assert_eq!(verdict == "differs", lens == "chunk-utf8", "{lens}: {verdict}");
        }
        window.click("[data-lens='chunk-utf8']").await?;
        let client = window.text("lens-client").await?;
        assert!(client.contains('\u{fffd}'), "{client}");
        assert!(!window.text("lens-standard").await?.contains('\u{fffd}'));
        window
            .until("the frame is chosen", "return (document.querySelector('[data-testid=hex]')?.dataset.bytes ?? '').length >= 4")
            .await?;
        picture(window, "lenses").await?;
        window.click("lens-border").await?;
        window.until("the border's bytes are chosen", BORDER).await?;

        // Another fault, other clients: a CR-only stream.
        window.go("lab").await?;
        window.click("lab-faults-off").await?;
        window.click("[data-fault='cr-only']").await?;
        window.go("playground").await?;
        assert_eq!(send(window).await?, "complete");
        window.click("tab-lenses").await?;
        window.until("all is read", "return document.querySelector('[data-testid=lenses]')?.dataset.done === 'true'").await?;
        assert_eq!(window.attr("[data-lens='split-blank-line']", "data-verdict").await?, "differs");
        window.click("[data-lens='split-blank-line']").await?;
        assert!(window.text("lens-client").await?.contains("no event here"));
        picture(window, "lenses-cr-only").await?;
        window.resize(1000, 700).await?;
        picture(window, "lenses-small").await
    });
}
