//! The runtime's identity key: Ed25519, made in memory, never written.

use attestation::IdentityKey;

/// The private half. No Debug, Clone or Serialize; wiped on drop as far as the backend allows.
pub struct IdentitySecret {
    _private: (),
}

impl IdentitySecret {
    /// Makes a fresh key.
    #[must_use]
    pub fn generate() -> Self {
        unimplemented!()
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> IdentityKey {
        unimplemented!()
    }

    /// Ed25519 signature over `message` (RFC 8032).
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let _ = message;
        unimplemented!()
    }
}
