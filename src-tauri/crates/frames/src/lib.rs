//! Dissectors: bytes in, items with byte ranges out.
//!
//! Every dissector is sans-IO. It is fed a stream in pieces of any size through `push`, and tells what it
//! found to a sink. Three promises hold for all of them, and the tests hold them to it:
//!
//! 1. The items do not depend on how the input was cut into pieces.
//! 2. A dissector never fails: what breaks a rule becomes an `Error` item that names the rule, and
//!    dissection goes on wherever the next border is known.
//! 3. Memory grows with the bytes that arrived inside one unfinished unit, never with what a header announces,
//!    and not past [`Limits`].

pub mod array;
pub mod coding;
pub mod eventstream;
pub mod http1;
pub mod http2;
pub mod json;
pub mod layers;
pub mod lens;
pub mod ndjson;
pub mod sse;
pub mod ws;

#[cfg(test)]
mod cuts;
mod span;

pub use span::{Limits, Span};
