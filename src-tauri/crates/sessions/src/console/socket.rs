//! The WebSocket console on the wire.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;

use weir_frames::ws::deflate::Offer;
use weir_transport::ws::{self, Message, Sender};
use weir_transport::{Error, Journal, Mark, Target};

use crate::line::Wish;
use crate::session::Session;
use crate::view::ConsoleDraft;

/// Messages that may wait to be sent before no more is read: a server that writes without reading is slowed down, not hoarded.
const AHEAD: usize = 64;

/// Connects, sends what the user wishes and what the rules say, and reads until the socket is closed.
pub(super) async fn run(target: &Target, draft: &ConsoleDraft, session: &Arc<Session>, journal: Journal) -> Result<(), Error> {
    let plan = session.plan();
    let mut wishes = session.line().open();
    let offer = draft.deflate.then(Offer::default);
    let (headers, subprotocols) = (plan.headers(), plan.subprotocols());
    let opening = ws::open_offering(target, &headers, &subprotocols, offer.as_ref(), journal.clone(), 0, session.control());
    let mut socket = opening.await?;
    journal.mark(0, Mark::Sent);
    drop(journal);
    let sender = socket.sender();
    let mut ahead = Ahead::default();
    loop {
        tokio::select! {
            // What is to be said goes before the next message is looked at, which may end it all.
            biased;
            () = ahead.next(), if !ahead.0.is_empty() => {}
            Some(wish) = wishes.recv(), if ahead.0.len() < AHEAD => {
                session.reflexes().wake();
                if let Wish::Say(message) = &wish {
                    session.hide_in(&message.text, &sender);
                }
                ahead.push(&sender, wish);
            }
            item = socket.next(), if ahead.0.len() < AHEAD => match item {
                None => return Ok(()),
                Some(message) => {
                    for answer in session.reflexes().answers(&message?) {
                        match answer {
                            Message::Text(text) => {
                                // A text message is UTF-8, or its connection would have failed.
                                if let Ok(text) = String::from_utf8(text.into()) {
                                    session.hide_in(&text, &sender);
                                    ahead.push(&sender, Wish::Say(weir_dialects::Outgoing::text(text)));
                                }
                            }
                            Message::Binary(bytes) => ahead.push(&sender, Wish::Bytes(bytes.into())),
                            _ => {}
                        }
                    }
                }
            },
        }
    }
}

/// Messages on their way, in their order. Reading goes on while one of them cannot be written yet, so that a server that writes all it has
/// before it reads does not wait for a client that waits for it.
#[derive(Default)]
struct Ahead(VecDeque<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Ahead {
    fn push(&mut self, sender: &Sender, wish: Wish) {
        let sender = sender.clone();
        self.0.push_back(Box::pin(async move {
            // That the socket is closed already is told by the socket; what cannot be sent was refused when it was asked for.
            let _ = match wish {
                Wish::Say(message) if message.binary => sender.send_binary(message.text.into_bytes()).await,
                Wish::Say(message) => sender.send_text(message.text).await,
                Wish::Bytes(bytes) => sender.send_binary(bytes).await,
                Wish::Ping(payload) => sender.ping(payload).await,
                Wish::Close(code, reason) => sender.close(code, &reason).await,
                Wish::HangUp => sender.close(1000, "").await,
            };
        }));
    }

    /// Resolves when the next one is sent. Nothing is lost of one that this is called off in.
    async fn next(&mut self) {
        if let Some(first) = self.0.front_mut() {
            first.await;
            self.0.pop_front();
        }
    }
}
