//! Reading a session's log: all of it in order, or any range of a stream.

use std::ops::ControlFlow;

use rusqlite::Connection;

use crate::library::Library;
use crate::log::decode;
use crate::pack;
use crate::table::block::{self, Block};
use crate::table::extent::{self, Stream};
use crate::{Error, Record, RecordKind};

/// Reads one session. Cheap to clone; each read uses a connection of its own and waits for no writer.
#[derive(Clone, Debug)]
pub struct Reader {
    library: Library,
    key: i64,
    id: String,
}

impl Reader {
    pub(crate) fn new(library: Library, key: i64, id: String) -> Self {
        Self { library, key, id }
    }

    /// The session's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The library it reads from.
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// Every record in the order it was appended, until `f` breaks. Holds one block (about 1 MiB) in memory at a time, and no lock
    /// while `f` runs. The records of a block share its memory. Of a session being recorded in this process: all that was
    /// appended before the call, and maybe later ones.
    ///
    /// # Errors
    /// The disk failed, or the file is damaged.
    pub fn records(&self, f: &mut dyn FnMut(Record) -> ControlFlow<()>) -> Result<(), Error> {
        self.records_from(0, f)
    }

    /// The same from the record with this number on, the first being 0.
    ///
    /// # Errors
    /// The disk failed, or the file is damaged.
    pub fn records_from(&self, first: u64, f: &mut dyn FnMut(Record) -> ControlFlow<()>) -> Result<(), Error> {
        self.library.flush_live(self.key)?;
        let mut next = first;
        while let Some(block) = self.library.read(|db| next_block(db, self.key, next))? {
            let skip = next.saturating_sub(block.first);
            let mut end = block.first;
            for (n, record) in (0..).zip(decode(&block.head, block.data)?) {
                end += 1;
                if n >= skip && f(record).is_break() {
                    return Ok(());
                }
            }
            next = end.max(next + 1);
        }
        Ok(())
    }

    /// `len` bytes from `start` of everything that this connection received or sent (or of its marks, one after the other).
    /// Shorter at the end of the stream. Costs two look-ups and the bytes, wherever they are.
    ///
    /// # Errors
    /// The disk failed, or the file is damaged.
    pub fn read(&self, conn: u32, kind: RecordKind, start: u64, len: usize) -> Result<Vec<u8>, Error> {
        let bytes = self.read_committed(conn, kind, start, len)?;
        if bytes.len() < len && self.library.flush_live(self.key)? {
            return self.read_committed(conn, kind, start, len);
        }
        Ok(bytes)
    }

    fn read_committed(&self, conn: u32, kind: RecordKind, start: u64, len: usize) -> Result<Vec<u8>, Error> {
        let stream = Stream { session: self.key, conn, kind };
        self.library.read(|db| {
            // One snapshot for all pieces.
            let db = db.unchecked_transaction()?;
            let mut bytes = Vec::new();
            while bytes.len() < len {
                let offset = start.saturating_add(bytes.len() as u64);
                let Some(extent) = extent::at(&db, stream, offset)? else {
                    break;
                };
                let skip = offset - extent.start;
                if skip >= extent.len {
                    break;
                }
                let size = (extent.len - skip).min((len - bytes.len()) as u64) as usize;
                let at = usize::try_from(extent.at + skip).map_err(|_| rusqlite::Error::BlobSizeError)?;
                block::read_range(&db, extent.block, at, size, &mut bytes)?;
            }
            Ok(bytes)
        })
    }

    /// Committed bytes of a stream. 0 if it cannot be read; [`Reader::streams`] and [`Reader::read`] say why.
    pub fn len(&self, conn: u32, kind: RecordKind) -> u64 {
        let stream = Stream { session: self.key, conn, kind };
        self.library.read(|db| extent::len(db, stream)).unwrap_or(0)
    }

    /// Every stream with committed bytes and their number, by connection and kind.
    ///
    /// # Errors
    /// The disk failed, or the file is damaged.
    pub fn streams(&self) -> Result<Vec<(u32, RecordKind, u64)>, Error> {
        self.library.read(|db| extent::streams(db, self.key))
    }
}

/// The block with record `next`, or the first after it.
pub fn next_block(db: &Connection, session: i64, next: u64) -> Result<Option<Block>, Error> {
    let db = db.unchecked_transaction()?;
    let found = block::from(&db, session, next)?;
    if found.as_ref().is_some_and(|block| block.first == next) {
        return Ok(found);
    }
    // Blocks may have been merged since the last one was read: then it is in the middle of one now.
    if let Some(before) = block::before(&db, session, next)?
        && before.first.saturating_add(pack::count(&before.head)?) > next
    {
        return block::from(&db, session, before.first);
    }
    Ok(found)
}

/// Time of the last record, in nanoseconds.
pub fn last_time(db: &Connection, session: i64) -> Result<u64, Error> {
    let Some(last) = block::before(db, session, i64::MAX as u64)? else {
        return Ok(0);
    };
    let Some(block) = block::from(db, session, last.first)? else {
        return Ok(0);
    };
    Ok(decode(&block.head, block.data)?.last().map_or(0, |record| record.t))
}

#[cfg(test)]
mod tests;
