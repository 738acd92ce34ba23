//! One file a dialect: it reads a request into an [`Ask`] and renders a [`Script`] as events. Nothing else of the Lab knows
//! any dialect's JSON, so another dialect is another file and a line in [`crate::endpoints`].

pub(crate) mod ai_sdk_ui;
pub(crate) mod anthropic_messages;
pub(crate) mod bedrock_converse;
pub(crate) mod cohere;
pub(crate) mod dashscope;
pub(crate) mod dashscope_task;
pub(crate) mod gemini;
pub(crate) mod gemini_live;
pub(crate) mod lmstudio;
pub(crate) mod mcp;
pub(crate) mod mistral;
pub(crate) mod ollama;
pub(crate) mod openai_chat;
pub(crate) mod openai_responses;
#[cfg(test)]
pub(crate) mod probe;
pub(crate) mod realtime;
pub(crate) mod vertex;

use std::borrow::Cow;

use ::http::Method;
use serde_json::{Value, json};

use crate::ask::Ask;
use crate::connections::Transport;
use crate::fault::Faults;
use crate::framing::Framing;
use crate::models::Model;
use crate::rejection::Rejection;
use crate::script::{Finish, Script, Step};

/// A request as a dialect sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub method: &'a Method,
    /// Percent-decoded, with single slashes, and without the prefix that names the API.
    pub path: &'a str,
    /// The path as it came: what a signature covers.
    pub target: &'a str,
    /// As it came, without its question mark.
    pub query: &'a str,
    pub headers: &'a ::http::HeaderMap,
    /// Empty for a handshake.
    pub body: &'a [u8],
    /// What stands in place of the names in the route's pattern.
    pub names: &'a [(&'static str, String)],
}

impl<'a> Request<'a> {
    /// What stands in place of `{name}` in the route's pattern.
    pub(crate) fn name(&self, name: &str) -> &'a str {
        self.names.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value.as_str())
    }

    /// A header's value, where it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The first value of that name in the query, decoded.
    pub(crate) fn query_value(&self, name: &str) -> Option<String> {
        crate::overrides::pairs(self.query).find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

/// A message on the wire: an SSE event, a line, a record, an element or a WebSocket message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Event {
    /// SSE's `event:` field, or a record's `:event-type`.
    pub name: Option<Cow<'static, str>>,
    /// SSE's `id:` field.
    pub id: Option<String>,
    /// An SSE comment in the middle of the event, before its data; alone, with no data and no id, it is no event at all.
    pub comment: Option<String>,
    /// SSE's `retry:` field: milliseconds after which to come back.
    pub retry: Option<u64>,
    /// The payload.
    pub data: String,
    /// Sent in place of `data` as a binary message, where events travel over a WebSocket.
    pub binary: Option<Vec<u8>>,
    /// Stands bare among the events of a stream, with no `data:`: a parser sees fields it does not know.
    pub bare: bool,
    /// A record of `:message-type` `exception`; its name is the `:exception-type`.
    pub exception: bool,
    /// Whether it is what tells a client that the reply is whole.
    pub is_end: bool,
}

impl Event {
    /// An event of nothing but its payload.
    pub(crate) fn data(value: &Value) -> Event {
        Event::text(value.to_string())
    }

    /// An event whose payload is this text.
    pub(crate) fn text(data: impl Into<String>) -> Event {
        Event { data: data.into(), ..Event::default() }
    }

    /// An event with a name.
    pub(crate) fn named(name: impl Into<Cow<'static, str>>, value: &Value) -> Event {
        Event { name: Some(name.into()), ..Event::data(value) }
    }

    /// An SSE comment alone; nothing where there are no comments.
    #[cfg(test)]
    pub(crate) fn comment(text: impl Into<String>) -> Event {
        Event { comment: Some(text.into()), ..Event::default() }
    }

    /// The same, as the one that ends the reply.
    pub(crate) fn end(self) -> Event {
        Event { is_end: true, ..self }
    }

    /// Whether it is a comment and nothing else.
    pub(crate) fn is_comment(&self) -> bool {
        self.comment.is_some() && self.data.is_empty() && self.id.is_none() && self.name.is_none() && self.binary.is_none()
    }
}

/// An answer that is no reply of a model: an acknowledgement, a result of another call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Aside {
    pub status: u16,
    pub head: Vec<(&'static str, String)>,
    /// As `application/json`; none for an empty body.
    pub body: Option<Value>,
}

/// A reply that is asked to be heard again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resume {
    /// The name it was kept under.
    pub tape: String,
    /// Where to go on.
    pub from: From,
    /// Once the reply is over there is nothing to come back for, and 204 says so.
    pub only_active: bool,
}

/// Where a reply goes on that is heard again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum From {
    /// All of it comes again.
    Start,
    /// After the event with this `sequence_number`.
    Sequence(u64),
    /// After the event with this id.
    Id(String),
}

/// What is wanted of a reply that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recall {
    /// To hear it.
    Hear(Resume),
    /// How it stands, as one JSON object.
    State(String),
    /// That it ends.
    Cancel(String),
}

/// An API the Lab speaks.
pub(crate) trait Dialect: Send + Sync {
    /// Reads a request.
    fn read(&self, request: &Request<'_>) -> Result<(Ask, Box<dyn Render>), Rejection>;

    /// Methods it answers; a WebSocket's GET apart.
    fn methods(&self) -> &'static [Method] {
        &[Method::POST]
    }

    /// Answers a request that wants no model's reply. Asked first.
    fn aside(&self, request: &Request<'_>) -> Option<Aside> {
        let _ = request;
        None
    }

    /// The name under which a reply is kept while and after it is said, so that it does not end with its connection; none where it does.
    fn keeps(&self, request: &Request<'_>, script: &Script) -> Option<String> {
        let _ = (request, script);
        None
    }

    /// What a request wants of a reply that was kept; none where it asks for a new one.
    fn recalls(&self, request: &Request<'_>) -> Option<Result<Recall, Rejection>> {
        let _ = request;
        None
    }

    /// Headers of a reply that is heard again.
    fn resumed_head(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// How a streamed reply travels.
    fn streams_as(&self, request: &Request<'_>) -> Transport {
        let _ = request;
        Transport::Sse
    }

    /// How the events of a streamed reply are set apart.
    fn framing(&self, request: &Request<'_>) -> Framing {
        Framing::of(self.streams_as(request))
    }

    /// Headers of a reply: the request's id in the API's name for it, rate limits in its format.
    fn head(&self, script: &Script) -> Vec<(&'static str, String)> {
        vec![("x-request-id", format!("req_lab{}", script.id()))]
    }

    /// Headers of an error response.
    fn refusal_head(&self, rejection: &Rejection) -> Vec<(&'static str, String)> {
        let _ = rejection;
        Vec::new()
    }

    /// The id a later request may go on from, in dialects that keep conversations.
    fn reply_id(&self, script: &Script) -> Option<String> {
        let _ = script;
        None
    }

    /// The body of an error response.
    fn refuse(&self, rejection: &Rejection) -> Value {
        openai_error(rejection)
    }

    /// Why a reply that is not streamed is refused once it is made; none where it is given.
    fn withheld(&self, script: &Script) -> Option<Rejection> {
        (script.finish() == Finish::Error).then(|| script.failure())
    }

    /// An error that comes with status 200 in place of a stream.
    fn error_with_200(&self) -> Value {
        self.refuse(&Rejection::pretended(503))
    }

    /// The list of models, as the API lists them.
    fn models(&self, models: &[Model]) -> Value {
        json!({"object": "list", "data": models.iter().map(|model| self.model(model)).collect::<Vec<_>>()})
    }

    /// One model, as the API tells of it.
    fn model(&self, model: &Model) -> Value {
        json!({
            "id": model.id, "object": "model", "created": crate::models::CREATED, "owned_by": "weir-lab",
            "description": model.description,
        })
    }

    /// Speaks on a WebSocket whose handshake is `request`; none where the API has no such mode. An error refuses the handshake.
    fn talk(&self, request: &Request<'_>) -> Option<Result<Box<dyn Talk>, Rejection>> {
        let _ = request;
        None
    }

    /// Whether a wrong key is told on the open socket by [`Talk::refuse`], rather than by refusing the handshake.
    fn key_after_upgrade(&self) -> bool {
        false
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

    /// How the API itself tells that the connection will not be there for long, where it has words for that.
    fn leaving(&mut self, faults: &Faults) -> Vec<Event> {
        let _ = faults;
        Vec::new()
    }

    /// What follows when the client has cancelled the reply on its WebSocket.
    fn cancelled(&mut self, script: &Script) -> Vec<Event> {
        let _ = script;
        Vec::new()
    }
}

/// Speaks on one WebSocket, as long as it is open. It says what is to be done; the socket does it.
pub(crate) trait Talk: Send {
    /// What is done once the socket is open, before the client has said anything.
    fn open(&mut self) -> Vec<Act> {
        Vec::new()
    }

    /// What is done about something heard.
    fn hear(&mut self, heard: Heard<'_>) -> Vec<Act>;

    /// What is done about a request that cannot be answered: a model's refusal of an [`Act::Say`], a wrong key.
    fn refuse(&mut self, rejection: &Rejection) -> Vec<Act> {
        vec![Act::Close(1008, rejection.message.clone())]
    }

    /// Whether text leaves in binary messages.
    fn binary(&self) -> bool {
        false
    }
}

/// What a [`Talk`] hears.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Heard<'a> {
    Text(&'a str),
    Binary(&'a [u8]),
    /// The reply begun by [`Act::Say`] is over, or was cancelled.
    Said(&'a Script),
}

/// What a [`Talk`] wants done.
pub(crate) enum Act {
    /// A message of text (a binary one, where [`Talk::binary`]).
    Send(String),
    /// Begins a reply; one that is under way is finished first.
    Say(Box<(Ask, Box<dyn Render>)>),
    /// Breaks off the reply under way, and forgets those that wait.
    Cancel,
    /// Closes the socket. A reason longer than a close frame holds (123 bytes) is cut.
    Close(u16, String),
}

/// OpenAI's headers of a reply: the request's id, and rate limits whose resets are durations as Go writes them.
pub(crate) fn openai_head(script: &Script) -> Vec<(&'static str, String)> {
    const TOKENS: usize = 2_000_000;
    vec![
        ("x-request-id", format!("req_lab{}", script.id())),
        ("openai-version", "2020-10-01".into()),
        ("openai-organization", "weir-lab".into()),
        ("x-ratelimit-limit-requests", "10000".into()),
        ("x-ratelimit-remaining-requests", "9999".into()),
        ("x-ratelimit-reset-requests", "8.64s".into()),
        ("x-ratelimit-limit-tokens", TOKENS.to_string()),
        ("x-ratelimit-remaining-tokens", TOKENS.saturating_sub(script.usage().total()).to_string()),
        // At a full refill a minute, in whole milliseconds.
        ("x-ratelimit-reset-tokens", format!("{}ms", (script.usage().total() * 60_000).div_ceil(TOKENS))),
    ]
}

/// What xAI was seen to send with status 200, and so what clients of OpenAI's APIs must expect.
pub(crate) fn xai_error() -> Value {
    json!({"code": "The service is currently unavailable", "error": "The Lab answers a stream request with JSON, as it was asked to."})
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
