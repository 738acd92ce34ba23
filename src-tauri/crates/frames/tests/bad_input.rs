//! Streams made to exhaust who reads them: each costs memory by the limits, not by what it announces or how long it is, and what it does
//! is told. Everything a test allocates counts, so they take turns.

use std::sync::{Mutex, MutexGuard, PoisonError};

use flate2::{Compress, Compression, FlushCompress};
use peak_alloc::PeakAlloc;
use weir_frames::coding::{self, Bounds, Coding};
use weir_frames::{Limits, array, eventstream, http1, http2, ndjson, sse, ws};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Waits until no other test allocates.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

const MIB: usize = 1 << 20;

/// A unit of 1 MiB, a head of 64 KiB.
const LIMITS: Limits = Limits { unit: MIB, head: 64 << 10 };

/// What was told, by its word, and how often, in the order of the first time.
type Told = Vec<(&'static str, usize)>;

/// A stream: `head`, then `piece` so many times, then `tail`.
struct Stream<'a> {
    head: &'a [u8],
    piece: &'a [u8],
    times: usize,
    tail: &'a [u8],
}

impl Stream<'_> {
    fn parts(&self) -> impl Iterator<Item = &[u8]> {
        [self.head].into_iter().chain(std::iter::repeat_n(self.piece, self.times)).chain([self.tail])
    }
}

fn stream<'a>(head: &'a [u8], piece: &'a [u8], times: usize, tail: &'a [u8]) -> Stream<'a> {
    Stream { head, piece, times, tail }
}

/// Runs `read` and holds what it allocates at once against `most` bytes.
#[track_caller]
fn costs(most: usize, read: impl FnOnce(&mut dyn FnMut(&'static str))) -> Told {
    let mut told: Told = Vec::with_capacity(16);
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    read(&mut |word| match told.iter_mut().find(|(known, _)| *known == word) {
        Some((_, count)) => *count += 1,
        None => told.push((word, 1)),
    });
    let peak = MEMORY.peak_usage().saturating_sub(before);
    assert!(peak <= most, "{peak} bytes, more than {most}: {told:?}");
    told
}

#[track_caller]
fn of_sse(most: usize, stream: &Stream<'_>) -> Told {
    costs(most, |tell| {
        let mut dissector = sse::Dissector::new(LIMITS, "");
        let mut sink = |item: sse::Item<'_>| match item {
            sse::Item::Event(event) => tell(if event.oversized { "oversized" } else { "event" }),
            sse::Item::Comment { .. } => tell("comment"),
            sse::Item::Retry { .. } => tell("retry"),
            sse::Item::Silent { .. } => tell("silent"),
            sse::Item::Incomplete { .. } => tell("incomplete"),
        };
        stream.parts().for_each(|part| dissector.push(part, &mut sink));
        dissector.finish(&mut sink);
    })
}

#[track_caller]
fn of_http1(most: usize, side: http1::Side, stream: &Stream<'_>) -> Told {
    costs(most, |tell| {
        let mut dissector = http1::Dissector::new(side, LIMITS);
        let mut sink = |item: http1::Item<'_>| match item {
            http1::Item::Head(_) => tell("head"),
            http1::Item::Chunk { .. } => tell("chunk"),
            http1::Item::Error { code, .. } | http1::Item::Warning { code, .. } => tell(code),
            http1::Item::Incomplete { .. } => tell("incomplete"),
            _ => {}
        };
        stream.parts().for_each(|part| dissector.push(part, &mut sink));
        dissector.finish(&mut sink);
    })
}

#[track_caller]
fn of_http2(most: usize, stream: &Stream<'_>) -> Told {
    costs(most, |tell| {
        let mut dissector = http2::Dissector::new(http2::Side::Server, LIMITS);
        let mut sink = |item: http2::Item<'_>| match item {
            http2::Item::Frame(frame) => tell(http2::frame_name(frame.kind)),
            http2::Item::Error { code, .. } => tell(code),
            http2::Item::Incomplete { .. } => tell("incomplete"),
            http2::Item::Preface { .. } | http2::Item::Data { .. } => {}
        };
        stream.parts().for_each(|part| dissector.push(part, &mut sink));
        dissector.finish(&mut sink);
    })
}

#[track_caller]
fn of_ws(most: usize, stream: &Stream<'_>) -> Told {
    costs(most, |tell| {
        let mut dissector = ws::Dissector::new(ws::Side::Server, "permessage-deflate", LIMITS);
        let mut sink = |item: ws::Item<'_>| match item {
            ws::Item::Frame(_) => tell("frame"),
            ws::Item::Message { oversized, .. } => tell(if oversized { "oversized" } else { "message" }),
            ws::Item::Error { code, .. } | ws::Item::Warning { code, .. } => tell(code),
            ws::Item::Incomplete { .. } => tell("incomplete"),
        };
        stream.parts().for_each(|part| dissector.push(part, &mut sink));
        dissector.finish(&mut sink);
    })
}

#[test]
fn an_event_of_a_gibibyte() {
    let _turn = turn();
    let piece = vec![b'x'; MIB];
    let event = stream(b"data: ", &piece, 1024, b"\n\ndata: next\n\n");
    assert_eq!(of_sse(4 * MIB, &event), [("oversized", 1), ("event", 1)]);
    // The same in lines: their places are not all kept either.
    let lines = b"data\n".repeat(MIB / 5);
    assert_eq!(of_sse(8 * MIB, &stream(b"", &lines, 1024, b"\ndata: next\n\n")), [("oversized", 1), ("event", 1)]);
}

#[test]
fn a_million_empty_lines() {
    let _turn = turn();
    for end in ["\n", "\r", "\r\n"] {
        let lines = end.repeat(1000);
        let told = of_sse(MIB, &stream(b"", lines.as_bytes(), 1000, b"data: next\n\n"));
        assert_eq!(told, [("event", 1)], "{end:?}");
    }
}

#[test]
fn endless_comments() {
    let _turn = turn();
    let comments = b": keep-alive\n".repeat(1000);
    assert_eq!(of_sse(MIB, &stream(b"", &comments, 1000, b"data: next\n\n")), [("comment", 1_000_000), ("event", 1)]);
    let piece = vec![b'x'; MIB];
    assert_eq!(of_sse(4 * MIB, &stream(b": ", &piece, 1024, b"\ndata: next\n\n")), [("comment", 1), ("event", 1)]);
}

#[test]
fn nul_bytes_and_mixed_newlines() {
    let _turn = turn();
    let piece = vec![0; MIB];
    assert_eq!(of_sse(4 * MIB, &stream(b"", &piece, 256, b"\n\ndata: next\n\n")), [("silent", 1), ("event", 1)]);
    let mixed = b"data: a\r\ndata: b\rdata: c\n\r\ndata: d\r\r\n".repeat(1000);
    let told = of_sse(4 * MIB, &stream(b"", &mixed, 100, b""));
    assert_eq!(told, [("event", 200_000)]);
}

#[test]
fn lengths_that_nobody_could_send() {
    let _turn = turn();
    let over = "9223372036854775808";
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8000000000000000\r\nlittle";
    let length = format!("HTTP/1.1 200 OK\r\nContent-Length: {over}\r\n\r\nlittle");
    for head in [&chunked[..], length.as_bytes()] {
        let told = of_http1(256 << 10, http1::Side::Server, &stream(head, b"more", 1000, b""));
        assert_eq!(told, [("head", 1), ("incomplete", 1)]);
    }
    // A WebSocket frame of 2^63 - 1 bytes, and one of 2^63, which no frame may have.
    let told = of_ws(256 << 10, &stream(b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", b"more", 1000, b""));
    assert_eq!(told, [("incomplete", 1)]);
    let told = of_ws(256 << 10, &stream(b"\x82\x7f\x80\0\0\0\0\0\0\0", b"more", 1000, b""));
    assert_eq!(told.first(), Some(&("length", 1)), "{told:?}");
    // An HTTP/2 frame of 16 MiB.
    let told = of_http2(256 << 10, &stream(b"\0\0\0\x04\0\0\0\0\0\xff\xff\xff\x01\x04\0\0\0\x01", b"more", 1000, b""));
    assert_eq!(told, [("SETTINGS", 1), ("FRAME_SIZE_ERROR", 1), ("incomplete", 1)]);
    // An event stream message of 4 GiB.
    let mut prelude = [&u32::MAX.to_be_bytes()[..], &0u32.to_be_bytes()].concat();
    prelude.extend(crc32fast::hash(&prelude).to_be_bytes());
    let told = costs(256 << 10, |tell| {
        let mut dissector = eventstream::Dissector::new(LIMITS);
        let mut sink = |item: eventstream::Item<'_>| match item {
            eventstream::Item::Incomplete { .. } => tell("incomplete"),
            item => panic!("{item:?}"),
        };
        stream(&prelude, b"more", 1000, b"").parts().for_each(|part| dissector.push(part, &mut sink));
        dissector.finish(&mut sink);
    });
    assert_eq!(told, [("incomplete", 1)]);
}

#[test]
fn heads_and_chunks_without_end() {
    let _turn = turn();
    let field = b"a: b\r\n".repeat(1000);
    let told = of_http1(MIB, http1::Side::Server, &stream(b"HTTP/1.1 200 OK\r\n", &field, 10_000, b""));
    assert_eq!(told, [("head-too-long", 1)]);
    let told =
        of_http1(MIB, http1::Side::Server, &stream(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", &field, 10_000, b""));
    assert_eq!(told, [("head", 1), ("trailers-too-long", 1)]);
    let told = of_http1(MIB, http1::Side::Server, &stream(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", &field, 10_000, b""));
    assert_eq!(told.first(), Some(&("head", 1)));
    let chunks = b"1\r\nx\r\n".repeat(1000);
    let told =
        of_http1(MIB, http1::Side::Server, &stream(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &chunks, 1000, b"0\r\n\r\n"));
    assert_eq!(told, [("head", 1), ("chunk", 1_000_000)]);
    let interim = b"HTTP/1.1 102 Processing\r\n\r\n".repeat(100);
    let told = of_http1(MIB, http1::Side::Server, &stream(b"", &interim, 1000, b"HTTP/1.1 204 No Content\r\n\r\n"));
    assert_eq!(told, [("head", 100_001)]);
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

#[test]
fn floods_of_small_http2_frames() {
    let _turn = turn();
    let settings = frame(4, 0, 0, &[]);
    for (kind, name, payload) in [(6, "PING", &[0; 8][..]), (4, "SETTINGS", &[]), (8, "WINDOW_UPDATE", &[0, 0, 0, 1]), (0, "DATA", &[])] {
        let stream_id = u32::from(kind == 0);
        let flood = frame(kind, 0, stream_id, payload).repeat(1000);
        let told = of_http2(MIB, &stream(&settings, &flood, 1000, b""));
        assert_eq!(told.iter().find(|(word, _)| *word == name).map(|(_, count)| *count), Some(1_000_000 + usize::from(kind == 4)));
    }
    // Streams that are opened and reset at once: nothing is kept of a stream.
    let mut rapid = Vec::new();
    for stream in (1..2001).step_by(2) {
        rapid.extend(frame(1, 4, stream, &[0x88]));
        rapid.extend(frame(3, 0, stream, &[0, 0, 0, 8]));
    }
    let told = of_http2(MIB, &stream(&settings, &rapid, 500, b""));
    assert_eq!(told, [("SETTINGS", 1), ("HEADERS", 500_000), ("RST_STREAM", 500_000)]);
}

#[test]
fn an_hpack_bomb_and_continuations_without_end() {
    let _turn = turn();
    let settings = frame(4, 0, 0, &[]);
    // A field of 4000 bytes is put into the table, then named by one byte each, 16,000 times a frame.
    let mut first = b"\x40\x01a\x7f\xa1\x1e".to_vec();
    first.extend([b'x'; 4000]);
    let head = [settings.clone(), frame(1, 4, 1, &first)].concat();
    let bomb = frame(1, 4, 3, &[0xbe; 16_000]);
    let told = of_http2(2 * MIB, &stream(&head, &bomb, 100, &frame(6, 0, 0, &[0; 8])));
    assert_eq!(told.iter().find(|told| told.0 == "HEADERS"), Some(&("HEADERS", 101)));
    assert_eq!(told.last().map(|told| told.0), Some("PING"), "{told:?}");
    assert!(told.iter().any(|(word, count)| *word == "ENHANCE_YOUR_CALM" && *count == 100), "{told:?}");
    let head = [settings, frame(1, 0, 1, &[0x88])].concat();
    let told = of_http2(MIB, &stream(&head, &frame(9, 0, 1, &[0x88; 16_000]), 10_000, b""));
    assert_eq!(told.iter().find(|told| told.0 == "CONTINUATION"), Some(&("CONTINUATION", 10_000)));
}

#[test]
fn floods_of_small_websocket_frames() {
    let _turn = turn();
    let pings = b"\x89\x04ping".repeat(1000);
    assert_eq!(of_ws(MIB, &stream(b"", &pings, 1000, b"\x81\x02hi")), [("frame", 1_000_001), ("message", 1)]);
    // A message of a million empty fragments, one without end, and a frame of a gibibyte.
    let empty = b"\x00\x00".repeat(1000);
    assert_eq!(of_ws(MIB, &stream(b"\x01\x00", &empty, 1000, b"\x80\x02hi")), [("frame", 1_000_002), ("message", 1)]);
    let fragment = [&b"\x00\x7e\xff\xff"[..], &[b'x'; 0xffff]].concat();
    assert_eq!(
        of_ws(4 * MIB, &stream(b"\x02\x00", &fragment, 5000, b"\x80\x00\x81\x02hi")),
        [("frame", 5003), ("oversized", 1), ("message", 1)]
    );
    let piece = vec![b'x'; MIB];
    assert_eq!(
        of_ws(4 * MIB, &stream(b"\x82\x7f\0\0\0\0\x40\0\0\0", &piece, 1024, b"\x81\x02hi")),
        [("frame", 2), ("oversized", 1), ("message", 1)]
    );
}

#[test]
fn a_deflate_bomb() {
    let _turn = turn();
    // A mebibyte of zeros, over and over: each part needs nothing of those before it.
    let mut compress = Compress::new(Compression::best(), false);
    let mut part = Vec::with_capacity(8 << 10);
    compress.compress_vec(&vec![0; MIB], &mut part, FlushCompress::Full).unwrap();
    let payload = part.repeat(24);
    let payload = &payload[..payload.len() - 4];
    let message = [&b"\xc2\x7e"[..], &(payload.len() as u16).to_be_bytes(), payload].concat();
    assert!(message.len() < 64 << 10, "24 MiB in {} bytes", message.len());
    assert_eq!(of_ws(4 * MIB, &stream(&message, b"", 0, b"\x81\x02hi")), [("frame", 2), ("oversized", 1), ("message", 1)]);
    // The same as a coded body, which may grow fiftyfold here.
    let mut body = b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec();
    body.extend_from_slice(payload);
    let told = costs(4 * MIB, |tell| {
        let mut decoder = coding::Decoder::within(Coding::Gzip, Bounds { floor: MIB as u64, ratio: 50 });
        let mut decoded = 0;
        let mut sink = |item: coding::Item<'_>| match item {
            coding::Item::Data { bytes, .. } => decoded += bytes.len(),
            coding::Item::Error { code, .. } => tell(code),
            _ => {}
        };
        decoder.push(&body, &mut sink);
        decoder.finish(&mut sink);
        assert!(decoded < 8 * MIB, "{decoded}");
    });
    assert_eq!(told, [("bomb", 1)]);
}

#[test]
fn lines_and_elements_of_a_gibibyte() {
    let _turn = turn();
    let piece = vec![b'x'; MIB];
    let told = costs(4 * MIB, |tell| {
        let mut dissector = ndjson::Dissector::new(LIMITS);
        let mut sink = |item: ndjson::Item<'_>| match item {
            ndjson::Item::Line { oversized, .. } => tell(if oversized { "oversized" } else { "line" }),
            ndjson::Item::Blank { .. } => tell("blank"),
            ndjson::Item::Incomplete { .. } => tell("incomplete"),
        };
        stream(b"\"", &piece, 1024, b"\"\n1\n").parts().for_each(|part| dissector.push(part, &mut sink));
        dissector.finish(&mut sink);
    });
    assert_eq!(told, [("oversized", 1), ("line", 1)]);
    let told = costs(4 * MIB, |tell| {
        let mut dissector = array::Dissector::new(LIMITS);
        let mut sink = |item: array::Item<'_>| match item {
            array::Item::Element { oversized, .. } => tell(if oversized { "oversized" } else { "element" }),
            array::Item::End { .. } => tell("end"),
            array::Item::Stray { .. } => tell("stray"),
            array::Item::Incomplete { .. } => tell("incomplete"),
        };
        stream(b"[\"", &piece, 128, b"\",1]").parts().for_each(|part| dissector.push(part, &mut sink));
        dissector.finish(&mut sink);
    });
    assert_eq!(told, [("oversized", 1), ("element", 1), ("end", 1)]);
}
