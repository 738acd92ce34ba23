//! Comparisons in the library: a head and a row for each run, as settings. No session is folded to list or open one.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use weir_recordings::Library;

use super::runner::unix_ms;
use super::{Comparison, ComparisonSummary, ComparisonView, Progress, Run, State, Table};
use crate::{Engine, Error, credentials};

/// What is kept of a comparison besides its runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Head {
    pub(super) comparison: Comparison,
    pub(super) started_at_ms: f64,
    pub(super) state: State,
    pub(super) elapsed_ms: f64,
    pub(super) done: u32,
    pub(super) failed: u32,
    /// The process that makes the runs: what a process that is gone left behind was stopped.
    #[serde(default)]
    pub(super) process: u32,
    /// Unix time of this writing, ms.
    #[serde(default)]
    pub(super) kept_at_ms: f64,
}

/// A process that has kept nothing for so long makes no runs any more, ms.
const SILENCE: f64 = 600_000.0;

/// A table as it was when the comparison ended: its draws need not be made again to show it.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// The version that made it: another may reckon otherwise.
    weir: String,
    /// Runs it tells of.
    runs: usize,
    table: Table,
}

const TABLES: &str = "comparison-table:";
const HEADS: &str = "comparison:";
const RUNS: &str = "comparison-run:";

fn head_key(id: &str) -> String {
    format!("{HEADS}{id}")
}

fn runs_key(id: &str) -> String {
    format!("{RUNS}{id}:")
}

/// The tag of a comparison's sessions.
pub(super) fn tag(id: &str) -> String {
    format!("compare:{id}")
}

pub(super) fn put_head(library: &Library, head: &Head) -> Result<(), Error> {
    let mut kept = head.clone();
    kept.comparison.lanes.iter_mut().for_each(|lane| credentials::star(&mut lane.draft));
    // Heads and runs are plain data, which JSON always holds.
    let json = serde_json::to_string(&kept).unwrap_or_default();
    Ok(library.set_setting(&head_key(&head.comparison.id), &json)?)
}

pub(super) fn put_run(library: &Library, id: &str, run: &Run) -> Result<(), Error> {
    let json = serde_json::to_string(run).unwrap_or_default();
    // Numbered by their place in the order, in as many digits as the most runs have.
    Ok(library.set_setting(&format!("{}{:06}", runs_key(id), run.order), &json)?)
}

pub(super) fn put_table(library: &Library, id: &str, runs: usize, table: Table) -> Result<(), Error> {
    let kept = Kept { weir: env!("CARGO_PKG_VERSION").into(), runs, table };
    let json = serde_json::to_string(&kept).unwrap_or_default();
    Ok(library.set_setting(&format!("{TABLES}{id}"), &json)?)
}

/// The kept table of these runs, if this version made it.
fn kept_table(library: &Library, id: &str, runs: usize) -> Option<Table> {
    let kept: Kept = serde_json::from_str(&library.setting(&format!("{TABLES}{id}"))?).ok()?;
    (kept.weir == env!("CARGO_PKG_VERSION") && kept.runs == runs).then_some(kept.table)
}

fn unreadable(error: &serde_json::Error) -> Error {
    Error::new(
        "local",
        "comparison",
        "The comparison cannot be read.",
        "It stays as it is; its sessions are in Sessions.",
        error.to_string(),
        "It was probably made by a newer Weir: open it there.",
    )
}

/// Whether what is kept as running is. Of its own comparisons this process knows; another's is taken for gone once it is silent.
fn state(head: &Head, own: bool) -> State {
    let lives = if head.process == std::process::id() { own } else { unix_ms(SystemTime::now()) - head.kept_at_ms < SILENCE };
    if head.state == State::Running && !lives { State::Stopped } else { head.state }
}

/// All comparisons, newest first. One that cannot be read is left out: it is kept.
pub fn list(engine: &Engine) -> Result<Vec<ComparisonSummary>, Error> {
    let heads = engine.library().settings_under(HEADS)?;
    let mut all: Vec<ComparisonSummary> = heads
        .iter()
        .filter_map(|(_, json)| serde_json::from_str::<Head>(json).ok())
        .map(|head| ComparisonSummary {
            lanes: head.comparison.lanes.iter().map(|lane| lane.name.clone()).collect(),
            started_at_ms: head.started_at_ms,
            runs: head.comparison.runs,
            done: head.done,
            failed: head.failed,
            state: state(&head, true),
            id: head.comparison.id,
            title: head.comparison.title,
        })
        .collect();
    all.sort_by(|a, b| b.started_at_ms.total_cmp(&a.started_at_ms));
    Ok(all)
}

/// Opens a kept comparison from its figures. One that runs is better asked itself.
///
/// # Errors
/// `missing` where there is none, `comparison` where it cannot be read; the disk.
pub fn open(engine: &Engine, id: &str) -> Result<ComparisonView, Error> {
    let json = engine.library().setting(&head_key(id)).ok_or_else(|| Error::missing("comparison with this id"))?;
    let head: Head = serde_json::from_str(&json).map_err(|error| unreadable(&error))?;
    let rows = engine.library().settings_under(&runs_key(id))?;
    let runs = rows.iter().map(|(_, json)| serde_json::from_str::<Run>(json).map_err(|error| unreadable(&error)));
    let runs = runs.collect::<Result<Vec<Run>, Error>>()?;
    let state = state(&head, false);
    let progress = Progress {
        state,
        done: runs.len() as u32,
        of: head.comparison.total(),
        failed: runs.iter().filter(|run| run.failure.is_some()).count() as u32,
        elapsed_ms: head.elapsed_ms,
        left_ms: (state != State::Running).then_some(0.0),
    };
    let table = kept_table(engine.library(), id, runs.len()).unwrap_or_else(|| Table::of(&head.comparison, &runs));
    Ok(ComparisonView { comparison: head.comparison, started_at_ms: head.started_at_ms, progress, runs, table })
}

/// Forgets a comparison. Its sessions stay, with their tag.
///
/// # Errors
/// The disk.
pub fn delete(engine: &Engine, id: &str) -> Result<(), Error> {
    for (key, _) in engine.library().settings_under(&runs_key(id))? {
        engine.library().remove_setting(&key)?;
    }
    engine.library().remove_setting(&format!("{TABLES}{id}"))?;
    Ok(engine.library().remove_setting(&head_key(id))?)
}
