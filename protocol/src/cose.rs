//! COSE_Sign1 (RFC 9052 section 4.2), untagged, EdDSA, over a payload of one media type. Exactly one encoding is accepted.

#[cfg(test)]
mod tests;

use crate::IdentitySecret;
use attestation::{IdentityKey, cbor, crypto::ed25519_verify};
use ciborium::Value;

/// Why a signed object was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CoseError {
    Malformed,
    Signature,
}

/// Signs `payload` as `content_type`.
pub(crate) fn sign(content_type: &str, payload: Vec<u8>, identity: &IdentitySecret) -> Vec<u8> {
    let protected = protected_header(content_type);
    let signature = identity.sign(&to_be_signed(&protected, &payload));
    cbor::encode(&Value::Array(vec![
        Value::Bytes(protected),
        Value::Map(Vec::new()),
        Value::Bytes(payload),
        Value::Bytes(signature.to_vec()),
    ]))
}

/// The payload of `bytes`, at most `max_bytes` long, if `identity` signed it as `content_type`.
pub(crate) fn open(
    content_type: &str,
    bytes: &[u8],
    max_bytes: usize,
    identity: &IdentityKey,
) -> Result<Vec<u8>, CoseError> {
    let Parts {
        protected,
        payload,
        signature,
    } = Parts::read(content_type, bytes, max_bytes)?;
    if !ed25519_verify(&identity.0, &to_be_signed(&protected, &payload), &signature) {
        return Err(CoseError::Signature);
    }
    Ok(payload)
}

/// The payload of `bytes`, whoever signed it.
pub(crate) fn open_unverified(
    content_type: &str,
    bytes: &[u8],
    max_bytes: usize,
) -> Result<Vec<u8>, CoseError> {
    Ok(Parts::read(content_type, bytes, max_bytes)?.payload)
}

struct Parts {
    protected: Vec<u8>,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl Parts {
    fn read(content_type: &str, bytes: &[u8], max_bytes: usize) -> Result<Self, CoseError> {
        let parts = cbor::decode(bytes, max_bytes).and_then(|value| value.into_array().ok());
        let parts = parts.and_then(|parts| <[Value; 4]>::try_from(parts).ok());
        let Some([protected, unprotected, payload, signature]) = parts else {
            return Err(CoseError::Malformed);
        };
        let bytes = |value: Value| value.into_bytes().map_err(|_| CoseError::Malformed);
        let parts = Self {
            protected: bytes(protected)?,
            payload: bytes(payload)?,
            signature: bytes(signature)?,
        };
        let is_empty = unprotected == Value::Map(Vec::new());
        if parts.protected != protected_header(content_type) || !is_empty {
            return Err(CoseError::Malformed);
        }
        Ok(parts)
    }
}

/// `{1: -8, 3: content_type}`: algorithm EdDSA and content type (RFC 9052 section 3.1).
fn protected_header(content_type: &str) -> Vec<u8> {
    cbor::encode(&Value::Map(vec![
        (Value::from(1), Value::from(-8)),
        (Value::from(3), Value::from(content_type)),
    ]))
}

/// The Sig_structure of RFC 9052 section 4.4, without external data.
fn to_be_signed(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    cbor::encode(&Value::Array(vec![
        Value::from("Signature1"),
        Value::Bytes(protected.to_vec()),
        Value::Bytes(Vec::new()),
        Value::Bytes(payload.to_vec()),
    ]))
}
