//! The primitives: aws-lc-rs on native targets, RustCrypto on wasm32; nothing above this module names either. Native test builds compile
//! both and check one against the other.

#[cfg(not(target_arch = "wasm32"))]
mod aws_lc;
#[cfg(any(target_arch = "wasm32", test))]
mod rust_crypto;
#[cfg(test)]
mod tests;

#[cfg(not(target_arch = "wasm32"))]
use aws_lc as backend;
#[cfg(target_arch = "wasm32")]
use rust_crypto as backend;

pub(crate) use backend::{
    AeadKey, Ed25519Secret, MlKemSecret, Sha256, X25519Secret, hmac_sha256, ml_kem_encapsulate,
    sha3_256,
};

use zeroize::Zeroizing;

/// A secret of 32 bytes, wiped on drop.
pub(crate) type Secret32 = Zeroizing<[u8; 32]>;

/// Bytes of an ML-KEM-768 encapsulation key (FIPS 203 table 3).
pub(crate) const ML_KEM_PUBLIC: usize = 1184;
/// Bytes of an ML-KEM-768 ciphertext.
pub(crate) const ML_KEM_CIPHERTEXT: usize = 1088;
/// Bytes of an AEAD tag, Nt (RFC 9180 section 7.3).
pub(crate) const TAG: usize = 16;
/// Bytes of an AEAD nonce, Nn.
pub(crate) const NONCE: usize = 12;

/// The AEADs of RFC 9180 section 7.3 that this build speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aead {
    /// AES-128-GCM, 0x0001.
    Aes128Gcm,
    /// AES-256-GCM, 0x0002.
    Aes256Gcm,
}

impl Aead {
    /// Nk: bytes of a key.
    #[must_use]
    pub const fn key_len(self) -> usize {
        match self {
            Self::Aes128Gcm => 16,
            Self::Aes256Gcm => 32,
        }
    }
}

/// SHA-256 of `data`.
pub(crate) fn sha256(data: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(data);
    hash.finish()
}

/// The first `N` bytes as an array, if there are exactly `N`.
pub(crate) fn exactly<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

/// Encodings of points whose order divides 8: every agreement with them is zero.
#[cfg(test)]
pub(crate) const LOW_ORDER_POINTS: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];
