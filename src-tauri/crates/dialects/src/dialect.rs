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
    /// WebSocket messages to send after the handshake, in order.
    pub messages: Vec<Outgoing>,
    /// Subprotocols to offer; may hold `{key}`.
    pub subprotocols: Vec<String>,
    /// The request is to be signed with the key instead of carrying it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign: Option<Sign>,
}

impl Call {
    /// A `POST` of `body`.
    pub fn post(url: impl Into<String>, headers: Vec<Header>, body: String) -> Self {
        Self { method: "POST".into(), url: url.into(), headers, body, messages: Vec::new(), subprotocols: Vec::new(), sign: None }
    }

    /// A WebSocket on which `messages` are sent.
    pub fn socket(url: impl Into<String>, headers: Vec<Header>, messages: Vec<Outgoing>) -> Self {
        Self { method: "GET".into(), url: url.into(), headers, body: String::new(), messages, subprotocols: Vec::new(), sign: None }
    }
}

/// A WebSocket message that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct Outgoing {
    /// The message. It goes as text, or as binary where `binary` is set.
    pub text: String,
    /// Sent as a binary message.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub binary: bool,
    /// It is held back until the decoder has told a [`crate::DeltaKind::Control`] delta of this word, e.g. `session.created`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl Outgoing {
    /// A text message that may go at once.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), binary: false, after: None }
    }

    /// A text message that waits for the peer's `word`.
    pub fn after(word: &str, text: impl Into<String>) -> Self {
        Self { text: text.into(), binary: false, after: Some(word.into()) }
    }
}

/// A message as plans hold it: those of older recordings are bare strings.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Bare(String),
    Whole {
        text: String,
        #[serde(default)]
        binary: bool,
        #[serde(default)]
        after: Option<String>,
    },
}

impl From<Written> for Outgoing {
    fn from(written: Written) -> Self {
        match written {
            Written::Bare(text) => Self::text(text),
            Written::Whole { text, binary, after } => Self { text, binary, after },
        }
    }
}

/// AWS Signature Version 4 instead of a key in a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sign {
    /// Service name, e.g. `bedrock`.
    pub service: String,
    /// Region, e.g. `us-east-1`.
    pub region: String,
}

/// A message the client of an open socket may send, as a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ts_rs::TS)]
#[ts(export)]
pub struct ClientEvent {
    /// Its name, e.g. `response.cancel`.
    pub name: &'static str,
    /// What it is for, in one sentence.
    pub about: &'static str,
    /// JSON to start from.
    pub template: &'static str,
}

/// A parameter of the API that [`crate::Params`] has no field for: it is set through `extra`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ts_rs::TS)]
#[ts(export)]
pub struct Extra {
    /// Path in the body, dots between members, e.g. `generationConfig.topK`.
    pub path: &'static str,
    /// `number`, `integer`, `boolean`, `string`, `array` or `object`.
    pub kind: &'static str,
    /// What it does and its range.
    pub about: &'static str,
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
    /// One element of a body that is a JSON array, as soon as it is whole.
    Element(&'a [u8]),
    /// A message of `application/vnd.amazon.eventstream`.
    Record {
        /// `:message-type`: `event`, `exception` or `error`.
        kind: &'a str,
        /// `:event-type`, `:exception-type` or `:error-code`.
        name: &'a str,
        /// The payload; for `error` the text of `:error-message`.
        data: &'a [u8],
    },
}

impl<'a> Payload<'a> {
    /// Its bytes, whatever carried them.
    pub fn bytes(&self) -> &'a [u8] {
        match *self {
            Payload::Event { data, .. } => data.as_bytes(),
            Payload::Record { data, .. } => data,
            Payload::Line(bytes) | Payload::Message(bytes) | Payload::Body(bytes) | Payload::Element(bytes) => bytes,
        }
    }
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
    /// A WebSocket message the client sent. One that begins another turn makes [`Decoder::ended`] and [`Decoder::whole`] false again;
    /// what the user says in it is told as [`crate::DeltaKind::Said`].
    fn sent(&mut self, message: &[u8], sink: &mut dyn FnMut(Delta<'_>)) {
        let _ = (message, sink);
    }
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
    /// Where the key goes when no provider says so: a header line or `?query`, with `{key}`.
    fn auth(&self) -> &'static str {
        "Authorization: Bearer {key}"
    }
    /// Whether a body over `transport` may come as a JSON array whose elements are decoded as they arrive ([`Payload::Element`]).
    fn elements(&self, transport: Transport) -> bool {
        let _ = transport;
        false
    }
    /// Whether the socket may stay open for further turns.
    fn persistent(&self, transport: Transport) -> bool {
        let _ = transport;
        false
    }
    /// What to send for another turn on the open socket: the newest user message (or tool results) of `ask`. `previous` is the last reply's
    /// id. Empty where [`Dialect::persistent`] is false.
    fn turn(&self, ask: &Ask, transport: Transport, previous: Option<&str>) -> Result<Vec<Outgoing>, AskError> {
        let _ = (ask, transport, previous);
        Ok(Vec::new())
    }
    /// Messages a client may send on the open socket, as templates for the composer.
    fn client_events(&self, transport: Transport) -> &'static [ClientEvent] {
        let _ = transport;
        &[]
    }
    /// Whether it is there to read what others recorded: it builds no questions, and sends a raw body at most.
    fn decode_only(&self) -> bool {
        false
    }
    /// What it means when the peer closes the socket with this code and reason: an error's code and words, where the API tells its errors
    /// that way. `None` where the close is no error, or says nothing that its code does not.
    fn closed(&self, code: u16, reason: &str) -> Option<(String, String)> {
        let _ = (code, reason);
        None
    }
    /// Parameters of the API beyond [`crate::Params`].
    fn extras(&self) -> &'static [Extra] {
        &[]
    }
    /// The question that `body` asks: the inverse of [`Dialect::call`]'s body. What has no field of its own goes to
    /// [`crate::Params::extra`], so that building it again gives an equal JSON value. `url` is the endpoint where it is known: some APIs
    /// name the model there. `None` where the body is not of this dialect, or cannot be held in an [`Ask`].
    fn read(&self, body: &str, url: &str, transport: Transport) -> Option<Ask> {
        let _ = (body, url, transport);
        None
    }
    /// How the paths of its endpoints end, e.g. `/chat/completions`: what [`guess`] goes by.
    fn endpoints(&self) -> &'static [&'static str] {
        &[]
    }
}

/// Every dialect: the order in which they are offered and guessed.
pub static ALL: &[&dyn Dialect] = &[
    &crate::openai_chat::OpenAiChat,
    &crate::openai_responses::OpenAiResponses,
    &crate::anthropic_messages::AnthropicMessages,
    &crate::cohere::Cohere,
    &crate::ollama::Ollama,
    &crate::bedrock_converse::BedrockConverse,
    &crate::gemini::Gemini,
    &crate::gemini_live::GeminiLive,
    &crate::vertex::Vertex,
    &crate::dashscope::DashScope,
    &crate::dashscope_task::DashScopeTask,
    // Before OpenAI's, which its path ends like.
    &crate::qwen_realtime::QWEN_REALTIME,
    &crate::openai_realtime::OPENAI_REALTIME,
    &crate::lmstudio::LmStudio,
    &crate::mcp::Mcp,
    &crate::ai_sdk_ui::AiSdkUi,
    &crate::raw::Raw,
];

/// The dialect with this id.
pub fn find(id: &str) -> Option<&'static dyn Dialect> {
    ALL.iter().copied().find(|dialect| dialect.id() == id)
}

/// The dialect of an endpoint, by how its path ends; `url` is a whole URL or its path. `None` where no dialect is known to live there.
pub fn guess(url: &str) -> Option<&'static dyn Dialect> {
    let path = url.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    ALL.iter().copied().find(|dialect| dialect.endpoints().iter().any(|end| path.ends_with(end)))
}
