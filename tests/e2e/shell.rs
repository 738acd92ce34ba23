//! Around the views: palette, themes, the smallest window.

use weir_tests::window::{Failure, Window, key};

use crate::stage::{picture, stage};
use crate::steps::{choose_row, send};

const VIEWS: [&str; 5] = ["playground", "sessions", "lab", "keys", "settings"];

#[test]
fn the_palette_goes_anywhere() {
    stage("palette", async |window| {
        window.press(&[key::CONTROL, 'k']).await?;
        window.find("palette").await?;
        window.find("[data-testid=palette] input").await?.send_keys("sessions").await?;
        picture(window, "palette").await?;
        window.press(&[key::ENTER]).await?;
        window
            .until(
                "Sessions is shown",
                "return document.querySelector('[data-testid=nav-sessions]').getAttribute('aria-current') === 'page'",
            )
            .await?;
        assert!(!window.has("palette").await?);
        window.press(&[key::CONTROL, 'k']).await?;
        window.find("palette").await?;
        window.press(&[key::ESCAPE]).await?;
        window.until("it closes", "return document.querySelector('[data-testid=palette]') === null").await?;
        window.press(&[key::CONTROL, '1']).await?;
        window.find("send").await.map(drop)
    });
}

async fn theme(window: &Window, name: &str) -> Result<(), Failure> {
    window.go("settings").await?;
    window.segment("settings-theme", name).await?;
    window.until_with("the theme is in force", "return document.documentElement.dataset.theme === arguments[0]", vec![name.into()]).await
}

#[test]
fn every_view_stands_in_both_themes() {
    stage("themes", async |window| {
        assert_eq!(send(window).await?, "complete");
        for name in ["dark", "light"] {
            theme(window, name).await?;
            for view in VIEWS {
                window.go(view).await?;
                if view == "sessions" {
                    window.click("session-row").await?;
                }
                settle(window).await?;
                picture(window, &format!("{view}-{name}")).await?;
            }
        }
        let background: String = window.ask("return getComputedStyle(document.body).backgroundColor", vec![]).await?;
        theme(window, "dark").await?;
        let dark: String = window.ask("return getComputedStyle(document.body).backgroundColor", vec![]).await?;
        assert_ne!(background, dark);
        Ok(())
    });
}

#[test]
fn the_smallest_window_shows_everything() {
    stage("smallest", async |window| {
        window.resize(1000, 700).await?;
        assert_eq!(send(window).await?, "complete");
        choose_row(window, 0).await?;
        window.find("layer-tree").await?;
        for view in VIEWS {
            window.go(view).await?;
            settle(window).await?;
            let wide: Vec<String> = window
                .ask(
                    "return [document.documentElement, document.body, ...document.querySelectorAll('main, main > *')]
                      .filter((e) => e.scrollWidth > innerWidth || e.getBoundingClientRect().right > innerWidth + 1)
                      .map((e) => `${e.tagName}.${e.className}: ${e.scrollWidth}`)",
                    vec![],
                )
                .await?;
            assert!(wide.is_empty(), "{view} is wider than the window: {wide:?}");
            let tall: bool = window.ask("return document.documentElement.scrollHeight > innerHeight", vec![]).await?;
            assert!(!tall, "{view} is taller than the window");
            picture(window, &format!("{view}-1000x700")).await?;
        }
        window.go("playground").await?;
        for name in ["send", "prompt", "reply", "frame-filter", "hex", "outcome", "metric-ttft", "timeline"] {
            let inside: bool = window
                .ask(
                    "const box = document.querySelector(`[data-testid=${arguments[0]}]`).getBoundingClientRect();
                     return box.width > 0 && box.height > 0 && box.left >= 0 && box.top >= 0 && box.right <= innerWidth && box.bottom <= innerHeight",
                    vec![name.into()],
                )
                .await?;
            assert!(inside, "{name} is in view");
        }
        Ok(())
    });
}

/// Waits for what fades or loads.
async fn settle(window: &Window) -> Result<(), Failure> {
    window.until("animations are over", "return document.getAnimations().every((a) => a.playState !== 'running')").await?;
    tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    Ok(())
}
