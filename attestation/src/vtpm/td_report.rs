//! The TDREPORT (TDX module ABI 348551, `TDREPORT_STRUCT`), which only the machine that made it can verify: it has a MAC, no signature.
//!
//! A TD quote over the same body makes up for that.

use super::{AzureError, hcl::HARDWARE_REPORT_BYTES};
use crate::{crypto, cursor::Cursor};
use std::ops::Range;

/// Length of a TDREPORT; the rest of the room for it is zero.
const TDREPORT_BYTES: usize = 1024;
/// REPORTTYPE: type 81h (TDX), subtype 0, version 0 or 1, reserved.
const TYPE_TDX: u8 = 0x81;
/// In REPORTMACSTRUCT, behind REPORTTYPE and its reserved bytes.
const CPU_SVN_BYTES: usize = 16;
/// In REPORTMACSTRUCT between REPORTDATA and MAC, and behind TEE_TCB_INFO.
const RESERVED: [Range<usize>; 2] = [0xC0..0xE0, 495..512];
/// TEE_TCB_INFO without its reserved end.
const TEE_TCB_INFO_BYTES: usize = 239;
/// Offset of TEE_TCB_INFO, in bytes.
const TEE_TCB_INFO: usize = 256;
/// Offset of TDINFO, in bytes, which is the rest.
const TD_INFO: usize = 512;
/// REPORTDATA in REPORTMACSTRUCT.
const REPORT_DATA: Range<usize> = 0x80..0xC0;
/// TEE_TCB_SVN, MRSEAM, MRSIGNERSEAM and ATTRIBUTES in TEE_TCB_INFO.
const QUOTED_OF_TCB_INFO: Range<usize> = 264..384;
/// ATTRIBUTES, XFAM, MRTD, MRCONFIGID, MROWNER, MROWNERCONFIG and RTMRs in TDINFO.
const QUOTED_OF_TD_INFO: Range<usize> = 512..912;
/// Length of a TD 1.0 body, with which every body of a TD quote begins.
const BODY_BYTES: usize = 584;

/// A TDREPORT whose structure is sound; nothing in it is authentic yet.
pub(super) struct TdReport<'a>(&'a [u8; HARDWARE_REPORT_BYTES]);

impl<'a> TdReport<'a> {
    pub(super) fn parse(bytes: &'a [u8; HARDWARE_REPORT_BYTES]) -> Result<Self, AzureError> {
        let (report, rest) = bytes.split_at(TDREPORT_BYTES);
        if rest.iter().any(|byte| *byte != 0) {
            return Err(AzureError::TdReport("has bytes behind it"));
        }
        check_type(report).ok_or(AzureError::TdReport("is of another type"))?;
        check_hashes(report).ok_or(AzureError::TdReport("contradicts its own hashes"))?;
        Ok(Self(bytes))
    }

    /// That the quote, which the caller has verified, is over this report's body.
    pub(super) fn check_quote(&self, quote: &[u8]) -> Result<(), AzureError> {
        let parts = [QUOTED_OF_TCB_INFO, QUOTED_OF_TD_INFO, REPORT_DATA];
        let parts = parts.map(|range| self.0.get(range).unwrap_or_default());
        (body(quote) == Some(&parts.concat()))
            .then_some(())
            .ok_or(AzureError::TdQuote)
    }
}

fn check_type(report: &[u8]) -> Option<()> {
    let [kind, subtype, version, reserved @ ..]: [u8; 16] = Cursor::new(report).array()?;
    let is_known = matches!((kind, subtype, version), (TYPE_TDX, 0, 0 | 1));
    let fields = RESERVED.map(|range| report.get(range).unwrap_or_default());
    let mut reserved = reserved.iter().chain(fields.into_iter().flatten());
    (is_known && reserved.all(|byte| *byte == 0)).then_some(())
}

/// TEE_TCB_INFO_HASH and TEE_INFO_HASH: SHA-384 of the two structures that follow REPORTMACSTRUCT.
fn check_hashes(report: &[u8]) -> Option<()> {
    let mut cursor = Cursor::new(report);
    cursor.bytes(16 + CPU_SVN_BYTES)?;
    let hashes: [[u8; 48]; 2] = [cursor.array()?, cursor.array()?];
    let tcb_info = report.get(TEE_TCB_INFO..TEE_TCB_INFO + TEE_TCB_INFO_BYTES)?;
    let td_info = report.get(TD_INFO..)?;
    (hashes == [tcb_info, td_info].map(crypto::sha384)).then_some(())
}

/// The body of a quote: behind the header, and in version 5 behind its type and length.
fn body(quote: &[u8]) -> Option<&[u8]> {
    let mut cursor = Cursor::new(quote);
    let version = cursor.u16_le()?;
    cursor.bytes(if version == 5 { 52 } else { 46 })?;
    cursor.bytes(BODY_BYTES)
}
