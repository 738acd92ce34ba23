//! Decodes DashScope's results: whole bodies and events, in messages or in the older form of plain text.

use std::borrow::Cow;

use super::growth::{End, Growth, Told, Way};
use crate::delta::Part;
use crate::json::{self, Raw, Source, count, object_of, truthy, word};
use crate::report;
use crate::teller::Teller;
use crate::{Decoder, Delta, DeltaKind, Payload, Status, strange};

object_of! {
    /// A result.
    Frame {
        output: "output",
        usage: "usage",
        request_id: "request_id",
        code: "code",
    }
}

object_of! {
    /// What a result holds.
    Output {
        choices: "choices",
        text: "text",
        finish: "finish_reason",
        task_status: "task_status",
    }
    only only: Choice = "choices"
}

object_of! {
    /// One of the replies.
    Choice {
        message: "message",
        finish: "finish_reason",
        index: "index",
    }
}

object_of! {
    /// A reply's message.
    Message {
        content: "content",
        reasoning: "reasoning_content",
        tool_calls: "tool_calls",
    }
}

object_of! {
    /// A part of a content that is a list.
    ContentPart {
        text: "text",
        audio: "audio",
    }
}

object_of! {
    /// A call, or a fragment of one.
    Call {
        index: "index",
        id: "id",
        function: "function",
    }
}

object_of! {
    /// What is called.
    Function {
        name: "name",
        arguments: "arguments",
    }
}

/// The decoder of one response over HTTP.
#[derive(Default)]
pub(crate) struct DashScope {
    refused: Option<u16>,
    speech: Speech,
    /// The request's id was told.
    named: bool,
    failed: bool,
}

impl Decoder for DashScope {
    fn status(&mut self, status: &Status) {
        self.refused = (status.code >= 300).then_some(status.code);
    }

    fn payload(&mut self, payload: Payload<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
        let mut teller = Teller::new(sink);
        match payload {
            Payload::Event { event, data } => self.piece(&Source::new(data), event, &mut teller),
            other => Source::with(other.bytes(), |source| self.piece(&source, "", &mut teller)),
        }
    }

    /// There is no end marker: the end itself is, once a reason to finish was told.
    fn whole(&self) -> bool {
        self.speech.finished && !self.failed
    }

    fn ended(&self) -> bool {
        false
    }
}

impl DashScope {
    fn piece(&mut self, source: &Source<'_>, event: &str, teller: &mut Teller<'_>) {
        if let Some(status) = self.refused {
            self.failed = true;
            return teller.tell(report::of_body(source, status).delta());
        }
        if let Some(frame) = json::object::<Frame<'_>>(source.text) {
            return self.frame(source, source.text, event, &frame, teller);
        }
        // Some deployments set no blank lines between their events; by the standard those are one, their data joined line by line. The SDK
        // takes every data line for an event, and so does this.
        let lines: Vec<&str> = source.text.lines().filter(|line| !line.trim().is_empty()).collect();
        let frames: Vec<_> = lines.iter().filter_map(|line| json::object::<Frame<'_>>(line).map(|frame| (*line, frame))).collect();
        if frames.len() < 2 || frames.len() != lines.len() {
            if event == "error" {
                self.failed = true;
                return teller.tell(report::of_body(source, 200).delta());
            }
            self.failed |= strange::tell(source, "a result of DashScope", teller);
            return;
        }
        teller.control(&format!("{} results in one event: no blank line stands between them", frames.len()), 0..0);
        for (line, frame) in &frames {
            // Of all their types the event has the last.
            let event = if frame.output.is_some() { "result" } else { event };
            self.frame(source, line, event, frame, teller);
        }
    }

    /// One result; `text` is its JSON.
    fn frame<'a>(&mut self, source: &Source<'a>, text: &'a str, event: &str, frame: &Frame<'a>, teller: &mut Teller<'_>) {
        let before = teller.told();
        if event == "error" || (frame.output.is_none() && truthy(frame.code).is_some()) {
            self.failed = true;
            let report = match json::value(text) {
                Ok(raw) => report::of_member(source, raw),
                Err(_) => report::of_body(source, 200),
            };
            return teller.tell(report.delta());
        }
        if let Some(id) = frame.request_id.filter(|_| !self.named)
            && let Some(text) = word(Some(id))
        {
            self.named = true;
            teller.tell(Delta { part: Part::Id, ..Delta::new(DeltaKind::Control, text, source.place(id)) });
        }
        let said = frame.output.is_some_and(|output| self.speech.output(source, output, teller));
        teller.usage(source, frame.usage);
        if said || teller.told() > before {
            return;
        }
        if frame.output.is_none() && frame.usage.is_none() && frame.request_id.is_none() {
            self.failed |= strange::tell(source, "a result of DashScope", teller);
        } else {
            teller.control(if event.is_empty() || event == "message" { "result" } else { event }, 0..0);
        }
    }
}

/// What of a reply was told. The task protocol's results are the same.
#[derive(Default)]
pub(crate) struct Speech {
    way: Way,
    text: Growth,
    reasoning: Growth,
    calls: Vec<Calling>,
    /// Key of the first call: a socket's next task numbers its calls from 0 again.
    first_key: u64,
    /// A reason to finish was told.
    pub(crate) finished: bool,
}

/// A call under way.
#[derive(Default)]
struct Calling {
    index: u64,
    id: String,
    name: String,
    arguments: Growth,
}

impl Speech {
    /// That of the next task on the same socket.
    pub(crate) fn next(&self) -> Self {
        Self { first_key: self.first_key + self.calls.len() as u64, ..Self::default() }
    }

    /// Tells the text of a result; whether it was a result at all.
    pub(crate) fn output<'a>(&mut self, source: &Source<'a>, raw: Raw<'a>, teller: &mut Teller<'_>) -> bool {
        let Some(output) = json::members::<Output<'a>>(raw) else {
            return false;
        };
        if let Some(choice) = &output.only {
            self.choice(source, choice, teller);
        } else if let Some(choices) = output.choices {
            let mut first = true;
            json::each(choices, |raw| {
                let Some(choice) = json::members::<Choice<'a>>(raw) else {
                    return;
                };
                if count(choice.index).map_or(first, |index| index == 0) {
                    self.choice(source, &choice, teller);
                } else {
                    // Another reply of several that were asked for: shown, but mixed in it would garble the first.
                    teller.control("another choice", source.at(raw.get()));
                }
                first = false;
            });
        } else if output.text.is_some() || output.finish.is_some() {
            self.grown(Which::Text, source, output.text, end(output.finish), teller);
            self.finish(source, output.finish, teller);
        } else if let Some(status) = output.task_status {
            // A task that runs on the server: its result is asked for elsewhere.
            teller.control(&json::shown(status), source.place(status));
        } else {
            return false;
        }
        true
    }

    fn choice<'a>(&mut self, source: &Source<'a>, choice: &Choice<'a>, teller: &mut Teller<'_>) {
        let message = choice.message.and_then(json::members::<Message<'a>>).unwrap_or_default();
        let end = end(choice.finish);
        self.grown(Which::Reasoning, source, message.reasoning, end, teller);
        match message.content {
            Some(list) if list.get().starts_with('[') => {
                // There is one part with text.
                for part in json::elements(list).into_iter().filter_map(json::members::<ContentPart<'_>>) {
                    self.grown(Which::Text, source, part.text, end, teller);
                    if let Some(audio) = part.audio {
                        teller.control("audio", source.place(audio));
                    }
                }
            }
            content => self.grown(Which::Text, source, content, end, teller),
        }
        if let Some(calls) = message.tool_calls {
            let mut place = 0;
            json::each(calls, |raw| {
                if let Some(call) = json::members::<Call<'a>>(raw) {
                    self.call(source, &call, place, end, teller);
                }
                place += 1;
            });
        }
        self.finish(source, choice.finish, teller);
    }

    /// One more text of the reply or the reasoning.
    fn grown<'a>(&mut self, which: Which, source: &Source<'a>, text: Option<Raw<'a>>, end: End, teller: &mut Teller<'_>) {
        let Some(content) = text.and_then(json::content) else {
            return;
        };
        let (growth, kind) = match which {
            Which::Text => (&mut self.text, DeltaKind::Text),
            Which::Reasoning => (&mut self.reasoning, DeltaKind::Reasoning),
        };
        // The end says nothing of a reasoning that ended long before.
        let end = if which == Which::Reasoning && end == End::Here { End::Elsewhere } else { end };
        match growth.more(&mut self.way, content, end) {
            Told::Nothing => {}
            Told::Tail(text, at) => teller.tell(Delta::new(kind, text, source.at(&content[at]))),
            Told::Instead(text) => teller.tell(Delta { part: Part::Whole, ..Delta::new(kind, text, 0..0) }),
        }
    }

    fn call<'a>(&mut self, source: &Source<'a>, call: &Call<'a>, place: u64, end: End, teller: &mut Teller<'_>) {
        let function = call.function.and_then(json::members::<Function<'_>>).unwrap_or_default();
        let index = count(call.index).unwrap_or(place);
        let at = self.calls.iter().position(|known| known.index == index).unwrap_or_else(|| {
            self.calls.push(Calling { index, ..Calling::default() });
            self.calls.len() - 1
        });
        let calling = &mut self.calls[at];
        let id = word(call.id).filter(|id| *id != calling.id);
        let name = word(function.name).filter(|name| *name != calling.name);
        if let Some(id) = &id {
            calling.id = id.clone().into_owned();
        }
        if let Some(name) = &name {
            calling.name = name.clone().into_owned();
        }
        let told = match function.arguments {
            // Arguments that are no string but an object come whole.
            Some(raw) if json::content(raw).is_none() => Told::Instead(raw.get().to_owned()),
            raw => raw.and_then(json::content).map_or(Told::Nothing, |content| calling.arguments.more(&mut self.way, content, end)),
        };
        let (text, at_text, whole) = match told {
            Told::Nothing if id.is_none() && name.is_none() => return,
            Told::Nothing => (Cow::Borrowed(""), 0..0, false),
            Told::Tail(text, at) => {
                let content = function.arguments.and_then(json::content).unwrap_or_default();
                (text, source.at(&content[at]), false)
            }
            Told::Instead(text) => (Cow::Owned(text), 0..0, true),
        };
        let part = Part::Tool { index: self.first_key + at as u64, id, name, whole };
        teller.tell(Delta { kind: DeltaKind::ToolCall, text, at: at_text, part });
    }

    fn finish(&mut self, source: &Source<'_>, raw: Option<Raw<'_>>, teller: &mut Teller<'_>) {
        let Some((raw, word)) = raw.and_then(|raw| Some((raw, word(Some(raw))?))) else {
            return;
        };
        // While the reply goes on, the reason is the word null.
        if word == "null" || self.finished {
            return;
        }
        self.finished = true;
        teller.finish(&word, source.place(raw));
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Text,
    Reasoning,
}

/// What a reason to finish tells of the text's end. A call ends the reply without its text being said again.
fn end(finish: Option<Raw<'_>>) -> End {
    match word(finish).as_deref() {
        None | Some("null") => End::Open,
        Some("tool_calls") => End::Elsewhere,
        Some(_) => End::Here,
    }
}
