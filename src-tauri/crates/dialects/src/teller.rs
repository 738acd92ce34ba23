//! Tells deltas to the caller's sink, and counts them: no payload may go untold.

use std::ops::Range;

use crate::delta::Part;
use crate::json::{self, Raw, Source};
use crate::{Delta, DeltaKind, Finish};

/// The sink for one payload's deltas.
pub(crate) struct Teller<'s> {
    sink: &'s mut dyn FnMut(Delta<'_>),
    told: usize,
}

impl<'s> Teller<'s> {
    /// A teller for one payload.
    pub(crate) fn new(sink: &'s mut dyn FnMut(Delta<'_>)) -> Self {
        Self { sink, told: 0 }
    }

    /// How many deltas the payload gave so far.
    pub(crate) fn told(&self) -> usize {
        self.told
    }

    /// Tells a delta.
    pub(crate) fn tell(&mut self, delta: Delta<'_>) {
        self.told += 1;
        (self.sink)(delta);
    }

    /// Tells a string value as text of `kind`, unless it is empty or no string. Whether it was told.
    pub(crate) fn text(&mut self, kind: DeltaKind, source: &Source<'_>, raw: Option<Raw<'_>>) -> bool {
        let Some(content) = raw.and_then(json::content).filter(|content| !content.is_empty()) else {
            return false;
        };
        self.tell(Delta::new(kind, json::unescaped(content), source.at(content)));
        true
    }

    /// Tells a control word.
    pub(crate) fn control(&mut self, word: &str, at: Range<usize>) {
        self.tell(Delta::new(DeltaKind::Control, word, at));
    }

    /// Tells what could not be understood, in words.
    pub(crate) fn unknown(&mut self, words: &str) {
        self.tell(Delta::new(DeltaKind::Unknown, words, 0..0));
    }

    /// Tells the dialect's end marker.
    pub(crate) fn end(&mut self, word: &str, at: Range<usize>) {
        self.tell(Delta { part: Part::End, ..Delta::new(DeltaKind::Control, word, at) });
    }

    /// Tells why the reply ended.
    pub(crate) fn finish(&mut self, reason: &str, at: Range<usize>) {
        self.tell(Delta { part: Part::Finish(Finish { reason: reason.to_owned() }), ..Delta::new(DeltaKind::Finish, reason, at) });
    }

    /// Tells a usage object, if it is one.
    pub(crate) fn usage(&mut self, source: &Source<'_>, raw: Option<Raw<'_>>) {
        if let Some(delta) = raw.and_then(|raw| crate::usage::delta(source, raw)) {
            self.tell(delta);
        }
    }
}
