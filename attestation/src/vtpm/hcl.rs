//! The HCL report: a header, the hardware's report, and the variable data that the hardware's report binds.

use super::AzureError;
use crate::{crypto, cursor::Cursor};
use std::ops::Range;

/// The vTPM's NV index has at most 2600 bytes; files may be padded.
const MAX_BYTES: usize = 16 * 1024;
const SIGNATURE: [u8; 4] = *b"HCLA";
/// `AttestationReport`, as against requests for keys.
const REQUEST_TYPE: u32 = 2;
/// Header (32) and hardware report.
const FIXED_BYTES: usize = 32 + HARDWARE_REPORT_BYTES;
/// Room for the hardware's report: an SNP report fills it, a TDREPORT leaves 160 zero bytes.
pub(super) const HARDWARE_REPORT_BYTES: usize = 1184;
/// dataSize, version, reportType, reportDataHashType and variableDataSize, of four bytes each.
const DATA_HEADER_BYTES: usize = 20;
const SHA256: u32 = 1;
/// REPORT_DATA of an SNP report (AMD 56860 table 23).
const SNP_REPORT_DATA: Range<usize> = 0x50..0x90;
/// REPORTDATA in the REPORTMACSTRUCT of a TDREPORT.
const TDREPORT_REPORT_DATA: Range<usize> = 0x80..0xC0;

const TYPE_SNP: u32 = 2;
const TYPE_TDX: u32 = 4;

/// The technology whose report an HCL report holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HardwareKind {
    /// AMD SEV-SNP.
    Snp,
    /// Intel TDX.
    Tdx,
}

impl HardwareKind {
    /// What `hcl_report` says of itself; `None` if it is no report of a kind that this build knows.
    #[must_use]
    pub fn of(hcl_report: &[u8]) -> Option<Self> {
        HclReport::parse(hcl_report).ok().map(|report| report.kind)
    }
}

impl std::fmt::Display for HardwareKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Snp => "SEV-SNP",
            Self::Tdx => "TDX",
        })
    }
}

/// An HCL report whose structure is sound; nothing in it is authentic yet.
pub(super) struct HclReport<'a> {
    /// Header version, 1 or 2.
    pub(super) version: u32,
    pub(super) kind: HardwareKind,
    pub(super) hardware_report: &'a [u8; HARDWARE_REPORT_BYTES],
    pub(super) var_data: &'a [u8],
}

impl<'a> HclReport<'a> {
    /// Header, hardware report, variable data, then zeros only.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, AzureError> {
        if bytes.len() > MAX_BYTES {
            return Err(AzureError::HclSize(bytes.len()));
        }
        let mut cursor = Cursor::new(bytes);
        let (version, report_bytes) = header(&mut cursor)?;
        let hardware_report = cursor.bytes(HARDWARE_REPORT_BYTES);
        let hardware_report = hardware_report.and_then(|report| report.try_into().ok());
        let hardware_report = hardware_report.ok_or(AzureError::HclHeader("no hardware report"))?;
        let [data_bytes, _version, kind, hash, var_data_bytes] = data_header(&mut cursor)?;
        let kind = known_kind(kind)?;
        if hash != SHA256 {
            return Err(AzureError::HclHash(hash));
        }
        let var_data = cursor.bytes(length(var_data_bytes)).unwrap_or_default();
        let is_sound = length(data_bytes) == DATA_HEADER_BYTES + var_data.len()
            && length(report_bytes) == FIXED_BYTES + length(data_bytes)
            && length(var_data_bytes) == var_data.len()
            && cursor.rest().iter().all(|byte| *byte == 0);
        is_sound.then_some(()).ok_or(AzureError::HclVarData)?;
        Ok(Self {
            version,
            kind,
            hardware_report,
            var_data,
        })
    }

    /// REPORT_DATA is the SHA-256 of the variable data, and 32 zero bytes.
    pub(super) fn check_binding(&self) -> Result<(), AzureError> {
        let expected = [crypto::sha256(self.var_data), [0; 32]].concat();
        (self.report_data() == Some(expected.as_slice()))
            .then_some(())
            .ok_or(AzureError::Binding)
    }

    fn report_data(&self) -> Option<&[u8]> {
        self.hardware_report.get(match self.kind {
            HardwareKind::Snp => SNP_REPORT_DATA,
            HardwareKind::Tdx => TDREPORT_REPORT_DATA,
        })
    }
}

/// signature, version, reportSize, requestType, status, three reserved; gives version and reportSize.
fn header(cursor: &mut Cursor<'_>) -> Result<(u32, u32), AzureError> {
    let signature = cursor.array().ok_or(AzureError::HclHeader("no header"))?;
    if signature != SIGNATURE {
        return Err(AzureError::HclHeader("no signature HCLA"));
    }
    let [version, report_bytes, request_type] =
        words(cursor).ok_or(AzureError::HclHeader("half a header"))?;
    let reserved: [u8; 16] = cursor
        .array()
        .ok_or(AzureError::HclHeader("half a header"))?;
    match (version, request_type, reserved) {
        (1 | 2, REQUEST_TYPE, [0, ..]) if reserved == [0; 16] => Ok((version, report_bytes)),
        (1 | 2, REQUEST_TYPE, _) => Err(AzureError::HclHeader("a status or reserved bytes")),
        (1 | 2, ..) => Err(AzureError::HclHeader("another request type")),
        _ => Err(AzureError::HclHeader("an unknown version")),
    }
}

fn data_header(cursor: &mut Cursor<'_>) -> Result<[u32; 5], AzureError> {
    let words: [u32; 5] = words(cursor).ok_or(AzureError::HclHeader("no data header"))?;
    let [_, version, ..] = words;
    (version == 1)
        .then_some(words)
        .ok_or(AzureError::HclHeader("an unknown data version"))
}

fn words<const N: usize>(cursor: &mut Cursor<'_>) -> Option<[u32; N]> {
    let mut words = [0; N];
    for word in &mut words {
        *word = cursor.u32_le()?;
    }
    Some(words)
}

const fn known_kind(kind: u32) -> Result<HardwareKind, AzureError> {
    match kind {
        TYPE_SNP => Ok(HardwareKind::Snp),
        TYPE_TDX => Ok(HardwareKind::Tdx),
        other => Err(AzureError::HclType(other)),
    }
}

/// Larger than anything here, where a usize cannot hold it.
fn length(bytes: u32) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
