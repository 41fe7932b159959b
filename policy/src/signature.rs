//! DSSE envelopes (PAE, one payload type per kind of document) signed by k of n distinct Ed25519 keys.

use attestation::Digest;

/// The kind of document that a signature is for; a signature of one kind is worth nothing for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadType {
    /// `application/vnd.narthex.policy+toml`.
    Policy,
}

/// The keys whose signatures count, and how many distinct ones are needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustRoot {
    keys: Vec<[u8; 32]>,
    threshold: usize,
}

/// A DSSE envelope (JSON), parsed, not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    payload_type: String,
    payload: Vec<u8>,
    signatures: Vec<(String, Vec<u8>)>,
}

/// Why an envelope or a root was refused; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// Not a DSSE envelope in JSON.
    #[error("not a DSSE envelope: {0}")]
    Malformed(String),
}

impl TrustRoot {
    /// `threshold` of `keys`; no keys, a doubled key, or a threshold of zero or above the number of keys is an error.
    pub fn new(keys: Vec<[u8; 32]>, threshold: usize) -> Result<Self, SignatureError> {
        Ok(Self { keys, threshold })
    }

    /// Digest of the root: label `narthex/1/policy-root`, threshold (u64), sorted keys.
    #[must_use]
    pub fn digest(&self) -> Digest {
        unimplemented!()
    }
}

impl Envelope {
    /// Parses JSON; at most 1 MiB and 64 signatures; unknown fields refused.
    pub fn from_json(bytes: &[u8]) -> Result<Self, SignatureError> {
        let _ = bytes;
        unimplemented!()
    }

    /// An envelope without signatures.
    #[must_use]
    pub fn unsigned(kind: PayloadType, payload: Vec<u8>) -> Self {
        let _ = (kind, payload);
        unimplemented!()
    }

    /// The bytes that are signed: DSSE's pre-authentication encoding.
    #[must_use]
    pub fn pae(&self) -> Vec<u8> {
        unimplemented!()
    }

    /// Adds a signature over [`Envelope::pae`] made elsewhere (this crate holds no private key).
    pub fn add_signature(&mut self, public_key: [u8; 32], signature: [u8; 64]) {
        let _ = (public_key, signature);
        unimplemented!()
    }

    /// JSON, indented, readable with jq.
    #[must_use]
    pub fn to_json(&self) -> String {
        unimplemented!()
    }

    /// The payload, if it is of `kind` and enough distinct keys of `root` signed it.
    pub fn open(&self, kind: PayloadType, root: &TrustRoot) -> Result<&[u8], SignatureError> {
        let _ = (kind, root);
        unimplemented!()
    }
}
