//! HPACK's Huffman code (RFC 7541 §5.2, Appendix B).
//!
//! The code is canonical: codes of one length are consecutive numbers in the order of their symbols, and a longer
//! code is greater than every shorter one. So the lengths are all there is to know.

/// Bits of each symbol's code, the octets and then EOS.
#[rustfmt::skip]
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];

/// The symbol that must not occur (RFC 7541 §5.2).
const EOS: u16 = 256;

const SHORTEST: usize = 5;
const LONGEST: usize = 30;

static TABLE: Table = Table::new();

struct Table {
    /// Symbols by length, then by value.
    symbols: [u16; 257],
    /// For each length: the first number, left-aligned in 32 bits, that is greater than its codes.
    limits: [u64; LONGEST + 1],
    /// For each length: its first code.
    codes: [u32; LONGEST + 1],
    /// For each length: where its symbols start.
    starts: [u16; LONGEST + 1],
}

impl Table {
    const fn new() -> Self {
        let mut table = Self { symbols: [0; 257], limits: [0; LONGEST + 1], codes: [0; LONGEST + 1], starts: [0; LONGEST + 1] };
        let (mut code, mut at, mut len) = (0u32, 0, SHORTEST);
        while len <= LONGEST {
            table.codes[len] = code;
            table.starts[len] = at as u16;
            let mut symbol = 0;
            while symbol < LENGTHS.len() {
                if LENGTHS[symbol] as usize == len {
                    table.symbols[at] = symbol as u16;
                    at += 1;
                    code += 1;
                }
                symbol += 1;
            }
            table.limits[len] = (code as u64) << (32 - len);
            code <<= 1;
            len += 1;
        }
        table
    }
}

/// Appends what `bytes` decode to.
pub(super) fn decode(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), &'static str> {
    let mut input = bytes.iter();
    // The next `have` bits stand at the top of `bits`, ones below them as in the padding.
    let (mut bits, mut have) = (u64::MAX, 0usize);
    loop {
        while have <= 56 {
            let Some(&byte) = input.next() else { break };
            let shift = 56 - have;
            bits = bits & !(0xff << shift) | u64::from(byte) << shift;
            have += 8;
        }
        let window = bits >> 32;
        let Some(len) = (SHORTEST..=LONGEST).find(|&len| window < TABLE.limits[len]).filter(|&len| len <= have) else {
            // Less than a code is left: it must be the beginning of EOS, which is all ones.
            let padding = have < 8 && (have == 0 || bits >> (64 - have) == (1 << have) - 1);
            return if padding { Ok(()) } else { Err("a Huffman-coded string is not padded with the beginning of EOS (RFC 7541 §5.2)") };
        };
        let code = (bits >> (64 - len)) as u32;
        let symbol = TABLE.symbols[usize::from(TABLE.starts[len]) + (code - TABLE.codes[len]) as usize];
        if symbol == EOS {
            return Err("a Huffman-coded string holds EOS (RFC 7541 §5.2)");
        }
        out.push(symbol as u8);
        bits = bits << len | ((1 << len) - 1);
        have -= len;
    }
}

#[cfg(test)]
mod tests {
    use fluke_hpack::Decoder;
    use proptest::prelude::*;

    use super::decode;

    /// The crate's own decoding of a string, through a field with an empty name.
    fn theirs(bytes: &[u8]) -> Option<Vec<u8>> {
        assert!(bytes.len() < 127);
        let block = [&[0x00, 0x00, 0x80 | bytes.len() as u8], bytes].concat();
        Some(Decoder::new().decode(&block).ok()?.remove(0).1)
    }

    fn ours(bytes: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        decode(bytes, &mut out).ok().map(|()| out)
    }

    #[test]
    fn every_two_bytes() {
        for word in 0..=u16::MAX {
            let bytes = word.to_be_bytes();
            // The other decoder is slow: all of one byte, some of two.
            if word < 256 || word % 61 == 0 {
                assert_eq!(ours(&bytes), theirs(&bytes), "{bytes:x?}");
                assert_eq!(ours(&bytes[1..]), theirs(&bytes[1..]), "{bytes:x?}");
            }
        }
        assert_eq!(ours(b""), Some(Vec::new()));
        assert_eq!(ours(&[0xff; 4]), None, "EOS");
        assert_eq!(ours(&[0xff]), None, "a whole byte of padding");
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0xff)], 0..40)) {
            prop_assert_eq!(ours(&bytes), theirs(&bytes));
        }

        /// Long codes, which random bytes hardly reach in full: written by the definition, read back.
        #[test]
        fn what_is_encoded_reads_equal(text in prop::collection::vec(any::<u8>(), 0..60)) {
            let mut bits = Vec::new();
            for &symbol in &text {
                let len = usize::from(super::LENGTHS[usize::from(symbol)]);
                let nth = (0..symbol).filter(|s| usize::from(super::LENGTHS[usize::from(*s)]) == len).count() as u32;
                let code = super::TABLE.codes[len] + nth;
                bits.extend((0..len).rev().map(|bit| code >> bit & 1 == 1));
            }
            while bits.len() % 8 != 0 {
                bits.push(true);
            }
            let bytes: Vec<u8> = bits.chunks(8).map(|byte| byte.iter().fold(0, |acc, bit| acc << 1 | u8::from(*bit))).collect();
            prop_assert_eq!(ours(&bytes), Some(text));
        }
    }
}
