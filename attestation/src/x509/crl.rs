//! A certificate revocation list (RFC 5280 section 5), complete and direct: no deltas, no indirect entries.

use super::{
    Algorithm, Name,
    certificate::Certificate,
    extension::{Extension, unique},
    signed::Signed,
    tbs_certificate::serial,
    unix_time,
};
use crate::{UnixTime, Window};
use der::{
    Decode as _, DecodeValue, FixedTag, Header, Reader, Result, SliceReader, Tag, TagMode,
    TagNumber,
    asn1::{IntRef, ObjectIdentifier},
};
use x509_cert::{Version, spki::AlgorithmIdentifierRef, time::Time};

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
    tbs: TbsCertList<'a>,
    next_update: UnixTime,
}

/// `TBSCertList` (RFC 5280 section 5.1): what is signed, field by field.
struct TbsCertList<'a> {
    version: Version,
    signature: AlgorithmIdentifierRef<'a>,
    issuer: Name<'a>,
    this_update: Time,
    next_update: Option<Time>,
    revoked: Vec<Entry<'a>>,
    extensions: Option<Vec<Extension<'a>>>,
}

/// One revoked certificate.
struct Entry<'a> {
    serial: IntRef<'a>,
    /// `Extensions`, DER; empty if there are none.
    extensions: &'a [u8],
}

impl<'a> RevocationList<'a> {
    /// Parses DER; trailing bytes, another version than v2, a missing `nextUpdate` and a critical extension that is not known are refused.
    pub(crate) fn parse(der: &'a [u8]) -> Option<Self> {
        if der.len() > MAX_LIST_BYTES {
            return None;
        }
        let signed = Signed::split(der)?;
        let mut tbs = TbsCertList::parse(signed.to_be_signed).ok()?;
        let are_plain = is_plain(tbs.extensions.take()) && are_plain(&tbs.revoked);
        let next_update = unix_time(tbs.next_update?);
        (are_plain && tbs.version == Version::V2).then_some(Self {
            signed,
            tbs,
            next_update,
        })
    }

    pub(crate) const fn issuer(&self) -> Name<'a> {
        self.tbs.issuer
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
        let mut revoked = self.tbs.revoked.iter();
        revoked.any(|entry| entry.serial.as_bytes() == serial)
    }
}

impl<'a> TbsCertList<'a> {
    fn parse(der: &'a [u8]) -> Result<Self> {
        let mut reader = SliceReader::new(der)?;
        let tbs = reader.sequence(Self::read)?;
        reader.finish()?;
        Ok(tbs)
    }

    fn read<R: Reader<'a>>(fields: &mut R) -> Result<Self> {
        let version = fields.decode()?;
        let signature = fields.decode()?;
        let issuer = Name::read(fields)?;
        let this_update = fields.decode()?;
        let next_update = fields.decode()?;
        let revoked: Option<_> = fields.decode()?;
        Ok(Self {
            version,
            signature,
            issuer,
            this_update,
            next_update,
            revoked: revoked.unwrap_or_default(),
            extensions: fields.context_specific(TagNumber(0), TagMode::Explicit)?,
        })
    }
}

impl FixedTag for Entry<'_> {
    const TAG: Tag = Tag::Sequence;
}

impl<'a> DecodeValue<'a> for Entry<'a> {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, _header: Header) -> Result<Self> {
        let serial = serial(reader)?;
        reader.decode::<Time>()?;
        let extensions = match reader.is_finished() {
            true => &[][..],
            false => reader.tlv_bytes()?,
        };
        Ok(Self { serial, extensions })
    }
}

/// Whether all extensions of all entries are; most entries have the same, which are looked at once.
fn are_plain(revoked: &[Entry<'_>]) -> bool {
    let distinct = revoked.chunk_by(|one, next| one.extensions == next.extensions);
    let mut distinct = distinct.filter_map(<[_]>::first);
    distinct.all(|entry| match entry.extensions {
        [] => true,
        der => Vec::from_der(der).is_ok_and(|extensions| is_plain(Some(extensions))),
    })
}

/// Whether the extensions are there once each, and none narrows what a list or an entry says.
fn is_plain(extensions: Option<Vec<Extension<'_>>>) -> bool {
    let known =
        |extension: &Extension<'_>| !extension.critical || HARMLESS.contains(&extension.oid);
    unique(extensions).is_some_and(|extensions| extensions.iter().all(known))
}
