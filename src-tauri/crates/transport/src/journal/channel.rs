//! The queue between the taps, which append on the runtime's threads, and one consumer, which is a plain thread.
//!
//! The queue is bounded by bytes, and the bound is kept by not reading: an append always succeeds, and a tap that finds the
//! queue full ([`Journal::poll_ready`]) leaves its socket unread until the consumer has caught up. So nothing is dropped, and
//! the peer feels the backpressure. Memory can exceed the bound by at most one read for each connection.

use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{Dir, Entry, Mark};

/// The session's clock: monotonic, its zero where the session began. Connections of one session share it.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// A clock that reads zero now.
    pub fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// A clock that read zero at `origin`.
    pub fn since(origin: Instant) -> Self {
        Self { origin }
    }

    /// Where its zero is.
    pub fn origin(&self) -> Instant {
        self.origin
    }

    /// Nanoseconds since the session began.
    pub fn now(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// A journal and its only reader, on a clock that starts now. `capacity` is in bytes, see [`Journal::poll_ready`].
pub fn channel(capacity: usize) -> (Journal, JournalReader) {
    channel_on(Clock::start(), capacity)
}

/// As [`channel`], on a clock that already runs.
pub fn channel_on(clock: Clock, capacity: usize) -> (Journal, JournalReader) {
    let shared = Arc::new(Shared {
        clock,
        capacity,
        queued: AtomicUsize::new(0),
        state: Mutex::new(State { entries: Vec::new(), stalled: Vec::new(), writers: 1, reader: Reader::Busy }),
        arrived: Condvar::new(),
    });
    (Journal(Arc::clone(&shared)), JournalReader(shared))
}

struct Shared {
    clock: Clock,
    capacity: usize,
    /// What the queued entries weigh. Written under the lock, read without it.
    queued: AtomicUsize,
    state: Mutex<State>,
    arrived: Condvar,
}

struct State {
    entries: Vec<Entry>,
    /// Taps that wait for room.
    stalled: Vec<Waker>,
    writers: usize,
    reader: Reader,
}

#[derive(PartialEq)]
enum Reader {
    /// It looks into the queue again before it sleeps: no wake-up needed.
    Busy,
    Asleep,
    Gone,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes everything queued and lets the stalled taps read on.
    fn take(&self, mut state: MutexGuard<'_, State>, into: &mut Vec<Entry>) -> usize {
        let taken = state.entries.len();
        if into.is_empty() {
            mem::swap(&mut state.entries, into);
        } else {
            into.append(&mut state.entries);
        }
        self.queued.store(0, Ordering::Release);
        let stalled = mem::take(&mut state.stalled);
        drop(state);
        stalled.into_iter().for_each(Waker::wake);
        taken
    }
}

/// The writing end. Cheap to clone; every connection of a session has one.
pub struct Journal(Arc<Shared>);

impl Journal {
    /// Nanoseconds since the session began.
    pub fn now(&self) -> u64 {
        self.0.clock.now()
    }

    /// The session's clock.
    pub fn clock(&self) -> Clock {
        self.0.clock
    }

    /// Appends an entry. Never blocks and never fails; once the reader is gone, entries go nowhere.
    pub fn append(&self, entry: Entry) {
        // The entry's own size counts too, so that a flood of tiny reads is bounded as well.
        let weight = size_of::<Entry>() + if let Entry::Segment { bytes, .. } = &entry { bytes.len() } else { 0 };
        let mut state = self.0.lock();
        if state.reader == Reader::Gone {
            return;
        }
        state.entries.push(entry);
        self.0.queued.fetch_add(weight, Ordering::Release);
        if state.reader == Reader::Asleep {
            state.reader = Reader::Busy;
            drop(state);
            self.0.arrived.notify_one();
        }
    }

    /// Appends bytes that crossed connection `conn` at `t`.
    pub fn segment(&self, conn: u32, dir: Dir, t: u64, bytes: Bytes) {
        if !bytes.is_empty() {
            self.append(Entry::Segment { conn, dir, t, bytes });
        }
    }

    /// Appends an event that happened now.
    pub fn mark(&self, conn: u32, mark: Mark) {
        self.mark_at(conn, self.now(), mark);
    }

    /// Appends an event that happened at `t`.
    pub fn mark_at(&self, conn: u32, t: u64, mark: Mark) {
        self.append(Entry::Mark { conn, t, mark });
    }

    /// Bytes that wait for the reader, an entry's own size included.
    pub fn queued(&self) -> usize {
        self.0.queued.load(Ordering::Acquire)
    }

    /// Ready while at most the capacity is queued; else wakes the caller when the reader has taken the queue.
    pub fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.queued() <= self.0.capacity {
            return Poll::Ready(());
        }
        let mut state = self.0.lock();
        // The reader may have been here since.
        if self.queued() <= self.0.capacity || state.reader == Reader::Gone {
            return Poll::Ready(());
        }
        if !state.stalled.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.stalled.push(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl Clone for Journal {
    fn clone(&self) -> Self {
        self.0.lock().writers += 1;
        Self(Arc::clone(&self.0))
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.writers -= 1;
        if state.writers == 0 {
            drop(state);
            self.0.arrived.notify_all();
        }
    }
}

/// The reading end. It takes whole batches: one lock for everything queued.
pub struct JournalReader(Arc<Shared>);

impl JournalReader {
    /// Appends everything queued to `into` and tells how many entries that were. Blocks the thread while nothing is queued;
    /// 0 once every [`Journal`] is gone and the queue is empty.
    pub fn recv_many(&mut self, into: &mut Vec<Entry>) -> usize {
        let mut state = self.0.lock();
        while state.entries.is_empty() && state.writers > 0 {
            state.reader = Reader::Asleep;
            state = self.0.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.reader = Reader::Busy;
        }
        self.0.take(state, into)
    }

    /// As [`JournalReader::recv_many`], for at most `timeout`: `Some` of an empty batch when nothing came in that time, `None`
    /// once every [`Journal`] is gone and the queue is empty.
    pub fn recv_batch_blocking(&mut self, timeout: Duration) -> Option<Vec<Entry>> {
        let deadline = Instant::now() + timeout;
        let mut state = self.0.lock();
        while state.entries.is_empty() && state.writers > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state.reader = Reader::Asleep;
            state = self.0.arrived.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
            state.reader = Reader::Busy;
        }
        if state.entries.is_empty() && state.writers == 0 {
            return None;
        }
        let mut batch = Vec::new();
        self.0.take(state, &mut batch);
        Some(batch)
    }

    /// As [`JournalReader::recv_many`] without waiting: 0 when nothing is queued.
    pub fn try_recv_many(&mut self, into: &mut Vec<Entry>) -> usize {
        let state = self.0.lock();
        self.0.take(state, into)
    }
}

impl Drop for JournalReader {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.reader = Reader::Gone;
        let mut rest = Vec::new();
        // Lets the stalled taps go on: their connections end by themselves or are cancelled, they must not hang here.
        self.0.take(state, &mut rest);
    }
}

#[cfg(test)]
mod tests;
