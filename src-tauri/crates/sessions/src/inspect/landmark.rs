//! Rows by what they are or own: the next trouble, the next control frame, the owner of a byte.

use weir_frames::Span;

use super::summary::is_control_frame;
use crate::analysis::{Fold, Kind, Layer, Row, RowId, Stream};
use crate::view::Landmark;

/// The nearest row before or after `from` that is a landmark; the first or last of all where no row is named.
pub fn next_row(fold: &Fold, from: Option<RowId>, backwards: bool, what: Landmark) -> Option<RowId> {
    let rows = &fold.rows;
    if what == Landmark::Stall {
        let t = match from {
            Some(id) => super::row(fold, id)?.t,
            None if backwards => u64::MAX,
            None => 0,
        };
        return fold.windows.next(t, from, backwards);
    }
    // A carrier stands behind the rows of its moment.
    let (before, after) = match from {
        None => (rows.len(), 0),
        Some(id) if id.is_carrier() => {
            let t = fold.carriers.get(id.index())?.t;
            let at = rows.partition_point(|row| row.t <= t);
            (at, at)
        }
        Some(id) => (id.index().min(rows.len()), id.index() + 1),
    };
    let found = |at: &usize| rows.get(*at).is_some_and(|row| is(fold, row, what));
    let at = if backwards { (0..before).rev().find(found) } else { (after..rows.len()).find(found) };
    at.map(|at| RowId(at as u32))
}

fn is(fold: &Fold, row: &Row, what: Landmark) -> bool {
    match what {
        Landmark::Error => matches!(row.kind, Kind::Error | Kind::Warning | Kind::Incomplete),
        Landmark::Control => match (row.layer, row.kind) {
            (_, Kind::Comment | Kind::Retry) => true,
            (Layer::H2, Kind::Control) => true,
            // Dialects have lifecycle messages of that kind, too: those are frames of text.
            (Layer::Ws, Kind::Control) => fold.words.get(row.word as usize).is_some_and(|word| is_control_frame(word)),
            _ => false,
        },
        // These are known by the frame.
        Landmark::Stall => false,
    }
}

/// The row that owns byte `at` of one direction of a connection: of a stream inside before one outside, of those the shortest; a
/// carrier where no row has the byte.
pub fn row_at(fold: &Fold, conn: u32, out: bool, at: u64) -> Option<RowId> {
    // Where the byte stands in each stream of that direction.
    let places: Vec<Option<u64>> =
        fold.streams.iter().map(|stream| if stream.conn == conn && stream.out == out { inner(stream, at) } else { None }).collect();
    let owns = |row: &Row| places.get(row.stream as usize).copied().flatten().is_some_and(|at| row.span().overlaps(Span::new(at, at + 1)));
    let depth = |row: &Row| fold.streams.get(row.stream as usize).is_some_and(|s| s.inside.is_some());
    let best = fold.rows.iter_from(0).enumerate().filter(|(_, row)| owns(row)).min_by_key(|(_, row)| (!depth(row), row.len));
    best.map(|(at, _)| RowId(at as u32)).or_else(|| {
        let carrier = fold.carriers.iter_from(0).position(owns)?;
        Some(RowId(carrier as u32 | RowId::CARRIER))
    })
}

/// The offset in a stream of a byte of its connection; `None` where the byte is its carriers' own.
fn inner(stream: &Stream, at: u64) -> Option<u64> {
    if stream.inside.is_none() {
        return Some(at);
    }
    let outer = |inner: u64| stream.map.outer(Span::new(inner, inner + 1)).first().map(|span| span.start);
    // The map only grows: the first inner byte that stands at `at` or behind it.
    let (mut low, mut high) = (0, stream.map.len());
    while low < high {
        let middle = low + (high - low) / 2;
        if outer(middle).is_some_and(|place| place < at) { low = middle + 1 } else { high = middle }
    }
    (outer(low) == Some(at)).then_some(low)
}
