//! What to connect to and what to send.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use weir_secrets::Secret;

/// Which HTTP version to speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HttpVersion {
    /// HTTP/1.1.
    Http11,
    /// HTTP/2: by ALPN over TLS, with prior knowledge over plain TCP.
    Http2,
    /// What ALPN agrees on over TLS (h2 offered first), HTTP/1.1 over plain TCP.
    #[default]
    Auto,
}

/// Through what to connect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Proxy {
    /// `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` (either case), as curl reads them. Loopback is always direct.
    #[default]
    System,
    /// None.
    Direct,
    /// An `http://` proxy's URL (CONNECT for https and WebSocket, absolute-form for plain http).
    Url(String),
}

/// Where to connect and on what terms.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// `http`, `https`, `ws` or `wss` URL with path and query. A secret in the query is written `{key}`, see [`Target::key`].
    pub url: String,
    /// HTTP version (WebSocket: always 1.1).
    pub http: HttpVersion,
    /// Accept any certificate. Shown wherever the connection is shown.
    pub insecure: bool,
    /// PEM files with roots to trust besides the platform's.
    pub roots: Vec<PathBuf>,
    /// Proxy choice.
    pub proxy: Proxy,
    /// Time limits.
    pub limits: Limits,
    /// The secret that replaces `{key}` in the URL's query and in header values; redacted from everything that is logged.
    pub key: Option<Secret>,
    /// Further secrets that are redacted from everything that is logged, such as a session token that a signed request carries.
    pub hidden: Vec<Secret>,
    /// More of them may turn up while the socket is open: [`crate::ws::Sender::hide`].
    pub hides_later: bool,
}

/// Time limits; `None` waits for ever.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// DNS, TCP and TLS together.
    pub connect: Option<Duration>,
    /// From the request's last byte to the response's first.
    pub first_byte: Option<Duration>,
    /// Between two reads.
    pub idle: Option<Duration>,
    /// The whole exchange.
    pub total: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Some(Duration::from_secs(10)),
            first_byte: Some(Duration::from_secs(300)),
            idle: Some(Duration::from_secs(120)),
            total: None,
        }
    }
}

/// A field of the request.
#[derive(Clone, Debug)]
pub struct Header {
    /// Field name.
    pub name: String,
    /// Field value.
    pub value: Value,
}

/// A field's value.
#[derive(Clone, Debug)]
pub enum Value {
    /// Sent as it stands.
    Plain(String),
    /// `{key}` stands for [`Target::key`], `{key:base64}` for it in Base64 (Basic authentication); sent as sensitive (never indexed under HPACK).
    Keyed(String),
}

/// One HTTP request.
#[derive(Clone, Debug)]
pub struct Request {
    /// Method token.
    pub method: String,
    /// Fields besides Host, Content-Length and what the protocol sets itself.
    pub headers: Vec<Header>,
    /// Body; empty for none.
    pub body: Bytes,
}
