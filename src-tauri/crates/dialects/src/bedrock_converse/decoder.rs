//! Decodes ConverseStream's events, and Converse's whole reply.

use std::borrow::Cow;

use crate::delta::Part;
use crate::json::{self, Raw, Source, count, object_of, word};
use crate::report;
use crate::teller::Teller;
use crate::{Decoder, Delta, DeltaKind, Payload, Status, Usage, strange};

object_of! {
    /// The members of all events, and of a whole reply; each event has some of them.
    Fields {
        index: "contentBlockIndex",
        start: "start",
        delta: "delta",
        reason: "stopReason",
        usage: "usage",
        metrics: "metrics",
        output: "output",
        bytes: "bytes",
    }
}

object_of! {
    /// A content block, or a piece of one.
    Block {
        text: "text",
        tool: "toolUse",
        reasoning: "reasoningContent",
        citation: "citation",
        result: "toolResult",
        image: "image",
    }
}

object_of! {
    /// A tool call, or a piece of one.
    ToolUse {
        id: "toolUseId",
        name: "name",
        input: "input",
    }
}

object_of! {
    /// Reasoning: in a whole reply the text lies one deeper.
    Reasoning {
        text: "text",
        signature: "signature",
        redacted: "redactedContent",
        whole: "reasoningText",
    }
}

object_of! {
    /// The message of a whole reply, and what holds it.
    Message {
        message: "message",
        content: "content",
    }
}

object_of! {
    /// Token counts.
    Counts {
        input: "inputTokens",
        output: "outputTokens",
        total: "totalTokens",
        cache_read: "cacheReadInputTokens",
        cache_write: "cacheWriteInputTokens",
    }
}

object_of! {
    /// Measured by the service.
    Metrics {
        latency: "latencyMs",
    }
}

object_of! {
    /// An error: AWS is not of one mind about its members' case.
    Fault {
        message: "message",
        shouted: "Message",
        kind: "__type",
    }
}

/// The decoder: what must be remembered from message to message.
#[derive(Default)]
pub(super) struct Converse {
    /// The error status of the response, if it has one.
    refused: Option<u16>,
    /// `messageStop` came, or a whole reply.
    stopped: bool,
    /// `metadata` came, which follows `messageStop` and is the last.
    counted: bool,
    /// The peer reported an error.
    failed: bool,
}

impl Decoder for Converse {
    fn status(&mut self, status: &Status) {
        self.refused = (status.code >= 300).then_some(status.code);
    }

    fn payload(&mut self, payload: Payload<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
        let mut teller = Teller::new(sink);
        Source::with(payload.bytes(), |source| match payload {
            Payload::Record { kind: "event", name, .. } => self.event(name, &source, &mut teller),
            Payload::Record { kind: "exception", name, .. } => self.exception(name, &source, &mut teller),
            Payload::Record { name, .. } => self.error(name, &source, &mut teller),
            _ => self.body(&source, &mut teller),
        });
    }

    /// `messageStop`; the numbers that follow it may be missing.
    fn whole(&self) -> bool {
        self.stopped && !self.failed
    }

    fn ended(&self) -> bool {
        self.stopped && self.counted
    }
}

impl Converse {
    fn event(&mut self, name: &str, source: &Source<'_>, teller: &mut Teller<'_>) {
        let Some(fields) = json::object::<Fields<'_>>(source.text) else {
            self.failed |= strange::tell(source, WHAT, teller);
            return;
        };
        let index = count(fields.index).unwrap_or(0);
        match name {
            "contentBlockStart" | "contentBlockDelta" => {
                let block = fields.start.or(fields.delta).and_then(json::members::<Block<'_>>).unwrap_or_default();
                block.tell(index, source, teller);
            }
            "messageStop" => {
                self.stopped = true;
                if let Some(reason) = fields.reason.filter(|reason| word(Some(*reason)).is_some()) {
                    teller.finish(&json::shown(reason), source.place(reason));
                }
            }
            "metadata" => {
                measured(&fields, source, teller);
                self.counted = true;
                if self.stopped {
                    teller.end(name, 0..0);
                }
            }
            // InvokeModelWithResponseStream: what the model itself says, in Base64.
            "chunk" => return teller.control(name, fields.bytes.map_or(0..0, |raw| source.place(raw))),
            "messageStart" | "contentBlockStop" => {}
            _ => return teller.unknown(&format!("{name}, an event that ConverseStream does not have")),
        }
        if teller.told() == 0 {
            teller.control(name, 0..0);
        }
    }

    fn exception(&mut self, name: &str, source: &Source<'_>, teller: &mut Teller<'_>) {
        self.failed = true;
        let fault = json::object::<Fault<'_>>(source.text).unwrap_or_default();
        let (text, at) = match fault.message.or(fault.shouted) {
            Some(message) => (json::shown(message), source.place(message)),
            None => (source.text.into(), source.at(source.text)),
        };
        teller.tell(Delta { kind: DeltaKind::Error, text, at, part: Part::Error { code: name.into() } });
    }

    /// An error without a body: its words are a header's.
    fn error(&mut self, name: &str, source: &Source<'_>, teller: &mut Teller<'_>) {
        self.failed = true;
        let text = if source.text.is_empty() { Cow::Borrowed("an error without a message") } else { source.text.into() };
        teller.tell(Delta { kind: DeltaKind::Error, text, at: source.at(source.text), part: Part::Error { code: name.into() } });
    }

    /// What is no event stream: a whole reply, or an error's body.
    fn body(&mut self, source: &Source<'_>, teller: &mut Teller<'_>) {
        let fault = json::object::<Fault<'_>>(source.text).unwrap_or_default();
        if let Some(kind) = word(fault.kind).or_else(|| fault.shouted.and(self.refused).map(|_| "".into())) {
            // `com.amazon.coral.service#ValidationException`, or the name alone.
            return self.exception(kind.rsplit('#').next().unwrap_or_default(), source, teller);
        }
        if let Some(status) = self.refused {
            self.failed = true;
            return teller.tell(report::of_body(source, status).delta());
        }
        let fields = json::object::<Fields<'_>>(source.text).unwrap_or_default();
        let message = fields.output.and_then(json::members::<Message<'_>>).and_then(|output| output.message);
        let Some(message) = message.and_then(json::members::<Message<'_>>) else {
            self.failed |= strange::tell(source, WHAT, teller);
            return;
        };
        let mut index = 0;
        if let Some(content) = message.content {
            json::each(content, |raw| {
                json::members::<Block<'_>>(raw).unwrap_or_default().tell(index, source, teller);
                index += 1;
            });
        }
        if let Some(reason) = fields.reason.filter(|reason| word(Some(*reason)).is_some()) {
            self.stopped = true;
            teller.finish(&json::shown(reason), source.place(reason));
        }
        self.counted = true;
        measured(&fields, source, teller);
        if teller.told() == 0 {
            teller.control("empty", 0..0);
        }
    }
}

const WHAT: &str = "a Converse reply";

impl<'a> Block<'a> {
    /// Tells the block, or the piece, at `index`. A block need not have begun: text and reasoning have no start.
    fn tell(&self, index: u64, source: &Source<'a>, teller: &mut Teller<'_>) {
        teller.text(DeltaKind::Text, source, self.text);
        if let Some(reasoning) = self.reasoning.and_then(json::members::<Reasoning<'_>>) {
            let inner = reasoning.whole.and_then(json::members::<Reasoning<'_>>).unwrap_or_default();
            teller.text(DeltaKind::Reasoning, source, reasoning.text.or(inner.text));
            if let Some(seal) = reasoning.signature.or(inner.signature).filter(|seal| word(Some(*seal)).is_some()) {
                let part = Part::Signature { call: None };
                teller.tell(Delta { part, ..Delta::new(DeltaKind::Control, json::shown(seal), source.place(seal)) });
            }
            if let Some(redacted) = reasoning.redacted {
                teller.control("redactedContent", source.place(redacted));
            }
        }
        if let Some(tool) = self.tool.and_then(json::members::<ToolUse<'_>>) {
            // Fragments of a string in a stream; in a whole reply the object itself.
            let (text, at) = tool.input.map_or((Cow::Borrowed(""), 0..0), |raw| (json::shown(raw), source.place(raw)));
            let whole = tool.input.is_some_and(|raw| json::content(raw).is_none());
            let part = Part::Tool { index, id: word(tool.id), name: word(tool.name), whole };
            teller.tell(Delta { kind: DeltaKind::ToolCall, text, at, part });
        }
        for (name, other) in [("citation", self.citation), ("toolResult", self.result), ("image", self.image)] {
            if let Some(other) = other {
                teller.control(name, source.at(other.get()));
            }
        }
    }
}

fn measured(fields: &Fields<'_>, source: &Source<'_>, teller: &mut Teller<'_>) {
    if let Some(raw) = fields.usage {
        teller.tell(usage(raw, source));
    }
    let latency = fields.metrics.and_then(json::members::<Metrics<'_>>).and_then(|metrics| metrics.latency);
    if let Some(latency) = latency {
        teller.control(&format!("latency {} ms", latency.get()), source.place(latency));
    }
}

fn usage<'a>(raw: Raw<'a>, source: &Source<'a>) -> Delta<'a> {
    let counts = json::members::<Counts<'_>>(raw).unwrap_or_default();
    let usage = Usage {
        input_tokens: count(counts.input),
        output_tokens: count(counts.output),
        total_tokens: count(counts.total),
        cached_tokens: count(counts.cache_read),
        cache_write_tokens: count(counts.cache_write),
        // As at Anthropic: what is read from the cache and written to it is counted apart.
        input_includes_cached: Some(false),
        ..Usage::default()
    };
    let mut delta = Delta::new(DeltaKind::Usage, raw.get(), source.at(raw.get()));
    if usage.input_tokens.or(usage.output_tokens).is_some() {
        delta.part = Part::Usage(usage);
    }
    delta
}
