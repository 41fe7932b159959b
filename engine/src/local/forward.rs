//! What the scheduler needs of a decoder.

use std::sync::Arc;

use crate::{
    decoder::{Decoder, DecoderError, KvCache},
    model::Model,
};

/// Turns tokens into logits; tests put a small one in the place of the model.
pub(super) trait Forward: Send + 'static {
    /// State of one sequence.
    type Cache: Send;

    /// An empty state with room for the whole context.
    fn cache(&self) -> Self::Cache;

    /// Forgets and wipes a sequence.
    fn wipe(cache: &mut Self::Cache);

    /// Appends tokens to a sequence; gives the logits after the last.
    fn forward(&mut self, tokens: &[u32], cache: &mut Self::Cache) -> Result<&[f32], DecoderError>;
}

/// The real decoder.
pub(super) struct LocalDecoder {
    decoder: Decoder,
    model: Arc<Model>,
    context_tokens: usize,
}

impl LocalDecoder {
    pub(super) fn new(decoder: Decoder, model: Arc<Model>, context_tokens: usize) -> Self {
        Self {
            decoder,
            model,
            context_tokens,
        }
    }
}

impl Forward for LocalDecoder {
    type Cache = KvCache;

    fn cache(&self) -> KvCache {
        KvCache::new(&self.model, self.context_tokens)
    }

    fn wipe(cache: &mut KvCache) {
        cache.clear();
    }

    fn forward(&mut self, tokens: &[u32], cache: &mut KvCache) -> Result<&[f32], DecoderError> {
        self.decoder.forward(tokens, cache)
    }
}
