//! Tensor operations, one folder per operation: contract, scalar reference, AVX-512 launcher, parity test side by side.

/// SHA-256 over this crate's sources and version, in a fixed order: names the arithmetic in the manifest.
#[expect(clippy::unimplemented, reason = "the signature comes first")]
pub fn digest() -> [u8; 32] {
    unimplemented!()
}
