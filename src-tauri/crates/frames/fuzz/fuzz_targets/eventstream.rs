//! Event stream: no panic, the same items at every cut, spans that follow each other. Checksums are mended first, or
//! nothing would get behind them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_frames::eventstream::{Dissector, Item};
use weir_frames::{Limits, Span};

fn told(limits: Limits, bytes: &[u8], piece: usize) -> Vec<String> {
    let mut dissector = Dissector::new(limits);
    let mut items = Vec::new();
    let mut end = 0;
    let mut sink = |item: Item<'_>| {
        match &item {
            Item::Message(message) => {
                assert_eq!(message.span.start, end, "messages follow each other");
                end = message.span.end;
                for span in [message.span, message.headers_span, message.payload_span] {
                    check(span, bytes);
                }
                assert_eq!(message.headers_span.end, message.payload_span.start);
                assert_eq!(message.payload_span.end + 4, message.span.end);
                assert!(message.oversized || &bytes[message.payload_span.start as usize..message.payload_span.end as usize] == message.payload);
                let mut at = message.headers_span.start;
                for header in message.headers {
                    assert_eq!(header.span.start, at, "headers follow each other");
                    at = header.span.end;
                }
                assert!(at <= message.headers_span.end);
            }
            Item::Error { at, .. } => assert!(*at <= bytes.len() as u64),
            Item::Incomplete { span } => check(*span, bytes),
        }
        items.push(format!("{item:?}"));
    };
    for piece in bytes.chunks(piece) {
        dissector.push(piece, &mut sink);
    }
    dissector.finish(&mut sink);
    items
}

fn check(span: Span, bytes: &[u8]) {
    assert!(span.start <= span.end && span.end <= bytes.len() as u64);
}

/// Puts right checksums wherever a prelude and the message it announces fit.
fn mend(bytes: &mut [u8]) {
    let mut at = 0;
    while let Some(prelude) = bytes.get_mut(at..at + 12) {
        prelude[0] = 0;
        prelude[1] = 0;
        let total = usize::from(u16::from_be_bytes([prelude[2], prelude[3]]));
        let crc = crc32fast::hash(&prelude[..8]);
        prelude[8..].copy_from_slice(&crc.to_be_bytes());
        let Some(message) = bytes.get_mut(at..at + total).filter(|message| message.len() >= 16) else { return };
        let crc = crc32fast::hash(&message[..total - 4]);
        message[total - 4..].copy_from_slice(&crc.to_be_bytes());
        at += total;
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((&[setup, piece], bytes)) = input.split_first_chunk::<2>() else { return };
    let mut bytes = bytes.to_vec();
    if setup & 1 == 0 {
        mend(&mut bytes);
    }
    let size = |bits: u8| [1 << 20, 0, 20, 200][usize::from(bits & 3)];
    let limits = Limits { unit: size(setup >> 1), head: size(setup >> 3) };
    let whole = told(limits, &bytes, usize::MAX);
    for piece in [1, usize::from(piece).max(1)] {
        assert_eq!(told(limits, &bytes, piece), whole);
    }
});
