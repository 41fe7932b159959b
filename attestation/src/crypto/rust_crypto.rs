//! The primitives on RustCrypto, for targets without a C toolchain.

use p384::ecdsa::signature::Verifier as _;
use rsa::{pkcs1::DecodeRsaPublicKey as _, traits::PublicKeyParts as _};
use sha2::Digest as _;

pub(super) fn sha256(data: &[u8]) -> [u8; 32] {
    sha2::Sha256::digest(data).into()
}

pub(super) fn sha384(data: &[u8]) -> [u8; 48] {
    sha2::Sha384::digest(data).into()
}

#[derive(Clone)]
pub(super) struct Sha384(sha2::Sha384);

impl Sha384 {
    pub(super) fn new() -> Self {
        Self(sha2::Sha384::new())
    }

    pub(super) fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    pub(super) fn finish(self) -> [u8; 48] {
        self.0.finalize().into()
    }
}

pub(super) fn sha512(data: &[u8]) -> [u8; 64] {
    sha2::Sha512::digest(data).into()
}

pub(super) fn ed25519_verify(public_key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    let Ok(key) = ed25519_dalek::VerifyingKey::from_bytes(public_key) else {
        return false;
    };
    ed25519_dalek::Signature::from_slice(signature)
        .is_ok_and(|signature| key.verify(message, &signature).is_ok())
}

pub(super) fn ecdsa_p384_sha384_verify(
    public_key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> bool {
    let Ok(key) = p384::ecdsa::VerifyingKey::from_sec1_bytes(public_key) else {
        return false;
    };
    p384::ecdsa::Signature::from_slice(signature)
        .is_ok_and(|signature| key.verify(message, &signature).is_ok())
}

pub(super) fn ecdsa_p256_sha256_verify(
    public_key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> bool {
    let Ok(key) = p256::ecdsa::VerifyingKey::from_sec1_bytes(public_key) else {
        return false;
    };
    p256::ecdsa::Signature::from_slice(signature)
        .is_ok_and(|signature| key.verify(message, &signature).is_ok())
}

/// Moduli as aws-lc-rs takes them: 2048 bits and more.
pub(super) fn rsa_pkcs1_sha256_verify(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let Ok(key) = rsa::RsaPublicKey::from_pkcs1_der(public_key) else {
        return false;
    };
    if key.size() < 256 {
        return false;
    }
    let key = rsa::pkcs1v15::VerifyingKey::<sha2::Sha256>::new(key);
    rsa::pkcs1v15::Signature::try_from(signature)
        .is_ok_and(|signature| key.verify(message, &signature).is_ok())
}

pub(super) fn rsa_pss_sha384_verify(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let Ok(key) = rsa::RsaPublicKey::from_pkcs1_der(public_key) else {
        return false;
    };
    let key = rsa::pss::VerifyingKey::<sha2::Sha384>::new(key);
    rsa::pss::Signature::try_from(signature)
        .is_ok_and(|signature| key.verify(message, &signature).is_ok())
}
