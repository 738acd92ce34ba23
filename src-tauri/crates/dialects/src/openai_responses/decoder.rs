//! Decodes Responses events and whole response objects.

use std::borrow::Cow;
use std::collections::HashMap;

use super::calls::{Calls, Ties};
use super::kept::Kept;
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
        id: "id",
        status: "status",
        error: "error",
        incomplete: "incomplete_details",
        output: "output",
        usage: "usage",
    }
}

object_of! {
    /// A message that the client sends.
    Sent {
        kind: "type",
        stream_id: "stream_id",
        input: "input",
    }
}

object_of! {
    /// An input item.
    Input {
        kind: "type",
        role: "role",
        content: "content",
        output: "output",
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
        encrypted: "encrypted_content",
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
    /// What was said of each kind of text, in the order of [`Stream`].
    kept: [Kept; 4],
    /// The seal on the reasoning told last.
    sealed: String,
    /// The response's id, once told.
    id: String,
    /// Responses the client asked for that are not over yet; 0 where nobody told what it sent.
    waiting: u32,
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
            Payload::Line(bytes) | Payload::Message(bytes) | Payload::Element(bytes) | Payload::Record { data: bytes, .. } => {
                Source::with(bytes, |source| self.piece(&source, "", &mut teller))
            }
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

    /// `response.create` asks for another response on its lane, behind those under way; `response.steer` puts in a word.
    fn sent(&mut self, message: &[u8], sink: &mut dyn FnMut(Delta<'_>)) {
        let mut teller = Teller::new(sink);
        Source::with(message, |source| {
            let Some(sent) = json::object::<Sent<'_>>(source.text) else {
                return;
            };
            let kind = word(sent.kind).unwrap_or_default();
            if kind == "response.create" {
                let lane = self.lane(sent.stream_id);
                let lane = self.at(lane);
                if lane.waiting == 0 {
                    lane.renew();
                }
                lane.waiting = lane.waiting.saturating_add(1);
                lane.ended = false;
                lane.whole = false;
            }
            if matches!(&*kind, "response.create" | "response.steer")
                && let Some(input) = sent.input
            {
                tell_input(&source, input, &mut teller);
            }
        });
    }
}

/// Tells what the user says in `input`: a text, or the texts of the user's items and the results of tools.
fn tell_input(source: &Source<'_>, input: Raw<'_>, teller: &mut Teller<'_>) {
    if teller.text(DeltaKind::Said, source, Some(input)) {
        return;
    }
    json::each(input, |raw| {
        let Some(item) = json::members::<Input<'_>>(raw) else {
            return;
        };
        if word(item.role).is_some_and(|role| role != "user") {
            return;
        }
        let content = item.content.or(item.output);
        if teller.text(DeltaKind::Said, source, content) {
            return;
        }
        if let Some(parts) = content {
            json::each(parts, |raw| {
                let part = json::members::<ContentPart<'_>>(raw).unwrap_or_default();
                teller.text(DeltaKind::Said, source, part.text);
            });
        }
    });
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
        let lane = match self.lanes.iter().position(|lane| lane.waiting > 0) {
            // An error of no lane, where all have names: of the one that waits longest.
            Some(waiting) if kind == "error" && event.stream_id.is_none() && !self.names.contains_key("") => waiting,
            _ => self.lane(event.stream_id),
        };
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
        self.at(lane).fail(true);
        teller.tell(report.delta());
    }

    /// A response that ended as failed; an error event that came before it told the same failure.
    fn gave_up(&mut self, lane: usize, report: Report<'_>, teller: &mut Teller<'_>) {
        self.at(lane).fail(false);
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
            "response.created" | "response.queued" | "response.in_progress" => {
                let known = event.response.and_then(json::members::<Response<'_>>).and_then(|response| response.id);
                let state = self.at(lane);
                if kind == "response.created" || state.ended {
                    state.renew();
                }
                if known.and_then(json::content).is_some_and(|id| id != state.id) {
                    teller.control(kind, event.kind.map_or(0..0, |raw| source.place(raw)));
                    state.name(source, known, teller);
                }
            }
            // The last is what Realtime calls it, and some gateways with it.
            "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled" | "response.done" => {
                match event.response {
                    Some(response) => self.over(source, lane, kind, response, teller),
                    None if kind == "response.failed" => self.gave_up(lane, Report::plain("the response failed, without a reason"), teller),
                    None => {
                        self.at(lane).over(true);
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
        let Some(content) = text.and_then(json::content).filter(|content| !content.is_empty()) else {
            return;
        };
        let said = json::unescaped(content);
        let lane = self.at(lane);
        lane.kept[stream as usize].push(output, part, &said);
        lane.seen(stream).mark(output, part);
        teller.tell(Delta::new(stream.kind(), said, source.at(content)));
    }

    /// A part's whole text: told only if its deltas were not, or said something else.
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
        let lane = self.at(lane);
        if !lane.seen(stream).part(output, part) {
            if let Some(said) = text.and_then(json::string).filter(|said| !said.is_empty()) {
                lane.kept[stream as usize].push(output, part, &said);
            }
            if teller.text(stream.kind(), source, text) {
                lane.seen(stream).mark(output, part);
            }
            return;
        }
        let whole = text.and_then(json::string).and_then(|said| lane.kept[stream as usize].corrected(output, part, &said));
        if let Some(whole) = whole {
            teller.tell(Delta { part: Part::Whole, ..Delta::new(stream.kind(), whole, 0..0) });
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
        // Valid in the item's final form alone.
        if let Some((raw, seal)) = item.encrypted.and_then(|raw| Some((raw, word(Some(raw))?)))
            && lane.sealed != *seal
        {
            lane.sealed = seal.clone().into_owned();
            teller.tell(Delta { part: Part::Signature { call: None }, ..Delta::new(DeltaKind::Control, seal, source.place(raw)) });
        }
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
        self.at(lane).name(source, response.id, teller);
        teller.usage(source, response.usage);
        let status = word(response.status).unwrap_or_else(|| kind.strip_prefix("response.").unwrap_or(kind).to_owned().into());
        let error = truthy(response.error);
        if let Some(error) = error {
            self.gave_up(lane, report::of_member(source, error), teller);
        } else if status == "failed" {
            self.gave_up(lane, Report::plain("the response failed, without a reason"), teller);
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
        let steered = finish == "steered";
        self.at(lane).over(!steered);
        if !steered {
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

    /// Another response begins on the lane.
    fn renew(&mut self) {
        *self = Lane { waiting: self.waiting, ..Lane::default() };
    }

    /// The response is over; with `last` nothing follows it but what was asked for besides.
    fn over(&mut self, last: bool) {
        if last && !self.ended && !self.failed {
            self.waiting = self.waiting.saturating_sub(1);
        }
        self.whole = true;
        self.ended = last && self.waiting == 0;
    }

    /// The peer refused, or gave up. Unless it is `another` failure, it is the one that was told before, if one was.
    fn fail(&mut self, another: bool) {
        if another || !self.failed {
            self.waiting = self.waiting.saturating_sub(1);
        }
        self.failed = true;
        self.ended = self.waiting == 0;
    }

    /// Tells the response's id, once.
    fn name(&mut self, source: &Source<'_>, id: Option<Raw<'_>>, teller: &mut Teller<'_>) {
        let Some((raw, id)) = id.and_then(|raw| Some((raw, word(Some(raw))?))).filter(|(_, id)| *id != self.id) else {
            return;
        };
        self.id = id.clone().into_owned();
        teller.tell(Delta { part: Part::Id, ..Delta::new(DeltaKind::Control, id, source.place(raw)) });
    }

    /// A part or item begins.
    fn begin(&mut self) {
        self.kept.iter_mut().for_each(Kept::begin);
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
