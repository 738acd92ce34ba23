//! Keeps secrets out of the log, never off the wire.
//!
//! Every occurrence of a secret, in every spelling a request or an echo of it may use (`patterns`), is replaced by as many
//! other bytes, so that offsets stay true. The search follows the protocol (`layout`): a secret that is cut by a chunk line,
//! an HTTP/2 frame header or a WebSocket fragment is one secret to whoever reads the body, so it is one here; a masked
//! WebSocket payload is searched unmasked. What may be the beginning of a secret is held back from the log, not from the peer,
//! until the bytes after it decide; it is then logged with its own time.
//!
//! A message that came under permessage-deflate is held back whole and searched inflated ([`deflated`]). One that holds a secret is
//! logged as another of the same length that says stars there; where that cannot be, as one that says nothing but stars; and one that
//! cannot be inflated as dots. Weir itself sends messages that hold a secret uncompressed.
//!
//! Not found: secrets inside a compressed body (Weir asks for those only where its user does), and secrets that a model spells out over
//! several events.

mod deflated;
mod huffman;
mod layout;
mod patterns;

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use deflated::Deflated;
pub use layout::Protocol;
use layout::{Lane, Layout, Run};
pub use patterns::Patterns;
#[cfg(test)]
pub(crate) use patterns::contains;
pub(crate) use patterns::percent_encode;
use patterns::{Set, Sets};

use crate::Dir;

/// A header block that grows beyond this is searched in parts of this size.
const MAX_BLOCK: usize = 1 << 20;

/// The redaction of one direction of one connection.
pub struct Redactor {
    patterns: Arc<Patterns>,
    layout: Layout,
    /// What is not logged yet, in wire order; the front begins at offset `end - held bytes`.
    held: VecDeque<Piece>,
    /// Bytes seen so far.
    end: u64,
    payload: Tail,
    line: Tail,
    block: Tail,
    deflated: Deflated,
}

/// A read or write, or what is left of it.
struct Piece {
    t: u64,
    start: u64,
    bytes: Bytes,
}

/// The undecided end of a lane: as it was on the wire, unmasked.
#[derive(Default)]
struct Tail {
    bytes: Vec<u8>,
    /// Where on the wire each byte is, and what it is masked with there.
    at: Vec<(u64, u8)>,
}

impl Tail {
    fn clear(&mut self) {
        self.bytes.clear();
        self.at.clear();
    }
}

impl Redactor {
    /// For the bytes of a connection that speaks `protocol`, in direction `dir`.
    pub fn new(patterns: Arc<Patterns>, protocol: Protocol, dir: Dir) -> Self {
        Self {
            patterns,
            layout: Layout::new(protocol, dir),
            held: VecDeque::new(),
            end: 0,
            payload: Tail::default(),
            line: Tail::default(),
            block: Tail::default(),
            deflated: Deflated::default(),
        }
    }

    /// Takes the next read or write and hands what is decided to `log`, each piece with the time it came with.
    pub fn push(&mut self, t: u64, bytes: Bytes, log: &mut impl FnMut(u64, Bytes)) {
        let start = self.end;
        self.end += bytes.len() as u64;
        self.held.push_back(Piece { t, start, bytes: bytes.clone() });
        let Self { patterns, layout, held, payload, line, block, deflated, .. } = self;
        let sets = &*patterns.sets();
        let mut unmasked = Vec::new();
        layout.runs(&bytes, |run| match run {
            Run::Bytes { lane: Lane::Skip, .. } => {}
            Run::Agreed(extensions) => deflated.agree(&extensions),
            Run::Bytes { lane: Lane::Deflated, range, mask } if deflated.reads() => {
                deflated.push(start + range.start as u64, &bytes[range], mask, held);
            }
            Run::Broken => deflated.end(sets, false, held),
            Run::End(Lane::Deflated) => {
                deflated.end(sets, true, held);
                payload.clear();
            }
            Run::Bytes { lane: Lane::Block, range, .. } => {
                block.at.extend(range.clone().map(|i| (start + i as u64, 0)));
                block.bytes.extend_from_slice(&bytes[range]);
                if block.bytes.len() > MAX_BLOCK {
                    redact_block(sets, block, held);
                }
            }
            Run::Bytes { lane, range, mask } => {
                let (tail, set) =
                    if matches!(lane, Lane::Payload | Lane::Deflated) { (&mut *payload, &sets.payload) } else { (&mut *line, &sets.line) };
                let at = start + range.start as u64;
                match mask {
                    None => scan(set, tail, &bytes[range], at, |_| 0, held),
                    Some((key, phase)) => {
                        let mask = |i: usize| key[(phase + i) % 4];
                        unmasked.clear();
                        unmasked.extend(bytes[range].iter().enumerate().map(|(i, byte)| byte ^ mask(i)));
                        scan(set, tail, &unmasked, at, mask, held);
                    }
                }
            }
            Run::End(Lane::Payload) => payload.clear(),
            Run::End(Lane::Line) => line.clear(),
            Run::End(Lane::Block) => redact_block(sets, block, held),
            Run::End(Lane::Skip) => {}
        });
        self.release(log);
    }

    /// Nothing follows: what was held back is no secret.
    pub fn flush(&mut self, log: &mut impl FnMut(u64, Bytes)) {
        let sets = self.patterns.sets();
        redact_block(&sets, &mut self.block, &mut self.held);
        self.deflated.end(&sets, false, &mut self.held);
        self.payload.clear();
        self.line.clear();
        self.release(log);
    }

    /// Logs everything before the first undecided byte.
    fn release(&mut self, log: &mut impl FnMut(u64, Bytes)) {
        let undecided = [&self.payload, &self.line, &self.block].into_iter().filter_map(|tail| tail.at.first()).map(|&(at, _)| at);
        let undecided = undecided.chain(self.deflated.since()).min();
        let until = undecided.unwrap_or(self.end);
        while let Some(piece) = self.held.front_mut() {
            let decided = until.saturating_sub(piece.start).min(piece.bytes.len() as u64) as usize;
            if decided < piece.bytes.len() {
                if decided > 0 {
                    let bytes = piece.bytes.split_to(decided);
                    piece.start += decided as u64;
                    log(piece.t, bytes);
                }
                return;
            }
            if let Some(piece) = self.held.pop_front() {
                log(piece.t, piece.bytes);
            }
        }
    }
}

/// Searches `run`, which continues `tail`, replaces what it finds and leaves the undecided end in `tail`.
///
/// Every byte that any occurrence covers is replaced, overlapping ones too: so the result is the same however the input is cut.
fn scan(set: &Set, tail: &mut Tail, run: &[u8], start: u64, mask: impl Fn(usize) -> u8, held: &mut VecDeque<Piece>) {
    let before = tail.bytes.len();
    let joined: Vec<u8>;
    let window = if before == 0 {
        run
    } else {
        joined = [&tail.bytes, run].concat();
        &joined
    };
    let place = |i: usize, tail: &Tail| if i < before { tail.at[i] } else { (start + (i - before) as u64, mask(i - before)) };
    set.find(window, |secret: Range<usize>| {
        for i in secret {
            let (at, mask) = place(i, tail);
            replace(held, at, patterns::STAR ^ mask);
        }
    });
    let undecided = window.len() - set.undecided(window)..window.len();
    let at = undecided.clone().map(|i| place(i, tail)).collect();
    *tail = Tail { bytes: window[undecided].to_vec(), at };
}

/// Searches a whole HPACK block (RFC 7541), where strings may be Huffman-coded, and forgets it.
fn redact_block(sets: &Sets, block: &mut Tail, held: &mut VecDeque<Piece>) {
    if block.bytes.is_empty() {
        return;
    }
    let before = block.bytes.clone();
    sets.redact_block(&mut block.bytes);
    for (i, (&old, &new)) in before.iter().zip(&block.bytes).enumerate() {
        if old != new {
            replace(held, block.at[i].0, new);
        }
    }
    block.clear();
}

/// Replaces the held bytes from wire offset `at` on.
fn overwrite(held: &mut VecDeque<Piece>, at: u64, new: &[u8]) {
    let end = at + new.len() as u64;
    let from = held.partition_point(|piece| piece.start + piece.bytes.len() as u64 <= at);
    for piece in held.range_mut(from..).take_while(|piece| piece.start < end) {
        let (first, last) = (at.max(piece.start), end.min(piece.start + piece.bytes.len() as u64));
        let mut bytes = piece.bytes.split_off(0).try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
        bytes[(first - piece.start) as usize..(last - piece.start) as usize]
            .copy_from_slice(&new[(first - at) as usize..(last - at) as usize]);
        piece.bytes = bytes.freeze();
    }
}

/// Replaces the held byte at wire offset `at`.
fn replace(held: &mut VecDeque<Piece>, at: u64, byte: u8) {
    let Some(piece) = held.iter_mut().rev().find(|piece| piece.start <= at) else { return };
    let i = (at - piece.start) as usize;
    if piece.bytes.get(i).is_some_and(|&old| old != byte) {
        // The tap still owns the same memory: the peer's bytes must stay as they are, so the log's copy parts from it here.
        let mut bytes = piece.bytes.split_off(0).try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
        bytes[i] = byte;
        piece.bytes = bytes.freeze();
    }
}

#[cfg(test)]
mod tests;
