//! A model's configuration and its weights, packed for the kernels.
//!
//! One decoder with flags: pre-normalised blocks of grouped-query attention with rotary embedding and a gated feed-forward
//! network, and what the families ([`Family`]) add to that. A file with anything else in it (experts, other rope scaling,
//! a tensor or a metadata key that is not known here) is refused, not run without.

mod config;
mod error;
mod family;
mod folder;
pub(crate) mod json;
mod metadata;
pub(crate) mod reader;
pub(crate) mod tensors;
mod weights;

pub use config::{ModelConfig, SlidingWindow};
pub use error::ModelError;
pub use family::{Family, RopePairs};

pub(crate) use config::{MAX_HEAD_WIDTH, MAX_LAYERS, MAX_TOKENS, MAX_WIDTH, Reach};
pub(crate) use weights::{Layer, Weights};

use crate::{folder::ModelFolder, gguf::Gguf};
use folder::FolderTensors;

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

    /// As [`Self::load`], without ever holding more than one tensor twice: what is packed leaves the file.
    pub fn take(gguf: &mut Gguf) -> Result<Self, ModelError> {
        let config = config::read(gguf)?;
        let weights = weights::read(&gguf.take_tensors()?, &config)?;
        weights.gather();
        Ok(Self { config, weights })
    }

    /// As [`Self::load`], from a folder: families Llama, Mistral, Qwen 2 and Qwen 3, in F32, F16 or BF16.
    pub fn from_folder(folder: &ModelFolder) -> Result<Self, ModelError> {
        let read = folder::read(folder)?;
        let tensors = FolderTensors::new(folder, read.tied);
        let mut weights = weights::read(&tensors, &read.config)?;
        weights.rope_factors = read.rope_factors;
        Ok(Self {
            config: read.config,
            weights,
        })
    }

    /// The model's shape.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    pub(crate) fn weights(&self) -> &Weights {
        &self.weights
    }
}
