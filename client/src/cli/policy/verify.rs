//! `narthex policy verify`: whether an envelope counts under the given keys.

use super::super::{Context, Exit, Failure, config, report::Report, verify::told_as_report};
use crate::Check;
use clap::Args;
use policy::Policy;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Verify a policy's signatures under --policy-key and --policy-threshold, and its document
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex policy verify --policy-key alice.pub.pem policy.json
  narthex policy verify --policy-key alice.pub.pem --policy-key bob.pub.pem --policy-threshold 1 policy.json")]
pub(crate) struct PolicyVerify {
    /// The envelope (JSON)
    file: PathBuf,
}

impl PolicyVerify {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let report = self.judge(context).or_else(told_as_report)?;
        context.output.report(&report)
    }

    fn judge(&self, context: &Context<'_>) -> Result<Report, Failure> {
        let root = config::trust_root(context)?;
        let envelope = config::read_envelope(&self.file)?;
        let title = "enough distinct keys of the root signed the policy";
        Ok(match Policy::from_envelope(&envelope, &root) {
            Ok(policy) => {
                let detail = format!("{} of {} keys", root.threshold(), root.keys().len());
                let mut checks = vec![Check::pass("policy.signature", title).detail(detail)];
                checks.push(document_check(&policy));
                Report::of(checks, document(&policy, &root))
            }
            Err(errors) => {
                let failure = config::policy_failure(&errors);
                if failure.exit == Exit::Malformed {
                    return Err(failure);
                }
                let check = Check::fail(failure.code, title).detail(failure.message);
                Report::of(vec![check], Value::Null)
            }
        })
    }
}

fn document_check(policy: &Policy) -> Check {
    Check::pass("policy.document", "the document is well-formed").detail(format!(
        "{} version {}, {} to {}",
        policy.name(),
        policy.version(),
        policy.not_before().to_rfc3339(),
        policy.expires().to_rfc3339()
    ))
}

fn document(policy: &Policy, root: &policy::TrustRoot) -> Value {
    json!({
        "name": policy.name(),
        "version": policy.version(),
        "digest": hex::encode(policy.digest()),
        "root_digest": hex::encode(root.digest()),
        "not_before": policy.not_before().to_rfc3339(),
        "expires": policy.expires().to_rfc3339(),
    })
}
