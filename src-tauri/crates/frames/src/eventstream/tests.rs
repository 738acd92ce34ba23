//! Messages whole, faulty and cut off, at every cut.

use proptest::prelude::*;

use super::*;

fn told(limits: Limits, pieces: &[&[u8]]) -> Vec<String> {
    let mut dissector = Dissector::new(limits);
    let mut items = Vec::new();
    for piece in pieces {
        dissector.push(piece, &mut |item| items.push(format!("{item:?}")));
    }
    dissector.finish(&mut |item| items.push(format!("{item:?}")));
    items
}

fn everywhere(limits: Limits, bytes: &[u8]) -> Vec<String> {
    let whole = told(limits, &[bytes]);
    for cut in 0..=bytes.len() {
        assert_eq!(told(limits, &[&bytes[..cut], &bytes[cut..]]), whole, "cut at {cut}");
    }
    assert_eq!(told(limits, &bytes.chunks(1).collect::<Vec<_>>()), whole, "byte by byte");
    whole
}

/// Error codes and places, at every cut.
fn errors(bytes: &[u8]) -> Vec<(&'static str, u64)> {
    everywhere(Limits::default(), bytes);
    let mut errors = Vec::new();
    Dissector::new(Limits::default()).push(bytes, &mut |item| {
        if let Item::Error { code, at, .. } = item {
            errors.push((code, at));
        }
    });
    errors
}

fn message(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    prelude_and_rest((16 + headers.len() + payload.len()) as u32, headers.len() as u32, headers, payload)
}

fn prelude_and_rest(total: u32, headers_len: u32, headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut out = [total.to_be_bytes(), headers_len.to_be_bytes()].concat();
    out.extend(crc32fast::hash(&out).to_be_bytes());
    out.extend(headers);
    out.extend(payload);
    out.extend(crc32fast::hash(&out).to_be_bytes());
    out
}

fn header(name: &str, kind: u8, value: &[u8]) -> Vec<u8> {
    [&[name.len() as u8], name.as_bytes(), &[kind], value].concat()
}

fn text(name: &str, value: &str) -> Vec<u8> {
    header(name, 7, &[&(value.len() as u16).to_be_bytes(), value.as_bytes()].concat())
}

/// The empty message of the format's test vectors, checksums and all.
#[test]
fn a_message_with_known_checksums() {
    let bytes = [0x00, 0x00, 0x00, 0x10, 0, 0, 0, 0, 0x05, 0xc2, 0x48, 0xeb, 0x7d, 0x98, 0xc8, 0xff];
    assert_eq!(message(b"", b""), bytes);
    assert!(errors(&bytes).is_empty());
}

#[test]
fn an_event_is_read_with_its_spans() {
    let headers = [text(":event-type", "contentBlockDelta"), text(":message-type", "event")].concat();
    let bytes = [message(b"", b"first"), message(&headers, br#"{"p":"abc"}"#)].concat();
    everywhere(Limits::default(), &bytes);
    let mut seen = Vec::new();
    Dissector::new(Limits::default()).push(&bytes, &mut |item| {
        let Item::Message(message) = item else { panic!("{item:?}") };
        assert!(message.intact && !message.oversized);
        assert_eq!(&bytes[message.payload_span.start as usize..message.payload_span.end as usize], message.payload);
        assert!(bytes.as_ptr_range().contains(&message.payload.as_ptr()), "not copied");
        seen.push((message.span, message.text(":event-type").map(str::to_owned), message.payload.to_vec()));
        for header in message.headers {
            assert_eq!(bytes[header.span.start as usize] as usize, header.name.len());
        }
    });
    let end = bytes.len() as u64;
    assert_eq!(
        seen,
        [(Span::new(0, 21), None, b"first".to_vec()), (Span::new(21, end), Some("contentBlockDelta".into()), br#"{"p":"abc"}"#.to_vec())]
    );
}

#[test]
fn every_type_of_value() {
    let headers = [
        header("t", 0, b""),
        header("f", 1, b""),
        header("b", 2, &(-2i8).to_be_bytes()),
        header("s", 3, &(-300i16).to_be_bytes()),
        header("i", 4, &70_000i32.to_be_bytes()),
        header("l", 5, &i64::MIN.to_be_bytes()),
        header("y", 6, b"\x00\x02\xff\x00"),
        text("é", "ü"),
        header("time", 8, &1_700_000_000_123i64.to_be_bytes()),
        header("id", 9, &[7; 16]),
    ]
    .concat();
    let bytes = message(&headers, b"");
    assert!(errors(&bytes).is_empty());
    Dissector::new(Limits::default()).push(&bytes, &mut |item| {
        let Item::Message(message) = item else { panic!("{item:?}") };
        let values: Vec<_> = message.headers.iter().map(|header| (header.name.as_ref(), header.value.clone())).collect();
        assert_eq!(
            values,
            [
                ("t", Value::Bool(true)),
                ("f", Value::Bool(false)),
                ("b", Value::Byte(-2)),
                ("s", Value::Short(-300)),
                ("i", Value::Int(70_000)),
                ("l", Value::Long(i64::MIN)),
                ("y", Value::Bytes(&[0xff, 0])),
                ("é", Value::String("ü".into())),
                ("time", Value::Timestamp(1_700_000_000_123)),
                ("id", Value::Uuid([7; 16])),
            ]
        );
        assert_eq!(message.headers_span.end, message.headers.last().map_or(0, |header| header.span.end));
    });
}

#[test]
fn every_flipped_bit_is_found() {
    let good = message(&text("a", "b"), b"payload");
    let next = message(b"", b"next");
    for bit in 0..good.len() * 8 {
        let mut bytes = [&good[..], &next].concat();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let items = told(Limits::default(), &[&bytes]);
        let expected = if bit < 96 { "prelude-crc" } else { "message-crc" };
        assert!(items[0].contains(expected), "bit {bit}: {items:#?}");
        // Behind a bad prelude nothing can be read; behind a bad body everything.
        assert_eq!(items.last().is_some_and(|item| item.contains("intact: true")), bit >= 96, "bit {bit}");
        assert_eq!(items.last().is_some_and(|item| item.starts_with("Incomplete")), bit < 96, "bit {bit}");
    }
}

#[test]
fn lengths_that_cannot_be() {
    assert_eq!(errors(&prelude_and_rest(15, 0, b"", b"rest")), [("length", 0)]);
    let bytes = [prelude_and_rest(20, 5, b"abcd", b""), message(b"", b"")].concat();
    assert_eq!(errors(&bytes), [("length", 4)]);
    assert!(told(Limits::default(), &[&bytes])[2].contains("intact: true"), "the border is known");
}

#[test]
fn bad_headers_leave_those_before_them() {
    let cases = [
        (header("x", 10, b""), "bad-header", 16),
        (header("x", 4, b"\0\0\0"), "bad-header", 16),
        (header("x", 7, b"\0\x09abc"), "bad-header", 16),
        (vec![9, b'x'], "bad-header", 16),
        (vec![1], "bad-header", 16),
        (header("", 0, b""), "bad-header", 16),
        (header("x", 7, b"\0\x02a\xff"), "utf-8", 22),
    ];
    for (bad, code, at) in cases {
        let bytes = message(&[header("ok", 0, b""), bad.clone()].concat(), b"payload");
        assert_eq!(errors(&bytes), [(code, at)], "{bad:x?}");
        let items = told(Limits::default(), &[&bytes]);
        assert!(items[1].contains("\"ok\"") && items[1].contains("intact: true"), "{items:#?}");
    }
}

/// Names are unique within a message; both are told all the same.
#[test]
fn a_header_twice() {
    let headers = [text("test", "a"), header("Test", 0, b""), header("test", 4, b"asdf")].concat();
    let bytes = message(&headers, b"{}");
    assert_eq!(errors(&bytes), [("duplicate-header", 12 + 15)]);
    let told = everywhere(Limits::default(), &bytes);
    assert!(told[1].matches("Header {").count() == 3 && told[1].contains("intact: true"), "{told:?}");
}

#[test]
fn a_long_message_is_checked_but_not_gathered() {
    let limits = Limits { unit: 40, head: 10 };
    let fine = message(&text("a", "b"), &[1; 100]);
    let mut broken = fine.clone();
    broken[60] ^= 1;
    let long_headers = message(&text("a", "0123456789"), &[1; 100]);
    let items = everywhere(limits, &[fine, broken, long_headers, message(b"", b"short")].concat());
    let has = |n: usize, what: &str| assert!(items[n].contains(what), "{what} in {}", items[n]);
    has(0, "oversized: true");
    has(0, "String(\"b\")");
    has(0, "payload: []");
    has(1, "message-crc");
    has(2, "intact: false");
    has(3, "headers-oversized");
    has(4, "intact: true");
    has(5, "payload: [115, 104, 111, 114, 116]");
    assert_eq!(items.len(), 6);
}

#[test]
fn an_announced_length_costs_no_memory() {
    let bytes = prelude_and_rest(u32::MAX, 1 << 20, b"", &[0; 100]);
    let mut dissector = Dissector::new(Limits { unit: usize::MAX, head: usize::MAX });
    dissector.push(&bytes, &mut |item| panic!("{item:?}"));
    assert!(dissector.carry.capacity() < 1024);
}

#[test]
fn end_of_input() {
    let bytes = message(b"", b"abc");
    for len in 1..bytes.len() {
        let items = told(Limits::default(), &[&bytes, &bytes[..len]]);
        assert_eq!(items[1], format!("Incomplete {{ span: {:?} }}", Span::new(19, 19 + len as u64)));
    }
    assert!(told(Limits::default(), &[]).is_empty());
}

proptest! {
    #[test]
    fn items_do_not_depend_on_the_cuts(
        messages in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..12), prop::collection::vec(any::<u8>(), 0..40)), 0..5),
        flip in prop::option::of(any::<prop::sample::Index>()),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        unit in prop::sample::select(&[0usize, 20, 1 << 16][..]),
        head in prop::sample::select(&[0usize, 6, 1 << 16][..]),
    ) {
        let mut bytes: Vec<u8> = messages.iter().flat_map(|(headers, payload)| message(headers, payload)).collect();
        if let Some(flip) = flip && !bytes.is_empty() {
            let at = flip.index(bytes.len());
            bytes[at] ^= 0x10;
        }
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        at.extend([0, bytes.len()]);
        at.sort_unstable();
        let pieces: Vec<_> = at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        let limits = Limits { unit, head };
        prop_assert_eq!(told(limits, &pieces), told(limits, &[&bytes]));
    }
}
