//! DashScope's task protocol over WebSocket: a task is run, fed and finished by JSON messages; text comes in those, sound in binary
//! messages beside them.

mod body;
mod decoder;
#[cfg(test)]
mod tests;

use crate::{Ask, AskError, Call, ClientEvent, Decoder, Dialect, Extra, Outgoing, Transport, check, endpoint, messages};

/// The dialect `dashscope-task`.
pub struct DashScopeTask;

const NAME: &str = "DashScope tasks";

impl Dialect for DashScopeTask {
    fn id(&self) -> &'static str {
        "dashscope-task"
    }

    fn name(&self) -> &'static str {
        NAME
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Websocket]
    }

    fn endpoints(&self) -> &'static [&'static str] {
        &["/api-ws/v1/inference"]
    }

    fn check(&self, ask: &Ask, transport: Transport) -> Vec<AskError> {
        let mut found: Vec<_> = check::transport(NAME, self.transports(), transport).err().into_iter().collect();
        match &ask.raw_body {
            Some(raw) => found.extend(messages::read(raw).err()),
            None => {
                found.extend(check::ask(NAME, ask));
                found.extend(body::problems(NAME, ask));
            }
        }
        found
    }

    /// A raw body is the client's messages, one JSON object after another; all but the first wait for `task-started`.
    fn call(&self, ask: &Ask, transport: Transport, base: &str, whole: bool, auth: &str) -> Result<Call, AskError> {
        let said = self.turn(ask, transport, None)?;
        let mut url = endpoint::url(base, "/inference", whole, transport)?;
        let mut headers = Vec::new();
        endpoint::authorize(auth, &mut url, &mut headers);
        Ok(Call::socket(url, headers, said))
    }

    fn decoder(&self, _transport: Transport) -> Box<dyn Decoder> {
        Box::<decoder::Task>::default()
    }

    fn persistent(&self, transport: Transport) -> bool {
        transport == Transport::Websocket
    }

    /// A task of its own: the socket takes the next one once the last has finished.
    fn turn(&self, ask: &Ask, transport: Transport, _previous: Option<&str>) -> Result<Vec<Outgoing>, AskError> {
        if let Some(problem) = self.check(ask, transport).into_iter().next() {
            return Err(problem);
        }
        let said = match &ask.raw_body {
            Some(raw) => messages::read(raw)?,
            None => body::build(ask),
        };
        let held_back = said.into_iter().map(serde_json::Value::Object).enumerate();
        Ok(held_back
            .map(
                |(at, message)| {
                    if at == 0 { Outgoing::text(message.to_string()) } else { Outgoing::after("task-started", message.to_string()) }
                },
            )
            .collect())
    }

    fn client_events(&self, _transport: Transport) -> &'static [ClientEvent] {
        body::EVENTS
    }

    /// They go into the payload of `run-task`.
    fn extras(&self) -> &'static [Extra] {
        body::EXTRAS
    }

    fn read(&self, body: &str, _url: &str, transport: Transport) -> Option<Ask> {
        let said = messages::read(body).ok()?;
        let ask = body::read(&said)?;
        (self.check(&ask, transport).is_empty() && body::build(&ask) == said).then_some(ask)
    }
}
