//! A certificate revocation list (RFC 5280 section 5.1) before it is signed.

use super::{Extension, Key, Name, extension};
use crate::der::{explicit, integer, sequence, time, unsigned_integer};
use attestation::UnixTime;

/// What a v2 list says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationList {
    /// Who signed it.
    pub issuer: Name,
    /// `thisUpdate`.
    pub this_update: UnixTime,
    /// `nextUpdate`.
    pub next_update: Option<UnixTime>,
    /// Serial numbers that are revoked since `thisUpdate`, big-endian.
    pub revoked: Vec<Vec<u8>>,
    /// `crlExtensions` in their order.
    pub extensions: Vec<Extension>,
}

impl RevocationList {
    /// An empty list of `issuer`, whose key is `key`.
    #[must_use]
    pub fn empty(issuer: Name, [this_update, next_update]: [UnixTime; 2], key: &Key) -> Self {
        Self {
            issuer,
            this_update,
            next_update: Some(next_update),
            revoked: Vec::new(),
            extensions: vec![
                Extension::crl_number(1),
                Extension::authority_key_identifier(&key.identifier()),
            ],
        }
    }

    /// The list signed by `issuer`, DER.
    #[must_use]
    pub fn sign(&self, issuer: &Key) -> Vec<u8> {
        let entries: Vec<_> = self.revoked.iter().map(|one| self.entry(one)).collect();
        let mut members = vec![
            integer(1),
            issuer.algorithm(),
            self.issuer.to_der(),
            time(self.this_update),
        ];
        members.extend(self.next_update.map(time));
        members.extend((!entries.is_empty()).then(|| sequence(&entries)));
        members.push(explicit(0, &extension::encode(&self.extensions)));
        issuer.envelop(sequence(&members), issuer.algorithm())
    }

    /// A revoked certificate, without extensions of its own.
    fn entry(&self, serial: &[u8]) -> Vec<u8> {
        sequence(&[unsigned_integer(serial), time(self.this_update)])
    }
}
