//! The request by a JavaScript SDK.

use serde_json::{Map, Value, json};
use weir_dialects::Transport;

use super::super::literal::{Style, headers, split, text, value};
use super::super::request::Request;
use super::{COHERE, MISTRAL, OLLAMA, Sdk};
use crate::Plan;

/// The program, or why there is none.
pub(in super::super) fn program(plan: &Plan, request: &Request) -> Result<String, String> {
    let sdk = Sdk::of(plan, request)?;
    let body = request.object().cloned().unwrap_or_default();
    let streamed = request.transport != Transport::Http;
    let key = request.key.map_or_else(|| text("none needed"), |variable| format!("process.env.{variable}"));
    let own = request.own_headers();
    let sent = if own.is_empty() { String::new() } else { format!("  defaultHeaders: {{\n{}  }},\n", headers(&own, "key", 4)) };
    let object = |body: Map<String, Value>| value(&Value::Object(body), Style::JavaScript, 0);
    let unnamed = || Err("The official SDK has no name for some of this: this is the request in plain form.".to_owned());
    let loop_over = |variable: &str, line: &str| format!("for await (const {variable} of reply) {line}\nconsole.log();\n");
    Ok(match sdk {
        Sdk::OpenAiChat { base } => {
            let read = if streamed {
                loop_over("chunk", "process.stdout.write(chunk.choices[0]?.delta?.content ?? '');")
            } else {
                "console.log(reply.choices[0].message.content);\n".into()
            };
            format!(
                "// npm install openai\nimport OpenAI from 'openai';\n\nconst client = new OpenAI({{\n  baseURL: {},\n  apiKey: {key},\n{sent}}});\nconst reply = await client.chat.completions.create({});\n{read}",
                text(&base),
                object(body)
            )
        }
        Sdk::OpenAiResponses { base } => {
            let read = if streamed {
                loop_over("event", "if (event.type === 'response.output_text.delta') process.stdout.write(event.delta);")
            } else {
                "console.log(reply.output_text);\n".into()
            };
            format!(
                "// npm install openai\nimport OpenAI from 'openai';\n\nconst client = new OpenAI({{\n  baseURL: {},\n  apiKey: {key},\n{sent}}});\nconst reply = await client.responses.create({});\n{read}",
                text(&base),
                object(body)
            )
        }
        Sdk::Mistral { base } => {
            if body.keys().any(|name| !MISTRAL.contains(&name.as_str()) && name != "stream") || !own.is_empty() {
                return unnamed();
            }
            let (known, _) = split(&body, MISTRAL);
            let (call, read) = if streamed {
                ("stream", loop_over("event", "process.stdout.write(event.data.choices[0]?.delta?.content ?? '');"))
            } else {
                ("complete", "console.log(reply.choices[0].message.content);\n".into())
            };
            format!(
                "// npm install @mistralai/mistralai\nimport {{ Mistral }} from '@mistralai/mistralai';\n\nconst client = new Mistral({{ apiKey: {key}, serverURL: {} }});\nconst reply = await client.chat.{call}({});\n{read}",
                text(&base),
                object(camel(known))
            )
        }
        Sdk::Anthropic { base } => {
            let bearer = request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
            let named = if bearer { "authToken" } else { "apiKey" };
            let read = if streamed {
                loop_over(
                    "event",
                    "if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') process.stdout.write(event.delta.text);",
                )
            } else {
                "console.log(reply.content);\n".into()
            };
            format!(
                "// npm install @anthropic-ai/sdk\nimport Anthropic from '@anthropic-ai/sdk';\n\nconst client = new Anthropic({{\n  baseURL: {},\n  {named}: {key},\n{sent}}});\nconst reply = await client.messages.create({});\n{read}",
                text(&base),
                object(body)
            )
        }
        Sdk::Gemini { base, model, contents, config } => {
            let mut call = Map::from_iter([("model".into(), json!(model)), ("contents".into(), contents)]);
            if !config.is_empty() {
                call.insert("config".into(), Value::Object(config));
            }
            let (name, read) = if streamed {
                ("generateContentStream", loop_over("chunk", "process.stdout.write(chunk.text ?? '');"))
            } else {
                ("generateContent", "console.log(reply.text);\n".into())
            };
            format!(
                "// npm install @google/genai\nimport {{ GoogleGenAI }} from '@google/genai';\n\nconst client = new GoogleGenAI({{ apiKey: {key}, httpOptions: {{ baseUrl: {} }} }});\nconst reply = await client.models.{name}({});\n{read}",
                text(&base),
                object(call)
            )
        }
        Sdk::Ollama { host } => {
            if body.keys().any(|name| !OLLAMA.contains(&name.as_str())) {
                return unnamed();
            }
            let sent = if request.key.is_some() { format!(", headers: {{ Authorization: `Bearer ${{{key}}}` }}") } else { String::new() };
            let read = if streamed {
                loop_over("part", "process.stdout.write(part.message.content ?? '');")
            } else {
                "console.log(reply.message.content);\n".into()
            };
            let mut body = body;
            if streamed {
                // The API streams unless told not to, the SDK only where told to.
                body.insert("stream".into(), json!(true));
            }
            format!(
                "// npm install ollama\nimport {{ Ollama }} from 'ollama';\n\nconst client = new Ollama({{ host: {}{sent} }});\nconst reply = await client.chat({});\n{read}",
                text(&host),
                object(body)
            )
        }
        Sdk::Cohere { base } => {
            if body.keys().any(|name| !COHERE.contains(&name.as_str()) && name != "stream") {
                return unnamed();
            }
            let (known, _) = split(&body, COHERE);
            let (call, read) = if streamed {
                (
                    "chatStream",
                    loop_over(
                        "event",
                        "if (event.type === 'content-delta') process.stdout.write(event.delta?.message?.content?.text ?? '');",
                    ),
                )
            } else {
                ("chat", "console.log(reply.message.content);\n".into())
            };
            format!(
                "// npm install cohere-ai\nimport {{ CohereClientV2 }} from 'cohere-ai';\n\nconst client = new CohereClientV2({{ token: {key}, environment: {} }});\nconst reply = await client.{call}({});\n{read}",
                text(&base),
                object(camel(known))
            )
        }
        Sdk::Bedrock { region, model } => {
            let mut call = Map::from_iter([("modelId".into(), json!(model))]);
            call.extend(body);
            let literal = object(call);
            if literal.contains("bytes: \"") {
                return Err("The AWS SDK wants bytes where the body has base64: this is the request in plain form.".into());
            }
            let (name, read) = if streamed {
                (
                    "ConverseStreamCommand",
                    "for await (const event of reply.stream) process.stdout.write(event.contentBlockDelta?.delta?.text ?? '');\nconsole.log();\n",
                )
            } else {
                ("ConverseCommand", "console.log(reply.output.message.content);\n")
            };
            format!(
                "// npm install @aws-sdk/client-bedrock-runtime\n// The key is taken from AWS_BEARER_TOKEN_BEDROCK, or from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.\nimport {{ BedrockRuntimeClient, {name} }} from '@aws-sdk/client-bedrock-runtime';\n\nconst client = new BedrockRuntimeClient({{ region: {} }});\nconst reply = await client.send(new {name}({literal}));\n{read}",
                text(&region)
            )
        }
        Sdk::DashScope { .. } => return Err("DashScope has no official SDK for JavaScript: this is the request in plain form.".into()),
    })
}

/// Names as these SDKs have them: in camel case, but for what is the user's own (schemas, arguments, metadata).
fn camel(body: Map<String, Value>) -> Map<String, Value> {
    let own = ["parameters", "schema", "json_schema", "arguments", "metadata", "documents"];
    body.into_iter()
        .map(|(name, value)| {
            let value = if own.contains(&name.as_str()) && !(name == "json_schema" && value.get("schema").is_some()) {
                value
            } else {
                inner(value)
            };
            let mut words = name.split('_');
            let first = words.next().unwrap_or_default().to_owned();
            let rest = words.map(|word| {
                let mut letters = word.chars();
                letters.next().map_or(String::new(), |letter| letter.to_uppercase().chain(letters).collect())
            });
            // Mistral calls the schema inside json_schema by another name, since `schema` is taken in its models.
            let name = if name == "schema" { "schemaDefinition".to_owned() } else { first + &rest.collect::<String>() };
            (name, value)
        })
        .collect()
}

fn inner(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(camel(map)),
        Value::Array(list) => list.into_iter().map(inner).collect(),
        other => other,
    }
}
