//! The public keys that vendors' certificates hold, and what each verifies.

use crate::crypto;
use der::{Reader as _, SliceReader, asn1::UintRef};

/// A subject's public key; the curve decides the hash, as every vendor here has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PublicKey<'a> {
    /// `RSAPublicKey` (RFC 8017 appendix A.1.1), 4096 bits, exponent 65537: RSASSA-PSS with SHA-384.
    Rsa4096(&'a [u8]),
    /// Uncompressed point, 65 bytes: ECDSA with SHA-256.
    P256(&'a [u8]),
    /// Uncompressed point, 97 bytes: ECDSA with SHA-384.
    P384(&'a [u8]),
}

impl PublicKey<'_> {
    /// Whether `signature`, in the form that X.509 gives it (ECDSA: `ECDSA-Sig-Value`, DER), is this key's over `message`.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rsa4096(key) => crypto::rsa_4096_pss_sha384_verify(key, message, signature),
            Self::P256(key) => integers(signature).is_some_and(|signature| {
                crypto::ecdsa_p256_sha256_verify(key, message, &signature)
            }),
            Self::P384(key) => integers(signature).is_some_and(|signature| {
                crypto::ecdsa_p384_sha384_verify(key, message, &signature)
            }),
        }
    }
}

/// `ECDSA-Sig-Value` (RFC 3279 section 2.2.3) as r || s, each of `N / 2` bytes, big-endian.
fn integers<const N: usize>(der: &[u8]) -> Option<[u8; N]> {
    let mut reader = SliceReader::new(der).ok()?;
    let (r, s) = reader
        .sequence(|parts| {
            let r = parts.decode::<UintRef<'_>>()?;
            Ok::<_, der::Error>((r, parts.decode::<UintRef<'_>>()?))
        })
        .ok()?;
    reader.finish().ok()?;
    let mut fixed = [0; N];
    let (left, right) = fixed.split_at_mut(N / 2);
    right_aligned(left, r.as_bytes())?;
    right_aligned(right, s.as_bytes())?;
    Some(fixed)
}

fn right_aligned(field: &mut [u8], integer: &[u8]) -> Option<()> {
    let start = field.len().checked_sub(integer.len())?;
    field.get_mut(start..)?.copy_from_slice(integer);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::integers;

    #[test]
    fn integers_are_padded_to_their_width() {
        let signature = b"\x30\x07\x02\x02\x00\xff\x02\x01\x01";
        assert_eq!(integers::<4>(signature), Some([0, 0xff, 0, 1]));
    }

    #[test]
    fn other_encodings_are_refused() {
        let cases: [&[u8]; 6] = [
            b"\x30\x07\x02\x02\x00\xff\x02\x01\x01\x00",
            b"\x30\x08\x02\x03\x00\x00\xff\x02\x01\x01",
            b"\x30\x06\x02\x01\xff\x02\x01\x01",
            b"\x30\x09\x02\x04\x01\x00\x00\x00\x02\x01\x01",
            b"\x30\x03\x02\x01\x01",
            b"",
        ];
        for case in cases {
            assert_eq!(integers::<4>(case), None, "{case:x?}");
        }
    }
}
