//! A frame's header (RFC 6455 §5.2).

/// Longest header: two bytes, a 64-bit length, a masking key.
pub(super) const MAX: usize = 14;

/// RSV1 among the three reserved bits.
pub(super) const RSV1: u8 = 4;

/// Opcode of a close frame.
pub(super) const CLOSE: u8 = 8;

/// A header as it stands in the stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) fin: bool,
    pub(super) rsv: u8,
    pub(super) opcode: u8,
    pub(super) mask: Option<[u8; 4]>,
    /// Bytes of the header.
    pub(super) header_len: u8,
    /// Bytes of the payload.
    pub(super) len: u64,
}

/// How many bytes of the header must be there to go on: two at first, all of them once two are there.
pub(super) fn needed(have: &[u8]) -> usize {
    let [_, second, ..] = have else { return 2 };
    let length = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    2 + length + if second & 0x80 != 0 { 4 } else { 0 }
}

impl Header {
    /// Reads a header from bytes that hold all of it.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let (first, second) = (bytes[0], bytes[1]);
        let (len, mut at) = match second & 0x7f {
            126 => (u64::from(u16::from_be_bytes(array(bytes, 2))), 4),
            127 => (u64::from_be_bytes(array(bytes, 2)), 10),
            len => (u64::from(len), 2),
        };
        let mask = (second & 0x80 != 0).then(|| array(bytes, at));
        if mask.is_some() {
            at += 4;
        }
        Self { fin: first & 0x80 != 0, rsv: (first >> 4) & 7, opcode: first & 15, mask, header_len: at as u8, len }
    }

    pub(super) fn is_control(&self) -> bool {
        self.opcode & 8 != 0
    }

    pub(super) fn is_reserved(&self) -> bool {
        matches!(self.opcode, 3..=7 | 11..=15)
    }

    /// Whether the length is written in its shortest form.
    pub(super) fn is_minimal(&self) -> bool {
        let length = self.header_len - if self.mask.is_some() { 6 } else { 2 };
        match length {
            2 => self.len > 125,
            8 => self.len > u64::from(u16::MAX),
            _ => true,
        }
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}
