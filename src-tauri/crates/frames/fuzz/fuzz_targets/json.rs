//! JSON: children lie in their parents, in order; every value's slice is a value; an error lies in the input.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_frames::json::{Kind, is_value, parse};

fuzz_target!(|bytes: &[u8]| {
    let (nodes, error) = parse(bytes);
    let whole = error.is_none() && nodes.iter().filter(|node| node.parent.is_none()).count() == 1;
    assert_eq!(is_value(bytes), whole);
    if let Some(error) = &error {
        assert!(error.at <= bytes.len() as u64);
        assert!(!error.incomplete || error.at == bytes.len() as u64 || std::str::from_utf8(bytes).is_err());
    } else {
        assert!(!nodes.is_empty());
    }
    let mut children = vec![0; nodes.len()];
    let mut end = vec![0; nodes.len()];
    for (at, node) in nodes.iter().enumerate() {
        assert!(node.span.start < node.span.end && node.span.end <= bytes.len() as u64);
        if let Some(parent) = node.parent.map(|parent| parent as usize) {
            assert!(parent < at);
            assert_eq!(node.index, children[parent]);
            children[parent] += 1;
            let within = nodes[parent].span;
            let start = node.key.map_or(node.span.start, |key| key.start);
            assert!(within.start < start && start >= end[parent] && node.span.end <= within.end);
            end[parent] = node.span.end;
            assert_eq!(node.key.is_some(), nodes[parent].kind == Kind::Object);
        }
        // Checking each slice again costs the square of the depth.
        if error.is_none() && nodes.len() < 64 {
            assert!(is_value(&bytes[node.span.start as usize..node.span.end as usize]));
        }
    }
});
