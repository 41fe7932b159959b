//! A certificate revocation list (RFC 5280 section 5), complete and direct: no deltas, no indirect entries.

use super::{Algorithm, certificate::Certificate, signed::Signed, unique, unix_time};
use crate::{UnixTime, Window};
use der::{Decode as _, asn1::ObjectIdentifier};
use x509_cert::{
    Version,
    crl::{RevokedCert, TbsCertList},
    ext::Extension,
    name::Name,
};

/// Room for some ten thousand revoked certificates.
const MAX_LIST_BYTES: usize = 512 * 1024;

/// `authorityKeyIdentifier`, `cRLNumber` and `reasonCode` (RFC 5280 sections 5.2.1, 5.2.3 and 5.3.1): none narrows what a list says.
const HARMLESS: [ObjectIdentifier; 3] = [
    ObjectIdentifier::new_unwrap("2.5.29.35"),
    ObjectIdentifier::new_unwrap("2.5.29.20"),
    ObjectIdentifier::new_unwrap("2.5.29.21"),
];

/// A parsed v2 list over the bytes received.
pub(crate) struct RevocationList<'a> {
    signed: Signed<'a>,
    tbs: TbsCertList,
    next_update: UnixTime,
}

impl<'a> RevocationList<'a> {
    /// Parses DER; trailing bytes, another version than v2, a missing `nextUpdate` and a critical extension that is not known are refused.
    pub(crate) fn parse(der: &'a [u8]) -> Option<Self> {
        if der.len() > MAX_LIST_BYTES {
            return None;
        }
        let signed = Signed::split(der)?;
        let tbs = TbsCertList::from_der(signed.to_be_signed).ok()?;
        let mut known = unique(tbs.crl_extensions.as_ref())?.iter().all(is_known);
        for entry in entries(&tbs) {
            known &= unique(entry.crl_entry_extensions.as_ref())?
                .iter()
                .all(is_known);
        }
        let next_update = unix_time(tbs.next_update?);
        (known && tbs.version == Version::V2).then_some(Self {
            signed,
            tbs,
            next_update,
        })
    }

    pub(crate) const fn issuer(&self) -> &Name {
        &self.tbs.issuer
    }

    /// thisUpdate and nextUpdate.
    pub(crate) fn window(&self) -> Window {
        Window {
            not_before: unix_time(self.tbs.this_update),
            not_after: self.next_update,
        }
    }

    /// What it is signed with, by both of its algorithm fields.
    pub(crate) fn algorithm(&self) -> Option<Algorithm> {
        self.signed.algorithm(&self.tbs.signature)
    }

    /// Whether `issuer` signed the bytes received.
    pub(crate) fn is_signed_by(&self, issuer: &Certificate<'_>) -> bool {
        self.algorithm().is_some()
            && issuer
                .public_key()
                .is_some_and(|key| self.signed.is_signed_by(&key))
    }

    /// Whether the certificate with `serial` is on the list.
    pub(crate) fn revokes(&self, serial: &[u8]) -> bool {
        entries(&self.tbs).any(|entry| entry.serial_number.as_bytes() == serial)
    }
}

fn entries(tbs: &TbsCertList) -> impl Iterator<Item = &RevokedCert> {
    tbs.revoked_certificates.iter().flatten()
}

fn is_known(extension: &Extension) -> bool {
    !extension.critical || HARMLESS.contains(&extension.extn_id)
}
