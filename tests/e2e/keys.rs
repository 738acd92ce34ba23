//! Keys: a real Secret Service has them, and nothing else does.

use std::path::Path;

use weir_tests::window::{Desktop, Failure, Keychain, Window, key};

use crate::stage::{alone, picture, play, stage_with};
use crate::steps::send;

/// A key that can be searched for.
const CANARY: &str = "sk-canary-4fW8nQ2zLr7Yc1Kd-Zz9Q";

/// Files below `folder` that hold the key, other than the keyring itself.
fn holding(folder: &Path, found: &mut Vec<String>) -> Result<(), Failure> {
    for entry in std::fs::read_dir(folder)?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            holding(&path, found)?;
        } else if path.is_file() {
            let bytes = std::fs::read(&path)?;
            if bytes.windows(CANARY.len()).any(|part| part == CANARY.as_bytes()) {
                found.push(path.display().to_string());
            }
        }
    }
    Ok(())
}

async fn nowhere(window: &Window, when: &str) -> Result<(), Failure> {
    let source = window.client().source().await?;
    assert!(!source.contains(CANARY), "the page holds the key {when}");
    // What a field holds is not in the source.
    let values: String =
        window.ask("return [...document.querySelectorAll('input, textarea')].map((e) => e.value).join('\\n')", vec![]).await?;
    assert!(!values.contains(CANARY), "a field holds the key {when}");
    assert!(!window.log().contains(CANARY), "the log holds the key {when}");
    let mut files = Vec::new();
    holding(window.desktop().home(), &mut files)?;
    assert!(files.is_empty(), "{files:?} hold the key {when}");
    Ok(())
}

async fn store(window: &Window, provider: &str) -> Result<(), Failure> {
    window.go("keys").await?;
    if !window.has("key-value").await? {
        window.click("key-add").await?;
    }
    window.choose("key-provider", provider).await?;
    window.fill("key-value", CANARY).await?;
    window.click("key-save").await?;
    window.find(&format!("[data-testid=key-row][data-provider={provider}]")).await.map(drop)
}

#[test]
fn a_key_is_stored_used_and_deleted_and_is_nowhere_else() {
    alone(async || {
        let window = Window::open(Desktop::start(Keychain::Unlocked)?).await?;
        play("keys", &window, async {
            store(&window, "openai").await?;
            let row = window.text("key-row").await?;
            assert!(row.contains("…Zz9Q") && row.contains("OS keychain"), "{row}");
            nowhere(&window, "after it was stored").await?;

            window.go("lab").await?;
            let address = window.text("lab-address").await?;
            window.go("playground").await?;
            window.choose("provider", "openai").await?;
            window.click("[aria-label='Use another base URL']").await?;
            window.fill("base-url", &format!("{address}/v1")).await?;
            window.fill("model", "lab/steady").await?;
            window.press(&[key::ENTER]).await?;
            assert_eq!(send(&window).await?, "complete");
            nowhere(&window, "after it was sent").await?;

            window.go("sessions").await?;
            window.click("session-row").await?;
            for format in ["har", "markdown", "jsonl", "curl", "raw", "weir"] {
                window.click("session-export").await?;
                window.click(&format!("export-{format}")).await?;
                window.reads("toast", "Saved in Downloads").await?;
                window.click("[data-testid=toast] [aria-label=Close]").await?;
            }
            let exports = std::fs::read_dir(window.desktop().weir_home().join("exports"))?.count();
            assert!(exports >= 6, "{exports} files were exported");
            nowhere(&window, "after it was exported").await?;

            window.go("keys").await?;
            window.reads("key-use", &address.replace("http://", "")).await?;
            picture(&window, "keys").await
        })
        .await;

        let window = Window::open(window.close().await?).await?;
        play("keys-again", &window, async {
            window.go("keys").await?;
            let row = window.text("key-row").await?;
            assert!(row.contains("…Zz9Q"), "the keychain still has it: {row}");
            window.click("[data-testid=key-row] [data-testid=key-delete]").await?;
            window.click("key-delete-confirm").await?;
            window.until("it is gone", "return document.querySelector('[data-testid=key-row]') === null").await
        })
        .await;
        window.close().await.map(drop)
    });
}

#[test]
fn a_locked_keychain_is_said_and_a_key_can_be_kept_in_memory() {
    stage_with("keys-locked", Keychain::Locked, async |window| {
        window.go("keys").await?;
        window.reads("error-banner", "The keychain is locked").await?;
        picture(window, "keys-locked").await?;
        store(window, "openai").await?;
        let row = window.text("key-row").await?;
        assert!(row.contains("Session only") && row.contains("…Zz9Q"), "{row}");
        nowhere(window, "while it is in memory").await
    });
}

#[test]
fn a_missing_keychain_is_said() {
    stage_with("keys-missing", Keychain::Missing, async |window| {
        window.go("keys").await?;
        window.reads("error-banner", "There is no keychain here").await?;
        // A provider that wants a key says what to do, and the Lab works without one.
        window.go("playground").await?;
        window.choose("provider", "openai").await?;
        window.click("send").await?;
        window.reads("error-banner", "Nothing was sent").await?;
        window.choose("provider", "lab").await?;
        assert_eq!(send(window).await?, "complete");
        Ok(())
    });
}
