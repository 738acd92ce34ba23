//! The log: blocks of consecutive records, packed as [`crate::pack`] says.

use rusqlite::blob::ZeroBlob;
use rusqlite::{Connection, OptionalExtension, params};

use crate::Error;
use crate::pack::Packed;

/// `first` is the number of the block's first record in its session, so blocks can be merged while somebody reads.
pub const V1: &str = "\
CREATE TABLE block (
  id INTEGER PRIMARY KEY,
  session INTEGER NOT NULL,
  first INTEGER NOT NULL,
  head BLOB NOT NULL,
  data BLOB NOT NULL
);
CREATE UNIQUE INDEX block_by_record ON block (session, first)";

/// From this size of piece on, writing each piece into the row beats gathering them first (measured: 82 against 106 ms for 100 MB).
const PIECE: u64 = 8 * 1024;

pub fn insert(db: &Connection, session: i64, first: u64, packed: &Packed<'_>) -> Result<i64, Error> {
    let mut insert = db.prepare_cached("INSERT INTO block (session, first, head, data) VALUES (?, ?, ?, ?)")?;
    let first = crate::database::to_sql(first);
    if packed.len < PIECE * packed.parts.len() as u64 {
        insert.execute(params![session, first, packed.head, packed.parts.concat()])?;
        return Ok(db.last_insert_rowid());
    }
    insert.execute(params![session, first, packed.head, ZeroBlob(packed.len)])?;
    let id = db.last_insert_rowid();
    let mut blob = db.blob_open("main", "block", "data", id, false)?;
    let mut at = 0;
    for part in &packed.parts {
        blob.write_all_at(part, at)?;
        at += part.len();
    }
    blob.close()?;
    Ok(id)
}

/// A block as it was read.
pub struct Block {
    pub first: u64,
    pub head: Vec<u8>,
    pub data: Vec<u8>,
}

/// The block that begins at this record or, failing that, the next one after it.
pub fn from(db: &Connection, session: i64, record: u64) -> Result<Option<Block>, Error> {
    one(db, "SELECT first, head, data FROM block WHERE session = ? AND first >= ? ORDER BY first LIMIT 1", session, record)
}

/// The block that begins before this record, nearest to it, without its data.
pub fn before(db: &Connection, session: i64, record: u64) -> Result<Option<Block>, Error> {
    let sql = "SELECT first, head, x'' FROM block WHERE session = ? AND first < ? ORDER BY first DESC LIMIT 1";
    one(db, sql, session, record)
}

fn one(db: &Connection, sql: &str, session: i64, record: u64) -> Result<Option<Block>, Error> {
    let row = db
        .prepare_cached(sql)?
        .query_row(params![session, crate::database::to_sql(record)], |row| {
            Ok(Block { first: crate::database::from_sql(row.get(0)?), head: row.get(1)?, data: row.get(2)? })
        })
        .optional()?;
    Ok(row)
}

/// Head and data of one block.
pub fn read(db: &Connection, id: i64) -> Result<(Vec<u8>, Vec<u8>), Error> {
    Ok(db.prepare_cached("SELECT head, data FROM block WHERE id = ?")?.query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// Append `len` bytes of a block's data to `out`, from `at`.
pub fn read_range(db: &Connection, id: i64, at: usize, len: usize, out: &mut Vec<u8>) -> Result<(), Error> {
    let blob = db.blob_open("main", "block", "data", id, true)?;
    let old = out.len();
    out.resize(old + len, 0);
    blob.read_at_exact(&mut out[old..], at)?;
    Ok(())
}

pub fn delete(db: &Connection, id: i64) -> Result<(), Error> {
    db.prepare_cached("DELETE FROM block WHERE id = ?")?.execute([id])?;
    Ok(())
}

/// Delete some of a session's blocks, so that no transaction gets long. False when none were left.
pub fn delete_some(db: &Connection, session: i64) -> Result<bool, Error> {
    let deleted = db
        .prepare_cached("DELETE FROM block WHERE id IN (SELECT id FROM block WHERE session = ? ORDER BY first LIMIT 32)")?
        .execute([session])?;
    Ok(deleted > 0)
}

#[cfg(test)]
mod tests;
