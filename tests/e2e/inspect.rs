//! A frame leads to its layers and bytes, a word of the reply to the frame that carried it.

use serde_json::json;
use weir_tests::window::{Failure, Window, key};

use crate::stage::{picture, stage};
use crate::steps::{SELECTED, choose_row, hex, selected, send, word};

async fn bytes(window: &Window) -> Result<String, Failure> {
    window.until("bytes are selected", "return (document.querySelector('[data-testid=hex]')?.dataset.bytes ?? '') !== ''").await?;
    window.attr("hex", "data-bytes").await
}

#[test]
fn rows_words_layers_and_bytes_select_each_other() {
    stage("inspect", async |window| {
        assert_eq!(send(window).await?, "complete");

        // A row: its layers, and its innermost bytes.
        window.click("frame-filter").await?;
        window.find("frame-filter").await?.send_keys("kind:text").await?;
        window.reads("frame-count", " of ").await?;
        let frame = choose_row(window, 3).await?;
        window.until("the layers are shown", "return document.querySelectorAll('[data-testid=layer-node]').length > 3").await?;
        assert!(frame > 0);
        let tree = window.text("layer-tree").await?;
        for layer in ["chunk", "SSE event", "JSON", "delta"] {
            assert!(tree.contains(layer), "{layer} in {tree}");
        }
        let text: String = window
            .ask("return document.querySelector('[data-testid=frame-row][data-frame][aria-selected=true]').innerText", vec![])
            .await?;
        let shown = bytes(window).await?;
        // The summary begins with the delta's own text.
        let first = text.split_whitespace().last().unwrap_or_default().to_owned();
        assert!(shown.contains(&hex(first.as_bytes())), "{first} in {shown}");

        // A layer of it: its bytes.
        window.click("[data-testid=layer-node]").await?;
        let whole = bytes(window).await?;
        assert!(whole.len() > shown.len(), "the outermost layer is wider: {whole}");
        window.fill("frame-filter", "").await?;

        // A word, plain and beyond ASCII: the frame that carried it, and its UTF-8.
        for pattern in [r"\b[a-z]{5,}\b", r"[\u4e00-\u9fff]"] {
            let before = selected(window).await?;
            let (word, x, y) = word(window, pattern).await?;
            window.click_at(x, y).await?;
            window
                .until_with(
                    "another frame is selected, and its bytes hold the word",
                    &format!("return {SELECTED} !== arguments[0] && (document.querySelector('[data-testid=hex]')?.dataset.bytes ?? '').includes(arguments[1])"),
                    vec![json!(before), json!(hex(word.as_bytes()))],
                )
                .await
                .map_err(|error| format!("{word}: {error}"))?;
            window
                .until("the word is marked in the reply", "return document.querySelectorAll('.marks i').length > 0")
                .await
                .map_err(|error| format!("{word}: {error}"))?;
        }
        picture(window, "inspect").await
    });
}

#[test]
fn the_keyboard_walks_the_frames() {
    stage("keyboard", async |window| {
        assert_eq!(send(window).await?, "complete");
        let first = choose_row(window, 2).await?;
        window.press(&['j']).await?;
        window.until_with("the next frame is selected", &format!("return {SELECTED} === arguments[0] + 1"), vec![first.into()]).await?;
        window.press(&['k']).await?;
        window.until_with("the frame before is selected", &format!("return {SELECTED} === arguments[0]"), vec![first.into()]).await?;
        // `G` takes the keyboard, so that the number goes to it and not to the table.
        for key in ['g', '7', key::ENTER] {
            window.press(&[key]).await?;
        }
        window.until("the frame of that number is selected", &format!("return {SELECTED} === 7")).await?;
        let first = 7;
        // `/` goes to the filter; a letter there is text.
        window.press(&['/']).await?;
        window.until("the filter has the keyboard", "return document.activeElement?.dataset.testid === 'frame-filter'").await?;
        window.press(&['j']).await?;
        assert_eq!(selected(window).await?, first);
        Ok(())
    });
}
