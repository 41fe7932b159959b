//! Key configurations (RFC 9458 section 3) and the short-lived list of them that the attested identity signs.

use attestation::{Digest, IdentityKey, UnixTime};

/// What the identity signs: the keys of one epoch, whose they are, how long they last, which policy is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyConfigs {
    /// H(identity).
    pub identity: Digest,
    /// H(manifest).
    pub manifest: Digest,
    /// The node's name: 1 to 63 of `a-z 0-9 -`.
    pub node: String,
    /// The key epoch; its low byte is the key id.
    pub epoch: u64,
    /// First second of validity.
    pub not_before: UnixTime,
    /// First second after validity.
    pub expires: UnixTime,
    /// Version of the policy that the runtime obeys.
    pub policy_version: u64,
    /// Digest of that policy's document.
    pub policy_digest: Digest,
    /// `application/ohttp-keys` (RFC 9458 section 3.2): X-Wing first, then X25519.
    pub configs: Vec<u8>,
}

/// A COSE_Sign1 (RFC 9052) over [`KeyConfigs`], as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedKeyConfigs {
    bytes: Vec<u8>,
}

/// Why a key list was refused; `code()` is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyConfigError {
    /// Not deterministic CBOR of the right shape, or over 64 KiB.
    #[error("the signed key list is malformed")]
    Malformed,
    /// Not signed by the attested identity.
    #[error("the key list is not signed by the attested identity")]
    Signature,
    /// Names another identity or manifest than the attested one.
    #[error("the key list belongs to another identity or manifest")]
    NotAttested,
    /// Not yet valid.
    #[error("the key list is not yet valid")]
    NotYetValid,
    /// No longer valid.
    #[error("the key list has expired")]
    Expired,
    /// No suite that this build speaks.
    #[error("the key list has no suite in common")]
    NoCommonSuite,
}

impl KeyConfigs {
    /// Signs with the runtime's identity.
    #[must_use]
    pub fn sign(&self, identity: &crate::IdentitySecret) -> SignedKeyConfigs {
        let _ = identity;
        unimplemented!()
    }
}

impl SignedKeyConfigs {
    /// Wraps received bytes; nothing is checked until [`SignedKeyConfigs::verify`].
    #[must_use]
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// The bytes as received.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Checks size, shape, signature, identity, manifest and window at `now`, in that order.
    pub fn verify(
        &self,
        identity: &IdentityKey,
        manifest: &Digest,
        now: UnixTime,
    ) -> Result<KeyConfigs, KeyConfigError> {
        let _ = (identity, manifest, now);
        unimplemented!()
    }
}
