//! Claude on Vertex AI: Anthropic's messages with the model in the path and the version in the body. Gemini on Vertex AI is
//! [`super::gemini::Gemini`] at longer paths.

use ::http::HeaderValue;
use serde_json::Value;

use super::anthropic_messages::AnthropicMessages;
use super::gemini;
use super::{Dialect, Render, Request};
use crate::ask::{self, Ask};
use crate::connections::Transport;
use crate::rejection::Rejection;
use crate::script::Script;

pub(crate) struct VertexClaude;

impl Dialect for VertexClaude {
    fn read(&self, request: &Request<'_>) -> Result<(Ask, Box<dyn Render>), Rejection> {
        let mut body = ask::object(request.body)?;
        let version = body["anthropic_version"].as_str().unwrap_or_default().to_string();
        if !version.starts_with("vertex-") && !version.starts_with("20") {
            return Err(Rejection::invalid(Some("anthropic_version"), "anthropic_version: Field required"));
        }
        if body.get("model").is_some() {
            return Err(Rejection::invalid(Some("model"), "model: Extra inputs are not permitted"));
        }
        // As the Anthropic API would be asked.
        body["model"] = request.name("model").into();
        body["stream"] = request.path.ends_with(":streamRawPredict").into();
        if let Value::Object(fields) = &mut body {
            fields.shift_remove("anthropic_version");
        }
        let mut headers = request.headers.clone();
        headers.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
        AnthropicMessages.read(&Request { body: body.to_string().as_bytes(), headers: &headers, ..*request })
    }

    fn streams_as(&self, request: &Request<'_>) -> Transport {
        AnthropicMessages.streams_as(request)
    }

    fn head(&self, _: &Script) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn refuse(&self, rejection: &Rejection) -> Value {
        gemini::refusal(rejection)
    }
}
