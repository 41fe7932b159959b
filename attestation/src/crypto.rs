//! The primitives: aws-lc-rs on native targets, RustCrypto on wasm32; same verdicts on every vector.

#[cfg(not(target_arch = "wasm32"))]
mod aws_lc;
#[cfg(any(target_arch = "wasm32", test))]
mod rust_crypto;

#[cfg(not(target_arch = "wasm32"))]
use aws_lc as backend;
#[cfg(target_arch = "wasm32")]
use rust_crypto as backend;

/// SHA-256 of `data` (FIPS 180-4).
#[must_use]
pub fn sha256(data: &[u8]) -> [u8; 32] {
    backend::sha256(data)
}

/// SHA-384 of `data` (FIPS 180-4).
#[must_use]
pub fn sha384(data: &[u8]) -> [u8; 48] {
    backend::sha384(data)
}

/// SHA-384 of what comes in parts; its value is known after each.
#[derive(Clone)]
pub(crate) struct Sha384(backend::Sha384);

impl Sha384 {
    /// Of nothing.
    pub(crate) fn new() -> Self {
        Self(backend::Sha384::new())
    }

    /// Of `data` too.
    pub(crate) fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    /// Of everything so far.
    pub(crate) fn value(&self) -> [u8; 48] {
        self.0.clone().finish()
    }
}

/// SHA-512 of `data` (FIPS 180-4).
#[must_use]
pub fn sha512(data: &[u8]) -> [u8; 64] {
    backend::sha512(data)
}

/// Whether `signature` (64 bytes, RFC 8032) by `public_key` (32 bytes) is over `message`.
#[must_use]
pub fn ed25519_verify(public_key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    backend::ed25519_verify(public_key, message, signature)
}

/// Whether `signature` (r || s, 48 bytes each, big-endian) by `public_key` (uncompressed SEC1 point, 97 bytes) is over SHA-384 of `message`.
pub(crate) fn ecdsa_p384_sha384_verify(
    public_key: &[u8],
    message: &[u8],
    signature: &[u8; 96],
) -> bool {
    public_key.len() == 97 && backend::ecdsa_p384_sha384_verify(public_key, message, signature)
}

/// Whether `signature` (r || s, 32 bytes each, big-endian) by `public_key` (uncompressed SEC1 point, 65 bytes) is over SHA-256 of `message`.
pub(crate) fn ecdsa_p256_sha256_verify(
    public_key: &[u8],
    message: &[u8],
    signature: &[u8; 64],
) -> bool {
    public_key.len() == 65 && backend::ecdsa_p256_sha256_verify(public_key, message, signature)
}

/// Whether `signature` (RSASSA-PKCS1-v1_5 with SHA-256, RFC 8017 section 8.2) by `public_key` (`RSAPublicKey`, DER, 2048 to 4096 bits) is over `message`.
pub(crate) fn rsa_pkcs1_sha256_verify(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    backend::rsa_pkcs1_sha256_verify(public_key, message, signature)
}

/// Whether `signature` (512 bytes, RFC 8017 section 8.1, MGF1 and salt of SHA-384) by `public_key` (`RSAPublicKey`, DER) is over `message`.
///
/// The caller has checked that the modulus has 4096 bits.
pub(crate) fn rsa_4096_pss_sha384_verify(
    public_key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> bool {
    signature.len() == 512 && backend::rsa_pss_sha384_verify(public_key, message, signature)
}

#[cfg(test)]
mod tests;
