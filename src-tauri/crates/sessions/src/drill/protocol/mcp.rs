//! MCP over Streamable HTTP, revision 2025-11-25: events have ids, and a GET goes on with a stream that a POST began.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Asked, Heard, Protocol, Said};

/// One call of a tool, whose progress is the reply.
pub(in crate::drill) struct Mcp {
    prompt: String,
    last_id: String,
}

impl Mcp {
    pub(in crate::drill) fn new(prompt: String) -> Self {
        Self { prompt, last_id: String::new() }
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        vec![("mcp-protocol-version", "2025-11-25".into()), ("mcp-session-id", "lab-session".into())]
    }
}

impl Protocol for Mcp {
    fn ask(&mut self) -> Asked {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": "ask", "arguments": {"prompt": self.prompt, "model": "lab/steady"}, "_meta": {"progressToken": "drill"},
        }});
        let mut headers = self.headers();
        headers.extend([("content-type", "application/json".to_owned()), ("accept", "application/json, text/event-stream".to_owned())]);
        Asked::Http { method: "POST", path: "/mcp".into(), headers, body: body.to_string() }
    }

    /// Nothing, where no id has come: a call that is made again may do again what it did.
    fn ask_again(&mut self) -> Option<Asked> {
        if self.last_id.is_empty() {
            return None;
        }
        let mut headers = self.headers();
        headers.extend([("accept", "text/event-stream".to_owned()), ("last-event-id", self.last_id.clone())]);
        Some(Asked::Http { method: "GET", path: "/mcp".into(), headers, body: String::new() })
    }

    fn hear(&mut self, heard: Heard<'_>) -> Vec<Said> {
        let (data, id) = match heard {
            Heard::Event { data, id } => (data, id),
            Heard::Silent { id } => ("", id),
            Heard::Message(_) | Heard::Body(_) => return Vec::new(),
        };
        id.clone_into(&mut self.last_id);
        let message: Value = serde_json::from_str(data).unwrap_or_default();
        if message["method"] == "notifications/progress" {
            return message["params"]["message"].as_str().map(|text| Said::Words(text.to_owned())).into_iter().collect();
        }
        if message["id"] == 1 { vec![Said::Whole] } else { Vec::new() }
    }

    /// What the official SDK waits at first.
    fn pause(&self) -> Duration {
        Duration::from_secs(1)
    }
}
