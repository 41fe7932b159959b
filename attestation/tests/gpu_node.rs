//! A node with a GPU through the composite verifier: its evidence is over the node's own nonce, and the CPU signs for it.
#![allow(clippy::disallowed_methods, reason = "tests")]

use attestation::{
    CollateralBundle, ErrorClass, EvidenceBundle, IdentityKey, Manifest, NodeClaims, Nonce,
    UnixTime, Verifier, VerifyError, danger, roots::Roots, snp::Product,
};
use std::sync::LazyLock;
use tee_sim::{GpuMachine, Machine, Vendor, nvidia::Nvidia};

const NOW: UnixTime = UnixTime(1_780_272_000);
const NONCE: Nonce = Nonce([7; 32]);

static AMD: LazyLock<Vendor> = LazyLock::new(|| Vendor::invent(Product::Genoa));
static NVIDIA: LazyLock<Nvidia> = LazyLock::new(|| Nvidia::invent(NOW));

fn manifest() -> Vec<u8> {
    Manifest {
        runtime_version: "0.1.0".into(),
        runtime_digest: [1; 32],
        model: "m".into(),
        model_digest: [2; 32],
        tokenizer_digest: [3; 32],
        template_digest: [4; 32],
        aibom_digest: None,
        kernels_digest: [5; 32],
        engine: "cpu/idle".into(),
        isa: "scalar".into(),
        max_context_tokens: 64,
        max_request_bytes: 1024,
        padding: "off".into(),
        policy_root: [6; 32],
        gpu: None,
    }
    .to_cbor()
}

fn machine(gpus: Vec<Nvidia>) -> GpuMachine<Machine> {
    GpuMachine::new(Machine::new(&AMD), gpus)
}

fn bundle_of(machine: &GpuMachine<Machine>) -> EvidenceBundle {
    tee_sim::bundle(machine, IdentityKey([9; 32]), manifest(), &NONCE)
}

fn bundle() -> EvidenceBundle {
    bundle_of(&machine(vec![NVIDIA.clone()]))
}

fn verifier() -> Verifier {
    let nvidia = NVIDIA.issue(&[0; 32]);
    danger::verifier(Roots {
        snp: danger::snp_roots(AMD.ark_der(), AMD.ask_der()),
        nvidia: danger::nvidia_roots(&nvidia.device_root, &nvidia.rim_root),
        ..Roots::vendor()
    })
}

fn verify(bundle: &EvidenceBundle) -> Result<NodeClaims, VerifyError> {
    let own = verifier().with_collateral(machine(vec![NVIDIA.clone()]).collateral());
    let verified = own.verify(bundle, Some(&NONCE), NOW)?;
    Ok(verified.claims().clone())
}

#[test]
fn a_gpu_answers_the_nonce_that_the_binding_gives_it() {
    let bundle = bundle();
    let claims = verify(&bundle).unwrap();
    let machine = claims.devices.unwrap();
    assert_eq!(machine.devices.len(), 1);
    assert_eq!(machine.topology.nonce, bundle.binding().gpu_nonce().0);
    assert!(claims.not_after <= machine.devices[0].window.not_after);
}

#[test]
fn it_survives_the_wire_with_its_collateral() {
    let machine = machine(vec![NVIDIA.clone()]);
    let bundle = EvidenceBundle {
        collateral: Some(machine.collateral().to_cbor()),
        ..bundle_of(&machine)
    };
    let received = EvidenceBundle::from_cbor(&bundle.to_cbor()).unwrap();
    assert!(verifier().verify(&received, Some(&NONCE), NOW).is_ok());
}

#[test]
fn a_node_without_devices_has_no_claims_of_any() {
    let claims = verify(&bundle_of(&machine(Vec::new()))).unwrap();
    assert_eq!(claims.devices, None);
}

#[test]
fn without_references_the_verdict_is_incomplete() {
    let error = verifier().verify(&bundle(), Some(&NONCE), NOW).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Incomplete);
}

#[test]
fn evidence_of_a_gpu_put_beside_another_cpus_is_refused() {
    let mut stolen = bundle();
    let other = tee_sim::bundle(
        &machine(vec![NVIDIA.clone()]),
        IdentityKey([8; 32]),
        manifest(),
        &NONCE,
    );
    stolen.devices = other.devices;
    assert_eq!(verify(&stolen), Err(VerifyError::ReportData));
}

#[test]
fn a_device_left_out_or_added_is_refused() {
    let mut without = bundle();
    without.devices.clear();
    assert_eq!(verify(&without), Err(VerifyError::ReportData));
    let mut doubled = bundle();
    doubled.devices.push(doubled.devices[0].clone());
    assert_eq!(verify(&doubled), Err(VerifyError::ReportData));
}

#[test]
fn the_same_gpu_twice_is_refused_although_the_cpu_signs_for_both() {
    let twice = bundle_of(&machine(vec![NVIDIA.clone(), NVIDIA.clone()]));
    let error = verify(&twice).unwrap_err();
    assert_eq!(error.code(), "nvidia.topology.doubled");
}

/// A GPU that answered another nonce, bound by a runtime that does not look.
#[test]
fn an_old_answer_of_a_gpu_is_refused_although_the_cpu_signs_for_it() {
    struct Replaying(GpuMachine<Machine>);
    impl attestation::EvidenceProvider for Replaying {
        fn devices(
            &self,
            _: &attestation::GpuNonce,
        ) -> Result<Vec<attestation::DeviceEvidence>, attestation::EvidenceError> {
            self.0.devices(&attestation::GpuNonce([1; 32]))
        }
        fn evidence(
            &self,
            binding: &attestation::Binding,
        ) -> Result<attestation::CpuEvidence, attestation::EvidenceError> {
            self.0.evidence(binding)
        }
    }
    let replaying = Replaying(machine(vec![NVIDIA.clone()]));
    let bundle = tee_sim::bundle(&replaying, IdentityKey([9; 32]), manifest(), &NONCE);
    let error = verify(&bundle).unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("nvidia.nonce", ErrorClass::Rejected)
    );
}

#[test]
fn a_gpu_of_another_vendor_is_refused() {
    let own = danger::verifier(Roots {
        snp: danger::snp_roots(AMD.ark_der(), AMD.ask_der()),
        ..Roots::vendor()
    });
    let own = own.with_collateral(CollateralBundle::default());
    let error = own.verify(&bundle(), Some(&NONCE), NOW).unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("nvidia.chain.issuer", ErrorClass::Rejected)
    );
}
