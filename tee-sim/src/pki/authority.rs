//! The root (ARK) and the intermediate (ASK).

use super::{
    Validity,
    certificate::{Certificate, critical_extension, extension, rsa_public_key},
};
use crate::der::{boolean_true, element, integer, octet_string, sequence};
use aws_lc_rs::{digest, rsa::KeyPair, signature::KeyPair as _};

/// `certificate sign` (bit 5) and `CRL sign` (bit 6) of KeyUsage, most significant bit first.
const CERTIFICATE_SIGN: [u8; 2] = [2, 0x04];
const CERTIFICATE_AND_CRL_SIGN: [u8; 2] = [1, 0x06];

/// The self-signed root.
pub(crate) fn ark(product_name: &str, validity: Validity, key: &KeyPair) -> Vec<u8> {
    let name = format!("ARK-{product_name}");
    let certificate = Certificate {
        serial: 0x10000,
        issuer: &name,
        subject: &name,
        validity,
        public_key: &rsa_public_key(key),
        extensions: vec![
            key_usage(&CERTIFICATE_AND_CRL_SIGN),
            subject_key_identifier(key),
            critical_extension(&[2, 5, 29, 19], &sequence(&[boolean_true()])),
        ],
    };
    certificate.sign(key)
}

/// The intermediate, signed by `ark_key`.
pub(crate) fn ask(
    product_name: &str,
    validity: Validity,
    key: &KeyPair,
    ark_key: &KeyPair,
) -> Vec<u8> {
    let certificate = Certificate {
        serial: 0x10001,
        issuer: &format!("ARK-{product_name}"),
        subject: &format!("SEV-{product_name}"),
        validity,
        public_key: &rsa_public_key(key),
        extensions: vec![
            subject_key_identifier(key),
            authority_key_identifier(ark_key),
            critical_extension(&[2, 5, 29, 19], &sequence(&[boolean_true(), integer(0)])),
            key_usage(&CERTIFICATE_SIGN),
        ],
    };
    certificate.sign(ark_key)
}

fn key_usage(bits: &[u8]) -> Vec<u8> {
    critical_extension(&[2, 5, 29, 15], &element(0x03, bits))
}

fn subject_key_identifier(key: &KeyPair) -> Vec<u8> {
    extension(&[2, 5, 29, 14], &octet_string(&key_identifier(key)))
}

fn authority_key_identifier(key: &KeyPair) -> Vec<u8> {
    let identifier = element(0x80, &key_identifier(key));
    extension(&[2, 5, 29, 35], &sequence(&[identifier]))
}

/// The leftmost 160 bits of SHA-256 of the public key (RFC 7093 section 2, method 1).
fn key_identifier(key: &KeyPair) -> Vec<u8> {
    let hash = digest::digest(&digest::SHA256, key.public_key().as_ref());
    hash.as_ref().iter().copied().take(20).collect()
}
