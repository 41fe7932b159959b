//! The attestation key (AK) as a JSON Web Key (RFC 7517, RFC 7518 section 6.3): RSA of 2048 bits, exponent 65537.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

const MODULUS_BYTES: usize = 256;
const EXPONENT_65537: &str = "AQAB";
/// `RSAPublicKey` (RFC 8017 appendix A.1.1), DER, around a modulus of 2048 bits.
const BEFORE_MODULUS: [u8; 9] = [0x30, 0x82, 0x01, 0x0A, 0x02, 0x82, 0x01, 0x01, 0x00];
const EXPONENT: [u8; 5] = [0x02, 0x03, 0x01, 0x00, 0x01];

/// A public key that quotes are verified with.
pub(super) struct AttestationKey {
    /// `RSAPublicKey`, DER.
    pub(super) der: Vec<u8>,
}

impl AttestationKey {
    /// From `n` and `e`, base64url without padding.
    pub(super) fn from_jwk(modulus: &str, exponent: &str) -> Result<Self, &'static str> {
        if exponent != EXPONENT_65537 {
            return Err("another exponent than 65537");
        }
        let modulus = URL_SAFE_NO_PAD.decode(modulus);
        let modulus = modulus.map_err(|_| "a modulus that is not base64url")?;
        if modulus.len() != MODULUS_BYTES || modulus.first().is_none_or(|byte| *byte < 0x80) {
            return Err("a modulus that has not 2048 bits");
        }
        let der = [&BEFORE_MODULUS[..], &modulus, &EXPONENT].concat();
        Ok(Self { der })
    }
}
