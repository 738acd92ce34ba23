//! The summary: the last line of `send --json`, and what `sessions show --json` tells of a recording. Both are made here from the same fold.

use serde_json::{Map, Value, json};
use weir_dialects::{Delta, delta::Part};
use weir_sessions::Session;
use weir_sessions::analysis::{Analysis, Told};
use weir_sessions::view::{BlockKind, OutcomeKind, Problem};

use crate::out::Exit;

/// How the summary is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Everything.
    Whole,
    /// Without `text` and `reasoning`.
    Quiet,
}

/// The summary of a session that is over.
pub fn of(session: &Session, detail: Detail) -> Value {
    let outcome = session.outcome();
    let analysis = session.analysis();
    let metrics = analysis.metrics();
    let folded = &analysis.fold.folded;
    let kind = outcome.as_ref().map_or(OutcomeKind::Cut, |outcome| outcome.kind);
    let mut summary = Map::new();
    let mut put = |name: &str, value: Value| {
        summary.insert(name.to_owned(), value);
    };
    put("type", json!("summary"));
    put("outcome", json!(kind));
    put("error", outcome.and_then(|outcome| outcome.problem).map_or(Value::Null, |problem| error(&problem)));
    put("status", json!(analysis.fold.status.as_ref().map(|status| status.code)));
    put("http", json!(analysis.http()));
    if detail == Detail::Whole {
        put("text", json!(folded.text(BlockKind::Text)));
        put("reasoning", json!(folded.text(BlockKind::Reasoning)));
    }
    let refusal = folded.text(BlockKind::Refusal);
    if !refusal.is_empty() {
        put("refusal", json!(refusal));
    }
    put("tool_calls", json!(folded.tool_calls()));
    put("usage", json!(folded.facts.usage));
    put("finish", json!(folded.facts.finish.as_ref().map(|finish| &finish.reason)));
    put("timings", timings(&analysis));
    put("deltas", json!(metrics.deltas));
    put("frames", json!(metrics.frames));
    // A request to a model is never sent again by itself: it could be answered, and paid for, twice.
    put("reconnects", json!(0));
    let layers: Map<String, Value> = metrics.layers.into_iter().map(|(layer, bytes)| (layer, json!(bytes))).collect();
    put(
        "bytes",
        json!({"down": metrics.bytes_down, "up": metrics.bytes_up, "text": metrics.bytes_text, "tls": metrics.bytes_tls, "layers": layers}),
    );
    put("session", json!(session.id()));
    Value::Object(summary)
}

/// The summary of a run that never began.
pub fn refused(problem: &Problem, detail: Detail) -> Value {
    let mut summary = json!({
        "type": "summary", "outcome": "failed", "error": error(problem), "status": null, "http": null, "text": "", "reasoning": "",
        "tool_calls": [], "usage": null, "finish": null,
        "timings": {"dns_ms": null, "tcp_ms": null, "tls_ms": null, "ttfb_ms": null, "ttft_ms": null, "total_ms": null},
        "deltas": 0, "frames": 0, "reconnects": 0, "bytes": {"down": 0, "up": 0, "text": 0, "tls": 0, "layers": {}},
    });
    if let (Detail::Quiet, Some(summary)) = (detail, summary.as_object_mut()) {
        summary.retain(|name, _| name != "text" && name != "reasoning");
    }
    summary
}

fn error(problem: &Problem) -> Value {
    json!({
        "code": problem.code, "message": problem.message, "blame": problem.blame,
        "consequence": problem.consequence, "evidence": problem.evidence, "next": problem.next,
    })
}

/// Every time counts from the start of dialling: a phase's is when it was over.
fn timings(analysis: &Analysis) -> Value {
    let metrics = analysis.metrics();
    let over = |name: &str| {
        let phase = analysis.phases.spans.iter().find(|(of, _, _)| *of == name);
        phase.map(|&(_, _, end)| millis(end))
    };
    json!({
        "dns_ms": over("dns"), "tcp_ms": over("tcp"), "tls_ms": over("tls"),
        "ttfb_ms": metrics.ttfb_ms.map(micros), "ttft_ms": metrics.ttft_ms.map(micros), "total_ms": metrics.total_ms.map(micros),
    })
}

/// A delta as a line of `--json`.
pub fn delta(told: &Told<'_>) -> Value {
    let Delta { kind, text, part, .. } = told.delta;
    let mut line = json!({"type": "delta", "kind": kind, "t_ms": millis(told.t), "text": text, "frame": told.row});
    let mut put = |name: &str, value: Value| {
        line[name] = value;
    };
    match part {
        Part::None => {}
        Part::Tool { index, id, name, whole } => {
            put("index", json!(index));
            put("id", json!(id));
            put("name", json!(name));
            put("whole", json!(whole));
        }
        Part::Usage(usage) => put("usage", json!(usage)),
        Part::Finish(finish) => put("finish", json!(finish.reason)),
        Part::Error { code } => put("code", json!(code)),
        Part::Retry(after) => put("retry_after", json!(after)),
        Part::End => put("end", json!(true)),
        Part::Whole => put("whole", json!(true)),
        Part::Id => put("id", json!(text)),
        Part::Signature { call } => {
            put("signature", json!(true));
            put("index", json!(call));
        }
        Part::Media { media_type, bytes, ms, .. } => put("media", json!({"type": media_type, "bytes": bytes, "ms": ms})),
    }
    line
}

/// The exit code that a session's outcome asks for.
pub fn exit(session: &Session) -> Exit {
    let Some(outcome) = session.outcome() else { return Exit::Failed };
    if outcome.kind == OutcomeKind::Complete {
        return Exit::Done;
    }
    let analysis = session.analysis();
    // Not a byte of the request was written: the dial failed, or there was nothing that could be dialled.
    let unsent = analysis.metrics().bytes_up == 0 && !analysis.phases.cancelled && analysis.phases.failed.is_some();
    match outcome.problem {
        Some(problem) if unsent && problem.blame == "user" => Exit::Usage,
        Some(_) if unsent && outcome.kind == OutcomeKind::Failed => Exit::NoConnection,
        _ => Exit::Failed,
    }
}

fn millis(nanos: u64) -> f64 {
    micros(nanos as f64 / 1e6)
}

/// Milliseconds to the microsecond: finer than what a clock read over a socket tells.
fn micros(ms: f64) -> f64 {
    (ms * 1000.0).round() / 1000.0
}
