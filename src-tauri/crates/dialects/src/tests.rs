//! What tests of all dialects share, and tests of the tables.

use std::ops::Range;

use crate::delta::Part;
use crate::{Ask, Decoder, DeltaKind, Message, Outgoing, Payload, Reply, Role, Status, Transport, dialect, json, provider};

/// A delta, owned.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) kind: DeltaKind,
    pub(crate) text: String,
    pub(crate) at: Range<usize>,
    pub(crate) part: String,
}

/// What a run of payloads came to.
pub(crate) struct Run {
    pub(crate) deltas: Vec<Told>,
    pub(crate) reply: Reply,
    pub(crate) decoder: Box<dyn Decoder>,
}

impl Run {
    /// A run that has seen nothing yet.
    pub(crate) fn new(id: &str, code: u16) -> Self {
        let mut decoder = dialect::find(id).unwrap().decoder(Transport::Sse);
        decoder.status(&Status { code, media_type: "text/event-stream".to_owned() });
        Self { deltas: Vec::new(), reply: Reply::default(), decoder }
    }

    /// Feeds one payload; every payload must tell something, and whatever has a place must be found there.
    pub(crate) fn feed(&mut self, payload: Payload<'_>) {
        let bytes = payload.bytes();
        let before = self.deltas.len();
        let Self { deltas, reply, decoder } = self;
        decoder.payload(payload, &mut |delta| {
            let slice = std::str::from_utf8(&bytes[delta.at.clone()]).unwrap();
            if !delta.at.is_empty()
                && matches!(delta.kind, DeltaKind::Text | DeltaKind::Reasoning | DeltaKind::Refusal | DeltaKind::ToolCall)
            {
                // A string's content or the tail of one, escapes as sent; or a value that is no string, whole.
                let held = slice == delta.text || json::unescaped(slice) == delta.text;
                assert!(held, "the place does not hold the text: {slice:?} for {:?}", delta.text);
            }
            reply.push(&delta);
            let part = match &delta.part {
                Part::None => String::new(),
                part => format!("{part:?}"),
            };
            deltas.push(Told { kind: delta.kind, text: delta.text.to_string(), at: delta.at.clone(), part });
        });
        assert!(deltas.len() > before, "nothing told of {:?}", String::from_utf8_lossy(bytes));
    }

    pub(crate) fn kinds(&self) -> Vec<DeltaKind> {
        self.deltas.iter().map(|delta| delta.kind).collect()
    }

    pub(crate) fn words(&self) -> Vec<&str> {
        self.deltas.iter().map(|delta| delta.text.as_str()).collect()
    }

    /// Name and arguments of each call.
    pub(crate) fn calls(&self) -> Vec<(&str, &str, &str)> {
        self.reply.tool_calls.iter().map(|(_, call)| (call.id.as_str(), call.name.as_str(), call.arguments.as_str())).collect()
    }
}

/// Decodes events of a stream.
pub(crate) fn stream(id: &str, events: &[&str]) -> Run {
    let mut run = Run::new(id, 200);
    for data in events {
        run.feed(Payload::Event { event: "message", data });
    }
    run
}

/// Decodes a whole body.
pub(crate) fn body(id: &str, code: u16, body: &str) -> Run {
    let mut run = Run::new(id, code);
    run.feed(Payload::Body(body.as_bytes()));
    run
}

/// Decodes a captured event stream of LF lines, an event's name told as the capture has it.
pub(crate) fn capture(id: &str, text: &str) -> Run {
    let mut run = Run::new(id, 200);
    for block in text.split("\n\n").filter(|block| !block.trim().is_empty()) {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim_start);
        run.feed(Payload::Event { event: field("event:").unwrap_or("message"), data: field("data:").unwrap() });
    }
    run
}

/// A question of one user turn.
pub(crate) fn ask(prompt: &str) -> Ask {
    let user = Message::new(Role::User, prompt);
    Ask { model: "m".to_owned(), messages: vec![user], ..Ask::default() }
}

#[test]
fn ids_are_unique_and_found() {
    for (at, one) in dialect::ALL.iter().enumerate() {
        assert_eq!(dialect::ALL.iter().position(|other| other.id() == one.id()), Some(at));
        assert!(dialect::find(one.id()).is_some());
    }
    assert!(dialect::find("none").is_none());
    for provider in provider::all() {
        assert_eq!(provider::all().iter().filter(|other| other.id == provider.id).count(), 1, "{}", provider.id);
        assert!(["required", "optional", "none"].contains(&provider.key.as_str()));
        assert_eq!(provider.auth.is_empty(), provider.key == "none", "{}", provider.id);
        assert!(!provider.dialects.is_empty());
    }
}

#[test]
fn every_provider_can_be_called_in_every_dialect_it_lists() {
    for provider in provider::all() {
        for (id, base) in &provider.dialects {
            let dialect = dialect::find(id).unwrap();
            let base = base.replace("{lab}", "http://127.0.0.1:4780").replace("{resource}", "mine").replace("{region}", "eu-west-1");
            for transport in dialect.transports() {
                let call = dialect.call(&ask("hi"), *transport, &base, false, &provider.auth).unwrap();
                assert_eq!(call.url.starts_with("ws"), *transport == Transport::Websocket);
                assert_eq!(call.headers.iter().any(|header| header.value.contains("{key}")), provider.key != "none");
            }
        }
    }
}

#[test]
fn a_dialect_is_guessed_from_its_endpoint() {
    let guess = |url| dialect::guess(url).map(|dialect| dialect.id());
    assert_eq!(guess("https://api.openai.com/v1/chat/completions"), Some("openai-chat"));
    assert_eq!(guess("https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=1#x"), Some("openai-chat"));
    assert_eq!(guess("/v1/responses/"), Some("openai-responses"));
    assert_eq!(guess("wss://api.x.ai/v1/responses"), Some("openai-responses"));
    assert_eq!(guess("http://localhost:11434/api/chat"), Some("ollama"));
    assert_eq!(guess("http://localhost:1234/api/v1/chat"), Some("lmstudio"));
    assert_eq!(guess("https://bedrock-runtime.eu-west-1.amazonaws.com/model/m%3A0/converse-stream"), Some("bedrock-converse"));
    assert_eq!(guess("https://h/mcp"), Some("mcp"));
    assert_eq!(guess("http://127.0.0.1/events"), None);
}

#[test]
fn raw_decodes_nothing_and_sends_what_it_is_given() {
    let run = stream("raw", &["[DONE]", "{\"error\":{}}"]);
    assert_eq!(run.words(), ["raw", "raw"]);
    assert_eq!(run.deltas[1].at, 0..12);
    assert!(run.decoder.whole() && !run.decoder.ended() && run.reply.error.is_none());
    let raw = dialect::find("raw").unwrap();
    let call = raw.call(&ask("hi"), Transport::Sse, "http://h/x?y=1", false, "?key={key}").unwrap();
    assert_eq!((call.method.as_str(), call.url.as_str(), call.body.as_str()), ("POST", "http://h/x?y=1&key={key}", "hi"));
    let call = raw.call(&ask("hi"), Transport::Websocket, "https://h/x", true, "").unwrap();
    assert_eq!((call.url.as_str(), call.messages.as_slice(), call.body.as_str()), ("wss://h/x", [Outgoing::text("hi")].as_slice(), ""));
    let nothing = raw.call(&Ask::default(), Transport::Sse, "http://h/x", true, "").unwrap();
    assert_eq!((nothing.method.as_str(), nothing.body.as_str()), ("GET", ""));
}

#[test]
fn the_page_on_adding_a_dialect_shows_the_example_as_it_is() {
    let page = include_str!("../../../../docs/adding-a-dialect.md").replace("\r\n", "\n");
    assert!(page.contains(&include_str!("parrot.rs").replace("\r\n", "\n")), "docs/adding-a-dialect.md and parrot.rs differ");
}
