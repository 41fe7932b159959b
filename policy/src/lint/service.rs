//! Warnings about what a node serves and runs.

use super::{Finding, finding};
use crate::{AcceptedModel, Policy};

pub(super) fn findings(policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(no_models(policy));
    for model in policy.models().into_iter().flat_map(|list| list.iter()) {
        findings.extend(no_approval(model));
        findings.extend(ended(policy, model));
    }
    findings.extend(no_runtime(policy));
    findings.extend(no_devices(policy));
    findings
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

fn no_approval(model: &AcceptedModel) -> Option<Finding> {
    let is_approved = model.approved_by.is_some() && model.approved.is_some();
    (!is_approved).then(|| {
        finding(
            "policy.lint.no_approval",
            format!("models.accepted of {}", model.name),
            "the model does not say who approved it and when: give approved_by and approved",
        )
    })
}

fn ended(policy: &Policy, model: &AcceptedModel) -> Option<Finding> {
    let ends = [model.validity.until, model.last_before_retirement()];
    let mut ends = ends.into_iter().flatten();
    let has_ended = ends.any(|end| end < policy.not_before());
    has_ended.then(|| super::ended(format!("models.accepted of {}", model.name)))
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

/// Rules that no node is looked at by.
fn no_devices(policy: &Policy) -> Option<Finding> {
    policy.engine()?.gpu.as_ref()?;
    policy.gpu().is_none().then(|| {
        finding(
            "policy.lint.no_devices",
            "engine.gpu",
            "no node with devices is admitted, so that these rules are about none: add a table [gpu], or remove them",
        )
    })
}
