//! Goes through kinds, ways, rounds and numbers, each round with two processes of its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use fastrand::Rng;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use weir_recordings::Library;

use super::child::{Answer, Process, Programs};
use super::kinds::{self, KindInfo, Way};
use super::view::{MemoryCost, MemoryPoint, MemoryRow, MemoryView};
use super::{MemoryDrill, usage};
use crate::compare::unix_ms;
use crate::drill::{DrillState, store};
use crate::{Engine, Error};

/// How long memory may settle once connections are open.
const SETTLE: Duration = Duration::from_millis(250);
/// How long a process may take to start.
const STARTING: Duration = Duration::from_secs(20);
/// How long connections may take to open: longer than the client waits for them.
const OPENING: Duration = Duration::from_secs(90);

/// A memory drill that runs, or ran. Clones are the same one. When the last of them is dropped, its processes end.
#[derive(Clone)]
pub struct Running(Arc<Shared>);

struct Shared {
    stop: watch::Sender<bool>,
    changed: Arc<watch::Sender<u64>>,
    started: Instant,
    view: Arc<Mutex<MemoryView>>,
}

fn lock(view: &Mutex<MemoryView>) -> MutexGuard<'_, MemoryView> {
    // A point is added in one step; a panic leaves whole ones.
    view.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a memory drill, which is kept in the engine's library; it gets an id of its own. Must be called within a tokio runtime.
///
/// # Errors
/// Those of [`MemoryDrill::check`]; the disk.
pub fn run(engine: &Engine, programs: Programs, mut drill: MemoryDrill) -> Result<Running, Error> {
    drill.check()?;
    let mut rng = Rng::new();
    drill.id = (0..12).map(|_| if rng.bool() { rng.lowercase() } else { rng.digit(10) }).collect();
    let nothing = MemoryCost { bytes: None, cpu: None };
    let infos: Vec<&'static KindInfo> = drill.kinds.iter().filter_map(|id| kinds::find(id)).collect();
    let row = |info: &KindInfo, way: Way| MemoryRow {
        kind: info.id.into(),
        name: info.name.into(),
        what: info.what.into(),
        way,
        points: Vec::new(),
        lab: nothing,
        client: nothing,
        problem: None,
    };
    let rows = infos.iter().flat_map(|info| drill.ways.iter().map(|way| row(info, *way))).collect();
    let view = MemoryView {
        started_at_ms: unix_ms(SystemTime::now()),
        state: DrillState::Running,
        elapsed_ms: 0.0,
        done: 0,
        of: drill.total(),
        doing: String::new(),
        rows,
        problem: None,
        drill: drill.clone(),
    };
    let library = engine.library().clone();
    store::make_room(&library)?;
    store::put(&library, &view)?;
    let (stop, mut stopped) = watch::channel(false);
    let (view, changed) = (Arc::new(Mutex::new(view)), Arc::new(watch::Sender::new(0)));
    let running = Running(Arc::new(Shared { stop, changed: changed.clone(), started: Instant::now(), view: view.clone() }));
    let started = running.0.started;
    tokio::spawn(async move {
        let series = Series { programs, drill, library: library.clone(), started, view: view.clone(), changed: changed.clone() };
        let ended = tokio::select! {
            ended = series.run() => Some(ended),
            // Dropping the series ends its processes. The sender goes with the last who could have wished for the result.
            _ = async { let _ = stopped.wait_for(|stop| *stop).await; } => None,
        };
        let mut over = lock(&view).clone();
        over.elapsed_ms = started.elapsed().as_secs_f64() * 1000.0;
        over.doing.clear();
        over.state = if ended.is_some() { DrillState::Done } else { DrillState::Stopped };
        over.problem = ended.and_then(Result::err).map(|error| *error.0);
        // Kept before it is told that it is over.
        if let Err(error) = keep(&library, over.clone()).await {
            over.problem.get_or_insert(*error.0);
        }
        *lock(&view) = over;
        changed.send_modify(|version| *version += 1);
    });
    Ok(running)
}

impl Running {
    /// Its id.
    pub fn id(&self) -> String {
        lock(&self.0.view).drill.id.clone()
    }

    /// Stops it: its processes end, what was measured is kept.
    pub fn stop(&self) {
        self.0.stop.send_replace(true);
    }

    /// Whether it still runs.
    pub fn is_live(&self) -> bool {
        lock(&self.0.view).state == DrillState::Running
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

    /// Resolves once something is new, or after a quarter of a second.
    pub async fn news(&self) {
        let mut changed = self.0.changed.subscribe();
        let _ = tokio::time::timeout(Duration::from_millis(250), changed.changed()).await;
    }

    /// All of it as it stands.
    pub fn view(&self) -> MemoryView {
        let mut view = lock(&self.0.view).clone();
        if view.state == DrillState::Running {
            view.elapsed_ms = self.0.started.elapsed().as_secs_f64() * 1000.0;
        }
        view
    }
}

/// Keeps it as it stands, off the runtime's own threads.
async fn keep(library: &Library, view: MemoryView) -> Result<(), Error> {
    let library = library.clone();
    // A writer that panicked has told itself.
    tokio::task::spawn_blocking(move || store::put(&library, &view)).await.unwrap_or(Ok(()))
}

struct Series {
    programs: Programs,
    drill: MemoryDrill,
    library: Library,
    started: Instant,
    view: Arc<Mutex<MemoryView>>,
    changed: Arc<watch::Sender<u64>>,
}

impl Series {
    async fn run(&self) -> Result<(), Error> {
        // Rounds outermost: what else the machine does meanwhile meets all kinds alike.
        for round in 1..=self.drill.rounds {
            let rows = lock(&self.view).rows.len();
            for at in 0..rows {
                let (kind, way, name) = {
                    let view = lock(&self.view);
                    (view.rows[at].kind.clone(), view.rows[at].way, view.rows[at].name.clone())
                };
                self.round(at, round, &kind, way, &name).await?;
            }
        }
        Ok(())
    }

    /// The series once, with two processes of its own.
    async fn round(&self, at: usize, round: u32, kind: &str, way: Way, name: &str) -> Result<(), Error> {
        let mut lab = Process::start(&self.programs.exe, &self.programs.lab, "the Lab")?;
        let listening = lab.line(STARTING).await?;
        let url = listening.strip_prefix("listening on ").unwrap_or_default().to_owned();
        // What is done for the first time, loading code and growing heaps, is no connection's cost: one of the kind comes and goes first.
        let mut client = Process::start(&self.programs.exe, &self.programs.client, "the client")?;
        self.open(&mut client, kind, way, 1, &url).await?;
        client.say("close").await?;
        client.line(OPENING).await?;
        let mut shortfall = None;
        for &count in std::iter::once(&0).chain(&self.drill.series) {
            self.tell(format!("{name}, {}, {count} of them, round {round}", way.name()));
            let answer = self.open(&mut client, kind, way, count, &url).await?;
            if answer.ended > 0 || answer.open < count {
                let why = answer.why.unwrap_or_else(|| "they did not open in time".into());
                shortfall = Some(format!("Round {round}: of {count} connections {} were open ({why}).", answer.open));
                break;
            }
            sleep(SETTLE).await;
            let pids = [lab.pid()?, client.pid()?];
            let (before, since) = (look(pids).await?, Instant::now());
            sleep(Duration::from_millis(self.drill.window_ms.into())).await;
            let after = look(pids).await?;
            let seconds = since.elapsed().as_secs_f64();
            let cpu = |end: usize| after[end].cpu_ms.saturating_sub(before[end].cpu_ms) as f64 / seconds;
            let point = MemoryPoint {
                round,
                connections: count,
                sockets: answer.sockets,
                lab_bytes: after[0].bytes,
                client_bytes: after[1].bytes,
                lab_cpu: cpu(0),
                client_cpu: cpu(1),
            };
            let so_far = {
                let mut view = lock(&self.view);
                view.done += 1;
                if let Some(row) = view.rows.get_mut(at) {
                    row.points.push(point);
                    row.reckon();
                }
                MemoryView { elapsed_ms: self.started.elapsed().as_secs_f64() * 1000.0, ..view.clone() }
            };
            self.changed.send_modify(|version| *version += 1);
            keep(&self.library, so_far).await?;
        }
        if let (Some(words), Some(row)) = (shortfall, lock(&self.view).rows.get_mut(at)) {
            row.problem = Some(words);
        }
        client.end().await;
        lab.end().await;
        Ok(())
    }

    async fn open(&self, client: &mut Process, kind: &str, way: Way, count: u32, url: &str) -> Result<Answer, Error> {
        client.say(&format!("open {kind} {} {} {count} {url}", way.name(), self.drill.words())).await?;
        let line = client.line(OPENING).await?;
        serde_json::from_str(&line).map_err(|error| {
            Error::new(
                "local",
                "process-gone",
                "The client's process answers in words of its own.",
                "Nothing more is measured.",
                error.to_string(),
                "",
            )
        })
    }

    fn tell(&self, doing: String) {
        lock(&self.view).doing = doing;
        self.changed.send_modify(|version| *version += 1);
    }
}

/// A look at both processes.
async fn look(pids: [u32; 2]) -> Result<[usage::Usage; 2], Error> {
    let found = tokio::task::spawn_blocking(move || usage::of(pids)).await.ok().flatten();
    found.ok_or_else(|| {
        let message = "The system does not tell what the two processes take.";
        Error::new(
            "local",
            "no-usage",
            message,
            "Nothing more is measured.",
            format!("processes {} and {}", pids[0], pids[1]),
            "Try again.",
        )
    })
}
