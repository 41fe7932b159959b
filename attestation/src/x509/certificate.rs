//! One certificate (RFC 5280 section 4) with the questions that a path validation asks.

use super::{
    Algorithm, Name, PublicKey,
    extension::{Extension, unique},
    signed::Signed,
    tbs_certificate::TbsCertificate,
    unix_time,
};
use crate::{UnixTime, Window};
use der::{
    Decode as _, Reader as _, SliceReader,
    asn1::{ObjectIdentifier, UintRef},
};
use x509_cert::{
    Version,
    ext::pkix::{BasicConstraints, KeyUsage},
};

/// Larger than any certificate of AMD's, which take less than 2 KiB.
const MAX_CERTIFICATE_BYTES: usize = 8 * 1024;

const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const SECP256R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const SECP384R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// A parsed v3 certificate over the bytes received.
pub(crate) struct Certificate<'a> {
    der: &'a [u8],
    signed: Signed<'a>,
    tbs: TbsCertificate<'a>,
    /// None of them twice.
    extensions: Vec<Extension<'a>>,
}

impl<'a> Certificate<'a> {
    /// Parses DER; trailing bytes, another version than v3 and a doubled extension are refused.
    pub(crate) fn parse(der: &'a [u8]) -> Option<Self> {
        if der.len() > MAX_CERTIFICATE_BYTES {
            return None;
        }
        let signed = Signed::split(der)?;
        let mut tbs = TbsCertificate::parse(signed.to_be_signed).ok()?;
        let extensions = unique(tbs.extensions.take())?;
        (tbs.version == Version::V3).then_some(Self {
            der,
            signed,
            tbs,
            extensions,
        })
    }

    /// The bytes received.
    pub(crate) const fn der(&self) -> &'a [u8] {
        self.der
    }

    pub(crate) const fn issuer(&self) -> Name<'a> {
        self.tbs.issuer
    }

    pub(crate) const fn subject(&self) -> Name<'a> {
        self.tbs.subject
    }

    /// `serialNumber`, big-endian without leading zeros but the sign's.
    pub(crate) fn serial(&self) -> &[u8] {
        self.tbs.serial.as_bytes()
    }

    pub(crate) fn not_before(&self) -> UnixTime {
        unix_time(self.tbs.validity.not_before)
    }

    pub(crate) fn not_after(&self) -> UnixTime {
        unix_time(self.tbs.validity.not_after)
    }

    /// The subject's common name; `None` unless there is exactly one.
    pub(crate) fn common_name(&self) -> Option<&str> {
        self.subject().common_name()
    }

    /// The value of the extension `oid`.
    pub(crate) fn extension(&self, oid: ObjectIdentifier) -> Option<&[u8]> {
        let extension = self.extensions.iter().find(|other| other.oid == oid)?;
        Some(extension.value)
    }

    /// Whether a critical extension is neither one of those read here nor `known` to the caller.
    pub(crate) fn has_unknown_critical(&self, known: impl Fn(ObjectIdentifier) -> bool) -> bool {
        let unknown = |extension: &Extension<'_>| {
            let oid = extension.oid;
            extension.critical && ![BASIC_CONSTRAINTS, KEY_USAGE].contains(&oid) && !known(oid)
        };
        self.extensions.iter().any(unknown)
    }

    /// Whether it may issue a path of `intermediates` more authorities: a CA by basic constraints whose key may sign certificates.
    pub(crate) fn is_authority_over(&self, intermediates: u8) -> bool {
        let is_ca = self.basic_constraints().is_some_and(|constraints| {
            let path_len = constraints.path_len_constraint.unwrap_or(u8::MAX);
            constraints.ca && path_len >= intermediates
        });
        is_ca && self.key_usage().is_some_and(|usage| usage.key_cert_sign())
    }

    /// Whether its key may sign revocation lists.
    pub(crate) fn may_sign_lists(&self) -> bool {
        self.key_usage().is_some_and(|usage| usage.crl_sign())
    }

    /// Whether it is a certificate for signing data: no CA, and, if key usage is told, `digitalSignature`.
    pub(crate) fn is_end_entity(&self) -> bool {
        let is_ca = self.extension(BASIC_CONSTRAINTS).is_some()
            && self
                .basic_constraints()
                .is_none_or(|constraints| constraints.ca);
        let may_sign = self.extension(KEY_USAGE).is_none()
            || self
                .key_usage()
                .is_some_and(|usage| usage.digital_signature());
        !is_ca && may_sign
    }

    /// The uncompressed point of a P-384 key, 97 bytes.
    pub(crate) fn p384_key(&self) -> Option<&[u8]> {
        self.point_on(SECP384R1, 97)
    }

    fn point_on(&self, curve: ObjectIdentifier, bytes: usize) -> Option<&[u8]> {
        let spki = &self.tbs.key;
        let parameters = spki.algorithm.parameters.as_ref()?;
        let named: ObjectIdentifier = parameters.decode_as().ok()?;
        let point = spki.subject_public_key.as_bytes()?;
        let fits = spki.algorithm.oid == EC_PUBLIC_KEY && named == curve && point.len() == bytes;
        fits.then_some(point)
    }

    /// `RSAPublicKey` (RFC 8017 appendix A.1.1) of a key of 4096 bits with exponent 65537.
    pub(crate) fn rsa_4096_key(&self) -> Option<&[u8]> {
        let spki = &self.tbs.key;
        let key = spki.subject_public_key.as_bytes()?;
        (spki.algorithm.oid == RSA_ENCRYPTION && is_rsa_4096(key)?).then_some(key)
    }

    /// The key, if it is of a kind that vendors use.
    pub(crate) fn public_key(&self) -> Option<PublicKey<'_>> {
        let rsa = || self.rsa_4096_key().map(PublicKey::Rsa4096);
        let p256 = || self.point_on(SECP256R1, 65).map(PublicKey::P256);
        let p384 = || self.p384_key().map(PublicKey::P384);
        p384().or_else(p256).or_else(rsa)
    }

    /// What it is signed with, by both of its algorithm fields.
    pub(crate) fn algorithm(&self) -> Option<Algorithm> {
        self.signed.algorithm(&self.tbs.signature)
    }

    /// Whether `issuer`'s key signed the bytes received.
    pub(crate) fn is_signed_by(&self, issuer: &Certificate<'_>) -> bool {
        issuer
            .public_key()
            .is_some_and(|key| self.signed.is_signed_by(&key))
    }

    /// notBefore and notAfter.
    pub(crate) fn window(&self) -> Window {
        Window {
            not_before: self.not_before(),
            not_after: self.not_after(),
        }
    }

    fn basic_constraints(&self) -> Option<BasicConstraints> {
        BasicConstraints::from_der(self.extension(BASIC_CONSTRAINTS)?).ok()
    }

    fn key_usage(&self) -> Option<KeyUsage> {
        KeyUsage::from_der(self.extension(KEY_USAGE)?).ok()
    }
}

fn is_rsa_4096(key: &[u8]) -> Option<bool> {
    let mut reader = SliceReader::new(key).ok()?;
    let integers = reader.sequence(|integers| {
        let modulus = integers.decode::<UintRef<'_>>()?;
        let exponent = integers.decode::<UintRef<'_>>()?;
        Ok::<_, der::Error>((modulus, exponent))
    });
    let (modulus, exponent) = integers.ok()?;
    reader.finish().ok()?;
    let [top, ..] = modulus.as_bytes() else {
        return None;
    };
    let is_4096 = modulus.as_bytes().len() == 512 && top >> 7 == 1;
    Some(is_4096 && exponent.as_bytes() == [1, 0, 1])
}
