//! The file's bytes and their SHA-256, in one pass.

use std::{fs::File, io::Read, path::Path};

use sha2::{Digest, Sha256};

use super::GgufError;

/// Largest model file: 64 GiB.
const MAX_FILE_BYTES: u64 = 64 << 30;
/// How much is read at once: small enough to be digested out of the cache.
const CHUNK_BYTES: u64 = 256 << 10;

/// Reads the file to its end; a file that grows meanwhile is refused at the cap.
pub(super) fn read(path: &Path) -> Result<(Vec<u8>, [u8; 32]), GgufError> {
    let mut file = File::open(path)?;
    let announced = file.metadata()?.len();
    let mut bytes = reserve(announced)?;
    let mut hasher = Sha256::new();
    loop {
        let before = bytes.len();
        if file.by_ref().take(CHUNK_BYTES).read_to_end(&mut bytes)? == 0 {
            return Ok((bytes, hasher.finalize().into()));
        }
        hasher.update(bytes.get(before..).unwrap_or_default());
        if bytes.len() as u64 > announced {
            return Err(GgufError::TooLarge(bytes.len() as u64));
        }
    }
}

/// SHA-256 of bytes already in memory.
pub(super) fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn reserve(announced: u64) -> Result<Vec<u8>, GgufError> {
    let too_large = GgufError::TooLarge(announced);
    let Some(length) = usize::try_from(announced)
        .ok()
        .filter(|_| announced <= MAX_FILE_BYTES)
    else {
        return Err(too_large);
    };
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length).map_err(|_| too_large)?;
    Ok(bytes)
}
