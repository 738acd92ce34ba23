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

/// An extended CONNECT as the h2 crate speaks it, and a WebSocket inside.
#[tokio::test]
async fn a_websocket_of_the_h2_crate_is_found() {
    use crate::http2::websocket::{Step, WebSockets};
    use crate::ws::{Encoder, Item as Frame};

    let (near, far) = tokio::io::duplex(16 << 10);
    let (up, down) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
    let server_io = Tap(far, down.clone());
    let server = tokio::spawn(async move {
        let mut connection =
            h2::server::Builder::new().enable_connect_protocol().handshake::<_, Bytes>(server_io).await.expect("handshake");
        let (request, mut respond) = connection.accept().await.expect("request").expect("request");
        assert_eq!(request.extensions().get::<h2::ext::Protocol>().map(h2::ext::Protocol::as_str), Some("websocket"));
        tokio::spawn(async move {
            let mut send = respond.send_response(Response::new(()), false).expect("send");
            let mut body = request.into_body();
            while let Some(data) = body.data().await {
                let data = data.expect("data");
                body.flow_control().release_capacity(data.len()).expect("capacity");
            }
            let mut frames = Vec::new();
            let mut encoder = Encoder::new(Side::Server, None);
            encoder.message(1, b"and back", false, [0; 4], &mut frames);
            encoder.control(8, &[3, 232], [0; 4], &mut frames);
            send.send_data(frames.into(), true).expect("send");
        });
        while connection.accept().await.is_some() {}
    });
    let (client, connection) = h2::client::Builder::new().handshake::<_, Bytes>(Tap(near, up.clone())).await.expect("handshake");
    let driver = tokio::spawn(connection);
    // The server's settings say that it knows the extension.
    while !client.is_extended_connect_protocol_enabled() {
        tokio::task::yield_now().await;
    }
    let mut client = client.ready().await.expect("ready");
    let mut request = Request::builder()
        .method(Method::CONNECT)
        .uri("https://localhost/chat")
        .header("sec-websocket-version", "13")
        .body(())
        .expect("request");
    request.extensions_mut().insert(h2::ext::Protocol::from_static("websocket"));
    let (response, mut send) = client.send_request(request, false).expect("send");
    let mut body = response.await.expect("response").into_body();
    let mut frames = Vec::new();
    Encoder::new(Side::Client, None).message(1, b"there", false, [1, 2, 3, 4], &mut frames);
    let (head, tail) = frames.split_at(4);
    send.send_data(Bytes::copy_from_slice(head), false).expect("send");
    send.send_data(Bytes::copy_from_slice(tail), true).expect("send");
    while let Some(data) = body.data().await {
        data.expect("data");
    }
    drop((client, send, body));
    driver.await.expect("joins").expect("closes");
    server.await.expect("joins");

    let mut sockets = WebSockets::new(Limits::default());
    let mut told = Vec::new();
    let mut steps = Vec::new();
    for (side, log) in [(Side::Client, &up), (Side::Server, &down), (Side::Client, &up)] {
        let bytes = log.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // First the request alone, then the answer, then what the client sent behind it.
        let first = steps.is_empty();
        let mut dissector = Dissector::new(side, Limits::default());
        let mut sink = |side: Side, item: Frame<'_>| {
            if let Frame::Message { data, .. } = item {
                told.push((side, data.to_vec()));
            }
        };
        dissector.push(&bytes, &mut |item| match item {
            Item::Frame(frame) => steps.extend(frame.headers.and_then(|headers| sockets.headers(side, frame.stream, headers, &mut sink))),
            Item::Data { stream, span, bytes } if !first => assert!(sockets.data(side, stream, span, bytes, &mut sink)),
            Item::Error { message, .. } => panic!("{message}"),
            _ => {}
        });
    }
    assert_eq!(
        steps,
        [Step::Asked { faults: Vec::new() }, Step::Opened { extensions: String::new(), subprotocol: String::new(), faults: Vec::new() }]
    );
    assert_eq!(told, [(Side::Server, b"and back".to_vec()), (Side::Client, b"there".to_vec())]);
}
