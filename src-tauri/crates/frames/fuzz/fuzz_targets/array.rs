//! A JSON array's elements: the same items for every cut, in order, each with its own bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_frames::array::{Dissector, Item};
use weir_frames::json::{Kind, parse};
use weir_frames_fuzz::Case;

fuzz_target!(|data: &[u8]| {
    let Some(case) = Case::new(data) else { return };
    let whole = items(&case, &[case.input]);
    assert_eq!(items(&case, &case.pieces()), whole);
    let (nodes, error) = parse(case.input);
    if error.is_none() && nodes.first().is_some_and(|node| node.kind == Kind::Array) {
        let elements = nodes.iter().filter(|node| node.parent == Some(0)).map(|node| node.span);
        let told: Vec<_> = whole.iter().filter(|item| item.starts_with("Element")).collect();
        assert!(elements.map(|span| format!("Element {{ span: {span:?},")).zip(&told).all(|(span, item)| item.starts_with(&span)));
        assert!(!whole.iter().any(|item| item.starts_with("Incomplete")));
    }
});

fn items(case: &Case<'_>, pieces: &[&[u8]]) -> Vec<String> {
    let mut found = Vec::new();
    let mut end = 0;
    let mut sink = |item: Item<'_>| {
        let span = match item {
            Item::Element { span, bytes, oversized } => {
                assert_eq!(bytes, if oversized { &[] } else { case.at(span) });
                assert!(!span.is_empty());
                assert_eq!(oversized, span.len() > case.limits().unit as u64);
                span
            }
            Item::End { span } | Item::Stray { span } | Item::Incomplete { span } => span,
        };
        case.at(span);
        assert!(span.start >= end, "{item:?}");
        end = span.end;
        found.push(format!("{item:?}"));
    };
    let mut dissector = Dissector::new(case.limits());
    for piece in pieces {
        dissector.push(piece, &mut sink);
    }
    dissector.finish(&mut sink);
    found
}
