//! Keys and values of a sequence that has a pool of its own.

use super::{
    DecoderError,
    pool::{KvPool, KvTable, PAGE_TOKENS},
};
use crate::model::Model;

/// Keys and values of one sequence. No Debug: they tell the prompt. Wiped when cleared and when dropped.
pub struct KvCache {
    pub(super) pool: KvPool,
    pub(super) table: KvTable,
    capacity_tokens: usize,
}

impl KvCache {
    /// Room for `capacity_tokens`, or for the model's context where that is less.
    pub fn new(model: &Model, capacity_tokens: usize) -> Self {
        let capacity_tokens = capacity_tokens.min(model.config().context_tokens);
        Self {
            pool: KvPool::new(model, capacity_tokens.div_ceil(PAGE_TOKENS)),
            table: KvTable::default(),
            capacity_tokens,
        }
    }

    /// Tokens held.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether no token is held.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Tokens that can be held.
    pub fn capacity_tokens(&self) -> usize {
        self.capacity_tokens
    }

    /// Forgets the sequence and wipes it.
    pub fn clear(&mut self) {
        self.pool.release(std::mem::take(&mut self.table));
    }

    /// Takes pages for `tokens` more.
    pub(super) fn reserve(&mut self, tokens: usize) -> Result<(), DecoderError> {
        let capacity_tokens = self.capacity_tokens;
        if tokens > capacity_tokens - self.len() {
            return Err(DecoderError::CacheFull { capacity_tokens });
        }
        self.pool.reserve(&mut self.table, tokens)
    }
}
