//! Why a sealed model was not deciphered on a device.

use engine::{gguf::Unreadable, local::LoadError, model::ModelError};

use crate::DeviceError;

/// Why a sealed model was not deciphered on a device, in the order of the steps; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecipherError {
    /// The device failed.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The fast arithmetic, whose weights are none of the file's.
    #[error("only the exact arithmetic computes with the weights of a file as they are")]
    Arithmetic,
    /// Tensors that do not begin with a block of the cipher, or lie in each other.
    #[error("the tensors of this file cannot be deciphered one after the other")]
    Layout,
    /// Whoever holds the file refused, as where a segment is not genuine.
    #[error(transparent)]
    Source(#[from] Unreadable),
    /// The segments end before the tensors do.
    #[error("the segments end before the tensors do")]
    Ended,
    /// A matrix that no CPU takes either.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The device made something else of a tensor than a CPU.
    #[error("the device made something else of tensor {0} than a CPU")]
    Weights(String),
}

impl DecipherError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Device(error) => error.code(),
            Self::Arithmetic => "gpu.decipher.arithmetic",
            Self::Layout => "gpu.decipher.layout",
            Self::Source(error) => error.code,
            Self::Ended => "gpu.decipher.ended",
            Self::Model(error) => error.code(),
            Self::Weights(_) => "gpu.decipher.weights",
        }
    }
}

impl From<DecipherError> for LoadError {
    fn from(error: DecipherError) -> Self {
        match error {
            DecipherError::Model(error) => Self::Model(error),
            error => Self::Backend {
                code: error.code(),
                reason: error.to_string(),
            },
        }
    }
}
