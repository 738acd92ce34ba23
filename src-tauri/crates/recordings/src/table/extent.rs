//! Where the bytes of a stream are: a row for each stream of each block, found by the offset in the stream.

use rusqlite::{Connection, OptionalExtension, params};

use crate::database::{from_sql, to_sql};
use crate::{Error, RecordKind};

pub const V1: &str = "\
CREATE TABLE extent (
  session INTEGER NOT NULL,
  conn INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  start INTEGER NOT NULL,
  len INTEGER NOT NULL,
  block INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (session, conn, kind, start)
) WITHOUT ROWID";

/// A stream of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stream {
    pub session: i64,
    pub conn: u32,
    pub kind: RecordKind,
}

/// A contiguous piece of a stream: bytes `start..start + len` are bytes `at..at + len` of a block's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    pub start: u64,
    pub len: u64,
    pub block: i64,
    pub at: u64,
}

pub fn insert(db: &Connection, stream: Stream, extent: Extent) -> Result<(), Error> {
    db.prepare_cached("INSERT INTO extent VALUES (?, ?, ?, ?, ?, ?, ?)")?.execute(params![
        stream.session,
        stream.conn,
        stream.kind.number(),
        to_sql(extent.start),
        to_sql(extent.len),
        extent.block,
        to_sql(extent.at)
    ])?;
    Ok(())
}

/// The piece that begins last at `offset` or before it. It may end before `offset`.
pub fn at(db: &Connection, stream: Stream, offset: u64) -> Result<Option<Extent>, Error> {
    let row = db
        .prepare_cached(
            "SELECT start, len, block, at FROM extent WHERE session = ? AND conn = ? AND kind = ? AND start <= ? \
             ORDER BY start DESC LIMIT 1",
        )?
        .query_row(params![stream.session, stream.conn, stream.kind.number(), to_sql(offset)], |row| {
            Ok(Extent { start: from_sql(row.get(0)?), len: from_sql(row.get(1)?), block: row.get(2)?, at: from_sql(row.get(3)?) })
        })
        .optional()?;
    Ok(row)
}

/// Length of a stream.
pub fn len(db: &Connection, stream: Stream) -> Result<u64, Error> {
    Ok(at(db, stream, u64::MAX)?.map_or(0, |last| last.start.saturating_add(last.len)))
}

pub fn delete(db: &Connection, stream: Stream, start: u64) -> Result<(), Error> {
    db.prepare_cached("DELETE FROM extent WHERE session = ? AND conn = ? AND kind = ? AND start = ?")?.execute(params![
        stream.session,
        stream.conn,
        stream.kind.number(),
        to_sql(start)
    ])?;
    Ok(())
}

pub fn delete_all(db: &Connection, session: i64) -> Result<(), Error> {
    db.prepare_cached("DELETE FROM extent WHERE session = ?")?.execute([session])?;
    Ok(())
}

/// Every stream of a session that has bytes, with its length, by connection and kind.
pub fn streams(db: &Connection, session: i64) -> Result<Vec<(u32, RecordKind, u64)>, Error> {
    let mut statement =
        db.prepare_cached("SELECT conn, kind, max(start + len) FROM extent WHERE session = ? GROUP BY conn, kind ORDER BY conn, kind")?;
    let rows = statement.query_map([session], |row| Ok((row.get(0)?, row.get::<_, u8>(1)?, row.get(2)?)))?;
    let mut streams = Vec::new();
    for row in rows {
        let (conn, kind, len) = row?;
        let kind = RecordKind::from_number(kind).ok_or_else(|| Error::Damaged(format!("a stream of kind {kind}")))?;
        streams.push((conn, kind, from_sql(len)));
    }
    Ok(streams)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_found_by_its_offset() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(V1).unwrap();
        let stream = Stream { session: 1, conn: 0, kind: RecordKind::In };
        let extent = |start, len, block| Extent { start, len, block, at: 7 };
        for (start, len, block) in [(0, 10, 1), (10, 5, 2), (15, 100, 3)] {
            insert(&db, stream, extent(start, len, block)).unwrap();
        }
        insert(&db, Stream { kind: RecordKind::Out, ..stream }, extent(0, 3, 1)).unwrap();
        assert_eq!(at(&db, stream, 9).unwrap(), Some(extent(0, 10, 1)));
        assert_eq!(at(&db, stream, 10).unwrap(), Some(extent(10, 5, 2)));
        assert_eq!(at(&db, stream, u64::MAX).unwrap(), Some(extent(15, 100, 3)));
        assert_eq!(at(&db, Stream { conn: 1, ..stream }, 0).unwrap(), None);
        assert_eq!(len(&db, stream).unwrap(), 115);
        assert_eq!(streams(&db, 1).unwrap(), [(0, RecordKind::In, 115), (0, RecordKind::Out, 3)]);
        delete(&db, stream, 15).unwrap();
        assert_eq!(len(&db, stream).unwrap(), 15);
        delete_all(&db, 1).unwrap();
        assert!(streams(&db, 1).unwrap().is_empty());
    }
}
