//! The attestation report as the library hands it out: the SPDM 1.1 request that the driver made of the nonce, and the device's response
//! (DMTF DSP0274 1.1, sections 10.11.1 and 10.11.2). Nothing is verified here: that is the peers' business.

use super::library::AttestationReport;
use nvml_wrapper_sys::bindings::{
    NVML_CC_CEC_ATTESTATION_REPORT_NOT_PRESENT, NVML_CC_CEC_ATTESTATION_REPORT_PRESENT,
};

/// Bytes of GET_MEASUREMENTS: header (4), nonce (32), slot.
const REQUEST_BYTES: usize = 37;
/// Where the request has its nonce.
const NONCE: usize = 4;
/// Of the response: header (4) and number of blocks; then the length of the measurement record, 3 bytes.
const RECORD_LENGTH: usize = REQUEST_BYTES + 5;
/// Bytes of MEASUREMENTS before the measurement record.
const RESPONSE_HEAD_BYTES: usize = 8;
/// The response's own nonce.
const RESPONSE_NONCE_BYTES: usize = 32;
/// r and s.
const SIGNATURE_BYTES: usize = 96;

/// Request and response, without the zeros that some drivers put behind them; `None` if the size that is told is above that of the buffer,
/// the fields name more bytes than there are, or something else stands behind them.
pub(super) fn message(told: &AttestationReport) -> Option<&[u8]> {
    let bytes = cut(&told.attestationReport, told.attestationReportSize)?;
    let (message, padding) = bytes.split_at_checked(message_bytes(bytes)?)?;
    padding.iter().all(|byte| *byte == 0).then_some(message)
}

/// The nonce of the request.
pub(super) fn nonce(message: &[u8]) -> Option<[u8; 32]> {
    message.get(NONCE..)?.first_chunk().copied()
}

/// The controller's report, if there is one; `None` if its size is above that of the buffer, or it is there and empty.
pub(super) fn cec(told: &AttestationReport) -> Option<Option<&[u8]>> {
    match told.isCecAttestationReportPresent {
        NVML_CC_CEC_ATTESTATION_REPORT_NOT_PRESENT => Some(None),
        NVML_CC_CEC_ATTESTATION_REPORT_PRESENT => {
            let report = cut(&told.cecAttestationReport, told.cecAttestationReportSize)?;
            (!report.is_empty()).then_some(Some(report))
        }
        _ => None,
    }
}

/// The first `size` bytes of a buffer of the library's.
pub(super) fn cut(buffer: &[u8], size: u32) -> Option<&[u8]> {
    buffer.get(..usize::try_from(size).ok()?)
}

/// What the fields before them say that request and response take together.
fn message_bytes(bytes: &[u8]) -> Option<usize> {
    let [low, middle, high] = *bytes.get(RECORD_LENGTH..)?.first_chunk()?;
    let record = u32::from_le_bytes([low, middle, high, 0]);
    let opaque = REQUEST_BYTES
        .checked_add(RESPONSE_HEAD_BYTES + RESPONSE_NONCE_BYTES)?
        .checked_add(usize::try_from(record).ok()?)?;
    let opaque_bytes = u16::from_le_bytes(*bytes.get(opaque..)?.first_chunk()?);
    opaque
        .checked_add(size_of::<u16>() + usize::from(opaque_bytes))?
        .checked_add(SIGNATURE_BYTES)
}
