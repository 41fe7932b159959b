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
mod placed;
pub(crate) mod reader;
pub(crate) mod tensors;
mod turns;
mod weights;

pub use config::{ModelConfig, Reach, SlidingWindow};
pub use error::ModelError;
pub use family::{Family, RopePairs};
pub use placed::{PlacedMatrix, PlacedPanel, PlacedPart};
pub use weights::{HeadNorms, Layer, Weights};

pub(crate) use config::{MAX_HEAD_WIDTH, MAX_LAYERS, MAX_TOKENS, MAX_WIDTH};

use kernels::matmul::Matrix;

use crate::{folder::ModelFolder, gguf::Gguf};
use folder::FolderTensors;

/// A model ready to run, or one whose matrices are elsewhere.
pub struct Model<M = Matrix> {
    config: ModelConfig,
    weights: Weights<M>,
}

impl Model {
    /// Packs the weights without ever holding more than one tensor twice: what is packed leaves the file, of which the metadata stay.
    pub fn take(gguf: &mut Gguf) -> Result<Self, ModelError> {
        let config = config::read(gguf)?;
        let weights = weights::read(&gguf.take_tensors(), &config, &weights::packed)?;
        weights.gather();
        Ok(Self { config, weights })
    }

    /// As [`Self::take`], from a folder: families Llama, Mistral, Qwen 2 and Qwen 3, in F32, F16 or BF16.
    pub fn take_folder(folder: &mut ModelFolder) -> Result<Self, ModelError> {
        let read = folder::read(folder)?;
        let tensors = FolderTensors::new(folder.take_tensors(), read.tied)?;
        let mut weights = weights::read(&tensors, &read.config, &weights::packed)?;
        weights.gather();
        weights.rope_factors = read.rope_factors;
        Ok(Self {
            config: read.config,
            weights,
        })
    }
}

impl<M> Model<M> {
    /// The same with other matrices: what `matrix` makes of each.
    pub fn with_matrices<N, E>(
        &self,
        matrix: impl FnMut(&M) -> Result<N, E>,
    ) -> Result<Model<N>, E> {
        Ok(Model {
            config: self.config,
            weights: self.weights.with_matrices(matrix)?,
        })
    }

    /// The model's shape.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// The weights.
    pub fn weights(&self) -> &Weights<M> {
        &self.weights
    }
}
