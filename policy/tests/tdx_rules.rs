//! The table `[tdx]`, rule by rule, on claims that are wrong in one point.

use attestation::{
    UnixTime,
    eventlog::{Algorithm, Event, EventDigest, EventType},
    tdx::{PckCa, PlatformClaims, TcbClaims, TcbStatus, TdAttributes, TdReport, TdxClaims},
};
use policy::{Policy, Reason};
use proptest::prelude::*;

/// 2026-06-01T00:00:00Z.
const NOW: UnixTime = UnixTime(1_780_272_000);
/// The last second of a window that still has `NOW`, and the first of one that has it no more.
const STILL: &str = "2026-06-01T00:00:00Z";
const PAST: &str = "2026-05-31T23:59:59Z";

/// A policy with these lines in `[tdx]`, and these behind it.
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
[tdx]
statuses = ["UpToDate"]
minimum_evaluation_number = 17
service_td = "forbid"
{lines}
[[tdx.mrtd]]
name = "firmware"
digest = "{}"
[tdx.attributes]
sept_ve_disable = "require"
migratable = "forbid"
pks = "allow"
perfmon = "forbid"
{tables}
"#,
        "11".repeat(48)
    )
}

fn claims() -> TdxClaims {
    TdxClaims {
        version: 4,
        td: td(),
        user_data: [0; 20],
        platform: PlatformClaims {
            ca: PckCa::Platform,
            ppid: [1; 16],
            platform_instance_id: None,
            fmspc: [0x00, 0x80, 0x6F, 0x05, 0x00, 0x00],
            pce_id: [0; 2],
            components: [0; 16],
            cpu_svn: [0; 16],
            pce_svn: 13,
            sgx_type: 1,
            dynamic_platform: None,
            cached_keys: None,
            smt_enabled: None,
        },
        tcb: TcbClaims {
            status: TcbStatus::UpToDate,
            platform_status: TcbStatus::UpToDate,
            module_status: None,
            current_status: None,
            qe_status: TcbStatus::UpToDate,
            date: NOW,
            out_of_date_since: None,
            advisory_ids: Vec::new(),
            evaluation_data_number: 17,
            qe_evaluation_data_number: 17,
            components: Vec::new(),
        },
        events: None,
        collateral_issued: NOW,
        not_after: NOW.plus(1_000_000),
    }
}

fn td() -> TdReport {
    TdReport {
        tee_tcb_svn: [0; 16],
        mr_seam: [0x21; 48],
        mr_signer_seam: [0; 48],
        seam_attributes: [0; 8],
        attributes: TdAttributes(1 << 28),
        xfam: 0b111,
        mr_td: [0x11; 48],
        mr_config_id: [0x31; 48],
        mr_owner: [0x41; 48],
        mr_owner_config: [0x51; 48],
        rtmrs: [[0x61; 48], [0x62; 48], [0x63; 48], [0x64; 48]],
        report_data: [0; 64],
        v15: None,
        v15ex: None,
    }
}

fn judged(text: &str, claims: &TdxClaims) -> Vec<Reason> {
    let policy = Policy::from_toml(text.as_bytes()).unwrap_or_else(|error| panic!("{error:?}"));
    policy.judge_tdx(claims, NOW)
}

/// The one reason.
fn reason(text: &str, claims: &TdxClaims) -> Reason {
    let mut reasons = judged(text, claims);
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    reasons.remove(0)
}

/// Code of the one mistake.
fn mistake(text: &str) -> &'static str {
    let mistakes = Policy::from_toml(text.as_bytes()).unwrap_err();
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    mistakes[0].code()
}

/// The number of the line where a table begins, counted from 1.
fn line_of(text: &str, table: &str) -> usize {
    text.lines().position(|line| line == table).unwrap() + 1
}

#[test]
fn the_claims_meet_the_rules() {
    assert_eq!(judged(&text("", ""), &claims()), []);
}

#[test]
fn each_register_is_judged_if_it_is_listed() {
    type Register = fn(&mut TdReport) -> &mut [u8; 48];
    let registers: [(&str, Register); 9] = [
        ("mrseam", |td| &mut td.mr_seam),
        ("mrsignerseam", |td| &mut td.mr_signer_seam),
        ("mrconfigid", |td| &mut td.mr_config_id),
        ("mrowner", |td| &mut td.mr_owner),
        ("mrownerconfig", |td| &mut td.mr_owner_config),
        ("rtmr0", |td| &mut td.rtmrs[0]),
        ("rtmr1", |td| &mut td.rtmrs[1]),
        ("rtmr2", |td| &mut td.rtmrs[2]),
        ("rtmr3", |td| &mut td.rtmrs[3]),
    ];
    for (name, register) in registers {
        let mut other = claims();
        let digest = hex::encode(*register(&mut other.td));
        let table = format!("[[tdx.{name}]]\nname = \"one\"\ndigest = \"{digest}\"\n");
        let listed = text("", &table);
        assert_eq!(judged(&listed, &claims()), [], "{name}");
        register(&mut other.td)[47] ^= 1;
        assert_eq!(judged(&text("", ""), &other), [], "{name}");
        let unlisted = reason(&listed, &other);
        assert_eq!(unlisted.code, "policy.tdx.measurement");
        assert_eq!(unlisted.rule, format!("tdx.{name}"));
        let ended = text("", &format!("{table}release = \"1.0\"\nuntil = {PAST}\n"));
        let told = format!("{digest}: \"one\" of \"1.0\", accepted until {PAST}");
        assert_eq!(reason(&ended, &claims()).actual, told);
    }
}

fn exposed(status: TcbStatus, advisories: &[&str]) -> TdxClaims {
    let mut claims = claims();
    claims.tcb.status = status;
    claims.tcb.advisory_ids = advisories.iter().map(|id| (*id).to_owned()).collect();
    claims
}

#[test]
fn a_status_may_be_accepted_until_a_date() {
    let until = |until: &str| {
        let table = "[[tdx.statuses_until]]\nstatus = \"SWHardeningNeeded\"\nwhy = \"rollout\"\n";
        text("", &format!("{table}until = {until}\n"))
    };
    let hardening = exposed(TcbStatus::SwHardeningNeeded, &[]);
    assert_eq!(reason(&text("", ""), &hardening).rule, "tdx.statuses");
    assert_eq!(judged(&until(STILL), &hardening), []);
    assert_eq!(judged(&until(PAST), &claims()), []);
    let ended = reason(&until(PAST), &hardening);
    assert_eq!(ended.code, "policy.tdx.status");
    assert_eq!(ended.rule, "tdx.statuses_until of SWHardeningNeeded");
    assert_eq!(
        ended.expected,
        format!("SWHardeningNeeded until {PAST}, UpToDate")
    );
    assert_eq!(
        ended.actual,
        format!("SWHardeningNeeded, accepted until {PAST}")
    );
    assert_eq!(
        ended.at.unwrap().line,
        line_of(&until(PAST), "[[tdx.statuses_until]]")
    );
    let other = reason(&until(STILL), &exposed(TcbStatus::OutOfDate, &[]));
    assert_eq!(other.actual, "OutOfDate");
}

#[test]
fn every_advisory_must_be_accepted_if_any_is_listed() {
    let until = |until: &str| {
        let table =
            "[[tdx.advisories]]\nid = \"INTEL-SA-00837\"\nlink = \"https://intel.com/00837\"\n";
        text("", &format!("{table}until = {until}\n"))
    };
    let one = exposed(TcbStatus::UpToDate, &["INTEL-SA-00837"]);
    assert_eq!(judged(&text("", ""), &one), []);
    assert_eq!(judged(&until(STILL), &one), []);
    assert_eq!(judged(&until(PAST), &claims()), []);

    let ended = reason(&until(PAST), &one);
    assert_eq!(ended.code, "policy.tdx.advisory");
    assert_eq!(
        ended.actual,
        format!("\"INTEL-SA-00837\", accepted until {PAST}")
    );
    assert_eq!(
        ended.at.unwrap().line,
        line_of(&until(PAST), "[[tdx.advisories]]")
    );
    let advisory = ended.advisory.unwrap();
    assert_eq!(advisory.link.as_deref(), Some("https://intel.com/00837"));

    let two = exposed(TcbStatus::UpToDate, &["INTEL-SA-00837", "INTEL-SA-00960"]);
    let unlisted = reason(&until(STILL), &two);
    assert_eq!(unlisted.actual, "\"INTEL-SA-00960\"");
    assert_eq!(unlisted.advisory.unwrap().name, "INTEL-SA-00960");
}

#[test]
fn collateral_and_platform_have_floors() {
    let mut old = claims();
    old.tcb.qe_evaluation_data_number = 16;
    assert_eq!(
        reason(&text("", ""), &old).code,
        "policy.tdx.evaluation_number"
    );

    assert_eq!(judged(&text("minimum_pce_svn = 13", ""), &claims()), []);
    let pce = reason(&text("minimum_pce_svn = 14", ""), &claims());
    assert_eq!(pce.code, "policy.tdx.pce_svn");
    assert_eq!(
        (pce.expected.as_str(), pce.actual.as_str()),
        ("14 or more", "13")
    );

    let listed = "fmspcs = [\"00906ed50000\", \"00806F050000\"]";
    assert_eq!(judged(&text(listed, ""), &claims()), []);
    let unlisted = reason(&text("fmspcs = [\"00906ed50000\"]", ""), &claims());
    assert_eq!(unlisted.code, "policy.tdx.fmspc");
    assert_eq!(unlisted.actual, "00806f050000");
}

#[test]
fn features_that_the_document_does_not_name_are_denied() {
    let xfam = |lines: &str| text("", &format!("[tdx.xfam]\n{lines}"));
    let with = |bits: u64| {
        let mut claims = claims();
        claims.td.xfam = bits;
        claims
    };
    let rules = xfam("required = [\"x87\", \"sse\"]\nallowed = [\"avx\", \"pkru\"]");
    for bits in [0b11, 0b111, 0b10_0000_0111] {
        assert_eq!(judged(&rules, &with(bits)), [], "{bits:#b}");
    }
    let missing = reason(&rules, &with(0b101));
    assert_eq!(
        (missing.code, missing.rule.as_str()),
        ("policy.tdx.xfam", "tdx.xfam.required")
    );
    assert_eq!(
        (missing.expected.as_str(), missing.actual.as_str()),
        ("set: sse, x87", "clear: sse")
    );
    for (bit, told) in [
        (18, "set: tiledata"),
        (20, "set: bit 20"),
        (63, "set: bit 63"),
    ] {
        let other = reason(&rules, &with(0b11 | 1 << bit));
        assert_eq!(
            (other.code, other.rule.as_str()),
            ("policy.tdx.xfam", "tdx.xfam.allowed")
        );
        assert_eq!(other.actual, told);
    }
    assert_eq!(judged(&text("", ""), &with(u64::MAX)), []);
}

fn event(register: u32, kind: EventType, digest: u8) -> Event {
    let value = vec![digest; 48];
    Event {
        register,
        kind,
        digests: vec![EventDigest {
            algorithm: Algorithm::Sha384,
            value,
        }],
        data: Vec::new(),
    }
}

fn with_events(events: &[Event]) -> TdxClaims {
    TdxClaims {
        events: Some(events.to_vec()),
        ..claims()
    }
}

fn event_rule(rule: &str) -> String {
    let digest = "aa".repeat(48);
    let table = "[[tdx.events]]\nname = \"secure boot\"\nrtmr = 0\n";
    text(
        "",
        &format!("{table}digest = \"{digest}\"\nrule = \"{rule}\"\n"),
    )
}

#[test]
fn events_are_required_and_forbidden() {
    let measured = with_events(&[
        event(2, EventType::IPL, 0xBB),
        event(1, EventType::IPL, 0xAA),
    ]);
    let absent = with_events(&[event(1, EventType::IPL, 0xBB)]);
    for (rule, meets, fails, told) in [
        ("require", &measured, &absent, "not measured"),
        ("forbid", &absent, &measured, "measured"),
    ] {
        let text = event_rule(rule);
        assert_eq!(judged(&text, meets), []);
        let reason = reason(&text, fails);
        assert_eq!(
            (reason.code, reason.actual.as_str()),
            ("policy.tdx.events", told)
        );
        assert!(
            reason.expected.contains("\"secure boot\""),
            "{}",
            reason.expected
        );
        assert!(reason.expected.ends_with("in RTMR0"), "{}", reason.expected);
        assert_eq!(reason.at.unwrap().line, line_of(&text, "[[tdx.events]]"));
    }
}

#[test]
fn an_event_that_was_not_extended_there_shows_nothing() {
    let never = with_events(&[event(1, EventType::NO_ACTION, 0xAA)]);
    assert_eq!(
        reason(&event_rule("require"), &never).actual,
        "not measured"
    );
    assert_eq!(judged(&event_rule("forbid"), &never), []);
    let elsewhere = with_events(&[event(2, EventType::IPL, 0xAA)]);
    assert_eq!(
        reason(&event_rule("require"), &elsewhere).actual,
        "not measured"
    );
}

#[test]
fn the_name_that_the_log_gives_an_event_changes_nothing() {
    for kind in [
        EventType::SEPARATOR,
        EventType::EFI_ACTION,
        EventType(0xDEAD),
    ] {
        let measured = with_events(&[event(1, kind, 0xAA)]);
        assert_eq!(judged(&event_rule("require"), &measured), []);
        assert_eq!(reason(&event_rule("forbid"), &measured).actual, "measured");
    }
}

#[test]
fn rules_about_events_need_a_log() {
    for rule in ["require", "forbid"] {
        let reason = reason(&event_rule(rule), &claims());
        assert_eq!(reason.code, "policy.tdx.events");
        assert_eq!(reason.actual, "none was given");
    }
}

#[test]
fn mistakes_about_dates_are_told() {
    let status = "[[tdx.statuses_until]]\nstatus = \"OutOfDate\"\nuntil = 2026-07-01T00:00:00Z\n";
    let advisory = "[[tdx.advisories]]\nid = \"INTEL-SA-00837\"\nuntil = 2026-07-01T00:00:00Z\n";
    for (text, code) in [
        (
            text("", &status.replace("OutOfDate", "UpToDate")),
            "policy.document.conflict",
        ),
        (
            text("", &status.replace("OutOfDate", "Revoked")),
            "policy.document.value",
        ),
        (
            text("", &format!("{status}{status}")),
            "policy.document.duplicate",
        ),
        (
            text("", &status.replace("until = ", "till = 1\nuntil = ")),
            "policy.document.unknown_field",
        ),
        (
            text("", &advisory.replace("until = 2026-07-01T00:00:00Z", "")),
            "policy.document.missing_field",
        ),
        (
            text("", &format!("{advisory}{advisory}")),
            "policy.document.duplicate",
        ),
        (text("advisories = []", ""), "policy.document.empty_list"),
        (
            text("statuses_until = []", ""),
            "policy.document.empty_list",
        ),
    ] {
        assert_eq!(mistake(&text), code, "{text}");
    }
}

#[test]
fn mistakes_about_the_td_are_told() {
    let event = event_rule("require");
    for (text, code) in [
        (text("fmspcs = []", ""), "policy.document.empty_list"),
        (text("fmspcs = [\"00\"]", ""), "policy.document.value"),
        (text("mrseam = []", ""), "policy.document.empty_list"),
        (text("minimum_pce_svn = 65536", ""), "policy.document.value"),
        (text("", "[tdx.xfam]"), "policy.document.missing_field"),
        (
            text("", "[tdx.xfam]\nallowed = [\"mmx\"]"),
            "policy.document.value",
        ),
        (
            text("", "[tdx.xfam]\nrequired = [\"sse\"]\nallowed = [\"sse\"]"),
            "policy.document.conflict",
        ),
        (
            event.replace("rtmr = 0", "rtmr = 4"),
            "policy.document.value",
        ),
        (
            event.replace("\"require\"", "\"allow\""),
            "policy.document.value",
        ),
        (
            event.replace("rtmr = 0", "rtmr = 0\ntype = \"EV_IPL\""),
            "policy.document.unknown_field",
        ),
    ] {
        assert_eq!(mistake(&text), code, "{text}");
    }
}

/// Tables that each ask something of its own.
fn rules() -> Vec<String> {
    let list = |name: &str, byte: &str| {
        format!(
            "[[tdx.{name}]]\nname = \"one\"\ndigest = \"{}\"\n",
            byte.repeat(48)
        )
    };
    let event = |name: &str, byte: &str, rule: &str| {
        let digest = byte.repeat(48);
        format!(
            "[[tdx.events]]\nname = \"{name}\"\nrtmr = 0\ndigest = \"{digest}\"\nrule = \"{rule}\"\n"
        )
    };
    vec![
        list("mrseam", "21"),
        list("mrconfigid", "31"),
        list("mrowner", "41"),
        list("rtmr0", "61"),
        list("rtmr3", "64"),
        "[tdx.xfam]\nrequired = [\"x87\"]\nallowed = [\"sse\", \"avx\"]\n".to_owned(),
        event("loader", "aa", "require"),
        event("shell", "bb", "forbid"),
        event("kernel", "cc", "require"),
        "[[tdx.advisories]]\nid = \"INTEL-SA-1\"\nuntil = 2026-07-01T00:00:00Z\n".to_owned(),
    ]
}

/// The rules whose bits are set, in an order that `turn` picks.
fn chosen(bits: u16, turn: usize) -> String {
    let mut rules: Vec<_> = rules().into_iter().enumerate().collect();
    rules.retain(|(index, _)| bits >> index & 1 == 1);
    let turn = turn % rules.len().max(1);
    rules.rotate_left(turn);
    let rules: String = rules.into_iter().map(|(_, rule)| rule).collect();
    text("", &rules)
}

/// Claims that are wrong where bits are set.
fn spoilt(bits: u16) -> TdxClaims {
    type Edit = fn(&mut TdxClaims);
    let edits: [Edit; 9] = [
        |claims| claims.td.mr_seam[0] ^= 1,
        |claims| claims.td.mr_config_id[0] ^= 1,
        |claims| claims.td.mr_owner[0] ^= 1,
        |claims| claims.td.rtmrs[0][0] ^= 1,
        |claims| claims.td.rtmrs[3][0] ^= 1,
        |claims| claims.td.xfam = 1 << 40,
        |claims| claims.events = None,
        |claims| claims.events = Some(vec![event(1, EventType::IPL, 0xBB)]),
        |claims| claims.tcb.advisory_ids.push("INTEL-SA-2".to_owned()),
    ];
    let good = [
        event(1, EventType::IPL, 0xAA),
        event(1, EventType::IPL, 0xCC),
    ];
    let mut claims = with_events(&good);
    claims.tcb.advisory_ids.push("INTEL-SA-1".to_owned());
    let chosen = edits
        .iter()
        .enumerate()
        .filter(|(index, _)| bits >> index & 1 == 1);
    chosen.for_each(|(_, edit)| edit(&mut claims));
    claims
}

/// What the reasons say, whatever their places and order.
fn told(text: &str, claims: &TdxClaims) -> Vec<String> {
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
    fn adding_a_rule_never_admits_more(few in 0..1024_u16, more in 0..1024_u16, wrong in 0..512_u16) {
        let claims = spoilt(wrong);
        let few = judged(&chosen(few & more, 0), &claims);
        let more = judged(&chosen(more, 0), &claims);
        prop_assert!(few.len() <= more.len());
        let codes: Vec<_> = more.iter().map(|reason| reason.code).collect();
        prop_assert!(few.iter().all(|reason| codes.contains(&reason.code)));
    }

    #[test]
    fn reasons_do_not_depend_on_the_order_of_rules(rules in 0..1024_u16, turn in 0..10_usize, wrong in 0..512_u16) {
        let claims = spoilt(wrong);
        prop_assert_eq!(told(&chosen(rules, 0), &claims), told(&chosen(rules, turn), &claims));
    }
}
