//! Writing one session's log: records in, blocks and extents out.

use std::collections::HashMap;

use bytes::Bytes;
use rusqlite::Connection;

use crate::pack::{self, pack, unpack};
use crate::table::block;
use crate::table::extent::{self, Extent, Stream};
use crate::{Error, Record, RecordKind};

/// Payload of a full block. Larger ones make range reads walk further, smaller ones cost more rows.
const FULL: usize = 1024 * 1024;
/// Records of a full block, so that its head stays small too.
const FULL_RECORDS: usize = 64 * 1024;
/// A block below this is merged with its neighbours: a slow stream writes one every 50 ms.
const SMALL: u64 = 64 * 1024;
/// Small blocks in a row before they are merged.
const MERGE: usize = 64;
/// A record larger than this becomes several with the same time: SQLite's values end at 1 GB.
const LARGEST: usize = 256 * 1024 * 1024;

/// The end of a session's log, as the writer knows it.
#[derive(Debug)]
pub struct Log {
    session: i64,
    /// Number of the next record.
    next: u64,
    lens: HashMap<(u32, RecordKind), u64>,
    /// The small blocks at the end, in order.
    tail: Vec<Tail>,
}

#[derive(Debug)]
struct Tail {
    block: i64,
    first: u64,
    len: u64,
    starts: Vec<(Stream, u64)>,
}

impl Log {
    /// The log of a new session.
    pub fn new(session: i64) -> Self {
        Self { session, next: 0, lens: HashMap::new(), tail: Vec::new() }
    }

    /// Write records, inside the caller's transaction. After an error the log must not be used again.
    pub fn write(&mut self, db: &Connection, records: &[Record]) -> Result<(), Error> {
        let mut from = 0;
        let mut len = 0;
        for (n, record) in records.iter().enumerate() {
            let size = record.bytes.len();
            if n > from && (len + size > FULL || n - from >= FULL_RECORDS) {
                self.block(db, &records[from..n])?;
                (from, len) = (n, 0);
            }
            if size > LARGEST {
                self.pieces(db, record)?;
                from = n + 1;
                continue;
            }
            len += size;
        }
        if from < records.len() {
            self.block(db, &records[from..])?;
        }
        Ok(())
    }

    /// Nothing more comes: merge what is small.
    pub fn finish(&mut self, db: &Connection) -> Result<(), Error> {
        self.merge(db)
    }

    fn pieces(&mut self, db: &Connection, record: &Record) -> Result<(), Error> {
        for at in (0..record.bytes.len()).step_by(LARGEST) {
            let end = record.bytes.len().min(at + LARGEST);
            self.block(db, &[Record { bytes: record.bytes.slice(at..end), ..*record }])?;
        }
        Ok(())
    }

    fn block(&mut self, db: &Connection, records: &[Record]) -> Result<(), Error> {
        let packed = pack(records);
        let first = self.next;
        let block = block::insert(db, self.session, first, &packed)?;
        self.next += records.len() as u64;
        let mut starts = Vec::with_capacity(packed.shares.len());
        for share in packed.shares.iter().filter(|share| share.len > 0) {
            let stream = Stream { session: self.session, conn: share.conn, kind: share.kind };
            let end = self.lens.entry((share.conn, share.kind)).or_default();
            extent::insert(db, stream, Extent { start: *end, len: share.len, block, at: share.at })?;
            starts.push((stream, *end));
            *end += share.len;
        }
        if packed.len >= SMALL {
            return self.merge(db);
        }
        self.tail.push(Tail { block, first, len: packed.len, starts });
        let size: u64 = self.tail.iter().map(|tail| tail.len).sum();
        if self.tail.len() >= MERGE || size >= FULL as u64 {
            self.merge(db)?;
        }
        Ok(())
    }

    /// Replace the small blocks at the end by one.
    fn merge(&mut self, db: &Connection) -> Result<(), Error> {
        let tail = std::mem::take(&mut self.tail);
        if tail.len() < 2 {
            return Ok(());
        }
        let mut records = Vec::new();
        let mut starts: HashMap<Stream, u64> = HashMap::new();
        for small in &tail {
            let (head, data) = block::read(db, small.block)?;
            records.extend(decode(&head, data)?);
            block::delete(db, small.block)?;
            for &(stream, start) in &small.starts {
                extent::delete(db, stream, start)?;
                starts.entry(stream).or_insert(start);
            }
        }
        let packed = pack(&records);
        let block = block::insert(db, self.session, tail[0].first, &packed)?;
        for share in packed.shares.iter().filter(|share| share.len > 0) {
            let stream = Stream { session: self.session, conn: share.conn, kind: share.kind };
            let start = *starts.get(&stream).ok_or_else(|| Error::Damaged("a block changed while the session was recorded".into()))?;
            extent::insert(db, stream, Extent { start, len: share.len, block, at: share.at })?;
        }
        Ok(())
    }
}

/// The records of a block. They share its memory.
pub fn decode(head: &[u8], data: Vec<u8>) -> Result<impl Iterator<Item = Record> + use<>, Error> {
    let places = unpack(head, data.len())?;
    let data = Bytes::from(data);
    Ok(places.into_iter().map(move |pack::Place { conn, kind, t, range }| Record { conn, kind, t, bytes: data.slice(range) }))
}
