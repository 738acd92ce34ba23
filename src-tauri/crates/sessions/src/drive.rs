//! Drives one exchange: the protocol library keeps the wire correct, the taps keep the bytes. What the reply means is the fold's business.

use std::sync::Arc;

use weir_dialects::Transport;
use weir_transport::{Journal, Mark, Target, http, ws};

use crate::session::Session;

/// Sends the session's plan and reads until the reply is over. Errors are in the log as marks.
pub async fn run(target: Target, session: &Arc<Session>, journal: Journal) {
    let plan = session.plan();
    let control = session.control().clone();
    let end = if plan.draft.transport == Transport::Websocket {
        socket(&target, session, journal.clone()).await
    } else {
        http::exchange(&target, &plan.request(), journal.clone(), 0, &control).await
    };
    // Dropping the last journal ends the capture.
    let _ = end;
    drop(journal);
}

async fn socket(target: &Target, session: &Arc<Session>, journal: Journal) -> Result<(), weir_transport::Error> {
    let plan = session.plan();
    let control = session.control().clone();
    let mut socket = ws::open(target, &plan.headers(), &plan.subprotocols(), journal.clone(), 0, &control).await?;
    for message in &plan.call.messages {
        socket.send_text(message.clone()).await?;
    }
    journal.mark(0, Mark::Sent);
    while let Some(message) = socket.next().await {
        message?;
    }
    Ok(())
}
