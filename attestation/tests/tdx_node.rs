//! A TDX node's bundle through the composite verifier: whose collateral counts, and that without any the verdict is incomplete.
#![allow(clippy::disallowed_methods, reason = "tests")]

use attestation::{
    Anchors, CollateralBundle, CpuClaims, CpuEvidence, ErrorClass, EvidenceBundle, IdentityKey,
    Manifest, Nonce, UnixTime, Verifier, VerifyError, danger, roots::Roots,
};
use std::sync::LazyLock;
use tee_sim::{TdxMachine, tdx::Intel};

const NOW: UnixTime = UnixTime(1_780_272_000);
const NONCE: Nonce = Nonce([7; 32]);

static INTEL: LazyLock<Intel> = LazyLock::new(|| Intel::invent(NOW));

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

fn machine() -> TdxMachine {
    TdxMachine::new(INTEL.clone())
}

fn bundle() -> EvidenceBundle {
    tee_sim::bundle(&machine(), IdentityKey([9; 32]), manifest(), &NONCE)
}

fn verifier() -> Verifier {
    danger::verifier(Roots {
        tdx: danger::tdx_roots(&INTEL.root_der()),
        ..Roots::vendor()
    })
}

fn verify(verifier: &Verifier, bundle: &EvidenceBundle) -> Result<CpuClaims, VerifyError> {
    let verified = verifier.verify(bundle, Some(&NONCE), NOW)?;
    assert_eq!(verified.claims().anchors, Anchors::Custom);
    Ok(verified.claims().cpu.clone())
}

/// Collateral whose signature is wrong: whoever uses it refuses.
fn damaged() -> CollateralBundle {
    let mut collateral = machine().collateral();
    collateral.tdx[0].tcb_info_signature[0] ^= 1;
    collateral
}

#[test]
fn collateral_of_the_verifier_or_of_the_bundle() {
    let own = verifier().with_collateral(machine().collateral());
    assert!(matches!(verify(&own, &bundle()), Ok(CpuClaims::Tdx(_))));
    let stapled = EvidenceBundle {
        collateral: Some(machine().collateral().to_cbor()),
        ..bundle()
    };
    let received = EvidenceBundle::from_cbor(&stapled.to_cbor()).unwrap();
    assert!(verify(&verifier(), &received).is_ok());
}

#[test]
fn without_collateral_the_verdict_is_incomplete() {
    let error = verify(&verifier(), &bundle()).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Incomplete);
    assert_eq!(error.code(), "tdx.collateral.given");
}

#[test]
fn the_verifiers_own_collateral_goes_first() {
    let with = |collateral: CollateralBundle| EvidenceBundle {
        collateral: Some(collateral.to_cbor()),
        ..bundle()
    };
    let own = verifier().with_collateral(machine().collateral());
    assert!(verify(&own, &with(damaged())).is_ok());
    let own = verifier().with_collateral(damaged());
    let error = verify(&own, &with(machine().collateral())).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Rejected);
    assert!(verify(&verifier(), &with(damaged())).is_err());
}

#[test]
fn collateral_that_is_none_is_malformed() {
    let bundle = EvidenceBundle {
        collateral: Some(vec![0xFF]),
        ..bundle()
    };
    let error = verify(&verifier(), &bundle).unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("collateral.encoding", ErrorClass::Malformed)
    );
}

#[test]
fn a_quote_is_bound_to_identity_and_manifest() {
    let own = verifier().with_collateral(machine().collateral());
    let other = EvidenceBundle {
        identity: IdentityKey([8; 32]),
        ..bundle()
    };
    assert_eq!(verify(&own, &other), Err(VerifyError::ReportData));
    let other_nonce = own.verify(&bundle(), Some(&Nonce([8; 32])), NOW);
    assert_eq!(other_nonce.unwrap_err(), VerifyError::Nonce);
}

#[test]
fn a_quote_with_one_bit_changed_is_refused() {
    let own = verifier().with_collateral(machine().collateral());
    let mut bundle = bundle();
    let CpuEvidence::Tdx(tdx) = &mut bundle.cpu else {
        panic!("a TDX machine");
    };
    tdx.quote[200] ^= 1;
    let error = verify(&own, &bundle).unwrap_err();
    assert_eq!(error.code(), "tdx.signature");
}

#[test]
fn the_vendors_verifier_refuses_an_invented_intel() {
    let own = Verifier::vendor().with_collateral(machine().collateral());
    let error = own.verify(&bundle(), Some(&NONCE), NOW).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Rejected);
}
