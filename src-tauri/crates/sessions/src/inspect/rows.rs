//! Pages of the frame table under a filter, kept up as the session grows.

use super::filter::{Context, Filter, contains, contains_bytes};
use super::{Bytes, summary};
use crate::analysis::{Fold, Row, RowId};
use crate::view::{FrameRow, RowsPage};

/// Bytes read at once while a filter searches payloads.
const WINDOW: usize = 1 << 20;

/// The rows that pass a filter. Without one it holds nothing: position and id are the same.
pub struct Selection {
    filter: Filter,
    ids: Vec<u32>,
    /// Rows and carriers looked at.
    seen: (usize, usize),
    last_t: u64,
}

impl Selection {
    /// A selection that has looked at nothing yet.
    pub fn new(filter: Filter) -> Self {
        Self { filter, ids: Vec::new(), seen: (0, 0), last_t: 0 }
    }

    /// Looks at what is new since the last call.
    pub fn update(&mut self, fold: &Fold, bytes: &dyn Bytes) {
        if self.filter.is_empty() {
            return;
        }
        let mut window = Window { bytes, stream: u16::MAX, start: 0, data: Vec::new() };
        let mut rows = fold.rows.iter_from(self.seen.0).peekable();
        let carriers = self.filter.wants_carriers();
        let mut under = fold.carriers.iter_from(if carriers { self.seen.1 } else { fold.carriers.len() }).peekable();
        // Both lists are in order of time; a frame's row stands before the carrier that ends at the same moment.
        loop {
            let carrier_first = match (rows.peek(), under.peek()) {
                (Some(row), Some(carrier)) => carrier.t < row.t,
                (None, Some(_)) => true,
                (Some(_), None) => false,
                (None, None) => break,
            };
            let (row, id) = if carrier_first {
                self.seen.1 += 1;
                (under.next(), (self.seen.1 - 1) as u32 | RowId::CARRIER)
            } else {
                self.seen.0 += 1;
                (rows.next(), (self.seen.0 - 1) as u32)
            };
            let Some(row) = row else { break };
            let number = u64::from(id & !RowId::CARRIER);
            let mut holds = |row: &Row, text: &str| window.holds(fold, row, number as u32, text);
            let mut context = Context { fold, before: self.last_t, id: number, holds: &mut holds };
            if self.filter.passes(row, &mut context) {
                self.ids.push(id);
            }
            if !carrier_first {
                self.last_t = row.t;
            }
        }
    }

    /// Rows that pass.
    pub fn len(&self, fold: &Fold) -> usize {
        if self.filter.is_empty() { fold.rows.len() } else { self.ids.len() }
    }

    /// Id at a position.
    pub fn id(&self, fold: &Fold, position: usize) -> Option<RowId> {
        if self.filter.is_empty() {
            (position < fold.rows.len()).then_some(RowId(position as u32))
        } else {
            self.ids.get(position).map(|&id| RowId(id))
        }
    }

    /// Position of an id, or where it would stand among the rows that pass.
    pub fn position(&self, fold: &Fold, id: RowId) -> Option<usize> {
        if self.filter.is_empty() {
            return (!id.is_carrier() && id.index() < fold.rows.len()).then_some(id.index());
        }
        self.ids.iter().position(|&other| other == id.0)
    }

    /// A page of rows.
    pub fn page(&self, fold: &Fold, bytes: &dyn Bytes, start: usize, count: usize) -> RowsPage {
        let matching = self.len(fold);
        let start = start.min(matching);
        let mut before = start.checked_sub(1).and_then(|at| super::row(fold, self.id(fold, at)?)).map_or(0, |row| row.t);
        let mut rows = Vec::new();
        for position in start..matching.min(start + count) {
            let Some((id, row)) = self.id(fold, position).and_then(|id| Some((id, super::row(fold, id)?))) else { break };
            rows.push(row_view(fold, bytes, id, row, before));
            before = row.t;
        }
        RowsPage { matching: matching as u32, start: start as u32, rows }
    }
}

/// A row as the table shows it; `before` is the time of the row above, nanoseconds.
pub fn row_view(fold: &Fold, bytes: &dyn Bytes, id: RowId, row: &Row, before: u64) -> FrameRow {
    FrameRow {
        id: id.0,
        t_ms: row.t as f64 / 1e6,
        gap_ms: row.t.saturating_sub(before) as f64 / 1e6,
        out: fold.streams.get(row.stream as usize).is_some_and(|s| s.out),
        layer: row.layer.name().into(),
        kind: row.kind.name().into(),
        size: u64::from(row.len),
        summary: summary::of(fold, bytes, id, row),
    }
}

/// A piece of one direction's bytes, so that a search through all rows reads each byte once.
struct Window<'a> {
    bytes: &'a dyn Bytes,
    stream: u16,
    start: u64,
    data: Vec<u8>,
}

impl Window<'_> {
    fn holds(&mut self, fold: &Fold, row: &Row, number: u32, text: &str) -> bool {
        if let Some(block) = row.block.checked_sub(1).and_then(|at| fold.folded.blocks.get(at as usize))
            && block.range_of(number).and_then(|range| block.text.get(range)).is_some_and(|own| contains(own, text))
        {
            return true;
        }
        if fold.words.get(row.word as usize).is_some_and(|word| contains(word, text)) {
            return true;
        }
        let Some(stream) = fold.streams.get(row.stream as usize) else { return false };
        let outer = stream.wire(row.span());
        let (Some(first), Some(last)) = (outer.first(), outer.last()) else { return false };
        let (start, end) = (first.start, last.end.min(first.start + WINDOW as u64));
        if self.stream != row.stream || start < self.start || end > self.start + self.data.len() as u64 {
            self.stream = row.stream;
            self.start = start;
            self.data = self.bytes.read(stream.conn, stream.out, start, WINDOW).unwrap_or_default();
        }
        let from = (start - self.start) as usize;
        let to = ((end - self.start) as usize).min(self.data.len());
        self.data.get(from..to).is_some_and(|own| contains_bytes(own, text.as_bytes()))
    }
}
