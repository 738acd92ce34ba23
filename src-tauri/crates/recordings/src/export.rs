//! Writing sessions to a `.weir` file of their own.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::Path;

use rusqlite::Connection;

use crate::log::Log;
use crate::table::session;
use crate::table::text::{self, Text};
use crate::{Error, Library, Record, carry, database, schema};

/// Bytes written in one go.
const BATCH: usize = 4 * 1024 * 1024;

impl Library {
    /// Write these sessions to a `.weir` file, replacing what is there only when all of it is written. Ids as in [`Library::session`].
    /// A session being recorded is written as far as it is committed, as `cut`. Deletion marks stay here.
    ///
    /// # Errors
    /// As [`Library::session`]; [`Error::OntoItself`]; the disk.
    pub fn export(&self, ids: &[String], path: &Path) -> Result<(), Error> {
        if let (Some(own), Ok(target)) = (self.path(), path.canonicalize())
            && own == target
        {
            return Err(Error::OntoItself(target));
        }
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        // In the same folder, so that the last step is a rename.
        let file = tempfile::Builder::new().prefix(".weir-export-").tempfile_in(folder).map_err(Error::io("create a file in", folder))?;
        let mut db = Connection::open(file.path())?;
        database::lay_out(&db)?;
        // Nobody sees the file before it is complete: no journal is needed, and none stays behind.
        db.query_row("PRAGMA journal_mode = OFF", [], |_| Ok(()))?;
        db.pragma_update(None, "synchronous", "OFF")?;
        db.pragma_update(None, "cache_size", -16 * 1024)?;
        schema::migrate(&mut db, file.path(), schema::MIGRATIONS)?;
        let mut done = HashSet::new();
        for id in ids {
            let id = self.session(id)?.id;
            if done.insert(id.clone()) {
                self.export_one(&id, &db)?;
            }
        }
        db.close().map_err(|(_, error)| error)?;
        file.as_file().sync_all().map_err(Error::io("write", path))?;
        file.persist(path).map_err(|error| Error::io("write", path)(error.error))?;
        Ok(())
    }

    fn export_one(&self, id: &str, db: &Connection) -> Result<(), Error> {
        db.execute_batch("BEGIN")?;
        let (new, _) = carry::split(self.session(id)?);
        let key = session::insert(db, id, "done", "", &new)?;
        let mut log = Log::new(key);
        let mut batch: Vec<Record> = Vec::new();
        let mut size = 0;
        let mut failed = None;
        self.reader(id)?.records(&mut |record| {
            size += record.bytes.len() + 64;
            batch.push(record);
            if size >= BATCH {
                size = 0;
                if let Err(error) = log.write(db, &std::mem::take(&mut batch)) {
                    failed = Some(error);
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        log.write(db, &batch)?;
        log.finish(db)?;

        // Only now: a summary speaks of records that are in the log before it.
        let (_, end) = carry::split(self.session(id)?);
        text::put(db, key, &Text { prompt: new.prompt, plan: new.plan, ..Text::default() })?;
        end.write(db, key)?;
        db.execute_batch("COMMIT")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
