//! From the findings of a verification to appraisals of the attester's parts.
//!
//! Nothing is affirmed by silence: an aspect is claimed only if a check about it held, and skipped checks count for nothing.

use super::{
    Appraisal, Aspect, Tier, TrustworthinessVector,
    blame::{UNEXPECTED, blame},
};
use serde_json::json;
use std::collections::BTreeMap;

/// One check of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding<'a> {
    /// The check's code, e.g. `snp.signature`.
    pub code: &'a str,
    /// What came out.
    pub outcome: FindingOutcome,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindingOutcome {
    /// It held.
    Held,
    /// It did not.
    Failed,
    /// It was not made, or decides nothing.
    NotTried,
}

/// What the findings came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything asked for held.
    Accepted,
    /// Something did not.
    Rejected,
    /// Something that the verdict needs is missing or not supported.
    Incomplete,
    /// The input is no evidence.
    Malformed,
}

/// "The instance is recognized and not known to be compromised."
const RECOGNIZED_INSTANCE: i8 = 2;
/// "A known and approved configuration."
const APPROVED_CONFIGURATION: i8 = 2;
/// "Only approved executables have been loaded during the boot process."
const APPROVED_BOOT: i8 = 3;
/// "Genuine hardware and firmware."
const GENUINE: i8 = 2;
/// "Encrypted memory, opaque to the host."
const ENCRYPTED_MEMORY: i8 = 2;

/// Status of the whole, and an appraisal of each part that any finding is about.
#[must_use]
pub fn appraise(findings: &[Finding<'_>], verdict: Verdict) -> (Tier, BTreeMap<String, Appraisal>) {
    let mut parts: BTreeMap<&str, Vec<Finding<'_>>> = BTreeMap::new();
    for finding in findings {
        if finding.outcome != FindingOutcome::NotTried {
            parts
                .entry(part_of(finding.code))
                .or_default()
                .push(*finding);
        }
    }
    if parts.is_empty() {
        parts.insert(NODE, Vec::new());
    }
    let submods: BTreeMap<_, _> = parts
        .into_iter()
        .map(|(name, findings)| (name.to_owned(), appraisal(&findings, verdict)))
        .collect();
    let worst = submods.values().map(|appraisal| appraisal.status).max();
    let status = match verdict {
        Verdict::Accepted => worst.unwrap_or(Tier::None),
        Verdict::Incomplete => Tier::None,
        Verdict::Rejected | Verdict::Malformed => Tier::Contraindicated,
    };
    (status, submods)
}

const NODE: &str = "node";

/// Which part of the attester a check is about.
fn part_of(code: &str) -> &'static str {
    match code.split('.').next() {
        Some("snp" | "tdx" | "azure" | "eventlog") => "cpu0",
        Some("nvidia") => "gpus",
        _ => NODE,
    }
}

fn appraisal(findings: &[Finding<'_>], verdict: Verdict) -> Appraisal {
    let failed: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.outcome == FindingOutcome::Failed)
        .map(|finding| finding.code)
        .collect();
    let mut appraisal = match (failed.as_slice(), verdict) {
        ([], _) => held(findings, verdict),
        (_, Verdict::Incomplete) => unexpected(Tier::None),
        (_, Verdict::Malformed) => unexpected(Tier::Contraindicated),
        (failed, _) => refused(failed),
    };
    if !failed.is_empty() {
        let claims = &mut appraisal.verifier_claims;
        claims.insert("failed".to_owned(), json!(failed));
    }
    appraisal
}

fn refused(failed: &[&str]) -> Appraisal {
    let mut vector = TrustworthinessVector::default();
    for code in failed {
        let (aspect, value) = blame(code);
        vector.claim(aspect, value);
    }
    Appraisal::new(Tier::Contraindicated, vector)
}

fn unexpected(status: Tier) -> Appraisal {
    let mut vector = TrustworthinessVector::default();
    vector.claim(Aspect::InstanceIdentity, UNEXPECTED);
    Appraisal::new(status, vector)
}

/// A part of which nothing failed: affirmed unless the verdict waits for something.
fn held(findings: &[Finding<'_>], verdict: Verdict) -> Appraisal {
    let mut vector = TrustworthinessVector::default();
    for (aspect, value) in findings.iter().filter_map(|finding| credit(finding.code)) {
        vector.claim(aspect, value);
    }
    if verdict == Verdict::Incomplete {
        return Appraisal::new(Tier::None, TrustworthinessVector::default());
    }
    let status = if findings.is_empty() {
        Tier::None
    } else {
        Tier::Affirming
    };
    Appraisal::new(status, vector)
}

/// Which claim a check makes that held.
fn credit(code: &str) -> Option<(Aspect, i8)> {
    Some(match code {
        "snp.signature" | "tdx.signature" | "nvidia.signature" => (Aspect::Hardware, GENUINE),
        "snp.crl.revoked" | "tdx.pck.revoked" | "nvidia.ocsp.revoked" => {
            (Aspect::InstanceIdentity, RECOGNIZED_INSTANCE)
        }
        "snp.debug" | "tdx.debug" => (Aspect::RuntimeOpaque, ENCRYPTED_MEMORY),
        "nvidia.measurements.vbios" | "policy.admitted" => (Aspect::Executables, APPROVED_BOOT),
        "policy.snp" | "policy.tdx" => (Aspect::Configuration, APPROVED_CONFIGURATION),
        _ => return None,
    })
}
