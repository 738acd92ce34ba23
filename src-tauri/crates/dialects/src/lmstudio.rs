//! LM Studio's own API, `POST /api/v1/chat`, to be looked at: named events, or one object.
//!
//! The server keeps the conversation: a question goes on from an earlier reply by `previous_response_id`, and tools are those of the
//! MCP servers and plugins that `integrations` names. So a question here is a single user turn.

mod decoder;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use crate::{Ask, AskError, Attachment, Call, Decoder, Dialect, Extra, Message, Role, Source, Transport, check, endpoint, extra};

/// The dialect `lmstudio`.
pub struct LmStudio;

const NAME: &str = "LM Studio";

impl Dialect for LmStudio {
    fn id(&self) -> &'static str {
        "lmstudio"
    }

    fn name(&self) -> &'static str {
        NAME
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Sse, Transport::Http]
    }

    fn decode_only(&self) -> bool {
        true
    }

    fn endpoints(&self) -> &'static [&'static str] {
        &["/api/v1/chat"]
    }

    fn check(&self, ask: &Ask, transport: Transport) -> Vec<AskError> {
        let mut found: Vec<_> = check::transport(NAME, self.transports(), transport).err().into_iter().collect();
        found.extend(check::ask(NAME, ask));
        if ask.raw_body.is_none() {
            found.extend(problems(ask));
        }
        found
    }

    /// `base` is the server: scheme, host and port.
    fn call(&self, ask: &Ask, transport: Transport, base: &str, whole: bool, auth: &str) -> Result<Call, AskError> {
        if let Some(problem) = self.check(ask, transport).into_iter().next() {
            return Err(problem);
        }
        let mut url = endpoint::url(base, "/api/v1/chat", whole, transport)?;
        let body = ask.raw_body.clone().unwrap_or_else(|| build(ask, transport));
        let accept = if transport == Transport::Sse { "text/event-stream" } else { "application/json" };
        let mut headers = vec![endpoint::header("Content-Type", "application/json"), endpoint::header("Accept", accept)];
        endpoint::authorize(auth, &mut url, &mut headers);
        Ok(Call::post(url, headers, body))
    }

    fn decoder(&self, _transport: Transport) -> Box<dyn Decoder> {
        Box::<decoder::Events>::default()
    }

    fn read(&self, body: &str, _url: &str, transport: Transport) -> Option<Ask> {
        read(body, transport)
    }

    fn extras(&self) -> &'static [Extra] {
        EXTRAS
    }
}

/// Parameters of `/api/v1/chat` beyond Weir's own, as LM Studio documents them.
static EXTRAS: &[Extra] = &[
    Extra { path: "previous_response_id", kind: "string", about: "The reply to go on from; begins with `resp_`." },
    Extra { path: "store", kind: "boolean", about: "Keep the chat, so that it can be gone on from; true by default." },
    Extra { path: "integrations", kind: "array", about: "Plugins and MCP servers whose tools the model may use." },
    Extra { path: "context_length", kind: "integer", about: "Tokens of context." },
    Extra { path: "top_k", kind: "integer", about: "Samples from the k most likely tokens." },
    Extra { path: "min_p", kind: "number", about: "Least probability of a token; 0 to 1." },
    Extra { path: "repeat_penalty", kind: "number", about: "Penalty for repeated tokens; 1 is none." },
];

const LEVELS: [&str; 5] = ["off", "low", "medium", "high", "on"];

fn problems(ask: &Ask) -> Vec<AskError> {
    let inexpressible = |what: String, why: &str| AskError::Inexpressible { dialect: NAME, what, why: why.to_owned() };
    let mut found = Vec::new();
    if !matches!(ask.messages.as_slice(), [only] if only.role == Role::User) {
        found.push(inexpressible(
            "more than one turn".into(),
            "the server keeps the conversation: go on from a reply by previous_response_id",
        ));
    }
    if ask
        .messages
        .iter()
        .flat_map(|turn| &turn.attachments)
        .any(|file| !file.media_type.starts_with("image/") || matches!(file.source, Source::Url(_)))
    {
        found.push(inexpressible("an attachment that is no image, or not here".into(), "images travel in the request, as data URLs"));
    }
    for (there, what, why) in [
        (!ask.tools.is_empty(), "tools of your own", "the model uses those of plugins and MCP servers (integrations)"),
        (ask.output.is_some(), "structured output", "only the OpenAI-compatible endpoints have it"),
        (ask.params.seed.is_some(), "a seed", "the API has none"),
        (!ask.params.stop.is_empty(), "stop sequences", "the API has none"),
    ] {
        if there {
            found.push(inexpressible(what.into(), why));
        }
    }
    if let Some(level) = ask.params.reasoning.as_deref().filter(|level| !LEVELS.contains(level)) {
        found.push(inexpressible(format!("reasoning {level}"), "it is off, low, medium, high or on"));
    }
    found
}

/// The body for `ask`, as compact JSON; what is not set is not sent.
fn build(ask: &Ask, transport: Transport) -> String {
    let mut body = members(ask, transport);
    extra::merge(&mut body, &ask.params.extra);
    Value::Object(body).to_string()
}

fn members(ask: &Ask, transport: Transport) -> Map<String, Value> {
    let turn = ask.messages.last().cloned().unwrap_or_else(|| Message::new(Role::User, ""));
    let input = if turn.attachments.is_empty() {
        json!(turn.text)
    } else {
        let text = (!turn.text.is_empty()).then(|| json!({"type": "message", "content": turn.text}));
        text.into_iter().chain(turn.attachments.iter().filter_map(image)).collect()
    };
    let params = &ask.params;
    [
        ("model", Some(json!(ask.model))),
        ("input", Some(input)),
        ("system_prompt", (!ask.system.is_empty()).then(|| json!(ask.system))),
        ("temperature", params.temperature.map(extra::number)),
        ("top_p", params.top_p.map(extra::number)),
        ("max_output_tokens", params.max_tokens.map(Value::from)),
        ("reasoning", params.reasoning.as_ref().map(|level| json!(level))),
        ("stream", (transport == Transport::Sse).then_some(Value::Bool(true))),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect()
}

fn image(attachment: &Attachment) -> Option<Value> {
    let Source::Data(data) = &attachment.source else { return None };
    Some(json!({"type": "image", "data_url": format!("data:{};base64,{data}", attachment.media_type)}))
}

/// The inverse of [`build`].
fn read(text: &str, transport: Transport) -> Option<Ask> {
    let Ok(Value::Object(body)) = serde_json::from_str::<Value>(text) else { return None };
    let mut ask = Ask { model: body.get("model")?.as_str()?.to_owned(), ..Ask::default() };
    let mut turn = Message::new(Role::User, "");
    match body.get("input")? {
        Value::String(text) => turn.text = text.clone(),
        Value::Array(parts) => {
            for part in parts {
                match part["type"].as_str()? {
                    "message" => turn.text = part["content"].as_str()?.to_owned(),
                    "image" => {
                        let (media_type, data) = part["data_url"].as_str()?.strip_prefix("data:")?.split_once(";base64,")?;
                        let source = Source::Data(data.to_owned());
                        turn.attachments.push(Attachment { media_type: media_type.to_owned(), name: String::new(), source });
                    }
                    _ => return None,
                }
            }
        }
        _ => return None,
    }
    ask.messages.push(turn);
    let word = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    ask.system = word("system_prompt").unwrap_or_default();
    ask.params.temperature = extra::exact(body.get("temperature"));
    ask.params.top_p = extra::exact(body.get("top_p"));
    ask.params.max_tokens = body.get("max_output_tokens").and_then(Value::as_u64);
    ask.params.reasoning = word("reasoning").filter(|level| LEVELS.contains(&level.as_str()));
    ask.params.extra = extra::beyond(&body, &members(&ask, transport), &["model", "input"])?;
    Some(ask)
}
