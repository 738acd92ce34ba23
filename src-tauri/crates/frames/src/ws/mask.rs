//! Masking (RFC 6455 §5.3).

/// Bytes worked on at once: small enough that the copy is still in the first-level cache when it is unmasked.
const BLOCK: usize = 16 << 10;

/// Appends `bytes` unmasked to `out`. `phase` is the offset of the first of them in the frame's payload.
pub(super) fn append(out: &mut Vec<u8>, bytes: &[u8], key: [u8; 4], phase: u64) {
    for (n, block) in bytes.chunks(BLOCK).enumerate() {
        let start = out.len();
        out.extend_from_slice(block);
        // BLOCK is a multiple of four, so every block starts at the same place in the key.
        debug_assert_eq!((n * BLOCK) % 4, 0);
        apply(&mut out[start..], key, phase);
    }
}

/// Masks or unmasks in place.
fn apply(bytes: &mut [u8], key: [u8; 4], phase: u64) {
    let turn = (phase % 4) as usize;
    let key: [u8; 8] = std::array::from_fn(|i| key[(turn + i) % 4]);
    let word = u64::from_ne_bytes(key);
    let mut words = bytes.chunks_exact_mut(8);
    for chunk in &mut words {
        let mut eight = [0; 8];
        eight.copy_from_slice(chunk);
        chunk.copy_from_slice(&(u64::from_ne_bytes(eight) ^ word).to_ne_bytes());
    }
    for (byte, key) in words.into_remainder().iter_mut().zip(key) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::append;

    #[test]
    fn agrees_with_the_definition_at_every_length_and_phase() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let bytes: Vec<u8> = (0..40_000u32).map(|i| (i * 7 + 3) as u8).collect();
        for phase in 0..9u64 {
            for len in [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 16_384, 16_385, 40_000] {
                let mut out = vec![1, 2];
                append(&mut out, &bytes[..len], key, phase);
                let plain = bytes[..len].iter().enumerate().map(|(i, b)| b ^ key[(phase as usize + i) % 4]);
                assert!(out[2..].iter().copied().eq(plain), "phase {phase}, length {len}");
            }
        }
    }
}
