//! Each warning, by a policy that deserves it alone.

use policy::Policy;

fn sample() -> &'static str {
    let page = include_str!("../../docs/policy.md");
    let (_, after) = page.split_once("```toml\n").unwrap();
    after.split_once("```").unwrap().0
}

fn assert_finding(text: &str, code: &str, rule: &str) {
    let findings = Policy::from_toml(text.as_bytes()).unwrap().lint();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].code, code);
    assert_eq!(findings[0].rule, rule);
    assert!(!findings[0].message.is_empty());
}

#[test]
fn each_warning() {
    let cases = [
        (
            "2027-02-01",
            "2027-11-03",
            "policy.lint.long_life",
            "expires",
        ),
        (
            "max_age_seconds = 3600",
            "max_age_seconds = 86401",
            "policy.lint.long_age",
            "freshness.max_age_seconds",
        ),
        (
            "vmpl = [0]",
            "vmpl = [0, 1]",
            "policy.lint.vmpl",
            "snp.vmpl",
        ),
        (
            "[\"vcek\"]",
            "[\"vcek\", \"vlek\"]",
            "policy.lint.vlek",
            "snp.signing_keys",
        ),
        (
            "bootloader = 10\ntee = 0\nsnp = 24\nmicrocode = 84",
            "bootloader = 0\ntee = 0\nsnp = 0\nmicrocode = 0",
            "policy.lint.zero_tcb",
            "snp.minimum_tcb of genoa",
        ),
        (
            "fmc = 1\nbootloader = 1\ntee = 1\nsnp = 4\nmicrocode = 80",
            "fmc = 0\nbootloader = 0\ntee = 0\nsnp = 0\nmicrocode = 0",
            "policy.lint.zero_tcb",
            "snp.minimum_tcb of turin",
        ),
        (
            "migrate_ma = \"forbid\"",
            "migrate_ma = \"allow\"",
            "policy.lint.migration",
            "snp.guest_policy.migrate_ma",
        ),
        (
            ", \"alias_check_complete\"",
            "",
            "policy.lint.alias_check",
            "snp.platform_info.required",
        ),
    ];
    for (from, to, code, rule) in cases {
        assert_eq!(sample().matches(from).count(), 1, "{from:?} in the sample");
        assert_finding(&sample().replace(from, to), code, rule);
    }
}

#[test]
fn a_year_is_not_long() {
    let text = sample().replace("2027-02-01", "2027-11-02");
    assert_eq!(Policy::from_toml(text.as_bytes()).unwrap().lint(), []);
}

/// The sample without the lines from one that begins with `from` to the next that begins with `to`.
fn without(from: &str, to: &str) -> String {
    let begin = sample().find(from).unwrap();
    let end = begin + sample()[begin..].find(to).unwrap();
    format!("{}{}", &sample()[..begin], &sample()[end..])
}

#[test]
fn what_is_not_asked_for() {
    for (from, to, code, rule) in [
        (
            "[[models.accepted]]",
            "[[runtime",
            "policy.lint.no_models",
            "models",
        ),
        (
            "[[runtime.accepted]]",
            "[engine]",
            "policy.lint.no_runtime",
            "runtime",
        ),
        (
            "[residency]",
            "[lease]",
            "policy.lint.no_residency",
            "residency",
        ),
        ("[lease]", "[[exceptions]]", "policy.lint.no_lease", "lease"),
    ] {
        assert_finding(&without(from, to), code, rule);
    }
}

#[test]
fn what_is_asked_for_and_should_say_more() {
    let guest = "snp.measurements of narthex guest 0.1.0";
    let model = "models.accepted of SmolLM2-135M-Instruct";
    let release = "release = \"0.1.0\"\n\n[[snp.minimum_tcb]]";
    for (from, to, code, rule) in [
        (
            release,
            "\n[[snp.minimum_tcb]]",
            "policy.lint.no_release",
            guest,
        ),
        (
            release,
            "release = \"0.1.0\"\nuntil = 2026-10-31T00:00:00Z\n[[snp.minimum_tcb]]",
            "policy.lint.ended",
            guest,
        ),
        (
            "approved_by = \"model review board\"\n",
            "",
            "policy.lint.no_approval",
            model,
        ),
        (
            "until = 2027-04-30T00:00:00Z",
            "until = 2026-10-31T00:00:00Z",
            "policy.lint.ended",
            model,
        ),
        (
            "until = 2027-04-30T00:00:00Z",
            "retired = 2026-10-31T00:00:00Z",
            "policy.lint.ended",
            model,
        ),
        (
            "when_absent = \"stop\"",
            "when_absent = \"continue\"",
            "policy.lint.lease_continues",
            "lease.when_absent",
        ),
        (
            "until = 2026-12-31T00:00:00Z",
            "until = 2027-02-14T00:00:00Z",
            "policy.lint.long_exception",
            "exceptions[0]",
        ),
    ] {
        assert_eq!(sample().matches(from).count(), 1, "{from:?} in the sample");
        assert_finding(&sample().replace(from, to), code, rule);
    }
}

#[test]
fn advisories_have_links() {
    let advisory = "[[snp.advisories]]\nname = \"AMD-SB-3019\"\nproduct = \"genoa\"\ncomponent = \"microcode\"\nminimum = 84\n";
    let (code, rule) = ("policy.lint.no_link", "snp.advisories of AMD-SB-3019");
    assert_finding(&(sample().to_owned() + advisory), code, rule);
    let advisory = "[[tdx.advisories]]\nid = \"INTEL-SA-00837\"\nuntil = 2026-12-31T00:00:00Z\n";
    let rule = "tdx.advisories of INTEL-SA-00837";
    assert_finding(&(sample().to_owned() + advisory), code, rule);
}

#[test]
fn exceptions_are_narrow_and_of_these_days() {
    let narrow = without("rule = ", "hardware = ");
    assert_eq!(Policy::from_toml(narrow.as_bytes()).unwrap().lint(), []);
    let broad = without("rule = ", "who = ");
    assert_finding(&broad, "policy.lint.broad_exception", "exceptions[0]");
    let past = sample()
        .replace("from = 2026-11-15T00", "from = 2026-10-01T00")
        .replace("until = 2026-12-31T00", "until = 2026-10-31T00");
    assert_finding(&past, "policy.lint.ended", "exceptions[0]");
}

#[test]
fn a_warning_tells_the_line_of_its_rule() {
    let text = without("rule = ", "who = ");
    let findings = Policy::from_toml(text.as_bytes()).unwrap().lint();
    let at = findings[0].at.unwrap();
    assert_eq!(text.lines().nth(at.line - 1), Some("[[exceptions]]"));
    let missing = without("[lease]", "[[exceptions]]");
    let findings = Policy::from_toml(missing.as_bytes()).unwrap().lint();
    assert_eq!(findings[0].at, None);
}

#[test]
fn the_page_has_every_code() {
    let page = include_str!("../../docs/policy.md");
    let sources = [
        include_str!("../src/lint.rs"),
        include_str!("../src/lint/beside.rs"),
        include_str!("../src/lint/exceptions.rs"),
        include_str!("../src/lint/reference_values.rs"),
        include_str!("../src/lint/service.rs"),
        include_str!("../src/lint/snp.rs"),
        include_str!("../src/lint/tdx.rs"),
    ];
    let codes = sources.iter().flat_map(|source| source.split('"'));
    for code in codes.filter(|text| text.starts_with("policy.lint.") && !text.contains(' ')) {
        assert!(page.contains(&format!("`{code}`")), "{code}");
    }
}
