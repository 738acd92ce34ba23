//! Responses: in the background over SSE, where a reply goes on without its client, and over WebSocket, where it does not.

use serde_json::{Value, json};

use super::{Asked, Heard, Protocol, Said, json_body};

/// What an event of the API says.
fn said(event: &Value) -> Option<Said> {
    match event["type"].as_str()? {
        "response.output_text.delta" => Some(Said::Words(event["delta"].as_str()?.to_owned())),
        "response.completed" | "response.incomplete" | "response.failed" => Some(Said::Whole),
        _ => None,
    }
}

/// A response made in the background.
pub(in crate::drill) struct Responses {
    prompt: String,
    id: Option<String>,
    /// The last sequence number that came.
    sequence: Option<u64>,
}

impl Responses {
    pub(in crate::drill) fn new(prompt: String) -> Self {
        Self { prompt, id: None, sequence: None }
    }
}

impl Protocol for Responses {
    fn ask(&mut self) -> Asked {
        let body = json!({"model": "lab/steady", "stream": true, "background": true, "store": true, "input": self.prompt});
        Asked::Http { method: "POST", path: "/v1/responses".into(), headers: json_body(), body: body.to_string() }
    }

    /// Nothing, where the response's id has not come: then nobody knows what was begun.
    fn ask_again(&mut self) -> Option<Asked> {
        let id = self.id.as_ref()?;
        let after = self.sequence.map(|n| format!("&starting_after={n}")).unwrap_or_default();
        Some(Asked::Http {
            method: "GET",
            path: format!("/v1/responses/{id}?stream=true{after}"),
            headers: Vec::new(),
            body: String::new(),
        })
    }

    fn hear(&mut self, heard: Heard<'_>) -> Vec<Said> {
        let Heard::Event { data, .. } = heard else { return Vec::new() };
        let event: Value = serde_json::from_str(data).unwrap_or_default();
        if let Some(id) = event["response"]["id"].as_str() {
            self.id = Some(id.to_owned());
        }
        self.sequence = event["sequence_number"].as_u64().or(self.sequence);
        said(&event).into_iter().collect()
    }
}

/// A response on a WebSocket.
pub(in crate::drill) struct ResponsesSocket {
    prompt: String,
}

impl ResponsesSocket {
    pub(in crate::drill) fn new(prompt: String) -> Self {
        Self { prompt }
    }
}

impl Protocol for ResponsesSocket {
    fn ask(&mut self) -> Asked {
        let create = json!({"type": "response.create", "model": "lab/steady", "input": self.prompt});
        Asked::Socket { path: "/openai/v1/responses".into(), messages: vec![create.to_string()] }
    }

    fn ask_again(&mut self) -> Option<Asked> {
        None
    }

    fn hear(&mut self, heard: Heard<'_>) -> Vec<Said> {
        let Heard::Message(message) = heard else { return Vec::new() };
        let event: Value = serde_json::from_str(message).unwrap_or_default();
        said(&event).into_iter().collect()
    }
}
