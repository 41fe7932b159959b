//! How likely tokens are to the model itself: before bias, penalties, masks and temperature.

use super::{SamplerError, best, weights::Weights};

/// Log-probabilities after one position. No Debug: they tell the answer. Wiped when dropped.
#[derive(Default)]
pub(crate) struct Distribution {
    weights: Weights,
}

/// A token and its natural log-probability.
pub(crate) type Likely = (u32, f32);

impl Distribution {
    /// The log-probability of `chosen`, and the `top` likeliest tokens, of equals the lowest ids, likeliest first.
    pub(crate) fn tell(
        &mut self,
        logits: &[f32],
        chosen: u32,
        top: usize,
    ) -> Result<(Likely, Vec<Likely>), SamplerError> {
        let (_, max) = best(logits)?;
        self.weights.set(logits, max, 1.0);
        let of_all = f64::from(max) + libm::log(self.weights.total());
        let of = |(id, logit): (u32, f32)| (id, (f64::from(logit) - of_all) as f32);
        let logit = logits.get(chosen as usize).ok_or(SamplerError::Logits)?;
        let top = greatest(logits, top).into_iter().map(of).collect();
        Ok((of((chosen, *logit)), top))
    }
}

/// The `count` greatest logits, greatest first.
fn greatest(logits: &[f32], count: usize) -> Vec<(u32, f32)> {
    let mut greatest: Vec<(u32, f32)> = Vec::with_capacity(count.saturating_add(1));
    for (id, logit) in (0u32..).zip(logits.iter().copied()) {
        let least = greatest.last().filter(|_| greatest.len() >= count);
        if count == 0 || least.is_some_and(|(_, least)| logit <= *least) {
            continue;
        }
        let place = greatest.partition_point(|(_, other)| *other >= logit);
        greatest.insert(place, (id, logit));
        greatest.truncate(count);
    }
    greatest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_those_of_the_logits() {
        let shares = [0.5f32, 0.125, 0.25, 0.125];
        let logits = shares.map(|share| share.ln() + 3.0);
        let (chosen, top) = Distribution::default().tell(&logits, 1, 3).unwrap();
        assert_eq!(chosen.0, 1);
        assert!((chosen.1 - 0.125f32.ln()).abs() < 1e-6);
        assert_eq!(top.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [0, 2, 1]);
        assert!((top[1].1 - 0.25f32.ln()).abs() < 1e-6);
    }

    #[test]
    fn all_probabilities_of_many_tokens_sum_to_one() {
        let logits: Vec<f32> = (0..50_001).map(|i| (i % 977) as f32 * 0.013).collect();
        let mut distribution = Distribution::default();
        let (_, top) = distribution.tell(&logits, 0, logits.len()).unwrap();
        let sum: f64 = top.iter().map(|(_, l)| f64::from(*l).exp()).sum();
        assert!((sum - 1.0).abs() < 1e-5, "{sum}");
    }

    #[test]
    fn what_cannot_be_is_told_as_such() {
        let logits = [0.0, f32::NEG_INFINITY];
        let (chosen, top) = Distribution::default().tell(&logits, 1, 0).unwrap();
        assert_eq!(chosen, (1, f32::NEG_INFINITY));
        assert!(top.is_empty());
    }

    #[test]
    fn there_is_no_probability_of_an_unknown_token() {
        let mut distribution = Distribution::default();
        assert!(distribution.tell(&[0.0], 1, 0).is_err());
        assert!(distribution.tell(&[f32::NAN], 0, 0).is_err());
    }
}
