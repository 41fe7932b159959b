//! The table `[snp]`, rule by rule, on claims that are wrong in one point.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::panic,
    reason = "tests, with an invented vendor"
)]

use attestation::{
    IdentityKey, Manifest, Nonce, UnixTime,
    snp::{Product, SigningKey, SnpClaims, TcbVersion},
};
use policy::{Appraiser, Policy, Reason, danger::accept_custom_anchors};
use std::sync::LazyLock;
use tee_sim::{Machine, PolicyText, Vendor};

/// 2026-06-01T00:00:00Z.
const NOW: UnixTime = UnixTime(1_780_272_000);
const NONCE: Nonce = Nonce([9; 32]);

static MACHINE: LazyLock<Machine> = LazyLock::new(|| Machine::new(&Vendor::invent(Product::Genoa)));

/// A policy with these lines in `[snp]`, and these behind it.
fn text(lines: &str, tables: &str) -> String {
    format!(
        r#"
schema = 1
version = 1
name = "test"
not_before = 2026-01-01T00:00:00Z
expires = 2027-01-01T00:00:00Z
[freshness]
max_age_seconds = 600
[snp]
products = ["genoa", "turin"]
minimum_report_version = 3
vmpl = [0]
signing_keys = ["vcek", "vlek"]
{lines}
[[snp.measurements]]
name = "guest"
digest = "{}"
[[snp.minimum_tcb]]
product = "genoa"
bootloader = 1
tee = 2
snp = 3
microcode = 4
[[snp.minimum_tcb]]
product = "turin"
fmc = 1
bootloader = 1
tee = 2
snp = 3
microcode = 4
[snp.guest_policy]
smt = "allow"
migrate_ma = "forbid"
single_socket = "allow"
cxl_allow = "forbid"
mem_aes_256_xts = "allow"
rapl_dis = "allow"
ciphertext_hiding_dram = "allow"
page_swap_disable = "allow"
{tables}
"#,
        "11".repeat(48)
    )
}

fn claims() -> SnpClaims {
    let tcb = TcbVersion {
        fmc: None,
        bootloader: 1,
        tee: 2,
        snp: 3,
        microcode: 4,
    };
    SnpClaims {
        version: 5,
        product: Product::Genoa,
        guest_policy: 1 << 17,
        debug: false,
        vmpl: 0,
        platform_info: 0,
        signing_key: SigningKey::Vcek,
        measurement: [0x11; 48],
        host_data: [0x21; 32],
        report_data: [0; 64],
        id_key_digest: [0x31; 48],
        author_key_digest: [0x41; 48],
        family_id: [0x51; 16],
        image_id: [0x61; 16],
        guest_svn: 7,
        chip_id: Some([1; 64]),
        reported_tcb: tcb,
        current_tcb: tcb,
        committed_tcb: tcb,
        launch_tcb: tcb,
        launch_mit_vector: Some(0b0011),
        current_mit_vector: Some(0b0111),
        crl_next_update: None,
        csp_id: None,
        not_after: NOW.plus(1_000_000),
    }
}

fn judged(text: &str, claims: &SnpClaims) -> Vec<Reason> {
    let policy = Policy::from_toml(text.as_bytes()).unwrap_or_else(|error| panic!("{error:?}"));
    policy.judge_snp(claims, NOW)
}

/// The one reason.
fn reason(text: &str, claims: &SnpClaims) -> Reason {
    let mut reasons = judged(text, claims);
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    reasons.remove(0)
}

/// The one mistake, as code and message.
fn mistake(text: &str) -> (&'static str, String) {
    let mistakes = Policy::from_toml(text.as_bytes()).unwrap_err();
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    (mistakes[0].code(), mistakes[0].to_string())
}

/// The policy with this window behind the measurement.
fn windowed(window: &str) -> String {
    text("", "").replace(
        "[[snp.minimum_tcb]]\nproduct = \"genoa\"",
        &format!("{window}\n[[snp.minimum_tcb]]\nproduct = \"genoa\""),
    )
}

#[test]
fn the_claims_meet_the_rules() {
    assert_eq!(judged(&text("", ""), &claims()), []);
}

#[test]
fn a_measurement_is_accepted_in_its_window_alone() {
    for window in [
        "from = 2026-06-01T00:00:00Z",
        "until = 2026-06-01T00:00:00Z",
        "release = \"1.0\"\nfrom = 2026-05-31T00:00:00Z\nuntil = 2026-06-02T00:00:00Z",
    ] {
        assert_eq!(judged(&windowed(window), &claims()), [], "{window}");
    }
    for (window, told) in [
        (
            "from = 2026-06-01T00:00:01Z",
            "\"guest\", accepted from 2026-06-01T00:00:01Z",
        ),
        (
            "release = \"1.0\"\nuntil = 2026-05-31T23:59:59Z",
            "\"guest\" of \"1.0\", accepted until 2026-05-31T23:59:59Z",
        ),
    ] {
        let reason = reason(&windowed(window), &claims());
        assert_eq!(reason.code, "policy.snp.measurement");
        assert!(reason.actual.ends_with(told), "{}", reason.actual);
        assert!(reason.actual.starts_with(&"11".repeat(48)));
    }
}

#[test]
fn a_window_must_be_one() {
    let (code, message) = mistake(&windowed(
        "from = 2026-06-01T00:00:00Z\nuntil = 2026-06-01T00:00:00Z",
    ));
    assert_eq!(code, "policy.document.conflict");
    assert!(message.contains("snp.measurements[0].until"), "{message}");
    let (code, _) = mistake(&windowed("until = \"2026\""));
    assert_eq!(code, "policy.document.type");
}

/// When an admission ends whose policy is the machine's with this text for that.
fn not_after(from: &str, to: &str) -> UnixTime {
    let text = PolicyText::admitting(MACHINE.report(), UnixTime(NOW.0 - 1000), NOW.plus(100_000));
    let text = text.to_toml();
    assert_eq!(text.matches(from).count(), 1, "{from:?} in {text}");
    let policy = Policy::from_toml(text.replace(from, to).as_bytes());
    let policy = accept_custom_anchors(policy.unwrap_or_else(|error| panic!("{error:?}")));
    let bundle = MACHINE.bundle(IdentityKey([7; 32]), manifest(), &NONCE);
    let appraiser = Appraiser::new(MACHINE.verifier(), policy);
    let admitted = appraiser.appraise(&bundle, &NONCE, NOW);
    admitted
        .unwrap_or_else(|refusal| panic!("{refusal}"))
        .not_after()
}

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
    }
    .to_cbor()
}

#[test]
fn an_admission_ends_with_the_entry_that_it_rests_on() {
    let name = "name = \"simulated guest\"";
    let until = |until: &str| not_after(name, &format!("{name}\nuntil = {until}"));
    assert_eq!(not_after(name, name), NOW.plus(3600));
    assert_eq!(until("2026-06-01T00:01:00Z"), NOW.plus(60));
    assert_eq!(until("2026-07-01T00:00:00Z"), NOW.plus(3600));
}
