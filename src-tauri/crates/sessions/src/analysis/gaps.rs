//! Gaps between content deltas, counted in logarithmic bins so that quantiles cost no memory that grows.

/// Bins an octave: 64 keep a quantile within 1.1 %.
const PER_OCTAVE: f64 = 64.0;
/// Smallest gap told apart, nanoseconds; deltas of one read have gap 0.
const FLOOR: f64 = 100.0;

/// A histogram of durations.
#[derive(Clone, Debug, Default)]
pub struct Gaps {
    bins: Vec<u32>,
    count: u64,
    last: Option<u64>,
    longest: u64,
}

impl Gaps {
    /// A content delta came at `t` nanoseconds.
    pub fn arrived(&mut self, t: u64) {
        if let Some(last) = self.last.replace(t) {
            self.longest = self.longest.max(t.saturating_sub(last));
            let gap = t.saturating_sub(last) as f64;
            let bin = if gap < FLOOR { 0 } else { 1 + ((gap / FLOOR).log2() * PER_OCTAVE) as usize };
            if self.bins.len() <= bin {
                self.bins.resize(bin + 1, 0);
            }
            self.bins[bin] += 1;
            self.count += 1;
        }
    }

    /// Another turn begins: the user's pause before it is no gap of the peer's.
    pub fn pause(&mut self) {
        self.last = None;
    }

    /// The longest gap in nanoseconds; `None` below two deltas.
    pub fn longest(&self) -> Option<u64> {
        (self.count > 0).then_some(self.longest)
    }

    /// The `q` quantile (0..=1) in nanoseconds: the middle of its bin. `None` below two deltas.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        if self.count == 0 {
            return None;
        }
        let rank = ((q * self.count as f64).ceil() as u64).clamp(1, self.count);
        let mut seen = 0;
        for (bin, &n) in self.bins.iter().enumerate() {
            seen += u64::from(n);
            if seen >= rank {
                return Some(if bin == 0 { 0.0 } else { FLOOR * ((bin as f64 - 0.5) / PER_OCTAVE).exp2() });
            }
        }
        None
    }
}
