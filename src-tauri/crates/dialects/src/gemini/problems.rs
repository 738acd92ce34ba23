//! What Gemini cannot be asked, found before anything is sent.

use serde_json::Value;

use crate::{Ask, AskError, Role, check};

/// What neither `generateContent` nor Live can express. A raw body is checked by itself.
pub(crate) fn of(dialect: &'static str, ask: &Ask) -> Vec<AskError> {
    let mut found = check::ask(dialect, ask);
    if ask.raw_body.is_some() {
        return found;
    }
    let mut problem = |what: &str, why: &str| found.push(AskError::Inexpressible { dialect, what: what.to_owned(), why: why.to_owned() });
    if ask.params.seed.is_some_and(|seed| i32::try_from(seed).is_err()) {
        problem("a seed of more than 32 bits", "the API takes a signed 32-bit number");
    }
    if ask.params.stop.len() > 5 {
        problem("more than 5 stop sequences", "the API takes 5");
    }
    let mut known: Vec<&str> = Vec::new();
    for message in &ask.messages {
        for call in &message.tool_calls {
            known.push(&call.id);
            if !call.arguments.is_empty() && !matches!(serde_json::from_str(&call.arguments), Ok(Value::Object(_))) {
                problem(&format!("the arguments of {}", call.name), "they are to be a JSON object");
            }
        }
        let answers = message.tool_call_id.as_deref().filter(|id| !id.is_empty());
        if let Some(id) = answers.filter(|id| message.role == Role::Tool && !known.contains(id)) {
            problem(&format!("the result of {id}"), "a result names the function that was called, and no earlier turn has this call");
        }
        if message.attachments.iter().any(|attachment| attachment.media_type.is_empty()) {
            problem("an attachment without a media type", "the API wants one, e.g. image/png");
        }
    }
    found
}
