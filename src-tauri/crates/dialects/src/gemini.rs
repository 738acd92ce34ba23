//! Google Gemini, `generateContent` and `streamGenerateContent`: one object, a JSON array that comes piece by piece, or server-sent events.
//!
//! How the reply travels is said by the URL, not by the body: `:generateContent` answers with one object, `:streamGenerateContent` with an
//! array of them, and with `?alt=sse` the same objects come as events. There is no end marker; the stream is over when it ends.

pub(crate) mod address;
pub(crate) mod body;
pub(crate) mod calls;
mod decoder;
pub(crate) mod fault;
pub(crate) mod parts;
mod patches;
pub(crate) mod problems;
pub(crate) mod read;
#[cfg(test)]
mod tests;
pub(crate) mod usage;

use serde_json::{Map, Value};

use crate::{Ask, AskError, Call, Decoder, Dialect, Extra, Transport, check, endpoint};

pub(crate) use self::decoder::Gemini as GeminiDecoder;

/// The dialect `gemini`.
pub struct Gemini;

const NAME: &str = "Google Gemini";

/// The parameter that is no member of the body: it chooses the method over plain HTTP.
const STREAM: &str = "stream";

impl Dialect for Gemini {
    fn id(&self) -> &'static str {
        "gemini"
    }

    fn name(&self) -> &'static str {
        NAME
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Sse, Transport::Http]
    }

    fn endpoints(&self) -> &'static [&'static str] {
        &[":generateContent", ":streamGenerateContent"]
    }

    fn auth(&self) -> &'static str {
        "x-goog-api-key: {key}"
    }

    /// Over both: a peer that overlooks `alt=sse` answers an event stream's request with the array.
    fn elements(&self, transport: Transport) -> bool {
        matches!(transport, Transport::Http | Transport::Sse)
    }

    fn extras(&self) -> &'static [Extra] {
        EXTRAS
    }

    fn check(&self, ask: &Ask, transport: Transport) -> Vec<AskError> {
        let mut found: Vec<_> = check::transport(NAME, self.transports(), transport).err().into_iter().collect();
        found.extend(problems::of(NAME, ask));
        if ask.raw_body.is_none() && ask.params.extra.get(STREAM).is_some_and(|stream| !stream.is_boolean()) {
            let what = "stream".to_owned();
            found.push(AskError::Inexpressible { dialect: NAME, what, why: "it is true or false: it chooses the method".to_owned() });
        }
        found
    }

    /// Over plain HTTP a true `stream` among the extra parameters asks for the JSON array: `:streamGenerateContent` without `alt=sse`.
    fn call(&self, ask: &Ask, transport: Transport, base: &str, whole: bool, auth: &str) -> Result<Call, AskError> {
        if let Some(problem) = self.check(ask, transport).into_iter().next() {
            return Err(problem);
        }
        let sse = transport == Transport::Sse;
        let streams = sse || ask.params.extra.get(STREAM) == Some(&Value::Bool(true));
        let mut url = if whole {
            endpoint::url(base, "", true, transport)?
        } else {
            if ask.model.trim().is_empty() {
                let what = "a question without a model".to_owned();
                return Err(AskError::Inexpressible { dialect: NAME, what, why: "the model is part of the address".to_owned() });
            }
            let method = if streams { "streamGenerateContent" } else { "generateContent" };
            let path = address::path(base, &ask.model, method);
            let mut url = endpoint::url(base, &path, false, transport)?;
            if sse && !url.query_pairs().any(|(name, _)| name == "alt") {
                url.query_pairs_mut().append_pair("alt", "sse");
            }
            url
        };
        let body = match &ask.raw_body {
            Some(raw) => raw.clone(),
            None => Value::Object(build(ask)).to_string(),
        };
        let accept = if sse { "text/event-stream" } else { "application/json" };
        let mut headers = vec![endpoint::header("Content-Type", "application/json"), endpoint::header("Accept", accept)];
        endpoint::authorize(auth, &mut url, &mut headers);
        Ok(Call::post(url, headers, body))
    }

    /// The model and, over plain HTTP, the method are in the URL.
    fn read(&self, body: &str, url: &str, transport: Transport) -> Option<Ask> {
        let Value::Object(body) = serde_json::from_str(body).ok()? else {
            return None;
        };
        if body.contains_key(STREAM) {
            return None;
        }
        let mut ask = Ask { model: address::model(url).unwrap_or_default(), ..read::ask(&body)? };
        ask.params.extra = crate::extra::beyond(&body, &build(&ask), &["contents"])?;
        if transport == Transport::Http && address::method(url) == Some("streamGenerateContent") {
            ask.params.extra.insert(STREAM.to_owned(), Value::Bool(true));
        }
        Some(ask)
    }

    fn decoder(&self, _transport: Transport) -> Box<dyn Decoder> {
        Box::<decoder::Gemini>::default()
    }
}

/// The request body for `ask`.
fn build(ask: &Ask) -> Map<String, Value> {
    let mut body = Map::new();
    let contents = body::contents(&ask.messages);
    if !contents.is_empty() {
        body.insert("contents".to_owned(), Value::Array(contents));
    }
    body.extend(body::instruction(ask));
    body.extend(body::tools(ask));
    body.extend(body::tool_config(ask));
    let config = body::generation(ask);
    if !config.is_empty() {
        body.insert("generationConfig".to_owned(), Value::Object(config));
    }
    let mut extra = ask.params.extra.clone();
    extra.shift_remove(STREAM);
    crate::extra::merge(&mut body, &extra);
    body
}

const fn extra(path: &'static str, kind: &'static str, about: &'static str) -> Extra {
    Extra { path, kind, about }
}

/// <https://ai.google.dev/api/generate-content>
static EXTRAS: &[Extra] = &[
    extra(
        STREAM,
        "boolean",
        "Not in the body. Over plain HTTP: ask for the JSON array that comes piece by piece (:streamGenerateContent without alt=sse).",
    ),
    extra("generationConfig.topK", "integer", "Sample among the K likeliest tokens."),
    extra("generationConfig.candidateCount", "integer", "Replies to make, 1 to 8; the first one is shown as the reply."),
    extra("generationConfig.presencePenalty", "number", "Penalty for tokens that occurred at all, -2 to 2 (exclusive)."),
    extra("generationConfig.frequencyPenalty", "number", "Penalty for tokens by how often they occurred, -2 to 2 (exclusive)."),
    extra("generationConfig.responseModalities", "array", "What comes back: TEXT, IMAGE, AUDIO."),
    extra("generationConfig.responseMimeType", "string", "text/plain, application/json, or text/x.enum."),
    extra(
        "generationConfig.responseSchema",
        "object",
        "The reply's form as Google's own schema (a subset of OpenAPI 3.0), instead of JSON Schema.",
    ),
    extra("generationConfig.responseLogprobs", "boolean", "Log probabilities of the chosen tokens."),
    extra("generationConfig.logprobs", "integer", "Likeliest tokens to report at each step, 0 to 20; needs responseLogprobs."),
    extra("generationConfig.mediaResolution", "string", "MEDIA_RESOLUTION_LOW, _MEDIUM or _HIGH: tokens an image costs."),
    extra("generationConfig.speechConfig", "object", "Voice of a spoken reply: {voiceConfig:{prebuiltVoiceConfig:{voiceName}}}."),
    extra("generationConfig.thinkingConfig.includeThoughts", "boolean", "Send summaries of the thoughts."),
    extra(
        "generationConfig.thinkingConfig.thinkingBudget",
        "integer",
        "Tokens for thinking (Gemini 2.5): 0 none, -1 as the model sees fit.",
    ),
    extra("generationConfig.thinkingConfig.thinkingLevel", "string", "minimal, low, medium or high (Gemini 3)."),
    extra("safetySettings", "array", "[{category, threshold}]: what is blocked, e.g. HARM_CATEGORY_HARASSMENT at BLOCK_ONLY_HIGH."),
    extra("cachedContent", "string", "Name of cached content to go on from: cachedContents/ID."),
    extra("toolConfig.functionCallingConfig.allowedFunctionNames", "array", "The functions that may be called, with mode ANY."),
    extra("toolConfig.functionCallingConfig.streamFunctionCallArguments", "boolean", "Vertex AI: arguments of calls as they are written."),
    extra("labels", "object", "Vertex AI: labels for billing."),
];
