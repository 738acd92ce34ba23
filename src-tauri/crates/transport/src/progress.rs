//! How far an exchange has got, as the tap sees it, and the time limits that follow from it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use crate::error::Stage;
use crate::{Blame, Error, Limits};

/// Shared by the tap, which writes it, and by limits and errors, which read it.
#[derive(Default)]
pub(crate) struct Progress {
    live: AtomicBool,
    /// The tap leaves its socket unread because the journal is full: the peer is not to blame for the silence.
    pub(crate) stalled: AtomicBool,
    /// Bytes written above TLS.
    pub(crate) written: AtomicU64,
    /// Bytes read above TLS.
    pub(crate) read: AtomicU64,
    /// The first bytes read above TLS.
    opening: Mutex<Opening>,
    times: Mutex<Times>,
}

/// As many bytes as it takes to tell HTTP/1 from HTTP/2.
#[derive(Clone, Copy, Default)]
struct Opening {
    bytes: [u8; 7],
    length: usize,
}

#[derive(Clone, Copy, Default)]
struct Times {
    sent: Option<Instant>,
    begun: bool,
    last: Option<Instant>,
}

impl Progress {
    fn times(&self) -> MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As it was before the exchange that is over: another begins.
    pub(crate) fn anew(&self) {
        self.stalled.store(false, Relaxed);
        self.written.store(0, Relaxed);
        self.read.store(0, Relaxed);
        *self.opening.lock().unwrap_or_else(PoisonError::into_inner) = Opening::default();
        *self.times() = Times::default();
    }

    pub(crate) fn is_live(&self) -> bool {
        self.live.load(Relaxed)
    }

    pub(crate) fn set_live(&self, live: bool) {
        self.live.store(live, Relaxed);
    }

    pub(crate) fn quiet_for(&self) -> Option<Duration> {
        self.times().last.map(|last| last.elapsed())
    }

    /// Bytes were read or written.
    pub(crate) fn touch(&self) {
        self.times().last = Some(Instant::now());
    }

    /// Bytes came.
    pub(crate) fn received(&self, bytes: &[u8]) {
        // Most reads are far behind the opening.
        if self.read.fetch_add(bytes.len() as u64, Relaxed) < 7 {
            let mut opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
            let Opening { bytes: held, length } = &mut *opening;
            let more = bytes.len().min(held.len() - *length);
            held[*length..*length + more].copy_from_slice(&bytes[..more]);
            *length += more;
        }
    }

    /// The peer's first bytes are an HTTP/1 status line's (RFC 9112 §4).
    pub(crate) fn opens_as_http1(&self) -> bool {
        self.opening.lock().unwrap_or_else(PoisonError::into_inner).bytes.starts_with(b"HTTP/1.")
    }

    /// The peer's first bytes are the header of the SETTINGS frame that a server of HTTP/2 begins with (RFC 9113 §3.4).
    pub(crate) fn opens_as_http2(&self) -> bool {
        let Opening { bytes, length } = *self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        length == bytes.len() && bytes[0] == 0 && bytes[3..7] == [4, 0, 0, 0]
    }

    /// The request's last byte has been written.
    pub(crate) fn sent(&self) {
        self.times().sent = Some(Instant::now());
    }

    /// The response's first byte has come.
    pub(crate) fn begin(&self) {
        self.times().begun = true;
    }

    pub(crate) fn stage(&self) -> Stage {
        let times = *self.times();
        match times {
            Times { begun: true, .. } => Stage::Receiving,
            Times { sent: Some(_), .. } => Stage::Waiting,
            _ if self.written.load(Relaxed) > 0 => Stage::Sending,
            _ => Stage::Dialling,
        }
    }

    /// Waits until a limit is over and tells which. Counted from now: the connection is up.
    pub(crate) async fn overdue(&self, limits: &Limits) -> Error {
        let start = Instant::now();
        loop {
            let Times { sent, begun, last } = *self.times();
            let next = match (begun, sent) {
                (false, Some(sent)) => limits.first_byte.map(|limit| (sent + limit, Overdue::FirstByte, limit)),
                // While the request is on its way out, silence counts as well: writes move `last`.
                _ => limits.idle.map(|limit| (last.unwrap_or(start) + limit, Overdue::Idle, limit)),
            };
            let Some((deadline, overdue, limit)) = next else {
                // A limit may begin to apply later, when the stage changes.
                sleep(Duration::from_millis(250)).await;
                continue;
            };
            if self.stalled.load(Relaxed) {
                sleep(Duration::from_millis(100)).await;
                self.touch();
                continue;
            }
            if Instant::now() >= deadline {
                return overdue.error(limit);
            }
            // A change of stage can bring the deadline forward, to a whole limit from now at the soonest.
            let soonest = limits.first_byte.into_iter().chain(limits.idle).min().unwrap_or(limit);
            sleep_until(deadline.min(Instant::now() + soonest)).await;
        }
    }
}

enum Overdue {
    FirstByte,
    Idle,
}

impl Overdue {
    fn error(&self, limit: Duration) -> Error {
        match self {
            Self::FirstByte => {
                Error::new(Blame::Network, "timeout-first-byte", format!("The server sent nothing within {} of the request.", Span(limit)))
                    .evidence("The connection was up and the request was written.")
                    .next("Raise the first-byte limit if the model thinks for long before it answers, or try again.")
            }
            Self::Idle => Error::new(Blame::Network, "timeout-idle", format!("No byte crossed the connection for {}.", Span(limit)))
                .evidence("The connection was not closed; it went silent.")
                .next("Raise the idle limit if the model pauses for long, or try again."),
        }
    }
}

/// Waits until the total limit of an exchange is over; for ever without one.
pub(crate) async fn total(limit: Option<Duration>) -> Error {
    match limit {
        Some(limit) => {
            sleep(limit).await;
            Error::new(Blame::Network, "timeout-total", format!("The exchange took longer than {}.", Span(limit)))
                .evidence("The exchange was still going on.")
                .next("Raise the total limit, or ask for a shorter reply.")
        }
        None => std::future::pending().await,
    }
}

/// A duration for people: `10 s`, `250 ms`.
pub(crate) struct Span(pub(crate) Duration);

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.subsec_millis() == 0 && self.0.as_secs() > 0 {
            write!(f, "{} s", self.0.as_secs())
        } else {
            write!(f, "{} ms", self.0.as_millis())
        }
    }
}
