//! The Lab over real sockets: raw ones where the bytes matter, reqwest and tokio-tungstenite as clients.

use std::time::Instant;

use ::http::HeaderMap;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};

use super::*;
use crate::connections::{Side, State};
use crate::fault::Switch;
use crate::script::Script;

pub(super) async fn lab() -> Lab {
    let mut config = LabConfig { port: 0, ..LabConfig::default() };
    config.settings.pace.ttft_ms = 5;
    config.settings.pace.tokens_per_second = 0.0;
    Lab::start(config).await.unwrap()
}

/// reqwest wants a crypto provider even where no TLS is spoken.
pub(super) fn http_client() -> reqwest::ClientBuilder {
    // Fails when another test was first, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
}

pub(super) fn chat(model: &str, stream: bool) -> String {
    json!({"model": model, "stream": stream, "messages": [{"role": "user", "content": "How do streams work?"}]}).to_string()
}

/// Sends a request with `connection: close` and reads all that comes, and how it ended.
pub(super) async fn raw(lab: &Lab, path: &str, headers: &str, body: &str) -> (Vec<u8>, io::Result<()>) {
    let mut stream = TcpStream::connect(lab.address()).await.unwrap();
    let method = if body.is_empty() { "GET" } else { "POST" };
    let request =
        format!("{method} {path} HTTP/1.1\r\nhost: lab\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let end = read_all(&mut stream, &mut bytes).await;
    (bytes, end)
}

pub(super) async fn read_all(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = [0; 65536];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            n => bytes.extend_from_slice(&buffer[..n]),
        }
    }
}

/// The chunks of a chunked response, and whether the last, empty one came.
pub(super) fn chunks(response: &[u8]) -> (Vec<Vec<u8>>, bool) {
    let head = response.windows(4).position(|w| w == b"\r\n\r\n").expect("a head") + 4;
    let mut rest = &response[head..];
    let mut chunks = Vec::new();
    while let Some(line) = rest.windows(2).position(|w| w == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        if size == 0 {
            return (chunks, true);
        }
        if rest.len() < line + 2 + size {
            break;
        }
        chunks.push(rest[line + 2..line + 2 + size].to_vec());
        rest = &rest[line + 4 + size..];
    }
    (chunks, false)
}

pub(super) fn header<'a>(response: &'a [u8], name: &str) -> Option<&'a str> {
    let head = response.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&response[..head]).ok()?;
    head.lines().find_map(|l| l.split_once(": ").filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v))
}

pub(super) fn status(response: &[u8]) -> u16 {
    std::str::from_utf8(&response[9..12]).unwrap().parse().unwrap()
}

pub(super) fn body(response: &[u8]) -> &[u8] {
    let head = response.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    &response[head + 4..]
}

pub(super) async fn until(what: &str, mut is: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is() {
        assert!(start.elapsed() < Duration::from_secs(5), "waited in vain: {what}");
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let lab = lab().await;
    let again = Lab::start(LabConfig { port: lab.address().port(), ..LabConfig::default() }).await;
    match again {
        Err(Error::PortInUse { port }) => assert_eq!(port, lab.address().port()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn one_event_is_one_chunk_and_a_seed_fixes_them_all() {
    let lab = lab().await;
    let (first, end) = raw(&lab, "/v1/chat/completions", "", &chat("lab/steady", true)).await;
    assert!(end.is_ok());
    assert_eq!(header(&first, "content-type"), Some("text/event-stream; charset=utf-8"));
    let (one, whole) = chunks(&first);
    assert!(whole);
    for chunk in &one {
        assert!(chunk.starts_with(b"data: ") && chunk.ends_with(b"\n\n"));
    }
    assert_eq!(one.len(), 120 + 3);
    assert_eq!(one.last().unwrap(), b"data: [DONE]\n\n");
    // Doubled slashes and the prefix reach the same place.
    let (second, _) = raw(&lab, "/openai//v1/chat/completions", "", &chat("lab/steady", true)).await;
    assert_eq!(one, chunks(&second).0);
    let (other, _) = raw(&lab, "/v1/chat/completions", "x-lab-seed: 8\r\n", &chat("lab/steady", true)).await;
    assert_ne!(one, chunks(&other).0);
}

#[tokio::test]
async fn events_arrive_one_by_one_in_their_time() {
    let lab = lab().await;
    let mut stream = TcpStream::connect(lab.address()).await.unwrap();
    let body = chat("lab/steady", true);
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: lab\r\nx-lab-ttft-ms: 200\r\nx-lab-rate: 50\r\nx-lab-tokens: 10\r\nx-lab-jitter: 0\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let start = Instant::now();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut buffer = [0; 65536];
    let mut reads = Vec::new();
    loop {
        match stream.read(&mut buffer).await.unwrap() {
            0 => break,
            n => reads.push((start.elapsed(), String::from_utf8_lossy(&buffer[..n]).into_owned())),
        }
    }
    let first = reads.iter().find(|(_, text)| text.contains("\"content\":\"") && !text.contains("\"content\":\"\"")).unwrap();
    assert!(first.0 >= Duration::from_millis(200), "{:?}", first.0);
    let last = reads.last().unwrap().0;
    assert!(last >= Duration::from_millis(380) && last < Duration::from_secs(5), "{last:?}");
    // Exact moments are held on a stopped clock; here, that they did not come all at once, however busy the machine.
    assert!(reads.len() >= 3, "{}", reads.len());
}

#[tokio::test]
async fn the_script_is_what_is_said_on_every_route() {
    let lab = lab().await;
    let client = http_client().no_proxy().build().unwrap();
    let settings = lab.settings();
    for stream in [false, true] {
        let body = chat("lab/reasoner", stream);
        let script = Script::for_request("/v1/chat/completions", &HeaderMap::new(), false, body.as_bytes(), &settings).unwrap();
        let got = client.post(lab.url() + "/v1/chat/completions").body(body).send().await.unwrap().text().await.unwrap();
        if stream {
            let text: String = got
                .split("\n\n")
                .filter_map(|e| serde_json::from_str::<Value>(e.strip_prefix("data: ")?).ok())
                .filter_map(|c| c["choices"][0]["delta"]["content"].as_str().map(str::to_string))
                .collect();
            assert_eq!(text, script.text());
            assert!(text.contains("Server-Sent Events"));
        } else {
            let got: Value = serde_json::from_str(&got).unwrap();
            let message = &got["choices"][0]["message"];
            assert_eq!(
                (message["content"].as_str(), message["reasoning_content"].as_str()),
                (Some(script.text()), Some(script.reasoning()))
            );
            assert!(script.text().contains("HTTP"));
        }
        assert!(script.text().contains("“How do streams work?”"));
    }
}

#[tokio::test]
async fn http2_by_prior_knowledge_and_its_switch() {
    let lab = lab().await;
    let client = http_client().no_proxy().http2_prior_knowledge().build().unwrap();
    let ask = || client.post(lab.url() + "/v1/chat/completions").body(chat("lab/steady", true)).send();
    let response = ask().await.unwrap();
    assert_eq!(response.version(), ::http::Version::HTTP_2);
    assert!(response.text().await.unwrap().ends_with("data: [DONE]\n\n"));
    // A reset under HTTP/2 takes the whole connection with it.
    let response = client
        .post(lab.url() + "/v1/responses")
        .header("x-lab-fault", "drop-after=3")
        .body(json!({"model":"lab/steady","input":"x","stream":true}).to_string())
        .send()
        .await
        .unwrap();
    assert!(response.text().await.is_err());
    lab.set_settings(Settings { http2: false, ..lab.settings() });
    let client = http_client().no_proxy().http2_prior_knowledge().build().unwrap();
    assert!(client.get(lab.url() + "/v1/models").send().await.is_err());
    let client = http_client().no_proxy().build().unwrap();
    assert_eq!(client.get(lab.url() + "/v1/models").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn mistakes_get_their_status_and_openais_shape() {
    let lab = lab().await;
    let cases = [
        ("POST", "/v1/chat/completions", "{bad", 400),
        ("POST", "/v1/chat/completions", "[]", 400),
        ("POST", "/v1/chat/completions", r#"{"model":"lab/steady"}"#, 400),
        ("POST", "/v1/chat/completions", r#"{"model":"gpt-9","messages":[{"role":"user","content":"x"}]}"#, 404),
        ("POST", "/v1/chat/completions", r#"{"model":"lab","messages":[{"role":"king","content":"x"}]}"#, 400),
        ("POST", "/v1/responses", r#"{"model":"lab/steady"}"#, 400),
        ("POST", "/v1/responses", r#"{"model":"lab/steady","input":"x","previous_response_id":"resp_none"}"#, 400),
        ("POST", "/v1/nothing", "{}", 404),
        ("GET", "/v1/chat/completions", "", 405),
        ("DELETE", "/v1/models", "", 405),
        ("GET", "/v1/models/none", "", 404),
        ("GET", "/echo/ws", "", 426),
        ("GET", "/flood?size=1", "", 400),
        ("GET", "/echo?x-lab-fault=bogus", "", 400),
    ];
    let client = http_client().no_proxy().build().unwrap();
    for (method, path, body, status) in cases {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let response = client.request(method, lab.url() + path).body(body).send().await.unwrap();
        assert_eq!(response.status(), status, "{path} {body}");
        let error: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert!(error["error"]["message"].is_string() && error["error"]["type"].is_string(), "{path}");
    }
}

#[tokio::test]
async fn responses_go_on_from_earlier_ones() {
    let lab = lab().await;
    let client = http_client().no_proxy().build().unwrap();
    let ask = async |body: Value| -> Value {
        let text = client.post(lab.url() + "/v1/responses").body(body.to_string()).send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let first = ask(json!({"model": "lab/steady", "input": "one two three"})).await;
    assert_eq!(first["usage"]["input_tokens"], 3);
    let second = ask(json!({"model": "lab/steady", "input": "four", "previous_response_id": first["id"]})).await;
    assert_eq!(second["usage"]["input_tokens"], 3 + 120 + 1);
    assert_eq!(second["previous_response_id"], first["id"]);
    assert_ne!(second["id"], first["id"]);
}

#[tokio::test]
async fn a_drop_is_a_reset_and_a_cut_is_not() {
    let lab = lab().await;
    for (path, body) in [
        ("/v1/chat/completions", chat("lab/steady", true)),
        ("/v1/responses", json!({"model": "lab/steady", "stream": true, "input": "x"}).to_string()),
    ] {
        let (bytes, end) = raw(&lab, path, "x-lab-fault: drop-after=40\r\n", &body).await;
        assert_eq!(end.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        let (got, whole) = chunks(&bytes);
        assert!(!whole && String::from_utf8(got.concat()).unwrap().matches("delta\":").count() >= 40);
        let (bytes, end) = raw(&lab, path, "x-lab-fault: cut-after=40\r\n", &body).await;
        assert!(end.is_ok(), "a FIN");
        assert!(!chunks(&bytes).1, "but no last chunk");
    }
    let rows = lab.connections().rows;
    assert!(rows.iter().all(|r| r.state == State::Dropped { by: Side::Lab } && r.tokens == Some(40) && r.of == Some(120)), "{rows:?}");
    assert_eq!(rows[0].fault, "cut-after");
}

#[tokio::test]
async fn a_whole_body_breaks_in_the_middle_too() {
    let lab = lab().await;
    let (bytes, end) = raw(&lab, "/v1/chat/completions", "x-lab-fault: drop-after=1\r\n", &chat("lab/steady", false)).await;
    assert_eq!(end.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    let promised: usize = header(&bytes, "content-length").unwrap().parse().unwrap();
    assert_eq!(body(&bytes).len(), promised / 2);
    let (bytes, _) = raw(&lab, "/v1/chat/completions", "x-lab-fault: malformed-json\r\n", &chat("lab/steady", false)).await;
    assert!(serde_json::from_slice::<Value>(body(&bytes)).is_err());
    assert!(serde_json::from_slice::<Value>(&[body(&bytes), b"}"].concat()).is_ok());
}

#[tokio::test]
async fn faults_before_the_first_byte() {
    let lab = lab().await;
    let ask = async |fault: &str| {
        let headers = format!("x-lab-fault: {fault}\r\n");
        raw(&lab, "/v1/chat/completions", &headers, &chat("lab/steady", true)).await.0
    };
    let got = ask("status=429;retry-after=12").await;
    assert_eq!((status(&got), header(&got, "retry-after")), (429, Some("12")));
    assert!(serde_json::from_slice::<Value>(body(&got)).unwrap()["error"]["code"] == "rate_limit_exceeded");
    assert_eq!(status(&ask("status=500").await), 500);
    let got = ask("html-error").await;
    assert_eq!((status(&got), header(&got, "content-type")), (502, Some("text/html; charset=utf-8")));
    let got = ask("redirect=https://example.com/x").await;
    assert_eq!((status(&got), header(&got, "location")), (307, Some("https://example.com/x")));
    let got = ask("empty").await;
    assert_eq!((status(&got), body(&got).len()), (200, 0));
    let got = ask("json-instead-of-stream").await;
    assert_eq!(header(&got, "content-type"), Some("application/json"));
    assert_eq!(serde_json::from_slice::<Value>(body(&got)).unwrap()["object"], "chat.completion");
    let got = ask("json-instead-of-stream=error").await;
    assert_eq!(status(&got), 200);
    assert!(serde_json::from_slice::<Value>(body(&got)).unwrap()["error"].is_string());
}

#[tokio::test]
async fn faults_in_the_stream() {
    let lab = lab().await;
    let ask = async |fault: &str| {
        let headers = format!("x-lab-fault: {fault}\r\nx-lab-tokens: 60\r\n");
        let (bytes, end) = raw(&lab, "/v1/chat/completions", &headers, &chat("lab/steady", true)).await;
        assert!(end.is_ok());
        let (chunks, whole) = chunks(&bytes);
        assert!(whole, "{fault}");
        chunks
    };
    let plain = ask("none").await;
    let cr = ask("cr-only").await;
    assert!(!cr.concat().contains(&b'\n'));
    assert_eq!(cr.concat().iter().map(|b| if *b == b'\r' { b'\n' } else { *b }).collect::<Vec<u8>>(), plain.concat());
    let split = ask("split-utf8=1").await;
    let broken: Vec<&Vec<u8>> = split.iter().filter(|c| std::str::from_utf8(c).is_err()).collect();
    assert!(broken.len() >= 2 && broken.len().is_multiple_of(2));
    assert!(String::from_utf8(split.concat()).is_ok());
    assert!(!ask("no-end-marker").await.concat().ends_with(b"[DONE]\n\n"));
    let invalid = ask("invalid-utf8=5").await;
    let bad: Vec<usize> = (0..invalid.len()).filter(|n| std::str::from_utf8(&invalid[*n]).is_err()).collect();
    assert_eq!(bad, [4]);
    let malformed = ask("malformed-json=17").await;
    assert!(!malformed[16].ends_with(b"}\n\n") && malformed[15].ends_with(b"}\n\n"));
    let huge = ask("huge-line=3000000").await.concat();
    let longest = huge.split(|b| *b == b'\n').max_by_key(|l| l.len()).unwrap();
    assert_eq!(longest.len(), 3_000_000 + "data: ".len());
    assert!(serde_json::from_slice::<Value>(&longest[6..]).is_ok());
    let drip = ask("slow-drip=0").await;
    assert!(drip.iter().all(|c| c.len() == 1));
    assert_eq!(drip.concat(), plain.concat());
}

#[tokio::test]
async fn settings_hold_for_new_connections_only() {
    let lab = lab().await;
    let client = http_client().no_proxy().pool_max_idle_per_host(1).build().unwrap();
    let ask = async |client: &reqwest::Client| {
        client.post(lab.url() + "/v1/chat/completions").body(chat("lab/steady", false)).send().await.unwrap().status()
    };
    assert_eq!(ask(&client).await, 200);
    let mut settings = lab.settings();
    settings.faults = vec![Switch { id: "status-500".into(), on: true, value: 0 }];
    lab.set_settings(settings);
    let fresh = http_client().no_proxy().build().unwrap();
    assert_eq!(ask(&fresh).await, 500);
    assert_eq!(ask(&client).await, 200, "the old connection keeps what it began with");
}

#[tokio::test]
async fn a_client_that_leaves_is_noticed_and_a_half_close_too() {
    let lab = lab().await;
    let body = chat("lab/steady", true);
    for half in [false, true] {
        let before = lab.connections().since_start;
        let mut stream = TcpStream::connect(lab.address()).await.unwrap();
        let request =
            format!("POST /v1/chat/completions HTTP/1.1\r\nhost: lab\r\nx-lab-rate: 5\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).await.unwrap();
        until("the stream has begun", || lab.connections().since_start > before && lab.connections().rows[0].tokens > Some(0)).await;
        assert_eq!(lab.connections().open, 1);
        let start = Instant::now();
        if half {
            stream.shutdown().await.unwrap()
        } else {
            drop(stream)
        }
        until("the row says so", || lab.connections().rows[0].state == State::Dropped { by: Side::Client }).await;
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
        assert_eq!(lab.connections().open, 0);
    }
}

#[tokio::test]
async fn a_reader_that_stops_stops_the_flood() {
    let lab = lab().await;
    let mut stream = TcpStream::connect(lab.address()).await.unwrap();
    stream.write_all(b"GET /flood?events=1000000&size=1000 HTTP/1.1\r\nhost: lab\r\n\r\n").await.unwrap();
    let mut last = 0;
    loop {
        sleep(Duration::from_millis(100)).await;
        let now = lab.connections().rows.first().map_or(0, |r| r.bytes);
        if now > 0 && now == last {
            break;
        }
        last = now;
    }
    // The kernel's buffers on both sides and a few blocks, not the gigabyte.
    assert!(last < 30_000_000, "{last}");
}

#[tokio::test]
async fn the_flood_has_the_asked_size() {
    let lab = lab().await;
    let client = http_client().no_proxy().build().unwrap();
    for size in [200, 330, 16_384, 300_000] {
        let text = client.get(format!("{}/flood?events=700&size={size}", lab.url())).send().await.unwrap().text().await.unwrap();
        assert_eq!(text.len(), 700 * size + 14);
        let events: Vec<&str> = text.split_inclusive("\n\n").collect();
        assert_eq!(events.len(), 701);
        assert!(events[..700].iter().all(|e| e.len() == size));
        let chunk: Value = serde_json::from_str(events[0].strip_prefix("data: ").unwrap()).unwrap();
        assert!(chunk["choices"][0]["delta"]["content"].is_string());
    }
}

#[tokio::test]
async fn plain_events_resume_and_echo_hides_credentials() {
    let lab = lab().await;
    let client = http_client().no_proxy().build().unwrap();
    let text = client.get(lab.url() + "/sse?count=6&interval_ms=1").send().await.unwrap().text().await.unwrap();
    assert!(text.starts_with(": weir lab\nretry: 3000\n\n"));
    assert!(text.contains("id: 6\n") && text.contains("event: tick\n") && text.contains("\n: keep-alive\n"));
    let rest =
        client.get(lab.url() + "/sse?count=6&interval_ms=1").header("last-event-id", "4").send().await.unwrap().text().await.unwrap();
    assert_eq!(rest.matches("id: ").count(), 2);
    let echo: Value = serde_json::from_str(
        &client
            .post(lab.url() + "/echo?a=b")
            .header("authorization", "Bearer sk-very-secret")
            .body("{\"x\":[1]}")
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap(),
    )
    .unwrap();
    assert_eq!((&echo["method"], &echo["query"], &echo["json"]["x"][0]), (&json!("POST"), &json!("a=b"), &json!(1)));
    assert!(!echo.to_string().contains("secret"));
}

#[tokio::test]
async fn a_large_body_is_taken_and_a_larger_one_refused() {
    let lab = lab().await;
    let client = http_client().no_proxy().build().unwrap();
    let size = 64 << 20;
    let ok = client.post(lab.url() + "/v1/responses").body(vec![b' '; size]).send().await.unwrap();
    assert_eq!(ok.status(), 400, "taken, and found not to be JSON");
    // The refusal may come while the client still writes; then it sees either the answer or the closed socket.
    match client.post(lab.url() + "/v1/responses").body(vec![b' '; size + 1]).send().await {
        Ok(response) => assert_eq!(response.status(), 413),
        Err(error) => assert!(error.is_request() || error.is_body(), "{error:?}"),
    }
    let (bytes, _) = raw(&lab, "/v1/models", &format!("x: {}\r\n", "y".repeat(300_000)), "").await;
    assert_eq!(status(&bytes), 431);
}

// WebSocket

pub(super) type Ws = tokio_tungstenite::WebSocketStream<TcpStream>;

pub(super) async fn connect(lab: &Lab, path: &str, fault: &str) -> Result<Ws, tungstenite::Error> {
    let stream = TcpStream::connect(lab.address()).await.unwrap();
    let mut request = format!("ws://{}{path}", lab.address()).into_client_request().unwrap();
    if !fault.is_empty() {
        request.headers_mut().insert("x-lab-fault", fault.parse().unwrap());
    }
    tokio_tungstenite::client_async(request, stream).await.map(|(ws, _)| ws)
}

pub(super) async fn say(ws: &mut Ws, message: Value) {
    ws.send(Message::text(message.to_string())).await.unwrap();
}

/// Messages up to a terminal event.
async fn hear(ws: &mut Ws) -> Vec<Value> {
    let mut events = Vec::new();
    while let Some(message) = ws.next().await {
        let Message::Text(text) = message.unwrap() else {
            continue;
        };
        let event: Value = serde_json::from_str(&text).unwrap();
        let kind = event["type"].as_str().unwrap().to_string();
        events.push(event);
        if ["response.completed", "response.incomplete", "response.failed"].contains(&kind.as_str()) || kind == "error" {
            break;
        }
    }
    events
}

fn text(events: &[Value]) -> String {
    events.iter().filter(|e| e["type"] == "response.output_text.delta").map(|e| e["delta"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn responses_over_websocket() {
    let lab = lab().await;
    let mut ws = connect(&lab, "/openai/v1/responses", "").await.unwrap();
    let create = json!({"type": "response.create", "model": "lab/steady", "input": "What is a frame?", "stream_id": "a"});
    say(&mut ws, create.clone()).await;
    let events = hear(&mut ws).await;
    let script = Script::for_request("/v1/responses", &HeaderMap::new(), true, create.to_string().as_bytes(), &lab.settings()).unwrap();
    assert_eq!(text(&events), script.text());
    assert!(script.text().contains("WebSocket"));
    assert!(events.iter().all(|e| e["stream_id"] == "a"));
    let id = events[0]["response"]["id"].clone();
    // The same again is another response.
    say(&mut ws, create).await;
    assert_ne!(hear(&mut ws).await[0]["response"]["id"], id);
    // Chains, warm-ups and errors.
    say(&mut ws, json!({"type": "response.create", "model": "lab/steady", "input": "more", "previous_response_id": id, "generate": false}))
        .await;
    let warm = hear(&mut ws).await;
    assert_eq!(warm.len(), 3);
    assert_eq!(warm[2]["response"]["output"], json!([]));
    assert!(warm[2]["response"]["usage"]["input_tokens"].as_u64().unwrap() > 120);
    say(&mut ws, json!({"type": "response.create", "model": "lab/steady", "previous_response_id": warm[0]["response"]["id"]})).await;
    assert_eq!(hear(&mut ws).await.last().unwrap()["type"], "response.completed");
    for (bad, code) in [
        (
            json!({"type": "response.create", "model": "lab/steady", "input": "x", "previous_response_id": "resp_no"}),
            json!("previous_response_not_found"),
        ),
        (json!({"type": "response.create", "model": "none", "input": "x"}), json!("model_not_found")),
        (json!({"type": "session.update"}), Value::Null),
        (json!([1]), Value::Null),
    ] {
        say(&mut ws, bad).await;
        let error = hear(&mut ws).await.remove(0);
        assert_eq!((&error["type"], &error["error"]["code"]), (&json!("error"), &code));
        assert!(error["status"].is_number());
    }
    until("idle again", || lab.connections().rows[0].state == State::Idle).await;
    assert_eq!(lab.connections().rows[0].of, Some(360));
    ws.close(None).await.unwrap();
    while ws.next().await.is_some() {}
    until("closed", || matches!(lab.connections().rows[0].state, State::Closed { .. })).await;
}

#[tokio::test]
async fn lanes_run_side_by_side_and_each_in_order() {
    let lab = lab().await;
    let mut settings = lab.settings();
    settings.pace.tokens_per_second = 400.0;
    settings.pace.reply_tokens = 40;
    lab.set_settings(settings);
    let mut ws = connect(&lab, "/v1/responses", "").await.unwrap();
    for lane in ["a", "a", "b"] {
        say(&mut ws, json!({"type": "response.create", "model": "lab/steady", "input": "x", "stream_id": lane})).await;
    }
    let mut order = Vec::new();
    let mut ended = 0;
    while ended < 3 {
        let event = serde_json::from_str::<Value>(&ws.next().await.unwrap().unwrap().into_text().unwrap()).unwrap();
        let kind = event["type"].as_str().unwrap();
        if kind == "response.created" || kind == "response.completed" {
            order.push((event["stream_id"].as_str().unwrap().to_string(), kind.to_string()));
            ended += usize::from(kind == "response.completed");
        }
    }
    let at = |lane: &str, kind: &str, nth: usize| (0..order.len()).filter(|n| order[*n] == (lane.into(), kind.into())).nth(nth).unwrap();
    assert!(at("b", "response.created", 0) < at("a", "response.completed", 0), "b runs beside a");
    assert!(at("a", "response.completed", 0) < at("a", "response.created", 1), "a's second waits for its first");
}

#[tokio::test]
async fn websocket_faults() {
    let lab = lab().await;
    let create = json!({"type": "response.create", "model": "lab/steady", "input": "naïve 世界"});
    let run = async |fault: &str| {
        let mut ws = connect(&lab, "/v1/responses", fault).await.unwrap();
        say(&mut ws, create.clone()).await;
        let mut events = 0;
        loop {
            match ws.next().await {
                Some(Ok(Message::Text(text))) => {
                    events += 1;
                    if text.contains("\"response.completed\"") {
                        return (events, "complete".to_string());
                    }
                }
                Some(Ok(Message::Close(frame))) => {
                    return (events, format!("close {}", frame.map_or(1005, |f| f.code.into())));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return (events, format!("{error}")),
                None => return (events, "eof".into()),
            }
        }
    };
    assert_eq!(run("close=1011;after=40").await, (44, "close 1011".into()));
    until("the row", || lab.connections().rows[0].state == State::Closed { code: 1011 }).await;
    let (_, how) = run("drop-after=40").await;
    assert!(how.contains("reset"), "{how}");
    let (_, how) = run("cut-after=40").await;
    assert!(how.contains("without closing handshake"), "{how}");
    let (_, how) = run("masked").await;
    assert!(how.to_lowercase().contains("mask"), "{how}");
    let (_, how) = run("invalid-utf8=5").await;
    assert!(how.to_lowercase().contains("utf-8"), "{how}");
    let (_, how) = run("oversized=20000000").await;
    assert!(how.to_lowercase().contains("frame") || how.to_lowercase().contains("long"), "{how}");
    assert_eq!(run("empty").await, (0, "close 1000".into()));
    assert_eq!(run("no-end-marker").await.1, "close 1000");
    let clean = run("none").await;
    assert_eq!(run("split-utf8=1").await, clean, "fragments are put together");
    for (fault, status) in [("ws-refuse=403", 403), ("status=429;retry-after=1", 429), ("redirect=/x", 307)] {
        match connect(&lab, "/v1/responses", fault).await {
            Err(tungstenite::Error::Http(response)) => assert_eq!(response.status(), status),
            other => panic!("{fault}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn echoes_and_floods_over_websocket() {
    let lab = lab().await;
    let mut ws = connect(&lab, "/echo/ws", "").await.unwrap();
    for message in [Message::text("naïve 👩‍👩‍👧‍👦"), Message::binary(vec![0xFF; 70_000]), Message::text("")] {
        ws.send(message.clone()).await.unwrap();
        assert_eq!(ws.next().await.unwrap().unwrap(), message);
    }
    ws.send(Message::Ping("hi".into())).await.unwrap();
    assert_eq!(ws.next().await.unwrap().unwrap(), Message::Pong("hi".into()));
    let mut flood = connect(&lab, "/flood/ws?events=5000&size=330", "").await.unwrap();
    let mut messages = 0;
    while let Some(Ok(message)) = flood.next().await {
        if let Message::Text(text) = message {
            assert_eq!(text.len(), 330 - 4);
            messages += 1;
        }
    }
    assert_eq!(messages, 5000);
}

#[tokio::test]
async fn a_broken_frame_is_answered_with_1002() {
    let lab = lab().await;
    let mut stream = TcpStream::connect(lab.address()).await.unwrap();
    stream.write_all(b"GET /echo/ws HTTP/1.1\r\nhost: lab\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: openai-insecure-api-key.x, chat\r\n\r\n").await.unwrap();
    let mut head = vec![0; 4096];
    let n = stream.read(&mut head).await.unwrap();
    let head = String::from_utf8_lossy(&head[..n]).to_lowercase();
    assert!(head.starts_with("http/1.1 101") && head.contains("s3pplmbitxaq9kygzzhzrbk+xoo="));
    assert!(head.contains("sec-websocket-protocol: chat"));
    // Unmasked, which a client must not send.
    stream.write_all(&[0x81, 0x02, b'h', b'i']).await.unwrap();
    let mut rest = Vec::new();
    read_all(&mut stream, &mut rest).await.unwrap();
    assert_eq!(rest, [0x88, 0x02, 0x03, 0xEA]);
}

#[tokio::test]
async fn stopping_is_bounded_and_closing_all_is_seen() {
    let lab = lab().await;
    let mut ws = connect(&lab, "/echo/ws", "").await.unwrap();
    until("the upgrade is through", || lab.connections().open == 1).await;
    lab.close_all();
    match ws.next().await.unwrap().unwrap() {
        Message::Close(Some(frame)) => assert_eq!(u16::from(frame.code), 1001),
        other => panic!("{other:?}"),
    }
    let mut stream = TcpStream::connect(lab.address()).await.unwrap();
    let body = chat("lab/steady", true);
    let request =
        format!("POST /v1/chat/completions HTTP/1.1\r\nhost: lab\r\nx-lab-rate: 1\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut one = [0; 1];
    stream.read_exact(&mut one).await.unwrap();
    let start = Instant::now();
    lab.stop().await;
    assert!(start.elapsed() < Duration::from_millis(3100), "{:?}", start.elapsed());
    // Another test may hold the port by now, so ask for what held it here: the listener's task and every connection's.
    assert_eq!(lab.ended.lock().await.try_recv(), Err(mpsc::error::TryRecvError::Disconnected));
    let mut rest = Vec::new();
    let _ = read_all(&mut stream, &mut rest).await;
    assert!(!chunks(&[&one[..], &rest].concat()).1);
}

// TLS

fn trusting(lab: &Lab) -> rustls::RootCertStore {
    use rustls::pki_types::pem::PemObject;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls::pki_types::CertificateDer::from_pem_slice(lab.ca_pem().as_bytes()).unwrap()).unwrap();
    roots
}

#[tokio::test]
async fn tls_is_spoken_on_the_same_port_by_all_names() {
    let lab = lab().await;
    let authority = reqwest::Certificate::from_pem(lab.ca_pem().as_bytes()).unwrap();
    let port = lab.address().port();
    for (http1_only, version) in [(false, ::http::Version::HTTP_2), (true, ::http::Version::HTTP_11)] {
        let mut client = http_client().no_proxy().tls_certs_only([authority.clone()]);
        if http1_only {
            client = client.http1_only();
        }
        let client = client.build().unwrap();
        for host in [lab.tls_url(), format!("https://127.0.0.1:{port}")] {
            let response = client.post(host + "/v1/chat/completions").body(chat("lab/steady", true)).send().await.unwrap();
            assert_eq!(response.version(), version);
            assert!(response.text().await.unwrap().ends_with("data: [DONE]\n\n"));
        }
    }
    // HTTP/2 is not offered where it is off.
    lab.set_settings(Settings { http2: false, ..lab.settings() });
    let client = http_client().no_proxy().tls_certs_only([authority]).build().unwrap();
    assert_eq!(client.get(lab.tls_url() + "/v1/models").send().await.unwrap().version(), ::http::Version::HTTP_11);
    // Who does not know the authority does not speak with it, and the Lab lives on.
    let stranger = http_client().no_proxy().tls_certs_only([]).build().unwrap();
    assert!(stranger.get(lab.tls_url()).send().await.is_err());
    assert_eq!(client.get(lab.url() + "/v1/models").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn websockets_and_cuts_go_through_tls() {
    let lab = lab().await;
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(trusting(&lab))
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let open = async || {
        let stream = TcpStream::connect(lab.address()).await.unwrap();
        connector.connect("localhost".try_into().unwrap(), stream).await.unwrap()
    };
    let request = format!("wss://localhost:{}/v1/responses", lab.address().port()).into_client_request().unwrap();
    let (mut ws, _) = tokio_tungstenite::client_async(request, open().await).await.unwrap();
    ws.send(Message::text(json!({"type": "response.create", "model": "lab/steady", "input": "x"}).to_string())).await.unwrap();
    let mut said = 0;
    while let Some(Ok(Message::Text(text))) = ws.next().await {
        said += usize::from(text.contains("response.output_text.delta\""));
        if text.contains("\"response.completed\"") {
            break;
        }
    }
    assert_eq!(said, 120);
    for (fault, kind) in [("cut-after=9", io::ErrorKind::UnexpectedEof), ("drop-after=9", io::ErrorKind::ConnectionReset)] {
        let body = chat("lab/steady", true);
        let mut stream = open().await;
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: lab\r\nx-lab-fault: {fault}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut got = Vec::new();
        // No close_notify: a cut can be told from an end.
        assert_eq!(stream.read_to_end(&mut got).await.unwrap_err().kind(), kind, "{fault}");
        assert!(String::from_utf8_lossy(&got).contains("chat.completion.chunk"));
    }
}

#[tokio::test]
async fn a_socket_that_says_nothing_is_let_go_when_the_lab_stops() {
    let lab = lab().await;
    let _silent = TcpStream::connect(lab.address()).await.unwrap();
    sleep(Duration::from_millis(20)).await;
    let start = Instant::now();
    lab.stop().await;
    assert!(start.elapsed() < Duration::from_millis(400), "{:?}", start.elapsed());
}

// Models that refuse, and the key that is refused

#[tokio::test]
async fn a_wrong_key_a_long_prompt_and_an_empty_purse_are_told() {
    let lab = lab().await;
    let client = http_client().no_proxy().build().unwrap();
    let ask = async |path: &str, body: Value, key: &str| {
        let request = client.post(lab.url() + path).header("authorization", format!("Bearer {key}")).body(body.to_string());
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let messages = json!([{"role": "user", "content": "word ".repeat(60)}]);
    let small = json!({"model": "lab/small-context", "messages": messages, "stream": true});
    let (status, text) = ask("/v1/chat/completions", small.clone(), "lab").await;
    assert_eq!(status, 400);
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["error"]["code"], "context_length_exceeded");
    let error = Script::for_request("/v1/chat/completions", &HeaderMap::new(), false, small.to_string().as_bytes(), &lab.settings());
    assert!(matches!(error.unwrap_err().reason, crate::Reason::TooLong { limit: 50, .. }));
    let (status, text) = ask("/v1/chat/completions", small, "lab-wrong-key").await;
    assert_eq!((status, text.contains("invalid_api_key")), (401, true));
    let (status, text) = ask("/v1/chat/completions", json!({"model": "lab/quota", "messages": messages, "stream": true}), "lab").await;
    assert_eq!((status, text.contains("insufficient_quota"), text.contains("[DONE]")), (200, true, false));
    let (status, text) = ask("/v1/chat/completions", json!({"model": "lab/quota", "messages": messages}), "lab").await;
    assert_eq!((status, text.contains("insufficient_quota")), (429, true));
    let (status, text) = ask("/v1/responses", json!({"model": "lab/quota", "input": "x", "stream": true}), "lab").await;
    assert_eq!((status, text.contains("insufficient_quota")), (200, true));
    // A handshake with the wrong key is refused with a status, a page of models too.
    let refused = client.get(lab.url() + "/v1/models").header("x-api-key", "lab-wrong-key").send().await.unwrap();
    assert_eq!(refused.status(), 401);
    let stream = TcpStream::connect(lab.address()).await.unwrap();
    let mut request = format!("ws://{}/v1/responses", lab.address()).into_client_request().unwrap();
    request.headers_mut().insert("authorization", "Bearer lab-wrong-key".parse().unwrap());
    match tokio_tungstenite::client_async(request, stream).await {
        Err(tungstenite::Error::Http(response)) => assert_eq!(response.status(), 401),
        other => panic!("{other:?}"),
    }
}
