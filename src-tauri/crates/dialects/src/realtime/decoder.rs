//! Decodes the server's events, under the names of today and of the beta, and follows what the client says.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet, VecDeque};

use crate::delta::Part;
use crate::json::{self, Raw, Source, count, object_of, truthy, word};
use crate::openai_responses::calls::{Calls, Settled, Ties};
use crate::openai_responses::seen::Seen;
use crate::report::{self, Report};
use crate::sound::{Sound, base64_len};
use crate::teller::Teller;
use crate::{Decoder, Delta, DeltaKind, Payload, Status, strange};

object_of! {
    /// An event of the server.
    Event {
        kind: "type",
        delta: "delta",
        text: "text",
        transcript: "transcript",
        arguments: "arguments",
        name: "name",
        call_id: "call_id",
        response_id: "response_id",
        item_id: "item_id",
        output_index: "output_index",
        content_index: "content_index",
        item: "item",
        part: "part",
        response: "response",
        session: "session",
        error: "error",
    }
}

object_of! {
    /// A response.
    Response {
        id: "id",
        status: "status",
        details: "status_details",
        output: "output",
        usage: "usage",
        audio: "audio",
        output_audio_format: "output_audio_format",
    }
}

object_of! {
    /// Why a response ended as it did.
    Details {
        reason: "reason",
        error: "error",
    }
}

object_of! {
    /// An item of the conversation.
    Item {
        kind: "type",
        id: "id",
        role: "role",
        call_id: "call_id",
        name: "name",
        arguments: "arguments",
        content: "content",
        output: "output",
    }
}

object_of! {
    /// A part of an item's content.
    ContentPart {
        text: "text",
        transcript: "transcript",
    }
}

object_of! {
    /// A session, as far as the form of its sound goes.
    Session {
        audio: "audio",
        output_audio_format: "output_audio_format",
    }
}

object_of! {
    /// `audio`, then its `output`, then that one's `format`.
    Audio {
        output: "output",
        format: "format",
        kind: "type",
        rate: "rate",
        sample_rate: "sample_rate",
    }
}

object_of! {
    /// What an error tells of itself.
    Fault {
        code: "code",
        event_id: "event_id",
    }
}

object_of! {
    /// An event of the client.
    Sent {
        kind: "type",
        event_id: "event_id",
        item: "item",
    }
}

/// Client events of which the ids are kept; an error names one of the last few.
const KEPT: usize = 256;

/// Errors after which the server closes the socket by itself: its close code is still to come.
const CLOSING: [&str; 4] = ["invalid_api_key", "beta_api_shape_disabled", "session_expired", "session_limit_reached"];

/// The decoder.
pub(crate) struct Realtime {
    /// The error status of the handshake, if it was refused.
    refused: Option<u16>,
    /// `session.created` came.
    open: bool,
    /// Replies that were asked for and have not begun, by the client's event id.
    asked: VecDeque<String>,
    /// Client events whose failure leaves the reply as it is.
    harmless: HashSet<String>,
    /// What the user said since the last reply ended.
    said: Vec<String>,
    /// The replies under way, by their id ("" where there is none).
    running: HashMap<String, Lane>,
    /// The reply that events without a `response_id` belong to.
    latest: String,
    /// The next call's key: the next reply numbers its items from 0 again.
    next_key: u64,
    /// The form of the sound.
    sound: Sound,
    /// A reply ended, or none will come.
    ended: bool,
    /// The last reply's own end came.
    whole: bool,
}

/// One reply.
#[derive(Default)]
struct Lane {
    calls: Calls,
    text: Seen,
}

impl Realtime {
    /// A decoder whose sound is 24 kHz PCM until the server says otherwise: the default of all these APIs.
    pub(crate) fn new() -> Self {
        Self {
            refused: None,
            open: false,
            asked: VecDeque::new(),
            harmless: HashSet::new(),
            said: Vec::new(),
            running: HashMap::new(),
            latest: String::new(),
            next_key: 0,
            sound: Sound::pcm16(24_000),
            ended: false,
            whole: false,
        }
    }
}

impl Decoder for Realtime {
    fn status(&mut self, status: &Status) {
        self.refused = (status.code >= 300).then_some(status.code);
    }

    fn payload(&mut self, payload: Payload<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
        let mut teller = Teller::new(sink);
        Source::with(payload.bytes(), |source| self.piece(&source, &mut teller));
    }

    fn whole(&self) -> bool {
        self.ended && self.whole
    }

    fn ended(&self) -> bool {
        self.ended
    }

    fn sent(&mut self, message: &[u8], sink: &mut dyn FnMut(Delta<'_>)) {
        Source::with(message, |source| self.heard(&source, sink));
    }
}

impl Realtime {
    /// An event of the client.
    fn heard(&mut self, source: &Source<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
        let Some(event) = json::object::<Sent<'_>>(source.text) else {
            return;
        };
        let id = word(event.event_id).unwrap_or_default();
        match word(event.kind).as_deref() {
            Some("response.create") => {
                if self.asked.len() < KEPT {
                    self.asked.push_back(id.into_owned());
                }
                let later = std::mem::take(&mut self.ended);
                if later {
                    self.whole = false;
                    // Told here and not with the items: only this message asks for a reply, so only here another turn begins.
                    for text in &self.said {
                        sink(Delta::new(DeltaKind::Said, text.as_str(), 0..0));
                    }
                }
                self.said.clear();
            }
            Some("session.update") => {}
            Some(kind) => {
                if kind == "conversation.item.create"
                    && let Some(item) = event.item.and_then(json::members::<Item<'_>>)
                {
                    self.said.extend(item.said());
                }
                if !id.is_empty() && self.harmless.len() < KEPT {
                    self.harmless.insert(id.into_owned());
                }
            }
            None => {}
        }
    }

    /// A message of the server.
    fn piece(&mut self, source: &Source<'_>, teller: &mut Teller<'_>) {
        if let Some(status) = self.refused {
            self.ended = true;
            return teller.tell(report::of_body(source, status).delta());
        }
        let event = json::object::<Event<'_>>(source.text);
        let Some((event, kind)) = event.and_then(|event| word(event.kind).map(|kind| (event, kind))) else {
            if strange::tell(source, "an event of a realtime session", teller) {
                self.ended = self.running.is_empty();
                self.whole = false;
            }
            return;
        };
        self.event(source, &kind, &event, teller);
        if teller.told() == 0 {
            teller.control(&kind, event.kind.map_or(0..0, |raw| source.place(raw)));
        }
    }

    fn event<'a>(&mut self, source: &Source<'a>, kind: &str, event: &Event<'a>, teller: &mut Teller<'_>) {
        let output = count(event.output_index);
        let part = count(event.content_index).unwrap_or(0);
        match kind {
            // The transcript is the text of what is spoken: with sound, there is no other.
            "response.output_text.delta"
            | "response.text.delta"
            | "response.output_audio_transcript.delta"
            | "response.audio_transcript.delta" => self.fresh_text(source, event, output, part, teller),
            "response.output_text.done"
            | "response.text.done"
            | "response.output_audio_transcript.done"
            | "response.audio_transcript.done" => {
                self.settle_text(source, event.response_id, output, part, event.text.or(event.transcript), teller);
            }
            "response.content_part.done" => {
                if let Some(said) = event.part.and_then(json::members::<ContentPart<'_>>) {
                    self.settle_text(source, event.response_id, output, part, said.text.or(said.transcript), teller);
                }
            }
            "response.output_audio.delta" | "response.audio.delta" => self.sound(source, event.delta, teller),
            "response.content_part.added" => self.lane(event.response_id).text.begin(),
            "response.output_item.added" => {
                self.lane(event.response_id).text.begin();
                if let Some(item) = event.item.and_then(json::members::<Item<'_>>).filter(Item::is_call) {
                    self.open_call(source, event.response_id, output, &item, teller);
                }
            }
            "response.function_call_arguments.delta" => {
                let at = self.call(event, event.item_id, event.call_id);
                if let (Some(raw), Some(call)) = (event.delta, self.lane(event.response_id).calls.get(at)) {
                    let text = json::shown(raw);
                    call.arguments.push_str(&text);
                    let part = Part::Tool { index: call.key, id: None, name: None, whole: false };
                    teller.tell(Delta { kind: DeltaKind::ToolCall, text, at: source.place(raw), part });
                }
            }
            "response.function_call_arguments.done" => {
                let at = self.call(event, event.item_id, event.call_id);
                let told = Settled { id: event.call_id, name: event.name, arguments: event.arguments };
                self.settle_call(source, event.response_id, at, told, teller);
            }
            "response.output_item.done" => {
                if let Some(item) = event.item.and_then(json::members::<Item<'_>>) {
                    self.item(source, event, output, &item, teller);
                }
            }
            "response.created" => self.created(source, event, teller),
            "response.done" => self.done(source, event, teller),
            "session.created" | "session.updated" => {
                self.open = true;
                if let Some(session) = event.session.and_then(json::members::<Session<'_>>) {
                    self.form(session.audio, session.output_audio_format);
                }
            }
            "error" => self.error(source, event.error, teller),
            _ => {}
        }
    }

    /// The reply an event belongs to. One that was never announced is announced by that.
    fn lane(&mut self, id: Option<Raw<'_>>) -> &mut Lane {
        let id = word(id).unwrap_or_else(|| Cow::Owned(self.latest.clone()));
        if !self.running.contains_key(&*id) {
            self.running.insert(id.clone().into_owned(), Lane::default());
            self.ended = false;
        }
        self.running.entry(id.into_owned()).or_default()
    }

    fn created(&mut self, source: &Source<'_>, event: &Event<'_>, teller: &mut Teller<'_>) {
        teller.control("response.created", event.kind.map_or(0..0, |raw| source.place(raw)));
        let response = event.response.and_then(json::members::<Response<'_>>).unwrap_or_default();
        let id = word(response.id).unwrap_or_default();
        if !id.is_empty() {
            let at = response.id.map_or(0..0, |raw| source.place(raw));
            teller.tell(Delta { part: Part::Id, ..Delta::new(DeltaKind::Control, id.clone(), at) });
        }
        self.form(response.audio, response.output_audio_format);
        self.asked.pop_front();
        self.latest = id.clone().into_owned();
        self.running.insert(id.into_owned(), Lane::default());
        self.ended = false;
        self.whole = false;
    }

    /// A reply is over: what of it was not told yet, usage, how it ended.
    fn done<'a>(&mut self, source: &Source<'a>, event: &Event<'a>, teller: &mut Teller<'_>) {
        let response = event.response.and_then(json::members::<Response<'a>>).unwrap_or_default();
        let id = word(response.id).or_else(|| word(event.response_id)).unwrap_or_else(|| Cow::Owned(self.latest.clone())).into_owned();
        let lane = self.running.remove(&id).or_else(|| self.running.remove(&self.latest)).unwrap_or_default();
        if let Some(output) = response.output {
            let told = lane.text.any();
            json::each(output, |raw| {
                let Some(item) = json::members::<Item<'_>>(raw) else {
                    return;
                };
                if item.is_call() {
                    let text = |raw: Option<Raw<'a>>| word(raw).unwrap_or_default();
                    let ties = Ties { output: None, item: &text(item.id), call: &text(item.call_id) };
                    let arguments = item.arguments.map(json::shown).unwrap_or_default();
                    if !lane.calls.knows(ties, &text(item.name), &arguments) {
                        let key = self.next_key;
                        self.next_key += 1;
                        tell_call(source, key, &item, teller);
                    }
                } else if !told && item.is_reply() {
                    for part in item.parts() {
                        teller.text(DeltaKind::Text, source, part.text.or(part.transcript));
                    }
                }
            });
        }
        teller.usage(source, response.usage);
        let details = response.details.and_then(json::members::<Details<'_>>).unwrap_or_default();
        let status = word(response.status).unwrap_or(Cow::Borrowed("completed"));
        let reason = details.reason.filter(|reason| word(Some(*reason)).is_some()).or(response.status);
        let failed = status == "failed";
        if failed {
            let report = truthy(details.error).map(|error| report::of_member(source, error));
            teller.tell(report.unwrap_or_else(|| Report::plain("the response failed, without a reason")).delta());
        }
        teller.finish(&reason.map_or(status, json::shown), reason.map_or(0..0, |raw| source.place(raw)));
        self.whole = !failed;
        self.ended = self.running.is_empty() && self.asked.is_empty();
        if self.ended {
            teller.end("response.done", event.kind.map_or(0..0, |raw| source.place(raw)));
        } else {
            // Another reply is under way, or was asked for: the socket has more to say.
            teller.control("response.done", event.kind.map_or(0..0, |raw| source.place(raw)));
        }
    }

    /// An `error` event. Most leave the session as it is; one that means that no reply will come ends the turn.
    fn error(&mut self, source: &Source<'_>, error: Option<Raw<'_>>, teller: &mut Teller<'_>) {
        let fault = error.and_then(json::members::<Fault<'_>>).unwrap_or_default();
        let report = match truthy(error).filter(|error| error.get().starts_with('{')) {
            Some(error) => report::of_member(source, error),
            None => report::of_body(source, 200),
        };
        let id = word(fault.event_id).unwrap_or_default();
        let closes = word(fault.code).is_some_and(|code| CLOSING.contains(&&*code));
        let refused = self.asked.iter().position(|asked| !id.is_empty() && *asked == id).map(|at| self.asked.remove(at)).is_some();
        let harmless = self.harmless.remove(&*id);
        let over = self.ended;
        if closes {
            // The socket's end follows, and that is what ends the reply: whoever waits for it sees the close code too.
            if !over {
                self.whole = false;
                return teller.tell(report.delta());
            }
        } else if !over && self.running.is_empty() && (refused || !harmless) {
            if !refused {
                // Nothing says what it is about, so it is about what is waited for.
                self.asked.pop_front();
            }
            self.ended = self.asked.is_empty();
            self.whole = false;
            return teller.tell(report.delta());
        }
        // Shown, without being the reply's own error.
        teller.tell(Delta { part: Part::None, ..report.delta() });
    }

    /// A piece of sound.
    fn sound(&mut self, source: &Source<'_>, delta: Option<Raw<'_>>, teller: &mut Teller<'_>) {
        let Some(content) = delta.and_then(json::content).filter(|content| !content.is_empty()) else {
            return;
        };
        let part = self.sound.piece(base64_len(content), true);
        teller.tell(Delta { part, ..Delta::new(DeltaKind::Audio, "", source.at(content)) });
    }

    /// Reads the form of the sound: `audio.output.format` of today, or the beta's word.
    fn form(&mut self, audio: Option<Raw<'_>>, beta: Option<Raw<'_>>) {
        let output = audio.and_then(|audio| json::members::<Audio<'_>>(audio)?.output);
        let format = output.and_then(|output| json::members::<Audio<'_>>(output)?.format);
        let known = format.and_then(json::members::<Audio<'_>>);
        let name = known.as_ref().and_then(|known| word(known.kind)).or_else(|| word(format)).or_else(|| word(beta));
        let rate = known.and_then(|known| count(known.rate.or(known.sample_rate))).unwrap_or(24_000);
        match name.as_deref().map(|name| name.trim_start_matches("audio/")) {
            Some("pcm" | "pcm16" | "pcm24") => self.sound = Sound::pcm16(rate),
            Some("pcmu" | "g711_ulaw") => self.sound = Sound::g711("audio/pcmu"),
            Some("pcma" | "g711_alaw") => self.sound = Sound::g711("audio/pcma"),
            Some(other) => self.sound = Sound::coded(format!("audio/{other}")),
            None => {}
        }
    }

    /// A piece of text.
    fn fresh_text(&mut self, source: &Source<'_>, event: &Event<'_>, output: Option<u64>, part: u64, teller: &mut Teller<'_>) {
        if teller.text(DeltaKind::Text, source, event.delta) {
            self.lane(event.response_id).text.mark(output, part);
        }
    }

    /// A part's whole text: told only if its deltas were not.
    fn settle_text(
        &mut self,
        source: &Source<'_>,
        response: Option<Raw<'_>>,
        output: Option<u64>,
        part: u64,
        text: Option<Raw<'_>>,
        teller: &mut Teller<'_>,
    ) {
        let seen = &mut self.lane(response).text;
        if !seen.part(output, part) && teller.text(DeltaKind::Text, source, text) {
            seen.mark(output, part);
        }
    }

    /// A whole item: what of it was not told yet.
    fn item<'a>(&mut self, source: &Source<'a>, event: &Event<'a>, output: Option<u64>, item: &Item<'a>, teller: &mut Teller<'_>) {
        if item.is_call() {
            let at = self.call(event, item.id, item.call_id);
            let told = Settled { id: item.call_id, name: item.name, arguments: item.arguments };
            self.settle_call(source, event.response_id, at, told, teller);
            if let Some(call) = self.lane(event.response_id).calls.get(at) {
                call.done = true;
            }
            return;
        }
        let seen = &mut self.lane(event.response_id).text;
        if !item.is_reply() || seen.item(output) {
            return;
        }
        for (at, part) in item.parts().iter().enumerate() {
            if teller.text(DeltaKind::Text, source, part.text.or(part.transcript)) {
                seen.mark(output, at as u64);
            }
        }
    }

    /// A call begins.
    fn open_call<'a>(
        &mut self,
        source: &Source<'a>,
        response: Option<Raw<'a>>,
        output: Option<u64>,
        item: &Item<'a>,
        teller: &mut Teller<'_>,
    ) {
        let key = self.next_key;
        self.next_key += 1;
        let (id, call_id) = (word(item.id).unwrap_or_default(), word(item.call_id).unwrap_or_default());
        let calls = &mut self.lane(response).calls;
        let at = calls.open(key, Ties { output, item: &id, call: &call_id });
        if let Some(call) = calls.get(at) {
            call.id = call_id.into_owned();
            call.name = word(item.name).unwrap_or_default().into_owned();
            call.arguments = item.arguments.map(json::shown).unwrap_or_default().into_owned();
        }
        tell_call(source, key, item, teller);
    }

    /// The call an event speaks of; one never announced is opened.
    fn call(&mut self, event: &Event<'_>, item: Option<Raw<'_>>, id: Option<Raw<'_>>) -> usize {
        let (item, id) = (word(item).unwrap_or_default(), word(id).unwrap_or_default());
        let ties = Ties { output: count(event.output_index), item: &item, call: &id };
        let key = self.next_key;
        let calls = &mut self.lane(event.response_id).calls;
        match calls.find(ties) {
            Some(at) => at,
            None => {
                let at = calls.open(key, ties);
                self.next_key += 1;
                at
            }
        }
    }

    /// A call's final form: told only if it says more than the fragments did.
    fn settle_call<'a>(&mut self, source: &Source<'a>, response: Option<Raw<'a>>, at: usize, told: Settled<'a>, teller: &mut Teller<'_>) {
        if let Some(delta) = self.lane(response).calls.get(at).and_then(|call| call.settle(source, told)) {
            teller.tell(delta);
        }
    }
}

/// Tells a call as its item holds it.
fn tell_call<'a>(source: &Source<'a>, key: u64, item: &Item<'a>, teller: &mut Teller<'_>) {
    let text = item.arguments.map(json::shown).unwrap_or_default();
    let part = Part::Tool { index: key, id: word(item.call_id).or_else(|| word(item.id)), name: word(item.name), whole: false };
    teller.tell(Delta { kind: DeltaKind::ToolCall, text, at: item.arguments.map_or(0..0, |raw| source.place(raw)), part });
}

impl<'a> Item<'a> {
    /// Whether the item is a call that the client is to answer.
    fn is_call(&self) -> bool {
        word(self.kind).is_some_and(|kind| kind == "function_call")
    }

    /// Whether the item is something the model says.
    fn is_reply(&self) -> bool {
        word(self.kind).is_none_or(|kind| kind == "message") && word(self.role).is_none_or(|role| role == "assistant")
    }

    fn parts(&self) -> Vec<ContentPart<'a>> {
        self.content.map(json::elements).unwrap_or_default().into_iter().filter_map(json::members).collect()
    }

    /// What the user says by adding the item: a message's text, or a call's result.
    fn said(&self) -> Option<String> {
        match word(self.kind).as_deref() {
            Some("function_call_output") => self.output.map(|output| json::shown(output).into_owned()),
            _ if word(self.role).is_some_and(|role| role == "user") => {
                let texts: Vec<_> = self.parts().iter().filter_map(|part| word(part.text.or(part.transcript))).collect();
                (!texts.is_empty()).then(|| texts.join("\n"))
            }
            _ => None,
        }
    }
}
