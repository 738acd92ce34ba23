//! HPACK's Huffman code (RFC 7541, appendix B): the encoding direction, and a search for coded text at any bit offset.

/// Bits of each byte's code. The code is canonical, so the lengths are all of it: codes count up in order of length, then byte.
#[rustfmt::skip]
const LENGTHS: [u8; 256] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
];

fn codes() -> [u32; 256] {
    let mut order: Vec<usize> = (0..256).collect();
    order.sort_by_key(|&byte| (LENGTHS[byte], byte));
    let mut codes = [0; 256];
    let (mut code, mut length) = (0u32, LENGTHS[order[0]]);
    for byte in order {
        code <<= LENGTHS[byte] - length;
        length = LENGTHS[byte];
        codes[byte] = code;
        code += 1;
    }
    codes
}

/// A string of bits, one a `bool`: these are a few hundred, made once for a connection.
pub(super) type Bits = Vec<bool>;

/// The code of `text`, without padding.
pub(super) fn encode(text: &[u8]) -> Bits {
    let codes = codes();
    let mut bits = Vec::new();
    for &byte in text {
        let (code, length) = (codes[usize::from(byte)], LENGTHS[usize::from(byte)]);
        bits.extend((0..length).rev().map(|i| code >> i & 1 == 1));
    }
    bits
}

/// Text whose code has exactly `bits` bits: stars, and what it takes to fill up. Empty where there is none (below 5, and 9),
/// which no code of a text has either.
fn filler(bits: usize) -> Vec<u8> {
    const REST: [&[u8]; 18] = [b"", b"", b"", b"", b"", b"0", b"-", b":", b"", b"", b"00", b"0-", b"--", b"-:", b"::", b"000", b"", b"0--"];
    let mut rest = bits % 8;
    while rest < REST.len() && REST[rest].is_empty() && rest != 0 {
        rest += 8;
    }
    if rest > bits || rest >= REST.len() {
        return Vec::new();
    }
    let mut text = vec![b'*'; (bits - rest) / 8];
    text.extend_from_slice(REST[rest]);
    text
}

/// A text to look for in its Huffman coding, at any bit offset.
#[derive(Clone)]
pub(super) struct Coded {
    shifts: Vec<Shifted>,
}

/// The text's code as it looks when it begins at a given bit of a byte.
#[derive(Clone)]
struct Shifted {
    code: Vec<u8>,
    /// Which bits of `code` are the text's.
    mask: Vec<u8>,
    /// What to put in place of the secret part, and where that is.
    fill: Vec<u8>,
    secret: Vec<u8>,
}

impl Coded {
    /// Looks for `before` `secret` and replaces the latter. `head`, if any, are whole bytes that precede the code.
    pub(super) fn new(head: &[u8], before: &[u8], secret: &[u8]) -> Self {
        let head: Bits = head.iter().flat_map(|byte| (0..8).rev().map(move |i| byte >> i & 1 == 1)).collect();
        let context = [head.clone(), encode(before)].concat();
        let code = [context.clone(), encode(secret)].concat();
        let fill = [context.clone(), encode(&filler(code.len() - context.len()))].concat();
        let own = vec![true; code.len()];
        let replaced: Bits = (0..code.len()).map(|i| i >= context.len()).collect();
        let shifts = if head.is_empty() { 0..8 } else { 0..1 };
        let shifted =
            |shift| Shifted { code: pack(&code, shift), mask: pack(&own, shift), fill: pack(&fill, shift), secret: pack(&replaced, shift) };
        Self { shifts: shifts.map(shifted).collect() }
    }

    /// Replaces every occurrence in `block`.
    pub(super) fn redact(&self, block: &mut [u8]) {
        for shifted in &self.shifts {
            for start in 0..(block.len() + 1).saturating_sub(shifted.code.len()) {
                let here = &mut block[start..start + shifted.code.len()];
                if here.iter().zip(&shifted.code).zip(&shifted.mask).all(|((byte, code), mask)| byte & mask == *code) {
                    for (byte, (fill, secret)) in here.iter_mut().zip(shifted.fill.iter().zip(&shifted.secret)) {
                        *byte = *byte & !secret | fill & secret;
                    }
                }
            }
        }
    }
}

/// The bits as bytes, the first one at bit `shift` of the first byte; the bits around them are 0.
fn pack(bits: &[bool], shift: usize) -> Vec<u8> {
    let mut bytes = vec![0; (bits.len() + shift).div_ceil(8)];
    for (i, _) in bits.iter().enumerate().filter(|(_, bit)| **bit) {
        bytes[(i + shift) / 8] |= 0x80 >> ((i + shift) % 8);
    }
    bytes
}

/// `text` as an HPACK string literal's bytes: coded and padded with ones (RFC 7541, section 5.2).
pub(super) fn padded(text: &[u8]) -> Vec<u8> {
    let mut bits = encode(text);
    bits.resize(bits.len().next_multiple_of(8), true);
    pack(&bits, 0)
}

#[cfg(test)]
mod tests {
    use fluke_hpack::huffman::HuffmanDecoder;

    use super::*;

    fn decode(coded: &[u8]) -> Vec<u8> {
        HuffmanDecoder::new().decode(coded).unwrap()
    }

    #[test]
    fn agrees_with_another_decoder_on_every_byte() {
        for byte in 0..=255 {
            assert_eq!(decode(&padded(&[byte, b'x', byte])), [byte, b'x', byte]);
        }
        assert_eq!(padded(b"***"), [0xf9; 3]);
    }

    #[test]
    fn fillers_have_the_length_they_are_asked_for() {
        for bits in (5..200).filter(|&bits| bits != 9) {
            assert_eq!(encode(&filler(bits)).len(), bits, "{bits}");
        }
    }

    #[test]
    fn replaces_at_every_bit_offset_and_leaves_the_rest() {
        let secret = b"sk-Canary_7&9";
        let coded = Coded::new(b"", b"", secret);
        for before in [&b""[..], b"0", b"Bearer ", b"X", b"0X", b"00", b"~", b"\x80", b"0\x80"] {
            for after in [&b""[..], b"0", b"XYZ", b" and more"] {
                let mut block = padded(&[before, secret, after].concat());
                let length = block.len();
                coded.redact(&mut block);
                assert_eq!(block.len(), length);
                let text = decode(&block);
                assert!(text.starts_with(before) && text.ends_with(after), "{}", String::from_utf8_lossy(&text));
                assert!(!text.windows(4).any(|part| secret.windows(4).any(|piece| piece == part)));
                assert!(text.windows(4).any(|part| part == b"****"));
            }
        }
    }
}
