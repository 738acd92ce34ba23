//! Decodes `GenerateContentResponse` objects, however they are framed.

use crate::delta::Part;
use crate::json::{self, Raw, Source, count, object_of, truthy, word};
use crate::strange;
use crate::teller::Teller;
use crate::{Decoder, Delta, DeltaKind, Payload, Status};

use super::calls::Calls;
use super::{fault, parts, usage};

object_of! {
    /// A response, or what a stream has of it.
    Frame {
        candidates: "candidates",
        usage: "usageMetadata",
        feedback: "promptFeedback",
        id: "responseId",
        model: "modelVersion",
        error: "error",
    }
    only candidate: Candidate = "candidates"
}

object_of! {
    /// One candidate.
    Candidate {
        index: "index",
        content: "content",
        finish: "finishReason",
        message: "finishMessage",
        citations: "citationMetadata",
        grounding: "groundingMetadata",
        urls: "urlContextMetadata",
        logprobs: "logprobsResult",
        safety: "safetyRatings",
    }
}

object_of! {
    /// A candidate's content.
    Content {
        parts: "parts",
    }
}

object_of! {
    /// `promptFeedback`.
    Feedback {
        reason: "blockReason",
        message: "blockReasonMessage",
    }
}

/// The decoder: what must be remembered from payload to payload.
#[derive(Default)]
pub(crate) struct Gemini {
    /// The error status of the response, if it has one.
    refused: Option<u16>,
    calls: Calls,
    /// The response's id, as sent.
    id: String,
    /// The candidate that makes up the reply: the first that came.
    candidate: Option<u64>,
    /// A reason to finish came.
    finished: bool,
    /// A body came that was not a stream.
    complete: bool,
    /// The peer reported an error.
    failed: bool,
}

impl Decoder for Gemini {
    fn status(&mut self, status: &Status) {
        self.refused = (status.code >= 300).then_some(status.code);
    }

    fn payload(&mut self, payload: Payload<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
        let mut teller = Teller::new(sink);
        match payload {
            Payload::Event { data, .. } => self.piece(&Source::new(data), &mut teller),
            Payload::Body(bytes) => Source::with(bytes, |source| self.body(&source, &mut teller)),
            other => Source::with(other.bytes(), |source| self.piece(&source, &mut teller)),
        }
    }

    /// The end of the stream is the end of the reply, once a candidate has said why it finished.
    fn whole(&self) -> bool {
        self.finished && !self.failed
    }

    /// Never within a stream: usage may follow the reason to finish, and only the end says that nothing does.
    fn ended(&self) -> bool {
        self.complete
    }
}

impl Gemini {
    /// One object of a stream.
    fn piece(&mut self, source: &Source<'_>, teller: &mut Teller<'_>) {
        if let Some(status) = self.refused {
            self.failed = true;
            return fault::of_body(source, status, teller);
        }
        match json::object::<Frame<'_>>(source.text) {
            Some(frame) => self.frame(source, &frame, teller),
            None => self.foreign(source, teller),
        }
    }

    /// A body that is no stream: a response, an array of them, or an error.
    fn body(&mut self, source: &Source<'_>, teller: &mut Teller<'_>) {
        if let Some(raw) = json::value(source.text).ok().filter(|raw| self.refused.is_none() && raw.get().starts_with('[')) {
            let mut frames = 0;
            json::each(raw, |element| {
                if let Some(frame) = json::members::<Frame<'_>>(element) {
                    frames += 1;
                    self.frame(source, &frame, teller);
                }
            });
            if frames == 0 {
                self.foreign(source, teller);
            }
        } else {
            self.piece(source, teller);
        }
        self.complete = true;
    }

    fn foreign(&mut self, source: &Source<'_>, teller: &mut Teller<'_>) {
        if source.text.trim() == "[DONE]" {
            // Not of this dialect, but gateways send it.
            return teller.control("[DONE]", 0..0);
        }
        if json::value(source.text).is_ok_and(|raw| fault::tell(source, raw, teller)) || strange::tell(source, "a Gemini response", teller)
        {
            self.failed = true;
        }
    }

    fn frame(&mut self, source: &Source<'_>, frame: &Frame<'_>, teller: &mut Teller<'_>) {
        let before = teller.told();
        if let Some(id) = frame.id.filter(|id| json::content(*id).is_some_and(|id| !id.is_empty() && id != self.id)) {
            let content = json::content(id).unwrap_or_default();
            content.clone_into(&mut self.id);
            teller.tell(Delta { part: Part::Id, ..Delta::new(DeltaKind::Control, json::unescaped(content), source.at(content)) });
        }
        let named = teller.told();
        if let Some(candidate) = &frame.candidate {
            self.candidate(source, candidate, teller);
        } else if let Some(list) = frame.candidates {
            json::each(list, |raw| {
                if let Some(candidate) = json::members::<Candidate<'_>>(raw) {
                    self.candidate(source, &candidate, teller);
                }
            });
        }
        if let Some(feedback) = frame.feedback.and_then(json::members::<Feedback<'_>>) {
            self.blocked(source, &feedback, teller);
        }
        if let Some(delta) = frame.usage.and_then(|usage| usage::delta(source, usage)) {
            teller.tell(delta);
        }
        if let Some(error) = truthy(frame.error) {
            self.failed = true;
            fault::of_member(source, error, teller);
        }
        if teller.told() > named {
            return;
        }
        let ours = frame.candidates.is_some() || frame.feedback.is_some() || frame.usage.is_some() || frame.model.is_some();
        if ours {
            let word = if frame.candidates.is_some() { "no parts" } else { "no candidates" };
            teller.control(word, 0..0);
        } else if teller.told() == before {
            self.foreign(source, teller);
        }
    }

    fn candidate(&mut self, source: &Source<'_>, candidate: &Candidate<'_>, teller: &mut Teller<'_>) {
        let index = count(candidate.index).unwrap_or(0);
        if *self.candidate.get_or_insert(index) != index {
            // Another of several candidates: shown, but mixed into the reply it would garble it.
            return teller.control(&format!("candidate {index}"), candidate.content.map_or(0..0, |raw| source.at(raw.get())));
        }
        if let Some(parts) = candidate.content.and_then(json::members::<Content<'_>>).and_then(|content| content.parts) {
            parts::tell(source, parts, &mut self.calls, teller);
        }
        for (word, value) in [
            ("citationMetadata", candidate.citations),
            ("groundingMetadata", candidate.grounding),
            ("urlContextMetadata", candidate.urls),
            ("logprobsResult", candidate.logprobs),
        ] {
            tell_value(source, word, truthy(value), teller);
        }
        let reason = candidate.finish.filter(|raw| word(Some(*raw)).is_some_and(|word| word != "FINISH_REASON_UNSPECIFIED"));
        let Some(reason) = reason else {
            return;
        };
        self.finished = true;
        self.calls.close(teller);
        let word = json::shown(reason);
        if candidate.message.is_some() {
            // Why a filter stepped in is what is said instead of a reply; of other reasons it is a note.
            let kind = if withheld(&word) { DeltaKind::Refusal } else { DeltaKind::Control };
            teller.text(kind, source, candidate.message);
        }
        if withheld(&word) {
            tell_value(source, "safetyRatings", truthy(candidate.safety), teller);
        }
        teller.finish(&word, source.place(reason));
    }

    /// A prompt that was blocked: HTTP 200, no candidates, and that is the whole reply.
    fn blocked(&mut self, source: &Source<'_>, feedback: &Feedback<'_>, teller: &mut Teller<'_>) {
        let Some(reason) = feedback.reason.filter(|raw| word(Some(*raw)).is_some_and(|word| word != "BLOCKED_REASON_UNSPECIFIED")) else {
            return;
        };
        self.finished = true;
        let word = json::shown(reason);
        if !teller.text(DeltaKind::Refusal, source, feedback.message) {
            teller.tell(Delta::new(DeltaKind::Refusal, format!("The prompt was blocked: {word}."), 0..0));
        }
        teller.finish(&word, source.place(reason));
    }
}

/// Whether the reason says that the reply was held back for what it holds.
fn withheld(reason: &str) -> bool {
    matches!(reason, "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "MODEL_ARMOR" | "LANGUAGE" | "IMAGE_SAFETY")
        || matches!(reason, "IMAGE_PROHIBITED_CONTENT" | "IMAGE_RECITATION")
}

fn tell_value(source: &Source<'_>, word: &str, value: Option<Raw<'_>>, teller: &mut Teller<'_>) {
    if let Some(value) = value {
        teller.control(word, source.at(value.get()));
    }
}
