//! Replies that outlive their connection: what was said is kept while it is being said, and may be heard again from some place on.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use tokio::sync::watch;
use tokio::time::Instant;

use super::held;
use crate::connections::Exchange;
use crate::dialects::{Event, From, Render};
use crate::fault::Faults;
use crate::framing::Framing;
use crate::play::{Damage, Ending, Gone, Leaving, Manner, Outlet, broken_off, wait};
use crate::script::Script;
use crate::settings::Settings;

/// Tapes that are kept.
const TAPES: usize = 64;
/// Events on all of them; the oldest go first. One tape may hold as many.
pub(super) const EVENTS: usize = 200_000;

/// One reply's events.
#[derive(Debug)]
pub(super) struct Tape {
    events: Mutex<Vec<(Event, usize)>>,
    /// How many there are, and whether that is all.
    length: watch::Sender<(usize, bool)>,
    cancelled: AtomicBool,
}

/// The tapes of a Lab by name.
#[derive(Debug, Default)]
pub(super) struct Tapes(VecDeque<(String, Arc<Tape>)>);

impl Tapes {
    /// The tape of this name.
    pub(super) fn find(&self, name: &str) -> Option<Arc<Tape>> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, tape)| tape.clone())
    }

    /// A new tape; one that had the name is forgotten.
    pub(super) fn begin(&mut self, name: String) -> Arc<Tape> {
        self.0.retain(|(known, _)| *known != name);
        let tape = Arc::new(Tape { events: Mutex::default(), length: watch::Sender::new((0, false)), cancelled: AtomicBool::new(false) });
        self.0.push_back((name, tape.clone()));
        while self.0.len() > 1 && (self.0.len() > TAPES || self.0.iter().map(|(_, tape)| tape.len()).sum::<usize>() > EVENTS) {
            self.0.pop_front();
        }
        tape
    }
}

impl Tape {
    fn len(&self) -> usize {
        self.length.borrow().0
    }

    /// Whether its reply is over.
    pub(super) fn is_over(&self) -> bool {
        self.length.borrow().1
    }

    /// The reply is to end as it is.
    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Relaxed);
        self.end();
    }

    fn end(&self) {
        self.length.send_modify(|length| length.1 = true);
    }

    fn push(&self, event: Event) {
        let mut events = held(&self.events);
        events.push((event, 0));
        self.length.send_modify(|length| length.0 = events.len());
    }

    /// Ready once something is on it.
    pub(super) async fn begun(&self) {
        self.event(0).await;
    }

    /// The event at `at` with the tokens it ends, once it is there; none if the reply is over before.
    async fn event(&self, at: usize) -> Option<(Event, usize)> {
        // The sender lives in the tape, so this cannot fail.
        let _ = self.length.subscribe().wait_for(|(length, over)| *length > at || *over).await;
        held(&self.events).get(at).cloned()
    }

    /// What is on it so far, the newest first, of the first that `find` finds something in.
    pub(super) fn newest<T>(&self, find: impl Fn(&Event) -> Option<T>) -> Option<T> {
        held(&self.events).iter().rev().find_map(|(event, _)| find(event))
    }

    /// Where to go on from.
    pub(super) fn place(&self, from: &From) -> usize {
        let events = held(&self.events);
        let after = |passed: &dyn Fn(&Event) -> bool| events.iter().rposition(|(event, _)| passed(event)).map_or(0, |at| at + 1);
        match from {
            From::Start => 0,
            From::Sequence(number) => after(&|event| sequence(event).is_some_and(|own| own <= *number)),
            From::Id(id) => after(&|event| event.id.as_ref() == Some(id)),
        }
    }
}

/// The `sequence_number` of an event.
fn sequence(event: &Event) -> Option<u64> {
    serde_json::from_str::<serde_json::Value>(&event.data).ok()?["sequence_number"].as_u64()
}

/// Says a script onto a tape, in the rhythm of `settings`, whoever listens.
pub(super) async fn record(
    tape: Arc<Tape>,
    script: Script,
    mut render: Box<dyn Render>,
    settings: Settings,
    start: Instant,
    exchange: Exchange,
) {
    let mut outlet = Recording(&tape);
    crate::play::play(&script, render.as_mut(), &settings.pace, &Faults::default(), start, &exchange, &mut outlet).await;
    exchange.set(crate::connections::State::Complete);
    tape.end();
}

/// Where a reply goes that is kept.
struct Recording<'a>(&'a Tape);

impl Outlet for Recording<'_> {
    async fn send(&mut self, event: &Event, _: Vec<u8>, _: Manner) -> Result<(), Gone> {
        if self.0.cancelled.load(Relaxed) {
            return Err(Gone);
        }
        self.0.push(event.clone());
        Ok(())
    }

    async fn pad(&mut self, _: &str, _: u64, _: &str) -> Result<(), Gone> {
        Ok(())
    }

    fn said(&mut self, tokens: usize) {
        if let Some((_, last)) = held(&self.0.events).last_mut() {
            *last += tokens;
        }
    }

    async fn gone(&self) {
        std::future::pending().await
    }
}

/// Lets a client hear a tape from `at` on, and does to its connection what the faults ask for. The reply goes on whatever becomes of it.
pub(super) async fn follow<O: Outlet>(
    tape: &Tape,
    mut at: usize,
    faults: &Faults,
    exchange: &Exchange,
    outlet: &mut O,
) -> Result<Ending, Gone> {
    let mut damage = Damage { faults, events: 0, since_split: 0 };
    let mut leaving = Leaving::of(faults);
    let mut stall = faults.stall;
    let mut said = 0;
    loop {
        if let Some(stall) = stall.take_if(|stall| said >= stall.after as usize) {
            wait(Instant::now() + stall.time, outlet).await?;
        }
        if let Some(ending) = broken_off(faults, said) {
            return Ok(ending);
        }
        leaving.said(said, outlet).await?;
        let next = tokio::select! {
            biased;
            () = leaving.down() => return Ok(Ending::Restart),
            () = outlet.gone() => return Err(Gone),
            next = tape.event(at) => next,
        };
        let Some((event, tokens)) = next else { break };
        damage.send(event, outlet).await?;
        said += tokens;
        exchange.said(tokens);
        at += 1;
    }
    if !faults.no_end_marker {
        outlet.finish().await?;
    }
    Ok(Ending::Complete)
}

/// The framing of a tape's events, as the connection's faults have it.
pub(super) fn framing(framing: Framing, faults: &Faults) -> Framing {
    match framing {
        Framing::Sse { space, .. } if faults.cr_only => Framing::Sse { end: "\r", space },
        framing => framing,
    }
}
