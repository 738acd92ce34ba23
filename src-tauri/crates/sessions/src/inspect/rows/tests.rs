//! Selections over a stream in memory: chunks that cut events anywhere, rows and carriers of one moment.

use std::sync::Mutex;

use proptest::prelude::*;
use weir_dialects::{Transport, dialect};
use weir_transport::{Dir, Entry};

use super::*;
use crate::analysis::Analysis;
use crate::inspect::parse;

/// Both directions of connection 0, and what was asked for.
#[derive(Default)]
struct Memory {
    sent: Vec<u8>,
    received: Vec<u8>,
    asked: Mutex<u64>,
}

impl Bytes for Memory {
    fn read(&self, _: u32, out: bool, start: u64, len: usize) -> Result<Vec<u8>, crate::Error> {
        let all = if out { &self.sent } else { &self.received };
        let from = (start as usize).min(all.len());
        let found = all[from..(from + len).min(all.len())].to_vec();
        *self.asked.lock().unwrap() += found.len() as u64;
        Ok(found)
    }
}

struct Stream {
    analysis: Analysis,
    memory: Memory,
}

impl Stream {
    fn new() -> Self {
        let mut stream = Self { analysis: Analysis::new(dialect::find("openai-chat").unwrap(), Transport::Sse), memory: Memory::default() };
        stream.push(Dir::Out, 1, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 14\r\n\r\n{\"ask\":\"needle");
        stream.push(Dir::In, 2, b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
        stream
    }

    fn push(&mut self, dir: Dir, t: u64, bytes: &[u8]) {
        match dir {
            Dir::Out => self.memory.sent.extend_from_slice(bytes),
            Dir::In => self.memory.received.extend_from_slice(bytes),
        }
        self.analysis.push(&Entry::Segment { conn: 0, dir, t, bytes: bytes::Bytes::copy_from_slice(bytes) }, &mut |_| {});
    }

    fn ids(&self, filter: &str) -> Vec<u32> {
        let mut selection = Selection::new(parse(filter).unwrap());
        selection.update(&self.analysis.fold, &self.memory);
        selection.ids
    }
}

/// The body of `n` events as chunks of `size` bytes.
fn chunks(n: usize, size: usize) -> Vec<u8> {
    chunked(events(n).as_bytes(), size)
}

fn events(n: usize) -> String {
    let mut body = String::new();
    for at in 0..n {
        body += &format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"tok\\u00e9n {at}\"}}}}],\"n\":{at}}}\n\n");
        if at % 3 == 0 {
            body += ": keep-alive\n\n";
        }
    }
    body += "data: [DONE]\n\n";
    body
}

fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let mut chunked = Vec::new();
    for part in body.chunks(size) {
        chunked.extend(format!("{:x}\r\n", part.len()).bytes());
        chunked.extend_from_slice(part);
        chunked.extend(b"\r\n");
    }
    chunked.extend(b"0\r\n\r\n");
    chunked
}

const FILTERS: [&str; 10] = [
    "kind:text",
    "gap>1ms",
    "layer:chunk,sse",
    "kind:chunk OR kind:comment",
    "layer:chunk \"keep-alive\"",
    "tokén",
    "/tok.n [0-9]*7/",
    "json:$.n>3 -json:$.n=5",
    "(kind:comment OR json:$.choices[0].delta.content~/n 2/) dir:in",
    "-layer:sse",
];

#[test]
fn payloads_are_read_across_chunk_borders() {
    for size in [1, 7, 40, 1000] {
        let mut stream = Stream::new();
        stream.push(Dir::In, 3, &chunks(12, size));
        let count = |filter: &str| stream.ids(filter).len();
        assert_eq!(count("tokén"), 12, "chunks of {size}");
        assert_eq!(count("\"tok\\u00e9n\""), 12);
        assert_eq!(count("/tok.n 1[01]?\"/"), 3);
        assert_eq!(count("json:$.n>3"), 8);
        assert_eq!(count("json:$.n>3 -json:$.n=5"), 7);
        assert_eq!(count("json:$..content~/n 11/"), 1);
        assert_eq!(count("kind:comment OR json:$.n=1"), 5);
        assert_eq!(count("needle"), 1, "what was sent is searched too");
        assert_eq!(count("/nothing of it/"), 0);
    }
}

/// `body` as gzip (RFC 1952) in stored blocks (RFC 1951 §3.2.4): enough for a decoder, and it needs no encoder.
fn gzip(body: &[u8]) -> Vec<u8> {
    let mut coded = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    for part in body.chunks(100) {
        let len = part.len() as u16;
        coded.push(0);
        coded.extend(len.to_le_bytes().into_iter().chain((!len).to_le_bytes()));
        coded.extend_from_slice(part);
    }
    coded.extend([1, 0, 0, 255, 255]);
    let step = |crc: u32| if crc & 1 == 1 { 0xedb8_8320 ^ crc >> 1 } else { crc >> 1 };
    let crc = !body.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| step(crc)));
    coded.extend(crc.to_le_bytes().into_iter().chain((body.len() as u32).to_le_bytes()));
    coded
}

#[test]
fn a_compressed_body_is_searched_as_it_reads() {
    let mut stream = Stream::new();
    let mut followed = Selection::new(parse("json:$.n>3 -json:$.n=5").unwrap());
    stream.push(Dir::In, 3, &chunks(0, 10));
    stream.push(Dir::Out, 4, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    stream.push(
        Dir::In,
        4,
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    for (n, part) in chunked(&gzip(events(40).as_bytes()), 333).chunks(50).enumerate() {
        stream.push(Dir::In, 5 + n as u64, part);
        followed.update(&stream.analysis.fold, &stream.memory);
    }
    let count = |filter: &str| stream.ids(filter).len();
    assert_eq!(count("kind:text"), 40);
    assert_eq!(count("tokén"), 40);
    assert_eq!(count("/tok.n 3[0-9]/"), 10);
    // Rows that the index rules out are decoded over.
    assert_eq!(count("id:30..60 kind:text /tok.n/"), count("id:30..60 kind:text"));
    assert_eq!(stream.ids("json:$.n>3 -json:$.n=5"), followed.ids);
    assert_eq!(followed.ids.len(), 35);
}

#[test]
fn a_search_reads_each_byte_once_and_stops_between_steps() {
    let mut stream = Stream::new();
    stream.push(Dir::In, 3, &chunks(40_000, 4096));
    let whole = stream.memory.received.len() + stream.memory.sent.len();
    let mut selection = Selection::new(parse("/token 3999[0-9]/").unwrap());
    let mut steps = 0;
    loop {
        let step = selection.gather(&stream.analysis.fold);
        let more = step.more;
        selection.settle(step, &stream.memory);
        steps += 1;
        assert_eq!(selection.searched(&stream.analysis.fold).is_some(), more);
        if !more {
            break;
        }
    }
    assert!(steps > 2, "{steps} steps");
    // An event that a window's end cuts is read again with the next.
    let asked = *stream.memory.asked.lock().unwrap() as usize;
    assert!(asked < whole + whole / 10, "{asked} of {whole}");
}

#[test]
fn a_row_longer_than_a_window_is_searched_to_its_end() {
    let mut stream = Stream::new();
    let long = format!("data: {{\"fill\":\"{}\",\"end\":\"nadel\"}}\n\n", "x".repeat(9 << 20));
    stream.push(Dir::In, 3, format!("{:x}\r\n{long}\r\n0\r\n\r\n", long.len()).as_bytes());
    for filter in ["nadel", "/na[d]el/", "json:$.end=nadel"] {
        assert_eq!(stream.ids(&format!("layer:sse {filter}")).len(), 1, "{filter}");
    }
}

#[test]
fn a_byte_leads_to_the_row_that_owns_it() {
    let mut stream = Stream::new();
    stream.push(Dir::In, 3, &chunks(6, 50));
    let Stream { analysis, memory } = &stream;
    let fold = &analysis.fold;
    let find = |words: &[u8], out: bool| {
        let all = if out { &memory.sent } else { &memory.received };
        let at = all.windows(words.len()).position(|w| w == words).unwrap() as u64;
        super::super::row_at(fold, 0, out, at)
    };
    let kind = |id: Option<RowId>| super::super::row(fold, id.unwrap()).unwrap().kind;
    use crate::analysis::Kind;
    assert_eq!(kind(find(b"HTTP/1.1 200", false)), Kind::Head);
    assert_eq!(kind(find(b"keep-alive", false)), Kind::Comment);
    assert_eq!(kind(find(b"u00e9n 3", false)), Kind::Text);
    assert_eq!(kind(find(b"32\r\n", false)), Kind::Chunk);
    assert_eq!(kind(find(b"needle", true)), Kind::Request);
    assert_eq!(super::super::row_at(fold, 0, false, 1 << 40), None);
    assert_eq!(super::super::row_at(fold, 7, false, 0), None);
}

#[test]
fn a_gap_is_the_same_whatever_the_filter_hides() {
    let mut stream = Stream::new();
    // A comment every other 10 ms, and once a pause of 90 ms before an event.
    for n in 0..12_u64 {
        let at = 20_000_000 + n * 10_000_000 + if n > 6 { 80_000_000 } else { 0 };
        let body = if n % 2 == 0 { ": beat\n\n".to_owned() } else { format!("data: {{\"n\":{n}}}\n\n") };
        let open = chunked(body.as_bytes(), 4096);
        // Without the last chunk, which would end the body.
        stream.push(Dir::In, at, &open[..open.len() - 5]);
    }
    let page = |filter: &str| {
        let mut selection = Selection::new(parse(filter).unwrap());
        selection.update(&stream.analysis.fold, &stream.memory);
        selection.page(&stream.analysis.fold, &stream.memory, 0, 100).rows
    };
    let all = page("");
    let gap = |id: u32| all.iter().find(|row| row.id == id).unwrap().gap_ms;
    for filter in ["kind:comment", "-kind:comment", "time:0.06..1s", "gap>9ms"] {
        let shown = page(filter);
        assert!(!shown.is_empty() && shown.len() < all.len(), "{filter}");
        assert!(shown.iter().all(|row| row.gap_ms == gap(row.id)), "{filter}");
    }
    let long = page("gap>50ms");
    assert_eq!(long.iter().map(|row| row.gap_ms).collect::<Vec<_>>(), [90.0]);
    assert!(page("-gap>50ms").iter().all(|row| row.gap_ms <= 50.0));
}

#[test]
fn landmarks_are_found_both_ways() {
    use crate::view::Landmark::{Control, Error};
    let mut stream = Stream::new();
    stream.push(Dir::In, 3, &chunks(6, 50));
    let fold = &stream.analysis.fold;
    let comments = stream.ids("kind:comment");
    let next = |from: Option<u32>, back| super::super::next_row(fold, from.map(RowId), back, Control).map(|id| id.0);
    assert_eq!(next(None, false), Some(comments[0]));
    assert_eq!(next(Some(comments[0]), false), Some(comments[1]));
    assert_eq!(next(Some(comments[1]), false), None);
    assert_eq!(next(Some(comments[1]), true), Some(comments[0]));
    assert_eq!(next(None, true), Some(comments[1]));
    assert_eq!(super::super::next_row(fold, None, false, Error), None);
}

proptest! {
    #[test]
    fn results_do_not_depend_on_when_one_looked(
        size in 1_usize..200,
        reads in proptest::collection::vec((1_usize..300, 0_u64..3, any::<bool>()), 1..60),
    ) {
        let mut stream = Stream::new();
        let mut followed: Vec<Selection> = FILTERS.iter().map(|filter| Selection::new(parse(filter).unwrap())).collect();
        let body = chunks(20, size);
        let (mut at, mut t) = (0, 3);
        for (len, wait, look) in reads.into_iter().chain([(usize::MAX, 1, true)]) {
            t += wait * 600_000;
            let end = at + len.min(body.len() - at);
            stream.push(Dir::In, t, &body[at..end]);
            at = end;
            if look {
                for selection in &mut followed {
                    selection.update(&stream.analysis.fold, &stream.memory);
                }
            }
        }
        for (filter, selection) in FILTERS.iter().zip(&followed) {
            prop_assert_eq!(&selection.ids, &stream.ids(filter), "{}", filter);
        }
    }
}
