//! Why a model folder was refused.

use std::io;

use crate::{file::FileError, safetensors::SafetensorsError};

/// Why a model folder was refused, in the order of the checks; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The operating system refused.
    #[error("{name} cannot be read: {kind}")]
    Io {
        /// The file's name below the folder.
        name: String,
        /// Why.
        kind: io::ErrorKind,
    },
    /// Larger than the cap.
    #[error("{0} is too large")]
    TooLarge(String),
    /// No `config.json`.
    #[error("the folder has no config.json")]
    NoConfig,
    /// Weights in one file and in several.
    #[error("the folder has both model.safetensors and an index of several files")]
    TwoWeights,
    /// The index is not one, names a file outside the folder, or does not list just what the files have: what is wrong, with the tensor and
    /// the file.
    #[error("model.safetensors.index.json {0}")]
    Index(String),
    /// A file of weights.
    #[error("{file}: {error}")]
    Weights {
        /// The file's name below the folder.
        file: String,
        /// Why.
        error: SafetensorsError,
    },
}

impl FolderError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "folder.io",
            Self::TooLarge(_) => "folder.too_large",
            Self::NoConfig => "folder.no_config",
            Self::TwoWeights => "folder.two_weights",
            Self::Index(_) => "folder.index",
            Self::Weights { error, .. } => error.code(),
        }
    }

    /// The file `name` was not read.
    pub(super) fn file(name: &str, error: &FileError) -> Self {
        match error {
            FileError::Io(kind) => Self::Io {
                name: name.to_owned(),
                kind: *kind,
            },
            FileError::TooLarge(_) => Self::TooLarge(name.to_owned()),
        }
    }
}
