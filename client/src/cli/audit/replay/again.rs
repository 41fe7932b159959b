//! The request, run again.

use super::super::super::{Exit, Failure};
use crate::Check;
use engine::{Engine, EngineError, Job, Step, local::LocalEngine};
use openai::digested_tokens;
use protocol::{Opening, Outcome, Receipt};
use zeroize::Zeroizing;

/// The token ids of every choice. No Debug: they are the answer.
pub(super) type Choices = Vec<Zeroizing<Vec<u32>>>;

/// Makes all choices, one after the other: company does not change an answer.
pub(super) fn choices(engine: &LocalEngine, jobs: Vec<Job>) -> Result<Choices, Failure> {
    jobs.into_iter().map(|job| tokens(engine, job)).collect()
}

fn tokens(engine: &LocalEngine, job: Job) -> Result<Zeroizing<Vec<u32>>, Failure> {
    let mut ids = Zeroizing::new(Vec::new());
    let mut steps = engine.submit(job).map_err(|error| refused(&error))?;
    loop {
        match steps.blocking_recv() {
            Some(Step::Token { id, .. }) => ids.extend(id),
            Some(Step::Begun { .. }) => {}
            Some(Step::Done { .. }) => return Ok(ids),
            Some(Step::Refused(error)) => return Err(refused(&error)),
            None => {
                let message = "the engine failed on this request";
                return Err(Failure::new(
                    Exit::Internal,
                    "replay.engine_failed",
                    message,
                ));
            }
        }
    }
}

fn refused(error: &EngineError) -> Failure {
    let advice = "the runtime that answered may have had another context: see --context-tokens";
    Failure::new(Exit::Rejected, error.code(), error.to_string()).advice(advice)
}

/// Whether the receipt states these tokens. An answer that was broken off has as many of them as were made until then; of several choices
/// nobody knows how many each had.
pub(super) fn compare(receipt: &Receipt, opening: &Opening, made: &Choices) -> Check {
    const ID: &str = "replay.tokens";
    const TITLE: &str = "the tokens are bit-identical";
    let digest = |choices: &[&[u32]]| opening.tokens_digest(&digested_tokens(choices));
    let whole: Vec<&[u32]> = made.iter().map(|tokens| tokens.as_slice()).collect();
    let count: usize = whole.iter().map(|tokens| tokens.len()).sum();
    let stated = usize::try_from(receipt.usage.completion_tokens).unwrap_or(usize::MAX);
    let beginning = match whole.as_slice() {
        [only] => only.get(..stated),
        _ => None,
    };
    let is_the_beginning =
        beginning.is_some_and(|tokens| digest(&[tokens]) == receipt.digests.tokens);
    if digest(&whole) == receipt.digests.tokens {
        return Check::pass(ID, TITLE).detail(format!("{count} tokens"));
    }
    match (receipt.outcome, is_the_beginning) {
        (Outcome::Failed | Outcome::Abandoned, true) => {
            Check::pass(ID, TITLE).detail(format!("{stated} tokens, until the answer was broken off"))
        }
        (Outcome::Complete, true) => Check::fail("replay.longer", TITLE).detail(format!(
            "the receipt's {stated} tokens are the beginning of the {count} that the request leads to: its runtime had a shorter context \
             (--context-tokens), or cut the answer"
        )),
        (_, false) => Check::fail(ID, TITLE).detail(format!("{stated} tokens are stated; the {count} made here are others")),
    }
}
