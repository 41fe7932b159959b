//! Keys and values of one sequence.

use kernels::attention::cache_len;
use zeroize::Zeroize;

use super::DecoderError;
use crate::model::{Model, ModelConfig};

/// Keys and values of one sequence. No Debug: they tell the prompt. Wiped when cleared and when dropped.
///
/// Layout: `[layer][key-value head]`, each as [`kernels::attention`] has it.
pub struct KvCache {
    values: Vec<f32>,
    shape: Shape,
    tokens: usize,
}

/// What a cache and a model have to agree about.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shape {
    layers: usize,
    kv_heads: usize,
    head_width: usize,
    capacity_tokens: usize,
}

impl KvCache {
    /// Room for `capacity_tokens`, or for the model's context where that is less.
    pub fn new(model: &Model, capacity_tokens: usize) -> Self {
        let config = model.config();
        let shape = Shape::of(config, capacity_tokens.min(config.context_tokens));
        Self {
            values: vec![0.0; shape.layers * shape.layer_len()],
            shape,
            tokens: 0,
        }
    }

    /// Tokens held.
    pub fn len(&self) -> usize {
        self.tokens
    }

    /// Whether no token is held.
    pub fn is_empty(&self) -> bool {
        self.tokens == 0
    }

    /// Tokens that can be held.
    pub fn capacity_tokens(&self) -> usize {
        self.shape.capacity_tokens
    }

    /// Forgets the sequence and wipes it.
    pub fn clear(&mut self) {
        let used = cache_len(self.shape.head_width, self.tokens);
        for head in self.values.chunks_mut(self.shape.head_len().max(1)) {
            head.split_at_mut(used).0.zeroize();
        }
        self.tokens = 0;
    }

    /// Whether `tokens` more of a model of this shape can be held.
    pub(super) fn check(&self, config: &ModelConfig, tokens: usize) -> Result<(), DecoderError> {
        let capacity_tokens = self.shape.capacity_tokens;
        if self.shape != Shape::of(config, capacity_tokens) {
            return Err(DecoderError::OtherModel);
        }
        if tokens > capacity_tokens - self.tokens {
            return Err(DecoderError::CacheFull { capacity_tokens });
        }
        Ok(())
    }

    /// All heads of one layer.
    pub(super) fn layer(&mut self, index: usize) -> &mut [f32] {
        let mut layers = self.values.chunks_mut(self.shape.layer_len().max(1));
        layers.nth(index).unwrap_or_default()
    }

    /// Counts tokens whose keys and values have been written.
    pub(super) fn extend(&mut self, tokens: usize) {
        self.tokens += tokens;
    }
}

impl Drop for KvCache {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Shape {
    fn of(config: &ModelConfig, capacity_tokens: usize) -> Self {
        Self {
            layers: config.layers,
            kv_heads: config.kv_heads,
            head_width: config.head_width,
            capacity_tokens,
        }
    }

    fn head_len(&self) -> usize {
        cache_len(self.head_width, self.capacity_tokens)
    }

    fn layer_len(&self) -> usize {
        self.kv_heads * self.head_len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clearing_wipes_all_that_was_written() {
        let shape = Shape {
            layers: 2,
            kv_heads: 3,
            head_width: 64,
            capacity_tokens: 100,
        };
        let mut cache = KvCache {
            values: vec![0.0; shape.layers * shape.layer_len()],
            shape,
            tokens: 0,
        };
        for head in cache.values.chunks_mut(shape.head_len()) {
            for position in 0..70 {
                kernels::attention::append(head, position, &[1.0; 64], &[2.0; 64]);
            }
        }
        cache.extend(70);
        cache.clear();
        assert!(cache.values.iter().all(|value| *value == 0.0));
    }
}
