//! Decodes LM Studio's events, and the whole result that ends them.

use std::borrow::Cow;

use crate::delta::Part;
use crate::json::{self, Raw, Source, count, object_of, word};
use crate::report;
use crate::teller::Teller;
use crate::{Decoder, Delta, DeltaKind, Payload, Status, Usage, strange};

object_of! {
    /// The members of all events; each has some of them.
    Fields {
        kind: "type",
        content: "content",
        tool: "tool",
        arguments: "arguments",
        progress: "progress",
        reason: "reason",
        error: "error",
        result: "result",
    }
}

object_of! {
    /// The whole reply.
    Reply {
        output: "output",
        stats: "stats",
        id: "response_id",
    }
}

object_of! {
    /// Token counts and speeds.
    Stats {
        input: "input_tokens",
        output: "total_output_tokens",
        reasoning: "reasoning_output_tokens",
        speed: "tokens_per_second",
    }
}

/// The decoder: what must be remembered from event to event.
#[derive(Default)]
pub(super) struct Events {
    /// The error status of the response, if it has one.
    refused: Option<u16>,
    /// How many tool calls began.
    calls: u64,
    /// `chat.end` came, or a whole reply.
    done: bool,
    /// The server reported an error; `chat.end` still follows it.
    failed: bool,
}

impl Decoder for Events {
    fn status(&mut self, status: &Status) {
        self.refused = (status.code >= 300).then_some(status.code);
    }

    fn payload(&mut self, payload: Payload<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
        let mut teller = Teller::new(sink);
        let event = match payload {
            Payload::Event { event, .. } => event,
            _ => "",
        };
        Source::with(payload.bytes(), |source| {
            if let Some(status) = self.refused {
                self.failed = true;
                return teller.tell(report::of_body(&source, status).delta());
            }
            let fields = json::object::<Fields<'_>>(source.text).unwrap_or_default();
            // Named twice: in the event's own field and in the data.
            match word(fields.kind).or((event.contains('.') || event == "error").then_some(event.into())) {
                Some(kind) => self.event(&kind, &source, &fields, &mut teller),
                None => self.body(&source, &mut teller),
            }
        });
    }

    fn whole(&self) -> bool {
        self.done && !self.failed
    }

    fn ended(&self) -> bool {
        self.done
    }
}

impl Events {
    fn event(&mut self, kind: &str, source: &Source<'_>, fields: &Fields<'_>, teller: &mut Teller<'_>) {
        match kind {
            "message.delta" => {
                teller.text(DeltaKind::Text, source, fields.content);
            }
            "reasoning.delta" => {
                teller.text(DeltaKind::Reasoning, source, fields.content);
            }
            "tool_call.start" => {
                self.calls += 1;
                self.call(source, fields, teller);
            }
            "tool_call.arguments" => {
                self.calls = self.calls.max(1);
                self.call(source, fields, teller);
            }
            // The server runs the tool itself, and goes on without it.
            "tool_call.failure" => {
                let words = fields.reason.map_or_else(|| kind.to_owned(), |reason| format!("{kind}: {}", json::shown(reason)));
                teller.control(&words, fields.reason.map_or(0..0, |reason| source.place(reason)));
            }
            "error" => {
                self.failed = true;
                let report = fields.error.map(|error| report::of_member(source, error));
                teller.tell(report.unwrap_or_else(|| report::of_body(source, 200)).delta());
            }
            "chat.end" => {
                if let Some(reply) = fields.result.and_then(json::members::<Reply<'_>>) {
                    closing(source, &reply, teller);
                }
                self.done = true;
                teller.end(kind, 0..0);
            }
            "model_load.progress" | "prompt_processing.progress" => {
                let words = fields.progress.map_or_else(|| kind.to_owned(), |progress| format!("{kind} {}", progress.get()));
                teller.control(&words, fields.progress.map_or(0..0, |progress| source.place(progress)));
            }
            _ if !KNOWN.contains(&kind) => {
                self.failed |= strange::tell(source, WHAT, teller);
            }
            _ => {}
        }
        if teller.told() == 0 {
            teller.control(kind, 0..0);
        }
    }

    /// A call of a tool that the server runs. It has no id; its arguments come whole.
    fn call(&self, source: &Source<'_>, fields: &Fields<'_>, teller: &mut Teller<'_>) {
        let (text, at) = fields.arguments.map_or((Cow::Borrowed(""), 0..0), |raw| (json::shown(raw), source.place(raw)));
        let part = Part::Tool { index: self.calls - 1, id: None, name: word(fields.tool), whole: fields.arguments.is_some() };
        teller.tell(Delta { kind: DeltaKind::ToolCall, text, at, part });
    }

    /// What is no event: the whole reply, or something else altogether.
    fn body(&mut self, source: &Source<'_>, teller: &mut Teller<'_>) {
        let reply = json::object::<Reply<'_>>(source.text).unwrap_or_default();
        let Some(output) = reply.output else {
            self.failed |= strange::tell(source, WHAT, teller);
            return;
        };
        json::each(output, |raw| {
            let item = json::members::<Fields<'_>>(raw).unwrap_or_default();
            match word(item.kind).as_deref() {
                Some("message") => {
                    teller.text(DeltaKind::Text, source, item.content);
                }
                Some("reasoning") => {
                    teller.text(DeltaKind::Reasoning, source, item.content);
                }
                Some("tool_call") => {
                    self.calls += 1;
                    self.call(source, &item, teller);
                }
                other => teller.control(other.unwrap_or("output"), source.at(raw.get())),
            }
        });
        closing(source, &reply, teller);
        self.done = true;
        if teller.told() == 0 {
            teller.control("empty", 0..0);
        }
    }
}

const WHAT: &str = "an LM Studio event";

/// Events that say nothing but that they came.
const KNOWN: &[&str] = &[
    "chat.start",
    "model_load.start",
    "model_load.end",
    "prompt_processing.start",
    "prompt_processing.end",
    "reasoning.start",
    "reasoning.end",
    "message.start",
    "message.end",
    "message.delta",
    "reasoning.delta",
    "tool_call.success",
    "tool_call.result",
    "tool_call.name",
];

/// What only the whole reply tells: counts, speed and the id to go on from.
fn closing<'a>(source: &Source<'a>, reply: &Reply<'a>, teller: &mut Teller<'_>) {
    if let Some(id) = reply.id.filter(|id| word(Some(*id)).is_some()) {
        teller.tell(Delta { part: Part::Id, ..Delta::new(DeltaKind::Control, json::shown(id), source.place(id)) });
    }
    if let Some(raw) = reply.stats {
        let stats = json::members::<Stats<'_>>(raw).unwrap_or_default();
        teller.tell(usage(&stats, raw, source));
        if let Some(speed) = stats.speed {
            teller.control(&format!("{} tokens/s, says the server", speed.get()), source.place(speed));
        }
    }
}

fn usage<'a>(stats: &Stats<'a>, raw: Raw<'a>, source: &Source<'a>) -> Delta<'a> {
    let usage = Usage {
        input_tokens: count(stats.input),
        output_tokens: count(stats.output),
        reasoning_tokens: count(stats.reasoning),
        // `total_output_tokens` says so by its name.
        output_includes_reasoning: Some(true),
        ..Usage::default()
    };
    let mut delta = Delta::new(DeltaKind::Usage, raw.get(), source.at(raw.get()));
    if usage.input_tokens.or(usage.output_tokens).is_some() {
        delta.part = Part::Usage(usage);
    }
    delta
}
