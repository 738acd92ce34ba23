//! The request body of Responses, which is also its WebSocket message: there and back.

use serde_json::{Map, Value, json};

use crate::openai_chat::form;
use crate::{Ask, Attachment, Message, Output, Role, Source, Tool, ToolCall, Transport, extra, media};

/// The body for `ask`; what is not set is not sent. Over WebSocket it is a `response.create` event, and streaming goes without saying.
pub(super) fn build(ask: &Ask, transport: Transport) -> Map<String, Value> {
    after(ask, transport, &ask.messages, None)
}

/// The body for another turn: `turns` are what the peer does not know yet, and follow the response `previous`.
pub(super) fn after(ask: &Ask, transport: Transport, turns: &[Message], previous: Option<&str>) -> Map<String, Value> {
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| {
        body.insert(name.to_owned(), value);
    };
    if transport == Transport::Websocket {
        put("type", json!("response.create"));
    }
    if !ask.model.is_empty() {
        put("model", json!(ask.model));
    }
    if let Some(previous) = previous {
        put("previous_response_id", json!(previous));
    }
    if !ask.system.is_empty() {
        put("instructions", json!(ask.system));
    }
    put("input", input(turns));
    let params = &ask.params;
    if let Some(temperature) = params.temperature {
        put("temperature", extra::number(temperature));
    }
    if let Some(top_p) = params.top_p {
        put("top_p", extra::number(top_p));
    }
    if let Some(max_tokens) = params.max_tokens {
        put("max_output_tokens", json!(max_tokens));
    }
    if let Some(effort) = &params.reasoning {
        put("reasoning", json!({"effort": effort}));
    }
    if !ask.tools.is_empty() {
        put("tools", tools(&ask.tools));
    }
    if let Some(choice) = params.tool_choice.as_deref() {
        put(
            "tool_choice",
            match choice {
                "auto" | "none" | "required" => json!(choice),
                name => json!({"type": "function", "name": name}),
            },
        );
    }
    if let Some(output) = &ask.output {
        let format = match &output.schema {
            Some(schema) => json!({"type": "json_schema", "name": form(output), "strict": true, "schema": schema}),
            None => json!({"type": "json_object"}),
        };
        put("text", json!({"format": format}));
    }
    if transport == Transport::Sse {
        put("stream", json!(true));
    }
    extra::merge(&mut body, &params.extra);
    body
}

/// Not strict: strict mode would reject, or rewrite, any schema that is not written for it.
fn tools(tools: &[Tool]) -> Value {
    let tool = |tool: &Tool| {
        let mut function = json!({"type": "function", "name": tool.name});
        if !tool.description.is_empty() {
            function["description"] = json!(tool.description);
        }
        function["parameters"] = tool.parameters.clone();
        function["strict"] = json!(false);
        function
    };
    tools.iter().map(tool).collect()
}

/// The conversation: one text alone as it is, else a list of items.
fn input(turns: &[Message]) -> Value {
    match turns {
        [only] if only.role == Role::User && only.attachments.is_empty() => json!(only.text),
        turns => turns.iter().flat_map(items).collect(),
    }
}

/// The input items of one turn. `type` is always sent: llama.cpp refuses an assistant's turn without it.
fn items(message: &Message) -> Vec<Value> {
    match message.role {
        Role::User if message.attachments.is_empty() => vec![json!({"type": "message", "role": "user", "content": message.text})],
        Role::User => {
            let mut parts: Vec<Value> = message.attachments.iter().map(part).collect();
            if !message.text.is_empty() {
                parts.push(json!({"type": "input_text", "text": message.text}));
            }
            vec![json!({"type": "message", "role": "user", "content": parts})]
        }
        Role::Tool => vec![json!({"type": "function_call_output", "call_id": message.tool_call_id, "output": message.text})],
        Role::Assistant => {
            let mut items = Vec::new();
            if let Some(seal) = &message.signature {
                let summary: Vec<Value> = message
                    .reasoning
                    .iter()
                    .filter(|text| !text.is_empty())
                    .map(|text| json!({"type": "summary_text", "text": text}))
                    .collect();
                items.push(json!({"type": "reasoning", "summary": summary, "encrypted_content": seal}));
            }
            if !message.text.is_empty() || message.tool_calls.is_empty() {
                items.push(json!({"type": "message", "role": "assistant", "content": message.text}));
            }
            items.extend(
                message
                    .tool_calls
                    .iter()
                    .map(|call| json!({"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments})),
            );
            items
        }
    }
}

fn part(attachment: &Attachment) -> Value {
    if media::is_image(attachment) {
        return json!({"type": "input_image", "image_url": media::url(attachment)});
    }
    match (media::audio_format(&attachment.media_type), &attachment.source) {
        (Some(format), Source::Data(data)) => json!({"type": "input_audio", "input_audio": {"data": data, "format": format}}),
        (_, Source::Data(_)) => json!({"type": "input_file", "filename": attachment.name, "file_data": media::url(attachment)}),
        (_, Source::Url(url)) => json!({"type": "input_file", "file_url": url}),
    }
}

/// The question a body asks. `input` must be built again exactly from it; all other members may come from `extra`.
pub(super) fn read(body: &str, transport: Transport) -> Option<Ask> {
    let body: Map<String, Value> = serde_json::from_str(body).ok()?;
    if transport == Transport::Websocket && body.get("type")? != "response.create" {
        return None;
    }
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut ask = Ask {
        model: text("model").unwrap_or_default(),
        system: text("instructions").unwrap_or_default(),
        messages: turns_of(body.get("input")?)?,
        ..Ask::default()
    };
    let params = &mut ask.params;
    params.temperature = extra::exact(body.get("temperature"));
    params.top_p = extra::exact(body.get("top_p"));
    params.max_tokens = body.get("max_output_tokens").and_then(Value::as_u64);
    params.reasoning = body.get("reasoning").and_then(|reasoning| reasoning["effort"].as_str()).map(str::to_owned);
    params.tool_choice = body.get("tool_choice").and_then(|choice| match choice.as_str() {
        Some("auto" | "none" | "required") => choice.as_str().map(str::to_owned),
        _ => choice["name"].as_str().filter(|_| choice["type"] == "function").map(str::to_owned),
    });
    if let Some(list) = body.get("tools") {
        let read = list.as_array().and_then(|list| list.iter().map(extra::function).collect::<Option<Vec<_>>>());
        // A list that holds more than functions is kept as it is: half of it in fields would be overruled in silence.
        ask.tools = read.filter(|read| tools(read) == *list).unwrap_or_default();
    }
    ask.output = body.get("text").and_then(|text| text.get("format")).and_then(|format| match format["type"].as_str() {
        Some("json_object") => Some(Output { name: String::new(), schema: None }),
        Some("json_schema") => Some(Output { name: format["name"].as_str()?.to_owned(), schema: Some(format.get("schema")?.clone()) }),
        _ => None,
    });
    ask.params.extra = extra::beyond(&body, &build(&ask, transport), &["input"])?;
    (build(&ask, transport) == body).then_some(ask)
}

/// The turns of an input, if [`Message`]s can hold all of it: whether they do is told by building it again.
fn turns_of(input: &Value) -> Option<Vec<Message>> {
    if let Some(text) = input.as_str() {
        return Some(vec![Message::new(Role::User, text)]);
    }
    let mut turns: Vec<Message> = Vec::new();
    // An assistant's turn is up to three kinds of item in a row: reasoning, text, calls.
    let mut open = false;
    for item in input.as_array()? {
        let text = |name: &str| item[name].as_str().map(str::to_owned);
        let more = std::mem::take(&mut open);
        match item["type"].as_str()? {
            "message" if item["role"] == "user" => turns.push(user(&item["content"])?),
            "message" if item["role"] == "assistant" => {
                let said = text("content")?;
                match turns.last_mut().filter(|turn| more && turn.signature.is_some() && turn.text.is_empty() && turn.tool_calls.is_empty())
                {
                    Some(turn) => turn.text = said,
                    None => turns.push(Message::new(Role::Assistant, said)),
                }
                open = true;
            }
            "reasoning" => {
                let seal = text("encrypted_content")?;
                let summary = item["summary"].as_array()?.first().and_then(|part| part["text"].as_str()).map(str::to_owned);
                turns.push(Message { reasoning: summary, signature: Some(seal), ..Message::new(Role::Assistant, "") });
                open = true;
            }
            "function_call" => {
                if !more {
                    turns.push(Message::new(Role::Assistant, ""));
                }
                let call = ToolCall { id: text("call_id")?, name: text("name")?, arguments: text("arguments")?, signature: None };
                turns.last_mut()?.tool_calls.push(call);
                open = true;
            }
            "function_call_output" => turns.push(Message { tool_call_id: text("call_id"), ..Message::new(Role::Tool, text("output")?) }),
            _ => return None,
        }
    }
    Some(turns)
}

fn user(content: &Value) -> Option<Message> {
    let mut message = Message::new(Role::User, "");
    if let Some(text) = content.as_str() {
        text.clone_into(&mut message.text);
        return Some(message);
    }
    for part in content.as_array()? {
        let text = |name: &str| part[name].as_str();
        match part["type"].as_str()? {
            "input_text" => text("text")?.clone_into(&mut message.text),
            "input_image" => message.attachments.push(media::attachment(text("image_url")?, "", "image/*")),
            "input_audio" => {
                let media_type = media::audio_type(part["input_audio"]["format"].as_str()?)?.to_owned();
                let source = Source::Data(part["input_audio"]["data"].as_str()?.to_owned());
                message.attachments.push(Attachment { media_type, name: String::new(), source });
            }
            "input_file" => {
                let otherwise = "application/octet-stream";
                message.attachments.push(match text("file_url") {
                    Some(url) => media::attachment(url, "", otherwise),
                    None => media::attachment(text("file_data")?, text("filename")?, otherwise),
                });
            }
            _ => return None,
        }
    }
    Some(message)
}
