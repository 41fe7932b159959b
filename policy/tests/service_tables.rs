//! What the tables about a node's service, its places, its lease and its tenants may say, and every mistake in them.

use attestation::UnixTime;
use policy::{
    Policy, PolicyError, TenantRole,
    channel::Padding,
    lease::{LeaseRule, WhenAbsent},
    residency::ResidencyScope,
};

/// The complete policy of docs/policy.md.
fn sample() -> &'static str {
    let page = include_str!("../../docs/policy.md");
    let (_, after) = page.split_once("```toml\n").unwrap();
    after.split_once("```").unwrap().0
}

/// The sample with `from`, which must stand there once, replaced by `to`.
fn edited(from: &str, to: &str) -> Result<Policy, Vec<PolicyError>> {
    assert_eq!(sample().matches(from).count(), 1, "{from:?} in the sample");
    Policy::from_toml(sample().replacen(from, to, 1).as_bytes())
}

/// The one mistake of the sample after an edit.
fn mistake(from: &str, to: &str) -> PolicyError {
    let mut mistakes = edited(from, to).unwrap_err();
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    mistakes.remove(0)
}

fn time(text: &str) -> UnixTime {
    UnixTime::from_rfc3339(text).unwrap()
}

#[test]
fn the_sample_says_what_its_page_says() {
    let policy = Policy::from_toml(sample().as_bytes()).unwrap();
    assert!(policy.previous().is_some());
    assert_eq!(policy.max_collateral_age_seconds(), Some(1_209_600));
    let model = policy.models().unwrap().iter().next().unwrap();
    assert_eq!(model.approved_by.as_deref(), Some("model review board"));
    assert_eq!(model.approved, Some(time("2026-10-20T09:00:00Z")));
    assert_eq!(model.validity.until, Some(time("2027-04-30T00:00:00Z")));
    assert_eq!((model.validity.from, model.retired), (None, None));
    assert!(model.tokenizer.is_some() && model.template.is_some());
    let engine = policy.engine().unwrap();
    assert!(
        engine
            .modes
            .as_ref()
            .unwrap()
            .contains(&"cpu/deterministic".to_owned())
    );
    assert!(
        engine
            .isa
            .as_ref()
            .unwrap()
            .contains(&"avx512-vnni".to_owned())
    );
    assert_eq!(engine.kernels.as_ref().unwrap().len(), 1);
    let aibom = policy.aibom().unwrap();
    assert!(aibom.required && aibom.accepted.is_some());
    let channel = policy.channel().unwrap();
    assert_eq!(channel.minimum_padding, Some(Padding::Default));
    assert!(channel.cache_scopes.is_some());
    let limits = policy.limits().unwrap();
    assert_eq!(limits.maximum_context_tokens, Some(8192));
    assert_eq!(limits.maximum_request_bytes, Some(1_048_576));
}

#[test]
fn the_sample_asks_other_documents() {
    let policy = Policy::from_toml(sample().as_bytes()).unwrap();
    let residency = policy.residency().unwrap();
    assert_eq!(residency.countries.as_ref().unwrap().len(), 2);
    assert!(residency.sites.is_none() && residency.owners.is_some());
    assert_eq!(residency.scope, ResidencyScope::All);
    let lease = LeaseRule {
        max_age_seconds: 172_800,
        when_absent: WhenAbsent::Stop,
    };
    assert_eq!(policy.lease(), Some(&lease));
    let exception = policy.exceptions().next().unwrap();
    assert_eq!(exception.code, "policy.snp.minimum_tcb");
    assert_eq!(exception.until, time("2026-12-31T00:00:00Z"));
    assert!(exception.rule.is_some() && exception.hardware.is_some());
}

#[test]
fn residency_is_about_every_device_unless_it_says_otherwise() {
    let scope = |to: &str| {
        let policy = edited("devices = \"all\"\n", to).unwrap();
        policy.residency().unwrap().scope
    };
    assert_eq!(scope(""), ResidencyScope::All);
    assert_eq!(scope("devices = \"cpu\"\n"), ResidencyScope::Cpu);
}

#[test]
fn a_tenant_has_roles_in_a_window() {
    let policy = Policy::from_toml(sample().as_bytes()).unwrap();
    let tenants: Vec<_> = policy.tenants().unwrap().iter().collect();
    let (before, end) = (time("2026-12-01T00:00:00Z"), time("2027-01-31T00:00:00Z"));
    assert!(tenants[0].may(TenantRole::Infer, end.plus(1)));
    assert!(!tenants[0].may(TenantRole::Audit, before));
    assert!(tenants[1].may(TenantRole::Audit, end));
    assert!(!tenants[1].may(TenantRole::Operate, before));
    assert!(!tenants[1].may(TenantRole::Infer, end.plus(1)));
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one line of the table for each mistake"
)]
fn every_mistake_is_told() {
    for (from, to, code, field) in [
        ("\"9e107d9d", "\"9e107d", "value", "previous"),
        (
            "= 1209600",
            "= 0",
            "value",
            "freshness.max_collateral_age_seconds",
        ),
        (
            "= 1209600",
            "= 31622401",
            "value",
            "freshness.max_collateral_age_seconds",
        ),
        (
            "tokenizer = \"1a",
            "tokenizer = \"",
            "value",
            "models.accepted[0].tokenizer",
        ),
        (
            "approved = 2026-10-20T09:00:00Z",
            "approved = \"yes\"",
            "type",
            "models.accepted[0].approved",
        ),
        (
            "until = 2027-04-30T00:00:00Z",
            "from = 2027-04-30T00:00:00Z\nuntil = 2027-04-30T00:00:00Z",
            "conflict",
            "models.accepted[0].until",
        ),
        (
            "until = 2027-04-30T00:00:00Z",
            "from = 2027-04-30T00:00:00Z\nretired = 2027-04-30T00:00:00Z",
            "conflict",
            "models.accepted[0].retired",
        ),
        (
            "modes = [\"cpu/deterministic\"]",
            "modes = []",
            "empty_list",
            "engine.modes",
        ),
        (
            "isa = [\"avx512-vnni\"]",
            "isa = [\"a\", \"a\"]",
            "duplicate",
            "engine.isa[1]",
        ),
        (
            "isa = [\"avx512-vnni\"]",
            "sia = [\"a\"]",
            "unknown_field",
            "engine.sia",
        ),
        (
            "required = true",
            "required = \"yes\"",
            "type",
            "aibom.required",
        ),
        ("required = true\n", "", "missing_field", "aibom.required"),
        (
            "minimum_padding = \"default\"",
            "minimum_padding = \"most\"",
            "value",
            "channel.minimum_padding",
        ),
        (
            "cache_scopes = [\"request\"]",
            "cache_scopes = []",
            "empty_list",
            "channel.cache_scopes",
        ),
        (
            "maximum_context_tokens = 8192",
            "maximum_context_tokens = 0",
            "value",
            "limits.maximum_context_tokens",
        ),
        (
            "maximum_request_bytes = 1048576",
            "maximum_request_bytes = 4294967296",
            "value",
            "limits.maximum_request_bytes",
        ),
        (
            "\"DE\", \"NL\"",
            "\"de\"",
            "value",
            "residency.countries[0]",
        ),
        (
            "\"DE\", \"NL\"",
            "\"DEU\"",
            "value",
            "residency.countries[0]",
        ),
        (
            "\"DE\", \"NL\"",
            "\"DE\", \"DE\"",
            "duplicate",
            "residency.countries[1]",
        ),
        (
            "devices = \"all\"",
            "devices = \"none\"",
            "value",
            "residency.devices",
        ),
        (
            "max_age_seconds = 172800",
            "max_age_seconds = 7776001",
            "value",
            "lease.max_age_seconds",
        ),
        (
            "max_age_seconds = 172800\n",
            "",
            "missing_field",
            "lease.max_age_seconds",
        ),
        (
            "when_absent = \"stop\"",
            "when_absent = \"wait\"",
            "value",
            "lease.when_absent",
        ),
        (
            "when_absent = \"stop\"\n",
            "",
            "missing_field",
            "lease.when_absent",
        ),
        (
            "[\"infer\", \"audit\"]",
            "[\"infer\", \"infer\"]",
            "duplicate",
            "tenants[1].roles[1]",
        ),
        (
            "[\"infer\", \"audit\"]",
            "[\"rule\"]",
            "value",
            "tenants[1].roles[0]",
        ),
        (
            "[\"infer\", \"audit\"]",
            "[]",
            "empty_list",
            "tenants[1].roles",
        ),
    ] {
        let mistake = mistake(from, to);
        assert_eq!(
            mistake.code(),
            format!("policy.document.{code}"),
            "{to}: {mistake}"
        );
        assert!(
            mistake.to_string().contains(&format!("`{field}`")),
            "{to}: {mistake}"
        );
    }
}

#[test]
fn a_table_that_asks_nothing_is_a_mistake() {
    let without = |from: &str, to: &str, table: &str| {
        let begin = sample().find(from).unwrap();
        let end = begin + sample()[begin..].find(to).unwrap();
        let text = format!("{}{table}{}", &sample()[..begin], &sample()[end..]);
        let mistakes = Policy::from_toml(text.as_bytes()).unwrap_err();
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        mistakes[0].code()
    };
    let missing = "policy.document.missing_field";
    assert_eq!(without("[engine]", "[aibom]", "[engine]\n"), missing);
    assert_eq!(without("[channel]", "[limits]", "[channel]\n"), missing);
    assert_eq!(without("[limits]", "[residency]", "[limits]\n"), missing);
}
