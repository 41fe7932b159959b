//! Key configurations (RFC 9458 section 3) and the short-lived list of them that the attested identity signs.

#[cfg(test)]
mod tests;

use crate::{
    cose::{self, CoseError},
    ohttp_keys::{self, KeyConfig},
    sealed_headers::is_node,
};
use attestation::{
    Digest, IdentityKey, UnixTime,
    cbor::{self, Fields},
};
use ciborium::Value;

/// Most bytes of a signed key list.
pub const MAX_SIGNED_KEY_CONFIGS: usize = 65_536;

const CONTENT_TYPE: &str = "application/vnd.narthex.keys+cbor";
const VERSION: u64 = 1;

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

impl KeyConfigError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "keys.malformed",
            Self::Signature => "keys.signature",
            Self::NotAttested => "keys.not_attested",
            Self::NotYetValid => "keys.not_yet_valid",
            Self::Expired => "keys.expired",
            Self::NoCommonSuite => "keys.no_common_suite",
        }
    }
}

impl KeyConfigs {
    /// Signs with the runtime's identity.
    #[must_use]
    pub fn sign(&self, identity: &crate::IdentitySecret) -> SignedKeyConfigs {
        let payload = cbor::encode(&cbor::map([
            ("v", Value::from(VERSION)),
            ("identity", self.identity.as_slice().into()),
            ("manifest", self.manifest.as_slice().into()),
            ("node", self.node.as_str().into()),
            ("epoch", self.epoch.into()),
            ("nbf", self.not_before.0.into()),
            ("exp", self.expires.0.into()),
            ("policy-version", self.policy_version.into()),
            ("policy-digest", self.policy_digest.as_slice().into()),
            ("configs", self.configs.as_slice().into()),
        ]));
        SignedKeyConfigs::from_bytes(cose::sign(CONTENT_TYPE, payload, identity))
    }

    // R5.1
    fn parse(payload: &[u8]) -> Option<Self> {
        let mut fields = Fields::decode(payload, MAX_SIGNED_KEY_CONFIGS)?;
        let version: u64 = fields.take_uint("v")?;
        let configs = Self {
            identity: fields.take_array("identity")?,
            manifest: fields.take_array("manifest")?,
            node: fields.take_text("node")?,
            epoch: fields.take_uint("epoch")?,
            not_before: UnixTime(fields.take_uint("nbf")?),
            expires: UnixTime(fields.take_uint("exp")?),
            policy_version: fields.take_uint("policy-version")?,
            policy_digest: fields.take_array("policy-digest")?,
            configs: fields.take_bytes("configs")?,
        };
        fields.finish()?;
        (version == VERSION && configs.is_consistent()).then_some(configs)
    }

    fn is_consistent(&self) -> bool {
        let parsed = ohttp_keys::parse(&self.configs);
        let [key_id, ..] = self.epoch.to_le_bytes();
        is_node(&self.node)
            && self.not_before < self.expires
            && parsed.is_some_and(|configs| configs.iter().all(|config| config.key_id == key_id))
    }

    pub(crate) fn check_window(&self, now: UnixTime) -> Result<(), KeyConfigError> {
        if now < self.not_before {
            return Err(KeyConfigError::NotYetValid);
        }
        if now >= self.expires {
            return Err(KeyConfigError::Expired);
        }
        Ok(())
    }

    /// The first configuration that this build speaks.
    pub(crate) fn preferred(&self) -> Result<KeyConfig, KeyConfigError> {
        let configs = ohttp_keys::parse(&self.configs).ok_or(KeyConfigError::Malformed)?;
        let first = configs.into_iter().next();
        first.ok_or(KeyConfigError::NoCommonSuite)
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
        // R5.3
        let payload = cose::open(CONTENT_TYPE, &self.bytes, MAX_SIGNED_KEY_CONFIGS, identity)?;
        let configs = KeyConfigs::parse(&payload).ok_or(KeyConfigError::Malformed)?;
        if configs.identity != identity.digest() || configs.manifest != *manifest {
            return Err(KeyConfigError::NotAttested);
        }
        configs.check_window(now)?;
        Ok(configs)
    }
}

impl From<CoseError> for KeyConfigError {
    fn from(error: CoseError) -> Self {
        match error {
            CoseError::Malformed => Self::Malformed,
            CoseError::Signature => Self::Signature,
        }
    }
}
