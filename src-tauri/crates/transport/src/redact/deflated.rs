//! The redaction of messages that came under permessage-deflate (RFC 7692).

use std::collections::VecDeque;

use weir_frames::ws::Side;
use weir_frames::ws::rewrite::{BLANK, Rewriter, Rewritten};

use super::patterns::Sets;
use super::{Piece, overwrite};

/// Compressed bytes of a message that are held back; of a longer one nothing is kept.
const LONGEST: usize = 128 << 20;

/// The compressed messages of one direction: what is known of those before, and the one that is coming.
#[derive(Default)]
pub(super) struct Deflated {
    rewriter: Option<Rewriter>,
    /// The payload so far, unmasked.
    payload: Vec<u8>,
    parts: Vec<Part>,
    long: bool,
}

/// Where a part of the payload stands on the wire, how long it is, and with what it is masked (the key and where in it it begins).
struct Part {
    at: u64,
    len: usize,
    mask: Mask,
}

type Mask = Option<([u8; 4], usize)>;

fn masked(bytes: &[u8], mask: Mask) -> impl Iterator<Item = u8> + '_ {
    let (key, phase) = mask.unwrap_or_default();
    bytes.iter().enumerate().map(move |(i, byte)| byte ^ key[(phase + i) % 4])
}

impl Deflated {
    /// The server agreed to these extensions.
    pub(super) fn agree(&mut self, extensions: &str) {
        self.rewriter = Rewriter::new(Side::Server, extensions);
    }

    /// Messages can be inflated.
    pub(super) fn reads(&self) -> bool {
        self.rewriter.is_some()
    }

    /// Where the message begins that is held back.
    pub(super) fn since(&self) -> Option<u64> {
        self.parts.first().map(|part| part.at)
    }

    /// Payload of a message, found at `at` on the wire.
    pub(super) fn push(&mut self, at: u64, bytes: &[u8], mask: Mask, held: &mut VecDeque<Piece>) {
        self.long |= bytes.len() > LONGEST - self.payload.len();
        if self.long {
            // What was held back is let go as well.
            self.blank(held);
            let blank: Vec<u8> = masked(&vec![BLANK; bytes.len()], mask).collect();
            overwrite(held, at, &blank);
        } else if !bytes.is_empty() {
            self.payload.extend(masked(bytes, mask));
            self.parts.push(Part { at, len: bytes.len(), mask });
        }
    }

    /// The message is over; if it is not `whole`, it was broken off.
    pub(super) fn end(&mut self, sets: &Sets, whole: bool, held: &mut VecDeque<Piece>) {
        let Some(rewriter) = self.rewriter.as_mut() else { return };
        if std::mem::take(&mut self.long) {
            rewriter.lose();
            return;
        }
        if !whole && self.parts.is_empty() {
            return;
        }
        let mut find = |text: &[u8]| {
            let mut found = Vec::new();
            sets.payload.find(text, |secret| found.push(secret));
            found
        };
        match rewriter.message(&self.payload, whole, &mut find) {
            Rewritten::Same => {}
            Rewritten::Changed(payload) => self.write(&payload, held),
            // Where there is nothing to hide, what cannot be read is kept as it came.
            Rewritten::Unreadable if sets.is_empty() => {}
            Rewritten::Unreadable => self.blank(held),
        }
        self.payload = Vec::new();
        self.parts.clear();
    }

    /// Keeps nothing of the payload so far.
    fn blank(&mut self, held: &mut VecDeque<Piece>) {
        let blank = vec![BLANK; self.payload.len()];
        self.write(&blank, held);
        self.payload = Vec::new();
        self.parts.clear();
    }

    /// Logs `payload` in place of the one that came.
    fn write(&self, payload: &[u8], held: &mut VecDeque<Piece>) {
        let mut done = 0;
        for part in &self.parts {
            let bytes: Vec<u8> = masked(&payload[done..done + part.len], part.mask).collect();
            overwrite(held, part.at, &bytes);
            done += part.len;
        }
    }
}
