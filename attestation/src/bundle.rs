//! The evidence bundle: a CBOR CMW collection (RFC 9999) with one entry per role, strict and capped.

use crate::{
    CpuEvidence, IdentityKey,
    freshness::{Freshness, NoncePath},
};

/// Largest bundle accepted, in bytes.
pub const MAX_BUNDLE_BYTES: usize = 256 * 1024;

/// Everything a verifier needs about one node, parsed but not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceBundle {
    /// The CPU's evidence and its endorsements.
    pub cpu: CpuEvidence,
    /// The manifest's bytes as received.
    pub manifest: Vec<u8>,
    /// The identity key, raw.
    pub identity: IdentityKey,
    /// The Merkle root of nonces that went into report_data.
    pub freshness: Freshness,
    /// The path of the nonce that this copy of the bundle answers.
    pub nonce_path: Option<NoncePath>,
    /// The signed key-config list (COSE_Sign1) as received; absent in an archived bundle.
    pub key_configs: Option<Vec<u8>>,
}

/// Why bundle bytes were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// Longer than [`MAX_BUNDLE_BYTES`].
    #[error("the evidence bundle is larger than 256 KiB")]
    TooLarge,
    /// Not deterministic CBOR (RFC 8949 section 4.2.1).
    #[error("the evidence bundle is not deterministic CBOR")]
    NotDeterministic,
    /// Not the collection that docs/protocol.md describes: an unknown, absent, doubled or mistyped entry.
    #[error("the evidence bundle's entry {0:?} is absent or malformed")]
    Entry(&'static str),
}

impl EvidenceBundle {
    /// Parses the received bytes.
    pub fn from_cbor(bytes: &[u8]) -> Result<Self, BundleError> {
        let _ = bytes;
        unimplemented!()
    }

    /// Deterministic CBOR.
    #[must_use]
    pub fn to_cbor(&self) -> Vec<u8> {
        unimplemented!()
    }
}
