//! A key that signs certificates, lists and evidence; it never leaves the process.

use crate::der::{
    bit_string, element, explicit, integer, object_identifier, sequence, unsigned_integer,
};
use aws_lc_rs::{
    digest,
    encoding::{AsDer as _, PublicKeyX509Der},
    rand::SystemRandom,
    rsa::{self, KeySize},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        KeyPair as _, RSA_PSS_SHA384,
    },
};
use std::{collections::HashMap, sync::Mutex};

/// A key pair with the one algorithm that it signs with.
///
/// It signs a message once: asked again, it answers with the same signature, so that what says the same has the same bytes.
pub struct Key {
    kind: Kind,
    signatures: Mutex<HashMap<Vec<u8>, Vec<u8>>>,
}

enum Kind {
    /// ECDSA with SHA-256.
    P256(EcdsaKeyPair),
    /// ECDSA with SHA-384.
    P384(EcdsaKeyPair),
    /// RSASSA-PSS with SHA-384 and 48 bytes of salt.
    Rsa(rsa::KeyPair),
}

impl Key {
    fn of(kind: Kind) -> Self {
        Self {
            kind,
            signatures: Mutex::default(),
        }
    }

    /// A new P-256 key: ECDSA with SHA-256.
    #[must_use]
    pub fn p256() -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        Self::of(Kind::P256(key.expect("P-256 keys can be made")))
    }

    /// A new P-384 key: ECDSA with SHA-384.
    #[must_use]
    pub fn p384() -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING);
        Self::of(Kind::P384(key.expect("P-384 keys can be made")))
    }

    /// A new RSA-4096 key: RSASSA-PSS with SHA-384. Takes a second.
    #[must_use]
    pub fn rsa_4096() -> Self {
        let key = rsa::KeyPair::generate(KeySize::Rsa4096);
        Self::of(Kind::Rsa(key.expect("RSA-4096 keys can be made")))
    }

    /// A new RSA-3072 key, which is too short for AMD's roots.
    #[must_use]
    pub fn rsa_3072() -> Self {
        let key = rsa::KeyPair::generate(KeySize::Rsa3072);
        Self::of(Kind::Rsa(key.expect("RSA-3072 keys can be made")))
    }

    /// The signature as evidence carries it: r || s, big-endian, or the RSA block.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signatures = self.signatures.lock().expect("no signing panics");
        let new = || self.kind.sign(message);
        signatures
            .entry(message.to_vec())
            .or_insert_with(new)
            .clone()
    }

    /// The uncompressed point of an EC key, `04h` first; the PKCS #1 key of an RSA one.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        match &self.kind {
            Kind::P256(key) | Kind::P384(key) => key.public_key().as_ref(),
            Kind::Rsa(key) => key.public_key().as_ref(),
        }
    }

    /// SubjectPublicKeyInfo, DER.
    #[must_use]
    pub fn public_key_info(&self) -> Vec<u8> {
        match &self.kind {
            Kind::P256(key) | Kind::P384(key) => {
                let der: PublicKeyX509Der<'_> =
                    key.public_key().as_der().expect("an EC key has a form");
                der.as_ref().to_vec()
            }
            Kind::Rsa(key) => {
                let rsa_encryption = object_identifier(&[1, 2, 840, 113_549, 1, 1, 1]);
                sequence(&[
                    sequence(&[rsa_encryption, element(0x05, &[])]),
                    bit_string(key.public_key().as_ref()),
                ])
            }
        }
    }

    /// The leftmost 160 bits of SHA-256 of the public key (RFC 7093 section 2, method 1).
    #[must_use]
    pub fn identifier(&self) -> Vec<u8> {
        let hash = digest::digest(&digest::SHA256, self.public_key());
        hash.as_ref().iter().copied().take(20).collect()
    }

    /// AlgorithmIdentifier of what this key signs, DER.
    #[must_use]
    pub fn algorithm(&self) -> Vec<u8> {
        match &self.kind {
            Kind::P256(_) => sequence(&[object_identifier(&[1, 2, 840, 10_045, 4, 3, 2])]),
            Kind::P384(_) => sequence(&[object_identifier(&[1, 2, 840, 10_045, 4, 3, 3])]),
            Kind::Rsa(_) => rsassa_pss_sha384(48),
        }
    }

    /// `SEQUENCE { to_be_signed, algorithm, signature }`, with `algorithm` as given.
    pub(super) fn envelop(&self, to_be_signed: Vec<u8>, algorithm: Vec<u8>) -> Vec<u8> {
        let raw = self.sign(&to_be_signed);
        let signature = match &self.kind {
            Kind::Rsa(_) => raw,
            Kind::P256(_) | Kind::P384(_) => {
                let (r, s) = raw.split_at(raw.len() / 2);
                sequence(&[unsigned_integer(r), unsigned_integer(s)])
            }
        };
        sequence(&[to_be_signed, algorithm, bit_string(&signature)])
    }
}

impl Kind {
    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Kind::P256(key) | Kind::P384(key) => {
                let signature = key.sign(&random, message).expect("an EC key signs");
                signature.as_ref().to_vec()
            }
            Kind::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PSS_SHA384, &random, message, &mut signature)
                    .expect("an RSA key signs");
                signature
            }
        }
    }
}

/// RSASSA-PSS (RFC 4055) with SHA-384, MGF1 with SHA-384 and the given bytes of salt.
#[must_use]
pub fn rsassa_pss_sha384(salt_bytes: u64) -> Vec<u8> {
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
            explicit(2, &integer(salt_bytes)),
            explicit(3, &integer(1)),
        ]),
    ])
}
