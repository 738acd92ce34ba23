//! Prompt and reply to be read, with what is worth knowing of how they crossed.

use std::io::Write;

use weir_dialects::Role;

use super::unwritten;
use crate::view::{BlockKind, Metrics, OutcomeKind};
use crate::{Error, Session};

/// Writes the session as Markdown.
pub fn write(session: &Session, out: &mut dyn Write) -> Result<(), Error> {
    let text = session.without_secret(document(session));
    out.write_all(text.as_bytes()).map_err(unwritten)
}

fn document(session: &Session) -> String {
    let plan = session.kept();
    let ask = &plan.draft.ask;
    let outcome = session.outcome();
    let mut text = format!("# {}\n\n", line(&session.info().title));
    let started = jiff::Timestamp::from_millisecond(session.started_at_ms()).map_or_else(|_| String::new(), |at| format!("{at:.0}"));
    let facts = [
        ("Started", started),
        ("Provider", plan.draft.provider.clone()),
        ("Model", ask.model.clone()),
        ("Dialect", plan.dialect.clone()),
        ("Transport", plan.draft.transport.name().to_owned()),
        ("URL", plan.call.url.clone()),
        ("Outcome", outcome.as_ref().map_or("running", |outcome| word(outcome.kind)).to_owned()),
    ];
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        text.push_str(&format!("- {name}: `{}`\n", line(value).replace('`', "'")));
    }
    if !ask.system.is_empty() {
        text.push_str(&format!("\n## System\n\n{}\n", fenced(&ask.system)));
    }
    for message in &ask.messages {
        let who = match message.role {
            Role::User => "Prompt",
            Role::Assistant => "Earlier reply",
            Role::Tool => "Tool result",
        };
        text.push_str(&format!("\n## {who}\n\n{}\n", fenced(&message.text)));
    }
    if let Some(body) = &ask.raw_body {
        text.push_str(&format!("\n## Body\n\n{}\n", fenced(body)));
    }
    let analysis = session.analysis();
    for block in &analysis.fold.folded.blocks {
        match (block.kind, &block.tool) {
            (BlockKind::Text, _) => text.push_str(&format!("\n## Reply\n\n{}\n", block.text.trim_end())),
            (BlockKind::Refusal, _) => text.push_str(&format!("\n## Refusal\n\n{}\n", block.text.trim_end())),
            (BlockKind::Said, _) => text.push_str(&format!("\n## User\n\n{}\n", block.text.trim_end())),
            (BlockKind::Audio, _) => {
                let facts = block.media.as_ref().map_or(String::new(), |m| format!("{}, {} B", m.media_type, m.bytes));
                text.push_str(&format!("\n## Audio\n\n{facts}\n"));
            }
            (BlockKind::Reasoning, _) => text.push_str(&format!("\n## Reasoning\n\n{}\n", fenced(&block.text))),
            (BlockKind::ToolCall, tool) => {
                let name = tool.as_ref().map_or("", |tool| tool.name.as_str());
                text.push_str(&format!("\n## Tool call: {}\n\n{}\n", line(name), fenced(&block.text)));
            }
        }
    }
    text.push_str(&format!("\n## Figures\n\n{}", figures(&analysis.metrics())));
    if let Some(usage) = &analysis.fold.folded.facts.usage {
        let counts =
            [("input tokens", usage.input_tokens), ("output tokens", usage.output_tokens), ("reasoning tokens", usage.reasoning_tokens)];
        for (name, count) in counts {
            if let Some(count) = count {
                text.push_str(&format!("- {name}: {count}\n"));
            }
        }
    }
    if let Some(problem) = outcome.and_then(|outcome| outcome.problem) {
        text.push_str(&format!(
            "\n## What went wrong\n\n{}\n\n{}\n\n{}\n\n{}\n",
            problem.message,
            problem.consequence,
            fenced(&problem.evidence),
            problem.next
        ));
    }
    text
}

fn figures(metrics: &Metrics) -> String {
    let ms = |name: &str, value: Option<f64>| value.map(|value| format!("- {name}: {value:.1} ms\n")).unwrap_or_default();
    let mut text =
        [ms("first byte", metrics.ttfb_ms), ms("first text or reasoning", metrics.ttft_ms), ms("whole", metrics.total_ms)].concat();
    if let Some(rate) = metrics.rate {
        text.push_str(&format!(
            "- rate: {:.1} {}\n",
            rate.value,
            if rate.estimate { "deltas/s (no usage was reported)" } else { "tokens/s" }
        ));
    }
    text.push_str(&format!(
        "- deltas: {}\n- frames: {}\n- received: {} B, of them {} B text\n- sent: {} B\n",
        metrics.deltas, metrics.frames, metrics.bytes_down, metrics.bytes_text, metrics.bytes_up
    ));
    text
}

fn word(kind: OutcomeKind) -> &'static str {
    match kind {
        OutcomeKind::Complete => "complete",
        OutcomeKind::Cut => "cut",
        OutcomeKind::Cancelled => "cancelled",
        OutcomeKind::Failed => "failed",
    }
}

/// One line of text.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text as it is, in a fence that nothing in it can close.
fn fenced(text: &str) -> String {
    let longest = text.lines().map(|line| line.trim_start().bytes().take_while(|&b| b == b'`').count()).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}\n{}\n{fence}", text.trim_end_matches('\n'))
}
