//! Decodes the server's messages of a live session.

use std::borrow::Cow;

use crate::delta::Part;
use crate::gemini::calls::Calls;
use crate::gemini::{fault, parts, usage};
use crate::json::{self, Raw, Source, object_of, truthy, word};
use crate::report;
use crate::strange;
use crate::teller::Teller;
use crate::{Decoder, Delta, DeltaKind, Payload, Status};

object_of! {
    /// A message of the server's: one or several of these.
    Message {
        setup: "setupComplete",
        content: "serverContent",
        call: "toolCall",
        cancellation: "toolCallCancellation",
        usage: "usageMetadata",
        go_away: "goAway",
        resumption: "sessionResumptionUpdate",
        error: "error",
    }
}

object_of! {
    /// `serverContent`.
    Content {
        turn: "modelTurn",
        generated: "generationComplete",
        complete: "turnComplete",
        reason: "turnCompleteReason",
        interrupted: "interrupted",
        heard: "inputTranscription",
        spoken: "outputTranscription",
        grounding: "groundingMetadata",
        urls: "urlContextMetadata",
        waiting: "waitingForInput",
        status: "interactionStatus",
    }
}

object_of! {
    /// Members of the smaller objects.
    Inner {
        parts: "parts",
        text: "text",
        calls: "functionCalls",
        ids: "ids",
        time_left: "timeLeft",
        handle: "newHandle",
        resumable: "resumable",
        session: "sessionId",
    }
}

object_of! {
    /// A message of the client's.
    Sent {
        content: "clientContent",
        realtime: "realtimeInput",
        response: "toolResponse",
    }
}

object_of! {
    /// Members of what the client says.
    Said {
        turns: "turns",
        complete: "turnComplete",
        parts: "parts",
        text: "text",
        end: "activityEnd",
        stream_end: "audioStreamEnd",
        responses: "functionResponses",
    }
}

/// A smaller object and what is known of it.
fn inner(raw: Option<Raw<'_>>) -> Option<(Raw<'_>, Inner<'_>)> {
    raw.map(|raw| (raw, json::members(raw).unwrap_or_default()))
}

/// The decoder: what must be remembered from message to message.
#[derive(Default)]
pub(super) struct Live {
    /// The error status of the handshake, if it was refused.
    refused: Option<u16>,
    calls: Calls,
    /// The server tells whether it is still at work: then its turn is over when it says that it is idle.
    tells_status: bool,
    /// The turn was completed, by `turnComplete`.
    completed: bool,
    /// Nothing more comes until the client says something.
    ended: bool,
    failed: bool,
}

impl Decoder for Live {
    fn status(&mut self, status: &Status) {
        self.refused = (status.code >= 300).then_some(status.code);
    }

    /// Text or binary: both hold JSON, and the server uses the latter.
    fn payload(&mut self, payload: Payload<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
        let mut teller = Teller::new(sink);
        Source::with(payload.bytes(), |source| self.message(&source, &mut teller));
    }

    fn whole(&self) -> bool {
        self.ended && !self.failed
    }

    fn ended(&self) -> bool {
        self.ended
    }

    fn sent(&mut self, message: &[u8], sink: &mut dyn FnMut(Delta<'_>)) {
        let mut teller = Teller::new(sink);
        Source::with(message, |source| {
            let sent = json::object::<Sent<'_>>(source.text).unwrap_or_default();
            if let Some(said) = sent.content.and_then(json::members::<Said<'_>>) {
                let last = said.turns.map(json::elements).and_then(|turns| turns.last().copied());
                if truthy(said.complete).is_some() {
                    let parts = last.and_then(json::members::<Said<'_>>).and_then(|turn| turn.parts);
                    self.begin(&source, &parts.map(json::elements).unwrap_or_default(), &mut teller);
                }
            }
            if let Some(said) = sent.realtime.and_then(json::members::<Said<'_>>) {
                if said.text.is_some() {
                    self.begin(&source, &sent.realtime.into_iter().collect::<Vec<_>>(), &mut teller);
                } else if said.end.is_some() || said.stream_end.is_some() {
                    self.begin(&source, &[], &mut teller);
                }
            }
            if let Some(said) = sent.response.and_then(json::members::<Said<'_>>) {
                self.begin(&source, &[], &mut teller);
                if let Some(responses) = said.responses {
                    teller.tell(Delta::new(DeltaKind::Said, responses.get(), source.at(responses.get())));
                }
            }
        });
    }
}

impl Live {
    /// The client wants a reply to what it says in `parts`.
    fn begin(&mut self, source: &Source<'_>, parts: &[Raw<'_>], teller: &mut Teller<'_>) {
        for part in parts {
            let text = json::members::<Said<'_>>(*part).and_then(|part| part.text);
            teller.text(DeltaKind::Said, source, text);
        }
        self.ended = false;
        self.completed = false;
    }

    fn message(&mut self, source: &Source<'_>, teller: &mut Teller<'_>) {
        if let Some(status) = self.refused {
            self.failed = true;
            return fault::of_body(source, status, teller);
        }
        let Some(message) = json::object::<Message<'_>>(source.text) else {
            self.failed |= strange::tell(source, "a message of Gemini Live", teller);
            return;
        };
        if let Some((_, setup)) = inner(message.setup) {
            teller.control("setupComplete", setup.session.map_or(0..0, |id| source.place(id)));
        }
        let content = message.content.map(|raw| json::members::<Content<'_>>(raw).unwrap_or_default());
        if let Some(content) = &content {
            self.content(source, content, teller);
        }
        let called = inner(message.call);
        if let Some(calls) = called.as_ref().and_then(|(_, call)| call.calls) {
            json::each(calls, |raw| {
                self.calls.tell(source, raw, teller);
            });
        }
        if let Some((raw, cancellation)) = inner(message.cancellation) {
            let ids: Vec<_> = cancellation.ids.map(json::elements).unwrap_or_default().into_iter().map(json::shown).collect();
            teller.control(format!("toolCallCancellation {}", ids.join(" ")).trim_end(), source.at(raw.get()));
        }
        if let Some((raw, update)) = inner(message.resumption) {
            let resumable = truthy(update.resumable).is_some();
            let words = match word(update.handle).filter(|_| resumable) {
                Some(handle) => Cow::Owned(format!("sessionResumptionUpdate {handle}")),
                None => Cow::Borrowed("sessionResumptionUpdate, not resumable now"),
            };
            teller.control(&words, update.handle.map_or(source.at(raw.get()), |handle| source.place(handle)));
        }
        if let Some((raw, away)) = inner(message.go_away) {
            let left = word(away.time_left);
            let words = left.map_or(Cow::Borrowed("goAway"), |left| Cow::Owned(format!("goAway in {left}")));
            teller.control(&words, away.time_left.map_or(source.at(raw.get()), |left| source.place(left)));
        }
        if let Some(delta) = message.usage.and_then(|usage| usage::delta(source, usage)) {
            teller.tell(delta);
        }
        if let Some(error) = truthy(message.error) {
            self.failed = true;
            self.ended = true;
            fault::of_member(source, error, teller);
        }
        if let Some(content) = &content {
            self.turn(source, content, teller);
        }
        if called.is_some() {
            // The server waits for the results, and no word of an end comes before them.
            teller.finish("toolCall", 0..0);
            self.end("toolCall", teller);
        }
        if teller.told() == 0 {
            self.quiet(source, content.is_some(), teller);
        }
    }

    /// What the message says of the reply.
    fn content(&mut self, source: &Source<'_>, content: &Content<'_>, teller: &mut Teller<'_>) {
        if let Some(parts) = inner(content.turn).and_then(|(_, turn)| turn.parts) {
            parts::tell(source, parts, &mut self.calls, teller);
        }
        // What is spoken comes as sound, and as text only here.
        teller.text(DeltaKind::Text, source, inner(content.spoken).and_then(|(_, spoken)| spoken.text));
        if let Some(text) = inner(content.heard).and_then(|(_, heard)| heard.text) {
            teller.control(&format!("inputTranscription {}", json::shown(text)), source.place(text));
        }
        for (name, value) in [
            ("groundingMetadata", content.grounding),
            ("urlContextMetadata", content.urls),
            ("generationComplete", content.generated),
            ("interrupted", content.interrupted),
            ("waitingForInput", content.waiting),
        ] {
            if let Some(value) = truthy(value) {
                teller.control(name, source.at(value.get()));
            }
        }
    }

    /// Whether the turn is over: `turnComplete` says so, but where the server tells its status only `IDLE` does.
    fn turn(&mut self, source: &Source<'_>, content: &Content<'_>, teller: &mut Teller<'_>) {
        let status = word(content.status);
        if let (Some(status), Some(raw)) = (&status, content.status) {
            self.tells_status = true;
            teller.control(&format!("interactionStatus {status}"), source.place(raw));
        }
        if truthy(content.complete).is_some() {
            self.calls.close(teller);
            self.completed = true;
            match content.reason.filter(|reason| word(Some(*reason)).is_some_and(|word| word != "TURN_COMPLETE_REASON_UNSPECIFIED")) {
                Some(reason) => teller.finish(&json::shown(reason), source.place(reason)),
                None => teller.finish("turnComplete", 0..0),
            }
        }
        let over = if self.tells_status { status.as_deref().is_some_and(|status| status == "IDLE") } else { self.completed };
        if over && !self.ended {
            self.end(if self.tells_status { "IDLE" } else { "turnComplete" }, teller);
        }
    }

    fn end(&mut self, word: &'static str, teller: &mut Teller<'_>) {
        self.ended = true;
        teller.tell(Delta { part: Part::End, ..Delta::new(DeltaKind::Control, word, 0..0) });
    }

    /// A message of which nothing was understood.
    fn quiet(&mut self, source: &Source<'_>, ours: bool, teller: &mut Teller<'_>) {
        if ours {
            return teller.control("serverContent", 0..0);
        }
        let Ok(raw) = json::value(source.text) else {
            return teller.unknown("not JSON");
        };
        if let Some(report) = report::in_success(source, raw) {
            self.failed = true;
            return teller.tell(report.delta());
        }
        // Members that are yet to be invented: a message of one is named by it.
        let mut names = Vec::new();
        json::keys(raw, |key| names.push(key));
        match &names[..] {
            [only] => teller.control(only, source.at(raw.get())),
            _ => teller.unknown(&format!("{}, not a message of Gemini Live", json::shape(raw))),
        }
    }
}
