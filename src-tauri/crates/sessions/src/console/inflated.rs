//! Compressed messages of a WebSocket, read: with context takeover (RFC 7692 §7.1.1) each needs all that came before it.

use std::collections::BTreeMap;

use weir_frames::{Limits, Span, ws};

use crate::analysis::{Fold, Layer, Row};
use crate::inspect::Bytes;

/// Bytes of one direction that are read anew at most, to show a page of it. Behind that a message shows what it is, not what it holds.
const MOST: u64 = 16 << 20;
/// Bytes read at once.
const STEP: usize = 256 << 10;

/// Payloads of compressed messages, by stream and end.
#[derive(Default)]
pub(super) struct Inflated(BTreeMap<(u16, u64), Vec<u8>>);

impl Inflated {
    /// The payloads of those among `rows` that stand on a socket with permessage-deflate: one pass over each direction.
    pub fn of<'a>(fold: &Fold, bytes: &dyn Bytes, rows: impl Iterator<Item = &'a Row>) -> Self {
        let mut wanted: BTreeMap<u16, Vec<u64>> = BTreeMap::new();
        for row in rows.filter(|row| row.layer == Layer::Ws && row.len > 0) {
            wanted.entry(row.stream).or_default().push(row.span().end);
        }
        let mut found = BTreeMap::new();
        for (stream, ends) in wanted {
            let socket = fold.sockets.iter().find(|(of, _, extensions)| *of == stream && extensions.contains("permessage-deflate"));
            if let (Some((_, base, extensions)), Some(last)) = (socket, ends.iter().max()) {
                read(fold, bytes, stream, *base, extensions, (&ends, *last), &mut found);
            }
        }
        Self(found)
    }

    /// The payload of `row`, if it was one of those.
    pub fn data(&self, row: &Row) -> Option<Vec<u8>> {
        self.0.get(&(row.stream, row.span().end)).cloned()
    }
}

fn read(
    fold: &Fold,
    bytes: &dyn Bytes,
    stream: u16,
    base: u64,
    extensions: &str,
    (ends, last): (&[u64], u64),
    found: &mut BTreeMap<(u16, u64), Vec<u8>>,
) {
    let Some(of) = fold.streams.get(stream as usize) else { return };
    let side = if of.out { ws::Side::Client } else { ws::Side::Server };
    let mut dissector = ws::Dissector::new(side, extensions, Limits::default());
    let mut at = base;
    let until = last.min(base.saturating_add(MOST));
    while at < until {
        let Ok(piece) = bytes.read(of.conn, of.out, at, ((until - at) as usize).min(STEP)) else { return };
        if piece.is_empty() {
            return;
        }
        at += piece.len() as u64;
        dissector.push(&piece, &mut |item| {
            if let ws::Item::Message { span, data, .. } = item {
                let span = Span::new(base + span.start, base + span.end);
                if ends.contains(&span.end) {
                    found.insert((stream, span.end), data.to_vec());
                }
            }
        });
    }
}
