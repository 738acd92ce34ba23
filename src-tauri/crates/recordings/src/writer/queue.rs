//! What waits for the disk: a bounded pile that whoever records puts on, and the writer takes as a whole.
//!
//! The writer gathers anyway, so it is woken when it has a time to keep (the pile was empty) or a batch to write (the pile is one), not
//! at each append: in a flood that would be a switch of threads for every read of a socket.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Instant;

use super::{BATCH, QUEUE, Recording};
use crate::{Error, Record};

/// What a record costs in memory besides its payload.
const RECORD: usize = 64;

/// Records on their way, by session.
pub type Pile = Vec<(Arc<Recording>, Vec<Record>)>;

/// Records on their way, of all sessions.
#[derive(Debug, Default)]
pub struct Queue {
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    pile: Pile,
    /// What the pile costs.
    cost: usize,
    /// What the pile and what is being written cost.
    queued: usize,
    /// When the pile's first record came.
    since: Option<Instant>,
    /// The writer is gone.
    closed: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Puts records on the pile; waits for room first. Something larger than the whole queue goes in alone. True where the writer is to
    /// look at the pile.
    pub fn append(&self, to: &Arc<Recording>, records: Vec<Record>) -> Result<bool, Error> {
        let cost: usize = records.iter().map(|record| record.bytes.len() + RECORD).sum();
        let full = |state: &mut State| !state.closed && state.queued > 0 && state.queued + cost > QUEUE;
        let mut state = self.freed.wait_while(self.lock(), full).unwrap_or_else(|poisoned| poisoned.into_inner());
        if state.closed {
            return Err(Error::Closed);
        }
        let before = state.cost;
        state.queued += cost;
        state.cost += cost;
        match state.pile.iter_mut().find(|(recording, _)| recording.key == to.key) {
            Some((_, all)) => all.extend(records),
            None => state.pile.push((to.clone(), records)),
        }
        let first = state.since.is_none();
        if first {
            state.since = Some(Instant::now());
        }
        Ok(first || (before < BATCH && state.cost >= BATCH))
    }

    /// Bytes on their way to the disk.
    pub fn queued(&self) -> usize {
        self.lock().queued
    }

    /// When the pile's first record came, and what the pile costs; `None` where there is no pile.
    pub fn waiting(&self) -> Option<(Instant, usize)> {
        let state = self.lock();
        state.since.map(|since| (since, state.cost))
    }

    /// The pile, and what it costs until [`Queue::leave`] is told.
    pub fn take(&self) -> (Pile, usize) {
        let mut state = self.lock();
        state.since = None;
        (std::mem::take(&mut state.pile), std::mem::take(&mut state.cost))
    }

    /// That much is written, or given up.
    pub fn leave(&self, cost: usize) {
        self.lock().queued -= cost;
        self.freed.notify_all();
    }
}

/// Nobody waits for a writer that is gone, whatever ended it.
pub struct CloseQueue(pub Arc<Queue>);

impl Drop for CloseQueue {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.freed.notify_all();
    }
}
