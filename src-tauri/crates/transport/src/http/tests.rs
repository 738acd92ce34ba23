use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioExecutor;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

use super::*;
use crate::redact::{Protocol, contains};
use crate::tests::{CANARY, Log, keyed, plain, post, read_request, record, serve, target};
use crate::{Dir, HttpVersion, Proxy};

async fn run(target: &Target, request: &Request) -> (Result<(), Error>, Log) {
    let recording = record();
    let outcome = timeout(Duration::from_secs(20), exchange(target, request, recording.journal.clone(), 0, &Control::new())).await.unwrap();
    let log = recording.finish();
    log.assert_clean();
    let last = log.marks().last().map(|mark| (*mark).clone());
    assert_eq!(last, Some(outcome.as_ref().map_or_else(|error| Mark::Failed(error.clone()), |()| Mark::Closed)));
    if let Err(error) = &outcome {
        assert!(![&error.message, &error.consequence, &error.evidence, &error.next].iter().any(|text| text.is_empty()), "{error:?}");
    }
    (outcome, log)
}

/// A server that answers the first request with `answer` and closes.
async fn answer(answer: impl Into<Vec<u8>>) -> (Result<(), Error>, Log) {
    let answer = answer.into();
    let (address, server) = serve(|mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(&answer).await.unwrap();
        stream.shutdown().await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let outcome = run(&target(format!("http://{address}/v1")), &post("{}")).await;
    server.await.unwrap();
    outcome
}

#[tokio::test]
async fn the_journal_has_what_the_server_saw_and_said() {
    let (address, server) = serve(|mut stream| async move {
        let request = read_request(&mut stream).await;
        for part in ["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "5\r\nhel", "lo\r\n", "0\r\n\r\n"] {
            stream.write_all(part.as_bytes()).await.unwrap();
            tokio::task::yield_now().await;
        }
        let _ = stream.read_to_end(&mut Vec::new()).await;
        request
    })
    .await;
    let mut request = post("{\"stream\":true}");
    request.headers.insert(0, plain("X-First", "1"));
    let (outcome, log) = run(&target(format!("http://{address}/v1/chat?a=1&key={{key}}#part")), &request).await;
    outcome.unwrap();
    let seen = String::from_utf8(server.await.unwrap()).unwrap();
    let encoded = CANARY.replace('/', "%2F").replace('+', "%2B");
    let version = crate::USER_AGENT;
    let expected = format!(
        "POST /v1/chat?a=1&key={encoded} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: {version}\r\nX-First: 1\r\nAuthorization: Bearer {CANARY}\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{{\"stream\":true}}"
    );
    assert_eq!(seen, expected);
    let stars = |text: &str| "*".repeat(text.len());
    assert_eq!(log.text(Dir::Out), seen.replace(CANARY, &stars(CANARY)).replace(&encoded, &stars(&encoded)));
    assert_eq!(log.text(Dir::In), "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    assert_eq!(log.outline(), "open dns tcp out sent in closed");
}

#[tokio::test]
async fn a_large_body_is_sent_whole_before_it_counts_as_sent() {
    let (address, server) = serve(|mut stream| async move {
        let length = read_request(&mut stream).await.len();
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
        length
    })
    .await;
    let request = Request { body: vec![b'x'; 20 << 20].into(), ..post("") };
    let (outcome, log) = run(&target(format!("http://{address}/")), &request).await;
    outcome.unwrap();
    assert_eq!(server.await.unwrap(), log.bytes(Dir::Out).len());
    assert_eq!(log.outline(), "open dns tcp out sent in closed");
}

#[tokio::test]
async fn any_status_is_a_response_and_redirects_stay_where_they_are() {
    for status in ["401 Unauthorized", "500 Oops", "302 Found\r\nLocation: /else"] {
        let (outcome, log) = answer(format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nno")).await;
        outcome.unwrap();
        assert!(log.text(Dir::In).ends_with("no"));
    }
}

#[tokio::test]
async fn a_body_to_the_end_of_the_connection_is_whole() {
    let (outcome, log) = answer("HTTP/1.1 200 OK\r\n\r\ndata: 1\n\n").await;
    outcome.unwrap();
    assert_eq!(log.outline(), "open dns tcp out sent in eof closed");
}

#[tokio::test]
async fn a_body_that_ends_early_is_cut() {
    for start in [
        "Content-Length: 10\r\n\r\nhalf",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "Half-a-he",
    ] {
        let (outcome, log) = answer(format!("HTTP/1.1 200 OK\r\n{start}")).await;
        let error = outcome.unwrap_err();
        assert_eq!((error.code.as_str(), error.blame), ("cut", Blame::Network), "{start:?}: {error:?}");
        assert_eq!(log.outline(), "open dns tcp out sent in eof failed");
        assert!(log.text(Dir::In).ends_with(start));
        assert!(error.consequence.contains("kept"));
    }
}

#[tokio::test]
async fn no_answer_at_all() {
    let (outcome, log) = answer("").await;
    let error = outcome.unwrap_err();
    assert_eq!((error.code.as_str(), error.blame), ("empty-reply", Blame::Peer));
    assert_eq!(log.outline(), "open dns tcp out sent eof failed");
}

#[tokio::test]
async fn answers_that_break_http() {
    for bad in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    ] {
        let (outcome, log) = answer(bad).await;
        let error = outcome.unwrap_err();
        assert_eq!((error.code.as_str(), error.blame), ("http-protocol", Blame::Peer), "{bad:?}: {error:?}");
        assert_eq!(log.text(Dir::In), bad);
    }
}

#[tokio::test]
async fn a_reset_is_told_from_an_end() {
    let (address, _server) = serve(|mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\npart").await.unwrap();
        sleep(Duration::from_millis(50)).await;
        #[allow(deprecated)]
        stream.set_linger(Some(Duration::ZERO)).unwrap();
    })
    .await;
    let (outcome, log) = run(&target(format!("http://{address}/")), &post("{}")).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.code.as_str(), error.blame), ("reset", Blame::Network), "{error:?}");
    assert_eq!(log.outline(), "open dns tcp out sent in failed");
}

#[tokio::test]
async fn an_echoed_key_is_in_no_part_of_the_log() {
    let escaped = CANARY.replace('/', "\\/");
    let (outcome, log) = answer(format!(
        "HTTP/1.1 401 Bearer {CANARY}\r\nX-Key: {CANARY}\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{}\r\n{:x}\r\n{}{escaped}\r\n0\r\n\r\n",
        &CANARY[..9],
        CANARY.len() - 9 + escaped.len(),
        &CANARY[9..]
    ))
    .await;
    outcome.unwrap();
    assert!(!contains(&log.bytes(Dir::In), b"Canary") && !contains(&log.bytes(Dir::In), b"56789"), "{}", log.text(Dir::In));
    // An error quotes what came.
    let (outcome, _) = answer(format!("{CANARY}\r\n\r\n")).await;
    outcome.unwrap_err();
}

#[tokio::test]
async fn heads_that_other_clients_read_are_read() {
    for field in ["X-Folded: one\r\n two\r\n", "X-Spaced : value\r\n"] {
        let (outcome, log) = answer(format!("HTTP/1.1 200 OK\r\n{field}Content-Length: 2\r\n\r\nok")).await;
        outcome.unwrap();
        assert!(log.text(Dir::In).ends_with("ok"));
    }
}

#[tokio::test]
async fn requests_that_cannot_be_sent() {
    let target_of = |url: &str| target(url);
    for (target, request, code) in [
        (target_of("http://127.0.0.1:1/"), Request { headers: vec![plain("bad name", "x")], ..post("") }, "bad-header"),
        (target_of("http://127.0.0.1:1/"), Request { headers: vec![plain("x", "a\r\nb: c")], ..post("") }, "bad-header"),
        (target_of("http://127.0.0.1:1/"), Request { headers: vec![plain("Content-Length", "7")], ..post("") }, "bad-header"),
        (target_of("http://127.0.0.1:1/"), Request { method: "GE T".into(), ..post("") }, "bad-method"),
        (target_of("ws://127.0.0.1:1/"), post(""), "unsupported-scheme"),
    ] {
        let (outcome, log) = run(&target, &request).await;
        let error = outcome.unwrap_err();
        assert_eq!((error.code.as_str(), error.blame), (code, Blame::User));
        assert_eq!(log.outline(), "open failed");
    }
    let (outcome, _) = run(&Target { key: None, ..target_of("http://127.0.0.1:1/") }, &post("")).await;
    assert_eq!(outcome.unwrap_err().code, "no-key");
}

#[tokio::test]
async fn cancel_closes_the_socket_at_once() {
    let (address, server) = serve(|mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\ndata: 1\n\n").await.unwrap();
        let gone = stream.read_to_end(&mut Vec::new()).await;
        (gone, Instant::now())
    })
    .await;
    let (recording, control) = (record(), Control::new());
    let (target, request) = (target(format!("http://{address}/")), post("{}"));
    let running = exchange(&target, &request, recording.journal.clone(), 0, &control);
    let stop = async {
        while control.progress().stage() < crate::error::Stage::Receiving {
            sleep(Duration::from_millis(1)).await;
        }
        assert!(control.is_live() && control.quiet_for().is_some());
        control.cancel();
        Instant::now()
    };
    let (outcome, stopped) = tokio::join!(running, stop);
    let error = outcome.unwrap_err();
    assert_eq!((error.code.as_str(), error.blame), ("cancelled", Blame::User));
    assert!(!control.is_live());
    let (_, gone) = server.await.unwrap();
    assert!(gone - stopped < Duration::from_millis(100));
    assert_eq!(recording.finish().outline(), "open dns tcp out sent in cancelled");
}

#[tokio::test]
async fn cancel_before_and_during_the_dial() {
    let control = Control::new();
    control.cancel();
    let recording = record();
    let outcome = exchange(&target("http://127.0.0.1:1/"), &post(""), recording.journal.clone(), 0, &control).await;
    assert_eq!(outcome.unwrap_err().code, "cancelled");
    assert_eq!(recording.finish().outline(), "cancelled");
}

/// Runs `converse` over a pipe with the clock paused; the peer runs `script`.
async fn paused<F>(limits: Limits, control: Control, script: impl FnOnce(tokio::io::DuplexStream) -> F) -> (Result<(), Error>, Duration)
where
    F: Future<Output = ()> + Send + 'static,
{
    let (journal, _reader) = crate::channel(1 << 20);
    let (inner, peer) = duplex(1 << 16);
    let tap = Tap::with_progress(inner, journal, 0, None, Protocol::Http1, Arc::clone(control.progress()));
    let mut request = ::http::Request::new(Upload { body: Bytes::from_static(b"{}"), handed_over: Arc::default() });
    *request.method_mut() = Method::POST;
    let start = Instant::now();
    tokio::spawn(script(peer));
    let outcome = converse(tap, false, request, None, &limits, &control, &mut |_| ControlFlow::Continue(())).await;
    (outcome, start.elapsed())
}

fn seconds(first_byte: u64, idle: u64) -> Limits {
    Limits { first_byte: Some(Duration::from_secs(first_byte)), idle: Some(Duration::from_secs(idle)), ..Limits::default() }
}

#[tokio::test(start_paused = true)]
async fn the_first_byte_has_its_limit() {
    let script = |mut peer: tokio::io::DuplexStream| async move {
        read_request(&mut peer).await;
        sleep(Duration::from_secs(1000)).await;
        drop(peer);
    };
    // A short idle limit does not apply before the first byte.
    let (outcome, after) = paused(seconds(30, 5), Control::new(), script).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.code.as_str(), error.blame), ("timeout-first-byte", Blame::Network));
    assert_eq!(after.as_secs(), 30);
}

/// A local server that loads a model says nothing for minutes, not even a head.
#[tokio::test(start_paused = true)]
async fn a_model_that_loads_for_minutes_is_waited_for() {
    let script = |mut peer: tokio::io::DuplexStream| async move {
        read_request(&mut peer).await;
        sleep(Duration::from_secs(290)).await;
        peer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await.unwrap();
    };
    let (outcome, after) = paused(Limits::default(), Control::new(), script).await;
    outcome.unwrap();
    assert_eq!(after.as_secs(), 290);
}

#[tokio::test(start_paused = true)]
async fn silence_between_two_reads_has_its_limit() {
    let script = |mut peer: tokio::io::DuplexStream| async move {
        read_request(&mut peer).await;
        peer.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        for _ in 0..4 {
            sleep(Duration::from_secs(9)).await;
            peer.write_all(b": ping\n").await.unwrap();
        }
        sleep(Duration::from_secs(1000)).await;
        drop(peer);
    };
    let (outcome, after) = paused(seconds(300, 10), Control::new(), script).await;
    assert_eq!(outcome.unwrap_err().code, "timeout-idle");
    assert_eq!(after.as_secs(), 4 * 9 + 10);
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_nobody_takes_is_idle() {
    let (journal, _reader) = crate::channel(1 << 20);
    let (inner, _peer) = duplex(10);
    let control = Control::new();
    let tap = Tap::with_progress(inner, journal, 0, None, Protocol::Http1, Arc::clone(control.progress()));
    let request = ::http::Request::new(Upload { body: Bytes::from_static(b"{}"), handed_over: Arc::default() });
    let start = Instant::now();
    let outcome = converse(tap, false, request, None, &seconds(300, 10), &control, &mut |_| ControlFlow::Continue(())).await;
    assert_eq!(outcome.unwrap_err().code, "timeout-idle");
    assert_eq!(start.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn finishing_waits_a_second_for_the_body_and_succeeds_either_way() {
    for ends_after in [300, 5000] {
        let control = Control::new();
        let wish = control.clone();
        let script = move |mut peer: tokio::io::DuplexStream| async move {
            read_request(&mut peer).await;
            peer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\ndata: [DONE]\n\n").await.unwrap();
            wish.finish();
            sleep(Duration::from_millis(ends_after)).await;
            // Cut short: of no matter once the reply is complete.
            drop(peer);
        };
        let (outcome, after) = paused(seconds(30, 30), control, script).await;
        outcome.unwrap();
        assert_eq!(after.as_millis(), u128::from(ends_after.min(1000)));
    }
}

#[tokio::test]
async fn the_whole_exchange_has_its_limit() {
    let (address, _server) = serve(|mut stream| async move {
        read_request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while stream.write_all(b": ping\n").await.is_ok() {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    let mut target = target(format!("http://{address}/"));
    target.limits.total = Some(Duration::from_millis(200));
    let (outcome, _) = run(&target, &post("{}")).await;
    assert_eq!(outcome.unwrap_err().code, "timeout-total");
}

#[tokio::test]
async fn plain_http_goes_through_a_proxy_in_absolute_form() {
    let (address, proxy) = serve(|mut stream| async move {
        let request = read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        String::from_utf8(request).unwrap()
    })
    .await;
    let target = Target { proxy: Proxy::Url(format!("http://me:hunter22@{address}")), ..target("http://api.example.com/v1?x=1") };
    let (outcome, log) = run(&target, &post("{}")).await;
    outcome.unwrap();
    let seen = proxy.await.unwrap();
    assert!(seen.starts_with("POST http://api.example.com/v1?x=1 HTTP/1.1\r\nHost: api.example.com\r\n"), "{seen}");
    assert!(seen.contains("Proxy-Authorization: Basic bWU6aHVudGVyMjI=\r\n"), "{seen}");
    assert!(!log.text(Dir::Out).contains("bWU6aHVudGVyMjI"), "{}", log.text(Dir::Out));
}

/// An HTTP/2 server behind a relay that keeps the raw bytes; gives what the client sent and what it got.
async fn http2_server<F, B>(
    service: impl Fn(::http::Request<Incoming>) -> F + Clone + Send + 'static,
) -> (std::net::SocketAddr, tokio::task::JoinHandle<(Vec<u8>, Vec<u8>)>)
where
    F: Future<Output = Result<::http::Response<B>, std::io::Error>> + Send + 'static,
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(stream), service_fn(service))
            .await;
    });
    serve(move |mut client| async move {
        let mut server = TcpStream::connect(address).await.unwrap();
        let (mut up, mut down) = (Vec::new(), Vec::new());
        let (mut a, mut b) = ([0; 9000], [0; 9000]);
        loop {
            tokio::select! {
                read = client.read(&mut a) => match read {
                    Ok(length @ 1..) => { up.extend_from_slice(&a[..length]); let _ = server.write_all(&a[..length]).await; }
                    _ => break,
                },
                read = server.read(&mut b) => match read {
                    Ok(length @ 1..) => { down.extend_from_slice(&b[..length]); let _ = client.write_all(&b[..length]).await; }
                    _ => break,
                },
            }
        }
        (up, down)
    })
    .await
}

fn http2(address: std::net::SocketAddr, path: &str) -> Target {
    Target { http: HttpVersion::Http2, ..target(format!("http://{address}{path}")) }
}

/// The frames' types, flags and payloads.
fn frames(mut bytes: &[u8]) -> Vec<(u8, u8, &[u8])> {
    let mut frames = Vec::new();
    while let [a, b, c, kind, flags, _, _, _, _, rest @ ..] = bytes {
        let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        frames.push((*kind, *flags, &rest[..length]));
        bytes = &rest[length..];
    }
    frames
}

#[tokio::test]
async fn http2_is_logged_as_it_was_on_the_wire_without_the_key() {
    let (address, relay) = http2_server(|request: ::http::Request<Incoming>| async move {
        // The key comes back in a field (with text around it) and in the body.
        let key = request.headers()["authorization"].to_str().unwrap().to_owned();
        assert_eq!(key, format!("Bearer {CANARY}"));
        let body = request.into_body().collect().await.map_err(std::io::Error::other)?.to_bytes();
        let mut response = ::http::Response::new(http_body_util::Full::new(Bytes::from(format!("{key} {}", body.len()))));
        response.headers_mut().insert("x-echo", format!("you sent {key}, yes").parse().unwrap());
        Ok(response)
    })
    .await;
    let body = vec![b'x'; 300_000];
    let mut request = Request { body: body.into(), ..post("") };
    request.headers.push(keyed("x-api-key", "{key}"));
    let (outcome, log) = run(&http2(address, "/v1?key={key}"), &request).await;
    outcome.unwrap();
    let (up, down) = relay.await.unwrap();
    let (logged_up, logged_down) = (log.bytes(Dir::Out), log.bytes(Dir::In));
    assert_eq!((up.len(), down.len()), (logged_up.len(), logged_down.len()));
    assert!(log.outline().starts_with("open dns tcp out"), "{}", log.outline());
    // Apart from the secrets, all bytes are as they were; and the end of the request was marked once, after its data.
    let differing = |a: &[u8], b: &[u8]| a.iter().zip(b).filter(|(a, b)| a != b).count();
    assert!((1..3 * CANARY.len()).contains(&differing(&up, &logged_up)));
    assert!((1..3 * CANARY.len()).contains(&differing(&down, &logged_down)));
    let out_before_sent: usize = log
        .0
        .iter()
        .take_while(|entry| !matches!(entry, crate::Entry::Mark { mark: Mark::Sent, .. }))
        .map(|entry| if let crate::Entry::Segment { dir: Dir::Out, bytes, .. } = entry { bytes.len() } else { 0 })
        .sum();
    assert!(out_before_sent >= 300_000 && log.marks().iter().filter(|mark| ***mark == Mark::Sent).count() == 1);

    let decode = |block: &[u8]| {
        fluke_hpack::Decoder::new()
            .decode(block)
            .unwrap()
            .into_iter()
            .map(|(name, value)| (String::from_utf8(name).unwrap(), String::from_utf8(value).unwrap()))
            .collect::<Vec<_>>()
    };
    let value = |headers: &[(String, String)], name: &str| headers.iter().find(|(key, _)| key == name).unwrap().1.clone();
    let block = frames(&logged_up[24..]).into_iter().find(|frame| frame.0 == 1).unwrap().2;
    let headers = decode(block);
    assert!(value(&headers, "authorization").starts_with("Bearer *****"), "{headers:?}");
    assert!(value(&headers, "x-api-key").starts_with("*****"), "{headers:?}");
    assert!(value(&headers, ":path").starts_with("/v1?key=*****"), "{headers:?}");
    // Never indexed (RFC 7541, section 6.2.3): 0001, then the name's index 23 (authorization) with its 4-bit prefix.
    assert!(contains(block, &[0x1f, 23 - 15]), "{block:?}");
    let back = decode(frames(&logged_down).into_iter().find(|frame| frame.0 == 1).unwrap().2);
    let echo = value(&back, "x-echo");
    assert!(echo.starts_with("you sent Bearer ****") && echo.ends_with(", yes"), "{echo}");
    for text in [format!("{headers:?}"), format!("{back:?}")] {
        assert!(!text.contains("Canary") && !text.contains("56789"), "{text}");
    }
}

#[tokio::test]
async fn a_server_without_http2_prior_knowledge() {
    let (address, _server) = serve(|mut stream| async move {
        let _ = stream.read(&mut [0; 100]).await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nwhat?").await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let (outcome, log) = run(&http2(address, "/"), &post("{}")).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.code.as_str(), error.blame), ("http-version", Blame::Configuration), "{error:?}");
    assert!(error.consequence.contains("no tokens"), "{error:?}");
    assert!(log.text(Dir::In).starts_with("HTTP/1.1 400"));
}

#[tokio::test]
async fn a_server_of_http2_alone() {
    // SETTINGS, then GOAWAY with PROTOCOL_ERROR: the preface was none.
    let answer = b"\0\0\0\x04\0\0\0\0\0\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\x01";
    for cut in [1, 6, 7, answer.len()] {
        let (address, server) = serve(move |mut stream| async move {
            read_request(&mut stream).await;
            for part in [&answer[..cut], &answer[cut..]] {
                stream.write_all(part).await.unwrap();
                tokio::task::yield_now().await;
            }
            stream.shutdown().await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
        })
        .await;
        let (outcome, _) = run(&target(format!("http://{address}/v1")), &post("{}")).await;
        server.await.unwrap();
        assert_eq!(outcome.unwrap_err().code, if cut < 7 { "http-protocol" } else { "http-version" }, "cut at {cut}");
    }
}

#[tokio::test]
async fn an_http2_stream_that_the_server_resets() {
    let (address, _relay) = http2_server(|_| async move {
        let failing =
            futures_util::stream::iter([Ok(Frame::data(Bytes::from_static(b"part"))), Err(std::io::Error::other("broken inside"))]);
        Ok(::http::Response::new(http_body_util::StreamBody::new(failing)))
    })
    .await;
    let (outcome, _) = run(&http2(address, "/"), &post("{}")).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.code.as_str(), error.blame), ("stream-reset", Blame::Peer), "{error:?}");
}

#[tokio::test]
async fn an_http2_connection_that_ends_early_is_cut() {
    let (address, _server) = serve(|mut stream| async move {
        let _ = stream.read(&mut [0; 1000]).await;
        // SETTINGS, then HEADERS with `:status: 200`, then half a DATA frame.
        let _ = stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await;
        sleep(Duration::from_millis(50)).await;
        let _ = stream.write_all(&[0, 0, 1, 1, 4, 0, 0, 0, 1, 0x88, 0, 0, 9, 0, 0, 0, 0, 0, 1, b'h', b'i']).await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let (outcome, log) = run(&http2(address, "/"), &post("{}")).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.code.as_str(), error.blame), ("cut", Blame::Network), "{error:?}");
    assert!(log.outline().ends_with("eof failed"), "{}", log.outline());
}

#[tokio::test]
async fn cancel_closes_an_http2_socket_at_once() {
    let (address, relay) = http2_server(|_| async move {
        let endless = futures_util::stream::pending::<Result<Frame<Bytes>, std::io::Error>>();
        Ok(::http::Response::new(http_body_util::StreamBody::new(endless)))
    })
    .await;
    let (recording, control) = (record(), Control::new());
    let (target, request) = (http2(address, "/"), post("{}"));
    let stop = async {
        while control.progress().stage() < crate::error::Stage::Receiving {
            sleep(Duration::from_millis(1)).await;
        }
        control.cancel();
    };
    let (outcome, ()) = tokio::join!(exchange(&target, &request, recording.journal.clone(), 0, &control), stop);
    assert_eq!(outcome.unwrap_err().code, "cancelled");
    timeout(Duration::from_millis(100), relay).await.unwrap().unwrap();
}

#[tokio::test]
async fn an_unread_journal_holds_the_server_back() {
    let (address, server) = serve(|mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let (chunk, mut written) = (vec![b'x'; 64 << 10], 0);
        while let Ok(Ok(())) = timeout(Duration::from_millis(500), stream.write_all(&chunk)).await {
            written += chunk.len();
        }
        written
    })
    .await;
    let (journal, reader) = crate::channel(100_000);
    let control = Control::new();
    let (target, request) = (target(format!("http://{address}/")), post("{}"));
    let running = exchange(&target, &request, journal.clone(), 0, &control);
    let watch = async {
        let written = server.await.unwrap();
        control.cancel();
        written
    };
    let (_, written) = tokio::join!(running, watch);
    // What is in flight beyond the journal is the kernel's socket buffers.
    assert!(written < 16 << 20, "{written}");
    assert!(journal.queued() < 100_000 + (512 << 10), "{}", journal.queued());
    drop(reader);
}
