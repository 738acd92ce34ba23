//! Reading sessions from a `.weir` file that anyone may have written.
//!
//! The file is opened for reading only, with functions in its schema distrusted; its tables must be exactly those of its
//! version, everything else in it is ignored; nothing of its indexes, extents or search is used, only rows and records,
//! and each record is checked. Everything is read and checked once before the first session is taken over, and all
//! sessions appear together at the end, or none.

use std::ops::ControlFlow;
use std::path::Path;

use rusqlite::limits::Limit;
use rusqlite::{Connection, MAIN_DB};
use sha2::{Digest, Sha256};

use crate::log::decode;
use crate::reader::next_block;
use crate::table::session;
use crate::{Error, Library, Record, Recorder, SessionRow, carry, database, schema};

/// No value in a file may be larger: a block holds at most one record of 256 MiB.
const LARGEST: i32 = 300 * 1024 * 1024;
/// Bytes handed over in one go.
const BATCH: usize = 1024 * 1024;
/// What an import reads. The other tables are for the application, or are made anew.
const TABLES: &[&str] = &["session", "session_by_time", "text", "tag", "tag_by_name", "block", "block_by_record"];

type Hash = [u8; 32];

/// An import's decision about one session.
enum Plan {
    /// The library has it already, under this id.
    Kept(String),
    /// It is to be taken over under this id.
    Take(Box<(i64, SessionRow)>),
}

impl Library {
    /// Take over every session of a `.weir` file. Returns their ids, in the file's order. A session that is here already, with the same id
    /// and the same records, is kept once (and restored, if it was deleted); another session with a taken id gets a new one.
    ///
    /// # Errors
    /// [`Error::NotWeir`], [`Error::Newer`], [`Error::Damaged`] by the file, before anything was taken over; the disk.
    pub fn import(&self, path: &Path) -> Result<Vec<String>, Error> {
        let source = Source::open(path)?;
        let mut plans = Vec::new();
        let mut taken: Vec<String> = Vec::new();
        for key in source.keys()? {
            let mut row = session::whole(&source.db, key)?;
            let hash = source.hash(key)?;
            match self.session(&row.id) {
                Ok(here) if here.id == row.id && self.hash(&here.id)? == hash => plans.push(Plan::Kept(here.id)),
                found => {
                    let free = !matches!(found, Ok(here) if here.id == row.id);
                    let proper = (8..=64).contains(&row.id.len()) && row.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
                    if !free || !proper || taken.contains(&row.id) {
                        row.id = database::random_name(16)?;
                    }
                    taken.push(row.id.clone());
                    plans.push(Plan::Take(Box::new((key, row))));
                }
            }
        }

        let mut shown = Vec::new();
        let mut ids = Vec::new();
        for plan in plans {
            match plan {
                Plan::Kept(id) => {
                    self.restore(std::slice::from_ref(&id))?;
                    ids.push(id);
                }
                Plan::Take(session) => {
                    let (key, row) = *session;
                    ids.push(row.id.clone());
                    let (new, end) = carry::split(row);
                    let taken = self.begin(&ids[ids.len() - 1], "hidden", new).and_then(|recorder| {
                        let key_here = recorder.key();
                        shown.push((key_here, end));
                        source.copy(key, &recorder)
                    });
                    if let Err(error) = taken {
                        // What cannot be removed now is hidden, and `recover` removes it later.
                        let _ = shown.iter().try_for_each(|(key, _)| self.remove(*key));
                        return Err(error);
                    }
                }
            }
        }
        self.writer().write(move |db| shown.into_iter().try_for_each(|(key, end)| end.write(db, key)))?;
        Ok(ids)
    }

    fn hash(&self, id: &str) -> Result<Hash, Error> {
        let mut hash = Sha256::new();
        self.reader(id)?.records(&mut |record| {
            add(&mut hash, &record);
            ControlFlow::Continue(())
        })?;
        Ok(hash.finalize().into())
    }
}

/// The content of a log, however it is cut into blocks.
fn add(hash: &mut Sha256, record: &Record) {
    hash.update(record.conn.to_le_bytes());
    hash.update([record.kind.number()]);
    hash.update(record.t.to_le_bytes());
    hash.update((record.bytes.len() as u64).to_le_bytes());
    hash.update(&record.bytes);
}

/// A checked file.
struct Source {
    db: Connection,
    /// The folder of a migrated copy.
    _copy: Option<tempfile::TempDir>,
}

impl Source {
    fn open(path: &Path) -> Result<Self, Error> {
        Self::open_known(path, schema::MIGRATIONS)
    }

    fn open_known(path: &Path, migrations: &[&[&str]]) -> Result<Self, Error> {
        let not_weir = |why: &str| Error::NotWeir { path: path.to_path_buf(), why: why.into() };
        let db = database::open_read_only(path)?;
        db.set_limit(Limit::SQLITE_LIMIT_LENGTH, LARGEST)?;
        let version = match schema::kind(&db, path, migrations)? {
            schema::Kind::Fresh => return Err(not_weir("it is empty")),
            schema::Kind::Weir(version) => version,
        };
        schema::check_tables(&db, version, migrations, TABLES)?;
        for table in ["session", "text", "tag", "block"] {
            let verdict: String = db.query_row(&format!("PRAGMA quick_check('{table}')"), [], |row| row.get(0))?;
            if verdict != "ok" {
                return Err(Error::Damaged(verdict));
            }
        }
        if version == migrations.len() as i64 {
            return Ok(Self { db, _copy: None });
        }
        // An older file is migrated in a copy, which holds nothing but our own objects.
        schema::check_whole(&db, version, migrations)?;
        let folder = tempfile::tempdir().map_err(Error::io("create a folder in", &std::env::temp_dir()))?;
        let copy = folder.path().join("import.weir");
        db.backup(MAIN_DB, &copy, None::<fn(rusqlite::backup::Progress)>)?;
        drop(db);
        let db = schema::open(&copy, migrations)?;
        db.set_limit(Limit::SQLITE_LIMIT_LENGTH, LARGEST)?;
        db.pragma_update(None, "query_only", true)?;
        Ok(Self { db, _copy: Some(folder) })
    }

    fn keys(&self) -> Result<Vec<i64>, Error> {
        let mut statement = self.db.prepare("SELECT key FROM session WHERE state IN ('recording', 'done') ORDER BY key")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Read and check every record.
    fn records(&self, key: i64, mut f: impl FnMut(Record) -> Result<(), Error>) -> Result<(), Error> {
        let mut next = 0;
        let mut blocks = 0;
        while let Some(block) = next_block(&self.db, key, next)? {
            if block.first != next {
                return Err(Error::Damaged(format!("records {next} to {} are missing", block.first)));
            }
            for record in decode(&block.head, block.data)? {
                next += 1;
                f(record)?;
            }
            if next == block.first {
                return Err(Error::Damaged("a block without records".into()));
            }
            blocks += 1;
        }
        let all: i64 = self.db.query_row("SELECT count(*) FROM block WHERE session = ?", [key], |row| row.get(0))?;
        if all != blocks {
            return Err(Error::Damaged("a session has blocks that are not part of its log".into()));
        }
        Ok(())
    }

    fn hash(&self, key: i64) -> Result<Hash, Error> {
        let mut hash = Sha256::new();
        self.records(key, |record| {
            add(&mut hash, &record);
            Ok(())
        })?;
        Ok(hash.finalize().into())
    }

    fn copy(&self, key: i64, to: &Recorder) -> Result<(), Error> {
        let mut batch = Vec::new();
        let mut size = 0;
        self.records(key, |record| {
            size += record.bytes.len() + 64;
            batch.push(record);
            if size >= BATCH {
                size = 0;
                to.append(std::mem::take(&mut batch))?;
            }
            Ok(())
        })?;
        to.append(batch)?;
        to.end()
    }
}

#[cfg(test)]
mod tests;
