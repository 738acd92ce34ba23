//! Pages of the frame table under a filter, kept up as the session grows.

use std::collections::BTreeMap;

use weir_frames::Span;

use super::filter::{Coded, Facts, Filter, Inflated, Payload, Source, Windows};
use super::{Bytes, summary};
use crate::analysis::{Fold, Kind, Layer, Row, RowId, Shares, Stream};
use crate::view::{FrameRow, RowsPage};

/// Rows looked at in one step.
const STEP: usize = 16_384;
/// Bytes that one step may ask for.
const STEP_BYTES: u64 = 8 << 20;

/// The rows that pass a filter. Without one it holds nothing: position and id are the same.
///
/// It is brought up to date in steps, so that nobody waits for it: [`Selection::gather`] needs the index and is brief,
/// [`Selection::settle`] reads payloads and needs no index. A search ends when no more steps are asked for.
pub struct Selection {
    filter: Filter,
    ids: Vec<u32>,
    /// Rows and carriers looked at.
    seen: (usize, usize),
    last_t: u64,
    /// The first of the carriers that were taken when no more rows were there: a row may come that stands before them.
    tail: Option<usize>,
    /// How far coded streams were asked to be decoded, by stream.
    coded: BTreeMap<u16, u64>,
    windows: Windows,
    /// How many of `ids` were counted, and what these rows and these carriers own.
    counted: usize,
    shares: [Shares; 2],
}

/// What one step found: rows that pass, and those whose payload decides, in order.
pub struct Step {
    found: Vec<(u32, Option<Question>)>,
    /// There is more to look at.
    pub more: bool,
}

/// A row taken out of the index, to be decided by its payload.
struct Question {
    row: Row,
    window: Option<u64>,
    number: u64,
    before: u64,
    word: String,
    source: Source,
}

impl Selection {
    /// A selection that has looked at nothing yet.
    pub fn new(filter: Filter) -> Self {
        Self {
            filter,
            ids: Vec::new(),
            seen: (0, 0),
            last_t: 0,
            tail: None,
            coded: BTreeMap::new(),
            windows: Windows::default(),
            counted: 0,
            shares: [Shares::default(); 2],
        }
    }

    /// Whether its steps read payloads.
    pub fn reads_payload(&self) -> bool {
        self.filter.reads_payload()
    }

    /// The share (0–1) of the rows that were looked at; `None` when all were.
    pub fn searched(&self, fold: &Fold) -> Option<f64> {
        if self.filter.is_empty() {
            return None;
        }
        let carriers = if self.filter.wants_carriers() { (self.seen.1, fold.carriers.len()) } else { (0, 0) };
        let (seen, all) = (self.seen.0 + carriers.0, fold.rows.len() + carriers.1);
        (seen < all).then(|| seen as f64 / all as f64)
    }

    /// Whether a row was looked at.
    pub fn has_seen(&self, id: RowId) -> bool {
        self.filter.is_empty() || id.index() < if id.is_carrier() { self.seen.1 } else { self.seen.0 }
    }

    /// Looks at all that is new, however long it takes.
    pub fn update(&mut self, fold: &Fold, bytes: &dyn Bytes) {
        loop {
            let step = self.gather(fold);
            let more = step.more;
            self.settle(step, bytes);
            if !more {
                break;
            }
        }
    }

    /// Looks at the next rows of the index. What it tells must be settled before it is called again.
    pub fn gather(&mut self, fold: &Fold) -> Step {
        let mut found = Vec::new();
        if self.filter.is_empty() {
            return Step { found, more: false };
        }
        self.take_back(fold);
        let carriers = self.filter.wants_carriers();
        let mut rows = fold.rows.iter_from(self.seen.0).peekable();
        let mut under = fold.carriers.iter_from(if carriers { self.seen.1 } else { fold.carriers.len() }).peekable();
        let mut asked = 0;
        // Both lists are in order of time; a frame's row stands before the carrier that ends at the same moment.
        for _ in 0..STEP {
            let carrier_first = match (rows.peek(), under.peek()) {
                (Some(row), Some(carrier)) => carrier.t < row.t,
                (None, Some(_)) => {
                    self.tail.get_or_insert(self.seen.1);
                    true
                }
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
            let stream = fold.streams.get(row.stream as usize);
            let word = fold.words.get(row.word as usize).map_or("", String::as_str);
            let number = u64::from(id & !RowId::CARRIER);
            let window = fold.windows.left(RowId(id)).map(|left| left.least().max(0) as u64);
            let facts = Facts { row, window, id: number, before: self.last_t, out: stream.is_some_and(|s| s.out), word };
            match (self.filter.of_index(facts), stream) {
                (Some(true), _) => found.push((id, None)),
                (None, Some(stream)) => {
                    let coded = coded(&mut self.coded, row, stream);
                    let spans = if coded.is_some() { Vec::new() } else { stream.wire(row.span()) };
                    asked += u64::from(row.len);
                    let deflated = inflated(&mut self.coded, row, stream);
                    let (dialect, transport) = (fold.dialect, fold.transport);
                    let source = Source { conn: stream.conn, out: stream.out, spans, coded, deflated, dialect, transport };
                    found.push((id, Some(Question { row: *row, window, number, before: self.last_t, word: word.to_owned(), source })));
                }
                _ => {}
            }
            if !carrier_first {
                self.last_t = row.t;
            }
            if asked >= STEP_BYTES {
                break;
            }
        }
        Step { found, more: rows.peek().is_some() || under.peek().is_some() }
    }

    /// Decides what a step left open.
    pub fn settle(&mut self, step: Step, bytes: &dyn Bytes) {
        for (id, question) in step.found {
            let passes = question.is_none_or(|asked| {
                let Question { row, window, number: id, before, word, source } = &asked;
                let facts = Facts { row, window: *window, id: *id, before: *before, out: source.out, word };
                self.filter.of_payload(facts, &mut Payload::new(bytes, &mut self.windows, &asked.source))
            });
            if passes {
                self.ids.push(id);
            }
        }
        if !step.more {
            self.windows.clear();
        }
    }

    /// Takes back the carriers at the end that stand behind a row that came since: what passes, and where, must not depend on when
    /// one looks.
    fn take_back(&mut self, fold: &Fold) {
        let Some(row) = fold.rows.get(self.seen.0) else { return };
        let Some(first) = self.tail.take() else { return };
        while self.seen.1 > first && fold.carriers.get(self.seen.1 - 1).is_some_and(|carrier| carrier.t >= row.t) {
            self.seen.1 -= 1;
        }
        let taken = |id: u32| RowId(id).is_carrier() && RowId(id).index() >= self.seen.1;
        while self.ids.last().is_some_and(|&id| taken(id)) {
            self.ids.pop();
        }
        if self.counted > self.ids.len() {
            self.counted = usize::MAX;
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

    /// What the rows that pass own, by layer. A filter that is a stretch of time alone also has what stands between rows there: each
    /// byte of the session lies in one stretch of any partition.
    pub fn shares(&mut self, fold: &Fold) -> Shares {
        if let Some((from, to)) = self.filter.time() {
            return fold.layers_between(from, to.saturating_add(1));
        }
        if self.filter.is_empty() {
            return fold.layers();
        }
        if self.counted > self.ids.len() {
            (self.counted, self.shares) = (0, [Shares::default(); 2]);
        }
        let new = &self.ids[self.counted..];
        let of = |carriers: bool| new.iter().map(|id| RowId(*id)).filter(move |id| id.is_carrier() == carriers).map(RowId::index);
        self.shares[0].add(&fold.ledger.rows.sum(of(false)));
        self.shares[1].add(&fold.ledger.carriers.sum(of(true)));
        self.counted = self.ids.len();
        let mut all = self.shares[0];
        all.add(&self.shares[1]);
        all
    }

    /// A page of rows.
    pub fn page(&self, fold: &Fold, bytes: &dyn Bytes, start: usize, count: usize) -> RowsPage {
        let matching = self.len(fold);
        let start = start.min(matching);
        let mut above = start.checked_sub(1).and_then(|at| super::row(fold, self.id(fold, at)?)).map_or(0, |row| row.t);
        let mut rows = Vec::new();
        for position in start..matching.min(start + count) {
            let Some((id, row)) = self.id(fold, position).and_then(|id| Some((id, super::row(fold, id)?))) else { break };
            // What a filter hides makes no gap: the column says what `gap>` asks for. Carriers are told from the one above,
            // since the row they carried mostly ends at the same moment.
            let before =
                if id.is_carrier() { above } else { id.index().checked_sub(1).and_then(|at| fold.rows.get(at)).map_or(0, |row| row.t) };
            rows.push(row_view(fold, bytes, id, row, before));
            above = row.t;
        }
        RowsPage { matching: matching as u32, start: start as u32, rows, searched: self.searched(fold) }
    }
}

/// What has to be decoded for a row of a coded stream, beyond what was `given` to the rows before it.
fn coded(given: &mut BTreeMap<u16, u64>, row: &Row, stream: &Stream) -> Option<Coded> {
    if stream.codings.is_empty() {
        return None;
    }
    let given = given.entry(row.stream).or_default();
    let end = stream.coded(row.span()).last().map_or(0, |block| block.end);
    let more = if end > *given { stream.map.outer(Span::new(*given, end)) } else { Vec::new() };
    *given = end.max(*given);
    Some(Coded { stream: row.stream, codings: stream.codings.iter().map(|(coding, _)| *coding).collect(), span: row.span(), more })
}

/// What has to be read to inflate the message that a row is, beyond what was `given` to those before it in its stream.
fn inflated(given: &mut BTreeMap<u16, u64>, row: &Row, stream: &Stream) -> Option<Inflated> {
    let message = row.layer == Layer::Ws && row.kind != Kind::Frame && row.len > 0;
    let deflated = stream.deflated.as_ref().filter(|_| message)?;
    let (place, window) = deflated.before(row.start);
    // A place behind all that was read saves reading what lies between.
    let (from, start) = match given.get(&row.stream) {
        Some(read) if *read >= place => (None, *read),
        _ => (Some((place, window)), place),
    };
    let end = row.span().end;
    given.insert(row.stream, end.max(start));
    let more = if end > start { stream.wire(Span::new(start, end)) } else { Vec::new() };
    Some(Inflated { stream: row.stream, extensions: deflated.extensions.clone(), from, start: row.start, more })
}

/// A row as the table shows it; `before` is the time that its gap counts from, nanoseconds.
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

#[cfg(test)]
mod tests;
