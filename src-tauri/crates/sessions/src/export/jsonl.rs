//! One JSON object a line: the session first, then every row of the frame table with its bytes.

use std::io::Write;

use base64::Engine as _;
use serde_json::{Value, json};
use weir_frames::{Limits, Span, ws};

use super::unwritten;
use crate::analysis::{Fold, Layer, Row};
use crate::inspect::Bytes;
use crate::{Error, Session};

/// Rows taken under one hold of the session's lock.
const PAGE: usize = 500;

/// Bytes read ahead: most rows follow each other closely.
const WINDOW: usize = 1 << 20;

/// A row with what it needs of the fold.
struct Taken {
    id: u32,
    row: Row,
    conn: u32,
    out: bool,
    word: String,
    wire: Vec<Span>,
    deltas: Vec<Value>,
}

/// Writes all rows so far.
pub fn write(session: &Session, out: &mut dyn Write) -> Result<(), Error> {
    writeln!(out, "{}", head(session)).map_err(unwritten)?;
    frames(session, &mut |frame| writeln!(out, "{frame}").map_err(unwritten))
}

/// Tells every row so far, with its bytes.
pub(super) fn frames(session: &Session, tell: &mut dyn FnMut(Value) -> Result<(), Error>) -> Result<(), Error> {
    let mut window = Window::default();
    let mut start = 0;
    loop {
        let page = take(&session.analysis().fold, start);
        if page.is_empty() {
            return Ok(());
        }
        start += page.len();
        for taken in &page {
            tell(frame(taken, session.bytes(), &mut window)?)?;
        }
    }
}

fn head(session: &Session) -> Value {
    let outcome = session.outcome();
    let info = session.info();
    let plan = session.kept();
    let metrics = session.analysis().metrics();
    json!({
        "type": "session", "id": info.id, "title": info.title, "provider": plan.draft.provider, "model": plan.draft.ask.model,
        "dialect": plan.dialect, "transport": plan.draft.transport.name(), "method": plan.call.method, "url": plan.call.url,
        "started_at_ms": session.started_at_ms(), "outcome": outcome.as_ref().map(|o| o.kind), "problem": outcome.and_then(|o| o.problem),
        "metrics": metrics,
    })
}

fn take(fold: &Fold, start: usize) -> Vec<Taken> {
    let end = (start + PAGE).min(fold.rows.len());
    let blocks: Vec<_> = fold
        .folded
        .blocks
        .iter()
        .filter(|block| {
            let (first, last) = block.rows();
            first < end as u32 && last >= start as u32
        })
        .collect();
    (start..end)
        .filter_map(|index| {
            let (id, row) = (index as u32, *fold.rows.get(index)?);
            let stream = fold.streams.get(row.stream as usize)?;
            let deltas =
                blocks.iter().filter_map(|block| Some(json!({"kind": block.kind, "text": block.text.get(block.range_of(id)?)?}))).collect();
            let word = fold.words.get(row.word as usize).cloned().unwrap_or_default();
            Some(Taken { id, row, conn: stream.conn, out: stream.out, word, wire: stream.wire(row.span()), deltas })
        })
        .collect()
}

fn frame(taken: &Taken, bytes: &dyn Bytes, window: &mut Window) -> Result<Value, Error> {
    let Taken { id, row, conn, out, word, wire, deltas } = taken;
    let mut frame = json!({
        "type": "frame", "id": id, "t_ms": row.t as f64 / 1e6, "conn": conn, "dir": if *out { "out" } else { "in" },
        "layer": row.layer.name(), "kind": row.kind.name(), "span": [row.start, row.span().end],
        "wire": wire.iter().map(|span| [span.start, span.end]).collect::<Vec<_>>(),
    });
    if !word.is_empty() {
        frame["word"] = json!(word);
    }
    if !deltas.is_empty() {
        frame["deltas"] = json!(deltas);
    }
    if row.len == 0 {
        return Ok(frame);
    }
    let own = window.read(bytes, *conn, *out, wire)?;
    let own = if row.layer == Layer::Ws { payload(&own, *out).unwrap_or(own) } else { own };
    match String::from_utf8(own) {
        Ok(text) => frame["data"] = json!(text),
        Err(error) => frame["base64"] = json!(base64::engine::general_purpose::STANDARD.encode(error.as_bytes())),
    }
    Ok(frame)
}

/// What a WebSocket row carries, unmasked: a message's data, or a control frame's payload.
fn payload(bytes: &[u8], out: bool) -> Option<Vec<u8>> {
    let mut found = None;
    let side = if out { ws::Side::Client } else { ws::Side::Server };
    ws::Dissector::new(side, "", Limits::default()).push(bytes, &mut |item| match item {
        ws::Item::Message { data, oversized: false, .. } => found = Some(data.to_vec()),
        // Control frames may stand between a message's fragments; the message's own data comes last and wins.
        ws::Item::Frame(frame) if frame.opcode >= 8 => found = Some(frame.payload.to_vec()),
        _ => {}
    });
    found
}

/// A piece of one direction's bytes.
#[derive(Default)]
struct Window {
    of: (u32, bool),
    start: u64,
    data: Vec<u8>,
}

impl Window {
    fn read(&mut self, bytes: &dyn Bytes, conn: u32, out: bool, wire: &[Span]) -> Result<Vec<u8>, Error> {
        let (Some(first), Some(last)) = (wire.first(), wire.last()) else { return Ok(Vec::new()) };
        let need = usize::try_from(last.end - first.start).unwrap_or(usize::MAX);
        let held = self.of == (conn, out) && first.start >= self.start && last.end <= self.start + self.data.len() as u64;
        if !held {
            self.data = bytes.read(conn, out, first.start, need.max(WINDOW))?;
            (self.of, self.start) = ((conn, out), first.start);
        }
        let part = |span: &Span| {
            let from = usize::try_from(span.start - self.start).unwrap_or(usize::MAX).min(self.data.len());
            let to = usize::try_from(span.end - self.start).unwrap_or(usize::MAX).min(self.data.len());
            &self.data[from..to]
        };
        Ok(wire.iter().flat_map(part).copied().collect())
    }
}
