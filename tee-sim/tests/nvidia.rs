//! The verifier on an invented NVIDIA: right evidence, and every fault told by its code.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use attestation::{UnixTime, nvidia, nvidia::rim, ocsp};
use std::collections::BTreeSet;
use tee_sim::nvidia::{FAULTS, Nvidia};

/// 2026-06-01T00:00:00Z.
const NOW: UnixTime = UnixTime(1_780_272_000);
const NONCE: [u8; 32] = [7; 32];

/// Codes that no fault of one device's evidence can have, with where they are tested.
const ELSEWHERE: &[(&str, &str)] = &[
    ("nvidia.nonce", "`another_nonce_is_refused`"),
    (
        "nvidia.ocsp.cert_id",
        "a response about another certificate is one that is missing",
    ),
    (
        "nvidia.window",
        "what was verified before is used outside its window",
    ),
    ("nvidia.pdi", "switches"),
];

#[test]
fn what_is_right_is_accepted() {
    let issued = Nvidia::invent(NOW).issue(&NONCE);
    let claims = issued.verify(&NONCE, NOW.plus(3600)).unwrap();
    assert_eq!(claims.matched(), 16);
    assert_eq!(claims.device.chip, "GH100");
    assert_eq!(claims.window.not_after, NOW.plus(86_400));
}

#[test]
fn another_nonce_is_refused() {
    let issued = Nvidia::invent(NOW).issue(&NONCE);
    let refusal = issued.verify(&[8; 32], NOW).unwrap_err();
    assert_eq!(refusal.code(), "nvidia.nonce");
}

#[test]
fn every_fault_is_told_by_its_code() {
    let vendor = Nvidia::invent(NOW);
    let mut wrong = Vec::new();
    for fault in FAULTS.into_iter().flatten() {
        let issued = vendor.with(fault.make).issue(&NONCE);
        let verdict = issued.verify(&NONCE, NOW.plus(3600));
        let code = verdict
            .as_ref()
            .map_or_else(|error| error.code(), |_| "accepted");
        if code != fault.code {
            wrong.push(format!("{}: {code} and not {}", fault.name, fault.code));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_code_has_a_fault() {
    let mut without: BTreeSet<&str> = [nvidia::STEPS, rim::STEPS, ocsp::STEPS]
        .into_iter()
        .flatten()
        .map(|step| step.id)
        .collect();
    for fault in FAULTS.into_iter().flatten() {
        without.remove(fault.code);
    }
    let elsewhere = ELSEWHERE.iter().map(|(code, _)| *code).collect();
    assert_eq!(without, elsewhere);
}
