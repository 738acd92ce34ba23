//! permessage-deflate: what the encoder writes, the dissector reads, whatever was agreed; and offers and answers as text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_frames::Limits;
use weir_frames::ws::deflate::{Agreement, Offer};
use weir_frames::ws::{Dissector, Encoder, Item, Side};

fuzz_target!(|input: &[u8]| {
    let Some((&[setup, window, piece], rest)) = input.split_first_chunk::<3>() else { return };
    if setup & 1 == 0 { negotiate(rest) } else { write(setup, window, usize::from(piece).max(1), rest) }
});

fn negotiate(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let (offer, answer) = text.split_once('\n').unwrap_or((text, ""));
    if let Ok(offer) = offer.parse::<Offer>() {
        assert_eq!(offer.to_string().parse(), Ok(offer), "an offer is written as it is read");
        if let Ok(Some(agreed)) = offer.read(answer) {
            assert!(agreed.server_no_context_takeover || !offer.server_no_context_takeover);
            assert!((8..=15).contains(&agreed.server_max_window_bits) && (8..=15).contains(&agreed.client_max_window_bits));
            assert!(offer.server_max_window_bits.is_none_or(|most| agreed.server_max_window_bits <= most));
        }
    }
    if let Some((answer, agreed)) = Agreement::answer(offer) {
        let taken = offer.split(',').filter_map(|offer| offer.trim().parse::<Offer>().ok());
        assert!(taken.map(|offer| offer.read(&answer)).any(|read| read == Ok(Some(agreed)) || read.is_ok_and(|read| {
            // A client that promises to limit itself may do so unasked; the server has room for the largest window anyway.
            read.is_some_and(|read| Agreement { client_max_window_bits: 15, client_no_context_takeover: agreed.client_no_context_takeover, ..read } == agreed)
        })), "{offer} → {answer}");
    }
    // What a dissector is told was agreed may be anything.
    let mut dissector = Dissector::new(Side::Server, text, Limits::default());
    dissector.push(b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00", &mut |_| {});
    dissector.finish(&mut |_| {});
}

fn write(setup: u8, window: u8, piece: usize, mut rest: &[u8]) {
    let side = if setup & 2 == 0 { Side::Client } else { Side::Server };
    let agreed = Agreement {
        server_no_context_takeover: setup & 4 != 0,
        client_no_context_takeover: setup & 8 != 0,
        server_max_window_bits: 8 + window % 8,
        client_max_window_bits: 8 + window / 8 % 8,
    };
    let mut answer = format!(
        "permessage-deflate; server_max_window_bits={}; client_max_window_bits={}",
        agreed.server_max_window_bits, agreed.client_max_window_bits
    );
    if agreed.server_no_context_takeover {
        answer.push_str("; server_no_context_takeover");
    }
    if agreed.client_no_context_takeover {
        answer.push_str("; client_no_context_takeover");
    }
    let mut encoder = Encoder::new(side, (setup & 16 != 0).then_some(agreed));
    let (mut bytes, mut sent, mut pings) = (Vec::new(), Vec::new(), 0);
    // Each message: how it is sent, its length, how often its bytes are repeated, its bytes.
    while let Some((&[how, length, times], behind)) = rest.split_first_chunk::<3>() {
        let (part, behind) = behind.split_at(usize::from(length).min(behind.len()));
        rest = behind;
        let message = part.repeat(1 + usize::from(times));
        let key = [how, length, times, setup];
        if how & 1 == 0 {
            encoder.control(9, &message, key, &mut bytes);
            pings += 1;
        }
        encoder.message(2, &message, how & 2 != 0, key, &mut bytes);
        sent.push(message);
    }
    let answer = if setup & 16 != 0 { answer.as_str() } else { "" };
    let mut dissector = Dissector::new(side, answer, Limits::default());
    let (mut read, mut answered) = (Vec::new(), 0);
    let mut sink = |item: Item<'_>| match item {
        Item::Message { data, oversized: false, .. } => read.push(data.to_vec()),
        Item::Frame(frame) => answered += usize::from(frame.opcode == 9),
        item => panic!("{item:?}"),
    };
    for piece in bytes.chunks(piece) {
        dissector.push(piece, &mut sink);
    }
    dissector.finish(&mut sink);
    assert_eq!((read, answered), (sent, pings));
}
