//! An appraisal told check by check: evidence, binding, policy, keys, in the order in which they are made.

use crate::{
    AdmittedNode, Check, ClientError, Outcome,
    trace::{Stop, trace},
};
use attestation::{
    CpuClaims, NodeClaims, Step, VerifyError,
    snp::{STEPS, SnpClaims, SnpError},
};
use policy::{Admitted, Denial, Reason, Refusal};
use protocol::KeyConfigs;

const PROTOCOL: &str = "docs/protocol.md";
/// The steps that follow the CPU's evidence.
const MANIFEST: (&str, &str) = ("manifest", "the manifest is well-formed");
const REPORT_DATA: (&str, &str) = (
    "binding.report_data",
    "the CPU signed for this identity key, manifest and freshness",
);
const NONCE: (&str, &str) = ("freshness.nonce", "the evidence answers our nonce");

/// Checks of one attempt to admit a node.
pub(crate) fn admission_checks(outcome: &Result<AdmittedNode, ClientError>) -> Vec<Check> {
    match outcome {
        Ok(node) => {
            let admitted = node.admitted();
            let mut checks = node_checks(admitted.claims());
            checks.push(admitted_check(admitted));
            checks.extend(keys_checks(node));
            checks
        }
        Err(ClientError::Bundle(error)) => vec![
            Check::fail(error.code(), "the evidence bundle is well-formed")
                .detail(error.to_string()),
        ],
        Err(ClientError::Refused(Refusal::Evidence(error))) => refused_checks(error),
        Err(ClientError::Refused(Refusal::Policy(denial))) => {
            let mut checks = vec![Check::pass("evidence", "the evidence is authentic")];
            checks.extend(denial_checks(denial));
            checks
        }
        Err(error) => vec![
            Check::pass("evidence", "the evidence is authentic"),
            Check::pass("policy.admitted", "the policy accepts the node"),
            Check::fail(error.code(), "the attested identity signed the node's keys")
                .detail(error.to_string()),
        ],
    }
}

/// Checks of evidence that is authentic; a bundle carries no CRLs.
pub(crate) fn node_checks(claims: &NodeClaims) -> Vec<Check> {
    let mut checks = match &claims.cpu {
        CpuClaims::Snp(snp) => snp_checks(Ok(snp), Crls::NotGiven),
        _ => Vec::new(),
    };
    let manifest = &claims.manifest;
    checks.push(node_check(Outcome::Pass, MANIFEST).detail(format!(
        "runtime {}, model {} ({})",
        manifest.runtime_version,
        manifest.model,
        hex::encode(manifest.model_digest)
    )));
    checks.push(
        node_check(Outcome::Pass, REPORT_DATA)
            .detail(format!("binding id {}", hex::encode(claims.binding_id.0))),
    );
    checks.push(match &claims.nonce {
        Some(nonce) => {
            node_check(Outcome::Pass, NONCE).detail(format!("nonce {}", hex::encode(nonce.0)))
        }
        None => node_check(Outcome::Info, NONCE).detail("not checked: no nonce was given"),
    });
    checks
}

/// Checks of evidence that was refused: those before the failing step passed, those after it were not tried.
pub(crate) fn refused_checks(error: &VerifyError) -> Vec<Check> {
    let (mut checks, failed) = match error {
        VerifyError::Snp(error) => (snp_checks(Err(error), Crls::NotGiven), None),
        VerifyError::ReportData => (authentic_report(), Some(REPORT_DATA)),
        VerifyError::Nonce => (authentic_report(), Some(NONCE)),
        _ => (authentic_report(), Some(MANIFEST)),
    };
    let mut outcome = if failed.is_some() {
        Outcome::Pass
    } else {
        Outcome::Skip
    };
    for step in [MANIFEST, REPORT_DATA, NONCE] {
        if failed == Some(step) {
            checks.push(
                Check::fail(error.code(), step.1)
                    .section(PROTOCOL)
                    .detail(error.to_string()),
            );
            outcome = Outcome::Skip;
        } else {
            checks.push(node_check(outcome, step));
        }
    }
    checks
}

/// Whether revocation lists were given; a bundle carries none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crls {
    Given,
    NotGiven,
}

/// The steps of SNP verification as far as they came. Without CRLs their steps looked at nothing and are one remark.
pub(crate) fn snp_checks(outcome: Result<&SnpClaims, &SnpError>, crls: Crls) -> Vec<Check> {
    let stop = outcome.err().map(|error| Stop {
        code: error.code(),
        class: error.class(),
        message: error.to_string(),
    });
    let detail = |step: &Step| outcome.map_or_else(|_| String::new(), |claims| claims.detail(step));
    let checks = trace(STEPS, stop.as_ref(), &[], detail);
    match crls {
        Crls::Given => checks,
        Crls::NotGiven => checks.into_iter().filter_map(without_crls).collect(),
    }
}

/// One remark in place of all the CRL steps, where the first of them that judges would stand.
fn without_crls(check: Check) -> Option<Check> {
    match check.id.as_ref() {
        "snp.crl.issuer" => Some(Check::info("snp.crl", "not checked").detail("no CRL was given")),
        id if id.starts_with("snp.crl.") => None,
        _ => Some(check),
    }
}

/// The policy accepts the node.
pub(crate) fn admitted_check(admitted: &Admitted) -> Check {
    Check::pass("policy.admitted", "the policy accepts the node").detail(format!(
        "version {}, until {}",
        admitted.policy_version(),
        admitted.not_after().to_rfc3339()
    ))
}

/// Every reason against the node.
pub(crate) fn denial_checks(denial: &Denial) -> Vec<Check> {
    denial.reasons.iter().map(reason_check).collect()
}

/// One unmet rule.
pub(crate) fn reason_check(reason: &Reason) -> Check {
    Check::fail(reason.code, format!("rule {}", reason.rule)).detail(format!(
        "expected {}; actual {}",
        reason.expected, reason.actual
    ))
}

/// The node's key list holds.
pub(crate) fn keys_checks(node: &AdmittedNode) -> Vec<Check> {
    vec![keys_check(node.keys())]
}

/// A key list whose signature and window are right.
pub(crate) fn keys_check(keys: &KeyConfigs) -> Check {
    Check::pass("keys", "the attested identity signed the node's keys")
        .section("docs/protocol.md section 5")
        .detail(format!(
            "node {}, epoch {}, until {}",
            keys.node,
            keys.epoch,
            keys.expires.to_rfc3339()
        ))
}

fn authentic_report() -> Vec<Check> {
    let judged = STEPS.iter().filter(|step| !step.id.starts_with("snp.crl."));
    judged.map(|step| step_check(Outcome::Pass, step)).collect()
}

fn step_check(outcome: Outcome, step: &Step) -> Check {
    Check::new(outcome, step.id, step.title).section(step.section)
}

fn node_check(outcome: Outcome, (id, title): (&'static str, &'static str)) -> Check {
    Check::new(outcome, id, title).section(PROTOCOL)
}
