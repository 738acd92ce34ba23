use std::io::Write;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, CertifiedKey, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::tests::{CANARY, Log, record, serve, target};
use crate::{Dir, Limits, Proxy};

async fn outcome(target: &Target) -> (Result<Connection, Error>, Log) {
    let recording = record();
    let mut dialled = dial(target, recording.journal.clone(), 0).await;
    if let Ok(connection) = &mut dialled {
        let _ = connection.write_all(b"ping").await;
        let _ = connection.read(&mut [0; 9]).await;
    }
    // The connection holds a journal as well.
    let error = dialled.map(drop);
    let log = recording.finish();
    log.assert_clean();
    match error {
        Ok(()) => (Err(Error::new(Blame::Local, "none", "")), log),
        Err(error) => (Err(error), log),
    }
}

async fn error(target: &Target) -> Error {
    let (outcome, log) = outcome(target).await;
    let error = outcome.err().unwrap();
    assert_eq!(log.marks().last(), Some(&&Mark::Failed(error.clone())), "{}", log.outline());
    assert_eq!(error.consequence, "Nothing was sent, so no tokens were used.");
    assert!(!error.message.is_empty() && !error.evidence.is_empty() && !error.next.is_empty(), "{error:?}");
    error
}

#[tokio::test]
async fn urls_are_checked_before_anything_is_dialled() {
    for (url, code) in [
        ("", "bad-url"),
        ("http://me:hunter2@ho st/", "bad-url"),
        ("api.example.com/v1", "bad-url"),
        ("http://", "bad-url"),
        ("ftp://host/", "unsupported-scheme"),
        ("http://127.0.0.1:0/", "bad-url"),
        ("http://127.0.0.1:99999/", "bad-url"),
    ] {
        let error = error(&target(url)).await;
        assert_eq!((error.code.as_str(), error.blame), (code, Blame::User), "{url}");
        assert!(!error.evidence.contains("hunter2"));
    }
}

#[tokio::test]
async fn credentials_in_a_url_are_refused_and_not_shown() {
    let (outcome, log) = outcome(&target("http://user:hunter2@127.0.0.1/")).await;
    assert_eq!(outcome.err().unwrap().code, "bad-url");
    assert!(!format!("{:?}", log.marks()).contains("hunter2"));
}

#[tokio::test]
async fn names_that_do_not_exist() {
    let error = error(&Target { proxy: Proxy::Direct, ..target("http://nothing-here.invalid/") }).await;
    assert_eq!((error.code.as_str(), error.blame), ("dns", Blame::Network));
    assert!(error.message.contains("nothing-here.invalid"));
}

#[tokio::test]
async fn nobody_listens() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = error(&target(format!("http://{address}/"))).await;
    assert_eq!((error.code.as_str(), error.blame), ("refused", Blame::Network));
    assert!(error.evidence.contains(&address.to_string()));
}

#[tokio::test]
async fn a_literal_address_has_a_dns_phase_of_no_time() {
    let (address, server) = serve(|mut stream| async move { stream.read_u8().await }).await;
    let (_, log) = outcome(&target(format!("http://{address}/?key={{key}}"))).await;
    server.await.unwrap().unwrap();
    assert!(log.outline().starts_with("open dns tcp out"), "{}", log.outline());
    let times: Vec<u64> = log
        .0
        .iter()
        .map(|entry| match entry {
            crate::Entry::Segment { t, .. } | crate::Entry::Mark { t, .. } => *t,
        })
        .collect();
    assert_eq!(times[0], times[1]);
    assert!(times.is_sorted());
    assert_eq!(*log.marks()[0], Mark::Open { url: format!("http://{address}/?key={{key}}") });
}

struct Server {
    acceptor: TlsAcceptor,
    listener: TcpListener,
    port: u16,
}

async fn tls_server(certified: CertifiedKey<KeyPair>, alpn: &[&[u8]]) -> Server {
    let chain = vec![certified.cert.der().clone()];
    tls_server_with(chain, PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap(), alpn).await
}

async fn tls_server_with(chain: Vec<rustls_pki_types::CertificateDer<'static>>, key: PrivateKeyDer<'static>, alpn: &[&[u8]]) -> Server {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    Server { acceptor: TlsAcceptor::from(Arc::new(config)), listener, port }
}

impl Server {
    /// Answers one connection's `ping` with `pong`.
    fn start(self) -> u16 {
        tokio::spawn(async move {
            let (stream, _) = self.listener.accept().await.unwrap();
            if let Ok(mut stream) = self.acceptor.accept(stream).await {
                let mut ping = [0; 4];
                let _ = stream.read_exact(&mut ping).await;
                let _ = stream.write_all(b"pong").await;
                let _ = stream.flush().await;
                let _ = stream.read_u8().await;
            }
        });
        self.port
    }
}

fn certificate(name: &str, change: impl FnOnce(&mut CertificateParams)) -> CertifiedKey<KeyPair> {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    change(&mut params);
    let signing_key = KeyPair::generate().unwrap();
    CertifiedKey { cert: params.self_signed(&signing_key).unwrap(), signing_key }
}

/// A root with the given leaf under it, and the root's PEM file.
async fn signed(name: &str, change: impl FnOnce(&mut CertificateParams)) -> (u16, tempfile::NamedTempFile) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(root.pem().as_bytes()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    change(&mut params);
    let leaf = params.signed_by(&key, &root).unwrap();
    let server =
        tls_server_with(vec![leaf.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap(), &[b"h2", b"http/1.1"]).await;
    (server.start(), file)
}

#[tokio::test]
async fn an_extra_root_is_trusted_and_the_phases_are_told() {
    let (port, root) = signed("localhost", |_| {}).await;
    let (_, log) =
        outcome(&Target { roots: vec![root.path().into()], http: HttpVersion::Auto, ..target(format!("https://localhost:{port}/")) }).await;
    assert!(log.outline().starts_with("open dns tcp tls overhead out in"), "{}", log.outline());
    assert_eq!((log.text(Dir::Out).as_str(), log.text(Dir::In).as_str()), ("ping", "pong"));
    let tls = log.marks().into_iter().find_map(|mark| {
        if let Mark::Phase(Phase::Tls { version, cipher, alpn, insecure }) = mark {
            Some((version.clone(), cipher.clone(), alpn.clone(), *insecure))
        } else {
            None
        }
    });
    let (version, cipher, alpn, insecure) = tls.unwrap();
    assert_eq!((version.as_str(), alpn.as_str(), insecure), ("TLSv1.3", "h2", false));
    assert!(cipher.starts_with("TLS_"), "{cipher}");
    assert!(log.marks().iter().any(|mark| matches!(mark, Mark::TlsOverhead { down: 500.., up: 200.. })), "{:?}", log.marks());
}

#[tokio::test]
async fn an_exchange_over_tls_tells_what_tls_cost() {
    for (http, alpn) in [(HttpVersion::Auto, &b"h2"[..]), (HttpVersion::Auto, b"http/1.1"), (HttpVersion::Http2, b"h2")] {
        let server = tls_server(certificate("localhost", |_| {}), &[alpn]).await;
        let port = server.port;
        let relayed = tokio::spawn(async move {
            let (tcp, _) = server.listener.accept().await.unwrap();
            let stream = server.acceptor.accept(tcp).await.unwrap();
            let service = hyper::service::service_fn(|request: ::http::Request<hyper::body::Incoming>| async move {
                Ok::<_, std::io::Error>(::http::Response::new(format!("{:?} {}", request.version(), "x".repeat(100_000))))
            });
            let executor = hyper_util::rt::TokioExecutor::new();
            let _ = hyper_util::server::conn::auto::Builder::new(executor)
                .serve_connection(hyper_util::rt::TokioIo::new(stream), service)
                .await;
        });
        let recording = record();
        let target = Target { insecure: true, http, ..target(format!("https://localhost:{port}/?key={CANARY}")) };
        crate::http::exchange(&target, &crate::tests::post("{}"), recording.journal.clone(), 0, &crate::Control::new()).await.unwrap();
        relayed.await.unwrap();
        let log = recording.finish();
        log.assert_clean();
        let version = if alpn == b"h2" { "HTTP/2.0 xxx" } else { "HTTP/1.1 xxx" };
        assert!(log.text(Dir::In).contains(version));
        assert!(
            log.outline().starts_with("open dns tcp tls overhead out") && log.outline().ends_with("overhead closed"),
            "{}",
            log.outline()
        );
        let costs: Vec<(u64, u64)> = log
            .marks()
            .into_iter()
            .filter_map(|mark| if let Mark::TlsOverhead { down, up } = mark { Some((*down, *up)) } else { None })
            .collect();
        // Records of at most 16 KiB with 22 bytes of overhead each, on top of the handshake.
        let [(handshake, _), (whole, _)] = costs[..] else { panic!("{costs:?}") };
        assert!(whole > handshake + 6 * 22 && whole < handshake + 10_000, "{costs:?}");
    }
}

#[tokio::test]
async fn a_certificate_for_another_name() {
    let (port, root) = signed("elsewhere.example", |_| {}).await;
    let error = error(&Target { roots: vec![root.path().into()], ..target(format!("https://localhost:{port}/")) }).await;
    assert_eq!((error.code.as_str(), error.blame), ("tls-name", Blame::Peer));
    assert!(!error.evidence.contains("DnsName"), "{}", error.evidence);
    assert!(error.message.contains("localhost") && error.evidence.contains("elsewhere.example"), "{error:?}");
}

#[tokio::test]
async fn an_expired_certificate() {
    let (port, root) = signed("localhost", |params| params.not_after = date_time_ymd(2021, 3, 4)).await;
    let error = error(&Target { roots: vec![root.path().into()], ..target(format!("https://localhost:{port}/")) }).await;
    assert_eq!(error.code, "tls-expired");
    assert!(error.evidence.contains("2021-03-04"), "{error:?}");
}

#[tokio::test]
async fn a_self_signed_certificate_is_untrusted_unless_the_user_takes_it() {
    let server = tls_server(certificate("localhost", |_| {}), &[]).await;
    let error = error(&target(format!("https://localhost:{}/", server.start()))).await;
    assert_eq!((error.code.as_str(), error.blame), ("tls-untrusted", Blame::Peer));

    let server = tls_server(certificate("elsewhere.example", |params| params.not_after = date_time_ymd(2021, 3, 4)), &[]).await;
    let (_, log) = outcome(&Target { insecure: true, ..target(format!("https://localhost:{}/", server.start())) }).await;
    assert_eq!(log.text(Dir::In), "pong");
    assert!(log.marks().iter().any(|mark| matches!(mark, Mark::Phase(Phase::Tls { insecure: true, .. }))));
}

#[tokio::test]
async fn a_server_without_http2() {
    for alpn in [&[&b"http/1.1"[..]][..], &[]] {
        let server = tls_server(certificate("localhost", |_| {}), alpn).await;
        let error =
            error(&Target { insecure: true, http: HttpVersion::Http2, ..target(format!("https://localhost:{}/", server.start())) }).await;
        assert_eq!(error.code, "http-version", "{error:?}");
    }
}

#[tokio::test]
async fn a_server_that_speaks_no_tls() {
    let (address, _server) = serve(|mut stream| async move {
        let _ = stream.read_u8().await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let error = error(&target(format!("https://{address}/"))).await;
    assert_eq!((error.code.as_str(), error.blame), ("tls", Blame::Peer));
    assert!(error.message.contains("does not speak TLS"), "{error:?}");
}

#[tokio::test]
async fn a_silent_handshake_is_over_in_time_and_says_where_it_was() {
    let (address, _server) = serve(|stream: TcpStream| async move {
        let stream = stream;
        tokio::time::sleep(Duration::from_secs(30)).await;
        drop(stream);
    })
    .await;
    let limits = Limits { connect: Some(Duration::from_millis(150)), ..Limits::default() };
    let error = error(&Target { limits, ..target(format!("https://{address}/")) }).await;
    assert_eq!((error.code.as_str(), error.blame), ("timeout-connect", Blame::Network));
    assert!(error.message.contains("150 ms") && error.evidence.contains("TLS"), "{error:?}");
}

#[tokio::test]
async fn roots_that_cannot_be_used() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"no certificate").unwrap();
    for path in [file.path().to_owned(), "/nonexistent.pem".into()] {
        let error = error(&Target { roots: vec![path], ..target("https://localhost:1/") }).await;
        assert_eq!((error.code.as_str(), error.blame), ("bad-root", Blame::Configuration));
    }
}

#[tokio::test]
async fn a_tunnel_through_a_proxy() {
    let (address, proxy) = serve(|mut stream| async move {
        let request = crate::tests::read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n").await.unwrap();
        let mut hello = [0; 2];
        stream.read_exact(&mut hello).await.unwrap();
        (String::from_utf8(request).unwrap(), hello)
    })
    .await;
    let target = Target { proxy: Proxy::Url(format!("http://me:hunter22@{address}")), ..target("https://api.example.com/") };
    let (outcome, log) = outcome(&target).await;
    assert!(matches!(outcome.err().unwrap().code.as_str(), "cut" | "reset" | "tls"));
    assert!(log.outline().starts_with("open dns tcp"));
    assert!(log.marks().iter().any(|mark| matches!(mark, Mark::Phase(Phase::Tcp { proxied: true, .. }))));
    let (request, hello) = proxy.await.unwrap();
    assert!(request.starts_with("CONNECT api.example.com:443 HTTP/1.1\r\nHost: api.example.com:443\r\n"), "{request}");
    assert!(request.contains("Proxy-Authorization: Basic bWU6aHVudGVyMjI=\r\n"), "{request}");
    assert_eq!(hello, [22, 3], "a TLS handshake record");
}

#[tokio::test]
async fn a_proxy_that_refuses() {
    for (answer, code) in [
        ("HTTP/1.1 407 Who are you\r\n\r\n", "proxy-refused"),
        ("HTTP/1.0 403 Forbidden\r\n\r\n", "proxy-refused"),
        ("220 mail.example ESMTP\r\n\r\n", "proxy-protocol"),
    ] {
        let (address, _proxy) = serve(move |mut stream| async move {
            crate::tests::read_request(&mut stream).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        let error = error(&Target { proxy: Proxy::Url(format!("http://{address}")), ..target("wss://api.example.com/") }).await;
        assert_eq!((error.code.as_str(), error.blame), (code, Blame::Configuration));
        assert!(error.evidence.contains(answer.lines().next().unwrap()));
    }
}
