//! The one thread that writes: it gathers records for 50 ms or until a batch is large enough, and commits them.

mod queue;
mod thread;

use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;

use rusqlite::{Connection, TransactionBehavior};

use crate::{Error, Record};
use queue::{CloseQueue, Queue};
use thread::Thread;

/// Who appends waits while more than this is on its way to the disk.
pub const QUEUE: usize = 32 * 1024 * 1024;
/// A batch this large is committed at once.
const BATCH: usize = 1024 * 1024;

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
/// What follows the end of a session, in a transaction of its own.
pub type Settle = Box<dyn FnOnce(&Connection) -> Result<(), Error> + Send>;
type Last = Box<dyn FnOnce(&Connection, Result<(), Error>) -> Result<(), Error> + Send>;

enum Message {
    /// The queue has something new.
    Look,
    Flush {
        to: Arc<Recording>,
        reply: SyncSender<Result<(), Error>>,
    },
    Finish {
        to: Arc<Recording>,
        last: Last,
        settle: Option<Settle>,
        reply: SyncSender<Result<(), Error>>,
    },
    Job(Job),
    Close(SyncSender<Result<(), Error>>),
}

/// The way to the writer thread.
#[derive(Debug)]
pub struct Writer {
    sender: Sender<Message>,
    queue: Arc<Queue>,
    unsettled: Arc<AtomicUsize>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Start the thread on its connection. `path` is `None` for a library in memory.
    pub fn start(db: Connection, path: Option<PathBuf>) -> Result<Self, Error> {
        let (sender, receiver) = channel();
        let (queue, unsettled) = (Arc::<Queue>::default(), Arc::<AtomicUsize>::default());
        let close = CloseQueue(queue.clone());
        let mut thread = Thread::new(db, path.as_deref(), queue.clone(), unsettled.clone())?;
        let handle = std::thread::Builder::new()
            .name("weir-writer".into())
            .spawn(move || {
                let _close = close;
                thread.run(&receiver);
            })
            .map_err(Error::io("start the writer thread of", path.as_deref().unwrap_or("memory".as_ref())))?;
        Ok(Self { sender, queue, unsettled, thread: Mutex::new(Some(handle)) })
    }

    /// Hand records over. Blocks while [`QUEUE`] is exceeded.
    pub fn append(&self, to: &Arc<Recording>, records: Vec<Record>) -> Result<(), Error> {
        to.check()?;
        if records.is_empty() {
            return Ok(());
        }
        if self.queue.append(to, records)? {
            self.sender.send(Message::Look).map_err(|_| Error::Closed)?;
        }
        Ok(())
    }

    /// Bytes on their way to the disk.
    pub fn queued(&self) -> usize {
        self.queue.queued()
    }

    /// Wait until everything appended so far is committed.
    pub fn flush(&self, to: &Arc<Recording>) -> Result<(), Error> {
        let (reply, answer) = sync_channel(1);
        self.sender.send(Message::Flush { to: to.clone(), reply }).map_err(|_| Error::Closed)?;
        answer.recv().map_err(|_| Error::Closed)?
    }

    /// End a session's log. `last` runs in the same transaction and learns whether the log is whole. `settle` runs in one of its own,
    /// which nobody waits for but [`Writer::settled`].
    pub fn finish(
        &self,
        to: &Arc<Recording>,
        last: impl FnOnce(&Connection, Result<(), Error>) -> Result<(), Error> + Send + 'static,
        settle: Option<Settle>,
    ) -> Result<(), Error> {
        let (reply, answer) = sync_channel(1);
        self.sender.send(Message::Finish { to: to.clone(), last: Box::new(last), settle, reply }).map_err(|_| Error::Closed)?;
        answer.recv().map_err(|_| Error::Closed)?
    }

    /// As [`Writer::finish`], without waiting: for destructors.
    pub fn finish_later(&self, to: &Arc<Recording>, last: impl FnOnce(&Connection) -> Result<(), Error> + Send + 'static) {
        let (reply, _) = sync_channel(1);
        let last = Box::new(move |db: &Connection, _| last(db));
        let _ = self.sender.send(Message::Finish { to: to.clone(), last, settle: None, reply });
    }

    /// Wait until every session that has ended is settled.
    pub fn settled(&self) -> Result<(), Error> {
        if self.unsettled.load(SeqCst) == 0 { Ok(()) } else { self.write(|_| Ok(())) }
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
