//! Newline-delimited JSON: the same items for every cut, and their spans tile the stream.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_frames::ndjson::{Dissector, Item};
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
        let span = match item {
            Item::Line { span, data, bytes, oversized, .. } => {
                assert_eq!(bytes, if oversized { &[] } else { case.at(data) });
                assert!(span.start <= data.start && data.end <= span.end && !data.is_empty());
                span
            }
            Item::Blank { span } | Item::Incomplete { span } => span,
        };
        assert!(span.start == end && !span.is_empty(), "{item:?}");
        end = span.end;
        found.push(format!("{item:?}"));
    };
    let mut dissector = Dissector::new(case.limits());
    for piece in pieces {
        dissector.push(piece, &mut sink);
    }
    dissector.finish(&mut sink);
    assert_eq!(end, case.input.len() as u64);
    found
}
