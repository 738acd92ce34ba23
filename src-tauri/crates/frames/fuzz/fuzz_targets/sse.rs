//! Server-sent events: the same items for every cut, spans in order, and data that stands where `lines` says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_frames::sse::{Dissector, Item};
use weir_frames_fuzz::Case;

fuzz_target!(|data: &[u8]| {
    let Some(case) = Case::new(data) else { return };
    let whole = items(&case, &[case.input]);
    assert_eq!(items(&case, &case.pieces()), whole);
});

fn items(case: &Case<'_>, pieces: &[&[u8]]) -> Vec<String> {
    let mut found = Vec::new();
    let mut end = 0;
    let mut sink = |item: Item<'_>| {
        let span = match &item {
            Item::Event(event) => {
                if !event.oversized {
                    let lines: Vec<_> = event.lines.iter().map(|&line| case.at(line)).collect();
                    assert_eq!(event.data, String::from_utf8_lossy(&lines.join(&b'\n')));
                }
                event.span
            }
            Item::Comment { span, .. }
            | Item::Retry { span, .. }
            | Item::Silent { span, .. }
            | Item::Incomplete { span } => *span,
        };
        assert!(!case.at(span).is_empty() && span.end >= end, "{item:?}");
        end = span.end;
        found.push(format!("{item:?}"));
    };
    let mut dissector = Dissector::new(case.limits(), "");
    for piece in pieces {
        dissector.push(piece, &mut sink);
    }
    dissector.finish(&mut sink);
    found
}
