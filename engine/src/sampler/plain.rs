//! Choices that logits and a random number decide, and nothing else: a device can make them where the logits are.

use super::Sampler;

/// What such a choice takes. Which tokens are kept says less than all only where there is a temperature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plain {
    /// Key of the random number.
    pub seed: u64,
    /// Its counter: the chosen token's place in the sequence.
    pub position: u64,
    /// One by the temperature; 0 takes the greatest logit.
    pub inverse: f64,
    /// As [`crate::Sampling::top_p`].
    pub top_p: f64,
    /// As [`crate::Sampling::min_p`].
    pub min_p: f64,
    /// As [`crate::Sampling::top_k`].
    pub top_k: u32,
}

impl Sampler {
    /// The next choice, if nothing is put on the logits before it.
    pub fn plain(&self, position: u64) -> Option<Plain> {
        let sampling = &self.sampling;
        let is_shaped = !sampling.logit_bias.is_empty()
            || sampling.frequency_penalty != 0.0
            || sampling.presence_penalty != 0.0;
        (!is_shaped).then(|| Plain {
            seed: sampling.seed,
            position,
            inverse: match sampling.temperature > 0.0 {
                true => 1.0 / f64::from(sampling.temperature),
                false => 0.0,
            },
            top_p: f64::from(sampling.top_p),
            min_p: f64::from(sampling.min_p),
            top_k: sampling.top_k,
        })
    }
}
