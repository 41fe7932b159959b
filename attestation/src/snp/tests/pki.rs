//! An invented vendor whose every certificate can be made wrong in one point and is signed all the same.

use super::der::{bit_string, integer, name, oid, pss_sha384, sequence, time, tlv};
use aws_lc_rs::{
    encoding::AsDer as _,
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        KeyPair as _, RSA_PSS_SHA384,
    },
};
use std::sync::LazyLock;

/// Keys of the vendor; RSA-4096 takes seconds to make, so all tests share them.
pub(super) struct Keys {
    pub(super) ark: KeyPair,
    pub(super) ask: KeyPair,
    pub(super) small: KeyPair,
    pub(super) vek: EcdsaKeyPair,
    pub(super) other_vek: EcdsaKeyPair,
    pub(super) p256: EcdsaKeyPair,
}

pub(super) static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys {
    ark: KeyPair::generate(KeySize::Rsa4096).unwrap(),
    ask: KeyPair::generate(KeySize::Rsa4096).unwrap(),
    small: KeyPair::generate(KeySize::Rsa3072).unwrap(),
    vek: EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap(),
    other_vek: EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap(),
    p256: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
});

/// An extension before it is encoded.
#[derive(Clone)]
pub(super) struct Extension {
    pub(super) oid: &'static str,
    pub(super) critical: bool,
    pub(super) value: Vec<u8>,
}

/// A certificate before it is signed.
#[derive(Clone)]
pub(super) struct Certificate {
    pub(super) version: u8,
    pub(super) serial: u8,
    /// `signature` under the signature, and `signatureAlgorithm` beside it.
    pub(super) algorithms: [Vec<u8>; 2],
    pub(super) issuer: String,
    pub(super) not_before: &'static str,
    pub(super) not_after: &'static str,
    pub(super) subject: String,
    /// `SubjectPublicKeyInfo`, DER.
    pub(super) key: Vec<u8>,
    pub(super) extensions: Vec<Extension>,
}

/// A revocation list before it is signed.
#[derive(Clone)]
pub(super) struct List {
    pub(super) issuer: String,
    pub(super) this_update: &'static str,
    pub(super) next_update: Option<&'static str>,
    pub(super) revoked: Vec<u8>,
    pub(super) extensions: Vec<Extension>,
}

impl Certificate {
    pub(super) fn ark() -> Self {
        Self {
            serial: 1,
            ..Self::authority("ARK-Milan", "ARK-Milan", &KEYS.ark)
        }
    }

    pub(super) fn ask() -> Self {
        Self {
            serial: 2,
            ..Self::authority("ARK-Milan", "SEV-Milan", &KEYS.ask)
        }
    }

    /// A VCEK of Milan, for the TCB and chip of [`super::genuine::report`].
    pub(super) fn vcek() -> Self {
        let mut extensions = vec![
            amd("1.3.6.1.4.1.3704.1.1", integer(0)),
            amd("1.3.6.1.4.1.3704.1.2", tlv(0x16, b"Milan-B0")),
            amd("1.3.6.1.4.1.3704.1.4", vec![0xC1; 64]),
        ];
        let spl = [
            ("1.3.6.1.4.1.3704.1.3.1", 4),
            ("1.3.6.1.4.1.3704.1.3.2", 0),
            ("1.3.6.1.4.1.3704.1.3.3", 24),
            ("1.3.6.1.4.1.3704.1.3.8", 213),
        ];
        extensions.extend(spl.map(|(oid, svn)| amd(oid, integer(svn))));
        Self {
            serial: 3,
            issuer: "SEV-Milan".into(),
            subject: "SEV-VCEK".into(),
            key: p384_spki(&KEYS.vek),
            extensions,
            ..Self::ark()
        }
    }

    fn authority(issuer: &str, subject: &str, key: &KeyPair) -> Self {
        Self {
            version: 2,
            serial: 0,
            algorithms: [pss_sha384(48), pss_sha384(48)],
            issuer: issuer.into(),
            not_before: "200101000000Z",
            not_after: "450101000000Z",
            subject: subject.into(),
            key: rsa_spki(key),
            extensions: vec![
                constraints(sequence(&[tlv(0x01, &[0xFF])])),
                key_usage(0b0000_0110),
            ],
        }
    }

    pub(super) fn extension(&mut self, oid: &str) -> &mut Extension {
        let mut extensions = self.extensions.iter_mut();
        extensions.find(|extension| extension.oid == oid).unwrap()
    }

    pub(super) fn without(&mut self, oid: &str) {
        self.extensions.retain(|extension| extension.oid != oid);
    }

    pub(super) fn signed_by(&self, key: &KeyPair) -> Vec<u8> {
        let to_be_signed = sequence(&[
            tlv(0xA0, &integer(self.version)),
            integer(self.serial),
            self.algorithms[0].clone(),
            name(&self.issuer),
            sequence(&[time(self.not_before), time(self.not_after)]),
            name(&self.subject),
            self.key.clone(),
            tlv(0xA3, &encoded(&self.extensions)),
        ]);
        signed(to_be_signed, self.algorithms[1].clone(), key)
    }
}

impl List {
    pub(super) fn empty() -> Self {
        Self {
            issuer: "ARK-Milan".into(),
            this_update: "260101000000Z",
            next_update: Some("270101000000Z"),
            revoked: Vec::new(),
            extensions: vec![Extension {
                oid: "2.5.29.20",
                critical: false,
                value: integer(7),
            }],
        }
    }

    pub(super) fn signed_by(&self, key: &KeyPair) -> Vec<u8> {
        let entry = |serial: &u8| sequence(&[integer(*serial), time("251231000000Z")]);
        let entries: Vec<_> = self.revoked.iter().map(entry).collect();
        let mut parts = vec![
            integer(1),
            pss_sha384(48),
            name(&self.issuer),
            time(self.this_update),
        ];
        parts.extend(self.next_update.map(time));
        parts.extend((!entries.is_empty()).then(|| sequence(&entries)));
        parts.push(tlv(0xA0, &encoded(&self.extensions)));
        signed(sequence(&parts), pss_sha384(48), key)
    }
}

pub(super) fn amd(oid: &'static str, value: Vec<u8>) -> Extension {
    Extension {
        oid,
        critical: false,
        value,
    }
}

/// basicConstraints, critical.
pub(super) fn constraints(value: Vec<u8>) -> Extension {
    Extension {
        oid: "2.5.29.19",
        critical: true,
        value,
    }
}

/// keyUsage, critical; bit 0 of RFC 5280 is the most significant one.
pub(super) fn key_usage(bits: u8) -> Extension {
    let unused = bits.trailing_zeros() as u8;
    Extension {
        oid: "2.5.29.15",
        critical: true,
        value: tlv(0x03, &[unused, bits]),
    }
}

pub(super) fn rsa_spki(key: &KeyPair) -> Vec<u8> {
    let algorithm = sequence(&[oid("1.2.840.113549.1.1.1"), tlv(0x05, &[])]);
    sequence(&[algorithm, bit_string(key.public_key().as_ref())])
}

pub(super) fn p384_spki(key: &EcdsaKeyPair) -> Vec<u8> {
    key.public_key().as_der().unwrap().as_ref().to_vec()
}

fn encoded(extensions: &[Extension]) -> Vec<u8> {
    let encode = |extension: &Extension| {
        let critical = if extension.critical {
            tlv(0x01, &[0xFF])
        } else {
            Vec::new()
        };
        let value = tlv(0x04, &extension.value);
        sequence(&[oid(extension.oid), critical, value])
    };
    sequence(&extensions.iter().map(encode).collect::<Vec<_>>())
}

fn signed(to_be_signed: Vec<u8>, algorithm: Vec<u8>, key: &KeyPair) -> Vec<u8> {
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(
        &RSA_PSS_SHA384,
        &SystemRandom::new(),
        &to_be_signed,
        &mut signature,
    )
    .unwrap();
    sequence(&[to_be_signed, algorithm, bit_string(&signature)])
}
