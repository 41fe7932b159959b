//! The releaser's side: a key goes to an admitted node, and to no other.

use super::{KeyId, MODEL_KEY_BYTES, ReleaseStatement, SEALED_KEY_BYTES, SUITE, info};
use crate::{KeyConfigError, SignedKeyConfigs, envelope::Header, hpke, ohttp_keys::KeyConfig};
use attestation::{BindingId, Digest, Nonce, UnixTime};
use policy::Admitted;

/// Seals the keys of one model to one admitted node, in answer to one nonce.
pub struct KeySealer {
    config: KeyConfig,
    node: String,
    binding_id: BindingId,
    nonce: Nonce,
    model: Digest,
    not_after: UnixTime,
}

/// Why no key is sealed to a node, in the order of the steps; `code()` is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// The list of the node's keys.
    #[error(transparent)]
    KeyConfig(#[from] KeyConfigError),
    /// No key of the suite that model keys are sealed with.
    #[error("the key list has no key for X-Wing with AES-256-GCM")]
    Suite,
    /// The admission's time is over.
    #[error("the admission of the node has expired")]
    AdmissionExpired,
    /// The admitted manifest states another model than the key is for.
    #[error("the node's manifest states another model")]
    OtherModel,
    /// The node's public key is none, or there is no randomness.
    #[error("no key could be encapsulated to the node")]
    Encapsulation,
}

impl ReleaseError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::KeyConfig(error) => error.code(),
            Self::Suite => "release.suite",
            Self::AdmissionExpired => "release.admission_expired",
            Self::OtherModel => "release.other_model",
            Self::Encapsulation => "release.encapsulation",
        }
    }
}

impl KeySealer {
    /// Takes the proof of admission, the nonce that the admitted evidence answered, and the key list that came with it.
    pub fn new(
        admitted: &Admitted,
        nonce: Nonce,
        keys: &SignedKeyConfigs,
        now: UnixTime,
    ) -> Result<Self, ReleaseError> {
        let claims = admitted.claims();
        let keys = keys.verify(&claims.identity, &claims.manifest_digest, now)?;
        let config = keys.preferred()?;
        if config.suite != SUITE {
            return Err(ReleaseError::Suite);
        }
        Ok(Self {
            config,
            node: keys.node,
            binding_id: claims.binding_id,
            nonce,
            model: claims.manifest.model_digest,
            not_after: admitted.not_after(),
        })
    }

    /// The name that the node signs.
    #[must_use]
    pub fn node(&self) -> &str {
        &self.node
    }

    /// Names the attestation that was admitted.
    #[must_use]
    pub const fn binding_id(&self) -> BindingId {
        self.binding_id
    }

    /// Seals the key `key_id` of `model`, which must be the one that the admitted manifest states.
    pub fn seal(
        &self,
        (key_id, model): (KeyId, Digest),
        key: &[u8; MODEL_KEY_BYTES],
        now: UnixTime,
    ) -> Result<Vec<u8>, ReleaseError> {
        self.check(&model, now)?;
        let statement = ReleaseStatement {
            nonce: self.nonce,
            binding_id: self.binding_id,
            key_id,
            model,
        };
        self.encrypt(&statement, key)
    }

    /// Whether a key of `model` may be sealed at `now`.
    pub fn check(&self, model: &Digest, now: UnixTime) -> Result<(), ReleaseError> {
        if now > self.not_after {
            return Err(ReleaseError::AdmissionExpired);
        }
        match *model == self.model {
            true => Ok(()),
            false => Err(ReleaseError::OtherModel),
        }
    }

    fn encrypt(
        &self,
        statement: &ReleaseStatement,
        key: &[u8; MODEL_KEY_BYTES],
    ) -> Result<Vec<u8>, ReleaseError> {
        let header = Header {
            key_id: self.config.key_id,
            suite: self.config.suite,
        };
        let sent = hpke::setup_sender(header.suite, &self.config.public_key, &info(&header));
        let (enc, mut context) = sent.map_err(|_| ReleaseError::Encapsulation)?;
        let mut sealed = [header.encode().as_slice(), &enc].concat();
        let front = sealed.len();
        sealed.resize(SEALED_KEY_BYTES, 0);
        let (_, out) = sealed
            .split_at_mut_checked(front)
            .ok_or(ReleaseError::Encapsulation)?;
        let written = context.aead.seal(&statement.digest(), key, out);
        written.ok_or(ReleaseError::Encapsulation)?;
        Ok(sealed)
    }
}
