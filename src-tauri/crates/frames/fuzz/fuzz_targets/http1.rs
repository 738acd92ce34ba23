//! HTTP/1.1: the same items for every cut (payload joined), payload that stands where its span says, and no byte of a
//! message told twice.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_frames::http1::{Dissector, Item, Side};
use weir_frames_fuzz::Case;

fuzz_target!(|data: &[u8]| {
    let Some(case) = Case::new(data) else { return };
    let whole = items(&case, &[case.input]);
    assert_eq!(items(&case, &case.pieces()), whole);
});

fn items(case: &Case<'_>, pieces: &[&[u8]]) -> Vec<String> {
    let mut found = Vec::new();
    // Kind and range of the payload told last, which may go on.
    let mut open: Option<(bool, u64, u64)> = None;
    let mut end = 0;
    let mut sink = |item: Item<'_>| {
        if let Item::Data { span, bytes } | Item::Upgraded { span, bytes } = item {
            assert!(!bytes.is_empty() && case.at(span) == bytes);
            let data = matches!(item, Item::Data { .. });
            match &mut open {
                Some((before, _, end)) if *before == data && *end == span.start => *end = span.end,
                _ => {
                    if let Some(payload) = open.take() {
                        found.push(format!("{payload:?}"));
                    }
                    open = Some((data, span.start, span.end));
                }
            }
            return;
        }
        if let Some(payload) = open.take() {
            found.push(format!("{payload:?}"));
        }
        match &item {
            Item::Head(head) => {
                assert!(head.span.start >= end && !case.at(head.span).is_empty());
                end = head.span.end;
                for header in head.headers {
                    assert!(case.at(header.span).starts_with(header.name));
                }
            }
            Item::Chunk { span, data, .. } => {
                assert!(span.start >= end && span.start < data.start && data.end < span.end && !data.is_empty());
                end = span.end;
            }
            Item::LastChunk { span } | Item::Trailers { span, .. } => {
                assert!(span.start >= end && !case.at(*span).is_empty());
                end = span.end;
            }
            Item::Body { span } | Item::Incomplete { span } => {
                case.at(*span);
                assert!(span.start >= end);
                end = span.end;
            }
            Item::End { at } => assert_eq!(*at, end),
            Item::Error { at, .. } | Item::Warning { at, .. } => assert!(*at <= case.input.len() as u64),
            Item::Data { .. } | Item::Upgraded { .. } => {}
        }
        found.push(format!("{item:?}"));
    };
    let side = if case.choice & 2 == 0 { Side::Server } else { Side::Client };
    let mut dissector = Dissector::new(side, case.limits());
    if case.choice & 4 != 0 {
        dissector.expect(b"HEAD");
    }
    if case.choice & 8 != 0 {
        dissector.expect(b"CONNECT");
    }
    for piece in pieces {
        dissector.push(piece, &mut sink);
    }
    let lost = dissector.lost();
    dissector.finish(&mut sink);
    found.push(format!("{open:?} {lost:?}"));
    found
}
