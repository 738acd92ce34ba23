//! The messages of a task: `run-task` says what is to be done, `continue-task` brings text, `finish-task` says that all was sent.

use serde_json::{Map, Value, json};

use crate::dashscope::body::{self, Form};
use crate::messages::{of, word};
use crate::{Ask, AskError, ClientEvent, Extra, Message, Role, Transport, extra};

/// Parameters of the payload.
pub(super) static EXTRAS: &[Extra] = &[
    Extra {
        path: "parameters.voice",
        kind: "string",
        about: "The voice; which there are depends on the model, e.g. longanyang for cosyvoice-v3-flash.",
    },
    Extra { path: "parameters.format", kind: "string", about: "Of the sound: pcm, wav, mp3 or opus." },
    Extra { path: "parameters.sample_rate", kind: "integer", about: "8000, 16000, 22050, 24000, 44100 or 48000 Hz." },
    Extra { path: "parameters.volume", kind: "integer", about: "0 to 100; 50 is normal." },
    Extra { path: "parameters.rate", kind: "number", about: "Speed of speech, 0.5 to 2." },
    Extra { path: "parameters.pitch", kind: "number", about: "0.5 to 2." },
    Extra { path: "parameters.word_timestamp_enabled", kind: "boolean", about: "Whether the time of each word is told." },
    Extra { path: "parameters.instruction", kind: "string", about: "How it is to be said." },
    Extra { path: "parameters.language_hints", kind: "array", about: "Languages of the text, e.g. [\"zh\"]." },
    Extra { path: "parameters.enable_thinking", kind: "boolean", about: "Whether a text model thinks first." },
    Extra { path: "task", kind: "string", about: "What is done: text-generation or tts. Without it the model's name decides." },
    Extra { path: "task_id", kind: "string", about: "The task's id, 32 hexadecimal digits; made from the question if it is not set." },
];

/// What a client may send on the open socket.
pub(super) static EVENTS: &[ClientEvent] = &[
    ClientEvent {
        name: "run-task (tts)",
        about: "Begins to speak; nothing more may be sent before task-started. Each task has an id of its own.",
        template: r#"{"header":{"action":"run-task","task_id":"00000000000000000000000000000001","streaming":"duplex"},"payload":{"task_group":"audio","task":"tts","function":"SpeechSynthesizer","model":"cosyvoice-v2","parameters":{"text_type":"PlainText","voice":"longxiaochun_v2","format":"pcm","sample_rate":24000},"input":{}}}"#,
    },
    ClientEvent {
        name: "run-task (asr)",
        about: "Begins to listen: sound follows in binary messages, then finish-task.",
        template: r#"{"header":{"action":"run-task","task_id":"00000000000000000000000000000001","streaming":"duplex"},"payload":{"task_group":"audio","task":"asr","function":"recognition","model":"paraformer-realtime-v2","parameters":{"format":"pcm","sample_rate":16000},"input":{}}}"#,
    },
    ClientEvent {
        name: "continue-task",
        about: "Brings more text to speak. The id is the running task's.",
        template: r#"{"header":{"action":"continue-task","task_id":"","streaming":"duplex"},"payload":{"input":{"text":""}}}"#,
    },
    ClientEvent {
        name: "finish-task",
        about: "Says that all was sent. The task finishes when all is said; the input must be there, empty.",
        template: r#"{"header":{"action":"finish-task","task_id":"","streaming":"duplex"},"payload":{"input":{}}}"#,
    },
    ClientEvent {
        name: "finish-task (cancel)",
        about: "Stops a synthesis; what was not sent is dropped, and the server closes.",
        template: r#"{"header":{"action":"finish-task","task_id":"","streaming":"duplex"},"payload":{"input":{"directive":"cancel"}}}"#,
    },
];

/// What a task does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A conversation, as over HTTP. Everything is in `run-task`.
    Text,
    /// The newest of the user's turns is spoken.
    Speak,
    /// Sound is transcribed.
    Listen,
}

impl Kind {
    /// By the task's name where it is set, else by the model's.
    fn of(ask: &Ask) -> Self {
        let model = ask.model.to_ascii_lowercase();
        let named = |words: &[&str]| words.iter().any(|word| model.contains(word));
        match ask.params.extra.get("task").and_then(Value::as_str) {
            Some("tts") => Self::Speak,
            Some("asr") => Self::Listen,
            Some(_) => Self::Text,
            None if named(&["tts", "cosyvoice", "sambert"]) => Self::Speak,
            None if named(&["asr", "paraformer", "gummy"]) => Self::Listen,
            None => Self::Text,
        }
    }
}

/// The messages of the task that answers `ask`.
pub(super) fn build(ask: &Ask) -> Vec<Map<String, Value>> {
    let kind = Kind::of(ask);
    let id = task_id(ask);
    let streaming = if kind == Kind::Text { "out" } else { "duplex" };
    let message = |action: &str, payload: Map<String, Value>| {
        of([("header", json!({"action": action, "task_id": id, "streaming": streaming})), ("payload", Value::Object(payload))])
    };
    let mut run = match kind {
        Kind::Text => {
            let form = if body::is_multimodal(ask) { Form::Parts } else { Form::Text };
            of([
                ("task_group", json!("aigc")),
                ("task", json!(if form == Form::Parts { "multimodal-generation" } else { "text-generation" })),
                ("function", json!("generation")),
                ("model", json!(ask.model)),
                ("parameters", Value::Object(body::parameters(ask, Transport::Websocket))),
                ("input", json!({"messages": body::messages(ask, form)})),
            ])
        }
        Kind::Speak | Kind::Listen => {
            let (task, function, parameters) = if kind == Kind::Speak {
                ("tts", "SpeechSynthesizer", spoken(ask))
            } else {
                ("asr", "recognition", of([("format", json!("pcm")), ("sample_rate", json!(16_000))]))
            };
            of([
                ("task_group", json!("audio")),
                ("task", json!(task)),
                ("function", json!(function)),
                ("model", json!(ask.model)),
                ("parameters", Value::Object(parameters)),
                // It must be there, empty.
                ("input", json!({})),
            ])
        }
    };
    let mut more = ask.params.extra.clone();
    more.remove("task_id");
    extra::merge(&mut run, &more);
    let mut said = vec![message("run-task", run)];
    if kind == Kind::Speak {
        let text = newest(ask).map_or("", |turn| turn.text.as_str());
        said.push(message("continue-task", of([("input", json!({"text": text}))])));
    }
    if kind != Kind::Text {
        said.push(message("finish-task", of([("input", json!({}))])));
    }
    said
}

/// What is spoken: the user's newest turn.
fn newest(ask: &Ask) -> Option<&Message> {
    ask.messages.iter().rfind(|message| message.role == Role::User)
}

/// How it is spoken. Bare samples by default: how long they last can be told, and anything plays them.
fn spoken(ask: &Ask) -> Map<String, Value> {
    let mut parameters = of([("text_type", json!("PlainText"))]);
    // Every model wants a voice of its own; where it is known which, one is chosen.
    let voices = [("cosyvoice-v3", "longanyang"), ("cosyvoice-v2", "longxiaochun_v2"), ("cosyvoice-v1", "longxiaochun")];
    if let Some((_, voice)) = voices.iter().find(|(model, _)| ask.model.starts_with(model)) {
        parameters.insert("voice".to_owned(), json!(voice));
    }
    parameters.insert("format".to_owned(), json!("pcm"));
    parameters.insert("sample_rate".to_owned(), json!(24_000));
    if let Some(seed) = ask.params.seed {
        parameters.insert("seed".to_owned(), json!(seed));
    }
    parameters
}

/// The id of the task: 32 hexadecimal digits made from the question (FNV-1a, 128 bit), so that what is shown before sending is what is sent.
fn task_id(ask: &Ask) -> String {
    if let Some(id) = ask.params.extra.get("task_id").and_then(Value::as_str) {
        return id.to_owned();
    }
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for byte in json!(ask).to_string().bytes() {
        hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
    format!("{hash:032x}")
}

/// What the protocol has no place for.
pub(super) fn problems(dialect: &'static str, ask: &Ask) -> Vec<AskError> {
    let kind = Kind::of(ask);
    if kind == Kind::Text {
        return body::problems(dialect, ask);
    }
    let mut found = Vec::new();
    let mut problem = |what: &str, why: &str| found.push(AskError::Inexpressible { dialect, what: what.to_owned(), why: why.to_owned() });
    if kind == Kind::Listen {
        problem(
            "a question to a model that listens",
            "it takes sound in binary messages; with run-task (asr) and connect it can be sent by hand",
        );
        return found;
    }
    let params = &ask.params;
    for (what, set) in [
        ("a system prompt", !ask.system.is_empty()),
        ("tools", !ask.tools.is_empty()),
        ("structured output", ask.output.is_some()),
        ("attachments", ask.messages.iter().any(|message| !message.attachments.is_empty())),
        ("temperature", params.temperature.is_some()),
        ("top_p", params.top_p.is_some()),
        ("a token limit", params.max_tokens.is_some()),
        ("stop sequences", !params.stop.is_empty()),
        ("reasoning effort", params.reasoning.is_some()),
    ] {
        if set {
            problem(what, "a synthesizer speaks one text as it stands: the newest of the user's");
        }
    }
    if newest(ask).is_none_or(|turn| turn.text.trim().is_empty()) {
        problem("an empty text", "there is nothing to speak");
    }
    found
}

/// The question that a task's messages ask, as far as its fields go.
pub(super) fn read(said: &[Map<String, Value>]) -> Option<Ask> {
    let run = said.first()?;
    let payload = run.get("payload")?.as_object()?;
    let mut ask = Ask { model: payload.get("model")?.as_str()?.to_owned(), ..Ask::default() };
    let parameters = payload.get("parameters").and_then(Value::as_object).cloned().unwrap_or_default();
    match said {
        [_] => {
            body::conversation(payload.get("input")?.get("messages")?.as_array()?, &mut ask)?;
            body::fields(&parameters, &mut ask);
        }
        [_, more, _] => {
            let input = more.get("payload")?.get("input")?.as_object()?;
            ask.messages.push(Message::new(Role::User, word(input, "text")));
            ask.params.seed = parameters.get("seed").and_then(Value::as_i64);
        }
        _ => return None,
    }
    let task = |ask: &Ask| build(ask).first().and_then(|run| run.get("payload")).and_then(Value::as_object).cloned();
    let mut built = task(&ask)?;
    // The task decides what else is built, so it comes before what goes beyond.
    if built.get("task") != payload.get("task") {
        ask.params.extra.insert("task".to_owned(), payload.get("task")?.clone());
        built = task(&ask)?;
    }
    let beyond = extra::beyond(payload, &built, &["model", "input", "task"])?;
    extra::merge(&mut ask.params.extra, &beyond);
    let header = run.get("header")?.as_object()?;
    if task_id(&ask) != word(header, "task_id") {
        ask.params.extra.insert("task_id".to_owned(), header.get("task_id")?.clone());
    }
    Some(ask)
}
