//! The table of a comparison: estimates with their intervals, paired differences, and who is best where that can be said.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use weir_stats::{ENOUGH, Estimate, Figure, best, estimate, paired};

use super::figures::{FIGURES, FigureKind, Unit};
use super::{Comparison, Run, letter};
use super::{answer, notes};

/// What is told of a figure's runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export)]
pub enum Statistic {
    /// The arithmetic mean of the runs.
    Mean,
    /// The median of the runs.
    Median,
    /// The 95th percentile of the runs; its interval is approximate at any size of practice.
    P95,
}

impl Statistic {
    /// As the statistics know it.
    pub fn figure(self) -> Figure {
        match self {
            Self::Mean => Figure::Mean,
            Self::Median => Figure::Quantile(0.5),
            Self::P95 => Figure::Quantile(0.95),
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Median => "median",
            Self::P95 => "p95",
        }
    }
}

/// A lane's head in the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct LaneHead {
    /// `A` to `F`.
    pub letter: String,
    /// Its name.
    pub name: String,
    /// Runs that count.
    pub n: u32,
    /// Runs that failed, warm-ups apart.
    pub failed: u32,
    /// Runs that a jump of the clock or a sleep of the machine disturbed.
    pub disturbed: u32,
    /// Warm-ups that were dropped.
    pub warmups: u32,
    /// Failed runs by cause, warm-ups apart: code, runs. The most frequent first.
    #[serde(default)]
    pub causes: Vec<(String, u32)>,
    /// In what it asks something else than the first lane; its figures then cannot be held against that one's.
    #[serde(default)]
    pub otherwise: Vec<String>,
    /// Mean bytes received, by the layer that owns them.
    pub layers: Vec<(String, f64)>,
}

/// A lane's figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Cell {
    /// The figure with its interval; absent where no run has it.
    pub estimate: Option<Estimate>,
    /// Runs that have it.
    pub n: u32,
    /// Runs of the lane that failed.
    pub failed: u32,
    /// All runs gave the same number: there is nothing to estimate.
    pub exact: bool,
    /// The paired difference to every other lane excludes zero, and it is the better one.
    pub best: bool,
    /// Why there is no figure, e.g. `one delivery`; "" where there is one.
    pub why: String,
}

/// How far two lanes are apart, run by run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Paired {
    /// The one lane.
    pub a: u32,
    /// The other.
    pub b: u32,
    /// Pairs of runs that both count.
    pub n: u32,
    /// Statistic of the differences a − b.
    pub difference: Estimate,
    /// Its interval excludes zero, and there are pairs enough to say so.
    pub apart: bool,
}

/// A figure over all lanes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export, rename = "CompareRow")]
pub struct Row {
    /// Id of the figure, e.g. `ttft`.
    pub figure: String,
    /// Its name for people.
    pub name: String,
    /// What it is.
    pub about: String,
    /// Mean, median or 95th percentile of the runs.
    pub statistic: Statistic,
    /// Unit.
    pub unit: Unit,
    /// Less is better; absent where neither is.
    pub lower_is_better: Option<bool>,
    /// A cell for each lane.
    pub cells: Vec<Cell>,
    /// Differences of all pairs of lanes; none for the 95th percentile.
    pub paired: Vec<Paired>,
}

/// The table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export, rename = "CompareTable")]
pub struct Table {
    /// The lanes.
    pub lanes: Vec<LaneHead>,
    /// The figures.
    pub rows: Vec<Row>,
    /// Which lane is faster, a sentence for each headline figure, as far as it can be said.
    #[serde(default)]
    pub answers: Vec<String>,
    /// What must be known to read it right, in words, the gravest first.
    pub notes: Vec<String>,
}

/// Figures of which the median and the 95th percentile are told besides the mean.
const HEADLINES: [&str; 3] = ["ttfb", "ttft", "total"];

/// The lane's runs that count, in their order.
pub fn counting(runs: &[Run], lane: usize) -> impl Iterator<Item = &Run> {
    runs.iter().filter(move |run| run.lane as usize == lane && run.counts())
}

impl Table {
    /// The table of what was run so far.
    pub fn of(comparison: &Comparison, runs: &[Run]) -> Self {
        let lanes = (0..comparison.lanes.len()).map(|lane| head(comparison, runs, lane)).collect::<Vec<_>>();
        let rows = FIGURES.iter().flat_map(|figure| {
            let also: &[Statistic] = if HEADLINES.contains(&figure.id) { &[Statistic::Median, Statistic::P95] } else { &[] };
            std::iter::once(Statistic::Mean).chain(also.iter().copied()).map(move |statistic| (figure, statistic))
        });
        let rows: Vec<Row> = rows.filter_map(|(figure, statistic)| row(comparison, runs, &lanes, figure, statistic)).collect();
        let notes = notes::of(comparison, runs, &lanes, &rows);
        let answers = answer::of(&lanes, &rows);
        Self { lanes, rows, answers, notes }
    }

    /// A row.
    pub fn row(&self, figure: &str, statistic: Statistic) -> Option<&Row> {
        self.rows.iter().find(|row| row.figure == figure && row.statistic == statistic)
    }
}

fn head(comparison: &Comparison, runs: &[Run], lane: usize) -> LaneHead {
    let of = |what: fn(&Run) -> bool| runs.iter().filter(|run| run.lane as usize == lane && what(run)).count() as u32;
    let counted: Vec<&Run> = counting(runs, lane).collect();
    let mut layers: Vec<(String, f64)> = Vec::new();
    for (name, bytes) in counted.iter().flat_map(|run| &run.figures.layers) {
        let share = *bytes as f64 / counted.len() as f64;
        match layers.iter_mut().find(|(known, _)| known == name) {
            Some((_, sum)) => *sum += share,
            None => layers.push((name.clone(), share)),
        }
    }
    let mut causes: Vec<(String, u32)> = Vec::new();
    for failure in runs.iter().filter(|run| run.lane as usize == lane && !run.warmup).filter_map(|run| run.failure.as_ref()) {
        match causes.iter_mut().find(|(code, _)| *code == failure.code) {
            Some((_, n)) => *n += 1,
            None => causes.push((failure.code.clone(), 1)),
        }
    }
    causes.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    LaneHead {
        causes,
        otherwise: notes::asks_otherwise(comparison, lane).into_iter().map(str::to_owned).collect(),
        letter: letter(lane).to_string(),
        name: comparison.lanes[lane].name.clone(),
        n: counted.len() as u32,
        failed: of(|run| !run.warmup && run.failure.is_some()),
        disturbed: of(|run| !run.warmup && run.failure.is_none() && run.disturbed),
        warmups: of(|run| run.warmup),
        layers,
    }
}

/// The numbers of a figure, by run number; `NaN` where a run does not count or has none.
fn numbers(runs: &[Run], lane: usize, most: u32, figure: &FigureKind) -> Vec<f64> {
    let mut numbers = vec![f64::NAN; most as usize];
    for run in counting(runs, lane) {
        if let (Some(slot), Some(value)) = (numbers.get_mut((run.n as usize).wrapping_sub(1)), (figure.of)(&run.figures)) {
            *slot = value;
        }
    }
    numbers
}

fn row(comparison: &Comparison, runs: &[Run], lanes: &[LaneHead], figure: &'static FigureKind, statistic: Statistic) -> Option<Row> {
    let all: Vec<Vec<f64>> = (0..lanes.len()).map(|lane| numbers(runs, lane, comparison.runs, figure)).collect();
    let finite = |numbers: &[f64]| numbers.iter().copied().filter(|n| n.is_finite()).collect::<Vec<_>>();
    if all.iter().all(|numbers| numbers.iter().all(|n| !n.is_finite())) {
        // A figure that no lane has is no row; while nothing has run there is no table.
        return None;
    }
    let mut cells: Vec<Cell> = all
        .iter()
        .zip(lanes)
        .map(|(numbers, head)| {
            let there = finite(numbers);
            // Times may agree to the last bin by chance; sizes and counts agree because they are the same.
            let counted = !matches!(figure.unit, Unit::Ms | Unit::Rate);
            let exact = counted && there.len() > 1 && there.iter().all(|n| *n == there[0]);
            Cell {
                estimate: if exact {
                    Some(Estimate { value: there[0], interval: None })
                } else {
                    estimate(&there, statistic.figure(), comparison.seed).map(|found| tail(figure, found))
                },
                n: there.len() as u32,
                failed: head.failed,
                exact,
                best: false,
                why: if there.is_empty() { missing(comparison, runs, head, figure.id) } else { String::new() },
            }
        })
        .collect();
    // Lanes that do not have the figure at all do not compete in it.
    let competing: Vec<usize> = (0..all.len()).filter(|&lane| cells[lane].n > 0).collect();
    if let (Some(lower), true) = (figure.lower_is_better, statistic != Statistic::P95 && competing.len() > 1) {
        let candidates: Vec<Vec<f64>> = competing.iter().map(|&lane| all[lane].clone()).collect();
        let of_rounds = level(&candidates);
        if let Some(winner) = best(&of_rounds, statistic.figure(), lower, comparison.seed) {
            cells[competing[winner]].best = true;
        }
    }
    let mut pairs = Vec::new();
    for (at, &a) in competing.iter().enumerate().filter(|_| statistic != Statistic::P95) {
        for &b in &competing[at + 1..] {
            pairs.extend(pair(&all, a, b, figure, statistic, comparison.seed));
        }
    }
    Some(Row {
        figure: figure.id.into(),
        name: figure.name.into(),
        about: figure.about.into(),
        statistic,
        unit: figure.unit,
        lower_is_better: figure.lower_is_better,
        cells,
        paired: pairs,
    })
}

/// The tail of a run's gaps hangs on one or two of them, and its spread over the runs on chance: such intervals are approximate at any
/// number of runs.
fn tail(figure: &FigureKind, mut estimate: Estimate) -> Estimate {
    if let Some(interval) = estimate.interval.as_mut().filter(|_| matches!(figure.id, "gap_p99" | "gap_max")) {
        interval.approximate = true;
    }
    estimate
}

/// The rounds in which every lane has a number: the lane that looks best is sought on common ground.
fn level(lanes: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let rounds = lanes.first().map_or(0, Vec::len);
    let whole: Vec<usize> = (0..rounds).filter(|&n| lanes.iter().all(|lane| lane[n].is_finite())).collect();
    lanes.iter().map(|lane| whole.iter().map(|&n| lane[n]).collect()).collect()
}

fn pair(all: &[Vec<f64>], a: usize, b: usize, figure: &FigureKind, statistic: Statistic, seed: u64) -> Option<Paired> {
    let both: (Vec<f64>, Vec<f64>) = all[a].iter().zip(&all[b]).filter(|(a, b)| a.is_finite() && b.is_finite()).unzip();
    let difference = tail(figure, paired(&both.0, &both.1, statistic.figure(), seed, 0.95)?);
    let n = both.0.len();
    let apart = n >= ENOUGH && difference.interval.is_some_and(|interval| interval.excludes_zero());
    Some(Paired { a: a as u32, b: b as u32, n: n as u32, difference, apart })
}

/// Why a lane does not have a figure that others have.
fn missing(comparison: &Comparison, runs: &[Run], head: &LaneHead, figure: &str) -> String {
    let lane = head.letter.bytes().next().map_or(0, |letter| usize::from(letter - b'A'));
    if head.n == 0 {
        return if head.failed > 0 { "all runs failed".into() } else { "no runs yet".into() };
    }
    let one_delivery = counting(runs, lane).all(|run| run.figures.deltas <= 1);
    let reused = comparison.lanes[lane].connection == super::Connection::Reused;
    match figure {
        "gap_p50" | "gap_p95" | "gap_p99" | "gap_max" | "tpot" | "tokens_per_s" if one_delivery => "one delivery".into(),
        "tpot" | "tokens_per_s" | "bytes_per_token" | "output_tokens" => "no usage reported".into(),
        "dns" | "tcp" | "tls" | "bytes_tls" if reused => "reused connection".into(),
        "tls" | "bytes_tls" => "no TLS".into(),
        "dns" => "no name to resolve".into(),
        "first_reasoning" => "no reasoning".into(),
        _ => "none".into(),
    }
}
