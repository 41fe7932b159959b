//! What a valid policy should not say: warnings for its author, never a reason to refuse it.

use crate::{
    BitRule, Policy,
    snp::{GuestPolicyBit, PRODUCTS, PlatformInfoBit, SnpRules, TcbFloor, name_of},
    tdx::{TdAttributeBit, TdxRules},
};
use attestation::snp::{SigningKey, TcbVersion};

/// Longest life without a warning: a year and a day.
const LONG_LIFE_SECONDS: u64 = 366 * 24 * 60 * 60;

/// Greatest age of evidence without a warning: a day.
const LONG_AGE_SECONDS: u64 = 24 * 60 * 60;

/// One warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Stable code, e.g. `policy.lint.no_models`.
    pub code: &'static str,
    /// The rule in the document, e.g. `models`.
    pub rule: String,
    /// What is wrong with it and what to do.
    pub message: String,
}

impl Policy {
    /// Every warning, in the document's order.
    #[must_use]
    pub fn lint(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        findings.extend(long_life(self));
        findings.extend(long_age(self));
        if let Some(rules) = self.snp() {
            findings.extend(vmpl(rules));
            findings.extend(vlek(rules));
            findings.extend(zero_floors(rules));
            findings.extend(migration(rules));
            findings.extend(alias_check(rules));
        }
        if let Some(rules) = self.tdx() {
            findings.extend(tdx_migration(rules));
            findings.extend(tdx_ve(rules));
            findings.extend(tdx_statuses(rules));
            findings.extend(tdx_rtmrs(rules));
        }
        findings.extend(no_models(self));
        findings.extend(no_runtime(self));
        findings
    }
}

fn finding(code: &'static str, rule: impl Into<String>, message: &str) -> Finding {
    Finding {
        code,
        rule: rule.into(),
        message: message.to_owned(),
    }
}

fn long_life(policy: &Policy) -> Option<Finding> {
    let life_seconds = policy.expires().since(policy.not_before());
    (life_seconds > LONG_LIFE_SECONDS).then(|| {
        finding(
            "policy.lint.long_life",
            "expires",
            "the policy lives longer than a year: a withdrawn measurement stays accepted that long by whoever misses its \
             successor; expire sooner and release often",
        )
    })
}

fn long_age(policy: &Policy) -> Option<Finding> {
    (policy.max_age_seconds() > LONG_AGE_SECONDS).then(|| {
        finding(
            "policy.lint.long_age",
            "freshness.max_age_seconds",
            "evidence counts for longer than a day: lower it so that a node that changed is noticed",
        )
    })
}

fn vmpl(rules: &SnpRules) -> Option<Finding> {
    rules.vmpl.iter().any(|vmpl| *vmpl != 0).then(|| {
        finding(
            "policy.lint.vmpl",
            "snp.vmpl",
            "a level other than 0 is accepted: whatever runs at a lower VMPL can read that guest; accept only 0 unless the \
             measured image has a paravisor",
        )
    })
}

fn vlek(rules: &SnpRules) -> Option<Finding> {
    let accepted = rules.signing_keys.contains(&SigningKey::Vlek);
    accepted.then(|| {
        finding(
            "policy.lint.vlek",
            "snp.signing_keys",
            "vlek is accepted: such evidence names a cloud provider and no chip",
        )
    })
}

fn zero_floors(rules: &SnpRules) -> Vec<Finding> {
    let is_zero = |floor: &&TcbFloor| {
        let fmc = floor.floor.fmc.map(|_| 0);
        floor.floor
            == TcbVersion {
                fmc,
                ..TcbVersion::default()
            }
    };
    let floors = rules.minimum_tcb.iter().filter(is_zero);
    floors
        .map(|floor| {
            finding(
                "policy.lint.zero_tcb",
                format!("snp.minimum_tcb of {}", name_of(&PRODUCTS, &floor.product)),
                "the floor is zero, so that firmware with every published fault is accepted: take the numbers of AMD's \
                 latest bulletin",
            )
        })
        .collect()
}

fn migration(rules: &SnpRules) -> Option<Finding> {
    let mut rules = rules.guest_policy.iter();
    let rule = rules.find(|(bit, _)| *bit == GuestPolicyBit::MigrateMa)?.1;
    (rule != BitRule::Forbid).then(|| {
        finding(
            "policy.lint.migration",
            "snp.guest_policy.migrate_ma",
            "a migration agent may take the guest's memory elsewhere and is not judged by this policy: forbid it",
        )
    })
}

fn alias_check(rules: &SnpRules) -> Option<Finding> {
    let required = &rules.platform_info.required;
    (!required.contains(&PlatformInfoBit::AliasCheckComplete)).then(|| {
        finding(
            "policy.lint.alias_check",
            "snp.platform_info.required",
            "alias_check_complete is not required, so that memory modules that lie about their size (BadRAM) go unnoticed",
        )
    })
}

fn no_models(policy: &Policy) -> Option<Finding> {
    policy.models().is_none().then(|| {
        finding(
            "policy.lint.no_models",
            "models",
            "any model is accepted: list name and SHA-256 of those you mean",
        )
    })
}

fn no_runtime(policy: &Policy) -> Option<Finding> {
    policy.runtimes().is_none().then(|| {
        finding(
            "policy.lint.no_runtime",
            "runtime",
            "any runtime that an accepted measurement starts is accepted: list the SHA-256 of its executable unless the \
             measurement covers it",
        )
    })
}

fn tdx_migration(rules: &TdxRules) -> Option<Finding> {
    (rules.attributes.of(TdAttributeBit::Migratable) != BitRule::Forbid).then(|| {
        finding(
            "policy.lint.tdx_migration",
            "tdx.attributes.migratable",
            "a migration TD may take the guest elsewhere and is not judged by this policy: forbid it",
        )
    })
}

fn tdx_ve(rules: &TdxRules) -> Option<Finding> {
    (rules.attributes.of(TdAttributeBit::SeptVeDisable) != BitRule::Require).then(|| {
        finding(
            "policy.lint.tdx_ve",
            "tdx.attributes.sept_ve_disable",
            "sept_ve_disable is not required: the host can make the guest fault on its own pages while it runs",
        )
    })
}

fn tdx_statuses(rules: &TdxRules) -> Option<Finding> {
    let lax = rules.statuses.iter().any(|status| status.is_out_of_date());
    (lax && rules.grace_seconds.is_none()).then(|| {
        finding(
            "policy.lint.tdx_status",
            "tdx.statuses",
            "platforms with missing fixes are accepted without end: give them grace_seconds, which count from the day of the fix",
        )
    })
}

fn tdx_rtmrs(rules: &TdxRules) -> Option<Finding> {
    let judged = rules.rtmrs.iter().flatten().count();
    (judged == 0).then(|| {
        finding(
            "policy.lint.tdx_rtmr",
            "tdx.rtmr1",
            "MRTD covers the firmware only: list rtmr1 and rtmr2 so that the kernel and its command line are judged too",
        )
    })
}
