//! Alibaba's DashScope in its own form, over HTTP and server-sent events. The compatible mode of the same models is `openai-chat`.

pub(crate) mod body;
pub(crate) mod decoder;
mod growth;
#[cfg(test)]
mod tests;

use crate::{Ask, AskError, Call, Decoder, Dialect, Extra, Transport, check, endpoint};

/// The dialect `dashscope`.
pub struct DashScope;

const NAME: &str = "DashScope";

/// Where models of text alone are asked.
const TEXT: &str = "/services/aigc/text-generation/generation";
/// Where models that see or hear are asked. Asking one at the other's address gives «url error».
const MULTIMODAL: &str = "/services/aigc/multimodal-generation/generation";

impl Dialect for DashScope {
    fn id(&self) -> &'static str {
        "dashscope"
    }

    fn name(&self) -> &'static str {
        NAME
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Sse, Transport::Http]
    }

    fn endpoints(&self) -> &'static [&'static str] {
        &[TEXT, MULTIMODAL]
    }

    fn check(&self, ask: &Ask, transport: Transport) -> Vec<AskError> {
        let mut found: Vec<_> = check::transport(NAME, self.transports(), transport).err().into_iter().collect();
        found.extend(check::ask(NAME, ask));
        if ask.raw_body.is_none() {
            found.extend(body::problems(NAME, ask));
        }
        found
    }

    /// The base is the SDK's (`…/api/v1`), or just scheme and host. Which of the two addresses below it is asked goes by the model's name and
    /// the attachments ([`body::is_multimodal`]), unless the base is one of them already.
    fn call(&self, ask: &Ask, transport: Transport, base: &str, whole: bool, auth: &str) -> Result<Call, AskError> {
        if let Some(problem) = self.check(ask, transport).into_iter().next() {
            return Err(problem);
        }
        let mut url = endpoint::url(base, "", true, transport)?;
        let under = url.path().trim_end_matches('/').to_owned();
        if !whole && !self.endpoints().iter().any(|end| under.ends_with(end)) {
            let under = if under.is_empty() { "/api/v1" } else { &under };
            url.set_path(&format!("{under}{}", if body::is_multimodal(ask) { MULTIMODAL } else { TEXT }));
        }
        let body = match &ask.raw_body {
            Some(raw) => raw.clone(),
            None => serde_json::Value::Object(body::build(ask, transport, form(ask, url.path()))).to_string(),
        };
        let mut headers = vec![endpoint::header("Content-Type", "application/json")];
        if transport == Transport::Sse {
            // A field asks for the stream; the body has no word for it.
            headers.extend([endpoint::header("Accept", "text/event-stream"), endpoint::header("X-DashScope-SSE", "enable")]);
        } else {
            headers.push(endpoint::header("Accept", "application/json"));
        }
        endpoint::authorize(auth, &mut url, &mut headers);
        Ok(Call::post(url, headers, body))
    }

    fn decoder(&self, _transport: Transport) -> Box<dyn Decoder> {
        Box::<decoder::DashScope>::default()
    }

    fn extras(&self) -> &'static [Extra] {
        body::EXTRAS
    }

    fn read(&self, body: &str, url: &str, transport: Transport) -> Option<Ask> {
        let body = serde_json::from_str(body).ok()?;
        let ask = body::read(&body, transport)?;
        let built = body::build(&ask, transport, form(&ask, url));
        (self.check(&ask, transport).is_empty() && built == body).then_some(ask)
    }
}

/// How the content of messages is written: the address decides; where it is not one of the two, the model and what is attached.
fn form(ask: &Ask, path: &str) -> body::Form {
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let multimodal = path.ends_with(MULTIMODAL) || (!path.ends_with(TEXT) && body::is_multimodal(ask));
    if multimodal { body::Form::Parts } else { body::Form::Text }
}
