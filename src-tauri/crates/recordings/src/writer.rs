//! The one thread that writes: it gathers records for 50 ms or until a batch is large enough, and commits them.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};

use crate::checkpoint::Checkpointer;
use crate::log::Log;
use crate::{Error, Record};

/// Who appends waits while more than this is on its way to the disk.
pub const QUEUE: usize = 64 * 1024 * 1024;
/// A batch this large is committed at once.
const BATCH: usize = 4 * 1024 * 1024;
/// A smaller one after this time: what a process kill may cost.
const DELAY: Duration = Duration::from_millis(50);
/// Checkpoint after this many bytes, or after [`IDLE`]. A checkpoint writes everything a second time and waits for the disk, so a flood is over first, if it can be.
const CHECKPOINT: u64 = 256 * 1024 * 1024;
/// No write for this long is the moment for a checkpoint.
const IDLE: Duration = Duration::from_secs(1);
/// If the checkpoint thread cannot keep up and the write-ahead log reaches this length, writing waits for it.
const WAL_LIMIT: u64 = 1024 * 1024 * 1024;
/// The length is looked at after this many bytes.
const WAL_LOOK: u64 = 32 * 1024 * 1024;
/// What a record costs in memory besides its payload.
const RECORD: usize = 64;

/// One session that is being written.
#[derive(Debug)]
pub struct Recording {
    pub key: i64,
    pub id: String,
    /// Why its log could not be kept. Records after a gap would lie, so the first failure is the last word.
    pub failed: OnceLock<Error>,
}

impl Recording {
    /// The failure, if there was one.
    pub fn check(&self) -> Result<(), Error> {
        self.failed.get().map_or(Ok(()), |error| Err(error.clone()))
    }
}

type Job = Box<dyn FnOnce(&mut Connection) + Send>;
type Last = Box<dyn FnOnce(&Connection, Result<(), Error>) -> Result<(), Error> + Send>;

enum Message {
    Append { to: Arc<Recording>, records: Vec<Record>, cost: usize },
    Flush { to: Arc<Recording>, reply: SyncSender<Result<(), Error>> },
    Finish { to: Arc<Recording>, last: Last, reply: SyncSender<Result<(), Error>> },
    Job(Job),
    Close(SyncSender<Result<(), Error>>),
}

/// How much is on its way.
#[derive(Debug, Default)]
struct Gate {
    state: Mutex<(usize, bool)>,
    freed: Condvar,
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, (usize, bool)> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Wait for room. Something larger than the whole queue goes in alone.
    fn enter(&self, cost: usize) -> Result<(), Error> {
        let full = |&mut (queued, closed): &mut (usize, bool)| !closed && queued > 0 && queued + cost > QUEUE;
        let mut state = self.freed.wait_while(self.lock(), full).unwrap_or_else(|poisoned| poisoned.into_inner());
        if state.1 {
            return Err(Error::Closed);
        }
        state.0 += cost;
        Ok(())
    }

    fn leave(&self, cost: usize) {
        self.lock().0 -= cost;
        self.freed.notify_all();
    }
}

/// Nobody waits for a writer that is gone, whatever ended it.
struct CloseGate(Arc<Gate>);

impl Drop for CloseGate {
    fn drop(&mut self) {
        self.0.lock().1 = true;
        self.0.freed.notify_all();
    }
}

/// The way to the writer thread.
#[derive(Debug)]
pub struct Writer {
    sender: Sender<Message>,
    gate: Arc<Gate>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Start the thread on its connection. `path` is `None` for a library in memory.
    pub fn start(db: Connection, path: Option<PathBuf>) -> Result<Self, Error> {
        let (sender, receiver) = channel();
        let gate = Arc::new(Gate::default());
        let close = CloseGate(gate.clone());
        let checkpointer = path.clone().map(Checkpointer::start).transpose()?;
        let wal = path.as_ref().map(|path| {
            let mut name = path.as_os_str().to_owned();
            name.push("-wal");
            PathBuf::from(name)
        });
        let mut thread = Thread {
            db,
            logs: HashMap::new(),
            pending: Vec::new(),
            cost: 0,
            since: Instant::now(),
            gate: gate.clone(),
            checkpointer,
            wal,
            written: 0,
            unchecked: 0,
        };
        let handle = std::thread::Builder::new()
            .name("weir-writer".into())
            .spawn(move || {
                let _close = close;
                thread.run(&receiver);
            })
            .map_err(Error::io("start the writer thread of", path.as_deref().unwrap_or("memory".as_ref())))?;
        Ok(Self { sender, gate, thread: Mutex::new(Some(handle)) })
    }

    /// Hand records over. Blocks while [`QUEUE`] is exceeded.
    pub fn append(&self, to: &Arc<Recording>, records: Vec<Record>) -> Result<(), Error> {
        to.check()?;
        if records.is_empty() {
            return Ok(());
        }
        let cost = records.iter().map(|record| record.bytes.len() + RECORD).sum();
        self.gate.enter(cost)?;
        self.sender.send(Message::Append { to: to.clone(), records, cost }).map_err(|_| Error::Closed)
    }

    /// Bytes on their way to the disk.
    pub fn queued(&self) -> usize {
        self.gate.lock().0
    }

    /// Wait until everything appended so far is committed.
    pub fn flush(&self, to: &Arc<Recording>) -> Result<(), Error> {
        let (reply, answer) = sync_channel(1);
        self.sender.send(Message::Flush { to: to.clone(), reply }).map_err(|_| Error::Closed)?;
        answer.recv().map_err(|_| Error::Closed)?
    }

    /// End a session's log. `last` runs in the same transaction and learns whether the log is whole.
    pub fn finish(
        &self,
        to: &Arc<Recording>,
        last: impl FnOnce(&Connection, Result<(), Error>) -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        let (reply, answer) = sync_channel(1);
        self.sender.send(Message::Finish { to: to.clone(), last: Box::new(last), reply }).map_err(|_| Error::Closed)?;
        answer.recv().map_err(|_| Error::Closed)?
    }

    /// As [`Writer::finish`], without waiting: for destructors.
    pub fn finish_later(&self, to: &Arc<Recording>, last: impl FnOnce(&Connection) -> Result<(), Error> + Send + 'static) {
        let (reply, _) = sync_channel(1);
        let last = Box::new(move |db: &Connection, _| last(db));
        let _ = self.sender.send(Message::Finish { to: to.clone(), last, reply });
    }

    /// Run something in a transaction of its own on the writer thread, after everything handed over before.
    pub fn write<T: Send + 'static>(&self, job: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
        let (reply, answer) = sync_channel(1);
        let job: Job = Box::new(move |db| {
            let result = transaction(db, job);
            let _ = reply.send(result);
        });
        self.sender.send(Message::Job(job)).map_err(|_| Error::Closed)?;
        answer.recv().map_err(|_| Error::Closed)?
    }

    /// Commit what there is, end the thread, leave the file without a write-ahead log if nobody else uses it.
    pub fn close(&self) -> Result<(), Error> {
        let mut thread = self.thread.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let Some(handle) = thread.take() else {
            return Ok(());
        };
        let (reply, answer) = sync_channel(1);
        let sent = self.sender.send(Message::Close(reply)).map_err(|_| Error::Closed);
        let result = sent.and_then(|()| answer.recv().map_err(|_| Error::Closed)?);
        let _ = handle.join();
        result
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.close();
    }
}

fn transaction<T>(db: &mut Connection, work: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = work(&tx)?;
    tx.commit()?;
    Ok(value)
}

struct Thread {
    db: Connection,
    /// The ends of the logs of the sessions that are being recorded, by key.
    logs: HashMap<i64, Log>,
    /// Not committed yet, in order.
    pending: Vec<(Arc<Recording>, Vec<Record>)>,
    /// Cost of what is pending.
    cost: usize,
    /// When the first of it came; without any, when something was last written.
    since: Instant,
    gate: Arc<Gate>,
    checkpointer: Option<Checkpointer>,
    /// The write-ahead log, where there is one.
    wal: Option<PathBuf>,
    /// Bytes written since the last checkpoint was asked for.
    written: u64,
    /// Bytes written since the write-ahead log's length was looked at.
    unchecked: u64,
}

impl Thread {
    fn run(&mut self, receiver: &Receiver<Message>) {
        loop {
            let wait = if !self.pending.is_empty() {
                Some(DELAY)
            } else if self.written > 0 {
                Some(IDLE)
            } else {
                None
            };
            let message = match wait {
                Some(wait) => receiver.recv_timeout(wait.saturating_sub(self.since.elapsed())),
                None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match message {
                Ok(Message::Append { to, records, cost }) => self.append(to, records, cost),
                Ok(Message::Flush { to, reply }) => {
                    self.commit();
                    let _ = reply.send(to.check());
                }
                Ok(Message::Finish { to, last, reply }) => {
                    self.commit();
                    let _ = reply.send(self.finish(&to, last));
                }
                Ok(Message::Job(job)) => {
                    self.commit();
                    job(&mut self.db);
                    self.wrote(4096);
                }
                Ok(Message::Close(reply)) => {
                    self.commit();
                    let _ = reply.send(self.close());
                    return;
                }
                Err(RecvTimeoutError::Timeout) if self.pending.is_empty() => self.ask_for_checkpoint(),
                Err(RecvTimeoutError::Timeout) => self.commit(),
                Err(RecvTimeoutError::Disconnected) => {
                    self.commit();
                    return;
                }
            }
            // Messages that come one after the other must not put the commit off.
            if !self.pending.is_empty() && (self.cost >= BATCH || self.since.elapsed() >= DELAY) {
                self.commit();
            }
        }
    }

    fn append(&mut self, to: Arc<Recording>, records: Vec<Record>, cost: usize) {
        if to.failed.get().is_some() {
            self.gate.leave(cost);
            return;
        }
        if self.pending.is_empty() {
            self.since = Instant::now();
        }
        self.cost += cost;
        match self.pending.iter_mut().find(|(recording, _)| recording.key == to.key) {
            Some((_, all)) => all.extend(records),
            None => self.pending.push((to, records)),
        }
    }

    fn commit(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let pending = std::mem::take(&mut self.pending);
        let logs = &mut self.logs;
        let result = transaction(&mut self.db, |db| {
            pending.iter().try_for_each(|(to, records)| logs.entry(to.key).or_insert_with(|| Log::new(to.key)).write(db, records))
        });
        if let Err(error) = result {
            for (to, _) in &pending {
                let _ = to.failed.set(error.clone());
                self.logs.remove(&to.key);
            }
        }
        let cost = std::mem::take(&mut self.cost);
        drop(pending);
        self.gate.leave(cost);
        self.wrote(cost as u64);
    }

    fn finish(&mut self, to: &Recording, last: Last) -> Result<(), Error> {
        let log = self.logs.remove(&to.key);
        let whole = to.check();
        transaction(&mut self.db, |db| {
            if let (Ok(()), Some(mut log)) = (&whole, log) {
                log.finish(db)?;
            }
            last(db, whole.clone())
        })?;
        self.wrote(4096);
        whole
    }

    fn wrote(&mut self, bytes: u64) {
        self.since = Instant::now();
        self.written += bytes;
        self.unchecked += bytes;
        if self.written >= CHECKPOINT {
            self.ask_for_checkpoint();
        }
        if self.unchecked >= WAL_LOOK {
            self.unchecked = 0;
            let len = self.wal.as_ref().and_then(|wal| wal.metadata().ok()).map_or(0, |wal| wal.len());
            if len >= WAL_LIMIT {
                // With nothing being written it reaches the end, and the next commit starts the log over.
                let _ = self.db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            }
        }
    }

    fn ask_for_checkpoint(&mut self) {
        self.written = 0;
        if let Some(checkpointer) = &self.checkpointer {
            checkpointer.wake();
        }
    }

    fn close(&mut self) -> Result<(), Error> {
        if self.checkpointer.take().is_none() {
            return Ok(());
        }
        // Another process may be reading or writing: then the log stays, and the last one to close removes it.
        self.db.busy_timeout(Duration::from_millis(100))?;
        self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        // Without the WAL flag in its header the file can be read from a read-only folder.
        let _ = self.db.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()));
        Ok(())
    }
}
