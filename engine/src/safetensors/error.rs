//! Why a safetensors file was refused.

use std::io;

use crate::file::FileError;

/// Why a safetensors file was refused, in the order of the checks; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SafetensorsError {
    /// The operating system refused.
    #[error("the model file cannot be read: {0}")]
    Io(io::ErrorKind),
    /// Larger than the cap, or than memory.
    #[error("the model file is too large: {0} bytes")]
    TooLarge(u64),
    /// The header is longer than the file or than its cap of 16 MiB.
    #[error("the header is longer than the file, or than 16 MiB")]
    HeaderLength,
    /// The header is no JSON of a safetensors file: a type that is unknown, a field too few, a name twice.
    #[error("the header is not one of a safetensors file")]
    Header,
    /// Tensors overlap, leave a gap, or have another size than their shape.
    #[error("the place of a tensor does not follow from its shape and the tensors before it")]
    Offsets,
    /// The file is shorter or longer than its tensors.
    #[error("the file is not as long as its tensors")]
    Length,
    /// There is no such tensor.
    #[error("tensor {0} is missing")]
    MissingTensor(String),
    /// Stored in another way than F32, F16 or BF16.
    #[error("tensor {0} is stored in a way that is not supported")]
    TensorType(String),
    /// More than two dimensions, none, or one of length zero.
    #[error("tensor {0} has an unsupported shape")]
    Shape(String),
}

impl SafetensorsError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io(_) => "safetensors.io",
            Self::TooLarge(_) => "safetensors.too_large",
            Self::HeaderLength => "safetensors.header_length",
            Self::Header => "safetensors.header",
            Self::Offsets => "safetensors.offsets",
            Self::Length => "safetensors.length",
            Self::MissingTensor(_) => "safetensors.missing_tensor",
            Self::TensorType(_) => "safetensors.tensor_type",
            Self::Shape(_) => "safetensors.shape",
        }
    }
}

impl From<FileError> for SafetensorsError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Io(kind) => Self::Io(kind),
            FileError::TooLarge(bytes) => Self::TooLarge(bytes),
        }
    }
}
