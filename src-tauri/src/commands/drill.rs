//! The drills of the Compare view.

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use tauri::ipc::Channel;
use weir_sessions::Error;
use weir_sessions::drill::memory::{self, MemoryDrill, MemoryView, Programs};
use weir_sessions::drill::report::Format;
use weir_sessions::drill::{self, Drill, DrillKind, DrillSummary, DrillUpdate, DrillView};

use super::blocking;
use crate::ipc::DrillOptions;
use crate::state::App;
use crate::watching::keep;

/// The arguments by which this program is started again as one of a memory drill's ends.
pub const LAB: &str = "--drill-lab";
/// See [`LAB`].
pub const CLIENT: &str = "--drill-client";

/// A tenth of a second: strips that are watched need no more.
const OFTEN: Duration = Duration::from_millis(100);

/// The last drills; one of each runs at a time.
#[derive(Default)]
pub struct Drills {
    faults: Option<drill::Running>,
    memory: Option<memory::Running>,
}

fn known(app: &App) -> MutexGuard<'_, Drills> {
    app.drills.lock().unwrap_or_else(PoisonError::into_inner)
}

fn missing() -> Error {
    Error::missing("drill that was run since the program began")
}

fn busy() -> Error {
    Error::new("user", "busy", "A drill is under way.", "This one was not started.", "", "Stop it, or wait for its end.")
}

pub async fn drill_options(_: App) -> Result<DrillOptions, Error> {
    let mut first = MemoryDrill::default();
    let fits = memory::fitting(&first.series);
    if !fits.is_empty() {
        first.series = fits;
    }
    Ok(DrillOptions { lanes: drill::lanes(), drill: Drill::default(), kinds: memory::kinds(), memory: first })
}

/// Starts it and tells its id.
pub async fn start_drill(app: App, drill: Drill) -> Result<String, Error> {
    if known(&app).faults.as_ref().is_some_and(drill::Running::is_live) {
        return Err(busy());
    }
    blocking(move || {
        let running = drill::run(&app.engine, drill)?;
        let id = running.id().to_owned();
        known(&app).faults = Some(running);
        Ok(id)
    })
    .await
}

pub async fn stop_drill(app: App) -> Result<(), Error> {
    if let Some(running) = &known(&app).faults {
        running.stop();
    }
    Ok(())
}

pub async fn last_drill(app: App) -> Result<Option<DrillView>, Error> {
    Ok(known(&app).faults.as_ref().map(drill::Running::view))
}

/// The drills of a kind that are kept, newest first.
pub async fn drills(app: App, kind: DrillKind) -> Result<Vec<DrillSummary>, Error> {
    let live = {
        let Drills { faults, memory } = &*known(&app);
        let faults = faults.iter().filter(|running| running.is_live()).map(|running| running.id().to_owned());
        let memory = memory.iter().filter(|running| running.is_live()).map(memory::Running::id);
        faults.chain(memory).collect::<Vec<_>>()
    };
    blocking(move || drill::list(&app.engine, kind, &live)).await
}

pub async fn drill(app: App, id: String) -> Result<DrillView, Error> {
    let running = known(&app).faults.as_ref().filter(|running| running.id() == id).map(drill::Running::view);
    blocking(move || running.map_or_else(|| drill::open(&app.engine, &id), Ok)).await
}

pub async fn memory_drill(app: App, id: String) -> Result<MemoryView, Error> {
    let running = known(&app).memory.as_ref().filter(|running| running.id() == id).map(memory::Running::view);
    blocking(move || running.map_or_else(|| drill::open_memory(&app.engine, &id), Ok)).await
}

/// Forgets it; the sessions of its lanes stay. One that runs is stopped.
pub async fn delete_drill(app: App, id: String) -> Result<(), Error> {
    let (faults, memory) = {
        let mut drills = known(&app);
        (drills.faults.take_if(|running| running.id() == id), drills.memory.take_if(|running| running.id() == id))
    };
    // Its last word is written before it is forgotten.
    if let Some(running) = faults {
        running.stop();
        running.ended().await;
    }
    if let Some(running) = memory {
        running.stop();
        running.ended().await;
    }
    blocking(move || drill::delete(&app.engine, &id)).await
}

/// Writes the report to the Downloads folder and tells the file's name.
pub async fn drill_report(app: App, id: String, format: Format) -> Result<String, Error> {
    let view = drill(app, id).await?;
    let names = view.drill.fault.split(',').map(|spec| spec.split([';', '=']).next().unwrap_or_default().trim().to_owned());
    let stands = names.filter_map(|name| weir_lab::catalogue().iter().find(|recipe| recipe.id == name).map(|recipe| recipe.incident));
    let incident = stands.collect::<Vec<_>>().join("; and ");
    blocking(move || drill::report::export(&view, &incident, format)).await
}

/// Starts it and tells its id.
pub async fn start_memory_drill(app: App, drill: MemoryDrill) -> Result<String, Error> {
    if known(&app).memory.as_ref().is_some_and(memory::Running::is_live) {
        return Err(busy());
    }
    blocking(move || {
        let running = memory::run(&app.engine, Programs::own(&[LAB], &[CLIENT])?, drill)?;
        let id = running.id();
        known(&app).memory = Some(running);
        Ok(id)
    })
    .await
}

pub async fn stop_memory_drill(app: App) -> Result<(), Error> {
    if let Some(running) = &known(&app).memory {
        running.stop();
    }
    Ok(())
}

pub async fn last_memory_drill(app: App) -> Result<Option<MemoryView>, Error> {
    Ok(known(&app).memory.as_ref().map(memory::Running::view))
}

/// Writes the report to the Downloads folder and tells the file's name.
pub async fn memory_report(app: App, id: String, format: Format) -> Result<String, Error> {
    let view = memory_drill(app, id).await?;
    blocking(move || memory::report::export(&view, format)).await
}

/// Sends updates of the last drill until it is over or the channel is unwatched.
pub fn watch(app: &App, updates: Channel<DrillUpdate>) -> Result<(), Error> {
    let mut watcher = known(app).faults.as_ref().ok_or_else(missing)?.watch();
    let channel = updates.id();
    keep(app, channel, |pace| {
        let watchers = app.watchers.clone();
        tauri::async_runtime::spawn(async move {
            while let Some(update) = watcher.next().await {
                if updates.send(update).is_err() {
                    break;
                }
                tokio::join!(tokio::time::sleep(OFTEN), pace.next());
            }
            watchers.lock().unwrap_or_else(PoisonError::into_inner).remove(&channel);
        })
    });
    Ok(())
}

/// Sends the last memory drill as often as something is new, until it is over or the channel is unwatched.
pub fn watch_memory(app: &App, updates: Channel<MemoryView>) -> Result<(), Error> {
    let running = known(app).memory.clone().ok_or_else(missing)?;
    let channel = updates.id();
    keep(app, channel, |pace| {
        let watchers = app.watchers.clone();
        tauri::async_runtime::spawn(async move {
            loop {
                let over = !running.is_live();
                if updates.send(running.view()).is_err() || over {
                    break;
                }
                running.news().await;
                tokio::join!(tokio::time::sleep(OFTEN), pace.next());
            }
            watchers.lock().unwrap_or_else(PoisonError::into_inner).remove(&channel);
        })
    });
    Ok(())
}

/// Ends what runs, with the program: lanes are stopped and kept as they are, processes end.
pub async fn close(app: &App) {
    let Drills { faults, memory } = std::mem::take(&mut *known(app));
    if let Some(running) = faults {
        running.stop();
        let _ = tokio::time::timeout(Duration::from_secs(2), running.ended()).await;
    }
    if let Some(running) = memory {
        running.stop();
        let _ = tokio::time::timeout(Duration::from_secs(2), running.ended()).await;
    }
}
