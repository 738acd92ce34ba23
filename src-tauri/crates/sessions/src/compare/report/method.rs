//! How the figures came about, in sentences: what a reader needs to repeat or to doubt them.

use weir_stats::{ENOUGH, FEWEST, RESAMPLES};

use crate::compare::figures::FIGURES;
use crate::compare::{ComparisonView, Order, State};

/// The method, a sentence or two each.
pub(super) fn sentences(view: &ComparisonView) -> Vec<String> {
    let comparison = &view.comparison;
    let order = match comparison.order {
        Order::Interleaved => "one run at a time; in each round every lane had one, in an order drawn anew",
        Order::Parallel => "all lanes of a round at the same time",
    };
    let pause = if comparison.pause_ms == 0 { String::new() } else { format!(", with {} ms between them", comparison.pause_ms) };
    let ended = match view.progress.state {
        State::Done => String::new(),
        State::Running => " It still runs.".into(),
        State::Stopped => {
            format!(" It was stopped after {} of {} runs; what was there by then is told.", view.progress.done, view.progress.of)
        }
    };
    let mut all = vec![
        format!(
            "{} runs of each lane, {order}{pause}; {} warm-up runs of each lane before that, dropped. Seed {}.{ended}",
            comparison.runs, comparison.warmups, comparison.seed
        ),
        "Times are read on the monotonic clock right after each read of the socket, above TLS, and count from the start of the dial; over a reused connection from when the measured request was sent.".into(),
        format!(
            "Intervals are 95 % and two-sided, by bootstrap with {RESAMPLES} resamples: bootstrap-t for means, percentile for medians and percentiles. Below {FEWEST} runs none is given; ≈ marks those of fewer than {ENOUGH} runs, and of percentiles too far in the tail (gap p99 and max always), whose level is not kept; N stands beside them."
        ),
        format!(
            "A difference is that of runs with the same number (pairs), so what both met in that round falls out. ✓ marks a lane as best only where the interval of its paired difference to every other lane excludes zero (Bonferroni over the lanes) with at least {ENOUGH} pairs; where no lane is marked, none can be told apart. Each figure is judged by itself: of many figures, one in twenty may be marked by chance."
        ),
        "Failed runs are counted by cause and have no part in any figure. Nor have runs that are left out: the machine slept meanwhile (its clock since boot ran ahead of the monotonic one by more than a second; where a system has no such clock, its time of day did), or Weir stood still for more than three seconds. A clock that was merely set leaves figures as they are, and is told.".into(),
        format!("Measured with Weir {} on {} ({}).", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH),
    ];
    let figures: Vec<String> = FIGURES.iter().map(|figure| format!("{}: {}", figure.name, figure.about)).collect();
    all.push(format!("Figures. {}.", figures.join(". ")));
    all
}

/// A lane in words: where its request went, and how.
pub(super) fn lane(lane: &crate::compare::Lane) -> String {
    let draft = &lane.draft;
    let place = draft.url.as_deref().or(draft.base_url.as_deref()).unwrap_or(&draft.provider);
    let mut words =
        vec![crate::credentials::starred_url(place), draft.ask.model.clone(), draft.dialect.clone(), draft.transport.name().to_owned()];
    words.push(match draft.http.as_str() {
        "1.1" => "HTTP/1.1".into(),
        "2" => "HTTP/2".into(),
        _ => "HTTP version by agreement".into(),
    });
    if !lane.coding.is_empty() {
        words.push(format!("asks for {}", lane.coding));
    }
    if lane.deflate || draft.deflate {
        words.push("offers permessage-deflate".into());
    }
    words.push(
        if lane.connection == crate::compare::Connection::Reused || draft.reused { "reused connection" } else { "new connection each run" }
            .into(),
    );
    words.retain(|word| !word.is_empty());
    words.join(" · ")
}
