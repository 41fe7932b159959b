//! One job that runs: its cache, its place in the prompt or the answer, its text.

use tokio::sync::{OwnedSemaphorePermit, mpsc::Sender};
use zeroize::Zeroize;

use super::{forward::Forward, scheduler::Admitted};
use crate::{
    choice::{Chosen, End},
    decoder::DecoderError,
    job::{FinishReason, Step, Usage},
    tokenizer::Tokenizer,
};

/// Prompt tokens taken at a time: what another sequence waits at most for its next token.
const PREFILL_CHUNK_TOKENS: usize = 64;

/// What a step led to.
pub(super) enum Outcome {
    /// More is to come.
    Running,
    /// The answer is complete.
    Finished(Step),
    /// Nobody listens any more, or the model failed: the channel closes without a word.
    Abandoned,
}

pub(super) struct Sequence<F: Forward> {
    admitted: Admitted,
    cache: F::Cache,
    /// Prompt tokens that are in the cache.
    prefilled: usize,
    prompt_length: usize,
    /// Length of the prompt and of the answer so far.
    length: usize,
    /// Length at which the answer ends.
    longest: usize,
    /// The token to decode next, once there is one.
    last: Option<u32>,
}

impl<F: Forward> Sequence<F> {
    pub(super) fn new(admitted: Admitted, cache: F::Cache, context_tokens: usize) -> Self {
        let length = admitted.prompt.len();
        let wanted = length.saturating_add(admitted.max_tokens);
        Self {
            admitted,
            cache,
            prefilled: 0,
            prompt_length: length,
            length,
            longest: wanted.min(context_tokens),
            last: None,
        }
    }

    /// Cache, channel and place; all else is wiped.
    pub(super) fn into_parts(self) -> (F::Cache, Sender<Step>, OwnedSemaphorePermit) {
        (self.cache, self.admitted.steps, self.admitted.place)
    }

    /// Takes a part of the prompt or makes one token.
    pub(super) fn advance(&mut self, forward: &mut F, tokenizer: &Tokenizer) -> Outcome {
        if self.admitted.steps.is_closed() || self.begin().is_err() {
            return Outcome::Abandoned;
        }
        if self.length >= self.longest {
            return self.finish(FinishReason::Length);
        }
        match self.next_token(forward) {
            Ok(None) => Outcome::Running,
            Ok(Some(chosen)) if chosen.end == End::Before => self.finish(FinishReason::Stop),
            Ok(Some(chosen)) => self.emit(chosen, tokenizer),
            Err(Failed) => Outcome::Abandoned,
        }
    }

    /// Tells the length of the prompt, once.
    fn begin(&mut self) -> Result<(), Failed> {
        if self.prefilled > 0 || self.last.is_some() {
            return Ok(());
        }
        let begun = Step::Begun {
            prompt_tokens: count(self.prompt_length),
            cached_tokens: 0,
        };
        self.admitted.steps.try_send(begun).map_err(|_| Failed)
    }

    /// The token that follows; none while the prompt is not all taken.
    fn next_token(&mut self, forward: &mut F) -> Result<Option<Chosen>, Failed> {
        let logits = match self.last {
            Some(last) => forward.forward(&[last], &mut self.cache),
            None => self.prefill(forward),
        };
        let logits = logits.map_err(|_| Failed)?;
        if self.prefilled < self.prompt_length {
            return Ok(None);
        }
        let choice = &mut self.admitted.choice;
        let chosen = choice.choose(logits, self.length as u64);
        chosen.map(Some).map_err(|_| Failed)
    }

    /// Takes the next part of the prompt, and wipes the prompt when it is all in the cache.
    fn prefill<'a>(&mut self, forward: &'a mut F) -> Result<&'a [f32], DecoderError> {
        let prompt = &mut self.admitted.prompt;
        let rest = prompt.get(self.prefilled..).unwrap_or_default();
        let chunk = rest.get(..PREFILL_CHUNK_TOKENS).unwrap_or(rest);
        let logits = forward.forward(chunk, &mut self.cache);
        self.prefilled = self.prefilled.saturating_add(chunk.len());
        if self.prefilled >= self.prompt_length {
            prompt.zeroize();
        }
        logits
    }

    fn emit(&mut self, chosen: Chosen, tokenizer: &Tokenizer) -> Outcome {
        self.last = Some(chosen.id);
        self.length = self.length.saturating_add(1);
        let assembled = self.admitted.text.push(tokenizer.token_bytes(chosen.id));
        let step = Step::Token {
            id: Some(chosen.id),
            text: assembled.text,
            logprobs: chosen.logprobs,
        };
        if self.admitted.steps.try_send(step).is_err() {
            return Outcome::Abandoned;
        }
        let stopped = assembled.stopped || chosen.end == End::After;
        match (stopped, self.length >= self.longest) {
            (true, _) => self.finish(FinishReason::Stop),
            (false, true) => self.finish(FinishReason::Length),
            (false, false) => Outcome::Running,
        }
    }

    fn finish(&mut self, reason: FinishReason) -> Outcome {
        Outcome::Finished(Step::Done {
            reason,
            text: self.admitted.text.finish(),
            usage: Usage {
                prompt_tokens: count(self.prompt_length),
                cached_tokens: 0,
                completion_tokens: count(self.length - self.prompt_length),
            },
        })
    }
}

fn count(tokens: usize) -> u32 {
    u32::try_from(tokens).unwrap_or(u32::MAX)
}

/// The model gave no token.
struct Failed;
