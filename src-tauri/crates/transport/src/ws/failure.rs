//! What tungstenite's errors mean, and whose fault they are.

use tokio_tungstenite::tungstenite::Error as WsError;
use tokio_tungstenite::tungstenite::error::ProtocolError;

use crate::{Blame, Error};

/// `Ok` for an end that is none of an error. With `closing` a missing close frame is none either.
pub(super) fn classify(error: &WsError, closing: bool) -> Result<(), Error> {
    Err(match error {
        WsError::ConnectionClosed | WsError::AlreadyClosed => return Ok(()),
        WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) if closing => return Ok(()),
        WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => cut(&error.to_string()),
        WsError::Protocol(ProtocolError::SendAfterClosing) => closed(),
        WsError::Protocol(_) | WsError::Utf8(_) => Error::new(Blame::Peer, "ws-protocol", "The server breaks the rules of WebSocket.")
            .evidence(error.to_string())
            .next("Look at the bytes; the server or a proxy before it is at fault."),
        WsError::Capacity(_) => Error::new(Blame::Peer, "too-big", "The server sends a message beyond all bounds.")
            .evidence(error.to_string())
            .next("Ask for less at a time; Weir takes messages of up to 1 GiB."),
        WsError::Io(error) => Error::io(error, "messages were exchanged"),
        other => Error::new(Blame::Local, "ws", "The WebSocket failed.")
            .evidence(other.to_string())
            .next("The evidence is the WebSocket library's reason."),
    })
}

/// The close code that tells the peer what it did wrong (RFC 6455, section 7.4.1).
pub(super) fn close_code(error: &WsError) -> Option<u16> {
    match error {
        WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake | ProtocolError::SendAfterClosing) => None,
        WsError::Protocol(_) => Some(1002),
        WsError::Utf8(_) => Some(1007),
        WsError::Capacity(_) => Some(1009),
        _ => None,
    }
}

/// The peer left without a close frame.
pub(super) fn cut(evidence: &str) -> Error {
    Error::new(Blame::Network, "cut", "The connection ended without a close frame.")
        .evidence(evidence)
        .next("Connect again; a proxy or server limit may end long connections.")
}

/// Somebody sends on a connection that has ended.
pub(super) fn closed() -> Error {
    Error::new(Blame::User, "closed", "The connection is closed.").evidence("A close frame was sent or has come.").next("Connect again.")
}
