//! A file's bytes and their SHA-256, in one pass.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use sha2::{Digest, Sha256};

/// How much is read at once: small enough to be digested out of the cache.
const CHUNK_BYTES: u64 = 256 << 10;

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

/// Reads a file of at most `most_bytes` to its end; a file that grows meanwhile is refused.
pub(crate) fn read(path: &Path, most_bytes: u64) -> Result<(Vec<u8>, [u8; 32]), FileError> {
    let mut file = File::open(path)?;
    let announced = file.metadata()?.len();
    let mut bytes = reserve(announced, most_bytes)?;
    let mut hasher = Sha256::new();
    loop {
        let before = bytes.len();
        if file.by_ref().take(CHUNK_BYTES).read_to_end(&mut bytes)? == 0 {
            return Ok((bytes, hasher.finalize().into()));
        }
        hasher.update(bytes.get(before..).unwrap_or_default());
        if bytes.len() as u64 > announced {
            return Err(FileError::TooLarge(bytes.len() as u64));
        }
    }
}

/// SHA-256 of bytes already in memory.
pub(crate) fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn reserve(announced: u64, most_bytes: u64) -> Result<Vec<u8>, FileError> {
    let too_large = FileError::TooLarge(announced);
    let Some(length) = usize::try_from(announced)
        .ok()
        .filter(|_| announced <= most_bytes)
    else {
        return Err(too_large);
    };
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length).map_err(|_| too_large)?;
    Ok(bytes)
}
