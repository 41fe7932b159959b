//! Warnings about what a policy asks of the documents beside it.

use super::{Finding, finding};
use crate::{Policy, lease::WhenAbsent};

pub(super) fn findings(policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(no_residency(policy));
    findings.extend(no_lease(policy));
    findings.extend(lease_continues(policy));
    findings
}

fn no_residency(policy: &Policy) -> Option<Finding> {
    policy.residency().is_none().then(|| {
        finding(
            "policy.lint.no_residency",
            "residency",
            "genuine hardware of whoever owns it is accepted, an attacker's too: keep an inventory and ask for [residency]",
        )
    })
}

fn no_lease(policy: &Policy) -> Option<Finding> {
    policy.lease().is_none().then(|| {
        finding(
            "policy.lint.no_lease",
            "lease",
            "a host that is kept from newer documents does not notice: publish timestamps and ask for [lease]",
        )
    })
}

fn lease_continues(policy: &Policy) -> Option<Finding> {
    let lease = policy.lease()?;
    (lease.when_absent == WhenAbsent::Continue).then(|| {
        finding(
            "policy.lint.lease_continues",
            "lease.when_absent",
            "a host that is kept from newer documents alarms and goes on: nothing stops it until the policy expires",
        )
    })
}
