//! Redaction: the log is the same at every cut and as long as the wire, no byte changes but to hide, and text keeps no secret.
#![no_main]
#![allow(dead_code, unused_imports, reason = "the rest of the crate that these modules belong to is not here")]

#[path = "../../../transport/src/redact/mod.rs"]
mod redact;

/// Which way the bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dir {
    /// From the peer.
    In,
    /// To the peer.
    Out,
}

use std::sync::Arc;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use redact::{Patterns, Protocol, Redactor};
use weir_frames_fuzz::Case;

/// What is hidden, and a piece of text that an input can put it in by: short, so that the fuzzer finds it.
const SECRET: &str = "sk-abcabd";
const MARK: u8 = 0xfe;

fuzz_target!(|data: &[u8]| {
    let Some(case) = Case::new(data) else { return };
    // Every mark becomes the secret: nobody would guess it.
    let mut wire = Vec::new();
    for &byte in case.input {
        if byte == MARK { wire.extend_from_slice(SECRET.as_bytes()) } else { wire.push(byte) }
    }
    let dir = if case.choice & 1 == 0 { Dir::In } else { Dir::Out };
    let protocol = [Protocol::Http1, Protocol::Http2, Protocol::WebSocket][usize::from(case.choice >> 1) % 3];
    let patterns = Arc::new(Patterns::new(&[SECRET], case.choice & 8 != 0).expect("there is a secret"));
    let whole = log(&patterns, protocol, dir, &[&wire]);
    assert_eq!(whole.len(), wire.len());
    let mut sized = data.to_vec();
    sized.truncate(4);
    sized.extend_from_slice(&wire);
    let cut = Case::new(&sized).expect("four bytes of choices");
    assert_eq!(log(&patterns, protocol, dir, &cut.pieces()), whole);
    assert_eq!(log(&patterns, protocol, dir, &wire.chunks(1).collect::<Vec<_>>()), whole);
    if !wire.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()) && protocol == Protocol::Http1 && case.choice & 8 == 0 {
        // Percent-coding aside, only a secret divided by chunk lines is left to hide: stars alone may differ.
        assert!(whole.iter().zip(&wire).all(|(logged, sent)| logged == sent || *logged == b'*'));
    }
});

fn log(patterns: &Arc<Patterns>, protocol: Protocol, dir: Dir, pieces: &[&[u8]]) -> Vec<u8> {
    let mut redactor = Redactor::new(Arc::clone(patterns), protocol, dir);
    let mut lengths = vec![0; pieces.len()];
    let (mut logged, mut last) = (Vec::new(), 0);
    let mut take = |t: u64, bytes: Bytes| {
        assert!(t >= last, "in the order of the wire");
        last = t;
        lengths[t as usize] += bytes.len();
        logged.extend_from_slice(&bytes);
    };
    for (t, piece) in pieces.iter().enumerate() {
        redactor.push(t as u64, Bytes::copy_from_slice(piece), &mut take);
    }
    redactor.flush(&mut take);
    assert_eq!(lengths, pieces.iter().map(|piece| piece.len()).collect::<Vec<_>>());
    logged
}
