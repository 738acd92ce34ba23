//! The client's end: a process that opens connections and holds them. It is told by lines on its standard input, answers each with a line, and
//! ends with its input.
//!
//! It is Weir's own transport, with its taps; the log they write is thrown away.

use std::io::{BufRead, Write};
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use weir_frames::ws::deflate::Offer;
use weir_transport::http::{self, Multiplexed, Seen};
use weir_transport::{Control, Entry, Error, Journal, Mark, Request, Target, journal, ws};

use super::kinds::{self, SHARED, Way};

/// How long connections may take to open before what is open is told.
const OPENING: Duration = Duration::from_secs(60);
/// Connections that are dialled at once: a listener's queue is bounded.
const AT_ONCE: usize = 64;
/// Bytes of the log that may wait.
const IN_FLIGHT: usize = 64 << 10;

/// Runs until its standard input ends. Each line `open KIND WAY WORDS COUNT URL` brings the number of open connections up to COUNT and is
/// answered by `{"open":N,"sockets":N,"ended":N,"why":null}`; `close` lets go of all of them, and is answered likewise.
pub fn main() -> ExitCode {
    super::raise_file_limit();
    let Ok(runtime) = tokio::runtime::Runtime::new() else { return ExitCode::FAILURE };
    let mut held = Held::new();
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let words: Vec<&str> = line.split(' ').collect();
        if words == ["close"] {
            let answer = runtime.block_on(held.close());
            let mut out = std::io::stdout().lock();
            if writeln!(out, "{answer}").and_then(|()| out.flush()).is_err() {
                break;
            }
            continue;
        }
        let ["open", kind, way, length, count, lab] = words.as_slice() else { return ExitCode::from(2) };
        let (Ok(length), Ok(count)) = (length.parse(), count.parse()) else { return ExitCode::from(2) };
        let way = if *way == "idle" { Way::Idle } else { Way::Streaming };
        let answer = runtime.block_on(held.open(kind, way, length, count, lab));
        let mut out = std::io::stdout().lock();
        if writeln!(out, "{answer}").and_then(|()| out.flush()).is_err() {
            break;
        }
    }
    runtime.shutdown_background();
    ExitCode::SUCCESS
}

/// What is held open.
struct Held {
    tasks: JoinSet<()>,
    shared: Vec<Arc<Multiplexed>>,
    journal: Journal,
    /// Connections whose request is out and, where they stream, whose first bytes came.
    open: watch::Sender<u32>,
    ended: Arc<AtomicU32>,
    why: Arc<Mutex<Option<String>>>,
    asked: u32,
}

impl Held {
    fn new() -> Self {
        let (journal, mut reader) = journal::channel(IN_FLIGHT);
        let open = watch::Sender::new(0);
        let sent = open.clone();
        // The log is read and thrown away, or the sockets would not be read. A request that waits for its whole answer is open once it is sent.
        std::thread::spawn(move || {
            let mut entries = Vec::new();
            while reader.recv_many(&mut entries) > 0 {
                for entry in entries.drain(..) {
                    if matches!(entry, Entry::Mark { mark: Mark::Sent, conn, .. } if conn >= POLLS) {
                        sent.send_modify(|open| *open += 1);
                    }
                }
            }
        });
        Self { tasks: JoinSet::new(), shared: Vec::new(), journal, open, ended: Arc::default(), why: Arc::default(), asked: 0 }
    }

    async fn open(&mut self, kind: &str, way: Way, words: u32, count: u32, lab: &str) -> String {
        let gate = Arc::new(Semaphore::new(AT_ONCE));
        while self.asked < count {
            if kind == "sse-h2" && self.shared.len() * SHARED <= self.asked as usize {
                match Multiplexed::open(&kinds::target(kind, lab), self.journal.clone(), self.asked).await {
                    Ok(connection) => self.shared.push(Arc::new(connection)),
                    Err(error) => {
                        self.failed(&error);
                        break;
                    }
                }
            }
            let one = One {
                kind: kind.to_owned(),
                target: kinds::target(kind, lab),
                request: kinds::request(kind, way, words),
                shared: self.shared.last().cloned(),
                journal: self.journal.clone(),
                conn: if kind == "poll" { POLLS + self.asked } else { self.asked },
                open: self.open.clone(),
            };
            let (gate, ended, why) = (gate.clone(), self.ended.clone(), self.why.clone());
            self.tasks.spawn(async move {
                let words = match one.hold(&gate).await {
                    Ok(()) => "the server ended it".to_owned(),
                    Err(error) => format!("{}: {}", error.code, error.message),
                };
                *why.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
                ended.fetch_add(1, SeqCst);
            });
            self.asked += 1;
        }
        let _ = timeout(OPENING, async {
            while *self.open.borrow() + self.ended.load(SeqCst) < count {
                // Before anything is measured.
                sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
        let ended = self.ended.load(SeqCst);
        let open = self.asked.saturating_sub(ended).min(*self.open.borrow());
        let sockets = if kind == "sse-h2" { self.shared.len() as u32 } else { open };
        let why = self.why.lock().unwrap_or_else(PoisonError::into_inner).clone();
        serde_json::json!({"open": open, "sockets": sockets, "ended": ended, "why": why}).to_string()
    }

    async fn close(&mut self) -> String {
        self.tasks.shutdown().await;
        self.shared.clear();
        self.asked = 0;
        self.ended.store(0, SeqCst);
        self.open.send_replace(0);
        *self.why.lock().unwrap_or_else(PoisonError::into_inner) = None;
        serde_json::json!({"open": 0, "sockets": 0, "ended": 0, "why": null}).to_string()
    }

    fn failed(&self, error: &Error) {
        *self.why.lock().unwrap_or_else(PoisonError::into_inner) = Some(format!("{}: {}", error.code, error.message));
        self.ended.fetch_add(1, SeqCst);
    }
}

/// Numbers of connections that wait for a whole answer begin here.
const POLLS: u32 = 1 << 20;

/// A connection.
struct One {
    kind: String,
    target: Target,
    request: Request,
    shared: Option<Arc<Multiplexed>>,
    journal: Journal,
    conn: u32,
    open: watch::Sender<u32>,
}

impl One {
    /// Opens it through the gate and holds it until it ends.
    async fn hold(self, gate: &Semaphore) -> Result<(), Error> {
        // The gate is never closed.
        let mut permit = gate.acquire().await.ok();
        let mut begun = false;
        let open = self.open.clone();
        let mut came = || {
            if !std::mem::replace(&mut begun, true) {
                permit.take();
                open.send_modify(|open| *open += 1);
            }
        };
        let control = Control::new();
        if let Some(deflate) = kinds::socket(&self.kind) {
            let offer = deflate.then(Offer::default);
            let headers = &self.request.headers;
            let mut socket = ws::open_offering(&self.target, headers, &[], offer.as_ref(), self.journal, self.conn, &control).await?;
            socket.send_text(kinds::message()).await?;
            while let Some(message) = socket.next().await {
                message?;
                came();
            }
            return Ok(());
        }
        if self.kind == "poll" {
            drop(permit);
            return http::exchange(&self.target, &self.request, self.journal, self.conn, &control).await;
        }
        let see = &mut |seen: Seen<'_>| {
            if matches!(seen, Seen::Data(_)) {
                came();
            }
            ControlFlow::Continue(())
        };
        match self.shared {
            Some(shared) => shared.exchange(&self.request, see).await,
            None => http::exchange_seen(&self.target, &self.request, self.journal, self.conn, &control, see).await,
        }
    }
}
