//! Runs the lanes of a drill at once, on one clock, and tells of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use fastrand::Rng;
use tokio::sync::watch;
use tokio::time::Instant;
use weir_dialects::{Ask, Call, Header, Message, Outgoing, Role};

use super::lane::Lane;
use super::lanes::{self, LaneInfo};
use super::protocol::Asked;
use super::tally::Tally;
use super::view::{DrillState, DrillUpdate, DrillView, LaneReport, LaneUpdate, LaneView};
use super::{Drill, driver, store};
use crate::compare::unix_ms;
use crate::view::{Draft, Problem};
use crate::{Engine, Error, Plan};

/// A quarter of a second: figures change no faster than they can be read.
const FIGURES: Duration = Duration::from_millis(250);
/// How often a drill that runs is kept: what is lost with the program is no more than this.
const KEEPING: Duration = Duration::from_secs(2);

/// A drill that runs, or ran. Clones are the same one.
#[derive(Clone)]
pub struct Running(Arc<Shared>);

struct Shared {
    drill: Arc<Drill>,
    started: Instant,
    started_at_ms: f64,
    stop: watch::Sender<bool>,
    changed: watch::Sender<u64>,
    tallies: Vec<Arc<Mutex<Tally>>>,
    end: Mutex<Option<End>>,
}

/// How it ended, after how many milliseconds, and why it could not be kept.
#[derive(Clone)]
struct End {
    state: DrillState,
    elapsed_ms: f64,
    problem: Option<Problem>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Counts are changed one after another; a panic leaves none half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a drill against the engine's Lab; it gets an id of its own. Must be called within a tokio runtime.
///
/// # Errors
/// Those of [`Drill::check`]; `lab-stopped`; the disk.
pub fn run(engine: &Engine, mut drill: Drill) -> Result<Running, Error> {
    drill.check()?;
    let lab = engine.lab().ok_or_else(|| {
        Error::new(
            "local",
            "lab-stopped",
            "The Lab does not run.",
            "Nothing was sent.",
            "",
            "Start it in the Lab view: a drill needs its faults.",
        )
    })?;
    let lab = lab.trim_end_matches('/').to_owned();
    let mut rng = Rng::new();
    drill.id = (0..12).map(|_| if rng.bool() { rng.lowercase() } else { rng.digit(10) }).collect();
    let started = Instant::now();
    let infos: Vec<&'static LaneInfo> = drill.lanes.iter().filter_map(|id| lanes::find(id)).collect();
    let tallies: Vec<_> = infos
        .iter()
        .map(|info| Arc::new(Mutex::new(Tally::new(drill.tokens, started, LaneView { report: head(info), ..LaneView::default() }))))
        .collect();
    let shared = Arc::new(Shared {
        drill: Arc::new(drill),
        started,
        started_at_ms: unix_ms(SystemTime::now()),
        stop: watch::Sender::new(false),
        changed: watch::Sender::new(0),
        tallies,
        end: Mutex::default(),
    });
    let running = Running(shared.clone());
    let library = engine.library().clone();
    store::make_room(&library)?;
    let mut tasks = Vec::new();
    for (info, tally) in infos.into_iter().zip(&shared.tallies) {
        let mut lane = Lane {
            info,
            protocol: lanes::protocol(info, shared.drill.prompt(), shared.drill.tokens, rng.u64(..)),
            drill: shared.drill.clone(),
            lab: lab.clone(),
            tally: tally.clone(),
            changed: shared.changed.clone(),
            stop: shared.stop.subscribe(),
        };
        let first = lane.first();
        let plan = plan(&shared.drill, info, &lab, &first);
        let title = format!("Drill · {} · {}", shared.drill.fault, info.name);
        let (session, journal) = engine.begin(plan, &title, None, None)?;
        engine.library_of(session.id()).set_tags(session.id(), &[format!("drill:{}", shared.drill.id)])?;
        lock(tally).view.report.session = session.id().to_owned();
        let tally = tally.clone();
        tasks.push(tokio::spawn(async move {
            lane.run(first, journal).await;
            // The journal went with the lane; its session is over once all of it is kept.
            session.ended().await;
            let mut tally = lock(&tally);
            let stopped = tally.view.report.error.as_deref() == Some("cancelled");
            tally.view.state = if stopped { DrillState::Stopped } else { DrillState::Done };
        }));
    }
    store::put(&library, &running.view())?;
    let kept = running.clone();
    tokio::spawn(async move {
        let keep = async |end: Option<&End>| {
            let (library, view) = (library.clone(), kept.view_at(end));
            tokio::task::spawn_blocking(move || store::put(&library, &view)).await
        };
        let lanes = async {
            for task in tasks {
                // A lane that panicked has told itself; its figures stay as they are.
                let _ = task.await;
            }
        };
        tokio::pin!(lanes);
        loop {
            tokio::select! {
                () = &mut lanes => break,
                // What cannot be kept now is told at the end, if it still cannot.
                () = tokio::time::sleep(KEEPING) => drop(keep(None).await),
            }
        }
        let state = if *shared.stop.borrow() { DrillState::Stopped } else { DrillState::Done };
        let mut end = End { state, elapsed_ms: shared.started.elapsed().as_secs_f64() * 1000.0, problem: None };
        // Kept before it is told that it is over.
        end.problem = keep(Some(&end)).await.ok().and_then(Result::err).map(|error| *error.0);
        *lock(&shared.end) = Some(end);
        shared.changed.send_modify(|version| *version += 1);
    });
    Ok(running)
}

fn head(info: &LaneInfo) -> LaneReport {
    LaneReport {
        lane: info.id.into(),
        name: info.name.into(),
        dialect: info.dialect.into(),
        transport: info.transport,
        resumes: info.resumes.into(),
        ..LaneReport::default()
    }
}

/// The plan of a lane's session: its first request.
fn plan(drill: &Drill, info: &LaneInfo, lab: &str, first: &Asked) -> Plan {
    let url = driver::url(lab, drill, first);
    let own = match first {
        Asked::Http { headers, .. } => headers.as_slice(),
        Asked::Socket { .. } => &[],
    };
    let fields = own.iter().cloned().chain(driver::lab_fields(drill, &drill.fault_of(1)));
    let headers: Vec<Header> = fields.map(|(name, value)| Header { name: name.into(), value }).collect();
    let call = match first {
        Asked::Http { method, body, .. } => Call { method: (*method).into(), ..Call::post(url.clone(), headers, body.clone()) },
        Asked::Socket { messages, .. } => Call::socket(url.clone(), headers, messages.iter().map(Outgoing::text).collect()),
    };
    let message = Message::new(Role::User, drill.prompt());
    let draft = Draft {
        provider: "lab".into(),
        dialect: info.dialect.into(),
        transport: info.transport,
        http: drill.http.clone(),
        base_url: None,
        url: Some(url),
        ask: Ask { model: "lab/steady".into(), messages: vec![message], ..Ask::default() },
        headers: Vec::new(),
        insecure: false,
        title: None,
        keep_open: false,
        deflate: false,
        reused: false,
    };
    let patience = drill.patience().as_secs_f64();
    Plan { draft, dialect: info.dialect.into(), call, limits: [10.0, patience, patience, 0.0], proxy: "direct".into(), console: None }
}

impl Running {
    /// Its id.
    pub fn id(&self) -> &str {
        &self.0.drill.id
    }

    /// Stops it: connections are closed, what came is kept.
    pub fn stop(&self) {
        self.0.stop.send_replace(true);
    }

    /// Whether it still runs.
    pub fn is_live(&self) -> bool {
        lock(&self.0.end).is_none()
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

    /// Where it stands.
    fn standing(&self) -> End {
        let running = || End { state: DrillState::Running, elapsed_ms: self.0.started.elapsed().as_secs_f64() * 1000.0, problem: None };
        lock(&self.0.end).clone().unwrap_or_else(running)
    }

    /// All of it as it stands.
    pub fn view(&self) -> DrillView {
        self.view_at(None)
    }

    /// All of it, at an end that is not told yet.
    fn view_at(&self, end: Option<&End>) -> DrillView {
        let End { state, elapsed_ms, problem } = end.cloned().unwrap_or_else(|| self.standing());
        let lanes = self.0.tallies.iter().map(|tally| lock(tally).view.clone()).collect();
        DrillView { drill: self.0.drill.as_ref().clone(), started_at_ms: self.0.started_at_ms, state, elapsed_ms, lanes, problem }
    }

    /// A watcher that has seen nothing yet.
    pub fn watch(&self) -> Watcher {
        Watcher {
            running: self.clone(),
            changed: self.0.changed.subscribe(),
            seen: vec![0; self.0.tallies.len()],
            told: false,
            over: false,
        }
    }
}

/// Follows a drill for one view: each update holds the words that came since the last one.
pub struct Watcher {
    running: Running,
    changed: watch::Receiver<u64>,
    seen: Vec<usize>,
    told: bool,
    over: bool,
}

impl Watcher {
    /// What is new: the first time at once, then not before something is, or a quarter of a second has passed. `None` after the update that
    /// told the end.
    pub async fn next(&mut self) -> Option<DrillUpdate> {
        if self.over {
            return None;
        }
        if std::mem::replace(&mut self.told, true) {
            let _ = tokio::time::timeout(FIGURES, self.changed.changed()).await;
        }
        self.changed.mark_unchanged();
        // What is asked first is told last: what came meanwhile is in the next update.
        let End { state, elapsed_ms, problem } = self.running.standing();
        self.over = state != DrillState::Running;
        let mut lanes = Vec::new();
        for (tally, seen) in self.running.0.tallies.iter().zip(&mut self.seen) {
            let tally = lock(tally);
            let view = &tally.view;
            let ticks = view.ticks[*seen..].to_vec();
            *seen = view.ticks.len();
            lanes.push(LaneUpdate { state: view.state, report: view.report.clone(), moments: view.moments.clone(), ticks });
        }
        Some(DrillUpdate { id: self.running.id().to_owned(), state, elapsed_ms, lanes, problem })
    }
}
