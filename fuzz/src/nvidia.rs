//! NVIDIA reports around parts of any bytes.

use attestation::{
    UnixTime,
    nvidia::{Evidence, authenticate},
    roots::NvidiaRoots,
};

/// The step that refuses `report` without a chain.
pub fn refusal(report: &[u8]) -> &'static str {
    let evidence = Evidence { report, chain: &[] };
    let refused = authenticate(&evidence, None, &NvidiaRoots::vendor(), UnixTime(0));
    let error = refused.expect_err("a report without a chain is never authentic");
    assert!(error.step().is_some(), "a refusal without a step: {error}");
    error.code()
}

/// A report of one measurement with this opaque data and a signature of zeros.
pub fn report(opaque: &[u8]) -> Vec<u8> {
    let mut report = vec![0x11, 0xE0, 1, 0xFF];
    report.extend([0x4E; 32]);
    report.extend([0, 0x11, 0x60, 0, 0, 1, 55, 0, 0]);
    report.extend([1, 1, 51, 0, 1, 48, 0]);
    report.extend([0xD1; 48]);
    report.extend([0x5A; 32]);
    report.extend((opaque.len() as u16).to_le_bytes());
    report.extend_from_slice(opaque);
    report.extend([0; 96]);
    report
}
