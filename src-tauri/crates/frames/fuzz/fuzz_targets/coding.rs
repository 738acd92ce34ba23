//! Content codings: the same bytes, rows and map for every cut; decoded data in order; bounds kept.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_frames::Span;
use weir_frames::coding::{Bounds, Coding, Decoder, Item};
use weir_frames_fuzz::Case;

fuzz_target!(|data: &[u8]| {
    let Some(case) = Case::new(data) else { return };
    let coding = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd][usize::from(case.choice >> 1) % 4];
    let whole = decode(&case, coding, &[case.input]);
    assert!(decode(&case, coding, &case.pieces()) == whole, "{coding:?}");
});

fn decode(case: &Case<'_>, coding: Coding, pieces: &[&[u8]]) -> (Vec<u8>, Vec<String>, String) {
    let bounds = Bounds { floor: 1 << 16, ratio: 50 };
    let (mut decoded, mut told) = (Vec::new(), Vec::new());
    let mut sink = |item: Item<'_>| match item {
        Item::Data { inner, bytes } => {
            assert!(!bytes.is_empty() && inner == Span::new(decoded.len() as u64, (decoded.len() + bytes.len()) as u64));
            decoded.extend_from_slice(bytes);
        }
        Item::End { span } | Item::Incomplete { span } => {
            assert!(!case.at(span).is_empty());
            told.push(format!("{item:?}"));
        }
        Item::Error { at, .. } | Item::Warning { at, .. } => {
            assert!(at <= case.input.len() as u64);
            told.push(format!("{item:?}"));
        }
    };
    let mut decoder = Decoder::within(coding, bounds);
    for piece in pieces {
        decoder.push(piece, &mut sink);
    }
    decoder.finish(&mut sink);
    assert!(decoded.len() as u64 <= bounds.floor.max(bounds.ratio * (case.input.len() as u64 + 64)));
    for at in 0..decoder.map().len().min(64) {
        let outer = decoder.map().outer(Span::new(at, at + 1));
        assert!(matches!(outer[..], [outer] if !case.at(outer).is_empty()));
    }
    (decoded, told, format!("{:?}", decoder.map()))
}
