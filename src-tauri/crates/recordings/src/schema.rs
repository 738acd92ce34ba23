//! The schema of the file: numbered migrations, forward only. A migration that was released is never edited.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::table::{block, draft, extent, search, session, setting, tag, text};
use crate::{Error, database};

/// `WEIR` in ASCII: the SQLite application id of the library and of every `.weir` file.
pub const APPLICATION_ID: i64 = 0x5745_4952;

/// What leads from version n to n + 1. The version is SQLite's `user_version`.
pub const MIGRATIONS: &[&[&str]] = &[&[session::V1, text::V1, tag::V1, block::V1, extent::V1, search::V1, setting::V1, draft::V1]];

/// What a file is, before anything in it is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An empty database.
    Fresh,
    /// Ours, at this version.
    Weir(i64),
}

/// Look at the file's header. Changes nothing.
pub fn kind(db: &Connection, path: &Path, known: &[&[&str]]) -> Result<Kind, Error> {
    let not_weir = |why: &str| Error::NotWeir { path: path.to_path_buf(), why: why.into() };
    // One look at one moment: between two, another process may have laid the file out, and a table of ours would be taken for a foreign one.
    let _moment = db.is_autocommit().then(|| db.unchecked_transaction()).transpose()?;
    let id: i64 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if id != APPLICATION_ID {
        let objects: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if objects > 0 || id != 0 {
            return Err(not_weir(&format!("its application id is {id:#010x}")));
        }
        return Ok(Kind::Fresh);
    }
    let found = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = known.len() as i64;
    if found > known {
        return Err(Error::Newer { found, known });
    }
    if found < 1 {
        return Err(Error::Damaged(format!("its schema version is {found}")));
    }
    Ok(Kind::Weir(found))
}

/// Bring the schema up to the newest version. Two processes may do it at once: the second finds it done.
pub fn migrate(db: &mut Connection, path: &Path, migrations: &[&[&str]]) -> Result<(), Error> {
    if kind(db, path, migrations)? == Kind::Weir(migrations.len() as i64) {
        return Ok(());
    }
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let from = match kind(&tx, path, migrations)? {
        Kind::Fresh => 0,
        Kind::Weir(version) => version,
    };
    for statements in &migrations[from as usize..] {
        for statement in *statements {
            tx.execute_batch(statement)?;
        }
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", migrations.len() as i64)?;
    tx.commit()?;
    Ok(())
}

/// One row of `sqlite_schema`: type, name, table, SQL.
type Object = (String, String, String, Option<String>);

fn objects(db: &Connection) -> Result<Vec<Object>, Error> {
    // Names that begin with `sqlite_` are SQLite's own: the sequence, statistics, automatic indexes.
    let mut statement =
        db.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn expected(version: i64, migrations: &[&[&str]]) -> Result<Vec<Object>, Error> {
    let db = Connection::open_in_memory()?;
    for statement in migrations[..version as usize].iter().copied().flatten() {
        db.execute_batch(statement)?;
    }
    objects(&db)
}

/// The file has exactly the objects of that version. A library is written to, so it must not bring triggers or views of its own.
pub fn check_whole(db: &Connection, version: i64, migrations: &[&[&str]]) -> Result<(), Error> {
    let expected = expected(version, migrations)?;
    for object in objects(db)? {
        if !expected.contains(&object) {
            return Err(Error::Damaged(format!("it holds a foreign {} named {}", object.0, object.1)));
        }
    }
    check_tables(db, version, migrations, &expected.iter().map(|o| o.1.as_str()).collect::<Vec<_>>())
}

/// The named tables (or other objects) are there exactly as that version made them. Whatever else the file holds is left alone.
pub fn check_tables(db: &Connection, version: i64, migrations: &[&[&str]], names: &[&str]) -> Result<(), Error> {
    let found = objects(db)?;
    for object in expected(version, migrations)?.iter().filter(|object| names.contains(&object.1.as_str())) {
        if !found.contains(object) {
            return Err(Error::Damaged(format!("its {} {} is not the one version {version} has", object.0, object.1)));
        }
    }
    Ok(())
}

/// Open a library file for writing: create it, or check and migrate it.
pub fn open(path: &Path, migrations: &[&[&str]]) -> Result<Connection, Error> {
    let mut db = database::open(path)?;
    match kind(&db, path, migrations)? {
        Kind::Fresh => database::lay_out(&db)?,
        Kind::Weir(version) => check_whole(&db, version, migrations)?,
    }
    database::use_wal(&db)?;
    migrate(&mut db, path, migrations)?;
    Ok(db)
}

#[cfg(test)]
mod tests;
