//! Every rule of RFC 6455 and RFC 7692 that the dissector knows, at every cut.

mod deflate;
mod tungstenite;

use proptest::prelude::*;

use super::*;

/// A small unit, so that its bound is met in tests.
fn limits() -> Limits {
    Limits { unit: 1 << 16, head: 1 << 16 }
}

/// What one item looked like; comparing the debug form compares every field.
fn told(side: Side, extensions: &str, limits: Limits, pieces: &[&[u8]]) -> Vec<String> {
    let mut dissector = Dissector::new(side, extensions, limits);
    let mut items = Vec::new();
    for piece in pieces {
        dissector.push(piece, &mut |item| items.push(format!("{item:?}")));
    }
    dissector.finish(&mut |item| items.push(format!("{item:?}")));
    items
}

/// Dissects at every cut in two, and byte by byte, and returns what was told.
fn everywhere(side: Side, extensions: &str, limits: Limits, bytes: &[u8]) -> Vec<String> {
    let whole = told(side, extensions, limits, &[bytes]);
    for cut in 0..=bytes.len() {
        assert_eq!(told(side, extensions, limits, &[&bytes[..cut], &bytes[cut..]]), whole, "cut at {cut}");
    }
    assert_eq!(told(side, extensions, limits, &bytes.chunks(1).collect::<Vec<_>>()), whole, "byte by byte");
    whole
}

/// Codes of the errors and warnings, in order, at every cut.
fn codes(side: Side, extensions: &str, bytes: &[u8]) -> Vec<&'static str> {
    everywhere(side, extensions, limits(), bytes);
    let mut dissector = Dissector::new(side, extensions, limits());
    let mut codes = Vec::new();
    let mut sink = |item: Item<'_>| {
        if let Item::Error { code, .. } | Item::Warning { code, .. } = item {
            codes.push(code);
        }
    };
    dissector.push(bytes, &mut sink);
    dissector.finish(&mut sink);
    codes
}

/// Opcode, payload, and whether behind an error, of every message.
fn messages(side: Side, extensions: &str, limits: Limits, bytes: &[u8]) -> Vec<(u8, Vec<u8>, bool)> {
    let mut dissector = Dissector::new(side, extensions, limits);
    let mut messages = Vec::new();
    dissector.push(bytes, &mut |item| {
        if let Item::Message { opcode, data, after_error, .. } = item {
            messages.push((opcode, data.to_vec(), after_error));
        }
    });
    messages
}

/// Writes a frame with the shortest length.
fn frame(first: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    let bit = if mask.is_some() { 0x80 } else { 0 };
    match payload.len() {
        len @ 0..=125 => out.push(bit | len as u8),
        len @ 126..=65535 => {
            out.push(bit | 126);
            out.extend((len as u16).to_be_bytes());
        }
        len => {
            out.push(bit | 127);
            out.extend((len as u64).to_be_bytes());
        }
    }
    out.extend(mask.unwrap_or_default().iter().take(if mask.is_some() { 4 } else { 0 }));
    out.extend(payload.iter().enumerate().map(|(i, byte)| byte ^ mask.map_or(0, |key| key[i % 4])));
    out
}

const KEY: Option<[u8; 4]> = Some([0x37, 0xfa, 0x21, 0x3d]);

#[test]
fn accept_key_of_the_rfc() {
    assert_eq!(accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

/// RFC 6455 §5.7.
#[test]
fn examples_of_the_rfc() {
    let hello = (1, b"Hello".to_vec(), false);
    assert_eq!(messages(Side::Server, "", limits(), b"\x81\x05Hello"), std::slice::from_ref(&hello));
    let masked = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(messages(Side::Client, "", limits(), &masked), std::slice::from_ref(&hello));
    assert_eq!(messages(Side::Server, "", limits(), b"\x01\x03Hel\x80\x02lo"), [hello]);
    for len in [256, 65536] {
        let binary = frame(0x82, None, &vec![7; len]);
        assert_eq!(messages(Side::Server, "", limits(), &binary), [(2, vec![7; len], false)]);
    }
    for bytes in [&b"\x81\x05Hello"[..], b"\x01\x03Hel\x80\x02lo", b"\x89\x05Hello"] {
        everywhere(Side::Server, "", limits(), bytes);
    }
    everywhere(Side::Client, "", limits(), &masked);
}

#[test]
fn a_frame_tells_all_of_its_header() {
    let bytes = frame(0x88, KEY, b"\x03\xe8bye");
    let mut dissector = Dissector::new(Side::Client, "", limits());
    let mut seen = 0;
    dissector.push(&bytes, &mut |item| {
        seen += 1;
        let expected = Frame {
            span: Span::new(0, 11),
            fin: true,
            rsv: 0,
            opcode: 8,
            mask: KEY,
            header_len: 6,
            payload_len: 5,
            payload: b"\x03\xe8bye",
            close_code: Some(1000),
            close_reason: Some("bye".into()),
            after_error: false,
        };
        assert_eq!(item, Item::Frame(expected));
    });
    assert_eq!(seen, 1);
}

#[test]
fn control_frames_may_stand_between_fragments() {
    let bytes = b"\x01\x03Hel\x89\x01!\x00\x00\x8a\x00\x80\x02lo\x88\x00";
    let items = everywhere(Side::Server, "", limits(), bytes);
    assert_eq!(items.len(), 7, "{items:#?}");
    assert!(items[5].contains("frames: 3") && items[5].contains("span: Span { start: 0, end: 16 }"), "{}", items[5]);
    assert_eq!(messages(Side::Server, "", limits(), bytes), [(1, b"Hello".to_vec(), false)]);
}

#[test]
fn lengths_not_in_shortest_form_are_warned_of() {
    for bytes in [&b"\x82\x7e\x00\x05Hello"[..], b"\x82\x7f\x00\x00\x00\x00\x00\x00\x00\x05Hello"] {
        assert_eq!(codes(Side::Server, "", bytes), ["non-minimal-length"]);
        assert_eq!(messages(Side::Server, "", limits(), bytes), [(2, b"Hello".to_vec(), false)]);
    }
    let mut masked = b"\x82\xfe\x00\x01".to_vec();
    masked.extend([1, 2, 3, 4, 5]);
    assert_eq!(codes(Side::Client, "", &masked), ["non-minimal-length"]);
    assert!(codes(Side::Server, "", &frame(0x82, None, &[0; 126])).is_empty());
}

#[test]
fn a_length_with_the_top_bit_loses_the_framing() {
    let bytes = b"\x82\x01x\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00Hello\x81\x00";
    assert_eq!(codes(Side::Server, "", bytes), ["length"]);
    let items = everywhere(Side::Server, "", limits(), bytes);
    assert!(items.last().is_some_and(|item| item == "Incomplete { span: Span { start: 3, end: 20 } }"), "{items:#?}");
}

#[test]
fn each_broken_rule_has_its_error() {
    let cases: [(&str, Side, Vec<u8>, &[&str]); 18] = [
        ("masked server", Side::Server, frame(0x81, KEY, b"a"), &["masked-server-frame"]),
        ("unmasked client", Side::Client, frame(0x81, None, b"a"), &["unmasked-client-frame"]),
        ("reserved data opcode", Side::Server, frame(0x83, None, b"a"), &["reserved-opcode"]),
        ("reserved control opcode", Side::Server, frame(0x8b, None, b"a"), &["reserved-opcode"]),
        ("RSV1", Side::Server, frame(0xc1, None, b"\xff"), &["rsv"]),
        ("RSV2", Side::Server, frame(0xa2, None, b""), &["rsv"]),
        ("RSV3 on ping", Side::Server, frame(0x99, None, b""), &["rsv"]),
        ("continuation of nothing", Side::Server, frame(0x80, None, b"a"), &["unexpected-continuation"]),
        ("new message inside one", Side::Server, [frame(0x01, None, b"a"), frame(0x82, None, b"b")].concat(), &["unfinished-message"]),
        ("long ping", Side::Server, frame(0x89, None, &[0; 126]), &["control-too-long"]),
        ("fragmented ping", Side::Server, frame(0x09, None, b""), &["fragmented-control"]),
        ("close of one byte", Side::Server, frame(0x88, None, b"\x03"), &["close-length"]),
        ("close reason", Side::Server, frame(0x88, None, b"\x03\xe8a\xff"), &["utf-8"]),
        (
            "behind a close",
            Side::Server,
            [frame(0x88, None, b""), frame(0x89, None, b""), frame(0x88, None, b"")].concat(),
            &["data-after-close"],
        ),
        ("cut off behind a close", Side::Server, [frame(0x88, None, b""), vec![0x89]].concat(), &["data-after-close"]),
        ("text", Side::Server, frame(0x81, None, b"ab\xff"), &["utf-8"]),
        ("text cut inside a code point", Side::Server, frame(0x81, None, "é".as_bytes().split_at(1).0), &["utf-8"]),
        (
            "all at once",
            Side::Server,
            frame(0x7b, KEY, &[0; 200]),
            &["rsv", "reserved-opcode", "masked-server-frame", "fragmented-control", "control-too-long"],
        ),
    ];
    for (name, side, bytes, expected) in cases {
        assert_eq!(codes(side, "", &bytes), expected, "{name}");
        let mask = if side == Side::Client { KEY } else { None };
        let after = [bytes, frame(0x82, mask, b"next")].concat();
        let (_, data, after_error) = messages(side, "", limits(), &after).pop().unwrap_or_default();
        if name != "cut off behind a close" {
            assert_eq!((&data[..], after_error), (&b"next"[..], true), "what follows: {name}");
        }
    }
}

#[test]
fn close_codes() {
    for code in 0..=u16::MAX {
        let good = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
        let payload = code.to_be_bytes();
        assert_eq!(close::faults(&payload).next().is_none(), good, "{code}");
    }
    assert_eq!(codes(Side::Server, "", &frame(0x88, None, &1005u16.to_be_bytes())), ["close-code"]);
    assert_eq!(codes(Side::Server, "", &frame(0x88, None, b"\x13\x88\xff")), ["close-code", "utf-8"]);
}

#[test]
fn text_is_checked_across_fragments_and_at_the_earliest_frame() {
    let text = "aé€🎉z".as_bytes();
    for cut in 0..=text.len() {
        let bytes = [frame(0x01, None, &text[..cut]), frame(0x89, None, b""), frame(0x80, None, &text[cut..])].concat();
        assert!(codes(Side::Server, "", &bytes).is_empty(), "cut at {cut}");
    }
    let bytes = [frame(0x01, None, b"ok\xe2\x82"), frame(0x00, None, b"(bad)"), frame(0x80, None, b"\xff")].concat();
    let items = everywhere(Side::Server, "", limits(), &bytes);
    assert!(items[0].contains("after_error: false"));
    assert!(items[1].contains("utf-8") && items[1].contains("at: 4"), "{}", items[1]);
    assert!(items[2].contains("after_error: true"));
    assert_eq!(items.iter().filter(|item| item.contains("utf-8")).count(), 1, "told once a message");
}

#[test]
fn end_of_input_inside_a_frame_or_a_message_is_told() {
    let incomplete = |bytes: &[u8]| everywhere(Side::Server, "", limits(), bytes).pop();
    assert_eq!(incomplete(b"\x81").as_deref(), Some("Incomplete { span: Span { start: 0, end: 1 } }"));
    assert_eq!(incomplete(b"\x89\x00\x81\x05Hell").as_deref(), Some("Incomplete { span: Span { start: 2, end: 8 } }"));
    assert_eq!(incomplete(b"\x89\x00\x01\x01H").as_deref(), Some("Incomplete { span: Span { start: 2, end: 5 } }"));
    assert_eq!(incomplete(b"\x01\x01H\x89").as_deref(), Some("Incomplete { span: Span { start: 0, end: 4 } }"));
    assert_eq!(incomplete(b""), None);
}

#[test]
fn what_is_over_the_limit_is_found_but_not_gathered() {
    let tiny = Limits { unit: 8, head: 8 };
    // One long frame, text checked all the same; a message long by its parts; a close frame, which is always read.
    let bytes = [
        frame(0x81, None, "123456789€".as_bytes()),
        frame(0x81, None, b"123456789\xff1"),
        frame(0x01, None, b"12345"),
        frame(0x80, None, b"6789"),
        frame(0x82, None, b"12345678"),
        frame(0x88, None, b"\x03\xe8long reason"),
    ]
    .concat();
    let items = everywhere(Side::Server, "", tiny, &bytes);
    let count = |text: &str| items.iter().filter(|item| item.contains(text)).count();
    assert_eq!(count("oversized: true"), 3, "{items:#?}");
    assert_eq!(count("oversized: false"), 1);
    assert_eq!(count("utf-8"), 1);
    assert_eq!(count("long reason"), 1);
    let masked = [frame(0x81, KEY, "123456789€".as_bytes()), frame(0x81, KEY, b"123456789\xe2\x82")].concat();
    let items = everywhere(Side::Client, "", tiny, &masked);
    assert_eq!(items.iter().filter(|item| item.contains("utf-8")).count(), 1, "{items:#?}");
}

#[test]
fn an_announced_length_costs_no_memory() {
    let limits = Limits { unit: usize::MAX, head: 0 };
    let mut dissector = Dissector::new(Side::Server, "", limits);
    let mut header = vec![0x82, 0x7f];
    header.extend((1u64 << 62).to_be_bytes());
    header.extend([0; 100]);
    dissector.push(&header, &mut |item| panic!("{item:?}"));
    assert!(dissector.payload.capacity() < 1024);
}

#[test]
fn a_plain_message_in_one_piece_is_not_copied() {
    let bytes = [frame(0x82, None, &[9; 1000]), frame(0x81, None, b"Hello")].concat();
    let range = bytes.as_ptr_range();
    let mut dissector = Dissector::new(Side::Server, "", limits());
    let mut seen = 0;
    dissector.push(&bytes, &mut |item| {
        if let Item::Message { data, .. } | Item::Frame(Frame { payload: data, .. }) = item {
            assert!(range.contains(&data.as_ptr()));
            seen += 1;
        }
    });
    assert_eq!(seen, 4);
}

/// Frames as a careless or hostile peer writes them.
pub(super) fn frames() -> impl Strategy<Value = Vec<u8>> {
    let payload = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..8),
        2 => Just("κόσμε 🎉".as_bytes().to_vec()),
        2 => prop::collection::vec(prop::sample::select(&[0xe2u8, 0x82, 0xac, b'a'][..]), 0..6),
        1 => prop::collection::vec(any::<u8>(), 120..140),
        1 => (980u16..1020).prop_map(|code| code.to_be_bytes().to_vec()),
    ];
    let first = prop_oneof![
        6 => prop::sample::select(&[0x81u8, 0x82, 0x01, 0x00, 0x80, 0x89, 0x8a][..]),
        1 => Just(0x88u8),
        1 => any::<u8>(),
    ];
    let mask = prop_oneof![4 => Just(None), 1 => any::<[u8; 4]>().prop_map(Some)];
    prop::collection::vec((first, mask, payload).prop_map(|(first, mask, payload)| frame(first, mask, &payload)), 0..8)
        .prop_map(|frames| frames.concat())
}

/// Cuts bytes at places given as fractions.
pub(super) fn cut(bytes: &[u8], cuts: Vec<prop::sample::Index>) -> Vec<&[u8]> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    at.extend([0, bytes.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

proptest! {
    #[test]
    fn items_do_not_depend_on_the_cuts(
        bytes in prop_oneof![frames(), prop::collection::vec(any::<u8>(), 0..80)],
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        side in prop::sample::select(&[Side::Client, Side::Server][..]),
        extensions in prop::sample::select(&["", "permessage-deflate", "permessage-deflate; server_no_context_takeover; client_no_context_takeover", "x"][..]),
        unit in prop::sample::select(&[0usize, 4, 100, 1 << 16][..]),
    ) {
        let limits = Limits { unit, head: unit };
        prop_assert_eq!(told(side, extensions, limits, &cut(&bytes, cuts)), told(side, extensions, limits, &[&bytes]));
    }
}
