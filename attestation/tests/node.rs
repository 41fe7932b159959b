//! The composite verdict: CPU evidence, manifest, binding and nonce together, on a machine of an invented vendor.

use attestation::{
    Anchors, CpuClaims, CpuEvidence, EvidenceBundle, Freshness, IdentityKey, Manifest, Nonce,
    SnpEvidence, UnixTime, Verifier, VerifyError, snp::Product,
};
use std::sync::LazyLock;
use tee_sim::{Machine, Vendor};

const NOW: UnixTime = UnixTime(1_780_272_000);
const NONCE: Nonce = Nonce([7; 32]);

static VENDOR: LazyLock<Vendor> = LazyLock::new(|| Vendor::invent(Product::Genoa));

fn manifest() -> Vec<u8> {
    let manifest = Manifest {
        runtime_version: "0.1.0".into(),
        runtime_digest: [1; 32],
        model: "model".into(),
        model_digest: [2; 32],
        tokenizer_digest: [3; 32],
        template_digest: [4; 32],
        aibom_digest: None,
        kernels_digest: [5; 32],
        engine: "cpu/deterministic".into(),
        isa: "scalar".into(),
        max_context_tokens: 2048,
        max_request_bytes: 65_536,
        padding: "off".into(),
        policy_root: [6; 32],
        gpu: None,
    };
    manifest.to_cbor()
}

fn bundle() -> EvidenceBundle {
    Machine::new(&VENDOR).bundle(IdentityKey([9; 32]), manifest(), &NONCE)
}

fn refusal(make_wrong: impl FnOnce(&mut EvidenceBundle)) -> VerifyError {
    let mut bundle = bundle();
    make_wrong(&mut bundle);
    let verdict = VENDOR.verifier().verify(&bundle, Some(&NONCE), NOW);
    verdict.map(|_| "accepted").unwrap_err()
}

/// The SNP evidence of a bundle.
fn snp(bundle: &mut EvidenceBundle) -> &mut SnpEvidence {
    match &mut bundle.cpu {
        CpuEvidence::Snp(snp) => snp,
        _ => unreachable!("an SNP machine"),
    }
}

#[test]
fn a_whole_bundle_proves_identity_manifest_and_nonce() {
    let bundle = bundle();
    let verified = VENDOR
        .verifier()
        .verify(&bundle, Some(&NONCE), NOW)
        .unwrap();
    let claims = verified.claims();
    assert_eq!(verified.at(), NOW);
    assert_eq!(claims.identity, IdentityKey([9; 32]));
    assert_eq!(claims.manifest_digest, Manifest::digest(&manifest()));
    assert_eq!(claims.nonce, Some(NONCE));
    assert_eq!(claims.anchors, Anchors::Custom);
    let CpuClaims::Snp(snp) = &claims.cpu else {
        unreachable!("no other platform yet");
    };
    assert_eq!(
        (snp.product, claims.not_after),
        (Product::Genoa, snp.not_after)
    );
}

#[test]
fn it_survives_the_wire() {
    let received = EvidenceBundle::from_cbor(&bundle().to_cbor()).unwrap();
    assert!(
        VENDOR
            .verifier()
            .verify(&received, Some(&NONCE), NOW)
            .is_ok()
    );
}

#[test]
fn an_archived_bundle_needs_no_nonce_and_claims_none() {
    let mut bundle = bundle();
    bundle.nonce_path = None;
    let verified = VENDOR.verifier().verify(&bundle, None, NOW).unwrap();
    assert_eq!(verified.claims().nonce, None);
}

#[test]
fn the_vendors_verifier_refuses_an_invented_vendor() {
    let verdict = Verifier::vendor().verify(&bundle(), Some(&NONCE), NOW);
    assert_eq!(verdict.unwrap_err().code(), "snp.chain.signature");
    let mut bundle = bundle();
    snp(&mut bundle).chain = vec![VENDOR.ask_der().to_vec(), VENDOR.ark_der().to_vec()];
    let verdict = Verifier::vendor().verify(&bundle, Some(&NONCE), NOW);
    assert_eq!(verdict.unwrap_err().code(), "snp.chain.issuer");
}

#[test]
fn another_invented_vendor_is_refused() {
    let stranger = Vendor::invent(Product::Genoa);
    let verdict = stranger.verifier().verify(&bundle(), Some(&NONCE), NOW);
    assert_eq!(verdict.unwrap_err().code(), "snp.chain.signature");
}

#[test]
fn roots_that_are_no_certificates_accept_nothing() {
    let verdict = tee_sim::vendor::verifier(b"", b"").verify(&bundle(), Some(&NONCE), NOW);
    assert_eq!(verdict.unwrap_err().code(), "snp.chain.format");
}

#[test]
fn each_part_is_bound() {
    let mut other_manifest = Manifest::from_cbor(&manifest()).unwrap();
    other_manifest.model_digest = [0; 32];
    assert_eq!(
        refusal(|bundle| bundle.manifest = other_manifest.to_cbor()).code(),
        "binding.report_data"
    );
    assert_eq!(
        refusal(|bundle| bundle.identity.0[0] ^= 1).code(),
        "binding.report_data"
    );
    assert_eq!(
        refusal(|bundle| bundle.freshness = Freshness([0; 32])).code(),
        "binding.report_data"
    );
    assert_eq!(
        refusal(|bundle| bundle.manifest.push(0)).code(),
        "manifest.malformed"
    );
    assert_eq!(
        refusal(|bundle| snp(bundle).report[0x50] ^= 1).code(),
        "snp.signature"
    );
}

#[test]
fn another_nonce_or_no_path_is_refused() {
    let verdict = VENDOR
        .verifier()
        .verify(&bundle(), Some(&Nonce([8; 32])), NOW);
    assert_eq!(verdict.unwrap_err(), VerifyError::Nonce);
    assert_eq!(
        refusal(|bundle| bundle.nonce_path = None),
        VerifyError::Nonce
    );
    let damaged = refusal(|bundle| {
        let path = bundle.nonce_path.as_mut().unwrap();
        path.siblings.push([0; 32]);
    });
    assert_eq!(
        (damaged.code(), damaged.retryable()),
        ("freshness.nonce", false)
    );
}
