//! Decodes the parts of a UI message stream.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::delta::Part;
use crate::json::{self, Raw, Source, count, object_of, word};
use crate::report;
use crate::teller::Teller;
use crate::{Decoder, Delta, DeltaKind, Payload, Status, Usage, strange};

object_of! {
    /// The members of all parts; each has some of them.
    Fields {
        kind: "type",
        delta: "delta",
        message_id: "messageId",
        call: "toolCallId",
        tool: "toolName",
        fragment: "inputTextDelta",
        input: "input",
        error: "errorText",
        reason: "reason",
        finish: "finishReason",
        metadata: "messageMetadata",
        url: "url",
    }
}

object_of! {
    /// What an application says of a message: usage, if it wants to, under a name of its choice.
    Metadata {
        usage: "usage",
        total: "totalUsage",
    }
}

object_of! {
    /// The AI SDK's own usage object.
    Counts {
        input: "inputTokens",
        output: "outputTokens",
        total: "totalTokens",
        reasoning: "reasoningTokens",
        cached: "cachedInputTokens",
    }
}

/// The decoder: what must be remembered from part to part.
#[derive(Default)]
pub(super) struct Parts {
    /// The error status of the response, if it has one.
    refused: Option<u16>,
    /// The keys of the calls, and whether their arguments came in pieces.
    calls: HashMap<String, (u64, bool)>,
    /// `[DONE]` came.
    done: bool,
    /// The application reported an error, or gave up.
    failed: bool,
}

impl Decoder for Parts {
    fn status(&mut self, status: &Status) {
        self.refused = (status.code >= 300).then_some(status.code);
    }

    fn payload(&mut self, payload: Payload<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
        let mut teller = Teller::new(sink);
        Source::with(payload.bytes(), |source| self.part(&source, &mut teller));
    }

    fn whole(&self) -> bool {
        self.done && !self.failed
    }

    fn ended(&self) -> bool {
        self.done
    }
}

impl Parts {
    fn part(&mut self, source: &Source<'_>, teller: &mut Teller<'_>) {
        if let Some(status) = self.refused {
            self.failed = true;
            return teller.tell(report::of_body(source, status).delta());
        }
        let text = source.text.trim();
        if text == "[DONE]" {
            self.done = true;
            return teller.end("[DONE]", source.at(text));
        }
        let fields = json::object::<Fields<'_>>(source.text).unwrap_or_default();
        let Some(kind) = word(fields.kind) else {
            self.failed |= strange::tell(source, WHAT, teller);
            return;
        };
        match &*kind {
            "text-delta" => {
                teller.text(DeltaKind::Text, source, fields.delta);
            }
            "reasoning-delta" => {
                teller.text(DeltaKind::Reasoning, source, fields.delta);
            }
            "tool-input-start" | "tool-input-delta" | "tool-input-available" => self.call(&kind, source, &fields, teller),
            "error" => self.fail("", fields.error, "the application reported an error", source, teller),
            "abort" => self.fail("abort", fields.reason, "the reply was aborted", source, teller),
            "start" => {
                if let Some(id) = fields.message_id.filter(|id| word(Some(*id)).is_some()) {
                    teller.tell(Delta { part: Part::Id, ..Delta::new(DeltaKind::Control, json::shown(id), source.place(id)) });
                }
            }
            "finish" => {
                if let Some(reason) = fields.finish.filter(|reason| word(Some(*reason)).is_some()) {
                    teller.finish(&json::shown(reason), source.place(reason));
                }
            }
            // One tool failed, which the reply may go on from.
            "tool-input-error" | "tool-output-error" => {
                let words = fields.error.map_or_else(|| kind.to_string(), |error| format!("{kind}: {}", json::shown(error)));
                teller.control(&words, fields.error.map_or(0..0, |error| source.place(error)));
            }
            // An error report of another dialect has a type too.
            other if !known(other) => match json::value(source.text).ok().and_then(|raw| report::in_success(source, raw)) {
                Some(report) => {
                    self.failed = true;
                    teller.tell(report.delta());
                }
                None => teller.unknown(&format!("{other}, a part that the AI SDK's UI stream does not have")),
            },
            _ => {}
        }
        if let Some(usage) = fields.metadata.and_then(json::members::<Metadata<'_>>).and_then(|metadata| metadata.total.or(metadata.usage))
        {
            teller.tell(usage_of(usage, source));
        }
        if teller.told() == 0 {
            teller.control(&kind, fields.url.map_or(0..0, |url| source.place(url)));
        }
    }

    fn fail(&mut self, code: &'static str, words: Option<Raw<'_>>, otherwise: &'static str, source: &Source<'_>, teller: &mut Teller<'_>) {
        self.failed = true;
        let (text, at) = match words.filter(|words| word(Some(*words)).is_some()) {
            Some(words) => (json::shown(words), source.place(words)),
            None => (Cow::Borrowed(otherwise), 0..0),
        };
        teller.tell(Delta { kind: DeltaKind::Error, text, at, part: Part::Error { code: code.into() } });
    }

    /// A tool's input: announced, streamed as text, and then whole, as JSON. The whole is told only where no pieces came before it.
    fn call(&mut self, kind: &str, source: &Source<'_>, fields: &Fields<'_>, teller: &mut Teller<'_>) {
        let id = fields.call.map(json::shown).unwrap_or_default();
        let next = self.calls.len() as u64;
        let (index, pieces) = self.calls.entry(id.clone().into_owned()).or_insert((next, false));
        let (text, at) = match kind {
            "tool-input-delta" => {
                *pieces = true;
                fields.fragment.map_or((Cow::Borrowed(""), 0..0), |raw| (json::shown(raw), source.place(raw)))
            }
            "tool-input-available" if *pieces => return teller.control(kind, fields.input.map_or(0..0, |raw| source.at(raw.get()))),
            "tool-input-available" => {
                fields.input.map_or((Cow::Borrowed(""), 0..0), |raw| (Cow::Borrowed(raw.get()), source.at(raw.get())))
            }
            _ => (Cow::Borrowed(""), 0..0),
        };
        let part = Part::Tool { index: *index, id: Some(id), name: word(fields.tool), whole: kind == "tool-input-available" };
        teller.tell(Delta { kind: DeltaKind::ToolCall, text, at, part });
    }
}

const WHAT: &str = "a part of an AI SDK UI stream";

/// Whether the stream has parts of this type, beyond those that are decoded.
fn known(kind: &str) -> bool {
    let others = [
        "text-start",
        "text-end",
        "reasoning-start",
        "reasoning-end",
        "start-step",
        "finish-step",
        "source-url",
        "source-document",
        "file",
        "message-metadata",
        "tool-approval-request",
        "tool-output-available",
        "tool-output-denied",
        "reasoning-file",
    ];
    kind.starts_with("data-") || others.contains(&kind)
}

fn usage_of<'a>(raw: Raw<'a>, source: &Source<'a>) -> Delta<'a> {
    let counts = json::members::<Counts<'_>>(raw).unwrap_or_default();
    let usage = Usage {
        input_tokens: count(counts.input),
        output_tokens: count(counts.output),
        total_tokens: count(counts.total),
        reasoning_tokens: count(counts.reasoning),
        cached_tokens: count(counts.cached),
        ..Usage::default()
    };
    let mut delta = Delta::new(DeltaKind::Usage, raw.get(), source.at(raw.get()));
    if usage.input_tokens.or(usage.output_tokens).or(usage.total_tokens).is_some() {
        delta.part = Part::Usage(usage);
    }
    delta
}
