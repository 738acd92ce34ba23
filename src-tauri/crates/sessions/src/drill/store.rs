//! Drills in the library, as settings: a head that lists them, and what was shown of them last. The newest stay.

use std::time::SystemTime;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use weir_recordings::Library;

use super::memory::MemoryView;
use super::{DrillState, DrillView};
use crate::compare::unix_ms;
use crate::{Engine, Error};

/// Drills that are kept, of both kinds together; the oldest make room. With the most lanes and words one takes about half a MiB.
pub const KEPT: usize = 200;

/// What was drilled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export)]
pub enum DrillKind {
    /// Lanes under a fault.
    Fault,
    /// What connections cost.
    Memory,
}

/// A drill in the list of past ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct DrillSummary {
    /// Its id.
    pub id: String,
    /// Which kind it is.
    pub kind: DrillKind,
    /// The fault, or the numbers of connections.
    pub title: String,
    /// Lanes, or kinds of connections.
    pub about: Vec<String>,
    /// What came of it, in words.
    pub found: String,
    /// When it began, Unix time in milliseconds.
    pub started_at_ms: f64,
    /// Where it stands.
    pub state: DrillState,
}

/// What the list is made from.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    summary: DrillSummary,
    /// The process that runs it: what a process that is gone left behind was stopped.
    process: u32,
    /// Unix time of this writing, ms.
    kept_at_ms: f64,
}

/// A process that has kept nothing for so long runs no drill any more, ms. One that runs keeps what it has every two seconds, or with
/// every measurement, of which the longest takes a minute and as long again to open its connections.
const SILENCE: f64 = 600_000.0;

const HEADS: &str = "drill:";
const VIEWS: &str = "drill-view:";

/// A drill that can be kept.
pub(super) trait Kept: Serialize + DeserializeOwned {
    /// How it is listed.
    fn summary(&self) -> DrillSummary;
    /// It runs no more.
    fn stopped(&mut self);
}

impl Kept for DrillView {
    fn summary(&self) -> DrillSummary {
        let whole = self.lanes.iter().filter(|lane| lane.report.whole).count();
        let fault = self.drill.fault.trim();
        let http = if self.drill.http == "2" { " · HTTP/2" } else { "" };
        DrillSummary {
            id: self.drill.id.clone(),
            kind: DrillKind::Fault,
            title: format!("{}{http}", if matches!(fault, "" | "none") { "no fault" } else { fault }),
            about: self.lanes.iter().map(|lane| lane.report.name.clone()).collect(),
            found: format!("{whole} of {} whole", self.lanes.len()),
            started_at_ms: self.started_at_ms,
            state: self.state,
        }
    }

    fn stopped(&mut self) {
        self.state = DrillState::Stopped;
        self.lanes.iter_mut().filter(|lane| lane.state == DrillState::Running).for_each(|lane| lane.state = DrillState::Stopped);
    }
}

impl Kept for MemoryView {
    fn summary(&self) -> DrillSummary {
        let mut kinds: Vec<String> = self.rows.iter().map(|row| row.name.clone()).collect();
        kinds.dedup();
        let numbers: Vec<String> = self.drill.series.iter().map(u32::to_string).collect();
        DrillSummary {
            id: self.drill.id.clone(),
            kind: DrillKind::Memory,
            title: format!("{} connections", numbers.join(", ")),
            about: kinds,
            found: format!("{} of {} measurements", self.done, self.of),
            started_at_ms: self.started_at_ms,
            state: self.state,
        }
    }

    fn stopped(&mut self) {
        self.state = DrillState::Stopped;
        self.doing.clear();
    }
}

/// Keeps a drill as it stands. Blocks until it is written.
pub(super) fn put(library: &Library, view: &impl Kept) -> Result<(), Error> {
    let summary = view.summary();
    let id = summary.id.clone();
    let head = Head { summary, process: std::process::id(), kept_at_ms: unix_ms(SystemTime::now()) };
    // Plain data, which JSON always holds. The view first: what is listed can be opened.
    library.set_setting(&format!("{VIEWS}{id}"), &serde_json::to_string(view).unwrap_or_default())?;
    Ok(library.set_setting(&format!("{HEADS}{id}"), &serde_json::to_string(&head).unwrap_or_default())?)
}

/// Makes room for one more.
pub(super) fn make_room(library: &Library) -> Result<(), Error> {
    for head in heads(library)?.iter().skip(KEPT - 1) {
        remove(library, &head.summary.id)?;
    }
    Ok(())
}

/// Newest first. One that cannot be read is left out: it is kept.
fn heads(library: &Library) -> Result<Vec<Head>, Error> {
    let all = library.settings_under(HEADS)?;
    let mut heads: Vec<Head> = all.iter().filter_map(|(_, json)| serde_json::from_str(json).ok()).collect();
    heads.sort_by(|a, b| b.summary.started_at_ms.total_cmp(&a.summary.started_at_ms));
    Ok(heads)
}

/// Whether what is kept as running runs no more. `own` is whether this process runs it, if it is one of this process's.
fn gone(head: &Head, own: bool) -> bool {
    let lives = if head.process == std::process::id() { own } else { unix_ms(SystemTime::now()) - head.kept_at_ms < SILENCE };
    head.summary.state == DrillState::Running && !lives
}

/// The drills of a kind, newest first. `live` are the ids of those that this process runs.
///
/// # Errors
/// The disk.
pub fn list(engine: &Engine, kind: DrillKind, live: &[String]) -> Result<Vec<DrillSummary>, Error> {
    let heads = heads(engine.library())?.into_iter().filter(|head| head.summary.kind == kind);
    Ok(heads
        .map(|mut head| {
            if gone(&head, live.contains(&head.summary.id)) {
                head.summary.state = DrillState::Stopped;
            }
            head.summary
        })
        .collect())
}

/// Opens a kept drill under a fault. One that this process runs is better asked itself.
///
/// # Errors
/// `missing` where there is none, `drill` where it cannot be read.
pub fn open(engine: &Engine, id: &str) -> Result<DrillView, Error> {
    read(engine.library(), id)
}

/// Opens a kept memory drill.
///
/// # Errors
/// Those of [`open`].
pub fn open_memory(engine: &Engine, id: &str) -> Result<MemoryView, Error> {
    read(engine.library(), id)
}

fn read<V: Kept>(library: &Library, id: &str) -> Result<V, Error> {
    let missing = || Error::missing("drill with this id");
    let head = library.setting(&format!("{HEADS}{id}")).ok_or_else(missing)?;
    let json = library.setting(&format!("{VIEWS}{id}")).ok_or_else(missing)?;
    let head: Head = serde_json::from_str(&head).map_err(|error| unreadable(&error))?;
    let mut view: V = serde_json::from_str(&json).map_err(|error| unreadable(&error))?;
    if gone(&head, false) {
        view.stopped();
    }
    Ok(view)
}

fn unreadable(error: &serde_json::Error) -> Error {
    Error::new(
        "local",
        "drill",
        "The drill cannot be read.",
        "It stays as it is; the sessions of its lanes are in Sessions.",
        error.to_string(),
        "It was probably made by a newer Weir: open it there.",
    )
}

/// Forgets a drill. The sessions of its lanes stay, with their tag.
///
/// # Errors
/// The disk.
pub fn delete(engine: &Engine, id: &str) -> Result<(), Error> {
    remove(engine.library(), id)
}

fn remove(library: &Library, id: &str) -> Result<(), Error> {
    library.remove_setting(&format!("{HEADS}{id}"))?;
    Ok(library.remove_setting(&format!("{VIEWS}{id}"))?)
}

#[cfg(test)]
mod tests {
    use super::super::{Drill, LaneReport, LaneView};
    use super::*;

    fn drill(id: &str, started_at_ms: f64, state: DrillState) -> DrillView {
        let lane = |name: &str, whole: bool| LaneView {
            state,
            report: LaneReport { name: name.into(), whole, ..LaneReport::default() },
            ..LaneView::default()
        };
        DrillView {
            drill: Drill { id: id.into(), ..Drill::default() },
            started_at_ms,
            state,
            elapsed_ms: 3.5,
            lanes: vec![lane("Event stream", true), lane("Plain HTTP", false)],
            problem: None,
        }
    }

    fn engine() -> (tempfile::TempDir, Engine) {
        let home = tempfile::tempdir().unwrap();
        let engine = Engine::open(home.path()).unwrap();
        (home, engine)
    }

    #[test]
    fn a_drill_is_listed_opened_and_forgotten() {
        let (_home, engine) = engine();
        let (old, new) = (drill("old", 1.0, DrillState::Done), drill("new", 2.0, DrillState::Stopped));
        put(engine.library(), &old).unwrap();
        put(engine.library(), &new).unwrap();
        let all = list(&engine, DrillKind::Fault, &[]).unwrap();
        assert_eq!(all.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["new", "old"]);
        assert_eq!((all[1].title.as_str(), all[1].found.as_str()), ("drop-after=20", "1 of 2 whole"));
        assert!(list(&engine, DrillKind::Memory, &[]).unwrap().is_empty());
        assert_eq!(open(&engine, "old").unwrap(), old);
        delete(&engine, "old").unwrap();
        assert_eq!(open(&engine, "old").unwrap_err().0.code, "missing");
        assert_eq!(list(&engine, DrillKind::Fault, &[]).unwrap().len(), 1);
        assert!(engine.library().settings_under(VIEWS).unwrap().len() == 1, "nothing of it is left behind");
    }

    #[test]
    fn what_a_process_that_is_gone_left_running_was_stopped() {
        let (_home, engine) = engine();
        put(engine.library(), &drill("a", 1.0, DrillState::Running)).unwrap();
        // Of its own drills this process knows.
        assert_eq!(list(&engine, DrillKind::Fault, &["a".into()]).unwrap()[0].state, DrillState::Running);
        assert_eq!(list(&engine, DrillKind::Fault, &[]).unwrap()[0].state, DrillState::Stopped);
        let opened = open(&engine, "a").unwrap();
        assert!(opened.state == DrillState::Stopped && opened.lanes.iter().all(|lane| lane.state == DrillState::Stopped));
        // Another process's lives while it writes.
        let key = format!("{HEADS}a");
        let mut head: Head = serde_json::from_str(&engine.library().setting(&key).unwrap()).unwrap();
        head.process = head.process.wrapping_add(1);
        engine.library().set_setting(&key, &serde_json::to_string(&head).unwrap()).unwrap();
        assert_eq!(list(&engine, DrillKind::Fault, &[]).unwrap()[0].state, DrillState::Running);
        head.kept_at_ms -= SILENCE;
        engine.library().set_setting(&key, &serde_json::to_string(&head).unwrap()).unwrap();
        assert_eq!(list(&engine, DrillKind::Fault, &[]).unwrap()[0].state, DrillState::Stopped);
    }

    #[test]
    fn the_oldest_make_room() {
        let (_home, engine) = engine();
        for n in 0..KEPT {
            put(engine.library(), &drill(&format!("d{n}"), n as f64, DrillState::Done)).unwrap();
        }
        make_room(engine.library()).unwrap();
        put(engine.library(), &drill("last", 1e6, DrillState::Done)).unwrap();
        let all = list(&engine, DrillKind::Fault, &[]).unwrap();
        assert_eq!((all.len(), all[0].id.as_str(), all[KEPT - 1].id.as_str()), (KEPT, "last", "d1"));
    }

    #[test]
    fn one_that_cannot_be_read_is_said_and_kept() {
        let (_home, engine) = engine();
        put(engine.library(), &drill("a", 1.0, DrillState::Done)).unwrap();
        engine.library().set_setting(&format!("{VIEWS}a"), "{\"later\":1}").unwrap();
        assert_eq!(open(&engine, "a").unwrap_err().0.code, "drill");
        assert_eq!(list(&engine, DrillKind::Fault, &[]).unwrap().len(), 1);
    }
}
