//! Converse's request body.
//!
//! User and assistant take turns, and the results of tools are said by the user: turns of one side that follow each other become one
//! message of several content blocks.

use serde_json::{Map, Value, json};

use super::NAME;
use crate::aside::{self, Aside};
use crate::{Ask, AskError, Attachment, Message, Output, Role, Source, Tool, ToolCall, extra};

/// Media types, with the member that holds such a block and the format's name in it.
const FORMATS: &[(&str, &str, &str)] = &[
    ("image/png", "image", "png"),
    ("image/jpeg", "image", "jpeg"),
    ("image/gif", "image", "gif"),
    ("image/webp", "image", "webp"),
    ("application/pdf", "document", "pdf"),
    ("text/csv", "document", "csv"),
    ("application/msword", "document", "doc"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "document", "docx"),
    ("application/vnd.ms-excel", "document", "xls"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "document", "xlsx"),
    ("text/html", "document", "html"),
    ("text/plain", "document", "txt"),
    ("text/markdown", "document", "md"),
    ("video/mp4", "video", "mp4"),
    ("video/quicktime", "video", "mov"),
    ("video/webm", "video", "webm"),
    ("video/x-matroska", "video", "mkv"),
    ("video/mpeg", "video", "mpeg"),
    ("audio/mpeg", "audio", "mp3"),
    ("audio/wav", "audio", "wav"),
    ("audio/flac", "audio", "flac"),
    ("audio/ogg", "audio", "ogg"),
    ("audio/aac", "audio", "aac"),
];

pub(super) fn inexpressible(what: impl Into<String>, why: &str) -> AskError {
    AskError::Inexpressible { dialect: NAME, what: what.into(), why: why.to_owned() }
}

/// What Converse has no way to say, beyond what no dialect has.
pub(super) fn problems(ask: &Ask) -> Vec<AskError> {
    let mut found = Vec::new();
    if ask.params.seed.is_some() {
        found.push(inexpressible("a seed", "Converse has none; a model of your choice may take one in additionalModelRequestFields"));
    }
    if ask.params.tool_choice.as_deref() == Some("none") {
        found.push(inexpressible("tool choice none", "toolChoice is auto, any or a tool; take the tools out instead"));
    }
    if ask.output.as_ref().is_some_and(|output| output.schema.is_none()) {
        found.push(inexpressible("any JSON as output", "a textFormat is a JSON Schema"));
    }
    for message in &ask.messages {
        for attachment in &message.attachments {
            if format(&attachment.media_type).is_none() {
                found.push(inexpressible(
                    format!("an attachment of type {}", attachment.media_type),
                    "it is none of the formats Converse takes",
                ));
            }
            if message.role == Role::Assistant {
                found.push(inexpressible("an attachment in an assistant's turn", "only the user sends images and files"));
            }
            if matches!(&attachment.source, Source::Url(url) if !url.starts_with("s3://")) {
                found.push(inexpressible("an attachment by URL", "Converse takes the content itself, or an s3:// address"));
            }
        }
        for call in &message.tool_calls {
            if arguments(&call.arguments).is_none() {
                found.push(inexpressible(format!("the arguments of {}", call.name), "they are to be a JSON object"));
            }
        }
    }
    found
}

fn arguments(text: &str) -> Option<Value> {
    if text.trim().is_empty() {
        return Some(json!({}));
    }
    serde_json::from_str::<Value>(text).ok().filter(Value::is_object)
}

fn format(media_type: &str) -> Option<(&'static str, &'static str)> {
    let found = FORMATS.iter().find(|(media, ..)| *media == media_type)?;
    Some((found.1, found.2))
}

/// The body for `ask`, as compact JSON; what is not set is not sent.
pub(super) fn build(ask: &Ask) -> String {
    let mut body = members(ask);
    extra::merge(&mut body, &ask.params.extra);
    Value::Object(body).to_string()
}

fn members(ask: &Ask) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("messages".into(), messages(&ask.messages));
    if !ask.system.is_empty() {
        body.insert("system".into(), Aside::restore(ask.system_aside.as_deref(), json!([{"text": ask.system}])));
    }
    let params = &ask.params;
    let inference: Map<String, Value> = [
        ("maxTokens", params.max_tokens.map(Value::from)),
        ("temperature", params.temperature.map(extra::number)),
        ("topP", params.top_p.map(extra::number)),
        ("stopSequences", (!params.stop.is_empty()).then(|| json!(params.stop))),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect();
    if !inference.is_empty() {
        body.insert("inferenceConfig".into(), Value::Object(inference));
    }
    if !ask.tools.is_empty() {
        let mut config = Map::new();
        config.insert("tools".into(), ask.tools.iter().map(tool).collect());
        if let Some(choice) = params.tool_choice.as_deref() {
            let choice = match choice {
                "auto" => json!({"auto": {}}),
                "required" => json!({"any": {}}),
                name => json!({"tool": {"name": name}}),
            };
            config.insert("toolChoice".into(), choice);
        }
        body.insert("toolConfig".into(), Value::Object(config));
    }
    let mut output = Map::new();
    if let Some(Output { name, schema: Some(schema) }) = &ask.output {
        let mut json_schema = json!({"schema": schema.to_string()});
        if !name.is_empty() {
            json_schema["name"] = json!(name);
        }
        output.insert("textFormat".into(), json!({"type": "json_schema", "structure": {"jsonSchema": json_schema}}));
    }
    if let Some(effort) = &params.reasoning {
        output.insert("effort".into(), json!(effort));
    }
    if !output.is_empty() {
        body.insert("outputConfig".into(), Value::Object(output));
    }
    body
}

fn tool(tool: &Tool) -> Value {
    let mut spec = json!({"name": tool.name, "inputSchema": {"json": tool.parameters}});
    // An empty description is refused, a missing one is not.
    if !tool.description.is_empty() {
        spec["description"] = json!(tool.description);
    }
    json!({ "toolSpec": spec })
}

fn side(role: Role) -> &'static str {
    match role {
        Role::Assistant => "assistant",
        Role::User | Role::Tool => "user",
    }
}

fn messages(turns: &[Message]) -> Value {
    // What is kept aside is a whole message.
    let of_one_side = turns.chunk_by(|a, b| side(a.role) == side(b.role) && a.aside.is_none() && b.aside.is_none());
    of_one_side.map(|turns| Aside::restore(turns[0].aside.as_deref(), said(turns))).collect()
}

/// One message of turns of one side.
fn said(turns: &[Message]) -> Value {
    json!({"role": side(turns[0].role), "content": turns.iter().flat_map(blocks).collect::<Vec<_>>()})
}

/// The content blocks of one turn.
fn blocks(turn: &Message) -> Vec<Value> {
    if turn.role == Role::Tool {
        let attached = turn.attachments.iter().filter_map(attachment);
        let text = (!turn.text.is_empty() || turn.attachments.is_empty()).then(|| json!({"text": turn.text}));
        let content: Vec<Value> = attached.chain(text).collect();
        return vec![json!({"toolResult": {"toolUseId": turn.tool_call_id.as_deref().unwrap_or_default(), "content": content}})];
    }
    let mut blocks = Vec::new();
    if let Some(text) = turn.reasoning.as_deref().filter(|text| !text.is_empty() && turn.role == Role::Assistant) {
        let mut reasoning = json!({"text": text});
        if let Some(signature) = &turn.signature {
            reasoning["signature"] = json!(signature);
        }
        blocks.push(json!({"reasoningContent": {"reasoningText": reasoning}}));
    }
    blocks.extend(turn.attachments.iter().filter_map(attachment));
    if !turn.text.is_empty() || blocks.is_empty() && turn.tool_calls.is_empty() {
        blocks.push(json!({"text": turn.text}));
    }
    blocks.extend(turn.tool_calls.iter().map(|call| {
        let input = arguments(&call.arguments).unwrap_or_else(|| json!({}));
        json!({"toolUse": {"toolUseId": call.id, "name": call.name, "input": input}})
    }));
    blocks
}

fn attachment(attachment: &Attachment) -> Option<Value> {
    let (member, format) = format(&attachment.media_type)?;
    let source = match &attachment.source {
        Source::Data(base64) => json!({"bytes": base64}),
        Source::Url(uri) => json!({"s3Location": {"uri": uri}}),
    };
    let mut block = json!({"format": format, "source": source});
    if member == "document" {
        block["name"] = json!(document_name(&attachment.name));
    }
    Some(json!({ member: block }))
}

/// A file's name as Converse takes it: letters, digits, single spaces, hyphens, parentheses and brackets.
fn document_name(name: &str) -> String {
    let legal = |c: char| c.is_ascii_alphanumeric() || "-()[]".contains(c);
    let spaced: String = name.chars().map(|c| if legal(c) { c } else { ' ' }).collect();
    let name = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() { "document".to_owned() } else { name }
}

/// The question a body asks; the inverse of [`build`].
pub(super) fn read(text: &str, model: String) -> Option<Ask> {
    let Ok(Value::Object(body)) = serde_json::from_str::<Value>(text) else { return None };
    let mut ask = Ask { model, ..Ask::default() };
    for message in body.get("messages")?.as_array()? {
        let user = match message["role"].as_str()? {
            "user" => true,
            "assistant" => false,
            _ => return None,
        };
        let content = message["content"].as_array()?;
        let mut turns = Vec::new();
        let whole = content.iter().try_for_each(|block| read_block(block, user, &mut turns, 0)).is_some();
        let follows = ask.messages.last().is_some_and(|last| (side(last.role) == "user") == user);
        if whole && !turns.is_empty() && !follows && said(&turns) == *message {
            ask.messages.append(&mut turns);
        } else {
            ask.messages.push(shown(message, content, user));
        }
    }
    if let Some(system) = body.get("system") {
        ask.system = aside::text(system).unwrap_or_default();
        ask.system_aside = if ask.system.is_empty() { None } else { Aside::of(json!([{"text": ask.system}]), system) };
    }
    let inference = body.get("inferenceConfig").unwrap_or(&Value::Null);
    ask.params.max_tokens = inference["maxTokens"].as_u64();
    ask.params.temperature = extra::exact(inference.get("temperature"));
    ask.params.top_p = extra::exact(inference.get("topP"));
    ask.params.stop = extra::texts(&inference["stopSequences"]).unwrap_or_default();
    let tools = body.get("toolConfig").and_then(|config| config["tools"].as_array());
    ask.tools = tools.and_then(|tools| tools.iter().map(read_tool).collect()).unwrap_or_default();
    if !ask.tools.is_empty() {
        ask.params.tool_choice = body.get("toolConfig").and_then(|config| read_choice(&config["toolChoice"]));
    }
    if let Some(output) = body.get("outputConfig") {
        ask.params.reasoning = output["effort"].as_str().map(str::to_owned);
        ask.output = read_output(&output["textFormat"]);
    }
    ask.params.extra = extra::beyond(&body, &members(&ask), &["messages"])?;
    Some(ask)
}

/// What a turn can show of a message that has more to it (cache points, several texts, blocks of kinds without a field); all of it is kept
/// aside.
fn shown(message: &Value, content: &[Value], user: bool) -> Message {
    let texts = |content: &[Value]| aside::lines(content.iter().filter_map(|block| block["text"].as_str()));
    let mut turn = match content {
        // A result that is JSON, or an error.
        [only] if user && only["toolResult"].is_object() => {
            let result = &only["toolResult"];
            let said = result["content"].as_array().map_or(&[][..], Vec::as_slice);
            let text = said.iter().find_map(|part| part.get("json")).map_or_else(|| texts(said), Value::to_string);
            Message { tool_call_id: result["toolUseId"].as_str().map(str::to_owned), ..Message::new(Role::Tool, text) }
        }
        _ => Message::new(if user { Role::User } else { Role::Assistant }, texts(content)),
    };
    for block in content {
        // Each by itself: what a turn has no room for is not shown.
        let mut alone = Vec::new();
        if read_block(block, user, &mut alone, 0).is_some() {
            let found = alone.into_iter().filter(|found: &Message| found.role == turn.role);
            for found in found {
                turn.attachments.extend(found.attachments);
                turn.tool_calls.extend(found.tool_calls);
                turn.reasoning = turn.reasoning.or(found.reasoning);
            }
        }
    }
    turn.aside = Some(Box::new(Aside { shown: said(std::slice::from_ref(&turn)), kept: message.clone() }));
    turn
}

/// Adds a block to the turns of a message, which begin at `from`: to the last of them where [`blocks`] would put it there too.
fn read_block(block: &Value, user: bool, turns: &mut Vec<Message>, from: usize) -> Option<()> {
    let mut add = |role: Role, fits: &dyn Fn(&Message) -> bool, put: &mut dyn FnMut(&mut Message) -> Option<()>| {
        if turns.len() == from || !turns.last().is_some_and(|turn| turn.role == role && fits(turn)) {
            turns.push(Message::new(role, ""));
        }
        put(turns.last_mut()?)
    };
    let (member, inner) = block.as_object().filter(|block| block.len() == 1)?.iter().next()?;
    let role = if user { Role::User } else { Role::Assistant };
    match member.as_str() {
        "text" => add(role, &|turn| turn.text.is_empty() && turn.tool_calls.is_empty(), &mut |turn| {
            turn.text = inner.as_str()?.to_owned();
            Some(())
        }),
        "reasoningContent" if !user => add(role, &|turn| *turn == Message::new(Role::Assistant, ""), &mut |turn| {
            turn.reasoning = Some(inner["reasoningText"]["text"].as_str()?.to_owned());
            turn.signature = inner["reasoningText"]["signature"].as_str().map(str::to_owned);
            Some(())
        }),
        "toolUse" if !user => add(role, &|_| true, &mut |turn| {
            let (id, name, input) = (inner["toolUseId"].as_str()?, inner["name"].as_str()?, inner.get("input")?);
            turn.tool_calls.push(ToolCall { id: id.to_owned(), name: name.to_owned(), arguments: input.to_string(), signature: None });
            Some(())
        }),
        "toolResult" if user => add(Role::Tool, &|_| false, &mut |turn| {
            turn.tool_call_id = Some(inner["toolUseId"].as_str()?.to_owned());
            for part in inner["content"].as_array()? {
                match part["text"].as_str() {
                    Some(text) if turn.text.is_empty() => turn.text = text.to_owned(),
                    Some(_) => return None,
                    None => turn.attachments.push(read_attachment(part)?),
                }
            }
            Some(())
        }),
        _ => add(role, &|turn| turn.text.is_empty() && turn.tool_calls.is_empty(), &mut |turn| {
            turn.attachments.push(read_attachment(block)?);
            Some(())
        }),
    }
}

fn read_attachment(block: &Value) -> Option<Attachment> {
    let (member, inner) = block.as_object()?.iter().next()?;
    let format = inner["format"].as_str()?;
    let (media_type, ..) = FORMATS.iter().find(|(_, of, name)| of == member && *name == format)?;
    let source = match inner["source"]["s3Location"]["uri"].as_str() {
        Some(uri) => Source::Url(uri.to_owned()),
        None => Source::Data(inner["source"]["bytes"].as_str()?.to_owned()),
    };
    let name = inner["name"].as_str().unwrap_or_default().to_owned();
    Some(Attachment { media_type: (*media_type).to_owned(), name, source })
}

fn read_tool(value: &Value) -> Option<Tool> {
    let spec = &value["toolSpec"];
    let read = Tool {
        name: spec["name"].as_str()?.to_owned(),
        description: spec["description"].as_str().unwrap_or_default().to_owned(),
        parameters: spec["inputSchema"].get("json")?.clone(),
    };
    (tool(&read) == *value).then_some(read)
}

fn read_choice(value: &Value) -> Option<String> {
    let (kind, inner) = value.as_object()?.iter().next()?;
    match kind.as_str() {
        "auto" => Some("auto".to_owned()),
        "any" => Some("required".to_owned()),
        "tool" => inner["name"].as_str().filter(|name| !matches!(*name, "auto" | "required" | "none")).map(str::to_owned),
        _ => None,
    }
}

/// The schema travels as text; it is held as JSON where that gives the same text again.
fn read_output(format: &Value) -> Option<Output> {
    let json_schema = &format["structure"]["jsonSchema"];
    let text = json_schema["schema"].as_str()?;
    let schema: Value = serde_json::from_str(text).ok()?;
    let name = json_schema["name"].as_str().unwrap_or_default().to_owned();
    let written = schema.to_string();
    (written == text).then_some(Output { name, schema: Some(schema) })
}
