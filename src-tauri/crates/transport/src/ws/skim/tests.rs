use proptest::prelude::*;

use super::*;

/// What goes by of `stream` when it comes in pieces of these sizes, and what somebody else sees of it.
fn run(stream: &[u8], pieces: &[usize]) -> (usize, Vec<u8>) {
    let (mut skim, mut skipped, mut seen) = (Skim::default(), 0, Vec::new());
    let (mut rest, mut sizes) = (stream, pieces.iter().cycle());
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at((*sizes.next().unwrap()).clamp(1, rest.len()));
        rest = behind;
        let mut at = 0;
        while at < piece.len() {
            let skip = skim.skip(&piece[at..]);
            (at, skipped) = (at + skip, skipped + skip);
            let follow = skim.follow(&piece[at..]);
            assert!(follow > 0 || at == piece.len());
            seen.extend_from_slice(&piece[at..at + follow]);
            at += follow;
        }
    }
    (skipped, seen)
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        length @ ..126 => frame.push(length as u8),
        length => {
            frame.push(126);
            frame.extend((length as u16).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame
}

#[test]
fn whole_messages_go_by_and_all_else_is_seen() {
    let text = frame(0x81, "schön".as_bytes());
    let long = frame(0x82, &[0xff; 300]);
    for (what, kept) in [
        ("ping", frame(0x89, b"x")),
        ("bad text", frame(0x81, b"\xff")),
        ("reserved bit", frame(0xc1, b"x")),
        ("reserved opcode", frame(0x83, b"x")),
        ("fragments with a ping between", [frame(0x01, b"a"), frame(0x89, b""), frame(0x80, b"b")].concat()),
        ("a message inside another", [frame(0x01, b"a"), frame(0x81, b"b"), frame(0x01, b"c"), frame(0x80, b"d")].concat()),
        ("masked", vec![0x81, 0x81, 1, 2, 3, 4, 5]),
    ] {
        let stream = [&text[..], &long, &kept, &text, &long].concat();
        assert_eq!(run(&stream, &[usize::MAX]), (stream.len() - kept.len(), kept), "{what}");
    }
}

#[test]
fn nothing_goes_by_behind_a_close() {
    let stream = [frame(0x81, b"a"), frame(0x88, b"\x03\xe8"), frame(0x81, b"b")].concat();
    assert_eq!(run(&stream, &[usize::MAX]), (3, stream[3..].to_vec()));
}

#[test]
fn a_length_beyond_all_bounds_is_somebody_elses() {
    let stream = [&[0x82, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff][..], b"abc"].concat();
    assert_eq!(run(&stream, &[usize::MAX]), (0, stream.clone()));
}

fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![4 => Just(0x81u8), 4 => Just(0x82), 1 => Just(0x01), 1 => Just(0x00), 1 => Just(0x80), 1 => Just(0x89), 1 => any::<u8>()];
    (first, prop::collection::vec(any::<u8>(), 0..200)).prop_map(|(first, payload)| frame(first, &payload))
}

proptest! {
    #[test]
    fn what_is_seen_is_whole_frames_in_order_wherever_the_stream_is_cut(
        frames in prop::collection::vec(any_frame(), 0..30),
        pieces in prop::collection::vec(1..300usize, 1..10),
    ) {
        let stream = frames.concat();
        let (skipped, seen) = run(&stream, &pieces);
        prop_assert_eq!(skipped + seen.len(), stream.len());
        // What was seen is the stream without some of its whole frames.
        let mut rest = &seen[..];
        for frame in &frames {
            let may_go = matches!(frame[0], 0x81 | 0x82);
            match rest.strip_prefix(&frame[..]) {
                Some(behind) => rest = behind,
                None => prop_assert!(may_go, "a frame that must be seen is missing"),
            }
        }
        prop_assert!(rest.is_empty());
    }
}
