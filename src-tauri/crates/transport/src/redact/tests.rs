use proptest::prelude::*;

use super::patterns::contains;
use super::*;

const KEY: &str = "sk-Canary-0123456789";

fn patterns(secret: &str) -> Arc<Patterns> {
    Arc::new(Patterns::new(&[secret], false).unwrap())
}

/// What the log gets when `input` comes in `pieces`, each at its index as time; checks that times stay in order and with their bytes.
fn log(protocol: Protocol, dir: Dir, secret: &str, pieces: &[&[u8]]) -> Vec<u8> {
    let mut redactor = Redactor::new(patterns(secret), protocol, dir);
    let mut lengths = vec![0; pieces.len()];
    let mut logged = Vec::new();
    let mut take = |t: u64, bytes: Bytes| {
        lengths[t as usize] += bytes.len();
        logged.extend_from_slice(&bytes);
    };
    for (t, piece) in pieces.iter().enumerate() {
        redactor.push(t as u64, Bytes::copy_from_slice(piece), &mut take);
    }
    redactor.flush(&mut take);
    assert_eq!(lengths, pieces.iter().map(|piece| piece.len()).collect::<Vec<_>>());
    logged
}

/// Checks every cut in two and the cut into single bytes against the whole; gives the whole's log.
fn every_split(protocol: Protocol, dir: Dir, secret: &str, input: &[u8]) -> Vec<u8> {
    let whole = log(protocol, dir, secret, &[input]);
    for i in 1..input.len() {
        assert_eq!(log(protocol, dir, secret, &[&input[..i], &input[i..]]), whole, "cut at {i}");
    }
    assert_eq!(log(protocol, dir, secret, &input.chunks(1).collect::<Vec<_>>()), whole);
    assert_eq!(whole.len(), input.len());
    whole
}

#[test]
fn a_key_in_a_head_and_a_body_is_gone_at_every_split() {
    let input = format!("HTTP/1.1 200 OK\r\nX-Echo: {KEY}\r\n\r\n{{\"key\":\"{KEY}\",\"again\":\"{KEY}{KEY}\"}} sk-Canary-01234");
    let expected = input.replace(KEY, &"*".repeat(KEY.len()));
    assert_eq!(every_split(Protocol::Http1, Dir::In, KEY, input.as_bytes()), expected.as_bytes());
}

#[test]
fn a_key_over_chunk_borders_is_gone() {
    let input = b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nab sk-C\r\n3;x=sk-Canary-0123456789\r\nana\r\nc\r\nry-012345678\r\n3\r\n9 z\r\n0\r\nT: sk-Canary-0123456789\r\n\r\n";
    let logged = every_split(Protocol::Http1, Dir::In, KEY, input);
    let expected = b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nab ****\r\n3;x=********************\r\n***\r\nc\r\n************\r\n3\r\n* z\r\n0\r\nT: ********************\r\n\r\n";
    assert_eq!(String::from_utf8_lossy(&logged), String::from_utf8_lossy(expected));
}

fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags, 0, 0, 0, 1], payload].concat()
}

#[test]
fn a_key_over_http2_frames_is_gone_and_padding_does_not_hide_it() {
    let padded = [&[3][..], b"nary-01", &[0; 3]].concat();
    let input =
        [frame(4, 0, &[0; 6]), frame(0, 0, b"x sk-Ca"), frame(6, 0, &[9; 8]), frame(0, 8, &padded), frame(0, 1, b"23456789 y")].concat();
    let logged = every_split(Protocol::Http2, Dir::In, KEY, &input);
    let hidden = [&[3][..], b"*******", &[0; 3]].concat();
    let expected =
        [frame(4, 0, &[0; 6]), frame(0, 0, b"x *****"), frame(6, 0, &[9; 8]), frame(0, 8, &hidden), frame(0, 1, b"******** y")].concat();
    assert_eq!(logged, expected);
}

#[test]
fn a_huffman_coded_key_over_continuations_is_gone() {
    let value = huffman::padded(format!("Bearer {KEY} and more").as_bytes());
    let block = [&[0x1f, 0x08, 0x80 | value.len() as u8][..], &value].concat();
    let input = [frame(1, 0, &block[..9]), frame(9, 0, &block[9..15]), frame(9, 4, &block[15..]), frame(0, 1, b"body")].concat();
    let logged = every_split(Protocol::Http2, Dir::In, KEY, &input);
    let block = [&logged[9..18], &logged[27..33], &logged[42..42 + block.len() - 15]].concat();
    let headers = fluke_hpack::Decoder::new().decode(&block).unwrap();
    let value = String::from_utf8(headers[0].1.clone()).unwrap();
    assert!(value.starts_with("Bearer ****") && value.ends_with(" and more"), "{value}");
    assert!(!value.contains("Canary"));
}

fn masked(first: u8, key: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first, 0x80 | payload.len() as u8];
    frame.extend(key);
    frame.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

#[test]
fn a_key_in_masked_fragments_is_gone_and_the_frames_stay_valid() {
    let head = b"GET / HTTP/1.1\r\nSec-WebSocket-Protocol: realtime, insecure.sk-Canary-0123456789\r\n\r\n".to_vec();
    let frames = |parts: [&[u8]; 4]| {
        [
            masked(1, [1, 2, 3, 4], parts[0]),
            masked(0x89, [7; 4], parts[3]),
            masked(0, [9, 8, 7, 200], parts[1]),
            masked(0x80, [0, 255, 1, 3], parts[2]),
        ]
        .concat()
    };
    let input = [head.clone(), frames([b"say sk-Can", b"ary-01234", b"56789!", b"sk-Canary-0123456789"])].concat();
    let logged = every_split(Protocol::WebSocket, Dir::Out, KEY, &input);
    let head = String::from_utf8(head).unwrap().replace(KEY, &"*".repeat(KEY.len())).into_bytes();
    assert_eq!(logged, [head, frames([b"say ******", b"*********", b"*****!", b"********************"])].concat());
}

#[test]
fn an_event_that_ends_in_no_prefix_is_logged_at_once_and_a_prefix_with_its_own_time() {
    let mut redactor = Redactor::new(patterns(KEY), Protocol::Http1, Dir::In);
    let mut entries = Vec::new();
    let mut push = |t, bytes: &'static [u8], entries: &mut Vec<(u64, Bytes)>| {
        redactor.push(t, Bytes::from_static(bytes), &mut |t, bytes| entries.push((t, bytes)))
    };
    push(1, b"HTTP/1.1 200 OK\r\n\r\ndata: x\n\n", &mut entries);
    assert_eq!(entries.len(), 1);
    push(2, b"data: sk-Can", &mut entries);
    assert_eq!(entries.last().unwrap(), &(2, Bytes::from_static(b"data: ")));
    push(3, b"dy\n\n", &mut entries);
    assert_eq!(entries[2..], [(2, Bytes::from_static(b"sk-Can")), (3, Bytes::from_static(b"dy\n\n"))]);
}

#[test]
fn the_peers_bytes_stay_as_they_are() {
    let bytes = Bytes::from(format!("HTTP/1.1 200 OK\r\n\r\n{KEY}"));
    let mut redactor = Redactor::new(patterns(KEY), Protocol::Http1, Dir::In);
    let mut logged = Vec::new();
    redactor.push(0, bytes.clone(), &mut |_, bytes| logged.extend_from_slice(&bytes));
    assert!(!contains(&logged, KEY.as_bytes()) && contains(&bytes, KEY.as_bytes()));
}

proptest! {
    /// A small alphabet makes secrets that overlap themselves and texts full of their prefixes.
    #[test]
    fn no_split_changes_what_is_replaced(secret in "[ab]{6,9}", text in "[ab]{0,60}", mut cuts in prop::collection::vec(0usize..90, 0..8)) {
        let input = format!("HTTP/1.1 200 OK\r\n\r\n{text}").into_bytes();
        cuts.retain(|&cut| cut <= input.len());
        cuts.extend([0, input.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &input[pair[0]..pair[1]]).collect();
        let logged = log(Protocol::Http1, Dir::In, &secret, &pieces);
        let mut expected = input.clone();
        for i in 0..input.len() {
            if input[i..].starts_with(secret.as_bytes()) {
                expected[i..i + secret.len()].fill(b'*');
            }
        }
        prop_assert_eq!(logged, expected);
    }

    /// Any bytes at all pass through at full length.
    #[test]
    fn nothing_is_lost_whatever_comes(input in prop::collection::vec(any::<u8>(), 0..300), cut in 0usize..300) {
        let cut = cut.min(input.len());
        for protocol in [Protocol::Http1, Protocol::Http2, Protocol::WebSocket] {
            for dir in [Dir::In, Dir::Out] {
                let logged = log(protocol, dir, KEY, &[&input[..cut], &input[cut..]]);
                prop_assert_eq!(&logged, &log(protocol, dir, KEY, &[&input]));
                prop_assert_eq!(logged, input.clone());
            }
        }
    }
}

#[test]
fn a_key_that_a_server_repeats_compressed_is_gone_and_its_messages_read_on() {
    use weir_frames::Limits;
    use weir_frames::ws::deflate::Agreement;
    use weir_frames::ws::{Dissector, Encoder, Item, Side};

    let extensions = "permessage-deflate";
    let head = format!("HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Extensions: {extensions}\r\n\r\n");
    let mut encoder = Encoder::new(Side::Server, Some(Agreement::answer(extensions).unwrap().1));
    let mut input = head.clone().into_bytes();
    let texts = [
        "{\"type\":\"session.created\",\"instructions\":\"be kind, be brief\"}".to_owned(),
        format!("{{\"type\":\"session.updated\",\"key\":\"{KEY}\",\"instructions\":\"be kind, be brief\"}}"),
        // Nothing but references into the message before.
        format!("{{\"type\":\"session.updated\",\"key\":\"{KEY}\"}}"),
        "{\"type\":\"response.created\",\"instructions\":\"be kind\"}".to_owned(),
    ];
    for text in &texts {
        encoder.message(1, text.as_bytes(), false, [0; 4], &mut input);
        encoder.control(9, b"between", [0; 4], &mut input);
    }
    let logged = every_split(Protocol::WebSocket, Dir::In, KEY, &input);
    let mut read = Vec::new();
    Dissector::new(Side::Server, extensions, Limits::default()).push(&logged[head.len()..], &mut |item| match item {
        Item::Message { data, .. } => read.push(String::from_utf8(data.to_vec()).unwrap()),
        Item::Error { message, .. } => panic!("{message}"),
        _ => {}
    });
    let expected: Vec<String> = texts.iter().map(|text| text.replace(KEY, &"*".repeat(KEY.len()))).collect();
    assert_eq!(read, expected);
    assert_ne!(logged, input);
    // Cut off behind the key, nothing of the message is kept.
    let key_ends = input.len() - 60;
    let cut = log(Protocol::WebSocket, Dir::In, KEY, &[&input[..key_ends]]);
    let mut dissector = Dissector::new(Side::Server, extensions, Limits::default());
    dissector.push(&cut[head.len()..], &mut |item| {
        if let Item::Message { data, .. } = item {
            assert!(!contains(data, KEY.as_bytes()));
        }
    });
}

#[test]
fn a_compressed_message_in_fragments_and_one_that_is_no_deflate_keep_no_key() {
    let head = b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n".to_vec();
    // A stored block says the key as it is.
    let length = KEY.len() as u8;
    let stored = [&[0, length, 0, !length, 0xff][..], KEY.as_bytes(), &[0]].concat();
    let fragments = [&[0x41, 9][..], &stored[..9], &[0x89, 1, 7], &[0x80, stored.len() as u8 - 9], &stored[9..]].concat();
    let wrong = [&[0xc1, length + 1, 0xff][..], KEY.as_bytes()].concat();
    let input = [head.clone(), fragments, wrong].concat();
    let logged = every_split(Protocol::WebSocket, Dir::In, KEY, &input);
    assert!(!contains(&logged, KEY.as_bytes()) && !contains(&logged, b"Canary"));
    let (mut read, mut told) = (Vec::new(), Vec::new());
    let limits = weir_frames::Limits::default();
    weir_frames::ws::Dissector::new(weir_frames::ws::Side::Server, "permessage-deflate", limits).push(&logged[head.len()..], &mut |item| {
        match item {
            weir_frames::ws::Item::Message { data, .. } => read.push(data.to_vec()),
            weir_frames::ws::Item::Error { code, .. } | weir_frames::ws::Item::Warning { code, .. } => told.push(code),
            weir_frames::ws::Item::Frame(_) | weir_frames::ws::Item::Incomplete { .. } => {}
        }
    });
    // The first says nothing but a key, the second nothing that could be read.
    assert_eq!(read, [vec![b'*'; KEY.len()], Vec::new()]);
    assert_eq!(told, ["redacted", "redacted"]);
}
