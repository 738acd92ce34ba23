//! One session: what it was, how it ended, what it said.

use std::ops::ControlFlow;

use serde_json::{Value, json};
use weir_sessions::analysis::Analysis;
use weir_sessions::view::{BlockKind, FrameRow, OutcomeKind};
use weir_sessions::{Engine, Error, Session};

use super::list;
use crate::out::{self, Exit};
use crate::summary::{self, Detail};

/// Rows read at once.
const PAGE: usize = 500;

/// Show a session: info, outcome, figures and reply. With --json the summary as `send --json` told it.
#[derive(clap::Args)]
pub struct Args {
    /// Session.
    id: String,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    /// Print the rows of the frame table.
    #[arg(long, conflicts_with = "deltas")]
    frames: bool,
    /// Only rows that pass this filter, written as in the window.
    #[arg(long, requires = "frames")]
    filter: Option<String>,
    /// Print the deltas as `send --json` told them.
    #[arg(long, requires = "json")]
    deltas: bool,
}

/// Prints the session.
pub fn run(engine: &Engine, args: &Args) -> Result<Exit, Error> {
    let session = engine.session(&args.id)?;
    if args.frames {
        return frames(&session, args);
    }
    if args.deltas
        && let Some(exit) = deltas(&session)?
    {
        return Ok(exit);
    }
    let written = if args.json { out::json(&object(engine, &session)?) } else { out::text(&page(&session)) };
    Ok(written.map_or_else(|error| out::unwritten(&error), |()| Exit::Done))
}

fn object(engine: &Engine, session: &Session) -> Result<Value, Error> {
    let mut summary = summary::of(session, Detail::Whole);
    let row = list::object(&engine.library().session(session.id())?);
    for name in ["id", "title", "provider", "model", "dialect", "transport", "started_at_ms", "tags", "prompt"] {
        summary[name] = row[name].clone();
    }
    summary["url"] = json!(session.plan().call.url);
    Ok(summary)
}

/// Folds the log once more and tells its deltas, as the live run did.
fn deltas(session: &Session) -> Result<Option<Exit>, Error> {
    let plan = session.plan();
    let mut analysis = Analysis::new(plan.dialect(), plan.draft.transport);
    let mut failed = None;
    let mut broken = None;
    let mut tell = |told: weir_sessions::analysis::Told<'_>| {
        if failed.is_none() {
            failed = out::json(&summary::delta(&told)).err();
        }
    };
    session.log().records(&mut |record| match weir_sessions::entry(record) {
        Ok(entry) => {
            analysis.push(&entry, &mut tell);
            ControlFlow::Continue(())
        }
        Err(error) => {
            broken = Some(error);
            ControlFlow::Break(())
        }
    })?;
    analysis.end(&mut tell);
    broken.map_or(Ok(failed.map(|error| out::unwritten(&error))), Err)
}

fn frames(session: &Session, args: &Args) -> Result<Exit, Error> {
    let filter = args.filter.as_deref().unwrap_or_default();
    let mut start = 0;
    loop {
        let page = session
            .rows(filter, start, PAGE)
            .map_err(|error| Error::new("user", "filter", error.message, "Nothing was shown.", filter, "Correct the filter."))?;
        if page.rows.is_empty() {
            return Ok(Exit::Done);
        }
        start += page.rows.len();
        for row in &page.rows {
            let written = if args.json { out::json(&frame(row)) } else { out::text(&line(row)) };
            if let Err(error) = written {
                return Ok(out::unwritten(&error));
            }
        }
    }
}

fn frame(row: &FrameRow) -> Value {
    json!({
        "type": "frame", "id": row.id, "t_ms": row.t_ms, "gap_ms": row.gap_ms, "dir": if row.out { "out" } else { "in" },
        "layer": row.layer, "kind": row.kind, "size": row.size, "summary": row.summary,
    })
}

fn line(row: &FrameRow) -> String {
    let way = if row.out { '↑' } else { '↓' };
    format!(
        "{:>6}  {:>11.3}  {way}  {:<6}  {:<10}  {:>8}  {}\n",
        row.id,
        row.t_ms,
        row.layer,
        row.kind,
        row.size,
        out::printable(&row.summary)
    )
}

fn page(session: &Session) -> String {
    let info = session.info();
    let plan = session.plan();
    let mut text = format!("{}\n", info.title);
    let facts = [
        ("id", info.id.clone()),
        ("started", list::when(session.started_at_ms())),
        ("provider", plan.draft.provider.clone()),
        ("model", plan.draft.ask.model.clone()),
        ("dialect", plan.dialect.clone()),
        ("transport", plan.draft.transport.name().to_owned()),
        ("request", format!("{} {}", plan.call.method, plan.call.url)),
        ("result", figures(session)),
    ];
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        text.push_str(&format!("{name:<10} {value}\n"));
    }
    if let Some(problem) = session.outcome().and_then(|outcome| outcome.problem) {
        text.push_str(&format!("{:<10} {}\n", "problem", problem.message));
        for part in problem.consequence.lines().chain(problem.evidence.lines()).chain(problem.next.lines()) {
            text.push_str(&format!("{:<10} {part}\n", ""));
        }
    }
    for block in &session.analysis().fold.folded.blocks {
        let title = match (block.kind, &block.tool) {
            (BlockKind::Text, _) => "reply".to_owned(),
            (BlockKind::Reasoning, _) => "reasoning".to_owned(),
            (BlockKind::Refusal, _) => "refusal".to_owned(),
            (BlockKind::Said, _) => "user".to_owned(),
            (BlockKind::Audio, _) => {
                block.media.as_ref().map_or_else(|| "audio".to_owned(), |m| format!("audio {}, {} B", m.media_type, m.bytes))
            }
            (BlockKind::ToolCall, tool) => format!("tool call {}", tool.as_ref().map_or("", |tool| tool.name.as_str())),
        };
        text.push_str(&format!("\n— {title} —\n{}\n", block.text.trim_end_matches('\n')));
    }
    out::printable(&text).into_owned()
}

/// A session's figures in one line.
pub fn figures(session: &Session) -> String {
    let outcome = session.outcome();
    let analysis = session.analysis();
    let metrics = analysis.metrics();
    let mut parts: Vec<String> = Vec::new();
    parts.push(
        match outcome.map(|outcome| outcome.kind) {
            Some(OutcomeKind::Complete) => "complete",
            Some(OutcomeKind::Cancelled) => "cancelled",
            Some(OutcomeKind::Failed) => "failed",
            Some(OutcomeKind::Cut) | None => "cut",
        }
        .into(),
    );
    if let Some(status) = &analysis.fold.status {
        parts.push(format!("HTTP/{} {}", analysis.http().unwrap_or("?"), status.code));
    }
    if matches!(&analysis.phases.tls_facts, Some((_, _, true))) {
        parts.push("certificate NOT checked".into());
    }
    let ms = |name: &str, value: Option<f64>| value.map(|value| format!("{name} {value:.1} ms"));
    parts.extend(ms("DNS", metrics.dns_ms).filter(|_| metrics.dns_ms.is_some_and(|ms| ms > 0.05)));
    parts.extend(ms("TCP", metrics.tcp_ms));
    parts.extend(ms("TLS", metrics.tls_ms));
    parts.extend(ms("TTFB", metrics.ttfb_ms));
    parts.extend(ms("TTFT", metrics.ttft_ms));
    parts.extend(ms("total", metrics.total_ms));
    parts.push(format!("{} deltas in {} frames", metrics.deltas, metrics.frames));
    parts.extend(metrics.rate.map(|rate| format!("{:.1} {}", rate.value, if rate.estimate { "deltas/s" } else { "tokens/s" })));
    parts.push(format!("{} B down, {} B of them text, {} B up", metrics.bytes_down, metrics.bytes_text, metrics.bytes_up));
    parts.extend(analysis.fold.folded.facts.finish.as_ref().map(|finish| format!("finish {}", finish.reason)));
    out::printable(&parts.join(" · ")).into_owned()
}
