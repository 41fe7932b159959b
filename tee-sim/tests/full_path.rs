//! Simulated evidence goes through the production verifier, and each hook makes it wrong in one point.

use attestation::{
    Anchors, CpuClaims, CpuEvidence, EvidenceBundle, EvidenceProvider, IdentityKey, Manifest,
    NodeClaims, Nonce, SnpEvidence, UnixTime, Verified, Verifier, VerifyError,
    snp::{Product, SigningKey},
};
use std::sync::LazyLock;
use tee_sim::{KeyInfo, Machine, Vendor};

static MILAN: LazyLock<Vendor> = LazyLock::new(|| Vendor::invent(Product::Milan));

const NONCE: Nonce = Nonce([9; 32]);

/// 2026-06-01T00:00:00Z.
const NOW: UnixTime = UnixTime(1_780_272_000);

fn manifest() -> Vec<u8> {
    let manifest = Manifest {
        runtime_version: "0.1.0".to_owned(),
        runtime_digest: [1; 32],
        model: "model".to_owned(),
        model_digest: [2; 32],
        tokenizer_digest: [3; 32],
        template_digest: [4; 32],
        aibom_digest: None,
        kernels_digest: [5; 32],
        engine: "cpu/deterministic".to_owned(),
        isa: "scalar".to_owned(),
        max_context_tokens: 8192,
        max_request_bytes: 65536,
        padding: "off".to_owned(),
        policy_root: [6; 32],
        gpu: None,
    };
    manifest.to_cbor()
}

fn bundle(machine: &Machine) -> EvidenceBundle {
    machine.bundle(IdentityKey([7; 32]), manifest(), &NONCE)
}

fn verify(verifier: &Verifier, machine: &Machine) -> Result<Verified<NodeClaims>, VerifyError> {
    verifier.verify(&bundle(machine), Some(&NONCE), NOW)
}

/// The SNP evidence of a bundle.
fn snp(bundle: &mut EvidenceBundle) -> &mut SnpEvidence {
    match &mut bundle.cpu {
        CpuEvidence::Snp(snp) => snp,
        _ => panic!("an SNP machine"),
    }
}

/// The code with which a machine of `vendor` is refused.
fn refused(machine: &Machine) -> &'static str {
    verify(&machine.verifier(), machine).unwrap_err().code()
}

fn milan() -> Machine {
    Machine::new(&MILAN)
}

#[test]
fn every_product_and_version_verifies_under_its_own_roots_only() {
    for product in [Product::Milan, Product::Genoa, Product::Turin] {
        for version in 2..=5 {
            let vendor = MILAN.for_product(product);
            let machine = Machine::new(&vendor).with_report(|report| report.version = version);
            let verified = verify(&vendor.verifier(), &machine)
                .unwrap_or_else(|error| panic!("{product:?} v{version}: {error}"));
            let claims = verified.claims();
            assert_eq!(claims.anchors, Anchors::Custom);
            let CpuClaims::Snp(snp) = &claims.cpu else {
                panic!("SNP claims");
            };
            assert_eq!((snp.product, snp.version), (product, version));
            assert_eq!(snp.measurement, machine.report().measurement);
            assert_eq!(snp.reported_tcb, machine.report().reported_tcb);
            assert_eq!(snp.signing_key, SigningKey::Vcek);
            assert!(verify(&Verifier::vendor(), &machine).is_err());
        }
    }
}

#[test]
fn the_intermediate_may_come_with_the_evidence() {
    let machine = milan().with_chain(vec![MILAN.ask_der().to_vec()]);
    assert!(verify(&MILAN.verifier(), &machine).is_ok());
}

#[test]
fn another_process_verifies_with_the_public_roots() {
    let verifier = tee_sim::verifier(MILAN.ark_der(), MILAN.ask_der());
    assert!(verify(&verifier, &milan()).is_ok());
}

#[test]
fn another_vendor_is_refused() {
    let other = Vendor::invent(Product::Milan);
    let error = verify(&other.verifier(), &milan()).unwrap_err();
    assert_eq!(error.code(), "snp.chain.signature");
}

#[test]
fn evidence_is_over_the_binding() {
    let binding = attestation::Binding {
        freshness: attestation::Freshness::of_one(&NONCE),
        identity: [1; 32],
        manifest: [2; 32],
        devices: Vec::new(),
    };
    let CpuEvidence::Snp(evidence) = milan().evidence(&binding).unwrap() else {
        panic!("an SNP machine");
    };
    assert_eq!(
        evidence.report.get(0x50..0x90).unwrap(),
        binding.report_data().0
    );
}

/// R3.2.
#[test]
fn a_report_changed_after_signing() {
    let mut changed = bundle(&milan());
    snp(&mut changed).report[0x90] ^= 1;
    let error = MILAN.verifier().verify(&changed, Some(&NONCE), NOW);
    assert_eq!(error.unwrap_err().code(), "snp.signature");
}

#[test]
fn a_report_changed_and_signed_again() {
    let machine = milan();
    let mut changed = bundle(&machine);
    let mut report: [u8; 1184] = snp(&mut changed).report.as_slice().try_into().unwrap();
    report[0x50] ^= 1;
    machine.sign(&mut report);
    snp(&mut changed).report = report.to_vec();
    let error = MILAN.verifier().verify(&changed, Some(&NONCE), NOW);
    assert_eq!(error.unwrap_err().code(), "binding.report_data");
}

#[test]
fn the_certificate_of_another_chip() {
    let other_chip = milan().with_certificate(|vek| vek.hwid = vec![0xEE; 64]);
    assert_eq!(refused(&other_chip), "snp.vek.hwid");
    let without = milan().with_certificate(|vek| vek.omitted = vec![vec![4]]);
    assert_eq!(refused(&without), "snp.vek.extensions");
}

#[test]
fn the_key_of_another_chip() {
    let mut stolen = bundle(&milan());
    snp(&mut stolen).vek = milan().vek_der().to_vec();
    let error = MILAN.verifier().verify(&stolen, Some(&NONCE), NOW);
    assert_eq!(error.unwrap_err().code(), "snp.signature");
}

#[test]
fn the_certificate_of_another_tcb() {
    let older = milan().with_certificate(|vek| vek.tcb.microcode -= 1);
    assert_eq!(refused(&older), "snp.vek.tcb");
}

#[test]
fn certificates_out_of_their_time() {
    let expired = milan().with_certificate(|vek| vek.validity.not_after = UnixTime(NOW.0 - 1));
    assert_eq!(refused(&expired), "snp.chain.expired");
    let early = milan().with_certificate(|vek| vek.validity.not_before = NOW.plus(1));
    assert_eq!(refused(&early), "snp.chain.not_yet_valid");
    for vendor in [
        MILAN.reissued(|ca| ca.ark_validity.not_after = UnixTime(NOW.0 - 1)),
        MILAN.reissued(|ca| ca.ask_validity.not_after = UnixTime(NOW.0 - 1)),
    ] {
        assert_eq!(refused(&Machine::new(&vendor)), "snp.chain.expired");
    }
}

#[test]
fn a_report_that_names_another_signing_key() {
    let vlek = milan().with_report(|report| {
        report.key_info = KeyInfo::signed_with(SigningKey::Vlek);
    });
    assert_eq!(refused(&vlek), "snp.signing_key");
}
