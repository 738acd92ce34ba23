//! Drives one exchange: the protocol library keeps the wire correct, the taps keep the bytes. What the reply means is the fold's business.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use tokio::sync::mpsc;
use weir_dialects::{Header, Outgoing, Transport};
use weir_frames::ws::deflate::Offer;
use weir_transport::{Journal, Mark, Target, http, ws};

use crate::Error;
use crate::console;
use crate::line::Wish;
use crate::session::Session;

/// Sends the session's plan on a thread of its own, which lasts until the session is over. So a read is timed when it happens and not behind
/// what another session's socket brought, and in a flood one thread is woken for each read where a pool's would take turns.
///
/// `signed` are the fields of a signed request.
///
/// # Errors
/// The system has no thread or no event queue to give; nothing was sent.
pub fn start(target: Target, signed: Option<Vec<Header>>, session: Arc<Session>, journal: Journal) -> Result<(), Error> {
    let refused = |error: std::io::Error| {
        Error::new(
            "local",
            "thread",
            "The system gives no thread to send with.",
            "Nothing was sent.",
            error.to_string(),
            "Close other programs, then send again.",
        )
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(refused)?;
    let driven = async move {
        run(target, signed, &session, journal).await;
        // What tasks of the connection still have to say is said on this runtime, and part of the session.
        session.ended().await;
    };
    std::thread::Builder::new().name("weir-socket".into()).spawn(move || runtime.block_on(driven)).map(drop).map_err(refused)
}

/// Sends the session's plan and reads until the reply is over. Errors are in the log as marks.
async fn run(target: Target, signed: Option<Vec<Header>>, session: &Arc<Session>, journal: Journal) {
    let plan = session.plan();
    let control = session.control().clone();
    let end = if let Some(console) = &plan.console {
        console::drive(&target, console, session, journal.clone()).await
    } else if plan.draft.transport == Transport::Websocket {
        socket(&target, session, journal.clone()).await
    } else if plan.draft.reused {
        http::exchange_again(&target, &plan.request(signed.as_deref()), journal.clone(), 0, &control).await
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
    let offer = plan.draft.deflate.then(Offer::default);
    let mut socket = ws::open_offering(target, &plan.headers(), &plan.subprotocols(), offer.as_ref(), journal.clone(), 0, &control).await?;
    let sender = socket.sender();
    // Apart from each other: in a flood the messages are read one after another, and nothing else is looked at between two of them.
    tokio::select! {
        end = socket.run() => end,
        Err(error) = speak(session, &mut queue, &mut wishes, &sender, &journal) => Err(error),
    }
}

/// Sends the plan's messages, each when its time has come, and then what the user wishes; ends only with an error.
async fn speak(
    session: &Arc<Session>,
    queue: &mut VecDeque<Outgoing>,
    wishes: &mut mpsc::UnboundedReceiver<Wish>,
    sender: &ws::Sender,
    journal: &Journal,
) -> Result<Infallible, weir_transport::Error> {
    let plan = session.plan();
    let (line, control) = (session.line(), session.control());
    let mut sent = false;
    // A connection that is to be reused carries the question twice.
    let mut again = plan.draft.reused;
    loop {
        let may_go = |next: &Outgoing| next.after.as_deref().is_none_or(|word| line.was_heard(word));
        while queue.front().is_some_and(may_go) {
            let Some(next) = queue.pop_front() else { break };
            session.hide_in(&next.text, sender);
            match next.binary {
                true => sender.send_binary(next.text.into_bytes()).await?,
                false => sender.send_text(next.text).await?,
            }
        }
        if queue.is_empty() && !std::mem::replace(&mut sent, true) {
            journal.mark(0, Mark::Sent);
        }
        tokio::select! {
            () = line.news(), if !queue.is_empty() => {}
            () = line.is_warm(), if again => {
                again = false;
                let previous = session.analysis().reply_id().map(str::to_owned);
                match plan.dialect().turn(&plan.draft.ask, plan.draft.transport, previous.as_deref()) {
                    Ok(turn) if !turn.is_empty() => {
                        for word in turn.iter().filter_map(|message| message.after.as_deref()) {
                            line.want(word);
                        }
                        queue.extend(turn);
                        sent = false;
                        journal.mark(0, Mark::Again);
                    }
                    // It was planned for a dialect that takes further turns; without one the reply so far is what there is.
                    _ => control.finish(),
                }
            }
            Some(wish) = wishes.recv() => match wish {
                Wish::Say(message) => queue.push_back(message),
                Wish::Ping(payload) => sender.ping(payload).await?,
                Wish::Bytes(bytes) => sender.send_binary(bytes).await?,
                Wish::Close(code, reason) => sender.close(code, &reason).await?,
                Wish::HangUp => control.finish(),
            },
            // Nothing more can be wished: what is left is to read to the end.
            else => std::future::pending().await,
        }
    }
}
