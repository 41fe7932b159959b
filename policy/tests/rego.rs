//! `[rego]`: what a module of the policy's own sees and denies.
#![allow(clippy::disallowed_methods, reason = "tests, with an invented vendor")]

use attestation::{EvidenceBundle, IdentityKey, Manifest, Nonce, UnixTime, snp::Product};
use policy::{Appraiser, Policy, Refusal, danger::accept_custom_anchors};
use std::sync::LazyLock;
use tee_sim::{Machine, PolicyText, Vendor};

static MACHINE: LazyLock<Machine> = LazyLock::new(|| Machine::new(&Vendor::invent(Product::Genoa)));

const NONCE: Nonce = Nonce([9; 32]);
const MODEL: [u8; 32] = [2; 32];

/// 2026-06-01T00:00:00Z.
const NOW: UnixTime = UnixTime(1_780_272_000);

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

/// A policy that admits the machine but for what `rules` deny.
fn toml(rules: &str) -> String {
    let text = PolicyText::admitting(MACHINE.report(), UnixTime(NOW.0 - 1000), NOW.plus(100_000));
    let module = format!("package narthex\nimport rego.v1\n{rules}\n");
    format!("{}\n[rego]\nmodule = '''\n{module}'''\n", text.to_toml())
}

/// Code and text of each reason against the machine.
fn denied(rules: &str) -> Vec<(&'static str, String)> {
    let policy = accept_custom_anchors(Policy::from_toml(toml(rules).as_bytes()).unwrap());
    let line = policy.place_of("rego.module").unwrap();
    let appraiser = Appraiser::new(MACHINE.verifier(), policy);
    match appraiser.appraise(&bundle(), &NONCE, NOW) {
        Ok(_) => Vec::new(),
        Err(Refusal::Policy(denial)) => {
            assert!(denial.reasons.iter().all(|reason| reason.at == Some(line)));
            let told = denial
                .reasons
                .into_iter()
                .map(|reason| (reason.code, reason.actual));
            told.collect()
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_module_that_denies_nothing_admits_what_the_policy_admits() {
    assert_eq!(
        denied("deny contains \"x\" if input.manifest.model != \"model\""),
        []
    );
}

#[test]
fn each_denial_is_a_reason_with_its_text_and_place() {
    let rules = "deny contains sprintf(\"%s is not ours\", [input.manifest.model]) if input.cpu.snp.product == \"Genoa\"\ndeny contains \"b\" if count(input.devices) == 0";
    let expected = [
        ("policy.rego", "b".to_owned()),
        ("policy.rego", "model is not ours".to_owned()),
    ];
    assert_eq!(denied(rules), expected);
}

#[test]
fn a_module_sees_the_claims_by_their_names() {
    for seen in [
        "input.now == 1780272000",
        "startswith(input.cpu.hardware, \"snp:\")",
        "count(input.cpu.snp.measurement) == 96",
        "input.cpu.snp.reported_tcb.fmc == null",
        "input.cpu.snp.vmpl == 0",
        "input.manifest.max_context_tokens == 8192",
        "input.manifest.aibom_digest == null",
        "input.placement == null",
        "object.get(input.cpu, \"tdx\", \"none\") == \"none\"",
    ] {
        let rules = format!("deny contains \"seen\" if {{ {seen} }}");
        assert_eq!(
            denied(&rules),
            [("policy.rego", "seen".to_owned())],
            "{seen}"
        );
    }
}

#[test]
fn a_module_that_gives_no_answer_denies() {
    for rules in [
        "deny := true",
        "deny contains 1 if true",
        "deny contains x if { x := to_number(input.manifest.model) }",
    ] {
        let told = denied(rules);
        assert_eq!(told.len(), 1, "{rules}: {told:?}");
        assert_eq!(told.first().unwrap().0, "policy.rego.failed", "{rules}");
    }
}

#[test]
fn no_module_can_admit_what_the_policy_denies() {
    let rules = "deny contains \"x\" if false\nallow := true\nadmit := true";
    let text = toml(rules)
        .replace("products = [\"genoa\"]", "products = [\"turin\"]")
        .replace("product = \"genoa\"", "product = \"turin\"\nfmc = 0");
    let policy = accept_custom_anchors(Policy::from_toml(text.as_bytes()).unwrap());
    let refused = Appraiser::new(MACHINE.verifier(), policy).appraise(&bundle(), &NONCE, NOW);
    assert!(matches!(refused, Err(Refusal::Policy(_))));
}

#[test]
fn a_module_that_cannot_be_used_is_a_mistake_of_the_document() {
    for rules in ["deny contains", "allow := true"] {
        let mistakes = Policy::from_toml(toml(rules).as_bytes()).unwrap_err();
        assert_eq!(
            mistakes.first().unwrap().code(),
            "policy.document.rego",
            "{rules}"
        );
    }
    let long = format!("# {}", "x".repeat(70_000));
    let mistakes = Policy::from_toml(toml(&long).as_bytes()).unwrap_err();
    assert_eq!(mistakes.first().unwrap().code(), "policy.document.value");
}
