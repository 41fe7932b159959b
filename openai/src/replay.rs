//! What an auditor needs to make an answer again: the jobs that a request led to, and what its receipt's token digest is over.

use crate::{
    ApiError, Asked, Route, Stated,
    generation::{self, Choices},
};
use engine::{Engine, Job};

/// A request that was answered with tokens, read as the runtime read it. No Debug: it holds the prompt.
pub struct Replay(Asked);

impl Replay {
    /// Reads `body`, which was posted to `path`.
    pub fn read(path: &str, body: &[u8]) -> Result<Self, ApiError> {
        match Route::find("POST", path)? {
            Route::Completion(completion) => completion.read(body).map(Self),
            _ => Err(ApiError::unknown_route()),
        }
    }

    /// Whether a receipt of this request can state this sampling: the request's own, with any seed where it named none.
    pub fn allows(&self, stated: Stated) -> bool {
        let asked = &self.0.sampling;
        let same = (asked.stated.temperature_milli, asked.stated.top_p_milli)
            == (stated.temperature_milli, stated.top_p_milli);
        same && (!asked.seed_is_named || asked.stated.seed == stated.seed)
    }

    /// The jobs that it led to under `seed`, which its receipt states: all choices in the order of their indices.
    pub fn jobs(mut self, seed: u64, engine: &dyn Engine) -> Result<Vec<Job>, ApiError> {
        self.0.sampling.stated.seed = seed;
        let choices = generation::all_choices(&self.0, engine)?;
        Ok(choices.iter().flat_map(Choices::jobs).collect())
    }
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

    #[test]
    fn only_what_the_request_left_open_may_differ() {
        let replay = |rest: &str| {
            let body = format!(r#"{{"model":"m","prompt":"x","temperature":0.5{rest}}}"#);
            Replay::read("/v1/completions", body.as_bytes())
                .ok()
                .unwrap()
        };
        let stated = |temperature_milli, seed| Stated {
            temperature_milli,
            top_p_milli: 1000,
            seed,
        };
        assert!(replay("").allows(stated(500, 1)) && replay("").allows(stated(500, 2)));
        assert!(replay(r#","seed":1"#).allows(stated(500, 1)));
        assert!(!replay(r#","seed":1"#).allows(stated(500, 2)));
        assert!(!replay("").allows(stated(600, 1)));
        assert!(!replay(r#","top_p":0.5"#).allows(stated(500, 1)));
        assert!(Replay::read("/v1/embeddings", b"{}").is_err());
    }
}
