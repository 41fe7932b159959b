//! The tables `[tdx]` and `[gpu]`, judged on simulated evidence: each rule alone refuses what it is about.
#![allow(clippy::disallowed_methods, reason = "tests, with invented vendors")]

use attestation::{
    EvidenceBundle, EvidenceProvider, IdentityKey, Manifest, Nonce, UnixTime, Verifier, danger,
    roots::Roots, snp::Product,
};
use policy::{Appraiser, Policy, PolicyError, Refusal, danger::accept_custom_anchors};
use std::sync::LazyLock;
use tee_sim::{
    GpuMachine, Machine, PolicyText, TdxMachine, Vendor,
    nvidia::Nvidia,
    policy_text::{GpuText, TdxText},
    tdx::{Body, Draft, Intel, TcbStatus, TdReport15},
};

const NOW: UnixTime = UnixTime(1_780_272_000);
const NONCE: Nonce = Nonce([9; 32]);
const MRTD: [u8; 48] = [0xA1; 48];
const RTMR1: [u8; 48] = [0xB2; 48];

static AMD: LazyLock<Vendor> = LazyLock::new(|| Vendor::invent(Product::Genoa));
static INTEL: LazyLock<Intel> = LazyLock::new(|| {
    Intel::invent(NOW).with(|draft| {
        let td = draft.quote.body.report_mut();
        (td.mr_td, td.rtmrs[1]) = (MRTD, RTMR1);
    })
});
static NVIDIA: LazyLock<Nvidia> = LazyLock::new(|| Nvidia::invent(NOW));

fn manifest() -> Vec<u8> {
    Manifest {
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
    }
    .to_cbor()
}

fn bundle(machine: &dyn EvidenceProvider) -> EvidenceBundle {
    tee_sim::bundle(machine, IdentityKey([7; 32]), manifest(), &NONCE)
}

fn verifier() -> Verifier {
    let nvidia = NVIDIA.issue(&[0; 32]);
    danger::verifier(Roots {
        snp: danger::snp_roots(AMD.ark_der(), AMD.ask_der()),
        tdx: danger::tdx_roots(&INTEL.root_der()),
        nvidia: danger::nvidia_roots(&nvidia.device_root, &nvidia.rim_root),
    })
}

/// A policy for the simulated TDX guest.
fn tdx_policy() -> String {
    let mut text = text();
    text.admits_snp = false;
    text.tdx = Some(TdxText {
        mrtd: MRTD,
        rtmr1: RTMR1,
    });
    text.to_toml()
}

/// A policy for the simulated SNP guest with one GPU.
fn gpu_policy() -> String {
    let mut text = text();
    text.gpu = Some(GpuText {
        count: 1,
        driver: driver(),
        vbios: vbios(),
    });
    text.to_toml()
}

fn text() -> PolicyText {
    let machine = Machine::new(&AMD);
    PolicyText::admitting(machine.report(), UnixTime(NOW.0 - 1000), NOW.plus(100_000))
}

fn gpu() -> attestation::nvidia::Device {
    let machine = GpuMachine::new(Machine::new(&AMD), vec![NVIDIA.clone()]);
    let own = verifier().with_collateral(machine.collateral());
    let verified = own.verify(&bundle(&machine), Some(&NONCE), NOW).unwrap();
    let devices = verified.claims().devices.as_ref().unwrap();
    devices.devices[0].device.clone()
}

fn driver() -> String {
    gpu().driver_version.unwrap()
}

fn vbios() -> String {
    gpu().vbios_version
}

fn parse(text: &str) -> Policy {
    accept_custom_anchors(Policy::from_toml(text.as_bytes()).unwrap())
}

fn codes(result: Result<policy::Admitted, Refusal>) -> Vec<&'static str> {
    match result {
        Ok(_) => Vec::new(),
        Err(Refusal::Policy(denial)) => denial.reasons.iter().map(|reason| reason.code).collect(),
        Err(Refusal::Evidence(error)) => panic!("{error}"),
    }
}

/// The reasons that `text` has against a TD that was changed by `edit`.
fn judged_td(text: &str, edit: impl FnOnce(&mut Draft)) -> Vec<&'static str> {
    let machine = TdxMachine::new(INTEL.with(edit));
    let own = verifier().with_collateral(machine.collateral());
    let appraiser = Appraiser::new(own, parse(text));
    codes(appraiser.appraise(&bundle(&machine), &NONCE, NOW))
}

/// The reasons that `text` has against an SNP guest with these GPUs.
fn judged_gpus(text: &str, gpus: Vec<Nvidia>) -> Vec<&'static str> {
    let machine = GpuMachine::new(Machine::new(&AMD), gpus);
    let own = verifier().with_collateral(machine.collateral());
    let appraiser = Appraiser::new(own, parse(text));
    codes(appraiser.appraise(&bundle(&machine), &NONCE, NOW))
}

fn edited(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from:?} in {text}");
    text.replacen(from, to, 1)
}

#[test]
fn the_simulated_machines_are_admitted() {
    assert_eq!(judged_td(&tdx_policy(), |_| ()), [""; 0]);
    assert_eq!(judged_gpus(&gpu_policy(), vec![NVIDIA.clone()]), [""; 0]);
}

#[test]
fn a_tee_without_a_table_is_denied() {
    assert_eq!(judged_td(&text().to_toml(), |_| ()), ["policy.cpu"]);
    assert_eq!(judged_gpus(&tdx_policy(), Vec::new()), ["policy.cpu"]);
}

#[test]
fn each_measurement_is_judged() {
    let other = |edit: fn(&mut [u8; 48], &mut [[u8; 48]; 4])| {
        judged_td(&tdx_policy(), |draft| {
            let td = draft.quote.body.report_mut();
            edit(&mut td.mr_td, &mut td.rtmrs);
        })
    };
    assert_eq!(other(|mrtd, _| mrtd[0] ^= 1), ["policy.tdx.measurement"]);
    assert_eq!(
        other(|_, rtmrs| rtmrs[1][0] ^= 1),
        ["policy.tdx.measurement"]
    );
    assert_eq!(other(|_, rtmrs| rtmrs[3][0] ^= 1), [""; 0]);
    let config = tdx_policy()
        + "\n[[tdx.mrconfigid]]\nname = \"c\"\ndigest = \""
        + &"cc".repeat(48)
        + "\"\n";
    assert_eq!(judged_td(&config, |_| ()), ["policy.tdx.measurement"]);
}

#[test]
fn each_attribute_is_judged() {
    let with = |bits: u64| {
        judged_td(&tdx_policy(), |draft| {
            draft.quote.body.report_mut().td_attributes = bits;
        })
    };
    let ve = 1 << 28;
    assert_eq!(with(ve), [""; 0]);
    assert_eq!(with(0), ["policy.tdx.attributes"]);
    assert_eq!(with(ve | 1 << 29), ["policy.tdx.attributes"]);
    assert_eq!(with(ve | 1 << 30 | 1 << 63), [""; 0]);
    assert_eq!(with(ve | 1), ["policy.tdx.debug"]);
}

#[test]
fn a_service_td_is_judged() {
    let bound = |draft: &mut Draft| {
        let td = draft.quote.body.report_mut().clone();
        let mut more = TdReport15 {
            tee_tcb_svn2: td.tee_tcb_svn,
            mr_service_td: [0; 48],
        };
        more.mr_service_td[0] = 1;
        draft.quote.version = 5;
        draft.quote.body = Body::Td15(td, more);
    };
    assert_eq!(judged_td(&tdx_policy(), bound), ["policy.tdx.service_td"]);
    let allowed = edited(
        &tdx_policy(),
        "service_td = \"forbid\"",
        "service_td = \"allow\"",
    );
    assert_eq!(judged_td(&allowed, bound), [""; 0]);
}

fn outdated(draft: &mut Draft) {
    let level = &mut draft.tcb_info.tcb_levels[0];
    level.tcb_status = TcbStatus::OutOfDate;
    level.tcb_date = "2026-01-01T00:00:00Z".to_owned();
}

#[test]
fn status_and_grace_are_judged() {
    assert_eq!(judged_td(&tdx_policy(), outdated), ["policy.tdx.status"]);
    let accepting = edited(
        &tdx_policy(),
        "[\"UpToDate\"]",
        "[\"UpToDate\", \"OutOfDate\"]",
    );
    assert_eq!(judged_td(&accepting, outdated), [""; 0]);
    let graced = |seconds: u64| {
        let text = format!("service_td = \"forbid\"\ngrace_seconds = {seconds}");
        edited(&accepting, "service_td = \"forbid\"", &text)
    };
    assert_eq!(
        judged_td(&graced(30 * 86400), outdated),
        ["policy.tdx.grace"]
    );
    assert_eq!(judged_td(&graced(300 * 86400), outdated), [""; 0]);
    assert_eq!(judged_td(&graced(0), |_| ()), [""; 0]);
}

#[test]
fn old_collateral_is_judged_by_its_number() {
    let text = edited(
        &tdx_policy(),
        "minimum_evaluation_number = 1",
        "minimum_evaluation_number = 4000000000",
    );
    assert_eq!(judged_td(&text, |_| ()), ["policy.tdx.evaluation_number"]);
}

#[test]
fn devices_that_no_table_speaks_of_are_denied() {
    let text = text().to_toml();
    assert_eq!(judged_gpus(&text, vec![NVIDIA.clone()]), ["policy.gpu"]);
    assert_eq!(judged_gpus(&text, Vec::new()), [""; 0]);
}

#[test]
fn the_number_of_devices_is_exact() {
    assert_eq!(judged_gpus(&gpu_policy(), Vec::new()), ["policy.gpu.count"]);
    let two = edited(&gpu_policy(), "count = 1", "count = 2\nswitches = 1");
    assert_eq!(
        judged_gpus(&two, vec![NVIDIA.clone()]),
        ["policy.gpu.count", "policy.gpu.count"]
    );
}

#[test]
fn each_property_of_a_gpu_is_judged() {
    for (from, to, code) in [
        ("[\"hopper\"]", "[\"blackwell\"]", "policy.gpu.architecture"),
        ("[\"spt\"]", "[\"mpt\", \"ppcie\"]", "policy.gpu.mode"),
        (
            &format!("[\"{}\"]", driver()),
            "[\"1.2.3\"]",
            "policy.gpu.driver",
        ),
        (
            &format!("[\"{}\"]", vbios()),
            "[\"1.2.3\"]",
            "policy.gpu.vbios",
        ),
    ] {
        let text = edited(&gpu_policy(), from, to);
        assert_eq!(judged_gpus(&text, vec![NVIDIA.clone()]), [code]);
    }
}

#[test]
fn mistakes_of_the_tables_are_told() {
    let tdx = tdx_policy();
    let gpu = gpu_policy();
    for (text, from, to, code) in [
        (&tdx, "[\"UpToDate\"]", "[]", "policy.document.empty_list"),
        (
            &tdx,
            "[\"UpToDate\"]",
            "[\"Revoked\"]",
            "policy.document.value",
        ),
        (
            &tdx,
            "pks = \"allow\"\n",
            "",
            "policy.document.missing_field",
        ),
        (
            &tdx,
            "service_td = \"forbid\"\n",
            "",
            "policy.document.missing_field",
        ),
        (
            &tdx,
            "[tdx]\n",
            "[tdx]\nextra = 1\n",
            "policy.document.unknown_field",
        ),
        (
            &tdx,
            "[tdx]\n",
            "[tdx]\ngrace_seconds = -1\n",
            "policy.document.value",
        ),
        (
            &tdx,
            "[[tdx.rtmr1]]",
            "[[tdx.rtmr4]]",
            "policy.document.unknown_field",
        ),
        (&gpu, "count = 1", "count = 0", "policy.document.value"),
        (&gpu, "[\"spt\"]", "[\"devtools\"]", "policy.document.value"),
        (
            &gpu,
            "[\"hopper\"]",
            "[\"hopper\", \"hopper\"]",
            "policy.document.duplicate",
        ),
        (&gpu, "count = 1\n", "", "policy.document.missing_field"),
    ] {
        let mistakes = Policy::from_toml(edited(text, from, to).as_bytes()).unwrap_err();
        let codes: Vec<_> = mistakes.iter().map(PolicyError::code).collect();
        assert_eq!(codes, [code], "{from:?} -> {to:?}");
    }
}

#[test]
fn a_policy_needs_a_tee() {
    let mut text = text();
    text.admits_snp = false;
    let mistakes = Policy::from_toml(text.to_toml().as_bytes()).unwrap_err();
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert!(mistakes[0].to_string().contains("snp or tdx"));
}

#[test]
fn lax_rules_are_warned_of() {
    let lint = |from: &str, to: &str| {
        let policy = Policy::from_toml(edited(&tdx_policy(), from, to).as_bytes()).unwrap();
        let findings = policy.lint();
        let codes: Vec<_> = findings.iter().map(|finding| finding.code).collect();
        codes
            .into_iter()
            .filter(|code| code.contains("tdx"))
            .collect::<Vec<_>>()
    };
    assert_eq!(lint("schema = 1", "schema = 1"), [""; 0]);
    for (from, to, code) in [
        (
            "migratable = \"forbid\"",
            "migratable = \"allow\"",
            "policy.lint.tdx_migration",
        ),
        (
            "sept_ve_disable = \"require\"",
            "sept_ve_disable = \"allow\"",
            "policy.lint.tdx_ve",
        ),
        (
            "[\"UpToDate\"]",
            "[\"OutOfDate\"]",
            "policy.lint.tdx_status",
        ),
    ] {
        assert_eq!(lint(from, to), [code]);
    }
    let rtmr1 = "\n[[tdx.rtmr1]]\nname = \"simulated kernel\"\ndigest = \"".to_owned()
        + &hex(RTMR1)
        + "\"\nrelease = \"0.1.0\"\n";
    assert_eq!(lint(&rtmr1, ""), ["policy.lint.tdx_rtmr"]);
}

fn hex(bytes: [u8; 48]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
