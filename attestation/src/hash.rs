//! Domain-separated hashing: every hash is over length-prefixed fields under a label (docs/protocol.md, "Hashing").

use crate::Digest;

/// SHA-256 over `label` and `fields`, each preceded by its length as a big-endian u64.
#[must_use]
pub fn sha256_fields(label: &str, fields: &[&[u8]]) -> Digest {
    let _ = (label, fields);
    unimplemented!()
}

/// SHA-512 over `label` and `fields`, each preceded by its length as a big-endian u64.
#[must_use]
pub fn sha512_fields(label: &str, fields: &[&[u8]]) -> [u8; 64] {
    let _ = (label, fields);
    unimplemented!()
}
