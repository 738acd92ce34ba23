//! Decodes Chat Completions: stream chunks and whole completions.

use std::borrow::Cow;
use std::collections::HashMap;

use super::halves::Halves;
use crate::delta::Part;
use crate::json::{self, Raw, Source, count, object_of, truthy, word};
use crate::media;
use crate::report::{self, Report};
use crate::teller::Teller;
use crate::{Decoder, Delta, DeltaKind, Payload, Status};

object_of! {
    /// A chunk, or a whole completion.
    Chunk {
        id: "id",
        choices: "choices",
        usage: "usage",
        error: "error",
        x_groq: "x_groq",
        progress: "prompt_progress",
        filter: "prompt_filter_results",
        object: "object",
    }
    only choice: Choice = "choices"
}

object_of! {
    /// One choice.
    Choice {
        index: "index",
        delta: "delta",
        message: "message",
        text: "text",
        finish_reason: "finish_reason",
        usage: "usage",
        error: "error",
        filter: "content_filter_results",
    }
}

object_of! {
    /// A choice's delta, or its message in a whole completion.
    Said {
        role: "role",
        content: "content",
        reasoning_content: "reasoning_content",
        reasoning: "reasoning",
        reasoning_details: "reasoning_details",
        refusal: "refusal",
        tool_calls: "tool_calls",
        function_call: "function_call",
        audio: "audio",
    }
}

object_of! {
    /// A part of a message whose content is a list, or of `reasoning_details`.
    ContentPart {
        kind: "type",
        text: "text",
        thinking: "thinking",
        refusal: "refusal",
        summary: "summary",
    }
}

object_of! {
    /// A tool call, or a fragment of one.
    ToolFragment {
        index: "index",
        id: "id",
        function: "function",
        extra: "extra_content",
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
    /// What Gemini adds to a call: `{google: {thought_signature}}`.
    Sealed {
        google: "google",
        seal: "thought_signature",
    }
}

object_of! {
    /// A piece of spoken reply.
    Sound {
        data: "data",
        transcript: "transcript",
    }
}

object_of! {
    /// What Groq adds.
    Groq {
        usage: "usage",
        error: "error",
    }
}

/// The decoder: what must be remembered from payload to payload.
#[derive(Default)]
pub(super) struct Chat {
    /// The error status of the response, if it has one.
    refused: Option<u16>,
    /// The choice that makes up the reply: the first that came. Others are shown but not mixed in.
    choice: Option<u64>,
    /// The ids of the tool calls begun, "" for none; a call's key is its place here.
    calls: Vec<String>,
    /// The last call with an `index`.
    by_index: HashMap<u64, usize>,
    /// The last call with an `id`.
    by_id: HashMap<String, usize>,
    /// Text, reasoning or a refusal came.
    spoke: bool,
    /// `[DONE]` came.
    done: bool,
    /// A whole completion came.
    complete: bool,
    /// The peer reported an error.
    failed: bool,
    /// The completion's id was told.
    named: bool,
    /// Halves of characters that wait for the other.
    halves: Halves,
}

impl Decoder for Chat {
    fn status(&mut self, status: &Status) {
        self.refused = (status.code >= 300).then_some(status.code);
    }

    fn payload(&mut self, payload: Payload<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
        let mut teller = Teller::new(sink);
        match payload {
            Payload::Event { event, data } => self.piece(&Source::new(data), event == "error", &mut teller),
            Payload::Line(bytes) | Payload::Message(bytes) | Payload::Element(bytes) | Payload::Record { data: bytes, .. } => {
                Source::with(bytes, |source| self.piece(&source, false, &mut teller))
            }
            Payload::Body(bytes) => Source::with(bytes, |source| self.body(&source, &mut teller)),
        }
    }

    /// `[DONE]` alone is no proof: vLLM sends it after an error too.
    fn whole(&self) -> bool {
        !self.failed && (self.done || self.complete)
    }

    fn ended(&self) -> bool {
        self.done || self.complete
    }
}

impl Chat {
    /// One payload of a stream.
    fn piece(&mut self, source: &Source<'_>, named_error: bool, teller: &mut Teller<'_>) {
        let text = source.text.trim();
        if text == "[DONE]" {
            self.done = true;
            self.halves.settle(teller);
            return teller.end("[DONE]", source.at(text));
        }
        if let Some(status) = self.refused {
            return self.fail(report::of_body(source, status), teller);
        }
        match json::object::<Chunk<'_>>(source.text) {
            Some(chunk) => {
                self.chunk(source, &chunk, teller);
            }
            None if named_error => return self.fail(report::of_body(source, 200), teller),
            None => return self.foreign(source, teller),
        }
        if teller.told() == 0 {
            self.unshaped(source, named_error, teller);
        }
    }

    /// A body that is no stream: a completion, or an error, whatever the request was.
    fn body(&mut self, source: &Source<'_>, teller: &mut Teller<'_>) {
        if let Some(status) = self.refused {
            return self.fail(report::of_body(source, status), teller);
        }
        match json::object::<Chunk<'_>>(source.text) {
            Some(chunk) => {
                self.complete = self.chunk(source, &chunk, teller);
            }
            None => {
                return match report::of_page(source) {
                    Some(page) => self.fail(page, teller),
                    None => self.foreign(source, teller),
                };
            }
        }
        if teller.told() == 0 {
            self.unshaped(source, false, teller);
        }
    }

    fn fail(&mut self, report: Report<'_>, teller: &mut Teller<'_>) {
        self.failed = true;
        self.halves.settle(teller);
        teller.tell(report.delta());
    }

    /// A payload that is not a JSON object.
    fn foreign(&mut self, source: &Source<'_>, teller: &mut Teller<'_>) {
        match json::value(source.text) {
            Ok(raw) => match report::in_success(source, raw) {
                Some(report) => self.fail(report, teller),
                None => teller.unknown(&format!("{}, not a chat completion", json::shape(raw))),
            },
            Err(_) if source.text.trim().is_empty() => teller.unknown("empty"),
            Err(_) if ["data:", "event:", ": "].iter().any(|start| source.text.starts_with(start)) => {
                teller.unknown("not JSON: it looks like server-sent events under another media type");
            }
            Err(error) => teller.unknown(&format!("not JSON: {error}")),
        }
    }

    /// A JSON object that said nothing as a chunk: an error in another shape, or of another dialect.
    fn unshaped(&mut self, source: &Source<'_>, named_error: bool, teller: &mut Teller<'_>) {
        let Ok(raw) = json::value(source.text) else {
            return teller.unknown("not JSON");
        };
        if named_error {
            return self.fail(report::of_body(source, 200), teller);
        }
        match report::in_success(source, raw) {
            Some(report) => self.fail(report, teller),
            None => teller.unknown(&format!("{}, not a chat completion", json::shape(raw))),
        }
    }

    /// Tells a chunk or completion; whether it has choices.
    fn chunk(&mut self, source: &Source<'_>, chunk: &Chunk<'_>, teller: &mut Teller<'_>) -> bool {
        let mut choices = 0_usize;
        let mut usage = chunk.usage;
        // What to call the chunk if it tells nothing else.
        let mut quiet = None;
        let error = truthy(chunk.error);
        if let Some(choice) = &chunk.choice {
            choices = 1;
            usage = usage.or(choice.usage);
            self.choice(source, choice, error.is_some(), &mut quiet, teller);
        } else if let Some(raw) = chunk.choices {
            let list = json::each(raw, |raw| {
                choices += 1;
                if let Some(choice) = json::members::<Choice<'_>>(raw) {
                    usage = usage.or(choice.usage);
                    self.choice(source, &choice, error.is_some(), &mut quiet, teller);
                }
            });
            if list && choices == 0 {
                quiet = Some("no choices");
            }
        }
        let groq = chunk.x_groq.and_then(json::members::<Groq<'_>>).unwrap_or_default();
        teller.usage(source, usage.or(groq.usage));
        if let Some(error) = error {
            // Read with what stands beside it: xAI puts the code there.
            let report = json::value(source.text).ok().and_then(|raw| report::in_success(source, raw));
            self.fail(report.unwrap_or_else(|| report::of_member(source, error)), teller);
        } else if let Some(error) = truthy(groq.error) {
            self.fail(report::of_member(source, error), teller);
        }
        if teller.told() == 0 {
            let word = match (quiet, chunk.progress, chunk.filter, chunk.x_groq) {
                (_, Some(_), ..) => Some("prompt_progress"),
                (_, _, Some(_), _) => Some("prompt_filter_results"),
                (None | Some("no choices"), _, _, Some(_)) => Some("x_groq"),
                (quiet, ..) if quiet.is_some() => quiet,
                _ => chunk.object.and_then(json::content).filter(|object| object.starts_with("chat.completion")).map(|_| "empty"),
            };
            if let Some(word) = word {
                teller.control(word, 0..0);
            }
        }
        if !self.named
            && let Some(id) = word(chunk.id)
            && teller.told() > 0
        {
            self.named = true;
            teller.tell(Delta { part: Part::Id, ..Delta::new(DeltaKind::Control, id, chunk.id.map_or(0..0, |raw| source.place(raw))) });
        }
        choices > 0
    }

    fn choice<'a>(
        &mut self,
        source: &Source<'a>,
        choice: &Choice<'a>,
        chunk_failed: bool,
        quiet: &mut Option<&'static str>,
        teller: &mut Teller<'_>,
    ) {
        let index = count(choice.index).unwrap_or(0);
        let before = teller.told();
        if *self.choice.get_or_insert(index) != index {
            // Another choice of an n > 1 request: shown, but mixed into the reply it would garble it.
            let said = choice.delta.or(choice.message).and_then(json::members::<Said<'_>>).unwrap_or_default();
            let at = said.content.or(choice.text).map_or(0..0, |raw| source.place(raw));
            return teller.control(&format!("choice {index}"), at);
        }
        let mut role = false;
        match (choice.delta.and_then(json::members::<Said<'_>>), choice.message.and_then(json::members::<Said<'_>>)) {
            (Some(delta), _) => {
                role = delta.role.is_some();
                self.said(source, &delta, teller);
            }
            // Some peers close a stream with the whole message once more.
            (None, Some(_)) if self.spoke || !self.calls.is_empty() => teller.control("message", 0..0),
            (None, Some(message)) => {
                role = message.role.is_some();
                self.said(source, &message, teller);
            }
            (None, None) => {}
        }
        self.spoke |= self.halves.text(DeltaKind::Text, source, choice.text, teller);
        if role && teller.told() == before && word(choice.finish_reason).is_none() {
            teller.control("role", 0..0);
        }
        if let Some(error) = truthy(choice.error) {
            self.fail(report::of_member(source, error), teller);
        }
        if let Some(reason) = choice.finish_reason.filter(|raw| word(Some(*raw)).is_some_and(|reason| reason != "null")) {
            let word = json::shown(reason);
            self.halves.settle(teller);
            if word == "error" && !chunk_failed && !self.failed {
                self.failed = true;
                let text = Cow::Borrowed("the reply ended with finish_reason error");
                teller.tell(Delta { kind: DeltaKind::Error, text, at: source.place(reason), part: Part::Error { code: "error".into() } });
            }
            teller.finish(&word, source.place(reason));
        }
        if teller.told() == before {
            *quiet = Some(if self.halves.any() {
                "half a character"
            } else if choice.filter.is_some() {
                "content_filter_results"
            } else {
                "empty"
            });
        }
    }

    fn said<'a>(&mut self, source: &Source<'a>, said: &Said<'a>, teller: &mut Teller<'_>) {
        // Two names for one thing: where a server sends both, the second says the same again.
        let reasoning = [said.reasoning_content, said.reasoning].into_iter().find(|raw| word(*raw).is_some()).flatten();
        match (reasoning, said.reasoning_details) {
            (Some(_), _) => self.spoke |= self.halves.text(DeltaKind::Reasoning, source, reasoning, teller),
            (None, Some(details)) => {
                json::each(details, |raw| {
                    let Some(detail) = json::members::<ContentPart<'_>>(raw) else {
                        return;
                    };
                    let told =
                        teller.text(DeltaKind::Reasoning, source, detail.text) || teller.text(DeltaKind::Reasoning, source, detail.summary);
                    self.spoke |= told;
                    if !told {
                        teller.control("reasoning_details", source.at(raw.get()));
                    }
                });
            }
            (None, None) => {}
        }
        if let Some(content) = said.content {
            match content.get().as_bytes().first() {
                Some(b'[') => {
                    json::each(content, |part| self.part(source, part, teller));
                }
                Some(b'{') => self.part(source, content, teller),
                _ => self.spoke |= self.halves.text(DeltaKind::Text, source, Some(content), teller),
            }
        }
        self.spoke |= self.halves.text(DeltaKind::Refusal, source, said.refusal, teller);
        if let Some(calls) = said.tool_calls {
            let mut place = 0;
            let list = json::each(calls, |raw| {
                self.call(source, raw, teller);
                place += 1;
            });
            if !list && calls.get().starts_with('{') {
                self.call(source, calls, teller);
            }
        }
        if let Some(function) = said.function_call.and_then(json::members::<Function<'_>>) {
            // The deprecated single call: an index of its own that no list reaches.
            let key = self.key(Some(u64::MAX), "", function.name.is_some());
            tell_call(source, key, "", &function, teller);
        }
        if let Some(audio) = said.audio {
            self.sound(source, audio, teller);
        }
    }

    /// A spoken reply, or a piece of one: its sound, and its transcript, which is the text of the reply.
    fn sound<'a>(&mut self, source: &Source<'a>, raw: Raw<'a>, teller: &mut Teller<'_>) {
        let sound = json::members::<Sound<'_>>(raw).unwrap_or_default();
        self.spoke |= self.halves.text(DeltaKind::Text, source, sound.transcript, teller);
        match sound.data.and_then(json::content).filter(|data| !data.is_empty()) {
            Some(data) => teller.tell(media::heard(data, source.at(data))),
            // The last piece tells when the sound expires, and nothing else.
            None => teller.control("audio", source.at(raw.get())),
        }
    }

    /// One part of a content list (Mistral's typed chunks).
    fn part(&mut self, source: &Source<'_>, raw: Raw<'_>, teller: &mut Teller<'_>) {
        if teller.text(DeltaKind::Text, source, Some(raw)) {
            self.spoke = true;
            return;
        }
        let Some(part) = json::members::<ContentPart<'_>>(raw) else {
            return;
        };
        let kind = word(part.kind).unwrap_or(Cow::Borrowed("text"));
        let told = match &*kind {
            "text" | "output_text" => match part.text {
                Some(text) => teller.text(DeltaKind::Text, source, Some(text)) || json::content(text) == Some(""),
                None => false,
            },
            "thinking" | "reasoning" | "reasoning_text" => {
                let thought = part.thinking.or(part.text);
                let before = teller.told();
                let list = thought.is_some_and(|thought| {
                    json::each(thought, |raw| {
                        let inner = json::members::<ContentPart<'_>>(raw).unwrap_or_default();
                        let _ =
                            teller.text(DeltaKind::Reasoning, source, inner.text) || teller.text(DeltaKind::Reasoning, source, Some(raw));
                    })
                });
                list && teller.told() > before || teller.text(DeltaKind::Reasoning, source, thought)
            }
            "refusal" => teller.text(DeltaKind::Refusal, source, part.refusal.or(part.text)),
            _ => false,
        };
        self.spoke |= told;
        if !told {
            teller.control(&kind, source.at(raw.get()));
        }
    }

    /// A tool call or a fragment of one.
    fn call(&mut self, source: &Source<'_>, raw: Raw<'_>, teller: &mut Teller<'_>) {
        let Some(fragment) = json::members::<ToolFragment<'_>>(raw) else {
            return;
        };
        let function = fragment.function.and_then(json::members::<Function<'_>>).unwrap_or_default();
        // Mistral sends the word for a missing id.
        let id = fragment.id.map(json::shown).filter(|id| id != "null").unwrap_or_default();
        let key = self.key(count(fragment.index), &id, word(function.name).is_some());
        tell_call(source, key, &id, &function, teller);
        let sealed =
            fragment.extra.and_then(json::members::<Sealed<'_>>).and_then(|extra| extra.google).and_then(json::members::<Sealed<'_>>);
        if let Some((raw, seal)) = sealed.and_then(|google| Some((google.seal?, word(google.seal)?))) {
            let part = Part::Signature { call: Some(key) };
            teller.tell(Delta { part, ..Delta::new(DeltaKind::Control, seal, source.place(raw)) });
        }
    }

    /// The key of the call that a fragment belongs to. A fragment opens a new call when its index is new, or when it names a function
    /// under another id than the call at that index has (some servers number all parallel calls 0), or when it names one and has no index.
    fn key(&mut self, index: Option<u64>, id: &str, named: bool) -> u64 {
        let other = |at: usize| self.calls.get(at).is_some_and(|known| !id.is_empty() && !known.is_empty() && known != id);
        let by_id = || self.by_id.get(id).copied();
        let known = match index.map(|index| self.by_index.get(&index).copied()) {
            Some(Some(at)) if named && other(at) => by_id(),
            Some(at) => at,
            None if named => by_id(),
            None => by_id().or_else(|| self.calls.len().checked_sub(1)),
        };
        let at = known.unwrap_or(self.calls.len());
        if at == self.calls.len() {
            self.calls.push(String::new());
        }
        if let Some(index) = index {
            self.by_index.insert(index, at);
        }
        match self.calls.get_mut(at) {
            Some(known) if known.is_empty() && !id.is_empty() => {
                id.clone_into(known);
                self.by_id.insert(id.to_owned(), at);
            }
            _ => {}
        }
        at as u64
    }
}

/// Tells a call's fragment. Arguments are string fragments; where a peer sends an object, that is all of them.
fn tell_call(source: &Source<'_>, key: u64, id: &str, function: &Function<'_>, teller: &mut Teller<'_>) {
    let (text, at) = function.arguments.map_or((Cow::Borrowed(""), 0..0), |raw| (json::shown(raw), source.place(raw)));
    let whole = function.arguments.is_some_and(|raw| json::content(raw).is_none());
    let id = (!id.is_empty()).then_some(Cow::Borrowed(id));
    teller.tell(Delta { kind: DeltaKind::ToolCall, text, at, part: Part::Tool { index: key, id, name: word(function.name), whole } });
}
