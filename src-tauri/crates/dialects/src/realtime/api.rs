//! One API of the family, as a dialect.

use super::decoder::Realtime;
use crate::{Ask, AskError, Call, ClientEvent, Decoder, Dialect, Extra, Outgoing, Transport};

/// What sets one API of the family apart from another.
#[derive(Clone, Copy)]
pub struct RealtimeApi {
    pub(crate) id: &'static str,
    /// The dialect's name for people.
    pub(crate) name: &'static str,
    /// The names of OpenAI's beta, and Qwen's additions to them.
    pub(crate) beta: bool,
    /// What the client may send.
    pub(crate) events: &'static [ClientEvent],
    pub(crate) extras: &'static [Extra],
    pub(crate) endpoints: &'static [&'static str],
}

impl Dialect for RealtimeApi {
    fn id(&self) -> &'static str {
        self.id
    }

    fn name(&self) -> &'static str {
        self.name
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Websocket]
    }

    fn check(&self, ask: &Ask, transport: Transport) -> Vec<AskError> {
        super::problems(self, ask, transport)
    }

    /// A raw body is the client's messages, one JSON object after another.
    fn call(&self, ask: &Ask, transport: Transport, base: &str, whole: bool, auth: &str) -> Result<Call, AskError> {
        super::call(self, ask, transport, base, whole, auth)
    }

    fn decoder(&self, _transport: Transport) -> Box<dyn Decoder> {
        Box::new(Realtime::new())
    }

    fn persistent(&self, transport: Transport) -> bool {
        transport == Transport::Websocket
    }

    fn turn(&self, ask: &Ask, transport: Transport, _previous: Option<&str>) -> Result<Vec<Outgoing>, AskError> {
        super::turn(self, ask, transport)
    }

    fn client_events(&self, _transport: Transport) -> &'static [ClientEvent] {
        self.events
    }

    fn extras(&self) -> &'static [Extra] {
        self.extras
    }

    fn read(&self, body: &str, url: &str, transport: Transport) -> Option<Ask> {
        super::read(self, body, url, transport)
    }

    fn endpoints(&self) -> &'static [&'static str] {
        self.endpoints
    }
}
