//! Whole machines: devices left out, doubled, of another mode or linked elsewhere.

use crate::vendor::{Draft, Issued, roots};
use attestation::nvidia::{
    DeviceClaims, Evidence, Feature, MACHINE_STEPS, MachineClaims, MachineRefusal, verify_all,
};

type Verdict = Result<MachineClaims, Box<MachineRefusal>>;

/// Two GPUs and two switches, each linked with both of the others.
fn protected_pcie() -> Vec<Draft> {
    let mut gpus = [1, 2].map(Draft::of_gpu_number);
    let identifiers = [gpus[0].pdi(), gpus[1].pdi()];
    let switches = [1, 2].map(|number| Draft::of_switch_number(number, &identifiers));
    let linked = [switches[0].pdi(), switches[1].pdi()];
    for gpu in &mut gpus {
        gpu.report.in_protected_pcie(&linked);
    }
    gpus.into_iter().chain(switches).collect()
}

fn verdict(drafts: &[Draft]) -> Verdict {
    let issued: Vec<Issued> = drafts.iter().map(Draft::issue).collect();
    verdict_on(&issued)
}

fn verdict_on(issued: &[Issued]) -> Verdict {
    let chains: Vec<Vec<&[u8]>> = issued
        .iter()
        .map(|one| one.chain.iter().map(Vec::as_slice).collect())
        .collect();
    let evidence: Vec<Evidence<'_>> = issued
        .iter()
        .zip(&chains)
        .map(|(one, chain)| Evidence {
            report: &one.report,
            chain,
        })
        .collect();
    let mut references = attestation::nvidia::References::default();
    for one in issued {
        let new = |have: &[Vec<u8>], more: &[Vec<u8>]| -> Vec<Vec<u8>> {
            let new = more.iter().filter(|item| !have.contains(item));
            new.cloned().collect()
        };
        let rims = new(&references.rims, &one.references.rims);
        references.rims.extend(rims);
        let ocsp = new(&references.ocsp, &one.references.ocsp);
        references.ocsp.extend(ocsp);
    }
    let now = issued
        .first()
        .map_or(attestation::UnixTime(0), |one| one.now);
    verify_all(&evidence, &references, None, &roots(), now)
}

fn code(drafts: &[Draft]) -> &'static str {
    verdict(drafts).map_or_else(|refusal| refusal.error.code(), |_| "")
}

#[test]
fn a_whole_machine_is_accepted() {
    let claims = verdict(&protected_pcie()).unwrap();
    let topology = &claims.topology;
    assert_eq!((topology.gpus, topology.switches), (2, 2));
    assert_eq!(
        (topology.feature, topology.is_whole),
        (Some(Feature::Ppcie), true)
    );
    let matched = claims.devices.iter().map(DeviceClaims::matched);
    assert_eq!(matched.collect::<Vec<_>>(), [29, 29, 31, 31]);
}

#[test]
fn no_devices_are_no_machine() {
    assert_eq!(code(&[]), "nvidia.topology.devices");
    assert_eq!(code(&protected_pcie()[2..]), "nvidia.topology.devices");
}

#[test]
fn a_device_left_out_is_missed() {
    let all = protected_pcie();
    for left_out in 0..all.len() {
        let mut some = all.clone();
        some.remove(left_out);
        assert_eq!(code(&some), "nvidia.topology.omitted", "without {left_out}");
    }
    assert_eq!(code(&all[..2]), "nvidia.topology.omitted", "GPUs alone");
}

#[test]
fn four_copies_of_one_switch_are_one_switch() {
    let mut drafts = protected_pcie();
    drafts[3] = drafts[2].clone();
    assert_eq!(code(&drafts), "nvidia.topology.doubled");
    let gpu = Draft::of_gpu();
    assert_eq!(code(&[gpu.clone(), gpu]), "nvidia.topology.doubled");
}

#[test]
fn an_all_zero_identifier_is_no_key() {
    let mut drafts = protected_pcie();
    for gpu in &mut drafts[..2] {
        gpu.report.in_protected_pcie(&[[0; 8]]);
    }
    assert_eq!(
        code(&drafts),
        "nvidia.topology.linked",
        "zero links are none"
    );
    let mut drafts = protected_pcie();
    drafts[0].chain[1].serial = vec![0x41, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(code(&drafts), "nvidia.serial");
}

#[test]
fn every_device_is_linked_with_every_other_kind() {
    let mut drafts = protected_pcie();
    let only = drafts[2].pdi();
    drafts[0].report.in_protected_pcie(&[only]);
    assert_eq!(code(&drafts), "nvidia.topology.linked");
    drafts[0].report.without(22);
    assert_eq!(code(&drafts), "nvidia.topology.linked");
    let mut drafts = protected_pcie();
    let mut foreign = drafts[3].pdi();
    foreign[0] ^= 1;
    let known = drafts[2].pdi();
    drafts[1].report.in_protected_pcie(&[known, foreign]);
    assert_eq!(code(&drafts), "nvidia.topology.omitted");
}

#[test]
fn gpus_are_set_up_alike() {
    let [first, mut second] = [1, 2].map(Draft::of_gpu_number);
    assert_eq!(code(&[first.clone(), second.clone()]), "");
    *second.report.field(36) = vec![1, 0];
    assert_eq!(code(&[first, second]), "nvidia.topology.feature");
}

#[test]
fn all_devices_answer_one_nonce() {
    let mut drafts = protected_pcie();
    drafts[3].report.nonce = [0x4F; 32];
    assert_eq!(code(&drafts), "nvidia.topology.nonce");
}

#[test]
fn without_links_nothing_is_said_of_the_number_of_gpus() {
    let claims = verdict(&[1, 2, 3].map(Draft::of_gpu_number)).unwrap();
    assert_eq!((claims.topology.gpus, claims.topology.is_whole), (3, false));
}

#[test]
fn one_refusal_is_a_refusal_wherever_it_stands() {
    let drafts = [1, 2, 3].map(Draft::of_gpu_number);
    for wrong in 0..drafts.len() {
        let mut issued: Vec<Issued> = drafts.iter().map(Draft::issue).collect();
        *issued[wrong].report.last_mut().unwrap() ^= 1;
        let refusal = verdict_on(&issued).unwrap_err();
        assert_eq!(
            (refusal.error.code(), refusal.index),
            ("nvidia.signature", Some(wrong))
        );
        let mut wrong_firmware = drafts.clone();
        wrong_firmware[wrong].report.blocks[0].value[0] ^= 1;
        let refusal = verdict(&wrong_firmware).unwrap_err();
        assert_eq!(refusal.error.code(), "nvidia.measurements.vbios");
        assert_eq!((refusal.index, refusal.devices.len()), (Some(wrong), 3));
    }
}

#[test]
fn the_gravest_refusal_decides() {
    let [mut incomplete, mut rejected, malformed] = [1, 2, 3].map(Draft::of_gpu_number);
    incomplete.responses[0] = None;
    assert_eq!(
        code(&[incomplete.clone(), malformed.clone()]),
        "nvidia.complete"
    );
    rejected.report.blocks[0].value[0] ^= 1;
    let both = [incomplete.clone(), rejected.clone()];
    assert_eq!(code(&both), "nvidia.measurements.vbios");
    let mut issued: Vec<Issued> = [incomplete, rejected, malformed]
        .iter()
        .map(Draft::issue)
        .collect();
    issued[2].report.pop();
    let refusal = verdict_on(&issued).unwrap_err();
    assert_eq!(
        (refusal.error.code(), refusal.index),
        ("nvidia.report.size", Some(2))
    );
}

#[test]
fn every_refusal_of_a_machine_is_a_step_of_its_own() {
    let topology = MACHINE_STEPS
        .iter()
        .filter(|step| step.id.starts_with("nvidia.topology."));
    assert_eq!(topology.count(), 6);
}
