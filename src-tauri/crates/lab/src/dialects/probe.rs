//! An API that only tests speak: plain enough that a test sees the Lab's own part. Over HTTP the query chooses the framing; on a
//! WebSocket each message is a prompt, `!` cancels, and `?` is answered at once.

use serde_json::{Value, json};

use super::{Act, Aside, Dialect, Event, Heard, Render, Request, Talk};
use crate::ask::{self, Ask, ToolChoice};
use crate::connections::Transport;
use crate::rejection::Rejection;
use crate::script::{Script, Step};

pub(crate) struct Probe;

fn ask(model: &str, prompt: &str) -> Result<Ask, Rejection> {
    let (model, model_name) = ask::model(&json!({"model": model}))?;
    Ok(Ask {
        model,
        model_name,
        prompt: prompt.into(),
        prompt_tokens: crate::pieces::count(prompt),
        tools: Vec::new(),
        choice: ToolChoice::Auto,
        parallel: true,
        tool_result: None,
        limit: None,
        seed: None,
        stream: true,
        previous: None,
        form: None,
    })
}

impl Dialect for Probe {
    fn read(&self, request: &Request<'_>) -> Result<(Ask, Box<dyn Render>), Rejection> {
        Ok((ask(request.name("model"), std::str::from_utf8(request.body).unwrap())?, Box::new(Words)))
    }

    fn aside(&self, request: &Request<'_>) -> Option<Aside> {
        let head = vec![("x-probe", "1".to_string())];
        (request.body == b"nothing").then(|| Aside { status: 202, head, body: None })
    }

    fn streams_as(&self, request: &Request<'_>) -> Transport {
        match request.query_value("as").as_deref() {
            Some("array") => Transport::Array,
            Some("eventstream") => Transport::Eventstream,
            Some("ndjson") => Transport::Ndjson,
            _ => Transport::Sse,
        }
    }

    fn refuse(&self, rejection: &Rejection) -> Value {
        json!({"probe": rejection.message})
    }

    fn refusal_head(&self, rejection: &Rejection) -> Vec<(&'static str, String)> {
        vec![("x-probe-status", rejection.status.to_string())]
    }

    fn talk(&self, request: &Request<'_>) -> Option<Result<Box<dyn Talk>, Rejection>> {
        let model = request.name("model").to_string();
        Some(ask(&model, "").map(|_| Box::new(Chat { model, binary: request.query == "binary" }) as Box<dyn Talk>))
    }

    fn key_after_upgrade(&self) -> bool {
        true
    }
}

struct Words;

impl Render for Words {
    fn opening(&mut self, _: &Script) -> Vec<Event> {
        vec![Event::comment("wait"), Event::named("open", &json!({}))]
    }

    fn step(&mut self, script: &Script, step: Step<'_>) -> Vec<Event> {
        match step {
            Step::Text(text) => vec![Event::named("word", &json!({"word": text}))],
            Step::Fail => vec![Event { exception: true, ..Event::named("failed", &json!({"why": script.failure().message})) }],
            _ => Vec::new(),
        }
    }

    fn closing(&mut self, _: &Script) -> Vec<Event> {
        vec![Event { binary: Some(vec![0xFF, 0]), ..Event::named("sound", &json!({})) }, Event::named("close", &json!({})).end()]
    }

    fn whole(&mut self, script: &Script) -> Value {
        script.text().into()
    }

    fn padding(&mut self, _: &Script) -> (String, String) {
        ("{\"pad\":\"".into(), "\"}".into())
    }

    fn cancelled(&mut self, _: &Script) -> Vec<Event> {
        vec![Event::text("\"cancelled\"")]
    }
}

struct Chat {
    model: String,
    binary: bool,
}

impl Talk for Chat {
    fn open(&mut self) -> Vec<Act> {
        vec![Act::Send("\"hello\"".into())]
    }

    fn hear(&mut self, heard: Heard<'_>) -> Vec<Act> {
        match heard {
            Heard::Text("!") => vec![Act::Cancel],
            Heard::Text("?") => vec![Act::Send("\"yes?\"".into())],
            Heard::Text("bye") => vec![Act::Close(4321, "é".repeat(100))],
            Heard::Text(prompt) => ask(&self.model, prompt).map(|ask| Act::Say(Box::new((ask, Box::new(Words))))).into_iter().collect(),
            Heard::Binary(bytes) => vec![Act::Send(bytes.len().to_string())],
            Heard::Said(script) => vec![Act::Send(json!({"said": script.id()}).to_string())],
        }
    }

    fn refuse(&mut self, rejection: &Rejection) -> Vec<Act> {
        vec![Act::Send(json!({"refused": rejection.message}).to_string())]
    }

    fn binary(&self) -> bool {
        self.binary
    }
}
