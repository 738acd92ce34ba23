//! Chat Completions, streamed or whole: there is no way back to a reply.

use serde_json::{Value, json};

use super::{Asked, Heard, Protocol, Said, json_body};

/// One question.
pub(in crate::drill) struct Chat {
    prompt: String,
    stream: bool,
}

impl Chat {
    pub(in crate::drill) fn new(prompt: String, stream: bool) -> Self {
        Self { prompt, stream }
    }
}

impl Protocol for Chat {
    fn ask(&mut self) -> Asked {
        let body = json!({"model": "lab/steady", "stream": self.stream, "messages": [{"role": "user", "content": self.prompt}]});
        // Apart from each other, so that a deploy takes each lane's own service.
        let path = if self.stream { "/v1/chat/completions" } else { "/openai/v1/chat/completions" };
        Asked::Http { method: "POST", path: path.into(), headers: json_body(), body: body.to_string() }
    }

    fn ask_again(&mut self) -> Option<Asked> {
        None
    }

    fn hear(&mut self, heard: Heard<'_>) -> Vec<Said> {
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(|text| Said::Words(text.to_owned()));
        match heard {
            Heard::Event { data: "[DONE]", .. } => vec![Said::Whole],
            Heard::Event { data, .. } => {
                let chunk: Value = serde_json::from_str(data).unwrap_or_default();
                text(&chunk["choices"][0]["delta"]["content"]).into_iter().collect()
            }
            Heard::Body(body) => {
                let reply: Value = serde_json::from_str(body).unwrap_or_default();
                text(&reply["choices"][0]["message"]["content"]).into_iter().chain(reply.is_object().then_some(Said::Whole)).collect()
            }
            Heard::Silent { .. } | Heard::Message(_) => Vec::new(),
        }
    }
}
