//! The library: what was recorded opens again as it was, is found, renamed, deleted, brought back and exported.

use std::path::PathBuf;

use weir_tests::window::{Desktop, Failure, Keychain, Window, key};

use crate::stage::{alone, picture, play, stage};
use crate::steps::{choose_row, frames, reply, send};

/// Everything the table and the reply show of a session.
async fn shown(window: &Window) -> Result<(usize, String, Vec<String>), Failure> {
    choose_row(window, 0).await?;
    window.press(&[key::HOME]).await?;
    window
        .until(
            "the first row is in view",
            "return document.querySelector('[data-testid=frame-row][aria-rowindex=\"2\"]')?.getAttribute('aria-busy') === null",
        )
        .await?;
    let rows = window
        .ask("return [...document.querySelectorAll('[data-testid=frame-row]')].filter((e) => e.dataset.frame).sort((a, b) => a.dataset.frame - b.dataset.frame).slice(0, 8).map((e) => e.innerText)", vec![])
        .await?;
    Ok((frames(window).await?, reply(window).await?, rows))
}

#[test]
fn a_session_opens_again_as_it_was() {
    alone(async || {
        let window = Window::open(Desktop::start(Keychain::Missing)?).await?;
        let mut live = Default::default();
        play("live", &window, async {
            assert_eq!(send(&window).await?, "complete");
            live = shown(&window).await?;
            // The list of tabs is kept shortly after it changed.
            tokio::time::sleep(std::time::Duration::from_millis(600)).await;
            Ok(())
        })
        .await;
        let window = Window::open(window.close().await?).await?;
        play("reopened", &window, async {
            window.go("sessions").await?;
            window.click("session-row").await?;
            picture(&window, "sessions").await?;
            window.click("session-open").await?;
            window.find("outcome").await?;
            assert_eq!(window.attr("outcome", "data-outcome").await?, "complete");
            assert_eq!(shown(&window).await?, live);
            Ok(())
        })
        .await;
        window.close().await.map(drop)
    });
}

#[test]
fn a_kill_in_the_middle_of_a_stream_leaves_a_session_that_was_cut() {
    alone(async || {
        let window = Window::open(Desktop::start(Keychain::Missing)?).await?;
        play("killed", &window, async {
            window.click("send").await?;
            window.until("the reply begins", "return (document.querySelector('[data-testid=reply]')?.innerText.length ?? 0) > 60").await
        })
        .await;
        let window = Window::open(window.kill()).await?;
        play("after-kill", &window, async {
            window.go("sessions").await?;
            // The list says of it what it says when it is opened, though its recorder wrote no figures.
            let counted =
                "return /\\n[1-9]\\d*\\n[\\d.]+ k?B\\n/.test(document.querySelector('[data-testid=session-row]')?.innerText ?? '')";
            window.until("its frames are counted", counted).await?;
            window.click("session-row").await?;
            window.click("session-open").await?;
            window.find("outcome").await?;
            assert_eq!(window.attr("outcome", "data-outcome").await?, "cut");
            assert!(reply(&window).await?.len() > 40);
            Ok(())
        })
        .await;
        window.close().await.map(drop)
    });
}

fn exported(window: &Window, ending: &str) -> Result<PathBuf, Failure> {
    let folder = window.desktop().weir_home().join("exports");
    let found = std::fs::read_dir(folder)?.flatten().map(|entry| entry.path()).find(|path| path.to_string_lossy().ends_with(ending));
    found.ok_or_else(|| format!("no export ends in {ending}").into())
}

#[test]
fn sessions_are_found_renamed_deleted_restored_and_exported() {
    stage("library", async |window| {
        window.fill("prompt", "Tell me about weirs and rivers").await?;
        assert_eq!(send(window).await?, "complete");
        let reply = reply(window).await?;
        window.fill("prompt", "A second question").await?;
        assert_eq!(send(window).await?, "complete");

        window.go("sessions").await?;
        let rows = "return document.querySelectorAll('[data-testid=session-row]').length === arguments[0]";
        window.until_with("two are listed", rows, vec![2.into()]).await?;

        window.fill("session-search", "rivers").await?;
        window.until_with("one is found", rows, vec![1.into()]).await?;
        window.click("session-row").await?;

        window.press(&['\u{e032}']).await?;
        window.fill("session-title", "Weirs").await?;
        window.press(&[key::ENTER]).await?;
        window.fill("session-search", "").await?;
        window
            .until(
                "the new name is listed",
                "return [...document.querySelectorAll('[data-testid=session-row]')].some((e) => e.innerText.includes('Weirs'))",
            )
            .await?;
        window.fill("session-search", "Weirs").await?;
        window.until_with("it is found by its new name", rows, vec![1.into()]).await?;
        window.click("session-row").await?;

        window.click("[aria-label='Session actions']").await?;
        let delete = "const item = [...document.querySelectorAll('[role=menuitem]')].find((e) => e.innerText.includes('Delete')); item?.click(); return item !== undefined";
        window.until("Delete is in the menu", delete).await?;
        window.reads("toast", "Session deleted").await?;
        window.until_with("it is gone", rows, vec![0.into()]).await?;
        window.click("[data-testid=toast] button").await?;
        window.until_with("it is back", rows, vec![1.into()]).await?;

        window.click("session-row").await?;
        for format in ["har", "markdown", "jsonl", "curl", "raw", "weir"] {
            window.click("session-export").await?;
            if format == "har" {
                picture(window, "sessions-export").await?;
            }
            window.click(&format!("export-{format}")).await?;
            window.reads("toast", "Saved in Downloads").await?;
            window.click("[data-testid=toast] [aria-label=Close]").await?;
        }
        let har: serde_json::Value = serde_json::from_slice(&std::fs::read(exported(window, ".har")?)?)?;
        let entry = &har["log"]["entries"][0];
        assert_eq!((har["log"]["version"].as_str(), entry["response"]["status"].as_u64()), (Some("1.2"), Some(200)));
        let markdown = std::fs::read_to_string(exported(window, ".md")?)?;
        assert!(markdown.contains("Tell me about weirs and rivers"), "{markdown}");
        // The first line of the reply has no markup in it.
        let words = reply.split_whitespace().take(8).collect::<Vec<_>>().join(" ");
        assert!(markdown.contains(&words), "“{words}” in {markdown}");
        for line in std::fs::read_to_string(exported(window, ".jsonl")?)?.lines() {
            serde_json::from_str::<serde_json::Value>(line)?;
        }
        assert!(std::fs::read(exported(window, ".weir")?)?.starts_with(b"SQLite format 3"));
        Ok(())
    });
}
