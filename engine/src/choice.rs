//! How one answer's tokens are chosen: the sampler, what the grammar allows, and what is told about each.

use std::sync::Arc;

use crate::{
    decoder::Row,
    grammar::{Constraint, GrammarError, Grammars, Progress},
    job::{EngineError, Job, Logprob, MAX_LOGPROBS, TokenLogprobs},
    sampler::{
        Plain, Sampler, SamplerError,
        distribution::{Distribution, Likely},
    },
    tokenizer::Tokenizer,
};

/// What all choices of a model share.
pub(crate) struct Choices {
    tokenizer: Arc<Tokenizer>,
    vocabulary: usize,
    grammars: Grammars,
}

/// Chooses the tokens of one answer. No Debug: it tells prompt and answer.
pub(crate) struct Choice {
    tokenizer: Arc<Tokenizer>,
    sampler: Sampler,
    constraint: Option<Constraint>,
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
    /// Whether the answer ends here.
    pub(crate) end: End,
}

/// Whether an answer ends with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It goes on.
    Open,
    /// It ended before this token, which is no part of it.
    Before,
    /// It ends with this token: the grammar lets nothing follow.
    After,
}

/// Why there is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChoiceError {
    /// Nothing can be chosen from the logits.
    Sampler(SamplerError),
    /// The grammar cannot be followed any further.
    Grammar(GrammarError),
}

impl From<SamplerError> for ChoiceError {
    fn from(error: SamplerError) -> Self {
        Self::Sampler(error)
    }
}

impl From<GrammarError> for ChoiceError {
    fn from(error: GrammarError) -> Self {
        Self::Grammar(error)
    }
}

impl Choices {
    /// Of a model that gives so many logits that a prompt may name.
    pub(crate) fn new(tokenizer: Arc<Tokenizer>, vocabulary: usize) -> Self {
        Self {
            grammars: Grammars::new(Arc::clone(&tokenizer)),
            tokenizer,
            vocabulary,
        }
    }

    /// The choice that `job` asks for. Compiles its grammar: call it where blocking is no harm.
    pub(crate) fn choice(&self, job: &Job) -> Result<Choice, EngineError> {
        let grammar = job.grammar.as_ref();
        let constraint = grammar.map(|grammar| self.grammars.constraint(grammar));
        Ok(Choice {
            tokenizer: Arc::clone(&self.tokenizer),
            sampler: Sampler::new(job.sampling.clone(), self.vocabulary)?,
            logprobs: Telling::new(job.logprobs)?,
            constraint: constraint.transpose()?,
        })
    }
}

impl Choice {
    /// The next choice, if whoever has the logits can make it: no grammar, nothing told beside the token.
    pub(crate) fn plain(&self, position: u64) -> Option<Plain> {
        let alone = self.constraint.is_none() && self.logprobs.is_none();
        self.sampler.plain(position).filter(|_| alone)
    }

    /// The same choice under another seed, as long as nothing was chosen.
    pub(crate) fn with_seed(&self, seed: u64) -> Self {
        Self {
            tokenizer: Arc::clone(&self.tokenizer),
            sampler: self.sampler.with_seed(seed),
            constraint: self.constraint.as_ref().map(Constraint::again),
            logprobs: self.logprobs.as_ref().map(Telling::again),
        }
    }

    /// The token that follows; `position` is its place in the sequence, the prompt included, from 0.
    pub(crate) fn choose(&mut self, row: Row<'_>, position: u64) -> Result<Chosen, ChoiceError> {
        match row {
            Row::Logits(logits) => self.choose_of(logits, position),
            Row::Token(id) => {
                let id = id.ok_or(SamplerError::Logits)?;
                let end = self.end(id)?;
                Ok(Chosen {
                    id,
                    logprobs: None,
                    end,
                })
            }
        }
    }

    fn choose_of(&mut self, logits: &[f32], position: u64) -> Result<Chosen, ChoiceError> {
        let allowed = self.constraint.as_mut().map(Constraint::allowed);
        let id = self
            .sampler
            .choose(logits, allowed.transpose()?, position)?;
        let tokenizer = &self.tokenizer;
        let telling = self.logprobs.as_mut();
        let logprobs = telling.map(|telling| telling.of(logits, id, tokenizer));
        Ok(Chosen {
            id,
            logprobs: logprobs.transpose()?,
            end: self.end(id)?,
        })
    }

    fn end(&mut self, id: u32) -> Result<End, ChoiceError> {
        if self.tokenizer.is_end(id) {
            return Ok(End::Before);
        }
        let constraint = self.constraint.as_mut();
        match constraint.map(|constraint| constraint.advance(id)) {
            None | Some(Ok(Progress::Open)) => Ok(End::Open),
            Some(Ok(Progress::Complete)) => Ok(End::After),
            Some(Err(error)) => Err(error.into()),
        }
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

    fn again(&self) -> Self {
        Self {
            distribution: Distribution::default(),
            alternatives: self.alternatives,
        }
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
