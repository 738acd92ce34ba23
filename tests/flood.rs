//! Replies rendered beforehand and written as fast as the socket takes them, by plain threads: the server costs as little as a server can.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// How an event stream is cut into HTTP/1.1 chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunks {
    /// A chunk an event, as most servers write.
    Event,
    /// As many events as fit into 1 MiB, as a proxy that gathers writes.
    Large,
}

/// A reply as it goes over the socket, head and all.
pub struct Rendered {
    bytes: Vec<u8>,
    websocket: bool,
    /// Where it may be held up, and until when after the request.
    pauses: Vec<(usize, Duration)>,
}

/// One Chat Completions chunk as an SSE event of `size` bytes, its blank line included. The text is `word`; the rest is
/// padding in a field that such servers send too.
pub fn event(word: &str, size: usize) -> String {
    let head = "data: {\"id\":\"chatcmpl-0123456789\",\"object\":\"chat.completion.chunk\",\"created\":1780000000,\"model\":\"lab/steady\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"";
    let tail = "\"},\"finish_reason\":null}],\"obfuscation\":\"";
    let end = "\"}\n\n";
    let padding = size.saturating_sub(head.len() + word.len() + tail.len() + end.len());
    format!("{head}{word}{tail}{}{end}", "x".repeat(padding))
}

/// One Responses text delta as a WebSocket message of `size` bytes.
pub fn message(word: &str, number: usize, size: usize) -> String {
    let head = format!(
        "{{\"type\":\"response.output_text.delta\",\"sequence_number\":{number},\"item_id\":\"msg_01\",\"output_index\":0,\"content_index\":0,\"delta\":\"{word}\",\"obfuscation\":\""
    );
    let padding = size.saturating_sub(head.len() + 2);
    format!("{head}{}\"}}", "x".repeat(padding))
}

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
const DONE: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

fn chunk(into: &mut Vec<u8>, data: &[u8]) {
    // Writing to memory does not fail.
    let _ = write!(into, "{:x}\r\n", data.len());
    into.extend_from_slice(data);
    into.extend_from_slice(b"\r\n");
}

/// `count` events of `size` bytes, then the end marker.
pub fn events(count: usize, size: usize, chunks: Chunks) -> Rendered {
    let mut bytes = HEAD.as_bytes().to_vec();
    bytes.reserve(count * (size + 8));
    let (words, mut gathered) = ([" the", " quick", " brown", " fox"], Vec::new());
    for number in 0..count {
        gathered.extend_from_slice(event(words[number % 4], size).as_bytes());
        if chunks == Chunks::Event || gathered.len() >= 1 << 20 {
            chunk(&mut bytes, &gathered);
            gathered.clear();
        }
    }
    gathered.extend_from_slice(DONE.as_bytes());
    chunk(&mut bytes, &gathered);
    bytes.extend_from_slice(b"0\r\n\r\n");
    Rendered { bytes, websocket: false, pauses: Vec::new() }
}

/// `count` events of `size` bytes, one every `gap`.
pub fn paced(count: usize, size: usize, gap: Duration) -> Rendered {
    let mut bytes = HEAD.as_bytes().to_vec();
    let mut pauses = Vec::new();
    for number in 0..count {
        pauses.push((bytes.len(), gap * number as u32));
        chunk(&mut bytes, event(" the", size).as_bytes());
    }
    chunk(&mut bytes, DONE.as_bytes());
    bytes.extend_from_slice(b"0\r\n\r\n");
    Rendered { bytes, websocket: false, pauses }
}

/// `count` events of `size` bytes, `burst` of them every `gap`.
pub fn bursts(count: usize, size: usize, burst: usize, gap: Duration) -> Rendered {
    let mut bytes = HEAD.as_bytes().to_vec();
    bytes.reserve(count * (size + 8));
    let (words, mut pauses) = ([" the", " quick", " brown", " fox"], Vec::new());
    for number in 0..count {
        if number % burst == 0 {
            pauses.push((bytes.len(), gap * (number / burst) as u32));
        }
        chunk(&mut bytes, event(words[number % 4], size).as_bytes());
    }
    chunk(&mut bytes, DONE.as_bytes());
    bytes.extend_from_slice(b"0\r\n\r\n");
    Rendered { bytes, websocket: false, pauses }
}

/// `count` WebSocket text messages of `size` bytes, then the end of the response and a close frame.
pub fn messages(count: usize, size: usize) -> Rendered {
    let mut bytes = Vec::with_capacity(count * (size + 4));
    let words = [" the", " quick", " brown", " fox"];
    for number in 0..count {
        frame(&mut bytes, 0x81, message(words[number % 4], number, size).as_bytes());
    }
    frame(&mut bytes, 0x81, b"{\"type\":\"response.completed\",\"response\":{\"id\":\"resp_01\",\"status\":\"completed\",\"output\":[]}}");
    frame(&mut bytes, 0x88, &1000u16.to_be_bytes());
    Rendered { bytes, websocket: true, pauses: Vec::new() }
}

/// A server's WebSocket frame (RFC 6455, section 5.2).
pub fn frame(into: &mut Vec<u8>, first: u8, payload: &[u8]) {
    into.push(first);
    match payload.len() {
        len @ 0..=125 => into.push(len as u8),
        len @ 126..=0xffff => {
            into.push(126);
            into.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            into.push(127);
            into.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    into.extend_from_slice(payload);
}

/// A server that answers every request with one rendered reply. It lives as long as the process.
pub struct Server {
    address: SocketAddr,
    reply: Arc<Rendered>,
}

impl Server {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// The system has no port or thread to give.
    pub fn start(reply: Rendered) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let (address, reply) = (listener.local_addr()?, Arc::new(reply));
        let answer = reply.clone();
        thread::Builder::new().name("flood".into()).spawn(move || {
            for stream in listener.incoming().flatten() {
                let reply = answer.clone();
                // A client that leaves is its own matter.
                thread::spawn(move || drop(serve(stream, &reply)));
            }
        })?;
        Ok(Self { address, reply })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Bytes of the reply.
    pub fn bytes(&self) -> usize {
        self.reply.bytes.len()
    }

    /// Its URL for SSE, or for WebSocket where the reply is one.
    pub fn url(&self) -> String {
        if self.reply.websocket {
            format!("ws://{}/v1/responses", self.address)
        } else {
            format!("http://{}/v1/chat/completions", self.address)
        }
    }
}

fn serve(mut stream: TcpStream, reply: &Rendered) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let request = request(&mut stream)?;
    if reply.websocket {
        let key = field(&request, "sec-websocket-key").unwrap_or_default();
        let accept = weir_frames::ws::accept_key(key.as_bytes());
        write!(
            stream,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        )?;
        // One message asks for the reply.
        stream.read_exact(&mut [0; 2])?;
    }
    let (start, mut written) = (Instant::now(), 0);
    for &(until, after) in &reply.pauses {
        stream.write_all(&reply.bytes[written..until])?;
        written = until;
        thread::sleep(after.saturating_sub(start.elapsed()));
    }
    for piece in reply.bytes[written..].chunks(1 << 20) {
        stream.write_all(piece)?;
    }
    // Closing over unread bytes would reset the connection and lose what is still under way.
    stream.shutdown(std::net::Shutdown::Write)?;
    io::copy(&mut stream, &mut io::sink()).map(drop)
}

/// Reads a request with its body; gives its head.
///
/// # Errors
/// The connection's.
pub fn request(stream: &mut impl Read) -> io::Result<String> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 16 << 10]);
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end + 4]).into_owned();
            let length = field(&head, "content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                return Ok(head);
            }
        }
        match stream.read(&mut piece)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => bytes.extend_from_slice(&piece[..count]),
        }
    }
}

/// A field's value in a head.
pub fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}
