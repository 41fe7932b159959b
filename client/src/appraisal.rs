//! An appraisal told check by check: evidence, binding, policy, keys, in the order in which they are made.

use crate::{
    AdmittedNode, Check, ClientError, Outcome,
    check::Rule,
    trace::{Stop, trace},
};
use attestation::{
    CpuClaims, NodeClaims, Step, VerifyError,
    nvidia::{self, MachineClaims, MachineRefusal},
    snp::{STEPS, SigningKey, SnpClaims, SnpError},
    tdx::{self, TdxError},
};
use policy::{Admitted, Denial, Placement, Reason, Refusal, Waived};
use protocol::KeyConfigs;

const PROTOCOL: &str = "docs/protocol.md";
/// The steps that follow the CPU's evidence and come before the devices'.
const MANIFEST: (&str, &str) = ("manifest", "the manifest is well-formed");
const REPORT_DATA: (&str, &str) = (
    "binding.report_data",
    "the CPU signed for this identity key, manifest and freshness",
);
const NONCE: (&str, &str) = ("freshness.nonce", "the evidence answers our nonce");
const NODE_STEPS: [(&str, &str); 3] = [MANIFEST, REPORT_DATA, NONCE];

/// Checks of one attempt to admit a node.
pub(crate) fn admission_checks(outcome: &Result<AdmittedNode, ClientError>) -> Vec<Check> {
    match outcome {
        Ok(node) => {
            let admitted = node.admitted();
            let mut checks = summary(node_checks(admitted.claims()));
            checks.extend(admitted_checks(admitted));
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
        Err(ClientError::Stopped(denial)) => denial_checks(denial),
        Err(error) => {
            let title = match error {
                ClientError::Placement { .. } => "the inventory places the node where it must be",
                ClientError::Rollback(_) => "the node obeys no older policy than before",
                _ => "the attested identity signed the node's keys",
            };
            vec![
                Check::pass("evidence", "the evidence is authentic"),
                Check::pass("policy.admitted", "the policy accepts the node"),
                Check::fail(error.code(), title).detail(error.to_string()),
            ]
        }
    }
}

/// The vendors' steps that passed become one line for each vendor: `narthex verify bundle` tells them one by one.
fn summary(checks: Vec<Check>) -> Vec<Check> {
    let mut told: Vec<Check> = Vec::new();
    for (prefix, title) in VENDORS {
        let of_vendor = |check: &&Check| check.id.starts_with(prefix);
        let passed = checks.iter().filter(of_vendor);
        let count = passed
            .filter(|check| check.outcome == Outcome::Pass)
            .count();
        if count > 0 {
            let id = prefix.trim_end_matches('.');
            told.push(Check::pass(id, title).detail(format!("{count} checks")));
        }
    }
    let is_step = |check: &Check| {
        let is_vendors = VENDORS
            .iter()
            .any(|(prefix, _)| check.id.starts_with(prefix));
        is_vendors && check.outcome != Outcome::Info
    };
    told.extend(checks.into_iter().filter(|check| !is_step(check)));
    told
}

/// Prefixes of the vendors' steps.
const VENDORS: [(&str, &str); 3] = [
    ("snp.", "the evidence of AMD SEV-SNP is authentic"),
    (
        "tdx.",
        "the evidence of Intel TDX is authentic, its collateral current",
    ),
    (
        "nvidia.",
        "the evidence of NVIDIA's devices is authentic and measures as published",
    ),
];

/// Checks of evidence that is authentic.
pub(crate) fn node_checks(claims: &NodeClaims) -> Vec<Check> {
    let mut checks = cpu_checks(&claims.cpu);
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
    checks.extend(claims.devices.iter().flat_map(device_checks));
    checks
}

fn cpu_checks(cpu: &CpuClaims) -> Vec<Check> {
    match cpu {
        CpuClaims::Snp(snp) => {
            let crls = match snp.crl_next_update {
                Some(_) => Crls::Given,
                None => Crls::NotGiven,
            };
            snp_checks(Ok(snp), crls)
        }
        CpuClaims::Tdx(tdx) => {
            let not_given = match &tdx.events {
                Some(_) => &[][..],
                None => tdx::EVENT_LOG_STEPS,
            };
            trace(tdx::STEPS, None, not_given, |step| tdx.detail(step))
        }
        _ => Vec::new(),
    }
}

fn device_checks(machine: &MachineClaims) -> Vec<Check> {
    let skipped = machine.skipped();
    let mut checks = trace(nvidia::MACHINE_STEPS, None, &skipped, |_| String::new());
    for (index, claims) in machine.devices.iter().enumerate() {
        let device = &claims.device;
        let driver = device.driver_version.as_deref().unwrap_or("none");
        let detail = format!(
            "{index}: {} {} ({}), driver {driver}, VBIOS {}",
            device.architecture,
            device.kind(),
            device.pdi,
            device.vbios_version,
        );
        checks.push(Check::info("nvidia.device", "authentic").detail(detail));
    }
    checks
}

/// Checks of evidence that was refused: those before the failing step passed, those after it were not tried.
pub(crate) fn refused_checks(error: &VerifyError) -> Vec<Check> {
    match error {
        VerifyError::Collateral(error) => vec![
            Check::fail(error.code(), "the collateral in the bundle is well-formed")
                .detail(error.to_string()),
        ],
        VerifyError::Snp(error) => {
            let crls = if error.code().starts_with("snp.crl.") {
                Crls::Given
            } else {
                Crls::NotGiven
            };
            let mut checks = snp_checks(Err(error), crls);
            checks.extend(node_steps(Outcome::Skip));
            checks
        }
        VerifyError::Tdx(error) => {
            let mut checks = trace(tdx::STEPS, Some(&stop_of(error)), &[], |_| String::new());
            checks.extend(node_steps(Outcome::Skip));
            checks
        }
        VerifyError::Devices(refusal) => {
            let mut checks = vec![authentic_cpu()];
            checks.extend(node_steps(Outcome::Pass));
            checks.extend(refused_devices(refusal));
            checks
        }
        VerifyError::ReportData => refused_at(REPORT_DATA, error),
        VerifyError::Nonce => refused_at(NONCE, error),
        _ => refused_at(MANIFEST, error),
    }
}

fn refused_devices(refusal: &MachineRefusal) -> Vec<Check> {
    let error = &refusal.error;
    let stop = Stop {
        code: error.code(),
        class: error.class(),
        message: refusal.index.map_or_else(
            || error.to_string(),
            |index| format!("device {index}: {error}"),
        ),
    };
    trace(nvidia::MACHINE_STEPS, Some(&stop), &[], |_| String::new())
}

fn stop_of(error: &TdxError) -> Stop {
    Stop {
        code: error.code(),
        class: error.class(),
        message: error.to_string(),
    }
}

/// Authentic CPU evidence, refused at one of the steps that tie it to the node.
fn refused_at(failed: (&'static str, &'static str), error: &VerifyError) -> Vec<Check> {
    let mut outcome = Outcome::Pass;
    let mut checks = vec![authentic_cpu()];
    for step in NODE_STEPS {
        if step == failed {
            let check = Check::fail(error.code(), step.1).section(PROTOCOL);
            checks.push(check.detail(error.to_string()));
            outcome = Outcome::Skip;
        } else {
            checks.push(node_check(outcome, step));
        }
    }
    checks
}

fn node_steps(outcome: Outcome) -> impl Iterator<Item = Check> {
    NODE_STEPS.map(|step| node_check(outcome, step)).into_iter()
}

fn authentic_cpu() -> Check {
    Check::pass("cpu", "the CPU's evidence is authentic")
}

/// Whether revocation lists were given.
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
    let skipped = outcome.map(nothing_to_look_at).unwrap_or_default();
    let checks = trace(STEPS, stop.as_ref(), &skipped, detail);
    match crls {
        Crls::Given => checks,
        Crls::NotGiven => checks.into_iter().filter_map(without_crls).collect(),
    }
}

/// Steps that have no question for such a report: version 2 names no processor, a VLEK no chip.
fn nothing_to_look_at(claims: &SnpClaims) -> Vec<&'static str> {
    let no_cpuid = claims.version < 3;
    let no_chip = claims.signing_key == SigningKey::Vlek;
    let skipped = [
        ("snp.report.product", no_cpuid),
        ("snp.product", no_cpuid),
        ("snp.vek.hwid", no_chip),
    ];
    let skipped = skipped.into_iter().filter(|(_, is_skipped)| *is_skipped);
    skipped.map(|(id, _)| id).collect()
}

/// One remark in place of all the CRL steps, where the first of them that judges would stand.
pub(crate) fn without_crls(check: Check) -> Option<Check> {
    match check.id.as_ref() {
        "snp.crl.issuer" => Some(Check::info("snp.crl", "not checked").detail("no CRL was given")),
        id if id.starts_with("snp.crl.") && !check.is_failure() => None,
        _ => Some(check),
    }
}

/// The policy accepts the node: what it overlooked, and where the inventory places it.
pub(crate) fn admitted_checks(admitted: &Admitted) -> Vec<Check> {
    let accepted = Check::pass("policy.admitted", "the policy accepts the node");
    let mut checks = vec![accepted.detail(format!(
        "version {}, until {}",
        admitted.policy_version(),
        admitted.not_after().to_rfc3339()
    ))];
    checks.extend(admitted.waived().iter().map(waived_check));
    checks.extend(admitted.placement().map(placement_check));
    checks
}

/// A reason that an exception waived; its code is that of the reason.
fn waived_check(waived: &Waived) -> Check {
    let rule = Rule::of(&waived.reason);
    let detail = format!(
        "by {} until {}: {}; {}",
        waived.who,
        waived.until.to_rfc3339(),
        waived.why,
        rule.in_words()
    );
    Check::info(waived.reason.code, "waived by an exception")
        .detail(detail)
        .rule(rule)
}

fn placement_check(placement: &Placement) -> Check {
    let detail = format!(
        "{}, site {}, owner {}",
        placement.country, placement.site, placement.owner
    );
    Check::info("policy.placement", "the inventory places the node").detail(detail)
}

/// Every reason against the node.
pub(crate) fn denial_checks(denial: &Denial) -> Vec<Check> {
    denial.reasons.iter().map(reason_check).collect()
}

/// One unmet rule.
pub(crate) fn reason_check(reason: &Reason) -> Check {
    let rule = Rule::of(reason);
    Check::fail(reason.code, format!("rule {}", reason.rule))
        .detail(rule.in_words())
        .rule(rule)
}

/// A node that is kept ready beside the one in use.
pub(crate) fn kept_check(node: &AdmittedNode) -> Check {
    let until = node.admitted().not_after().to_rfc3339();
    Check::info("node.kept", "another node is admitted and kept ready")
        .detail(format!("node {}, until {until}", node.name()))
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

fn node_check(outcome: Outcome, (id, title): (&'static str, &'static str)) -> Check {
    Check::new(outcome, id, title).section(PROTOCOL)
}
