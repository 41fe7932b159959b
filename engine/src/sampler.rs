//! Logits to a token id: greedy, or sampling with a counter-based generator.
//!
//! In this order:
//! 1. `logit_bias`, then `frequency_penalty` and `presence_penalty` over the tokens of the answer, are put on the logits; what the grammar does not
//!    allow is taken away. These say what is wanted, so they count for greedy answers too.
//! 2. `temperature`: 0 takes the greatest logit (of equals the lowest id) and nothing below applies.
//! 3. `top_k`, then `top_p` of what `top_k` left, then `min_p`: they cut a distribution, so they come after what shapes it.
//!
//! Bias, penalties and temperature come first as in OpenAI's definition and in vLLM, where `top_p` is a part of the distribution at that temperature
//! (llama.cpp cuts first and heats what is left). `min_p` is last, as in llama.cpp: adding it never changes what `top_p` means, only takes more away.
//!
//! The same logits, sampling and position give the same token on every machine: sums run in a fixed order, and the exponential
//! ([`kernels::weigh`]) and the random numbers are our own arithmetic on IEEE 754 additions, multiplications and divisions.

mod adjusted;
pub(crate) mod distribution;
mod error;
mod likeliest;
mod parameters;
mod philox;
mod plain;
#[cfg(test)]
mod tests;
mod weights;

pub use adjusted::Allowed;
pub use error::SamplerError;
pub use plain::Plain;

use adjusted::Adjusted;
use weights::Weights;

use crate::job::Sampling;

/// Chooses tokens for one answer. No Debug; wiped when dropped: what it holds tells prompt and answer.
pub struct Sampler {
    sampling: Sampling,
    adjusted: Adjusted,
    weights: Weights,
}

impl Sampler {
    /// A sampler for a model of so many tokens, if its parameters are possible.
    pub fn new(sampling: Sampling, vocabulary: usize) -> Result<Self, SamplerError> {
        sampling.check(vocabulary)?;
        Ok(Self {
            sampling,
            adjusted: Adjusted::default(),
            weights: Weights::default(),
        })
    }

    /// A sampler with these parameters and another seed, for an answer of its own.
    pub(crate) fn with_seed(&self, seed: u64) -> Self {
        let sampling = Sampling {
            seed,
            ..self.sampling.clone()
        };
        Self {
            sampling,
            adjusted: Adjusted::default(),
            weights: Weights::default(),
        }
    }

    /// The token that follows, of those that are allowed; `position` is its place in the sequence, the prompt included, from 0.
    pub fn choose(
        &mut self,
        logits: &[f32],
        allowed: Option<Allowed<'_>>,
        position: u64,
    ) -> Result<u32, SamplerError> {
        let adjusted = self.adjusted.apply(logits, &self.sampling, allowed);
        let (best, max) = best(adjusted)?;
        let chosen = match self.sampling.temperature > 0.0 {
            true => {
                let temperature = self.sampling.temperature;
                self.weights.set(adjusted, max, temperature);
                self.sample(position).unwrap_or(best)
            }
            false => best,
        };
        self.adjusted.count(chosen, &self.sampling);
        Ok(chosen)
    }

    fn sample(&self, position: u64) -> Option<u32> {
        let point = philox::unit_interval(self.sampling.seed, position);
        let Some(kept) = likeliest::kept(&self.weights, &self.sampling) else {
            return self.weights.pick(point * self.weights.total());
        };
        weights::pick(kept.iter().copied(), point * likeliest::total(&kept))
    }
}

/// The first id with the greatest logit, and that logit.
fn best(logits: &[f32]) -> Result<(u32, f32), SamplerError> {
    let max = greatest(logits).ok_or(SamplerError::Logits)?;
    let id = (0u32..).zip(logits).find(|(_, logit)| **logit == max);
    id.map(|(id, _)| (id, max)).ok_or(SamplerError::Logits)
}

/// The greatest of these, if it is a finite number and none is NaN.
fn greatest(logits: &[f32]) -> Option<f32> {
    let numbers = logits
        .chunks(256)
        .all(|part| part.iter().fold(true, |all, l| all & (*l < f32::INFINITY)));
    let mut greatest = [f32::NEG_INFINITY; 32];
    for part in logits.chunks(32) {
        for (greatest, logit) in greatest.iter_mut().zip(part) {
            *greatest = if *logit > *greatest {
                *logit
            } else {
                *greatest
            };
        }
    }
    let max = greatest.into_iter().fold(f32::NEG_INFINITY, f32::max);
    (numbers && max > f32::NEG_INFINITY).then_some(max)
}
