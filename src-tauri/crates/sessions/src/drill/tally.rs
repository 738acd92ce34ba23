//! Counts what came, what came again and what did not come.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

use super::LaneReport;

/// One lane's count.
pub(super) struct Tally {
    expected: u32,
    ids: HashSet<String>,
    distinct: u32,
    repeated: u32,
    bytes_twice: u64,
    connections: u32,
    last_byte: Instant,
    last_token: Option<Instant>,
    silence: Option<Duration>,
    /// When the first break was known, and how long that took.
    noticed: Option<(Instant, Duration)>,
    recovered: Option<Duration>,
}

impl Tally {
    pub(super) fn new(expected: u32, start: Instant) -> Self {
        Self {
            expected,
            ids: HashSet::new(),
            distinct: 0,
            repeated: 0,
            bytes_twice: 0,
            connections: 0,
            last_byte: start,
            last_token: None,
            silence: None,
            noticed: None,
            recovered: None,
        }
    }

    /// The `n`th attempt was answered.
    pub(super) fn connection(&mut self, n: u32) {
        self.connections = self.connections.max(n);
    }

    /// Something came that is no token.
    pub(super) fn byte(&mut self, at: Instant) {
        self.last_byte = at;
    }

    /// A token came, in an event of so many bytes. Without an id nobody can tell that it came before.
    pub(super) fn token(&mut self, at: Instant, id: &str, bytes: u64) {
        self.byte(at);
        if let Some(last) = self.last_token.replace(at) {
            self.silence = self.silence.max(Some(at - last));
        }
        if id.is_empty() || self.ids.insert(id.to_owned()) {
            self.distinct += 1;
            if let (Some((noticed, _)), None) = (self.noticed, self.recovered) {
                self.recovered = Some(at - noticed);
            }
        } else {
            self.repeated += 1;
            self.bytes_twice += bytes;
        }
    }

    /// The connection is known to be over too early.
    pub(super) fn broken(&mut self, at: Instant) {
        self.noticed.get_or_insert((at, at - self.last_byte));
    }

    /// All tokens have come.
    pub(super) fn is_whole(&self) -> bool {
        self.distinct >= self.expected
    }

    pub(super) fn report(mut self, lane: &'static str, resumes: &'static str, error: Option<String>, ended: Instant) -> LaneReport {
        if !self.is_whole() {
            self.broken(ended);
        }
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        LaneReport {
            lane,
            resumes,
            notice_ms: self.noticed.map(|(_, took)| ms(took)),
            recover_ms: self.recovered.map(ms),
            silence_ms: self.silence.map(ms),
            lost: self.expected.saturating_sub(self.distinct),
            repeated: self.repeated,
            reconnects: self.connections.saturating_sub(1),
            bytes_twice: self.bytes_twice,
            whole: self.is_whole(),
            error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_break_is_noticed_recovered_from_and_what_comes_again_is_counted() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut tally = Tally::new(4, start);
        tally.connection(1);
        tally.token(at(10), "1", 20);
        tally.token(at(20), "2", 20);
        tally.broken(at(520));
        tally.connection(2);
        tally.token(at(1520), "2", 20);
        tally.token(at(1540), "3", 20);
        let report = tally.report("events", "", None, at(1600));
        assert_eq!((report.notice_ms, report.recover_ms, report.silence_ms), (Some(500.0), Some(1020.0), Some(1500.0)));
        assert_eq!((report.lost, report.repeated, report.reconnects, report.bytes_twice, report.whole), (1, 1, 1, 20, false));
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_that_never_came_back_has_no_time_to_recover() {
        let start = Instant::now();
        let mut tally = Tally::new(2, start);
        tally.connection(1);
        tally.token(start + Duration::from_millis(5), "", 20);
        let report = tally.report("reply", "", Some("cut".into()), start + Duration::from_millis(45));
        assert_eq!((report.notice_ms, report.recover_ms, report.lost), (Some(40.0), None, 1));
    }
}
