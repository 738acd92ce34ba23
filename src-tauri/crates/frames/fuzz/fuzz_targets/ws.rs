//! WebSocket: no panic, the same items at every cut, spans in order.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_frames::ws::{Dissector, Item, Side};
use weir_frames::{Limits, Span};

const EXTENSIONS: [&str; 4] = ["", "permessage-deflate", "permessage-deflate; server_no_context_takeover; client_no_context_takeover", "x-unknown"];

fn told(side: Side, extensions: &str, limits: Limits, bytes: &[u8], piece: usize) -> Vec<String> {
    let mut dissector = Dissector::new(side, extensions, limits);
    let mut items = Vec::new();
    let mut end = 0;
    let mut sink = |item: Item<'_>| {
        match &item {
            Item::Frame(frame) => {
                check(frame.span, bytes);
                assert!(frame.span.start >= end);
                end = frame.span.end;
                assert_eq!(frame.span.len(), u64::from(frame.header_len) + frame.payload_len);
                assert!(frame.payload.is_empty() || frame.payload.len() as u64 == frame.payload_len);
            }
            Item::Message { span, data, deflated, oversized, .. } => {
                check(*span, bytes);
                assert!(data.len() <= limits.unit);
                assert!(!oversized || data.is_empty());
                assert!(deflated.is_none_or(|wire| wire < span.len()));
            }
            Item::Error { at, .. } | Item::Warning { at, .. } => assert!(*at <= bytes.len() as u64),
            Item::Incomplete { span } => check(*span, bytes),
        }
        items.push(format!("{item:?}"));
    };
    for piece in bytes.chunks(piece) {
        dissector.push(piece, &mut sink);
    }
    dissector.finish(&mut sink);
    items
}

fn check(span: Span, bytes: &[u8]) {
    assert!(span.start <= span.end && span.end <= bytes.len() as u64);
}

fuzz_target!(|input: &[u8]| {
    let Some((&[setup, piece], bytes)) = input.split_first_chunk::<2>() else { return };
    let side = if setup & 1 == 0 { Side::Server } else { Side::Client };
    let extensions = EXTENSIONS[usize::from(setup >> 1 & 3)];
    let unit = [1 << 20, 0, 10, 200][usize::from(setup >> 3 & 3)];
    let limits = Limits { unit, head: unit };
    let whole = told(side, extensions, limits, bytes, usize::MAX);
    for piece in [1, usize::from(piece).max(1)] {
        assert_eq!(told(side, extensions, limits, bytes, piece), whole);
    }
});
