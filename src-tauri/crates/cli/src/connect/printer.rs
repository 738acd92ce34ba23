//! Both directions of the socket on their way to standard output: the tap's log, taken apart.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::Notify;
use weir_frames::ws::{Dissector, Side};
use weir_frames::{Limits, http1};
use weir_sessions::console::Recording;
use weir_transport::{Dir, Entry, JournalReader};

use crate::dissect::ws::row;

/// Prints what the journal holds, on a thread of its own.
pub struct Printer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    /// A byte was sent.
    sent: AtomicBool,
    failed: Mutex<Option<io::Error>>,
    unheard: Notify,
}

impl Printer {
    /// Prints until the journal is over, and keeps it where a recording is given.
    pub fn start(reader: JournalReader, quiet: bool, recording: Option<Recording>) -> Self {
        let shared = Arc::<Shared>::default();
        let mine = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("printer".into()).spawn(move || print(reader, &mine, quiet, recording));
        // Without the thread its reader is gone, and the journal goes nowhere: the socket still works.
        Self { shared, thread: thread.map_err(|error| crate::out::note(&format!("weir-cli: Nothing can be printed: {error}"))).ok() }
    }

    /// Resolves when standard output cannot be written.
    pub async fn unheard(&self) {
        self.shared.unheard.notified().await;
    }

    /// Waits until everything is printed; the journal must be over or about to be. Tells whether a byte was sent, and how the printing went.
    pub fn finish(self) -> (bool, io::Result<()>) {
        if let Some(thread) = self.thread {
            // A panic has told itself.
            let _ = thread.join();
        }
        let failed = self.shared.failed.lock().unwrap_or_else(PoisonError::into_inner).take();
        (self.shared.sent.load(Relaxed), failed.map_or(Ok(()), Err))
    }
}

fn print(mut reader: JournalReader, shared: &Shared, quiet: bool, mut recording: Option<Recording>) {
    let mut socket = Socket::new();
    let (mut entries, mut rows) = (Vec::new(), Vec::new());
    let mut heard = true;
    loop {
        let came = reader.recv_many(&mut entries) > 0;
        recording = recording.and_then(|recording| crate::dial::keep(recording, &entries));
        for entry in entries.drain(..) {
            if let Entry::Segment { dir, bytes, .. } = entry {
                shared.sent.fetch_or(dir == Dir::Out, Relaxed);
                if !quiet && heard {
                    socket.push(dir, &bytes, &mut rows);
                }
            }
        }
        if !came && heard && !quiet {
            socket.finish(&mut rows);
        }
        let mut out = io::stdout().lock();
        if let Err(error) = out.write_all(&rows).and_then(|()| out.flush()) {
            heard = false;
            *shared.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            shared.unheard.notify_one();
        }
        rows.clear();
        rows.shrink_to(1 << 20);
        if !came {
            return crate::dial::kept(recording);
        }
    }
}

/// The two directions of a WebSocket from its handshake on. Spans count from the first byte behind the handshake, in each direction.
struct Socket {
    answers: http1::Dissector,
    /// Once the server has switched: what was received, what was sent.
    frames: Option<[Dissector; 2]>,
}

impl Socket {
    fn new() -> Self {
        Self { answers: http1::Dissector::new(Side::Server, Limits::default()), frames: None }
    }

    fn push(&mut self, dir: Dir, bytes: &[u8], rows: &mut Vec<u8>) {
        match (dir, &mut self.frames) {
            (Dir::In, Some([received, _])) => received.push(bytes, &mut |item| row(item, Some("in"), rows)),
            (Dir::In, None) => self.answer(bytes, rows),
            (Dir::Out, Some([_, sent])) => sent.push(bytes, &mut |item| row(item, Some("out"), rows)),
            // The request's head: no frame is sent before the server has switched.
            (Dir::Out, None) => {}
        }
    }

    fn answer(&mut self, bytes: &[u8], rows: &mut Vec<u8>) {
        let (frames, mut switched) = (&mut self.frames, None);
        self.answers.push(bytes, &mut |item| match item {
            http1::Item::Head(head) if head.status == 101 => {
                let values = head.headers.iter().filter(|field| field.name.eq_ignore_ascii_case(b"sec-websocket-extensions"));
                let agreed = values.map(|field| String::from_utf8_lossy(field.value)).collect::<Vec<_>>().join(", ");
                switched = Some(agreed);
            }
            http1::Item::Upgraded { bytes, .. } => {
                let agreed = switched.take().unwrap_or_default();
                let [received, _] = frames.get_or_insert_with(|| both(&agreed));
                received.push(bytes, &mut |item| row(item, Some("in"), rows));
            }
            _ => {}
        });
        if let Some(agreed) = switched {
            self.frames = Some(both(&agreed));
        }
    }

    fn finish(&mut self, rows: &mut Vec<u8>) {
        if let Some([received, sent]) = &mut self.frames {
            received.finish(&mut |item| row(item, Some("in"), rows));
            sent.finish(&mut |item| row(item, Some("out"), rows));
        }
    }
}

fn both(agreed: &str) -> [Dissector; 2] {
    [Side::Server, Side::Client].map(|side| Dissector::new(side, agreed, Limits::default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_both_directions_are_found_behind_the_handshake_however_it_is_cut() {
        let answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00";
        let mut expected = None;
        for at in 0..=answer.len() {
            let (mut socket, mut rows) = (Socket::new(), Vec::new());
            socket.push(Dir::Out, b"GET / HTTP/1.1\r\n\r\n", &mut rows);
            socket.push(Dir::In, &answer[..at], &mut rows);
            socket.push(Dir::In, &answer[at..], &mut rows);
            socket.push(Dir::Out, b"\x89\x80abcd\x81", &mut rows);
            socket.finish(&mut rows);
            let rows = String::from_utf8(rows).unwrap();
            assert_eq!(expected.get_or_insert_with(|| rows.clone()), &rows, "cut at {at}");
        }
        let lines: Vec<serde_json::Value> = expected.unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let told: Vec<_> = lines.iter().map(|line| (line["dir"].as_str().unwrap(), line["kind"].as_str().unwrap())).collect();
        assert_eq!(told, [("in", "frame"), ("in", "message"), ("out", "frame"), ("out", "incomplete")]);
        assert_eq!((&lines[1]["text"], &lines[1]["deflated"], &lines[0]["span"]), (&"Hello".into(), &7.into(), &serde_json::json!([0, 9])));
    }
}
