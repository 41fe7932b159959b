//! Answers that are words of a grammar: before a token is chosen, those that no word goes on with are taken away.
//!
//! The grammar is compiled when a job is submitted, within limits that are counted and never timed ([`limits`]), so that the same grammar is taken or
//! refused on every machine. What the library says about a grammar is dropped: it quotes it.
//!
//! JSON is written on one line, with one space or none behind commas and colons: a model cannot spend an answer on white space.

mod compile;
mod error;
mod limits;
#[cfg(test)]
mod tests;
mod trie;

use std::sync::{Arc, OnceLock};

use llguidance::{Matcher, ParserFactory, toktrie::SimpleVob};

use crate::{job::Grammar, sampler::Allowed, tokenizer::Tokenizer};

pub use error::GrammarError;

/// Compiles grammars for one model.
pub struct Grammars {
    tokenizer: Arc<Tokenizer>,
    /// Made with the first grammar; none: the vocabulary cannot be followed.
    factory: OnceLock<Option<ParserFactory>>,
}

/// What an answer must be a word of, and how much of it there is. No Debug: it tells the answer.
pub struct Constraint {
    matcher: Matcher,
    /// What was allowed last.
    allowed: SimpleVob,
    /// Whether no token came since.
    is_current: bool,
}

/// Whether a word of the grammar may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More must or may come.
    Open,
    /// Nothing can come.
    Complete,
}

impl Grammars {
    /// For a model with this tokenizer.
    pub fn new(tokenizer: Arc<Tokenizer>) -> Self {
        let factory = OnceLock::new();
        Self { tokenizer, factory }
    }

    /// A constraint that nothing was made of yet.
    pub fn constraint(&self, grammar: &Grammar) -> Result<Constraint, GrammarError> {
        let factory = self.factory.get_or_init(|| trie::factory(&self.tokenizer));
        let factory = factory.as_ref().ok_or(GrammarError::Vocabulary)?;
        let (matcher, allowed) = compile::matcher(factory, grammar)?;
        Ok(Constraint {
            matcher,
            allowed,
            is_current: true,
        })
    }
}

impl Constraint {
    /// The same constraint for another answer; nothing is compiled again.
    pub(crate) fn again(&self) -> Self {
        Self {
            matcher: self.matcher.deep_clone(),
            allowed: self.allowed.clone(),
            is_current: self.is_current,
        }
    }

    /// The tokens that may follow. An end token is among them where a word is whole.
    pub fn allowed(&mut self) -> Result<Allowed<'_>, GrammarError> {
        if !self.is_current {
            let allowed = self.matcher.compute_mask();
            self.allowed = allowed.map_err(|_| GrammarError::Step)?;
            self.is_current = true;
        }
        Ok(Allowed(self.allowed.as_slice()))
    }

    /// Goes on with a token that was allowed and is no end token.
    pub fn advance(&mut self, id: u32) -> Result<Progress, GrammarError> {
        self.is_current = false;
        let taken = self.matcher.consume_token(id);
        taken.map_err(|_| GrammarError::Step)?;
        match (
            self.matcher.is_stopped(),
            self.matcher.stop_reason().is_ok(),
        ) {
            (false, _) => Ok(Progress::Open),
            (true, true) => Ok(Progress::Complete),
            (true, false) => Err(GrammarError::Step),
        }
    }
}
