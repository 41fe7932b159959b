//! The runtime's identity key: Ed25519, made in memory, never written.

use crate::{
    crypto::{Ed25519Secret, Secret32},
    entropy,
    secret::{Heap, KeptSecret, SecretMemory},
};
use attestation::IdentityKey;

/// The private half: its seed at rest. The key that signs is made from the seed for one signature and wiped. No Debug, Clone or Serialize.
pub struct IdentitySecret {
    seed: Box<dyn KeptSecret>,
    public: IdentityKey,
}

impl IdentitySecret {
    /// Makes a fresh key on the heap. Without randomness the process ends: there is nothing to live for.
    #[must_use]
    pub fn generate() -> Self {
        Self::generate_in(&Heap)
    }

    /// Makes a fresh key whose seed rests in `memory`. Without randomness the process ends.
    #[must_use]
    pub fn generate_in(memory: &dyn SecretMemory) -> Self {
        entropy::or_abort(Self::from_fresh_seed(memory))
    }

    /// The key of a published seed.
    #[cfg(test)]
    pub(crate) fn from_seed(seed: [u8; 32]) -> Self {
        let public = IdentityKey(Ed25519Secret::from_seed(&seed).unwrap().public());
        let seed = Heap.keep(&seed);
        Self { seed, public }
    }

    fn from_fresh_seed(memory: &dyn SecretMemory) -> Option<Self> {
        let mut seed = Secret32::default();
        entropy::fill(seed.as_mut_slice()).ok()?;
        let public = IdentityKey(Ed25519Secret::from_seed(seed.as_slice())?.public());
        let seed = memory.keep(seed.as_slice());
        Some(Self { seed, public })
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> IdentityKey {
        self.public
    }

    /// Ed25519 signature over `message` (RFC 8032).
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        entropy::or_abort(Ed25519Secret::from_seed(self.seed.expose())).sign(message)
    }
}
