//! Header blocks: the examples of RFC 7541 Appendix C, and blocks made to do harm.

use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).expect("hex")).collect()
}

/// Blocks of one connection, each on its own stream: whole; in HEADERS and CONTINUATIONs of one byte; padded and with priority.
fn in_frames(blocks: &[Vec<u8>]) -> [Vec<u8>; 3] {
    let mut ways = [begun(&[]), begun(&[]), begun(&[])];
    for (n, block) in blocks.iter().enumerate() {
        let stream = 2 * n as u32 + 1;
        ways[0].extend(frame(HEADERS, FLAG_END_HEADERS, stream, block));
        ways[1].extend(frame(HEADERS, 0, stream, b""));
        for byte in block.chunks(1) {
            ways[1].extend(frame(CONTINUATION, 0, stream, byte));
        }
        ways[1].extend(frame(CONTINUATION, FLAG_END_HEADERS, stream, b""));
        let padded = [&[3, 0x80, 0, 0, 1, 9], &block[..], &[0; 3]].concat();
        ways[2].extend(frame(HEADERS, FLAG_END_HEADERS | FLAG_PADDED | FLAG_PRIORITY, stream, &padded));
    }
    ways
}

fn reads(blocks: &[&str], expected: &[&[(&str, &str)]], table: Option<u32>) {
    let blocks: Vec<_> = blocks.iter().map(|block| hex(block)).collect();
    for bytes in in_frames(&blocks) {
        let mut dissector = Dissector::new(Side::Client, Limits::default());
        dissector.push(PREFACE, &mut |_| {});
        if let Some(size) = table {
            dissector.set_header_table_size(size);
        }
        let mut read = Vec::new();
        dissector.push(&bytes, &mut |item| match item {
            Item::Frame(frame) => read.extend(frame.headers.map(pairs)),
            item => panic!("{item:?}"),
        });
        let expected: Vec<Vec<_>> =
            expected.iter().map(|fields| fields.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect()).collect();
        assert_eq!(read, expected);
    }
}

/// RFC 7541 C.2.
#[test]
fn single_fields() {
    reads(&["400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572"], &[&[("custom-key", "custom-header")]], None);
    reads(&["040c 2f73 616d 706c 652f 7061 7468"], &[&[(":path", "/sample/path")]], None);
    reads(&["1008 7061 7373 776f 7264 0673 6563 7265 74"], &[&[("password", "secret")]], None);
    reads(&["82"], &[&[(":method", "GET")]], None);
}

/// RFC 7541 C.3 and C.4.
#[test]
fn requests() {
    let first: &[_] = &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com")];
    let second: &[_] =
        &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com"), ("cache-control", "no-cache")];
    let third: &[_] = &[
        (":method", "GET"),
        (":scheme", "https"),
        (":path", "/index.html"),
        (":authority", "www.example.com"),
        ("custom-key", "custom-value"),
    ];
    let plain = [
        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "8286 84be 5808 6e6f 2d63 6163 6865",
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    ];
    let huffman = [
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ];
    reads(&plain, &[first, second, third], None);
    reads(&huffman, &[first, second, third], None);
}

/// RFC 7541 C.5 and C.6: a table of 256 bytes, so that entries are evicted.
#[test]
fn responses() {
    let date = ("date", "Mon, 21 Oct 2013 20:13:21 GMT");
    let location = ("location", "https://www.example.com");
    let first: &[_] = &[(":status", "302"), ("cache-control", "private"), date, location];
    let second: &[_] = &[(":status", "307"), ("cache-control", "private"), date, location];
    let third: &[_] = &[
        (":status", "200"),
        ("cache-control", "private"),
        ("date", "Mon, 21 Oct 2013 20:13:22 GMT"),
        location,
        ("content-encoding", "gzip"),
        ("set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"),
    ];
    // The examples assume the table's size; on the wire an update sets it (3fe1 01 is 256).
    let plain = [
        "3fe1 01 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "4803 3330 37c1 c0bf",
        "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
    ];
    let huffman = [
        "3fe1 01 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
        "4883 640e ffc1 c0bf",
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
    ];
    reads(&plain, &[first, second, third], None);
    reads(&huffman, &[first, second, third], None);
}

#[test]
fn a_larger_table_must_be_allowed_by_the_other_side() {
    // 3fe1 3f: an update to 8192.
    reads(&["3fe1 3f 82"], &[&[(":method", "GET")]], Some(8192));
    let bytes = begun(&[frame(HEADERS, FLAG_END_HEADERS, 1, &hex("3fe13f82"))]);
    assert_eq!(errors(Side::Server, &bytes), [("COMPRESSION_ERROR", 9)]);
}

#[test]
fn a_bad_block_takes_later_ones_with_it_but_not_the_frames() {
    let bad =
        ["ff", "bf", "80", "3f", "3fff", "3fffffffff7f", "8220", "40ffffffffff01", "4005", "4085ffffffffff00", "20", "3fe201 3fe101 82 20"];
    for block in bad {
        let bytes = begun(&[
            frame(HEADERS, FLAG_END_HEADERS, 1, b"\x88"),
            frame(HEADERS, FLAG_END_HEADERS, 3, &hex(block)),
            frame(DATA, 0, 1, b"data"),
            frame(HEADERS, FLAG_END_HEADERS, 5, b"\x88"),
        ]);
        let at = 9 + 10 + 9 + hex(block).len() as u64 + 13;
        assert_eq!(errors(Side::Server, &bytes), [("COMPRESSION_ERROR", 19), ("COMPRESSION_ERROR", at)], "{block}");
        let read = blocks(Side::Server, Limits::default(), &bytes);
        assert_eq!(read, [Some(vec![(":status".into(), "200".into())]), None, None], "{block}");
    }
}

#[test]
fn nothing_may_stand_between_the_parts_of_a_block() {
    let parts = |between: Vec<u8>| begun(&[frame(HEADERS, 0, 1, b"\x88"), between, frame(CONTINUATION, FLAG_END_HEADERS, 1, b"\x84")]);
    let read = |bytes: &[u8]| blocks(Side::Server, Limits::default(), bytes);
    let bytes = parts(frame(PING, 0, 0, b"12345678"));
    assert_eq!(errors(Side::Server, &bytes), [("PROTOCOL_ERROR", 19)]);
    assert!(read(&bytes)[0].is_some(), "the block itself is whole");
    let bytes = parts(frame(HEADERS, FLAG_END_HEADERS, 3, b"\x88"));
    assert_eq!(errors(Side::Server, &bytes), [("PROTOCOL_ERROR", 19), ("COMPRESSION_ERROR", 19), ("PROTOCOL_ERROR", 29)]);
    assert_eq!(read(&bytes), [None, None]);
    let bytes = parts(frame(CONTINUATION, FLAG_END_HEADERS, 3, b""));
    assert_eq!(errors(Side::Server, &bytes), [("PROTOCOL_ERROR", 19), ("PROTOCOL_ERROR", 28)]);
}

#[test]
fn decoded_fields_are_bounded_and_the_table_stays_in_step() {
    // One entry of 1000 bytes, then 1000 references to it: a megabyte in 2 kB.
    let mut bomb = hex("40 01 61 7f e9 06");
    bomb.extend([b'x'; 1000]);
    bomb.extend([0xbe; 1000]);
    let bytes = begun(&[frame(HEADERS, FLAG_END_HEADERS, 1, &bomb), frame(HEADERS, FLAG_END_HEADERS, 3, &[0xbe])]);
    let limits = Limits { unit: 1 << 14, head: 1 << 14 };
    let items = told(Side::Server, limits, &[&bytes]);
    assert!(matches!(&items[1], Told::Other(item) if item.contains("ENHANCE_YOUR_CALM")), "{items:#?}");
    let read = blocks(Side::Server, limits, &bytes);
    assert_eq!(read, [None, Some(vec![("a".into(), "x".repeat(1000))])]);
}

#[test]
fn a_block_longer_than_the_limit_is_not_gathered() {
    let limits = Limits { unit: 64, head: 64 };
    let mut frames = vec![frame(HEADERS, 0, 1, &[0x88; 40])];
    frames.extend(vec![frame(CONTINUATION, 0, 1, &[0x88; 40]); 100]);
    frames.push(frame(CONTINUATION, FLAG_END_HEADERS, 1, &[]));
    let bytes = begun(&frames);
    let mut dissector = Dissector::new(Side::Server, limits);
    let mut errors = Vec::new();
    for piece in bytes.chunks(7) {
        dissector.push(piece, &mut |item| {
            if let Item::Error { code, .. } = item {
                errors.push(code)
            }
        });
        assert!(dissector.block.as_ref().is_none_or(|block| block.bytes.capacity() <= 128));
    }
    assert_eq!(errors, ["COMPRESSION_ERROR"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// The decoder behind the check must not panic.
    #[test]
    fn any_block_can_be_tried(block in prop::collection::vec(prop_oneof![any::<u8>(), 0x1fu8..0x42, 0xbeu8..0xc4, Just(0xff)], 0..40)) {
        let bytes = begun(&[frame(HEADERS, FLAG_END_HEADERS, 1, &block), frame(HEADERS, FLAG_END_HEADERS, 3, &block)]);
        blocks(Side::Server, Limits::default(), &bytes);
    }
}
