//! Changing what a compressed message says without changing how long it is (RFC 7692 §7.2), for logs that must not keep a secret.
//!
//! Two windows are kept: the sender's, which tells what a message says, and the one that a reader of the log has, in which secrets
//! are stars. Positions agree in both, so a message that says nothing secret and refers to nothing secret stays as it came. Any other
//! is compressed anew against the log's window; what is missing to the old length is filled up with empty blocks (RFC 1951 §3.2.4,
//! §3.2.6). Where that does not fit, the message stays as it came if the log's window alone hides the secret, and otherwise becomes as
//! many stars as it had bytes, so that whatever refers to it later still refers to something.

mod bits;
mod fit;
mod stars;

use std::ops::Range;

use self::fit::write;
use self::stars::stars;
use super::inflate::Inflate;
use super::{Agreed, Side};

/// Inflated bytes of a message that are looked at; a longer one is not kept.
const LONGEST: usize = 128 << 20;

/// What stands for each byte of a secret, and for each byte of a message's text that cannot be kept around it.
pub const STAR: u8 = b'*';

/// What may stand for some bytes of a secret instead, for the length's sake.
const SIGNS: &[u8; 12] = b"+:=#~!?^|%@$";

/// What stands for each byte of a compressed payload that is not kept. As the first it says a block of the reserved type 11, so no
/// such payload inflates (RFC 1951 §3.2.3).
pub const BLANK: u8 = b'.';

/// What becomes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rewritten {
    /// It stays as it came.
    Same,
    /// The compressed payload that stands for it, as long as the old one.
    Changed(Vec<u8>),
    /// What it says cannot be told, or cannot be hidden otherwise: none of its bytes may be kept, nor, where the window is taken over,
    /// of any later one's, which could not be read either.
    Unreadable,
}

/// Where secrets stand in a text. Ranges may overlap and come in any order.
pub type Find<'a> = dyn FnMut(&[u8]) -> Vec<Range<usize>> + 'a;

/// Reads the compressed messages of one direction, one after another.
pub struct Rewriter {
    /// As the sender's peer reads them.
    sent: Inflate,
    /// As a reader of the log does; idle until a message was changed whose window is taken over.
    kept: Inflate,
    parted: bool,
    lost: bool,
    takeover: bool,
    bits: u8,
}

impl Rewriter {
    /// For what `side` sends under the agreed value of `Sec-WebSocket-Extensions`; `None` where permessage-deflate is none of it.
    pub fn new(side: Side, extensions: &str) -> Option<Self> {
        let agreed = Agreed::parse(extensions, side);
        let bits = agreed.bits;
        let sent = agreed.inflate?;
        let takeover = sent.takeover();
        // zlib has no window of 2^8 bytes, but refers back by less than that in one of 2^9.
        Some(Self { sent, kept: Inflate::new(takeover), parted: false, lost: false, takeover, bits: bits.max(9) })
    }

    /// The next compressed message, its frames' payloads in one. One that is not `whole` was broken off, and is looked at as far as it
    /// goes.
    pub fn message(&mut self, payload: &[u8], whole: bool, find: &mut Find<'_>) -> Rewritten {
        let rewritten = self.read(payload, whole, find).unwrap_or(Rewritten::Unreadable);
        // What is compressed anew ends its last block; what was broken off did not.
        self.lost |= self.takeover && (rewritten == Rewritten::Unreadable || (rewritten != Rewritten::Same && !whole));
        rewritten
    }

    /// A message came that [`Rewriter::message`] was not given, and that is not kept.
    pub fn lose(&mut self) {
        self.lost |= self.takeover;
    }

    /// `None` for what cannot be told or hidden.
    fn read(&mut self, payload: &[u8], whole: bool, find: &mut Find<'_>) -> Option<Rewritten> {
        if self.lost {
            return None;
        }
        let window = if self.parted { &self.kept } else { &self.sent }.window()?.to_vec();
        let text = inflate(&mut self.sent, payload, whole)?;
        let as_kept = if self.parted { Some(inflate(&mut self.kept, payload, whole)?) } else { None };
        let secrets = find(&text);
        let mut wanted = text;
        for secret in &secrets {
            wanted[secret.clone()].fill(STAR);
        }
        if as_kept.as_ref().map_or(secrets.is_empty(), |kept| *kept == wanted) {
            return Some(Rewritten::Same);
        }
        let mut rewritten = write(&mut wanted, &secrets, &window, payload.len(), self.bits);
        if rewritten.is_none() {
            let hidden =
                |kept: &Vec<u8>| secrets.iter().all(|secret| kept[secret.clone()].iter().all(|byte| *byte == STAR || SIGNS.contains(byte)));
            if as_kept.is_some_and(|kept| hidden(&kept) && find(&kept).is_empty()) {
                return Some(Rewritten::Same);
            }
            wanted.fill(STAR);
            rewritten = stars(wanted.len(), payload.len(), &window, self.bits)
                .or_else(|| write(&mut wanted, &[], &window, payload.len(), self.bits));
        }
        self.parted = self.takeover;
        self.kept.resume(&[&window[..], &wanted].concat());
        Some(Rewritten::Changed(rewritten?))
    }
}

/// All that a message says; `None` where it is no DEFLATE or too long.
fn inflate(inflate: &mut Inflate, payload: &[u8], whole: bool) -> Option<Vec<u8>> {
    let (mut text, mut long) = (Vec::new(), false);
    let mut keep = |out: &[u8]| {
        long |= text.len() + out.len() > LONGEST;
        if !long {
            text.extend_from_slice(out);
        }
    };
    inflate.begin().ok()?;
    inflate.feed(payload, &mut keep).ok()?;
    if whole {
        inflate.end(&mut keep).ok()?;
    }
    (!long).then_some(text)
}

#[cfg(test)]
mod tests;
