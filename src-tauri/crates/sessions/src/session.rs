//! A session, running or reopened: its fold and its bytes, and what can be asked of them.

mod fold;
mod frame;
mod places;
mod table;
mod watcher;

pub use watcher::Watcher;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use weir_recordings::{Reader, RecordKind};
use weir_transport::redact::Patterns;
use weir_transport::ws::Sender;
use weir_transport::{Control, journal::Clock};

use crate::analysis::{Analysis, Told};
use crate::console::Reflexes;
use crate::inspect::{self, Bytes, Reread, Selection};
use crate::line::Line;
use crate::plan::Plan;
use crate::view::SessionInfo;
use crate::{Error, credentials, view};

/// How long one question goes on searching payloads: an answer is due, and who asks may have lost interest.
const SEARCH: Duration = Duration::from_millis(80);

/// A session.
pub struct Session {
    id: String,
    title: Mutex<String>,
    plan: Plan,
    started_at_ms: i64,
    analysis: Mutex<Analysis>,
    /// Who waits for it: a log that is read anew lets them in between its steps.
    waiting: AtomicUsize,
    bytes: Stored,
    /// Held by who decodes a body again: one at a time.
    decoding: Mutex<()>,
    live: AtomicBool,
    /// Its log is being read anew; told when that is over.
    folding: (Mutex<bool>, Condvar),
    control: Control,
    clock: Clock,
    selections: Mutex<Vec<(String, Arc<Mutex<Selection>>)>>,
    changed: watch::Sender<u64>,
    /// Told once nothing more comes. Apart from [`Self::changed`]: who waits for the end of a flood is not woken at each of its reads.
    ended: watch::Sender<()>,
    /// What went wrong outside the wire: the disk failed.
    trouble: Mutex<Option<Error>>,
    /// The key and the credentials that were sent, while this is the run that sent them.
    hides: Patterns,
    /// The plan as the library keeps it, where it differs.
    kept: OnceLock<Plan>,
    /// Why its log could not be read to the end, if it could not.
    unreadable: OnceLock<Error>,
    /// What is said on its socket while it is open.
    line: Line,
    /// The body that lenses are held on.
    lenses: Mutex<Option<inspect::Run>>,
    /// What a console answers by itself.
    reflexes: Reflexes,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while holding one of these locks leaves data that is still whole: each change is a single append.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The empty analysis of a plan's run.
fn analysis(plan: &Plan) -> Analysis {
    let mut analysis = Analysis::new(plan.dialect(), plan.draft.transport);
    analysis.keyless = plan.is_keyless();
    if let Some(console) = &plan.console {
        analysis.console(console.mode);
    }
    analysis
}

impl Session {
    /// A session whose log will be told to [`Session::push`].
    pub fn new(id: &str, title: &str, plan: Plan, started_at_ms: i64, bytes: Reader, clock: Clock) -> Self {
        let analysis = analysis(&plan);
        let reflexes = Reflexes::default();
        if let Some(console) = &plan.console {
            // A draft whose rules cannot be read was refused before it came here; one from the library sends nothing.
            let _ = reflexes.set(console.echo, &console.rules);
        }
        Self {
            id: id.into(),
            title: Mutex::new(title.into()),
            plan,
            started_at_ms,
            analysis: Mutex::new(analysis),
            waiting: AtomicUsize::new(0),
            bytes: Stored { reader: bytes, kept: Mutex::default() },
            decoding: Mutex::new(()),
            live: AtomicBool::new(true),
            folding: (Mutex::new(false), Condvar::new()),
            control: Control::new(),
            clock,
            selections: Mutex::new(Vec::new()),
            changed: watch::Sender::new(0),
            ended: watch::Sender::new(()),
            trouble: Mutex::new(None),
            hides: Patterns::default(),
            kept: OnceLock::new(),
            line: Line::default(),
            unreadable: OnceLock::new(),
            lenses: Mutex::new(None),
            reflexes,
        }
    }

    /// Takes over what is secret in this run, so that [`Session::without_secret`] knows it, and the plan as it is kept.
    pub(crate) fn sends(&mut self, hides: Patterns, kept: Plan) {
        self.hides = hides;
        if kept != self.plan {
            // It is named once, before anything is sent.
            let _ = self.kept.set(kept);
        }
    }

    /// Keeps the credentials in `text`, which is about to be said on the socket that `sender` sends on, out of the log.
    pub(crate) fn hide_in(&self, text: &str, sender: &Sender) {
        for secret in credentials::of_json(text) {
            self.hides.add(secret.expose());
            sender.hide(&secret);
        }
    }

    /// `text` with stars for the key and the credentials. The taps keep them out of the log wherever they stand in one piece; a model that
    /// repeats one tells it delta by delta, and only the joined text shows it whole.
    pub(crate) fn without_secret(&self, text: String) -> String {
        self.hides.scrub(&text)
    }

    /// Its plan as it is kept and exported: without key and credentials.
    pub fn kept(&self) -> &Plan {
        self.kept.get().unwrap_or(&self.plan)
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it was asked to do.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What does not change while it runs.
    pub fn info(&self) -> SessionInfo {
        SessionInfo {
            id: self.id.clone(),
            title: lock(&self.title).clone(),
            draft: self.plan.draft.clone(),
            url: self.kept().call.url.clone(),
            started_at_ms: self.started_at_ms as f64,
            live: self.is_live(),
            console: self.plan.console.clone(),
        }
    }

    /// It has another title now.
    pub fn rename(&self, title: &str) {
        title.clone_into(&mut lock(&self.title));
    }

    /// Whether it still runs.
    pub fn is_live(&self) -> bool {
        self.live.load(Ordering::Acquire)
    }

    /// More may come: it runs, or its log is still being read.
    pub fn is_growing(&self) -> bool {
        self.is_live() || *lock(&self.folding.0)
    }

    /// Why its log could not be read to the end.
    pub(crate) fn unreadable(&self) -> Option<Error> {
        self.unreadable.get().cloned()
    }

    /// The user's hand on it.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// What a console answers by itself.
    pub(crate) fn reflexes(&self) -> &Reflexes {
        &self.reflexes
    }

    /// The open socket's line.
    pub(crate) fn line(&self) -> &Line {
        &self.line
    }

    /// Stops it: the socket is closed at once.
    pub fn stop(&self) {
        self.control.cancel();
    }

    /// Its clock: zero where it began. A session opened again has a clock of its own, which tells nothing of its log.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// The fold. Hold it briefly: the wire waits for it.
    pub fn analysis(&self) -> MutexGuard<'_, Analysis> {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        let analysis = lock(&self.analysis);
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        analysis
    }

    /// Its bytes.
    pub fn bytes(&self) -> &dyn Bytes {
        &self.bytes
    }

    /// Its log, record by record, and its library.
    pub fn log(&self) -> &Reader {
        &self.bytes.reader
    }

    /// When it began, Unix time in milliseconds.
    pub fn started_at_ms(&self) -> i64 {
        self.started_at_ms
    }

    /// The recording was impossible from here on.
    pub(crate) fn fail(&self, error: Error) {
        lock(&self.trouble).get_or_insert(error);
    }

    /// Something is new to be seen.
    pub(crate) fn notify(&self) {
        self.changed.send_modify(|version| *version += 1);
    }

    /// The log is over.
    pub(crate) fn end(&self, told: &mut dyn FnMut(Told<'_>)) {
        self.analysis().end(told);
        self.over();
    }

    /// Nothing more comes.
    pub(crate) fn over(&self) {
        self.live.store(false, Ordering::Release);
        self.notify();
        self.ended.send_modify(|()| ());
    }

    /// How it ended; `None` while it runs.
    pub fn outcome(&self) -> Option<view::Outcome> {
        let trouble = lock(&self.trouble).clone();
        if *lock(&self.folding.0) {
            return None;
        }
        let outcome = self.analysis().outcome()?;
        Some(match trouble {
            Some(error) => view::Outcome { kind: view::OutcomeKind::Failed, problem: Some(*error.0) },
            None => outcome,
        })
    }

    /// A watcher that has seen nothing yet.
    pub fn watch(self: &Arc<Self>) -> Watcher {
        Watcher::new(self.clone())
    }

    /// Resolves once the session is over.
    pub async fn ended(&self) {
        let mut ended = self.ended.subscribe();
        while self.is_growing() {
            if ended.changed().await.is_err() {
                return;
            }
        }
    }

    /// When the response began, Unix time in milliseconds: what relative times in its fields count from.
    fn answered_at_ms(&self, analysis: &Analysis) -> u64 {
        let since = analysis.phases.first_byte.unwrap_or_default() / 1_000_000;
        u64::try_from(self.started_at_ms).unwrap_or_default() + since
    }

    fn elapsed(&self, analysis: &Analysis) -> u64 {
        if self.is_live() { self.clock.now() } else { analysis.phases.end.unwrap_or(analysis.elapsed()) }
    }
}

/// A session's bytes, and what is kept of its compressed bodies.
struct Stored {
    reader: Reader,
    kept: Mutex<Reread>,
}

impl Bytes for Stored {
    fn read(&self, conn: u32, out: bool, start: u64, len: usize) -> Result<Vec<u8>, Error> {
        let kind = if out { RecordKind::Out } else { RecordKind::In };
        self.reader.read(conn, kind, start, len).map_err(Error::from)
    }

    fn reread(&self) -> Option<&Mutex<Reread>> {
        Some(&self.kept)
    }
}
