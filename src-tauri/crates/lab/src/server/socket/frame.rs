//! Frames as RFC 6455 §5.2 lays them out, and as it forbids a server to: masked.

use bytes::Bytes;

pub(super) const CONTINUATION: u8 = 0;
pub(super) const TEXT: u8 = 1;
pub(super) const BINARY: u8 = 2;
pub(super) const CLOSE: u8 = 8;
pub(super) const PING: u8 = 9;
/// Beside the opcode of a compressed message's first frame (RFC 7692 §6).
pub(super) const RSV1: u8 = 0x40;

/// The header of a frame with a payload of `length` bytes, the mask's key included.
pub(super) fn header(opcode: u8, fin: bool, length: u64, mask: Option<[u8; 4]>) -> Vec<u8> {
    let mut bytes = vec![opcode | if fin { 0x80 } else { 0 }];
    let masked = if mask.is_some() { 0x80 } else { 0 };
    match length {
        0..=125 => bytes.push(masked | length as u8),
        126..=0xFFFF => {
            bytes.push(masked | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        _ => {
            bytes.push(masked | 127);
            bytes.extend(length.to_be_bytes());
        }
    }
    bytes.extend(mask.into_iter().flatten());
    bytes
}

/// One frame.
pub(super) fn one(opcode: u8, fin: bool, payload: &[u8], mask: Option<[u8; 4]>) -> Bytes {
    let mut bytes = header(opcode, fin, payload.len() as u64, mask);
    match mask {
        Some(key) => bytes.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key)),
        None => bytes.extend_from_slice(payload),
    }
    bytes.into()
}

/// One frame that is a whole message.
pub(super) fn whole(opcode: u8, payload: &[u8], mask: Option<[u8; 4]>) -> Bytes {
    one(opcode, true, payload, mask)
}

/// How long a payload is so that its unmasked frame is `size` bytes.
pub(super) fn payload_of(size: usize) -> usize {
    // At 128 and 129 bytes, and just above 64 KiB, no length fits exactly; the frame is then a little shorter.
    (0..=10).map(|head| size.saturating_sub(head)).find(|n| header(TEXT, true, *n as u64, None).len() + n <= size).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_their_shortest_form() {
        for (length, head) in [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            assert_eq!(header(TEXT, true, length, None).len(), head);
            assert_eq!(header(TEXT, true, length, Some([1; 4])).len(), head + 4);
        }
        for size in [200, 330, 1024, 16_384, 100_000] {
            let payload = payload_of(size);
            assert_eq!(whole(TEXT, &vec![b'x'; payload], None).len(), size);
        }
    }

    #[test]
    fn masking_twice_gives_the_payload_back() {
        let frame = one(BINARY, false, b"hello", Some([1, 2, 3, 4]));
        assert_eq!(frame[..2], [BINARY, 0x85]);
        let plain: Vec<u8> = frame[6..].iter().zip([1u8, 2, 3, 4].iter().cycle()).map(|(b, k)| b ^ k).collect();
        assert_eq!(plain, b"hello");
    }
}
