//! Makes the runs: one after another or a round at once, each an ordinary session, and keeps what came of them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use fastrand::Rng;
use tokio::sync::watch;
use weir_stats::quantile;

use super::clock::{BEAT, Clock, Oddity, Reading, SystemClock};
use super::store::{self, Head};
use super::{Comparison, ComparisonView, Failure, Order, Progress, Run, RunFigures, State, Table, Watcher};
use crate::view::OutcomeKind;
use crate::{Engine, Error, KeyChoice, Session};

/// A comparison that runs, or ran since the program began. Clones are the same one.
#[derive(Clone)]
pub struct Running(Arc<Shared>);

struct Shared {
    engine: Engine,
    comparison: Comparison,
    clock: Arc<dyn Clock>,
    started: Instant,
    started_at_ms: f64,
    stopped: AtomicBool,
    stop: watch::Sender<bool>,
    changed: watch::Sender<u64>,
    log: Mutex<Log>,
    /// The newest table, and the runs it tells of: several ask for the same one.
    table: Mutex<Option<(usize, Table)>>,
}

#[derive(Default)]
struct Log {
    runs: Vec<Run>,
    /// The newest session of each lane.
    live: Vec<Option<Live>>,
    /// How it ended, and after how many milliseconds.
    ended: Option<(State, f64)>,
    /// Why it could not go on.
    problem: Option<Error>,
}

/// A run whose session can be watched.
#[derive(Clone)]
pub(super) struct Live {
    pub(super) lane: u32,
    pub(super) n: u32,
    pub(super) warmup: bool,
    pub(super) session: Arc<Session>,
}

/// A run to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) lane: u32,
    pub(super) n: u32,
    pub(super) warmup: bool,
    pub(super) order: u32,
}

/// The rounds of a comparison: each lane once a round, in an order drawn from the seed.
pub(super) fn rounds(comparison: &Comparison) -> Vec<Vec<Slot>> {
    let mut rng = Rng::with_seed(comparison.seed);
    let mut order = 0;
    (0..comparison.warmups + comparison.runs)
        .map(|round| {
            let warmup = round < comparison.warmups;
            let n = if warmup { round } else { round - comparison.warmups } + 1;
            let mut lanes: Vec<u32> = (0..comparison.lanes.len() as u32).collect();
            rng.shuffle(&mut lanes);
            lanes
                .into_iter()
                .map(|lane| {
                    let slot = Slot { lane, n, warmup, order };
                    order += 1;
                    slot
                })
                .collect()
        })
        .collect()
}

/// Starts a comparison; it gets an id of its own. Must be called within a tokio runtime.
///
/// # Errors
/// Those of [`Comparison::check`]; the disk.
pub fn run(engine: &Engine, comparison: Comparison, key: KeyChoice) -> Result<Running, Error> {
    run_on(engine, comparison, key, Arc::new(SystemClock))
}

/// The same by other clocks, for tests of what is said when they go wrong.
///
/// # Errors
/// Those of [`run`].
pub fn run_on(engine: &Engine, mut comparison: Comparison, key: KeyChoice, clock: Arc<dyn Clock>) -> Result<Running, Error> {
    comparison.check(engine)?;
    comparison.id = new_id();
    if comparison.title.trim().is_empty() {
        comparison.title = comparison.lanes.iter().map(|lane| lane.name.as_str()).collect::<Vec<_>>().join(" / ");
    }
    let lanes = comparison.lanes.len();
    let running = Running(Arc::new(Shared {
        engine: engine.clone(),
        started: Instant::now(),
        started_at_ms: unix_ms(clock.read().wall),
        clock,
        stopped: AtomicBool::new(false),
        stop: watch::Sender::new(false),
        changed: watch::Sender::new(0),
        log: Mutex::new(Log { live: vec![None; lanes], ..Log::default() }),
        table: Mutex::new(None),
        comparison,
    }));
    running.keep()?;
    let driven = running.clone();
    tokio::spawn(async move { driven.drive(key).await });
    Ok(running)
}

pub(crate) fn unix_ms(at: SystemTime) -> f64 {
    at.duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64() * 1000.0).floor()
}

/// Twelve letters and digits, drawn from the system's randomness.
fn new_id() -> String {
    let mut rng = Rng::new();
    (0..12).map(|_| if rng.bool() { rng.lowercase() } else { rng.digit(10) }).collect()
}

impl Running {
    /// Its id.
    pub fn id(&self) -> &str {
        &self.0.comparison.id
    }

    /// What was asked for.
    pub fn comparison(&self) -> &Comparison {
        &self.0.comparison
    }

    /// Stops it: runs under way are cancelled and left out, what is there is kept.
    pub fn stop(&self) {
        self.0.stopped.store(true, Ordering::Release);
        self.0.stop.send_replace(true);
        let live: Vec<Live> = self.log().live.iter().flatten().cloned().collect();
        live.iter().for_each(|live| live.session.stop());
    }

    /// Whether it still runs.
    pub fn is_live(&self) -> bool {
        self.log().ended.is_none()
    }

    /// Resolves once it is over.
    pub async fn ended(&self) {
        let mut changed = self.0.changed.subscribe();
        while self.is_live() {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// Why it could not go on: the library failed.
    pub fn problem(&self) -> Option<Error> {
        self.log().problem.clone()
    }

    /// How far it has got.
    pub fn progress(&self) -> Progress {
        let log = self.log();
        let of = self.0.comparison.total();
        let done = log.runs.len() as u32;
        let (state, elapsed_ms) = log.ended.unwrap_or_else(|| (State::Running, self.0.started.elapsed().as_secs_f64() * 1000.0));
        let left_ms = match state {
            State::Running => self.left_ms(&log.runs),
            _ => Some(0.0),
        };
        let failed = log.runs.iter().filter(|run| run.failure.is_some()).count() as u32;
        Progress { state, done, of, failed, elapsed_ms, left_ms }
    }

    /// The rest at the pace so far: each lane's median run, and the pauses. Lanes without a run are taken for the mean of the others.
    fn left_ms(&self, runs: &[Run]) -> Option<f64> {
        let comparison = &self.0.comparison;
        let each = f64::from(comparison.runs + comparison.warmups);
        let medians: Vec<(f64, Option<f64>)> = (0..comparison.lanes.len())
            .map(|lane| {
                let of_lane: Vec<&Run> = runs.iter().filter(|run| run.lane as usize == lane).collect();
                let mut took: Vec<f64> = of_lane.iter().filter_map(|run| run.figures.total).collect();
                took.sort_unstable_by(f64::total_cmp);
                (each - of_lane.len() as f64, (!took.is_empty()).then(|| quantile(&took, 0.5)))
            })
            .collect();
        let known: Vec<f64> = medians.iter().filter_map(|(_, median)| *median).collect();
        if known.is_empty() {
            return None;
        }
        let usual = known.iter().sum::<f64>() / known.len() as f64;
        let pause = f64::from(comparison.pause_ms);
        Some(match comparison.order {
            Order::Interleaved => medians.iter().map(|(left, median)| left * (median.unwrap_or(usual) + pause)).sum(),
            Order::Parallel => {
                let rounds = medians.iter().map(|(left, _)| *left).fold(0.0, f64::max);
                let slowest = medians.iter().map(|(_, median)| median.unwrap_or(usual)).fold(0.0, f64::max);
                rounds * (slowest + pause)
            }
        })
    }

    /// The runs that are over.
    pub fn runs(&self) -> Vec<Run> {
        self.log().runs.clone()
    }

    /// The figures so far. Reckoned once for the same runs, whoever asks; that takes a while.
    pub fn table(&self) -> Table {
        // A table is put in whole, so what a panic left behind is.
        let mut kept = self.0.table.lock().unwrap_or_else(PoisonError::into_inner);
        let runs = self.runs();
        if let Some((_, table)) = kept.as_ref().filter(|(told, _)| *told == runs.len()) {
            return table.clone();
        }
        let table = Table::of(&self.0.comparison, &runs);
        *kept = Some((runs.len(), table.clone()));
        table
    }

    /// All of it as it is now.
    pub fn view(&self) -> ComparisonView {
        ComparisonView {
            comparison: self.0.comparison.clone(),
            started_at_ms: self.0.started_at_ms,
            progress: self.progress(),
            runs: self.runs(),
            table: self.table(),
        }
    }

    /// A watcher that has seen nothing yet.
    pub fn watch(&self) -> Watcher {
        Watcher::new(self.clone(), self.0.changed.subscribe())
    }

    pub(super) fn live(&self) -> Vec<Live> {
        self.log().live.iter().flatten().cloned().collect()
    }

    /// Runs from the `from`th on.
    pub(super) fn runs_from(&self, from: usize) -> Vec<Run> {
        self.log().runs.get(from..).unwrap_or_default().to_vec()
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        // Each change is a single push or assignment, so what a panic left behind is whole.
        self.0.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn notify(&self) {
        self.0.changed.send_modify(|version| *version += 1);
    }

    fn is_stopped(&self) -> bool {
        self.0.stopped.load(Ordering::Acquire)
    }

    /// Writes the head.
    fn keep(&self) -> Result<(), Error> {
        let progress = self.progress();
        store::put_head(
            self.0.engine.library(),
            &Head {
                comparison: self.0.comparison.clone(),
                started_at_ms: self.0.started_at_ms,
                state: progress.state,
                elapsed_ms: progress.elapsed_ms,
                done: progress.done,
                failed: progress.failed,
                process: std::process::id(),
                kept_at_ms: unix_ms(SystemTime::now()),
            },
        )
    }

    async fn drive(&self, key: KeyChoice) {
        let mut then = self.0.clock.read();
        let mut first = true;
        for round in rounds(&self.0.comparison) {
            let steps: Vec<Vec<Slot>> = match self.0.comparison.order {
                Order::Interleaved => round.into_iter().map(|slot| vec![slot]).collect(),
                Order::Parallel => vec![round],
            };
            for step in steps {
                if !std::mem::replace(&mut first, false) {
                    self.pause().await;
                }
                if self.is_stopped() {
                    return self.end(State::Stopped).await;
                }
                self.step(step, &key, &mut then).await;
                if self.is_stopped() || self.log().problem.is_some() {
                    return self.end(State::Stopped).await;
                }
            }
        }
        self.end(State::Done).await;
    }

    async fn pause(&self) {
        if self.0.comparison.pause_ms == 0 {
            return;
        }
        let mut stop = self.0.stop.subscribe();
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(self.0.comparison.pause_ms.into())) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    /// Runs that are made at once: one, or a round.
    async fn step(&self, slots: Vec<Slot>, key: &KeyChoice, then: &mut Reading) {
        let clock = &self.0.clock;
        let before = clock.read();
        let earlier = Oddity::between(*then, before);
        let runs: Vec<_> = slots.iter().map(|slot| tokio::spawn(self.clone().one(*slot, key.clone()))).collect();
        let mut made = Vec::new();
        let all = async {
            for run in runs {
                // A run's task ends by itself; where it panicked there is no run to keep.
                if let Ok(Some(run)) = run.await {
                    made.push(run);
                }
            }
        };
        let (mut last, mut stood) = (before, Oddity::default());
        tokio::select! {
            () = all => {}
            () = beats(clock.as_ref(), &mut last, &mut stood) => {}
        }
        let after = clock.read();
        // After a standstill the runs may end before the beat that was due.
        stood.beat(last, after);
        let within = Oddity { stood_ms: stood.stood_ms, ..Oddity::between(before, after) };
        *then = after;
        for mut run in made {
            let told = if within.is_some() { within } else { earlier };
            run.within = within.is_some();
            run.disturbed = within.disturbs();
            (run.clock_jump_ms, run.slept_ms, run.stood_ms) = (told.jump_ms, told.slept_ms, told.stood_ms);
            self.keep_run(run).await;
        }
    }

    /// One run; `None` where it was stopped on the way.
    async fn one(self, slot: Slot, key: KeyChoice) -> Option<Run> {
        let shared = self.0.clone();
        let comparison = &shared.comparison;
        let lane = comparison.lanes.get(slot.lane as usize)?;
        let kind = if slot.warmup { "warm-up" } else { "run" };
        let draft = lane.request(format!("{} · {} {} · {kind} {}", comparison.title, super::letter(slot.lane as usize), lane.name, slot.n));
        let started_at_ms = unix_ms(shared.clock.read().wall);
        let engine = shared.engine.clone();
        // Creating a session waits for the disk.
        let sent = tokio::task::spawn_blocking(move || engine.send(&draft, key, None)).await;
        let run = Run {
            lane: slot.lane,
            n: slot.n,
            session: String::new(),
            warmup: slot.warmup,
            order: slot.order,
            started_at_ms,
            figures: RunFigures::default(),
            failure: None,
            clock_jump_ms: None,
            slept_ms: None,
            stood_ms: None,
            within: false,
            disturbed: false,
            date_ahead_ms: None,
        };
        let session = match sent.ok()? {
            Ok(session) => session,
            Err(error) => {
                let problem = *error.0;
                let failure = Failure { code: problem.code, message: problem.message, blame: problem.blame, status: None };
                return Some(Run { failure: Some(failure), ..run });
            }
        };
        let live = Live { lane: slot.lane, n: slot.n, warmup: slot.warmup, session: session.clone() };
        if let Some(place) = self.log().live.get_mut(slot.lane as usize) {
            *place = Some(live);
        }
        self.notify();
        if self.is_stopped() {
            session.stop();
        }
        session.ended().await;
        let outcome = session.outcome();
        if self.is_stopped() && outcome.as_ref().is_none_or(|outcome| outcome.kind == OutcomeKind::Cancelled) {
            return None;
        }
        let date_ahead_ms = date_ahead(&session, started_at_ms);
        let figures = RunFigures::of(&session);
        Some(Run { session: session.id().to_owned(), figures, failure: failure(&session), date_ahead_ms, ..run })
    }

    async fn keep_run(&self, run: Run) {
        let shared = self.0.clone();
        let kept = run.clone();
        let write = tokio::task::spawn_blocking(move || -> Result<(), Error> {
            let library = shared.engine.library();
            if !kept.session.is_empty() {
                shared.engine.library_of(&kept.session).set_tags(&kept.session, &[store::tag(&shared.comparison.id)])?;
            }
            store::put_run(library, &shared.comparison.id, &kept)
        });
        self.log().runs.push(run);
        let head = self.clone();
        let head = async move { tokio::task::spawn_blocking(move || head.keep()).await };
        for written in [write.await, head.await] {
            if let Ok(Err(error)) = written {
                self.log().problem.get_or_insert(error);
            }
        }
        self.notify();
    }

    async fn end(&self, state: State) {
        let elapsed = self.0.started.elapsed().as_secs_f64() * 1000.0;
        self.log().ended = Some((state, elapsed));
        let kept = self.clone();
        let write = move || {
            kept.keep()?;
            store::put_table(kept.0.engine.library(), kept.id(), kept.runs().len(), kept.table())
        };
        if let Ok(Err(error)) = tokio::task::spawn_blocking(write).await {
            self.log().problem.get_or_insert(error);
        }
        self.notify();
    }
}

/// Why a session that is over does not count; `None` where it completed.
fn failure(session: &Session) -> Option<Failure> {
    let outcome = session.outcome()?;
    if outcome.kind == OutcomeKind::Complete {
        return None;
    }
    let status = session.analysis().fold.status.as_ref().map(|status| status.code);
    Some(match outcome.problem {
        Some(problem) => Failure { code: problem.code, message: problem.message, blame: problem.blame, status },
        None => Failure {
            code: if outcome.kind == OutcomeKind::Cancelled { "cancelled" } else { "cut" }.into(),
            message: "The reply ended before its end.".into(),
            blame: if outcome.kind == OutcomeKind::Cancelled { "user" } else { "peer" }.into(),
            status,
        },
    })
}

/// Looks at the clocks every now and then, as long as it is let.
async fn beats(clock: &dyn Clock, last: &mut Reading, odd: &mut Oddity) {
    loop {
        tokio::time::sleep(BEAT).await;
        let now = clock.read();
        odd.beat(*last, now);
        *last = now;
    }
}

/// How far this machine's clock lay ahead of the response's `Date`, ms. The response's first byte is the moment nearest to its making.
fn date_ahead(session: &Session, started_at_ms: f64) -> Option<f64> {
    let analysis = session.analysis();
    let (_, date) = analysis.fold.response.iter().find(|(name, _)| name.eq_ignore_ascii_case("date"))?;
    let date = jiff::fmt::rfc2822::parse(date).ok()?.timestamp().as_millisecond() as f64;
    let came = analysis.phases.first_byte? as f64 / 1e6;
    Some(started_at_ms + came - date)
}
