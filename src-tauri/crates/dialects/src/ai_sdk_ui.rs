//! The UI message stream of Vercel's AI SDK, version 1, to be looked at: what an application's own endpoint sends to its page.
//!
//! The endpoint belongs to the application and takes what `useChat` sends: an id, messages made of parts, and what set it off. Which
//! model answers, and how, is the application's own business; most read a `model` from the body, so one is sent where it is set.

mod decoder;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use crate::{Ask, AskError, Attachment, Call, Decoder, Dialect, Message, Role, Source, Transport, check, endpoint, extra};

/// The dialect `ai-sdk-ui`.
pub struct AiSdkUi;

const NAME: &str = "AI SDK UI stream";

impl Dialect for AiSdkUi {
    fn id(&self) -> &'static str {
        "ai-sdk-ui"
    }

    fn name(&self) -> &'static str {
        NAME
    }

    fn transports(&self) -> &'static [Transport] {
        &[Transport::Sse]
    }

    fn decode_only(&self) -> bool {
        true
    }

    fn check(&self, ask: &Ask, transport: Transport) -> Vec<AskError> {
        let mut found: Vec<_> = check::transport(NAME, self.transports(), transport).err().into_iter().collect();
        found.extend(check::ask(NAME, ask));
        if ask.raw_body.is_none() {
            found.extend(problems(ask));
        }
        found
    }

    /// `base` is the application; its endpoint is `/api/chat`, the SDK's default, unless `whole` says that it is elsewhere.
    fn call(&self, ask: &Ask, transport: Transport, base: &str, whole: bool, auth: &str) -> Result<Call, AskError> {
        if let Some(problem) = self.check(ask, transport).into_iter().next() {
            return Err(problem);
        }
        let mut url = endpoint::url(base, "/api/chat", whole, transport)?;
        let body = ask.raw_body.clone().unwrap_or_else(|| build(ask));
        let mut headers = vec![endpoint::header("Content-Type", "application/json"), endpoint::header("Accept", "text/event-stream")];
        endpoint::authorize(auth, &mut url, &mut headers);
        Ok(Call::post(url, headers, body))
    }

    fn decoder(&self, _transport: Transport) -> Box<dyn Decoder> {
        Box::<decoder::Parts>::default()
    }

    fn read(&self, body: &str, _url: &str, _transport: Transport) -> Option<Ask> {
        read(body)
    }
}

fn problems(ask: &Ask) -> Vec<AskError> {
    let inexpressible = |what: &str, why: &str| AskError::Inexpressible { dialect: NAME, what: what.to_owned(), why: why.to_owned() };
    let mut found = Vec::new();
    let params = &ask.params;
    let sampled = params.temperature.is_some() || params.top_p.is_some() || params.max_tokens.is_some() || params.seed.is_some();
    for (there, what) in [
        (!ask.tools.is_empty(), "tools on offer"),
        (ask.output.is_some(), "structured output"),
        (sampled || !params.stop.is_empty() || params.reasoning.is_some(), "parameters of a model"),
    ] {
        if there {
            found.push(inexpressible(what, "the application behind the endpoint chooses these"));
        }
    }
    if ask.messages.iter().any(|turn| turn.role == Role::Tool || !turn.tool_calls.is_empty()) {
        found.push(inexpressible("tool calls and their results", "the page sends them as parts named after the application's tools"));
    }
    found
}

/// The body for `ask`, as the SDK's default transport sends it. Ids are ours: the page makes them up too.
fn build(ask: &Ask) -> String {
    let mut body = members(ask);
    extra::merge(&mut body, &ask.params.extra);
    Value::Object(body).to_string()
}

fn members(ask: &Ask) -> Map<String, Value> {
    let mut messages = Vec::new();
    if !ask.system.is_empty() {
        messages.push(json!({"id": "system", "role": "system", "parts": [{"type": "text", "text": ask.system}]}));
    }
    messages.extend(ask.messages.iter().enumerate().map(|(at, turn)| message(turn, at)));
    let mut body = Map::new();
    body.insert("id".into(), json!("weir"));
    body.insert("messages".into(), Value::Array(messages));
    body.insert("trigger".into(), json!("submit-message"));
    if !ask.model.is_empty() {
        body.insert("model".into(), json!(ask.model));
    }
    body
}

fn message(turn: &Message, at: usize) -> Value {
    let role = if turn.role == Role::Assistant { "assistant" } else { "user" };
    let files = turn.attachments.iter().map(file);
    let reasoning = turn.reasoning.iter().filter(|text| !text.is_empty() && turn.role == Role::Assistant);
    let reasoning = reasoning.map(|text| json!({"type": "reasoning", "text": text}));
    let text = (!turn.text.is_empty() || turn.attachments.is_empty()).then(|| json!({"type": "text", "text": turn.text}));
    json!({"id": format!("weir-{at}"), "role": role, "parts": reasoning.chain(files).chain(text).collect::<Vec<_>>()})
}

fn file(attachment: &Attachment) -> Value {
    let url = match &attachment.source {
        Source::Url(url) => url.clone(),
        Source::Data(data) => format!("data:{};base64,{data}", attachment.media_type),
    };
    let mut part = json!({"type": "file", "mediaType": attachment.media_type, "url": url});
    if !attachment.name.is_empty() {
        part["filename"] = json!(attachment.name);
    }
    part
}

/// The inverse of [`build`].
fn read(text: &str) -> Option<Ask> {
    let Ok(Value::Object(body)) = serde_json::from_str::<Value>(text) else { return None };
    let mut ask = Ask { model: body.get("model").and_then(Value::as_str).unwrap_or_default().to_owned(), ..Ask::default() };
    for message in body.get("messages")?.as_array()? {
        let role = match message["role"].as_str()? {
            "system" if ask.messages.is_empty() && ask.system.is_empty() => {
                ask.system = message["parts"][0]["text"].as_str()?.to_owned();
                continue;
            }
            "user" => Role::User,
            "assistant" => Role::Assistant,
            _ => return None,
        };
        let mut turn = Message::new(role, "");
        for part in message["parts"].as_array()? {
            match part["type"].as_str()? {
                "text" if turn.text.is_empty() => turn.text = part["text"].as_str()?.to_owned(),
                "reasoning" if turn.reasoning.is_none() => turn.reasoning = Some(part["text"].as_str()?.to_owned()),
                "file" => turn.attachments.push(read_file(part)?),
                _ => return None,
            }
        }
        ask.messages.push(turn);
    }
    // Ids of messages are the page's; a body with others is built again with ours, so it cannot be held.
    ask.params.extra = extra::beyond(&body, &members(&ask), &["messages"])?;
    Some(ask)
}

fn read_file(part: &Value) -> Option<Attachment> {
    let (media_type, url) = (part["mediaType"].as_str()?, part["url"].as_str()?);
    let data = url.strip_prefix(&format!("data:{media_type};base64,"));
    let source = data.map_or_else(|| Source::Url(url.to_owned()), |data| Source::Data(data.to_owned()));
    let name = part["filename"].as_str().unwrap_or_default().to_owned();
    Some(Attachment { media_type: media_type.to_owned(), name, source })
}
