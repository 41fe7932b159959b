//! What lies at the path of a model, and of which kind it is.

use std::path::Path;

use super::LoadError;
use crate::{
    folder::{FolderKind, ModelFolder},
    gguf::Gguf,
};

/// A model as it lies on disk, read.
pub(super) enum Source {
    /// A model file, which is a decoder's.
    File(Gguf),
    /// The folder of a decoder.
    Decoder(ModelFolder),
    /// The folder of an encoder.
    Encoder(ModelFolder),
}

impl Source {
    /// Reads the file or folder at `path`.
    pub(super) fn read(path: &Path) -> Result<Self, LoadError> {
        if !path.is_dir() {
            return Ok(Self::File(Gguf::open(path)?));
        }
        let folder = ModelFolder::open(path)?;
        Ok(match folder.kind()? {
            FolderKind::Decoder => Self::Decoder(folder),
            FolderKind::Encoder => Self::Encoder(folder),
        })
    }
}
