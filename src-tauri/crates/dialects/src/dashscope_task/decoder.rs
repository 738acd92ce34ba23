//! Decodes the server's side of a task: events in text, sound in binary messages that say nothing of themselves.

use crate::dashscope::decoder::Speech;
use crate::delta::Part;
use crate::json::{self, Raw, Source, count, object_of, word};
use crate::report;
use crate::sound::Sound;
use crate::teller::Teller;
use crate::{Decoder, Delta, DeltaKind, Payload, Status, strange};

object_of! {
    /// A message of either side.
    Message {
        header: "header",
        payload: "payload",
    }
}

object_of! {
    /// What a message is about.
    Header {
        event: "event",
        action: "action",
        task_id: "task_id",
        error_code: "error_code",
        error_message: "error_message",
    }
}

object_of! {
    /// What a message brings.
    Content {
        output: "output",
        usage: "usage",
        input: "input",
        parameters: "parameters",
    }
}

object_of! {
    /// What was heard so far, from a task that listens.
    Heard {
        sentence: "sentence",
        transcription: "transcription",
    }
}

object_of! {
    /// A sentence that grows until it ends.
    Sentence {
        text: "text",
        sentence_end: "sentence_end",
        heartbeat: "heartbeat",
    }
}

object_of! {
    /// The form of the sound that was asked for.
    Parameters {
        format: "format",
        sample_rate: "sample_rate",
    }
}

object_of! {
    /// What a client brings: a text to speak, or a conversation.
    Input {
        text: "text",
        messages: "messages",
    }
}

object_of! {
    /// A turn of a conversation.
    Turn {
        role: "role",
        content: "content",
    }
}

/// The decoder.
pub(super) struct Task {
    refused: Option<u16>,
    /// A result's texts.
    speech: Speech,
    /// What was heard: the sentences that ended, and the one under way as it was last told.
    heard: (String, String),
    /// The form of the sound.
    sound: Sound,
    /// Sound came in this task: only its first piece may have a head.
    sounded: bool,
    /// A task was finished, or failed.
    ended: bool,
    whole: bool,
    /// Tasks that ended.
    over: u32,
}

impl Default for Task {
    fn default() -> Self {
        Self {
            refused: None,
            speech: Speech::default(),
            heard: Default::default(),
            sound: Sound::coded("application/octet-stream"),
            sounded: false,
            ended: false,
            whole: false,
            over: 0,
        }
    }
}

impl Decoder for Task {
    fn status(&mut self, status: &Status) {
        self.refused = (status.code >= 300).then_some(status.code);
    }

    fn payload(&mut self, payload: Payload<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
        let mut teller = Teller::new(sink);
        let bytes = payload.bytes();
        if self.refused.is_none() && is_sound(bytes) {
            return self.sound(bytes, &mut teller);
        }
        Source::with(bytes, |source| self.piece(&source, &mut teller));
    }

    fn whole(&self) -> bool {
        self.ended && self.whole
    }

    fn ended(&self) -> bool {
        self.ended
    }

    fn sent(&mut self, message: &[u8], sink: &mut dyn FnMut(Delta<'_>)) {
        Source::with(message, |source| self.told(&source, sink));
    }
}

/// Whether a message is binary by what it holds: no text has control characters other than those that space it.
fn is_sound(bytes: &[u8]) -> bool {
    !bytes.is_empty()
        && (bytes.iter().any(|byte| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) || simdutf8::basic::from_utf8(bytes).is_err())
}

impl Task {
    /// A message of the client.
    fn told(&mut self, source: &Source<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
        let Some(message) = json::object::<Message<'_>>(source.text) else {
            return;
        };
        let header = message.header.and_then(json::members::<Header<'_>>).unwrap_or_default();
        let content = message.payload.and_then(json::members::<Content<'_>>).unwrap_or_default();
        if word(header.action).is_some_and(|action| action == "run-task") {
            self.ended = false;
            self.whole = false;
            self.speech = self.speech.next();
            self.heard = Default::default();
            self.sounded = false;
            let asked = content.parameters.and_then(json::members::<Parameters<'_>>).unwrap_or_default();
            self.sound = match word(asked.format).as_deref() {
                Some("pcm") => Sound::pcm16(count(asked.sample_rate).unwrap_or(22_050)),
                // Without a head of its own the rest of such a file is bare samples, after the first piece too.
                Some("wav") => Sound::coded("audio/wav"),
                Some("mp3") | None => Sound::coded("audio/mpeg"),
                Some("opus") => Sound::coded("audio/ogg"),
                Some(other) => Sound::coded(format!("audio/{other}")),
            };
        }
        if self.over == 0 {
            return;
        }
        let input = content.input.and_then(json::members::<Input<'_>>).unwrap_or_default();
        let said = match input.messages {
            Some(list) => json::elements(list)
                .into_iter()
                .filter_map(json::members::<Turn<'_>>)
                .filter(is_users)
                .filter_map(|turn| turn.content)
                .next_back(),
            None => input.text,
        };
        if let Some(raw) = said
            && let Some(text) = word(Some(raw))
        {
            sink(Delta::new(DeltaKind::Said, text, source.place(raw)));
        }
    }

    /// A text message of the server.
    fn piece(&mut self, source: &Source<'_>, teller: &mut Teller<'_>) {
        if let Some(status) = self.refused {
            self.ended = true;
            return teller.tell(report::of_body(source, status).delta());
        }
        let message = json::object::<Message<'_>>(source.text).unwrap_or_default();
        let header = message.header.and_then(json::members::<Header<'_>>).unwrap_or_default();
        let Some((raw, event)) = header.event.and_then(|raw| Some((raw, word(Some(raw))?))) else {
            if strange::tell(source, "a message of DashScope's task protocol", teller) {
                self.end(false);
            }
            return;
        };
        let content = message.payload.and_then(json::members::<Content<'_>>).unwrap_or_default();
        match &*event {
            "task-started" => {
                teller.control(&event, source.place(raw));
                if let Some(id) = header.task_id.filter(|id| word(Some(*id)).is_some()) {
                    teller.tell(Delta { part: Part::Id, ..Delta::new(DeltaKind::Control, json::shown(id), source.place(id)) });
                }
                return;
            }
            "task-failed" => {
                let message = header.error_message.filter(|message| word(Some(*message)).is_some());
                let text = message.map_or("the task failed, without a reason".into(), json::shown);
                let at = message.map_or(0..0, |message| source.place(message));
                let code = header.error_code.map(json::shown).unwrap_or_default();
                teller.tell(Delta { part: Part::Error { code }, ..Delta::new(DeltaKind::Error, text, at) });
                return self.end(false);
            }
            _ => {}
        }
        if let Some(output) = content.output
            && !self.sentence(source, output, teller)
        {
            self.speech.output(source, output, teller);
        }
        teller.usage(source, content.usage);
        if event == "task-finished" {
            teller.end(&event, source.place(raw));
            self.end(true);
        } else if teller.told() == 0 {
            teller.control(&event, source.place(raw));
        }
    }

    fn end(&mut self, whole: bool) {
        self.ended = true;
        self.whole = whole;
        self.over += 1;
    }

    /// A sentence that is being heard: it comes whole each time, and what it says may change until it ends. Whether it was one.
    fn sentence<'a>(&mut self, source: &Source<'a>, output: Raw<'a>, teller: &mut Teller<'_>) -> bool {
        let heard = json::members::<Heard<'a>>(output).unwrap_or_default();
        let Some(sentence) = heard.sentence.or(heard.transcription).and_then(json::members::<Sentence<'a>>) else {
            return false;
        };
        let Some((raw, content)) = sentence.text.and_then(|raw| Some((raw, json::content(raw)?))) else {
            return false;
        };
        if sentence.heartbeat.is_some_and(|beat| beat.get() == "true") {
            return true;
        }
        let (before, under_way) = &mut self.heard;
        let text = json::unescaped(content);
        if let Some(tail) = text.strip_prefix(under_way.as_str()) {
            if !tail.is_empty() {
                // Where nothing is escaped, the new stands at the end of the string.
                let at = if content.contains('\\') { 0..0 } else { source.at(&content[content.len() - tail.len()..]) };
                teller.tell(Delta::new(DeltaKind::Text, tail.to_owned(), at));
            }
        } else {
            let at = if before.is_empty() { source.place(raw) } else { 0..0 };
            teller.tell(Delta { part: Part::Whole, ..Delta::new(DeltaKind::Text, format!("{before}{text}"), at) });
        }
        *under_way = text.into_owned();
        if sentence.sentence_end.is_some_and(|end| end.get() == "true") {
            before.push_str(under_way);
            under_way.clear();
        }
        true
    }

    /// A binary message: it belongs to the task under way.
    fn sound(&mut self, bytes: &[u8], teller: &mut Teller<'_>) {
        let first = !std::mem::replace(&mut self.sounded, true);
        if first {
            // What it is beats what was asked for.
            let forms: [(&[u8], &str); 4] =
                [(b"RIFF", "audio/wav"), (b"ID3", "audio/mpeg"), (b"\xff\xfb", "audio/mpeg"), (b"OggS", "audio/ogg")];
            if let Some((_, media_type)) = forms.iter().find(|(start, _)| bytes.starts_with(start)) {
                self.sound = Sound::coded(*media_type);
            }
        }
        let part = self.sound.piece(bytes.len() as u64, false);
        teller.tell(Delta { part, ..Delta::new(DeltaKind::Audio, "", 0..bytes.len()) });
    }
}

fn is_users(turn: &Turn<'_>) -> bool {
    word(turn.role).is_some_and(|role| role == "user")
}
