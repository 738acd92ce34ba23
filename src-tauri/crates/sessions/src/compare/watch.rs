//! Follows a comparison for one view: each update holds what is new since the last one.

use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::runner::Live;
use super::{ComparisonUpdate, LaneUpdate, Running, Table};
use crate::analysis::Kind;

/// A quarter of a second: figures change no faster than they can be read.
const FIGURES: Duration = Duration::from_millis(250);
/// A table takes at most one part in so many of the time: what it costs grows with the runs, and the runs that are measured meanwhile
/// need the processor.
const SHARE: u32 = 10;

/// A watcher of one view. It should be asked once a display frame.
pub struct Watcher {
    running: Running,
    changed: watch::Receiver<u64>,
    lanes: Vec<Followed>,
    runs: usize,
    /// Runs that the last table told of.
    told: Option<(usize, Instant)>,
    /// How long the last table took.
    took: Duration,
    /// A table that is being reckoned: the lanes do not wait for it.
    coming: Option<Coming>,
    over: bool,
}

struct Coming {
    runs: usize,
    began: Instant,
    table: JoinHandle<Table>,
}

/// A run that is followed.
struct Followed {
    live: Live,
    watcher: crate::Watcher,
    /// Rows of its frame table that were looked at for ticks.
    rows: usize,
    over: bool,
}

impl Watcher {
    pub(super) fn new(running: Running, changed: watch::Receiver<u64>) -> Self {
        Self { running, changed, lanes: Vec::new(), runs: 0, told: None, took: Duration::ZERO, coming: None, over: false }
    }

    /// What is new; the first time at once, then where nothing streams not before something is. `None` after the update that told the end.
    pub async fn next(&mut self) -> Option<ComparisonUpdate> {
        if self.over {
            return None;
        }
        if self.told.is_some() && self.coming.is_none() && self.lanes.iter().all(|lane| lane.over) {
            // A pause still has a clock to show.
            let _ = tokio::time::timeout(FIGURES, self.changed.changed()).await;
        }
        self.changed.mark_unchanged();
        // What is asked first is told last: a run that ends meanwhile is in the next update's lanes, never in none.
        let progress = self.running.progress();
        self.over = !self.running.is_live();
        let runs = self.running.runs_from(self.runs);
        self.runs += runs.len();
        self.follow();
        let lanes = self.lanes.iter_mut().filter_map(Followed::news).collect();
        let table = self.table().await;
        Some(ComparisonUpdate { id: self.running.id().to_owned(), progress, runs, table, lanes })
    }

    /// A table that is new; at the end the last one, of all runs.
    async fn table(&mut self) -> Option<Table> {
        let mut found = None;
        loop {
            if self.coming.as_ref().is_some_and(|coming| self.over || coming.table.is_finished())
                && let Some(Coming { runs, began, table }) = self.coming.take()
            {
                found = table.await.ok().or(found);
                self.told = Some((runs, Instant::now()));
                self.took = began.elapsed();
            }
            let due = |at: &Instant| self.over || at.elapsed() >= FIGURES.max(self.took * SHARE);
            let stale = self.told.as_ref().is_none_or(|(told, at)| *told != self.runs && due(at));
            if self.coming.is_some() || !stale {
                return found;
            }
            let running = self.running.clone();
            // It draws some hundred thousand numbers: not on a thread that others wait for.
            let table = tokio::task::spawn_blocking(move || running.table());
            self.coming = Some(Coming { runs: self.runs, began: Instant::now(), table });
            if !self.over {
                return found;
            }
        }
    }

    /// Each lane's newest run takes the place of the one before.
    fn follow(&mut self) {
        for live in self.running.live() {
            let at = self.lanes.iter().position(|lane| lane.live.lane == live.lane);
            if at.is_some_and(|at| self.lanes[at].live.session.id() == live.session.id()) {
                continue;
            }
            let followed = Followed { watcher: live.session.watch(), live, rows: 0, over: false };
            match at {
                Some(at) => self.lanes[at] = followed,
                None => self.lanes.push(followed),
            }
        }
    }
}

impl Followed {
    fn news(&mut self) -> Option<LaneUpdate> {
        let update = self.watcher.now().filter(|_| !self.over)?;
        self.over = update.outcome.is_some();
        let analysis = self.live.session.analysis();
        let zero = analysis.again_at().map_or(0, |again| again.t);
        let rows = &analysis.fold.rows;
        let seen = std::mem::replace(&mut self.rows, rows.len());
        let content = rows.iter_from(seen).filter(|row| matches!(row.kind, Kind::Text | Kind::Reasoning) && row.t >= zero);
        let ticks = content.map(|row| row.t as f64 / 1e6).collect();
        Some(LaneUpdate { lane: self.live.lane, n: self.live.n, warmup: self.live.warmup, zero_ms: zero as f64 / 1e6, update, ticks })
    }
}
