//! Changing what a compressed message says without changing how long it is (RFC 7692 §7.2), for logs that must not keep a secret.
//!
//! Two windows are kept: the sender's, which tells what a message says, and the one that a reader of the log has, in which secrets
//! are stars. Positions agree in both, so a message that says nothing secret and refers to nothing secret stays as it came. Any other
//! is compressed anew against the log's window; what is missing to the old length is filled up with empty blocks (RFC 1951 §3.2.4,
//! §3.2.6). Where that does not fit, the message stays as it came if the log's window alone hides the secret, and otherwise becomes as
//! many stars as it had bytes, so that whatever refers to it later still refers to something.

use std::ops::Range;

use flate2::{Compress, Compression, FlushCompress};

use super::inflate::Inflate;
use super::{Agreed, Side};

/// Inflated bytes of a message that are looked at; a longer one is not kept.
const LONGEST: usize = 128 << 20;

/// The empty stored block that ends a flush, without its three header bits; a sender takes it off (RFC 7692 §7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// What stands for each byte of a secret, and for each byte of a message's text that cannot be kept around it.
pub const STAR: u8 = b'*';

/// What may stand for some bytes of a secret instead, for the length's sake.
const SIGNS: &[u8; 12] = b"+:=#~!?^|%@$";

/// What stands for each byte of a compressed payload that is not kept. As the first it says a block of the reserved type 11, so no
/// such payload inflates (RFC 1951 §3.2.3).
pub const BLANK: u8 = b'.';

/// What becomes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rewritten {
    /// It stays as it came.
    Same,
    /// The compressed payload that stands for it, as long as the old one.
    Changed(Vec<u8>),
    /// What it says cannot be told, or cannot be hidden otherwise: none of its bytes may be kept, nor, where the window is taken over,
    /// of any later one's, which could not be read either.
    Unreadable,
}

/// Where secrets stand in a text. Ranges may overlap and come in any order.
pub type Find<'a> = dyn FnMut(&[u8]) -> Vec<Range<usize>> + 'a;

/// Reads the compressed messages of one direction, one after another.
pub struct Rewriter {
    /// As the sender's peer reads them.
    sent: Inflate,
    /// As a reader of the log does; idle until a message was changed whose window is taken over.
    kept: Inflate,
    parted: bool,
    lost: bool,
    takeover: bool,
    bits: u8,
}

impl Rewriter {
    /// For what `side` sends under the agreed value of `Sec-WebSocket-Extensions`; `None` where permessage-deflate is none of it.
    pub fn new(side: Side, extensions: &str) -> Option<Self> {
        let agreed = Agreed::parse(extensions, side);
        let bits = agreed.bits;
        let sent = agreed.inflate?;
        let takeover = sent.takeover();
        // zlib has no window of 2^8 bytes, but refers back by less than that in one of 2^9.
        Some(Self { sent, kept: Inflate::new(takeover), parted: false, lost: false, takeover, bits: bits.max(9) })
    }

    /// The next compressed message, its frames' payloads in one. One that is not `whole` was broken off, and is looked at as far as it
    /// goes.
    pub fn message(&mut self, payload: &[u8], whole: bool, find: &mut Find<'_>) -> Rewritten {
        let rewritten = self.read(payload, whole, find).unwrap_or(Rewritten::Unreadable);
        // What is compressed anew ends its last block; what was broken off did not.
        self.lost |= self.takeover && (rewritten == Rewritten::Unreadable || (rewritten != Rewritten::Same && !whole));
        rewritten
    }

    /// A message came that [`Rewriter::message`] was not given, and that is not kept.
    pub fn lose(&mut self) {
        self.lost |= self.takeover;
    }

    /// `None` for what cannot be told or hidden.
    fn read(&mut self, payload: &[u8], whole: bool, find: &mut Find<'_>) -> Option<Rewritten> {
        if self.lost {
            return None;
        }
        let window = if self.parted { &self.kept } else { &self.sent }.window()?.to_vec();
        let text = inflate(&mut self.sent, payload, whole)?;
        let as_kept = if self.parted { Some(inflate(&mut self.kept, payload, whole)?) } else { None };
        let secrets = find(&text);
        let mut wanted = text;
        for secret in &secrets {
            wanted[secret.clone()].fill(STAR);
        }
        if as_kept.as_ref().map_or(secrets.is_empty(), |kept| *kept == wanted) {
            return Some(Rewritten::Same);
        }
        let mut rewritten = write(&mut wanted, &secrets, &window, payload.len(), self.bits);
        if rewritten.is_none() {
            let hidden =
                |kept: &Vec<u8>| secrets.iter().all(|secret| kept[secret.clone()].iter().all(|byte| *byte == STAR || SIGNS.contains(byte)));
            if as_kept.is_some_and(|kept| hidden(&kept) && find(&kept).is_empty()) {
                return Some(Rewritten::Same);
            }
            wanted.fill(STAR);
            rewritten = stars(wanted.len(), payload.len()).or_else(|| write(&mut wanted, &[], &window, payload.len(), self.bits));
        }
        self.parted = self.takeover;
        self.kept.resume(&[&window[..], &wanted].concat());
        Some(Rewritten::Changed(rewritten?))
    }
}

/// All that a message says; `None` where it is no DEFLATE or too long.
fn inflate(inflate: &mut Inflate, payload: &[u8], whole: bool) -> Option<Vec<u8>> {
    let (mut text, mut long) = (Vec::new(), false);
    let mut keep = |out: &[u8]| {
        long |= text.len() + out.len() > LONGEST;
        if !long {
            text.extend_from_slice(out);
        }
    };
    inflate.begin().ok()?;
    inflate.feed(payload, &mut keep).ok()?;
    if whole {
        inflate.end(&mut keep).ok()?;
    }
    (!long).then_some(text)
}

/// `text` compressed to exactly `len` bytes, with `window` before it. Where only lengths come out that cannot be filled up, some of the
/// stars in `secrets` become other signs, which takes more room.
fn write(text: &mut [u8], secrets: &[Range<usize>], window: &[u8], len: usize, bits: u8) -> Option<Vec<u8>> {
    const LEVELS: [u32; 4] = [6, 9, 4, 1];
    let exactly = |text: &[u8], level| {
        let mut bytes = compress(text, window, level, bits)?;
        let missing = len.checked_sub(bytes.len())?;
        bytes.extend(padding(missing)?);
        Some(bytes)
    };
    if let Some(bytes) = LEVELS.into_iter().find_map(|level| exactly(text, level)) {
        return Some(bytes);
    }
    let mut signed = text.to_vec();
    // Far apart and in no order, so that each costs about a byte.
    let places: Vec<usize> = secrets.iter().flat_map(|secret| secret.clone().step_by(2)).take(SIGNS.len()).collect();
    for (n, at) in places.into_iter().enumerate() {
        signed[at] = SIGNS[n % SIGNS.len()];
        if let Some(bytes) = [6, 9].into_iter().find_map(|level| exactly(&signed, level)) {
            text.copy_from_slice(&signed);
            return Some(bytes);
        }
    }
    None
}

fn compress(text: &[u8], window: &[u8], level: u32, bits: u8) -> Option<Vec<u8>> {
    let mut stream = Compress::new_with_window_bits(Compression::new(level), false, bits);
    if !window.is_empty() {
        stream.set_dictionary(window).ok()?;
    }
    let mut out = Vec::with_capacity(text.len() / 2 + 64);
    loop {
        let read = stream.total_in() as usize;
        out.reserve((text.len() - read).max(256) / 2 + 64);
        stream.compress_vec(&text[read..], &mut out, FlushCompress::Sync).ok()?;
        if stream.total_in() as usize == text.len() && out.len() < out.capacity() {
            break;
        }
    }
    out.ends_with(&TAIL).then(|| out.truncate(out.len() - TAIL.len()))?;
    Some(out)
}

/// `text` stars as exactly `len` bytes, in one block of fixed codes (RFC 1951 §3.2.6) and as many empty ones as fill it up; `None` where
/// they do not fit.
fn stars(text: usize, len: usize) -> Option<Vec<u8>> {
    // The block's header and end take ten bits, the header of the stored block that ends the message three.
    let room = (8 * len).checked_sub(13)?;
    let rest = text.checked_sub(1)?;
    // A star takes 8 bits, three by reference 12, 258 by reference 13.
    let longest = (8 * text).saturating_sub(room) / (8 * 258 - 13);
    // Besides, one reference of another length, in 12 to 18 bits: the shortest of its code, or the longest that there are stars for.
    let codes = (0..=28).flat_map(|code| if code == 0 { [(0, 0, 0, 0); 2] } else { length(code - 1, rest) });
    let (long, code, short, empty) = (longest.saturating_sub(1)..=longest + 1)
        .flat_map(|long| codes.clone().map(move |code| (long, code)))
        .find_map(|(long, code)| {
            let left = rest.checked_sub(258 * long + code.0)?;
            (0..=(left / 3).min(400)).find_map(|short| {
                let taken = 8 * (text - 258 * long - code.0 - 3 * short) + 13 * long + code.2 + 12 * short;
                let left = room.checked_sub(taken)?;
                (left % 10 < 8).then_some((long, code, short, left / 10))
            })
        })?;
    let mut bits = Bits::default();
    bits.put(0b010, 3);
    for _ in 0..text - 258 * long - code.0 - 3 * short {
        bits.code(0x30 + u16::from(STAR), 8);
    }
    let mut refer = |code: u16, more: u16, extra: u32| {
        if code < 280 {
            bits.code(code - 256, 7)
        } else {
            bits.code(0b1100_0000 + code - 280, 8)
        }
        bits.put(more, extra);
        // Distance 1.
        bits.code(0, 5);
    };
    for _ in 0..short {
        refer(257, 0, 0);
    }
    if code.0 > 0 {
        refer(code.1, code.3, (code.2 - 5 - if code.1 < 280 { 7 } else { 8 }) as u32);
    }
    for _ in 0..long {
        refer(285, 0, 0);
    }
    bits.code(0, 7);
    for _ in 0..empty {
        bits.put(0b010, 3);
        bits.code(0, 7);
    }
    bits.put(0, 3);
    (bits.bytes.len() == len).then_some(bits.bytes)
}

/// The shortest length of the code 257 + `n`, and the longest that is at most `rest` modulo 258: each with the code, the bits of a
/// reference that says it and distance 1, and what the extra bits say (RFC 1951 §3.2.5).
fn length(n: u16, rest: usize) -> [(usize, u16, usize, u16); 2] {
    let extra = if n < 8 { 0 } else { n / 4 - 1 };
    let base = if n < 8 { 3 + n } else { 3 + ((4 + n % 4) << extra) };
    let more = ((rest % 258) as u16).saturating_sub(base).min((1 << extra) - 1);
    let bits = usize::from(extra) + 5 + if n < 23 { 7 } else { 8 };
    [0, more].map(|more| (usize::from(base + more), 257 + n, bits, more))
}

/// Bits as DEFLATE packs them (RFC 1951 §3.1.1).
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    /// How many there are.
    count: usize,
}

impl Bits {
    /// A number, its lowest bit first.
    fn put(&mut self, value: u16, bits: u32) {
        for bit in 0..bits {
            if self.count.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= u8::from(value >> bit & 1 == 1) << (self.count % 8);
            }
            self.count += 1;
        }
    }

    /// A Huffman code, its highest bit first.
    fn code(&mut self, code: u16, bits: u32) {
        self.put(code.reverse_bits() >> (16 - bits), bits);
    }
}

/// `bytes` more at the end of a message whose tail was taken off: the tail, and empty blocks up to another tail that is left out. Not all
/// lengths can be had.
fn padding(bytes: usize) -> Option<Vec<u8>> {
    if bytes == 0 {
        return Some(Vec::new());
    }
    let rest = bytes.checked_sub(TAIL.len())?;
    let mut out = TAIL.to_vec();
    if let Some(blocks) = fixed(rest) {
        out.extend(empty(blocks, rest));
        return Some(out);
    }
    // A second stored block between helps over the lengths that one cannot have.
    let first = (1..rest.checked_sub(TAIL.len())?).find(|first| fixed(*first).is_some() && fixed(rest - TAIL.len() - first).is_some())?;
    out.extend(empty(fixed(first)?, first));
    out.extend(TAIL);
    out.extend(empty(fixed(rest - TAIL.len() - first)?, rest - TAIL.len() - first));
    Some(out)
}

/// How many empty blocks of fixed codes, ten bits each, and the three bits of a stored block's header fill exactly so many bytes.
fn fixed(bytes: usize) -> Option<usize> {
    let blocks = (8 * bytes).checked_sub(3)? / 10;
    ((10 * blocks + 3).div_ceil(8) == bytes).then_some(blocks)
}

/// So many empty blocks of fixed codes (RFC 1951 §3.2.6: not final, type 01, then seven zeros), and a stored block's header.
fn empty(blocks: usize, bytes: usize) -> Vec<u8> {
    let mut out = vec![0; bytes];
    for block in 0..blocks {
        // Bits are counted from the lowest; the second of each block is set.
        let bit = 10 * block + 1;
        out[bit / 8] |= 1 << (bit % 8);
    }
    out
}

#[cfg(test)]
mod tests;
