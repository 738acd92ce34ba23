//! The timed byte log on its way from the taps to whoever records and analyses it.

use std::net::SocketAddr;

use bytes::Bytes;

use crate::Error;

mod channel;

pub use channel::{Clock, Journal, JournalReader, channel, channel_on};

/// Direction of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dir {
    /// Received.
    In,
    /// Sent.
    Out,
}

/// A step of setting up a connection.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The name was resolved.
    Dns {
        /// What it resolved to, in the order tried.
        addresses: Vec<SocketAddr>,
    },
    /// TCP is up.
    Tcp {
        /// The peer.
        peer: SocketAddr,
        /// A proxy stands between.
        proxied: bool,
    },
    /// TLS is up.
    Tls {
        /// `TLSv1.3`, `TLSv1.2`
        version: String,
        /// Cipher suite by its IANA name.
        cipher: String,
        /// Agreed ALPN protocol, or "".
        alpn: String,
        /// Certificates were not checked.
        insecure: bool,
    },
}

/// Something that happened on a connection besides bytes.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// The dial began: `host:port` and the URL's scheme.
    Open {
        /// URL without secrets.
        url: String,
    },
    /// A phase of the dial ended now; it began when the one before it ended.
    Phase(Phase),
    /// The request's last byte was written.
    Sent,
    /// What was asked so far was to warm the connection up: the request that counts begins now.
    Again,
    /// The peer ended its direction (FIN, or a TLS close).
    Eof,
    /// Weir closed the connection on the user's wish.
    Cancelled,
    /// Weir closed the connection because the exchange was over.
    Closed,
    /// The connection failed.
    Failed(Error),
    /// Bytes that TLS itself cost so far, handshake and records, without the bytes it carried.
    TlsOverhead {
        /// Received.
        down: u64,
        /// Sent.
        up: u64,
    },
    /// A stream that is asked for again ([`crate::reconnect`]) waits before its next attempt. It stands behind the end of the
    /// connection it names.
    Waiting {
        /// Milliseconds until the next attempt.
        ms: u64,
        /// What the next request will carry as `Last-Event-ID`, "" for none.
        last_event_id: String,
    },
    /// Such a stream is over for good: nothing stands behind this.
    Over(crate::reconnect::End),
}

/// One entry of the log, in the order things happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// One read or write of the socket (above TLS).
    Segment {
        /// Connection number, from 0.
        conn: u32,
        /// Direction.
        dir: Dir,
        /// Nanoseconds since the session began.
        t: u64,
        /// The bytes, secrets replaced.
        bytes: Bytes,
    },
    /// An event.
    Mark {
        /// Connection number, from 0.
        conn: u32,
        /// Nanoseconds since the session began.
        t: u64,
        /// What happened.
        mark: Mark,
    },
}
