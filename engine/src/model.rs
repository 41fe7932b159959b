//! A model's configuration and its weights, packed for the kernels.
//!
//! Architecture `llama`: pre-normalised blocks of grouped-query attention with interleaved rotary embedding and a gated
//! feed-forward network. A file with anything else in it (biases, experts, rope scaling) is refused, not run without.

mod config;
mod error;
mod weights;

pub use config::ModelConfig;
pub use error::ModelError;

pub(crate) use config::MAX_HEAD_WIDTH;
pub(crate) use weights::{Layer, Weights};

use crate::gguf::Gguf;

/// A model ready to run.
pub struct Model {
    config: ModelConfig,
    weights: Weights,
}

impl Model {
    /// Packs the weights; the file is no longer needed afterwards.
    pub fn load(gguf: &Gguf) -> Result<Self, ModelError> {
        let config = config::read(gguf)?;
        let weights = weights::read(gguf, &config)?;
        Ok(Self { config, weights })
    }

    /// The model's shape.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    pub(crate) fn weights(&self) -> &Weights {
        &self.weights
    }
}
