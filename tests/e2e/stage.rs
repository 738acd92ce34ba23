//! Sets a window up for a test, and keeps a picture when it fails.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use weir_tests::window::{Desktop, Failure, Keychain, Window, out};

/// Windows are shown one at a time: two would take each other's processor, and timings are measured.
static STAGE: Mutex<()> = Mutex::new(());

/// Runs a test in a fresh window with an open keychain.
pub fn stage(name: &str, test: impl AsyncFnOnce(&Window) -> Result<(), Failure>) {
    stage_with(name, Keychain::Unlocked, test);
}

/// The same with another keychain.
pub fn stage_with(name: &str, keychain: Keychain, test: impl AsyncFnOnce(&Window) -> Result<(), Failure>) {
    alone(async || {
        let window = Window::open(Desktop::start(keychain)?).await?;
        play(name, &window, test(&window)).await;
        window.close().await.map(drop)
    });
}

/// Runs `test` while no other has the stage.
pub fn alone(test: impl AsyncFnOnce() -> Result<(), Failure>) {
    let _stage = STAGE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime starts");
    if let Err(error) = runtime.block_on(test()) {
        panic!("{error}");
    }
}

/// Waits for a test; where it fails, keeps a picture of the window and prints its log.
pub async fn play(name: &str, window: &Window, test: impl Future<Output = Result<(), Failure>>) {
    let ended = AssertUnwindSafe(test).catch_unwind().await;
    if !matches!(ended, Ok(Ok(()))) {
        if let Ok(folder) = out("e2e") {
            // A page that is drawn straight to the window may never give one.
            let file = folder.join(format!("failed-{name}.png"));
            let _ = tokio::time::timeout(Duration::from_secs(10), window.screenshot(&file)).await;
        }
        eprintln!("{}", window.log());
    }
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(error)) => panic!("{error}"),
        Err(panic) => resume_unwind(panic),
    }
}

/// Keeps a picture of the window below `out/e2e`.
pub async fn picture(window: &Window, name: &str) -> Result<(), Failure> {
    window.screenshot(&out("e2e")?.join(format!("{name}.png"))).await
}

/// Keeps the window as it is now in both themes, and in the smallest size it is made for.
pub async fn pictures(window: &Window, name: &str) -> Result<(), Failure> {
    let theme: String = window.ask("return document.documentElement.dataset.theme", vec![]).await?;
    let size = window.client().get_window_rect().await?;
    for (other, width, height) in [("dark", 1440, 900), ("light", 1440, 900), ("dark", 1000, 700), ("light", 1000, 700)] {
        window.ask::<()>("document.documentElement.dataset.theme = arguments[0]", vec![other.into()]).await?;
        window.resize(width, height).await?;
        // What turns as long as something runs is never over.
        let over =
            "return document.getAnimations().every((a) => a.playState !== 'running' || a.effect.getComputedTiming().endTime === Infinity)";
        window.until("animations are over", over).await?;
        picture(window, &format!("{name}-{other}-{width}")).await?;
    }
    window.ask::<()>("document.documentElement.dataset.theme = arguments[0]", vec![theme.into()]).await?;
    window.resize(size.2 as u32, size.3 as u32).await
}
