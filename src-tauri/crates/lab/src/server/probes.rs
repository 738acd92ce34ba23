//! What the server does for every dialect, seen through one that only tests speak: framings, conversations, refusals.

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};

use super::*;
use crate::script::Script;

async fn lab() -> Lab {
    let mut config = LabConfig { port: 0, ..LabConfig::default() };
    config.settings.pace.ttft_ms = 0;
    config.settings.pace.tokens_per_second = 0.0;
    config.settings.pace.reply_tokens = 30;
    Lab::start(config).await.unwrap()
}

async fn post(lab: &Lab, path: &str, fault: &str) -> (::http::StatusCode, ::http::HeaderMap, Vec<u8>) {
    // Fails when another test was first, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = client.post(lab.url() + path).header("x-lab-fault", fault).body("Why?").send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    (status, headers, response.bytes().await.map(|bytes| bytes.to_vec()).unwrap_or_default())
}

/// The messages of an event stream, each with its name and payload; none where a length or a checksum is wrong.
fn records(mut bytes: &[u8]) -> Vec<Option<(String, Vec<u8>)>> {
    let number = |bytes: &[u8]| u32::from_be_bytes(bytes[..4].try_into().unwrap());
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let (record, rest) = bytes.split_at(number(bytes) as usize);
        bytes = rest;
        let (all, last) = record.split_at(record.len() - 4);
        let sound = number(&record[8..]) == crc32fast::hash(&record[..8]) && number(last) == crc32fast::hash(all);
        let headers = &record[12..12 + number(&record[4..]) as usize];
        let name = usize::from(headers[0]) + 4;
        let name = String::from_utf8(headers[name..name + usize::from(headers[name - 1])].to_vec()).unwrap();
        records.push(sound.then(|| (name, record[12 + headers.len()..record.len() - 4].to_vec())));
    }
    records
}

#[tokio::test]
async fn every_framing_carries_the_same_events() {
    let lab = lab().await;
    let words = |events: Vec<Value>| events.iter().filter_map(|event| event["word"].as_str().map(str::to_string)).collect::<String>();
    let said = |path: &str| Script::for_request(path, &::http::HeaderMap::new(), false, b"Why?", &lab.settings()).unwrap();
    let path = |framing: &str| format!("/probe/reply/lab%2Fsteady?as={framing}");

    let (_, headers, body) = post(&lab, &path("array"), "none").await;
    assert_eq!(headers["content-type"], "application/json");
    let array: Vec<Value> = serde_json::from_slice(&body).unwrap();
    assert_eq!(array.len(), 33);
    assert_eq!(words(array), said(&path("array")).text());
    assert!(said(&path("array")).text().contains("JSON array"));
    for fault in ["cut-after=9", "no-end-marker"] {
        let (_, _, body) = post(&lab, &path("array"), fault).await;
        assert!(serde_json::from_slice::<Value>(&body).is_err(), "{fault}");
    }

    let (_, headers, body) = post(&lab, &path("eventstream"), "none").await;
    assert_eq!(headers["content-type"], "application/vnd.amazon.eventstream");
    let found: Vec<(String, Vec<u8>)> = records(&body).into_iter().map(Option::unwrap).collect();
    assert_eq!((found.len(), found[0].0.as_str()), (33, "open"), "a comment is no message");
    assert_eq!(words(found.iter().map(|r| serde_json::from_slice(&r.1).unwrap()).collect()), said(&path("eventstream")).text());
    let (_, _, body) = post(&lab, &path("eventstream"), "bad-crc=5").await;
    let bad: Vec<usize> = records(&body).iter().enumerate().filter(|(_, r)| r.is_none()).map(|(at, _)| at).collect();
    assert_eq!(bad, [4]);
    let (_, _, body) = post(&lab, &path("eventstream"), "oversized=300000").await;
    let longest = records(&body).into_iter().map(Option::unwrap).max_by_key(|r| r.1.len()).unwrap();
    assert_eq!(longest.1.len(), 300_000);
    let (_, _, body) = post(&lab, "/probe/reply/lab/error-mid-stream?as=eventstream", "none").await;
    let name = String::from_utf8_lossy(&body).contains(":exception-type");
    assert_eq!((records(&body).pop().unwrap().unwrap().0.as_str(), name), ("failed", true));

    let (_, _, body) = post(&lab, &path("ndjson"), "none").await;
    assert_eq!(String::from_utf8(body).unwrap().lines().count(), 33);
    let (_, _, body) = post(&lab, &path("sse"), "none").await;
    assert!(body.starts_with(b": wait\n\nevent: open\ndata: {}\n\nevent: word\ndata: {"));
}

#[tokio::test]
async fn refusals_are_in_the_words_of_the_paths_dialect() {
    let lab = lab().await;
    for (path, fault, status) in [
        ("/probe/nothing", "none", 404),
        ("/probe/reply/none", "none", 404),
        ("/probe/reply/lab/steady", "status=429;retry-after=3", 429),
        ("/reply/lab/steady", "bogus", 400),
    ] {
        let (code, headers, body) = post(&lab, path, fault).await;
        assert_eq!(code, status, "{path} {fault}");
        assert!(serde_json::from_slice::<Value>(&body).unwrap()["probe"].is_string(), "{path} {fault}");
        assert_eq!(headers["x-probe-status"], status.to_string(), "{path}");
    }
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let path = lab.url() + "/probe/reply/lab/steady";
    let response = client.get(&path).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["allow"].as_bytes()), (405, b"POST".as_slice()));
    let response = client.post(&path).body("nothing").send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["x-probe"].as_bytes()), (202, b"1".as_slice()));
}

type Ws = tokio_tungstenite::WebSocketStream<TcpStream>;

async fn connect(lab: &Lab, path: &str, headers: &[(&'static str, &str)]) -> Result<Ws, tungstenite::Error> {
    let stream = TcpStream::connect(lab.address()).await.unwrap();
    let mut request = format!("ws://{}{path}", lab.address()).into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    tokio_tungstenite::client_async(request, stream).await.map(|(ws, _)| ws)
}

async fn next(ws: &mut Ws) -> Message {
    timeout(Duration::from_secs(5), ws.next()).await.expect("in time").expect("a message").expect("a sound one")
}

/// Messages up to the one that says what was said; and that one.
async fn turn(ws: &mut Ws) -> Vec<Message> {
    let mut messages = Vec::new();
    loop {
        let message = next(ws).await;
        let is_last = String::from_utf8_lossy(&message.clone().into_data()).contains("\"said\"");
        messages.push(message);
        if is_last {
            return messages;
        }
    }
}

#[tokio::test]
async fn a_conversation_is_heard_and_answered_in_order() {
    let lab = lab().await;
    let mut ws = connect(&lab, "/talk/lab/steady", &[]).await.unwrap();
    assert_eq!(next(&mut ws).await, Message::text("\"hello\""));
    // Two at once: the second waits for the first.
    ws.send(Message::text("Why?")).await.unwrap();
    ws.send(Message::text("How?")).await.unwrap();
    let (first, second) = (turn(&mut ws).await, turn(&mut ws).await);
    assert_eq!((first.len(), second.len()), (34, 34), "opening, 30 words, sound, end, and what follows");
    assert_eq!(first[31], Message::binary(vec![0xFF, 0]));
    let text = |messages: &[Message]| -> String {
        let values = messages.iter().filter_map(|m| serde_json::from_str::<Value>(m.to_text().ok()?).ok());
        values.filter_map(|v| v["word"].as_str().map(str::to_string)).collect()
    };
    let meant =
        |messages: &[&[u8]]| Script::for_messages("/talk/lab/steady", &::http::HeaderMap::new(), messages, &lab.settings()).unwrap();
    assert_eq!(text(&first), meant(&[b"Why?"]).text());
    assert_eq!(text(&second), meant(&[b"Why?", b"How?", b"?"]).text());
    assert_ne!(first.last(), second.last(), "each reply has its own id");
    ws.send(Message::binary(vec![1, 2])).await.unwrap();
    assert_eq!(next(&mut ws).await, Message::text("2"));
    ws.send(Message::text("bye")).await.unwrap();
    match next(&mut ws).await {
        Message::Close(Some(close)) => assert_eq!((u16::from(close.code), close.reason.len()), (4321, 122), "at a character's border"),
        other => panic!("{other:?}"),
    }
    let mut ws = connect(&lab, "/talk/lab/steady?binary", &[]).await.unwrap();
    assert_eq!(next(&mut ws).await, Message::binary(b"\"hello\"".to_vec()));
    ws.send(Message::text("Why?")).await.unwrap();
    assert!(turn(&mut ws).await.iter().all(Message::is_binary));
}

#[tokio::test]
async fn a_cancelled_reply_ends_at_once_and_the_socket_goes_on() {
    let lab = lab().await;
    let mut ws = connect(&lab, "/talk/lab/steady", &[("x-lab-rate", "2"), ("x-lab-tokens", "400")]).await.unwrap();
    next(&mut ws).await;
    for message in ["Why?", "never said"] {
        ws.send(Message::text(message)).await.unwrap();
    }
    assert_eq!(next(&mut ws).await, Message::text("{}"));
    ws.send(Message::text("?")).await.unwrap();
    // An answer at once, between the words of the reply.
    while next(&mut ws).await != Message::text("\"yes?\"") {}
    ws.send(Message::text("!")).await.unwrap();
    let rest = turn(&mut ws).await;
    assert!(rest.contains(&Message::text("\"cancelled\"")) && rest.len() < 9, "{}", rest.len());
    ws.send(Message::text("!")).await.unwrap();
    ws.send(Message::text("?")).await.unwrap();
    assert_eq!(next(&mut ws).await, Message::text("\"yes?\""), "nothing waits any more, and nothing is there to cancel");
}

#[tokio::test]
async fn conversations_know_refusals_and_faults() {
    let lab = lab().await;
    let mut ws = connect(&lab, "/talk/lab/small-context", &[]).await.unwrap();
    next(&mut ws).await;
    ws.send(Message::text("word ".repeat(60))).await.unwrap();
    assert!(next(&mut ws).await.to_text().unwrap().contains("maximum context length"));
    ws.send(Message::text("short")).await.unwrap();
    assert_eq!(turn(&mut ws).await.len(), 34, "the socket goes on");
    // A wrong key is told after the handshake where the API does so.
    let mut ws = connect(&lab, "/talk/lab/steady", &[("authorization", "Bearer lab-wrong-key")]).await.unwrap();
    assert!(next(&mut ws).await.to_text().unwrap().contains("Incorrect API key"));
    assert!(matches!(next(&mut ws).await, Message::Close(Some(close)) if u16::from(close.code) == 1008));
    assert!(matches!(connect(&lab, "/talk/none", &[]).await, Err(tungstenite::Error::Http(response)) if response.status() == 404));
    for (fault, words, end) in [
        ("close=1011;after=7", 7, "close 1011"),
        ("no-end-marker", 30, "close 1000"),
        ("empty", 0, "close 1000"),
        ("cut-after=7", 7, "broken"),
    ] {
        let mut ws = connect(&lab, "/talk/lab/steady", &[("x-lab-fault", fault)]).await.unwrap();
        next(&mut ws).await;
        ws.send(Message::text("Why?")).await.unwrap();
        let mut got = 0;
        let ended = loop {
            match ws.next().await {
                Some(Ok(Message::Close(close))) => break format!("close {}", close.map_or(1005, |c| c.code.into())),
                Some(Ok(message)) => got += usize::from(message.to_text().is_ok_and(|text| text.contains("\"word\""))),
                Some(Err(_)) | None => break "broken".into(),
            }
        };
        assert_eq!((got, ended.as_str()), (words, end), "{fault}");
    }
}
