//! The inspector: rows by filter, one frame opened down to its bytes, the timeline in bins.

mod bits;
mod detail;
mod explain;
mod filter;
mod landmark;
mod lenses;
mod paint;
mod reread;
mod ribbon;
mod rows;
pub(crate) mod summary;
mod unit;
pub use reread::Reread;
pub use unit::{Unit, deltas, shown};

pub use detail::{carried, open};
pub use filter::{Filter, parse};
pub use landmark::{next_row, row_at};
pub use lenses::{Run, body_of};
pub use ribbon::ribbon;
pub use rows::{Selection, row_view};

use std::sync::Mutex;

use crate::analysis::{Fold, Row, RowId};

/// Where payload bytes come from: a recording, or the log in memory.
pub trait Bytes: Send + Sync {
    /// What is kept of compressed bodies that were decoded again; `None` where nothing is.
    fn reread(&self) -> Option<&Mutex<Reread>> {
        None
    }

    /// At most `len` bytes of one direction of a connection, from offset `start`; fewer at the end of what is there.
    fn read(&self, conn: u32, out: bool, start: u64, len: usize) -> Result<Vec<u8>, crate::Error>;
}

/// The row that `id` names.
pub fn row(fold: &Fold, id: RowId) -> Option<&Row> {
    if id.is_carrier() { fold.carriers.get(id.index()) } else { fold.rows.get(id.index()) }
}
