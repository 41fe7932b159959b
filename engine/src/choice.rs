//! How one answer's tokens are chosen: the sampler, what the grammar allows, and what is told about each.

use crate::{
    job::{EngineError, Job, Logprob, MAX_LOGPROBS, TokenLogprobs},
    sampler::{
        Sampler, SamplerError,
        distribution::{Distribution, Likely},
    },
    tokenizer::Tokenizer,
};

/// Chooses the tokens of one answer. No Debug: it tells prompt and answer.
pub(crate) struct Choice {
    sampler: Sampler,
    logprobs: Option<Telling>,
}

/// What is told with each token.
struct Telling {
    distribution: Distribution,
    alternatives: usize,
}

/// The token that follows. No Debug.
pub(crate) struct Chosen {
    /// Its id.
    pub(crate) id: u32,
    /// How likely it was to the model, where the job asks for it.
    pub(crate) logprobs: Option<TokenLogprobs>,
    /// Whether the grammar lets nothing follow: the answer ends with this token.
    pub(crate) complete: bool,
}

impl Choice {
    /// The choice that `job` asks of a model of so many tokens.
    pub(crate) fn new(job: &Job, vocabulary: usize) -> Result<Self, EngineError> {
        Ok(Self {
            sampler: Sampler::new(job.sampling.clone(), vocabulary)?,
            logprobs: Telling::new(job.logprobs)?,
        })
    }

    /// The token that follows; `position` is its place in the sequence, the prompt included, from 0.
    pub(crate) fn choose(
        &mut self,
        logits: &[f32],
        position: u64,
        tokenizer: &Tokenizer,
    ) -> Result<Chosen, SamplerError> {
        let id = self.sampler.choose(logits, None, position)?;
        let telling = self.logprobs.as_mut();
        let logprobs = telling.map(|telling| telling.of(logits, id, tokenizer));
        Ok(Chosen {
            id,
            logprobs: logprobs.transpose()?,
            complete: false,
        })
    }
}

impl Telling {
    fn new(alternatives: Option<u8>) -> Result<Option<Self>, EngineError> {
        if alternatives.is_some_and(|asked| asked > MAX_LOGPROBS) {
            return Err(SamplerError::Alternatives.into());
        }
        Ok(alternatives.map(|asked| Self {
            distribution: Distribution::default(),
            alternatives: usize::from(asked),
        }))
    }

    fn of(
        &mut self,
        logits: &[f32],
        id: u32,
        tokenizer: &Tokenizer,
    ) -> Result<TokenLogprobs, SamplerError> {
        let (chosen, top) = self.distribution.tell(logits, id, self.alternatives)?;
        let named = |(id, logprob): Likely| Logprob {
            bytes: tokenizer.token_bytes(id).to_vec(),
            logprob,
        };
        Ok(TokenLogprobs {
            chosen: named(chosen),
            top: top.into_iter().map(named).collect(),
        })
    }
}
