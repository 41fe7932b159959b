//! Every reason, by claims that are wrong in one point.

mod properties;

use super::{Subject, Surroundings};
use crate::{Orders, Policy, Reason, danger::accept_custom_anchors, snp::GuestPolicyBit};
use attestation::{
    Anchors, BindingId, CpuClaims, IdentityKey, Manifest, NodeClaims, UnixTime,
    snp::{Product, SigningKey, SnpClaims, TcbVersion},
};

const NOT_BEFORE: UnixTime = UnixTime(1_000_000);
const EXPIRES: UnixTime = UnixTime(2_000_000);
const COLLATERAL_END: UnixTime = UnixTime(1_900_000);
const AT: UnixTime = UnixTime(1_500_000);

const MODEL: [u8; 32] = [0x22; 32];
const RUNTIME: [u8; 32] = [0x33; 32];

fn text() -> String {
    let measurement = "11".repeat(48);
    let (model, runtime) = (hex::encode(MODEL), hex::encode(RUNTIME));
    format!(
        r#"
schema = 1
version = 4
name = "test"
not_before = 1970-01-12T13:46:40Z
expires = 1970-01-24T03:33:20Z
[freshness]
max_age_seconds = 600
[snp]
products = ["turin"]
minimum_report_version = 3
vmpl = [0, 1]
signing_keys = ["vcek"]
measurements = [{{ name = "guest", digest = "{measurement}" }}]
minimum_tcb = [{{ product = "turin", fmc = 1, bootloader = 2, tee = 3, snp = 4, microcode = 5 }}]
[snp.guest_policy]
smt = "allow"
migrate_ma = "forbid"
single_socket = "allow"
cxl_allow = "forbid"
mem_aes_256_xts = "require"
rapl_dis = "allow"
ciphertext_hiding_dram = "allow"
page_swap_disable = "allow"
[snp.platform_info]
required = ["alias_check_complete"]
forbidden = ["tio_en"]
[[models.accepted]]
name = "great"
digest = "{model}"
[[models.accepted]]
name = "small"
digest = "{}"
[[runtime.accepted]]
name = "runtime"
digest = "{runtime}"
"#,
        "44".repeat(32)
    )
}

fn policy() -> Policy {
    Policy::from_toml(text().as_bytes()).unwrap()
}

fn snp_claims() -> SnpClaims {
    let tcb = TcbVersion {
        fmc: Some(1),
        bootloader: 2,
        tee: 3,
        snp: 4,
        microcode: 5,
    };
    SnpClaims {
        version: 3,
        product: Product::Turin,
        guest_policy: 1 << 17 | GuestPolicyBit::MemAes256Xts.mask(),
        debug: false,
        vmpl: 1,
        platform_info: 1 << 5,
        signing_key: SigningKey::Vcek,
        measurement: [0x11; 48],
        host_data: [0; 32],
        report_data: [0; 64],
        id_key_digest: [0; 48],
        author_key_digest: [0; 48],
        family_id: [0; 16],
        image_id: [0; 16],
        guest_svn: 0,
        chip_id: None,
        reported_tcb: tcb,
        current_tcb: tcb,
        committed_tcb: tcb,
        launch_tcb: tcb,
        launch_mit_vector: None,
        current_mit_vector: None,
        crl_next_update: None,
        crl_this_update: None,
        csp_id: None,
        not_after: COLLATERAL_END,
    }
}

fn manifest() -> Manifest {
    Manifest {
        runtime_version: "0.1.0".to_owned(),
        runtime_digest: RUNTIME,
        model: "great".to_owned(),
        model_digest: MODEL,
        tokenizer_digest: [0; 32],
        template_digest: [0; 32],
        aibom_digest: None,
        kernels_digest: [0; 32],
        engine: String::new(),
        isa: String::new(),
        max_context_tokens: 1,
        max_request_bytes: 1,
        padding: "off".to_owned(),
        policy_root: [0; 32],
        gpu: None,
    }
}

fn claims() -> NodeClaims {
    NodeClaims {
        cpu: CpuClaims::Snp(Box::new(snp_claims())),
        devices: None,
        anchors: Anchors::Vendor,
        identity: IdentityKey([0; 32]),
        manifest: manifest(),
        manifest_digest: [0; 32],
        binding_id: BindingId([0; 32]),
        nonce: None,
        not_after: COLLATERAL_END,
    }
}

/// Claims that nothing stands beside.
trait Ask {
    fn ask(&self, claims: &NodeClaims, at: UnixTime, now: UnixTime) -> Vec<Reason>;
}

impl Ask for Policy {
    fn ask(&self, claims: &NodeClaims, at: UnixTime, now: UnixTime) -> Vec<Reason> {
        let orders = Orders::none();
        self.reasons(&Subject::claimed(
            claims,
            at,
            now,
            Surroundings::with(&orders),
        ))
    }
}

fn codes(reasons: &[Reason]) -> Vec<&str> {
    reasons.iter().map(|reason| reason.code).collect()
}

/// The one reason against claims whose SNP part was changed by `edit`.
fn snp_reason(edit: impl FnOnce(&mut SnpClaims)) -> Reason {
    let mut snp = snp_claims();
    edit(&mut snp);
    let node = NodeClaims {
        cpu: CpuClaims::Snp(Box::new(snp)),
        ..claims()
    };
    let mut reasons = policy().ask(&node, AT, AT);
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    reasons.remove(0)
}

/// The one reason against claims that were changed by `edit`.
fn node_reason(edit: impl FnOnce(&mut NodeClaims)) -> Reason {
    let mut node = claims();
    edit(&mut node);
    let mut reasons = policy().ask(&node, AT, AT);
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    reasons.remove(0)
}

fn assert_reason(reason: &Reason, code: &str, expected: &str, actual: &str) {
    assert_eq!(reason.code, code);
    assert_eq!(reason.expected, expected, "{code}");
    assert_eq!(reason.actual, actual, "{code}");
    assert!(!reason.rule.is_empty(), "{code}");
}

#[test]
fn good_claims_meet_every_rule() {
    assert_eq!(policy().ask(&claims(), AT, AT), []);
}

#[test]
fn a_revocation_list_that_is_required_must_have_been_given() {
    let asks = |rule: &str| {
        let text = text().replace(
            "signing_keys",
            &format!("revocation = {rule:?}\nsigning_keys"),
        );
        Policy::from_toml(text.as_bytes()).unwrap()
    };
    let mut snp = snp_claims();
    snp.crl_next_update = Some(COLLATERAL_END);
    let checked = NodeClaims {
        cpu: CpuClaims::Snp(Box::new(snp)),
        ..claims()
    };
    let reasons = asks("required").ask(&claims(), AT, AT);
    assert_eq!(codes(&reasons), ["policy.snp.revocation"]);
    let expected = "a revocation list of the ARK";
    assert_reason(
        &reasons[0],
        "policy.snp.revocation",
        expected,
        "none was given",
    );
    assert_eq!(asks("required").ask(&checked, AT, AT), []);
    assert_eq!(asks("when_given").ask(&claims(), AT, AT), []);
}

#[test]
fn the_windows_include_both_ends() {
    let at = |now| policy().ask(&claims(), now, now);
    assert_eq!(at(NOT_BEFORE), []);
    assert_eq!(
        codes(&at(UnixTime(NOT_BEFORE.0 - 1))),
        ["policy.not_before"]
    );
    assert_eq!(at(COLLATERAL_END), []);
    assert_eq!(codes(&at(COLLATERAL_END.plus(1))), ["policy.collateral"]);

    let long_lived = NodeClaims {
        not_after: EXPIRES.plus(9),
        ..claims()
    };
    let at = |now| policy().ask(&long_lived, now, now);
    assert_eq!(at(EXPIRES), []);
    let reasons = at(EXPIRES.plus(1));
    assert_eq!(reasons.len(), 1);
    assert_reason(
        &reasons[0],
        "policy.expired",
        "1970-01-24T03:33:20Z or earlier",
        "1970-01-24T03:33:21Z",
    );
}

#[test]
fn evidence_grows_stale() {
    assert_eq!(policy().ask(&claims(), AT, AT.plus(600)), []);
    let reasons = policy().ask(&claims(), AT, AT.plus(601));
    assert_eq!(reasons.len(), 1);
    assert_reason(&reasons[0], "policy.freshness", "600 or less", "601");
}

#[test]
fn a_clock_that_went_back_counts_as_the_time_of_verification() {
    let after_the_end = UnixTime(EXPIRES.0 + 1);
    let long_lived = NodeClaims {
        not_after: EXPIRES.plus(9),
        ..claims()
    };
    let reasons = policy().ask(&long_lived, after_the_end, AT);
    assert_eq!(codes(&reasons), ["policy.expired"]);
}

#[test]
fn custom_anchors_are_denied_unless_danger_lifts_it() {
    let custom = NodeClaims {
        anchors: Anchors::Custom,
        ..claims()
    };
    let reasons = policy().ask(&custom, AT, AT);
    assert_eq!(codes(&reasons), ["policy.anchors"]);
    #[expect(clippy::disallowed_methods, reason = "the one thing under test")]
    let lifted = accept_custom_anchors(policy());
    assert_eq!(lifted.ask(&custom, AT, AT), []);
}

#[test]
fn snp_lists() {
    let reason = snp_reason(|snp| snp.version = 2);
    assert_reason(&reason, "policy.snp.report_version", "3 or more", "2");
    let reason = snp_reason(|snp| snp.vmpl = 2);
    assert_reason(&reason, "policy.snp.vmpl", "0, 1", "2");
    let reason = snp_reason(|snp| snp.signing_key = SigningKey::Vlek);
    assert_reason(&reason, "policy.snp.signing_key", "vcek", "vlek");
    let reason = snp_reason(|snp| snp.product = Product::Genoa);
    assert_reason(&reason, "policy.snp.product", "turin", "genoa");
}

#[test]
fn a_measurement_not_allowed() {
    let reason = snp_reason(|snp| snp.measurement[47] ^= 1);
    let known = format!("\"guest\" ({})", "11".repeat(48));
    let actual = format!("{}10", "11".repeat(47));
    assert_reason(&reason, "policy.snp.measurement", &known, &actual);
    assert_eq!(reason.rule, "snp.measurements");
}

#[test]
fn each_component_of_the_tcb_has_its_floor() {
    type Lower = fn(&mut TcbVersion);
    let edits: [(&str, Lower); 5] = [
        ("fmc", |tcb| tcb.fmc = Some(0)),
        ("bootloader", |tcb| tcb.bootloader = 1),
        ("tee", |tcb| tcb.tee = 2),
        ("snp", |tcb| tcb.snp = 3),
        ("microcode", |tcb| tcb.microcode = 4),
    ];
    for (component, edit) in edits {
        let reason = snp_reason(|snp| edit(&mut snp.reported_tcb));
        assert_eq!(reason.code, "policy.snp.minimum_tcb");
        assert_eq!(reason.rule, format!("snp.minimum_tcb.{component} of turin"));
    }
    let reason = snp_reason(|snp| snp.reported_tcb.fmc = None);
    assert_reason(&reason, "policy.snp.minimum_tcb", "1 or more", "absent");
}

#[test]
fn a_higher_component_does_not_pay_for_a_lower_one() {
    let reason = snp_reason(|snp| {
        snp.reported_tcb.bootloader = 255;
        snp.reported_tcb.microcode = 4;
    });
    assert_reason(&reason, "policy.snp.minimum_tcb", "5 or more", "4");
}

#[test]
fn debug_is_denied_whichever_way_it_is_told() {
    let reason = snp_reason(|snp| snp.debug = true);
    assert_reason(&reason, "policy.snp.debug", "DEBUG clear", "DEBUG set");
    let reason = snp_reason(|snp| snp.guest_policy |= 1 << 19);
    assert_eq!(reason.code, "policy.snp.debug");
}

#[test]
fn reserved_bits_of_the_guest_policy() {
    let reserved = "policy.snp.guest_policy.reserved";
    for bit in 26..64 {
        assert_eq!(
            snp_reason(|snp| snp.guest_policy |= 1 << bit).code,
            reserved
        );
    }
    let reason = snp_reason(|snp| snp.guest_policy &= !(1 << 17));
    assert_eq!(reason.code, reserved);
}

#[test]
fn flags_of_the_guest_policy() {
    let rule = |bit: u64| snp_reason(|snp| snp.guest_policy ^= 1 << bit);
    let migrate = rule(18);
    assert_reason(&migrate, "policy.snp.guest_policy", "forbid", "set");
    assert_eq!(migrate.rule, "snp.guest_policy.migrate_ma");
    assert_eq!(rule(21).rule, "snp.guest_policy.cxl_allow");
    let xts = rule(22);
    assert_reason(&xts, "policy.snp.guest_policy", "require", "clear");
    assert_eq!(xts.rule, "snp.guest_policy.mem_aes_256_xts");
    for allowed in [16, 20, 23, 24, 25] {
        let mut snp = snp_claims();
        snp.guest_policy ^= 1 << allowed;
        let node = NodeClaims {
            cpu: CpuClaims::Snp(Box::new(snp)),
            ..claims()
        };
        assert_eq!(policy().ask(&node, AT, AT), []);
    }
}

#[test]
fn flags_of_the_platform() {
    let reason = snp_reason(|snp| snp.platform_info = 0);
    let expected = "alias_check_complete required";
    assert_reason(&reason, "policy.snp.platform_info", expected, "clear");
    let reason = snp_reason(|snp| snp.platform_info |= 1 << 7);
    assert_reason(
        &reason,
        "policy.snp.platform_info",
        "tio_en forbidden",
        "set",
    );
    assert_eq!(reason.rule, "snp.platform_info.forbidden");
}

#[test]
fn a_model_counts_by_name_and_digest_together() {
    let reason = node_reason(|node| node.manifest.model_digest[0] ^= 1);
    assert_eq!(reason.code, "policy.model");
    let reason = node_reason(|node| node.manifest.model_digest = [0x44; 32]);
    assert_eq!(reason.expected, "\"great\", \"small\"");
    assert!(reason.actual.starts_with("\"great\" (4444"));
    assert_eq!(
        node_reason(|node| node.manifest.model = "small".to_owned()).code,
        "policy.model"
    );
}

#[test]
fn a_runtime_not_allowed() {
    let reason = node_reason(|node| node.manifest.runtime_digest = [0; 32]);
    assert_eq!(reason.code, "policy.runtime");
    assert_eq!(reason.expected, "\"runtime\"");
}

#[test]
fn texts_from_outside_are_escaped_and_cut() {
    let long = format!("\x1b[2J\n{}", "a".repeat(500));
    let reason = node_reason(|node| node.manifest.model = long);
    assert!(
        reason.actual.starts_with("\"\\u{1b}[2J\\naaa"),
        "{}",
        reason.actual
    );
    assert!(reason.actual.len() < 250);
}

#[test]
fn all_reasons_are_told_in_the_order_of_the_document() {
    let mut snp = snp_claims();
    snp.version = 2;
    snp.vmpl = 3;
    snp.signing_key = SigningKey::Vlek;
    snp.measurement = [0; 48];
    snp.reported_tcb = TcbVersion::default();
    snp.guest_policy = u64::MAX ^ 1 << 22;
    snp.platform_info = 1 << 7;
    let mut node = claims();
    node.cpu = CpuClaims::Snp(Box::new(snp));
    node.anchors = Anchors::Custom;
    node.manifest.model = "other".to_owned();
    node.manifest.runtime_digest = [0; 32];
    let reasons = policy().ask(&node, AT, EXPIRES.plus(1));
    assert_eq!(
        codes(&reasons),
        [
            "policy.expired",
            "policy.anchors",
            "policy.freshness",
            "policy.collateral",
            "policy.snp.report_version",
            "policy.snp.vmpl",
            "policy.snp.signing_key",
            "policy.snp.measurement",
            "policy.snp.minimum_tcb",
            "policy.snp.minimum_tcb",
            "policy.snp.minimum_tcb",
            "policy.snp.minimum_tcb",
            "policy.snp.minimum_tcb",
            "policy.snp.debug",
            "policy.snp.guest_policy.reserved",
            "policy.snp.guest_policy",
            "policy.snp.guest_policy",
            "policy.snp.guest_policy",
            "policy.snp.platform_info",
            "policy.snp.platform_info",
            "policy.model",
            "policy.runtime",
        ]
    );
}

#[test]
fn one_report_alone_is_judged_by_window_and_snp_rules() {
    assert_eq!(policy().judge_snp(&snp_claims(), AT), []);
    let mut snp = snp_claims();
    snp.debug = true;
    snp.measurement = [0; 48];
    let reasons = policy().judge_snp(&snp, EXPIRES.plus(1));
    assert_eq!(
        codes(&reasons),
        [
            "policy.expired",
            "policy.snp.measurement",
            "policy.snp.debug"
        ]
    );
}
