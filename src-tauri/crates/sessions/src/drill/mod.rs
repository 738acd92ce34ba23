//! What a fault costs: the same text over an event stream that is resumed by its ids, and over a POST that nobody may repeat, under one
//! of the Lab's faults.

mod tally;

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;
use weir_frames::sse::Item;
use weir_transport::reconnect::{End, Options, Told, listen};
use weir_transport::{Control, Header, HttpVersion, Limits, Proxy, Request, Target, Value, journal};

use tally::Tally;

/// Tokens of each lane.
const TOKENS: u32 = 60;
/// Milliseconds between two of them.
const BEAT: u32 = 20;
/// How often the resumed lane comes back at most: a fault that meets every connection must end some time.
const COMEBACKS: u32 = 20;
/// Bytes of the log that may wait before the socket is read no further.
const IN_FLIGHT: usize = 1 << 20;

/// What one lane went through. Times in milliseconds; none where it did not come to that.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LaneReport {
    /// `events` or `reply`.
    pub lane: &'static str,
    /// How it meets a break, in words.
    pub resumes: &'static str,
    /// From the last byte to knowing of the first break.
    pub notice_ms: Option<f64>,
    /// From knowing of it to the first token that was new.
    pub recover_ms: Option<f64>,
    /// The longest time without a token once the first had come.
    pub silence_ms: Option<f64>,
    /// Tokens that never came.
    pub lost: u32,
    /// Tokens that came again.
    pub repeated: u32,
    /// Requests after the first.
    pub reconnects: u32,
    /// Bytes of events that had come before.
    pub bytes_twice: u64,
    /// All tokens came.
    pub whole: bool,
    /// How it ended, where that was no good end: a stable code.
    pub error: Option<String>,
}

/// Sends both lanes to the Lab at `lab` (`http://127.0.0.1:PORT`) under `fault`, as `x-lab-fault` takes it, one after the other. `patience`
/// is how long a lane waits for the next byte before it gives a connection up.
pub async fn run(lab: &str, fault: &str, patience: Duration) -> Vec<LaneReport> {
    let header = |name: &str, value: &str| Header { name: name.into(), value: Value::Plain(value.into()) };
    let events = Request { method: "GET".into(), headers: vec![header("x-lab-fault", fault)], body: Default::default() };
    let said = serde_json::json!({
        "model": "lab/steady",
        "stream": true,
        "messages": [{ "role": "user", "content": "What does a deploy do to a stream?" }],
    });
    let reply = Request {
        method: "POST".into(),
        headers: vec![
            header("content-type", "application/json"),
            header("x-lab-fault", fault),
            header("x-lab-tokens", &TOKENS.to_string()),
            header("x-lab-rate", &(1000 / BEAT).to_string()),
            header("x-lab-ttft-ms", "100"),
        ],
        body: said.to_string().into(),
    };
    let resumed = Options { max_reconnects: Some(COMEBACKS), ..Options::default() };
    let single = Options { reconnect: false, ..Options::default() };
    let words = "comes back with Last-Event-ID, after the time the server's retry sets";
    let url = format!("{lab}/sse?count={TOKENS}&interval_ms={BEAT}");
    let first = lane("events", words, &url, events, resumed, patience, |_| true).await;
    let words = "is not sent again: a POST may have been answered, and paid for, already";
    let url = format!("{lab}/v1/chat/completions");
    let second = lane("reply", words, &url, reply, single, patience, is_token).await;
    vec![first, second]
}

/// Whether a chat chunk says something.
fn is_token(data: &str) -> bool {
    let chunk: Option<serde_json::Value> = serde_json::from_str(data).ok();
    chunk.is_some_and(|chunk| chunk["choices"][0]["delta"]["content"].as_str().is_some_and(|text| !text.is_empty()))
}

async fn lane(
    name: &'static str,
    resumes: &'static str,
    url: &str,
    request: Request,
    options: Options,
    patience: Duration,
    counts: fn(&str) -> bool,
) -> LaneReport {
    let target = Target {
        url: url.into(),
        http: HttpVersion::Http11,
        proxy: Proxy::Direct,
        limits: Limits { idle: Some(patience), first_byte: Some(patience), ..Limits::default() },
        ..Target::default()
    };
    let control = Control::new();
    let (journal, mut reader) = journal::channel(IN_FLIGHT);
    // A drill keeps no log; it must be read all the same, or the socket would not be.
    let drain = tokio::task::spawn_blocking(move || {
        let mut entries = Vec::new();
        while reader.recv_many(&mut entries) > 0 {
            entries.clear();
        }
    });
    let mut tally = Tally::new(TOKENS, Instant::now());
    let end = listen(&target, &request, options, journal, 0, &control, &mut |told| match told {
        Told::Connection { n, .. } => tally.connection(n),
        Told::Item(Item::Event(event)) if counts(&event.data) => {
            tally.token(Instant::now(), event.id, event.span.end - event.span.start);
        }
        Told::Item(_) => tally.byte(Instant::now()),
        // After the last token the server's end is no break, and there is nothing to come back for.
        Told::Waiting { .. } if tally.is_whole() => control.finish(),
        Told::Waiting { .. } => tally.broken(Instant::now()),
        Told::Redirect { .. } | Told::Unsendable { .. } => {}
    })
    .await;
    let ended = Instant::now();
    // Its journal is gone with the stream, so it ends; a panic has told itself.
    let _ = drain.await;
    let error = match end {
        End::Refused(error) | End::Futile(error) | End::Ended { error: Some(error), .. } => Some(error.code.to_string()),
        End::Ended { error: None, .. } | End::NoContent | End::Stopped => None,
    };
    tally.report(name, resumes, error, ended)
}
