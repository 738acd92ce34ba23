//! The library: one file with every session.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};
use std::time::Duration;

use rusqlite::Connection;

use crate::owner::Owner;
use crate::table::draft::{self, Draft};
use crate::table::text::{self, Text};
use crate::table::{block, extent, search, session, setting, tag};
use crate::writer::{Recording, Writer};
use crate::{Error, Finished, NewSession, Page, Query, Reader, Recorder, SessionRow, database, owner, recorder, schema};

/// Connections kept open for reading.
const READERS: usize = 4;

/// An open library or `.weir` file. Clones share it. Dropping the last one, and the last recorder and reader of it, closes the file.
///
/// Several processes may have the same file open: readers wait for nobody, writers for each other's short transactions.
/// Every method may block on the disk.
#[derive(Clone, Debug)]
pub struct Library {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    place: Place,
    // Before the owner: the writer commits and closes while the process can still prove that it lives.
    writer: Writer,
    owner: Owner,
    idle: Mutex<Vec<Connection>>,
    live: Mutex<HashMap<i64, Weak<Recording>>>,
    /// A folder to remove at the end.
    _folder: Option<tempfile::TempDir>,
}

#[derive(Debug)]
enum Place {
    File(PathBuf),
    /// Name of the memory database.
    Memory(String),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Library {
    /// Open a library or `.weir` file, or create it, readable by this user alone. An older schema is brought forward.
    ///
    /// # Errors
    /// [`Error::NotWeir`] for a foreign file, which stays as it is; [`Error::Newer`], [`Error::Damaged`]; the disk.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_in(path, None)
    }

    /// A library in a temporary file that is removed when it is closed: for runs that are not to be kept.
    ///
    /// # Errors
    /// The disk.
    pub fn temporary() -> Result<Self, Error> {
        let folder = tempfile::tempdir().map_err(Error::io("create a folder in", &std::env::temp_dir()))?;
        let path = folder.path().join("temporary.weir");
        Self::open_in(&path, Some(folder))
    }

    /// A library in memory, for tests. It holds at most 1 GB.
    ///
    /// # Errors
    /// None but those of a broken system.
    pub fn in_memory() -> Result<Self, Error> {
        let name = format!("weir-{}", database::random_name(16)?);
        let mut db = database::open_in_memory(&name)?;
        schema::migrate(&mut db, Path::new(&name), schema::MIGRATIONS)?;
        Self::start(db, Place::Memory(name), None)
    }

    fn open_in(path: &Path, folder: Option<tempfile::TempDir>) -> Result<Self, Error> {
        let db = schema::open(path, schema::MIGRATIONS)?;
        let path = path.canonicalize().map_err(Error::io("open", path))?;
        Self::start(db, Place::File(path), folder)
    }

    fn start(db: Connection, place: Place, folder: Option<tempfile::TempDir>) -> Result<Self, Error> {
        let path = match &place {
            Place::File(path) => Some(path.clone()),
            Place::Memory(_) => None,
        };
        let inner = Inner {
            owner: Owner::new(path.as_deref())?,
            writer: Writer::start(db, path)?,
            place,
            idle: Mutex::default(),
            live: Mutex::default(),
            _folder: folder,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Where the file is; `None` in memory.
    pub fn path(&self) -> Option<&Path> {
        match &self.inner.place {
            Place::File(path) => Some(path),
            Place::Memory(_) => None,
        }
    }

    /// Commit everything and close. If no other process has the file open, all of it is in the one file then: no `-wal` is left.
    /// Other clones, recorders and readers get [`Error::Closed`] from then on, or read what is there.
    ///
    /// # Errors
    /// The disk.
    pub fn close(self) -> Result<(), Error> {
        lock(&self.inner.idle).clear();
        self.inner.writer.close()
    }

    /// Begin a session.
    ///
    /// # Errors
    /// The disk.
    pub fn create(&self, new: NewSession) -> Result<Recorder, Error> {
        let id = database::random_name(16)?;
        self.begin(&id, "recording", new)
    }

    /// Begin a session with this id and state.
    pub(crate) fn begin(&self, id: &str, state: &'static str, new: NewSession) -> Result<Recorder, Error> {
        let owner = self.inner.owner.claim()?.to_string();
        let (id, token) = (id.to_string(), owner.clone());
        let name = id.clone();
        let key = self.inner.writer.write(move |db| {
            let key = session::insert(db, &name, state, &token, &new)?;
            let text = Text { prompt: new.prompt, plan: new.plan, ..Text::default() };
            text::put(db, key, &text)?;
            search::put(db, key, &new.title, &text)?;
            Ok(key)
        })?;
        let recording = Arc::new(Recording { key, id, failed: OnceLock::new() });
        lock(&self.inner.live).insert(key, Arc::downgrade(&recording));
        Ok(Recorder::new(self.clone(), recording, owner))
    }

    /// A stretch of the list, newest first, with how many sessions fit in all and how many bytes they have.
    ///
    /// # Errors
    /// The disk.
    pub fn list(&self, query: &Query) -> Result<Page, Error> {
        if !query.text.is_empty() {
            self.inner.writer.settled()?;
        }
        self.read(|db| {
            // Count and rows of one moment.
            let db = db.unchecked_transaction()?;
            session::list(&db, query)
        })
    }

    /// Everything about a session, except its log. `id` may be the beginning of one, if no other begins so. Finds deleted ones too, until they are purged.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Ambiguous`]; the disk.
    pub fn session(&self, id: &str) -> Result<SessionRow, Error> {
        self.read(|db| {
            let db = db.unchecked_transaction()?;
            session::whole(&db, session::find(&db, id)?.0)
        })
    }

    /// The log of a session. `id` as in [`Library::session`].
    ///
    /// # Errors
    /// As [`Library::session`].
    pub fn reader(&self, id: &str) -> Result<Reader, Error> {
        let (key, id) = self.read(|db| session::find(db, id))?;
        Ok(Reader::new(self.clone(), key, id))
    }

    /// Give a session another title.
    ///
    /// # Errors
    /// As [`Library::session`].
    pub fn rename(&self, id: &str, title: &str) -> Result<(), Error> {
        let title = title.to_string();
        self.change(id, move |db, key| {
            session::rename(db, key, &title)?;
            search::put(db, key, &title, &text::of(db, key)?)
        })
    }

    /// Replace a session's tags. Blank ones and repeats are left out.
    ///
    /// # Errors
    /// As [`Library::session`].
    pub fn set_tags(&self, id: &str, tags: &[String]) -> Result<(), Error> {
        let tags = tags.to_vec();
        self.change(id, move |db, key| tag::set(db, key, &tags))
    }

    /// Every tag in use, sorted.
    ///
    /// # Errors
    /// The disk.
    pub fn tags(&self) -> Result<Vec<String>, Error> {
        self.read(tag::all)
    }

    /// Write a session's summary again, as after analysing a log that was cut.
    ///
    /// # Errors
    /// As [`Library::session`].
    pub fn amend(&self, id: &str, done: Finished) -> Result<(), Error> {
        self.change(id, move |db, key| recorder::summarise(db, key, done).and_then(|()| recorder::index(db, key)))
    }

    /// Take sessions out of the list. Nothing is lost until [`Library::purge_deleted`]. All or, after an error, none.
    ///
    /// # Errors
    /// As [`Library::session`].
    pub fn delete(&self, ids: &[String]) -> Result<(), Error> {
        self.mark(ids, Some(database::now_ms()))
    }

    /// Undo [`Library::delete`].
    ///
    /// # Errors
    /// As [`Library::session`].
    pub fn restore(&self, ids: &[String]) -> Result<(), Error> {
        self.mark(ids, None)
    }

    fn mark(&self, ids: &[String], at_ms: Option<i64>) -> Result<(), Error> {
        let ids = ids.to_vec();
        self.inner.writer.write(move |db| ids.iter().try_for_each(|id| session::set_deleted(db, session::find(db, id)?.0, at_ms)))
    }

    /// Remove for good what was deleted at least this long ago, and give the space back. How many sessions that were.
    ///
    /// # Errors
    /// The disk.
    pub fn purge_deleted(&self, older_than: Duration) -> Result<usize, Error> {
        let age = i64::try_from(older_than.as_millis()).unwrap_or(i64::MAX);
        let until = database::now_ms().saturating_sub(age);
        let keys = self.read(|db| session::deleted_until(db, until))?;
        let mut purged = 0;
        for key in keys {
            let owner = self.inner.owner.claim()?.to_string();
            if self.inner.writer.write(move |db| session::hide(db, key, &owner))? {
                self.remove(key)?;
                purged += 1;
            }
        }
        if purged > 0 {
            self.shrink()?;
        }
        Ok(purged)
    }

    /// Remove these sessions for good, deleted before or not, and give the space back. One that is being recorded stays. How many were removed.
    ///
    /// # Errors
    /// As [`Library::session`]; the disk.
    pub fn purge(&self, ids: &[String]) -> Result<usize, Error> {
        self.delete(ids)?;
        let mut purged = 0;
        for id in ids {
            // The same session may have been named twice.
            let Ok((key, _)) = self.read(|db| session::find(db, id)) else { continue };
            let owner = self.inner.owner.claim()?.to_string();
            if self.inner.writer.write(move |db| session::hide(db, key, &owner))? {
                self.remove(key)?;
                purged += 1;
            }
        }
        if purged > 0 {
            self.shrink()?;
        }
        Ok(purged)
    }

    /// Remove a hidden session, in short transactions.
    pub(crate) fn remove(&self, key: i64) -> Result<(), Error> {
        while self.inner.writer.write(move |db| block::delete_some(db, key))? {}
        self.inner.writer.write(move |db| {
            extent::delete_all(db, key)?;
            search::delete(db, key)?;
            tag::delete(db, key)?;
            text::delete(db, key)?;
            session::remove(db, key)
        })
    }

    /// Give freed pages back to the file system, in short transactions.
    fn shrink(&self) -> Result<(), Error> {
        let free = |db: &Connection| Ok::<i64, Error>(db.pragma_query_value(None, "freelist_count", |row| row.get(0))?);
        let mut left = self.read(free)?;
        while left > 0 {
            let now = self.inner.writer.write(move |db| {
                db.execute_batch("PRAGMA incremental_vacuum(2048)")?;
                free(db)
            })?;
            // Another writer may free pages as fast; that is no reason to stay.
            if now >= left {
                break;
            }
            left = now;
        }
        Ok(())
    }

    /// End what processes that are gone left behind: their sessions that were being recorded become `done` with outcome `cut`
    /// and with what their logs hold, broken-off imports and purges are removed, what had just ended is indexed. Sessions that this or another living
    /// process records are left alone. Returns the ids of those that are now `cut`, to be analysed and then [amended](Library::amend).
    ///
    /// # Errors
    /// The disk.
    pub fn recover(&self) -> Result<Vec<String>, Error> {
        let Some(path) = self.path() else {
            return Ok(Vec::new());
        };
        let mut living: HashMap<String, bool> = HashMap::from([(self.inner.owner.token().to_string(), true)]);
        let mut ids = Vec::new();
        for (key, id, state, owner) in self.read(session::owned)? {
            if *living.entry(owner.clone()).or_insert_with_key(|token| owner::lives(path, token)) {
                continue;
            }
            if state == "hidden" {
                self.remove(key)?;
            } else if state == "done" {
                self.inner.writer.write(move |db| recorder::index(db, key))?;
            } else if self.inner.writer.write(move |db| recorder::cut(db, key, &owner))? {
                ids.push(id);
            }
        }
        Ok(ids)
    }

    /// A setting of the UI; `None` if it was never set or cannot be read.
    pub fn setting(&self, key: &str) -> Option<String> {
        self.read(|db| setting::value(db, key)).ok().flatten()
    }

    /// Every setting whose key begins with `prefix`, by key.
    ///
    /// # Errors
    /// The disk.
    pub fn settings_under(&self, prefix: &str) -> Result<Vec<(String, String)>, Error> {
        self.read(|db| setting::under(db, prefix))
    }

    /// Keep a setting.
    ///
    /// # Errors
    /// The disk.
    pub fn set_setting(&self, key: &str, value: &str) -> Result<(), Error> {
        let (key, value) = (key.to_string(), value.to_string());
        self.inner.writer.write(move |db| setting::set(db, &key, Some(&value)))
    }

    /// Forget a setting.
    ///
    /// # Errors
    /// The disk.
    pub fn remove_setting(&self, key: &str) -> Result<(), Error> {
        let key = key.to_string();
        self.inner.writer.write(move |db| setting::set(db, &key, None))
    }

    /// The saved request tabs, in order.
    ///
    /// # Errors
    /// The disk.
    pub fn drafts(&self) -> Result<Vec<Draft>, Error> {
        self.read(draft::all)
    }

    /// Save a request tab, or save it again.
    ///
    /// # Errors
    /// The disk.
    pub fn put_draft(&self, draft: Draft) -> Result<(), Error> {
        self.inner.writer.write(move |db| draft::put(db, &draft))
    }

    /// Forget a request tab.
    ///
    /// # Errors
    /// The disk.
    pub fn delete_draft(&self, id: &str) -> Result<(), Error> {
        let id = id.to_string();
        self.inner.writer.write(move |db| draft::delete(db, &id))
    }

    /// Bytes of the database. A write-ahead log beside it, which each commit of a slow reply lengthens by whole pages, is no part of what
    /// is kept: it is written over when it has been moved into the file.
    pub fn size(&self) -> u64 {
        let pages = self.read(|db| {
            let count: i64 = db.pragma_query_value(None, "page_count", |row| row.get(0))?;
            let size: i64 = db.pragma_query_value(None, "page_size", |row| row.get(0))?;
            Ok(database::from_sql(count * size))
        });
        pages.unwrap_or(0)
    }

    fn change(&self, id: &str, change: impl FnOnce(&Connection, i64) -> Result<(), Error> + Send + 'static) -> Result<(), Error> {
        let id = id.to_string();
        self.inner.writer.write(move |db| change(db, session::find(db, &id)?.0))
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.inner.writer
    }

    /// Run a query on a connection for reading.
    pub(crate) fn read<T>(&self, query: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        let idle = lock(&self.inner.idle).pop();
        let db = match idle {
            Some(db) => db,
            None => {
                let db = match &self.inner.place {
                    Place::File(path) => database::open(path)?,
                    Place::Memory(name) => database::open_in_memory(name)?,
                };
                db.pragma_update(None, "query_only", true)?;
                db
            }
        };
        let result = query(&db);
        let mut idle = lock(&self.inner.idle);
        if idle.len() < READERS {
            idle.push(db);
        }
        result
    }

    /// Commit what was appended to a session that this process records. False if it records no such session.
    pub(crate) fn flush_live(&self, key: i64) -> Result<bool, Error> {
        let live = lock(&self.inner.live).get(&key).and_then(Weak::upgrade);
        let Some(recording) = live else {
            return Ok(false);
        };
        self.inner.writer.flush(&recording)?;
        Ok(true)
    }

    /// A recorder is gone.
    pub(crate) fn forget(&self, key: i64) {
        lock(&self.inner.live).remove(&key);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Open readers would keep the write-ahead log alive.
        lock(&self.idle).clear();
    }
}

#[cfg(test)]
mod tests;
