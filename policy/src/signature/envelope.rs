//! A DSSE envelope: JSON on the outside, the pre-authentication encoding (PAE) under the signatures.

use super::{SignatureError, TrustRoot, keyid};
use attestation::crypto::ed25519_verify;
use base64::{
    DecodeError, Engine,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Largest envelope accepted, in bytes of JSON; some kinds' may be larger ([`PayloadType::max_envelope_bytes`]).
pub const MAX_ENVELOPE_BYTES: usize = 1024 * 1024;

/// Largest envelope of an inventory or a sealed model: 16 MiB in Base64, and its signatures.
const MAX_LARGE_ENVELOPE_BYTES: usize = 24 * 1024 * 1024;

/// Most signatures that one envelope may carry.
pub const MAX_SIGNATURES: usize = 64;

/// The kind of document that a signature is for; a signature of one kind is worth nothing for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadType {
    /// `application/vnd.narthex.policy+toml`.
    Policy,
    /// `application/vnd.narthex.root+toml`.
    Root,
    /// `application/vnd.narthex.inventory+toml`.
    Inventory,
    /// `application/vnd.narthex.order+toml`.
    Order,
    /// `application/vnd.narthex.timestamp+toml`.
    Timestamp,
    /// `application/vnd.narthex.sealed-model+cbor`.
    SealedModel,
}

/// A DSSE envelope (JSON), parsed, not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    payload_type: String,
    payload: Vec<u8>,
    signatures: Vec<Signature>,
}

/// One signature with its unauthenticated hint; an empty `keyid` is none.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Signature {
    keyid: String,
    sig: [u8; 64],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvelopeJson {
    #[serde(rename = "payloadType")]
    payload_type: String,
    payload: String,
    signatures: Vec<SignatureJson>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureJson {
    #[serde(default)]
    keyid: String,
    sig: String,
}

impl PayloadType {
    /// The media type that DSSE's `payloadType` carries.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Policy => "application/vnd.narthex.policy+toml",
            Self::Root => "application/vnd.narthex.root+toml",
            Self::Inventory => "application/vnd.narthex.inventory+toml",
            Self::Order => "application/vnd.narthex.order+toml",
            Self::Timestamp => "application/vnd.narthex.timestamp+toml",
            Self::SealedModel => "application/vnd.narthex.sealed-model+cbor",
        }
    }

    /// Largest envelope of this kind, in bytes of JSON.
    #[must_use]
    pub const fn max_envelope_bytes(self) -> usize {
        match self {
            Self::Inventory | Self::SealedModel => MAX_LARGE_ENVELOPE_BYTES,
            Self::Policy | Self::Root | Self::Order | Self::Timestamp => MAX_ENVELOPE_BYTES,
        }
    }
}

impl Envelope {
    /// Parses JSON; at most 1 MiB and 64 signatures; unknown fields refused.
    pub fn from_json(bytes: &[u8]) -> Result<Self, SignatureError> {
        Self::within(MAX_ENVELOPE_BYTES, bytes)
    }

    /// Parses JSON that should hold a document of `kind`, within the cap of that kind. Of which kind it is, [`Envelope::open`] judges.
    pub fn from_json_of(kind: PayloadType, bytes: &[u8]) -> Result<Self, SignatureError> {
        Self::within(kind.max_envelope_bytes(), bytes)
    }

    fn within(limit_bytes: usize, bytes: &[u8]) -> Result<Self, SignatureError> {
        if bytes.len() > limit_bytes {
            return Err(SignatureError::TooLarge { limit_bytes });
        }
        let json: EnvelopeJson = serde_json::from_slice(bytes).map_err(malformed)?;
        if json.signatures.len() > MAX_SIGNATURES {
            let found = json.signatures.len();
            return Err(SignatureError::TooManySignatures { found });
        }
        let signatures = json.signatures.into_iter().map(Signature::from_json);
        Ok(Self {
            payload_type: json.payload_type,
            payload: base64(&json.payload).map_err(malformed)?,
            signatures: signatures.collect::<Result<_, _>>()?,
        })
    }

    /// An envelope without signatures.
    #[must_use]
    pub fn unsigned(kind: PayloadType, payload: Vec<u8>) -> Self {
        Self {
            payload_type: kind.as_str().to_owned(),
            payload,
            signatures: Vec::new(),
        }
    }

    /// The bytes that are signed: DSSE's pre-authentication encoding.
    #[must_use]
    pub fn pae(&self) -> Vec<u8> {
        pae(&self.payload_type, &self.payload)
    }

    /// Adds a signature over [`Envelope::pae`] made elsewhere (this crate holds no private key).
    pub fn add_signature(&mut self, public_key: [u8; 32], signature: [u8; 64]) {
        self.signatures.push(Signature {
            keyid: keyid(&public_key),
            sig: signature,
        });
    }

    /// JSON, indented, readable with jq.
    #[must_use]
    pub fn to_json(&self) -> String {
        written(serde_json::to_string_pretty(&self.json()))
    }

    /// JSON on one line without its end, for files of many envelopes.
    #[must_use]
    pub fn to_line(&self) -> String {
        written(serde_json::to_string(&self.json()))
    }

    fn json(&self) -> EnvelopeJson {
        EnvelopeJson {
            payload_type: self.payload_type.clone(),
            payload: STANDARD.encode(&self.payload),
            signatures: self.signatures.iter().map(Signature::to_json).collect(),
        }
    }

    /// The payload, if it is of `kind` and enough distinct keys of `root` signed it.
    pub fn open(&self, kind: PayloadType, root: &TrustRoot) -> Result<&[u8], SignatureError> {
        self.signers(kind, root).map(|_| self.payload.as_slice())
    }

    /// The distinct keys of `root` that signed, ascending, if the envelope is of `kind` and they are enough.
    pub fn signers(
        &self,
        kind: PayloadType,
        root: &TrustRoot,
    ) -> Result<Vec<[u8; 32]>, SignatureError> {
        self.unverified(kind)?;
        if self.signatures.is_empty() {
            return Err(SignatureError::Unsigned);
        }
        enough(&self.valid_signers(root)?, root.threshold())
    }

    /// The media type of its payload, whoever signed it.
    #[must_use]
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    /// The hints of the signatures, in the envelope's order; they prove nothing.
    pub fn keyids(&self) -> impl Iterator<Item = &str> {
        self.signatures.iter().map(|s| s.keyid.as_str())
    }

    /// The payload, if it is of `kind`, whoever signed it: for documents that say themselves who must sign them.
    pub(crate) fn unverified(&self, kind: PayloadType) -> Result<&[u8], SignatureError> {
        if self.payload_type == kind.as_str() {
            return Ok(&self.payload);
        }
        Err(SignatureError::PayloadType {
            expected: kind.as_str(),
            found: self.payload_type.clone(),
        })
    }

    /// The payload, whoever signed it: for showing and linting, never for obeying.
    #[must_use]
    pub fn unverified_payload(&self) -> &[u8] {
        &self.payload
    }

    /// The key behind every signature by a key of `root`, doubled where a key signed twice.
    fn valid_signers(&self, root: &TrustRoot) -> Result<Vec<[u8; 32]>, SignatureError> {
        let unnamed = self
            .signatures
            .iter()
            .filter(|one| one.keyid.is_empty())
            .count();
        let keys = root.keys().len();
        if unnamed > keys {
            return Err(SignatureError::TooManyUnnamed { unnamed, keys });
        }
        let message = self.pae();
        self.signatures
            .iter()
            .filter_map(|signature| signature.signer(&message, root).transpose())
            .collect()
    }
}

impl Signature {
    fn from_json(json: SignatureJson) -> Result<Self, SignatureError> {
        let sig = base64(&json.sig).map_err(malformed)?;
        let sig = <[u8; 64]>::try_from(sig)
            .map_err(|sig| malformed(format!("a signature of {} bytes, not 64", sig.len())))?;
        Ok(Self {
            keyid: json.keyid,
            sig,
        })
    }

    fn to_json(&self) -> SignatureJson {
        SignatureJson {
            keyid: self.keyid.clone(),
            sig: STANDARD.encode(self.sig),
        }
    }

    /// The key of `root` that made this signature; none if it is by a stranger; an error if it lies about a key of the root.
    fn signer(&self, message: &[u8], root: &TrustRoot) -> Result<Option<[u8; 32]>, SignatureError> {
        let verifies = |key: &&[u8; 32]| ed25519_verify(key, message, &self.sig);
        if self.keyid.is_empty() {
            return Ok(root.keys().iter().find(verifies).copied());
        }
        match root.key_named(&self.keyid) {
            None => Ok(None),
            Some(key) if verifies(&key) => Ok(Some(*key)),
            Some(_) => Err(SignatureError::Invalid {
                keyid: self.keyid.clone(),
            }),
        }
    }
}

#[expect(
    clippy::expect_used,
    reason = "three strings and a list of pairs of strings always serialise"
)]
fn written(json: serde_json::Result<String>) -> String {
    json.expect("strings serialise")
}

fn enough(signers: &[[u8; 32]], needed: usize) -> Result<Vec<[u8; 32]>, SignatureError> {
    let distinct: BTreeSet<_> = signers.iter().copied().collect();
    let found = distinct.len();
    if found >= needed {
        Ok(distinct.into_iter().collect())
    } else if signers.len() >= needed {
        Err(SignatureError::Doubled { needed, found })
    } else {
        Err(SignatureError::TooFew { needed, found })
    }
}

/// `"DSSEv1" SP LEN(type) SP type SP LEN(body) SP body`, lengths in decimal (DSSE v1.0.2, protocol.md).
fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    );
    [head.as_bytes(), payload].concat()
}

/// Both alphabets, as DSSE asks; padding is required.
fn base64(text: &str) -> Result<Vec<u8>, DecodeError> {
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text))
}

#[expect(clippy::needless_pass_by_value, reason = "takes what `map_err` gives")]
fn malformed(error: impl ToString) -> SignatureError {
    SignatureError::Malformed(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pae_of_the_published_vector() {
        let encoded = pae("http://example.com/HelloWorld", b"hello world");
        assert_eq!(
            encoded,
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }
}
