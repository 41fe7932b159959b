//! A model's configuration and its weights, packed for the kernels.

use crate::gguf::{Gguf, GgufError};

/// Shape of a Llama-architecture model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ModelConfig {
    /// Most tokens of one sequence.
    pub context_tokens: usize,
    /// Tokens of the vocabulary, and logits of a position.
    pub vocabulary: usize,
    /// Blocks.
    pub layers: usize,
    /// Width of the residual stream.
    pub width: usize,
    /// Query heads.
    pub heads: usize,
    /// Key-value heads; each serves `heads / kv_heads` query heads.
    pub kv_heads: usize,
    /// Width of one head.
    pub head_width: usize,
    /// Width of the feed-forward network.
    pub ffn_width: usize,
    /// Added to the mean square in normalisation.
    pub rms_epsilon: f32,
    /// Base of the rotary embedding's frequencies.
    pub rope_base: f32,
}

/// Why a model was not loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The model file lacks something.
    #[error(transparent)]
    Gguf(#[from] GgufError),
}

impl ModelError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Gguf(error) => error.code(),
        }
    }
}

/// A model ready to run.
pub struct Model {
    config: ModelConfig,
}

impl Model {
    /// Packs the weights; the file is no longer needed afterwards.
    #[expect(clippy::unimplemented, reason = "the signature comes first")]
    pub fn load(_gguf: &Gguf) -> Result<Self, ModelError> {
        unimplemented!()
    }

    /// The model's shape.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }
}
