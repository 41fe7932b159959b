//! `SIGNED{}` of X.509: the bytes to be signed, the algorithm, the signature; each as received.

use crate::crypto;
use der::{Reader as _, SliceReader, asn1::BitStringRef};
use x509_cert::spki::AlgorithmIdentifierOwned;

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

    /// Whether the algorithm is RSASSA-PSS with SHA-384 throughout, and `inner`, its copy under the signature, the same.
    pub(super) fn is_pss_sha384(&self, inner: &AlgorithmIdentifierOwned) -> bool {
        use der::Decode as _;
        [PSS_SHA384, PSS_SHA384_TRAILER].contains(&self.algorithm)
            && AlgorithmIdentifierOwned::from_der(self.algorithm).is_ok_and(|outer| outer == *inner)
    }

    /// Whether `issuer_key` (`RSAPublicKey`, DER, 4096 bits) signed this.
    pub(super) fn is_signed_by(&self, issuer_key: &[u8]) -> bool {
        crypto::rsa_4096_pss_sha384_verify(issuer_key, self.to_be_signed, self.signature)
    }
}
