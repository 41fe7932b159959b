//! `TBSCertificate` (RFC 5280 section 4.1) over the bytes received: what is signed, field by field.

use super::{Name, extension::Extension};
use der::{
    Reader, Result, SliceReader, Tag, TagMode, TagNumber,
    asn1::{BitStringRef, IntRef},
};
use x509_cert::{
    Version,
    spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef},
    time::Validity,
};

/// Longest serial number, in bytes (RFC 5280 section 4.1.2.2 and its sign).
const MAX_SERIAL_BYTES: usize = 21;

/// The fields that somebody asks for.
pub(super) struct TbsCertificate<'a> {
    pub(super) version: Version,
    pub(super) serial: IntRef<'a>,
    pub(super) signature: AlgorithmIdentifierRef<'a>,
    pub(super) issuer: Name<'a>,
    pub(super) validity: Validity,
    pub(super) subject: Name<'a>,
    pub(super) key: SubjectPublicKeyInfoRef<'a>,
    pub(super) extensions: Option<Vec<Extension<'a>>>,
}

impl<'a> TbsCertificate<'a> {
    /// Parses DER; trailing bytes are refused.
    pub(super) fn parse(der: &'a [u8]) -> Result<Self> {
        let mut reader = SliceReader::new(der)?;
        let tbs = reader.sequence(Self::read)?;
        reader.finish()?;
        Ok(tbs)
    }

    fn read<R: Reader<'a>>(fields: &mut R) -> Result<Self> {
        let version = fields.context_specific(TagNumber(0), TagMode::Explicit)?;
        let serial = serial(fields)?;
        let signature = fields.decode()?;
        let issuer = Name::read(fields)?;
        let validity = fields.decode()?;
        let subject = Name::read(fields)?;
        let key = fields.decode()?;
        for unique_id in [TagNumber(1), TagNumber(2)] {
            fields.context_specific::<BitStringRef<'a>>(unique_id, TagMode::Implicit)?;
        }
        Ok(Self {
            version: version.unwrap_or_default(),
            serial,
            signature,
            issuer,
            validity,
            subject,
            key,
            extensions: fields.context_specific(TagNumber(3), TagMode::Explicit)?,
        })
    }
}

/// `CertificateSerialNumber`.
pub(super) fn serial<'a, R: Reader<'a>>(reader: &mut R) -> Result<IntRef<'a>> {
    let serial: IntRef<'a> = reader.decode()?;
    if serial.as_bytes().len() > MAX_SERIAL_BYTES {
        return Err(Tag::Integer.value_error().into());
    }
    Ok(serial)
}
