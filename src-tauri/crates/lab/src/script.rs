//! What the Lab means to say. A script is made once from a request; dialects only render it. It is public so that tests can hold
//! what a client decoded against what was meant.

use serde_json::Value;

use crate::ask::{Ask, Tool, ToolChoice};
use crate::connections::Transport;
use crate::models::Behaviour;
use crate::pieces::Pieces;
use crate::rejection::Rejection;
use crate::reply::{self, Wish};
use crate::rng::{Rng, hash};
use crate::settings::Settings;
use crate::{pieces, schema};

/// A reply before it is rendered: reasoning, text or refusal, tool calls, usage, and how it ends. The same request, settings and
/// seed make the same script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    id: u64,
    model: String,
    reasoning: Pieces,
    text: Pieces,
    refused: bool,
    tool_calls: Vec<ToolCall>,
    finish: Finish,
    prompt_tokens: usize,
    /// Tokens said before the error, if the reply is to break.
    fails_after: Option<usize>,
    /// The error is that the quota is used up.
    quota: bool,
}

/// One call of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// Id the tool's result must name.
    pub id: String,
    /// The function.
    pub name: String,
    /// JSON that fits the tool's schema, in the fragments it is streamed in.
    pub arguments: Pieces,
}

/// How a reply ends, in no dialect's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// All was said.
    Stop,
    /// The client's token limit was reached.
    Length,
    /// The tools are to be called.
    ToolCalls,
    /// A filter cut it short.
    ContentFilter,
    /// An error frame in the middle.
    Error,
}

/// Token counts. Completion includes reasoning, as OpenAI counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Of all text sent.
    pub prompt: usize,
    /// Of all that is said: reasoning, text or refusal, and arguments.
    pub completion: usize,
    /// Of the reasoning alone.
    pub reasoning: usize,
}

impl Usage {
    /// Prompt and completion.
    pub fn total(&self) -> usize {
        self.prompt + self.completion
    }
}

/// One thing said, as many tokens as the pace puts in an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    Reasoning(&'a str),
    Text(&'a str),
    Refusal(&'a str),
    /// The call with this index begins; no token.
    Call(usize),
    Arguments(usize, &'a str),
    /// The error; nothing follows.
    Fail,
}

impl Script {
    pub(crate) fn compose(ask: &Ask, transport: Transport, settings: &Settings, split_clusters: bool) -> Script {
        let seed = ask.seed.unwrap_or(settings.pace.seed);
        let tokens = settings.pace.reply_tokens as usize;
        let wish = Wish { kind: settings.reply, transport, prompt: &ask.prompt, tokens, seed, split_clusters };
        let name = format!("{}\0{}\0{:?}\0{}", ask.model_name, ask.prompt, ask.tool_result, ask.prompt_tokens);
        let mut script = Script {
            id: hash(name.as_bytes()) ^ Rng::stream(seed, "id").next(),
            model: ask.model_name.clone(),
            reasoning: Pieces::default(),
            text: Pieces::default(),
            refused: false,
            tool_calls: Vec::new(),
            finish: Finish::Stop,
            prompt_tokens: ask.prompt_tokens,
            fails_after: None,
            quota: ask.model.behaviour == Behaviour::Quota,
        };
        if ask.model.behaviour == Behaviour::Reasoner {
            script.reasoning = reply::reasoning(&Wish { tokens: (tokens / 3).max(12), ..wish });
        }
        let called = tools_to_call(ask);
        if ask.model.behaviour == Behaviour::Refuser {
            script.text = reply::refusal(&Wish { tokens: usize::MAX, ..wish });
            script.refused = true;
        } else if !called.is_empty() {
            let mut rng = Rng::stream(seed ^ hash(ask.prompt.as_bytes()), "tools");
            script.tool_calls = called.into_iter().map(|tool| ToolCall::make(tool, &ask.prompt, &mut rng)).collect();
            script.finish = Finish::ToolCalls;
        } else if let Some(schema) = &ask.form {
            let mut rng = Rng::stream(seed ^ hash(ask.prompt.as_bytes()), "form");
            script.text = Pieces::cut(&schema::value(schema, &ask.prompt, &mut rng).to_string(), split_clusters);
        } else if let Some(result) = &ask.tool_result {
            script.text = reply::after_tool(&wish, result);
        } else {
            script.text = reply::text(&wish);
        }
        match ask.model.behaviour {
            Behaviour::ErrorMidStream | Behaviour::Quota => {
                script.fails_after = Some(script.tokens() / 2);
                script.finish = Finish::Error;
            }
            Behaviour::Filtered => {
                script.text.truncate(script.text.len().div_ceil(2));
                script.finish = Finish::ContentFilter;
            }
            _ => {}
        }
        if let Some(limit) = ask.limit {
            script.limit(limit);
        }
        script
    }

    /// Keeps at most `limit` tokens, reasoning first, as a real model's budget would.
    fn limit(&mut self, limit: usize) {
        if self.tokens() <= limit {
            return;
        }
        self.reasoning.truncate(limit);
        let mut left = limit - self.reasoning.len();
        self.text.truncate(left);
        left -= self.text.len();
        for call in &mut self.tool_calls {
            call.arguments.truncate(left);
            left -= call.arguments.len();
        }
        // A call of which nothing could be said was never begun.
        self.tool_calls.retain(|call| !call.arguments.is_empty());
        if self.finish != Finish::Error {
            self.finish = Finish::Length;
        }
    }

    /// The answer's text; empty for a refusal.
    pub fn text(&self) -> &str {
        if self.refused { "" } else { self.text.text() }
    }

    /// The text of a refusal; empty if there is none.
    pub fn refusal(&self) -> &str {
        if self.refused { self.text.text() } else { "" }
    }

    /// What is thought aloud; empty for most models.
    pub fn reasoning(&self) -> &str {
        self.reasoning.text()
    }

    /// Tools to be called, in order.
    pub fn tool_calls(&self) -> &[ToolCall] {
        &self.tool_calls
    }

    /// Token counts of the whole script, as its usage record says.
    pub fn usage(&self) -> Usage {
        Usage { prompt: self.prompt_tokens, completion: self.tokens(), reasoning: self.reasoning.len() }
    }

    /// How it ends.
    pub fn finish(&self) -> Finish {
        self.finish
    }

    /// Why the reply breaks off, where it does: what [`Finish::Error`] is about.
    pub(crate) fn failure(&self) -> Rejection {
        if self.quota { Rejection::quota() } else { Rejection::failure() }
    }

    /// The model's name as the client wrote it.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Sixteen hexadecimal digits that stand for this reply in all its ids.
    pub fn id(&self) -> String {
        format!("{:016x}", self.id)
    }

    /// Gives the reply another id: a connection may be asked the same thing twice.
    pub(crate) fn renumber(&mut self, ordinal: u64) {
        self.id ^= Rng::new(ordinal).next();
    }

    /// Seconds since 1970 that stand as the time of creation. Not the real time: the same seed must give the same bytes.
    pub(crate) fn created(&self) -> u64 {
        1_780_000_000 + self.id % 1_000_000
    }

    /// All tokens the script holds.
    pub(crate) fn tokens(&self) -> usize {
        self.reasoning.len() + self.text.len() + self.tool_calls.iter().map(|c| c.arguments.len()).sum::<usize>()
    }

    /// The steps in order with how many tokens each takes, at most `size` at once.
    pub(crate) fn steps(&self, size: usize) -> impl Iterator<Item = (Step<'_>, usize)> {
        let size = size.max(1);
        let mut said = 0;
        let stop = self.fails_after;
        chunks(&self.reasoning, size)
            .map(|(t, n)| (Step::Reasoning(t), n))
            .chain(chunks(&self.text, size).map(|(t, n)| (if self.refused { Step::Refusal(t) } else { Step::Text(t) }, n)))
            .chain(self.tool_calls.iter().enumerate().flat_map(move |(i, call)| {
                std::iter::once((Step::Call(i), 0)).chain(chunks(&call.arguments, size).map(move |(t, n)| (Step::Arguments(i, t), n)))
            }))
            .take_while(move |(_, n)| {
                said += n;
                stop.is_none_or(|stop| said <= stop)
            })
            .chain(stop.map(|_| (Step::Fail, 0)))
    }
}

fn chunks(pieces: &Pieces, size: usize) -> impl Iterator<Item = (&str, usize)> {
    (0..pieces.len()).step_by(size).map(move |from| (pieces.range(from, from + size), size.min(pieces.len() - from)))
}

impl ToolCall {
    fn make(tool: &Tool, prompt: &str, rng: &mut Rng) -> ToolCall {
        // Arguments are an object, whatever a lax definition allows.
        let arguments = match schema::value(&tool.parameters, prompt, rng) {
            Value::Object(object) => Value::Object(object).to_string(),
            _ => "{}".into(),
        };
        let mut fragments = Pieces::default();
        let mut rest = arguments.as_str();
        while !rest.is_empty() {
            let take = 2 + rng.below(6) as usize;
            let end = rest.char_indices().nth(take).map_or(rest.len(), |(at, _)| at);
            fragments.push(&rest[..end]);
            rest = &rest[end..];
        }
        ToolCall { id: format!("call_lab{:016x}", rng.next()), name: tool.name.clone(), arguments: fragments }
    }
}

/// Which tools the reply calls: those the request demands or the prompt names; `lab/tools` calls up to two without being asked.
/// None once a tool has answered, or the conversation would never end.
fn tools_to_call(ask: &Ask) -> Vec<&Tool> {
    if ask.tool_result.is_some() || ask.tools.is_empty() {
        return Vec::new();
    }
    let most = if ask.parallel { 2 } else { 1 };
    let prompt = ask.prompt.to_lowercase();
    let named: Vec<&Tool> = ask.tools.iter().filter(|t| prompt.contains(&t.name.to_lowercase())).collect();
    let wanted = ask.model.behaviour == Behaviour::Tools || ["tool", "function call", "call a function"].iter().any(|w| prompt.contains(w));
    match &ask.choice {
        ToolChoice::None => Vec::new(),
        ToolChoice::Named(name) => ask.tools.iter().filter(|t| t.name == *name).collect(),
        _ if !named.is_empty() => named.into_iter().take(if ask.parallel { usize::MAX } else { 1 }).collect(),
        ToolChoice::Required => ask.tools.iter().take(1).collect(),
        ToolChoice::Auto if wanted => ask.tools.iter().take(most).collect(),
        ToolChoice::Auto => Vec::new(),
    }
}

/// Tokens of all strings among `texts`.
pub(crate) fn count_all<'a>(texts: impl IntoIterator<Item = &'a str>) -> usize {
    texts.into_iter().map(pieces::count).sum()
}
