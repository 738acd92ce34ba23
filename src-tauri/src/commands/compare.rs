//! The Compare view.

use std::sync::PoisonError;

use tauri::ipc::Channel;
use weir_sessions::compare::{
    self, Comparison, ComparisonCost, ComparisonSummary, ComparisonUpdate, ComparisonView, LaneReplay, Preset, ReportFormat, Running,
};
use weir_sessions::{Error, KeyChoice};

use super::blocking;
use crate::state::App;
use crate::watching::keep;

/// A comparison that this program runs, or has run since it began.
fn running(app: &App, id: &str) -> Option<Running> {
    app.comparisons.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
}

/// Comparisons to start from, for a provider and model of one's own or the Lab's; `other` is the second provider where two are compared.
pub async fn comparison_presets(app: App, provider: String, model: String, prompt: String, other: String) -> Result<Vec<Preset>, Error> {
    blocking(move || Ok(compare::presets(&app.engine, &provider, &model, &prompt, &other))).await
}

pub async fn comparisons(app: App) -> Result<Vec<ComparisonSummary>, Error> {
    blocking(move || compare::list(&app.engine)).await
}

pub async fn comparison_cost(app: App, comparison: Comparison) -> Result<ComparisonCost, Error> {
    blocking(move || Ok(compare::cost(&app.engine, &comparison))).await
}

/// Starts it and tells its id.
pub async fn start_comparison(app: App, comparison: Comparison) -> Result<String, Error> {
    blocking(move || {
        let running = compare::run(&app.engine, comparison, KeyChoice::Stored)?;
        let id = running.id().to_owned();
        let mut known = app.comparisons.lock().unwrap_or_else(PoisonError::into_inner);
        // What is over is in the library.
        known.retain(|_, running| running.is_live());
        known.insert(id.clone(), running);
        Ok(id)
    })
    .await
}

pub async fn stop_comparison(app: App, id: String) -> Result<(), Error> {
    if let Some(running) = running(&app, &id) {
        running.stop();
    }
    Ok(())
}

pub async fn comparison(app: App, id: String) -> Result<ComparisonView, Error> {
    blocking(move || match running(&app, &id) {
        Some(running) => Ok(running.view()),
        None => compare::open(&app.engine, &id),
    })
    .await
}

/// A run that is over, for the playhead.
pub async fn lane_replay(app: App, session: String) -> Result<LaneReplay, Error> {
    blocking(move || compare::replay(&app.engine, &session)).await
}

/// Writes the report to the Downloads folder and tells the file's name.
pub async fn comparison_report(app: App, id: String, format: ReportFormat) -> Result<String, Error> {
    blocking(move || compare::report::export(&app.engine, &id, format)).await
}

/// Forgets it; its sessions stay. One that runs is stopped.
pub async fn delete_comparison(app: App, id: String) -> Result<(), Error> {
    if let Some(running) = running(&app, &id) {
        running.stop();
        // Its last word is written before it is forgotten.
        running.ended().await;
        app.comparisons.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
    blocking(move || compare::delete(&app.engine, &id)).await
}

/// Sends updates of a running comparison until it is over or the channel is unwatched; of one that is over, nothing.
pub fn watch(app: &App, id: &str, updates: Channel<ComparisonUpdate>) -> Result<(), Error> {
    let Some(running) = running(app, id) else { return Err(Error::missing("running comparison with this id")) };
    let mut watcher = running.watch();
    let channel = updates.id();
    keep(app, channel, |pace| {
        let watchers = app.watchers.clone();
        tauri::async_runtime::spawn(async move {
            while let Some(update) = watcher.next().await {
                if updates.send(update).is_err() {
                    break;
                }
                pace.next().await;
            }
            watchers.lock().unwrap_or_else(PoisonError::into_inner).remove(&channel);
        })
    });
    Ok(())
}
