//! The opening handshake (RFC 6455, section 4.1).

use std::time::Duration;

use ::http::header::{
    CONNECTION, HOST, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use weir_frames::ws::deflate::{Agreement, Offer};

use super::Io;
use crate::endpoint::Endpoint;
use crate::progress::Progress;
use crate::request::{self, Field};
use crate::tap::{End, Tap};
use crate::{Blame, Error, Header, Target, Value};

/// What a server agreed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// The subprotocol it chose, if any.
    pub subprotocol: Option<String>,
    /// The response's fields, in order, as they came.
    pub headers: Vec<(String, String)>,
    /// What was agreed on permessage-deflate, if it was offered and taken.
    pub deflate: Option<Agreement>,
}

/// An answer's head may be this long.
const MAX_HEAD: usize = 256 << 10;
/// Of a refusal's body, this much is read, within [`REFUSAL`].
const MAX_REFUSAL: usize = 64 << 10;
const REFUSAL: Duration = Duration::from_secs(1);
/// Of it, this much is shown as evidence.
const SHOWN: usize = 2000;

/// A handshake that is ready to be sent.
pub(super) struct Handshake {
    request: Vec<u8>,
    key: String,
    offered: Vec<String>,
    deflate: Option<Offer>,
}

/// Writes the request.
pub(super) fn compose(
    target: &Target,
    endpoint: &Endpoint,
    headers: &[Header],
    subprotocols: &[Value],
    deflate: Option<&Offer>,
) -> Result<Handshake, Error> {
    if !endpoint.websocket {
        return Err(Error::new(Blame::User, "unsupported-scheme", "A WebSocket needs a ws or wss URL.")
            .evidence(target.url.clone())
            .next("Write ws:// for http:// and wss:// for https://."));
    }
    let own =
        |field: &&Field| [CONNECTION, UPGRADE, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, SEC_WEBSOCKET_EXTENSIONS].contains(&field.name);
    let fields = request::fields(target, endpoint, headers)?;
    if let Some(field) = fields.iter().find(own) {
        return Err(Error::new(Blame::User, "bad-header", format!("{} belongs to the handshake.", field.given))
            .evidence("It is set by the protocol.")
            .next("Take it out of the headers."));
    }
    let key = generate_key();
    let mut lines: Vec<Vec<u8>> = vec![format!("GET {} HTTP/1.1", endpoint.path_and_query(target)?).into_bytes()];
    let line = |field: &Field| [field.given.as_bytes(), b": ", field.value.as_bytes()].concat();
    lines.extend(fields.iter().filter(|field| field.name == HOST).map(line));
    lines.push(b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13".to_vec());
    lines.push(format!("Sec-WebSocket-Key: {key}").into_bytes());
    lines.extend(deflate.map(|offer| format!("Sec-WebSocket-Extensions: {offer}").into_bytes()));
    let mut offered = Vec::new();
    if !subprotocols.is_empty() {
        let fields =
            subprotocols.iter().map(|value| request::field(target, "Sec-WebSocket-Protocol", value)).collect::<Result<Vec<_>, _>>()?;
        let names: Vec<&[u8]> = fields.iter().map(|field| field.value.as_bytes()).collect();
        for (at, (name, value)) in names.iter().zip(subprotocols).enumerate() {
            token(at + 1, name, matches!(value, Value::Keyed(_)))?;
        }
        lines.push([&b"Sec-WebSocket-Protocol: "[..], &names.join(&b", "[..])].concat());
        offered.extend(names.iter().map(|name| String::from_utf8_lossy(name).into_owned()));
    }
    lines.extend(fields.iter().filter(|field| field.name != HOST).map(line));
    for field in fields.iter().filter(|field| field.name == SEC_WEBSOCKET_PROTOCOL) {
        offered.extend(String::from_utf8_lossy(field.value.as_bytes()).split(',').map(|name| name.trim().to_owned()));
    }
    let request = [&lines.join(&b"\r\n"[..])[..], b"\r\n\r\n"].concat();
    Ok(Handshake { request, key, offered, deflate: deflate.copied() })
}

/// A subprotocol is a token (RFC 6455, section 4.1; RFC 9110, section 5.6.2). Many keys are none, so a browser could not send them here
/// either. `keyed`: it holds the key, of which nothing is shown.
fn token(number: usize, name: &[u8], keyed: bool) -> Result<(), Error> {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let evidence = match name.iter().position(|byte| !allowed(byte)) {
        None if !name.is_empty() => return Ok(()),
        None => "It is empty.".to_owned(),
        Some(at) => format!("Its character {} of {} is no letter, no digit and none of !#$%&'*+-.^_`|~", at + 1, name.len()),
    };
    let (message, next) = if keyed {
        (
            format!("The key makes no subprotocol: number {number} of those that are offered is no token with it."),
            "Send the key in a header or in the query; unlike a browser, Weir can.",
        )
    } else {
        (format!("Number {number} of the subprotocols that are offered is no token."), "Correct it or take it out.")
    };
    Err(Error::new(Blame::User, "bad-subprotocol", message).evidence(evidence).next(next))
}

struct Head {
    status: u16,
    headers: Vec<(String, String)>,
    length: usize,
}

impl Handshake {
    /// Sends the request and reads the answer; with it, the bytes that came after its head.
    pub(super) async fn run(self, tap: &mut Tap<Io>, progress: &Progress) -> Result<(Accepted, Vec<u8>), Error> {
        let failed = |error: std::io::Error| Error::io(&error, "the WebSocket was being opened");
        tap.watch(End::After(self.request.len()));
        tap.write_all(&self.request).await.map_err(failed)?;
        tap.flush().await.map_err(failed)?;
        let mut answer = Vec::new();
        loop {
            match parse(&answer)? {
                Some(head) if head.status == 101 => {
                    let rest = answer.split_off(head.length);
                    return self.accept(head).map(|accepted| (accepted, rest));
                }
                // An interim response: the final one follows (RFC 9110, section 15.2).
                Some(head) if head.status < 200 => drop(answer.drain(..head.length)),
                Some(head) => return Err(refused(head, answer, tap).await),
                None if answer.len() > MAX_HEAD => {
                    return Err(violated("The response's head is endless.", format!("{} bytes without an end", answer.len())));
                }
                None => {
                    if tap.read_buf(&mut answer).await.map_err(failed)? == 0 {
                        return Err(if progress.read.load(std::sync::atomic::Ordering::Relaxed) == 0 {
                            Error::new(Blame::Peer, "empty-reply", "The server closed the connection without a word.")
                        } else {
                            Error::new(Blame::Network, "cut", "The connection ended inside the handshake.")
                        }
                        .evidence(String::from_utf8_lossy(&answer[..answer.len().min(SHOWN)]))
                        .next("Check that the port speaks HTTP, and whether it wants wss."));
                    }
                }
            }
        }
    }

    /// Checks a 101 response.
    fn accept(&self, head: Head) -> Result<Accepted, Error> {
        let values = |name: &'static str| {
            head.headers.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
        };
        let has = |name: &'static str, token: &str| {
            values(name).flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(token))
        };
        let seen = |name: &'static str| values(name).collect::<Vec<_>>().join(", ");
        if !has("Upgrade", "websocket") {
            return Err(violated("The response does not upgrade to WebSocket.", format!("Upgrade: {}", seen("Upgrade"))));
        }
        if !has("Connection", "upgrade") {
            return Err(violated("The response does not upgrade the connection.", format!("Connection: {}", seen("Connection"))));
        }
        let expected = derive_accept_key(self.key.as_bytes());
        if values("Sec-WebSocket-Accept").map(str::trim).ne([expected.as_str()]) {
            return Err(violated(
                "The response's accept key is wrong: the server has not read this handshake.",
                format!("Sec-WebSocket-Accept: {}, expected {expected}", seen("Sec-WebSocket-Accept")),
            ));
        }
        let extensions = seen("Sec-WebSocket-Extensions");
        let deflate = match &self.deflate {
            Some(offer) => offer.read(&extensions).map_err(|why| {
                violated("The response's extensions do not fit what was offered.", format!("Sec-WebSocket-Extensions: {extensions}: {why}"))
            })?,
            None if values("Sec-WebSocket-Extensions").next().is_some() => {
                return Err(violated(
                    "The response uses an extension that was not offered.",
                    format!("Sec-WebSocket-Extensions: {extensions}"),
                ));
            }
            None => None,
        };
        // A server that was offered subprotocols and names none has chosen none: that is its right.
        let subprotocol = values("Sec-WebSocket-Protocol").next().map(|name| name.trim().to_owned());
        if let Some(name) = &subprotocol
            && !self.offered.contains(name)
        {
            return Err(violated("The response chooses a subprotocol that was not offered.", format!("Sec-WebSocket-Protocol: {name}")));
        }
        Ok(Accepted { subprotocol, headers: head.headers, deflate })
    }
}

fn violated(message: &str, evidence: String) -> Error {
    Error::new(Blame::Peer, "ws-protocol", message)
        .evidence(evidence)
        .next("Check that the URL is the WebSocket endpoint; a proxy in between may have answered.")
}

fn parse(answer: &[u8]) -> Result<Option<Head>, Error> {
    let mut headers = [httparse::EMPTY_HEADER; 256];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(answer) {
        Ok(httparse::Status::Partial) => Ok(None),
        Ok(httparse::Status::Complete(length)) => Ok(Some(Head {
            status: response.code.unwrap_or_default(),
            headers: response
                .headers
                .iter()
                .map(|header| (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned()))
                .collect(),
            length,
        })),
        Err(error) => Err(violated(
            "What answered does not speak HTTP.",
            format!("{error}: {}", String::from_utf8_lossy(&answer[..answer.len().min(200)])),
        )),
    }
}

/// The server said no. Its body usually tells why: it is read, as far as it comes, into the journal and the evidence.
async fn refused(head: Head, mut answer: Vec<u8>, tap: &mut Tap<Io>) -> Error {
    let value = |name: &str| head.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str());
    let length = value("Content-Length").and_then(|text| text.trim().parse::<usize>().ok());
    let chunked = value("Transfer-Encoding").is_some_and(|coding| coding.to_ascii_lowercase().contains("chunked"));
    let complete = |answer: &[u8]| match length {
        Some(length) => answer.len() - head.length >= length,
        None => matches!(head.status, 204 | 304) || chunked && answer.ends_with(b"0\r\n\r\n"),
    };
    let read = async {
        while !complete(&answer) && answer.len() < head.length + MAX_REFUSAL && matches!(tap.read_buf(&mut answer).await, Ok(1..)) {}
    };
    // What has come by then is what there is to show.
    let _ = timeout(REFUSAL, read).await;
    let shown = String::from_utf8_lossy(&answer[..answer.len().min(head.length + SHOWN)]).into_owned();
    let error = Error::new(Blame::Peer, "ws-refused", format!("The server refused the WebSocket with status {}.", head.status));
    let next = match (head.status, value("Location")) {
        (300..=399, Some(location)) => format!("It points to {location}; use that address if you trust it."),
        (401 | 403, _) => "Check the key and what it is allowed to do.".to_owned(),
        (404 | 405, _) => "Check the path: this one is no WebSocket endpoint.".to_owned(),
        (426, _) => "Look at the Upgrade and Sec-WebSocket-Version fields for what the server wants.".to_owned(),
        (429, _) => "Wait as long as the response says.".to_owned(),
        (500.., _) => "Try again later; the server is in trouble.".to_owned(),
        _ => "The response's body says why.".to_owned(),
    };
    error.evidence(shown).next(next)
}

impl Accepted {
    /// The value of `Sec-WebSocket-Extensions`, "" where there is none: what the dissector of either direction wants to know.
    pub fn extensions(&self) -> String {
        let values = self.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("Sec-WebSocket-Extensions"));
        values.map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(", ")
    }
}
