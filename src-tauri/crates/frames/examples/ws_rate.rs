//! How fast WebSocket bytes are read, against tungstenite reading the same bytes from memory.
//! `cargo run --release -p weir-frames --example ws_rate`
#![allow(clippy::print_stdout)]

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Message, WebSocket};
use weir_frames::Limits;
use weir_frames::ws::{Dissector, Item, Side};

/// Reads from memory, writes nowhere (or, when `written` is set, there).
struct Memory<'a> {
    bytes: &'a [u8],
    written: Option<Vec<u8>>,
}

impl Read for Memory<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(out)
    }
}

impl Write for Memory<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(written) = &mut self.written {
            written.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The best of five.
fn best(mut run: impl FnMut() -> usize) -> (Duration, usize) {
    let mut best = (Duration::MAX, 0);
    for _ in 0..5 {
        let start = Instant::now();
        let read = run();
        best = best.min((start.elapsed(), read));
    }
    best
}

fn main() {
    for (count, size) in [(300_000, 200), (300_000, 1000), (20_000, 16 << 10), (200, 2 << 20)] {
        for (role, reader, side) in [(Role::Server, Role::Client, Side::Server), (Role::Client, Role::Server, Side::Client)] {
            let mut writer = WebSocket::from_raw_socket(Memory { bytes: &[], written: Some(Vec::new()) }, role, None);
            let text = "{\"delta\":\"é\"}".repeat(size / 14 + 1);
            for _ in 0..count {
                if writer.send(Message::text(text.as_str())).is_err() {
                    return;
                }
            }
            let bytes = writer.into_inner().written.unwrap_or_default();
            let ours = best(|| {
                let mut dissector = Dissector::new(side, "", Limits::default());
                let mut read = 0;
                for piece in bytes.chunks(64 << 10) {
                    dissector.push(piece, &mut |item| {
                        if let Item::Message { data, .. } = item {
                            read += data.len();
                        }
                    });
                }
                read
            });
            let theirs = best(|| {
                let mut socket = WebSocket::from_raw_socket(Memory { bytes: &bytes, written: None }, reader, None);
                let mut read = 0;
                while let Ok(message) = socket.read() {
                    read += message.len();
                }
                read
            });
            assert_eq!(ours.1, theirs.1);
            let rate = |time: Duration| bytes.len() as f64 / time.as_secs_f64() / 1e6;
            println!(
                "{count} messages of {size} B, {side:?}: {:.0} MB/s, tungstenite {:.0} MB/s, {:.1}x",
                rate(ours.0),
                rate(theirs.0),
                theirs.0.as_secs_f64() / ours.0.as_secs_f64()
            );
        }
    }
}
