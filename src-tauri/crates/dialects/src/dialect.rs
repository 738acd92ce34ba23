//! What every dialect can do, and the table of them.

use serde::{Deserialize, Serialize};

use crate::{Ask, Delta, Transport};

/// A request field; `{key}` in the value stands for the user's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Field name.
    pub name: String,
    /// Field value.
    pub value: String,
}

/// What to send: everything but the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Method; `GET` for WebSocket.
    pub method: String,
    /// Whole URL, `ws`/`wss` for WebSocket; may hold `{key}` in its query.
    pub url: String,
    /// Fields the dialect needs, authentication among them.
    pub headers: Vec<Header>,
    /// HTTP body; empty for WebSocket.
    pub body: String,
    /// WebSocket text messages to send, in order, after the handshake.
    pub messages: Vec<String>,
    /// Subprotocols to offer; may hold `{key}`.
    pub subprotocols: Vec<String>,
}

/// Why a question cannot be asked this way. Shown before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The dialect has no such transport.
    #[error("{dialect} has no {transport} transport; it has {offers}")]
    Transport {
        /// Dialect name.
        dialect: &'static str,
        /// What was asked for.
        transport: &'static str,
        /// What there is.
        offers: String,
    },
    /// The dialect cannot express something.
    #[error("{dialect} cannot express {what}: {why}")]
    Inexpressible {
        /// Dialect name.
        dialect: &'static str,
        /// The parameter or content.
        what: String,
        /// What the API takes instead.
        why: String,
    },
    /// The raw body is not JSON.
    #[error("the raw body is not JSON: {0}")]
    Body(String),
    /// The base URL is not one.
    #[error("{url} is not an http or https URL: {why}")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        why: String,
    },
}

/// A unit of the response that carries meaning.
#[derive(Clone, Copy, Debug)]
pub enum Payload<'a> {
    /// An SSE event: its type and data.
    Event {
        /// Event type, `message` by default.
        event: &'a str,
        /// The data.
        data: &'a str,
    },
    /// One NDJSON line.
    Line(&'a [u8]),
    /// A WebSocket message, text or binary.
    Message(&'a [u8]),
    /// A whole body that is not a stream (also an error's body, JSON or not).
    Body(&'a [u8]),
}

/// HTTP status and media type of the response, told before its first payload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Status code; 101 for WebSocket.
    pub code: u16,
    /// Media type essence, lower case, or "".
    pub media_type: String,
}

/// Decodes the payloads of one response. Pure: the same payloads give the same deltas.
pub trait Decoder: Send {
    /// The response's head. An error status makes the following [`Payload::Body`] an error report.
    fn status(&mut self, status: &Status);
    /// Tells every delta of `payload`. An unknown payload gives one [`crate::DeltaKind::Unknown`] or `Control` delta, never none and never a panic.
    fn payload(&mut self, payload: Payload<'_>, sink: &mut dyn FnMut(Delta<'_>));
    /// The response ended (HTTP: the body's end or EOF; WebSocket: close frame or EOF). Returns whether the dialect counts the reply as whole:
    /// its end marker was seen, or the end itself is the marker.
    fn whole(&self) -> bool;
    /// A WebSocket turn is over, or an end marker was seen: nothing more needs to be waited for.
    fn ended(&self) -> bool;
}

/// An API dialect.
pub trait Dialect: Send + Sync {
    /// Id as in the CLI, e.g. `openai-chat`.
    fn id(&self) -> &'static str;
    /// Name for people, e.g. `OpenAI Chat Completions`.
    fn name(&self) -> &'static str;
    /// Transports it speaks, the default first.
    fn transports(&self) -> &'static [Transport];
    /// What to send for `ask`. `base` is the base URL by the convention of the dialect's official SDK; with `whole` it is the endpoint itself.
    fn call(&self, ask: &Ask, transport: Transport, base: &str, whole: bool, auth: &str) -> Result<Call, AskError>;
    /// A decoder for one response.
    fn decoder(&self, transport: Transport) -> Box<dyn Decoder>;
    /// What this dialect cannot express of `ask`, all of it: to be shown before sending. [`Dialect::call`] gives the first.
    fn check(&self, ask: &Ask, transport: Transport) -> Vec<AskError> {
        let _ = ask;
        crate::check::transport(self.name(), self.transports(), transport).err().into_iter().collect()
    }
    /// How the paths of its endpoints end, e.g. `/chat/completions`: what [`guess`] goes by.
    fn endpoints(&self) -> &'static [&'static str] {
        &[]
    }
}

/// Every dialect: the order in which they are offered and guessed.
pub static ALL: &[&dyn Dialect] = &[&crate::openai_chat::OpenAiChat, &crate::openai_responses::OpenAiResponses, &crate::raw::Raw];

/// The dialect with this id.
pub fn find(id: &str) -> Option<&'static dyn Dialect> {
    ALL.iter().copied().find(|dialect| dialect.id() == id)
}

/// The dialect of an endpoint, by how its path ends; `url` is a whole URL or its path. `None` where no dialect is known to live there.
pub fn guess(url: &str) -> Option<&'static dyn Dialect> {
    let path = url.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    ALL.iter().copied().find(|dialect| dialect.endpoints().iter().any(|end| path.ends_with(end)))
}
