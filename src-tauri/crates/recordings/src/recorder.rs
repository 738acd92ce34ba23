//! The handle of a session that is being recorded.

use std::sync::Arc;

use rusqlite::Connection;

use crate::library::Library;
use crate::table::text::Text;
use crate::table::{search, session, text};
use crate::writer::Recording;
use crate::{Error, Finished, Reader, Record, carry};

/// Takes the records of one session. When the last clone is dropped without [`Recorder::finish`], the session is `cut`.
#[derive(Clone, Debug)]
pub struct Recorder {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    library: Library,
    recording: Arc<Recording>,
    owner: String,
}

impl Recorder {
    pub(crate) fn new(library: Library, recording: Arc<Recording>, owner: String) -> Self {
        Self { inner: Arc::new(Inner { library, recording, owner }) }
    }

    /// The session's id.
    pub fn id(&self) -> &str {
        &self.inner.recording.id
    }

    /// Append records. They are committed within 50 ms. Blocks while more than 32 MiB are on their way to the disk, so call it where blocking is allowed.
    ///
    /// # Errors
    /// The disk failed for this session, now or earlier: nothing is recorded any more.
    pub fn append(&self, batch: Vec<Record>) -> Result<(), Error> {
        self.inner.library.writer().append(&self.inner.recording, batch)
    }

    /// Bytes on their way to the disk, of all sessions of the library. [`Recorder::append`] blocks above 32 MiB.
    pub fn queued(&self) -> usize {
        self.inner.library.writer().queued()
    }

    /// Wait until everything appended so far is committed.
    ///
    /// # Errors
    /// As [`Recorder::append`].
    pub fn flush(&self) -> Result<(), Error> {
        self.inner.library.writer().flush(&self.inner.recording)
    }

    /// The session has ended: keep what is known of it and index its text. Records appended later are not part of it.
    ///
    /// # Errors
    /// The disk failed. If the log was already incomplete, the session is kept as `cut` and the reason returned.
    pub fn finish(&self, done: Finished) -> Result<(), Error> {
        let key = self.inner.recording.key;
        let last = move |db: &Connection, whole: Result<(), Error>| {
            let outcome = if whole.is_ok() { done.outcome.clone() } else { "cut".into() };
            summarise(db, key, Finished { outcome, ..done })
        };
        self.inner.library.writer().finish(&self.inner.recording, last, Some(Box::new(move |db| index(db, key))))
    }

    pub(crate) fn key(&self) -> i64 {
        self.inner.recording.key
    }

    /// No more records come; what the session is, its importer says.
    pub(crate) fn end(&self) -> Result<(), Error> {
        self.inner.library.writer().finish(&self.inner.recording, |_, _| Ok(()), None)
    }

    /// Reads the session while it is recorded: a read beyond what is committed commits first.
    pub fn reader(&self) -> Reader {
        Reader::new(self.inner.library.clone(), self.inner.recording.key, self.id().into())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let (key, owner) = (self.recording.key, std::mem::take(&mut self.owner));
        self.library.forget(key);
        self.library.writer().finish_later(&self.recording, move |db| cut(db, key, &owner).map(drop));
    }
}

/// Write the summary of a session that has ended. It keeps its owner until [`index`] has made it one that can be found by its words.
pub fn summarise(db: &Connection, key: i64, done: Finished) -> Result<(), Error> {
    session::finish(db, key, &done)?;
    let Finished { reply, reasoning, summary, .. } = done;
    text::put(db, key, &Text { reply, reasoning, summary, ..text::of(db, key)? })
}

/// Make a session that has ended one that can be found by its words, and nobody's.
pub fn index(db: &Connection, key: i64) -> Result<(), Error> {
    search::put(db, key, &session::title(db, key)?, &text::of(db, key)?)?;
    session::release(db, key)
}

/// End a session whose recorder is gone by what its log says. True if it was still being recorded by that owner.
pub fn cut(db: &Connection, key: i64, owner: &str) -> Result<bool, Error> {
    if !session::is_recording(db, key, owner)? {
        return Ok(false);
    }
    let (down, up, total_ms) = carry::measure(db, key)?;
    session::cut(db, key, owner, down, up, total_ms)
}
