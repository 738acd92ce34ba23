//! A server that says what it was told to, byte by byte, and keeps what it was asked.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// Serves one connection.
pub struct Server {
    pub address: SocketAddr,
    /// Dropped or sent to: the connection is closed.
    pub close: Option<Sender<()>>,
    asked: JoinHandle<String>,
}

impl Server {
    /// Answers one request with `answer`, then closes; with `hold` only once told to.
    pub fn start(answer: impl Into<Vec<u8>>, hold: bool) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), answer, hold)
    }

    /// The same once more, where another server was before.
    pub fn at(address: SocketAddr, answer: impl Into<Vec<u8>>) -> Self {
        Self::on(TcpListener::bind(address).unwrap(), answer, false)
    }

    fn on(listener: TcpListener, answer: impl Into<Vec<u8>>, hold: bool) -> Self {
        let address = listener.local_addr().unwrap();
        let (close, closed): (_, Receiver<()>) = channel();
        let answer = answer.into();
        let asked = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let asked = request(&mut stream);
            stream.write_all(&answer).unwrap();
            if hold {
                let _ = closed.recv();
            }
            asked
        });
        Self { address, close: Some(close), asked }
    }

    pub fn base(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What it was asked: head and body.
    pub fn asked(self) -> String {
        drop(self.close);
        self.asked.join().unwrap()
    }
}

/// Reads a request: head, and as much body as it announces.
pub fn request(stream: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:").map(|n| n.trim().parse::<usize>().unwrap()));
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        match stream.read(&mut piece).unwrap() {
            0 => return text,
            n => bytes.extend_from_slice(&piece[..n]),
        }
    }
}

/// A chunked event stream of chat deltas with these texts; whole with its end marker and last chunk.
pub fn chat(texts: &[&str], whole: bool) -> String {
    let mut answer = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
    let mut event = |data: &str| {
        let event = format!("data: {data}\n\n");
        answer.push_str(&format!("{:x}\r\n{event}\r\n", event.len()));
    };
    for text in texts {
        event(&format!(
            r#"{{"choices":[{{"index":0,"delta":{{"content":{}}},"finish_reason":null}}]}}"#,
            serde_json::to_string(text).unwrap()
        ));
    }
    if whole {
        event(r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#);
        event("[DONE]");
        answer.push_str("0\r\n\r\n");
    }
    answer
}

/// An answer with a length.
pub fn plain(status: &str, media: &str, fields: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {}\r\n{fields}\r\n{body}", body.len())
}
