//! The player on a stopped clock, writing into memory.

use http::{HeaderMap, Method};
use serde_json::Value;

use super::*;
use crate::ask::Ask;
use crate::connections::{Ledger, Transport};
use crate::dialects::openai_chat::OpenAiChat;
use crate::dialects::openai_responses::OpenAiResponses;
use crate::dialects::{Dialect, Request};
use crate::settings::Settings;

/// Keeps what it is given, with the moment.
#[derive(Default)]
struct Paper {
    written: Vec<(Duration, Option<String>, Vec<u8>, Manner)>,
    padded: u64,
    start: Option<Instant>,
    /// Each write takes this long: a slow reader.
    slow: Duration,
    /// The client leaves after this time.
    leaves: Option<Duration>,
}

impl Outlet for Paper {
    async fn send(&mut self, event: &Event, payload: Vec<u8>, manner: Manner) -> Result<(), Gone> {
        sleep(self.slow).await;
        let at = self.start.get_or_insert_with(Instant::now).elapsed();
        self.written.push((at, event.name.as_deref().map(str::to_string), payload, manner));
        Ok(())
    }

    async fn pad(&mut self, before: &str, length: u64, after: &str) -> Result<(), Gone> {
        self.padded += (before.len() + after.len()) as u64 + length;
        Ok(())
    }

    async fn gone(&self) {
        match (self.leaves, self.start) {
            (Some(after), Some(start)) => sleep_until(start + after).await,
            _ => std::future::pending().await,
        }
    }
}

fn read(dialect: &dyn Dialect, body: &str) -> (Ask, Box<dyn Render>) {
    let headers = &HeaderMap::new();
    dialect.read(&Request { method: &Method::POST, path: "/", target: "/", query: "", headers, body: body.as_bytes(), names: &[] }).unwrap()
}

async fn perform(dialect: &dyn Dialect, body: &str, settings: &Settings, faults: &str, paper: &mut Paper) -> (Script, Ending) {
    let (ask, mut render) = read(dialect, body);
    let faults = Faults::parse(faults).unwrap();
    let script = Script::compose(&ask, Transport::Sse, settings, faults.split_utf8.is_some());
    let exchange = Ledger::default().begin("t".into(), Transport::Sse, "/".into(), faults.label());
    let start = Instant::now();
    paper.start = Some(start);
    let ending = play(&script, render.as_mut(), &settings.pace, &faults, start, &exchange, paper).await;
    (script, ending)
}

const CHAT: &str =
    r#"{"model":"lab/steady","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hello there"}]}"#;

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.pace.jitter_percent = 0;
    settings.pace.tokens_per_second = 100.0;
    settings
}

fn json(payload: &[u8]) -> Value {
    serde_json::from_slice(payload).unwrap()
}

#[tokio::test(start_paused = true)]
async fn tokens_leave_at_their_moments() {
    let mut paper = Paper::default();
    let (script, ending) = perform(&OpenAiChat, CHAT, &settings(), "", &mut paper).await;
    assert_eq!(ending, Ending::Complete);
    let texts: Vec<(Duration, String)> = paper
        .written
        .iter()
        .filter(|w| w.2 != b"[DONE]")
        .filter_map(|w| Some((w.0, json(&w.2)["choices"][0]["delta"]["content"].as_str()?.to_string())))
        .collect();
    assert_eq!(paper.written[0].0, Duration::ZERO, "the role chunk leaves at once");
    assert_eq!(texts.iter().map(|t| t.1.as_str()).collect::<String>(), script.text());
    for (n, (at, _)) in texts.iter().skip(1).enumerate() {
        let due = Duration::from_millis(350 + 10 * n as u64);
        // tokio's timer has a grain of one millisecond.
        assert!(*at >= due && *at <= due + Duration::from_millis(2), "token {n} at {at:?}, due {due:?}");
    }
    assert_eq!(texts.len(), 121, "120 tokens and the empty one beside the role");
    let usage = &json(&paper.written[paper.written.len() - 2].2)["usage"];
    assert_eq!(usage["completion_tokens"], 120);
    assert_eq!(usage["prompt_tokens"], 2);
    assert_eq!(usage["total_tokens"], 122);
    assert_eq!(paper.written.last().unwrap().2, b"[DONE]");
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_does_not_shift_the_schedule() {
    let mut paper = Paper { slow: Duration::from_millis(9), ..Paper::default() };
    perform(&OpenAiChat, CHAT, &settings(), "", &mut paper).await;
    let last_token = paper.written[paper.written.len() - 4].0;
    assert!(last_token < Duration::from_millis(350 + 1190 + 15), "{last_token:?}");
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_bytes_at_the_same_moments() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let mut paper = Paper::default();
        perform(&OpenAiResponses, r#"{"model":"lab/reasoner","stream":true,"input":"hi"}"#, &Settings::default(), "", &mut paper).await;
        runs.push(paper.written);
    }
    assert_eq!(runs[0], runs[1]);
    let mut other = Settings::default();
    other.pace.seed = 8;
    let mut paper = Paper::default();
    perform(&OpenAiResponses, r#"{"model":"lab/reasoner","stream":true,"input":"hi"}"#, &other, "", &mut paper).await;
    assert_ne!(runs[0], paper.written);
}

#[tokio::test(start_paused = true)]
async fn a_stall_pauses_once_and_keeps_the_rhythm() {
    let mut paper = Paper::default();
    perform(&OpenAiChat, CHAT, &settings(), "stall-after=10;ms=30000", &mut paper).await;
    let gaps: Vec<Duration> = paper.written.windows(2).map(|w| w[1].0 - w[0].0).collect();
    let long: Vec<usize> = (0..gaps.len()).filter(|n| gaps[*n] > Duration::from_secs(1)).collect();
    assert_eq!(long, [10], "between the tenth token and the eleventh");
    assert!(gaps[10] >= Duration::from_secs(30) && gaps[10] < Duration::from_millis(30_020));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_stops_the_reply() {
    let mut paper = Paper { leaves: Some(Duration::from_millis(505)), ..Paper::default() };
    let (_, ending) = perform(&OpenAiChat, CHAT, &settings(), "", &mut paper).await;
    assert_eq!(ending, Ending::Gone);
    assert!(paper.written.last().unwrap().0 <= Duration::from_millis(505));
    assert_eq!(paper.written.len(), 17);
}

#[tokio::test(start_paused = true)]
async fn endings_come_after_their_token() {
    for (fault, ending) in [("drop-after=40", Ending::Reset), ("cut-after=40", Ending::Cut), ("close=1011;after=40", Ending::Close(1011))] {
        let mut paper = Paper::default();
        let (_, ended) = perform(&OpenAiChat, CHAT, &settings(), fault, &mut paper).await;
        assert_eq!((ended, paper.written.len()), (ending, 41), "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn single_events_are_damaged_where_asked() {
    let mut clean = Paper::default();
    perform(&OpenAiChat, CHAT, &settings(), "", &mut clean).await;
    let mut paper = Paper::default();
    perform(&OpenAiChat, CHAT, &settings(), "malformed-json=17,invalid-utf8=5", &mut paper).await;
    for (n, (hurt, whole)) in paper.written.iter().zip(&clean.written).enumerate() {
        match n + 1 {
            17 => assert_eq!(hurt.2, whole.2[..whole.2.len() - 1]),
            5 => {
                assert!(std::str::from_utf8(&hurt.2).is_err() && hurt.2.len() == whole.2.len() + 1)
            }
            _ => assert_eq!(hurt.2, whole.2),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn splits_fall_inside_characters() {
    let mut paper = Paper::default();
    let mut settings = settings();
    settings.reply = crate::Reply::Unicode;
    perform(&OpenAiChat, CHAT, &settings, "split-utf8=3", &mut paper).await;
    let split: Vec<_> = paper.written.iter().filter(|w| w.3.split.is_some()).collect();
    assert!(split.len() > 10);
    for (_, _, payload, manner) in split {
        let text = std::str::from_utf8(payload).unwrap();
        assert!(!text.is_char_boundary(manner.split.unwrap()));
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_marker_and_huge_lines() {
    for (dialect, body) in [(&OpenAiChat as &dyn Dialect, CHAT), (&OpenAiResponses, r#"{"model":"lab/steady","stream":true,"input":"hi"}"#)]
    {
        let mut whole = Paper::default();
        perform(dialect, body, &settings(), "", &mut whole).await;
        let mut paper = Paper::default();
        let (_, ending) = perform(dialect, body, &settings(), "no-end-marker,huge-line=100000", &mut paper).await;
        assert_eq!(ending, Ending::Complete);
        assert_eq!(paper.written.len(), whole.written.len() - 1);
        assert_eq!(paper.padded, 100_000);
    }
}

/// The rules of the Responses event order, checked over every behaviour.
#[tokio::test(start_paused = true)]
async fn responses_events_are_complete_and_in_order() {
    let tools = r#","tools":[{"type":"function","name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}},{"type":"function","name":"get_time","parameters":{}}]"#;
    for (model, extra) in [
        ("lab/steady", ""),
        ("lab/reasoner", ""),
        ("lab/refuser", ""),
        ("lab/filtered", ""),
        ("lab/error-mid-stream", ""),
        ("lab/tools", tools),
        ("lab/reasoner", r#","max_output_tokens":10"#),
        ("lab/steady", r#","max_output_tokens":10"#),
        (
            "lab/tools",
            r#","max_output_tokens":2,"tools":[{"type":"function","name":"f","parameters":{"properties":{"a":{"type":"string"}}}}]"#,
        ),
    ] {
        let body = format!(r#"{{"model":"{model}","stream":true,"input":"hi"{extra}}}"#);
        let mut paper = Paper::default();
        let (script, _) = perform(&OpenAiResponses, &body, &settings(), "", &mut paper).await;
        let events: Vec<Value> = paper.written.iter().map(|w| json(&w.2)).collect();
        let mut open: Option<u64> = None;
        let (mut text, mut reasoning, mut refusal) = (String::new(), String::new(), String::new());
        let mut arguments = vec![String::new(); 3];
        let mut items = 0;
        let mut ids = std::collections::BTreeSet::new();
        for (n, (event, written)) in events.iter().zip(&paper.written).enumerate() {
            assert_eq!(event["type"].as_str(), written.1.as_deref(), "name and type agree");
            assert_eq!(event["sequence_number"], n);
            if let Some(id) = event["response"]["id"].as_str() {
                ids.insert(id.to_string());
            }
            if let Some(index) = event["output_index"].as_u64() {
                assert_eq!(index, items);
            }
            let delta = event["delta"].as_str().unwrap_or_default();
            match event["type"].as_str().unwrap() {
                "response.output_item.added" => assert_eq!(open.replace(items), None),
                "response.output_item.done" => {
                    assert_eq!(open.take(), Some(items));
                    items += 1;
                }
                "response.output_text.delta" => text += delta,
                "response.output_text.done" => assert_eq!(event["text"], text.as_str()),
                "response.refusal.delta" => refusal += delta,
                "response.refusal.done" => assert_eq!(event["refusal"], refusal.as_str()),
                "response.reasoning_summary_text.delta" => reasoning += delta,
                "response.function_call_arguments.delta" => arguments[items as usize] += delta,
                "response.function_call_arguments.done" => {
                    assert_eq!(event["arguments"], arguments[items as usize].as_str())
                }
                _ => {}
            }
        }
        assert_eq!(ids.len(), 1, "one stable response id");
        let last = events.last().unwrap();
        let status = match script.finish() {
            crate::Finish::Error => "failed",
            crate::Finish::Length | crate::Finish::ContentFilter => "incomplete",
            _ => "completed",
        };
        assert_eq!(last["type"], format!("response.{status}"), "{model}");
        assert_eq!(last["response"]["status"], status);
        if status == "failed" {
            continue;
        }
        assert_eq!(open, None);
        assert_eq!((text.as_str(), refusal.as_str(), reasoning.as_str()), (script.text(), script.refusal(), script.reasoning()));
        assert_eq!(last["response"]["output"].as_array().unwrap().len() as u64, items);
        assert_eq!(last["response"]["usage"]["output_tokens"], script.usage().completion);
        for (call, said) in script.tool_calls().iter().zip(&arguments) {
            assert_eq!(said, call.arguments.text());
            if status == "completed" {
                assert!(serde_json::from_str::<Value>(said).unwrap().is_object());
            }
        }
        // The whole form is what the stream ends with.
        let (_, mut render) = read(&OpenAiResponses, &body);
        assert_eq!(render.whole(&script), last["response"]);
    }
}

#[tokio::test(start_paused = true)]
async fn chat_chunks_carry_every_part_of_the_script() {
    let tools = r#","tools":[{"type":"function","function":{"name":"a","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}},{"type":"function","function":{"name":"b"}}]"#;
    for (model, extra) in
        [("lab/reasoner", ""), ("lab/refuser", ""), ("lab/tools", tools), ("lab/bursty", ""), ("lab/steady", r#","max_tokens":5"#)]
    {
        for per_event in [1, 4] {
            let body = format!(r#"{{"model":"{model}","stream":true,"messages":[{{"role":"user","content":"hi"}}]{extra}}}"#);
            let mut settings = settings();
            settings.pace.tokens_per_event = per_event;
            let mut paper = Paper::default();
            let (script, _) = perform(&OpenAiChat, &body, &settings, "", &mut paper).await;
            let (mut text, mut reasoning, mut refusal) = (String::new(), String::new(), String::new());
            let mut calls: Vec<(String, String)> = Vec::new();
            let mut finish = None;
            for written in paper.written.iter().filter(|w| w.2 != b"[DONE]") {
                let chunk = json(&written.2);
                let choice = &chunk["choices"][0];
                let delta = &choice["delta"];
                text += delta["content"].as_str().unwrap_or_default();
                reasoning += delta["reasoning_content"].as_str().unwrap_or_default();
                refusal += delta["refusal"].as_str().unwrap_or_default();
                for call in delta["tool_calls"].as_array().into_iter().flatten() {
                    if let Some(id) = call["id"].as_str() {
                        calls.push((id.into(), String::new()));
                    }
                    calls[call["index"].as_u64().unwrap() as usize].1 += call["function"]["arguments"].as_str().unwrap();
                }
                finish = choice["finish_reason"].as_str().map(str::to_string).or(finish);
                assert!(chunk.get("usage").is_none(), "not asked for");
            }
            assert_eq!((text.as_str(), reasoning.as_str(), refusal.as_str()), (script.text(), script.reasoning(), script.refusal()));
            let meant: Vec<(String, String)> = script.tool_calls().iter().map(|c| (c.id.clone(), c.arguments.text().to_string())).collect();
            assert_eq!(calls, meant);
            assert!(calls.len() == if model == "lab/tools" { 2 } else { 0 });
            let expected = match model {
                "lab/tools" => "tool_calls",
                "lab/steady" => "length",
                _ => "stop",
            };
            assert_eq!(finish.as_deref(), Some(expected));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_in_the_middle_ends_the_chat_stream() {
    let mut paper = Paper::default();
    let body = CHAT.replace("lab/steady", "lab/error-mid-stream");
    perform(&OpenAiChat, &body, &settings(), "", &mut paper).await;
    let last = json(&paper.written.last().unwrap().2);
    assert_eq!(last["error"]["type"], "server_error");
    assert_eq!(paper.written.len(), 1 + 60 + 1);
}
