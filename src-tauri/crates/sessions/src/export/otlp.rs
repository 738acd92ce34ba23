//! The session as a trace of OpenTelemetry, as OTLP's file exporter writes it: one `ExportTraceServiceRequest` as JSON on a line
//! (<https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/>). Attributes have the names of the semantic conventions for HTTP and
//! for generative AI; what these have no name for stands under `weir.`. Prompt and reply are left out: traces travel further than they.

use std::io::Write;

use serde_json::{Value, json};

use super::unwritten;
use crate::analysis::Analysis;
use crate::view::{Outcome, OutcomeKind};
use crate::{Error, Session};

/// Span kind CLIENT.
const CLIENT: u8 = 3;
/// Span kind INTERNAL.
const INTERNAL: u8 = 1;

/// Writes the trace.
pub fn write(session: &Session, out: &mut dyn Write) -> Result<(), Error> {
    let text = session.without_secret(trace(session).to_string());
    writeln!(out, "{text}").map_err(unwritten)
}

fn trace(session: &Session) -> Value {
    let resource = attributes([("service.name", Some(json!("weir"))), ("service.version", Some(json!(env!("CARGO_PKG_VERSION"))))]);
    let scope = json!({"name": "weir", "version": env!("CARGO_PKG_VERSION")});
    json!({"resourceSpans": [{"resource": {"attributes": resource}, "scopeSpans": [{"scope": scope, "spans": spans(session)}]}]})
}

fn spans(session: &Session) -> Vec<Value> {
    let clock = Clock { began: u64::try_from(session.started_at_ms()).unwrap_or_default().saturating_mul(1_000_000) };
    let ids = Ids::of(session.id());
    // Asked before the analysis is held: what tells it holds that too.
    let outcome = session.outcome();
    let analysis = &*session.analysis();
    let phases = &analysis.phases;
    let steps = phases.spans.iter().map(|(name, start, end)| (*name, *start, *end));
    let last = phases.spans.iter().map(|(_, _, end)| *end).max().unwrap_or_default();
    let end = phases.end.unwrap_or(last);
    let received = phases.first_byte.map(|first| ("receive", first, end.max(first)));
    let mut spans = vec![root(session, analysis, outcome.as_ref(), &clock, &ids, end)];
    spans.extend(steps.chain(received).zip(1..).map(|((name, start, end), n)| {
        json!({
            "traceId": ids.trace, "spanId": ids.span(n), "parentSpanId": ids.span(0), "name": name, "kind": INTERNAL,
            "startTimeUnixNano": clock.at(start), "endTimeUnixNano": clock.at(end),
        })
    }));
    spans
}

fn root(session: &Session, analysis: &Analysis, outcome: Option<&Outcome>, clock: &Clock, ids: &Ids, end: u64) -> Value {
    let plan = session.kept();
    let (phases, fold, metrics) = (&analysis.phases, &analysis.fold, analysis.metrics());
    let facts = &fold.folded.facts;
    let asked = plan.console.is_none();
    let model = Some(plan.draft.ask.model.as_str()).filter(|model| asked && !model.is_empty());
    let url = url::Url::parse(&plan.call.url).ok();
    let usage = facts.usage.as_ref();
    let peer: Option<std::net::SocketAddr> = phases.peer.as_deref().and_then(|peer| peer.parse().ok());
    let error = outcome.and_then(|outcome| outcome.problem.clone());
    let finish = facts.finish.as_ref().map(|finish| json!([finish.reason]));
    let attributes = attributes([
        ("gen_ai.operation.name", asked.then(|| json!("chat"))),
        ("gen_ai.provider.name", Some(json!(plan.draft.provider)).filter(|_| asked && !plan.draft.provider.is_empty())),
        ("gen_ai.request.model", model.map(|model| json!(model))),
        ("gen_ai.request.temperature", plan.draft.ask.params.temperature.map(|t| json!(t))),
        ("gen_ai.request.max_tokens", plan.draft.ask.params.max_tokens.map(|n| json!(n))),
        ("gen_ai.response.finish_reasons", finish),
        ("gen_ai.usage.input_tokens", usage.and_then(|usage| usage.input_tokens).map(|n| json!(n))),
        ("gen_ai.usage.output_tokens", usage.and_then(|usage| usage.output_tokens).map(|n| json!(n))),
        ("http.request.method", Some(json!(plan.call.method)).filter(|_| !plan.call.method.is_empty())),
        ("http.response.status_code", fold.status.as_ref().map(|status| json!(status.code))),
        ("url.full", Some(json!(plan.call.url))),
        ("server.address", url.as_ref().and_then(|url| url.host_str().map(|host| json!(host)))),
        ("server.port", url.as_ref().and_then(|url| url.port_or_known_default()).map(|port| json!(port))),
        ("network.peer.address", peer.map(|peer| json!(peer.ip().to_string()))),
        ("network.peer.port", peer.map(|peer| json!(peer.port()))),
        ("network.protocol.version", analysis.http().map(|version| json!(version))),
        ("error.type", error.as_ref().map(|error| json!(error.code))),
        ("weir.session", Some(json!(session.id()))),
        ("weir.dialect", Some(json!(plan.dialect))),
        ("weir.transport", Some(json!(plan.draft.transport.name()))),
        ("weir.outcome", outcome.map(|outcome| json!(outcome.kind))),
        ("weir.ttfb_ms", metrics.ttfb_ms.map(|ms| json!(ms))),
        ("weir.ttft_ms", metrics.ttft_ms.map(|ms| json!(ms))),
        ("weir.deltas", Some(json!(metrics.deltas))),
        ("weir.frames", Some(json!(metrics.frames))),
        ("weir.bytes.down", Some(json!(metrics.bytes_down))),
        ("weir.bytes.up", Some(json!(metrics.bytes_up))),
        ("weir.bytes.text", Some(json!(metrics.bytes_text))),
    ]);
    let moments = [("request sent", phases.sent), ("first byte", phases.first_byte), ("first token", fold.content.0)];
    let events: Vec<Value> = moments.iter().filter_map(|(name, t)| Some(json!({"timeUnixNano": clock.at((*t)?), "name": name}))).collect();
    // 1 is Ok, 2 is Error; a session that still runs, or that the user stopped, has neither.
    let status = match outcome.map(|outcome| outcome.kind) {
        Some(OutcomeKind::Complete) => json!({"code": 1}),
        Some(OutcomeKind::Cut | OutcomeKind::Failed) => json!({"code": 2, "message": error.map(|error| error.message).unwrap_or_default()}),
        Some(OutcomeKind::Cancelled) | None => json!({}),
    };
    json!({
        "traceId": ids.trace, "spanId": ids.span(0), "kind": CLIENT, "status": status,
        "name": model.map_or_else(|| if asked { "chat".to_owned() } else { plan.call.method.clone() }, |model| format!("chat {model}")),
        "startTimeUnixNano": clock.at(0), "endTimeUnixNano": clock.at(end), "attributes": attributes, "events": events,
    })
}

/// Nanoseconds since 1970 as OTLP's JSON writes 64-bit integers: as strings.
struct Clock {
    began: u64,
}

impl Clock {
    fn at(&self, t: u64) -> String {
        self.began.saturating_add(t).to_string()
    }
}

/// Ids that stay the same however often a session is exported.
struct Ids {
    trace: String,
    first: u64,
}

impl Ids {
    fn of(session: &str) -> Self {
        use sha2::{Digest, Sha256};
        let digest = Sha256::digest(session.as_bytes());
        let first = digest[16..24].iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
        Self { trace: digest[..16].iter().map(|byte| format!("{byte:02x}")).collect(), first }
    }

    fn span(&self, n: u64) -> String {
        // All zeros is no id.
        format!("{:016x}", self.first.wrapping_add(n).max(1))
    }
}

fn attributes<const N: usize>(all: [(&str, Option<Value>); N]) -> Vec<Value> {
    all.into_iter().filter_map(|(key, found)| Some(json!({"key": key, "value": value(&found?)}))).collect()
}

fn value(value: &Value) -> Value {
    match value {
        Value::Bool(truth) => json!({"boolValue": truth}),
        Value::Number(number) if number.is_f64() => json!({"doubleValue": number}),
        Value::Number(number) => json!({"intValue": number.to_string()}),
        Value::Array(values) => json!({"arrayValue": {"values": values.iter().map(self::value).collect::<Vec<_>>()}}),
        Value::String(text) => json!({"stringValue": text}),
        other => json!({"stringValue": other.to_string()}),
    }
}
