//! What a receipt will say about an answer, as it becomes known.

use engine::Usage;
use openai::Stated;
use zeroize::Zeroizing;

/// What cached state may serve: the request that made it and no other.
const REQUEST: &str = "request";
/// Also requests that name the same cache secret.
const CACHE_SECRET: &str = "cache-secret";

/// What a receipt will say about an answer. No Debug: tokens are the answer.
#[derive(Default)]
pub(crate) struct Account {
    pub(crate) sampling: Stated,
    /// In index order: the choices of the first prompt, of the second, ..
    pub(crate) choices: Vec<Counted>,
    /// How many choices each prompt has.
    pub(crate) choices_per_prompt: usize,
    pub(crate) cache_scope: CacheScope,
    /// The engine broke off, or its time was over, when the answer had begun.
    pub(crate) failed: bool,
}

/// What was made of one choice. No Debug. Wiped when dropped.
#[derive(Default)]
pub(crate) struct Counted {
    pub(crate) tokens: Zeroizing<Vec<u32>>,
    pub(crate) usage: Usage,
}

/// With whom computed state may be shared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum CacheScope {
    /// With nobody.
    #[default]
    Request,
    /// With whoever names the same secret inside the seal.
    CacheSecret,
}

impl CacheScope {
    /// As receipts state it and policies list it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Request => REQUEST,
            Self::CacheSecret => CACHE_SECRET,
        }
    }
}

impl Account {
    /// Tokens of all choices; those of a prompt are counted once, however many choices it has.
    pub(crate) fn usage(&self) -> Usage {
        let mut all = Usage::default();
        for (index, Counted { usage, .. }) in self.choices.iter().enumerate() {
            if index % self.choices_per_prompt.max(1) == 0 {
                all.prompt_tokens = all.prompt_tokens.saturating_add(usage.prompt_tokens);
                all.cached_tokens = all.cached_tokens.saturating_add(usage.cached_tokens);
            }
            let made = usage.completion_tokens;
            all.completion_tokens = all.completion_tokens.saturating_add(made);
        }
        all
    }

    /// What the token digest is over (R7.2).
    pub(crate) fn digested_tokens(&self) -> Zeroizing<Vec<u32>> {
        let choices = self.choices.iter().map(|choice| choice.tokens.as_slice());
        Zeroizing::new(openai::digested_tokens(&choices.collect::<Vec<_>>()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(choices: &[&[u32]], choices_per_prompt: usize) -> Account {
        let counted = |tokens: &&[u32]| Counted {
            tokens: tokens.to_vec().into(),
            usage: Usage {
                prompt_tokens: 10,
                cached_tokens: 4,
                completion_tokens: u32::try_from(tokens.len()).unwrap(),
            },
        };
        Account {
            choices: choices.iter().map(counted).collect(),
            choices_per_prompt,
            ..Account::default()
        }
    }

    #[test]
    fn a_prompt_is_counted_once() {
        let usage = account(&[&[1], &[2, 3], &[], &[4]], 2).usage();
        assert_eq!((usage.prompt_tokens, usage.cached_tokens), (20, 8));
        assert_eq!(usage.completion_tokens, 4);
        assert_eq!(Account::default().usage(), Usage::default());
    }
}
