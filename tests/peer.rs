//! Scripted peers: what they send, in which writes, and how they leave.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::StreamBody;
use hyper::body::Frame;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::flood;

/// A step of a script.
#[derive(Clone, Debug)]
pub enum Step {
    /// Reads a request with its body.
    Read,
    /// Answers a WebSocket handshake with 101 and the right key; reads the request first.
    Upgrade,
    /// Reads an HTTP/2 request to the end of its stream.
    ReadHttp2,
    /// Reads some bytes, whatever they are.
    ReadSome,
    /// One write.
    Write(Vec<u8>),
    /// Waits, so that what was written before is read apart from what follows.
    Pause(u64),
    /// Writes the same bytes this many times.
    Repeat(Vec<u8>, usize),
    /// Ends this direction and reads until the client has left.
    End,
    /// Resets the connection.
    Reset,
    /// Keeps it open until the client has left.
    Hold,
}

impl Step {
    /// A write of text.
    pub fn text(text: &str) -> Self {
        Self::Write(text.as_bytes().to_vec())
    }

    /// A write of one WebSocket text frame.
    pub fn message(text: &str) -> Self {
        let mut bytes = Vec::new();
        flood::frame(&mut bytes, 0x81, text.as_bytes());
        Self::Write(bytes)
    }

    /// A write of a close frame.
    pub fn close(code: u16) -> Self {
        let mut bytes = Vec::new();
        flood::frame(&mut bytes, 0x88, &code.to_be_bytes());
        Self::Write(bytes)
    }
}

/// A peer that plays a script on every connection.
pub struct Peer {
    address: SocketAddr,
    gone: mpsc::UnboundedReceiver<std::time::Instant>,
    task: JoinHandle<()>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Peer {
    /// Plays `script` on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// The system has no port to give.
    pub async fn play(script: Vec<Step>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (left, gone) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (script, left) = (script.clone(), left.clone());
                tokio::spawn(async move {
                    // A client that leaves early ends the script; the tests look at what the client has.
                    let _ = perform(&mut stream, &script).await;
                    let _ = left.send(std::time::Instant::now());
                });
            }
        });
        Self { address, gone, task }
    }

    /// An HTTP/2 server (prior knowledge) that answers with `status`, `media` and these pieces of body, a DATA frame each.
    ///
    /// # Panics
    /// The system has no port to give.
    pub async fn http2(status: u16, media: &'static str, pieces: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (_, gone) = mpsc::unbounded_channel();
        let pieces = Arc::new(pieces);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let pieces = pieces.clone();
                let service = service_fn(move |_| {
                    let pieces: Vec<_> = pieces.iter().map(|piece| Ok::<_, Infallible>(Frame::data(Bytes::from(piece.clone())))).collect();
                    // Each piece in a poll of its own: hyper would send them as one frame otherwise.
                    let body = StreamBody::new(stream::unfold(pieces.into_iter(), |mut pieces| async {
                        tokio::task::yield_now().await;
                        pieces.next().map(|piece| (piece, pieces))
                    }));
                    async move { http::Response::builder().status(status).header("content-type", media).body(Box::pin(body)) }
                });
                tokio::spawn(
                    hyper::server::conn::http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { address, gone, task }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `scheme://ADDRESS` and `path`.
    pub fn url(&self, scheme: &str, path: &str) -> String {
        format!("{scheme}://{}{path}", self.address)
    }

    /// When the next connection was over.
    pub async fn over(&mut self) -> Option<std::time::Instant> {
        self.gone.recv().await
    }
}

async fn perform(stream: &mut TcpStream, script: &[Step]) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut key = String::new();
    for step in script {
        match step {
            Step::Read | Step::Upgrade => {
                let head = request(stream).await?;
                if let Some(sent) = flood::field(&head, "sec-websocket-key") {
                    key = sent.to_owned();
                }
                if matches!(step, Step::Upgrade) {
                    let accept = weir_frames::ws::accept_key(key.as_bytes());
                    let answer = format!(
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
                    );
                    stream.write_all(answer.as_bytes()).await?;
                }
            }
            Step::ReadHttp2 => read_http2(stream).await?,
            Step::ReadSome => {
                // How much of it comes is the client's matter.
                let _ = stream.read(&mut [0; 64 << 10]).await?;
            }
            Step::Write(bytes) => stream.write_all(bytes).await?,
            Step::Repeat(bytes, times) => {
                for _ in 0..*times {
                    stream.write_all(bytes).await?;
                }
            }
            Step::Pause(millis) => sleep(Duration::from_millis(*millis)).await,
            Step::End => {
                stream.shutdown().await?;
                drain(stream).await?;
            }
            Step::Reset => {
                stream.set_zero_linger()?;
                return Ok(());
            }
            Step::Hold => drain(stream).await?,
        }
    }
    Ok(())
}

async fn drain(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut piece = [0; 64 << 10];
    while stream.read(&mut piece).await? > 0 {}
    Ok(())
}

async fn request(stream: &mut TcpStream) -> std::io::Result<String> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 16 << 10]);
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end + 4]).into_owned();
            let length = flood::field(&head, "content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                return Ok(head);
            }
        }
        match stream.read(&mut piece).await? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => bytes.extend_from_slice(&piece[..count]),
        }
    }
}

/// A response in chunks, one for each of `pieces`, each in a write of its own where `apart`.
pub fn chunked(status: &str, media: &str, pieces: &[&[u8]], apart: bool) -> Vec<Step> {
    let mut writes = vec![format!("HTTP/1.1 {status}\r\nContent-Type: {media}\r\nTransfer-Encoding: chunked\r\n\r\n").into_bytes()];
    for piece in pieces {
        let mut bytes = format!("{:x}\r\n", piece.len()).into_bytes();
        bytes.extend_from_slice(piece);
        bytes.extend_from_slice(b"\r\n");
        writes.push(bytes);
    }
    writes.push(b"0\r\n\r\n".to_vec());
    let mut steps = vec![Step::Read];
    if apart {
        for bytes in writes {
            steps.extend([Step::Write(bytes), Step::Pause(2)]);
        }
    } else {
        steps.push(Step::Write(writes.concat()));
    }
    steps.push(Step::End);
    steps
}

/// A response with a Content-Length.
pub fn sized(status: &str, media: &str, body: &[u8]) -> Vec<Step> {
    let mut bytes = format!("HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    vec![Step::Read, Step::Write(bytes), Step::End]
}

/// Reads the preface and frames up to one with END_STREAM (RFC 9113, sections 3.4 and 4.1): an answer that comes before the request would
/// be one on an idle stream.
async fn read_http2(stream: &mut TcpStream) -> std::io::Result<()> {
    const PREFACE: usize = 24;
    stream.read_exact(&mut [0; PREFACE]).await?;
    loop {
        let mut header = [0; 9];
        stream.read_exact(&mut header).await?;
        let length = header[..3].iter().fold(0, |length, &byte| length << 8 | usize::from(byte));
        stream.read_exact(&mut vec![0; length]).await?;
        if header[3] <= 1 && header[4] & 1 != 0 {
            return Ok(());
        }
    }
}
