//! Header blocks (RFC 7541), read by `fluke-hpack` behind a check of their outer form.
//!
//! The check is there because the decoder panics on a table size update that is cut off, takes updates anywhere in
//! a block, and has no bound on what it puts out. It also builds its Huffman table anew for every string, which lets
//! a peer burn seconds with a small block: strings are decoded here and handed to it plain.

use std::fmt;

use fluke_hpack::Decoder;

use super::{Header, huffman};

/// What a connection's dynamic table may hold before SETTINGS say otherwise (RFC 9113 §6.5.2).
const DEFAULT_TABLE: usize = 4096;

/// What RFC 9113 §6.5.2 adds to each field's name and value when it measures a field section.
const FIELD_OVERHEAD: usize = 32;

/// Why a block gives no fields.
#[derive(Debug)]
pub(super) enum Fault {
    /// It breaks RFC 7541.
    Malformed(String),
    /// It is longer than the limit once decoded. The table is still in step.
    TooLong,
    /// It stands behind a block that could not be read, so the table is unknown (RFC 9113 §4.3).
    Lost,
}

/// One direction's decoding context.
pub(super) struct Hpack {
    decoder: Decoder<'static>,
    /// Largest table size that an update may ask for.
    allowed: usize,
    /// Bound on decoded field sections, and on the table.
    limit: usize,
    lost: bool,
}

impl fmt::Debug for Hpack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hpack").field("allowed", &self.allowed).field("lost", &self.lost).finish_non_exhaustive()
    }
}

impl Hpack {
    /// A context at the start of a connection. `limit` bounds every decoded field section in bytes.
    pub(super) fn new(limit: usize) -> Self {
        let mut decoder = Decoder::new();
        decoder.set_max_allowed_table_size(DEFAULT_TABLE);
        Self { decoder, allowed: DEFAULT_TABLE, limit, lost: false }
    }

    /// Allows table sizes up to `size`. A smaller size than before changes nothing: nobody can tell from one
    /// direction when the sender has taken it up.
    pub(super) fn allow_table_size(&mut self, size: u32) {
        let size = usize::try_from(size).unwrap_or(usize::MAX).min(self.limit);
        if size > self.allowed {
            self.allowed = size;
            self.decoder.set_max_allowed_table_size(size);
        }
    }

    /// A block was not read: later ones cannot be.
    pub(super) fn lose(&mut self) {
        self.lost = true;
    }

    /// Decodes a whole block into `fields`, which is emptied first and stays empty on a fault.
    pub(super) fn decode(&mut self, block: &[u8], fields: &mut Vec<Header>) -> Result<(), Fault> {
        fields.clear();
        if self.lost {
            return Err(Fault::Lost);
        }
        let mut left = self.limit;
        let mut fits = true;
        let read = plain(block, self.allowed).and_then(|block| {
            let each = |name: std::borrow::Cow<'_, [u8]>, value: std::borrow::Cow<'_, [u8]>| match left
                .checked_sub(name.len() + value.len() + FIELD_OVERHEAD)
            {
                Some(rest) if fits => {
                    left = rest;
                    fields.push(Header { name: name.into_owned(), value: value.into_owned() });
                }
                _ => fits = false,
            };
            self.decoder.decode_with_cb(&block, each).map_err(|error| format!("the header block does not decode: {error:?} (RFC 7541)"))
        });
        match read {
            Ok(()) if fits => Ok(()),
            Ok(()) => {
                *fields = Vec::new();
                Err(Fault::TooLong)
            }
            Err(why) => {
                self.lost = true;
                *fields = Vec::new();
                Err(Fault::Malformed(why))
            }
        }
    }
}

/// Walks over a block's representations (RFC 7541 §6) and writes them again with their strings not Huffman-coded.
fn plain(block: &[u8], allowed: usize) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(block.len());
    let mut rest = block;
    let mut fields = false;
    while let Some(&first) = rest.first() {
        let before = rest;
        match first {
            0x80.. => {
                integer(&mut rest, 7)?;
                out.extend_from_slice(&before[..before.len() - rest.len()]);
                fields = true;
            }
            0x20..0x40 => {
                if fields {
                    return Err("a table size update must stand at the beginning of its block (RFC 7541 §4.2)".into());
                }
                let size = integer(&mut rest, 5)?;
                if size > allowed as u64 {
                    return Err(format!("a table size update to {size} exceeds the limit of {allowed} (RFC 7541 §6.3)"));
                }
                out.extend_from_slice(&before[..before.len() - rest.len()]);
            }
            _ => {
                let name = integer(&mut rest, if first >= 0x40 { 6 } else { 4 })?;
                out.extend_from_slice(&before[..before.len() - rest.len()]);
                if name == 0 {
                    string(&mut rest, &mut out)?;
                }
                string(&mut rest, &mut out)?;
                fields = true;
            }
        }
    }
    Ok(out)
}

/// An integer with a prefix of `bits` (RFC 7541 §5.1).
fn integer(rest: &mut &[u8], bits: u8) -> Result<u64, String> {
    const CUT: &str = "the header block ends inside a representation (RFC 7541 §5)";
    let (&first, mut tail) = rest.split_first().ok_or(CUT)?;
    let mask = (1u16 << bits) as u8;
    let mask = mask.wrapping_sub(1);
    let mut value = u64::from(first & mask);
    if first & mask == mask {
        let mut shift = 0;
        loop {
            let (&byte, after) = tail.split_first().ok_or(CUT)?;
            tail = after;
            value += u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
            if shift > 21 {
                return Err("an integer in the header block is too long (RFC 7541 §5.1)".into());
            }
        }
    }
    *rest = tail;
    Ok(value)
}

/// A string literal (RFC 7541 §5.2), written again plain.
fn string(rest: &mut &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    let huffman_coded = rest.first().is_some_and(|first| first & 0x80 != 0);
    let len = integer(rest, 7)?;
    let (bytes, after) = usize::try_from(len)
        .ok()
        .and_then(|len| rest.split_at_checked(len))
        .ok_or("a string reaches beyond its header block (RFC 7541 §5.2)")?;
    *rest = after;
    if !huffman_coded {
        write_length(bytes.len(), out);
        out.extend_from_slice(bytes);
        return Ok(());
    }
    let mut text = Vec::with_capacity(bytes.len() * 8 / 5);
    huffman::decode(bytes, &mut text)?;
    write_length(text.len(), out);
    out.extend_from_slice(&text);
    Ok(())
}

/// An integer with a prefix of seven bits under a zero (RFC 7541 §5.1).
fn write_length(len: usize, out: &mut Vec<u8>) {
    if len < 0x7f {
        out.push(len as u8);
        return;
    }
    out.push(0x7f);
    let mut left = len - 0x7f;
    while left >= 0x80 {
        out.push(left as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
}
