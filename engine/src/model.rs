//! A model's configuration and its weights, packed for the kernels.
//!
//! One decoder with flags: pre-normalised blocks of grouped-query attention with rotary embedding and a gated feed-forward
//! network, and what the families ([`Family`]) add to that. A file with anything else in it (experts, other rope scaling,
//! a tensor or a metadata key that is not known here) is refused, not run without.

mod config;
mod error;
mod family;
mod metadata;
mod tensors;
mod weights;

pub use config::{ModelConfig, SlidingWindow};
pub use error::ModelError;
pub use family::{Family, RopePairs};

pub(crate) use config::{MAX_HEAD_WIDTH, Reach};
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

    /// As [`Self::load`], without ever holding more than one tensor twice: what is packed leaves the file.
    pub fn take(gguf: &mut Gguf) -> Result<Self, ModelError> {
        let config = config::read(gguf)?;
        let weights = weights::read(&gguf.take_tensors()?, &config)?;
        weights.gather();
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
