//! A signed policy on disk: read, opened under its root, parsed, and never older than the newest one seen.

use crate::{FileError, MemoryError, PolicyMemory, file};
use policy::{
    Envelope, Policy, PolicyError, SignatureError, TrustRoot, document::MAX_DOCUMENT_BYTES,
    signature::MAX_ENVELOPE_BYTES,
};
use std::path::{Path, PathBuf};

/// Why a policy was not taken.
#[derive(Debug, thiserror::Error)]
pub enum PolicyFileError {
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Not an envelope.
    #[error("{}: {source}", path.display())]
    Envelope {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: SignatureError,
    },
    /// The signatures, or every mistake of the document.
    #[error("{}: {}", path.display(), lines(mistakes))]
    Policy {
        /// The file.
        path: PathBuf,
        /// At least one.
        mistakes: Vec<PolicyError>,
    },
    /// An older policy, another one of the same version, or a memory that cannot tell.
    #[error("{}: {source}", path.display())]
    Memory {
        /// The file.
        path: PathBuf,
        /// Why it was refused.
        source: MemoryError,
    },
}

impl PolicyFileError {
    /// Stable code: that of the first mistake.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::File(error) => error.code(),
            Self::Envelope { source, .. } => source.code(),
            Self::Policy { mistakes, .. } => mistakes
                .first()
                .map_or("policy.document.syntax", PolicyError::code),
            Self::Memory { source, .. } => source.code(),
        }
    }
}

/// The policy in `path`, signed under `root`, and remembered: from now on `memory` refuses an older one.
pub fn read_policy(
    path: &Path,
    root: &TrustRoot,
    memory: &PolicyMemory,
) -> Result<Policy, PolicyFileError> {
    let envelope = read_envelope(path)?;
    let policy = Policy::from_envelope(&envelope, root).map_err(|mistakes| {
        let path = path.to_owned();
        PolicyFileError::Policy { path, mistakes }
    })?;
    memory.remember(&policy).map_err(|source| {
        let path = path.to_owned();
        PolicyFileError::Memory { path, source }
    })?;
    Ok(policy)
}

/// The envelope in `path`, parsed, not verified.
pub fn read_envelope(path: &Path) -> Result<Envelope, PolicyFileError> {
    let json = file::read(path, MAX_ENVELOPE_BYTES)?;
    Envelope::from_json(&json).map_err(|source| {
        let path = path.to_owned();
        PolicyFileError::Envelope { path, source }
    })
}

/// The bytes of the unsigned document in `path`, for signing and linting.
pub fn read_document(path: &Path) -> Result<Vec<u8>, FileError> {
    Ok(file::read(path, MAX_DOCUMENT_BYTES)?.to_vec())
}

fn lines(mistakes: &[PolicyError]) -> String {
    let lines: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
    lines.join("\n  ")
}
