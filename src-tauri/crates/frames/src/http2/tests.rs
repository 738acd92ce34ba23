//! Every rule of RFC 9113 that the dissector knows, at every cut.

mod crate_h2;
mod hpack;

use proptest::prelude::*;

use super::*;

/// Items in a form that can be kept and compared: neighbouring data of one frame is joined.
#[derive(Debug, PartialEq)]
enum Told {
    Data(u32, Span, Vec<u8>),
    Other(String),
}

fn told(side: Side, limits: Limits, pieces: &[&[u8]]) -> Vec<Told> {
    let mut dissector = Dissector::new(side, limits);
    let mut items = Vec::new();
    let mut sink = |item: Item<'_>| match item {
        Item::Data { stream, span, bytes } => {
            assert_eq!(span.len(), bytes.len() as u64);
            assert!(!bytes.is_empty());
            match items.last_mut() {
                Some(Told::Data(of, before, data)) => {
                    assert_eq!((*of, before.end), (stream, span.start));
                    before.end = span.end;
                    data.extend_from_slice(bytes);
                }
                _ => items.push(Told::Data(stream, span, bytes.to_vec())),
            }
        }
        item => items.push(Told::Other(format!("{item:?}"))),
    };
    for piece in pieces {
        dissector.push(piece, &mut sink);
    }
    dissector.finish(&mut sink);
    items
}

/// Dissects at every cut in two, and byte by byte, and returns what was told.
fn everywhere(side: Side, limits: Limits, bytes: &[u8]) -> Vec<Told> {
    let whole = told(side, limits, &[bytes]);
    for cut in 0..=bytes.len() {
        assert_eq!(told(side, limits, &[&bytes[..cut], &bytes[cut..]]), whole, "cut at {cut}");
    }
    assert_eq!(told(side, limits, &bytes.chunks(1).collect::<Vec<_>>()), whole, "byte by byte");
    whole
}

/// Codes and places of the errors, at every cut.
fn errors(side: Side, bytes: &[u8]) -> Vec<(&'static str, u64)> {
    everywhere(side, Limits::default(), bytes);
    let mut dissector = Dissector::new(side, Limits::default());
    let mut errors = Vec::new();
    dissector.push(bytes, &mut |item| {
        if let Item::Error { code, at, .. } = item {
            errors.push((code, at));
        }
    });
    errors
}

/// The fields of every frame that ends a block.
fn blocks(side: Side, limits: Limits, bytes: &[u8]) -> Vec<Option<Vec<(String, String)>>> {
    let mut dissector = Dissector::new(side, limits);
    let mut blocks = Vec::new();
    dissector.push(bytes, &mut |item| {
        if let Item::Frame(Frame { kind: HEADERS | PUSH_PROMISE | CONTINUATION, flags, headers, .. }) = item
            && flags & FLAG_END_HEADERS != 0
        {
            blocks.push(headers.map(pairs));
        }
    });
    blocks
}

fn pairs(headers: &[Header]) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    headers.iter().map(|header| (text(&header.name), text(&header.value))).collect()
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    out.extend([kind, flags]);
    out.extend(stream.to_be_bytes());
    out.extend(payload);
    out
}

/// A server's connection so far: an empty SETTINGS frame of nine bytes.
fn begun(frames: &[Vec<u8>]) -> Vec<u8> {
    [frame(SETTINGS, 0, 0, b""), frames.concat()].concat()
}

#[test]
fn a_client_begins_with_the_preface() {
    let bytes = [&PREFACE[..], &frame(SETTINGS, 0, 0, b"")].concat();
    let items = everywhere(Side::Client, Limits::default(), &bytes);
    assert_eq!(items[0], Told::Other("Preface { span: Span { start: 0, end: 24 } }".into()));
    assert_eq!(items.len(), 2);
    assert!(errors(Side::Client, &bytes).is_empty());
    let cut = everywhere(Side::Client, Limits::default(), &PREFACE[..10]);
    assert_eq!(cut, [Told::Other("Incomplete { span: Span { start: 0, end: 10 } }".into())]);
}

#[test]
fn without_a_preface_frames_are_read_all_the_same() {
    let bytes = begun(&[frame(PING, 0, 0, b"12345678")]);
    assert_eq!(errors(Side::Client, &bytes), [("PROTOCOL_ERROR", 0)]);
    assert_eq!(everywhere(Side::Client, Limits::default(), &bytes).len(), 3);
    // The beginning of a preface is then the beginning of a frame header.
    let odd = [&b"PRI"[..], &[SETTINGS, 0, 0, 0, 0, 0], b"x"].concat();
    assert_eq!(errors(Side::Client, &odd), [("PROTOCOL_ERROR", 3), ("FRAME_SIZE_ERROR", 0), ("FRAME_SIZE_ERROR", 0)]);
}

#[test]
fn the_first_frame_is_settings() {
    assert_eq!(errors(Side::Server, &frame(PING, 0, 0, b"12345678")), [("PROTOCOL_ERROR", 0)]);
    assert_eq!(errors(Side::Server, &frame(SETTINGS, FLAG_ACK, 0, b"")), [("PROTOCOL_ERROR", 0)]);
}

#[test]
fn each_broken_rule_has_its_error() {
    let cases: Vec<(&str, Side, Vec<u8>, &[&str])> = vec![
        ("DATA on 0", Side::Server, frame(DATA, 0, 0, b"x"), &["PROTOCOL_ERROR"]),
        ("HEADERS on 0", Side::Server, frame(HEADERS, FLAG_END_HEADERS, 0, b""), &["PROTOCOL_ERROR"]),
        ("PRIORITY on 0", Side::Server, frame(PRIORITY, 0, 0, &[0; 5]), &["PROTOCOL_ERROR"]),
        ("RST_STREAM on 0", Side::Server, frame(RST_STREAM, 0, 0, &[0; 4]), &["PROTOCOL_ERROR"]),
        ("PUSH_PROMISE on 0", Side::Server, frame(PUSH_PROMISE, FLAG_END_HEADERS, 0, &[0, 0, 0, 2]), &["PROTOCOL_ERROR"]),
        ("SETTINGS on 1", Side::Server, frame(SETTINGS, 0, 1, b""), &["PROTOCOL_ERROR"]),
        ("PING on 1", Side::Server, frame(PING, 0, 1, &[0; 8]), &["PROTOCOL_ERROR"]),
        ("GOAWAY on 1", Side::Server, frame(GOAWAY, 0, 1, &[0; 8]), &["PROTOCOL_ERROR"]),
        ("PRIORITY of 4", Side::Server, frame(PRIORITY, 0, 1, &[0; 4]), &["FRAME_SIZE_ERROR"]),
        ("RST_STREAM of 5", Side::Server, frame(RST_STREAM, 0, 1, &[0; 5]), &["FRAME_SIZE_ERROR"]),
        ("SETTINGS of 7", Side::Server, frame(SETTINGS, 0, 0, &[0; 7]), &["FRAME_SIZE_ERROR"]),
        ("SETTINGS ACK of 6", Side::Server, frame(SETTINGS, FLAG_ACK, 0, &[0; 6]), &["FRAME_SIZE_ERROR"]),
        ("PING of 7", Side::Server, frame(PING, 0, 0, &[0; 7]), &["FRAME_SIZE_ERROR"]),
        ("GOAWAY of 7", Side::Server, frame(GOAWAY, 0, 0, &[0; 7]), &["FRAME_SIZE_ERROR"]),
        ("WINDOW_UPDATE of 3", Side::Server, frame(WINDOW_UPDATE, 0, 0, &[0; 3]), &["FRAME_SIZE_ERROR"]),
        ("PUSH_PROMISE of 3", Side::Server, frame(PUSH_PROMISE, FLAG_END_HEADERS, 1, &[0; 3]), &["FRAME_SIZE_ERROR", "COMPRESSION_ERROR"]),
        ("padded DATA of 0", Side::Server, frame(DATA, FLAG_PADDED, 1, b""), &["FRAME_SIZE_ERROR"]),
        (
            "HEADERS without its priority",
            Side::Server,
            frame(HEADERS, FLAG_PRIORITY | FLAG_END_HEADERS, 1, &[0; 4]),
            &["FRAME_SIZE_ERROR", "COMPRESSION_ERROR"],
        ),
        ("DATA over 16384", Side::Server, frame(DATA, 0, 1, &[0; 16385]), &["FRAME_SIZE_ERROR"]),
        ("increment 0", Side::Server, frame(WINDOW_UPDATE, 0, 1, &[0x80, 0, 0, 0]), &["PROTOCOL_ERROR"]),
        ("padding over DATA", Side::Server, frame(DATA, FLAG_PADDED, 1, b"\x03ab"), &["PROTOCOL_ERROR"]),
        (
            "padding over HEADERS",
            Side::Server,
            frame(HEADERS, FLAG_PADDED | FLAG_END_HEADERS, 1, b"\x03\x88"),
            &["PROTOCOL_ERROR", "COMPRESSION_ERROR"],
        ),
        ("CONTINUATION of nothing", Side::Server, frame(CONTINUATION, FLAG_END_HEADERS, 1, b""), &["PROTOCOL_ERROR"]),
        ("promise of an odd stream", Side::Server, frame(PUSH_PROMISE, FLAG_END_HEADERS, 1, &[0, 0, 0, 3]), &["PROTOCOL_ERROR"]),
        ("promise of stream 0", Side::Server, frame(PUSH_PROMISE, FLAG_END_HEADERS, 1, &[0x80, 0, 0, 0]), &["PROTOCOL_ERROR"]),
        ("client pushes", Side::Client, frame(PUSH_PROMISE, FLAG_END_HEADERS, 1, &[0, 0, 0, 2]), &["PROTOCOL_ERROR"]),
        ("ENABLE_PUSH 2", Side::Client, frame(SETTINGS, 0, 0, &[0, 2, 0, 0, 0, 2]), &["PROTOCOL_ERROR"]),
        ("ENABLE_PUSH by a server", Side::Server, frame(SETTINGS, 0, 0, &[0, 2, 0, 0, 0, 1]), &["PROTOCOL_ERROR"]),
        ("INITIAL_WINDOW_SIZE", Side::Server, frame(SETTINGS, 0, 0, &[0, 4, 0x80, 0, 0, 0]), &["FLOW_CONTROL_ERROR"]),
        ("MAX_FRAME_SIZE", Side::Server, frame(SETTINGS, 0, 0, &[0, 5, 0, 0, 0x3f, 0xff]), &["PROTOCOL_ERROR"]),
        ("bad index", Side::Server, frame(HEADERS, FLAG_END_HEADERS, 1, &[0xff]), &["COMPRESSION_ERROR"]),
        ("fine", Side::Server, frame(0x77, 0xff, 5, b"unknown types are ignored"), &[]),
        ("fine too", Side::Server, [frame(SETTINGS, 0, 0, &[0, 5, 0, 0xff, 0xff, 0xff]), frame(DATA, 0, 1, b"")].concat(), &[]),
    ];
    for (name, side, bytes, expected) in cases {
        let before = if side == Side::Client { PREFACE.to_vec() } else { Vec::new() };
        let bytes = [before, begun(&[bytes, frame(PING, 0, 0, b"goes on!")])].concat();
        let found: Vec<_> = if bytes.len() > 1000 {
            // Every cut of a long one would cost more than it could find.
            let mut codes = Vec::new();
            Dissector::new(side, Limits::default()).push(&bytes, &mut |item| {
                if let Item::Error { code, .. } = item {
                    codes.push(code)
                }
            });
            codes
        } else {
            errors(side, &bytes).into_iter().map(|(code, _)| code).collect()
        };
        assert_eq!(found, expected, "{name}");
        let last = told(side, Limits::default(), &[&bytes]).pop();
        assert!(matches!(&last, Some(Told::Other(item)) if item.contains("kind: 6")), "{name}: {last:?}");
    }
}

#[test]
fn max_frame_size_follows_the_other_sides_settings() {
    let bytes = begun(&[frame(DATA, 0, 1, &[0; 20_000])]);
    let count = |size| {
        let mut dissector = Dissector::new(Side::Server, Limits::default());
        dissector.set_max_frame_size(size);
        let mut errors = 0;
        dissector.push(&bytes, &mut |item| errors += usize::from(matches!(item, Item::Error { .. })));
        errors
    };
    assert_eq!((count(0), count(19_999), count(20_000), count(u32::MAX)), (1, 1, 0, 0));
}

#[test]
fn data_comes_without_its_padding() {
    let bytes = begun(&[
        frame(DATA, FLAG_PADDED, 3, b"\x04hello\0\0\0\0"),
        frame(DATA, FLAG_PADDED, 3, b"\x00!"),
        frame(DATA, FLAG_PADDED, 3, b"\x02\0\0"),
        frame(DATA, 1, 3, b""),
    ]);
    let items = everywhere(Side::Server, Limits::default(), &bytes);
    assert!(errors(Side::Server, &bytes).is_empty());
    assert_eq!(items[1], Told::Data(3, Span::new(19, 24), b"hello".to_vec()));
    assert_eq!(items[3], Told::Data(3, Span::new(38, 39), b"!".to_vec()));
    assert_eq!(items.len(), 7, "{items:#?}");
}

#[test]
fn other_payloads_are_handed_on_whole() {
    let bytes = begun(&[frame(GOAWAY, 0, 0, b"\0\0\0\x01\0\0\0\x0bbye"), frame(0x42, 0, 0, b"?")]);
    let mut dissector = Dissector::new(Side::Server, Limits { unit: 8, head: 11 });
    let mut payloads = Vec::new();
    for byte in bytes.chunks(1) {
        dissector.push(byte, &mut |item| {
            if let Item::Frame(frame) = item {
                payloads.push(frame.payload.to_vec())
            }
        });
    }
    assert_eq!(payloads, [&b""[..], b"\0\0\0\x01\0\0\0\x0bbye", b"?"]);
    let items = everywhere(Side::Server, Limits { unit: 8, head: 10 }, &bytes);
    assert!(matches!(&items[1], Told::Other(item) if item.contains("payload: []") && item.contains("end: 29")), "{items:#?}");
}

#[test]
fn end_of_input() {
    let last = |bytes: &[u8]| everywhere(Side::Server, Limits::default(), bytes).pop();
    let incomplete = |start, end| Some(Told::Other(format!("Incomplete {{ span: {:?} }}", Span::new(start, end))));
    assert_eq!(last(&begun(&[vec![0, 0]])), incomplete(9, 11));
    assert_eq!(last(&begun(&[frame(DATA, 0, 1, b"abc")])[..20]), incomplete(9, 20));
    assert_eq!(last(&begun(&[frame(PING, 0, 0, b"abc")])[..20]), incomplete(9, 20));
    assert_eq!(last(&begun(&[frame(HEADERS, 0, 1, b"\x88")])), incomplete(9, 19));
    assert_eq!(last(b""), None);
}

#[test]
fn names() {
    assert_eq!(frame_name(9), "CONTINUATION");
    assert_eq!(frame_name(0xff), "UNKNOWN");
    assert_eq!(flag_names(HEADERS, 0xff).collect::<Vec<_>>(), ["END_STREAM", "END_HEADERS", "PADDED", "PRIORITY"]);
    assert_eq!(flag_names(SETTINGS, 0xff).collect::<Vec<_>>(), ["ACK"]);
    assert_eq!(flag_names(WINDOW_UPDATE, 0xff).count(), 0);
    assert_eq!((error_name(8), error_name(0xd), error_name(99)), ("CANCEL", "HTTP_1_1_REQUIRED", "UNKNOWN"));
    let payload = [0, 3, 0, 0, 0, 100, 0, 4, 0, 1, 0, 0, 9, 9];
    assert_eq!(settings(&payload).collect::<Vec<_>>(), [(3, "MAX_CONCURRENT_STREAMS", 100), (4, "INITIAL_WINDOW_SIZE", 65536)]);
}

proptest! {
    #[test]
    fn items_do_not_depend_on_the_cuts(
        frames in prop::collection::vec(
            (0u8..11, any::<u8>(), 0u32..4, prop::collection::vec(prop_oneof![any::<u8>(), 0u8..4, Just(0x88u8)], 0..24))
                .prop_map(|(kind, flags, stream, payload)| frame(kind, flags, stream, &payload)),
            0..8,
        ),
        tail in prop::collection::vec(any::<u8>(), 0..12),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        side in prop::sample::select(&[Side::Client, Side::Server][..]),
        preface in 0usize..30,
        head in prop::sample::select(&[0usize, 10, 1 << 16][..]),
    ) {
        let bytes = [&PREFACE[..preface.min(24)], &frames.concat(), &tail].concat();
        let limits = Limits { unit: 10, head };
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        at.extend([0, bytes.len()]);
        at.sort_unstable();
        let pieces: Vec<_> = at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        prop_assert_eq!(told(side, limits, &pieces), told(side, limits, &[&bytes]));
    }
}

#[test]
fn malformed_messages() {
    let block = |fields: &[(&str, &str)]| {
        // Literal fields without indexing, names and values as they stand (RFC 7541 §6.2.2).
        let mut payload = Vec::new();
        for (name, value) in fields {
            payload.extend([0, name.len() as u8]);
            payload.extend(name.as_bytes());
            payload.push(value.len() as u8);
            payload.extend(value.as_bytes());
        }
        let mut bytes = vec![0, 0, 0, 4, 0, 0, 0, 0, 0];
        bytes.extend([0, 0, payload.len() as u8, 1, 4, 0, 0, 0, 1]);
        bytes.extend(payload);
        errors(Side::Server, &bytes)
    };
    let ok = (":status", "200");
    for fields in [
        &[ok, ("X-Upper", "a")][..],
        &[ok, ("with space", "a")],
        &[ok, ("", "a")],
        &[("a", "b"), ok],
        &[ok, ok],
        &[(":color", "red")],
        &[ok, ("connection", "close")],
        &[ok, ("transfer-encoding", "chunked")],
        &[ok, ("te", "gzip")],
        &[ok, ("a", "b\nc")],
        &[ok, ("a", " b")],
    ] {
        assert_eq!(block(fields), [("PROTOCOL_ERROR", 9)], "{fields:?}");
    }
    assert_eq!(block(&[ok, ("te", "trailers"), ("x-empty", ""), ("a", "b c")]), []);
    // Trailers have no pseudo-header fields.
    assert_eq!(block(&[("grpc-status", "0")]), []);
}
