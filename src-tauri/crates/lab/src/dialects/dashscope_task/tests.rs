use super::*;
use crate::connections::Transport;
use crate::settings::Settings;

/// What a socket said: events in text and pieces of sound, in order.
#[derive(Default)]
struct Client {
    socket: Socket,
    texts: Vec<Value>,
    sound: Vec<Vec<u8>>,
    closed: bool,
    last: Option<Script>,
}

impl Client {
    fn take(&mut self, acts: Vec<Act>) {
        for act in acts {
            match act {
                Act::Send(text) => self.texts.push(serde_json::from_str(&text).unwrap()),
                Act::Close(..) => self.closed = true,
                Act::Say(asked) => {
                    let (ask, mut render) = *asked;
                    let script = Script::compose(&ask, Transport::Ws, &Settings::default(), false);
                    let mut events = render.opening(&script);
                    for (step, _) in script.steps(2) {
                        events.extend(render.step(&script, step));
                    }
                    if script.finish() != Finish::Error {
                        events.extend(render.closing(&script));
                    }
                    assert_eq!(events.iter().filter(|event| event.is_end).count(), 1);
                    for event in events {
                        match event.binary {
                            Some(sound) => self.sound.push(sound),
                            None => self.texts.push(serde_json::from_str(&event.data).unwrap()),
                        }
                    }
                    let acts = self.socket.hear(Heard::Said(&script));
                    self.last = Some(script);
                    self.take(acts);
                }
                Act::Cancel => panic!("not expected"),
            }
        }
    }

    fn say(&mut self, message: &Value) -> &mut Self {
        let acts = self.socket.hear(Heard::Text(&message.to_string()));
        self.take(acts);
        self
    }

    fn events(&self) -> Vec<&str> {
        self.texts.iter().map(|text| text["header"]["event"].as_str().unwrap()).collect()
    }
}

fn sent(action: &str, payload: Value) -> Value {
    let streaming = if payload["task"] == "text-generation" { "out" } else { "duplex" };
    json!({"header": {"action": action, "task_id": "t", "streaming": streaming}, "payload": payload})
}

fn speak(parameters: Value) -> Value {
    sent(
        "run-task",
        json!({"task_group": "audio", "task": "tts", "function": "SpeechSynthesizer", "model": "cosyvoice-v2", "parameters": parameters, "input": {}}),
    )
}

fn text(of: &str) -> Value {
    sent("continue-task", json!({"input": {"text": of}}))
}

fn finish() -> Value {
    sent("finish-task", json!({"input": {}}))
}

#[test]
fn text_is_spoken_in_binary_messages() {
    let mut client = Client::default();
    client.say(&speak(json!({"format": "pcm", "sample_rate": 8000})));
    assert_eq!(client.events(), ["task-started"]);
    client.say(&text("Hello ")).say(&text("there.")).say(&finish());
    assert_eq!(client.events(), ["task-started", "result-generated", "result-generated", "task-finished"]);
    assert!(client.sound.len() > 1);
    assert_eq!(client.sound.iter().map(Vec::len).sum::<usize>(), "Hello there.".len() * 320);
    assert_eq!(client.texts.last().unwrap()["payload"]["usage"]["characters"], 12);
    // Another task on the same socket.
    client.say(&speak(json!({"format": "wav"}))).say(&text("你好")).say(&finish());
    assert!(client.sound.iter().any(|sound| sound.starts_with(b"RIFF")));
    assert_eq!(client.texts.last().unwrap()["payload"]["usage"]["characters"], 4);
    assert!(!client.closed);
}

#[test]
fn text_is_answered_as_over_http() {
    let run = |model: &str| {
        let payload = json!({"task_group": "aigc", "task": "text-generation", "function": "generation", "model": model, "parameters": {"result_format": "message", "incremental_output": true}, "input": {"messages": [{"role": "user", "content": "hi"}]}});
        let mut client = Client::default();
        client.say(&sent("run-task", payload));
        client
    };
    let client = run("lab/steady");
    let said: String =
        client.texts.iter().filter_map(|text| text["payload"]["output"]["choices"][0]["message"]["content"].as_str()).collect();
    assert_eq!(said, client.last.as_ref().unwrap().text());
    assert_eq!((client.events().last(), client.closed), (Some(&"task-finished"), false));
    for (model, code) in [("lab/quota", "Throttling.AllocationQuota"), ("lab/filtered", "DataInspectionFailed"), ("none", "ModelNotFound")]
    {
        let client = run(model);
        let header = &client.texts.last().unwrap()["header"];
        assert_eq!((header["event"].as_str(), header["error_code"].as_str(), client.closed), (Some("task-failed"), Some(code), true));
    }
}

#[test]
fn sound_is_answered_with_a_sentence_that_grows() {
    let mut client = Client::default();
    client.say(&sent("run-task", json!({"task": "asr", "model": "paraformer-realtime-v2", "parameters": {"format": "pcm"}, "input": {}})));
    let acts = client.socket.hear(Heard::Binary(&[0; 3200]));
    client.take(acts);
    client.say(&finish());
    let sentences: Vec<&Value> =
        client.texts.iter().map(|text| &text["payload"]["output"]["sentence"]).filter(|sentence| sentence.is_object()).collect();
    assert!(sentences.windows(2).all(|pair| pair[1]["text"].as_str().unwrap().starts_with(pair[0]["text"].as_str().unwrap())));
    assert_eq!(
        (sentences.last().unwrap()["text"].as_str(), &sentences.last().unwrap()["sentence_end"]),
        (client.last.as_ref().map(Script::text), &json!(true))
    );
}

#[test]
fn what_breaks_the_protocol_fails_the_task() {
    for message in [
        json!([]),
        json!({"header": {"action": "run-task", "task_id": "t"}, "payload": {"task": "tts"}}),
        text("before any task"),
        finish(),
        sent("dance", json!({"input": {}})),
        sent("run-task", json!({"input": {}})),
        speak(json!({"format": "mp3"})),
    ] {
        let mut client = Client::default();
        client.say(&message);
        assert_eq!((client.events(), client.closed), (vec!["task-failed"], true), "{message}");
    }
    let mut client = Client::default();
    client.say(&speak(json!({}))).say(&speak(json!({})));
    assert_eq!(client.events(), ["task-started", "task-failed"]);
    let mut cancelled = Client::default();
    cancelled.say(&speak(json!({}))).say(&sent("finish-task", json!({"input": {"directive": "cancel"}})));
    assert_eq!((cancelled.events().last(), cancelled.closed), (Some(&"task-finished"), true));
}
