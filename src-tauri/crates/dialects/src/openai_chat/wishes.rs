//! Where servers want a parameter under another name, known by host, since these are all hosted services.

use serde_json::{Map, Value, json};
use url::Url;

use crate::endpoint::on;

/// What the server at a URL wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wishes {
    /// The name of the token limit. OpenAI's newer models refuse `max_tokens`; most others know nothing else.
    pub(super) max_tokens: &'static str,
    /// The name of the seed.
    pub(super) seed: &'static str,
    /// Takes `stream_options`; Mistral does not, and reports usage anyway.
    pub(super) stream_options: bool,
    /// How reasoning is switched on and off, beside `reasoning_effort`.
    pub(super) thinking: Thinking,
    /// The member in which an assistant's turn with tool calls brings its reasoning back, for those that want it.
    pub(super) echo: Option<&'static str>,
}

/// The switch of reasoning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thinking {
    /// `reasoning_effort` alone.
    Effort,
    /// `thinking: {type}`, of `enabled`, `disabled` or `auto`.
    Type,
    /// `enable_thinking`, and `thinking_budget` for a number of tokens.
    Flag,
    /// `reasoning: {effort}`, or `{max_tokens}` for a number.
    Object,
}

/// Hosts that think by `thinking: {type}`: DeepSeek, Zhipu and Z.ai, Moonshot, Volcengine Ark.
const TYPED: [&str; 6] = ["deepseek.com", "bigmodel.cn", "z.ai", "moonshot.ai", "moonshot.cn", "volces.com"];

impl Wishes {
    /// What is wanted where nothing is known.
    const PLAIN: Wishes = Wishes { max_tokens: "max_tokens", seed: "seed", stream_options: true, thinking: Thinking::Effort, echo: None };

    /// What the server at `url` wants.
    pub(super) fn of(url: &Url) -> Self {
        let at = |hosts: &[&str]| hosts.iter().any(|host| on(url, host));
        if at(&["api.openai.com", "openai.azure.com", "services.ai.azure.com", "cognitiveservices.azure.com"]) {
            return Wishes { max_tokens: "max_completion_tokens", ..Self::PLAIN };
        }
        if at(&["mistral.ai"]) {
            return Wishes { seed: "random_seed", stream_options: false, ..Self::PLAIN };
        }
        if at(&["openrouter.ai"]) {
            return Wishes { thinking: Thinking::Object, echo: Some("reasoning"), ..Self::PLAIN };
        }
        if at(&["aliyuncs.com", "siliconflow.cn", "siliconflow.com"]) {
            return Wishes { thinking: Thinking::Flag, ..Self::PLAIN };
        }
        if at(&TYPED) {
            return Wishes { thinking: Thinking::Type, echo: Some("reasoning_content"), ..Self::PLAIN };
        }
        Self::PLAIN
    }

    /// What is wanted at a URL given as text; where it is none, what is wanted anywhere.
    pub(super) fn at(url: &str) -> Self {
        Url::parse(url).as_ref().map_or(Self::PLAIN, Self::of)
    }
}

impl Thinking {
    /// Puts the user's wish into the body.
    pub(super) fn put(self, wish: &str, body: &mut Map<String, Value>) {
        let tokens = || wish.parse::<u64>().ok().filter(|n| n.to_string() == wish);
        let switch = match (self, wish) {
            (Thinking::Type, "enabled" | "disabled" | "auto") => Some(("thinking", json!({"type": wish}))),
            (Thinking::Flag, "enabled" | "disabled") => Some(("enable_thinking", json!(wish == "enabled"))),
            (Thinking::Flag, _) => tokens().map(|n| {
                body.insert("enable_thinking".to_owned(), json!(true));
                ("thinking_budget", json!(n))
            }),
            (Thinking::Object, _) => Some(("reasoning", tokens().map_or_else(|| json!({"effort": wish}), |n| json!({"max_tokens": n})))),
            _ => None,
        };
        let (name, value) = switch.unwrap_or(("reasoning_effort", json!(wish)));
        body.insert(name.to_owned(), value);
    }

    /// The wish that a body tells, as [`Thinking::put`] would take it.
    pub(super) fn read(self, body: &Map<String, Value>) -> Option<String> {
        let effort = || body.get("reasoning_effort")?.as_str().map(str::to_owned);
        match self {
            Thinking::Effort => effort(),
            Thinking::Type => {
                let kind = body.get("thinking").and_then(|thinking| thinking["type"].as_str());
                kind.filter(|kind| matches!(*kind, "enabled" | "disabled" | "auto")).map(str::to_owned).or_else(effort)
            }
            Thinking::Flag => {
                let budget = body.get("thinking_budget").and_then(Value::as_u64);
                match (body.get("enable_thinking").and_then(Value::as_bool), budget) {
                    (Some(true), Some(budget)) => Some(budget.to_string()),
                    (Some(true), None) => Some("enabled".to_owned()),
                    (Some(false), _) => Some("disabled".to_owned()),
                    (None, _) => effort(),
                }
            }
            Thinking::Object => {
                let reasoning = body.get("reasoning")?;
                reasoning["effort"].as_str().map(str::to_owned).or_else(|| reasoning["max_tokens"].as_u64().map(|n| n.to_string()))
            }
        }
    }
}
