//! One line about a row, made when it becomes visible.

use weir_dialects::delta::Part;
use weir_dialects::{DeltaKind, Usage};
use weir_frames::{Limits, ws};

use super::Bytes;
use super::unit::{self, Content, Unit};
use crate::analysis::{Fold, Kind, Layer, Row, RowId};

/// Characters of a summary at most: more than the widest table shows.
const MOST: usize = 240;

/// The summary of a row. What cannot be read is said instead.
pub fn of(fold: &Fold, bytes: &dyn Bytes, id: RowId, row: &Row) -> String {
    if let Some(block) = row
        .block
        .checked_sub(1)
        .filter(|_| !matches!(row.kind, Kind::Audio | Kind::Request))
        .and_then(|at| fold.folded.blocks.get(at as usize))
    {
        let own = block.range_of(id.0).and_then(|range| block.text.get(range)).unwrap_or_default();
        return match &block.tool {
            Some(tool) if own.is_empty() || block.rows().0 == id.0 => cut(&format!("{}({own}", tool.name)),
            _ => cut(own),
        };
    }
    let word = fold.words.get(row.word as usize).map_or("", String::as_str);
    match (row.layer, row.kind) {
        (_, Kind::Connection) => connection(fold, row, word),
        (_, Kind::Error | Kind::Warning) if row.len == 0 => word.to_owned(),
        (_, Kind::Warning) => word.to_owned(),
        (Layer::Chunk, _) => format!("{} B with its framing", row.len),
        (Layer::H2, _) if !word.is_empty() => match fold.windows.left(id) {
            Some(left) => format!("{word}, window {} B", left.least()),
            None => word.to_owned(),
        },
        (Layer::Ws, Kind::Frame) => format!("{word}, {} B", row.len),
        (_, Kind::Control | Kind::Incomplete) if !word.is_empty() && word != "message" && row.layer == Layer::Sse => word.to_owned(),
        _ => match Unit::read(fold, bytes, row) {
            Ok(unit) => from_bytes(fold, row, &unit),
            Err(error) => error.to_string(),
        },
    }
}

/// A console's connection is opened by what Weir does, and all else is what became of it.
fn connection(fold: &Fold, row: &Row, word: &str) -> String {
    match fold.streams.get(row.stream as usize) {
        Some(stream) if stream.out => format!("Connection {} · {word}", stream.conn + 1),
        _ => word.to_owned(),
    }
}

fn from_bytes(fold: &Fold, row: &Row, unit: &Unit) -> String {
    let word = fold.words.get(row.word as usize).map_or("", String::as_str);
    let text = String::from_utf8_lossy(&unit.inner[..unit.inner.len().min(4 * MOST)]);
    match (row.layer, row.kind) {
        (Layer::Http, _) => cut(text.lines().find(|line| !line.is_empty()).unwrap_or_default()),
        (Layer::Sse, Kind::Comment) => cut(text.trim_start_matches(':').trim_end()),
        (Layer::Sse, Kind::Retry) => format!("{} ms", text.trim_end().trim_start_matches("retry:").trim()),
        (Layer::Ws, Kind::Control) if is_control_frame(word) => control(unit, word),
        // RSV1 (RFC 7692 §6): without the messages before it this one cannot be read.
        (Layer::Ws, Kind::Message | Kind::Request)
            if unit.inflated.is_none() && unit.inner.first().is_some_and(|byte| byte & 0x40 != 0) =>
        {
            format!("compressed, {} B", row.len)
        }
        (_, Kind::Message | Kind::Request) if row.layer == Layer::Ws && word == "binary" => match unit.content(row) {
            Some(content) => cut(&content.data.iter().take(MOST).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")),
            None => String::new(),
        },
        (_, Kind::Message | Kind::Request) => {
            cut(&unit.content(row).map_or_else(String::new, |c| String::from_utf8_lossy(&c.data).into_owned()))
        }
        (_, Kind::Incomplete) => cut(text.trim_end()),
        _ => decoded(fold, row, unit).unwrap_or_else(|| match unit.content(row) {
            Some(content) => cut(String::from_utf8_lossy(&content.data).trim()),
            None => cut(text.trim()),
        }),
    }
}

/// What the dialect reads in a payload that adds no text: its event's name, how it ended, usage, lifecycle, errors, and the text that it
/// repeats.
fn decoded(fold: &Fold, row: &Row, unit: &Unit) -> Option<String> {
    if unit.short {
        return None;
    }
    let content = unit.content(row)?;
    let (mut parts, mut ends, mut repeated): (Vec<String>, Vec<String>, String) = Default::default();
    unit::deltas(fold, row, &content, &mut |delta| match (&delta.part, delta.kind) {
        (Part::Usage(usage), _) => parts.push(usage_line(usage)),
        (Part::Finish(finish), _) => ends.push(finish.reason.clone()),
        (Part::Media { media_type, bytes, ms, .. }, _) => {
            let length = ms.map_or(String::new(), |ms| format!(", {ms:.0} ms"));
            parts.push(format!("{media_type}, {bytes} B{length}"));
        }
        (Part::Error { code }, _) if !code.is_empty() => parts.push(format!("{code}: {}", delta.text)),
        // An id and a seal stand in most payloads: they say nothing of this one.
        (Part::Id | Part::Signature { .. }, _) => {}
        // A decoder that has seen nothing takes a final form that repeats the reply for the reply itself; this row added none.
        (_, DeltaKind::Text | DeltaKind::Reasoning | DeltaKind::Refusal | DeltaKind::ToolCall) => repeated.push_str(&delta.text),
        (_, DeltaKind::Unknown) => parts.push(String::from_utf8_lossy(&content.data).into_owned()),
        _ if !delta.text.is_empty() => parts.push(delta.text.to_string()),
        _ => {}
    });
    let name = name(&content);
    // The dialect's word for the event is often the event's name, or the end of it.
    parts.retain(|part| Some(part) != name.as_ref());
    ends.append(&mut parts);
    match name {
        Some(name) if ends.is_empty() && repeated.is_empty() => Some(cut(&name)),
        Some(name) if ends.is_empty() => Some(cut(&format!("{name} · {repeated}"))),
        Some(name) => Some(cut(&format!("{name} · {}", ends.join(", ")))),
        None => (!ends.is_empty()).then(|| cut(&ends.join(", "))),
    }
}

/// The name that an event has in its own payload, `type` in most APIs that name them.
fn name(content: &Content) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Named {
        r#type: String,
    }
    serde_json::from_slice::<Named>(&content.data).ok().map(|named| named.r#type).filter(|name| !name.is_empty())
}

/// Whether an opcode's name is a control frame's (RFC 6455 §5.5).
pub fn is_control_frame(word: &str) -> bool {
    matches!(word, "close" | "ping" | "pong")
}

/// Usage in words.
fn usage_line(usage: &Usage) -> String {
    let known = [
        ("in", usage.input_tokens),
        ("out", usage.output_tokens),
        ("reasoning", usage.reasoning_tokens),
        ("cached", usage.cached_tokens),
        ("total", usage.total_tokens),
    ];
    let words: Vec<String> = known.iter().filter_map(|(name, n)| n.map(|n| format!("{name} {n}"))).collect();
    if words.is_empty() { "usage".into() } else { words.join(", ") }
}

fn control(unit: &Unit, word: &str) -> String {
    let side = if unit.out { ws::Side::Client } else { ws::Side::Server };
    let mut line = word.to_owned();
    ws::Dissector::new(side, "", Limits::default()).push(&unit.inner, &mut |item| {
        if let ws::Item::Frame(frame) = item {
            line = match frame.close_code {
                Some(code) => format!("close {code} {}", frame.close_reason.as_deref().unwrap_or_default()),
                None => format!("{word} {}", String::from_utf8_lossy(frame.payload)),
            };
        }
    });
    cut(line.trim_end())
}

/// At most [`MOST`] characters, line ends made visible.
fn cut(text: &str) -> String {
    let mut line = String::new();
    for (n, c) in text.chars().enumerate() {
        if n == MOST {
            line.push('…');
            break;
        }
        match c {
            '\n' => line.push('⏎'),
            '\r' => {}
            '\t' => line.push('⇥'),
            c => line.push(c),
        }
    }
    line
}
