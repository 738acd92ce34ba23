//! One file a dialect: it reads a request into an [`Ask`] and renders a [`Script`] as events. Nothing else of the Lab knows
//! any dialect's JSON, so another dialect is another file and a line in [`crate::endpoints`].

pub(crate) mod openai_chat;
pub(crate) mod openai_responses;

use serde_json::{Value, json};

use crate::ask::{Ask, Rejection};
use crate::connections::Transport;
use crate::script::{Script, Step};

/// A message on the wire: an SSE event, a line, or a WebSocket message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// SSE's `event:` field.
    pub name: Option<&'static str>,
    /// The payload.
    pub data: String,
    /// Whether it is what tells a client that the reply is whole.
    pub is_end: bool,
}

impl Event {
    pub(crate) fn data(value: &Value) -> Event {
        Event { name: None, data: value.to_string(), is_end: false }
    }
}

/// An API the Lab speaks.
pub(crate) trait Dialect: Send + Sync {
    /// Reads a request's body.
    fn read(&self, body: &[u8]) -> Result<(Ask, Box<dyn Render>), Rejection>;

    /// How a streamed reply travels.
    fn streams_as(&self) -> Transport {
        Transport::Sse
    }

    /// The id a later request may go on from, in dialects that keep conversations.
    fn reply_id(&self, _: &Script) -> Option<String> {
        None
    }

    /// The body of an error response.
    fn refuse(&self, rejection: &Rejection) -> Value {
        openai_error(rejection)
    }
}

/// Turns one script into one reply; holds what must be counted along the way.
pub(crate) trait Render: Send {
    /// What is sent before the first token is there.
    fn opening(&mut self, script: &Script) -> Vec<Event>;

    /// What one step becomes.
    fn step(&mut self, script: &Script, step: Step<'_>) -> Vec<Event>;

    /// What follows the last token. Not called after [`Step::Fail`].
    fn closing(&mut self, script: &Script) -> Vec<Event>;

    /// The reply as one JSON value.
    fn whole(&mut self, script: &Script) -> Value;

    /// An event that says nothing, but may be of any size: what stands before and after the padding.
    fn padding(&mut self, script: &Script) -> (String, String);
}

/// OpenAI's error object.
pub(crate) fn openai_error(rejection: &Rejection) -> Value {
    json!({"error": {
        "message": rejection.message,
        "type": rejection.kind,
        "param": rejection.param,
        "code": rejection.code,
    }})
}

/// The words of a reply that breaks in the middle.
pub(crate) const FAILURE: &str = "The Lab broke off here, as the model lab/error-mid-stream always does.";
