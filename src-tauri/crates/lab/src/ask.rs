//! What a request asks for, free of any dialect: dialects read their JSON into an [`Ask`], the Lab makes a
//! [`crate::Script`] of it, and the dialect renders that.

use serde_json::Value;

use crate::models::{Behaviour, Model};
use crate::rejection::Rejection;

/// A request in no dialect.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub model: &'static Model,
    /// The model's name as the client wrote it, to be said back.
    pub model_name: String,
    /// The last user message.
    pub prompt: String,
    /// All text that was sent, in tokens.
    pub prompt_tokens: usize,
    pub tools: Vec<Tool>,
    pub choice: ToolChoice,
    /// Whether several tools may be called at once.
    pub parallel: bool,
    /// What a tool answered, when that is the last thing the client sent.
    pub tool_result: Option<String>,
    /// Most tokens the client wants.
    pub limit: Option<usize>,
    pub seed: Option<u64>,
    pub stream: bool,
    /// The response this one goes on from.
    pub previous: Option<String>,
    /// JSON Schema that the answer is to fit; `{"type":"object"}` where any JSON will do.
    pub form: Option<Value>,
}

impl Ask {
    /// What the model makes of the question before it says anything: some refuse it.
    pub(crate) fn check(&self) -> Result<(), Rejection> {
        if self.model.behaviour == Behaviour::SmallContext && self.prompt_tokens > SMALL_CONTEXT {
            return Err(Rejection::too_long(&self.model_name, self.prompt_tokens, SMALL_CONTEXT));
        }
        Ok(())
    }
}

/// Tokens that `lab/small-context` takes at most.
pub(crate) const SMALL_CONTEXT: usize = 50;

/// A function the model may call.
#[derive(Debug, Clone)]
pub(crate) struct Tool {
    pub name: String,
    pub parameters: Value,
}

/// Whether a tool must be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ToolChoice {
    Auto,
    None,
    Required,
    Named(String),
}

/// The request's JSON object, or why it is none.
pub(crate) fn object(body: &[u8]) -> Result<Value, Rejection> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|e| Rejection::invalid(None, format!("We could not parse the JSON body of your request: {e}.")))?;
    if value.is_object() { Ok(value) } else { Err(Rejection::invalid(None, "The JSON body must be an object.")) }
}

/// The `model` field.
pub(crate) fn model(body: &Value) -> Result<(&'static Model, String), Rejection> {
    let name = match body.get("model") {
        Some(Value::String(name)) if !name.is_empty() => name,
        _ => {
            return Err(Rejection::invalid(Some("model"), "You must provide a model parameter."));
        }
    };
    crate::models::find(name).map(|m| (m, name.clone())).ok_or_else(|| Rejection::no_model(name))
}

/// An optional field of a certain type; `null` counts as absent.
pub(crate) fn optional<'a, T>(
    body: &'a Value,
    key: &str,
    what: &str,
    read: impl Fn(&'a Value) -> Option<T>,
) -> Result<Option<T>, Rejection> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            read(value).map(Some).ok_or_else(|| Rejection::invalid(Some(key), format!("Invalid type for '{key}': expected {what}.")))
        }
    }
}

/// A limit in tokens: a positive integer.
pub(crate) fn limit(body: &Value, key: &str) -> Result<Option<usize>, Rejection> {
    let limit = optional(body, key, "an integer", Value::as_u64)?;
    if limit == Some(0) {
        return Err(Rejection::invalid(Some(key), format!("Invalid '{key}': must be at least 1.")));
    }
    Ok(limit.map(|n| usize::try_from(n).unwrap_or(usize::MAX)))
}

/// The `seed` field: any integer.
pub(crate) fn seed(body: &Value) -> Result<Option<u64>, Rejection> {
    optional(body, "seed", "an integer", |v| v.as_u64().or_else(|| v.as_i64().map(|n| n as u64)))
}

/// `tool_choice` in its string forms and in the object forms of both OpenAI dialects.
pub(crate) fn tool_choice(body: &Value) -> Result<ToolChoice, Rejection> {
    let bad = || Rejection::invalid(Some("tool_choice"), "Invalid 'tool_choice'.");
    match body.get("tool_choice") {
        None | Some(Value::Null) => Ok(ToolChoice::Auto),
        Some(Value::String(choice)) => match choice.as_str() {
            "auto" => Ok(ToolChoice::Auto),
            "none" => Ok(ToolChoice::None),
            "required" => Ok(ToolChoice::Required),
            _ => Err(bad()),
        },
        Some(Value::Object(choice)) => {
            let name = choice.get("function").and_then(|f| f.get("name")).or_else(|| choice.get("name"));
            match name.and_then(Value::as_str) {
                Some(name) => Ok(ToolChoice::Named(name.into())),
                None if choice.get("mode").and_then(Value::as_str) == Some("required") => Ok(ToolChoice::Required),
                None => Ok(ToolChoice::Auto),
            }
        }
        Some(_) => Err(bad()),
    }
}

/// The form an answer is asked for in, wherever the dialects have it: a schema, or any object. `None` for free text.
pub(crate) fn form(body: &Value) -> Option<Value> {
    const SCHEMAS: &[&str] = &[
        "/response_format/json_schema/schema",
        "/response_format/schema",
        "/text/format/schema",
        "/output_config/format/schema",
        "/generationConfig/responseJsonSchema",
        "/generationConfig/responseSchema",
        "/format",
    ];
    if let Some(schema) = SCHEMAS.iter().find_map(|path| body.pointer(path).filter(|schema| schema.is_object())) {
        return Some(schema.clone());
    }
    // Bedrock has the schema as a string.
    let written = body.pointer("/outputConfig/textFormat/structure/jsonSchema/schema").and_then(Value::as_str);
    if let Some(schema) = written.and_then(|text| serde_json::from_str(text).ok()) {
        return Some(schema);
    }
    const ANY: &[(&str, &str)] = &[
        ("/response_format/type", "json_object"),
        ("/text/format/type", "json_object"),
        ("/generationConfig/responseMimeType", "application/json"),
        ("/format", "json"),
    ];
    let any = ANY.iter().any(|(path, word)| body.pointer(path).and_then(Value::as_str) == Some(word));
    any.then(|| serde_json::json!({"type": "object", "properties": {"answer": {"type": "string"}}}))
}

/// Text of a message's content: a string, or a list of parts of which those with text count.
pub(crate) fn content_text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            parts.iter().filter_map(|p| p.get("text").or_else(|| p.get("refusal")).and_then(Value::as_str)).collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}
