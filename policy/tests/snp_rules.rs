//! The table `[snp]`, rule by rule, on claims that are wrong in one point.
#![allow(clippy::disallowed_methods, reason = "tests, with an invented vendor")]

use attestation::{
    IdentityKey, Manifest, Nonce, UnixTime,
    snp::{Product, SigningKey, SnpClaims, TcbVersion},
};
use policy::{Appraiser, Policy, Reason, danger::accept_custom_anchors};
use proptest::prelude::*;
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
        crl_this_update: None,
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
        gpu: None,
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

const ADVISORY: &str = r#"
[[snp.advisories]]
name = "AMD-SB-3019"
product = "genoa"
component = "microcode"
minimum = 5
link = "https://www.amd.com/sb-3019"
"#;

#[test]
fn firmware_without_the_fix_of_an_advisory_is_denied() {
    let text = text("", ADVISORY);
    let reason = reason(&text, &claims());
    assert_eq!(reason.code, "policy.snp.advisory");
    assert_eq!(reason.rule, "snp.advisories of AMD-SB-3019");
    assert_eq!(reason.expected, "microcode 5 or more");
    assert_eq!(reason.actual, "microcode 4");
    let advisory = reason.advisory.unwrap();
    assert_eq!(advisory.name, "AMD-SB-3019");
    assert_eq!(
        advisory.link.as_deref(),
        Some("https://www.amd.com/sb-3019")
    );
    let line = text.lines().position(|line| line == "[[snp.advisories]]");
    assert_eq!(reason.at.unwrap().line, line.unwrap() + 1);

    let mut mended = claims();
    mended.reported_tcb.microcode = 5;
    assert_eq!(judged(&text, &mended), []);
}

#[test]
fn an_advisory_of_another_product_asks_nothing() {
    let text = text("", &ADVISORY.replace("genoa", "turin"));
    assert_eq!(judged(&text, &claims()), []);
}

#[test]
fn each_component_may_have_an_advisory() {
    for (component, minimum) in [("bootloader", 2), ("tee", 3), ("snp", 4), ("microcode", 5)] {
        let advisory = |minimum: u8| {
            let advisory = ADVISORY.replace("microcode", component);
            text(
                "",
                &advisory.replace("minimum = 5", &format!("minimum = {minimum}")),
            )
        };
        assert_eq!(
            reason(&advisory(minimum), &claims()).code,
            "policy.snp.advisory"
        );
        assert_eq!(judged(&advisory(minimum - 1), &claims()), [], "{component}");
    }
    let fmc = ADVISORY
        .replace("microcode", "fmc")
        .replace("genoa", "turin");
    let mut turin = claims();
    turin.product = Product::Turin;
    turin.reported_tcb.fmc = Some(5);
    assert_eq!(judged(&text("", &fmc), &turin), []);
    turin.reported_tcb.fmc = Some(4);
    assert_eq!(reason(&text("", &fmc), &turin).actual, "fmc 4");
}

#[test]
fn an_advisory_is_demanded_from_its_date_on() {
    let from = |from: &str| text("", &format!("{ADVISORY}from = {from}\n"));
    assert_eq!(
        reason(&from("2026-06-01T00:00:00Z"), &claims()).code,
        "policy.snp.advisory"
    );
    assert_eq!(judged(&from("2026-06-01T00:00:01Z"), &claims()), []);
}

#[test]
fn an_admission_ends_before_an_advisory_is_demanded_whose_fix_is_missing() {
    let table = "[snp.platform_info]";
    let with = |minimum: u8| {
        let advisory = ADVISORY.replace("minimum = 5", &format!("minimum = {minimum}"));
        not_after(
            table,
            &format!("{advisory}from = 2026-06-01T00:01:00Z\n{table}"),
        )
    };
    let has = MACHINE.report().reported_tcb.microcode;
    assert_eq!(with(has + 1), NOW.plus(59));
    assert_eq!(with(has), NOW.plus(3600));
}

#[test]
fn each_tcb_that_is_named_is_judged() {
    type Field = fn(&mut SnpClaims) -> &mut TcbVersion;
    let fields: [(&str, &str, Field); 3] = [
        ("committed", "COMMITTED_TCB", |claims| {
            &mut claims.committed_tcb
        }),
        ("launch", "LAUNCH_TCB", |claims| &mut claims.launch_tcb),
        ("current", "CURRENT_TCB", |claims| &mut claims.current_tcb),
    ];
    for (name, told, field) in fields {
        let mut old = claims();
        field(&mut old).microcode = 3;
        assert_eq!(judged(&text("", ""), &old), [], "{name}");
        let named = text(&format!("tcb_fields = [\"reported\", \"{name}\"]"), "");
        assert_eq!(judged(&named, &claims()), []);
        let reason = reason(&named, &old);
        assert_eq!(reason.code, "policy.snp.minimum_tcb");
        assert_eq!(reason.rule, "snp.minimum_tcb.microcode of genoa");
        assert_eq!(reason.actual, format!("3 in {told}"));
        let advised = text(
            &format!("tcb_fields = [\"reported\", \"{name}\"]"),
            &ADVISORY.replace("= 5", "= 4"),
        );
        let codes: Vec<_> = judged(&advised, &old)
            .iter()
            .map(|reason| reason.code)
            .collect();
        assert_eq!(codes, ["policy.snp.minimum_tcb", "policy.snp.advisory"]);
    }
}

#[test]
fn each_value_of_the_guest_is_judged() {
    type Edit = fn(&mut SnpClaims);
    let rules: [(&str, &str, &str, usize, &str, Edit); 5] = [
        (
            "host_data",
            "value",
            "21",
            32,
            "policy.snp.host_data",
            |c| c.host_data[31] ^= 1,
        ),
        ("id_keys", "digest", "31", 48, "policy.snp.id_key", |c| {
            c.id_key_digest[47] ^= 1
        }),
        (
            "author_keys",
            "digest",
            "41",
            48,
            "policy.snp.author_key",
            |c| c.author_key_digest[0] ^= 1,
        ),
        (
            "family_ids",
            "value",
            "51",
            16,
            "policy.snp.family_id",
            |c| c.family_id[15] ^= 1,
        ),
        ("image_ids", "value", "61", 16, "policy.snp.image_id", |c| {
            c.image_id[0] ^= 1
        }),
    ];
    for (rule, key, byte, bytes, code, edit) in rules {
        let table = format!(
            "[[snp.{rule}]]\nname = \"one\"\n{key} = \"{}\"\n",
            byte.repeat(bytes)
        );
        let listed = text("", &table);
        assert_eq!(judged(&listed, &claims()), [], "{rule}");
        let mut other = claims();
        edit(&mut other);
        assert_eq!(judged(&text("", ""), &other), [], "{rule}");
        let unlisted = reason(&listed, &other);
        assert_eq!(
            (unlisted.code, unlisted.rule),
            (code, format!("snp.{rule}"))
        );
        let ended = text("", &format!("{table}until = 2026-05-01T00:00:00Z\n"));
        assert_eq!(reason(&ended, &claims()).code, code);
        let short = table.replace(&byte.repeat(bytes), &byte.repeat(bytes - 1));
        assert_eq!(mistake(&text("", &short)).0, "policy.document.value");
    }
}

#[test]
fn the_guests_svn_has_its_floor() {
    assert_eq!(judged(&text("minimum_guest_svn = 7", ""), &claims()), []);
    let reason = reason(&text("minimum_guest_svn = 8", ""), &claims());
    assert_eq!(reason.code, "policy.snp.guest_svn");
    assert_eq!(
        (reason.expected.as_str(), reason.actual.as_str()),
        ("8 or more", "7")
    );
}

#[test]
fn a_vlek_must_be_of_an_accepted_provider() {
    let named = text("csp_ids = [\"cloud\", \"another\"]", "");
    assert_eq!(judged(&named, &claims()), []);
    let of = |csp_id: Option<&str>| SnpClaims {
        signing_key: SigningKey::Vlek,
        csp_id: csp_id.map(str::to_owned),
        ..claims()
    };
    assert_eq!(judged(&named, &of(Some("cloud"))), []);
    for (csp_id, told) in [(Some("stranger"), "\"stranger\""), (None, "none")] {
        let reason = reason(&named, &of(csp_id));
        assert_eq!(reason.code, "policy.snp.csp_id");
        assert_eq!(reason.expected, "\"another\", \"cloud\"");
        assert_eq!(reason.actual, told);
    }
    assert_eq!(judged(&text("", ""), &of(Some("stranger"))), []);
}

#[test]
fn required_mitigations_must_be_in_place() {
    let required = |lines: &str| text("", &format!("[snp.required_mitigations]\n{lines}"));
    let met = required("launch = [0, 1]\ncurrent = [2]");
    assert_eq!(judged(&met, &claims()), []);
    let launch = reason(&required("launch = [2, 0]"), &claims());
    assert_eq!(launch.code, "policy.snp.mitigation");
    assert_eq!(launch.rule, "snp.required_mitigations.launch");
    assert_eq!(launch.expected, "bits set: 0, 2");
    assert_eq!(launch.actual, "0x0000000000000003");
    let current = reason(&required("current = [63]"), &claims());
    assert_eq!(current.rule, "snp.required_mitigations.current");
    let older = SnpClaims {
        launch_mit_vector: None,
        current_mit_vector: None,
        ..claims()
    };
    assert_eq!(judged(&met, &older).len(), 2);
    assert_eq!(judged(&met, &older)[0].actual, "no vector");
}

#[test]
fn mistakes_are_told() {
    let advisory = |from: &str, to: &str| text("", &ADVISORY.replace(from, to));
    for (text, code) in [
        (
            text("tcb_fields = [\"launch\"]", ""),
            "policy.document.missing_field",
        ),
        (text("tcb_fields = []", ""), "policy.document.empty_list"),
        (text("csp_ids = []", ""), "policy.document.empty_list"),
        (text("host_data = []", ""), "policy.document.empty_list"),
        (text("advisories = []", ""), "policy.document.empty_list"),
        (
            text("", "[snp.required_mitigations]"),
            "policy.document.missing_field",
        ),
        (
            text("", "[snp.required_mitigations]\nlaunch = [64]"),
            "policy.document.value",
        ),
        (
            text("", "[snp.required_mitigations]\nlaunch = [1, 1]"),
            "policy.document.duplicate",
        ),
        (
            text("", &format!("{ADVISORY}{ADVISORY}")),
            "policy.document.duplicate",
        ),
        (advisory("microcode", "fmc"), "policy.document.conflict"),
        (advisory("genoa", "milan"), "policy.document.conflict"),
        (
            advisory("minimum = 5", "minimum = 0"),
            "policy.document.value",
        ),
        (
            advisory("minimum = 5", "least = 5\nminimum = 5"),
            "policy.document.unknown_field",
        ),
        (
            text("csp_ids = [\"cloud\"]", "").replace(", \"vlek\"", ""),
            "policy.document.conflict",
        ),
    ] {
        assert_eq!(mistake(&text).0, code, "{text}");
    }
}

/// Tables that each ask something of its own.
fn rules() -> Vec<String> {
    let advisory = |name: &str, component: &str, rest: &str| {
        let advisory = ADVISORY.replace("AMD-SB-3019", name);
        format!("{}{rest}", advisory.replace("microcode", component))
    };
    let list = |name: &str, key: &str, value: String| {
        format!("[[snp.{name}]]\nname = \"one\"\n{key} = \"{value}\"\n")
    };
    vec![
        advisory("AMD-SB-1", "microcode", ""),
        advisory("AMD-SB-1", "snp", ""),
        advisory("AMD-SB-2", "bootloader", "from = 2026-05-01T00:00:00Z\n"),
        advisory("AMD-SB-3", "tee", "from = 2026-07-01T00:00:00Z\n"),
        list("host_data", "value", "21".repeat(32)),
        list("id_keys", "digest", "31".repeat(48)),
        list("image_ids", "value", "61".repeat(16)),
        "[snp.required_mitigations]\nlaunch = [0]\ncurrent = [2, 1]\n".to_owned(),
        "[snp.platform_info]\nrequired = [\"ecc_en\", \"smt_en\"]\n".to_owned(),
    ]
}

/// The rules whose bits are set, in an order that `turn` picks.
fn chosen(bits: u16, turn: usize) -> String {
    let mut rules: Vec<_> = rules().into_iter().enumerate().collect();
    rules.retain(|(index, _)| bits >> index & 1 == 1);
    let turn = turn % rules.len().max(1);
    rules.rotate_left(turn);
    let rules: String = rules.into_iter().map(|(_, rule)| rule).collect();
    text("tcb_fields = [\"reported\", \"launch\"]", &rules)
}

/// Claims that are wrong where bits are set.
fn spoilt(bits: u16) -> SnpClaims {
    type Edit = fn(&mut SnpClaims);
    let edits: [Edit; 7] = [
        |claims| claims.reported_tcb.microcode = 4,
        |claims| claims.launch_tcb.bootloader = 1,
        |claims| claims.host_data[0] ^= 1,
        |claims| claims.id_key_digest[0] ^= 1,
        |claims| claims.image_id[0] ^= 1,
        |claims| claims.current_mit_vector = None,
        |claims| claims.platform_info = 0,
    ];
    let mut claims = claims();
    let tcb = TcbVersion {
        fmc: None,
        bootloader: 5,
        tee: 5,
        snp: 5,
        microcode: 5,
    };
    (claims.reported_tcb, claims.launch_tcb, claims.platform_info) = (tcb, tcb, 0b101);
    let chosen = edits
        .iter()
        .enumerate()
        .filter(|(index, _)| bits >> index & 1 == 1);
    chosen.for_each(|(_, edit)| edit(&mut claims));
    claims
}

/// What the reasons say, whatever their places and order.
fn told(text: &str, claims: &SnpClaims) -> Vec<String> {
    let reasons = judged(text, claims).into_iter();
    let told = reasons.map(|one| {
        format!(
            "{} {} {} {} {:?}",
            one.code, one.rule, one.expected, one.actual, one.advisory
        )
    });
    let mut told: Vec<_> = told.collect();
    told.sort();
    told
}

proptest! {
    #[test]
    fn adding_a_rule_never_admits_more(few in 0..512_u16, more in 0..512_u16, wrong in 0..128_u16) {
        let claims = spoilt(wrong);
        let few = told(&chosen(few & more, 0), &claims);
        let more = told(&chosen(more, 0), &claims);
        prop_assert!(few.iter().all(|reason| more.contains(reason)), "{few:?} {more:?}");
    }

    #[test]
    fn reasons_do_not_depend_on_the_order_of_rules(rules in 0..512_u16, turn in 0..9_usize, wrong in 0..128_u16) {
        let claims = spoilt(wrong);
        prop_assert_eq!(told(&chosen(rules, 0), &claims), told(&chosen(rules, turn), &claims));
    }
}
