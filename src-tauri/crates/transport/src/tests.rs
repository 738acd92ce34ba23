//! What the tests of this crate share: scripted loopback servers, and a reader of the journal.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::{TcpListener, TcpStream};
use weir_secrets::Secret;

use crate::redact::contains;
use crate::*;

pub(crate) const CANARY: &str = "sk-Canary/0123+456789";

/// A journal and the thread that reads it.
pub(crate) struct Recording {
    pub(crate) journal: Journal,
    entries: Arc<Mutex<Vec<Entry>>>,
    reader: JoinHandle<()>,
}

pub(crate) fn record() -> Recording {
    let (journal, mut reader) = channel(1 << 20);
    let entries = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&entries);
    let reader = thread::spawn(move || {
        let mut batch = Vec::new();
        while reader.recv_many(&mut batch) > 0 {
            into.lock().unwrap().append(&mut batch);
        }
    });
    Recording { journal, entries, reader }
}

impl Recording {
    /// Everything, once all other journals are dropped.
    pub(crate) fn finish(self) -> Log {
        drop(self.journal);
        self.reader.join().unwrap();
        Log(Arc::into_inner(self.entries).unwrap().into_inner().unwrap())
    }
}

pub(crate) struct Log(pub(crate) Vec<Entry>);

impl Log {
    pub(crate) fn bytes(&self, wanted: Dir) -> Vec<u8> {
        self.0
            .iter()
            .filter_map(|entry| if let Entry::Segment { dir, bytes, .. } = entry { (*dir == wanted).then_some(&bytes[..]) } else { None })
            .collect::<Vec<_>>()
            .concat()
    }

    pub(crate) fn text(&self, dir: Dir) -> String {
        String::from_utf8_lossy(&self.bytes(dir)).into_owned()
    }

    pub(crate) fn marks(&self) -> Vec<&Mark> {
        self.0.iter().filter_map(|entry| if let Entry::Mark { mark, .. } = entry { Some(mark) } else { None }).collect()
    }

    /// Marks and directions by name, neighbours of one name as one: `open dns tcp out sent in eof closed`.
    pub(crate) fn outline(&self) -> String {
        let mut names: Vec<&str> = self
            .0
            .iter()
            .map(|entry| match entry {
                Entry::Segment { dir: Dir::In, .. } => "in",
                Entry::Segment { dir: Dir::Out, .. } => "out",
                Entry::Mark { mark, .. } => match mark {
                    Mark::Open { .. } => "open",
                    Mark::Phase(Phase::Dns { .. }) => "dns",
                    Mark::Phase(Phase::Tcp { .. }) => "tcp",
                    Mark::Phase(Phase::Tls { .. }) => "tls",
                    Mark::Sent => "sent",
                    Mark::Eof => "eof",
                    Mark::Cancelled => "cancelled",
                    Mark::Closed => "closed",
                    Mark::Failed(_) => "failed",
                    Mark::TlsOverhead { .. } => "overhead",
                    Mark::Again => "again",
                    Mark::Waiting { .. } => "waiting",
                    Mark::Over(_) => "over",
                },
            })
            .collect();
        names.dedup();
        names.join(" ")
    }

    /// Neither bytes nor marks hold the canary in any plain spelling.
    pub(crate) fn assert_clean(&self) {
        for spelling in [CANARY.to_owned(), CANARY.replace('/', "%2F").replace('+', "%2B"), CANARY.replace('/', "\\/")] {
            for dir in [Dir::In, Dir::Out] {
                assert!(!contains(&self.bytes(dir), spelling.as_bytes()), "{dir:?} {}", self.text(dir));
            }
            assert!(!format!("{:?}", self.marks()).contains(&spelling));
        }
    }
}

pub(crate) fn target(url: impl Into<String>) -> Target {
    Target { url: url.into(), key: Some(Secret::new(CANARY)), http: HttpVersion::Http11, ..Target::default() }
}

pub(crate) fn post(body: &'static str) -> Request {
    Request {
        method: "POST".into(),
        headers: vec![keyed("authorization", "Bearer {key}"), plain("content-type", "application/json")],
        body: body.into(),
    }
}

pub(crate) fn keyed(name: &str, value: &str) -> Header {
    Header { name: name.into(), value: Value::Keyed(value.into()) }
}

pub(crate) fn plain(name: &str, value: &str) -> Header {
    Header { name: name.into(), value: Value::Plain(value.into()) }
}

/// Takes one connection and runs `script` on it; what that gives is the handle's.
pub(crate) async fn serve<T, F>(script: impl FnOnce(TcpStream) -> F + Send + 'static) -> (SocketAddr, tokio::task::JoinHandle<T>)
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let handle = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        script(stream).await
    });
    (address, handle)
}

/// Reads until the head's end and as many bytes after it as its Content-Length says.
pub(crate) async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut request = Vec::new();
    loop {
        if let Some(end) = request.windows(4).position(|part| part == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
            let length = head.split("content-length: ").nth(1).map_or(0, |rest| rest.lines().next().unwrap().parse().unwrap());
            if request.len() >= end + 4 + length {
                return request;
            }
        }
        assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0, "the request is cut: {}", String::from_utf8_lossy(&request));
    }
}
