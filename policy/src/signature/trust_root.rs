//! Who may sign policies: distinct Ed25519 public keys and a threshold.

use super::SignatureError;
use attestation::{Digest, crypto, hash};

/// Most keys that one root may have.
pub const MAX_KEYS: usize = 64;

/// The keys whose signatures count, and how many distinct ones are needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustRoot {
    /// Ascending and distinct.
    keys: Vec<[u8; 32]>,
    threshold: usize,
}

/// The keyid of an Ed25519 public key: SHA-256 of its 32 raw bytes, lower-case hex. A hint, never an identity.
#[must_use]
pub fn keyid(public_key: &[u8; 32]) -> String {
    hex::encode(crypto::sha256(public_key))
}

impl TrustRoot {
    /// `threshold` of `keys`; no keys, a doubled key, or a threshold of zero or above the number of keys is an error.
    pub fn new(mut keys: Vec<[u8; 32]>, threshold: usize) -> Result<Self, SignatureError> {
        if keys.is_empty() {
            return Err(SignatureError::NoKeys);
        }
        if keys.len() > MAX_KEYS {
            return Err(SignatureError::TooManyKeys { found: keys.len() });
        }
        keys.sort_unstable();
        if let Some(key) = first_doubled(&keys) {
            return Err(SignatureError::DoubledKey { keyid: keyid(key) });
        }
        if threshold == 0 || threshold > keys.len() {
            let keys = keys.len();
            return Err(SignatureError::Threshold { threshold, keys });
        }
        Ok(Self { keys, threshold })
    }

    /// Digest of the root: label `narthex/1/policy-root`, threshold (u64), sorted keys.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let threshold = (self.threshold as u64).to_be_bytes();
        let mut fields: Vec<&[u8]> = vec![&threshold];
        fields.extend(self.keys.iter().map(<[u8; 32]>::as_slice));
        hash::sha256_fields("narthex/1/policy-root", &fields)
    }

    /// The keys, ascending.
    #[must_use]
    pub fn keys(&self) -> &[[u8; 32]] {
        &self.keys
    }

    /// How many distinct keys must sign.
    #[must_use]
    pub const fn threshold(&self) -> usize {
        self.threshold
    }

    /// The key that `hint` names, if it is one of the root's.
    pub(super) fn key_named(&self, hint: &str) -> Option<&[u8; 32]> {
        self.keys.iter().find(|key| keyid(key) == hint)
    }
}

fn first_doubled(sorted: &[[u8; 32]]) -> Option<&[u8; 32]> {
    sorted
        .iter()
        .zip(sorted.iter().skip(1))
        .find_map(|(a, b)| (a == b).then_some(a))
}
