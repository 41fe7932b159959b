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

/// How the tokens that were made compare with those that are stated.
enum Found {
    Same,
    /// What is stated is the beginning of what was made.
    Beginning,
    Others,
}

/// Whether the receipt states these tokens; an error where that cannot be told: of an answer that was broken off nobody knows where it was,
/// beyond the number of its tokens, and of several choices not even that of each.
pub(super) fn compare(
    receipt: &Receipt,
    opening: &Opening,
    made: &Choices,
) -> Result<Check, Check> {
    const ID: &str = "replay.tokens";
    const TITLE: &str = "the tokens are bit-identical";
    let whole: Vec<&[u32]> = made.iter().map(|tokens| tokens.as_slice()).collect();
    let count: usize = whole.iter().map(|tokens| tokens.len()).sum();
    let stated = usize::try_from(receipt.usage.completion_tokens).unwrap_or(usize::MAX);
    let unknown = |detail: String| {
        Err(Check::new(crate::Outcome::Skip, "replay.broken_off", TITLE).detail(detail))
    };
    match find(receipt, opening, &whole) {
        Found::Same => Ok(Check::pass(ID, TITLE).detail(format!("{count} tokens"))),
        Found::Beginning if is_whole(receipt) => Ok(Check::fail("replay.longer", TITLE).detail(format!(
            "the receipt's {stated} tokens are the beginning of the {count} that the request leads to: its runtime had a shorter context \
             (--context-tokens), or cut the answer"
        ))),
        Found::Beginning if stated == 0 => unknown("the answer ended before its first token".to_owned()),
        Found::Beginning => Ok(Check::pass(ID, TITLE)
            .detail(format!("{stated} tokens, until the answer was broken off"))),
        Found::Others if !is_whole(receipt) && whole.len() > 1 => {
            unknown("several choices were broken off: the receipt does not say where each was".to_owned())
        }
        Found::Others if count < stated => unknown(format!(
            "{stated} tokens are stated, only {count} fit: its runtime had a longer context (--context-tokens)"
        )),
        Found::Others => Ok(Check::fail(ID, TITLE)
            .detail(format!("{stated} tokens are stated; the {count} made here are others"))),
    }
}

/// Whether the answer was given to its end: an error that took its place is a whole answer, and its tokens are none.
fn is_whole(receipt: &Receipt) -> bool {
    receipt.outcome == Outcome::Complete && receipt.status == 200
}

fn find(receipt: &Receipt, opening: &Opening, whole: &[&[u32]]) -> Found {
    let is_stated = |choices: &[&[u32]]| {
        opening.tokens_digest(&digested_tokens(choices)) == receipt.digests.tokens
    };
    let stated = usize::try_from(receipt.usage.completion_tokens).unwrap_or(usize::MAX);
    if is_stated(whole) {
        return Found::Same;
    }
    match whole {
        [only]
            if only
                .get(..stated)
                .is_some_and(|beginning| is_stated(&[beginning])) =>
        {
            Found::Beginning
        }
        _ => Found::Others,
    }
}
