//! Decodes Messages: stream events, told apart by `type` in their data whatever the event's name, and whole messages.

use std::borrow::Cow;

use serde_json::json;

use super::usage::Tally;
use crate::delta::Part;
use crate::json::{self, Raw, Source, count, object_of, truthy, word};
use crate::report::{self, Report};
use crate::strange;
use crate::teller::Teller;
use crate::{Decoder, Delta, DeltaKind, Payload, Status};

object_of! {
    /// An event, or a whole message.
    Event {
        kind: "type",
        index: "index",
        delta: "delta",
        block: "content_block",
        message: "message",
        usage: "usage",
        error: "error",
        id: "id",
        content: "content",
        stop_reason: "stop_reason",
        stop_details: "stop_details",
    }
}

object_of! {
    /// The message that a stream begins with.
    Message {
        id: "id",
        content: "content",
        usage: "usage",
    }
}

object_of! {
    /// The delta of a block, or of the message.
    Change {
        kind: "type",
        text: "text",
        thinking: "thinking",
        signature: "signature",
        partial_json: "partial_json",
        stop_reason: "stop_reason",
        stop_details: "stop_details",
    }
}

object_of! {
    /// A content block.
    Block {
        kind: "type",
        text: "text",
        thinking: "thinking",
        signature: "signature",
        data: "data",
        id: "id",
        name: "name",
        input: "input",
    }
}

object_of! {
    /// Why the model declined.
    StopDetails {
        explanation: "explanation",
    }
}

/// A block of thinking, kept because it must be sent back as it came.
enum Thought {
    /// Shown, or its seal alone where display is off.
    Plain { index: u64, text: String, signature: Option<String> },
    /// Encrypted.
    Redacted { data: String },
}

/// A tool call whose arguments are still to be closed.
struct Open {
    index: u64,
    /// Any of the arguments came.
    spoke: bool,
    /// The block began with its whole input; fragments after that say it again.
    filled: bool,
}

/// The decoder: what must be remembered from payload to payload.
#[derive(Default)]
pub(crate) struct Messages {
    /// The error status of the response, if it has one.
    refused: Option<u16>,
    usage: Tally,
    thoughts: Vec<Thought>,
    /// The tool calls begun and not yet closed.
    open: Vec<Open>,
    /// Blocks of tools that run at the provider: their input is not ours to answer.
    foreign: Vec<u64>,
    /// `message_stop` came, or a whole message.
    complete: bool,
    /// The peer reported an error.
    failed: bool,
}

impl Decoder for Messages {
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

impl Messages {
    /// One payload of a stream.
    fn piece(&mut self, source: &Source<'_>, named_error: bool, teller: &mut Teller<'_>) {
        match (self.refused, json::object::<Event<'_>>(source.text)) {
            (Some(status), _) => self.fail(report::of_body(source, status), teller),
            // Whatever is in it: llama.cpp sends its own error object under this name.
            _ if named_error => self.fail(report::of_body(source, 200), teller),
            (None, Some(event)) => self.event(source, &event, teller),
            // No end marker of this dialect; some gateways add it all the same.
            (None, None) if source.text.trim() == "[DONE]" => teller.control("[DONE]", source.at(source.text.trim())),
            (None, None) => self.strange(source, teller),
        }
    }

    fn fail(&mut self, report: Report<'_>, teller: &mut Teller<'_>) {
        self.failed = true;
        teller.tell(report.delta());
    }

    fn strange(&mut self, source: &Source<'_>, teller: &mut Teller<'_>) {
        self.failed |= strange::tell(source, "a message event", teller);
    }

    /// An event, or a whole message. Tells at least one delta.
    fn event(&mut self, source: &Source<'_>, event: &Event<'_>, teller: &mut Teller<'_>) {
        let kind = word(event.kind).unwrap_or_default();
        let index = count(event.index).unwrap_or(0);
        match &*kind {
            "content_block_delta" => {
                if let Some(change) = event.delta.and_then(json::members::<Change<'_>>) {
                    self.change(source, index, &change, teller);
                }
            }
            "content_block_start" => {
                if let Some(raw) = event.block {
                    self.block(source, index, raw, teller);
                }
            }
            "content_block_stop" => self.close(index, teller),
            "message_start" => {
                if let Some(message) = event.message.and_then(json::members::<Message<'_>>) {
                    tell_id(source, message.id, teller);
                    self.blocks(source, message.content, teller);
                    self.usage.take(source, message.usage, teller);
                }
            }
            "message_delta" => {
                let change = event.delta.and_then(json::members::<Change<'_>>).unwrap_or_default();
                self.usage.take(source, event.usage, teller);
                finish(source, change.stop_reason, change.stop_details, teller);
            }
            "message_stop" => {
                self.complete = true;
                return teller.end("message_stop", event.kind.map_or(0..0, |raw| source.place(raw)));
            }
            "error" => return self.fail(self.report(source, event), teller),
            "message" | "" if event.content.is_some() => {
                tell_id(source, event.id, teller);
                self.blocks(source, event.content, teller);
                for call in std::mem::take(&mut self.open) {
                    close(&call, teller);
                }
                self.usage.take(source, event.usage, teller);
                finish(source, event.stop_reason, event.stop_details, teller);
                self.complete = true;
            }
            "ping" => {}
            _ => return self.unshaped(source, &kind, teller),
        }
        if teller.told() == 0 {
            teller.control(&kind, event.kind.map_or(0..0, |raw| source.place(raw)));
        }
    }

    fn report<'a>(&self, source: &Source<'a>, event: &Event<'a>) -> Report<'a> {
        match truthy(event.error) {
            Some(error) => report::of_member(source, error),
            None => report::of_body(source, 200),
        }
    }

    /// A JSON object of no known type: an error in another shape, another dialect, or an event that is newer than this program.
    fn unshaped(&mut self, source: &Source<'_>, kind: &str, teller: &mut Teller<'_>) {
        let report = json::value(source.text).ok().and_then(|raw| report::in_success(source, raw));
        match report {
            Some(report) => self.fail(report, teller),
            None if kind.is_empty() => self.strange(source, teller),
            None => teller.unknown(&format!("{kind}: no event of Anthropic Messages that Weir knows")),
        }
    }

    fn change(&mut self, source: &Source<'_>, index: u64, change: &Change<'_>, teller: &mut Teller<'_>) {
        let kind = word(change.kind).unwrap_or_default();
        match &*kind {
            "text_delta" => {
                teller.text(DeltaKind::Text, source, change.text);
            }
            "thinking_delta" => {
                teller.text(DeltaKind::Reasoning, source, change.thinking);
                self.think(index, change.thinking);
            }
            "signature_delta" => self.seal(source, index, change.signature, teller),
            "input_json_delta" if self.foreign.contains(&index) => {
                teller.control(&kind, change.partial_json.map_or(0..0, |raw| source.place(raw)));
            }
            "input_json_delta" => self.arguments(source, index, change.partial_json, teller),
            "" => {}
            // Citations and whatever is invented next.
            _ => teller.control(&kind, change.kind.map_or(0..0, |raw| source.place(raw))),
        }
    }

    /// A block as it begins; in a whole message, all of it.
    fn block(&mut self, source: &Source<'_>, index: u64, raw: Raw<'_>, teller: &mut Teller<'_>) {
        let Some(block) = json::members::<Block<'_>>(raw) else {
            return;
        };
        let kind = word(block.kind).unwrap_or_default();
        match &*kind {
            "text" => {
                teller.text(DeltaKind::Text, source, block.text);
            }
            "thinking" => {
                self.thoughts.push(Thought::Plain { index, text: String::new(), signature: None });
                teller.text(DeltaKind::Reasoning, source, block.thinking);
                self.think(index, block.thinking);
                // At a block's start the signature is a placeholder.
                self.seal(source, index, block.signature.filter(|raw| word(Some(*raw)).is_some()), teller);
            }
            "redacted_thinking" => {
                self.thoughts.push(Thought::Redacted { data: block.data.map(json::shown).unwrap_or_default().into_owned() });
                self.tell_seal(block.data.map_or(0..0, |raw| source.place(raw)), teller);
            }
            "tool_use" => {
                let input = truthy(block.input);
                let (text, at) = input.map_or((Cow::Borrowed(""), 0..0), |raw| (json::shown(raw), source.place(raw)));
                let part = Part::Tool { index, id: word(block.id), name: word(block.name), whole: false };
                teller.tell(Delta { part, ..Delta::new(DeltaKind::ToolCall, text, at) });
                self.open.retain(|call| call.index != index);
                self.open.push(Open { index, spoke: input.is_some(), filled: input.is_some() });
            }
            _ => {
                self.foreign.push(index);
                teller.control(if kind.is_empty() { "block" } else { &kind }, source.at(raw.get()));
            }
        }
    }

    /// The blocks of a whole message.
    fn blocks(&mut self, source: &Source<'_>, content: Option<Raw<'_>>, teller: &mut Teller<'_>) {
        let Some(content) = content else {
            return;
        };
        let mut index = 0;
        let list = json::each(content, |raw| {
            let before = teller.told();
            self.block(source, index, raw, teller);
            // In a whole message an empty signature is no placeholder: servers without seals send it.
            if let Some(Thought::Plain { index: at, signature: signature @ None, .. }) = self.thoughts.last_mut()
                && *at == index
                && json::members::<Block<'_>>(raw).is_some_and(|block| block.signature.is_some())
            {
                *signature = Some(String::new());
                self.tell_seal(0..0, teller);
            }
            if teller.told() == before {
                teller.control("block", source.at(raw.get()));
            }
            index += 1;
        });
        if !list {
            teller.text(DeltaKind::Text, source, Some(content));
        }
    }

    fn think(&mut self, at: u64, said: Option<Raw<'_>>) {
        let Some(said) = word(said) else {
            return;
        };
        let known = self.thoughts.iter_mut().rev().find_map(|thought| match thought {
            Thought::Plain { index, text, .. } if *index == at => Some(text),
            _ => None,
        });
        match known {
            Some(text) => text.push_str(&said),
            None => self.thoughts.push(Thought::Plain { index: at, text: said.into_owned(), signature: None }),
        }
    }

    fn seal(&mut self, source: &Source<'_>, at: u64, told: Option<Raw<'_>>, teller: &mut Teller<'_>) {
        let Some((raw, told)) = told.and_then(|raw| Some((raw, json::string(raw)?))) else {
            return;
        };
        let known = self.thoughts.iter_mut().rev().find_map(|thought| match thought {
            Thought::Plain { index, signature, .. } if *index == at => Some(signature),
            _ => None,
        });
        match known {
            Some(signature) => *signature = Some(told.into_owned()),
            None => self.thoughts.push(Thought::Plain { index: at, text: String::new(), signature: Some(told.into_owned()) }),
        }
        self.tell_seal(source.place(raw), teller);
    }

    /// Tells what must be sent back: the signature of the one block there is, or all blocks as JSON where there are several, or one
    /// is redacted.
    fn tell_seal(&self, at: std::ops::Range<usize>, teller: &mut Teller<'_>) {
        let text = match self.thoughts.as_slice() {
            [Thought::Plain { signature, .. }] => signature.clone().unwrap_or_default(),
            many => many
                .iter()
                .map(|thought| match thought {
                    Thought::Plain { text, signature, .. } => json!({"type": "thinking", "thinking": text, "signature": signature}),
                    Thought::Redacted { data } => json!({"type": "redacted_thinking", "data": data}),
                })
                .collect::<serde_json::Value>()
                .to_string(),
        };
        teller.tell(Delta { part: Part::Signature { call: None }, ..Delta::new(DeltaKind::Control, text, at) });
    }

    /// A fragment of a call's arguments.
    fn arguments(&mut self, source: &Source<'_>, index: u64, fragment: Option<Raw<'_>>, teller: &mut Teller<'_>) {
        let (text, at) = fragment.map_or((Cow::Borrowed(""), 0..0), |raw| (json::shown(raw), source.place(raw)));
        let mut whole = false;
        match self.open.iter_mut().find(|call| call.index == index) {
            Some(call) if !text.is_empty() => {
                whole = std::mem::take(&mut call.filled);
                call.spoke = true;
            }
            Some(_) => {}
            None => self.open.push(Open { index, spoke: !text.is_empty(), filled: false }),
        }
        teller.tell(Delta { part: Part::Tool { index, id: None, name: None, whole }, ..Delta::new(DeltaKind::ToolCall, text, at) });
    }

    fn close(&mut self, index: u64, teller: &mut Teller<'_>) {
        if let Some(at) = self.open.iter().position(|call| call.index == index) {
            close(&self.open.remove(at), teller);
        }
    }
}

/// Closes a call: no arguments at all mean an empty object.
fn close(call: &Open, teller: &mut Teller<'_>) {
    if !call.spoke {
        let part = Part::Tool { index: call.index, id: None, name: None, whole: true };
        teller.tell(Delta { part, ..Delta::new(DeltaKind::ToolCall, "{}", 0..0) });
    }
}

fn tell_id(source: &Source<'_>, id: Option<Raw<'_>>, teller: &mut Teller<'_>) {
    if let Some((raw, id)) = id.and_then(|raw| Some((raw, word(Some(raw))?))) {
        teller.tell(Delta { part: Part::Id, ..Delta::new(DeltaKind::Control, id, source.place(raw)) });
    }
}

/// Tells why the message stopped; there is no refusal text but the explanation that may come with it.
fn finish(source: &Source<'_>, reason: Option<Raw<'_>>, details: Option<Raw<'_>>, teller: &mut Teller<'_>) {
    if let Some(details) = details.and_then(json::members::<StopDetails<'_>>) {
        teller.text(DeltaKind::Refusal, source, details.explanation);
    }
    if let Some(reason) = reason {
        teller.finish(&json::shown(reason), source.place(reason));
    }
}
