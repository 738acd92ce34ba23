//! Each fault as a client sees it on the wire: proxies, deploys, codings, and frames no polite server sends.

use std::io::Read;
use std::time::Instant;

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::{self, Message};

use super::tests::{body, chat, chunks, connect, header, http_client, lab, raw, say, status, until};
use super::*;
use crate::connections::{Side, State};

/// The body of a streamed reply under these faults, and whether it was whole.
async fn stream(lab: &Lab, fault: &str, more: &str) -> (String, bool, Vec<u8>) {
    let headers = format!("x-lab-tokens: 30\r\nx-lab-fault: {fault}\r\n{more}");
    let (bytes, _) = raw(lab, "/v1/chat/completions", &headers, &chat("lab/steady", true)).await;
    let (parts, whole) = chunks(&bytes);
    (String::from_utf8_lossy(&parts.concat()).into_owned(), whole, bytes)
}

fn ids(body: &str) -> Vec<u32> {
    body.lines().filter_map(|line| line.strip_prefix("id: ")?.parse().ok()).collect()
}

#[tokio::test]
async fn a_deploy_is_announced_drops_and_comes_back() {
    let lab = lab().await;
    let deploy = "deploy=9;notice=0;down=300;retry=250";
    let (text, whole, _) = stream(&lab, deploy, "").await;
    assert!(text.ends_with("retry: 250\n\n") && !whole, "{text}");
    // While it is down, nobody answers.
    let (bytes, end) = raw(&lab, "/v1/chat/completions", &format!("x-lab-fault: {deploy}\r\n"), &chat("lab/steady", true)).await;
    assert!(bytes.is_empty() && end.is_err());
    // Others are not concerned.
    assert!(stream(&lab, "none", "").await.1);
    sleep(Duration::from_millis(320)).await;
    let (text, whole, _) = stream(&lab, deploy, "").await;
    assert!(whole && text.ends_with("[DONE]\n\n") && !text.contains("retry:"), "the new version stays");
    assert!(!stream(&lab, deploy, "").await.1, "until the next deploy");
    assert!(lab.connections().rows.iter().filter(|row| row.fault == "deploy").count() == 4);
}

#[tokio::test]
async fn a_drained_deploy_lets_the_reply_end_and_then_the_connection() {
    let lab = lab().await;
    let mut socket = TcpStream::connect(lab.address()).await.unwrap();
    let body = chat("lab/steady", true);
    // Nothing in the request asks for the connection's end.
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: lab\r\nx-lab-fault: deploy-drain=9\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    timeout(Duration::from_secs(5), socket.read_to_end(&mut bytes)).await.expect("a close").unwrap();
    let (parts, whole) = chunks(&bytes);
    let text = String::from_utf8(parts.concat()).unwrap();
    assert!(whole && text.contains("\nretry: 1000\n\n") && text.ends_with("[DONE]\n\n"));
}

#[tokio::test]
async fn a_deploy_closes_a_websocket_with_1012_and_drains_it_after_the_reply() {
    let lab = lab().await;
    let ask = json!({"type": "response.create", "model": "lab/steady", "input": "x"});
    for (fault, complete) in [("deploy-drain=9", true), ("deploy=9;notice=0;down=200", false)] {
        let mut ws = connect(&lab, "/v1/responses", fault).await.unwrap();
        say(&mut ws, ask.clone()).await;
        let (mut completed, mut code) = (false, 0);
        while let Some(Ok(message)) = ws.next().await {
            match message {
                Message::Text(text) => completed |= text.contains("\"response.completed\""),
                Message::Close(Some(frame)) => code = frame.code.into(),
                _ => {}
            }
        }
        assert_eq!((completed, code), (complete, 1012), "{fault}");
    }
    assert!(connect(&lab, "/v1/responses", "deploy=9").await.is_err(), "it is down");
}

#[tokio::test]
async fn goaway_is_sent_and_the_stream_ends_in_peace() {
    let lab = lab().await;
    let mut socket = TcpStream::connect(lab.address()).await.unwrap();
    let frame = |kind: u8, flags: u8, stream: u32, payload: &[u8]| {
        [&(payload.len() as u32).to_be_bytes()[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    };
    // HPACK (RFC 7541): GET and http from the static table, the rest as literals without indexing.
    let mut head = vec![0x82, 0x86];
    let text = |head: &mut Vec<u8>, text: &str| {
        head.push(text.len() as u8);
        head.extend_from_slice(text.as_bytes());
    };
    head.push(0x01);
    text(&mut head, "lab");
    head.push(0x04);
    text(&mut head, "/sse?count=5&interval_ms=1");
    head.push(0x00);
    text(&mut head, "x-lab-fault");
    text(&mut head, "goaway=2");
    let hello = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(4, 0, 0, &[]), frame(1, 5, 1, &head)].concat();
    socket.write_all(&hello).await.unwrap();
    let (mut got, mut goaways, mut data, mut at) = (Vec::new(), 0, Vec::new(), 0);
    let mut acked = false;
    timeout(Duration::from_secs(5), async {
        let mut buffer = [0; 4096];
        loop {
            let n = socket.read(&mut buffer).await.unwrap_or(0);
            if n == 0 {
                break;
            }
            got.extend_from_slice(&buffer[..n]);
            while got.len() >= at + 9 {
                let length = u32::from_be_bytes([0, got[at], got[at + 1], got[at + 2]]) as usize;
                if got.len() < at + 9 + length {
                    break;
                }
                let (kind, flags, payload) = (got[at + 3], got[at + 4], got[at + 9..at + 9 + length].to_vec());
                at += 9 + length;
                match kind {
                    0 => data.extend_from_slice(&payload),
                    4 if flags == 0 && !acked => {
                        acked = true;
                        socket.write_all(&frame(4, 1, 0, &[])).await.unwrap();
                    }
                    // A graceful shutdown waits for its ping's answer (RFC 9113 §6.8).
                    6 if flags == 0 => socket.write_all(&frame(6, 1, 0, &payload)).await.unwrap(),
                    7 => goaways += 1,
                    _ => {}
                }
            }
        }
    })
    .await
    .expect("the connection ends");
    assert!(goaways >= 1);
    assert_eq!(ids(&String::from_utf8(data).unwrap()), [1, 2, 3, 4, 5], "the stream under way is whole");
}

#[tokio::test]
async fn a_buffering_gateway_lumps_and_an_idle_one_cuts() {
    let lab = lab().await;
    let (plain, _, _) = stream(&lab, "none", "").await;
    let (text, whole, bytes) = stream(&lab, "buffering=2000", "").await;
    assert!(whole);
    assert_eq!(text, plain);
    let sizes: Vec<usize> = chunks(&bytes).0.iter().map(Vec::len).collect();
    assert!(sizes.len() > 2 && sizes[..sizes.len() - 1].iter().all(|size| *size >= 2000), "{sizes:?}");
    // A stall the gateway does not wait for: two recipes at once.
    let start = Instant::now();
    let (text, whole, _) = stream(&lab, "stall=60,idle-timeout=1;ms=150", "").await;
    assert!(!whole && text.len() > 500 && text.len() < plain.len());
    assert!(start.elapsed() < Duration::from_secs(5));
    until("the row", || lab.connections().rows[0].state == State::Dropped { by: Side::Lab }).await;
    let headers = "x-lab-ttft-ms: 5000\r\nx-lab-fault: idle-timeout=1;ms=50\r\n";
    let (bytes, _) = raw(&lab, "/v1/chat/completions", headers, &chat("lab/steady", false)).await;
    assert_eq!(status(&bytes), 504);
    let mut ws = connect(&lab, "/echo/ws", "idle-timeout=1;ms=80").await.unwrap();
    assert!(matches!(ws.next().await, Some(Err(_)) | None), "a silent WebSocket goes too, with no close frame");
}

#[tokio::test]
async fn events_come_twice_or_not_at_all_and_their_ids_tell() {
    let lab = lab().await;
    let doubled = ids(&stream(&lab, "duplicate=7", "").await.0);
    assert_eq!(doubled[..10], [1, 2, 3, 4, 5, 6, 7, 7, 8, 9]);
    let lost = ids(&stream(&lab, "lose=7", "").await.0);
    assert_eq!(lost[..7], [1, 2, 3, 4, 5, 6, 8]);
    assert!(stream(&lab, "lose=1", "").await.0.ends_with("data: [DONE]\n\n"), "the end is no-end-marker's to take");
    let both = ids(&stream(&lab, "duplicate=2,lose=3", "").await.0);
    assert_eq!(both[..8], [1, 2, 2, 4, 4, 5, 7, 8]);
}

#[tokio::test]
async fn marks_types_and_keep_alives() {
    let lab = lab().await;
    let (plain, _, _) = stream(&lab, "none", "").await;
    let (text, _, bytes) = stream(&lab, "bom,wrong-type=text/html", "").await;
    assert_eq!(text.strip_prefix('\u{FEFF}'), Some(plain.as_str()));
    assert_eq!(header(&bytes, "content-type"), Some("text/html"));
    let (text, _, bytes) = stream(&lab, "ping-flood=3,wrong-type", "").await;
    assert_eq!(header(&bytes, "content-type"), Some("text/plain"));
    assert_eq!(text.replace(": keep-alive\n\n", ""), plain);
    assert_eq!(text.matches(": keep-alive").count(), 3 * plain.matches("data: ").count());
}

#[tokio::test]
async fn plain_events_go_wrong_and_resume() {
    let lab = lab().await;
    let (mut last, mut seen) = (String::new(), Vec::new());
    for (nth, upto) in [(1, 4), (2, 8), (3, 10)] {
        let headers = format!("x-lab-fault: cut-after=4\r\n{last}");
        let (bytes, _) = raw(&lab, "/sse?count=10&interval_ms=0", &headers, "").await;
        seen.extend(ids(&String::from_utf8(chunks(&bytes).0.concat()).unwrap()));
        assert_eq!(seen.last(), Some(&upto), "connection {nth}");
        last = format!("last-event-id: {upto}\r\n");
    }
    assert_eq!(seen, (1..=10).collect::<Vec<_>>(), "nothing lost, nothing twice");
    let (bytes, _) = raw(&lab, "/sse?count=10", &last, "").await;
    assert_eq!(status(&bytes), 204, "there is nothing more to come back for");
    let (bytes, _) = raw(&lab, "/sse?count=6&interval_ms=0", "x-lab-fault: duplicate=2,lose=3\r\n", "").await;
    assert_eq!(ids(&String::from_utf8(chunks(&bytes).0.concat()).unwrap()), [1, 2, 2, 4, 4, 5]);
}

#[tokio::test]
async fn bodies_are_coded_as_the_client_asks_and_each_event_can_be_read_when_it_comes() {
    let lab = lab().await;
    let (plain, _, bytes) = stream(&lab, "none", "").await;
    assert_eq!((header(&bytes, "content-encoding"), header(&bytes, "vary")), (None, Some("accept-encoding")));
    for coding in ["gzip", "deflate", "br", "zstd"] {
        let ask = format!("accept-encoding: {coding}\r\n");
        let (_, whole, bytes) = stream(&lab, "none", &ask).await;
        assert!(whole);
        assert_eq!(header(&bytes, "content-encoding"), Some(coding));
        let (parts, _) = chunks(&bytes);
        // What has come by the fifth chunk holds five events, and no more is needed.
        assert_eq!(decode(coding, &parts[..5].concat()), plain.split_inclusive("\n\n").take(5).collect::<String>().into_bytes());
        assert_eq!(decode(coding, &parts.concat()), plain.as_bytes());
        let (bytes, _) = raw(&lab, "/v1/chat/completions", &ask, &chat("lab/steady", false)).await;
        assert_eq!(header(&bytes, "content-length").unwrap().parse(), Ok(body(&bytes).len()));
        assert!(serde_json::from_slice::<serde_json::Value>(&decode(coding, body(&bytes))).is_ok());
        let (bytes, _) = raw(&lab, "/flood?events=9", &ask, "").await;
        assert_eq!(header(&bytes, "content-encoding"), None, "a flood is sent as it is");
    }
}

/// As much as can be read.
fn decode(coding: &str, bytes: &[u8]) -> Vec<u8> {
    let mut decoder: Box<dyn Read + '_> = match coding {
        "gzip" => Box::new(flate2::read::GzDecoder::new(bytes)),
        "deflate" => Box::new(flate2::read::ZlibDecoder::new(bytes)),
        "br" => Box::new(brotli::Decompressor::new(bytes, 4096)),
        _ => Box::new(zstd::stream::read::Decoder::new(bytes).unwrap()),
    };
    let mut out = Vec::new();
    // Ends with an error where the body breaks off; what was read before it counts.
    let _ = decoder.read_to_end(&mut out);
    out
}

#[tokio::test]
async fn a_slow_reader_holds_the_client_up() {
    let lab = lab().await;
    let client = http_client().no_proxy().build().unwrap();
    let large = vec![b'x'; 24 << 20];
    let start = Instant::now();
    let response = client.post(lab.url() + "/echo").header("x-lab-fault", "slow-reader=1;ms=400").body(large).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(start.elapsed() >= Duration::from_millis(400));
    let mut ws = connect(&lab, "/echo/ws", "slow-reader=1;ms=400").await.unwrap();
    let start = Instant::now();
    ws.send(Message::text("anyone?")).await.unwrap();
    assert_eq!(ws.next().await.unwrap().unwrap(), Message::text("anyone?"));
    assert!(start.elapsed() >= Duration::from_millis(350));
}

#[tokio::test]
async fn a_small_window_lets_a_body_through_in_pieces() {
    let lab = lab().await;
    let on = crate::Switch { id: "small-window".into(), on: true, value: 100 };
    lab.set_settings(Settings { faults: vec![on], ..lab.settings() });
    let client = http_client().no_proxy().http2_prior_knowledge().build().unwrap();
    // The first request may leave before the Lab's settings came.
    assert_eq!(client.get(lab.url() + "/v1/models").send().await.unwrap().status(), 200);
    let start = Instant::now();
    let response = client.post(lab.url() + "/echo").body(vec![b'x'; 1000]).send().await.unwrap();
    assert!(response.text().await.unwrap().contains(&"x".repeat(1000)));
    // Ten windows, each opened after a pause of 100 ms.
    assert!(start.elapsed() >= Duration::from_millis(900), "{:?}", start.elapsed());
}

#[tokio::test]
async fn fragments_pings_and_closes() {
    let lab = lab().await;
    let ask = json!({"type": "response.create", "model": "lab/steady", "input": "x"});
    let run = async |fault: &str| {
        let mut ws = connect(&lab, "/v1/responses", fault).await.unwrap();
        say(&mut ws, ask.clone()).await;
        let (mut texts, mut pings) = (Vec::new(), 0);
        loop {
            match ws.next().await.unwrap().unwrap() {
                Message::Text(text) => {
                    let done = text.contains("\"response.completed\"");
                    texts.push(text.to_string());
                    if done {
                        return (texts, pings, None);
                    }
                }
                Message::Ping(_) => pings += 1,
                Message::Close(frame) => return (texts, pings, frame.map(|f| (u16::from(f.code), f.reason.to_string()))),
                _ => {}
            }
        }
    };
    let (plain, none, _) = run("none").await;
    assert_eq!(none, 0);
    let (texts, pings, _) = run("fragmented=4").await;
    assert_eq!(texts, plain, "fragments are put together");
    assert_eq!(pings, 3 * plain.len());
    let (texts, pings, _) = run("ping-flood=5").await;
    assert_eq!((texts.len(), pings), (plain.len(), 5 * plain.len()));
    for code in [1001, 1012, 1013] {
        let (_, _, close) = run(&format!("close-{code}=9")).await;
        assert_eq!(close.unwrap().0, code);
    }
    let mut ws = connect(&lab, "/v1/responses", "compressed").await.unwrap();
    say(&mut ws, ask.clone()).await;
    match ws.next().await.unwrap() {
        Err(tungstenite::Error::Protocol(error)) => assert!(error.to_string().to_lowercase().contains("reserved"), "{error}"),
        other => panic!("{other:?}"),
    }
}

/// A handshake with this offer; the answer's extensions and what came after the head.
async fn offer(lab: &Lab, path: &str, offer: &str, fault: &str) -> (TcpStream, Option<String>) {
    let mut socket = TcpStream::connect(lab.address()).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: lab\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-extensions: {offer}\r\nx-lab-fault: {fault}\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    let extensions = header(&head, "sec-websocket-extensions").map(str::to_string);
    (socket, extensions)
}

#[tokio::test]
async fn messages_are_compressed_both_ways_in_both_forms() {
    let lab = lab().await;
    let text = "naïve 世界, and once more: naïve 世界";
    for (asked, fault, answer, lasts) in [
        ("permessage-deflate; client_max_window_bits", "none", "permessage-deflate", true),
        (
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            "none",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            false,
        ),
        ("permessage-deflate", "no-context-takeover", "permessage-deflate; server_no_context_takeover; client_no_context_takeover", false),
    ] {
        let (mut socket, extensions) = offer(&lab, "/echo/ws", asked, fault).await;
        assert_eq!(extensions.as_deref(), Some(answer));
        let mut compress = flate2::Compress::new(flate2::Compression::default(), false);
        let mut inflate = flate2::Decompress::new(false);
        let mut sizes = Vec::new();
        for _ in 0..3 {
            if !lasts {
                compress.reset();
                inflate.reset(false);
            }
            let mut deflated = Vec::with_capacity(1024);
            compress.compress_vec(text.as_bytes(), &mut deflated, flate2::FlushCompress::Sync).unwrap();
            deflated.truncate(deflated.len() - 4);
            // Masked with a key of zeros.
            let frame = [&[0xC1, 0x80 | deflated.len() as u8, 0, 0, 0, 0], deflated.as_slice()].concat();
            socket.write_all(&frame).await.unwrap();
            let mut head = [0; 2];
            socket.read_exact(&mut head).await.unwrap();
            assert_eq!(head[0], 0xC1, "RSV1 on the message's only frame");
            let mut payload = vec![0; head[1].into()];
            socket.read_exact(&mut payload).await.unwrap();
            sizes.push(payload.len());
            payload.extend([0, 0, 0xFF, 0xFF]);
            let mut back = Vec::with_capacity(1024);
            inflate.decompress_vec(&payload, &mut back, flate2::FlushDecompress::Sync).unwrap();
            assert_eq!(String::from_utf8(back).unwrap(), text);
        }
        assert_eq!(sizes[1] < sizes[0] / 2, lasts, "{sizes:?}");
        // What is no DEFLATE is refused.
        socket.write_all(&[0xC1, 0x83, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF]).await.unwrap();
        let mut rest = Vec::new();
        socket.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, [0x88, 0x02, 0x03, 0xEA]);
    }
    assert_eq!(offer(&lab, "/echo/ws", "permessage-deflate", "no-deflate").await.1, None);
    assert_eq!(offer(&lab, "/echo/ws", "permessage-bogus", "none").await.1, None);
}
