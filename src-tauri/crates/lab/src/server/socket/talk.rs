//! A dialect's conversation on a WebSocket: hears what comes, does what the dialect's [`Talk`] wants done, and plays its replies one
//! after the other.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use super::super::Client;
use super::super::http::Asked;
use super::{Packet, SocketOutlet, frame};
use crate::ask::Ask;
use crate::connections::{Exchange, State, Transport};
use crate::dialects::{Act, Heard, Render, Talk};
use crate::models::Behaviour;
use crate::overrides::Terms;
use crate::pace::Shape;
use crate::play::{Ending, Outlet, play};
use crate::rejection::Rejection;
use crate::script::Script;

/// Replies that wait for the one under way.
const WAITING: usize = 64;

/// A conversation on one socket.
pub(super) struct Conversation {
    talk: Box<dyn Talk>,
    client: Client,
    path: String,
    terms: Terms,
    exchange: Arc<Exchange>,
    out: mpsc::Sender<Packet>,
    waiting: VecDeque<(Ask, Box<dyn Render>)>,
    /// Breaks off the reply under way; none when there is none.
    playing: Option<Option<oneshot::Sender<()>>>,
    /// The event that ends it is on its way.
    ending: Arc<AtomicBool>,
    begun: u64,
}

/// A reply that is over.
pub(in crate::server) struct Turn {
    script: Script,
    /// None if the client cancelled it.
    ending: Option<Ending>,
}

impl Conversation {
    pub(super) fn new(asked: &Asked, talk: Box<dyn Talk>, exchange: Arc<Exchange>, out: mpsc::Sender<Packet>) -> Conversation {
        let terms = asked.terms.clone();
        let (client, path) = (asked.client.clone(), asked.head.uri.path().to_string());
        Conversation { talk, client, path, terms, exchange, out, waiting: VecDeque::new(), playing: None, ending: Arc::default(), begun: 0 }
    }

    /// What is said first; to a client with a wrong key it is all that is said.
    pub(super) fn open(&mut self, wrong_key: bool, tasks: &mut JoinSet<()>) -> Vec<Packet> {
        if !wrong_key {
            let acts = self.talk.open();
            return self.act(acts, tasks);
        }
        let acts = self.talk.refuse(&Rejection::wrong_key());
        let mut packets = self.act(acts, tasks);
        if !matches!(packets.last(), Some(Packet::Close(..))) {
            packets.push(Packet::close(1008));
        }
        packets
    }

    pub(super) fn message(&mut self, message: Message, tasks: &mut JoinSet<()>) -> Vec<Packet> {
        if self.terms.faults.empty {
            return vec![Packet::close(1000)];
        }
        let acts = match &message {
            Message::Text(text) => self.talk.hear(Heard::Text(text)),
            Message::Binary(bytes) => self.talk.hear(Heard::Binary(bytes)),
            _ => Vec::new(),
        };
        self.act(acts, tasks)
    }

    /// Whether a reply's last event is on its way, and that it is over is not known here yet.
    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Relaxed)
    }

    /// A reply has come to its end.
    pub(super) fn over(&mut self, turn: Turn, tasks: &mut JoinSet<()>) -> Vec<Packet> {
        self.playing = None;
        self.ending.store(false, Relaxed);
        self.exchange.set(State::Idle);
        match turn.ending {
            Some(Ending::Reset) => return vec![Packet::Kill { reset: true }],
            Some(Ending::Cut) => return vec![Packet::Kill { reset: false }],
            Some(Ending::Close(code)) => return vec![Packet::close(code)],
            Some(Ending::Restart) => {
                self.client.deployed(&self.path, &self.terms.faults);
                return vec![Packet::close(1012)];
            }
            Some(Ending::Gone) => return Vec::new(),
            // With nothing to end it, only the socket's end can.
            Some(Ending::Complete) if self.terms.faults.no_end_marker => return vec![Packet::close(1000)],
            Some(Ending::Complete) | None => {}
        }
        let acts = self.talk.hear(Heard::Said(&turn.script));
        let mut packets = self.act(acts, tasks);
        packets.extend(self.next(tasks));
        packets
    }

    fn act(&mut self, acts: Vec<Act>, tasks: &mut JoinSet<()>) -> Vec<Packet> {
        let opcode = if self.talk.binary() { frame::BINARY } else { frame::TEXT };
        let mut packets = Vec::new();
        for act in acts {
            match act {
                Act::Send(text) => packets.push(Packet::message(opcode, text.as_bytes())),
                Act::Say(asked) if self.waiting.len() < WAITING => {
                    self.waiting.push_back(*asked);
                    packets.extend(self.next(tasks));
                }
                Act::Say(_) => {
                    let acts = self.talk.refuse(&Rejection::pretended(429));
                    packets.extend(self.act(acts, tasks));
                }
                Act::Cancel => {
                    self.waiting.clear();
                    // Fails when the reply is over by itself, which is as good.
                    if let Some(cancel) = self.playing.as_mut().and_then(Option::take) {
                        let _ = cancel.send(());
                    }
                }
                Act::Close(code, reason) => packets.push(Packet::Close(code, reason)),
            }
        }
        packets
    }

    /// Begins the next reply, if none is under way.
    fn next(&mut self, tasks: &mut JoinSet<()>) -> Vec<Packet> {
        let mut packets = Vec::new();
        while self.playing.is_none() {
            let Some((ask, render)) = self.waiting.pop_front() else { break };
            match ask.check() {
                Ok(()) => self.begin(&ask, render, tasks),
                Err(rejection) => {
                    let acts = self.talk.refuse(&rejection);
                    packets.extend(self.act(acts, tasks));
                }
            }
        }
        packets
    }

    fn begin(&mut self, ask: &Ask, mut render: Box<dyn Render>, tasks: &mut JoinSet<()>) {
        let Terms { mut settings, faults } = self.terms.clone();
        if ask.model.behaviour == Behaviour::Bursty {
            settings.pace.shape = Shape::Bursty;
        }
        let mut script = Script::compose(ask, Transport::Ws, &settings, faults.split_utf8.is_some());
        self.begun += 1;
        script.renumber(self.begun);
        self.exchange.expect(script.tokens());
        self.exchange.set(State::Streaming);
        let (cancel, cancelled) = oneshot::channel();
        self.playing = Some(Some(cancel));
        let (exchange, out) = (self.exchange.clone(), self.out.clone());
        let mut outlet = SocketOutlet::new(out.clone(), &faults, self.talk.binary(), self.ending.clone());
        tasks.spawn(async move {
            let start = Instant::now();
            let ending = tokio::select! {
                ending = play(&script, render.as_mut(), &settings.pace, &faults, start, &exchange, &mut outlet) => Some(ending),
                Ok(()) = cancelled => None,
            };
            if ending.is_none() {
                for event in render.cancelled(&script) {
                    let payload = event.data.clone().into_bytes();
                    if outlet.send(&event, payload, Default::default()).await.is_err() {
                        return;
                    }
                }
            }
            // Fails when the connection is gone.
            let _ = out.send(Packet::Over(Box::new(Turn { script, ending }))).await;
        });
    }
}
