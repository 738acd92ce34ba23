//! A question read back out of a request body: the inverse of [`super::body`].

use serde_json::{Map, Value};

use super::body::{self, MADE};
use crate::aside::{self, Aside};
use crate::{Ask, Attachment, Message, Output, Role, Source, Tool, ToolCall, extra};

/// What `body` (of `generateContent`; of Live, its `setup` with the turns as `contents`) asks in words that Weir has. What it has none
/// for is left to the caller. `None` where the conversation cannot be held in messages.
pub(crate) fn ask(body: &Map<String, Value>) -> Option<Ask> {
    let mut ask = Ask::default();
    if let Some(Value::Array(contents)) = body.get("contents") {
        ask.messages = messages(contents)?;
    }
    if let Some(instruction) = body.get("systemInstruction") {
        ask.system = aside::text(&instruction["parts"]).unwrap_or_default();
        ask.system_aside = body::instruction(&ask).and_then(|(_, built)| Aside::of(built, instruction));
    }
    ask.tools = tools(body.get("tools")).unwrap_or_default();
    if let Some(Value::Object(config)) = body.get("generationConfig") {
        generation(config, &mut ask);
    }
    if !ask.tools.is_empty() {
        ask.params.tool_choice = tool_choice(body.get("toolConfig"), &ask.tools);
    }
    Some(ask)
}

/// The tools, where all are functions with JSON Schema.
fn tools(value: Option<&Value>) -> Option<Vec<Tool>> {
    let declarations = value?.pointer("/0/functionDeclarations")?.as_array()?;
    let tool = |declaration: &Value| {
        let name = declaration.get("name")?.as_str()?.to_owned();
        let description = declaration.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
        // A question's parameters are an object; other forms stay what they are.
        let parameters = declaration.get("parametersJsonSchema").filter(|schema| schema.is_object())?.clone();
        Some(Tool { name, description, parameters })
    };
    let tools = declarations.iter().map(tool).collect::<Option<Vec<_>>>()?;
    let ask = Ask { tools, ..Ask::default() };
    (body::tools(&ask).map(|(_, built)| built).as_ref() == value).then_some(ask.tools)
}

fn tool_choice(value: Option<&Value>, tools: &[Tool]) -> Option<String> {
    let config = value?.get("functionCallingConfig")?;
    let choice = match (config.get("mode")?.as_str()?, config.pointer("/allowedFunctionNames/0")) {
        ("AUTO", _) => "auto",
        ("NONE", _) => "none",
        ("ANY", None) => "required",
        ("ANY", Some(name)) => name.as_str().filter(|name| tools.iter().any(|tool| tool.name == *name))?,
        _ => return None,
    };
    let mut ask = Ask::default();
    ask.params.tool_choice = Some(choice.to_owned());
    (body::tool_config(&ask).map(|(_, built)| built).as_ref() == value).then(|| choice.to_owned())
}

/// Takes what would be built again as it stands; the rest stays with the body.
fn generation(config: &Map<String, Value>, ask: &mut Ask) {
    let params = &mut ask.params;
    params.temperature = extra::exact(config.get("temperature"));
    params.top_p = extra::exact(config.get("topP"));
    params.max_tokens = config.get("maxOutputTokens").and_then(Value::as_u64);
    params.seed = config.get("seed").and_then(Value::as_i64);
    params.stop = config.get("stopSequences").and_then(extra::texts).unwrap_or_default();
    params.reasoning = config.get("thinkingConfig").and_then(|thinking| {
        let effort = match (thinking.get("thinkingLevel"), thinking.get("thinkingBudget")) {
            (Some(level), _) => level.as_str()?.to_owned(),
            (None, Some(budget)) if thinking.get("includeThoughts").is_some() => budget.as_i64()?.to_string(),
            (None, Some(_)) => "none".to_owned(),
            (None, None) => return None,
        };
        let built = body::thinking(&effort);
        // More may stand beside what is built of it.
        built.as_object()?.iter().all(|(name, value)| thinking.get(name) == Some(value)).then_some(effort)
    });
    if config.get("responseMimeType").is_some_and(|kind| kind == "application/json") {
        let schema = config.get("responseJsonSchema").filter(|schema| !schema.is_null()).cloned();
        ask.output = Some(Output { name: String::new(), schema });
    }
}

/// The turns of `contents`, with what messages cannot show of them aside; `None` where they would be built in another way.
fn messages(contents: &[Value]) -> Option<Vec<Message>> {
    let mut messages: Vec<Message> = Vec::new();
    // Calls without an id, by name, still to be answered; and how many there were.
    let mut unnamed: Vec<(String, String)> = Vec::new();
    let mut made = 0_u64;
    for content in contents {
        let parts = content.get("parts")?.as_array()?;
        let from = messages.len();
        if content["role"] == "model" {
            let mut message = Message::new(Role::Assistant, "");
            for part in parts {
                replied(part, &mut message);
            }
            for call in message.tool_calls.iter_mut().filter(|call| call.id.is_empty()) {
                made += 1;
                call.id = format!("{MADE}{made}");
                unnamed.push((call.name.clone(), call.id.clone()));
            }
            messages.push(message);
        } else if parts.iter().any(|part| part.get("functionResponse").is_some()) {
            for part in parts.iter().filter_map(|part| part.get("functionResponse")) {
                messages.push(answer(part, &mut unnamed)?);
            }
        } else {
            // A content without a role is the user's.
            let text = aside::lines(parts.iter().filter_map(|part| part.get("text")?.as_str()));
            messages.push(Message { attachments: parts.iter().filter_map(attachment).collect(), ..Message::new(Role::User, text) });
        }
        if let [.., built] = body::contents(&messages).as_slice() {
            messages[from].aside = Aside::of(built.clone(), content);
        }
    }
    (body::contents(&messages) == contents).then_some(messages)
}

/// Adds to a model's turn what a part has for it.
fn replied(part: &Value, message: &mut Message) {
    let seal = part.get("thoughtSignature").and_then(Value::as_str).map(str::to_owned);
    if let Some(function) = part.get("functionCall") {
        let text = |name: &str| function.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let arguments = function.get("args").map(Value::to_string).unwrap_or_default();
        message.tool_calls.push(ToolCall { id: text("id"), name: text("name"), arguments, signature: seal });
        return;
    }
    message.attachments.extend(attachment(part));
    let Some(text) = part.get("text").and_then(Value::as_str) else { return };
    let join = |old: &str| if old.is_empty() { text.to_owned() } else { format!("{old}\n{text}") };
    if part.get("thought") == Some(&Value::Bool(true)) {
        message.reasoning = Some(join(message.reasoning.as_deref().unwrap_or_default()));
    } else {
        message.text = join(&message.text);
        message.signature = seal.or(message.signature.take());
    }
}

fn answer(response: &Value, unnamed: &mut Vec<(String, String)>) -> Option<Message> {
    let name = response.get("name")?.as_str()?;
    let id = match response.get("id") {
        Some(id) => id.as_str()?.to_owned(),
        None => {
            let at = unnamed.iter().position(|(call, _)| call == name)?;
            unnamed.remove(at).1
        }
    };
    let result = response.get("response")?;
    // Under `output` alone stands a result that is no object; one that is would be built as it is.
    let plain = result.as_object().filter(|object| object.len() == 1).and_then(|object| object.get("output")?.as_str());
    let text = match plain.filter(|text| !matches!(serde_json::from_str(text), Ok(Value::Object(_)))) {
        Some(text) => text.to_owned(),
        None => result.to_string(),
    };
    let files = response.get("parts").and_then(Value::as_array).map(|parts| parts.iter().map(attachment).collect::<Option<Vec<_>>>());
    let attachments = match files {
        Some(files) => files?,
        None => Vec::new(),
    };
    Some(Message { tool_call_id: Some(id), attachments, ..Message::new(Role::Tool, text) })
}

/// The file of a part; members may be written either way, as everywhere in this API.
fn attachment(part: &Value) -> Option<Attachment> {
    let either = |value: &'_ Value, camel: &str, snake: &str| value.get(camel).or_else(|| value.get(snake)).cloned();
    let (blob, make, at): (_, fn(String) -> Source, _) =
        match (either(part, "inlineData", "inline_data"), either(part, "fileData", "file_data")) {
            (Some(blob), _) => (blob, Source::Data, ("data", "data")),
            (None, Some(blob)) => (blob, Source::Url, ("fileUri", "file_uri")),
            (None, None) => return None,
        };
    let text = |camel, snake| either(&blob, camel, snake)?.as_str().map(str::to_owned);
    let media_type = text("mimeType", "mime_type")?;
    Some(Attachment { media_type, name: String::new(), source: make(text(at.0, at.1)?) })
}
