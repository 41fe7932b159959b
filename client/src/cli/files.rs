//! Reading and writing what the user names: capped, `-` is standard input, errors name the file.

use super::{Exit, Failure, inputs};
use crate::archive;
use attestation::Digest;
use aws_lc_rs::digest;
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// Reads at most `max_bytes`; more is refused before it is held. Reports list the file with its digest.
pub(crate) fn read(path: &Path, max_bytes: usize) -> Result<Vec<u8>, Failure> {
    let bytes = read_unlisted(path, max_bytes)?;
    inputs::note(path, &bytes);
    Ok(bytes)
}

/// The same for secrets and plaintext, of which no report says anything.
pub(crate) fn read_unlisted(path: &Path, max_bytes: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    open(path)?
        .take(max_bytes as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(path, &error))?;
    if bytes.len() > max_bytes {
        let message = format!("{} is larger than {max_bytes} bytes", path.display());
        return Err(Failure::new(Exit::Malformed, "file.too_large", message));
    }
    Ok(bytes)
}

/// SHA-256 of a file of any length, which is never held as a whole.
pub(crate) fn sha256(path: &Path) -> Result<Digest, Failure> {
    hash(path, &digest::SHA256)
}

/// SHA-384 of a file of any length.
pub(crate) fn sha384(path: &Path) -> Result<[u8; 48], Failure> {
    hash(path, &digest::SHA384)
}

fn hash<const N: usize>(
    path: &Path,
    algorithm: &'static digest::Algorithm,
) -> Result<[u8; N], Failure> {
    let mut hash = Hash(digest::Context::new(algorithm));
    io::copy(&mut open(path)?, &mut hash).map_err(|error| unreadable(path, &error))?;
    let mut value = [0; N];
    value.copy_from_slice(hash.0.finish().as_ref());
    Ok(value)
}

struct Hash(digest::Context);

impl io::Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn open(path: &Path) -> Result<Box<dyn Read>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    Ok(Box::new(file))
}

/// Writes a whole file that only the user can read.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    archive::write_private(path, bytes).map_err(|error| unwritable(path, &error))
}

/// Writes a whole file that is for others too: a public key, a signed policy.
pub(crate) fn write_shared(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    archive::write_shared(path, bytes).map_err(|error| unwritable(path, &error))
}

pub(crate) fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let message = format!("{} cannot be written: {error}", path.display());
    Failure::new(Exit::Internal, "file.write", message)
        .advice("check the path, its permissions and the space left")
}

pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let message = format!("{} cannot be read: {error}", path.display());
    Failure::usage("file.read", message).advice("check the path and its permissions")
}
