//! The ledger of exchanges, for the Lab view. A row is one request and its response, or one WebSocket; several rows may share
//! a socket under keep-alive or HTTP/2.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use ts_rs::TS;

/// How many rows are kept. Rows still open are kept beyond it.
pub const ROWS: usize = 200;

/// How a reply travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export, rename = "LabTransport")]
pub enum Transport {
    /// One request, one whole response.
    Http,
    /// Server-sent events.
    Sse,
    /// One JSON value a line.
    Ndjson,
    /// `application/vnd.amazon.eventstream`.
    Eventstream,
    /// A JSON array, delivered piece by piece.
    Array,
    /// WebSocket.
    Ws,
}

/// Who ended an exchange early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export, rename = "LabSide")]
pub enum Side {
    /// The client went away.
    Client,
    /// The Lab did it: a fault, *Close all*, or the end of the Lab.
    Lab,
}

/// Where an exchange stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[ts(export, rename = "LabConnectionState")]
pub enum State {
    /// A reply is being made or sent.
    Streaming,
    /// A WebSocket with nothing under way.
    Idle,
    /// All was sent.
    Complete,
    /// Ended before all was sent.
    Dropped {
        /// By whom.
        by: Side,
    },
    /// A WebSocket closed by a close frame.
    Closed {
        /// The code the first close frame carried; 1005 stands for a frame without one.
        code: u16,
    },
}

impl State {
    fn is_final(self) -> bool {
        !matches!(self, State::Streaming | State::Idle)
    }
}

/// One exchange.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export, rename = "LabConnection")]
pub struct Row {
    /// Counts from 1 since the Lab started.
    #[ts(type = "number")]
    pub id: u64,
    /// First product of the User-Agent, such as `curl/8.5.0`; `unknown` without one.
    pub client: String,
    /// How the reply travels.
    pub transport: Transport,
    /// Path without its query.
    pub path: String,
    /// Where it stands.
    pub state: State,
    /// Milliseconds since it began; stands still once it has ended.
    pub age_ms: f64,
    /// Tokens sent; none where there are no tokens to speak of.
    #[ts(type = "number | null")]
    pub tokens: Option<u64>,
    /// Tokens to be sent in all.
    #[ts(type = "number | null")]
    pub of: Option<u64>,
    /// Bytes of response body or of WebSocket frames, without HTTP's own framing.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Faults that are on for it, or `none`.
    pub fault: String,
}

/// The ledger at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export, rename = "LabConnections")]
pub struct Snapshot {
    /// Exchanges that have not ended.
    pub open: u32,
    /// Exchanges since the Lab started.
    #[ts(type = "number")]
    pub since_start: u64,
    /// Newest first.
    pub rows: Vec<Row>,
}

/// All exchanges of a Lab.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    rows: Mutex<VecDeque<Arc<Entry>>>,
    begun: AtomicU64,
}

#[derive(Debug)]
struct Entry {
    id: u64,
    client: String,
    path: String,
    fault: String,
    transport: Transport,
    began: Instant,
    tokens: AtomicU64,
    of: AtomicU64,
    bytes: AtomicU64,
    state: Mutex<(State, Option<f64>)>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere leaves whole values behind: nothing here is half written.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ledger {
    pub(crate) fn begin(&self, client: String, transport: Transport, path: String, fault: String) -> Exchange {
        let id = self.begun.fetch_add(1, Relaxed) + 1;
        let state = if transport == Transport::Ws { State::Idle } else { State::Streaming };
        let entry = Arc::new(Entry {
            id,
            client,
            path,
            fault,
            transport,
            began: Instant::now(),
            tokens: AtomicU64::new(0),
            of: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            state: Mutex::new((state, None)),
        });
        let mut rows = held(&self.rows);
        rows.push_back(entry.clone());
        while rows.len() > ROWS {
            match rows.iter().position(|e| held(&e.state).0.is_final()) {
                Some(oldest) => drop(rows.remove(oldest)),
                None => break,
            }
        }
        Exchange(entry)
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let rows: Vec<Row> = held(&self.rows).iter().rev().map(|e| e.row()).collect();
        Snapshot { open: rows.iter().filter(|r| !r.state.is_final()).count() as u32, since_start: self.begun.load(Relaxed), rows }
    }
}

impl Entry {
    fn age(&self) -> f64 {
        self.began.elapsed().as_secs_f64() * 1000.0
    }

    fn row(&self) -> Row {
        let (state, age) = *held(&self.state);
        let of = self.of.load(Relaxed);
        Row {
            id: self.id,
            client: self.client.clone(),
            transport: self.transport,
            path: self.path.clone(),
            state,
            age_ms: age.unwrap_or_else(|| self.age()),
            tokens: (of > 0).then(|| self.tokens.load(Relaxed)),
            of: (of > 0).then_some(of),
            bytes: self.bytes.load(Relaxed),
            fault: self.fault.clone(),
        }
    }
}

/// A row being written. Dropped before it ended, it counts as dropped by the client: hyper lets go of a response the moment
/// its client is gone.
#[derive(Debug)]
pub(crate) struct Exchange(Arc<Entry>);

impl Exchange {
    /// So many more tokens are to come.
    pub(crate) fn expect(&self, tokens: usize) {
        self.0.of.fetch_add(tokens as u64, Relaxed);
    }

    pub(crate) fn said(&self, tokens: usize) {
        self.0.tokens.fetch_add(tokens as u64, Relaxed);
    }

    pub(crate) fn sent(&self, bytes: usize) {
        self.0.bytes.fetch_add(bytes as u64, Relaxed);
    }

    /// Moves on; the first final state stays.
    pub(crate) fn set(&self, state: State) {
        let mut held = held(&self.0.state);
        if !held.0.is_final() {
            *held = (state, state.is_final().then(|| self.0.age()));
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.set(State::Dropped { by: Side::Client });
    }
}

/// The first product of a User-Agent.
pub(crate) fn client_of(headers: &http::HeaderMap) -> String {
    let agent = headers.get(http::header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    agent.split_whitespace().next().map_or_else(|| "unknown".into(), |p| p.chars().take(64).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn open_rows_outlive_ended_ones() {
        let ledger = Ledger::default();
        let open = ledger.begin("a".into(), Transport::Sse, "/x".into(), "none".into());
        for _ in 0..ROWS * 2 {
            ledger.begin("b".into(), Transport::Http, "/y".into(), "none".into()).set(State::Complete);
        }
        let snapshot = ledger.snapshot();
        assert_eq!((snapshot.rows.len(), snapshot.open, snapshot.since_start), (ROWS, 1, ROWS as u64 * 2 + 1));
        assert_eq!(snapshot.rows.last().unwrap().client, "a");
        drop(open);
        assert_eq!(ledger.snapshot().rows.last().unwrap().state, State::Dropped { by: Side::Client });
    }

    #[test]
    fn clients_are_named_by_their_first_product() {
        let mut headers = http::HeaderMap::new();
        assert_eq!(client_of(&headers), "unknown");
        headers.insert("user-agent", "curl/8.5.0 (x) lib/1".parse().unwrap());
        assert_eq!(client_of(&headers), "curl/8.5.0");
    }
}
