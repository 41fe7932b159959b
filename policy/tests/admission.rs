//! From simulated evidence through the production verifier to an admission and its end.
#![allow(clippy::disallowed_methods, reason = "tests, with an invented vendor")]

use attestation::{EvidenceBundle, IdentityKey, Manifest, Nonce, UnixTime, Verifier, snp::Product};
use policy::{Appraiser, Policy, Refusal, danger::accept_custom_anchors};
use std::sync::LazyLock;
use tee_sim::{Machine, PolicySigner, PolicyText, Vendor};

static MACHINE: LazyLock<Machine> = LazyLock::new(|| Machine::new(&Vendor::invent(Product::Genoa)));

const NONCE: Nonce = Nonce([9; 32]);
const MODEL: [u8; 32] = [2; 32];

/// 2026-06-01T00:00:00Z.
const NOW: UnixTime = UnixTime(1_780_272_000);

/// End of the simulated VCEK: 2040-01-01T00:00:00Z.
const VEK_END: UnixTime = UnixTime(2_208_988_800);

fn bundle() -> EvidenceBundle {
    let manifest = Manifest {
        runtime_version: "0.1.0".to_owned(),
        runtime_digest: [1; 32],
        model: "model".to_owned(),
        model_digest: MODEL,
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
    MACHINE.bundle(IdentityKey([7; 32]), manifest.to_cbor(), &NONCE)
}

fn text() -> PolicyText {
    PolicyText::admitting(MACHINE.report(), UnixTime(NOW.0 - 1000), NOW.plus(100_000))
        .model("model", MODEL)
}

fn policy(text: &PolicyText) -> Policy {
    accept_custom_anchors(Policy::from_toml(text.to_toml().as_bytes()).unwrap())
}

fn appraiser(text: &PolicyText) -> Appraiser {
    Appraiser::new(MACHINE.verifier(), policy(text))
}

/// The end of an admission that was asked for at `asked` on evidence verified at `verified`.
fn not_after(text: &PolicyText, verified: UnixTime, asked: UnixTime) -> UnixTime {
    let verified = MACHINE.verifier().verify(&bundle(), Some(&NONCE), verified);
    let admitted = policy(text).evaluate(verified.unwrap(), asked).unwrap();
    admitted.not_after()
}

#[test]
fn a_good_machine_is_admitted() {
    let appraiser = appraiser(&text());
    let admitted = appraiser.appraise(&bundle(), &NONCE, NOW).unwrap();
    assert_eq!(admitted.policy_version(), 1);
    assert_eq!(admitted.policy_digest(), appraiser.policy().digest());
    assert_eq!(admitted.claims().identity, IdentityKey([7; 32]));
}

#[test]
fn an_admission_ends_with_the_first_of_its_grounds() {
    let freshness_first = text();
    assert_eq!(not_after(&freshness_first, NOW, NOW), NOW.plus(3600));

    let mut policy_first = text();
    policy_first.expires = NOW.plus(600);
    assert_eq!(not_after(&policy_first, NOW, NOW), NOW.plus(600));

    let mut collateral_first = text();
    collateral_first.expires = VEK_END.plus(100_000);
    let late = UnixTime(VEK_END.0 - 5);
    assert_eq!(not_after(&collateral_first, late, late), VEK_END);
}

#[test]
fn the_age_of_evidence_counts_from_its_verification() {
    assert_eq!(not_after(&text(), NOW, NOW.plus(3000)), NOW.plus(3600));
    let earlier = UnixTime(NOW.0 - 500);
    assert_eq!(not_after(&text(), NOW, earlier), NOW.plus(3600));
    assert_eq!(not_after(&text(), NOW, UnixTime(0)), NOW.plus(3600));
}

#[test]
fn later_documents_judge_the_same_evidence_anew() {
    let admitted = appraiser(&text()).appraise(&bundle(), &NONCE, NOW).unwrap();
    let mut newer = text();
    newer.version = 2;
    let again = admitted.judged_again(&policy(&newer).into(), NOW.plus(100));
    let again = again.unwrap();
    assert_eq!(again.policy_version(), 2);
    // The evidence is as old as it was.
    assert_eq!(again.not_after(), admitted.not_after());
    newer.measurement = [0; 48];
    let denial = again.judged_again(&policy(&newer).into(), NOW.plus(200));
    assert_eq!(
        denial.unwrap_err().reasons[0].code,
        "policy.snp.measurement"
    );
}

#[test]
fn every_parsed_policy_denies_invented_vendors() {
    let toml = text().to_toml();
    let signer = PolicySigner::generate();
    let parsed = Policy::from_toml(toml.as_bytes()).unwrap();
    let signed = Policy::from_envelope(&signer.signed_policy(&toml), &signer.trust_root());
    for policy in [parsed, signed.unwrap()] {
        let appraiser = Appraiser::new(MACHINE.verifier(), policy);
        let refusal = appraiser.appraise(&bundle(), &NONCE, NOW).unwrap_err();
        let Refusal::Policy(denial) = refusal else {
            panic!("{refusal}");
        };
        assert_eq!(denial.reasons.len(), 1);
        assert_eq!(denial.reasons[0].code, "policy.anchors");
    }
}

#[test]
fn evidence_that_is_not_authentic_is_refused_before_any_rule() {
    let appraiser = Appraiser::new(Verifier::vendor(), policy(&text()));
    let refusal = appraiser.appraise(&bundle(), &NONCE, NOW).unwrap_err();
    assert!(matches!(refusal, Refusal::Evidence(_)), "{refusal}");
    let other_nonce = appraiser_refusal(&Nonce([8; 32]));
    assert!(matches!(other_nonce, Refusal::Evidence(_)), "{other_nonce}");
}

fn appraiser_refusal(nonce: &Nonce) -> Refusal {
    appraiser(&text())
        .appraise(&bundle(), nonce, NOW)
        .unwrap_err()
}

#[test]
fn a_denial_names_version_and_all_reasons() {
    let mut text = text();
    text.version = 12;
    text.measurement = [0; 48];
    text.minimum_tcb.snp = 255;
    text.models[0].0 = "another".to_owned();
    let refusal = appraiser(&text)
        .appraise(&bundle(), &NONCE, NOW)
        .unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "policy version 12 denies the node: policy.snp.measurement, policy.snp.minimum_tcb, policy.model"
    );
}

#[test]
fn the_demonstrations_policy_is_warned_of_for_what_it_leaves_open_alone() {
    let findings = policy(&text()).lint();
    let codes: Vec<_> = findings.iter().map(|finding| finding.code).collect();
    let open = ["no_approval", "no_runtime", "no_residency", "no_lease"];
    assert_eq!(codes, open.map(|code| format!("policy.lint.{code}")));
}
