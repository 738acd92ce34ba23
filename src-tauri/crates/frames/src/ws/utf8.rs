//! UTF-8 checked piece by piece: a code point may straddle fragments (RFC 6455 §5.6, §8.1).

/// A check in progress.
#[derive(Debug, Default)]
pub(super) struct Utf8 {
    /// The first `have` bytes of an unfinished code point.
    pending: [u8; 4],
    have: usize,
    /// Where the unfinished code point starts.
    pending_at: u64,
}

impl Utf8 {
    /// Checks the next bytes; `at` is where they stand. The error is where the first ill-formed sequence starts,
    /// so it does not depend on how the bytes were cut.
    pub(super) fn feed(&mut self, mut bytes: &[u8], mut at: u64) -> Result<(), u64> {
        while self.have > 0 {
            let Some((&first, rest)) = bytes.split_first() else { return Ok(()) };
            self.pending[self.have] = first;
            self.have += 1;
            match std::str::from_utf8(&self.pending[..self.have]) {
                Ok(_) => self.have = 0,
                // A code point has at most four bytes: with four it is whole or ill-formed.
                Err(error) if error.error_len().is_some() => return Err(self.pending_at),
                Err(_) => {}
            }
            bytes = rest;
            at += 1;
        }
        if simdutf8::basic::from_utf8(bytes).is_ok() {
            return Ok(());
        }
        match simdutf8::compat::from_utf8(bytes) {
            Ok(_) => Ok(()),
            Err(error) => {
                let good = error.valid_up_to();
                self.pending_at = at + good as u64;
                if error.error_len().is_some() {
                    return Err(self.pending_at);
                }
                let tail = &bytes[good..];
                self.pending[..tail.len()].copy_from_slice(tail);
                self.have = tail.len();
                Ok(())
            }
        }
    }

    /// Where the text breaks off inside a code point, if it does.
    pub(super) fn finish(&self) -> Result<(), u64> {
        if self.have == 0 { Ok(()) } else { Err(self.pending_at) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Utf8;

    fn check(pieces: &[&[u8]]) -> Result<(), u64> {
        let mut utf8 = Utf8::default();
        let mut at = 100;
        for piece in pieces {
            utf8.feed(piece, at)?;
            at += piece.len() as u64;
        }
        utf8.finish()
    }

    fn agree(bytes: &[u8]) {
        let expected = std::str::from_utf8(bytes).map(|_| ()).map_err(|e| 100 + e.valid_up_to() as u64);
        assert_eq!(check(&[bytes]), expected, "{bytes:x?}");
        for cut in 0..=bytes.len() {
            assert_eq!(check(&[&bytes[..cut], &bytes[cut..]]), expected, "{bytes:x?} cut at {cut}");
        }
        assert_eq!(check(&bytes.chunks(1).collect::<Vec<_>>()), expected, "{bytes:x?} by bytes");
    }

    #[test]
    fn agrees_with_the_standard_library() {
        for bytes in [
            "κόσμε 世界 🎉".as_bytes(),
            b"\xc3",
            b"\xe2\x82",
            b"\xf0\x9f\x8e",
            b"\xf4\x90\x80\x80",
            b"\xed\xa0\x80",
            b"\xc0\xaf",
            b"ab\xe2\x28\xa1",
            b"\x80",
            b"\xf0\x9f\x8e\x89\xff",
        ] {
            agree(bytes);
        }
    }

    proptest! {
        #[test]
        fn agrees_on_anything(bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(&[0xe2u8, 0x82, 0xac, 0xf0, 0x9f][..])], 0..24)) {
            agree(&bytes);
        }
    }
}
