//! Lenses held against the standard while a body comes in: each until its first difference.

use std::collections::VecDeque;

use super::clients::Client;
use super::difference::compare;
use super::{Difference, Event, Format, Lens};
use crate::{Limits, Span};

/// Longest event that is compared, bytes. The readers of eight clients keep one each.
const UNIT: usize = 4 << 20;
/// How far the stream goes on before one side is said not to have an event that the other has, bytes.
const LAG: u64 = 1 << 20;
/// The same in events.
const AHEAD: usize = 4096;
/// Bytes that all take before they are compared.
const PIECE: usize = 4 << 10;

/// What came of a lens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The same as the standard so far.
    Same,
    /// It sees something else.
    Differs(Box<Found>),
    /// An event is longer than what is compared: nobody looked behind it.
    Unsettled {
        /// Where that event begins in the body, or where one side gave up.
        at: u64,
    },
}

/// The first difference, with both readings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What and where.
    pub difference: Difference,
    /// The event as the standard has it.
    pub standard: Option<Event>,
    /// As the client has it.
    pub client: Option<Event>,
}

/// Reads a body by the standard and by other lenses at once. Memory does not grow with the body.
#[derive(Debug)]
pub struct Comparison {
    format: Format,
    standard: Client,
    /// The standard's events that some lens has not answered, from index `first` on.
    ahead: VecDeque<Event>,
    first: usize,
    followers: Vec<Follower>,
    at: u64,
    over: bool,
}

#[derive(Debug)]
struct Follower {
    lens: Lens,
    client: Client,
    /// What the client has and the standard has not answered.
    seen: VecDeque<Event>,
    /// Events that are the same.
    same: usize,
    verdict: Verdict,
}

/// Reads bytes of the body that were pushed before.
pub type Body<'a> = &'a mut dyn FnMut(Span) -> Vec<u8>;

impl Comparison {
    /// A comparison of these lenses at the start of a body of `format`.
    pub fn new(format: Format, lenses: &[Lens]) -> Self {
        let limits = Limits { unit: UNIT, ..Limits::default() };
        let follower =
            |&lens: &Lens| Follower { lens, client: Client::new(lens, limits), seen: VecDeque::new(), same: 0, verdict: Verdict::Same };
        Self {
            format,
            standard: Client::new(format.standard(), limits),
            ahead: VecDeque::new(),
            first: 0,
            followers: lenses.iter().map(follower).collect(),
            at: 0,
            over: false,
        }
    }

    /// Takes the next bytes, which end a read (or a chunk) where `border` says so. `body` is asked for the bytes of a difference.
    pub fn push(&mut self, bytes: &[u8], border: bool, body: Body<'_>) {
        let mut pieces = bytes.chunks(PIECE).peekable();
        while let Some(piece) = pieces.next() {
            if self.settled() {
                return;
            }
            let border = border && pieces.peek().is_none();
            self.at += piece.len() as u64;
            let Self { standard, ahead, followers, .. } = self;
            standard.push(piece, border, &mut |event| ahead.push_back(event));
            for Follower { client, seen, .. } in followers.iter_mut().filter(|follower| follower.verdict == Verdict::Same) {
                client.push(piece, border, &mut |event| seen.push_back(event));
            }
            self.compare(body);
        }
    }

    /// The body is over.
    pub fn finish(&mut self, body: Body<'_>) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        let Self { standard, ahead, followers, .. } = self;
        standard.finish(&mut |event| ahead.push_back(event));
        for Follower { client, seen, .. } in followers.iter_mut().filter(|follower| follower.verdict == Verdict::Same) {
            client.finish(&mut |event| seen.push_back(event));
        }
        self.compare(body);
    }

    /// Nothing that comes can change a verdict.
    pub fn settled(&self) -> bool {
        self.over || self.followers.iter().all(|follower| follower.verdict != Verdict::Same)
    }

    /// Bytes of the body so far.
    pub fn read(&self) -> u64 {
        self.at
    }

    /// What came of each lens so far, and how many events it had the same.
    pub fn verdicts(&self) -> impl Iterator<Item = (Lens, usize, &Verdict)> {
        self.followers.iter().map(|follower| (follower.lens, follower.same, &follower.verdict))
    }

    fn compare(&mut self, body: Body<'_>) {
        let Self { format, ahead, first, followers, at, over, .. } = self;
        for follower in followers.iter_mut().filter(|follower| follower.verdict == Verdict::Same) {
            follower.catch_up(*format, ahead, *first, *at, *over, body);
        }
        let open = || followers.iter().filter(|follower| follower.verdict == Verdict::Same);
        let answered = open().map(|follower| follower.same).min().map_or(ahead.len(), |same| same - *first);
        ahead.drain(..answered.min(ahead.len()));
        *first += answered;
    }
}

impl Follower {
    /// Compares what both sides have, until one of them waits for the other or they differ.
    fn catch_up(&mut self, format: Format, ahead: &VecDeque<Event>, first: usize, at: u64, over: bool, body: Body<'_>) {
        loop {
            let (standard, client) = (ahead.get(self.same - first), self.seen.front());
            let waits = |event: &Event, more: usize| !over && at.saturating_sub(event.span.end) <= LAG && more <= AHEAD;
            match (standard, client) {
                (None, None) => break,
                (Some(event), None) if waits(event, ahead.len() - (self.same - first)) => break,
                // The standard tells a line at its LF, so all that a client has beyond that is of the line that is still open: the first of
                // it decides once the line is there, and the rest need not be kept.
                (None, Some(_)) if format == Format::Ndjson && !over => {
                    self.seen.truncate(1);
                    break;
                }
                (None, Some(event)) if waits(event, self.seen.len()) => break,
                _ => {}
            }
            let long = [standard, client].into_iter().flatten().find(|event| event.oversized).map(|event| event.span.start);
            if let Some(at) = long {
                return self.decide(Verdict::Unsettled { at });
            }
            if let Some(difference) = compare(body, self.same, standard, client) {
                let found = Found { difference, standard: standard.cloned(), client: client.cloned() };
                return self.decide(Verdict::Differs(Box::new(found)));
            }
            self.seen.pop_front();
            self.same += 1;
        }
        if self.client.held() > UNIT {
            self.decide(Verdict::Unsettled { at });
        }
    }

    fn decide(&mut self, verdict: Verdict) {
        self.verdict = verdict;
        self.seen = VecDeque::new();
        // What it kept is needed no more.
        self.client = Client::new(Lens::SplitBlankLine, Limits::default());
    }
}
