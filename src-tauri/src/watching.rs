//! One small batch of news per display frame, for each view that watches a session.

use std::sync::PoisonError;
use std::time::Duration;

use tauri::ipc::Channel;
use weir_sessions::Error;
use weir_sessions::view::Update;

use crate::state::App;

/// A display frame at 30 Hz: faster than text can be read, and half of what layout costs at 60.
const FRAME: Duration = Duration::from_millis(33);

/// Starts sending updates of a session; the first comes at once and holds everything.
pub fn start(app: &App, session: &str, updates: Channel<Update>) -> Result<(), Error> {
    let mut watcher = app.session(session)?.watch();
    let id = updates.id();
    let watchers = app.watchers.clone();
    let task = tauri::async_runtime::spawn(async move {
        while let Some(update) = watcher.next().await {
            if updates.send(update).is_err() {
                break;
            }
            tokio::time::sleep(FRAME).await;
        }
        watchers.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    });
    app.watchers.lock().unwrap_or_else(PoisonError::into_inner).insert(id, task);
    Ok(())
}

/// Ends a watch; one that has ended already is no error.
pub fn stop(app: &App, channel: u32) {
    if let Some(task) = app.watchers.lock().unwrap_or_else(PoisonError::into_inner).remove(&channel) {
        task.abort();
    }
}
