//! What the scheduler needs of a decoder.

use std::slice::ChunksExact;

use crate::decoder::{Decoder, DecoderError, KvPool, Part};

/// Turns tokens into logits; tests put a small one in the place of the model.
pub(super) trait Forward: Send + 'static {
    /// The pages of all sequences.
    fn pool(&mut self) -> &mut KvPool;

    /// Appends to each sequence its tokens; gives the logits of those that want them, in their order.
    fn step(&mut self, parts: &mut [Part<'_>]) -> Result<ChunksExact<'_, f32>, DecoderError>;
}

/// The real decoder.
pub(super) struct LocalDecoder {
    decoder: Decoder,
    pool: KvPool,
}

impl LocalDecoder {
    pub(super) fn new(decoder: Decoder, pool: KvPool) -> Self {
        Self { decoder, pool }
    }
}

impl Forward for LocalDecoder {
    fn pool(&mut self) -> &mut KvPool {
        &mut self.pool
    }

    fn step(&mut self, parts: &mut [Part<'_>]) -> Result<ChunksExact<'_, f32>, DecoderError> {
        self.decoder.step(&mut self.pool, parts)
    }
}
