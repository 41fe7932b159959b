//! Payloads of any bytes under a genuine signature, so that what lies behind the signature is reached.

use attestation::cbor;
use ciborium::Value;
use protocol::IdentitySecret;
use std::sync::LazyLock;

/// The identity of one run.
pub static IDENTITY: LazyLock<IdentitySecret> = LazyLock::new(IdentitySecret::generate);

/// `payload` in a COSE_Sign1 by [`IDENTITY`] (RFC 9052 sections 4.2 and 4.4).
pub fn signed(content_type: &str, payload: &[u8]) -> Vec<u8> {
    let protected = cbor::encode(&Value::Map(vec![
        (1.into(), Value::from(-8)),
        (3.into(), content_type.into()),
    ]));
    let to_be_signed = cbor::encode(&Value::Array(vec![
        "Signature1".into(),
        Value::Bytes(protected.clone()),
        Value::Bytes(Vec::new()),
        Value::Bytes(payload.to_vec()),
    ]));
    cbor::encode(&Value::Array(vec![
        Value::Bytes(protected),
        Value::Map(Vec::new()),
        Value::Bytes(payload.to_vec()),
        Value::Bytes(IDENTITY.sign(&to_be_signed).to_vec()),
    ]))
}

/// The payload of a COSE_Sign1, for seeds.
pub fn payload(bytes: &[u8]) -> Vec<u8> {
    let parts = cbor::decode(bytes, 65_536).and_then(|value| value.into_array().ok());
    let payload = parts.and_then(|parts| parts.into_iter().nth(2)?.into_bytes().ok());
    payload.expect("a COSE_Sign1")
}
