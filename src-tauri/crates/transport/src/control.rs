//! The user's hand on a running exchange: stop it, let it end, see whether it lives.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::progress::Progress;

/// Handle on one exchange or WebSocket, or on all connections of a [`crate::reconnect`] stream. Clones are the same handle. Use a fresh
/// one for each of them.
#[derive(Clone)]
pub struct Control {
    wish: Arc<watch::Sender<Wish>>,
    progress: Arc<Progress>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wish {
    GoOn,
    Finish,
    Cancel,
}

impl Control {
    /// A handle on an exchange that has yet to begin.
    pub fn new() -> Self {
        Self { wish: Arc::new(watch::Sender::new(Wish::GoOn)), progress: Arc::default() }
    }

    /// Closes the socket at once, wherever the exchange is; it then fails with code `cancelled`. Bytes that were read stay in the
    /// journal.
    pub fn cancel(&self) {
        self.wish(Wish::Cancel);
    }

    /// The reply is complete as its decoder sees it: gives the body at most a second to end by itself, then closes. The exchange
    /// succeeds either way. A WebSocket is closed with 1000.
    pub fn finish(&self) {
        self.wish(Wish::Finish);
    }

    fn wish(&self, wish: Wish) {
        self.wish.send_if_modified(|now| {
            let more = wish > *now;
            *now = wish.max(*now);
            more
        });
    }

    /// Whether the exchange has begun and not ended.
    pub fn is_live(&self) -> bool {
        self.progress.is_live()
    }

    /// How long ago the last byte came in or went out; `None` before the first one.
    pub fn quiet_for(&self) -> Option<Duration> {
        self.progress.quiet_for()
    }

    pub(crate) fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    pub(crate) async fn cancelled(&self) {
        self.wished(Wish::Cancel).await;
    }

    pub(crate) async fn finishing(&self) {
        self.wished(Wish::Finish).await;
    }

    pub(crate) fn is_finishing(&self) -> bool {
        *self.wish.borrow() >= Wish::Finish
    }

    async fn wished(&self, wish: Wish) {
        // The sender lives in `self`, so this ends only with the wish.
        let _ = self.wish.subscribe().wait_for(|now| *now >= wish).await;
    }
}

impl Default for Control {
    fn default() -> Self {
        Self::new()
    }
}
