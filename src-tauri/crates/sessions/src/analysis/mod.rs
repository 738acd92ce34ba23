//! The fold: a plan's dialect and a timed byte log in; rows, reply and figures out.
//!
//! Live, reopened and imported sessions all go through [`Analysis::push`] with the same entries in the same order, so they show the same.

mod body;
mod chunked;
mod connection;
mod deflated;
mod fold;
mod gaps;
mod ledger;
mod outcome;
mod phases;
mod reply;
mod row;
#[cfg(test)]
mod tests;
mod windows;

use weir_dialects::{Dialect, Transport};
use weir_transport::{Dir, Entry, Mark};

pub use body::{BARE, ELEMENT, record_of};
pub use chunked::Chunked;
pub use connection::opcode_name;
pub use deflated::Deflated;
pub use fold::{Fold, Stream, Told, looks_like_json};
pub use ledger::{Book, Ledger, OWNERS, Owner, Shares};
pub use outcome::of_error as problem_of;
pub use phases::Phases;
pub use reply::{Folded, Media, ReplyBlock, byte_of_utf16, utf16_len};
pub use row::{KINDS, Kind, Layer, Row, RowId};
pub use windows::{Left, Stall, Windows};

use connection::Connection;

use crate::console::Standing;
use crate::view::{ConsoleMode, Metrics, Outcome, State};

/// The fold of one session.
pub struct Analysis {
    /// Rows, streams, reply, counts.
    pub fold: Fold,
    /// Dial, end, and what else is told by marks.
    pub phases: Phases,
    connections: Vec<Connection>,
    sent: u64,
    reads: u32,
    last_t: u64,
    over: bool,
    again: Option<Again>,
    /// How a console stands, where this is one's log.
    console: Option<Standing>,
    /// The request carries no key: who is refused for want of one needs none other.
    pub keyless: bool,
}

/// Where the figures begin on a connection that had to be warmed up: what was there by then is none of theirs.
#[derive(Clone, Debug)]
pub struct Again {
    /// When the request that counts began, nanoseconds.
    pub t: u64,
    rows: u32,
    down: u64,
    up: u64,
    reads: u32,
    layers: Shares,
}

impl Analysis {
    /// The fold of a session in `dialect` whose reply was asked for over `transport`.
    pub fn new(dialect: &'static dyn Dialect, transport: Transport) -> Self {
        Self {
            fold: Fold::new(dialect, transport),
            phases: Phases::default(),
            connections: Vec::new(),
            sent: 0,
            reads: 0,
            last_t: 0,
            over: false,
            again: None,
            console: None,
            keyless: false,
        }
    }

    /// It is the log of a console: each connection is a group of rows of its own.
    pub fn console(&mut self, mode: ConsoleMode) {
        self.console = Some(Standing::new(mode));
    }

    /// How the console stands, where this is one's log.
    pub fn standing(&self) -> Option<&Standing> {
        self.console.as_ref()
    }

    /// Folds the next entry of the log in; every delta it brings is told.
    pub fn push(&mut self, entry: &Entry, told: &mut dyn FnMut(Told<'_>)) {
        match entry {
            Entry::Segment { conn, dir, t, bytes } => {
                self.last_t = *t;
                let at = self.connection(*conn);
                match dir {
                    Dir::In => {
                        self.reads += 1;
                        let (was_upgraded, responses) = (self.connections[at].upgraded(), self.connections[at].h2_responses());
                        self.connections[at].received(&mut self.fold, *t, bytes, told);
                        // Settings and window updates of an HTTP/2 server come before any response: its first byte is that of the head.
                        if self.connections[at].http() != Some("2") || self.connections[at].h2_responses() > responses {
                            self.phases.segment(*dir, *t);
                        }
                        if was_upgraded && self.connections[at].heard() {
                            self.phases.message(*t);
                        }
                    }
                    Dir::Out => {
                        self.phases.segment(*dir, *t);
                        self.sent += bytes.len() as u64;
                        self.connections[at].sent(&mut self.fold, *t, bytes, told);
                    }
                }
            }
            Entry::Mark { conn, t, mark } => {
                self.last_t = *t;
                let at = self.connection(*conn);
                if matches!(mark, Mark::Eof | Mark::Cancelled | Mark::Closed | Mark::Failed(_)) {
                    self.connections[at].finish(&mut self.fold, *t, told);
                }
                self.phases.mark(mark, *t);
                if *mark == Mark::Again {
                    self.again(*t);
                }
                if let Some(console) = &mut self.console {
                    console.mark(&mut self.fold, self.connections[at].streams(), *t, mark);
                }
            }
        }
    }

    /// The log is over. What stands unfinished is told as a recording that broke off leaves it.
    pub fn end(&mut self, told: &mut dyn FnMut(Told<'_>)) {
        if !std::mem::replace(&mut self.over, true) {
            for connection in &mut self.connections {
                connection.finish(&mut self.fold, self.last_t, told);
            }
            self.phases.end(self.last_t);
        }
    }

    /// The log is over.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// The provider's id of the last reply, for the next turn.
    pub fn reply_id(&self) -> Option<&str> {
        self.fold.folded.facts.id.as_deref()
    }

    /// The dialect saw its end marker: nothing more needs to be waited for.
    pub fn ended(&self) -> bool {
        self.fold.decoder.ended() && !self.fold.awaits_turn
    }

    /// Where the figures begin, if not at the dial.
    pub fn again_at(&self) -> Option<&Again> {
        self.again.as_ref()
    }

    /// Reads of the socket that gave bytes.
    pub fn reads(&self) -> u32 {
        self.reads - self.again.as_ref().map_or(0, |again| again.reads)
    }

    /// First non-empty reasoning, counted as [`Metrics`] counts.
    pub fn first_reasoning_ms(&self) -> Option<f64> {
        self.since_start(self.fold.first_reasoning)
    }

    /// Milliseconds from where the figures begin.
    fn since_start(&self, t: Option<u64>) -> Option<f64> {
        let zero = self.again.as_ref().map_or(0, |again| again.t);
        t.map(|t| t.saturating_sub(zero) as f64 / 1e6)
    }

    fn again(&mut self, t: u64) {
        let rows = self.fold.rows.len() as u32;
        let layers = self.fold.layers();
        self.again = Some(Again { t, rows, down: self.fold.wire, up: self.sent, reads: self.reads, layers });
        self.fold.again();
    }

    /// Where the session stands.
    pub fn state(&self) -> State {
        if self.over {
            State::Done
        } else if self.fold.wire > 0 && self.fold.rows.len() > 1 && self.phases.first_byte.is_some() {
            State::Streaming
        } else if self.sent > 0 {
            State::Waiting
        } else {
            State::Connecting
        }
    }

    /// How it ended; `None` while it runs.
    pub fn outcome(&self) -> Option<Outcome> {
        self.over.then(|| match &self.console {
            Some(console) => console.outcome(self),
            None => outcome::of(self),
        })
    }

    /// `1.1` or `2`, once bytes were sent.
    pub fn http(&self) -> Option<&'static str> {
        self.connections.iter().rev().find_map(Connection::http)
    }

    /// Whether the last connection carries WebSocket frames.
    pub fn upgraded(&self) -> bool {
        self.connections.last().is_some_and(Connection::upgraded)
    }

    /// Whether the last connection's upgrade, if it has one, was accepted on both sides. A server may send frames behind a 101 that breaks
    /// the rules; nobody asked for them.
    pub fn settled(&self) -> bool {
        self.connections.last().is_none_or(|connection| !connection.upgraded() || connection.spoke())
    }

    /// Time of the last entry, nanoseconds since the session began.
    pub fn elapsed(&self) -> u64 {
        self.last_t
    }

    /// Figures so far: of the request that counts, from its beginning, where the connection was warmed up.
    pub fn metrics(&self) -> Metrics {
        let ms = |t: Option<u64>| t.map(|t| t as f64 / 1e6);
        let (rows, down, up) = self.again.as_ref().map_or((0, 0, 0), |again| (again.rows, again.down, again.up));
        let fold = &self.fold;
        let first_byte = if self.upgraded() { self.phases.first_message } else { self.phases.first_byte };
        Metrics {
            dns_ms: ms(self.phases.dns),
            tcp_ms: ms(self.phases.tcp),
            tls_ms: ms(self.phases.tls),
            ttfb_ms: self.since_start(first_byte),
            ttft_ms: self.since_start(fold.content.0),
            first_text_ms: self.since_start(fold.content.1),
            total_ms: self.since_start(self.over.then_some(self.phases.end.unwrap_or(self.last_t))),
            rate: self.rate(),
            gap_p50_ms: fold.gaps.quantile(0.5).map(|ns| ns / 1e6),
            gap_p99_ms: fold.gaps.quantile(0.99).map(|ns| ns / 1e6),
            frames: fold.rows.len() as u32 - rows,
            deltas: fold.deltas as u32,
            bytes_down: fold.wire - down,
            bytes_up: self.sent - up,
            bytes_text: fold.text_bytes,
            bytes_tls: self.phases.tls_overhead.0,
            layers: self.layers(),
            flow: fold.windows.any.then(|| self.flow()),
        }
    }

    /// How long flow control kept either side from sending.
    fn flow(&self) -> crate::view::FlowTotals {
        let ((stalls_down, down), (stalls_up, up)) =
            (self.fold.windows.stalled(false, self.last_t), self.fold.windows.stalled(true, self.last_t));
        crate::view::FlowTotals { stalls_down, down_ms: down as f64 / 1e6, stalls_up, up_ms: up as f64 / 1e6 }
    }

    /// Output rate between the first and the last content of the present turn: the tokens behind the first over the time they took, as TPOT has it.
    fn rate(&self) -> Option<crate::view::Rate> {
        let ((first, deltas), last) = (self.fold.turn, self.fold.content.2);
        let seconds = last?.saturating_sub(first?) as f64 / 1e9;
        let reported = self.fold.folded.facts.usage.as_ref().and_then(|usage| {
            let output = usage.output_tokens?;
            let apart = if usage.output_includes_reasoning == Some(false) { usage.reasoning_tokens.unwrap_or(0) } else { 0 };
            Some(output + apart).filter(|&n| n > 1)
        });
        let count = reported.unwrap_or(deltas);
        (seconds > 0.0 && count > 1).then(|| crate::view::Rate { value: (count - 1) as f64 / seconds, estimate: reported.is_none() })
    }

    /// Every received byte of the request that counts once, by the innermost layer that owns it.
    fn layers(&self) -> Vec<(String, u64)> {
        let before = self.again.as_ref().map_or_else(Shares::default, |again| again.layers);
        self.fold.layers().less(&before).named()
    }

    fn connection(&mut self, number: u32) -> usize {
        // Connections are numbered from 0 without holes by whoever dials; a log that skips numbers still reads.
        while self.connections.len() <= number.min(4096) as usize {
            let next = self.connections.len() as u32;
            self.connections.push(Connection::new(&mut self.fold, next));
        }
        number.min(4096) as usize
    }
}
