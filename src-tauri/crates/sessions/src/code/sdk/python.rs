//! The request by a Python SDK.

use serde_json::{Map, Value, json};
use weir_dialects::Transport;

use super::super::literal::{Style, headers, split, text, value};
use super::super::request::Request;
use super::{CHAT, COHERE, MESSAGES, MISTRAL, OLLAMA, RESPONSES, Sdk};
use crate::Plan;

/// The program, or why there is none.
pub(in super::super) fn program(plan: &Plan, request: &Request) -> Result<String, String> {
    let sdk = Sdk::of(plan, request)?;
    let body = request.object().cloned().unwrap_or_default();
    let streamed = request.transport != Transport::Http;
    let key = request.key.map_or_else(|| text("none needed"), |variable| format!("os.environ[{}]", text(variable)));
    let own = request.own_headers();
    let sent = if own.is_empty() { String::new() } else { format!("    default_headers={{\n{}    }},\n", headers(&own, "key", 8)) };
    let os = if request.key.is_some() { "import os\n\n" } else { "" };
    Ok(match sdk {
        Sdk::OpenAiChat { base } => {
            let read = if streamed {
                "for chunk in reply:\n    if chunk.choices and chunk.choices[0].delta.content:\n        print(chunk.choices[0].delta.content, end=\"\", flush=True)\nprint()\n"
            } else {
                "print(reply.choices[0].message.content)\n"
            };
            format!(
                "# pip install openai\n{os}from openai import OpenAI\n\nclient = OpenAI(\n    base_url={},\n    api_key={key},\n{sent})\nreply = client.chat.completions.create(\n{})\n{read}",
                text(&base),
                arguments(&body, CHAT, "extra_body")
            )
        }
        Sdk::OpenAiResponses { base } => {
            let read = if streamed {
                "for event in reply:\n    if event.type == \"response.output_text.delta\":\n        print(event.delta, end=\"\", flush=True)\nprint()\n"
            } else {
                "print(reply.output_text)\n"
            };
            format!(
                "# pip install openai\n{os}from openai import OpenAI\n\nclient = OpenAI(\n    base_url={},\n    api_key={key},\n{sent})\nreply = client.responses.create(\n{})\n{read}",
                text(&base),
                arguments(&body, RESPONSES, "extra_body")
            )
        }
        Sdk::Mistral { base } => {
            if body.keys().any(|name| !MISTRAL.contains(&name.as_str()) && name != "stream") || !own.is_empty() {
                return Err("The official SDK has no name for some of this: this is the request in plain form.".into());
            }
            let (known, _) = split(&body, MISTRAL);
            let (call, read) = if streamed {
                (
                    "stream",
                    "for event in reply:\n    for choice in event.data.choices:\n        if isinstance(choice.delta.content, str):\n            print(choice.delta.content, end=\"\", flush=True)\nprint()\n",
                )
            } else {
                ("complete", "print(reply.choices[0].message.content)\n")
            };
            format!(
                "# pip install mistralai\n{os}from mistralai.client import Mistral\n\nclient = Mistral(api_key={key}, server_url={})\nreply = client.chat.{call}(\n{})\n{read}",
                text(&base),
                arguments(&known, MISTRAL, "")
            )
        }
        Sdk::Anthropic { base } => {
            let bearer = request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
            let named = if bearer { "auth_token" } else { "api_key" };
            let read = if streamed {
                "for event in reply:\n    if event.type == \"content_block_delta\" and event.delta.type == \"text_delta\":\n        print(event.delta.text, end=\"\", flush=True)\nprint()\n"
            } else {
                "print(\"\".join(block.text for block in reply.content if block.type == \"text\"))\n"
            };
            format!(
                "# pip install anthropic\n{os}from anthropic import Anthropic\n\nclient = Anthropic(\n    base_url={},\n    {named}={key},\n{sent})\nreply = client.messages.create(\n{})\n{read}",
                text(&base),
                arguments(&body, MESSAGES, "extra_body")
            )
        }
        Sdk::Gemini { base, model, contents, config } => {
            let mut call = Map::from_iter([("model".into(), json!(model)), ("contents".into(), contents)]);
            if !config.is_empty() {
                call.insert("config".into(), Value::Object(config));
            }
            let (name, read) = if streamed {
                ("generate_content_stream", "for chunk in reply:\n    print(chunk.text or \"\", end=\"\", flush=True)\nprint()\n")
            } else {
                ("generate_content", "print(reply.text)\n")
            };
            format!(
                "# pip install google-genai\n{os}from google import genai\n\nclient = genai.Client(api_key={key}, http_options={{\"base_url\": {}}})\nreply = client.models.{name}(\n{})\n{read}",
                text(&base),
                arguments(&call, &["model", "contents", "config"], "")
            )
        }
        Sdk::Ollama { host } => {
            if body.keys().any(|name| !OLLAMA.contains(&name.as_str())) {
                return Err("The official SDK has no name for some of this: this is the request in plain form.".into());
            }
            let sent = if request.key.is_some() { format!(", headers={{\"Authorization\": \"Bearer \" + {key}}}") } else { String::new() };
            let read = if streamed {
                "for part in reply:\n    print(part.message.content or \"\", end=\"\", flush=True)\nprint()\n"
            } else {
                "print(reply.message.content)\n"
            };
            let mut body = body;
            if streamed {
                // The API streams unless told not to, the SDK only where told to.
                body.insert("stream".into(), json!(true));
            }
            format!(
                "# pip install ollama\n{os}from ollama import Client\n\nclient = Client(host={}{sent})\nreply = client.chat(\n{})\n{read}",
                text(&host),
                arguments(&body, OLLAMA, "")
            )
        }
        Sdk::Cohere { base } => {
            let (mut known, other) = split(&body, COHERE);
            let other: Map<String, Value> = other.into_iter().filter(|(name, _)| name != "stream").collect();
            if !other.is_empty() {
                known.insert("request_options".into(), json!({"additional_body_parameters": other}));
            }
            let names: Vec<&str> = COHERE.iter().copied().chain(["request_options"]).collect();
            let (call, read) = if streamed {
                (
                    "chat_stream",
                    "for event in reply:\n    if event.type == \"content-delta\":\n        print(event.delta.message.content.text or \"\", end=\"\", flush=True)\nprint()\n",
                )
            } else {
                ("chat", "print(\"\".join(part.text for part in reply.message.content or [] if part.type == \"text\"))\n")
            };
            format!(
                "# pip install cohere\n{os}from cohere import ClientV2\n\nclient = ClientV2(api_key={key}, base_url={})\nreply = client.{call}(\n{})\n{read}",
                text(&base),
                arguments(&known, &names, "")
            )
        }
        Sdk::Bedrock { region, model } => {
            let mut call = Map::from_iter([("modelId".into(), json!(model))]);
            call.extend(body);
            let names: Vec<String> = call.keys().cloned().collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let literal = arguments(&call, &names, "");
            let decoded = literal.contains("\"bytes\": \"");
            let literal = if decoded { bytes(&literal) } else { literal };
            let import = if decoded { "import base64\n\n" } else { "" };
            let (name, read) = if streamed {
                (
                    "converse_stream",
                    "for event in reply[\"stream\"]:\n    if \"contentBlockDelta\" in event:\n        print(event[\"contentBlockDelta\"][\"delta\"].get(\"text\", \"\"), end=\"\", flush=True)\nprint()\n",
                )
            } else {
                ("converse", "print(reply[\"output\"][\"message\"][\"content\"])\n")
            };
            format!(
                "# pip install boto3\n# The key is taken from AWS_BEARER_TOKEN_BEDROCK, or from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.\n{import}import boto3\n\nclient = boto3.client(\"bedrock-runtime\", region_name={})\nreply = client.{name}(\n{literal})\n{read}",
                text(&region)
            )
        }
        Sdk::DashScope { base, multimodal, arguments: call } => {
            let names: Vec<String> = call.keys().cloned().collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let class = if multimodal { "MultiModalConversation" } else { "Generation" };
            let read = if streamed {
                "for part in reply:\n    if part.status_code != 200:\n        raise SystemExit(f\"{part.code}: {part.message}\")\n    print(part.output.choices[0].message.content)\n"
            } else {
                "print(reply)\n"
            };
            format!(
                "# pip install dashscope\n{os}import dashscope\n\ndashscope.base_http_api_url = {}\nreply = dashscope.{class}.call(\n    api_key={key},\n{})\n{read}",
                text(&base),
                arguments(&call, &names, "")
            )
        }
    })
}

/// Keyword arguments, one a line; members that the call does not name go together under `rest`.
fn arguments(body: &Map<String, Value>, known: &[&str], rest: &str) -> String {
    let identifier =
        |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !name.starts_with(|c: char| c.is_ascii_digit());
    let (mut named, other) = split(body, known);
    named.retain(|name, _| identifier(name));
    if !other.is_empty() && !rest.is_empty() {
        named.insert(rest.into(), Value::Object(other));
    }
    named.iter().map(|(name, member)| format!("    {name}={},\n", value(member, Style::Python, 4))).collect()
}

/// Pictures and files are bytes in boto3, where the API has base64.
fn bytes(literal: &str) -> String {
    let mut out = String::new();
    let mut rest = literal;
    while let Some((before, after)) = rest.split_once("\"bytes\": \"") {
        let (data, tail) = after.split_once('"').unwrap_or((after, ""));
        out.push_str(&format!("{before}\"bytes\": base64.b64decode(\"{data}\")"));
        rest = tail;
    }
    out.push_str(rest);
    out
}
