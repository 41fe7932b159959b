//! HCL reports of any bytes, with their variable data: nothing is accepted without endorsements.
#![no_main]

use attestation::{
    ErrorClass, UnixTime, crypto,
    vtpm::{AzureEvidence, AzureRoots, Endorsements, verify},
};
use narthex_fuzz::seeds;

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let evidence = AzureEvidence {
        hcl_report: data,
        endorsements: Endorsements::Missing,
        quote: None,
    };
    let error = verify(&evidence, &AzureRoots::vendor(), None, UnixTime(0))
        .expect_err("nothing vouches for it");
    assert!(error.step().is_some(), "a refusal without a step: {error}");
    if error.class() == ErrorClass::Incomplete {
        let length = u32::from_le_bytes(data[1232..1236].try_into().unwrap()) as usize;
        let hash = crypto::sha256(&data[1236..1236 + length]);
        let kind = data[1224];
        let report_data = if kind == 2 { 32 + 0x50 } else { 32 + 0x80 };
        assert_eq!(data[report_data..report_data + 32], hash);
    }
}

fn plant() {
    seeds::plant([seeds::hcl_report(2), seeds::hcl_report(4)]);
}
