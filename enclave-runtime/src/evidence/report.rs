//! The three fields of an SNP report that a provider looks at before it hands the report out (AMD 56860 table 23). Nothing is verified
//! here: that is the peers' business.

use attestation::ReportData;

/// Bytes of an attestation report, versions 2 to 5.
pub(crate) const REPORT_BYTES: usize = 1184;
/// Offset of the word whose bits 4:2 are SIGNING_KEY.
const KEY_SELECTION: usize = 0x48;
/// Offset of REPORT_DATA, 64 bytes.
const REPORT_DATA: usize = 0x50;

/// The kind of key that signed a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VekKind {
    Vcek,
    Vlek,
}

/// Whether `report` carries exactly `expected`.
pub(crate) fn carries(report: &[u8], expected: &ReportData) -> bool {
    field::<64>(report, REPORT_DATA) == Some(expected.0)
}

/// SIGNING_KEY; `None` for a report that no key signed.
pub(crate) fn signing_key(report: &[u8]) -> Option<VekKind> {
    let word = u32::from_le_bytes(field(report, KEY_SELECTION)?);
    match (word >> 2) & 0b111 {
        0 => Some(VekKind::Vcek),
        1 => Some(VekKind::Vlek),
        _ => None,
    }
}

fn field<const N: usize>(report: &[u8], offset: usize) -> Option<[u8; N]> {
    report.get(offset..)?.first_chunk().copied()
}
