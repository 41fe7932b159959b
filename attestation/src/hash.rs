//! Domain-separated hashing: every hash is over length-prefixed fields under a label (docs/protocol.md, "Hashing").

use crate::{Digest, crypto};

/// SHA-256 over `label` and `fields`, each preceded by its length as a big-endian u64.
// R1.1
#[must_use]
pub fn sha256_fields(label: &str, fields: &[&[u8]]) -> Digest {
    crypto::sha256(&encode(label, fields))
}

/// SHA-512 over `label` and `fields`, each preceded by its length as a big-endian u64.
#[must_use]
pub fn sha512_fields(label: &str, fields: &[&[u8]]) -> [u8; 64] {
    crypto::sha512(&encode(label, fields))
}

fn encode(label: &str, fields: &[&[u8]]) -> Vec<u8> {
    let mut encoded = Vec::new();
    for field in std::iter::once(&label.as_bytes()).chain(fields) {
        encoded.extend_from_slice(&(field.len() as u64).to_be_bytes());
        encoded.extend_from_slice(field);
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::{encode, sha256_fields, sha512_fields};
    use crate::crypto;

    #[test]
    fn the_encoding_is_length_then_bytes() {
        let expected = b"\0\0\0\0\0\0\0\x01L\0\0\0\0\0\0\0\x02ab\0\0\0\0\0\0\0\0";
        assert_eq!(encode("L", &[b"ab", b""]), expected);
        assert_eq!(sha256_fields("L", &[b"ab", b""]), crypto::sha256(expected));
        assert_eq!(sha512_fields("L", &[b"ab", b""]), crypto::sha512(expected));
    }

    #[test]
    fn moving_a_boundary_changes_the_hash() {
        let one = sha256_fields("L", &[b"ab", b"c"]);
        assert_ne!(one, sha256_fields("L", &[b"a", b"bc"]));
        assert_ne!(one, sha256_fields("L", &[b"abc"]));
        assert_ne!(one, sha256_fields("La", &[b"b", b"c"]));
        assert_ne!(one, sha256_fields("L", &[b"ab", b"c", b""]));
    }
}
