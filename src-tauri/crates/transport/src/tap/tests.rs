use std::future::poll_fn;

use tokio::io::{AsyncWriteExt, duplex};

use super::*;
use crate::tests::record;

#[tokio::test]
async fn logs_what_passes_and_the_end() {
    let recording = record();
    let (inner, mut peer) = duplex(1000);
    let mut tap = Tap::new(inner, recording.journal.clone(), 3, None, Protocol::Http1);
    tap.watch(End::After(5));
    tap.write_all(b"hello").await.unwrap();
    peer.write_all(b"world").await.unwrap();
    drop(peer);
    // A reader with a small buffer gets everything, from one read of the stream.
    let (mut read, mut small) = (Vec::new(), [0; 2]);
    while let length @ 1.. = tap.read(&mut small).await.unwrap() {
        read.extend_from_slice(&small[..length]);
    }
    assert_eq!(read, b"world");
    drop(tap);
    let log = recording.finish();
    assert_eq!(log.outline(), "out sent in eof");
    assert_eq!((log.bytes(Dir::Out), log.bytes(Dir::In)), (b"hello".to_vec(), b"world".to_vec()));
    assert_eq!(log.0.len(), 4);
}

#[tokio::test]
async fn a_full_journal_stops_reading() {
    let (journal, mut reader) = crate::channel(10_000);
    let (inner, mut peer) = duplex(4096);
    let mut tap = Tap::new(inner, journal.clone(), 0, None, Protocol::Http1);
    let sink = tokio::spawn(async move { tokio::io::copy(&mut tap, &mut tokio::io::sink()).await });
    // Nobody takes from the journal: the writer gets stuck once journal and pipe are full.
    let mut written = 0;
    while tokio::time::timeout(std::time::Duration::from_millis(200), peer.write_all(&[1; 1024])).await.is_ok() {
        written += 1024;
        assert!(written < 100_000, "nothing holds the writer back");
    }
    assert!(journal.queued() < 10_000 + 2 * 4096 + 1000, "{}", journal.queued());
    // As soon as somebody does, it goes on.
    let drain = std::thread::spawn(move || {
        let (mut batch, mut total) = (Vec::new(), 0);
        while reader.recv_many(&mut batch) > 0 {
            total +=
                batch.drain(..).map(|entry| if let crate::Entry::Segment { bytes, .. } = entry { bytes.len() } else { 0 }).sum::<usize>();
        }
        total
    });
    for _ in 0..100 {
        peer.write_all(&[2; 1024]).await.unwrap();
    }
    drop(peer);
    let copied = sink.await.unwrap().unwrap();
    drop(journal);
    assert_eq!(drain.join().unwrap() as u64, copied);
}

#[tokio::test]
async fn vectored_writes_are_one_segment() {
    let recording = record();
    let (inner, _peer) = duplex(7);
    let mut tap = Tap::new(inner, recording.journal.clone(), 0, None, Protocol::Http1);
    let bufs = [io::IoSlice::new(b"abc"), io::IoSlice::new(b"defgh"), io::IoSlice::new(b"i")];
    let length = poll_fn(|cx| Pin::new(&mut tap).poll_write_vectored(cx, &bufs)).await.unwrap();
    drop(tap);
    assert_eq!(recording.finish().bytes(Dir::Out), b"abcdefghi"[..length]);
}

#[test]
fn the_end_of_an_http2_request_is_seen_at_every_split() {
    let frame = |kind, flags, length: usize| [&[0, 0, length as u8, kind, flags, 0, 0, 0, 1][..], &vec![1; length]].concat();
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    // SETTINGS with ACK has the flag 1 as well, on stream 0.
    let input = [preface, frame(4, 1, 0), frame(1, 4, 20), frame(0, 0, 9), frame(0, 1, 5)].concat();
    for cut in 0..input.len() {
        let mut frames = Frames::new();
        assert!(!frames.end_stream(&input[..cut]), "{cut}");
        assert!(frames.end_stream(&input[cut..]), "{cut}");
    }
}

/// A key that a server repeats in compressed messages is in the journal neither as bytes nor inflated.
#[tokio::test]
async fn a_key_in_compressed_messages_is_not_in_the_journal() {
    use weir_frames::Limits;
    use weir_frames::ws::deflate::Agreement;
    use weir_frames::ws::{Dissector, Encoder, Item, Side};

    use crate::tests::CANARY;

    for extensions in ["permessage-deflate", "permessage-deflate; server_no_context_takeover; server_max_window_bits=9"] {
        let head = format!("HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Extensions: {extensions}\r\n\r\n");
        let mut encoder = Encoder::new(Side::Server, Some(Agreement::answer(extensions).unwrap().1));
        let mut sent = head.clone().into_bytes();
        let texts: Vec<String> = (0..20).map(|n| format!("{{\"type\":\"session.updated\",\"n\":{n},\"key\":\"{CANARY}\"}}")).collect();
        for text in &texts {
            encoder.message(1, text.as_bytes(), false, [0; 4], &mut sent);
        }
        let recording = record();
        let (inner, mut peer) = duplex(100);
        let patterns = Arc::new(Patterns::new(&[CANARY], false).unwrap());
        let mut tap = Tap::new(inner, recording.journal.clone(), 0, Some(&patterns), Protocol::WebSocket);
        let wire = sent.clone();
        let server = tokio::spawn(async move { peer.write_all(&wire).await.unwrap() });
        let mut read = Vec::new();
        tap.read_to_end(&mut read).await.unwrap();
        server.await.unwrap();
        assert_eq!(read, sent, "the peer's bytes stay as they are");
        drop(tap);
        let logged = recording.finish().bytes(Dir::In);
        assert_eq!(logged.len(), sent.len());
        let canary = CANARY.as_bytes();
        assert!(!crate::redact::contains(&logged, canary));
        let inflated = |bytes: &[u8]| {
            let (mut messages, mut told) = (Vec::new(), Vec::new());
            Dissector::new(Side::Server, extensions, Limits::default()).push(&bytes[head.len()..], &mut |item| match item {
                Item::Message { data, .. } => messages.push(String::from_utf8(data.to_vec()).unwrap()),
                Item::Error { code, .. } | Item::Warning { code, .. } => told.push(code),
                _ => {}
            });
            (messages, told)
        };
        assert_eq!(inflated(&sent).0, texts, "unredacted, it would be there");
        let (messages, told) = inflated(&logged);
        assert_eq!((messages.len(), told), (texts.len(), Vec::new()));
        for (message, text) in messages.iter().zip(&texts) {
            let at = text.find(CANARY).unwrap();
            assert_eq!((&message[..at], &message[at + CANARY.len()..]), (&text[..at], &text[at + CANARY.len()..]));
            assert!(!message.contains(CANARY) && message[at..at + CANARY.len()].matches('*').count() * 2 > CANARY.len() - 2, "{message}");
        }
    }
}
