//! What computes on a node's GPUs: each rule and each demand, by a node that meets it and one that fails it alone.
#![allow(clippy::disallowed_methods, reason = "tests, with invented vendors")]

use attestation::{
    IdentityKey, Manifest, NodeClaims, Nonce, UnixTime, Verified, danger,
    manifest::{Arithmetic, GpuCode, GpuKernels, SelfTest},
    roots::Roots,
    snp::Product,
};
use policy::{
    HardwareId, Policy, PolicyError, Reason,
    danger::accept_custom_anchors,
    explain::{explain, fields_of},
    signature::PayloadType,
};
use std::sync::LazyLock;
use tee_sim::{GpuMachine, Machine, PolicyText, Vendor, nvidia::Nvidia, policy_text::GpuText};

const NOW: UnixTime = UnixTime(1_780_272_000);
const NONCE: Nonce = Nonce([9; 32]);
/// As the invented reports name them.
const DRIVER: &str = "550.90.07";
const VBIOS: &str = "96.00.9F.00.01";

const RULES: &str = r#"
[engine.gpu]
arithmetic = ["exact"]
minimum_driver = "550.90.07"
[[engine.gpu.cubins]]
name = "cubins 0.1.0"
digest = "0808080808080808080808080808080808080808080808080808080808080808"
"#;

static AMD: LazyLock<Vendor> = LazyLock::new(|| Vendor::invent(Product::Genoa));
static NVIDIA: LazyLock<Nvidia> = LazyLock::new(|| Nvidia::invent(NOW));

fn code() -> GpuCode {
    GpuCode {
        kernels: GpuKernels {
            cubins_digest: [8; 32],
            arithmetic: Arithmetic::Exact,
        },
        device: "cuda".to_owned(),
        architecture: "sm_90a".to_owned(),
        driver: DRIVER.to_owned(),
        cuda: "12.4".to_owned(),
        libraries: [].into(),
        self_test: SelfTest::Passed([9; 32]),
    }
}

/// A manifest whose engine is the one of `gpu`.
fn manifest(gpu: Option<GpuCode>) -> Manifest {
    let of_gpus = |code: &GpuCode| format!("cuda/{}", code.kernels.arithmetic.as_str());
    let engine = gpu.as_ref().map(of_gpus);
    manifest_of(&engine.unwrap_or_else(|| "cpu/simd".to_owned()), gpu)
}

fn manifest_of(engine: &str, gpu: Option<GpuCode>) -> Manifest {
    Manifest {
        runtime_version: "0.1.0".to_owned(),
        runtime_digest: [1; 32],
        model: "model".to_owned(),
        model_digest: [2; 32],
        tokenizer_digest: [3; 32],
        template_digest: [4; 32],
        aibom_digest: None,
        kernels_digest: [5; 32],
        engine: engine.to_owned(),
        isa: "cuda".to_owned(),
        max_context_tokens: 8192,
        max_request_bytes: 65536,
        padding: "off".to_owned(),
        policy_root: [6; 32],
        gpu,
    }
}

/// A node with this manifest and as many of the invented GPU as are given.
fn verified(gpus: Vec<Nvidia>, manifest: &Manifest) -> Verified<NodeClaims> {
    let machine = GpuMachine::new(Machine::new(&AMD), gpus);
    let manifest = manifest.to_cbor();
    let bundle = tee_sim::bundle(&machine, IdentityKey([7; 32]), manifest, &NONCE);
    let nvidia = NVIDIA.issue(&[0; 32]);
    let verifier = danger::verifier(Roots {
        snp: danger::snp_roots(AMD.ark_der(), AMD.ask_der()),
        nvidia: danger::nvidia_roots(&nvidia.device_root, &nvidia.rim_root),
        ..Roots::vendor()
    });
    let verifier = verifier.with_collateral(machine.collateral());
    verifier.verify(&bundle, Some(&NONCE), NOW).unwrap()
}

/// A policy for the simulated guest with one GPU, and `rules`.
fn policy(rules: &str) -> Policy {
    let machine = Machine::new(&AMD);
    let mut text =
        PolicyText::admitting(machine.report(), UnixTime(NOW.0 - 1000), NOW.plus(100_000));
    text.gpu = Some(GpuText {
        count: 1,
        driver: DRIVER.to_owned(),
        vbios: VBIOS.to_owned(),
    });
    let text = text.to_toml() + rules;
    accept_custom_anchors(Policy::from_toml(text.as_bytes()).unwrap())
}

fn reasons(rules: &str, gpus: Vec<Nvidia>, gpu: Option<GpuCode>) -> Vec<Reason> {
    judged(rules, gpus, &manifest(gpu))
}

fn judged(rules: &str, gpus: Vec<Nvidia>, manifest: &Manifest) -> Vec<Reason> {
    match policy(rules).evaluate(verified(gpus, manifest), NOW) {
        Ok(_) => Vec::new(),
        Err(denial) => denial.reasons,
    }
}

fn codes(rules: &str, gpu: Option<GpuCode>) -> Vec<&'static str> {
    let reasons = reasons(rules, vec![NVIDIA.clone()], gpu);
    reasons.iter().map(|reason| reason.code).collect()
}

fn changed(change: impl FnOnce(&mut GpuCode)) -> Option<GpuCode> {
    let mut code = code();
    change(&mut code);
    Some(code)
}

type Change = fn(&mut GpuCode);

const RULED: [(&str, Change); 3] = [
    ("policy.engine.cubins", |code| {
        code.kernels.cubins_digest[0] ^= 1;
    }),
    ("policy.engine.arithmetic", |code| {
        code.kernels.arithmetic = Arithmetic::Fast;
    }),
    ("policy.engine.driver", |code| {
        code.driver = "550.90.06".to_owned();
    }),
];

const DEMANDED: [(&str, Change); 3] = [
    ("policy.engine.self_test", |code| {
        code.self_test = SelfTest::Absent;
    }),
    ("policy.engine.self_test", |code| {
        code.self_test = SelfTest::Failed([9; 32]);
    }),
    ("policy.engine.stated_driver", |code| {
        code.driver = "570.0.0".to_owned();
    }),
];

#[test]
fn a_node_that_meets_every_rule_is_admitted() {
    assert_eq!(codes(RULES, Some(code())), [""; 0]);
    assert_eq!(codes("", Some(code())), [""; 0]);
}

#[test]
fn each_rule_denies_for_itself_alone() {
    for (expected, change) in RULED {
        // Another driver than the GPU's is denied by every policy too.
        let found = codes(RULES, changed(change));
        let of_rules = found
            .iter()
            .filter(|code| **code != "policy.engine.stated_driver");
        assert_eq!(of_rules.collect::<Vec<_>>(), [&expected]);
    }
}

#[test]
fn without_the_table_its_rules_deny_nothing() {
    for (code, change) in &RULED[..2] {
        assert_eq!(codes("", changed(change)), [""; 0], "{code}");
    }
}

#[test]
fn every_policy_demands_the_rest() {
    for (expected, change) in DEMANDED {
        assert_eq!(codes("", changed(change)), [expected]);
    }
}

/// Prompts would go to a GPU that nobody has verified.
#[test]
fn code_for_gpus_without_a_gpu_is_denied() {
    let found = reasons("", Vec::new(), Some(code()));
    let found: Vec<_> = found.iter().map(|reason| reason.code).collect();
    assert_eq!(found, ["policy.gpu.count", "policy.engine.devices"]);
}

/// Else a node that names such an engine and states no code would meet no demand.
#[test]
fn an_engine_is_the_one_that_its_code_for_gpus_says() {
    let fast = changed(|code| code.kernels.arithmetic = Arithmetic::Fast);
    for (engine, gpu) in [
        ("cuda/exact", None),
        ("cuda/fast", None),
        ("cuda/", None),
        ("cpu/simd", Some(code())),
        ("cuda/fast", Some(code())),
        ("cuda/exact", fast),
        ("cuda/exact ", Some(code())),
    ] {
        let manifest = manifest_of(engine, gpu);
        let reasons = judged("", vec![NVIDIA.clone()], &manifest);
        assert_eq!(reasons.len(), 1, "{engine}");
        assert_eq!(reasons[0].code, "policy.engine.stated_mode");
        assert_eq!(reasons[0].rule, "every policy");
        let own = policy("").judge_manifest(&manifest, &[HardwareId::NvidiaDevice([1; 8])], NOW);
        assert_eq!(own.len(), 1, "{engine}");
        assert_eq!(own[0].code, "policy.engine.stated_mode");
    }
}

#[test]
fn gpus_whose_code_is_not_stated_are_denied_where_it_is_to_be_known() {
    assert_eq!(codes("", None), [""; 0]);
    assert_eq!(codes(RULES, None), ["policy.engine.gpu"]);
}

#[test]
fn a_node_without_gpus_is_not_looked_at() {
    let found = reasons(RULES, Vec::new(), None);
    let found: Vec<_> = found.iter().map(|reason| reason.code).collect();
    assert_eq!(found, ["policy.gpu.count"]);
}

#[test]
fn reasons_say_what_is_accepted_and_what_was_found() {
    let found = reasons(RULES, vec![NVIDIA.clone()], changed(RULED[1].1));
    assert_eq!(found[0].rule, "engine.gpu.arithmetic");
    assert_eq!(found[0].actual, "fast");
    assert!(found[0].expected.contains("exact"));
    assert!(found[0].at.is_some());
}

/// What a runtime can tell of itself at its start.
#[test]
fn a_manifest_is_judged_by_the_same_rules() {
    let gpu = [HardwareId::NvidiaDevice([1; 8])];
    let judged = |hardware: &[HardwareId], code| {
        let reasons = policy(RULES).judge_manifest(&manifest(code), hardware, NOW);
        let codes = reasons.iter().map(|reason| reason.code);
        codes.collect::<Vec<_>>()
    };
    assert_eq!(judged(&gpu, Some(code())), [""; 0]);
    assert_eq!(judged(&[], Some(code())), ["policy.engine.devices"]);
    assert_eq!(judged(&gpu, None), ["policy.engine.gpu"]);
    assert_eq!(judged(&[], None), [""; 0]);
    for (expected, change) in RULED.iter().chain(&DEMANDED[..2]) {
        assert_eq!(judged(&gpu, changed(change)), [*expected]);
    }
}

#[test]
fn demands_are_not_waived() {
    for code in [
        "policy.engine.self_test",
        "policy.engine.devices",
        "policy.engine.stated_driver",
        "policy.engine.stated_mode",
    ] {
        let exception = format!(
            "[[exceptions]]\ncode = {code:?}\nwho = \"w\"\nwhy = \"y\"\nfrom = 2026-06-01T00:00:00Z\nuntil = 2026-06-02T00:00:00Z\n"
        );
        let text = include_str!("../../docs/policies/policy-gpu.toml").to_owned() + &exception;
        assert!(Policy::from_toml(text.as_bytes()).is_err(), "{code}");
    }
}

fn mistake(table: &str) -> PolicyError {
    let text = include_str!("../../docs/policies/policy-gpu.toml");
    let text = text.to_owned() + "\n" + table;
    let mut mistakes = Policy::from_toml(text.as_bytes()).unwrap_err();
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    mistakes.remove(0)
}

#[test]
fn mistakes_in_the_table() {
    for (table, kind, field) in [
        ("[engine.gpu]\n", "missing_field", "engine.gpu.cubins"),
        (
            "[engine.gpu]\narithmetic = []\n",
            "empty_list",
            "engine.gpu.arithmetic",
        ),
        (
            "[engine.gpu]\narithmetic = [\"quick\"]\n",
            "value",
            "engine.gpu.arithmetic[0]",
        ),
        (
            "[engine.gpu]\narithmetic = [\"fast\", \"fast\"]\n",
            "duplicate",
            "engine.gpu.arithmetic[1]",
        ),
        (
            "[engine.gpu]\nminimum_driver = \"new\"\n",
            "value",
            "engine.gpu.minimum_driver",
        ),
        (
            "[engine.gpu]\ndriver = \"570\"\narithmetic = [\"fast\"]\n",
            "unknown_field",
            "engine.gpu.driver",
        ),
        (
            "[[engine.gpu.cubins]]\nname = \"c\"\ndigest = \"08\"\n",
            "value",
            "engine.gpu.cubins[0].digest",
        ),
    ] {
        let error = mistake(table);
        assert_eq!(error.code(), format!("policy.document.{kind}"), "{table}");
        assert!(error.to_string().contains(field), "{error}");
    }
}

#[test]
fn rules_that_no_node_can_meet_are_warned_of() {
    let text = include_str!("../../docs/policies/policy.toml").to_owned() + RULES;
    let findings = Policy::from_toml(text.as_bytes()).unwrap().lint();
    let codes: Vec<_> = findings.iter().map(|finding| finding.code).collect();
    assert!(codes.contains(&"policy.lint.no_devices"), "{codes:?}");
}

#[test]
fn the_rules_are_explained() {
    let text = include_str!("../../docs/policies/policy-gpu.toml").to_owned() + RULES;
    let statements = explain(PayloadType::Policy, &text).unwrap();
    let told = |rule: &str| {
        let statement = statements.iter().find(|statement| statement.rule == rule);
        statement.unwrap().words.clone()
    };
    assert_eq!(told("engine.gpu.arithmetic"), "arithmetics: exact");
    let fields = fields_of(PayloadType::Policy, "policy.engine.cubins");
    assert_eq!(fields[0].rule, "engine.gpu.cubins");
}
