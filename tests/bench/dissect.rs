//! Dissection with ranges, on the same bytes in memory: no socket, no disk, one core, whose time is what counts.

use std::hint::black_box;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use eventsource_stream::Eventsource;
use futures_util::{FutureExt, StreamExt, stream};
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Message, WebSocket};
use weir_frames::{Limits, http1, sse, ws};
use weir_tests::flood::event;

use crate::table::Table;
use crate::{Failure, folder, takers};

/// Bytes of one read: what Node's fetch and hyper hand on at most.
const READ: usize = 64 << 10;
/// Runs of each; the best counts, for the others met somebody else's work.
const RUNS: usize = 7;

/// Event streams and WebSocket frames.
pub fn measure(table: &mut Table) -> Result<(), Failure> {
    events(table)?;
    long_line(table);
    frames(table)
}

/// The best of some runs, each of which gives its time and what it counted.
fn best(runs: usize, mut run: impl FnMut() -> (Duration, usize)) -> (Duration, usize) {
    (0..runs).map(|_| run()).min().unwrap_or_default()
}

/// The time on a core, which what else the machine does is no part of.
fn timed(run: impl FnOnce() -> usize) -> (Duration, usize) {
    let start = on_core();
    let counted = run();
    (on_core().saturating_sub(start), counted)
}

/// The processor time of this thread so far.
#[cfg(target_os = "linux")]
fn on_core() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// Elsewhere the time on the wall: keep the machine idle.
#[cfg(not(target_os = "linux"))]
fn on_core() -> Duration {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed()
}

fn rate(bytes: usize, time: Duration) -> f64 {
    bytes as f64 / time.as_secs_f64() / 1e6
}

fn shown(rate: f64) -> String {
    format!("{rate:.0} MB/s")
}

/// An event stream by ours, with the ranges of events and of their data, and by others, which know no ranges.
fn events(table: &mut Table) -> Result<(), Failure> {
    let kinds: [(&str, String); 3] = [
        ("SSE, events of 330 B", (0..200_000).map(|_| event(" the", 330)).collect()),
        ("SSE, named events of 330 B, CRLF", (0..200_000).map(|_| named(event(" the", 304))).collect()),
        ("SSE, events of 4 kB", (0..16_000).map(|_| event(" the", 4_000)).collect()),
    ];
    for (n, (what, text)) in kinds.into_iter().enumerate() {
        let body = text.into_bytes();
        let file = folder()?.join("events.sse");
        std::fs::write(&file, &body)?;
        table.part(&format!("Dissection with ranges, {} MB in memory, reads of {} kB: {what}", body.len() / 1_000_000, READ >> 10));
        let (time, counted) = best(RUNS, || timed(|| dissected(&body)));
        let (node, by_node) = fed(&file)?;
        std::fs::remove_file(&file)?;
        expect("Node", by_node, counted)?;
        let ours = rate(body.len(), time);
        table.target("Weir", shown(ours), ">= 500 MB/s", ours >= 500.0);
        table.figure("Node, eventsource-parser", shown(rate(body.len(), node)));
        let times = node.as_secs_f64() / time.as_secs_f64();
        table.target("times as fast as Node", format!("{times:.2}"), ">= 3", times >= 3.0);
        if n == 0 {
            let (theirs, by_stream) = best(3, || timed(|| by_eventsource_stream(&body)));
            expect("eventsource-stream", by_stream, counted)?;
            table.figure("eventsource-stream", shown(rate(body.len(), theirs)));
            let chunked = chunked(&body);
            let (time, _) = best(RUNS, || timed(|| out_of_chunks(&chunked)));
            table.figure("Weir, out of HTTP/1.1 chunks, a chunk an event", shown(rate(chunked.len(), time)));
        }
    }
    Ok(())
}

fn expect(who: &str, counted: usize, right: usize) -> Result<(), Failure> {
    if counted == right { Ok(()) } else { Err(format!("{who} counted {counted} of {right}").into()) }
}

/// The event with a type, and lines that end in CRLF.
fn named(event: String) -> String {
    format!("event: content_block_delta\r\n{}", event.replace('\n', "\r\n"))
}

/// Events and, so that no range is optimised away, the sum of all.
fn dissected(body: &[u8]) -> usize {
    let (mut dissector, mut count, mut sum) = (sse::Dissector::default(), 0, 0);
    let mut sink = |item: sse::Item<'_>| {
        if let sse::Item::Event(event) = &item {
            count += 1;
            sum += event.span.len() + event.lines.iter().map(|line| line.start).sum::<u64>();
            black_box(&event.data);
        }
    };
    body.chunks(READ).for_each(|read| dissector.push(read, &mut sink));
    dissector.finish(&mut sink);
    black_box(sum);
    count
}

fn chunked(body: &[u8]) -> Vec<u8> {
    let mut bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for event in body.chunks(330) {
        bytes.extend_from_slice(format!("{:x}\r\n", event.len()).as_bytes());
        bytes.extend_from_slice(event);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

fn out_of_chunks(bytes: &[u8]) -> usize {
    let (mut http, mut events, mut count) = (http1::Dissector::new(http1::Side::Server, Limits::default()), sse::Dissector::default(), 0);
    http.expect(b"POST");
    for read in bytes.chunks(READ) {
        http.push(read, &mut |item| match item {
            http1::Item::Data { bytes, .. } => events.push(bytes, &mut |item| count += usize::from(matches!(item, sse::Item::Event(_)))),
            item => drop(black_box(item)),
        });
    }
    count
}

fn by_eventsource_stream(body: &[u8]) -> usize {
    let mut events = stream::iter(body.chunks(READ).map(Ok::<_, io::Error>)).eventsource();
    let mut count = 0;
    while let Some(Some(Ok(event))) = events.next().now_or_never() {
        black_box(&event);
        count += 1;
    }
    count
}

/// Node's eventsource-parser on the bytes of a file, read beforehand; its best run, by its processor time or the wall's, whichever is less.
fn fed(file: &Path) -> Result<(Duration, usize), Failure> {
    let output =
        Command::new("node").arg(takers::node_folder()?.join("feed.mjs")).arg(file).args([READ.to_string(), RUNS.to_string()]).output()?;
    takers::told_by_node(&output)
}

/// A line that comes in a thousand bytes at a time: twice as long must take twice as long.
fn long_line(table: &mut Table) {
    table.part("One SSE line in reads of 1 kB");
    let mut times = Vec::new();
    for size in [1_usize, 2, 4, 8] {
        let mut body = b"data: ".to_vec();
        body.resize((size << 20) - 2, b'x');
        body.extend_from_slice(b"\n\n");
        let (time, _) = best(RUNS, || {
            timed(|| {
                let (mut dissector, mut found) = (sse::Dissector::default(), 0);
                for read in body.chunks(1_000) {
                    dissector.push(read, &mut |item| {
                        if let sse::Item::Event(event) = item {
                            found += event.data.len();
                        }
                    });
                }
                assert_eq!(found, body.len() - 8);
                found
            })
        });
        table.figure(&format!("{size} MiB"), format!("{:.2} ms", time.as_secs_f64() * 1e3));
        times.push(time);
    }
    // The shorter ones fit into the processor's caches: what doubling costs shows beyond them. Square, it would be four.
    let times = times[3].as_secs_f64() / times[2].as_secs_f64();
    table.target("8 MiB takes times 4 MiB's time", format!("{times:.1}"), "<= 3", times <= 3.0);
}

/// Reads from memory, writes nowhere, or into a buffer.
struct Memory<'a> {
    bytes: &'a [u8],
    written: Vec<u8>,
}

impl Read for Memory<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(out)
    }
}

impl Write for Memory<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// WebSocket frames by ours, with the ranges of frames and messages, and by tungstenite, which knows none.
fn frames(table: &mut Table) -> Result<(), Failure> {
    for (count, size) in [(200_000, 330), (60_000, 1_000), (4_000, 16_000)] {
        for (role, reader, side, from) in [
            (Role::Server, Role::Client, ws::Side::Server, "a server's"),
            (Role::Client, Role::Server, ws::Side::Client, "a client's, masked"),
        ] {
            let mut writer = WebSocket::from_raw_socket(Memory { bytes: &[], written: Vec::new() }, role, None);
            let text = weir_tests::flood::message(" thé", 1, size);
            for _ in 0..count {
                writer.write(Message::text(text.as_str()))?;
            }
            writer.flush()?;
            let bytes = writer.into_inner().written;
            table
                .part(&format!("Dissection with ranges, {} MB in memory: WebSocket messages of {size} B, {from}", bytes.len() / 1_000_000));
            let (ours, counted) = best(RUNS, || timed(|| read_by_ours(&bytes, side)));
            let (theirs, by_theirs) = best(RUNS, || timed(|| read_by_tungstenite(&bytes, reader)));
            expect("tungstenite", by_theirs, counted)?;
            table.figure("Weir", shown(rate(bytes.len(), ours)));
            table.figure("tungstenite", shown(rate(bytes.len(), theirs)));
            let times = theirs.as_secs_f64() / ours.as_secs_f64();
            table.target("times as fast as tungstenite", format!("{times:.2}"), ">= 1", times >= 1.0);
        }
    }
    Ok(())
}

fn read_by_ours(bytes: &[u8], side: ws::Side) -> usize {
    let (mut dissector, mut count, mut sum) = (ws::Dissector::new(side, "", Limits::default()), 0, 0);
    for read in bytes.chunks(READ) {
        dissector.push(read, &mut |item| match &item {
            ws::Item::Message { data, .. } => {
                count += 1;
                black_box(data);
            }
            ws::Item::Frame(frame) => sum += frame.span.start,
            _ => {}
        });
    }
    black_box(sum);
    count
}

fn read_by_tungstenite(bytes: &[u8], role: Role) -> usize {
    let mut socket = WebSocket::from_raw_socket(Memory { bytes, written: Vec::new() }, role, None);
    let mut count = 0;
    while let Ok(message) = socket.read() {
        black_box(message);
        count += 1;
    }
    count
}
