//! Moving what was committed from the write-ahead log into the file, on a thread of its own: it waits for the disk, and
//! recording must not.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use crate::{Error, database};

/// The thread. Dropping it ends it.
#[derive(Debug)]
pub struct Checkpointer {
    wake: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    pub fn start(path: PathBuf) -> Result<Self, Error> {
        let db = database::open(&path)?;
        let (wake, woken): (_, Receiver<()>) = channel();
        let thread = std::thread::Builder::new()
            .name("weir-checkpoint".into())
            .spawn(move || {
                while woken.recv().is_ok() {
                    // Several requests at once are one.
                    while woken.try_recv().is_ok() {}
                    // A checkpoint that fails loses nothing: the log keeps what it has, and a later one moves it.
                    let _ = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
                }
            })
            .map_err(Error::io("start the checkpoint thread of", &path))?;
        Ok(Self { wake: Some(wake), thread: Some(thread) })
    }

    /// Ask for one soon.
    pub fn wake(&self) {
        if let Some(wake) = &self.wake {
            let _ = wake.send(());
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
