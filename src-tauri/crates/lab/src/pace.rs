//! When each token leaves. A schedule is a pure function of the pace and the seed, and every offset counts from the start of
//! the reply: a late write never pushes back the ones after it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::rng::Rng;

/// Rhythm and length of a reply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
#[ts(export, rename = "LabPace")]
pub struct Pace {
    /// Milliseconds from the end of the request to the first token.
    pub ttft_ms: u32,
    /// Tokens a second after the first; 0 means as fast as the client reads.
    pub tokens_per_second: f64,
    /// How far a token may stray from its beat, as a share of the gap between beats, 0–100.
    pub jitter_percent: u32,
    /// Length of a reply's text, at most [`crate::MAX_REPLY_TOKENS`].
    pub reply_tokens: u32,
    /// Tokens carried by one event, at least 1.
    pub tokens_per_event: u32,
    /// Fixes the jitter, the choice of words and all ids. At most 2^53, so that a page can hold it.
    #[ts(type = "number")]
    pub seed: u64,
    /// Even beats, or clumps.
    pub shape: Shape,
}

/// How tokens spread over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
#[ts(export, rename = "LabPaceShape")]
pub enum Shape {
    /// One token a beat.
    #[default]
    Steady,
    /// Clumps of 3 to 12 tokens at once, with pauses that keep the same mean rate: what speculative decoding and
    /// buffering proxies look like.
    Bursty,
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            ttft_ms: 350,
            tokens_per_second: 60.0,
            jitter_percent: 25,
            reply_tokens: 120,
            tokens_per_event: 1,
            seed: 7,
            shape: Shape::Steady,
        }
    }
}

impl Pace {
    /// Offsets of `tokens` tokens from the start of the reply, never falling. The first is exactly `ttft_ms`.
    pub fn schedule(&self, tokens: usize) -> impl Iterator<Item = Duration> + Send + use<> {
        let rate = self.tokens_per_second;
        let gap = if rate.is_finite() && rate > 0.0 { 1.0 / rate } else { 0.0 };
        Beats {
            ttft: f64::from(self.ttft_ms) / 1000.0,
            gap,
            jitter: f64::from(self.jitter_percent.min(100)) / 100.0,
            shape: self.shape,
            rng: Rng::stream(self.seed, "pace"),
            index: 0,
            left_in_burst: 0,
            at: 0.0,
        }
        .take(tokens)
    }

    /// The schedule in milliseconds, for a drawing of one reply.
    pub fn preview(&self) -> Vec<f64> {
        let tokens = self.reply_tokens.min(crate::MAX_REPLY_TOKENS) as usize;
        let step = self.tokens_per_event.max(1) as usize;
        self.schedule(tokens).step_by(step).map(|at| at.as_secs_f64() * 1000.0).collect()
    }
}

struct Beats {
    ttft: f64,
    gap: f64,
    jitter: f64,
    shape: Shape,
    rng: Rng,
    index: u64,
    left_in_burst: u64,
    at: f64,
}

impl Iterator for Beats {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let beat = self.index as f64 * self.gap;
        if self.left_in_burst == 0 {
            // Straying half the share to either side keeps neighbours in order up to 100 %.
            let stray = if self.index == 0 { 0.0 } else { (self.rng.unit() - 0.5) * self.jitter * self.gap };
            self.at = self.ttft + beat + stray;
            self.left_in_burst = match self.shape {
                Shape::Steady => 1,
                Shape::Bursty => 3 + self.rng.below(10),
            };
        }
        self.left_in_burst -= 1;
        self.index += 1;
        // Microseconds: finer than any timer here, and the same on every machine.
        Some(Duration::from_micros((self.at * 1e6).round() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offsets(pace: &Pace, n: usize) -> Vec<Duration> {
        pace.schedule(n).collect()
    }

    #[test]
    fn a_seed_names_a_schedule() {
        let pace = Pace::default();
        assert_eq!(offsets(&pace, 500), offsets(&pace, 500));
        assert_ne!(offsets(&pace, 500), offsets(&Pace { seed: 8, ..pace }, 500));
    }

    #[test]
    fn the_first_token_is_on_time_and_none_overtakes_another() {
        for shape in [Shape::Steady, Shape::Bursty] {
            for jitter_percent in [0, 25, 100] {
                let pace = Pace { shape, jitter_percent, ..Pace::default() };
                let at = offsets(&pace, 1000);
                assert_eq!(at[0], Duration::from_millis(350));
                assert!(at.is_sorted(), "{shape:?} {jitter_percent}");
            }
        }
    }

    #[test]
    fn the_mean_rate_holds_over_a_long_reply() {
        for shape in [Shape::Steady, Shape::Bursty] {
            let pace = Pace { shape, jitter_percent: 80, ..Pace::default() };
            let at = offsets(&pace, 6001);
            let span = (at[6000] - at[0]).as_secs_f64();
            assert!((span - 100.0).abs() < 0.3, "{shape:?}: {span}");
        }
    }

    #[test]
    fn no_rate_means_all_at_once() {
        for tokens_per_second in [0.0, f64::NAN, -1.0] {
            let at = offsets(&Pace { tokens_per_second, ..Pace::default() }, 50);
            assert!(at.iter().all(|at| *at == Duration::from_millis(350)));
        }
    }

    #[test]
    fn bursts_share_a_moment() {
        let at = offsets(&Pace { shape: Shape::Bursty, ..Pace::default() }, 200);
        let mut distinct = at.clone();
        distinct.dedup();
        assert!((16..=67).contains(&distinct.len()), "{}", distinct.len());
    }
}
