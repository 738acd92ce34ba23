//! Counts what came, what came again and what did not come, and marks the moments.

use std::time::Duration;

use tokio::time::Instant;

use super::view::{LaneView, Moment, MomentKind, Tick};

/// One lane's count.
pub(super) struct Tally {
    /// Where its times count from.
    zero: Instant,
    /// Which words have come.
    seen: Vec<bool>,
    last_byte: Instant,
    last_new: Option<Instant>,
    /// When the first break was known, and how long that took.
    first_break: Option<(Instant, Duration)>,
    /// A break is not recovered from yet.
    broken: bool,
    /// What is shown.
    pub(super) view: LaneView,
}

impl Tally {
    /// A count of `meant` words, from `zero` on.
    pub(super) fn new(meant: u32, zero: Instant, mut view: LaneView) -> Self {
        view.report.meant = meant;
        view.report.lost = meant;
        Self { zero, seen: vec![false; meant as usize], last_byte: zero, last_new: None, first_break: None, broken: false, view }
    }

    fn moment(&mut self, at: Instant, kind: MomentKind, words: impl Into<String>) {
        self.view.moments.push(Moment { t_ms: ms(at.saturating_duration_since(self.zero)), kind, words: words.into() });
    }

    /// The `n`th request goes out.
    pub(super) fn asked(&mut self, at: Instant, n: u32, words: String) {
        // Nothing can be missed before anything was asked for.
        self.last_byte = at;
        self.view.report.reconnects = n.saturating_sub(1);
        self.moment(at, MomentKind::Asked, words);
    }

    /// A request was said that had been said before, in so many bytes.
    pub(super) fn asked_again(&mut self, bytes: u64) {
        self.view.report.asked_again += 1;
        self.view.report.bytes_twice += bytes;
        self.view.report.bytes_twice_up += bytes;
    }

    /// Bytes came.
    pub(super) fn byte(&mut self, at: Instant) {
        self.last_byte = at;
    }

    /// The server said that it will go.
    pub(super) fn announced(&mut self, at: Instant, words: String) {
        self.moment(at, MomentKind::Announced, words);
    }

    /// A word came, in a unit of so many bytes.
    pub(super) fn word(&mut self, at: Instant, number: u32, bytes: u64) {
        self.byte(at);
        let Some(seen) = self.seen.get_mut(number as usize) else { return };
        let again = std::mem::replace(seen, true);
        self.view.ticks.push(Tick { t_ms: ms(at.saturating_duration_since(self.zero)), again });
        if again {
            self.view.report.repeated += 1;
            self.view.report.bytes_twice += bytes;
            return;
        }
        self.view.report.lost -= 1;
        self.view.report.whole = self.view.report.lost == 0;
        if let Some(last) = self.last_new.replace(at) {
            let silence = ms(at - last);
            self.view.report.silence_ms = Some(self.view.report.silence_ms.unwrap_or_default().max(silence));
        }
        if let Some((noticed, _)) = self.first_break.filter(|_| self.broken) {
            self.broken = false;
            if self.view.report.recover_ms.is_none() {
                self.view.report.recover_ms = Some(ms(at - noticed));
            }
            self.moment(at, MomentKind::Recovered, format!("word {} is new", number + 1));
        }
    }

    /// The connection is known to be over too early.
    pub(super) fn broken(&mut self, at: Instant, why: &str) {
        if self.first_break.is_none() {
            let took = at.saturating_duration_since(self.last_byte);
            self.first_break = Some((at, took));
            self.view.report.notice_ms = Some(ms(took));
        }
        // An attempt that failed too belongs to the break before it.
        if !std::mem::replace(&mut self.broken, true) {
            self.moment(self.last_byte, MomentKind::Fault, "the last byte");
        }
        self.moment(at, MomentKind::Noticed, why);
    }

    /// Nothing more comes.
    pub(super) fn ended(&mut self, at: Instant, words: &str) {
        self.moment(at, MomentKind::Ended, words);
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(meant: u32, start: Instant) -> Tally {
        Tally::new(meant, start, LaneView::default())
    }

    #[tokio::test(start_paused = true)]
    async fn a_break_is_noticed_recovered_from_and_what_comes_again_is_counted() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut tally = tally(4, start);
        tally.asked(at(0), 1, "GET".into());
        tally.word(at(10), 0, 20);
        tally.word(at(20), 1, 20);
        tally.broken(at(520), "reset");
        tally.asked(at(1500), 2, "GET".into());
        tally.word(at(1520), 1, 20);
        tally.word(at(1540), 2, 20);
        let report = &tally.view.report;
        assert_eq!((report.notice_ms, report.recover_ms, report.silence_ms), (Some(500.0), Some(1020.0), Some(1520.0)));
        assert_eq!((report.lost, report.repeated, report.reconnects, report.bytes_twice, report.whole), (1, 1, 1, 20, false));
        let kinds: Vec<_> = tally.view.moments.iter().map(|moment| (moment.kind, moment.t_ms)).collect();
        use MomentKind::*;
        assert_eq!(kinds, [(Asked, 0.0), (Fault, 20.0), (Noticed, 520.0), (Asked, 1500.0), (Recovered, 1540.0)]);
        assert_eq!(tally.view.ticks.iter().filter(|tick| tick.again).count(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_that_never_came_back_has_no_time_to_recover() {
        let start = Instant::now();
        let mut tally = tally(2, start);
        tally.asked(start, 1, "POST".into());
        tally.word(start + Duration::from_millis(5), 0, 20);
        tally.broken(start + Duration::from_millis(45), "cut");
        let report = &tally.view.report;
        assert_eq!((report.notice_ms, report.recover_ms, report.lost), (Some(40.0), None, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_that_fail_belong_to_the_break_before_them() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut tally = tally(2, start);
        tally.asked(start, 1, String::new());
        tally.word(at(5), 0, 20);
        tally.broken(at(10), "reset");
        tally.asked(at(20), 2, String::new());
        tally.broken(at(25), "refused");
        tally.asked(at(40), 3, String::new());
        tally.word(at(50), 1, 20);
        assert_eq!(tally.view.report.recover_ms, Some(40.0));
        assert_eq!(tally.view.moments.iter().filter(|moment| moment.kind == MomentKind::Fault).count(), 1);
        // A word nobody meant counts for nothing.
        tally.word(at(60), 7, 20);
        assert!(tally.view.report.whole && tally.view.report.repeated == 0);
    }
}
