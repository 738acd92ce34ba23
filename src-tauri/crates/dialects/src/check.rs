//! What is wrong with a question in any dialect of the OpenAI family, found before anything is sent.

use crate::{Ask, AskError, Role, Transport};

/// Whether `transport` is among those offered.
pub(crate) fn transport(dialect: &'static str, offers: &[Transport], transport: Transport) -> Result<(), AskError> {
    if offers.contains(&transport) {
        return Ok(());
    }
    let offers = offers.iter().map(|offer| offer.name()).collect::<Vec<_>>().join(", ");
    Err(AskError::Transport { dialect, transport: transport.name(), offers })
}

/// The raw body, which must be a JSON object.
pub(crate) fn raw_body(body: &str) -> Result<(), AskError> {
    match crate::json::value(body) {
        Ok(raw) if raw.get().starts_with('{') => Ok(()),
        Ok(raw) => Err(AskError::Body(format!("it is {}, and the API takes an object", crate::json::shape(raw)))),
        Err(error) => Err(AskError::Body(error)),
    }
}

/// What neither Chat nor Responses can express. A raw body is checked by itself: it replaces all of this.
pub(crate) fn ask(dialect: &'static str, ask: &Ask) -> Vec<AskError> {
    let mut found = Vec::new();
    if let Some(body) = &ask.raw_body {
        found.extend(raw_body(body).err());
        return found;
    }
    let mut problem = |what: &str, why: &str| found.push(AskError::Inexpressible { dialect, what: what.to_owned(), why: why.to_owned() });
    for (name, value) in [("temperature", ask.params.temperature), ("top_p", ask.params.top_p)] {
        if value.is_some_and(|value| !value.is_finite()) {
            problem(name, "JSON has no number for it");
        }
    }
    for tool in &ask.tools {
        if tool.name.is_empty() {
            problem("a tool without a name", "the model calls tools by name");
        }
        if !tool.parameters.is_object() {
            problem(&format!("the parameters of {}", tool.name), "they are to be a JSON Schema object");
        }
    }
    if let Some(choice) = ask.params.tool_choice.as_deref() {
        if ask.tools.is_empty() {
            problem("tool choice", "no tool is on offer");
        } else if !matches!(choice, "auto" | "none" | "required") && !ask.tools.iter().any(|tool| tool.name == choice) {
            problem(&format!("tool choice {choice}"), "auto, none, required, or the name of a tool on offer");
        }
    }
    for message in &ask.messages {
        if message.role == Role::Tool && message.tool_call_id.as_deref().is_none_or(str::is_empty) {
            problem("a tool result without a call id", "a result answers one call, by its id");
        }
        if message.role != Role::Assistant && !message.tool_calls.is_empty() {
            problem("tool calls outside an assistant's turn", "only the assistant calls tools");
        }
    }
    found
}

/// What no member of OpenAI's own family can express, beyond [`ask`]: attachments outside the user's turns, unknown kinds of sound,
/// and names of forms that the API would refuse.
pub(crate) fn family(ask: &Ask, problem: &mut dyn FnMut(String, &str)) {
    for message in &ask.messages {
        if message.role != Role::User && !message.attachments.is_empty() {
            problem("attachments outside a user's turn".to_owned(), "only the user's turns take them");
        }
    }
    for attachment in ask.messages.iter().flat_map(|turn| &turn.attachments) {
        let media_type = &attachment.media_type;
        if media_type.starts_with("video/") || media_type.starts_with("audio/") && crate::media::audio_format(media_type).is_none() {
            problem(media_type.clone(), "images, WAV, MP3 and documents are taken");
        }
    }
    if let Some(output) = &ask.output {
        if !output.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)) || output.name.len() > 64 {
            problem(format!("the form's name {}", output.name), "up to 64 letters, digits, _ and - are taken");
        }
        if output.schema.as_ref().is_some_and(|schema| !schema.is_object()) {
            problem("the form's schema".to_owned(), "it is to be a JSON Schema object");
        }
    }
}
