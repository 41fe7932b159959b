//! The forward pass: tokens and a sequence's cache in, logits out.

use std::sync::Arc;

use crate::model::Model;

/// Keys and values of one sequence. No Debug: they tell the prompt. Wiped when cleared and when dropped.
pub struct KvCache {
    length: usize,
}

impl KvCache {
    /// Room for `capacity_tokens`, or for the model's context where that is less.
    #[expect(clippy::unimplemented, reason = "the signature comes first")]
    pub fn new(_model: &Model, _capacity_tokens: usize) -> Self {
        unimplemented!()
    }

    /// Tokens held.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether no token is held.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Forgets the sequence and wipes it.
    pub fn clear(&mut self) {
        self.length = 0;
    }
}

/// Why a forward pass was refused; nothing was computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecoderError {
    /// No tokens.
    #[error("no tokens to decode")]
    Empty,
    /// A token id outside the vocabulary.
    #[error("a token is outside the vocabulary")]
    UnknownToken,
    /// The sequence would outgrow its cache.
    #[error("the sequence outgrows its cache of {capacity_tokens} tokens")]
    CacheFull {
        /// Tokens the cache can hold.
        capacity_tokens: usize,
    },
    /// The cache was made for a model of another shape.
    #[error("the cache belongs to another model")]
    OtherModel,
}

impl DecoderError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "decoder.empty",
            Self::UnknownToken => "decoder.unknown_token",
            Self::CacheFull { .. } => "decoder.cache_full",
            Self::OtherModel => "decoder.other_model",
        }
    }
}

/// Worker threads and their scratch memory. The logits are the same bits for any number of threads and any way of cutting
/// a sequence into calls of `forward`.
pub struct Decoder {
    model: Arc<Model>,
    logits: Vec<f32>,
}

impl Decoder {
    /// Starts `threads` threads (the caller's counts as one; 0 means as many as there are cores).
    pub fn new(model: Arc<Model>, _threads: usize) -> Self {
        let logits = vec![0.0; model.config().vocabulary];
        Self { model, logits }
    }

    /// Appends `tokens` to the sequence; gives the logits after the last of them, one for each token of the vocabulary.
    #[expect(clippy::unimplemented, reason = "the signature comes first")]
    pub fn forward(
        &mut self,
        _tokens: &[u32],
        _cache: &mut KvCache,
    ) -> Result<&[f32], DecoderError> {
        let _ = &self.model;
        let _ = &self.logits;
        unimplemented!()
    }

    /// Instruction-set path in use.
    #[expect(clippy::unimplemented, reason = "the signature comes first")]
    pub fn isa(&self) -> &'static str {
        unimplemented!()
    }
}
