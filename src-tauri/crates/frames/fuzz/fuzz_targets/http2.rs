//! HTTP/2: no panic, the same items at every cut, spans that follow each other.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_frames::http2::{Dissector, Item, Side, settings};
use weir_frames::{Limits, Span};

fn told(side: Side, limits: Limits, table: u32, bytes: &[u8], piece: usize) -> Vec<String> {
    let mut dissector = Dissector::new(side, limits);
    dissector.set_header_table_size(table);
    let mut items = Vec::new();
    let mut data: Option<(u32, Span, Vec<u8>)> = None;
    let mut end = 0;
    let mut sink = |item: Item<'_>| {
        if let Item::Data { stream, span, bytes: piece } = item {
            check(span, bytes);
            assert_eq!(&bytes[span.start as usize..span.end as usize], piece);
            assert!(!piece.is_empty());
            match &mut data {
                Some((of, before, joined)) => {
                    assert_eq!((*of, before.end), (stream, span.start));
                    before.end = span.end;
                    joined.extend_from_slice(piece);
                }
                None => data = Some((stream, span, piece.to_vec())),
            }
            return;
        }
        if let Some(data) = data.take() {
            items.push(format!("{data:?}"));
        }
        match &item {
            Item::Frame(frame) => {
                check(frame.span, bytes);
                assert_eq!(frame.span.start, end, "frames follow each other");
                end = frame.span.end;
                assert!(frame.payload.is_empty() || frame.payload.len() as u64 + 9 == frame.span.len());
                let fields: usize = frame.headers.unwrap_or_default().iter().map(|field| field.name.len() + field.value.len() + 32).sum();
                assert!(fields <= limits.head);
                settings(frame.payload).for_each(drop);
            }
            Item::Preface { span } => end = span.end,
            Item::Error { at, .. } => assert!(*at <= bytes.len() as u64),
            Item::Incomplete { span } => check(*span, bytes),
            Item::Data { .. } => {}
        }
        items.push(format!("{item:?}"));
    };
    for piece in bytes.chunks(piece) {
        dissector.push(piece, &mut sink);
    }
    dissector.finish(&mut sink);
    items.extend(data.map(|data| format!("{data:?}")));
    items
}

fn check(span: Span, bytes: &[u8]) {
    assert!(span.start <= span.end && span.end <= bytes.len() as u64);
}

fuzz_target!(|input: &[u8]| {
    let Some((&[setup, piece], bytes)) = input.split_first_chunk::<2>() else { return };
    let side = if setup & 1 == 0 { Side::Server } else { Side::Client };
    let head = [1 << 20, 0, 10, 200][usize::from(setup >> 1 & 3)];
    let table = [0, 1 << 16][usize::from(setup >> 3 & 1)];
    let limits = Limits { unit: head, head };
    let whole = told(side, limits, table, bytes, usize::MAX);
    for piece in [1, usize::from(piece).max(1)] {
        assert_eq!(told(side, limits, table, bytes, piece), whole);
    }
});
