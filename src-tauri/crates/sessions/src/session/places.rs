//! From a time, a byte or a character of a session to its row, and back.

use super::Session;
use crate::analysis::{ReplyBlock, RowId, utf16_len};
use crate::inspect;
use crate::view::{Landmark, Place, Ribbon};

impl Session {
    /// The timeline from `from_ms` to `to_ms` (to its end where none is named), in so many bins.
    pub fn ribbon(&self, from_ms: f64, to_ms: Option<f64>, bins: u32) -> Ribbon {
        let analysis = self.analysis();
        inspect::ribbon(&analysis, self.elapsed(&analysis), from_ms, to_ms, bins)
    }

    /// The nearest row before or after `row` that came more than `over_ms` after the row above it.
    pub fn next_gap(&self, row: u32, backwards: bool, over_ms: f64) -> Option<u32> {
        let analysis = self.analysis();
        let rows = &analysis.fold.rows;
        let over = (over_ms * 1e6) as u64;
        let gap = |at: u32| {
            let (here, above) = (rows.get(at as usize)?, rows.get(at.checked_sub(1)? as usize)?);
            (here.t.saturating_sub(above.t) > over).then_some(at)
        };
        if backwards { (0..row).rev().find_map(gap) } else { (row.saturating_add(1)..rows.len() as u32).find_map(gap) }
    }

    /// The nearest row before or after `row` that is such a landmark; from outside the table where no row is named.
    pub fn next_row(&self, row: Option<u32>, backwards: bool, what: Landmark) -> Option<u32> {
        inspect::next_row(&self.analysis().fold, row.map(RowId), backwards, what).map(|id| id.0)
    }

    /// The row that owns byte `at` of one direction of a connection: the innermost, a carrier where nothing else has it.
    pub fn row_at(&self, conn: u32, out: bool, at: u64) -> Option<u32> {
        inspect::row_at(&self.analysis().fold, conn, out, at).map(|id| id.0)
    }

    /// The delta at a UTF-16 offset of a block's text.
    pub fn locate(&self, block: u32, offset: u32) -> Option<Place> {
        let analysis = self.analysis();
        let found = analysis.fold.folded.blocks.get(block as usize)?;
        let (row, range) = found.delta_at(found.byte_of_utf16(offset) as u32)?;
        Some(place(found, block, row, range))
    }

    /// The text that a row added to the reply.
    pub fn place(&self, row: u32) -> Option<Place> {
        let analysis = self.analysis();
        let block = analysis.fold.rows.get(row as usize)?.block.checked_sub(1)?;
        let found = analysis.fold.folded.blocks.get(block as usize)?;
        let range = found.range_of(row)?;
        Some(place(found, block, row, range))
    }
}

fn place(block: &ReplyBlock, index: u32, row: u32, range: std::ops::Range<usize>) -> Place {
    let start = block.utf16_of_byte(range.start);
    Place { row, block: index, start, end: start + utf16_len(block.text.get(range).unwrap_or_default()) }
}
