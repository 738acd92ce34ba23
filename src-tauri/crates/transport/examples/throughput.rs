//! How fast a connection gets from the socket into the journal: `cargo run --release -p weir-transport --example throughput`.
#![allow(clippy::print_stdout)]

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::thread;
use std::time::Instant;

use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::StreamBody;
use hyper::body::Frame;
use hyper_util::rt::{TokioExecutor, TokioIo};
use weir_secrets::Secret;
use weir_transport::{Control, Entry, HttpVersion, Request, Target, channel, http, ws};

const TOTAL: usize = 100 << 20;

/// A server that writes `answer` to the first connection after its request's head.
fn serve(answer: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    let address = listener.local_addr().expect("its address");
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
            head.push(byte[0]);
        }
        let answer =
            if let Some(key) = String::from_utf8_lossy(&head).split("Sec-WebSocket-Key: ").nth(1).and_then(|rest| rest.lines().next()) {
                let accept = tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.as_bytes());
                [
                    format!("HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n")
                        .into_bytes(),
                    answer,
                ]
                .concat()
            } else {
                answer
            };
        let _ = stream.write_all(&answer);
        let _ = stream.shutdown(Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
    });
    address
}

fn chunked(chunk: usize) -> Vec<u8> {
    let event = [b"data: ".to_vec(), vec![b'x'; chunk - 8], b"\n\n".to_vec()].concat();
    let mut answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    while answer.len() < TOTAL {
        answer.extend_from_slice(format!("{chunk:x}\r\n").as_bytes());
        answer.extend_from_slice(&event);
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(b"0\r\n\r\n");
    answer
}

fn messages(length: u16) -> Vec<u8> {
    let mut answer = Vec::new();
    while answer.len() < TOTAL {
        answer.extend_from_slice(&[0x81, 126]);
        answer.extend_from_slice(&length.to_be_bytes());
        answer.resize(answer.len() + usize::from(length), b'x');
    }
    answer.extend_from_slice(b"\x88\x02\x03\xe8");
    answer
}

/// An HTTP/2 server of one answer of [`TOTAL`] bytes, in pieces of `piece`.
fn serve_http2(runtime: &tokio::runtime::Runtime, piece: usize) -> SocketAddr {
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a loopback port");
    let address = listener.local_addr().expect("its address");
    runtime.spawn(async move {
        let (stream, _) = listener.accept().await.expect("a client");
        let service = hyper::service::service_fn(move |_| async move {
            let piece = Bytes::from(vec![b'x'; piece]);
            let pieces = (0..TOTAL / piece.len()).map(move |_| Ok::<_, Infallible>(Frame::data(piece.clone())));
            Ok::<_, Infallible>(hyper::Response::new(StreamBody::new(futures_util::stream::iter(pieces))))
        });
        let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
    });
    address
}

/// The same messages through tokio-tungstenite alone, for comparison.
async fn plain(address: SocketAddr) {
    let stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
    let (mut socket, _) = tokio_tungstenite::client_async(format!("ws://{address}/"), stream).await.expect("an open socket");
    while let Some(message) = socket.next().await {
        message.expect("a message");
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    for (name, answer, key) in [
        ("http/1.1, chunks of 16 KiB", chunked(16 << 10), None),
        ("http/1.1, chunks of 16 KiB, key", chunked(16 << 10), Some("sk-0123456789abcdef")),
        ("http/1.1, chunks of 330 B", chunked(330), None),
        ("http/1.1, chunks of 330 B, key", chunked(330), Some("sk-0123456789abcdef")),
        ("http/2, pieces of 16 KiB", Vec::new(), None),
        ("http/2, pieces of 16 KiB, key", Vec::new(), Some("sk-0123456789abcdef")),
        ("websocket, messages of 330 B", messages(330), None),
        ("websocket, messages of 330 B, key", messages(330), Some("sk-0123456789abcdef")),
    ] {
        let websocket = name.starts_with("websocket");
        let mut best = f64::MAX;
        let (mut bytes, mut entries, mut batches) = (0, 0, 0);
        for _ in 0..3 {
            let http2 = name.starts_with("http/2");
            let address = if http2 { serve_http2(&runtime, 16 << 10) } else { serve(answer.clone()) };
            let scheme = if websocket { "ws" } else { "http" };
            let target = Target {
                url: format!("{scheme}://{address}/"),
                http: if http2 { HttpVersion::Http2 } else { HttpVersion::Http11 },
                key: key.map(Secret::new),
                ..Target::default()
            };
            let (journal, mut reader) = channel(16 << 20);
            let consumer = thread::spawn(move || {
                let (mut batch, mut bytes, mut entries, mut batches) = (Vec::new(), 0, 0, 0);
                while reader.recv_many(&mut batch) > 0 {
                    batches += 1;
                    entries += batch.len();
                    bytes +=
                        batch.drain(..).map(|entry| if let Entry::Segment { bytes, .. } = entry { bytes.len() } else { 0 }).sum::<usize>();
                }
                (bytes, entries, batches)
            });
            let start = Instant::now();
            runtime.block_on(async {
                let control = Control::new();
                if websocket {
                    let mut socket = ws::open(&target, &[], &[], journal, 0, &control).await.expect("an open socket");
                    while let Some(message) = socket.next().await {
                        message.expect("a message");
                    }
                } else {
                    let request = Request { method: "POST".into(), headers: Vec::new(), body: "{}".into() };
                    http::exchange(&target, &request, journal, 0, &control).await.expect("a response");
                }
            });
            (bytes, entries, batches) = consumer.join().expect("the consumer");
            best = best.min(start.elapsed().as_secs_f64());
        }
        if websocket && key.is_none() {
            let address = serve(answer);
            let start = Instant::now();
            runtime.block_on(plain(address));
            println!("{:36} {:6.3} s", "tokio-tungstenite alone", start.elapsed().as_secs_f64());
        }
        println!("{name:36} {best:6.3} s  {:5.2} GB/s  {bytes} bytes in {entries} entries, {batches} batches", bytes as f64 / best / 1e9);
    }
}
