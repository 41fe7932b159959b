//! The signature data of a quote v4 or v5 (quote v4 appendix A.3.8 to A.3.11).

use super::{TdxError, qe_report::QeReport};
use crate::{crypto, cursor::Cursor};

/// Certification data type 6: the QE report with what certifies it.
const QE_REPORT_CERTIFICATION: u16 = 6;

/// ECDSA-256 signature data, every length in it consistent with the bytes around it.
pub(super) struct SignatureData<'a> {
    /// Over header and body, by the attestation key; r || s.
    pub(super) signature: [u8; 64],
    /// The attestation key, x || y.
    attestation_key: [u8; 64],
    /// Everything behind `signature`: the same in every quote of one quoting enclave until it makes another key.
    pub(super) of_enclave: &'a [u8],
    qe_report_bytes: [u8; 384],
    pub(super) qe_report: QeReport,
    /// Over the QE report, by the PCK; r || s.
    qe_report_signature: [u8; 64],
    authentication_data: &'a [u8],
    pub(super) certification: Certification<'a>,
}

/// What certifies the QE report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Certification<'a> {
    /// Types 2 and 3: PPID encrypted to Intel (RSA-2048 or RSA-3072), CPUSVN, PCESVN and PCEID name a PCK certificate to fetch.
    Identifier,
    /// Type 5: the PCK certificate with its chain, PEM.
    Chain(&'a [u8]),
}

impl<'a> SignatureData<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, TdxError> {
        let mut reader = Cursor::new(bytes);
        let cut = TdxError::SignatureData;
        let signature = reader.array().ok_or(cut("the signature"))?;
        let of_enclave = reader.rest();
        let attestation_key = reader.array().ok_or(cut("the attestation key"))?;
        let kind = reader.u16_le().ok_or(cut("the certification data"))?;
        if kind != QE_REPORT_CERTIFICATION {
            return Err(TdxError::CertificationType(kind));
        }
        let certified = counted(&mut reader).ok_or(cut("the certification data"))?;
        end(reader).ok_or(cut("the certification data"))?;

        let mut reader = Cursor::new(certified);
        let qe_report_bytes = reader.array().ok_or(cut("the QE report"))?;
        let qe_report_signature = reader.array().ok_or(cut("the QE report's signature"))?;
        let length = reader.u16_le().ok_or(cut("the QE's authentication data"))?;
        Ok(Self {
            signature,
            attestation_key,
            of_enclave,
            qe_report: QeReport::parse(&qe_report_bytes).ok_or(cut("the QE report"))?,
            qe_report_bytes,
            qe_report_signature,
            authentication_data: reader
                .bytes(length.into())
                .ok_or(cut("the QE's authentication data"))?,
            certification: Certification::parse(reader)?,
        })
    }

    /// Whether the attestation key signed `message`.
    pub(super) fn signs(&self, message: &[u8]) -> bool {
        let mut point = [4; 65];
        if let Some(coordinates) = point.last_chunk_mut::<64>() {
            *coordinates = self.attestation_key;
        }
        crypto::ecdsa_p256_sha256_verify(&point, message, &self.signature)
    }

    /// Whether the QE report's REPORTDATA is SHA-256 of attestation key and authentication data, then zeros.
    pub(super) fn binds_key(&self) -> bool {
        let bound = [self.attestation_key.as_slice(), self.authentication_data].concat();
        let mut expected = [0; 64];
        if let Some(digest) = expected.first_chunk_mut::<32>() {
            *digest = crypto::sha256(&bound);
        }
        self.qe_report.report_data == expected
    }

    /// Whether `pck`, an uncompressed point, signed the QE report.
    pub(super) fn is_certified_by(&self, pck: &[u8; 65]) -> bool {
        crypto::ecdsa_p256_sha256_verify(pck, &self.qe_report_bytes, &self.qe_report_signature)
    }
}

impl<'a> Certification<'a> {
    /// Encrypted PPID, CPUSVN, PCESVN, PCEID.
    const fn identifier_bytes(ppid_bytes: usize) -> usize {
        ppid_bytes + 16 + 2 + 2
    }

    fn parse(mut reader: Cursor<'a>) -> Result<Self, TdxError> {
        const CUT: TdxError = TdxError::SignatureData("the QE's certification data");
        let kind = reader.u16_le().ok_or(CUT)?;
        let data = counted(&mut reader).ok_or(CUT)?;
        end(reader).ok_or(CUT)?;
        let identifier_of = |ppid_bytes| {
            let fits = data.len() == Self::identifier_bytes(ppid_bytes);
            fits.then_some(Self::Identifier).ok_or(CUT)
        };
        match kind {
            2 => identifier_of(256),
            3 => identifier_of(384),
            5 => Ok(Self::Chain(data)),
            _ => Err(TdxError::CertificationType(kind)),
        }
    }
}

/// Bytes behind their length, a little-endian u32.
fn counted<'a>(reader: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let length = reader.length_u32_le()?;
    reader.bytes(length)
}

fn end(reader: Cursor<'_>) -> Option<()> {
    reader.is_empty().then_some(())
}
