//! An event stream, or NDJSON, as other clients would have seen it, read from the log in steps: each answer is due at once, and the next question
//! goes on from there. Who asks no more has cancelled.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use weir_frames::coding::Decoder;
use weir_frames::lens::{self, Comparison, Format, Found, Lens, Verdict};
use weir_frames::{Span, json};
use weir_recordings::RecordKind;

use super::unit;
use crate::analysis::{Fold, Layer, Row, RowId};
use crate::view::{LensDifference, LensFormat, LensReading, LensVerdict, LensView, Lenses};
use crate::{Error, Session};

/// How long one question goes on reading.
const STEP: Duration = Duration::from_millis(80);
/// Borders of reads and chunks that are remembered: a difference is found soon behind the one that made it.
const BORDERS: usize = 4096;
/// Characters of a reading that are shown, from a little before the difference on.
const SHOWN: usize = 160;
const BEFORE: usize = 32;

/// A body on the way through all lenses.
pub struct Run {
    stream: u16,
    format: Format,
    conn: u32,
    comparison: Comparison,
    /// Undo the body's content codings, the outermost first.
    decoders: Vec<Decoder>,
    /// Records of the log that were read, and bytes of this direction they held.
    records: u64,
    wire: u64,
    /// Bytes of the (coded) body that were read, and how long it is so far.
    read: u64,
    total: u64,
    /// Where reads and chunks ended lately, as offsets in the body.
    borders: VecDeque<u64>,
    /// What was found, by lens.
    found: Vec<Option<LensDifference>>,
    over: bool,
}

/// The body that a question about `row` means: the row's own where it is an event stream or NDJSON, else the first such body of the session.
pub fn body_of(fold: &Fold, row: Option<RowId>) -> Option<(u16, Format)> {
    let body = |row: &Row| format(row.layer).map(|format| (row.stream, format));
    row.and_then(|id| super::row(fold, id)).and_then(body).or_else(|| fold.rows.iter_from(0).find_map(body))
}

fn format(layer: Layer) -> Option<Format> {
    match layer {
        Layer::Sse => Some(Format::Sse),
        Layer::Ndjson => Some(Format::Ndjson),
        _ => None,
    }
}

impl Run {
    /// A run at the start of a body.
    pub fn new(fold: &Fold, stream: u16, format: Format) -> Option<Self> {
        let body = fold.streams.get(stream as usize)?;
        let lenses = &format.lenses()[1..];
        Some(Self {
            stream,
            conn: body.conn,
            format,
            comparison: Comparison::new(format, lenses),
            decoders: body.codings.iter().map(|(coding, _)| Decoder::new(*coding)).collect(),
            records: 0,
            wire: 0,
            read: 0,
            total: 0,
            borders: VecDeque::new(),
            found: vec![None; lenses.len()],
            over: false,
        })
    }

    /// The stream it reads.
    pub fn stream(&self) -> u16 {
        self.stream
    }

    /// Reads on for a moment, or to the end of what there is.
    pub fn step(&mut self, session: &Session) -> Result<(), Error> {
        if self.over {
            return Ok(());
        }
        // What comes while this reads is the next question's.
        let live = session.is_growing();
        let until = Instant::now() + STEP;
        let mut more = false;
        session.log().records_from(self.records, &mut |record| {
            self.records += 1;
            if record.conn == self.conn && record.kind == RecordKind::In {
                self.take(session, &record.bytes);
            }
            more = Instant::now() >= until;
            if more || self.comparison.settled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        let over = !more && !live;
        if over {
            let stream = self.stream;
            self.comparison.finish(&mut |span| bytes_of(session, stream, span));
        }
        self.note(session);
        self.over = over || self.comparison.settled();
        Ok(())
    }

    /// One read of the socket: the pieces of it that are the body's, each of which a client gets by itself.
    fn take(&mut self, session: &Session, bytes: &[u8]) {
        let here = Span::new(self.wire, self.wire + bytes.len() as u64);
        self.wire = here.end;
        let runs = {
            let analysis = session.analysis();
            let Some(stream) = analysis.fold.streams.get(self.stream as usize) else { return };
            self.total = stream.map.len();
            stream.map.outer(Span::new(self.read, self.read + here.len()))
        };
        for run in runs {
            let part = Span::new(run.start.max(here.start), run.end.min(here.end));
            if run.start >= here.end || part.end <= part.start {
                break;
            }
            let piece = bytes.get((part.start - here.start) as usize..(part.end - here.start) as usize).unwrap_or_default();
            self.read += piece.len() as u64;
            self.feed(session, piece);
        }
    }

    fn feed(&mut self, session: &Session, piece: &[u8]) {
        let stream = self.stream;
        let Self { comparison, decoders, .. } = self;
        let mut body = |span: Span| bytes_of(session, stream, span);
        if decoders.is_empty() {
            comparison.push(piece, true, &mut body);
        } else {
            let mut undone = Vec::new();
            unit::undo(decoders, piece, &mut |bytes| undone.extend_from_slice(bytes));
            comparison.push(&undone, true, &mut body);
        }
        if self.borders.len() == BORDERS {
            self.borders.pop_front();
        }
        self.borders.push_back(self.comparison.read());
        self.note(session);
    }

    /// Keeps what was found just now with its place in the session, while the borders before it are known.
    fn note(&mut self, session: &Session) {
        for (at, (lens, _, verdict)) in self.comparison.verdicts().enumerate() {
            let Verdict::Differs(found) = verdict else { continue };
            if let Some(none @ None) = self.found.get_mut(at) {
                *none = Some(placed(session, self.stream, lens, &self.borders, found));
            }
        }
    }

    /// What is known by now.
    pub fn view(&self) -> Lenses {
        let lenses = self.comparison.verdicts().zip(&self.found).map(|((lens, same, verdict), found)| LensView {
            name: lens.name().into(),
            clients: lens.clients().into(),
            about: lens.about().into(),
            rule: lens.rule().into(),
            same: same as u32,
            verdict: match verdict {
                Verdict::Same => LensVerdict::Same,
                Verdict::Differs(_) => LensVerdict::Differs,
                Verdict::Unsettled { .. } => LensVerdict::Unsettled,
            },
            difference: found.clone(),
        });
        let format = match self.format {
            Format::Sse => LensFormat::Sse,
            Format::Ndjson => LensFormat::Ndjson,
        };
        Lenses { format, conn: self.conn, read: self.read, total: self.total.max(self.read), done: self.over, lenses: lenses.collect() }
    }
}

/// Bytes of the body; none where they cannot be read (far inside a compressed body, or the disk failed: the place of the difference is
/// then its whole event).
fn bytes_of(session: &Session, stream: u16, span: Span) -> Vec<u8> {
    unit::read_span(&session.analysis().fold, session.bytes(), stream, span).unwrap_or_default()
}

fn placed(session: &Session, stream: u16, lens: Lens, borders: &VecDeque<u64>, found: &Found) -> LensDifference {
    let Found { difference, standard, client } = found;
    let data = |event: &Option<lens::Event>| event.as_ref().map_or(String::new(), |event| event.data.clone());
    let at = if standard.is_some() && client.is_some() { lens::common(&data(standard), &data(client)) } else { 0 };
    let reading = |event: &Option<lens::Event>| event.as_ref().map(|event| reading(event, at));
    let analysis = session.analysis();
    let fold = &analysis.fold;
    let wire = |span: Span| fold.streams.get(stream as usize).map(|stream| stream.wire(span)).unwrap_or_default();
    let spans = wire(difference.span);
    let row = fold.rows.iter_from(0).position(|row| {
        row.stream == stream && format(row.layer).is_some() && row.start <= difference.span.start && difference.span.start < row.span().end
    });
    // The border that a character of two reads lies across; or before which a client stopped, where it takes a read for a message.
    let by_reads = matches!(lens, Lens::SplitEachRead | Lens::ParseEachRead);
    let within = |border: u64| difference.span.start + u64::from(!by_reads) <= border && border < difference.span.end;
    let cut = borders.iter().rev().find(|&&border| border > 0 && within(border));
    let border = cut.and_then(|&border| {
        let (before, after) = (wire(Span::new(border - 1, border)), wire(Span::new(border, border + 1)));
        Some((before.last()?.end, after.first()?.start))
    });
    LensDifference {
        kind: difference.kind.name().into(),
        event: difference.index as u32,
        message: difference.message.clone(),
        standard: reading(standard),
        client: reading(client),
        row: row.map(|row| row as u32),
        spans: spans.iter().map(|span| (span.start, span.end)).collect(),
        border,
    }
}

fn reading(event: &lens::Event, at: usize) -> LensReading {
    let (before, rest) = event.data.split_at_checked(at).unwrap_or(("", &event.data));
    let skipped = before.chars().count().saturating_sub(BEFORE);
    // A line has no type: what a parser makes of it is told instead.
    let kind = match event.event.as_str() {
        "" if json::is_value(event.data.as_bytes()) => "JSON",
        "" => "not JSON",
        kind => kind,
    };
    LensReading {
        event: kind.into(),
        id: event.id.clone().unwrap_or_default(),
        begins: skipped == 0,
        before: before.chars().skip(skipped).collect(),
        from: rest.chars().take(SHOWN).collect(),
        ends: rest.chars().nth(SHOWN).is_none(),
    }
}
