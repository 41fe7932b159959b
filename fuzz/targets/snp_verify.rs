//! Everything a verifier is given at once: report, VEK, intermediate, list.
#![no_main]

use narthex_fuzz::{
    joined, parts,
    seeds::{self, Genuine},
    verify,
};

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    if let Some([report, vek, intermediate, crl]) = parts(data) {
        let chain: &[&[u8]] = if intermediate.is_empty() {
            &[]
        } else {
            &[intermediate]
        };
        let crls: &[&[u8]] = if crl.is_empty() { &[] } else { &[crl] };
        if let Err(error) = verify(report, vek, chain, crls) {
            assert!(error.step().is_some(), "a refusal without a step: {error}");
        }
    }
}

fn plant() {
    let Genuine {
        report,
        milan,
        turin,
    } = Genuine::load();
    seeds::plant([
        joined(&[&report, &milan, seeds::ASK, b""]),
        joined(&[&report, &turin, b"", &seeds::empty_list()]),
    ]);
}
