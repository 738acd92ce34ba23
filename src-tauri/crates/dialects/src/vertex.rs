//! Vertex AI, to be read: Gemini's frames (with arguments of calls as patches) and, of the same host, Claude's.
//!
//! Both come from one kind of address and neither says who speaks, so the first payload's shape decides. Requests are written by the
//! dialects themselves: `gemini` at a base URL of Vertex AI writes the same bodies.

#[cfg(test)]
mod tests;

use crate::gemini::GeminiDecoder;
use crate::json::{self, Source, object_of, word};
use crate::{Ask, AskError, Call, Decoder, Delta, Dialect, Payload, Status, Transport, check, dialect, endpoint};

/// The dialect `vertex`.
pub struct Vertex;

const NAME: &str = "Vertex AI";

impl Dialect for Vertex {
    fn id(&self) -> &'static str {
        "vertex"
    }

    fn name(&self) -> &'static str {
        NAME
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Sse, Transport::Http]
    }

    /// Claude's methods. Those of Gemini are the same as on the Gemini API, and read by that dialect.
    fn endpoints(&self) -> &'static [&'static str] {
        &[":streamRawPredict", ":rawPredict"]
    }

    fn decode_only(&self) -> bool {
        true
    }

    fn elements(&self, transport: Transport) -> bool {
        matches!(transport, Transport::Http | Transport::Sse)
    }

    fn check(&self, ask: &Ask, transport: Transport) -> Vec<AskError> {
        let mut found: Vec<_> = check::transport(NAME, self.transports(), transport).err().into_iter().collect();
        match &ask.raw_body {
            Some(body) => found.extend(check::raw_body(body).err()),
            None => found.push(AskError::Inexpressible {
                dialect: NAME,
                what: "a question of its own".to_owned(),
                why: "it only reads: ask with a raw body, or as gemini or anthropic-messages at an address of Vertex AI".to_owned(),
            }),
        }
        found
    }

    /// Sends a raw body as it is; `base` is the endpoint.
    fn call(&self, ask: &Ask, transport: Transport, base: &str, _whole: bool, auth: &str) -> Result<Call, AskError> {
        if let Some(problem) = self.check(ask, transport).into_iter().next() {
            return Err(problem);
        }
        let mut url = endpoint::url(base, "", true, transport)?;
        let accept = if transport == Transport::Sse { "text/event-stream" } else { "application/json" };
        let mut headers = vec![endpoint::header("Content-Type", "application/json"), endpoint::header("Accept", accept)];
        endpoint::authorize(auth, &mut url, &mut headers);
        Ok(Call::post(url, headers, ask.raw_body.clone().unwrap_or_default()))
    }

    fn decoder(&self, transport: Transport) -> Box<dyn Decoder> {
        Box::new(Either { transport, status: None, inner: None })
    }
}

object_of! {
    /// What tells Claude's payloads from Gemini's: they name their type.
    Marks {
        kind: "type",
    }
}

/// One decoder or the other, once it is known whose payloads these are.
struct Either {
    transport: Transport,
    status: Option<Status>,
    inner: Option<Box<dyn Decoder>>,
}

impl Decoder for Either {
    fn status(&mut self, status: &Status) {
        self.status = Some(status.clone());
        self.inner = None;
    }

    fn payload(&mut self, payload: Payload<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
        let (transport, status) = (self.transport, &self.status);
        let inner = self.inner.get_or_insert_with(|| {
            let claude = is_claude(&payload).then(|| dialect::find("anthropic-messages")).flatten();
            let mut inner = match claude {
                Some(dialect) => dialect.decoder(transport),
                None => Box::<GeminiDecoder>::default(),
            };
            if let Some(status) = status {
                inner.status(status);
            }
            inner
        });
        inner.payload(payload, sink);
    }

    fn whole(&self) -> bool {
        self.inner.as_ref().is_some_and(|inner| inner.whole())
    }

    fn ended(&self) -> bool {
        self.inner.as_ref().is_some_and(|inner| inner.ended())
    }
}

/// Whether the payload names its type: an event's (`message_start`, `vertex_event`, `ping`), a whole `message`, or an `error`.
fn is_claude(payload: &Payload<'_>) -> bool {
    Source::with(payload.bytes(), |source| json::object::<Marks<'_>>(source.text).is_some_and(|marks| word(marks.kind).is_some()))
}
