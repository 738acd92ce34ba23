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
