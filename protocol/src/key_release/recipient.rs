//! The node's side: an identity and an HPKE key that live for one release.

use super::{MODEL_KEY_BYTES, ReleaseStatement, SEALED_KEY_BYTES, SUITE, info};
use crate::{
    IdentitySecret, KeyConfigs, SignedKeyConfigs, entropy,
    envelope::{HEADER_LEN, Header},
    hpke::{self, KemSecret},
    ohttp_keys::{self, KeyConfig},
    secret::{KeptSecret, SecretMemory},
};
use attestation::{Digest, IdentityKey, UnixTime};
use zeroize::Zeroizing;

/// The key id of the one key in the list.
const KEY_ID: u8 = 0;

/// A node that waits for one key. No Debug, Clone or Serialize; its secrets are wiped on drop.
pub struct KeyRecipient {
    identity: IdentitySecret,
    secret: KemSecret,
}

/// What the list of the recipient's key says beside the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyListTerms {
    /// H(manifest).
    pub manifest: Digest,
    /// The node's name.
    pub node: String,
    /// First second of validity.
    pub not_before: UnixTime,
    /// First second after validity.
    pub expires: UnixTime,
    /// Version and digest of the policy that the node obeys.
    pub policy: (u64, Digest),
}

/// Why a sealed key was not opened, in the order of the steps; `code()` is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenKeyError {
    /// Not as long as every sealed key.
    #[error("the sealed key does not have {SEALED_KEY_BYTES} bytes")]
    Length,
    /// Another key or suite than the list offers.
    #[error("the sealed key is for another key or suite")]
    Header,
    /// Sealed to another key, in answer to another nonce, for another attestation, key or model, or changed under way.
    #[error("the sealed key does not authenticate")]
    Authentication,
}

impl OpenKeyError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Length => "sealed_key.length",
            Self::Header => "sealed_key.header",
            Self::Authentication => "sealed_key.authentication",
        }
    }
}

impl KeyRecipient {
    /// Makes an identity and an X-Wing key that rest in `memory`. Without randomness the process ends.
    #[must_use]
    pub fn generate_in(memory: &dyn SecretMemory) -> Self {
        Self {
            identity: IdentitySecret::generate_in(memory),
            secret: entropy::or_abort(KemSecret::generate(SUITE.kem, memory)),
        }
    }

    /// The identity that evidence has to bind.
    #[must_use]
    pub const fn identity(&self) -> IdentityKey {
        self.identity.public()
    }

    /// The list of the one key, signed by the identity.
    #[must_use]
    pub fn key_list(&self, terms: KeyListTerms) -> SignedKeyConfigs {
        let (policy_version, policy_digest) = terms.policy;
        let list = KeyConfigs {
            identity: self.identity().digest(),
            manifest: terms.manifest,
            node: terms.node,
            epoch: KEY_ID.into(),
            not_before: terms.not_before,
            expires: terms.expires,
            policy_version,
            policy_digest,
            configs: self.configs(),
        };
        list.sign(&self.identity)
    }

    fn configs(&self) -> Vec<u8> {
        let config = KeyConfig {
            key_id: KEY_ID,
            suite: SUITE,
            public_key: self.secret.public().to_vec(),
        };
        let mut configs = Vec::new();
        ohttp_keys::encode(&config, &mut configs);
        configs
    }

    /// Opens what was sealed for exactly `statement`, into `memory`. A recipient opens one key and is gone.
    pub fn open(
        self,
        statement: &ReleaseStatement,
        sealed: &[u8],
        memory: &dyn SecretMemory,
    ) -> Result<Box<dyn KeptSecret>, OpenKeyError> {
        if sealed.len() != SEALED_KEY_BYTES {
            return Err(OpenKeyError::Length);
        }
        let (header, rest) = sealed
            .split_first_chunk::<HEADER_LEN>()
            .ok_or(OpenKeyError::Length)?;
        let header = Header::parse(*header)
            .filter(|header| header.key_id == KEY_ID && header.suite == SUITE)
            .ok_or(OpenKeyError::Header)?;
        // On the heap, where it is wiped: what is moved on the stack leaves copies.
        let mut key = Zeroizing::new(vec![0; MODEL_KEY_BYTES]);
        let opened = self.decrypt((&header, rest), statement, &mut key);
        opened.ok_or(OpenKeyError::Authentication)?;
        Ok(memory.keep(&key))
    }

    fn decrypt(
        &self,
        (header, sealed): (&Header, &[u8]),
        statement: &ReleaseStatement,
        key: &mut [u8],
    ) -> Option<()> {
        let (enc, sealed) = sealed.split_at_checked(header.suite.kem.enc_len())?;
        let opened = hpke::setup_receiver(header.suite, &self.secret, enc, &info(header));
        let mut context = opened.ok()?;
        context.aead.open_into(&statement.digest(), sealed, key)
    }
}
