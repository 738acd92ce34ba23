//! Gemini Live: a conversation on a WebSocket. The client's messages have no type but a member that says what they are; the Lab's leave as
//! binary messages, and its errors as close frames.

use serde_json::{Value, json};

use super::gemini::{self, call_without_arguments, with_arguments};
use super::{Act, Dialect, Event, Heard, Render, Request, Talk};
use crate::ask::Ask;
use crate::fault::Faults;
use crate::rejection::{Reason, Rejection};
use crate::script::{Finish, Script, Step};

pub(crate) struct GeminiLive;

impl Dialect for GeminiLive {
    /// Nothing is asked here but on a WebSocket.
    fn read(&self, request: &Request<'_>) -> Result<(Ask, Box<dyn Render>), Rejection> {
        Err(Rejection::no_path(request.method, request.path))
    }

    fn refuse(&self, rejection: &Rejection) -> Value {
        gemini::refusal(rejection)
    }

    fn talk(&self, _: &Request<'_>) -> Option<Result<Box<dyn Talk>, Rejection>> {
        Some(Ok(Box::<Session>::default()))
    }

    fn key_after_upgrade(&self) -> bool {
        true
    }
}

/// A session: its set-up and what was said in it.
#[derive(Default)]
struct Session {
    /// None until the client has set it up.
    setup: Option<Value>,
    contents: Vec<Value>,
    /// Turns that were said.
    turns: u64,
    speaking: bool,
}

/// A member under its camelCase or snake_case name, as protobuf's JSON has it.
fn member<'a>(value: &'a Value, camel: &str, snake: &str) -> Option<&'a Value> {
    value.get(camel).or_else(|| value.get(snake)).filter(|value| !value.is_null())
}

impl Session {
    fn message(&mut self, bytes: &[u8]) -> Vec<Act> {
        let Ok(message) = serde_json::from_slice::<Value>(bytes) else {
            return refuse("Invalid JSON payload received. Unknown name.");
        };
        if let Some(setup) = message.get("setup") {
            return self.set_up(setup);
        }
        if self.setup.is_none() {
            return refuse("setup must be the first message and only the first.");
        }
        if let Some(content) = member(&message, "clientContent", "client_content") {
            let turns = member(content, "turns", "turns");
            match turns {
                Some(Value::Array(turns)) => self.contents.extend(turns.iter().cloned()),
                Some(turn @ Value::Object(_)) => self.contents.push(turn.clone()),
                _ => {}
            }
            return match member(content, "turnComplete", "turn_complete") {
                Some(Value::Bool(true)) => self.say(),
                _ => Vec::new(),
            };
        }
        if let Some(input) = member(&message, "realtimeInput", "realtime_input") {
            if let Some(text) = input.get("text").and_then(Value::as_str) {
                self.contents.push(json!({"role": "user", "parts": [{"text": text}]}));
                return self.say();
            }
            let over = ["activityEnd", "audioStreamEnd"].iter().any(|name| input.get(*name).is_some())
                || ["activity_end", "audio_stream_end"].iter().any(|name| input.get(*name).is_some());
            if over {
                // The Lab hears sound, but no words.
                self.contents.push(json!({"role": "user", "parts": [{"text": "(something said aloud)"}]}));
                let mut acts = vec![send(json!({"serverContent": {"inputTranscription": {"text": "(something said aloud)"}}}))];
                acts.extend(self.say());
                return acts;
            }
            return Vec::new();
        }
        if let Some(response) = member(&message, "toolResponse", "tool_response") {
            let responses = member(response, "functionResponses", "function_responses");
            let list = match responses {
                Some(Value::Array(list)) => list.clone(),
                Some(one @ Value::Object(_)) => vec![one.clone()],
                _ => Vec::new(),
            };
            let parts: Vec<Value> = list.into_iter().map(|response| json!({"functionResponse": response})).collect();
            if parts.is_empty() {
                return refuse("toolResponse must have functionResponses.");
            }
            self.contents.push(json!({"role": "user", "parts": parts}));
            return self.say();
        }
        let name = message.as_object().and_then(|object| object.keys().next().cloned()).unwrap_or_default();
        refuse(&format!("Invalid JSON payload received. Unknown name \"{name}\": Cannot find field."))
    }

    fn set_up(&mut self, setup: &Value) -> Vec<Act> {
        if self.setup.is_some() {
            return refuse("setup must be the first message and only the first.");
        }
        let name = setup.get("model").and_then(Value::as_str).unwrap_or_default();
        // On Vertex AI the name is a whole resource path.
        let name = name.rsplit_once("/models/").map_or(name, |(_, name)| name);
        if crate::models::find(name).is_none() {
            let name = name.strip_prefix("models/").unwrap_or(name);
            let reason = format!("models/{name} is not found for API version v1beta, or is not supported for bidiGenerateContent.");
            return vec![Act::Close(1008, reason)];
        }
        let mut setup = setup.clone();
        setup["model"] = name.into();
        let resumption = member(&setup, "sessionResumption", "session_resumption").cloned();
        if let Some(handle) = resumption.as_ref().and_then(|resumption| resumption.get("handle")).and_then(Value::as_str) {
            let Some((turns, contents)) = unseal(handle) else {
                return vec![Act::Close(1008, "BidiGenerateContent session not found".into())];
            };
            (self.turns, self.contents) = (turns, contents);
        }
        self.setup = Some(setup);
        let mut acts = vec![send(json!({"setupComplete": {}}))];
        acts.extend(resumption.map(|_| self.resumable()));
        acts
    }

    /// A handle on the session as it is now.
    fn resumable(&self) -> Act {
        send(json!({"sessionResumptionUpdate": {"newHandle": seal(self.turns, &self.contents), "resumable": true}}))
    }

    /// A reply to all that was said. One that is under way is broken off.
    fn say(&mut self) -> Vec<Act> {
        let setup = self.setup.clone().unwrap_or_default();
        let mut body = setup.clone();
        body["contents"] = self.contents.clone().into();
        let name = setup["model"].as_str().unwrap_or_default();
        let asked = gemini::read(name, &body).map(|ask| Ask { stream: true, ..ask });
        let mut acts = Vec::new();
        if self.speaking {
            acts.push(Act::Cancel);
        }
        match asked {
            Ok(ask) => {
                self.speaking = true;
                if ask.prompt.to_lowercase().contains("goaway") {
                    acts.push(send(json!({"goAway": {"timeLeft": "10s"}})));
                }
                if member(&setup, "sessionResumption", "session_resumption").is_some() {
                    // While it speaks there is no state to come back to but the one before.
                    acts.push(send(json!({"sessionResumptionUpdate": {"resumable": false}})));
                }
                acts.push(Act::Say(Box::new((ask, Box::new(Messages::of(&setup))))));
            }
            Err(rejection) => acts.extend(self.refuse(&rejection)),
        }
        acts
    }
}

impl Talk for Session {
    fn hear(&mut self, heard: Heard<'_>) -> Vec<Act> {
        match heard {
            Heard::Text(text) => self.message(text.as_bytes()),
            Heard::Binary(bytes) => self.message(bytes),
            Heard::Said(script) => {
                self.speaking = false;
                self.turns += 1;
                if script.finish() == Finish::Error {
                    return self.refuse(&script.failure());
                }
                let said = if script.refusal().is_empty() { script.text() } else { script.refusal() };
                if !said.is_empty() {
                    self.contents.push(json!({"role": "model", "parts": [{"text": said}]}));
                }
                let resumes = self.setup.as_ref().is_some_and(|setup| member(setup, "sessionResumption", "session_resumption").is_some());
                if resumes { vec![self.resumable()] } else { Vec::new() }
            }
        }
    }

    /// The API has no message for errors.
    fn refuse(&mut self, rejection: &Rejection) -> Vec<Act> {
        let (_, words) = gemini::canonical(rejection);
        let code = match rejection.reason {
            Reason::Server | Reason::Overloaded | Reason::Quota | Reason::RateLimit => 1011,
            Reason::NoModel => 1008,
            _ => 1007,
        };
        vec![Act::Close(code, words)]
    }

    fn binary(&self) -> bool {
        true
    }
}

/// A handle that holds the session itself, sealed: the Lab need not remember it, and a restarted one can go on with it too.
fn seal(turns: u64, contents: &[Value]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json!({"turns": turns, "contents": contents}).to_string())
}

/// What a handle holds; none where it is no handle of the Lab's.
fn unseal(handle: &str) -> Option<(u64, Vec<Value>)> {
    use base64::Engine;
    let state: Value = serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(handle).ok()?).ok()?;
    Some((state["turns"].as_u64()?, state["contents"].as_array()?.clone()))
}

fn send(value: Value) -> Act {
    Act::Send(value.to_string())
}

fn refuse(words: &str) -> Vec<Act> {
    vec![Act::Close(1007, format!("Request contains an invalid argument. {words}"))]
}

/// Renders a script as messages.
struct Messages {
    /// The reply is spoken: sound, and text only as its transcript.
    aloud: bool,
    transcript: bool,
    /// Samples spoken so far.
    spoken: u32,
}

impl Messages {
    fn of(setup: &Value) -> Messages {
        let config = member(setup, "generationConfig", "generation_config").unwrap_or(&Value::Null);
        let modalities = member(config, "responseModalities", "response_modalities").and_then(Value::as_array);
        // Sound is what the API gives unless it is asked for text.
        let aloud = modalities.is_none_or(|list| !list.iter().any(|modality| modality == "TEXT"));
        let transcript = member(setup, "outputAudioTranscription", "output_audio_transcription").is_some();
        Messages { aloud, transcript, spoken: 0 }
    }

    fn content(&self, content: Value) -> Event {
        Event::data(&json!({ "serverContent": content }))
    }

    fn text(&mut self, text: &str) -> Vec<Event> {
        if !self.aloud {
            return vec![self.content(json!({"modelTurn": {"role": "model", "parts": [{"text": text}]}}))];
        }
        let blob = json!({"mimeType": format!("audio/pcm;rate={RATE}"), "data": self.hum(text)});
        let mut events = vec![self.content(json!({"modelTurn": {"role": "model", "parts": [{"inlineData": blob}]}}))];
        if self.transcript {
            events.push(self.content(json!({"outputTranscription": {"text": text}})));
        }
        events
    }

    /// What the Lab has for a voice: 20 ms of one tone for each character, faded at both ends so that tones follow without a click.
    fn hum(&mut self, text: &str) -> String {
        use base64::Engine;
        const TONE: u32 = RATE / 50;
        let mut sound = Vec::new();
        for letter in text.chars().take(40) {
            let pitch = 220.0 * 2_f64.powf(f64::from(u32::from(letter) % 24) / 12.0);
            for at in 0..TONE {
                let fade = f64::from(at.min(TONE - at).min(60)) / 60.0;
                let wave = (f64::from(at) * pitch * std::f64::consts::TAU / f64::from(RATE)).sin();
                sound.extend_from_slice(&((wave * fade * 8000.0) as i16).to_le_bytes());
            }
            self.spoken += TONE;
        }
        base64::engine::general_purpose::STANDARD.encode(sound)
    }
}

/// Samples a second.
const RATE: u32 = 24_000;

impl Render for Messages {
    fn opening(&mut self, _: &Script) -> Vec<Event> {
        Vec::new()
    }

    fn step(&mut self, _: &Script, step: Step<'_>) -> Vec<Event> {
        match step {
            Step::Reasoning(text) => {
                vec![self.content(json!({"modelTurn": {"role": "model", "parts": [{"text": text, "thought": true}]}}))]
            }
            // A live session declines in the model's own words.
            Step::Text(text) | Step::Refusal(text) => self.text(text),
            // Calls are said when all are whole.
            Step::Call(_) | Step::Arguments(..) => Vec::new(),
            // What follows is the close frame, see `Talk::hear`.
            Step::Fail => Vec::new(),
        }
    }

    fn closing(&mut self, script: &Script) -> Vec<Event> {
        let whole = |at: &usize| matches!(serde_json::from_str(script.tool_calls()[*at].arguments.text()), Ok(Value::Object(_)));
        let calls: Vec<usize> = (0..script.tool_calls().len()).filter(whole).collect();
        if !calls.is_empty() {
            let list: Vec<Value> = calls.iter().map(|at| call_without_arguments(script, *at)).collect();
            let mut event = Event::data(&json!({"toolCall": {"functionCalls": list}, "usageMetadata": self.usage(script)}));
            for at in calls {
                event.data = with_arguments(&event.data, script.tool_calls()[at].arguments.text());
            }
            return vec![event.end()];
        }
        let done = json!({"serverContent": {"turnComplete": true}, "usageMetadata": self.usage(script)});
        vec![self.content(json!({"generationComplete": true})), Event::data(&done).end()]
    }

    fn whole(&mut self, _: &Script) -> Value {
        Value::Null
    }

    fn padding(&mut self, _: &Script) -> (String, String) {
        ("{\"serverContent\":{\"inputTranscription\":{\"text\":\"".into(), "\"}}}".into())
    }

    fn leaving(&mut self, faults: &Faults) -> Vec<Event> {
        // What is left, as protobuf's JSON writes a duration.
        let left = faults.deploy.filter(|deploy| !deploy.drain).map_or(10.0, |deploy| deploy.notice.as_secs_f64());
        vec![Event::data(&json!({"goAway": {"timeLeft": format!("{left}s")}}))]
    }

    fn cancelled(&mut self, script: &Script) -> Vec<Event> {
        let over = json!({"serverContent": {"turnComplete": true}, "usageMetadata": self.usage(script)});
        vec![self.content(json!({"interrupted": true})), Event::data(&over)]
    }
}

impl Messages {
    fn usage(&self, script: &Script) -> Value {
        let usage = script.usage();
        let said = usage.completion - usage.reasoning;
        let modality = if self.aloud { "AUDIO" } else { "TEXT" };
        let mut value = json!({
            "promptTokenCount": usage.prompt,
            "responseTokenCount": said,
            "totalTokenCount": usage.total(),
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": usage.prompt}],
            "responseTokensDetails": [{"modality": modality, "tokenCount": said}],
        });
        if usage.reasoning > 0 {
            value["thoughtsTokenCount"] = usage.reasoning.into();
        }
        value
    }
}
