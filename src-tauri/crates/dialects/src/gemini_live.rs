//! Gemini Live (`BidiGenerateContent`): a conversation over one WebSocket, whose server sends its JSON in binary messages.
//!
//! The first message sets the session up, and nothing else may be said before the server's `setupComplete`. Messages have no type: the
//! member that is there says what they are, and a server's message may have several.

mod body;
mod decoder;
mod events;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use crate::gemini::problems;
use crate::{Ask, AskError, Call, ClientEvent, Decoder, Dialect, Extra, Outgoing, Transport, check, endpoint, messages};

/// The dialect `gemini-live`.
pub struct GeminiLive;

const NAME: &str = "Gemini Live";
const PATH: &str = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";

impl Dialect for GeminiLive {
    fn id(&self) -> &'static str {
        "gemini-live"
    }

    fn name(&self) -> &'static str {
        NAME
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Websocket]
    }

    /// Vertex AI has a slash before the method where the Gemini API has a dot; ephemeral keys have a method of their own.
    fn endpoints(&self) -> &'static [&'static str] {
        &[".BidiGenerateContent", "/BidiGenerateContent", ".BidiGenerateContentConstrained"]
    }

    fn auth(&self) -> &'static str {
        "x-goog-api-key: {key}"
    }

    fn persistent(&self, transport: Transport) -> bool {
        transport == Transport::Websocket
    }

    fn client_events(&self, transport: Transport) -> &'static [ClientEvent] {
        if transport == Transport::Websocket { events::CLIENT } else { &[] }
    }

    fn extras(&self) -> &'static [Extra] {
        events::EXTRAS
    }

    fn check(&self, ask: &Ask, transport: Transport) -> Vec<AskError> {
        let mut found: Vec<_> = check::transport(NAME, self.transports(), transport).err().into_iter().collect();
        if let Some(raw) = &ask.raw_body {
            found.extend(messages::read(raw).err());
            return found;
        }
        found.extend(problems::of(NAME, ask));
        let mut problem =
            |what: &str, why: &str| found.push(AskError::Inexpressible { dialect: NAME, what: what.to_owned(), why: why.to_owned() });
        if ask.model.trim().is_empty() {
            problem("a session without a model", "its set-up names one");
        }
        if !ask.params.stop.is_empty() {
            problem("stop sequences", "a live session has none; generateContent does");
        }
        if ask.output.is_some() {
            problem("structured output", "a live session has none; generateContent does");
        }
        if ask.params.tool_choice.as_deref().is_some_and(|choice| choice != "auto") {
            problem("tool choice", "a live session has none: the model chooses");
        }
        found
    }

    /// The set-up goes at once, everything else once the server has taken it. A raw body is such messages one after another.
    fn call(&self, ask: &Ask, transport: Transport, base: &str, whole: bool, auth: &str) -> Result<Call, AskError> {
        if let Some(problem) = self.check(ask, transport).into_iter().next() {
            return Err(problem);
        }
        let mut url = endpoint::url(base, PATH, whole, transport)?;
        let mut headers = Vec::new();
        endpoint::authorize(auth, &mut url, &mut headers);
        let said = match &ask.raw_body {
            Some(raw) => messages::read(raw)?,
            None => body::build(ask),
        };
        let sets_up = said.iter().any(|message| message.contains_key("setup"));
        let outgoing = said.into_iter().map(|message| {
            let first = !sets_up || message.contains_key("setup");
            let text = Value::Object(message).to_string();
            if first { Outgoing::text(text) } else { Outgoing::after("setupComplete", text) }
        });
        Ok(Call::socket(url, headers, outgoing.collect()))
    }

    fn turn(&self, ask: &Ask, transport: Transport, _previous: Option<&str>) -> Result<Vec<Outgoing>, AskError> {
        if let Some(problem) = self.check(ask, transport).into_iter().next() {
            return Err(problem);
        }
        let said = match &ask.raw_body {
            Some(raw) => messages::read(raw)?,
            None => vec![body::turn(ask)],
        };
        let sent = said.into_iter().filter(|message: &Map<String, Value>| !message.contains_key("setup"));
        Ok(sent.map(|message| Outgoing::text(Value::Object(message).to_string())).collect())
    }

    fn read(&self, body: &str, _url: &str, _transport: Transport) -> Option<Ask> {
        body::read(&messages::read(body).ok()?)
    }

    /// Errors come as close frames alone: a code and a few words.
    fn closed(&self, code: u16, reason: &str) -> Option<(String, String)> {
        let (name, means) = match code {
            1000 | 1001 => return None,
            1007 => ("INVALID_ARGUMENT", "the set-up, the key or a message was not accepted"),
            1008 => ("POLICY_VIOLATION", "the session is not allowed: the model, the key's rights, or how long it may last"),
            1011 => ("INTERNAL", "an internal error, or the quota is used up"),
            _ => return None,
        };
        let words = if reason.is_empty() { format!("closed without a reason: {means}") } else { format!("{reason} ({means})") };
        Some((format!("{code} {name}"), words))
    }

    fn decoder(&self, _transport: Transport) -> Box<dyn Decoder> {
        Box::<decoder::Live>::default()
    }
}
