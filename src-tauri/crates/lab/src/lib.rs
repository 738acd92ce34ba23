//! The Lab: a loopback server that speaks model APIs with no account and no network. It exists so that everything Weir does can
//! be tried, tested and measured against a peer whose every byte is known: replies are made from a seed, leave at set moments,
//! and go wrong only where they were asked to.
//!
//! A request goes through: the [`endpoints()`] table → a dialect reads it into an ask → a [`Script`] of what to say is composed →
//! the player renders it at the [`Pace`]'s moments and does what the faults ask → a response body or a WebSocket.

mod ask;
mod child;
mod connections;
mod conversations;
mod dialects;
mod endpoints;
mod fault;
mod framing;
mod keys;
mod meant;
mod models;
mod overrides;
mod pace;
mod pieces;
mod play;
mod rejection;
mod reply;
mod rng;
mod schema;
mod script;
mod server;
mod settings;
pub mod sigv4;
mod tone;

pub use child::serve_until_input_ends;
pub use connections::{ROWS, Row, Side, Snapshot, State, Transport};
pub use endpoints::{Endpoint, endpoints};
pub use fault::{FaultError, Parameter, Recipe, Switch, catalogue, switches};
pub use http::{HeaderMap, HeaderName, HeaderValue};
pub use keys::WRONG_KEY;
pub use pace::{Pace, Shape};
pub use pieces::Pieces;
pub use rejection::{Reason, Rejection};
pub use script::{Finish, Script, ToolCall, Usage};
pub use server::{CertificateError, Error, Lab, Sent, Stamps, Written};
pub use settings::{DEFAULT_PORT, LabConfig, MAX_REPLY_TOKENS, Reply, Settings};
