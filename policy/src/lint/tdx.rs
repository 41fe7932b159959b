//! Warnings about `[tdx]`.

use super::{Finding, finding};
use crate::{
    BitRule,
    tdx::{TdAttributeBit, TdxRules},
};

pub(super) fn findings(rules: &TdxRules) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(migration(rules));
    findings.extend(ve(rules));
    findings.extend(statuses(rules));
    findings.extend(unlinked_advisories(rules));
    findings.extend(rtmrs(rules));
    findings
}

fn migration(rules: &TdxRules) -> Option<Finding> {
    (rules.attributes.of(TdAttributeBit::Migratable) != BitRule::Forbid).then(|| {
        finding(
            "policy.lint.tdx_migration",
            "tdx.attributes.migratable",
            "a migration TD may take the guest elsewhere and is not judged by this policy: forbid it",
        )
    })
}

fn ve(rules: &TdxRules) -> Option<Finding> {
    (rules.attributes.of(TdAttributeBit::SeptVeDisable) != BitRule::Require).then(|| {
        finding(
            "policy.lint.tdx_ve",
            "tdx.attributes.sept_ve_disable",
            "sept_ve_disable is not required: the host can make the guest fault on its own pages while it runs",
        )
    })
}

fn statuses(rules: &TdxRules) -> Option<Finding> {
    let lax = rules.statuses.iter().any(|status| status.is_out_of_date());
    (lax && rules.grace_seconds.is_none()).then(|| {
        finding(
            "policy.lint.tdx_status",
            "tdx.statuses",
            "platforms with missing fixes are accepted without end: give them grace_seconds, which count from the day of the fix",
        )
    })
}

fn unlinked_advisories(rules: &TdxRules) -> Vec<Finding> {
    let advisories = rules.advisories.iter().flat_map(|list| list.iter());
    let unlinked = advisories.filter(|advisory| advisory.link.is_none());
    unlinked
        .map(|advisory| super::unlinked("tdx.advisories", &advisory.id))
        .collect()
}

fn rtmrs(rules: &TdxRules) -> Option<Finding> {
    let judged = rules.rtmrs.iter().flatten().count();
    (judged == 0).then(|| {
        finding(
            "policy.lint.tdx_rtmr",
            "tdx.rtmr1",
            "MRTD covers the firmware only: list rtmr1 and rtmr2 so that the kernel and its command line are judged too",
        )
    })
}
