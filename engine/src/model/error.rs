//! Why a model was not loaded.

use kernels::matmul::PackError;

use crate::{
    gguf::{GgufError, TensorType, Unreadable},
    safetensors::SafetensorsError,
};

/// Why a model was not loaded, in the order of the checks; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The model file lacks something.
    #[error(transparent)]
    Gguf(#[from] GgufError),
    /// A file of a model folder lacks something.
    #[error(transparent)]
    Safetensors(#[from] SafetensorsError),
    /// Whoever holds the model file gave none of it.
    #[error(transparent)]
    Unreadable(Unreadable),
    /// A family that is not built here.
    #[error(
        "architecture {0} is not supported; in GGUF files llama, qwen2, qwen3 and gemma3 are, in folders llama, mistral, qwen2, qwen3 and bert"
    )]
    Architecture(String),
    /// A size is zero, beyond its cap, or does not go with the others. The key is told without its architecture.
    #[error("metadata key {0} has an unsupported value")]
    Config(&'static str),
    /// Metadata that changes what the model computes, in a way that is not built here.
    #[error("metadata key {0} asks for what is not supported")]
    Unsupported(String),
    /// A tensor's shape is not what the configuration says.
    #[error("tensor {0} has the wrong shape")]
    Shape(String),
    /// A tensor is stored in a way that cannot be run.
    #[error("tensor {name} is stored as {kind:?}, which is not supported here")]
    TensorType {
        /// Which tensor.
        name: String,
        /// How it is stored.
        kind: TensorType,
    },
    /// A number among the weights is infinite or not a number.
    #[error("tensor {0} has a number that is not finite")]
    NotFinite(String),
    /// A matrix cannot be packed.
    #[error("tensor {name}: {reason}")]
    Pack {
        /// Which tensor.
        name: String,
        /// Why.
        reason: PackError,
    },
    /// A tensor that this family does not have: the model would not be run as it was made.
    #[error("tensor {0} is unknown")]
    UnknownTensor(String),
}

impl ModelError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Gguf(error) => error.code(),
            Self::Safetensors(error) => error.code(),
            Self::Unreadable(error) => error.code,
            Self::Architecture(_) => "model.architecture",
            Self::Config(_) => "model.config",
            Self::Unsupported(_) => "model.unsupported",
            Self::Shape(_) => "model.shape",
            Self::TensorType { .. } => "model.tensor_type",
            Self::NotFinite(_) => "model.not_finite",
            Self::Pack { .. } => "model.pack",
            Self::UnknownTensor(_) => "model.unknown_tensor",
        }
    }
}
