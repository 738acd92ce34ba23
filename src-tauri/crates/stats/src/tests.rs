use super::*;

/// A log-normal number: what latencies look like.
fn latency(rng: &mut Rng) -> f64 {
    (normal(rng) * 0.5).exp()
}

/// A standard normal number (Box & Muller).
fn normal(rng: &mut Rng) -> f64 {
    (-2.0 * (1.0 - rng.f64()).ln()).sqrt() * (std::f64::consts::TAU * rng.f64()).cos()
}

/// Part of 2,000 simulated experiments whose interval covers `truth`.
fn coverage(n: usize, truth: f64, figure: Figure, mut sample: impl FnMut(&mut Rng) -> f64) -> f64 {
    let mut rng = Rng::with_seed(7);
    let covered = (0..2_000).filter(|run| {
        let numbers: Vec<f64> = (0..n).map(|_| sample(&mut rng)).collect();
        let interval = resampled(&numbers, figure, *run, 0.95, 800).unwrap().interval.unwrap();
        interval.low <= truth && truth <= interval.high
    });
    covered.count() as f64 / 2_000.0
}

#[test]
fn quantiles_are_those_of_definition_7() {
    let numbers = [1.0, 2.0, 3.0, 4.0];
    assert_eq!(quantile(&numbers, 0.0), 1.0);
    assert_eq!(quantile(&numbers, 0.5), 2.5);
    assert!((quantile(&numbers, 0.95) - 3.85).abs() < 1e-12);
    assert_eq!(quantile(&numbers, 1.0), 4.0);
    assert!(quantile(&[], 0.5).is_nan());
}

#[test]
fn intervals_of_means_cover_the_truth() {
    let skewed = coverage(30, (0.125f64).exp(), Figure::Mean, latency);
    assert!((0.93..=0.97).contains(&skewed), "{skewed}");
    let plain = coverage(40, 0.0, Figure::Mean, normal);
    assert!((0.93..=0.97).contains(&plain), "{plain}");
}

#[test]
fn intervals_of_medians_cover_the_truth() {
    let skewed = coverage(30, 1.0, Figure::Quantile(0.5), latency);
    assert!((0.93..=0.97).contains(&skewed), "{skewed}");
    let plain = coverage(51, 0.0, Figure::Quantile(0.5), normal);
    assert!((0.93..=0.97).contains(&plain), "{plain}");
}

#[test]
fn intervals_of_paired_differences_cover_the_truth() {
    // Two lanes that share the weather of each run, the second 0.2 slower.
    let mut pair = |rng: &mut Rng| {
        let weather = latency(rng);
        (weather + 0.3 * latency(rng)) - (weather + 0.3 * latency(rng) + 0.2)
    };
    let mean = coverage(30, -0.2, Figure::Mean, &mut pair);
    assert!((0.93..=0.97).contains(&mean), "{mean}");
    let median = coverage(30, -0.2, Figure::Quantile(0.5), &mut pair);
    assert!((0.93..=0.97).contains(&median), "{median}");
}

#[test]
fn equal_lanes_are_seldom_marked_and_unequal_ones_are() {
    for (lanes, figure) in [(2, Figure::Mean), (2, Figure::Quantile(0.5)), (4, Figure::Mean), (6, Figure::Quantile(0.5))] {
        let mut rng = Rng::with_seed(11);
        let runs = 300;
        let marks = (0..runs).filter(|run| {
            let weather: Vec<f64> = (0..30).map(|_| latency(&mut rng)).collect();
            let all: Vec<Vec<f64>> = (0..lanes).map(|_| weather.iter().map(|w| w + 0.3 * latency(&mut rng)).collect()).collect();
            best(&all, figure, true, *run).is_some()
        });
        let part = marks.count() as f64 / f64::from(runs as u32);
        assert!(part <= 0.05, "{lanes} lanes, {figure:?}: {part}");
    }
    let mut rng = Rng::with_seed(3);
    let fast: Vec<f64> = (0..30).map(|_| latency(&mut rng)).collect();
    let slow: Vec<f64> = fast.iter().map(|x| x * 1.1 + 0.05 * rng.f64()).collect();
    assert_eq!(best(&[slow.clone(), fast.clone()], Figure::Mean, true, 1), Some(1));
    assert_eq!(best(&[slow.clone(), fast.clone()], Figure::Mean, false, 1), Some(0));
    // Too few pairs tell nothing, however clear they look.
    assert_eq!(best(&[slow[..29].to_vec(), fast[..29].to_vec()], Figure::Mean, true, 1), None);
    assert_eq!(best(&[fast], Figure::Mean, true, 1), None);
}

#[test]
fn few_numbers_give_no_interval_and_tails_an_approximate_one() {
    assert_eq!(estimate(&[], Figure::Mean, 1), None);
    assert_eq!(estimate(&[f64::NAN], Figure::Mean, 1), None);
    assert_eq!(estimate(&[1.0, 2.0, 3.0, 4.0], Figure::Mean, 1), Some(Estimate { value: 2.5, interval: None }));
    let numbers: Vec<f64> = (0..50).map(f64::from).collect();
    let approximate = |figure| estimate(&numbers, figure, 1).unwrap().interval.unwrap().approximate;
    assert!(!approximate(Figure::Mean));
    assert!(!approximate(Figure::Quantile(0.5)));
    assert!(approximate(Figure::Quantile(0.99)));
    assert!(approximate(Figure::Quantile(1.0)));
    // Numbers that are all the same have no spread, and no error.
    let same = estimate(&[3.0; 30], Figure::Mean, 1).unwrap().interval.unwrap();
    assert_eq!((same.low, same.high), (3.0, 3.0));
}

#[test]
fn the_same_seed_gives_the_same_interval() {
    let numbers: Vec<f64> = (0..40).map(|n| f64::from(n * n)).collect();
    assert_eq!(estimate(&numbers, Figure::Mean, 5), estimate(&numbers, Figure::Mean, 5));
    assert_ne!(estimate(&numbers, Figure::Mean, 5), estimate(&numbers, Figure::Mean, 6));
}
