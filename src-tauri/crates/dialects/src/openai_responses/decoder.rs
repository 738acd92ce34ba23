//! Decodes Responses events and whole response objects.

mod end;
mod lane;
mod said;
mod shapes;
mod texts;
mod tools;

use std::borrow::Cow;
use std::collections::HashMap;

use self::lane::{Lane, Stream};
use self::said::Sent;
use self::shapes::{ContentPart, Event, Item, Response};
use super::calls::Settled;
use crate::json::{self, Raw, Source, count, truthy, word};
use crate::report::{self, Report};
use crate::teller::Teller;
use crate::{Decoder, Delta, Payload, Status};

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
                said::tell(&source, input, &mut teller);
            }
        });
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
                let told = Settled { id: event.call_id, name: event.name, arguments: event.arguments.or(event.input) };
                self.settle(source, lane, at, told, teller);
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
}
