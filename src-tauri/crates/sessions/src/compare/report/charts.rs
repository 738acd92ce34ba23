//! Charts as inline SVG. Colours are the page's, so they follow its theme; lanes also differ by their dashes.

use weir_stats::quantile;

use crate::compare::figures::Read;
use crate::compare::table::counting;
use crate::compare::{ComparisonView, letter};

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 34.0;

/// One lane's points.
pub(super) struct Series {
    pub(super) lane: usize,
    /// Order among all runs, value, title of the point.
    pub(super) points: Vec<(f64, f64, String)>,
}

impl Series {
    fn sorted(&self) -> Vec<f64> {
        let mut values: Vec<f64> = self.points.iter().map(|(_, value, _)| *value).collect();
        values.sort_unstable_by(f64::total_cmp);
        values
    }
}

/// The counting runs of every lane that has the figure.
pub(super) fn series(view: &ComparisonView, of: Read) -> Vec<Series> {
    (0..view.comparison.lanes.len())
        .map(|lane| Series {
            lane,
            points: counting(&view.runs, lane)
                .filter_map(|run| {
                    let value = of(&run.figures)?;
                    Some((f64::from(run.order), value, format!("{} run {}: {value:.2} ms, session {}", letter(lane), run.n, run.session)))
                })
                .collect(),
        })
        .filter(|series| !series.points.is_empty())
        .collect()
}

/// Steps of 1, 2 or 5 times a power of ten, at most six of them from `low` to `high`.
pub(super) fn ticks(low: f64, high: f64) -> Vec<f64> {
    let span = (high - low).max(1e-9);
    let power = 10f64.powf((span / 6.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|n| n * power).find(|step| span / step <= 6.0).unwrap_or(span);
    let first = (low / step).ceil();
    (0..8).map(|n| (first + f64::from(n)) * step).filter(|tick| *tick <= high + step * 1e-6).collect()
}

struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    fn at(&self, value: f64) -> f64 {
        self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)
    }
}

/// A range around all values, with a little room.
fn range(all: &[Series]) -> (f64, f64) {
    let values = || all.iter().flat_map(|series| series.points.iter().map(|(_, value, _)| *value));
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    let room = ((high - low) * 0.04).max(high.abs() * 0.005).max(0.001);
    ((low - room).max(0.0), high + room)
}

fn open(label: &str) -> String {
    format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">", super::html::escape(label))
}

fn text(x: f64, y: f64, anchor: &str, words: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>", super::html::escape(words))
}

fn line(x1: f64, y1: f64, x2: f64, y2: f64, class: &str) -> String {
    format!("<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" class=\"{class}\"/>")
}

fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn x_axis(scale: &Scale, unit: &str) -> String {
    let mut out = String::new();
    for tick in ticks(scale.low, scale.high) {
        out += &line(scale.at(tick), TOP, scale.at(tick), HEIGHT - BOTTOM, "grid");
        out += &text(scale.at(tick), HEIGHT - BOTTOM + 14.0, "middle", &short(tick));
    }
    out + &text(WIDTH - RIGHT, HEIGHT - 4.0, "end", unit)
}

fn y_axis(scale: &Scale, unit: &str) -> String {
    let mut out = String::new();
    for tick in ticks(scale.low, scale.high) {
        out += &line(LEFT, scale.at(tick), WIDTH - RIGHT, scale.at(tick), "grid");
        out += &text(LEFT - 6.0, scale.at(tick) + 3.5, "end", &short(tick));
    }
    out + &text(LEFT - 6.0, TOP - 2.0, "end", unit)
}

/// The share of runs that took at most so long.
pub(super) fn ecdf(name: &str, all: &[Series]) -> String {
    let (low, high) = range(all);
    let x = Scale { low, high, from: LEFT, to: WIDTH - RIGHT };
    let y = Scale { low: 0.0, high: 100.0, from: HEIGHT - BOTTOM, to: TOP };
    let mut out = open(&format!("{name}: share of runs that took at most so long")) + &x_axis(&x, "ms") + &y_axis(&y, "%");
    for series in all {
        let values = series.sorted();
        let mut path = format!("M{:.1} {:.1}", LEFT, y.at(0.0));
        for (at, value) in values.iter().enumerate() {
            let share = (at + 1) as f64 / values.len() as f64 * 100.0;
            path += &format!("H{:.1}V{:.1}", x.at(*value), y.at(share));
        }
        path += &format!("H{:.1}", WIDTH - RIGHT);
        out += &format!("<path d=\"{path}\" class=\"curve l{}\"><title>{}</title></path>", series.lane, letter(series.lane));
    }
    out + "</svg>"
}

/// Box from quartile to quartile with the median, whiskers to the farthest run within 1.5 times its height (Tukey), the rest as points.
pub(super) fn boxes(name: &str, all: &[Series]) -> String {
    let (low, high) = range(all);
    let x = Scale { low, high, from: LEFT, to: WIDTH - RIGHT };
    let mut out = open(&format!("{name}: quartiles by lane")) + &x_axis(&x, "ms");
    let band = (HEIGHT - TOP - BOTTOM) / all.len().max(1) as f64;
    for (at, series) in all.iter().enumerate() {
        let values = series.sorted();
        let (q1, median, q3) = (quantile(&values, 0.25), quantile(&values, 0.5), quantile(&values, 0.75));
        let reach = 1.5 * (q3 - q1);
        let inside = |value: &&f64| **value >= q1 - reach && **value <= q3 + reach;
        let (from, to) = (values.iter().find(inside).copied().unwrap_or(q1), values.iter().rev().find(inside).copied().unwrap_or(q3));
        let middle = TOP + band * (at as f64 + 0.5);
        let half = (band * 0.3).min(18.0);
        out += &text(LEFT - 10.0, middle + 3.5, "end", &letter(series.lane).to_string());
        out += &format!("<g class=\"box l{}\">", series.lane);
        out += &line(x.at(from), middle, x.at(q1), middle, "whisker");
        out += &line(x.at(q3), middle, x.at(to), middle, "whisker");
        let (left, width) = (x.at(q1), (x.at(q3) - x.at(q1)).max(1.0));
        out += &format!("<rect x=\"{left:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{:.1}\"/>", middle - half, half * 2.0);
        out += &line(x.at(median), middle - half, x.at(median), middle + half, "median");
        for value in values.iter().filter(|value| !inside(value)) {
            out += &format!("<circle cx=\"{:.1}\" cy=\"{middle:.1}\" r=\"2.5\"/>", x.at(*value));
        }
        out += "</g>";
    }
    out + "</svg>"
}

/// Every run in the order they were made: a drift is seen.
pub(super) fn order(name: &str, all: &[Series]) -> String {
    let (low, high) = range(all);
    let runs = || all.iter().flat_map(|series| series.points.iter().map(|(order, ..)| *order));
    let (first, last) = (runs().fold(f64::INFINITY, f64::min), runs().fold(f64::NEG_INFINITY, f64::max));
    let x = Scale { low: first - 0.5, high: last + 0.5, from: LEFT, to: WIDTH - RIGHT };
    let y = Scale { low, high, from: HEIGHT - BOTTOM, to: TOP };
    let mut out = open(&format!("{name} by the order of runs")) + &x_axis(&x, "place in the order of runs") + &y_axis(&y, "ms");
    for series in all {
        out += &format!("<g class=\"dots l{}\">", series.lane);
        for (order, value, title) in &series.points {
            let title = super::html::escape(title);
            out += &format!("<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.8\"><title>{title}</title></circle>", x.at(*order), y.at(*value));
        }
        out += "</g>";
    }
    out + "</svg>"
}
