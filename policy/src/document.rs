//! The policy document: TOML, versioned schema, unknown fields refused, empty allow-lists refused.

use crate::{Envelope, TrustRoot};
use attestation::Digest;

/// One parsed policy.
#[derive(Clone, Debug)]
pub struct Policy {
    _fields: (),
}

/// Why a policy was refused; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Not the TOML that the schema describes (syntax, unknown field, wrong type), with line and column.
    #[error("{0}")]
    Syntax(String),
    /// The envelope.
    #[error(transparent)]
    Signature(#[from] crate::SignatureError),
}

impl Policy {
    /// Parses an unsigned document (for `lint` and signing). All mistakes at once.
    pub fn from_toml(bytes: &[u8]) -> Result<Self, Vec<PolicyError>> {
        let _ = bytes;
        unimplemented!()
    }

    /// Opens the envelope under `root`, then parses its payload.
    pub fn from_envelope(envelope: &Envelope, root: &TrustRoot) -> Result<Self, Vec<PolicyError>> {
        let _ = (envelope, root);
        unimplemented!()
    }

    /// The document's `version`, strictly rising from one release to the next.
    #[must_use]
    pub fn version(&self) -> u64 {
        unimplemented!()
    }

    /// SHA-256 of the document's bytes.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        unimplemented!()
    }

    /// `freshness.max_age_seconds`.
    #[must_use]
    pub fn max_age_seconds(&self) -> u64 {
        unimplemented!()
    }
}
