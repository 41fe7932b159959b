//! The verifier on an invented NVIDIA: right evidence, and every fault told by its code.

use attestation::{
    UnixTime,
    nvidia::{self, Evidence, MachineClaims, References, rim},
    ocsp,
};
use std::collections::BTreeSet;
use tee_sim::nvidia::{Draft, FAULTS, Nvidia, opaque};

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
    ("nvidia.pdi", "`a_switch_names_itself`"),
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

/// Verifies a whole machine; its references are those of all its devices, each once.
fn verify_machine(devices: &[Nvidia]) -> Result<MachineClaims, String> {
    let issued: Vec<_> = devices.iter().map(|device| device.issue(&NONCE)).collect();
    let mut references = References::default();
    for one in &issued {
        let add = |all: &mut Vec<Vec<u8>>, more: &[Vec<u8>]| {
            for one in more {
                if !all.contains(one) {
                    all.push(one.clone());
                }
            }
        };
        add(&mut references.rims, &one.references.rims);
        add(&mut references.ocsp, &one.references.ocsp);
    }
    let chains: Vec<Vec<&[u8]>> = issued
        .iter()
        .map(|one| one.chain.iter().map(Vec::as_slice).collect())
        .collect();
    let evidence: Vec<_> = issued
        .iter()
        .zip(&chains)
        .map(|(one, chain)| Evidence {
            report: &one.report,
            chain,
        })
        .collect();
    let roots = issued[0].roots();
    nvidia::verify_all(&evidence, &references, Some(&NONCE), &roots, NOW.plus(3600))
        .map_err(|refusal| refusal.error.code().to_owned())
}

#[test]
fn a_machine_is_whole_with_all_its_gpus_and_switches() {
    let machine = Nvidia::invent(NOW).machine(8, 4);
    let claims = verify_machine(&machine).unwrap();
    assert_eq!((claims.topology.gpus, claims.topology.switches), (8, 4));
    assert!(claims.topology.is_whole);
    for left_out in [0, 7, 8, 11] {
        let mut rest = machine.clone();
        rest.remove(left_out);
        let code = verify_machine(&rest).unwrap_err();
        assert_eq!(code, "nvidia.topology.omitted", "{left_out}");
    }
    let doubled = [&machine[..], &machine[3..4]].concat();
    assert_eq!(
        verify_machine(&doubled).unwrap_err(),
        "nvidia.topology.doubled"
    );
}

#[test]
fn a_switch_names_itself() {
    let machine = Nvidia::invent(NOW).machine(1, 1);
    let edit = |draft: &mut Draft| *draft.report.opaque(opaque::SWITCH_PDI) = vec![9; 8];
    let lying = [machine[0].clone(), machine[1].with(edit)];
    assert_eq!(verify_machine(&lying).unwrap_err(), "nvidia.pdi");
}
