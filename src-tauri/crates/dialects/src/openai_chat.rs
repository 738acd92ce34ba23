//! OpenAI Chat Completions and the many servers that speak it, each a little differently.
//!
//! The decoder reads all of their variants at once rather than asking who is there: a base URL says little about the server behind it.

mod body;
mod decoder;
mod extras;
mod halves;
#[cfg(test)]
pub(crate) mod tests;
#[cfg(test)]
mod variants;
mod wishes;

use serde_json::Value;

pub(crate) use self::body::form;
use self::wishes::Wishes;
use crate::{Ask, AskError, Call, Decoder, Dialect, Extra, Role, Source, Transport, check, endpoint, media};

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
        if ask.raw_body.is_none() {
            let mut problem = |what: String, why: &str| found.push(AskError::Inexpressible { dialect: NAME, what, why: why.to_owned() });
            check::family(ask, &mut problem);
            for attachment in ask.messages.iter().filter(|turn| turn.role == Role::User).flat_map(|turn| &turn.attachments) {
                if matches!(attachment.source, Source::Url(_)) && !media::is_image(attachment) {
                    problem(format!("{} at a URL", attachment.media_type), "only images may be at a URL; put the content in");
                }
            }
        }
        found
    }

    /// `{model}` in `base` becomes the model's name: Azure's classic endpoints name the deployment in their path.
    fn call(&self, ask: &Ask, transport: Transport, base: &str, whole: bool, auth: &str) -> Result<Call, AskError> {
        if let Some(problem) = self.check(ask, transport).into_iter().next() {
            return Err(problem);
        }
        let mut url = endpoint::url(&endpoint::with_model(base, &ask.model), "/chat/completions", whole, transport)?;
        let body = match &ask.raw_body {
            Some(raw) => raw.clone(),
            None => Value::Object(body::build(ask, transport == Transport::Sse, Wishes::of(&url))).to_string(),
        };
        let accept = if transport == Transport::Sse { "text/event-stream" } else { "application/json" };
        let mut headers = vec![endpoint::header("Content-Type", "application/json"), endpoint::header("Accept", accept)];
        endpoint::authorize(auth, &mut url, &mut headers);
        Ok(Call::post(url, headers, body))
    }

    fn decoder(&self, _transport: Transport) -> Box<dyn Decoder> {
        Box::<decoder::Chat>::default()
    }

    fn extras(&self) -> &'static [Extra] {
        extras::ALL
    }

    fn read(&self, body: &str, url: &str, transport: Transport) -> Option<Ask> {
        body::read(body, transport == Transport::Sse, Wishes::at(url))
    }
}
