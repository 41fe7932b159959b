//! Signed forms: JWT (JWS compact serialization, RFC 7515) and CWT (`COSE_Sign1`, RFC 9052).
//!
//! This module makes the bytes that are signed; a [`Signer`] outside signs them.

use super::AttestationResult;
use crate::cbor;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ciborium::Value;
use serde_json::json;

/// Tag of `COSE_Sign1`.
const COSE_SIGN1: u64 = 18;
/// Labels of COSE headers.
const ALG: u8 = 1;
const KID: u8 = 4;

/// How a result is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA P-256 with SHA-256; signatures are r and s, 32 bytes each.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    const fn jose(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    const fn cose(self) -> i8 {
        match self {
            Self::Es256 => -7,
            Self::EdDsa => -8,
        }
    }
}

/// Whoever holds the verifier's key.
pub trait Signer {
    /// Why there is no signature.
    type Error;

    /// What its signatures are.
    fn algorithm(&self) -> Algorithm;

    /// By which relying parties find its public key.
    fn key_id(&self) -> String;

    /// The signature over `message`, 64 bytes.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Self::Error>;
}

impl AttestationResult {
    /// The result as a JWT.
    pub fn to_jwt<S: Signer>(&self, signer: &S) -> Result<String, S::Error> {
        let header = json!({
            "alg": signer.algorithm().jose(),
            "kid": signer.key_id(),
            "typ": "eat+jwt",
        });
        let [header, payload] =
            [header, self.to_json()].map(|part| base64url(part.to_string().as_bytes()));
        let signed = format!("{header}.{payload}");
        let signature = signer.sign(signed.as_bytes())?;
        Ok(format!("{signed}.{}", base64url(&signature)))
    }

    /// The result as a CWT: a tagged `COSE_Sign1`.
    pub fn to_cwt<S: Signer>(&self, signer: &S) -> Result<Vec<u8>, S::Error> {
        let protected = cbor::encode(&Value::Map(vec![
            (ALG.into(), signer.algorithm().cose().into()),
            (KID.into(), signer.key_id().into_bytes().into()),
        ]));
        let payload = self.to_cbor();
        let signed = cbor::encode(&Value::Array(vec![
            "Signature1".into(),
            protected.clone().into(),
            Value::Bytes(Vec::new()),
            payload.clone().into(),
        ]));
        let signature = signer.sign(&signed)?;
        let message = Value::Array(vec![
            protected.into(),
            Value::Map(Vec::new()),
            payload.into(),
            signature.to_vec().into(),
        ]);
        Ok(cbor::encode(&Value::Tag(COSE_SIGN1, Box::new(message))))
    }
}

pub(super) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
