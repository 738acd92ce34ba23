//! The request body of Responses, which is also its WebSocket message: there and back.

use serde_json::{Map, Value, json};

use crate::aside::{self, Aside};
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
        [only] if only.role == Role::User && only.attachments.is_empty() && only.aside.is_none() => json!(only.text),
        turns => turns.iter().flat_map(restored).collect(),
    }
}

/// The input items of one turn, with what was kept aside of them.
fn restored(message: &Message) -> Vec<Value> {
    match Aside::restore(message.aside.as_deref(), Value::Array(items(message))) {
        Value::Array(items) => items,
        item => vec![item],
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
    if ask.tools.is_empty() {
        // The choice among tools that have no field stays with them.
        ask.params.tool_choice = None;
    }
    ask.output = body.get("text").and_then(|text| text.get("format")).and_then(|format| match format["type"].as_str() {
        Some("json_object") => Some(Output { name: String::new(), schema: None }),
        Some("json_schema") => Some(Output { name: format["name"].as_str()?.to_owned(), schema: Some(format.get("schema")?.clone()) }),
        _ => None,
    });
    ask.params.extra = extra::beyond(&body, &build(&ask, transport), &["input"])?;
    (build(&ask, transport) == body).then_some(ask)
}

/// The turns of an input, with what [`Message`]s cannot show of them aside.
fn turns_of(input: &Value) -> Option<Vec<Message>> {
    if let Some(text) = input.as_str() {
        return Some(vec![Message::new(Role::User, text)]);
    }
    // Each turn with the items it was read from.
    let mut turns: Vec<(Message, Vec<Value>)> = Vec::new();
    // An assistant's turn is up to three kinds of item in a row: reasoning, text, calls.
    let mut open = false;
    for item in input.as_array()? {
        let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
        let more = std::mem::replace(&mut open, true);
        let last = turns.last_mut().filter(|_| more);
        let kind = item["type"].as_str().unwrap_or("message");
        match kind {
            "message" if item["role"] == "assistant" => {
                let said = aside::text(&item["content"]).unwrap_or_default();
                match last.filter(|(turn, _)| turn.reasoning.is_some() && turn.text.is_empty() && turn.tool_calls.is_empty()) {
                    Some((turn, of)) => {
                        turn.text = said;
                        of.push(item.clone());
                    }
                    None => turns.push((Message::new(Role::Assistant, said), vec![item.clone()])),
                }
            }
            "message" => {
                open = false;
                turns.push((user(&item["content"]), vec![item.clone()]));
            }
            "reasoning" => {
                let summary = item["summary"].as_array().and_then(|parts| parts.first()?["text"].as_str()).unwrap_or_default();
                let signature = item["encrypted_content"].as_str().map(str::to_owned);
                let thought = Message { reasoning: Some(summary.to_owned()), signature, ..Message::new(Role::Assistant, "") };
                turns.push((thought, vec![item.clone()]));
            }
            "function_call" => {
                let call = ToolCall { id: text("call_id"), name: text("name"), arguments: text("arguments"), signature: None };
                match last {
                    Some((turn, of)) => {
                        turn.tool_calls.push(call);
                        of.push(item.clone());
                    }
                    None => turns.push((Message { tool_calls: vec![call], ..Message::new(Role::Assistant, "") }, vec![item.clone()])),
                }
            }
            "function_call_output" => {
                open = false;
                let output = aside::text(&item["output"]).unwrap_or_default();
                let result = Message { tool_call_id: Some(text("call_id")), ..Message::new(Role::Tool, output) };
                turns.push((result, vec![item.clone()]));
            }
            // What the provider's own tools did, references and the like: no more than their place is known.
            _ => {
                open = false;
                turns.push((Message::new(Role::Assistant, ""), vec![item.clone()]));
            }
        }
    }
    let alone = turns.len() == 1;
    let turn = |(mut turn, of): (Message, Vec<Value>)| {
        // An empty summary and none are written alike.
        turn.reasoning = turn.reasoning.filter(|text| !text.is_empty());
        let (built, of) = (Value::Array(items(&turn)), Value::Array(of));
        turn.aside = match Aside::of(built, &of) {
            // One text alone would be written without a list.
            None if alone => Some(Box::new(Aside { shown: of.clone(), kept: of })),
            aside => aside,
        };
        turn
    };
    Some(turns.into_iter().map(turn).collect())
}

/// What a user's message shows.
fn user(content: &Value) -> Message {
    let mut message = Message::new(Role::User, aside::text(content).unwrap_or_default());
    message.attachments = content.as_array().into_iter().flatten().filter_map(attachment).collect();
    message
}

/// The attachment that a part is; none where it is a text, or of a kind there is no name for.
fn attachment(part: &Value) -> Option<Attachment> {
    let text = |name: &str| part[name].as_str();
    match part["type"].as_str()? {
        "input_image" => Some(media::attachment(text("image_url")?, "", "image/*")),
        "input_audio" => {
            let media_type = media::audio_type(part["input_audio"]["format"].as_str()?)?.to_owned();
            let source = Source::Data(part["input_audio"]["data"].as_str()?.to_owned());
            Some(Attachment { media_type, name: String::new(), source })
        }
        "input_file" => {
            let otherwise = "application/octet-stream";
            match text("file_url") {
                Some(url) => Some(media::attachment(url, "", otherwise)),
                None => Some(media::attachment(text("file_data")?, text("filename")?, otherwise)),
            }
        }
        _ => None,
    }
}
