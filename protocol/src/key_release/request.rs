//! What a node posts for a key: deterministic CBOR, strict and capped.

use super::KeyId;
use attestation::{
    Digest, Nonce,
    bundle::MAX_BUNDLE_BYTES,
    cbor::{self, Fields},
};
use ciborium::Value;

/// Largest request, in bytes: the largest bundle, and the rest.
pub const MAX_KEY_REQUEST_BYTES: usize = MAX_BUNDLE_BYTES + 1024;

const VERSION: u64 = 1;

/// Which key a node wants, and its evidence; parsed, not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRequest {
    /// The nonce that the releaser gave.
    pub nonce: Nonce,
    /// The key.
    pub key_id: KeyId,
    /// SHA-256 of the model, opened.
    pub model: Digest,
    /// The evidence bundle that answers the nonce, with a key list; as received.
    pub evidence: Vec<u8>,
}

/// The bytes are no key request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key request is malformed")]
pub struct KeyRequestError;

impl KeyRequestError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "key_request.malformed"
    }
}

impl KeyRequest {
    /// Parses the received bytes; unknown and absent keys and trailing bytes are errors.
    pub fn from_cbor(bytes: &[u8]) -> Result<Self, KeyRequestError> {
        Self::parse(bytes).ok_or(KeyRequestError)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields::decode(bytes, MAX_KEY_REQUEST_BYTES)?;
        let version: u64 = fields.take_uint("v")?;
        let request = Self {
            nonce: Nonce(fields.take_array("nonce")?),
            key_id: KeyId(fields.take_array("key")?),
            model: fields.take_array("model")?,
            evidence: fields.take_bytes("evidence")?,
        };
        fields.finish()?;
        (version == VERSION).then_some(request)
    }

    /// Deterministic CBOR.
    #[must_use]
    pub fn to_cbor(&self) -> Vec<u8> {
        cbor::encode(&cbor::map([
            ("v", Value::from(VERSION)),
            ("nonce", self.nonce.0.as_slice().into()),
            ("key", self.key_id.0.as_slice().into()),
            ("model", self.model.as_slice().into()),
            ("evidence", self.evidence.as_slice().into()),
        ]))
    }
}
