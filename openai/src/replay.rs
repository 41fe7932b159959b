//! What an auditor needs to make an answer again: the jobs that a request led to, and what its receipt's token digest is over.

use crate::{ApiError, Route, generation};
use engine::{Engine, Job};

/// The jobs that `body`, posted to `path`, led to: all choices in the order of their indices. `seed` is the one that the receipt states, whether
/// the request named it or not.
pub fn jobs(path: &str, body: &[u8], seed: u64, engine: &dyn Engine) -> Result<Vec<Job>, ApiError> {
    let Route::Completion(completion) = Route::find("POST", path)? else {
        return Err(ApiError::unknown_route());
    };
    let mut asked = completion.read(body)?;
    asked.sampling.stated.seed = seed;
    let choices = generation::jobs(&asked, engine)?;
    Ok(choices.into_iter().map(|choice| choice.job).collect())
}

/// What the token digest of a receipt is over (docs/protocol.md, R7.2): the ids of the only choice, or of several each choice's ids behind their number.
pub fn digested_tokens(choices: &[&[u32]]) -> Vec<u32> {
    match choices {
        [] => Vec::new(),
        [only] => only.to_vec(),
        several => several.iter().flat_map(|tokens| counted(tokens)).collect(),
    }
}

fn counted(tokens: &[u32]) -> impl Iterator<Item = u32> {
    let count = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
    [count].into_iter().chain(tokens.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R7.2.
    #[test]
    fn tokens_of_several_choices_cannot_be_shifted_between_them() {
        assert!(digested_tokens(&[]).is_empty());
        assert_eq!(digested_tokens(&[&[7, 8]]), [7, 8]);
        assert_eq!(digested_tokens(&[&[7, 8], &[9]]), [2, 7, 8, 1, 9]);
        assert_ne!(
            digested_tokens(&[&[7, 8], &[9]]),
            digested_tokens(&[&[7], &[8, 9]])
        );
        assert_eq!(digested_tokens(&[&[], &[]]), [0, 0]);
    }
}
