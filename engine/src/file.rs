//! Files and their SHA-256, in one pass.

mod pieces;

use std::{io, path::Path};

use sha2::{Digest, Sha256};

pub(crate) use pieces::Pieces;

/// Why a file was not read; `code()` of what wraps it is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FileError {
    #[error("the file cannot be read: {0}")]
    Io(io::ErrorKind),
    #[error("the file is too large: {0} bytes")]
    TooLarge(u64),
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        Self::Io(error.kind())
    }
}

/// Reads a file of at most `most_bytes`.
pub(crate) fn read(path: &Path, most_bytes: u64) -> Result<(Vec<u8>, [u8; 32]), FileError> {
    let mut pieces = Pieces::open(path, most_bytes)?;
    let bytes = pieces.take(pieces.left())?;
    Ok((bytes, pieces.finish()?))
}

/// SHA-256 of bytes already in memory.
pub(crate) fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
