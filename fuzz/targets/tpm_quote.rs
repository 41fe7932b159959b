//! TPM quotes and signatures of any bytes beside a sound HCL report: none is by its key.
#![no_main]

use attestation::{
    ErrorClass, UnixTime,
    vtpm::{AzureError, AzureEvidence, AzureRoots, Endorsements, TpmQuote, verify},
};
use narthex_fuzz::{joined, parts, seeds};
use std::sync::LazyLock;

static HCL_REPORT: LazyLock<Vec<u8>> = LazyLock::new(|| seeds::hcl_report(2));

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let Some([signature, pcrs, message]) = parts(data) else {
        return;
    };
    let (pcrs, _) = pcrs.as_chunks();
    let quote = TpmQuote {
        message,
        signature,
        pcrs: (!pcrs.is_empty()).then_some(pcrs),
    };
    let evidence = AzureEvidence {
        hcl_report: &HCL_REPORT,
        endorsements: Endorsements::Missing,
        quote: Some(quote),
    };
    let error = verify(&evidence, &AzureRoots::vendor(), None, UnixTime(0))
        .expect_err("no such key ever signed");
    let is_read = error == AzureError::QuoteSignature;
    let is_not = matches!(
        error.class(),
        ErrorClass::Malformed | ErrorClass::Unsupported
    );
    assert!(is_read || is_not, "{error}");
}

fn plant() {
    let message = [
        b"\xFFTCG\x80\x18\x00\x22\x00\x0B".as_slice(),
        &[1; 32],
        b"\x00\x09challenge",
        &[0; 24],
        &[1; 1],
        b"\x00\x00\x00\x01\x00\x0B\x03\x03\x00\x00\x00\x20",
        &[2; 32],
    ]
    .concat();
    let wrapped = [&[0, 0x14, 0, 0x0B, 1, 0][..], &[3; 256]].concat();
    seeds::plant([
        joined(&[&[3; 256], &[4; 64], &message]),
        joined(&[&wrapped, b"", &message]),
    ]);
}
