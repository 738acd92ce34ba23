//! Anthropic Messages, as api.anthropic.com speaks it and the many servers that offer it as a twin of another API.
//!
//! Two API versions are alive. The newer refuses sampling parameters, so the version is chosen by what the body holds; it is a request
//! header like any other, shown before sending and replaced by one of the user's own.

mod blocks;
mod body;
pub(crate) mod decoder;
mod reading;
#[cfg(test)]
mod tests;
mod usage;

use serde_json::Value;
use url::Url;

use crate::{Ask, AskError, Call, Decoder, Dialect, Extra, Header, Transport, check, endpoint};

/// The dialect `anthropic-messages`.
pub struct AnthropicMessages;

const NAME: &str = "Anthropic Messages";

/// The version all servers know.
const VERSION: &str = "2023-06-01";

/// The version whose requests have no sampling parameters; asked of Anthropic itself alone.
const VERSION_WITHOUT_SAMPLING: &str = "2026-10-21";

impl Dialect for AnthropicMessages {
    fn id(&self) -> &'static str {
        "anthropic-messages"
    }

    fn name(&self) -> &'static str {
        NAME
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Sse, Transport::Http]
    }

    fn endpoints(&self) -> &'static [&'static str] {
        &["/v1/messages"]
    }

    fn auth(&self) -> &'static str {
        "x-api-key: {key}"
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

    /// `base` is scheme, host and port (a path below which `/v1/messages` stands is kept); one that already ends in `/v1` does too.
    fn call(&self, ask: &Ask, transport: Transport, base: &str, whole: bool, auth: &str) -> Result<Call, AskError> {
        if let Some(problem) = self.check(ask, transport).into_iter().next() {
            return Err(problem);
        }
        let under = base.split(['?', '#']).next().unwrap_or_default().trim().trim_end_matches('/');
        let path = if under.ends_with("/v1") { "/messages" } else { "/v1/messages" };
        let mut url = endpoint::url(base, path, whole, transport)?;
        let body = match &ask.raw_body {
            Some(raw) => raw.clone(),
            None => Value::Object(body::build(ask, transport)).to_string(),
        };
        let mut headers = headers(&url, &body, transport);
        endpoint::authorize(auth, &mut url, &mut headers);
        Ok(Call::post(url, headers, body))
    }

    fn decoder(&self, _transport: Transport) -> Box<dyn Decoder> {
        Box::<decoder::Messages>::default()
    }

    fn extras(&self) -> &'static [Extra] {
        EXTRAS
    }

    fn read(&self, body: &str, _url: &str, transport: Transport) -> Option<Ask> {
        reading::read(body, transport)
    }
}

fn headers(url: &Url, body: &str, transport: Transport) -> Vec<Header> {
    let accept = if transport == Transport::Sse { "text/event-stream" } else { "application/json" };
    vec![
        endpoint::header("Content-Type", "application/json"),
        endpoint::header("Accept", accept),
        endpoint::header("anthropic-version", version(url, body)),
    ]
}

/// The version to ask for. The newer refuses `temperature`, `top_p` and `top_k` even at their defaults, documents in the assistant's turns
/// and citations in the user's text; and no other server is known to know it.
fn version(url: &Url, body: &str) -> &'static str {
    if !endpoint::on(url, "api.anthropic.com") {
        return VERSION;
    }
    let Ok(body) = serde_json::from_str::<Value>(body) else {
        return VERSION;
    };
    let sampling = ["temperature", "top_p", "top_k"].iter().any(|name| body.get(name).is_some());
    let turns = body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let refused = turns.iter().any(|turn| {
        turn["content"].as_array().is_some_and(|blocks| {
            blocks.iter().any(|block| match turn["role"].as_str() {
                Some("assistant") => block["type"] == "document",
                _ => block["citations"].as_array().is_some_and(|citations| !citations.is_empty()),
            })
        })
    });
    if sampling || refused { VERSION } else { VERSION_WITHOUT_SAMPLING }
}

const fn extra(path: &'static str, kind: &'static str, about: &'static str) -> Extra {
    Extra { path, kind, about }
}

static EXTRAS: &[Extra] = &[
    extra("top_k", "integer", "Sample from the k likeliest tokens alone. Refused under version 2026-10-21 and by newer models."),
    extra(
        "thinking.display",
        "string",
        "Whether thinking is shown: summarized or omitted. Set reasoning too; the default depends on the model.",
    ),
    extra("output_config.effort", "string", "How much effort the reply may take: low, medium, high, xhigh or max."),
    extra("tool_choice.disable_parallel_tool_use", "boolean", "At most one tool call in the reply. Set a tool choice too."),
    extra("cache_control", "object", "Cache the prompt up to its last block: {\"type\":\"ephemeral\",\"ttl\":\"5m\"}, or 1h."),
    extra("metadata.user_id", "string", "An opaque id of the person who asks; no name, no address."),
    extra("service_tier", "string", "auto, or standard_only for no priority capacity."),
    extra("speed", "string", "standard or fast, where the model has it."),
    extra("inference_geo", "string", "The region in which the model runs."),
    extra("container", "string", "A container of an earlier reply, for tools that run code."),
];
