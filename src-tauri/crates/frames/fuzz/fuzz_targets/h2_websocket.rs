//! WebSocket over HTTP/2: the same items however DATA is divided, a map that holds every byte, and steps in their order.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_frames::http2::websocket::{Step, WebSockets};
use weir_frames::http2::{Header, Side};
use weir_frames::ws::Item;
use weir_frames::{Limits, Span};

fuzz_target!(|input: &[u8]| {
    let Some((&[setup, piece], ops)) = input.split_first_chunk::<2>() else { return };
    let unit = [1 << 20, 0, 10, 200][usize::from(setup & 3)];
    let limits = Limits { unit, head: unit };
    let whole = told(limits, ops, usize::MAX);
    for piece in [1, usize::from(piece).max(1)] {
        assert_eq!(told(limits, ops, piece), whole);
    }
});

const VALUES: [&str; 8] = ["CONNECT", "websocket", "200", "103", "403", "13", "permessage-deflate", "/"];
const NAMES: [&str; 8] =
    [":method", ":protocol", ":status", ":path", ":scheme", ":authority", "sec-websocket-version", "sec-websocket-extensions"];

fn block(kind: u8, fields: &[u8]) -> Vec<Header> {
    let header = |name: &str, value: &str| Header { name: name.into(), value: value.into() };
    let mut headers = match kind {
        0 => vec![header(":method", "CONNECT"), header(":protocol", "websocket"), header("sec-websocket-version", "13")],
        1 => vec![header(":status", "200")],
        2 => vec![header(":status", "200"), header("sec-websocket-extensions", "permessage-deflate")],
        _ => Vec::new(),
    };
    headers.extend(fields.iter().map(|byte| header(NAMES[usize::from(byte & 7)], VALUES[usize::from(byte >> 3 & 7)])));
    headers
}

fn told(limits: Limits, mut ops: &[u8], piece: usize) -> Vec<String> {
    let mut sockets = WebSockets::new(limits);
    let mut items = Vec::new();
    // Where the next DATA payload of either side stands.
    let mut places = [0u64; 2];
    let mut sink = |side: Side, item: Item<'_>| {
        if let Item::Message { data, .. } = &item {
            assert!(data.len() <= limits.unit);
        }
        items.push(format!("{side:?} {item:?}"));
    };
    let mut steps = Vec::new();
    // Each op: what, how many bytes, the bytes.
    while let Some((&[what, length], behind)) = ops.split_first_chunk::<2>() {
        let (bytes, behind) = behind.split_at(usize::from(length).min(behind.len()));
        ops = behind;
        let side = if what & 1 == 0 { Side::Client } else { Side::Server };
        let stream = u32::from(what >> 1 & 1) * 2 + 1;
        match what >> 2 & 3 {
            0 => {
                let had = sockets.has(stream);
                let step = sockets.headers(side, stream, &block(what >> 4 & 3, bytes), &mut sink);
                match &step {
                    Some(Step::Asked { .. }) => assert!(!had && sockets.has(stream)),
                    Some(Step::Opened { .. }) => assert!(had && sockets.map(side, stream).is_some()),
                    Some(Step::Refused { .. }) => assert!(had && !sockets.has(stream)),
                    None => assert_eq!(had, sockets.has(stream)),
                }
                steps.push(format!("{step:?}"));
            }
            1 => sockets.end(side, stream, &mut sink),
            _ => {
                let place = &mut places[usize::from(what & 1)];
                for bytes in bytes.chunks(piece) {
                    let span = Span::new(*place, *place + bytes.len() as u64);
                    let is_socket = sockets.has(stream) && (side == Side::Client || sockets.map(side, stream).is_some());
                    assert_eq!(sockets.data(side, stream, span, bytes, &mut sink), is_socket);
                    *place = span.end;
                }
                // The next frame's header.
                *place += 9;
            }
        }
        if let Some(map) = sockets.map(side, stream) {
            let outer = map.outer(Span::new(0, map.len()));
            assert_eq!(outer.iter().map(|span| span.len()).sum::<u64>(), map.len());
            assert!(outer.last().is_none_or(|span| span.end <= places[usize::from(what & 1)]));
        }
    }
    sockets.finish(&mut sink);
    items.extend(steps);
    items
}
