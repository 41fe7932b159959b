//! The ID block by which a guest's owner signs what may be launched, and the digests of the keys that sign (AMD 56860, SNP_LAUNCH_FINISH).

use crate::crypto;

const VERSION: u32 = 1;
const CURVE_P384: u32 = 2;
/// Bytes of a coordinate in AMD's structures, little-endian with zeros after it.
const COORDINATE_BYTES: usize = 72;
/// Bytes of AMD's structure of an ECDSA public key.
const PUBLIC_KEY_BYTES: usize = 0x404;

/// What the owner signs; a guest whose launch digest or policy differs does not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdBlock {
    /// The launch digest.
    pub launch_digest: [u8; 48],
    /// FAMILY_ID; the owner's.
    pub family_id: [u8; 16],
    /// IMAGE_ID; the owner's.
    pub image_id: [u8; 16],
    /// GUEST_SVN; the owner's.
    pub guest_svn: u32,
    /// POLICY of the guest.
    pub guest_policy: u64,
}

impl IdBlock {
    /// The 96 bytes that are signed.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [
            self.launch_digest.as_slice(),
            &self.family_id,
            &self.image_id,
            &VERSION.to_le_bytes(),
            &self.guest_svn.to_le_bytes(),
            &self.guest_policy.to_le_bytes(),
        ]
        .concat()
    }
}

/// ID_KEY_DIGEST or AUTHOR_KEY_DIGEST of a P-384 key with these coordinates (big-endian).
#[must_use]
pub fn key_digest(x: &[u8; 48], y: &[u8; 48]) -> [u8; 48] {
    let mut key = CURVE_P384.to_le_bytes().to_vec();
    for coordinate in [x, y] {
        key.extend(coordinate.iter().rev());
        key.resize(key.len() + COORDINATE_BYTES - coordinate.len(), 0);
    }
    key.resize(PUBLIC_KEY_BYTES, 0);
    crypto::sha384(&key)
}
