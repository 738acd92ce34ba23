//! Decodes Cohere's chat: stream events, told apart by `type` in their data, and whole replies.

use std::borrow::Cow;
use std::ops::Range;

use crate::delta::Part;
use crate::json::{self, Raw, Source, count, object_of, truthy, word};
use crate::report::{self, Report};
use crate::strange;
use crate::teller::Teller;
use crate::{Decoder, Delta, DeltaKind, Payload, Status, Usage};

object_of! {
    /// An event, or a whole reply.
    Event {
        kind: "type",
        index: "index",
        delta: "delta",
        id: "id",
        message: "message",
        finish_reason: "finish_reason",
        usage: "usage",
    }
}

object_of! {
    /// What an event tells.
    Change {
        message: "message",
        finish_reason: "finish_reason",
        usage: "usage",
        error: "error",
    }
}

object_of! {
    /// The message, or what is added to it.
    Message {
        content: "content",
        tool_plan: "tool_plan",
        tool_calls: "tool_calls",
    }
}

object_of! {
    /// A content block, or what is added to it.
    Block {
        kind: "type",
        text: "text",
        thinking: "thinking",
    }
}

object_of! {
    /// A tool call, or a fragment of one.
    Call {
        id: "id",
        function: "function",
    }
}

object_of! {
    /// The function of a tool call.
    Function {
        name: "name",
        arguments: "arguments",
    }
}

object_of! {
    /// Usage: what was billed stands beside it and may be less.
    Counted {
        tokens: "tokens",
        cached: "cached_tokens",
    }
}

object_of! {
    /// Tokens that went in and came out.
    Tokens {
        input: "input_tokens",
        output: "output_tokens",
    }
}

/// The decoder: what must be remembered from payload to payload.
#[derive(Default)]
pub(super) struct Chat {
    /// The error status of the response, if it has one.
    refused: Option<u16>,
    /// `message-end` came, or a whole reply.
    complete: bool,
    /// The peer reported an error.
    failed: bool,
}

impl Decoder for Chat {
    fn status(&mut self, status: &Status) {
        self.refused = (status.code >= 300).then_some(status.code);
    }

    fn payload(&mut self, payload: Payload<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
        let mut teller = Teller::new(sink);
        match payload {
            Payload::Event { event, data } => self.piece(&Source::new(data), event == "error", &mut teller),
            other => Source::with(other.bytes(), |source| self.piece(&source, false, &mut teller)),
        }
    }

    fn whole(&self) -> bool {
        !self.failed && self.complete
    }

    fn ended(&self) -> bool {
        self.complete
    }
}

impl Chat {
    fn piece(&mut self, source: &Source<'_>, named_error: bool, teller: &mut Teller<'_>) {
        match (self.refused, json::object::<Event<'_>>(source.text)) {
            (Some(status), _) => self.fail(report::of_body(source, status), teller),
            _ if named_error => self.fail(report::of_body(source, 200), teller),
            (None, Some(event)) => self.event(source, &event, teller),
            // The official SDK stops here if it comes; the end is told by `message-end` all the same.
            (None, None) if source.text.trim() == "[DONE]" => teller.control("[DONE]", source.at(source.text.trim())),
            (None, None) => self.strange(source, teller),
        }
    }

    fn fail(&mut self, report: Report<'_>, teller: &mut Teller<'_>) {
        self.failed = true;
        teller.tell(report.delta());
    }

    fn strange(&mut self, source: &Source<'_>, teller: &mut Teller<'_>) {
        self.failed |= strange::tell(source, "a chat event", teller);
    }

    /// An event, or a whole reply. Tells at least one delta.
    fn event(&mut self, source: &Source<'_>, event: &Event<'_>, teller: &mut Teller<'_>) {
        let kind = word(event.kind).unwrap_or_default();
        let at = event.kind.map_or(0..0, |raw| source.place(raw));
        let index = count(event.index).unwrap_or(0);
        let change = event.delta.and_then(json::members::<Change<'_>>).unwrap_or_default();
        let message = change.message.and_then(json::members::<Message<'_>>).unwrap_or_default();
        match &*kind {
            "content-delta" | "content-start" => {
                if let Some(content) = message.content {
                    block(source, content, teller);
                }
            }
            "tool-plan-delta" => {
                teller.text(DeltaKind::Reasoning, source, message.tool_plan);
            }
            "tool-call-start" | "tool-call-delta" => calls(source, message.tool_calls, index, teller),
            "message-start" => tell_id(source, event.id, teller),
            "message-end" => {
                tell_usage(source, change.usage, teller);
                self.finish(source, change.finish_reason, change.error, teller);
                self.complete = true;
                return teller.end("message-end", at);
            }
            "content-end" | "tool-call-end" | "citation-start" | "citation-end" | "debug" => {}
            "" if event.message.is_some() && event.finish_reason.is_some() => {
                tell_id(source, event.id, teller);
                self.whole_message(source, event, teller);
            }
            _ => return self.unshaped(source, &kind, teller),
        }
        if teller.told() == 0 {
            teller.control(&kind, at);
        }
    }

    /// A JSON object of no known type: an error in another shape, another dialect, or an event that is newer than this program.
    fn unshaped(&mut self, source: &Source<'_>, kind: &str, teller: &mut Teller<'_>) {
        let report = json::value(source.text).ok().and_then(|raw| report::in_success(source, raw));
        match report {
            Some(report) => self.fail(report, teller),
            None if kind.is_empty() => match json::object::<Flat<'_>>(source.text).and_then(|flat| flat.message) {
                // Cohere's error body, under a status that tells of none.
                Some(message) if json::content(message).is_some() => self.fail(report::of_body(source, 200), teller),
                _ => self.strange(source, teller),
            },
            None => teller.unknown(&format!("{kind}: no event of Cohere Chat that Weir knows")),
        }
    }

    fn whole_message(&mut self, source: &Source<'_>, event: &Event<'_>, teller: &mut Teller<'_>) {
        let message = event.message.and_then(json::members::<Message<'_>>).unwrap_or_default();
        teller.text(DeltaKind::Reasoning, source, message.tool_plan);
        if let Some(content) = message.content
            && !json::each(content, |raw| block(source, raw, teller))
        {
            block(source, content, teller);
        }
        calls(source, message.tool_calls, 0, teller);
        tell_usage(source, event.usage, teller);
        self.finish(source, event.finish_reason, None, teller);
        self.complete = true;
    }

    /// Why it ended. An error is one of the reasons, and comes under status 200.
    fn finish<'a>(&mut self, source: &Source<'a>, reason: Option<Raw<'a>>, error: Option<Raw<'a>>, teller: &mut Teller<'_>) {
        let named = reason.map(json::shown).unwrap_or_default();
        if let Some(error) = truthy(error) {
            self.failed = true;
            let part = Part::Error { code: named.clone() };
            teller.tell(Delta { part, ..Delta::new(DeltaKind::Error, json::shown(error), source.place(error)) });
        } else if named.starts_with("ERROR") || named == "TIMEOUT" {
            self.failed = true;
            let at = reason.map_or(0..0, |raw| source.place(raw));
            let text = format!("the reply ended with finish_reason {named}");
            teller.tell(Delta { part: Part::Error { code: named.clone() }, ..Delta::new(DeltaKind::Error, text, at) });
        }
        if let Some(reason) = reason {
            teller.finish(&named, source.place(reason));
        }
    }
}

object_of! {
    /// An error body.
    Flat {
        message: "message",
    }
}

/// A content block, or what is added to one: text or thinking. Some servers send bare text.
fn block(source: &Source<'_>, raw: Raw<'_>, teller: &mut Teller<'_>) {
    let Some(block) = json::members::<Block<'_>>(raw) else {
        teller.text(DeltaKind::Text, source, Some(raw));
        return;
    };
    let before = teller.told();
    teller.text(DeltaKind::Reasoning, source, block.thinking);
    teller.text(DeltaKind::Text, source, block.text);
    if let Some(kind) = word(block.kind).filter(|kind| teller.told() == before && !matches!(&**kind, "text" | "thinking")) {
        teller.control(&kind, source.at(raw.get()));
    }
}

/// Tool calls: in a stream one object, which the event numbers; in a whole reply a list.
fn calls(source: &Source<'_>, raw: Option<Raw<'_>>, first: u64, teller: &mut Teller<'_>) {
    let Some(raw) = raw else {
        return;
    };
    let mut index = first;
    let list = json::each(raw, |call| {
        tell_call(source, call, index, teller);
        index += 1;
    });
    if !list {
        tell_call(source, raw, first, teller);
    }
}

fn tell_call(source: &Source<'_>, raw: Raw<'_>, index: u64, teller: &mut Teller<'_>) {
    let Some(call) = json::members::<Call<'_>>(raw) else {
        return;
    };
    let function = call.function.and_then(json::members::<Function<'_>>).unwrap_or_default();
    let (text, at): (Cow<'_, str>, Range<usize>) =
        function.arguments.map_or((Cow::Borrowed(""), 0..0), |raw| (json::shown(raw), source.place(raw)));
    let whole = function.arguments.is_some_and(|raw| json::content(raw).is_none());
    let part = Part::Tool { index, id: word(call.id), name: word(function.name), whole };
    teller.tell(Delta { part, ..Delta::new(DeltaKind::ToolCall, text, at) });
}

fn tell_id(source: &Source<'_>, id: Option<Raw<'_>>, teller: &mut Teller<'_>) {
    if let Some((raw, id)) = id.and_then(|raw| Some((raw, word(Some(raw))?))) {
        teller.tell(Delta { part: Part::Id, ..Delta::new(DeltaKind::Control, id, source.place(raw)) });
    }
}

/// Tells usage in tokens. What was billed is another number and is not told as tokens.
fn tell_usage(source: &Source<'_>, raw: Option<Raw<'_>>, teller: &mut Teller<'_>) {
    let Some((raw, counted)) = raw.and_then(|raw| Some((raw, json::members::<Counted<'_>>(raw)?))) else {
        return;
    };
    let tokens = counted.tokens.and_then(json::members::<Tokens<'_>>).unwrap_or_default();
    let usage = Usage {
        input_tokens: count(tokens.input),
        output_tokens: count(tokens.output),
        cached_tokens: count(counted.cached),
        ..Usage::default()
    };
    let mut delta = Delta::new(DeltaKind::Usage, raw.get(), source.at(raw.get()));
    if crate::usage::reported(&usage) {
        delta.part = Part::Usage(usage);
    }
    teller.tell(delta);
}
