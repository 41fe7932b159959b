//! Which sampling parameters are possible.

use super::{SamplerError, error::MAX_BIASED};
use crate::job::Sampling;

impl Sampling {
    /// Every bound that [`Sampling`] names, for a model of so many tokens.
    pub(crate) fn check(&self, vocabulary: usize) -> Result<(), SamplerError> {
        let within = |value: f32, bound: f32| value.abs() <= bound;
        if !(self.temperature.is_finite() && self.temperature >= 0.0) {
            return Err(SamplerError::Temperature);
        }
        if !(self.top_p > 0.0 && self.top_p <= 1.0) {
            return Err(SamplerError::TopP);
        }
        if !(0.0..=1.0).contains(&self.min_p) {
            return Err(SamplerError::MinP);
        }
        if !within(self.frequency_penalty, 2.0) {
            return Err(SamplerError::FrequencyPenalty);
        }
        if !within(self.presence_penalty, 2.0) {
            return Err(SamplerError::PresencePenalty);
        }
        check_bias(&self.logit_bias, vocabulary)
    }
}

fn check_bias(bias: &[(u32, f32)], vocabulary: usize) -> Result<(), SamplerError> {
    if bias.len() > MAX_BIASED {
        return Err(SamplerError::BiasCount);
    }
    // NaN is within nothing.
    if !bias.iter().all(|(_, value)| value.abs() <= 100.0) {
        return Err(SamplerError::BiasValue);
    }
    let mut ids: Vec<u32> = bias.iter().map(|(id, _)| *id).collect();
    ids.sort_unstable();
    let doubled = ids.windows(2).any(|pair| pair.first() == pair.last());
    match doubled || ids.last().is_some_and(|id| *id as usize >= vocabulary) {
        true => Err(SamplerError::BiasToken),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(change: impl Fn(&mut Sampling)) -> Option<SamplerError> {
        let mut sampling = Sampling::default();
        change(&mut sampling);
        sampling.check(10).err()
    }

    #[test]
    fn the_bounds_themselves_are_possible() {
        let widest = Sampling {
            temperature: f32::MAX,
            top_k: u32::MAX,
            min_p: 1.0,
            frequency_penalty: -2.0,
            presence_penalty: 2.0,
            logit_bias: vec![(9, 100.0), (0, -100.0)],
            ..Sampling::default()
        };
        assert_eq!(widest.check(10), Ok(()));
        assert_eq!(Sampling::greedy().check(10), Ok(()));
    }

    #[test]
    fn impossible_temperatures_and_parts_are_refused() {
        for bad in [-0.1, f32::NAN, f32::INFINITY] {
            assert_eq!(
                refusal(|s| s.temperature = bad),
                Some(SamplerError::Temperature)
            );
        }
        for bad in [0.0, -1.0, 1.1, f32::NAN] {
            assert_eq!(refusal(|s| s.top_p = bad), Some(SamplerError::TopP));
        }
        for bad in [-0.1, 1.1, f32::NAN] {
            assert_eq!(refusal(|s| s.min_p = bad), Some(SamplerError::MinP));
        }
    }

    #[test]
    fn impossible_penalties_are_refused() {
        for bad in [-2.1, 2.1, f32::NAN, f32::INFINITY] {
            assert_eq!(
                refusal(|s| s.frequency_penalty = bad),
                Some(SamplerError::FrequencyPenalty)
            );
            assert_eq!(
                refusal(|s| s.presence_penalty = bad),
                Some(SamplerError::PresencePenalty)
            );
        }
    }

    #[test]
    fn impossible_biases_are_refused() {
        let many = vec![(1, 0.0); MAX_BIASED + 1];
        assert_eq!(
            refusal(|s| s.logit_bias = many.clone()),
            Some(SamplerError::BiasCount)
        );
        for bad in [100.5, -101.0, f32::NAN, f32::NEG_INFINITY] {
            assert_eq!(
                refusal(|s| s.logit_bias = vec![(0, bad)]),
                Some(SamplerError::BiasValue)
            );
        }
        for bad in [vec![(10, 1.0)], vec![(3, 1.0), (0, 2.0), (3, -1.0)]] {
            assert_eq!(
                refusal(|s| s.logit_bias = bad.clone()),
                Some(SamplerError::BiasToken)
            );
        }
    }
}
