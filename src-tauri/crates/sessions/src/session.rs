//! A session, running or reopened: its fold, its bytes, and what its watchers have seen.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use weir_dialects::{ToolCall, limits};
use weir_recordings::{Reader, RecordKind};
use weir_transport::redact::Patterns;
use weir_transport::ws::Sender;
use weir_transport::{Control, journal::Clock};

use crate::analysis::{Analysis, KINDS, ReplyBlock, RowId, Told, utf16_len};
use crate::console::Reflexes;
use crate::inspect::{self, Bytes, Reread, Selection};
use crate::line::Line;
use crate::plan::Plan;
use crate::view::{Block, ByteShares, FilterError, FrameDetail, KindCount, Landmark, Place, Ribbon, RowsPage, SessionInfo, State, Update};
use crate::{Error, credentials, view};

/// Filters whose selections are kept at once.
const SELECTIONS: usize = 4;
/// How long one question goes on searching payloads: an answer is due, and who asks may have lost interest.
const SEARCH: Duration = Duration::from_millis(80);
/// How often views are told of rows while a log is read anew: a display frame.
const TELL: Duration = Duration::from_millis(16);

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

    /// It is one of the library, and its log is about to be read.
    pub(crate) fn reopen(&self) {
        self.live.store(false, Ordering::Release);
        *lock(&self.folding.0) = true;
    }

    /// Reads its log, in steps between which views may look.
    pub(crate) fn fold(&self) {
        /// Entries of a step, and bytes of them: a millisecond or two.
        const STEP: (usize, usize) = (256, 512 << 10);
        /// As long as somebody waits, the next step does, but no longer than this.
        const PATIENCE: Duration = Duration::from_millis(20);
        let (mut entries, mut bytes, mut broken) = (Vec::with_capacity(STEP.0), 0, None);
        let mut told = Instant::now();
        let mut push = |entries: &mut Vec<_>| {
            let mut analysis = lock(&self.analysis);
            entries.drain(..).for_each(|entry| analysis.push(&entry, &mut |_| {}));
            drop(analysis);
            if told.elapsed() > TELL {
                told = Instant::now();
                self.notify();
            }
            // A lock is not handed on in turn: whoever gives it back and asks again at once mostly has it again.
            let since = Instant::now();
            while self.waiting.load(Ordering::Acquire) > 0 && since.elapsed() < PATIENCE {
                std::thread::yield_now();
            }
        };
        let read = self.bytes.reader.records(&mut |record| {
            bytes += record.bytes.len();
            match crate::log::entry(record) {
                Ok(entry) => {
                    entries.push(entry);
                    if entries.len() == STEP.0 || bytes >= STEP.1 {
                        bytes = 0;
                        push(&mut entries);
                    }
                    ControlFlow::Continue(())
                }
                Err(error) => {
                    broken = Some(error);
                    ControlFlow::Break(())
                }
            }
        });
        push(&mut entries);
        if let Some(error) = broken.or(read.err().map(Error::from)) {
            let _ = self.unreadable.set(error.clone());
            self.fail(error);
        }
        self.analysis().end(&mut |_| {});
        *lock(&self.folding.0) = false;
        self.folding.1.notify_all();
        self.over();
    }

    /// Folds its log once more, from the first byte, and tells every delta as the run told it, until `told` breaks off.
    ///
    /// # Errors
    /// The log cannot be read, or holds what this Weir does not know.
    pub fn retell(&self, told: &mut dyn FnMut(Told<'_>) -> ControlFlow<()>) -> Result<(), Error> {
        let mut analysis = analysis(&self.plan);
        let (mut going, mut broken) = (ControlFlow::Continue(()), None);
        self.bytes.reader.records(&mut |record| {
            match crate::log::entry(record) {
                Ok(entry) => analysis.push(&entry, &mut |delta| {
                    if going.is_continue() {
                        going = told(delta);
                    }
                }),
                Err(error) => {
                    broken = Some(error);
                    going = ControlFlow::Break(());
                }
            }
            going
        })?;
        if let Some(error) = broken {
            return Err(error);
        }
        analysis.end(&mut |delta| {
            if going.is_continue() {
                going = told(delta);
            }
        });
        Ok(())
    }

    /// Waits until its log has been read, or for that long.
    pub(crate) fn folded(&self, patience: Duration) {
        let folding = lock(&self.folding.0);
        // A panic while it was read leaves what was read.
        drop(self.folding.1.wait_timeout_while(folding, patience.min(Duration::from_secs(u32::MAX.into())), |folding| *folding));
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

    /// A page of the frame table under `filter`. One that reads payloads searches for a moment only: the page says how far it came,
    /// and the next question goes on from there.
    pub fn rows(&self, filter: &str, start: usize, count: usize) -> Result<RowsPage, FilterError> {
        let count = count.min(1000);
        // A row of a compressed body whose line is made from its bytes: the last of the page is the furthest in.
        let coded = self.with_selection(
            filter,
            |_| false,
            |selection| {
                let analysis = self.analysis();
                let fold = &analysis.fold;
                let coded = |id: &RowId| {
                    let row = inspect::row(fold, *id).filter(|row| row.block == 0);
                    row.is_some_and(|row| fold.streams.get(row.stream as usize).is_some_and(|stream| stream.coded))
                };
                (start..selection.len(fold).min(start + count)).rev().filter_map(|at| selection.id(fold, at)).find(coded)
            },
        )?;
        // What hinders it shows in the row.
        let waiting = coded.and_then(|id| self.decode(id).ok().flatten());
        let show = |selection: &mut Selection| selection.page(&self.analysis().fold, &self.bytes, start, count);
        let mut page = self.with_selection(filter, |_| false, show)?;
        if let Some(share) = waiting {
            page.searched = Some(page.searched.map_or(share, |searched| searched.min(share)));
        }
        Ok(page)
    }

    /// Where the bytes of the rows under `filter` go. A filter that reads payloads is searched for a moment only, as for [`Session::rows`].
    pub fn shares(&self, filter: &str) -> Result<ByteShares, FilterError> {
        self.with_selection(
            filter,
            |_| false,
            |selection| {
                let analysis = self.analysis();
                let shares = selection.shares(&analysis.fold);
                ByteShares {
                    bytes: shares.total(),
                    layers: shares.named(),
                    of: analysis.fold.wire,
                    tls: (analysis.phases.tls_overhead.0 > 0 && filter.trim().is_empty()).then_some(analysis.phases.tls_overhead.0),
                    searched: selection.searched(&analysis.fold),
                }
            },
        )
    }

    /// Position of a row under `filter`; `None` where it does not pass, or was not looked at yet.
    pub fn position(&self, filter: &str, row: u32) -> Result<Option<usize>, FilterError> {
        let find = |selection: &mut Selection| selection.position(&self.analysis().fold, RowId(row));
        self.with_selection(filter, |selection| selection.has_seen(RowId(row)), find)
    }

    /// Brings the selection of `filter` up to date, in steps: the wire waits for none that reads bytes. A search of payloads stops
    /// when it is `enough`, or its time is up.
    pub(crate) fn with_selection<T>(
        &self,
        filter: &str,
        enough: impl Fn(&Selection) -> bool,
        show: impl FnOnce(&mut Selection) -> T,
    ) -> Result<T, FilterError> {
        let selection = self.selection(filter)?;
        let mut selection = lock(&selection);
        let until = Instant::now() + SEARCH;
        loop {
            let step = selection.gather(&self.analysis().fold);
            let more = step.more;
            selection.settle(step, &self.bytes);
            if !more || (selection.reads_payload() && (enough(&selection) || Instant::now() >= until)) {
                break;
            }
            std::thread::yield_now();
        }
        Ok(show(&mut selection))
    }

    fn selection(&self, filter: &str) -> Result<Arc<Mutex<Selection>>, FilterError> {
        let mut selections = lock(&self.selections);
        // The one used last is the last to go.
        let used = match selections.iter().position(|(source, _)| source == filter) {
            Some(at) => selections.remove(at),
            None => {
                let made = Selection::new(inspect::parse(filter)?);
                if selections.len() == SELECTIONS {
                    selections.remove(0);
                }
                (filter.to_owned(), Arc::new(Mutex::new(made)))
            }
        };
        let selection = used.1.clone();
        selections.push(used);
        Ok(selection)
    }

    /// Opens a frame.
    pub fn frame(&self, row: u32) -> Result<FrameDetail, Error> {
        if let Some(share) = self.decode(RowId(row))? {
            return inspect::carried(&self.analysis().fold, &self.bytes, RowId(row), share);
        }
        inspect::open(&self.analysis().fold, &self.bytes, RowId(row))
    }

    /// An event stream, or NDJSON, as other clients would have seen it: the body that `row` is of, or the first of the session; `None` where there is
    /// none. An answer comes after a moment and tells how far it read; the next question goes on from there.
    pub fn lenses(&self, row: Option<u32>) -> Result<Option<view::Lenses>, Error> {
        let mut run = lock(&self.lenses);
        let Some((stream, format)) = inspect::body_of(&self.analysis().fold, row.map(RowId)) else { return Ok(None) };
        if run.as_ref().is_none_or(|run| run.stream() != stream) {
            *run = inspect::Run::new(&self.analysis().fold, stream, format);
        }
        let Some(run) = run.as_mut() else { return Ok(None) };
        run.step(self)?;
        Ok(Some(run.view()))
    }

    /// Decodes the compressed body that a row is part of up to its end, for a moment: the share (0–1) that is done, if it is not all.
    /// The wire does not wait for it.
    fn decode(&self, id: RowId) -> Result<Option<f64>, Error> {
        let until = Instant::now() + SEARCH;
        let _one = lock(&self.decoding);
        loop {
            let step = {
                let analysis = self.analysis();
                let Some(row) = inspect::row(&analysis.fold, id) else { return Ok(None) };
                let Some(stream) = analysis.fold.streams.get(row.stream as usize).filter(|stream| stream.coded) else { return Ok(None) };
                lock(&self.bytes.kept).step(row.stream, stream, inspect::shown(row))
            };
            let Some(mut step) = step else { return Ok(None) };
            step.run(&self.bytes)?;
            let share = step.share();
            if !lock(&self.bytes.kept).keep(step) {
                return Ok(None);
            }
            if Instant::now() >= until && share < 1.0 {
                return Ok(Some(share));
            }
        }
    }

    /// The timeline.
    pub fn ribbon(&self, from_ms: f64, to_ms: Option<f64>, bins: u32) -> Ribbon {
        let analysis = self.analysis();
        inspect::ribbon(&analysis, self.elapsed(&analysis), from_ms, to_ms, bins)
    }

    /// The nearest row before or after `row` that came more than `over_ms` after the row above it.
    pub fn next_gap(&self, row: u32, backwards: bool, over_ms: f64) -> Option<u32> {
        let analysis = self.analysis();
        let rows = &analysis.fold.rows;
        let over = (over_ms * 1e6) as u64;
        let gap = |at: u32| {
            let (here, above) = (rows.get(at as usize)?, rows.get(at.checked_sub(1)? as usize)?);
            (here.t.saturating_sub(above.t) > over).then_some(at)
        };
        if backwards { (0..row).rev().find_map(gap) } else { (row.saturating_add(1)..rows.len() as u32).find_map(gap) }
    }

    /// The nearest row before or after `row` that is such a landmark; from outside the table where no row is named.
    pub fn next_row(&self, row: Option<u32>, backwards: bool, what: Landmark) -> Option<u32> {
        inspect::next_row(&self.analysis().fold, row.map(RowId), backwards, what).map(|id| id.0)
    }

    /// The row that owns byte `at` of one direction of a connection: the innermost, a carrier where nothing else has it.
    pub fn row_at(&self, conn: u32, out: bool, at: u64) -> Option<u32> {
        inspect::row_at(&self.analysis().fold, conn, out, at).map(|id| id.0)
    }

    /// The delta at a UTF-16 offset of a block's text.
    pub fn locate(&self, block: u32, offset: u32) -> Option<Place> {
        let analysis = self.analysis();
        let found = analysis.fold.folded.blocks.get(block as usize)?;
        let (row, range) = found.delta_at(found.byte_of_utf16(offset) as u32)?;
        Some(place(found, block, row, range))
    }

    /// The text that a row added to the reply.
    pub fn place(&self, row: u32) -> Option<Place> {
        let analysis = self.analysis();
        let block = analysis.fold.rows.get(row as usize)?.block.checked_sub(1)?;
        let found = analysis.fold.folded.blocks.get(block as usize)?;
        let range = found.range_of(row)?;
        Some(place(found, block, row, range))
    }

    /// A watcher that has seen nothing yet.
    pub fn watch(self: &Arc<Self>) -> Watcher {
        Watcher { session: self.clone(), changed: self.changed.subscribe(), seen: Vec::new(), figures_at: None, more: false, over: false }
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

fn place(block: &ReplyBlock, index: u32, row: u32, range: std::ops::Range<usize>) -> Place {
    let start = block.utf16_of_byte(range.start);
    Place { row, block: index, start, end: start + utf16_len(block.text.get(range).unwrap_or_default()) }
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

/// What one view of a session has seen of its reply.
#[derive(Clone, Copy, Default)]
struct Seen {
    bytes: usize,
    utf16: u32,
    deltas: u32,
    rewrites: u32,
}

/// Text in one update, in bytes: more would keep a page from answering while it takes it in, and what the page's engine sets aside for one
/// large message it never gives back.
const SLICE: usize = 128 << 10;

/// Follows a session for one view: each update holds what is new since the last one, so its cost does not grow with the session.
pub struct Watcher {
    session: Arc<Session>,
    changed: watch::Receiver<u64>,
    seen: Vec<Seen>,
    figures_at: Option<Instant>,
    /// Text is there that the last update had no room for.
    more: bool,
    over: bool,
}

impl Watcher {
    /// Waits until something is new (or a quarter of a second, so that clocks move on), then tells it, long texts in slices of 128 KiB.
    /// `None` once the end and all of the reply have been told.
    pub async fn next(&mut self) -> Option<Update> {
        if self.over {
            return None;
        }
        if self.figures_at.is_some() && !self.more {
            // A quiet stream still has a running clock and a growing gap to show.
            let _ = tokio::time::timeout(Duration::from_millis(250), self.changed.changed()).await;
        }
        Some(self.update(SLICE))
    }

    /// What is new by now, all of it and without waiting; `None` after the update that told the end.
    pub fn now(&mut self) -> Option<Update> {
        (!self.over).then(|| self.update(usize::MAX))
    }

    /// The session that is followed.
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    fn update(&mut self, most: usize) -> Update {
        self.changed.mark_unchanged();
        let session = self.session.clone();
        let outcome = session.outcome();
        let over = outcome.is_some();
        let due = self.figures_at.is_none_or(|at| at.elapsed() >= Duration::from_millis(250)) || over;
        let analysis = session.analysis();
        let fold = &analysis.fold;
        let blocks = self.blocks(&fold.folded.blocks, most);
        if due {
            self.figures_at = Some(Instant::now());
        }
        self.over = over && !self.more;
        Update {
            session: session.id.clone(),
            state: match analysis.state() {
                State::Streaming if session.plan.keeps_open() && analysis.ended() => State::Open,
                state => state,
            },
            elapsed_ms: session.elapsed(&analysis) as f64 / 1e6,
            rows: fold.rows.len() as u32,
            blocks,
            metrics: due.then(|| analysis.metrics()),
            kinds: due.then(|| {
                let counts = KINDS.iter().map(|kind| KindCount { kind: kind.name().into(), count: fold.kinds[*kind as usize] });
                counts.filter(|k| k.count > 0).collect()
            }),
            usage: fold.folded.facts.usage.clone().filter(|_| due),
            finish: fold.folded.facts.finish.as_ref().map(|f| f.reason.clone()),
            reply_id: fold.folded.facts.id.clone(),
            signature: fold.folded.facts.signature.clone(),
            request_id: limits::request_id(&fold.response).map(str::to_owned),
            limits: due.then(|| limits::rate_limits(&fold.response, session.answered_at_ms(&analysis))),
            status: fold.status.as_ref().map(|s| s.code),
            http: analysis.http().map(str::to_owned),
            connection: connection(&analysis),
            console: analysis.standing().map(|standing| standing.view(&analysis, session.reflexes.rest())),
            outcome,
        }
    }

    fn blocks(&mut self, blocks: &[ReplyBlock], mut most: usize) -> Vec<Block> {
        self.seen.resize(blocks.len().max(self.seen.len()), Seen { deltas: u32::MAX, ..Seen::default() });
        let mut news = Vec::new();
        self.more = false;
        for (index, (block, seen)) in blocks.iter().zip(&mut self.seen).enumerate() {
            if seen.deltas == block.deltas() && seen.rewrites == block.rewrites && seen.bytes == block.text.len() {
                continue;
            }
            if most == 0 {
                self.more = true;
                break;
            }
            let from = if seen.rewrites == block.rewrites { *seen } else { Seen::default() };
            let mut end = block.text.len().min(from.bytes.saturating_add(most));
            while !block.text.is_char_boundary(end) {
                end -= 1;
            }
            let text = block.text.get(from.bytes..end).unwrap_or_default().to_owned();
            most = if end < block.text.len() { 0 } else { most - text.len() };
            self.more |= end < block.text.len();
            let utf16 = if end < block.text.len() { from.utf16 + utf16_len(&text) } else { block.utf16 };
            let (first_row, last_row) = block.rows();
            news.push(Block {
                index: index as u32,
                kind: block.kind,
                first_row,
                last_row,
                start_ms: block.times.0 as f64 / 1e6,
                end_ms: block.times.1 as f64 / 1e6,
                deltas: block.deltas(),
                offset: from.utf16,
                text,
                tool: block.tool.as_ref().map(|tool| ToolCall { arguments: String::new(), ..tool.clone() }),
                media: block.media.as_ref().map(|m| view::Media { media_type: m.media_type.clone(), bytes: m.bytes, ms: m.ms }),
            });
            *seen = Seen { bytes: end, utf16, deltas: block.deltas(), rewrites: block.rewrites };
        }
        news
    }
}

fn connection(analysis: &Analysis) -> Option<(String, String)> {
    let peer = analysis.phases.peer.clone()?;
    let tls = match &analysis.phases.tls_facts {
        Some((version, _, true)) => format!("{version}, certificate not checked"),
        Some((version, _, false)) => version.clone(),
        None => "no TLS".into(),
    };
    Some((tls, peer))
}
