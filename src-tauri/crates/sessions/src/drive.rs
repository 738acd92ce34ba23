//! Drives one exchange: the protocol library keeps the wire correct, the taps keep the bytes. What the reply means is the fold's business.

use std::collections::VecDeque;
use std::sync::Arc;

use weir_dialects::{Header, Outgoing, Transport};
use weir_transport::{Journal, Mark, Target, http, ws};

use crate::line::Wish;
use crate::session::Session;

/// Sends the session's plan and reads until the reply is over. Errors are in the log as marks.
///
/// `signed` are the fields of a signed request.
pub async fn run(target: Target, signed: Option<Vec<Header>>, session: &Arc<Session>, journal: Journal) {
    let plan = session.plan();
    let control = session.control().clone();
    let end = if plan.draft.transport == Transport::Websocket {
        socket(&target, session, journal.clone()).await
    } else {
        http::exchange(&target, &plan.request(signed.as_deref()), journal.clone(), 0, &control).await
    };
    session.line().close();
    // Dropping the last journal ends the capture.
    let _ = end;
    drop(journal);
}

async fn socket(target: &Target, session: &Arc<Session>, journal: Journal) -> Result<(), weir_transport::Error> {
    let plan = session.plan();
    let control = session.control().clone();
    let line = session.line();
    let mut queue: VecDeque<Outgoing> = plan.call.messages.iter().cloned().collect();
    for word in queue.iter().filter_map(|message| message.after.as_deref()) {
        line.want(word);
    }
    let mut wishes = line.open();
    let mut socket = ws::open(target, &plan.headers(), &plan.subprotocols(), journal.clone(), 0, &control).await?;
    let sender = socket.sender();
    let mut sent = false;
    loop {
        while let Some(next) = queue.pop_front_if(|next| next.after.as_deref().is_none_or(|word| line.was_heard(word))) {
            match next.binary {
                true => sender.send_binary(next.text.into_bytes()).await?,
                false => sender.send_text(next.text).await?,
            }
        }
        if queue.is_empty() && !std::mem::replace(&mut sent, true) {
            journal.mark(0, Mark::Sent);
        }
        tokio::select! {
            message = socket.next() => match message {
                Some(message) => drop(message?),
                None => return Ok(()),
            },
            () = line.news(), if !queue.is_empty() => {}
            Some(wish) = wishes.recv() => match wish {
                Wish::Say(message) => {
                    if let Some(word) = &message.after {
                        line.want(word);
                    }
                    queue.push_back(message);
                }
                Wish::Ping(payload) => sender.ping(payload).await?,
                Wish::HangUp => control.finish(),
            },
        }
    }
}
