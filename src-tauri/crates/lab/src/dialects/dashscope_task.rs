//! DashScope's task protocol on a WebSocket: text answers as over HTTP, text is spoken in binary messages, sound is answered with words.

#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use super::dashscope::{self, FILTERED, Results};
use super::{Act, Dialect, Event, Heard, Render, Request, Talk};
use crate::ask::{self, Ask, ToolChoice};
use crate::pieces::{self, Pieces};
use crate::rejection::Rejection;
use crate::script::{Finish, Script, Step};
use crate::tone;

pub(crate) struct DashScopeTask;

impl Dialect for DashScopeTask {
    /// Nothing is asked here but on a WebSocket.
    fn read(&self, request: &Request<'_>) -> Result<(Ask, Box<dyn Render>), Rejection> {
        Err(Rejection::no_path(request.method, request.path))
    }

    fn refuse(&self, rejection: &Rejection) -> Value {
        dashscope::refusal(rejection)
    }

    fn talk(&self, _: &Request<'_>) -> Option<Result<Box<dyn Talk>, Rejection>> {
        Some(Ok(Box::<Socket>::default()))
    }
}

/// What was made of the socket so far.
#[derive(Default)]
struct Socket {
    task: Option<Task>,
}

/// A task under way.
struct Task {
    id: String,
    kind: Kind,
    payload: Value,
    /// Text to speak.
    text: String,
    /// Sound that was heard, in bytes.
    heard: usize,
    /// The reply is being said.
    saying: bool,
    /// The client broke it off.
    cancelled: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Speak,
    Listen,
}

fn message(id: &str, event: &str, more: Value, payload: Value) -> String {
    let mut header = Map::new();
    header.insert("task_id".into(), id.into());
    header.insert("event".into(), event.into());
    if let Value::Object(more) = more {
        header.extend(more);
    }
    header.insert("attributes".into(), json!({}));
    json!({"header": header, "payload": payload}).to_string()
}

fn failed(id: &str, code: &str, words: &str) -> String {
    message(id, "task-failed", json!({"error_code": code, "error_message": words}), json!({}))
}

/// Says that a task failed, and closes, as the service does.
fn fail(id: &str, words: &str) -> Vec<Act> {
    vec![Act::Send(failed(id, "InvalidParameter", words)), Act::Close(1000, String::new())]
}

impl Socket {
    fn message(&mut self, text: &str) -> Vec<Act> {
        let Ok(sent) = serde_json::from_str::<Value>(text) else {
            return fail("", "The message is not JSON.");
        };
        let header = &sent["header"];
        let id = header["task_id"].as_str().unwrap_or_default();
        let running = self.task.as_ref().is_some_and(|task| task.id == id);
        if !sent["payload"]["input"].is_object() {
            return fail(id, "payload.input is missing: it must be there, empty if need be.");
        }
        match header["action"].as_str().unwrap_or_default() {
            "run-task" if self.task.is_some() => fail(id, "A task is running on this socket."),
            "run-task" => self.run(id, header["streaming"].as_str().unwrap_or("duplex"), &sent["payload"]),
            "continue-task" if running => {
                if let Some(task) = &mut self.task {
                    task.text.push_str(sent["payload"]["input"]["text"].as_str().unwrap_or_default());
                }
                Vec::new()
            }
            "finish-task" if running => {
                if sent["payload"]["input"]["directive"] == "cancel" {
                    return self.cancel();
                }
                self.say()
            }
            "continue-task" | "finish-task" => fail(id, "No task of this id is running."),
            other => fail(id, &format!("Unknown action: {other:?}.")),
        }
    }

    fn run(&mut self, id: &str, streaming: &str, payload: &Value) -> Vec<Act> {
        if id.is_empty() {
            return fail(id, "header.task_id is missing.");
        }
        let kind = match payload["task"].as_str() {
            Some("tts") => Kind::Speak,
            Some("asr") => Kind::Listen,
            Some(_) => Kind::Text,
            None => return fail(id, "payload.task is missing."),
        };
        if kind == Kind::Speak && Form::of(&payload["parameters"]).is_none() {
            return fail(id, "The Lab speaks pcm and wav only.");
        }
        let text = payload["input"]["text"].as_str().unwrap_or_default().to_string();
        self.task = Some(Task { id: id.into(), kind, payload: payload.clone(), text, heard: 0, saying: false, cancelled: false });
        let mut acts = vec![Act::Send(message(id, "task-started", json!({}), json!({})))];
        // Without a stream of input, everything is there; sound is still to come.
        if kind == Kind::Text || (matches!(streaming, "out" | "none") && kind == Kind::Speak) {
            acts.extend(self.say());
        }
        acts
    }

    fn say(&mut self) -> Vec<Act> {
        let Some(task) = self.task.as_mut().filter(|task| !task.saying) else {
            return Vec::new();
        };
        task.saying = true;
        let asked = match task.kind {
            Kind::Text => ask::model(&task.payload).and_then(|(model, name)| dashscope::question(&task.payload, model, name)),
            // Any voice will do: these models are not the Lab's.
            Kind::Speak | Kind::Listen => ask::model(&json!({"model": "lab/steady"})).map(|(model, _)| Ask {
                model,
                model_name: task.payload["model"].as_str().unwrap_or_default().into(),
                prompt: task.text.clone(),
                prompt_tokens: pieces::count(&task.text),
                tools: Vec::new(),
                choice: ToolChoice::Auto,
                parallel: false,
                tool_result: None,
                limit: None,
                seed: None,
                stream: true,
                previous: None,
                form: None,
            }),
        };
        let render: Box<dyn Render> = match task.kind {
            Kind::Text => {
                let multimodal = task.payload["task"] == "multimodal-generation";
                Box::new(Generation { id: task.id.clone(), results: Results::of(&task.payload, multimodal, true) })
            }
            Kind::Speak => Box::new(Speech::new(task)),
            Kind::Listen => Box::new(Transcript { id: task.id.clone(), said: String::new(), heard: task.heard }),
        };
        match asked {
            Ok(ask) => vec![Act::Say(Box::new((ask, render)))],
            Err(rejection) => self.refuse(&rejection),
        }
    }

    fn cancel(&mut self) -> Vec<Act> {
        match &mut self.task {
            Some(task) if task.saying => {
                task.cancelled = true;
                vec![Act::Cancel]
            }
            Some(task) => {
                let finished = message(&task.id, "task-finished", json!({}), json!({}));
                self.task = None;
                vec![Act::Send(finished), Act::Close(1000, String::new())]
            }
            None => Vec::new(),
        }
    }
}

impl Talk for Socket {
    fn hear(&mut self, heard: Heard<'_>) -> Vec<Act> {
        match heard {
            Heard::Text(text) => self.message(text),
            Heard::Binary(bytes) => match self.task.as_mut().filter(|task| task.kind == Kind::Listen) {
                Some(task) => {
                    task.heard += bytes.len();
                    Vec::new()
                }
                None => fail("", "No task that listens is running."),
            },
            Heard::Said(script) => {
                let cancelled = self.task.take().is_some_and(|task| task.cancelled);
                let broken = matches!(script.finish(), Finish::Error | Finish::ContentFilter);
                if cancelled || broken { vec![Act::Close(1000, String::new())] } else { Vec::new() }
            }
        }
    }

    fn refuse(&mut self, rejection: &Rejection) -> Vec<Act> {
        let (code, words) = dashscope::words(rejection);
        let id = self.task.take().map(|task| task.id).unwrap_or_default();
        vec![Act::Send(failed(&id, code, &words)), Act::Close(1000, String::new())]
    }
}

/// An event that breaks a task off.
fn failure(id: &str, script: &Script) -> Event {
    let (code, words) = dashscope::words(&script.failure());
    Event::text(failed(id, code, &words)).end()
}

/// A reply in text.
struct Generation {
    id: String,
    results: Results,
}

impl Render for Generation {
    fn opening(&mut self, _: &Script) -> Vec<Event> {
        Vec::new()
    }

    fn step(&mut self, script: &Script, step: Step<'_>) -> Vec<Event> {
        match self.results.after(script, step) {
            Some(result) => vec![Event::text(message(&self.id, "result-generated", json!({}), result))],
            None => vec![failure(&self.id, script)],
        }
    }

    fn closing(&mut self, script: &Script) -> Vec<Event> {
        if script.finish() == Finish::ContentFilter {
            return vec![Event::text(failed(&self.id, FILTERED.0, FILTERED.1)).end()];
        }
        let last = self.results.last(script);
        let usage = last["usage"].clone();
        let finished = message(&self.id, "task-finished", json!({}), json!({"output": {}, "usage": usage}));
        vec![Event::text(message(&self.id, "result-generated", json!({}), last)), Event::text(finished).end()]
    }

    fn whole(&mut self, _: &Script) -> Value {
        Value::Null
    }

    fn padding(&mut self, _: &Script) -> (String, String) {
        padding(&self.id)
    }

    fn cancelled(&mut self, _: &Script) -> Vec<Event> {
        vec![Event::text(message(&self.id, "task-finished", json!({}), json!({}))).end()]
    }
}

/// An event that says nothing, around its padding.
fn padding(id: &str) -> (String, String) {
    let event = message(id, "result-generated", json!({}), json!({"output": {"lab_padding": ""}}));
    match event.split_once("\"lab_padding\":\"") {
        Some((before, after)) => (format!("{before}\"lab_padding\":\""), after.into()),
        None => (event, String::new()),
    }
}

/// The form of the sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Form {
    /// With a head of RIFF.
    wav: bool,
    rate: u32,
}

impl Form {
    /// The one asked for; none where the Lab cannot make it. Where none is named it is WAV, which any player knows.
    fn of(parameters: &Value) -> Option<Form> {
        let rate = parameters["sample_rate"].as_u64().filter(|rate| (8000..=48_000).contains(rate)).unwrap_or(22_050);
        let wav = match parameters["format"].as_str() {
            Some("pcm") => false,
            Some("wav" | "Default") | None => true,
            Some(_) => return None,
        };
        Some(Form { wav, rate: u32::try_from(rate).ok()? })
    }

    /// The head of a file whose length is not known yet.
    fn head(self) -> Vec<u8> {
        let mut head = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
        head.extend(self.rate.to_le_bytes());
        head.extend((self.rate * 2).to_le_bytes());
        head.extend(b"\x02\0\x10\0data\xff\xff\xff\xff");
        head
    }
}

/// Speaks the client's text in the time a reply takes: as much of it with every step as the step is of the reply.
struct Speech {
    id: String,
    form: Form,
    text: Pieces,
    /// Tokens of the text that were spoken.
    said: usize,
    /// Tokens of the reply that were due.
    due: usize,
    begun: bool,
}

impl Speech {
    fn new(task: &Task) -> Speech {
        let form = Form::of(&task.payload["parameters"]).unwrap_or(Form { wav: true, rate: 22_050 });
        Speech { id: task.id.clone(), form, text: Pieces::cut(&task.text, false), said: 0, due: 0, begun: false }
    }

    /// Sound up to a token.
    fn speak(&mut self, until: usize) -> Vec<Event> {
        let text = self.text.range(self.said, until).to_string();
        self.said = until.min(self.text.len());
        if text.is_empty() {
            return Vec::new();
        }
        let mut sound = if self.form.wav && !self.begun { self.form.head() } else { Vec::new() };
        self.begun = true;
        sound.extend(tone::hum(&text, self.form.rate));
        vec![Event { binary: Some(sound), ..Event::default() }]
    }

    fn usage(&self) -> Value {
        // A Han character counts as two.
        let spoken = self.text.range(0, self.said);
        let units: usize =
            spoken.chars().map(|c| if matches!(c, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3134f}') { 2 } else { 1 }).sum();
        json!({ "characters": units })
    }
}

impl Render for Speech {
    fn opening(&mut self, _: &Script) -> Vec<Event> {
        let begun = json!({"output": {"type": "sentence-begin", "sentence": {"index": 0, "words": []}}});
        vec![Event::text(message(&self.id, "result-generated", json!({}), begun))]
    }

    fn step(&mut self, script: &Script, step: Step<'_>) -> Vec<Event> {
        match step {
            Step::Fail => return vec![failure(&self.id, script)],
            Step::Reasoning(text) | Step::Text(text) | Step::Refusal(text) | Step::Arguments(_, text) => self.due += pieces::count(text),
            Step::Call(_) => {}
        }
        let until = self.text.len() * self.due / script.tokens().max(1);
        self.speak(until.max(self.said))
    }

    fn closing(&mut self, _: &Script) -> Vec<Event> {
        let mut events = Vec::new();
        while self.said < self.text.len() {
            events.extend(self.speak(self.said + 40));
        }
        let over = json!({"output": {"type": "sentence-end", "sentence": {"index": 0, "words": []}}, "usage": self.usage()});
        events.push(Event::text(message(&self.id, "result-generated", json!({}), over)));
        let finished = json!({"output": {}, "usage": self.usage()});
        events.push(Event::text(message(&self.id, "task-finished", json!({}), finished)).end());
        events
    }

    fn whole(&mut self, _: &Script) -> Value {
        Value::Null
    }

    fn padding(&mut self, _: &Script) -> (String, String) {
        padding(&self.id)
    }

    fn cancelled(&mut self, _: &Script) -> Vec<Event> {
        vec![Event::text(message(&self.id, "task-finished", json!({}), json!({"usage": self.usage()}))).end()]
    }
}

/// Words for what was heard: a sentence that grows until it ends.
struct Transcript {
    id: String,
    said: String,
    /// Bytes of sound.
    heard: usize,
}

impl Transcript {
    fn sentence(&self, event_ends: bool) -> Event {
        let sentence = json!({"begin_time": 0, "end_time": event_ends.then_some(self.heard / 32), "text": self.said, "sentence_end": event_ends, "words": []});
        let payload =
            json!({"output": {"sentence": sentence}, "usage": event_ends.then(|| json!({"duration": self.heard.div_ceil(32_000)}))});
        Event::text(message(&self.id, "result-generated", json!({}), payload))
    }
}

impl Render for Transcript {
    fn opening(&mut self, _: &Script) -> Vec<Event> {
        Vec::new()
    }

    fn step(&mut self, script: &Script, step: Step<'_>) -> Vec<Event> {
        match step {
            Step::Text(text) | Step::Refusal(text) => {
                self.said.push_str(text);
                vec![self.sentence(false)]
            }
            Step::Fail => vec![failure(&self.id, script)],
            Step::Reasoning(_) | Step::Call(_) | Step::Arguments(..) => Vec::new(),
        }
    }

    fn closing(&mut self, _: &Script) -> Vec<Event> {
        let finished = json!({"output": {}, "usage": {"duration": self.heard.div_ceil(32_000)}});
        vec![self.sentence(true), Event::text(message(&self.id, "task-finished", json!({}), finished)).end()]
    }

    fn whole(&mut self, _: &Script) -> Value {
        Value::Null
    }

    fn padding(&mut self, _: &Script) -> (String, String) {
        padding(&self.id)
    }

    fn cancelled(&mut self, _: &Script) -> Vec<Event> {
        vec![Event::text(message(&self.id, "task-finished", json!({}), json!({}))).end()]
    }
}
