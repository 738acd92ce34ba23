//! The log of a console, a page at a time: the rows of the frame table that a user of a console counts, with what they carry.

use weir_frames::{Limits, sse};

use crate::analysis::{Fold, Kind, Layer, Row, RowId};
use crate::inspect::{Bytes, Unit, row, row_view};
use crate::view::{ConsoleHead, ConsoleMessage, ConsolePage, ConsoleRow, FilterError};
use crate::{Error, Session};

/// Characters of a line's text.
const MOST_CHARS: usize = 400;
/// Bytes of one message that are shown at once.
const MOST_TEXT: usize = 256 << 10;
/// Rows behind a connection's first that are looked through for its request and answer.
const NEAR: u32 = 24;

impl Session {
    /// A page of a console's log under `filter`, which names the rows that belong to it. As with [`Session::rows`], a search of payloads
    /// goes on for a moment only.
    pub fn console_rows(&self, filter: &str, start: usize, count: usize) -> Result<ConsolePage, FilterError> {
        self.with_selection(
            filter,
            |_| false,
            |selection| {
                let analysis = self.analysis();
                let (fold, bytes) = (&analysis.fold, self.bytes());
                let matching = selection.len(fold);
                let start = start.min(matching);
                let mut before = start.checked_sub(1).and_then(|at| row(fold, selection.id(fold, at)?)).map_or(0, |row| row.t);
                let mut rows = Vec::new();
                for at in start..matching.min(start + count.min(500)) {
                    let Some((id, row)) = selection.id(fold, at).and_then(|id| Some((id, row(fold, id)?))) else { break };
                    rows.push(line(fold, bytes, id, row, before));
                    before = row.t;
                }
                ConsolePage { matching: matching as u32, start: start as u32, rows, searched: selection.searched(fold) }
            },
        )
    }

    /// What a row carries, to be read whole.
    ///
    /// # Errors
    /// `missing` where there is no such row; the disk's.
    pub fn console_message(&self, id: u32) -> Result<ConsoleMessage, Error> {
        let analysis = self.analysis();
        let fold = &analysis.fold;
        let row = row(fold, RowId(id)).ok_or_else(|| Error::missing("row"))?;
        let unit = Unit::read(fold, self.bytes(), row)?;
        let data = carried(row, &unit);
        let size = if unit.short { u64::from(row.len) } else { data.len() as u64 };
        let shown = &data[..data.len().min(MOST_TEXT)];
        let cut = unit.short || shown.len() < data.len();
        let (text, binary) = match std::str::from_utf8(shown) {
            Ok(text) if !is_binary(fold, row) => (text.to_owned(), false),
            // What a cut split is no reason to show bytes.
            Err(error) if cut && error.error_len().is_none() && !is_binary(fold, row) => {
                (String::from_utf8_lossy(&shown[..error.valid_up_to()]).into_owned(), false)
            }
            _ => (hex(shown), true),
        };
        Ok(ConsoleMessage { text, binary, size, cut })
    }
}

fn line(fold: &Fold, bytes: &dyn Bytes, id: RowId, row: &Row, before: u64) -> ConsoleRow {
    let frame = row_view(fold, bytes, id, row, before);
    let stream = fold.streams.get(row.stream as usize);
    let word = fold.words.get(row.word as usize).map_or("", String::as_str);
    let opens = row.kind == Kind::Connection && frame.out;
    let unit = (row.len > 0).then(|| Unit::read(fold, bytes, row).ok()).flatten();
    let (text, event_id) = match &unit {
        Some(unit) if matches!(row.kind, Kind::Message | Kind::Request) => {
            let data = carried(row, unit);
            let text = if is_binary(fold, row) { hex(&data[..data.len().min(MOST_CHARS / 3)]) } else { text_of(&data) };
            (text, own_id(row, unit))
        }
        // Its name stands before it already.
        Some(_) if row.layer == Layer::Ws && row.kind == Kind::Control => {
            (frame.summary.strip_prefix(word).unwrap_or(&frame.summary).trim().to_owned(), None)
        }
        _ if opens => (word.to_owned(), None),
        _ if row.kind == Kind::Comment => (frame.summary.trim().to_owned(), None),
        _ => (frame.summary, None),
    };
    ConsoleRow {
        id: id.0,
        t_ms: frame.t_ms,
        gap_ms: frame.gap_ms,
        out: frame.out,
        conn: stream.map_or(0, |stream| stream.conn) + 1,
        name: match (row.layer, row.kind) {
            (_, Kind::Connection | Kind::Error | Kind::Warning) => String::new(),
            (Layer::Sse, Kind::Message) if word.is_empty() => "message".into(),
            (Layer::Sse | Layer::Ws, Kind::Message | Kind::Request | Kind::Control) => word.into(),
            _ => String::new(),
        },
        kind: frame.kind,
        event_id,
        size: frame.size,
        text,
        head: opens.then(|| head(fold, bytes, id)),
    }
}

/// The payload a row carries; its bytes where it carries none.
fn carried(row: &Row, unit: &Unit) -> Vec<u8> {
    unit.content(row).map_or_else(|| unit.inner.clone(), |content| content.data)
}

fn is_binary(fold: &Fold, row: &Row) -> bool {
    row.layer == Layer::Ws && fold.words.get(row.word as usize).is_some_and(|word| word == "binary")
}

fn text_of(data: &[u8]) -> String {
    String::from_utf8_lossy(&data[..data.len().min(4 * MOST_CHARS)]).chars().take(MOST_CHARS).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

/// The id that an event sets.
fn own_id(row: &Row, unit: &Unit) -> Option<String> {
    if row.layer != Layer::Sse {
        return None;
    }
    let mut id = None;
    let mut take = |item: sse::Item<'_>| {
        if let sse::Item::Event(event) = item {
            id = Some(event.id.to_owned()).filter(|id| !id.is_empty());
        }
    };
    let mut dissector = sse::Dissector::new(Limits::default(), "");
    dissector.push(&unit.inner, &mut take);
    dissector.finish(&mut take);
    id
}

/// The request and the answer of the connection that row `first` opens.
fn head(fold: &Fold, bytes: &dyn Bytes, first: RowId) -> ConsoleHead {
    let mut head = ConsoleHead::default();
    for at in first.0 + 1..first.0.saturating_add(NEAR) {
        let Some(row) = fold.rows.get(at as usize).filter(|row| row.kind != Kind::Connection) else { break };
        if row.kind != Kind::Head {
            continue;
        }
        let out = fold.streams.get(row.stream as usize).is_some_and(|stream| stream.out);
        let Some((line, id)) = first_line(fold, bytes, RowId(at), row) else { continue };
        if out {
            (head.request, head.last_event_id) = (line, id);
        } else {
            // An informational answer comes before the one that counts.
            head.answer = line;
            if !head.answer.contains(" 10") {
                break;
            }
        }
    }
    head
}

/// The first line of a head, and its Last-Event-ID.
fn first_line(fold: &Fold, bytes: &dyn Bytes, id: RowId, row: &Row) -> Option<(String, Option<String>)> {
    if row.layer == Layer::H2 {
        let (_, fields) = fold.heads.iter().find(|(of, _)| *of == id.0)?;
        let value = |name: &str| fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone());
        let line = match value(":status") {
            Some(status) => format!("HTTP/2 {status}"),
            None => format!("{} {} HTTP/2", value(":method")?, value(":path").unwrap_or_default()),
        };
        return Some((line, value("last-event-id")));
    }
    let unit = Unit::read(fold, bytes, row).ok()?;
    let text = String::from_utf8_lossy(&unit.inner);
    let mut lines = text.lines();
    let line = lines.next()?.to_owned();
    let named = |line: &str| {
        line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("last-event-id")).map(|(_, id)| id.trim().to_owned())
    };
    Some((line, lines.find_map(named)))
}
