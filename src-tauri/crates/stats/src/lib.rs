//! Statistics that can be defended: quantiles, bootstrap intervals, paired differences. Pure functions of numbers and a seed.
//!
//! Intervals are 95 % and two-sided. A mean's is a bootstrap-t interval (Efron & Tibshirani, *An Introduction to the Bootstrap*, §12.5),
//! which keeps its coverage for the skewed data that latencies are; a quantile's is a percentile interval (ibid., §13.3). Quantiles are those
//! of Hyndman & Fan's definition 7, as R, NumPy and spreadsheets have them.

use fastrand::Rng;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

mod line;

pub use line::{Line, line};

/// Resamples of an interval.
pub const RESAMPLES: usize = 2_000;

/// Numbers below which an interval is not given: it would be a guess.
pub const FEWEST: usize = 5;

/// Numbers below which an interval is marked as approximate.
pub const ENOUGH: usize = 30;

/// A range that the true value lies in, in 95 of 100 such experiments.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// There were too few numbers, or the figure lies too far out in the tail, for the level to be kept.
    pub approximate: bool,
}

impl Interval {
    /// Whether zero lies outside: the sign is known.
    pub fn excludes_zero(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

/// A figure with its interval, if there were numbers enough for one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// Its interval.
    pub interval: Option<Interval>,
}

/// What is estimated of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figure {
    /// The arithmetic mean.
    Mean,
    /// A quantile, 0 to 1: 0.5 is the median, 1 the largest.
    Quantile(f64),
}

impl Figure {
    /// The figure of `sorted` numbers; `NaN` of none.
    pub fn of(self, sorted: &[f64]) -> f64 {
        match self {
            Self::Mean => mean(sorted),
            Self::Quantile(q) => quantile(sorted, q),
        }
    }

    /// Whether bootstrap intervals of it are only approximate with `n` numbers: in the tail a resample holds hardly a new value.
    fn is_approximate(self, n: usize) -> bool {
        let tail = match self {
            Self::Quantile(q) => (1.0 - q).min(q) * n as f64,
            Self::Mean => n as f64,
        };
        n < ENOUGH || tail < 5.0
    }
}

/// The mean; `NaN` of no numbers.
pub fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

/// The quantile `q` (0 to 1) of `sorted` numbers, linear between two of them (definition 7); `NaN` of no numbers.
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let at = q.clamp(0.0, 1.0) * last as f64;
    let (below, part) = (at.floor() as usize, at.fract());
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * part
}

/// `figure` of `numbers` with its interval. Not finite numbers are left out; `None` where none is left.
pub fn estimate(numbers: &[f64], figure: Figure, seed: u64) -> Option<Estimate> {
    estimate_at(numbers, figure, seed, 0.95)
}

/// The same at another level, e.g. 0.99.
pub fn estimate_at(numbers: &[f64], figure: Figure, seed: u64, level: f64) -> Option<Estimate> {
    resampled(numbers, figure, seed, level, RESAMPLES)
}

fn resampled(numbers: &[f64], figure: Figure, seed: u64, level: f64, resamples: usize) -> Option<Estimate> {
    let mut sorted: Vec<f64> = numbers.iter().copied().filter(|n| n.is_finite()).collect();
    if sorted.is_empty() {
        return None;
    }
    sorted.sort_unstable_by(f64::total_cmp);
    let value = figure.of(&sorted);
    let interval = (sorted.len() >= FEWEST).then(|| {
        let tail = (1.0 - level) / 2.0;
        let (low, high) = match figure {
            Figure::Mean => studentized(&sorted, tail, seed, resamples),
            Figure::Quantile(_) => percentile(&sorted, figure, tail, seed, resamples),
        };
        Interval { low, high, approximate: figure.is_approximate(sorted.len()) }
    });
    Some(Estimate { value, interval })
}

/// The difference `a − b` of paired numbers. A pair of which one is missing is left out by the caller.
pub fn paired(a: &[f64], b: &[f64], figure: Figure, seed: u64, level: f64) -> Option<Estimate> {
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    estimate_at(&differences, figure, seed, level)
}

/// Ends of the percentile interval.
fn percentile(sorted: &[f64], figure: Figure, tail: f64, seed: u64, resamples: usize) -> (f64, f64) {
    let mut rng = Rng::with_seed(seed);
    let mut resample = vec![0.0; sorted.len()];
    let mut figures: Vec<f64> = (0..resamples)
        .map(|_| {
            draw(sorted, &mut resample, &mut rng);
            resample.sort_unstable_by(f64::total_cmp);
            figure.of(&resample)
        })
        .collect();
    figures.sort_unstable_by(f64::total_cmp);
    (quantile(&figures, tail), quantile(&figures, 1.0 - tail))
}

/// Ends of the bootstrap-t interval of the mean.
fn studentized(numbers: &[f64], tail: f64, seed: u64, resamples: usize) -> (f64, f64) {
    let (centre, error) = (mean(numbers), standard_error(numbers));
    if error == 0.0 {
        return (centre, centre);
    }
    let mut rng = Rng::with_seed(seed);
    let mut resample = vec![0.0; numbers.len()];
    let mut ratios: Vec<f64> = (0..resamples)
        .filter_map(|_| {
            draw(numbers, &mut resample, &mut rng);
            let error = standard_error(&resample);
            // A resample of one number over and over has no ratio.
            (error > 0.0).then(|| (mean(&resample) - centre) / error)
        })
        .collect();
    if ratios.is_empty() {
        return (centre, centre);
    }
    ratios.sort_unstable_by(f64::total_cmp);
    (centre - quantile(&ratios, 1.0 - tail) * error, centre - quantile(&ratios, tail) * error)
}

fn draw(from: &[f64], into: &mut [f64], rng: &mut Rng) {
    for slot in into {
        *slot = from[rng.usize(..from.len())];
    }
}

fn standard_error(numbers: &[f64]) -> f64 {
    let n = numbers.len() as f64;
    let centre = mean(numbers);
    let squares: f64 = numbers.iter().map(|x| (x - centre).powi(2)).sum();
    (squares / (n - 1.0) / n).sqrt()
}

/// Which of several lanes is best in a figure: the one whose paired difference to *every* other lane excludes zero, at a level that holds
/// the chance of any false mark among equal lanes under 5 % (Bonferroni over the comparisons, with a little room for the interval's own
/// error). `None` where no lane can be told apart, or there are fewer than [`ENOUGH`] pairs.
///
/// `lanes` are as long as one another; `lower_is_better` says which way.
pub fn best(lanes: &[Vec<f64>], figure: Figure, lower_is_better: bool, seed: u64) -> Option<usize> {
    let others = lanes.len().checked_sub(1).filter(|&n| n > 0)?;
    let value = |lane: &Vec<f64>| {
        let mut sorted = lane.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        figure.of(&sorted)
    };
    let order = |a: f64, b: f64| if lower_is_better { a.total_cmp(&b) } else { b.total_cmp(&a) };
    let (first, _) = lanes.iter().enumerate().map(|(n, lane)| (n, value(lane))).min_by(|a, b| order(a.1, b.1))?;
    let level = 1.0 - 0.04 / others as f64;
    let wins = |other: usize| {
        let pairs: Vec<f64> = lanes[first].iter().zip(&lanes[other]).map(|(a, b)| a - b).filter(|d| d.is_finite()).collect();
        pairs.len() >= ENOUGH
            && estimate_at(&pairs, figure, seed, level)
                .and_then(|difference| difference.interval)
                .is_some_and(|i| if lower_is_better { i.high < 0.0 } else { i.low > 0.0 })
    };
    (0..lanes.len()).filter(|&other| other != first).all(wins).then_some(first)
}

#[cfg(test)]
mod tests;
