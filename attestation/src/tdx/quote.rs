//! A TD quote v4 or v5: header, body, signature data, padding (quote v4 appendix A.3, v5 section 3).

use super::{
    TdxError,
    signature_data::SignatureData,
    td_report::{BodyType, TdReport},
};
use crate::cursor::Cursor;

/// More than any quote with its chain takes; buffers around one included.
const MAX_QUOTE_BYTES: usize = 64 * 1024;
const HEADER_BYTES: usize = 48;
const TEE_TYPE_SGX: u32 = 0;
const TEE_TYPE_TDX: u32 = 0x81;
const ECDSA_P256: u16 = 2;
const INTEL_QE_VENDOR_ID: [u8; 16] =
    *b"\x93\x9a\x72\x33\xf7\x9c\x4c\xa9\x94\x0a\x0d\xb3\x95\x7f\x06\x07";

/// A quote whose every length is consistent; nothing in it is authentic yet.
pub(super) struct Quote<'a> {
    pub(super) version: u16,
    /// USER_DATA of the header, 20 bytes; the first 16 name the platform's quoting enclave.
    pub(super) user_data: [u8; 20],
    pub(super) td: TdReport,
    pub(super) signature_data: SignatureData<'a>,
    /// Header and body as received.
    signed: &'a [u8],
    padding: &'a [u8],
}

struct Header {
    version: u16,
    user_data: [u8; 20],
}

impl<'a> Quote<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, TdxError> {
        let mut reader = Cursor::new(bytes);
        let header = Header::parse(&mut reader, bytes.len())?;
        let kind = body_type(header.version, &mut reader)?;
        let body = reader.bytes(kind.bytes()).ok_or(short(bytes))?;
        let td = TdReport::parse(kind, body).ok_or(short(bytes))?;
        if td.attributes.has_reserved() {
            return Err(TdxError::Attributes(td.attributes.0));
        }
        let signed_bytes = bytes.len() - reader.rest().len();
        let length = reader.length_u32_le().ok_or(short(bytes))?;
        let signature_data = reader.bytes(length).ok_or(short(bytes))?;
        Ok(Self {
            version: header.version,
            user_data: header.user_data,
            td,
            signature_data: SignatureData::parse(signature_data)?,
            signed: bytes.get(..signed_bytes).ok_or(short(bytes))?,
            padding: reader.rest(),
        })
    }

    /// That nothing but zeros follows: some interfaces hand out a buffer of a fixed size.
    pub(super) fn check_padding(&self) -> Result<(), TdxError> {
        let is_zero = self.padding.iter().all(|byte| *byte == 0);
        is_zero.then_some(()).ok_or(TdxError::Padding)
    }

    /// That the attestation key signed the bytes received.
    pub(super) fn check_signature(&self) -> Result<(), TdxError> {
        let is_signed = self.signature_data.signs(self.signed);
        is_signed.then_some(()).ok_or(TdxError::Signature)
    }

    /// That `pck`, an uncompressed point, signed the QE report.
    pub(super) fn check_qe_report(&self, pck: &[u8; 65]) -> Result<(), TdxError> {
        let is_certified = self.signature_data.is_certified_by(pck);
        is_certified
            .then_some(())
            .ok_or(TdxError::QeReportSignature)
    }

    /// That the QE report speaks for the attestation key.
    pub(super) fn check_key_binding(&self) -> Result<(), TdxError> {
        let is_bound = self.signature_data.binds_key();
        is_bound.then_some(()).ok_or(TdxError::KeyBinding)
    }
}

impl Header {
    /// VERSION, attestation key type, TEE type, 4 bytes reserved, QE vendor id, user data.
    fn parse(reader: &mut Cursor<'_>, size: usize) -> Result<Self, TdxError> {
        let cut = || TdxError::QuoteSize(size);
        if !(HEADER_BYTES..=MAX_QUOTE_BYTES).contains(&size) {
            return Err(cut());
        }
        let version = reader.u16_le().ok_or_else(cut)?;
        let key_type = reader.u16_le().ok_or_else(cut)?;
        let tee_type = reader.u32_le().ok_or_else(cut)?;
        check_kind(version, tee_type)?;
        if key_type != ECDSA_P256 {
            return Err(TdxError::KeyType(key_type));
        }
        reader.bytes(4).ok_or_else(cut)?;
        if reader.array() != Some(INTEL_QE_VENDOR_ID) {
            return Err(TdxError::QeVendor);
        }
        Ok(Self {
            version,
            user_data: reader.array().ok_or_else(cut)?,
        })
    }
}

/// Version 3 is SGX's alone.
const fn check_kind(version: u16, tee_type: u32) -> Result<(), TdxError> {
    match (version, tee_type) {
        (4 | 5, TEE_TYPE_TDX) => Ok(()),
        (3, TEE_TYPE_SGX) | (4 | 5, _) => Err(TdxError::TeeType { tee_type }),
        _ => Err(TdxError::QuoteVersion(version)),
    }
}

/// Version 4 knows one body; version 5 tells type and size.
fn body_type(version: u16, reader: &mut Cursor<'_>) -> Result<BodyType, TdxError> {
    if version == 4 {
        return Ok(BodyType::Td10);
    }
    let (code, size) = (reader.u16_le(), reader.u32_le());
    let (Some(code), Some(size)) = (code, size) else {
        return Err(TdxError::Body { code: 0, size: 0 });
    };
    BodyType::from_code(code)
        .filter(|kind| u32::try_from(kind.bytes()) == Ok(size))
        .ok_or(TdxError::Body { code, size })
}

const fn short(bytes: &[u8]) -> TdxError {
    TdxError::QuoteSize(bytes.len())
}
