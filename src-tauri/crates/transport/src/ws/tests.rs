mod keys;

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::*;
use crate::redact::Protocol;
use crate::tests::{CANARY, Recording, keyed, plain, read_request, record, serve, target};
use crate::{Dir, Mark};

async fn connect(address: SocketAddr, recording: &Recording, control: &Control) -> Result<WebSocket, Error> {
    let headers = [plain("X-Mixed-CASE", "1"), keyed("Authorization", "Bearer {key}")];
    let subprotocols = [Value::Plain("realtime".into()), Value::Plain("beta".into())];
    open(&target(format!("ws://{address}/v1?key={{key}}")), &headers, &subprotocols, recording.journal.clone(), 0, control).await
}

/// Answers the handshake; gives the request.
async fn accept(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> String {
    let request = String::from_utf8(read_request(stream).await).unwrap();
    let key = request.split("Sec-WebSocket-Key: ").nth(1).unwrap().lines().next().unwrap();
    let accept = derive_accept_key(key.as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
    request
}

/// A server that accepts and then runs `script`; the client reads to the end: its items, its error, and the log's outline.
async fn session<F>(script: impl FnOnce(TcpStream) -> F + Send + 'static) -> (Vec<Message>, Option<Error>, crate::tests::Log)
where
    F: Future<Output = ()> + Send + 'static,
{
    let (address, server) = serve(|mut stream| async move {
        accept(&mut stream).await;
        script(stream).await;
    })
    .await;
    let recording = record();
    let mut socket = connect(address, &recording, &Control::new()).await.unwrap();
    let (mut messages, mut failure) = (Vec::new(), None);
    while let Some(item) = timeout(Duration::from_secs(10), socket.next()).await.unwrap() {
        match item {
            Ok(message) => messages.push(message),
            Err(error) => failure = Some(error),
        }
    }
    assert!(socket.next().await.is_none());
    drop(socket);
    server.await.unwrap();
    let log = recording.finish();
    log.assert_clean();
    (messages, failure, log)
}

#[tokio::test]
async fn messages_go_both_ways_and_the_journal_has_the_frames() {
    let (address, server) = serve(|mut stream| async move {
        let request = accept(&mut stream).await;
        let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
        let mut seen = Vec::new();
        while let Some(Ok(message)) = socket.next().await {
            seen.push(message.clone());
            if message.is_text() || message.is_binary() {
                socket.send(message).await.unwrap();
            }
        }
        (request, seen)
    })
    .await;
    let recording = record();
    let mut socket = connect(address, &recording, &Control::new()).await.unwrap();
    assert_eq!(socket.accepted().subprotocol, None);
    let said = format!("the key is {CANARY}!");
    let sender = socket.sender();
    sender.send_text(said.clone()).await.unwrap();
    assert_eq!(socket.next().await, Some(Ok(Message::Text(said.clone().into()))));
    sender.send_binary(vec![9; 100_000]).await.unwrap();
    assert_eq!(socket.next().await, Some(Ok(Message::Binary(vec![9; 100_000].into()))));
    sender.ping("x").await.unwrap();
    assert_eq!(socket.next().await, Some(Ok(Message::Pong("x".into()))));
    sender.close(1000, "bye").await.unwrap();
    assert_eq!(socket.next().await, Some(Ok(Message::Close { code: Some(1000), reason: "bye".into() })));
    assert_eq!(socket.next().await, None);
    assert_eq!(sender.send_text("more").await.unwrap_err().code, "closed");
    drop(socket);
    drop(sender);
    let (request, seen) = server.await.unwrap();
    assert_eq!(seen[0].to_text().unwrap(), said, "the wire has the key");
    let key = request.split("Sec-WebSocket-Key: ").nth(1).unwrap().lines().next().unwrap();
    let (version, encoded) = (crate::USER_AGENT, CANARY.replace('/', "%2F").replace('+', "%2B"));
    assert_eq!(
        request,
        format!(
            "GET /v1?key={encoded} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: realtime, beta\r\nUser-Agent: {version}\r\nX-Mixed-CASE: 1\r\nAuthorization: Bearer {CANARY}\r\n\r\n"
        )
    );
    let log = recording.finish();
    log.assert_clean();
    assert!(log.outline().starts_with("open dns tcp out sent in out in") && log.outline().ends_with("closed"), "{}", log.outline());
    let stars = "*".repeat(CANARY.len());
    // The first frame of the log still unmasks, to the text with the secret replaced.
    let out = log.bytes(Dir::Out);
    let frame = &out[out.windows(4).position(|part| part == b"\r\n\r\n").unwrap() + 4..];
    assert_eq!(frame[..2], [0x81, 0x80 | said.len() as u8]);
    let text: Vec<u8> = frame[6..6 + said.len()].iter().zip(frame[2..6].iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    assert_eq!(String::from_utf8(text).unwrap(), said.replace(CANARY, &stars));
}

#[tokio::test]
async fn the_servers_close_is_surfaced_and_no_error() {
    for (frame, code, reason) in
        [(&b"\x88\x09\x03\xe9going!!"[..], Some(1001), "going!!"), (b"\x88\x00", None, ""), (b"\x88\x02\x0f\xa0", Some(4000), "")]
    {
        let (messages, failure, log) = session(move |mut stream| async move {
            stream.write_all(b"\x81\x02hi").await.unwrap();
            stream.write_all(frame).await.unwrap();
            let _ = stream.read(&mut [0; 100]).await;
        })
        .await;
        assert_eq!(messages, [Message::Text("hi".into()), Message::Close { code, reason: reason.into() }]);
        assert_eq!(failure, None);
        assert!(log.outline().ends_with("closed"));
    }
}

#[tokio::test]
async fn a_server_that_never_hangs_up_after_the_close_is_left() {
    let start = Instant::now();
    let (_, failure, log) = session(|mut stream| async move {
        stream.write_all(b"\x88\x00").await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    assert_eq!(failure, None);
    assert!(start.elapsed() >= CLOSING && log.outline().ends_with("closed"));
}

#[tokio::test]
async fn an_end_without_a_close_frame_is_cut() {
    for part in [&b""[..], b"\x81\x05hel", b"\x81"] {
        let (_, failure, log) = session(move |mut stream| async move { stream.write_all(part).await.unwrap() }).await;
        let error = failure.unwrap();
        assert_eq!((error.code.as_str(), error.blame), ("cut", Blame::Network), "{error:?}");
        assert!(log.outline().ends_with("eof failed"));
        assert!(log.bytes(Dir::In).ends_with(part));
    }
}

#[tokio::test]
async fn servers_that_break_the_rules() {
    let cases: [&[u8]; 8] = [
        b"\x81\x85abcd\0\0\0\0\0",
        b"\xc1\x01x",
        b"\x83\x00",
        b"\x8b\x00",
        b"\x80\x01x",
        b"\x01\x01x\x81\x01x",
        b"\x89\x7e\x00\x7e000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
        b"\x81\x02\xff\xff",
    ];
    for bad in cases {
        let (_, failure, log) = session(move |mut stream| async move {
            stream.write_all(bad).await.unwrap();
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            // It is told why (1002, or 1007 for bad UTF-8), in a masked close frame.
            assert_eq!(rest.first(), Some(&0x88), "{bad:?}");
        })
        .await;
        let error = failure.unwrap();
        assert_eq!((error.code.as_str(), error.blame), ("ws-protocol", Blame::Peer), "{bad:?} {error:?}");
        assert!(!error.evidence.is_empty() && log.bytes(Dir::In).ends_with(bad));
    }
}

#[tokio::test]
async fn a_message_beyond_the_cap_ends_the_connection_before_it_is_read() {
    let (_, failure, _) = session(|mut stream| async move {
        let _ = stream.write_all(b"\x82\x7f\x00\x00\x00\x01\x00\x00\x00\x00data").await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    assert_eq!(failure.unwrap().code, "too-big");
}

#[tokio::test]
async fn pings_are_answered() {
    let (messages, failure, _) = session(|mut stream| async move {
        stream.write_all(b"\x89\x04ping\x81\x02hi").await.unwrap();
        let mut pong = [0; 10];
        stream.read_exact(&mut pong).await.unwrap();
        assert_eq!(pong[..2], [0x8a, 0x84]);
        stream.write_all(b"\x88\x02\x03\xe8").await.unwrap();
        let _ = stream.read(&mut [0; 100]).await;
    })
    .await;
    assert_eq!(messages.len(), 3, "{messages:?}");
    assert_eq!(failure, None);
}

/// Answers the handshake with `answer`.
async fn refusal(answer: String) -> (Error, crate::tests::Log) {
    let (address, _server) = serve(move |mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(answer.as_bytes()).await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let recording = record();
    let error = connect(address, &recording, &Control::new()).await.err().unwrap();
    let log = recording.finish();
    log.assert_clean();
    assert_eq!(log.marks().last(), Some(&&Mark::Failed(error.clone())));
    (error, log)
}

#[tokio::test]
async fn a_refused_handshake_shows_status_fields_and_body() {
    for framing in [format!("Content-Length: {}", 30 + CANARY.len()), "Transfer-Encoding: chunked".into(), "Connection: close".into()] {
        let body = format!("{{\"error\":\"the key {CANARY} is bad\"}}");
        let body = if framing.contains("chunked") { format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()) } else { body };
        let (error, log) = refusal(format!("HTTP/1.1 401 Unauthorized\r\nX-Why: key\r\n{framing}\r\n\r\n{body}")).await;
        assert_eq!((error.code.as_str(), error.blame), ("ws-refused", Blame::Peer));
        assert!(error.message.contains("401") && error.next.contains("key"));
        for part in ["HTTP/1.1 401 Unauthorized", "X-Why: key", "{\"error\":\"the key ****", "is bad"] {
            assert!(error.evidence.contains(part) && log.text(Dir::In).contains(part), "{error:?}");
        }
        assert!(!format!("{error:?}").contains(CANARY));
    }
}

#[tokio::test]
async fn a_redirected_handshake_says_where_to() {
    let (error, _) =
        refusal("HTTP/1.1 307 Temporary Redirect\r\nLocation: wss://other.example/v2\r\nContent-Length: 0\r\n\r\n".into()).await;
    assert_eq!(error.code, "ws-refused");
    assert!(error.next.contains("wss://other.example/v2"));
}

#[tokio::test]
async fn answers_that_are_no_handshake() {
    let head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    for bad in [
        "SSH-2.0-x\r\n\r\n".into(),
        format!("{head}Sec-WebSocket-Accept: AAAA\r\n\r\n"),
        format!("{head}\r\n"),
        "HTTP/1.1 101 OK\r\n\r\n".into(),
    ] {
        let (error, log) = refusal(bad.clone()).await;
        assert_eq!((error.code.as_str(), error.blame), ("ws-protocol", Blame::Peer), "{error:?}");
        assert_eq!(log.text(Dir::In), bad);
    }
}

#[tokio::test]
async fn http_urls_and_handshake_fields_are_refused() {
    let recording = record();
    let none: [Value; 0] = [];
    for (url, name, code) in [
        ("http://127.0.0.1:1/", "x", "unsupported-scheme"),
        ("ws://127.0.0.1:1/", "Sec-WebSocket-Key", "bad-header"),
        ("ws://127.0.0.1:1/", "Upgrade", "bad-header"),
    ] {
        let error = open(&target(url), &[plain(name, "y")], &none, recording.journal.clone(), 0, &Control::new()).await.err().unwrap();
        assert_eq!((error.code.as_str(), error.blame), (code, Blame::User));
    }
}

#[tokio::test]
async fn cancel_frees_the_socket_at_once_even_if_nobody_reads() {
    for reading in [true, false] {
        let (address, server) = serve(|mut stream| async move {
            accept(&mut stream).await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
            Instant::now()
        })
        .await;
        let (recording, control) = (record(), Control::new());
        let mut socket = connect(address, &recording, &control).await.unwrap();
        let stop = async {
            sleep(Duration::from_millis(20)).await;
            assert!(control.is_live());
            control.cancel();
            Instant::now()
        };
        let stopped = if reading {
            let (item, stopped) = tokio::join!(socket.next(), stop);
            assert_eq!(item.unwrap().unwrap_err().code, "cancelled");
            stopped
        } else {
            stop.await
        };
        let gone = timeout(Duration::from_secs(1), server).await.unwrap().unwrap();
        assert!(gone - stopped < Duration::from_millis(100));
        assert_eq!(socket.send_text("x").await.unwrap_err().code, "cancelled");
        assert!(!control.is_live());
        drop(socket);
        assert!(recording.finish().outline().ends_with("cancelled"));
    }
}

#[tokio::test]
async fn finishing_closes_with_1000() {
    let (address, server) = serve(|mut stream| async move {
        accept(&mut stream).await;
        let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
        socket.next().await.unwrap().unwrap()
    })
    .await;
    let (recording, control) = (record(), Control::new());
    let mut socket = connect(address, &recording, &control).await.unwrap();
    control.finish();
    while let Some(item) = socket.next().await {
        item.unwrap();
    }
    let Frames::Close(Some(frame)) = server.await.unwrap() else { panic!("no close frame") };
    assert_eq!(u16::from(frame.code), 1000);
}

#[tokio::test]
async fn what_may_not_be_sent() {
    let (address, _server) = serve(|mut stream| async move {
        accept(&mut stream).await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let recording = record();
    let socket = connect(address, &recording, &Control::new()).await.unwrap();
    assert_eq!(socket.ping(vec![0; 126]).await.unwrap_err().code, "bad-ping");
    for code in [0, 999, 1005, 1006, 1015, 2000, 5000] {
        assert_eq!(socket.close(code, "").await.unwrap_err().code, "bad-close");
    }
    assert_eq!(socket.close(1000, &"x".repeat(124)).await.unwrap_err().code, "bad-close");
}

/// An open socket over a pipe, for the paused clock.
async fn piped(limits: Limits, control: &Control) -> (WebSocket, DuplexStream) {
    let (journal, _reader) = crate::channel(1 << 20);
    let (inner, mut peer) = duplex(1 << 16);
    let tap = Tap::with_progress(Box::new(inner) as Io, journal.clone(), 0, None, Protocol::WebSocket, Arc::clone(control.progress()));
    let target = target("ws://127.0.0.1/");
    let endpoint = crate::endpoint::Endpoint::parse(&target).unwrap();
    let handshake = handshake::compose(&target, &endpoint, &[], &[], None).unwrap();
    let (upgraded, _) = tokio::join!(upgrade(tap, handshake, None, &limits, control), accept(&mut peer));
    let (socket, accepted) = upgraded.unwrap();
    let shared = Shared::new(socket, journal, 0, control.clone(), Arc::default(), None);
    (WebSocket::start(shared, accepted, limits), peer)
}

#[tokio::test(start_paused = true)]
async fn silence_has_its_limit_and_traffic_puts_it_off() {
    let limits = Limits { idle: Some(Duration::from_secs(10)), ..Limits::default() };
    let (mut socket, mut peer) = piped(limits, &Control::new()).await;
    let start = Instant::now();
    tokio::spawn(async move {
        for _ in 0..3 {
            sleep(Duration::from_secs(8)).await;
            peer.write_all(b"\x81\x01x").await.unwrap();
        }
        sleep(Duration::from_secs(1000)).await;
    });
    for _ in 0..3 {
        socket.next().await.unwrap().unwrap();
    }
    assert_eq!(socket.next().await.unwrap().unwrap_err().code, "timeout-idle");
    assert_eq!(start.elapsed().as_secs(), 34);
    assert!(socket.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_handshake_without_an_answer_has_its_limit() {
    let control = Control::new();
    let (journal, _reader) = crate::channel(1 << 20);
    let (inner, _peer) = duplex(1 << 16);
    let tap = Tap::with_progress(Box::new(inner) as Io, journal, 0, None, Protocol::WebSocket, Arc::clone(control.progress()));
    let target = target("ws://127.0.0.1/");
    let endpoint = crate::endpoint::Endpoint::parse(&target).unwrap();
    let handshake = handshake::compose(&target, &endpoint, &[], &[], None).unwrap();
    let limits = Limits { first_byte: Some(Duration::from_secs(7)), ..Limits::default() };
    let start = Instant::now();
    let error = upgrade(tap, handshake, None, &limits, &control).await.err().unwrap();
    assert_eq!((error.code.as_str(), start.elapsed().as_secs()), ("timeout-first-byte", 7));
}
