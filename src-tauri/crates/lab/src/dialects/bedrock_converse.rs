//! Amazon Bedrock's Converse, and ConverseStream in `application/vnd.amazon.eventstream`. A request that is signed must be signed
//! right; one that is not is taken as it is.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::{Dialect, Event, Render, Request};
use crate::ask::{self, Ask, Tool, ToolChoice};
use crate::connections::Transport;
use crate::models::{self, Model};
use crate::rejection::{Reason, Rejection};
use crate::script::{Finish, Script, Step, count_all};
use crate::sigv4;

pub(crate) struct BedrockConverse;

impl Dialect for BedrockConverse {
    fn read(&self, request: &Request<'_>) -> Result<(Ask, Box<dyn Render>), Rejection> {
        sigv4::check(request, SystemTime::now())?;
        let body = ask::object(request.body)?;
        let model_name = request.name("model").to_string();
        let model = models::find(&model_name).ok_or_else(|| Rejection { status: 400, ..Rejection::no_model(&model_name) })?;
        let messages = body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        if messages.first().is_none_or(|first| first["role"] != "user") {
            return Err(Rejection::invalid(
                Some("messages"),
                "A conversation must start with a user message. Try again with a conversation that starts with a user message.",
            ));
        }
        if messages.windows(2).any(|pair| pair[0]["role"] == pair[1]["role"]) {
            return Err(Rejection::invalid(
                Some("messages"),
                "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again.",
            ));
        }
        let mut texts: Vec<String> = body["system"].as_array().into_iter().flatten().map(text).collect();
        let (mut prompt, mut tool_result) = (String::new(), None);
        for message in messages {
            let Some(blocks) = message["content"].as_array().filter(|blocks| !blocks.is_empty()) else {
                return Err(Rejection::invalid(
                    Some("content"),
                    "The content field in the Message object is empty. Add a ContentBlock object to the content field and try again.",
                ));
            };
            tool_result = None;
            for block in blocks {
                let said = text(block);
                if message["role"] == "user" && !said.is_empty() {
                    prompt.clone_from(&said);
                }
                if let Some(parts) = block["toolResult"]["content"].as_array() {
                    let result = parts.iter().map(|part| if part["json"].is_null() { text(part) } else { part["json"].to_string() });
                    let result = result.collect::<Vec<_>>().join("\n");
                    texts.push(result.clone());
                    tool_result = Some(result);
                }
                texts.push(said);
            }
        }
        let config = &body["toolConfig"];
        let choice = &config["toolChoice"];
        let ask = Ask {
            model,
            model_name,
            prompt,
            prompt_tokens: count_all(texts.iter().map(String::as_str)),
            tools: tools(config)?,
            choice: match choice["tool"]["name"].as_str() {
                Some(name) => ToolChoice::Named(name.into()),
                None if choice["any"].is_object() => ToolChoice::Required,
                None => ToolChoice::Auto,
            },
            parallel: true,
            tool_result,
            limit: ask::limit(&body["inferenceConfig"], "maxTokens")?,
            seed: None,
            stream: request.path.ends_with("/converse-stream"),
            previous: None,
            form: ask::form(&body),
        };
        Ok((ask, Box::new(Records { block: 0, open: None })))
    }

    fn streams_as(&self, _: &Request<'_>) -> Transport {
        Transport::Eventstream
    }

    fn head(&self, script: &Script) -> Vec<(&'static str, String)> {
        vec![("x-amzn-requestid", request_id(&script.id()))]
    }

    fn refuse(&self, rejection: &Rejection) -> Value {
        let message = match (rejection.reason, rejection.code) {
            (Reason::WrongKey, Some("invalid_api_key")) => "Authentication failed: Please make sure your API Key is valid.".to_string(),
            (Reason::TooLong { .. }, _) => "The model returned the following errors: Input is too long for requested model.".to_string(),
            (Reason::NoModel, _) => format!("The provided model identifier is invalid. {}", rejection.message),
            _ => rejection.message.clone(),
        };
        json!({ "message": message })
    }

    fn refusal_head(&self, rejection: &Rejection) -> Vec<(&'static str, String)> {
        let kind = match (rejection.reason, rejection.code) {
            (Reason::WrongKey, Some("invalid_api_key")) => "AccessDeniedException",
            (Reason::WrongKey, code) => code.filter(|code| code.ends_with("Exception")).unwrap_or("AccessDeniedException"),
            (Reason::NoPath | Reason::Method, _) => "UnknownOperationException",
            (Reason::RateLimit | Reason::Quota, _) => "ThrottlingException",
            (Reason::Server, _) => "InternalServerException",
            (Reason::Overloaded, _) => "ServiceUnavailableException",
            _ => "ValidationException",
        };
        vec![("x-amzn-errortype", kind.into()), ("x-amzn-requestid", request_id("0000000000000000"))]
    }

    /// As the control plane's ListFoundationModels has it.
    fn models(&self, models: &[Model]) -> Value {
        json!({"modelSummaries": models.iter().map(|model| self.model(model)).collect::<Vec<_>>()})
    }

    fn model(&self, model: &Model) -> Value {
        json!({
            "modelId": model.id, "modelArn": format!("arn:aws:bedrock:us-east-1::foundation-model/{}", model.id), "modelName": model.id,
            "providerName": "Weir Lab", "inputModalities": ["TEXT", "IMAGE"], "outputModalities": ["TEXT"], "responseStreamingSupported": true,
            "inferenceTypesSupported": ["ON_DEMAND"], "modelLifecycle": {"status": "ACTIVE"},
        })
    }
}

/// A UUID, as AWS's request ids are.
fn request_id(id: &str) -> String {
    format!("{}-{}-4ab0-8000-{}", &id[..8], &id[8..12], &id[4..16])
}

fn text(block: &Value) -> String {
    block["text"].as_str().unwrap_or_default().to_string()
}

fn tools(config: &Value) -> Result<Vec<Tool>, Rejection> {
    let specs = config["tools"].as_array().into_iter().flatten().map(|tool| &tool["toolSpec"]).filter(|spec| spec.is_object());
    let tool = |spec: &Value| {
        let name = spec["name"].as_str().filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| {
            Rejection::invalid(
                Some("toolConfig"),
                "1 validation error detected: Value at 'toolConfig.tools.1.member.toolSpec.name' failed to satisfy constraint",
            )
        })?;
        Ok(Tool { name: name.into(), parameters: spec["inputSchema"]["json"].clone() })
    };
    specs.map(tool).collect()
}

/// What is being said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Reasoning,
    Text,
    Call(usize),
}

/// Renders a script as events; each block but a tool's begins with its first delta.
struct Records {
    block: usize,
    open: Option<Part>,
}

/// Bedrock pads its payloads, so that their length gives nothing away.
const PADDING: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Stands for the seal on a model's reasoning.
const SEAL: &str = "bGFiLXNlYWw=";

impl Records {
    fn event(&self, script: &Script, name: &'static str, mut value: Value) -> Event {
        let length = value.to_string().len() + script.id().len();
        value["p"] = PADDING[..length * 7 % PADDING.len()].into();
        Event::named(name, &value)
    }

    fn delta(&self, script: &Script, delta: Value) -> Event {
        self.event(script, "contentBlockDelta", json!({"contentBlockIndex": self.block, "delta": delta}))
    }

    /// Ends what is being said and begins `part`, unless that is being said.
    fn turn_to(&mut self, script: &Script, part: Option<Part>) -> Vec<Event> {
        if self.open == part {
            return Vec::new();
        }
        let mut events = Vec::new();
        if let Some(open) = self.open {
            if open == Part::Reasoning {
                events.push(self.delta(script, json!({"reasoningContent": {"signature": SEAL}})));
            }
            events.push(self.event(script, "contentBlockStop", json!({"contentBlockIndex": self.block})));
            self.block += 1;
        }
        if let Some(Part::Call(index)) = part {
            let call = &script.tool_calls()[index];
            let start = json!({"toolUse": {"toolUseId": call.id, "name": call.name}});
            events.push(self.event(script, "contentBlockStart", json!({"contentBlockIndex": self.block, "start": start})));
        }
        self.open = part;
        events
    }

    fn say(&mut self, script: &Script, part: Part, delta: Value) -> Vec<Event> {
        let mut events = self.turn_to(script, Some(part));
        events.push(self.delta(script, delta));
        events
    }
}

impl Render for Records {
    fn opening(&mut self, script: &Script) -> Vec<Event> {
        vec![self.event(script, "messageStart", json!({"role": "assistant"}))]
    }

    fn step(&mut self, script: &Script, step: Step<'_>) -> Vec<Event> {
        match step {
            Step::Reasoning(text) => self.say(script, Part::Reasoning, json!({"reasoningContent": {"text": text}})),
            Step::Text(text) | Step::Refusal(text) => self.say(script, Part::Text, json!({ "text": text })),
            Step::Call(index) => self.turn_to(script, Some(Part::Call(index))),
            Step::Arguments(index, text) => self.say(script, Part::Call(index), json!({"toolUse": {"input": text}})),
            Step::Fail => {
                let failure = script.failure();
                let name = if failure.reason == Reason::Quota { "throttlingException" } else { "modelStreamErrorException" };
                vec![Event { exception: true, ..Event::named(name, &json!({"message": failure.message})) }]
            }
        }
    }

    /// The numbers follow the end.
    fn closing(&mut self, script: &Script) -> Vec<Event> {
        let mut events = self.turn_to(script, None);
        events.push(self.event(script, "messageStop", json!({"stopReason": stop_reason(script)})).end());
        events.push(self.event(script, "metadata", json!({"metrics": metrics(script), "usage": usage(script)})));
        events
    }

    fn whole(&mut self, script: &Script) -> Value {
        let mut content = Vec::new();
        if !script.reasoning().is_empty() {
            content.push(json!({"reasoningContent": {"reasoningText": {"text": script.reasoning(), "signature": SEAL}}}));
        }
        for text in [script.text(), script.refusal()].into_iter().filter(|text| !text.is_empty()) {
            content.push(json!({ "text": text }));
        }
        content.extend(script.tool_calls().iter().map(|call| {
            let input: Value = serde_json::from_str(call.arguments.text()).unwrap_or_else(|_| json!({}));
            json!({"toolUse": {"toolUseId": call.id, "name": call.name, "input": input}})
        }));
        json!({
            "metrics": metrics(script),
            "output": {"message": {"content": content, "role": "assistant"}},
            "stopReason": stop_reason(script),
            "usage": usage(script),
        })
    }

    fn padding(&mut self, _: &Script) -> (String, String) {
        ("{\"p\":\"".into(), "\"}".into())
    }
}

fn stop_reason(script: &Script) -> &'static str {
    match script.finish() {
        Finish::Stop | Finish::Error => "end_turn",
        Finish::Length => "max_tokens",
        Finish::ToolCalls => "tool_use",
        Finish::ContentFilter => "content_filtered",
    }
}

fn metrics(script: &Script) -> Value {
    json!({"latencyMs": 10 + 5 * script.usage().completion})
}

fn usage(script: &Script) -> Value {
    let usage = script.usage();
    json!({
        "inputTokens": usage.prompt, "outputTokens": usage.completion, "totalTokens": usage.total(),
        "cacheReadInputTokens": 0, "cacheWriteInputTokens": 0,
    })
}
