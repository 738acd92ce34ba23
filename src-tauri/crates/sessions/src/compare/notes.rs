//! What must be known to read a table right, in words: nothing that went wrong is averaged away in silence.

use std::collections::BTreeMap;

use weir_dialects::Ask;
use weir_stats::{ENOUGH, FEWEST, quantile};

use super::figures::Read;
use super::table::{LaneHead, Row, Statistic, counting};
use super::{Comparison, Connection, Order, Run, letter};

/// Runs below which no drift is sought: chance alone makes strong correlations of few points.
const DRIFT_FROM: usize = 10;

/// All notes, the gravest first.
pub fn of(comparison: &Comparison, runs: &[Run], lanes: &[LaneHead], rows: &[Row]) -> Vec<String> {
    let mut notes = Vec::new();
    failures(comparison, runs, &mut notes);
    clock(comparison, runs, &mut notes);
    questions(comparison, &mut notes);
    few(comparison, lanes, &mut notes);
    lengths(lanes, rows, &mut notes);
    far_out(comparison, runs, &mut notes);
    drift(comparison, runs, &mut notes);
    kinds(comparison, rows, &mut notes);
    notes
}

fn named(comparison: &Comparison, lane: usize) -> String {
    format!("Lane {} ({})", letter(lane), comparison.lanes[lane].name)
}

/// Letters of lanes: `A`, `A and B`, `A, B and C`.
fn letters(lanes: &[usize]) -> String {
    let all: Vec<String> = lanes.iter().map(|&lane| letter(lane).to_string()).collect();
    match all.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => all.concat(),
    }
}

fn failures(comparison: &Comparison, runs: &[Run], notes: &mut Vec<String>) {
    for lane in 0..comparison.lanes.len() {
        let warmups: Vec<&Run> = runs.iter().filter(|run| run.lane as usize == lane && run.warmup).collect();
        let cold: Vec<&Run> = warmups.iter().copied().filter(|run| run.failure.is_some()).collect();
        if !cold.is_empty() {
            notes.push(format!("{}: {} of {} warm-ups failed ({}).", named(comparison, lane), cold.len(), warmups.len(), causes(&cold)));
        }
        let of_lane: Vec<&Run> = runs.iter().filter(|run| run.lane as usize == lane && !run.warmup).collect();
        let failed: Vec<&Run> = of_lane.iter().copied().filter(|run| run.failure.is_some()).collect();
        if failed.is_empty() {
            continue;
        }
        let all = if failed.len() == of_lane.len() { " It has no figures." } else { " Its figures are of the other runs alone." };
        notes.push(format!("{}: {} of {} runs failed ({}).{all}", named(comparison, lane), failed.len(), of_lane.len(), causes(&failed)));
        let limited: Vec<u32> = failed.iter().filter(|run| run.failure.as_ref().is_some_and(is_rate_limit)).map(|run| run.n).collect();
        if let Some(first) = limited.first() {
            let before = of_lane.iter().filter(|run| run.n < *first && run.failure.is_none()).count();
            let since = of_lane.iter().filter(|run| run.n >= *first).count();
            notes.push(format!(
                "{}: the provider began to limit the rate at run {first}: {} of the {since} runs from there on were refused, after {before} that went through. Runs between refusals may have been throttled too; a longer pause between runs would tell.",
                named(comparison, lane),
                limited.len(),
            ));
        }
    }
}

/// Failed runs by cause: `2 × http-429: Too many requests; 1 × cut: …`.
fn causes(failed: &[&Run]) -> String {
    let mut causes: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for failure in failed.iter().filter_map(|run| run.failure.as_ref()) {
        causes.entry(&failure.code).or_insert((0, &failure.message)).0 += 1;
    }
    let causes: Vec<String> =
        causes.iter().map(|(code, (n, message))| format!("{n} × {code}: {}", message.trim_end_matches('.'))).collect();
    causes.join("; ")
}

fn is_rate_limit(failure: &super::Failure) -> bool {
    failure.status == Some(429)
        || failure.code.contains("429")
        || failure.code.contains("rate-limit")
        || failure.code.contains("rate_limit")
}

/// Events of the clocks that are told one by one; of more, their number and where they are.
const CLOCK_NOTES: usize = 6;

fn clock(comparison: &Comparison, runs: &[Run], notes: &mut Vec<String>) {
    let mut odd: Vec<&Run> =
        runs.iter().filter(|run| run.clock_jump_ms.is_some() || run.slept_ms.is_some() || run.stood_ms.is_some()).collect();
    odd.sort_by_key(|run| !run.disturbed);
    for run in odd.iter().take(CLOCK_NOTES) {
        let kind = if run.warmup { "warm-up" } else { "run" };
        let when = if run.within || run.disturbed { "during" } else { "before" };
        let what = if run.disturbed {
            "The run does not count. Other figures stand: they are measured on the monotonic clock."
        } else if run.slept_ms.is_some() || run.clock_jump_ms.is_some_and(|_| !run.within) {
            "Figures stand: they are measured on the monotonic clock. The runs before and after it may have met different weather."
        } else {
            "Figures stand: they are measured on the monotonic clock; the time of day by which sessions are listed is another since."
        };
        notes.push(format!("{}: {when} {kind} {}, {}. {what}", named(comparison, run.lane as usize), run.n, happened(run)));
    }
    let rest = &odd[odd.len().min(CLOCK_NOTES)..];
    if !rest.is_empty() {
        let lost = rest.iter().filter(|run| run.disturbed).count();
        notes.push(format!(
            "{} further runs met the like{}. This machine's clocks, or its sleep, should be seen to before measuring.",
            rest.len(),
            if lost == 0 { String::new() } else { format!(", and {lost} of them do not count for it") }
        ));
    }
    for lane in 0..comparison.lanes.len() {
        let mut ahead: Vec<f64> = runs.iter().filter(|run| run.lane as usize == lane).filter_map(|run| run.date_ahead_ms).collect();
        ahead.sort_unstable_by(f64::total_cmp);
        let usual = quantile(&ahead, 0.5);
        if usual.abs() > FAR_MS {
            notes.push(format!(
                "{}: this machine's clock is {} {} that of the server (its Date field). Figures stand: they are measured on the monotonic clock. Certificates, signatures and times of day in reports go by the wrong one.",
                named(comparison, lane),
                span(usual.abs()),
                if usual > 0.0 { "ahead of" } else { "behind" }
            ));
        }
    }
}

/// Clocks of two machines that are kept right are not this far apart, ms; nor is a response that lay in a cache told to be fresh.
const FAR_MS: f64 = 30_000.0;

/// What the clocks tell of the time up to a run.
fn happened(run: &Run) -> String {
    let mut all = Vec::new();
    if let Some(slept) = run.slept_ms {
        all.push(format!("the machine slept for {}", span(slept)));
    }
    if let Some(stood) = run.stood_ms {
        all.push(format!("Weir stood still for {}: suspended, or without a processor", span(stood)));
    }
    if let Some(jump) = run.clock_jump_ms {
        let far = span(jump.abs());
        all.push(if jump < 0.0 {
            format!("the wall clock went back by {far}: it was set")
        } else if run.disturbed && run.slept_ms.is_none() && run.stood_ms.is_none() {
            format!("the wall clock ran {far} ahead of the monotonic one: the machine slept, or the clock was set forward")
        } else {
            format!("the wall clock ran {far} ahead: it was set, or the machine slept where the system does not tell")
        });
    }
    all.join(", and ")
}

/// A stretch of time in words: `4 s`, `320 s`, `2.0 h`.
fn span(ms: f64) -> String {
    match ms / 1000.0 {
        seconds if seconds < 10.0 => format!("{seconds:.1} s"),
        // As it would be shown: 7,199.9 s are two hours.
        seconds if seconds.round() < 7_200.0 => format!("{seconds:.0} s"),
        seconds if seconds < 172_800.0 => format!("{:.1} h", seconds / 3_600.0),
        seconds => format!("{:.0} days", seconds / 86_400.0),
    }
}

/// In what a lane asks something else than the first.
pub fn asks_otherwise(comparison: &Comparison, lane: usize) -> Vec<&'static str> {
    let (Some(first), Some(own)) = (comparison.lanes.first(), comparison.lanes.get(lane)) else { return Vec::new() };
    let (a, b): (&Ask, &Ask) = (&first.draft.ask, &own.draft.ask);
    [
        ("prompt or conversation", a.messages != b.messages),
        ("system prompt", a.system != b.system),
        ("parameters", a.params != b.params),
        ("tools", a.tools != b.tools),
        ("form of the reply", a.output != b.output),
        ("body", a.raw_body != b.raw_body),
    ]
    .into_iter()
    .filter_map(|(what, differs)| differs.then_some(what))
    .collect()
}

/// Where lanes ask different things, their figures differ for that reason too.
fn questions(comparison: &Comparison, notes: &mut Vec<String>) {
    let mut by_what: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for lane in 1..comparison.lanes.len() {
        for what in asks_otherwise(comparison, lane) {
            by_what.entry(what).or_default().push(lane);
        }
    }
    for (what, lanes) in &by_what {
        let verb = if lanes.len() == 1 { "asks" } else { "ask" };
        let noun = if lanes.len() == 1 { "Lane" } else { "Lanes" };
        notes.push(format!(
            "{noun} {} {verb} something else than lane A: another {what}. Their figures cannot be held against each other.",
            letters(lanes)
        ));
    }
    let asks: Vec<&Ask> = comparison.lanes.iter().map(|lane| &lane.draft.ask).collect();
    let Some((first, rest)) = asks.split_first() else { return };
    let differing = |differs: &dyn Fn(&Ask, &Ask) -> bool| -> Vec<usize> {
        rest.iter().enumerate().filter(|(_, ask)| differs(first, ask)).map(|(at, _)| at + 1).collect()
    };
    let models = differing(&|a, b| a.model != b.model);
    let providers: Vec<usize> = (1..comparison.lanes.len())
        .filter(|&lane| {
            let (a, b) = (&comparison.lanes[0].draft, &comparison.lanes[lane].draft);
            (&a.provider, &a.base_url) != (&b.provider, &b.base_url)
        })
        .collect();
    if !models.is_empty() || !providers.is_empty() {
        let what = match (models.is_empty(), providers.is_empty()) {
            (false, false) => "provider and model",
            (false, true) => "model",
            _ => "provider",
        };
        let mut lanes = models;
        lanes.extend(providers);
        lanes.sort_unstable();
        lanes.dedup();
        notes.push(format!(
            "Lane A and {} differ in {what}: what is measured is that as well as the way the reply travels.",
            letters(&lanes)
        ));
    }
}

fn few(comparison: &Comparison, lanes: &[LaneHead], notes: &mut Vec<String>) {
    let under =
        |most: usize| -> Vec<usize> { (0..lanes.len()).filter(|&lane| lanes[lane].n > 0 && (lanes[lane].n as usize) < most).collect() };
    let (none, some) = (under(FEWEST), under(ENOUGH));
    let some: Vec<usize> = some.into_iter().filter(|lane| !none.contains(lane)).collect();
    let list = |lanes: &[usize], all: &[LaneHead]| {
        lanes.iter().map(|&lane| format!("{} {}", letter(lane), all[lane].n)).collect::<Vec<_>>().join(", ")
    };
    if !none.is_empty() {
        notes.push(format!(
            "Too few runs for any interval (fewer than {FEWEST}): {}. The figures are what those runs happened to be.",
            list(&none, lanes)
        ));
    }
    if !some.is_empty() {
        notes.push(format!(
            "Too few runs for intervals that keep their level (fewer than {ENOUGH}): {}. They are marked ≈, and no lane is marked best.",
            list(&some, lanes)
        ));
    }
    if comparison.warmups > 0 && lanes.iter().any(|lane| lane.warmups > 0) {
        notes.push(format!(
            "{} warm-up {} of each lane {} dropped.",
            comparison.warmups,
            if comparison.warmups == 1 { "run" } else { "runs" },
            if comparison.warmups == 1 { "was" } else { "were" }
        ));
    }
}

/// Replies of different length take different times, whatever they travel on.
fn lengths(lanes: &[LaneHead], rows: &[Row], notes: &mut Vec<String>) {
    let Some(row) = rows.iter().find(|row| row.figure == "output_tokens" && row.statistic == Statistic::Mean) else { return };
    let there: Vec<(usize, f64)> = row.cells.iter().enumerate().filter_map(|(lane, cell)| Some((lane, cell.estimate?.value))).collect();
    let by_value = |a: &&(usize, f64), b: &&(usize, f64)| a.1.total_cmp(&b.1);
    if let (Some(least), Some(most)) = (there.iter().min_by(by_value), there.iter().max_by(by_value))
        && lanes.len() > 1
        && most.1 > least.1 * 1.1
    {
        notes.push(format!(
            "Replies differ in length: {} output tokens in lane {}, {} in lane {} on average. Totals and bytes differ for that reason too; TPOT and bytes per token do not.",
            least.1.round(),
            letter(least.0),
            most.1.round(),
            letter(most.0)
        ));
    }
}

/// A mean follows a single run that lies far out, and its interval grows with it; a median does not.
fn far_out(comparison: &Comparison, runs: &[Run], notes: &mut Vec<String>) {
    let figures: [(&str, Read); 2] = [("TTFT", |f| f.ttft), ("Total", |f| f.total)];
    for lane in 0..comparison.lanes.len() {
        for (name, of) in figures {
            let mut values: Vec<f64> = counting(runs, lane).filter_map(|run| of(&run.figures)).collect();
            values.sort_unstable_by(f64::total_cmp);
            let median = quantile(&values, 0.5);
            let far = values.iter().filter(|value| **value > 2.0 * median).count();
            if let (Some(most), true) = (values.last(), far > 0 && values.len() >= FEWEST) {
                notes.push(format!(
                    "{}: {name} of {far} of {} runs is more than twice the median ({most:.0} ms at most, {median:.0} ms the median). The mean and its interval follow such runs; the median tells of the usual one.",
                    named(comparison, lane),
                    values.len(),
                ));
            }
        }
    }
}

fn drift(comparison: &Comparison, runs: &[Run], notes: &mut Vec<String>) {
    let figures: [(&str, Read); 2] = [("TTFT", |f| f.ttft), ("Total", |f| f.total)];
    for lane in 0..comparison.lanes.len() {
        for (name, of) in figures {
            let mut points: Vec<(u32, f64)> = counting(runs, lane).filter_map(|run| Some((run.order, of(&run.figures)?))).collect();
            points.sort_unstable_by_key(|(order, _)| *order);
            let values: Vec<f64> = points.iter().map(|(_, value)| *value).collect();
            if let Some(rho) = drifts(&values) {
                notes.push(format!(
                    "{}: {name} drifts over the order of runs (Spearman's ρ = {rho:.2}, N = {}): later runs were {}. The runs are not of one kind, and the interval is too narrow.",
                    named(comparison, lane),
                    values.len(),
                    if rho > 0.0 { "slower" } else { "faster" }
                ));
            }
        }
    }
}

/// Spearman's rank correlation of values with their order, where it would come about by chance in fewer than 1 of 100 series.
pub fn drifts(values: &[f64]) -> Option<f64> {
    let n = values.len();
    if n < DRIFT_FROM {
        return None;
    }
    let ranks = ranks(values);
    let mean = (n as f64 - 1.0) / 2.0;
    let (mut product, mut own, mut order) = (0.0, 0.0, 0.0);
    for (at, rank) in ranks.iter().enumerate() {
        let (x, y) = (at as f64 - mean, rank - mean);
        product += x * y;
        order += x * x;
        own += y * y;
    }
    if own == 0.0 {
        return None;
    }
    let rho = product / (own * order).sqrt();
    // Student's t with n − 2 degrees of freedom; its two-sided 1 % point by the expansion in 1/ν (Abramowitz & Stegun 26.7.5).
    let nu = n as f64 - 2.0;
    let z: f64 = 2.575_829;
    let critical = z + (z.powi(3) + z) / (4.0 * nu) + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * nu * nu);
    let t = rho * (nu / (1.0 - rho * rho).max(1e-12)).sqrt();
    (t.abs() > critical).then_some(rho)
}

/// Ranks from 0; equal values share their mean rank.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut at = 0;
    while at < order.len() {
        let same = order[at..].iter().take_while(|&&i| values[i] == values[order[at]]).count();
        for &i in &order[at..at + same] {
            ranks[i] = at as f64 + (same as f64 - 1.0) / 2.0;
        }
        at += same;
    }
    ranks
}

/// What kind of experiment it was, where that bears on the reading.
fn kinds(comparison: &Comparison, rows: &[Row], notes: &mut Vec<String>) {
    let delivered: Vec<usize> = rows
        .iter()
        .find(|row| row.figure == "gap_p50")
        .map(|row| row.cells.iter().enumerate().filter(|(_, cell)| cell.why == "one delivery").map(|(lane, _)| lane).collect())
        .unwrap_or_default();
    if !delivered.is_empty() {
        let noun = if delivered.len() == 1 { "Lane" } else { "Lanes" };
        notes.push(format!(
            "{noun} {}: the reply came in one delivery, so gaps, TPOT and tokens per second do not exist, and TTFT is the time to the whole reply.",
            letters(&delivered)
        ));
    }
    let reused: Vec<usize> = (0..comparison.lanes.len()).filter(|&lane| comparison.lanes[lane].connection == Connection::Reused).collect();
    if !reused.is_empty() {
        let noun = if reused.len() == 1 { "Lane" } else { "Lanes" };
        notes.push(format!(
            "{noun} {}: each run's request went over a connection that had just carried the same request once; the first one's figures are dropped, and times count from when the second was sent.",
            letters(&reused)
        ));
    }
    if comparison.order == Order::Parallel {
        notes.push("The lanes of a round ran at the same time: they shared the link, the provider's limits and this machine.".into());
    }
}
