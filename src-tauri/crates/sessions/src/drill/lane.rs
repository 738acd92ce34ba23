//! One lane from its first request to its end: asks, hears, notices, waits, comes back.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use weir_frames::sse;
use weir_transport::Journal;

use super::Drill;
use super::driver::{self, Over};
use super::lanes::LaneInfo;
use super::plan::numbers;
use super::protocol::{Asked, Heard, Protocol, Said};
use super::tally::Tally;

/// How often a lane comes back at most: a fault that meets every connection must end some time.
const COMEBACKS: u32 = 20;
/// The longest wait between two attempts that fail.
const LONGEST: Duration = Duration::from_secs(5);

/// What a lane has at hand.
pub(super) struct Lane {
    pub(super) info: &'static LaneInfo,
    pub(super) protocol: Box<dyn Protocol>,
    pub(super) drill: Arc<Drill>,
    /// Scheme, host and port of the Lab.
    pub(super) lab: String,
    pub(super) tally: Arc<Mutex<Tally>>,
    pub(super) changed: watch::Sender<u64>,
    pub(super) stop: watch::Receiver<bool>,
}

/// What hears a lane's connections.
pub(super) struct Ears<'a> {
    protocol: &'a mut dyn Protocol,
    tally: &'a Mutex<Tally>,
    changed: &'a watch::Sender<u64>,
    /// The last event id, which lives on from one connection to the next.
    pub(super) last_event_id: String,
    /// The reconnection time that the server has set.
    pub(super) retry: Option<Duration>,
    /// The reply is whole.
    pub(super) whole: bool,
    /// What is to be said on the socket.
    pub(super) answers: Vec<String>,
    /// Words came on this connection.
    begun: bool,
}

impl Ears<'_> {
    fn tally(&self) -> std::sync::MutexGuard<'_, Tally> {
        // Counts are changed one after another; a panic leaves none half changed.
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether any status but 200 is final.
    pub(super) fn takes_no_for_an_answer(&self) -> bool {
        self.protocol.takes_no_for_an_answer()
    }

    /// Bytes came, whatever they are.
    pub(super) fn byte(&mut self) {
        self.tally().byte(Instant::now());
    }

    /// An item of an event stream.
    pub(super) fn item(&mut self, item: &sse::Item<'_>) {
        match item {
            sse::Item::Event(event) => {
                event.id.clone_into(&mut self.last_event_id);
                self.hear(Heard::Event { data: &event.data, id: event.id }, event.span.len());
            }
            sse::Item::Silent { span, id } => {
                (*id).clone_into(&mut self.last_event_id);
                self.hear(Heard::Silent { id }, span.len());
            }
            sse::Item::Retry { ms, .. } => {
                self.retry = Some(Duration::from_millis(*ms));
                // One in the middle says that the server is about to go; one at the start is how it always is.
                if self.begun {
                    self.tally().announced(Instant::now(), format!("retry: {ms}"));
                }
            }
            sse::Item::Comment { .. } | sse::Item::Incomplete { .. } => {}
        }
    }

    /// A message, event or body of so many bytes.
    pub(super) fn hear(&mut self, heard: Heard<'_>, bytes: u64) {
        let now = Instant::now();
        for said in self.protocol.hear(heard) {
            match said {
                Said::Words(text) => {
                    self.begun = true;
                    let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
                    // A unit's bytes are counted once, however many words it carries.
                    numbers(&text).enumerate().for_each(|(at, number)| tally.word(now, number, if at == 0 { bytes } else { 0 }));
                }
                Said::Leaving(words) => self.tally().announced(now, words),
                Said::Answer { message, again } => {
                    if again {
                        self.tally().asked_again(message.len() as u64);
                    }
                    self.answers.push(message);
                }
                Said::Whole => self.whole = true,
            }
        }
        self.changed.send_modify(|version| *version += 1);
    }
}

/// Why a lane sends nothing more.
struct End {
    code: Option<String>,
    words: String,
}

impl End {
    fn new(code: impl Into<String>, words: impl Into<String>) -> Self {
        Self { code: Some(code.into()), words: words.into() }
    }
}

impl Lane {
    /// The first request, which the lane's session is named by.
    pub(super) fn first(&mut self) -> Asked {
        self.protocol.ask()
    }

    /// Runs it from its `first` request on. Everything that crosses goes to `journal`.
    pub(super) async fn run(mut self, first: Asked, journal: Journal) {
        let end = self.connections(first, &journal).await;
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.ended(Instant::now(), &end.words);
        tally.view.report.error = end.code;
        drop(tally);
        self.changed.send_modify(|version| *version += 1);
    }

    async fn connections(&mut self, first: Asked, journal: &Journal) -> End {
        let mut asked = first;
        let mut failures = 0_u32;
        let mut ears = Ears {
            protocol: self.protocol.as_mut(),
            tally: &self.tally,
            changed: &self.changed,
            last_event_id: String::new(),
            retry: None,
            whole: false,
            answers: Vec::new(),
            begun: false,
        };
        let mut stop = self.stop.clone();
        for n in 1.. {
            ears.begun = false;
            ears.tally().asked(Instant::now(), n, words(&asked));
            let fault = self.drill.fault_of(n);
            let wire = driver::Wire { lab: &self.lab, drill: &self.drill, info: self.info, journal, conn: n - 1, fault: &fault };
            let over = wire.attempt(&asked, &mut ears, &mut stop).await;
            failures = if ears.begun { 0 } else { failures + 1 };
            let (code, why) = match over {
                Over::Whole if ears.tally().view.report.lost == 0 => return End { code: None, words: "whole".into() },
                Over::Whole => return End::new("words-missing", "the reply ended as if it were whole"),
                Over::NothingMore => return End::new("nothing-more", "204: the server has nothing more"),
                Over::Stopped => return End::new("cancelled", "stopped"),
                Over::Final(code, why) => {
                    ears.tally().broken(Instant::now(), &why);
                    return End::new(code, why);
                }
                Over::Broken(code, why) => (code, why),
            };
            ears.tally().broken(Instant::now(), &why);
            ears.changed.send_modify(|version| *version += 1);
            if n > COMEBACKS {
                return End::new(code, format!("came back {COMEBACKS} times, and no more"));
            }
            let Some(next) = ears.protocol.ask_again() else {
                return End::new(code, "nothing may be sent again");
            };
            asked = next;
            let pause = ears.retry.unwrap_or_else(|| ears.protocol.pause()).max(Duration::from_millis(10));
            let pause = if ears.takes_no_for_an_answer() {
                pause
            } else {
                pause.saturating_mul(1 << failures.saturating_sub(1).min(8)).min(LONGEST.max(pause))
            };
            tokio::select! {
                () = sleep(pause) => {}
                () = driver::stopped(&mut stop) => return End::new("cancelled", "stopped"),
            }
        }
        End::new("cancelled", "stopped")
    }
}

/// A request in a few words.
fn words(asked: &Asked) -> String {
    match asked {
        Asked::Http { method, path, .. } => format!("{method} {}", path.split("?count").next().unwrap_or(path)),
        Asked::Socket { path, .. } => format!("WebSocket {}", path.rsplit('/').next().unwrap_or(path)),
    }
}
