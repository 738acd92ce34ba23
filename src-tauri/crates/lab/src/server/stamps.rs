//! When bytes left, by the Lab's own clock: what a client says of their arrival is held against these stamps.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::held;

/// Writes that are kept of one connection; later ones are not.
const WRITES: usize = 1 << 20;
/// Connections that are kept; later ones are not.
const CONNECTIONS: usize = 256;

/// One write of a socket.
#[derive(Debug, Clone, Copy)]
pub struct Written {
    /// Right before the system was asked to take the bytes: on loopback a peer may have read them before the call returns.
    pub at: Instant,
    /// Bytes written on the connection up to and with this write.
    pub end: u64,
}

/// What was written on one connection.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The client's address.
    pub peer: SocketAddr,
    /// Its writes, in their order. They count what went to the socket: with TLS, its records.
    pub writes: Vec<Written>,
}

impl Sent {
    /// When the byte before `end` was written; `None` where it never was.
    pub fn at(&self, end: u64) -> Option<Instant> {
        let first = self.writes.partition_point(|write| write.end < end);
        self.writes.get(first).map(|write| write.at)
    }
}

/// Stamps of the connections that were accepted since they were asked for, in the order they came.
#[derive(Debug, Clone, Default)]
pub struct Stamps(Arc<Mutex<Vec<Arc<Mutex<Sent>>>>>);

impl Stamps {
    /// What was written so far.
    pub fn connections(&self) -> Vec<Sent> {
        held(&self.0).iter().map(|sent| held(sent).clone()).collect()
    }

    /// How many connections there were.
    pub fn len(&self) -> usize {
        held(&self.0).len()
    }

    /// Whether there was none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn begin(&self, peer: SocketAddr) -> Option<Stamp> {
        let mut all = held(&self.0);
        if all.len() >= CONNECTIONS {
            return None;
        }
        let sent = Arc::new(Mutex::new(Sent { peer, writes: Vec::new() }));
        all.push(sent.clone());
        Some(Stamp(sent))
    }
}

/// Stamps one connection's writes.
#[derive(Debug)]
pub(super) struct Stamp(Arc<Mutex<Sent>>);

impl Stamp {
    pub(super) fn wrote(&self, at: Instant, bytes: usize) {
        let writes = &mut held(&self.0).writes;
        if writes.len() < WRITES {
            let end = writes.last().map_or(0, |write| write.end) + bytes as u64;
            writes.push(Written { at, end });
        }
    }
}
