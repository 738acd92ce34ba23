//! Ollama's own API: `/api/chat` and `/api/generate` in JSON lines or whole, and what its clients ask besides.

use ::http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Aside, Dialect, Event, Render, Request};
use crate::ask::{self, Ask, Tool, ToolChoice};
use crate::connections::Transport;
use crate::models::{self, Model};
use crate::rejection::{Reason, Rejection};
use crate::script::{Finish, Script, Step, count_all};

/// Chat, generation and the list of models.
pub(crate) struct Ollama;

impl Dialect for Ollama {
    fn read(&self, request: &Request<'_>) -> Result<(Ask, Box<dyn Render>), Rejection> {
        let body = ask::object(request.body)?;
        let (model, model_name) = ask::model(&body)?;
        let generate = request.path.ends_with("/generate");
        let (mut texts, mut prompt, mut tool_result) = (Vec::new(), String::new(), None);
        if generate {
            prompt = body["prompt"].as_str().unwrap_or_default().to_string();
            texts.extend([prompt.clone(), body["system"].as_str().unwrap_or_default().to_string()]);
        } else {
            for turn in ask::optional(&body, "messages", "an array", Value::as_array)?.into_iter().flatten() {
                let text = turn["content"].as_str().unwrap_or_default().to_string();
                tool_result = None;
                match turn["role"].as_str() {
                    Some("user") => prompt.clone_from(&text),
                    Some("tool") => tool_result = Some(text.clone()),
                    Some("system" | "assistant") => {}
                    _ => return Err(Rejection::invalid(Some("role"), "invalid role in messages")),
                }
                images(turn)?;
                texts.push(text);
            }
        }
        let options = body.get("options").cloned().unwrap_or_default();
        // Minus one, the default, and minus two set no limit.
        let unlimited = options["num_predict"].as_i64().is_some_and(|limit| limit < 1);
        let ask = Ask {
            model,
            model_name: model_name.clone(),
            prompt,
            prompt_tokens: count_all(texts.iter().map(String::as_str)),
            tools: tools(&body)?,
            choice: ToolChoice::Auto,
            parallel: true,
            tool_result,
            limit: if unlimited { None } else { ask::limit(&options, "num_predict")? },
            seed: ask::seed(&options)?,
            stream: ask::optional(&body, "stream", "a boolean", Value::as_bool)?.unwrap_or(true),
            previous: None,
            form: ask::form(&body),
        };
        Ok((ask, Box::new(Lines { generate, model: model_name, arguments: 0 })))
    }

    fn streams_as(&self, _: &Request<'_>) -> Transport {
        Transport::Ndjson
    }

    fn head(&self, _: &Script) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// A text, not an object.
    fn refuse(&self, rejection: &Rejection) -> Value {
        match rejection.reason {
            Reason::WrongKey => json!({"error": "unauthorized", "signin_url": "https://ollama.com/connect?name=weir-lab"}),
            Reason::TooLong { .. } => json!({"error": "the input length exceeds the context length"}),
            Reason::NoModel => json!({"error": format!("{} (try pulling it first)", rejection.message)}),
            _ => json!({"error": rejection.message}),
        }
    }

    fn models(&self, models: &[Model]) -> Value {
        json!({"models": models.iter().map(|model| self.model(model)).collect::<Vec<_>>()})
    }

    fn model(&self, model: &Model) -> Value {
        json!({
            "name": model.id, "model": model.id, "modified_at": at(models::CREATED), "size": 0,
            "digest": "sha256:0000000000000000000000000000000000000000000000000000000000000000", "details": details(),
        })
    }
}

/// Everything else that clients of Ollama ask: its version, one model, what is loaded.
pub(crate) struct OllamaAsides;

impl Dialect for OllamaAsides {
    fn read(&self, request: &Request<'_>) -> Result<(Ask, Box<dyn Render>), Rejection> {
        Err(Rejection::no_method(request.method, request.path))
    }

    fn methods(&self) -> &'static [Method] {
        &[Method::GET, Method::POST]
    }

    fn aside(&self, request: &Request<'_>) -> Option<Aside> {
        let (status, body) = match (request.path, request.method) {
            ("/api/version", &Method::GET) => (200, json!({"version": "0.13.0"})),
            ("/api/ps", &Method::GET) => (200, json!({"models": []})),
            ("/api/show", &Method::POST) => {
                let body: Value = serde_json::from_slice(request.body).unwrap_or_default();
                let name = body["model"].as_str().or(body["name"].as_str()).unwrap_or_default();
                match models::find(name) {
                    Some(model) => (200, shown(model)),
                    None => (404, json!({"error": format!("model '{name}' not found")})),
                }
            }
            _ => return None,
        };
        Some(Aside { status, head: Vec::new(), body: Some(body) })
    }

    fn refuse(&self, rejection: &Rejection) -> Value {
        Ollama.refuse(rejection)
    }
}

fn details() -> Value {
    json!({"parent_model": "", "format": "lab", "family": "lab", "families": ["lab"], "parameter_size": "0B", "quantization_level": "F32"})
}

fn shown(model: &Model) -> Value {
    json!({
        "modelfile": format!("# {}\nFROM {}\n", model.description, model.id),
        "parameters": "", "template": "{{ .Prompt }}", "details": details(),
        "model_info": {"general.architecture": "lab", "lab.context_length": 8192},
        "capabilities": ["completion", "tools", "thinking", "vision"],
        "modified_at": at(models::CREATED),
    })
}

/// RFC 3339.
fn at(seconds: u64) -> String {
    i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok()).map(|at| at.to_string()).unwrap_or_default()
}

/// Images travel as bare Base64; a data URL is the commonest mistake, and Ollama refuses it.
fn images(turn: &Value) -> Result<(), Rejection> {
    let base64 =
        |image: &Value| image.as_str().is_some_and(|text| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)));
    if turn["images"].as_array().is_none_or(|images| images.iter().all(base64)) {
        return Ok(());
    }
    Err(Rejection::invalid(Some("images"), "illegal base64 data at input byte 4"))
}

fn tools(body: &Value) -> Result<Vec<Tool>, Rejection> {
    let list = ask::optional(body, "tools", "an array", Value::as_array)?.map(Vec::as_slice).unwrap_or_default();
    let tool = |tool: &Value| {
        let function = &tool["function"];
        let name = function["name"].as_str().filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Rejection::invalid(Some("tools"), "a tool's function needs a name"))?;
        Ok(Tool { name: name.into(), parameters: function["parameters"].clone() })
    };
    list.iter().map(tool).collect()
}

/// Renders a script as lines.
struct Lines {
    generate: bool,
    model: String,
    /// Bytes of the arguments of the running call that were said: a call is told once it is whole.
    arguments: usize,
}

impl Lines {
    fn line(&self, script: &Script, said: &str, thought: &str, calls: Option<Value>) -> Value {
        let mut line = json!({"model": self.model, "created_at": at(script.created())});
        if self.generate {
            line["response"] = said.into();
            if !thought.is_empty() {
                line["thinking"] = thought.into();
            }
        } else {
            line["message"] = json!({"role": "assistant", "content": said});
            if !thought.is_empty() {
                line["message"]["thinking"] = thought.into();
            }
            if let Some(calls) = calls {
                line["message"]["tool_calls"] = calls;
            }
        }
        line["done"] = false.into();
        line
    }

    fn end(&self, script: &Script, line: &mut Value) {
        let usage = script.usage();
        // The Lab's clock is not the model's: the same reply always took the same time.
        let (load, read, write) = (1_000_000, usage.prompt as u64 * 100_000, usage.completion as u64 * 5_000_000);
        line["done"] = true.into();
        line["done_reason"] = if script.finish() == Finish::Length { "length" } else { "stop" }.into();
        line["total_duration"] = (load + read + write).into();
        line["load_duration"] = load.into();
        // Go leaves out what is zero.
        for (name, count) in [
            ("prompt_eval_count", usage.prompt as u64),
            ("prompt_eval_duration", read),
            ("eval_count", usage.completion as u64),
            ("eval_duration", write),
        ] {
            if count > 0 {
                line[name] = count.into();
            }
        }
    }
}

/// A call as Ollama tells it, whole; none whose arguments a token limit has cut off.
fn call(script: &Script, index: usize) -> Option<Value> {
    let call = &script.tool_calls()[index];
    let arguments: Value = serde_json::from_str(call.arguments.text()).ok()?;
    Some(json!({"id": call.id, "function": {"index": index, "name": call.name, "arguments": arguments}}))
}

impl Render for Lines {
    fn opening(&mut self, _: &Script) -> Vec<Event> {
        Vec::new()
    }

    fn step(&mut self, script: &Script, step: Step<'_>) -> Vec<Event> {
        let line = match step {
            Step::Reasoning(text) => self.line(script, "", text, None),
            Step::Text(text) | Step::Refusal(text) => self.line(script, text, "", None),
            Step::Call(_) => {
                self.arguments = 0;
                return Vec::new();
            }
            Step::Arguments(index, text) => {
                self.arguments += text.len();
                if self.arguments < script.tool_calls()[index].arguments.text().len() {
                    return Vec::new();
                }
                let Some(call) = call(script, index) else { return Vec::new() };
                self.line(script, "", "", Some(json!([call])))
            }
            Step::Fail => json!({"error": script.failure().message}),
        };
        vec![Event::data(&line)]
    }

    fn closing(&mut self, script: &Script) -> Vec<Event> {
        let mut line = self.line(script, "", "", None);
        self.end(script, &mut line);
        vec![Event::data(&line).end()]
    }

    fn whole(&mut self, script: &Script) -> Value {
        let said = if script.refusal().is_empty() { script.text() } else { script.refusal() };
        let calls: Vec<Value> = (0..script.tool_calls().len()).filter_map(|index| call(script, index)).collect();
        let mut line = self.line(script, said, script.reasoning(), (!calls.is_empty()).then(|| calls.into()));
        self.end(script, &mut line);
        line
    }

    fn padding(&mut self, script: &Script) -> (String, String) {
        let line = self.line(script, "", "", None).to_string();
        (format!("{},\"padding\":\"", &line[..line.len() - 1]), "\"}".into())
    }
}
