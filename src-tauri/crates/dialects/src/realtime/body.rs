//! The messages of a client: the session's set-up, the conversation's items, the wish for a reply.

use serde_json::{Map, Value, json};

use super::{RealtimeApi, newest};
use crate::messages::{of, word};
use crate::{Ask, AskError, Attachment, Message, Params, Role, Source, Tool, ToolCall, extra};

/// Everything the client says until a reply is under way.
pub(super) fn build(api: &RealtimeApi, ask: &Ask) -> Vec<Map<String, Value>> {
    let update =
        of([("type", json!("session.update")), ("event_id", json!("weir-session")), ("session", Value::Object(session(api, ask)))]);
    let update = (!is_left_out(ask, UPDATE)).then_some(update);
    named(ask, update.into_iter().chain(items(api, ask, 0)).chain([create(api, ask)]))
}

/// Extras that are about the messages, not members of the session: `null` leaves out what messages written by hand may lack.
const UPDATE: &str = "session.update";
const EVENT_ID: &str = "event_id";
const RESPONSE: &str = "response";

fn is_left_out(ask: &Ask, name: &str) -> bool {
    ask.params.extra.get(name).is_some_and(Value::is_null)
}

/// The messages, without their ids where these are left out.
fn named(ask: &Ask, messages: impl Iterator<Item = Map<String, Value>>) -> Vec<Map<String, Value>> {
    let bare = is_left_out(ask, EVENT_ID);
    messages
        .map(|mut message| {
            if bare {
                message.remove(EVENT_ID);
            }
            message
        })
        .collect()
}

/// Members of the session that are sent unasked: `null` in the extras takes them out.
const UNASKED: [&str; 3] = ["type", "output_modalities", "modalities"];

/// What a later turn adds.
pub(super) fn turn(api: &RealtimeApi, ask: &Ask) -> Vec<Map<String, Value>> {
    named(ask, items(api, ask, newest(ask)).chain([create(api, ask)]))
}

/// The session. Text is asked for: the default of both APIs is sound.
fn session(api: &RealtimeApi, ask: &Ask) -> Map<String, Value> {
    let mut session = Map::new();
    let mut put = |name: &str, value: Value| {
        session.insert(name.to_owned(), value);
    };
    if api.beta {
        put("modalities", json!(["text"]));
    } else {
        put("type", json!("realtime"));
        put("output_modalities", json!(["text"]));
    }
    if !ask.system.is_empty() {
        put("instructions", json!(ask.system));
    }
    if !ask.tools.is_empty() {
        put("tools", ask.tools.iter().map(|tool| described(api, tool)).collect());
    }
    let params = &ask.params;
    if let Some(choice) = params.tool_choice.as_deref() {
        put("tool_choice", chosen(choice));
    }
    if let Some(max_tokens) = params.max_tokens {
        put(if api.beta { "max_tokens" } else { "max_output_tokens" }, json!(max_tokens));
    }
    if api.beta {
        for (name, value) in [("temperature", params.temperature), ("top_p", params.top_p)] {
            if let Some(value) = value {
                put(name, extra::number(value));
            }
        }
        if let Some(seed) = params.seed {
            put("seed", json!(seed));
        }
        // With a detector of speech the server would wait for sound to begin a turn.
        put("turn_detection", Value::Null);
    } else if let Some(effort) = &params.reasoning {
        put("reasoning", json!({"effort": effort}));
    }
    let mut more = params.extra.clone();
    more.retain(|name, _| ![UPDATE, EVENT_ID, RESPONSE].contains(&name.as_str()));
    extra::merge(&mut session, &more);
    session.retain(|name, value| !(value.is_null() && UNASKED.contains(&name.as_str())));
    session
}

fn described(api: &RealtimeApi, tool: &Tool) -> Value {
    if api.beta {
        return json!({"type": "function", "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters}});
    }
    json!({"type": "function", "name": tool.name, "description": tool.description, "parameters": tool.parameters})
}

fn chosen(choice: &str) -> Value {
    match choice {
        "auto" | "none" | "required" => json!(choice),
        name => json!({"type": "function", "name": name}),
    }
}

/// The wish for a reply.
fn create(api: &RealtimeApi, ask: &Ask) -> Map<String, Value> {
    let number = all_items(api, ask).len();
    let mut create = of([("type", json!("response.create")), ("event_id", json!(format!("weir-response-{number}")))]);
    if let Some(response) = ask.params.extra.get("response") {
        create.insert("response".to_owned(), response.clone());
    }
    create
}

/// The messages that put the conversation's items from the turn `first` on into it.
fn items(api: &RealtimeApi, ask: &Ask, first: usize) -> impl Iterator<Item = Map<String, Value>> {
    let numbered = all_items(api, ask).into_iter().enumerate().filter(move |(_, (turn, _))| *turn >= first);
    numbered.map(|(at, (_, item))| {
        of([("type", json!("conversation.item.create")), ("event_id", json!(format!("weir-item-{}", at + 1))), ("item", item)])
    })
}

/// Every item, with the turn it belongs to. Numbers go by the whole conversation, so that no two messages on a socket have the same.
fn all_items(api: &RealtimeApi, ask: &Ask) -> Vec<(usize, Value)> {
    ask.messages.iter().enumerate().flat_map(|(at, message)| items_of(api, message).into_iter().map(move |item| (at, item))).collect()
}

fn items_of(api: &RealtimeApi, message: &Message) -> Vec<Value> {
    match message.role {
        Role::User => {
            let mut content: Vec<Value> = message.attachments.iter().map(part).collect();
            if !message.text.is_empty() || content.is_empty() {
                content.push(json!({"type": "input_text", "text": message.text}));
            }
            vec![json!({"type": "message", "role": "user", "content": content})]
        }
        Role::Tool => vec![json!({"type": "function_call_output", "call_id": message.tool_call_id, "output": message.text})],
        Role::Assistant => {
            let mut items = Vec::new();
            if !message.text.is_empty() || message.tool_calls.is_empty() {
                let kind = if api.beta { "text" } else { "output_text" };
                items.push(json!({"type": "message", "role": "assistant", "content": [{"type": kind, "text": message.text}]}));
            }
            let call =
                |call: &ToolCall| json!({"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments});
            items.extend(message.tool_calls.iter().map(call));
            items
        }
    }
}

/// An attachment as a part of a user's message.
fn part(attachment: &Attachment) -> Value {
    match &attachment.source {
        Source::Data(data) if attachment.media_type.starts_with("audio/") => json!({"type": "input_audio", "audio": data}),
        Source::Data(data) => json!({"type": "input_image", "image_url": format!("data:{};base64,{data}", attachment.media_type)}),
        Source::Url(url) => json!({"type": "input_image", "image_url": url}),
    }
}

/// What these APIs have no place for.
pub(super) fn problems(api: &RealtimeApi, ask: &Ask) -> Vec<AskError> {
    let mut found = Vec::new();
    let mut problem =
        |what: &str, why: &str| found.push(AskError::Inexpressible { dialect: api.name, what: what.to_owned(), why: why.to_owned() });
    let params = &ask.params;
    if !params.stop.is_empty() {
        problem("stop sequences", "the API has none");
    }
    if ask.output.is_some() {
        problem("structured output", "the API has none; a tool's parameters can hold the form");
    }
    if api.beta {
        if params.reasoning.is_some() {
            problem("reasoning effort", "the API has none");
        }
        if params.tool_choice.as_deref().is_some_and(|choice| choice != "auto") {
            problem("tool choice", "the model chooses; the API has no setting for it");
        }
    } else {
        for (name, set) in
            [("temperature", params.temperature.is_some()), ("top_p", params.top_p.is_some()), ("seed", params.seed.is_some())]
        {
            if set {
                problem(name, "the API has none since its beta ended");
            }
        }
    }
    for attachment in ask.messages.iter().flat_map(|message| message.attachments.iter().map(move |attachment| (message.role, attachment))) {
        let (role, Attachment { media_type, source, .. }) = attachment;
        let what = format!("an attachment of type {media_type}");
        if role != Role::User {
            problem(&what, "only the user's turns have attachments");
        } else if api.beta {
            problem(&what, "pictures and sound go into the input buffers: input_image_buffer.append, input_audio_buffer.append");
        } else if matches!(source, Source::Url(_)) {
            problem(&what, "content is sent along in base64, never as a URL");
        } else if !matches!(media_type.as_str(), "image/png" | "image/jpeg" | "audio/pcm") {
            problem(&what, "a turn takes image/png, image/jpeg, and audio/pcm in the session's input format (24 kHz, 16 bit, one channel)");
        }
    }
    found
}

/// The question that these messages ask, as far as its fields go; `None` where they are other messages than a question has.
pub(super) fn read(api: &RealtimeApi, said: &[Map<String, Value>]) -> Option<Ask> {
    let [before @ .., create] = said else { return None };
    let (update, items) = match before {
        [first, rest @ ..] if word(first, "type") == UPDATE => (Some(first), rest),
        all => (None, all),
    };
    let nothing = Map::new();
    let session = update.map_or(Some(&nothing), |update| update.get("session")?.as_object())?;
    let mut ask = Ask { params: params(api, session), ..Ask::default() };
    ask.system = word(session, "instructions").to_owned();
    // Tools of another kind (MCP servers) stay where they are: among the members without a field.
    let tools = session.get("tools").and_then(Value::as_array);
    ask.tools = tools.and_then(|tools| tools.iter().map(|tool| tool_of(api, tool)).collect()).unwrap_or_default();
    for item in items {
        turn_of(item.get("item")?.as_object()?, &mut ask.messages)?;
    }
    if let Some(choice) = session.get("tool_choice") {
        let named = choice.as_str().or_else(|| choice.get("name").and_then(Value::as_str));
        ask.params.tool_choice = named.filter(|_| !ask.tools.is_empty()).map(str::to_owned);
    }
    let mut extra = match update {
        Some(_) => beyond(api, session, &ask)?,
        None => of([(UPDATE, Value::Null)]),
    };
    if said.iter().all(|message| !message.contains_key(EVENT_ID)) {
        extra.insert(EVENT_ID.to_owned(), Value::Null);
    }
    if let Some(response) = create.get(RESPONSE) {
        extra.insert(RESPONSE.to_owned(), response.clone());
    }
    ask.params.extra = extra;
    Some(ask)
}

/// What the session has beyond its fields, and lacks of what is sent unasked.
fn beyond(api: &RealtimeApi, session: &Map<String, Value>, ask: &Ask) -> Option<Map<String, Value>> {
    let mut built = self::session(api, ask);
    let lacks = |name: &&str| built.contains_key(*name) && !session.contains_key(*name);
    let lacking: Map<String, Value> = UNASKED.iter().filter(|name| lacks(name)).map(|name| ((*name).to_owned(), Value::Null)).collect();
    built.retain(|name, _| !lacking.contains_key(name));
    let mut extra = extra::beyond(session, &built, &[])?;
    extra::merge(&mut extra, &lacking);
    Some(extra)
}

fn params(api: &RealtimeApi, session: &Map<String, Value>) -> Params {
    let number = |name: &str| extra::exact(session.get(name));
    let count = |name: &str| session.get(name).and_then(Value::as_u64);
    if api.beta {
        return Params {
            temperature: number("temperature"),
            top_p: number("top_p"),
            max_tokens: count("max_tokens"),
            seed: session.get("seed").and_then(Value::as_i64),
            ..Params::default()
        };
    }
    let effort = session.get("reasoning").and_then(|reasoning| reasoning.get("effort")).and_then(Value::as_str);
    Params { max_tokens: count("max_output_tokens"), reasoning: effort.map(str::to_owned), ..Params::default() }
}

fn tool_of(api: &RealtimeApi, tool: &Value) -> Option<Tool> {
    let function = if api.beta { tool.get("function")? } else { tool };
    let read = extra::function(function)?;
    // With more to it than the form has it stays where it is, and all of them with it.
    (described(api, &read) == *tool).then_some(read)
}

/// Adds an item to the turns it belongs to.
fn turn_of(item: &Map<String, Value>, turns: &mut Vec<Message>) -> Option<()> {
    match (word(item, "type"), word(item, "role")) {
        ("function_call_output", _) => {
            let result = Message::new(Role::Tool, word(item, "output"));
            turns.push(Message { tool_call_id: Some(word(item, "call_id").to_owned()), ..result });
        }
        ("function_call", _) => {
            let call = ToolCall {
                id: word(item, "call_id").to_owned(),
                name: word(item, "name").to_owned(),
                arguments: word(item, "arguments").to_owned(),
                signature: None,
            };
            match turns.last_mut().filter(|last| last.role == Role::Assistant) {
                Some(last) => last.tool_calls.push(call),
                None => turns.push(Message { tool_calls: vec![call], ..Message::new(Role::Assistant, "") }),
            }
        }
        ("message", role @ ("user" | "assistant")) => {
            let role = if role == "user" { Role::User } else { Role::Assistant };
            let mut turn = Message::new(role, "");
            for part in item.get("content")?.as_array()?.iter().filter_map(Value::as_object) {
                match word(part, "type") {
                    "input_text" | "output_text" | "text" => turn.text = word(part, "text").to_owned(),
                    "input_audio" => turn.attachments.push(Attachment {
                        media_type: "audio/pcm".to_owned(),
                        name: String::new(),
                        source: Source::Data(word(part, "audio").to_owned()),
                    }),
                    "input_image" => {
                        let (media_type, data) = word(part, "image_url").strip_prefix("data:")?.split_once(";base64,")?;
                        let source = Source::Data(data.to_owned());
                        turn.attachments.push(Attachment { media_type: media_type.to_owned(), name: String::new(), source });
                    }
                    _ => return None,
                }
            }
            turns.push(turn);
        }
        _ => return None,
    }
    Some(())
}
