use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::Empty;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::TcpListener;
use tokio::time::timeout;
use weir_frames::ws::deflate::Offer;

use super::super::plain::Plain;
use super::super::wire::Wire;
use super::super::{Io, Shared, WebSocket, open_offering};
use super::*;
use crate::redact::Protocol;
use crate::tap::Tap;
use crate::tests::{CANARY, record, target};
use crate::ws::Accepted;
use crate::{Control, Dir, Limits as Times};

fn agreed() -> Agreement {
    Offer::default().read("permessage-deflate").unwrap().unwrap()
}

/// What came of a server's bytes: the messages, how it ended, and the frames that the client wrote.
type Seen = (Vec<Message>, Option<String>, Vec<(u8, Vec<u8>)>);

/// A client on a pipe whose other end says `pieces`, then nothing more.
async fn hear(own: bool, pieces: &[&[u8]]) -> Seen {
    let (inner, peer) = duplex(1 << 16);
    let (journal, _reader) = crate::channel(1 << 20);
    let control = Control::new();
    let tap = Tap::new(Box::new(inner) as Io, journal.clone(), 0, None, Protocol::Http1);
    let wire = if own {
        Wire::Deflating(Box::new(Deflating::new(tap, Vec::new(), agreed(), "permessage-deflate", None)))
    } else {
        Wire::Plain(Box::new(Plain::new(tap, Vec::new())))
    };
    let shared = Shared::new(wire, journal, 0, control, Arc::default(), None);
    let mut socket = WebSocket::start(shared, Accepted::default(), Times::default());
    let (mut reads, mut writes) = tokio::io::split(peer);
    let said = tokio::spawn(async move {
        let mut said = Vec::new();
        let _ = reads.read_to_end(&mut said).await;
        said
    });
    let pieces: Vec<Vec<u8>> = pieces.iter().map(|piece| piece.to_vec()).collect();
    tokio::spawn(async move {
        for piece in pieces {
            writes.write_all(&piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        writes.shutdown().await.unwrap();
    });
    let (mut messages, mut failure) = (Vec::new(), None);
    while let Some(item) = socket.next().await {
        match item {
            Ok(message) => messages.push(message),
            Err(error) => failure = Some(error.code),
        }
    }
    drop(socket);
    let mut frames = Vec::new();
    Dissector::new(Side::Client, "", Limits::default()).push(&said.await.unwrap(), &mut |item| {
        if let Item::Frame(frame) = item {
            frames.push((frame.opcode, frame.payload.to_vec()));
        }
    });
    (messages, failure, frames)
}

/// Everything that needs no extension reads as tungstenite reads it, however it is cut.
#[tokio::test(start_paused = true)]
async fn agrees_with_tungstenite_on_plain_frames() {
    let text = "κόσμε 🎉".as_bytes();
    let mut long = b"\x82\x7f\0\0\0\0\0\x01\0\0".to_vec();
    long.extend([7; 65_536]);
    let split =
        [&[0x01, 3], &text[..3], &[0x89, 1, b'p'], &[0x00, 0], &[0x80, text.len() as u8 - 3], &text[3..], &[0x88, 2, 3, 232]].concat();
    let scripts: Vec<Vec<u8>> = vec![
        b"\x81\x05Hello\x82\x00\x81\x00\x88\x00".to_vec(),
        split,
        b"\x89\x04ping\x8a\x03abc\x88\x05\x03\xe9bye".to_vec(),
        b"\x81\x02hi".to_vec(),
        b"\x81\x05Hel".to_vec(),
        b"\x01\x01H".to_vec(),
        b"\x81\x02\xff\xff\x81\x01a".to_vec(),
        b"\x01\x02\xe2\x82\x80\x01a".to_vec(),
        b"\x81\x81abcdx".to_vec(),
        b"\xa1\x01x".to_vec(),
        b"\x83\x00".to_vec(),
        b"\x8b\x00".to_vec(),
        b"\x80\x01x".to_vec(),
        b"\x01\x01x\x81\x01x".to_vec(),
        b"\x09\x00".to_vec(),
        b"\x88\x01\x03".to_vec(),
        b"\x88\x04\x03\xe8\xff\xff".to_vec(),
    ];
    for script in scripts {
        let oracle = hear(false, &[&script]).await;
        for at in 0..=script.len() {
            let (head, tail) = script.split_at(at);
            assert_eq!(hear(true, &[head, tail]).await, oracle, "{script:x?} cut at {at}");
        }
        let bytes: Vec<&[u8]> = script.chunks(1).collect();
        assert_eq!(hear(true, &bytes).await, oracle, "{script:x?} byte by byte");
    }
    assert_eq!(hear(true, &[&long]).await, hear(false, &[&long]).await);
    // Where tungstenite fails the connection, RFC 6455 (section 1.4) discards what follows a close frame.
    let late = hear(true, &[b"\x88\x02\x0f\xa0\x81\x01x"]).await;
    assert_eq!(late, (vec![Message::Close { code: Some(4000), reason: String::new() }], None, vec![(8, vec![15, 160])]));
}

#[tokio::test(start_paused = true)]
async fn compressed_messages_are_inflated_and_bad_ones_refused() {
    // RFC 7692 §7.2.3.1, .3 (twice the same message with the window carried over), .4 (a final block), .5 (fragments).
    let hello = b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\xc1\x05\xf2\x00\x11\x00\x00\xc1\x08\xf3\x48\xcd\xc9\xc9\x07\x00\x00\x41\x03\xf2\x48\xcd\x89\x00\x80\x04\xc9\xc9\x07\x00\x88\x00";
    let (messages, failure, _) = hear(true, &[hello]).await;
    let text = Message::Text("Hello".into());
    assert_eq!(messages[..5], [text.clone(), text.clone(), text.clone(), Message::Ping(Bytes::new()), text]);
    assert_eq!((messages.len(), failure), (6, None));
    for (bad, code) in [
        (&b"\xc1\x02\xff\xff"[..], 1007),
        (b"\x41\x03\xf2\x48\xcd\xc0\x04\xc9\xc9\x07\x00", 1002),
        (b"\xc9\x01x", 1002),
        (b"\x88\x02\x03\xed", 1002),
    ] {
        let (_, failure, frames) = hear(true, &[bad]).await;
        assert_eq!(failure.as_deref(), Some("ws-protocol"), "{bad:x?}");
        assert_eq!(frames, [(8, u16::to_be_bytes(code).to_vec())], "{bad:x?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_pings_is_answered_with_its_last() {
    let mut flood = b"\x89\x01x".repeat(20_000);
    flood.extend(b"\x89\x04last\x88\x00");
    let (messages, failure, frames) = hear(true, &[&flood]).await;
    assert_eq!((messages.len(), failure), (20_002, None));
    assert!(frames.len() < 200, "{}", frames.len());
    assert_eq!(frames[frames.len() - 2..], [(10, b"last".to_vec()), (8, Vec::new())]);
}

/// yawc as an echoing server: another's handshake, frames and DEFLATE.
async fn yawc(options: yawc::Options) -> SocketAddr {
    use futures_util::{SinkExt, StreamExt};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
            let options = options.clone();
            async move {
                let (response, upgrade) = yawc::WebSocket::upgrade_with_options(&mut request, options).unwrap();
                tokio::spawn(async move {
                    let mut socket = upgrade.await.unwrap();
                    while let Some(frame) = socket.next().await {
                        match frame.opcode() {
                            yawc::OpCode::Text => socket.send(yawc::Frame::text(frame.into_payload())).await.unwrap(),
                            yawc::OpCode::Binary => socket.send(yawc::Frame::binary(frame.into_payload())).await.unwrap(),
                            _ => {}
                        }
                    }
                });
                let (parts, _) = response.into_parts();
                Ok::<_, std::convert::Infallible>(hyper::Response::from_parts(parts, Empty::<Bytes>::new()))
            }
        });
        let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await;
    });
    address
}

#[tokio::test]
async fn another_implementation_understands_and_is_understood() {
    let options = || yawc::Options::default().with_compression_level(yawc::CompressionLevel::default());
    let noise: Vec<u8> = (0..200_000u64).map(|i| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect();
    for (offer, options) in [
        ("permessage-deflate; client_max_window_bits", options()),
        ("permessage-deflate; server_no_context_takeover; client_no_context_takeover", options()),
        ("permessage-deflate; client_max_window_bits", options().server_no_context_takeover().client_no_context_takeover()),
        ("permessage-deflate; client_max_window_bits", options().with_client_max_window_bits(9)),
        ("permessage-deflate; server_max_window_bits=10; client_max_window_bits", options().with_server_max_window_bits(10)),
    ] {
        let address = yawc(options).await;
        let recording = record();
        let offer: Offer = offer.parse().unwrap();
        let mut socket =
            open_offering(&target(format!("ws://{address}/")), &[], &[], Some(&offer), recording.journal.clone(), 0, &Control::new())
                .await
                .unwrap();
        let extensions = socket.accepted().extensions();
        assert!(socket.accepted().deflate.is_some(), "{offer}: {extensions}");
        let words = "the same words again and again, with ünïcödé; ".repeat(300);
        for _ in 0..3 {
            socket.send_text(words.clone()).await.unwrap();
            socket.send_binary(noise.clone()).await.unwrap();
            // No empty message: yawc never comes back from compressing one.
            for expected in [Message::Text(words.clone().into()), Message::Binary(noise.clone().into())] {
                let heard = timeout(Duration::from_secs(10), socket.next()).await.unwrap().unwrap().unwrap();
                assert!(heard == expected, "{offer} / {extensions}");
            }
        }
        socket.close(1000, "").await.unwrap();
        while let Some(item) = socket.next().await {
            item.unwrap();
        }
        drop(socket);
        let log = recording.finish();
        // Both directions of the log inflate, with what was agreed, to what was said.
        for (dir, side) in [(Dir::Out, Side::Client), (Dir::In, Side::Server)] {
            let bytes = log.bytes(dir);
            let start = bytes.windows(4).position(|part| part == b"\r\n\r\n").unwrap() + 4;
            let mut seen = Vec::new();
            Dissector::new(side, &extensions, Limits::default()).push(&bytes[start..], &mut |item| match item {
                Item::Message { data, deflated, .. } => seen.push((data.len(), deflated)),
                Item::Frame(_) => {}
                other => panic!("{other:?}"),
            });
            assert_eq!(seen.iter().map(|&(length, _)| length).collect::<Vec<_>>(), [words.len(), noise.len()].repeat(3));
            assert!(seen[0].1.is_some_and(|wire| wire < 2000), "{seen:?}");
        }
    }
}

#[tokio::test]
async fn a_message_with_the_key_goes_out_uncompressed_and_starred_in_the_log() {
    let address = yawc(yawc::Options::default().with_compression_level(yawc::CompressionLevel::default())).await;
    let recording = record();
    let offer = Offer::default();
    let target = target(format!("ws://{address}/"));
    let mut socket = open_offering(&target, &[], &[], Some(&offer), recording.journal.clone(), 0, &Control::new()).await.unwrap();
    let extensions = socket.accepted().extensions();
    let said = [format!("{{\"key\":\"{CANARY}\",\"padding\":\"{}\"}}", "x".repeat(200)), "y".repeat(200)];
    for text in &said {
        socket.send_text(text.clone()).await.unwrap();
        assert_eq!(socket.next().await, Some(Ok(Message::Text(text.clone().into()))));
    }
    drop(socket);
    let bytes = recording.finish().bytes(Dir::Out);
    let start = bytes.windows(4).position(|part| part == b"\r\n\r\n").unwrap() + 4;
    let mut seen = Vec::new();
    Dissector::new(Side::Client, &extensions, Limits::default()).push(&bytes[start..], &mut |item| {
        if let Item::Message { data, deflated, .. } = item {
            seen.push((String::from_utf8(data.to_vec()).unwrap(), deflated.is_some()));
        }
    });
    assert_eq!(seen, [(said[0].replace(CANARY, &"*".repeat(CANARY.len())), false), (said[1].clone(), true)]);
}

#[tokio::test]
async fn an_answer_that_does_not_fit_the_offer_is_refused() {
    use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
    for (offer, answer) in [
        (Some(Offer::default()), "permessage-deflate; server_max_window_bits=7"),
        (Some(Offer { client_max_window_bits: None, ..Offer::default() }), "permessage-deflate; client_max_window_bits=10"),
        (Some(Offer::default()), "x-webkit-deflate-frame"),
        (None, "permessage-deflate"),
    ] {
        let (address, _server) = crate::tests::serve(move |mut stream| async move {
            let request = String::from_utf8(crate::tests::read_request(&mut stream).await).unwrap();
            let key = request.split("Sec-WebSocket-Key: ").nth(1).unwrap().lines().next().unwrap();
            let accept = derive_accept_key(key.as_bytes());
            let head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade";
            let answer = format!("{head}\r\nSec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Extensions: {answer}\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
        })
        .await;
        let recording = record();
        let target = target(format!("ws://{address}/"));
        let opened = open_offering(&target, &[], &[], offer.as_ref(), recording.journal.clone(), 0, &Control::new()).await;
        assert_eq!(opened.err().unwrap().code, "ws-protocol", "{answer}");
    }
}
