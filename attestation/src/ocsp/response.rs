//! A response and its signature (`OCSPResponse` and `BasicOCSPResponse` of RFC 6960 section 4.2.1).

use super::{
    OcspError,
    data::ResponseData,
    fields::{constructed, oid, only, sequence, tagged},
};
use crate::x509::Algorithm;
use der::{
    Reader as _, SliceReader, Tag,
    asn1::{AnyRef, BitStringRef, ObjectIdentifier},
};

/// NVIDIA's have about a thousand bytes.
const MAX_RESPONSE_BYTES: usize = 16 * 1024;

const BASIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.1");

/// A response taken apart.
pub(super) struct Parts<'a> {
    /// `tbsResponseData`, DER as received.
    pub(super) to_be_signed: &'a [u8],
    /// `ECDSA-Sig-Value`, DER.
    pub(super) signature: &'a [u8],
    /// The one certificate that comes with it, DER.
    pub(super) responder: Option<&'a [u8]>,
    pub(super) data: ResponseData<'a>,
}

/// Parses an `OCSPResponse`.
pub(super) fn parse(der: &[u8]) -> Result<Parts<'_>, OcspError> {
    if der.len() > MAX_RESPONSE_BYTES {
        return Err(OcspError::Format);
    }
    let fields = only(der).and_then(sequence).ok_or(OcspError::Format)?;
    let [status, rest @ ..] = fields.as_slice() else {
        return Err(OcspError::Format);
    };
    match (tagged(*status, Tag::Enumerated), rest) {
        (Some([0]), [bytes]) => basic(*bytes),
        (Some([status]), []) if *status != 0 => Err(OcspError::Status(*status)),
        _ => Err(OcspError::Format),
    }
}

/// `responseBytes`, which must be a basic response.
fn basic(bytes: AnyRef<'_>) -> Result<Parts<'_>, OcspError> {
    let bytes = tagged(bytes, constructed(0)).and_then(only);
    let bytes = bytes.and_then(sequence).ok_or(OcspError::Format)?;
    let &[kind, response] = bytes.as_slice() else {
        return Err(OcspError::Format);
    };
    if oid(kind).ok_or(OcspError::Format)? != BASIC {
        return Err(OcspError::Algorithm);
    }
    let response = tagged(response, Tag::OctetString).ok_or(OcspError::Format)?;
    let signed = Signed::split(response).ok_or(OcspError::Format)?;
    if Algorithm::from_der(signed.algorithm) != Some(Algorithm::EcdsaP384Sha384) {
        return Err(OcspError::Algorithm);
    }
    let data = ResponseData::parse(signed.to_be_signed)?;
    Ok(Parts {
        to_be_signed: signed.to_be_signed,
        signature: signed.signature,
        responder: signed.responder,
        data,
    })
}

/// `BasicOCSPResponse`: each part as received.
struct Signed<'a> {
    to_be_signed: &'a [u8],
    algorithm: &'a [u8],
    signature: &'a [u8],
    responder: Option<&'a [u8]>,
}

impl<'a> Signed<'a> {
    /// Splits `der`; trailing bytes and more than one certificate are refused.
    fn split(der: &'a [u8]) -> Option<Self> {
        let mut reader = SliceReader::new(der).ok()?;
        let parts = reader.sequence(|parts| {
            let signed = (
                parts.tlv_bytes()?,
                parts.tlv_bytes()?,
                parts.decode::<BitStringRef<'a>>()?,
            );
            let certificates = parts.decode::<Option<AnyRef<'a>>>()?;
            Ok::<_, der::Error>((signed, certificates))
        });
        let ((to_be_signed, algorithm, signature), certificates) = parts.ok()?;
        reader.finish().ok()?;
        let responder = match certificates {
            None => None,
            Some(list) => Some(only_certificate(list)?),
        };
        Some(Self {
            to_be_signed,
            algorithm,
            signature: signature.as_bytes()?,
            responder,
        })
    }
}

/// The DER of the one certificate in `certs`.
fn only_certificate(list: AnyRef<'_>) -> Option<&[u8]> {
    let certificates = tagged(list, constructed(0)).and_then(only)?;
    let content = tagged(certificates, Tag::Sequence)?;
    only(content)?;
    Some(content)
}
