//! The state of one lane: the response under way on it, and how many wait behind.

use super::super::calls::Calls;
use super::super::kept::Kept;
use super::super::seen::Seen;
use crate::delta::Part;
use crate::json::{Raw, Source, word};
use crate::teller::Teller;
use crate::{Delta, DeltaKind};

/// The responses of one `stream_id`, one after another.
#[derive(Default)]
pub(super) struct Lane {
    pub(super) calls: Calls,
    pub(super) text: Seen,
    pub(super) reasoning: Seen,
    pub(super) summary: Seen,
    pub(super) refusal: Seen,
    /// What was said of each kind of text, in the order of [`Stream`].
    pub(super) kept: [Kept; 4],
    /// The seal on the reasoning told last.
    pub(super) sealed: String,
    /// The response's id, once told.
    pub(super) id: String,
    /// Responses the client asked for that are not over yet; 0 where nobody told what it sent.
    pub(super) waiting: u32,
    /// Nothing more comes of its response, unless another is created.
    pub(super) ended: bool,
    /// The terminal event came.
    pub(super) whole: bool,
    /// The peer reported an error.
    pub(super) failed: bool,
}

/// The kinds of text that come in deltas and whole.
#[derive(Clone, Copy)]
pub(super) enum Stream {
    Text,
    Reasoning,
    Summary,
    Refusal,
}

impl Stream {
    pub(super) fn kind(self) -> DeltaKind {
        match self {
            Stream::Text => DeltaKind::Text,
            Stream::Reasoning | Stream::Summary => DeltaKind::Reasoning,
            Stream::Refusal => DeltaKind::Refusal,
        }
    }
}

impl Lane {
    pub(super) fn seen(&mut self, stream: Stream) -> &mut Seen {
        match stream {
            Stream::Text => &mut self.text,
            Stream::Reasoning => &mut self.reasoning,
            Stream::Summary => &mut self.summary,
            Stream::Refusal => &mut self.refusal,
        }
    }

    /// Another response begins on the lane.
    pub(super) fn renew(&mut self) {
        *self = Lane { waiting: self.waiting, ..Lane::default() };
    }

    /// The response is over; with `last` nothing follows it but what was asked for besides.
    pub(super) fn over(&mut self, last: bool) {
        if last && !self.ended && !self.failed {
            self.waiting = self.waiting.saturating_sub(1);
        }
        self.whole = true;
        self.ended = last && self.waiting == 0;
    }

    /// The peer refused, or gave up. Unless it is `another` failure, it is the one that was told before, if one was.
    pub(super) fn fail(&mut self, another: bool) {
        if another || !self.failed {
            self.waiting = self.waiting.saturating_sub(1);
        }
        self.failed = true;
        self.ended = self.waiting == 0;
    }

    /// Tells the response's id, once.
    pub(super) fn name(&mut self, source: &Source<'_>, id: Option<Raw<'_>>, teller: &mut Teller<'_>) {
        let Some((raw, id)) = id.and_then(|raw| Some((raw, word(Some(raw))?))).filter(|(_, id)| *id != self.id) else {
            return;
        };
        self.id = id.clone().into_owned();
        teller.tell(Delta { part: Part::Id, ..Delta::new(DeltaKind::Control, id, source.place(raw)) });
    }

    /// A part or item begins.
    pub(super) fn begin(&mut self) {
        self.kept.iter_mut().for_each(Kept::begin);
        for stream in [Stream::Text, Stream::Reasoning, Stream::Summary, Stream::Refusal] {
            self.seen(stream).begin();
        }
    }
}
