//! What Weir's own figures differ from curl's by, for the same replies of the Lab: pairs of runs that begin together.

use std::process::Stdio;
use std::time::Duration;

use weir_dialects::Transport;
use weir_lab::{Lab, LabConfig, Pace, Settings};
use weir_sessions::KeyChoice;
use weir_sessions::compare::RunFigures;
use weir_sessions::view::{Draft, HeaderLine, OutcomeKind};
use weir_stats::{Figure, mean, paired};
use weir_tests::desk::{Desk, draft};

use crate::table::Table;
use crate::{Failure, folder};

/// Pairs of each lane: intervals of fewer would not keep their level.
const PAIRS: usize = 30;
/// First byte after 300 ms, and two seconds of reply behind it: 100 tokens at 50 a second.
const TTFT: u32 = 300;
const TOKENS: u32 = 101;
const RATE: f64 = 50.0;
/// Between the starts within a round: a process that starts takes time from whoever dials meanwhile.
const APART: Duration = Duration::from_millis(25);

struct Lane {
    name: &'static str,
    draft: Draft,
    curl: Vec<String>,
    /// curl's `time_starttransfer` is the response's first byte. Under HTTP/2 it is the server's SETTINGS, which come at once.
    tells_first: bool,
}

/// First byte and total of a run, ms.
#[derive(Clone, Copy)]
struct Times {
    first: f64,
    total: f64,
}

/// Every round each lane is run by both, in alternating order.
pub fn measure(table: &mut Table) -> Result<(), Failure> {
    table.part(&format!("Weir's figures against curl's, {PAIRS} pairs a lane, TTFT {TTFT} ms and a reply of 2 s"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let pace = Pace { ttft_ms: 0, tokens_per_second: RATE, reply_tokens: TOKENS, jitter_percent: 0, ..Pace::default() };
    let lab = runtime.block_on(Lab::start(LabConfig { port: 0, settings: Settings { pace, ..Settings::default() } }))?;
    let desk = Desk::at(&folder()?);
    let lanes = lanes(&lab)?;
    let mut pairs: Vec<Vec<(Times, Times)>> = lanes.iter().map(|_| Vec::new()).collect();
    for round in 0..PAIRS {
        let made = runtime.block_on(self::round(&desk, &lanes, round % 2 == 0))?;
        made.into_iter().zip(&mut pairs).for_each(|(pair, all)| all.push(pair));
    }
    for (lane, pairs) in lanes.iter().zip(&pairs) {
        let figure = |what: &str, of: fn(Times) -> f64, table: &mut Table| {
            let (weir, curl): (Vec<f64>, Vec<f64>) = pairs.iter().map(|(weir, curl)| (of(*weir), of(*curl))).unzip();
            let usual = mean(&curl);
            let difference = paired(&weir, &curl, Figure::Mean, 1, 0.95).ok_or("no pairs")?;
            let interval = difference.interval.ok_or("too few pairs")?;
            let share = |value: f64| value / usual * 100.0;
            let shown = format!(
                "{:+.3} ms of {usual:.1}: {:+.3} % [{:+.3}, {:+.3}]",
                difference.value,
                share(difference.value),
                share(interval.low),
                share(interval.high)
            );
            table.target(&format!("{}, {what}", lane.name), shown, "< 2 %, interval too", share(interval.high) < 2.0);
            Ok::<_, Failure>(())
        };
        if lane.tells_first {
            figure("TTFB less time_starttransfer", |times| times.first, table)?;
        } else {
            let why = "not compared: curl takes the server's SETTINGS for the first byte";
            table.figure(&format!("{}, TTFB less time_starttransfer", lane.name), why.to_owned());
        }
        figure("total less time_total", |times| times.total, table)?;
    }
    runtime.block_on(lab.stop());
    Ok(())
}

fn lanes(lab: &Lab) -> Result<Vec<Lane>, Failure> {
    let url = lab.url();
    // The Lab waits before it answers at all, so that the first byte comes with the first token, as curl can see it.
    let wait = HeaderLine { name: "x-lab-fault".into(), value: format!("slow-reader=1;ms={TTFT}") };
    let made = [
        ("SSE, HTTP/1.1", "1.1", "--http1.1", Transport::Sse),
        ("SSE, HTTP/2", "2", "--http2-prior-knowledge", Transport::Sse),
        ("one response, HTTP/1.1", "1.1", "--http1.1", Transport::Http),
    ];
    made.into_iter()
        .map(|(name, version, flag, transport)| {
            let url = format!("{url}/v1/chat/completions");
            let mut draft = Draft { http: version.into(), ..draft(&url, "openai-chat", transport) };
            draft.headers.push(wait.clone());
            let body = format!(
                r#"{{"model":"lab/steady","stream":{},"messages":[{{"role":"user","content":"Explain yourself."}}]}}"#,
                transport == Transport::Sse
            );
            let field = format!("{}: {}", wait.name, wait.value);
            let words = [
                "-sN",
                flag,
                "-o",
                "/dev/null",
                "-H",
                "content-type: application/json",
                "-H",
                &field,
                "-d",
                &body,
                "-w",
                "%{http_code} %{time_starttransfer} %{time_total}",
                &url,
            ];
            Ok(Lane { name, draft, curl: words.map(str::to_owned).to_vec(), tells_first: version != "2" })
        })
        .collect()
}

/// One pair of each lane, all at once.
async fn round(desk: &Desk, lanes: &[Lane], weir_first: bool) -> Result<Vec<(Times, Times)>, Failure> {
    let runs = lanes.iter().enumerate().map(async |(at, lane)| {
        let place = |second: bool| APART * (at * 2 + usize::from(second)) as u32;
        let weir = async {
            tokio::time::sleep(place(!weir_first)).await;
            weir(desk, lane).await
        };
        let curl = async {
            tokio::time::sleep(place(weir_first)).await;
            curl(lane).await
        };
        let (weir, curl) = futures_util::future::join(weir, curl).await;
        Ok::<_, Failure>((weir?, curl?))
    });
    futures_util::future::join_all(runs).await.into_iter().collect()
}

async fn weir(desk: &Desk, lane: &Lane) -> Result<Times, Failure> {
    let session = desk.engine().send(&lane.draft, KeyChoice::None, None)?;
    session.ended().await;
    let outcome = session.outcome();
    if outcome.as_ref().is_none_or(|outcome| outcome.kind != OutcomeKind::Complete) {
        return Err(format!("{}: {outcome:?}", lane.name).into());
    }
    let figures = RunFigures::of(&session);
    figures.ttfb.zip(figures.total).map(|(first, total)| Times { first, total }).ok_or_else(|| "a run without figures".into())
}

async fn curl(lane: &Lane) -> Result<Times, Failure> {
    let words = lane.curl.clone();
    let output =
        tokio::task::spawn_blocking(move || std::process::Command::new("curl").args(words).stdin(Stdio::null()).output()).await??;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match text.split_whitespace().collect::<Vec<_>>()[..] {
        ["200", first, total] => Ok(Times { first: first.parse::<f64>()? * 1e3, total: total.parse::<f64>()? * 1e3 }),
        _ => Err(format!("curl: {text} {}", output.status).into()),
    }
}
