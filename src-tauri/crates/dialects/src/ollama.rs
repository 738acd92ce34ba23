//! Ollama's own API: `POST /api/chat`, and `/api/generate` for one turn. A JSON object a line, or one object for the whole reply.
//!
//! The stream has no ids, no keep-alive and no resume; loading a model may mean minutes of silence before the response's head.
//! Tool calls come whole, with arguments as an object, and mostly without ids: see [`body::is_stand_in`].

mod body;
mod decoder;
#[cfg(test)]
mod tests;

use url::Url;

use crate::{Ask, AskError, Call, Decoder, Dialect, Extra, Transport, check, endpoint};

/// The dialect `ollama`.
pub struct Ollama;

const NAME: &str = "Ollama";

impl Dialect for Ollama {
    fn id(&self) -> &'static str {
        "ollama"
    }

    fn name(&self) -> &'static str {
        NAME
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Ndjson, Transport::Http]
    }

    fn endpoints(&self) -> &'static [&'static str] {
        &["/api/chat", "/api/generate"]
    }

    fn check(&self, ask: &Ask, transport: Transport) -> Vec<AskError> {
        let mut found: Vec<_> = check::transport(NAME, self.transports(), transport).err().into_iter().collect();
        found.extend(check::ask(NAME, ask));
        if ask.raw_body.is_none() {
            found.extend(body::problems(ask));
        }
        found
    }

    /// `base` is Ollama's host, as in `OLLAMA_HOST`; one that ends in `/api` is taken as well. With `whole` and a path that ends in
    /// `/api/generate` the question must be a single user turn.
    fn call(&self, ask: &Ask, transport: Transport, base: &str, whole: bool, auth: &str) -> Result<Call, AskError> {
        if let Some(problem) = self.check(ask, transport).into_iter().next() {
            return Err(problem);
        }
        let host = base.trim().trim_end_matches('/');
        let path = if host.ends_with("/api") { "/chat" } else { "/api/chat" };
        let mut url = endpoint::url(if whole { base } else { host }, path, whole, transport)?;
        let body = match &ask.raw_body {
            Some(raw) => raw.clone(),
            None => body::build(ask, transport, body::Form::of(&url))?,
        };
        let accept = if transport == Transport::Ndjson { "application/x-ndjson" } else { "application/json" };
        let mut headers = vec![endpoint::header("Content-Type", "application/json"), endpoint::header("Accept", accept)];
        endpoint::authorize(auth, &mut url, &mut headers);
        Ok(Call::post(url, headers, body))
    }

    fn decoder(&self, _transport: Transport) -> Box<dyn Decoder> {
        Box::<decoder::Lines>::default()
    }

    fn read(&self, body: &str, url: &str, transport: Transport) -> Option<Ask> {
        let form = Url::parse(url).map_or(body::Form::Chat, |url| body::Form::of(&url));
        body::read(body, transport, form)
    }

    fn extras(&self) -> &'static [Extra] {
        EXTRAS
    }
}

/// Parameters of `/api/chat` beyond Weir's own; ranges as in Ollama's API and Modelfile references.
static EXTRAS: &[Extra] = &[
    Extra {
        path: "keep_alive",
        kind: "string",
        about: "How long the model stays loaded after the reply: `5m`, `0` to unload it, `-1` for ever.",
    },
    Extra { path: "options.num_ctx", kind: "integer", about: "Context window in tokens." },
    Extra { path: "options.top_k", kind: "integer", about: "Samples from the k most likely tokens; 40 by default." },
    Extra { path: "options.min_p", kind: "number", about: "Least probability of a token, relative to the likeliest; 0 to 1." },
    Extra { path: "options.repeat_penalty", kind: "number", about: "Penalty for repeated tokens; 1 is none." },
    Extra {
        path: "options.repeat_last_n",
        kind: "integer",
        about: "How far back repetition is looked for; 0 is off, -1 the whole context.",
    },
    Extra { path: "options.presence_penalty", kind: "number", about: "Penalty for tokens that came before." },
    Extra { path: "options.frequency_penalty", kind: "number", about: "Penalty for tokens by how often they came before." },
    Extra { path: "options.num_keep", kind: "integer", about: "Tokens of the prompt that are kept when the context is shifted." },
    Extra { path: "options.num_gpu", kind: "integer", about: "Layers put on the GPU." },
    Extra { path: "options.num_thread", kind: "integer", about: "Threads used on the CPU." },
    Extra { path: "logprobs", kind: "boolean", about: "Tell the log probability of each token." },
    Extra { path: "top_logprobs", kind: "integer", about: "How many alternatives to tell for each token; with logprobs." },
    Extra { path: "truncate", kind: "boolean", about: "Drop the oldest turns if the prompt is too long, instead of refusing it." },
    Extra { path: "shift", kind: "boolean", about: "Shift the context when it is full, instead of ending the reply." },
];
