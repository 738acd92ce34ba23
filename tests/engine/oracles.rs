//! What other implementations make of the same bytes.

use std::convert::Infallible;

use bytes::Bytes;
use eventsource_stream::Eventsource;
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;
use weir_dialects::Transport;
use weir_frames::{Limits, Span, http2, sse};
use weir_sessions::Session;
use weir_sessions::analysis::{Kind, Layer};
use weir_tests::desk::Desk;

use super::captures::{all, log, received};

/// Bytes of a body as the fold found them: every stream inside the connection, mapped back to the wire.
fn body(session: &Session, wire: &[u8]) -> Vec<u8> {
    let analysis = session.analysis();
    let mut bodies = analysis.fold.streams.iter().filter(|stream| stream.inside.is_some() && !stream.out);
    let Some(stream) = bodies.next() else { return Vec::new() };
    assert!(bodies.next().is_none(), "one response, one body");
    stream.map.outer(Span::new(0, stream.map.len())).iter().flat_map(|span| wire[span.start as usize..span.end as usize].to_vec()).collect()
}

/// What hyper delivers of a response that came as `wire`; `None` where it refuses it.
async fn hyper(wire: &[u8], h2: bool) -> Option<Vec<u8>> {
    let (ours, mut theirs) = tokio::io::duplex(1 << 20);
    let wire = wire.to_vec();
    let feed = tokio::spawn(async move {
        // The request first: hyper takes no answer to what it has not asked.
        let mut request = vec![0; 1 << 16];
        let mut preface = http2::Dissector::new(http2::Side::Client, Limits::default());
        let mut asked = false;
        while !asked {
            let some = theirs.read(&mut request).await.ok()?;
            asked = !h2;
            preface.push(&request[..some], &mut |item| asked |= matches!(item, http2::Item::Frame(frame) if frame.headers.is_some()));
        }
        // In small pieces: what a server says after its response must not be read before the response is.
        for piece in wire.chunks(16) {
            theirs.write_all(piece).await.ok()?;
            tokio::task::yield_now().await;
        }
        // HTTP/1.1 may need the end as the body's; in HTTP/2 it would race with the response.
        if !h2 {
            theirs.shutdown().await.ok()?;
        }
        while theirs.read(&mut request).await.ok()? > 0 {}
        Some(())
    });
    let request = http::Request::post("http://peer/").body(Empty::<Bytes>::new()).expect("a request");
    let response = if h2 {
        let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(ours)).await.ok()?;
        tokio::spawn(connection);
        sender.send_request(request).await
    } else {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(ours)).await.ok()?;
        tokio::spawn(connection);
        sender.send_request(request).await
    };
    let mut body = response.ok()?.into_body();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
            Err(_) => break,
        }
    }
    feed.abort();
    Some(bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn hyper_delivers_the_body_that_the_fold_found() {
    let desk = Desk::new();
    let mut compared = 0;
    for capture in all().into_iter().filter(|capture| capture.transport != Transport::Websocket) {
        let session = capture.run(&desk).await;
        let wire = received(&log(&desk, &session));
        let h2 = session.analysis().http() == Some("2");
        let Some(theirs) = hyper(&wire, h2).await else {
            assert!(body(&session, &wire).is_empty(), "{}: hyper refuses what the fold reads", capture.name);
            continue;
        };
        let ours = body(&session, &wire);
        assert_eq!(String::from_utf8_lossy(&theirs), String::from_utf8_lossy(&ours), "{}", capture.name);
        compared += usize::from(!ours.is_empty());
    }
    assert!(compared >= 15, "only {compared} bodies were compared");
}

#[tokio::test(flavor = "multi_thread")]
async fn tungstenite_delivers_the_messages_that_the_fold_found() {
    let desk = Desk::new();
    let mut compared = 0;
    for capture in all().into_iter().filter(|capture| capture.transport == Transport::Websocket) {
        let session = capture.run(&desk).await;
        let wire = received(&log(&desk, &session));
        let Some(head) = wire.windows(4).position(|four| four == b"\r\n\r\n").filter(|_| wire.starts_with(b"HTTP/1.1 101")) else {
            continue;
        };
        let (ours, mut theirs) = tokio::io::duplex(1 << 20);
        theirs.write_all(&wire[head + 4..]).await.expect("room");
        theirs.shutdown().await.expect("an end");
        let mut socket = WebSocketStream::from_raw_socket(ours, Role::Client, None).await;
        let mut expected = Vec::new();
        while let Some(Ok(message)) = socket.next().await {
            if message.is_text() || message.is_binary() {
                expected.push(message.into_data().to_vec());
            }
        }
        let rows: Vec<u32> = {
            let analysis = session.analysis();
            let fold = &analysis.fold;
            let unread = |kind| matches!(kind, Kind::Frame | Kind::Incomplete | Kind::Warning | Kind::Request);
            // Pings and closes are of kind control as lifecycle messages are; their word tells them apart.
            let message = |word: u16| matches!(fold.words[word as usize].as_str(), "text" | "binary");
            let rows = fold.rows.iter_from(0).zip(0u32..);
            rows.filter(|(row, _)| row.layer == Layer::Ws && row.len > 0 && !unread(row.kind) && message(row.word))
                .map(|(_, at)| at)
                .collect()
        };
        let found: Vec<Vec<u8>> = rows.iter().filter_map(|&row| payload(&session, row, &wire)).collect();
        // A message whose frames broke a rule is not delivered by tungstenite; everything before it is.
        assert_eq!(found.len().min(expected.len()), expected.len(), "{}", capture.name);
        assert_eq!(found[..expected.len()], expected, "{}", capture.name);
        compared += expected.len();
    }
    assert!(compared > 20, "only {compared} messages were compared");
}

/// The payload of a WebSocket row, put together from the payload nodes of its frames.
fn payload(session: &Session, row: u32, wire: &[u8]) -> Option<Vec<u8>> {
    let detail = session.frame(row).ok()?;
    let mut bytes = Vec::new();
    for node in detail.nodes.iter().filter(|node| node.label == "payload" && node.value.ends_with(" B")) {
        for (start, end) in &node.spans {
            bytes.extend_from_slice(&wire[(detail.start + start) as usize..(detail.start + end) as usize]);
        }
    }
    Some(bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn eventsource_stream_sees_the_events_that_the_dissector_found() {
    let desk = Desk::new();
    let mut compared = 0;
    // It drops what is no event, and stops at ill-formed UTF-8: of those it cannot be asked.
    for capture in all().into_iter().filter(|capture| {
        capture.transport == Transport::Sse
            && !capture.is_coded()
            && !["invalid utf-8", "json of ill-formed utf-8", "cut"].contains(&capture.name)
    }) {
        let session = capture.run(&desk).await;
        let wire = received(&log(&desk, &session));
        let bytes = body(&session, &wire);
        let mut ours = Vec::new();
        let mut take = |item: sse::Item<'_>| {
            if let sse::Item::Event(event) = item {
                ours.push((event.event.to_owned(), event.data.into_owned(), event.id.to_owned()));
            }
        };
        let mut dissector = sse::Dissector::new(Limits::default(), "");
        dissector.push(&bytes, &mut take);
        dissector.finish(&mut take);
        if session.analysis().fold.status.as_ref().is_none_or(|status| status.media_type != "text/event-stream") {
            continue;
        }
        let theirs: Vec<_> = stream::iter(bytes.chunks(19).map(|piece| Ok::<_, Infallible>(piece.to_vec())))
            .eventsource()
            .map(|event| event.map(|event| (event.event, event.data, event.id)))
            .collect()
            .await;
        let theirs: Vec<_> = theirs.into_iter().map(|event| event.expect("well-formed")).collect();
        assert_eq!(theirs, ours, "{}", capture.name);
        let analysis = session.analysis();
        let fold = &analysis.fold;
        let silent = |word: u16| fold.words[word as usize] == "no data";
        let rows = fold.rows.iter_from(0).filter(|row| {
            row.layer == Layer::Sse && !matches!(row.kind, Kind::Comment | Kind::Retry | Kind::Incomplete) && !silent(row.word)
        });
        assert_eq!(rows.count(), ours.len(), "{}", capture.name);
        compared += ours.len();
    }
    assert!(compared > 100, "only {compared} events were compared");
}
