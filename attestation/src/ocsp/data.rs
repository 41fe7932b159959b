//! What is signed (`ResponseData` of RFC 6960 section 4.2.1).

use super::{
    OcspError,
    fields::{constructed, oid, only, primitive, sequence, tagged, values},
};
use crate::UnixTime;
use der::{
    Tag, Tagged as _,
    asn1::{AnyRef, GeneralizedTime, ObjectIdentifier},
};

const NONCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.2");
/// Content of SHA-384's `AlgorithmIdentifier`, with NULL as parameters.
const SHA384: &[u8] = b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00";
/// `CRLReason` certificateHold (RFC 5280 section 5.3.1).
const CERTIFICATE_HOLD: &[u8] = &[6];

/// One answer, and when it was given.
pub(super) struct ResponseData<'a> {
    pub(super) produced_at: UnixTime,
    pub(super) single: SingleResponse<'a>,
    /// DER of the extension's value, as the client chose it.
    pub(super) nonce: Option<&'a [u8]>,
}

/// What is said of one certificate.
pub(super) struct SingleResponse<'a> {
    pub(super) cert_id: CertId<'a>,
    pub(super) status: CertStatus,
    pub(super) this_update: UnixTime,
    pub(super) next_update: Option<UnixTime>,
}

/// Which certificate.
pub(super) struct CertId<'a> {
    /// SHA-384 of the issuer's name, DER.
    pub(super) name_hash: &'a [u8],
    /// SHA-384 of the issuer's key, the content of the BIT STRING.
    pub(super) key_hash: &'a [u8],
    /// INTEGER, big-endian, as received.
    pub(super) serial: &'a [u8],
}

/// Good, or since when not.
#[derive(Clone, Copy)]
pub(super) enum CertStatus {
    Good,
    Revoked(UnixTime),
    /// Revoked for the time being.
    OnHold(UnixTime),
    Unknown,
}

impl<'a> ResponseData<'a> {
    /// Parses version 1 with one response; the default version written out is not DER.
    pub(super) fn parse(der: &'a [u8]) -> Result<Self, OcspError> {
        let fields = only(der).and_then(sequence).ok_or(OcspError::Format)?;
        let [responder, produced_at, responses, extensions @ ..] = fields.as_slice() else {
            return Err(OcspError::Format);
        };
        let responses = sequence(*responses).ok_or(OcspError::Format)?;
        let (&[single], true) = (responses.as_slice(), is_responder_id(*responder)) else {
            return Err(OcspError::Format);
        };
        Ok(Self {
            produced_at: time(*produced_at).ok_or(OcspError::Format)?,
            single: SingleResponse::parse(single)?,
            nonce: known_extensions(extensions).ok_or(OcspError::Format)?,
        })
    }
}

impl<'a> SingleResponse<'a> {
    fn parse(single: AnyRef<'a>) -> Result<Self, OcspError> {
        let fields = sequence(single).ok_or(OcspError::Format)?;
        let [cert_id, status, this_update, rest @ ..] = fields.as_slice() else {
            return Err(OcspError::Format);
        };
        let (next_update, extensions) = match rest {
            [next, extensions @ ..] if next.tag() == constructed(0) => (Some(*next), extensions),
            extensions => (None, extensions),
        };
        known_extensions(extensions).ok_or(OcspError::Format)?;
        let next_update = match next_update {
            None => None,
            Some(next) => Some(only(next.value()).and_then(time).ok_or(OcspError::Format)?),
        };
        Ok(Self {
            cert_id: CertId::parse(*cert_id)?,
            status: status_of(*status).ok_or(OcspError::Format)?,
            this_update: time(*this_update).ok_or(OcspError::Format)?,
            next_update,
        })
    }
}

impl<'a> CertId<'a> {
    fn parse(id: AnyRef<'a>) -> Result<Self, OcspError> {
        let fields = sequence(id).ok_or(OcspError::Format)?;
        let &[algorithm, name_hash, key_hash, serial] = fields.as_slice() else {
            return Err(OcspError::Format);
        };
        let algorithm = tagged(algorithm, Tag::Sequence).ok_or(OcspError::Format)?;
        if algorithm != SHA384 {
            return Err(OcspError::Algorithm);
        }
        let octets = |value| tagged(value, Tag::OctetString).ok_or(OcspError::Format);
        Ok(Self {
            name_hash: octets(name_hash)?,
            key_hash: octets(key_hash)?,
            serial: tagged(serial, Tag::Integer).ok_or(OcspError::Format)?,
        })
    }
}

/// `byName` or `byKey`.
fn is_responder_id(value: AnyRef<'_>) -> bool {
    [constructed(1), constructed(2)].contains(&value.tag())
}

/// `CertStatus`.
fn status_of(value: AnyRef<'_>) -> Option<CertStatus> {
    if tagged(value, primitive(0)) == Some(&[]) {
        return Some(CertStatus::Good);
    }
    if tagged(value, primitive(2)) == Some(&[]) {
        return Some(CertStatus::Unknown);
    }
    let fields = values(tagged(value, constructed(1))?)?;
    match *fields.as_slice() {
        [at] => Some(CertStatus::Revoked(time(at)?)),
        [at, reason] => {
            let reason = tagged(only(tagged(reason, constructed(0))?)?, Tag::Enumerated)?;
            let at = time(at)?;
            Some(match reason {
                CERTIFICATE_HOLD => CertStatus::OnHold(at),
                _ => CertStatus::Revoked(at),
            })
        }
        _ => None,
    }
}

fn time(value: AnyRef<'_>) -> Option<UnixTime> {
    let time: GeneralizedTime = value.decode_as().ok()?;
    Some(UnixTime(time.to_unix_duration().as_secs()))
}

/// The nonce of `[1] EXPLICIT Extensions`, which may be absent; `None` if one is critical and not known, or there twice.
fn known_extensions<'a>(field: &[AnyRef<'a>]) -> Option<Option<&'a [u8]>> {
    let extensions = match field {
        [] => return Some(None),
        &[one] => sequence(only(tagged(one, constructed(1))?)?)?,
        _ => return None,
    };
    let mut nonce = None;
    for extension in extensions {
        let fields = sequence(extension)?;
        let (id, critical, value) = match *fields.as_slice() {
            [id, value] => (id, None, value),
            [id, critical, value] => (id, Some(critical), value),
            _ => return None,
        };
        let value = tagged(value, Tag::OctetString)?;
        let is_nonce = oid(id)? == NONCE;
        if is_nonce && nonce.replace(value).is_some() || !is_nonce && critical.is_some() {
            return None;
        }
    }
    Some(nonce)
}
