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
    /// A JSON file of a folder that is none.
    #[error("{0} is missing, is no JSON of its kind, or has a key twice")]
    Json(&'static str),
    /// As [`Self::Config`], in a file of a folder.
    #[error("{file}: {key} has an unsupported value")]
    Setting {
        /// The file's name below the folder.
        file: &'static str,
        /// The key in it.
        key: &'static str,
    },
    /// As [`Self::Unsupported`], in a file of a folder.
    #[error("{file}: {key} asks for what is not supported")]
    UnsupportedSetting {
        /// The file's name below the folder.
        file: &'static str,
        /// The key in it.
        key: String,
    },
    /// A folder whose embedding is to make the logits has another matrix for them.
    #[error(
        "config.json: tie_word_embeddings is true, and lm_head.weight is not model.embed_tokens.weight: set it to false, or leave lm_head.weight out"
    )]
    TiedOutput,
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
    /// The same, said of a file of a folder: a key is one of that file, not of a model file's metadata.
    pub(crate) fn of_file(self, file: &'static str) -> Self {
        match self {
            Self::Config(key) => Self::Setting { file, key },
            Self::Unsupported(key) => Self::UnsupportedSetting { file, key },
            other => other,
        }
    }

    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Gguf(error) => error.code(),
            Self::Safetensors(error) => error.code(),
            Self::Unreadable(error) => error.code,
            Self::Architecture(_) => "model.architecture",
            Self::Config(_) | Self::Json(_) | Self::Setting { .. } => "model.config",
            Self::Unsupported(_) | Self::UnsupportedSetting { .. } => "model.unsupported",
            Self::TiedOutput => "model.tied_output",
            Self::Shape(_) => "model.shape",
            Self::TensorType { .. } => "model.tensor_type",
            Self::NotFinite(_) => "model.not_finite",
            Self::Pack { .. } => "model.pack",
            Self::UnknownTensor(_) => "model.unknown_tensor",
        }
    }
}
