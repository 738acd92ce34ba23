//! Megabytes per second of the dissectors on what model APIs send: `cargo run --release --example throughput`.
#![allow(clippy::print_stdout, reason = "its result goes to the terminal")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use weir_frames::{Limits, http1, json, ndjson, sse};

/// Bytes of one read of a socket.
const READ: usize = 16 << 10;

fn main() {
    let payload =
        format!(r#"{{"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{{"delta":{{"content":"{}"}}}}]}}"#, "word ".repeat(48));
    let event = format!("data: {payload}\n\n");
    let stream = event.repeat(60_000);
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned()
        + &format!("{:x}\r\n{event}\r\n", event.len()).repeat(60_000)
        + "0\r\n\r\n";
    let named = format!("event: content_block_delta\r\ndata: {payload}\r\n\r\n").repeat(60_000);
    let lines = format!("{payload}\n").repeat(60_000);
    println!("events of {} bytes, reads of {READ}", event.len());

    measure("sse", stream.as_bytes(), || {
        let mut dissector = sse::Dissector::default();
        each_read(stream.as_bytes(), |read| dissector.push(read, &mut |item| see(&item)));
    });
    measure("sse, named, CRLF", named.as_bytes(), || {
        let mut dissector = sse::Dissector::default();
        each_read(named.as_bytes(), |read| dissector.push(read, &mut |item| see(&item)));
    });
    measure("http1, chunked", chunked.as_bytes(), || {
        let mut dissector = http1::Dissector::new(http1::Side::Server, Limits::default());
        each_read(chunked.as_bytes(), |read| dissector.push(read, &mut |item| see(&item)));
    });
    measure("http1 and sse", chunked.as_bytes(), || {
        let mut body = http1::Dissector::new(http1::Side::Server, Limits::default());
        let mut events = sse::Dissector::default();
        each_read(chunked.as_bytes(), |read| {
            body.push(read, &mut |item| {
                if let http1::Item::Data { bytes, .. } = item {
                    events.push(bytes, &mut |item| see(&item));
                }
            });
        });
    });
    measure("ndjson", lines.as_bytes(), || {
        let mut dissector = ndjson::Dissector::default();
        each_read(lines.as_bytes(), |read| dissector.push(read, &mut |item| see(&item)));
    });
    measure("json", lines.as_bytes(), || {
        for line in lines.lines() {
            black_box(json::parse(line.as_bytes()));
        }
    });
}

/// Keeps the item from being optimised away.
fn see<T>(item: &T) {
    black_box(item);
}

fn each_read(bytes: &[u8], push: impl FnMut(&[u8])) {
    bytes.chunks(READ).for_each(push);
}

/// The best of five runs: the others met somebody else's work.
fn measure(name: &str, bytes: &[u8], mut run: impl FnMut()) {
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed());
    }
    println!("{name:18} {:7.0} MB/s", bytes.len() as f64 / best.as_secs_f64() / 1e6);
}
