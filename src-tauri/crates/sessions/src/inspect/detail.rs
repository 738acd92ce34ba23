//! One frame opened: the tree from the connection's bytes down to the delta, and the owner of every byte.

use weir_dialects::DeltaKind;
use weir_frames::layers::Map;
use weir_frames::{Limits, Span, eventstream, http2, json, ws};

use super::explain::explain;
use super::paint::Canvas;
use super::summary::is_control_frame;
use super::unit::{self, Content, Unit};
use super::{Bytes, bits, row};
use crate::Error;
use crate::analysis::{BARE, ELEMENT, Fold, Kind, Layer, Left, Row, RowId, opcode_name};
use crate::view::{BitField, FrameDetail, Node, Split};

/// JSON values that are listed; a document with more is shown as far as this and says so.
const VALUES: usize = 5_000;

/// Bytes of a value's path; a value deeper than that has none.
const LONGEST_PATH: usize = 1_000;

/// The tree under construction.
struct Tree {
    window: Span,
    /// What stands for every part of a row under a content coding: its blocks.
    blocks: Vec<Span>,
    nodes: Vec<Node>,
    canvas: Canvas,
}

impl Tree {
    /// Adds a node, paints its bytes, tells its index.
    fn add(&mut self, depth: u32, label: impl Into<String>, value: impl Into<String>, layer: &'static str, spans: &[Span]) -> u32 {
        self.canvas.paint(spans, layer);
        self.add_quiet(depth, label, value, layer, spans)
    }

    /// Adds a node whose bytes stay its parent's.
    fn add_quiet(&mut self, depth: u32, label: impl Into<String>, value: impl Into<String>, layer: &'static str, spans: &[Span]) -> u32 {
        let start = self.window.start;
        let spans = if spans.is_empty() { &self.blocks } else { spans };
        let spans = spans.iter().map(|s| (s.start.saturating_sub(start), s.end.saturating_sub(start))).collect();
        self.nodes.push(Node { depth, label: label.into(), value: value.into(), layer: layer.into(), spans, path: None, bits: None });
        (self.nodes.len() - 1) as u32
    }

    /// A node's fields, bit by bit.
    fn bits(&mut self, node: u32, fields: Vec<BitField>) {
        if let Some(node) = self.nodes.get_mut(node as usize) {
            node.bits = Some(fields);
        }
    }

    /// Where a node stands in its JSON document.
    fn path(&mut self, node: u32, path: Option<&str>) {
        if let Some(node) = self.nodes.get_mut(node as usize) {
            node.path = path.map(str::to_owned);
        }
    }
}

/// Opens the row `id`.
pub fn open(fold: &Fold, bytes: &dyn Bytes, id: RowId) -> Result<FrameDetail, Error> {
    let row = row(fold, id).ok_or_else(|| Error::missing("frame"))?;
    let unit = Unit::read(fold, bytes, row)?;
    let base = match row.layer {
        Layer::Http => "http-head",
        Layer::Chunk => "chunk",
        Layer::H2 => "h2",
        Layer::Ws if unit.carriers.is_empty() => "ws",
        _ => match fold.streams.get(row.stream as usize).and_then(|s| s.inside) {
            Some(Layer::H2) => "h2",
            Some(_) if !unit.carriers.is_empty() => "chunk",
            _ => "control",
        },
    };
    let mut tree = Tree { window: unit.window, blocks: unit.blocks.clone(), nodes: Vec::new(), canvas: Canvas::new(unit.window, base) };
    let depth = carriers(&mut tree, &unit);
    let word = fold.words.get(row.word as usize).map_or("", String::as_str);
    let own = if unit.map.is_empty() { unit.blocks.clone() } else { unit.map.outer(Span::new(0, unit.inner.len() as u64)) };
    let mut splits = Vec::new();
    let mut focus = match row.layer {
        Layer::Http => http_head(&mut tree, depth, &unit),
        Layer::Chunk => 0,
        Layer::H2 => h2_frame(&mut tree, depth, &unit, fold, id),
        Layer::Sse => sse_event(&mut tree, depth, &unit, row, word, &own),
        Layer::Ndjson => tree.add(depth, "JSON line", "", "control", &own),
        Layer::Ws => ws_frames(&mut tree, depth, &unit, row, word, &own),
        Layer::Eventstream => record(&mut tree, depth, &unit, word, &own),
        Layer::Body if word == ELEMENT => tree.add(depth, "array element", "", "control", &own),
        Layer::Body if word == BARE => tree.add(depth, "bare JSON", "", "control", &own),
        Layer::Body => tree.add(depth, if unit.out { "request body" } else { "body" }, "", "control", &own),
    };
    if let Some(content) = unit.content(row) {
        let under = tree.nodes.get(focus as usize).map_or(depth, |n| n.depth + 1);
        if let Some(delta) = payload(&mut tree, under, fold, row, &content) {
            focus = delta;
        }
        splits = split_characters(&mut tree, under, &content);
    }
    if unit.short {
        tree.add_quiet(0, "the rest is not explained", "longer than 1 MiB: the bytes view shows all of it", "control", &[]);
    }
    Ok(FrameDetail {
        id: id.0,
        t_ms: row.t as f64 / 1e6,
        conn: unit.conn,
        out: unit.out,
        start: unit.window.start,
        end: unit.window.end,
        owners: tree.canvas.owners(),
        nodes: tree.nodes,
        focus,
        explain: explain(row, word, unit.out),
        splits,
        decoding: None,
    })
}

/// A row whose compressed body is still being decoded up to it: what carries it.
pub fn carried(fold: &Fold, bytes: &dyn Bytes, id: RowId, share: f64) -> Result<FrameDetail, Error> {
    let row = row(fold, id).ok_or_else(|| Error::missing("frame"))?;
    let unit = Unit::read_coded(fold, bytes, row)?;
    let base = if unit.carriers.is_empty() { "control" } else { "chunk" };
    let mut tree = Tree { window: unit.window, blocks: unit.blocks.clone(), nodes: Vec::new(), canvas: Canvas::new(unit.window, base) };
    let depth = carriers(&mut tree, &unit);
    let focus = tree.add_quiet(depth, "compressed", format!("{:.0} % of what comes before is decoded", share * 100.0), "control", &[]);
    let word = fold.words.get(row.word as usize).map_or("", String::as_str);
    Ok(FrameDetail {
        id: id.0,
        t_ms: row.t as f64 / 1e6,
        conn: unit.conn,
        out: unit.out,
        start: unit.window.start,
        end: unit.window.end,
        owners: tree.canvas.owners(),
        nodes: tree.nodes,
        focus,
        explain: explain(row, word, unit.out),
        splits: Vec::new(),
        decoding: Some(share),
    })
}

/// Split characters that are listed.
const SPLITS: usize = 8;

/// Adds a node for every border of an outer layer that cuts a character of the payload in two. Its bytes are the border's.
fn split_characters(tree: &mut Tree, depth: u32, content: &Content) -> Vec<Split> {
    let (mut found, mut at) = (Vec::new(), 0);
    let runs = content.map.outer(Span::new(0, content.data.len() as u64));
    for pair in runs.windows(2) {
        let [before, after] = pair else { continue };
        at += before.len() as usize;
        // Back to the character's first byte; every byte behind it begins with 10 (RFC 3629 §3).
        let back = (1..=3.min(at)).find(|back| content.data.get(at - back).is_some_and(|byte| byte & 0xc0 != 0x80));
        let Some(start) = back.map(|back| at - back) else { continue };
        let rest = content.data.get(start..(start + 4).min(content.data.len())).unwrap_or_default();
        let Some(character) = rest.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next()) else { continue };
        if start + character.len_utf8() <= at || found.len() == SPLITS {
            continue;
        }
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
        let (first, second) = rest[..character.len_utf8()].split_at(at - start);
        let halves = format!("{} | {}", hex(first), hex(second));
        let label = format!("border inside “{character}”");
        let node = tree.add_quiet(depth, label, &halves, "error", &[Span::new(before.end, after.start)]);
        found.push(Split { text: character.into(), halves, node });
    }
    found
}

/// Chunks or DATA frames around the row; tells the depth of what they carry.
fn carriers(tree: &mut Tree, unit: &Unit) -> u32 {
    for (n, (layer, _, span)) in unit.carriers.iter().enumerate() {
        let at = (span.start - unit.window.start) as usize;
        let head = unit.bytes.get(at..).unwrap_or_default();
        if *layer == Layer::H2 {
            let data = Span::new((span.start + 9).min(span.end), span.end);
            let stream = head.get(5..9).map_or(0, |b| u32::from_be_bytes([b[0] & 0x7f, b[1], b[2], b[3]]));
            tree.add(0, "HTTP/2 DATA", format!("stream {stream}, {} B", data.len()), "h2", &[*span]);
            let header = tree.add_quiet(1, "frame header", "9 B", "h2", &[Span::new(span.start, data.start)]);
            if let Some(nine) = head.first_chunk::<9>() {
                tree.bits(header, bits::h2(nine));
            }
        } else {
            let line = head.iter().position(|&b| b == b'\n').map_or(head.len(), |end| end + 1) as u64;
            let size = String::from_utf8_lossy(&head[..(line as usize).min(32)]).trim_end().to_owned();
            let bytes = u64::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16).unwrap_or(0);
            let label = if unit.carriers.len() == 1 {
                "HTTP/1.1 chunk".to_owned()
            } else {
                format!("HTTP/1.1 chunk {} of {}", n + 1, unit.carriers.len())
            };
            tree.add(0, label, "", "chunk", &[*span]);
            tree.add_quiet(
                1,
                "chunk-size",
                format!("{size}, {bytes} B"),
                "chunk",
                &[Span::new(span.start, (span.start + line).min(span.end))],
            );
        }
    }
    u32::from(!unit.carriers.is_empty())
}

fn http_head(tree: &mut Tree, depth: u32, unit: &Unit) -> u32 {
    let all = Span::new(unit.window.start, unit.window.end);
    let root = tree.add(depth, if unit.out { "HTTP/1.1 request head" } else { "HTTP/1.1 response head" }, "", "http-head", &[all]);
    let mut at = unit.window.start;
    for (n, line) in unit.bytes.split_inclusive(|&b| b == b'\n').enumerate() {
        let span = Span::new(at, at + line.len() as u64);
        at = span.end;
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end();
        if text.is_empty() {
            continue;
        }
        match text.split_once(':').filter(|_| n > 0) {
            Some((name, value)) => tree.add_quiet(depth + 1, name, value.trim(), "http-head", &[span]),
            None => tree.add_quiet(depth + 1, if unit.out { "request line" } else { "status line" }, text, "http-head", &[span]),
        };
    }
    root
}

fn h2_frame(tree: &mut Tree, depth: u32, unit: &Unit, fold: &Fold, id: RowId) -> u32 {
    let b = &unit.bytes;
    let start = unit.window.start;
    if b.starts_with(b"PRI ") {
        return tree.add(depth, "HTTP/2 preface", "", "h2", &[unit.window]);
    }
    let Some(&[l0, l1, l2, kind, flags, s0, s1, s2, s3]) = b.first_chunk::<9>() else {
        return tree.add(depth, "HTTP/2 frame", "cut in its header", "h2", &[unit.window]);
    };
    let name = http2::frame_name(kind);
    let root = tree.add(depth, format!("HTTP/2 {name}"), "", "h2", &[unit.window]);
    tree.bits(root, bits::h2(&[l0, l1, l2, kind, flags, s0, s1, s2, s3]));
    let part = |from: u64, to: u64| [Span::new(start + from, start + to)];
    tree.add_quiet(depth + 1, "length", u32::from_be_bytes([0, l0, l1, l2]).to_string(), "h2", &part(0, 3));
    tree.add_quiet(depth + 1, "type", format!("{kind} {name}"), "h2", &part(3, 4));
    let names: Vec<&str> = http2::flag_names(kind, flags).collect();
    tree.add_quiet(depth + 1, "flags", format!("{flags:08b} {}", names.join(" ")), "h2", &part(4, 5));
    tree.add_quiet(depth + 1, "stream", u32::from_be_bytes([s0 & 0x7f, s1, s2, s3]).to_string(), "h2", &part(5, 9));
    let payload = Span::new((start + 9).min(unit.window.end), unit.window.end);
    if kind == 4 {
        for (n, (setting, name, value)) in http2::settings(b.get(9..).unwrap_or_default()).enumerate() {
            let at = 9 + 6 * n as u64;
            tree.add_quiet(depth + 1, format!("{name} ({setting})"), value.to_string(), "h2", &part(at, at + 6));
        }
    } else if let Some((_, headers)) = fold.heads.iter().find(|(row, _)| *row == id.0) {
        tree.add(depth + 1, "field block", format!("HPACK, {} fields", headers.len()), "http-head", &[payload]);
        for (name, value) in headers {
            // HPACK fields have no byte range of their own that could be read apart: most are an index into a table.
            tree.add_quiet(depth + 2, name, value, "http-head", &[]);
        }
    } else if !payload.is_empty() {
        tree.add_quiet(depth + 1, "payload", format!("{} B", payload.len()), "h2", &[payload]);
    }
    if let Some(left) = fold.windows.left(id) {
        windows(tree, depth + 1, unit, kind, left);
    }
    root
}

/// The flow-control windows before and behind a DATA or WINDOW_UPDATE frame.
fn windows(tree: &mut Tree, depth: u32, unit: &Unit, kind: u8, left: Left) {
    const DATA: u8 = 0;
    let b = &unit.bytes;
    let number = |at: usize| b.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes) & 0x7fff_ffff;
    let stream = number(5);
    // A frame of DATA takes all of its payload from both windows, its padding included (RFC 9113 §6.1).
    let taken = i64::from(number(0) >> 8);
    let change = |of_stream: bool| match (kind, of_stream) {
        (DATA, _) => -taken,
        (_, true) if stream != 0 => i64::from(number(9)),
        (_, false) if stream == 0 => i64::from(number(9)),
        _ => 0,
    };
    let whose = if (kind == DATA) == unit.out { "sending" } else { "receiving" };
    let windows = [
        (format!("window of stream {stream}, {whose}"), left.of_stream().filter(|_| stream != 0), true),
        (format!("window of the connection, {whose}"), Some(i64::from(left.connection)), false),
    ];
    for (label, after, of_stream) in windows {
        if let Some(after) = after {
            let before = after - change(of_stream);
            let value = match before == after {
                true => format!("{after} B"),
                false if after <= 0 => format!("{before} → {after} B: used up, nothing more may be sent"),
                false if before <= 0 => format!("{before} → {after} B: open again"),
                false => format!("{before} → {after} B"),
            };
            tree.add_quiet(depth, label, value, "h2", &[unit.window]);
        }
    }
}

fn sse_event(tree: &mut Tree, depth: u32, unit: &Unit, row: &Row, word: &str, own: &[Span]) -> u32 {
    let (label, value) = match row.kind {
        Kind::Comment => ("SSE comment", ""),
        Kind::Retry => ("SSE retry", ""),
        Kind::Incomplete => ("SSE event, cut off", ""),
        _ => ("SSE event", word),
    };
    let root = tree.add(depth, label, value, "sse", own);
    let mut last_data = root;
    let mut at = 0;
    let mut rest = unit.inner.as_slice();
    while !rest.is_empty() {
        // A line ends at CR LF, LF or CR (WHATWG HTML §9.2.6).
        let end = rest.iter().position(|&b| b == b'\n' || b == b'\r').unwrap_or(rest.len());
        let after = end + if rest[end..].starts_with(b"\r\n") { 2 } else { usize::from(end < rest.len()) };
        let (line, next) = rest.split_at(after);
        if end > 0 {
            let text = String::from_utf8_lossy(&line[..end.min(200)]).into_owned();
            let spans = unit.map.outer(Span::new(at, at + after as u64));
            let (name, value) = text.split_once(':').unwrap_or((&text, ""));
            let label = if name.is_empty() { "comment".to_owned() } else { format!("field {name}") };
            let shown = if name == "data" { "" } else { value.strip_prefix(' ').unwrap_or(value) };
            let node = tree.add_quiet(depth + 1, label, shown, "sse", &spans);
            if name == "data" {
                last_data = node;
            }
        }
        at += after as u64;
        rest = next;
    }
    last_data
}

/// A message of `application/vnd.amazon.eventstream`: prelude, headers, payload, checksums.
fn record(tree: &mut Tree, depth: u32, unit: &Unit, word: &str, own: &[Span]) -> u32 {
    let root = tree.add(depth, "event stream message", word, "eventstream", own);
    let mut body = root;
    let mut faults = Vec::new();
    eventstream::Dissector::new(Limits::default()).push(&unit.inner, &mut |item| match item {
        eventstream::Item::Message(message) => {
            let start = message.span.start;
            let outer = |from: u64, to: u64| unit.map.outer(Span::new(from, to));
            let mut part = |at: u32, label: &str, value: String, spans: &[Span]| tree.add_quiet(at, label, value, "eventstream", spans);
            part(depth + 1, "total length", format!("{} B", message.span.len()), &outer(start, start + 4));
            part(depth + 1, "headers length", format!("{} B", message.headers_span.len()), &outer(start + 4, start + 8));
            part(depth + 1, "prelude CRC-32", String::new(), &outer(start + 8, start + 12));
            part(depth + 1, "headers", String::new(), &unit.map.outer(message.headers_span));
            for header in message.headers {
                part(depth + 2, header.name.as_ref(), shown_value(&header.value), &unit.map.outer(header.span));
            }
            let checksum = if message.intact { "right" } else { "wrong" };
            part(depth + 1, "message CRC-32", checksum.into(), &outer(message.span.end - 4, message.span.end));
            body = part(depth + 1, "payload", format!("{} B", message.payload_span.len()), &unit.map.outer(message.payload_span));
        }
        eventstream::Item::Error { code, message, .. } => faults.push(format!("{code}: {message}")),
        eventstream::Item::Incomplete { .. } => {}
    });
    for fault in faults {
        tree.add_quiet(depth + 1, "fault", fault, "error", &[]);
    }
    body
}

/// A header's value in words.
fn shown_value(value: &eventstream::Value<'_>) -> String {
    match value {
        eventstream::Value::String(text) => text.to_string(),
        other => format!("{other:?}"),
    }
}

fn ws_frames(tree: &mut Tree, depth: u32, unit: &Unit, row: &Row, word: &str, own: &[Span]) -> u32 {
    let label = match row.kind {
        Kind::Frame => format!("WebSocket {word} frame"),
        Kind::Control if is_control_frame(word) => format!("WebSocket {word} frame"),
        Kind::Incomplete => "WebSocket frame, cut off".into(),
        Kind::Error | Kind::Warning if row.len == 0 => word.to_owned(),
        _ => format!("WebSocket {word} message"),
    };
    let root = tree.add(depth, label, "", "ws", own);
    let side = if unit.out { ws::Side::Client } else { ws::Side::Server };
    let outer = |from: u64, to: u64| unit.map.outer(Span::new(from, to));
    ws::Dissector::new(side, "", Limits::default()).push(&unit.inner, &mut |item| {
        let ws::Item::Frame(frame) = item else { return };
        let at = frame.span.start;
        let end = at + u64::from(frame.header_len);
        let b = unit.inner.get(at as usize..).unwrap_or_default();
        let (b0, b1) = (b.first().copied().unwrap_or(0), b.get(1).copied().unwrap_or(0));
        let header = tree.add_quiet(depth + 1, "frame header", format!("{b0:08b} {b1:08b}"), "ws", &outer(at, end));
        tree.bits(header, bits::ws(&b[..b.len().min(frame.header_len as usize)]));
        let first = outer(at, at + 1);
        tree.add_quiet(depth + 2, "FIN", if frame.fin { "1, the message's last frame" } else { "0, more frames follow" }, "ws", &first);
        tree.add_quiet(depth + 2, "RSV", format!("{:03b}", frame.rsv), "ws", &first);
        tree.add_quiet(depth + 2, "opcode", format!("{} {}", frame.opcode, opcode_name(frame.opcode)), "ws", &first);
        let mask_at = end - if frame.mask.is_some() { 4 } else { 0 };
        tree.add_quiet(depth + 2, "payload length", frame.payload_len.to_string(), "ws", &outer(at + 1, mask_at));
        if let Some(key) = frame.mask {
            let hex: String = key.iter().map(|b| format!("{b:02x}")).collect();
            tree.add_quiet(depth + 2, "masking key", hex, "ws", &outer(mask_at, end));
        }
        let value = match (frame.close_code, frame.close_reason.as_deref()) {
            (Some(code), reason) => format!("{code} {}", reason.unwrap_or_default()),
            (None, _) if frame.opcode >= 8 => String::from_utf8_lossy(frame.payload).into_owned(),
            _ => format!("{} B", frame.payload_len),
        };
        if frame.payload_len > 0 {
            tree.add_quiet(depth + 1, "payload", value, "ws", &outer(end, frame.span.end));
        }
    });
    root
}

/// JSON values and deltas of a payload; tells the node of its first delta.
fn payload(tree: &mut Tree, depth: u32, fold: &Fold, row: &Row, content: &Content) -> Option<u32> {
    let (values, error) = json::parse(&content.data);
    let is_json = values.first().is_some_and(|v| matches!(v.kind, json::Kind::Object | json::Kind::Array));
    let mut found: Vec<(Span, DeltaKind, String)> = Vec::new();
    if !matches!(row.kind, Kind::Request) {
        unit::deltas(fold, row, content, &mut |delta| {
            let content = matches!(delta.kind, DeltaKind::Text | DeltaKind::Reasoning | DeltaKind::Refusal | DeltaKind::ToolCall);
            // Final forms repeat the reply; only what added to it is shown as its text.
            if !delta.at.is_empty() && (row.block > 0 || !content) {
                found.push((Span::new(delta.at.start as u64, delta.at.end as u64), delta.kind, delta.text.into_owned()));
            }
        });
    }
    if !is_json {
        let text = String::from_utf8_lossy(&content.data[..content.data.len().min(200)]).into_owned();
        return Some(tree.add_quiet(depth, "text", text, "control", &content.map.outer(Span::new(0, content.data.len() as u64))));
    }
    let mut focus: Option<(u32, bool)> = None;
    let mut depths: Vec<u32> = Vec::with_capacity(values.len().min(VALUES));
    let mut paths: Vec<Option<String>> = Vec::with_capacity(values.len().min(VALUES));
    for (n, value) in values.iter().enumerate().take(VALUES) {
        let at = value.parent.map_or(depth, |p| depths.get(p as usize).copied().unwrap_or(depth) + 1);
        depths.push(at);
        let spans = content.map.outer(value.span);
        let label = label(&content.data, &values, n);
        let shown = shown(&content.data, value);
        let node = if value.parent.is_none() {
            tree.add(at, label, shown, "json", &spans)
        } else {
            tree.add_quiet(at, label, shown, "json", &spans)
        };
        let path = match value.parent {
            None => Some("$".to_owned()),
            Some(parent) => paths.get(parent as usize).and_then(Option::as_deref).and_then(|above| path_of(&content.data, value, above)),
        };
        tree.path(node, path.as_deref());
        paths.push(path);
        if value.kind != json::Kind::String {
            continue;
        }
        let inside = Span::new(value.span.start + 1, value.span.end.saturating_sub(1).max(value.span.start + 1));
        for (span, kind, text) in found.iter().filter(|(span, _, _)| inside.start <= span.start && span.end <= inside.end) {
            let layer = layer_of(*kind);
            let delta = tree.add(at + 1, visible(text), "", layer, &map(&content.map, *span));
            tree.path(delta, paths[n].as_deref());
            let speaks =
                matches!(kind, DeltaKind::Text | DeltaKind::Reasoning | DeltaKind::ToolCall | DeltaKind::Refusal | DeltaKind::Error);
            // Ids and the like stand before what is said.
            if focus.is_none_or(|(_, spoke)| speaks && !spoke) {
                focus = Some((delta, speaks));
            }
        }
    }
    if values.len() > VALUES {
        tree.add_quiet(depth, format!("{} more values", values.len() - VALUES), "", "json", &[]);
    }
    if let Some(error) = error {
        let at = Span::new(error.at, error.at + 1);
        tree.add_quiet(depth, "not JSON from here on", error.message, "error", &map(&content.map, at));
    }
    focus.map(|(delta, _)| delta)
}

fn map(map: &Map, span: Span) -> Vec<Span> {
    map.outer(span)
}

/// `choices[0]`, `delta`, or `JSON` for a document.
fn label(data: &[u8], values: &[json::Node], n: usize) -> String {
    let value = &values[n];
    match (&value.key, value.parent) {
        (Some(key), _) => slice(data, *key).trim_matches('"').to_owned(),
        (None, None) => "JSON".into(),
        (None, Some(parent)) => {
            let name = values.get(parent as usize).and_then(|p| p.key).map(|key| slice(data, key).trim_matches('"').to_owned());
            format!("{}[{}]", name.unwrap_or_default(), value.index)
        }
    }
}

/// `$.choices[0].delta['a-b']`: a value's path (RFC 9535), names in the short form where it can say them; `above` is its parent's.
/// `None` where it is longer than anyone reads: documents nested without end would make paths without end.
fn path_of(data: &[u8], value: &json::Node, above: &str) -> Option<String> {
    let step = value.key.map_or_else(|| format!("[{}]", value.index), |key| name_of(data, key));
    (above.len() + step.len() <= LONGEST_PATH).then(|| format!("{above}{step}"))
}

/// A member's name as a step of a path.
fn name_of(data: &[u8], key: Span) -> String {
    let quoted = slice(data, key);
    let name = serde_json::from_str::<String>(&quoted).unwrap_or_else(|_| quoted.trim_matches('"').to_owned());
    let short = |c: char| c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii();
    if !name.is_empty() && name.chars().all(short) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        return format!(".{name}");
    }
    // A JSON string escapes what must be escaped; between single quotes only the other quote is free.
    let escaped = serde_json::Value::String(name).to_string();
    format!("['{}']", escaped[1..escaped.len() - 1].replace("\\\"", "\"").replace('\'', "\\'"))
}

fn shown(data: &[u8], value: &json::Node) -> String {
    match value.kind {
        json::Kind::Object | json::Kind::Array => String::new(),
        _ => {
            let text = slice(data, value.span);
            if text.chars().count() > 120 { text.chars().take(120).chain(['…']).collect() } else { text }
        }
    }
}

fn slice(data: &[u8], span: Span) -> String {
    String::from_utf8_lossy(data.get(span.start as usize..span.end as usize).unwrap_or_default()).into_owned()
}

/// Text with its outer spaces made visible: token borders are white space, and so are their bugs.
fn visible(text: &str) -> String {
    let inner = text.trim_matches(' ');
    if inner.is_empty() {
        return "·".repeat(text.len());
    }
    let lead = text.len() - text.trim_start_matches(' ').len();
    let tail = text.len() - text.trim_end_matches(' ').len();
    format!("{}{}{}", "·".repeat(lead), inner.replace('\n', "⏎"), "·".repeat(tail))
}

fn layer_of(kind: DeltaKind) -> &'static str {
    match kind {
        DeltaKind::Text | DeltaKind::Refusal => "text-delta",
        DeltaKind::Reasoning => "reasoning",
        DeltaKind::ToolCall => "tool-call",
        DeltaKind::Usage => "usage",
        DeltaKind::Error => "error",
        DeltaKind::Audio => "audio",
        DeltaKind::Finish | DeltaKind::Control | DeltaKind::Unknown | DeltaKind::Said => "control",
    }
}
