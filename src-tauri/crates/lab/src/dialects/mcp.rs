//! An MCP server over Streamable HTTP, of the revisions with sessions (up to 2025-11-25) and of the stateless one (2026-07-28).
//!
//! It has one tool, `ask`, whose answer is a model's reply; a model's own name does as a tool's name too. The reply's pieces are told
//! as progress, if the client asked for that, and the whole is the result.

use ::http::Method;
use serde_json::{Value, json};

use super::{Aside, Dialect, Event, From, Recall, Render, Request, Resume};
use crate::ask::{self, Ask, ToolChoice};
use crate::models::{self, MODELS, Model};
use crate::rejection::{Reason, Rejection};
use crate::script::{Script, Step};

pub(crate) struct Mcp;

/// The revisions with a handshake, the newest last.
const WITH_HANDSHAKE: &[&str] = &["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

/// The revision without.
const STATELESS: &str = "2026-07-28";

const REVISION: &str = "io.modelcontextprotocol/protocolVersion";

impl Dialect for Mcp {
    fn read(&self, request: &Request<'_>) -> Result<(Ask, Box<dyn Render>), Rejection> {
        let body = ask::object(request.body)?;
        let params = &body["params"];
        let arguments = &params["arguments"];
        let model_name = arguments["model"].as_str().or(params["name"].as_str()).filter(|name| *name != TOOL).unwrap_or("lab/steady");
        let model = models::find(model_name).ok_or_else(|| Rejection::no_model(model_name))?;
        let prompt = arguments["prompt"].as_str().map_or_else(|| arguments.to_string(), str::to_string);
        let ask = Ask {
            model,
            model_name: model_name.into(),
            prompt_tokens: crate::pieces::count(&prompt),
            prompt,
            tools: Vec::new(),
            choice: ToolChoice::Auto,
            parallel: true,
            tool_result: None,
            limit: None,
            seed: None,
            // A client has to take both, and may only get what it takes.
            stream: request.header("accept").is_none_or(|accept| accept.contains("text/event-stream") || accept.contains("*/*")),
            previous: None,
            form: None,
        };
        let progress = params["_meta"].get("progressToken").cloned();
        let primed = has_ids(request);
        Ok((ask, Box::new(Messages { id: body["id"].clone(), progress, told: 0, primed })))
    }

    fn methods(&self) -> &'static [Method] {
        &[Method::POST, Method::DELETE, Method::GET]
    }

    /// A stream whose events have ids can be gone on with.
    fn keeps(&self, request: &Request<'_>, script: &Script) -> Option<String> {
        has_ids(request).then(|| format!("mcp {}", script.id()))
    }

    /// A `GET` with a `Last-Event-ID` goes on with the stream that event stood in, though it began as a `POST`. One without would open
    /// a stream for messages of the server's own, of which the Lab has none: 405, as the specification allows.
    fn recalls(&self, request: &Request<'_>) -> Option<Result<Recall, Rejection>> {
        if *request.method != Method::GET {
            return None;
        }
        let Some(id) = request.header("last-event-id") else {
            return Some(Err(Rejection::no_method(request.method, request.path)));
        };
        let stream = id.split('-').next().unwrap_or_default();
        Some(Ok(Recall::Hear(Resume { tape: format!("mcp {stream}"), from: From::Id(id.into()), only_active: false })))
    }

    /// Everything but the call of a tool that is there.
    fn aside(&self, request: &Request<'_>) -> Option<Aside> {
        if *request.method == Method::DELETE {
            return Some(Aside { status: 204, head: Vec::new(), body: None });
        }
        let Ok(body) = serde_json::from_slice::<Value>(request.body) else {
            return Some(failed(400, &Value::Null, -32700, "Parse error"));
        };
        let (id, method, params) = (&body["id"], body["method"].as_str(), &body["params"]);
        if body["jsonrpc"] != "2.0" || !body.is_object() {
            return Some(failed(400, id, -32600, "Invalid Request: one JSON-RPC 2.0 message is expected"));
        }
        if id.is_null() || method.is_none() {
            // A notification, or the answer to a request of ours.
            return Some(Aside { status: 202, head: Vec::new(), body: None });
        }
        let revision = params["_meta"][REVISION].as_str();
        if let Some(revision) = revision
            && let Some(mismatch) = mismatch(request, revision, method.unwrap_or_default(), params)
        {
            return Some(failed(400, id, -32020, &mismatch));
        }
        if revision.is_some_and(|revision| revision != STATELESS) {
            return Some(failed(400, id, -32022, "Unsupported protocol version"));
        }
        let stateless = revision.is_some();
        let result = match method.unwrap_or_default() {
            "initialize" if !stateless => return Some(initialize(id, params)),
            "server/discover" if stateless => {
                json!({"supportedVersions": [STATELESS], "capabilities": capabilities(), "serverInfo": server(), "ttlMs": 0, "cacheScope": "private"})
            }
            "ping" => json!({}),
            "logging/setLevel" => json!({}),
            "tools/list" => json!({"tools": [tool()], "ttlMs": 0, "cacheScope": "private"}),
            "resources/list" => json!({"resources": [], "ttlMs": 0, "cacheScope": "private"}),
            "resources/templates/list" => json!({"resourceTemplates": [], "ttlMs": 0, "cacheScope": "private"}),
            "prompts/list" => json!({"prompts": [], "ttlMs": 0, "cacheScope": "private"}),
            "tools/call" => {
                let name = params["name"].as_str().unwrap_or_default();
                if name == TOOL || models::find(name).is_some() {
                    return None;
                }
                return Some(failed(200, id, -32602, &format!("Unknown tool: {name}")));
            }
            other => return Some(failed(if stateless { 404 } else { 200 }, id, -32601, &format!("Method not found: {other}"))),
        };
        let mut result = result;
        if stateless {
            result["resultType"] = "complete".into();
        } else if let Some(result) = result.as_object_mut() {
            result.retain(|name, _| name != "ttlMs" && name != "cacheScope");
        }
        Some(Aside { status: 200, head: Vec::new(), body: Some(json!({"jsonrpc": "2.0", "id": id, "result": result})) })
    }

    fn head(&self, _: &Script) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn refuse(&self, rejection: &Rejection) -> Value {
        let code = match rejection.reason {
            Reason::NoPath | Reason::Method => -32601,
            Reason::Server | Reason::Overloaded => -32603,
            Reason::WrongKey | Reason::RateLimit | Reason::Quota => -32000,
            _ => -32602,
        };
        json!({"jsonrpc": "2.0", "id": null, "error": {"code": code, "message": rejection.message}})
    }

    fn refusal_head(&self, rejection: &Rejection) -> Vec<(&'static str, String)> {
        let challenge = (rejection.reason == Reason::WrongKey).then(|| ("www-authenticate", "Bearer error=\"invalid_token\"".to_string()));
        challenge.into_iter().collect()
    }

    fn models(&self, _: &[Model]) -> Value {
        json!({"tools": [tool()]})
    }
}

/// Whether events have ids, the first of them with no data: a stream of the revision 2025-11-25 may break off and be resumed.
fn has_ids(request: &Request<'_>) -> bool {
    request.header("mcp-protocol-version") == Some("2025-11-25")
}

/// The tool's name.
const TOOL: &str = "ask";

fn tool() -> Value {
    let models: Vec<&str> = MODELS.iter().map(|model| model.id).collect();
    json!({
        "name": TOOL, "title": "Ask a model", "description": "Asks one of the Lab's models and gives its reply.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "prompt": {"type": "string", "description": "What to ask."},
                "model": {"type": "string", "enum": models, "description": "Which model; lab/steady if none is named."},
            },
            "required": ["prompt"],
        },
    })
}

fn capabilities() -> Value {
    json!({"tools": {"listChanged": false}})
}

fn server() -> Value {
    json!({"name": "weir-lab", "title": "Weir Lab", "version": env!("CARGO_PKG_VERSION")})
}

fn failed(status: u16, id: &Value, code: i32, message: &str) -> Aside {
    let body = json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}});
    Aside { status, head: Vec::new(), body: Some(body) }
}

fn initialize(id: &Value, params: &Value) -> Aside {
    let wanted = params["protocolVersion"].as_str().unwrap_or_default();
    let newest = WITH_HANDSHAKE[WITH_HANDSHAKE.len() - 1];
    let revision = if WITH_HANDSHAKE.contains(&wanted) { wanted } else { newest };
    let result = json!({"protocolVersion": revision, "capabilities": capabilities(), "serverInfo": server(), "instructions": "Ask."});
    // One session for all: nothing is kept in it.
    let head = vec![("mcp-session-id", "lab-session".to_string())];
    Aside { status: 200, head, body: Some(json!({"jsonrpc": "2.0", "id": id, "result": result})) }
}

/// In which header a request of the stateless revision does not say what its body says.
fn mismatch(request: &Request<'_>, revision: &str, method: &str, params: &Value) -> Option<String> {
    let name = match method {
        "tools/call" | "prompts/get" => params["name"].as_str(),
        "resources/read" => params["uri"].as_str(),
        _ => None,
    };
    let expected = [("MCP-Protocol-Version", Some(revision)), ("Mcp-Method", Some(method)), ("Mcp-Name", name)];
    let wrong = expected.into_iter().find(|(header, value)| value.is_some() && request.header(header) != *value);
    wrong.map(|(header, _)| format!("Header mismatch: {header} does not match the body"))
}

/// Renders a script as JSON-RPC messages.
struct Messages {
    id: Value,
    /// What the client wants progress to be told under.
    progress: Option<Value>,
    told: usize,
    /// The stream begins with a place to resume from.
    primed: bool,
}

impl Messages {
    /// A place in the stream, where those are told.
    fn event_id(&self, script: &Script) -> Option<String> {
        self.primed.then(|| format!("{}-{}", script.id(), self.told))
    }

    fn response(&self, script: &Script) -> Value {
        let said = if script.refusal().is_empty() { script.text() } else { script.refusal() };
        json!({"jsonrpc": "2.0", "id": self.id, "result": {"content": [{"type": "text", "text": said}], "isError": false, "resultType": "complete"}})
    }
}

impl Render for Messages {
    fn opening(&mut self, script: &Script) -> Vec<Event> {
        // An id and no data: the first thing since 2025-11-25, and no JSON.
        let cursor = self.primed.then(|| Event { id: Some(format!("{}-0", script.id())), ..Event::default() });
        cursor.into_iter().collect()
    }

    fn step(&mut self, script: &Script, step: Step<'_>) -> Vec<Event> {
        let text = match step {
            Step::Reasoning(text) | Step::Text(text) | Step::Refusal(text) => text,
            Step::Call(_) | Step::Arguments(..) => return Vec::new(),
            Step::Fail => {
                let error = json!({"code": -32603, "message": script.failure().message});
                return vec![Event::named("message", &json!({"jsonrpc": "2.0", "id": self.id, "error": error}))];
            }
        };
        self.told += 1;
        let Some(token) = &self.progress else { return Vec::new() };
        let params = json!({"progressToken": token, "progress": self.told, "message": text});
        let id = self.event_id(script);
        vec![Event { id, ..Event::named("message", &json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params})) }]
    }

    fn closing(&mut self, script: &Script) -> Vec<Event> {
        self.told += 1;
        let id = self.event_id(script);
        vec![Event { id, ..Event::named("message", &self.response(script)).end() }]
    }

    fn whole(&mut self, script: &Script) -> Value {
        self.response(script)
    }

    fn padding(&mut self, _: &Script) -> (String, String) {
        let before = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"debug\",\"data\":\"";
        (before.into(), "\"}}".into())
    }
}
