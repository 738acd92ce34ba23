//! An application's endpoint as the AI SDK's page uses it: a reply under way is replayed from its start.

use serde_json::{Value, json};

use super::{Asked, Heard, Protocol, Said, json_body};

/// One message of a chat.
pub(in crate::drill) struct AiSdk {
    prompt: String,
    chat: String,
}

impl AiSdk {
    pub(in crate::drill) fn new(prompt: String, seed: u64) -> Self {
        Self { prompt, chat: format!("drill-{seed:016x}") }
    }
}

impl Protocol for AiSdk {
    fn ask(&mut self) -> Asked {
        let body = json!({
            "id": self.chat, "trigger": "submit-message", "model": "lab/steady",
            "messages": [{"id": "1", "role": "user", "parts": [{"type": "text", "text": self.prompt}]}],
        });
        Asked::Http { method: "POST", path: "/ai-sdk-ui/api/chat".into(), headers: json_body(), body: body.to_string() }
    }

    fn ask_again(&mut self) -> Option<Asked> {
        let path = format!("/ai-sdk-ui/api/chat/{}/stream", self.chat);
        Some(Asked::Http { method: "GET", path, headers: Vec::new(), body: String::new() })
    }

    fn hear(&mut self, heard: Heard<'_>) -> Vec<Said> {
        let Heard::Event { data, .. } = heard else { return Vec::new() };
        if data == "[DONE]" {
            return vec![Said::Whole];
        }
        let part: Value = serde_json::from_str(data).unwrap_or_default();
        match part["type"].as_str() {
            Some("text-delta") => part["delta"].as_str().map(|text| Said::Words(text.to_owned())).into_iter().collect(),
            _ => Vec::new(),
        }
    }
}
