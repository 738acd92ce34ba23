//! Decodes Responses events and whole response objects.

use std::borrow::Cow;
use std::collections::HashMap;

use super::calls::{Calls, Ties};
use super::seen::Seen;
use crate::delta::Part;
use crate::json::{self, Raw, Source, count, object_of, truthy, word};
use crate::report::{self, Report};
use crate::teller::Teller;
use crate::{Decoder, Delta, DeltaKind, Payload, Status};

object_of! {
    /// An event, or a whole response object.
    Event {
        kind: "type",
        delta: "delta",
        text: "text",
        refusal: "refusal",
        arguments: "arguments",
        input: "input",
        name: "name",
        call_id: "call_id",
        item_id: "item_id",
        output_index: "output_index",
        content_index: "content_index",
        summary_index: "summary_index",
        stream_id: "stream_id",
        item: "item",
        part: "part",
        response: "response",
        error: "error",
        object: "object",
        output: "output",
    }
}

object_of! {
    /// A response object.
    Response {
        status: "status",
        error: "error",
        incomplete: "incomplete_details",
        output: "output",
        usage: "usage",
    }
}

object_of! {
    /// Why a response is incomplete.
    Incomplete {
        reason: "reason",
    }
}

object_of! {
    /// An output item.
    Item {
        kind: "type",
        id: "id",
        call_id: "call_id",
        name: "name",
        arguments: "arguments",
        input: "input",
        content: "content",
        summary: "summary",
    }
}

object_of! {
    /// A part of an item's content or summary.
    ContentPart {
        kind: "type",
        text: "text",
        refusal: "refusal",
    }
}

/// The decoder: what must be remembered from payload to payload.
#[derive(Default)]
pub(super) struct Responses {
    /// The error status of the response, if it has one.
    refused: Option<u16>,
    /// One for every `stream_id` seen; events without one share the first.
    lanes: Vec<Lane>,
    /// Which lane a `stream_id` (as sent) has; "" for none.
    names: HashMap<String, usize>,
    /// The next call's key. Never starts again: on a socket the next response numbers its items from 0.
    next_key: u64,
}

/// The responses of one `stream_id`, one after another.
#[derive(Default)]
struct Lane {
    calls: Calls,
    text: Seen,
    reasoning: Seen,
    summary: Seen,
    refusal: Seen,
    /// Nothing more comes of its response, unless another is created.
    ended: bool,
    /// The terminal event came.
    whole: bool,
    /// The peer reported an error.
    failed: bool,
}

impl Decoder for Responses {
    fn status(&mut self, status: &Status) {
        self.refused = (status.code >= 300).then_some(status.code);
    }

    fn payload(&mut self, payload: Payload<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
        let mut teller = Teller::new(sink);
        match payload {
            Payload::Event { event, data } => self.piece(&Source::new(data), event, &mut teller),
            Payload::Line(bytes) | Payload::Message(bytes) | Payload::Element(bytes) | Payload::Record { data: bytes, .. } => Source::with(bytes, |source| self.piece(&source, "", &mut teller)),
            Payload::Body(bytes) => Source::with(bytes, |source| match report::of_page(&source) {
                Some(page) => self.fail(0, page, &mut teller),
                None => self.piece(&source, "", &mut teller),
            }),
        }
    }

    fn whole(&self) -> bool {
        !self.lanes.is_empty() && self.lanes.iter().all(|lane| lane.whole && !lane.failed)
    }

    fn ended(&self) -> bool {
        !self.lanes.is_empty() && self.lanes.iter().all(|lane| lane.ended)
    }
}

impl Responses {
    /// One payload: an event of a stream, or a whole body.
    fn piece(&mut self, source: &Source<'_>, name: &str, teller: &mut Teller<'_>) {
        if let Some(status) = self.refused {
            return self.fail(0, report::of_body(source, status), teller);
        }
        let Some(event) = json::object::<Event<'_>>(source.text) else {
            return self.foreign(source, name, teller);
        };
        // `type` in the data, or for peers that leave it out the event's name.
        let kind = match word(event.kind) {
            Some(kind) => kind,
            None if !matches!(name, "" | "message") => Cow::Borrowed(name),
            None => return self.untyped(source, &event, teller),
        };
        let lane = self.lane(event.stream_id);
        self.event(source, lane, &kind, &event, teller);
        if teller.told() == 0 {
            match truthy(event.error) {
                Some(error) if !kind.starts_with("response.") => self.fail(lane, report::of_member(source, error), teller),
                // Every other event has a name, which is all there is to say of it.
                _ => teller.control(&kind, event.kind.map_or(0..0, |raw| source.place(raw))),
            }
        }
    }

    fn fail(&mut self, lane: usize, report: Report<'_>, teller: &mut Teller<'_>) {
        let lane = self.at(lane);
        lane.failed = true;
        lane.ended = true;
        teller.tell(report.delta());
    }

    /// A lane, made if it is the first.
    fn at(&mut self, lane: usize) -> &mut Lane {
        if self.lanes.is_empty() {
            self.lanes.push(Lane::default());
            self.names.insert(String::new(), 0);
        }
        let last = self.lanes.len() - 1;
        &mut self.lanes[lane.min(last)]
    }

    /// The lane of a `stream_id`, made if it is new.
    fn lane(&mut self, id: Option<Raw<'_>>) -> usize {
        let id = id.map_or("", Raw::get);
        if id.is_empty() && self.lanes.len() == 1 && self.names.contains_key("") {
            return 0;
        }
        if let Some(at) = self.names.get(id) {
            return *at;
        }
        self.lanes.push(Lane::default());
        self.names.insert(id.to_owned(), self.lanes.len() - 1);
        self.lanes.len() - 1
    }

    /// A payload that is not a JSON object.
    fn foreign(&mut self, source: &Source<'_>, name: &str, teller: &mut Teller<'_>) {
        let text = source.text.trim();
        if text == "[DONE]" {
            // Not of this dialect, but sent: the terminal event is what counts.
            return if self.whole() { teller.end(text, source.at(text)) } else { teller.control(text, source.at(text)) };
        }
        if name == "error" {
            return self.fail(0, report::of_body(source, 200), teller);
        }
        match json::value(source.text) {
            Ok(raw) => match report::in_success(source, raw) {
                Some(report) => self.fail(0, report, teller),
                None => teller.unknown(&format!("{}, not a response event", json::shape(raw))),
            },
            Err(_) if text.is_empty() => teller.unknown("empty"),
            Err(error) => teller.unknown(&format!("not JSON: {error}")),
        }
    }

    /// A JSON object without a type: a whole response, an error, or none of ours.
    fn untyped(&mut self, source: &Source<'_>, event: &Event<'_>, teller: &mut Teller<'_>) {
        let Ok(raw) = json::value(source.text) else {
            return teller.unknown("not JSON");
        };
        let lane = self.lane(event.stream_id);
        let is_response = word(event.object).is_some_and(|object| object == "response")
            || event.output.is_some_and(|output| output.get().starts_with('['));
        if is_response {
            return self.over(source, lane, "response", raw, teller);
        }
        match report::in_success(source, raw) {
            Some(report) => self.fail(lane, report, teller),
            None => teller.unknown(&format!("{}, not a response event", json::shape(raw))),
        }
    }

    fn event<'a>(&mut self, source: &Source<'a>, lane: usize, kind: &str, event: &Event<'a>, teller: &mut Teller<'_>) {
        let output = count(event.output_index);
        let part = count(event.content_index.or(event.summary_index)).unwrap_or(0);
        match kind {
            "response.output_text.delta" => self.fresh(source, lane, Stream::Text, output, part, event.delta, teller),
            "response.reasoning_text.delta" => self.fresh(source, lane, Stream::Reasoning, output, part, event.delta, teller),
            // The second name is an older spelling of the first.
            "response.reasoning_summary_text.delta" | "response.reasoning_summary.delta" => {
                self.fresh(source, lane, Stream::Summary, output, part, event.delta, teller)
            }
            "response.refusal.delta" => self.fresh(source, lane, Stream::Refusal, output, part, event.delta, teller),
            "response.output_text.done" => self.part(source, lane, Stream::Text, output, part, event.text, teller),
            "response.reasoning_text.done" => self.part(source, lane, Stream::Reasoning, output, part, event.text, teller),
            "response.reasoning_summary_text.done" => self.part(source, lane, Stream::Summary, output, part, event.text, teller),
            "response.refusal.done" => self.part(source, lane, Stream::Refusal, output, part, event.refusal, teller),
            "response.content_part.added" | "response.reasoning_summary_part.added" => self.at(lane).begin(),
            "response.content_part.done" | "response.reasoning_summary_part.done" => {
                let summary = kind == "response.reasoning_summary_part.done";
                if let Some(said) = event.part.and_then(json::members::<ContentPart<'_>>) {
                    let (stream, text) = said.stream(summary);
                    self.part(source, lane, stream, output, part, text, teller);
                }
            }
            "response.output_item.added" => {
                self.at(lane).begin();
                if let Some(item) = event.item.and_then(json::members::<Item<'_>>).filter(Item::is_call) {
                    self.open_call(source, lane, output, &item, teller);
                }
            }
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                let at = self.call(lane, output, event.item_id, event.call_id);
                self.fragment(source, lane, at, event.delta, teller);
            }
            "response.function_call_arguments.done" | "response.custom_tool_call_input.done" => {
                let at = self.call(lane, output, event.item_id, event.call_id);
                self.settle(source, lane, at, event.call_id, event.name, event.arguments.or(event.input), teller);
            }
            "response.output_item.done" => {
                if let Some(item) = event.item.and_then(json::members::<Item<'_>>) {
                    self.item(source, lane, output, &item, teller);
                }
            }
            "response.created" => *self.at(lane) = Lane::default(),
            "response.queued" | "response.in_progress" if self.at(lane).ended => *self.at(lane) = Lane::default(),
            // The last is what Realtime calls it, and some gateways with it.
            "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled" | "response.done" => {
                match event.response {
                    Some(response) => self.over(source, lane, kind, response, teller),
                    None if kind == "response.failed" => self.fail(lane, Report::plain("the response failed, without a reason"), teller),
                    None => {
                        let lane = self.at(lane);
                        lane.ended = true;
                        lane.whole = true;
                        teller.finish(kind.strip_prefix("response.").unwrap_or(kind), 0..0);
                        teller.end(kind, 0..0);
                    }
                }
            }
            "error" => {
                let report = match truthy(event.error) {
                    Some(error) if error.get().starts_with('{') => report::of_member(source, error),
                    _ => report::of_body(source, 200),
                };
                self.fail(lane, report, teller);
            }
            _ => {}
        }
    }

    /// A delta of a text.
    #[allow(clippy::too_many_arguments)]
    fn fresh(
        &mut self,
        source: &Source<'_>,
        lane: usize,
        stream: Stream,
        output: Option<u64>,
        part: u64,
        text: Option<Raw<'_>>,
        teller: &mut Teller<'_>,
    ) {
        if teller.text(stream.kind(), source, text) {
            self.at(lane).seen(stream).mark(output, part);
        }
    }

    /// A part's whole text: told only if its deltas were not.
    #[allow(clippy::too_many_arguments)]
    fn part(
        &mut self,
        source: &Source<'_>,
        lane: usize,
        stream: Stream,
        output: Option<u64>,
        part: u64,
        text: Option<Raw<'_>>,
        teller: &mut Teller<'_>,
    ) {
        let seen = self.at(lane).seen(stream);
        if !seen.part(output, part) && teller.text(stream.kind(), source, text) {
            seen.mark(output, part);
        }
    }

    /// A whole item: what of it was not told yet.
    fn item<'a>(&mut self, source: &Source<'a>, lane: usize, output: Option<u64>, item: &Item<'a>, teller: &mut Teller<'_>) {
        if item.is_call() {
            let at = self.call(lane, output, item.id, item.call_id);
            self.settle(source, lane, at, item.call_id, item.name, item.arguments.or(item.input), teller);
            if let Some(call) = self.at(lane).calls.get(at) {
                call.done = true;
            }
            return;
        }
        let lane = self.at(lane);
        // Raw reasoning and its summary are two views of one thought: where one was told, the item's copy of the other is not.
        let thought = lane.reasoning.item(output) || lane.summary.item(output);
        let before = [lane.text.item(output), thought, thought, lane.refusal.item(output)];
        for (list, summary) in [(item.summary, true), (item.content, false)] {
            let Some(list) = list else { continue };
            let mut part = 0;
            json::each(list, |raw| {
                if let Some(said) = json::members::<ContentPart<'_>>(raw) {
                    let (stream, text) = said.stream(summary);
                    if !before[stream as usize] && teller.text(stream.kind(), source, text) {
                        lane.seen(stream).mark(output, part);
                    }
                }
                part += 1;
            });
        }
    }

    /// The whole response at its end: what of it was not told yet, then usage and how it ended.
    fn over<'a>(&mut self, source: &Source<'a>, lane: usize, kind: &str, raw: Raw<'a>, teller: &mut Teller<'_>) {
        let response = json::members::<Response<'_>>(raw).unwrap_or_default();
        if let Some(output) = response.output {
            let state = self.at(lane);
            let streams = [state.text.any() || state.refusal.any(), state.reasoning.any() || state.summary.any()];
            let mut index = 0;
            json::each(output, |raw| {
                if let Some(item) = json::members::<Item<'_>>(raw) {
                    let reasoning = word(item.kind).is_some_and(|kind| kind == "reasoning");
                    if item.is_call() {
                        let text = |raw: Option<Raw<'a>>| word(raw).unwrap_or_default();
                        let arguments = item.arguments.or(item.input).map(json::shown).unwrap_or_default();
                        let ties = Ties { output: None, item: &text(item.id), call: &text(item.call_id) };
                        if !self.at(lane).calls.knows(ties, &text(item.name), &arguments) {
                            self.open_call(source, lane, None, &item, teller);
                        }
                    } else if !streams[usize::from(reasoning)] {
                        self.at(lane).begin();
                        self.item(source, lane, Some(index), &item, teller);
                    }
                }
                index += 1;
            });
        }
        teller.usage(source, response.usage);
        let status = word(response.status).unwrap_or_else(|| kind.strip_prefix("response.").unwrap_or(kind).to_owned().into());
        let error = truthy(response.error);
        if let Some(error) = error {
            self.fail(lane, report::of_member(source, error), teller);
        } else if status == "failed" {
            self.fail(lane, Report::plain("the response failed, without a reason"), teller);
        }
        let reason = response.incomplete.and_then(json::members::<Incomplete<'_>>).and_then(|incomplete| incomplete.reason);
        let (finish, at) = match word(reason) {
            Some(word) => (word, reason.map_or(0..0, |raw| source.place(raw))),
            None => (Cow::Borrowed(&*status), response.status.map_or(0..0, |raw| source.place(raw))),
        };
        if matches!(&*status, "in_progress" | "queued") {
            // A background response that was only taken on.
            return teller.control(&status, at);
        }
        teller.finish(&finish, at);
        // A steered response is followed by its successor, which nobody has to ask for.
        let lane = self.at(lane);
        lane.ended = finish != "steered";
        lane.whole = true;
        if lane.ended {
            teller.end(kind, 0..0);
        }
    }

    /// A call begins.
    fn open_call<'a>(&mut self, source: &Source<'a>, lane: usize, output: Option<u64>, item: &Item<'a>, teller: &mut Teller<'_>) {
        let (item_id, name) = (word(item.id).unwrap_or_default(), word(item.name).unwrap_or_default());
        let id = word(item.call_id).unwrap_or_else(|| item_id.clone());
        let arguments = item.arguments.or(item.input);
        let text = arguments.map(json::shown).unwrap_or_default();
        let key = self.key();
        let calls = &mut self.at(lane).calls;
        let at = calls.open(key, Ties { output, item: &item_id, call: &id });
        if let Some(call) = calls.get(at) {
            call.id = id.clone().into_owned();
            call.name = name.clone().into_owned();
            call.arguments = text.clone().into_owned();
        }
        let filled = |text: Cow<'a, str>| (!text.is_empty()).then_some(text);
        let part = Part::Tool { index: key, id: filled(id), name: filled(name), whole: false };
        teller.tell(Delta { kind: DeltaKind::ToolCall, text, at: arguments.map_or(0..0, |raw| source.place(raw)), part });
    }

    fn key(&mut self) -> u64 {
        self.next_key += 1;
        self.next_key - 1
    }

    /// The call an event speaks of; one never announced is opened.
    fn call(&mut self, lane: usize, output: Option<u64>, item: Option<Raw<'_>>, id: Option<Raw<'_>>) -> usize {
        let (item, id) = (word(item).unwrap_or_default(), word(id).unwrap_or_default());
        let ties = Ties { output, item: &item, call: &id };
        match self.at(lane).calls.find(ties) {
            Some(at) => at,
            None => {
                let key = self.key();
                self.at(lane).calls.open(key, ties)
            }
        }
    }

    /// A fragment of a call's arguments.
    fn fragment(&mut self, source: &Source<'_>, lane: usize, at: usize, raw: Option<Raw<'_>>, teller: &mut Teller<'_>) {
        let (Some(raw), Some(call)) = (raw, self.at(lane).calls.get(at)) else {
            return;
        };
        let text = json::shown(raw);
        call.arguments.push_str(&text);
        let part = Part::Tool { index: call.key, id: None, name: None, whole: false };
        teller.tell(Delta { kind: DeltaKind::ToolCall, text, at: source.place(raw), part });
    }

    /// A call's final form: told only if it says more than the fragments did.
    #[allow(clippy::too_many_arguments)]
    fn settle(
        &mut self,
        source: &Source<'_>,
        lane: usize,
        at: usize,
        id: Option<Raw<'_>>,
        name: Option<Raw<'_>>,
        arguments: Option<Raw<'_>>,
        teller: &mut Teller<'_>,
    ) {
        let Some(call) = self.at(lane).calls.get(at) else {
            return;
        };
        let id = word(id).filter(|id| *id != call.id);
        let name = word(name).filter(|name| *name != call.name);
        let arguments = arguments.filter(|raw| json::shown(*raw) != call.arguments);
        if id.is_none() && name.is_none() && arguments.is_none() {
            return;
        }
        if let Some(id) = &id {
            call.id = id.clone().into_owned();
        }
        if let Some(name) = &name {
            call.name = name.clone().into_owned();
        }
        let text = arguments.map(json::shown).unwrap_or_default();
        if arguments.is_some() {
            call.arguments = text.clone().into_owned();
        }
        let part = Part::Tool { index: call.key, id, name, whole: arguments.is_some() };
        teller.tell(Delta { kind: DeltaKind::ToolCall, text, at: arguments.map_or(0..0, |raw| source.place(raw)), part });
    }
}

/// The kinds of text that come in deltas and whole.
#[derive(Clone, Copy)]
enum Stream {
    Text,
    Reasoning,
    Summary,
    Refusal,
}

impl Stream {
    fn kind(self) -> DeltaKind {
        match self {
            Stream::Text => DeltaKind::Text,
            Stream::Reasoning | Stream::Summary => DeltaKind::Reasoning,
            Stream::Refusal => DeltaKind::Refusal,
        }
    }
}

impl Lane {
    fn seen(&mut self, stream: Stream) -> &mut Seen {
        match stream {
            Stream::Text => &mut self.text,
            Stream::Reasoning => &mut self.reasoning,
            Stream::Summary => &mut self.summary,
            Stream::Refusal => &mut self.refusal,
        }
    }

    /// A part or item begins.
    fn begin(&mut self) {
        for stream in [Stream::Text, Stream::Reasoning, Stream::Summary, Stream::Refusal] {
            self.seen(stream).begin();
        }
    }
}

impl<'a> ContentPart<'a> {
    /// Which text the part is of, and the text.
    fn stream(&self, summary: bool) -> (Stream, Option<Raw<'a>>) {
        match word(self.kind).as_deref() {
            _ if summary => (Stream::Summary, self.text),
            Some("refusal") => (Stream::Refusal, self.refusal.or(self.text)),
            Some("reasoning_text" | "reasoning") => (Stream::Reasoning, self.text),
            Some("summary_text") => (Stream::Summary, self.text),
            _ => (Stream::Text, self.text),
        }
    }
}

impl Item<'_> {
    /// Whether the item is a call that the client is to answer.
    fn is_call(&self) -> bool {
        word(self.kind).is_some_and(|kind| kind == "function_call" || kind == "custom_tool_call")
    }
}
