//! The primitives on aws-lc-rs.

use aws_lc_rs::{digest, signature};

pub(super) fn sha256(data: &[u8]) -> [u8; 32] {
    fixed(&digest::digest(&digest::SHA256, data))
}

pub(super) fn sha384(data: &[u8]) -> [u8; 48] {
    fixed(&digest::digest(&digest::SHA384, data))
}

#[derive(Clone)]
pub(super) struct Sha384(digest::Context);

impl Sha384 {
    pub(super) fn new() -> Self {
        Self(digest::Context::new(&digest::SHA384))
    }

    pub(super) fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    pub(super) fn finish(self) -> [u8; 48] {
        fixed(&self.0.finish())
    }
}

pub(super) fn sha512(data: &[u8]) -> [u8; 64] {
    fixed(&digest::digest(&digest::SHA512, data))
}

pub(super) fn ed25519_verify(public_key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    verify(&signature::ED25519, public_key, message, signature)
}

pub(super) fn ecdsa_p384_sha384_verify(
    public_key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> bool {
    verify(
        &signature::ECDSA_P384_SHA384_FIXED,
        public_key,
        message,
        signature,
    )
}

pub(super) fn ecdsa_p256_sha256_verify(
    public_key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> bool {
    verify(
        &signature::ECDSA_P256_SHA256_FIXED,
        public_key,
        message,
        signature,
    )
}

pub(super) fn rsa_pkcs1_sha256_verify(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    verify(
        &signature::RSA_PKCS1_2048_8192_SHA256,
        public_key,
        message,
        signature,
    )
}

pub(super) fn rsa_pss_sha384_verify(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    verify(
        &signature::RSA_PSS_2048_8192_SHA384,
        public_key,
        message,
        signature,
    )
}

fn verify(
    algorithm: &'static dyn signature::VerificationAlgorithm,
    public_key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> bool {
    signature::UnparsedPublicKey::new(algorithm, public_key)
        .verify(message, signature)
        .is_ok()
}

/// The digest as an array. `N` is the algorithm's output length: both are written side by side above, and tests hold them to known answers.
fn fixed<const N: usize>(digest: &digest::Digest) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(digest.as_ref());
    bytes
}
