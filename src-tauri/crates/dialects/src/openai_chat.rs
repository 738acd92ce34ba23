//! OpenAI Chat Completions and the many servers that speak it, each a little differently.
//!
//! The decoder reads all of their variants at once rather than asking who is there: a base URL says little about the server behind it.

mod body;
mod decoder;
#[cfg(test)]
pub(crate) mod tests;

use crate::{Ask, AskError, Call, Decoder, Dialect, Transport, check, endpoint};

/// The dialect `openai-chat`.
pub struct OpenAiChat;

const NAME: &str = "OpenAI Chat Completions";

impl Dialect for OpenAiChat {
    fn id(&self) -> &'static str {
        "openai-chat"
    }

    fn name(&self) -> &'static str {
        NAME
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Sse, Transport::Http]
    }

    fn endpoints(&self) -> &'static [&'static str] {
        &["/chat/completions"]
    }

    fn check(&self, ask: &Ask, transport: Transport) -> Vec<AskError> {
        let mut found: Vec<_> = check::transport(NAME, self.transports(), transport).err().into_iter().collect();
        found.extend(check::ask(NAME, ask));
        found
    }

    fn call(&self, ask: &Ask, transport: Transport, base: &str, whole: bool, auth: &str) -> Result<Call, AskError> {
        if let Some(problem) = self.check(ask, transport).into_iter().next() {
            return Err(problem);
        }
        let mut url = endpoint::url(base, "/chat/completions", whole, transport)?;
        let body = match &ask.raw_body {
            Some(raw) => raw.clone(),
            None => body::build(ask, transport == Transport::Sse, body::Wishes::of(&url)),
        };
        let accept = if transport == Transport::Sse { "text/event-stream" } else { "application/json" };
        let mut headers = vec![endpoint::header("Content-Type", "application/json"), endpoint::header("Accept", accept)];
        endpoint::authorize(auth, &mut url, &mut headers);
        Ok(Call::post(url, headers, body))
    }

    fn decoder(&self, _transport: Transport) -> Box<dyn Decoder> {
        Box::<decoder::Chat>::default()
    }
}
