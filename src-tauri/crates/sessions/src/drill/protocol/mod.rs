//! How each lane's API is asked, heard and asked again, by its documents. No socket and no clock.

mod ai_sdk;
mod chat;
mod events;
mod live;
mod mcp;
mod responses;

pub(super) use ai_sdk::AiSdk;
pub(super) use chat::Chat;
pub(super) use events::Events;
pub(super) use live::Live;
pub(super) use mcp::Mcp;
pub(super) use responses::{Responses, ResponsesSocket};

use std::time::Duration;

/// A request.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Asked {
    /// Over HTTP.
    Http {
        /// Method token.
        method: &'static str,
        /// Path and query on the Lab.
        path: String,
        /// Fields.
        headers: Vec<(&'static str, String)>,
        /// Body; "" for none.
        body: String,
    },
    /// On a WebSocket of its own.
    Socket {
        /// Path on the Lab.
        path: String,
        /// What is said at once.
        messages: Vec<String>,
    },
}

/// What came.
#[derive(Clone, Copy, Debug)]
pub(super) enum Heard<'a> {
    /// An event with data; the last event id as it stands.
    Event {
        /// Its data.
        data: &'a str,
        /// The last event id.
        id: &'a str,
    },
    /// An event without data, which may have set an id.
    Silent {
        /// The last event id.
        id: &'a str,
    },
    /// A WebSocket message.
    Message(&'a str),
    /// A whole body.
    Body(&'a str),
}

/// What it means.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    /// These words of the reply.
    Words(String),
    /// The server is about to go.
    Leaving(String),
    /// To be answered with this message.
    Answer {
        /// The message.
        message: String,
        /// It asks for a reply that was asked for before.
        again: bool,
    },
    /// The reply is whole.
    Whole,
}

/// One lane's API.
pub(super) trait Protocol: Send {
    /// The first request.
    fn ask(&mut self) -> Asked;

    /// The request after a break; none where there is nothing that may be sent.
    fn ask_again(&mut self) -> Option<Asked>;

    /// What came.
    fn hear(&mut self, heard: Heard<'_>) -> Vec<Said>;

    /// How long to wait before coming back, where the server has not set a time.
    fn pause(&self) -> Duration {
        Duration::from_millis(500)
    }

    /// Whether any status but 200 is final, as for an `EventSource`.
    fn takes_no_for_an_answer(&self) -> bool {
        false
    }
}

/// Fields of a JSON body.
fn json_body() -> Vec<(&'static str, String)> {
    vec![("content-type", "application/json".into())]
}
