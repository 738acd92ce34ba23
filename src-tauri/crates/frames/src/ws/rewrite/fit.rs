//! A text compressed to a length that was given.

use std::ops::Range;

use flate2::{Compress, Compression, FlushCompress};

use super::super::inflate::Inflate;
use super::SIGNS;
use super::bits::Bits;

/// The empty stored block that ends a flush, without its three header bits; a sender takes it off (RFC 7692 §7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// `text` compressed to exactly `len` bytes, with `window` before it. Where only lengths come out that cannot be filled up, some of the
/// stars in `secrets` become other signs, which takes more room.
pub(super) fn write(text: &mut [u8], secrets: &[Range<usize>], window: &[u8], len: usize, bits: u8) -> Option<Vec<u8>> {
    const LEVELS: [u32; 4] = [6, 9, 4, 1];
    let exactly = |text: &[u8], level| {
        let mut bytes = compress(text, window, level, bits)?;
        let missing = len.checked_sub(bytes.len())?;
        if let Some(padding) = padding(missing) {
            bytes.extend(padding);
            return Some(bytes);
        }
        led(&bytes, missing).find(|bytes| says(bytes, text, window))
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

pub(super) fn compress(text: &[u8], window: &[u8], level: u32, bits: u8) -> Option<Vec<u8>> {
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

/// `bytes` made `missing` longer by empty blocks in front of them, which need not end with a byte. How many bits of its last byte a message
/// fills cannot be told from it, so what comes of this is to be read.
fn led(bytes: &[u8], missing: usize) -> impl Iterator<Item = Vec<u8>> + '_ {
    (1..=missing + 1).filter(move |blocks| (8 * missing).abs_diff(10 * blocks) < 8).map(move |blocks| {
        let mut led = Bits::default();
        for _ in 0..blocks {
            led.empty();
        }
        for byte in bytes {
            led.put(u16::from(*byte), 8);
        }
        led.bytes.resize(bytes.len() + missing, 0);
        led.bytes
    })
}

/// Whether a message says `text`, with `window` before it, and ends where the next one can begin: "Hello" of RFC 7692 §7.2.3.1 does.
fn says(bytes: &[u8], text: &[u8], window: &[u8]) -> bool {
    const NEXT: [u8; 7] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let mut reader = Inflate::new(true);
    reader.resume(window);
    let mut says = |bytes: &[u8], text: &[u8]| super::inflate(&mut reader, bytes, true).is_some_and(|said| said == text);
    says(bytes, text) && says(&NEXT, b"Hello")
}

/// `bytes` more at the end of a message whose tail was taken off: the tail, and empty blocks up to another tail that is left out. Not all
/// lengths can be had.
pub(super) fn padding(bytes: usize) -> Option<Vec<u8>> {
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
