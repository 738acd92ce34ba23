//! A straight line through points: what one more costs, and what there is before the first.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{ENOUGH, Estimate, Interval};

/// Least squares through points: `y = intercept + slope · x`. Intervals are those of normal errors with one variance (Student's t with
/// n − 2 degrees of freedom; Draper & Smith, *Applied Regression Analysis*, §1.4).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export, rename = "FittedLine")]
pub struct Line {
    /// `y` where `x` is zero.
    pub intercept: Estimate,
    /// What one more `x` adds to `y`.
    pub slope: Estimate,
}

/// The line through `points`; `None` where they have fewer than two different `x`. Intervals need three points or more, and are marked as
/// approximate below [`ENOUGH`].
pub fn line(points: &[(f64, f64)]) -> Option<Line> {
    let points: Vec<(f64, f64)> = points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite()).collect();
    let n = points.len() as f64;
    let (x0, y0) = (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
    let xx: f64 = points.iter().map(|p| (p.0 - x0).powi(2)).sum();
    if points.len() < 2 || xx == 0.0 {
        return None;
    }
    let slope = points.iter().map(|p| (p.0 - x0) * (p.1 - y0)).sum::<f64>() / xx;
    let intercept = y0 - slope * x0;
    let residuals: f64 = points.iter().map(|p| (p.1 - intercept - slope * p.0).powi(2)).sum();
    let interval = |value: f64, factor: f64| {
        (points.len() > 2).then(|| {
            let freedom = points.len() - 2;
            let reach = student(freedom) * (residuals / freedom as f64 * factor).sqrt();
            Interval { low: value - reach, high: value + reach, approximate: points.len() < ENOUGH }
        })
    };
    Some(Line {
        intercept: Estimate { value: intercept, interval: interval(intercept, 1.0 / n + x0 * x0 / xx) },
        slope: Estimate { value: slope, interval: interval(slope, 1.0 / xx) },
    })
}

/// The 97.5 % quantile of Student's t. Exact for one and two degrees of freedom, else by the expansion of Abramowitz & Stegun, 26.7.5,
/// whose error is under 0.5 % from three on.
fn student(freedom: usize) -> f64 {
    const Z: f64 = 1.959_963_984_540_054;
    match freedom {
        0 => f64::INFINITY,
        1 => 12.706_204_736,
        2 => 4.302_652_730,
        n => {
            let n = n as f64;
            let g1 = (Z.powi(3) + Z) / 4.0;
            let g2 = (5.0 * Z.powi(5) + 16.0 * Z.powi(3) + 3.0 * Z) / 96.0;
            let g3 = (3.0 * Z.powi(7) + 19.0 * Z.powi(5) + 17.0 * Z.powi(3) - 15.0 * Z) / 384.0;
            let g4 = (79.0 * Z.powi(9) + 776.0 * Z.powi(7) + 1482.0 * Z.powi(5) - 1920.0 * Z.powi(3) - 945.0 * Z) / 92_160.0;
            Z + g1 / n + g2 / n.powi(2) + g3 / n.powi(3) + g4 / n.powi(4)
        }
    }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (freedom, table) in [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (8, 2.306), (30, 2.042), (1000, 1.962)] {
            assert!((student(freedom) / table - 1.0).abs() < 0.005, "{freedom}: {}", student(freedom));
        }
    }

    #[test]
    fn a_line_is_found_and_nonsense_is_not() {
        let exact = line(&[(0.0, 5.0), (1.0, 7.0), (10.0, 25.0)]).unwrap();
        assert!((exact.slope.value - 2.0).abs() < 1e-9 && (exact.intercept.value - 5.0).abs() < 1e-9);
        assert!(line(&[(1.0, 2.0)]).is_none() && line(&[(1.0, 2.0), (1.0, 3.0)]).is_none() && line(&[]).is_none());
        assert!(line(&[(0.0, 1.0), (1.0, 2.0)]).unwrap().slope.interval.is_none());
    }

    /// 2,000 experiments with a slope that is known, at the numbers of connections that the memory drill has.
    #[test]
    fn intervals_hold_the_true_slope_in_95_of_100() {
        let mut rng = Rng::with_seed(7);
        let normal = |rng: &mut Rng| (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0;
        let mut held = 0;
        for _ in 0..2_000 {
            let points: Vec<(f64, f64)> = [0.0, 1.0, 10.0, 100.0, 1000.0]
                .into_iter()
                .cycle()
                .take(10)
                .map(|x| (x, 3e6 + 4096.0 * x + 2e5 * normal(&mut rng)))
                .collect();
            let interval = line(&points).unwrap().slope.interval.unwrap();
            held += u32::from(interval.low <= 4096.0 && 4096.0 <= interval.high);
        }
        assert!((1_860..=1_940).contains(&held), "{held} of 2000");
    }
}
