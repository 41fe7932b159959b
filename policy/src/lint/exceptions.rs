//! Warnings about exceptions.

use super::{Finding, finding};
use crate::{Exception, Policy};

/// Longest exception without a warning: 90 days.
const LONG_EXCEPTION_SECONDS: u64 = 90 * 24 * 60 * 60;

pub(super) fn findings(policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, exception) in policy.exceptions().enumerate() {
        let rule = format!("exceptions[{index}]");
        findings.extend(long(exception, &rule));
        findings.extend(broad(exception, &rule));
        findings.extend(ended(policy, exception, &rule));
    }
    findings
}

fn long(exception: &Exception, rule: &str) -> Option<Finding> {
    let life_seconds = exception.until.since(exception.from);
    (life_seconds > LONG_EXCEPTION_SECONDS).then(|| {
        finding(
            "policy.lint.long_exception",
            rule,
            "the exception lasts longer than 90 days: make it shorter and renew it with the next version if it must be",
        )
    })
}

fn broad(exception: &Exception, rule: &str) -> Option<Finding> {
    let is_broad = exception.rule.is_none() && exception.hardware.is_none();
    is_broad.then(|| {
        finding(
            "policy.lint.broad_exception",
            rule,
            "the exception waives every reason with its code on every node: name the rule or the hardware that it is for",
        )
    })
}

fn ended(policy: &Policy, exception: &Exception, rule: &str) -> Option<Finding> {
    (exception.until < policy.not_before()).then(|| super::ended(rule))
}
