//! Thresholds on figures, for scripts: `ttft_p95>2s`.

use std::str::FromStr;

use weir_stats::{Figure, quantile};

use super::figures::{FIGURES, FigureKind, Unit, find};
use super::table::counting;
use super::{Comparison, Run, letter};

/// A threshold: lanes whose figure fulfils it have failed.
#[derive(Clone, Debug)]
pub struct Threshold {
    text: String,
    lane: Option<usize>,
    of: Of,
    operator: Operator,
    bound: f64,
}

#[derive(Clone, Debug)]
enum Of {
    Figure(&'static FigureKind, Figure),
    /// Runs that failed.
    Failed,
    /// Their share of all runs.
    FailedShare,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operator {
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
}

/// A lane that meets a threshold.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// The lane.
    pub lane: usize,
    /// In a sentence.
    pub message: String,
}

impl FromStr for Threshold {
    type Err = String;

    /// Reads `[A.]FIGURE_STATISTIC OP NUMBER[UNIT]`.
    fn from_str(text: &str) -> Result<Self, String> {
        let at = text.find(['<', '>']).ok_or("a threshold compares with <, <=, > or >=, e.g. ttft_p95>2s")?;
        let (name, rest) = (text[..at].trim(), &text[at..]);
        let (operator, bound) = if let Some(bound) = rest.strip_prefix(">=") {
            (Operator::MoreOrEqual, bound)
        } else if let Some(bound) = rest.strip_prefix("<=") {
            (Operator::LessOrEqual, bound)
        } else if let Some(bound) = rest.strip_prefix('>') {
            (Operator::More, bound)
        } else {
            (Operator::Less, &rest[1..])
        };
        let (lane, name) = match name.split_once('.') {
            Some((lane, name)) => (Some(lane_of(lane)?), name),
            None => (None, name),
        };
        let of = match name {
            "failed" => Of::Failed,
            "failed_share" => Of::FailedShare,
            name => {
                let (figure, statistic) = name.rsplit_once('_').ok_or_else(|| unknown(name))?;
                let figure = find(figure).ok_or_else(|| unknown(name))?;
                Of::Figure(figure, statistic_of(statistic).ok_or_else(|| unknown(name))?)
            }
        };
        let unit = match &of {
            Of::Figure(figure, _) => figure.unit,
            Of::Failed => Unit::Count,
            Of::FailedShare => Unit::Share,
        };
        Ok(Self { text: text.trim().to_owned(), lane, of, operator, bound: bound_of(bound.trim(), unit)? })
    }
}

fn lane_of(lane: &str) -> Result<usize, String> {
    match lane.trim().as_bytes() {
        [letter @ b'A'..=b'F'] => Ok(usize::from(letter - b'A')),
        [letter @ b'a'..=b'f'] => Ok(usize::from(letter - b'a')),
        _ => Err(format!("«{lane}» is no lane: they are A to F")),
    }
}

fn statistic_of(name: &str) -> Option<Figure> {
    Some(match name {
        "mean" => Figure::Mean,
        "median" => Figure::Quantile(0.5),
        "min" => Figure::Quantile(0.0),
        "max" => Figure::Quantile(1.0),
        percentile => {
            let number = percentile.strip_prefix('p')?.parse::<f64>().ok().filter(|p| (0.0..=100.0).contains(p))?;
            Figure::Quantile(number / 100.0)
        }
    })
}

fn unknown(name: &str) -> String {
    let all: Vec<&str> = FIGURES.iter().map(|figure| figure.id).collect();
    format!(
        "«{name}» is no figure: write NAME_STATISTIC, with a name of {}, and mean, median, min, max or pNN; or failed, failed_share",
        all.join(", ")
    )
}

/// The number in the figure's own unit. Times are milliseconds where no unit is given.
fn bound_of(text: &str, unit: Unit) -> Result<f64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '+')).unwrap_or(text.len());
    let (number, suffix) = (&text[..digits], text[digits..].trim());
    let number = number.parse::<f64>().ok().filter(|n| n.is_finite()).ok_or_else(|| format!("«{text}» is no number"))?;
    let factor = match (unit, suffix) {
        (_, "") | (Unit::Ms, "ms") | (Unit::Bytes, "B") | (Unit::Rate, "/s") => 1.0,
        (Unit::Ms, "s") => 1000.0,
        (Unit::Bytes, "kB") => 1000.0,
        (Unit::Bytes, "MB") => 1e6,
        (Unit::Share, "%") => 0.01,
        _ => return Err(format!("«{suffix}» is no unit of this figure: times take ms or s, sizes B, kB or MB, shares %")),
    };
    Ok(number * factor)
}

impl Threshold {
    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The lanes that meet it. A lane that has no such figure does not meet it, whatever it compares.
    pub fn hits(&self, comparison: &Comparison, runs: &[Run]) -> Vec<Hit> {
        let lanes = (0..comparison.lanes.len()).filter(|lane| self.lane.is_none_or(|only| only == *lane));
        let hit = |lane: usize| {
            let value = self.value(runs, lane)?;
            let met = match self.operator {
                Operator::Less => value < self.bound,
                Operator::LessOrEqual => value <= self.bound,
                Operator::More => value > self.bound,
                Operator::MoreOrEqual => value >= self.bound,
            };
            let shown = if value == value.trunc() { format!("{value}") } else { format!("{value:.3}") };
            met.then(|| Hit {
                lane,
                message: format!(
                    "Lane {} ({}) meets «{}»: it is {shown}{}.",
                    letter(lane),
                    comparison.lanes[lane].name,
                    self.text,
                    self.unit()
                ),
            })
        };
        lanes.filter_map(hit).collect()
    }

    fn unit(&self) -> &'static str {
        match &self.of {
            Of::Figure(figure, _) => match figure.unit {
                Unit::Ms => " ms",
                Unit::Bytes => " B",
                Unit::Rate => " tokens/s",
                Unit::Count | Unit::Share => "",
            },
            Of::Failed | Of::FailedShare => "",
        }
    }

    fn value(&self, runs: &[Run], lane: usize) -> Option<f64> {
        let of_lane = || runs.iter().filter(move |run| run.lane as usize == lane && !run.warmup);
        let failed = || of_lane().filter(|run| run.failure.is_some()).count() as f64;
        match &self.of {
            Of::Failed => Some(failed()),
            Of::FailedShare => Some(failed() / of_lane().count() as f64).filter(|share| share.is_finite()),
            Of::Figure(figure, statistic) => {
                let mut values: Vec<f64> = counting(runs, lane).filter_map(|run| (figure.of)(&run.figures)).collect();
                values.sort_unstable_by(f64::total_cmp);
                let value = match statistic {
                    Figure::Quantile(q) => quantile(&values, *q),
                    Figure::Mean => statistic.of(&values),
                };
                value.is_finite().then_some(value)
            }
        }
    }
}
