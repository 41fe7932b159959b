//! A reference manifest of any bytes, and with any bytes inside a genuine frame.
#![no_main]

use attestation::{
    UnixTime,
    nvidia::rim::{Rim, RimError},
    roots::NvidiaRoots,
};
use narthex_fuzz::seeds;

/// 2026-06-01T00:00:00Z, within the dates of the seed.
const NOW: UnixTime = UnixTime(1_780_272_000);

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

/// What NVIDIA did not sign is never accepted.
fn check(data: &[u8]) {
    let verdict = Rim::parse(data).and_then(|rim| rim.verify(&NvidiaRoots::vendor(), NOW));
    if let Err(RimError::Xml { offset, .. }) = verdict {
        assert!(offset <= data.len());
    } else {
        assert!(verdict.is_err());
    }
}

fn plant() {
    seeds::plant(seeds::nvidia().references.rims);
}
