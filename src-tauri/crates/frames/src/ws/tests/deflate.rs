//! permessage-deflate.

use flate2::{Compress, Compression, FlushCompress};

use super::*;

const AGREED: &str = "permessage-deflate";
const ALONE: &str = "permessage-deflate; server_no_context_takeover";

/// Compresses as RFC 7692 §7.2.1 says.
fn deflate(compress: &mut Compress, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 1000);
    compress.compress_vec(bytes, &mut out, FlushCompress::Sync).expect("compresses");
    if out.is_empty() {
        // There was nothing to flush: an empty stored block without its last four bytes (RFC 7692 §7.2.3.6).
        return vec![0];
    }
    assert!(out.ends_with(&[0, 0, 0xff, 0xff]));
    out.truncate(out.len() - 4);
    out
}

fn compressor() -> Compress {
    Compress::new(Compression::default(), false)
}

/// RFC 7692 §7.2.3.
#[test]
fn examples_of_the_rfc() {
    let hello = (1, b"Hello".to_vec(), false);
    let one = b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00";
    let fragmented = b"\x41\x03\xf2\x48\xcd\x80\x04\xc9\xc9\x07\x00";
    let stored = b"\xc1\x0b\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00";
    let final_block = b"\xc1\x08\xf3\x48\xcd\xc9\xc9\x07\x00\x00";
    let two_blocks = b"\xc1\x0d\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00";
    let shared = b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\xc1\x05\xf2\x00\x11\x00\x00";
    for bytes in [&one[..], fragmented, stored, final_block, two_blocks] {
        assert_eq!(messages(Side::Server, AGREED, limits(), bytes), std::slice::from_ref(&hello), "{bytes:x?}");
        assert!(codes(Side::Server, AGREED, bytes).is_empty());
    }
    assert_eq!(messages(Side::Server, AGREED, limits(), shared), [hello.clone(), hello.clone()]);
    assert_eq!(codes(Side::Server, ALONE, shared), ["inflate"], "the window is not there");
    let items = everywhere(Side::Server, AGREED, limits(), fragmented);
    assert!(items[2].contains("deflated: Some(7)"), "{}", items[2]);
}

#[test]
fn the_window_lives_on_behind_a_final_block() {
    let finished = b"\xc1\x08\xf3\x48\xcd\xc9\xc9\x07\x00\x00";
    let bare = b"\xc1\x07\xf3\x48\xcd\xc9\xc9\x07\x00";
    let reuse = b"\xc1\x05\xf2\x00\x11\x00\x00";
    for first in [&finished[..], bare] {
        let bytes = [first, reuse, first, reuse].concat();
        assert!(codes(Side::Server, AGREED, &bytes).is_empty());
        let hello = (1, b"Hello".to_vec(), false);
        assert_eq!(messages(Side::Server, AGREED, limits(), &bytes), vec![hello; 4]);
    }
}

#[test]
fn empty_messages() {
    let mut compress = compressor();
    let empty = deflate(&mut compress, b"");
    for payload in [&empty[..], b"\x00"] {
        let bytes = [frame(0xc1, None, payload), frame(0xc1, None, payload)].concat();
        assert!(codes(Side::Server, AGREED, &bytes).is_empty());
        assert_eq!(messages(Side::Server, AGREED, limits(), &bytes), vec![(1, Vec::new(), false); 2]);
    }
}

#[test]
fn rsv1_belongs_on_the_first_data_frame_only() {
    let one = b"\xf2\x48\xcd";
    let two = b"\xc9\xc9\x07\x00";
    assert_eq!(codes(Side::Server, AGREED, &[frame(0x41, None, one), frame(0xc0, None, two)].concat()), ["rsv"]);
    assert_eq!(codes(Side::Server, AGREED, &frame(0xc9, None, b"")), ["rsv"]);
    assert_eq!(codes(Side::Server, AGREED, &frame(0xe1, None, b"\x00")), ["rsv"], "RSV2 beside it");
    assert_eq!(codes(Side::Server, "x-else", &frame(0xc1, None, b"\xff")), ["rsv"]);
    assert!(everywhere(Side::Server, "x-else", limits(), &frame(0xc1, None, b"\xff"))[0].starts_with("Warning"));
}

#[test]
fn a_refusable_agreement_is_told_once() {
    assert_eq!(codes(Side::Server, "permessage-deflate; x=1", b"\x89\x00\x89\x00"), ["extensions"]);
}

#[test]
fn invalid_data_is_told_and_the_rest_goes_on() {
    let bad = frame(0xc1, None, b"\xff\xff\xff");
    let plain = frame(0x81, None, b"plain");
    let good = b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00";
    let bytes = [&bad[..], &plain, good].concat();
    assert_eq!(codes(Side::Server, AGREED, &bytes), ["inflate", "inflate"], "the window is lost with the first");
    assert_eq!(codes(Side::Server, ALONE, &bytes), ["inflate"]);
    let read = messages(Side::Server, ALONE, limits(), &bytes);
    assert_eq!(read[1..], [(1, b"plain".to_vec(), true), (1, b"Hello".to_vec(), true)]);
}

#[test]
fn text_is_checked_inflated_and_early() {
    let mut compress = compressor();
    let first = frame(0x41, None, &{
        let mut part = deflate(&mut compress, b"ok\xff");
        part.extend([0, 0, 0xff, 0xff]);
        part
    });
    let rest = frame(0x80, None, &deflate(&mut compress, b"more"));
    let items = everywhere(Side::Server, AGREED, limits(), &[first, rest].concat());
    assert!(items[0].contains("utf-8"), "{items:#?}");
    assert!(items[1].starts_with("Frame"));
    let half = deflate(&mut compressor(), &"é".as_bytes()[..1]);
    assert_eq!(codes(Side::Server, AGREED, &frame(0xc1, None, &half)), ["utf-8"]);
}

#[test]
fn a_bomb_is_not_kept_but_the_window_is() {
    let mut compress = compressor();
    let zeros = vec![0; 10 << 20];
    let bomb = deflate(&mut compress, &zeros);
    let again = deflate(&mut compress, &zeros[..1000]);
    let bytes = [frame(0xc2, None, &bomb), frame(0xc2, None, &again)].concat();
    let small = Limits { unit: 1 << 14, head: 1 << 14 };
    let mut dissector = Dissector::new(Side::Server, AGREED, small);
    let mut seen = Vec::new();
    for piece in bytes.chunks(1000) {
        dissector.push(piece, &mut |item| match item {
            Item::Message { data, oversized, .. } => seen.push((data.to_vec(), oversized)),
            Item::Frame(_) => {}
            item => panic!("{item:?}"),
        });
        assert!(dissector.data.capacity() + dissector.payload.capacity() <= 1 << 17);
    }
    assert_eq!(seen, [(Vec::new(), true), (vec![0; 1000], false)]);
}

#[test]
fn frames_over_the_limit_still_feed_the_window() {
    let mut compress = compressor();
    let noise: Vec<u8> = (0..3000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let long = deflate(&mut compress, &noise);
    let short = deflate(&mut compress, &noise[100..160]);
    assert!(short.len() < 40, "it refers back");
    let bytes = [frame(0xc2, KEY, &long), frame(0xc2, KEY, &short)].concat();
    let tiny = Limits { unit: 200, head: 200 };
    everywhere(Side::Client, AGREED, tiny, &bytes);
    let read = messages(Side::Client, AGREED, tiny, &bytes);
    assert_eq!(read, [(2, Vec::new(), false), (2, noise[100..160].to_vec(), false)]);
}

proptest! {
    #[test]
    fn reads_what_a_sender_with_or_without_takeover_writes(
        texts in prop::collection::vec("[a-f é]{0,400}", 1..6),
        takeover in any::<bool>(),
        parts in prop::collection::vec(any::<prop::sample::Index>(), 0..3),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mut compress = compressor();
        let mut bytes = Vec::new();
        for text in &texts {
            let payload = deflate(&mut compress, text.as_bytes());
            if !takeover {
                compress.reset();
            }
            let pieces = cut(&payload, parts.clone());
            let last = pieces.len() - 1;
            for (n, piece) in pieces.into_iter().enumerate() {
                let first = if n == 0 { 0x41 } else { 0 } | if n == last { 0x80 } else { 0 };
                bytes.extend(frame(first, None, piece));
            }
        }
        let extensions = if takeover { AGREED } else { ALONE };
        let expected: Vec<_> = texts.iter().map(|text| (1, text.clone().into_bytes(), false)).collect();
        prop_assert_eq!(messages(Side::Server, extensions, limits(), &bytes), expected);
        prop_assert_eq!(told(Side::Server, extensions, limits(), &cut(&bytes, cuts)), told(Side::Server, extensions, limits(), &[&bytes]));
    }
}
