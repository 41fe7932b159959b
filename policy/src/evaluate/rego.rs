//! What the policy's own module denies.

use super::Subject;
use crate::{HardwareId, Policy, Reason, rego};

/// One reason for each member of `deny`; a module that gives no answer denies too.
pub(super) fn reasons(policy: &Policy, subject: &Subject<'_>) -> Vec<Reason> {
    let Some(module) = policy.rego() else {
        return Vec::new();
    };
    let cpu = HardwareId::of_cpu(subject.claims);
    let placement = cpu.and_then(|cpu| subject.placed(&cpu));
    let denials = module.denials(rego::input(subject.claims, placement, subject.now));
    match denials {
        Ok(denials) => denials.into_iter().map(denied).collect(),
        Err(failure) => vec![Reason::new(
            "policy.rego.failed",
            "rego.module",
            "a set of strings within the budget of steps",
            failure.0,
        )],
    }
}

fn denied(text: String) -> Reason {
    Reason::new("policy.rego", "rego.module", "nothing in `deny`", text)
}
