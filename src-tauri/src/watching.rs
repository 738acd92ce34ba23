//! One small batch of news per display frame, for each view that watches a session; and none before the page has shown the last one.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tauri::async_runtime::JoinHandle;
use tauri::ipc::Channel;
use tokio::sync::Notify;
use weir_sessions::Error;
use weir_sessions::view::Update;

use crate::state::App;

/// A display frame at 30 Hz: faster than text can be read, and half of what layout costs at 60.
const FRAME: Duration = Duration::from_millis(33);

/// A watch that is under way.
pub struct Watch {
    task: JoinHandle<()>,
    shown: Arc<Notify>,
}

/// Told when the page has shown an update. Whatever happens meanwhile is in the next one: a page that is slow, on a busy machine or in a
/// hidden window, gets fewer and larger updates and never falls behind.
#[derive(Clone, Default)]
pub struct Pace(Arc<Notify>);

impl Pace {
    /// Waits until the page has shown what was sent last, for a display frame at least.
    pub async fn next(&self) {
        tokio::join!(tokio::time::sleep(FRAME), self.0.notified());
    }
}

/// Starts sending updates of a session; the first comes at once.
pub fn start(app: &App, session: &str, updates: Channel<Update>) -> Result<(), Error> {
    let mut watcher = app.session(session)?.watch();
    let id = updates.id();
    keep(app, id, |pace| {
        let watchers = app.watchers.clone();
        tauri::async_runtime::spawn(async move {
            while let Some(update) = watcher.next().await {
                if updates.send(update).is_err() {
                    break;
                }
                pace.next().await;
            }
            watchers.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        })
    });
    Ok(())
}

/// Starts a watch and remembers it by its channel, before the page can answer its first update.
pub fn keep(app: &App, channel: u32, start: impl FnOnce(Pace) -> JoinHandle<()>) {
    let pace = Pace::default();
    let mut watchers = app.watchers.lock().unwrap_or_else(PoisonError::into_inner);
    let shown = pace.0.clone();
    watchers.insert(channel, Watch { task: start(pace), shown });
}

/// The page has shown the last update of a watch; of one that has ended, nobody asks.
pub fn shown(app: &App, channel: u32) {
    if let Some(watch) = app.watchers.lock().unwrap_or_else(PoisonError::into_inner).get(&channel) {
        watch.shown.notify_one();
    }
}

/// Ends a watch; one that has ended already is no error.
pub fn stop(app: &App, channel: u32) {
    if let Some(watch) = app.watchers.lock().unwrap_or_else(PoisonError::into_inner).remove(&channel) {
        watch.task.abort();
    }
}
