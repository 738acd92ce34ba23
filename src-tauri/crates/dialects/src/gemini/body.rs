//! What requests of `generateContent` and of Live have in common: contents, instruction, tools, generation config.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::aside::Aside;
use crate::{Ask, Attachment, Message, Role, Source, ToolCall, extra};

/// Ids that start so were made here, for calls that came without one; they are not sent back.
pub(crate) const MADE: &str = "weir-call-";

/// A conversation as `contents`. Results that follow one another answer one turn, so they share a content.
pub(crate) fn contents(messages: &[Message]) -> Vec<Value> {
    let mut names: HashMap<&str, &str> = HashMap::new();
    let mut contents: Vec<Value> = Vec::with_capacity(messages.len());
    let mut answers: Vec<Value> = Vec::new();
    // What is kept aside of a content is kept with its first message.
    let mut first: Option<&Aside> = None;
    let flush = |answers: &mut Vec<Value>, first: Option<&Aside>, contents: &mut Vec<Value>| {
        if !answers.is_empty() {
            contents.push(Aside::restore(first, json!({"role": "user", "parts": std::mem::take(answers)})));
        }
    };
    for message in messages {
        let own = message.aside.as_deref();
        match message.role {
            Role::Tool => {
                // A content of its own begins where one was kept aside.
                if own.is_some() {
                    flush(&mut answers, first, &mut contents);
                }
                if answers.is_empty() {
                    first = own;
                }
                answers.push(json!({"functionResponse": answer(message, &names)}));
                continue;
            }
            _ => flush(&mut answers, first, &mut contents),
        }
        if message.role == Role::User {
            contents.push(Aside::restore(own, json!({"role": "user", "parts": said(message)})));
            continue;
        }
        names.extend(message.tool_calls.iter().map(|call| (call.id.as_str(), call.name.as_str())));
        contents.push(Aside::restore(own, json!({"role": "model", "parts": replied(message)})));
    }
    flush(&mut answers, first, &mut contents);
    contents
}

/// The answers to calls that end a conversation, as Live's `toolResponse` wants them.
pub(crate) fn answers(messages: &[Message]) -> Vec<Value> {
    let mut names: HashMap<&str, &str> = HashMap::new();
    for call in messages.iter().flat_map(|message| &message.tool_calls) {
        names.insert(&call.id, &call.name);
    }
    let from = messages.iter().rposition(|message| message.role != Role::Tool).map_or(0, |at| at + 1);
    messages[from..].iter().map(|message| answer(message, &names)).collect()
}

/// A `functionResponse`. The name is that of the call it answers.
fn answer(message: &Message, names: &HashMap<&str, &str>) -> Value {
    let id = message.tool_call_id.as_deref().unwrap_or_default();
    let mut answer = Map::new();
    if !id.is_empty() && !id.starts_with(MADE) {
        answer.insert("id".to_owned(), id.into());
    }
    answer.insert("name".to_owned(), names.get(id).copied().unwrap_or_default().into());
    answer.insert("response".to_owned(), response(&message.text));
    if !message.attachments.is_empty() {
        answer.insert("parts".to_owned(), message.attachments.iter().map(attachment).collect());
    }
    Value::Object(answer)
}

/// A result as the object that the API wants: as it is if it is one, else under `output`, the key the API's documents name.
fn response(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(object @ Value::Object(_)) => object,
        _ => json!({"output": text}),
    }
}

fn said(message: &Message) -> Vec<Value> {
    let mut parts: Vec<Value> = message.attachments.iter().map(attachment).collect();
    if !message.text.is_empty() || parts.is_empty() {
        parts.push(json!({"text": message.text}));
    }
    parts
}

/// A turn of the model's: thoughts, media, text, calls. The seal of the text stands on the text's part, even an empty one.
fn replied(message: &Message) -> Vec<Value> {
    let mut parts = Vec::new();
    if let Some(thought) = &message.reasoning {
        parts.push(json!({"text": thought, "thought": true}));
    }
    parts.extend(message.attachments.iter().map(attachment));
    let signature = message.signature.as_ref().map(|signature| ("thoughtSignature", signature));
    if !message.text.is_empty() || signature.is_some() || (parts.is_empty() && message.tool_calls.is_empty()) {
        let mut part = json!({"text": message.text});
        if let Some((name, signature)) = signature {
            part[name] = json!(signature);
        }
        parts.push(part);
    }
    parts.extend(message.tool_calls.iter().map(call));
    parts
}

fn call(call: &ToolCall) -> Value {
    let mut function = Map::new();
    if !call.id.is_empty() && !call.id.starts_with(MADE) {
        function.insert("id".to_owned(), call.id.as_str().into());
    }
    function.insert("name".to_owned(), call.name.as_str().into());
    if let Ok(arguments @ Value::Object(_)) = serde_json::from_str(&call.arguments) {
        function.insert("args".to_owned(), arguments);
    }
    let mut part = json!({"functionCall": function});
    if let Some(signature) = &call.signature {
        part["thoughtSignature"] = json!(signature);
    }
    part
}

fn attachment(attachment: &Attachment) -> Value {
    match &attachment.source {
        Source::Data(data) => json!({"inlineData": {"mimeType": attachment.media_type, "data": data}}),
        Source::Url(url) => json!({"fileData": {"mimeType": attachment.media_type, "fileUri": url}}),
    }
}

/// `systemInstruction`, if there is one.
pub(crate) fn instruction(ask: &Ask) -> Option<(String, Value)> {
    let built = json!({"parts": [{"text": ask.system}]});
    (!ask.system.is_empty()).then(|| ("systemInstruction".to_owned(), Aside::restore(ask.system_aside.as_deref(), built)))
}

/// `tools`, if any are on offer. Parameters go as JSON Schema, which the API takes beside its own form.
pub(crate) fn tools(ask: &Ask) -> Option<(String, Value)> {
    let declare = |tool: &crate::Tool| {
        let mut declaration = json!({"name": tool.name});
        if !tool.description.is_empty() {
            declaration["description"] = json!(tool.description);
        }
        if !tool.parameters.is_null() {
            declaration["parametersJsonSchema"] = tool.parameters.clone();
        }
        declaration
    };
    let declarations: Vec<Value> = ask.tools.iter().map(declare).collect();
    (!declarations.is_empty()).then(|| ("tools".to_owned(), json!([{"functionDeclarations": declarations}])))
}

/// `toolConfig`, if a choice is made.
pub(crate) fn tool_config(ask: &Ask) -> Option<(String, Value)> {
    let choice = ask.params.tool_choice.as_deref()?;
    let config = match choice {
        "auto" => json!({"mode": "AUTO"}),
        "none" => json!({"mode": "NONE"}),
        "required" => json!({"mode": "ANY"}),
        name => json!({"mode": "ANY", "allowedFunctionNames": [name]}),
    };
    Some(("toolConfig".to_owned(), json!({"functionCallingConfig": config})))
}

/// The members of `generationConfig`.
pub(crate) fn generation(ask: &Ask) -> Map<String, Value> {
    let params = &ask.params;
    let mut config = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            config.insert(name.to_owned(), value);
        }
    };
    put("temperature", params.temperature.map(extra::number));
    put("topP", params.top_p.map(extra::number));
    put("maxOutputTokens", params.max_tokens.map(Value::from));
    put("seed", params.seed.map(Value::from));
    put("stopSequences", (!params.stop.is_empty()).then(|| json!(params.stop)));
    put("thinkingConfig", params.reasoning.as_deref().map(thinking));
    if let Some(output) = &ask.output {
        put("responseMimeType", Some("application/json".into()));
        put("responseJsonSchema", output.schema.clone());
    }
    config
}

/// `thinkingConfig`: a number is a budget of tokens, `none` a budget of nothing, a word a level. Who asks for thoughts wants to see them.
pub(crate) fn thinking(effort: &str) -> Value {
    match effort.parse::<i64>() {
        Ok(budget) => json!({"includeThoughts": true, "thinkingBudget": budget}),
        Err(_) if effort == "none" => json!({"thinkingBudget": 0}),
        Err(_) => json!({"includeThoughts": true, "thinkingLevel": effort}),
    }
}
