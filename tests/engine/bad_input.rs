//! What servers and networks do wrong: each gives an outcome with blame and code, keeps what came, and leaves the engine usable.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use weir_dialects::Transport;
use weir_sessions::view::{Draft, OutcomeKind, Problem};
use weir_sessions::{KeyChoice, Session};
use weir_tests::desk::{Desk, draft};
use weir_tests::flood;
use weir_tests::peer::{Peer, Step, chunked, sized};

use super::captures::{CHAT, COMPLETED, RESPONSES, delta, log, received, says};

/// A desk, and proof after each mishap that it still works.
pub(super) struct Bench {
    pub(super) desk: Desk,
    good: Peer,
}

impl Bench {
    pub(super) async fn new() -> Self {
        let good = chunked("200 OK", "text/event-stream", &[says("fine").as_bytes(), b"data: [DONE]\n\n"], false);
        Self { desk: Desk::new(), good: Peer::play(good).await }
    }

    pub(super) async fn still_works(&self) {
        let session = self.desk.run(&draft(&self.good.url("http", CHAT), "openai-chat", Sse)).await;
        assert_eq!(session.outcome().map(|outcome| outcome.kind), Some(Complete));
        assert_eq!(session.analysis().fold.folded.blocks[0].text, "fine");
    }

    /// Sends, and checks outcome, code and blame, that the four parts are there, and that the library says the same.
    pub(super) async fn fails(&self, draft: &Draft, kind: OutcomeKind, code: &str, blame: &str) -> (Arc<Session>, Problem) {
        let session = self.desk.run(draft).await;
        let outcome = session.outcome().expect("it is over");
        let problem = outcome.problem.unwrap_or_else(|| panic!("{code}: no problem, {:?}", outcome.kind));
        assert_eq!((outcome.kind, problem.code.as_str(), problem.blame.as_str()), (kind, code, blame), "{problem:?}");
        for part in [&problem.message, &problem.consequence, &problem.evidence, &problem.next] {
            assert!(!part.trim().is_empty(), "{code} lacks a part: {problem:?}");
        }
        let row = self.desk.engine().library().session(session.id()).expect("it is in the library");
        assert_eq!(row.outcome, format!("{kind:?}").to_lowercase());
        assert!(row.summary.contains(code), "{code} is not in the summary");
        self.still_works().await;
        (session, problem)
    }

    /// As [`Bench::fails`] for a scripted answer; what was written must be in the log, byte for byte.
    pub(super) async fn answered(
        &self,
        script: Vec<Step>,
        transport: Transport,
        kind: OutcomeKind,
        code: &str,
        blame: &str,
    ) -> (Arc<Session>, Problem) {
        let written: Vec<u8> =
            script.iter().flat_map(|step| if let Step::Write(bytes) = step { bytes.clone() } else { Vec::new() }).collect();
        let peer = Peer::play(script).await;
        let websocket = transport == Websocket;
        let (dialect, url) =
            if websocket { ("openai-responses", peer.url("ws", RESPONSES)) } else { ("openai-chat", peer.url("http", CHAT)) };
        let (session, problem) = self.fails(&draft(&url, dialect, transport), kind, code, blame).await;
        let came = received(&log(&self.desk, &session));
        assert!(came.ends_with(&written) || written.is_empty(), "{code}: {} of {} bytes are in the log", came.len(), written.len());
        (session, problem)
    }
}

use OutcomeKind::{Complete, Cut, Failed};
use Transport::{Http, Sse, Websocket};

#[tokio::test(flavor = "multi_thread")]
async fn wrong_urls_are_refused_before_anything_is_sent() {
    let bench = Bench::new().await;
    for url in ["", "nonsense", "ftp://127.0.0.1/x", "http://", "http://[::1", "http://127.0.0.1:99999/"] {
        let error = bench
            .desk
            .engine()
            .send(&draft(url, "openai-chat", Sse), KeyChoice::None, None)
            .map(|session| session.id().to_owned())
            .expect_err(url);
        assert_eq!(error.0.blame, "user", "{url}: {error:?}");
    }
    bench.still_works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_fail() {
    let bench = Bench::new().await;
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
    bench.fails(&draft(&format!("http://{free}{CHAT}"), "openai-chat", Sse), Failed, "refused", "network").await;
    bench.fails(&draft("http://no-such-host.invalid/v1/chat/completions", "openai-chat", Sse), Failed, "dns", "network").await;
    bench.answered(vec![Step::Read, Step::Reset], Sse, Failed, "reset", "network").await;
    bench.answered(vec![Step::Read, Step::End], Sse, Failed, "empty-reply", "peer").await;
    let begun = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let part = says("begun");
    let chunk = format!("{:x}\r\n{part}\r\n", part.len()).into_bytes();
    let (session, _) = bench
        .answered(
            vec![Step::Read, Step::Write([begun.clone(), chunk.clone()].concat()), Step::Pause(50), Step::Reset],
            Sse,
            Failed,
            "reset",
            "network",
        )
        .await;
    assert_eq!(session.analysis().fold.folded.blocks[0].text, "begun");
    let (session, problem) =
        bench.answered(vec![Step::Read, Step::Write([begun, chunk].concat()), Step::End], Sse, Cut, "cut", "network").await;
    assert_eq!(session.analysis().fold.folded.blocks[0].text, "begun");
    assert!(problem.consequence.contains("kept"), "{problem:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_for_another_name() {
    let bench = Bench::new().await;
    let authority = rcgen::KeyPair::generate().expect("a key");
    let mut params = rcgen::CertificateParams::new(Vec::<String>::new()).expect("parameters");
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root = params.self_signed(&authority).expect("a root");
    let issuer = rcgen::Issuer::new(params, authority);
    let key = rcgen::KeyPair::generate().expect("a key");
    let leaf = rcgen::CertificateParams::new(vec!["other.example".to_owned()])
        .and_then(|params| params.signed_by(&key, &issuer))
        .expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .expect("a server's identity");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let server = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut request = [0; 16 << 10];
                let _ = stream.read(&mut request).await;
                let body = format!("{}data: [DONE]\n\n", says("unchecked"));
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    let mut settings = bench.desk.engine().settings();
    settings.roots = root.pem();
    settings.proxy = "direct".into();
    bench.desk.engine().set_settings(settings).expect("settings");
    let mut draft = draft(&format!("https://localhost:{port}{CHAT}"), "openai-chat", Sse);
    draft.http = "1.1".into();
    let (session, problem) = bench.fails(&draft, Failed, "tls-name", "peer").await;
    assert!(problem.evidence.contains("other.example"), "{problem:?}");
    assert_eq!(session.analysis().metrics().bytes_up, 0, "nothing was sent to a server of another name");
    // The explicit choice works, and says so.
    draft.insecure = true;
    let session = bench.desk.run(&draft).await;
    assert_eq!(session.outcome().map(|outcome| outcome.kind), Some(Complete), "{:?}", session.outcome());
    assert!(session.analysis().phases.tls_facts.as_ref().is_some_and(|(_, _, unchecked)| *unchecked));
    server.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn error_statuses() {
    let bench = Bench::new().await;
    let json = |code: &str, message: &str| format!("{{\"error\":{{\"message\":\"{message}\",\"code\":\"{code}\"}}}}").into_bytes();
    let html = b"<!doctype html><html><head><title>Bad gateway &amp; more</title></head><body>x</body></html>".to_vec();
    for (status, blame) in [
        ("400 Bad Request", "user"),
        ("401 Unauthorized", "configuration"),
        ("429 Too Many Requests", "peer"),
        ("500 Internal Server Error", "peer"),
    ] {
        let code = format!("http-{}", &status[..3]);
        let (_, problem) =
            bench.answered(sized(status, "application/json", &json("bad_thing", "the reason why")), Sse, Failed, &code, blame).await;
        assert!(problem.message.contains("the reason why") && problem.evidence.contains("bad_thing"), "{problem:?}");
        let (_, problem) = bench.answered(sized(status, "text/html", &html), Sse, Failed, &code, blame).await;
        assert!(problem.message.contains("Bad gateway & more"), "{problem:?}");
        bench.answered(sized(status, "application/json", &json("x", "plain request")), Http, Failed, &code, blame).await;
    }
    let mut slow = sized("429 Too Many Requests", "application/json", &json("rate", "slow down"));
    slow[1] = Step::text("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
    let (_, problem) = bench.answered(slow, Sse, Failed, "http-429", "peer").await;
    assert!(problem.next.contains("7 s"), "{problem:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_another_kind() {
    let bench = Bench::new().await;
    let script = vec![
        Step::Read,
        Step::text("HTTP/1.1 308 Permanent Redirect\r\nLocation: https://elsewhere.invalid/v1\r\nContent-Length: 0\r\n\r\n"),
        Step::End,
    ];
    let (_, problem) = bench.answered(script, Sse, Failed, "redirect", "peer").await;
    assert!(problem.evidence.contains("https://elsewhere.invalid/v1"), "{problem:?}");
    let page = b"<html><head><title>Sign in to the hotel</title></head></html>";
    let peer = Peer::play(sized("200 OK", "text/html", page)).await;
    let session = bench.desk.run(&draft(&peer.url("http", CHAT), "openai-chat", Sse)).await;
    let problem = session.outcome().and_then(|outcome| outcome.problem).expect("an HTML page is no reply");
    assert!(problem.evidence.contains("text/html") || problem.message.contains("Sign in to the hotel"), "{problem:?}");
    // A server that does not stream answers whole: that is a reply all the same.
    let peer = Peer::play(sized("200 OK", "application/json", super::captures::COMPLETION.as_bytes())).await;
    let session = bench.desk.run(&draft(&peer.url("http", CHAT), "openai-chat", Sse)).await;
    assert_eq!(session.outcome().map(|outcome| outcome.kind), Some(Complete), "{:?}", session.outcome());
    assert_eq!(session.analysis().fold.folded.blocks[0].text, "All at once \u{2713}");
    // Nothing but the head.
    let script = chunked("200 OK", "text/event-stream", &[], false);
    bench.answered(script, Sse, Cut, "empty", "peer").await;
    bench.still_works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads_that_cannot_be_read_are_rows_and_the_rest_goes_on() {
    let bench = Bench::new().await;
    let pieces: [&[u8]; 5] = [
        says("before ").as_bytes().to_vec().leak(),
        b"data: {\"choices\": [oops\n\n",
        b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\xff\xc3\"}}]}\n\n",
        says(" after").as_bytes().to_vec().leak(),
        b"data: [DONE]\n\n",
    ];
    let peer = Peer::play(chunked("200 OK", "text/event-stream", &pieces, false)).await;
    let session = bench.desk.run(&draft(&peer.url("http", CHAT), "openai-chat", Sse)).await;
    assert_eq!(session.outcome().map(|outcome| outcome.kind), Some(Complete));
    assert_eq!(session.analysis().fold.folded.blocks[0].text, "before a\u{fffd}\u{fffd} after");
    let rows = session.rows("kind:unknown", 0, 10).expect("a filter").rows;
    assert_eq!(rows.len(), 1, "the malformed event is one row, unknown");
    let detail = session.frame(rows[0].id).expect("it opens");
    assert!(
        detail.nodes.iter().any(|node| node.label.contains("not JSON"))
            || rows[0].summary.contains("not JSON")
            || rows[0].summary.contains("oops"),
        "{detail:?} {rows:?}"
    );
    let came = received(&log(&bench.desk, &session));
    assert!(came.windows(4).any(|four| four == b"a\xff\xc3\""), "the ill-formed bytes are kept as they came");
    bench.still_works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_64_mebibytes() {
    let bench = Bench::new().await;
    let piece = vec![b'x'; 1 << 20];
    let mut script = vec![
        Step::Read,
        Step::text("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\""),
    ];
    script.push(Step::Repeat(piece, 64));
    script.extend([Step::text("\"}}]}\n\n"), Step::text(&says("|end")), Step::text("data: [DONE]\n\n"), Step::End]);
    let peer = Peer::play(script).await;
    let session = bench.desk.run(&draft(&peer.url("http", CHAT), "openai-chat", Sse)).await;
    assert_eq!(session.outcome().map(|outcome| outcome.kind), Some(Complete), "{:?}", session.outcome());
    let text = session.analysis().fold.folded.blocks[0].text.len();
    assert_eq!(text, (64 << 20) + 4);
    assert!(session.analysis().metrics().bytes_down > 64 << 20);
    // It opens, in part, and says so.
    let row = session.rows("size>1000000", 0, 1).expect("a filter").rows.remove(0);
    assert!(row.summary.chars().count() < 300);
    let detail = session.frame(row.id).expect("it opens");
    assert!(detail.nodes.iter().any(|node| node.value.contains("1 MiB")), "what is left out is said");
    bench.still_works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_refused_at_the_handshake() {
    let bench = Bench::new().await;
    let body = b"{\"error\":{\"message\":\"this key has no access\"}}";
    let mut script = sized("403 Forbidden", "application/json", body);
    script.insert(2, Step::Pause(20));
    let (session, problem) = bench.answered(script, Websocket, Failed, "http-403", "configuration").await;
    assert!(problem.message.contains("this key has no access"), "{problem:?}");
    assert_eq!(session.analysis().fold.status.as_ref().map(|status| status.code), Some(403));
    let script = vec![Step::Read, Step::text("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"), Step::End];
    bench.answered(script, Websocket, Failed, "ws-refused", "peer").await;
    let script = vec![
        Step::Read,
        Step::text("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n\r\n"),
        Step::End,
    ];
    bench.answered(script, Websocket, Failed, "ws-protocol", "peer").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn websocket_frames_against_the_rules() {
    let bench = Bench::new().await;
    let text = delta(1, "kept");
    let begin = [Step::Upgrade, Step::ReadSome, Step::message(&text), Step::Pause(5)];
    let masked = b"\x81\x85\x01\x02\x03\x04hello".to_vec();
    // A frame that announces 2^62 bytes: refused by its header, whatever follows.
    let oversized = [&b"\x81\x7f\x40\0\0\0\0\0\0\0"[..], b"little"].concat();
    let reserved = b"\xf1\x02hi".to_vec();
    for (bytes, code) in [(masked, "ws-protocol"), (oversized, "too-big"), (reserved, "ws-protocol")] {
        let script: Vec<Step> = begin.iter().cloned().chain([Step::Write(bytes), Step::Hold]).collect();
        let (session, _) = bench.answered(script, Websocket, Failed, code, "peer").await;
        assert_eq!(session.analysis().fold.folded.blocks[0].text, "kept");
        let rows = session.rows("kind:error,warning,incomplete", 0, 10).expect("a filter").rows;
        assert!(!rows.is_empty(), "{code}: the broken rule is a row");
    }
    let script: Vec<Step> = begin.iter().cloned().chain([Step::close(1011), Step::End]).collect();
    bench.answered(script, Websocket, Failed, "close-1011", "peer").await;
    let script: Vec<Step> = begin.iter().cloned().chain([Step::End]).collect();
    bench.answered(script, Websocket, Cut, "cut", "network").await;
    // A good one to the end, with a message of some size.
    let mut big = Vec::new();
    flood::frame(&mut big, 0x81, delta(2, &"y".repeat(300_000)).as_bytes());
    let script = begin.iter().cloned().chain([Step::Write(big), Step::message(COMPLETED), Step::close(1000), Step::End]).collect();
    let peer = Peer::play(script).await;
    let session = bench.desk.run(&draft(&peer.url("ws", RESPONSES), "openai-responses", Websocket)).await;
    assert_eq!(session.outcome().map(|outcome| outcome.kind), Some(Complete), "{:?}", session.outcome());
    assert_eq!(session.analysis().fold.folded.blocks[0].text.len(), 300_004);
}
