//! What is said on an open socket after the handshake: the plan's messages, each when its time has come, then what the user adds.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::{Notify, mpsc};
use weir_dialects::{Delta, DeltaKind, Outgoing};

/// Something the user wants done on the socket.
#[derive(Debug)]
pub(crate) enum Wish {
    /// Send this.
    Say(Outgoing),
    /// Send a ping with this payload (RFC 6455 §5.5.2).
    Ping(String),
    /// Send these bytes as a binary message.
    Bytes(Vec<u8>),
    /// Begin the closing handshake with this code and reason.
    Close(u16, String),
    /// Close with 1000.
    HangUp,
}

/// The line to a session's socket.
#[derive(Default)]
pub(crate) struct Line {
    /// Words that messages wait for, and those of them that were heard.
    words: Mutex<Words>,
    /// Some message waits: most sessions never do, and their deltas are not looked at.
    listens: AtomicBool,
    heard: Notify,
    /// The turn that warms the connection up is over.
    warmed: Notify,
    wishes: Mutex<Option<mpsc::UnboundedSender<Wish>>>,
}

#[derive(Default)]
struct Words {
    wanted: HashSet<String>,
    heard: HashSet<String>,
}

impl Line {
    /// The socket opens: what comes out is what the user wishes, until the line is dropped or [`Line::close`]d.
    pub(crate) fn open(&self) -> mpsc::UnboundedReceiver<Wish> {
        let (sender, receiver) = mpsc::unbounded_channel();
        *self.wishes.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        receiver
    }

    /// The socket is closed: nothing more can be said.
    pub(crate) fn close(&self) {
        *self.wishes.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Wishes something. Whether somebody is there to fulfil it.
    pub(crate) fn wish(&self, wish: Wish) -> bool {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(|line| line.send(wish).is_ok())
    }

    /// A message will wait for `word`; what was heard before does not count.
    pub(crate) fn want(&self, word: &str) {
        let mut words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        words.heard.remove(word);
        words.wanted.insert(word.to_owned());
        self.listens.store(true, Ordering::Release);
    }

    /// Whether `word` was heard since it was wanted.
    pub(crate) fn was_heard(&self, word: &str) -> bool {
        self.words.lock().unwrap_or_else(PoisonError::into_inner).heard.contains(word)
    }

    /// The peer said something.
    pub(crate) fn hear(&self, delta: &Delta<'_>) {
        if delta.kind != DeltaKind::Control || !self.listens.load(Ordering::Acquire) {
            return;
        }
        let mut words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        if words.wanted.contains(delta.text.as_ref()) {
            words.heard.insert(delta.text.clone().into_owned());
            drop(words);
            self.heard.notify_one();
        }
    }

    /// The turn that was to warm the connection up is over.
    pub(crate) fn warm(&self) {
        self.warmed.notify_one();
    }

    /// Resolves when it is.
    pub(crate) async fn is_warm(&self) {
        self.warmed.notified().await;
    }

    /// Resolves when a wanted word is heard.
    pub(crate) async fn news(&self) {
        self.heard.notified().await;
    }
}
