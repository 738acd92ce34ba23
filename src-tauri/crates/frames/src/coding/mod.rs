//! Content codings (RFC 9110 §8.4.1): gzip, deflate, br and zstd, decoded as they arrive, with a map back to the coded bytes.
//!
//! Compression has no border that a byte could be traced to, so the map is by block: the coded stream is looked at in units of
//! [`UNIT`] bytes, and what a unit lets the decoder say is mapped to that unit. Every decoder here says all that the bytes so far
//! determine, so neither the map nor what is told depends on how the input was cut; only the pieces of [`Item::Data`] do.

mod gzip;
mod machine;
mod map;
#[cfg(test)]
mod tests;

pub use map::Map;

use self::machine::{Fault, Fed, Machine};
use crate::Span;

/// Coded bytes that share one run of the map.
pub const UNIT: u64 = 64;

/// A content coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// RFC 1952, also by its old name `x-gzip`.
    Gzip,
    /// RFC 1950; streams without that wrapper (RFC 1951) are read as well, as many servers send them.
    Deflate,
    /// RFC 7932.
    Brotli,
    /// RFC 8878, with a window of at most 8 MiB (RFC 9659).
    Zstd,
}

impl Coding {
    /// The codings of a `Content-Encoding` value in the order they were applied, `identity` left out.
    ///
    /// # Errors
    /// The first name that is none of those that are read here.
    pub fn list(value: &str) -> Result<Vec<Self>, String> {
        let names = value.split(',').map(str::trim).filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity"));
        names
            .map(|name| match name.to_ascii_lowercase().as_str() {
                "gzip" | "x-gzip" => Ok(Self::Gzip),
                "deflate" => Ok(Self::Deflate),
                "br" => Ok(Self::Brotli),
                "zstd" => Ok(Self::Zstd),
                _ => Err(name.to_owned()),
            })
            .collect()
    }

    /// Its registered name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }
}

/// How far a coded stream may unfold. Memory is bounded anyway; this bounds the time that few bytes can take.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// So many decoded bytes are always fine.
    pub floor: u64,
    /// Beyond the floor, at most so many times the coded bytes. (DEFLATE reaches 1032 at most; the others know no end.)
    pub ratio: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { floor: 64 << 20, ratio: 2000 }
    }
}

/// What is found in a coded stream.
#[derive(Clone, Debug, PartialEq)]
pub enum Item<'a> {
    /// Decoded bytes: never empty, never gathered.
    Data {
        /// Where they stand in the decoded stream.
        inner: Span,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// A gzip member, a zstd frame, or the only stream of the other codings is complete. More may follow.
    End {
        /// All of it.
        span: Span,
    },
    /// The stream cannot be decoded any further.
    Error {
        /// Short stable code, e.g. `gzip-crc`.
        code: &'static str,
        /// Which rule, with its section.
        message: String,
        /// In the coded stream: where it stands, or the unit in which it was found.
        at: u64,
    },
    /// The stream is not to the letter, but can be read.
    Warning {
        /// Short stable code, e.g. `raw-deflate`.
        code: &'static str,
        /// Which rule, with its section.
        message: String,
        /// Where in the coded stream.
        at: u64,
    },
    /// The input ended inside the coding.
    Incomplete {
        /// From the start of what is unfinished to the end of input.
        span: Span,
    },
}

/// The decoder of one coding. Several codings are several decoders, the last one applied first.
pub struct Decoder {
    machine: Machine,
    bounds: Bounds,
    map: Map,
    /// Coded bytes taken.
    outer: u64,
    /// Where the member began.
    start: u64,
    /// An error was told: nothing more is read.
    failed: bool,
}

impl Decoder {
    /// A decoder at the start of a stream.
    pub fn new(coding: Coding) -> Self {
        Self::within(coding, Bounds::default())
    }

    /// As [`Decoder::new`], without a map: whoever decodes a body again has one, and a map grows with the body.
    pub fn unmapped(coding: Coding) -> Self {
        Self { map: Map::without_runs(), ..Self::new(coding) }
    }

    /// As [`Decoder::new`], with bounds of one's own.
    pub fn within(coding: Coding, bounds: Bounds) -> Self {
        Self { machine: Machine::new(coding), bounds, map: Map::default(), outer: 0, start: 0, failed: false }
    }

    /// Decoded bytes to where they came from.
    pub fn map(&self) -> &Map {
        &self.map
    }

    /// Takes the next coded bytes and tells the sink what they say.
    pub fn push(&mut self, mut bytes: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        while !bytes.is_empty() {
            if self.failed {
                self.outer += bytes.len() as u64;
                return self.map.reach(self.outer);
            }
            let room = UNIT - self.outer % UNIT;
            let (piece, rest) = bytes.split_at(bytes.len().min(room as usize));
            self.unit(piece, sink);
            bytes = rest;
        }
    }

    /// Takes bytes of one unit.
    fn unit(&mut self, mut bytes: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        let unit = self.outer - self.outer % UNIT;
        let most = self.bounds.floor.max(self.bounds.ratio.saturating_mul(unit + UNIT));
        while !bytes.is_empty() && !self.failed {
            let map = &mut self.map;
            let fed = self.machine.feed(bytes, &mut |out| {
                let allowed = most.saturating_sub(map.len()).min(out.len() as u64) as usize;
                if allowed > 0 {
                    let inner = map.grow(allowed as u64);
                    sink(Item::Data { inner, bytes: &out[..allowed] });
                }
                allowed == out.len()
            });
            let taken = match fed {
                Ok(Fed { taken, border }) => {
                    self.outer += taken as u64;
                    self.map.reach(self.outer);
                    if border {
                        self.map.mark();
                    }
                    taken
                }
                Err(fault) => {
                    self.failed = true;
                    self.outer += bytes.len() as u64;
                    self.map.reach(self.outer);
                    let (code, message, at) = match fault {
                        Fault::Rule { code, message, back } => {
                            (code, message, back.map_or(unit, |back| self.outer - bytes.len() as u64 + back))
                        }
                        Fault::Bounds => ("bomb", format!("{} bytes decode to more than {most}", unit + UNIT), unit),
                    };
                    return sink(Item::Error { code, message, at });
                }
            };
            if let Some((code, message)) = self.machine.warning() {
                sink(Item::Warning { code, message, at: self.start });
            }
            if self.machine.take_end() {
                self.map.mark();
                sink(Item::End { span: Span::new(self.start, self.outer) });
                self.start = self.outer;
            }
            bytes = &bytes[taken..];
        }
        if self.outer.is_multiple_of(UNIT) {
            self.map.mark();
        }
    }

    /// Tells what the end of input cut off.
    pub fn finish(&mut self, sink: &mut impl FnMut(Item<'_>)) {
        if !self.failed && self.start < self.outer {
            sink(Item::Incomplete { span: Span::new(self.start, self.outer) });
        }
        self.map.mark();
        self.start = self.outer;
        self.failed = true;
    }
}
