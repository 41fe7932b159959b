//! What a valid policy should not say: warnings for its author, never a reason to refuse it.

mod beside;
mod exceptions;
mod reference_values;
mod service;
mod snp;
mod tdx;

use crate::{Policy, Position};

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
    /// Where the rule stands; `None` for one that is missing.
    pub at: Option<Position>,
}

impl Policy {
    /// Every warning, in the document's order.
    #[must_use]
    pub fn lint(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        findings.extend(long_life(self));
        findings.extend(long_age(self));
        findings.extend(self.snp().into_iter().flat_map(snp::findings));
        findings.extend(self.tdx().into_iter().flat_map(tdx::findings));
        findings.extend(reference_values::findings(self));
        findings.extend(service::findings(self));
        findings.extend(beside::findings(self));
        findings.extend(exceptions::findings(self));
        for finding in &mut findings {
            finding.at = self.place_of(&finding.rule);
        }
        findings
    }
}

fn finding(code: &'static str, rule: impl Into<String>, message: &str) -> Finding {
    Finding {
        code,
        rule: rule.into(),
        message: message.to_owned(),
        at: None,
    }
}

/// An entry whose time was over before the policy began.
fn ended(rule: impl Into<String>) -> Finding {
    finding(
        "policy.lint.ended",
        rule,
        "the entry's time is over before the policy begins: remove it",
    )
}

fn unlinked(list: &str, name: &str) -> Finding {
    finding(
        "policy.lint.no_link",
        format!("{list} of {name}"),
        "the advisory has no link: give one, so that whoever is denied can read what to do",
    )
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
