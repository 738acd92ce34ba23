//! Bits as DEFLATE packs them.

/// Bits as DEFLATE packs them (RFC 1951 §3.1.1).
#[derive(Default)]
pub(super) struct Bits {
    /// The bytes so far; the last one is filled up with zeros.
    pub(super) bytes: Vec<u8>,
    /// How many there are.
    count: usize,
}

impl Bits {
    /// A number, its lowest bit first.
    pub(super) fn put(&mut self, value: u16, bits: u32) {
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
    pub(super) fn code(&mut self, code: u16, bits: u32) {
        self.put(code.reverse_bits() >> (16 - bits), bits);
    }

    /// An empty block of fixed codes (RFC 1951 §3.2.6: not final, type 01, then seven zeros).
    pub(super) fn empty(&mut self) {
        self.put(0b010, 3);
        self.code(0, 7);
    }
}
