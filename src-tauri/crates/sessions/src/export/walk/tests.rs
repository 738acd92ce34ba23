use weir_frames::ws::deflate::Agreement;
use weir_frames::ws::{Encoder, Side};

use super::*;

/// An HTTP/2 frame on stream 1.
fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let len = (payload.len() as u32).to_be_bytes();
    [&len[1..], &[kind, flags, 0, 0, 0, u8::from(kind != 4)], payload].concat()
}

/// Fields as HPACK literals without indexing (RFC 7541 §6.2.2).
fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
    fields.iter().flat_map(|(name, value)| [vec![0], text(name), text(value)].concat()).collect()
}

fn asked() -> Vec<u8> {
    let fields = [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":path", "/chat"), (":authority", "x")];
    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(4, 0, &[]), frame(1, 4, &block(&fields))].concat()
}

/// What is told of a script whose part `cut` comes in two pieces, parted at `at`; adjoining pieces of a body as one.
fn told(script: &[(RecordKind, Vec<u8>)], cut: usize, at: usize) -> Vec<String> {
    let mut wire = Wire::new(7);
    let mut told: Vec<String> = Vec::new();
    for (n, (dir, bytes)) in script.iter().enumerate() {
        let (one, two) = bytes.split_at(if n == cut { at } else { 0 });
        for piece in [one, two].into_iter().filter(|piece| !piece.is_empty()) {
            wire.push(*dir, n as u64, piece, &mut |part| match part {
                Part::Head { of, head, .. } => told.push(format!("{of:?} {}{} {}", head.method, head.status, head.protocol)),
                Part::Message { of, dir, opcode, data, .. } => {
                    told.push(format!("{of:?} {dir:?} {opcode} {}", String::from_utf8_lossy(data)));
                }
                Part::Body { bytes, .. } => match told.last_mut().filter(|last| last.starts_with("body")) {
                    Some(last) => last.push_str(&String::from_utf8_lossy(bytes)),
                    None => told.push(format!("body {}", String::from_utf8_lossy(bytes))),
                },
            });
        }
    }
    told
}

#[test]
fn a_socket_over_http2_tells_its_messages_wherever_it_is_cut() {
    for deflate in [false, true] {
        for early in [false, true] {
            let agreed = || deflate.then(|| Agreement::answer("permessage-deflate").expect("agreed").1);
            let mut said = Vec::new();
            Encoder::new(Side::Client, agreed()).message(1, "hello, hello, hello".as_bytes(), false, [1, 2, 3, 4], &mut said);
            let mut spoken = Vec::new();
            Encoder::new(Side::Server, agreed()).message(2, "and to you, to you, to you".as_bytes(), false, [0; 4], &mut spoken);
            let extension = [(":status", "200"), ("sec-websocket-extensions", "permessage-deflate")];
            let answered = [frame(4, 0, &[]), frame(1, 4, &block(&extension[..1 + usize::from(deflate)]))].concat();
            let said: Vec<u8> = said.chunks(7).flat_map(|piece| frame(0, 0, piece)).collect();
            let spoken: Vec<u8> = spoken.chunks(9).flat_map(|piece| frame(0, 0, piece)).collect();
            let mut script =
                vec![(RecordKind::Out, asked()), (RecordKind::In, answered), (RecordKind::Out, said), (RecordKind::In, spoken)];
            if early {
                script.swap(1, 2);
            }
            for (cut, (_, part)) in script.iter().enumerate() {
                for at in 0..part.len() {
                    let expected = [
                        "Exchange(7, 1) CONNECT0 websocket",
                        "Exchange(7, 1) 200 ",
                        "Exchange(7, 1) Out 1 hello, hello, hello",
                        "Exchange(7, 1) In 2 and to you, to you, to you",
                    ];
                    assert_eq!(told(&script, cut, at), expected, "part {cut} cut at {at}");
                }
            }
        }
    }
}

#[test]
fn a_refused_socket_has_a_body() {
    let answered = [frame(4, 0, &[]), frame(1, 4, &block(&[(":status", "403")])), frame(0, 1, b"not here")].concat();
    let script = [(RecordKind::Out, asked()), (RecordKind::In, answered)];
    for at in 0..script[1].1.len() {
        assert_eq!(told(&script, 1, at), ["Exchange(7, 1) CONNECT0 websocket", "Exchange(7, 1) 403 ", "body not here"]);
    }
}
