//! Each warning, by a policy that deserves it alone.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

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

#[test]
fn open_models_and_runtimes() {
    let models = sample().find("[[models.accepted]]").unwrap();
    let runtime = sample().find("[[runtime.accepted]]").unwrap();
    let without_models = format!("{}{}", &sample()[..models], &sample()[runtime..]);
    assert_finding(&without_models, "policy.lint.no_models", "models");
    assert_finding(&sample()[..runtime], "policy.lint.no_runtime", "runtime");
}
