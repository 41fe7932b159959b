//! Why a model file was refused.

use std::io;

use super::Unreadable;
use crate::file::FileError;

/// Why a model file was refused, in the order of the checks; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GgufError {
    /// The operating system refused.
    #[error("the model file cannot be read: {0}")]
    Io(io::ErrorKind),
    /// Larger than the cap, or than memory.
    #[error("the model file is too large: {0} bytes")]
    TooLarge(u64),
    /// Whoever holds the file gave none of it.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The first four bytes are not `GGUF`.
    #[error("not a GGUF file")]
    Magic,
    /// A version other than 2 or 3 (big-endian files read as such).
    #[error("GGUF version {0} is not supported; 2 and 3 are")]
    Version(u32),
    /// A length or count points beyond the end.
    #[error("the model file ends early")]
    Truncated,
    /// More metadata entries or tensors than the caps.
    #[error("the model file announces {0} entries")]
    Count(u64),
    /// A key or tensor name is empty or too long.
    #[error("a name of {0} bytes")]
    Name(u64),
    /// A string is not UTF-8.
    #[error("a string is not UTF-8")]
    Text,
    /// A metadata key occurs twice.
    #[error("metadata key {0} occurs twice")]
    DuplicateKey(String),
    /// A metadata value has an unknown type, or is an array of arrays.
    #[error("metadata value type {0} is not supported")]
    ValueType(u32),
    /// A truth value is neither 0 nor 1.
    #[error("a truth value is {0}")]
    Bool(u8),
    /// `general.alignment` is not a power of two between 8 and 65,536.
    #[error("the alignment is no power of two from 8 to 65536")]
    Alignment,
    /// A tensor occurs twice.
    #[error("tensor {0} occurs twice")]
    DuplicateTensor(String),
    /// A tensor's dimensions are absent, zero, too many, too large, or no multiple of its type's block.
    #[error("tensor {0} has an impossible shape")]
    TensorShape(String),
    /// A tensor has an unknown type.
    #[error("tensor {name} has unknown type {kind}")]
    TensorType {
        /// Which tensor.
        name: String,
        /// Its type number.
        kind: u32,
    },
    /// A tensor does not begin at a multiple of the alignment.
    #[error("tensor {0} is not aligned")]
    TensorOffset(String),
    /// A tensor is not wholly within the file, or begins within another.
    #[error("tensor {0} leaves the file, or begins within another tensor")]
    TensorBounds(String),
    /// Bytes after the last tensor and its padding.
    #[error("{0} bytes follow the last tensor")]
    TrailingBytes(u64),
    /// A metadata key that was asked for is absent.
    #[error("metadata key {0} is absent")]
    MissingKey(String),
    /// A metadata value has another type than asked for.
    #[error("metadata key {0} has another type")]
    WrongType(String),
    /// A metadata integer does not fit what was asked for.
    #[error("metadata key {0} is out of range")]
    ValueRange(String),
    /// A tensor that was asked for is absent.
    #[error("tensor {0} is absent")]
    MissingTensor(String),
}

impl GgufError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io(_) => "gguf.io",
            Self::TooLarge(_) => "gguf.too_large",
            Self::Unreadable(error) => error.code,
            Self::Magic => "gguf.magic",
            Self::Version(_) => "gguf.version",
            Self::Truncated => "gguf.truncated",
            Self::Count(_) => "gguf.count",
            Self::Name(_) => "gguf.name",
            Self::Text => "gguf.text",
            Self::DuplicateKey(_) => "gguf.duplicate_key",
            Self::ValueType(_) => "gguf.value_type",
            Self::Bool(_) => "gguf.bool",
            Self::Alignment => "gguf.alignment",
            Self::DuplicateTensor(_) => "gguf.duplicate_tensor",
            Self::TensorShape(_) => "gguf.tensor_shape",
            Self::TensorType { .. } => "gguf.tensor_type",
            Self::TensorOffset(_) => "gguf.tensor_offset",
            Self::TensorBounds(_) => "gguf.tensor_bounds",
            Self::TrailingBytes(_) => "gguf.trailing_bytes",
            Self::MissingKey(_) => "gguf.missing_key",
            Self::WrongType(_) => "gguf.wrong_type",
            Self::ValueRange(_) => "gguf.value_range",
            Self::MissingTensor(_) => "gguf.missing_tensor",
        }
    }

    /// Puts the key's name into an error that was made where it is not known.
    pub(super) fn named(self, key: &str) -> Self {
        match self {
            Self::WrongType(_) => Self::WrongType(key.to_owned()),
            other => other,
        }
    }
}

impl From<FileError> for GgufError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Io(kind) => Self::Io(kind),
            FileError::TooLarge(bytes) => Self::TooLarge(bytes),
        }
    }
}
