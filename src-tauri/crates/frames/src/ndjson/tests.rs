use proptest::prelude::*;

use super::*;
use crate::cuts::{every_cut, pieces};

const SMALL: Limits = Limits { unit: 8, head: 8 };

fn items_of(limits: Limits, pieces: &[&[u8]]) -> Vec<String> {
    let mut found = Vec::new();
    let mut dissector = Dissector::new(limits);
    let mut sink = |item: Item<'_>| {
        found.push(match item {
            Item::Line { span, data, bytes, terminated, oversized } => {
                let end = if terminated { "" } else { " unterminated" };
                let big = if oversized { " oversized" } else { "" };
                let text = String::from_utf8_lossy(bytes);
                format!("{}..{} {}..{} {text}{end}{big}", span.start, span.end, data.start, data.end)
            }
            Item::Blank { span } => format!("{}..{} blank", span.start, span.end),
            Item::Incomplete { span } => format!("{}..{} incomplete", span.start, span.end),
        });
    };
    for piece in pieces {
        dissector.push(piece, &mut sink);
    }
    dissector.finish(&mut sink);
    found
}

fn items(limits: Limits, input: &[u8]) -> Vec<String> {
    let whole = items_of(limits, &[input]);
    for way in every_cut(input) {
        assert_eq!(items_of(limits, &way), whole, "{way:?}");
    }
    whole
}

#[test]
fn lines() {
    let limits = Limits::default();
    assert_eq!(items(limits, b"{\"a\":1}\n[2]\r\n"), ["0..8 0..7 {\"a\":1}", "8..13 8..11 [2]"]);
    assert_eq!(items(limits, b" \t1 \t\r\n"), ["0..7 2..3 1"]);
    assert_eq!(items(limits, b"\n \r\n1\n\n"), ["0..1 blank", "1..4 blank", "4..6 4..5 1", "6..7 blank"]);
    assert_eq!(items(limits, b"1\r2\n"), ["0..4 0..3 1\r2"], "a lone CR ends no line");
    assert_eq!(items(limits, b"no json\n"), ["0..8 0..7 no json"], "what a line says is not judged");
    assert_eq!(items(limits, b""), [""; 0]);
}

#[test]
fn the_last_line() {
    let limits = Limits::default();
    assert_eq!(items(limits, b"1\n{\"a\":[]} "), ["0..2 0..1 1", "2..11 2..10 {\"a\":[]} unterminated"]);
    assert_eq!(items(limits, b"1\n{\"a\":[]"), ["0..2 0..1 1", "2..9 incomplete"]);
    assert_eq!(items(limits, b"1 2"), ["0..3 incomplete"], "two values are not one");
    assert_eq!(items(limits, b"1\n \r"), ["0..2 0..1 1", "2..4 blank"]);
    assert_eq!(items(limits, b"\"\xFF\""), ["0..3 incomplete"]);
}

#[test]
fn lines_over_the_limit() {
    assert_eq!(items(SMALL, b"1234567\n12345678\n1\n"), ["0..8 0..7 1234567", "8..17 8..16  oversized", "17..19 17..18 1"]);
    assert_eq!(items(SMALL, b"            5     \n12345678"), ["0..19 12..13  oversized", "19..27 19..27 12345678 unterminated"]);
    assert_eq!(items(SMALL, b"123456789"), ["0..9 incomplete"]);
    assert_eq!(items(SMALL, b"              "), ["0..14 blank"]);
}

#[test]
fn memory_stays_bounded() {
    let mut dissector = Dissector::new(SMALL);
    for _ in 0..64 {
        dissector.push(&b" ".repeat(1 << 14), &mut |_| {});
        dissector.push(&b"x".repeat(1 << 14), &mut |_| {});
    }
    assert!(dissector.carry.capacity() <= 16);
}

proptest! {
    #[test]
    fn items_do_not_depend_on_the_cuts(
        input in prop::collection::vec(prop::sample::select(b"\n\r {}[]\"1,\xFF\t".to_vec()), 0..60),
        sizes in prop::collection::vec(1_usize..9, 1..6),
    ) {
        for limits in [Limits::default(), SMALL] {
            let whole = items_of(limits, &[&input]);
            prop_assert_eq!(items_of(limits, &pieces(&input, &sizes)), whole.clone());
            prop_assert_eq!(items_of(limits, &pieces(&input, &[1])), whole);
        }
    }

    #[test]
    fn spans_tile_the_input(input in prop::collection::vec(prop::sample::select(b"\n\r 1x".to_vec()), 0..60)) {
        let mut end = 0;
        let mut tile = |item: Item<'_>| {
            let span = match item {
                Item::Line { span, data, bytes, .. } => {
                    assert_eq!(bytes, &input[data.start as usize..data.end as usize]);
                    span
                }
                Item::Blank { span } | Item::Incomplete { span } => span,
            };
            assert_eq!(span.start, end);
            end = span.end;
        };
        let mut dissector = Dissector::default();
        dissector.push(&input, &mut tile);
        dissector.finish(&mut tile);
        prop_assert_eq!(end, input.len() as u64);
    }
}
