//! `narthex verify bundle`: everything that a node offers, archived.

use super::{
    super::{
        Context, Exit, Failure, config, evidence_file, in_force,
        report::{Report, Retryable, exit_of_evidence},
        time,
    },
    nvidia_claims, snp_claims, tdx_claims,
};
use crate::{Check, appraisal};
use attestation::{
    CpuClaims, EvidenceBundle, NodeClaims, Nonce, UnixTime, Verified, VerifyError,
    manifest::GpuCode,
};
use clap::Args;
use policy::{InForce, Placement};
use protocol::{KeyConfigs, SignedKeyConfigs};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Judge an archived evidence bundle: CPU evidence, binding, manifest, keys
#[derive(Args)]
#[command(after_help = "\
Examples:
  narthex verify bundle r.bundle
  narthex verify bundle r.bundle --policy policy.json --policy-key alice.pub.pem --at 2026-06-01T00:00:00Z
  narthex verify bundle r.bundle --collateral air-gap.bundle --nonce 5f3c...

Key lists live for minutes: judge an archived bundle at the time of its exchange, with --at.")]
pub(crate) struct Bundle {
    /// The bundle, as `narthex chat --bundle` saves it
    #[arg(value_name = "FILE")]
    bundle: PathBuf,
    /// Collateral, as `narthex collateral` makes it; goes before what the bundle brings [default: what the bundle brings]
    #[arg(long, value_name = "FILE")]
    collateral: Option<PathBuf>,
    /// The manifest that the node must have, byte for byte
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// The nonce that the evidence must answer, 64 hexadecimal digits
    #[arg(long, value_name = "HEX", value_parser = parse_nonce)]
    nonce: Option<Nonce>,
    /// Judge as of this time [default: now]
    #[arg(long, value_name = "RFC 3339", value_parser = time::parse)]
    at: Option<UnixTime>,
}

/// A bundle that was judged.
pub(crate) struct Judged {
    pub(crate) report: Report,
    /// `None` if the evidence is not authentic.
    pub(crate) claims: Option<NodeClaims>,
    /// The key list that came along, unless it is refused.
    pub(crate) keys: Option<KeyConfigs>,
    /// Where the inventory in force places the node.
    pub(crate) placement: Option<Placement>,
}

/// When a bundle and its key list are judged.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    pub(crate) evidence: UnixTime,
    pub(crate) keys: UnixTime,
}

impl Bundle {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Report, Failure> {
        let in_force = in_force::read(context)?;
        let now = time::or_now(self.at, context);
        let bundle = read(&self.bundle)?;
        let times = Times {
            evidence: now,
            keys: now,
        };
        let nonce = self.nonce.as_ref();
        let verifier = config::verifier(context, self.collateral.as_deref())?;
        let verified = verifier.verify(&bundle, nonce, times.evidence);
        let mut judged = judge(&bundle, verified, in_force.as_ref(), times);
        if let (Some(path), Some(_)) = (&self.manifest, &judged.claims) {
            let expected = evidence_file::bytes(path)?;
            let check = manifest_check(expected == bundle.manifest);
            let failed = check.is_failure();
            judged.report.checks.push(check);
            if failed {
                judged.report = judged.report.and(Exit::Rejected, Retryable::No);
            }
        }
        Ok(judged.report)
    }
}

/// Reads and parses a bundle file.
pub(crate) fn read(path: &Path) -> Result<EvidenceBundle, Failure> {
    let bytes = evidence_file::bytes(path)?;
    EvidenceBundle::from_cbor(&bytes)
        .map_err(|error| Failure::new(Exit::Malformed, error.code(), error.to_string()))
}

/// Judges what `verified` says of `bundle`.
pub(crate) fn judge(
    bundle: &EvidenceBundle,
    verified: Result<Verified<NodeClaims>, VerifyError>,
    in_force: Option<&InForce>,
    times: Times,
) -> Judged {
    let verified = match verified {
        Ok(verified) => verified,
        Err(error) => return refused(&error),
    };
    let claims = verified.claims().clone();
    let mut checks = appraisal::node_checks(&claims);
    let (accepted, placement) = acceptance(verified, in_force, times.evidence);
    checks.extend(accepted);
    let keys = keys(bundle, &claims, times.keys);
    checks.push(match &keys {
        Ok(Some(keys)) => appraisal::keys_check(keys),
        Ok(None) => Check::info("keys", "not checked").detail("the bundle carries no key list"),
        Err(check) => check.clone(),
    });
    Judged {
        report: Report::of(checks, document(&claims)),
        claims: Some(claims),
        keys: keys.ok().flatten(),
        placement,
    }
}

fn refused(error: &VerifyError) -> Judged {
    let retryable = if error.retryable() {
        Retryable::Yes
    } else {
        Retryable::No
    };
    Judged {
        report: Report {
            exit: exit_of_evidence(error),
            checks: appraisal::refused_checks(error),
            retryable,
            claims: Value::Null,
            incomplete_at: (exit_of_evidence(error) == Exit::Incomplete).then_some(error.code()),
        },
        claims: None,
        keys: None,
        placement: None,
    }
}

/// With a policy its judgement and where its inventory places the node, without one what no guest should be.
fn acceptance(
    verified: Verified<NodeClaims>,
    in_force: Option<&InForce>,
    now: UnixTime,
) -> (Vec<Check>, Option<Placement>) {
    let Some(in_force) = in_force else {
        return (without_policy(verified.claims()), None);
    };
    match in_force.evaluate(verified, now) {
        Ok(admitted) => (
            appraisal::admitted_checks(&admitted),
            admitted.placement().cloned(),
        ),
        Err(denial) => (appraisal::denial_checks(&denial), None),
    }
}

fn without_policy(claims: &NodeClaims) -> Vec<Check> {
    let mut checks = match &claims.cpu {
        CpuClaims::Snp(snp) => [snp_claims::remarks(snp), snp_claims::minimum(snp)].concat(),
        CpuClaims::Tdx(tdx) => [tdx_claims::remarks(tdx), tdx_claims::minimum(tdx)].concat(),
        _ => Vec::new(),
    };
    if claims.devices.is_some() {
        checks.extend(nvidia_claims::remarks());
    }
    checks
}

fn keys(
    bundle: &EvidenceBundle,
    claims: &NodeClaims,
    now: UnixTime,
) -> Result<Option<KeyConfigs>, Check> {
    let Some(bytes) = &bundle.key_configs else {
        return Ok(None);
    };
    SignedKeyConfigs::from_bytes(bytes.clone())
        .verify(&claims.identity, &claims.manifest_digest, now)
        .map(Some)
        .map_err(|error| {
            Check::fail(error.code(), "the attested identity signed the node's keys")
                .section("docs/protocol.md section 5")
                .detail(error.to_string())
        })
}

fn manifest_check(same: bool) -> Check {
    let title = "the manifest is the one expected";
    if same {
        Check::pass("manifest.expected", title)
    } else {
        Check::fail("manifest.expected", title)
    }
}

fn document(claims: &NodeClaims) -> Value {
    let (tee, cpu) = match &claims.cpu {
        CpuClaims::Snp(snp) => ("snp", snp_claims::document(snp)),
        CpuClaims::Tdx(tdx) => ("tdx", tdx_claims::document(tdx)),
        _ => ("cpu", Value::Null),
    };
    let manifest = &claims.manifest;
    json!({
        tee: cpu,
        "devices": claims.devices.as_ref().map(nvidia_claims::machine),
        "identity": hex::encode(claims.identity.0),
        "binding_id": hex::encode(claims.binding_id.0),
        "manifest_digest": hex::encode(claims.manifest_digest),
        "manifest": {
            "runtime_version": manifest.runtime_version,
            "runtime_digest": hex::encode(manifest.runtime_digest),
            "model": manifest.model,
            "model_digest": hex::encode(manifest.model_digest),
            "tokenizer_digest": hex::encode(manifest.tokenizer_digest),
            "template_digest": hex::encode(manifest.template_digest),
            "aibom_digest": manifest.aibom_digest.map(hex::encode),
            "kernels_digest": hex::encode(manifest.kernels_digest),
            "engine": manifest.engine,
            "isa": manifest.isa,
            "max_context_tokens": manifest.max_context_tokens,
            "max_request_bytes": manifest.max_request_bytes,
            "padding": manifest.padding,
            "policy_root": hex::encode(manifest.policy_root),
            "gpu": manifest.gpu.as_ref().map(gpu_code),
        },
        "not_after": claims.not_after.to_rfc3339(),
    })
}

fn gpu_code(code: &GpuCode) -> Value {
    json!({
        "cubins_digest": hex::encode(code.kernels.cubins_digest),
        "arithmetic": code.kernels.arithmetic.as_str(),
        "device": code.device,
        "architecture": code.architecture,
        "driver": code.driver,
        "cuda": code.cuda,
        "libraries": code.libraries,
        "self_test": code.self_test.as_str(),
        "self_test_digest": code.self_test.digest().map(hex::encode),
    })
}

fn parse_nonce(text: &str) -> Result<Nonce, String> {
    let mut nonce = [0; 32];
    hex::decode_to_slice(text, &mut nonce)
        .map(|()| Nonce(nonce))
        .map_err(|_| "not 64 hexadecimal digits".to_owned())
}
