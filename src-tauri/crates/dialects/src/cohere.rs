//! Cohere's Chat API v2.

mod body;
mod decoder;
mod reading;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::{Ask, AskError, Call, Decoder, Dialect, Extra, Transport, check, endpoint};

/// The dialect `cohere`.
pub struct Cohere;

const NAME: &str = "Cohere Chat v2";

impl Dialect for Cohere {
    fn id(&self) -> &'static str {
        "cohere"
    }

    fn name(&self) -> &'static str {
        NAME
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Sse, Transport::Http]
    }

    fn endpoints(&self) -> &'static [&'static str] {
        &["/v2/chat"]
    }

    fn check(&self, ask: &Ask, transport: Transport) -> Vec<AskError> {
        let mut found: Vec<_> = check::transport(NAME, self.transports(), transport).err().into_iter().collect();
        found.extend(check::ask(NAME, ask));
        if ask.raw_body.is_none() {
            body::check(ask, &mut |what, why| {
                found.push(AskError::Inexpressible { dialect: NAME, what: what.to_owned(), why: why.to_owned() });
            });
        }
        found
    }

    /// `base` is scheme, host and port; one that already ends in `/v2` does too.
    fn call(&self, ask: &Ask, transport: Transport, base: &str, whole: bool, auth: &str) -> Result<Call, AskError> {
        if let Some(problem) = self.check(ask, transport).into_iter().next() {
            return Err(problem);
        }
        let under = base.split(['?', '#']).next().unwrap_or_default().trim().trim_end_matches('/');
        let path = if under.ends_with("/v2") { "/chat" } else { "/v2/chat" };
        let mut url = endpoint::url(base, path, whole, transport)?;
        let body = match &ask.raw_body {
            Some(raw) => raw.clone(),
            None => Value::Object(body::build(ask, transport)).to_string(),
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
        EXTRAS
    }

    fn read(&self, body: &str, _url: &str, transport: Transport) -> Option<Ask> {
        reading::read(body, transport)
    }
}

const fn extra(path: &'static str, kind: &'static str, about: &'static str) -> Extra {
    Extra { path, kind, about }
}

static EXTRAS: &[Extra] = &[
    extra("k", "integer", "Sample from the k likeliest tokens alone: 0 (off) to 500."),
    extra("frequency_penalty", "number", "Lowers the odds of tokens by how often they came: 0 to 1."),
    extra("presence_penalty", "number", "Lowers the odds of tokens that came at all: 0 to 1."),
    extra("logprobs", "boolean", "Tell the log probabilities of the tokens."),
    extra("safety_mode", "string", "CONTEXTUAL (the default), STRICT or OFF. Not together with tools or documents."),
    extra("strict_tools", "boolean", "Hold tool calls to the tools' schemas."),
    extra("documents", "array", "Texts the reply may cite: strings, or objects with id and data."),
    extra("citation_options.mode", "string", "How citations are made: ENABLED, DISABLED, FAST, ACCURATE or OFF."),
    extra("priority", "integer", "0 is served first; greater numbers wait, or are dropped, under load."),
];
