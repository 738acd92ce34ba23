//! The question that was asked, answered in a sentence for each headline figure: no further than the intervals bear it.

use weir_stats::{ENOUGH, Estimate};

use super::table::{LaneHead, Paired, Row, Statistic};
use super::{letter, report};

/// Figures that answer "which is faster".
const ASKED: [&str; 2] = ["ttft", "total"];

/// A lane behind the one that leads, by this much.
struct Behind<'a> {
    lane: usize,
    by: Estimate,
    pair: &'a Paired,
}

/// The answers. Lanes that ask something else than the first have no part in them; the notes say so.
pub fn of(lanes: &[LaneHead], rows: &[Row]) -> Vec<String> {
    let asked = |figure: &&str| rows.iter().find(|row| row.figure == **figure && row.statistic == Statistic::Median);
    ASKED.iter().filter_map(asked).filter_map(|row| answer(lanes, row)).collect()
}

fn answer(lanes: &[LaneHead], row: &Row) -> Option<String> {
    let mut there: Vec<(usize, f64)> = (0..lanes.len())
        .filter(|&lane| lanes[lane].otherwise.is_empty())
        .filter_map(|lane| Some((lane, row.cells.get(lane)?.estimate?.value)))
        .collect();
    there.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (&(lead, _), rest) = there.split_first()?;
    let behind: Vec<Behind<'_>> = rest.iter().filter_map(|&(lane, _)| behind(row, lead, lane)).collect();
    let fewest = behind.iter().map(|one| one.pair.n).min()?;
    if (fewest as usize) < ENOUGH {
        return Some(format!(
            "{}: too few runs to say which lane is faster: {fewest} {} of the {ENOUGH} it takes.",
            row.name,
            if fewest == 1 { "pair" } else { "pairs" }
        ));
    }
    let (told, like): (Vec<&Behind<'_>>, Vec<&Behind<'_>>) = behind.iter().partition(|one| one.pair.apart && one.by.value > 0.0);
    let named = |lane: usize| format!("{} ({})", letter(lane), lanes[lane].name);
    let all = |lanes: &[&Behind<'_>]| list(lanes.iter().map(|one| format!("{} by {}", named(one.lane), amount(row, &one.by))).collect());
    let said = if like.is_empty() {
        format!("{} is faster than {}", named(lead), all(&told))
    } else {
        let equals: Vec<String> = std::iter::once(named(lead)).chain(like.iter().map(|one| named(one.lane))).collect();
        let by: Vec<String> =
            like.iter().map(|one| format!("{} − {} is {}", letter(one.lane), letter(lead), amount(row, &one.by))).collect();
        let slower = if told.is_empty() { String::new() } else { format!("; {} is faster than {}", named(lead), all(&told)) };
        format!("{} cannot be told apart: {}{slower}", list(equals), list(by))
    };
    Some(format!("{}: {said}. Medians of {fewest} runs in pairs, 95 % intervals.", row.name))
}

/// How far `lane` is behind `lead`; the table keeps each pair once, either way round.
fn behind<'a>(row: &'a Row, lead: usize, lane: usize) -> Option<Behind<'a>> {
    let pair = row.paired.iter().find(|pair| {
        let both = (pair.a as usize, pair.b as usize);
        both == (lead, lane) || both == (lane, lead)
    })?;
    let mut by = pair.difference;
    if pair.a as usize == lead {
        by.value = -by.value;
        if let Some(interval) = &mut by.interval {
            (interval.low, interval.high) = (-interval.high, -interval.low);
        }
    }
    Some(Behind { lane, by, pair })
}

/// `1.24 [0.80, 1.61] ms`.
fn amount(row: &Row, by: &Estimate) -> String {
    format!("{} {}", report::estimate(row.unit, by), report::unit(row.unit))
}

fn list(mut all: Vec<String>) -> String {
    match all.pop() {
        Some(last) if !all.is_empty() => format!("{} and {last}", all.join(", ")),
        Some(last) => last,
        None => String::new(),
    }
}
