//! The wire: dial, tap, HTTP/1.1 and HTTP/2 over hyper's connection API, WebSocket over tokio-tungstenite, cancel and time limits.
//!
//! Nothing here interprets what it carries. Every byte read from or written to a connection goes to a journal before anybody
//! else sees it; secrets are replaced there by as many other bytes, so that offsets stay true.
//!
//! A connection's entries begin with [`Mark::Open`] and end with exactly one of [`Mark::Closed`], [`Mark::Cancelled`] and
//! [`Mark::Failed`]; over TLS a [`Mark::TlsOverhead`] comes right before that.

// An error is made once for a connection and read by a person: its size does not matter.
#![allow(clippy::result_large_err)]

pub mod dial;
pub mod http;
pub mod journal;
pub mod plan;
pub mod reconnect;
pub mod redact;
pub mod tap;
pub mod ws;

mod control;
mod endpoint;
mod error;
mod progress;
mod request;

pub use control::Control;
pub use dial::{Connection, dial};
pub use error::{Blame, Error};
pub use journal::{Clock, Dir, Entry, Journal, JournalReader, Mark, Phase, channel};
pub use plan::{Header, HttpVersion, Limits, Proxy, Request, Target, Value};

/// The User-Agent of requests that bring none.
pub const USER_AGENT: &str = concat!("weir/", env!("CARGO_PKG_VERSION"));

#[cfg(test)]
mod tests;
