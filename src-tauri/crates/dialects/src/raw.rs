//! No dialect at all: sends what it is given and decodes nothing. For endpoints Weir does not know.

use crate::endpoint;
use crate::{Ask, AskError, Call, Decoder, Delta, DeltaKind, Dialect, Outgoing, Payload, Role, Status, Transport};

/// The dialect `raw`.
pub struct Raw;

impl Dialect for Raw {
    fn id(&self) -> &'static str {
        "raw"
    }

    fn name(&self) -> &'static str {
        "Raw"
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Http, Transport::Sse, Transport::Ndjson, Transport::Websocket, Transport::Eventstream]
    }

    /// Sends the raw body as it is, or the last user turn's text; over WebSocket as one text message. `base` is always the endpoint.
    /// With nothing to send the request is a `GET`, so that plain event streams can be read.
    fn call(&self, ask: &Ask, transport: Transport, base: &str, _whole: bool, auth: &str) -> Result<Call, AskError> {
        let prompt = || ask.messages.iter().rev().find(|message| message.role == Role::User).map(|message| message.text.clone());
        let body = ask.raw_body.clone().or_else(prompt).unwrap_or_default();
        let mut url = endpoint::url(base, "", true, transport)?;
        let mut headers = Vec::new();
        endpoint::authorize(auth, &mut url, &mut headers);
        let mut call = Call::socket(url, headers, Vec::new());
        if transport == Transport::Websocket {
            call.messages.extend((!body.is_empty()).then(|| Outgoing::text(body)));
            return Ok(call);
        }
        let accept = match transport {
            Transport::Sse => "text/event-stream",
            Transport::Ndjson => "application/x-ndjson",
            Transport::Eventstream => "application/vnd.amazon.eventstream",
            Transport::Http | Transport::Websocket => "*/*",
        };
        call.headers.push(endpoint::header("Accept", accept));
        if !body.is_empty() {
            let json = serde_json::from_str::<serde::de::IgnoredAny>(&body).is_ok();
            call.headers.push(endpoint::header("Content-Type", if json { "application/json" } else { "text/plain; charset=utf-8" }));
            call.method = "POST".to_owned();
            call.body = body;
        }
        Ok(call)
    }

    fn decoder(&self, _transport: Transport) -> Box<dyn Decoder> {
        Box::new(Undecoded)
    }
}

/// Tells every payload as one control delta `raw`.
struct Undecoded;

impl Decoder for Undecoded {
    fn status(&mut self, _status: &Status) {}

    fn payload(&mut self, payload: Payload<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
        sink(Delta::new(DeltaKind::Control, "raw", 0..payload.bytes().len()));
    }

    /// Always: there is no end marker to miss. Whether the response was well framed, and closed rightly, is for the caller to see.
    fn whole(&self) -> bool {
        true
    }

    fn ended(&self) -> bool {
        false
    }
}
