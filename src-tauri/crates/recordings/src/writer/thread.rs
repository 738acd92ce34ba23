//! The one thread that writes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::queue::Queue;
use super::{BATCH, Last, Message, Recording, Settle, transaction};
use crate::Error;
use crate::checkpoint::Checkpointer;
use crate::log::Log;

/// A smaller batch is committed after this time: what a process kill may cost.
const DELAY: Duration = Duration::from_millis(50);
/// Checkpoint after this many bytes, or after [`IDLE`]. A checkpoint writes everything a second time and waits for the disk, so a flood is over first, if it can be.
const CHECKPOINT: u64 = 256 * 1024 * 1024;
/// No write for this long is the moment for a checkpoint.
const IDLE: Duration = Duration::from_secs(1);
/// If the checkpoint thread cannot keep up and the write-ahead log reaches this length, writing waits for it.
const WAL_LIMIT: u64 = 1024 * 1024 * 1024;
/// The length is looked at after this many bytes.
const WAL_LOOK: u64 = 32 * 1024 * 1024;

/// The writer's end.
pub(super) struct Thread {
    db: Connection,
    /// The ends of the logs of the sessions that are being recorded, by key.
    logs: HashMap<i64, Log>,
    /// Not committed yet.
    queue: Arc<Queue>,
    /// Sessions that have ended and cannot be found by their words yet.
    unsettled: Arc<AtomicUsize>,
    /// When something was last written.
    since: Instant,
    checkpointer: Option<Checkpointer>,
    /// The write-ahead log, where there is one.
    wal: Option<PathBuf>,
    /// Bytes written since the last checkpoint was asked for.
    written: u64,
    /// Bytes written since the write-ahead log's length was looked at.
    unchecked: u64,
}

impl Thread {
    /// The writer of a library at `path`, `None` in memory.
    pub(super) fn new(db: Connection, path: Option<&Path>, queue: Arc<Queue>, unsettled: Arc<AtomicUsize>) -> Result<Self, Error> {
        let wal = path.map(|path| {
            let mut name = path.as_os_str().to_owned();
            name.push("-wal");
            PathBuf::from(name)
        });
        Ok(Self {
            db,
            logs: HashMap::new(),
            queue,
            unsettled,
            since: Instant::now(),
            checkpointer: path.map(|path| Checkpointer::start(path.to_path_buf())).transpose()?,
            wal,
            written: 0,
            unchecked: 0,
        })
    }

    pub(super) fn run(&mut self, receiver: &Receiver<Message>) {
        give_way();
        loop {
            let waiting = self.queue.waiting();
            let until = match waiting {
                Some((since, _)) => Some(since + DELAY),
                None if self.written > 0 => Some(self.since + IDLE),
                None => None,
            };
            let message = match until {
                Some(until) => receiver.recv_timeout(until.saturating_duration_since(Instant::now())),
                None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match message {
                Ok(Message::Look) => {}
                Ok(Message::Flush { to, reply }) => {
                    self.commit();
                    let _ = reply.send(to.check());
                }
                Ok(Message::Finish { to, last, settle, reply }) => {
                    self.commit();
                    let result = self.finish(&to, last);
                    // Who waits for the end does not wait for the index; who searches does.
                    self.unsettled.fetch_add(1, SeqCst);
                    let _ = reply.send(result);
                    self.settle(settle);
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
                Err(RecvTimeoutError::Timeout) if waiting.is_none() => self.ask_for_checkpoint(),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    self.commit();
                    return;
                }
            }
            // Messages that come one after the other must not put the commit off.
            if self.queue.waiting().is_some_and(|(since, cost)| cost >= BATCH || since.elapsed() >= DELAY) {
                self.commit();
            }
        }
    }

    fn commit(&mut self) {
        let (pile, cost) = self.queue.take();
        if pile.is_empty() {
            return;
        }
        let logs = &mut self.logs;
        let mut whole = pile.iter().filter(|(to, _)| to.failed.get().is_none()).peekable();
        if whole.peek().is_some() {
            let result = transaction(&mut self.db, |db| {
                whole.try_for_each(|(to, records)| logs.entry(to.key).or_insert_with(|| Log::new(to.key)).write(db, records))
            });
            if let Err(error) = result {
                for (to, _) in &pile {
                    let _ = to.failed.set(error.clone());
                    self.logs.remove(&to.key);
                }
            }
        }
        drop(pile);
        self.queue.leave(cost);
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

    /// What is done when nobody waits any more. If it fails, or the process ends before it, [`crate::Library::recover`] does it.
    fn settle(&mut self, settle: Option<Settle>) {
        if let Some(settle) = settle {
            let _ = transaction(&mut self.db, settle);
            self.wrote(4096);
        }
        self.unsettled.fetch_sub(1, SeqCst);
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

/// Who takes a reply from its socket and tells it comes first where processors are few: what waits here has its time already.
fn give_way() {
    // On Linux, priority is a thread's own (sched(7)); elsewhere it is the whole process's, and stays. Refused, all is as before.
    #[cfg(target_os = "linux")]
    if let Ok(now) = rustix::process::getpriority_process(None) {
        let _ = rustix::process::setpriority_process(None, (now + 10).min(19));
    }
}
