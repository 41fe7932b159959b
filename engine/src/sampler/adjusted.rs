//! Logits as the job wants them: with its bias, its penalties, and only the tokens that its grammar allows.

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::job::Sampling;

/// One bit for each token, 32 in a word, lowest first; what lies behind the words is not allowed.
#[derive(Clone, Copy)]
pub struct Allowed<'a>(pub &'a [u32]);

/// The tokens of the answer, and room for logits. Wiped when dropped.
#[derive(Default, Zeroize, ZeroizeOnDrop)]
pub(super) struct Adjusted {
    logits: Vec<f32>,
    /// How often the answer has each of its tokens, by id.
    counts: Vec<(u32, u32)>,
}

impl Adjusted {
    /// The logits to choose by: with bias, then penalties, then without what is not allowed.
    pub(super) fn apply<'a>(
        &'a mut self,
        logits: &'a [f32],
        sampling: &Sampling,
        allowed: Option<Allowed<'_>>,
    ) -> &'a [f32] {
        let penalised = penalises(sampling) && !self.counts.is_empty();
        if sampling.logit_bias.is_empty() && !penalised && allowed.is_none() {
            return logits;
        }
        self.logits.clear();
        self.logits.extend_from_slice(logits);
        self.add_bias(&sampling.logit_bias);
        if penalised {
            self.penalise(sampling);
        }
        if let Some(allowed) = allowed {
            mask(&mut self.logits, allowed);
        }
        &self.logits
    }

    /// The answer goes on with this token.
    pub(super) fn count(&mut self, id: u32, sampling: &Sampling) {
        if !penalises(sampling) {
            return;
        }
        match self.counts.binary_search_by_key(&id, |(id, _)| *id) {
            Ok(at) => {
                if let Some((_, count)) = self.counts.get_mut(at) {
                    *count = count.saturating_add(1);
                }
            }
            Err(at) => self.counts.insert(at, (id, 1)),
        }
    }

    fn add_bias(&mut self, bias: &[(u32, f32)]) {
        for (id, value) in bias {
            if let Some(logit) = self.logits.get_mut(*id as usize) {
                *logit += value;
            }
        }
    }

    fn penalise(&mut self, sampling: &Sampling) {
        for (id, count) in &self.counts {
            if let Some(logit) = self.logits.get_mut(*id as usize) {
                *logit -= *count as f32 * sampling.frequency_penalty;
                *logit -= sampling.presence_penalty;
            }
        }
    }
}

fn penalises(sampling: &Sampling) -> bool {
    sampling.frequency_penalty != 0.0 || sampling.presence_penalty != 0.0
}

/// What is no number stays, so that it is not overlooked.
fn mask(logits: &mut [f32], allowed: Allowed<'_>) {
    let words = allowed.0.iter().copied().chain(std::iter::repeat(0));
    for (logits, word) in logits.chunks_mut(32).zip(words) {
        for (bit, logit) in logits.iter_mut().enumerate() {
            if word >> bit & 1 == 0 && *logit < f32::INFINITY {
                *logit = f32::NEG_INFINITY;
            }
        }
    }
}
