//! The machine's clocks, held against one another: figures are measured on the monotonic one, and what the others say tells whether the
//! machine slept, stood still, or had its time of day set meanwhile.

use std::time::{Duration, Instant, SystemTime};

/// A difference between two clocks that is told: far more than clocks are slewed by between two runs.
const JUMP: Duration = Duration::from_secs(1);
/// How often a run under way looks at the clocks.
pub(super) const BEAT: Duration = Duration::from_millis(250);
/// A beat that comes so much too late means that the program stood still: replies wait in the socket meanwhile, and their times are wrong.
const STILL: Duration = Duration::from_secs(3);

/// All clocks at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// Time of day.
    pub wall: SystemTime,
    /// What figures are measured on. It does not count sleep, but on Windows.
    pub monotonic: Instant,
    /// Time since the machine started, sleep included; where the system has such a clock.
    pub boot: Option<Duration>,
}

/// Where clocks are read; tests have their own.
pub trait Clock: Send + Sync {
    /// All of them now.
    fn read(&self) -> Reading;
}

/// This machine's.
pub struct SystemClock;

impl Clock for SystemClock {
    fn read(&self) -> Reading {
        Reading { wall: SystemTime::now(), monotonic: Instant::now(), boot: boot() }
    }
}

#[cfg(target_os = "linux")]
fn boot() -> Option<Duration> {
    // CLOCK_BOOTTIME "is identical to CLOCK_MONOTONIC, except that it also includes any time that the system is suspended"
    // (clock_gettime(2)).
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
}

#[cfg(not(target_os = "linux"))]
fn boot() -> Option<Duration> {
    None
}

/// What happened to the clocks between two readings.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Oddity {
    /// How far the time of day ran ahead of what had passed, ms. Where the system does not tell sleep, that may be why.
    pub(super) jump_ms: Option<f64>,
    /// How long the machine slept, ms, where the system tells.
    pub(super) slept_ms: Option<f64>,
    /// How long the program stood still, ms.
    pub(super) stood_ms: Option<f64>,
    /// Sleep would show.
    pub(super) tells_sleep: bool,
}

impl Oddity {
    /// What lies between `then` and `now`.
    pub(super) fn between(then: Reading, now: Reading) -> Self {
        let ran = now.monotonic.saturating_duration_since(then.monotonic);
        let passed = now.boot.zip(then.boot).map(|(now, then)| now.saturating_sub(then));
        let wall = match now.wall.duration_since(then.wall) {
            Ok(ahead) => ahead.as_secs_f64(),
            Err(back) => -back.duration().as_secs_f64(),
        };
        let jump = wall - passed.unwrap_or(ran).as_secs_f64();
        let slept = passed.map(|passed| passed.saturating_sub(ran)).filter(|slept| *slept > JUMP);
        Self {
            jump_ms: (jump.abs() > JUMP.as_secs_f64()).then_some(jump * 1e3),
            slept_ms: slept.map(|slept| slept.as_secs_f64() * 1e3),
            stood_ms: None,
            tells_sleep: passed.is_some(),
        }
    }

    /// A beat that was due [`BEAT`] after `then` came `now`.
    pub(super) fn beat(&mut self, then: Reading, now: Reading) {
        let late = now.monotonic.saturating_duration_since(then.monotonic).saturating_sub(BEAT);
        if late > STILL {
            self.stood_ms = Some(self.stood_ms.unwrap_or(0.0).max(late.as_secs_f64() * 1e3));
        }
    }

    /// Whether a run in which it happened does not count: a clock that was merely set touches no figure.
    pub(super) fn disturbs(self) -> bool {
        self.slept_ms.is_some() || self.stood_ms.is_some() || (self.jump_ms.is_some() && !self.tells_sleep)
    }

    /// Something happened.
    pub(super) fn is_some(self) -> bool {
        self.jump_ms.is_some() || self.slept_ms.is_some() || self.stood_ms.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: Reading, wall: f64, monotonic: f64, boot: Option<f64>) -> Reading {
        let wall_at = if wall < 0.0 { start.wall - Duration::from_secs_f64(-wall) } else { start.wall + Duration::from_secs_f64(wall) };
        Reading {
            wall: wall_at,
            monotonic: start.monotonic + Duration::from_secs_f64(monotonic),
            boot: boot.zip(start.boot).map(|(boot, start)| start + Duration::from_secs_f64(boot)),
        }
    }

    fn start() -> Reading {
        Reading {
            wall: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
            monotonic: Instant::now(),
            boot: Some(Duration::from_secs(99)),
        }
    }

    #[test]
    fn clocks_that_agree_tell_nothing() {
        let start = start();
        let odd = Oddity::between(start, at(start, 60.9, 60.0, Some(60.0)));
        assert!(!odd.is_some() && !odd.disturbs(), "{odd:?}");
    }

    #[test]
    fn sleep_is_told_from_a_clock_that_was_set() {
        let start = start();
        let slept = Oddity::between(start, at(start, 322.0, 2.0, Some(322.0)));
        assert_eq!((slept.slept_ms.map(f64::round), slept.jump_ms), (Some(320_000.0), None));
        assert!(slept.disturbs());
        let set = Oddity::between(start, at(start, -7198.0, 2.0, Some(2.0)));
        assert_eq!((set.slept_ms, set.jump_ms.map(f64::round)), (None, Some(-7_200_000.0)));
        assert!(!set.disturbs(), "the monotonic clock measured on");
        let both = Oddity::between(start, at(start, 3922.0, 2.0, Some(322.0)));
        assert_eq!((both.slept_ms.map(f64::round), both.jump_ms.map(f64::round)), (Some(320_000.0), Some(3_600_000.0)));
    }

    #[test]
    fn where_sleep_does_not_show_a_jump_may_be_one() {
        let start = Reading { boot: None, ..start() };
        let odd = Oddity::between(start, at(start, 322.0, 2.0, None));
        assert_eq!(odd.jump_ms.map(f64::round), Some(320_000.0));
        assert!(odd.disturbs());
    }

    #[test]
    fn a_late_beat_is_a_standstill() {
        let start = start();
        let mut odd = Oddity::between(start, start);
        odd.beat(start, at(start, 1.0, 1.0, Some(1.0)));
        assert!(!odd.disturbs());
        odd.beat(start, at(start, 8.25, 8.25, Some(8.25)));
        odd.beat(start, at(start, 4.0, 4.0, Some(4.0)));
        assert_eq!(odd.stood_ms, Some(8000.0));
        assert!(odd.disturbs());
    }

    #[test]
    fn this_machine_has_clocks() {
        let one = SystemClock.read();
        let odd = Oddity::between(one, SystemClock.read());
        assert!(!odd.is_some(), "{odd:?}");
        assert_eq!(odd.tells_sleep, cfg!(target_os = "linux"));
    }
}
