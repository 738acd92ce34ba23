//! Stars of any number in any length that holds them: one block of fixed codes (RFC 1951 §3.2.6), and empty ones that fill it up.

use std::sync::OnceLock;

use super::STAR;
use super::bits::Bits;

/// The longest that one reference is (RFC 1951 §3.2.5), and the bits it takes at distance 1.
const LONGEST: (usize, usize) = (258, 13);

/// A star that is written out.
const LITERAL: usize = 8;

/// The most stars of which [`Ways`] knows every length they can be written in.
const TRIED: usize = 300;

/// `text` stars as exactly `len` bytes behind `window`, of which the last 2^`bits` bytes may be referred to; `None` where they do not fit.
pub(super) fn stars(text: usize, len: usize, window: &[u8], bits: u8) -> Option<Vec<u8>> {
    // The block's header and end take ten bits, the header of the stored block that ends the message three.
    let room = (8 * len).checked_sub(13)?;
    let (first, rest) = firsts(text, window, bits).into_iter().find_map(|first| Some((first, Rest::find(text, room, first)?)))?;
    let mut out = Bits::default();
    out.put(0b010, 3);
    match first {
        First::Before => {}
        First::Literal => star(&mut out),
        First::Window(length, distance) => refer(&mut out, length, distance),
    }
    for _ in 0..rest.literals {
        star(&mut out);
    }
    for _ in 0..rest.longest {
        refer(&mut out, LONGEST.0, 1);
    }
    for (length, more) in Ways::all().steps(rest.tried, rest.bits) {
        match length {
            1 => star(&mut out),
            _ => refer(&mut out, length, nearest(more)),
        }
    }
    out.code(0, 7);
    for _ in 0..rest.empty {
        out.empty();
    }
    out.put(0, 3);
    (out.bytes.len() == len).then_some(out.bytes)
}

/// Where the first stars come from, to which all others refer.
#[derive(Clone, Copy)]
enum First {
    /// The window ends with one.
    Before,
    /// One is written out.
    Literal,
    /// So many are taken from this far before, where the window has some.
    Window(usize, usize),
}

impl First {
    /// How many stars it writes, in how many bits.
    fn cost(self) -> (usize, usize) {
        match self {
            Self::Before => (0, 0),
            Self::Literal => (1, LITERAL),
            Self::Window(length, distance) => (length, length_code(length).2 + 5 + distance_code(distance).1 as usize),
        }
    }
}

/// Every way to begin, of those from the window the nearest of each length.
fn firsts(text: usize, window: &[u8], bits: u8) -> Vec<First> {
    let window = &window[window.len().saturating_sub(1 << bits)..];
    let mut firsts = Vec::new();
    if text > 0 && window.last() == Some(&STAR) {
        firsts.push(First::Before);
    }
    if text > 0 {
        firsts.push(First::Literal);
    }
    let mut seen = [false; LONGEST.0 + 1];
    let mut end = window.len();
    while let Some(last) = memchr::memrchr(STAR, &window[..end]) {
        let start = window[..last].iter().rposition(|byte| *byte != STAR).map_or(0, |before| before + 1);
        let length = (last + 1 - start).min(LONGEST.0).min(text);
        if length >= 3 && !std::mem::replace(&mut seen[length], true) {
            firsts.push(First::Window(length, window.len() - (last + 1 - length)));
        }
        end = start;
    }
    firsts
}

/// What follows the first stars.
struct Rest {
    literals: usize,
    /// References of the greatest length.
    longest: usize,
    /// Stars in the way that [`Ways`] knows, and their bits.
    tried: usize,
    bits: usize,
    /// Empty blocks behind.
    empty: usize,
}

impl Rest {
    fn find(text: usize, room: usize, first: First) -> Option<Self> {
        let (written, taken) = first.cost();
        let (text, room) = (text.checked_sub(written)?, room.checked_sub(taken)?);
        // So many that what is left fits in literals, one fewer, one more, and as many as there can be.
        let enough = (LITERAL * text).saturating_sub(room).div_ceil(LITERAL * LONGEST.0 - LONGEST.1);
        let most = text / LONGEST.0;
        [enough, enough.saturating_sub(1), enough + 1, most, most.saturating_sub(1)].into_iter().find_map(|longest| {
            let left = text.checked_sub(LONGEST.0 * longest)?;
            let tried = left.min(TRIED);
            let literals = left - tried;
            let room = room.checked_sub(LONGEST.1 * longest + LITERAL * literals)?;
            // The three bits of the last header, and what is left of its byte, are less than an empty block.
            let bits = (0..=room.min(LITERAL * TRIED)).rev().find(|bits| (room - bits) % 10 < 8 && Ways::all().has(tried, *bits))?;
            Some(Self { literals, longest, tried, bits, empty: (room - bits) / 10 })
        })
    }
}

/// In how many bits stars can be written behind another star: by themselves and by references, whose distances take more bits the more
/// stars there are to refer to.
struct Ways {
    /// For each number of stars a set of numbers of bits.
    sets: Vec<[u64; WORDS]>,
}

const WORDS: usize = (LITERAL * TRIED) / 64 + 1;

/// Bits beyond the five of the nearest distances that are of use: an empty block's ten leave gaps of two.
const MORE: u32 = 3;

impl Ways {
    fn all() -> &'static Self {
        static ALL: OnceLock<Ways> = OnceLock::new();
        ALL.get_or_init(|| {
            let mut all = Self { sets: vec![[0; WORDS]; TRIED + 1] };
            all.sets[0][0] = 1;
            for stars in 1..=TRIED {
                let mut set = [0; WORDS];
                for (length, _, bits) in last_steps(stars) {
                    let before = &all.sets[stars - length];
                    for (word, out) in set.iter_mut().enumerate().skip(bits / 64) {
                        let low = before[word - bits / 64] << (bits % 64);
                        let high = word
                            .checked_sub(bits / 64 + 1)
                            .map_or(0, |word| before[word].checked_shr(64 - (bits % 64) as u32).unwrap_or(0));
                        *out |= low | high;
                    }
                }
                all.sets[stars] = set;
            }
            all
        })
    }

    fn has(&self, stars: usize, bits: usize) -> bool {
        self.sets[stars].get(bits / 64).is_some_and(|word| word >> (bits % 64) & 1 == 1)
    }

    /// The steps of one way: how many stars each writes, and how many more bits its distance takes. None where there is no such way.
    fn steps(&self, mut stars: usize, mut bits: usize) -> Vec<(usize, u32)> {
        let mut steps = Vec::new();
        while let Some((length, more, taken)) =
            last_steps(stars).find(|(length, _, taken)| bits >= *taken && self.has(stars - length, bits - taken))
        {
            steps.push((length, more));
            (stars, bits) = (stars - length, bits - taken);
        }
        steps.reverse();
        steps
    }
}

/// Every step that can be the last to `stars`, with its length, the further bits of its distance, and all its bits.
fn last_steps(stars: usize) -> impl Iterator<Item = (usize, u32, usize)> {
    let literal = (stars > 0).then_some((1, 0, LITERAL));
    let references = (3..=LONGEST.0.min(stars)).flat_map(move |length| {
        // Another star stands before the first.
        let there = stars - length + 1;
        let furthest = (0..=MORE).take_while(move |more| nearest(*more) <= there);
        furthest.map(move |more| (length, more, length_code(length).2 + 5 + more as usize))
    });
    literal.into_iter().chain(references)
}

/// The nearest distance whose code has so many extra bits (RFC 1951 §3.2.5).
fn nearest(extra: u32) -> usize {
    if extra == 0 { 1 } else { (2 << extra) + 1 }
}

fn star(out: &mut Bits) {
    out.code(0x30 + u16::from(STAR), 8);
}

/// A reference of 3..=258 bytes to 1..=32768 bytes before.
fn refer(out: &mut Bits, length: usize, distance: usize) {
    let (code, more, bits) = length_code(length);
    let own = if code < 280 { 7 } else { 8 };
    out.code(if code < 280 { code - 256 } else { 0b1100_0000 + code - 280 }, own);
    out.put(more, bits as u32 - own);
    let (code, extra) = distance_code(distance);
    let base = if extra == 0 { usize::from(code) + 1 } else { ((2 + usize::from(code) % 2) << extra) + 1 };
    out.code(code, 5);
    out.put((distance - base) as u16, extra);
}

/// The code of a reference's length, what its extra bits say, and the bits of both (RFC 1951 §3.2.5, §3.2.6).
fn length_code(length: usize) -> (u16, u16, usize) {
    let from_three = length as u16 - 3;
    if length == LONGEST.0 {
        return (285, 0, 8);
    }
    if from_three < 8 {
        return (257 + from_three, 0, 7);
    }
    let extra = from_three.ilog2() - 2;
    let code = 257 + 4 * extra as u16 + (from_three >> extra);
    (code, from_three & ((1 << extra) - 1), extra as usize + if code < 280 { 7 } else { 8 })
}

/// The code of a reference's distance, and how many extra bits follow its five (RFC 1951 §3.2.5).
fn distance_code(distance: usize) -> (u16, u32) {
    let from_one = distance - 1;
    if from_one < 4 {
        return (from_one as u16, 0);
    }
    let extra = from_one.ilog2() - 1;
    (2 * extra as u16 + (from_one >> extra) as u16, extra)
}
