//! OpenAI Responses: over HTTP, server-sent events and WebSocket. The events are the same on both streams.

mod body;
pub(crate) mod calls;
mod decoder;
mod events;
mod kept;
pub(crate) mod seen;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::{Ask, AskError, Call, ClientEvent, Decoder, Dialect, Extra, Outgoing, Role, Transport, check, endpoint};

/// The dialect `openai-responses`.
pub struct OpenAiResponses;

const NAME: &str = "OpenAI Responses";

impl Dialect for OpenAiResponses {
    fn id(&self) -> &'static str {
        "openai-responses"
    }

    fn name(&self) -> &'static str {
        NAME
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Sse, Transport::Http, Transport::Websocket]
    }

    fn endpoints(&self) -> &'static [&'static str] {
        &["/responses"]
    }

    fn check(&self, ask: &Ask, transport: Transport) -> Vec<AskError> {
        let mut found: Vec<_> = check::transport(NAME, self.transports(), transport).err().into_iter().collect();
        found.extend(check::ask(NAME, ask));
        if ask.raw_body.is_none() {
            let mut problem =
                |what: &str, why: &str| found.push(AskError::Inexpressible { dialect: NAME, what: what.to_owned(), why: why.to_owned() });
            if ask.params.seed.is_some() {
                problem("seed", "the API has none; Chat Completions does");
            }
            if !ask.params.stop.is_empty() {
                problem("stop sequences", "the API has none; Chat Completions does");
            }
            check::family(ask, &mut |what, why| problem(&what, why));
        }
        found
    }

    /// Over WebSocket the body's fields stand at the top level of one `response.create` message. A raw body is sent as it is there too,
    /// so it must bring its own `type`.
    fn call(&self, ask: &Ask, transport: Transport, base: &str, whole: bool, auth: &str) -> Result<Call, AskError> {
        if let Some(problem) = self.check(ask, transport).into_iter().next() {
            return Err(problem);
        }
        let mut url = endpoint::url(base, "/responses", whole, transport)?;
        let body = match &ask.raw_body {
            Some(raw) => raw.clone(),
            None => Value::Object(body::build(ask, transport)).to_string(),
        };
        let mut headers = Vec::new();
        if transport == Transport::Websocket {
            endpoint::authorize(auth, &mut url, &mut headers);
            return Ok(Call::socket(url, headers, vec![Outgoing::text(body)]));
        }
        let accept = if transport == Transport::Sse { "text/event-stream" } else { "application/json" };
        headers.extend([endpoint::header("Content-Type", "application/json"), endpoint::header("Accept", accept)]);
        endpoint::authorize(auth, &mut url, &mut headers);
        Ok(Call::post(url, headers, body))
    }

    fn decoder(&self, _transport: Transport) -> Box<dyn Decoder> {
        Box::<decoder::Responses>::default()
    }

    fn persistent(&self, transport: Transport) -> bool {
        transport == Transport::Websocket
    }

    /// What came after the assistant's last turn, to follow the response `previous`; the whole conversation where there is none to follow.
    fn turn(&self, ask: &Ask, transport: Transport, previous: Option<&str>) -> Result<Vec<Outgoing>, AskError> {
        if !self.persistent(transport) {
            return Ok(Vec::new());
        }
        if let Some(problem) = self.check(ask, transport).into_iter().next() {
            return Err(problem);
        }
        let new = match previous {
            Some(_) => ask.messages.iter().rposition(|turn| turn.role == Role::Assistant).map_or(0, |at| at + 1),
            None => 0,
        };
        let body = match &ask.raw_body {
            Some(raw) => raw.clone(),
            None => Value::Object(body::after(ask, transport, &ask.messages[new..], previous)).to_string(),
        };
        Ok(vec![Outgoing::text(body)])
    }

    fn client_events(&self, transport: Transport) -> &'static [ClientEvent] {
        if self.persistent(transport) { events::CLIENT } else { &[] }
    }

    fn extras(&self) -> &'static [Extra] {
        events::EXTRAS
    }

    fn read(&self, body: &str, _url: &str, transport: Transport) -> Option<Ask> {
        body::read(body, transport)
    }
}
