//! The fields between two blank lines, and what the blank line makes of them (WHATWG HTML §9.2.6).

use std::borrow::Cow;
use std::ops::Range;

use super::line::{self, Field};
use super::{Event, Item};
use crate::Span;

/// Bytes that a buffer keeps for the next block; what a longer block needed is given back.
pub(super) const KEPT: usize = 64 << 10;

/// A line whose end was found.
pub(super) struct Line<'a> {
    /// Stream offset of its first byte.
    pub(super) start: u64,
    /// Stream offset of its line end.
    pub(super) content_end: u64,
    /// Stream offset behind its line end.
    pub(super) end: u64,
    /// Its content; only the beginning where it is very long.
    pub(super) bytes: &'a [u8],
    /// Where `bytes` begins in the pushed slice, if it lies there.
    pub(super) place: Option<usize>,
}

/// The data buffer of the standard.
#[derive(Debug, Default)]
enum Data {
    /// No `data` field yet.
    #[default]
    None,
    /// One value, still where the push brought it.
    Pushed(Range<usize>),
    /// Values joined with LF in `gathered` (nothing there once the block is oversized).
    Gathered,
}

#[derive(Debug)]
pub(super) struct Block {
    unit: usize,
    /// Offset of the first field line; `None` outside a block.
    start: Option<u64>,
    /// The block has a field that no item has told yet.
    untold: bool,
    data: Data,
    gathered: Vec<u8>,
    /// The values of the `data` fields.
    lines: Vec<Span>,
    /// The event type buffer.
    event: String,
    last_id: String,
    /// The id this block sets, if `sets_id`: it counts from the blank line on.
    next_id: String,
    sets_id: bool,
    /// Room for text whose ill-formed UTF-8 had to be replaced.
    decoded: String,
}

impl Block {
    pub(super) fn new(unit: usize, last_id: &str) -> Self {
        Self {
            unit,
            start: None,
            untold: false,
            data: Data::None,
            gathered: Vec::new(),
            lines: Vec::new(),
            event: String::new(),
            last_id: last_id.to_owned(),
            next_id: String::new(),
            sets_id: false,
            decoded: String::new(),
        }
    }

    pub(super) fn last_event_id(&self) -> &str {
        &self.last_id
    }

    /// Takes a line in; `pushed` is the slice in which `line.place` counts.
    #[inline]
    pub(super) fn line(&mut self, mut line: Line<'_>, pushed: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        if line.start == 0 && line.bytes.starts_with(line::BOM) {
            line.start = 3;
            line.bytes = &line.bytes[3..];
            line.place = line.place.map(|at| at + 3);
        }
        if line.bytes.is_empty() {
            return self.dispatch(line.end, pushed, sink);
        }

        let (field, value_at) = line::field(line.bytes);
        let value = &line.bytes[value_at..];
        if field == Field::Comment {
            let text = line::decode(line::cut(value, self.unit), &mut self.decoded);
            sink(Item::Comment { span: Span::new(line.start, line.end), text: Cow::Borrowed(text) });
            return self.decoded.shrink_to(KEPT);
        }

        self.start.get_or_insert(line.start);
        match field {
            Field::Data => {
                let span = Span::new(line.start + value_at as u64, line.content_end);
                self.data(span, value, line.place.map(|at| at + value_at), pushed);
            }
            Field::Event => {
                line::replace(line::cut(value, self.unit), &mut self.event);
            }
            Field::Id if !value.contains(&0) => {
                line::replace(line::cut(value, self.unit), &mut self.next_id);
                self.sets_id = true;
            }
            Field::Retry => {
                // Of a line that was cut nobody can say whether all of it is digits.
                let whole = line.bytes.len() as u64 == line.content_end - line.start;
                if let Some(ms) = line::retry(value).filter(|_| whole) {
                    return sink(Item::Retry { span: Span::new(line.start, line.end), ms });
                }
            }
            Field::Id | Field::Unknown | Field::Comment => {}
        }
        self.untold = true;
    }

    /// Copies what still lies in the pushed slice, which is about to go.
    pub(super) fn keep(&mut self, pushed: &[u8]) {
        if let Data::Pushed(range) = std::mem::take(&mut self.data) {
            self.gathered.clear();
            self.gathered.extend_from_slice(&pushed[range]);
            self.data = Data::Gathered;
        } else if !self.lines.is_empty() {
            self.data = Data::Gathered;
        }
    }

    /// Where the unfinished block starts, if the end of input loses something of it.
    pub(super) fn cut(&self) -> Option<u64> {
        self.start.filter(|_| self.untold)
    }

    /// Forgets the unfinished block, its id too.
    pub(super) fn abandon(&mut self) {
        self.sets_id = false;
        self.clear();
    }

    /// A `data` field, whose value stands at `span`.
    #[inline]
    fn data(&mut self, span: Span, value: &[u8], place: Option<usize>, pushed: &[u8]) {
        let start = self.start.unwrap_or(span.start);
        let unit = self.unit as u64;
        if span.end - start > unit {
            // Oversized for certain: only where the values stand is kept, and only as many as the limit allows.
            self.gathered = Vec::new();
            self.data = Data::Gathered;
            if self.lines.is_empty() || span.start - start <= unit {
                self.lines.push(span);
            }
            return;
        }
        match (std::mem::take(&mut self.data), place) {
            (Data::None, Some(at)) => {
                self.data = Data::Pushed(at..at + value.len());
            }
            (Data::None, None) => {
                self.gathered.clear();
                self.gathered.extend_from_slice(value);
                self.data = Data::Gathered;
            }
            (held, _) => {
                if let Data::Pushed(range) = held {
                    self.gathered.clear();
                    self.gathered.extend_from_slice(&pushed[range]);
                }
                self.gathered.push(b'\n');
                self.gathered.extend_from_slice(value);
                self.data = Data::Gathered;
            }
        }
        self.lines.push(span);
    }

    /// A blank line that ends at `end`.
    #[inline]
    fn dispatch(&mut self, end: u64, pushed: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        let Some(start) = self.start else { return };
        // The id counts also where there is no data (step 1 comes before step 2).
        if std::mem::take(&mut self.sets_id) {
            std::mem::swap(&mut self.last_id, &mut self.next_id);
            self.next_id.shrink_to(KEPT);
        }
        let span = Span::new(start, end);
        let oversized = span.len() > self.unit as u64;
        let data = match &self.data {
            Data::None => {
                if self.untold {
                    sink(Item::Silent { span, id: &self.last_id });
                }
                return self.clear();
            }
            _ if oversized => "",
            Data::Pushed(range) => line::decode(&pushed[range.clone()], &mut self.decoded),
            Data::Gathered => line::decode(&self.gathered, &mut self.decoded),
        };
        sink(Item::Event(Event {
            span,
            event: if self.event.is_empty() { "message" } else { &self.event },
            data: Cow::Borrowed(data),
            lines: &self.lines,
            id: &self.last_id,
            oversized,
        }));
        self.clear();
    }

    #[inline]
    fn clear(&mut self) {
        self.start = None;
        self.untold = false;
        self.data = Data::None;
        self.lines.clear();
        self.event.clear();
        self.gathered.clear();
        for buffer in [&mut self.event, &mut self.decoded] {
            buffer.shrink_to(KEPT);
        }
        self.gathered.shrink_to(KEPT);
        self.lines.shrink_to(KEPT / size_of::<Span>());
    }
}
