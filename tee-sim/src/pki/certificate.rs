//! An X.509 v3 certificate (RFC 5280) signed with RSASSA-PSS, SHA-384, MGF1 with SHA-384, 48 bytes of salt (RFC 4055).

use crate::der::{
    bit_string, boolean_true, element, explicit, integer, object_identifier, octet_string,
    sequence, set, time, utf8_string,
};
use attestation::UnixTime;
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{KeyPair as _, RSA_PSS_SHA384},
};

/// notBefore and notAfter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// First second.
    pub not_before: UnixTime,
    /// Last second.
    pub not_after: UnixTime,
}

/// What a certificate says, before it is signed.
pub(super) struct Certificate<'a> {
    pub(super) serial: u64,
    pub(super) issuer: &'a str,
    pub(super) subject: &'a str,
    pub(super) validity: Validity,
    /// SubjectPublicKeyInfo, DER.
    pub(super) public_key: &'a [u8],
    /// Extensions, DER, in their order.
    pub(super) extensions: Vec<Vec<u8>>,
}

impl Certificate<'_> {
    /// The certificate, DER.
    pub(super) fn sign(&self, issuer: &KeyPair) -> Vec<u8> {
        signed(self.to_be_signed(), issuer)
    }

    /// TBSCertificate.
    fn to_be_signed(&self) -> Vec<u8> {
        sequence(&[
            explicit(0, &integer(2)),
            integer(self.serial),
            rsassa_pss(),
            name(self.issuer),
            sequence(&[
                time(self.validity.not_before),
                time(self.validity.not_after),
            ]),
            name(self.subject),
            self.public_key.to_vec(),
            explicit(3, &sequence(&self.extensions)),
        ])
    }
}

/// `SEQUENCE { to_be_signed, algorithm, signature }`.
fn signed(to_be_signed: Vec<u8>, issuer: &KeyPair) -> Vec<u8> {
    let mut signature = vec![0; issuer.public_modulus_len()];
    issuer
        .sign(
            &RSA_PSS_SHA384,
            &SystemRandom::new(),
            &to_be_signed,
            &mut signature,
        )
        .expect("an RSA-4096 key signs");
    sequence(&[to_be_signed, rsassa_pss(), bit_string(&signature)])
}

/// An extension that is not critical.
pub(super) fn extension(oid: &[u32], value: &[u8]) -> Vec<u8> {
    sequence(&[object_identifier(oid), octet_string(value)])
}

/// A critical extension.
pub(super) fn critical_extension(oid: &[u32], value: &[u8]) -> Vec<u8> {
    sequence(&[object_identifier(oid), boolean_true(), octet_string(value)])
}

/// The RSA key as SubjectPublicKeyInfo: rsaEncryption and the PKCS #1 key.
pub(super) fn rsa_public_key(key: &KeyPair) -> Vec<u8> {
    let rsa_encryption = object_identifier(&[1, 2, 840, 113_549, 1, 1, 1]);
    sequence(&[
        sequence(&[rsa_encryption, element(0x05, &[])]),
        bit_string(key.public_key().as_ref()),
    ])
}

fn rsassa_pss() -> Vec<u8> {
    let sha384 = sequence(&[
        object_identifier(&[2, 16, 840, 1, 101, 3, 4, 2, 2]),
        element(0x05, &[]),
    ]);
    let mgf1 = sequence(&[
        object_identifier(&[1, 2, 840, 113_549, 1, 1, 8]),
        sha384.clone(),
    ]);
    sequence(&[
        object_identifier(&[1, 2, 840, 113_549, 1, 1, 10]),
        sequence(&[
            explicit(0, &sha384),
            explicit(1, &mgf1),
            explicit(2, &integer(48)),
            explicit(3, &integer(1)),
        ]),
    ])
}

/// AMD's distinguished name with the given common name.
fn name(common_name: &str) -> Vec<u8> {
    let printable = |text: &str| element(0x13, text.as_bytes());
    sequence(&[
        attribute(11, &utf8_string("Engineering")),
        attribute(6, &printable("US")),
        attribute(7, &utf8_string("Santa Clara")),
        attribute(8, &utf8_string("CA")),
        attribute(10, &utf8_string("Advanced Micro Devices")),
        attribute(3, &utf8_string(common_name)),
    ])
}

fn attribute(number: u32, value: &[u8]) -> Vec<u8> {
    let oid = object_identifier(&[2, 5, 4, number]);
    set(&sequence(&[oid, value.to_vec()]))
}
