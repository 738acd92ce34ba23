//! How true the recorded times are: held against the moments at which the Lab wrote the same bytes, on one clock in one process,
//! as in the window.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use weir_dialects::Transport;
use weir_lab::{Lab, LabConfig, Pace, Sent, Settings};
use weir_sessions::view::{Draft, OutcomeKind};
use weir_sessions::{KeyChoice, Session};
use weir_tests::desk::{Desk, draft};

use crate::table::Table;
use crate::{Failure, folder};

const LANES: usize = 6;
/// Tokens a second of a lane, and tokens of its reply: ten seconds.
const RATE: f64 = 200.0;
const TOKENS: u32 = 2_000;

/// Six lanes at once over different protocols, and what a reader sees that does nothing else.
pub fn measure(table: &mut Table) -> Result<(), Failure> {
    table.part("Time recorded, less the time at which the Lab wrote the byte: 6 lanes at once, 200 tokens/s each");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let pace = Pace { ttft_ms: 300, tokens_per_second: RATE, reply_tokens: TOKENS, ..Pace::default() };
    let lab = runtime.block_on(Lab::start(LabConfig { port: 0, settings: Settings { pace, ..Settings::default() } }))?;
    let bare = bare(&lab)?;
    table.figure("kernel and scheduler alone (blocking reads), p50 / p99", bare.shown());
    let lanes = runtime.block_on(lanes(&lab))?;
    let [mut recorded, mut told] = [const { Vec::new() }; 2];
    for lane in lanes {
        table.figure(&format!("{}, p50 / p99 of {}", lane.name, lane.recorded.0.len()), lane.recorded.shown());
        recorded.extend(lane.recorded.0);
        told.extend(lane.told.0);
    }
    let (recorded, told) = (Errors::of(recorded), Errors::of(told));
    table.figure(&format!("all lanes, p50 of {} deltas", recorded.0.len()), ms(recorded.at(0.5)));
    table.target("all lanes, p99", ms(recorded.at(0.99)), "< 1 ms", recorded.at(0.99) < 0.001);
    table.figure("all lanes, longest", ms(recorded.at(1.0)));
    table.figure("until the delta is told to who watches, p50 / p99", told.shown());
    runtime.block_on(lab.stop());
    Ok(())
}

fn ms(seconds: f64) -> String {
    format!("{:.3} ms", seconds * 1e3)
}

/// Errors in seconds, ascending.
struct Errors(Vec<f64>);

impl Errors {
    fn of(mut errors: Vec<f64>) -> Self {
        errors.sort_unstable_by(f64::total_cmp);
        Self(errors)
    }

    fn at(&self, q: f64) -> f64 {
        weir_stats::quantile(&self.0, q)
    }

    fn shown(&self) -> String {
        format!("{:.3} / {}", self.at(0.5) * 1e3, ms(self.at(0.99)))
    }
}

/// Seconds from `sent` to `seen`; negative where it was seen before.
fn since(seen: Instant, sent: Instant) -> f64 {
    match seen.checked_duration_since(sent) {
        Some(after) => after.as_secs_f64(),
        None => -sent.duration_since(seen).as_secs_f64(),
    }
}

struct Lane {
    name: &'static str,
    /// Of the recorded times.
    recorded: Errors,
    /// Until the delta was told.
    told: Errors,
}

type Tellings = Arc<Mutex<Vec<(u32, Instant)>>>;

async fn lanes(lab: &Lab) -> Result<Vec<Lane>, Failure> {
    let desk = Desk::at(&folder()?);
    let stamps = lab.stamp_writes();
    let mut running: Vec<(&'static str, Arc<Session>, Tellings)> = Vec::new();
    for (name, draft) in drafts(lab) {
        let told: Tellings = Arc::new(Mutex::new(Vec::with_capacity(TOKENS as usize * 2)));
        let into = told.clone();
        let tell = Box::new(move |delta: weir_sessions::analysis::Told<'_>| {
            if let Ok(mut into) = into.lock() {
                into.push((delta.row, Instant::now()));
            }
        });
        let session = desk.engine().send(&draft, KeyChoice::None, Some(tell))?;
        running.push((name, session, told));
        // One after another, so that the Lab's connections are in the order of the lanes; all wait for their first token together.
        while stamps.len() < running.len() {
            if running.last().is_some_and(|(_, session, _)| !session.is_live()) {
                return Err(format!("{name}: no connection").into());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    for (_, session, _) in &running {
        session.ended().await;
    }
    let sent = stamps.connections();
    if sent.len() != LANES {
        return Err(format!("{} connections for {LANES} lanes", sent.len()).into());
    }
    running.into_iter().zip(&sent).map(|((name, session, told), sent)| lane(name, &session, &told, sent)).collect()
}

/// Holds a lane's deltas against the writes that carried their last bytes.
fn lane(name: &'static str, session: &Session, told: &Tellings, sent: &Sent) -> Result<Lane, Failure> {
    let outcome = session.outcome();
    if outcome.as_ref().is_none_or(|outcome| outcome.kind != OutcomeKind::Complete) {
        return Err(format!("{name}: {outcome:?}").into());
    }
    let origin = session.clock().origin();
    let analysis = session.analysis();
    let fold = &analysis.fold;
    let received = fold.wire;
    if sent.writes.last().is_none_or(|write| write.end != received) {
        return Err(format!("{name}: {received} bytes came, the Lab wrote others").into());
    }
    let told = std::mem::take(&mut *told.lock().map_err(|_| "a panic while deltas were told")?);
    let (mut of_record, mut of_telling) = (Vec::new(), Vec::new());
    for (row, now) in told {
        let found = fold.rows.get(row as usize).filter(|row| matches!(row.kind, weir_sessions::analysis::Kind::Text));
        let Some(row) = found else { continue };
        let stream = &fold.streams[row.stream as usize];
        let last = stream.wire(row.span()).iter().map(|span| span.end).max().ok_or("a delta came from nowhere")?;
        let written = sent.at(last).ok_or("a delta came that was never written")?;
        of_record.push(since(origin + Duration::from_nanos(row.t), written));
        of_telling.push(since(now, written));
    }
    if of_record.len() < TOKENS as usize {
        return Err(format!("{name}: {} deltas of {TOKENS}", of_record.len()).into());
    }
    Ok(Lane { name, recorded: Errors::of(of_record), told: Errors::of(of_telling) })
}

/// The lanes: protocols, HTTP versions and codings.
fn drafts(lab: &Lab) -> [(&'static str, Draft); LANES] {
    let url = lab.url();
    let socket = url.replacen("http", "ws", 1);
    let http = |version: &str, draft: Draft| Draft { http: version.into(), ..draft };
    let responses = format!("{socket}/v1/responses");
    [
        ("SSE, HTTP/1.1", http("1.1", draft(&format!("{url}/v1/chat/completions"), "openai-chat", Transport::Sse))),
        ("SSE, HTTP/2", http("2", draft(&format!("{url}/v1/responses"), "openai-responses", Transport::Sse))),
        // Compressed streams are left out: a byte of theirs leads to whole blocks, which end behind the write it came with.
        ("SSE, HTTP/1.1, Anthropic", http("1.1", draft(&format!("{url}/v1/messages"), "anthropic-messages", Transport::Sse))),
        ("NDJSON", http("1.1", draft(&format!("{url}/api/chat"), "ollama", Transport::Ndjson))),
        ("WebSocket", draft(&responses, "openai-responses", Transport::Websocket)),
        ("WebSocket, deflate", Draft { deflate: true, ..draft(&responses, "openai-responses", Transport::Websocket) }),
    ]
}

const QUESTION: &str = r#"{"model":"lab/steady","stream":true,"messages":[{"role":"user","content":"Explain yourself."}]}"#;

/// As many lanes of plain blocking reads, each by a thread that does nothing but look at the clock: what the machine itself costs.
fn bare(lab: &Lab) -> Result<Errors, Failure> {
    let stamps = lab.stamp_writes();
    let threads: Vec<_> = (0..LANES)
        .map(|n| {
            let stream = TcpStream::connect(lab.address())?;
            while stamps.len() <= n {
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(std::thread::spawn(move || reads(stream)))
        })
        .collect::<Result<_, Failure>>()?;
    let mut errors = Vec::new();
    let all: Vec<Vec<(u64, Instant)>> =
        threads.into_iter().map(|thread| Ok(thread.join().map_err(|_| "a reader panicked")??)).collect::<Result<_, Failure>>()?;
    for (reads, sent) in all.iter().zip(stamps.connections()) {
        for write in &sent.writes {
            if let Some((_, read)) = reads.get(reads.partition_point(|(end, _)| *end < write.end)) {
                errors.push(since(*read, write.at));
            }
        }
    }
    Ok(Errors::of(errors))
}

/// Bytes read so far and the time, for each read.
fn reads(mut stream: TcpStream) -> std::io::Result<Vec<(u64, Instant)>> {
    write!(
        stream,
        "POST /v1/chat/completions HTTP/1.1\r\nHost: lab\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{QUESTION}",
        QUESTION.len()
    )?;
    let (mut buffer, mut end, mut all) = (vec![0; 32 << 10], 0, Vec::with_capacity(2 * TOKENS as usize));
    loop {
        let length = stream.read(&mut buffer)?;
        let now = Instant::now();
        if length == 0 {
            return Ok(all);
        }
        end += length as u64;
        all.push((end, now));
    }
}
