//! Logits to a token id: greedy, or nucleus sampling with a counter-based generator.
//!
//! The same logits, sampling and position give the same token on every machine: sums run in a fixed order, and [`exp`](exponential)
//! and the random numbers are our own arithmetic on IEEE 754 additions, multiplications and divisions.

mod exponential;
mod philox;

use std::{cmp::Reverse, collections::BinaryHeap};

use zeroize::Zeroize;

use crate::job::Sampling;

/// Why no token was chosen; `code()` is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SamplerError {
    /// The temperature is negative or not finite.
    #[error("the temperature is negative or not finite")]
    Temperature,
    /// `top_p` is not above 0 and at most 1.
    #[error("top_p is not above 0 and at most 1")]
    TopP,
    /// A logit is NaN or positive infinity, or there is none above negative infinity.
    #[error("the logits are no numbers to choose by")]
    Logits,
}

impl SamplerError {
    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Temperature => "sampler.temperature",
            Self::TopP => "sampler.top_p",
            Self::Logits => "sampler.logits",
        }
    }
}

/// Chooses tokens for one answer. No Debug; wiped when dropped: weights tell the prompt.
pub struct Sampler {
    sampling: Sampling,
    weights: Vec<f64>,
}

impl Sampler {
    /// A sampler, if its parameters are possible.
    pub fn new(sampling: Sampling) -> Result<Self, SamplerError> {
        if !(sampling.temperature.is_finite() && sampling.temperature >= 0.0) {
            return Err(SamplerError::Temperature);
        }
        if !(sampling.top_p > 0.0 && sampling.top_p <= 1.0) {
            return Err(SamplerError::TopP);
        }
        let weights = Vec::new();
        Ok(Self { sampling, weights })
    }

    /// The token that follows; `position` is its place in the sequence, the prompt included, from 0.
    pub fn choose(&mut self, logits: &[f32], position: u64) -> Result<u32, SamplerError> {
        let (best, max) = best(logits)?;
        if self.sampling.temperature == 0.0 {
            return Ok(best);
        }
        self.weigh(logits, max);
        let point = philox::unit_interval(self.sampling.seed, position);
        let chosen = match self.sampling.top_p < 1.0 {
            true => self.sample_nucleus(point),
            false => self.sample_all(point),
        };
        Ok(chosen.unwrap_or(best))
    }

    /// Weights relative to the best token's, which is 1.
    fn weigh(&mut self, logits: &[f32], max: f32) {
        let temperature = f64::from(self.sampling.temperature);
        let weight = |logit: &f32| {
            exponential::of_non_positive((f64::from(*logit) - f64::from(max)) / temperature)
        };
        self.weights.clear();
        self.weights.reserve_exact(logits.len());
        self.weights.extend(logits.iter().map(weight));
    }

    fn sample_all(&self, point: f64) -> Option<u32> {
        let all = || (0u32..).zip(self.weights.iter().copied());
        let total = all().map(|(_, weight)| weight).sum::<f64>();
        pick(all(), point * total)
    }

    /// From the fewest likeliest tokens that have at least `top_p` of the weight.
    fn sample_nucleus(&self, point: f64) -> Option<u32> {
        let total: f64 = self.weights.iter().sum();
        let wanted = f64::from(self.sampling.top_p) * total;
        // Bits of positive floats sort as the floats do; of equal weights the lowest id comes first.
        let ranked = self.weights.iter().zip(0u32..);
        let mut heap: BinaryHeap<_> = ranked.map(|(w, id)| (w.to_bits(), Reverse(id))).collect();
        let (mut nucleus, mut sum) = (Vec::new(), 0.0);
        while sum < wanted
            && let Some((bits, Reverse(id))) = heap.pop()
        {
            sum += f64::from_bits(bits);
            nucleus.push((id, f64::from_bits(bits)));
        }
        pick(nucleus.into_iter(), point * sum)
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.weights.zeroize();
    }
}

/// The first id with the greatest logit.
fn best(logits: &[f32]) -> Result<(u32, f32), SamplerError> {
    let mut best = (0, f32::NEG_INFINITY);
    for (id, logit) in (0u32..).zip(logits) {
        if logit.is_nan() || *logit == f32::INFINITY {
            return Err(SamplerError::Logits);
        }
        if *logit > best.1 {
            best = (id, *logit);
        }
    }
    match best.1 == f32::NEG_INFINITY {
        true => Err(SamplerError::Logits),
        false => Ok(best),
    }
}

/// The token in whose share of the line `point` lies; the last with any weight where rounding puts it behind all.
fn pick(weights: impl Iterator<Item = (u32, f64)>, point: f64) -> Option<u32> {
    let mut sum = 0.0;
    let mut last = None;
    for (id, weight) in weights.filter(|(_, weight)| *weight > 0.0) {
        sum += weight;
        last = Some(id);
        if point < sum {
            break;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampler(temperature: f32, top_p: f32, seed: u64) -> Sampler {
        let sampling = Sampling {
            temperature,
            top_p,
            seed,
            ..Sampling::default()
        };
        Sampler::new(sampling).unwrap()
    }

    fn refusal(temperature: f32, top_p: f32) -> SamplerError {
        let sampling = Sampling {
            temperature,
            top_p,
            ..Sampling::default()
        };
        Sampler::new(sampling).err().unwrap()
    }

    #[test]
    fn greedy_takes_the_lowest_of_equals() {
        let mut greedy = sampler(0.0, 1.0, 0);
        assert_eq!(greedy.choose(&[1.0, 3.0, 3.0, 2.0], 0), Ok(1));
        assert_eq!(greedy.choose(&[f32::NEG_INFINITY, -5.0], 0), Ok(1));
    }

    #[test]
    fn impossible_parameters_are_refused() {
        for temperature in [-0.1, f32::NAN, f32::INFINITY] {
            assert_eq!(refusal(temperature, 1.0), SamplerError::Temperature);
        }
        for top_p in [0.0, -1.0, 1.1, f32::NAN] {
            assert_eq!(refusal(1.0, top_p), SamplerError::TopP);
        }
    }

    #[test]
    fn logits_that_are_no_numbers_are_an_error() {
        for temperature in [0.0, 1.0] {
            let mut any = sampler(temperature, 0.9, 0);
            for bad in [f32::NAN, f32::INFINITY] {
                assert_eq!(any.choose(&[1.0, bad, 0.0], 0), Err(SamplerError::Logits));
            }
            assert_eq!(
                any.choose(&[f32::NEG_INFINITY], 0),
                Err(SamplerError::Logits)
            );
            assert_eq!(any.choose(&[], 0), Err(SamplerError::Logits));
        }
    }

    #[test]
    fn frequencies_follow_the_distribution() {
        let logits = [0.0, 1.0, 2.0, f32::NEG_INFINITY];
        let mut counts = [0u32; 4];
        let mut any = sampler(1.0, 1.0, 7);
        for position in 0..20_000 {
            counts[any.choose(&logits, position).unwrap() as usize] += 1;
        }
        let total: f64 = [0.0f64, 1.0, 2.0].iter().map(|l| l.exp()).sum();
        for (count, logit) in counts.iter().zip([0.0f64, 1.0, 2.0]) {
            let expected = 20_000.0 * logit.exp() / total;
            assert!((f64::from(*count) - expected).abs() < 250.0, "{counts:?}");
        }
        assert_eq!(counts[3], 0);
    }

    #[test]
    fn the_nucleus_is_the_fewest_tokens_that_suffice() {
        // Shares: 0.5, 0.3, 0.2.
        let logits = [0.5f32.ln(), 0.3f32.ln(), 0.2f32.ln()];
        let seen = |top_p: f32| {
            let mut nucleus = sampler(1.0, top_p, 3);
            let mut ids: Vec<u32> = (0..500)
                .map(|p| nucleus.choose(&logits, p).unwrap())
                .collect();
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        assert_eq!(seen(0.4), [0]);
        assert_eq!(seen(0.7), [0, 1]);
        assert_eq!(seen(0.9), [0, 1, 2]);
    }

    #[test]
    fn seed_and_position_decide() {
        let logits = [0.0; 1000];
        let run = |seed| -> Vec<u32> {
            let mut any = sampler(0.8, 0.95, seed);
            (0..50).map(|p| any.choose(&logits, p).unwrap()).collect()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        assert!(run(1).windows(2).any(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn the_smallest_temperatures_are_greedy() {
        let mut cold = sampler(f32::from_bits(1), 1.0, 9);
        assert_eq!(cold.choose(&[1.0, 1.5, 0.0], 4), Ok(1));
    }
}
