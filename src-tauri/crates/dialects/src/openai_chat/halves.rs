//! Characters whose two UTF-16 halves come in two deltas: some servers cut their JSON escapes (`\ud83d` `\ude00`) between tokens.

use crate::json::{self, Raw, Source};
use crate::teller::Teller;
use crate::{Delta, DeltaKind};

/// The first half that waits for its second, for each kind of text.
#[derive(Default)]
pub(super) struct Halves {
    waiting: [Option<u32>; 3],
}

impl Halves {
    /// Tells a string value as text of `kind`, but for a half at its end, which waits. Whether anything came.
    pub(super) fn text(&mut self, kind: DeltaKind, source: &Source<'_>, raw: Option<Raw<'_>>, teller: &mut Teller<'_>) -> bool {
        let Some(content) = raw.and_then(json::content).filter(|content| !content.is_empty()) else {
            return false;
        };
        let slot = &mut self.waiting[slot(kind)];
        let mut rest = content;
        if let Some(high) = slot.take() {
            let low = unit_at(rest).filter(|unit| (0xdc00..0xe000).contains(unit));
            let whole = low.and_then(|low| char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)));
            if whole.is_some() {
                rest = &rest[6..];
            }
            teller.tell(Delta::new(kind, whole.unwrap_or(char::REPLACEMENT_CHARACTER).to_string(), 0..0));
        }
        if let Some(high) = high_at_end(rest) {
            *slot = Some(high);
            rest = &rest[..rest.len() - 6];
        }
        if !rest.is_empty() {
            teller.tell(Delta::new(kind, json::unescaped(rest), source.at(rest)));
        }
        true
    }

    /// Whether a half waits.
    pub(super) fn any(&self) -> bool {
        self.waiting.iter().any(Option::is_some)
    }

    /// The reply is over: a half that still waits will have no second.
    pub(super) fn settle(&mut self, teller: &mut Teller<'_>) {
        for kind in [DeltaKind::Text, DeltaKind::Reasoning, DeltaKind::Refusal] {
            if self.waiting[slot(kind)].take().is_some() {
                teller.tell(Delta::new(kind, "\u{fffd}", 0..0));
            }
        }
    }
}

fn slot(kind: DeltaKind) -> usize {
    match kind {
        DeltaKind::Reasoning => 1,
        DeltaKind::Refusal => 2,
        _ => 0,
    }
}

/// The code unit of an escape at the front.
fn unit_at(content: &str) -> Option<u32> {
    u32::from_str_radix(content.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

/// The first half of a pair, escaped, at the end.
fn high_at_end(content: &str) -> Option<u32> {
    let bytes = content.as_bytes();
    let start = bytes.len().checked_sub(6)?;
    let [b'\\', b'u', b'd' | b'D', b'8' | b'9' | b'a' | b'b' | b'A' | b'B', _, _] = bytes[start..] else {
        return None;
    };
    // An even number of backslashes before it: else the last of them escapes this one.
    let before = bytes[..start].iter().rev().take_while(|byte| **byte == b'\\').count();
    (before % 2 == 0).then(|| unit_at(&content[start..])).flatten()
}
