//! Who takes a flood: each gives the time from the request to the end, and what it counted.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use eventsource_stream::Eventsource;
use futures_util::{SinkExt, StreamExt};
use weir_dialects::Transport;
use weir_sessions::KeyChoice;
use weir_sessions::view::OutcomeKind;
use weir_tests::desk::{Desk, draft};

use crate::Failure;

/// Weir: from sending to a session that has ended with every byte committed. Counts content deltas.
pub async fn weir(url: &str, folder: &Path) -> Result<(Duration, usize), Failure> {
    let desk = Desk::at(folder);
    let draft = if url.starts_with("ws") {
        draft(url, "openai-responses", Transport::Websocket)
    } else {
        draft(url, "openai-chat", Transport::Sse)
    };
    let start = Instant::now();
    let session = desk.engine().send(&draft, KeyChoice::None, None)?;
    session.ended().await;
    let took = start.elapsed();
    let outcome = session.outcome();
    if outcome.as_ref().is_none_or(|outcome| outcome.kind != OutcomeKind::Complete) {
        return Err(format!("Weir's session did not complete: {outcome:?}").into());
    }
    let deltas = session.analysis().fold.deltas as usize;
    Ok((took, deltas))
}

/// `curl -sN -o FILE`; its start as a process is part of the time. Counts nothing.
pub fn curl(url: &str, folder: &Path) -> Result<(Duration, usize), Failure> {
    let file = folder.join("curl.out");
    let start = Instant::now();
    let status = Command::new("curl").args(["-sN", "-o"]).arg(&file).arg(url).status()?;
    let took = start.elapsed();
    std::fs::remove_file(&file)?;
    if status.success() { Ok((took, 0)) } else { Err(format!("curl: {status}").into()) }
}

/// reqwest's body through eventsource-stream. Counts events.
pub async fn reqwest(url: &str) -> Result<(Duration, usize), Failure> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let start = Instant::now();
    let mut events = client.get(url).send().await?.bytes_stream().eventsource();
    let mut count = 0;
    while let Some(event) = events.next().await {
        event?;
        count += 1;
    }
    Ok((start.elapsed(), count))
}

/// Node's fetch through eventsource-parser, which only counts. The script times itself: Node's start is no part of it.
pub fn node(url: &str) -> Result<(Duration, usize), Failure> {
    told_by_node(&Command::new("node").arg(node_folder()?.join("take.mjs")).arg(url).output()?)
}

/// The folder of Node's scripts, with what they import.
pub fn node_folder() -> Result<PathBuf, Failure> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/node");
    if !folder.join("node_modules").exists() {
        let status = Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder).status()?;
        if !status.success() {
            return Err(format!("npm ci: {status}").into());
        }
    }
    Ok(folder)
}

/// What a script of Node's printed: milliseconds, and what it counted.
pub fn told_by_node(output: &Output) -> Result<(Duration, usize), Failure> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (millis, count) =
        text.trim().split_once(' ').ok_or_else(|| format!("node said «{text}» {}", String::from_utf8_lossy(&output.stderr)))?;
    Ok((Duration::from_secs_f64(millis.parse::<f64>()? / 1e3), count.parse()?))
}

/// A plain tokio-tungstenite loop. Counts messages.
pub async fn tungstenite(url: &str) -> Result<(Duration, usize), Failure> {
    let start = Instant::now();
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await?;
    socket.send("go".into()).await?;
    let mut count = 0;
    while let Some(message) = socket.next().await {
        if message?.is_text() {
            count += 1;
        }
    }
    Ok((start.elapsed(), count))
}
