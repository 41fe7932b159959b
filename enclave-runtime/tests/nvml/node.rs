//! A CPU with GPUs beside it: the whole verifier accepts what both say of one binding.

use crate::fake::{Fake, NOW, NVIDIA, roots};
use attestation::{
    CollateralBundle, EvidenceBundle, EvidenceError, EvidenceProvider, GpuNonce, IdentityKey,
    Manifest, Nonce, Verifier, VerifyError, danger, roots::Roots, snp::Product,
};
use enclave_runtime::{EvidenceSettings, discover, evidence::WithGpus};
use std::sync::{Arc, LazyLock};
use tee_sim::{Machine, Vendor};
use tempfile::TempDir;

const NONCE: Nonce = Nonce([7; 32]);
static AMD: LazyLock<Vendor> = LazyLock::new(|| Vendor::invent(Product::Genoa));

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

fn bundle(provider: &dyn EvidenceProvider) -> EvidenceBundle {
    tee_sim::bundle(provider, IdentityKey([9; 32]), manifest(), &NONCE)
}

fn verifier() -> Verifier {
    let verifier = danger::verifier(Roots {
        snp: danger::snp_roots(AMD.ark_der(), AMD.ask_der()),
        nvidia: roots(),
        ..Roots::vendor()
    });
    verifier.with_collateral(CollateralBundle {
        nvidia: NVIDIA.references(),
        ..CollateralBundle::default()
    })
}

#[test]
fn the_whole_node_is_verified() {
    let fake = Fake::good();
    let provider = WithGpus::new(Arc::new(Machine::new(&AMD)), fake.ready());
    let sent = bundle(&provider).to_cbor();
    let received = EvidenceBundle::from_cbor(&sent).unwrap();
    let verified = verifier().verify(&received, Some(&NONCE), NOW).unwrap();
    let machine = verified.claims().devices.clone().unwrap();
    assert_eq!(machine.topology.gpus, 1);
    assert_eq!(machine.topology.nonce, received.binding().gpu_nonce().0);
}

#[test]
fn a_gpu_named_twice_is_refused_by_the_verifier() {
    let fake = Fake::good();
    fake.set(|fake| fake.gpus = 2);
    let provider = WithGpus::new(Arc::new(Machine::new(&AMD)), fake.ready());
    let refused = verifier().verify(&bundle(&provider), Some(&NONCE), NOW);
    assert_eq!(refused.unwrap_err().code(), "nvidia.topology.doubled");
}

#[test]
fn evidence_with_the_gpu_left_out_is_refused() {
    let fake = Fake::good();
    let provider = WithGpus::new(Arc::new(Machine::new(&AMD)), fake.ready());
    let mut bundle = bundle(&provider);
    bundle.devices.clear();
    let refused = verifier().verify(&bundle, Some(&NONCE), NOW);
    assert_eq!(refused.unwrap_err(), VerifyError::ReportData);
}

#[test]
fn a_gpu_that_left_its_mode_leaves_the_node_without_evidence() {
    let fake = Fake::good();
    let provider = WithGpus::new(Arc::new(Machine::new(&AMD)), fake.ready());
    fake.set(|fake| fake.dev_tools = 1);
    match provider.devices(&GpuNonce([1; 32])) {
        Err(EvidenceError::Unavailable(text)) => assert!(text.starts_with("nvml.devtools: ")),
        other => panic!("{other:?}"),
    }
}

/// What ships trusts NVIDIA's root alone: no invented GPU is made ready.
#[test]
fn the_runtime_s_own_check_is_under_nvidia_s_root() {
    let (fake, tsm) = (Fake::good(), TempDir::new().unwrap());
    let settings = EvidenceSettings {
        tsm_root: tsm.path().to_owned(),
        vek: None,
        privlevel: None,
        event_log: None,
        nvml: Some(fake.path().to_owned()),
    };
    match discover(settings, NOW).map(|platform| platform.gpus) {
        Err(EvidenceError::Unavailable(text)) => {
            assert!(text.starts_with("nvml.self_check: "), "{text}");
            assert!(text.contains("nvidia.chain.issuer"), "{text}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(fake.get(|fake| fake.times_set), 0);
}
