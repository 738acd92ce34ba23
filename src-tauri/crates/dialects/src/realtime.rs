//! What the Realtime APIs share: OpenAI's, and those that took it over with its names of today (Azure, xAI) or of its beta (Qwen).
//!
//! A run is a conversation between two event streams: the session is set up, the conversation's items are put into it, and only
//! `response.create` asks for a reply. So each message waits for the server's word that the one it builds on was taken.

mod api;
mod body;
mod decoder;
mod events;
#[cfg(test)]
mod tests;

use url::Url;

use crate::{Ask, AskError, Call, Outgoing, Role, Transport, check, endpoint, messages};

pub use self::api::RealtimeApi;
pub(crate) use self::events::{GA as EVENTS, QWEN as QWEN_EVENTS};

/// What cannot be expressed, all of it.
fn problems(api: &RealtimeApi, ask: &Ask, transport: Transport) -> Vec<AskError> {
    let mut found: Vec<_> = check::transport(api.name, &[Transport::Websocket], transport).err().into_iter().collect();
    match &ask.raw_body {
        Some(raw) => found.extend(messages::read(raw).err()),
        None => {
            found.extend(check::ask(api.name, ask));
            found.extend(body::problems(api, ask));
        }
    }
    found
}

/// The socket, and what is said on it until the first reply is under way.
fn call(api: &RealtimeApi, ask: &Ask, transport: Transport, base: &str, whole: bool, auth: &str) -> Result<Call, AskError> {
    if let Some(problem) = problems(api, ask, transport).into_iter().next() {
        return Err(problem);
    }
    let mut url = endpoint::url(base, "/realtime", whole, transport)?;
    name_model(&mut url, &ask.model);
    let mut headers = Vec::new();
    endpoint::authorize(auth, &mut url, &mut headers);
    let said = match &ask.raw_body {
        Some(raw) => messages::read(raw)?,
        None => body::build(api, ask),
    };
    let mut set_up = false;
    let held_back = said.into_iter().map(|message| {
        let text = serde_json::Value::Object(message.clone()).to_string();
        if messages::word(&message, "type") == "session.update" && !set_up {
            set_up = true;
            return Outgoing::after("session.created", text);
        }
        Outgoing::after(if set_up { "session.updated" } else { "session.created" }, text)
    });
    let held_back = held_back.collect();
    Ok(Call::socket(url, headers, held_back))
}

/// The model goes into the query, unless the URL already says who is to answer: a call (SIP, WebRTC), an Azure deployment, a model.
fn name_model(url: &mut Url, model: &str) {
    let told = url.query_pairs().any(|(name, _)| matches!(&*name, "model" | "call_id" | "deployment"));
    if !told && !model.is_empty() {
        url.query_pairs_mut().append_pair("model", model);
    }
}

/// What another turn adds to the conversation, and the wish for a reply to it.
fn turn(api: &RealtimeApi, ask: &Ask, transport: Transport) -> Result<Vec<Outgoing>, AskError> {
    if let Some(problem) = problems(api, ask, transport).into_iter().next() {
        return Err(problem);
    }
    let said = match &ask.raw_body {
        Some(raw) => messages::read(raw)?,
        None => body::turn(api, ask),
    };
    Ok(said.into_iter().map(|message| Outgoing::text(serde_json::Value::Object(message).to_string())).collect())
}

/// The question that `body` asks: its messages, as the composer edits them.
fn read(api: &RealtimeApi, body: &str, url: &str, transport: Transport) -> Option<Ask> {
    let said = messages::read(body).ok()?;
    let model =
        Url::parse(url).ok().and_then(|url| url.query_pairs().find(|(name, _)| name == "model").map(|(_, model)| model.into_owned()));
    let ask = Ask { model: model.unwrap_or_default(), ..body::read(api, &said)? };
    (problems(api, &ask, transport).is_empty() && body::build(api, &ask) == said).then_some(ask)
}

/// The turns after the last of the assistant's: what is new on a socket that heard the rest.
fn newest(ask: &Ask) -> usize {
    ask.messages.iter().rposition(|message| message.role == Role::Assistant).map_or(0, |last| last + 1)
}
