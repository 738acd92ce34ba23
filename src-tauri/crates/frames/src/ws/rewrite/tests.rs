use proptest::prelude::*;

use super::fit::{compress, padding};
use super::*;
use crate::Limits;
use crate::ws::deflate::Agreement;
use crate::ws::{Dissector, Encoder, Item};

const KEY: &str = "sk-Canary-0123456789-abcdefgh";

/// The payload of a message's only frame, which no one masked.
fn payload(frame: &[u8]) -> Range<usize> {
    let head = match frame[1] & 127 {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    head..frame.len()
}

fn find(text: &[u8]) -> Vec<Range<usize>> {
    let key = KEY.as_bytes();
    (0..text.len()).filter(|at| text[*at..].starts_with(key)).map(|at| at..at + key.len()).collect()
}

/// What a reader of the log reads: the messages, and the codes of what it is told.
fn read(extensions: &str, log: &[u8]) -> (Vec<Vec<u8>>, Vec<&'static str>) {
    let (mut messages, mut told) = (Vec::new(), Vec::new());
    Dissector::new(Side::Server, extensions, Limits::default()).push(log, &mut |item| match item {
        Item::Message { data, .. } => messages.push(data.to_vec()),
        Item::Error { code, .. } | Item::Warning { code, .. } => told.push(code),
        _ => {}
    });
    (messages, told)
}

/// What became of each message.
#[derive(Debug, Default)]
struct Fate {
    /// Says what it said, but stars (or signs) for the key.
    exact: usize,
    /// Has stars for more than the key.
    partly: usize,
    /// Nothing but stars.
    stars: usize,
}

/// Sends the texts compressed, rewrites them, and holds what a reader of the log reads against them.
fn check(extensions: &str, texts: &[Vec<u8>]) -> Fate {
    let mut encoder = Encoder::new(Side::Server, Some(Agreement::answer(extensions).expect("agreed").1));
    let mut rewriter = Rewriter::new(Side::Server, extensions).expect("agreed");
    let (mut log, mut sent) = (Vec::new(), Vec::new());
    for text in texts {
        let mut frame = Vec::new();
        encoder.message(2, text, false, [0; 4], &mut frame);
        sent.extend_from_slice(&frame);
        // Short ones go plain.
        if frame[0] & 0x40 != 0 {
            let range = payload(&frame);
            match rewriter.message(&frame[range.clone()], true, &mut find) {
                Rewritten::Same => {}
                Rewritten::Changed(bytes) => {
                    assert_eq!(bytes.len(), range.len());
                    frame[range].copy_from_slice(&bytes);
                }
                Rewritten::Unreadable => panic!("{:?}", String::from_utf8_lossy(text)),
            }
        } else if !find(text).is_empty() {
            panic!("a message with a key is long enough");
        }
        log.extend_from_slice(&frame);
    }
    assert_eq!(log.len(), sent.len());
    let (messages, told) = read(extensions, &log);
    assert_eq!(messages.len(), texts.len());
    let mut fate = Fate::default();
    for (message, text) in messages.iter().zip(texts) {
        assert_eq!(message.len(), text.len());
        let mut secret = vec![false; text.len()];
        find(text).into_iter().for_each(|range| secret[range].fill(true));
        let (mut same, mut star) = (true, true);
        for ((logged, said), secret) in message.iter().zip(text).zip(secret) {
            star &= *logged == STAR;
            if secret {
                assert!((*logged == STAR || SIGNS.contains(logged)), "{:?}", String::from_utf8_lossy(message));
            } else {
                same &= logged == said;
                assert!(logged == said || (*logged == STAR || SIGNS.contains(logged)), "{:?}", String::from_utf8_lossy(message));
            }
        }
        match (same, star) {
            (true, _) => fate.exact += 1,
            (_, true) => fate.stars += 1,
            _ => fate.partly += 1,
        }
    }
    assert!(told.iter().all(|code| *code == "redacted"), "{told:?}");
    assert!(told.len() >= fate.stars, "{told:?} {fate:?}");
    fate
}

#[test]
fn padding_is_nothing_but_length() {
    let text = b"some text, some text, some text";
    for missing in 0..200 {
        let Some(padding) = padding(missing) else {
            assert!([1, 2, 3, 4, 8].contains(&missing), "{missing}");
            continue;
        };
        let bytes = [compress(text, &[], 6, 15).expect("compresses"), padding].concat();
        assert_eq!(inflate(&mut Inflate::new(true), &bytes, true).as_deref(), Some(&text[..]), "{missing} more");
    }
}

#[test]
fn stars_fit_every_length_that_is_not_far_too_short() {
    // As many references of the greatest length as there can be, and ten bytes for what is left.
    for text in (6..600).chain([2000, 65_000]) {
        let shortest = text / 258 * 13 / 8 + 10;
        for len in (shortest..shortest + 40).chain([text / 2, text]).filter(|len| *len >= shortest) {
            let bytes = stars(text, len, &[], 15).unwrap_or_else(|| panic!("{text} in {len}"));
            assert_eq!(bytes.len(), len);
            assert_eq!(inflate(&mut Inflate::new(true), &bytes, true), Some(vec![STAR; text]), "{text} in {len}");
        }
    }
}

/// A message that is a single reference of fixed codes, or two, is shorter than any with a literal: stars are taken from the window.
#[test]
fn stars_behind_stars_fit_wherever_a_reference_did() {
    for (window, distance) in [(&b"abc***"[..], 1), (b"***abc", 6), (b"******************************x", 31)] {
        let shortest = if distance == 1 { 4 } else { 5 };
        for text in 3..=70 {
            for len in shortest + 2 * text / 31..40 {
                let bytes = stars(text, len, window, 15).unwrap_or_else(|| panic!("{text} in {len} behind {window:?}"));
                let mut reader = Inflate::new(true);
                reader.resume(window);
                assert_eq!((bytes.len(), inflate(&mut reader, &bytes, true)), (len, Some(vec![STAR; text])), "{text} in {len}");
            }
        }
    }
    // Outside the window that was agreed there is nothing to refer to.
    let far = [&b"***"[..], &[b'x'; 600]].concat();
    assert!(stars(3, 5, &far, 15).is_some() && stars(3, 4, &far, 9).is_none());
}

#[test]
fn a_key_is_gone_and_everything_else_reads_as_before() {
    for extensions in ["permessage-deflate", "permessage-deflate; server_no_context_takeover"] {
        // Its key in some, whole or at the end, alone, twice, or referred to by later messages; long ones and short ones.
        let texts: Vec<Vec<u8>> = (0..60)
            .map(|n| match n % 6 {
                0 => format!("{{\"n\":{n},\"text\":\"{}\"}}", "lorem ipsum ".repeat(n)),
                1 => format!("{{\"n\":{n},\"echo\":\"{KEY}\"}}"),
                2 => KEY.to_owned(),
                3 => format!("{KEY}{KEY} and {}", "dolor sit ".repeat(n * 3)),
                4 => format!("{KEY} {n}"),
                _ => "short".to_owned(),
            })
            .map(String::into_bytes)
            .collect();
        let fate = check(extensions, &texts);
        assert!(fate.exact > 57, "{fate:?} with {extensions}");
    }
}

/// Pieces of messages: the key, its parts (which later refer into the stars), words, noise, long runs.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => Just(KEY.as_bytes().to_vec()),
        2 => (0..KEY.len(), 1..KEY.len()).prop_map(|(from, len)| KEY.as_bytes()[from..(from + len).min(KEY.len())].to_vec()),
        4 => "[a-z \"{}:,]{1,40}".prop_map(String::into_bytes),
        2 => Just(b"{\"type\":\"response.output_text.delta\",\"delta\":\"".to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..300),
        1 => (any::<u8>(), 1..3000usize).prop_map(|(byte, len)| vec![byte; len]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(300), ..ProptestConfig::default() })]
    #[test]
    fn no_key_stays_in_any_message_whatever_was_agreed(
        texts in prop::collection::vec(prop::collection::vec(piece(), 1..8).prop_map(|pieces| pieces.concat()), 1..12),
        bits in 9..16u8,
        forget in any::<bool>(),
    ) {
        let forget = if forget { "; server_no_context_takeover" } else { "" };
        check(&format!("permessage-deflate; server_max_window_bits={bits}{forget}"), &texts);
    }
}

/// Such messages are little more than references to what became stars: hardly any text fits into their length.
#[test]
fn messages_of_nothing_but_references_to_a_key_fit() {
    let part = |len| KEY.as_bytes()[..len].to_vec();
    let twice = [KEY.as_bytes(), b"\":\",\"\"", &KEY.as_bytes()[5..]].concat();
    for bits in 9..16 {
        let extensions = format!("permessage-deflate; server_max_window_bits={bits}");
        for more in 0..KEY.len() {
            let end = [KEY.as_bytes(), &part(more)].concat();
            check(&extensions, &[KEY.as_bytes().to_vec(), KEY.repeat(3).into_bytes(), end.clone()]);
            for zeros in [70, 72, 500] {
                check(&extensions, &[twice.clone(), vec![0; zeros], end.clone()]);
            }
        }
    }
}

#[test]
fn a_key_at_every_position_of_a_message_is_gone() {
    let around = "{\"type\":\"session.updated\",\"instructions\":\"be kind, be brief, be 0123456789\"}";
    for bits in [9, 12, 15] {
        let texts: Vec<Vec<u8>> =
            (0..=around.len()).map(|at| [&around.as_bytes()[..at], KEY.as_bytes(), &around.as_bytes()[at..]].concat()).collect();
        let fate = check(&format!("permessage-deflate; server_max_window_bits={bits}"), &texts);
        assert!(fate.exact * 10 >= texts.len() * 9, "{fate:?}");
        for text in texts {
            let fate = check(&format!("permessage-deflate; server_max_window_bits={bits}"), &[text]);
            assert_eq!(fate.exact, 1);
        }
    }
}

#[test]
fn what_is_broken_off_is_searched_as_far_as_it_goes() {
    let mut rewriter = Rewriter::new(Side::Server, "permessage-deflate").expect("agreed");
    let bytes = compress(format!("abc {KEY} and more that comes late").as_bytes(), &[], 6, 15).expect("compresses");
    let cut = &bytes[..bytes.len() - 6];
    let Rewritten::Changed(kept) = rewriter.message(cut, false, &mut find) else { panic!("it holds a key") };
    assert_eq!(kept.len(), cut.len());
    let text = inflate(&mut Inflate::new(true), &kept, false).expect("readable");
    assert!(text.starts_with(b"abc ****") && find(&text).is_empty());
    assert_eq!(rewriter.message(&bytes, true, &mut find), Rewritten::Unreadable, "its reader has no window");
}

#[test]
fn what_is_no_deflate_is_not_kept_nor_what_needs_its_window() {
    let plain = KEY.as_bytes();
    let bytes = compress(b"abc and abc", &[], 6, 15).expect("compresses");
    let mut rewriter = Rewriter::new(Side::Server, "permessage-deflate").expect("agreed");
    assert_eq!(rewriter.message(&bytes, true, &mut find), Rewritten::Same);
    assert_eq!(rewriter.message(&[&[0xff], plain].concat(), true, &mut find), Rewritten::Unreadable);
    assert_eq!(rewriter.message(&bytes, true, &mut find), Rewritten::Unreadable);
    let mut rewriter = Rewriter::new(Side::Server, "permessage-deflate; server_no_context_takeover").expect("agreed");
    assert_eq!(rewriter.message(&[&[0xff], plain].concat(), true, &mut find), Rewritten::Unreadable);
    assert_eq!(rewriter.message(&bytes, true, &mut find), Rewritten::Same);
    assert!(Rewriter::new(Side::Server, "").is_none());
    let frame = [&[0xc1, 9][..], &[BLANK; 9]].concat();
    assert_eq!(read("permessage-deflate", &frame).1, ["redacted"]);
}
