//! The h2 crate as the judge: an exchange over a pipe whose bytes are kept must dissect to what h2 exchanged.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use super::*;

/// A pipe that keeps what its owner writes.
struct Tap(DuplexStream, Arc<Mutex<Vec<u8>>>);

impl AsyncRead for Tap {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Tap {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.0).poll_write(cx, bytes);
        if let Poll::Ready(Ok(len)) = written {
            self.1.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&bytes[..len]);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

fn reply(n: usize) -> Vec<u8> {
    (0..n * 7000).map(|i| (i * 31 + n) as u8).collect()
}

/// `count` requests one after another, each echoing headers and with a body and trailers, and the bytes of both directions.
async fn exchange(count: usize) -> (Vec<u8>, Vec<u8>) {
    let (near, far) = tokio::io::duplex(16 << 10);
    let (up, down) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
    let server_io = Tap(far, down.clone());
    let server = tokio::spawn(async move {
        let mut connection = h2::server::Builder::new().max_frame_size(20_000).handshake(server_io).await.expect("handshake");
        while let Some(request) = connection.accept().await {
            let (request, mut respond) = request.expect("request");
            tokio::spawn(async move {
                let n: usize = request.headers()["x-n"].to_str().expect("text").parse().expect("number");
                let mut body = request.into_body();
                while let Some(data) = body.data().await {
                    let data = data.expect("data");
                    body.flow_control().release_capacity(data.len()).expect("capacity");
                }
                let response = Response::builder()
                    .header("x-reply", format!("answer {n}"))
                    .header("x-long", "y".repeat(n * 40))
                    .body(())
                    .expect("response");
                let mut send = respond.send_response(response, false).expect("send");
                let reply = Bytes::from(reply(n));
                let mut at = 0;
                while at < reply.len() {
                    send.reserve_capacity(reply.len() - at);
                    let room = std::future::poll_fn(|cx| send.poll_capacity(cx)).await.expect("open").expect("capacity");
                    send.send_data(reply.slice(at..at + room), false).expect("send");
                    at += room;
                }
                let mut trailers = HeaderMap::new();
                trailers.insert("x-trailer", n.to_string().parse().expect("value"));
                send.send_trailers(trailers).expect("send");
            });
        }
    });
    let (client, connection) =
        h2::client::Builder::new().header_table_size(16 << 10).handshake::<_, Bytes>(Tap(near, up.clone())).await.expect("handshake");
    let driver = tokio::spawn(connection);
    let mut client = client;
    for n in 0..count {
        client = client.ready().await.expect("ready");
        let request = Request::builder()
            .method(Method::POST)
            .uri("https://localhost/v1/chat")
            .header("x-n", n.to_string())
            .header("authorization", format!("Bearer {n}"))
            .header("accept-language", "ÅÄÖ".as_bytes())
            .body(())
            .expect("request");
        let (response, mut send) = client.send_request(request, false).expect("send");
        send.send_data(Bytes::from(format!("{{\"n\":{n}}}")), true).expect("send");
        let mut body = response.await.expect("response").into_body();
        let mut read = Vec::new();
        while let Some(data) = body.data().await {
            let data = data.expect("data");
            body.flow_control().release_capacity(data.len()).expect("capacity");
            read.extend_from_slice(&data);
        }
        assert_eq!(read, reply(n));
        body.trailers().await.expect("trailers");
    }
    drop(client);
    driver.await.expect("joins").expect("closes");
    server.await.expect("joins");
    let take = |log: Arc<Mutex<Vec<u8>>>| std::mem::take(&mut *log.lock().unwrap_or_else(PoisonError::into_inner));
    (take(up), take(down))
}

/// A stream's fields.
type Block = (u32, Vec<(String, String)>);

/// Bodies and header blocks in the order of their streams. Anything else but frames must not come.
fn read(side: Side, bytes: &[u8], cut: usize) -> (Vec<(u32, Vec<u8>)>, Vec<Block>) {
    let mut dissector = Dissector::new(side, Limits::default());
    dissector.set_max_frame_size(20_000);
    dissector.set_header_table_size(16 << 10);
    let mut bodies: Vec<(u32, Vec<u8>)> = Vec::new();
    let mut blocks = Vec::new();
    let mut sink = |item: Item<'_>| match item {
        Item::Data { stream, bytes, .. } => match bodies.last_mut() {
            Some((of, body)) if *of == stream => body.extend_from_slice(bytes),
            _ => bodies.push((stream, bytes.to_vec())),
        },
        Item::Frame(frame) => blocks.extend(frame.headers.map(|headers| (frame.stream, pairs(headers)))),
        Item::Preface { .. } => assert_eq!(side, Side::Client),
        item => panic!("{item:?}"),
    };
    for piece in bytes.chunks(cut) {
        dissector.push(piece, &mut sink);
    }
    dissector.finish(&mut sink);
    (bodies, blocks)
}

#[tokio::test]
async fn what_h2_exchanges_reads_equal() {
    let (up, down) = exchange(12).await;
    for cut in [1, 7, 1000, usize::MAX] {
        let (bodies, blocks) = read(Side::Client, &up, cut);
        assert_eq!((bodies.len(), blocks.len()), (12, 12));
        for (n, ((stream, body), (_, fields))) in bodies.iter().zip(&blocks).enumerate() {
            assert_eq!((*stream, body.as_slice()), (2 * n as u32 + 1, format!("{{\"n\":{n}}}").as_bytes()));
            let field = |name: &str| fields.iter().find(|field| field.0 == name).map(|field| field.1.as_str());
            assert_eq!(field(":method"), Some("POST"));
            assert_eq!(field(":path"), Some("/v1/chat"));
            assert_eq!(field("x-n"), Some(n.to_string().as_str()));
            assert_eq!(field("authorization"), Some(format!("Bearer {n}").as_str()));
            assert_eq!(field("accept-language"), Some("ÅÄÖ"));
        }
        let (bodies, blocks) = read(Side::Server, &down, cut);
        assert_eq!((bodies.len(), blocks.len()), (11, 24), "the first reply has no body");
        for (stream, body) in bodies {
            assert!(body == reply(stream as usize / 2), "body of stream {stream}");
        }
        for (stream, fields) in blocks {
            let n = stream / 2;
            match fields.first().map(|field| field.0.as_str()) {
                Some(":status") => assert_eq!(
                    fields,
                    [
                        (":status".into(), "200".into()),
                        ("x-reply".into(), format!("answer {n}")),
                        ("x-long".into(), "y".repeat(n as usize * 40)),
                    ]
                ),
                _ => assert_eq!(fields, [("x-trailer".into(), n.to_string())]),
            }
        }
    }
}
