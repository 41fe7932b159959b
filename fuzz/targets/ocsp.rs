//! An OCSP response of any bytes, about a certificate that the seed is about.
#![no_main]

use attestation::{UnixTime, nvidia::References, ocsp::Response};
use narthex_fuzz::{joined, parts, seeds};

/// 2026-06-01T00:00:00Z, within the dates of the seeds.
const NOW: UnixTime = UnixTime(1_780_272_000);

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let Some([subject, issuer, response]) = parts(data) else {
        return;
    };
    if let Ok(response) = Response::parse(response) {
        let _ = response.verify(subject, issuer, NOW);
    }
}

/// Each response with a device's certificate and its issuer's; three of them are about it.
fn plant() {
    let issued = seeds::nvidia();
    let References { ocsp, .. } = issued.references;
    let pairs = issued.chain.windows(2).skip(1);
    seeds::plant(pairs.zip(ocsp).map(|(pair, response)| joined(&[&pair[0], &pair[1], &response])));
}
