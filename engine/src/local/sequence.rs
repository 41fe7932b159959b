//! One job on its way: its tokens, its pages, its text.

use std::mem;

use tokio::sync::mpsc::Sender;
use zeroize::Zeroizing;

use super::{
    places::Place,
    prefix::{KeyChain, PrefixCache},
    scheduler::Admitted,
};
use crate::{
    TenantId,
    choice::{Chosen, End},
    decoder::{KvTable, PAGE_TOKENS, Pages, Part, Row},
    job::{FinishReason, Step, Usage},
    sampler::Plain,
    tokenizer::Tokenizer,
};

/// What a step led to.
pub(super) enum Outcome {
    /// More is to come.
    Running,
    /// The answer is complete.
    Finished(Step),
    /// Nobody listens any more, or the model failed: the channel closes without a word.
    Abandoned,
}

pub(super) struct Sequence {
    admitted: Admitted,
    /// The prompt, then the answer so far.
    tokens: Zeroizing<Vec<u32>>,
    /// Pages of the first of them; with none, the sequence does not run.
    pub(super) table: KvTable,
    /// Names of its pages in the prefix cache, if it may share.
    keys: Option<KeyChain>,
    /// How many of its pages the prefix cache has seen.
    kept_pages: usize,
    prompt_length: usize,
    /// Length at which the answer ends.
    longest: usize,
    /// Prompt tokens that were found computed; none until the sequence first ran.
    cached_tokens: Option<usize>,
    /// How many sequences ran before it did.
    pub(super) age: u64,
    /// The last step it had a part in, or the one it came before.
    pub(super) last_step: u64,
}

impl Sequence {
    pub(super) fn new(mut admitted: Admitted, model_digest: [u8; 32]) -> Self {
        let tokens = mem::take(&mut admitted.prompt);
        let secret = admitted.cache_secret.take();
        let tenant = admitted.tenant;
        Self {
            table: KvTable::default(),
            keys: secret.map(|secret| KeyChain::new(secret, tenant, model_digest)),
            kept_pages: 0,
            prompt_length: tokens.len(),
            longest: tokens.len().saturating_add(admitted.max_tokens),
            cached_tokens: None,
            age: 0,
            last_step: 0,
            tokens,
            admitted,
        }
    }

    /// Pages, channel and place; all else is wiped.
    pub(super) fn into_parts(self) -> (KvTable, Sender<Step>, Place) {
        (self.table, self.admitted.steps, self.admitted.place)
    }

    pub(super) fn tenant(&self) -> TenantId {
        self.admitted.tenant
    }

    /// Whether nobody listens any more.
    pub(super) fn is_abandoned(&self) -> bool {
        self.admitted.steps.is_closed()
    }

    /// Whether it has run before.
    pub(super) fn has_begun(&self) -> bool {
        self.cached_tokens.is_some()
    }

    /// Begins with the pages that are kept of a prefix of its tokens, if it may share.
    pub(super) fn find_prefix(&mut self, prefixes: &mut PrefixCache, pool: &mut Pages) {
        if let Some(keys) = &mut self.keys {
            let found = prefixes.find(keys, &self.tokens, pool);
            self.kept_pages = found.len();
            self.table = KvTable::with_prefix(found);
        }
    }

    /// Lets others with the same secret begin with its full pages, once the prompt is computed.
    pub(super) fn keep_prefix(&mut self, prefixes: &mut PrefixCache, pool: &mut Pages) {
        let full = self.table.len() / PAGE_TOKENS;
        if self.table.len() < self.prompt_length || full <= self.kept_pages {
            return;
        }
        if let Some(keys) = &mut self.keys {
            let computed = self.tokens.split_at(self.table.len()).0;
            prefixes.keep(keys, computed, self.table.pages(), pool);
        }
        self.kept_pages = full;
    }

    /// Gives back its pages, to be computed again.
    pub(super) fn put_back(&mut self, pool: &mut Pages) {
        pool.release(mem::take(&mut self.table));
    }

    /// Tokens that are not computed.
    pub(super) fn pending(&self) -> usize {
        self.tokens.len().saturating_sub(self.table.len())
    }

    /// The next `count` of them, for a step.
    pub(super) fn part(&mut self, count: usize) -> Part<'_> {
        let begin = self.table.len();
        let end = begin.saturating_add(count);
        Part {
            tokens: self.tokens.get(begin..end).unwrap_or_default(),
            wants_logits: end == self.tokens.len(),
            table: &mut self.table,
        }
    }

    /// Notes that it runs, and tells so the first time. An answer of no tokens ends here.
    pub(super) fn begin(&mut self) -> Outcome {
        let found = self.table.len();
        if self
            .cached_tokens
            .replace(self.cached_tokens.unwrap_or(found))
            .is_some()
        {
            return Outcome::Running;
        }
        let begun = Step::Begun {
            prompt_tokens: count(self.prompt_length),
            cached_tokens: count(found),
        };
        if self.admitted.steps.try_send(begun).is_err() {
            return Outcome::Abandoned;
        }
        match self.tokens.len() >= self.longest {
            true => self.finish(FinishReason::Length),
            false => Outcome::Running,
        }
    }

    /// The choice of the next token, if whoever has the logits can make it.
    pub(super) fn plain(&self) -> Option<Plain> {
        self.admitted.choice.plain(self.tokens.len() as u64)
    }

    /// Goes on with the token that follows all tokens.
    pub(super) fn advance(&mut self, row: Row<'_>, tokenizer: &Tokenizer) -> Outcome {
        match self.choose(row) {
            Ok(chosen) if chosen.end == End::Before => self.finish(FinishReason::Stop),
            Ok(chosen) => self.emit(chosen, tokenizer),
            Err(Failed) => Outcome::Abandoned,
        }
    }

    /// The token that follows.
    fn choose(&mut self, row: Row<'_>) -> Result<Chosen, Failed> {
        let position = self.tokens.len() as u64;
        let chosen = self.admitted.choice.choose(row, position);
        chosen.map_err(|_| Failed)
    }

    fn emit(&mut self, chosen: Chosen, tokenizer: &Tokenizer) -> Outcome {
        push(&mut self.tokens, chosen.id);
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
        match (stopped, self.tokens.len() >= self.longest) {
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
                cached_tokens: count(self.cached_tokens.unwrap_or(0)),
                completion_tokens: count(self.tokens.len().saturating_sub(self.prompt_length)),
            },
        })
    }
}

/// Adds a token without leaving a copy of the others behind.
fn push(tokens: &mut Zeroizing<Vec<u32>>, id: u32) {
    if tokens.len() == tokens.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(2 * tokens.len()));
        larger.extend_from_slice(tokens);
        *tokens = larger;
    }
    tokens.push(id);
}

fn count(tokens: usize) -> u32 {
    u32::try_from(tokens).unwrap_or(u32::MAX)
}

/// The model gave no token.
struct Failed;
