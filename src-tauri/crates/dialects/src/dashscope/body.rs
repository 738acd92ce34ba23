//! The request body: a model, an input of messages, parameters.

use serde_json::{Map, Value, json};

use crate::aside::{self, Aside};
use crate::messages::{of, word};
use crate::{Ask, AskError, Attachment, Extra, Message, Output, Params, Role, Tool, ToolCall, Transport, extra, media};

/// Parameters of the API beyond the common ones.
pub(crate) static EXTRAS: &[Extra] = &[
    Extra {
        path: "parameters.incremental_output",
        kind: "boolean",
        about: "Pieces of the text (true), or all of it so far with every event (false).",
    },
    Extra { path: "parameters.result_format", kind: "string", about: "message, or text for the older form." },
    Extra { path: "parameters.top_k", kind: "integer", about: "Candidates of each step; 0 or above 100 turns it off." },
    Extra { path: "parameters.repetition_penalty", kind: "number", about: "Above 0; 1 is no penalty." },
    Extra { path: "parameters.presence_penalty", kind: "number", about: "-2 to 2; above 0 repeats less." },
    Extra { path: "parameters.thinking_budget", kind: "integer", about: "Tokens of thought at most." },
    Extra { path: "parameters.enable_search", kind: "boolean", about: "Lets the model search the web." },
    Extra { path: "parameters.search_options", kind: "object", about: "How it searches, and whether sources are told." },
    Extra { path: "parameters.parallel_tool_calls", kind: "boolean", about: "Whether several tools may be called at once." },
    Extra { path: "parameters.n", kind: "integer", about: "Replies, 1 to 4; the first is shown as the reply." },
    Extra { path: "parameters.logprobs", kind: "boolean", about: "Whether probabilities of the tokens are told." },
    Extra { path: "parameters.top_logprobs", kind: "integer", about: "Likeliest tokens told at each place, 0 to 5." },
    Extra { path: "parameters.vl_high_resolution_images", kind: "boolean", about: "More tokens for each picture." },
    Extra { path: "parameters.translation_options", kind: "object", about: "source_lang and target_lang for models that translate." },
];

/// How the content of a message is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A string.
    Text,
    /// A list of parts, each an object of one member: `text`, `image`, `audio` or `video`.
    Parts,
}

/// Whether the question goes to the address for models that see and hear: something is attached, or the model's name says so
/// (`qwen-vl-max`, `qwen3-omni-flash`, `qvq-max`, `qwen-audio-turbo`, `qwen-vl-ocr`).
pub(crate) fn is_multimodal(ask: &Ask) -> bool {
    let named = ask.model.to_ascii_lowercase();
    let mut words = named.split(|c: char| !c.is_ascii_alphanumeric());
    ask.messages.iter().any(|message| !message.attachments.is_empty())
        || words.any(|word| matches!(word, "vl" | "omni" | "qvq" | "audio" | "ocr"))
}

/// The body for `ask`; what is not set is not sent.
pub(crate) fn build(ask: &Ask, transport: Transport, form: Form) -> Map<String, Value> {
    let mut body = of([
        ("model", json!(ask.model)),
        ("input", json!({"messages": messages(ask, form)})),
        ("parameters", Value::Object(parameters(ask, transport))),
    ]);
    extra::merge(&mut body, &ask.params.extra);
    leave_out(&mut body);
    body
}

/// Members that are sent unasked, and that a body may lack: `null` in the extras takes them out.
const UNASKED: [&str; 2] = ["result_format", "incremental_output"];

fn leave_out(body: &mut Map<String, Value>) {
    if body.get("parameters").is_some_and(Value::is_null) {
        body.remove("parameters");
    }
    if let Some(parameters) = body.get_mut("parameters").and_then(Value::as_object_mut) {
        parameters.retain(|name, value| !(value.is_null() && UNASKED.contains(&name.as_str())));
    }
}

/// What the extras must hold so that `built` lacks what `body` lacks of the unasked members; they are taken out of `built`.
fn left_out(body: &Map<String, Value>, built: &mut Map<String, Value>) -> Map<String, Value> {
    let Some(Value::Object(parameters)) = built.get_mut("parameters") else { return Map::new() };
    let given = body.get("parameters").and_then(Value::as_object);
    let absent = |name: &&str| !given.is_some_and(|given| given.contains_key(*name));
    let out: Map<String, Value> =
        UNASKED.into_iter().filter(absent).filter_map(|name| parameters.remove(name).map(|_| (name.to_owned(), Value::Null))).collect();
    if parameters.is_empty() && given.is_none() {
        built.remove("parameters");
        return of([("parameters", Value::Null)]);
    }
    if out.is_empty() { Map::new() } else { of([("parameters", Value::Object(out))]) }
}

/// The messages of the input.
pub(crate) fn messages(ask: &Ask, form: Form) -> Vec<Value> {
    let system = (!ask.system.is_empty()).then(|| Aside::restore(ask.system_aside.as_deref(), instruction(&ask.system, form)));
    system.into_iter().chain(ask.messages.iter().map(|turn| Aside::restore(turn.aside.as_deref(), said(turn, form)))).collect()
}

fn instruction(text: &str, form: Form) -> Value {
    json!({"role": "system", "content": content(text, &[], form)})
}

fn content(text: &str, attachments: &[Attachment], form: Form) -> Value {
    if form == Form::Text && attachments.is_empty() {
        return json!(text);
    }
    let mut parts: Vec<Value> =
        attachments.iter().map(|attachment| json!({kind(attachment).unwrap_or("image"): media::url(attachment)})).collect();
    if !text.is_empty() || parts.is_empty() {
        parts.push(json!({"text": text}));
    }
    Value::Array(parts)
}

/// The member that holds an attachment; `None` where the API has none for it.
fn kind(attachment: &Attachment) -> Option<&'static str> {
    ["image", "audio", "video"].into_iter().find(|kind| attachment.media_type.split('/').next() == Some(kind))
}

fn said(message: &Message, form: Form) -> Value {
    let content = content(&message.text, &message.attachments, form);
    match message.role {
        Role::User => json!({"role": "user", "content": content}),
        Role::Tool => json!({"role": "tool", "tool_call_id": message.tool_call_id, "content": content}),
        Role::Assistant if message.tool_calls.is_empty() => json!({"role": "assistant", "content": content}),
        Role::Assistant => {
            let call = |(index, call): (usize, &ToolCall)| json!({"index": index, "id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}});
            let calls: Vec<Value> = message.tool_calls.iter().enumerate().map(call).collect();
            json!({"role": "assistant", "content": content, "tool_calls": calls})
        }
    }
}

/// The parameters. Results are asked for as messages, and streams in pieces.
pub(crate) fn parameters(ask: &Ask, transport: Transport) -> Map<String, Value> {
    let mut parameters = of([("result_format", json!("message"))]);
    let mut put = |name: &str, value: Value| {
        parameters.insert(name.to_owned(), value);
    };
    if transport != Transport::Http {
        put("incremental_output", json!(true));
    }
    let params = &ask.params;
    for (name, value) in [("temperature", params.temperature), ("top_p", params.top_p)] {
        if let Some(value) = value {
            put(name, extra::number(value));
        }
    }
    if let Some(max_tokens) = params.max_tokens {
        put("max_tokens", json!(max_tokens));
    }
    if let Some(seed) = params.seed {
        put("seed", json!(seed));
    }
    if !params.stop.is_empty() {
        put("stop", json!(params.stop));
    }
    if let Some(thought) = params.reasoning.as_deref().and_then(Thought::of) {
        put("enable_thinking", json!(thought != Thought::Off));
        if let Thought::Budget(tokens) = thought {
            put("thinking_budget", json!(tokens));
        }
    }
    if !ask.tools.is_empty() {
        put("tools", ask.tools.iter().map(described).collect());
    }
    if let Some(choice) = params.tool_choice.as_deref() {
        put(
            "tool_choice",
            match choice {
                "auto" | "none" => json!(choice),
                name => json!({"type": "function", "function": {"name": name}}),
            },
        );
    }
    if let Some(output) = &ask.output {
        put("response_format", formed(output));
    }
    parameters
}

fn described(tool: &Tool) -> Value {
    json!({"type": "function", "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters}})
}

fn formed(output: &Output) -> Value {
    match &output.schema {
        Some(schema) => json!({"type": "json_schema", "json_schema": {"name": output.name, "schema": schema, "strict": true}}),
        None => json!({"type": "json_object"}),
    }
}

/// What the reasoning parameter means here: the API knows thinking on or off, and how many tokens it may take.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Thought {
    Off,
    On,
    Budget(u64),
}

impl Thought {
    fn of(effort: &str) -> Option<Self> {
        match effort {
            "disabled" | "none" | "off" => Some(Self::Off),
            "enabled" | "on" => Some(Self::On),
            tokens => tokens.parse().ok().map(Self::Budget),
        }
    }
}

/// What the API has no place for.
pub(crate) fn problems(dialect: &'static str, ask: &Ask) -> Vec<AskError> {
    let mut found = Vec::new();
    let mut problem = |what: &str, why: &str| found.push(AskError::Inexpressible { dialect, what: what.to_owned(), why: why.to_owned() });
    if let Some(effort) = ask.params.reasoning.as_deref().filter(|effort| Thought::of(effort).is_none()) {
        problem(
            &format!("reasoning effort {effort}"),
            "thinking is on or off, or limited by a number of tokens: enabled, disabled, or e.g. 2048",
        );
    }
    if ask.params.tool_choice.as_deref() == Some("required") {
        problem("tool choice required", "the API takes auto, none, or one function's name");
    }
    for attachment in ask.messages.iter().flat_map(|message| &message.attachments).filter(|attachment| kind(attachment).is_none()) {
        problem(&format!("an attachment of type {}", attachment.media_type), "content is text, image, audio or video");
    }
    found
}

/// The question that a body asks, as far as its fields go; the rest is in `params.extra`.
pub(crate) fn read(body: &Map<String, Value>, transport: Transport) -> Option<Ask> {
    let mut ask = Ask { model: body.get("model")?.as_str()?.to_owned(), ..Ask::default() };
    let list = body.get("input")?.get("messages")?.as_array()?;
    let empty = Map::new();
    let parameters = body.get("parameters").map_or(Some(&empty), Value::as_object)?;
    let parts = conversation(list, &mut ask)?;
    fields(parameters, &mut ask);
    let mut built = build(&ask, transport, if parts { Form::Parts } else { Form::Text });
    // Turns are what the form shows: none may be replaced behind its back.
    if built["input"]["messages"] != body["input"]["messages"] {
        return None;
    }
    ask.params.extra = left_out(body, &mut built);
    extra::merge(&mut ask.params.extra, &extra::beyond(body, &built, &["model"])?);
    Some(ask)
}

/// Reads the messages into the question; whether their content is lists of parts. What a [`Message`] cannot hold is kept aside.
pub(crate) fn conversation(list: &[Value], ask: &mut Ask) -> Option<bool> {
    let parts = list.iter().any(|message| message["content"].is_array());
    let form = if parts { Form::Parts } else { Form::Text };
    for (at, message) in list.iter().enumerate() {
        let text = aside::text(&message["content"]).unwrap_or_default();
        if at == 0 && message["role"] == "system" && !text.is_empty() {
            ask.system_aside = Aside::of(instruction(&text, form), message);
            ask.system = text;
            continue;
        }
        let mut turn = turn(message.as_object()?, text);
        turn.aside = Aside::of(said(&turn, form), message);
        ask.messages.push(turn);
    }
    Some(parts)
}

/// What a [`Message`] can show of a turn.
fn turn(message: &Map<String, Value>, text: String) -> Message {
    let attached = |part: &Value| {
        // A URL tells no more than the kind.
        let kind = ["image", "audio", "video"].into_iter().find(|kind| part.get(*kind).is_some_and(Value::is_string))?;
        Some(media::attachment(part[kind].as_str()?, "", &format!("{kind}/*")))
    };
    let call = |call: &Value| {
        let function = call.get("function")?.as_object()?;
        Some(ToolCall {
            id: word(call.as_object()?, "id").to_owned(),
            name: word(function, "name").to_owned(),
            arguments: word(function, "arguments").to_owned(),
            signature: None,
        })
    };
    let list = |name: &str| message.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    match word(message, "role") {
        "assistant" => Message { tool_calls: list("tool_calls").iter().filter_map(call).collect(), ..Message::new(Role::Assistant, text) },
        "tool" => Message { tool_call_id: Some(word(message, "tool_call_id").to_owned()), ..Message::new(Role::Tool, text) },
        // Instructions amid the conversation are said to the model too.
        _ => Message { attachments: list("content").iter().filter_map(attached).collect(), ..Message::new(Role::User, text) },
    }
}

/// Reads the parameters that have a field.
pub(crate) fn fields(parameters: &Map<String, Value>, ask: &mut Ask) {
    let get = |name: &str| parameters.get(name);
    let stop = get("stop").and_then(Value::as_array).and_then(|stop| stop.iter().map(|word| word.as_str().map(str::to_owned)).collect());
    ask.params = Params {
        temperature: extra::exact(get("temperature")),
        top_p: extra::exact(get("top_p")),
        max_tokens: get("max_tokens").and_then(Value::as_u64),
        seed: get("seed").and_then(Value::as_i64),
        stop: stop.unwrap_or_default(),
        ..Params::default()
    };
    let budget = get("thinking_budget").and_then(Value::as_u64);
    ask.params.reasoning = match (get("enable_thinking").and_then(Value::as_bool), budget) {
        (Some(false), _) => Some("disabled".to_owned()),
        (Some(true), Some(tokens)) => Some(tokens.to_string()),
        (Some(true), None) => Some("enabled".to_owned()),
        (None, _) => None,
    };
    let tool = |tool: &Value| {
        let function = tool.get("function")?.as_object()?;
        let (name, description) = (word(function, "name").to_owned(), word(function, "description").to_owned());
        // One with more to it than the form has stays where it is, and all of them with it.
        Some(Tool { name, description, parameters: function.get("parameters")?.clone() }).filter(|read| described(read) == *tool)
    };
    ask.tools = get("tools").and_then(Value::as_array).and_then(|tools| tools.iter().map(tool).collect()).unwrap_or_default();
    if let Some(choice) = get("tool_choice").filter(|_| !ask.tools.is_empty()) {
        let named = choice.as_str().or_else(|| choice.get("function")?.get("name")?.as_str());
        ask.params.tool_choice = named.map(str::to_owned);
    }
    ask.output = get("response_format").and_then(|format| {
        let output = match format.get("type")?.as_str()? {
            "json_object" => Output { name: String::new(), schema: None },
            "json_schema" => {
                let form = format.get("json_schema")?.as_object()?;
                Output { name: word(form, "name").to_owned(), schema: Some(form.get("schema")?.clone()) }
            }
            _ => return None,
        };
        (formed(&output) == *format).then_some(output)
    });
}
