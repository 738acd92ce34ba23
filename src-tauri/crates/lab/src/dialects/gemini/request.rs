//! Requests of `generateContent`, and the same members of a live session's set-up. As protobuf's JSON has it, names are in camelCase or in
//! snake_case.

use serde_json::{Map, Value};

use crate::ask::{Ask, Tool, ToolChoice};
use crate::rejection::Rejection;
use crate::script::count_all;

/// A member under either of its names.
fn member<'a>(value: &'a Value, camel: &str) -> &'a Value {
    let snake: String =
        camel.chars().flat_map(|c| if c.is_ascii_uppercase() { vec!['_', c.to_ascii_lowercase()] } else { vec![c] }).collect();
    value.get(camel).or_else(|| value.get(&snake)).unwrap_or(&Value::Null)
}

/// What `body` asks of the model with this name.
pub(crate) fn read(model: &str, body: &Value) -> Result<Ask, Rejection> {
    let name = model.strip_prefix("models/").unwrap_or(model);
    let known = crate::models::find(name).ok_or_else(|| Rejection {
        message: format!("models/{name} is not found for API version v1beta, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods."),
        ..Rejection::no_model(name)
    })?;
    // The SDKs write a lone content as an object too.
    let contents = match member(body, "contents") {
        Value::Array(contents) => contents.clone(),
        content @ Value::Object(_) => vec![content.clone()],
        Value::Null => Vec::new(),
        _ => return Err(Rejection::invalid(Some("contents"), "Invalid value at 'contents'.")),
    };
    if contents.is_empty() {
        return Err(Rejection::invalid(Some("contents"), "* GenerateContentRequest.contents: contents is not specified"));
    }
    let mut texts = vec![text_of(member(body, "systemInstruction"))];
    let mut prompt = String::new();
    let mut tool_result = None;
    for (at, content) in contents.iter().enumerate() {
        if member(content, "parts").as_array().is_none_or(Vec::is_empty) {
            let field = format!("contents[{at}].parts");
            return Err(Rejection::invalid(Some(&field), format!("* GenerateContentRequest.{field}: contents.parts must not be empty.")));
        }
        let role = content.get("role").and_then(Value::as_str).unwrap_or("user");
        if !matches!(role, "user" | "model" | "function") {
            return Err(Rejection::invalid(Some("contents.role"), "Please use a valid role: user, model."));
        }
        let text = text_of(content);
        tool_result = result_of(content);
        texts.extend(tool_result.clone());
        if role == "user" && tool_result.is_none() {
            prompt.clone_from(&text);
        }
        texts.push(text);
    }
    let config = member(body, "generationConfig");
    let tools = tools(body)?;
    Ok(Ask {
        model: known,
        model_name: name.to_string(),
        prompt,
        prompt_tokens: count_all(texts.iter().map(String::as_str)),
        choice: choice(member(member(body, "toolConfig"), "functionCallingConfig"), &tools)?,
        tools,
        parallel: true,
        tool_result,
        limit: limit(member(config, "maxOutputTokens"))?,
        seed: member(config, "seed").as_i64().map(|seed| seed as u64),
        stream: false,
        previous: None,
        form: crate::ask::form(body),
    })
}

/// The text of a content's parts, thoughts apart.
fn text_of(content: &Value) -> String {
    let parts = member(content, "parts").as_array().map(Vec::as_slice).unwrap_or_default();
    let said = parts.iter().filter(|part| part.get("thought") != Some(&Value::Bool(true)));
    said.filter_map(|part| part.get("text")?.as_str()).collect::<Vec<_>>().join("\n")
}

/// What the tools answered in a content: under `output` or `result`, or all of it.
fn result_of(content: &Value) -> Option<String> {
    let parts = member(content, "parts").as_array()?;
    let result = |part: &Value| {
        let response = member(member(part, "functionResponse"), "response");
        let plain = ["output", "result"].iter().find_map(|name| response.get(*name)?.as_str());
        match (response, plain) {
            (Value::Null, _) => None,
            (_, Some(text)) => Some(text.to_string()),
            (response, None) => Some(response.to_string()),
        }
    };
    let results: Vec<String> = parts.iter().filter_map(result).collect();
    (!results.is_empty()).then(|| results.join("\n"))
}

fn limit(value: &Value) -> Result<Option<usize>, Rejection> {
    match value {
        Value::Null => Ok(None),
        value => match value.as_u64().filter(|limit| *limit > 0) {
            Some(limit) => Ok(Some(usize::try_from(limit).unwrap_or(usize::MAX))),
            None => Err(Rejection::invalid(Some("generation_config.max_output_tokens"), "max_output_tokens must be positive.")),
        },
    }
}

fn choice(config: &Value, tools: &[Tool]) -> Result<ToolChoice, Rejection> {
    let allowed: Vec<&str> = member(config, "allowedFunctionNames").as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    Ok(match (config.get("mode").and_then(Value::as_str), &allowed[..]) {
        (None | Some("AUTO" | "MODE_UNSPECIFIED" | "VALIDATED"), _) => ToolChoice::Auto,
        (Some("NONE"), _) => ToolChoice::None,
        (Some("ANY"), [name, ..]) if tools.iter().any(|tool| tool.name == *name) => ToolChoice::Named((*name).to_string()),
        (Some("ANY"), []) => ToolChoice::Required,
        _ => {
            return Err(Rejection::invalid(
                Some("tool_config.function_calling_config"),
                "Invalid value at 'tool_config.function_calling_config'.",
            ));
        }
    })
}

fn tools(body: &Value) -> Result<Vec<Tool>, Rejection> {
    let mut tools = Vec::new();
    for (at, declaration) in member(body, "tools")
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|tool| member(tool, "functionDeclarations").as_array().cloned().unwrap_or_default())
        .enumerate()
    {
        let name = declaration.get("name").and_then(Value::as_str).filter(|name| !name.is_empty()).ok_or_else(|| {
            let field = format!("tools[0].function_declarations[{at}].name");
            Rejection::invalid(Some(&field), format!("* GenerateContentRequest.{field}: Invalid function name."))
        })?;
        let parameters = match member(&declaration, "parametersJsonSchema") {
            Value::Null => lowered(member(&declaration, "parameters")),
            schema => schema.clone(),
        };
        tools.push(Tool { name: name.into(), parameters });
    }
    Ok(tools)
}

/// Google's own schema as JSON Schema: the names of its types are in capitals.
fn lowered(schema: &Value) -> Value {
    match schema {
        Value::Object(map) => {
            let member = |(name, value): (&String, &Value)| {
                let value = match (name.as_str(), value) {
                    ("type", Value::String(kind)) => kind.to_ascii_lowercase().into(),
                    (_, value) => lowered(value),
                };
                (name.clone(), value)
            };
            Value::Object(map.iter().map(member).collect::<Map<_, _>>())
        }
        Value::Array(list) => list.iter().map(lowered).collect(),
        other => other.clone(),
    }
}
