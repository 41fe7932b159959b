//! `narthex policy lint`: every mistake of a document, and what a good one should not say.

use super::{
    super::{
        Context, Exit, Failure,
        report::{Report, Retryable},
    },
    read_either,
};
use crate::Check;
use clap::Args;
use policy::{Policy, PolicyError};
use serde_json::Value;
use std::path::PathBuf;

/// Tell every mistake of a policy, signed or not, and what weakens it
#[derive(Args)]
#[command(after_help = "\
Example:
  narthex policy lint policy.toml

Mistakes end with status 30; remarks are INFO and decide nothing.")]
pub(crate) struct Lint {
    /// Policy document (TOML) or envelope (JSON)
    file: PathBuf,
}

impl Lint {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let envelope = read_either(&self.file)?;
        let report = match Policy::from_toml(envelope.unverified_payload()) {
            Ok(policy) => Report::of(remarks(&policy), Value::Null),
            Err(errors) => mistakes(&errors),
        };
        context.output.report(&report)
    }
}

fn remarks(policy: &Policy) -> Vec<Check> {
    let mut checks = vec![
        Check::pass("policy.document", "the document is well-formed").detail(format!(
            "{} version {}",
            policy.name(),
            policy.version()
        )),
    ];
    checks.extend(policy.lint().into_iter().map(|finding| {
        Check::info(finding.code, format!("rule {}", finding.rule)).detail(finding.message)
    }));
    checks
}

fn mistakes(errors: &[PolicyError]) -> Report {
    let checks = errors
        .iter()
        .map(|error| {
            Check::fail(error.code(), "the document is well-formed").detail(error.to_string())
        })
        .collect();
    Report::of(checks, Value::Null).and(Exit::Malformed, Retryable::No)
}
