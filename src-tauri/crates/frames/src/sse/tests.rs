use eventsource_stream::Eventsource;
use futures_util::{FutureExt, StreamExt, stream};
use proptest::prelude::*;

use super::*;
use crate::cuts::{every_cut, pieces};

/// The items of `pieces`, in words.
fn items_of(limits: Limits, id: &str, pieces: &[&[u8]]) -> Vec<String> {
    let mut found = Vec::new();
    let mut dissector = Dissector::new(limits, id);
    let mut sink = |item: Item<'_>| found.push(words(&item));
    for piece in pieces {
        dissector.push(piece, &mut sink);
    }
    dissector.finish(&mut sink);
    found
}

fn words(item: &Item<'_>) -> String {
    let at = |span: &Span| format!("{}..{}", span.start, span.end);
    match item {
        Item::Event(event) => {
            let lines: Vec<_> = event.lines.iter().map(at).collect();
            let big = if event.oversized { " oversized" } else { "" };
            format!("{} {} {:?} id={:?} lines={}{big}", at(&event.span), event.event, event.data, event.id, lines.join(","))
        }
        Item::Comment { span, text } => format!("{} : {text:?}", at(span)),
        Item::Retry { span, ms } => format!("{} retry {ms}", at(span)),
        Item::Silent { span, id } => format!("{} silent id={id:?}", at(span)),
        Item::Incomplete { span } => format!("{} incomplete", at(span)),
    }
}

/// The items of `input`, the same for every cut.
fn items(input: impl AsRef<[u8]>) -> Vec<String> {
    items_within(Limits::default(), input.as_ref())
}

fn items_within(limits: Limits, input: &[u8]) -> Vec<String> {
    let whole = items_of(limits, "", &[input]);
    for way in every_cut(input) {
        assert_eq!(items_of(limits, "", &way), whole, "{way:?}");
    }
    whole
}

const SMALL: Limits = Limits { unit: 16, head: 16 };

#[test]
fn events_as_the_standard_shows_them() {
    // The examples of §9.2.6.
    assert_eq!(items("data: YHOO\ndata: +2\ndata: 10\n\n"), ["0..30 message \"YHOO\\n+2\\n10\" id=\"\" lines=6..10,17..19,26..28"]);
    assert_eq!(
        items(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n"),
        [
            "0..14 : \"test stream\"",
            "15..40 message \"first event\" id=\"1\" lines=21..32",
            "40..62 message \"second event\" id=\"\" lines=45..57",
            "62..82 message \" third event\" id=\"\" lines=68..80",
        ]
    );
    assert_eq!(
        items("data\n\ndata\ndata\n\ndata:"),
        ["0..6 message \"\" id=\"\" lines=4..4", "6..17 message \"\\n\" id=\"\" lines=10..10,15..15", "17..22 incomplete"]
    );
    assert_eq!(
        items("data:test\n\ndata: test\n\n"),
        ["0..11 message \"test\" id=\"\" lines=5..9", "11..23 message \"test\" id=\"\" lines=17..21",]
    );
}

#[test]
fn the_three_line_ends() {
    let lf = "event: a\ndata: x\n\n: c\nretry: 7\nid: 3\n\ndata: y\n\n";
    assert_eq!(
        items(lf),
        [
            "0..18 a \"x\" id=\"\" lines=15..16",
            "18..22 : \"c\"",
            "22..31 retry 7",
            "22..38 silent id=\"3\"",
            "38..47 message \"y\" id=\"3\" lines=44..45",
        ]
    );
    assert_eq!(items(lf.replace('\n', "\r")), items(lf), "a lone CR is as long as a lone LF");
    assert_eq!(
        items(lf.replace('\n', "\r\n")),
        [
            "0..21 a \"x\" id=\"\" lines=16..17",
            "21..26 : \"c\"",
            "26..36 retry 7",
            "26..45 silent id=\"3\"",
            "45..56 message \"y\" id=\"3\" lines=51..52",
        ]
    );
}

#[test]
fn a_comment_inside_an_event_is_told_and_ends_nothing() {
    // As DashScope writes its events.
    assert_eq!(
        items("id:1\nevent:result\n:HTTP_STATUS/200\ndata:{}\n\n"),
        ["18..35 : \"HTTP_STATUS/200\"", "0..44 result \"{}\" id=\"1\" lines=40..42"]
    );
    assert_eq!(items("data: a\n: c\ndata: b\n\n"), ["8..12 : \"c\"", "0..21 message \"a\\nb\" id=\"\" lines=6..7,18..19"]);
}

#[test]
fn a_cr_only_event_is_told_without_the_next_byte() {
    let mut found = Vec::new();
    let mut dissector = Dissector::default();
    dissector.push(b"data: x\r\r", &mut |item| found.push(words(&item)));
    assert_eq!(found, ["0..9 message \"x\" id=\"\" lines=6..7"]);
}

#[test]
fn a_crlf_event_owns_its_last_lf_however_it_comes() {
    let mut found = Vec::new();
    let mut dissector = Dissector::default();
    dissector.push(b"data: x\r\n\r", &mut |item| found.push(words(&item)));
    assert!(found.is_empty());
    dissector.push(b"\n", &mut |item| found.push(words(&item)));
    assert_eq!(found, ["0..11 message \"x\" id=\"\" lines=6..7"]);
}

#[test]
fn mixed_line_ends() {
    // The line end before the blank line was LF: its CR dispatches, its LF belongs to nothing.
    assert_eq!(
        items("data: x\n\r\ndata: y\r\n\r\n"),
        ["0..9 message \"x\" id=\"\" lines=6..7", "10..21 message \"y\" id=\"\" lines=16..17",]
    );
    // The line end before was CRLF: the blank line waits for its LF, and another byte ends it.
    assert_eq!(
        items("data: x\r\n\rdata: y\r\n\n"),
        ["0..10 message \"x\" id=\"\" lines=6..7", "10..20 message \"y\" id=\"\" lines=16..17",]
    );
    assert_eq!(items("data: x\r\n\r"), ["0..10 message \"x\" id=\"\" lines=6..7"]);
    assert_eq!(items("\r: c\r"), ["1..5 : \"c\""]);
    assert_eq!(items(": c\r\n"), ["0..5 : \"c\""]);
    assert_eq!(items(": c\r"), ["0..4 : \"c\""]);
}

#[test]
fn one_byte_order_mark() {
    assert_eq!(items("\u{feff}data: x\n\n"), ["3..12 message \"x\" id=\"\" lines=9..10"]);
    assert_eq!(items("\u{feff}\u{feff}data: x\n\n"), ["3..15 silent id=\"\""]);
    assert_eq!(items("data: x\n\n\u{feff}data: y\n\n").len(), 2);
    assert_eq!(items("\u{feff}"), [""; 0]);
    assert_eq!(items("\u{feff}\n\n"), [""; 0]);
    assert_eq!(items("\u{feff}: c\n"), ["3..7 : \"c\""]);
    assert_eq!(items("\u{feff}da"), ["3..5 incomplete"]);
    assert_eq!(items(b"\xEF\xBB"), ["0..2 incomplete"]);
    assert_eq!(items(b"\xEF\xBBdata: x\n\n"), ["0..11 silent id=\"\""]);
}

#[test]
fn fields_to_the_letter() {
    assert_eq!(items("data:  two\n\n"), ["0..12 message \" two\" id=\"\" lines=6..10"]);
    assert_eq!(items("data:\ttab\n\n"), ["0..11 message \"\\ttab\" id=\"\" lines=5..9"]);
    assert_eq!(items("data:a:b\n\n"), ["0..10 message \"a:b\" id=\"\" lines=5..8"]);
    assert_eq!(items(" data: x\n\n"), ["0..10 silent id=\"\""]);
    assert_eq!(items("Data: x\n\n"), ["0..9 silent id=\"\""]);
    assert_eq!(items("data : x\n\n"), ["0..10 silent id=\"\""]);
    assert_eq!(items("event: a\nevent: b\ndata\n\n"), ["0..24 b \"\" id=\"\" lines=22..22"]);
    assert_eq!(items("event: a\nevent:\ndata\n\n"), ["0..22 message \"\" id=\"\" lines=20..20"]);
    assert_eq!(items("event: a\n\ndata\n\n"), ["0..10 silent id=\"\"", "10..16 message \"\" id=\"\" lines=14..14"]);
    assert_eq!(items("data: x\n: c\ndata: y\n\n"), ["8..12 : \"c\"", "0..21 message \"x\\ny\" id=\"\" lines=6..7,18..19"]);
    assert_eq!(items("::\n:  a\n:\n"), ["0..3 : \":\"", "3..8 : \" a\"", "8..10 : \"\""]);
    // U+2028, U+0085, VT and FF end no line.
    assert_eq!(items("data: a\u{2028}\u{85}\u{b}\u{c}b\n\n").len(), 1);
    assert_eq!(items("\n\r\n\r\r\n"), [""; 0]);
    assert_eq!(items(""), [""; 0]);
}

#[test]
fn ids() {
    assert_eq!(
        items("id: 1\n\ndata\n\nid: 2\n\nid\n\ndata\n\n"),
        [
            "0..7 silent id=\"1\"",
            "7..13 message \"\" id=\"1\" lines=11..11",
            "13..20 silent id=\"2\"",
            "20..24 silent id=\"\"",
            "24..30 message \"\" id=\"\" lines=28..28",
        ]
    );
    assert_eq!(items("id: 1\nid: a\0b\ndata\n\n"), ["0..20 message \"\" id=\"1\" lines=18..18"]);
    assert_eq!(items("id: 1\nid: 2\ndata\n\n"), ["0..18 message \"\" id=\"2\" lines=16..16"]);
    assert_eq!(
        items_of(Limits::default(), "old", &[b"data\n\nid: 1\ndata\n"]),
        ["0..6 message \"\" id=\"old\" lines=4..4", "6..17 incomplete"]
    );
    let mut dissector = Dissector::new(Limits::default(), "old");
    dissector.push(b"id: 1\n\nid: 2\n", &mut |_| {});
    dissector.finish(&mut |_| {});
    assert_eq!(dissector.last_event_id(), "1", "an id counts from its blank line on");
}

#[test]
fn retry() {
    for (value, ms) in [("0", 0), ("02000", 2000), ("18446744073709551615", u64::MAX), ("99999999999999999999", u64::MAX)] {
        let line = format!("retry: {value}\n");
        assert_eq!(items(&line), [format!("0..{} retry {ms}", line.len())], "told without a blank line, and nothing is cut off");
        assert_eq!(items(format!("{line}\n")).len(), 1);
    }
    for value in ["", "-5", "+1", "1.5", "1000x", " 5", "5 ", "٣", "1_0"] {
        let line = format!("retry: {value}\n\n");
        assert_eq!(items(&line), [format!("0..{} silent id=\"\"", line.len())], "{value:?}");
    }
    assert_eq!(items("retry"), ["0..5 incomplete"]);
    assert_eq!(items("retry\nretry: 5\n"), ["6..15 retry 5", "0..15 incomplete"]);
    assert_eq!(items("retry: 5\ndata\n\n"), ["0..9 retry 5", "0..15 message \"\" id=\"\" lines=13..13"]);
}

#[test]
fn what_the_end_cuts_off() {
    assert_eq!(items("data: x"), ["0..7 incomplete"]);
    assert_eq!(items("data: x\n"), ["0..8 incomplete"]);
    assert_eq!(items("data: x\r"), ["0..8 incomplete"]);
    assert_eq!(items("data: x\n: c"), ["0..11 incomplete"]);
    assert_eq!(items(": c"), ["0..3 incomplete"]);
    assert_eq!(items("data: x\n\nid: 1\n"), ["0..9 message \"x\" id=\"\" lines=6..7", "9..15 incomplete"]);
    assert_eq!(items("retry: 5\nda"), ["0..9 retry 5", "9..11 incomplete"], "the retry was told, so it is not cut off");
}

#[test]
fn ill_formed_utf8() {
    // One U+FFFD for every maximal subpart; the line end is never part of one.
    for (bytes, text) in [
        (&b"\xF0\x9F\x98"[..], "\u{fffd}"),
        (b"\xF0\x9F\x98x", "\u{fffd}x"),
        (b"\xC0\xAF", "\u{fffd}\u{fffd}"),
        (b"\xED\xA0\x80", "\u{fffd}\u{fffd}\u{fffd}"),
        (b"\xE2\x82", "\u{fffd}"),
        (b"\xE2\x82\xAC\xFF", "€\u{fffd}"),
    ] {
        for name in ["data: ", ": ", "event: ", "id: "] {
            let input = [name.as_bytes(), bytes, b"\ndata\n\n"].concat();
            let found = items(&input);
            assert!(found.iter().any(|item| item.contains(text)), "{name}{bytes:?} {found:?}");
        }
    }
    assert_eq!(items(b"da\xFFta: x\n\n"), ["0..10 silent id=\"\""]);
}

#[test]
fn nul_is_data() {
    assert_eq!(items("data: \0\n\n"), ["0..9 message \"\\0\" id=\"\" lines=6..7"]);
    assert_eq!(items([0; 40]), ["0..40 incomplete"]);
}

#[test]
fn a_block_over_the_limit_is_found_but_not_gathered() {
    // 16 bytes with its blank line is within, 17 is over.
    assert_eq!(items_within(SMALL, b"data: 12345678\n\n"), ["0..16 message \"12345678\" id=\"\" lines=6..14"]);
    assert_eq!(
        items_within(SMALL, b"data: 123456789\n\ndata\n\n"),
        ["0..17 message \"\" id=\"\" lines=6..15 oversized", "17..23 message \"\" id=\"\" lines=21..21",]
    );
    let long = format!("event: e\ndata: {}\ndata: y\nid: 5\n\n", "x".repeat(200));
    assert_eq!(items_within(SMALL, long.as_bytes()), ["0..231 e \"\" id=\"5\" lines=15..215 oversized"]);
    let many = "data\n".repeat(50) + "\n";
    assert_eq!(items_within(SMALL, many.as_bytes()), ["0..251 message \"\" id=\"\" lines=4..4,9..9,14..14 oversized"]);
}

#[test]
fn a_comment_over_the_limit_is_cut() {
    let long = format!(": {}é{}\n", "x".repeat(15), "x".repeat(200));
    assert_eq!(items_within(SMALL, long.as_bytes()), ["0..220 : \"xxxxxxxxxxxxxxx\""]);
    let exact = format!(": {}\n", "é".repeat(8));
    assert_eq!(items_within(SMALL, exact.as_bytes()), ["0..19 : \"éééééééé\""]);
    let digits = format!("retry: {}\n\n", "1".repeat(200));
    assert_eq!(items_within(SMALL, digits.as_bytes()), ["0..209 silent id=\"\""]);
    let id = format!("id: {}\n\n", "1".repeat(200));
    assert_eq!(items_within(SMALL, id.as_bytes()), ["0..206 silent id=\"1111111111111111\""]);
}

#[test]
fn memory_stays_bounded() {
    let mut dissector = Dissector::new(Limits { unit: 1 << 10, head: 1 << 10 }, "");
    let mut count = 0;
    let mut sink = |_: Item<'_>| count += 1;
    for piece in [b"\n".repeat(1 << 20), b"data\n".repeat(1 << 18), b"x".repeat(1 << 20), b"\0".repeat(1 << 20)] {
        dissector.push(&piece, &mut sink);
    }
    assert!(dissector.carry.capacity() < 16 << 10, "{}", dissector.carry.capacity());
    let block = format!("{:?}", dissector.block);
    assert!(block.len() < 64 << 10, "{}", block.len());
    dissector.finish(&mut sink);
    assert_eq!(count, 1);
}

/// A line in 1 kB pieces must cost time by its length, not by its square.
#[test]
fn a_long_line_in_small_pieces_is_scanned_once() {
    let line = [&b"data: "[..], &b"x".repeat(8 << 20), b"\n\n"].concat();
    let start = std::time::Instant::now();
    let mut length = 0;
    let mut dissector = Dissector::default();
    for piece in line.chunks(1 << 10) {
        dissector.push(piece, &mut |item| {
            if let Item::Event(event) = item {
                length = event.data.len();
            }
        });
    }
    assert_eq!(length, 8 << 20);
    // Scanning again for each of 8192 pieces would pass over 34 GB.
    assert!(start.elapsed().as_secs() < 2, "{:?}", start.elapsed());
}

/// WHATWG HTML §9.2.6 word by word, on the whole input at once: (event, data, id) of every event.
fn by_the_standard(input: &[u8]) -> Vec<(String, String, String)> {
    let text = String::from_utf8_lossy(input);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).replace("\r\n", "\n").replace('\r', "\n");
    let (mut event, mut data, mut id) = (String::new(), String::new(), String::new());
    let mut found = Vec::new();
    let mut lines: Vec<&str> = text.split('\n').collect();
    lines.pop();
    for line in lines {
        if line.is_empty() {
            if !data.is_empty() {
                data.pop();
                let kind = if event.is_empty() { "message" } else { &event };
                found.push((kind.to_owned(), data.clone(), id.clone()));
            }
            (event, data) = (String::new(), String::new());
            continue;
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => event = value.to_owned(),
            "data" => data = data + value + "\n",
            "id" if !value.contains('\0') => id = value.to_owned(),
            _ => {}
        }
    }
    found
}

fn events(input: &[u8]) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    let mut dissector = Dissector::default();
    dissector.push(input, &mut |item| {
        if let Item::Event(event) = item {
            found.push((event.event.to_owned(), event.data.into_owned(), event.id.to_owned()));
        }
    });
    dissector.finish(&mut |item| {
        if let Item::Event(event) = item {
            found.push((event.event.to_owned(), event.data.into_owned(), event.id.to_owned()));
        }
    });
    found
}

/// Pieces that event streams are made of, also badly.
fn shards() -> impl Strategy<Value = Vec<u8>> {
    let shard = prop_oneof![
        4 => Just(&b"data: "[..]), 2 => Just(&b"data"[..]), 1 => Just(&b"event:"[..]), 2 => Just(&b"id: "[..]),
        1 => Just(&b"retry: 12"[..]), 2 => Just(&b":"[..]), 2 => Just(&b" "[..]), 2 => Just(&b"x\xC3\xA9"[..]),
        8 => Just(&b"\n"[..]), 4 => Just(&b"\r"[..]), 6 => Just(&b"\r\n"[..]), 1 => Just(&b"\xEF\xBB\xBF"[..]),
        1 => Just(&b"\0"[..]), 1 => Just(&b"\xF0\x9F\x98\x80"[..]), 1 => Just(&b"\xF0\x9F"[..]), 1 => Just(&b"\xFF"[..]),
        1 => Just(&b"0123456789abcdef"[..]),
    ];
    (any::<bool>(), prop::collection::vec(shard, 0..40)).prop_map(|(bom, shards)| {
        let mut bytes = if bom { b"\xEF\xBB\xBF".to_vec() } else { Vec::new() };
        shards.iter().for_each(|shard| bytes.extend_from_slice(shard));
        bytes
    })
}

/// What eventsource-stream makes of the input.
fn by_eventsource_stream(input: &str) -> Vec<(String, String, String)> {
    let mut stream = stream::iter([Ok::<_, std::io::Error>(input.as_bytes().to_vec())]).eventsource();
    let mut found = Vec::new();
    while let Some(Some(event)) = stream.next().now_or_never() {
        let event = event.expect("well-formed");
        found.push((event.event, event.data, event.id));
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn items_do_not_depend_on_the_cuts(input in shards(), sizes in prop::collection::vec(1_usize..9, 1..6)) {
        for limits in [Limits::default(), SMALL] {
            let whole = items_of(limits, "", &[&input]);
            prop_assert_eq!(items_of(limits, "", &pieces(&input, &sizes)), whole.clone());
            prop_assert_eq!(items_of(limits, "", &pieces(&input, &[1])), whole);
        }
    }

    #[test]
    fn events_are_those_of_the_standard(input in shards()) {
        prop_assert_eq!(events(&input), by_the_standard(&input));
    }

    #[test]
    fn spans_hold_what_they_say(input in shards()) {
        let mut wrong = None;
        let mut end = 0;
        let mut check = |item: Item<'_>| {
            let span = match &item {
                Item::Event(event) => {
                    let joined: Vec<_> = event.lines.iter().map(|line| &input[line.start as usize..line.end as usize]).collect();
                    if String::from_utf8_lossy(&joined.join(&b'\n')) != event.data { wrong = Some(words(&item)); }
                    event.span
                }
                Item::Comment { span, .. } | Item::Retry { span, .. } | Item::Silent { span, .. } | Item::Incomplete { span } => *span,
            };
            if span.end < end || span.is_empty() || span.end > input.len() as u64 { wrong = Some(words(&item)); }
            end = span.end;
        };
        let mut dissector = Dissector::default();
        dissector.push(&input, &mut check);
        dissector.finish(&mut check);
        prop_assert_eq!(wrong, None);
    }

    /// Well-formed streams, in one piece. Known differences stay out: comments and data-less events (it tells none),
    /// ill-formed UTF-8 (it fails), a CR at the very end (it waits).
    #[test]
    fn events_are_those_of_eventsource_stream(
        blocks in prop::collection::vec(prop::collection::vec("(data|event|id|other): ?[a-zé€😀 :]{0,12}|data|: c", 1..6), 0..8),
        line_end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
    ) {
        let mut input: String = blocks.iter().map(|lines| lines.join(line_end) + line_end + line_end).collect();
        input.push_str(": end\n");
        prop_assert_eq!(events(input.as_bytes()), by_eventsource_stream(&input));
    }
}
