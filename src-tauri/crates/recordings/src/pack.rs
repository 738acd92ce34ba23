//! How a run of records becomes one block, and back.
//!
//! A block is two blobs. `data` holds the bytes, grouped by stream (connection and kind), so that any range of a stream
//! is one contiguous piece of it. `head` holds what else there is to know, as LEB128 varints:
//!
//! ```text
//! head   = records streams stream* record*
//! stream = conn kind len             ; in the order of their bytes in `data`
//! record = (len * streams + stream)  ; which stream, and how many of its next bytes
//!          zigzag(t - t of the record before, or 0)
//! ```
//!
//! So a record of a block with one stream costs three to five bytes besides its payload.

use std::collections::HashMap;
use std::ops::Range;

use crate::{Error, Record, RecordKind};

/// A stream's share of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    pub conn: u32,
    pub kind: RecordKind,
    /// Bytes of this stream in the block.
    pub len: u64,
    /// Where they begin in `data`.
    pub at: u64,
}

/// A block to be written.
#[derive(Debug)]
pub struct Packed<'a> {
    pub head: Vec<u8>,
    pub shares: Vec<Share>,
    /// The pieces of `data`, in order.
    pub parts: Vec<&'a [u8]>,
    /// Length of `data`.
    pub len: u64,
}

/// Pack records, in order.
pub fn pack(records: &[Record]) -> Packed<'_> {
    let mut shares: Vec<Share> = Vec::new();
    let mut pieces: Vec<Vec<&[u8]>> = Vec::new();
    let mut of = Vec::with_capacity(records.len());
    let mut known: HashMap<(u32, RecordKind), usize> = HashMap::new();
    let mut last = 0;
    for record in records {
        let same = shares.get(last).is_some_and(|s| s.conn == record.conn && s.kind == record.kind);
        if !same {
            last = *known.entry((record.conn, record.kind)).or_insert_with(|| {
                shares.push(Share { conn: record.conn, kind: record.kind, len: 0, at: 0 });
                pieces.push(Vec::new());
                shares.len() - 1
            });
        }
        shares[last].len += record.bytes.len() as u64;
        pieces[last].push(&record.bytes);
        of.push(last as u64);
    }
    let mut len = 0;
    for share in &mut shares {
        share.at = len;
        len += share.len;
    }

    let streams = shares.len() as u64;
    let mut head = Vec::with_capacity(records.len() * 5 + shares.len() * 8 + 8);
    put(&mut head, records.len() as u64);
    put(&mut head, streams);
    for share in &shares {
        put(&mut head, u64::from(share.conn));
        put(&mut head, u64::from(share.kind.number()));
        put(&mut head, share.len);
    }
    let mut t = 0u64;
    for (record, stream) in records.iter().zip(of) {
        put(&mut head, record.bytes.len() as u64 * streams + stream);
        put(&mut head, zigzag(record.t.wrapping_sub(t) as i64));
        t = record.t;
    }
    Packed { head, shares, parts: pieces.into_iter().flatten().collect(), len }
}

/// A record of a block that was read: its bytes are `data[range]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub conn: u32,
    pub kind: RecordKind,
    pub t: u64,
    pub range: Range<usize>,
}

/// How many records a block has, by its head.
pub fn count(head: &[u8]) -> Result<u64, Error> {
    take(&mut &head[..])
}

/// Read a head. Everything is checked against `data`'s length, so every range is inside it and they cover it exactly.
/// Allocates by what the head holds, never by what it announces.
pub fn unpack(head: &[u8], data_len: usize) -> Result<Vec<Place>, Error> {
    let damaged = |what: &str| Error::Damaged(format!("a block's head {what}"));
    let input = &mut &head[..];
    let count = take(input)?;
    let streams = take(input)?;
    // Each needs three bytes or two at least.
    if streams > input.len() as u64 / 3 || count > input.len() as u64 / 2 {
        return Err(damaged("is shorter than it says"));
    }
    if streams == 0 && count > 0 {
        return Err(damaged("has records of no stream"));
    }
    let mut cursors: Vec<(u32, RecordKind, Range<usize>)> = Vec::with_capacity(streams as usize);
    let mut end = 0usize;
    for _ in 0..streams {
        let conn = u32::try_from(take(input)?).map_err(|_| damaged("has an impossible connection number"))?;
        let kind = u8::try_from(take(input)?).ok().and_then(RecordKind::from_number).ok_or_else(|| damaged("has an unknown kind"))?;
        let len = usize::try_from(take(input)?).map_err(|_| damaged("has an impossible length"))?;
        let start = end;
        end = start.checked_add(len).filter(|&end| end <= data_len).ok_or_else(|| damaged("claims more bytes than the block has"))?;
        cursors.push((conn, kind, start..end));
    }
    if end != data_len {
        return Err(damaged("does not account for all of the block's bytes"));
    }
    let mut places = Vec::with_capacity(count as usize);
    let mut t = 0u64;
    for _ in 0..count {
        let code = take(input)?;
        let delta = unzigzag(take(input)?);
        t = t.wrapping_add(delta as u64);
        let (conn, kind, left) = &mut cursors[(code % streams) as usize];
        let start = left.start;
        let stop = usize::try_from(code / streams)
            .ok()
            .and_then(|len| start.checked_add(len))
            .filter(|&stop| stop <= left.end)
            .ok_or_else(|| damaged("has a record longer than its stream"))?;
        left.start = stop;
        places.push(Place { conn: *conn, kind: *kind, t, range: start..stop });
    }
    if !input.is_empty() || cursors.iter().any(|(_, _, left)| !left.is_empty()) {
        return Err(damaged("and its records do not agree"));
    }
    Ok(places)
}

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take(input: &mut &[u8]) -> Result<u64, Error> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = input.split_first().ok_or_else(|| Error::Damaged("a block's head ends early".into()))?;
        *input = rest;
        // The tenth byte has room for one bit only.
        if shift == 63 && byte > 1 {
            break;
        }
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(Error::Damaged("a block's head has a number above 64 bits".into()))
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
pub mod tests;
