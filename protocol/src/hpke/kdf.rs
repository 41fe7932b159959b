//! HKDF-SHA256 (RFC 5869) and its labeled forms (RFC 9180 section 4).

use crate::crypto::{Secret32, hmac_sha256};

/// HKDF-Extract.
pub(crate) fn extract(salt: &[u8], key_material: &[u8]) -> Secret32 {
    hmac_sha256(salt, &[key_material])
}

/// HKDF-Expand of up to 32 bytes, which is one block and all that this crate derives.
pub(crate) fn expand(prk: &Secret32, info: &[&[u8]], out: &mut [u8]) {
    debug_assert!(out.len() <= 32);
    let parts: Vec<&[u8]> = info.iter().copied().chain([[1].as_slice()]).collect();
    let block = hmac_sha256(prk.as_slice(), &parts);
    for (to, from) in out.iter_mut().zip(block.iter()) {
        *to = *from;
    }
}

/// The labeled functions under one suite id.
pub(super) struct Labeled<'a>(pub(super) &'a [u8]);

impl Labeled<'_> {
    /// `LabeledExtract(salt, label, ikm)`.
    pub(super) fn extract(&self, salt: &[u8], label: &[u8], key_material: &[u8]) -> Secret32 {
        hmac_sha256(salt, &[VERSION, self.0, label, key_material])
    }

    /// `LabeledExpand(prk, label, info, L)`, L being the length of `out`.
    pub(super) fn expand(&self, prk: &Secret32, label: &[u8], info: &[&[u8]], out: &mut [u8]) {
        let length = (out.len() as u16).to_be_bytes();
        let mut parts: Vec<&[u8]> = vec![&length, VERSION, self.0, label];
        parts.extend_from_slice(info);
        expand(prk, &parts, out);
    }
}

const VERSION: &[u8] = b"HPKE-v1";
