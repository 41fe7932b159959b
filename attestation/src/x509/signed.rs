//! `SIGNED{}` of X.509: the bytes to be signed, the algorithm, the signature; each as received.

use super::PublicKey;
use der::{Decode as _, Reader as _, SliceReader, asn1::BitStringRef};
use x509_cert::spki::AlgorithmIdentifierRef;

/// The three parts of a certificate or revocation list.
pub(super) struct Signed<'a> {
    /// `tbsCertificate` or `tbsCertList`, DER as received.
    pub(super) to_be_signed: &'a [u8],
    /// `signatureAlgorithm`, DER as received.
    algorithm: &'a [u8],
    signature: &'a [u8],
}

/// `id-RSASSA-PSS` with SHA-384, MGF1 with SHA-384 and a salt of 48 bytes (RFC 4055 section 3.1), trailer field left to its default.
const PSS_SHA384: &[u8] = b"\x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x34\
    \xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\
    \xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08\
    \x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\
    \xa2\x03\x02\x01\x30";
/// The same with the trailer field written out, as in AMD's older certificates.
const PSS_SHA384_TRAILER: &[u8] = b"\x30\x46\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x39\
    \xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\
    \xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08\
    \x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\
    \xa2\x03\x02\x01\x30\xa3\x03\x02\x01\x01";

/// `ecdsa-with-SHA256` (RFC 5758 section 3.2), without parameters.
const ECDSA_SHA256: &[u8] = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
/// `ecdsa-with-SHA384` (RFC 5758 section 3.2), without parameters.
const ECDSA_SHA384: &[u8] = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03";

/// The signature algorithms of the vendors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// AMD's: RSASSA-PSS with SHA-384 throughout.
    PssSha384,
    /// Intel's.
    EcdsaP256Sha256,
    /// NVIDIA's.
    EcdsaP384Sha384,
}

impl Algorithm {
    /// From `AlgorithmIdentifier`, DER as received.
    pub(crate) fn from_der(identifier: &[u8]) -> Option<Self> {
        match identifier {
            PSS_SHA384 | PSS_SHA384_TRAILER => Some(Self::PssSha384),
            ECDSA_SHA256 => Some(Self::EcdsaP256Sha256),
            ECDSA_SHA384 => Some(Self::EcdsaP384Sha384),
            _ => None,
        }
    }

    /// Whether `key` signs so.
    pub(crate) const fn is_of(self, key: &PublicKey<'_>) -> bool {
        matches!(
            (self, key),
            (Self::PssSha384, PublicKey::Rsa4096(_))
                | (Self::EcdsaP256Sha256, PublicKey::P256(_))
                | (Self::EcdsaP384Sha384, PublicKey::P384(_))
        )
    }
}

impl<'a> Signed<'a> {
    /// Splits `der`; trailing bytes are refused.
    pub(super) fn split(der: &'a [u8]) -> Option<Self> {
        let mut reader = SliceReader::new(der).ok()?;
        let parts = reader.sequence(|parts| {
            Ok::<_, der::Error>((
                parts.tlv_bytes()?,
                parts.tlv_bytes()?,
                parts.decode::<BitStringRef<'a>>()?,
            ))
        });
        let (to_be_signed, algorithm, signature) = parts.ok()?;
        reader.finish().ok()?;
        Some(Self {
            to_be_signed,
            algorithm,
            signature: signature.as_bytes()?,
        })
    }

    /// The algorithm, if it is one of ours and `inner`, its copy under the signature, is the same.
    pub(super) fn algorithm(&self, inner: &AlgorithmIdentifierRef<'_>) -> Option<Algorithm> {
        let outer = AlgorithmIdentifierRef::from_der(self.algorithm).ok()?;
        (outer == *inner).then(|| Algorithm::from_der(self.algorithm))?
    }

    /// Whether `key`, of the kind that the algorithm field names, signed this.
    pub(super) fn is_signed_by(&self, key: &PublicKey<'_>) -> bool {
        Algorithm::from_der(self.algorithm).is_some_and(|algorithm| algorithm.is_of(key))
            && key.verifies(self.to_be_signed, self.signature)
    }
}
