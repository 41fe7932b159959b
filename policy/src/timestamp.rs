//! The timestamp: a short-lived word that these are the newest documents, so that a host that is kept from newer ones notices.

use crate::{Envelope, PolicyError, TrustRoot};
use attestation::{Digest, UnixTime};

/// One parsed timestamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timestamp {
    /// Strictly rising.
    pub version: u64,
    /// SHA-256 of the document.
    pub digest: Digest,
    /// When it was signed.
    pub issued: UnixTime,
    /// Last second of its life.
    pub expires: UnixTime,
    /// The newest root.
    pub root: Listed,
    /// The newest policy.
    pub policy: Listed,
    /// The newest inventory, if there is one.
    pub inventory: Option<Listed>,
    /// The last order (its serial), if there is one.
    pub orders: Option<Listed>,
}

/// A document as a timestamp names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Version or serial.
    pub version: u64,
    /// SHA-256 of the document.
    pub digest: Digest,
}

impl Timestamp {
    /// Parses an unsigned document. All mistakes at once.
    pub fn from_toml(_bytes: &[u8]) -> Result<Self, Vec<PolicyError>> {
        Err(Vec::new())
    }

    /// Opens the envelope under the keys of the role `timestamp`, then parses its payload.
    pub fn from_envelope(
        _envelope: &Envelope,
        _keys: &TrustRoot,
    ) -> Result<Self, Vec<PolicyError>> {
        Err(Vec::new())
    }
}
