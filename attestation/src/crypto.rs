//! The primitives: aws-lc-rs on native targets, RustCrypto on wasm32; same verdicts on every vector.

/// SHA-256 of `data`.
#[must_use]
pub fn sha256(data: &[u8]) -> [u8; 32] {
    let _ = data;
    unimplemented!()
}

/// Whether `signature` (64 bytes, RFC 8032) by `public_key` (32 bytes) is over `message`.
#[must_use]
pub fn ed25519_verify(public_key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    let _ = (public_key, message, signature);
    unimplemented!()
}
