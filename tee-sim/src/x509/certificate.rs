//! A certificate (RFC 5280 section 4.1) before it is signed.

use super::{Extension, Key, Name, extension};
use crate::{
    Validity,
    der::{explicit, integer, sequence, time, unsigned_integer},
};

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// `version`: 2 is v3.
    pub version: u64,
    /// `serialNumber`, big-endian.
    pub serial: Vec<u8>,
    /// `signature`, what it says it is signed with, DER; `None`: as the issuer's key signs.
    pub inner_algorithm: Option<Vec<u8>>,
    /// `signatureAlgorithm`, the same again outside of what is signed.
    pub outer_algorithm: Option<Vec<u8>>,
    /// Who signed it.
    pub issuer: Name,
    /// Its dates.
    pub validity: Validity,
    /// Whose key it is.
    pub subject: Name,
    /// SubjectPublicKeyInfo, DER.
    pub public_key: Vec<u8>,
    /// Extensions in their order.
    pub extensions: Vec<Extension>,
}

impl Certificate {
    /// A v3 certificate for `key` without extensions.
    #[must_use]
    pub fn new([issuer, subject]: [Name; 2], serial: u8, validity: Validity, key: &Key) -> Self {
        Self {
            version: 2,
            serial: vec![serial],
            inner_algorithm: None,
            outer_algorithm: None,
            issuer,
            validity,
            subject,
            public_key: key.public_key_info(),
            extensions: Vec::new(),
        }
    }

    /// The same with these extensions behind its own.
    #[must_use]
    pub fn extended(mut self, extensions: impl IntoIterator<Item = Extension>) -> Self {
        self.extensions.extend(extensions);
        self
    }

    /// The extension `oid`, added empty where there is none.
    pub fn extension(&mut self, oid: &[u32]) -> &mut Extension {
        let at = self.extensions.iter().position(|other| other.oid == oid);
        let at = at.unwrap_or_else(|| {
            self.extensions.push(Extension::new(oid, Vec::new()));
            self.extensions.len() - 1
        });
        self.extensions.get_mut(at).expect("found or added")
    }

    /// Leaves the extension `oid` out.
    pub fn without(&mut self, oid: &[u32]) {
        self.extensions.retain(|extension| extension.oid != oid);
    }

    /// The certificate signed by `issuer`, DER.
    #[must_use]
    pub fn sign(&self, issuer: &Key) -> Vec<u8> {
        let or_own = |given: &Option<Vec<u8>>| given.clone().unwrap_or_else(|| issuer.algorithm());
        let to_be_signed = sequence(&[
            explicit(0, &integer(self.version)),
            unsigned_integer(&self.serial),
            or_own(&self.inner_algorithm),
            self.issuer.to_der(),
            sequence(&[
                time(self.validity.not_before),
                time(self.validity.not_after),
            ]),
            self.subject.to_der(),
            self.public_key.clone(),
            explicit(3, &extension::encode(&self.extensions)),
        ]);
        issuer.envelop(to_be_signed, or_own(&self.outer_algorithm))
    }
}
