//! The runtime's identity key: Ed25519, made in memory, never written.

use crate::{crypto::Ed25519Secret, entropy};
use attestation::IdentityKey;

/// The private half. No Debug, Clone or Serialize; wiped on drop as far as the backend allows.
pub struct IdentitySecret {
    secret: Ed25519Secret,
}

impl IdentitySecret {
    /// Makes a fresh key. Without randomness the process ends: there is nothing to live for.
    #[must_use]
    pub fn generate() -> Self {
        let secret = entropy::or_abort(Ed25519Secret::generate());
        Self { secret }
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> IdentityKey {
        IdentityKey(self.secret.public())
    }

    /// Ed25519 signature over `message` (RFC 8032).
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.secret.sign(message)
    }
}
