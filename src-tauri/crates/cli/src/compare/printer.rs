//! What `compare` says while it runs, and its JSON.

use std::io::IsTerminal;
use std::time::Instant;

use serde_json::{Value, json};
use weir_sessions::compare::{self, Comparison, ComparisonCost, ComparisonView, Hit, Run, letter};

use crate::out;

/// The cost in a sentence or two.
pub fn cost(cost: &ComparisonCost, comparison: &Comparison) -> String {
    let mut text = format!("{} requests, {} of them dropped as warm-ups.", cost.requests, cost.dropped);
    for (at, lane) in cost.lanes.iter().enumerate().filter(|(_, lane)| !lane.free) {
        let name = &comparison.lanes[at].name;
        let tokens = match (lane.input_tokens, lane.output_tokens, lane.most_output_tokens) {
            (Some(input), Some(output), _) => {
                format!("about {input} input and {output} output tokens, by what the same question took before")
            }
            (_, _, Some(most)) => format!("at most {most} output tokens"),
            _ => "tokens unknown: this question was not put to this model before".into(),
        };
        text.push_str(&format!("\nLane {} ({name}): {tokens}.", letter(at)));
    }
    text
}

/// A run as a line of JSON.
pub fn run(run: &Run) -> Value {
    let figures: serde_json::Map<String, Value> =
        compare::FIGURES.iter().map(|figure| (figure.id.to_owned(), json!((figure.of)(&run.figures)))).collect();
    json!({
        "type": "run", "lane": letter(run.lane as usize).to_string(), "n": run.n, "order": run.order, "warmup": run.warmup,
        "counts": run.counts(), "session": run.session, "failure": run.failure, "clock_jump_ms": run.clock_jump_ms,
        "slept_ms": run.slept_ms, "stood_ms": run.stood_ms, "disturbed": run.disturbed, "date_ahead_ms": run.date_ahead_ms, "figures": figures,
    })
}

/// The table as the last line of JSON.
pub fn table(view: &ComparisonView, hits: &[Hit]) -> Value {
    let hits: Vec<Value> = hits.iter().map(|hit| json!({"lane": letter(hit.lane).to_string(), "message": hit.message})).collect();
    json!({
        "type": "comparison", "id": view.comparison.id, "title": view.comparison.title, "state": view.progress.state,
        "runs": view.comparison.runs, "warmups": view.comparison.warmups, "seed": view.comparison.seed,
        "lanes": view.table.lanes, "rows": view.table.rows, "answers": view.table.answers, "notes": view.table.notes, "thresholds": hits,
    })
}

/// A line of progress on standard error: rewritten on a terminal, else at most every ten seconds.
#[derive(Default)]
pub struct Progress {
    last: Option<(Instant, u32)>,
}

impl Progress {
    /// Tells how far it has got.
    pub fn tell(&mut self, progress: &compare::Progress) {
        let terminal = std::io::stderr().is_terminal();
        let due = self.last.is_none_or(|(at, done)| done != progress.done && at.elapsed().as_secs() >= if terminal { 0 } else { 10 });
        let over = progress.state != compare::State::Running;
        if !due && !over {
            return;
        }
        self.last = Some((Instant::now(), progress.done));
        let left = progress.left_ms.filter(|_| !over).map_or(String::new(), |ms| format!(", {:.0} s left", (ms / 1000.0).ceil()));
        let failed = if progress.failed > 0 { format!(", {} failed", progress.failed) } else { String::new() };
        let line = format!("{} of {} runs{failed}{left}", progress.done, progress.of);
        if terminal {
            use std::io::Write;
            // That it cannot be written is nothing anybody could be told.
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K{line}{}", if over { "\n" } else { "" });
        } else {
            out::note(&line);
        }
    }
}
